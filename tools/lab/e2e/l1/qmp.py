# SPDX-License-Identifier: GPL-2.0
"""A client of QEMU's machine protocol: commands with time-outs, and every event with its time."""

import json
import socket
import threading
import time


class QmpError(Exception):
    """QEMU refused a command, did not answer in time, or is gone."""


class Qmp:
    def __init__(self, path, timeout=30):
        self.sock = self._connect(path, timeout)
        self.changed = threading.Condition()
        self.replies = {}
        self.events = []        # (seconds since the epoch, name, data)
        self.closed = False
        self.serial = 0
        threading.Thread(target=self._read, daemon=True).start()
        self.execute("qmp_capabilities", timeout)

    @staticmethod
    def _connect(path, timeout):
        end = time.monotonic() + timeout
        while True:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.connect(str(path))
                return sock
            except OSError as error:
                sock.close()
                if time.monotonic() > end:
                    raise QmpError(f"no QMP connection to {path} after {timeout} s: {error}") from error
                time.sleep(0.05)

    def _read(self):
        try:
            for line in self.sock.makefile("r"):
                message = json.loads(line)
                with self.changed:
                    if "event" in message:
                        stamp = message["timestamp"]
                        self.events.append((stamp["seconds"] + stamp["microseconds"] / 1e6, message["event"],
                                            message.get("data", {})))
                    elif "id" in message:
                        self.replies[message["id"]] = message
                    self.changed.notify_all()
        except (OSError, ValueError):
            pass
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def execute(self, command, timeout=30, **arguments):
        with self.changed:
            self.serial += 1
            number = self.serial
        request = {"execute": command, "id": number}
        if arguments:
            request["arguments"] = {name.replace("_", "-"): value for name, value in arguments.items()}
        try:
            self.sock.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise QmpError(f"{command}: QEMU is gone: {error}") from error
        with self.changed:
            if not self.changed.wait_for(lambda: number in self.replies or self.closed, timeout):
                raise QmpError(f"{command}: no answer in {timeout} s")
            reply = self.replies.pop(number, None)
        if reply is None:
            raise QmpError(f"{command}: QEMU closed the connection")
        if "error" in reply:
            raise QmpError(f"{command}: {reply['error']['desc']}")
        return reply["return"]

    def first(self, name, since=0):
        """Time of the first event NAME at or after SINCE, None if there was none."""
        with self.changed:
            return next((stamp for stamp, event, _ in self.events if event == name and stamp >= since), None)

    def states(self):
        """[(time, state)] of the device, as QEMU reports them."""
        with self.changed:
            return [(stamp, data["device-state"]) for stamp, event, data in self.events if event == "VFIO_MIGRATION"]

    def close(self):
        self.sock.close()
