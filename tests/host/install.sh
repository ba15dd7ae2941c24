#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where does everything go? make install and uninstall, the example for modprobe.d, the unit,
# dkms.conf, and the kselftest layout, all of it below a scratch folder.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/ktap.sh"
# shellcheck source=../../scripts/lib/scenarios.sh
. "$TOP/scripts/lib/scenarios.sh"

unset KDIR KSRC PREFIX DESTDIR SYSCONFDIR UNITDIR ZSHDIR INSTALL_PATH
to=$scratch/to
install=$TOP/scripts/package/install.sh
files() { (cd "$1" && find . \( -type f -o -type l \) | sort); }

ktap_print_header
ktap_set_plan 35

# --- one version
version=$(version)
is "dkms.conf has the tool's version" "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$TOP/dkms.conf")" "$version"
is "the module has it, too" "$(sed -n 's/^const VERSION: &str = "\(.*\)";$/\1/p' "$TOP/rust/rows.rs")" "$version"

# --- install, without a module
holds "it installs below DESTDIR" quiet env DESTDIR="$to" PREFIX=/usr MODULE=no "$install"
is "the tool runs from there" "$("$to/usr/bin/reclaimwb" --version)" "reclaimwb $version"
holds "the manual is there" test -f "$to/usr/share/man/man1/reclaimwb.1" -a -f "$to/usr/share/man/man1/reclaimwb-report.1"
holds "bash reads its completions" bash -n "$to/usr/share/bash-completion/completions/reclaimwb"
holds "the completions of zsh and fish are there" test -s "$to/usr/share/zsh/site-functions/_reclaimwb" -a -s "$to/usr/share/fish/vendor_completions.d/reclaimwb.fish"
unit=$to/usr/lib/systemd/system/reclaimwb-record.service
is "the unit runs what was installed" "$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$unit")" /usr/bin/reclaimwb
echo "options reclaimwb tlb=Y" >>"$to/etc/modprobe.d/reclaimwb.conf"
holds "it installs again, over a changed modprobe.d" quiet env DESTDIR="$to" PREFIX=/usr MODULE=no "$install"
holds "the changed file stays as it is" grep -q '^options reclaimwb tlb=Y' "$to/etc/modprobe.d/reclaimwb.conf"
mkdir -p "$to/lib/modules/9.9.9/updates"
touch "$to/lib/modules/9.9.9/updates/reclaimwb.ko.xz" "$to/usr/bin/other"
holds "it uninstalls" quiet env DESTDIR="$to" PREFIX=/usr "$install" --uninstall
is "only the changed file and others' files are left" "$(files "$to")" $'./etc/modprobe.d/reclaimwb.conf\n./usr/bin/other'
refuses "a PREFIX that is not absolute" "PREFIX=usr: give an absolute path" env PREFIX=usr "$install"
refuses "an unknown argument" "usage: install.sh" "$install" --nosuch
refuses "a KDIR that is no kernel" "KDIR=$scratch is no kernel build directory" \
	env -u SUDO_UID KDIR="$scratch" DESTDIR="$to" "$TOP/scripts/build/module.sh"
refuses "a KDIR that does not exist" "KDIR=/nonexistent: there is no such folder" \
	env KDIR=/nonexistent DESTDIR="$scratch/nowhere" "$install"
holds "that has installed nothing" test ! -e "$scratch/nowhere"

# --- the unit, if systemd is here to read it
if have systemd-analyze; then
	holds "it installs to a PREFIX" quiet env PREFIX="$scratch/p" SYSCONFDIR="$scratch/etc" DESTDIR= MODULE=no "$install"
	holds "systemd has no complaint about the unit" quiet systemd-analyze verify --man=no "$scratch/p/lib/systemd/system/reclaimwb-record.service"
	exposure=$(systemd-analyze security --offline=true --no-pager "$scratch/p/lib/systemd/system/reclaimwb-record.service" 2>/dev/null |
		sed -n 's/.*Overall exposure level.*: \([0-9]*\)\.[0-9].*/\1/p')
	holds "it calls the unit safe (below 2 of 10): ${exposure:-nothing}" test "${exposure:-9}" -lt 2
else
	for what in "it installs to a PREFIX" "systemd has no complaint about the unit" "it calls the unit safe (below 2 of 10)"; do
		ktap_test_skip "$what"
	done
fi

