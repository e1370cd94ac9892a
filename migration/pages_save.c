// SPDX-License-Identifier: GPL-2.0
/*
 * Save sessions: passes over the memory of a device (vpv/pages.h).
 *
 * What is dirty is in a set.  A pass asks the device what was written, and sends all that is
 * in the set then; a page leaves it before it is read, and is back if it was not sent.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "pages_priv.h"
#include "trace.h"

/* What records need besides the pages, if they are full. */
#define RECORD_BYTES	(sizeof(struct vpv_stream_record) + sizeof(struct vpv_stream_pages) + \
			 sizeof(struct vpv_stream_run))

static const struct vmig_pages_ops *pages_ops(struct vmig_machine *m)
{
	return m->mig->desc->pages;
}

/**
 * vmig_pages_valid() - Are hooks complete?
 * @ops: Hooks; NULL: there is no memory.
 */
bool vmig_pages_valid(const struct vmig_pages_ops *ops)
{
	if (!ops)
		return true;
	if (!ops->readers || ops->readers > VMIG_PAGES_READERS)
		return false;
	if (!ops->start != !ops->stop || !ops->start != !ops->harvest)
		return false;
	return ops->layout && ops->read && ops->write && (ops->harvest || !ops->protect);
}

/**
 * vmig_pages_layout() - Ask which memory there is
 * @m: Machine of a device that has some.
 * @ranges: Room for VPV_LAYOUT_RANGES.
 *
 * Return: their number, or a negative errno, with a line if they make no sense.
 */
int vmig_pages_layout(struct vmig_machine *m, struct vmig_range *ranges)
{
	int num = pages_ops(m)->layout(m->mig, ranges, VPV_LAYOUT_RANGES);
	struct vmig_diff diff;
	int err;

	if (num < 0)
		return num;
	err = vmig_layout_check(ranges, num, &diff);
	return err ? vmig_refuse(m->mig, err, &diff) : num;
}

/**
 * vmig_pages_set_alloc() - Make a set of no pages
 * @m: Machine.
 * @set: Set.
 * @ranges: Ranges that were checked.
 * @num: Their number.
 *
 * Return: 0 or -ENOMEM, with a set that is empty.
 */
int vmig_pages_set_alloc(struct vmig_machine *m, struct vmig_dirty *set,
			 const struct vmig_range *ranges, u32 num)
{
	*set = (struct vmig_dirty){ .page_log2 = VPV_PAGE_LOG2 };
	set->ranges = vmig_set_alloc(m, num, sizeof(*ranges));
	if (!set->ranges)
		return -ENOMEM;
	memcpy(set->ranges, ranges, num * sizeof(*ranges));
	set->num = num;
	return vmig_dirty_alloc(m, set);
}

/**
 * vmig_pages_tracked() - Can memory be sent while the device runs?
 * @m: Machine.
 */
bool vmig_pages_tracked(struct vmig_machine *m)
{
	return pages_ops(m) && pages_ops(m)->harvest;
}

static int save_layout(struct vmig_session *s, struct vmig_range *ranges)
{
	struct vmig_machine *m = s->m;
	u8 buf[VMIG_LAYOUT_MAX_BYTES];
	int num, err;

	num = vmig_pages_layout(m, ranges);
	if (num < 0)
		return num;
	s->pages_out = vmig_pages_out_alloc(s);
	if (!s->pages_out)
		return -ENOMEM;
	err = vmig_pages_set_alloc(m, &s->pages_out->set, ranges, num);
	if (err)
		return err;
	return vmig_emit_own(s, VPV_RECORD_LAYOUT, 0, buf, vmig_layout_put(ranges, num, buf));
}

/**
 * vmig_pages_save_begin() - Write which memory there is
 * @s: Save session; VIEW has been queued.  Frees what there is when it ends.
 *
 * Return: 0 or a negative errno.
 */
