#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Simple tables of the documentation: is the margin between two columns empty in each row?

A row whose text reaches into it makes docutils drop the whole table.  TAP, one line a file; each table
is also damaged once, to see that it would be noticed.
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BORDER = re.compile(r"\s*=+(?:  =+)+\s*")


def tables(lines):
    """(first, last) line of each table: three borders, or two if it has no title."""
    at = 0
    while at < len(lines):
        if not BORDER.fullmatch(lines[at]):
            at += 1
            continue
        borders = [at]
        for number in range(at + 1, len(lines)):
            if BORDER.fullmatch(lines[number]):
                borders.append(number)
                # Behind the last border there is an empty line.
                if number + 1 == len(lines) or not lines[number + 1].strip():
                    break
        yield borders[0], borders[-1]
        at = borders[-1] + 1


def margins(border):
    """Where there may be no text: between one column and the next."""
    spans = [found.span() for found in re.finditer("=+", border)]
    return [(left[1], right[0]) for left, right in zip(spans, spans[1:])]


def bad_rows(lines, first, last):
    return [number for number in range(first, last + 1) if not BORDER.fullmatch(lines[number])
            and any(lines[number][begin:end].strip() for begin, end in margins(lines[first]))]


def damaged(lines, first, last):
    """The lines with a letter in the last margin of the last row."""
    begin, _ = margins(lines[first])[-1]
    row = lines[last - 1].ljust(begin + 1)
    return [*lines[:last - 1], row[:begin] + "x" + row[begin + 1:], *lines[last:]]


def main():
    failed = 0
    files = sorted((TOP / "Documentation").rglob("*.rst"))
    print(f"TAP version 13\n1..{len(files)}")
    for number, path in enumerate(files, 1):
        lines = path.read_text().split("\n")
        found = list(tables(lines))
        wrong = [f"line {row + 1}: text in a column's margin" for table in found for row in bad_rows(lines, *table)]
        wrong += [f"line {table[0] + 1}: a damaged row is not noticed" for table in found if not bad_rows(damaged(lines, *table), *table)]
        for text in wrong:
            print(f"# {text}")
        print(f"{'not ok' if wrong else 'ok'} {number} - {path.relative_to(TOP)}")
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
