# SPDX-License-Identifier: GPL-2.0
"""User Mode Linux: a program that uses VFIO and shares no code with QEMU. Built from Debian's kernel sources, with uml.config."""

import shutil

from . import cache, env, kernel
from .progress import run_logged, step


def build():
    """The program; built on first use."""
    source, version = kernel.sources()
    fragment = (env.LAB / "uml.config").read_text()
    return cache.artifact("uml", [version, fragment, "1"], lambda work: _build(work, source, fragment)) / "linux"


def _build(work, source, fragment):
    tree = work / "build"
    make = kernel.configure(tree, "uml", source, fragment, "ARCH=um")
    with step("User Mode Linux: compile"):
        run_logged("compile User Mode Linux", [*make, "linux"])
    shutil.copy(tree / "linux", work)
    shutil.copy(tree / ".config", work / "config")
    shutil.rmtree(tree)
