# SPDX-License-Identifier: GPL-2.0
fresh
expect "nothing" 0 '^DEVICE' '' list
json "nothing" 0 'd == []' list

fake driver vpv_hisi_like
fake driver nvme
fake alias 'v00001234d00007610sv*sd*bc*sc*i* vpv_hisi_like'
digest=$(printf '%064d' 7)
fake fn 0000:00:05.0 group=3 driver=vpv_hisi_like vfio=vfio0 state=PRE_COPY features=stop-copy,p2p "persona=vnic-v2 7 $digest"
fake fn 0000:00:06.0 group=4 vendor=8086 device=5845 driver=nvme
fake fn 0000:00:07.0 group=5 driver=vpv_hisi_like vfio=vfio1 state=ERROR persona=default
fake fn 0000:00:01.0 group=1 class=060400
fake fn 0000:00:1f.0
expect "a bound function" 0 \
	'0000:00:05.0 1234:7610 vpv_hisi_like vpv_hisi_like 3 +/dev/vfio/3 vnic-v2:7 stop-copy,p2p PRE_COPY' '' list
expect "one that could be" 0 '0000:00:06.0 8086:5845 nvme +vfio_pci +4 +- +- +- +-' '' list
expect "neither bridge nor a function without IOMMU group" 0 -  '' list
cp "$T/out" "$T/lines"
holds "neither is printed" sh -c '! grep -E "00:01.0|1f.0" "$1"' sh "$T/lines"
expect "features that nobody told" 0 '0000:00:07.0 .* default +\? +ERROR' '' list
json "only bound ones" 0 '[f["device"] for f in d] == ["0000:00:05.0", "0000:00:07.0"]' list --bound
json "persona" 0 "d[0]['persona'] == {'name': 'vnic-v2', 'version': 7, 'digest': '$digest'}" list
json "the default persona" 0 'd[2]["persona"] == {"name": "default", "version": 0, "digest": None} and d[1]["persona"] is None' list
json "all other members" 0 'd[0].pop("persona") and d[0] == {"device": "0000:00:05.0", "vendor_id": "0x1234", "device_id": "0x7610",
	"driver": "vpv_hisi_like", "vfio": True, "vfio_driver": "vpv_hisi_like", "driver_override": None,
	"iommu_group": "3", "node": "/dev/vfio/3", "migration": ["stop-copy", "p2p"], "state": "PRE_COPY"}' list
json "null for what is not known" 0 'd[2]["migration"] is None and d[1]["node"] is None' list

mkdir -p "$R/dev/vfio/devices" && : >"$R/dev/vfio/devices/vfio0"
json "the function's own node" 0 'd[0]["node"] == "/dev/vfio/devices/vfio0"' list
mkdir -p "$R/sys/kernel/debug/vfio/0000:00:08.0"
fake fn 0000:00:08.0 group=6 driver=vfio-pci vfio=vfio2
json "no migration is known as such" 0 'd[3]["migration"] == []' list
printf 'x 1 %s' "$digest z" >"$R/sys/bus/pci/devices/0000:00:07.0/vpv/persona"
json "a persona in other words is not known" 0 'd[2]["persona"] is None' list
printf 'BAD\033[31m\n' >"$R/sys/kernel/debug/vpv_migration/0000:00:07.0/state"
holds "no control characters from a file" sh -c "VPVCTL_ROOT=$R $VPVCTL list | grep -q 'BAD?.31m'"

fresh
rm -r "$R/sys/bus"
expect "no PCI" 1 '' 'cannot read /sys/bus/pci/devices' list
