#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check that layers depend downward only, from #include lines, prefixes and names.

    tools/checks/layers.py [--self-test]

The layers are those of the tables below; output is TAP, one line a rule.
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
    "config_virt": (r"vpv/(config|config_state|diff|pure)\.h|uapi/|vpv/(persona)\.h", {"vcfg"}, r"$^"),
    "migration": (r"vpv/(diff|match|mem|migration|migration_bits|migration_v1|config_state|pages|pure|reach|staged|stream)\.h|uapi/", {"vmig"}, r"linux/pci.*\.h"),
    "vfio_pci_core": (r"vpv/(bar_memory|core|config|config_state|pure|reach|channel|controlled|controlling|ctrl_buf|ctrl_life|ctrl_recovery|mailbox|mem|pause|window)\.h", {"vpv", "vcfg"}, r"$^"),
    "variants": (r"vpv/", {"vpv", "vmig", "vcfg"}, r"$^"),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)
# A call or a reference to an exported name of a layer.
SYMBOL = re.compile(r"\b(vcfg|vmig|vpv)_(?!compat_)[a-z0-9_]+\s*\(")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
PRODUCT_MUST_NOT = re.compile(r"(^|/)(kunit|selftests|tools)/|kunit/")


# The layers inside of a folder, bottom up: layer -> (files, headers for the layers above,
# headers for itself, layers below).  Headers are named in full, other files without ".c".
# A file may include the headers of its own layer and those for above of the layers below,
# and uses only what files of these layers define, or what their headers declare.
MIGRATION = {
    "formats": ("dirty fsm match pages parse stream track v1_regs",
                "dirty.h fsm.h match.h pages.h stream.h track.h v1_regs.h", "", ""),
    "machine": ("chunk estimate machine match_own memory reach reset state trace work", "machine.h trace.h", "",
                "formats"),
    "session": ("begin buf config emit pages_load pages_read pages_save pages_user precopy read resume save "
                "session staged", "session.h", "pages_priv.h session_priv.h", "formats machine"),
    "tracker": ("tracker", "tracker.h", "", "formats machine"),
    "request": ("request", "request.h", "", "formats machine session tracker"),
    "front": ("file log v1 v1_data v1_window v2", "front.h v1.h", "v1_priv.h v1_window.h",
              "formats machine session tracker request"),
    "device": ("debugfs dev dialect", "", "debugfs.h dialect.h",
               "formats machine session tracker request front"),
}
CONFIG_VIRT = {
    "tables": ("arrays bar perm trap words", "vcfg.h", "", ""),
    "space": ("caps engine", "", "", "tables"),
    "format": ("persona_format", "persona_format.h", "", "tables"),
    "rules": ("persona_bar persona_cap persona_field persona_seen", "persona_rules.h", "",
              "tables format"),
    "persona": ("persona persona_fit", "persona.h", "", "tables format rules"),
    "shown": ("persona_space state view", "", "", "tables space format rules persona"),
    "device": ("access persona_load", "", "persona_load.h",
               "tables space format rules persona shown"),
}
INSIDE = {"migration": MIGRATION, "config_virt": CONFIG_VIRT}
# What is pure knows nothing of the kernel but vpv/pure.h and numbers of PCI.
PURE_IN = {"migration": {"formats"}, "config_virt": set(CONFIG_VIRT) - {"device"}}
IMPURE = re.compile(r"linux/(?!pci_regs\.h$)")
# In migration/ only front ends know files.
FILES_IN = {"migration": {"front"}, "config_virt": set(CONFIG_VIRT)}
FILES = re.compile(r"\bstruct\s+(file|kiocb|file_operations)\b|\bf_flags\b")
# No two files of such a folder need each other, not even by way of others.
WITHOUT_LOOPS = {"config_virt", "migration"}

# A function or an object as a header declares it, and as a file defines it.
INSIDE_DECLARED = re.compile(r"\b((?:vmig|vcfg)_[a-z0-9_]+)(?=\(|;| =)")
INSIDE_DEFINED = re.compile(r"^(?!static\b)[a-z][\w \t*]*?\b((?:vmig|vcfg)_[a-z0-9_]+)"
                            r"(?:\([^;{}]*\)\s*\{|(?:\[\w*\])? = )", re.M)
USED = re.compile(r"\b(?:vmig|vcfg)_\w+")
# What is named like a function but is none: types, trace events.
NO_FUNCTION = re.compile(r"\b(struct|enum)\s+(vmig|vcfg)_\w+(?=\s*[;{*&,)]|\s+\w+\s*[;,)=\[])|"
                         r"\bTRACE_EVENT\(vmig_\w+")


def plain(text):
    """Return text without comments and what is named like a function but is none."""
    return NO_FUNCTION.sub(" ", COMMENT.sub(" ", text))


