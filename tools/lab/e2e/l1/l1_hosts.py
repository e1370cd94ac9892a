#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs in L1, one of two hosts on a wire: stock libvirt that others reach, and somebody outside who says what is done.

Each line from the port is a call, {"id", "call", ...}; its answer is a line with the same id and "return" or "error". Calls are
carried out side by side.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import kernel_view
import profiles
from domain import xml
from function import FunctionError, functions
from host import Host, HostError, install_modules, replace_modules

PORT = "/dev/virtio-ports/hosts.talk"
# From here on a line is answered.
READY = {"id": 0, "return": "ready"}
# Without hardware virtualisation a small packet costs as much as a large one.
MTU = 9000
TAIL = 8192
STATE_S = 0.02
# Completions that a model prints at a time, and opcodes of those that change its disk.
PIECE = 2000
CHANGES = (1, 8, 9)


class Neighbour(Host):
    """A host with a name and an address."""

    def introduce(self, name, peers):
        """PEERS: {name: address} of all, NAME among them."""
        self.name, self.peers = name, peers
        etc = self.root / "etc"
        (etc / "hostname").write_text(f"{name}\n")
        (etc / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"{address} {other}\n" for other, address in peers.items()))
        (etc / "nsswitch.conf").write_text("hosts: files\n")
        socket.sethostname(name)

    def plug(self, mac):
        """After udev has renamed the card. A queue that drops what has waited for 5 ms, the default, drops most on an emulated host."""
        Path("/proc/sys/net/core/default_qdisc").write_text("pfifo_fast")
        cards = [path.parent.name for path in Path("/sys/class/net").glob("*/address") if path.read_text().strip() == mac]
        if not cards:
            raise HostError(f"no network card has the address {mac}")
        for words in (("link", "set", "dev", cards[0], "mtu", str(MTU), "up"),
                      ("addr", "add", f"{self.peers[self.name]}/24", "dev", cards[0])):
            subprocess.run(["/usr/bin/busybox", "ip", *words], check=True)


class Agent:
    def __init__(self, args):
        self.args = args
        self.host = None
        self.over = threading.Event()
        self.port = os.open(PORT, os.O_RDWR)
        self.lock = threading.Lock()
        self.counted = {}

    def start(self):
        install_modules(self.args.modules)
        subprocess.run(["modprobe", "virtio_net"], check=True)
        self.host = Neighbour(self.args.disk, self.args.out)
        self.host.prepare()
        self.host.introduce(self.args.name, dict(peer.split("=") for peer in self.args.peers))
        self.host.boot()
        self.host.plug(self.args.mac)

    # Calls

    def call_run(self, words, timeout=240):
        """A command as somebody on the host would give it: [status, stdout, stderr]."""
        done = self.host.run(*words, timeout=timeout)
        return [done.returncode, done.stdout, done.stderr]

    def call_clock(self, now):
        """vpvctl plot puts the records of hosts together by their clocks."""
        time.clock_settime(time.CLOCK_REALTIME, now)

    def call_replace(self, new):
        """Install the modules of this folder instead of those that are."""
        replace_modules(self.args.modules, new)

    def call_loaded(self):
        """{our module: what identifies its build}, of those that are loaded."""
        return {path.parent.parent.name: path.read_bytes().hex() for path in Path("/sys/module").glob("vpv_*/notes/.note.gnu.build-id")}

    def call_functions(self):
        return [[item.bdf, item.model, item.driver()] for item in functions()]

    def call_reaches(self, bdf, state, timeout):
        """Whether a function has come into this state of a migration in time."""
        end = time.monotonic() + timeout
        while kernel_view.state(bdf) != state:
            if time.monotonic() > end:
                return False
            time.sleep(STATE_S)
        return True

    def call_provision(self):
        """What those who run a host with controlled functions do when it has booted."""
        controlled = [item for item in functions() if item.model == "nvme_cf"]
        for item in functions():
            if item.model == profiles.MODEL:
                subprocess.run(["modprobe", profiles.DRIVER], check=True)
                item.give(profiles.DRIVER)
                profiles.provision(item, controlled, "vpv_nvme_cf")

    def call_domain(self, name, bdf, **domain):
        """The path of its description."""
        function = next(item for item in functions() if item.bdf == bdf)
        path = Path(self.args.out) / f"{name}.xml"
        path.write_text(xml(function, name, managed="no", asked=True, **domain))
        return str(path)

    def call_tail(self, name):
        """The last that the workload of a domain has said here."""
        path = Path(self.args.out) / f"{name}.workload"
        return path.read_text(errors="replace")[-TAIL:] if path.exists() else ""

    def call_tell(self, name, text):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(f"/run/{name}.work")
            line.sendall(text.encode())

    @staticmethod
    def completed(function):
        """[opcode, status, first block, blocks, CRC] of the I/O commands that have changed the disk, or have failed; each once."""
        found = []
        while lines := [line.split() for line in function.control(f"completions take {PIECE}").splitlines()[:-1]]:
            numbers = [[int(word, 0) for word in words] for words in lines]
            found += [[opcode, *rest] for queue, _, opcode, *rest, _ in numbers if queue and (rest[0] or opcode in CHANGES)]
        return found

    def call_turn(self, model, records):
        """What a function of MODEL has done since this was asked before."""
        function = next(item for item in functions() if item.model == model)
        now, old = function.stats(), self.counted.get(model, {})
        self.counted[model] = now
        return {"stats": {name: value - old.get(name, 0) for name, value in now.items()},
                "commands": self.completed(function) if records else []}

    def call_log(self):
        return subprocess.run(["dmesg"], capture_output=True, text=True, errors="replace", check=True).stdout.splitlines()

    def call_end(self):
        self.over.set()

    # The port

    def send(self, message):
        data = json.dumps(message).encode() + b"\n"
        with self.lock:
            while data:
                data = data[os.write(self.port, data):]

    def answer(self, call, number, **arguments):
        try:
            self.send({"id": number, "return": getattr(self, f"call_{call}")(**arguments)})
        except (HostError, FunctionError, OSError, KeyError, ValueError, StopIteration, subprocess.SubprocessError) as error:
            self.send({"id": number, "error": f"{type(error).__name__}: {error}"})

    def listen(self):
        rest = b""
        while True:
            data = os.read(self.port, 65536)
            if not data:
                self.over.set()     # nobody is there any more
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                message = json.loads(line)
                threading.Thread(target=self.answer, args=(message.pop("call"), message.pop("id")), kwargs=message,
                                 daemon=True).start()

    def run(self):
        threading.Thread(target=self.listen, daemon=True).start()
        self.send(READY)
        self.over.wait()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--name", required=True, help="of this host")
    options.add_argument("--mac", required=True, help="of the card at the wire")
    options.add_argument("--disk", default="libvirt", help="the root of the host")
    options.add_argument("--modules", default="installed", help="the folder with those that are installed")
    options.add_argument("--out", default="/vpv/out")
    options.add_argument("peers", nargs="+", metavar="NAME=ADDRESS", help="all hosts on the wire")
    agent = Agent(options.parse_args())
    status = 0
    try:
        agent.start()
        agent.run()
    except (HostError, OSError, subprocess.SubprocessError) as error:
        agent.send({"id": 0, "error": str(error)})
        status = 1
    if agent.host:
        agent.host.end()
    return status


if __name__ == "__main__":
    sys.exit(main())
