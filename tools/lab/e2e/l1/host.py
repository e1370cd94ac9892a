# SPDX-License-Identifier: GPL-2.0
"""A whole Debian host in L1: a root made from packages/libvirt with systemd as the first process of a PID namespace.

It has L1's /sys and /dev, and its udev and libvirtd do with them what they do on a machine of their own. No maintainer script has
run in the root, so what these would have done is done here.
"""

import re
import shutil
import subprocess
import time
from pathlib import Path

MODULES = Path("/usr/lib/modules")
OVERLAY = Path("/run/modules")
# Debian's number of the user that runs QEMU.
QEMU_ID = 64055
SOCKETS = ("libvirtd.socket", "libvirtd-ro.socket", "virtlogd.socket")
# What driverctl keeps.
OVERRIDES = "etc/driverctl.d"
BOOT_S, COMMAND_S = 240, 240
# The root becomes that of the namespace, which is where libvirt is when it enters the namespace of a QEMU.
FIRST = """
cd "$1"
mount -t proc proc proc
mkdir -p mnt/old
pivot_root . mnt/old
exec chroot . sh -euc 'umount -l /mnt/old
exec env -i container=vpv PATH=/usr/sbin:/usr/bin TERM=linux LC_ALL=C.UTF-8 \
	/usr/lib/systemd/systemd --unit=basic.target --show-status=no'
"""


class HostError(Exception):
    """The host does not run; the message says why."""


def installed(name):
    """What `make modules_install` and depmod have left in the folder NAME of the payload, without the kernel's own modules."""
    return Path("/vpv") / name / "lib/modules"


def install_modules(name="installed"):
    """Lay our modules and the index of all over the kernel's own, as if they had been installed; the folder of the kernel."""
    for part in ("up", "work"):
        (OVERLAY / part).mkdir(parents=True, exist_ok=True)
    shutil.copytree(installed(name), OVERLAY / "up", dirs_exist_ok=True, symlinks=True)
    subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={MODULES},upperdir={OVERLAY}/up,workdir={OVERLAY}/work", "modules",
                    str(MODULES)], check=True)
    return MODULES / next(installed(name).iterdir()).name


def replace_modules(old, new):
    """Those of the folder OLD of the payload by those of NEW, as a package does it; what is loaded stays so."""
    for file in installed(old).rglob("*.ko*"):
        (MODULES / file.relative_to(installed(old))).unlink()
    shutil.copytree(installed(new), MODULES, dirs_exist_ok=True, symlinks=True)


def uninstall_module(folder, name):
    """What remains if NAME is not installed: neither the file nor its lines in the index that libvirt and vpvctl read."""
    for file in folder.rglob(f"{name}.ko*"):
        file.unlink()
    alias = folder / "modules.alias"
    alias.write_text("".join(line for line in alias.read_text().splitlines(True) if line.split()[-1:] != [name]))


class Host:
    def __init__(self, disk, out):
        self.out = Path(out)
        self.root = Path(subprocess.run(["vpv-disk", disk], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())
        self.process = None

    def prepare(self, kept=None):
        """KEPT: a folder with what an earlier boot left."""
        modules = self.root / "usr/lib/modules"
        modules.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--rbind", str(MODULES), str(modules)], check=True)
        run = self.root / "var/run"     # a package has made it a folder
        if not run.is_symlink():
            shutil.rmtree(run)
            run.symlink_to("/run")
        (self.root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        for part in ("etc", "var"):     # indexes that this host does not need are not made anew
            (self.root / part / ".updated").touch()
        self.accounts()
        self.chroot("systemctl", "enable", *SOCKETS)
        if kept:
            shutil.copytree(kept, self.root / OVERRIDES, dirs_exist_ok=True)

    def accounts(self):
        self.chroot("systemd-sysusers")
        for name, line in (("passwd", f"libvirt-qemu:x:{QEMU_ID}:{QEMU_ID}::/var/lib/libvirt:/usr/sbin/nologin"),
                           ("group", f"libvirt-qemu:x:{QEMU_ID}:"), ("group", "libvirt:x:64056:")):
            with open(self.root / "etc" / name, "a") as file:
                file.write(f"{line}\n")
        group = self.root / "etc/group"
        group.write_text(re.sub(r"^(kvm:.*:)$", r"\1libvirt-qemu", group.read_text(), flags=re.M))

    def chroot(self, *words):
        """Before the host runs."""
        done = subprocess.run(["chroot", str(self.root), *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise HostError(f"{' '.join(words)}: {done.stderr.strip()}")

    def boot(self):
        with open(self.out / "systemd.log", "wb") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
                                             "sh", "-euc", FIRST, "sh", str(self.root)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + BOOT_S
        while True:
            state = self.run("systemctl", "is-system-running").stdout.strip() if self._first() else ""
            if state in ("running", "degraded"):
                self.run("udevadm", "settle")
                return state
            if time.monotonic() > end or self.process.poll() is not None:
                raise HostError(f"the host does not come up: '{state}', exit status {self.process.poll()}")
            time.sleep(1)

    def _first(self):
        """The host's first process, by its number outside."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        words = path.read_text().split() if path.exists() else []
        return words[0] if words else ""

    def run(self, *words, timeout=COMMAND_S):
        """A command as somebody on the host would give it."""
        where = ["nsenter", "-t", self._first(), "--mount", "--pid"]
        try:
            return subprocess.run([*where, "env", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin", *words], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(words, 124, "", f"{' '.join(words)}: no end within {timeout} s")

    def command(self, line):
        """A LINE that Documentation/operating.rst has, word by word."""
        return self.run(*line.split())

    def virsh(self, *words):
        return self.run("virsh", "-q", "-c", "qemu:///system", *words)

    def overrides(self):
        """What has to be there at the next boot: copied to the results."""
        shutil.copytree(self.root / OVERRIDES, self.out / "kept", dirs_exist_ok=True)

    def end(self):
        if self.process is None or self.process.poll() is not None:
            return
        (self.out / "journal").write_text(self.run("journalctl", "-b", "--no-pager", "-o", "short-monotonic").stdout)
        self.process.kill()
        self.process.wait()
