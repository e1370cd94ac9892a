// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of sessions, all of it counted, bounded and charged.  Pieces of a stream on their
 * way to the reader: small allocations instead of one large one, freed as they are read;
 * the lists belong to the callers.  Chunks, which belong to variants.
 *
 * Charged is the control group of the caller, or the one that set_active_memcg() names:
 * that of whoever opened the session, where its hooks run.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "vmig.h"

/*
 * Room besides the queue and the records: the chunks of a tracker, a reader or writer that
 * was left behind in a page fault.
 */
#define HELD_SPARE_BYTES	SZ_1M

/**
 * vmig_held_limit() - How much may the sessions of a device hold?
 * @desc: Constants of its family.
 *
 * A queue that is full, the piece being read, a record being made or loaded and as much
 * that the device fills or reads; and once more the same, for what an ended session whose
 * reader does not return, or the variant, has not given back yet.
 *
 * Return: bytes.
 */
u64 vmig_held_limit(const struct vmig_desc *desc)
{
	u64 queue = desc->max_queued ?: VMIG_MAX_QUEUED_DEFAULT;

	return 2 * (queue + 3ULL * max(desc->max_payload, VMIG_BUF_BYTES)) + HELD_SPARE_BYTES;
}

static bool held_add(struct vmig_machine *m, size_t bytes)
{
	bool fits;

	spin_lock(&m->lock);
	fits = bytes <= m->held_limit - m->held;
	if (fits)
		m->held += bytes;
	m->held_most = max(m->held_most, m->held);
	spin_unlock(&m->lock);
	if (!fits)
		dev_warn_ratelimited(m->mig->vdev->dev,
				     "migration: no %zu bytes more: sessions hold all of %llu\n",
				     bytes, m->held_limit);
	return fits;
}

static void held_sub(struct vmig_machine *m, size_t bytes)
{
	spin_lock(&m->lock);
	m->held -= bytes;
	spin_unlock(&m->lock);
}

/**
 * vmig_alloc() - Allocate memory that is counted
 * @m: Machine.
 * @bytes: Size; may be 0.
 *
 * Context: a lock that keeps m->mig.
 * Return: memory that is not NULL, not zeroed; or NULL.
 */
void *vmig_alloc(struct vmig_machine *m, size_t bytes)
{
	void *p;

	if (!held_add(m, bytes))
		return NULL;
	p = kvmalloc(max_t(size_t, bytes, 1), GFP_KERNEL_ACCOUNT);
	if (!p)
		held_sub(m, bytes);
	return p;
}

/**
 * vmig_free() - Free it
 * @m: Machine.
 * @p: What vmig_alloc() returned; also NULL, with a size of 0.
 * @bytes: Its size.
 */
void vmig_free(struct vmig_machine *m, void *p, size_t bytes)
{
	kvfree(p);
	held_sub(m, bytes);
}

/**
 * vmig_bufs_alloc() - Make room
 * @m: Machine; outlives the list.
 * @bufs: Empty list.
 * @bytes: Room needed.
 *
 * Return: 0 or -ENOMEM, with @bufs empty.
 */
int vmig_bufs_alloc(struct vmig_machine *m, struct list_head *bufs, size_t bytes)
{
	const size_t most = VMIG_BUF_BYTES - sizeof(struct vmig_buf);

	while (bytes) {
		size_t room = min(bytes, most);
		struct vmig_buf *buf;

		buf = vmig_alloc(m, struct_size(buf, data, room));
		if (!buf) {
			vmig_bufs_free(bufs);
			return -ENOMEM;
		}
		buf->m = m;
		buf->room = room;
		buf->fill = 0;
		buf->pos = 0;
		buf->chunk = NULL;
		buf->from = buf->data;
		list_add_tail(&buf->node, bufs);
		bytes -= room;
	}
	return 0;
}

/**
 * vmig_bufs_put() - Append bytes to what is in a list already
 * @bufs: List with enough room.
 * @data: Bytes.
 * @bytes: Their number.
 */
