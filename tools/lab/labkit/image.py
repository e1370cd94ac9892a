# SPDX-License-Identifier: GPL-2.0
"""Disk images and initramfs archives of L1 and L2."""

import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from . import cache, cpio, env, kernel
from .progress import LabError, run_logged, step

BUSYBOX = Path("/usr/bin/busybox")
# What an initramfs needs to reach its disks; built into the debug kernel. In 6.12 erofs asks the crypto API for CRC-32C by name.
L1_BOOT = ["crc32c_generic", "virtio_pci", "virtio_blk", "erofs", "overlay", "virtio_console"]
L2_MODULES = ["virtio_pci", "vfio_pci", "vfio_iommu_type1"]


@dataclass(frozen=True)
class HostImage:
    """What L1 boots from."""
    initrd: Path
    root: Path
    modules: Path


def erofs(title, image, source, *options):
    run_logged(title, ["mkfs.erofs", "--quiet", "--all-root", "-T0", *options, str(image), str(source)])


def _root_image():
    def build(work):
        with step("L1 root image"):
            erofs("make the L1 root image", work / "root.erofs", env.L1ROOT)
    return cache.artifact("l1-root", [env.L1ROOT_KEY], build) / "root.erofs"


def disk_image(name):
    """A root of tools/lab/packages/NAME, for L1 to mount (vpv-disk)."""
    if name not in env.DISKS:
        raise LabError(f"this run has no root {name}: see roots_for in tools/lab/lab")

    def build(work):
        with step(f"image of {name}"):
            erofs(f"make the image of {name}", work / "disk.erofs", f"/run/disk-{name}")
    return cache.artifact(name, [env.DISKS[name], "2"], build) / "disk.erofs"


def _modules_image(kern):
    def build(work):
        with step(f"module image of the {kern.name} kernel"):
            tree = work / "tree"
            shutil.copytree(kern.modules, tree / kern.release, symlinks=True,
                            ignore=shutil.ignore_patterns("build", "source", "vmlinuz", "System.map", "sound", "gpu",
                                                          "media", "wireless", "staging"))
            run_logged("index modules", ["depmod", "-b", str(_as_root(tree, work)), kern.release])
            erofs("make the module image", work / "modules.erofs", tree)
            shutil.rmtree(work / "depmod")
            shutil.rmtree(tree)
    return cache.artifact("modules", [kern.key, "1"], build) / "modules.erofs"


def _as_root(tree, work):
    """A folder in which TREE is /usr/lib/modules, as depmod wants it."""
    base = work / "depmod"
    (base / "lib").mkdir(parents=True)
    (base / "usr").mkdir()
    (base / "usr/lib").symlink_to("../lib")
    (base / "lib/modules").symlink_to(tree)
    return base


def _start(path, init):
    """An initramfs with busybox and INIT."""
    archive = cpio.Archive(path)
    for name in ("proc", "sys", "dev", "tmp", "run", "bin"):
        archive.mkdir(name)
    archive.node("dev/console", stat.S_IFCHR, 5, 1)
    archive.write("bin/busybox", BUSYBOX.read_bytes(), 0o755)
    archive.link("bin/sh", "busybox")
    archive.write("init", init.read_bytes(), 0o755)
    return archive


def add_modules(archive, kern, names):
    """Modules of KERN with all that they need, and modules/order with the order of loading."""
    files = kern.closure(names)
    loading = []
    for file in files:
        short = file.name.split(".")[0]
        archive.write(f"modules/{short}.ko", kernel.read_module(file))
        loading.append(f"{short}\n")
    archive.write("modules/order", "".join(loading).encode())


def _host_initrd(kern):
    init = env.LAB / "guest" / "l1-initramfs"

    def build(work):
        archive = _start(work / "initrd", init)
        add_modules(archive, kern, L1_BOOT)
        archive.close()

    return cache.artifact(f"l1-initrd-{kern.name}", [kern.key, init, BUSYBOX, " ".join(L1_BOOT), "1"], build) / "initrd"


def host_image(kern):
    """Everything L1 needs to boot KERN; built on first use."""
    return HostImage(_host_initrd(kern), _root_image(), _modules_image(kern))


def installed_image(kern, root):
    """What L1 boots from when its root is the image ROOT, which has the modules of KERN."""
    return HostImage(_host_initrd(kern), root, root)


def guest_image(dest, kern, payload=None, modules=(), own_modules=()):
    """Write DEST/vmlinuz and DEST/initrd of an L2 guest.

    payload: folder that becomes /payload; the guest runs /payload/init. modules: modules of KERN to load first, by
    name; own_modules: files of modules that are loaded after them.
    """
    dest = Path(dest)
    dest.mkdir(parents=True, exist_ok=True)
    shutil.copy(kern.image, dest / "vmlinuz")
    archive = _start_guest(dest / "initrd", payload)
    add_modules(archive, kern, [*L2_MODULES, *modules])
    for file in own_modules:
        archive.write(f"own/{Path(file).name}", Path(file).read_bytes())
    archive.close()


def _start_guest(path, payload):
    archive = _start(path, env.LAB / "guest" / "l2-init")
    if payload:
        archive.mkdir("payload")
        archive.tree("payload", payload)
    return archive


def guest_initrd(path, payload):
    """Write the initramfs of an L2 guest whose kernel has all that it needs; payload: as of guest_image()."""
    archive = _start_guest(path, payload)
    archive.write("modules/order", b"")
    archive.close()
