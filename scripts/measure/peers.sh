#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peers.sh [PART...]: run other people's tests of memory management without the module, and with
# module and helper. Each part has a guest of its own on each side. Prints a table, which is kept in
# out/peers/table.txt: each program, what it said on each side, and whether that is the same. The
# exit code is 1 if a program failed in each try with the module and in none without it, or if a
# guest with the module did not end well.
#
# PART is some of
#   mm       the kernel's selftests of memory management (tools/testing/selftests/mm)
#   cgroup   those of memory cgroups and zswap (tools/testing/selftests/cgroup)
#   stress   stress-ng --vm --swap --iomix --brk, alone and together
#   ltp      LTP's oom, swapping and memory cgroups; only with LTP=dir, a tree of its source, as
#            no package of Debian's has it
#
#   RUNS=1          tries of each side; if the sides differ, a few more tell whether that is chance
#   ONLY=REGEX      programs whose name and arguments match
#   VARIANT=base    the kernel
#   SIDES='stock reclaimwb'
#
# The selftests are built from the source of the dev kernel, with this machine's compiler. What does
# not build here (a library is missing) is named and left out, on both sides.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"

RUNS=${RUNS:-1} ONLY=${ONLY:-} VARIANT=${VARIANT:-base} SIDES=${SIDES:-stock reclaimwb} LTP=${LTP:-}
out=$OUT/peers
tree=$out/root
notes=()

# The selftests that reclaim can matter to, with the arguments that run_vmtests.sh gives them. One that
# needs what this kernel lacks skips by itself.
MM=(cow droppable folio_split_race_test guard-regions khugepaged 'khugepaged -s 2' 'khugepaged all:shmem'
	ksm_functional_tests 'ksm_tests -M -p 10' 'ksm_tests -U' 'ksm_tests -Z -p 10 -z 0'
	madv_populate map_fixed_noreplace map_populate merge migration mkdirty mlock-random-test mlock2-tests
	mrelease_test mremap_test mremap_dontunmap on-fault-limit pagemap_ioctl pfnmap process_madv rmap soft-dirty
	split_huge_page_test 'transhuge-stress -d 20' uffd-unit-tests compaction_test memory-failure)
CGROUP=(test_memcontrol test_kmem test_zswap test_core test_hugetlb_memcg)
STRESS=('--vm 2 --vm-bytes 60% --verify' '--swap 2' '--iomix 2 --iomix-bytes 64M' '--brk 2 --brk-mlock'
	'--vm 2 --vm-bytes 40% --verify --swap 1 --iomix 1 --iomix-bytes 32M --brk 1')
LTPS=(oom01 oom02 oom03 oom04 oom05 'swapping01 -i 2' memcontrol01 memcontrol02 memcontrol03 memcontrol04 memcg_test_3)

note() { notes+=("$*"); say "$*"; }

# add FILE PATH: into the tree, with the libraries that it needs.
add() {
	local lib
	install -D -m 755 "$1" "$tree$2"
	ldd "$1" >/dev/null 2>&1 || return 0
	while read -r lib; do
		[ -e "$tree/lib/${lib##*/}" ] || install -D -m 755 "$(readlink -f "$lib")" "$tree/lib/${lib##*/}"
	done < <(ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }')
}

# base: the root that the programs run in, with busybox.
base() {
	local busybox applet
	rm -rf "$tree"
	mkdir -p "$tree"/{bin,sbin,lib,proc,sys,dev,tmp,etc,usr,peers}
	ln -s lib "$tree/lib64"
	ln -s ../bin "$tree/usr/bin"
	echo 'root:x:0:0:root:/:/bin/sh' >"$tree/etc/passwd"
	echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>"$tree/etc/passwd"
	echo 'root:x:0:' >"$tree/etc/group"
	busybox=$(find "$(deb_extract busybox-static)" -name busybox -type f -perm -100 -path '*bin/*' -print -quit)
	[ -n "$busybox" ] || die "the package busybox-static holds no busybox"
	install -m 755 "$busybox" "$tree/bin/busybox"
	for applet in $("$busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
	done
	add "$(command -v bash)" /bin/bash
	add "$(PATH=$PATH:/usr/sbin:/sbin command -v mkfs.ext4)" /sbin/mkfs.ext4
}

# headers: the kernel's headers for programs.
headers() {
	[ ! -e "$out/headers/done" ] || return 0
	say "the kernel's headers for its selftests"
	make -s -C "$src" O="$out/headers" headers >"$out/headers.log" 2>&1 ||
		die "no headers: $(show_errors "$out/headers.log" 2>&1)"
	touch "$out/headers/done"
}

# selftest DIR PROGRAM SOURCE...: build one, or say why it does not build.
selftest() {
	local dir=$1 name=$2 log=$out/build/$2.log
	local -a libs=(-lrt -lpthread -lm)
	shift 2
	case $name in mlock-random-test | memfd_secret) libs+=(-lcap) ;; ksm_tests | migration | rmap) libs+=(-lnuma) ;; esac
	if ! (cd "$src/tools/testing/selftests/$dir" && ${CC:-cc} -O2 -w -pthread -U_FORTIFY_SOURCE -no-pie -D_GNU_SOURCE= \
		-I "$src" -I .. -I . -I lib/include -I "$out/build" -isystem "$out/headers/usr/include" \
		-isystem "$src/tools/include/uapi" -o "$out/build/$name" "$@" "${libs[@]}") >"$log" 2>&1; then
		note "$dir/$name is left out: $(grep -m1 -E 'error:|cannot find' "$log" | sed 's/.*error: //' || echo "see $log")"
		return 1
	fi
	add "$out/build/$name" "/peers/$dir/$name"
}

