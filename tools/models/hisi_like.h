/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hisi_like: what the files of the model share.
 * Contract: Documentation/hardware/hisi_like.rst; section numbers refer to it.
 */
#ifndef HISI_LIKE_H
#define HISI_LIKE_H

#include "vu.h"

#define HSL_MAX_QUEUES		64u
#define HSL_MAX_LOG2		10u
#define HSL_MAX_XFER		(1u << 20)
#define HSL_MAX_PARKED		16u
#define HSL_BAR			2
#define HSL_BAR_BYTES		0x40000u	/* firmware 1 */
#define HSL_Q_BASE		0x10000u
#define HSL_Q_STRIDE		0x400u
#define HSL_Q_END		(HSL_Q_BASE + HSL_MAX_QUEUES * HSL_Q_STRIDE)
#define HSL_WINDOW		0x1000u
#define HSL_WINDOW_BYTES	4096u
#define HSL_SQE_BYTES		64u
#define HSL_CQE_BYTES		32u
#define HSL_CTX_BYTES		64u
#define HSL_SEL_GLOBAL		0xffffu

#define HSL_STATUS_READY	0x1u
#define HSL_STATUS_FATAL	0x2u
#define HSL_CTRL_ENABLE		0x1u
#define HSL_QCTRL_ENABLE	0x1u
#define HSL_QCTRL_IRQ		0x2u
#define HSL_QSTATUS_ENABLED	0x1u
#define HSL_QSTATUS_ERROR	0x2u

enum hsl_queue_error { HSL_Q_BAD_RING = 1, HSL_Q_BAD_DOORBELL = 2, HSL_Q_DMA = 3 };

enum hsl_op { HSL_NOP, HSL_COPY, HSL_FILL, HSL_CRC32C, HSL_DEFLATE, HSL_INFLATE, HSL_NUM_OPS };

enum hsl_op_status {
	HSL_OK, HSL_INVALID, HSL_DMA_FAULT, HSL_NO_ROOM, HSL_BAD_DATA, HSL_ABORTED,
};

#define HSL_PAUSE		0x1u
#define HSL_FREEZE		0x2u
#define HSL_REVOKE		0x4u

#define HSL_CAP_REVOKE		0x1u

enum hsl_drain { HSL_RUNNING, HSL_DRAINING, HSL_DRAINED, HSL_DRAIN_FAILED };
enum hsl_cmd { HSL_CMD_READ = 1, HSL_CMD_WRITE = 2, HSL_CMD_CLEAR = 3 };
enum hsl_stat { HSL_IDLE, HSL_BUSY, HSL_FAILED };

enum hsl_err {
	HSL_ERR_NOT_FROZEN = 1, HSL_ERR_BAD_SELECT, HSL_ERR_BAD_LENGTH, HSL_ERR_BAD_CONTEXT,
	HSL_ERR_DRAIN_TIMEOUT, HSL_ERR_ISOLATED, HSL_ERR_INTERNAL, HSL_ERR_BAD_COMMAND,
};

enum hsl_fault {
	HSL_FAULT_PAUSE = VU_FAULT_MODEL, HSL_FAULT_CTX_READ, HSL_FAULT_CTX_WRITE,
	HSL_FAULT_CLEAR, HSL_FAULT_FETCH, HSL_FAULT_OP, HSL_FAULT_RESET,
};

/* Section 2.3 */
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

#define HSL_SQE_IRQ	0x1u

/* Section 2.4 */
struct hsl_cqe {
	uint32_t tag;
	uint16_t status;
	uint16_t phase;
	uint32_t out_len;
	uint32_t result;
	uint64_t seq;
	uint64_t done;
};

/* Section 3.1 */
struct hsl_global_ctx {
	uint32_t magic;
	uint32_t version;
	uint32_t ctrl;
	uint32_t status;
	uint64_t ops_done;
	uint64_t ops_failed;
	uint8_t reserved[32];
};

/* Section 3.2, without the entries */
struct hsl_queue_ctx {
	uint32_t magic;
	uint32_t queue;
	uint64_t sq_base;
	uint64_t cq_base;
	uint32_t size;
	uint32_t qctrl;
	uint32_t qstatus;
	uint32_t sq_tail;
	uint32_t sq_head;
	uint32_t cq_head;
	uint32_t cq_tail;
	uint16_t irq_owed;
	uint16_t parked;
	uint64_t seq;
};

_Static_assert(sizeof(struct hsl_sqe) == HSL_SQE_BYTES, "submission entry");
_Static_assert(sizeof(struct hsl_cqe) == HSL_CQE_BYTES, "completion entry");
_Static_assert(sizeof(struct hsl_global_ctx) == HSL_CTX_BYTES, "global context");
_Static_assert(sizeof(struct hsl_queue_ctx) == HSL_CTX_BYTES, "queue context");

#define HSL_GLOBAL_MAGIC	0x474c5348u
#define HSL_QUEUE_MAGIC		0x514c5348u

