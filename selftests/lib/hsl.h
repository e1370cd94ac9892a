/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver in user space for the user's half of a hisi_like function
 * (Documentation/hardware/hisi_like.rst section 2).  The memory and the queues
 * belong to the "guest": they survive when another function takes over.
 */
#ifndef SELFTEST_HSL_H
#define SELFTEST_HSL_H

#include "device.h"

#define HSL_BAR			2
#define HSL_BAR_BYTES		0x20000
#define HSL_ID			0x000
#define HSL_REV			0x004
#define HSL_QUEUES		0x008
#define HSL_ALGS		0x00c
#define HSL_STATUS		0x010
#define HSL_CTRL		0x014
#define HSL_MAX_XFER		0x018
#define HSL_OPS_DONE		0x020
#define HSL_OPS_FAILED		0x028
#define HSL_ID_VALUE		0x314c5348

#define HSL_Q(q)		(0x10000 + (q) * 0x400)
#define HSL_SQ_BASE		0x00
#define HSL_CQ_BASE		0x08
#define HSL_SIZE		0x10
#define HSL_QCTRL		0x14
#define HSL_QSTATUS		0x18
#define HSL_SQ_TAIL		0x20
#define HSL_SQ_HEAD		0x24
#define HSL_CQ_HEAD		0x28
#define HSL_CQ_TAIL		0x2c

#define HSL_QCTRL_ENABLE	1
#define HSL_QCTRL_IRQ		2
#define HSL_QSTATUS_ENABLED	1
#define HSL_QSTATUS_ERROR	2

#define HSL_VECTORS		64

enum hsl_op { HSL_NOP, HSL_COPY, HSL_FILL, HSL_CRC32C, HSL_DEFLATE, HSL_INFLATE };
enum hsl_status { HSL_OK, HSL_INVALID, HSL_DMA_FAULT, HSL_NO_ROOM, HSL_BAD_DATA, HSL_ABORTED };

#define HSL_FLAG_IRQ 1

struct hsl_sqe {
	uint8_t opcode, flags;
	uint16_t reserved;
	uint32_t tag;
	uint64_t src, dst;
	uint32_t src_len, dst_len;
	uint64_t arg;
	uint8_t reserved2[24];
};

struct hsl_cqe {
	uint32_t tag;
	uint16_t status, phase;
	uint32_t out_len, result;
	uint64_t seq, done;
};

#define HSL_MEM_IOVA	0x10000000ULL
#define HSL_MEM_BYTES	0x200000
#define HSL_MEM_DATA	0x100000	/* rings are below, data is above */
#define HSL_MAX_TEST_QUEUES 8
#define HSL_MAX_RING	64

/**
 * struct hsl_queue - A queue, as its user knows it
 * @q: Number.
 * @size: Entries of its rings.
 * @sq_tail: Next entry to be written.
 * @cq_head: Next completion to be consumed.
 */
struct hsl_queue {
	unsigned int q;
	uint32_t size;
	uint32_t sq_tail;
	uint32_t cq_head;
	struct hsl_sqe *sq;
	struct hsl_cqe *cq;
};

/**
 * struct hsl - "Guest": memory and queues, on the function @v now
 * @v: Function.
 * @mem: HSL_MEM_BYTES at HSL_MEM_IOVA.
 * @regs: Lower half of BAR 2 of @v.
 * @queue: The queues.
 * @irq: Eventfd of each vector, -1 for none.
 */
struct hsl {
	struct vdev *v;
	uint8_t *mem;
	volatile uint8_t *regs;
	struct hsl_queue queue[HSL_MAX_TEST_QUEUES];
	int irq[HSL_MAX_TEST_QUEUES];
};

int hsl_init(struct hsl *h);
/* Give the memory to a function (its IOMMU mapping). */
int hsl_share(struct hsl *h, struct vdev *v);
/* Use this function's registers from here on. */
int hsl_attach(struct hsl *h, struct vdev *v);
/* Give its registers back: a mapping keeps the device open. */
void hsl_detach(struct hsl *h);
/* The guest's own reset values: enable the function and bus mastering. */
int hsl_enable(struct hsl *h);
void hsl_free(struct hsl *h);

uint32_t hsl_read(struct hsl *h, unsigned int reg);
uint64_t hsl_read64(struct hsl *h, unsigned int reg);
void hsl_write(struct hsl *h, unsigned int reg, uint32_t val);

/* MSI-X with an eventfd for each of the first @count vectors. */
int hsl_irq_enable(struct hsl *h, unsigned int count);

int hsl_queue_start(struct hsl *h, unsigned int q, uint32_t size, bool irq);
/* Put an entry into the ring; the doorbell is hsl_ring(). */
void hsl_put(struct hsl *h, unsigned int q, const struct hsl_sqe *e);
void hsl_ring(struct hsl *h, unsigned int q);
/*
 * Wait for the next completion and consume it.  0; -ETIMEDOUT; -EPROTO when its
 * sequence number is not the next one of the queue.
 */
int hsl_next(struct hsl *h, unsigned int q, struct hsl_cqe *c, int ms);
/* Submit one, wait for it. */
int hsl_do(struct hsl *h, unsigned int q, const struct hsl_sqe *e, struct hsl_cqe *c);

/* Offsets are into the data part of the memory. */
uint8_t *hsl_data(struct hsl *h, uint32_t off);
uint64_t hsl_iova(uint32_t off);
struct hsl_sqe hsl_op(enum hsl_op op, uint32_t tag, uint32_t src, uint32_t src_len,
		      uint32_t dst, uint32_t dst_len);
void hsl_pattern(uint8_t *p, size_t bytes, uint32_t seed);

/* One operation of every kind, checked; 0 or a negative errno. */
int hsl_work(struct hsl *h, unsigned int q, uint32_t seed);

/*
 * Numbered copies: each writes its number to its own place.  hsl_batch_put()
 * leaves them in the ring, hsl_batch_check() waits for all and checks tags,
 * sequence, status and data.
 */
void hsl_batch_put(struct hsl *h, unsigned int q, unsigned int count, uint32_t seed);
int hsl_batch_check(struct hsl *h, unsigned int q, unsigned int count, uint32_t seed);

#endif /* SELFTEST_HSL_H */
