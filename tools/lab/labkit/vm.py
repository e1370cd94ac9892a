# SPDX-License-Identifier: GPL-2.0
"""The L1 machine: QEMU with device models, a payload, a job and its results."""

import json
import os
import re
import selectors
import shlex
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import termios
import time
import tty
from dataclasses import dataclass, field
from pathlib import Path

from . import clock, coherent, devices, env, image, models, preload, splat
from .progress import LabError, say, tail

QEMU = "/usr/bin/qemu-system-x86_64"
# Above the job's own time: until it starts, and the leak scan after it. Generous: machines without KVM may be busy.
BOOT_S = 480
POWEROFF_S = 30
# Bytes of job output shown live per read.
CHUNK = 65536
# Control ports of models per virtio-serial controller.
CONTROL_PORTS = 8


@dataclass
class Job:
    """What to run in L1 and on which machine."""
    kernel: object
    boot: object = None                             # image.HostImage, if not the lab's own
    loader: object = None                           # callable(kernel, initrd, command line): QEMU's arguments, if QEMU does not load
    command: list = field(default_factory=list)     # empty: interactive
    payload: list = field(default_factory=list)     # folders that become /vpv
    models: list = field(default_factory=list)      # [(name, count, option, ...)]
    model_options: list = field(default_factory=list)
    model_binary: object = None
    devices: list = field(default_factory=list)     # QEMU's own: [(name, option, ...)], see devices.py
    timeout: int = 600
    log: Path = None
    memory: int = 3072
    cpus: int = 2
    iommu: bool = True
    counting: bool = False                          # one CPU whose clock advances 1 ns an instruction, without KVM,
    waiting: bool = False                           # ... and with the time of the host while the CPU has nothing to do
    disks: list = field(default_factory=list)       # roots that L1 mounts with vpv-disk, by name
    qemu: list = field(default_factory=list)        # more QEMU arguments
    append: str = ""                                # more kernel command line
    sink: object = None                             # callable(bytes) that gets the job's output


@dataclass
class Result:
    status: int = 1                                 # of the job
    troubles: list = field(default_factory=list)    # with the machine: did not end, a model died
    reports: list = field(default_factory=list)     # of kernels and sanitizers, found in logs
    boot_seconds: float = 0
    seconds: float = 0
    log: Path = None

    @property
    def complaints(self):
        return self.troubles + self.reports

    @property
    def ok(self):
        return self.status == 0 and not self.complaints


def kvm_works():
    if os.environ.get("VPV_ACCEL") == "tcg":
        return False
    flags = Path("/proc/cpuinfo").read_text()
    return bool(re.search(r"\b(vmx|svm)\b", flags)) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def _write_payload(job, functions, stock, image_file, sizes):
    """The image whose files L1 has below /vpv: to unpack them takes an emulated machine longer than most groups need any of them."""
    lab = Path(tempfile.mkdtemp(dir=image_file.parent))
    path = image_file.with_suffix(".tar")
    try:
        shutil.copy(env.LAB / "guest/l1-init", lab / "init")
        for name in ("bin", "nvme"):
            shutil.copytree(env.LAB / "guest" / name, lab / name, ignore=shutil.ignore_patterns("__pycache__"))
        (lab / "settings").write_text(
            f"export VPV_KERNEL={job.kernel.name} VPV_JOB_TIMEOUT={job.timeout}\n"
            f"VPV_ROWS={sizes.lines} VPV_COLS={sizes.columns}\n" +
            "".join(f"export {name}={shlex.quote(os.environ[name])}\n" for name in sorted(os.environ)
                    if name in ("ROUNDS", "TEST", "FUZZ_SECONDS", "RACE_SECONDS")))
        (lab / "command").write_text(job.command[0] + "\n" if len(job.command) == 1 else shlex.join(job.command))
        (lab / "stock").write_text("".join(device.lines for device in stock))

        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            for folder in job.payload:
                if not Path(folder).is_dir():
                    raise LabError(f"payload {folder} is not a folder")
                tar.add(folder, "vpv")
            tar.add(lab, "vpv/.lab")
            (lab / "devices").write_text("".join(model.line for model in functions))
            tar.add(lab / "devices", "vpv/devices")
        image.erofs("make the payload", image_file, path, "--tar=f")
    finally:
        shutil.rmtree(lab)
        path.unlink(missing_ok=True)


class Port:
    """A virtio-serial port whose host end is ours."""

    def __init__(self, name, folder):
        self.name = name
        self.path = folder / f"{name}.port"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(1)
        self.peer = None

    def arguments(self, device="virtserialport"):
        label = f"name={self.name}," if device == "virtserialport" else ""
        return ["-chardev", f"socket,id={self.name},path={self.path},server=off",
                "-device", f"{device},{label}chardev={self.name},id=port-{self.name.replace('.', '-')}"]

    def close(self):
        for end in (self.peer, self.listener):
            if end is not None:
                end.close()
        self.path.unlink(missing_ok=True)


