# SPDX-License-Identifier: GPL-2.0
"""What is preloaded into QEMU in L0.

keep.c: its heap keeps what it has. To give it back, and to take it again, was a tenth of the time of a machine whose functions are
opened all the time. vmrun.c: interrupts of nested guests come once.
"""

import os
import subprocess
import threading

from . import env

SOURCES = [env.LAB / "keep.c", env.LAB / "vmrun.c"]
_building = threading.Lock()


def environ():
    """The environment for QEMU."""
    library = env.RUN / "preload.so"
    with _building:
        if not library.exists():
            subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, *SOURCES], check=True)
    return dict(os.environ, LD_PRELOAD=str(library))
