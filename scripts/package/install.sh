#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# install.sh: `make install`: the tool, its manual and completions, the systemd unit of the
# recorder (which is not started), an example for modprobe.d, and the module.
# install.sh --uninstall: remove them.
#
# PREFIX=/usr/local  DESTDIR=  SYSCONFDIR=/etc
# UNITDIR=PREFIX/lib/systemd/system  ZSHDIR=PREFIX/share/zsh/site-functions
# KDIR=dir           the kernel that gets the module, in updates/; the running one, if it is
#                    fit for a Rust module, else none. depmod runs where DESTDIR is empty
# MODULE=no          no module in any case
#
# What is built already is not built again under sudo, where there may be no compiler.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
# shellcheck source=../lib/kdir.sh
. "$TOP/scripts/lib/kdir.sh"

PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
SYSCONFDIR=${SYSCONFDIR:-/etc}
UNITDIR=${UNITDIR:-$PREFIX/lib/systemd/system}
ZSHDIR=${ZSHDIR:-$PREFIX/share/zsh/site-functions}
MODULE=${MODULE:-auto}
case $MODULE in auto | no) ;; *) die "MODULE=$MODULE: it can be no, or not given" ;; esac
for dir in PREFIX SYSCONFDIR UNITDIR ZSHDIR; do
	case ${!dir} in /*) ;; *) die "$dir=${!dir}: give an absolute path" ;; esac
done
# Before anything is built or put anywhere.
if [ "${1:-}" != --uninstall ] && [ "$MODULE" = auto ] && [ -n "${KDIR:-}" ]; then built_kdir "$KDIR"; fi
case $DESTDIR in '' | /*) ;; *) die "DESTDIR=$DESTDIR: give an absolute path" ;; esac

BINDIR=$PREFIX/bin
MAN1=$PREFIX/share/man/man1
BASHDIR=$PREFIX/share/bash-completion/completions
FISHDIR=$PREFIX/share/fish/vendor_completions.d
UNIT=reclaimwb-record.service
MODPROBE=$SYSCONFDIR/modprobe.d/reclaimwb.conf
modprobe_example=$TOP/packaging/modprobe.d/reclaimwb.conf

# put MODE FILE PATH
put() {
	install -D -m "$1" "$2" "$DESTDIR$3" ||
		die "cannot write $DESTDIR$3: run as root, or give DESTDIR= or PREFIX= of yours"
}

# The tool is static: any build of it will do.
build_tool() {
	if [ -n "${SUDO_UID:-}" ] && [ -x "$OUT/bin/reclaimwb" ]; then
		say "taking $OUT/bin/reclaimwb as it is"
	else
		"$TOP/scripts/build/tool.sh"
	fi
}

install_tool() {
	local tool=$OUT/bin/reclaimwb work page
	build_tool
	work=$(mktemp -d)
	# shellcheck disable=SC2064 # now
	trap "rm -rf '$work'" EXIT
	put 755 "$tool" "$BINDIR/reclaimwb"
	"$tool" man "$work/man" >/dev/null
	for page in "$work"/man/*.1; do put 644 "$page" "$MAN1/${page##*/}"; done
	"$tool" completions bash >"$work/bash"
	"$tool" completions zsh >"$work/zsh"
	"$tool" completions fish >"$work/fish"
	put 644 "$work/bash" "$BASHDIR/reclaimwb"
	put 644 "$work/zsh" "$ZSHDIR/_reclaimwb"
	put 644 "$work/fish" "$FISHDIR/reclaimwb.fish"
	sed "s|@BINDIR@|$BINDIR|g" "$TOP/packaging/systemd/$UNIT.in" >"$work/unit"
	put 644 "$work/unit" "$UNITDIR/$UNIT"
	# Someone may have uncommented lines of it.
	if [ -e "$DESTDIR$MODPROBE" ] && ! cmp -s "$modprobe_example" "$DESTDIR$MODPROBE"; then
		say "leaving $DESTDIR$MODPROBE as it is"
	else
		put 644 "$modprobe_example" "$MODPROBE"
	fi
}

install_module() {
	local dir why
	[ "$MODULE" = auto ] || return 0
	if [ -z "${KDIR:-}" ]; then
		KDIR=/lib/modules/$(uname -r)/build
		if ! why=$( (check_kdir "$KDIR") 2>&1); then
			say "the module is not installed (${why#error: }); for another kernel: KDIR=dir"
			return 0
		fi
	fi
	export KDIR
	dir=$OUT/module/base
	if [ -n "${SUDO_UID:-}" ] && [ -f "$dir/reclaimwb.ko" ] && [ "$(cat "$dir/kdir")" = "$(realpath "$KDIR")" ]; then
		say "taking $dir/reclaimwb.ko as it is"
	else
		dir=$("$TOP/scripts/build/module.sh")
	fi
	eval "$("$TOP/scripts/lib/env.sh")"
	[ -z "$DESTDIR" ] || export INSTALL_MOD_PATH=$DESTDIR DEPMOD=true
	make -C "$KDIR" M="$TOP" MO="$dir" modules_install >"$dir/install.log" 2>&1 || {
		cat "$dir/install.log" >&2
		die "the module could not be installed; see above"
	}
	say "module: $DESTDIR/lib/modules/$(cat "$KDIR/include/config/kernel.release")/updates"
}

# What runs would go on without its files.
must_not_run() {
	[ -z "$DESTDIR" ] && have systemctl || return 0
	if systemctl is-active --quiet "$UNIT" 2>/dev/null || systemctl is-enabled --quiet "$UNIT" 2>/dev/null; then
		die "$UNIT is in use: systemctl disable --now $UNIT, then run this again"
	fi
}

# drop PATH...: below DESTDIR
drop() {
	local path
	for path; do
		[ -e "$DESTDIR$path" ] || continue
		rm -f "$DESTDIR$path" || die "cannot remove $DESTDIR$path: run as root"
	done
}

uninstall() {
	local file release
	must_not_run
	drop "$BINDIR/reclaimwb" "$BASHDIR/reclaimwb" "$ZSHDIR/_reclaimwb" "$FISHDIR/reclaimwb.fish" "$UNITDIR/$UNIT"
	for file in "$DESTDIR$MAN1"/reclaimwb.1 "$DESTDIR$MAN1"/reclaimwb-*.1; do drop "${file#"$DESTDIR"}"; done
	if [ -e "$DESTDIR$MODPROBE" ] && ! cmp -s "$modprobe_example" "$DESTDIR$MODPROBE"; then
		say "leaving $DESTDIR$MODPROBE, which was changed"
	else
		drop "$MODPROBE"
	fi
	[ "$MODULE" = auto ] || return 0
	for file in "$DESTDIR"/lib/modules/*/updates/reclaimwb.ko*; do
		[ -e "$file" ] || continue
		drop "${file#"$DESTDIR"}"
		release=${file%/updates/*}
		rmdir --ignore-fail-on-non-empty "${file%/*}"
		[ -n "$DESTDIR" ] || depmod "${release##*/}"
	done
	[ -n "$DESTDIR" ] || [ ! -d /var/lib/reclaimwb ] || say "leaving the recordings in /var/lib/reclaimwb"
}

case ${1:-} in
'')
	install_tool
	install_module
	say "installed below $DESTDIR$PREFIX; the recorder: systemctl enable --now $UNIT" ;;
--uninstall) uninstall ;;
*) die "usage: install.sh [--uninstall]" ;;
esac
