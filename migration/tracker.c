// SPDX-License-Identifier: GPL-2.0
/*
 * Which memory a device wrote: its tracker, started, asked and started again.
 *
 * Whatever a tracker does not know is dirty: what it does not cover, and everything while
 * it has lost track.
 *
 * A device reports and forgets in one go: some of them about the part that they are asked
 * about, others about everything, in any order, and in pages of their own.  What it has
 * reported is in a set (dirty.c) until user space has asked for all of the page that it wants.
 *
 * Reports are made while a guest stands still: the time that one may take is bounded,
 * see REPORT_MS.
 */
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/interval_tree.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "track.h"
#include "tracker.h"

/* Pages of one question: a bitmap of 32 KiB. */
#define PIECE_PAGES	(256U << 10)
/* Most pages and ranges of a tracker: a set of 256 MiB, lists of 96 KiB. */
#define MOST_PAGES	INT_MAX
#define MOST_RANGES	4096U
/* A device that offers less each time it is started is not started any more then. */
#define MOST_PLANS	4
/* What is not tracked is reported in parts of this size. */
#define UNTRACKED_BYTES	BIT_ULL(40)
/*
 * The device is not asked any more when a report has taken this long: the rest is dirty.  Nor is
 * it started again with what it offers.
 */
#define REPORT_MS	5000
/* A tracker that failed is left alone for this many times as long as that took. */
#define PAUSE_FACTOR	8

/**
 * struct vmig_tracker - A tracker of the device
 * @limits: What the device can do, as it has said last.
 * @page_bytes: Size of pages that user space wants.
 * @want: What user space wants to know about, ascending.
 * @num_want: Number of these ranges.
 * @set: What was written and not reported to user space, and what the device tracks.
 * @lost: It does not work: everything is dirty until it was started again.
 * @pause: Before this time it is not started again.
 */
struct vmig_tracker {
	struct vmig_track_limits limits;
	u64 page_bytes;
	struct vmig_range *want;
	u32 num_want;
	struct vmig_dirty set;
	bool lost;
	ktime_t pause;
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
	vmig_dirty_free(&t->set);
	vmig_set_free(t->want);
	kfree(t);
}

DEFINE_FREE(tracker, struct vmig_tracker *, tracker_free(_T))

/* With the ranges that are wanted. */
static struct vmig_tracker *tracker_alloc(struct vmig_machine *m, struct rb_root_cached *root,
					  u32 num)
{
	struct vmig_tracker *t __free(tracker) = kzalloc_obj(*t, GFP_KERNEL_ACCOUNT);
	struct rb_node *node;

	if (!t)
		return NULL;
	t->want = vmig_set_alloc(m, num, sizeof(*t->want));
	if (!t->want)
		return NULL;
	for (node = rb_first_cached(root); node && t->num_want < num; node = rb_next(node)) {
		struct interval_tree_node *range = rb_entry(node, struct interval_tree_node, rb);

		t->want[t->num_want++] = (struct vmig_range){ range->start, range->last };
	}
	return_ptr(t);
}

/* Most pages of a part of a report; 0 for a device that cannot report. */
static u32 piece_pages(const struct vmig_track_limits *limits)
{
	return limits->unfiltered ? PIECE_PAGES : min_t(u64, limits->report_pages, PIECE_PAGES);
}

