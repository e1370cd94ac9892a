# SPDX-License-Identifier: GPL-2.0
"""The tables at the end of the demo, as lines of text: one for each migration, and what came of the workload."""

STATES = ("running", "running-p2p", "pre-copy", "pre-copy-p2p", "stop", "stop-copy", "resuming", "error")
MIB = 1 << 20
OPERATIONS = (("submitted", "sub"), ("completed", "done"), ("lost", "lost"), ("duplicated", "dup"), ("corrupted", "bad"),
              ("failed", "fail"), ("interrupts lost", "missed"))


def _row(name, value):
    return f"  {name:<48}{value:>24}"


def _mib(size):
    return f"{size / MIB:.1f} MiB"


def _millis(seconds):
    return "" if seconds is None else f"{seconds * 1000:.1f} ms"


def _state_seconds(side):
    """{state: seconds} in the order of their first appearance."""
    spent = {}
    for span in side["states"]:
        spent[span["state"]] = spent.get(span["state"], 0) + span["end"] - span["start"]
    return spent


def _states(seen):
    source, target = _state_seconds(seen["source"]), _state_seconds(seen["target"])
    lines = [f"  {'time in each state':<24}{'source':>24}{'destination':>24}"]
    for state in sorted({*source, *target}, key=lambda name: STATES.index(name) if name in STATES else 99):
        lines.append(f"    {state:<22}{_millis(source.get(state)):>24}{_millis(target.get(state)):>24}")
    return lines


def _migration(title, seen, rows):
    rows = [
        ("total time", f"{seen['total_ms'] / 1000:.2f} s"),
        ("downtime (QEMU's figure)", f"{seen['downtime_ms']} ms"),
        ("memory sent", _mib(seen["ram_bytes"])),
        *rows,
    ]
    return ["", f"{title}: {seen['source']['bdf']} -> {seen['target']['bdf']}", *(_row(*row) for row in rows),
            *_states(seen)]


def _final(title, final, rows):
    return ["", title, *(_row(name, final.get(key, "unknown")) for name, key in rows)]


def accelerators(result):
    lines, final, rounds = [], result.get("final", {}), result["rounds"]
    marks = [seen["done_source"] for seen in rounds] + [final.get("done", 0)]
    for number, seen in enumerate(rounds, 1):
        lines += _migration(f"Round {number}", seen, [
            ("device state, saved and loaded", f"{seen['state_bytes']} and {seen['loaded_bytes']} bytes"),
            ("operations completed before the switch", seen["done_source"]),
            ("operations completed after it", marks[number] - marks[number - 1]),
        ])
    return lines + _final_operations(final)


def _network_rows(seen):
    rounds = seen["precopy_rounds"]
    later = seen["precopy_bytes"] - seen["first_bytes"]
    return [
        ("device state, saved and loaded", f"{_mib(seen['state_bytes'])} and {_mib(seen['loaded_bytes'])}"),
        ("rounds of pre-copy of the device", rounds),
        ("  sent by the first", _mib(seen["first_bytes"])),
        (f"  dirty, sent by the {rounds - 1} later ones" if rounds > 1 else "  dirty, sent by later ones", _mib(later)),
        ("  sent while the guest was stopped", _mib(seen["final_bytes"])),
        ("records back before the switch", seen["done_source"]),
    ]


def networks(result):
    lines, rounds = [], result["rounds"]
    for number, seen in enumerate(rounds, 1):
        title = f"Round {number}" if seen["precopy"] else "Firmware without incremental images: no pre-copy"
        lines += _migration(title, seen, _network_rows(seen))
    for final, title in zip(result.get("finals", []), ("TCP connection of the first guest", "and of the second")):
        lines += _final(f"{title}, checked end to end", final, (
            ("records of 1024 bytes, sent", "sub"), ("back", "done"), ("lost", "lost"), ("repeated", "dup"),
            ("corrupted", "bad"), ("connections that broke", "broken"), ("segments that TCP sent again", "resent")))
    downtimes = {kind: [seen["downtime_ms"] for seen in rounds if seen["precopy"] == kind] for kind in (True, False)}
    if downtimes[True] and downtimes[False]:
        lines += ["", "Downtime", _row("with pre-copy", f"{downtimes[True][0]} ms"),
                  _row("without", f"{downtimes[False][0]} ms")]
    return lines


ROUNDS_SHOWN = 4
PAGES = ("sent", "zeros", "cpu", "device")


def _pass_rows(passes):
    """Of each pass how many pages it sent; the last one is that of STOP_COPY, and those before it may be many."""
    first, rest, last = passes[:-1][:ROUNDS_SHOWN], passes[:-1][ROUNDS_SHOWN:], passes[-1:]
    shown = [(f"  pass {number}", item) for number, item in enumerate(first, 1)]
    if rest:
        shown.append((f"  {len(rest)} further passes", {name: sum(item[name] for item in rest) for name in PAGES}))
    shown += [("  in STOP_COPY", item) for item in last]
    return [("pages sent, zeros, written by CPUs, by function", ""),
            *((name, " ".join(f"{value:>5}" for value in (item["sent"] - item["zeros"], *(item[key] for key in PAGES[1:]))))
              for name, item in shown)]


