// SPDX-License-Identifier: GPL-2.0
/*
 * Save sessions: several threads read the memory of a device, one order comes out.
 *
 * Slots, of which each has the memory for a record, form two halves.  The producer takes pages
 * out of the set for all slots of a half, reads them together with helpers, and gives the half to
 * the user; then it takes the other half, as soon as the user has read what that had.  So the
 * memory for this does not depend on that of the device, and who waits, producer, helper or user,
 * is woken once for several records.
 */
#include <linux/mm.h>

#include "pages_priv.h"

/* Read at once, and looked at while it is in the cache. */
#define READ_PAGES	16U

static int read_piece(struct vmig_session *s, struct vmig_pages_slot *slot,
		      const struct vmig_dirty_piece *p)
{
	struct vmig_dev *mig = s->m->mig;
	const struct vmig_pages_ops *ops = mig->desc->pages;
	const struct vmig_range part = { p->first, p->last };
	u32 done, n;
	int err = 0;

	/* Nobody writes to a device that is frozen. */
	if (ops->protect && !s->pages_out->frozen)
		err = ops->protect(mig, &part);
	for (done = 0; done < p->pages && !err; done += n) {
		u8 *to = slot->chunk->data + slot->bytes;

		n = min(p->pages - done, READ_PAGES);
		err = ops->read(mig, p->first + (u64)done * VPV_PAGE_BYTES, to,
				n * VPV_PAGE_BYTES);
		if (!err)
			slot->bytes += vmig_pages_copy(&slot->runs, p->index + done, n, done, to,
						       to);
	}
	return err;
}

static int read_job(struct vmig_session *s, struct vmig_pages_slot *slot)
{
	struct vmig_sum sum = {};
	int err = 0;

	slot->bytes = 0;
	vmig_runs_begin(&slot->runs, s->pages_out->pass);
	for (u32 i = 0; i < slot->job.num && !err; i++)
		err = read_piece(s, slot, &slot->job.piece[i]);
	if (err)
		return err;
	vmig_sum_add(&sum, &slot->runs.head, vmig_runs_bytes(&slot->runs));
	vmig_sum_add(&sum, slot->chunk->data, slot->bytes);
	slot->sum = vmig_sum_end(&sum);
	return 0;
}

/* A slot that nobody else reads; or NULL. */
static struct vmig_pages_slot *claim(struct vmig_pages_out *out)
{
	struct vmig_pages_slot *slot = NULL;

	spin_lock(&out->lock);
	if (out->next < out->end)
		slot = &out->slot[out->next++];
	spin_unlock(&out->lock);
	return slot;
}

static void slot_done(struct vmig_pages_out *out)
{
	bool last;

	spin_lock(&out->lock);
	last = !--out->left;
	spin_unlock(&out->lock);
	if (last)
		complete(&out->done);
}

/* For all who read. */
static void read_slots(struct vmig_session *s)
{
	struct vmig_pages_slot *slot;

	while ((slot = claim(s->pages_out))) {
		slot->err = vmig_emit_stopped(s) ? -ECANCELED : read_job(s, slot);
		slot_done(s->pages_out);
	}
}

/* The producer, which waits for this, holds state_lock: the device stays. */
static void helper_work(struct work_struct *work)
{
	read_slots(container_of(work, struct vmig_pages_helper, work)->s);
}

/**
 * vmig_pages_out_alloc() - Make what a save session needs for memory
 * @s: Save session of a device that has some.
 *
 * Return: it, without a set, or NULL.
 */
struct vmig_pages_out *vmig_pages_out_alloc(struct vmig_session *s)
{
	const struct vmig_desc *desc = s->m->mig->desc;
	const u32 half = vmig_pages_half(desc), slots = 2 * half;
	struct vmig_pages_out *out;

	out = kvzalloc(struct_size(out, slot, slots), GFP_KERNEL_ACCOUNT);
	if (!out)
		return NULL;
	out->readers = desc->pages->readers;
	out->half = half;
	out->slots = slots;
	spin_lock_init(&out->lock);
	init_completion(&out->done);
	for (u32 i = 0; i < ARRAY_SIZE(out->helper); i++) {
		out->helper[i].s = s;
		INIT_WORK(&out->helper[i].work, helper_work);
	}
	return out;
}

/**
 * vmig_pages_out_free() - Free it
 * @out: What vmig_pages_out_alloc() returned; its set is free.
 */
