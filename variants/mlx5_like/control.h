/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vpv_mlx5_ctrl publishes for each controlled function, and vpv_mlx5_like uses:
 * firmware commands about that function.  The registry is vpv/controlling.h; ops are
 * called between vpv_control_enter() and vpv_control_leave().
 */
#ifndef MLXL_CONTROL_H
#define MLXL_CONTROL_H

#include <linux/types.h>

#include <hw/mlx5_like.h>
#include <vpv/pure.h>

#define MLXL_FAMILY "mlx5_like"

struct mlxl_command;
struct vpv_ctrl_buf;

/**
 * struct mlxl_command - One firmware command
 * @opcode: enum mlxl_opcode.
 * @in: Input.  Copied by submit and exec.
 * @in_bytes: Its size, at most MLXL_MAX_BYTES.
 * @out: Room for the output; valid until the command has ended.
 * @out_bytes: Its size, at most MLXL_MAX_BYTES.
 * @buf: Memory that segments in @in name, or NULL; usable at the controlling function.
 * @status: enum mlxl_status, when the error is one of the firmware.
 * @syndrome: Likewise.
 * @out_len: Bytes of output.
 * @done: For submit: the command has ended, with the error that exec would return.
 *	In process context; may not sleep for long, nor submit.
 */
struct mlxl_command {
	u16 opcode;
	const void *in;
	u32 in_bytes;
	void *out;
	u32 out_bytes;
	struct vpv_ctrl_buf *buf;
	u32 status;
	u32 syndrome;
	u32 out_len;
	void (*done)(struct mlxl_command *cmd, int err);
};

/**
 * struct mlxl_control_ops - What can be done about a controlled function
 *
 * Errors of @exec and @submit: -ENOTCONN: the command was not given to the firmware;
 * -ECONNABORTED, -ETIMEDOUT: it was, and it is not known whether it was carried out;
 * -ENOMEM, -EMSGSIZE; and those of mlxl_status_errno(), with status and syndrome in
 * the command, which then has changed nothing.
 */
struct mlxl_control_ops {
	/** @caps: What the firmware can do; valid until leave. */
	const struct mlxl_caps *(*caps)(void *priv);

	/** @exec: Carry a command out; bounded by the firmware's time-out. */
	int (*exec)(void *priv, struct mlxl_command *cmd);

	/**
	 * @submit: Begin a command; done() follows if this returns 0, always: it does
	 * not need enter or leave.  May wait for a free slot.
	 */
	int (*submit)(void *priv, struct mlxl_command *cmd);
};

#endif /* MLXL_CONTROL_H */
