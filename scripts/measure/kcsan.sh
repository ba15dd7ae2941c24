#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kcsan.sh [SCENARIO...]: run scenarios on a kernel with the detector of data races (qemu/config/
# kcsan.config), each in a guest of its own. Prints every pair of functions that raced, how often,
# and whether it is the module's. The exit code is 1 if there is one that is not explained below, or
# if a scenario did not end.
#
# The checks of a scenario do not count here: this kernel is slow, and it warns. Races of the
# kernel with itself are listed, and do not count either.
#
#   VARIANT=kcsan   or another variant with it (kcsan+hotplug)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

VARIANT=${VARIANT:-kcsan}
out=$OUT/kcsan
ALL=(module/load.sh handoff/books.sh around/books.sh)
for script in "$TOP"/tests/{origin,stall}/*.sh; do ALL+=("${script#"$TOP/tests/"}"); done
# Races of ours that do no harm, as `FUNCTION / FUNCTION: why`. Better is data_race() or READ_ONCE()
# in the source, with the reason there.
EXPLAINED=(
	"ktime_get_mono_fast_ns / timekeeping_update_from_shadow: a latch of the kernel, read again if it was written"
)

# guest SCENARIO: only its console counts.
guest() {
	local script=$1 dir=$out/${1//\//-} rc=0 each key
	local -a args=()
	for each in $(need "$script" nbd); do args+=(--nbd "$each"); done
	for each in $(need "$script" disk); do args+=(--disk "$each"); done
	for key in numa nic smp; do
		each=$(need "$script" "$key")
		[ -z "$each" ] || args+=("--$key" "$each")
	done
	each=$(need "$script" timeout)
	rm -rf "$dir"
	mkdir -p "$dir"
	"$TOP/qemu/vm.sh" --quiet --variant "$VARIANT" --out "$dir" --timeout $((${each:-180} + 120)) \
		"${args[@]}" --run "$script" \
		--append "$(need "$script" append) panic_on_warn=0 log_buf_len=4M rwb.scale=25 rwb.nosync=1" \
		2>"$dir/err" || rc=$?
	[ $rc != 77 ] || die "no guest could be started: $(sed -n 's/^error: //p' "$dir/err" | tail -n1)"
	grep -q "^# end $script " "$dir/ktap.log" || {
		say "$script: it has no end: $(cat "$dir/reason" 2>/dev/null || echo "see $dir")"
		return 1
	}
	say "$script: $(grep -c 'BUG: KCSAN' "$dir/console.log" || true) reports"
}

# races: `COUNT OURS PAIR` from all consoles. The first line of a report names both functions. OURS
# is yes if one of them is the module's, or is called by the module, which then handed over what
# they race for. It is no if the module is further up only: the swap writer stands below all that
# the block layer and a driver do when it submits.
races() {
	cat "$out"/*/console.log | tr -d '\r' | awk '
		function flush() { if (pair != "") { n[pair]++; if (ours) of[pair] = 1 } pair = ""; ours = 0 }
		/BUG: KCSAN: / { flush(); sub(/.*BUG: KCSAN: [a-z: -]+ in /, ""); pair = $0; next }
		pair != "" && / of [0-9]+ bytes by / { frame = 0 }
		pair != "" && /\+0x[0-9a-f]+\/0x/ { if (++frame <= 2 && /\[reclaimwb\]/) ours = 1 }
		pair != "" && /Reported by Kernel Concurrency Sanitizer/ { flush() }
		END { flush(); for (p in n) printf "%d\t%s\t%s\n", n[p], (p in of) ? "yes" : "no", p }' | sort -k2,2r -k1,1nr
}

is_explained() {
	local each
	for each in "${EXPLAINED[@]}"; do
		[[ $each != "$1: "* ]] || return 0
	done
	return 1
}

main() {
	local script count ours pair kdir failed=0 reports=0 mine=0
	[ $# = 0 ] || ALL=("$@")
	"$TOP/scripts/lib/typed.sh" kernel "$VARIANT"
	"$TOP/scripts/lib/typed.sh" tests "${ALL[@]}"
	"$TOP/scripts/build/deps.sh" kernel vm test tool nbd
	kdir=$("$TOP/scripts/build/kernel.sh" --variant "$VARIANT")
	# Any other kernel would report nothing.
	grep -q '^CONFIG_KCSAN=y' "$kdir/.config" || die "VARIANT=$VARIANT has no CONFIG_KCSAN: it can be kcsan, or kcsan+hotplug"
	"$TOP/scripts/build/module.sh" --variant "$VARIANT" --plain >/dev/null
	# Without these, some scenarios are skipped.
	"$TOP/scripts/build/kmod.sh" --variant "$VARIANT"
	"$TOP/scripts/build/tool.sh" >/dev/null
	make --silent --no-print-directory -C "$TOP/tests" OUT="$OUT" >&2
	rm -rf "$out"
	mkdir -p "$out"
	for script in "${ALL[@]}"; do
		guest "$script" || failed=$((failed + 1))
	done
	races >"$out/races"
	while IFS=$'\t' read -r count ours pair; do
		reports=$((reports + count))
		if [ "$ours" = yes ]; then
			mine=$((mine + 1))
			is_explained "$pair" || failed=$((failed + 1))
		fi
		printf '%5d  %-4s %s\n' "$count" "$([ "$ours" = no ] || echo OURS)" "$pair"
	done <"$out/races"
	echo "${#ALL[@]} scenarios, $reports reports of $(wc -l <"$out/races") races; $mine of them ours; $failed failed"
	[ $failed = 0 ]
}

main "$@"; exit
