#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks the lab itself, in its tool root: what it counts, what it makes once for all runs, and what it leaves. TAP on stdout."""

import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

LAB = Path(__file__).resolve().parents[1] / "lab"
sys.path.insert(0, str(LAB))
sys.path += [str(LAB / "e2e"), str(LAB / "e2e/l1")]

import bench  # noqa: E402
import check  # noqa: E402
import guest  # noqa: E402
import main  # noqa: E402
from labkit import build, cache, clock, env, kernel, preload, splat, vm  # noqa: E402
from labkit.tap import Test  # noqa: E402


class Counts:
    """In place of check.Tally."""

    def __init__(self):
        self.tests = []

    def add(self, _group, test):
        self.tests.append(test)

    @property
    def failed(self):
        return [test.name for test in self.tests if test.outcome == "fail"]


@contextlib.contextmanager
def replaced(*triples):
    """(owner, name, value): while the block runs."""
    old = [(owner, name, getattr(owner, name)) for owner, name, _ in triples]
    for triple in triples:
        setattr(*triple)
    try:
        yield
    finally:
        for triple in old:
            setattr(*triple)


@contextlib.contextmanager
def quiet():
    with contextlib.redirect_stderr(io.StringIO()):
        yield


def shell(script, folder, **more):
    """What SCRIPT prints that has the lab's functions."""
    environ = {"PATH": os.environ["PATH"], "VPV_CACHE": str(folder), "VPV_LOGS": str(folder), **more}
    return subprocess.run(["bash", "-c", f". {LAB}/lab; {script}"], env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False).stdout


# The tests: each returns what is wrong, or nothing.

def a_dead_install_check(folder):
    """build-matrix: install.sh ends with no line of TAP."""
    script = folder / "tools/checks/install.sh"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\nexit 2\n")
    script.chmod(0o755)
    tally = Counts()
    with replaced((build.env, "REPO", folder), (build.env, "BUILD", folder), (build, "matrix_one", lambda *_: (None, True)),
                  (kernel, "header_trees", lambda: {"7.0": folder}), (check.env, "LOGS", folder)), quiet():
        check.run_matrix(check.tests.Group("build-matrix", "matrix"), tally)
    return "" if tally.failed else f"counted: {tally.tests}"


def repeated(folder, plans, wanted):
    """QEMU aborts in the first of two boots, with so many PLANS unfulfilled; WANTED: the command of the second."""
    (folder / "qemu.log").write_text("error_setv: Assertion `*errp == NULL' failed.\n")
    said = [[Test("p/death.one.x", "pass"), Test("p/death.two.x", "fail", "wrong"), Test("p/death.three.x", "pass"),
             *[Test("plan", "fail", "4 tests were planned, 3 ran", True)] * plans, Test("the machine", "fail", "gone", True)],
            [Test("p/death.two.x", "pass"), Test("p/death.three.x", "pass"), Test("p/death.four.x", "skip")]]
    commands = []

    def boot(_machine, groups, tally, _get_kernel, attempt):
        commands.append(groups[0].command)
        for test in said[attempt - 1]:
            tally.add("death", test)
        return folder if attempt == 1 else None

    tally = Counts()
    group = check.tests.Group("death", "vm", "run")
    with replaced((check, "boot_machine", boot)), quiet():
        check.run_machine(SimpleNamespace(attempts=2), [group], tally, None)
    if commands != ["run", wanted]:
        return f"ran: {commands}"
    return "" if tally.failed == ["p/death.two.x"] and len(tally.tests) == 5 else f"counted: {tally.tests}"


def a_boot_that_is_repeated(folder):
    """It is for what is left; what failed before QEMU aborted counts all the same."""
    return repeated(folder, 2, "run -V one -V three")


def a_boot_after_the_last_test(folder):
    """The program had come to all of its tests: one of them is made again, since it cannot make none."""
    return repeated(folder, 1, "run -V one")


