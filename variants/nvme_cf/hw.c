// SPDX-License-Identifier: GPL-2.0
/*
 * Commands to the managing controller.  It is looked up for every command; a suspension alone is
 * bound to the one that has carried it out (suspend.c).
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "nvme_cf.h"

#define FIRST_PIECE	BIT(0)
#define LAST_PIECE	BIT(1)

/* Part of normal operation: not logged. */
static bool expected(u16 status)
{
	return status == NVS_SC_NOT_SUSPENDED || status == NVS_SC_NAMESPACE_NOT_READY ||
	       status == NVS_SC_NOT_ENOUGH_RESOURCES;
}

static int control_exec(struct nvcf_dev *nd, struct vpv_control *control,
			struct nvcf_command *cmd)
{
	const struct nvcf_control_ops *ops;
	void *priv;
	int err;

	cmd->status = 0;
	ops = vpv_control_enter(control, &priv);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	err = ops->exec(priv, cmd);
	vpv_control_leave(control);
	if (err && !(err == -EREMOTEIO && expected(cmd->status)))
		dev_warn_ratelimited(&nd->m.vpv.pdev->dev,
				     "command %#x, cdw10 %#x, failed: error %d, status %#x\n",
				     cmd->opcode, cmd->cdw10, err, cmd->status);
	return err;
}

static int hw_exec(struct nvcf_dev *nd, struct nvcf_command *cmd)
{
	struct vpv_control *control __free(vpv_control) = nvcf_control_get(nd);

	return IS_ERR(control) ? PTR_ERR(control) : control_exec(nd, control, cmd);
}

/* For commands that may be carried out twice: another function's may have been stuck. */
static int hw_ask(struct nvcf_dev *nd, struct nvcf_command *cmd)
{
	int err = hw_exec(nd, cmd);

	return err == -ECONNABORTED ? hw_exec(nd, cmd) : err;
}

/**
 * nvcf_hw_managing() - What can the managing controller do?
 * @nd: Device.
 * @managing: Receives it.
 *
 * Return: 0 or -ENOTCONN.
 */
int nvcf_hw_managing(struct nvcf_dev *nd, struct nvcf_managing *managing)
{
	struct vpv_control *control __free(vpv_control) = nvcf_control_get(nd);
	const struct nvcf_control_ops *ops;
	void *priv;

	if (IS_ERR(control))
		return PTR_ERR(control);
	ops = vpv_control_enter(control, &priv);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	*managing = *ops->managing(priv);
	vpv_control_leave(control);
	return 0;
}

/**
 * nvcf_hw_profile() - The identity profile of the controller
 * @nd: Device.
 * @profile: Receives it; it was not checked.
 *
 * Return: 0; -ENODEV if it has none; or another negative errno.
 */
int nvcf_hw_profile(struct nvcf_dev *nd, struct nvcf_profile *profile)
{
	struct nvcf_command cmd = {
		.opcode = NVCF_ADMIN_PROFILE_RECEIVE,
		.data = profile,
		.bytes = sizeof(*profile),
	};
	int err = hw_ask(nd, &cmd);

	return !err && !(cmd.dw0 & NVCF_PROFILE_GIVEN) ? -ENODEV : err;
}

/* ---- Suspend and resume ---- */

/**
 * nvcf_hw_suspend() - Suspend the controller
 * @nd: Device.
 * @control: The managing controller.
 *
 * Context: process; may sleep for the time-out of a command.
 * Return: 0; nvcf_uncertain(); another negative errno, and it runs.
 */
int nvcf_hw_suspend(struct nvcf_dev *nd, struct vpv_control *control)
{
	struct nvcf_command cmd = {
		.opcode = NVS_ADMIN_MIGRATION_SEND,
		.cdw10 = NVS_SEND_SUSPEND,
		.cdw11 = NVS_SUSPEND << 16,
	};

	return control_exec(nd, control, &cmd);
}

/**
 * nvcf_hw_resume() - Resume the controller, or see that it runs
 * @nd: Device.
 * @control: The managing controller.
 *
 * Context: process; may sleep for the time-out of a command.
 * Return: 0; -EALREADY: it was not suspended; -EAGAIN: another one still has its disks;
 * nvcf_uncertain(); another negative errno, and nothing has changed.
 */
