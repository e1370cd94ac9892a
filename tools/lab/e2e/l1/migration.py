# SPDX-License-Identifier: GPL-2.0
"""One migration between two QEMUs, watched from outside: states, bytes, stop and restart."""

import time

import kernel_view
from guest import GuestError
from qmp import QmpError

SAMPLE_S = 0.1
# The limit of the downtime is short until some passes over memory are done, so that there is a pre-copy to watch. Then it
# is QEMU's default where what a device writes is tracked, and long where it is not: QEMU takes all memory for dirty on
# each pass and never gets below a short limit.
SHORT_LIMIT_MS = 1
DEFAULT_LIMIT_MS = 300
LONG_LIMIT_MS = 60000
# The part of the time-out that a pre-copy with a short limit may take.
PATIENCE = 0.3
MAX_BANDWIDTH = 8 << 30
# So that pre-copy is still under way when it is disturbed.
SLOW = 8 << 20
CAPABILITIES = ("events", "return-path", "switchover-ack")
ENDS = ("completed", "failed", "cancelled")


def capabilities(*guests):
    """Those of CAPABILITIES that this QEMU has."""
    for guest in guests:
        known = {item["capability"] for item in guest.qmp.execute("query-migrate-capabilities")}
        wanted = [{"capability": name, "state": True} for name in CAPABILITIES if name in known]
        guest.qmp.execute("migrate-set-capabilities", capabilities=wanted)


def start(source, uri, bandwidth=MAX_BANDWIDTH):
    source.qmp.execute("migrate-set-parameters", max_bandwidth=bandwidth, downtime_limit=SHORT_LIMIT_MS)
    source.qmp.execute("migrate", uri=uri)


def _memory(info):
    """Bytes sent without those of device state."""
    return max(0, info.get("ram", {}).get("transferred", 0) - info.get("vfio", {}).get("transferred", 0))


def _bytes(guest, kind, old=None):
    """Device state of all functions of a guest; OLD has the sessions that were over before, by kind and function."""
    return sum(kernel_view.session_bytes(function.bdf, kind, old and old[kind][function.bdf]) for function in guest.functions)


def _sessions(source, target):
    return {kind: {function.bdf: kernel_view.session(function.bdf, kind) for function in guest.functions}
            for kind, guest in (("save", source), ("load", target))}


def _sample(began, info, source, target, old):
    return {"t": time.time() - began, "status": info.get("status", "none"),
            "ram": _memory(info),
            "saved": _bytes(source, "save", old), "loaded": _bytes(target, "load", old)}


def watch(source, target, began, timeout, until=ENDS, passes=1, probe=None, limit_ms=LONG_LIMIT_MS, old=None):
    """Sample both sides until the migration is over. Return (last query-migrate, samples).

    After PASSES passes over memory the source may stop the guest for LIMIT_MS, or after PATIENCE: QEMU begins no other pass while a
    function always has more to save than a short limit allows. PROBE is called for each sample.
    """
    samples = []
    limited = True
    while True:
        # QEMU does not answer while it saves devices of a guest that is stopped.
        info = source.qmp.execute("query-migrate", timeout)
        samples.append(_sample(began, info, source, target, old))
        if probe:
            probe()
        passed = info.get("ram", {}).get("dirty-sync-count", 0) > passes
        if limited and (passed or time.time() - began > timeout * PATIENCE):
            source.qmp.execute("migrate-set-parameters", downtime_limit=limit_ms)
            limited = False
        if info.get("status") in until:
            return info, samples
        if time.time() - began > timeout:
            ram = info.get("ram", {})
            raise GuestError(f"{source.name}: migration still '{info.get('status')}' after {timeout} s: {ram.get('dirty-sync-count')} passes, "
                             f"{ram.get('remaining')} bytes of memory and {info.get('vfio')} of functions to go, "
                             f"{info.get('expected-downtime')} ms of downtime expected")
        time.sleep(SAMPLE_S)


