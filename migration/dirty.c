// SPDX-License-Identifier: GPL-2.0
/*
 * Which memory a device wrote, for devices that do not know: all of it.
 *
 * Somebody has to say so.  User space that finds neither a tracker in the device
 * nor one in the IOMMU may migrate all the same, and memory that the device wrote
 * after it was sent is then lost.  A report of everything costs time, never data.
 *
 * Without IOMMUFD_DRIVER the kernel has no bitmap to report into, and user space
 * falls back to the container, which also reports everything that is mapped.
 */
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rbtree.h>

#include "vmig.h"

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

static int op_log_start(struct vfio_device *vdev, struct rb_root_cached *ranges,
			u32 nnodes, u64 *page_size)
{
	struct vmig_machine *m = vmig_from_vdev(vdev);
	int err;

	err = check_ranges(ranges, nnodes, *page_size);
	if (err)
		return err;

	spin_lock(&m->lock);
	if (m->detached)
		err = -ENODEV;
	else if (m->logging)
		err = -EINVAL;
	else
		m->logging = true;
	spin_unlock(&m->lock);
	return err;
}

static int op_log_stop(struct vfio_device *vdev)
{
	vmig_dirty_stop(vmig_from_vdev(vdev));
	return 0;
}

/* Setting bits may fault on memory of the user: no lock is held. */
static int op_log_read_and_clear(struct vfio_device *vdev, unsigned long iova,
				 unsigned long length, struct iova_bitmap *dirty)
{
	struct vmig_machine *m = vmig_from_vdev(vdev);

	if (!READ_ONCE(m->logging))
		return -EINVAL;
	iova_bitmap_set(dirty, iova, length);
	return 0;
}

static const struct vfio_log_ops log_ops = {
	.log_start = op_log_start,
	.log_stop = op_log_stop,
	.log_read_and_clear = op_log_read_and_clear,
};

/**
 * vmig_dirty_init() - Offer DMA logging, where the kernel can report it
 * @vdev: Device, before it is registered.
 */
void vmig_dirty_init(struct vfio_device *vdev)
{
	if (IS_ENABLED(CONFIG_IOMMUFD_DRIVER))
		vdev->log_ops = &log_ops;
}

/**
 * vmig_dirty_stop() - Stop logging, if it is on
 * @m: Machine.
 */
void vmig_dirty_stop(struct vmig_machine *m)
{
	spin_lock(&m->lock);
	m->logging = false;
	spin_unlock(&m->lock);
}

VPV_COMPAT_IMPORT_NS(IOMMUFD);
