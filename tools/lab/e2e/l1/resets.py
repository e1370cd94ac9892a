# SPDX-License-Identifier: GPL-2.0
"""Functions that are reset while a migration is in pre-copy: with all of their guest, or by their guest's driver alone.

The sessions of the functions go on (migration.rst), and so does the migration.
"""

import time

import kernel_view
import migration


def _begin(session, target, name):
    return migration.linger(session.guest, target, session.uri(name), session.args.timeout)


def _go_on(session, target, began):
    """What the reset has left, and then the rest of the migration."""
    source = session.guest
    status = source.qmp.execute("query-migrate")["status"]
    left = [(kernel_view.state(item.bdf), kernel_view.session(item.bdf, "save")) for item in source.functions]
    session.check("a reset of the function in pre-copy leaves it there, and its session",
                  status == "active" and all(state == "pre-copy" and "result -115 " in line for state, line in left),
                  (status, left))
    source.qmp.execute("migrate-set-parameters", max_bandwidth=migration.MAX_BANDWIDTH)
    info, _ = migration.watch(source, target, began, session.args.timeout, limit_ms=session.limit_ms)
    session.check("the migration succeeds", info["status"] == "completed", info.get("error-desc", info["status"]))
    session.guest = target
    source.quit()


def by_machine(session, target):
    """The guest's machine is reset, as when the guest reboots: it boots on, or on the other side, and begins its work there."""
    source = session.guest
    source.qmp.execute("set-action", reboot="reset")
    began = _begin(session, target, "reset")
    booted = len(source.reports)
    source.qmp.execute("system_reset")
    time.sleep(2)
    session.check("the machine was reset", source.qmp.first("RESET", began), source.qmp.events[-5:])
    _go_on(session, target, began)
    if not any(kind == "start" for _, kind, _ in source.reports[booted:]):
        target.wait_report("the workload of the guest that was reset", lambda kind, _: kind == "start", session.args.timeout)
    target.wait_done(session.args.lead, session.args.timeout)
    session.say(f"{source.name}: reset in pre-copy; {target.name} has the guest that boots, and its workload runs")


def by_driver(session, target):
    """The guest's driver is loaded again, which resets the function by FLR; the guest goes on and is migrated."""
    source = session.guest
    began = _begin(session, target, "reload")
    source.ask("reload", "start", session.args.timeout)
    _go_on(session, target, began)
    target.wait_done(session.args.lead, session.args.timeout)
    session.check("the guest goes on, and was not reset", not source.qmp.first("RESET", began) and
                  not target.qmp.first("RESET", began), (source.qmp.events[-5:], target.qmp.events[-5:]))
    session.say(f"{source.name}: its driver was loaded again in pre-copy; {target.name} has the guest, which goes on")


def another(session, pair):
    """A guest of its own, which is reset: PAIR has the functions of both sides."""
    session.part = "reset in pre-copy: "
    target = session.launch(pair[1], "defer")
    session.boot(pair[0])
    by_machine(session, target)
    session.finish()
    session.part = ""
