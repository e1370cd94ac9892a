# SPDX-License-Identifier: GPL-2.0
"""The migration as our modules see it: every step of the state machine from trace events, bytes from debugfs."""

import re
import time
from pathlib import Path

TRACING = Path("/sys/kernel/tracing")
EVENTS = TRACING / "events/vpv_migration/enable"
SESSIONS = Path("/sys/kernel/debug/vpv_migration")
STEP = re.compile(r"\s(\d+\.\d+): vmig_step: (\S+) (\S+) -> (\S+) err=(-?\d+) us=(\d+)")


def _state(name):
    """As QEMU and the documentation of VFIO write it: RUNNING_P2P -> running-p2p."""
    return name.lower().replace("_", "-")


class Trace:
    """Collects the steps of all functions; times are seconds since the epoch."""

    def __init__(self):
        self.on = EVENTS.exists()
        if not self.on:
            return
        (TRACING / "trace_clock").write_text("mono")
        (TRACING / "buffer_size_kb").write_text("512")
        EVENTS.write_text("1")
        (TRACING / "trace").write_text("")

    def states(self, bdf):
        """[(time, state)] of one function; a step counts from the moment it is complete."""
        if not self.on:
            return []
        epoch = time.time() - time.monotonic()
        found = STEP.findall((TRACING / "trace").read_text())
        return [(float(stamp) + epoch, _state(to)) for stamp, name, _, to, err, _ in found
                if name == bdf and err == "0"]

    def save(self, path):
        if self.on:
            Path(path).write_text((TRACING / "trace").read_text())
            EVENTS.write_text("0")


def session_bytes(bdf, kind):
    """Bytes of the last or present data session, KIND "save" or "load"; 0 if there is none."""
    try:
        text = (SESSIONS / bdf / "sessions").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{kind} .*bytes (\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else 0


def state(bdf):
    """The state of a function, None where debugfs does not tell."""
    try:
        return _state((SESSIONS / bdf / "state").read_text().strip())
    except OSError:
        return None
