# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Swap devices: over the network, in RAM, and compressed.

NBD_DEV=/dev/nbd0

# need_no_swap: there may be no other swap area, so that a write can only go where the test says.
need_no_swap()
{
	[ "$(grep -c . /proc/swaps)" -le 1 ] ||
		skip_all "other swap is active: swapoff -a first"
}

# nbd_address NAME: sets NBD_HOST and NBD_PORT to those of the harness's server of that name. If the
# test is run by hand, without a harness, it starts the server itself, on loopback.
nbd_address()
{
	local entry server="$TESTS/../qemu/nbd-server.sh"

	for entry in $(echo "${RWB_NBD:-}" | tr , ' '); do
		if [ "${entry%%:*}" = "$1" ]; then
			NBD_PORT=${entry##*:}
			NBD_HOST=${entry#*:}
			NBD_HOST=${NBD_HOST%:*}
			return 0
		fi
	done
	[ -x "$server" ] || return 1
	mkdir -p "$TMP/nbd"
	NBD_HOST=127.0.0.1
	NBD_PORT=$("$server" start "$1" "$TMP/nbd" 1G) || return 1
	undo "$server stop $TMP/nbd $1"
}

# need_nbd [NAME]
need_nbd()
{
	need_no_swap
	command -v nbd-client > /dev/null || skip_all "no nbd-client"
	[ -n "${RWB_NBD:-}" ] || command -v nbdkit > /dev/null ||
		skip_all "no NBD server: RWB_NBD is not set and there is no nbdkit"
	kmod nbd || skip_all "no nbd in this kernel"
}

nbd_connected()
{
	[ -e "/sys/block/${NBD_DEV##*/}/pid" ]
}

nbd_free()
{
	! nbd_connected
}

# nbd_attach NAME: connects $NBD_DEV, as a swap device is connected.
nbd_attach()
{
	nbd_address "$1" || bail "no NBD server named '$1'"
	loop_until 50 nbd_free
	nbd-client "$NBD_HOST" "$NBD_PORT" "$NBD_DEV" -swap > "$TMP/nbd-client" 2>&1 ||
		bail "nbd-client: $(tail -n 1 "$TMP/nbd-client")"
	loop_until 50 nbd_connected || bail "$NBD_DEV did not come up"
	undo nbd_detach
}

nbd_detach()
{
	nbd-client -d "$NBD_DEV" > /dev/null 2>&1
	loop_until 50 nbd_free
}

# nbd_swap_on NAME
nbd_swap_on()
{
	nbd_attach "$1"
	swap_on "$NBD_DEV"
}

# need_befall: there must be somebody who can do something to a server.
need_befall()
{
	[ "${RWB_VM:-}" = qemu ] || [ -z "${RWB_NBD:-}" ] ||
		skip_all "nobody here can interfere with a server (qemu/vm.sh can)"
}

# befall WHAT SERVER: asks the host to do that to the server soon (qemu/nbd-server.sh). If the test
# is run by hand, without a guest, it is done here.
befall()
{
	if [ "${RWB_VM:-}" = qemu ]; then
		say "host: $1 $2;"
	else
		"$TESTS/../qemu/nbd-server.sh" "$1" "$TMP/nbd" "$2" || bail "'$1 $2' failed"
	fi
}

# The swapon of util-linux knows priorities, that of busybox does not.
SWAPON=/sbin/swapon
need_swap_priority()
{
	$SWAPON --help 2>&1 | grep -q -- '--priority' || skip_all "no swapon -p"
}

# swap_on DEV [PRIORITY]
swap_on()
{
	mkswap "$1" > /dev/null 2>&1 || bail "mkswap $1 failed"
	if [ -n "${2:-}" ]; then
		$SWAPON -p "$2" "$1" || bail "swapon -p $2 $1 failed"
	else
		swapon "$1" || bail "swapon $1 failed"
	fi
	undo "swapoff $1"
}

# brd_swap_on MIB: a RAM disk is a synchronous block device.
brd_swap_on()
{
	kmod brd rd_nr=1 "rd_size=$(($1 * 1024))" || return 1
	undo "rmmod brd"
	swap_on /dev/ram0
}

# zram_swap_on MIB: zram is synchronous, and compresses.
zram_swap_on()
{
	kmod zram num_devices=1 || return 1
	undo "rmmod zram"
	echo "$1M" > /sys/block/zram0/disksize || return 1
	undo "echo 1 > /sys/block/zram0/reset"
	swap_on /dev/zram0
}

CONFIGFS=/sys/kernel/config

need_null()
{
	need_no_swap
	kmod null_blk nr_devices=0 || skip_all "no null_blk in this kernel"
	[ -d $CONFIGFS/nullb ] || mount -t configfs configfs $CONFIGFS || skip_all "no configfs"
}

# null_swap_on NAME MIB NS: null_blk with so much of the machine's memory, a queue for each CPU, and
# that time for each request. All of it is written first: what is paged out later takes no memory.
null_swap_on()
{
	local dir="$CONFIGFS/nullb/$1" setting

	mkdir "$dir" || bail "cannot make $1"
	undo "[ ! -d $dir ] || rmdir $dir"
	for setting in "size $2" "memory_backed 1" "submit_queues $(nproc)" "irqmode 2" \
			"completion_nsec $3" "power 1"; do
		echo "${setting#* }" > "$dir/${setting% *}" || bail "null_blk: $setting"
	done
	loop_until 50 test -b "/dev/$1" || bail "no /dev/$1"
	dd if=/dev/zero of="/dev/$1" bs=1M count="$2" 2> /dev/null || bail "cannot fill /dev/$1"
	sync
	echo 1 > /proc/sys/vm/drop_caches
	swap_on "/dev/$1"
}

zswap_on()
{
	set_file /sys/module/zswap/parameters/enabled Y
}

need_zswap()
{
	need_file /sys/module/zswap/parameters/enabled CONFIG_ZSWAP
}
