# SPDX-License-Identifier: GPL-2.0
"""The time stamp counter of emulated machines, which is the host's.

A kernel that measures it while it boots on a busy machine may be wrong by far, and all its time with it: so it is told.
"""

import functools
import platform
import subprocess
import threading

from . import env


_measuring = threading.Lock()


@functools.cache
def _measured():
    if platform.machine() != "x86_64":
        return ""
    program = env.WORK / "tsc"
    subprocess.run(["cc", "-O2", "-o", program, env.LAB / "tsc.c"], check=True)
    return f"tsc_early_khz={subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()} "


def append():
    """More kernel command line; none where an emulated machine has another counter."""
    with _measuring:        # machines may boot at a time
        return _measured()
