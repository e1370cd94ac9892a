// SPDX-License-Identifier: GPL-2.0
/*
 * Windows of registers (vpv/window.h).  memory_lock is held for one access, or for
 * one copy; a wait sleeps without it.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/jiffies.h>

#include <vpv/core.h>
#include <vpv/window.h>

int vpv_window_begin(const struct vpv_window *win)
{
	return vpv_mmio_begin(win->vpv);
}
EXPORT_SYMBOL_GPL(vpv_window_begin);

void vpv_window_end(const struct vpv_window *win)
{
	vpv_mmio_end(win->vpv);
}
EXPORT_SYMBOL_GPL(vpv_window_end);

static void __iomem *address(const struct vpv_window *win, u32 reg)
{
	return vpv_bar(win->vpv, win->bar) + win->offset + reg;
}

u32 vpv_window_get(const struct vpv_window *win, u32 reg)
{
	return ioread32(address(win, reg));
}
EXPORT_SYMBOL_GPL(vpv_window_get);

void vpv_window_put(const struct vpv_window *win, u32 reg, u32 val)
{
	iowrite32(val, address(win, reg));
}
EXPORT_SYMBOL_GPL(vpv_window_put);

bool vpv_window_answers(const struct vpv_window *win)
{
	return vpv_window_get(win, win->id) != U32_MAX;
}
EXPORT_SYMBOL_GPL(vpv_window_answers);

int vpv_reg_write(const struct vpv_window *win, u32 reg, u32 val)
{
	int err = vpv_window_begin(win);

	if (err)
		return err;
	vpv_window_put(win, reg, val);
	vpv_window_end(win);
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_reg_write);

int vpv_reg_read(const struct vpv_window *win, u32 reg, u32 *val)
{
	int err = vpv_window_begin(win);

	if (err)
		return err;
	*val = vpv_window_get(win, reg);
	vpv_window_end(win);
	return *val == U32_MAX ? -EIO : 0;
}
EXPORT_SYMBOL_GPL(vpv_reg_read);

int vpv_reg_poll(const struct vpv_window *win, u32 reg, u32 mask, u32 want,
		 unsigned int limit_ms, u32 *val)
{
	unsigned long end = jiffies + msecs_to_jiffies(limit_ms);

	for (;;) {
		/* Looked at before the register: a late wake-up alone is no time-out. */
		bool late = time_after(jiffies, end);
		u32 now;
		int err = vpv_reg_read(win, reg, &now);

		if (err)
			return err;
		if (val)
			*val = now;
		if ((now & mask) == want)
			return 0;
		if (late)
			return -ETIMEDOUT;
		usleep_range(500, 1000);
	}
}
EXPORT_SYMBOL_GPL(vpv_reg_poll);

int vpv_window_ready(const struct vpv_window *win, u32 reg, u32 bits, unsigned int limit_ms)
{
	u32 status;
	int err = vpv_reg_poll(win, reg, bits, bits, limit_ms, &status);

	if (err == -ETIMEDOUT)
		dev_warn_ratelimited(&win->vpv->pdev->dev, "not ready after a reset: status %#x\n",
				     status);
	return err;
}
EXPORT_SYMBOL_GPL(vpv_window_ready);

int vpv_window_read(const struct vpv_window *win, u32 reg, __le32 *buf, size_t bytes)
{
	int err = vpv_window_begin(win);

	if (err)
		return err;
	for (size_t i = 0; i < bytes / sizeof(*buf); i++)
		buf[i] = cpu_to_le32(vpv_window_get(win, reg + i * sizeof(*buf)));
	if (!vpv_window_answers(win))
		err = -EIO;
	vpv_window_end(win);
	return err;
}
EXPORT_SYMBOL_GPL(vpv_window_read);

int vpv_window_write(const struct vpv_window *win, u32 reg, const __le32 *buf, size_t bytes)
{
	int err = vpv_window_begin(win);

	if (err)
		return err;
	for (size_t i = 0; i < bytes / sizeof(*buf); i++)
		vpv_window_put(win, reg + i * sizeof(*buf), le32_to_cpu(buf[i]));
	vpv_window_end(win);
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_window_write);

int vpv_window_open(const struct vpv_window *win)
{
	struct device *dev = &win->vpv->pdev->dev;
	u32 id;
	int err;

	if (vpv_bar_bytes(win->vpv, win->bar) < win->offset + win->bytes) {
		dev_warn_ratelimited(dev, "BAR %u has no control window\n", win->bar);
		return -ENODEV;
	}
	if (!vpv_bar(win->vpv, win->bar)) {
		dev_warn_ratelimited(dev, "BAR %u, with the control window, is in use\n", win->bar);
		return -EBUSY;
	}
	err = vpv_reg_read(win, win->id, &id);
	if (err || id == win->id_value)
		return err;
	dev_warn_ratelimited(dev, "the control window has id %#x instead of %#x\n", id,
			     win->id_value);
	return -ENODEV;
}
EXPORT_SYMBOL_GPL(vpv_window_open);
