# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian installations whose maintainer scripts have run: packages are built in one, and installed into others. mmdebstrap
# makes them once, with the mirror and the proxies of the machine. It needs root, because packages have files of other
# users. Sourced by tools/lab/lab.

readonly DEBIAN_FORMAT=1

# debian_plan NAME: suite, what is installed, and what apt can install later without a network; a word "and" parts what is
# resolved on its own.
debian_plan() {
	case $1 in
	# The oldest release that the packages are for: newer ones have all that its programs link with.
	build)
		echo "bookworm|build-essential debhelper dh-dkms lintian fakeroot libjson-c-dev nettle-dev" \
			"zlib1g-dev pkgconf python3 xz-utils|"
		;;
	# Two kernels' headers each, and images of those that the packages are for: DKMS runs no depmod without.
	12)
		echo "bookworm|apt busybox-static|dkms openssl mokutil libjson-c5 libnettle8 linux-headers-amd64" \
			"and linux-headers-amd64/bookworm-backports linux-image-amd64/bookworm-backports"
		;;
	13)
		echo "trixie|apt busybox-static|dkms openssl mokutil libjson-c5 libnettle8t64 linux-headers-amd64 linux-image-amd64" \
			"and linux-headers-amd64/trixie-backports linux-image-amd64/trixie-backports"
		;;
	esac
}

# debian_later ROOT LIST: download what LIST needs, and keep it in apt's cache.
debian_later() {
	local root=$1 words=() word
	for word in $2 and; do
		if [ "$word" != and ]; then
			words+=("$word")
		elif [ ${#words[@]} -gt 0 ]; then
			chroot "$root" apt-get -q -y --download-only install "${words[@]}"
			words=()
		fi
	done
}

debian_build() {
	local dest=$1 suite=$2 now=$3 later=$4 mirror signed root=$1.new
	mirror=$(root_mirror)
	[ -n "$mirror" ] || die "no Debian mirror in this machine's apt configuration: set VPV_MIRROR=http://HOST/debian"
	signed="[signed-by=${VPV_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}]"
	rm -rf "$root"
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries)' >"$VPV_RUN/apt.conf" || :
	cat >>"$VPV_RUN/apt.conf" <<-EOF
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Binary::apt-get::APT::Keep-Downloaded-Packages "true";
	EOF
	mmdebstrap --quiet --mode=root --variant=minbase --skip=cleanup/apt --dpkgopt=force-unsafe-io --aptopt="$VPV_RUN/apt.conf" \
		--include="$now" "$suite" "$root" "deb $signed $mirror $suite main" "deb $signed $mirror $suite-backports main"
	debian_later "$root" "$later"
	mv "$root" "$dest"
}

# debian_ensure NAME: sets REPLY to the folder of the installation.
debian_ensure() {
	local name=$1 plan suite now later lock
	plan=$(debian_plan "$name")
	REPLY=$VPV_CACHE/debian-$name-$(echo "$DEBIAN_FORMAT $plan" | sha256sum | cut -c1-12)
	[ ! -d "$REPLY" ] || return 0
	IFS='|' read -r suite now later <<<"$plan"
	exec {lock}>"$VPV_CACHE/locks/debian"
	flock "$lock"
	[ -d "$REPLY" ] || step "Debian ($name): mmdebstrap $suite" "$VPV_LOGS/debian-$name.log" \
		root_strict debian_build "$REPLY" "$suite" "$now" "$later"
	exec {lock}>&-
}

# debian_trouble: why there can be none, or nothing.
debian_trouble() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "Debian installations need root: packages have files of other users"
	elif ! command -v mmdebstrap >/dev/null; then
		echo "mmdebstrap is missing: apt install mmdebstrap"
	fi
}

# debian_ensure_all NAME...: sets VPV_DEBIAN to words NAME=FOLDER.
debian_ensure_all() {
	local name
	VPV_DEBIAN=
	for name; do
		debian_ensure "$name"
		VPV_DEBIAN+="$name=$REPLY "
	done
}

# debian_dist: make the release's tarball twice, for the packages and to compare them: inside there is no git.
debian_dist() {
	mkdir -p "$VPV_RUN/lab/dist/one"
	(cd "$VPV_REPO" && make dist && cp "build/vpv-$(cat VERSION).tar.xz" "$VPV_RUN/lab/dist/one") >&2 || exit 1
	"$VPV_REPO/tools/dist.sh" "$VPV_RUN/lab/dist/two" >&2 || exit 1
}
