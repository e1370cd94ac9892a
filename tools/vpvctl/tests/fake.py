#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make up the parts of /sys, /proc, /dev, /lib and /boot that vpvctl reads, below a folder.

    fake.py host DIR [key=value...]      a host: release=, config=, locked=, memory=, caps=
    fake.py alias DIR LINE...            one more line for modules.alias: "PATTERN MODULE"
    fake.py driver DIR NAME [module]     a registered PCI driver
    fake.py fn DIR BDF [key=value...]    a function: vendor=, device=, revision=, class=, group=, driver=, vfio=,
                                         override=, bar2=BYTES, config=BYTES, poke=OFFSET:BYTE, state=, features=,
                                         sessions=, error=, persona=, personas=LINE;LINE, versions=FAMILY:V:OLDEST:ACCEPTS,
                                         match=RULE,NAME,SENDS,TAKES;...
    fake.py kernel DIR [refuse=NAME]     answer to bind, unbind and drivers_probe until killed
    fake.py driver-of-personas DIR BDF   answer to BDF's vpv/persona until killed
    fake.py json FILE EXPRESSION         is EXPRESSION true of d, what is in FILE?
    fake.py serve                        all of these, told on stdin: how many words, and they, each ended by a zero byte;
                                         answers each time by one line, "ok" or why not
