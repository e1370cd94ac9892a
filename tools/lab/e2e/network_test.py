#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The nested migration of network functions as a test, TAP on stdout.

Topology: L1 with one mlx5_like device of four functions. A guest with the stock virtio-net driver on the first two keeps a
TCP connection busy over each, and is migrated to the other two and back.

usage: network_test.py [stock|debug]    the kernel of L1, debug unless told otherwise
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import run  # noqa: E402

MODELS = [("mlx5_like", 4, "image=8M", "dirty=100")]
TIMEOUT_S = {"stock": 420, "debug": 900}


def test(kern, log):
    folders, models = run.prepare(kern)
    return run.report(*run.migrate(run.NETWORKS, kern, folders, models, log, ["--functions", "2", "--rounds", "2", "--reset"], MODELS,
                                   timeout=TIMEOUT_S[kern.name], sink=run.relay))


if __name__ == "__main__":
    sys.exit(run.main(__doc__, test, "network"))
