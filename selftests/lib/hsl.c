// SPDX-License-Identifier: GPL-2.0
/* A driver in user space for the user's half of a hisi_like function (hsl.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hsl.h"
#include "migration.h"

#define RING_BYTES	0x2000
#define BATCH_BYTES	64
#define WAIT_MS		5000

_Static_assert(sizeof(struct hsl_sqe) == 64, "submission entry");
_Static_assert(sizeof(struct hsl_cqe) == 32, "completion entry");

uint32_t hsl_read(struct hsl *h, unsigned int reg)
{
	return *(volatile uint32_t *)(h->regs + reg);
}

uint64_t hsl_read64(struct hsl *h, unsigned int reg)
{
	return hsl_read(h, reg) | (uint64_t)hsl_read(h, reg + 4) << 32;
}

void hsl_write(struct hsl *h, unsigned int reg, uint32_t val)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)(h->regs + reg) = val;
}

static void hsl_write64(struct hsl *h, unsigned int reg, uint64_t val)
{
	hsl_write(h, reg, val);
	hsl_write(h, reg + 4, val >> 32);
}

int hsl_init(struct hsl *h)
{
	memset(h, 0, sizeof(*h));
	for (unsigned int i = 0; i < HSL_MAX_TEST_QUEUES; i++)
		h->irq[i] = -1;
	h->mem = mmap(NULL, HSL_MEM_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (h->mem != MAP_FAILED)
		return 0;
	h->mem = NULL;
	return -ENOMEM;
}

int hsl_share(struct hsl *h, struct vdev *v)
{
	return vdev_dma_map(v, h->mem, HSL_MEM_IOVA, HSL_MEM_BYTES);
}

void hsl_detach(struct hsl *h)
{
	if (h->regs)
		munmap((void *)h->regs, HSL_BAR_BYTES);
	h->regs = NULL;
}

int hsl_attach(struct hsl *h, struct vdev *v)
{
	int err = vdev_cfg_set(v, 4, 2, vdev_cfg(v, 4, 2) | 2);

	if (err)
		return err;
	hsl_detach(h);
	h->v = v;
	h->regs = vdev_bar_map(v, HSL_BAR, HSL_BAR_BYTES);
	if (!h->regs)
		return -errno;
	return hsl_read(h, HSL_ID) == HSL_ID_VALUE ? 0 : -ENODEV;
}

int hsl_enable(struct hsl *h)
{
	int err = vdev_bus_master(h->v, true);

	if (!err)
		hsl_write(h, HSL_CTRL, 1);
	return err;
}

void hsl_free(struct hsl *h)
{
	hsl_detach(h);
	for (unsigned int i = 0; i < HSL_MAX_TEST_QUEUES; i++)
		if (h->irq[i] >= 0)
			close(h->irq[i]);
	if (h->mem)
		munmap(h->mem, HSL_MEM_BYTES);
	h->mem = NULL;
}

int hsl_irq_enable(struct hsl *h, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (h->irq[i] < 0)
			h->irq[i] = eventfd_new();
		if (h->irq[i] < 0)
			return h->irq[i];
	}
	return vdev_irq_eventfds(h->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, count, h->irq);
}

int hsl_queue_start(struct hsl *h, unsigned int q, uint32_t size, bool irq)
{
	struct hsl_queue *hq = &h->queue[q];
	uint32_t sq = q * 2 * RING_BYTES, cq = sq + RING_BYTES;
	unsigned int regs = HSL_Q(q);

	if (q >= HSL_MAX_TEST_QUEUES || size > HSL_MAX_RING)
		return -EINVAL;
	*hq = (struct hsl_queue){
		.q = q, .size = size,
		.sq = (void *)(h->mem + sq), .cq = (void *)(h->mem + cq),
	};
	memset(hq->cq, 0, RING_BYTES);
	hsl_write(h, regs + HSL_QCTRL, 0);
	hsl_write64(h, regs + HSL_SQ_BASE, HSL_MEM_IOVA + sq);
	hsl_write64(h, regs + HSL_CQ_BASE, HSL_MEM_IOVA + cq);
	hsl_write(h, regs + HSL_SIZE, size);
	hsl_write(h, regs + HSL_QCTRL, HSL_QCTRL_ENABLE | (irq ? HSL_QCTRL_IRQ : 0));
	return hsl_read(h, regs + HSL_QSTATUS) & HSL_QSTATUS_ENABLED ? 0 : -EIO;
}

void hsl_put(struct hsl *h, unsigned int q, const struct hsl_sqe *e)
{
	struct hsl_queue *hq = &h->queue[q];

	hq->sq[hq->sq_tail++ & (hq->size - 1)] = *e;
}

void hsl_ring(struct hsl *h, unsigned int q)
{
	hsl_write(h, HSL_Q(q) + HSL_SQ_TAIL, h->queue[q].sq_tail);
}

int hsl_next(struct hsl *h, unsigned int q, struct hsl_cqe *c, int ms)
{
	struct hsl_queue *hq = &h->queue[q];
	volatile struct hsl_cqe *slot = &hq->cq[hq->cq_head & (hq->size - 1)];
	uint16_t phase = ((hq->cq_head / hq->size) & 1) ^ 1;
	uint64_t end = now_ms() + ms;

	while ((slot->phase & 1) != phase) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(200);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*c = *(struct hsl_cqe *)slot;
	hq->cq_head++;
	hsl_write(h, HSL_Q(q) + HSL_CQ_HEAD, hq->cq_head);
	return c->seq == hq->cq_head ? 0 : -EPROTO;
}

int hsl_do(struct hsl *h, unsigned int q, const struct hsl_sqe *e, struct hsl_cqe *c)
{
	int err;

	hsl_put(h, q, e);
	hsl_ring(h, q);
	err = hsl_next(h, q, c, WAIT_MS);
	if (!err && c->tag != e->tag)
		err = -EPROTO;
	return err;
}

uint8_t *hsl_data(struct hsl *h, uint32_t off)
{
	return h->mem + HSL_MEM_DATA + off;
}

uint64_t hsl_iova(uint32_t off)
{
	return HSL_MEM_IOVA + HSL_MEM_DATA + off;
}

struct hsl_sqe hsl_op(enum hsl_op op, uint32_t tag, uint32_t src, uint32_t src_len,
		      uint32_t dst, uint32_t dst_len)
{
	return (struct hsl_sqe){
		.opcode = op, .tag = tag,
		.src = src_len ? hsl_iova(src) : 0, .src_len = src_len,
		.dst = dst_len ? hsl_iova(dst) : 0, .dst_len = dst_len,
	};
}

void hsl_pattern(uint8_t *p, size_t bytes, uint32_t seed)
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

static int work_one(struct hsl *h, unsigned int q, struct hsl_sqe e, struct hsl_cqe *c)
{
	int err = hsl_do(h, q, &e, c);

	if (!err && c->status != HSL_OK) {
		fprintf(stderr, "# opcode %u: status %u\n", e.opcode, c->status);
		err = -EIO;
	}
	return err;
}

int hsl_work(struct hsl *h, unsigned int q, uint32_t seed)
{
	uint8_t *src = hsl_data(h, WORK_SRC), *dst = hsl_data(h, WORK_DST);
	struct hsl_sqe e;
	struct hsl_cqe c;
	int err;

	hsl_pattern(src, WORK_BYTES, seed);
	memset(dst, 0, WORK_BYTES);
	err = work_one(h, q, hsl_op(HSL_NOP, seed, 0, 0, 0, 0), &c);
	if (!err)
		err = work_one(h, q, hsl_op(HSL_COPY, seed + 1, WORK_SRC, WORK_BYTES, WORK_DST,
					    WORK_BYTES), &c);
	if (!err && (memcmp(src, dst, WORK_BYTES) || c.out_len != WORK_BYTES))
		err = -EBADMSG;

	e = hsl_op(HSL_FILL, seed + 2, 0, 0, WORK_DST, WORK_BYTES);
	e.arg = 0xa5;
	if (!err)
		err = work_one(h, q, e, &c);
	for (unsigned int i = 0; i < WORK_BYTES && !err; i++)
		if (dst[i] != 0xa5)
			err = -EBADMSG;

	e = hsl_op(HSL_CRC32C, seed + 3, WORK_SRC, WORK_BYTES, 0, 0);
	e.arg = 0x1234;
	if (!err)
		err = work_one(h, q, e, &c);
	if (!err && c.result != crc32c(0x1234, src, WORK_BYTES))
		err = -EBADMSG;

	if (!err)
		err = work_one(h, q, hsl_op(HSL_DEFLATE, seed + 4, WORK_SRC, WORK_BYTES,
					    WORK_PACKED, 2 * WORK_BYTES), &c);
	if (!err && (!c.out_len || c.out_len >= WORK_BYTES))
		err = -EBADMSG;
	if (!err)
		err = work_one(h, q, hsl_op(HSL_INFLATE, seed + 5, WORK_PACKED, c.out_len,
					    WORK_DST, WORK_BYTES), &c);
	if (!err && (memcmp(src, dst, WORK_BYTES) || c.out_len != WORK_BYTES))
		err = -EBADMSG;
	return err;
}

/* Source and destination of a numbered copy: 128 slots a queue. */
static uint32_t batch_slot(unsigned int q, uint32_t index, bool dst)
{
	return 0x40000 + ((q * 2 + dst) * 128 + index % 128) * BATCH_BYTES;
}

