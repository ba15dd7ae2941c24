# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Disks, and the filesystems on them.
#
#	need_disk NAME...	skips the test if there is no such disk
#	disk_attach NAME	sets DISK to its block device
#	fs_make TYPE DEV	makes a filesystem, which fs_mount mounts at $MNT
#	fs_cold DEV		unmounts, drops all caches, mounts: reads come from the disk
#
# NAME is disk0, disk1, ...: a virtio disk of the guest ("# disk: 1G 1G"). By hand it is one of
# those that RWB_DISKS lists (they are overwritten), or else NBD. Any other NAME is an NBD server.

MNT=
export DM_DISABLE_UDEV=1

# virtio_disk SERIAL
virtio_disk()
{
	local dir

	for dir in /sys/block/vd*; do
		if [ "$(cat "$dir/serial" 2> /dev/null)" = "$1" ]; then
			echo "/dev/${dir##*/}"
			return
		fi
	done
	return 1
}

# listed_disk diskN: prints the Nth word of RWB_DISKS.
listed_disk()
{
	case $1 in
	disk[0-9]) echo "${RWB_DISKS:-}" | cut -s -d ' ' -f $((${1#disk} + 1)) | grep . ;;
	*) return 1 ;;
	esac
}

need_disk()
{
	local name

	for name; do
		virtio_disk "$name" > /dev/null || listed_disk "$name" > /dev/null ||
			need_nbd_disk
	done
}

need_nbd_disk()
{
	command -v nbd-client > /dev/null || skip_all "no disk, and no nbd-client"
	[ -n "${RWB_NBD:-}" ] || command -v nbdkit > /dev/null ||
		skip_all "no disk: neither RWB_DISKS nor RWB_NBD is set, no nbdkit"
	kmod nbd || skip_all "no disk, and no nbd in this kernel"
}

# disk_attach NAME: sets DISK.
disk_attach()
{
	DISK=$(virtio_disk "$1" || listed_disk "$1") || nbd_disk_attach "$1"
}

# nbd_disk_attach NAME: takes the first free device but nbd0, which is for swap.
nbd_disk_attach()
{
	local n=1

	while [ -e "/sys/block/nbd$n/pid" ]; do n=$((n + 1)); done
	DISK=/dev/nbd$n
	[ -b "$DISK" ] || bail "no free NBD device for disk $1"
	case $1 in
	disk*) nbd_address fast ;;
	*) nbd_address "$1" ;;
	esac || bail "no NBD server '$1'"
	nbd-client "$NBD_HOST" "$NBD_PORT" "$DISK" > "$TMP/nbd-client" 2>&1 ||
		bail "nbd-client: $(tail -n 1 "$TMP/nbd-client")"
	loop_until 50 disk_is_there "$DISK" || bail "$DISK did not come up"
	undo "nbd-client -d $DISK > /dev/null 2>&1"
}

disk_is_there()
{
	[ "$(cat "/sys/block/${1##*/}/size")" != 0 ]
}

# bdi_of DEV: prints MAJOR:MINOR, the name of its backing device and of its rows in the ledgers.
bdi_of()
{
	printf '%d:%d\n' "0x$(stat -L -c %t "$1")" "0x$(stat -L -c %T "$1")"
}

# written_sectors DEV: prints how many sectors have reached the device.
written_sectors()
{
	awk '{ print $7 }' "/sys/dev/block/$(bdi_of "$1")/stat"
}

# is_silent DEV TENTHS: is nothing written to the device for that long?
is_silent()
{
	local at

	at=$(written_sectors "$1")
	is_number "$at" && ! loop_until "$2" wrote_since "$1" "$at"
}

wrote_since()
{
	[ "$(written_sectors "$1")" != "$2" ]
}

# --- filesystems

# fs_missing TYPE: prints why the filesystem cannot be used here, and fails if it can be.
fs_missing()
{
	if ! command -v "mkfs.$1" > /dev/null; then
		echo "no mkfs.$1"
	elif ! grep -qw "$1" /proc/filesystems && ! modprobe "$1" 2> /dev/null; then
		echo "no $1 in this kernel"
	else
		return 1
	fi
}

# need_fs TYPE
need_fs()
{
	local why

	! why=$(fs_missing "$1") || skip_all "$why"
}

# for_fs CHECKS FUNCTION TYPE...: calls FUNCTION TYPE, which makes that many checks. They are
# skipped if this machine does not have the type.
for_fs()
{
	local checks="$1" function="$2" type why

	shift 2
	for type; do
		if why=$(fs_missing "$type"); then
			skip_checks "$checks" "$type: $why"
		else
			"$function" "$type"
		fi
	done
}

# fs_make TYPE DEV: uses blocks of FS_BLOCK bytes (4096) for ext4 and xfs.
FS_BLOCK=4096
fs_make()
{
	FS_TYPE=$1
	MNT=$TMP/mnt-${2##*/}
	mkdir -p "$MNT"
	case $1 in
	# Lazy tables would be written later, at any time. Nothing is reserved for root.
	ext4)	set -- "$2" mkfs.ext4 -F -q -m 0 -b "$FS_BLOCK" \
			-E lazy_itable_init=0,lazy_journal_init=0 ;;
	xfs)	set -- "$2" mkfs.xfs -f -q -b "size=$FS_BLOCK" ;;
	*)	set -- "$2" "mkfs.$1" -f -q ;;
	esac
	local dev="$1"

	shift
	"$@" "$dev" > "$TMP/mkfs" 2>&1 || bail "$1 $dev: $(tail -n 1 "$TMP/mkfs")"
}

