# SPDX-License-Identifier: GPL-2.0
"""Draws a migration: the device states of both sides, memory and device state sent, the workload's progress, and the
downtime.

Plain SVG; colours work on light and dark pages, and the page's colour scheme decides which background is drawn.
"""

from xml.sax.saxutils import escape

# What there is to see, in the order of the legend: (state, colour).
STATES = (
    ("running", "#2f9e63"), ("running-p2p", "#1f9aa3"), ("pre-copy", "#3f78d8"), ("pre-copy-p2p", "#8058cf"),
    ("stop", "#7b828c"), ("stop-copy", "#d9752b"), ("resuming", "#b8901d"), ("error", "#cf3f52"),
)
COLOUR = dict(STATES)
WIDTH, LEFT, RIGHT = 1000, 150, 70
PLOT = WIDTH - LEFT - RIGHT
LANE, GAP = 30, 10
CHART = 90
TICK = 14

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 18px; font-weight: 600 } .head { font-weight: 600 } .small { font-size: 11.5px; fill: #57606a }
.bar { font-size: 12px; fill: #fff; font-weight: 600 }
.page { fill: #fff } .axis { stroke: #8c959f; fill: none } .grid { stroke: #d0d7de; stroke-dasharray: 2 3 }
.down { fill: #cf3f52; opacity: .16 } .edge { stroke: #cf3f52; stroke-width: 1.2; stroke-dasharray: 5 3 }
.bytes { stroke: #3f78d8; stroke-width: 2; fill: none } .area { fill: #3f78d8; opacity: .15 }
.bytes2 { stroke: #8058cf; stroke-width: 2; fill: none; stroke-dasharray: 6 3 }
.round { fill: #8058cf; opacity: .8 }
.ops { stroke: #2f9e63; stroke-width: 2; fill: none } .ops2 { stroke: #b8901d; stroke-width: 2; fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9aa4af } .bar { fill: #fff } .page { fill: #0d1117 }
.axis { stroke: #6e7681 } .grid { stroke: #30363d } .down { opacity: .30 }
.bytes { stroke: #6ea0f7 } .bytes2 { stroke: #b08df5 }
.area { fill: #6ea0f7 } .round { fill: #8058cf; opacity: .8 }
.ops { stroke: #4cc38a } .ops2 { stroke: #e0b93f }
}
"""


def _nice(span, most):
    """A step of 1, 2 or 5 times a power of ten that divides SPAN into at most MOST parts."""
    step = 1e-6
    while True:
        for factor in (1, 2, 5):
            if span / (step * factor) <= most:
                return step * factor
        step *= 10


def _number(value):
    return f"{value:g}"


def duration(seconds):
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _size_of(value):
    """Unit in which so many bytes are told, and its bytes."""
    return next((unit, factor) for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10), ("bytes", 1))
                if value >= 16 * factor or factor == 1)


def _size_text(value):
    unit, factor = _size_of(value)
    return f"{value / factor:.1f} {unit}" if factor > 1 else f"{value} bytes"


class Picture:
    def __init__(self):
        self.parts = []

    def add(self, text):
        self.parts.append(text)

    def text(self, x, y, text, kind="", anchor="start"):
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>')

    def box(self, x, y, width, height, kind="", fill="", title=""):
        paint = f'fill="{fill}"' if fill else f'class="{kind}"'
        inside = f"<title>{escape(title)}</title>" if title else ""
        self.add(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" {paint}>'
                 f'{inside}</rect>')

    def line(self, x1, y1, x2, y2, kind):
        self.add(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def curve(self, points, kind, base=None):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        if base is not None and points:
            first, last = points[0][0], points[-1][0]
            self.add(f'<polygon class="area" points="{first:.1f},{base:.1f} {path} {last:.1f},{base:.1f}"/>')
        self.add(f'<polyline class="{kind}" points="{path}"/>')

    def document(self, height, title):
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- SPDX-License-Identifier: GPL-2.0 -->\n'
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
                f'height="{height:.0f}" role="img">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n'
                f'<rect width="100%" height="100%" class="page"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


class Scale:
    """Seconds FIRST to LAST across the plot."""

    def __init__(self, first, last):
        self.first, self.last = first, max(last, first + 1e-3)

    def x(self, t):
        inside = min(max(t, self.first), self.last)
        return LEFT + PLOT * (inside - self.first) / (self.last - self.first)


def _time_axis(picture, scale, y, top, label):
    unit, name = (1000, "ms") if scale.last - scale.first < 2 else (1, "s")
    step = _nice((scale.last - scale.first) * unit, 10)
    tick = abs(-(-scale.first * unit // step)) * step
    while tick <= scale.last * unit + 1e-9:
        x = scale.x(tick / unit)
        picture.line(x, top, x, y, "grid")
        picture.text(x, y + 16, _number(round(tick, 6)), "small", "middle")
        tick += step
    picture.line(LEFT, y, LEFT + PLOT, y, "axis")
    picture.text(LEFT + PLOT / 2, y + 34, f"{label} [{name}]", "small", "middle")


def _lanes(picture, round_, scale, y):
    for side, label in (("source", "source"), ("target", "destination")):
        picture.text(LEFT - 12, y + LANE / 2 - 2, label, "head", "end")
        picture.text(LEFT - 12, y + LANE / 2 + 12, round_[side]["bdf"], "small", "end")
        for span in round_[side]["states"]:
            if span["end"] < scale.first or span["start"] > scale.last:
                continue
            x, end = scale.x(span["start"]), scale.x(span["end"])
            long = duration(span["end"] - span["start"])
            picture.box(x, y, max(end - x, 1.5), LANE, fill=COLOUR.get(span["state"], "#555"),
                        title=f"{label}: {span['state']} for {long}")
            room = int((end - x) / 7.2)
            if room >= len(span["state"]):
                picture.text((x + end) / 2, y + LANE / 2 + 4, span["state"], "bar", "middle")
        y += LANE + GAP


def _downtime(picture, round_, scale, top, bottom):
    x, end = scale.x(round_["stopped"]), scale.x(round_["resumed"])
    picture.box(x, top, max(end - x, 1), bottom - top, "down")
    picture.line(x, top, x, bottom, "edge")
    picture.line(end, top, end, bottom, "edge")


def _value_axis(picture, y, top_value, label, unit, factor=1):
    step = _nice(top_value / factor, 4)
    tick = step
    picture.line(LEFT, y - CHART, LEFT, y, "axis")
    while tick * factor <= top_value:
        height = y - CHART * tick * factor / top_value
        picture.line(LEFT, height, LEFT + PLOT, height, "grid")
        picture.text(LEFT - 6, height + 4, _number(round(tick, 6)), "small", "end")
        tick += step
    picture.text(24, y - CHART - 8, f"{label} [{unit}]", "head")


def _steps(samples, name, ended):
    """Points of a counter that holds its value between samples."""
    points, last = [], 0
    for item in samples:
        points += [(item["t"], last), (item["t"], item[name])]
        last = item[name]
    return [*points, (ended, last)]


def _memory_chart(picture, round_, scale, y):
    points = [(item["t"], item["ram"]) for item in round_["samples"]]
    points += [(round_["seconds"], round_["ram_bytes"]), (round_["ended"], round_["ram_bytes"])]
    top = max(1, *(value for _, value in points)) * 1.1
    _value_axis(picture, y, top, "Memory sent", "MiB", 1 << 20)
    picture.curve([(scale.x(t), y - CHART * value / top) for t, value in points], "bytes", y)


def _state_chart(picture, round_, scale, y):
    top = max(1, round_["state_bytes"], round_["loaded_bytes"]) * 1.2
    unit, factor = _size_of(top)
    _value_axis(picture, y, top, "Device state", unit, factor)
    for at, sent in round_["source"].get("rounds", ()):
        picture.box(scale.x(at) - 0.75, y - TICK, 1.5, TICK, "round", title=f"round of pre-copy, {sent} bytes")
    for name, kind in (("saved", "bytes"), ("loaded", "bytes2")):
        points = _steps(round_["samples"], name, round_["ended"])
        picture.curve([(scale.x(t), y - CHART * value / top) for t, value in points], kind)


def _work_chart(picture, round_, scale, y, work):
    sides = [[(t, done) for t, done in round_[side]["progress"]] for side in ("source", "target")]
    values = [done for points in sides for _, done in points] or [0, 1]
    low, top = min(values), max(values)
    top += max(1, (top - low) * 0.1)
    _value_axis(picture, y, top - low, work, "count")
    for points, kind in zip(sides, ("ops", "ops2")):
        picture.curve([(scale.x(t), y - CHART * (done - low) / (top - low)) for t, done in points], kind)


def _legend(picture, y, used, rounds):
    x = LEFT
    for state, colour in STATES:
        if state not in used:
            continue
        picture.box(x, y - 11, 14, 14, fill=colour)
        picture.text(x + 20, y, state)
        x += 34 + 7.4 * len(state)
    y, x = y + 24, LEFT
    for kind, label in (("bytes", "sent, saved"), ("bytes2", "loaded"), ("ops", "work at the source"),
                        ("ops2", "at the destination")):
        picture.line(x, y - 4, x + 16, y - 4, kind)
        picture.text(x + 22, y, label)
        x += 44 + 6.8 * len(label)
    picture.box(x, y - 11, 14, 14, "down")
    picture.text(x + 20, y, "guest stopped")
    if rounds:
        picture.box(x + 130, y - 11, 2, 14, "round")
        picture.text(x + 140, y, "round of pre-copy")
    return y


def draw(round_, title, work):
    """SVG text of one migration, as a script of l1/ describes it; WORK is what the workload counts."""
    picture = Picture()
    picture.text(24, 32, title, "title")
    picture.text(24, 54, f"total {round_['total_ms'] / 1000:.2f} s, downtime {round_['downtime_ms']} ms (QEMU), memory "
                 f"{round_['ram_bytes'] / (1 << 20):.1f} MiB, device state {_size_text(round_['state_bytes'])}", "small")
    whole = Scale(0, round_["ended"])
    pause = max(round_["resumed"] - round_["stopped"], 0.02)
    zoom = Scale(max(0, round_["stopped"] - 0.25 * pause), min(round_["ended"], round_["resumed"] + 0.25 * pause))

    top = 84
    lanes = top + 12
    first = lanes + 2 * (LANE + GAP) + 24 + CHART
    second, third = first + 34 + CHART, first + 2 * (34 + CHART)
    picture.text(24, top, "Device states", "head")
    _time_axis(picture, whole, third, lanes, "time since the start of the migration")
    _downtime(picture, round_, whole, top + 6, third)
    _lanes(picture, round_, whole, lanes)
    _memory_chart(picture, round_, whole, first)
    _state_chart(picture, round_, whole, second)
    _work_chart(picture, round_, whole, third, work)
    for y in (first, second, third):
        picture.line(LEFT, y, LEFT + PLOT, y, "axis")

    top = third + 76
    lanes = top + 12
    y = lanes + 2 * (LANE + GAP)
    picture.text(24, top, f"Device states while the guest is stopped ({duration(pause)})", "head")
    _time_axis(picture, zoom, y, lanes, "time since the start of the migration")
    _downtime(picture, round_, zoom, top + 6, y)
    _lanes(picture, round_, zoom, lanes)

    used = {span["state"] for side in ("source", "target") for span in round_[side]["states"]}
    y = _legend(picture, y + 66, used, round_["source"].get("rounds"))
    return picture.document(y + 20, title)
