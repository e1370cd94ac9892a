# SPDX-License-Identifier: GPL-2.0
"""What the runs in L1 share: options, guests, checks, refused and cancelled migrations, and the result.

A run is a subclass of Session. It writes OUT/result.json: what was measured, and a list of checks. Exit status 0 only if
every check held.
"""

import argparse
import json
import re
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import kernel_view
import migration
import qemu7
from function import FunctionError, functions, kernel_lines, load_modules
from guest import Guest, GuestError
from qmp import QmpError

# Lines that stock QEMU prints although nothing is wrong.
HARMLESS = (
    # What the kernel does not offer.
    r"VFIO dma-buf not supported in kernel",
    # A destination gets its BARs, and QEMU tries to map them for peers, before it gets its memory enable bit. As a dma-buf,
    # where there is one, which cannot be attached then; and iommufd takes those of vfio-pci only (vfio-differences.rst).
    # QEMU 7.2 has other words for it.
    r"vfio_container_dma_map\(.*\) = -14 \(Bad address\)", r"peer-to-peer transactions on BARs are not supported",
    r"vfio_dma_map\(.*\) = -14 \(Bad address\)", r"VFIO_MAP_DMA failed: Bad address",
    r"vfio_container_dma_map\(.*\) = -19 \(No such device\)",
    r"vfio_container_dma_map\(.*\) = -95 \(Operation not supported\)",
    r"IOMMU_IOAS_MAP failed: Bad address, PCI BAR\?",
)
# Where neither the device nor the IOMMU tracks what is written, which it says at every start.
UNTRACKED = r"doesn't support device and IOMMU dirty tracking"
# Kernels without it have no dirty tracking by devices.
IOMMUFD = Path("/dev/iommu").exists()
ERRORS = (GuestError, FunctionError, QmpError, OSError, KeyError, ValueError)
START_S = 150           # a guest boots in 10 to 60


