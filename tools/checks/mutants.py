#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Do the tests that compare memory of coherent_gpu after a migration notice one way of marking that is left out?

Each mutant is the tree with one deliberate bug. A copy of the tree in build/mutants/ gets them one after the other, and runs one program,
with fewer rounds, of which one test has to be red, because of what it compares at its end: no_write_is_missed, unless another one is
named. The table at the end says which line was red. First of all the programs run without a mutant, and have to be green. The tree
itself stays as it is.

Those of mutants_conformance.py are run by the group conformance-mutants, all in one boot.

usage: mutants.py [NAME...]     all, unless some are named
       mutants.py --apply       only look whether each of them still fits the tree, those of mutants_conformance.py, too; TAP
       mutants.py --table       those of mutants_conformance.py, as Documentation/testing.rst has them
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mutants_conformance as conformance

REPO = Path(__file__).resolve().parents[2]
COPY = REPO / "build" / "mutants"
ROUNDS = 60
MMAP, REGION, TRACK = (f"vfio_pci_core/{name}.c" for name in ("mmap", "region", "bar_track"))
DIRTY, READ, PASSES = "variants/coherent_gpu/dirty.c", "migration/pages_read.c", "migration/pages_save.c"


@dataclass(frozen=True)
class Judge:
    pattern: str        # what `make check-upstream` is asked for
    test: str
    line: str           # what is compared: it stands in the line that fails


BYTES = "gpupair_differing("
TRUTH = Judge("coherent-gpu-truth/coherent_gpu_truth", "no_write_is_missed", BYTES)
LOG = Judge("coherent-gpu-truth/coherent_gpu_dirty", "log_that_fails", BYTES)
BLOCKS = Judge("coherent-gpu-truth/coherent_gpu_dirty", "page_of_2_mib_goes_in_parts", "blocks_of(")
OTHERS = Judge("coherent-gpu-special/coherent_gpu_dmabuf", "dirty_in_every_round_while_mapped", "== val")