int vmig_pages_save_begin(struct vmig_session *s)
{
	struct vmig_range *ranges;
	int err;

	lockdep_assert_held(&s->m->state_lock);

	if (!pages_ops(s->m))
		return 0;
	ranges = kcalloc(VPV_LAYOUT_RANGES, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
	if (!ranges)
		return -ENOMEM;
	err = save_layout(s, ranges);
	kfree(ranges);
	return err;
}

/**
 * vmig_pages_free() - Free what a session keeps for memory
 * @s: Session, of either kind.
 *
 * Context: no hook runs for it any more.
 */
void vmig_pages_free(struct vmig_session *s)
{
	if (s->pages_out) {
		vmig_dirty_free(&s->pages_out->set);
		vmig_pages_out_free(s->pages_out);
		s->pages_out = NULL;
	}
	vmig_dirty_free(&s->pages_in.seen);
}

/* Make the set hold all that is to be sent. */
static int collect(struct vmig_session *s, bool frozen)
{
	const struct vmig_pages_ops *ops = pages_ops(s->m);
	struct vmig_pages_out *out = s->pages_out;
	int err = 0;

	if (out->known) {
		if (out->tracking)
			err = ops->harvest(s->m->mig, &out->set);
		if (!err)
			return 0;
		/* What the device told before it failed is lost. */
		vmig_dirty_fill(&out->set);
		if (err == -EIO)
			return err;
		vmig_complain(s->m, "what was written is not known (%d): all is sent again", err);
		return 0;
	}
	if (!frozen) {
		err = ops->start(s->m->mig);
		out->untracked = err == -EOPNOTSUPP;
		if (err)
			return err;
		out->tracking = true;
	}
	vmig_dirty_fill(&out->set);
	out->known = true;
	return 0;
}

/**
 * vmig_pages_pass() - Send what was written since the last pass
 * @s: Save session.
 * @frozen: The device is frozen: this is the last pass.
 *
 * The first one sends everything.
 * Return: 0; -ECANCELED when it was interrupted: the next one sends the rest, too; or a
 * negative errno.
 */
int vmig_pages_pass(struct vmig_session *s, bool frozen)
{
	struct vmig_pages_out *out = s->pages_out;
	int err;

	lockdep_assert_held(&s->m->state_lock);

	if (!out || (!frozen && !vmig_pages_tracked(s->m)))
		return 0;
	if (out->untracked && !frozen)
		return 0;
	err = collect(s, frozen);
	if (err)
		return out->untracked ? 0 : err;
	out->frozen = frozen;
	out->pass++;
	out->pages = 0;
	out->zeros = 0;
	err = vmig_pages_send(s);
	trace_vmig_pages(s->m, out->pass, out->pages, out->zeros, err);
	return err;
}

/* What it takes to send so many pages. */
static u64 bytes_of(u64 pages)
{
	return pages * VPV_PAGE_BYTES + DIV_ROUND_UP(pages, VMIG_JOB_PAGES) * RECORD_BYTES;
}

static u64 dirty_bytes(struct vmig_session *s)
{
	struct vmig_pages_out *out = s->pages_out;

	/*
	 * The next pass meets a device that fails again, and can say so.  After the last one there
	 * is none.
	 */
	if (!out->known || (!out->frozen && collect(s, false)))
		return bytes_of(out->set.pages);
	return bytes_of(vmig_dirty_count(&out->set));
}

/**
 * vmig_pages_dirty_bytes() - How much would the next pass of pre-copy send?
 * @s: Save session, in pre-copy.
 */
u64 vmig_pages_dirty_bytes(struct vmig_session *s)
{
	lockdep_assert_held(&s->m->state_lock);

	return vmig_pages_tracked(s->m) && !s->pages_out->untracked ? dirty_bytes(s) : 0;
}

static u64 layout_bytes(struct vmig_machine *m, struct vmig_range *ranges)
{
	int num = vmig_pages_layout(m, ranges);
	u64 pages = 0;

	for (int i = 0; i < num; i++)
		pages += ((ranges[i].last - ranges[i].first) >> VPV_PAGE_LOG2) + 1;
	return bytes_of(pages);
}

/**
 * vmig_pages_estimate() - How much memory would be sent if the device were frozen now?
 * @m: Machine.
 */
u64 vmig_pages_estimate(struct vmig_machine *m)
{
	struct vmig_range *ranges;
	u64 bytes;

	lockdep_assert_held(&m->state_lock);

	if (!pages_ops(m))
		return 0;
	if (m->saving)
		return dirty_bytes(m->saving);
	ranges = kcalloc(VPV_LAYOUT_RANGES, sizeof(*ranges), GFP_KERNEL);
	if (!ranges)
		return 0;
	bytes = layout_bytes(m, ranges);
	kfree(ranges);
	return bytes;
}

/**
 * vmig_pages_restart() - The function was reset, pre-copy goes on
 * @s: Save session.
 *
 * Context: may be under memory_lock; no hook is called.
 */
void vmig_pages_restart(struct vmig_session *s)
{
	lockdep_assert_held(&s->m->state_lock);

	if (!s->pages_out)
		return;
	s->pages_out->known = false;
	s->pages_out->tracking = false;
	s->pages_out->untracked = false;
}

/**
 * vmig_pages_stop() - The save session is being left
 * @m: Machine; there may be no such session any more.
 */
void vmig_pages_stop(struct vmig_machine *m)
{
	struct vmig_session *s = m->saving;

	lockdep_assert_held(&m->state_lock);

	if (!s || !s->pages_out || !s->pages_out->tracking)
		return;
	pages_ops(m)->stop(m->mig);
}
