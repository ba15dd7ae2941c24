# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The kernel under test: its config, its settings and its console.

CONFIG_FILE=/proc/config.gz

# have_config SYMBOL: is it y or m in the running kernel?
have_config()
{
	[ -e "$CONFIG_FILE" ] || return 1
	zcat "$CONFIG_FILE" | grep -Eq "^CONFIG_$1=(y|m)$"
}

# Under TCG a kernel with these options is slower by an order of magnitude.
is_debug_kernel()
{
	[ -e /sys/kernel/debug/kmemleak ] || [ -e /proc/lockdep ] ||
		have_config KASAN
}

# scaled N: prints N, made smaller for a slow kernel, but never below 2.
if [ -z "${RWB_SCALE:-}" ]; then
	RWB_SCALE=100
	! is_debug_kernel || RWB_SCALE=25
fi
scaled()
{
	local n=$(($1 * RWB_SCALE / 100))

	[ "$n" -ge 2 ] || n=2
	echo "$n"
}

# set_file FILE VALUE: writes the value, and restores the old one when the test ends. A file with a
# choice ("always [madvise] never") gets the chosen word back.
set_file()
{
	local old

	old=$(cat "$1") || return 1
	case $old in
	*\[*\]*) old=${old#*\[}; old=${old%%\]*} ;;
	esac
	echo "$2" > "$1" || return 1
	undo "echo '$old' > '$1'"
}

# kernel_in ROOT: programs that run in that root see the kernel's filesystems, too.
kernel_in()
{
	local dir

	for dir in proc sys dev; do
		mount -o rbind /$dir "$1/$dir" || bail "mount $dir"
		undo "umount -l '$1/$dir'"
	done
}

# vm NAME VALUE: sets a sysctl of vm.
vm()
{
	set_file "/proc/sys/vm/$1" "$2"
}

# vmstat NAME: prints a counter of the kernel. Counters of a node are kept for each CPU, and lag by
# up to 125 a CPU until they are folded. Counters of events are summed whenever they are read.
vmstat()
{
	case "$1" in
	pgscan_direct_throttle) ;;
	nr_* | pgscan_* | pgsteal_*) echo 1 > /proc/sys/vm/stat_refresh ;;
	esac
	awk -v k="$1" '$1 == k { print $2 }' /proc/vmstat
}

# first_nic: prints the network device of the first route.
first_nic()
{
	ip route 2> /dev/null |
		awk '{ for (i = 1; i < NF; i++) if ($i == "dev") { print $(i + 1); exit } }'
}

mem_mib()
{
	awk -v k="$1:" '$1 == k { print int($2 / 1024) }' /proc/meminfo
}

# wmark_mib min|low|high: prints the watermark, summed over all zones. Tasks reclaim below min,
# kswapd wakes below low and goes on until high.
wmark_mib()
{
	awk -v w="$1" '$1 == w { n += $2 } END { print int(n / 256) }' /proc/zoneinfo
}

# lru classic|mglru: chooses the reclaim algorithm. Did the kernel take it? One without MGLRU always
# has the classic one.
lru()
{
	local file=/sys/kernel/mm/lru_gen/enabled want=0x0000

	if [ ! -e "$file" ]; then
		[ "$1" = classic ]
	elif [ "$1" = mglru ]; then
		set_file "$file" 7 && [ "$(cat "$file")" != "$want" ]
	else
		set_file "$file" 0 && [ "$(cat "$file")" = "$want" ]
	fi
}

# console_since: prints what the kernel has said since the start of this test.
console_since()
{
	dmesg | awk -v m="$MARKER" 'seen; index($0, m) { seen = 1 }'
}

# console_scan: prints "clean", or the bad lines. The harness uses the same patterns.
console_scan()
{
	local patterns f

	for f in "$TESTS/console-badness.txt" "$TESTS/../qemu/console-badness.txt"; do
		[ ! -f "$f" ] || patterns=$f
	done
	if [ -z "${patterns:-}" ]; then
		echo "no console-badness.txt"
		return
	fi
	if ! dmesg | grep -Fq "$MARKER"; then
		echo "the kernel log has lost the line that marks the start"
		return
	fi
	grep -Ev '^(#|$)' "$patterns" > "$TMP/patterns"
	console_since | grep -E -f "$TMP/patterns" || echo clean
}

# leak_scan: prints "clean", what kmemleak reports, or why it cannot scan. kmemleak reports an
# object if two scans find no pointer to it, the second of them at least 5 s after its allocation.
leak_scan()
{
	local f=/sys/kernel/debug/kmemleak

	if ! (echo scan > "$f") 2> /dev/null; then
		echo "kmemleak is off"
		return
	fi
	sleep 5
	echo scan > "$f"
	if grep -q . "$f"; then
		cat "$f"
	else
		echo clean
	fi
}
