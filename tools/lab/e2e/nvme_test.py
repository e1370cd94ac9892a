#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The nested migration of an NVMe controller as a test, TAP on stdout.

Topology: L1 with two NVM subsystems (nvme_cf) of one controller each, with different firmware, on boards of two vendors, that
share a disk. First vpvctl names a limit in which the two are made to differ, and a guest finds a byte that the model has
changed. Another guest with the stock nvme driver, ext4 and fio is migrated to the other subsystem and back.

usage: nvme_test.py [stock|debug]    the kernel of L1, debug unless told otherwise
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import run  # noqa: E402

MODELS = [("nvme_cf", 1), ("nvme_cf", 1, "firmware=2", "subvendor=0x1b36")]
TIMEOUT_S = {"stock": 1200, "debug": 1400}
ARGUMENTS = ["--rounds", "2", "--blocks", "2000", "--lead", "500", "--timeout", "300", "--firmware", "--flip", "--reset"]


def test(kern, log):
    folders, models = run.prepare(kern, tools=True)
    return run.report(*run.migrate(run.DISKS, kern, folders, models, log, ARGUMENTS, MODELS, timeout=TIMEOUT_S[kern.name],
                                   sink=run.relay))


if __name__ == "__main__":
    sys.exit(run.main(__doc__, test, "nvme"))
