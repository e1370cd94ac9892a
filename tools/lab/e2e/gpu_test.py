#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The nested migration of a function with coherent memory as a test, TAP on stdout.

Topology: L1 with four functions of coherent_gpu, two of them without a log of what they write. A guest in which the function and
CPUs write 64 MiB is migrated to the second function and back, another one from the third to the fourth, without pre-copy.

usage: gpu_test.py [stock|debug]    the kernel of L1, stock unless told otherwise
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import run  # noqa: E402

MODELS = [("coherent_gpu", 2), ("coherent_gpu", 2, "log=0")]
TIMEOUT_S = {"stock": 900, "debug": 1400}
# CPUs rewrite 4 MiB, the function these, 4 others and a MiB further on in each of its rounds; what it computes with is in 4 more. So
# 13 or 14 of 57 to 59 that are sent are left for STOP_COPY; and as many more if QEMU stops the guest while it reads a pass of pre-copy.
ARGUMENTS = ["--rounds", "2", "--lead", "20", "--timeout", "300", "--compare", "0.5", "--reset",
             "--workload=-m64,-w4,-x4,-y1"]


def test(kern, log):
    folders, models = run.prepare(kern)
    return run.report(*run.migrate(run.COMPUTE, kern, folders, models, log, ARGUMENTS, MODELS, timeout=TIMEOUT_S[kern.name],
                                   sink=run.relay))


if __name__ == "__main__":
    sys.exit(run.main(__doc__, test, "gpu", default="stock"))
