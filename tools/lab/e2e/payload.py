# SPDX-License-Identifier: GPL-2.0
"""What the migration runs need in L1: the guests' kernel and initramfs archives, and the scripts that run there."""

import re
import shutil
import stat
import subprocess
from pathlib import Path

from labkit import cache, cpio, env, image, kernel
from labkit.progress import LabError, run_logged, step

HERE = Path(__file__).resolve().parent
GUEST = env.REPO / "tools" / "guest"
HARDWARE = env.REPO / "include" / "hw"
FORMAT = "3"
# Stock modules with which a guest drives a network function, and an NVMe controller with its file systems.
NET_MODULES = ["virtio_pci", "virtio_net"]
NVME_MODULES = ["crc32c_generic", "nvme", "ext4", "erofs"]
# What a guest has on its second namespace: Debian's programs, and the libraries that they need.
LINKER = Path("usr/lib64/ld-linux-x86-64.so.2")
TOOLS = ("fio", "nvme", "mke2fs", "e2fsck")


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


def _initramfs(path, source, init, *names):
    """As little as the guest needs: every file and module costs boot time twice over."""
    archive = cpio.Archive(path)
    for name in ("dev", "proc", "sys"):
        archive.mkdir(name)
    archive.node("dev/console", stat.S_IFCHR, 5, 1)
    archive.write("bin/busybox", image.BUSYBOX.read_bytes(), 0o755)
    archive.write("init", (source / init).read_bytes(), 0o755)
    for name in names:
        archive.write(name, (source / name).read_bytes(), 0o755)
    return archive


def _program(source, name, *sources):
    run_logged(f"build the guest's {name}",
               ["gcc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-s",
                f"-I{HARDWARE.parent}", "-o", str(source / name),
                *map(str, sources), *(str(source / f"{part}.c") for part in ("line", "uio", "workload")), "-lz"])


def _build_guest(work, kern):
    source = work / "source"
    shutil.copytree(GUEST, source)
    run_logged("build the guest's driver", ["make", "-C", str(kern.build), f"M={source}", "modules"])
    run_logged("strip the guest's driver", ["strip", "--strip-debug", str(source / "vpv_uio.ko")])
    _program(source, "hisil_workload", *sorted(source.glob("hisil_*.c")))
    _program(source, "gpu_workload", *sorted(source.glob("gpu_*.c")))
    _program(source, "net_workload", source / "net_workload.c")
    _program(source, "nvme_workload", source / "nvme_workload.c")
    _initramfs(work / "guest-initrd", source, "init", "hisil_workload", "vpv_uio.ko").close()
    _initramfs(work / "gpu-initrd", source, "init", "gpu_workload", "vpv_uio.ko").close()
    _initramfs(work / "spin-initrd", source, "spin-init").close()
    archive = _initramfs(work / "net-initrd", source, "net-init", "net_workload")
    image.add_modules(archive, kern, NET_MODULES)
    archive.close()
    archive = _initramfs(work / "nvme-initrd", source, "nvme-init", "nvme_workload")
    image.add_modules(archive, kern, NVME_MODULES)
    archive.close()
    (work / "guest-kernel").write_bytes(_unpacked_kernel(kern.image.read_bytes()))
    shutil.rmtree(source)


def guest():
    """Folder with guest-kernel, Debian's stock kernel; guest-initrd and gpu-initrd, our driver and the workload of an
    accelerator, and of a function with coherent memory; net-initrd and nvme-initrd, stock drivers and the workload of a
    network and of a disk; and spin-initrd, which only computes."""
    kern = kernel.stock()
    if not kern.build.exists():
        raise LabError(f"no headers for {kern.release} in the tool root: run 'tools/lab/lab clean'")
    inputs = [kern.key, FORMAT, Path(__file__), image.BUSYBOX, *sorted(path for path in GUEST.iterdir() if path.is_file()),
              *sorted(HARDWARE.iterdir())]

    def build(work):
        with step("guest image (L2)"):
            _build_guest(work, kern)

    return cache.artifact("guest", inputs, build)


def _libraries(program, found):
    """Add to FOUND {name: file} the libraries of PROGRAM, and theirs."""
    out = subprocess.run(["readelf", "-d", str(program)], stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in re.findall(r"\(NEEDED\).*\[(.+)\]", out):
        if name in found:
            continue
        file = next(iter(sorted((env.L1ROOT / "usr/lib").rglob(name))), None)
        if file is None:
            raise LabError(f"{program.name} needs {name}, which the root of L1 does not have")
        found[name] = file
        _libraries(file, found)


def _program_file(name):
    for folder in ("usr/bin", "usr/sbin"):
        path = env.L1ROOT / folder / name
        if path.exists():
            return path
    raise LabError(f"the root of L1 has no {name}")


def tools():
    """An image of the programs that a guest runs from a namespace of its own: TOOLS of the root of L1."""
    def build(work):
        with step("image of fio and nvme-cli"):
            tree, found = work / "tree", {LINKER.name: env.L1ROOT / LINKER}
            for folder in ("bin", "lib"):
                (tree / folder).mkdir(parents=True)
            for name in TOOLS:
                shutil.copy(_program_file(name), tree / "bin")
                _libraries(tree / "bin" / name, found)
            for name, file in found.items():
                shutil.copy(file, tree / "lib" / name)
            run_logged("make the image", ["mkfs.erofs", "--quiet", "--all-root", "-T0", str(work / "image"), str(tree)])
            shutil.rmtree(tree)

    return cache.artifact("guest-tools", [env.L1ROOT_KEY, " ".join(TOOLS), FORMAT], build) / "image"


def scripts():
    """Folder with the scripts of L1."""
    return HERE / "l1"