def layer_in(table, name):
    """Return the layer of a file, or None."""
    stem = name.removesuffix(".c")
    for layer, (files, above, own, _) in table.items():
        if stem in files.split() or name in f"{above} {own}".split():
            return layer
    return None


def owners(texts):
    """Return {name: file that defines it}, or the header that declares it if none does."""
    found = {}
    for name, text in texts.items():
        if name.endswith(".h"):
            found |= dict.fromkeys(INSIDE_DECLARED.findall(plain(text)), name)
    for name, text in texts.items():
        if name.endswith(".c"):
            found |= dict.fromkeys(INSIDE_DEFINED.findall(COMMENT.sub(" ", text)), name)
    return found


def uses(name, text, owner):
    """Return {name of a function or object: the file it is of} that a file uses of others."""
    return {sym: owner[sym] for sym in sorted(set(USED.findall(plain(text))))
            if owner.get(sym, name) != name}


def inside_findings(folder, name, text, texts):
    """Yield what is wrong with one file of a folder; @texts: of all its files."""
    table = INSIDE[folder]
    layer = layer_in(table, name)
    if not layer:
        yield f"{folder}/{name}: is in no layer"
        return
    _, above, own, below = table[layer]
    may = set(f"{above} {own}".split())
    for low in below.split():
        may |= set(table[low][1].split())
    for inc in INCLUDE.findall(text):
        if "/" not in inc and inc not in may:
            yield f"{folder}/{name}: includes {inc} (layer {layer} may not)"
        if layer in PURE_IN[folder] and name.endswith(".c") and IMPURE.match(inc):
            yield f"{folder}/{name}: includes {inc} (is pure)"
    if name.endswith(".c"):
        for sym, of in uses(name, text, owners(texts)).items():
            if layer_in(table, of) not in {layer, *below.split()}:
                yield f"{folder}/{name}: uses {sym} (of a layer that is not below {layer})"
    if layer not in FILES_IN[folder] and FILES.search(plain(text)):
        yield f"{folder}/{name}: knows files (only front ends do)"


def loops(folder, texts):
    """Yield files that need each other."""
    owner = owners(texts)
    needs = {name: {of for of in uses(name, text, owner).values() if of.endswith(".c")}
             for name, text in texts.items() if name.endswith(".c")}
    while True:
        free = {name for name, others in needs.items() if not others & set(needs)}
        if not free:
            break
        needs = {name: others for name, others in needs.items() if name not in free}
    for name, others in sorted(needs.items()):
        with_ = ", ".join(sorted(others & set(needs)))
        yield f"{folder}/{name}: is in a loop, or above one, with {with_}"


def check_inside(folder):
    """Return all findings inside of a folder."""
    texts = {path.name: path.read_text() for path in (TOP / folder).glob("*.[ch]")
             if not path.name.endswith(".mod.c")}
    found = []
    for name, text in sorted(texts.items()):
        found += inside_findings(folder, name, text, texts)
    if folder in WITHOUT_LOOPS:
        found += loops(folder, texts)
    return found


def inside_self_test(folder, texts, bad, good):
    """Each kind of violation inside of a folder must be seen, and nothing else."""
    found = [f"not seen: {name}: {text}" for name, text, want in bad
             if not any(want in line for line in inside_findings(folder, name, text, texts))]
    for name, text in good:
        found += inside_findings(folder, name, text, texts)
    return found


def migration_self_test():
    """The same for migration/."""
    texts = {
        "fsm.h": "int vmig_fsm_path(u8 from);",
        "machine.h": "void vmig_lock(struct vmig_machine *m);\nextern int vmig_wq;",
        "session.h": "void vmig_session_end(struct vmig_machine *m);",
        "tracker.h": "void vmig_tracker_stop(struct vmig_machine *m);",
        "request.h": "int vmig_state_request(struct vmig_machine *m);",
        "front.h": "void vmig_v2_attach(struct vmig_dev *mig);",
    }
    bad = [
        ("new.c", "", "is in no layer"),
        ("new.h", "", "is in no layer"),
        ("state.c", '#include "session.h"', "includes session.h"),
        ("session.c", '#include "tracker.h"', "includes tracker.h"),
        ("session.c", '#include "vmig.h"', "includes vmig.h"),
        ("session.h", '#include "session_priv.h"\n#include "request.h"', "includes request.h"),
        ("file.c", '#include "session_priv.h"', "includes session_priv.h"),
        ("fsm.c", '#include "machine.h"', "includes machine.h"),
        ("fsm.c", "#include <linux/mutex.h>", "is pure"),
        ("reset.c", "void f(void) { vmig_session_end(m); }", "uses vmig_session_end"),
        ("reset.c", "void (*f)(void *m) = vmig_session_end;", "uses vmig_session_end"),
        ("session.c", "void f(void) { vmig_state_request(m); }", "uses vmig_state_request"),
        ("request.c", "void f(void) { vmig_v2_attach(mig); }", "uses vmig_v2_attach"),
        ("tracker.c", "void f(void) { vmig_session_end(m); }", "uses vmig_session_end"),
        ("read.c", "ssize_t f(struct kiocb *iocb);", "knows files"),
        ("request.c", "int f(struct file **filp);", "knows files"),
    ]
    good = [
        ("reset.c", '#include <linux/export.h>\n#include "machine.h"\n#include "trace.h"\n'
         "/* before vmig_session_end() */ void f(void) { vmig_lock(m); }"),
        ("trace.h", "TRACE_EVENT(vmig_session_end, struct vmig_session_end *stats)"),
        ("request.c", '#include "tracker.h"\nvoid f(void) { vmig_tracker_stop(m); }'),
        ("file.c", '#include "request.h"\nint f(struct file *filp);'),
        ("dev.c", '#include "front.h"\nvoid f(void) { vmig_v2_attach(mig); }'),
    ]
    return inside_self_test("migration", texts, bad, good)