build_mm() {
	local program
	local -A seen=()
	for program in "${MM[@]}"; do
		program=${program%% *}
		[ -z "${seen[$program]:-}" ] || continue
		seen[$program]=1
		case $program in
		uffd-*) selftest mm "$program" "$program.c" vm_util.c hugepage_settings.c uffd-common.c || true ;;
		*) selftest mm "$program" "$program.c" vm_util.c hugepage_settings.c || true ;;
		esac
	done
}

build_cgroup() {
	local program
	for program in "${CGROUP[@]}"; do selftest cgroup "$program" "$program.c" lib/cgroup_util.c || true; done
}

build_stress() {
	have stress-ng || { note "stress: left out: no stress-ng (apt-get install stress-ng)"; return 1; }
	add "$(command -v stress-ng)" /peers/stress/stress-ng
}

build_ltp() {
	local program dir=$out/ltp log=$out/ltp.log file
	[ -n "$LTP" ] || { note "ltp: left out: Debian has no package of it; LTP=dir names a tree of its source"; return 1; }
	[ -f "$LTP/runtest/mm" ] || die "LTP=$LTP is no source of LTP"
	have autoreconf || { note "ltp: left out: no autoconf"; return 1; }
	mkdir -p "$dir"
	rsync -a "$LTP/" "$dir/"
	say "building LTP's tests of memory"
	(
		cd "$dir"
		[ -x configure ] || make autotools
		[ -e include/mk/config.mk ] || ./configure
		for program in lib libs testcases/kernel/mem/oom testcases/kernel/mem/swapping \
			testcases/kernel/controllers/memcontrol testcases/kernel/controllers/memcg/functional \
			testcases/kernel/controllers/memcg/regression; do
			[ ! -d "$program" ] || make -s -j"$J" -C "$program" all || true
		done
	) >"$log" 2>&1 || { note "ltp: left out: it does not build; see $log"; return 1; }
	for program in "${LTPS[@]}"; do
		program=${program%% *}
		file=$(find "$dir/testcases/kernel" -name "$program" -type f -perm -100 -print -quit)
		if [ -n "$file" ]; then add "$file" "/peers/ltp/$program"; else note "ltp/$program is left out: see $log"; fi
	done
}

# lists: write down what the guest is to run: PART|PROGRAM ARGUMENTS, a line each.
lists() {
	local part list program
	: >"$tree/peers/list"
	for part; do
		case $part in
		mm) list=("${MM[@]}") ;;
		cgroup) list=("${CGROUP[@]}") ;;
		ltp) list=("${LTPS[@]}") ;;
		stress) list=("${STRESS[@]/#/stress-ng }") ;;
		esac
		for program in "${list[@]}"; do
			if [ -x "$tree/peers/$part/${program%% *}" ] && [[ $program =~ $ONLY ]]; then
				echo "$part|$program" >>"$tree/peers/list"
			fi
		done
	done
}

image() {
	rm -f "$out/root.img"
	truncate -s "$(($(du -sm "$tree" | cut -f1) * 5 / 4 + 64))M" "$out/root.img"
	PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q -F -d "$tree" "$out/root.img" || die "mkfs.ext4 cannot fill $out/root.img"
}

# guest PART SIDE NUMBER
guest() {
	local dir=$out/runs/$1-$2-$3 rc=0
	mkdir -p "$dir"
	"$TOP/qemu/vm.sh" --quiet --variant "$VARIANT" --out "$dir" --timeout 3600 --mem 768M --disk "$out/root.img" \
		--disk 1G --disk 2G --run peers/peers.sh --append "rwb.part=$1 rwb.side=$2 rwb.nosync=1 rwb.timeout=3500" \
		2>"$dir/err" || rc=$?
	[ $rc != 77 ] || die "no guest could be started: $(sed -n 's/^error: //p' "$dir/err" | tail -n1)"
	echo $rc >"$dir/rc"
	if [ $rc != 0 ]; then
		note "$1, $2, $3: $(cat "$dir/reason" 2>/dev/null || grep -m1 '^not ok\|^Bail' "$dir/ktap.log" || echo "exit code $rc")"
		# Without the module it is not our failure.
		[ "$2" = stock ] || failed=$((failed + 1))
	fi
}

