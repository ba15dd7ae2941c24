# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Kernel modules: ours, and those that a scenario needs.

# shellcheck disable=SC2034
PARAMS=/sys/module/reclaimwb/parameters

# module_file NAME: prints the module's path. The harness puts modules into out/module/<variant> in
# a developer's tree, and into /lib/modules in our guest. Elsewhere the installed one is taken.
module_file()
{
	local f

	for f in "${RWB_MODULE_DIR:-/lib/modules}/$1.ko" \
			"$TESTS/../out/module/base/$1.ko"; do
		if [ -f "$f" ]; then
			echo "$f"
			return
		fi
	done
	f=$(modinfo -n "$1" 2> /dev/null) && [ -f "$f" ] && echo "$f"
}

need_mod()
{
	module_file "${1:-reclaimwb}" > /dev/null ||
		skip_all "no ${1:-reclaimwb}.ko: install it, run 'make module' or set RWB_MODULE_DIR"
}

# try_load MODULE [PARAM=VALUE...]: calls insmod, and keeps its message in $TMP/insmod.
try_load()
{
	local file

	file=$(module_file "$1") || return 1
	shift
	echo "reclaimwb-test: insmod $file $*" > /dev/kmsg
	insmod "$file" "$@" 2> "$TMP/insmod"
}

# load_mod [PARAM=VALUE...]: loads the module, without handoff unless the arguments ask for it: most
# scenarios are about what reclaim itself writes.
load_mod()
{
	try_load reclaimwb handoff=never "$@" || bail "insmod: $(cat "$TMP/insmod")"
}

mod_gone()
{
	[ ! -d "/sys/module/$1" ]
}

mod_unused()
{
	[ "$(cat "/sys/module/$1/refcnt")" = 0 ]
}

# unload_mod [MODULE]: waits a moment if somebody reads a file in debugfs, which holds a reference.
# shellcheck disable=SC2120 # most tests have one module
unload_mod()
{
	local mod="${1:-reclaimwb}"

	loop_until 50 mod_unused "$mod"
	echo "reclaimwb-test: rmmod $mod" > /dev/kmsg
	rmmod "$mod" && loop_until 50 mod_gone "$mod"
}

# param NAME[=VALUE]: prints the parameter's value.
param()
{
	cat "$PARAMS/${1%%=*}"
}

# set_to NAME=VALUE
set_to()
{
	# A shell's own echo may not say which error it was.
	env echo "${1#*=}" 2> "$TMP/write" > "$PARAMS/${1%%=*}"
}

# unchanged NAME=VALUE: is the value invalid, and does writing it change nothing?
unchanged()
{
	local old

	old=$(param "$1")
	! set_to "$1" && grep -q "Invalid argument" "$TMP/write" && [ "$(param "$1")" = "$old" ]
}

# check_loads NAME=VALUE...: checks that the module loads with each of these.
check_loads()
{
	local p

	for p; do
		try_load reclaimwb "$p"
		check_eq "insmod $p" "$(param "$p")" "${p#*=}"
		unload_mod
	done
}

# refuses_load NAME=VALUE: does loading fail because of that value?
refuses_load()
{
	! try_load reclaimwb "$1" && grep -Eq 'nvalid (argument|parameter)' "$TMP/insmod"
}

# check_refuses NAME=VALUE...: checks that the module does not load with any of these.
check_refuses()
{
	local p

	for p; do
		check "insmod $p is refused" refuses_load "$p"
		[ ! -d /sys/module/reclaimwb ] || unload_mod
	done
}

# check_writes_refused NAME=VALUE...: checks that none of these can be set in a module that is
# loaded.
check_writes_refused()
{
	local p

	for p; do
		check "writing $p is refused and changes nothing" unchanged "$p"
	done
}

# kmod NAME [PARAM=VALUE...]: loads a module of the kernel's own, unless it is loaded or built in.
kmod()
{
	local name="$1" dir

	shift
	[ ! -d "/sys/module/$name" ] || return 0
	dir=/lib/modules/$(uname -r)
	if [ -f "$dir/$name.ko" ] && ! grep -qs "^$name\.ko: ." "$dir/modules.dep"; then
		insmod "$dir/$name.ko" "$@"
	else
		modprobe "$name" "$@" 2> /dev/null
	fi
}