/* Ranges and pages that fit into what the device can do. */
static int plan_ranges(struct vmig_machine *m, const struct vmig_tracker *t,
		       const struct vmig_track_limits *limits, struct vmig_dirty *set)
{
	const struct vmig_track_can can = {
		.ranges = min(limits->ranges, MOST_RANGES),
		.page_min_log2 = limits->page_min_log2,
		.page_max_log2 = limits->page_max_log2,
		.address_bits = limits->address_bits,
		.pages = min_t(u64, limits->pages, MOST_PAGES),
		.pow2 = limits->pow2_ranges,
	};
	struct vmig_track_plan plan;
	struct vmig_diff why;
	int err;

	if (!piece_pages(limits)) {
		tracker_complain(m, "DMA logging refused: the tracker does not report");
		return -EINVAL;
	}
	set->ranges = vmig_set_alloc(m, vmig_track_room(&can, t->num_want),
				     sizeof(*set->ranges));
	if (!set->ranges)
		return -ENOMEM;
	err = vmig_track_plan(&can, t->want, t->num_want, t->page_bytes, set->ranges, &plan,
			      &why);
	if (err)
		tracker_complain(m, "DMA logging refused: %s: can do %#llx, wanted %#llx (%d)",
				 why.field, why.want, why.got, err);
	else if (why.field)
		tracker_complain(m, "all from %#llx on is dirty: %s: can do %#llx, wanted %#llx",
				 plan.left, why.field, why.want, why.got);
	set->num = plan.num;
	set->page_log2 = plan.page_log2;
	return err;
}

/* Fit what is wanted into what the device can do; in place of what was planned before. */
static int tracker_plan(struct vmig_machine *m, struct vmig_tracker *t,
			const struct vmig_track_limits *limits)
{
	struct vmig_dirty set = {};
	int err;

	err = plan_ranges(m, t, limits, &set);
	err = err ?: vmig_dirty_alloc(m, &set);
	if (err) {
		vmig_dirty_free(&set);
		return err;
	}
	vmig_dirty_free(&t->set);
	t->set = set;
	t->limits = *limits;
	return 0;
}

/* Start what was planned; as long as the device offers less than that, soon, plan again. */
static int tracker_go(struct vmig_machine *m, struct vmig_tracker *t)
{
	const ktime_t until = ktime_add_ms(ktime_get(), REPORT_MS);

	for (unsigned int plans = 1; ; plans++) {
		const struct vmig_track what = {
			.ranges = t->set.ranges,
			.num = t->set.num,
			.page_log2 = t->set.page_log2,
		};
		struct vmig_track_limits limits = t->limits;
		int err = m->mig->ops->track_start(m->mig, &what, &limits);

		if (err != -ENOSPC || plans == MOST_PLANS || ktime_after(ktime_get(), until))
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
		err = tracker_plan(m, t, &limits);
		if (err)
			return err;
	}
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
	return err ?: piece_pages(limits) ? 0 : -EOPNOTSUPP;
}

static int tracker_start(struct vmig_machine *m, struct rb_root_cached *root, u32 num,
			 u64 *page_size)
{
	struct vmig_tracker *t __free(tracker) = NULL;
	struct vmig_track_limits limits = {};
	int err;

	err = tracker_limits(m, &limits);
	if (err)
		return err;
	t = tracker_alloc(m, root, num);
	if (!t)
		return -ENOMEM;
	t->page_bytes = *page_size;
	err = tracker_plan(m, t, &limits);
	if (!err)
		err = tracker_go(m, t);
	if (err)
		return err;
	*page_size = 1ULL << t->set.page_log2;
	m->tracker = no_free_ptr(t);
	return 0;
}

/**
 * vmig_tracker_present() - Has the device a tracker now?
 * @m: Machine.
 */
