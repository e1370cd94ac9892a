# SPDX-License-Identifier: GPL-2.0
"""A driver of the kernel's own that migrates with no hardware: mtty of samples/vfio-mdev, built as it is from Debian's sources."""

import shutil
from pathlib import Path

from . import cache, kernel
from .progress import run_logged, step

# Folder in the kernel's sources -> what its Makefile asks for.
PARTS = {"drivers/vfio/mdev": "CONFIG_VFIO_MDEV=m", "samples/vfio-mdev": "CONFIG_SAMPLE_VFIO_MDEV_MTTY=m"}


def build(kern):
    """Folder with mdev.ko and mtty.ko for KERN; built on first use."""
    source, version = kernel.sources()
    return cache.artifact("outsider", [version, kern.key, str(PARTS), "1"], lambda work: _build(kern, source, work))


def _build(kern, source, work):
    with step("mtty of the kernel's samples"):
        tree = work / "tree"
        tree.mkdir()
        run_logged("unpack mtty", ["tar", "-C", str(tree), "--strip-components=1", "--wildcards", "--no-same-owner", "-xf",
                                   str(source), *(f"*/{part}/*" for part in PARTS)])
        symbols = []
        for part, config in PARTS.items():
            # The kernel's configuration has no mdev: mdev.h of its headers serves all the same.
            run_logged(f"build {part}", ["make", "-C", str(kern.build), f"M={tree / part}", config, "modules",
                                         f"KBUILD_EXTRA_SYMBOLS={' '.join(symbols)}"])
            symbols.append(str(tree / part / "Module.symvers"))
        for name in ("mdev", "mtty"):
            shutil.copy(next(Path(tree).rglob(f"{name}.ko")), work)
        shutil.rmtree(tree)
