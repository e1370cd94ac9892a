// SPDX-License-Identifier: GPL-2.0
/*
 * The control page of coherent_gpu: what the function is, readiness of its memory, and
 * commands.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>

#include "coherent_gpu.h"

/* Time for the accesses themselves, beyond what the page allows. */
#define MARGIN_MS	500
#define POLL_MS		5
#define TELL_MS		5000

/* Copies hold up others who want the function's registers: not more at once. */
#define COPY_BYTES	1024U

int cgpu_identify(struct cgpu_dev *cd, struct cgpu_match *fn)
{
	struct cgpu_ident id;
	int err;

	err = vpv_window_ready(&cd->ctl, CGPU_CP_READY, CGPU_STATUS_READY, 2 * CGPU_READY_MS);
	if (!err)
		err = vpv_window_read(&cd->ctl, CGPU_CP_REV, (__le32 *)&id, sizeof(id));
	if (!err)
		cgpu_match_write(&id, fn);
	return err;
}

/* ---- Readiness ---- */

static unsigned int seconds_since(unsigned long begin)
{
	return jiffies_to_msecs(jiffies - begin) / MSEC_PER_SEC;
}

/* Commands work, too: what is bad is asked for before anybody touches the memory. */
static bool all_ready(u32 status)
{
	const u32 bits = CGPU_STATUS_READY | CGPU_STATUS_MEM_READY;

	return (status & bits) == bits;
}

static int wait_for_memory(struct cgpu_dev *cd, u32 limit_ms)
{
	unsigned long begin = jiffies, tell = begin + msecs_to_jiffies(TELL_MS);

	for (;;) {
		bool late = time_after(jiffies, begin + msecs_to_jiffies(limit_ms + MARGIN_MS));
		u32 status;
		int err = vpv_reg_read(&cd->ctl, CGPU_CP_READY, &status);

		if (err || all_ready(status))
			return err;
		if (status & CGPU_STATUS_FATAL) {
			dev_warn_ratelimited(cgpu_device(cd),
					     "memory does not come: status %#x\n", status);
			return -ENOTRECOVERABLE;
		}
		if (late) {
			dev_warn_ratelimited(cgpu_device(cd),
					     "memory is not ready after %u s: status %#x\n",
					     seconds_since(begin), status);
			return -ETIMEDOUT;
		}
		if (time_after(jiffies, tell)) {
			dev_info_ratelimited(cgpu_device(cd),
					     "waiting for memory for %u s of up to %u ms\n",
					     seconds_since(begin), limit_ms);
			tell += msecs_to_jiffies(TELL_MS);
		}
		schedule_timeout_killable(msecs_to_jiffies(POLL_MS));
		err = vpv_bar_memory_given_up(&cd->m.vpv);
		if (err)
			return err;
	}
}

int cgpu_memory_ready(struct vpv_device *vpv)
{
	struct cgpu_dev *cd = cgpu_from_vpv(vpv);
	u32 limit_ms;
	int err = vpv_reg_read(&cd->ctl, CGPU_CP_READY_MS, &limit_ms);

	if (!err)
		err = wait_for_memory(cd, min(limit_ms, CGPU_MEM_READY_MS));
	if (err)
		return err;
	err = cgpu_bad_update(cd, true);
	/* Of a command that did not end.  The memory is there. */
	return err == -ETIMEDOUT ? -EREMOTEIO : err;
}

int cgpu_healthy(struct cgpu_dev *cd)
{
	u32 status;
	int err = vpv_reg_read(&cd->ctl, CGPU_CP_READY, &status);

	if (err || !(status & CGPU_STATUS_FATAL))
		return err;
	dev_warn_ratelimited(cgpu_device(cd), "cannot be loaded: status %#x\n", status);
	return -ENOTRECOVERABLE;
}

/* ---- Commands ---- */

