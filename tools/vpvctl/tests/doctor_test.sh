# SPDX-License-Identifier: GPL-2.0
DEV=0000:00:05.0
healthy() { # OPTIONS OF THE FUNCTION
	fresh
	fake driver vpv_hisi_like
	fake driver vfio-pci vfio_pci
	fake driver nvme
	fake alias 'v00001234d00007610sv*sd*bc*sc*i* vpv_hisi_like'
	fake fn $DEV group=3 driver=vpv_hisi_like vfio=vfio0 override=vpv_hisi_like state=RUNNING \
		features=stop-copy,p2p,pre-copy,dirty-tracking "$@"
}
one() { # NAME ID SUBJECT ARGUMENTS...: this finding and no other
	json "$1" 1 "[(f['finding'], f['subject']) for f in d['findings']] == [('$2', '$3')] and d['findings'][0]['fix']" \
		doctor "${@:4}"
}

healthy
expect "nothing" 0 'nothing found' '' doctor
json "nothing as JSON" 0 'd == {"findings": [], "not_checked": []}' doctor $DEV

healthy driver=vfio-pci override=vfio-pci
one "wrong driver" wrong-driver $DEV
expect "with its fix" 1 "$DEV: it is bound to vfio-pci, but vpv_hisi_like is made for it .wrong-driver.
    fix: vpvctl bind $DEV vpv_hisi_like" '' doctor
healthy
sed -i /hisi/d "$R"/lib/modules/*/modules.alias
one "alias missing" alias-missing $DEV
healthy driver=vfio-pci override=vfio-pci
sed -i /hisi/d "$R"/lib/modules/*/modules.alias
one "driver of the family missing" driver-missing $DEV $DEV
expect "with what to install" 1 "vpv_hisi_like, which is made for it, is not installed for kernel .*driver-missing.
    fix: apt install vpv-dkms linux-headers-" '' doctor
# Each function that a variant is for: when the variant is not there, and when it is.
top=$here/../../..
hex_of() { sed -n "s/^#define $1[[:space:]]*//p" "$top"/include/hw/*.h; }
while read -r driver vendor device subvendor subdevice; do
	healthy
	sed -i /hisi/d "$R"/lib/modules/*/modules.alias
	fake fn $DEV group=3 driver=vfio-pci vfio=vfio0 vendor="$(hex_of "$vendor")" device="$(hex_of "$device")"
	[ -z "$subvendor" ] || hex_of "$subvendor" >"$R/sys/bus/pci/devices/$DEV/subsystem_vendor"
	[ -z "$subdevice" ] || hex_of "$subdevice" >"$R/sys/bus/pci/devices/$DEV/subsystem_device"
	one "$driver is missing" driver-missing $DEV $DEV
	expect "what to install for it" 1 "$driver, which is made for it, .*fix: apt install vpv-dkms linux-headers-" '' doctor $DEV
	# shellcheck disable=SC2046 # two numbers
	fake alias "$(printf 'v%08Xd%08Xsv*sd*bc*sc*i* %s' $(hex_of "$vendor") $(hex_of "$device") "$driver")"
	one "$driver is not missing" wrong-driver $DEV $DEV
	echo "$driver" >>"$T/families"
done < <(sed -n 's/^ \* Function of \([a-z0-9_]*\): \(.*\)$/\1 \2/p' "$top"/include/hw/*.h | tr -d ,)
holds "all variants are known to it" diff <(sort -u "$T/families") <(cd "$top/variants" && printf 'vpv_%s\n' */ | tr -d / | sort)
for finding in $(sed -n 's/.*finding("\([a-z0-9-]*\)".*/\1/p' "$top"/tools/vpvctl/*.c | sort -u); do
	holds "$finding is in the man page" grep -q "^${finding//-/\\\\-}	" "$top/tools/vpvctl/vpvctl.8"
done
healthy
fake alias 'v00001234d00007610sv*sd*bc*sc*i* other_driver'
one "alias tied" alias-tied $DEV
healthy
fake alias 'v00001234d00007610sv00001AF4sd*bc*sc*i* other_driver'
one "a more specific alias" wrong-driver $DEV
healthy
fake alias 'v00001234d00007610sv*sd*bc*sc*i* vpv-hisi-like' 'v00001234d00009999sv*sd*bc*sc*i* x'
expect "the same module twice is no tie" 0 'nothing found' '' doctor
healthy override=vfio-pci
one "override not in effect" override-unused $DEV
healthy
fake fn 0000:00:05.1 group=3 driver=nvme
one "group not viable" not-viable $DEV
healthy
rm "$R/dev/vfio/3"
one "no node" no-node $DEV
healthy state=ERROR 'error=header checksum'
one "state is ERROR" state-error $DEV
healthy features=stop-copy,dirty-tracking
one "no P2P" no-p2p $DEV
healthy features=stop-copy,p2p
one "no dirty tracking" no-dirty-tracking $DEV

healthy
fake fn 0000:00:06.0 group=4 driver=vfio-pci vfio=vfio1 vendor=8086 features=
expect "a function that does not migrate is none" 0 'nothing found' '' doctor
one "unless it is named" no-migration 0000:00:06.0 0000:00:06.0
fake fn 0000:00:07.0 group=5 driver=nvme vendor=8086
expect "nor is one of the kernel" 0 'nothing found' '' doctor
one "unless named" not-bound 0000:00:07.0 0000:00:07.0
rm "$R/sys/bus/pci/devices/$DEV/iommu_group"
one "no IOMMU group" no-group $DEV $DEV

healthy
rm -r "$R/sys/kernel/debug/vfio"
expect "unknown features are not checked" 0 "nothing found|not checked: $DEV: P2P" '' doctor
rm -r "$R/sys/kernel/debug/vpv_migration"
json "and said so" 0 'not d["findings"] and len(d["not_checked"]) == 2' doctor

for option in VFIO IOMMU_API IOMMUFD DEBUG_FS; do
	healthy
	sed -i "/CONFIG_$option=/d" "$R"/boot/config-*
	one "CONFIG_$option is not set" kernel-option kernel
done
healthy
sed -i 's/^CONFIG_VFIO_PCI_CORE=y/# CONFIG_VFIO_PCI_CORE is not set/' "$R"/boot/config-*
one "CONFIG_VFIO_PCI_CORE is not set" kernel-option kernel
healthy
sed -i s/VFIO_GROUP=y/VFIO_DEVICE_CDEV=m/ "$R"/boot/config-*
expect "cdev instead of groups" 0 'nothing found' '' doctor
healthy
sed /IOMMUFD/d "$R"/boot/config-* | gzip >"$R/proc/config.gz"
one "/proc/config.gz comes first" kernel-option kernel
rm "$R"/boot/config-* "$R/proc/config.gz"
expect "no config" 0 'not checked: kernel options' '' doctor

fresh locked=8388608 memory=16777216
mkdir -p "$R/sys/kernel/iommu_groups/1"
one "limit of locked memory" memlock host
fresh locked=8388608 memory=16777216 caps=0000000000004000
mkdir -p "$R/sys/kernel/iommu_groups/1"
expect "CAP_IPC_LOCK needs none" 0 'nothing found' '' doctor
fresh
one "no IOMMU" iommu-off host
mkdir -p "$R/sys/kernel/iommu_groups/1" "$R/sys/module/vfio/parameters"
echo Y >"$R/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
one "unsafe mode" noiommu host
