// SPDX-License-Identifier: GPL-2.0
/*
 * Pieces of a stream on their way to the reader: small allocations instead of one
 * large one, freed as they are read.  No locks: the lists belong to the callers.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "vmig.h"

/**
 * vmig_bufs_alloc() - Make room
 * @bufs: Empty list.
 * @bytes: Room needed.
 *
 * Return: 0 or -ENOMEM, with @bufs empty.
 */
int vmig_bufs_alloc(struct list_head *bufs, size_t bytes)
{
	const size_t most = VMIG_BUF_BYTES - sizeof(struct vmig_buf);

	while (bytes) {
		size_t room = min(bytes, most);
		struct vmig_buf *buf;

		buf = kvmalloc(struct_size(buf, data, room), GFP_KERNEL_ACCOUNT);
		if (!buf) {
			vmig_bufs_free(bufs);
			return -ENOMEM;
		}
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
 * @bufs: List; may be empty.
 * @chunk: Memory; referenced until it was read.
 * @bytes: How much of it.
 *
 * Return: 0 or -ENOMEM, with @bufs as it was.
 */
int vmig_bufs_add_chunk(struct list_head *bufs, struct vmig_chunk *chunk, size_t bytes)
{
	struct vmig_buf *buf = kmalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);

	if (!buf)
		return -ENOMEM;
	refcount_inc(&chunk->ref);
	buf->room = bytes;
	buf->fill = bytes;
	buf->pos = 0;
	buf->chunk = chunk;
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
	if (buf && buf->chunk)
		vmig_chunk_put(buf->chunk);
	kvfree(buf);
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

struct vmig_chunk *vmig_chunk_alloc(size_t bytes)
{
	struct vmig_chunk *chunk = kzalloc_obj(*chunk, GFP_KERNEL_ACCOUNT);

	if (!chunk)
		return NULL;
	/* Zeroed: what the device does not write must not be old memory. */
	chunk->data = kvzalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!chunk->data) {
		kfree(chunk);
		return NULL;
	}
	refcount_set(&chunk->ref, 1);
	chunk->bytes = bytes;
	return chunk;
}
EXPORT_SYMBOL_GPL(vmig_chunk_alloc);

void vmig_chunk_put(struct vmig_chunk *chunk)
{
	if (!chunk || !refcount_dec_and_test(&chunk->ref))
		return;
	kvfree(chunk->data);
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
