#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm.sh: boot a dev kernel in QEMU, run test scripts in it, and bring back what they said.
#
#   vm.sh [--variant NAME] [--kdir DIR] [--mem SIZE] [--smp N] [--numa NODES]
#         [--nbd SERVER[:ARG,...]]... [--disk SIZE|FILE|nbd:SERVER[:ARG,...]]...
#         [--run SCRIPT]... [--out DIR] [--append ARGS] [--timeout SECONDS] [--icount[=ARGS]]
#         [--acpi on|off] [--net] [--nic virtio|8139] [--interactive] [--quiet] [--print | --accelerator | --timing]
#
# SCRIPT is a file below tests/, the file name of a scenario if no other scenario has it, a full
# path in the guest, or "shell", which is the default. --interactive only connects the terminal.
# SERVER is one of qemu/nbd-servers.conf.
#
# A disk is a new one of that SIZE, or a FILE (with a slash in its name) that stays. A guest with
# such disks also gets the filesystems and their tools. Or a disk is an NBD server that QEMU connects
# to. If it is named twice, the guest has two ways to the same disk.
#
# --net adds what tests of swap over a network need: tc, and a swapon with priorities. --nic 8139 is
# a network card whose driver receives into pages of the reserves if there are no others.
#
# If a script says `# host: WHAT SERVER;`, that is done to the server (kill, again, bounce, freeze,
# thaw, nap, fail, heal: see nbd-server.sh).
#
# SECONDS limits the whole run. A kernel with checkers gets 4 times as long. --print shows the QEMU
# command and does not run it. --accelerator says what runs the guest: KVM if KVM really runs one,
# else TCG, unless RWB_ACCEL=kvm|tcg[,OPTIONS] decides. --timing says what a kernel must then be told
# about its clock. RWB_ARM64_CPU is the CPU of arm64 guests, as -cpu takes it.
#
# The KTAP goes to stdout while it comes in. Then DIR has console.log, ktap.log, qemu.pid, verdict,
# results/ (what the scripts left in $RWB_RESULTS) and nbd/ (the servers' counts). Exit code: 0 if
# all scripts passed, 1 if one failed, 2 if there is no verdict (because of a panic, a hang or
# silence; it says which, and shows the end of the console), 77 if it could not be tried.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/lib.sh"
# shellcheck source=../scripts/lib/kdir.sh
. "$TOP/scripts/lib/kdir.sh"
# shellcheck source=../scripts/lib/typed.sh
. "$TOP/scripts/lib/typed.sh"

RC_FAILED=1 RC_NO_VERDICT=2 RC_CANNOT=77
die() { echo "error: $*" >&2; exit $RC_CANNOT; }
usage() { sed -n '3,/^[^#]/{ /^#/s/^# \{0,1\}//p }' "$0" >&2; exit $RC_CANNOT; }

variant=base kdir=${KDIR:-} mem='' smp=2 numa=1 acpi='' out='' append='' timeout=''
icount='' interactive=no quiet=no print=no accelerator=no timing=no net=no nic=virtio
nbd=() disks=() fs=() scripts=()
while [ $# -gt 0 ]; do
	case $1 in
	--interactive | --quiet | --net | --print | --accelerator | --timing) declare "${1#--}=yes"; shift; continue ;;
	--icount) icount=shift=auto; shift; continue ;;
	--icount=*) icount=${1#*=}; shift; continue ;;
	--help | -h) usage ;;
	esac
	[ $# -ge 2 ] || usage
	case $1 in
	--variant | --kdir | --mem | --smp | --numa | --acpi | --nic | --out | --timeout) declare "${1#--}=$2" ;;
	--append) append+=" $2" ;;
	--nbd) nbd+=("$2") ;;
	--disk) disks+=("$2") ;;
	--run) scripts+=("$2") ;;
	*) die "vm.sh: unknown option '$1'; vm.sh --help lists them" ;;
	esac
	shift 2