static const struct vpv_mailbox cgpu_mailbox = {
	.cmd = CGPU_CP_CMD,
	.stat = CGPU_CP_STAT,
	.idle = CGPU_IDLE,
	.busy = CGPU_BUSY,
	.err = CGPU_CP_ERR,
	.limit_ms = 2 * CGPU_CMD_MS,
};

static int window_put(struct cgpu_dev *cd, const u8 *buf, size_t bytes)
{
	int err = vpv_reg_write(&cd->ctl, CGPU_CP_BYTES, bytes);

	for (size_t pos = 0, part; pos < bytes && !err; pos += part) {
		part = min(bytes - pos, COPY_BYTES);
		err = vpv_window_write(&cd->ctl, CGPU_CP_WINDOW + pos,
				       (const __le32 *)(buf + pos), part);
	}
	return err;
}

/* Return: an errno that callers expect, or 0: the command does not work. */
static int expected(u32 code)
{
	switch (code) {
	case CGPU_ERR_BAD_STATE:
	case CGPU_ERR_BAD_LENGTH:
		return -EINVAL;
	case CGPU_ERR_LOG_OFF:
	case CGPU_ERR_LOG_LOST:
		return -ENODATA;
	}
	return 0;
}

int cgpu_idle(struct cgpu_dev *cd)
{
	return vpv_mailbox_idle(&cd->ctl, &cgpu_mailbox);
}

/* After vpv_mailbox_begin(), which has returned @err. */
static int run(struct cgpu_dev *cd, enum cgpu_cp_cmd cmd, int err)
{
	cd->cmd_err = 0;
	if (!err)
		err = vpv_mailbox_run(&cd->ctl, &cgpu_mailbox, cmd, &cd->cmd_err);
	if (err == -EREMOTEIO && expected(cd->cmd_err))
		return expected(cd->cmd_err);
	if (err)
		dev_warn_ratelimited(cgpu_device(cd),
				     "control command %u failed: code %u, error %d\n", cmd,
				     cd->cmd_err, err);
	return err;
}

int cgpu_command(struct cgpu_dev *cd, enum cgpu_cp_cmd cmd, const void *buf, size_t bytes)
{
	int err = buf ? cgpu_idle(cd) : 0;

	if (!err && buf)
		err = window_put(cd, buf, bytes);
	if (!err)
		err = vpv_mailbox_begin(&cd->ctl, &cgpu_mailbox);
	return run(cd, cmd, err);
}

/* All registers at once: there may be many of these. */
int cgpu_log_read(struct cgpu_dev *cd, u64 first, u32 pages)
{
	int err = vpv_mailbox_begin(&cd->ctl, &cgpu_mailbox);

	if (!err) {
		vpv_window_put(&cd->ctl, CGPU_CP_ADDR, first);
		vpv_window_put(&cd->ctl, CGPU_CP_ADDR + 4, first >> 32);
		vpv_window_put(&cd->ctl, CGPU_CP_PAGES, pages);
	}
	return run(cd, CGPU_LOG_READ, err);
}

/* The window, without what was not asked for. */
int cgpu_window(struct cgpu_dev *cd, void *buf, size_t bytes)
{
	int err = 0;

	for (size_t pos = 0, part; pos < bytes && !err; pos += part) {
		part = min(bytes - pos, COPY_BYTES);
		err = vpv_window_read(&cd->ctl, CGPU_CP_WINDOW + pos, (__le32 *)(buf + pos), part);
	}
	return err;
}

int cgpu_answer(struct cgpu_dev *cd, void *buf, size_t bytes)
{
	u32 len;
	int err = vpv_reg_read(&cd->ctl, CGPU_CP_BYTES, &len);

	if (err)
		return err;
	if (len != bytes) {
		dev_warn_ratelimited(cgpu_device(cd), "an answer of %u bytes instead of %zu\n",
				     len, bytes);
		return -EPROTO;
	}
	return cgpu_window(cd, buf, bytes);
}
