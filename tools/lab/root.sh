# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Builds the lab's root file systems from Debian packages: the host's apt resolves and downloads them with its own
# mirror and proxy settings, dpkg-deb unpacks them, and no maintainer script runs. That needs no privilege, changes
# nothing on the machine and is the same for root and for an ordinary user. Sourced; must not enter namespaces itself
# except through root_run.

readonly ROOT_FORMAT=2
readonly ROOT_SUITE=trixie

root_packages() {
	sed 's/#.*//' "$@" | tr -s ' \t\n' '\n' | sed '/^$/d'
}

# root_suites LIST...: the releases of Debian that these lists are for, the preferred one last: those that they name, or the lab's
# own with its backports.
root_suites() {
	local suites
	suites=$(root_packages "$@" | sed -n 's/^@suite://p')
	echo "${suites:-$ROOT_SUITE $ROOT_SUITE-backports}"
}

# root_key LIST...: the name of the root made from these lists.
root_key() {
	{ echo "$ROOT_FORMAT $ROOT_SUITE"; root_packages "$@"; } | sha256sum | cut -c1-12
}

# The mirror that the machine itself uses for the Debian archive proper.
root_mirror() {
	local codename
	if [ -n "${VPV_MIRROR:-}" ]; then
		echo "$VPV_MIRROR"
		return
	fi
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -v own="$codename" '$1 == own || $1 ~ /^(stable|oldstable|testing|sid|trixie|bookworm)$/ {
			print $2 }' |
		grep -v security | sort -u | head -n 1
}

root_apt_config() {
	local apt=$1 suite mirror keyring signed=
	shift
	mirror=$(root_mirror)
	[ -n "$mirror" ] ||
		die "no Debian mirror in this machine's apt configuration: set VPV_MIRROR=http://HOST/debian"
	for keyring in ${VPV_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}; do
		[ -r "$keyring" ] || die "$keyring is missing: install debian-archive-keyring or set VPV_KEYRING=FILE"
		signed="[signed-by=$keyring]"
	done
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	: >"$apt/status"
	for suite; do
		printf 'deb %s %s %s main\n' "$signed" "$mirror" "$suite"
	done >"$apt/sources.list"
	# Proxies, retries and the like come from the machine; sources, hooks and pins do not.
	apt-config dump | grep '^Acquire::' |
		grep -vE '^Acquire::(IndexTargets|cdrom|CompressionTypes|Changelogs|Languages|GzipIndexes)' >"$apt/apt.conf"
	cat >>"$apt/apt.conf" <<-EOF
		Dir::Etc::main "/dev/null";
		Dir::Etc::parts "/dev/null";
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State "$apt";
		Dir::State::status "$apt/status";
		Dir::State::lists "$apt/lists";
		Dir::Cache "$apt/cache";
		Dir::Cache::archives "$VPV_CACHE/debs";
		Dir::Log "$apt";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Default-Release "$suite";
		APT::Install-Recommends "false";
		APT::Install-Suggests "false";
		APT::Get::Assume-Yes "true";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Debug::NoLocking "true";
	EOF
}

# Turns @newest:REGEX into a package's name.
root_lookup() {
	local word
	while read -r word; do
		case $word in
		@newest:*)
			apt-cache search --names-only "^${word#@newest:}\$" | cut -d' ' -f1 | sort -V | tail -n 1 | grep . ||
				die "no package is called ${word#@newest:}"
			;;
		@stable:* | @suite:*) ;;
		*) echo "$word" ;;
		esac
	done
}

# root_fetch PACKAGE...: download what an installation would install, and print the names of the files (without .deb).
root_fetch() {
	apt-get -q install --download-only "$@" >&2
	# The epoch's colon is written %3a in a file's name.
	apt-get -s install "$@" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) [^[]*\[\([a-z0-9]*\)\]).*/\1_\2_\3/p' |
		sed 's/:/%3a/'
}

