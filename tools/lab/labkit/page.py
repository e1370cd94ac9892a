# SPDX-License-Identifier: GPL-2.0
"""Literal blocks of the documentation: tests give their commands as they stand there."""

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "Documentation"


def blocks(text):
    """Those of a page, without the margin and without remarks."""
    found = re.findall(r"::\n\n((?: {4}.*\n|\n)+)", text)
    return ["\n".join(re.sub(r"\s+#.*", "", line[4:]) for line in block.rstrip().splitlines()) for block in found]


def script(name, start):
    """The block of Documentation/NAME that begins with START."""
    text = (FOLDER / name).read_text()
    return next(block for block in blocks(text) if block.startswith(start))
