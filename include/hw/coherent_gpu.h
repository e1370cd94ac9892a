/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers, commands and state of coherent_gpu (Documentation/hardware/coherent_gpu.rst,
 * whose section numbers stand in the comments), for its driver, its model, its guest and
 * their tests.  All are little-endian, registers 32 bits wide.
 *
 * Function of vpv_coherent_gpu: CGPU_VENDOR, CGPU_DEVICE
 */
#ifndef HW_COHERENT_GPU_H
#define HW_COHERENT_GPU_H

#include <linux/types.h>

/* 1: function */
#define CGPU_VENDOR		0x1234
#define CGPU_DEVICE		0x7650

/* BAR 0: the user's registers in the lower half, the control page in the upper one. */
#define CGPU_BAR		0
#define CGPU_BAR_BYTES		0x40000U
#define CGPU_USER_BYTES		0x20000U
#define CGPU_MSIX_TABLE		0x1000
#define CGPU_MSIX_PBA		0x2000

#define CGPU_MAX_QUEUES		8U
#define CGPU_MAX_LOG2		10U	/* of entries of a ring */

/* 2: coherent memory.  Properties are two 32-bit words, low word first. */
#define CGPU_DSD_BASE		"vpv,coherent-mem-base"
#define CGPU_DSD_BYTES		"vpv,coherent-mem-size"
#define CGPU_DSD_CARVE		"vpv,coherent-carve-size"
#define CGPU_MEM_ALIGN		0x8000000ULL	/* base and size: 128 MiB */
#define CGPU_MEM_MIN		0x10000000ULL
#define CGPU_MEM_MAX		0x1000000000ULL
#define CGPU_CARVE_ALIGN	0x200000ULL	/* size of the carve-out, which may be 0 */

/* Addresses: with this bit a device address, otherwise an IOVA. */
#define CGPU_ADDR_DEVICE	0x8000000000000000ULL

/* Device addresses: main memory begins at 0, the carve-out here. */
#define CGPU_CARVE_BASE		0x10000000000ULL

/* 3.1: the user's registers */
#define CGPU_ID			0x000
#define CGPU_REV		0x004
#define CGPU_QUEUES		0x008	/* and log2 of the most ring entries << 16 */
#define CGPU_OPS		0x00c
#define CGPU_STATUS		0x010
#define CGPU_CTRL		0x014
#define CGPU_MEM_BYTES		0x018	/* two words, low word first; likewise all below */
#define CGPU_CARVE_BYTES	0x020
#define CGPU_OPS_DONE		0x028
#define CGPU_OPS_FAILED		0x030

#define CGPU_ID_VALUE		0x31475043U	/* "CPG1" */
#define CGPU_STATUS_READY	0x1U
#define CGPU_STATUS_MEM_READY	0x2U
#define CGPU_STATUS_FATAL	0x4U
#define CGPU_CTRL_ENABLE	0x1U

/* 3.2: registers of a queue, offsets from CGPU_Q() */
#define CGPU_Q(n)		(0x10000U + (n) * CGPU_Q_STRIDE)
#define CGPU_Q_STRIDE		0x1000U
#define CGPU_Q_RING		0x00	/* two words */
#define CGPU_Q_SIZE		0x08
#define CGPU_Q_CTRL		0x0c
#define CGPU_Q_STATUS		0x10
#define CGPU_Q_VECTOR		0x14
#define CGPU_Q_TAIL		0x18
#define CGPU_Q_HEAD		0x1c
#define CGPU_Q_FENCE		0x20	/* two words */
#define CGPU_Q_DONE		0x28	/* two words */

#define CGPU_QCTRL_ENABLE	0x1U
#define CGPU_QCTRL_IRQ		0x2U
#define CGPU_QSTATUS_ENABLED	0x1U
#define CGPU_QSTATUS_ERROR	0x2U

/* In bits 15:8 of Q_STATUS. */
enum cgpu_queue_error { CGPU_Q_BAD_RING = 1, CGPU_Q_BAD_DOORBELL, CGPU_Q_DMA };

/* 3.3: commands */
enum cgpu_op {
	CGPU_NOP, CGPU_FILL, CGPU_COPY, CGPU_SGEMM, CGPU_REDUCE, CGPU_HISTOGRAM,
	CGPU_NUM_OPS,
};

#define CGPU_CMD_IRQ		0x1U
#define CGPU_CMD_FENCE		0x2U
#define CGPU_CMD_FLAGS		0x3U

#define CGPU_MAX_DIM		4096U	/* m, n and k */
#define CGPU_MAX_LD		65536U	/* lda, ldb and ldc */
#define CGPU_MAX_BYTES		CGPU_MEM_MAX
#define CGPU_BINS		256U

