# SPDX-License-Identifier: GPL-2.0
"""`make scale`: what each of many functions of one device costs, and many at once, with our driver and with vfio-pci."""

import json
import os
import shutil
from statistics import median

from labkit import build, env, kernel, models, vm
from labkit.progress import LabError, say

TIMEOUT_S = 3600
MOST = 64
# Small images, which do not change; commands have the time that a busy machine needs.
MODEL = "mlx5_like:{}:image=1M:dirty=0:timeout_ms=20000:slot=port"
# What the last functions may cost of what the first ones cost, and opening all at once of what opening one takes.
GROWTH, TOGETHER = 1.10, 2.00
PLACES = 12
UNITS = {"cpu": ("instructions", 1), "busy": ("of the machine", 1), "all": ("ms until all are done", 1e6), "bytes": ("bytes of memory", 1)}


def payload(kern):
    folder = env.WORK / "payload-scale"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "bench").mkdir(parents=True)
    shutil.copytree(build.modules(kern), folder / "modules")
    bench = env.REPO / "tools/bench"
    for file in (build.bench() / "scale", bench / "scale.py", bench / "memory.py", bench / "locks.py",
                 env.LAB / "upstream/pci.py"):
        shutil.copy(file, folder / "bench")
    return folder


def series(found):
    """{(kind, operation): {number of functions: value}} of one driver."""
    result = {(kind, operation): {int(number): median(samples) for number, samples in by_number.items()}
              for kind in ("cpu", "busy", "all") for operation, by_number in found[kind].items()}
    for state in ("bound", "open"):
        result["bytes", state] = {int(number): states[state] for number, states in found["bytes"].items()}
    return result


def growth_of(by_number):
    """From the first eighth of the functions to the last one, where each was measured; else from the first number to the last."""
    numbers = sorted(by_number)
    some = len(numbers) // 8 if numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 8 else 1
    first, last = (median(by_number[number] for number in part) for part in (numbers[:some], numbers[-some:]))
    return last / first


def goal(kind, operation):
    """How many times its first value the last one may be, or None."""
    if kind == "all":
        return TOGETHER if operation == "open" else None
    return None if operation in ("save", "load") else GROWTH


def table(found, most):
    """(text, how many goals were missed)"""
    columns = [*(1 << bit for bit in range(most.bit_length()) if 1 << bit < most), most]
    lines, missed = [], 0
    for driver, values in found.items():
        lines.append(f"{driver + ', number of functions':36}" + "".join(f"{number:10}" for number in columns) + "  growth   goal")
        for (kind, operation), by_number in sorted(series(values).items(), key=lambda item: list(UNITS).index(item[0][0])):
            unit, scale = UNITS[kind]
            form = ".1f" if kind == "all" else ".0f"
            growth = growth_of(by_number)
            limit = goal(kind, operation)
            bad = limit is not None and growth > limit
            missed += bad
            lines.append(f"{operation + ', ' + unit:36}" +
                         "".join(f"{format(by_number[number] / scale, form) if number in by_number else '':>10}"
                                 for number in columns) +
                         f"{growth:8.2f}" + (f"{limit:7.2f}" if limit is not None else "") + ("  missed" if bad else ""))
        lines.append(f"{driver}: waits for locks, milliseconds in all, where")
        waits = sorted(values["locks"].items(), key=lambda item: -item[1][1])
        lines += [f"{count:8} {us / 1000:10.1f}  {place}" for place, (count, us) in waits[:PLACES]] or ["       none"]
        lines.append("")
    return "\n".join(lines) + f"{missed} goals missed\n", missed


def main():
    text = os.environ.get("FUNCTIONS") or str(MOST)
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise LabError(f"FUNCTIONS={text}: expected a number up to {MOST}")
    most = int(text)
    kern = kernel.stock()
    log = env.LOGS / "scale"
    result = vm.run(vm.Job(kernel=kern, command=["python3", "/vpv/bench/scale.py"], payload=[payload(kern)],
                           models=models.parse(MODEL.format(most)), model_binary=build.models(), counting=True, waiting=True,
                           timeout=TIMEOUT_S, log=log))
    vm.report(result)
    found = log / "out/scale.json"
    if not found.exists():
        return 1
    samples = json.loads(found.read_text())
    lines, _ = table(samples, most)
    folder = env.BUILD / "scale"
    folder.mkdir(exist_ok=True)
    (folder / "scale.json").write_text(json.dumps({"kernel": kern.release, "functions": most, "samples": samples}, indent=1))
    (folder / "table.txt").write_text(lines)
    print(lines, end="")
    say(f"written: {folder}/scale.json and table.txt")
    return 0 if result.ok else 1
