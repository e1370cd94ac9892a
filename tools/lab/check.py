# SPDX-License-Identifier: GPL-2.0
"""`make check`: runs the groups of tests.py, prints a line per test, and at the end how many passed, failed, skipped."""

import fnmatch
import os
import re
import shutil
import subprocess
import threading
from collections import deque
from dataclasses import replace
from pathlib import Path

import tests
from labkit import build, cache, devices, env, image, kernel, models, mutants, outsider, splat, uml, upstream, vm
from labkit.progress import LabError, say, step, tail
from labkit.tap import Parser, Test


def alternatives(pattern):
    """[patterns without "@(A|B)"], which the shell in L1 knows and fnmatch does not."""
    found = re.search(r"@\(([^()]*)\)", pattern)
    if not found:
        return [pattern]
    return [item for word in found[1].split("|") for item in alternatives(pattern[:found.start()] + word + pattern[found.end():])]


LAST = 5    # lines of a failure's reason that are said again at the end


class Tally:
    """Counts tests and prints one line for each, for several threads."""

    def __init__(self, pattern):
        self.lock = threading.Lock()
        self.pattern = pattern
        self.counts = {"pass": 0, "fail": 0, "skip": 0}
        self.failed = []

    def add(self, group, test):
        if test.outcome != "fail" and not any(fnmatch.fnmatch(test.name, f"*{word}*") for word in alternatives(self.pattern)):
            return
        with self.lock:
            self.count(group, test)

    def count(self, group, test):
        self.counts[test.outcome] += 1
        number = sum(self.counts.values())
        word = "not ok" if test.outcome == "fail" else "ok"
        skip = f" # SKIP {test.detail.splitlines()[0] if test.detail else ''}".rstrip() if test.outcome == "skip" else ""
        print(f"{word} {number} - {group}: {test.name}{skip}", flush=True)
        if test.outcome == "fail":
            lines = test.detail.splitlines()
            self.failed.append([f"{group}: {test.name}", *lines[-LAST:]])
            for line in lines:
                print(f"#   {line}", flush=True)

    def end(self):
        for name, *lines in self.failed:
            say(f"failed: {name}")
            for line in lines:
                say(f"    {line}")
        if not sum(self.counts.values()):
            self.add("check", Test("no test matched", "fail"))
        print("{pass} passed, {fail} failed, {skip} skipped".format(**self.counts), flush=True)
        return 1 if self.counts["fail"] else 0


class Attempt:
    """Holds what one boot said until it is known whether it counts."""

    def __init__(self):
        self.held = []

    def add(self, group, test):
        self.held.append((group, test))

    def commit(self, tally, done, broken=False):
        """Pass all on but what is DONE, which grows, and, if the machine has BROKEN, what failed because of that."""
        for group, test in self.held:
            if test.name in done or broken and test.broken:
                continue
            tally.add(group, test)
            if test.outcome != "fail":
                done.append(test.name)

    def left(self):
        """Has the program not come to all of its tests?  Then its plan is as wrong as that of what runs it."""
        return sum(test.name == "plan" for _, test in self.held) > 1


class Run:
    """One group while it runs: feeds its output to the parser and judges it at the end."""

    def __init__(self, group, tally):
        self.group, self.tally = group, tally
        self.parser = Parser()
        self.tests = 0
        self.failures = 0
        self.shown = {}         # of each program: has a test of it not been skipped?
        self.log = open(env.LOGS / f"check-{group.name}.log", "w", buffering=1)
        self.step = step(f"group {group.name}")
        self.step.__enter__()

    def add(self, test):
        self.tests += 1
        self.failures += test.outcome == "fail"
        program, slash, _ = test.name.partition("/")
        if slash and program.endswith("_test"):
            self.shown[program] = self.shown.get(program, False) or test.outcome != "skip"
        self.tally.add(self.group.name, test)

    def feed(self, line):
        self.log.write(line + "\n")
        for test in self.parser.feed(line):
            self.add(test)

    def only_skipped(self):
        """Programs that show nothing, though the group has them for that. One that is booted again may have shown it before."""
        if self.group.machine.attempts > 1:
            return []
        return [program for program, shown in self.shown.items() if not shown and (self.group.name, program) not in tests.SKIPPED]

    def fail(self, name, detail="", broken=False):
        self.add(Test(name, "fail", detail, broken))

    def finish(self, status, complaint=None):
        """STATUS of the command, or None if it was stopped because its time was up."""
        self.log.close()
        end = tail(self.log.name, 15) + f"full log: {self.log.name}"
        for test in self.parser.finish():
            test.broken = complaint is not None
            self.add(test)
        if complaint:
            self.fail("the run as a whole", complaint, True)
        elif status is None:
            self.fail(f"ends within {self.group.timeout} s", end)
        elif not self.tests:
            self.fail("emits tests", end)
        elif status and not self.failures:
            self.fail(f"exits with status 0, not {status}", end)
        else:
            for program in self.only_skipped():
                self.fail(f"{program} shows something", "each of its tests was skipped, which tests.SKIPPED has no reason for")
        self.step.__exit__(None, None, None)
        say(f"group {self.group.name}: {self.tests} tests, {self.failures} failed")


