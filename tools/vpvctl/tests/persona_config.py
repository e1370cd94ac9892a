#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Config spaces of made-up devices, for the tests of personas.

    persona_config.py DEVICE FILE [POSITION:BYTES=VALUE]...

Devices: hisi, hisi2 (a later firmware), fw1, fw2 (those of the model), virtio, nvme, loop (a chain that does not
end), absent (all ones), small (256 bytes).  Changes are made last.
"""

import sys


class Config:
    """4096 bytes with chains of capabilities."""

    def __init__(self, ids, sub, revision, class_code):
        self.data = bytearray(4096)
        self.put(0x00, 2, ids[0])
        self.put(0x02, 2, ids[1])
        self.put(0x08, 4, class_code << 8 | revision)
        self.put(0x2c, 2, sub[0])
        self.put(0x2e, 2, sub[1])
        self.last = self.last_ext = 0

    def put(self, pos, size, val):
        self.data[pos:pos + size] = val.to_bytes(size, "little")

    def get(self, pos, size):
        return int.from_bytes(self.data[pos:pos + size], "little")

    def cap(self, pos, cap_id, *regs):
        """Append to the standard chain; registers are (offset, size, value)."""
        self.put(self.last + 1 if self.last else 0x34, 1, pos)
        self.put(0x06, 2, self.get(0x06, 2) | 0x10)
        self.put(pos, 2, cap_id)
        self.last = pos
        for off, size, val in regs:
            self.put(pos + off, size, val)

    def ext(self, pos, cap_id, version, *regs):
        if self.last_ext:
            self.put(self.last_ext, 4, self.get(self.last_ext, 4) | pos << 20)
        self.put(pos, 4, version << 16 | cap_id)
        self.last_ext = pos
        for off, size, val in regs:
            self.put(pos + off, size, val)

    def exp(self, pos, devcap=0x10008021):
        self.cap(pos, 0x10, (2, 2, 2), (4, 4, devcap), (8, 2, 0x2810), (0xc, 4, 0x11),
                 (0x12, 2, 0x11), (0x24, 4, 0x10), (0x2c, 4, 2), (0x30, 2, 1))

    def pm(self, pos, pmc=3):
        self.cap(pos, 0x01, (2, 2, pmc), (4, 2, 8))

    def msix(self, pos, vectors, table, pba):
        self.cap(pos, 0x11, (2, 2, vectors - 1), (4, 4, table), (8, 4, pba))


def hisi():
    c = Config((0x1234, 0x7610), (0x1234, 0x7610), 1, 0x120000)
    c.put(0x18, 4, 0x4)
    c.put(0x20, 4, 0x4)
    c.exp(0x40)
    c.pm(0x74)
    c.msix(0x7c, 64, 4, 0x2004)
    c.ext(0x100, 0x03, 1, (4, 4, 1), (8, 4, 0x12347610))
    return c


def hisi2():
    """Other order and places, more of everything, bytes of the vendor."""
    c = Config((0x1234, 0x7610), (0x1234, 0x7611), 2, 0x120000)
    c.put(0x18, 4, 0x4)
    c.put(0x20, 4, 0x4)
    c.msix(0x40, 128, 4, 0x4004)
    c.cap(0x50, 0x09, (2, 1, 0x10), (4, 4, 0x66726d77))
    c.pm(0x60, 0xc803)
    c.exp(0x80, 0x10008022)
    c.ext(0x100, 0x0b, 1, (4, 4, 0x01000001))
    c.ext(0x200, 0x03, 1, (4, 4, 2), (8, 4, 0x12347610))
    return c


def vendor(c, pos, text):
    c.cap(pos, 0x09, (2, 1, len(text) + 4))
    c.data[pos + 3:pos + 3 + len(text)] = text


def fw1():
    """Documentation/hardware/hisi_like.rst, section 1."""
    c = Config((0x1234, 0x7610), (0x1234, 0x7610), 1, 0x120000)
    c.put(0x18, 4, 0x4)
    c.put(0x20, 4, 0x4)
    c.exp(0x40)
    c.pm(0x74)
    c.msix(0x7c, 64, 4, 0x2004)
    vendor(c, 0x88, b"hsl fw 1.0.7")
    c.ext(0x100, 0x03, 1, (4, 4, 1), (8, 4, 0x12347610))
    return c


def fw2():
    c = Config((0x1234, 0x7610), (0x1234, 0x7610), 2, 0x120000)
    c.put(0x18, 4, 0x4)
    c.put(0x20, 4, 0x4)
    c.msix(0x40, 64, 4, 0x2004)
    vendor(c, 0x4c, b"hsl fw 2.1.0 build 5")
    c.pm(0x64)
    c.exp(0x6c)
    c.ext(0x100, 0x0b, 1, (4, 4, 0x01020048), (8, 4, 0x20260901))
    c.ext(0x110, 0x03, 1, (4, 4, 2), (8, 4, 0x12347610))
    return c


def virtio():
    c = Config((0x1af4, 0x1041), (0xabcd, 0x0001), 1, 0x020000)
    c.put(0x20, 4, 0xc)
    for pos, kind, size in ((0x40, 1, 16), (0x50, 3, 16), (0x60, 4, 16), (0x70, 2, 20),
                            (0x84, 5, 20)):
        c.cap(pos, 0x09, (2, 1, size), (3, 1, kind), (4, 1, 4))
    c.msix(0x98, 3, 1, 0x801)
    c.exp(0xc0)
    c.pm(0xa8)
    c.ext(0x100, 0x0b, 1, (4, 4, 0x01000001))
    return c


def nvme():
    c = Config((0x8086, 0x0a54), (0x8086, 0x4702), 0, 0x010802)
    c.put(0x10, 4, 0x4)
    c.pm(0x40)
    c.msix(0x50, 129, 0x2000, 0x3000)
    c.exp(0x60)
    c.ext(0x100, 0x01, 2)
    c.ext(0x150, 0x03, 1, (4, 4, 0x11223344))
    c.ext(0x270, 0x1e, 1)
    return c


def loop():
    c = hisi()
    c.put(0x7d, 1, 0x40)
    return c


def absent():
    c = hisi()
    c.data[:] = b"\xff" * 4096
    return c


def small():
    c = hisi()
    del c.data[256:]
    return c


DEVICES = {f.__name__: f for f in (hisi, hisi2, fw1, fw2, virtio, nvme, loop, absent, small)}


def main(device, path, *changes):
    config = DEVICES[device]()
    for change in changes:
        place, val = change.split("=")
        pos, size = place.split(":")
        config.put(int(pos, 0), int(size), int(val, 0))
    with open(path, "wb") as out:
        out.write(config.data)


if __name__ == "__main__":
    main(*sys.argv[1:])
