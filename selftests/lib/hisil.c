// SPDX-License-Identifier: GPL-2.0
/* A driver in user space for the user's half of a hisi_like function (hisil.h). */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hisil.h"
#include "migration.h"

#define RING_BYTES	0x2000
#define BATCH_SLOTS	128
#define BATCH_BYTES	64
#define WAIT_MS		5000

uint32_t hisil_read(struct hisil *h, unsigned int reg)
{
	return *(volatile uint32_t *)(h->regs + reg);
}

uint64_t hisil_read64(struct hisil *h, unsigned int reg)
{
	return hisil_read(h, reg) | (uint64_t)hisil_read(h, reg + 4) << 32;
}

void hisil_write(struct hisil *h, unsigned int reg, uint32_t val)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)(h->regs + reg) = val;
}

static void hisil_write64(struct hisil *h, unsigned int reg, uint64_t val)
{
	hisil_write(h, reg, val);
	hisil_write(h, reg + 4, val >> 32);
}

int hisil_init(struct hisil *h)
{
	memset(h, 0, sizeof(*h));
	for (unsigned int i = 0; i < HISIL_MAX_TEST_QUEUES; i++)
		h->irq[i] = -1;
	h->mem = mmap(NULL, HISIL_MEM_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (h->mem != MAP_FAILED)
		return 0;
	h->mem = NULL;
	return -ENOMEM;
}

int hisil_share(struct hisil *h, struct vdev *v)
{
	return vdev_dma_map(v, h->mem, HISIL_MEM_IOVA, HISIL_MEM_BYTES);
}

void hisil_detach(struct hisil *h)
{
	if (h->regs)
		munmap((void *)h->regs, HISIL_USER_BYTES);
	h->regs = NULL;
}

int hisil_attach(struct hisil *h, struct vdev *v)
{
	int err = vdev_cfg_set(v, 4, 2, vdev_cfg(v, 4, 2) | 2);

	if (err)
		return err;
	hisil_detach(h);
	h->v = v;
	h->regs = vdev_bar_map(v, HISIL_BAR, HISIL_USER_BYTES);
	if (!h->regs)
		return -errno;
	return hisil_read(h, HISIL_ID) == HISIL_ID_VALUE ? 0 : -ENODEV;
}

int hisil_enable(struct hisil *h)
{
	int err = vdev_bus_master(h->v, true);

	if (!err)
		hisil_write(h, HISIL_CTRL, 1);
	return err;
}

void hisil_free(struct hisil *h)
{
	hisil_detach(h);
	for (unsigned int i = 0; i < HISIL_MAX_TEST_QUEUES; i++)
		if (h->irq[i] >= 0)
			close(h->irq[i]);
	if (h->mem)
		munmap(h->mem, HISIL_MEM_BYTES);
	h->mem = NULL;
}

int hisil_irq_enable(struct hisil *h, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (h->irq[i] < 0)
			h->irq[i] = eventfd_new();
		if (h->irq[i] < 0)
			return h->irq[i];
	}
	return vdev_irq_eventfds(h->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, count, h->irq);
}

int hisil_queue_start(struct hisil *h, unsigned int q, uint32_t size, bool irq)
{
	struct hisil_queue *hq = &h->queue[q];
	uint32_t sq = q * 2 * RING_BYTES, cq = sq + RING_BYTES;
	unsigned int regs = HISIL_Q(q);

	if (q >= HISIL_MAX_TEST_QUEUES || size > HISIL_MAX_RING)
		return -EINVAL;
	*hq = (struct hisil_queue){
		.q = q, .size = size,
		.sq = (void *)(h->mem + sq), .cq = (void *)(h->mem + cq),
	};
	memset(hq->cq, 0, RING_BYTES);
	hisil_write(h, regs + HISIL_QCTRL, 0);
	hisil_write64(h, regs + HISIL_SQ_BASE, HISIL_MEM_IOVA + sq);
	hisil_write64(h, regs + HISIL_CQ_BASE, HISIL_MEM_IOVA + cq);
	hisil_write(h, regs + HISIL_SIZE, size);
	hisil_write(h, regs + HISIL_QCTRL, HISIL_QCTRL_ENABLE | (irq ? HISIL_QCTRL_IRQ : 0));
	return hisil_read(h, regs + HISIL_QSTATUS) & HISIL_QSTATUS_ENABLED ? 0 : -EIO;
}

