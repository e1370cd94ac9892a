# SPDX-License-Identifier: GPL-2.0
"""One migration between two QEMUs, watched from outside: states, bytes, stop and restart."""

import time

import kernel_view
from guest import GuestError
from qmp import QmpError

SAMPLE_S = 0.1
# Nothing tracks what this device writes, so QEMU takes all memory for dirty on each pass and never gets below a short
# limit. The limit is short until PASSES passes are over, so that there is a pre-copy to watch, and long from then on.
SHORT_LIMIT_MS = 1
LONG_LIMIT_MS = 60000
PASSES = 1
MAX_BANDWIDTH = 8 << 30
CAPABILITIES = ("events", "return-path", "switchover-ack")
ENDS = ("completed", "failed", "cancelled")


def capabilities(*guests):
    wanted = [{"capability": name, "state": True} for name in CAPABILITIES]
    for guest in guests:
        guest.qmp.execute("migrate-set-capabilities", capabilities=wanted)


def start(source, uri, bandwidth=MAX_BANDWIDTH):
    source.qmp.execute("migrate-set-parameters", max_bandwidth=bandwidth, downtime_limit=SHORT_LIMIT_MS)
    source.qmp.execute("migrate", uri=uri)


def _sample(began, info, source, target):
    return {"t": time.time() - began, "status": info.get("status", "none"),
            "ram": info.get("ram", {}).get("transferred", 0),
            "saved": kernel_view.session_bytes(source.function.bdf, "save"),
            "loaded": kernel_view.session_bytes(target.function.bdf, "load")}


def watch(source, target, began, timeout, until=ENDS, passes=PASSES):
    """Sample both sides until the migration is over. Return (last query-migrate, samples).

    After PASSES passes over memory the source may stop the guest for as long as it takes.
    """
    samples = []
    limited = True
    while True:
        info = source.qmp.execute("query-migrate")
        samples.append(_sample(began, info, source, target))
        if limited and info.get("ram", {}).get("dirty-sync-count", 0) > passes:
            source.qmp.execute("migrate-set-parameters", downtime_limit=LONG_LIMIT_MS)
            limited = False
        if info.get("status") in until:
            return info, samples
        if time.time() - began > timeout:
            raise GuestError(f"{source.name}: migration still '{info.get('status')}' after {timeout} s")
        time.sleep(SAMPLE_S)


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


def _side(guest, trace, began, ended):
    states = trace.states(guest.function.bdf) or guest.qmp.states()
    return {"name": guest.name, "bdf": guest.function.bdf, "progress": guest.progress(began),
            "states": spans(states, began, ended)}


def migrate(source, target, uri, timeout, lead_in, trace):
    """Move the guest of SOURCE into TARGET, which waits for it at URI. Return what was seen."""
    capabilities(source, target)
    target.qmp.execute("migrate-incoming", uri=uri)
    began = time.time()
    before = source.last()
    start(source, uri)
    info, samples = watch(source, target, began, timeout)
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
        "ram_bytes": info.get("ram", {}).get("transferred", 0),
        "qemu_bytes": info.get("vfio", {}).get("transferred", 0),
        "state_bytes": kernel_view.session_bytes(source.function.bdf, "save"),
        "loaded_bytes": kernel_view.session_bytes(target.function.bdf, "load"),
        "stopped": (stopped or over) - began,
        "resumed": (resumed or running) - began,
        "ended": ended - began,
        # Exact, because the source is stopped: later ones were completed by the destination.
        "done_source": source.function.stats().get("ops_done", before.get("done", 0)),
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