int nvcf_hw_resume(struct nvcf_dev *nd, struct vpv_control *control)
{
	struct nvcf_command cmd = {
		.opcode = NVS_ADMIN_MIGRATION_SEND,
		.cdw10 = NVS_SEND_RESUME,
	};
	int err = control_exec(nd, control, &cmd);

	if (err != -EREMOTEIO)
		return err;
	switch (cmd.status) {
	case NVS_SC_NOT_SUSPENDED:
		return -EALREADY;
	case NVS_SC_NAMESPACE_NOT_READY:
		return -EAGAIN;
	}
	return err;
}

/* ---- State ---- */

/* A piece of the state, of the moment when its begin was read. */
static int get_piece(struct nvcf_dev *nd, const struct nvcf_managing *managing, u32 offset,
		     void *buf, u32 bytes)
{
	struct nvcf_command cmd = {
		.opcode = NVS_ADMIN_MIGRATION_RECEIVE,
		.cdw10 = managing->csvi << 16 | NVS_RECEIVE_STATE,
		.cdw11 = managing->csuuidi << 16,
		.cdw12 = offset,
		.cdw15 = bytes / 4 - 1,
		.data = buf,
		.bytes = bytes,
	};
	int err = hw_exec(nd, &cmd);

	if (err)
		return err;
	if (cmd.dw0 & NVS_CSUP)
		return 0;
	dev_warn_ratelimited(&nd->m.vpv.pdev->dev, "not suspended while its state was read\n");
	return -EIO;
}

static int get_formats(struct nvcf_dev *nd, struct nvcf_managing *managing)
{
	int err = nvcf_hw_managing(nd, managing);

	return !err && !(managing->csvi && managing->csuuidi) ? -EOPNOTSUPP : err;
}

static int get_rest(struct nvcf_dev *nd, const struct nvcf_managing *managing, u8 *state,
		    u32 from, u32 bytes)
{
	int err = 0;

	for (u32 piece; from < bytes && !err; from += piece) {
		piece = min(bytes - from, managing->max_data);
		err = get_piece(nd, managing, from, state + from, piece);
	}
	return err;
}

/**
 * nvcf_hw_get_state() - State of the controller, suspended
 * @nd: Device.
 * @state: Receives memory with it, for kvfree().  Only its size is right for sure.
 * @bytes: Receives its size, at most NVCF_STATE_MOST.
 *
 * Return: 0; -EPROTO for a state that makes no sense; -EIO if it runs, though it is reported
 * as stopped; or another negative errno.
 */