done
[ ${#scripts[@]} -gt 0 ] || scripts=(shell)
for i in "${!scripts[@]}"; do
	for prefix in "$TOP/tests/" /tests/ tests/; do scripts[i]=${scripts[i]#"$prefix"}; done
	case ${scripts[i]} in
	shell) interactive=yes ;;
	/*) ;;
	*) scripts[i]=$(find_test "${scripts[i]}") || exit $RC_CANNOT ;;
	esac
done

# A kernel with checkers needs more memory and time, and no ACPI: under TCG the interpreter of ACPI
# times out and leaves PCI devices without interrupts. Other kernels use ACPI if they have it.
slow=1
if [ -n "$kdir" ]; then arch=$(kdir_arch "$kdir"); else arch=$(variant_arch "$variant"); fi
boot_id=$(cat /proc/sys/kernel/random/boot_id)
case $variant in
base | base[-+]* | debian | debian-* | arm64) mem=${mem:-512M} ;;
*) mem=${mem:-1G} slow=4 acpi=${acpi:-off} ;;
esac
out=${out:-$OUT/vm/$variant}
timeout=$((${timeout:-300} * slow))
silence=${RWB_SILENCE:-$((120 * slow))}

# --- KVM: /dev/kvm may open and yet not run a guest. So let it boot this kernel until the kernel complains that it
# has no root. The answer is good until the machine reboots.
kvm_runs() {
	local bzimage=$1 answer dir
	answer=$RWB_CACHE/kvm-$boot_id
	if [ ! -s "$answer" ]; then
		[ -w /dev/kvm ] || return 1
		dir=$(mktemp -d)
		timeout --kill-after=1 10 qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none \
			-M q35,accel=kvm -cpu host -m 256M -kernel "$bzimage" -append 'console=ttyS0 panic=-1' \
			-serial "file:$dir/console" >/dev/null 2>&1 || true
		mkdir -p "$RWB_CACHE"
		if grep -qa 'Kernel panic.*VFS' "$dir/console" 2>/dev/null; then
			echo yes >"$answer"
		else
			echo no >"$answer"
			say "/dev/kvm is here but runs no guest: going on without it"
		fi
		rm -rf "$dir"
	fi
	[ "$(cat "$answer")" = yes ]
}

accelerator() {
	case ${RWB_ACCEL:-} in
	tcg | tcg,* | kvm) echo "$RWB_ACCEL" ;;
	# A guest of another architecture is always emulated.
	'') if [ "$arch" = x86_64 ] && kvm_runs "$1"; then echo kvm; else tcg; fi ;;
	*) die "RWB_ACCEL=$RWB_ACCEL: it can be tcg (with options, as -accel takes them) or kvm" ;;
	esac
}

# Before QEMU 8.1, an emulated CPU could translate code that another CPU was just patching, and keep
# the old instruction: when a static key or tracepoint is switched, the kernel dies with "Oops:
# int3". If one thread runs all CPUs, there is no such race.
tcg() {
	local version
	version=$("$(qemu_program)" --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')
	if version_ge "$version" 8.1; then echo tcg; else echo tcg,thread=single; fi
}

has_acpi() {
	if grep -qs '^CONFIG_ACPI=y' "$kdir/.config"; then echo on; else echo off; fi
}

# of_arch X86_64 ARM64: print what the guest's architecture needs.
of_arch() { if [ "$arch" = arm64 ]; then echo "$2"; else echo "$1"; fi; }
qemu_program() { of_arch qemu-system-x86_64 qemu-system-aarch64; }

# --- the QEMU command comes from here, and from nowhere else

megabytes() {
	local n=${1%[MG]}
	case $1 in
	*[!0-9]*[MG] | [MG]) die "$1 is no size like 512M or 2G" ;;
	*M) echo "$n" ;;
	*G) echo $((n * 1024)) ;;
	*) die "$1 is no size like 512M or 2G" ;;
	esac
}

# On a busy host an emulated CPU fails the boot's timing check ("IO-APIC + timer doesn't work"), and
# measures the TSC and its delay loop wrong by any factor. So leave out the check and give the
# frequency. (With -icount the TSC is virtual, and right.)
timing_arguments() {
	local khz=$RWB_CACHE/tsc-khz-$boot_id
	[ "$arch" = x86_64 ] || return 0
	echo "no_timer_check tsc=reliable"
	[ -z "$icount" ] || return 0
	if [ ! -s "$khz" ]; then
		mkdir -p "$RWB_CACHE"
		${CC:-cc} -O2 -o "$khz.$$" "$TOP/qemu/tsc-khz.c" || die "qemu/tsc-khz.c does not compile"
		"$khz.$$" >"$khz"
		rm -f "$khz.$$"
	fi
	echo "tsc_early_khz=$(cat "$khz") lpj=$(($(cat "$khz") * 1000 / 250))"
}

kernel_command_line() {
	# ramfs: a tmpfs root would be swapped out, and be counted among the tests' pages. no5lvl:
	# identify_cpu() clears the CPU's capabilities before it reads them again. If a tick comes
	# in between on a machine with five levels of page tables, KASAN computes its bounds for
	# four levels (cpu_feature_enabled() is not static yet), and reports a false access.
	local line="console=ttyS0 loglevel=5 rootfstype=ramfs no5lvl panic=-1 oops=panic panic_on_warn=1"
	if [ "$arch" = arm64 ]; then
		line="console=ttyAMA0 loglevel=5 rootfstype=ramfs panic=-1 oops=panic panic_on_warn=1"
	else
		[ "$1" = kvm ] || line+=" $(timing_arguments | xargs)"
		[ "$acpi" = on ] || line+=" acpi=off"
		if [ "$numa" -gt 1 ] && [ "$acpi" = off ]; then line+=" numa=fake=$numa"; fi
	fi
	line+="$append rwb.variant=$variant rwb.slow=$slow rwb.run=$(IFS=,; echo "${scripts[*]}")"
	[ ${#nbd_addresses[@]} -eq 0 ] || line+=" rwb.nbd=$(IFS=,; echo "${nbd_addresses[*]}")"
	[ ${#line} -lt 2048 ] || die "the kernel command line is longer than the kernel takes (2047): $line"
	echo "$line"
}

qemu_argv() {
	local accel=$1 i name size card
	case $nic in
	virtio) card=virtio-net-pci ;;
	8139) card=rtl8139 ;;
	*) die "vm.sh: --nic $nic: it can be virtio or 8139" ;;
	esac
	size=$(megabytes "$mem")
	argv=("$(qemu_program)" -nodefaults -no-user-config -no-reboot -display none -pidfile "$out/qemu.pid")
	argv+=(-M "$(of_arch q35 virt,gic-version=3)" -accel "$accel" -m "${size}M" -smp "$(cpu_topology)")
	if [ "$arch" = arm64 ]; then
		# This one has atomic instructions, and QEMU knows it since 7.1. The CPU "max" also
		# signs return addresses, which is slow to emulate.
		argv+=(-cpu "${RWB_ARM64_CPU:-cortex-a76}")
	elif [ "$accel" = kvm ]; then
		argv+=(-cpu host)
	else
		# SMAP changes what translated code may do at each entry into the kernel, which
		# costs a seventh of the time.
		argv+=(-cpu 'max,-smap')
	fi
	[ -z "$icount" ] || argv+=(-icount "$icount")
	argv+=(-kernel "$(kdir_image "$kdir")" -initrd "$initramfs")
	argv+=(-append "$(kernel_command_line "$accel")")
	if [ "$numa" -gt 1 ] && { [ "$acpi" = on ] || [ "$arch" = arm64 ]; }; then
		for ((i = 0; i < numa; i++)); do
			argv+=(-object "memory-backend-ram,id=node$i,size=$((size / numa))M")
			argv+=(-numa "node,nodeid=$i,memdev=node$i$(node_cpus "$i")")
		done
	fi
	if [ "$interactive" = yes ]; then
		argv+=(-chardev "stdio,id=console,mux=on,signal=off,logfile=$out/console.log")
	else
		argv+=(-chardev "file,id=console,path=$out/console.log")
	fi
	argv+=(-serial chardev:console)
	argv+=(-device virtio-serial-pci)
	for name in ktap.log:ktap progress.log:progress results.tar:results verdict:verdict; do
		argv+=(-chardev "file,id=${name#*:},path=$out/${name%:*}")
		argv+=(-device "virtserialport,chardev=${name#*:},name=reclaimwb.${name#*:}")
	done
	argv+=(-netdev 'user,id=net' -device "$card,netdev=net,romfile=")
	argv+=(-device virtio-rng-pci)
	for i in "${!drives[@]}"; do
		argv+=(-drive "${drives[i]},if=none,id=disk$i,format=raw,discard=unmap")
		argv+=(-device "virtio-blk-pci,drive=disk$i,serial=disk$i")
	done
}

# The CPUs are cores of one socket. They are sockets if nodes part them, or if the kernel must find
# them in the old MP table, which lists one CPU for a socket.
cpu_topology() {
	if [ "$numa" -gt 1 ] || [ "$acpi" = off ]; then
		echo "$smp,sockets=$smp"
	else
		echo "$smp,cores=$smp"
	fi
}

# node_cpus NODE: the CPUs are spread over the nodes in turn.
node_cpus() {
	local cpu
	for ((cpu = $1; cpu < smp; cpu += numa)); do
		printf ',cpus=%d' "$cpu"
	done
}

# --- run

qemu=''
# shellcheck disable=SC2317 # the EXIT trap calls it
cleanup() {
	[ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
	[ -z "$qemu" ] || wait "$qemu" 2>/dev/null || true
	[ "$print" = yes ] || "$TOP/qemu/nbd-server.sh" stop "$out/nbd"
	rm -f "$out"/disk*.img "$out"/nbd/*.img
}

start_nbd_server() { # prints its port
	if [ "$print" = yes ]; then
		echo PORT
	else
		RWB_NBD_OWNER=$$ "$TOP/qemu/nbd-server.sh" start "$1" "$out/nbd" || exit $RC_CANNOT
	fi
}

start_nbd_servers() {
	local server port
	for server in "${nbd[@]}"; do
		port=$(start_nbd_server "$server") || exit $RC_CANNOT
		nbd_addresses+=("${server%%:*}:10.0.2.2:$port")
	done
}

make_disks() {
	local i disk name
	local -A ports=()
	for i in "${!disks[@]}"; do
		disk=${disks[i]}
		case $disk in
		nbd:*)
			disk=${disk#nbd:}
			name=${disk%%:*}
			if [ -z "${ports[$name]:-}" ]; then
				ports[$name]=$(start_nbd_server "$disk") || exit $RC_CANNOT
			fi
			# The guest is responsible for writeback: the host keeps nothing back.
			drives+=("file=nbd://127.0.0.1:${ports[$name]},cache=none")
			continue ;;
		*/*)
			[ -f "$disk" ] || die "there is no disk $disk"
			disk=$(realpath "$disk") ;;
		*)
			[ "$print" = yes ] || truncate -s "$disk" "$out/disk$i.img" ||
				die "cannot make a disk of size $disk"
			disk=$out/disk$i.img ;;
		esac
		drives+=("file=$disk,cache=unsafe")
	done
}

