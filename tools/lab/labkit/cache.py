# SPDX-License-Identifier: GPL-2.0
"""Artifacts: folders named by the hash of what they are made from, built once and moved into place whole."""

import fcntl
import hashlib
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from . import env
from .progress import say


@contextmanager
def locked(path, what):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run is busy with {what}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(*inputs):
    """Hash of strings, bytes, and files' names and contents."""
    total = hashlib.sha256()
    for item in inputs:
        if isinstance(item, Path):
            item = item.name.encode() + b"\0" + item.read_bytes()
        elif isinstance(item, str):
            item = item.encode()
        total.update(hashlib.sha256(item).digest())
    return total.hexdigest()[:12]


def artifact(name, inputs, build):
    """The folder NAME-HASH in the cache; if it is not there, build(folder) fills it."""
    key = f"{name}-{digest(*inputs)}"
    dest = env.CACHE / key
    if dest.is_dir():
        return dest
    with locked(env.CACHE / "locks" / key, name):
        if not dest.is_dir():
            work = Path(tempfile.mkdtemp(prefix="artifact.", dir=env.WORK))
            try:
                build(work)
                work.chmod(0o755)
                work.rename(dest)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return dest
