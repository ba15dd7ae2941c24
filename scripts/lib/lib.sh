# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used by those who source it
# What all host scripts share. This file is sourced, never run. Messages go to stderr, so that
# stdout only has the answer of a script.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
RWB_CACHE=${RWB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/reclaimwb}
OUT=${OUT:-$TOP/out}
J=${J:-$(nproc)}

say() { echo "reclaimwb: $*" >&2; }
die() { echo "error: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# programs_for ARCH: set GUEST, the folder that has bin/ and tests/bin/ for guests of that
# architecture, and GUEST_CC, the compiler for them. Only arm64 is another one than this machine's.
programs_for() {
	case $1 in
	arm64) GUEST=$OUT/arm64 GUEST_CC=aarch64-linux-gnu-gcc ;;
	*) GUEST=$OUT GUEST_CC=${CC:-cc} ;;
	esac
}
programs_for "${ARCH:-}"

# need SCRIPT KEY: print what a test script needs of a guest: the value of its comment "# KEY:
# value".
need() {
	awk -v key="# $2:" '!/^#/ && NF { exit }
		index($0, key) == 1 { sub(/^[^:]*:[ \t]*/, ""); print; exit }' "$TOP/tests/$1"
}

# version: print the version of the project, which the tool, the module and dkms.conf have in
# common.
version() { sed -n 's/^version = "\(.*\)"$/\1/p' "$TOP/tool/Cargo.toml" | head -n1; }

# version_ge A B: is version A at least B?
version_ge() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n1)" = "$2" ]; }

# with_lock [-q] NAME COMMAND...: run one such command at a time, over all processes that share the
# cache. With -q it does not say that it waits.
with_lock() {
	local name fd quiet=
	[ "$1" != -q ] || { quiet=1; shift; }
	name=$1
	shift
	mkdir -p "$RWB_CACHE/lock"
	exec {fd}>"$RWB_CACHE/lock/$name"
	if ! flock -n "$fd"; then
		[ -n "$quiet" ] || say "waiting for another process that holds the lock '$name'"
		flock "$fd"
	fi
	"$@" {fd}>&-
	exec {fd}>&-
}

# show_errors LOG: show the first errors of a build, or else the end of its log.
show_errors() { grep -m5 -E '(error|Error|\*\*\*)[: ]' "$1" >&2 || tail -n 5 "$1" >&2; }

# as_group COMMAND...: run it in a process group of its own, which ends when this script is told to
# end. A shell handles no signal while it runs a child, unless it waits for it by `wait`, and make
# tells only its own child.
as_group() {
	local group rc=0
	set -m
	"$@" </dev/null &
	group=$!
	set +m
	trap 'end_group "$group" 130' INT
	trap 'end_group "$group" 143' TERM
	trap 'end_group "$group" 129' HUP
	wait "$group" || rc=$?
	trap - INT TERM HUP
	return "$rc"
}

# end_group PID EXIT-CODE
end_group() {
	trap '' INT TERM HUP
	kill -TERM -- "-$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
	exit "$2"
}

# --- Debian packages, without touching the user's package manager: the cache has a private apt state for each
# suite, which is read from the machine's own mirror and checked with Debian's own keys.

KEYRING=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

# shellcheck disable=SC1091 # the machine's own file
os_codename() { (. /etc/os-release 2>/dev/null; echo "${VERSION_CODENAME:-unknown}"); }

# debian_mirror SUITE: print the archive that has SUITE, as apt understands the sources of this
# machine.
debian_mirror() {
	local want='^(old|oldold)?stable$|^(bookworm|trixie|forky|duke|sid|testing|unstable)$' uri
	case $1 in
	*-security)
		[ -z "${DEBIAN_MIRROR:-}" ] || { echo "${DEBIAN_MIRROR%/}-security"; return; }
		want="^$1\$" ;;
	*)	[ -z "${DEBIAN_MIRROR:-}" ] || { echo "$DEBIAN_MIRROR"; return; } ;;
	esac
	# Other archives use the same names of suites. Prefer one that calls itself Debian (which is
	# known after an update), then one whose path says so.
	# shellcheck disable=SC2016 # apt's own $(FIELD) syntax
	uri=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(LABEL) $(REPO_URI)' \
			'Created-By: Packages' 2>/dev/null |
		awk -v want="$want" '$1 ~ want && $2 == "main" && $NF !~ /^cdrom:/ {
			rank = /[ ]Debian(-Security)? / ? 1 : $NF ~ /debian(-security)?\/?$/ ? 2 : 3
			print rank, $NF }' | sort -s -k1,1 | awk 'NR == 1 { print $2 }')
	[ -n "$uri" ] || die "no Debian mirror in this machine's apt sources: set DEBIAN_MIRROR=URL"
	echo "$uri"
}