void hsl_batch_put(struct hsl *h, unsigned int q, unsigned int count, uint32_t seed)
{
	for (unsigned int i = 0; i < count; i++) {
		uint32_t src = batch_slot(q, i, false), dst = batch_slot(q, i, true);
		struct hsl_sqe e = hsl_op(HSL_COPY, seed + i, src, BATCH_BYTES, dst,
					  BATCH_BYTES);

		hsl_pattern(hsl_data(h, src), BATCH_BYTES, seed + i);
		memset(hsl_data(h, dst), 0, BATCH_BYTES);
		hsl_put(h, q, &e);
	}
}

int hsl_batch_check(struct hsl *h, unsigned int q, unsigned int count, uint32_t seed)
{
	for (unsigned int i = 0; i < count; i++) {
		struct hsl_cqe c;
		int err = hsl_next(h, q, &c, WAIT_MS);

		if (err) {
			fprintf(stderr, "# queue %u, operation %u of %u: error %d\n", q, i,
				count, err);
			return err;
		}
		if (c.tag != seed + i || c.status != HSL_OK ||
		    memcmp(hsl_data(h, batch_slot(q, i, false)),
			   hsl_data(h, batch_slot(q, i, true)), BATCH_BYTES)) {
			fprintf(stderr, "# queue %u, operation %u: tag %#x, status %u\n", q, i,
				c.tag, c.status);
			return -EBADMSG;
		}
	}
	return 0;
}
