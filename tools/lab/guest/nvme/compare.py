# SPDX-License-Identifier: GPL-2.0
"""The same nvme-cli commands to two controllers: what differs has to be listed, and what is listed has to differ.

What depends on what was done before, such as counters, may differ: its pattern begins with "~".
"""

import fnmatch
import hashlib
import json
import os
import re
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA_BYTES = 4096
COMMAND_S = 60


@dataclass
class Command:
    name: str
    expected: str       # "ok", "no", or a status
    words: list


@dataclass
class Difference:
    name: str
    pattern: str
    reason: str
    seen: bool = False

    def __post_init__(self):
        self.seen = self.pattern.startswith("~")
        self.pattern = self.pattern.removeprefix("~")


@dataclass
class Answer:
    """status: "ok", "late", "no" (an error that is not the controller's) or a status; lines: {text before the colon: text behind}."""
    status: str
    lines: dict = field(default_factory=dict)


def rows(name):
    for line in (HERE / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield [part.strip() for part in line.split(";", 2)]


def commands():
    return [Command(name, expected, words.split()) for name, expected, words in rows("commands")]


def differences():
    return [Difference(*row) for row in rows("differences")]


class Files:
    """Data for commands, the same for both."""

    def __init__(self, folder):
        self.paths = {name: str(Path(folder) / name) for name in ("data", "other", "stamp", "out")}
        for name, seed in (("data", 1), ("other", 3)):
            Path(self.paths[name]).write_bytes(bytes((at * seed + at // 256) & 0xff for at in range(DATA_BYTES)))
        Path(self.paths["stamp"]).write_bytes((1_700_000_000_000).to_bytes(8, "little"))

    def take_out(self):
        path = Path(self.paths["out"])
        data = path.read_bytes() if path.exists() else b""
        path.unlink(missing_ok=True)
        return hashlib.sha256(data).hexdigest()[:16] if data else ""


def parse(text, names):
    """Lines by what stands before their colon; one that comes again is numbered."""
    found, counts = {}, {}
    for line in text.splitlines():
        for device, word in names:
            line = re.sub(rf"\b{device}\b", word, line)
        key, _, value = (part.strip() for part in line.partition(":"))
        if not key:
            continue
        counts[key] = counts.get(key, 0) + 1
        found[key if counts[key] == 1 else f"{key} {counts[key]}"] = re.sub(r"\s+", " ", value)
    return found


def ask(command, controller, files):
    """The answer of a controller: an object with the device files ctrl and disk."""
    paths = {"ctrl": str(controller.ctrl), "ns": str(controller.disk), **files.paths}
    files.take_out()
    words = ["nvme", *(word.format(**paths) for word in command.words)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="backslashreplace", timeout=COMMAND_S, check=False,
                              env={**os.environ, "LC_ALL": "C"})
    except subprocess.TimeoutExpired:
        return Answer("late")
    names = ((Path(paths["ns"]).name, "NS"), (Path(paths["ctrl"]).name, "CTRL"))
    text = done.stdout + done.stderr
    status = re.search(r"NVMe status: .*\((0x[0-9a-f]+)\)", text)
    if status:
        return Answer(status[1])
    if done.returncode:
        return Answer("no", parse(text, names))
    lines = parse(text, names)
    digest = files.take_out()
    if digest:
        lines["data"] = digest
    return Answer("ok", lines)


def compare(command, theirs, ours, listed):
    """Complaints about an answer, and lines that say what differs as it may."""
    bad, notes = [], []
    if ours.status != command.expected:
        bad.append(f"nvme_cf answers {ours.status} and not {command.expected}: {ours.lines if ours.status == 'no' else ''}")
    pairs = [("status", theirs.status, ours.status)]
    if theirs.status == ours.status:
        keys = [*theirs.lines, *(key for key in ours.lines if key not in theirs.lines)]
        pairs += [(key, theirs.lines.get(key, "-"), ours.lines.get(key, "-")) for key in keys]
    for key, their, our in pairs:
        if their == our:
            continue
        what = f"{key}: QEMU {their}, nvme_cf {our}"
        match = next((one for one in listed if one.name == command.name and fnmatch.fnmatchcase(key, one.pattern)), None)
        if match:
            match.seen = True
            notes.append(f"{what} ({match.reason})")
        else:
            bad.append(f"not listed: {what}")
    bad += [f"listed, but the same: {one.pattern}" for one in listed if one.name == command.name and not one.seen]
    return bad, notes


def run(theirs, ours, folder, report, out):
    """Give all commands to both; report(title, complaints, notes) for each. The file OUT gets the answers."""
    files, listed, asked = Files(folder), differences(), {}
    known = {command.name for command in commands()}
    for command in commands():
        answers = asked[command.name] = [ask(command, controller, files) for controller in (theirs, ours)]
        bad, notes = compare(command, *answers, listed)
        report(f"{command.name}: {answers[1].status}" + (f", {len(notes)} listed differences" if notes else ""), bad, notes)
    Path(out).write_text(json.dumps({name: [asdict(one) for one in answers] for name, answers in asked.items()}, indent=1))
    stray = [one.name for one in listed if one.name not in known]
    report("each listed difference is of a command", [f"no such command: {name}" for name in stray], [])
