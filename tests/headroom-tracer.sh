#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Headroom agrees with the kernel's own stack tracer. The tracer measures at
# the entry of one function (stack_trace_filter), we at a tracepoint next to
# it: what lies between the two is that function's frame and our probe's.
# timeout: 300
. "$(dirname "$0")/lib/test.sh"

TRACER=/proc/sys/kernel/stack_tracer_enabled
FILTER=$TRACING/stack_trace_filter
# Bytes that the two may differ by, beside the frame: alignment, saved registers.
SLACK=64
need_mod
need_no_swap
need_memcg
need_file "$TRACER" CONFIG_STACK_TRACER
need_file "$FILTER" CONFIG_DYNAMIC_FTRACE
start_test $((2 * 5)) "headroom against the stack tracer"
load_mod
zram_swap_on 64
cg_make rwb-stack

undo "echo > $FILTER"
undo "echo 0 > $TRACER"

# One known stack each: the write to memory.reclaim down to its function.
while read -r layer function; do
	echo "$function" > "$FILTER"
	check "the tracer knows $function" grep -q "^$function" "$FILTER"
	echo 0 > "$TRACING/stack_max_size"
	# Our minimum has to be of the same run.
	unload_mod
	load_mod
	echo 1 > "$TRACER"
	hog_in "$CG/rwb-stack" "$layer" -c text -m 8
	hog_filled "$layer"
	echo "4M swappiness=max" > "$CG/rwb-stack/memory.reclaim" 2> /dev/null
	echo 0 > "$TRACER"
	theirs=$(cat "$TRACING/stack_max_size")
	size=$(row headroom stack.size)
	min=$(row headroom "memcg_reclaim.$layer.min")
	check_num "$layer: the tracer saw $function" "$theirs" -gt 0
	is_number "$min" && is_number "$size" || min=-1
	between=$((size - min - theirs))
	frame=$(awk -v re="^memcg_reclaim\\\\.$layer\\\\.frame\\\\.[0-9]+\$" -v f="$function+" \
		'$1 ~ re && index($3, f) == 1 { print $2; exit }' "$LEDGER/stacks")
	say "$layer: stack tracer $theirs bytes deep, we $((size - min)), frame of $function ${frame:-missing}"
	check_num "$layer: we are lower by that function's frame" "$between" -ge $((${frame:-99999} - SLACK))
	check_num "$layer: and by no more than that" "$between" -le $((${frame:--99999} + SLACK))
	check "every page came back right" hog_done "$layer"
done <<END
entry try_to_free_mem_cgroup_pages
write shrink_folio_list
END

finish
