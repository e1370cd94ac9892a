// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: split virtqueues.  All memory of a user is read and written here, and every
 * write passes the tracker.  The ledger of the runtime is filled behind vu_dma_write().
 */
#include <errno.h>
#include <string.h>

#include "mlx5_like.h"

#define DESC_BYTES		16u
#define DESC_F_NEXT		1u
#define DESC_F_WRITE		2u
#define DESC_F_INDIRECT		4u
#define AVAIL_F_NO_INTERRUPT	1u

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

static int fn_read(struct mlxl_fn *fn, uint64_t iova, void *buf, size_t bytes)
{
	uint64_t epoch = fn->epoch;
	int err = vu_dma_read(fn->dev, iova, buf, bytes);

	return fn->epoch != epoch ? -ECANCELED : err;
}

static int fn_write(struct mlxl_fn *fn, uint64_t iova, const void *buf, size_t bytes)
{
	uint64_t epoch = fn->epoch;
	int err;

	mlxl_track_mark(fn, iova, bytes);
	err = vu_dma_write(fn->dev, iova, buf, bytes);
	return fn->epoch != epoch ? -ECANCELED : err;
}

/* ---- available ring ---- */

int mlxl_ring_fetch(struct mlxl_fn *fn, struct mlxl_queue *q)
{
	uint16_t index, waiting, to_end, count;
	int err;

	if (q->parked == MLXL_PARKED)
		return 0;
	err = fn_read(fn, q->driver + 2, &index, sizeof(index));
	if (err)
		return err;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	waiting = (uint16_t)(index - q->avail);
	if (waiting > q->size)
		return -EBADMSG;
	to_end = (uint16_t)(q->size - (q->avail & (q->size - 1)));
	count = (uint16_t)(MLXL_PARKED - q->parked);
	if (count > waiting)
		count = waiting;
	if (count > to_end)
		count = to_end;
	if (!count)
		return q->parked ? 0 : -EAGAIN;
	err = fn_read(fn, q->driver + 4 + 2ull * (q->avail & (q->size - 1)),
		      &q->heads[q->parked], count * sizeof(q->heads[0]));
	if (err)
		return err;
	for (unsigned int i = 0; i < count; i++)
		if (q->heads[q->parked + i] >= q->size)
			return -EBADMSG;
	q->parked = (uint16_t)(q->parked + count);
	q->avail = (uint16_t)(q->avail + count);
	return 0;
}

/* ---- descriptors ---- */

static int add_part(struct mlxl_chain *chain, const struct desc *d)
{
	unsigned int at = chain->readable + chain->writable;

	if (at == MLXL_MAX_PARTS || d->addr + d->len < d->addr)
		return -EBADMSG;
	if (d->flags & DESC_F_WRITE) {
		chain->writable++;
		chain->write_bytes += d->len;
	} else {
		if (chain->writable)
			return -EBADMSG;
		chain->readable++;
		chain->read_bytes += d->len;
	}
	chain->parts[at] = (struct mlxl_part) { d->addr, d->len };
	return 0;
}

/* Walk one table from @index; an indirect descriptor is returned in *indirect. */
static int walk(struct mlxl_fn *fn, uint64_t table, uint32_t size, uint32_t index,
		struct mlxl_chain *chain, struct desc *indirect)
{
	struct desc d;

	for (uint32_t steps = 0; steps < size; steps++) {
		int err = fn_read(fn, table + (uint64_t)index * DESC_BYTES, &d, sizeof(d));

		if (err)
			return err;
		if (d.flags & DESC_F_INDIRECT) {
			/* not nested, alone in what is left of the chain */
			if (!indirect || (d.flags & DESC_F_NEXT) || !d.len ||
			    d.len % DESC_BYTES || d.len / DESC_BYTES > MLXL_MAX_PARTS)
				return -EBADMSG;
			*indirect = d;
			return 0;
		}
		err = add_part(chain, &d);
		if (err)
			return err;
		if (!(d.flags & DESC_F_NEXT))
			return 0;
		index = d.next;
		if (index >= size)
			return -EBADMSG;
	}
	return -EBADMSG;
}

int mlxl_ring_peek(struct mlxl_fn *fn, struct mlxl_queue *q, unsigned int nth,
		   struct mlxl_chain *chain)
{
	struct desc indirect = { .len = 0 };
	int err;

	memset(chain, 0, sizeof(*chain));
	chain->head = q->heads[nth];
	err = walk(fn, q->desc, q->size, chain->head, chain, &indirect);
	if (!err && indirect.len)
		err = walk(fn, indirect.addr, indirect.len / DESC_BYTES, 0, chain, NULL);
	return err;
}

static int move(struct mlxl_fn *fn, const struct mlxl_part *parts, unsigned int count,
		bool write, uint8_t *buf, size_t bytes)
{
	for (unsigned int i = 0; i < count && bytes; i++) {
		size_t n = parts[i].bytes < bytes ? parts[i].bytes : bytes;
		int err = write ? fn_write(fn, parts[i].iova, buf, n) :
				  fn_read(fn, parts[i].iova, buf, n);

		if (err)
			return err;
		buf += n;
		bytes -= n;
	}
	return bytes ? -EBADMSG : 0;
}

int mlxl_chain_read(struct mlxl_fn *fn, const struct mlxl_chain *chain, void *buf, size_t bytes)
{
	return move(fn, chain->parts, chain->readable, false, buf, bytes);
}

int mlxl_chain_write(struct mlxl_fn *fn, const struct mlxl_chain *chain, const void *buf,
		     size_t bytes)
{
	return move(fn, chain->parts + chain->readable, chain->writable, true,
		    (uint8_t *)(uintptr_t)buf, bytes);
}

/* ---- used ring ---- */

int mlxl_ring_used(struct mlxl_fn *fn, struct mlxl_queue *q, unsigned int nth, uint16_t head,
		   uint32_t bytes)
{
	const uint32_t entry[2] = { head, bytes };
	uint16_t slot = (uint16_t)(q->used + nth) & (uint16_t)(q->size - 1);

	return fn_write(fn, q->device + 4 + 8ull * slot, entry, sizeof(entry));
}

int mlxl_ring_publish(struct mlxl_fn *fn, struct mlxl_queue *q, unsigned int count)
{
	uint16_t index = (uint16_t)(q->used + count);
	int err;

	__atomic_thread_fence(__ATOMIC_RELEASE);
	err = fn_write(fn, q->device + 2, &index, sizeof(index));
	if (!err) {
		q->used = index;
		q->parked = (uint16_t)(q->parked - count);
		memmove(&q->heads[0], &q->heads[count], q->parked * sizeof(q->heads[0]));
	}
	return err;
}

int mlxl_ring_interrupt(struct mlxl_fn *fn, struct mlxl_queue *q)
{
	uint16_t flags;
	int err;

	/* The driver sets flags and then looks for work: the other way round here. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	err = fn_read(fn, q->driver, &flags, sizeof(flags));
	if (!err && !(flags & AVAIL_F_NO_INTERRUPT) && q->vector != MLXL_NO_VECTOR)
		vu_msix_raise(fn->dev, q->vector);
	return err;
}
