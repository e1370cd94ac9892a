// SPDX-License-Identifier: GPL-2.0
/*
 * Which memory a device wrote.  Devices without a tracker do not know: all of it.
 *
 * Somebody has to say so.  User space that finds neither a tracker in the device
 * nor one in the IOMMU may migrate all the same, and memory that the device wrote
 * after it was sent is then lost.  A report of everything costs time, never data.
 * For the same reason a tracker that loses track is started again, and everything is
 * reported once.
 *
 * A device reports and forgets in one go, in pages of its own.  What it reported stays
 * in a shadow until user space has asked for the whole page.
 *
 * Without IOMMUFD_DRIVER the kernel has no bitmap to report into, and user space
 * falls back to the container, which also reports everything that is mapped.
 */
#include <linux/cleanup.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rbtree.h>

#include "track.h"
#include "vmig.h"

/* Pages of one report: a bitmap of 32 KiB. */
#define PIECE_PAGES	(256U << 10)

/**
 * struct vmig_tracker - A tracker of the device
 * @num: Number of ranges.
 * @page_log2: Size of its pages.
 * @lost: It does not work: everything is dirty until it was started again.
 * @piece: Most pages of one report.
 * @ranges: Ranges, ascending.
 * @shadow: What was written and not reported to user space, range after range.
 * @pages: Size of @shadow.
 * @bits: Room for one report of the device.
 */
struct vmig_tracker {
	u32 num;
	u8 page_log2;
	bool lost;
	u32 piece;
	struct vmig_range *ranges;
	unsigned long *shadow;
	u64 pages;
	unsigned long *bits;
};

__printf(2, 3)
static void dirty_complain(struct vmig_machine *m, const char *fmt, ...)
{
	va_list args;

	lockdep_assert_held(&m->track_lock);

	va_start(args, fmt);
	vmig_vcomplain(m, fmt, args);
	va_end(args);
}

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

/* ---- A tracker's life ---- */

static void tracker_free(struct vmig_tracker *t)
{
	if (!t)
		return;
	kvfree(t->bits);
	kvfree(t->shadow);
	kvfree(t->ranges);
	kfree(t);
}

DEFINE_FREE(tracker, struct vmig_tracker *, tracker_free(_T))

