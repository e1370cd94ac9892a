# SPDX-License-Identifier: GPL-2.0
"""Runs a script of l1/ in L1 and brings its result back. Shared by the demo and the tests."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import payload
from labkit import build, env, kernel, vm
from labkit.progress import LabError, say

MAP = env.REPO / "tools/vpvctl/maps/hisi_like-v1.map"


@dataclass(frozen=True)
class Kind:
    """A kind of run: its script, options of every model, whether the second disk has the programs of the guest, the roots that L1
    mounts, and QEMU's own devices."""
    script: str
    options: tuple = ()
    tools: bool = False
    disks: tuple = ()
    devices: tuple = ()


# Each operation takes this long, so that the queues always hold work that waits, also when the guest is stopped, and
# so that the workload leaves CPU time to the migration where everything is emulated.
ACCELERATORS = Kind("l1_migrate.py", ("op_us=4000",))
NETWORKS = Kind("l1_network.py")
COMPUTE = Kind("l1_gpu.py")
# Two subsystems with a disk that both reach, as two hosts do, and one with the programs of the guest.
DISKS = Kind("l1_nvme.py", ("disk1=@data", "readonly2=1"), tools=True)


def _modules(kern, tools):
    """A payload folder that becomes /vpv/modules, and with TOOLS /vpv/vpvctl and a map."""
    folder = env.WORK / f"e2e-{kern.name}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(build.modules(kern), folder / "modules")
    if tools:
        shutil.copy(build.vpvctl(), folder)
        shutil.copy(MAP, folder)
    return folder


def prepare(kern, tools=False):
    """Build all that a run needs: (payload folders, program of the models)."""
    folders = [_modules(kern, tools), payload.guest(), payload.scripts()]
    return folders, build.models()


def migrate(kind, kern, folders, models, log, arguments, functions, timeout=300, sink=None, dialect="v2"):
    """One run in L1: (vm.Result, what result.json says; {} if there is none).

    dialect "v1": by the region of older VMMs, with one of these, QEMU 7.2.
    """
    log = Path(log)
    arguments = ["--dialect", dialect, *arguments]
    options = [*kind.options, *([f"disk2={payload.tools()}"] if kind.tools else [])]
    job = vm.Job(kernel=kern, command=["python3", "-B", f"/vpv/{kind.script}", *arguments], payload=folders,
                 models=functions, devices=list(kind.devices), model_options=options, model_binary=models,
                 timeout=timeout, log=log, sink=sink, disks=[*kind.disks, *(["qemu7"] if dialect == "v1" else [])])
    outcome = vm.run(job)
    try:
        return outcome, json.loads((log / "out" / "result.json").read_text())
    except (OSError, ValueError):
        return outcome, {}


def carry(log, name, folder):
    """Make the folder NAME of the results in LOG that of the payload FOLDER, for the next boot; whether there is one."""
    found = Path(log) / "out" / name
    if found.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(found, folder / name)
    return found.is_dir()


class Lines:
    """A sink for the output of L1: whole lines become progress lines, with PREFIX."""

    def __init__(self, prefix=""):
        self.prefix, self.rest = prefix, b""

    def __call__(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            say(self.prefix + line.decode(errors="replace").rstrip())


def relay(data):
    """A sink that shows the output of L1 beside the TAP of a test."""
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()


def _points(outcome, result, part):
    """[(held, name, detail)] of a run, PART before each name."""
    points = [(item["ok"], item["name"], item["detail"]) for item in result.get("checks", [])]
    points.append((bool(result) and "error" not in result, "the run comes to its end",
                   result.get("error", "no result came back")))
    points.append((not outcome.complaints, "no complaint about L1, its kernel or the models",
                   "\n".join(outcome.complaints)))
    return [(held, part + name, detail) for held, name, detail in points]


def report(outcome, result, emit=print):
    """Every check of a run as one line of TAP. Return whether all held."""
    return report_runs([("", outcome, result)], emit)


def report_runs(runs, emit=print):
    """The same of several, [(what is before the names of its checks, outcome, result)]."""
    points = [point for part, outcome, result in runs for point in _points(outcome, result, part)]
    emit("TAP version 13")
    for number, (held, name, detail) in enumerate(points, 1):
        emit(f"{'ok' if held else 'not ok'} {number} - {name}")
        if not held:
            for line in str(detail).splitlines():
                emit(f"# {line}")
    emit(f"1..{len(points)}")
    return all(held for held, _, _ in points)


def main(doc, test, name, default="debug"):
    """The command line of a test: TEST(kernel, log folder) on the kernel DEFAULT, or the one that is named."""
    chosen = sys.argv[1] if len(sys.argv) > 1 else default
    if chosen not in ("stock", "debug"):
        print(doc, file=sys.stderr)
        return 2
    try:
        kern = kernel.debug() if chosen == "debug" else kernel.stock()
        log = env.LOGS / f"{name}-{chosen}"
        held = test(kern, log)
    except LabError as error:
        print(f"Bail out! {str(error).splitlines()[0]}")
        say(str(error))
        return 1
    if not held:
        say(f"logs: {log}")
    return 0 if held else 1
