// SPDX-License-Identifier: GPL-2.0
/*
 * Commands to the controlling function.  It is looked up for every command, except that a
 * session is bound to the one that has begun it: for another one, or the same one after a
 * reset, it does not exist.
 */
#include <linux/slab.h>

#include "mlx5_like.h"

static int control_exec(struct mlxl_dev *md, struct vpv_control *control,
			struct mlxl_command *cmd)
{
	const struct mlxl_control_ops *ops;
	void *priv;
	int err;

	ops = vpv_control_enter(control, &priv);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	err = ops->exec(priv, cmd);
	vpv_control_leave(control);
	if (!err && cmd->out_len != cmd->out_bytes)
		err = -EPROTO;
	/* Busy: what is in the way is removed, see session_begin(). */
	if (err && err != -EBUSY)
		dev_warn_ratelimited(&md->m.vpv.pdev->dev,
				     "command %#x failed: error %d, status %u, syndrome %#x\n",
				     cmd->opcode, err, cmd->status, cmd->syndrome);
	return err;
}

/*
 * For commands that may be carried out twice.  One ends like this when another function's command
 * was stuck, or when the controlling function goes away: then the second attempt tells.
 */
static int control_exec_again(struct mlxl_dev *md, struct vpv_control *control,
			      struct mlxl_command *cmd)
{
	int err = control_exec(md, control, cmd);

	return err == -ECONNABORTED ? control_exec(md, control, cmd) : err;
}

static struct vpv_control *control_get(struct mlxl_dev *md)
{
	return vpv_control_get(&md->m.vpv.pdev->dev, MLXL_FAMILY);
}

static int hw_exec(struct mlxl_dev *md, struct mlxl_command *cmd)
{
	struct vpv_control *control __free(vpv_control) = control_get(md);

	return IS_ERR(control) ? PTR_ERR(control) : control_exec(md, control, cmd);
}

static int hw_ask(struct mlxl_dev *md, struct mlxl_command *cmd)
{
	int err = hw_exec(md, cmd);

	return err == -ECONNABORTED ? hw_exec(md, cmd) : err;
}

/* It is not known whether the command was carried out. */
static bool uncertain(int err)
{
	return err == -ETIMEDOUT || err == -ECONNABORTED || err == -EPROTO;
}

/**
 * mlxl_hw_caps() - What can the firmware do?
 * @md: Device.
 * @caps: Receives it.
 *
 * Return: 0 or -ENOTCONN.
 */
int mlxl_hw_caps(struct mlxl_dev *md, struct mlxl_caps *caps)
{
	struct vpv_control *control __free(vpv_control) = control_get(md);
	const struct mlxl_control_ops *ops;
	void *priv;

	if (IS_ERR(control))
		return PTR_ERR(control);
	ops = vpv_control_enter(control, &priv);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	*caps = *ops->caps(priv);
	vpv_control_leave(control);
	return 0;
}

static struct mlxl_command query_command(struct mlxl_function *fn)
{
	return (struct mlxl_command){
		.opcode = MLXL_QUERY_FUNCTION,
		.out = fn,
		.out_bytes = sizeof(*fn),
	};
}

/**
 * mlxl_hw_query() - State of the function as the firmware sees it
 * @md: Device.
 * @fn: Receives it.
 *
 * Return: 0 or a negative errno.
 */
int mlxl_hw_query(struct mlxl_dev *md, struct mlxl_function *fn)
{
	struct mlxl_command cmd = query_command(fn);

	return hw_ask(md, &cmd);
}

/* ---- Suspend and resume ---- */

static bool suspended(const struct mlxl_function *fn, u32 halves)
{
	return le32_to_cpu(fn->state) == MLXL_ENABLED &&
	       (le32_to_cpu(fn->flags) & halves) == halves;
}

static int power_exec(struct mlxl_dev *md, struct vpv_control *control, u16 opcode, u32 what)
{
	const __le32 in = cpu_to_le32(what);
	struct mlxl_command cmd = {
		.opcode = opcode,
		.in = &in,
		.in_bytes = sizeof(in),
	};

	return control_exec(md, control, &cmd);
}

/**
 * mlxl_hw_suspend() - Stop a half of the function
 * @md: Device.
 * @what: MLXL_INITIATOR or MLXL_RESPONDER.
 *
 * A command whose result is not known is followed by a query.  If that fails, too, only a reset
 * helps.
 *
 * Context: process; may sleep for the firmware's time-out, three times: the question may be put
 * again.
 * Return: 0; a negative errno, and it runs as before; -EIO if that is not known.
 */
