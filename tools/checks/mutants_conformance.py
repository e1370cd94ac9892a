# SPDX-License-Identifier: GPL-2.0
"""Deliberate bugs of vpv_migration.ko, each with the rule of the conformance program that has to fail for it.

The group conformance-mutants builds the module once with each of them and runs them all in one boot; what a line changes must not
make the kernel complain, since others run after it. mutants.py looks whether each still fits the tree.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    what: str           # is broken
    family: str         # of the functions that it is tried on
    rule: str           # that must fail
    edits: list         # [(file, text, its replacement)]


@dataclass(frozen=True)
class Shape:
    """No bug: a driver that the tree has not. All rules pass or do not apply."""
    what: str
    family: str
    edits: list


BEGIN, EMIT, FILE, FSM, LOG, MACHINE, PRECOPY, READ, REQUEST, RESET, RESUME, SAVE, SESSION, TRACKER, V2, PARSE = (
    f"migration/{name}.c" for name in ("begin", "emit", "file", "fsm", "log", "machine", "precopy", "read", "request", "reset", "resume",
                                       "save", "session", "tracker", "v2", "parse"))


def one(path, text, other=""):
    return [(path, text, other)]


SHAPES = {
    "no_precopy": Shape("a driver without pre-copy", "hisi_like", [
        (V2, "VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY;", "VFIO_MIGRATION_STOP_COPY;"),
        (MACHINE, "VMIG_CAP_PRE_COPY | (mig->ops->quiesce", "(mig->ops->quiesce")]),
    "stop_copy_only": Shape("one without P2P states, either", "edu_like", [
        (V2, "VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY;", "VFIO_MIGRATION_STOP_COPY;"),
        (MACHINE, "VMIG_CAP_PRE_COPY | (mig->ops->quiesce", "(mig->ops->quiesce")]),
}

MUTANTS = {
    # Steps and states.
    "step_missing": Mutant("no step leads from STOP_COPY to STOP", "edu_like", "fsm.STOP_COPY->STOP",
                           one(FSM, "\t{ S,\t\t0,\t\t0,\t\tP2P,\tVMIG_SAVE_END },\n")),
    "precopy_kept": Mutant("pre-copy cannot be cancelled", "edu_like", "qemu.cancel",
                           one(FSM, "\t{ R | S,\tR,\t\tPRE,\t\t0,\tVMIG_SAVE_END },\n")),
    "round_missing": Mutant("PRE_COPY_P2P does not lead back to PRE_COPY", "hisi_like", "precopy.goes-on",
                            one(FSM, "\t{ R | N | S,\tR | S,\t\tPRE | P2P,\t0,\tVMIG_UNQUIESCE },\n")),
    "only_frozen": Mutant("PRE_COPY_P2P -> STOP_COPY freezes and saves nothing", "hisi_like", "stream.save-precopy",
                          one(FSM, "PRE | P2P,\t0,\tVMIG_SAVE_FREEZE", "PRE | P2P,\t0,\tVMIG_FREEZE")),
    "path_through_stop": Mutant("STOP_COPY goes back to pre-copy by way of STOP", "edu_like", "fsm.STOP_COPY->PRE_COPY",
                                one(FSM, "\t\treturn bits & S;\n", "\t\treturn true;\n")),
    "stopped_has_no_name": Mutant("NDMA of a stopped device is part of its state", "hisi_like", "fsm.RUNNING->STOP",
                                  one(FSM, "\t\tbits &= ~N;\n", "\t\tbits |= 0;\n")),
    "p2p_claimed": Mutant("all devices say that they have P2P states", "edu_like", "fsm.RUNNING->RUNNING_P2P",
                          one(V2, "\tif (mig->ops->quiesce)\n", "\tif (mig->ops)\n")),
    "thaw_forgotten": Mutant("STOP -> RUNNING leaves the device as it is", "edu_like", "work.through",
                             one(REQUEST, "return m->mig->ops->thaw(m->mig);", "return 0;")),
    "unquiesce_forgotten": Mutant("RUNNING_P2P -> RUNNING leaves the device as it is", "hisi_like", "work.through",
                                  one(REQUEST, "return m->mig->ops->unquiesce(m->mig);", "return 0;")),
    # Resets.
    "reset_keeps_state": Mutant("RESET ends sessions, and not the state", "edu_like", "reset.STOP",
                                one(RESET, "\tvmig_state_set(m, VMIG_RUNNING);\n")),
    "reset_unnoticed": Mutant("RESET is not told to the machine", "edu_like", "reset.STOP_COPY",
                              one(RESET, "\tm->reset_pending |= !restarts;\n")),
    "reset_survived": Mutant("pre-copy goes on after RESET for a user who cannot be told", "edu_like", "reset.PRE_COPY",
                             one(RESET, "m->fault || !vpv_compat_precopy_info_v2(m->mig->vdev))", "m->fault)")),
    "reinit_untold": Mutant("pre-copy begins again after RESET, without REINIT", "mlx5_like", "precopy.reset-v2",
                            one(SAVE, "\t\ts->fresh = VMIG_FRESH_COMING;\n\t\ts->reinit = false;\n", "\t\ts->reinit = false;\n")),
    # What is asked of a device.
    "size_zero": Mutant("MIG_DATA_SIZE is 0", "edu_like", "size.positive",
                        one(V2, "min_t(u64, vmig_estimate(m), LONG_MAX - SZ_64K) + stream_overhead(m->mig->desc);", "0;")),
    "size_low": Mutant("MIG_DATA_SIZE is 1", "edu_like", "size.estimate",
                       one(V2, "min_t(u64, vmig_estimate(m), LONG_MAX - SZ_64K) + stream_overhead(m->mig->desc);", "1;")),
    "size_refused": Mutant("MIG_DATA_SIZE fails in ERROR", "edu_like", "size.error",
                           one(V2, "\t*bytes = min_t", "\tif (m->state == VMIG_ERROR)\n\t\treturn -EIO;\n\t*bytes = min_t")),
    # Data files.
    "short_read_drops": Mutant("what a short read leaves of a buffer is dropped", "edu_like", "file.read-short",
                               one(READ, "\tbuf->pos += n;\n", "\tbuf->pos = buf->fill;\n")),
    "fault_misnamed": Mutant("user memory that is not there gives EINVAL", "edu_like", "file.read-fault",
                             one(SESSION, "return missing < bytes ? 0 : -EFAULT;", "return missing < bytes ? 0 : -EINVAL;")),
    "ioctl_any": Mutant("any ioctl of a data file is PRECOPY_INFO", "edu_like", "file.odd-calls",
                        one(FILE, "\tif (cmd != VFIO_MIG_GET_PRECOPY_INFO)\n\t\treturn -ENOTTY;\n")),
    "end_not_polled": Mutant("poll() sleeps at the end of a stream", "edu_like", "end.poll",
                             one(READ, "else if (s->queued || (s->final && !s->producing))", "else if (s->queued)")),
    "write_not_polled": Mutant("poll() of a file that loads is never writable", "edu_like", "file.write-poll",
                               one(READ, "\treturn EPOLLOUT | EPOLLWRNORM;\n", "\treturn 0;\n")),
    "left_not_polled": Mutant("poll() sleeps on a session that was left", "mlx5_like", "thread.poll-leave",
                              one(READ, "\tif (s->err)\n\t\tmask = EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP;\n\telse if",
                                  "\tif")),
    "no_poll": Mutant("files that save have no poll()", "edu_like", "precopy.poll",
                      one(FILE, "copy_splice_read,\n\t.poll\t\t= file_poll,\n", "copy_splice_read,\n")),
    "left_waits": Mutant("reads of a session that was left wait for more", "edu_like", "session.left-stop-copy",
                               one(REQUEST, "vmig_session_end(m, true, -ENODEV);", "vmig_session_end(m, true, 0);")),
    # Pre-copy.
    "drained_is_end": Mutant("pre-copy that was read gives 0", "edu_like", "precopy.enomsg",
                             one(READ, "end = s->final && !producing;", "end = !producing;")),
    "answer_unheard": Mutant("who waits for the device's answer is not woken", "mlx5_like", "precopy.enomsg",
                             one(PRECOPY, "\ts->answered = jiffies;\n\tspin_unlock(&s->lock);\n\twake_up_all(&s->wait);\n",
                                 "\ts->answered = jiffies;\n\tspin_unlock(&s->lock);\n")),
    "never_final": Mutant("STOP_COPY goes on with pre-copy", "edu_like", "qemu.precopy",
                          one(SAVE, "\ts->final = true;\n")),
    "initial_not_counted": Mutant("initial_bytes is 0 at first", "edu_like", "info.start",
                                  one(EMIT, "if (!s->final && (!s->round || s->fresh == VMIG_FRESH_COMING))", "if (s->fresh == VMIG_FRESH_COMING)")),
    "initial_stays": Mutant("initial_bytes does not fall", "edu_like", "info.true",
                            one(READ, "\t\ts->initial -= min_t(u64, n, s->initial);\n")),
    "dirty_not_written": Mutant("dirty_bytes is left as the caller gave it", "edu_like", "info.written",
                                one(FILE, "\tinfo.dirty_bytes = pending.dirty;\n")),
    "info_in_stop_copy": Mutant("PRECOPY_INFO works in STOP_COPY", "edu_like", "info.elsewhere",
                                one(PRECOPY, "err = s->err ?: s->final ? -EINVAL : 0;", "err = s->err;")),
    "info_left": Mutant("PRECOPY_INFO gives ENODEV when pre-copy was left", "edu_like", "info.left",
                        one(PRECOPY, "return err && !is_precopy(vmig_state_snapshot(s->m)) ? -EINVAL : err;",
                            "return err && s->final && !is_precopy(vmig_state_snapshot(s->m)) ? -EINVAL : err;")),
    "info_any_size": Mutant("argsz of PRECOPY_INFO is not looked at", "edu_like", "info.checks",
                            one(FILE, "\tif (info.argsz < minsz)\n\t\treturn -EINVAL;\n")),
    "reinit_for_ever": Mutant("REINIT is always set", "mlx5_like", "info.reinit",
                              one(FILE, "pending.reinit ? VPV_COMPAT_PRECOPY_REINIT : 0;", "VPV_COMPAT_PRECOPY_REINIT;")),
    # Streams.
    "match_missing": Mutant("streams with pre-copy have no match data", "edu_like", "stream.save-precopy",
                            one(BEGIN, "\t\terr = emit_match(s);\n", "\t\terr = s->final ? emit_match(s) : 0;\n")),
    "end_missing": Mutant("no stream has an END record", "edu_like", "stream.load",
                          one(SAVE, "\treturn vmig_emit_own(s, VPV_RECORD_END, 0, &end, sizeof(end));\n", "\treturn 0;\n")),
    "not_numbered": Mutant("all records have the number of the first", "edu_like", "stream.load-again",
                           one(EMIT, "\t\ts->writer = writer;\n", "\t\t(void)writer;\n")),
    "cut_is_whole": Mutant("a stream that was cut is taken", "edu_like", "stream.truncated",
                           one(RESUME, "\terr = vmig_parse_finish(&s->parser);\n", "\terr = s->parser.err;\n")),
    "refusal_ignored": Mutant("RESUMING -> STOP does not fail for a stream that was refused", "edu_like", "fsm.failed",
                              one(REQUEST, "int err = vmig_resume_end(m);", "int err = (vmig_resume_end(m), 0);")),
    "end_overrun": Mutant("bytes behind the END record are dropped", "edu_like", "stream.trailing",
                          one(PARSE, "\treturn refuse(p, -EPROTO, \"bytes after the END record\", 0, *bytes);\n",
                              "\t*bytes = 0;\n\treturn VMIG_NEED_BYTES;\n")),
    "load_forgotten": Mutant("what was loaded does not reach the device", "edu_like", "work.same",
                             one(RESUME, "\terr = vmig_staged_commit(s);\n", "\terr = 0;\n")),
    # DMA logging.
    "log_twice": Mutant("a second START succeeds", "mlx5_like", "log.twice",
                        one(TRACKER, "\telse if (m->logging)\n\t\terr = -EINVAL;\n", "\telse if (m->logging)\n\t\terr = 0;\n")),
    "log_off": Mutant("REPORT works without START", "mlx5_like", "log.report-off",
                      one(TRACKER, "\tif (!m->logging)\n\t\treturn -EINVAL;\n")),
    "log_stays": Mutant("STOP does not end logging", "mlx5_like", "log.start-stop",
                        one(LOG, "\tvmig_tracker_stop(vmig_from_vdev(vdev));\n\treturn 0;\n", "\treturn 0;\n")),
}
