// SPDX-License-Identifier: GPL-2.0
/*
 * The control page of hisi_like: the only file that touches registers.  Every
 * wait has a bound; a function that is gone (all ones) ends every wait.
 */
#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/jiffies.h>

#include "hisi_like.h"

/* What hardware may ask for, and what the way there and back may take. */
#define HISIL_DRAIN_MAX_MS	10000
#define HISIL_DRAIN_MARGIN_MS	500
#define HISIL_PAUSE_MS		500

/* The upper half of what the hardware has, whatever the user is shown of it. */
static void __iomem *cp_page(struct hisil_dev *hd)
{
	return vpv_bar(&hd->vpv, HISIL_BAR) + vpv_bar_bytes(&hd->vpv, HISIL_BAR) / 2;
}

static int cp_write(struct hisil_dev *hd, u32 reg, u32 val)
{
	int err = vpv_mmio_begin(&hd->vpv);

	if (err)
		return err;
	iowrite32(val, cp_page(hd) + reg);
	vpv_mmio_end(&hd->vpv);
	return 0;
}

/* No register but the window may hold all ones. */
static int cp_read(struct hisil_dev *hd, u32 reg, u32 *val)
{
	int err = vpv_mmio_begin(&hd->vpv);

	if (err)
		return err;
	*val = ioread32(cp_page(hd) + reg);
	vpv_mmio_end(&hd->vpv);
	return *val == U32_MAX ? -EIO : 0;
}

/* Wait while the register has one of the values in @busy, a mask. */
static int cp_poll(struct hisil_dev *hd, u32 reg, unsigned long busy,
		   unsigned int limit_ms, u32 *val)
{
	unsigned long end = jiffies + msecs_to_jiffies(limit_ms);

	for (;;) {
		bool late = time_after(jiffies, end);
		int err = cp_read(hd, reg, val);

		if (err)
			return err;
		if (*val >= BITS_PER_LONG || !(busy & BIT(*val)))
			return 0;
		if (late)
			return -ETIMEDOUT;
		usleep_range(500, 1000);
	}
}

/*
 * Start a command; @buf, if any, goes into the window first.  One begin and end for
 * all of it: they cost more than the few hundred accesses at most between them.
 */
static int cp_start(struct hisil_dev *hd, u32 sel, enum hisil_cmd cmd, const __le32 *buf,
		    size_t bytes, u32 *stat)
{
	void __iomem *page = cp_page(hd);
	int err = vpv_mmio_begin(&hd->vpv);

	if (err)
		return err;
	iowrite32(sel, page + HISIL_CP_SEL);
	if (buf)
		iowrite32(bytes, page + HISIL_CP_WLEN);
	for (size_t i = 0; i < bytes / sizeof(*buf); i++)
		iowrite32(le32_to_cpu(buf[i]), page + HISIL_CP_WINDOW + i * sizeof(*buf));
	iowrite32(cmd, page + HISIL_CP_CMD);
	*stat = ioread32(page + HISIL_CP_STAT);
	vpv_mmio_end(&hd->vpv);
	return 0;
}

static int cp_command(struct hisil_dev *hd, u32 sel, enum hisil_cmd cmd, const void *buf,
		      size_t bytes)
{
	u32 stat, code = 0;
	int err;

	lockdep_assert_held(&hd->cp_lock);
	err = cp_start(hd, sel, cmd, buf, bytes, &stat);
	if (!err && stat != HISIL_STAT_IDLE)
		err = cp_poll(hd, HISIL_CP_STAT, BIT(HISIL_STAT_BUSY), HISIL_CMD_MS, &stat);
	if (!err && stat == HISIL_STAT_IDLE)
		return 0;

	if (!err)
		err = cp_read(hd, HISIL_CP_ERR, &code);
	if (!err && code == HISIL_ERR_BAD_CONTEXT)
		return -EINVAL;		/* the caller knows where it came from */
	if (!err)
		err = -EIO;
	dev_warn_ratelimited(&hd->vpv.pdev->dev,
			     "control command %u on context %#x failed: code %u, error %d\n",
			     cmd, sel, code, err);
	return err;
}

/* Take the context that a READ left in the window. */
static int window_read(struct hisil_dev *hd, __le32 *buf, size_t room, u32 *bytes)
{
	void __iomem *page = cp_page(hd);
	int err;

	lockdep_assert_held(&hd->cp_lock);
	err = vpv_mmio_begin(&hd->vpv);
	if (err)
		return err;
	*bytes = ioread32(page + HISIL_CP_LEN);
	for (size_t i = 0; i < min_t(size_t, *bytes, room) / sizeof(*buf); i++)
		buf[i] = cpu_to_le32(ioread32(page + HISIL_CP_WINDOW + i * sizeof(*buf)));
	/* A function that went away reads as ones, which a window may hold, too. */
	if (ioread32(page + HISIL_CP_STAT) == U32_MAX)
		err = -EIO;
	vpv_mmio_end(&hd->vpv);
	return err;
}

