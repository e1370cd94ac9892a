#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The nested migration as a test, TAP on stdout.

Topology: L1 with four hisi_like functions, the third with another firmware, the fourth with fewer queues. A guest on the
first function is migrated to the fourth (refused, the guest goes on), to the third (refused: it shows other bytes; the
guest goes on), to the second and cancelled (the guest goes on); then to the second, while its driver is loaded again, and
back, while it is reset. Another guest on the first function, which now shows a persona as the third does, is migrated to
the third and back, and is paused while its function is asleep.

usage: migrate_test.py [stock|debug]    the kernel of L1, debug unless told otherwise
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import run  # noqa: E402

# Two that are alike, one with another config space, and one that does not fit.
MODELS = [("hisi_like", 2), ("hisi_like", 1, "firmware=2"), ("hisi_like", 1, "queues=8")]
TIMEOUT_S = {"stock": 540, "debug": 1080}


def test(kern, log):
    folders, models = run.prepare(kern, tools=True)
    return run.report(*run.migrate(run.ACCELERATORS, kern, folders, models, log,
                                   ["--rounds", "2", "--cancel", "--refuse", "--firmware", "--reset", "--pause"], MODELS,
                                   timeout=TIMEOUT_S[kern.name], sink=run.relay))


if __name__ == "__main__":
    sys.exit(run.main(__doc__, test, "migrate"))
