#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The demo: migrates a running guest whose device our modules drive, and shows what happened.

Runs inside the lab's tool root (`make demo`). DEVICE=mlx5_like takes network functions, DEVICE=nvme_cf disks and DEVICE=coherent_gpu
functions with coherent memory instead of accelerators (hisi_like), of MIB=256 or up to 8192; DIALECT=v1 migrates by the region of older VMMs, with
QEMU 7.2; ROUNDS=n migrates back and forth (coherent_gpu: 2, the others: 1). HOSTS=2 takes two hosts with libvirt instead of one, and ROUNDS round trips between
them, of hisi_like or nvme_cf.
The timeline of round n is build/demo/timeline-n.svg; build/demo/timeline.svg is that of the first.
"""

import os
import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

import hosts  # noqa: E402
import hosts_family  # noqa: E402
import hosts_steps  # noqa: E402
import run  # noqa: E402
import table  # noqa: E402
import timeline  # noqa: E402
from labkit import build, env, kernel, vm  # noqa: E402
from labkit.progress import START, LabError, say, step  # noqa: E402

FOLDER = env.BUILD / "demo"


@dataclass(frozen=True)
class Demo:
    """What is shown with a device family. base_s and round_s: seconds that it may take. rounds: unless ROUNDS says how many."""
    kind: run.Kind
    models: tuple
    arguments: tuple
    summary: object
    work: str               # what the workload counts
    base_s: int
    round_s: int
    tools: bool = False     # vpvctl, to choose personas
    dialects: tuple = ("v2",)
    rounds: int = 1


DEMOS = {
    "hisi_like": Demo(run.ACCELERATORS, (("hisi_like", 2),), ("--lead", "500"), table.accelerators,
                      "Operations since the start", 240, 90, dialects=("v2", "v1")),
    # The firmware of the second device has no incremental images, and so its driver no pre-copy.
    "mlx5_like": Demo(run.NETWORKS, (("mlx5_like", 2, "image=256M"), ("mlx5_like", 2, "image=256M", "incremental=0")),
                      ("--compare", "--lead", "500", "--timeout", "300"), table.networks, "Records back since the start", 600, 240,
                      dialects=("v2", "v1")),
    # The second two have no log of what they write, and so no pre-copy.
    "coherent_gpu": Demo(run.COMPUTE, (("coherent_gpu", 2), ("coherent_gpu", 2, "log=0")),
                         ("--compare", "0.1", "--lead", "100", "--timeout", "600"), table.compute,
                         "Commands since the start", 900, 400, rounds=2),
    # Two subsystems, as those of two hosts, with different firmware, on boards of two vendors.
    "nvme_cf": Demo(run.DISKS, (("nvme_cf", 1), ("nvme_cf", 1, "firmware=2", "subvendor=0x1b36")),
                    ("--firmware", "--blocks", "10000", "--lead", "500", "--timeout", "600"), table.disks,
                    "Blocks verified since the start", 600, 400, tools=True),
}


def rounds_wanted(demo):
    text = os.environ.get("ROUNDS") or str(demo.rounds)
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise LabError(f"ROUNDS={text}: expected a number from 1 to 100")
    return int(text)


def device_wanted():
    name = os.environ.get("DEVICE") or "hisi_like"
    if name not in DEMOS:
        raise LabError(f"DEVICE={name}: expected {' or '.join(DEMOS)}")
    return name


def sized(demo, name):
    """The demo with functions that have as much memory as MIB= wants."""
    text = os.environ.get("MIB") or ""
    if not text:
        return demo
    if name != "coherent_gpu" or text not in ("256", "512", "1024", "2048", "4096", "8192"):
        raise LabError(f"MIB={text}: expected 256 to 8192, a power of two, with DEVICE=coherent_gpu")
    models = tuple((*model[:2], *model[2:], f"size={text}") for model in demo.models)
    # As much as there is has to be written before the guest is migrated.
    lead = str(int(text) * 2 // 5)
    return replace(demo, models=models, arguments=(*demo.arguments, "--lead", lead, f"--workload=-m{text},-w16,-x0,-y1"))


def dialect_wanted(device):
    name = os.environ.get("DIALECT") or "v2"
    if name not in DEMOS[device].dialects:
        raise LabError(f"DIALECT={name}, DEVICE={device}: expected {' or '.join(DEMOS[device].dialects)}")
    return name


def draw(result, name):
    """Write the timelines and what they are drawn from; the paths of the timelines."""
    program = build.plot()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    paths = []
    rounds = sum(seen.get("precopy", True) for seen in result["rounds"])
    for number, seen in enumerate(result["rounds"], 1):
        of = f", round {number} of {rounds}" if rounds > 1 else ""
        of = of if seen.get("precopy", True) else ", without pre-copy"
        paths.append(FOLDER / f"timeline-{number}.svg")
        timeline.draw(program, seen, f"Live migration of a guest: {name}{of}", DEMOS[name].work, paths[-1])
    if paths:
        shutil.copy(paths[0], FOLDER / "timeline.svg")
    return paths


def hosts_wanted(device, dialect):
    text = os.environ.get("HOSTS") or "1"
    if text not in ("1", "2"):
        raise LabError(f"HOSTS={text}: expected 1 or 2")
    if text == "2" and (device not in hosts_family.FAMILIES or dialect != "v2"):
        raise LabError(f"HOSTS=2 shows {' or '.join(hosts_family.FAMILIES)}, with DIALECT=v2")
    return int(text)


def one_host(demo, name, dialect, rounds):
    """(outcome, result, lines of the table, timelines)"""
    kern = kernel.stock()
    folders, models = run.prepare(kern, tools=demo.tools)
    accel = "KVM" if vm.kvm_works() else "TCG, no KVM here"
    # QEMU of v1 has hardly a pre-copy of functions to compare with (migration-v1.rst).
    arguments = [word for word in demo.arguments if dialect == "v2" or word != "--compare"]
    with step(f"virtual host (L1, {kern.release}, {accel})"):
        outcome, result = run.migrate(demo.kind, kern, folders, models, env.LOGS / "demo",
                                      ["--rounds", str(rounds), *arguments], demo.models,
                                      timeout=demo.base_s + demo.round_s * rounds, sink=run.Lines(), dialect=dialect)
    if not result.get("rounds"):
        return outcome, result, [], []
    return outcome, result, demo.summary(result), draw(result, name)


def two_hosts(name, rounds):
    """The same of two hosts with libvirt, with round trips."""
    log = env.LOGS / "demo"
    both = hosts.Hosts((hosts_family.FAMILIES[name],), kernel.stock(), log, 2400 + 600 * rounds, say, lambda name: run.Lines(f"{name}: "))
    complaints = hosts_steps.run(both, hosts_steps.everything, 2 * rounds, False)
    result = both.result
    result["ok"] = "error" not in result and all(item["ok"] for item in both.checks)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    paths = [Path(shutil.copy(seen["picture"], FOLDER)) for seen in result["rounds"] if Path(seen["picture"]).exists()]
    if paths:
        shutil.copy(paths[0], FOLDER / "timeline.svg")
    return vm.Result(status=0, troubles=complaints, log=log), result, table.hosts(name, result), paths


def main():
    name = device_wanted()
    demo, dialect = sized(DEMOS[name], name), dialect_wanted(name)
    rounds = rounds_wanted(demo)
    if hosts_wanted(name, dialect) == 2:
        outcome, result, lines, paths = two_hosts(name, rounds)
    else:
        outcome, result, lines, paths = one_host(demo, name, dialect, rounds)
    vm.report(outcome)
    if lines:
        print("\n".join(lines))
        print(f"\nTimeline: {FOLDER / 'timeline.svg'}" + "".join(f", {path.name}" for path in paths[1:]))
    print(f"Logs:     {outcome.log}", flush=True)
    broken = [f"{item['name']}: {item['detail']}" for item in result.get("checks", []) if not item["ok"]]
    for line in broken:
        say(f"NOT OK: {line}")
    if not outcome.ok or not result.get("ok"):
        say(f"demo: FAILED: {result.get('error') or (broken or ['see the lines above'])[0]}")
        return 1
    say(f"demo: {len(result['checks'])} checks passed; total time {time.time() - START:.0f} s")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        say(str(error))
        sys.exit(1)
