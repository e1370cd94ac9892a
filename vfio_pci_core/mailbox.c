// SPDX-License-Identifier: GPL-2.0
/* Commands that a register of a control window begins (vpv/mailbox.h). */
#include <linux/errno.h>
#include <linux/export.h>

#include <vpv/mailbox.h>

int vpv_mailbox_idle(const struct vpv_window *win, const struct vpv_mailbox *mb)
{
	return vpv_reg_poll(win, mb->stat, mb->busy, 0, mb->limit_ms, NULL);
}
EXPORT_SYMBOL_GPL(vpv_mailbox_idle);

int vpv_mailbox_begin(const struct vpv_window *win, const struct vpv_mailbox *mb)
{
	int err = vpv_window_begin(win);

	if (err || !(vpv_window_get(win, mb->stat) & mb->busy))
		return err;
	vpv_window_end(win);
	return vpv_mailbox_idle(win, mb) ?: vpv_window_begin(win);
}
EXPORT_SYMBOL_GPL(vpv_mailbox_begin);

int vpv_mailbox_run(const struct vpv_window *win, const struct vpv_mailbox *mb, u32 cmd,
		    u32 *code)
{
	u32 stat;
	int err = 0;

	*code = 0;
	vpv_window_put(win, mb->cmd, cmd);
	stat = vpv_window_get(win, mb->stat);
	vpv_window_end(win);
	/* So is one that does not answer. */
	if (stat & mb->busy)
		err = vpv_reg_poll(win, mb->stat, mb->busy, 0, mb->limit_ms, &stat);
	if (err || stat == mb->idle)
		return err;
	err = vpv_reg_read(win, mb->err, code);
	return err ?: -EREMOTEIO;
}
EXPORT_SYMBOL_GPL(vpv_mailbox_run);
