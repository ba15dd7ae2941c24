#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test.sh change|all: `make test` and `make test-all`. Sets up what that tier takes, then
# runs it: host tests, the checks, the harness's own tests, and the KTAP suite on the
# kernels that qemu/suite/plan.py says. SHARD=2/4 is a part of it, OF='rust/helper' what
# guards that, RESUME=1 takes up a run that was cut short. The last line is `N passed, N
# failed, N skipped`; KTAP and logs are in out/test/.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/lib.sh"
# shellcheck source=lib/typed.sh
. "$TOP/scripts/lib/typed.sh"

tier=${1:-change}
part=(--tier "$tier" --shard "${SHARD:-1/1}")
for path in ${OF:-}; do part+=(--of "$path"); done
resume=()
case ${RESUME:-} in
'' | 0 | n | no) ;;
*) resume=(--resume) ;;
esac

have python3 || "$TOP/scripts/build/deps.sh" kernel
# Before anything is installed or built: was something mistyped?
kernels=$("$TOP/qemu/run-tests.py" "${part[@]}" --kernels)
read -ra variants <<<"$kernels"
# Debian's own kernels come from its archive, which a machine may not reach, and which does not
# keep old ones: what cannot be had is left out, and counts as skipped.
for variant in "${variants[@]}"; do
	is_debian "$variant" || continue
	why=$("$TOP/scripts/build/deps.sh" debian && debian_version "$variant" &&
		"$TOP/scripts/build/debian.sh" offers 2>&1 >/dev/null) ||
		part+=(--without "$variant=$(sed -n 's/^error: //p' <<<"$why" | tail -n1)")
done
kernels=$("$TOP/qemu/run-tests.py" "${part[@]}" --kernels)
read -ra variants <<<"$kernels"
plan=$("$TOP/qemu/run-tests.py" "${part[@]}" --plan)

# kernels VARIANT...: one after the other, as base-nbd starts from a copy of base; beside the
# next one, the modules for the last.
kernels() {
	local variant after=() one
	set +m
	for variant; do
		"$TOP/scripts/build/kernel.sh" --variant "$variant" >/dev/null
		! is_debian "$variant" || (debian_version "$variant"; "$TOP/scripts/build/debian.sh" image >/dev/null)
		modules "$variant" &
		after+=($!)
	done
	for one in "${after[@]}"; do wait "$one"; done
}

# modules VARIANT: ours, the build that lacks an event if module/noevent.sh runs there, and what
# stall/reserves.sh takes the reserves away with.
modules() {
	local plain=--plain
	! grep -qw module/noevent.sh <<<"$(grep "^$1 " <<<"$plan")" || plain=
	# shellcheck disable=SC2086 # may be empty
	"$TOP/scripts/build/module.sh" --variant "$1" $plain >/dev/null
	"$TOP/scripts/build/kmod.sh" --variant "$1"
}

# programs: the command, and what runs in guests beside the scripts.
programs() {
	"$TOP/scripts/build/tool.sh" >/dev/null
	make -s -C "$TOP/tests" >&2
}

# Everything that takes both cores comes first: tools, kernels, modules. Side by side, as
# each of them has long stretches that only one core can work on.
"$TOP/scripts/build/deps.sh" kernel vm tool check test nbd host
like_base=() others=() of_debian=() builds=()
for variant in "${variants[@]}"; do
	case $variant in
	base | base-*) like_base+=("$variant") ;;
	debian | debian-*) of_debian+=("$variant") ;;
	*) others+=("$variant") ;;
	esac
done
# A group for each, so that all of it ends when this script is told to, or one has failed.
trap 'for build in "${builds[@]}"; do kill -TERM -- "-$build" 2>/dev/null || true; done' EXIT
trap 'exit 1' INT TERM HUP
set -m
for build in "kernels ${like_base[*]}" "kernels ${others[*]} ${of_debian[*]}" programs; do
	# shellcheck disable=SC2086 # words
	$build </dev/null &
	builds+=($!)
done
set +m
# Not wait -n: it knows nothing of what had ended before it was asked.
for build in "${builds[@]}"; do wait "$build" || die "a kernel, a module or a program could not be built, see above"; done
trap - EXIT INT TERM HUP
say "set up in $SECONDS s"

RWB_SET_UP_SECONDS=$SECONDS exec "$TOP/qemu/run-tests.py" "${part[@]}" "${resume[@]}"
