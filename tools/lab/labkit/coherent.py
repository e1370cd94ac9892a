# SPDX-License-Identifier: GPL-2.0
"""Coherent memory of model functions in L1: a file that the model and QEMU map, as physical memory that no memory map has.

QEMU offers it as an NVDIMM, which Linux leaves alone while the driver nfit is not loaded. Base and size are properties of the
function's ACPI node, in a table of ours.
"""

import uuid
from pathlib import Path

# tmpfs, private to the run: there the model finds every early access.
SHM = Path("/dev/shm")
MIB = 1 << 20
GIB = 1 << 30
# Above any RAM of L1.
FIRST_BASE = 16 * GIB
DEFAULT_MIB = 256
# Options that are not the model's.
OPTIONS = ("at",)
PROPERTIES = uuid.UUID("daffd814-6eba-4d8c-8a91-bc9bbf4aa301")
BASE, SIZE, CARVE = "vpv,coherent-mem-base", "vpv,coherent-mem-size", "vpv,coherent-carve-size"


class Memory:
    """Of one function, whose options say how large it is; its place is given by place().

    at=MIB: firmware says another address, for drivers that have to find that out.
    """

    def __init__(self, owner, folder, options):
        given = dict(option.split("=", 1) for option in options)
        self.id = f"mem-{owner}"
        self.file = SHM / f"{Path(folder).name}.{owner}"
        self.bytes = int(given.get("size", DEFAULT_MIB)) * MIB
        self.carve = int(given.get("carveout", 0)) * MIB
        self.told = int(given["at"]) * MIB if "at" in given else None
        self.base = None

    def remove(self):
        self.file.unlink(missing_ok=True)


def _length(body):
    """BODY behind its AML package length, which counts itself."""
    if len(body) + 1 < 0x40:
        return bytes([len(body) + 1]) + body
    total = len(body) + 3
    return bytes([2 << 6 | total & 0xf, total >> 4 & 0xff, total >> 12]) + body


def _package(*elements):
    return b"\x12" + _length(bytes([len(elements)]) + b"".join(elements))


def _property(name, value):
    """A package of two words: integers of 64 bits lose the upper half under the DSDT of QEMU, which has revision 1."""
    words = (value & 0xffffffff, value >> 32)
    return _package(b"\x0d" + name.encode() + b"\0", _package(*(b"\x0c" + word.to_bytes(4, "little") for word in words)))


def _scope(slot, memory):
    """Scope (\\_SB.PCI0.Sxx) { Name (_DSD, ...) }: QEMU names the node of a function after its devfn."""
    kind = b"\x11" + _length(b"\x0a\x10" + PROPERTIES.bytes_le)
    values = [_property(BASE, memory.base if memory.told is None else memory.told), _property(SIZE, memory.bytes)]
    if memory.carve:
        values.append(_property(CARVE, memory.carve))
    path = b"\\\x2f\x03_SB_PCI0" + f"S{slot << 3:02X}_".encode()
    return b"\x10" + _length(path + b"\x08_DSD" + _package(kind, _package(*values)))


def _table(body):
    head = b"SSDT" + (36 + len(body)).to_bytes(4, "little") + b"\x02\0VPVLABCOHERENT" + (1).to_bytes(4, "little") + b"VPV " + \
        (1).to_bytes(4, "little")
    table = bytearray(head + body)
    table[9] = -sum(table) & 0xff
    return bytes(table)


def place(functions):
    """Give the memories of FUNCTIONS their physical addresses; returns where the last one ends, 0 if there is none."""
    end = 0
    for function in functions:
        if function.memory:
            # 1 GiB: a driver can map it by the largest pages.
            function.memory.base = max(FIRST_BASE, -(-end // GIB) * GIB)
            end = function.memory.base + function.memory.bytes
    return end


def append(functions):
    """For the kernel command line: nfit would claim the memory."""
    return " module_blacklist=nfit" if any(function.memory for function in functions) else ""


def machine(functions):
    """What QEMU's machine needs in addition."""
    return ",nvdimm=on" if any(function.memory for function in functions) else ""


def arguments(functions, ram_mib, folder):
    """-m for a machine of RAM_MIB, with the memory of FUNCTIONS; the table is made in FOLDER."""
    end = place(functions)
    if not end:
        return ["-m", str(ram_mib)]
    owners = [function for function in functions if function.memory]
    most = ram_mib * MIB + end - 4 * GIB
    command = ["-m", f"{ram_mib}M,slots={len(owners)},maxmem={most}"]
    for function in owners:
        memory = function.memory
        command += ["-object", f"memory-backend-file,id={memory.id},share=on,mem-path={memory.file},size={memory.bytes}",
                    "-device", f"nvdimm,id=nv-{memory.id},memdev={memory.id},addr={memory.base:#x}"]
    table = Path(folder) / "coherent.aml"
    table.write_bytes(_table(b"".join(_scope(function.slot, function.memory) for function in owners)))
    return command + ["-acpitable", f"file={table}"]
