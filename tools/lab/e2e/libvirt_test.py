#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Stock libvirt and driverctl as a test, TAP on stdout: two boots of L1, the first with those of Debian stable, the second with those of
its backports, and with what driverctl kept.

Their roots have the modules where `make modules_install` puts them, and nothing of the lab's binds a function.

usage: libvirt_test.py [stock|debug]    the kernel of L1, stock unless told otherwise
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import run  # noqa: E402
import tests  # noqa: E402
from labkit import build, env  # noqa: E402

# An ordinary virtio-net has the ids of mlx5_like functions, but for the subsystem.
DEVICES = (("virtio-net",),)
BOOTS = (("first", "libvirt", []), ("second", "libvirt-backports", ["--again"]))
# Two functions of each family; these have options.
OPTIONS = {"nvme_cf": ("profile=7",)}
MODELS = [(name, 2, *OPTIONS.get(name, ())) for name in tests.family_names()]
TIMEOUT_S = {"stock": 1800, "debug": 3600}


def test(kern, log):
    folders, models = run.prepare(kern, tools=True)
    installed = env.WORK / "installed-payload"
    build.installed(kern, installed / "installed")
    folders.append(installed)
    runs = []
    for name, disk, arguments in BOOTS:
        kind = run.Kind("l1_libvirt.py", disks=(disk,), devices=DEVICES)
        runs.append((f"{name} boot: ", *run.migrate(kind, kern, folders, models, log / name, ["--disk", disk, *arguments], MODELS,
                                                    timeout=TIMEOUT_S[kern.name], sink=run.relay)))
        kept = env.WORK / "kept-payload"
        if not run.carry(log / "first", "kept", kept):
            runs[-1][2].setdefault("error", "nothing came back that the next boot takes along")
            break
        folders.append(kept)
    return run.report_runs(runs)


if __name__ == "__main__":
    sys.exit(run.main(__doc__, test, "libvirt", default="stock"))