void hisil_put(struct hisil *h, unsigned int q, const struct hisil_sqe *e)
{
	struct hisil_queue *hq = &h->queue[q];

	hq->sq[hq->sq_tail++ & (hq->size - 1)] = *e;
}

void hisil_ring(struct hisil *h, unsigned int q)
{
	hisil_write(h, HISIL_Q(q) + HISIL_SQ_TAIL, h->queue[q].sq_tail);
}

int hisil_next(struct hisil *h, unsigned int q, struct hisil_cqe *c, int ms)
{
	struct hisil_queue *hq = &h->queue[q];
	volatile struct hisil_cqe *slot = &hq->cq[hq->cq_head & (hq->size - 1)];
	uint16_t phase = ((hq->cq_head / hq->size) & 1) ^ 1;
	uint64_t end = now_ms() + ms;

	while ((slot->phase & 1) != phase) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(200);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*c = *(struct hisil_cqe *)slot;
	hq->cq_head++;
	hisil_write(h, HISIL_Q(q) + HISIL_CQ_HEAD, hq->cq_head);
	return c->seq == hq->cq_head ? 0 : -EPROTO;
}

int hisil_do(struct hisil *h, unsigned int q, const struct hisil_sqe *e, struct hisil_cqe *c)
{
	int err;

	hisil_put(h, q, e);
	hisil_ring(h, q);
	err = hisil_next(h, q, c, WAIT_MS);
	if (!err && c->tag != e->tag)
		err = -EPROTO;
	return err;
}

uint8_t *hisil_data(struct hisil *h, uint32_t off)
{
	return h->mem + HISIL_MEM_DATA + off;
}

uint64_t hisil_iova(uint32_t off)
{
	return HISIL_MEM_IOVA + HISIL_MEM_DATA + off;
}

struct hisil_sqe hisil_op(enum hisil_op op, uint32_t tag, uint32_t src, uint32_t src_len,
			  uint32_t dst, uint32_t dst_len)
{
	return (struct hisil_sqe){
		.opcode = op, .tag = tag,
		.src = src_len ? hisil_iova(src) : 0, .src_len = src_len,
		.dst = dst_len ? hisil_iova(dst) : 0, .dst_len = dst_len,
	};
}

void hisil_pattern(uint8_t *p, size_t bytes, uint32_t seed)
{
	uint32_t x = seed * 2654435761u + 1;

	/* Runs of equal bytes, so that DEFLATE has something to do. */
	for (size_t i = 0; i < bytes; i++) {
		if (!(i & 7))
			x = x * 1664525u + 1013904223u;
		p[i] = x >> 24;
	}
}

#define WORK_SRC	0x00000
#define WORK_DST	0x10000
#define WORK_PACKED	0x20000
#define WORK_BYTES	10000
#define BATCH		0x28000

static_assert(2 * HISIL_MAX_TEST_QUEUES * RING_BYTES <= HISIL_MEM_DATA, "rings");
static_assert(WORK_PACKED + 2 * WORK_BYTES <= BATCH, "work");
static_assert(HISIL_MEM_DATA + BATCH + 2 * HISIL_MAX_TEST_QUEUES * BATCH_SLOTS * BATCH_BYTES <=
	      HISIL_MEM_BYTES, "batches");

static int work_one(struct hisil *h, unsigned int q, struct hisil_sqe e, struct hisil_cqe *c)
{
	int err = hisil_do(h, q, &e, c);

	if (!err && c->status != HISIL_OK) {
		fprintf(stderr, "# opcode %u: status %u\n", e.opcode, c->status);
		err = -EIO;
	}
	return err;
}