/**
 * struct cgpu_cmd - An entry of a ring
 * @opcode: enum cgpu_op.
 * @flags: CGPU_CMD_*.
 * @reserved: Zero.
 * @value: FILL: the word.
 * @src: First operand; SGEMM: A.
 * @src2: SGEMM: B.
 * @dst: Result; SGEMM: C.
 * @bytes: FILL: of @dst; COPY, REDUCE, HISTOGRAM: of @src.
 * @m: SGEMM: rows of A and C; likewise the rest up to @beta.
 * @n: Columns of B and C.
 * @k: Columns of A, rows of B.
 * @lda: Elements from a row of A to the next.
 * @ldb: Of B.
 * @ldc: Of C.
 * @alpha: A float.
 * @beta: A float.
 * @fence: Where the fence is written with CGPU_CMD_FENCE.
 * @fence_value: Its value.
 * @reserved2: Zero.
 */
struct cgpu_cmd {
	__u8 opcode;
	__u8 flags;
	__le16 reserved;
	__le32 value;
	__le64 src;
	__le64 src2;
	__le64 dst;
	__le64 bytes;
	__le32 m;
	__le32 n;
	__le32 k;
	__le32 lda;
	__le32 ldb;
	__le32 ldc;
	__le32 alpha;
	__le32 beta;
	__le64 fence;
	__le64 fence_value;
	__u8 reserved2[40];
};

#define CGPU_CMD_BYTES		128U

/**
 * struct cgpu_fence - What the end of a command writes
 * @status: enum cgpu_status.
 * @reserved: Zero.
 * @value: cgpu_cmd.fence_value, written last.
 */
struct cgpu_fence {
	__le32 status;
	__le32 reserved;
	__le64 value;
};

#define CGPU_FENCE_BYTES	16U

enum cgpu_status {
	CGPU_OK, CGPU_INVALID, CGPU_DMA_FAULT, CGPU_BAD_ADDRESS, CGPU_POISONED, CGPU_ABORTED,
};

/* 3.4: an item is preempted where a tile ends. */
#define CGPU_TILE_BYTES		0x40000U	/* FILL, COPY, REDUCE, HISTOGRAM */
#define CGPU_TILE_DIM		32U		/* SGEMM: rows and columns of C */

/* 4: the control page, offsets from the upper half */
#define CGPU_CP_ID		0x000
#define CGPU_CP_REV		0x004
#define CGPU_CP_VERSION		0x008
#define CGPU_CP_QUEUES		0x00c
#define CGPU_CP_OPS		0x010
#define CGPU_CP_READY		0x014	/* CGPU_STATUS_* */
#define CGPU_CP_READY_MS	0x018
#define CGPU_CP_DRAIN_MS	0x01c
#define CGPU_CP_PAUSE		0x020
#define CGPU_CP_DRAIN		0x024
#define CGPU_CP_ERR		0x028
#define CGPU_CP_CAPS		0x02c
#define CGPU_CP_MEM_BYTES	0x030	/* two words */
#define CGPU_CP_CARVE_BYTES	0x038	/* two words */
#define CGPU_CP_CMD		0x040
#define CGPU_CP_STAT		0x044
#define CGPU_CP_BYTES		0x048
#define CGPU_CP_STATE_BYTES	0x04c
#define CGPU_CP_ADDR		0x050	/* two words */
#define CGPU_CP_PAGES		0x058
#define CGPU_CP_SET		0x05c
#define CGPU_CP_LOG		0x060
#define CGPU_CP_LOG_STAT	0x064
#define CGPU_CP_LOG_SIZES	0x068
#define CGPU_CP_POISON		0x06c
#define CGPU_CP_POISON_SEQ	0x070
#define CGPU_CP_WINDOW		0x10000
#define CGPU_CP_WINDOW_BYTES	0x10000U

#define CGPU_CP_ID_VALUE	0x43475043U	/* "CPGC" */

#define CGPU_VERSION_WRITTEN(v)	((v) & 0xffff)
#define CGPU_VERSION_OLDEST(v)	((v) >> 16)

#define CGPU_READY_MS		100	/* STATUS.READY */
#define CGPU_MEM_READY_MS	30000	/* the most that CP_READY_MS says */
#define CGPU_DRAIN_MS		100	/* the most that CP_DRAIN_MS says */
#define CGPU_CMD_MS		100

#define CGPU_CAPS_LOG		0x1U

#define CGPU_PAUSE		0x1U
#define CGPU_FREEZE		0x2U

enum cgpu_drain { CGPU_RUNNING, CGPU_DRAINING, CGPU_DRAINED, CGPU_DRAIN_FAILED };
enum cgpu_stat { CGPU_IDLE, CGPU_BUSY, CGPU_FAILED };

enum cgpu_cp_cmd {
	CGPU_STATE_GET = 1, CGPU_STATE_SET, CGPU_STATE_CLEAR, CGPU_LOG_READ, CGPU_POISON_READ,
	CGPU_POISON_SET,
};