int mlxl_hw_suspend(struct mlxl_dev *md, u32 what)
{
	struct vpv_control *control __free(vpv_control) = control_get(md);
	struct mlxl_function fn;
	int err;

	if (IS_ERR(control))
		return PTR_ERR(control);
	err = power_exec(md, control, MLXL_SUSPEND, what);
	if (!uncertain(err))
		return err;
	if (mlxl_hw_query(md, &fn))
		return -EIO;
	return suspended(&fn, mlxl_half(what)) ? 0 : err;
}

/**
 * mlxl_hw_resume() - Undo mlxl_hw_suspend(), if that has lasted until now
 * @md: Device.
 * @what: MLXL_INITIATOR or MLXL_RESPONDER.
 * @halves: What was suspended, @what included: MLXL_FN_ flags.
 *
 * RESUME succeeds as well for a function that runs, since a reset or a loss of power for
 * instance, with nothing of the state that it was suspended with.  So the firmware is asked
 * before.  The command uses the handle of the query: if the controlling function was reset
 * between the two, it fails.  A command whose result is not known is followed by another query.
 *
 * Context: process; may sleep for the firmware's time-out, five times: both questions may be put
 * again.
 * Return: 0; -ESTALE: the suspension was lost, or is now, and the state with it; another
 * negative errno, and it stands as before; -EIO if that is not known.
 */
int mlxl_hw_resume(struct mlxl_dev *md, u32 what, u32 halves)
{
	struct vpv_control *control __free(vpv_control) = control_get(md);
	struct mlxl_function before, after;
	struct mlxl_command cmd = query_command(&before);
	int err;

	if (IS_ERR(control))
		return PTR_ERR(control);
	err = control_exec_again(md, control, &cmd);
	if (err || !suspended(&before, halves))
		return err ?: -ESTALE;
	err = power_exec(md, control, MLXL_RESUME, what);
	if (!uncertain(err))
		return err;
	if (mlxl_hw_query(md, &after))
		return -EIO;
	if (after.resets != before.resets || !suspended(&after, halves & ~mlxl_half(what)))
		return -ESTALE;
	return suspended(&after, halves) ? err : 0;
}

/**
 * mlxl_hw_run() - See that the function runs, whatever it did before
 * @md: Device.
 *
 * Context: process; may sleep for the firmware's time-out, twice.
 * Return: 0; a negative errno, and it may stand still.
 */
int mlxl_hw_run(struct mlxl_dev *md)
{
	struct vpv_control *control __free(vpv_control) = control_get(md);
	int err;

	if (IS_ERR(control))
		return PTR_ERR(control);
	err = power_exec(md, control, MLXL_RESUME, MLXL_RESPONDER);
	return err ?: power_exec(md, control, MLXL_RESUME, MLXL_INITIATOR);
}

/* ---- Sessions ---- */

/**
 * mlxl_hw_forget() - The firmware has, or gets, no such session any more
 * @s: Session; also one that is not open.
 */
void mlxl_hw_forget(struct mlxl_session *s)
{
	vpv_control_put(s->control);
	*s = (struct mlxl_session){};
}

/* End whatever has an id; flags as SAVE_END and LOAD_END take them. */
static int end_exec(struct mlxl_dev *md, struct vpv_control *control, u16 opcode, u32 id,
		    u32 flags, u32 *reason)
{
	const struct mlxl_end in = {
		.id = cpu_to_le32(id),
		.flags = cpu_to_le32(flags),
	};
	struct mlxl_command cmd = {
		.opcode = opcode,
		.in = &in,
		.in_bytes = opcode == MLXL_TRACKER_DESTROY ? sizeof(in.id) : sizeof(in),
	};
	int err = control_exec_again(md, control, &cmd);

	if (reason)
		*reason = err == -EBADMSG ? cmd.syndrome : 0;
	return err;
}

/*
 * Begin a session.  One that an earlier user of the function has left behind, or whose id
 * was lost in a time-out, is ended first.
 */
static int session_begin(struct mlxl_dev *md, struct mlxl_command *cmd, u16 end, u32 flags,
			 struct mlxl_session *s)
{
	struct vpv_control *control __free(vpv_control) = control_get(md);
	int err;

	if (IS_ERR(control))
		return PTR_ERR(control);
	err = control_exec(md, control, cmd);
	if (uncertain(err))
		err = control_exec(md, control, cmd);
	if (err == -EBUSY) {
		err = end_exec(md, control, end, cmd->syndrome, flags, NULL);
		if (!err)
			err = control_exec(md, control, cmd);
	}
	if (err)
		return err;
	mlxl_hw_forget(s);
	s->control = no_free_ptr(control);
	s->id = le32_to_cpu(*(const __le32 *)cmd->out);
	return 0;
}

