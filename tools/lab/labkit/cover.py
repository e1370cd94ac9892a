# SPDX-License-Identifier: GPL-2.0
"""Which lines of pure files were executed, by gcov."""

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path

PRODUCT = re.compile(r"((?:config_virt|migration|vfio_pci_core|variants/\w+)/(?!\w+_kunit\.c)\w+\.c):(\d+)")


def pure(folder):
    """{(file, line): whether it was executed} of what gcov knows of the programs in FOLDER (kunit/host, COVER=1)."""
    lines = {}
    for data in sorted(Path(folder).rglob("*.gcda")):
        text = subprocess.run(["gcov", "--json-format", "--stdout", data], check=True, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL).stdout
        for unit in text.splitlines():
            for file in json.loads(unit)["files"]:
                for line in file["lines"]:
                    if found := PRODUCT.search(f"{file['file']}:{line['line_number']}"):
                        key = found[1], line["line_number"]
                        lines[key] = lines.get(key, False) or line["count"] > 0
    return lines


def share(lines):
    """"97 % of 120" """
    return f"{100 * sum(lines.values()) // max(1, len(lines))} % of {len(lines)}"


def by_file(lines):
    """[(file, share)], sorted."""
    files = defaultdict(dict)
    for (file, line), hit in lines.items():
        files[file][line] = hit
    return [(file, share(found)) for file, found in sorted(files.items())]
