# SPDX-License-Identifier: GPL-2.0
"""What happens to the guests of two hosts, in this order: refused and moved there and back, with functions of each family; left alone by
a destination that dies, and lost with a source that dies, before and after the guest is stopped.
"""

import re

from hosts import DOWNTIME_MS, SLOW, VANISH_S, VPVCTL
from hosts_machine import PLACES
from labkit.progress import LabError

# The first byte in which the two firmwares differ, the revision id, as the driver of the destination names it.
FIRST_BYTE = "config space at 0x008: expected 0x02, got 0x01"
ERRORS = (LabError, OSError, ValueError, KeyError, IndexError)


def reason(seen):
    """What virsh says behind its progress."""
    return " ".join(seen[2].partition("error: ")[2].split())


def failed(seen):
    """Has virsh itself given up?"""
    return seen[0] not in (0, 124, -1) and "error:" in seen[2]


def meet(hosts):
    first, second = hosts.boot(*PLACES)
    hosts.connect(first, second)
    hosts.connect(second, first)
    uuids = [re.findall(r"<uuid>(.*)</uuid>", host.command("virsh capabilities")[1])[:1] for host in (first, second)]
    hosts.check("the hosts have UUIDs of their own", all(uuids) and uuids[0] != uuids[1], uuids)
    return first, second


def refused(hosts, first, second):
    """Without a persona the hosts do not fit: the guest stays where it is."""
    name = f"{hosts.family.name}-refused"
    # Some families show one from the beginning.
    hosts.persona(first, second, name="default")
    said = hosts.compare(first, second)
    hosts.check("vpvctl compat says beforehand that the firmwares differ", said.returncode == 1 and "ids.revision" in said.stdout,
                said.stdout + said.stderr)
    hosts.start(first, name)
    seen, _ = hosts.migrate(first, second, name)
    hosts.result["refused"][hosts.family.name] = reason(seen)
    hosts.check("virsh migrate fails, and prints what QEMU says", failed(seen) and "load of migration failed" in seen[2], seen)
    lines = [line for line in second.call("log") if "refused" in line and hosts.function(second) in line]
    hosts.check("the kernel of the destination has one line that says what differs", len(lines) == 1 and FIRST_BYTE in lines[0], lines)
    hosts.goes_on(first, name, "after the refused migration")
    hosts.clean(second, "after the refused migration")
    hosts.finish(first, name)
    hosts.say(f"{name}: {reason(seen)}")


def moved(hosts, first, second, rounds):
    """Under a persona both hosts show the same."""
    name = f"{hosts.family.name}-moved"
    hosts.persona(first, second)
    said = hosts.compare(first, second)
    hosts.check(f"vpvctl compat: with {hosts.family.persona} the hosts fit", said.returncode == 0, said.stdout + said.stderr)
    hosts.start(first, name)
    for _ in range(rounds):
        hosts.move(first, second, name)
        first, second = second, first
    hosts.result["finals"][hosts.family.name] = hosts.finish(first, name)


def vanish(hosts, source, target, name, victim, stopped):
    """VICTIM is killed while memory is sent, or STOPPED: while the guest stands still for its state; a list with what virsh returned, if
    it did."""
    hosts.start(source, name)
    if stopped:
        hosts.done(f"{name}: virsh migrate-setmaxdowntime before the migration",
                   source.command(f"virsh migrate-setmaxdowntime {name} {DOWNTIME_MS}"))
        thread, seen = hosts.begin(source, target, name)
        came = source.call("reaches", bdf=hosts.function(source), state="stop-copy", timeout=VANISH_S)
        victim.kill()
        hosts.check(f"{name}: its function is in STOP_COPY when {victim.name} is killed", came and thread.is_alive(), seen)
    else:
        thread, seen = hosts.begin(source, target, name, "--bandwidth", str(SLOW))
        hosts.check(f"{name}: memory is sent when {victim.name} is killed", hosts.underway(source, name, thread), seen)
        victim.kill()
    thread.join(VANISH_S)
    return seen


def target_dies(hosts, first, second, stopped):
    """The destination vanishes: the guest has never left, or goes on where it stood still."""
    name = "kept-stopped" if stopped else "kept"
    hosts.persona(second)
    seen = vanish(hosts, first, second, name, second, stopped)
    hosts.check(f"{name}: virsh migrate fails when the destination has vanished, and says so", seen and failed(seen[0]), seen)
    hosts.say(f"{name}: {reason(seen[0]) if seen else 'virsh does not return'}")
    hosts.goes_on(first, name, "after its destination has vanished")
    hosts.finish(first, name)


def source_dies(hosts, source, target, stopped):
    """The source vanishes, and its guest with it: nothing of that is left on the destination."""
    lost, following = ("lost-stopped", "next-stopped") if stopped else ("lost", "next")
    when = f"after the source of {lost} has vanished"
    hosts.persona(source)
    vanish(hosts, source, target, lost, source, stopped)
    hosts.clean(target, when)
    hosts.start(target, following)
    final = hosts.finish(target, following)
    hosts.check(f"{target.name}: another guest uses the function {when}", final.get("done", 0) > 0, final)


def deaths(hosts, first, second):
    """Of the second host, as destination and as source, during pre-copy and when the guest is stopped."""
    one, other = hosts.families[0], hosts.families[-1]
    for hosts.family, dies, stopped in ((one, target_dies, False), (other, source_dies, False), (other, target_dies, True),
                                        (one, source_dies, True)):
        if second.killed:
            second, = hosts.boot(second.place)
            hosts.connect(second, first)
        source, target = (first, second) if dies is target_dies else (second, first)
        dies(hosts, source, target, stopped)


def unload(hosts, host):
    """No guest uses the functions of HOST: its drivers are removed, by the commands of operating.rst."""
    for family in hosts.families:
        bdf = hosts.functions[host.name, family.name]
        hosts.done(f"{host.name}: vpvctl unbind --no-probe {bdf}", host.run(VPVCTL, "unbind", "--no-probe", bdf),
                   not hosts.driver(host, bdf))
    for family in hosts.families:
        line = f"modprobe -r {' '.join(family.modules)}"
        hosts.done(f"{host.name}: {line}", host.command(line))
    hosts.done(f"{host.name}: modprobe -r vpv_config", host.command("modprobe -r vpv_config"))
    left = host.call("loaded")
    hosts.check(f"{host.name}: none of our modules is left", not left, left)


def everything(hosts, rounds, death):
    """DEATH: of either host, too. In the end the drivers of the first one, which never dies, are removed and loaded again."""
    first, second = meet(hosts)
    for hosts.family in hosts.families:
        refused(hosts, first, second)
        moved(hosts, first, second, rounds)
    if death:
        deaths(hosts, first, second)
        unload(hosts, first)
        hosts.settle(first)


def run(hosts, steps, *arguments):
    """STEPS of HOSTS, to whose checks goes what is wrong. Return the complaints of all hosts."""
    try:
        steps(hosts, *arguments)
        return hosts.end()
    except ERRORS as error:
        hosts.result["error"] = str(error)
        hosts.say(f"FAILED: {error}")
        try:
            hosts.standing()
        except ERRORS as more:
            hosts.say(str(more))
        return hosts.end()
    except BaseException:
        hosts.abandon()
        raise
