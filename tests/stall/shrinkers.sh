#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Shrinkers: direct reclaim calls all of them, and most have nothing to free. Unused inodes and
# dentries are something. Work that a task may not do because it is inside a filesystem (no
# __GFP_FS) is put off, and another task does it. Two tasks are in one shrinker at once. Each of
# these is compared with a load that has none of it.
# guards: rust/ledgers/shrinkers.rs rust/ledgers/shrinkers/ rust/tables/names.rs rust/probes/shrinker.rs rust/rows/shrinkers.rs rust/shim/shrinker.c
# faults: books
# disk: 512M
# mem: 384M
# timeout: 300
. "$(dirname "$0")/../lib/test.sh"

need_mod
need_no_swap
need_disk disk0
need_fs ext4
need_memcg
FILES=$(scaled 4000)
ALONE=$(scaled 3000)
start_test $((24 + UNEXPLAINED_CHECKS)) "calls of shrinkers"
disk_attach disk0
fs_make ext4 "$DISK"
fs_mount "$DISK"
zram_swap_on 512
M=$(scaled 96)

# now_of ORIGIN NAME COUNT FILE: prints the sum over the shrinkers whose origin and name match these
# patterns. The ledger is long and awk is slow, so grep leaves it only what it needs.
now_of()
{
	grep -E "\.(name|origin|$3) " "$4" | awk -v re="^($1)\$" -v name="^($2)" '
		{ split($1, k, ".") }
		k[3] == "name" { n[k[2]] = $2; next }
		k[3] == "origin" { o[k[2]] = $2; next }
		k[1] == "shrinker" { v[k[2]] = $2 }
		END { for (i in v) if (o[i] ~ re && n[i] ~ name) s += v[i]; printf "%.0f\n", s }'
}

# so_far ORIGIN NAME COUNT: prints the growth since `begin`. It reads the ledger, so that it can be
# polled.
so_far()
{
	cat "$LEDGER/shrinkers" > "$TMP/shrinkers"
	shrunk "$@"
}

shrunk()
{
	echo $(($(now_of "$1" "$2" "$3" "$TMP/shrinkers") - $(now_of "$1" "$2" "$3" "$TMP/shrinkers.0")))
}

# no_scan: reads slabs_scanned into $TMP. Is it what it was? The kernel counts as it scans, the
# ledger when a call returns.
no_scan()
{
	local was

	was=$(cat "$TMP/slabs_scanned" 2> /dev/null)
	vmstat slabs_scanned > "$TMP/slabs_scanned"
	[ "$was" = "$(cat "$TMP/slabs_scanned")" ]
}

both_settled()
{
	same_again shrinkers && no_scan
}

begin()
{
	loop_until 100 both_settled || bail "the shrinkers do not come to rest"
	cp "$TMP/shrinkers" "$TMP/shrinkers.0"
	scanned_before=$(cat "$TMP/slabs_scanned")
}

end()
{
	quiesce
	loop_until 100 both_settled || bail "the shrinkers do not come to rest"
	scanned=$(($(cat "$TMP/slabs_scanned") - scanned_before))
}

# pages MET: a task takes anonymous memory alone, more than there is, until MET.
pages()
{
	local met="$1"

	shift
	press_until 120 "$met" -c text -m $((M + M / 2)) "$@"
}

many_calls()
{
	[ "$(so_far direct '' calls)" -gt 200 ] && enough_stalls
}

# pages_freed: were enough pages of slabs freed? (With KASAN that takes a while.)
pages_freed()
{
	[ "$(so_far '(direct|kswapd)' 'sb-ext4' freed)" -ge $((FILES / 2)) ] &&
		{ is_debug_kernel ||
			[ "$(so_far '(direct|kswapd)' '' freed.pages)" -gt $((FILES / 200)) ]; }
}

overlaps()
{
	[ "$(so_far direct '' overlapped)" -gt 0 ]
}

# inodes: makes files and closes them. Files that were made before are not in memory any more.
inodes()
{
	fs_cold "$DISK"
	empty_files "$MNT/d" "$FILES"
}

# more_inodes DIR: a task makes files in a cgroup that has no room for twice as many. (At the limit
# of the machine kswapd would come first.)
more_inodes()
{
	mkdir -p "$MNT/$1"
	# shellcheck disable=SC2016 # for the shell in the cgroup
	in_cg "$CG/rwb-inodes" sh -c '
		i=0; while [ $i -lt "$1" ]; do echo > "$0/f$i" || exit 1; i=$((i + 1)); done' \
		"$MNT/$1" "$((FILES / 2))"
}