/**
 * mlxl_hw_image_size() - How large would an image be?
 * @md: Device.
 * @mode: MLXL_IMAGE_FULL or MLXL_IMAGE_INCREMENTAL.
 * @size: Receives it.
 *
 * Return: 0; -EBADFD for an incremental one without a base; -EPROTO for a size that
 * cannot be; or another negative errno.
 */
int mlxl_hw_image_size(struct mlxl_dev *md, u32 mode, struct mlxl_image_size *size)
{
	const __le32 in = cpu_to_le32(mode);
	struct mlxl_command cmd = {
		.opcode = MLXL_QUERY_IMAGE,
		.in = &in,
		.in_bytes = sizeof(in),
		.out = size,
		.out_bytes = sizeof(*size),
	};
	int err = hw_ask(md, &cmd);

	return !err && le64_to_cpu(size->bytes) > MLXL_IMAGE_MAX ? -EPROTO : err;
}

/**
 * mlxl_hw_save_begin() - Take an image
 * @md: Device.
 * @mode: MLXL_IMAGE_FULL or MLXL_IMAGE_INCREMENTAL.
 * @track: Record changes from here on.
 * @s: Receives the session; how large the image is the firmware's word alone.
 *
 * Return: 0 or a negative errno.
 */
int mlxl_hw_save_begin(struct mlxl_dev *md, u32 mode, bool track, struct mlxl_session *s)
{
	const struct mlxl_save_begin in = {
		.mode = cpu_to_le32(mode),
		.flags = cpu_to_le32(track ? MLXL_SAVE_TRACK : 0),
	};
	struct mlxl_save_begin_out out;
	struct mlxl_command cmd = {
		.opcode = MLXL_SAVE_BEGIN,
		.in = &in,
		.in_bytes = sizeof(in),
		.out = &out,
		.out_bytes = sizeof(out),
	};
	int err;

	err = session_begin(md, &cmd, MLXL_SAVE_END, 0, s);
	if (err)
		return err;
	s->bytes = le64_to_cpu(out.bytes);
	return 0;
}

/**
 * mlxl_hw_save_end() - An image was taken, or is not needed
 * @md: Device.
 * @s: Session; closed in any case.
 * @commit: The next incremental image builds on it.
 *
 * Return: 0 or a negative errno: it may not have been committed.
 */
int mlxl_hw_save_end(struct mlxl_dev *md, struct mlxl_session *s, bool commit)
{
	int err;

	if (!s->control)
		return 0;
	err = end_exec(md, s->control, MLXL_SAVE_END, s->id, commit ? MLXL_SAVE_COMMIT : 0,
		       NULL);
	mlxl_hw_forget(s);
	return err;
}

/**
 * mlxl_hw_load_begin() - An image comes
 * @md: Device.
 * @bytes: Its size.
 * @s: Receives the session.
 *
 * Return: 0 or a negative errno.
 */
int mlxl_hw_load_begin(struct mlxl_dev *md, u64 bytes, struct mlxl_session *s)
{
	const __le64 in = cpu_to_le64(bytes);
	struct mlxl_session_out out;
	struct mlxl_command cmd = {
		.opcode = MLXL_LOAD_BEGIN,
		.in = &in,
		.in_bytes = sizeof(in),
		.out = &out,
		.out_bytes = sizeof(out),
	};
	int err;

	err = session_begin(md, &cmd, MLXL_LOAD_END, MLXL_LOAD_ABORT, s);
	if (!err)
		s->bytes = bytes;
	return err;
}

/**
 * mlxl_hw_load_end() - The image is complete, or is not wanted
 * @md: Device.
 * @s: Session; closed in any case.
 * @abort: It is not wanted.
 * @reason: Receives enum mlxl_image_reason when it is refused, else 0.
 *
 * Return: 0; -EBADMSG when it is refused; or another negative errno.
 */
int mlxl_hw_load_end(struct mlxl_dev *md, struct mlxl_session *s, bool abort, u32 *reason)
{
	int err;

	*reason = 0;
	if (!s->control)
		return abort ? 0 : -ENODEV;
	err = end_exec(md, s->control, MLXL_LOAD_END, s->id, abort ? MLXL_LOAD_ABORT : 0,
		       reason);
	mlxl_hw_forget(s);
	return err;
}

/* ---- Trackers ---- */

/**
 * mlxl_hw_tracker_arm() - Forget what was written, and record from here on
 * @md: Device.
 * @s: Tracker.
 *
 * Context: process; may sleep for the firmware's time-out, twice when another function's
 * command was stuck.
 * Return: 0; -ETIMEDOUT or -ECONNABORTED if that is not known; or another negative errno, and
 * it does not record.
 */