# deb_dir: print the folder for unpacked packages. Those of another architecture (DEB_ARCH=arm64) have
# one of their own.
deb_dir() { echo "$RWB_CACHE/deb${DEB_ARCH:+-$DEB_ARCH}"; }

# apt_state SUITE [fresh]: prepare the private state, print its apt.conf.
apt_state() {
	local suite=$1 dir=$RWB_CACHE/apt/$1${DEB_ARCH:+-$DEB_ARCH} mirror line
	mirror=$(debian_mirror "$suite") || exit 1
	[ -r "$KEYRING" ] || die "$KEYRING is missing: install the package debian-archive-keyring"
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	: >"$dir/status"
	line="deb [signed-by=$KEYRING] $mirror $suite main"
	line+=$'\n'"deb-src [signed-by=$KEYRING] $mirror $suite main"
	if [ "$line" != "$(cat "$dir/sources.list" 2>/dev/null)" ]; then
		rm -f "$dir/updated"
		echo "$line" >"$dir/sources.list"
	fi
	# The hooks of the machine must not run for this state.
	cat >"$dir/apt.conf" <<-CONF
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Post-Invoke;
		#clear Acquire::IndexTargets::deb::DEP-11;
		Dir::State "$dir";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::Etc::trusted "/dev/null";
		Dir::Etc::trustedparts "/dev/null";
		APT::Sandbox::User "root";
		APT::Get::AllowUnauthenticated "false";
		Acquire::AllowInsecureRepositories "false";
		Acquire::Languages "none";
		Acquire::Retries "2";
	CONF
	[ -z "${DEB_ARCH:-}" ] ||
		printf 'APT::Architecture "%s";\n#clear APT::Architectures;\nAPT::Architectures { "%s"; };\n' "$DEB_ARCH" "$DEB_ARCH" >>"$dir/apt.conf"
	if [ "${2:-}" = fresh ] || [ -z "$(find "$dir/updated" -mmin -1440 2>/dev/null)" ]; then
		say "reading Debian's package list ($suite)"
		apt-get -qq -c "$dir/apt.conf" -o APT::Update::Error-Mode=any update >"$dir/log" 2>&1 ||
			die "cannot read suite $suite from $mirror: $(grep -m1 '^[EW]:' "$dir/log" || echo "see $dir/log")"
		touch "$dir/updated"
	fi
	echo "$dir/apt.conf"
}

# deb_versions CONF PKG [UPSTREAM]: print the versions that are offered, the newest first. With
# UPSTREAM, print only builds of that version.
deb_versions() {
	apt-cache -c "$1" madison "$2" 2>/dev/null |
		awk -v want="${3:-}" '$NF != "Sources" {
			v = $3; up = v; sub(/^[0-9]+:/, "", up)
			if (want == "" || v == want || up == want || index(up, want "+") == 1 || index(up, want "-") == 1 || index(up, want "cross") == 1)
				print v }' | awk '!seen[$0]++'
}

# deb_extract PKG[=VERSION] [SUITE...]: print the directory with the files of the package. They come
# from the first suite that offers it, and are fetched once. $deb_hint says what the user can do if
# none does.
deb_extract() {
	[ -d "$(deb_dir)/$1" ] || with_lock deb deb_fetch "$@" || exit 1
	readlink -f "$(deb_dir)/$1"
}

