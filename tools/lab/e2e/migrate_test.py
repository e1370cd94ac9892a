#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The nested migration as a test, TAP on stdout.

Topology: L1 with four hisi_like functions, the third with another firmware, the fourth with fewer queues. A guest on the
first function is migrated to the fourth (refused, the guest goes on), to the third (refused: it shows other bytes; the
guest goes on), to the second and cancelled (the guest goes on). Another guest on the first function, which now shows a
persona as the third does, is migrated to the third and back.

usage: migrate_test.py [stock|debug]    the kernel of L1, debug unless told otherwise
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import run  # noqa: E402
from labkit import env, kernel  # noqa: E402
from labkit.progress import LabError, say  # noqa: E402

# Two that are alike, one with another config space, and one that does not fit.
MODELS = [(run.MODEL, 2), (run.MODEL, 1, "firmware=2"), (run.MODEL, 1, "queues=8")]
TIMEOUT_S = {"stock": 420, "debug": 900}


def _relay(data):
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()


def run_test(kern, log, emit=print):
    """Run it on KERN; every check is one line of TAP. Return whether all held."""
    folders, models = run.prepare(kern, tools=True)
    outcome, result = run.migrate(kern, folders, models, log, ["--rounds", "2", "--cancel", "--refuse", "--firmware"],
                                  functions=MODELS, timeout=TIMEOUT_S[kern.name], sink=_relay)
    points = [(item["ok"], item["name"], item["detail"]) for item in result.get("checks", [])]
    points.append((bool(result) and "error" not in result, "the run comes to its end",
                   result.get("error", "no result came back")))
    points.append((not outcome.complaints, "no complaint about L1, its kernel or the models",
                   "\n".join(outcome.complaints)))
    emit("TAP version 13")
    for number, (held, name, detail) in enumerate(points, 1):
        emit(f"{'ok' if held else 'not ok'} {number} - {name}")
        if not held:
            for line in str(detail).splitlines():
                emit(f"# {line}")
    emit(f"1..{len(points)}")
    return all(held for held, _, _ in points)


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "debug"
    if name not in TIMEOUT_S:
        print(__doc__, file=sys.stderr)
        return 2
    kern = kernel.debug() if name == "debug" else kernel.stock()
    log = env.LOGS / f"migrate-{name}"
    held = run_test(kern, log)
    if not held:
        say(f"logs: {log}")
    return 0 if held else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        print(f"Bail out! {str(error).splitlines()[0]}")
        say(str(error))
        sys.exit(1)
