# SPDX-License-Identifier: GPL-2.0
"""In L1: the two drivers, QEMU's own devices and how to bind them."""

import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEVICES = Path("/sys/bus/pci/devices")
# The kernel's driver first.
DRIVERS = ("vfio-pci", "vpv_pci")
AUTOPROBE = Path("/sys/bus/pci/drivers_autoprobe")
# The device whose stock driver makes the VF.
VF_OF = "igb"
NODE_S = 10


@dataclass(frozen=True)
class Device:
    bdf: str
    name: str

    @property
    def sysfs(self):
        return DEVICES / self.bdf

    @property
    def driver(self):
        link = self.sysfs / "driver"
        return link.resolve().name if link.exists() else ""

    @property
    def nodes(self):
        """What VFIO offers for it in /dev."""
        group = Path("/dev/vfio") / (self.sysfs / "iommu_group").resolve().name
        return [group, *(Path("/dev/vfio/devices") / item.parent.name for item in self.sysfs.glob("vfio-dev/vfio*/dev"))]

    def unbind(self):
        if self.driver:
            (self.sysfs / "driver/unbind").write_text(self.bdf)

    def bind(self, driver):
        """To DRIVER and nothing else; waits for the nodes of a VFIO driver."""
        (self.sysfs / "driver_override").write_text(driver)
        self.unbind()
        Path("/sys/bus/pci/drivers_probe").write_text(self.bdf)
        if self.driver != driver:
            raise OSError(f"{self.bdf} ({self.name}) is not bound to {driver} but to '{self.driver}'")
        end = time.monotonic() + NODE_S
        while driver in DRIVERS and not all(node.exists() for node in self.nodes):
            if time.monotonic() > end:
                raise OSError(f"{self.nodes} did not all appear")
            time.sleep(0.02)


class Bound:
    """A device while it is bound to DRIVER; bound to none afterwards."""

    def __init__(self, device, driver):
        self.device, self.driver = device, driver

    def __enter__(self):
        self.device.bind(self.driver)
        return self.device

    def __exit__(self, *_):
        self.device.unbind()
        (self.device.sysfs / "driver_override").write_text("\n")


def stock():
    """QEMU's own devices, from /vpv/stock."""
    lines = [line.split() for line in Path("/vpv/stock").read_text().splitlines()]
    return [Device(bdf, name if index == "0" else f"{name}{index}") for bdf, name, index, _ in lines]


def load_stock(name):
    """The module of a stock driver, which binds nothing by itself: others of its functions may be between two users."""
    AUTOPROBE.write_text("0")
    try:
        subprocess.run(["modprobe", name], check=True)
    finally:
        AUTOPROBE.write_text("1")


def load_drivers():
    """Both at once, and allowed to make VFs."""
    subprocess.run(["modprobe", "vfio-pci", "enable_sriov=1"], check=True)
    subprocess.run(["vpv-load", "vpv_pci"], check=True)
    switch = Path("/sys/module/vpv_pci/parameters/enable_sriov")
    if switch.exists():
        switch.write_text("Y")


@contextmanager
def make_vf():
    """A VF of igb while igb's own driver drives the PF."""
    parent = next(device for device in stock() if device.name == VF_OF)
    load_stock(VF_OF)
    with Bound(parent, VF_OF):
        (parent.sysfs / "sriov_numvfs").write_text("1")
        try:
            yield Device((parent.sysfs / "virtfn0").resolve().name, f"{VF_OF}-vf")
        finally:
            (parent.sysfs / "sriov_numvfs").write_text("0")