/* After a reset the control page says nothing of the function before it is READY. */
static int wait_ready(struct hisil_dev *hd)
{
	unsigned long end = jiffies + msecs_to_jiffies(HISIL_READY_MS);
	u32 status;

	for (;;) {
		bool late = time_after(jiffies, end);
		int err = vpv_mmio_begin(&hd->vpv);

		if (err)
			return err;
		status = ioread32(vpv_bar(&hd->vpv, HISIL_BAR) + HISIL_STATUS);
		vpv_mmio_end(&hd->vpv);
		if (status == U32_MAX)
			return -EIO;
		if (status & HISIL_STATUS_READY)
			return 0;
		if (late)
			break;
		usleep_range(500, 1000);
	}
	dev_warn_ratelimited(&hd->vpv.pdev->dev, "not ready after a reset: status %#x\n",
			     status);
	return -ETIMEDOUT;
}

/**
 * hisil_hw_identify() - Read what the control page says of the function
 * @hd: Device, open.
 * @id: Receives it; see hisil_ident_check().
 *
 * Context: process; may sleep for HISIL_READY_MS after a reset.
 * Return: 0; -ENODEV if there is no control page; -EBUSY while somebody else has its BAR;
 * -EIO when the function does not answer; -ETIMEDOUT when it does not get ready.
 */
int hisil_hw_identify(struct hisil_dev *hd, struct hisil_ident *id)
{
	const struct {
		u32 reg;
		u32 *val;
	} regs[] = {
		{ HISIL_CP_REV, &id->rev },
		{ HISIL_CP_VERSION, &id->version },
		{ HISIL_CP_LIMITS, &id->limits },
		{ HISIL_CP_ALGS, &id->algs },
		{ HISIL_CP_ISOLATION, &id->isolation },
		{ HISIL_CP_MAX_XFER, &id->max_xfer },
		{ HISIL_CP_CAPS, &id->caps },
	};
	u32 magic;
	int err;

	if (vpv_bar_bytes(&hd->vpv, HISIL_BAR) < HISIL_BAR_MIN_BYTES) {
		dev_warn_ratelimited(&hd->vpv.pdev->dev, "no BAR with a control page\n");
		return -ENODEV;
	}
	if (!vpv_bar(&hd->vpv, HISIL_BAR)) {
		dev_warn_ratelimited(&hd->vpv.pdev->dev,
				     "the BAR with the control page is in use\n");
		return -EBUSY;
	}

	err = wait_ready(hd);
	if (!err)
		err = vpv_mmio_begin(&hd->vpv);
	if (err)
		return err;
	magic = ioread32(cp_page(hd) + HISIL_CP_ID);
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		*regs[i].val = ioread32(cp_page(hd) + regs[i].reg);
	vpv_mmio_end(&hd->vpv);

	if (magic == HISIL_ID_VALUE)
		return 0;
	dev_warn_ratelimited(&hd->vpv.pdev->dev, "control page has id %#x, not %#x\n", magic,
			     HISIL_ID_VALUE);
	return magic == U32_MAX ? -EIO : -ENODEV;
}

/**
 * hisil_hw_resume() - Let a paused function run; parked operations come first
 * @hd: Device.
 *
 * Context: process; may sleep for HISIL_PAUSE_MS.
 * Return: 0; -EIO or -ETIMEDOUT when the function does not do it.
 */
int hisil_hw_resume(struct hisil_dev *hd)
{
	const unsigned long busy = BIT(HISIL_DRAIN_DRAINING) | BIT(HISIL_DRAIN_DRAINED) |
				   BIT(HISIL_DRAIN_FAILED);
	u32 drain;
	int err;

	err = cp_write(hd, HISIL_CP_PAUSE, 0);
	if (err)
		return err;
	return cp_poll(hd, HISIL_CP_DRAIN, busy, HISIL_PAUSE_MS, &drain);
}

static int drain(struct hisil_dev *hd, u32 bits, unsigned int limit_ms)
{
	const unsigned long busy = BIT(HISIL_DRAIN_RUNNING) | BIT(HISIL_DRAIN_DRAINING);
	u32 state;
	int err;

	err = cp_write(hd, HISIL_CP_PAUSE, bits);
	if (!err)
		err = cp_poll(hd, HISIL_CP_DRAIN, busy, limit_ms, &state);
	if (!err && state != HISIL_DRAIN_DRAINED)
		err = -ETIMEDOUT;
	return err;
}

/**
 * hisil_hw_pause() - No DMA and no interrupt from here on
 * @hd: Device.
 *
 * Operations that do not end in time are parked, to run again, if the hardware can do that.
 * A function that cannot be drained runs again afterwards.
 *
 * Context: process; may sleep twice as long as the hardware says that a drain takes.
 * Return: 0; -ETIMEDOUT, and the function runs; -EIO when it does not answer.
 */