class Session:
    """One run. A subclass names its DRIVER, MODEL, MODULES, INITRD and WORKLOAD, and has run()."""

    driver = model = initrd = workload = ""
    modules = ()
    passes = 1              # over memory, before the guest may be stopped
    limit_ms = migration.LONG_LIMIT_MS      # for how long, from then on
    harmless = HARMLESS

    def __init__(self, args):
        self.args = args
        self.began = time.time()
        self.out = Path(args.out)
        self.guests = []
        self.checks = []
        self.bound = []
        self.guest = None
        self.trace = None
        self.part = ""          # before the names of checks that are made twice
        self.result = {"checks": self.checks, "rounds": [], "steps": []}
        self.options = SimpleNamespace(
            payload=args.payload, run=args.run, memory=args.memory, accel=args.accel, cpu=args.cpu,
            initrd=self.initrd, workload=args.workload or self.workload, timeout=args.timeout, iommufd=args.iommufd,
            dialect=args.dialect)

    def say(self, text):
        self.result["steps"].append({"t": time.time() - self.began, "text": text})
        print(f"L1 {text}", flush=True)

    def check(self, name, held, detail=""):
        name = self.part + name
        self.checks.append({"name": name, "ok": bool(held), "detail": str(detail)})
        if not held:
            self.say(f"NOT OK: {name}: {detail}")
        return held

    # Steps

    def prepare(self):
        """Before the functions are bound."""

    def bind(self, least=2):
        load_modules(self.args.modules, self.modules)
        self.trace = kernel_view.Trace()
        self.functions = [item for item in functions(self.args.devices) if item.model == self.model]
        if len(self.functions) < least:
            raise FunctionError(f"{least} {self.model} functions are needed, {len(self.functions)} are there")
        self.prepare()
        for function in self.functions:
            function.bind(self.driver)
            self.bound.append(function)
            if self.args.dialect != "v2":
                function.speak(self.args.dialect)
        if self.args.dialect == "v1":
            self.say(f"migration by the region of v1, with {qemu7.version()}")
        self.check("every function is bound to " + self.driver,
                   all(item.driver() == self.driver for item in self.functions))
        self.result["iommufd"] = self.options.iommufd
        self.say(f"{', '.join(item.bdf for item in self.functions)}: bound to {self.driver}, "
                 f"{'iommufd and cdev' if self.options.iommufd else 'VFIO groups'}")

    def launch(self, chosen, incoming=None, iommufd=None):
        options = SimpleNamespace(**vars(self.options))
        if iommufd is not None:
            options.iommufd = iommufd
        guest = Guest(f"guest{len(self.guests)}", chosen, options, self.out)
        self.guests.append(guest)
        return guest.start(incoming)

    def _start(self, chosen, iommufd, limit):
        """Boot a guest. Return False if LIMIT is over before its workload starts; without a limit it has to."""
        self.guest = self.launch(chosen, iommufd=iommufd)
        began = time.time()
        try:
            self.guest.wait_report("the start of the workload", lambda kind, _: kind == "start", limit or self.args.timeout)
        except GuestError as error:
            if not limit or not self.guest.alive():
                raise
            self.say(f"{error}: booted once more. It stood at: {'; '.join(map(str, self.standing(self.guest)))}")
            self.guest.quit()
            return False
        self.say(f"{self.guest.name}: workload started after {time.time() - began:.1f} s")
        return True

    def boot(self, chosen, iommufd=None):
        """A guest whose workload does not start is booted once more, and the log has where it stood.

        A run in CI has ended so, where L1 is emulated, too, for a reason that is not known.
        """
        if not self._start(chosen, iommufd, min(START_S, self.args.timeout)):
            self._start(chosen, iommufd, 0)
        self.guest.wait_done(self.args.lead, self.args.timeout)
        self.check("the workload runs in the guest", True)

    def cancel(self, target):
        """Cancel in pre-copy: the guest must not notice."""
        source = self.guest
        migration.linger(source, target, self.uri("cancel"), self.args.timeout)
        status = migration.cancel(source, target, self.args.timeout)
        self.check("a migration is cancelled in pre-copy", status == "cancelled", status)
        self.go_on("after the cancelled migration", source)
        states = [state for _, state in source.qmp.states()]
        self.check("a cancelled migration leaves the device running", states and states[-1] == "running", states)
        target.quit()
        self.excuse(source, target)
        self.say(f"{source.name}: migration cancelled in pre-copy; the guest goes on")

    def refuse(self, chosen, why=""):
        """A destination that does not fit must be refused before the guest is stopped, with WHY in the kernel's log."""
        source = self.guest
        target = self.launch(chosen, "defer")
        migration.capabilities(source, target)
        uri = self.uri("refuse")
        target.qmp.execute("migrate-incoming", uri=uri)
        began = time.time()
        migration.start(source, uri)
        info, _ = migration.watch(source, target, began, self.args.timeout)
        target.quit()
        self.check("QEMU refuses an incompatible destination", info["status"] == "failed", info["status"])
        reasons = [line for line in kernel_lines() if chosen[0].bdf in line and "refused" in line]
        self.check(f"one line of the kernel log says what does not fit{why and f': {why}'}",
                   len(reasons) == 1 and why in reasons[0], reasons)
        failures = [line for line in target.noise() if "load of migration failed" in line]
        self.check("the destination's QEMU says that it refused", failures, target.qemu_log())
        stopped = source.qmp.first("STOP", began)
        self.check("the refusal comes before the guest is stopped", stopped is None, f"STOP at {stopped}")
        if not source.qmp.execute("query-status")["running"]:
            source.qmp.execute("cont")
        self.go_on("after the refused migration", source)
        self.excuse(source, target)
        self.say(f"{source.name}: the destination that does not fit was refused; the guest goes on")

    @staticmethod
    def excuse(*guests):
        """A migration that was to fail makes both QEMUs complain."""
        for guest in guests:
            guest.excuse()

    def go_on(self, when, guest):
        before = guest.last().get("done", 0)
        try:
            guest.wait_report("progress " + when,
                              lambda kind, values: kind == "progress" and values["done"] > before + self.args.lead,
                              self.args.timeout)
            self.check(f"the workload goes on {when}", True)
        except GuestError as error:
            self.check(f"the workload goes on {when}", False, error)
            raise

    def uri(self, name):
        return f"unix:{self.args.run}/{name}{len(self.guests)}"

    def round(self, number, target, probe=None):
        source = self.guest
        seen = migration.migrate(source, target, self.uri("round"), self.args.timeout, self.args.lead,
                                 self.trace, passes=self.passes, probe=probe, limit_ms=self.limit_ms)
        self.result["rounds"].append(seen)
        self.guest = target
        source.quit()
        done = [seen[name] for name in ("done_before", "done_source", "done_after")]
        self.check(f"round {number}: the workload ran before, during and after", 0 < done[0] < done[1] < done[2], done)
        self.check(f"round {number}: the destination loaded all device state that the source saved",
                   seen["state_bytes"] == seen["loaded_bytes"] > 0,
                   f"saved {seen['state_bytes']}, loaded {seen['loaded_bytes']}")
        self.check(f"round {number}: QEMU reports every state change of the device",
                   len(seen["source"]["states"]) > 2 and len(seen["target"]["states"]) > 2,
                   (seen["source"]["states"], seen["target"]["states"]))
        self.say(f"round {number}: {source.name} -> {target.name} in {seen['total_ms'] / 1000:.1f} s, downtime "
                 f"{seen['downtime_ms']} ms, device state {seen['state_bytes']} bytes; the guest goes on")
        return seen

    def finish(self, word="stop"):
        """Stop the workload and await the end of its guest; what the workload says of itself.

        After another WORD than "stop" the guest goes on.
        """
        final = self.guest.ask(word, "final", self.args.timeout)
        self.result["final"] = final
        if word == "stop":
            status = self.guest.wait(self.args.timeout)
            self.check("the guest shuts down", status == 0, f"QEMU's exit status {status}")
        self.check("the workload found nothing wrong", final.get("ok") == 1,
                   "; ".join(text for guest in self.guests for text in guest.complaints()) or final)
        return final

    def counted(self):
        return [function.stats() for function in self.functions]

    def no_faults(self, before=()):
        """Nothing accessed memory that is not there, since models had counted BEFORE; a guest that is reset has work that does."""
        counted = self.counted()
        self.check("no access of a model faulted",
                   sum(item["dma_faults"] for item in counted) == sum(item["dma_faults"] for item in before), counted)

    def noise(self, guest):
        """Complaints of QEMU that nobody expected, and that mean something."""
        harmless = re.compile("|".join(self.harmless))
        return [line for line in guest.noise() if not harmless.search(line)]

    def release(self):
        for function in self.bound:
            function.unbind()
        self.check("every function is unbound cleanly", not any(item.driver() for item in self.bound))
        noise = [line for guest in self.guests for line in self.noise(guest)]
        self.check("QEMU complains about nothing", not noise, "; ".join(noise[:5]))

    # The end

    @staticmethod
    def standing(guest):
        try:
            return guest.standing() if guest.alive() else ()
        except ERRORS as error:
            return (error,)

    def report_failure(self, error):
        """Where the guests are, the ends of their logs, and then which of them are broken and ERROR: what stands last is what is read
        first."""
        lines, words = [], []
        for guest in self.guests:
            seen = [str(line) for line in self.standing(guest)]
            words.append(guest.broken(seen))
            lines += [f"{guest.name}: {line}" for line in seen]
            for kind in ("qemu", "console", "workload"):
                path = self.out / f"{guest.name}.{kind}"
                if path.exists():
                    lines += [f"{path.name}: {line}" for line in path.read_text(errors="replace").splitlines()[-8:]]
        for line in lines:
            print(f"    | {line}")
        words = "; ".join(filter(None, [*words, str(error)]))
        print(f"L1 FAILED: {words}")
        self.result["error"] = "\n".join([*lines[-8:], words])

    def close(self):
        for guest in self.guests:
            if guest.alive():
                guest.quit(10)
        if self.trace:
            self.trace.save(self.out / "trace")
        self.result["ok"] = "error" not in self.result and all(item["ok"] for item in self.checks)
        (self.out / "result.json").write_text(json.dumps(self.result, indent=1))
        return 0 if self.result["ok"] else 1