int hisil_work(struct hisil *h, unsigned int q, uint32_t seed)
{
	uint8_t *src = hisil_data(h, WORK_SRC), *dst = hisil_data(h, WORK_DST);
	struct hisil_sqe e;
	struct hisil_cqe c;
	int err;

	hisil_pattern(src, WORK_BYTES, seed);
	memset(dst, 0, WORK_BYTES);
	err = work_one(h, q, hisil_op(HISIL_NOP, seed, 0, 0, 0, 0), &c);
	if (!err)
		err = work_one(h, q, hisil_op(HISIL_COPY, seed + 1, WORK_SRC, WORK_BYTES, WORK_DST,
					      WORK_BYTES), &c);
	if (!err && (memcmp(src, dst, WORK_BYTES) || c.out_len != WORK_BYTES))
		err = -EBADMSG;

	e = hisil_op(HISIL_FILL, seed + 2, 0, 0, WORK_DST, WORK_BYTES);
	e.arg = 0xa5;
	if (!err)
		err = work_one(h, q, e, &c);
	for (unsigned int i = 0; i < WORK_BYTES && !err; i++)
		if (dst[i] != 0xa5)
			err = -EBADMSG;

	e = hisil_op(HISIL_CRC32C, seed + 3, WORK_SRC, WORK_BYTES, 0, 0);
	e.arg = 0x1234;
	if (!err)
		err = work_one(h, q, e, &c);
	if (!err && c.result != crc32c(0x1234, src, WORK_BYTES))
		err = -EBADMSG;

	if (!err)
		err = work_one(h, q, hisil_op(HISIL_DEFLATE, seed + 4, WORK_SRC, WORK_BYTES,
					      WORK_PACKED, 2 * WORK_BYTES), &c);
	if (!err && (!c.out_len || c.out_len >= WORK_BYTES))
		err = -EBADMSG;
	if (!err)
		err = work_one(h, q, hisil_op(HISIL_INFLATE, seed + 5, WORK_PACKED, c.out_len,
					      WORK_DST, WORK_BYTES), &c);
	if (!err && (memcmp(src, dst, WORK_BYTES) || c.out_len != WORK_BYTES))
		err = -EBADMSG;
	return err;
}

/* Source and destination of a numbered copy. */
static uint32_t batch_slot(unsigned int q, uint32_t index, bool dst)
{
	return BATCH + ((q * 2 + dst) * BATCH_SLOTS + index % BATCH_SLOTS) * BATCH_BYTES;
}

void hisil_batch_put(struct hisil *h, unsigned int q, unsigned int count, uint32_t seed)
{
	for (unsigned int i = 0; i < count; i++) {
		uint32_t src = batch_slot(q, i, false), dst = batch_slot(q, i, true);
		struct hisil_sqe e = hisil_op(HISIL_COPY, seed + i, src, BATCH_BYTES, dst,
					      BATCH_BYTES);

		hisil_pattern(hisil_data(h, src), BATCH_BYTES, seed + i);
		memset(hisil_data(h, dst), 0, BATCH_BYTES);
		hisil_put(h, q, &e);
	}
}

int hisil_batch_check(struct hisil *h, unsigned int q, unsigned int count, uint32_t seed)
{
	for (unsigned int i = 0; i < count; i++) {
		struct hisil_cqe c;
		int err = hisil_next(h, q, &c, WAIT_MS);

		if (err) {
			fprintf(stderr, "# queue %u, operation %u of %u: error %d\n", q, i,
				count, err);
			return err;
		}
		if (c.tag != seed + i || c.status != HISIL_OK ||
		    memcmp(hisil_data(h, batch_slot(q, i, false)),
			   hisil_data(h, batch_slot(q, i, true)), BATCH_BYTES)) {
			fprintf(stderr, "# queue %u, operation %u: tag %#x, status %u\n", q, i,
				c.tag, c.status);
			return -EBADMSG;
		}
	}
	return 0;
}
