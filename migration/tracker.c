// SPDX-License-Identifier: GPL-2.0
/*
 * Which memory a device wrote: its tracker, started, asked and started again.
 *
 * Whatever a tracker does not know is dirty: what it does not cover, and everything while
 * it has lost track.
 *
 * A device reports and forgets in one go, in pages of its own.  What it reported stays
 * in a shadow until user space has asked for all of the page that it wants.
 *
 * Reports are made while a guest stands still: the time that one may take is bounded,
 * see REPORT_MS.
 */
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/interval_tree.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "tracker.h"

/* Pages of one question: a bitmap of 32 KiB. */
#define PIECE_PAGES	(256U << 10)
/* What is not tracked is reported in parts of this size. */
#define UNTRACKED_BYTES	BIT_ULL(40)
/* The device is not asked any more when a report has taken this long: the rest is dirty. */
#define REPORT_MS	5000
/* A tracker that failed is left alone for this many times as long as that took. */
#define PAUSE_FACTOR	8

/**
 * struct vmig_tracker - A tracker of the device
 * @num: Number of ranges.
 * @page_log2: Size of its pages.
 * @lost: It does not work: everything is dirty until it was started again.
 * @pause: Before this time it is not started again.
 * @piece: Most pages of one question.
 * @ranges: Ranges that the device tracks, ascending, of whole pages.
 * @want: What user space wants to know about, ascending.
 * @num_want: Number of these.
 * @shadow: What was written and not reported to user space, range after range.
 * @pages: Size of @shadow.
 * @bits: Room for one answer of the device.
 */
struct vmig_tracker {
	u32 num;
	u8 page_log2;
	bool lost;
	ktime_t pause;
	u32 piece;
	struct vmig_range *ranges;
	struct vmig_range *want;
	u32 num_want;
	unsigned long *shadow;
	u64 pages;
	unsigned long *bits;
};

__printf(2, 3)
static void tracker_complain(struct vmig_machine *m, const char *fmt, ...)
{
	va_list args;

	lockdep_assert_held(&m->track_lock);

	va_start(args, fmt);
	vmig_vcomplain(m, fmt, args);
	va_end(args);
}

static void tracker_free(struct vmig_tracker *t)
{
	if (!t)
		return;
	kvfree(t->bits);
	kvfree(t->shadow);
	kvfree(t->want);
	kvfree(t->ranges);
	kfree(t);
}

DEFINE_FREE(tracker, struct vmig_tracker *, tracker_free(_T))

/* With the ranges that are wanted. */
static struct vmig_tracker *tracker_alloc(struct rb_root_cached *root, u32 num)
{
	struct vmig_tracker *t __free(tracker) = kzalloc_obj(*t, GFP_KERNEL_ACCOUNT);
	struct rb_node *node;

	if (!t)
		return NULL;
	t->ranges = kvcalloc(num, sizeof(*t->ranges), GFP_KERNEL_ACCOUNT);
	t->want = kvcalloc(num, sizeof(*t->want), GFP_KERNEL_ACCOUNT);
	if (!t->ranges || !t->want)
		return NULL;
	for (node = rb_first_cached(root); node && t->num_want < num; node = rb_next(node)) {
		struct interval_tree_node *range = rb_entry(node, struct interval_tree_node, rb);

		t->want[t->num_want++] = (struct vmig_range){ range->start, range->last };
	}
	return_ptr(t);
}

static int tracker_plan(struct vmig_machine *m, struct vmig_tracker *t,
			const struct vmig_track_limits *limits, u64 page_size)
{
	const struct vmig_track_can can = {
		.ranges = limits->ranges,
		.page_min_log2 = limits->page_min_log2,
		.page_max_log2 = limits->page_max_log2,
		.address_bits = limits->address_bits,
		.pages = min_t(u64, limits->pages, INT_MAX),
	};
	struct vmig_track_plan plan;
	struct vmig_diff why;
	int err;

	err = vmig_track_plan(&can, t->want, t->num_want, page_size, t->ranges, &plan, &why);
	if (err)
		tracker_complain(m, "DMA logging refused: %s: can do %#llx, wanted %#llx (%d)",
				 why.field, why.want, why.got, err);
	else if (why.field)
		tracker_complain(m, "all from %#llx on is dirty: %s: can do %#llx, wanted %#llx",
				 plan.left, why.field, why.want, why.got);
	if (err)
		return err;

	t->num = plan.num;
	t->page_log2 = plan.page_log2;
	t->pages = plan.pages;
	t->piece = min_t(u64, limits->report_pages, PIECE_PAGES);
	t->shadow = kvcalloc(BITS_TO_LONGS(t->pages), sizeof(long), GFP_KERNEL_ACCOUNT);
	t->bits = kvcalloc(BITS_TO_LONGS(t->piece), sizeof(long), GFP_KERNEL_ACCOUNT);
	return t->shadow && t->bits ? 0 : -ENOMEM;
}