class Tracked(Session):
    """One whose functions say which memory they have written, where kernel and dialect let them."""

    def __init__(self, args):
        super().__init__(args)
        self.tracked = IOMMUFD and args.dialect != "v1"
        self.limit_ms = migration.DEFAULT_LIMIT_MS if self.tracked else migration.LONG_LIMIT_MS
        self.harmless = HARMLESS if self.tracked else (*HARMLESS, UNTRACKED)


def parser(doc):
    """The options of every run."""
    options = argparse.ArgumentParser(description=doc)
    options.add_argument("--rounds", type=int, default=1, help="migrations, back and forth")
    options.add_argument("--reset", action="store_true", help="at last reset a guest while its migration is in pre-copy")
    options.add_argument("--groups", dest="iommufd", action="store_false", default=Path("/dev/iommu").exists(),
                         help="open devices by group, though there is iommufd")
    options.add_argument("--dialect", choices=("v1", "v2"), default="v2", help="v1: QEMU 7.2 migrates, by a region")
    options.add_argument("--devices", default="/vpv/devices")
    options.add_argument("--modules", default="/vpv/modules")
    options.add_argument("--payload", default="/vpv")
    options.add_argument("--out", default="/vpv/out")
    options.add_argument("--run", default="/run/e2e")
    options.add_argument("--memory", type=int, default=160, help="MiB of a guest")
    options.add_argument("--accel", default="kvm")
    options.add_argument("--cpu", default="host")
    options.add_argument("--workload", default="", help="options of the workload, with commas")
    options.add_argument("--lead", type=int, default=200, help="operations before and after each step")
    options.add_argument("--timeout", type=int, default=300, help="seconds that any one step may take")
    return options


def _interrupted(number, _frame):
    raise GuestError(f"ended by signal {number}")


def main(kind, options):
    """Run a session of KIND with the options of a parser(); the exit status."""
    signal.signal(signal.SIGTERM, _interrupted)
    args = options.parse_args()
    # QEMU 7.2 knows no iommufd.
    args.iommufd = args.iommufd and args.dialect != "v1"
    session = kind(args)
    session.out.mkdir(parents=True, exist_ok=True)
    try:
        session.run()
    except ERRORS as error:
        session.report_failure(error)
    return session.close()