def programs_of_a_machine(folder):
    """A machine gets the programs of its groups, and no others."""
    for name, words in (("one", "self"), ("two", "self families"), ("three", "families"), ("four", "death"), ("five", None)):
        line = f" * Groups: {words}\n" if words else ""
        (folder / f"{name}_test.c").write_text(f"/*\n * x\n{line} */\n/*\n * Groups: self\n */\n")
    groups = [check.tests.selftests("self"), check.tests.selftests("gpu", "families charge")]
    with replaced((check.tests, "SELFTESTS", folder)):
        found = [sorted(check.tests.programs_of(groups[:n])) for n in (0, 1, 2)]
    return "" if found == [[], ["one_test", "two_test"], ["one_test", "three_test", "two_test"]] else str(found)


def a_program_that_only_skips(folder):
    """It is red, unless a reason is given; one test that is not skipped is enough."""
    lines = ["# Subtest: a_test", "    ok 1 one.x # SKIP no device", "    ok 2 one.y", "ok 1 a_test",
             "# Subtest: b_test", "    ok 1 one.x # SKIP no device", "    ok 2 one.y # SKIP no device", "ok 2 b_test",
             "# Subtest: c_test", "    ok 1 one.x # SKIP no device", "ok 3 c_test"]
    tally = Counts()
    with replaced((check.env, "LOGS", folder), (check.tests, "SKIPPED", {("group", "c_test"): "why"})), quiet():
        run = check.Run(check.tests.Group("group", "vm"), tally)
        for line in lines:
            run.feed(line)
        run.finish(0)
    return "" if tally.failed == ["b_test shows something"] else f"counted: {tally.tests}"


def who_waits_for_a_kernel(_folder):
    """While it is built groups wait that look at the clock; those that are patient begin, and the machine waits for its kernel."""
    ready, order = threading.Event(), []

    class Build(threading.Thread):
        def __init__(self, _name):
            super().__init__(daemon=True)

        def run(self):
            ready.wait(20)
            order.append("kernel")

        def get(self):
            self.join()

    groups = [check.tests.Group("quick", "host", "quick"), check.tests.Group("slow", "host", "slow", patient=True),
              check.tests.Group("machine", "vm", "machine")]

    def host(group, _tally):
        order.append(group.name)
        if group.patient:
            ready.set()

    def machine(_machine, groups, _tally, get_kernel):
        get_kernel("debug")
        order.append(groups[0].name)

    with replaced((check, "KernelBuild", Build), (check, "run_host", host), (check, "run_machine", machine)), \
            contextlib.redirect_stdout(io.StringIO()):
        check.main([], groups)
    return "" if order[:2] == ["slow", "kernel"] and sorted(order[2:]) == ["machine", "quick"] else f"in this order: {order}"


def how_patient_groups_run(folder):
    """They leave the processor to all others, also to those of our session."""
    (folder / "build").mkdir()
    said = []
    for patient in (False, True):
        ask = f"import os; print(os.nice(0), os.getsid(0), file=open('{folder}/said', 'w'))"
        group = check.tests.Group("nice", "host", f'python3 -c "{ask}"; echo ok 1 one', patient=patient)
        with replaced((check.env, "BUILD", folder / "build"), (check.env, "LOGS", folder)), quiet():
            check.run_host(group, Counts())
        said.append((folder / "said").read_text().split())
    return "" if [line[0] for line in said] == ["0", "19"] and said[1][1] == str(os.getsid(0)) != said[0][1] else str(said)


def the_same_group_twice(folder):
    """Two runs of one checkout: its group on the host, which builds below build/, is not run twice at a time."""
    (folder / "build").mkdir()
    group = check.tests.Group("twice", "host", f"mkdir {folder}/busy && sleep 0.5 && rmdir {folder}/busy && echo ok 1 one")
    tally = Counts()
    with replaced((check.env, "BUILD", folder / "build"), (check.env, "LOGS", folder)), quiet():
        runs = [threading.Thread(target=check.run_host, args=(group, tally)) for _ in range(2)]
        for run in runs:
            run.start()
            time.sleep(0.1)
        for run in runs:
            run.join()
    return "" if not tally.failed and len(tally.tests) == 2 else f"counted: {tally.tests}"


