#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""In L1: vpv_pci under users that know nothing of it: stock drivers of a guest, QEMU's own NVMe driver, DPDK. TAP.

What the guests say about their data is compared with what this host sees of the same disk and the same wire.
"""

import contextlib
import functools
import hashlib
import http.server
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pci import Bound, load_drivers, stock  # noqa: E402

HERE = Path(__file__).parent
OUT = Path("/vpv/out/clients")
OURS = "vpv_pci"
SERVER, HTTP_PORT, SINK_PORT = "10.9.0.1", 8000, 7000
BLOB = 4 << 20
GUEST_S, IO_S, IO_TRIES = 300, 40, 2
FORWARD_S, FORWARDED = 20, 100
PATTERN = 0xa5
KERNEL_LINE = "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check tsc=reliable cryptomgr.notests nowatchdog random.trust_cpu=on"


def digest(data):
    return hashlib.sha256(data).hexdigest()


def run_guest(device, client):
    """Boot a guest with DEVICE assigned; {word: value} of what its client tells."""
    console = OUT / f"{client}.console"
    kvm = os.path.exists("/dev/kvm")
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
               "-machine", "q35,vmport=off,hpet=off", "-accel", "kvm" if kvm else "tcg", "-cpu", "host" if kvm else "max",
               "-smp", "1", "-m", "320", "-kernel", str(HERE / "image/vmlinuz"), "-initrd", str(HERE / "image/initrd"),
               "-append", f"{KERNEL_LINE} client={client}", "-serial", f"file:{console}",
               "-device", f"vfio-pci,host={device.bdf}"]
    with open(OUT / f"{client}.qemu", "wb") as log:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                timeout=GUEST_S).returncode
    text = console.read_text(errors="replace")
    told = dict(re.findall(r"client: (\S+) ?(\S*)\r?\n", text))
    if status or "done" not in told:
        raise OSError(f"the guest did not finish: status {status}, told {told}; see {console.name}")
    return told


def read_disk(device):
    """The first BLOB bytes, through this host's own NVMe driver."""
    subprocess.run(["modprobe", "nvme"], check=True)
    with Bound(device, "nvme"):
        node = subprocess.run(["sh", "-c", f"for n in 1 2 3 4 5 6 7 8 9; do ls -d {device.sysfs}/nvme/nvme*/nvme*n1 && exit; sleep 1; done"],
                              capture_output=True, text=True, check=False).stdout.split()
        if not node:
            raise OSError("the host's nvme driver shows no namespace")
        with open(f"/dev/{Path(node[0]).name}", "rb") as disk:
            return disk.read(BLOB)


def run_qemu_io(disk):
    """True if QEMU's own NVMe driver wrote and read the same.

    The second try counts, too: QEMU's nvme may write once to a queue of its last user (the firmware, at first), which the
    IOMMU refuses, and the driver then waits for ever. It does so with the kernel's vfio-pci as well.
    """
    command = ["qemu-io", "-f", "raw", "-c", f"write -P {PATTERN:#x} 0 {BLOB}", "-c", "flush",
               "-c", f"read -P {PATTERN:#x} 0 {BLOB}", "-c", "read -P 0 32M 1M", f"nvme://{disk.bdf}/1"]
    for attempt in range(IO_TRIES):
        with open(OUT / f"qemu-io.{attempt}.log", "wb") as log:
            try:
                status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                        timeout=IO_S).returncode
            except subprocess.TimeoutExpired:
                continue
        text = (OUT / f"qemu-io.{attempt}.log").read_text(errors="replace")
        return status == 0 and "failed" not in text and text.count("read ") >= 2
    return False


def nvme(devices):
    """Both users come before this host's own driver: after that, QEMU's nvme may write where the driver had its queues."""
    with Bound(devices["nvme1"], OURS):
        io_works = run_qemu_io(devices["nvme1"])
    with Bound(devices["nvme"], OURS):
        told = run_guest(devices["nvme"], "nvme")
    return {"nvme:// of qemu-io reads what it wrote": io_works,
            "the guest reads what it wrote": told["read"] == told["wrote"],
            "the guest's queues have interrupts": int(told["interrupts"]) > 0,
            "the host reads what the guest wrote": digest(read_disk(devices["nvme"])) == told["wrote"],
            "the host reads what qemu-io wrote": read_disk(devices["nvme1"]) == bytes([PATTERN]) * BLOB}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def sink(listener, received):
    peer, _ = listener.accept()
    with peer:
        while data := peer.recv(65536):
            received.extend(data)