int mlxl_hw_tracker_arm(struct mlxl_dev *md, struct mlxl_session *s)
{
	const __le32 id = cpu_to_le32(s->id);
	struct mlxl_command cmd = {
		.opcode = MLXL_TRACKER_ARM,
		.in = &id,
		.in_bytes = sizeof(id),
	};

	return control_exec_again(md, s->control, &cmd);
}

/**
 * mlxl_hw_tracker_create() - Record which pages are written, from here on
 * @md: Device.
 * @what: Ranges and pages, within the limits of the firmware.
 * @s: Receives the tracker.
 *
 * Return: 0 or a negative errno.
 */
int mlxl_hw_tracker_create(struct mlxl_dev *md, const struct vmig_track *what,
			   struct mlxl_session *s)
{
	struct mlxl_tracker_create *in;
	struct mlxl_tracker_range *range;
	struct mlxl_session_out out;
	struct mlxl_command cmd = {
		.opcode = MLXL_TRACKER_CREATE,
		.in_bytes = sizeof(*in) + what->num * sizeof(*range),
		.out = &out,
		.out_bytes = sizeof(out),
	};
	int err;

	in = kvzalloc(cmd.in_bytes, GFP_KERNEL_ACCOUNT);
	if (!in)
		return -ENOMEM;
	in->page_log2 = cpu_to_le32(what->page_log2);
	in->ranges = cpu_to_le32(what->num);
	range = (struct mlxl_tracker_range *)(in + 1);
	for (u32 i = 0; i < what->num; i++) {
		const struct vmig_range *r = &what->ranges[i];

		range[i].iova = cpu_to_le64(r->first);
		range[i].bytes = cpu_to_le64(r->last - r->first + 1);
	}
	cmd.in = in;
	err = session_begin(md, &cmd, MLXL_TRACKER_DESTROY, 0, s);
	kvfree(in);
	if (err)
		return err;

	err = mlxl_hw_tracker_arm(md, s);
	if (err)
		mlxl_hw_tracker_destroy(md, s);
	return err;
}

/**
 * mlxl_hw_tracker_query() - Which pages were written?  Forgets them
 * @md: Device.
 * @s: Tracker.
 * @io: Prepared; receives the bitmap.
 * @iova: First page.
 * @bytes: Size.
 * @bitmap_bytes: Size of the bitmap.
 *
 * Return: 0; -EPROTO when the bitmap is not what the firmware says it is; or another negative
 * errno.  After any of these they may be forgotten or not.
 */
int mlxl_hw_tracker_query(struct mlxl_dev *md, struct mlxl_session *s, struct mlxl_io *io,
			  u64 iova, u64 bytes, u32 bitmap_bytes)
{
	struct mlxl_tracker_query *in = io->in;
	struct mlxl_tracker_query_out out;
	size_t set;
	u32 num;
	int err;

	*in = (struct mlxl_tracker_query){
		.tracker = cpu_to_le32(s->id),
		.iova = cpu_to_le64(iova),
		.bytes = cpu_to_le64(bytes),
	};
	num = mlxl_io_segments(io, 0, bitmap_bytes, (struct mlxl_segment *)(in + 1));
	in->segments = cpu_to_le32(num);
	io->cmd = (struct mlxl_command){
		.opcode = MLXL_TRACKER_QUERY,
		.in = in,
		.in_bytes = sizeof(*in) + num * sizeof(struct mlxl_segment),
		.out = &out,
		.out_bytes = sizeof(out),
		.buf = io->buf,
	};
	/* What does not come is no report of before. */
	memset(io->chunk->data, 0, bitmap_bytes);
	err = control_exec(md, s->control, &io->cmd);
	if (err)
		return err;
	set = memweight(io->chunk->data, bitmap_bytes);
	if (set == le64_to_cpu(out.set))
		return 0;
	dev_warn_ratelimited(&md->m.vpv.pdev->dev,
			     "report of written pages has %zu bits set, not %llu\n", set,
			     le64_to_cpu(out.set));
	return -EPROTO;
}

/**
 * mlxl_hw_tracker_destroy() - Stop recording
 * @md: Device.
 * @s: Tracker; also none.
 */
void mlxl_hw_tracker_destroy(struct mlxl_dev *md, struct mlxl_session *s)
{
	if (s->control)
		end_exec(md, s->control, MLXL_TRACKER_DESTROY, s->id, 0, NULL);
	mlxl_hw_forget(s);
}
