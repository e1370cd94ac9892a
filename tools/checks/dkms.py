#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""DKMS builds for the kernels that Kconfig would build for: BUILD_EXCLUSIVE_CONFIG of dkms.conf (tools/dkms/conf.sh) has every symbol of
the kernel that Kconfig asks for or selects, and no other. TAP.
"""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# Every kernel of Debian's amd64 has them.
ARCH = {"MMU", "64BIT", "PAGE_SIZE_4KB"}
# Dependencies of what DKMS does not build.
TESTS = {"VPV_TEST", "VPV_KUNIT_TEST"}


def asked():
    """{symbol: those of ours that need it}. What must not be is left out: DKMS builds beside it, and modprobe tells."""
    found = {}
    for block in re.split(r"^(?:menu)?config ", (TOP / "Kconfig").read_text(), flags=re.M)[1:]:
        name = block.split()[0]
        for words in re.findall(r"^\t(?:depends on|select) (.*)$", block, re.M):
            for word in re.findall(r"!?\w+", words):
                if name not in TESTS and re.match("[A-Z0-9]", word) and not word.startswith("VPV_"):
                    found.setdefault(word, []).append(name)
    return {word: names for word, names in found.items() if word not in ARCH}


def excluding():
    """Symbols without which DKMS passes a kernel over."""
    conf = subprocess.run([TOP / "tools/dkms/conf.sh", "0"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return set(re.search(r'^BUILD_EXCLUSIVE_CONFIG="(.*)"$', conf, re.M)[1].replace("CONFIG_", "").split())


def main():
    wanted, there = asked(), excluding()
    points = [(f"{word}, for {' '.join(names)}", word in there) for word, names in sorted(wanted.items())]
    points += [(f"{word} is asked for", word in wanted) for word in sorted(there)]
    for number, (name, held) in enumerate(points, 1):
        print(f"{'ok' if held else 'not ok'} {number} - dkms: {name}")
    print(f"1..{len(points)}")
    return not all(held for _, held in points)


if __name__ == "__main__":
    sys.exit(main())