/* -EOPNOTSUPP: the device has no tracker now. */
static int tracker_limits(struct vmig_machine *m, struct vmig_track_limits *limits)
{
	const struct vmig_ops *ops = m->mig->ops;
	int err;

	lockdep_assert_held(&m->track_lock);

	if (!ops->track_limits)
		return -EOPNOTSUPP;
	err = ops->track_limits(m->mig, limits);
	return err ?: limits->report_pages ? 0 : -EOPNOTSUPP;
}

static int tracker_start(struct vmig_machine *m, struct rb_root_cached *root, u32 num,
			 u64 *page_size)
{
	struct vmig_tracker *t __free(tracker) = NULL;
	struct vmig_track_limits limits;
	int err;

	err = tracker_limits(m, &limits);
	if (err)
		return err;
	t = tracker_alloc(root, num);
	if (!t)
		return -ENOMEM;
	err = tracker_plan(m, t, &limits, *page_size);
	if (!err)
		err = m->mig->ops->track_start(m->mig, t->ranges, t->num, t->page_log2);
	if (err)
		return err;
	*page_size = 1ULL << t->page_log2;
	m->tracker = no_free_ptr(t);
	return 0;
}

/**
 * vmig_tracker_present() - Has the device a tracker now?
 * @m: Machine.
 */
bool vmig_tracker_present(struct vmig_machine *m)
{
	struct vmig_track_limits limits;

	guard(mutex)(&m->track_lock);
	return tracker_limits(m, &limits) != -EOPNOTSUPP;
}

/**
 * vmig_tracker_start() - User space wants to know what the device writes
 * @m: Machine.
 * @root: Ranges of IOVAs.
 * @num: Their number.
 * @page_size: Size of pages that is wanted; receives the one that is used.
 *
 * Without a tracker everything is dirty.
 *
 * Return: 0; -ENODEV when the device goes away; -EINVAL when that is on already; -ERANGE,
 * -ENOMEM, -EINTR; or what the device returned.
 */
int vmig_tracker_start(struct vmig_machine *m, struct rb_root_cached *root, u32 num,
		       u64 *page_size)
{
	int err;

	err = mutex_lock_killable(&m->track_lock);
	if (err)
		return err;
	if (READ_ONCE(m->detached))
		err = -ENODEV;
	else if (m->logging)
		err = -EINVAL;
	else
		err = tracker_start(m, root, num, page_size);
	/* It has none, or none any more: everything is dirty. */
	if (err == -EOPNOTSUPP)
		err = 0;
	if (!err)
		m->logging = true;
	mutex_unlock(&m->track_lock);
	return err;
}

/**
 * vmig_tracker_stop() - Stop logging, if it is on
 * @m: Machine that still has its device.
 */
void vmig_tracker_stop(struct vmig_machine *m)
{
	guard(mutex)(&m->track_lock);
	m->logging = false;
	if (!m->tracker)
		return;
	m->mig->ops->track_stop(m->mig);
	tracker_free(m->tracker);
	m->tracker = NULL;
}

/* ---- Reports ---- */

static void tracker_pause(struct vmig_tracker *t, ktime_t since)
{
	ktime_t now = ktime_get();

	t->pause = ktime_add(now, PAUSE_FACTOR * ktime_sub(now, since));
}

/*
 * Starting it again may take as long as failing did, and disturb other users of the
 * hardware: once a report, and not before a pause.
 */
static void tracker_restart(struct vmig_machine *m, struct vmig_tracker *t,
			    struct vmig_report *rep)
{
	ktime_t begin = ktime_get();

	if (rep->restarted || ktime_before(begin, t->pause) || fatal_signal_pending(current))
		return;
	rep->restarted = true;
	t->lost = m->mig->ops->track_start(m->mig, t->ranges, t->num, t->page_log2);
	tracker_pause(t, begin);
}

