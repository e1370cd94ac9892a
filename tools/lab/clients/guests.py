# SPDX-License-Identifier: GPL-2.0
"""In L1: guests that a function is assigned to, of QEMU and of User Mode Linux, and what their client (guest/init) tells."""

import os
import re
import subprocess
from pathlib import Path

IMAGE = Path(__file__).parent / "image"
OUT = Path("/vpv/out/clients")
GUEST_S = 300
KERNEL_LINE = "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check tsc=reliable cryptomgr.notests nowatchdog random.trust_cpu=on"
# What is DMA to a function under User Mode Linux is this memory, but for what the program's image takes of it.
UML_MIB = 256


def _run(name, command, console, log):
    """{word: value} of what the client tells on CONSOLE until the guest powers off."""
    status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, timeout=GUEST_S).returncode
    told = dict(re.findall(r"client: (\S+) ?(\S*)\r?\n", console.read_text(errors="replace")))
    if status or "done" not in told:
        raise OSError(f"the guest {name} did not finish: status {status}, told {told}; see {console.name}")
    return told


def qemu(device, client):
    console = OUT / f"{client}.console"
    kvm = os.path.exists("/dev/kvm")
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
               "-machine", "q35,vmport=off,hpet=off", "-accel", "kvm" if kvm else "tcg", "-cpu", "host" if kvm else "max",
               "-smp", "1", "-m", "320", "-kernel", str(IMAGE / "vmlinuz"), "-initrd", str(IMAGE / "initrd"),
               "-append", f"{KERNEL_LINE} client={client}", "-serial", f"file:{console}",
               "-device", f"vfio-pci,host={device.bdf}"]
    with open(OUT / f"{client}.qemu", "wb") as log:
        return _run(client, command, console, log)


def uml(device, client):
    """It opens a VFIO group, maps all of its memory with type 1, and knows MSI-X alone."""
    name = f"uml.{device.driver}.{client}"
    console = OUT / f"{name}.console"
    command = [str(IMAGE / "linux"), f"mem={UML_MIB}M", f"initrd={IMAGE / 'uml.initrd'}", f"vfio_uml.device={device.bdf}",
               "quiet", f"client={client}"]
    with open(console, "wb") as log:
        return _run(name, command, console, log)
