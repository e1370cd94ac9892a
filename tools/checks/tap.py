#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks the lab's reader of TAP: what it counts, and that no failure loses its reason. TAP on stdout."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from labkit.tap import Parser  # noqa: E402

# name: (lines, [(test, outcome, words that its detail must have)])
CASES = {
    "results and a skip": (
        ["TAP version 13", "1..2", "ok 1 - one", "ok 2 - two # SKIP no device"],
        [("one", "pass", ""), ("two", "skip", "no device")]),
    "the reason above": (
        ["# got 3", "not ok 1 - one", "1..1"], [("one", "fail", "got 3")]),
    "the reason below": (
        ["ok 1 - zero", "not ok 2 - one", "# it took too long", "# log: x", "ok 3 - two", "1..3"],
        [("zero", "pass", ""), ("one", "fail", "it took too long\n# log: x"), ("two", "pass", "")]),
    "the reason below, at the end": (
        ["not ok 1 - one", "# it took too long"], [("one", "fail", "it took too long")]),
    "a reason between two failures is given to both": (
        ["not ok 1 - one", "# between", "not ok 2 - two"], [("one", "fail", "between"), ("two", "fail", "between")]),
    "lines of the next test are not its reason": (
        ["# got 3", "not ok 1 - one", "# RUN two", "ok 2 - two"], [("one", "fail", "# got 3$"), ("two", "pass", "")]),
    "a test that is missing": (
        ["1..2", "ok 1 - one"], [("one", "pass", ""), ("plan", "fail", "2 tests were planned, 1 ran")]),
    "a test that was not planned": (
        ["1..1", "ok 1 - one", "ok 2 - two"],
        [("one", "pass", ""), ("two", "pass", ""), ("plan", "fail", "1 tests were planned, 2 ran")]),
    "a program that prints nothing": (
        ["1..2", "# Subtest: one_test", "ok 1 one_test", "# Subtest: two_test", "    1..1", "    ok 1 case", "ok 2 two_test"],
        [("one_test", "fail", "no test ran"), ("two_test/case", "pass", "")]),
    "a suite without cases": (
        ["KTAP version 1", "1..1", "    # Subtest: suite", "ok 1 suite"], [("suite", "fail", "no test ran")]),
    "a program that is skipped": (
        ["1..1", "# Subtest: one_test", "ok 1 one_test # SKIP no device"], [("one_test", "skip", "no device")]),
    "what is known to fail has not passed": (
        ["1..2", "not ok 1 one # TODO", "ok 2 two # XFAIL why"], [("one", "skip", ""), ("two", "skip", "why")]),
    "nested": (
        ["KTAP version 1", "1..1", "    # Subtest: suite", "    1..2", "    ok 1 case", "    # why", "    not ok 2 other",
         "not ok 1 suite"],
        [("suite/case", "pass", ""), ("suite/other", "fail", "why")]),
    "output that breaks off": (
        ["Bail out! no kernel"], [("bail out", "fail", "no kernel")]),
}


def read(lines):
    parser = Parser()
    return [test for line in lines for test in parser.feed(line)] + parser.finish()


def wrong(found, wanted):
    return [(test.name, test.outcome) for test in found] != [(name, outcome) for name, outcome, _ in wanted] or any(
        not re.search(words, test.detail) for test, (_, _, words) in zip(found, wanted))


def main():
    print(f"1..{len(CASES)}")
    bad = 0
    for number, (name, (lines, wanted)) in enumerate(CASES.items(), 1):
        found = read(lines)
        failed = wrong(found, wanted)
        bad += failed
        if failed:
            print(f"# {found}")
        print(f"{'not ok' if failed else 'ok'} {number} - tap: {name}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