"""

import hashlib
import json
import os
import select
import struct
import sys
from pathlib import Path

RELEASE = "6.99-test"
CONFIG = "VFIO VFIO_PCI_CORE VFIO_GROUP IOMMU_API IOMMUFD DEBUG_FS"


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.exists():
        path.unlink()
    path.write_text(text)


def link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.symlink_to(target)


def host(root, opts):
    put(root / "proc/sys/kernel/osrelease", RELEASE + "\n")
    put(root / f"boot/config-{RELEASE}", "".join(f"CONFIG_{o}=y\n" for o in opts.get("config", CONFIG).split()))
    put(root / "proc/meminfo", f"MemTotal:   {opts.get('memory', '1024')} kB\nMemFree: 5 kB\n")
    put(root / "proc/self/limits", "Limit  Soft Limit  Hard Limit  Units\nMax locked memory   "
        f"{opts.get('locked', 'unlimited')}   unlimited  bytes\n")
    put(root / "proc/self/status", f"Name:\tx\nCapEff:\t{opts.get('caps', '0' * 16)}\n")
    put(root / "sys/bus/pci/drivers_probe", "")
    for folder in ("sys/bus/pci/devices", "sys/kernel/iommu_groups", "sys/kernel/debug", "dev/vfio"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    put(root / f"lib/modules/{RELEASE}/modules.alias", "# Aliases\nalias pci:v00001234d* other\n"
        "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n")


def alias(root, lines):
    with open(root / f"lib/modules/{RELEASE}/modules.alias", "a", encoding="ascii") as aliases:
        aliases.writelines(f"alias vfio_pci:{line}\n" for line in lines)


def driver(root, name, module):
    for what in ("bind", "unbind"):
        put(root / f"sys/bus/pci/drivers/{name}/{what}", "")
    link(root / f"sys/bus/pci/drivers/{name}/module", f"../../../../module/{module}")
    put(root / f"sys/module/{module}/srcversion", "ABCDEF0123456789\n")


def config_space(fn, size, pokes):
    cfg = bytearray(4096)
    struct.pack_into("<HHHH", cfg, 0, fn["vendor"], fn["device"], 0x0406, 0x0010)
    struct.pack_into("<I", cfg, 8, fn["class"] << 8 | fn["revision"])
    struct.pack_into("<II", cfg, 0x10, 0xfe000004, 0xc)
    struct.pack_into("<II", cfg, 0x18, 0xfd00000c, 0)
    struct.pack_into("<HHB", cfg, 0x2c, 0x1af4, 0x1100, 0)
    cfg[0x34], cfg[0x3c], cfg[0x3d] = 0x40, 11, 1
    caps = ((0x01, 0x40, "0300 0800"), (0x05, 0x50, "8b00 0000e0fe 00000000 2142"),
            (0x10, 0x60, "0200 00800000 10290000"), (0x11, 0xb0, "07c0 00000000 00080000"), (0x09, 0xc0, "1001 abcdef00"))
    for i, (cap, place, data) in enumerate(caps):
        cfg[place] = cap
        cfg[place + 1] = caps[i + 1][1] if i + 1 < len(caps) else 0
        raw = bytes.fromhex(data.replace(" ", ""))
        cfg[place + 2:place + 2 + len(raw)] = raw
    struct.pack_into("<II", cfg, 0x100, 0x0001 | 2 << 16 | 0x148 << 20, 0x00100000)
    struct.pack_into("<IQ", cfg, 0x148, 0x0003 | 1 << 16, 0x1122334455667788)
    for offset, value in pokes:
        cfg[offset] = value
    return bytes(cfg[:size])


def debug_files(root, bdf, opts):
    ours = root / f"sys/kernel/debug/vpv_migration/{bdf}"
    if "state" in opts:
        put(ours / "state", opts["state"] + "\n")
        put(ours / "sessions", opts.get("sessions", "save none;load none").replace(";", "\n") + "\n")
        put(ours / "last_error", opts["error"] + "\n" if "error" in opts else "")
    if "versions" in opts:
        family, version, oldest, accepts = opts["versions"].split(":")
        put(ours / "features", f"family {family}\nstate_version {version}\nstate_oldest {oldest}\n"
            f"state_accepts {accepts}\nmatch_bytes 32\nnew_thing 5\n")
    if "match" in opts:
        put(ours / "match", opts["match"].replace(";", "\n").replace(",", "\t") + "\n")
    if "features" in opts:
        put(root / f"sys/kernel/debug/vfio/{bdf}/migration/features", opts["features"].replace(",", "\n") + "\n")


def function(root, bdf, opts):
    dev = root / f"sys/bus/pci/devices/{bdf}"
    fn = {k: int(opts.get(k, v), 16) for k, v in
          (("vendor", "1234"), ("device", "7610"), ("revision", "01"), ("class", "120000"))}
    pokes = [tuple(int(n, 0) for n in p.split(":")) for p in opts.get("poke", "").split(",") if p]
    for key, digits in (("vendor", 4), ("device", 4), ("class", 6), ("revision", 2)):
        put(dev / key, f"0x{fn[key]:0{digits}x}\n")
    put(dev / "subsystem_vendor", "0x1af4\n")
    put(dev / "subsystem_device", "0x1100\n")
    put(dev / "driver_override", opts.get("override", "(null)") + "\n")
    put(dev / "modalias", f"pci:v{fn['vendor']:08X}d{fn['device']:08X}sv00001AF4sd00001100bc12sc00i00\n")
    bars = [(0, 0, 0)] * 7
    bars[0] = (0xfe000000, 0xfe000fff, 0x140204)
    bars[2] = (0xfd000000, 0xfd000000 + int(opts.get("bar2", "0x10000"), 0) - 1, 0x14220c)
    put(dev / "resource", "".join("0x%016x 0x%016x 0x%016x\n" % b for b in bars))
    (dev / "config").write_bytes(config_space(fn, int(opts.get("config", "4096"), 0), pokes))
    if opts.get("group"):
        link(dev / "iommu_group", f"../../../kernel/iommu_groups/{opts['group']}")
        link(root / f"sys/kernel/iommu_groups/{opts['group']}/devices/{bdf}", dev)
    if opts.get("driver"):
        link(dev / "driver", f"../../drivers/{opts['driver']}")
    if opts.get("vfio"):
        (dev / "vfio-dev" / opts["vfio"]).mkdir(parents=True, exist_ok=True)
        put(root / f"dev/vfio/{opts.get('group')}", "")
    if "persona" in opts:
        put(dev / "vpv/persona", opts["persona"] + "\n")
        put(dev / "vpv/personas", "".join(line + "\n" for line in opts.get("personas", "").split(";") if line))
    debug_files(root, bdf, opts)


def attach(root, dev, name):
    if "vpv" in name or "vfio" in name:
        (dev / "vfio-dev/vfio0").mkdir(parents=True, exist_ok=True)
        put(root / "dev/vfio" / os.path.basename(os.readlink(dev / "iommu_group")), "")
    link(dev / "driver", f"../../drivers/{name}")


def detach(dev):
    if (dev / "vfio-dev/vfio0").exists():
        (dev / "vfio-dev/vfio0").rmdir()
        (dev / "vfio-dev").rmdir()
    (dev / "driver").unlink(missing_ok=True)


def kernel(root, opts):
    """Unbind comes before bind, in case that both were asked for meanwhile."""
    fifos = {}
    drivers = sorted((root / "sys/bus/pci/drivers").iterdir())
    for path in [d / "unbind" for d in drivers] + [d / "bind" for d in drivers] + [root / "sys/bus/pci/drivers_probe"]:
        path.unlink()
        os.mkfifo(path)
        fifos[os.open(path, os.O_RDWR)] = path
    put(root / "ready", "")
    while True:
        readable = select.select(list(fifos), [], [])[0]
        fd = min(readable, key=list(fifos).index)
        dev = root / "sys/bus/pci/devices" / os.read(fd, 64).decode().strip()
        path = fifos[fd]
        if path.name == "unbind":
            detach(dev)
        elif path.name == "bind" and path.parent.name != opts.get("refuse"):
            attach(root, dev, path.parent.name)
        elif path.name == "drivers_probe" and "native" in opts:
            attach(root, dev, opts["native"])


def persona_line(root, dev, name):
    """What a driver shows after NAME was written: its own persona, or the file's."""
    for line in (dev / "vpv/personas").read_text().splitlines():
        if line.split()[0] == name:
            return line
    path = root / f"lib/firmware/vpv/{name}.persona"
    if not path.exists():
        return "default"
    blob = path.read_bytes()
    return f"{name} {struct.unpack_from('<I', blob, 16)[0]} {hashlib.sha256(blob).hexdigest()}"


