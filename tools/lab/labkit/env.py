# SPDX-License-Identifier: GPL-2.0
"""Where things are in this run, as told by tools/lab/lab and enter.sh."""

import os
from pathlib import Path

REPO = Path(os.environ["VPV_REPO"])
CACHE = Path(os.environ["VPV_CACHE"])
LOGS = Path(os.environ["VPV_LOGS"])
BUILD = REPO / "build"
LAB = REPO / "tools" / "lab"
# Private to the run and short enough for socket names; WORK is the same place on the cache's file system.
RUN = Path(os.environ["VPV_RUN"])
WORK = Path(os.environ["VPV_WORK"]) / "lab"
L1ROOT = Path("/run/l1root")
L1ROOT_KEY = Path(os.environ["VPV_L1ROOT"]).name
# {name: key} of the roots in /run/disk-NAME, which only some runs have.
DISKS = {name: Path(folder).name for name, _, folder in (word.partition("=") for word in os.environ["VPV_DISKS"].split())}
PROFILE = os.environ["VPV_PROFILE"]
# The commit whose files are in RUN / "release", if this run has them.
RELEASE = os.environ["VPV_RELEASE"]
# Debian installations by name, if this run has any.
DEBIAN = {name: Path(folder) for name, _, folder in (word.partition("=") for word in os.environ["VPV_DEBIAN"].split())}
