# SPDX-License-Identifier: GPL-2.0
"""QEMU's own device models in L1: each in a slot and an IOMMU group of its own, PCIe ones behind a root port."""

import json
from dataclasses import dataclass
from pathlib import Path

from .progress import LabError

# From here downwards; the models of models.py grow upwards.
LAST_SLOT = 0x1e
DISK_BYTES = 64 << 20
ROM_BYTES = 2048
ROM_NAME = "option.rom"


@dataclass(frozen=True)
class Kind:
    """One of QEMU's devices, and what it is plugged in with."""
    driver: str
    options: tuple = ()         # KEY=VALUE of -device
    express: bool = True        # behind a root port, else on bus 0
    backend: str = ""           # "net": a port of a hub that joins all NICs; "disk": an empty disk of DISK_BYTES
    rom: bool = False           # has the ROM that rom_image() makes
    functions: int = 1          # so many of them in one slot


KINDS = {
    "edu": Kind("edu", express=False),
    "e1000e": Kind("e1000e", backend="net", rom=True),
    "igb": Kind("igb", ("romfile=",), backend="net"),
    # Two of its functions in one slot: Linux knows that they are isolated, and gives each a group. The first has to
    # name the second, because with ARI nobody looks for it otherwise.
    "igb-pair": Kind("igb", ("romfile=",), backend="net", functions=2),
    # The same of e1000e, of which Linux does not know that: one group has both.
    "e1000e-pair": Kind("e1000e", ("romfile=",), backend="net", functions=2),
    "nvme": Kind("nvme", backend="disk"),
    "virtio-net": Kind("virtio-net-pci", ("romfile=", "disable-legacy=on", "iommu_platform=on"), backend="net"),
    # A device with little but a large 64-bit BAR (testdev:membar=4G); behind a port, whose bus reset it needs.
    "testdev": Kind("pci-testdev"),
    # A bridge, that is no device, and that nobody has a driver for.
    "bridge": Kind("pci-bridge", ("chassis_nr=255", "shpc=off", "msi=off"), express=False),
    # The firmware's display: its ROM is a copy in memory.
    "vga": Kind("VGA", express=False),
    # One without legacy ranges, whose class is "other display"; the firmware's, if there is no other one.
    "bochs-display": Kind("bochs-display", express=False),
    # The same as vga behind a port of its own, which keeps the legacy ranges from it.
    "vga-port": Kind("VGA"),
}


class Device:
    """One device: its place and its QEMU arguments."""

    def __init__(self, name, index, slot, options):
        self.name, self.index, self.slot = name, index, slot
        self.kind = KINDS[name]
        self.id = f"{name}{index}"
        self.options = [*self.kind.options, *options]

    @property
    def lines(self):
        """Where L1 finds its functions: SLOT of bus 0, or of the root port that leads to it and "/", then FUNCTION."""
        place = f"0000:00:{self.slot:02x}." + ("0/" if self.kind.express else "")
        return "".join(f"{place}{number} {self.name} {self.index * self.kind.functions + number} -\n"
                       for number in range(self.kind.functions))

    def arguments(self, folder):
        """For QEMU; files that the device needs are made in FOLDER."""
        command = []
        if self.kind.express:
            # 5 GT/s: after a reset of the link QEMU does not report it active, which Linux waits for above that.
            command += ["-device", f"pcie-root-port,id=port-{self.id},addr={self.slot:x},chassis={self.slot},x-speed=5"]
        for number in range(self.kind.functions):
            command += self._function(number, folder)
        return command

    def _function(self, number, folder):
        name = f"{self.id}-{number}" if number else self.id
        command, own = [], {"driver": self.kind.driver, "id": name}
        if self.kind.express:
            own["bus"] = f"port-{self.id}"
        else:
            own["addr"] = f"{self.slot:x}"
        if self.kind.functions > 1:
            own["addr"] = f"0.{number:x}"
            own["multifunction"] = "on"
            own["x-pcie-ari-nextfn-1"] = "off" if number else "on"
        if self.kind.backend == "net":
            command += ["-netdev", f"hubport,id=net-{name},hubid=0"]
            own["netdev"] = f"net-{name}"
        if self.kind.backend == "disk":
            disk = Path(folder) / f"{name}.disk"
            with open(disk, "wb") as file:
                file.truncate(DISK_BYTES)
            command += ["-blockdev", json.dumps({"driver": "raw", "node-name": f"disk-{name}", "file": {
                "driver": "file", "filename": str(disk)}})]
            own["drive"] = f"disk-{name}"
            own["serial"] = name
        if self.kind.rom:
            rom = Path(folder) / ROM_NAME
            rom.write_bytes(rom_image())
            own["romfile"] = str(rom)
        return [*command, "-device", ",".join([f"{key}={value}" if key != "driver" else value
                                               for key, value in own.items()] + self.options)]


def rom_image():
    """An option ROM that no firmware runs: an image of a type that SeaBIOS skips, then bytes that a test can know.

    PCI Firmware Specification 3.2, 5.1: header at 0, PCI data structure at 0x1c; byte N of the rest is N * 7 + N / 256.
    """
    data = bytearray((place * 7 + (place >> 8)) & 0xff for place in range(ROM_BYTES))
    data[0:0x1c] = bytes(0x1c)
    data[0:3] = bytes((0x55, 0xaa, ROM_BYTES // 512))
    data[0x18:0x1a] = (0x1c).to_bytes(2, "little")
    # Signature, ids (none), length 24, revision 0, class, image length in 512 bytes, code type EFI, last image.
    data[0x1c:0x34] = (b"PCIR" + bytes(6) + (24).to_bytes(2, "little") + bytes(4) +
                       (ROM_BYTES // 512).to_bytes(2, "little") + bytes((0, 0, 3, 0x80, 0, 0)))
    return bytes(data)


def parse(spec):
    """NAME[:KEY=VALUE...][,...] as [(name, option, ...)]."""
    wanted = []
    for part in filter(None, (spec or "").split(",")):
        name, *options = part.split(":")
        if name not in KINDS or not all("=" in option for option in options):
            raise LabError(f"--devices {spec}: expected NAME[:KEY=VALUE...][,...] with NAME one of {' '.join(KINDS)}")
        wanted.append((name, *options))
    return wanted


def plan(wanted, first_free):
    """The devices of [(name, option, ...)], from the last slot downwards but not below FIRST_FREE."""
    if len(wanted) > LAST_SLOT - first_free + 1:
        raise LabError(f"{len(wanted)} devices do not fit in the slots that the models leave")
    counts = {}
    found = []
    for place, (name, *options) in enumerate(wanted):
        index = counts.get(name, 0)
        counts[name] = index + 1
        found.append(Device(name, index, LAST_SLOT - place, options))
    return found
