#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a Debian installation without a network: install.sh: install the packages in /mnt, look at what came of it,
# leave /mnt/root.tar for a machine to boot from, remove them, and look for what stayed. TAP.
set -uo pipefail
# shellcheck source=tools/lab/debian/points.sh
. "$(dirname "$0")/points.sh"

# Machines have another one, and to make it takes minutes for each kernel.
export INITRD=No

# shellcheck source=/dev/null
. /etc/os-release
# Commands of Documentation/operating.rst are given as they stand there.
echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/yes

# newest FILE...: that of the highest version.
newest() { ls -v "$@" | tail -n 1; }

# Headers of two kernels, and images of those that the packages are for.
kernels_of_12() {
	apt install linux-headers-amd64 dkms libjson-c5 libnettle8 &&
		apt install linux-image-amd64/bookworm-backports linux-headers-amd64/bookworm-backports
}

# Kernels of backports may ask for the linux-base of backports, which apt does not take from there unless told to.
kernels_of_13() {
	apt install linux-headers-amd64 dkms libjson-c5 libnettle8 "$(newest /var/cache/apt/archives/linux-base_*.deb)" \
		/var/cache/apt/archives/linux-headers-*-amd64_*.deb /var/cache/apt/archives/linux-image-[0-9]*-amd64_*.deb
}

signing() { apt install openssl mokutil; }
packages_in_12() { apt install ./vpv-dkms_*.deb ./vpvctl_*.deb ./vpv-personas_*.deb; }
packages_in_13() { apt install linux-headers-amd64 ./vpv-dkms_*.deb ./vpvctl_*.deb ./vpv-personas_*.deb; }
removed() { apt purge vpv-dkms vpvctl vpv-personas; }

# Those that dkms.conf is for, by the name of their headers.
kernels() { ls /lib/modules | grep -E '^(6\.(1[2-9]|[2-9][0-9])|[7-9]|[1-9][0-9]+)\.'; }
others() { ls /lib/modules | grep -Ev '^(6\.(1[2-9]|[2-9][0-9])|[7-9]|[1-9][0-9]+)\.'; }

# Those for the functions of a family.
variants() { modules | grep -Ev '^vpv_(config|core|migration|pci|[a-z0-9_]*_ctrl)$'; }

# All files but those of logs, caches and dpkg, and dkms' own key.
files() { find / -xdev \( -path /proc -o -path /mnt -o -path /tmp -o -path /dev -o -path /var/log -o -path /var/cache -o \
	-path /var/lib/dpkg -o -path /var/lib/apt -o -path '/var/lib/dkms/mok.*' \) -prune -o -printf '%p %y %l\n' | sort; }

built() {
	local kernel
	for kernel in $(kernels); do
		diff <(modules) <(find "/lib/modules/$kernel/updates/dkms" -name '*.ko*' | sed 's,.*/,,; s/\.ko.*//' | sort) || return
		dkms status vpv -k "$kernel" | grep -q ': installed' || return
	done
}

not_for_others() {
	local kernel
	for kernel in $(others); do
		! dkms status vpv -k "$kernel" | grep "$kernel" || return
		[ ! -e "/lib/modules/$kernel/updates/dkms" ] || return
	done
}

wanted() { sed -n 's/^BUILD_EXCLUSIVE_CONFIG="\(.*\)"/\1/p' /usr/src/vpv-[0-9]*/dkms.conf | tr ' ' '\n'; }

# status_without SYMBOL: that of dkms for a kernel with all options that dkms.conf names but this one.
status_without() {
	echo "without ${1:-none}"
	wanted | grep -vx "$1" | sed 's/$/=y/' >/tmp/kernel/.config
	dkms build "vpv/$(dpkg-query -W -f '${Version}' vpv-dkms)" -k 6.12.0-vpv --kernelsourcedir /tmp/kernel
	echo "status $?"
}

passed_over() { status_without "$1" | tee /dev/stderr | grep -qx 'status 77'; }

# With all of them it only misses the kernel itself.
options() {
	local symbol
	mkdir /tmp/kernel
	for symbol in $(wanted); do
		passed_over "$symbol" || return
	done
	[ -n "$(wanted)" ] && ! passed_over ''
}

