# SPDX-License-Identifier: GPL-2.0
# describe --format: the words of schedulers and monitoring, and what their own readers demand.
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

# What nova.conf's parser and its schema of aliases take: strings, ids of four digits, no other members.
cat >nova.py <<'PY'
import json, re, sys
lines = open("made").read().splitlines()
assert lines[0] == "[pci]", lines
options = [line.split(" = ", 1) for line in lines[1:]]
made = {kind: [json.loads(text) for name, text in options if name == kind] for kind in ("device_spec", "alias")}
assert len(options) == sum(map(len, made.values())), options
for kind, members in (("device_spec", {"vendor_id", "product_id", "address", "managed", "live_migratable"}),
                      ("alias", {"vendor_id", "product_id", "name", "device_type", "live_migratable"})):
    for item in made[kind]:
        assert set(item) == members and all(type(v) is str for v in item.values()), item
        assert re.fullmatch("[0-9a-f]{4}", item["vendor_id"]) and re.fullmatch("[0-9a-f]{4}", item["product_id"]), item
        assert item["live_migratable"] in ("yes", "no") and item.get("managed", "yes") in ("yes", "no"), item
names = [item["name"] for item in made["alias"]]
assert len(set(names)) == len(names), names
specs, aliases = made["device_spec"], made["alias"]
sys.exit(not eval("(" + sys.argv[1] + ")"))
PY
nova() { run describe --format nova "${@:3}"; mv "$T/err" said; mv "$T/out" made; holds "nova: $1" python3 nova.py "$2"; }
nova "all that VFIO has" '[s["address"] for s in specs] == ["0000:00:05.0", "0000:00:06.0", "0000:00:07.0"] and
	{s["managed"] for s in specs} == {"no"} and [s["live_migratable"] for s in specs] == ["yes", "yes", "no"]'
nova "one alias a kind" 'aliases == [{"vendor_id": "1234", "product_id": "7610", "name": "VF-1234-7610-live",
	"device_type": "type-VF", "live_migratable": "yes"}, {"vendor_id": "1234", "product_id": "10de",
	"name": "PCI-1234-10de", "device_type": "type-PCI", "live_migratable": "no"}]'
nova "one that the host's driver has" 'specs == [{"vendor_id": "1234", "product_id": "7610", "address": "0000:00:08.0",
	"managed": "yes", "live_migratable": "no"}] and aliases[0]["device_type"] == "type-PF"' 0000:00:08.0
holds "nova: what is not known is said" grep -q '0000:00:08.0: whether it can migrate is not known' said
nova "none" 'specs == [{**specs[0]}]' 0000:00:05.0

# Names as Kubernetes wants them.
cat >kubevirt.py <<'PY'
import json, re, sys
d = json.load(open("made"))
assert (d["apiVersion"], d["kind"]) == ("v1", "List") and [i["kind"] for i in d["items"]] == ["KubeVirt", "Node"], d
virt, node = d["items"]
assert (virt["apiVersion"], virt["metadata"]) == ("kubevirt.io/v1", {"name": "kubevirt", "namespace": "kubevirt"}), virt
devices, labels = virt["spec"]["configuration"]["permittedHostDevices"]["pciHostDevices"], node["metadata"]["labels"]
NAME = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
for item in devices:
    assert set(item) <= {"pciVendorSelector", "resourceName", "externalResourceProvider"}, item
    assert re.fullmatch("[0-9A-F]{4}:[0-9A-F]{4}", item["pciVendorSelector"]), item
    assert re.fullmatch("[a-z0-9.-]+/" + NAME, item["resourceName"]), item
for key, value in labels.items():
    assert re.fullmatch("[a-z0-9.-]+/" + NAME, key) and (not value or re.fullmatch(NAME, value)), (key, value)
sys.exit(not eval("(" + sys.argv[1] + ")"))
PY
kubevirt() { run describe --format kubevirt "${@:3}"; mv "$T/out" made; holds "kubevirt: $1" python3 kubevirt.py "$2"; }
kubevirt "permitted devices" 'devices == [{"pciVendorSelector": "1234:7610", "resourceName": "vpv/hisi_like",
	"externalResourceProvider": True}, {"pciVendorSelector": "1234:10DE", "resourceName": "vpv/1234-10de"}]'