/*
 * One queue.  @regs holds the registers in the form in which they migrate; @entries the
 * @regs.parked entries that were fetched and not begun.  An operation in work
 * (@in_work) is @current, due at @due; @hang tells that an injected hang holds it and
 * @abort_status, if not 0, how it is to end.
 * @resume: the queue owes the interrupt check of a resume.  @restart: ENABLE was set
 * while an operation of the time before was in work.  @life: changes when the queue is
 * started or stopped.  @hold: an injected delay of the next fetch, until @hold_due.
 */
struct hsl_queue {
	struct hsl_queue_ctx regs;
	struct hsl_sqe entries[HSL_MAX_PARKED];
	bool in_work;
	bool hang;
	bool resume;
	bool restart;
	bool hold, hold_hang;
	struct hsl_sqe current;
	uint64_t due, hold_due;
	uint64_t life;
	uint16_t abort_status;
};

/* The control page (section 3). */
struct hsl_control {
	uint32_t pause;
	uint32_t drain;
	uint32_t err;
	uint32_t sel;
	uint32_t wlen;
	uint32_t stat;
	uint64_t drain_deadline;
	uint64_t drain_not_before;
	bool drain_hang;
	uint32_t cmd, cmd_sel;		/* the command that is BUSY */
	uint64_t cmd_due;
	bool cmd_hang;
	unsigned int cmd_fault;
	uint32_t cmd_fail;		/* CP_ERR to end with, 0 = none */
	uint8_t window[HSL_WINDOW_BYTES];
};

/* Registers of the control page that can be told to lie: 0x04 to 0x1c, and CP_LEN. */
#define HSL_CLAIMS	8

struct hsl_claim {
	bool made;
	uint32_t val;
};

/*
 * @epoch: changes when contexts are cleared or the device is reset; work that waited in
 * between must not touch them any more
 */
struct hsl {
	struct vu_dev *dev;
	uint32_t cp_base;		/* control page in BAR 2 */
	uint32_t rev, queues, log2, algs, version, oldest, isolated;
	bool revoke;
	struct hsl_claim claims[HSL_CLAIMS];
	uint64_t drain_ms, op_us;
	uint32_t ctrl, status;
	uint64_t ops_done, ops_failed;
	uint64_t epoch;
	uint64_t ready_at;		/* time of READY after a reset */
	bool ready_hang;
	bool touching;			/* guest memory is being accessed */
	uint64_t fetches;
	unsigned int next_queue;
	struct hsl_control cp;
	struct hsl_queue q[HSL_MAX_QUEUES];
	uint8_t *src, *dst;		/* HSL_MAX_XFER bytes each */
};

/* hisi_like.c */
uint32_t hsl_queues_reg(const struct hsl *h);

/* hisi_like_config.c */
int hsl_revise(const struct vu_dev *dev, struct vu_model *own);
int hsl_add_capabilities(struct vu_dev *dev);
/* Of BAR 2, whose upper half has the control page. */
uint64_t hsl_bar_bytes(const struct vu_dev *dev);

/* hisi_like_queue.c */
bool hsl_queue_enabled(const struct hsl_queue *q);
bool hsl_queue_bases_ok(const struct hsl *h, const struct hsl_queue_ctx *r);
/* One step; true when there may be more to do at once.  Context: the model's work. */
bool hsl_queue_work(struct hsl *h, struct hsl_queue *q);
/* Writes to QCTRL, SQ_TAIL and CQ_HEAD. */
void hsl_queue_ctrl(struct hsl *h, struct hsl_queue *q, uint32_t val);
void hsl_queue_sq_tail(struct hsl_queue *q, uint32_t val);
void hsl_queue_cq_head(struct hsl_queue *q, uint32_t val);
void hsl_contexts_clear(struct hsl *h);
/* Operations in work that write nothing yet are parked again. */
void hsl_revoke(struct hsl *h);
/* No operation is in work and guest memory is not being accessed. */
bool hsl_idle(const struct hsl *h);

/* hisi_like_control.c */
uint32_t hsl_control_read(struct hsl *h, uint32_t off);
void hsl_control_write(struct hsl *h, uint32_t off, uint32_t val);
void hsl_control_reset(struct hsl *h);
/* Let time-outs, drains and delayed commands make progress. */
void hsl_control_work(struct hsl *h);
void hsl_control_regs(struct hsl *h, FILE *out);
/* The control command "claim": 0 or a negative errno. */
int hsl_control_claim(struct hsl *h, int argc, char **argv);

/* hisi_like_ops.c */
/**
 * hsl_op_run() - carry out one operation
 * @cqe: receives status, out_len and result
 *
 * Return: 0, or a negative errno when the device was reset or lost its client: the
 * operation is abandoned without a completion.
 */
int hsl_op_run(struct hsl *h, const struct hsl_sqe *sqe, struct hsl_cqe *cqe);
uint32_t hsl_crc32c(uint32_t seed, const uint8_t *data, size_t len);

#endif /* HISI_LIKE_H */
