#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs in L1: binds the functions, boots a guest with a workload, migrates it live, and checks that nothing got lost.

Writes OUT/result.json: what was measured, and a list of checks. Exit status 0 only if every check held.
"""

import argparse
import json
import re
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import kernel_view
import migration
import persona
from function import FunctionError, functions, kernel_lines, load_modules
from guest import Guest, GuestError
from qmp import QmpError

# Lines that stock QEMU prints although nothing is wrong.
HARMLESS = re.compile("|".join((
    # What the kernel or the device does not offer.
    r"VFIO dma-buf not supported in kernel", r"doesn't support device and IOMMU dirty tracking",
    # A destination gets its BARs, and QEMU tries to map them for peers, before it gets its memory enable bit.
    r"vfio_container_dma_map\(.*\) = -14 \(Bad address\)", r"peer-to-peer transactions on BARs are not supported",
    r"IOMMU_IOAS_MAP failed: Bad address, PCI BAR\?",
)))
ERRORS = (GuestError, FunctionError, QmpError, OSError, KeyError, ValueError)
# So that pre-copy is still under way when it is cancelled.
SLOW = 8 << 20


class Session:
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
            workload=args.workload, timeout=args.timeout, iommufd=args.iommufd)

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

    def bind(self):
        load_modules(self.args.modules)
        self.trace = kernel_view.Trace()
        self.functions = [item for item in functions(self.args.devices) if item.model == self.args.model]
        if len(self.functions) < 2:
            raise FunctionError(f"two {self.args.model} functions are needed, {len(self.functions)} are there")
        for function in self.functions:
            function.bind(self.args.driver)
            self.bound.append(function)
        self.check("every function is bound to " + self.args.driver,
                   all(item.driver() == self.args.driver for item in self.functions))
        self.say(f"{', '.join(item.bdf for item in self.functions)}: bound to {self.args.driver}, "
                 f"{'iommufd and cdev' if self.options.iommufd else 'VFIO groups'}")

    def launch(self, function, incoming=None):
        guest = Guest(f"guest{len(self.guests)}", function, self.options, self.out)
        self.guests.append(guest)
        return guest.start(incoming)

    def boot(self):
        self.guest = self.launch(self.functions[0])
        self.result["iommufd"] = self.options.iommufd
        began = time.time()
        self.guest.wait_report("the start of the workload", lambda kind, _: kind == "start", self.args.timeout)
        self.say(f"{self.guest.name}: workload started after {time.time() - began:.1f} s")
        self.guest.wait_done(self.args.lead, self.args.timeout)
        self.check("the workload runs in the guest", True)

    def cancel(self, target):
        """Cancel in pre-copy: the guest must not notice."""
        source = self.guest
        migration.capabilities(source, target)
        uri = self.uri("cancel")
        target.qmp.execute("migrate-incoming", uri=uri)
        began = time.time()
        migration.start(source, uri, bandwidth=SLOW)
        migration.watch(source, target, began, self.args.timeout, until=(*migration.ENDS, "active"))
        time.sleep(1)
        status = migration.cancel(source, target, self.args.timeout)
        self.check("a migration is cancelled in pre-copy", status == "cancelled", status)
        self.go_on("after the cancelled migration", source)
        states = [state for _, state in source.qmp.states()]
        self.check("a cancelled migration leaves the device running", states and states[-1] == "running", states)
        target.quit()
        self.excuse(source, target)
        self.say(f"{source.name}: migration cancelled in pre-copy; the guest goes on")

    def refuse(self, function, why=""):
        """A destination that does not fit must be refused before the guest is stopped, with WHY in the kernel's log."""
        source = self.guest
        target = self.launch(function, "defer")
        migration.capabilities(source, target)
        uri = self.uri("refuse")
        target.qmp.execute("migrate-incoming", uri=uri)
        began = time.time()
        migration.start(source, uri)
        info, _ = migration.watch(source, target, began, self.args.timeout)
        target.quit()
        self.check("QEMU refuses an incompatible destination", info["status"] == "failed", info["status"])
        reasons = [line for line in kernel_lines() if function.bdf in line and "refused" in line]
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

    def round(self, number, target):
        source = self.guest
        seen = migration.migrate(source, target, self.uri("round"), self.args.timeout, self.args.lead,
                                 self.trace)
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

    def finish(self):
        final = self.guest.stop_workload(self.args.timeout)
        self.result["final"] = final
        status = self.guest.wait(self.args.timeout)
        self.check("the guest shuts down", status == 0, f"QEMU's exit status {status}")
        for name, key in (("lost", "lost"), ("duplicated", "dup"), ("corrupted", "bad"), ("failed", "fail")):
            self.check(f"no operation was {name}" if name != "failed" else "no operation failed",
                       final.get(key) == 0, final.get(key))
        self.check("every operation that was submitted is complete", final.get("sub") == final.get("done"), final)
        self.check("the device counts the operations that the guest counts",
                   final.get("device_done") == final.get("done"), final)
        self.check("no interrupt was lost", final.get("missed") == 0, final.get("missed"))
        self.check("the workload found nothing wrong", final.get("ok") == 1,
                   "; ".join(text for guest in self.guests for text in guest.complaints()))
        self.say(f"workload stopped: {final.get('done')} operations, all checked")

    def ledger(self, before):
        """The models together must have written what the guest saw written, once.

        A model counts the writes of its life: two for each completion (the entry, then its phase) and one for the
        result of an operation that has one.
        """
        counted = [function.stats() for function in self.functions]
        self.result["models"] = counted
        wrote = sum(item["dma_writes"] - old["dma_writes"] for item, old in zip(counted, before))
        final = self.result["final"]
        wanted = 2 * final["done"] + sum(final[name] for name in ("copy", "fill", "deflate", "inflate"))
        self.check("the models carried out each operation once, on one side", wrote == wanted,
                   f"writes of the models {wrote}, of the operations that the guest saw {wanted}")
        self.check("no access of a model faulted", not any(item["dma_faults"] for item in counted), counted)

    def release(self):
        for function in self.bound:
            function.unbind()
        self.check("every function is unbound cleanly", not any(item.driver() for item in self.bound))
        noise = [line for guest in self.guests for line in guest.noise() if not HARMLESS.search(line)]
        self.check("QEMU complains about nothing", not noise, "; ".join(noise[:5]))

    def fail_to_leave(self, spare):
        """Migrations that end where they began. Return SPARE if it still waits."""
        if self.args.refuse:
            self.refuse(self.functions[-1])
        if self.args.firmware:
            self.refuse(self.functions[2], persona.FIRST_BYTE)
        if self.args.cancel:
            self.cancel(spare)
            spare = None
        return spare

    def rounds(self, pair, spare):
        for number in range(1, self.args.rounds + 1):
            target = spare or self.launch(pair[number % 2], "defer")
            spare = None
            self.round(number, target)

    def end(self, before):
        self.finish()
        self.ledger(before)

    def counted(self):
        return [function.stats() for function in self.functions]

    def run(self):
        self.bind()
        pair = self.functions[:2]
        tool = persona.Tool(self.args.tool)
        if self.args.firmware:
            pair = [self.functions[0], self.functions[2]]
            persona.views(self, tool, *pair)
            persona.files(self, tool, self.functions[1], self.args.map, self.args.run)
            self.say("personas: chosen, compared, installed and refused through vpvctl")
        before = self.counted()
        spare = self.launch(self.functions[1], "defer")
        self.boot()
        spare = self.fail_to_leave(spare)
        if self.args.firmware:
            self.end(before)
            self.part = "under a persona: "
            wrong = tool.choose(persona.NAME, *pair)
            self.check("two firmwares are given one persona", not wrong, wrong)
            before = self.counted()
            self.boot()
            persona.busy(self, tool, self.guest)
        self.rounds(pair, spare)
        self.end(before)
        self.release()

    def report_failure(self, error):
        self.result["error"] = str(error)
        print(f"L1 FAILED: {error}")
        for guest in self.guests:
            for kind in ("qemu", "console", "workload"):
                path = self.out / f"{guest.name}.{kind}"
                lines = path.read_text(errors="replace").splitlines()[-8:] if path.exists() else []
                for line in lines:
                    print(f"    | {path.name}: {line}")

    def close(self):
        for guest in self.guests:
            if guest.alive():
                guest.quit(10)
        if self.trace:
            self.trace.save(self.out / "trace")
        self.result["ok"] = "error" not in self.result and all(item["ok"] for item in self.checks)
        (self.out / "result.json").write_text(json.dumps(self.result, indent=1))
        return 0 if self.result["ok"] else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="migrations, back and forth")
    parser.add_argument("--cancel", action="store_true", help="first cancel a migration in pre-copy")
    parser.add_argument("--refuse", action="store_true",
                        help="the last function does not fit: try to migrate there first")
    parser.add_argument("--firmware", action="store_true", help="the third function has another firmware: a guest "
                        "is refused there, another one migrates there and back under a persona")
    parser.add_argument("--tool", default="/vpv/vpvctl")
    parser.add_argument("--map", default="/vpv/hisi_like-v1.map")
    parser.add_argument("--groups", dest="iommufd", action="store_false", default=Path("/dev/iommu").exists(),
                        help="open devices by group, though there is iommufd")
    parser.add_argument("--driver", default="vpv_hisi_like")
    parser.add_argument("--model", default="hisi_like")
    parser.add_argument("--devices", default="/vpv/devices")
    parser.add_argument("--modules", default="/vpv/modules")
    parser.add_argument("--payload", default="/vpv")
    parser.add_argument("--out", default="/vpv/out")
    parser.add_argument("--run", default="/run/e2e")
    parser.add_argument("--memory", type=int, default=160, help="MiB of a guest")
    parser.add_argument("--accel", default="kvm")
    parser.add_argument("--cpu", default="host")
    parser.add_argument("--workload", default="-q4,-n64", help="options of hsl_workload, with commas")
    parser.add_argument("--lead", type=int, default=200, help="operations before and after each step")
    parser.add_argument("--timeout", type=int, default=120, help="seconds that any one step may take")
    return parser.parse_args()


def interrupted(number, _frame):
    raise GuestError(f"ended by signal {number}")


def main():
    signal.signal(signal.SIGTERM, interrupted)
    session = Session(arguments())
    session.out.mkdir(parents=True, exist_ok=True)
    try:
        session.run()
    except ERRORS as error:
        session.report_failure(error)
    return session.close()


if __name__ == "__main__":
    sys.exit(main())
