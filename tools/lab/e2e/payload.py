# SPDX-License-Identifier: GPL-2.0
"""What the migration run needs in L1: the guest's kernel and initramfs, and the scripts that run there."""

import shutil
import stat
import subprocess
from pathlib import Path

from labkit import cache, cpio, env, image, kernel
from labkit.progress import LabError, run_logged, step

HERE = Path(__file__).resolve().parent
GUEST = env.REPO / "tools" / "guest"
FORMAT = "1"


def _unpacked_kernel(bzimage):
    """The ELF image inside a zstd-compressed bzImage, or BZIMAGE itself if it is packed otherwise.

    A nested guest without hardware virtualisation needs seconds to unpack its kernel; QEMU boots the ELF image itself
    (PVH).
    """
    setup = (bzimage[0x1f1] or 4) + 1
    begin = setup * 512 + int.from_bytes(bzimage[0x248:0x24c], "little")
    packed = bzimage[begin:begin + int.from_bytes(bzimage[0x24c:0x250], "little")]
    # The size that follows the packed data makes zstd complain after all of it is out.
    out = subprocess.run(["zstd", "-dcq"], input=packed, capture_output=True, check=False).stdout
    return out if out[:4] == b"\x7fELF" else bzimage


def _initramfs(path, source):
    """As little as the guest needs: every file and module costs boot time twice over."""
    archive = cpio.Archive(path)
    for name in ("dev", "proc"):
        archive.mkdir(name)
    archive.node("dev/console", stat.S_IFCHR, 5, 1)
    archive.write("bin/busybox", image.BUSYBOX.read_bytes(), 0o755)
    for name in ("init", "hsl_workload", "vpv_uio.ko"):
        archive.write(name, (source / name).read_bytes(), 0o755)
    archive.close()


def _build_guest(work, kern):
    source = work / "source"
    shutil.copytree(GUEST, source)
    run_logged("build the guest's driver", ["make", "-C", str(kern.build), f"M={source}", "modules"])
    run_logged("build the guest's workload",
               ["gcc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-s", "-o", str(source / "hsl_workload"),
                *map(str, sorted(source.glob("hsl_*.c"))), "-lz"])
    run_logged("strip the guest's driver", ["strip", "--strip-debug", str(source / "vpv_uio.ko")])
    _initramfs(work / "guest-initrd", source)
    (work / "guest-kernel").write_bytes(_unpacked_kernel(kern.image.read_bytes()))
    shutil.rmtree(source)


def guest():
    """Folder with guest-kernel and guest-initrd: Debian's stock kernel, our driver and the workload."""
    kern = kernel.stock()
    if not kern.build.exists():
        raise LabError(f"no headers for {kern.release} in the tool root: run 'tools/lab/lab clean'")
    inputs = [kern.key, FORMAT, Path(__file__), *sorted(path for path in GUEST.iterdir() if path.is_file())]

    def build(work):
        with step("guest image (L2)"):
            _build_guest(work, kern)

    return cache.artifact("guest", inputs, build)


def scripts():
    """Folder with the scripts of L1."""
    return HERE / "l1"