# refused: makes files until ext4 refused a call from inside itself, and put its work off. (It may
# have too little to free whenever it is called there.) Then a task that is not inside ext4
# reclaims, and pays.
refused()
{
	local round

	cg_make rwb-inodes
	echo 4M > "$CG/rwb-inodes/memory.max"
	for round in 1 2 3 4 5 6 7 8 9 10 11 12; do
		more_inodes "more$round" || return 1
		echo 1M > "$CG/rwb-inodes/memory.reclaim" 2> /dev/null
		if [ "$(so_far '[a-z_]*' 'sb-ext4' deferred_nofs)" -gt 0 ] &&
				[ "$(shrunk '[a-z_]*' 'sb-ext4' paid)" -gt 0 ]; then
			end
			return
		fi
	done
	end
	return 1
}

load_mod write_around=N handoff=never
check_eq "the ledger is on" "$(row shrinkers state)" on
echo 3 > /proc/sys/vm/drop_caches
leave_mib "$M"

begin
check "pages are wanted while there are no objects" pages many_calls
end
calls=$(shrunk direct '' calls)
check_num "direct reclaim called shrinkers" "$calls" -gt 100
check_num "share of the calls that had nothing to free, per cent" \
	"$((100 * ($(shrunk direct '' empty) + $(shrunk direct '' idle)) / (calls + 1)))" -ge 80
check_num "counting took time" "$(shrunk direct '' count.ns)" -gt 0
check_eq "they scanned what slabs_scanned says" "$(shrunk '[a-z_]*' '' scanned)" "$scanned"
few=$(shrunk '[a-z_]*' sb-ext4 freed)
check_eq "ext4 put no work off" "$(shrunk '[a-z_]*' sb-ext4 deferred_nofs)" 0

check "there are $FILES unused inodes" inodes
begin
check "pages are wanted again" pages pages_freed
end
freed=$(shrunk '(direct|kswapd)' 'sb-ext4' freed)
say "ext4 freed $freed objects, of $FILES files; before that $few"
check_num "ext4's shrinker freed them" "$freed" -ge $((FILES / 2))
if is_debug_kernel; then
	skip_checks 1 "KASAN keeps what was freed for a while"
else
	check_num "pages of slabs became free with them" \
		"$(shrunk '(direct|kswapd)' '' freed.pages)" -gt $((FILES / 200))
fi
check_num "scanning took time" "$(shrunk '(direct|kswapd)' 'sb-ext4' scan.ns)" -gt 0
check_eq "they scanned what slabs_scanned says" "$(shrunk '[a-z_]*' '' scanned)" "$scanned"

# The cgroup of the task is short of memory, not the machine.
drop_ballast
# A task that makes a file is inside the filesystem when its inode and blocks need pages.
begin
check "more files are made where memory is short" refused
nofs=$(shrunk '[a-z_]*' 'sb-ext4' deferred_nofs)
say "of $(shrunk '[a-z_]*' 'sb-ext4' nofs_calls) calls from inside a filesystem ext4 refused $(shrunk '[a-z_]*' 'sb-ext4' refused), which put off $nofs objects; $(shrunk '[a-z_]*' 'sb-ext4' paid) were paid"
check_num "ext4 put work off in reclaim from inside it" "$nofs" -gt 0
check_num "it refused calls" "$(shrunk '[a-z_]*' 'sb-ext4' refused)" -gt 0
check_num "other tasks did some of that work" "$(shrunk '[a-z_]*' 'sb-ext4' paid)" -gt 0
check_num "no more was done than was put off" "$(now_of '[a-z_]*' '' paid "$TMP/shrinkers")" -le \
	"$(now_of '[a-z_]*' '' deferred "$TMP/shrinkers")"

drop_ballast
leave_mib "$M"
begin
check "two tasks want pages" pages overlaps -n 2 -m $((M * 3 / 4))
end
check_num "they were in one shrinker at once" "$(shrunk direct '' overlapped)" -gt 0
# A task at the limit of its cgroup is alone in the shrinkers of that cgroup. There is memory for
# all others, so that kswapd, which goes through all cgroups, sleeps.
drop_ballast
quiesce
kswapd=$(vmstat pageoutrun)
cg_make rwb-alone
echo 16M > "$CG/rwb-alone/memory.max"
begin
# shellcheck disable=SC2016 # for the shell in the cgroup
check "a task alone in its cgroup is at its limit" in_cg "$CG/rwb-alone" sh -c '
	i=0; while [ $i -lt "$2" ]; do : > "$0/alone$i"; i=$((i + 1)); done
	exec "$1" -c text -m 24 > /dev/null' "$MNT" "$BIN/memhog" "$ALONE"
end
check_num "it called shrinkers" "$(shrunk memcg_max '' calls)" -gt 0
check_eq "it was alone in them" "$(shrunk memcg_max '' overlapped) $(vmstat pageoutrun)" "0 $kswapd"
check_unexplained "shrinkers"
check_eq "nothing was lost" "$(sum "$LEDGER/status" 'lost\.(shrinkers|calls)')" 0
unload_mod

finish
