// SPDX-License-Identifier: GPL-2.0
/*
 * Pieces of a stream on their way to the reader: small allocations instead of one large
 * one, freed as they are read.  The lists belong to the callers.
 */
#include <linux/overflow.h>

#include "session_priv.h"

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
	const size_t most = VMIG_BUF_BYTES - VMIG_ALLOC_FRONT_BYTES - sizeof(struct vmig_buf);

	while (bytes) {
		size_t room = min(bytes, most);
		struct vmig_buf *buf;

		buf = vmig_alloc(m, struct_size(buf, data, room));
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
	vmig_chunk_put(buf->chunk);
	vmig_free(buf);
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
