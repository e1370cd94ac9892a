#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs in L1, with network functions (mlx5_like): provisions and binds them, boots a guest whose stock virtio-net driver
keeps TCP connections to the device's peer busy, migrates it live between functions of one device, and checks that no
byte got lost and no connection broke. What all runs share is in session.py.
"""

import sys

import controlling
import resets
from function import FunctionError, functions
from session import Tracked, main, parser

BARRIERS = (("source", "pre-copy-p2p", "stop-copy"), ("target", "running-p2p", "running"))


def _starts(side, state):
    """When each function came to STATE for the last time; None if it never did."""
    return [max((span["start"] for span in item["states"] if span["state"] == state and span["start"] > 0),
                default=None) for item in side["functions"]]


class Networks(Tracked):
    driver = "vpv_mlx5_like"
    model = "mlx5_like"
    modules = ("vpv_mlx5_ctrl", "vpv_mlx5_like")
    initrd = "net-initrd"
    workload = "-g20,-n4"
    passes = 2              # the device is sent in a first round, and in later ones what changed meanwhile

    def prepare(self):
        controlling.mount_configfs(controlling.DRIVER)
        self.devices = [controlling.Controlling(item).find(self.functions)
                        for item in functions(self.args.devices) if item.model == "mlx5_ctrl"]
        for device in self.devices:
            if len(device.functions) < 2 * self.args.functions:
                raise FunctionError(f"{device.function.bdf} controls {len(device.functions)} functions; "
                                    f"{2 * self.args.functions} are needed")
            device.provision(self.driver)

    # Checks of one migration

    def check_tracking(self, number, source, tracked):
        if not self.tracked:
            return
        self.check(f"round {number}: QEMU had the device track what it writes",
                   tracked == {function.bdf for function in source.functions}, tracked)
        warnings = [line for line in source.noise() if "dirty tracking" in line]
        self.check(f"round {number}: QEMU has no warning about dirty tracking", not warnings, warnings)

    def check_precopy(self, number, seen, incremental):
        sent = [sum(size for _, size in item["rounds"]) for item in seen["source"]["functions"]]
        rounds = [len(item["rounds"]) for item in seen["source"]["functions"]]
        seen["precopy"] = incremental
        seen["precopy_rounds"] = sum(rounds)
        seen["precopy_bytes"] = sum(sent)
        seen["first_bytes"] = sum(item["rounds"][0][1] for item in seen["source"]["functions"] if item["rounds"])
        seen["final_bytes"] = seen["state_bytes"] - sum(sent)
        if self.args.dialect == "v1":
            return      # QEMU 7.2 takes 1 MiB of a function in each pass over memory: no round need end
        if incremental:
            self.check(f"round {number}: the device is sent in several rounds while the guest runs",
                       all(count > 1 for count in rounds), rounds)
            self.check(f"round {number}: most of its state is sent before the guest is stopped",
                       seen["final_bytes"] < seen["first_bytes"] / 4, (seen["final_bytes"], seen["first_bytes"]))
        else:
            self.check(f"round {number}: firmware without incremental images sends all while the guest is stopped",
                       not any(rounds) and seen["final_bytes"] == seen["state_bytes"], rounds)

    def check_barriers(self, number, seen):
        """No function may go on to a state where others still expect it to answer."""
        for side, before, after in BARRIERS:
            first, then = _starts(seen[side], before), _starts(seen[side], after)
            held = None not in first + then and max(first) <= min(then)
            self.check(f"round {number}: all functions of the {side} are in {before} before one is in {after}", held,
                       (first, then))

    # A guest on one device

    def pair_of(self, device):
        count = self.args.functions
        there = [device.functions[number] for number in sorted(device.functions)]
        return [there[:count], there[count:2 * count]]

    def part_of(self, device, rounds, incremental=True):
        pair = self.pair_of(device)
        before = device.peer()
        spare = self.launch(pair[1], "defer")
        self.boot(pair[0])
        for number in range(1, rounds + 1):
            target = spare or self.launch(pair[number % 2], "defer")
            spare = None
            source, tracked = self.guest, set()

            def probe():
                tracked.update(bdf for bdf, flags in device.flags().items() if flags & controlling.TRACKER_ARMED)

            seen = self.round(number, target, probe)
            self.check_tracking(number, source, tracked)
            self.check_precopy(number, seen, incremental)
            if self.args.functions > 1:
                self.check_barriers(number, seen)
        self.finish()
        self.check_peer(device, before)

    def finish(self):
        final = super().finish()
        for name, key in (("lost", "lost"), ("repeated", "dup"), ("corrupted", "bad")):
            self.check(f"no record was {name}", final.get(key) == 0, final.get(key))
        self.check("no connection broke", final.get("broken") == 0, final.get("broken"))
        self.check("every record that was sent came back", final.get("sub") == final.get("done") > 0, final)
        self.check("a connection ran over each function", final.get("streams") == self.args.functions and
                   final.get("least", 0) > 0, final)
        self.result.setdefault("finals", []).append(final)
        self.say(f"workload stopped: {final.get('done')} records, all checked")

    def check_peer(self, device, before):
        after = device.peer()
        self.result["peer"] = after
        self.check("the peer saw one connection for each function", after["tcp_opened"] - before["tcp_opened"] ==
                   self.args.functions and after["tcp_dropped"] == before["tcp_dropped"], (before, after))

    def run(self):
        self.bind(2 * self.args.functions)
        self.part_of(self.devices[0], self.args.rounds)
        if self.args.compare:
            self.part = "without pre-copy: "
            self.part_of(self.devices[1], 1, incremental=False)
            self.part = ""
            most = max(seen["downtime_ms"] for seen in self.result["rounds"] if seen["precopy"])
            least = self.result["rounds"][-1]["downtime_ms"]
            self.check("pre-copy shortens the downtime", most < least, f"{most} ms with, {least} ms without")
        self.no_faults()
        if self.args.reset:
            resets.another(self, self.pair_of(self.devices[0]))
        self.release()


def arguments():
    options = parser(__doc__)
    options.add_argument("--functions", type=int, default=1, help="functions of a guest, migrated together")
    options.add_argument("--compare", action="store_true", help="the firmware of the second device has no incremental "
                         "images: migrate a guest there as well")
    return options


if __name__ == "__main__":
    sys.exit(main(Networks, arguments()))
