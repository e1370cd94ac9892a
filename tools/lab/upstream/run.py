#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""In L1: the kernel's own VFIO selftests with its vfio-pci and with vpv_pci, on every device; TAP, and a table.

A test of ours is one program on one device: it passes when the program's tests end the same way with both drivers.
The outcomes, the table and all output are left in /vpv/out/upstream. TEST=GLOB picks devices by name.
"""

import errno
import fnmatch
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import tap  # noqa: E402
from pci import DRIVERS, VF_OF, Bound, load_drivers, make_vf, stock  # noqa: E402

OUT = Path("/vpv/out/upstream")
PROGRAM_S = 900
FREE_S = 120
HUGE_PAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
WORDS = {"pass": "passed", "fail": "failed", "skip": "skipped"}


def run_program(driver, device, program):
    """{test: outcome} of one program."""
    log = OUT / f"{device.name}.{driver}.{program}.log"
    began = time.monotonic()
    command = [f"/vpv/upstream/{driver}/{program}", device.bdf]
    wait_free(device)
    with open(log, "wb") as out:
        try:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                    timeout=PROGRAM_S).returncode
        except subprocess.TimeoutExpired:
            status = f"none after {PROGRAM_S} s"
    parser = tap.Parser()
    tests = []
    for line in log.read_text(errors="replace").splitlines():
        tests += parser.feed(line)
    outcomes = {test.name: test.outcome for test in [*tests, *parser.finish()]}
    if status == 4 and not outcomes:
        outcomes["the program"] = "skip"
    elif not outcomes or (status != 0 and status != 4 and "fail" not in outcomes.values()):
        outcomes[f"exit status {status}"] = "fail"
    print(f"# {device.name} {driver} {program}: {counts(outcomes)}, {time.monotonic() - began:.0f} s", flush=True)
    return outcomes


def wait_free(device):
    """A test that was killed by its time-out may hold the device until the kernel has unmapped its memory."""
    end = time.monotonic() + FREE_S
    while time.monotonic() < end:
        try:
            os.close(os.open(device.nodes[0], os.O_RDWR))
            return
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        time.sleep(0.1)
    print(f"# {device.name}: still busy after {FREE_S} s", flush=True)


def run_device(device, programs):
    """{driver: {program: {test: outcome}}}"""
    results = {}
    for driver in DRIVERS:
        with Bound(device, driver):
            results[driver] = {program: run_program(driver, device, program) for program in programs}
    return results


def counts(outcomes):
    return tuple(sum(outcome == kind for outcome in outcomes.values()) for kind in WORDS)


def difference(theirs, ours):
    """Lines that say which tests ended differently."""
    return [f"{name}: {theirs.get(name, 'not run')} with {DRIVERS[0]}, {ours.get(name, 'not run')} with {DRIVERS[1]}"
            for name in sorted({*theirs, *ours}) if theirs.get(name) != ours.get(name)]


class Report:
    """TAP as the results come, and the table at the end."""

    def __init__(self):
        self.number = 0
        self.bad = 0
        self.rows = []

    def test(self, title, trouble):
        self.number += 1
        for line in trouble:
            print(f"# {line}")
        print(f"{'not ok' if trouble else 'ok'} {self.number} - {title}", flush=True)
        self.bad += bool(trouble)

    def device(self, device, results):
        for program in results[DRIVERS[0]]:
            theirs, ours = (results[driver][program] for driver in DRIVERS)
            self.rows.append((device.name, program, counts(theirs), counts(ours)))
            passed, failed, skipped = counts(theirs)
            self.test(f"{device.name}: {program} ({passed} passed, {failed} failed, {skipped} skipped)",
                      difference(theirs, ours))

    def end(self):
        total = [tuple(map(sum, zip(*(row[place] for row in self.rows)))) for place in (2, 3)]
        lines = [f"{'':44} {DRIVERS[0]:>22} {DRIVERS[1]:>22}",
                 f"{'device':10} {'program':33} {'pass':>8} {'fail':>6} {'skip':>6} {'pass':>8} {'fail':>6} {'skip':>6}"]
        for name, program, *columns in [*self.rows, ("all", "", *total)]:
            numbers = " ".join(f"{passed:8} {failed:6} {skipped:6}" for passed, failed, skipped in columns)
            lines.append(f"{name:10} {program:33} {numbers}{'' if columns[0] == columns[1] else '   differs'}")
        (OUT / "table").write_text("\n".join(lines) + "\n")
        self.test("some tests pass", [] if total[0][0] else ["none did"])
        print(f"1..{self.number}")
        return 1 if self.bad else 0


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    load_drivers()
    HUGE_PAGES.write_text("64")
    programs = sorted(path.name for path in Path(f"/vpv/upstream/{DRIVERS[0]}").iterdir())
    print("TAP version 13")
    report = Report()
    for device in stock():
        if fnmatch.fnmatch(device.name, os.environ.get("TEST", "*")):
            report.device(device, run_device(device, programs))
    if fnmatch.fnmatch(f"{VF_OF}-vf", os.environ.get("TEST", "*")):
        with make_vf() as device:
            report.device(device, run_device(device, programs))
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