def missing(group):
    return group.needs and not (env.REPO / group.needs).exists()


def run_host(group, tally):
    # Another run of this checkout has the same folder below build/.
    with cache.locked(env.BUILD / f".group-{group.name}.lock", f"group {group.name}"):
        run_command(group, tally)


def run_command(group, tally):
    run = Run(group, tally)
    if missing(group):
        run.finish(0, f"{group.needs} is missing in the tree")
        return
    environ = dict(os.environ, PYTHONPATH=str(env.LAB))
    # In a session of its own, which has no terminal. A patient one stays in ours: Linux may weigh sessions against each other, whatever
    # the niceness of what runs in them.
    command = [*build.PATIENTLY, "bash", "-c"] if group.patient else ["bash", "-c"]
    process = subprocess.Popen([*command, group.command], cwd=env.REPO, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=not group.patient, process_group=0 if group.patient else None)
    late = threading.Event()

    def stop():
        late.set()
        os.killpg(process.pid, 9)

    timer = threading.Timer(group.timeout, stop)
    timer.start()
    try:
        for line in process.stdout:
            run.feed(line.decode(errors="replace").rstrip("\n"))
        status = process.wait()
    finally:
        timer.cancel()
    run.finish(None if late.is_set() else status)


def run_matrix(group, tally):
    run = Run(group, tally)
    trees = kernel.header_trees()
    for release, kdir in trees.items():
        trouble, with_sparse = build.matrix_one(release, kdir)
        run.add(Test(release, "fail" if trouble else "pass", trouble or ""))
        if with_sparse:
            run.add(Test(f"{release} sparse", "fail" if trouble else "pass"))
        else:
            run.add(Test(f"{release} sparse", "skip", "this kernel takes no sparse as old as Debian's"))
    status, lines = build.install_check(*next(iter(trees.items())))
    for line in lines:
        run.feed(line)
    run.finish(status)


def run_programs(group, tally, get_kernel):
    """Machines build the programs that they run; nothing else says that the others can be built."""
    run = Run(group, tally)
    try:
        build.selftests(get_kernel("debug"), patiently=True)
        run.add(Test("all programs of selftests are built", "pass"))
    except LabError as error:
        run.fail("all programs of selftests are built", str(error))
    run.finish(0)


