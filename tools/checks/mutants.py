#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does the truth test of coherent_gpu (selftests/coherent_gpu_dirty_test.c) notice one way of marking that is left out?

Each mutant is the tree with one deliberate bug. A copy of the tree in build/mutants/ gets them one after the other, and runs the
group coherent-gpu-truth, with fewer rounds; the table at the end says which tests failed. The tree itself stays as it is.

usage: mutants.py [NAME...]     all, unless some are named
       mutants.py --apply       only look whether each of them still fits the tree; TAP
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
COPY = REPO / "build" / "mutants"
TEST = "selftests/coherent_gpu_dirty_test.c"
ROUNDS = 60
MMAP, REGION, TRACK = (f"vfio_pci_core/{name}.c" for name in ("mmap", "region", "bar_track"))
DIRTY, READ = "variants/coherent_gpu/dirty.c", "migration/pages_read.c"

# {name: (what is left out, [(file, text, its replacement)])}
MUTANTS = {
    "fault_not_marked": ("a page that is faulted in counts as written", [
        (MMAP, "vpv_memory_dirty(vpv, nr, pos, bytes, order)", "(order ? vpv_memory_dirty(vpv, nr, pos, bytes, order) : true)")]),
    "write_not_marked": ("a page that write() writes counts", [
        (REGION, "\tif (acc->write)\n\t\tvpv_memory_dirty(vpv, bar->region.index, acc->pos, left, false);\n", "")]),
    "block_over_clean": ("no block of 2 MiB is mapped over pages that are clean", [
        (TRACK, "return bytes < PUD_SIZE && find_next_bit(s->clean, end, page) >= end;", "return bytes < PUD_SIZE;")]),
    "not_unmapped": ("a page that is sent is unmapped", [
        (TRACK, "\tunmap_mapping_range(vpv->vdev.inode->i_mapping, vpv_index_to_offset(bar) + pos, bytes,\n\t\t\t    true);\n", "")]),
    "not_unmapped_at_begin": ("all is unmapped when recording begins", [
        (TRACK, "\t/* Large blocks, whose parts cannot be taken away one by one. */\n\tvpv_memory_unmap(vpv);\n", "")]),
    "main_not_harvested": ("what CPUs wrote in main memory is asked for", [
        (DIRTY, "\th.cpu = vpv_bar_memory_written(&cd->m.vpv, CGPU_MAIN_BAR, push_main, &h);\n", "\t(void)push_main;\n")]),
    "carve_out_not_harvested": ("and what they wrote in the carve-out", [
        (DIRTY, "\t\th.cpu += vpv_bar_memory_written(&cd->m.vpv, CGPU_CARVE_BAR, push_carve, &h);\n", "\t\t(void)push_carve;\n")]),
    "log_not_pushed": ("what the function wrote is sent", [
        (DIRTY, "\t\tvmig_dirty_push_bits(h->dirty, first, cd->log_log2, bits, pages);\n", "")]),
    "carve_out_log_not_read": ("and what it wrote in the carve-out", [
        (DIRTY, "err = harvest_range(cd, h, CGPU_CARVE_BASE, cd->place.carve, bits);", "err = 0;")]),
    "protected_after_read": ("a page is unmapped before it is read", [
        (READ, "\tif (ops->protect && !s->pages_out->frozen)\n\t\terr = ops->protect(mig, &part);\n", ""),
        (READ, "\treturn err;\n}\n\nstatic int read_job", "\tif (ops->protect && !s->pages_out->frozen)\n\t\terr = err ?: ops->protect(mig, &part);\n"
                                                         "\treturn err;\n}\n\nstatic int read_job")]),
}


def mutated(tree, edits):
    """{path: its text with EDITS}; ValueError if one does not fit."""
    found = {}
    for name, text, other in edits:
        whole = found.get(name) or (tree / name).read_text()
        if whole.count(text) != 1:
            raise ValueError(f"{name} has {whole.count(text)} times: {text.strip().splitlines()[0]}")
        found[name] = whole.replace(text, other)
    return found


def apply():
    """Each of them in TAP; the exit status."""
    print(f"TAP version 13\n1..{len(MUTANTS)}")
    bad = 0
    for number, (name, (_, edits)) in enumerate(MUTANTS.items(), 1):
        try:
            mutated(REPO, edits)
            print(f"ok {number} - {name}")
        except ValueError as error:
            bad += 1
            print(f"not ok {number} - {name}\n# {error}")
    return 1 if bad else 0


def copy():
    """The files of the tree, as they are now; what was built in the copy stays."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        source, target = REPO / name, COPY / name
        if source.is_file() and not (target.exists() and target.read_bytes() == source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    short(COPY / TEST)


def short(path):
    text, count = re.subn(r"(#define ROUNDS\s+)\d+", rf"\g<1>{ROUNDS}", path.read_text())
    if count != 1:
        raise ValueError(f"{path} has no ROUNDS")
    path.write_text(text)


def run(name):
    """The tests that failed, None if there was no result."""
    log = COPY / f"{name}.log"
    with open(log, "w") as out:
        subprocess.run(["tools/lab/lab", "check-upstream", "coherent-gpu-truth"], cwd=COPY, stdout=out, stderr=subprocess.STDOUT,
                       check=False)
    lines = log.read_text(errors="replace").splitlines()
    tests = [(line.startswith("ok "), line.rpartition(".")[2]) for line in lines if re.match(r"(not )?ok \d+ - coherent-gpu-truth: coherent_gpu", line)]
    return [test for held, test in tests if not held] if tests else None


def one(name):
    what, edits = MUTANTS[name]
    copy()
    for path, text in mutated(COPY, edits).items():
        (COPY / path).write_text(text)
    failed = run(name)
    verdict = "no result" if failed is None else f"red: {', '.join(failed)}" if failed else "GREEN: nothing notices"
    print(f"{name:<24}{what:<56}{verdict}", flush=True)
    return bool(failed)


def main(names):
    if names == ["--apply"]:
        return apply()
    unknown = [name for name in names if name not in MUTANTS]
    if unknown:
        print(__doc__, file=sys.stderr)
        return 2
    red = [one(name) for name in names or MUTANTS]
    return 0 if all(red) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