def the_last_output(folder):
    """All that L1 wrote before QEMU ended is read."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    port = SimpleNamespace(name="lab.out", listener=ours, peer=ours)
    got = []
    session = vm._Session(SimpleNamespace(sink=got.append), [], SimpleNamespace(poll=lambda: 0), folder)
    session.poll.register(ours, 1, ("read", port))
    theirs.sendall(b"x" * 4 * vm.CHUNK)
    theirs.close()
    session.run(time.monotonic() + 5)
    session.close()
    ours.close()
    size = sum(map(len, got))
    return "" if size == 4 * vm.CHUNK else f"{size} of {4 * vm.CHUNK} bytes"


def machines_that_boot_at_a_time(folder):
    """Several ask for the frequency of the counter at once: it is measured once."""
    told, lines, asked = [], [], threading.Barrier(4)

    def run(words, **_):
        told.append(words)
        time.sleep(0.1)
        return SimpleNamespace(stdout="1000\n")

    def ask():
        asked.wait()
        lines.append(clock.append())
    clock._measured.cache_clear()
    with replaced((env, "WORK", folder), (clock.subprocess, "run", run), (clock.platform, "machine", lambda: "x86_64")):
        threads = [threading.Thread(target=ask) for _ in range(asked.parties)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    clock._measured.cache_clear()
    return "" if len(told) == 2 and len(lines) == 4 and len({*lines}) == 1 else f"{len(told)} programs run, {lines}"


def keys_of_files(folder):
    """Which file has which content is part of a key."""
    (folder / "a").write_text("1")
    (folder / "b").write_text("1")
    return "" if cache.digest(folder / "a") != cache.digest(folder / "b") else "renaming a file changes no key"


def keys_of_kernels(folder):
    """Two builds of a package that have the same release are two kernels."""
    (folder / "7.0-amd64").mkdir()
    (folder / "7.0-amd64/vmlinuz").touch()
    keys = []
    for version in ("7.0-1", "7.0-2"):
        (folder / "names").write_text(f"linux-image-7.0-amd64_{version}_amd64\n")
        with replaced((kernel, "MODULES", folder), (kernel, "PACKAGES", folder / "names")):
            keys.append(kernel._packaged("stock", "7.0-amd64").key)
    return "" if len({*keys}) == 2 else f"both are {keys[0]}"


def a_name_that_is_not_found(folder):
    """A root that lacks a package is not made."""
    (folder / "list").write_text("make @newest:no-such-[0-9]+\n")
    said = shell('apt-get() { echo "Inst make (4.4 Debian [amd64])"; }; apt-cache() { :; }; root_apt_config() { touch "$1/apt.conf"; }\n'
                 f'(root_strict root_download {folder} {folder}/list); [ $? -ne 0 ] || echo made', folder)
    return said if "made" in said or "no-such-" not in said else ""


def a_step_that_is_interrupted(folder):
    """Nothing of it goes on."""
    script = "\n".join(("VPV_RUN=", "trap cleanup EXIT", "trap 'interrupted 130' INT", "deep() { sleep 4321 | cat; }",
                        f"step deep {folder}/log deep"))
    run = subprocess.Popen(["bash", "-c", f". {LAB}/lab; {script}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "VPV_CACHE": str(folder)}, start_new_session=True)

    def left():
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if b"sleep\0004321\0" in (path / "cmdline").read_bytes() and os.getsid(int(path.name)) == run.pid:
                    found.append(int(path.name))
        return found

    until = time.monotonic() + 20
    while not left() and time.monotonic() < until:
        time.sleep(0.1)
    began = left()
    run.send_signal(signal.SIGINT)
    run.wait(20)
    time.sleep(0.5)
    found = left()
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return "" if began and not found else f"begun: {began}, left: {found}"


def folders_of_two_runs(folder):
    """A run does not sweep the folder that another one is just making."""
    said = shell("mktemp() { command mktemp \"$@\"; sleep 0.3; }\n"
                 "one() { make_run_dir && [ -d \"$VPV_RUN/lab\" ] && echo made; sleep 1; }\n"
                 "one & sleep 0.1; one & sleep 0.1; one & wait", folder)
    return "" if said.split() == ["made"] * 3 else said


def logs_of_a_live_run(folder):
    """They are kept, whatever ran since."""
    said = shell(f"VPV_REPO={folder}; VPV_RUN={folder}/tmp/run.new; mkdir -p {folder}/tmp/run.live {folder}/build/log/2000-live\n"
                 f"for n in {{1..30}}; do mkdir {folder}/build/log/2001-$n; done\nmake_log_dir; cd {folder}/build/log; ls", folder)
    names = said.split()
    return "" if "2000-live" in names and len(names) < 25 else said


def clean_of_a_folder(folder):
    """Only a cache is removed, and none that a run uses."""
    (folder / "home").mkdir()
    (folder / "home/letter").touch()
    lab = f"bash {LAB}/lab clean"
    said = shell(f"VPV_CACHE={folder}/home {lab}", folder, HOME=str(folder))
    if not (folder / "home/letter").exists():
        return f"a folder that is no cache was removed: {said}"
    said = shell(f"VPV_CACHE={folder}/used; make_run_dir; VPV_CACHE={folder}/used {lab}; [ -d \"$VPV_RUN\" ] && echo kept; "
                 f"exec {{run_lock}}<&-; VPV_CACHE={folder}/used {lab}; ls -A {folder}", folder, HOME=str(folder))
    return "" if "kept" in said and "used" not in said.splitlines()[-3:] else said


def roots_of_verbs(folder):
    """Who compiles a kernel, or vpvctl, gets the root that can."""
    wrong = []
    for verb, more, root in (("soak", {}, "check"), ("demo", {}, "tool"), ("demo", {"DEVICE": "nvme_cf"}, "check"),
                             ("demo", {"DEVICE": "hisi_like"}, "tool"), ("shell --kernel debug", {}, "check"), ("bench", {}, "check")):
        said = shell(f'root_ensure() {{ REPLY=/; }}; roots_for {verb}; echo "$VPV_PROFILE"', folder, **more).strip()
        if said != root:
            wrong.append(f"{verb} {more}: {said}, not {root}")
    return "\n".join(wrong)


def programs_that_nobody_runs(_folder):
    """A program of selftests/ whose Groups have a word that no group picks by, one that skips in no group, or a family in no machine."""
    groups = [*check.tests.GROUPS, *check.tests.UPSTREAM]
    picked = {word for group in groups for word in group.programs} | set(main.COMMANDS)
    models = " ".join(group.machine.models for group in groups)
    wrong = []
    for path in sorted(check.tests.SELFTESTS.glob("*_test.c")):
        words = re.search(r"^ \* Groups: (.*)$", path.read_text().partition("*/")[0], re.M)
        for word in words[1].split() if words else ["no group"]:
            if word not in picked:
                wrong.append(f"{path.name}: {word}")
    for path in sorted((check.tests.SELFTESTS / "families").glob("*.c")):
        if not re.search(rf"\b{path.stem}:", models):
            wrong.append(f"no machine has functions of {path.stem}")
    run = {(group.name, program) for group in groups for program in check.tests.programs_of([group])}
    wrong += [f"{group} does not run {program}" for group, program in check.tests.SKIPPED if (group, program) not in run]
    return "\n".join(wrong)


def what_costs_too_much(folder):
    """make bench fails for what needs more than vfio-pci, if that is not accepted, or more than was; not for a target that is missed."""
    rows = [("nic: open", 100, 95, 0.95, 0.90), ("nic: map", 100, 101, 1.01, 1.00), ("nic: bind", 100, 106, 1.06, 0.90),
            ("disk: bind", 100, 108, 1.08, 0.90), ("nic: read", 100, 100, 1.00, 1.00)]
    limits = bench.accepted("# why\n\n1.07 *: bind\n1.50\tnic: bin\n")
    wrong = [] if limits == [("*: bind", 1.07), ("nic: bin", 1.5)] else [f"read: {limits}"]
    failed = bench.too_dear(rows, limits)
    if [row[0] for row in failed] != ["nic: map", "disk: bind"]:
        wrong.append(f"fails: {failed}")
    for values, status in (([[101]], 1), ([[100]], 0), ([[106]], 1)):
        out = folder / f"log{values}/bench/out"
        out.mkdir(parents=True)
        (out / "bench.json").write_text(json.dumps({"bytes": {}, "instructions": {
            "nic: map": {bench.THEIRS: [[100]], bench.OURS: values}}}))
        with replaced((bench.env, "LOGS", folder / f"log{values}"), (bench.env, "BUILD", folder),
                      (bench.vm, "run", lambda _job: SimpleNamespace(ok=True)), (bench.vm, "report", lambda _result: None),
                      (bench, "payload", lambda _kern: folder), (bench.kernel, "stock", lambda: SimpleNamespace(release="7.0")),
                      (bench, "ACCEPTED", folder / "accepted")), quiet(), contextlib.redirect_stdout(io.StringIO()):
            bench.ACCEPTED.write_text("1.05 *: bind\n")
            if bench.main() != status:
                wrong.append(f"status with {values} is not {status}")
    bench.accepted(bench.ACCEPTED.read_text())      # the one that is checked in can be read
    return "\n".join(wrong)


def new_family(folder):
    """A copy of the tree in FOLDER with one family more: edu_like under another name, in its own folders, Kbuild and Kconfig only."""
    def renamed(text):
        for old, new in (("edu_like", "dum_like"), ("edul", "duml"), ("EDU_LIKE", "DUM_LIKE"), ("EDUL", "DUML")):
            text = text.replace(old, new)
        return text

    tree = folder / "tree"
    shutil.copytree(env.REPO, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", "build", "__pycache__"))
    own = ("variants/edu_like/main.c", "variants/edu_like/Kbuild", "include/hw/edu_like.h", "tools/models/edu_like.c",
           "tools/models/tests/test_edu_like.c", "selftests/families/edu_like.c")
    for name in own:
        path = tree / renamed(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(renamed((tree / name).read_text()))
    (tree / "kunit/dum_like").mkdir()
    (tree / "kunit/dum_like/Kbuild").write_text("obj-$(CONFIG_VPV_KUNIT_TEST) += duml_fn_kunit.o\n")
    (tree / "kunit/variants/duml_match_kunit.c").write_text("int duml;\n")
    kbuild = (tree / "Kbuild").read_text()
    (tree / "Kbuild").write_text(re.sub(r"^.*EDU_LIKE.*\n", lambda line: line[0] + renamed(line[0]), kbuild, flags=re.M))
    kconfig = (tree / "Kconfig").read_text()
    entry = re.search(r"^config VPV_EDU_LIKE\n.*?(?=^config )", kconfig, re.M | re.S)
    (tree / "Kconfig").write_text(kconfig.replace(entry[0], entry[0] + renamed(entry[0])))
    return tree


def who_finds_a_family(folder):
    """What adding-a-variant.rst promises: tests, models and packages find a new one, and no list of families has to be changed."""
    tree, out = new_family(folder), folder / "out"
    lab = 'import sys; sys.path[:0] = ["tools/lab", "tools/lab/e2e"]; '
    objects = "src := $(DIR)\ninclude $(DIR)/Kbuild\nall: ; @echo $(obj-m) $(subdir-m)\n"
    wrong = []
    for what, command, found in (
            ("layers", "python3 tools/checks/layers.py", "^ok 1 "),
            ("lines", "tools/checks/families.sh", "^dum_like +all +[1-9]"),
            ("machines", f"python3 -c '{lab}import tests; print(*(m.models for m in (tests.DEBUG, tests.PAIRS, tests.DYING)))'",
             "dum_like:2.* .*dum_like:2.* .*dum_like:5"),
            ("libvirt", f"python3 -c '{lab}import libvirt_test; print(libvirt_test.MODELS)'", r"\('dum_like', 2\)"),
            ("packages", "tools/dkms/conf.sh 1.0", 'BUILT_MODULE_NAME.*"vpv_dum_like"'),
            ("module", f"printf '{objects}' | make -s -f - DIR=variants/dum_like CONFIG_VPV_DUM_LIKE=m", "vpv_dum_like.o"),
            ("suites", f"printf '{objects}' | make -s -f - DIR=kunit CONFIG_VPV_KUNIT_TEST=m CONFIG_VPV_TEST=m", "dum_like/"),
            ("suites of pure files", f"printf '{objects}' | make -s -f - DIR=kunit/variants CONFIG_VPV_KUNIT_TEST=m", "duml_match_kunit.o"),
            ("suites on the host", f"make -n -C kunit/host check O={out}/host", "duml_match_kunit"),
            ("models", f"make -n -C tools/models O={out}/models", "/dum_like.o"),
            ("tests of models", f"make -n -C tools/models check O={out}/models", "/test_dum_like.o"),
            ("vpvctl", f"make -s -C tools/vpvctl O={out} {out}/families.h && cat {out}/families.h", '"vpv_dum_like", '),
            ("selftests", f"make -n -C selftests O={out}/selftests", "families/dum_like.c")):
        run = subprocess.run(["bash", "-c", command], cwd=tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        if run.returncode or not re.search(found, run.stdout, re.M):
            wrong.append(f"{what}, status {run.returncode}: {run.stdout[-200:]}")
    return "\n".join(wrong)


def reports(_folder):
    """Lines that are reports, and lines that are none."""
    bad = ("[1.0] WARNING: CPU: 0 PID: 1 at x.c:1", "BUG: KASAN: slab-out-of-bounds in x", "==1==ERROR: AddressSanitizer: heap",
           "x.c:1:2: runtime error: shift", "kmemleak: 1 new suspected memory leaks", "DMAR: ERROR: x")
    good = ("vpv_pci: loading out-of-tree module taints kernel.", "all is well", "FAULT_INJECTION: forcing a failure.\nx\nCall Trace:")
    return "\n".join([text for text in bad if not splat.scan_text(text)] + [text for text in good if splat.scan_text(text)])


def a_guest_that_is_broken(_folder):
    """Which samples of a processor are one with interrupts off in the kernel, and which lines say that a kernel has died."""
    stuck = "guest6: RIP=ffffffff8148fdd4 RFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0"
    others = (stuck.replace("RFL=00000002", "RFL=00000246"), stuck.replace("HLT=0", "HLT=1"), stuck.replace("CPL=0", "CPL=3"),
              "guest7: EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0")
    wrong = [] if guest.spins([stuck] * 5 + ["0000:00:08.0: {}"]) else ["a guest that is stuck is not noticed"]
    wrong += [f"stuck: {line}" for line in others if guest.spins([line] * 5) or guest.spins([stuck] * 4 + [line])]
    wrong += ["stuck: nothing was seen"] if guest.spins([]) or guest.spins([stuck]) else []
    dead = "[ 9.1] BUG: ENTRY_TRAMPOLINE stack guard page was hit at 0 (stack is 1..2)"
    if guest.death(f"[ 1.0] all is well\n{dead}\n[ 9.2] Kernel panic - not syncing: x") != dead:
        wrong.append("a guest that died is not noticed")
    wrong += ["dead: nothing was said"] if guest.death("[ 1.0] DEBUG: all is well\n") else []
    return "\n".join(wrong)


def interrupts_of_nested_guests(_folder):
    """What is preloaded finds its place in the QEMU that has to be mended; whether a later one has, the group emulator tells."""
    out = subprocess.run([vm.QEMU, "--version"], env=preload.environ(), capture_output=True, text=True, check=False)
    known = "injects an interrupt once" in out.stderr or not re.search(r"version 11\.1\.", out.stdout)
    return "" if known else f"vmrun.c does not know it: {out.stderr}{out.stdout}"


TESTS = (a_dead_install_check, a_boot_that_is_repeated, a_boot_after_the_last_test, a_program_that_only_skips, programs_of_a_machine, who_waits_for_a_kernel,
         how_patient_groups_run,
         the_same_group_twice, the_last_output, machines_that_boot_at_a_time, keys_of_files, keys_of_kernels, a_name_that_is_not_found,
         a_step_that_is_interrupted, folders_of_two_runs, logs_of_a_live_run, clean_of_a_folder, roots_of_verbs,
         programs_that_nobody_runs, what_costs_too_much, who_finds_a_family, reports, a_guest_that_is_broken,
         interrupts_of_nested_guests)


def run():
    print(f"TAP version 13\n1..{len(TESTS)}")
    bad = 0
    for number, test in enumerate(TESTS, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                wrong = test(Path(folder))
            except Exception as error:      # the others run all the same
                wrong = f"{type(error).__name__}: {error}"
        bad += bool(wrong)
        for line in wrong.splitlines():
            print(f"# {line}")
        print(f"{'not ok' if wrong else 'ok'} {number} - lab: {test.__name__.replace('_', ' ')}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(run())
