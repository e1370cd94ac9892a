// SPDX-License-Identifier: GPL-2.0
/*
 * Save sessions: several threads read the memory of a device, one order comes out.
 *
 * Slots form a ring.  The producer takes pages out of the set for a slot, and has a worker
 * read them; it sends slots in the order in which it took them, and uses one again when the
 * user has read what it sent.  So the memory for this does not depend on that of the device.
 */
#include <linux/mm.h>

#include "pages_priv.h"

/* Read at once, and looked at while it is in the cache. */
#define READ_PAGES	16U

static int read_piece(struct vmig_pages_slot *slot, const struct vmig_dirty_piece *p)
{
	struct vmig_dev *mig = slot->s->m->mig;
	const struct vmig_pages_ops *ops = mig->desc->pages;
	const struct vmig_range part = { p->first, p->last };
	u32 done, n;
	int err = 0;

	/* Nobody writes to a device that is frozen. */
	if (ops->protect && !slot->s->pages_out->frozen)
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

/* The producer, which waits for this, holds state_lock: the device stays. */
static void slot_work(struct work_struct *work)
{
	struct vmig_pages_slot *slot = container_of(work, struct vmig_pages_slot, work);
	struct vmig_sum sum = {};
	int err = 0;

	slot->bytes = 0;
	vmig_runs_begin(&slot->runs, slot->s->pages_out->pass);
	for (u32 i = 0; i < slot->job.num && !err; i++)
		err = read_piece(slot, &slot->job.piece[i]);
	if (!err) {
		vmig_sum_add(&sum, &slot->runs.head, vmig_runs_bytes(&slot->runs));
		vmig_sum_add(&sum, slot->chunk->data, slot->bytes);
		slot->sum = vmig_sum_end(&sum);
	}
	slot->err = err;
	complete(&slot->done);
}

/**
 * vmig_pages_out_alloc() - Make what a save session needs for memory
 * @s: Save session.
 * @readers: Threads that read at once.
 *
 * Return: it, without a set, or NULL.
 */
struct vmig_pages_out *vmig_pages_out_alloc(struct vmig_session *s, u32 readers)
{
	const u32 slots = VMIG_PAGES_SLOTS(readers);
	struct vmig_pages_out *out;

	out = kvzalloc(struct_size(out, slot, slots), GFP_KERNEL_ACCOUNT);
	if (!out)
		return NULL;
	out->readers = readers;
	out->slots = slots;
	for (u32 i = 0; i < slots; i++) {
		out->slot[i].s = s;
		INIT_WORK(&out->slot[i].work, slot_work);
		init_completion(&out->slot[i].done);
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

/* Has the user read what a slot sent? */
static bool slot_free(struct vmig_pages_slot *slot)
{
	return !slot->chunk || !vmig_chunk_shared(slot->chunk);
}

/* Begin the next record: 1; 0: there is nothing left; or -ENOMEM. */
static int slot_begin(struct vmig_session *s, u64 *at)
{
	struct vmig_pages_out *out = s->pages_out;
	struct vmig_pages_slot *slot = &out->slot[out->next];

	if (!slot->chunk)
		slot->chunk = vmig_chunk_alloc(s->m->mig, VPV_PAGES_DATA_BYTES);
	if (!slot->chunk)
		return -ENOMEM;
	if (!vmig_pages_take(&out->set, at, &slot->job))
		return 0;
	reinit_completion(&slot->done);
	queue_work(vmig_read_wq, &slot->work);
	out->next = (out->next + 1) % out->slots;
	out->busy++;
	return 1;
}

/* Wait for the oldest one, and send it if @err is 0; otherwise that is left for later. */
static int slot_end(struct vmig_session *s, int err)
{
	struct vmig_pages_out *out = s->pages_out;
	struct vmig_pages_slot *slot;
	struct vmig_batch batch;

	slot = &out->slot[(out->next + out->slots - out->busy--) % out->slots];
	wait_for_completion(&slot->done);
	if (!err)
		err = slot->err;
	vmig_batch_begin(s, &batch);
	if (!err)
		err = vmig_batch_add(&batch, VPV_RECORD_PAGES, 0, &slot->runs.head,
				     vmig_runs_bytes(&slot->runs), slot->chunk, slot->bytes,
				     slot->sum);
	if (err)
		vmig_batch_drop(&batch);
	else
		err = vmig_batch_end(&batch);
	if (err) {
		vmig_pages_put_back(&out->set, &slot->job);
		return err;
	}
	out->pages += slot->job.pages;
	out->zeros += slot->job.pages - slot->bytes / VPV_PAGE_BYTES;
	return 0;
}

/* Wait for the user to read what the next slot has sent. */
static int slot_wait(struct vmig_session *s)
{
	struct vmig_pages_out *out = s->pages_out;

	/* Idle: how long it takes is up to user space. */
	wait_event_idle(s->wait, vmig_emit_stopped(s) || slot_free(&out->slot[out->next]));
	return vmig_emit_stopped(s) ? -ECANCELED : 0;
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
	int more = 1, err = 0;
	u64 at = 0;

	while (!err && (more > 0 || out->busy)) {
		if (more > 0 && out->busy < out->readers && slot_free(&out->slot[out->next])) {
			more = slot_begin(s, &at);
			err = min(more, 0);
		} else if (out->busy) {
			err = slot_end(s, 0);
		} else {
			err = slot_wait(s);
		}
	}
	while (out->busy)
		slot_end(s, err);
	return err;
}
