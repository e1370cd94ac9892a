/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's half of the hisi_like hardware (Documentation/hardware/hisi_like.rst)
 * and the parts of the workload: hisil_dev.c drives the device, hisil_config.c has its config
 * space, hisil_ops.c makes operations and checks results, hisil_workload.c runs and reports.
 */
#ifndef HISIL_H
#define HISIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hw/hisi_like.h>

#include "uio.h"

#define HISIL_DEPTH_MAX		256
#define HISIL_BLOCK_MAX		65536

/* An operation, from submission to the check of its result. */
struct hisil_slot {
	uint8_t *src, *dst;	/* DMA memory, hisil_slot_bytes() each */
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
struct hisil_queue {
	unsigned int index, depth;
	uint32_t block;			/* most bytes of plain data of an operation */
	struct hisil_sqe *sq;
	volatile struct hisil_cqe *cq;
	struct hisil_slot *slots;		/* slot of a tag: tag % depth */
	uint32_t tail, head;		/* tags: the next to submit, the next to complete */
	uint32_t cq_head;
	uint64_t seq;			/* of the last completion */
	uint64_t rng;
	uint64_t submitted, completed, failed, lost, duplicated, corrupted;
	uint64_t by_opcode[HISIL_NUM_OPS];
};

struct hisil_dev {
	struct uio uio;
	uint32_t algs, queues, ring_max;
};

int hisil_dev_open(struct hisil_dev *dev, const char *path);
int hisil_queue_start(struct hisil_dev *dev, struct hisil_queue *q, unsigned int index,
		      unsigned int depth, uint32_t block);
/* Fill the queue up with new operations; returns how many. */
unsigned int hisil_queue_submit(struct hisil_dev *dev, struct hisil_queue *q);
/* Take and check what is complete; returns how many. */
unsigned int hisil_queue_reap(struct hisil_dev *dev, struct hisil_queue *q);

/* Find config space; 0 or a negative errno. */
int hisil_config_open(const struct hisil_dev *dev);
/* Write the registers that a driver sets, as many as the function shows. */
void hisil_config_set(void);
/* " NAME=VALUE..." of these; then how many there are, and how many hold what was written. */
void hisil_config_show(char *buf, size_t room);
/* Go to a D state, 0 to 3; returns the one that it has then. */
unsigned int hisil_config_power(unsigned int dstate);

static inline unsigned int hisil_queue_pending(const struct hisil_queue *q)
{
	return q->tail - q->head;
}

/* Room for the compressed form of data that does not compress. */
static inline size_t hisil_slot_bytes(uint32_t block)
{
	return (size_t)block * 2 + 256;
}

uint64_t hisil_random(uint64_t *state);
/* Choose the next operation of a slot and put its input in place. */
void hisil_op_make(struct hisil_slot *slot, uint64_t *rng, uint32_t algs, uint32_t block);
/* NULL if the completion is right in every bit, otherwise what is wrong. */
const char *hisil_op_check(struct hisil_slot *slot, const struct hisil_cqe *cqe, uint32_t block);

#endif
