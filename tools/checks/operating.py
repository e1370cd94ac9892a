#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every command of Documentation/operating.rst, and of README's part on modules, is given by a test as it stands there, or the page says
that it is not, and why. TAP.

Commands are lines of literal blocks, and words in the text: these may be the beginning of a command. Tests give a command if they have it
in one piece, where a word may be computed. The page lists those that nothing has tried: "* ``COMMAND``: REASON", below "Not tried".
"""

import ast
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools/lab"))

from labkit import page  # noqa: E402

# Programs whose use is looked at.
PROGRAMS = ("apt", "dkms", "driverctl", "echo", "install", "make", "modinfo", "modprobe", "mokutil", "openssl", "reboot", "sudo", "systemctl",
            "virsh", "vpvctl")
# Who gives commands.
PYTHON = ("tools/lab/e2e/*.py", "tools/lab/e2e/l1/*.py")
SHELL = ("tools/lab/debian/*.sh",)
# A test that reads the page, and gives every line that begins so.
ALL = {"vpvctl": ("tools/vpvctl/tests/operating_test.sh", r"s/^    \(vpvctl .*\)/\1/p")}
# These are the tests themselves.
TESTS = r"make (check|check-upstream|demo|bench|scale|build-matrix)\b"
# What stands for a part of a word, and for words.
WORD, WORDS = "\0", "\1"


def texts(patterns):
    return [path.read_text() for pattern in patterns for path in sorted(TOP.glob(pattern))]


# What tests give

def python_strings(text):
    """Strings of a program."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else
                          WORDS if ".join(" in ast.unparse(part) else WORD for part in node.values)


def shell_lines(text):
    """What follows the name of any program in a script, with and without a redirection."""
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if not line.lstrip().startswith("#"):
            line = re.sub(r"\$(\w+|\{[^}]*\}|[0-9@*])", WORD, line.replace('"', ""))
            for found in re.finditer(rf"(?<![\w/.-])({'|'.join(PROGRAMS)})\b", line):
                command = re.split(r" (?:[|&<}]|2>)|[;)]", line[found.start():])[0]
                yield from (command, command.partition(" >")[0])


def given():
    """Regular expressions of the commands that tests give."""
    strings = [string for text in texts(PYTHON) for string in python_strings(text)]
    strings += [line for text in texts(SHELL) for line in shell_lines(text)]
    return [re.escape(string.strip()).replace(re.escape(WORDS), r"\S+(?: \S+)*").replace(re.escape(WORD), r"\S+")
            for string in strings if string.split(maxsplit=1)[:1] and string.split()[0] in PROGRAMS and string.split()[1:]]


def scripts():
    """Beginnings of blocks that tests give as a whole."""
    return [start for text in texts(PYTHON) for start in re.findall(r'\.script\("operating\.rst", "([^"]+)"\)', text)]


# What pages have

def is_command(text):
    return text.split()[:1] and text.split()[0] in PROGRAMS


def block_commands(text):
    """Those of the blocks that no test gives as a whole."""
    starts = scripts()
    return [line for block in page.blocks(text) if not any(block.startswith(start) for start in starts)
            for line in block.splitlines() if is_command(line)]


def pages():
    """[(command, whether the page has all of it)]"""
    text, _, last = (TOP / "Documentation/operating.rst").read_text().partition("\nNot tried\n")
    readme = (TOP / "README.md").read_text().partition("\n## Modules for the running kernel\n")[2].partition("\n## ")[0]
    found = [(line, True) for line in block_commands(text)]
    found += [(line, True) for line in re.findall(r"^ {4}(\S.*?)(?: {2,}#.*)?$", readme, re.M)]
    words = [" ".join(word.split()) for word in re.findall(r"``([^`]+)``", text) + re.findall(r"`([^`]+)`", readme)]
    found += [(word, False) for word in words if is_command(word) and " " in word]
    return list(dict.fromkeys(found)), re.findall(r"^\* ``([^`]+)``: ", last, re.M)


def begins(command, start):
    return f"{command} ".startswith(f"{start} ")


def trouble(command, wanted, untried, tests):
    """WANTED: one of these commands has to be given."""
    # A program alone is not all that begins so.
    if any(command == start or " " in start and begins(command, start) for start in untried) or re.match(TESTS, command):
        return ""
    program = command.split()[0]
    if program in ALL:
        file, evidence = ALL[program]
        return "" if evidence in (TOP / file).read_text() else f"{file} does not have {evidence}"
    if any(re.fullmatch(test, line) for test in tests for line in wanted):
        return ""
    return "no test gives it as it stands, and operating.rst does not say why"


def main():
    found, untried = pages()
    tests = given()
    lines = [line for line, whole in found if whole]
    points = [(command, trouble(command, [command, *(line for line in lines if not whole and begins(line, command))], untried, tests))
              for command, whole in found]
    points += [(f"{start} is on a page", "" if any(begins(command, start) for command, _ in found) else "it is not") for start in untried]
    points += [(f"a block begins with {start}", "" if any(block.startswith(start) for block in page.blocks(
        (TOP / "Documentation/operating.rst").read_text())) else "none does") for start in scripts()]
    for number, (name, said) in enumerate(points, 1):
        if said:
            print(f"# {said}")
        print(f"{'not ok' if said else 'ok'} {number} {name.replace('#', '')}")
    print(f"1..{len(points)}")
    return any(said for _, said in points)


if __name__ == "__main__":
    sys.exit(main())
