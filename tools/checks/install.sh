#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# install.sh KDIR BUILD [FLAG...]: install the modules for one kernel into a scratch
# folder, as `make modules_install` does, and look at what libvirt will read there.
# FLAGs are those with which BUILD was made.  TAP.
set -u
kdir=${1:?usage: install.sh KDIR BUILD [FLAG...]} build=${2:?usage: install.sh KDIR BUILD [FLAG...]}
shift 2
flags=$*
cd "$(dirname "$0")/../.." || exit 2
root=$(mktemp -d) || exit 2
trap 'rm -rf "$root"' EXIT
n=0 bad=0

# point NAME COMMAND...: one line of TAP.
point() {
	n=$((n + 1))
	name=$1
	shift
	if "$@"; then
		echo "ok $n $name"
	else
		echo "not ok $n $name"
		bad=1
	fi
}

none() {
	! "$@"
}

install() {
	# shellcheck disable=SC2086 # a list of words
	make -s modules_install KDIR="$kdir" BUILD="$build" INSTALL_MOD_PATH="$root" $flags \
		>"$root/log" 2>&1 || { sed 's/^/# /' "$root/log"; return 1; }
}

echo "TAP version 13"
point "make modules_install" install
release=$(cat "$kdir/include/config/kernel.release")
# In the place of the kernel's.
mkdir -p "$root/lib/modules/$release/kernel/drivers/vfio/pci"
cp "$build/vfio_pci_core/vfio-pci.ko" "$root/lib/modules/$release/kernel/drivers/vfio/pci"
depmod -b "$root" "$release" 2>/dev/null
alias=$root/lib/modules/$release/modules.alias
for file in $(find "$build" -name 'vpv_*.ko' ! -name 'vpv_test_*' | sort); do
	module=$(basename "$file" .ko)
	point "$module is installed" \
		grep -q "/$module\.ko" "$root/lib/modules/$release/modules.dep"
done
dropin() {
	modprobe -d "$root" -S "$release" --show-depends vfio-pci | tail -n 1 | grep -q '/updates/.*/vfio-pci\.ko'
}
point "modprobe takes our vfio-pci before the kernel's" dropin
# Every VFIO driver of a family names its devices; libvirt chooses a driver by that.
vfio=vpv_pci
for folder in variants/*/; do
	module=vpv_$(basename "$folder")
	vfio="$vfio\\|$module"
	point "$module has a vfio_pci: alias of its own" \
		grep -q "^alias vfio_pci:v0000....d0000.* $module\$" "$alias"
done
point "vpv_pci has a vfio_pci: alias for everything" \
	grep -q '^alias vfio_pci:v\*d\*sv\*sd\*bc\*sc\*i\* vpv_pci$' "$alias"
# libvirt would give all that there are to a driver that refuses them.
point "no driver of a family claims every virtio-net" none grep -q '^alias vfio_pci:v00001AF4d00001041sv\*sd\*' "$alias"
# Drivers of managing functions do: their functions are nobody else's.
point "no VFIO driver has a plain pci: alias" none grep -q "^alias pci:.* \\($vfio\\)\$" "$alias"
echo "1..$n"
exit $bad
