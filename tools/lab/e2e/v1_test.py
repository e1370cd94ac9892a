#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Migration by the region of v1 as a test, TAP on stdout: QEMU 7.2 in L1, which knows no other way.

A guest with an accelerator is migrated to another function and back, then one with a network function.

usage: v1_test.py [stock|debug]    the kernel of L1, debug unless told otherwise
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import run  # noqa: E402

RUNS = (
    (run.ACCELERATORS, [("hisi_like", 2)]),
    (run.NETWORKS, [("mlx5_like", 2, "image=8M", "dirty=100")]),
)
TIMEOUT_S = {"stock": 420, "debug": 900}


def test(kern, log):
    folders, models = run.prepare(kern)
    runs = []
    for kind, functions in RUNS:
        name = functions[0][0]
        runs.append((f"{name}: ", *run.migrate(kind, kern, folders, models, log / name, ["--rounds", "2"], functions,
                                               timeout=TIMEOUT_S[kern.name], sink=run.relay, dialect="v1")))
    return run.report_runs(runs)


if __name__ == "__main__":
    sys.exit(run.main(__doc__, test, "v1"))
