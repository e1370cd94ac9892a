/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver in user space for the user's half of a hisi_like function
 * (Documentation/hardware/hisi_like.rst section 2).  The memory and the queues
 * belong to the "guest": they survive when another function takes over.
 */
#ifndef SELFTEST_HISIL_H
#define SELFTEST_HISIL_H

#include <hw/hisi_like.h>
#include "device.h"

#define HISIL_VECTORS		64

/*
 * No larger than it has to be: a virtual IOMMU tells the model of each page, whenever a function is
 * opened or closed.
 */
#define HISIL_MEM_IOVA	0x10000000ULL
#define HISIL_MEM_BYTES	0x68000
#define HISIL_MEM_DATA	0x20000		/* rings are below, data is above */
#define HISIL_MAX_TEST_QUEUES 8
#define HISIL_MAX_RING	64

/**
 * struct hisil_queue - A queue, as its user knows it
 * @q: Number.
 * @size: Entries of its rings.
 * @sq_tail: Next entry to be written.
 * @cq_head: Next completion to be consumed.
 */
struct hisil_queue {
	unsigned int q;
	uint32_t size;
	uint32_t sq_tail;
	uint32_t cq_head;
	struct hisil_sqe *sq;
	struct hisil_cqe *cq;
};

/**
 * struct hisil - "Guest": memory and queues, on the function @v now
 * @v: Function.
 * @mem: HISIL_MEM_BYTES at HISIL_MEM_IOVA.
 * @regs: Lower half of BAR 2 of @v.
 * @queue: The queues.
 * @irq: Eventfd of each vector, -1 for none.
 */
struct hisil {
	struct vdev *v;
	uint8_t *mem;
	volatile uint8_t *regs;
	struct hisil_queue queue[HISIL_MAX_TEST_QUEUES];
	int irq[HISIL_MAX_TEST_QUEUES];
};

int hisil_init(struct hisil *h);
/* Give the memory to a function (its IOMMU mapping). */
int hisil_share(struct hisil *h, struct vdev *v);
/* Use this function's registers from here on. */
int hisil_attach(struct hisil *h, struct vdev *v);
/* Give its registers back: a mapping keeps the device open. */
void hisil_detach(struct hisil *h);
/* The guest's own reset values: enable the function and bus mastering. */
int hisil_enable(struct hisil *h);
void hisil_free(struct hisil *h);

uint32_t hisil_read(struct hisil *h, unsigned int reg);
uint64_t hisil_read64(struct hisil *h, unsigned int reg);
void hisil_write(struct hisil *h, unsigned int reg, uint32_t val);

/* MSI-X with an eventfd for each of the first @count vectors. */
int hisil_irq_enable(struct hisil *h, unsigned int count);

int hisil_queue_start(struct hisil *h, unsigned int q, uint32_t size, bool irq);
/* Put an entry into the ring; the doorbell is hisil_ring(). */
void hisil_put(struct hisil *h, unsigned int q, const struct hisil_sqe *e);
void hisil_ring(struct hisil *h, unsigned int q);
/*
 * Wait for the next completion and consume it.  0; -ETIMEDOUT; -EPROTO when its
 * sequence number is not the next one of the queue.
 */
int hisil_next(struct hisil *h, unsigned int q, struct hisil_cqe *c, int ms);
/* Submit one, wait for it. */
int hisil_do(struct hisil *h, unsigned int q, const struct hisil_sqe *e, struct hisil_cqe *c);

/* Offsets are into the data part of the memory. */
uint8_t *hisil_data(struct hisil *h, uint32_t off);
uint64_t hisil_iova(uint32_t off);
struct hisil_sqe hisil_op(enum hisil_op op, uint32_t tag, uint32_t src, uint32_t src_len,
			  uint32_t dst, uint32_t dst_len);
void hisil_pattern(uint8_t *p, size_t bytes, uint32_t seed);

/* One operation of every kind, checked; 0 or a negative errno. */
int hisil_work(struct hisil *h, unsigned int q, uint32_t seed);

/*
 * Numbered copies: each writes its number to its own place.  hisil_batch_put()
 * leaves them in the ring, hisil_batch_check() waits for all and checks tags,
 * sequence, status and data.
 */
void hisil_batch_put(struct hisil *h, unsigned int q, unsigned int count, uint32_t seed);
int hisil_batch_check(struct hisil *h, unsigned int q, unsigned int count, uint32_t seed);

#endif /* SELFTEST_HISIL_H */
