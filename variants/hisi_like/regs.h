/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control page and contexts of hisi_like, as in
 * Documentation/hardware/hisi_like.rst section 3, and the records that this
 * driver puts into a stream.  Everything is little-endian.
 */
#ifndef HISIL_REGS_H
#define HISIL_REGS_H

#include <vpv/pure.h>

#define HISIL_BAR		2
#define HISIL_BAR_MIN_BYTES	0x40000U

/* Lower half */
#define HISIL_STATUS		0x010
#define HISIL_STATUS_READY	BIT(0)

/* Upper half */
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

#define HISIL_ID_VALUE		0x434c5348U	/* "HSLC" */
#define HISIL_GLOBAL_MAGIC	0x474c5348U	/* "HSLG" */
#define HISIL_QUEUE_MAGIC	0x514c5348U	/* "HSLQ" */
#define HISIL_MATCH_MAGIC	0x4d4c5348U	/* "HSLM" */

#define HISIL_PAUSE		BIT(0)
#define HISIL_FREEZE		BIT(1)
#define HISIL_REVOKE		BIT(2)

#define HISIL_CAP_REVOKE	BIT(0)

#define HISIL_SEL_GLOBAL	0xffffU

/* A command takes at most 100 ms; twice that before it is given up. */
#define HISIL_CMD_MS		200

/* The same for READY after a reset. */
#define HISIL_READY_MS		200

enum hisil_drain {
	HISIL_DRAIN_RUNNING,
	HISIL_DRAIN_DRAINING,
	HISIL_DRAIN_DRAINED,
	HISIL_DRAIN_FAILED,
};

enum hisil_cmd {
	HISIL_CMD_READ = 1,
	HISIL_CMD_WRITE,
	HISIL_CMD_CLEAR,
};

enum hisil_stat {
	HISIL_STAT_IDLE,
	HISIL_STAT_BUSY,
	HISIL_STAT_FAILED,
};

#define HISIL_ERR_BAD_CONTEXT	4

/* QSTATUS in a queue context */
#define HISIL_QSTATUS_ENABLED	BIT(0)

/* CP_LIMITS and CP_VERSION */
#define HISIL_LIMITS_QUEUES(v)	((v) & 0xffff)
#define HISIL_LIMITS_LOG2(v)	(((v) >> 16) & 0xff)
#define HISIL_VERSION_NOW(v)	((v) & 0xffff)
#define HISIL_VERSION_OLDEST(v)	((v) >> 16)
#define HISIL_REV_MAJOR(v)	((v) >> 16)

#define HISIL_MAX_QUEUES	64
#define HISIL_MAX_LOG2		10
#define HISIL_MAX_PARKED	16
#define HISIL_ENTRY_BYTES	64

/**
 * struct hisil_global_ctx - Global context, and payload of HISIL_RECORD_GLOBAL
 */
struct hisil_global_ctx {
	__le32	magic;
	__le32	version;
	__le32	ctrl;
	__le32	status;
	__le64	ops_done;
	__le64	ops_failed;
	u8	reserved[32];
};

/**
 * struct hisil_queue_ctx - Queue context, and payload of HISIL_RECORD_QUEUE
 *
 * @parked submission entries of HISIL_ENTRY_BYTES follow.
 */
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

static_assert(sizeof(struct hisil_global_ctx) == 64);
static_assert(sizeof(struct hisil_queue_ctx) == 64);

#define HISIL_MAX_CTX_BYTES \
	(sizeof(struct hisil_queue_ctx) + HISIL_MAX_PARKED * HISIL_ENTRY_BYTES)

/* Record types in a stream of family "hisi_like". */
#define HISIL_RECORD_GLOBAL	0x100U	/* struct hisil_global_ctx, once, first */
#define HISIL_RECORD_QUEUE	0x101U	/* a queue context; at most once a queue */

/**
 * struct hisil_match - What a destination must be able to match
 * @magic: HISIL_MATCH_MAGIC.
 * @rev: CP_REV of the source.
 * @version: CP_VERSION of the source.
 * @limits: CP_LIMITS of the source.
 * @algs: CP_ALGS of the source.
 * @max_xfer: CP_MAX_XFER of the source.
 * @isolation: CP_ISOLATION; 0 in every stream, as an isolated source refuses.
 * @reserved: Zero.
 */
struct hisil_match {
	__le32	magic;
	__le32	rev;
	__le32	version;
	__le32	limits;
	__le32	algs;
	__le32	max_xfer;
	__le32	isolation;
	__le32	reserved;
};

#endif /* HISIL_REGS_H */
