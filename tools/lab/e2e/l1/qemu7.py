# SPDX-License-Identifier: GPL-2.0
"""QEMU 7.2, which migrates by the region of v1, in a root of its own: a disk that L0 has plugged in."""

import subprocess


class Qemu7Error(OSError):
    """There is no such QEMU; the message says why."""


def prefix():
    """The words before a command that is to find QEMU 7.2."""
    done = subprocess.run(["vpv-disk", "qemu7"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Qemu7Error(done.stderr.strip())
    return ["chroot", done.stdout.strip()]


def version():
    done = subprocess.run([*prefix(), "qemu-system-x86_64", "--version"], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0]