deb_fetch() {
	local what=$1 pkg=${1%%=*} ver='' suite conf version debs dir tmp
	debs=$(deb_dir)
	[ "$what" = "$pkg" ] || ver=${what#*=}
	shift
	[ ! -d "$debs/$what" ] || return 0
	[ $# -gt 0 ] || set -- "$(os_codename)"
	if ! have dpkg-deb || ! have apt-get; then
		die "package $pkg comes from Debian by way of apt-get and dpkg-deb: install apt and dpkg"
	fi
	for suite; do
		conf=$(apt_state "$suite") || exit 1
		version=$(deb_versions "$conf" "$pkg" "$ver" | head -n1)
		[ -n "$version" ] || continue
		dir=$debs/${pkg}_${version//:/%3a}
		if [ -d "$dir" ]; then
			ln -sfn "$(basename "$dir")" "$debs/$what"
			return 0
		fi
		tmp=$dir.tmp
		rm -rf "$tmp"
		mkdir -p "$tmp/deb"
		say "fetching $pkg $version ($suite)"
		if ! (cd "$tmp/deb" && apt-get -qq -c "$conf" download "$pkg=$version" >"$tmp/log" 2>&1); then
			# The list may be older than the archive.
			conf=$(apt_state "$suite" fresh) || exit 1
			version=$(deb_versions "$conf" "$pkg" "$ver" | head -n1)
			(cd "$tmp/deb" && apt-get -qq -c "$conf" download "$pkg=$version" >"$tmp/log" 2>&1) ||
				die "cannot fetch $pkg $version: $(grep -m1 '^E:' "$tmp/log" || tail -n1 "$tmp/log")"
			dir=$debs/${pkg}_${version//:/%3a}
		fi
		dpkg-deb -x "$tmp"/deb/*.deb "$tmp/root" || die "cannot unpack $pkg $version"
		rm -rf "$dir"
		mv "$tmp/root" "$dir"
		rm -rf "$tmp"
		ln -sfn "$(basename "$dir")" "$debs/$what"
		return 0
	done
	die "Debian ($*) does not offer the package $what${deb_hint:+: $deb_hint}"
}

# deb_tree DIR SUITE PACKAGE...: unpack the packages, with all that they depend on, into DIR, which must
# not be there. Nothing is configured. What no program of them reads is left out.
deb_tree() {
	local dir=$1 suite=$2 conf deb tmp=$1.debs
	local unused=(--wildcards --no-wildcards-match-slash --exclude='./usr/share/doc' --exclude='./usr/share/locale'
		--exclude='./usr/share/man' --exclude='./usr/share/info' --exclude='./usr/src/rustc-*/src'
		--exclude='./usr/src/rustc-*/compiler' --exclude='./usr/src/rustc-*/tests' --exclude='./usr/lib/llvm-*/lib/*.a')
	shift 2
	conf=$(apt_state "$suite") || exit 1
	rm -rf "$tmp"
	mkdir -p "$tmp/partial" "$dir"
	apt-get -qq -y -c "$conf" -o "Dir::Cache::archives=$tmp" --no-install-recommends --download-only \
		install "$@" >"$tmp/log" 2>&1 ||
		die "cannot fetch packages of $suite: $(grep -m1 '^E:' "$tmp/log" || tail -n1 "$tmp/log")"
	for deb in "$tmp"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" 2>"$tmp/log" | tar -xf - -C "$dir" "${unused[@]}" 2>>"$tmp/log" ||
			die "cannot unpack $(basename "$deb"): $(tail -n1 "$tmp/log")"
	done
	rm -rf "$tmp"
}

# cargo_target: print the cache's folder for what cargo builds. Each checkout has its own: cargo
# compares times, and would take our crates of one checkout for those of another.
cargo_target() {
	local dir
	dir=$RWB_CACHE/cargo-target/$(sha256sum <<<"$TOP" | cut -c 1-12)
	[ -e "$dir/checkout" ] || with_lock cargo-target cargo_target_new "$dir"
	echo "$dir"
}

# cargo_target_new DIR: begin with the dependencies that another checkout has built. If that
# checkout is gone, take its folder. Otherwise link its files, except those that cargo writes into.
cargo_target_new() {
	local dir=$1 new=$1.new other like=
	[ ! -e "$dir/checkout" ] || return 0
	rm -rf "$dir" "$new"
	for other in $(cd "$RWB_CACHE/cargo-target" 2>/dev/null && ls -td -- */checkout 2>/dev/null); do
		other=$RWB_CACHE/cargo-target/${other%/checkout}
		if [ ! -d "$(cat "$other/checkout")" ]; then
			mv "$other" "$new"
			break
		fi
		like=${like:-$other}
	done
	if [ ! -d "$new" ] && [ -n "$like" ]; then
		cp -al "$like" "$new"
		find "$new" -type f \( -name .cargo-lock -o -name .rustc_info.json -o -name '*.d' \) -delete
	fi
	mkdir -p "$new"
	find "$new" \( -path '*/.fingerprint/reclaimwb*' -o -name incremental \) -prune -exec rm -rf {} +
	rm -f "$new/checkout"
	echo "$TOP" >"$new/checkout"
	mv "$new" "$dir"
}
