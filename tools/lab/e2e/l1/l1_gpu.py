#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs in L1, with functions whose memory CPUs cache (coherent_gpu): binds them, boots a guest in which the function and CPUs
write that memory and check what the other one has written, migrates it live, and checks that no byte got lost. What all
runs share is in session.py.
"""

import sys
from pathlib import Path

import resets
from session import HARMLESS, UNTRACKED, Session, main, parser

DEBUGFS = Path("/sys/kernel/debug/vpv_core")
FAULTS = ("fault_page", "fault_pmd", "fault_pud")
SPEEDS = ("touch", "own_touch", "write", "own_write", "read", "own_read")
MIB = 1 << 20


def faults(function):
    """Pages of the function's BARs that were mapped, by their size."""
    words = dict(line.split() for line in (DEBUGFS / function.bdf / "counters").read_text().splitlines())
    return {name: int(words[name]) for name in FAULTS}


class Compute(Session):
    driver = "vpv_coherent_gpu"
    model = "coherent_gpu"
    modules = ("vpv_coherent_gpu",)
    initrd = "gpu-initrd"
    # Of 256 MiB CPUs and the function rewrite the same 16, and the function a little of the rest, one part after the other.
    workload = "-m256,-w16,-x0,-y1"
    passes = 3              # all of the memory is sent by the first, and then what was written meanwhile
    # The memory is given to no other device (coherent_gpu.rst).
    harmless = (*HARMLESS, UNTRACKED, r"BAR \d+: dma-buf unavailable, using mmap fallback, P2P DMA will not work")

    def prepare(self):
        (DEBUGFS / "counting").write_text("1")

    def check_precopy(self, number, seen, precopy):
        source = seen["source"]
        sent = [size for _, size in source["rounds"]]
        seen["precopy"] = precopy
        seen["precopy_sizes"] = sent
        seen["passes"] = source["passes"]
        seen["final_bytes"] = seen["state_bytes"] - sum(sent)
        # In STOP_COPY QEMU saves what else there is as well.
        stopped = [span["end"] - span["start"] for span in source["states"] if span["state"] == "stop-copy"]
        seen["stop_copy_s"] = sum(stopped)
        if precopy:
            self.check(f"round {number}: CPUs and the function write pages that were sent",
                       all(sum(item[who] for item in seen["passes"]) for who in ("cpu", "device")), seen["passes"])
            self.check(f"round {number}: memory is sent in several rounds while the guest runs", len(sent) > 1, sent)
            self.check(f"round {number}: most of it is sent before the guest is stopped",
                       seen["final_bytes"] < seen["state_bytes"] / 4, (seen["final_bytes"], seen["state_bytes"]))
        else:
            self.check(f"round {number}: a function without a log has all of it sent while the guest is stopped",
                       not sent and seen["final_bytes"] == seen["state_bytes"], sent)

    def check_stores(self):
        """AVX is one of the kinds of store by which CPUs write: without it the workload would take SSE."""
        found = next((values for _, kind, values in self.guest.reports if kind == "start"), {})
        self.check("CPUs of the guest store with AVX, too", found.get("avx") == 1, found)

    def check_speed(self):
        """What it costs a guest to touch and to stream this memory, which the workload measures first."""
        found = next((values for _, kind, values in self.guest.reports if kind == "speed"), {})
        found["faults"] = faults(self.guest.functions[0])
        self.check("the guest says what touching and streaming the memory costs", all(found.get(name) for name in SPEEDS), found)
        self.result.setdefault("speeds", []).append(found)

    def part_of(self, pair, rounds, precopy=True):
        spare = self.launch([pair[1]], "defer")
        self.boot([pair[0]])
        self.check_speed()
        self.check_stores()
        for number in range(1, rounds + 1):
            target = spare or self.launch([pair[number % 2]], "defer")
            spare = None
            source, function = self.guest, self.guest.functions[0]
            before = faults(function)
            seen = self.round(number, target)
            after = faults(function)
            seen["faults"] = {name: after[name] - before[name] for name in FAULTS}
            seen["saving_s"] = source.saving_s()
            seen["dirtied_mib"] = sum(source.last().get(name, 0) for name in ("cpu_mib", "written_mib"))
            self.check_precopy(number, seen, precopy)
        self.finish()

    def finish(self):
        final = super().finish()
        self.check("no result of the function was wrong", final.get("bad") == 0 and final.get("checks", 0) > 0, final)
        self.check("nothing that CPUs wrote was lost", final.get("cpu_bad") == 0 and final.get("cpu_rounds", 0) > 0, final)
        self.check("the device counts the commands that the guest counts",
                   final.get("device_done") == final.get("done") and final.get("device_failed") == 0, final)
        self.check("no interrupt was lost", final.get("missed") == 0, final.get("missed"))
        self.result.setdefault("finals", []).append(final)
        self.say(f"workload stopped: {final.get('done')} commands, {final.get('cpu_mib')} MiB written by CPUs, all checked")

    def run(self):
        self.bind(4 if self.args.compare else 2)
        self.part_of(self.functions[:2], self.args.rounds)
        if self.args.compare:
            self.part = "without pre-copy: "
            self.part_of(self.functions[2:4], 1, precopy=False)
            self.part = ""
            self.compare()
        self.no_faults()
        if self.args.reset:
            resets.another(self, [self.functions[:1], self.functions[1:2]])
        counted = self.counted()
        self.check("nobody touched the memory before it was ready", not any(item["early_pages"] for item in counted), counted)
        self.release()

    def compare(self):
        """Bytes of the function in STOP_COPY, and how long QEMU reads them, next to those without pre-copy."""
        *rounds, without = self.result["rounds"]
        share = self.args.compare
        for name, key in (("bytes", "final_bytes"), ("time", "saving_s")):
            most, all_of_it = max(seen[key] for seen in rounds), without[key]
            self.check(f"pre-copy leaves at most {share} for STOP_COPY: {name}", most <= share * all_of_it, (most, all_of_it))
            self.say(f"STOP_COPY, {name}: {most:.4g} with pre-copy, {all_of_it:.4g} without: {most / all_of_it:.3f}")
        dirtied = [seen["dirtied_mib"] for seen in rounds]
        self.check("as much as all of the memory was written before", min(dirtied) * MIB >= without["final_bytes"] - MIB, dirtied)


def arguments():
    options = parser(__doc__)
    options.add_argument("--compare", type=float, metavar="SHARE", help="two further functions have no log: migrate a guest there as well; "
                         "pre-copy may leave this share of its bytes and its time for STOP_COPY")
    return options


if __name__ == "__main__":
    sys.exit(main(Compute, arguments()))