def personas(root, bdf):
    """A FIFO is written first, then read."""
    dev = root / f"sys/bus/pci/devices/{bdf}"
    path = dev / "vpv/persona"
    path.unlink()
    os.mkfifo(path)
    put(root / "ready", "")
    while True:
        name = path.read_text()
        path.write_text(persona_line(root, dev, name) + "\n")


def is_true(path, expression):
    return eval(f"({expression})", {"d": json.loads(path.read_text()), "json": json})


def do(verb, root, *words):
    """Return: whether it is so, or was done."""
    root = Path(root)
    opts = dict(w.split("=", 1) for w in words if "=" in w)
    if verb == "host":
        host(root, opts)
    elif verb == "alias":
        alias(root, words)
    elif verb == "driver":
        driver(root, words[0], words[1] if len(words) > 1 else words[0].replace("-", "_"))
    elif verb == "fn":
        function(root, words[0], opts)
    elif verb == "kernel":
        kernel(root, opts)
    elif verb == "driver-of-personas":
        personas(root, words[0])
    elif verb == "json":
        return is_true(root, words[0])
    return True


def words_of_stdin():
    rest = b""
    while data := os.read(0, 65536):
        *words, rest = (rest + data).split(b"\0")
        yield from (word.decode() for word in words)


def serve():
    words = words_of_stdin()
    for number in words:
        asked = [next(words) for _ in range(int(number))]
        try:
            said = "ok" if do(*asked) else "no"
        except Exception as error:      # whatever it is, the test that asked has failed
            said = f"{type(error).__name__}: {error}".replace("\n", " ")
        print(said, flush=True)


if sys.argv[1] == "serve":
    serve()
else:
    sys.exit(not do(*sys.argv[1:]))
