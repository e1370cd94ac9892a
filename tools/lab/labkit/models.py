# SPDX-License-Identifier: GPL-2.0
"""Device-model processes: one process per PCI function, plugged into L1's QEMU through vfio-user."""

import os
import selectors
import subprocess
from pathlib import Path

from . import env
from .progress import LabError, tail

READY_S = 20
FIRST_SLOT = 0x8
LAST_SLOT = 0x1e


class Model:
    """One function: its process, its sockets and its place on L1's bus 0."""

    def __init__(self, binary, name, index, slot, sockets, log_dir, options=(), spare=False):
        self.name, self.index, self.slot, self.spare = name, index, slot, spare
        self.socket = Path(sockets) / f"{name}.{index}.dev"
        self.control = Path(sockets) / f"{name}.{index}.ctl"
        self.log = Path(log_dir) / f"model.{name}.{index}.log"
        self.command = [str(binary), "--model", name, "--socket", str(self.socket), "--control", str(self.control)]
        for option in options:
            self.command += ["--option", option]
        self.process = None

    @property
    def port(self):
        return f"ctl.{self.name}.{self.index}"

    @property
    def bdf(self):
        return f"0000:00:{self.slot:02x}.0"

    def start(self):
        environ = dict(os.environ, ASAN_OPTIONS="abort_on_error=1", UBSAN_OPTIONS="print_stacktrace=1")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            env=environ)
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            word = os.read(self.process.stdout.fileno(), 64) if ready.select(READY_S) else b""
        if not word.startswith(b"ready"):
            self.stop()
            raise LabError(f"device model {self.name} {self.index} did not get ready:\n{tail(self.log)}log: {self.log}")

    def stop(self):
        """End the process; returns a complaint if it had died of something else than an orderly exit."""
        if self.process is None:
            return None
        status = self.process.poll()
        if status is None:
            self.process.terminate()
            try:
                status = self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return f"device model {self.name} {self.index} ignored SIGTERM; log: {self.log}"
        self.process.stdout.close()
        if status not in (0, -15):
            return f"device model {self.name} {self.index} died with status {status}:\n{tail(self.log)}log: {self.log}"
        return None


def parse(spec):
    """NAME:COUNT[:KEY=VALUE...][,...] as [(name, count, option, ...)]; a name may come again with other options."""
    wanted = []
    for part in filter(None, (spec or "").split(",")):
        name, *rest = part.split(":")
        count = rest.pop(0) if rest else "1"
        if not name or not count.isdigit() or not all("=" in option for option in rest):
            raise LabError(f"--models {spec}: expected NAME:COUNT[:KEY=VALUE...][,...]")
        wanted.append((name, int(count), *rest))
    return wanted


def plan(binary, wanted, spare, sockets, log_dir, options=()):
    """The functions of [(name, count, option, ...)], then SPARE more of the first kind, each in a slot of its own."""
    if spare and not wanted:
        raise LabError("--spare needs --models")
    kinds = [(item, False) for item in wanted for _ in range(item[1])] + [(wanted[0], True) for _ in range(spare)]
    if len(kinds) > LAST_SLOT - FIRST_SLOT + 1:
        raise LabError(f"{len(kinds)} model functions do not fit in one machine")
    indices = {}
    functions = []
    for slot, ((name, _, *own), is_spare) in enumerate(kinds, FIRST_SLOT):
        index = indices.get(name, 0)
        indices[name] = index + 1
        functions.append(Model(binary, name, index, slot, sockets, log_dir, [*options, *own], is_spare))
    return functions


class Group:
    """Starts and ends models together; a context manager."""

    def __init__(self, models):
        self.models = models
        self.complaints = []

    def __enter__(self):
        try:
            for model in self.models:
                model.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.complaints = [text for text in (model.stop() for model in self.models) if text]


def binary():
    path = env.BUILD / "models" / "vpv-model"
    if not path.exists():
        raise LabError(f"{path} is missing: tools/models did not build it")
    return path
