#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every command of Documentation/operating.rst is given by a test, or the page says that it is not, and why. TAP.

Commands are the lines of its literal blocks. The page lists those that nothing has tried: "* ``COMMAND``: REASON", below "Not tried".
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PAGE = TOP / "Documentation/operating.rst"
# What a command begins with: who gives it, and what stands there. The longest one counts.
LAB = "tools/lab/"
TRIED = {
    "make dist": (LAB + "debian/roots.sh", "/tools/dist.sh"),
    "make deb": (LAB + "packages_test.py", "packages.build("),
    "apt install": (LAB + "debian/install.sh", "install /mnt/vpv-dkms_*.deb /mnt/vpvctl_*.deb /mnt/vpv-personas_*.deb"),
    "apt install linux-image-amd64/bookworm-backports": (
        LAB + "debian/roots.sh", "linux-headers-amd64/bookworm-backports linux-image-amd64/bookworm-backports"),
    "apt install openssl mokutil": (LAB + "debian/install.sh", "install dkms openssl mokutil"),
    "dkms status vpv": (LAB + "debian/install.sh", "dkms status vpv"),
    "mokutil --sb-state": (LAB + "debian/machine.sh", "mokutil --sb-state"),
    "mokutil --test-key": (LAB + "debian/machine.sh", "mokutil --test-key /var/lib/dkms/mok.pub"),
    "modinfo -F signer": (LAB + "debian/machine.sh", "modinfo -F signer vpv_core"),
    # All that begin so.
    "vpvctl": ("tools/vpvctl/tests/operating_test.sh", r"s/^    \(vpvctl .*\)/\1/p"),
    "virsh nodedev-list": (LAB + "e2e/l1/l1_libvirt.py", 'virsh("nodedev-list", "--cap", "pci")'),
    "virsh nodedev-detach": (LAB + "e2e/l1/l1_libvirt.py", 'virsh("nodedev-detach", name, *words)'),
    "virsh nodedev-reattach": (LAB + "e2e/l1/l1_libvirt.py", 'virsh("nodedev-reattach", name)'),
    "driverctl set-override": (LAB + "e2e/l1/l1_libvirt.py", '"driverctl", "set-override"'),
    "driverctl unset-override": (LAB + "e2e/l1/l1_libvirt.py", '"unset-override"'),
    "driverctl --noprobe unset-override": (LAB + "e2e/l1/l1_libvirt.py", '"--noprobe"'),
    "virsh migrate-setmaxdowntime": (LAB + "e2e/hosts.py", 'virsh("migrate-setmaxdowntime", name'),
    "virsh migrate": (LAB + "e2e/hosts.py", '"migrate", "--live", "--p2p", "--verbose"'),
    "modprobe -r": (LAB + "e2e/hosts_upgrade.py", 'host.run("modprobe", "-r", *family.modules)'),
    "modprobe -r vpv_config": (LAB + "e2e/hosts_upgrade.py", 'host.run("modprobe", "-r", "vpv_config")'),
}


def commands(text):
    """Lines of literal blocks that begin with the name of a program, without remarks."""
    found = []
    for block in re.findall(r"::\n\n((?: {4}.*\n|\n)+)", text):
        lines = [line[4:] for line in block.splitlines() if re.match(r" {4}[a-z]", line)]
        found += [command for command in (re.split(r"\s+#", line)[0].strip() for line in lines) if command not in found]
    return found


def begins(command, start):
    return f"{command} ".startswith(f"{start} ")


def trouble(command, untried):
    if any(begins(command, start) for start in untried):
        return ""
    start = max((start for start in TRIED if begins(command, start)), key=len, default=None)
    if not start:
        return "no test gives it, and the page does not say why"
    file, evidence = TRIED[start]
    return "" if evidence in (TOP / file).read_text() else f"{file} does not have {evidence}"


def main():
    text = PAGE.read_text()
    found = commands(text)
    untried = re.findall(r"^\* ``([^`]+)``: ", text.partition("\nNot tried\n")[2], re.M)
    points = [(command, trouble(command, untried)) for command in found]
    points += [(f"{start} is on the page", "" if any(begins(command, start) for command in found) else "it is not")
               for start in (*TRIED, *untried)]
    for number, (name, said) in enumerate(points, 1):
        if said:
            print(f"# {said}")
        print(f"{'not ok' if said else 'ok'} {number} {name.replace('#', '')}")
    print(f"1..{len(points)}")
    return any(said for _, said in points)


if __name__ == "__main__":
    sys.exit(main())
