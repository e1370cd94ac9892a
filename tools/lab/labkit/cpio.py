# SPDX-License-Identifier: GPL-2.0
"""Writes initramfs archives (cpio "newc"), with device nodes, which an ordinary user could not create as files."""

import os
import stat
from pathlib import Path


class Archive:
    def __init__(self, path):
        self.out = open(path, "wb")
        self.inode = 0
        self.dirs = {""}

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        self.inode += 1
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        self.out.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))

    def mkdir(self, name):
        name = name.strip("/")
        if name in self.dirs:
            return
        self.mkdir(os.path.dirname(name))
        self.dirs.add(name)
        self._entry(name, stat.S_IFDIR | 0o755)

    def write(self, name, data, mode=0o644):
        name = name.strip("/")
        self.mkdir(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        name = name.strip("/")
        self.mkdir(os.path.dirname(name))
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, kind, major, minor):
        name = name.strip("/")
        self.mkdir(os.path.dirname(name))
        self._entry(name, kind | 0o600, rdev=(major, minor))

    def tree(self, name, folder):
        """Everything below FOLDER, under NAME."""
        for path in sorted(Path(folder).rglob("*")):
            inside = f"{name}/{path.relative_to(folder)}"
            if path.is_symlink():
                self.link(inside, os.readlink(path))
            elif path.is_dir():
                self.mkdir(inside)
            else:
                self.write(inside, path.read_bytes(), stat.S_IMODE(path.stat().st_mode))

    def close(self):
        self._entry("TRAILER!!!", 0)
        self.out.write(b"\0" * (-self.out.tell() % 512))
        self.out.close()
