#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs in L1: stock libvirt and driverctl with functions of every family, which nobody has bound.

They are detached and given back by hand, given to domains, and in the end their drivers are taken away. Before that the first boot
overrides drivers with driverctl; with --again it is the boot after that, and the overrides are looked at.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import controlling
import persona
from domain import xml
from function import FunctionError, functions
from host import Host, HostError, install_modules, uninstall_module

GENERIC = "vpv_pci"
# Whose functions are given to a guest that uses them.
WORKLOAD = {"hisi_like": "work=-q4,-n64"}
GUEST_S, SETTLE_S = 240, 60


def node(function):
    """The name that libvirt gives to it."""
    return "pci_" + function.bdf.replace(":", "_").replace(".", "_")


class Run:
    def __init__(self, args):
        self.args = args
        self.out = Path(args.out)
        self.checks = []
        self.result = {"checks": self.checks}
        self.host = None
        self.families = {}

    def say(self, text):
        print(f"L1 {text}", flush=True)

    def check(self, name, held, detail=""):
        self.checks.append({"name": name, "ok": bool(held), "detail": str(detail)})
        self.say(f"{'ok' if held else 'NOT OK'}: {name}{'' if held else f': {detail}'}")
        return held

    def done(self, name, run, held=True, seen=""):
        """The command RUN succeeded, and what it was to bring about is so; SEEN is what there is instead."""
        return self.check(name, run.returncode == 0 and held, f"'{seen}', status {run.returncode}: {run.stdout} {run.stderr}")

    def binds(self, name, run, function, driver):
        return self.done(name, run, function.driver() == driver, function.driver())

    # Steps

    def start(self):
        self.folder = install_modules()
        for item in functions():
            if not item.model.endswith("_ctrl"):
                self.families.setdefault(item.model, []).append(item)
        self.host = Host(self.args.disk, self.out)
        self.host.prepare("/vpv/kept" if self.args.again else None)
        began = time.monotonic()
        self.host.boot()
        failed = [line.split()[0] for line in self.host.run("systemctl", "--failed", "--plain", "--no-legend").stdout.splitlines()]
        # A function of mlx5_like is nobody's before it is enabled; the driver_override stays for the time after that.
        early = [f"driverctl@pci-{self.families['mlx5_like'][1].bdf}.service"] if self.args.again else []
        self.check("systemd starts the host's services", failed == early, failed)
        self.say(f"the host is up after {time.monotonic() - began:.0f} s")
        self.provision()

    def provision(self):
        """What those who run the host have set up before: functions of mlx5_like are nobody's until then."""
        managing = [item for item in functions() if item.model == "mlx5_ctrl"]
        self.check("udev has loaded the drivers of controlling functions",
                   all(item.driver() == controlling.DRIVER for item in managing), [item.driver() for item in managing])
        controlling.mount_configfs(controlling.DRIVER)
        for item in managing:
            controlling.Controlling(item).find(self.families["mlx5_like"]).enable()

    def libvirt(self):
        run = self.host.virsh("version", "--daemon")
        if not self.done("libvirtd answers", run):
            raise HostError(run.stderr)
        self.say(" ".join(run.stdout.split("\n")))
        run = self.host.command("virsh nodedev-list --cap pci")
        missing = {node(item) for items in self.families.values() for item in items} - set(run.stdout.split())
        self.done("nodedev-list has every function", run, not missing, missing)

    def variant(self, family):
        """What is made for it: nothing, if it is QEMU's own."""
        return f"vpv_{family}" if family in self.families else "vfio-pci"

    def nodedev(self, family, function):
        """Detached with and without the name of a driver, reset, and given back."""
        before, name = function.driver(), node(function)
        for line, driver in ((f"virsh nodedev-detach {name}", self.variant(family)),
                             (f"virsh nodedev-detach {name} --driver {GENERIC}", GENERIC)):
            what = line.removeprefix("virsh ").replace(f" {name}", "")
            self.binds(f"{family}: {what} binds {driver}", self.host.command(line), function, driver)
            self.done(f"{family}: nodedev-reset of one that {driver} has", self.host.virsh("nodedev-reset", name))
            self.done(f"{family}: nodedev-reattach gives it back to '{before}'", self.host.command(f"virsh nodedev-reattach {name}"),
                      self.settles(function, before))
        self.binds(f"{family}: nodedev-reset of one that '{before}' has", self.host.virsh("nodedev-reset", name), function, before)

    @staticmethod
    def settles(function, driver):
        """udev may load the module first."""
        end = time.monotonic() + SETTLE_S
        while function.driver() != driver and time.monotonic() < end:
            time.sleep(0.2)
        return function.driver() == driver

    def domain(self, name, function, driver, line="", **more):
        """A domain with FUNCTION, which DRIVER has as long as the domain is there; paused, if there is no LINE for its kernel."""
        before = function.driver()
        file = self.out / f"{name}.xml"
        file.write_text(xml(function, name, line=line, **more))
        run = self.host.virsh("create", str(file), *([] if line else ["--paused"]))
        if not self.binds(f"{name}: the domain starts with {driver}", run, function, driver):
            self.host.virsh("destroy", name)
            return
        if line:
            self.works(name)
        self.done(f"{name}: destroy", self.host.virsh("destroy", name))
        self.check(f"{name}: the function goes back to '{before}'", self.settles(function, before), function.driver())

    def works(self, name):
        """The guest drives the function: its workload reports progress."""
        report = self.out / f"{name}.workload"
        end = time.monotonic() + GUEST_S
        while time.monotonic() < end:
            text = report.read_text(errors="replace") if report.exists() else ""
            if " progress " in text:
                break
            time.sleep(1)
        self.check(f"{name}: the guest works with the function", " progress " in text, text[-300:])

    def domains(self, family, function):
        variant = self.variant(family)
        self.domain(f"{family}-managed", function, variant, line=WORKLOAD.get(family, ""))
        self.domain(f"{family}-model", function, GENERIC, model=GENERIC)

    def overrides(self, family, function):
        variant = self.variant(family)
        run = self.host.command(f"driverctl set-override {function.bdf} {variant}")
        self.binds(f"{family}: driverctl set-override binds {variant}", run, function, variant)
        self.domain(f"{family}-unmanaged", function, variant, managed="no")
        self.domain(f"{family}-overridden", function, variant)

    def missing(self):
        """The last thing, since it takes modules away."""
        for family, items in self.families.items():
            uninstall_module(self.folder, f"vpv_{family}")
            run = persona.Tool("/vpv/vpvctl").run("doctor", items[0].bdf)
            self.check(f"{family}: doctor says that its driver has to be installed", "vpv-dkms" in run.stdout, run.stdout + run.stderr)

    def both(self):
        """What each libvirt is asked."""
        self.libvirt()
        for family, items in self.families.items():
            self.nodedev(family, items[0])
        for item in functions("/vpv/stock"):
            self.nodedev(item.model, item)
        for family, items in self.families.items():
            self.domains(family, items[0])

    def first(self):
        self.both()
        for family, items in self.families.items():
            self.overrides(family, items[1])
        self.host.overrides()
        self.missing()

    def again(self):
        """Nobody has said anything to this host since it booted: the overrides are those of the first boot."""
        for family, items in self.families.items():
            variant = self.variant(family)
            self.check(f"{family}: the override is there after a reboot", self.settles(items[1], variant), items[1].driver())
            self.check(f"{family}: the other function has none", items[0].driver() != variant, items[0].driver())
            self.unset(family, items[1], items[0].driver())
        self.both()
        self.missing()

    def unset(self, family, function, driver):
        """driverctl insists on another driver, and keeps the override if there is none, unless told that nobody is to be asked."""
        line = f"driverctl unset-override {function.bdf}" if driver else f"driverctl --noprobe unset-override {function.bdf}"
        self.done(f"{family}: {line.removesuffix(f' {function.bdf}')} gives it back to '{driver}'", self.host.command(line),
                  self.settles(function, driver))
        self.check(f"{family}: the override is gone", function.bdf not in self.host.run("driverctl", "list-persisted").stdout)

    def run(self):
        self.start()
        self.again() if self.args.again else self.first()

    def close(self):
        if self.host:
            self.host.end()
        (self.out / "result.json").write_text(json.dumps(self.result, indent=1))
        return 0 if "error" not in self.result and all(item["ok"] for item in self.checks) else 1


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--again", action="store_true", help="the boot after the first")
    options.add_argument("--disk", default="libvirt", help="the root of the host")
    options.add_argument("--out", default="/vpv/out")
    options.add_argument("--dialect", help="ignored")
    run = Run(options.parse_args())
    try:
        run.run()
    except (FunctionError, HostError, OSError, KeyError, IndexError) as error:
        run.result["error"] = str(error)
        run.say(f"FAILED: {error}")
    return run.close()


if __name__ == "__main__":
    sys.exit(main())
