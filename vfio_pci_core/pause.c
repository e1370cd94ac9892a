// SPDX-License-Identifier: GPL-2.0
/* Pausing a function by its control window (vpv/pause.h). */
#include <linux/minmax.h>

#include <vpv/core.h>
#include <vpv/pause.h>

/* Time for the accesses themselves, beyond what the function allows itself. */
#define MARGIN_MS	500

int vpv_unpause(const struct vpv_window *win, const struct vpv_pause *how)
{
	int err = vpv_reg_write(win, how->request, 0);

	if (!err)
		err = vpv_reg_poll(win, how->state, U32_MAX, how->running, MARGIN_MS, NULL);
	return err == -ETIMEDOUT ? -EIO : err;
}
EXPORT_SYMBOL_GPL(vpv_unpause);

static int drain(const struct vpv_window *win, const struct vpv_pause *how, u32 bits,
		 unsigned int limit_ms)
{
	u32 state;
	int err;

	err = vpv_reg_write(win, how->request, bits);
	if (!err)
		err = vpv_reg_poll(win, how->state, how->drained, how->drained, limit_ms, &state);
	return !err && state != how->drained ? -ETIMEDOUT : err;
}

int vpv_pause(const struct vpv_window *win, const struct vpv_pause *how, u32 insist)
{
	u32 limit_ms;
	int err;

	err = vpv_reg_read(win, how->limit, &limit_ms);
	if (err)
		return err;
	limit_ms = min(limit_ms, how->limit_most_ms) + MARGIN_MS;
	err = drain(win, how, how->pause, limit_ms);
	if (err == -ETIMEDOUT && insist)
		err = drain(win, how, how->pause | insist, limit_ms);
	if (!err)
		return 0;
	dev_warn_ratelimited(&win->vpv->pdev->dev, "not drained within %u ms: error %d\n",
			     limit_ms, err);
	return vpv_unpause(win, how) ? -EIO : err;
}
EXPORT_SYMBOL_GPL(vpv_pause);

int vpv_pause_freeze(const struct vpv_window *win, const struct vpv_pause *how, bool frozen)
{
	u32 bits = frozen ? how->pause | how->freeze : how->pause, now;
	int err;

	err = vpv_reg_write(win, how->request, bits);
	if (!err)
		err = vpv_reg_read(win, how->request, &now);
	if (err || now == bits)
		return err;
	dev_warn_ratelimited(&win->vpv->pdev->dev, "pause state is %#x, wanted %#x\n", now, bits);
	return -EIO;
}
EXPORT_SYMBOL_GPL(vpv_pause_freeze);
