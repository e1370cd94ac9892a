/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers, commands and structures of mlx5_like (Documentation/hardware/mlx5_like.rst,
 * whose section numbers stand in the comments), for its drivers, its models and their
 * tests.  All are little-endian.
 *
 * Function of vpv_mlx5_like: MLXL_FN_VENDOR, MLXL_FN_DEVICE, MLXL_VENDOR, MLXL_FN_SUBDEVICE
 */
#ifndef HW_MLX5_LIKE_H
#define HW_MLX5_LIKE_H

#include <linux/types.h>

#define MLXL_VENDOR		0x1234
#define MLXL_CTRL_DEVICE	0x7620
#define MLXL_FN_VENDOR		0x1af4
#define MLXL_FN_DEVICE		0x1041
#define MLXL_FN_SUBDEVICE	0x7621
#define MLXL_MAX_FUNCTIONS	64	/* bits of EVENTS */

/* 1: identity capability of a controlled function */
#define MLXL_CAP_ID		0x09
#define MLXL_CAP_BYTES		24
#define MLXL_CAP_LENGTH		2
#define MLXL_CAP_TYPE		3
#define MLXL_CAP_BAR		4
#define MLXL_CAP_VERSION	5
#define MLXL_CAP_FUNCTION	6
#define MLXL_CAP_SERIAL		8
#define MLXL_CAP_TYPE_VALUE	0xf5
#define MLXL_CAP_BAR_VALUE	0xff

/* 2: registers */
#define MLXL_REG_ID		0x000
#define MLXL_REG_FW_VERSION	0x004
#define MLXL_REG_INTERFACE	0x008
#define MLXL_REG_STATUS		0x00c
#define MLXL_REG_LIMITS		0x010
#define MLXL_REG_SYNDROME	0x014
#define MLXL_REG_CMDQ_BASE	0x018
#define MLXL_REG_CMDQ_LOG2	0x020
#define MLXL_REG_CMDQ_CTRL	0x024
#define MLXL_REG_DOORBELL	0x028
#define MLXL_REG_TIMEOUT_MS	0x02c
#define MLXL_REG_EVENTS		0x030
#define MLXL_REG_HEALTH		0x038
#define MLXL_REG_SERIAL		0x040
#define MLXL_REGS_BYTES		0x1000

#define MLXL_ID_VALUE		0x43584c4d
#define MLXL_INTERFACE_VALUE	1

#define MLXL_STATUS_READY	0x1U
#define MLXL_STATUS_FATAL	0x2U
#define MLXL_STATUS_CMDQ	0x4U
#define MLXL_STATUS_CMDQ_ERROR	0x8U

#define MLXL_LIMITS_LOG2(x)	((x) & 0xff)
#define MLXL_LIMITS_FNS(x)	(((x) >> 8) & 0xff)

#define MLXL_CTRL_ENABLE	0x1U
#define MLXL_CTRL_IRQ		0x2U

/* SYNDROME, when STATUS has an error. */
enum mlxl_syndrome { MLXL_SYN_BAD_QUEUE = 1, MLXL_SYN_QUEUE_DMA, MLXL_SYN_INJECTED };

enum mlxl_vector { MLXL_VECTOR_CMD, MLXL_VECTOR_EVENT, MLXL_VECTORS };

#define MLXL_DISABLE_MS		100
#define MLXL_READY_MS		100
#define MLXL_MAX_SLOTS_LOG2	5
#define MLXL_MAX_SLOTS		32U

/* 3: command queue */
#define MLXL_INLINE_BYTES	32
#define MLXL_MAX_BYTES		131072
#define MLXL_BOX_BYTES		4096
#define MLXL_BOX_DATA		4080
#define MLXL_MAX_BOXES		33	/* MLXL_MAX_BYTES of data */
#define MLXL_NO_FUNCTION	0xffffU
#define MLXL_OWNER_FW		1

struct mlxl_slot {
	__le16 opcode;
	__le16 function;
	__le32 tag;
	__le32 in_bytes;
	__le32 out_bytes;
	__le64 in_box;
	__le64 out_box;
	__u8 in[MLXL_INLINE_BYTES];
	__u8 out[MLXL_INLINE_BYTES];
	__le32 status;
	__le32 syndrome;
	__le32 out_len;
	__le32 tag_out;
	__u8 reserved[12];
	__le32 owner;
};

struct mlxl_box {
	__le64 next;
	__le32 tag;
	__le16 index;
	__le16 bytes;
	__u8 data[MLXL_BOX_DATA];
};

struct mlxl_segment {
	__le64 iova;
	__le32 bytes;
	__le32 reserved;
};

/* 4: status */
enum mlxl_status {
	MLXL_OK, MLXL_BAD_OPCODE, MLXL_BAD_INPUT, MLXL_BAD_MAILBOX, MLXL_BAD_FUNCTION,
	MLXL_BAD_STATE, MLXL_BUSY, MLXL_NO_RESOURCES, MLXL_LIMIT, MLXL_DMA,
	MLXL_BAD_IMAGE, MLXL_ABORTED, MLXL_UNSUPPORTED, MLXL_INTERNAL,
	MLXL_STATUSES,
};

