# SPDX-License-Identifier: GPL-2.0
"""Personas in L1, through vpvctl: two firmwares of a device show the same, and only then a guest may move."""

import json
import re
import subprocess
from pathlib import Path

NAME = "hisi_like-v1"
# The first byte in which the config spaces of the two firmwares differ: the revision id.
FIRST_BYTE = "config space at 0x008: expected 0x02, got 0x01"


class Tool:
    def __init__(self, path):
        self.path = path

    def run(self, *words):
        return subprocess.run([self.path, *words], capture_output=True, text=True, timeout=60, check=False)

    def json(self, *words):
        try:
            return json.loads(self.run("--json", *words).stdout)
        except ValueError:
            return None

    def shown(self, function):
        rows = self.json("list", "--bound") or []
        return next((row["persona"] for row in rows if row["device"] == function.bdf), None)

    def choose(self, name, *functions):
        """What vpvctl says of the functions that refuse it; "" if there is none."""
        runs = [self.run("persona", "set", function.bdf, name) for function in functions]
        return "; ".join(run.stderr.strip() for run in runs if run.returncode)


def views(session, tool, first, second):
    """Before anybody uses them: what users of the two firmwares see."""
    run = tool.run("compat", "--open", first.bdf, second.bdf)
    session.check("without a persona vpvctl tells that the firmwares differ",
                  run.returncode == 1 and "ids.revision" in run.stdout, run.stdout + run.stderr)
    wrong = tool.choose(NAME, first, second)
    session.check("both firmwares can show the persona", not wrong, wrong)
    described = [tool.json("describe", "--open", function.bdf) or {} for function in (first, second)]
    session.check("users of both see the same bytes", described[0].get("view") == "user" and all(
        described[0].get(key) == described[1].get(key) is not None
        for key in ("ids", "bars", "capabilities", "extended_capabilities", "config", "persona")), described)
    run = tool.run("compat", "--open", first.bdf, second.bdf)
    session.check("with it vpvctl would migrate", run.returncode == 0, run.stdout + run.stderr)
    wrong = tool.choose("default", first, second)
    session.check("the default comes back", not wrong and tool.shown(first)["name"] == "default", wrong)


def files(session, tool, function, source, folder):
    """A persona that no driver has, and one that the driver refuses."""
    text = Path(source).read_text()
    Path(folder).mkdir(parents=True, exist_ok=True)
    own = Path(folder) / "own.map"
    own.write_text(re.sub(r"(?m)^persona .*", "persona own-v1 version 3", text))
    wrong = tool.choose(str(own), function)
    shown = tool.shown(function) or {}
    session.check("a map is installed as firmware and shown", not wrong and (shown.get("name"), shown.get("version")) == (
        "own-v1", 3), wrong or shown)
    tool.choose("default", function)
    large = Path(folder) / "large.map"
    large.write_text(re.sub(r"(?m)^bar 2 .*", "bar 2 mem64 256K", re.sub(r"(?m)^persona .*", "persona large-v1 version 1", text)))
    wrong = tool.choose(str(large), function)
    session.check("a persona that shows the control page is refused in the kernel's words",
                  "refuses large-v1" in wrong and "BAR" in wrong, wrong)
    session.check("and leaves no file", not Path("/lib/firmware/vpv/large-v1.persona").exists())


def busy(session, tool, guest):
    """While a guest has the function, its persona stays."""
    before = tool.shown(guest.functions[0])
    wrong = tool.choose("default", guest.functions[0])
    session.check("the persona of a running guest cannot be changed, and vpvctl names the process",
                  f"process {guest.process.pid} (qemu" in wrong, wrong)
    session.check("and stays as it is", tool.shown(guest.functions[0]) == before, before)
