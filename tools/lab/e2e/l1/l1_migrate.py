#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs in L1, with accelerators (hisi_like): binds the functions, boots a guest with a workload, migrates it live, and
checks that nothing got lost. What all runs share is in session.py.
"""

import sys

import asleep
import persona
import resets
from function import report_everything
from session import HARMLESS, UNTRACKED, Session, main, parser


class Accelerators(Session):
    driver = "vpv_hisi_like"
    model = "hisi_like"
    modules = ("vpv_hisi_like",)
    initrd = "guest-initrd"
    workload = "-q4,-n64"
    harmless = (*HARMLESS, UNTRACKED)

    def finish(self, word="stop"):
        final = super().finish(word)
        for name, key in (("lost", "lost"), ("duplicated", "dup"), ("corrupted", "bad"), ("failed", "fail")):
            self.check(f"no operation was {name}" if name != "failed" else "no operation failed",
                       final.get(key) == 0, final.get(key))
        self.check("every operation that was submitted is complete", final.get("sub") == final.get("done"), final)
        self.check("the device counts the operations that the guest counts",
                   final.get("device_done") == final.get("done"), final)
        self.check("no interrupt was lost", final.get("missed") == 0, final.get("missed"))
        self.say(f"workload stopped: {final.get('done')} operations, all checked")

    def ledger(self, before):
        """The models together must have written what the guest saw written, once.

        A model counts the writes of its life: two for each completion (the entry, then its phase) and one for the
        result of an operation that has one.
        """
        counted = self.counted()
        self.result["models"] = counted
        wrote = sum(item["dma_writes"] - old["dma_writes"] for item, old in zip(counted, before))
        final = self.result["final"]
        wanted = 2 * final["done"] + sum(final[name] for name in ("copy", "fill", "deflate", "inflate"))
        self.check("the models carried out each operation once, on one side", wrote == wanted,
                   f"writes of the models {wrote}, of the operations that the guest saw {wanted}")
        self.no_faults(before)

    def fail_to_leave(self, spare):
        """Migrations that end where they began. Return SPARE if it still waits."""
        if self.args.refuse:
            self.refuse(self.functions[-1:])
        if self.args.firmware:
            self.refuse(self.functions[2:3], persona.FIRST_BYTE)
        if self.args.cancel:
            self.cancel(spare)
            spare = None
        return spare

    def rounds(self, pair, spare):
        """From a group, where the container knows what to send again, to iommufd, where nobody does, and back."""
        for number in range(1, self.args.rounds + 1):
            by_iommufd = self.options.iommufd and number % 2 == 1
            if not spare:
                report_everything(by_iommufd)
                spare = self.launch([pair[number % 2]], "defer", by_iommufd)
            self.round(number, spare)
            spare = None

    def round(self, number, target, probe=None):
        before = self.config(f"round {number}, before")
        seen = super().round(number, target, probe)
        after = self.config(f"round {number}, after")
        self.check(f"round {number}: the guest finds config space as before", after == before, (before, after))
        return seen

    def config(self, when):
        """What the guest finds in the registers that it has set, which no VMM restores."""
        seen = self.guest.ask("config", "config", self.args.timeout)
        self.check(f"{when}: config space has what the guest has written", seen["kept"] == seen["there"] > 0, seen)
        return seen

    def end(self, before):
        self.finish()
        self.ledger(before)

    def end_by_resets(self, before):
        """The work of a guest is over; then its function is reset in pre-copy, by its driver, and with all of the guest.

        What the functions do from then on is not counted: work is thrown away.
        """
        self.finish("rest")
        self.ledger(before)
        self.part = "driver loaded again in pre-copy: "
        resets.by_driver(self, self.launch(self.functions[1:2], "defer", iommufd=False))
        self.check("the guest sees error masks of its function", "aer_mask" in self.config("after it"))
        self.part = "reset in pre-copy: "
        report_everything(self.options.iommufd)
        target = self.launch(self.functions[:1], "defer")
        report_everything(False)
        resets.by_machine(self, target)
        self.finish()

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
        report_everything(self.options.iommufd)
        spare = self.launch(self.functions[1:2], "defer")
        report_everything(False)
        self.boot(self.functions[:1], iommufd=False)
        spare = self.fail_to_leave(spare)
        if self.args.firmware:
            if self.args.reset:
                self.end_by_resets(before)
            else:
                self.end(before)
            self.part = "under a persona: "
            wrong = tool.choose(persona.NAME, *pair)
            self.check("two firmwares are given one persona", not wrong, wrong)
            before = self.counted()
            self.boot(self.functions[:1], iommufd=False)
            persona.busy(self, tool, self.guest)
        self.rounds(pair, spare)
        if self.args.pause:
            asleep.pause(self)
        self.end(before)
        self.release()


def arguments():
    options = parser(__doc__)
    options.add_argument("--cancel", action="store_true", help="first cancel a migration in pre-copy")
    options.add_argument("--refuse", action="store_true",
                         help="the last function does not fit: try to migrate there first")
    options.add_argument("--firmware", action="store_true", help="the third function has another firmware: a guest "
                         "is refused there, another one migrates there and back under a persona; only then there is --reset")
    options.add_argument("--pause", action="store_true", help="at last pause the guest while it has its function asleep")
    options.add_argument("--tool", default="/vpv/vpvctl")
    options.add_argument("--map", default="/vpv/hisi_like-v1.map")
    return options


if __name__ == "__main__":
    sys.exit(main(Accelerators, arguments()))
