# SPDX-License-Identifier: GPL-2.0
"""A host of a run with several: an L1 that is told what to do while it runs (l1/l1_hosts.py), and that may be killed."""

import json
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass

from labkit import env, page, vm
from labkit.progress import LabError

DISK = "libvirt"
MEMORY_MB = 2048
# A job that was killed says so in these words.
KILLED = "L1 ended before the job did"
ANSWER_S = 300


class HostsError(LabError):
    """A host did not do what it was told; the message says what."""


@dataclass(frozen=True)
class Place:
    """What one host has that another one has not."""
    name: str
    address: str
    mac: str
    uuid: str
    firmware: int               # of its devices
    listens: bool               # at its end of the wire


PLACES = (
    Place("host-a", "192.0.2.1", "52:54:00:c0:00:01", "1b4e28ba-2fa1-11d2-883f-0016d3cca401", 1, True),
    Place("host-b", "192.0.2.2", "52:54:00:c0:00:02", "1b4e28ba-2fa1-11d2-883f-0016d3cca402", 2, False),
)


class Machine:
    """One boot of a host."""

    def __init__(self, place, families, kern, payload, models, log, timeout, sink, modules):
        """MODULES: the folder of the payload with those that are installed."""
        self.place, self.name = place, place.name
        self.folder = env.RUN / log.name
        self.folder.mkdir()
        self.port = vm.Port("hosts.talk", self.folder)
        self.port.listener.settimeout(vm.BOOT_S)
        self.changed = threading.Condition()
        self.answers, self.serial = {}, 0
        self.result = self.error = None
        self.killed = self.ended = False
        self.job = vm.Job(
            kernel=kern, payload=payload, models=[family.model(place.firmware) for family in families], model_binary=models,
            command=["python3", "-B", "/vpv/l1_hosts.py", "--name", place.name, "--mac", place.mac, "--disk", DISK, "--modules", modules,
                     *(f"{other.name}={other.address}" for other in PLACES)],
            timeout=timeout, log=log, sink=sink, memory=MEMORY_MB, disks=[DISK], qemu=self._arguments())
        self.threads = [threading.Thread(target=target, daemon=True) for target in (self._boot, self._listen)]
        for thread in self.threads:
            thread.start()

    def _arguments(self):
        end = "server=on" if self.place.listens else "server=off,reconnect-ms=500"
        return ["-uuid", self.place.uuid, "-pidfile", str(self.folder / "pid"), *self.port.arguments(),
                "-netdev", f"stream,id=wire,{end},addr.type=unix,addr.path={env.RUN / 'wire'}",
                "-device", f"virtio-net-pci,netdev=wire,mac={self.place.mac},romfile=,addr=1d"]

    # Threads

    def _boot(self):
        try:
            self.result = vm.run(self.job)
        except Exception as error:      # for the thread that waits for this host
            self.error = error
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        if self.port.peer is None:      # nobody came
            self.port.listener.shutdown(socket.SHUT_RDWR)

    def _listen(self):
        try:
            self.port.peer, _ = self.port.listener.accept()
            for line in self.port.peer.makefile("r"):
                answer = json.loads(line)
                with self.changed:
                    self.answers[answer["id"]] = answer
                    self.changed.notify_all()
        except (OSError, ValueError):
            pass

    # For the thread that has the run in hand

    def _answer(self, number, what, timeout):
        end = time.monotonic() + timeout
        with self.changed:
            while number not in self.answers:
                if self.ended:
                    raise HostsError(f"{self.name}: {what}: the host is gone; {self.error or self.job.log}")
                left = end - time.monotonic()
                if left <= 0:
                    raise HostsError(f"{self.name}: {what}: no answer in {timeout} s")
                self.changed.wait(min(left, 1))
            answer = self.answers.pop(number)
        if "error" in answer:
            raise HostsError(f"{self.name}: {what}: {answer['error']}")
        return answer["return"]

    def wait_ready(self):
        return self._answer(0, "boot", 2 * vm.BOOT_S)

    def call(self, what, patience=ANSWER_S, **arguments):
        """Seconds of PATIENCE; other arguments are the call's."""
        with self.changed:
            self.serial += 1
            number = self.serial
        try:
            self.port.peer.sendall(json.dumps({"id": number, "call": what, **arguments}).encode() + b"\n")
        except OSError as error:
            raise HostsError(f"{self.name}: {what}: {error}") from error
        return self._answer(number, what, patience)

    def run(self, *words, timeout=240):
        """A command on the host: (status, stdout, stderr)."""
        status, out, err = self.call("run", timeout + 60, words=list(words), timeout=timeout)
        return status, out, err

    def command(self, line):
        """A LINE that Documentation/operating.rst has, word by word."""
        return self.run(*line.split())

    def script(self, name, start):
        """A literal block of Documentation/NAME, in the folder of root."""
        self.must("sh", "-euc", f"cd /root\n{page.script(name, start)}")

    def virsh(self, *words, timeout=240):
        return self.run("virsh", "-q", *words, timeout=timeout)

    def must(self, *words):
        """What a command prints that has to succeed."""
        status, out, err = self.run(*words)
        if status:
            raise HostsError(f"{self.name}: {' '.join(words)}: status {status}: {out.strip()} {err.strip()}")
        return out

    # The end

    def kill(self):
        """As if its power had failed."""
        self.killed = True
        try:
            os.kill(int((self.folder / "pid").read_text()), signal.SIGKILL)
        except (OSError, ValueError):
            pass

    def end(self):
        """Let it power off, unless it was killed, and wait: what is wrong with it, with its logs or its models."""
        try:
            if not self.ended and not self.killed:
                self.call("end")
        except HostsError:
            pass
        self.threads[0].join(self.job.timeout + vm.BOOT_S)
        self.port.close()
        if self.error:
            raise HostsError(f"{self.name}: {self.error}")
        return [f"{self.name}: {text}" for text in self.result.complaints if not self.killed or not text.startswith(KILLED)]
