# SPDX-License-Identifier: GPL-2.0
# describe --format: the words of schedulers and monitoring, taken as their own readers take them (formats.py).
fresh
echo Host-A.example >"$R/proc/sys/kernel/hostname"
fake driver vpv_hisi_like
fake driver vfio-pci
fake fn 0000:00:05.0 group=3 driver=vpv_hisi_like vfio=vfio0 features=stop-copy,p2p versions=hisi_like:3:2:1 \
	state=PRE_COPY 'sessions=save result -115 bytes 1000 records 0;load result -74 bytes 55 records 3' \
	"persona=vnic-v2 7 $(printf '%064d' 7)"
fake fn 0000:00:06.0 group=4 driver=vpv_hisi_like vfio=vfio1 features=stop-copy versions=hisi_like:3:2:1 \
	state=RUNNING 'error=record "x\y"' persona=default
fake fn 0000:00:07.0 group=5 driver=vfio-pci vfio=vfio2 device=10de features=p2p
fake fn 0000:00:08.0 group=6 driver=nvme
ln -s ../0000:00:08.0 "$R/sys/bus/pci/devices/0000:00:05.0/physfn"
ln -s ../0000:00:08.0 "$R/sys/bus/pci/devices/0000:00:06.0/physfn"
echo 4 >"$R/sys/bus/pci/devices/0000:00:08.0/sriov_totalvfs"
cd "$T" || exit 1

# as READER WHAT EXPRESSION [OPERAND...]: the reader takes what vpvctl prints for it, and has EXPRESSION then.
as() {
	run describe --format "$1" "${@:4}"
	mv "$T/err" said
	mv "$T/out" made
	holds "$1: $2" python3 "$here/formats.py" "$1" made "$3"
}
# broken READER: it refuses copies with mistakes.
broken() {
	run describe --format "$1"
	mv "$T/out" made
	holds "$1: what is broken is refused" python3 "$here/formats.py" --broken "$1" made
}

broken nova
as nova "all that VFIO has" '[s["address"] for s in specs] == ["0000:00:05.0", "0000:00:06.0", "0000:00:07.0"] and
	{s["managed"] for s in specs} == {"no"} and [s["live_migratable"] for s in specs] == ["yes", "yes", "no"]'
as nova "one alias a kind" 'aliases == [{"vendor_id": "1234", "product_id": "7610", "name": "VF-1234-7610-live",
	"device_type": "type-VF", "live_migratable": "yes"}, {"vendor_id": "1234", "product_id": "10de",
	"name": "PCI-1234-10de", "device_type": "type-PCI", "live_migratable": "no"}]'
as nova "one that the host's driver has" 'specs == [{"vendor_id": "1234", "product_id": "7610", "address": "0000:00:08.0",
	"managed": "yes", "live_migratable": "no"}] and aliases[0]["device_type"] == "type-PF"' 0000:00:08.0
holds "nova: what is not known is said" grep -q '0000:00:08.0: whether it can migrate is not known' said
fake fn 10000:00:05.0 group=7 driver=vpv_hisi_like vfio=vfio3 features=stop-copy
as nova "a domain that it does not take" '[s["address"] for s in specs] == ["0000:00:05.0", "0000:00:06.0", "0000:00:07.0"]'
holds "nova: what is left out is said" grep -q '10000:00:05.0: Nova takes no domain above ffff: left out' said
as nova "nothing else" 'not specs and not aliases' 10000:00:05.0
rm -r "$R/sys/bus/pci/devices/10000:00:05.0"
as nova "one of them" 'specs == [{**specs[0]}]' 0000:00:05.0

broken kubevirt
holds "kubevirt: its own examples are taken" python3 "$here/formats.py" --examples kubevirt made
as kubevirt "permitted devices" 'devices == [{"pciVendorSelector": "1234:7610", "resourceName": "vpv/hisi_like",
	"externalResourceProvider": True}, {"pciVendorSelector": "1234:10DE", "resourceName": "vpv/1234-10de"}]'
