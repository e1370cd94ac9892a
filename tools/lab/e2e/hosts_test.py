#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Two hosts with stock libvirt of Debian stable as a test, TAP on stdout: a refused migration, one there and back between two
firmwares under a persona, both with an accelerator and with a disk, and a destination and a source that are killed during a migration.

usage: hosts_test.py [stock|debug]    the kernel of the hosts, stock unless told otherwise
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import hosts  # noqa: E402
import hosts_family  # noqa: E402
import hosts_steps  # noqa: E402
import run  # noqa: E402
from labkit import vm  # noqa: E402
from labkit.progress import say  # noqa: E402

TIMEOUT_S = {"stock": 3600, "debug": 9000}


def test(kern, log):
    both = hosts.Hosts(tuple(hosts_family.FAMILIES.values()), kern, log, TIMEOUT_S[kern.name], say, lambda name: run.Lines(f"{name}: "))
    complaints = hosts_steps.run(both, hosts_steps.everything, 2, True)
    return run.report_runs([("", vm.Result(troubles=complaints), both.result)])


if __name__ == "__main__":
    sys.exit(run.main(__doc__, test, "hosts", default="stock"))