def config_virt_self_test():
    """The same for config_virt/, whose layers share a header, and for loops."""
    texts = {
        "vcfg.h": "int vcfg_space_read(struct vcfg_space *s);\nvoid vcfg_put(u8 *a);",
        "perm.c": "const struct vcfg_rule *vcfg_rule_find(u32 header)\n{\n}\n",
        "engine.c": "int vcfg_space_read(struct vcfg_space *s)\n{\n}\n",
        "persona_format.c": "void vcfg_persona_part(struct vcfg_persona_why *why,\n"
                            "\t\t       unsigned int index)\n{\n}\n",
        "persona_cap.c": "int vcfg_persona_caps(struct vcfg_persona *p)\n{\n}\n",
        "persona.c": "int vcfg_persona_parse(struct vcfg_persona *p)\n{\n}\n",
    }
    bad = [
        ("persona_new.c", "", "is in no layer"),
        ("persona_format.c", '#include "persona.h"', "includes persona.h"),
        ("persona_cap.c", '#include "persona.h"', "includes persona.h"),
        ("persona_cap.c", "int f(void) { return vcfg_persona_parse(p); }",
         "uses vcfg_persona_parse"),
        ("persona_format.c", "int f(void) { return vcfg_persona_caps(p); }",
         "uses vcfg_persona_caps"),
        ("persona_cap.c", "int f(void) { return vcfg_space_read(s); }", "uses vcfg_space_read"),
        ("words.c", "int (*f)(void *s) = vcfg_space_read;", "uses vcfg_space_read"),
        ("engine.c", '#include "persona_load.h"', "includes persona_load.h"),
        ("view.c", "#include <linux/mutex.h>", "is pure"),
    ]
    good = [
        ("persona_cap.c", '#include "persona_rules.h"\n#include "vcfg.h"\n'
         "int f(void) { vcfg_persona_part(why, 0); return vcfg_rule_find(0); }"),
        ("persona.c", '#include "persona.h"\nint f(void) { return vcfg_persona_caps(p); }'),
        ("view.c", "int f(struct vcfg_space *s) { vcfg_put(a); return vcfg_space_read(s); }"),
        ("access.c", "#include <linux/mutex.h>\nint f(void) { return vcfg_persona_parse(p); }"),
    ]
    found = inside_self_test("config_virt", texts, bad, good)
    if list(loops("config_virt", texts)):
        found.append("loops are seen where there are none")
    texts["persona_cap.c"] += "int vcfg_cap_a(void)\n{\n\treturn vcfg_cap_b();\n}\n"
    texts["persona_bar.c"] = "int vcfg_cap_b(void)\n{\n\treturn vcfg_cap_a();\n}\n"
    if len(list(loops("config_virt", texts))) != 2:
        found.append("not seen: a loop of two files")
    return found


# The runtime of the device models, bottom up: layer -> (files, headers it may include).  A file
# uses what it defines itself and what files before it define: no loop, calls go down.
RUNTIME = {
    "messages": ("vu_msg vu_version", "vu_msg.h"),
    "device": ("vu_ledger vu_clock vu_model vu_fault vu_regs vu_config vu_irq vu_caps vu_dma "
               "vu_dev",
               "vu_dev.h vu_msg.h vu.h"),
    "front": ("vu_conn vu_control vu_client vu_request vu_server main",
              "vu_front.h vu_dev.h vu_msg.h vu.h"),
}
# A function that is defined for other files: at the beginning of a line, not static.
DEFINED = re.compile(r"^(?!static\b)\w[\w *]*?\b(vu_\w+)\([^;{]*\n?[^;{]*\{", re.M)
INPUT_OUTPUT = re.compile(r"(sys/.*|unistd|poll|fcntl|signal)\.h")
MODELS_MUST_NOT = {"vu_msg.h", "vu_dev.h", "vu_front.h"}