# fs_mount DEV [OPTIONS]
fs_mount()
{
	MNT=$TMP/mnt-${1##*/}
	mount -t "$FS_TYPE" ${2:+-o "$2"} "$1" "$MNT" 2> "$TMP/mount" ||
		bail "mount $1: $(tail -n 1 "$TMP/mount")"
	undo "fs_umount $1"
}

# fs_umount DEV: a task that has just ended may still hold the mount for a moment.
fs_umount()
{
	! is_mounted "$1" || loop_until 100 umount "$TMP/mnt-${1##*/}" 2> /dev/null
}

is_mounted()
{
	grep -q "^$1 " /proc/mounts
}

# superblock_of TYPE DEV: prints the folder in sysfs that is there as long as the superblock.
superblock_of()
{
	echo "/sys/fs/$1/$(basename "$(readlink -f "/sys/dev/block/$(bdi_of "$2")")")"
}

# fs_cold DEV [OPTIONS]: whatever is read afterwards comes from the disk.
fs_cold()
{
	fs_umount "$1" || bail "$1 cannot be unmounted"
	echo 3 > /proc/sys/vm/drop_caches
	fs_mount "$@"
}

# empty_files DIR COUNT: makes that many files, and writes them to the disk.
empty_files()
{
	local i=0

	mkdir -p "$1"
	while [ $i -lt "$2" ]; do
		: > "$1/f$i" || return 1
		i=$((i + 1))
	done
	sync
}

# fs_new TYPE DEV [OPTIONS]: makes a filesystem and mounts it.
fs_new()
{
	fs_umount "$2"
	fs_make "$1" "$2"
	fs_mount "$2" "${3:-}"
}

# fs_complaints: prints "clean", or what filesystems have complained of since the start of the test.
fs_complaints()
{
	console_since | grep -E 'EXT4-fs (error|warning)|JBD2: |XFS .*(orrupt|rror)|BTRFS (error|critical)|Buffer I/O error|lost async page write' ||
		echo clean
}

# --- device mapper: a disk that can be stopped, slowed down, or made to fail

need_dm()
{
	command -v dmsetup > /dev/null || skip_all "no dmsetup"
	# On a distribution's kernel it is a module, too.
	[ -e /dev/mapper/control ] || modprobe dm-mod 2> /dev/null
	[ -e /dev/mapper/control ] || skip_all "no device mapper in this kernel"
	[ -z "${1:-}" ] || dmsetup targets | grep -q "^$1 " || modprobe "dm-$1" 2> /dev/null ||
		skip_all "no dm-$1 in this kernel"
}

# dm_make NAME DEV: sets DISK to a device over all of DEV. dm_table NAME DEV gives it another
# target: linear; error; "delay MS", which delays writes; "slow MS", which delays reads as well; or
# flakey, which fails writes.
dm_make()
{
	dm_spec "$2" linear | dmsetup create "$1" || bail "dmsetup create $1"
	undo "dm_remove $1"
	DISK=/dev/mapper/$1
}

dm_spec()
{
	local size

	size=$(cat "/sys/class/block/${1##*/}/size")
	case $2 in
	linear)	echo "0 $size linear $1 0" ;;
	error)	echo "0 $size error" ;;
	flakey)	echo "0 $size flakey $1 0 0 86400 1 error_writes" ;;
	delay)	echo "0 $size delay $1 0 0 $1 0 $3" ;;
	slow)	echo "0 $size delay $1 0 $3" ;;
	esac
}

# dm_table NAME DEV TARGET [ARGUMENT]: requests under way are let through first. One call to the
# kernel suspends, changes and resumes the device: a page of this shell may be on it.
dm_table()
{
	local name="$1"

	shift
	dm_spec "$@" | dmsetup load "$name" || bail "dmsetup load $name $2"
	dmsetup resume --nolockfs "$name"
}

# disk_slow DISK NAME MS: sets DEV to a device over that disk that takes MS for a write.
disk_slow()
{
	local under

	disk_attach "$1"
	under=$DISK
	dm_make "$2" "$under"
	# shellcheck disable=SC2034 # for the scenarios
	DEV=$DISK
	dm_table "$2" "$under" delay "$3" || bail "no slow disk"
}

# dm_stop NAME: makes the device stand still. Requests wait until dm_go.
dm_stop()
{
	dmsetup suspend --nolockfs --noflush "$1"
}

dm_go()
{
	dmsetup resume "$1"
}

dm_remove()
{
	dmsetup resume "$1" 2> /dev/null
	loop_until 50 dmsetup remove "$1" 2> /dev/null
}
