/* SPDX-License-Identifier: GPL-2.0 */
/* The tracker of a device: which memory it wrote.  Beside sessions, of which it knows nothing. */
#ifndef VMIG_TRACKER_H
#define VMIG_TRACKER_H

#include "dirty.h"
#include "machine.h"

struct rb_root_cached;

/**
 * struct vmig_report - A report to user space
 * @todo: What is left of it.
 * @until: When the device is not asked any more.
 * @restarted: The tracker was started again.
 * @drained: The device has told all, which is what it tells without being asked about a part.
 * @piece: What is reported now; without pages all of it is dirty.
 * @page_log2: Size of its pages.
 * @pages: Bits of it.
 */
struct vmig_report {
	struct vmig_range todo;
	ktime_t until;
	bool restarted;
	bool drained;
	struct vmig_dirty_piece piece;
	u8 page_log2;
	unsigned long *pages;
};

bool vmig_tracker_present(struct vmig_machine *m);
int vmig_tracker_start(struct vmig_machine *m, struct rb_root_cached *root, u32 num,
		       u64 *page_size);
void vmig_tracker_stop(struct vmig_machine *m);
int vmig_report_begin(struct vmig_report *rep, u64 iova, u64 bytes);
void vmig_report_end(struct vmig_report *rep);
int vmig_report_next(struct vmig_machine *m, struct vmig_report *rep);

#endif /* VMIG_TRACKER_H */