# heed_guest: do to the servers what the scripts ask for, each time once.
heed_guest() {
	local -a wishes
	local what name
	mapfile -t wishes < <(sed -n 's/^# host: \([a-z]* [a-z-]*\);$/\1/p' "$out/ktap.log" 2>/dev/null)
	while [ "$heeded" -lt ${#wishes[@]} ]; do
		read -r what name <<<"${wishes[heeded]}"
		heeded=$((heeded + 1))
		"$TOP/qemu/nbd-server.sh" "$what" "$out/nbd" "$name" {lock}>&- || say "'$what $name' failed"
	done
}

# watch_guest: pass on what the guest says until QEMU has ended. End QEMU when the guest says
# nothing more.
watch_guest() {
	local last='' now quiet_since=$SECONDS shown=0 heeded=0 size
	while kill -0 "$qemu" 2>/dev/null; do
		now=$(stat -c %s "$out"/{console,ktap,progress}.log 2>/dev/null | tr '\n' ' ') || true
		if [ "$now" != "$last" ]; then
			last=$now quiet_since=$SECONDS
			heed_guest
			size=$(stat -c %s "$out/ktap.log" 2>/dev/null || echo 0)
			[ "$quiet" = yes ] || [ "$size" -le "$shown" ] || tail -c +$((shown + 1)) "$out/ktap.log" | head -c $((size - shown))
			shown=$size
		elif [ $((SECONDS - quiet_since)) -gt "$silence" ]; then
			reason="the guest said nothing for $silence s"
			kill "$qemu" 2>/dev/null || true
			break
		fi
		sleep 0.1
	done
	qemu_rc=0
	wait "$qemu" || qemu_rc=$?
	qemu=''
	[ "$quiet" = yes ] || tail -c +$((shown + 1)) "$out/ktap.log" 2>/dev/null || true
}

# no_verdict: say why there is none. The first of these that knows a reason gives it.
no_verdict() {
	local panic
	panic=$(tr -d '\r' <"$out/console.log" 2>/dev/null | grep -am1 -o 'Kernel panic.*') || true
	if [ -n "$reason" ]; then :
	elif [ -n "$panic" ]; then reason=$panic
	elif [ "$qemu_rc" = 124 ] || [ "$qemu_rc" = 137 ]; then reason="not done after $timeout s"
	elif [ -s "$out/verdict" ]; then reason="PID 1 gave up: $(cat "$out/verdict")"
	elif [ "$qemu_rc" != 0 ]; then reason="QEMU ended with $qemu_rc: $(tail -n1 "$out/qemu.log")"
	else reason="the guest reset without a word"
	fi
	{
		echo "--- last lines of $out/console.log"
		tr -d '\r' <"$out/console.log" 2>/dev/null | tail -n 40
		echo "---"
	} >&2
	echo "$reason" >"$out/reason"
	echo "error: no verdict from the guest: $reason" >&2
	exit $RC_NO_VERDICT
}

# in_guest: say what someone with a shell in the guest wants to know.
in_guest() {
	local address name host port
	say "in the guest: insmod /lib/modules/reclaimwb.ko; reclaimwb status; sh /tests/module/load.sh; memhog, swapmix, filehog"
	for address in "${nbd_addresses[@]}"; do
		IFS=: read -r name host port <<<"$address"
		say "swap over NBD ($name): modprobe nbd; nbd-client $host $port /dev/nbd0 -swap; mkswap /dev/nbd0; swapon /dev/nbd0"
	done
	say "Ctrl-A X ends the guest"
}

main() {
	have "$(qemu_program)" || die "$(qemu_program) is missing: apt-get install $(of_arch 'qemu-system-x86 (or scripts/build/deps.sh vm)' 'qemu-system-arm (or scripts/build/deps.sh vm arm64)')"
	if [ -z "$kdir" ] && is_debian "$variant" || { [ -n "$kdir" ] && debian_headers "$kdir"; }; then
		debian_version "$variant"
		kdir=$("$TOP/scripts/build/debian.sh" image ${kdir:+"$kdir"}) || exit $RC_CANNOT
	fi
	[ -n "$kdir" ] || kdir=$("$TOP/scripts/build/kernel.sh" --variant "$variant") || exit $RC_CANNOT
	image=$(kdir_image "$kdir")
	[ -f "$image" ] || die "no kernel image in $kdir (${image#"$kdir"/}): make kernel VARIANT=$variant"
	[ -n "$acpi" ] || acpi=$(has_acpi)
	accel=$(accelerator "$image") || exit $RC_CANNOT
	if [ "$accelerator" = yes ] || [ "$timing" = yes ]; then
		[ "$accelerator" = no ] || echo "$accel"
		[ "$timing" = no ] || [ "$accel" = kvm ] || timing_arguments | xargs
		exit 0
	fi
	for disk in "${disks[@]}"; do
		case $disk in nbd:*) ;; *) fs=(--fs) ;; esac
	done
	[ "$net" = no ] || fs+=(--net)
	initramfs=$("$TOP/qemu/mkinitramfs.sh" --kdir "$kdir" --variant "$variant" "${fs[@]}") || exit $RC_CANNOT

	mkdir -p "$out"
	out=$(cd "$out" && pwd)
	nbd_addresses=() drives=() reason='' qemu_rc=0
	exec {lock}>"$out/lock"
	flock -n "$lock" || die "another vm.sh runs in $out: give one of them --out DIR"
	[ "$print" = yes ] || rm -rf "$out"/{console.log,ktap.log,progress.log,results.tar,verdict,reason,qemu.log,qemu.pid,results,nbd}
	trap cleanup EXIT
	trap 'exit $RC_NO_VERDICT' INT TERM HUP
	start_nbd_servers
	make_disks
	qemu_argv "$accel"

	if [ "$print" = yes ]; then
		printf '%q ' "${argv[@]}"
		echo
		exit 0
	fi
	printf '%q ' "${argv[@]}" >"$out/command"

	if [ "$interactive" = yes ]; then
		in_guest
		"${argv[@]}" {lock}>&- || qemu_rc=$?
	else
		setpriv --pdeathsig TERM timeout --kill-after=5 "$timeout" "${argv[@]}" </dev/null >"$out/qemu.log" 2>&1 {lock}>&- &
		qemu=$!
		watch_guest
	fi

	mkdir -p "$out/results"
	[ ! -s "$out/results.tar" ] || tar -xf "$out/results.tar" -C "$out/results" || say "the results did not arrive whole"
	rm -f "$out/results.tar"
	! grep -qa 'Kernel panic' "$out/console.log" || no_verdict
	case $(cat "$out/verdict" 2>/dev/null) in
	'done 0') exit 0 ;;
	'done '*) exit $RC_FAILED ;;
	esac
	[ "$interactive" = no ] || exit 0
	no_verdict
}

# The script is read to its end before this runs, so that it may be edited meanwhile.
main
