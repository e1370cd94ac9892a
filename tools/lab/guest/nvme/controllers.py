# SPDX-License-Identifier: GPL-2.0
"""In L1: PCI functions with NVMe controllers under the kernel's own driver, and TAP."""

import re
import subprocess
import time
from pathlib import Path

DRIVER = Path("/sys/bus/pci/drivers/nvme")
WAIT_S = 60


class Failed(Exception):
    pass


def run(*words, ok=(0,)):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode not in ok:
        raise Failed(f"{' '.join(words)}: status {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}")
    return done.stdout


class Controller:
    """A PCI function with an NVMe controller."""

    def __init__(self, bdf):
        self.bdf = bdf
        self.sysfs = Path("/sys/bus/pci/devices") / self.bdf

    def bind(self):
        (self.sysfs / "driver_override").write_text("nvme\n")
        if not (self.sysfs / "driver").exists():
            Path("/sys/bus/pci/drivers_probe").write_text(self.bdf)

    def unbind(self):
        (DRIVER / "unbind").write_text(self.bdf)

    def wait_live(self):
        for _ in range(WAIT_S * 10):
            for path in self.sysfs.glob("nvme/nvme*/state"):
                if path.read_text().strip() == "live":
                    return
            time.sleep(0.1)
        raise Failed(f"{self.bdf} does not get ready")

    @property
    def ctrl(self):
        return Path("/dev") / next(self.sysfs.glob("nvme/nvme*")).name

    @property
    def disk(self):
        """The namespace's block device, when it has come."""
        for _ in range(WAIT_S * 10):
            for path in self.sysfs.glob("nvme/nvme*/nvme*n1"):
                # With multipath the path of a controller is hidden: nvme0c0n1 belongs to nvme0n1.
                node = Path("/dev") / re.sub(r"c\d+n", "n", path.name)
                if node.exists():
                    return node
            time.sleep(0.1)
        raise Failed("the namespace does not appear")


class Function(Controller):
    """One of the model: its address and the control socket."""

    def __init__(self, name, number=0):
        lines = [line.split() for line in Path("/vpv/devices").read_text().splitlines()]
        bdf, self.control = [(words[0], words[3]) for words in lines if words[1] == name][number]
        super().__init__(bdf)

    def tell(self, line):
        """The model's answer to a control command."""
        with open(self.control, "r+b", buffering=0) as port:
            port.write(line.encode() + b"\n")
            text = b""
            while not re.search(rb"^(ok|err .*)\n", text, re.M):
                text += port.read(4096) or b""
        return text.decode()

    def stat(self, name):
        return int(re.search(rf"^{name} (\d+)$", self.tell("stats"), re.M)[1])


def qemus():
    """QEMU's own controller."""
    lines = [line.split() for line in Path("/vpv/stock").read_text().splitlines()]
    return Controller(next(words[0] for words in lines if words[1] == "nvme"))


def load_driver():
    """No controller gets it by itself."""
    Path("/sys/bus/pci/drivers_autoprobe").write_text("0")
    run("modprobe", "nvme")


class Report:
    """TAP."""

    def __init__(self):
        self.number, self.bad = 0, 0

    def line(self, title, complaints, notes=()):
        self.number += 1
        self.bad += bool(complaints)
        for text in (*complaints, *notes):
            print("\n".join(f"# {line}" for line in text.splitlines()))
        print(f"{'not ok' if complaints else 'ok'} {self.number} - {title}", flush=True)
