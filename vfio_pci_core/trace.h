/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of vpv_core.  pos: byte offset in a region or in config space; bytes:
 * size of the access; err: 0 or a negative errno (SET_IRQS: also a number of
 * vectors); order of a fault: log2 of the pages that were to be mapped; ret: enum
 * vm_fault_reason; region and irq: VFIO index; channel:
 * pci_channel_state_t; answer: pci_ers_result_t.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vpv_core

#if !defined(VPV_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VPV_TRACE_H

#include <linux/pci.h>
#include <linux/tracepoint.h>

TRACE_EVENT(vpv_access,
	    TP_PROTO(struct pci_dev *pdev, unsigned int region, u64 pos, unsigned int bytes,
		     bool write, u64 val, int err),
	    TP_ARGS(pdev, region, pos, bytes, write, val, err),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))
			     __field(unsigned int, region)
			     __field(u64, pos)
			     __field(unsigned int, bytes)
			     __field(bool, write)
			     __field(u64, val)
			     __field(int, err)),
	    TP_fast_assign(__assign_str(name);
			   __entry->region = region;
			   __entry->pos = pos;
			   __entry->bytes = bytes;
			   __entry->write = write;
			   __entry->val = val;
			   __entry->err = err;),
	    TP_printk("%s region=%u %s pos=0x%llx bytes=%u val=0x%llx err=%d",
		      __get_str(name), __entry->region, __entry->write ? "write" : "read",
		      __entry->pos, __entry->bytes, __entry->val, __entry->err));

TRACE_EVENT(vpv_config,
	    TP_PROTO(struct pci_dev *pdev, u64 pos, unsigned int bytes, bool write, int err),
	    TP_ARGS(pdev, pos, bytes, write, err),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))
			     __field(u64, pos)
			     __field(unsigned int, bytes)
			     __field(bool, write)
			     __field(int, err)),
	    TP_fast_assign(__assign_str(name);
			   __entry->pos = pos;
			   __entry->bytes = bytes;
			   __entry->write = write;
			   __entry->err = err;),
	    TP_printk("%s %s pos=0x%llx bytes=%u err=%d", __get_str(name),
		      __entry->write ? "write" : "read", __entry->pos, __entry->bytes,
		      __entry->err));

TRACE_EVENT(vpv_fault,
	    TP_PROTO(struct pci_dev *pdev, unsigned int region, u64 pos, unsigned int order,
		     unsigned int ret),
	    TP_ARGS(pdev, region, pos, order, ret),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))
			     __field(unsigned int, region)
			     __field(u64, pos)
			     __field(unsigned int, order)
			     __field(unsigned int, ret)),
	    TP_fast_assign(__assign_str(name);
			   __entry->region = region;
			   __entry->pos = pos;
			   __entry->order = order;
			   __entry->ret = ret;),
	    TP_printk("%s region=%u pos=0x%llx order=%u ret=0x%x", __get_str(name),
		      __entry->region, __entry->pos, __entry->order, __entry->ret));

TRACE_EVENT(vpv_bad_page,
	    TP_PROTO(struct pci_dev *pdev, unsigned int region, u64 pos, const char *source),
	    TP_ARGS(pdev, region, pos, source),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))
			     __field(unsigned int, region)
			     __field(u64, pos)
			     __string(source, source)),
	    TP_fast_assign(__assign_str(name);
			   __entry->region = region;
			   __entry->pos = pos;
			   __assign_str(source);),
	    TP_printk("%s region=%u pos=0x%llx source=%s", __get_str(name), __entry->region,
		      __entry->pos, __get_str(source)));

TRACE_EVENT(vpv_zap,
	    TP_PROTO(struct pci_dev *pdev),
	    TP_ARGS(pdev),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))),
	    TP_fast_assign(__assign_str(name);),
	    TP_printk("%s", __get_str(name)));

TRACE_EVENT(vpv_dmabuf,
	    TP_PROTO(struct pci_dev *pdev, const char *what, u64 bytes, unsigned int ranges),
	    TP_ARGS(pdev, what, bytes, ranges),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))
			     __string(what, what)
			     __field(u64, bytes)
			     __field(unsigned int, ranges)),
	    TP_fast_assign(__assign_str(name);
			   __assign_str(what);
			   __entry->bytes = bytes;
			   __entry->ranges = ranges;),
	    TP_printk("%s %s bytes=0x%llx ranges=%u", __get_str(name), __get_str(what),
		      __entry->bytes, __entry->ranges));

TRACE_EVENT(vpv_reset,
	    TP_PROTO(struct pci_dev *pdev, const char *kind, int err),
	    TP_ARGS(pdev, kind, err),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))
			     __string(kind, kind)
			     __field(int, err)),
	    TP_fast_assign(__assign_str(name);
			   __assign_str(kind);
			   __entry->err = err;),
	    TP_printk("%s %s err=%d", __get_str(name), __get_str(kind), __entry->err));

TRACE_EVENT(vpv_power,
	    TP_PROTO(struct pci_dev *pdev, int from, int to, int err),
	    TP_ARGS(pdev, from, to, err),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))
			     __field(int, from)
			     __field(int, to)
			     __field(int, err)),
	    TP_fast_assign(__assign_str(name);
			   __entry->from = from;
			   __entry->to = to;
			   __entry->err = err;),
	    TP_printk("%s D%d -> D%d err=%d", __get_str(name), __entry->from, __entry->to,
		      __entry->err));

TRACE_EVENT(vpv_low_power,
	    TP_PROTO(struct pci_dev *pdev, bool enter, bool wakeup),
	    TP_ARGS(pdev, enter, wakeup),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))
			     __field(bool, enter)
			     __field(bool, wakeup)),
	    TP_fast_assign(__assign_str(name);
			   __entry->enter = enter;
			   __entry->wakeup = wakeup;),
	    TP_printk("%s %s%s", __get_str(name), __entry->enter ? "enter" : "exit",
		      __entry->wakeup ? " with wakeup" : ""));

TRACE_EVENT(vpv_set_irqs,
	    TP_PROTO(struct pci_dev *pdev, unsigned int irq, unsigned int flags,
		     unsigned int start, unsigned int count, int err),
	    TP_ARGS(pdev, irq, flags, start, count, err),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))
			     __field(unsigned int, irq)
			     __field(unsigned int, flags)
			     __field(unsigned int, start)
			     __field(unsigned int, count)
			     __field(int, err)),
	    TP_fast_assign(__assign_str(name);
			   __entry->irq = irq;
			   __entry->flags = flags;
			   __entry->start = start;
			   __entry->count = count;
			   __entry->err = err;),
	    TP_printk("%s irq=%u flags=0x%x start=%u count=%u err=%d", __get_str(name),
		      __entry->irq, __entry->flags, __entry->start, __entry->count,
		      __entry->err));

TRACE_EVENT(vpv_error,
	    TP_PROTO(struct pci_dev *pdev, const char *step, unsigned int channel, int answer),
	    TP_ARGS(pdev, step, channel, answer),
	    TP_STRUCT__entry(__string(name, pci_name(pdev))
			     __string(step, step)
			     __field(unsigned int, channel)
			     __field(int, answer)),
	    TP_fast_assign(__assign_str(name);
			   __assign_str(step);
			   __entry->channel = channel;
			   __entry->answer = answer;),
	    TP_printk("%s %s channel=%u answer=%d", __get_str(name), __get_str(step),
		      __entry->channel, __entry->answer));

#endif /* VPV_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