# said PART SIDE: `PROGRAM<tab>WORDS` of all tries, from the guests' logs.
said() {
	sed -n 's/^# peer: //p' "$out/runs/$1-$2"-*/ktap.log 2>/dev/null |
		awk -F'|' -v part="$1" '$1 == part { printf "%s\t%s, %d ok, %d failed, %d skipped\n", $2, $3, $4, $5, $6 }'
}

# compare PART: one line for each program.
compare() {
	local program stock ours verdict each compared=0
	while IFS= read -r program; do
		stock=$(said "$1" stock | awk -F'\t' -v p="$program" '$1 == p { print $2 }' | sort -u)
		ours=$(said "$1" reclaimwb | awk -F'\t' -v p="$program" '$1 == p { print $2 }' | sort -u)
		verdict=differs
		if [ -z "$stock" ] || [ -z "$ours" ]; then
			verdict='not run'
			[ -n "$ours" ] || [ -z "$stock" ] || failed=$((failed + 1))
		else
			compared=$((compared + 1))
			while IFS= read -r each; do
				! grep -qxF -- "$each" <<<"$stock" || verdict=same
			done <<<"$ours"
			if [ $verdict = differs ] && fails "$ours" && ! fails "$stock"; then
				verdict=WORSE failed=$((failed + 1))
			fi
		fi
		[ "$verdict" != same ] || ours='"'
		printf '%-6s %-58s %-38s %-38s %s\n' "$1" "$program" "$(paste -sd/ <<<"$stock")" \
			"$(paste -sd/ <<<"$ours")" "$verdict"
	done < <({ said "$1" stock; said "$1" reclaimwb; } | cut -f1 | awk '!seen[$0]++')
	# A guest that was skipped, or ended before its first program, proves nothing.
	if [ $compared = 0 ] && [[ " $SIDES " = *' stock '* && " $SIDES " = *' reclaimwb '* ]]; then
		note "$1: no program ran on both sides"
		failed=$((failed + 1))
	fi
}

# fails SAID: did it fail in every try?
fails() { ! grep -qE '^(passed|skipped), [0-9]+ ok, 0 failed' <<<"$1"; }

main() {
	local part side n failed=0 kdir
	local -a parts=("$@") built=()
	[ ${#parts[@]} -gt 0 ] || parts=(mm cgroup stress ltp)
	for part in "${parts[@]}"; do
		case $part in mm | cgroup | stress | ltp) ;; *) die "no part '$part': there is mm cgroup stress ltp" ;; esac
	done
	[[ $RUNS =~ ^[1-9][0-9]*$ ]] || die "RUNS=$RUNS: a number of tries, 1 at least"
	"$TOP/scripts/lib/typed.sh" kernel "$VARIANT"
	"$TOP/scripts/build/deps.sh" kernel vm test bench peers
	kdir=$("$TOP/scripts/build/kernel.sh" --variant "$VARIANT")
	src=$(readlink -f "$kdir/source")
	"$TOP/scripts/build/module.sh" --variant "$VARIANT" --plain >/dev/null
	make --silent --no-print-directory -C "$TOP/tests" OUT="$OUT" >&2
	rm -rf "$out"/{build,runs}
	mkdir -p "$out"/{build,runs}
	: >"$out/build/local_config.h_gen"
	base
	case " ${parts[*]} " in *' mm '* | *' cgroup '*) headers ;; esac
	for part in "${parts[@]}"; do
		case $part in
		mm) build_mm ;;
		cgroup) build_cgroup ;;
		stress) build_stress ;;
		ltp) build_ltp ;;
		esac && built+=("$part")
	done
	[ ${#built[@]} -gt 0 ] || die "nothing to run: ${notes[*]}"
	lists "${built[@]}"
	image
	for ((n = 1; n <= RUNS; n++)); do
		for part in "${built[@]}"; do
			for side in $SIDES; do guest "$part" "$side" "$n"; done
		done
	done
	{
		printf '%-6s %-58s %-38s %-38s %s\n' part program 'without the module' 'with module and helper' ''
		for part in "${built[@]}"; do compare "$part"; done
		sed -n 's/^# helper: //p' "$out"/runs/*-reclaimwb-*/ktap.log
		[ ${#notes[@]} = 0 ] || printf '%s\n' "${notes[@]}"
		echo "$failed failed"
	} >"$out/table.txt"
	cat "$out/table.txt"
	grep -q '^0 failed$' "$out/table.txt"
}

main "$@"; exit
