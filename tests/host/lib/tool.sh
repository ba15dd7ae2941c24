# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # for those who source it; TOP and scratch are ktap.sh's
# The reclaimwb command for host tests, as $tool: the one that cargo built for the tool's own tests,
# or RECLAIMWB=. This file is sourced after ktap.sh.

fixtures=$TOP/tool/tests/fixtures

# host_lib COMMAND...: calls a function of scripts/lib/lib.sh, in a shell of its own.
host_lib() {
	# shellcheck disable=SC2016 # for that shell
	bash -c '. "$1/scripts/lib/lib.sh"; shift; "$@"' - "$TOP" "$@"
}

tool=${RECLAIMWB:-}
if [ -z "$tool" ]; then
	target=${CARGO_TARGET_DIR:-$(host_lib cargo_target)}
	if ! CARGO_TARGET_DIR=$target cargo build --quiet --locked \
			--manifest-path "$TOP/tool/Cargo.toml" 2>"$scratch/build.log"; then
		sed 's/^/# /' "$scratch/build.log"
		echo "Bail out! cargo could not build the command in tool/"
		exit 1
	fi
	tool=$target/debug/reclaimwb
fi

# passes NAME COMMAND...: the command succeeds.
passes() {
	local name=$1
	shift
	if "$@" >"$scratch/log" 2>&1; then
		ktap_test_pass "$name"
	else
		sed 's/^/# | /' "$scratch/log"
		ktap_test_fail "$name"
	fi
}

# fails NAME COMMAND...: the command fails, because it finds what is wrong.
fails() {
	local name=$1
	shift
	if "$@" >"$scratch/log" 2>&1; then
		sed 's/^/# | /' "$scratch/log"
		ktap_test_fail "$name"
	else
		ktap_test_pass "$name"
	fi
}
