# SPDX-License-Identifier: GPL-2.0
"""A guest (L2): one QEMU with assigned functions, and the workload that reports on its second serial port."""

import re
import signal
import socket
import subprocess
import threading
import time
from datetime import datetime
from pathlib import Path

import qemu7
from qmp import Qmp, QmpError


# What L1 was told of the time stamp counter (labkit/clock.py), which is the guest's, too.
COUNTER = "".join(f" {word}" for word in Path("/proc/cmdline").read_text().split() if word.startswith("tsc_early_khz="))
# Without hardware virtualisation every exit of the guest is dear: leave out what this run does not need.
# highres=off: Linux 7.3.4 may warn in __hrtimer_run_queues() here, and printing that may be the end of a guest with one CPU.
KERNEL_LINE = ("console=ttyS0 loglevel=5 panic=-1 mitigations=off no_timer_check tsc=reliable cryptomgr.notests "
               "apparmor=0 audit=0 nowatchdog random.trust_cpu=on highres=off" + COUNTER)


# When QEMU begins to read what functions still have to save of a guest that is stopped, and when it has it all.
SAVING = re.compile(r"^(\S+)Z vfio_save_complete_precopy(_start)? ", re.M)


# Where the processor of a guest is, in the words of "info registers": in the kernel, and not in HLT.
IN_KERNEL = re.compile(r"\bRIP=ffff[0-9a-f]+ RFL=([0-9a-f]+) .*\bCPL=0 .*\bHLT=0")
INTERRUPTS_ON = 1 << 9

# What the kernel of a guest says last, or nearly so.
DEATH = re.compile(r"stack guard page was hit|Kernel panic - not syncing|\bBUG: |\bOops: ")


def spins(lines):
    """Is it so in each of these samples, with interrupts off?  See "What emulators get wrong" in lab.rst."""
    flags = [found for found in map(IN_KERNEL.search, lines) if found]
    return len(flags) > 1 and len(flags) == sum("HLT=" in line for line in lines) and all(
        not int(found[1], 16) & INTERRUPTS_ON for found in flags)


# The first word of a report: each workload has its own.
TAGS = ("HISIL", "NET", "NVM", "GPU", "SPIN")


def death(console):
    """The first line of a guest's console that says that its kernel has died, or ""."""
    return next((line.strip() for line in console.splitlines() if DEATH.search(line)), "")


class GuestError(Exception):
    """The guest did not do what was asked for; the message says what."""


def parse_report(line):
    """'TAG kind a=1 b=2' -> (kind, {a: 1, b: 2}); None for other text."""
    words = line.split()
    if len(words) < 2 or words[0] not in TAGS:
        return None
    if words[1] == "log":
        return "log", {"text": " ".join(words[2:])}
    pairs = (word.partition("=") for word in words[2:])
    return words[1], {name: int(value) for name, _, value in pairs if value.isdigit()}


