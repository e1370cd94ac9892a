#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""In L1: vpv_pci under users that know nothing of it: drivers of guests, QEMU's own NVMe driver, User Mode Linux, DPDK. TAP.

What the guests say about their data is compared with what this host sees of the same disk and the same wire.
"""

import contextlib
import functools
import hashlib
import http.server
import itertools
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import guests  # noqa: E402
from guests import GUEST_S, OUT  # noqa: E402
from pci import DRIVERS, Bound, load_drivers, load_stock, stock  # noqa: E402

THEIRS, OURS = DRIVERS
SERVER, HTTP_PORT, SINK_PORT = "10.9.0.1", 8000, 7000
BLOB = 1 << 20
IO_S, IO_TRIES = 40, 2
FORWARD_S, FORWARDED = 20, 100
PATTERN = 0xa5


def digest(data):
    return hashlib.sha256(data).hexdigest()


def read_disk(device):
    """The first BLOB bytes, through this host's own NVMe driver, which no other disk is bound to."""
    load_stock("nvme")
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


def disk(device, told):
    """Of a guest that wrote to the disk and read it."""
    return {"the guest reads what it wrote": told["read"] == told["wrote"],
            "the guest's queues have interrupts": int(told["interrupts"]) > 0,
            "the host reads what the guest wrote": digest(read_disk(device)) == told["wrote"]}


def nvme(devices):
    """Both users come before this host's own driver: after that, QEMU's nvme may write where the driver had its queues."""
    with Bound(devices["nvme1"], OURS):
        io_works = run_qemu_io(devices["nvme1"])
    with Bound(devices["nvme"], OURS):
        told = guests.qemu(devices["nvme"], "nvme")
    return {"nvme:// of qemu-io reads what it wrote": io_works,
            **disk(devices["nvme"], told),
            "the host reads what qemu-io wrote": read_disk(devices["nvme1"]) == bytes([PATTERN]) * BLOB}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def sink(listener, received):
    try:
        peer, _ = listener.accept()
    except OSError:
        return      # nobody came
    with peer:
        while data := peer.recv(65536):
            received.extend(data)


@contextlib.contextmanager
def served(devices):
    """The other end of the wire, for one guest: (what is served there, what was received so far)."""
    blob, received = os.urandom(BLOB), bytearray()
    (OUT.parent / "blob").write_bytes(blob)
    subprocess.run(["modprobe", "virtio_net"], check=True)
    with Bound(devices["virtio-net"], "virtio-pci"):
        link = next(devices["virtio-net"].sysfs.glob("virtio*/net/*")).name
        for words in (["link", "set", link, "up"], ["addr", "add", f"{SERVER}/24", "dev", link]):
            subprocess.run(["/usr/bin/busybox", "ip", *words], check=True)
        handler = functools.partial(Quiet, directory=str(OUT.parent))
        with http.server.ThreadingHTTPServer((SERVER, HTTP_PORT), handler) as server, socket.create_server((SERVER, SINK_PORT)) as listener:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            threading.Thread(target=sink, args=(listener, received), daemon=True).start()
            try:
                yield blob, received
            finally:
                server.shutdown()
                listener.shutdown(socket.SHUT_RDWR)     # sink() would keep the port
    (OUT.parent / "blob").unlink()


def receives(told, blob):
    return {"the guest loses no ping": told["lost"] == "0",
            "the guest receives what the host sends": told["received"] == digest(blob)}


def e1000e(devices):
    with served(devices) as (blob, received), Bound(devices["e1000e"], OURS):
        told = guests.qemu(devices["e1000e"], "e1000e")
    return {**receives(told, blob), "the host receives what the guest sends": digest(bytes(received)) == told["sent"]}


def differing(one, other):
    """Offsets at which two config spaces, in hexadecimal digits, differ."""
    pairs = itertools.zip_longest(*(re.findall("..", text) for text in (one, other)))
    return [f"{place:#x}" for place, (left, right) in enumerate(pairs) if left != right]


def user_mode(devices):
    """User Mode Linux with the kernel's driver and with ours. Each has a disk of its own."""
    checks, told = {}, {}
    for driver, name in ((THEIRS, "nvme2"), (OURS, "nvme3")):
        with Bound(devices[name], driver):
            told["nvme", driver] = guests.uml(devices[name], "nvme")
        found = disk(devices[name], told["nvme", driver])
        with served(devices) as (blob, _), Bound(devices["e1000e"], driver):
            told["e1000e", driver] = guests.uml(devices["e1000e"], "receive")
        more = receives(told["e1000e", driver], blob)
        checks.update({f"{driver}: {what}": right for what, right in {**found, **more}.items()})
    for name in ("nvme", "e1000e"):
        places = differing(told[name, THEIRS]["config"], told[name, OURS]["config"])
        checks[f"{name} has one config space with both drivers ({places})"] = not places
    return checks


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
    for title, client in (("nvme", nvme), ("e1000e", e1000e), ("uml", user_mode), ("dpdk", dpdk)):
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
