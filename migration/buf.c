// SPDX-License-Identifier: GPL-2.0
/*
 * Pieces of a stream on their way to the reader: small allocations instead of one
 * large one, freed as they are read.  No locks: the lists belong to the callers.
 */
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
 * vmig_bufs_free() - Free all pieces of a list
 * @bufs: List; empty afterwards.
 */
void vmig_bufs_free(struct list_head *bufs)
{
	struct vmig_buf *buf, *next;

	list_for_each_entry_safe(buf, next, bufs, node)
		kvfree(buf);
	INIT_LIST_HEAD(bufs);
}
