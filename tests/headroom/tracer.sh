#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Headroom agrees with the kernel's own stack tracer. On the way from the write to memory.reclaim
# down to a function (stack_trace_filter), every return address that both found lies as deep for us
# as for the tracer. A second probe on the event changes nothing: the innermost frame is the same.
# guards: rust/ledgers/headroom.rs rust/tables/callers.rs rust/tables/sites.rs rust/kernel_ext/stack.rs rust/policy/frames.rs
# faults: arithmetic
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

TRACER=/proc/sys/kernel/stack_tracer_enabled
FILTER=$TRACING/stack_trace_filter
# A return address, and what a function saves next to it, counts to the frame above or to the one
# below. They are 8 bytes apart with ORC, and up to 32 with frame pointers.
SLACK=32
# On arm64 the tracer shows for each function the depth at which the next one found is stored
# (ARCH_FTRACE_SHIFT_STACK_TRACER). There a callee stores the return address below other registers, so
# that the innermost one is up to 80 bytes deeper (rust/shim/entry.h).
SHIFTED=0
[ "$(uname -m)" != aarch64 ] || SHIFTED=1 SLACK=$((SLACK + 80))
need_mod
need_no_swap
need_memcg
need_file "$TRACER" CONFIG_STACK_TRACER
need_file "$FILTER" CONFIG_DYNAMIC_FTRACE
start_test $((2 * 6)) "headroom against the stack tracer, and beside another probe"
load_mod
zram_swap_on 64
cg_make rwb-stack

undo "echo > $FILTER"
undo "echo 0 > $TRACER"

# reclaim LAYER: writes to memory.reclaim.
reclaim() {
	hog_in "$CG/rwb-stack" "$1" -c text -m 8
	hog_filled "$1"
	echo "4M swappiness=max" > "$CG/rwb-stack/memory.reclaim" 2> /dev/null
}

# innermost LAYER FILE: prints the innermost frame of our deepest stack, with its bytes.
innermost() { sed -n "s/^memcg_reclaim[.]$1[.]frame[.]0 //p" "$2"; }

# Each of these is a known stack, from the write to memory.reclaim down to a function.
while read -r layer function event; do
	echo "$function" > "$FILTER"
	check "the tracer knows $function" grep -q "^$function" "$FILTER"
	echo 0 > "$TRACING/stack_max_size"
	# Our minimum must be of the same run.
	unload_mod
	load_mod
	echo 1 > "$TRACER"
	reclaim "$layer"
	echo 0 > "$TRACER"
	cp "$TRACING/stack_trace" "$TMP/theirs"
	cp "$LEDGER/stacks" "$TMP/ours"
	# Their lines are "N) depth size symbol". Ours are frames, the innermost first. Their bytes,
	# summed from the outermost one on, are the depth.
	awk -v re="^memcg_reclaim[.]${layer}[.]frame[.][0-9]+\$" -v shifted=$SHIFTED '
		NR == FNR {
			if ($1 ~ /^[0-9]+\)$/) {
				if (!shifted) depth[$4] = $2
				else if (rows++) depth[$4] = above
				above = $2
			}
			next
		}
		$1 ~ re { symbol[n] = $3; bytes[n++] = $2 }
		END {
			for (i = n - 1; i >= 0; i--) {
				sum += bytes[i]
				if (!(symbol[i] in depth)) continue
				common++
				d = sum - depth[symbol[i]]
				if (d < 0) d = -d
				if (d > worst) worst = d
			}
			print common + 0, worst + 0
		}' "$TMP/theirs" "$TMP/ours" > "$TMP/compared"
	read -r common worst < "$TMP/compared"
	check_num "$layer: return addresses that both have" "$common" -ge 4
	check_num "$layer: the largest difference in depth, in bytes" "$worst" -le "$SLACK"
	check "every page came back right" hog_done "$layer"

	# Now the kernel calls its own probe and ours from an iterator, which has a frame of its
	# own.
	unload_mod
	load_mod
	: > "$TRACING/trace"
	set_file "$TRACING/events/vmscan/$event/enable" 1
	reclaim "$layer"2
	echo 0 > "$TRACING/events/vmscan/$event/enable"
	cp "$LEDGER/stacks" "$TMP/beside"
	hog_kill "$layer"2
	check_num "$layer: calls of the other probe" "$(grep -c "$event:" "$TRACING/trace")" -ge 1
	frame=$(innermost "$layer" "$TMP/ours")
	check "$layer: the innermost frame is the same: $frame" \
		test "${frame:-none}" = "$(innermost "$layer" "$TMP/beside")"
done <<END
entry try_to_free_mem_cgroup_pages mm_vmscan_memcg_reclaim_begin
write shrink_folio_list mm_vmscan_write_folio
END

finish
