# SPDX-License-Identifier: GPL-2.0
"""Finds kernel and sanitizer reports in logs."""

import re
from pathlib import Path

REPORTS = re.compile("|".join((
    r"\bWARNING: (?!stack (?:going|recursion))", r"\bBUG: ", r"\bKASAN: ", r"\bUBSAN: ", r"\bKFENCE: ", r"\bKCSAN: ",
    r"possible (?:circular|recursive) locking", r"possible irq lock inversion", r"inconsistent lock state",
    r"possible deadlock", r"suspicious RCU usage", r"\bINFO: task .* blocked for more", r"rcu.*detected.*stall",
    r"\bOops\b", r"general protection fault", r"\bCall Trace:", r"kernel BUG at", r"Kernel panic",
    r"new suspected memory leak", r"unreferenced object 0x", r"memory leak detector disabled", r"refcount_t: ", r"\bbad p[gum4]d ", r"sleeping function called",
    r"scheduling while atomic", r"list_(?:add|del) corruption", r"soft lockup", r"hard LOCKUP",
    r"ERROR: (?:Address|Leak|Memory|Thread)Sanitizer", r": runtime error: ", r"DMAR: ERROR",
)))
HARMLESS = re.compile("|".join((
    r"adding kernel taint", r"module verification failed", r"loading out-of-tree module taints",
    # Failures that a test injects print the stack of the call that was made to fail.
    r"FAULT_INJECTION: forcing a failure",
)))
CONSOLE_NAMES = re.compile(r"console|dmesg|serial|kmemleak")
CONTEXT_LINES = 24


def _injected(lines, index):
    """Whether the trace at INDEX is the one that fault injection prints (header, name, then the trace)."""
    return any("FAULT_INJECTION: forcing a failure" in line for line in lines[max(0, index - 6):index])


def scan_text(text):
    """The first report in TEXT with what follows it, or None."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if not REPORTS.search(line) or HARMLESS.search(line):
            continue
        if "Call Trace:" in line and _injected(lines, index):
            continue
        return "\n".join(lines[max(0, index - 2):index + CONTEXT_LINES])
    return None


def scan(paths):
    """[(path, excerpt)] of the logs that hold a report."""
    found = []
    for path in paths:
        excerpt = scan_text(Path(path).read_text(errors="replace"))
        if excerpt:
            found.append((Path(path), excerpt))
    return found


def console_logs(folder):
    """Logs of guests below FOLDER: files whose name speaks of a console, dmesg, serial line or kmemleak."""
    return sorted(path for path in Path(folder).rglob("*") if path.is_file() and CONSOLE_NAMES.search(path.name))