/* Everything was possibly written; from here on the device knows again, perhaps. */
static void tracker_lose(struct vmig_machine *m, struct vmig_tracker *t,
			 struct vmig_report *rep, ktime_t since, int why)
{
	tracker_complain(m, "the device lost track of what it wrote (%d)", why);
	t->lost = true;
	bitmap_fill(t->shadow, t->pages);
	bitmap_zero(t->bits, t->piece);
	tracker_restart(m, t, rep);
	tracker_pause(t, since);
}

/* What was written since it was last asked, into its bits, or all into the shadow. */
static void tracker_ask(struct vmig_machine *m, struct vmig_tracker *t,
			struct vmig_report *rep)
{
	const struct vmig_track_piece *p = &rep->piece;
	ktime_t begin;
	int err;

	bitmap_zero(t->bits, t->piece);
	if (t->lost)
		tracker_restart(m, t, rep);
	if (t->lost)
		return;
	begin = ktime_get();
	err = m->mig->ops->track_report(m->mig, p->first, p->pages, t->bits);
	if (err)
		tracker_lose(m, t, rep, begin, err);
}

/* From shadow to @rep; what user space wants and did not ask for now stays there, too. */
static void tracker_take(struct vmig_tracker *t, struct vmig_report *rep)
{
	const struct vmig_track_piece *p = &rep->piece;
	const u64 last = p->first + ((u64)p->pages << t->page_log2) - 1;
	const struct vmig_range before = { p->first, rep->todo.first - 1 };
	const struct vmig_range after = { p->last + 1, last };
	bool head = p->first == rep->todo.first ||
		    !vmig_track_wants(t->want, t->num_want, &before);
	bool tail = p->last == last || !vmig_track_wants(t->want, t->num_want, &after);
	u32 n;

	for_each_set_bit(n, t->bits, p->pages)
		__set_bit(p->index + n, t->shadow);
	for (n = 0; n < p->pages; n++) {
		if (!test_bit(p->index + n, t->shadow))
			continue;
		__set_bit(n, rep->pages);
		if ((n || head) && (n + 1 < p->pages || tail) && !t->lost)
			__clear_bit(p->index + n, t->shadow);
	}
}

/* The next piece of a report. */
static int report_next(struct vmig_machine *m, struct vmig_report *rep)
{
	struct vmig_tracker *t = m->tracker;
	struct vmig_track_piece *p = &rep->piece;

	lockdep_assert_held(&m->track_lock);

	if (!m->logging)
		return -EINVAL;
	*p = (struct vmig_track_piece){ .last = rep->todo.last };
	if (t)
		vmig_track_piece(t->ranges, t->num, t->page_log2, t->piece, &rep->todo, p);
	/* What it is not asked for stays with the device. */
	if (ktime_after(ktime_get(), rep->until))
		p->pages = 0;
	if (!p->pages) {
		if (p->last - rep->todo.first >= UNTRACKED_BYTES)
			p->last = rep->todo.first + UNTRACKED_BYTES - 1;
		return 0;
	}
	bitmap_zero(rep->pages, PIECE_PAGES);
	tracker_ask(m, t, rep);
	tracker_take(t, rep);
	return 0;
}

/**
 * vmig_report_begin() - Begin a report
 * @rep: Report.
 * @iova: First IOVA.
 * @bytes: Size, not 0.
 *
 * Return: 0 or -ENOMEM.
 */
int vmig_report_begin(struct vmig_report *rep, u64 iova, u64 bytes)
{
	*rep = (struct vmig_report){
		.todo = { iova, iova + bytes - 1 },
		.until = ktime_add_ms(ktime_get(), REPORT_MS),
	};
	rep->pages = kvcalloc(BITS_TO_LONGS(PIECE_PAGES), sizeof(long), GFP_KERNEL_ACCOUNT);
	return rep->pages ? 0 : -ENOMEM;
}

/**
 * vmig_report_end() - Undo vmig_report_begin()
 * @rep: Report.
 */
void vmig_report_end(struct vmig_report *rep)
{
	kvfree(rep->pages);
}

/**
 * vmig_report_next() - Fill in the next piece of a report
 * @m: Machine.
 * @rep: Report.
 *
 * Return: 0; -EINVAL when logging is off; -EINTR when the caller is being killed.
 */
int vmig_report_next(struct vmig_machine *m, struct vmig_report *rep)
{
	int err = mutex_lock_killable(&m->track_lock);

	if (err)
		return err;
	err = report_next(m, rep);
	if (m->tracker)
		rep->page_log2 = m->tracker->page_log2;
	mutex_unlock(&m->track_lock);
	return err;
}
