# SPDX-License-Identifier: GPL-2.0
"""The heap of QEMU in L0: it keeps what it has. To give it back, and to take it again, was a tenth of the time of a machine whose
functions are opened all the time.
"""

import os
import subprocess
import threading

from . import env

_building = threading.Lock()


def environ():
    """The environment for QEMU."""
    library = env.RUN / "keep.so"
    with _building:
        if not library.exists():
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, env.LAB / "keep.c"], check=True)
    return dict(os.environ, LD_PRELOAD=str(library))
