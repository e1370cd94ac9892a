# SPDX-License-Identifier: GPL-2.0
"""Copies of what vpvctl describe --format prints, each with a mistake that the reader refuses.

Made of the functions that formats_test.sh makes up first.
"""


def cut(data):
    return data[:-1]


def double(data):
    """The first sample comes twice."""
    sample = next(line for line in data.splitlines(keepends=True) if not line.startswith(b"#"))
    return data.replace(sample, 2 * sample)


# (what is wrong, what is replaced everywhere, by what), or a function that does it.
NOVA = (
    ("another section", "[pci]", "[pcie]"),
    ("no section", "[pci]\n", ""),
    ("another option", "alias = ", "aliases = "),
    ("an alias with a member that Nova does not know", '"device_type"', '"managed":"no","device_type"'),
    ("an alias without a name", '"name"', '"traits"'),
    ("an alias without ids", 'alias = {"vendor_id":"1234",', 'alias = {'),
    ("an alias with a number", '"name":"', '"name":7,"traits":"'),
    ("an alias of another type", "type-VF", "type-vf"),
    ("an alias of no name", '"name":"VF-1234-7610-live"', '"name":""'),
    ("an alias that no flavor can name", "VF-1234-7610-live", "VF:1234"),
    ("two aliases of a name", "PCI-1234-10de", "VF-1234-7610-live"),
    ("an alias with an id of five digits", 'alias = {"vendor_id":"1234"', 'alias = {"vendor_id":"12345"'),
    ("an alias with an id after 0x", 'alias = {"vendor_id":"1234"', 'alias = {"vendor_id":"0x1234"'),
    ("an alias that is perhaps migratable", '"type-VF","live_migratable":"yes"', '"type-VF","live_migratable":"maybe"'),
    ("a function that is perhaps managed", '"managed":"no"', '"managed":"maybe"'),
    ("a function that is perhaps migratable", '"live_migratable":"yes"', '"live_migratable":"1.0"'),
    ("a boolean", '"managed":"no"', '"managed":false'),
    ("a domain of 20 bits", "0000:00:05.0", "10000:00:05.0"),
    ("a device number that is too large", "0000:00:05.0", "0000:00:25.0"),
    ("a function number that is too large", "0000:00:05.0", "0000:00:05.8"),
    ("a part too many", "0000:00:05.0", "0:0000:00:05.0"),
    ("no hexadecimal address", "0000:00:05.0", "0000:0g:05.0"),
    ("a name of a device beside its address", '"managed":"no"', '"managed":"no","devname":"eth0"'),
    ("no JSON", '"vendor_id"', "'vendor_id'"),
)
KUBEVIRT = (
    ("another version of the API", "kubevirt.io/v1", "kubevirt.io/v2"),
    ("another kind", '"Node"', '"node"'),
    ("a member that the CRD does not have", "externalResourceProvider", "externalProvider"),
    ("no selector", "pciVendorSelector", "pciDeviceSelector"),
    ("a provider in words", '"externalResourceProvider": true', '"externalResourceProvider": "true"'),
    ("ids with a blank", "1234:7610", "1234 7610"),
    ("ids that the uevent does not have", "1234:10DE", "1234:10de"),
    ("a resource without a prefix", '"vpv/hisi_like"', '"hisi_like"'),
    ("a resource with two prefixes", '"vpv/hisi_like"', '"a/vpv/hisi_like"'),
    ("a resource of Kubernetes' own", '"vpv/hisi_like"', '"kubernetes.io/hisi_like"'),
    ("a resource that looks like a quota", '"vpv/hisi_like"', '"requests.vpv/hisi_like"'),
    ("a resource with capitals before the slash", '"vpv/hisi_like"', '"VPV/hisi_like"'),
    ("a resource of 64 characters", '"vpv/hisi_like"', f'"vpv/{64 * "a"}"'),
    ("a resource that ends in a dash", '"vpv/hisi_like"', '"vpv/hisi_like-"'),
    ("two names for the same ids, both for KubeVirt's own plugin", "1234:7610", "1234:10DE", '"externalResourceProvider": true',
     '"externalResourceProvider": false'),
    ("a resource of two providers", '"vpv/1234-10de"', '"vpv/hisi_like"'),
    ("a node's name with an underscore", "host-a.example", "host_a.example"),
    ("a node's name with a capital", "host-a.example", "Host-a.example"),
    ("a label with a blank", '"mixed"', '"mixed and more"'),
    ("a label of 64 characters", '"mixed"', f'"{64 * "0"}"'),
    ("a label that ends in a dot", '"mixed"', '"mixed."'),
    ("a label that is no text", '"true"', "true"),
    ("a label's name of 64 characters", "vpv/hisi_like.driver", f"vpv/{64 * 'a'}"),
    ("a label's name with a slash more", "vpv/hisi_like.driver", "vpv/hisi_like/driver"),
    ("a label of kubelet's", "vpv/hisi_like.driver", "node.kubernetes.io/driver"),
    ("a name twice", '"vpv/hisi_like.live-migratable"', '"vpv/hisi_like.driver"'),
)
PROMETHEUS = (
    ("no newline at the end", cut),
    ("no help", "# HELP vpv_function_info ", "# HELPS vpv_function_info "),
    ("a second help", "# TYPE vpv_function_info gauge\n", "# TYPE vpv_function_info gauge\n# HELP vpv_function_info x\n"),
    ("another type", "vpv_function_info gauge", "vpv_function_info number"),
    ("a second type", "vpv_function_info gauge\n", "vpv_function_info gauge\n# TYPE vpv_function_info gauge\n"),
    ("a type behind the samples", "# TYPE vpv_migration_refused gauge\n", "vpv_migration_refused 1\n# TYPE vpv_migration_refused gauge\n"),
    ("a dash in a name", "\nvpv_migration_refused{", "\nvpv-migration_refused{"),
    ("a digit before a name", "\nvpv_migration_refused{", "\n7pv_migration_refused{"),
    ("a dash in a label's name", "direction=", "session-direction="),
    ("a label without quotes", 'device="0000:00:05.0"', "device=0"),
    ("a quote in a label", 'driver="', 'driver="a"b'),
    ("another escape", 'driver="', r'driver="\t'),
    ("a newline in a label", 'driver="', 'driver="a\n'),
    ("a label twice", 'device="0000:00:05.0"', 'device="0000:00:05.0",device="0"'),
    ("a label that is the metric's name", "direction=", "__name__="),
    ("a value in base 16", "} 1\n", "} 0x1\n"),
    ("a value with a unit", "} 1000\n", "} 1000B\n"),
    ("no value", "} 1000\n", "}\n"),
    ("a time", "} 1000\n", "} 1000 1395066363000\n"),
    ("bytes that are no UTF-8", 'driver="', b'driver="\xff'),
    ("a sample twice", double),
    ("the type in a name", "vpv_migration_refused", "vpv_migration_gauge_refused"),
    ("an abbreviated unit", "vpv_migration_session_bytes", "vpv_migration_session_kb"),
    ("a unit that is no base unit", "vpv_migration_session_bytes", "vpv_migration_session_minutes"),
    ("a counter's name", "vpv_migration_session_bytes", "vpv_migration_session_bytes_total"),
    ("a histogram's name", "vpv_migration_session_running", "vpv_migration_session_bucket"),
    ("a summary's name", "vpv_migration_session_running", "vpv_migration_session_count"),
    ("a histogram's label", "direction=", "le="),
    ("a summary's label", "direction=", "quantile="),
    ("a colon", "vpv_migration_refused", "vpv:migration_refused"),
    ("camels", "vpv_migration_refused", "vpv_migrationRefused"),
)
# What Nova 31 and promtool let through: ids are wanted by later releases, names are looked at when a flavor asks for one, values are
# documented as words, and times are what node exporter does not take.
TAKEN = {"an alias without ids", "an alias that no flavor can name", "a boolean", "a time"}
BROKEN = {"nova": NOVA, "kubevirt": KUBEVIRT, "prometheus": PROMETHEUS}


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def copies(reader, data):
    """(what is wrong, the broken copy) for each mistake."""
    for name, *steps in BROKEN[reader]:
        copy = data
        if callable(steps[0]):
            copy = steps[0](data)
        else:
            for old, new in zip(steps[::2], steps[1::2]):
                assert as_bytes(old) in copy, f"{reader}: {name}: there is no {old}"
                copy = copy.replace(as_bytes(old), as_bytes(new))
        yield name, copy