# --- the example for modprobe.d is the README's (docs-check.py compares it with the module)
sed -n 's/^#options reclaimwb //p' "$TOP/packaging/modprobe.d/reclaimwb.conf" | tr ' ' '\n' | sort >"$scratch/example"
is "the example sets no parameter" "$(grep -cv '^#\|^$' "$TOP/packaging/modprobe.d/reclaimwb.conf")" 0
# defaults: prints NAME=DEFAULT from the README's table, where one row can have several names.
# shellcheck disable=SC2016 # backticks of Markdown
defaults() {
	sed -n '/^## Settings/,/^## /s/^| \(`[a-z_`, ]*`\) | [^|]* | `*\([A-Za-z0-9-]*\)[^|]*| .*/\1 \2/p' "$TOP/README.md" |
		tr -d '`,' | awk '{ for (i = 1; i < NF; i++) print $i "=" $NF }' | sort
}
is "it has the README's defaults" "$(cat "$scratch/example")" "$(defaults)"

# --- DKMS names what is missing
k=$scratch/kernel
mkdir -p "$k/rust"
config() { printf '%s\n' "$@" >"$k/.config"; }
dkms=$TOP/scripts/package/dkms.sh
rustc=$(rustc --version)
refuses "no kernel" "no kernel build at $scratch/nosuch" "$dkms" check "$scratch/nosuch"
config '# CONFIG_RUST is not set'
refuses "a kernel without Rust" "KDIR=$k was built without CONFIG_RUST" "$dkms" check "$k"
config CONFIG_RUST=y "CONFIG_RUSTC_VERSION_TEXT=\"$rustc\""
touch "$k/Module.symvers"
refuses "headers without Rust's metadata" "header packages lack it" "$dkms" check "$k"
mv "$k/rust" "$k/rust.dir"
ln -s ../linux-lib-rust-7.9 "$k/rust"
refuses "headers that link to a package that is not there" "rust is a link to ../linux-lib-rust-7.9, which is not there; install the package that holds it" "$dkms" check "$k"
rm "$k/rust"
mv "$k/rust.dir" "$k/rust"
touch "$k/rust/libkernel.rmeta"
refuses "a kernel that lacks something else" "KDIR=$k was built without CONFIG_TRACEPOINTS" "$dkms" check "$k"
config CONFIG_RUST=y "CONFIG_RUSTC_VERSION_TEXT=\"$rustc\"" CONFIG_CC_IS_CLANG=y CONFIG_CLANG_VERSION=990102 \
	CONFIG_TRACEPOINTS=y CONFIG_STACKTRACE=y CONFIG_DEBUG_FS=y CONFIG_SWAP=y CONFIG_BLOCK=y
holds "a kernel that has everything is accepted" quiet "$dkms" check "$k"
refuses "built with a clang that is not here" "built with clang 99, which is not here: apt-get install clang-99" "$dkms" build "$k"

# --- kselftest layout
holds "the scenarios install" quiet make -s -C "$TOP/tests" install INSTALL_PATH="$scratch/ksft" KSRC="${helpers%/tools/testing/*}"
is "each is listed, with its folder as the collection" "$("$scratch/ksft/run_kselftest.sh" -l)" "$(scenarios | sed 's@^\(.*\)/@reclaimwb/\1:@')"
# above: is everything there that the scenarios' library looks for beside tests/? (Programs are in
# bin.)
above() {
	local path above=0 missing=0
	# shellcheck disable=SC2013,SC2016 # paths without blanks; text to find
	for path in $(grep -ohE '\$TESTS/\.\./[a-z_./-]+' "$TOP"/tests/*/*.sh | grep -v '/out/' | sort -u); do
		above=1
		[ -e "$scratch/ksft/${path#\$TESTS/../}" ] || { echo "# no $path"; missing=1; }
	done
	[ "$above,$missing" = 1,0 ]
}
holds "the files that they look for elsewhere are there" above
is "nbd-server.sh works there" "$("$scratch/ksft/qemu/nbd-server.sh" list | awk '$1 == "fast" { print $1 }')" fast
# There is no module, so that the scenario skips, in the kernel's runner.
stub modinfo 'exit 1'
(cd / && RWB_MODULE_DIR=$scratch/none PATH=$stubs:$PATH "$scratch/ksft/run_kselftest.sh" -t reclaimwb/module:load.sh) >"$scratch/run" 2>&1
holds "the kernel's runner runs a scenario" grep -qE '^ok 1 selftests: reclaimwb/module: load.sh # SKIP' "$scratch/run"
# shellcheck disable=SC2016 # for that shell
found=$(stub modinfo "echo $scratch/ksft/VERSION"
	cd "$scratch/ksft/reclaimwb" && RWB_MODULE_DIR=$scratch/none TESTS=. PATH=$stubs:$PATH sh -c '. lib/module.sh; module_file reclaimwb')
is "the library finds an installed module" "$found" "$scratch/ksft/VERSION"

ktap_finished
