# SPDX-License-Identifier: GPL-2.0
"""One migration between two QEMUs, watched from outside: states, bytes, stop and restart."""

import time

from guest import GuestError
from qmp import QmpError

SAMPLE_S = 0.05
# Without dirty tracking all memory counts as dirty to the end, so the limit decides when pre-copy is over.
DOWNTIME_LIMIT_MS = 60000
MAX_BANDWIDTH = 8 << 30
ENDS = ("completed", "failed", "cancelled")


def capabilities(*guests):
    wanted = [{"capability": name, "state": True} for name in ("events", "return-path", "switchover-ack")]
    for guest in guests:
        guest.qmp.execute("migrate-set-capabilities", capabilities=wanted)


def start(source, uri, downtime_limit_ms=DOWNTIME_LIMIT_MS, bandwidth=MAX_BANDWIDTH):
    source.qmp.execute("migrate-set-parameters", max_bandwidth=bandwidth, downtime_limit=downtime_limit_ms)
    source.qmp.execute("migrate", uri=uri)


def _sample(began, info):
    ram, vfio = info.get("ram", {}), info.get("vfio", {})
    return {"t": time.time() - began, "status": info.get("status", "none"),
            "ram": ram.get("transferred", 0), "vfio": vfio.get("transferred", 0)}


def watch(source, began, timeout, until=ENDS, on_sample=None):
    """Sample the source until the migration is over. Return (last query-migrate, samples)."""
    samples = []
    while True:
        info = source.qmp.execute("query-migrate")
        samples.append(_sample(began, info))
        if on_sample:
            on_sample(samples[-1])
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


def migrate(source, target, uri, timeout, lead_in):
    """Move the guest of SOURCE into TARGET, which waits for it at URI. Return what was seen."""
    capabilities(source, target)
    target.qmp.execute("migrate-incoming", uri=uri)
    began = time.time()
    before = source.last()
    start(source, uri)
    info, samples = watch(source, began, timeout)
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
        "state_bytes": info.get("vfio", {}).get("transferred", 0),
        "stopped": (stopped or over) - began,
        "resumed": (resumed or running) - began,
        "ended": ended - began,
        "done_before": before.get("done", 0),
        "done_after": after.get("done", 0),
        "samples": samples,
        "source": {"name": source.name, "bdf": source.function.bdf, "progress": source.progress(began),
                   "states": spans(source.qmp.states(), began, ended)},
        "target": {"name": target.name, "bdf": target.function.bdf, "progress": target.progress(began),
                   "states": spans(target.qmp.states(), began, ended)},
    }


def _wait_running(target, timeout):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if target.qmp.execute("query-status")["running"]:
            return time.time()
        time.sleep(0.02)
    raise GuestError(f"{target.name}: the guest does not run after the migration")


def cancel(source, timeout):
    try:
        source.qmp.execute("migrate_cancel")
    except QmpError as error:
        raise GuestError(f"migrate_cancel: {error}") from error
    return watch(source, time.time(), timeout)[0]["status"]