/* 5: commands */
enum mlxl_opcode {
	MLXL_QUERY_CAPS		= 0x001,
	MLXL_QUERY_FUNCTION	= 0x002,
	MLXL_PROVISION		= 0x010,
	MLXL_ENABLE		= 0x011,
	MLXL_DISABLE		= 0x012,
	MLXL_SUSPEND		= 0x020,
	MLXL_RESUME		= 0x021,
	MLXL_QUERY_IMAGE	= 0x030,
	MLXL_SAVE_BEGIN		= 0x031,
	MLXL_SAVE_CHUNK		= 0x032,
	MLXL_SAVE_END		= 0x033,
	MLXL_LOAD_BEGIN		= 0x034,
	MLXL_LOAD_CHUNK		= 0x035,
	MLXL_LOAD_END		= 0x036,
	MLXL_TRACKER_CREATE	= 0x040,
	MLXL_TRACKER_ARM	= 0x041,
	MLXL_TRACKER_QUERY	= 0x042,
	MLXL_TRACKER_DESTROY	= 0x043,
	MLXL_INJECT_ERROR	= 0x050,
};

#define MLXL_UNIT		4096	/* of sizes of images and chunks */

/* Largest image that this driver takes from any firmware. */
#define MLXL_IMAGE_MAX		0x10000000000ULL

/* 5.1 */
#define MLXL_CAPS_INCREMENTAL	0x1U
#define MLXL_CAPS_TRACKER	0x2U

struct mlxl_caps {
	__le32 fw_version;
	__le32 flags;
	__le16 functions;
	__le16 pairs;
	__le16 vectors;
	__le16 queue_size;
	__le64 image_bytes;
	__le32 chunk_bytes;
	__le32 chunk_unit;
	__le32 segments;
	__le16 image_version;
	__le16 image_oldest;
	__le32 ranges;
	__u8 page_min_log2;
	__u8 page_max_log2;
	__u8 address_bits;
	__u8 reserved0;
	__le64 track_pages;
	__le64 query_pages;
	__le64 serial;
	__le32 timeout_ms;
	__u8 reserved1[52];
};

/* 5.2 */
enum mlxl_fn_state { MLXL_UNPROVISIONED, MLXL_PROVISIONED, MLXL_ENABLED };

#define MLXL_FN_INITIATOR	0x1U	/* suspended */
#define MLXL_FN_RESPONDER	0x2U	/* suspended */
#define MLXL_FN_FAILED		0x4U
#define MLXL_FN_SAVING		0x8U
#define MLXL_FN_LOADING		0x10U
#define MLXL_FN_NOT_FINAL	0x20U
#define MLXL_FN_TRACKER		0x40U
#define MLXL_FN_TRACKER_ARMED	0x80U
#define MLXL_FN_TRACKER_ERROR	0x100U
#define MLXL_FN_BASE		0x200U

struct mlxl_function {
	__le32 state;
	__le32 flags;
	__le32 resets;
	__le32 save_session;
	__le32 load_session;
	__le32 tracker;
	__u8 mac[6];
	__le16 pairs;
	__le16 vectors;
	__le16 queue_size;
	__le32 reason;
	__le64 features;
	__le64 image_bytes;
	__le64 rx_frames;
	__le64 tx_frames;
	__le64 rx_bytes;
	__le64 tx_bytes;
	__le64 dropped;
	__le64 serial;
	__u8 reserved[24];
};

/* Why it is FAILED. */
enum mlxl_fail { MLXL_FAIL_INJECTED = 1, MLXL_FAIL_RING };

/* 5.3 */
struct mlxl_provision {
	__u8 mac[6];
	__le16 pairs;
	__le16 vectors;
	__le16 queue_size;
	__le32 reserved;
};

/* 5.4 */
#define MLXL_INITIATOR		1
#define MLXL_RESPONDER		2

/* 5.5 */
#define MLXL_IMAGE_FULL		0
#define MLXL_IMAGE_INCREMENTAL	1
#define MLXL_SAVE_TRACK		0x1U
#define MLXL_SAVE_COMMIT	0x1U
#define MLXL_IMAGE_REINIT	0x1U
#define MLXL_LOAD_ABORT		0x1U

struct mlxl_image_size {
	__le64 bytes;
	__le64 most;
	__le32 flags;
	__le32 reserved;
};

struct mlxl_save_begin {
	__le32 mode;
	__le32 flags;
};

struct mlxl_session_out {
	__le32 id;
	__le32 reserved;
};

struct mlxl_save_begin_out {
	__le32 id;
	__le32 reserved;
	__le64 bytes;
};

struct mlxl_end {
	__le32 id;
	__le32 flags;
};

struct mlxl_chunk {
	__le32 session;
	__le32 segments;
	__le64 offset;
	__le32 bytes;
	__le32 reserved;
};

/* 5.6: why an image is refused */
enum mlxl_image_reason {
	MLXL_IMAGE_MAGIC = 1, MLXL_IMAGE_VERSION, MLXL_IMAGE_LENGTH, MLXL_IMAGE_INCOMPLETE,
	MLXL_IMAGE_CHECKSUM, MLXL_IMAGE_BASE, MLXL_IMAGE_CONFIG, MLXL_IMAGE_STATE,
	MLXL_IMAGE_REASONS,
};

/* 5.7 */
struct mlxl_tracker_range {
	__le64 iova;
	__le64 bytes;
};

struct mlxl_tracker_create {
	__le32 page_log2;
	__le32 ranges;
	__le64 reserved;
};

struct mlxl_tracker_query {
	__le32 tracker;
	__le32 flags;
	__le64 iova;
	__le64 bytes;
	__le32 segments;
	__le32 reserved;
};

struct mlxl_tracker_query_out {
	__le64 set;
	__le64 reserved;
};

/* 5.8 */
enum mlxl_inject_what {
	MLXL_INJECT_FAIL = 1, MLXL_INJECT_TRACKER, MLXL_INJECT_BASE, MLXL_INJECT_FATAL,
	MLXL_INJECT_COMMAND,
};

#endif /* HW_MLX5_LIKE_H */
