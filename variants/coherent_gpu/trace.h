/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of vpv_coherent_gpu.  cpu: pages of 4 KiB that were sent, or are being sent, and that
 * CPUs, or other devices, have mapped or written since, each once until it is sent again.  device:
 * those that the function has written.  Both since the last time; a page that both have written
 * is in both.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vpv_coherent_gpu

#if !defined(CGPU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define CGPU_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>

TRACE_EVENT(cgpu_harvest,
	    TP_PROTO(struct device *dev, u64 cpu, u64 device, int err),
	    TP_ARGS(dev, cpu, device, err),
	    TP_STRUCT__entry(__string(name, dev_name(dev))
			     __field(u64, cpu)
			     __field(u64, device)
			     __field(int, err)),
	    TP_fast_assign(__assign_str(name);
			   __entry->cpu = cpu;
			   __entry->device = device;
			   __entry->err = err;),
	    TP_printk("%s cpu=%llu device=%llu err=%d", __get_str(name), __entry->cpu,
		      __entry->device, __entry->err));

#endif /* CGPU_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
