# SPDX-License-Identifier: GPL-2.0
"""Device-model processes, plugged into L1's QEMU through vfio-user: one for a PCI function, or one for a device whose
controlling function and controlled functions share state."""

import json
import os
import selectors
import subprocess
from pathlib import Path

from . import coherent, env
from .progress import LabError, tail

READY_S = 20
FIRST_SLOT = 0x8
LAST_SLOT = 0x1e
FILE_BYTES = 64 << 20
# Options for the lab: all functions of the device are in one slot, behind a root port; each controlled function is behind
# a root port of its own, and has no control port.
SHARED_SLOT = "slot=shared"
OWN_PORTS = "slot=port"
PORTS_PER_SLOT = 8


def listed(binary):
    """({model: the name that its controlling function has in /vpv/devices}, of models that have one; models whose functions have
    memory of their own, outside of BARs)"""
    out = subprocess.run([str(binary), "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [line.split("\t") for line in out.splitlines()]
    return ({name: control for name, _ids, control, _memory, _summary in rows if control != "-"},
            {name for name, _ids, _control, memory, _summary in rows if memory != "-"})


def _with_file(option, folder):
    """KEY=@NAME: the path of an empty file in FOLDER, the same for all models that name it; other options as they are."""
    key, _, value = option.partition("=")
    if not value.startswith("@"):
        return option
    path = Path(folder) / f"{value[1:]}.disk"
    if not path.exists():
        with open(path, "wb") as file:
            file.truncate(FILE_BYTES)
    return f"{key}={path}"


class Model:
    """One function: its process, its sockets and its place: a slot of L1's bus 0, or of the root port there."""

    def __init__(self, binary, name, index, slot, sockets, log_dir, options=(), model=None, coherent_memory=False):
        self.name, self.index, self.slot = name, index, slot
        self.root = 0               # number of its root port among those of the slot
        self.function = None        # its number behind the root port
        self.controllable = True    # by a port in L1
        self.socket = Path(sockets) / f"{name}.{index}.dev"
        self.control = Path(sockets) / f"{name}.{index}.ctl"
        self.log = Path(log_dir) / f"model.{name}.{index}.log"
        self.command = [str(binary), "--model", model or name, "--socket", str(self.socket), "--control", str(self.control)]
        self.memory = coherent.Memory(f"{name}{index}", sockets, options) if coherent_memory else None
        for option in options:
            if not self.memory or option.partition("=")[0] not in coherent.OPTIONS:
                self.command += ["--option", _with_file(option, sockets)]
        if self.memory:
            self.command += ["--option", f"mem={self.memory.file}"]
        self.process = None

    def controls(self, functions):
        """Serve the controlled FUNCTIONS as well; they have no process of their own."""
        self.command += ["--option", f"functions={len(functions)}"]
        for number, function in enumerate(functions):
            function.command = None
            function.socket = Path(f"{self.socket}.{number}")
            function.control = Path(f"{self.control}.{number}")

    @property
    def port(self):
        return f"ctl.{self.name}.{self.index}"

    @property
    def place(self):
        """Where L1 finds it: SLOT.0 of bus 0, or the root port that leads to it and "/", then its number."""
        return f"0000:00:{self.slot:02x}.{self.root:x}" + ("" if self.function is None else f"/{self.function}")

    @property
    def line(self):
        """For /vpv/devices."""
        return f"{self.place} {self.name} {self.index} " + (f"/dev/virtio-ports/{self.port}" if self.controllable else "-") + "\n"

    def share(self, slot, function):
        """Be FUNCTION of those behind a root port in SLOT."""
        self.slot, self.function = slot, function

    def stand_alone(self, slot, root):
        """Be behind a root port of its own, which is number ROOT of SLOT."""
        self.slot, self.root, self.function, self.controllable = slot, root, 0, False

    def arguments(self):
        """For QEMU."""
        own = {"driver": "vfio-user-pci", "id": f"{self.name}{self.index}", "socket": {"path": str(self.socket), "type": "unix"}}
        if self.function is None:
            return ["-device", json.dumps({**own, "addr": f"{self.slot:x}"})]
        port = f"root{self.slot:x}.{self.root:x}"
        own |= {"bus": port, "addr": f"0.{self.function:x}", "multifunction": True}
        # The speed: see devices.py. The firmware has I/O space for fifteen ports, and models need none.
        first = ["-device", f"pcie-root-port,id={port},addr={self.slot:x}.{self.root:x},multifunction=on,chassis={self.slot},"
                            f"slot={self.root},x-speed=5,io-reserve=0"] if not self.function else []
        return [*first, "-device", json.dumps(own)]

    def start(self):
        if self.command is None:
            return
        environ = dict(os.environ, ASAN_OPTIONS="abort_on_error=1", UBSAN_OPTIONS="print_stacktrace=1")
        # A file that an option names without its folder is the machine's, and goes with it: its models share it.
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            env=environ, cwd=self.socket.parent)
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            word = os.read(self.process.stdout.fileno(), 64) if ready.select(READY_S) else b""
        if not word.startswith(b"ready"):
            self.stop()
            raise LabError(f"device model {self.name} {self.index} did not get ready:\n{tail(self.log)}log: {self.log}")

    def stop(self):
        """End the process; returns a complaint if it had died of something else than an orderly exit."""
        if self.memory:
            self.memory.remove()
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
    """NAME:COUNT[:KEY=VALUE...][,...] as [(name, count, option, ...)]; a name may come again with other options.

    Of a model with a controlling function, COUNT is the number of controlled ones.  A value @FILE is a file of the machine.
    """
    wanted = []
    for part in filter(None, (spec or "").split(",")):
        name, *rest = part.split(":")
        count = rest.pop(0) if rest else "1"
        if not name or not count.isdigit() or not all("=" in option for option in rest):
            raise LabError(f"--models {spec}: expected NAME:COUNT[:KEY=VALUE...][,...]")
        wanted.append((name, int(count), *rest))
    return wanted


def free_slot(functions):
    """The first slot of bus 0 that none of FUNCTIONS has."""
    return max((function.slot for function in functions), default=FIRST_SLOT - 1) + 1


def plan(binary, wanted, sockets, log_dir, options=()):
    """The functions of [(name, count, option, ...)], each in a slot of its own; a controlling one comes before those that it controls."""
    controls, with_memory = listed(binary) if wanted else ({}, ())
    indices = {}
    functions = []

    def add(name, own, model=None, alone=None):
        index = indices.get(name, 0)
        indices[name] = index + 1
        slot, root = alone or (free_slot(functions), 0)
        if slot > LAST_SLOT:
            raise LabError("so many model functions do not fit in one machine")
        functions.append(Model(binary, name, index, slot, sockets, log_dir, [*options, *own], model, name in with_memory))
        if alone:
            functions[-1].stand_alone(slot, root)
        return functions[-1]

    for name, count, *own in wanted:
        shared, alone = SHARED_SLOT in own, OWN_PORTS in own
        own = [option for option in own if option not in (SHARED_SLOT, OWN_PORTS)]
        control = add(controls[name], own, model=name) if name in controls else None
        first = free_slot(functions)
        controlled = [add(name, own, alone=(first + number // PORTS_PER_SLOT, number % PORTS_PER_SLOT) if alone else None)
                      for number in range(count)]
        if control:
            control.controls(controlled)
        together = [control, *controlled] if control else controlled
        for function, model in enumerate(together if shared else ()):
            model.share(together[0].slot, function)
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