# {name: (what is left out, [(file, text, its replacement)], who has to notice)}
MUTANTS = {
    "fault_not_marked": ("a page that is faulted in counts as written", [
        (MMAP, "vpv_memory_dirty(vpv, nr, pos, bytes, order)", "(order ? vpv_memory_dirty(vpv, nr, pos, bytes, order) : true)")], TRUTH),
    "write_not_marked": ("a page that write() writes counts", [
        (REGION, "\tif (acc->write)\n\t\tvpv_memory_dirty(vpv, bar->region.index, acc->pos, left, false);\n", "")], TRUTH),
    "block_over_clean": ("no block of 2 MiB is mapped over pages that are clean", [
        (TRACK, "return bytes < PUD_SIZE && find_next_bit(s->clean, end, page) >= end;", "return bytes < PUD_SIZE;")], TRUTH),
    "not_unmapped": ("a page that is sent is unmapped", [
        (TRACK, "\tunmap_mapping_range(vpv->vdev.inode->i_mapping, vpv_index_to_offset(bar) + pos, bytes,\n\t\t\t    true);\n", "")], TRUTH),
    "not_unmapped_at_begin": ("all is unmapped when recording begins", [
        (TRACK, "\t/* Large blocks, whose parts cannot be taken away one by one. */\n\tvpv_memory_unmap(vpv);\n", "")], BLOCKS),
    "main_not_harvested": ("what CPUs wrote in main memory is asked for", [
        (DIRTY, "\th.cpu = vpv_bar_memory_written(&cd->m.vpv, CGPU_MAIN_BAR, push_main, &h);\n", "\t(void)push_main;\n")], TRUTH),
    "carve_out_not_harvested": ("and what they wrote in the carve-out", [
        (DIRTY, "\t\th.cpu += vpv_bar_memory_written(&cd->m.vpv, CGPU_CARVE_BAR, push_carve, &h);\n", "\t\t(void)push_carve;\n")], TRUTH),
    "log_not_pushed": ("what the function wrote is sent", [
        (DIRTY, "\t\tvmig_dirty_push_bits(h->dirty, first, cd->log_log2, bits, pages);\n", "")], TRUTH),
    "carve_out_log_not_read": ("and what it wrote in the carve-out", [
        (DIRTY, "err = harvest_range(cd, h, CGPU_CARVE_BASE, cd->place.carve, bits);", "err = 0;")], TRUTH),
    "protected_after_read": ("a page is unmapped before it is read", [
        (READ, "\tif (ops->protect && !s->pages_out->frozen)\n\t\terr = ops->protect(mig, &part);\n", ""),
        (READ, "\treturn err;\n}\n\nstatic int read_job", "\tif (ops->protect && !s->pages_out->frozen)\n\t\terr = err ?: ops->protect(mig, &part);\n"
                                                         "\treturn err;\n}\n\nstatic int read_job")], TRUTH),
    "dma_bufs_not_marked": ("what another device has mapped counts as written", [
        (TRACK, "\tvpv_dmabufs_dirty(vpv, bar, pos, bytes);\n", "")], OTHERS),
    "lost_log_believed": ("all is sent again if what was written is not known", [
        (PASSES, "\t\tvmig_dirty_fill(&out->set);\n\t\tif (err == -EIO)\n", "\t\tif (err == -EIO)\n")], LOG),
    "log_not_begun_anew": ("a log that was lost is not asked until it has begun anew", [
        (DIRTY, "int err = cd->log_lost ? -ENODATA : harvest_ranges(cd, h);", "int err = harvest_ranges(cd, h);")], LOG),
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


def table():
    """The table of mutants_conformance.py in Documentation/testing.rst, without its head."""
    return "".join(f"{name:<21}{item.what:<62}{item.family:<11}{item.rule}\n" for name, item in conformance.MUTANTS.items())


def apply():
    """Each of them in TAP, and whether those of the conformance program are documented; the exit status."""
    edits = {name: edits for name, (_, edits, _) in MUTANTS.items()}
    edits |= {name: item.edits for name, item in {**conformance.SHAPES, **conformance.MUTANTS}.items()}
    print(f"TAP version 13\n1..{len(edits) + 1}")
    bad = 0
    for number, name in enumerate(edits, 1):
        try:
            mutated(REPO, edits[name])
            print(f"ok {number} - {name}")
        except ValueError as error:
            bad += 1
            print(f"not ok {number} - {name}\n# {error}")
    told = table() in (REPO / "Documentation/testing.rst").read_text()
    print(f"{'ok' if told else 'not ok'} {len(edits) + 1} - testing.rst has the table that --table prints")
    return 1 if bad or not told else 0


def copy():
    """The files of the tree, as they are now; what was built in the copy stays."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        source, target = REPO / name, COPY / name
        if source.is_file() and not (target.exists() and target.read_bytes() == source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def run(name, judge):
    """{test: [lines that failed]} of all tests that ran."""
    log = COPY / f"{name}.log"
    with open(log, "w") as out:
        subprocess.run(["tools/lab/lab", "check-upstream", judge.pattern], cwd=COPY, stdout=out, stderr=subprocess.STDOUT,
                       check=False, env={**os.environ, "ROUNDS": str(ROUNDS)})
    found, lines = {}, None
    for line in log.read_text(errors="replace").splitlines():
        test = re.match(r"(?:not )?ok \d+ - .*\.(\w+)$", line)
        failed = re.match(r"#.* (\w+_test\.c:\d+):\w+:(Expected .*)", line)
        if test:
            lines = found[test[1]] = ["it fails"] if line.startswith("not") else []
        elif failed and lines:
            lines.append(f"{failed[1]}: {failed[2]}")
    return found


def tell(name, what, verdict):
    print(f"{name:<24}{what:<60}{verdict}", flush=True)


def control(judge):
    """Without a mutant everything is green."""
    copy()
    found = run(f"control-{judge.pattern.rpartition('/')[2]}", judge)
    red = [test for test, lines in found.items() if lines]
    green = judge.test in found and not red
    tell("-", judge.pattern, f"green: {len(found)} tests" if green else f"RED WITHOUT A MUTANT: {', '.join(red)}" if red else "no result")
    return green


def one(name):
    what, edits, judge = MUTANTS[name]
    copy()
    for path, text in mutated(COPY, edits).items():
        (COPY / path).write_text(text)
    lines = run(name, judge).get(judge.test)
    caught = [line for line in lines or () if judge.line in line]
    tell(name, what, "no result" if lines is None else f"red: {judge.test}, {caught[0]}" if caught else
         f"RED ELSEWHERE: {judge.test}, {lines[-1]}" if lines else f"GREEN: {judge.test}")
    return bool(caught)


def main(names):
    if names == ["--apply"]:
        return apply()
    if names == ["--table"]:
        print(table(), end="")
        return 0
    unknown = [name for name in names if name not in MUTANTS]
    if unknown:
        print(__doc__, file=sys.stderr)
        return 2
    names = names or list(MUTANTS)
    # Each program once; nothing says anything about a mutant if one of them fails anyway.
    judges = {MUTANTS[name][2].pattern: MUTANTS[name][2] for name in names}
    if not all([control(judge) for judge in judges.values()]):
        return 1
    return 0 if all([one(name) for name in names]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
