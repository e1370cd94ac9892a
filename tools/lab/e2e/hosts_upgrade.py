# SPDX-License-Identifier: GPL-2.0
"""Two hosts of which one has the modules of the last release and the other one those of this tree: guests go there and back, and the
old one is upgraded while a guest is away, by the commands of Documentation/operating.rst.
"""

from hosts import NEWER
from hosts_steps import failed, meet, reason, unload


def releases(hosts, old, new):
    """That there are two."""
    builds = [host.call("loaded") for host in (old, new)]
    hosts.check(f"{old.name} and {new.name} have loaded modules of two builds", all(builds) and builds[0] != builds[1], builds)


def back(hosts, new, old, name, fits):
    """From this tree to the release, if the formats say so; whether the guest is there."""
    if fits:
        hosts.move(new, old, name)
        return True
    seen, _ = hosts.migrate(new, old, name)
    hosts.check(f"{name}: what does not fit is refused", failed(seen), seen)
    hosts.goes_on(new, name, f"after {old.name} has refused it: {reason(seen)}")
    return False


def upgrade(hosts, host, like):
    """No guest uses the functions of HOST, which becomes LIKE another one."""
    before = host.call("loaded")
    host.call("replace", new=NEWER)
    hosts.check(f"{host.name}: what is loaded stays loaded when modules are installed", host.call("loaded") == before, before)
    unload(hosts, host)
    hosts.settle(host)
    now, wanted = host.call("loaded"), like.call("loaded")
    hosts.check(f"{host.name}: all modules are those of {like.name}", now == wanted, (now, wanted))


def everything(hosts):
    """The guests of all families; the last one is away while its host is upgraded."""
    old, new = meet(hosts)
    releases(hosts, old, new)
    for hosts.family in hosts.families:
        name = f"{hosts.family.name}-kept"
        hosts.persona(old, new)
        said = hosts.compare(old, new)
        hosts.check(f"{hosts.family.name}: vpvctl compat: the release can be left", said.returncode == 0, said.stdout + said.stderr)
        said = hosts.compare(new, old)
        hosts.say(f"{hosts.family.name}: vpvctl compat, back to the release: {said.stdout.strip()}")
        hosts.start(old, name)
        hosts.move(old, new, name)
        home = back(hosts, new, old, name, said.returncode == 0)
        if hosts.family is not hosts.families[-1]:
            hosts.result["finals"][hosts.family.name] = hosts.finish(old if home else new, name)
    if home:
        hosts.move(old, new, name)
    upgrade(hosts, old, new)
    hosts.persona(old)
    hosts.move(new, old, name)
    hosts.result["finals"][hosts.family.name] = hosts.finish(old, name)
