// SPDX-License-Identifier: GPL-2.0
/*
 * Save sessions: records, of the family or of the container, into the queue.
 */
#include <linux/export.h>
#include <linux/slab.h>

#include "session_priv.h"

/* Must the hook that runs return?  Under s->lock. */
static bool must_stop(const struct vmig_session *s)
{
	return s->err || s->paused || s->restart;
}

/**
 * vmig_emit_stopped() - Must the hook that runs return?
 * @s: Save session: it has failed, a state change waits, or the function was reset.
 */
bool vmig_emit_stopped(struct vmig_session *s)
{
	bool stopped;

	spin_lock(&s->lock);
	stopped = must_stop(s);
	spin_unlock(&s->lock);
	return stopped;
}

bool vmig_stopped(struct vmig_dev *mig)
{
	struct vmig_machine *m = mig->m;
	bool stopped;

	spin_lock(&m->lock);
	stopped = (m->saving && vmig_emit_stopped(m->saving)) ||
		  (m->resuming && vmig_emit_stopped(m->resuming));
	spin_unlock(&m->lock);
	return stopped;
}
EXPORT_SYMBOL_GPL(vmig_stopped);

/* Is the queue short enough, or must the hook return?  If neither, the reader tells when. */
static bool is_short(struct vmig_session *s, u64 most)
{
	bool ok;

	spin_lock(&s->lock);
	ok = must_stop(s) || s->queued <= most;
	s->tell_below = ok ? 0 : most + 1;
	spin_unlock(&s->lock);
	return ok;
}

/**
 * vmig_emit_wait() - Wait for the reader
 * @s: Save session; the caller is its only producer.
 * @most: What it may leave in the queue.
 *
 * Return: 0; or -ECANCELED: the hook must return.
 */
int vmig_emit_wait(struct vmig_session *s, u64 most)
{
	/* Idle: how long it takes is up to user space. */
	wait_event_idle(s->wait, is_short(s, most));
	return vmig_emit_stopped(s) ? -ECANCELED : 0;
}

/* Wait until there is room for so many bytes. */
static int wait_for_room(struct vmig_session *s, size_t bytes)
{
	u64 most = vmig_queue_bytes(s->m->mig->desc);

	return vmig_emit_wait(s, most - min_t(u64, most, bytes));
}

/* @bufs becomes the reader's, unless the session was stopped meanwhile. */
static int queue_bufs(struct vmig_session *s, struct list_head *bufs, size_t bytes)
{
	int err = 0;

	spin_lock(&s->lock);
	if (must_stop(s)) {
		err = -ECANCELED;
	} else {
		list_splice_tail_init(bufs, &s->queue);
		s->queued += bytes;
		if (!s->final && (!s->round || s->fresh == VMIG_FRESH_COMING))
			s->initial += bytes;
		s->dirty -= min_t(u64, s->dirty, bytes);
	}
	spin_unlock(&s->lock);

	if (!err)
		wake_up_all(&s->wait);
	vmig_bufs_free(bufs);
	return err;
}

/**
 * vmig_emit_raw() - Append bytes that are no record
 * @s: Save session.
 * @data: Bytes.
 * @bytes: Their number.
 *
 * Does not wait for room.
 * Return: 0 or a negative errno: nothing was appended.
 */
int vmig_emit_raw(struct vmig_session *s, const void *data, size_t bytes)
{
	LIST_HEAD(bufs);
	int err = vmig_bufs_alloc(s->m, &bufs, bytes);

	if (err)
		return err;
	vmig_bufs_put(&bufs, data, bytes);
	return queue_bufs(s, &bufs, bytes);
}

/**
 * vmig_emit_own() - Append a record, of the container or of the family
 * @s: Save session.
 * @type: Type.
 * @flags: VPV_RECORD_OPTIONAL or 0.
 * @data: Payload.
 * @bytes: Its size.
 *
 * Does not wait for room.
 * Return: 0 or a negative errno: nothing was appended.
 */
int vmig_emit_own(struct vmig_session *s, u32 type, u32 flags, const void *data, size_t bytes)
{
	struct vmig_writer writer = s->writer;
	struct vpv_stream_record head;
	LIST_HEAD(bufs);
	int err;

	lockdep_assert_held(&s->m->state_lock);

	vmig_emit_head(&writer, type, flags, data, bytes, &head);
	err = vmig_bufs_alloc(s->m, &bufs, sizeof(head) + bytes);
	if (err)
		return err;
	vmig_bufs_put(&bufs, &head, sizeof(head));
	vmig_bufs_put(&bufs, data, bytes);

	err = queue_bufs(s, &bufs, sizeof(head) + bytes);
	if (!err)
		s->writer = writer;
	return err;
}

