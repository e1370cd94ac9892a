# SPDX-License-Identifier: GPL-2.0
"""Runs l1_migrate.py in L1 and brings its result back. Shared by the demo and the test."""

import json
import shutil
from pathlib import Path

import payload
from labkit import build, env, vm

MODEL = "hisi_like"
MAP = env.REPO / "tools/vpvctl/maps/hisi_like-v1.map"
# Each operation takes this long, so that the queues always hold work that waits, also when the guest is stopped, and
# so that the workload leaves CPU time to the migration where everything is emulated.
OP_US = 4000


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


def migrate(kern, folders, models, log, arguments=(), functions=((MODEL, 2),), timeout=300, sink=None):
    """One run in L1: (vm.Result, what result.json says; {} if there is none)."""
    log = Path(log)
    job = vm.Job(kernel=kern, command=["python3", "-B", "/vpv/l1_migrate.py", *arguments], payload=folders,
                 models=functions, model_options=[f"op_us={OP_US}"], model_binary=models,
                 timeout=timeout, log=log, sink=sink)
    result = vm.run(job)
    path = log / "out" / "result.json"
    try:
        return result, json.loads(path.read_text())
    except (OSError, ValueError):
        return result, {}
