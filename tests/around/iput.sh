#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# This case killed the patch of 2010: thousands of files are created, written, unlinked and dropped
# while reclaim hands their folios over. The module must never make the last iput() of such a file
# run inside reclaim. A probe on evict() looks at the stack of every eviction.
# guards: rust/helper/file/worker.rs rust/helper/file/ring.rs rust/kernel_ext/fs.rs
# faults: lifetime locking
# disk: 1G 1G
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_disk disk1
need_dm delay
need_file /sys/kernel/tracing/kprobe_events CONFIG_KPROBE_EVENTS
FILES=$(scaled 600)
CHECKS=$((AROUND_BOOKS + 7))
start_test $((2 * CHECKS + 5)) "files dropped while their folios are queued"
load_helper inflight=512
# The disk is slow, so that folios wait.
disk_slow disk1 rwb-iput 8
# rm waits while the disk stands still, which takes minutes on a busy host.
HUNG=/proc/sys/kernel/hung_task_timeout_secs
[ ! -e $HUNG ] || set_file $HUNG 600
keeps_pages

PROBE=rwb/evict
echo "p:$PROBE evict" >> /sys/kernel/tracing/kprobe_events || bail "no probe on evict()"
undo "echo -:$PROBE >> /sys/kernel/tracing/kprobe_events"
# shellcheck disable=SC2034 # for trace_start
TRACE_KIB=16384
trace_start $PROBE
undo "echo 0 > $INSTANCE/events/$PROBE/enable"
echo stacktrace > "$INSTANCE/events/$PROBE/trigger" || bail "no stack traces at the probe"
undo "echo '!stacktrace' > $INSTANCE/events/$PROBE/trigger"

# evictions: counts them, with their stacks, by who made them. An eviction by our code is right in
# the worker. It is wrong in reclaim, that is with a function of reclaim above or below ours on the
# stack.
evictions()
{
	awk '
	function end() {
		if (!open) return
		stacks++
		if (ours && reclaim) both++
		else if (ours) worker++
		else if (reclaim) shrinker++
		open = ours = reclaim = 0
	}
	/ evict: / { seen++ }
	/<stack trace>/ { end(); open = 1; next }
	open && /^ => / {
		# Without the name of the module a name is mangled Rust, or one of the shim.
		if (/reclaimwb| rwb_/) ours = 1
		if (/ (shrink_folio_list|shrink_node|shrink_lruvec|try_to_free_pages|try_to_free_mem_cgroup_pages|balance_pgdat|kswapd|do_try_to_free_pages|evict_folios)( |\.|$)/)
			reclaim = 1
		next
	}
	{ end() }
	END {
		end()
		print "seen", seen + 0; print "stacks", stacks + 0; print "worker", worker + 0
		print "shrinker", shrinker + 0; print "both", both + 0
	}' "$INSTANCE/trace" > "$TMP/evictions"
}

evicted()
{
	awk -v k="$1" '$1 == k { print $2 }' "$TMP/evictions"
}

# These are ten files. No more than six windows of 64 pages are let through.
ten_are_queued()
{
	[ "$(around pending.folios)" -ge 640 ]
}

# dropped: were most of the 16 files dropped, all but those that the worker is at?
dropped()
{
	local left=0 pid

	for pid in $rms; do
		! kill -0 "$pid" 2> /dev/null || left=$((left + 1))
	done
	[ "$left" -le 9 ]
}

too_late()
{
	sum "$LEDGER/helper" 'skipped\.(gone|freeing|moved|dropped)\.folios'
}

# gone_while_queued: the disk stands still, so that most files are dropped before the worker comes
# to them. (The rm of a file waits while the worker is at it.)
gone_while_queued()
{
	local met=false before i rms=''

	around_cg_limit 24
	before=$(too_late)
	file_in "$ACG" write -n 48 -p 64 "$MNT/gone" || return 1
	dm_stop rwb-iput
	if around_meets 4 && loop_until 900 ten_are_queued; then
		# If more files went, the cgroup would not be short any more, and need no page.
		for i in $(seq 2 17); do
			rm "$MNT/gone.$i" &
			rms="$rms $!"
		done
		loop_until 300 dropped && met=true
	fi
	dm_go rwb-iput
	around_met
	# shellcheck disable=SC2086 # several
	[ -z "$rms" ] || wait $rms
	around_quiet
	$met && [ "$(too_late)" -gt "$before" ]
}