def nic_guest(devices):
    blob = os.urandom(BLOB)
    (OUT.parent / "blob").write_bytes(blob)
    subprocess.run(["modprobe", "virtio_net"], check=True)
    received = bytearray()
    with Bound(devices["virtio-net"], "virtio-pci"):
        link = next(devices["virtio-net"].sysfs.glob("virtio*/net/*")).name
        for words in (["link", "set", link, "up"], ["addr", "add", f"{SERVER}/24", "dev", link]):
            subprocess.run(["/usr/bin/busybox", "ip", *words], check=True)
        handler = functools.partial(Quiet, directory=str(OUT.parent))
        server = http.server.ThreadingHTTPServer((SERVER, HTTP_PORT), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with socket.create_server((SERVER, SINK_PORT)) as listener:
            threading.Thread(target=sink, args=(listener, received), daemon=True).start()
            with Bound(devices["e1000e"], OURS):
                told = run_guest(devices["e1000e"], "e1000e")
        server.shutdown()
    (OUT.parent / "blob").unlink()
    return {"the guest loses no ping": told["lost"] == "0",
            "the guest receives what the host sends": told["received"] == digest(blob),
            "the host receives what the guest sends": digest(bytes(received)) == told["sent"]}


def load_dropin():
    """What insmod says."""
    return subprocess.run(["insmod", "/vpv/modules/vfio-pci.ko"], capture_output=True, text=True, check=False).stderr


def testpmd(root, names, devices):
    """{NIC: (packets received, sent)} of testpmd, which passes what one receives on to the other; {} if it takes none.

    All NICs are on one wire, so that the first packets are passed to and fro until the end. Without huge pages DPDK maps each page
    by itself, and 65,535 is the most that a container takes: -m has to be less than 256.
    """
    pair = [devices[name] for name in names]
    command = ["chroot", root, "dpdk-testpmd", "-l", "0,1", "--no-huge", "-m", "128", "--iova-mode=va", "--base-virtaddr=0x100000000",
               *(word for device in pair for word in ("-a", device.bdf)),
               "--", "--auto-start", "--tx-first", "--total-num-mbufs=8192", "--no-lsc-interrupt", "--port-topology=paired"]
    with contextlib.ExitStack() as stack:
        for device in pair:
            stack.enter_context(Bound(device, devices["driver"]))
        log = OUT / f"testpmd.{devices['driver']}.{'.'.join(names)}.log"
        with open(log, "wb") as out, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT) as run:
            try:
                run.wait(FORWARD_S)
            except subprocess.TimeoutExpired:
                run.stdin.close()       # the end of its input ends it
            try:
                run.wait(GUEST_S)
            finally:
                run.kill()
    text = log.read_text(errors="replace")
    found = re.findall(r"Forward statistics for port (\d+).*?RX-packets: (\d+).*?TX-packets: (\d+)", text, re.S)
    return {names[int(port)]: (int(received), int(sent)) for port, received, sent in found}


def dpdk(devices):
    """A program that takes no driver but one called vfio-pci."""
    root = subprocess.run(["vpv-disk", "dpdk"], capture_output=True, text=True, check=True).stdout.strip()
    pairs = (("e1000e", "igb"), ("virtio-net", "igb"))
    checks = {"testpmd takes no device of vpv_pci": not testpmd(root, pairs[0], {**devices, "driver": OURS})}
    checks["the name is refused while the kernel's driver has it"] = "File exists" in load_dropin()
    subprocess.run(["rmmod", "vfio-pci"], check=True)
    checks["the name is taken when it is free"] = not load_dropin() and Path("/sys/module/vpv_core/holders/vfio_pci").exists()
    for pair in pairs:
        counts = testpmd(root, pair, {**devices, "driver": "vfio-pci"})
        checks[f"testpmd forwards between {' and '.join(pair)} ({counts})"] = len(counts) == 2 and all(
            min(both) > FORWARDED for both in counts.values())
    subprocess.run(["rmmod", "vfio-pci"], check=True)
    load_drivers()
    return checks


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    load_drivers()
    devices = {device.name: device for device in stock()}
    number, bad = 0, 0
    print("TAP version 13")
    for title, client in (("nvme", nvme), ("e1000e", nic_guest), ("dpdk", dpdk)):
        try:
            found = client(devices)
        except (OSError, KeyError, subprocess.SubprocessError) as error:
            found = {f"it works ({error})": False}
        for what, right in found.items():
            number += 1
            bad += not right
            print(f"{'ok' if right else 'not ok'} {number} - {title}: {what}", flush=True)
    print(f"1..{number}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