def _load(kernel, initrd, append):
    return ["-kernel", str(kernel), "-initrd", str(initrd), "-append", append]


def _qemu_command(job, boot, functions, stock, ports, payload, log):
    # Four levels of page tables: with five, an interrupt while Linux (7.3) reads the features of its boot CPU again makes KASAN
    # take kernel addresses for wild ones, now and then.
    cpu = "max,la57=off"
    if job.counting:
        accel = ["-accel", "tcg,thread=single", "-icount", f"shift=0,sleep={'on' if job.waiting else 'off'}"]
        counter = ""
    elif kvm_works():
        accel, counter = ["-accel", "kvm"], ""
    else:
        accel, counter = ["-accel", "tcg,thread=multi"], clock.append()
        # An emulated "rep movsb" takes as long for a byte as another instruction for eight of them.
        cpu += ",erms=off,fsrm=off,fsrs=off,fzrm=off"
    iommu = ["-device", "intel-iommu,intremap=on,caching-mode=on"] if job.iommu else []
    # A busy machine starves an emulated one: no timer check, and patience before a stall is reported.
    append = ("console=ttyS0 quiet panic=-1 oops=panic log_buf_len=16M no_timer_check tsc=reliable "
              f"{counter}rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60 kunit.enable=1 kunit.autorun=1 "
              f"intel_iommu={'on' if job.iommu else 'off'} {job.append}{coherent.append(functions)}")
    command = [QEMU, "-name", "l1", "-machine", f"q35,kernel-irqchip=split,memory-backend=mem{coherent.machine(functions)}", *accel,
               "-cpu", cpu, "-smp", "1" if job.counting else str(job.cpus),
               *coherent.arguments(functions, job.memory, payload.parent),
               "-object", f"memory-backend-memfd,id=mem,size={job.memory}M,share=on",
               "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none",
               "-serial", f"file:{log / 'l1.console'}",
               *(job.loader or _load)(job.kernel.image, boot.initrd, append), *iommu]
    for slot, disk in enumerate((boot.root, boot.modules, payload), 1):
        node = f"disk{slot}"
        command += ["-blockdev", json.dumps({"driver": "raw", "node-name": node, "read-only": True, "file": {
            "driver": "file", "filename": str(disk), "locking": "off"}}),
            "-device", f"virtio-blk-pci,drive={node},addr={slot}"]
    command += ["-device", "virtio-serial-pci,addr=4,max_ports=31", "-device", "virtio-rng-pci,addr=5"]
    for port in ports:
        command += port.arguments("virtconsole" if port.name == "lab.tty" else "virtserialport")
    for model in functions:
        command += model.arguments()
    for place, model in enumerate(model for model in functions if model.controllable):
        # A controller forgets to announce some of its ports when there are too many at once.
        bus, extra = divmod(place, CONTROL_PORTS)
        if not extra:
            command += ["-device", f"virtio-serial-pci,id=ctl{bus},multifunction=on,addr=6.{bus:x}"]
        command += ["-chardev", f"socket,id={model.port},path={model.control},server=off",
                    "-device", f"virtserialport,bus=ctl{bus}.0,name={model.port},chardev={model.port}"]
    for device in stock:
        command += device.arguments(payload.parent)
    for name in job.disks:
        command += ["-blockdev", json.dumps({"driver": "raw", "node-name": name, "read-only": True, "file": {
            "driver": "file", "filename": str(image.disk_image(name)), "locking": "off"}}),
            "-device", f"virtio-blk-pci,drive={name},serial={name}"]
    return command + list(job.qemu)


class _Session:
    """The host side of a running L1: moves bytes between its ports, the caller and the logs."""

    def __init__(self, job, ports, process, log):
        self.job, self.process, self.log = job, process, log
        self.ports = {port.name: port for port in ports}
        self.poll = selectors.DefaultSelector()
        for port in ports:
            port.listener.setblocking(False)
            self.poll.register(port.listener, selectors.EVENT_READ, ("accept", port))
        self.status_text = b""
        self.output = open(log / "out.log", "wb")
        self.tar = open(log / "out.tar", "wb")
        self.began = time.monotonic()
        self.boot_seconds = None

    def close(self):
        self.poll.close()
        self.output.close()
        self.tar.close()

    def _accept(self, port):
        port.peer, _ = port.listener.accept()
        self.poll.unregister(port.listener)
        self.poll.register(port.peer, selectors.EVENT_READ, ("read", port))
        if port.name == "lab.tty":
            self.poll.register(sys.stdin, selectors.EVENT_READ, ("keys", port))

    def _read(self, port):
        try:
            data = port.peer.recv(CHUNK)
        except ConnectionResetError:
            data = b""
        if not data:
            self.poll.unregister(port.peer)
            return
        if self.boot_seconds is None:
            self.boot_seconds = time.monotonic() - self.began
        if port.name == "lab.out":
            self.output.write(data)
            self.output.flush()
            (self.job.sink or _to_stdout)(data)
        elif port.name == "lab.tar":
            self.tar.write(data)
        elif port.name == "lab.status":
            self.status_text += data
        else:
            _to_stdout(data)

    def _keys(self, port):
        data = os.read(sys.stdin.fileno(), 4096)
        if data:
            port.peer.sendall(data)
        else:
            self.poll.unregister(sys.stdin)

    def run(self, deadline):
        """Until QEMU ends or the time is up; True if it ended."""
        while time.monotonic() < deadline:
            for key, _ in self.poll.select(0.2):
                kind, port = key.data
                getattr(self, f"_{kind}")(port)
            if b"\n" in self.status_text:
                deadline = min(deadline, time.monotonic() + POWEROFF_S)
                self.status_text = self.status_text.replace(b"\n", b" ")
            if self.process.poll() is not None:
                self._drain()
                return True
        return False

    def _drain(self):
        """What QEMU has left in the sockets: one that is at its end is not asked again."""
        while ready := [key.data[1] for key, _ in self.poll.select(0) if key.data[0] == "read"]:
            for port in ready:
                self._read(port)

    def status(self):
        words = self.status_text.split()
        return int(words[1]) if len(words) == 2 and words[0] == b"status" else None