class Guest:
    def __init__(self, name, functions, options, logs):
        self.name = name
        self.functions = list(functions)
        self.options = options
        self.run = Path(options.run) / name
        self.logs = Path(logs)
        self.process = None
        self.qmp = None
        self.console = None
        self.changed = threading.Condition()
        self.reports = []       # (time of arrival, kind, values)
        self.excused = 0        # bytes of QEMU's log that are there for a good reason

    # Start and end

    def _devices(self):
        if self.options.dialect == "v1":
            return [word for number, function in enumerate(self.functions)
                    for word in ("-device", f"vfio-pci,host={function.bdf},x-enable-migration=on,id=dev{number}")]
        words = ["-object", "iommufd,id=iommufd0"] if self.options.iommufd else []
        kind = "vfio-pci,iommufd=iommufd0" if self.options.iommufd else "vfio-pci"
        for number, function in enumerate(self.functions):
            words += ["-device", f"{kind},host={function.bdf},enable-migration=on,migration-events=on,id=dev{number}"]
        return words

    def command(self, incoming):
        payload = Path(self.options.payload)
        line = f"{KERNEL_LINE} work={self.options.workload}"
        return [
            *(qemu7.prefix() if self.options.dialect == "v1" else ()),
            "qemu-system-x86_64", "-name", self.name, "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none", "-machine", "q35,vmport=off,hpet=off", "-accel", self.options.accel,
            "-cpu", self.options.cpu, "-smp", "1", "-m", str(self.options.memory),
            "-kernel", str(payload / "guest-kernel"), "-initrd", str(payload / self.options.initrd), "-append", line,
            "-qmp", f"unix:{self.run}/qmp,server=on,wait=off",
            "-serial", f"file:{self.logs}/{self.name}.console",
            "-chardev", f"socket,id=work,path={self.run}/work,server=on,wait=off", "-serial", "chardev:work",
            *self._devices(), *self._traced(), *(["-incoming", incoming] if incoming else []),
        ]

    def _traced(self):
        """That QEMU tells when it reads the functions; 7.2 does not."""
        return [] if self.options.dialect == "v1" else [
            "-msg", "timestamp=on", "-trace", "vfio_save_complete_precopy*", "-D", f"{self.logs}/{self.name}.trace"]

    def saving_s(self):
        """How long QEMU has read the state of the functions of a guest that was stopped."""
        found = SAVING.findall((self.logs / f"{self.name}.trace").read_text())
        if not found:
            raise GuestError(f"{self.name}: QEMU has not told when it read the state of the functions")
        return sum((-1 if begins else 1) * datetime.fromisoformat(stamp).timestamp() for stamp, begins in found)

    def start(self, incoming=None):
        self.run.mkdir(parents=True, exist_ok=True)
        with open(self.logs / f"{self.name}.qemu", "wb") as log:
            self.process = subprocess.Popen(self.command(incoming), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, start_new_session=True)
        try:
            self.qmp = Qmp(self.run / "qmp", self.options.timeout)
        except QmpError as error:
            raise GuestError(f"{self.name}: {error}; QEMU says: {self.qemu_log().strip()[-500:]}") from error
        self.console = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.console.connect(str(self.run / "work"))
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self):
        log = open(self.logs / f"{self.name}.workload", "w")
        try:
            for line in self.console.makefile("r", errors="replace"):
                now = time.time()
                log.write(f"{now:.3f} {line}")
                log.flush()
                report = parse_report(line) if line.endswith("\n") else None
                if report:
                    with self.changed:
                        self.reports.append((now, *report))
                        self.changed.notify_all()
        except OSError:
            pass
        log.close()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def quit(self, timeout=30):
        """End QEMU, politely if it still listens. Return its exit status."""
        if self.process is None:
            return 0
        if self.alive() and self.qmp:
            try:
                self.qmp.execute("quit", timeout=10)
            except QmpError:
                pass
        status = self.wait(timeout)
        if status is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            status = -signal.SIGKILL
        if self.qmp:
            self.qmp.close()
        if self.console:
            self.console.close()
        return status

    def wait(self, timeout):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def qemu_log(self):
        try:
            return (self.logs / f"{self.name}.qemu").read_text(errors="replace")
        except OSError:
            return ""

    def broken(self, seen):
        """In words, if the guest itself is broken: its kernel died, or stands still, as the samples SEEN of its processor say."""
        console = self.logs / f"{self.name}.console"
        line = death(console.read_text(errors="replace")) if console.exists() else ""
        if line:
            return f"the kernel of {self.name} died: {line}"
        return f"{self.name} stands still in its kernel, with interrupts off" if spins(seen) else ""

    def excuse(self):
        """What QEMU has said so far was to be expected."""
        self.excused = len(self.qemu_log())

    def noise(self):
        """Lines that QEMU wrote and that nobody expected."""
        return self.qemu_log()[self.excused:].splitlines()

    def standing(self, times=5):
        """Of one that does not answer: where its processor is, some times over, and what its functions have counted."""
        lines = []
        for _ in range(times):
            seen = self.qmp.execute("human-monitor-command", command_line="info registers")
            lines += [line for line in seen.splitlines() if "HLT=" in line]
            time.sleep(0.2)
        return lines + [f"{item.bdf}: {item.stats()}" for item in self.functions]

    # The workload

    def last(self, kind="progress"):
        """Values of the newest report of this kind, {} if there is none."""
        with self.changed:
            return next((values for _, what, values in reversed(self.reports) if what == kind), {})

    def wait_report(self, what, accept, timeout, seen=0):
        """Wait until accept(kind, values) is true for a report, but for the first SEEN; return its values."""
        end = time.monotonic() + timeout
        while True:
            with self.changed:
                for _, kind, values in self.reports[seen:]:
                    if accept(kind, values):
                        return values
                seen = len(self.reports)
                left = end - time.monotonic()
                if left > 0:
                    self.changed.wait(min(left, 1))
            if not self.alive():
                raise GuestError(f"{self.name}: QEMU ended with status {self.process.returncode} "
                                 f"while waiting for {what}")
            if time.monotonic() > end:
                raise GuestError(f"{self.name}: {what} did not come in {timeout:.0f} s")

    def wait_done(self, more, timeout):
        """Wait until MORE operations are complete than at the first progress report of this QEMU."""
        first = self.wait_report("the first report of the workload", lambda kind, _: kind == "progress", timeout)
        wanted = first["done"] + more
        return self.wait_report(f"{more} completed operations",
                                lambda kind, values: kind == "progress" and values.get("done", 0) >= wanted, timeout)

    def ask(self, word, kind, timeout):
        """Send a word to the workload; the values of its next report of a KIND."""
        with self.changed:
            seen = len(self.reports)
        self.console.sendall(f"{word}\n".encode())
        return self.wait_report(f"the workload's answer to '{word}'", lambda what, _: what == kind, timeout, seen)

    def progress(self, began):
        """[[seconds after BEGAN, operations completed]] of all progress reports since then."""
        with self.changed:
            return [[stamp - began, values["done"]] for stamp, kind, values in self.reports
                    if kind == "progress" and stamp >= began]

    def complaints(self):
        """What the workload logged."""
        with self.changed:
            return [values["text"] for _, kind, values in self.reports if kind == "log"]
