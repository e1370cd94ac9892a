# SPDX-License-Identifier: GPL-2.0
"""In L1: who waited for locks, where and how long, from the kernel's own events of contention."""

import re
from pathlib import Path

TRACE = Path("/sys/kernel/tracing")
EVENTS = TRACE / "events/lock"
# TASK-PID [CPU] FLAGS TIME: EVENT: ..., or a frame of the stack of the event before.
LINE = re.compile(r"^\s*.*-(\d+)\s+\[\d+\]\s+\S+\s+([\d.]+): (contention_begin|contention_end):")
FRAME = re.compile(r"^ => (\w+)")
# What takes locks, in which nobody is interested.
TAKES = re.compile(r"trace_|__traceiter_|__mutex_|mutex_|__ww_mutex|rwsem_|__rwsem|down_|__down|down$|_raw_|queued_|native_queued|"
                   r"__pv_queued|__percpu|percpu_|__bpf|event_trigger|ring_buffer|stack_trace")
CALLERS = 2


class Contention:
    """Watches while it is on; places() afterwards."""

    def __enter__(self):
        (TRACE / "tracing_on").write_text("0")
        (TRACE / "buffer_size_kb").write_text("65536")
        (TRACE / "set_event_pid").write_text("")
        (TRACE / "trace").write_text("")
        (EVENTS / "contention_begin/trigger").write_text("stacktrace\n")
        self._enable("1")
        (TRACE / "tracing_on").write_text("1")
        return self

    def __exit__(self, *_):
        (TRACE / "tracing_on").write_text("0")
        self._enable("0")
        (EVENTS / "contention_begin/trigger").write_text("!stacktrace\n")

    @staticmethod
    def _enable(value):
        for event in ("contention_begin", "contention_end"):
            (EVENTS / event / "enable").write_text(value)

    @staticmethod
    def places():
        """{"WHO < CALLER": [waits, microseconds]}"""
        found, waiting, frames = {}, {}, None
        with open(TRACE / "trace", encoding="ascii", errors="replace") as lines:
            for line in lines:
                frame, event = FRAME.match(line), LINE.match(line)
                if frame and frames is not None and len(frames) < CALLERS and not TAKES.match(frame[1]):
                    frames.append(frame[1])
                if not event:
                    continue
                pid, when = event[1], float(event[2])
                if event[3] == "contention_begin":
                    frames = []
                    waiting[pid] = when, frames
                elif pid in waiting:
                    begin, where = waiting.pop(pid)
                    entry = found.setdefault(" < ".join(where), [0, 0])
                    entry[0] += 1
                    entry[1] += round((when - begin) * 1e6)
        return found