def _to_stdout(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _unpack_output(log):
    """/vpv/out of L1 to LOG/out."""
    archive, out = log / "out.tar", log / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    try:
        if archive.stat().st_size:
            with tarfile.open(archive) as tar:
                tar.extractall(out, filter="data")
    except tarfile.TarError as error:
        return [f"the output folder of L1 is damaged: {error}"]
    finally:
        archive.unlink()
    return []


def _end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def logs(folder):
    """The logs of a run in which nothing may be reported."""
    found = [folder / "l1.console", *sorted(folder.glob("model.*.log")), *splat.console_logs(folder / "out")]
    return [path for path in found if path.exists()]


def _judge(job, result, session, ended, log, group):
    """Complete RESULT: status, deaths of processes, reports in logs."""
    status = session.status()
    interactive = not job.command
    if status is not None:
        result.status = status
    elif ended:
        result.troubles.append("L1 ended before the job did; end of its console:\n" + tail(log / "l1.console", 30) +
                               tail(log / "qemu.log", 5))
    else:
        result.troubles.append(f"L1 did not finish in {job.timeout} s (and {BOOT_S} s to boot and to end); end of its console:\n"
                               + tail(log / "l1.console", 15))
    result.troubles += _unpack_output(log)
    result.troubles += group.complaints
    for path, excerpt in splat.scan(logs(log))[:3]:
        result.reports.append(f"kernel or sanitizer report in {path}:\n" +
                              "".join(f"    | {line}\n" for line in excerpt.splitlines()))
    if interactive:
        result.status = 0


def run(job):
    """Boot L1, run the job, return a Result. Complaints are for people; nothing is left running."""
    log = Path(job.log or env.LOGS / "run")
    log.mkdir(parents=True, exist_ok=True)
    for old in ("l1.console", "qemu.log", *(path.name for path in log.glob("model.*.log"))):
        (log / old).unlink(missing_ok=True)
    interactive = not job.command
    result = Result(log=log)
    boot = job.boot or image.host_image(job.kernel)
    folder = Path(tempfile.mkdtemp(prefix="v", dir=env.RUN))
    binary = job.model_binary or (models.binary() if job.models else None)
    functions = models.plan(binary, job.models, folder, log, job.model_options)
    stock = devices.plan(job.devices, models.free_slot(functions))
    ports, process, session, saved = [], None, None, None
    try:
        payload = folder / "payload.erofs"
        _write_payload(job, functions, stock, payload, shutil.get_terminal_size((100, 30)))
        ports = [Port(name, folder) for name in
                 ("lab.out", "lab.tar", "lab.status", *(("lab.tty",) if interactive else ()))]
        with models.Group(functions) as group:
            command = _qemu_command(job, boot, functions, stock, ports, payload, log)
            (log / "qemu.command").write_text(shlex.join(command) + "\n")
            with open(log / "qemu.log", "wb") as errors:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, env=preload.environ())
            session = _Session(job, ports, process, log)
            if interactive:
                saved = termios.tcgetattr(sys.stdin)
                tty.setraw(sys.stdin)
            limit = float("inf") if interactive else job.timeout + BOOT_S
            ended = session.run(time.monotonic() + limit)
            _end(process)
        result.seconds = time.monotonic() - session.began
        result.boot_seconds = session.boot_seconds or 0
        session.close()
        _judge(job, result, session, ended, log, group)
    finally:
        if saved is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
        if process is not None:
            _end(process)
        for port in ports:
            port.close()
        shutil.rmtree(folder, ignore_errors=True)
    return result


def report(result):
    for complaint in result.complaints:
        say(complaint)
    if not result.ok:
        say(f"logs: {result.log}")
