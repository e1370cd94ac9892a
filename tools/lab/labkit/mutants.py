# SPDX-License-Identifier: GPL-2.0
"""vpv_migration.ko with one deliberate bug each (tools/checks/mutants_conformance.py)."""

import fnmatch
import os
import shutil
import sys

from . import build, env
from .progress import LabError, run_logged, step

sys.path.insert(0, str(env.REPO / "tools/checks"))
import mutants_conformance as table   # noqa: E402
from mutants import mutated           # noqa: E402

MODULE = "migration/vpv_migration.ko"


def wanted():
    """(shapes, mutants) that TEST asks for, which is all without it."""
    pattern = os.environ.get("TEST") or "*"
    return tuple({name: item for name, item in items.items() if fnmatch.fnmatch(name, pattern)} for items in (table.SHAPES, table.MUTANTS))


def _one(kern, folder, item, dest):
    """Build the module in FOLDER with the edits of ITEM, which are taken back."""
    try:
        found = mutated(env.REPO, item.edits)
    except ValueError as error:
        raise LabError(f"{dest.stem}: {error}") from error
    for path, text in found.items():
        (folder / path).write_text(text)
    try:
        # This module alone: all others are linked to it by name.
        run_logged(f"build mutant {dest.stem}", ["make", "-C", str(kern.build), f"M={folder}", build.JOBS, MODULE])
        shutil.copy(folder / MODULE, dest)
    finally:
        for path in found:
            (folder / path).write_text((env.REPO / path).read_text())


def modules(kern, dest):
    """Fill the folder DEST with NAME.ko and the lists of what to do with them: shapes (NAME FAMILY), mutants (NAME FAMILY RULE)."""
    shapes, mutants = wanted()
    if not shapes and not mutants:
        raise LabError(f"no mutant matches '{os.environ['TEST']}'")
    folder = env.BUILD / f"mutants-{kern.release}"
    dest.mkdir(parents=True)
    with step(f"{len(shapes) + len(mutants)} mutants of vpv_migration"), build.busy(folder):
        run_logged("build what mutants are compared with", ["make", "-C", str(env.REPO), build.JOBS, "modules", f"KDIR={kern.build}",
                                                            f"BUILD={folder}"])
        for name, item in {**shapes, **mutants}.items():
            _one(kern, folder, item, dest / f"{name}.ko")
    (dest / "shapes").write_text("".join(f"{name} {item.family}\n" for name, item in shapes.items()))
    (dest / "mutants").write_text("".join(f"{name} {item.family} {item.rule}\n" for name, item in mutants.items()))
