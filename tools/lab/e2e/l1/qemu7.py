# SPDX-License-Identifier: GPL-2.0
"""QEMU 7.2, which migrates by the region of v1, in a root of its own: a disk that L0 has plugged in."""

import subprocess
from pathlib import Path

ROOT = Path("/opt/qemu7")
SERIAL = "qemu7"
# What it shares with L1.
SHARED = ("/dev", "/proc", "/sys", "/run", "/tmp", "/vpv")


class Qemu7Error(OSError):
    """There is no such QEMU; the message says why."""


def _disk():
    for serial in Path("/sys/block").glob("vd*/serial"):
        if serial.read_text().strip() == SERIAL:
            return f"/dev/{serial.parent.name}"
    raise Qemu7Error(f"no disk has the serial number {SERIAL}: has L0 plugged it in?")


def _mount(*arguments):
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Qemu7Error(f"mount {' '.join(arguments)}: {done.stderr.strip()}")


def prefix():
    """The words before a command that is to find QEMU 7.2."""
    if not ROOT.is_dir():
        ROOT.mkdir(parents=True)
        _mount("-t", "erofs", "-o", "ro", _disk(), str(ROOT))
        for folder in SHARED:
            _mount("--bind", folder, f"{ROOT}{folder}")
    return ["chroot", str(ROOT)]


def version():
    done = subprocess.run([*prefix(), "qemu-system-x86_64", "--version"], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0]