def linger(source, target, uri, timeout):
    """Start a migration that stays in pre-copy for a while. Return when it began."""
    capabilities(source, target)
    target.qmp.execute("migrate-incoming", uri=uri)
    began = time.time()
    start(source, uri, bandwidth=SLOW)
    watch(source, target, began, timeout, until=(*ENDS, "active"))
    time.sleep(1)
    return began


def spans(events, began, ended, first="running"):
    """[(time, state)] -> [{state, start, end}], relative to BEGAN; states before it count as one."""
    current, since, out = first, 0.0, []
    for stamp, state in sorted(events):
        at = stamp - began
        if at <= 0:
            current = state
            continue
        if state == current:
            continue
        out.append({"state": current, "start": since, "end": at})
        current, since = state, at
    out.append({"state": current, "start": since, "end": max(ended - began, since)})
    return out


def _function(bdf, states, trace, began, ended):
    return {"bdf": bdf, "states": spans(states, began, ended),
            "rounds": [[stamp - began, sent] for stamp, sent in trace.rounds(bdf, began)],
            "passes": trace.passes(bdf, began)}


def _side(guest, trace, began, ended):
    """What was seen of a guest. States and rounds are those of its first function; "functions" has them of each."""
    each = [_function(item.bdf, trace.states(item.bdf) or guest.qmp.states(), trace, began, ended)
            for item in guest.functions]
    return {"name": guest.name, "progress": guest.progress(began), **each[0], "functions": each}


def migrate(source, target, uri, timeout, lead_in, trace, passes=1, probe=None, limit_ms=LONG_LIMIT_MS):
    """Move the guest of SOURCE into TARGET, which waits for it at URI. Return what was seen."""
    capabilities(source, target)
    old = _sessions(source, target)
    target.qmp.execute("migrate-incoming", uri=uri)
    began = time.time()
    before = source.last()
    start(source, uri)
    info, samples = watch(source, target, began, timeout, passes=passes, probe=probe, limit_ms=limit_ms, old=old)
    over = time.time()
    if info["status"] != "completed":
        raise GuestError(f"migration {info['status']}: {info.get('error-desc', 'no reason given')}; "
                         f"{target.name} says: {target.qemu_log().strip()[-500:]}")
    running = _wait_running(target, timeout)
    after = target.wait_done(lead_in, timeout)
    ended = time.time()
    stopped, resumed = source.qmp.first("STOP", began), target.qmp.first("RESUME", began)
    return {
        "began": began,
        "seconds": over - began,
        "total_ms": info.get("total-time", 0),
        "downtime_ms": info.get("downtime", 0),
        "setup_ms": info.get("setup-time", 0),
        "ram_bytes": _memory(info),
        "qemu_bytes": info.get("vfio", {}).get("transferred", 0),
        "passes": info.get("ram", {}).get("dirty-sync-count", 0),
        "state_bytes": _bytes(source, "save"),
        "loaded_bytes": _bytes(target, "load"),
        "stopped": (stopped or over) - began,
        "resumed": (resumed or running) - began,
        "ended": ended - began,
        # Exact where the device counts operations: the source is stopped, later ones were completed by the destination.
        "done_source": source.functions[0].stats().get("ops_done", source.last().get("done", 0)),
        "done_before": before.get("done", 0),
        "done_after": after.get("done", 0),
        "samples": samples,
        "source": _side(source, trace, began, ended),
        "target": _side(target, trace, began, ended),
    }


def _wait_running(target, timeout):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if target.qmp.execute("query-status")["running"]:
            return time.time()
        time.sleep(0.02)
    raise GuestError(f"{target.name}: the guest does not run after the migration")


def cancel(source, target, timeout):
    try:
        source.qmp.execute("migrate_cancel")
    except QmpError as error:
        raise GuestError(f"migrate_cancel: {error}") from error
    return watch(source, target, time.time(), timeout)[0]["status"]
