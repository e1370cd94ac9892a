#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""No part of a stream changes without its version: what the headers declare, against selftests/releases/*/FORMATS.

    tools/checks/formats.py            check; TAP
    tools/checks/formats.py --print    the parts of the newest FORMATS, as they are now: a release's own

FORMATS has a paragraph for each part that has a version of its own: "NAME VERSION", types of records and other numbers, and structs
with their members. release_test (selftests) finds what the code makes of them.
"""

import difflib
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
HEADERS = ("include/uapi/vpv/*.h", "include/hw/*.h", "variants/*/*.h", "variants/*/*.c")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
STRUCT = re.compile(r"^struct (\w+) \{\n(.*?)^\}[^;]*;", re.S | re.M)
DEFINE = re.compile(r"^#define\s+(\w+)[ \t]+(\S.*?)[ \t]*$", re.M)
FAMILY = re.compile(r'\.family = ("\w+"|\w+),\s*\.state_version = (\d+),')


def tidy(text):
    return " ".join(text.split())


class Tree:
    """What is declared now."""

    def __init__(self, texts):
        self.structs, self.defines, versions = {}, {}, []
        for text in (COMMENT.sub("", text) for text in texts):
            self.defines.update((name, tidy(value)) for name, value in DEFINE.findall(text))
            for name, body in STRUCT.findall(text):
                self.structs[name] = [tidy(member) for member in body.split(";") if member.strip()]
            versions += FAMILY.findall(text)
        self.versions = {self.defines.get(name, name).strip('"'): version for name, version in versions}
        self.versions["stream"] = f"{self.defines['VPV_STREAM_MAJOR']}.{self.defines['VPV_STREAM_MINOR']}"
        self.versions["config"] = self.defines["VPV_CONFIG_VERSION"]

    def part(self, name, numbers, structs):
        """The lines of a part, with the types of records beside those that are known, what members' sizes are made of and structs in
        structs.
        """
        structs = list(structs)
        for struct in structs:
            for inner in re.findall(r"struct (\w+)", " ".join(self.structs.get(struct, ()))):
                structs += [inner] if inner not in structs else []
        members = " ".join(member for struct in structs for member in self.structs.get(struct, ()))
        prefixes = {match[0] for match in (re.match(r"\w+_RECORD_", number) for number in numbers) if match}
        found = {n for n in self.defines if any(n.startswith(prefix) for prefix in prefixes)}
        found |= {n for n in re.findall(r"\b[A-Z]\w+", members) if n in self.defines}
        lines = [f"{name} {self.versions.get(name)}", *(f"{n} {self.defines.get(n, 'is gone')}" for n in sorted({*numbers, *found}))]
        for struct in structs:
            lines += [f"struct {struct}", *(f"\t{member}" for member in self.structs.get(struct, ["is gone"]))]
        return lines


def read_parts(text):
    """[(name, version, numbers, structs, lines)]."""
    found = []
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        name, version = lines[0].split()
        numbers = [line.split()[0] for line in lines[1:] if line[0].isupper()]
        found.append((name, version, numbers, [line.split()[1] for line in lines if line.startswith("struct ")], lines))
    return found


def number(version):
    return [int(digits) for digits in version.split(".")]


def trouble(tree, part):
    """What has changed in a part whose version has not."""
    name, version, numbers, structs, lines = part
    now = tree.versions.get(name)
    if not now or number(now) < number(version):
        return f"{name} has version {now}, which was {version}"
    there = tree.part(name, numbers, structs)
    if now != version or there == lines:
        return ""
    return "\n".join([f"{name} has still version {version}", *list(difflib.unified_diff(lines, there, lineterm="", n=1))[2:]])


def unnoticed(texts, part):
    """Each line of a part, as it is now, is changed in turn in the text that declares it; those of which nothing is said."""
    tree, missed = Tree(texts), []
    part = (part[0], tree.versions[part[0]], *part[2:4], tree.part(part[0], *part[2:4]))
    for line in part[4][1:]:
        if line.startswith("struct "):
            struct = line.split()[1]
            continue
        if line.startswith("\t"):
            old = re.compile(rf"(^struct {struct} \{{\n.*?)\b{re.escape(line.split()[-1])};".replace(r"\b\*", r"\*"), re.S | re.M)
            changed = [old.sub(r"\1other;", COMMENT.sub("", text), count=1) for text in texts]
        else:
            changed = [re.sub(rf"^(#define\s+{line.split()[0]}\s+)", r"\g<1>1 + ", text, flags=re.M) for text in texts]
        if not trouble(Tree(changed), part):
            missed.append(line.strip())
    return f"{', '.join(missed)} may change" if missed else ""


def main():
    texts = [path.read_text() for pattern in HEADERS for path in sorted(TOP.glob(pattern))]
    tree, count, bad = Tree(texts), 0, False
    files = sorted(TOP.glob("selftests/releases/*/FORMATS"), key=lambda path: number(path.parent.name))
    newest = read_parts(files[-1].read_text())
    if sys.argv[1:] == ["--print"]:
        print("\n\n".join("\n".join(tree.part(part[0], *part[2:4])) for part in newest))
        return 0
    points = [(f"release {path.parent.name}: {part[0]}", trouble(tree, part)) for path in files for part in read_parts(path.read_text())]
    points += [(f"a change of {part[0]} is noticed", unnoticed(texts, part)) for part in newest]
    # A family that is younger than the last release has no format yet.
    missing = set(tree.versions) - {part[0] for part in newest} if files[-1].parent.name == (TOP / "VERSION").read_text().strip() else ()
    points.append(("all families are there", ", ".join(sorted(missing))))
    for count, (name, said) in enumerate(points, 1):
        bad = bad or bool(said)
        for line in said.splitlines():
            print(f"# {line}")
        print(f"{'not ok' if said else 'ok'} {count} {name}")
    print(f"1..{count}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
