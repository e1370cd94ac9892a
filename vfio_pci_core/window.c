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

static void __iomem *address(const struct vpv_window *win, u32 reg)
{
	return vpv_bar(win->vpv, win->bar) + win->offset + reg;
}

int vpv_reg_write(const struct vpv_window *win, u32 reg, u32 val)
{
	int err = vpv_mmio_begin(win->vpv);

	if (err)
		return err;
	iowrite32(val, address(win, reg));
	vpv_mmio_end(win->vpv);
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_reg_write);

int vpv_reg_read(const struct vpv_window *win, u32 reg, u32 *val)
{
	int err = vpv_mmio_begin(win->vpv);

	if (err)
		return err;
	*val = ioread32(address(win, reg));
	vpv_mmio_end(win->vpv);
	return *val == U32_MAX ? -EIO : 0;
}
EXPORT_SYMBOL_GPL(vpv_reg_read);

int vpv_reg_poll(const struct vpv_window *win, u32 reg, u32 mask, u32 want,
		 unsigned int limit_ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(limit_ms);

	for (;;) {
		/* Looked at before the register: a late wake-up alone is no time-out. */
		bool late = time_after(jiffies, end);
		u32 val;
		int err = vpv_reg_read(win, reg, &val);

		if (err)
			return err;
		if ((val & mask) == want)
			return 0;
		if (late)
			return -ETIMEDOUT;
		usleep_range(500, 1000);
	}
}
EXPORT_SYMBOL_GPL(vpv_reg_poll);

int vpv_window_read(const struct vpv_window *win, u32 reg, __le32 *buf, size_t bytes)
{
	int err = vpv_mmio_begin(win->vpv);

	if (err)
		return err;
	for (size_t i = 0; i < bytes / sizeof(*buf); i++)
		buf[i] = cpu_to_le32(ioread32(address(win, reg + i * sizeof(*buf))));
	if (ioread32(address(win, win->id)) == U32_MAX)
		err = -EIO;
	vpv_mmio_end(win->vpv);
	return err;
}
EXPORT_SYMBOL_GPL(vpv_window_read);

int vpv_window_write(const struct vpv_window *win, u32 reg, const __le32 *buf, size_t bytes)
{
	int err = vpv_mmio_begin(win->vpv);

	if (err)
		return err;
	for (size_t i = 0; i < bytes / sizeof(*buf); i++)
		iowrite32(le32_to_cpu(buf[i]), address(win, reg + i * sizeof(*buf)));
	vpv_mmio_end(win->vpv);
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
