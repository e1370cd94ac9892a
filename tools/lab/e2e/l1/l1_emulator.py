#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs in L1, without our modules: a guest whose processor the emulator calls thousands of times has to go on (lab.rst)."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from session import Session, main, parser

STOCK = Path("/vpv/stock")
COMMAND, MEMORY = 4, b"\x02\x00"


class Switching(threading.Thread):
    """Turns the memory of a function off and on: the memory map of all processors changes, and QEMU calls each of them."""

    def __init__(self, bdf):
        super().__init__()
        self.device = Path("/sys/bus/pci/devices") / bdf
        self.times = 0
        self.over = False

    def run(self):
        os.sched_setaffinity(0, {0})
        config = os.open(self.device / "config", os.O_RDWR)
        while not self.over:
            os.pwrite(config, b"\0\0", COMMAND)
            os.pwrite(config, MEMORY, COMMAND)
            self.times += 2
            # So often that the guest gets on.
            if not self.times % 40:
                time.sleep(0.001)
        os.close(config)

    @contextlib.contextmanager
    def on(self):
        self.start()
        try:
            yield
        finally:
            self.over = True
            self.join()


class Called(Session):
    initrd = "spin-initrd"

    def run(self):
        subprocess.run(["modprobe", "-qa", "kvm_amd", "kvm_intel"], check=False)
        self.boot([])
        switching = Switching(STOCK.read_text().split()[0])
        with switching.on():
            self.go_on("while its processor is called by the emulator", self.guest)
        self.check("it was called a thousand times and more", switching.times > 1000, switching.times)
        self.say(f"memory of a function turned off and on {switching.times} times; the guest goes on")
        self.guest.quit()


if __name__ == "__main__":
    sys.exit(main(Called, parser(__doc__)))