int hisil_hw_pause(struct hisil_dev *hd)
{
	u32 drain_ms;
	int err;

	err = cp_read(hd, HISIL_CP_DRAIN_MS, &drain_ms);
	if (err)
		return err;

	drain_ms = min_t(u32, drain_ms, HISIL_DRAIN_MAX_MS) + HISIL_DRAIN_MARGIN_MS;
	err = drain(hd, HISIL_PAUSE, drain_ms);
	if (err == -ETIMEDOUT && (hd->id.caps & HISIL_CAP_REVOKE))
		err = drain(hd, HISIL_PAUSE | HISIL_REVOKE, drain_ms);
	if (!err)
		return 0;
	dev_warn_ratelimited(&hd->vpv.pdev->dev, "not drained within %u ms: error %d\n",
			     drain_ms, err);
	return hisil_hw_resume(hd) ? -EIO : err;
}

static int set_pause(struct hisil_dev *hd, u32 bits)
{
	u32 now;
	int err;

	err = cp_write(hd, HISIL_CP_PAUSE, bits);
	if (!err)
		err = cp_read(hd, HISIL_CP_PAUSE, &now);
	if (!err && now != bits) {
		dev_warn_ratelimited(&hd->vpv.pdev->dev, "pause state is %#x, wanted %#x\n",
				     now, bits);
		err = -EIO;
	}
	return err;
}

/**
 * hisil_hw_freeze() - The user's registers do not change from here on
 * @hd: Device, paused.
 *
 * Context: process.
 * Return: 0; -EIO when the function does not do it.
 */
int hisil_hw_freeze(struct hisil_dev *hd)
{
	return set_pause(hd, HISIL_PAUSE | HISIL_FREEZE);
}

/**
 * hisil_hw_thaw() - Undo hisil_hw_freeze(); still paused
 * @hd: Device.
 *
 * Context: process.
 * Return: 0; -EIO when the function does not do it.
 */
int hisil_hw_thaw(struct hisil_dev *hd)
{
	return set_pause(hd, HISIL_PAUSE);
}

/**
 * hisil_hw_ctx_read() - Read a context of a frozen function
 * @hd: Device.
 * @sel: Queue number or HISIL_SEL_GLOBAL.
 * @buf: Receives it.
 * @room: Size of @buf.
 * @bytes: Receives the size of the context, at most @room.
 *
 * Context: process; may sleep for HISIL_CMD_MS.
 * Return: 0; -EIO or -ETIMEDOUT when the function does not do it; -EPROTO for a
 * size that no context has.
 */
int hisil_hw_ctx_read(struct hisil_dev *hd, u32 sel, void *buf, size_t room, size_t *bytes)
{
	u32 len;
	int err;

	guard(mutex)(&hd->cp_lock);
	err = cp_command(hd, sel, HISIL_CMD_READ, NULL, 0);
	if (!err)
		err = window_read(hd, buf, room, &len);
	if (err)
		return err;
	if (!len || len > room || !IS_ALIGNED(len, sizeof(u32))) {
		dev_warn_ratelimited(&hd->vpv.pdev->dev, "context %#x has %u bytes\n", sel,
				     len);
		return -EPROTO;
	}
	*bytes = len;
	return 0;
}

/**
 * hisil_hw_ctx_bytes() - Is there such a context?
 * @hd: Device.
 * @sel: Queue number or HISIL_SEL_GLOBAL.
 * @bytes: Receives its size, 0 if there is none.
 *
 * Context: process.
 * Return: 0; -EIO when the function does not answer.
 */
int hisil_hw_ctx_bytes(struct hisil_dev *hd, u32 sel, u32 *bytes)
{
	int err;

	guard(mutex)(&hd->cp_lock);
	err = cp_write(hd, HISIL_CP_SEL, sel);
	return err ?: cp_read(hd, HISIL_CP_LEN, bytes);
}

/**
 * hisil_hw_ctx_write() - Set a context of a frozen function
 * @hd: Device.
 * @sel: Queue number or HISIL_SEL_GLOBAL.
 * @buf: The context.
 * @bytes: Its size, a multiple of 4, at most HISIL_MAX_CTX_BYTES.
 *
 * Context: process; may sleep for HISIL_CMD_MS.
 * Return: 0; -EINVAL when the function refuses the content; -EIO or -ETIMEDOUT when it
 * does not do it.
 */
int hisil_hw_ctx_write(struct hisil_dev *hd, u32 sel, const void *buf, size_t bytes)
{
	guard(mutex)(&hd->cp_lock);
	return cp_command(hd, sel, HISIL_CMD_WRITE, buf, bytes);
}

/**
 * hisil_hw_ctx_clear() - All contexts of a frozen function as after a reset
 * @hd: Device.
 *
 * Context: process; may sleep for HISIL_CMD_MS.
 * Return: 0; -EIO or -ETIMEDOUT when the function does not do it.
 */
int hisil_hw_ctx_clear(struct hisil_dev *hd)
{
	guard(mutex)(&hd->cp_lock);
	return cp_command(hd, HISIL_SEL_GLOBAL, HISIL_CMD_CLEAR, NULL, 0);
}