void vmig_pages_out_free(struct vmig_pages_out *out)
{
	for (u32 i = 0; i < out->slots; i++)
		vmig_chunk_put(out->slot[i].chunk);
	kvfree(out);
}

/* Take pages for a half.  Return: the number of slots that have some, or -ENOMEM. */
static int half_take(struct vmig_session *s, u64 *at)
{
	struct vmig_pages_out *out = s->pages_out;
	u32 n;

	for (n = 0; n < out->half; n++) {
		struct vmig_pages_slot *slot = &out->slot[out->first + n];

		if (!slot->chunk)
			slot->chunk = vmig_chunk_alloc(s->m->mig, VPV_PAGES_DATA_BYTES);
		if (!slot->chunk)
			return n ?: -ENOMEM;
		if (!vmig_pages_take(&out->set, at, &slot->job))
			break;
	}
	return n;
}

/* Read the pages of so many slots. */
static void half_read(struct vmig_session *s, u32 num)
{
	struct vmig_pages_out *out = s->pages_out;

	reinit_completion(&out->done);
	spin_lock(&out->lock);
	out->next = out->first;
	out->end = out->first + num;
	out->left = num;
	spin_unlock(&out->lock);
	for (u32 i = 0; i + 1 < min(out->readers, num); i++)
		queue_work(vmig_read_wq, &out->helper[i].work);
	read_slots(s);
	wait_for_completion(&out->done);
}

/* Give them to the user. */
static int half_emit(struct vmig_session *s, u32 num)
{
	struct vmig_pages_out *out = s->pages_out;
	struct vmig_batch batch;
	int err = 0;

	vmig_batch_begin(s, &batch);
	for (u32 i = 0; i < num && !err; i++) {
		struct vmig_pages_slot *slot = &out->slot[out->first + i];

		err = slot->err ?: vmig_batch_add(&batch, VPV_RECORD_PAGES, 0, &slot->runs.head,
						  vmig_runs_bytes(&slot->runs), slot->chunk,
						  slot->bytes, slot->sum);
	}
	if (err) {
		vmig_batch_drop(&batch);
		return err;
	}
	err = vmig_batch_end(&batch);
	if (!err)
		out->sent = batch.bytes;
	return err;
}

/* The half was sent; or, if @err is not 0, that is left for later. */
static void half_end(struct vmig_pages_out *out, u32 num, int err)
{
	for (u32 i = 0; i < num; i++) {
		const struct vmig_pages_slot *slot = &out->slot[out->first + i];

		if (err) {
			vmig_pages_put_back(&out->set, &slot->job);
			continue;
		}
		out->pages += slot->job.pages;
		out->zeros += slot->job.pages - slot->bytes / VPV_PAGE_BYTES;
	}
	if (!err)
		out->first = out->half - out->first;
}

/* Has the user read what the half had? */
static bool half_free(const struct vmig_pages_out *out)
{
	for (u32 i = 0; i < out->half; i++) {
		const struct vmig_chunk *chunk = out->slot[out->first + i].chunk;

		if (chunk && vmig_chunk_shared(chunk))
			return false;
	}
	return true;
}

/* Wait for that: what was sent since may be left. */
static int half_wait(struct vmig_session *s)
{
	return half_free(s->pages_out) ? 0 : vmig_emit_wait(s, s->pages_out->sent);
}

/* Send what fits into a half: 1; 0: there was nothing left; or a negative errno. */
static int half_send(struct vmig_session *s, u64 *at)
{
	int err = half_wait(s), num;

	num = err ?: half_take(s, at);
	if (num <= 0)
		return num;
	half_read(s, num);
	err = half_emit(s, num);
	half_end(s->pages_out, num, err);
	return err ?: 1;
}

/**
 * vmig_pages_send() - Send all that is in the set
 * @s: Save session.
 *
 * Return: 0, or a negative errno: what was not sent is in the set.
 */
int vmig_pages_send(struct vmig_session *s)
{
	struct vmig_pages_out *out = s->pages_out;
	u64 at = 0;
	int ret;

	do
		ret = half_send(s, &at);
	while (ret > 0);
	/* Helpers that came too late. */
	for (u32 i = 0; i + 1 < out->readers; i++)
		cancel_work_sync(&out->helper[i].work);
	return ret;
}
