# SPDX-License-Identifier: GPL-2.0
"""The migration as our modules see it: every step of the state machine from trace events, bytes from debugfs."""

import re
import time
from pathlib import Path

TRACING = Path("/sys/kernel/tracing")
# Of the systems that have a module loaded.
SYSTEMS = ("vpv_migration", "vpv_coherent_gpu")
SESSIONS = Path("/sys/kernel/debug/vpv_migration")
ROUND = re.compile(r"\s(\d+\.\d+): vmig_round: (\S+) round=(\d+) bytes=(\d+)")
# The first round counts what comes before it: match data and config space.
LEAST_ROUND = 16384
# One that was interrupted, by a change of the state, has sent pages as well.
PASS = re.compile(r"\s(\d+\.\d+): vmig_pages: (\S+) pass=(\d+) pages=(\d+) zeros=(\d+) err=")
HARVEST = re.compile(r"\s(\d+\.\d+): cgpu_harvest: (\S+) cpu=(\d+) device=(\d+) err=")
STEP = re.compile(r"\s(\d+\.\d+): vmig_step: (\S+) (\S+) -> (\S+) err=(-?\d+) us=(\d+)")


def _state(name):
    """As QEMU and the documentation of VFIO write it: RUNNING_P2P -> running-p2p."""
    return name.lower().replace("_", "-")


class Trace:
    """Collects the steps of all functions; times are seconds since the epoch."""

    def __init__(self):
        self.events = [path for path in (TRACING / "events" / name / "enable" for name in SYSTEMS) if path.exists()]
        self.on = bool(self.events)
        if not self.on:
            return
        (TRACING / "trace_clock").write_text("mono")
        (TRACING / "buffer_size_kb").write_text("512")
        for path in self.events:
            path.write_text("1")
        (TRACING / "trace").write_text("")

    def _found(self, pattern):
        """[(time, words)] of the events that match."""
        if not self.on:
            return []
        epoch = time.time() - time.monotonic()
        return [(float(stamp) + epoch, words) for stamp, *words in pattern.findall((TRACING / "trace").read_text())]

    def states(self, bdf):
        """[(time, state)] of one function; a step counts from the moment it is complete."""
        return [(stamp, _state(to)) for stamp, (name, _, to, err, _) in self._found(STEP) if name == bdf and err == "0"]

    def rounds(self, bdf, began):
        """[(time, bytes)] of the rounds of pre-copy since BEGAN that sent any state."""
        sent, out = 0, []
        for stamp, (name, _, total) in self._found(ROUND):
            if name == bdf and stamp >= began and int(total) - sent > LEAST_ROUND:
                out.append((stamp, int(total) - sent))
                sent = int(total)
        return out

    def passes(self, bdf, began):
        """The passes over device memory since BEGAN: pages sent, zeros among them, and what CPUs and the device had written since the last."""
        events = [(stamp, kind, words) for kind, pattern in (("harvest", HARVEST), ("pass", PASS)) for stamp, words in self._found(pattern)]
        out, cpu, device = [], 0, 0
        for stamp, kind, (name, *words) in sorted(events):
            if name != bdf or stamp < began:
                continue
            if kind == "pass":
                out.append({"sent": int(words[1]), "zeros": int(words[2]), "cpu": cpu, "device": device})
                cpu, device = 0, 0
            else:
                cpu, device = cpu + int(words[0]), device + int(words[1])
        return out

    def save(self, path):
        if self.on:
            Path(path).write_text((TRACING / "trace").read_text())
        for path in self.events:
            path.write_text("0")


def session(bdf, kind):
    """The line of the last or present data session, KIND "save" or "load"; empty if there is none."""
    try:
        text = (SESSIONS / bdf / "sessions").read_text()
    except OSError:
        return ""
    return next((line for line in text.splitlines() if line.startswith(f"{kind} ")), "")


def session_bytes(bdf, kind, old=None):
    """Bytes of the last or present data session; 0 if there is none, and while it is still the one with the line OLD."""
    line = session(bdf, kind)
    found = re.search(r" bytes (\d+)", line)
    return int(found.group(1)) if found and line != old else 0


def state(bdf):
    """The state of a function, None where debugfs does not tell."""
    try:
        return _state((SESSIONS / bdf / "state").read_text().strip())
    except OSError:
        return None
