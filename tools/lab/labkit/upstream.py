# SPDX-License-Identifier: GPL-2.0
"""The kernel's own VFIO selftests, built from Debian's kernel sources: as they are, and for our driver's name."""

import os
import shutil

from . import cache, kernel
from .progress import LabError, run_logged, step

THEIRS = "vfio-pci"
OURS = "vpv_pci"
# What they and their Makefiles use of the kernel tree; headers of drivers are the targets of links.
PARTS = ("tools/testing/selftests/vfio", "tools/testing/selftests/lib.mk", "tools/testing/selftests/*.h", "tools/include",
         "tools/arch/x86/include", "include/linux/pci_ids.h", "drivers/dma/ioat/*.h", "drivers/dma/idxd/*.h",
         "drivers/net/ethernet/intel/igb/*.h", "scripts/subarch.include")


def build():
    """Folder with a folder of programs for each driver; built on first use."""
    source, version = kernel.sources()
    return cache.artifact("upstream-vfio", [version, " ".join(PARTS), OURS, "1"], lambda work: _build(source, work))


def _build(source, work):
    with step("the kernel's VFIO selftests"):
        tree = work / "tree"
        tree.mkdir()
        run_logged("unpack the kernel's VFIO selftests",
                   ["tar", "-C", str(tree), "--strip-components=1", "--wildcards", "--no-same-owner", "-xf", str(source),
                    *(f"*/{part}" for part in PARTS)])
        tests = tree / "tools/testing/selftests/vfio"
        for driver in (THEIRS, OURS):
            out = work / driver
            out.mkdir()
            if driver != THEIRS:
                _rename(tests, driver)
            run_logged(f"build VFIO selftests for {driver}",
                       ["make", "-C", str(tests), f"-j{os.cpu_count() or 1}", f"OUTPUT={out}", "KHDR_INCLUDES="])
            _keep_programs(out)
        shutil.rmtree(tree)


def _rename(tests, driver):
    """The one change: the driver's name, where a test looks at it."""
    changed = 0
    for file in [*tests.glob("*.c"), *(tests / "lib").rglob("*.c")]:
        text = file.read_text()
        changed += text.count(f'"{THEIRS}"')
        file.write_text(text.replace(f'"{THEIRS}"', f'"{driver}"'))
    if not changed:
        raise LabError(f"no test of this kernel names {THEIRS}: tools/lab/labkit/upstream.py is out of date")


def _keep_programs(out):
    for item in out.iterdir():
        if item.is_dir():
            shutil.rmtree(item)
        elif not item.name.endswith("_test"):
            item.unlink()
    if not list(out.iterdir()):
        raise LabError("the kernel's VFIO selftests made no program")
