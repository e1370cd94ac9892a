/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's half of the hisi_like hardware (Documentation/hardware/hisi_like.rst)
 * and the parts of the workload: hsl_dev.c drives the device, hsl_ops.c makes
 * operations and checks results, hsl_workload.c runs and reports.
 */
#ifndef HSL_H
#define HSL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HSL_ID			0x000
#define HSL_ID_VALUE		0x314c5348
#define HSL_QUEUES		0x008
#define HSL_ALGS		0x00c
#define HSL_STATUS		0x010
#define HSL_STATUS_READY	0x1
#define HSL_CTRL		0x014
#define HSL_CTRL_ENABLE		0x1
#define HSL_MAX_XFER		0x018
#define HSL_OPS_DONE		0x020
#define HSL_OPS_FAILED		0x028

#define HSL_QUEUE(q)		(0x10000 + (q) * 0x400)
#define HSL_Q_SQ_BASE		0x00
#define HSL_Q_CQ_BASE		0x08
#define HSL_Q_SIZE		0x10
#define HSL_Q_QCTRL		0x14
#define HSL_QCTRL_ENABLE	0x1
#define HSL_QCTRL_IRQ_ENABLE	0x2
#define HSL_Q_QSTATUS		0x18
#define HSL_QSTATUS_ENABLED	0x1
#define HSL_QSTATUS_ERROR	0x2
#define HSL_Q_SQ_TAIL		0x20
#define HSL_Q_CQ_HEAD		0x28
#define HSL_Q_CQ_TAIL		0x2c

enum hsl_opcode {
	HSL_NOP, HSL_COPY, HSL_FILL, HSL_CRC32C, HSL_DEFLATE, HSL_INFLATE, HSL_OPCODES
};

#define HSL_FLAG_IRQ		0x1

struct hsl_sqe {
	uint8_t opcode;
	uint8_t flags;
	uint16_t reserved;
	uint32_t tag;
	uint64_t src;
	uint64_t dst;
	uint32_t src_len;
	uint32_t dst_len;
	uint64_t arg;
	uint8_t reserved2[24];
};

struct hsl_cqe {
	uint32_t tag;
	uint16_t status;
	uint16_t phase;
	uint32_t out_len;
	uint32_t result;
	uint64_t seq;
	uint64_t done;
};

_Static_assert(sizeof(struct hsl_sqe) == 64, "submission entry");
_Static_assert(sizeof(struct hsl_cqe) == 32, "completion entry");

#define HSL_QUEUES_MAX		64
#define HSL_DEPTH_MAX		256
#define HSL_BLOCK_MAX		65536

/* An operation, from submission to the check of its result. */
struct hsl_slot {
	uint8_t *src, *dst;	/* DMA memory, hsl_slot_bytes() each */
	uint64_t src_iova, dst_iova;
	uint32_t tag;
	uint8_t opcode;
	uint32_t bytes;		/* of the plain data */
	uint32_t src_len, dst_len;
	uint64_t arg;
	uint64_t seed;		/* the plain data is made from it */
	uint32_t packed;	/* INFLATE comes next: size of its input in dst */
};

/* All counters of a queue are of operations. */
struct hsl_queue {
	unsigned int index, depth;
	uint32_t block;			/* most bytes of plain data of an operation */
	struct hsl_sqe *sq;
	volatile struct hsl_cqe *cq;
	struct hsl_slot *slots;		/* slot of a tag: tag % depth */
	uint32_t tail, head;		/* tags: the next to submit, the next to complete */
	uint32_t cq_head;
	uint64_t seq;			/* of the last completion */
	uint64_t rng;
	uint64_t submitted, completed, failed, lost, duplicated, corrupted;
	uint64_t by_opcode[HSL_OPCODES];
};

struct hsl_dev {
	int fd;
	volatile uint8_t *bar;
	uint32_t algs, queues, ring_max, vectors;
};

int hsl_dev_open(struct hsl_dev *dev, const char *path);
uint32_t hsl_read32(struct hsl_dev *dev, uint32_t offset);
uint64_t hsl_read64(struct hsl_dev *dev, uint32_t offset);
void *hsl_dma_alloc(struct hsl_dev *dev, size_t bytes, uint64_t *iova);
int hsl_queue_start(struct hsl_dev *dev, struct hsl_queue *q, unsigned int index,
		    unsigned int depth, uint32_t block);
/* Fill the queue up with new operations; returns how many. */
unsigned int hsl_queue_submit(struct hsl_dev *dev, struct hsl_queue *q);
/* Take and check what is complete; returns how many. */
unsigned int hsl_queue_reap(struct hsl_dev *dev, struct hsl_queue *q);

static inline unsigned int hsl_queue_pending(const struct hsl_queue *q)
{
	return q->tail - q->head;
}

/* Room for the compressed form of data that does not compress. */
static inline size_t hsl_slot_bytes(uint32_t block)
{
	return (size_t)block * 2 + 256;
}

uint64_t hsl_random(uint64_t *state);
/* Choose the next operation of a slot and put its input in place. */
void hsl_op_make(struct hsl_slot *slot, uint64_t *rng, uint32_t algs, uint32_t block);
/* NULL if the completion is right in every bit, otherwise what is wrong. */
const char *hsl_op_check(struct hsl_slot *slot, const struct hsl_cqe *cqe, uint32_t block);

#endif