bool vmig_tracker_present(struct vmig_machine *m)
{
	struct vmig_track_limits limits = {};

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
 * Return: 0; -ENODEV when the device goes away; -EINVAL when that is on already; -ENOSPC when
 * the device offers less and less; -ERANGE, -ENOMEM, -EINTR; or what the device returned.
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
 * hardware: once a report, and not before a pause.  All is dirty until then, and in what
 * may have been planned anew.
 */
static void tracker_restart(struct vmig_machine *m, struct vmig_tracker *t,
			    struct vmig_report *rep)
{
	ktime_t begin = ktime_get();

	if (rep->restarted || ktime_before(begin, t->pause) || fatal_signal_pending(current))
		return;
	rep->restarted = true;
	t->lost = tracker_go(m, t);
	vmig_dirty_fill(&t->set);
	tracker_pause(t, begin);
}

/* Everything was possibly written; from here on the device knows again, perhaps. */
static void tracker_lose(struct vmig_machine *m, struct vmig_tracker *t,
			 struct vmig_report *rep, ktime_t since, int why)
{
	tracker_complain(m, "the device lost track of what it wrote (%d)", why);
	t->lost = true;
	vmig_dirty_fill(&t->set);
	tracker_restart(m, t, rep);
	tracker_pause(t, since);
}

/* The next piece: up to the end of what is tracked there, or is not. */
static void report_piece(const struct vmig_tracker *t, struct vmig_report *rep)
{
	vmig_dirty_next(&t->set, piece_pages(&t->limits), &rep->todo, &rep->piece);
	rep->page_log2 = t->set.page_log2;
}

static bool report_late(const struct vmig_report *rep)
{
	return ktime_after(ktime_get(), rep->until);
}

/* Have the device report about the piece; one that cannot, about everything, once. */
static int tracker_ask(struct vmig_machine *m, struct vmig_tracker *t,
		       struct vmig_report *rep)
{
	const struct vmig_dirty_piece *p = &rep->piece;
	const struct vmig_range part = {
		.first = p->first,
		.last = p->first + ((u64)p->pages << t->set.page_log2) - 1,
	};
	int more;

	if (rep->drained)
		return 0;
	do {
		more = m->mig->ops->track_report(m->mig, &part, &t->set);
	} while (more > 0 && !report_late(rep) && !fatal_signal_pending(current));
	rep->drained = !more && t->limits.unfiltered;
	return more;
}

/* What was written since it was last asked, into its set; all of it if it does not know. */
static void tracker_update(struct vmig_machine *m, struct vmig_tracker *t,
			   struct vmig_report *rep)
{
	ktime_t begin;
	int ret;

	report_piece(t, rep);
	if (t->lost && rep->piece.pages) {
		tracker_restart(m, t, rep);
		report_piece(t, rep);
	}
	if (t->lost || !rep->piece.pages)
		return;
	begin = ktime_get();
	ret = tracker_ask(m, t, rep);
	if (ret < 0) {
		tracker_lose(m, t, rep, begin, ret);
		report_piece(t, rep);
	} else if (ret) {
		/* It has not told all: what it has not stays with it. */
		rep->piece.pages = 0;
	}
}

/* The next piece of a report. */
static int report_next(struct vmig_machine *m, struct vmig_report *rep)
{
	struct vmig_tracker *t = m->tracker;
	struct vmig_dirty_piece *p = &rep->piece;

	lockdep_assert_held(&m->track_lock);

	if (!m->logging)
		return -EINVAL;
	*p = (struct vmig_dirty_piece){ .last = rep->todo.last };
	/* What it is not asked for stays with the device. */
	if (t && !report_late(rep))
		tracker_update(m, t, rep);
	if (!p->pages) {
		if (p->last - rep->todo.first >= UNTRACKED_BYTES)
			p->last = rep->todo.first + UNTRACKED_BYTES - 1;
		return 0;
	}
	bitmap_zero(rep->pages, PIECE_PAGES);
	vmig_dirty_take(&t->set, p, rep->todo.first, t->want, t->num_want, t->lost, rep->pages);
	return 0;
}

void vmig_dirty_push(struct vmig_dirty *dirty, u64 first, u64 last)
{
	vmig_dirty_set(dirty, first, last);
}
EXPORT_SYMBOL_GPL(vmig_dirty_push);

void vmig_dirty_push_bits(struct vmig_dirty *dirty, u64 iova, u8 page_log2,
			  const __le64 *bits, u64 pages)
{
	vmig_dirty_set_bits(dirty, iova, page_log2, bits, pages);
}
EXPORT_SYMBOL_GPL(vmig_dirty_push_bits);

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
	mutex_unlock(&m->track_lock);
	return err;
}
