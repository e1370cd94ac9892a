// SPDX-License-Identifier: GPL-2.0
/*
 * Drives the queues of one function through vpv_uio and keeps their books: every
 * tag completes once, in order, and sequence numbers have no gap and no repeat.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hisil.h"
#include "line.h"

#define USER_BAR	2
#define USER_BYTES	0x20000
#define READY_MS	2000

int hisil_dev_open(struct hisil_dev *dev, const char *path)
{
	int err = uio_open(&dev->uio, path, USER_BAR, USER_BYTES);

	if (err)
		return err;
	if (uio_read32(&dev->uio, HISIL_ID) != HISIL_ID_VALUE)
		return -ENODEV;
	dev->queues = uio_read32(&dev->uio, HISIL_QUEUES) & 0xffff;
	dev->ring_max = 1U << (uio_read32(&dev->uio, HISIL_QUEUES) >> 16 & 0x1f);
	dev->algs = uio_read32(&dev->uio, HISIL_ALGS);
	err = uio_wait(&dev->uio, HISIL_STATUS, HISIL_STATUS_READY, READY_MS);
	if (err)
		return err;
	uio_write32(&dev->uio, HISIL_CTRL, HISIL_CTRL_ENABLE);
	return 0;
}

static int make_slots(struct hisil_dev *dev, struct hisil_queue *q)
{
	size_t half = hisil_slot_bytes(q->block);
	unsigned int i;
	uint8_t *mem;
	uint64_t iova;

	mem = uio_dma_alloc(&dev->uio, q->depth * half * 2, &iova);
	q->slots = calloc(q->depth, sizeof(*q->slots));
	if (!mem || !q->slots)
		return -ENOMEM;
	for (i = 0; i < q->depth; i++) {
		q->slots[i].src = mem + i * half * 2;
		q->slots[i].dst = q->slots[i].src + half;
		q->slots[i].src_iova = iova + i * half * 2;
		q->slots[i].dst_iova = q->slots[i].src_iova + half;
	}
	return 0;
}

int hisil_queue_start(struct hisil_dev *dev, struct hisil_queue *q, unsigned int index,
		      unsigned int depth, uint32_t block)
{
	uint32_t regs = HISIL_Q(index);
	uint64_t sq_iova, cq_iova;

	q->index = index;
	q->depth = depth;
	q->block = block;
	q->rng = 0x9e3779b97f4a7c15ULL * (index + 1);
	q->sq = uio_dma_alloc(&dev->uio, depth * sizeof(*q->sq), &sq_iova);
	q->cq = uio_dma_alloc(&dev->uio, depth * sizeof(*q->cq), &cq_iova);
	if (!q->sq || !q->cq || make_slots(dev, q))
		return -ENOMEM;
	uio_write64(&dev->uio, regs + HISIL_SQ_BASE, sq_iova);
	uio_write64(&dev->uio, regs + HISIL_CQ_BASE, cq_iova);
	uio_write32(&dev->uio, regs + HISIL_SIZE, depth);
	uio_write32(&dev->uio, regs + HISIL_QCTRL, HISIL_QCTRL_ENABLE | HISIL_QCTRL_IRQ);
	return uio_read32(&dev->uio, regs + HISIL_QSTATUS) & HISIL_QSTATUS_ENABLED ? 0 : -EIO;
}

unsigned int hisil_queue_submit(struct hisil_dev *dev, struct hisil_queue *q)
{
	unsigned int n = 0, room = q->depth - hisil_queue_pending(q);

	for (; n < room; n++) {
		uint32_t tag = q->tail++;
		struct hisil_slot *slot = &q->slots[tag % q->depth];
		struct hisil_sqe *sqe = &q->sq[tag % q->depth];

		hisil_op_make(slot, &q->rng, dev->algs, q->block);
		slot->tag = tag;
		memset(sqe, 0, sizeof(*sqe));
		sqe->opcode = slot->opcode;
		/* The newest always interrupts, so that waiting always ends. */
		if (n == room - 1 || tag % (q->depth / 2) == 0)
			sqe->flags = HISIL_SQE_IRQ;
		sqe->tag = tag;
		sqe->src = slot->src_len ? slot->src_iova : 0;
		sqe->dst = slot->dst_len ? slot->dst_iova : 0;
		sqe->src_len = slot->src_len;
		sqe->dst_len = slot->dst_len;
		sqe->arg = slot->arg;
		q->submitted++;
	}
	if (n)
		uio_write32(&dev->uio, HISIL_Q(q->index) + HISIL_SQ_TAIL, q->tail);
	return n;
}

/* Keep the books for one completion; false if it belongs to no operation that is pending. */
static bool account(struct hisil_queue *q, const struct hisil_cqe *cqe)
{
	uint32_t skipped = cqe->tag - q->head;
	uint64_t gap = cqe->seq - q->seq - 1;

	if (skipped >= hisil_queue_pending(q) || cqe->seq <= q->seq) {
		line_log("queue %u: tag %u sequence %llu again, after tag %u sequence %llu",
			q->index, cqe->tag, (unsigned long long)cqe->seq, q->head - 1,
			(unsigned long long)q->seq);
		q->duplicated++;
		return false;
	}
	if (skipped || gap) {
		line_log("queue %u: tag %u sequence %llu, expected %u and %llu", q->index,
			cqe->tag, (unsigned long long)cqe->seq, q->head,
			(unsigned long long)q->seq + 1);
		q->lost += skipped > gap ? skipped : gap;
	}
	q->seq = cqe->seq;
	q->head = cqe->tag + 1;
	return true;
}

static void check(struct hisil_queue *q, const struct hisil_cqe *cqe)
{
	struct hisil_slot *slot = &q->slots[cqe->tag % q->depth];
	const char *error;

	if (cqe->status) {
		line_log("queue %u: tag %u opcode %u failed with status %u", q->index, cqe->tag,
			slot->opcode, cqe->status);
		q->failed++;
		return;
	}
	error = hisil_op_check(slot, cqe, q->block);
	if (error) {
		line_log("queue %u: tag %u opcode %u of %u bytes: wrong: %s", q->index, cqe->tag,
			slot->opcode, slot->bytes, error);
		q->corrupted++;
	}
	q->by_opcode[slot->opcode]++;
}

unsigned int hisil_queue_reap(struct hisil_dev *dev, struct hisil_queue *q)
{
	unsigned int n;

	for (n = 0; n < q->depth; n++) {
		volatile struct hisil_cqe *entry = &q->cq[q->cq_head % q->depth];
		uint16_t phase = (q->cq_head / q->depth & 1) ^ 1;
		struct hisil_cqe cqe;

		if ((entry->phase & 1) != phase)
			break;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		cqe = *(struct hisil_cqe *)entry;
		q->cq_head++;
		q->completed++;
		if (account(q, &cqe))
			check(q, &cqe);
	}
	if (n)
		uio_write32(&dev->uio, HISIL_Q(q->index) + HISIL_CQ_HEAD, q->cq_head);
	return n;
}
