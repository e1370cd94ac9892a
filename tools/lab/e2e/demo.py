#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The demo: migrates a running guest whose device our modules drive, and shows what happened.

Runs inside the lab's tool root (`make demo`). ROUNDS=n migrates back and forth. The timeline of round n is
build/demo/timeline-n.svg; build/demo/timeline.svg is that of the first.
"""

import os
import shutil
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import run  # noqa: E402
import timeline  # noqa: E402
from labkit import env, kernel, vm  # noqa: E402
from labkit.progress import START, LabError, say, step  # noqa: E402

FOLDER = env.BUILD / "demo"
STATES = [name for name, _ in timeline.STATES]
ROUND_S = 90


class Lines:
    """A sink for the output of L1: whole lines become progress lines."""

    def __init__(self):
        self.rest = b""

    def __call__(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            say(line.decode(errors="replace").rstrip())


def rounds_wanted():
    text = os.environ.get("ROUNDS") or "1"
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise LabError(f"ROUNDS={text}: expected a number from 1 to 100")
    return int(text)


def _state_seconds(side):
    """{state: seconds} in the order of their first appearance."""
    spent = {}
    for span in side["states"]:
        spent[span["state"]] = spent.get(span["state"], 0) + span["end"] - span["start"]
    return spent


def _millis(seconds):
    return "" if seconds is None else f"{seconds * 1000:.1f} ms"


def round_table(number, seen, done_after):
    source, target = _state_seconds(seen["source"]), _state_seconds(seen["target"])
    rows = [
        ("total time", f"{seen['total_ms'] / 1000:.2f} s"),
        ("downtime (QEMU's figure)", f"{seen['downtime_ms']} ms"),
        ("memory sent", f"{seen['ram_bytes'] / (1 << 20):.1f} MiB"),
        ("device state, saved and loaded", f"{seen['state_bytes']} and {seen['loaded_bytes']} bytes"),
        ("operations completed before the switch", seen["done_source"]),
        ("operations completed after it", done_after),
    ]
    lines = [f"Round {number}: {seen['source']['bdf']} -> {seen['target']['bdf']}"]
    lines += [f"  {name:<48}{value:>24}" for name, value in rows]
    lines.append(f"  {'time in each state':<24}{'source':>24}{'destination':>24}")
    for state in sorted({*source, *target}, key=lambda name: STATES.index(name) if name in STATES else 99):
        lines.append(f"    {state:<22}{_millis(source.get(state)):>24}{_millis(target.get(state)):>24}")
    return lines


def summary(result):
    """The whole table, as lines."""
    lines, final, rounds = [], result.get("final", {}), result["rounds"]
    marks = [seen["done_source"] for seen in rounds] + [final.get("done", 0)]
    for number, seen in enumerate(rounds, 1):
        lines += ["", *round_table(number, seen, marks[number] - marks[number - 1])]
    lines += ["", "Operations of the whole run, checked end to end"]
    for name, key in (("submitted", "sub"), ("completed", "done"), ("lost", "lost"), ("duplicated", "dup"),
                      ("corrupted", "bad"), ("failed", "fail"), ("interrupts lost", "missed")):
        lines.append(f"  {name:<48}{final.get(key, 'unknown'):>24}")
    return lines


def draw(result):
    """Write the timelines; their paths."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    paths = []
    for number, seen in enumerate(result["rounds"], 1):
        of = f", round {number} of {len(result['rounds'])}" if len(result["rounds"]) > 1 else ""
        text = timeline.draw(seen, f"Live migration of a guest with a hisi_like function{of}")
        paths.append(FOLDER / f"timeline-{number}.svg")
        paths[-1].write_text(text)
    if paths:
        shutil.copy(paths[0], FOLDER / "timeline.svg")
    return paths


def main():
    rounds = rounds_wanted()
    kern = kernel.stock()
    folders, models = run.prepare(kern)
    accel = "KVM" if vm.kvm_works() else "TCG, no KVM here"
    with step(f"virtual host (L1, {kern.release}, {accel})"):
        outcome, result = run.migrate(kern, folders, models, env.LOGS / "demo",
                                      ["--rounds", str(rounds), "--lead", "500"],
                                      timeout=240 + ROUND_S * rounds, sink=Lines())
    vm.report(outcome)
    if result.get("rounds"):
        draw(result)
        print("\n".join(summary(result)))
        print(f"\nTimeline: {FOLDER / 'timeline.svg'}")
    print(f"Logs:     {outcome.log}", flush=True)
    broken = [f"{item['name']}: {item['detail']}" for item in result.get("checks", []) if not item["ok"]]
    for line in broken:
        say(f"NOT OK: {line}")
    if not outcome.ok or not result.get("ok"):
        say(f"demo: FAILED: {result.get('error') or (broken or ['see the lines above'])[0]}")
        return 1
    say(f"demo: {len(result['checks'])} checks passed; total time {time.time() - START:.0f} s")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        say(str(error))
        sys.exit(1)
