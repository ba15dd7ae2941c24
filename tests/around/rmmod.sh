#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module is unloaded while its worker writes, and loaded again. write_around is switched off and
# on. Off means now: from then on nothing is met and nothing is written. While the module waits for
# its worker, before it goes, no parameter can switch anything on.
# guards: rust/helper.rs rust/helper/ rust/kernel_ext/kthread.rs rust/kernel_ext/workqueue.rs rust/control/helper.rs rust/kernel_ext/reclaim.rs
# faults: lifetime locking
# disk: 1G 1G
# timeout: 600
. "$(dirname "$0")/../lib/test.sh"

need_helper
need_memcg
need_disk disk1
need_dm delay
ROUNDS=$(scaled 8)
PAGES=2048
! is_debug_kernel || PAGES=1024
start_test $((AROUND_BOOKS + 10)) "rmmod and switching off under load"
load_helper
disk_slow disk1 rwb-rmmod 4
keeps_pages
fs_new ext4 "$DEV"
around_cg rwb-rmmod 8

file_bg rmmod "$ACG" write -f -n 4 -p 2048 -o random "$MNT/file"

reload()
{
	! loop_until 900 around_has_pending || queued=$((queued + 1))
	unload_mod || return 1
	load_helper
}

# Off: the counters stand still while the writer goes on.
toggle()
{
	local met

	echo N > "$PARAMS/write_around" || return 1
	met=$(around_counts)
	[ "$(around state)" = off ] && ! loop_until 1 counts_change "$met" && stood=$((stood + 1))
	echo Y > "$PARAMS/write_around" || return 1
	! loop_until 900 counts_change "$met" || went=$((went + 1))
}

around_counts()
{
	awk '$1 == "met.folios" || $1 == "windows" { printf "%s ", $2 }' "$LEDGER/helper"
}

counts_change()
{
	[ "$(around_counts)" != "$1" ]
}

has_pending_or_ended()
{
	around_has_pending || ! file_alive last
}

is_switched_off()
{
	[ "$(param write_around)" = N ]
}

# refused_while_going: rmmod waits for the worker, which is at a disk that stands still. If a
# parameter could switch something on now, nobody would switch it off again.
refused_while_going()
{
	local refused=false

	around_cg_limit 24
	file_in "$ACG" write -p 2048 -o random "$MNT/late" || return 1
	dm_stop rwb-rmmod
	if around_meets 4 && loop_until 900 around_has_pending &&
			loop_until 100 mod_unused reclaimwb; then
		rmmod reclaimwb &
		loop_until 900 is_switched_off && ! set_to write_around=Y && ! set_to handoff=always &&
			refused=true
		dm_go rwb-rmmod
		wait $!
	fi
	dm_go rwb-rmmod
	around_met
	$refused && loop_until 50 mod_gone reclaimwb
}

queued=0 stood=0 went=0
check "unloaded and loaded $ROUNDS times" all_rounds reload
check_eq "folios were queued each time" "$queued" "$ROUNDS"
check "switched off and on $ROUNDS times" all_rounds toggle
check_eq "switched off, the counters stood still" "$stood" "$ROUNDS"
check_eq "switched on, they went on" "$went" "$ROUNDS"
check "the writer is alive" file_alive rmmod
hog_kill rmmod
# The module goes while the last generation is being written.
file_bg last "$ACG" write -n 4 -p $PAGES -o random -g 1000000 "$MNT/file"
loop_until 900 has_pending_or_ended
unload_mod
file_end last || bail "the last writer failed"
load_helper
file_in "$ACG" write -p $((PAGES * 3 / 2)) -o random "$MNT/more"
check_around_books "after all that"
fs_cold "$DEV"
check "the content is right from a cold cache" proves verify -n 4 -p $PAGES -g 1000000 "$MNT/file"
check "nothing can be switched on while it goes" refused_while_going
load_helper
check_eq "it comes again" "$(around state)" on
fs_umount "$DEV"
check_eq "the filesystem complains of nothing" "$(fs_complaints)" clean

finish
