/* SPDX-License-Identifier: GPL-2.0 */
/* Commands as bytes: slots and mailboxes.  Pure. */
#ifndef MLXL_CTRL_WIRE_H
#define MLXL_CTRL_WIRE_H

#include <hw/mlx5_like.h>
#include <vpv/pure.h>

/**
 * struct mlxl_chain - Mailboxes of one direction of a command
 * @num: Their number; 0 when the data is inline.
 * @box: Their memory.
 * @iova: Where the firmware finds each; below 2^64, aligned to MLXL_BOX_BYTES.
 */
struct mlxl_chain {
	unsigned int num;
	struct mlxl_box *box[MLXL_MAX_BOXES];
	u64 iova[MLXL_MAX_BOXES];
};

/**
 * struct mlxl_wire - A command for the wire
 * @opcode: enum mlxl_opcode.
 * @function: Controlled function, or MLXL_NO_FUNCTION.
 * @tag: Number that comes back.
 * @in: Input.
 * @in_bytes: Its size.
 * @out_bytes: Room for the output.
 */
struct mlxl_wire {
	u16 opcode;
	u16 function;
	u32 tag;
	const void *in;
	u32 in_bytes;
	u32 out_bytes;
};

/**
 * struct mlxl_reply - How a command ended
 * @status: enum mlxl_status, or larger.
 * @syndrome: Its detail.
 * @out_len: Bytes of output.
 */
struct mlxl_reply {
	u32 status;
	u32 syndrome;
	u32 out_len;
};

/**
 * mlxl_boxes() - How many mailboxes does data need?
 * @bytes: Size of the data.
 *
 * Return: their number; 0 when it fits into the slot.
 */
unsigned int mlxl_boxes(u32 bytes);

/**
 * mlxl_wire_build() - Write a command into a slot and its mailboxes
 * @w: Command.
 * @in: Chain of mlxl_boxes(@w->in_bytes) boxes.
 * @out: Chain of mlxl_boxes(@w->out_bytes) boxes.
 * @slot: Written but for its owner.
 *
 * Return: 0; -EMSGSIZE for data beyond MLXL_MAX_BYTES; -EINVAL for a chain of another
 * length.
 */
int mlxl_wire_build(const struct mlxl_wire *w, const struct mlxl_chain *in,
		    const struct mlxl_chain *out, struct mlxl_slot *slot);

/**
 * mlxl_wire_parse() - Read what the firmware wrote
 * @w: The command that was in the slot.
 * @slot: Slot, the host's again.  Copied from the queue: it does not change.
 * @chain: Output mailboxes; may change at any time.
 * @out: Receives the output.
 * @reply: Receives the end of it.
 *
 * Return: 0, whatever the status; -EPROTO when it makes no sense.
 */
int mlxl_wire_parse(const struct mlxl_wire *w, const struct mlxl_slot *slot,
		    const struct mlxl_chain *chain, void *out, struct mlxl_reply *reply);

/**
 * mlxl_status_errno() - Status as an errno
 * @status: As the firmware gave it.
 *
 * Return: 0 for MLXL_OK; a negative errno; -EPROTO for an unknown one.
 */
int mlxl_status_errno(u32 status);

/**
 * mlxl_caps_check() - Do the firmware's limits make sense?
 * @caps: Output of QUERY_CAPS.
 * @before: What it said last, or NULL the first time.
 * @field: Receives the name of what does not.
 * @value: Receives its value.
 *
 * Limits that are zero, beyond what the interface allows, or of another device than
 * before.  What is merely smaller or larger than last time is taken: a firmware may
 * have been replaced.
 *
 * Return: 0 or -EPROTO.
 */
int mlxl_caps_check(const struct mlxl_caps *caps, const struct mlxl_caps *before,
		    const char **field, u64 *value);

#endif /* MLXL_CTRL_WIRE_H */
