#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test.sh change|all: `make test` and `make test-all`. Sets up what that tier takes, then
# runs it: host tests, the checks, the harness's own tests, and the KTAP suite on the
# kernels that qemu/suite/plan.py says. SHARD=2/4 is a part of it, OF='rust/helper' what
# guards that, RESUME=1 takes up a run that was cut short. The last line is `N passed, N failed, N skipped`; KTAP and logs are
# in out/test/.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tier=${1:-change}
part=(--tier "$tier" --shard "${SHARD:-1/1}")
for path in ${OF:-}; do part+=(--of "$path"); done
resume=()
case ${RESUME:-} in
'' | 0 | n | no) ;;
*) resume=(--resume) ;;
esac

have python3 || "$TOP/scripts/deps.sh" kernel
# Before anything is installed or built: was something mistyped?
kernels=$("$TOP/qemu/run-tests.py" "${part[@]}" --kernels)
read -ra variants <<<"$kernels"

# Everything that takes both cores comes first: tools, kernels, modules.
"$TOP/scripts/deps.sh" kernel vm tool check test nbd host
"$TOP/scripts/tool.sh" >/dev/null
make -s -C "$TOP/tests" >&2
for variant in "${variants[@]}"; do
	"$TOP/scripts/kernel.sh" --variant "$variant" >/dev/null
done
printf '%s\n' "${variants[@]}" |
	xargs -n 1 -P "$J" "$TOP/scripts/module.sh" --variant >/dev/null
say "set up in $SECONDS s"

RWB_SET_UP_SECONDS=$SECONDS exec "$TOP/qemu/run-tests.py" "${part[@]}" "${resume[@]}"
