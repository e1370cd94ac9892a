#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""In L1: run the benchmark with both drivers on every device, in turns; the samples go to /vpv/out/bench.json."""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from memory import live_bytes  # noqa: E402
from pci import DRIVERS, Bound, load_drivers, stock  # noqa: E402

OURS = DRIVERS[-1]
VPVCTL = "/vpv/vpvctl"
# What a persona is about, and how its lines are told from those without one.
SEEN, UNDER = "config read", "persona: "
OUT = Path("/vpv/out/bench.json")
ROUNDS = int(os.environ.get("ROUNDS", "3"))


def run_program(device, driver, samples, *only, under=""):
    """Append what the program counts on one bound device to SAMPLES; False if something failed."""
    name = "testdev" if device.name.startswith("testdev") else device.name
    done = subprocess.run(["/vpv/bench/bench", device.bdf, name, driver, *only], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        title, _, values = line.partition(": ")
        counts = samples.setdefault(f"{device.name}: {under}{title}", {})
        counts.setdefault(driver, []).append([int(item) for item in values.split()])
    return done.returncode == 0


def show_captured(device, number):
    """Have a device bound to our driver show the persona that vpvctl makes of it; False if that failed."""
    # Of its own: what it shows may be another in each round.
    name = f"bench-{number}-{device.bdf.replace(':', '-')}"
    file = Path(f"/tmp/{name}.map")
    done = subprocess.run([VPVCTL, "persona", "capture", device.bdf, "--name", name], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True)
    file.write_text(done.stdout)
    return done.returncode == 0 and \
        subprocess.run([VPVCTL, "persona", "set", device.bdf, file], stdin=subprocess.DEVNULL).returncode == 0


def run_persona(device, samples, number):
    """The same under a persona, beside what vfio-pci, which has none, needs."""
    if not show_captured(device, number):
        return False
    ok = run_program(device, OURS, samples, SEEN, under=UNDER)
    for name in [name for name in samples if name.startswith(f"{device.name}: {UNDER}")]:
        samples[name][DRIVERS[0]] = samples[name.replace(UNDER, "")][DRIVERS[0]]
    return ok


def main():
    load_drivers()
    samples, memory = {}, {}
    ok = True
    for number in range(ROUNDS):
        for device in stock():
            for driver in DRIVERS:
                print(f"{device.name} with {driver}", flush=True)
                with Bound(device, driver):
                    ok &= run_program(device, driver, samples)
                    if driver == OURS:
                        ok &= run_persona(device, samples, number)
                if number == 0 and not device.name.startswith("testdev"):
                    memory.setdefault(device.name, {})[driver] = live_bytes(device, driver)
        print(f"round {number + 1} of {ROUNDS} done", flush=True)
    OUT.write_text(json.dumps({"instructions": samples, "bytes": memory}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