# in_folio COMM: does a task whose name matches that pattern wait for a locked folio?
in_folio()
{
	local wchan dir

	for wchan in /proc/[0-9]*/wchan; do
		dir=${wchan%/*}
		grep -q '^\(__folio_lock\|folio_wait\)' "$wchan" 2> /dev/null || continue
		# shellcheck disable=SC2254 # a pattern
		case $(cat "$dir/comm" 2> /dev/null) in $1) return 0 ;; esac
	done
	return 1
}

# worker_is_last: the file's last page is dirty in its first block. Its rest is being read from a
# disk that stands still, so that the page stays locked, and the worker waits for it inside the
# filesystem. Meanwhile the file loses its reader and its name.
worker_is_last()
{
	local is=false reader

	around_cg_limit 24
	file write -p 64 "$MNT/last" && sync || return 1
	echo 3 > /proc/sys/vm/drop_caches
	file_in "$ACG" write -p 63 "$MNT/last" || return 1
	dd if=/dev/zero of="$MNT/last.0" bs=1k seek=252 count=1 conv=notrunc 2> /dev/null
	dm_stop rwb-iput
	dd if="$MNT/last.0" of=/dev/null bs=4k skip=63 count=1 2> /dev/null &
	reader=$!
	loop_until 900 in_folio dd || say "the reader does not wait"
	if around_meets 0 && loop_until 900 in_folio 'kworker*'; then
		kill -KILL "$reader"
		wait "$reader" 2> /dev/null
		rm "$MNT/last.0"
		is=true
	else
		say "no worker waits for the page"
	fi
	dm_go rwb-iput
	around_met
	wait "$reader" 2> /dev/null
	$is
}

# 32 files of 256 KiB are open and unlinked at a time, in a cgroup that holds no more. So reclaim
# meets the files that are dropped next.
churn()
{
	local options='' lru superblock

	lru=$(files_on_lru)
	# A commit of the journal while the disk stands still would hold up rm.
	[ "$1" != ext4 ] || options=commit=600
	FS_BLOCK=1024
	fs_new "$1" "$DEV" "$options"
	around_cg "rwb-iput-$1" 24
	check "$1: a file was dropped while the worker was at it" loop_until 4 worker_is_last
	LASTS=$((LASTS + 1))
	around_quiet
	# shellcheck disable=SC2034 # for fs_make
	FS_BLOCK=4096
	fs_new "$1" "$DEV" "$options"
	snap before
	check "$1: files were gone when the worker came to them" loop_until 4 gone_while_queued
	around_cg_limit 8
	check "$1: $FILES files were dropped" file_in "$ACG" churn -n "$FILES" -k 32 -p 64 "$MNT/file"
	check "$1: the files that were still open held their content" \
		grep -q 'verified [1-9][0-9]* pages, 0 bad' "$TMP/filehog"
	around_quiet
	snap after
	check_num "$1: their folios were queued" "$(delta helper 'queued\.folios')" -gt "$FILES"
	check_around_books "$1"
	superblock=$(superblock_of "$1" "$DEV")
	[ -d "$superblock" ] || bail "no $superblock, so that its end cannot be seen"
	fs_umount "$DEV"
	check "$1: no superblock is left" loop_until 50 test ! -e "$superblock"
	check_num "$1: no page of files that are gone is left" $(($(files_on_lru) - lru)) -lt 64
}

LASTS=0
for_fs $CHECKS churn ext4 xfs
echo 0 > "$INSTANCE/tracing_on"
check_eq "the trace has every eviction" "$(trace_lost)" 0
evictions
show_lines "evictions " < "$TMP/evictions"
check_num "evictions were seen" "$(evicted seen)" -ge "$FILES"
check_eq "each has its stack" "$(evicted stacks)" "$(evicted seen)"
check_num "the worker evicted files of which it had the last reference" "$(evicted worker)" -ge "$LASTS"
check_eq "our code evicted none inside reclaim" "$(evicted both)" 0

finish
