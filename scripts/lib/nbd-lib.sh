# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used by those who source it
# Swap over NBD on several sides, with a guest for each. test-nbd.sh and nbd-map.sh source this
# file, and say what SIDES, VARIANT, KDIR and RESUME are.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SIDES=${SIDES:-stock observer helper} VARIANT=${VARIANT:-base} RESUME=${RESUME:-0}
out=$OUT/nbd
declare -A kdirs=()

# prepare VARIANT: make its kernel and modules, and say what cannot be made.
prepare() {
	local as=$1
	[ -z "${kdirs[$1]:-}" ] || return 0
	if [ -z "${KDIR:-}" ]; then
		kdirs[$1]=$("$TOP/scripts/build/kernel.sh" --variant "$1")
		"$TOP/scripts/build/module.sh" --variant "$1" >/dev/null
		"$TOP/scripts/build/kmod.sh" --variant "$1"
		return
	fi
	# The modules of that kernel must not mix with those of ours.
	as=$1-own
	kdirs[$1]=$(realpath "$KDIR") || die "KDIR=$KDIR: there is no such folder"
	mkdir -p "$out"
	if ! "$TOP/scripts/build/module.sh" --variant "$as" >/dev/null 2>"$out/module.log"; then
		say "stock alone: the module does not build for $KDIR: $(grep -m1 '^error' "$out/module.log" || tail -n1 "$out/module.log")"
		rm -f "$OUT/module/$as"/reclaimwb*.ko
		SIDES=stock
	fi
	"$TOP/scripts/build/kmod.sh" --variant "$as" 2>"$out/kmod.log" ||
		say "no reserve hog: it does not build for $KDIR: $(grep -m1 '^error' "$out/kmod.log" || tail -n1 "$out/kmod.log")"
}

# prepare_all: make everything that a guest of VARIANT needs. Sets `release`.
prepare_all() {
	local side
	for side in $SIDES; do
		case $side in stock | observer | helper) ;; *) die "SIDES=$SIDES: it can be some of 'stock observer helper'" ;; esac
	done
	[ -n "${KDIR:-}" ] || "$TOP/scripts/lib/typed.sh" kernel "$VARIANT"
	"$TOP/scripts/build/deps.sh" vm test nbd
	# A kernel of the user's own comes with the tools that build a module.
	[ -n "${KDIR:-}" ] || "$TOP/scripts/build/deps.sh" kernel
	make --silent --no-print-directory -C "$TOP/tests" OUT="$OUT" >&2
	prepare "$VARIANT"
	mkdir -p "$out"
	release=$(cat "${kdirs[$VARIANT]}/include/config/kernel.release")
}

run() { # NAME VARIANT SIDE DIR [ARGUMENT OF vm.sh]...
	local script=nbd/$1.sh variant=$2 dir=$4 rc=0 server disk seconds
	local -a args=()
	for server in $(need "$script" nbd); do args+=(--nbd "$server"); done
	for disk in $(need "$script" disk); do args+=(--disk "$disk"); done
	seconds=$(need "$script" timeout)
	[ -z "${KDIR:-}" ] || variant+=-own
	[ -z "$(need "$script" nic)" ] || args+=(--nic "$(need "$script" nic)")
	case $variant in base*) args+=(--mem "$(need "$script" mem)") ;; esac
	rm -rf "$dir"
	mkdir -p "$dir"
	"$TOP/qemu/vm.sh" --quiet --variant "$variant" --kdir "${kdirs[$2]}" --out "$dir" --net \
		--timeout $((${seconds:-180} + 90)) "${args[@]}" --run "$script" \
		--append "rwb.side=$3 rwb.nosync=1" "${@:5}" 2>"$dir/err" || rc=$?
	[ $rc != 77 ] || die "no guest could be started: $(sed -n 's/^error: //p' "$dir/err" | tail -n1)"
	echo $rc >"$dir/rc"
}

of() { awk -v k="$2" '$1 == k { sub(/^[^ ]* */, ""); print }' "$1/results/cell" 2>/dev/null || true; }

# judge DIR: set outcome, verdict and why.
judge() {
	local reason='' known='' killed=''
	if [ -s "$1/ktap.log" ]; then
		known=$(sed -n 's/^# a hang is known: //p' "$1/ktap.log")
		killed=$(sed -n 's/^# init: \(.* was killed: not done.*\)/\1/p' "$1/ktap.log")
	fi
	outcome=$(of "$1" outcome) verdict=FAIL why=''
	[ ! -s "$1/reason" ] || reason=$(cat "$1/reason")
	# If the script's shell hangs as well, the whole guest may hang.
	[ -n "$reason$outcome" ] || reason=$killed
	if grep -qs '^1\.\.0 # SKIP' "$1/ktap.log"; then
		outcome=- verdict=skipped why=$(sed -n 's/^1\.\.0 # SKIP *//p' "$1/ktap.log")
	elif [ -n "$reason" ]; then
		why="$reason; see $1/console.log"
		case $reason in
		*panic*) outcome=panic ;;
		*) outcome=hang
			[ -z "$known" ] || verdict=known why="$known; $why" ;;
		esac
	elif [ -z "$outcome" ]; then
		outcome='no result' why=$(grep -m1 '^Bail out' "$1/ktap.log" || echo "see $1/ktap.log")
	elif grep -q '^not ok\|^Bail out' "$1/ktap.log"; then
		why="$(grep -m1 '^not ok\|^Bail out' "$1/ktap.log"); see $1/ktap.log"
	elif [ "$(cat "$1/rc")" != 0 ]; then
		why="exit code $(cat "$1/rc"); see $1/ktap.log"
	elif [[ $(of "$1" expected) == known* ]]; then
		verdict=known why=$(of "$1" expected) why=${why#known }
	else
		verdict=ok
	fi
}
