#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh: everything from nothing to a report: tools, kernel, module, a guest
# that swaps over NBD, and who wrote during reclaim on how much stack.
# Leaves out/demo/demo.jsonl (the recording), report.txt, report.json, report.html, and the
# guest's logs in out/demo/vm/.
#
# The guest has Debian's own kernel, for which only the module is built. HELPER=1 takes the
# patched dev kernel, which is built first; so does a machine on which Debian's cannot be had.
# KDIR= and KSRC= choose a kernel as elsewhere.
#
# shellcheck disable=SC2317 # shellcheck 0.9 loses all functions at the last exit
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/lib.sh"

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

# debian_kernel: set kdir to Debian's kernel, or fail; what went wrong has been said.
debian_kernel() {
	[ -z "${HELPER:-}${KDIR:-}${KSRC:-}" ] || return 1
	kdir=$("$TOP/scripts/build/deps.sh" debian && "$TOP/scripts/build/debian.sh" image) && return
	say "so Debian's own kernel cannot be had here"
	return 1
}

main() {
	local kdir recording rc=0 variant=debian tool
	local -a report which
	"$TOP/scripts/lib/typed.sh" kernel base
	mkdir -p "$demo"
	rm -f "$demo"/report.{txt,json,html} "$demo/demo.jsonl"

	stage "tools and packages"
	"$TOP/scripts/build/deps.sh" vm tool
	# Beside what is fetched for the kernel.
	"$TOP/scripts/build/tool.sh" >"$demo/tool.log" 2>&1 &
	tool=$!

	stage "kernel"
	if ! debian_kernel; then
		variant=base
		"$TOP/scripts/build/deps.sh" kernel
		[ -n "${KDIR:-}" ] || "$TOP/scripts/build/kernel.sh" --variant base --print >/dev/null 2>&1 ||
			say "the patched dev kernel is built first: 10 to 20 minutes on 2 cores, and it is kept"
		kdir=$("$TOP/scripts/build/kernel.sh" --variant base)
	fi
	which=(--variant "$variant")
	say "kernel $(cat "$kdir/include/config/kernel.release") in $kdir"

	stage "module and test programs"
	"$TOP/scripts/build/module.sh" --variant "$variant" --plain >/dev/null
	make --silent --no-print-directory -C "$TOP/tests" OUT="$OUT" >&2

	stage "the reclaimwb command"
	wait "$tool" || { cat "$demo/tool.log" >&2; exit 1; }

	[ "$variant" = debian ] || which+=(--kdir "$kdir")
	[ -z "${HELPER:-}" ] || which+=(--append rwb.handoff=always)
	stage "guest with $MEM of memory, swap over NBD ($("$TOP/qemu/vm.sh" "${which[@]}" --accelerator))"
	"$TOP/qemu/vm.sh" "${which[@]}" --mem "$MEM" --nbd fast --timeout 1200 \
		--run demo/demo.sh --out "$demo/vm" | narrate || rc=${PIPESTATUS[0]}
	case $rc in
	0) ;;
	1) die "a check failed in the guest: $(grep -m1 '^not ok' "$demo/vm/ktap.log" || echo 'see its output') ($demo/vm/ktap.log, console: $demo/vm/console.log)" ;;
	2) die "the guest did not come to an end: $(cat "$demo/vm/reason" 2>/dev/null || echo 'no reason known') (console: $demo/vm/console.log)" ;;
	*) die "the guest could not be started (exit $rc, see above)" ;;
	esac

	stage "report"
	recording=$demo/demo.jsonl
	mv "$demo/vm/results/demo.jsonl" "$recording" 2>/dev/null ||
		die "the guest left no recording in $demo/vm/results; console: $demo/vm/console.log"
	report=("$OUT/bin/reclaimwb" report "$recording")
	"${report[@]}" --width 80 >"$demo/report.txt"
	"${report[@]}" --json >"$demo/report.json"
	"${report[@]}" --html "$demo/report.html"
	echo
	"${report[@]}"
	echo
	say "saved: $demo/report.txt, .json and .html, of the recording $recording ($SECONDS s in all)"
	say "more of it: $OUT/bin/reclaimwb stalls $recording"
}

# Who kills it by a signal also means the build that it started.
as_group main; exit
