# SPDX-License-Identifier: GPL-2.0
fresh
fake driver vpv_hisi_like
fake fn 0000:00:05.0 group=3 driver=vpv_hisi_like vfio=vfio0 features=stop-copy,p2p,pre-copy,dirty-tracking \
	versions=hisi_like:3:2:1 "persona=vnic-v2 7 $(printf '%064d' 7)"
fake fn 0000:00:06.0 group=4 driver=vpv_hisi_like vfio=vfio1 config=64
fake fn 0000:00:07.0 group=5 config=256 poke=0x51:0x50
fake fn 0000:00:08.0 group=6 driver=vpv_hisi_like poke=5:1,0x52:0x8a,0x54:0x77,0x44:3,0x68:0xff,0xb3:0,0x104:9,0x10:0
fake fn 0000:00:09.0 group=7 driver=vpv_hisi_like poke=0xc4:1

DEV=0000:00:05.0
json "ids and driver" 0 'd["ids"] == {"vendor": "0x1234", "device": "0x7610", "subsystem_vendor": "0x1af4",
	"subsystem_device": "0x1100", "class": "0x120000", "revision": "0x01"} and d["driver"]["name"] == "vpv_hisi_like"
	and d["driver"]["srcversion"] == "ABCDEF0123456789" and d["driver"]["kernel"] == "6.99-test"' describe $DEV
json "format and view" 0 'd["vpvctl_describe"] == 1 and d["view"] == "host" and d["device"] == "0000:00:05.0"' describe $DEV
json "BARs" 0 'd["bars"] == [{"bar": 0, "bytes": 4096, "type": "memory 64"},
	{"bar": 2, "bytes": 65536, "type": "memory 64 prefetchable"}]' describe $DEV
json "capabilities in order" 0 '[c["offset"] for c in d["capabilities"]] == ["0x40", "0x50", "0x60", "0xb0", "0xc0"] and
	[c["name"] for c in d["capabilities"]][1::2] == ["MSI", "MSI-X"]' describe $DEV
json "extended capabilities" 0 'd["extended_capabilities"][1] == {"id": "0x0003", "name": "serial number",
	"offset": "0x148", "version": 1}' describe $DEV
json "migration features" 0 'd["migration"] == {"features": ["stop-copy", "p2p", "pre-copy", "dirty-tracking"],
	"features_from": "debugfs",
	"family": "hisi_like", "state_version": 3, "state_oldest": 2, "state_accepts": 1, "match": None}' describe $DEV
json "persona" 0 'd["persona"]["name"] == "vnic-v2" and d["persona"]["version"] == 7 and d["persona"]["digest"].endswith("07")' describe $DEV
json "fingerprint" 0 'd["config"]["bytes"] == 4096 and d["config"]["fingerprint"].startswith("crc32c:") and
	len(d["config"]["normalised"]) == 8192' describe $DEV
expect "JSON without being asked" 0 '^\{' '' describe $DEV
one=$(sed -n 's/.*fingerprint": *"\(.*\)".*/\1/p' "$T/out")
json "volatile bytes do not count" 0 "d['config']['fingerprint'] == '$one'" describe 0000:00:08.0
json "other bytes do" 0 "d['config']['fingerprint'] != '$one'" describe 0000:00:09.0
json "no root: 64 bytes, and no layout" 0 'd["config"]["bytes"] == 64 and d["capabilities"] is None and
	d["migration"]["features"] is None and d["migration"]["family"] is None and d["migration"]["state_version"] is None and
	d["persona"] is None' describe 0000:00:06.0
json "a chain that loops ends" 0 'len(d["capabilities"]) == 64 and d["extended_capabilities"] is None' describe 0000:00:07.0
expect "open needs a VFIO driver" 0 '"view": "host"' 'not bound to a VFIO driver; showing what the host' \
	describe --open 0000:00:08.0
expect "open that fails" 0 '"view": "host"' "cannot ask the group's status" describe --open $DEV
