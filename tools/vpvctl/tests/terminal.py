#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run a program on a terminal of its own: terminal.py COLUMNS ROWS KEYS COMMAND...; its output to stdout, its status returned.

KEYS are sent after a while; "^C" is what that key sends.
"""

import fcntl
import os
import pty
import struct
import sys
import termios
import time

columns, rows, keys = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].replace("^C", "\x03")
child, fd = pty.fork()
if not child:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[4], sys.argv[4:])
output, sent = b"", not keys
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    output += data
    if not sent and b"DEVICE" in output:
        time.sleep(0.3)
        os.write(fd, keys.encode())
        sent = True
sys.stdout.buffer.write(output)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