void vmig_bufs_put(struct list_head *bufs, const void *data, size_t bytes)
{
	struct vmig_buf *buf;

	list_for_each_entry(buf, bufs, node) {
		size_t n = min_t(size_t, bytes, buf->room - buf->fill);

		memcpy(buf->data + buf->fill, data, n);
		buf->fill += n;
		data += n;
		bytes -= n;
	}
}

/**
 * vmig_bufs_add_chunk() - Append memory of a variant, without a copy
 * @m: Machine; outlives the list.
 * @bufs: List; may be empty.
 * @chunk: Memory; referenced until it was read.
 * @bytes: How much of it.
 *
 * Return: 0 or -ENOMEM, with @bufs as it was.
 */
int vmig_bufs_add_chunk(struct vmig_machine *m, struct list_head *bufs,
			struct vmig_chunk *chunk, size_t bytes)
{
	struct vmig_buf *buf = vmig_alloc(m, sizeof(*buf));

	if (!buf)
		return -ENOMEM;
	buf->m = m;
	buf->room = bytes;
	buf->fill = bytes;
	buf->pos = 0;
	buf->chunk = vmig_chunk_get(chunk);
	buf->from = chunk->data;
	list_add_tail(&buf->node, bufs);
	return 0;
}

/**
 * vmig_buf_free() - Free a piece that is in no list
 * @buf: Piece.
 */
void vmig_buf_free(struct vmig_buf *buf)
{
	if (!buf)
		return;
	if (buf->chunk) {
		vmig_chunk_put(buf->chunk);
		vmig_free(buf->m, buf, sizeof(*buf));
	} else {
		vmig_free(buf->m, buf, struct_size(buf, data, buf->room));
	}
}

/**
 * vmig_bufs_free() - Free all pieces of a list
 * @bufs: List; empty afterwards.
 */
void vmig_bufs_free(struct list_head *bufs)
{
	struct vmig_buf *buf, *next;

	list_for_each_entry_safe(buf, next, bufs, node)
		vmig_buf_free(buf);
	INIT_LIST_HEAD(bufs);
}

struct vmig_chunk *vmig_chunk_alloc(struct vmig_dev *mig, size_t bytes)
{
	struct vmig_chunk *chunk = kzalloc_obj(*chunk, GFP_KERNEL_ACCOUNT);

	if (!chunk)
		return NULL;
	if (!held_add(mig->m, bytes))
		goto free;
	/* Zeroed: what the device does not write must not be old memory. */
	chunk->data = kvzalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!chunk->data)
		goto sub;
	refcount_set(&chunk->ref, 1);
	chunk->bytes = bytes;
	chunk->m = mig->m;
	vmig_machine_get(chunk->m);
	return chunk;

sub:
	held_sub(mig->m, bytes);
free:
	kfree(chunk);
	return NULL;
}
EXPORT_SYMBOL_GPL(vmig_chunk_alloc);

/**
 * vmig_chunk_get() - Take a reference
 * @chunk: Chunk.
 *
 * Return: @chunk.
 */
struct vmig_chunk *vmig_chunk_get(struct vmig_chunk *chunk)
{
	refcount_inc(&chunk->ref);
	return chunk;
}

void vmig_chunk_put(struct vmig_chunk *chunk)
{
	if (!chunk || !refcount_dec_and_test(&chunk->ref))
		return;
	kvfree(chunk->data);
	held_sub(chunk->m, chunk->bytes);
	vmig_machine_put(chunk->m);
	kfree(chunk);
}
EXPORT_SYMBOL_GPL(vmig_chunk_put);

bool vmig_chunk_shared(const struct vmig_chunk *chunk)
{
	if (refcount_read(&chunk->ref) > 1)
		return true;
	/* What the last reader read was read before it is overwritten. */
	smp_acquire__after_ctrl_dep();
	return false;
}
EXPORT_SYMBOL_GPL(vmig_chunk_shared);