aliases() {
	local kernel
	for kernel in $(kernels); do
		grep -E '^alias vfio_pci:v0000.* vpv_' "/lib/modules/$kernel/modules.alias" | cut -d' ' -f3 | sort -u |
			diff - <(variants) || return
		! grep -E "^alias pci:.* ($(variants | paste -sd'|'))\$" "/lib/modules/$kernel/modules.alias" || return
		grep -q 'updates/dkms/vpv_hisi_like.ko.*: .*vpv_core' "/lib/modules/$kernel/modules.dep" || return
	done
}

personas() {
	local file
	for file in /lib/firmware/vpv/*.persona; do
		vpvctl persona diff "$file" "/usr/share/vpv/maps/$(basename "$file" .persona).map" || return
	done
}

# loads FOLDER LIBRARY: for every kernel modprobe would load the vfio-pci of FOLDER, and LIBRARY before.
loads() {
	local kernel words
	for kernel in $(kernels); do
		words=$(modprobe -S "$kernel" --show-depends vfio-pci)
		echo "$words"
		[[ ${words##*$'\n'} = "insmod "*"/$kernel/$1/vfio-pci.ko"* && $words = *"/$kernel/$2.ko"* ]] || return
	done
}

dropin() {
	apt install ./vpv-vfio-pci-dkms_*.deb && loads updates/dkms updates/dkms/vpv_core
}

dropped() {
	apt purge vpv-vfio-pci-dkms && loads kernel/drivers/vfio/pci kernel/drivers/vfio/pci/vfio-pci-core
}

# later VERSION: the sources in a package of a version after that, /tmp/later.deb.
later() {
	local tree=/tmp/later
	dpkg-deb -R /mnt/vpv-dkms_*.deb $tree || return
	mv "$tree/usr/src/vpv-$1" "$tree/usr/src/vpv-$1+1"
	sed -i -E "s/^(Version: |DKMS_VERSION=|PACKAGE_VERSION=\")${1//./\\.}/&+1/" $tree/DEBIAN/{control,postinst,prerm} $tree/usr/src/*/dkms.conf
	rm $tree/DEBIAN/md5sums
	dpkg-deb -b $tree /tmp/later.deb
}

upgraded() {
	local version
	version=$(dpkg-query -W -f '${Version}' vpv-dkms)
	later "$version" && apt install /tmp/later.deb && built || return
	dkms status vpv
	[ ! -e "/usr/src/vpv-$version" ] && [ -z "$(dkms status vpv | grep -vF "vpv/$version+1, ")" ]
}

# What a machine needs that runs with it.
pack() {
	tar --one-file-system -C / -cf /mnt/root.tar --exclude='./mnt/*' --exclude='./tmp/*' --exclude='./usr/src/linux-*' \
		--exclude='./var/cache/apt' --exclude='./var/lib/apt/lists' --exclude='./usr/share/doc' .
}

echo "TAP version 13"
point "headers of two kernels, and those of them that they are for" "kernels_of_$VERSION_ID"
point "apt installs what signs modules" signing
files >/tmp/before
echo "# kernels that they are for: $(kernels | tr '\n' ' '); others: $(others | tr '\n' ' ')"
two_kernels() { [ "$(find /lib/modules -mindepth 1 -maxdepth 1 | wc -l)" = 2 ] && [ -n "$(kernels)" ]; }
point "two kernels, and one at least that they are for" two_kernels
point "apt installs the packages" "packages_in_$VERSION_ID"
point "modules are built for every kernel that they are for" built
point "and for no other" not_for_others
point "and none would be for a kernel without any of the options that dkms.conf names" options
point "libvirt finds the drivers in modules.alias, and udev does not" aliases
point "vpvctl runs" vpvctl --version
point "personas are those of the maps" personas
point "its files are kept" pack
point "with the drop-in installed, modprobe loads that instead of the kernel's vfio-pci" dropin
point "and the kernel's when it has been removed" dropped
# Compilers take minutes for each kernel.
[ "$(kernels | wc -l)" != 1 ] || point "apt upgrades to a later version, and its modules take the place of the others" upgraded
point "apt removes them" removed
files >/tmp/after
point "and nothing stays" diff /tmp/before /tmp/after
echo "1..$n"
