# SPDX-License-Identifier: GPL-2.0
"""Progress lines, and commands whose output goes to a log."""

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

from . import env

START = float(os.environ.get("VPV_START", time.time()))
ALIVE_S = 15


class LabError(Exception):
    """A step failed; the message is for people and complete."""


def say(text):
    print(f"[{int(time.time() - START):4d}s] {text}", file=sys.stderr, flush=True)


@contextmanager
def step(title):
    """Announce a long step, show every ALIVE_S seconds that it lives, and say how long it took."""
    began = time.monotonic()
    done = threading.Event()

    def alive():
        while not done.wait(ALIVE_S):
            say(f"{title}: {int(time.monotonic() - began)} s so far")

    say(f"{title} ...")
    ticker = threading.Thread(target=alive, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
    say(f"{title}: done in {time.monotonic() - began:.0f} s")


def tail(path, lines=20):
    try:
        with open(path, errors="replace") as log:
            return "".join("    | " + line.rstrip() + "\n" for line in log.readlines()[-lines:])
    except OSError:
        return ""


def run_logged(title, command, log_name=None, cwd=None, check=True, environ=None):
    """Run COMMAND with its output in a log of this run. Raises LabError with the log's end unless it succeeds."""
    log = env.LOGS / ((log_name or title.replace(" ", "-").replace("/", "-")) + ".log")
    full = dict(os.environ, **(environ or {}))
    with open(log, "ab") as out:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                cwd=cwd, env=full).returncode
    if status and check:
        raise LabError(f"FAILED: {title} (status {status}); the last lines were:\n{tail(log)}full log: {log}")
    return status, log