/* May a hook emit this now? */
static int admit(struct vmig_session *s, u32 type, u32 flags, size_t bytes)
{
	if (type < VPV_RECORD_FAMILY || (flags & ~VPV_RECORD_OPTIONAL))
		return -EINVAL;
	if (bytes > s->m->mig->desc->max_payload)
		return -EMSGSIZE;
	return wait_for_room(s, sizeof(struct vpv_stream_record) + bytes);
}

int vmig_emit(struct vmig_emit *em, u32 type, u32 flags, const void *data, size_t bytes)
{
	int err = admit(em->s, type, flags, bytes);

	return err ?: vmig_emit_own(em->s, type, flags, data, bytes);
}
EXPORT_SYMBOL_GPL(vmig_emit);

/**
 * vmig_batch_begin() - Begin records that the reader gets all at once
 * @s: Save session; nothing else is appended to it before vmig_batch_end().
 * @b: Batch.
 */
void vmig_batch_begin(struct vmig_session *s, struct vmig_batch *b)
{
	lockdep_assert_held(&s->m->state_lock);

	INIT_LIST_HEAD(&b->bufs);
	b->s = s;
	b->writer = s->writer;
	b->bytes = 0;
}

/**
 * vmig_batch_add() - The next record, of which the sum is known
 * @b: Batch.
 * @type: Type.
 * @flags: VPV_RECORD_OPTIONAL or 0.
 * @head: First bytes of the payload; copied.
 * @head_bytes: Their number.
 * @chunk: The rest; not copied.
 * @bytes: Its size; 0: @chunk is not used.
 * @sum: Of the payload.
 *
 * Return: 0 or -ENOMEM; then the batch is to be dropped.
 */
int vmig_batch_add(struct vmig_batch *b, u32 type, u32 flags, const void *head,
		   size_t head_bytes, struct vmig_chunk *chunk, size_t bytes, u64 sum)
{
	struct vpv_stream_record record;
	LIST_HEAD(bufs);
	int err;

	vmig_emit_head_sum(&b->writer, type, flags, head_bytes + bytes, sum, &record);
	err = vmig_bufs_alloc(b->s->m, &bufs, sizeof(record) + head_bytes);
	if (err)
		return err;
	vmig_bufs_put(&bufs, &record, sizeof(record));
	vmig_bufs_put(&bufs, head, head_bytes);
	if (bytes)
		err = vmig_bufs_add_chunk(b->s->m, &bufs, chunk, bytes);
	list_splice_tail(&bufs, &b->bufs);
	b->bytes += sizeof(record) + head_bytes + bytes;
	return err;
}

/**
 * vmig_batch_drop() - Drop what was added
 * @b: Batch.
 */
void vmig_batch_drop(struct vmig_batch *b)
{
	vmig_bufs_free(&b->bufs);
}

/* Does not wait for room.  Return: 0 or -ECANCELED: it was dropped. */
static int batch_queue(struct vmig_batch *b)
{
	int err = queue_bufs(b->s, &b->bufs, b->bytes);

	if (!err)
		b->s->writer = b->writer;
	return err;
}

/**
 * vmig_batch_end() - Give it to the reader
 * @b: Batch.
 *
 * Waits for room.
 * Return: 0; or -ECANCELED: it was dropped, and the hook must return.
 */
int vmig_batch_end(struct vmig_batch *b)
{
	int err = wait_for_room(b->s, b->bytes);

	if (!err)
		return batch_queue(b);
	vmig_batch_drop(b);
	return err;
}

int vmig_emit_chunk(struct vmig_emit *em, u32 type, u32 flags, const void *head,
		    size_t head_bytes, struct vmig_chunk *chunk, size_t bytes)
{
	struct vmig_sum sum = {};
	struct vmig_batch batch;
	int err;

	if (!bytes || bytes > chunk->bytes)
		return -EINVAL;
	err = admit(em->s, type, flags, head_bytes + bytes);
	if (err)
		return err;
	vmig_sum_add(&sum, head, head_bytes);
	vmig_sum_add(&sum, chunk->data, bytes);
	vmig_batch_begin(em->s, &batch);
	err = vmig_batch_add(&batch, type, flags, head, head_bytes, chunk, bytes,
			     vmig_sum_end(&sum));
	if (!err)
		return batch_queue(&batch);
	vmig_batch_drop(&batch);
	return err;
}
EXPORT_SYMBOL_GPL(vmig_emit_chunk);
