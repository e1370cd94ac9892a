# SPDX-License-Identifier: GPL-2.0
"""Machines whose root is a Debian installation, as tools/lab/debian/install.sh leaves it, also with Secure Boot."""

import shutil
import ssl
from dataclasses import dataclass
from pathlib import Path

from . import cache, env, image, kernel
from .progress import LabError, run_logged, step

SECURE = Path("/run/disk-secure")
FIRMWARE = SECURE / "usr/share/OVMF"
# Who has entered a key into shim's list: anybody.
OWNER = "5b2a4f6e-2f3c-4c0e-9d1a-7d0c6a8e4b11"


@dataclass(frozen=True)
class Installation:
    kernel: object
    boot: object        # image.HostImage
    certificate: Path   # PEM, of the key that DKMS has signed with


def unpack(folder):
    """The installation of FOLDER/root.tar as an image, once for each kernel in it."""
    packed, tree, root = folder / "root.tar", folder / "tree", folder / "root.erofs"
    tree.mkdir()
    with step("image of the installation"):
        # All of /boot: files of newer kernels are links to those there.
        run_logged("unpack the installation's kernels", ["tar", "-C", str(tree), "-xf", str(packed), "--no-same-owner", "--wildcards",
                                                         "./boot/*", "./usr/lib/modules/*", "./var/lib/dkms/mok.pub"])
        image.erofs("make the installation's image", root, packed, "--tar=f")
    packed.unlink()
    certificate = folder / "mok.pem"
    certificate.write_text(ssl.DER_cert_to_PEM_cert((tree / "var/lib/dkms/mok.pub").read_bytes()))
    found = []
    for vmlinuz in sorted((tree / "boot").glob("vmlinuz-*")):
        release = vmlinuz.name.removeprefix("vmlinuz-")
        modules = tree / "usr/lib/modules" / release
        kern = kernel.Kernel("debian", release, vmlinuz, modules, modules / "build", cache.digest(vmlinuz))
        found.append(Installation(kern, image.installed_image(kern, root), certificate))
    return found


def _variables(file, certificate):
    """What the firmware remembers: CERTIFICATE is in shim's list of keys, as if somebody had enrolled it."""
    begin = FIRMWARE / "OVMF_VARS_4M.ms.fd"
    if not certificate:
        shutil.copy(begin, file)
        return
    lib = SECURE / "usr/lib/x86_64-linux-gnu"
    run_logged("enroll the key", [str(lib / "ld-linux-x86-64.so.2"), "--library-path", str(lib), str(SECURE / "usr/bin/python3"), "-m",
                                  "virt.firmware.vars", "--input", str(begin), "--output", str(file), "--add-mok", OWNER, str(certificate)],
               environ={"PYTHONHOME": str(SECURE / "usr"), "PYTHONPATH": str(SECURE / "usr/lib/python3/dist-packages")})


def secure_boot(folder, certificate=None):
    """A loader of vm.Job: with Secure Boot and Microsoft's keys, by Debian's shim and GRUB; FOLDER is for its files. shim trusts
    CERTIFICATE, too.
    """
    if "secure" not in env.DISKS:
        raise LabError("this run has no firmware with Secure Boot: see roots_for in tools/lab/lab")
    disk, variables = folder / "disk", folder / "variables.fd"
    for path in (disk / "EFI/BOOT", disk / "EFI/debian"):
        path.mkdir(parents=True)
    _variables(variables, certificate)
    shutil.copy(SECURE / "usr/lib/shim/shimx64.efi.signed", disk / "EFI/BOOT/BOOTX64.EFI")
    shutil.copy(SECURE / "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", disk / "EFI/BOOT/grubx64.efi")

    def loader(kern, initrd, append):
        shutil.copy(kern, disk / "vmlinuz")
        shutil.copy(initrd, disk / "initrd")
        (disk / "EFI/debian/grub.cfg").write_text(f"linux /vmlinuz {append}\ninitrd /initrd\nboot\n")
        # Behind the disks that L1 knows by their order.
        return ["-machine", "smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on",
                "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE / 'OVMF_CODE_4M.secboot.fd'}",
                "-drive", f"if=pflash,format=raw,unit=1,file={variables}",
                "-drive", f"if=none,id=efi,format=raw,readonly=on,file=fat:{disk}",
                "-device", "virtio-blk-pci,drive=efi,addr=1d,bootindex=0"]

    return loader