kubevirt "the node" 'node["metadata"]["name"] == "host-a.example"'
kubevirt "labels" 'labels["vpv/hisi_like.persona"] == "vnic-v2" and labels["vpv/hisi_like.driver"] == "vpv_hisi_like" and
	labels["vpv/hisi_like.live-migratable"] == "true" and labels["vpv/hisi_like.state-version"] == "3" and
	len(labels["vpv/hisi_like.persona-digest"]) == 63' 0000:00:05.0
kubevirt "functions that differ" 'labels["vpv/hisi_like.persona"] == "mixed" and labels["vpv/hisi_like.driver"] == "vpv_hisi_like"'
printf 'family ../%s\nstate_version 1\n' "$(printf 'a%.0s' $(seq 26))" >"$R/sys/kernel/debug/vpv_migration/0000:00:06.0/features"
kubevirt "a family that is no name" 'devices[0]["resourceName"] == "vpv/" + 26 * "a"' 0000:00:06.0

# The text format 0.0.4: samples of a metric together, behind its one TYPE.
cat >prometheus.py <<'PY'
import re, sys
text = open("made").read()
assert text.endswith("\n")
types, samples, last = {}, {}, None
for line in text.splitlines():
    if line.startswith("# "):
        word, name, rest = re.fullmatch("# (HELP|TYPE) ([a-z_]+) (.+)", line).groups()
        if word == "TYPE":
            assert name not in types and rest == "gauge", line
            types[name] = last = name
        continue
    name, labels, value = re.fullmatch(r'([a-z_]+)\{((?:[a-z_]+="(?:[^"\\]|\\["\\n])*",?)*)\} ([0-9]+)', line).groups()
    assert name == last, line
    key = (name, *sorted(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels)))
    assert key not in samples, line
    samples[key] = int(value)
def value(name, **labels):
    return samples.get(("vpv_" + name, *sorted(labels.items())))
five, six = {"device": "0000:00:05.0"}, {"device": "0000:00:06.0"}
sys.exit(not eval("(" + sys.argv[1] + ")"))
PY
prometheus() { run describe --format prometheus "${@:3}"; mv "$T/out" made; holds "prometheus: $1" python3 prometheus.py "$2"; }
fake fn 0000:00:06.0 group=4 driver=vpv_hisi_like vfio=vfio1 features=stop-copy versions=hisi_like:3:2:1 \
	state=RUNNING 'error=record "x\y"' persona=default
prometheus "states" 'value("migration_state", state="PRE_COPY", **five) == 1 and value("migration_state", state="RUNNING", **five) == 0
	and value("migration_state", state="RUNNING", **six) == 1 and sum(k[0] == "vpv_migration_state" for k in samples) == 16'
prometheus "sessions" 'value("migration_session_bytes", direction="save", **five) == 1000 and
	value("migration_session_running", direction="save", **five) == 1 and
	value("migration_session_errno", direction="save", **five) == 0 and
	value("migration_session_errno", direction="load", **five) == 74 and
	value("migration_session_bytes", direction="save", **six) is None'
prometheus "refusals" 'value("migration_refused", **five) == 0 and value("migration_refused", **six) == 1'
prometheus "personas" 'any(("persona", "vnic-v2") in k and ("persona_version", "7") in k for k in samples)'
prometheus "what can migrate" '[value("migration_supported", device=f"0000:00:0{i}.0") for i in (5, 6, 7)] == [1, 1, 0]'
rm -r "$R"/sys/bus/pci/devices/*/vfio-dev
prometheus "no function" 'len(types) == 7 and not samples'
fake fn 0000:00:06.0 group=4 'driver=a"b\c' vfio=vfio1
prometheus "a name to be escaped" 'any(("driver", "a\\\"b\\\\c") in k for k in samples)'
expect "another format" 2 '' "no format 'xml'" describe --format xml
cd "$here" || exit 1
