#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""In L1: run the scale program with vfio-pci and with our driver on all functions of a device; samples go to /vpv/out/scale.json."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from locks import Contention  # noqa: E402
from memory import Opened, live_bytes  # noqa: E402
from pci import Bound, Device  # noqa: E402

DRIVERS = ("vfio-pci", "vpv_mlx5_like")
OUT = Path("/vpv/out/scale.json")
ROUNDS = os.environ.get("ROUNDS") or "3"


def functions():
    lines = [line.split() for line in Path("/vpv/devices").read_text().splitlines()]
    return [Device(bdf, name) for bdf, name, *_ in lines if name == "mlx5_like"]


def measure(driver):
    """{"cpu": {operation: {number of functions: [samples]}}, "busy": ..., "all": ...}"""
    done = subprocess.run(["/vpv/bench/scale", driver, ROUNDS], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          check=True)
    found = {"cpu": {}, "busy": {}, "all": {}}
    for line in done.stdout.splitlines():
        title, _, values = line.partition(": ")
        kind, operation, number = title.split()
        found[kind].setdefault(operation, {})[number] = [int(item) for item in values.split()]
    return found


def memory(driver):
    """{number of functions: bytes of the last one}: of the first alone, and while all others are open."""
    first, *others = functions()
    found = {"1": live_bytes(first, driver)}
    with ExitStack() as stack:
        for other in others:
            stack.enter_context(Bound(other, driver))
            stack.enter_context(Opened(other))
        found[str(len(others) + 1)] = live_bytes(first, driver)
    return found


def main():
    subprocess.run(["modprobe", "vfio-pci"], check=True)
    subprocess.run(["vpv-load", "vpv_mlx5_ctrl", "vpv_mlx5_like"], check=True)
    result = {}
    for driver in DRIVERS:
        # Events cost time only where somebody waits.
        with Contention() as locks:
            result[driver] = measure(driver)
        result[driver]["locks"] = locks.places()
        result[driver]["bytes"] = memory(driver)
        OUT.write_text(json.dumps(result))
        print(f"{driver}: done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
