#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh: everything from nothing to a report: tools, kernel, module, a guest
# that swaps over NBD, and who wrote during reclaim on how much stack.
# Leaves out/demo/report.txt, report.json, and the guest's logs in out/demo/vm/.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

MEM=320M
demo=$OUT/demo
stages=6 stage=0

stage() {
	stage=$((stage + 1))
	printf '[%d/%d %4d s] %s\n' "$stage" "$stages" "$SECONDS" "$*" >&2
}

# The guest's KTAP, as it comes, for people: what it does now, what it proved.
narrate() {
	local line
	while IFS= read -r line; do
		case $line in
		'# ERROR: '* | 'Bail out!'*) line="FAILED: ${line#*: }" ;;
		'# begin '* | '# end '* | '# failed: '* | '# Totals:'* | *' -gt '*) continue ;;
		'# '*) line=${line#'# '} ;;
		'ok '*'# SKIP '*) line="skipped: ${line#ok * }" ;;
		'ok '*) line="ok: ${line#ok * }" ;;
		'not ok '*) line="FAILED: ${line#not ok * }" ;;
		*) continue ;;
		esac
		printf '      %4d s  %s\n' "$SECONDS" "$line" >&2
	done
}

mkdir -p "$demo"
rm -f "$demo"/report.{txt,json}

stage "tools and packages"
"$TOP/scripts/deps.sh" kernel vm tool

stage "kernel (about 15 minutes the first time, then cached)"
kdir=$("$TOP/scripts/kernel.sh" --variant base)
say "kernel $(cat "$kdir/include/config/kernel.release") in $kdir"

stage "module and test programs"
"$TOP/scripts/module.sh" --variant base >/dev/null
make --silent --no-print-directory -C "$TOP/tests" OUT="$OUT" >&2

stage "the reclaimwb command"
"$TOP/scripts/tool.sh"

stage "guest with $MEM of memory, swap over NBD ($("$TOP/qemu/vm.sh" --kdir "$kdir" --accelerator))"
rc=0
"$TOP/qemu/vm.sh" --variant base --kdir "$kdir" --mem "$MEM" --nbd fast --timeout 1200 \
	--run demo/demo.sh --out "$demo/vm" | narrate || rc=${PIPESTATUS[0]}
case $rc in
0) ;;
1) die "a check failed in the guest: $(grep -m1 '^not ok' "$demo/vm/ktap.log" || echo 'see its output') ($demo/vm/ktap.log, console: $demo/vm/console.log)" ;;
2) die "the guest did not come to an end: $(cat "$demo/vm/reason" 2>/dev/null || echo 'no reason known') (console: $demo/vm/console.log)" ;;
*) die "the guest could not be started (exit $rc, see above)" ;;
esac

stage "report"
results=$demo/vm/results
[ -s "$results/after.json" ] || die "the guest left no snapshot in $results; console: $demo/vm/console.log"
report=("$OUT/bin/reclaimwb" report "$results/after.json" --since "$results/before.json")
"${report[@]}" --width 80 >"$demo/report.txt"
"${report[@]}" --json >"$demo/report.json"
echo
"${report[@]}"
echo
say "saved: $demo/report.txt, $demo/report.json ($SECONDS s in all)"
