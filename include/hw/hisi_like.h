/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers, ring entries and contexts of hisi_like (Documentation/hardware/hisi_like.rst,
 * whose section numbers stand in the comments), for its driver, its model, its guest and
 * their tests.  All are little-endian, registers 32 bits wide.
 *
 * Function of vpv_hisi_like: HISIL_VENDOR, HISIL_DEVICE
 */
#ifndef HW_HISI_LIKE_H
#define HW_HISI_LIKE_H

#include <linux/types.h>

#define HISIL_VENDOR		0x1234
#define HISIL_DEVICE		0x7610

/* BAR 2: the user's registers in the lower half, the control page in the upper one. */
#define HISIL_BAR		2
#define HISIL_BAR_BYTES		0x40000U	/* of the smallest; a half: */
#define HISIL_USER_BYTES	0x20000U

#define HISIL_MAX_QUEUES	64U
#define HISIL_MAX_LOG2		10U
#define HISIL_MAX_PARKED	16U

/* 2.1: the user's registers */
#define HISIL_ID		0x000
#define HISIL_REV		0x004
#define HISIL_QUEUES		0x008	/* and log2 of the most ring entries << 16 */
#define HISIL_ALGS		0x00c
#define HISIL_STATUS		0x010
#define HISIL_CTRL		0x014
#define HISIL_MAX_XFER		0x018
#define HISIL_OPS_DONE		0x020	/* two words, low word first */
#define HISIL_OPS_FAILED	0x028	/* the same */

#define HISIL_ID_VALUE		0x314c5348U	/* "HSL1" */
#define HISIL_STATUS_READY	0x1U
#define HISIL_STATUS_FATAL	0x2U
#define HISIL_CTRL_ENABLE	0x1U

/* 2.2: registers of a queue, offsets from HISIL_Q() */
#define HISIL_Q(n)		(0x10000U + (n) * HISIL_Q_STRIDE)
#define HISIL_Q_STRIDE		0x400U
#define HISIL_SQ_BASE		0x00	/* two words */
#define HISIL_CQ_BASE		0x08	/* two words */
#define HISIL_SIZE		0x10
#define HISIL_QCTRL		0x14
#define HISIL_QSTATUS		0x18
#define HISIL_VECTOR		0x1c
#define HISIL_SQ_TAIL		0x20
#define HISIL_SQ_HEAD		0x24
#define HISIL_CQ_HEAD		0x28
#define HISIL_CQ_TAIL		0x2c

#define HISIL_QCTRL_ENABLE	0x1U
#define HISIL_QCTRL_IRQ		0x2U
#define HISIL_QSTATUS_ENABLED	0x1U
#define HISIL_QSTATUS_ERROR	0x2U

/* In bits 15:8 of QSTATUS. */
enum hisil_queue_error { HISIL_Q_BAD_RING = 1, HISIL_Q_BAD_DOORBELL, HISIL_Q_DMA };

/* 2.3: submission entry */
enum hisil_op {
	HISIL_NOP, HISIL_COPY, HISIL_FILL, HISIL_CRC32C, HISIL_DEFLATE, HISIL_INFLATE,
	HISIL_NUM_OPS,
};

#define HISIL_SQE_IRQ		0x1U

struct hisil_sqe {
	__u8	opcode;
	__u8	flags;
	__le16	reserved;
	__le32	tag;
	__le64	src;
	__le64	dst;
	__le32	src_len;
	__le32	dst_len;
	__le64	arg;
	__u8	reserved2[24];
};

#define HISIL_SQE_BYTES		64U

/* 2.4: completion entry */
enum hisil_op_status {
	HISIL_OK, HISIL_INVALID, HISIL_DMA_FAULT, HISIL_NO_ROOM, HISIL_BAD_DATA, HISIL_ABORTED,
};

struct hisil_cqe {
	__le32	tag;
	__le16	status;
	__le16	phase;
	__le32	out_len;
	__le32	result;
	__le64	seq;
	__le64	done;
};

#define HISIL_CQE_BYTES		32U

