# SPDX-License-Identifier: GPL-2.0
"""Two hosts with stock libvirt, whose functions have different firmware: what is done with them, and what has to come of it.

The demo and the test share it. What a domain is, and what a host does by itself, is in l1/.
"""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent / "l1"))

from guest import parse_report  # noqa: E402
from hosts_machine import PLACES, HostsError, Machine  # noqa: E402
from labkit import build, env, image  # noqa: E402
import run  # noqa: E402

VPVCTL = "/vpv/vpvctl"
# Folders of the payload with modules: those of the last release, and of this tree.
OLDER, NEWER = "older", "installed"
GUEST_S, MIGRATE_S = 300, 900
# Nothing tracks what these devices write, here where there is no iommufd, so that all of the guest's memory is sent while it is
# stopped: the limit of libvirt's migrations, 300 ms, would never be reached.
DOWNTIME_MS = 60000
RECORD_S = 2
# MiB/s: a migration that is still in its first pass when its host is killed.
SLOW = 2
# After a host has vanished libvirt on the other one notices by its keepalive messages: 5 of them, 5 s apart.
VANISH_S = 240
POLL_S = 1


def payload(kern, upgrade):
    """(folders, program of the models) of all hosts; for an UPGRADE, with the modules of the last release."""
    folders, models = run.prepare(kern, tools=True)
    installed = env.WORK / "installed-hosts"
    build.installed(kern, installed / "installed")
    # Two machines that boot at a time would make them twice.
    image.host_image(kern)
    image.disk_image("libvirt")
    return [*folders, installed, *([build.released(kern)] if upgrade else [])], models


