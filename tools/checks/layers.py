#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check that layers depend downward only, from #include lines and prefixes.

    tools/checks/layers.py [--self-test]

The layers are those of the table below; output is TAP, one line a rule.
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]

# folder -> (headers of ours it may include, prefixes it may call, kernel
# headers it must not include)
OWN = {"config_virt": "vcfg", "migration": "vmig", "vfio_pci_core": "vpv"}
LAYERS = {
    "include": (r"(uapi/)?vpv/", None, r"$^"),
    "config_virt": (r"vpv/(config|config_travel|pure)\.h|uapi/|vpv/(persona)\.h", {"vcfg"}, r"$^"),
    "migration": (r"vpv/(diff|match|migration|migration_bits|config_travel|pure|reach|stream)\.h|uapi/", {"vmig"}, r"linux/pci.*\.h"),
    "vfio_pci_core": (r"vpv/(core|config|config_travel|pure|reach|controlling|window)\.h", {"vpv", "vcfg"}, r"$^"),
    "variants": (r"vpv/", {"vpv", "vmig", "vcfg"}, r"$^"),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)
# A call or a reference to an exported name of a layer.
SYMBOL = re.compile(r"\b(vcfg|vmig|vpv)_(?!compat_)[a-z0-9_]+\s*\(")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
PRODUCT_MUST_NOT = re.compile(r"(^|/)(kunit|selftests|tools)/|kunit/")


def findings(layer, name, text):
    """Yield what is wrong with one file of a layer."""
    headers, prefixes, banned = LAYERS[layer]
    code = COMMENT.sub(" ", text)
    for inc in INCLUDE.findall(text):
        if PRODUCT_MUST_NOT.search(inc):
            yield f"{name}: includes {inc} (test or tool code)"
        if inc.startswith(("vpv/", "uapi/vpv/")) and not re.match(headers, inc):
            yield f"{name}: includes {inc} (of a layer that is not below)"
        if re.match(banned, inc):
            yield f"{name}: includes {inc}"
        other = re.match(r"(?:\.\./)+(\w+)/", inc)
        if other and other.group(1) in LAYERS and other.group(1) != layer:
            yield f"{name}: includes {inc} (private header of another layer)"
    if prefixes is not None:
        for sym in sorted({m.group(1) for m in SYMBOL.finditer(code)} - prefixes):
            if not re.search(rf"\b{sym}_have|define\s+{sym}_", code):
                yield f"{name}: uses {sym}_*()"


def check(layer):
    """Return all findings of a layer's files."""
    found = []
    for path in sorted((TOP / layer).rglob("*.[ch]")):
        if path.name.endswith(".mod.c"):
            continue
        found += findings(layer, str(path.relative_to(TOP)), path.read_text())
    return found


def variants_apart():
    """No variant may include a file of another variant."""
    found = []
    for path in sorted((TOP / "variants").rglob("*.[ch]")):
        for inc in INCLUDE.findall(path.read_text()):
            if inc.startswith("../"):
                found.append(f"{path.relative_to(TOP)}: includes {inc}")
    return found


def self_test():
    """The checker must see each kind of violation."""
    bad = [
        ("migration", '#include <linux/pci.h>'),
        ("migration", '#include <vpv/core.h>'),
        ("config_virt", 'void f(void) { vmig_open(0); }'),
        ("vfio_pci_core", 'void f(void) { vmig_open(0); }'),
        ("vfio_pci_core", '#include "../tools/models/vu.h"'),
        ("config_virt", '#include "../migration/fsm.h"'),
    ]
    return [f"not seen: {layer}: {text}" for layer, text in bad
            if not list(findings(layer, "test.c", text))]


def main():
    """Print TAP; exit 1 when a rule is broken."""
    results = [("checker sees violations", self_test())]
    results += [(f"layer {layer}", check(layer)) for layer in LAYERS]
    results.append(("variants apart", variants_apart()))
    print(f"TAP version 13\n1..{len(results)}")
    for num, (name, found) in enumerate(results, 1):
        print(f"{'not ok' if found else 'ok'} {num} {name}")
        for line in found:
            print(f"# {line}")
    return any(found for _, found in results)


if __name__ == "__main__":
    sys.exit(main())
