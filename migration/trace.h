/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of the migration library.
 *
 * dev: parent of the VFIO device; "gone" after it was detached.  err: 0 or negative
 * errno.  us: microseconds.  bytes: of the data file, headers included; of vmig_round:
 * payload of all records up to the end of that round.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vpv_migration

#if !defined(VMIG_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VMIG_TRACE_H

#include <linux/tracepoint.h>

#include "machine.h"

#ifndef VMIG_TRACE_DEV
#define VMIG_TRACE_DEV
static inline const char *vmig_trace_dev(const struct vmig_machine *m)
{
	return m->mig ? dev_name(m->mig->vdev->dev) : "gone";
}
#endif

TRACE_EVENT(vmig_step,
	TP_PROTO(const struct vmig_machine *m, enum vmig_v2 from, enum vmig_v2 to, int err,
		 s64 us),
	TP_ARGS(m, from, to, err, us),
	TP_STRUCT__entry(
		__string(dev, vmig_trace_dev(m))
		__string(from, vmig_fsm_name(from))
		__string(to, vmig_fsm_name(to))
		__field(int, err)
		__field(s64, us)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(from);
		__assign_str(to);
		__entry->err = err;
		__entry->us = us;
	),
	TP_printk("%s %s -> %s err=%d us=%lld", __get_str(dev), __get_str(from),
		  __get_str(to), __entry->err, __entry->us)
);

TRACE_EVENT(vmig_session_begin,
	TP_PROTO(const struct vmig_machine *m, bool saving),
	TP_ARGS(m, saving),
	TP_STRUCT__entry(
		__string(dev, vmig_trace_dev(m))
		__field(bool, saving)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->saving = saving;
	),
	TP_printk("%s %s", __get_str(dev), __entry->saving ? "save" : "load")
);

TRACE_EVENT(vmig_round,
	TP_PROTO(const struct vmig_machine *m, unsigned int round, u64 bytes),
	TP_ARGS(m, round, bytes),
	TP_STRUCT__entry(
		__string(dev, vmig_trace_dev(m))
		__field(unsigned int, round)
		__field(u64, bytes)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->round = round;
		__entry->bytes = bytes;
	),
	TP_printk("%s round=%u bytes=%llu", __get_str(dev), __entry->round, __entry->bytes)
);

TRACE_EVENT(vmig_pages,
	TP_PROTO(const struct vmig_machine *m, u32 pass, u64 pages, u64 zeros, int err),
	TP_ARGS(m, pass, pages, zeros, err),
	TP_STRUCT__entry(
		__string(dev, vmig_trace_dev(m))
		__field(u32, pass)
		__field(u64, pages)
		__field(u64, zeros)
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->pass = pass;
		__entry->pages = pages;
		__entry->zeros = zeros;
		__entry->err = err;
	),
	TP_printk("%s pass=%u pages=%llu zeros=%llu err=%d", __get_str(dev), __entry->pass,
		  __entry->pages, __entry->zeros, __entry->err)
);

TRACE_EVENT(vmig_session_end,
	TP_PROTO(const struct vmig_machine *m, bool saving,
		 const struct vmig_session_stats *stats),
	TP_ARGS(m, saving, stats),
	TP_STRUCT__entry(
		__string(dev, vmig_trace_dev(m))
		__field(bool, saving)
		__field(int, err)
		__field(u64, bytes)
		__field(u64, records)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->saving = saving;
		__entry->err = stats->err;
		__entry->bytes = stats->bytes;
		__entry->records = stats->records;
	),
	TP_printk("%s %s err=%d bytes=%llu records=%llu", __get_str(dev),
		  __entry->saving ? "save" : "load", __entry->err, __entry->bytes,
		  __entry->records)
);

TRACE_EVENT(vmig_reset,
	TP_PROTO(const struct vmig_machine *m, bool deferred),
	TP_ARGS(m, deferred),
	TP_STRUCT__entry(
		__string(dev, vmig_trace_dev(m))
		__field(bool, deferred)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->deferred = deferred;
	),
	TP_printk("%s %s", __get_str(dev), __entry->deferred ? "deferred" : "done")
);

TRACE_EVENT(vmig_fault,
	TP_PROTO(const struct vmig_machine *m, const char *why, bool deferred),
	TP_ARGS(m, why, deferred),
	TP_STRUCT__entry(
		__string(dev, vmig_trace_dev(m))
		__string(why, why)
		__field(bool, deferred)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(why);
		__entry->deferred = deferred;
	),
	TP_printk("%s %s: %s", __get_str(dev), __entry->deferred ? "deferred" : "done",
		  __get_str(why))
);

TRACE_EVENT(vmig_refusal,
	TP_PROTO(const struct vmig_machine *m, int err, const struct vmig_diff *diff),
	TP_ARGS(m, err, diff),
	TP_STRUCT__entry(
		__string(dev, vmig_trace_dev(m))
		__string(field, diff->field)
		__field(int, err)
		__field(u64, want)
		__field(u64, got)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(field);
		__entry->err = err;
		__entry->want = diff->want;
		__entry->got = diff->got;
	),
	TP_printk("%s %s err=%d want=%#llx got=%#llx", __get_str(dev), __get_str(field),
		  __entry->err, __entry->want, __entry->got)
);

#endif /* VMIG_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
