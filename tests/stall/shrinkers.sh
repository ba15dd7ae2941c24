#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Shrinkers: direct reclaim calls all of them, and most have nothing; inodes and dentries
# that nobody uses are something. Work that a task may not do, as it is inside a
# filesystem (no __GFP_FS), is put off, and another one does it. Two tasks are in one
# shrinker at once. Each against a load that has none of that.
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

# now_of ORIGIN NAME COUNT FILE: the sum over the shrinkers of that origin and name (patterns).
# The ledger is long, and awk is slow: grep leaves it what it needs.
now_of()
{
	grep -E "\.(name|origin|$3) " "$4" | awk -v re="^($1)\$" -v name="^($2)" '
		{ split($1, k, ".") }
		k[3] == "name" { n[k[2]] = $2; next }
		k[3] == "origin" { o[k[2]] = $2; next }
		k[1] == "shrinker" { v[k[2]] = $2 }
		END { for (i in v) if (o[i] ~ re && n[i] ~ name) s += v[i]; printf "%.0f\n", s }'
}

# so_far ORIGIN NAME COUNT: since begin; for polling.
so_far()
{
	cat "$LEDGER/shrinkers" > "$TMP/shrinkers"
	shrunk "$@"
}

shrunk()
{
	echo $(($(now_of "$1" "$2" "$3" "$TMP/shrinkers") - $(now_of "$1" "$2" "$3" "$TMP/shrinkers.0")))
}

# no_scan: slabs_scanned into $TMP; true if it is what it was. The kernel counts as it scans,
# the ledger when a call returns.
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

# pages MET: anonymous memory alone, more than there is, until that is met.
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

# pages_freed: of slabs. (With KASAN it is a while until they are.)
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

# inodes: of files that are closed again. What was made before is not there any more.
inodes()
{
	fs_cold "$DISK"
	empty_files "$MNT/d" "$FILES"
}

# more_inodes DIR: by a task in a cgroup that has not room for two times as many. (At a machine's
# limit kswapd is there first.)
more_inodes()
{
	mkdir -p "$MNT/$1"
	# shellcheck disable=SC2016 # for the shell in the cgroup
	in_cg "$CG/rwb-inodes" sh -c '
		i=0; while [ $i -lt "$1" ]; do echo > "$0/f$i" || exit 1; i=$((i + 1)); done' \
		"$MNT/$1" "$((FILES / 2))"
}

# refused: until ext4 refused a call, as it is inside of itself, and that was put off; it may
# have too little to free whenever it is called there. Then someone who is not inside of it
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
check "pages are wanted, and there are no objects" pages many_calls
end
calls=$(shrunk direct '' calls)
check_num "direct reclaim called shrinkers" "$calls" -gt 100
check_num "per cent of the calls that had nothing" \
	"$((100 * ($(shrunk direct '' empty) + $(shrunk direct '' idle)) / (calls + 1)))" -ge 80
check_num "time went into counting" "$(shrunk direct '' count.ns)" -gt 0
check_eq "slabs_scanned is what they scanned" "$(shrunk '[a-z_]*' '' scanned)" "$scanned"
few=$(shrunk '[a-z_]*' sb-ext4 freed)
check_eq "nothing was put off inside ext4" "$(shrunk '[a-z_]*' sb-ext4 deferred_nofs)" 0

check "there are $FILES inodes that nobody uses" inodes
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
check_num "and scanning took time" "$(shrunk '(direct|kswapd)' 'sb-ext4' scan.ns)" -gt 0
check_eq "slabs_scanned is what they scanned" "$(shrunk '[a-z_]*' '' scanned)" "$scanned"

# Their cgroup is short of memory, not the machine.
drop_ballast
# Whoever makes a file is inside the filesystem when its inode and blocks want pages.
begin
check "more files are made where memory is short" refused
nofs=$(shrunk '[a-z_]*' 'sb-ext4' deferred_nofs)
say "of $(shrunk '[a-z_]*' 'sb-ext4' nofs_calls) calls from inside a filesystem ext4 refused $(shrunk '[a-z_]*' 'sb-ext4' refused), which put off $nofs objects; $(shrunk '[a-z_]*' 'sb-ext4' paid) were paid"
check_num "reclaim inside a filesystem put ext4's work off" "$nofs" -gt 0
check_num "as ext4 refused it" "$(shrunk '[a-z_]*' 'sb-ext4' refused)" -gt 0
check_num "someone paid for some of that" "$(shrunk '[a-z_]*' 'sb-ext4' paid)" -gt 0
check_num "no more is paid than was put off" "$(now_of '[a-z_]*' '' paid "$TMP/shrinkers")" -le \
	"$(now_of '[a-z_]*' '' deferred "$TMP/shrinkers")"

drop_ballast
leave_mib "$M"
begin
check "two tasks want pages" pages overlaps -n 2 -m $((M * 3 / 4))
end
check_num "they were in one shrinker at once" "$(shrunk direct '' overlapped)" -gt 0
# One task, sent by its cgroup, is alone in the shrinkers of that cgroup: there is memory
# for all others, so that kswapd, which goes through all cgroups, sleeps.
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
check_eq "and was alone in them" "$(shrunk memcg_max '' overlapped) $(vmstat pageoutrun)" "0 $kswapd"
check_unexplained "shrinkers"
check_eq "nothing was lost" "$(sum "$LEDGER/status" 'lost\.(shrinkers|calls)')" 0
unload_mod

finish
