#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Whether the emulator runs nested guests as a processor does, TAP on stdout.

Topology: L1 with two processors, none of our modules, and one of QEMU's own devices, whose registers one processor turns off and on
all the time. That has QEMU call the other processor, which runs a guest without any function, and which may not notice.

usage: emulator_test.py [stock|debug]    the kernel of L1, stock unless told otherwise
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import payload  # noqa: E402
import run  # noqa: E402

KIND = run.Kind("l1_emulator.py", devices=(("edu",),))


def test(kern, log):
    return run.report(*run.migrate(KIND, kern, [payload.guest(), payload.scripts()], None, log, ["--lead", "60", "--timeout", "200"], [],
                                   sink=run.relay))


if __name__ == "__main__":
    sys.exit(run.main(__doc__, test, "emulator", default="stock"))