as kubevirt "the node" 'node["metadata"]["name"] == "host-a.example"'
as kubevirt "labels" 'labels["vpv/hisi_like.persona"] == "vnic-v2" and labels["vpv/hisi_like.driver"] == "vpv_hisi_like" and
	labels["vpv/hisi_like.live-migratable"] == "true" and labels["vpv/hisi_like.state-version"] == "3" and
	len(labels["vpv/hisi_like.persona-digest"]) == 63' 0000:00:05.0
as kubevirt "functions that differ" 'labels["vpv/hisi_like.persona"] == "mixed" and labels["vpv/hisi_like.driver"] == "vpv_hisi_like"'
printf 'family ../%s\nstate_version 1\n' "$(printf 'a%.0s' $(seq 26))" >"$R/sys/kernel/debug/vpv_migration/0000:00:06.0/features"
as kubevirt "a family that is no name" 'devices[0]["resourceName"] == "vpv/" + 26 * "a"' 0000:00:06.0
# The first one of these ids is for the plugin of KubeVirt, and the others are not.
fake fn 0000:00:04.0 group=7 driver=vfio-pci vfio=vfio3 features=p2p
as kubevirt "the same ids at another driver" 'devices[:2] == [{"pciVendorSelector": "1234:7610", "resourceName": "vpv/1234-7610"},
	{"pciVendorSelector": "1234:7610", "resourceName": "vpv/hisi_like", "externalResourceProvider": True}]' \
	0000:00:04.0 0000:00:05.0 0000:00:07.0
fake driver vpv_pci
fake fn 0000:00:09.0 group=8 driver=vpv_pci vfio=vfio4
as kubevirt "a resource has one provider" 'devices == [{"pciVendorSelector": "1234:7610", "resourceName": "vpv/1234-7610",
	"externalResourceProvider": True}]' 0000:00:04.0 0000:00:09.0
rm -r "$R"/sys/bus/pci/devices/0000:00:0[49].0

fake fn 0000:00:06.0 group=4 driver=vpv_hisi_like vfio=vfio1 features=stop-copy versions=hisi_like:3:2:1 \
	state=RUNNING 'error=record "x\y"' persona=default
broken prometheus
as prometheus "states" 'value("migration_state", state="PRE_COPY", **five) == 1 and value("migration_state", state="RUNNING", **five) == 0
	and value("migration_state", state="RUNNING", **six) == 1 and sum(k[0] == "vpv_migration_state" for k in samples) == 16'
as prometheus "sessions" 'value("migration_session_bytes", direction="save", **five) == 1000 and
	value("migration_session_running", direction="save", **five) == 1 and
	value("migration_session_errno", direction="save", **five) == 0 and
	value("migration_session_errno", direction="load", **five) == 74 and
	value("migration_session_bytes", direction="save", **six) is None'
as prometheus "refusals" 'value("migration_refused", **five) == 0 and value("migration_refused", **six) == 1'
as prometheus "personas" 'any(("persona", "vnic-v2") in k and ("persona_version", "7") in k for k in samples)'
as prometheus "what can migrate" '[value("migration_supported", device=f"0000:00:0{i}.0") for i in (5, 6, 7)] == [1, 1, 0]'
rm -r "$R"/sys/bus/pci/devices/*/vfio-dev
as prometheus "no function" 'len(types) == 7 and not samples'
fake fn 0000:00:06.0 group=4 'driver=a"b\c' vfio=vfio1
as prometheus "a name to be escaped" 'any(("driver", "a\\\"b\\\\c") in k for k in samples)'
ln -sfn $'../../../bus/pci/drivers/a\xffb' "$R/sys/bus/pci/devices/0000:00:06.0/driver"
as prometheus "a name that is no UTF-8" 'any(("driver", "a?b") in k for k in samples)'
expect "another format" 2 '' "no format 'xml'" describe --format xml
cd "$here" || exit 1
