#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs in L1, with controllers of two NVM subsystems that share a disk (nvme_cf): gives both the same identity, boots a guest
whose stock nvme driver has ext4 on it and fio that verifies what it reads, migrates it live from one subsystem to the other
and back, and checks that the guest noticed nothing. What all runs share is in session.py.
"""

import sys

import limits
import persona
import profiles
import resets
from function import FunctionError, functions
from session import Tracked, main, parser

PERSONA = "nvme_cf-v1"
VIEWS = ("ctrl", "ns", "desc", "eui", "nguid", "config")
WINDOW_S = 10           # of I/O before a migration, to compare


def rate(points, begin, end):
    """I/O a second between two moments, of [(time, I/O completed)]; None if there are no two reports."""
    inside = [(at, done) for at, done in points if begin <= at <= end]
    if len(inside) < 2 or inside[-1][0] == inside[0][0]:
        return None
    return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])


class Disks(Tracked):
    driver = "vpv_nvme_cf"
    model = "nvme_cf"
    modules = (profiles.DRIVER, "vpv_nvme_cf")
    initrd = "nvme-initrd"
    workload = "-s16,-q16,-b64"
    passes = 2

    # Before the guest

    def prepare(self):
        """The managing controllers first, then an identity: a function is offered to VFIO when it has one."""
        managing = [item for item in functions(self.args.devices) if item.model == profiles.MODEL]
        if len(managing) < 2:
            raise FunctionError("two NVM subsystems are needed")
        self.profiles = {}
        for item in managing:
            item.give(profiles.DRIVER)
            self.profiles |= profiles.provision(item, self.functions, self.driver)
        self.check("both managing controllers have their driver", all(item.driver() == profiles.DRIVER for item in managing))

    def show_persona(self, functions):
        """What vpvctl says of those that refuse it."""
        return persona.Tool(self.args.tool).choose(PERSONA, *functions) if self.args.firmware else ""

    def choose_persona(self, pair):
        if not self.args.firmware:
            return
        for name, what in (("revision", "different firmware"), ("subsystem_vendor", "boards of different vendors")):
            ids = [(item.sysfs / name).read_text().strip() for item in pair]
            self.check(f"the subsystems have {what}", ids[0] != ids[1], ids)
        wrong = self.show_persona(pair)
        self.check("both are given the same persona", not wrong, wrong)

    def give(self, function, values):
        """Another profile, of a function that nobody uses."""
        folder = self.profiles[function.bdf]
        function.unbind()
        function.reserve(self.driver)
        (folder / "enable").write_text("0")
        for name, value in values.items():
            (folder / name).write_text(str(value))
        (folder / "enable").write_text("1")
        function.bind(self.driver)
        self.show_persona([function])

    # What the guest sees

    def look(self, guest, when):
        """Everything that identifies the controller, read in the guest."""
        seen = guest.ask("look", "look", self.args.timeout)
        self.check(f"{when}: Identify, the ids of the namespace and config space can be read, and are the same bytes",
                   seen["same"] == seen["views"] == len(VIEWS), seen)
        first = self.result.setdefault("look", {name: seen[name] for name in VIEWS})
        self.check(f"{when}: their checksums are those of the first look",
                   first == {name: seen[name] for name in VIEWS}, (first, seen))

    # One migration

    def measure(self, seen, source, target):
        """IOPS before, during and after."""
        before = [(at, values["sub"]) for at, kind, values in source.reports if kind == "progress"]
        after = [(at, values["sub"]) for at, kind, values in target.reports if kind == "progress"]
        began = seen["began"]
        seen["iops"] = {
            "before": rate(before, began - WINDOW_S, began),
            "during": rate(before, began, began + seen["stopped"]),
            "after": rate(after, began + seen["resumed"], began + seen["ended"]),
        }

    def move(self, number, target):
        source = self.guest
        self.look(source, f"round {number}, before")
        done = source.last().get("done", 0)
        if self.args.blocks:
            source.wait_report(f"{self.args.blocks} verified blocks",
                               lambda kind, values: kind == "progress" and
                               values["done"] >= done + self.args.blocks, self.args.timeout)
        seen = self.round(number, target)
        self.measure(seen, source, target)
        self.look(target, f"round {number}, after")
        verified = target.last().get("done", 0) - done
        seen["verified"] = verified
        self.check(f"round {number}: more than {self.args.blocks} blocks were verified", verified > self.args.blocks,
                   verified)

    # The end

    def finish(self):
        final = super().finish()
        for name, key in (("no I/O failed and no block had other content", "errors"),
                          ("the guest's kernel does not complain", "complaints"),
                          ("fsck finds the file system clean", "fsck")):
            self.check(name, final.get(key) == 0, final.get(key))
        # Where each block was written, all are read once more: most of them were written before the last migration.
        if final.get("written", 0) >= final.get("blocks", 0):
            self.check("all of the file is what was written, on whichever side", final.get("whole") == final.get("blocks"), final)
        self.check("what was written was verified", 0 < final.get("verified", 0) <= final.get("written", 0), final)
        self.check("the controller and its disk kept their identity", final.get("same") == 1, final)
        self.say(f"workload stopped: {final.get('written')} blocks written, {final.get('verified')} verified")
        return final

    def ledger(self):
        counted = self.counted()
        self.result["models"] = counted
        self.check("no subsystem touched the disk without its lock", not any(item["unlocked_writes"] for item in counted),
                   counted)

    def flip(self, function):
        """To see that a wrong byte is found: one that the model changes makes the workload fail."""
        self.boot([function])
        before = self.guest.last().get("done", 0)
        function.control("fault flip fail skip=100 count=5")
        self.guest.wait_report("what fio says of the byte", lambda kind, _: kind == "log", self.args.timeout)
        final = self.guest.ask("stop", "final", self.args.timeout)
        self.guest.wait(self.args.timeout)
        self.check("a byte that the model changes makes the run fail", final.get("ok") == 0 and final.get("errors", 0) > 0,
                   (before, final))
        function.control("fault clear")
        self.guest.reports.clear()
        self.say(f"a changed byte was found: {final}")

    def run(self):
        self.bind()
        pair = self.functions[:2]
        self.choose_persona(pair)
        limits.check(self, persona.Tool(self.args.tool), pair, self.give, self.profiles)
        if self.args.flip:
            self.flip(pair[0])
        spare = self.launch([pair[1]], "defer") if self.args.rounds else None
        self.boot([pair[0]])
        for number in range(1, self.args.rounds + 1):
            target = spare or self.launch([pair[number % 2]], "defer")
            spare = None
            self.move(number, target)
        self.finish()
        self.no_faults()
        if self.args.reset:
            resets.another(self, [pair[:1], pair[1:]])
        self.ledger()
        self.release()


def arguments():
    options = parser(__doc__)
    options.set_defaults(memory=256)        # fio needs many libraries
    options.add_argument("--blocks", type=int, default=0, help="verified before each migration, at least")
    options.add_argument("--firmware", action="store_true", help="the subsystems have different firmware: use a persona")
    options.add_argument("--flip", action="store_true", help="first see that a byte that the model changes is found")
    options.add_argument("--tool", default="/vpv/vpvctl")
    return options


if __name__ == "__main__":
    sys.exit(main(Disks, arguments()))
