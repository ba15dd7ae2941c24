# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Memory cgroups.

CG=/sys/fs/cgroup

cg_mount()
{
	[ -e "$CG/cgroup.controllers" ] ||
		mount -t cgroup2 cgroup2 "$CG" 2> /dev/null
	[ -e "$CG/cgroup.controllers" ]
}

need_memcg()
{
	cg_mount || skip_all "no cgroup v2 at $CG"
	grep -qw memory "$CG/cgroup.controllers" ||
		skip_all "no memory controller in cgroup v2"
}

# cg_make NAME: makes a memory cgroup, which is removed when the test ends.
cg_make()
{
	echo +memory > "$CG/cgroup.subtree_control" || bail "no memory controller"
	mkdir "$CG/$1" || bail "cannot make cgroup $1"
	# The last page may be uncharged a moment after its task is gone.
	undo "[ ! -d $CG/$1 ] || loop_until 50 rmdir $CG/$1 2> /dev/null"
}

# --- v1. The memory controller is in one hierarchy at a time, and it moves only while no cgroup of the
# other one holds it. Stock 7.3 counts memory.kmem only while the controller is in v1. If a v2
# cgroup was charged for an object (a cred, for example) that is freed after the move, the counter
# underflows, and the kernel warns. So these scripts have a guest of their own ("# cgroup: v1").
CG1=/tmp/rwb-cgroup-v1

cg1_mount()
{
	! cg_mount || echo -memory > "$CG/cgroup.subtree_control" 2> /dev/null
	mkdir -p "$CG1"
	mount -t cgroup -o memory rwb "$CG1" 2> /dev/null
}

need_memcg1()
{
	cg1_mount || skip_all "no cgroup v1 memory controller, or v2 holds it"
}

cg1_umount()
{
	umount "$CG1" && rmdir "$CG1"
}

# cg1_make NAME
cg1_make()
{
	mkdir "$CG1/$1" || bail "cannot make cgroup $1"
	undo "loop_until 50 rmdir $CG1/$1 2> /dev/null"
}

# in_cg DIR CMD...: runs the command in that cgroup.
in_cg()
{
	local dir="$1"

	shift
	sh -c 'echo $$ > "$0/cgroup.procs" && exec "$@"' "$dir" "$@"
}

# cg_id NAME: prints the number that the module and the kernel's events have for it.
cg_id()
{
	stat -c %i "$CG/$1"
}
