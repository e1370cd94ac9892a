/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mlx5_like: registers, the command queue and codes, as the contract has them.
 * Section numbers are those of Documentation/hardware/mlx5_like.rst.
 */
#ifndef MLX5_LIKE_REGS_H
#define MLX5_LIKE_REGS_H

#include <stdint.h>

#define MLXL_MAX_SLOTS_LOG2	5u
#define MLXL_MAX_SLOTS		(1u << MLXL_MAX_SLOTS_LOG2)
#define MLXL_PAGE		4096u
#define MLXL_NO_FUNCTION	0xffffu
#define MLXL_NO_VECTOR		0xffffu

/* Section 2 */
#define MLXL_ID_VALUE		0x43584c4du
#define MLXL_STATUS_READY	0x1u
#define MLXL_STATUS_FATAL	0x2u
#define MLXL_STATUS_CMDQ	0x4u
#define MLXL_STATUS_CMDQ_ERROR	0x8u
#define MLXL_CTRL_ENABLE	0x1u
#define MLXL_CTRL_IRQ		0x2u

enum { MLXL_SYN_BAD_QUEUE = 1, MLXL_SYN_QUEUE_DMA, MLXL_SYN_INJECTED };
enum { MLXL_VECTOR_CMD, MLXL_VECTOR_EVENT };

/* Section 3 */
struct mlxl_slot {
	uint16_t opcode;
	uint16_t function;
	uint32_t tag;
	uint32_t in_bytes;
	uint32_t out_bytes;
	uint64_t in_box;
	uint64_t out_box;
	uint8_t in[32];
	uint8_t out[32];
	uint32_t status;
	uint32_t syndrome;
	uint32_t out_len;
	uint32_t tag_out;
	uint32_t reserved[3];
	uint32_t owner;
};

#define MLXL_INLINE_BYTES	32u
#define MLXL_BOX_DATA		4080u
#define MLXL_MAX_INOUT		131072u
#define MLXL_MAX_BOXES		33u

struct mlxl_box {
	uint64_t next;
	uint32_t tag;
	uint16_t index;
	uint16_t bytes;
	uint8_t data[MLXL_BOX_DATA];
};

struct mlxl_segment {
	uint64_t iova;
	uint32_t bytes;
	uint32_t reserved;
};

_Static_assert(sizeof(struct mlxl_slot) == 128, "command slot");
_Static_assert(sizeof(struct mlxl_box) == MLXL_PAGE, "mailbox");
_Static_assert(MLXL_MAX_BOXES * MLXL_BOX_DATA >= MLXL_MAX_INOUT, "longest chain");

/* Section 4 */
enum mlxl_status {
	MLXL_OK, MLXL_BAD_OPCODE, MLXL_BAD_INPUT, MLXL_BAD_MAILBOX, MLXL_BAD_FUNCTION,
	MLXL_BAD_STATE, MLXL_BUSY, MLXL_NO_RESOURCES, MLXL_LIMIT, MLXL_DMA, MLXL_BAD_IMAGE,
	MLXL_ABORTED, MLXL_UNSUPPORTED, MLXL_INTERNAL,
};

/* Section 5 */
enum mlxl_opcode {
	MLXL_OP_QUERY_CAPS = 0x01, MLXL_OP_QUERY_FUNCTION = 0x02, MLXL_OP_PROVISION = 0x10,
	MLXL_OP_ENABLE = 0x11, MLXL_OP_DISABLE = 0x12, MLXL_OP_SUSPEND = 0x20,
	MLXL_OP_RESUME = 0x21, MLXL_OP_QUERY_IMAGE = 0x30, MLXL_OP_SAVE_BEGIN = 0x31,
	MLXL_OP_SAVE_CHUNK = 0x32, MLXL_OP_SAVE_END = 0x33, MLXL_OP_LOAD_BEGIN = 0x34,
	MLXL_OP_LOAD_CHUNK = 0x35, MLXL_OP_LOAD_END = 0x36, MLXL_OP_TRACKER_CREATE = 0x40,
	MLXL_OP_TRACKER_ARM = 0x41, MLXL_OP_TRACKER_QUERY = 0x42, MLXL_OP_TRACKER_DESTROY = 0x43,
	MLXL_OP_INJECT_ERROR = 0x50,
};

enum mlxl_state { MLXL_UNPROVISIONED, MLXL_PROVISIONED, MLXL_ENABLED };

#define MLXL_F_INITIATOR	0x001u
#define MLXL_F_RESPONDER	0x002u
#define MLXL_F_FAILED		0x004u
#define MLXL_F_SAVING		0x008u
#define MLXL_F_LOADING		0x010u
#define MLXL_F_NOT_FINAL	0x020u
#define MLXL_F_TRACKER		0x040u
#define MLXL_F_TRACKER_ARMED	0x080u
#define MLXL_F_TRACKER_ERROR	0x100u
#define MLXL_F_BASE		0x200u

enum { MLXL_FAIL_INJECTED = 1, MLXL_FAIL_RING };
enum { MLXL_INITIATOR = 1, MLXL_RESPONDER };

enum mlxl_image_reason {
	MLXL_IMG_MAGIC = 1, MLXL_IMG_VERSION, MLXL_IMG_LENGTH, MLXL_IMG_INCOMPLETE,
	MLXL_IMG_CHECKSUM, MLXL_IMG_BASE, MLXL_IMG_CONFIG, MLXL_IMG_STATE,
};

enum { MLXL_INJECT_FAIL = 1, MLXL_INJECT_TRACKER, MLXL_INJECT_BASE, MLXL_INJECT_FATAL,
       MLXL_INJECT_COMMAND };

#endif /* MLX5_LIKE_REGS_H */
