/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hisi_like: what the files of the model share.
 * Contract: Documentation/hardware/hisi_like.rst; section numbers refer to it.
 */
#ifndef MODEL_HISI_LIKE_H
#define MODEL_HISI_LIKE_H

#include <hw/hisi_like.h>
#include "vu.h"

#define HISIL_XFER_BYTES	(1u << 20)	/* MAX_XFER */

enum hisil_fault {
	HISIL_FAULT_PAUSE = VU_FAULT_MODEL, HISIL_FAULT_SAVE, HISIL_FAULT_LOAD,
	HISIL_FAULT_CLEAR, HISIL_FAULT_FETCH, HISIL_FAULT_OP, HISIL_FAULT_RESET,
};

/*
 * One queue.  @regs holds the registers in the form in which they migrate; @entries the
 * @regs.parked entries that were fetched and not begun.  An operation in work
 * (@in_work) is @current, until @op is over; @abort_status, if not 0, tells how it is
 * to end.
 * @resume: the queue owes the interrupt check of a resume.  @restart: ENABLE was set
 * while an operation of the time before was in work.  @life: changes when the queue is
 * started or stopped.  @hold: the next fetch waits until @held is over.
 */
struct hisil_queue {
	struct hisil_queue_ctx regs;
	struct hisil_sqe entries[HISIL_MAX_PARKED];
	bool in_work;
	bool resume;
	bool restart;
	bool hold;
	struct hisil_sqe current;
	struct vu_wait op, held;
	uint64_t life;
	uint16_t abort_status;
};

/* The control page (section 3). */
struct hisil_control {
	uint32_t pause;
	uint32_t drain;
	uint32_t err;
	uint32_t sel;
	uint32_t wlen;
	uint32_t stat;
	uint64_t drain_deadline;
	struct vu_wait draining;
	uint32_t cmd, cmd_sel;		/* the command that is BUSY */
	struct vu_wait busy;
	uint32_t cmd_fail;		/* CP_ERR to end with, 0 = none */
	uint8_t window[HISIL_CP_WINDOW_BYTES];
};

/*
 * @epoch: changes when contexts are cleared or the device is reset; work that waited in
 * between must not touch them any more
 */
struct hisil {
	struct vu_dev *dev;
	uint32_t cp_base;		/* control page in BAR 2 */
	uint32_t rev, queues, log2, algs, version, oldest, isolated;
	bool revoke;
	struct vu_claims claims;
	uint64_t drain_ms, op_us;
	uint32_t ctrl, status;
	uint64_t ops_done, ops_failed;
	uint64_t epoch;
	struct vu_wait ready;		/* READY after a reset */
	bool touching;			/* guest memory is being accessed */
	uint64_t fetches;
	unsigned int next_queue;
	struct hisil_control cp;
	struct hisil_queue q[HISIL_MAX_QUEUES];
	uint8_t *src, *dst;		/* HISIL_XFER_BYTES bytes each */
};

/* hisi_like.c */
uint32_t hisil_queues_reg(const struct hisil *h);

/* hisi_like_config.c */
int hisil_revise(const struct vu_dev *dev, struct vu_model *own);
int hisil_add_capabilities(struct vu_dev *dev);
/* Of BAR 2, whose upper half has the control page. */
uint64_t hisil_bar_bytes(const struct vu_dev *dev);

/* hisi_like_queue.c */
bool hisil_queue_enabled(const struct hisil_queue *q);
bool hisil_queue_bases_ok(const struct hisil *h, const struct hisil_queue_ctx *r);
/* One step; true when there may be more to do at once.  Context: the model's work. */
bool hisil_queue_work(struct hisil *h, struct hisil_queue *q);
/* Writes to QCTRL, SQ_TAIL and CQ_HEAD. */
void hisil_queue_ctrl(struct hisil *h, struct hisil_queue *q, uint32_t val);
void hisil_queue_sq_tail(struct hisil_queue *q, uint32_t val);
void hisil_queue_cq_head(struct hisil_queue *q, uint32_t val);
void hisil_contexts_clear(struct hisil *h);
/* Operations in work that write nothing yet are parked again. */
void hisil_revoke(struct hisil *h);
/* No operation is in work and guest memory is not being accessed. */
bool hisil_idle(const struct hisil *h);

/* hisi_like_control.c */
uint32_t hisil_control_read(struct hisil *h, uint32_t off);
void hisil_control_write(struct hisil *h, uint32_t off, uint32_t val);
void hisil_control_reset(struct hisil *h);
/* Let time-outs, drains and delayed commands make progress. */
void hisil_control_work(struct hisil *h);
/* Registers of it that can be told to lie. */
extern const struct vu_claim hisil_claims[];

/* hisi_like_ops.c */
/**
 * hisil_op_run() - carry out one operation
 * @cqe: receives status, out_len and result
 *
 * Return: 0, or a negative errno when the device was reset or lost its client: the
 * operation is abandoned without a completion.
 */
int hisil_op_run(struct hisil *h, const struct hisil_sqe *sqe, struct hisil_cqe *cqe);
uint32_t hisil_crc32c(uint32_t seed, const uint8_t *data, size_t len);

#endif /* MODEL_HISI_LIKE_H */
