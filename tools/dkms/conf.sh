#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# conf.sh VERSION [vfio-pci]: print the dkms.conf of the tree's modules: those that its Kbuild files name, but for the tests. vfio-pci:
# of the one that stands in for the kernel's module of that name. Those that it uses are built with it, and are installed by the former.
set -eu
usage='usage: conf.sh VERSION [vfio-pci]'
version=${1:?$usage}
cd "$(dirname "$0")/../.."
case ${2:-} in
'')
	name=vpv objects='vpv_[a-z0-9_]*' flags=
	;;
vfio-pci)
	name=vpv-vfio-pci objects=vfio-pci
	flags="CONFIG_VPV_DROPIN=m $(sed -n 's/^export \(CONFIG_VPV_[A-Z0-9_]*\) := m$/\1=n/p' Kbuild |
		grep -Ev '_(CONFIG|CORE|KUNIT_TEST)=n$' | tr '\n' ' ')"
	;;
*)
	echo "$usage" >&2
	exit 2
	;;
esac

cat <<CONF
PACKAGE_NAME="$name"
PACKAGE_VERSION="$version"
# What include/compat knows: older kernels lack parts of VFIO.
BUILD_EXCLUSIVE_KERNEL="^(6\.(1[2-9]|[2-9][0-9])|[7-9]|[1-9][0-9]+)\."
# What Kconfig selects or asks for.
BUILD_EXCLUSIVE_CONFIG="CONFIG_PCI CONFIG_VFIO CONFIG_VFIO_VIRQFD CONFIG_IRQ_BYPASS_MANAGER CONFIG_FW_LOADER CONFIG_CRC32 CONFIG_CRYPTO_LIB_SHA256 CONFIG_CONFIGFS_FS"
AUTOINSTALL="yes"
MAKE[0]="make -C \$kernel_source_dir M=\$dkms_tree/\$PACKAGE_NAME/\$PACKAGE_VERSION/build ${flags}CONFIG_VPV_KUNIT_TEST=n CONFIG_VPV_TEST=n modules"
CONF
n=0
for kbuild in config_virt/Kbuild migration/Kbuild vfio_pci_core/Kbuild variants/*/Kbuild; do
	for object in $(sed -n "s/^obj-\\\$(CONFIG_VPV_[A-Z0-9_]*) += \\($objects\\)\\.o\$/\\1/p" "$kbuild"); do
		cat <<-CONF
			BUILT_MODULE_NAME[$n]="$object"
			BUILT_MODULE_LOCATION[$n]="${kbuild%/Kbuild}"
			DEST_MODULE_LOCATION[$n]="/updates/dkms"
		CONF
		n=$((n + 1))
	done
done
[ "$n" -gt 0 ]