class Demultiplexer:
    """Splits the output of run-groups in L1 into the groups'."""

    def __init__(self, groups, tally):
        self.waiting = {group.name: group for group in groups}
        self.tally = tally
        self.run = None
        self.rest = b""

    def __call__(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.line(line.decode(errors="replace").rstrip("\r"))

    def line(self, line):
        words = line.split()
        if line.startswith("@@begin ") and words[1] in self.waiting:
            self.run = Run(self.waiting.pop(words[1]), self.tally)
        elif line.startswith("@@end ") and self.run:
            status = int(words[2])
            self.run.finish(None if status == 124 else status)
            self.run = None
        elif self.run:
            self.run.feed(line)

    def close(self, why):
        if self.run:
            self.run.finish(1, why)
        for group in self.waiting.values():
            Run(group, self.tally).finish(1, f"did not run: {why}")


def payload_for(kern, groups, cover):
    """The folder that becomes /vpv."""
    folder = env.WORK / f"payload-{kern.name}-{groups[0].name}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "groups").mkdir(parents=True)
    shutil.copytree(build.modules(kern, cover), folder / "modules")
    shutil.copy(env.LAB / "debug.config", folder)
    if any(group.needs.startswith("selftests") or group.needs == tests.MUTANTS for group in groups):
        # Their harness comes with the sources of the debug kernel.
        programs = tests.programs_of(groups)
        shutil.copytree(build.selftests(kernel.debug(), programs), folder / "selftests", ignore=lambda _, names: [
            name for name in names if name.endswith((".o", ".d")) or name.endswith("_test") and name not in programs])
    if any(group.needs == tests.MUTANTS for group in groups):
        mutants.modules(kern, folder / "mutants")
    if any(group.needs == tests.OUTSIDER for group in groups):
        shutil.copytree(outsider.build(kern), folder / "outsider")
    if any(group.needs == "tools/lab/upstream" for group in groups):
        shutil.copytree(env.LAB / "upstream", folder / "upstream", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(env.LAB / "labkit/tap.py", folder / "upstream")
        shutil.copytree(upstream.build(), folder / "upstream", dirs_exist_ok=True)
    if any(group.needs == "tools/lab/clients" for group in groups):
        shutil.copytree(env.LAB / "clients", folder / "clients", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(env.LAB / "upstream/pci.py", folder / "clients")
        image.guest_image(folder / "clients/image", kernel.stock(), env.LAB / "clients/guest", ["nvme", "e1000e"])
        image.guest_initrd(folder / "clients/image/uml.initrd", env.LAB / "clients/guest")
        shutil.copy(uml.build(), folder / "clients/image")
    for group in groups:
        if group.corpus and (env.BUILD / group.corpus).is_dir():
            shutil.copytree(env.BUILD / group.corpus, folder / "corpus")
    for number, group in enumerate(groups):
        (folder / "groups" / f"{number:02d}-{group.name}").write_text(f"{group.timeout}\n{group.command}\n")
    return folder


def group_of(excerpt_path, excerpt, groups):
    """The group that ran when the kernel complained, from the marks in the log."""
    if excerpt_path is None:
        return groups[-1].name
    text = Path(excerpt_path).read_text(errors="replace")
    before = text[:max(0, text.find(excerpt.splitlines()[0]))]
    mark = before.rfind("lab: group ")
    return before[mark:].split()[2] if mark >= 0 else groups[0].name


def known_abort(log):
    """QEMU 11.1's vfio-user client may abort when the server dies: it reports one error over another."""
    path = Path(log) / "qemu.log"
    return path.exists() and "error_setv: Assertion" in path.read_text(errors="replace")


def without(group, done):
    """GROUP, whose program has one test of each variant, without those whose test is DONE."""
    return replace(group, command=" ".join([group.command, *(f"-V {name.split('.')[1]}" for name in done if name.count(".") > 1)]))


def run_machine(machine, groups, tally, get_kernel):
    """All groups that share one machine; booted again if QEMU aborts and that is to be expected, for the tests that are left."""
    if machine.attempts == 1:
        boot_machine(machine, groups, tally, get_kernel)
        return
    done, over = [], []
    for attempt in range(1, machine.attempts + 1):
        held = Attempt()
        log = boot_machine(machine, [without(group, over) for group in groups], held, get_kernel, attempt)
        again = attempt < machine.attempts and log and known_abort(log)
        held.commit(tally, done, broken=again)
        if not again:
            return
        # A program without any test would fail. One that was done before one that is left has QEMU abort again.
        over = done if held.left() else done[:-1]
        say(f"QEMU aborted (attempt {attempt} of {machine.attempts}), as it may when a model dies: {log}/qemu.log")


def boot_machine(machine, groups, tally, get_kernel, attempt=1):
    """One boot for all groups of a machine. Returns its log folder if it came so far."""
    for group in [group for group in groups if missing(group)]:
        Run(group, tally).finish(0, f"{group.needs} is missing in the tree")
    groups = [group for group in groups if not missing(group)]
    if not groups:
        return None
    split = Demultiplexer(groups, tally)
    try:
        kern = get_kernel(machine.kernel)
        job = vm.Job(kernel=kern, command=["run-groups"], payload=[payload_for(kern, groups, machine.cover)],
                     models=models.parse(machine.models), memory=machine.memory,
                     devices=devices.parse(machine.devices), append=machine.append, disks=list(machine.disks),
                     model_binary=build.models() if machine.models else None,
                     timeout=sum(group.timeout for group in groups) + 60, sink=split,
                     log=env.LOGS / f"l1-{machine.kernel}-{groups[0].name}{f'-{attempt}' if attempt > 1 else ''}")
        say(f"booting L1 ({kern.release}) for {', '.join(group.name for group in groups)}; log: {job.log}")
        result = vm.run(job)
    except LabError as error:
        split.close(str(error))
        return None
    split.close("L1 ended early")
    names = ", ".join(group.name for group in groups)
    logs = vm.logs(job.log)
    for path, excerpt in splat.scan(logs)[:3]:
        tally.add(group_of(path, excerpt, groups), Test("no report in any log", "fail", f"{path}:\n{excerpt}"))
    for complaint in result.troubles:
        tally.add(names, Test("the machine", "fail", complaint, True))
    return job.log


def select(words, groups):
    """(those of GROUPS, pattern) for TEST=NAME[,NAME...] or TEST=GROUP/PATTERN."""
    if not words or not words[0]:
        return list(groups), ""
    names, _, pattern = words[0].partition("/")
    names = names.split(",")
    for name in names:
        if not fnmatch.filter([group.name for group in groups], name):
            raise LabError(f"no group '{name}'; there are: {' '.join(group.name for group in groups)}")
    chosen = [group for group in groups if any(fnmatch.fnmatch(group.name, name) for name in names)]
    return chosen, pattern


class KernelBuild(threading.Thread):
    """One of our kernels in the background, while groups run that do not need it."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.wanted, self.kernel, self.error = name, None, None

    def run(self):
        try:
            self.kernel = kernel.named(self.wanted)
        except Exception as error:      # handed to the thread that needs the kernel
            self.error = error

    def get(self):
        self.join()
        if self.error:
            raise LabError(str(self.error))
        return self.kernel


class Lane(threading.Thread):
    """Takes jobs from one end of a shared queue and runs them, one at a time, until there is none."""

    def __init__(self, take, tally):
        super().__init__(daemon=True)
        self.take, self.tally, self.error = take, tally, None

    def run(self):
        while True:
            try:
                name, job = self.take()
            except IndexError:
                return
            try:
                job()
            except LabError as error:
                self.tally.add(name, Test("runs", "fail", str(error)))
            except Exception as error:      # a mistake of ours, raised again by main()
                self.error = error
                return


def jobs_of(groups, tally):
    """Two queues. The first: those that boot at the left, the longest first; then those that boot what they need themselves, and at the
    right those that need no machine, which the other lane takes first. The second: those that take what time the others leave.
    """
    machines = {}
    nested, host, patient = [], [], []
    runners = {"matrix": run_matrix, "programs": lambda group, tally: run_programs(group, tally, get_kernel)}
    for group in groups:
        if group.kind == "vm":
            machines.setdefault(group.machine, []).append(group)
        elif group.kind == "nested":
            nested.append((group.name, lambda group=group: run_command(group, tally)))
        else:
            runner = runners.get(group.kind, run_host)
            if group.patient:
                patient.append((group.name, lambda group=group, runner=runner: runner(group, tally)))
            else:
                host.insert(0, (group.name, lambda group=group, runner=runner: run_on_host(group, runner)))
    builds = {name: KernelBuild(name) for name in sorted({machine.kernel for machine in machines} - {*kernel.PACKAGED})}
    for built in builds.values():
        built.start()

    def run_on_host(group, runner):
        # A build has all cores until it is done: machines wait for it, and leave cores idle while they run.
        for built in builds.values():
            built.join()
        runner(group, tally)

    def get_kernel(name):
        return builds[name].get() if name in builds else kernel.named(name)

    booted = [(members[0].name, lambda machine=machine, members=members: run_machine(machine, members, tally, get_kernel))
              for machine, members in sorted(machines.items(), key=lambda item: -sum(group.timeout for group in item[1]))]
    return deque([*booted, *nested, *host]), deque(patient)


def main(words, groups=tests.GROUPS, host_only=False):
    groups, pattern = select(words, groups)
    if host_only:
        groups = [group for group in groups if group.kind in tests.HOST_KINDS]
    os.environ["TEST"] = pattern
    if not pattern:
        del os.environ["TEST"]
    tally = Tally(pattern)
    if any(group.machine.models and group.kind == "vm" or group.needs == "tools/models" for group in groups):
        build.models()      # here, because two lanes would build it at a time
    jobs, patient = jobs_of(groups, tally)
    lanes = [Lane(jobs.popleft, tally), Lane(jobs.pop, tally), Lane(patient.popleft, tally)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
        if lane.error:
            raise lane.error
    return tally.end()