enum cgpu_cp_err {
	CGPU_ERR_NOT_FROZEN = 1, CGPU_ERR_NOT_READY, CGPU_ERR_BAD_LENGTH, CGPU_ERR_BAD_STATE,
	CGPU_ERR_DRAIN_TIMEOUT, CGPU_ERR_BAD_RANGE, CGPU_ERR_LOG_OFF, CGPU_ERR_LOG_LOST,
	CGPU_ERR_INTERNAL, CGPU_ERR_BAD_COMMAND, CGPU_ERR_POISON_FULL,
	CGPU_ERRS,
};

/* 4.3: log of the device's own writes */
#define CGPU_LOG_ON		0x1U
#define CGPU_LOG_LOST		0x2U	/* CP_LOG_STAT only */
#define CGPU_LOG_PAGE(log2)	((log2) << 8)
#define CGPU_LOG_LOG2(reg)	(((reg) >> 8) & 0xff)
#define CGPU_LOG_MIN(sizes)	((sizes) & 0xff)
#define CGPU_LOG_MAX(sizes)	(((sizes) >> 8) & 0xff)
#define CGPU_LOG_MIN_LOG2	12U
#define CGPU_LOG_MAX_LOG2	21U
#define CGPU_LOG_MAX_PAGES	(8U * CGPU_CP_WINDOW_BYTES)	/* of one LOG_READ */

/* 4.4: poison */
#define CGPU_POISON_MAX		1024U
#define CGPU_POISON_PAGE	4096U
#define CGPU_POISON_INHERITED	0x1U

/**
 * struct cgpu_poison - A page that is poisoned
 * @address: Device address, without CGPU_ADDR_DEVICE; 4 KiB aligned.
 * @flags: CGPU_POISON_*.
 * @reserved: Zero.
 */
struct cgpu_poison {
	__le64 address;
	__le32 flags;
	__le32 reserved;
};

/* 4.2: state */
#define CGPU_STATE_MAGIC	0x53475043U	/* "CPGS" */
#define CGPU_STATE_VERSION	1

/**
 * struct cgpu_state_queue - A queue
 * @ring: Q_RING.
 * @size: Q_SIZE.
 * @ctrl: Q_CTRL.
 * @status: Q_STATUS.
 * @head: Q_HEAD; the command in work is behind it.
 * @tail: Q_TAIL.
 * @in_work: 1: @cmd is in work; 0: it is zero, and so is the rest.
 * @fence: Q_FENCE.
 * @done: Q_DONE.
 * @reserved: Zero.
 * @cmd: Command in work.
 * @progress: Whole tiles of it that are done, fewer than it has.
 * @sum: REDUCE: the sum so far, a float.
 * @reserved2: Zero.
 * @bins: HISTOGRAM: the counts so far.
 * @reserved3: Zero.
 */
struct cgpu_state_queue {
	__le64 ring;
	__le32 size;
	__le32 ctrl;
	__le32 status;
	__le32 head;
	__le32 tail;
	__le32 in_work;
	__le64 fence;
	__le64 done;
	__u8 reserved[16];
	struct cgpu_cmd cmd;
	__le64 progress;
	__le32 sum;
	__le32 reserved2;
	__le64 bins[CGPU_BINS];
	__u8 reserved3[48];
};

/**
 * struct cgpu_state - State of the function, without its memory
 * @magic: CGPU_STATE_MAGIC.
 * @version: CGPU_STATE_VERSION.
 * @bytes: Of all, the queues included.
 * @crc: CRC-32 (as of zlib) of all bytes behind this field.
 * @ctrl: CTRL.
 * @fatal: STATUS.FATAL, 0 or 1.
 * @queues: Number of queues that follow.
 * @reserved: Zero.
 * @ops_done: OPS_DONE.
 * @ops_failed: OPS_FAILED.
 * @reserved2: Zero.
 * @queue: The queues.
 */
struct cgpu_state {
	__le32 magic;
	__le32 version;
	__le32 bytes;
	__le32 crc;
	__le32 ctrl;
	__le32 fatal;
	__le32 queues;
	__le32 reserved;
	__le64 ops_done;
	__le64 ops_failed;
	__u8 reserved2[16];
	struct cgpu_state_queue queue[];
};

#define CGPU_STATE_HEAD_BYTES	64U
#define CGPU_STATE_QUEUE_BYTES	2304U
#define CGPU_STATE_BYTES(n)	(CGPU_STATE_HEAD_BYTES + (n) * CGPU_STATE_QUEUE_BYTES)
#define CGPU_STATE_MAX_BYTES	CGPU_STATE_BYTES(CGPU_MAX_QUEUES)

#endif /* HW_COHERENT_GPU_H */