static struct vmig_tracker *tracker_alloc(const struct vmig_track_plan *plan,
					  const struct vmig_track_range *ranges,
					  u64 report_pages)
{
	struct vmig_tracker *t __free(tracker) = kzalloc_obj(*t, GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
	t->num = plan->num;
	t->page_log2 = plan->page_log2;
	t->pages = plan->pages;
	t->piece = min_t(u64, report_pages, PIECE_PAGES);
	t->ranges = kvcalloc(t->num, sizeof(*t->ranges), GFP_KERNEL_ACCOUNT);
	t->shadow = kvcalloc(BITS_TO_LONGS(t->pages), sizeof(long), GFP_KERNEL_ACCOUNT);
	t->bits = kvcalloc(BITS_TO_LONGS(t->piece), sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!t->ranges || !t->shadow || !t->bits)
		return NULL;
	for (u32 i = 0; i < t->num; i++)
		t->ranges[i] = (struct vmig_range){
			.first = ranges[i].first,
			.bytes = ranges[i].last - ranges[i].first + 1,
		};
	return_ptr(t);
}

static int tracker_plan(struct vmig_machine *m, struct rb_root_cached *root, u32 num,
			u64 page_size, const struct vmig_track_limits *limits,
			struct vmig_track_range *out, struct vmig_track_plan *plan)
{
	const struct vmig_track_can can = {
		.ranges = limits->ranges,
		.page_min_log2 = limits->page_min_log2,
		.page_max_log2 = limits->page_max_log2,
		.address_bits = limits->address_bits,
		.pages = min_t(u64, limits->pages, INT_MAX),
	};
	struct vmig_track_range *want;
	struct vmig_track_why why;
	struct rb_node *node;
	u32 n = 0;
	int err;

	want = kvmalloc_array(num, sizeof(*want), GFP_KERNEL_ACCOUNT);
	if (!want)
		return -ENOMEM;
	for (node = rb_first_cached(root); node && n < num; node = rb_next(node)) {
		struct interval_tree_node *range = rb_entry(node, struct interval_tree_node, rb);

		want[n++] = (struct vmig_track_range){ range->start, range->last };
	}
	err = vmig_track_plan(&can, want, n, page_size, out, plan, &why);
	if (err)
		dirty_complain(m, "DMA logging refused: %s: can do %#llx, wanted %#llx (%d)",
			       why.field, why.can, why.want, err);
	kvfree(want);
	return err;
}

/* -EOPNOTSUPP: the device has no tracker now. */
static int tracker_start(struct vmig_machine *m, struct rb_root_cached *root, u32 num,
			 u64 *page_size)
{
	struct vmig_tracker *t __free(tracker) = NULL;
	const struct vmig_ops *ops = m->mig->ops;
	struct vmig_track_range *ranges;
	struct vmig_track_limits limits;
	struct vmig_track_plan plan;
	int err;

	lockdep_assert_held(&m->track_lock);

	if (!ops->track_limits)
		return -EOPNOTSUPP;
	err = ops->track_limits(m->mig, &limits);
	if (!err && !limits.report_pages)
		err = -EOPNOTSUPP;
	if (err)
		return err;

	ranges = kvmalloc_array(num, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
	if (!ranges)
		return -ENOMEM;
	err = tracker_plan(m, root, num, *page_size, &limits, ranges, &plan);
	if (!err) {
		t = tracker_alloc(&plan, ranges, limits.report_pages);
		err = t ? 0 : -ENOMEM;
	}
	kvfree(ranges);
	if (!err)
		err = ops->track_start(m->mig, t->ranges, t->num, t->page_log2);
	if (err)
		return err;
	*page_size = 1ULL << t->page_log2;
	m->tracker = no_free_ptr(t);
	return 0;
}

/* Everything was possibly written; from here on the device knows again, perhaps. */
static void tracker_restart(struct vmig_machine *m, struct vmig_tracker *t, int why)
{
	int err;

	if (!t->lost)
		dirty_complain(m, "the device lost track of what it wrote (%d)", why);
	t->lost = true;
	err = m->mig->ops->track_start(m->mig, t->ranges, t->num, t->page_log2);
	if (!err)
		t->lost = false;
	bitmap_fill(t->shadow, t->pages);
}

/* ---- Reports ---- */

/**
 * struct dirty_piece - A part of a report to user space
 * @end: Where it ends, at most where the report ends.
 * @first: IOVA of the first page of @bits.
 * @page_log2: Size of pages; 64: all up to @end is dirty.
 * @pages: Number of bits.
 * @bits: What is dirty.
 */
struct dirty_piece {
	u64 end;
	u64 first;
	u8 page_log2;
	u32 pages;
	unsigned long *bits;
};

#define DIRTY_ALL 64

/* The range that has @iova, or NULL and where the next one begins. */
static struct vmig_range *tracker_find(struct vmig_tracker *t, u64 iova, u64 *base, u64 *next)
{
	*base = 0;
	*next = U64_MAX;
	for (u32 i = 0; i < t->num; i++) {
		struct vmig_range *r = &t->ranges[i];

		if (iova < r->first) {
			*next = r->first;
			return NULL;
		}
		if (iova - r->first < r->bytes) {
			*base += (iova - r->first) >> t->page_log2;
			return r;
		}
		*base += r->bytes >> t->page_log2;
	}
	return NULL;
}

/* From shadow to @p; what user space did not ask for completely stays there, too. */
static void tracker_take(struct vmig_tracker *t, u64 base, u64 iova, struct dirty_piece *p)
{
	u64 mask = (1ULL << t->page_log2) - 1;
	u32 n;

	for_each_set_bit(n, t->bits, p->pages)
		__set_bit(base + n, t->shadow);
	for (n = 0; n < p->pages; n++) {
		bool whole = (n || p->first == iova) && (n + 1 < p->pages || !(p->end & mask));

		if (!test_bit(base + n, t->shadow))
			continue;
		__set_bit(n, p->bits);
		if (whole && !t->lost)
			__clear_bit(base + n, t->shadow);
	}
}

static int tracker_piece(struct vmig_machine *m, u64 iova, u64 end, struct dirty_piece *p)
{
	struct vmig_tracker *t = m->tracker;
	struct vmig_range *r;
	u64 base, next;
	int err;

	*p = (struct dirty_piece){ .end = end, .page_log2 = DIRTY_ALL, .bits = p->bits };
	if (!m->logging)
		return -EINVAL;
	if (!t)
		return 0;
	r = tracker_find(t, iova, &base, &next);
	if (!r) {
		p->end = min(end, next);
		return 0;
	}
	p->page_log2 = t->page_log2;
	p->first = ALIGN_DOWN(iova, 1ULL << t->page_log2);
	p->end = min3(end, r->first + r->bytes, p->first + ((u64)t->piece << t->page_log2));
	p->pages = DIV_ROUND_UP_ULL(p->end - p->first, 1ULL << t->page_log2);

	bitmap_zero(t->bits, t->piece);
	err = t->lost ? -EIO : m->mig->ops->track_report(m->mig, p->first, p->pages, t->bits);
	if (err) {
		bitmap_zero(t->bits, t->piece);
		tracker_restart(m, t, err);
	}
	tracker_take(t, base, iova, p);
	return 0;
}

/* Setting bits may fault on memory of the user: no lock is held. */
static void piece_set(const struct dirty_piece *p, u64 iova, struct iova_bitmap *dirty)
{
	unsigned long from, to;

	if (p->page_log2 == DIRTY_ALL) {
		iova_bitmap_set(dirty, iova, p->end - iova);
		return;
	}
	for_each_set_bitrange(from, to, p->bits, p->pages) {
		u64 first = max(iova, p->first + ((u64)from << p->page_log2));
		u64 end = min(p->end, p->first + ((u64)to << p->page_log2));

		iova_bitmap_set(dirty, first, end - first);
	}
}

static int op_log_read_and_clear(struct vfio_device *vdev, unsigned long iova,
				 unsigned long length, struct iova_bitmap *dirty)
{
	struct vmig_machine *m = vmig_from_vdev(vdev);
	u64 end = (u64)iova + length;
	struct dirty_piece p = {};
	int err = 0;

	p.bits = kvcalloc(BITS_TO_LONGS(PIECE_PAGES), sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!p.bits)
		return -ENOMEM;
	for (u64 pos = iova; pos < end && !err; pos = p.end) {
		bitmap_zero(p.bits, PIECE_PAGES);
		scoped_guard(mutex, &m->track_lock)
			err = tracker_piece(m, pos, end, &p);
		if (!err)
			piece_set(&p, pos, dirty);
	}
	kvfree(p.bits);
	return err;
}

/* ---- Start and stop ---- */

static int op_log_start(struct vfio_device *vdev, struct rb_root_cached *ranges,
			u32 nnodes, u64 *page_size)
{
	struct vmig_machine *m = vmig_from_vdev(vdev);
	int err;

	err = check_ranges(ranges, nnodes, *page_size);
	if (err)
		return err;

	guard(mutex)(&m->track_lock);
	if (READ_ONCE(m->detached))
		return -ENODEV;
	if (m->logging)
		return -EINVAL;
	err = tracker_start(m, ranges, nnodes, page_size);
	if (err && err != -EOPNOTSUPP)
		return err;
	m->logging = true;
	return 0;
}

static int op_log_stop(struct vfio_device *vdev)
{
	vmig_dirty_stop(vmig_from_vdev(vdev));
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
 * @m: Machine that still has its device.
 */
void vmig_dirty_stop(struct vmig_machine *m)
{
	guard(mutex)(&m->track_lock);
	m->logging = false;
	if (!m->tracker)
		return;
	m->mig->ops->track_stop(m->mig);
	tracker_free(m->tracker);
	m->tracker = NULL;
}

VPV_COMPAT_IMPORT_NS(IOMMUFD);
