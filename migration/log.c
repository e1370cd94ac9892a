// SPDX-License-Identifier: GPL-2.0
/*
 * DMA logging: VFIO_DEVICE_FEATURE_DMA_LOGGING_*.
 *
 * A device without a tracker offers no logging: user space prefers a device that reports
 * everything to an IOMMU that knows exactly.  With the module parameter
 * report_everything it does, for user space that would take a device of which nobody
 * knows anything for one that wrote nothing.
 *
 * Without IOMMUFD_DRIVER the kernel has no bitmap to report into, and user space
 * falls back to the container, which reports everything that is mapped.
 */
#include <linux/bitmap.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>

#include "front.h"
#include "tracker.h"

static bool report_everything;
module_param(report_everything, bool, 0644);
MODULE_PARM_DESC(report_everything, "Offer DMA logging that reports all memory as dirty for devices without a tracker; looked at when a device is opened");

/* vfio.ko checks that ranges are aligned and do not overlap, but not these. */
static int check_ranges(struct rb_root_cached *ranges, u32 nnodes, u64 page_size)
{
	struct interval_tree_node *range;
	struct rb_node *node;

	if (!nnodes || !is_power_of_2(page_size))
		return -EINVAL;
	for (node = rb_first_cached(ranges); node; node = rb_next(node)) {
		range = rb_entry(node, struct interval_tree_node, rb);
		if (range->last < range->start)
			return -EINVAL;
	}
	return 0;
}

static void report_set(const struct vmig_report *rep, struct iova_bitmap *dirty)
{
	const struct vmig_dirty_piece *p = &rep->piece;
	unsigned long from, to;

	if (!p->pages) {
		iova_bitmap_set(dirty, rep->todo.first, p->last - rep->todo.first + 1);
		return;
	}
	for_each_set_bitrange(from, to, rep->pages, p->pages) {
		u64 first = max(rep->todo.first, p->first + ((u64)from << rep->page_log2));
		u64 last = min(p->last, p->first + ((u64)to << rep->page_log2) - 1);

		iova_bitmap_set(dirty, first, last - first + 1);
	}
}

/* Setting bits may fault on memory of the user: no lock is held. */
static int report_make(struct vmig_machine *m, struct vmig_report *rep,
		       struct iova_bitmap *dirty)
{
	int err;

	for (;;) {
		err = vmig_report_next(m, rep);
		if (err)
			return err;
		report_set(rep, dirty);
		if (rep->piece.last == rep->todo.last)
			return 0;
		rep->todo.first = rep->piece.last + 1;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
}

static int op_log_read_and_clear(struct vfio_device *vdev, unsigned long iova,
				 unsigned long length, struct iova_bitmap *dirty)
{
	struct vmig_report rep;
	int err;

	if (!length)
		return -EINVAL;
	err = vmig_report_begin(&rep, iova, length);
	if (err)
		return err;
	err = report_make(vmig_from_vdev(vdev), &rep, dirty);
	vmig_report_end(&rep);
	return err;
}

static int op_log_start(struct vfio_device *vdev, struct rb_root_cached *ranges,
			u32 nnodes, u64 *page_size)
{
	int err = check_ranges(ranges, nnodes, *page_size);

	return err ?: vmig_tracker_start(vmig_from_vdev(vdev), ranges, nnodes, page_size);
}

static int op_log_stop(struct vfio_device *vdev)
{
	vmig_tracker_stop(vmig_from_vdev(vdev));
	return 0;
}

static const struct vfio_log_ops log_ops = {
	.log_start = op_log_start,
	.log_stop = op_log_stop,
	.log_read_and_clear = op_log_read_and_clear,
};

/**
 * vmig_log_open() - Offer DMA logging, if there is a reason and the kernel can report it
 * @m: Machine whose device is being opened.
 */
void vmig_log_open(struct vmig_machine *m)
{
	bool present;

	m->mig->vdev->log_ops = NULL;
	/* v1 knows of no logging by devices, and one that goes away is asked nothing more. */
	if (!IS_ENABLED(CONFIG_IOMMUFD_DRIVER) || m->v1 || m->detached)
		return;
	present = vmig_tracker_present(m);
	m->mig->vdev->log_ops = present || READ_ONCE(report_everything) ? &log_ops : NULL;
}

VPV_COMPAT_IMPORT_NS(IOMMUFD);