int nvcf_hw_get_state(struct nvcf_dev *nd, void **state, u32 *bytes)
{
	struct nvs_state_header header;
	struct nvcf_managing managing;
	struct vmig_diff diff;
	u8 *buf;
	int err;

	err = get_formats(nd, &managing);
	if (!err)
		err = get_piece(nd, &managing, 0, &header, sizeof(header));
	if (err)
		return err;
	if (nvcf_state_bytes(&header, bytes, &diff))
		return vmig_refuse(&nd->m.mig, -EPROTO, &diff);
	buf = kvmalloc(*bytes, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	memcpy(buf, &header, sizeof(header));
	err = get_rest(nd, &managing, buf, sizeof(header), *bytes);
	if (err)
		kvfree(buf);
	else
		*state = buf;
	return err;
}

static u32 sequence(u32 offset, u32 piece, u32 bytes)
{
	static const u8 seq[] = {
		[0] = NVS_SEQ_MIDDLE,
		[FIRST_PIECE] = NVS_SEQ_FIRST,
		[LAST_PIECE] = NVS_SEQ_LAST,
		[FIRST_PIECE | LAST_PIECE] = NVS_SEQ_ONLY,
	};

	return seq[(offset ? 0 : FIRST_PIECE) | (offset + piece == bytes ? LAST_PIECE : 0)];
}

/**
 * nvcf_hw_set_state() - Give the controller, suspended, a state
 * @nd: Device.
 * @state: State.
 * @bytes: Its size, a multiple of 4.
 * @status: Receives what the device said, 0 if it did not refuse.
 *
 * Takes effect with the last piece; after an error it has to be sent again as a whole.
 *
 * Return: 0; -EREMOTEIO with @status; or another negative errno.
 */
int nvcf_hw_set_state(struct nvcf_dev *nd, const void *state, u32 bytes, u16 *status)
{
	struct nvcf_managing managing;
	int err;

	*status = 0;
	err = get_formats(nd, &managing);
	for (u32 offset = 0, piece; offset < bytes && !err; offset += piece) {
		struct nvcf_command cmd = {
			.opcode = NVS_ADMIN_MIGRATION_SEND,
			.cdw11 = (u32)managing.csuuidi << 24 | managing.csvi << 16,
			.cdw12 = offset,
			.data = (u8 *)state + offset,
		};

		piece = min(bytes - offset, managing.max_data);
		cmd.cdw10 = sequence(offset, piece, bytes) << 16 | NVS_SEND_SET_STATE;
		cmd.cdw15 = piece / 4;
		cmd.bytes = piece;
		err = hw_exec(nd, &cmd);
		*status = cmd.status;
	}
	return err;
}

/* ---- Tracking ---- */

/**
 * nvcf_hw_untrack() - Stop recording what the controller writes
 * @nd: Device.
 *
 * Return: 0 or a negative errno.
 */
int nvcf_hw_untrack(struct nvcf_dev *nd)
{
	struct nvcf_command cmd = {
		.opcode = NVS_ADMIN_TRACK_SEND,
		.cdw10 = NVS_TRACK_MEMORY,
	};

	return hw_ask(nd, &cmd);
}

/**
 * nvcf_hw_track() - Record what the controller writes
 * @nd: Device.
 * @what: Ranges and pages, within the limits of the device.
 * @granule: Receives the granule that the device offers instead; log2 of pages of 4 KiB.
 * @ranges: Receives the number of ranges that it offers.
 *
 * Return: 0; -ENOSPC with an offer; or another negative errno.
 */
int nvcf_hw_track(struct nvcf_dev *nd, const struct vmig_track *what, u32 *granule, u32 *ranges)
{
	struct nvcf_command cmd = {
		.opcode = NVS_ADMIN_TRACK_SEND,
		.cdw10 = 1 << 16 | NVS_TRACK_MEMORY,
		.bytes = sizeof(struct nvs_track_request) +
			 what->num * sizeof(struct nvs_track_range),
	};
	struct nvs_track_request *request;
	struct nvs_track_range *range;
	int err;

	request = kvzalloc(cmd.bytes, GFP_KERNEL_ACCOUNT);
	if (!request)
		return -ENOMEM;
	request->rmrtg = what->page_log2 - ilog2(NVS_TRACK_UNIT);
	request->count = cpu_to_le32(what->num);
	range = (struct nvs_track_range *)(request + 1);
	for (u32 i = 0; i < what->num; i++) {
		const struct vmig_range *r = &what->ranges[i];

		range[i].addr = cpu_to_le64(r->first);
		range[i].length = cpu_to_le32(((r->last - r->first) >> what->page_log2) + 1);
	}
	cmd.data = request;
	err = hw_exec(nd, &cmd);
	kvfree(request);
	if (err != -EREMOTEIO || cmd.status != NVS_SC_NOT_ENOUGH_RESOURCES)
		return err;
	*granule = cmd.dw0 & 0xffff;
	*ranges = cmd.dw1;
	return -ENOSPC;
}

/**
 * nvcf_hw_report() - What has the controller written?  The device forgets it
 * @nd: Device.
 * @report: Receives it; room for NVCF_MAX_DATA.
 * @bytes: Receives its size.
 *
 * Return: 0; a negative errno, after which it may be forgotten or not.
 */
int nvcf_hw_report(struct nvcf_dev *nd, struct nvs_track_report *report, u32 *bytes)
{
	struct nvcf_command cmd = {
		.opcode = NVS_ADMIN_TRACK_RECEIVE,
		.cdw10 = NVS_TRACK_RECEIVE_MEMORY,
		.data = report,
	};
	struct nvcf_managing managing;
	int err;

	err = nvcf_hw_managing(nd, &managing);
	if (err)
		return err;
	cmd.bytes = managing.max_data;
	cmd.cdw12 = cmd.bytes / 4 - 1;
	*bytes = cmd.bytes;
	return hw_exec(nd, &cmd);
}
