# SPDX-License-Identifier: GPL-2.0
"""Which lines of our modules and of their pure files were executed: by kunit/cover/vpv_cover.c in L1, and by gcov on the host."""

import json
import re
import struct
import subprocess
from collections import defaultdict
from pathlib import Path

CALL_BYTES = 5          # of the call at the beginning of a block; what the dump holds is the address after it
PRODUCT = re.compile(r"((?:config_virt|migration|vfio_pci_core|variants/\w+)/(?!\w+_kunit\.c)\w+\.c):(\d+)")
RELOCATION = re.compile(r"^([0-9a-f]{16}) .* vpv_cover_block\b")


def _calls(module):
    """{section: [offset after each call]} of a *.ko."""
    found, section = defaultdict(list), None
    for line in subprocess.run(["readelf", "-rW", module], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        if line.startswith("Relocation section "):
            section = line.split("'")[1].removeprefix(".rela")
        elif found_call := RELOCATION.match(line):
            found[section].append(int(found_call[1], 16) + CALL_BYTES - 1)
    return found


def _lines(module, section, offsets):
    """(file, line) of ours, or None, for each offset."""
    places = "".join(f"{offset - CALL_BYTES:#x}\n" for offset in offsets)
    text = subprocess.run(["addr2line", "-e", module, "-j", section], input=places, check=True, stdout=subprocess.PIPE,
                          text=True).stdout.splitlines()
    return [(found[1], int(found[2])) if (found := PRODUCT.search(line)) else None for line in text]


def modules(folder, dumps):
    """{module: {(file, line): whether it was executed}} of lines that begin a block.

    The modules were built in FOLDER; DUMPS are folders "cover" that machines have left. A line with several blocks counts as
    executed if one was. Code that is gone once the module is loaded is left out.
    """
    hits = defaultdict(set)     # (module, section) -> offsets
    for dump in dumps:
        blocks = [block for block, in struct.iter_unpack("<Q", (dump / "blocks").read_bytes()) if block]
        for line in (dump / "sections").read_text().splitlines():
            path, _, start = line.partition(":")
            words = path.split("/")
            hits[words[3], words[5]].update(block - int(start, 16) for block in blocks if block > int(start, 16))
    result = {}
    for file in sorted(folder.rglob("vpv_*.ko")):
        if "kunit" in file.parts:
            continue
        lines = {}
        for section, offsets in _calls(file).items():
            if not section.startswith((".init", ".exit")):
                for offset, line in zip(offsets, _lines(file, section, offsets)):
                    if line:
                        lines[line] = lines.get(line, False) or offset in hits[file.stem, section]
        result[file.stem] = lines
    return result


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