class Hosts:
    """FAMILIES: whose functions the hosts have; what is done is done with those of one of them at a time. UPGRADE: the first host boots
    with the modules of the last release."""

    def __init__(self, families, kern, log, timeout, say, sink, upgrade=False):
        self.families, self.family = families, families[0]
        self.kern, self.log, self.timeout, self.say, self.sink = kern, Path(log), timeout, say, sink
        self.machines = []
        self.checks = []
        self.result = {"checks": self.checks, "rounds": [], "refused": {}, "finals": {}}
        self.functions = {}         # PCI address, by the names of the host and of the family
        self.sides = []             # what the functions that the guest has used have done
        self.certificates = {}      # texts, by the names of their files; keys, too
        self.payload, self.models = payload(kern, upgrade)
        self.upgrade = upgrade

    def check(self, name, held, detail=""):
        self.checks.append({"name": name, "ok": bool(held), "detail": str(detail)})
        if not held:
            self.say(f"NOT OK: {name}: {detail}")
        return held

    def done(self, name, seen, held=True):
        """The command of SEEN succeeded, and what it was to bring about is so."""
        return self.check(name, seen[0] == 0 and held, f"status {seen[0]}: {seen[1].strip()} {seen[2].strip()}")

    @staticmethod
    def wait(what, ask, timeout):
        """What ASK returns when that is true."""
        end = time.monotonic() + timeout
        while True:
            seen = ask()
            if seen:
                return seen
            if time.monotonic() > end:
                raise HostsError(f"{what}: not within {timeout} s")
            time.sleep(POLL_S)

    # Hosts

    def boot(self, *places):
        began = time.monotonic()
        booted = []
        for place in places:
            # A host that was killed may boot again.
            boots = sum(host.place is place for host in self.machines)
            log = self.log / (f"{place.name}-{boots + 1}" if boots else place.name)
            modules = OLDER if self.upgrade and place is PLACES[0] else NEWER
            booted.append(Machine(place, self.families, self.kern, self.payload, self.models, log, self.timeout, self.sink(place.name),
                                  modules))
            self.machines.append(booted[-1])
        for host in booted:
            host.wait_ready()
        self.say(f"{' and '.join(host.name for host in booted)}: libvirt runs after {time.monotonic() - began:.0f} s")
        for host in booted:
            self.settle(host)
            self.certify(host)
        return booted

    def settle(self, host):
        """The host's functions are given to our drivers, for domains that libvirt does not manage them for."""
        host.call("clock", now=time.time())
        host.call("provision")
        for family in self.families:
            bdf, = (bdf for bdf, model, _ in host.call("functions") if model == family.name)
            self.functions[host.name, family.name] = bdf
            self.done(f"{host.name}: vpvctl bind gives {bdf} to {family.driver}", host.run(VPVCTL, "bind", bdf),
                      self.driver(host, bdf) == family.driver)

    def certify(self, host):
        """What TLS takes, and when TCP gives up, by the commands of operating.rst; the first host makes all certificates, and they are
        copied from there."""
        files = {place: ("cacert.pem", f"{place.name}.pem", f"{place.name}-key.pem") for place in PLACES}
        if not self.certificates:
            host.script("operating.rst", "openssl req -x509")
            self.certificates = {file: host.must("cat", f"/root/{file}") for file in {*files[PLACES[0]], *files[PLACES[1]]}}
        for file in files[host.place]:
            host.must("sh", "-euc", 'umask 77; printf %s "$2" >"/root/$1"', "sh", file, self.certificates[file])
        host.script("operating.rst", "install -D -m 644 cacert.pem")
        host.script("operating.rst", "sysctl -w net.ipv4.tcp_retries2")

    def function(self, host):
        return self.functions[host.name, self.family.name]

    @staticmethod
    def driver(host, bdf):
        return next(driver for place, _, driver in host.call("functions") if place == bdf)

    def connect(self, source, target):
        seen = source.command(f"virsh -c qemu://{target.name}/system hostname")
        self.done(f"{source.name} reaches libvirt of {target.name} by TLS", seen, seen[1].strip() == target.name)
        source.must("sh", "-euc", "mkdir -p /root/stranger; cp /root/cacert.pem /root/stranger")
        for what, there in (("without TLS", f"qemu+tcp://{target.name}/system"),
                            ("without a certificate", f"qemu://{target.name}/system?pkipath=/root/stranger")):
            seen = source.virsh("-c", there, "hostname")
            self.check(f"{source.name} does not reach it {what}", seen[0] == 1 and not seen[1].strip(), seen)

    def compare(self, first, second):
        """What vpvctl says of the two hosts' descriptions."""
        files = []
        for host in (first, second):
            files.append(self.log / f"{host.name}-{self.family.name}.json")
            files[-1].write_text(host.must(VPVCTL, "describe", "--open", self.function(host)))
        return subprocess.run([build.vpvctl(), "compat", *files], capture_output=True, text=True, check=False)

    def persona(self, *hosts, name=""):
        name = name or self.family.persona
        for host in hosts:
            self.done(f"{host.name}: the function shows the persona {name}",
                      host.run(VPVCTL, "persona", "set", self.function(host), name))

    def turn(self, host):
        """What the function has done since this was asked before."""
        return host.call("turn", model=self.family.name, records=self.family.records)

    # Guests

    def start(self, host, name):
        file = host.call("domain", name=name, bdf=self.function(host), line=self.family.line, initrd=self.family.initrd,
                         memory=self.family.memory)
        self.turn(host)
        self.sides.clear()
        host.must("virsh", "-q", "create", file)
        self.progress(host, name, self.family.lead)
        self.say(f"{name}: runs on {host.name} and works with {self.function(host)}")

    @staticmethod
    def reports(host, name, kind):
        # A guest is stopped in the middle of a line, too, and goes on with it on the other host.
        whole = host.call("tail", name=name).rpartition("\n")[0]
        found = (parse_report(line) for line in whole.splitlines())
        return [seen[1] for seen in found if seen and seen[0] == kind]

    def finished(self, host, name):
        """Operations that the workload has reported on this host."""
        seen = self.reports(host, name, "progress")
        return seen[-1].get("done", 0) if seen else 0

    def progress(self, host, name, least, timeout=GUEST_S):
        """Wait for operations: how many there are then."""
        def ask():
            done = self.finished(host, name)
            return done if done >= least else 0
        return self.wait(f"{name} on {host.name}: {least} operations", ask, timeout)

    @staticmethod
    def domains(host):
        """{name: state} of all."""
        names = host.must("virsh", "-q", "list", "--all", "--name").split()
        return {name: host.virsh("domstate", name)[1].strip() for name in names}

    def finish(self, host, name):
        """Stop the workload and await the end of its guest: what it says of itself."""
        host.call("tell", name=name, text="stop\n")
        final = self.wait(f"{name}: the last report", lambda: self.reports(host, name, "final"), GUEST_S)[-1]
        self.wait(f"{name}: the end of the domain", lambda: name not in self.domains(host), GUEST_S)
        wrong = {key: final.get(key) for key in self.family.zeros if final.get(key) != 0}
        self.check(f"{name}: the guest found nothing wrong: {', '.join(self.family.zeros)}", final.get("ok") == 1 and not wrong, final)
        self.sides.append(self.turn(host))
        self.family.judge(self, name, final, self.sides)
        self.say(f"{name}: {final.get('done')} operations, all checked")
        return final

    # Migrations

    @staticmethod
    def background(host, *words, timeout=MIGRATE_S):
        """A command in a thread of its own: (the thread, a list that gets the result)."""
        seen = []

        def command():
            try:
                seen.append(host.run(*words, timeout=timeout))
            except HostsError as error:
                seen.append((-1, "", str(error)))
        thread = threading.Thread(target=command, daemon=True)
        thread.start()
        return thread, seen

    def begin(self, source, target, name, *words):
        line = f"virsh migrate --live --p2p --verbose {name} qemu://{target.name}/system"
        return self.background(source, *line.split(), *words)

    def underway(self, source, name, thread):
        """Wait until memory is sent; whether that came before the end."""
        def ask():
            text = source.virsh("domjobinfo", name)[1]
            found = re.search(r"^Memory processed:\s+([\d.]+)", text, re.M)
            return not thread.is_alive() or found and float(found.group(1)) > 0
        self.wait(f"{name}: a migration that sends memory", ask, MIGRATE_S)
        return thread.is_alive()

    def migrate(self, source, target, name):
        """What `virsh migrate` returned, with time for the guest to stop."""
        began = time.monotonic()
        thread, seen = self.begin(source, target, name)
        if self.underway(source, name, thread):
            source.command(f"virsh migrate-setmaxdowntime {name} {DOWNTIME_MS}")
        thread.join()
        return seen[0], time.monotonic() - began

    def move(self, source, target, name):
        """A migration that has to succeed."""
        before = self.finished(source, name)
        records = []
        for host in (source, target):       # the record of the source has to begin first
            records.append(self.background(host, VPVCTL, "record", "--once", self.function(host)))
            time.sleep(RECORD_S)
        self.turn(target)
        seen, seconds = self.migrate(source, target, name)
        self.sides.append(self.turn(source))
        self.done(f"{name}: virsh migrates it from {source.name} to {target.name}", seen)
        there, here = self.domains(target), self.domains(source)
        self.check(f"{name}: it runs on {target.name}, and on that host only", there.get(name) == "running" and name not in here,
                   f"{source.name}: {here}, {target.name}: {there}")
        last = self.finished(source, name)
        after = self.progress(target, name, last + self.family.lead)
        self.check(f"{name}: the workload ran before, during and after", 0 < before < last < after, (before, last, after))
        job = {key: " ".join(value.split()) for key, value in
               re.findall(r"^(.+?):\s+(.+)$", target.virsh("domjobinfo", "--completed", name)[1], re.M)}
        self.result["rounds"].append({"source": source.name, "target": target.name, "seconds": seconds, "done_source": last, "job": job,
                                      "picture": self.draw(records)})
        self.say(f"{name}: {source.name} -> {target.name} in {seconds:.0f} s; downtime {job.get('Total downtime', 'unknown')}")

    def draw(self, records):
        """The picture of what `vpvctl record` has seen on both hosts."""
        number = len(self.result["rounds"]) + 1
        files = [self.log / f"{side}-{number}.jsonl" for side in ("source", "destination")]
        for (thread, seen), file in zip(records, files):
            thread.join(GUEST_S)
            file.write_text(seen[0][1] if seen else "")
        picture = self.log / f"timeline-{number}.svg"
        drawn = subprocess.run([build.plot(), *files, "--output", picture], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               check=False)
        states = [set(re.findall(r'"state":\s*"(\w+)"', file.read_text())) for file in files]
        self.check(f"round {number}: vpvctl records the migration on both hosts, and draws it",
                   drawn.returncode == 0 and "STOP_COPY" in states[0] and "RESUMING" in states[1], f"{states} {drawn.stderr}")
        return str(picture)

    def goes_on(self, host, name, when):
        """The guest of a migration that failed."""
        last = self.finished(host, name)
        states = self.domains(host)
        self.check(f"{name}: it runs on {host.name} {when}", states.get(name) == "running", states)
        try:
            held, detail = self.progress(host, name, last + self.family.lead), ""
        except HostsError as error:
            held, detail = 0, error
        self.check(f"{name}: the workload goes on {when}", held > last, detail)

    def clean(self, host, when):
        """No domain and no QEMU stay on a host that was to get one."""
        try:
            self.wait(f"{host.name}: no domain", lambda: not self.domains(host), VANISH_S)
        except HostsError:
            pass                # the check has what is there
        left = self.domains(host)
        status, out, _ = host.run("pgrep", "-a", "qemu-system")
        self.check(f"{host.name}: no domain and no QEMU is left {when}", not left and status == 1, f"{left} {out}")
        driver = self.driver(host, self.function(host))
        self.check(f"{host.name}: {self.family.driver} has the function {when}", driver == self.family.driver, driver)

    def standing(self):
        """Where the processors of guests are, which may not answer any more, and their stacks."""
        for host in self.machines:
            for name in () if host.ended or host.killed else self.domains(host):
                ask = ("qemu-monitor-command", name, "--hmp")
                text = host.virsh(*ask, "info registers")[1]
                stack = re.search(r"RSP=(\w+)", text)
                lines = [line for line in text.splitlines() if "RIP=" in line]
                lines += host.virsh(*ask, f"x/32gx 0x{stack[1]}")[1].splitlines() if stack else []
                for line in lines:
                    self.say(f"{host.name}: {name}: {line}")

    def end(self):
        """Of all hosts: what is wrong with any of them."""
        complaints = []
        for host in self.machines:
            complaints += host.end()
        return complaints

    def abandon(self):
        for host in self.machines:
            host.kill()
        for host in self.machines:
            host.threads[0].join(60)
