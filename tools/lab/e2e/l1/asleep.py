# SPDX-License-Identifier: GPL-2.0
"""A guest that is paused and goes on, without a migration, while it has its function asleep (D3hot) with work in it."""

import time

import kernel_view

SETTLED_S = 5


def _power(function):
    return (function.sysfs / "power_state").read_text().strip()


def _becomes(value, wanted):
    end = time.monotonic() + SETTLED_S
    while value() != wanted and time.monotonic() < end:
        time.sleep(0.05)
    return value()


def pause(session):
    """QEMU resets a function whose state change fails, even here: what the guest has given it to do would be gone."""
    guest, timeout = session.guest, session.args.timeout
    function = guest.functions[0]
    began = time.time()
    seen = guest.ask("sleep", "power", timeout)
    session.check("the guest puts its function to sleep, with work in it",
                  seen["d"] == 3 and seen["sub"] > seen["done"] and _power(function) == "D3hot", (seen, _power(function)))
    guest.qmp.execute("stop", timeout)
    state, noise = kernel_view.state(function.bdf), session.noise(guest)
    session.check("the guest is paused while its function is asleep, and QEMU does not complain",
                  state == "stop" and guest.qmp.execute("query-status")["status"] == "paused" and not noise, (state, noise))
    guest.qmp.execute("cont", timeout)
    state = _becomes(lambda: kernel_view.state(function.bdf), "running")
    session.check("it goes on, and finds the function asleep", state == "running" and
                  _becomes(lambda: _power(function), "D3hot") == "D3hot", (state, _power(function)))
    awake = guest.ask("wake", "power", timeout)
    session.check("the guest wakes it", awake["d"] == 0 and _power(function) == "D0", (awake, _power(function)))
    session.go_on("after the pause", guest)
    session.say(f"{guest.name}: paused with its function in D3hot, {time.time() - began:.1f} s; nothing was lost")