def _compute_rows(seen):
    sizes = seen["precopy_sizes"]
    rest = sizes[ROUNDS_SHOWN:]
    return [
        ("device state, saved and loaded", f"{_mib(seen['state_bytes'])} and {_mib(seen['loaded_bytes'])}"),
        *((f"  sent by round {number} of pre-copy", _mib(size)) for number, size in enumerate(sizes[:ROUNDS_SHOWN], 1)),
        *([(f"  sent by {len(rest)} further rounds", _mib(sum(rest)))] if rest else []),
        ("  sent while the guest was stopped", _mib(seen["final_bytes"])),
        ("  QEMU has read that in", _millis(seen["saving_s"])),
        ("time in STOP_COPY, with all that QEMU saves", _millis(seen["stop_copy_s"])),
        ("MiB that CPUs and the function wrote before", seen["dirtied_mib"]),
        *_pass_rows(seen["passes"]),
        *((f"faults that mapped {name}", seen["faults"][key])
          for name, key in (("4 KiB", "fault_page"), ("2 MiB", "fault_pmd"), ("1 GiB", "fault_pud"))),
        ("commands completed before the switch", seen["done_source"]),
    ]


def _speed_rows(seen):
    """Of a guest's memory: BAR 2, the guest's own, and the ratio of the times."""
    mib = seen["kib"] >> 10
    rows = [(f"{name}, {mib} MiB of BAR 2, own memory", f"{seen[key] / 1000:.1f}, {seen[f'own_{key}'] / 1000:.1f} ms ({seen[key] / seen[f'own_{key}']:.2f})")
            for name, key in (("first touch", "touch"), ("writes", "write"), ("reads", "read"))]
    faults = seen["faults"]
    rows.append(("faults so far: 4 KiB, 2 MiB, 1 GiB", ", ".join(str(faults[key]) for key in ("fault_page", "fault_pmd", "fault_pud"))))
    return ["", "Memory as a guest sees it", *(_row(*row) for row in rows)]


def compute(result):
    lines = []
    for seen in result.get("speeds", [])[:1]:
        lines += _speed_rows(seen)
    for number, seen in enumerate(result["rounds"], 1):
        title = f"Round {number}" if seen["precopy"] else "Functions without a log: no pre-copy"
        lines += _migration(title, seen, _compute_rows(seen))
    for final, title in zip(result.get("finals", []), ("Work of the first guest", "and of the second")):
        lines += _final(f"{title}, checked end to end", final, (
            ("commands", "done"), ("checks of their results", "checks"), ("wrong", "bad"), ("MiB that they wrote", "written_mib"),
            ("MiB that CPUs wrote", "cpu_mib"), ("wrong", "cpu_bad"), ("interrupts lost", "missed")))
    return lines


def _final_disks(final):
    lines = _final("I/O of the whole run, as fio and the guest's kernel say", final, (
        ("blocks of 4 KiB, written", "written"), ("read and verified", "verified"), ("I/O and verify errors", "errors"),
        ("complaints of the guest's kernel", "complaints"), ("status of fsck", "fsck"),
        ("looks at the controller, all the same bytes", "looks")))
    for name, key in (("longest read", "longest_read_us"), ("longest write", "longest_write_us")):
        lines.append(_row(name, _millis(final[key] / 1e6) if key in final else "unknown"))
    return lines


def _final_operations(final):
    return _final("Operations of the whole run, checked end to end", final, OPERATIONS)


def _iops(value):
    return "unknown" if value is None else f"{value:.0f}"


def disks(result):
    lines, final = [], result.get("final", {})
    for number, seen in enumerate(result["rounds"], 1):
        iops = seen.get("iops", {})
        lines += _migration(f"Round {number}", seen, [
            ("device state, saved and loaded", f"{seen['state_bytes']} and {seen['loaded_bytes']} bytes"),
            ("blocks verified in this round", seen.get("verified", "unknown")),
            ("I/O a second before the migration", _iops(iops.get("before"))),
            ("  during it, until the guest was stopped", _iops(iops.get("during"))),
            ("  after it", _iops(iops.get("after"))),
        ])
    return lines + _final_disks(final)


def hosts(name, result):
    """Two hosts, whose functions are of the family NAME; the figures of a migration are libvirt's, on the destination."""
    lines, final, rounds = [], result["finals"].get(name, {}), result["rounds"]
    if name in result["refused"]:
        lines += ["", "Without a persona, virsh says:", f"  {result['refused'][name]}"]
    for number, seen in enumerate(rounds, 1):
        job = seen["job"]
        lines += ["", f"Round {number}: {seen['source']} -> {seen['target']}",
                  _row("virsh migrate", f"{seen['seconds']:.1f} s"),
                  _row("downtime (libvirt's figure)", job.get("Total downtime", "unknown")),
                  _row("memory sent", job.get("Memory processed", "unknown")),
                  _row("operations completed on the source", seen["done_source"])]
    return lines + (_final_disks if name == "nvme_cf" else _final_operations)(final)
