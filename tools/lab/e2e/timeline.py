# SPDX-License-Identifier: GPL-2.0
"""A migration of the demo as a record that vpvctl plot draws (Documentation/vpvctl.rst, "Records")."""

import json
import subprocess

MIB = 1 << 20


def _size_text(value):
    unit, factor = next((unit, factor) for unit, factor in (("MiB", MIB), ("KiB", 1 << 10), ("bytes", 1))
                        if value >= 16 * factor or factor == 1)
    return f"{value / factor:.1f} {unit}" if factor > 1 else f"{value} bytes"


def _head(seen, title, work):
    return {"vpvctl_record": 1, "start": seen["began"], "title": title, "work": work,
            "note": f"total {seen['total_ms'] / 1000:.2f} s, downtime {seen['downtime_ms']} ms (QEMU), memory "
                    f"{seen['ram_bytes'] / MIB:.1f} MiB, device state {_size_text(seen['state_bytes'])}"}


def _changes(seen, side, name):
    """The device state that one side sent or got, as the samples have it."""
    last = None
    for sample in seen["samples"]:
        if sample[name] != last:
            last = sample[name]
            yield {"t": sample["t"], "device": seen[side]["bdf"], name: last}


def _function(seen, side, label, name):
    device = {"device": seen[side]["bdf"]}
    yield {"t": 0, **device, "label": label}
    for span in seen[side]["states"]:
        yield {"t": span["start"], **device, "state": span["state"].upper().replace("-", "_")}
    for at, sent in seen[side].get("rounds", ()):
        yield {"t": at, **device, "round": sent}
    for at, done in seen[side]["progress"]:
        yield {"t": max(at, 0), **device, "work": done}
    yield from _changes(seen, side, name)


def record(seen, title, work):
    """Lines of JSON of one migration, as a script of l1/ describes it; WORK is what the workload counts."""
    lines = [_head(seen, title, work), *_function(seen, "source", "source", "saved"),
             *_function(seen, "target", "destination", "loaded")]
    lines += [{"t": sample["t"], "memory": sample["ram"]} for sample in seen["samples"]]
    lines += [{"t": seen["seconds"], "memory": seen["ram_bytes"]}, {"t": seen["ended"], "memory": seen["ram_bytes"]},
              {"t": seen["stopped"], "guest": "stopped"}, {"t": seen["resumed"], "guest": "running"},
              {"t": seen["ended"], "end": True}]
    return "".join(json.dumps(line) + "\n" for line in lines)


def draw(program, seen, title, work, path):
    """Write the record beside the picture PATH, and let PROGRAM draw it."""
    kept = path.with_suffix(".jsonl")
    kept.write_text(record(seen, title, work))
    subprocess.run([program, kept, "--output", path], check=True, stdin=subprocess.DEVNULL)
