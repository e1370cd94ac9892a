# SPDX-License-Identifier: GPL-2.0
"""The functions of the device models as L1 sees them: binding, driver diagnostics, and the models' control ports."""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

DEVICES = Path("/sys/bus/pci/devices")
DRIVERS = Path("/sys/bus/pci/drivers")


class FunctionError(Exception):
    """A function cannot be used; the message says why."""


def kernel_lines():
    out = subprocess.run(["dmesg"], capture_output=True, text=True, errors="replace", check=False).stdout
    return out.splitlines()


def _kernel_log(lines=15):
    return "\n".join(kernel_lines()[-lines:])


def load_modules(folder, names):
    """Load modules of FOLDER with what they need; what the kernel itself has comes through modprobe."""
    for name in ("vfio", "vfio_iommu_type1", "iommufd"):
        subprocess.run(["modprobe", "-q", name], check=False)
    for name in names:
        _load(Path(folder), name)


def _load(folder, name):
    module = folder / f"{name}.ko"
    if Path(f"/sys/module/{name}").exists():
        return
    if not module.exists():
        subprocess.run(["modprobe", "-q", name], check=False)
        return
    out = subprocess.run(["modinfo", "-F", "depends", str(module)], capture_output=True, text=True, check=False)
    for needed in filter(None, out.stdout.strip().split(",")):
        _load(folder, needed)
    result = subprocess.run(["insmod", str(module)], capture_output=True, text=True, check=False)
    if result.returncode:
        raise FunctionError(f"cannot load {name}: {result.stderr.strip()}; the kernel's last lines:\n{_kernel_log()}")


def report_everything(on):
    """Have devices without a tracker that are opened from now on report all memory as dirty, or offer no reports."""
    Path("/sys/module/vpv_migration/parameters/report_everything").write_text("1" if on else "0")


@dataclass
class Function:
    bdf: str
    model: str
    index: int
    port: str = ""

    @property
    def sysfs(self):
        return DEVICES / self.bdf

    def driver(self):
        link = self.sysfs / "driver"
        return os.path.basename(os.readlink(link)) if link.is_symlink() else ""

    def bind(self, driver):
        """Give the function to DRIVER by driver_override and wait for its device file."""
        if not (DRIVERS / driver).is_dir():
            raise FunctionError(f"driver {driver} is not registered: is the module loaded?")
        if not self.sysfs.is_dir():
            raise FunctionError(f"there is no PCI function {self.bdf}: did its model start?")
        self.give(driver)
        if self.driver() != driver:
            raise FunctionError(f"{self.bdf}: bound to '{self.driver()}', not to {driver}; the kernel's last lines:\n"
                                f"{_kernel_log()}")
        self._wait_node()

    def give(self, driver):
        """Let DRIVER and no other one have the function."""
        if self.driver() == driver:
            return
        if self.driver():
            (self.sysfs / "driver/unbind").write_text(self.bdf)
        self.reserve(driver)
        try:
            Path("/sys/bus/pci/drivers_probe").write_text(self.bdf)
        except OSError as error:
            raise FunctionError(f"{self.bdf}: {driver} refused it: {error.strerror}; the kernel's last lines:\n"
                                f"{_kernel_log()}") from error

    def reserve(self, driver):
        """No other driver than this one may take the function."""
        (self.sysfs / "driver_override").write_text(driver)

    def _wait_node(self):
        group = os.path.basename(os.readlink(self.sysfs / "iommu_group")) if (
            self.sysfs / "iommu_group").is_symlink() else None
        if group is None:
            raise FunctionError(f"{self.bdf} has no IOMMU group: is the IOMMU of L1 on?")
        for _ in range(100):
            if Path(f"/dev/vfio/{group}").exists() or list(Path("/dev/vfio/devices").glob("vfio*")):
                return
            time.sleep(0.05)
        raise FunctionError(f"/dev/vfio/{group} did not appear for {self.bdf}")

    def speak(self, dialect):
        """The next user migrates it by the ioctls of VFIO (v2) or by a region (v1)."""
        (self.sysfs / "vpv/dialect").write_text(dialect)

    def unbind(self):
        """Take the function from its driver. An open function would block; bounded by a child process."""
        driver = self.driver()
        if not driver:
            return
        command = f"echo {self.bdf} > {DRIVERS}/{driver}/unbind"
        try:
            subprocess.run(["sh", "-c", command], timeout=20, check=True, capture_output=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            raise FunctionError(f"{self.bdf}: unbind from {driver} failed: {error}") from error
        (self.sysfs / "driver_override").write_text("\n")

    # The model's own view

    def control(self, command, timeout=60):
        """One command to the model; its answer, or an error if the model refused it."""
        port = os.open(self.port, os.O_RDWR | os.O_NONBLOCK)
        try:
            _drain(port)
            os.write(port, command.encode() + b"\n")
            answer = b""
            end = time.monotonic() + timeout
            while not _complete(answer):
                if time.monotonic() > end:
                    raise FunctionError(f"{self.model} {self.index}: no answer to '{command}' in {timeout} s")
                try:
                    answer += os.read(port, 65536)
                except BlockingIOError:
                    time.sleep(0.02)
        finally:
            os.close(port)
        return answer.decode(errors="replace")

    def stats(self):
        """The model's counters as {name: number}."""
        return {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", self.control("stats"))}


def _drain(port):
    try:
        while os.read(port, 65536):
            pass
    except BlockingIOError:
        pass


def _complete(answer):
    """A model's answer ends with a line "ok" or "err MESSAGE"."""
    lines = answer.split(b"\n")
    return answer.endswith(b"\n") and len(lines) > 1 and lines[-2].split(b" ")[0] in (b"ok", b"err")


def functions(path="/vpv/devices"):
    """The functions of this run: lines 'BDF MODEL INDEX CONTROLPORT'."""
    found = []
    for line in Path(path).read_text().splitlines():
        words = line.split()
        if words:
            bdf = words[0] if words[0].count(":") == 2 else f"0000:{words[0]}"
            found.append(Function(bdf, words[1], int(words[2]), words[3] if len(words) > 3 else ""))
    return found
