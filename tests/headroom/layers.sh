#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Headroom at all five layers of a task that reclaims and swaps over NBD. Each layer is seen, and
# each lies deeper than the one above. The books of a layer are whole: the histogram has every
# sample, and the worst stack adds up to its depth.
# guards: rust/ledgers/headroom.rs rust/probes/block.rs rust/probes/nbd.rs rust/probes/net.rs rust/rows/headroom.rs
# faults: arithmetic built-in unpatched
# nbd: fast
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

LAYERS="entry write bio nbd net"
need_mod
need_nbd fast
start_test plan-at-end "stack headroom by layer"
load_mod
nbd_swap_on fast

# all_layers: have both reclaimed, and has one of them reached each layer?
all_layers()
{
	awk '$1 == "kswapd.entry.count" { k = $2 }
		$1 ~ /^(kswapd|direct)\.(entry|write|bio|nbd|net)\.count$/ && $2 > 0 {
			split($1, part, "."); seen[part[2]] = 1 }
		END { for (l in seen) n++; exit !(k > 0 && n == 5) }' "$LEDGER/headroom"
}

leave_mib "$LEFT"
check "every page came back right" press_until 120 all_layers -n 2 -m "$LEFT"
quiesce
cat "$LEDGER/headroom" > "$TMP/headroom"
cat "$LEDGER/stacks" > "$TMP/stacks"
size=$(sum "$TMP/headroom" 'stack\.size')
check_eq "stack.size is a power of two" "$size" \
	"$(awk -v n="$size" 'BEGIN { p = 1; while (p < n) p *= 2; print p }')"

section "the stack" 2

# least LAYER: prints the least headroom of kswapd and direct reclaim.
least()
{
	awk -v re="^(kswapd|direct)\\\\.$1\\\\.min\$" '$1 ~ re { if (!n++ || $2 < m) m = $2 }
		END { print n ? m : "missing" }' "$TMP/headroom"
}

# stack_value KEY
stack_value()
{
	awk -v k="$1" '$1 == k { print $2; n++ } END { if (n != 1) print "missing" }' "$TMP/stacks"
}

above=$size
for layer in $LAYERS; do
	check_num "$layer: samples" "$(sum "$TMP/headroom" "(kswapd|direct)\\.$layer\\.count")" -gt 0
	check_eq "$layer: the histogram has them all" \
		"$(sum "$TMP/headroom" "(kswapd|direct)\\.$layer\\.hist\\.[0-9]*")" \
		"$(sum "$TMP/headroom" "(kswapd|direct)\\.$layer\\.count")"
	min=$(least "$layer")
	if [ "$layer" = entry ]; then
		check_num "$layer: it lies below the top of the stack" "$min" -lt "$above"
	else
		# kswapd enters reclaim on the shallowest stack of all. (The layer just above is no
		# bound: its deepest sample may have gone no further.)
		check_num "$layer: it lies below the shallowest entry" "$min" -lt "$above"
	fi
	# Within a window it costs a return address and a saved register at least, on average.
	[ "$layer" = entry ] || check_num "$layer: it cost more than the layer above" \
		"$(sum "$TMP/headroom" "(kswapd|direct)\\.$layer\\.used\\.sum")" -ge \
		$((16 * $(sum "$TMP/headroom" "(kswapd|direct)\\.$layer\\.used\\.count") + 1))
	[ "$layer" != entry ] || above=$(sum "$TMP/headroom" 'kswapd\.entry\.min')

	# The worst stack of the layer must add up.
	for o in direct kswapd; do
		[ "$(stack_value "$o.$layer.headroom")" = "$min" ] && break
	done
	check_eq "$layer: the worst stack is kept" "$(stack_value "$o.$layer.headroom")" "$min"
	check_eq "$layer: its depth is the stack size less the headroom" \
		"$(stack_value "$o.$layer.depth")" "$((size - min))"
	frames=$(awk -v re="^$o\\\\.$layer\\\\.frame\\\\.[0-9]+\$" '$1 ~ re { s += $2 } END { print s + 0 }' "$TMP/stacks")
	say "$layer: $o left $min bytes"
	check_eq "$layer: the frames add up to the depth" "$frames" "$((size - min))"
done
# There are six checks of each layer, and what four of them cost.
section "the layers" $((5 * 6 + 4))

finish
