# SPDX-License-Identifier: GPL-2.0
"""In L1: how much slab memory a driver holds for one device, from the kernel's own allocation events.

Everything that the thread allocates while it binds, and then opens, a device and that nobody frees until then; also
what the PCI and VFIO cores allocate on that way, which is the same for both drivers.
"""

import os
import re
import struct
from fcntl import ioctl
from pathlib import Path

from pci import Bound

TRACE = Path("/sys/kernel/tracing")
EVENTS = ("kmalloc", "kmem_cache_alloc", "kfree", "kmem_cache_free")
LINE = re.compile(r": (\w+): .*?\bptr=(\S+)(?:.*?\bbytes_alloc=(\d+))?")
FREES = ("kfree", "kmem_cache_free")
VFIO_GROUP_SET_CONTAINER, VFIO_GROUP_GET_DEVICE_FD, VFIO_SET_IOMMU = 0x3b68, 0x3b6a, 0x3b66
VFIO_TYPE1V2_IOMMU = 3


class Trace:
    """Counts bytes that were allocated and not freed while it is on."""

    def __enter__(self):
        (TRACE / "tracing_on").write_text("0")
        (TRACE / "buffer_size_kb").write_text("65536")
        (TRACE / "options/hash-ptr").write_text("0")
        (TRACE / "trace").write_text("")
        for event in EVENTS:
            (TRACE / f"events/kmem/{event}/enable").write_text("1")
        (TRACE / "set_event_pid").write_text(str(os.getpid()))
        (TRACE / "tracing_on").write_text("1")
        return self

    def __exit__(self, *_):
        (TRACE / "tracing_on").write_text("0")
        for event in EVENTS:
            (TRACE / f"events/kmem/{event}/enable").write_text("0")
        (TRACE / "set_event_pid").write_text("")

    def bytes(self):
        """Live bytes since it was switched on."""
        (TRACE / "tracing_on").write_text("0")
        live = {}
        for line in (TRACE / "trace").read_text().splitlines():
            match = LINE.search(line)
            if not match:
                continue
            if match[1] in FREES:
                live.pop(match[2], None)
            elif match[3]:
                live[match[2]] = int(match[3])
        (TRACE / "tracing_on").write_text("1")
        return sum(live.values())


class Opened:
    """A bound device while it is open, by group; just_before() is called when nothing but the device is left to open."""

    def __init__(self, device, just_before=lambda: None):
        self.device, self.just_before = device, just_before

    def __enter__(self):
        group = os.open(self.device.nodes[0], os.O_RDWR)
        container = os.open("/dev/vfio/vfio", os.O_RDWR)
        ioctl(group, VFIO_GROUP_SET_CONTAINER, struct.pack("i", container))
        ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1V2_IOMMU)
        self.just_before()
        self.fds = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bytearray(self.device.bdf.encode() + b"\0")), group, container
        return self

    def __exit__(self, *_):
        for fd in self.fds:
            os.close(fd)


def live_bytes(device, driver):
    """{"bound": bytes, "open": bytes more}"""
    device.unbind()
    before = []
    with Trace() as trace, Bound(device, driver):
        bound = trace.bytes()
        with Opened(device, lambda: before.append(trace.bytes())):
            opened = trace.bytes() - before[0]
    return {"bound": bound, "open": opened}