root_download() {
	local apt=$1 wanted extra
	shift
	mkdir -p "$VPV_CACHE/debs/partial"
	# shellcheck disable=SC2046 # a list of words
	root_apt_config "$apt" $(root_suites "$@")
	export APT_CONFIG=$apt/apt.conf
	apt-get -q update
	root_packages "$@" | root_lookup >"$apt/wanted"
	mapfile -t wanted <"$apt/wanted"
	root_fetch "${wanted[@]}" >"$apt/names"
	# The same package name in two versions cannot be installed, but kernels and their headers carry the version in
	# their name and lie side by side: resolve those on their own and keep only them.
	for extra in $(root_packages "$@" | sed -n 's/^@stable://p'); do
		root_fetch "$extra/$ROOT_SUITE" | grep -E '^linux-(headers|kbuild|image)-[0-9]' >>"$apt/names"
	done
	sort -u -o "$apt/names" "$apt/names"
	[ -s "$apt/names" ]
}

root_unpack_one() {
	dpkg-deb --fsys-tarfile "$2" | tar -C "$1" -xf - --keep-directory-symlink --no-same-owner \
		--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
		--exclude='./usr/share/info/*' --exclude='./usr/share/lintian/*' --exclude='./usr/share/bug/*'
}

root_unpack() {
	local root=$1 names=$2 name
	mkdir -p "$root"
	# base-files holds the /usr-merge links that the others rely on; before trixie an installer made them.
	mkdir -p "$root"/usr/{bin,sbin,lib,lib64}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$root"
	for name in $(grep '^base-files_' "$names"); do
		root_unpack_one "$root" "$(root_deb "$name")"
	done
	export -f root_unpack_one
	while read -r name; do
		root_deb "$name"
	done <"$names" | xargs -P "$(nproc)" -I{} bash -o pipefail -c 'root_unpack_one "$0" "$1"' "$root" {}
}

root_deb() {
	local file=$VPV_CACHE/debs/$1.deb
	[ -f "$file" ] || file=$VPV_CACHE/debs/${1%_*}_all.deb
	[ -f "$file" ] || { echo "package file $1 is missing" >&2; return 1; }
	echo "$file"
}

# root_run ROOT COMMAND...: run a program of ROOT, as (mapped) root, without mounts.
root_run() {
	local root=$1
	shift
	# shellcheck disable=SC2086 # a list of options
	unshare $VPV_USERNS --mount chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin "$@"
}

# What maintainer scripts would have done and the lab relies on.
root_configure() {
	local root=$1 link dir
	mkdir -p "$root"/{etc,proc,sys,dev,tmp,run,root,vpv}
	printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
	while read -r link dir; do
		if [ -e "$root/usr/bin/$dir" ] && [ ! -e "$root/usr/bin/$link" ]; then
			ln -s "$dir" "$root/usr/bin/$link"
		fi
	done <<-EOF
		awk gawk
		cc gcc
		c++ g++
		which which.debianutils
		yacc bison.yacc
	EOF
	root_run "$root" ldconfig
	for dir in "$root"/usr/lib/modules/*/kernel; do
		[ -d "$dir" ] || continue
		dir=${dir%/kernel}
		root_run "$root" depmod "${dir##*/}"
	done
}

root_build() {
	local dest=$1 title=$2 work=$VPV_RUN/root.new
	shift 2
	rm -rf "$work" "$VPV_RUN/apt"
	mkdir -p "$VPV_RUN/apt"
	step "$title: download packages" "$VPV_LOGS/root-download.log" \
		root_strict root_download "$VPV_RUN/apt" "$@"
	step "$title: unpack $(wc -l <"$VPV_RUN/apt/names") packages" "$VPV_LOGS/root-unpack.log" \
		root_strict root_unpack "$work" "$VPV_RUN/apt/names"
	step "$title: configure" "$VPV_LOGS/root-configure.log" root_strict root_configure "$work"
	cp "$VPV_RUN/apt/names" "$work/etc/vpv-packages"
	mv "$work" "$dest"
}

# step() runs its command in a condition-free subshell, so that errexit works here.
root_strict() {
	set -euo pipefail
	"$@"
}

# root_ensure NAME LIST...: sets REPLY to the folder of the root, building it once if it is not there.
root_ensure() {
	local name=$1 dest lock
	shift
	dest=$VPV_CACHE/root-$name-$(root_key "$@")
	if [ ! -d "$dest" ]; then
		exec {lock}>"$VPV_CACHE/locks/root"
		flock -n "$lock" || say "another lab run is building packages' roots; waiting for it"
		flock "$lock"
		[ -d "$dest" ] || root_build "$dest" "$name root" "$@"
		exec {lock}>&-
	fi
	REPLY=$dest
}