/* 3: the control page, offsets from the upper half */
#define HISIL_CP_ID		0x000
#define HISIL_CP_REV		0x004
#define HISIL_CP_VERSION	0x008
#define HISIL_CP_LIMITS		0x00c
#define HISIL_CP_ALGS		0x010
#define HISIL_CP_ISOLATION	0x014
#define HISIL_CP_MAX_XFER	0x018
#define HISIL_CP_DRAIN_MS	0x01c
#define HISIL_CP_PAUSE		0x020
#define HISIL_CP_DRAIN		0x024
#define HISIL_CP_ERR		0x028
#define HISIL_CP_SEL		0x030
#define HISIL_CP_LEN		0x034
#define HISIL_CP_CMD		0x038
#define HISIL_CP_STAT		0x03c
#define HISIL_CP_WLEN		0x040
#define HISIL_CP_CAPS		0x044
#define HISIL_CP_WINDOW		0x1000
#define HISIL_CP_WINDOW_BYTES	0x1000U

#define HISIL_CP_ID_VALUE	0x434c5348U	/* "HSLC" */

/**
 * struct hisil_ident - CP_REV to CP_MAX_XFER: what a function says about itself
 * @rev_minor: CP_REV.
 * @rev_major: CP_REV.
 * @version: CP_VERSION: what is written.
 * @oldest: CP_VERSION: what is accepted.
 * @queues: CP_LIMITS: their number.
 * @log2: CP_LIMITS: of the most ring entries.
 * @unused: CP_LIMITS.
 * @algs: CP_ALGS.
 * @isolation: CP_ISOLATION.
 * @max_xfer: CP_MAX_XFER.
 */
struct hisil_ident {
	__le16	rev_minor;
	__le16	rev_major;
	__le16	version;
	__le16	oldest;
	__le16	queues;
	__u8	log2;
	__u8	unused;
	__le32	algs;
	__le32	isolation;
	__le32	max_xfer;
};

#define HISIL_PAUSE		0x1U	/* CP_PAUSE */
#define HISIL_FREEZE		0x2U
#define HISIL_REVOKE		0x4U

#define HISIL_CAP_REVOKE	0x1U	/* CP_CAPS */

enum hisil_drain { HISIL_RUNNING, HISIL_DRAINING, HISIL_DRAINED, HISIL_DRAIN_FAILED };

#define HISIL_SEL_GLOBAL	0xffffU

enum hisil_cmd { HISIL_CMD_READ = 1, HISIL_CMD_WRITE, HISIL_CMD_CLEAR };
enum hisil_stat { HISIL_IDLE, HISIL_BUSY, HISIL_FAILED };

enum hisil_err {
	HISIL_ERR_NOT_FROZEN = 1, HISIL_ERR_BAD_SELECT, HISIL_ERR_BAD_LENGTH,
	HISIL_ERR_BAD_CONTEXT, HISIL_ERR_DRAIN_TIMEOUT, HISIL_ERR_ISOLATED,
	HISIL_ERR_INTERNAL, HISIL_ERR_BAD_COMMAND,
};

/* Commands, and READY after a reset, take at most 100 ms. */
#define HISIL_CMD_MS		100
#define HISIL_READY_MS		100

/* 3.1: global context */
#define HISIL_GLOBAL_MAGIC	0x474c5348U	/* "HSLG" */

struct hisil_global_ctx {
	__le32	magic;
	__le32	version;
	__le32	ctrl;
	__le32	status;
	__le64	ops_done;
	__le64	ops_failed;
	__u8	reserved[32];
};

/* 3.2: queue context, which @parked submission entries follow */
#define HISIL_QUEUE_MAGIC	0x514c5348U	/* "HSLQ" */

struct hisil_queue_ctx {
	__le32	magic;
	__le32	queue;
	__le64	sq_base;
	__le64	cq_base;
	__le32	size;
	__le32	qctrl;
	__le32	qstatus;
	__le32	sq_tail;
	__le32	sq_head;
	__le32	cq_head;
	__le32	cq_tail;
	__le16	irq_owed;
	__le16	parked;
	__le64	seq;
};

#define HISIL_CTX_BYTES		64U
#define HISIL_MAX_CTX_BYTES	(HISIL_CTX_BYTES + HISIL_MAX_PARKED * HISIL_SQE_BYTES)

#endif /* HW_HISI_LIKE_H */
