# SPDX-License-Identifier: GPL-2.0
"""The controlling functions of mlx5_like devices: which functions each one has, their provisioning, and what its
firmware says of them."""

import re
import subprocess
from pathlib import Path

from function import FunctionError

DRIVER = "vpv_mlx5_ctrl"
CONFIGFS = Path("/sys/kernel/config")
LINE = re.compile(r"^(\d+) (\w+) flags (0x[0-9a-f]+)", re.MULTILINE)
INITIATOR_SUSPENDED, TRACKER_ARMED = 1 << 0, 1 << 7


class Controlling:
    """A device: its controlling function, and the controlled ones by their number."""

    def __init__(self, function):
        self.function = function
        self.functions = {}

    def _file(self, number, name):
        return CONFIGFS / DRIVER / self.function.bdf / str(number) / name

    def find(self, functions):
        """Ask the driver which of FUNCTIONS belong to this device."""
        if self.function.driver() != DRIVER:
            raise FunctionError(f"{self.function.bdf}: bound to '{self.function.driver()}', not to {DRIVER}")
        places = {item.bdf: item for item in functions}
        for folder in (CONFIGFS / DRIVER / self.function.bdf).iterdir():
            address = (folder / "address").read_text().strip()
            if address in places:
                self.functions[int(folder.name)] = places[address]
        return self

    def provision(self, driver):
        """Make the functions appear, for DRIVER alone."""
        for function in self.functions.values():
            function.reserve(driver)
        self.enable()

    def enable(self):
        """Make the functions appear. They get addresses of their own."""
        for number, function in self.functions.items():
            place = int(function.bdf.split(":")[2].split(".")[0], 16)
            self._file(number, "mac").write_text(f"02:76:20:01:{place:02x}:{number:02x}")
            self._file(number, "enable").write_text("1")

    def flags(self):
        """{bdf: flags} of the functions, as the firmware has them."""
        found = LINE.findall(self.function.control("functions"))
        return {self.functions[int(number)].bdf: int(flags, 16) for number, _, flags in found
                if int(number) in self.functions}

    def peer(self):
        """The counters of the peer that is built into the device."""
        return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", self.function.control("peer"),
                                                                re.MULTILINE)}


def mount_configfs(driver):
    """Have the folder of DRIVER."""
    if not (CONFIGFS / driver).is_dir():
        subprocess.run(["mount", "-t", "configfs", "configfs", str(CONFIGFS)], check=False, capture_output=True)
    if not (CONFIGFS / driver).is_dir():
        raise FunctionError(f"{CONFIGFS / driver} is missing")