def runtime_rank(name):
    """Return (layer, place of a file among all) or None for what is no file of the runtime."""
    stems = [(layer, stem) for layer, (files, _) in RUNTIME.items() for stem in files.split()]
    for place, (layer, stem) in enumerate(stems):
        if name == f"{stem}.c":
            return layer, place
    return None


def runtime_findings(name, text, texts):
    """Yield what is wrong with one .c file of tools/models; @texts: name -> text of all."""
    rank = runtime_rank(name)
    includes = [inc for inc in INCLUDE.findall(text) if "/" not in inc and inc.startswith("vu")]
    if not rank:
        if name.startswith("vu_"):
            yield f"tools/models/{name}: is in no layer"
        for inc in MODELS_MUST_NOT.intersection(includes):
            yield f"tools/models/{name}: includes {inc} (models include vu.h)"
        return
    layer, place = rank
    for inc in includes:
        if inc not in RUNTIME[layer][1].split():
            yield f"tools/models/{name}: includes {inc} (layer {layer} may not)"
    for inc in INCLUDE.findall(text):
        if layer == "messages" and INPUT_OUTPUT.fullmatch(inc):
            yield f"tools/models/{name}: includes {inc} (is pure)"
    used = set(re.findall(r"\bvu_\w+", COMMENT.sub(" ", text)))
    for other, code in texts.items():
        if (runtime_rank(other) or ("", -1))[1] <= place:
            continue
        for sym in sorted(used & set(DEFINED.findall(COMMENT.sub(" ", code)))):
            yield f"tools/models/{name}: uses {sym} (of {other}, which is not below)"


def check_runtime():
    """Return all findings inside of the models' runtime."""
    texts = {path.name: path.read_text() for path in sorted((TOP / "tools/models").glob("*.c"))}
    return [line for name, text in texts.items() for line in runtime_findings(name, text, texts)]


def runtime_self_test():
    """Each kind of violation inside of the runtime must be seen, and nothing else."""
    texts = {
        "vu_msg.c": "int vu_req_parse(const struct vu_shape *shape,\n\t\t struct vu_req *req)\n{\n}",
        "vu_dev.c": "void vu_dev_reset(struct vu_dev *dev)\n{\n}",
        "vu_server.c": "static int vu_own(void)\n{\n}\nint vu_server_step(struct vu_server *srv)\n{\n}",
    }
    bad = [
        ("vu_new.c", "", "is in no layer"),
        ("plain.c", '#include "vu_dev.h"', "models include vu.h"),
        ("vu_msg.c", '#include "vu_dev.h"', "layer messages may not"),
        ("vu_msg.c", "#include <sys/socket.h>", "is pure"),
        ("vu_dma.c", '#include "vu_front.h"', "layer device may not"),
        ("vu_dma.c", "int f(void) { return vu_server_step(srv); }", "uses vu_server_step"),
        ("vu_config.c", "void f(void) { vu_dev_reset(dev); }", "uses vu_dev_reset"),
        ("vu_request.c", "void f(void) { g(vu_server_step); }", "uses vu_server_step"),
    ]
    good = [
        ("plain.c", '#include "vu.h"\nvoid f(void) { vu_kick(dev); }'),
        ("vu_dev.c", '#include "vu_dev.h"\nvoid vu_dev_reset(void) { vu_own(); dev->front->wait(f); }'),
        ("vu_server.c", '#include "vu_front.h"\nvoid f(void) { vu_dev_reset(dev); vu_req_parse(s); }'),
    ]
    found = [f"not seen: {name}: {text}" for name, text, want in bad
             if not any(want in line for line in runtime_findings(name, text, texts))]
    for name, text in good:
        found += runtime_findings(name, text, texts)
    return found


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
    results.append(("checker sees violations inside of migration", migration_self_test()))
    results.append(("checker sees violations inside of config_virt", config_virt_self_test()))
    results += [(f"layers of {folder}", check_inside(folder)) for folder in INSIDE]
    results.append(("checker sees violations inside of the models' runtime", runtime_self_test()))
    results.append(("layers of the models' runtime", check_runtime()))
    results.append(("variants apart", variants_apart()))
    print(f"TAP version 13\n1..{len(results)}")
    for num, (name, found) in enumerate(results, 1):
        print(f"{'not ok' if found else 'ok'} {num} {name}")
        for line in found:
            print(f"# {line}")
    return any(found for _, found in results)


if __name__ == "__main__":
    sys.exit(main())
