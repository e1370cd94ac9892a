#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""An upgrade without losing a guest as a test, TAP on stdout: two hosts with stock libvirt, one with the modules of the last release and
one with those of this tree, between which guests migrate; then the first is upgraded.

usage: upgrade_test.py [stock|debug]    the kernel of the hosts, stock unless told otherwise

RELEASE is the commit to start from; see release_source in tools/lab/lab.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import hosts  # noqa: E402
import hosts_family  # noqa: E402
import hosts_steps  # noqa: E402
import hosts_upgrade  # noqa: E402
import run  # noqa: E402
from labkit import env, vm  # noqa: E402
from labkit.progress import say  # noqa: E402

TIMEOUT_S = {"stock": 3600, "debug": 9000}


def test(kern, log):
    if not env.RELEASE:
        print("1..0 # SKIP it takes git and a checkout")
        return True
    say(f"from {env.RELEASE[:12]}")
    # The release gives no identity to a controller of nvme_cf that the firmware of the host has left enabled.
    both = hosts.Hosts((hosts_family.FAMILIES["hisi_like"],), kern, log, TIMEOUT_S[kern.name], say,
                       lambda name: run.Lines(f"{name}: "), upgrade=True)
    complaints = hosts_steps.run(both, hosts_upgrade.everything)
    return run.report_runs([("", vm.Result(troubles=complaints), both.result)])


if __name__ == "__main__":
    sys.exit(run.main(__doc__, test, "upgrade", default="stock"))
