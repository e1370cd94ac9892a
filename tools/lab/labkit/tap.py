# SPDX-License-Identifier: GPL-2.0
"""Reads TAP and KTAP, nested or not, line by line, and counts the leaves."""

import re
from dataclasses import dataclass, field

RESULT = re.compile(r"^(\s*)(not ok|ok)\b\s*\d*\s*(?:- )?\s*(.*?)\s*(?:#\s*(SKIP|TODO|XFAIL)\b:?\s*(.*))?$", re.I)
PLAN = re.compile(r"^(\s*)1\.\.(\d+)\s*(?:#\s*SKIP\b:?\s*(.*))?$", re.I)
VERSION = re.compile(r"^(\s*)K?TAP version \d+\s*$", re.I)
SUBTEST = re.compile(r"^(\s*)# Subtest: (.*?)\s*$")
INDENT = 4
DETAIL = 15     # lines of a failed test's output that are kept


@dataclass
class Test:
    name: str
    outcome: str            # "pass", "fail" or "skip"
    detail: str = ""
    broken: bool = False    # a failure of the machine, not of what was tested


@dataclass
class _Level:
    plan: int = -1
    seen: int = 0
    failed: int = 0
    children: bool = False  # results one level deeper since the last result here
    title: str = ""


@dataclass
class Parser:
    """feed() lines; returns the tests that a line completed. finish() tells what was promised but not run.

    The reason of a failure stands above its line (KTAP) or, if there is nothing, below it (TAP): such a test is returned
    with the first line that is no diagnostic.
    """
    levels: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    held: list = field(default_factory=list)    # failed tests without a reason so far

    def _level(self, depth):
        while len(self.levels) <= depth:
            self.levels.append(_Level())
        return self.levels[depth]

    @staticmethod
    def _restart(level):
        """A new document begins: was the old one complete?"""
        plan, seen = level.plan, level.seen
        level.plan, level.seen = -1, 0
        return [Test("plan", "fail", f"{plan} tests were planned, {seen} ran")] if plan >= 0 and plan != seen else []

    def _close_below(self, depth):
        """Results one level up complete the deeper levels: check their plans; (what is wrong, failures, was one announced in vain)"""
        missing = []
        failed, empty = 0, False
        for level in self.levels[depth + 1:]:
            failed += level.failed
            if level.plan >= 0 and level.plan != level.seen:
                missing.append(f"{level.plan} tests were planned, {level.seen} ran")
            empty = empty or level.title and level.plan < 0 and not level.seen
        del self.levels[depth + 1:]
        return missing, failed, empty

    def feed(self, line):
        line = line.rstrip("\r\n")
        if self.held and line.lstrip().startswith("#") and not SUBTEST.match(line):
            self.held[-1].detail = "\n".join([*self.held[-1].detail.splitlines(), line][-DETAIL:])
            self._note(line)
            return []
        before, self.held = self.held, []
        tests = self._line(line)
        if tests and tests[-1].outcome == "fail" and not tests[-1].detail:
            self.held, tests = tests, []
        return [*before, *tests]

    def _note(self, line):
        self.notes.append(line)
        del self.notes[:-DETAIL]

    def _line(self, line):
        match = SUBTEST.match(line)
        if match:
            # KUnit indents the title as the tests below it; kselftest runners leave it at the parent's level.
            self._level(len(match[1]) // INDENT).title = match[2]
            return []
        match = VERSION.match(line)
        if match:
            return self._restart(self._level(len(match[1]) // INDENT))
        match = PLAN.match(line)
        if match:
            level = self._level(len(match[1]) // INDENT)
            # A plan may stand before or after its tests; a second one begins another document.
            missing = self._restart(level) if level.plan >= 0 else []
            level.plan = int(match[2])
            if match[2] == "0":
                return [*missing, Test(match[3] or "everything", "skip", match[3] or "")]
            return missing
        if line.lstrip().startswith("Bail out!"):
            return [Test("bail out", "fail", line.strip())]
        match = RESULT.match(line)
        if match:
            return self._result(len(match[1]) // INDENT, match)
        if line.strip():
            self._note(line)
        return []

    def _result(self, depth, match):
        missing, failed_below, empty = self._close_below(depth)
        level = self._level(depth)
        parent = level.children
        level.children = False
        level.seen += 1
        for upper in self.levels[:depth]:
            upper.children = True
        directive = (match[4] or "").upper()
        # What was expected to fail has not passed.
        outcome = "skip" if directive else "pass" if match[2].lower() == "ok" else "fail"
        if outcome == "pass" and not parent and not missing and (empty or level.title == match[3]):
            outcome = "fail"
            self._note("no test ran")
        level.failed += (outcome == "fail") + failed_below
        titles = [upper.title for upper in self.levels[:depth + 1] if upper.title and upper.title != match[3]]
        name = "/".join([*titles, match[3]])
        detail = match[5] or ""
        tests = []
        if not parent:
            tests.append(Test(name, outcome, detail or ("\n".join(self.notes) if outcome == "fail" else "")))
        elif outcome == "fail" and not failed_below:
            tests.append(Test(name, "fail", detail or "\n".join(self.notes)))
        elif outcome == "skip":
            tests.append(Test(name, "skip", detail))
        tests += [Test(name, "fail", text) for text in missing]
        self.notes.clear()
        return tests

    def finish(self):
        missing, *_ = self._close_below(-1)
        before, self.held = self.held, []
        return [*before, *(Test("plan", "fail", text) for text in missing)]
