/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A window of registers that a driver has in a BAR of its function (module vpv_core):
 * reads, writes, waits and copies, which notice functions that do not answer.
 */
#ifndef VPV_WINDOW_H
#define VPV_WINDOW_H

#include <linux/types.h>

struct vpv_device;

/**
 * struct vpv_window - Registers of a driver, 32 bits wide and little-endian
 * @vpv: The device.
 * @bar: 0 to 5.
 * @offset: Of the window in the BAR.
 * @bytes: Its size.
 * @id: Offset of a register in the window that never reads as all ones.
 * @id_value: What it reads, by which the window is recognised.
 *
 * Filled in by the variant, constant after vpv_window_open().  Offsets of registers count from
 * the begin of the window.  The functions below sleep for no longer than an access
 * takes, unless they say so.  They return -ENODEV when the function is gone and
 * -EIO when it answers with all ones, and what vpv_mmio_begin() returns: -EIO, too, while the PCI
 * core recovers it from an error.  A hook of migration that returns this leads to ERROR, as it
 * should: nothing is known of the state of such a function before it was reset.
 */
struct vpv_window {
	struct vpv_device *vpv;
	u8 bar;
	u64 offset;
	u64 bytes;
	u32 id;
	u32 id_value;
};

/**
 * vpv_window_open() - Is the window there?
 * @win: Window, of a device that is being opened.
 *
 * Says in one line of the log what is wrong.
 * Context: process; the variant's open hook.
 * Return: 0; -ENODEV: no such BAR, or another id; -EBUSY: the BAR is somebody else's.
 */
int vpv_window_open(const struct vpv_window *win);

/**
 * vpv_reg_read() - Read a register that never reads as all ones
 * @win: Window.
 * @reg: Offset of the register.
 * @val: Receives the value.
 *
 * Context: process.
 * Return: 0 or a negative errno, as above.
 */
int vpv_reg_read(const struct vpv_window *win, u32 reg, u32 *val);

/**
 * vpv_reg_write() - Write a register
 * @win: Window.
 * @reg: Offset of the register.
 * @val: Value.
 *
 * Context: process.
 * Return: 0 or a negative errno, as above.
 */
int vpv_reg_write(const struct vpv_window *win, u32 reg, u32 val);

/**
 * vpv_reg_poll() - Wait until a register has a value
 * @win: Window.
 * @reg: Offset of the register.
 * @mask: Bits that count.
 * @want: What they are to be.
 * @limit_ms: How long it may take, in milliseconds.
 * @val: Receives what was read last, also after -ETIMEDOUT; or NULL.
 *
 * Context: process; sleeps up to @limit_ms.
 * Return: 0; -ETIMEDOUT; a negative errno, as above.
 */
int vpv_reg_poll(const struct vpv_window *win, u32 reg, u32 mask, u32 want,
		 unsigned int limit_ms, u32 *val);

/**
 * vpv_window_ready() - Wait until a function is ready after its reset
 * @win: Window.
 * @reg: Offset of the register that tells.
 * @bits: What is set in it then.
 * @limit_ms: How long it may take, in milliseconds; the log has one line when it takes longer.
 *
 * Context: process; sleeps up to @limit_ms.
 * Return: 0; -ETIMEDOUT; a negative errno, as above.
 */
int vpv_window_ready(const struct vpv_window *win, u32 reg, u32 bits, unsigned int limit_ms);

/**
 * vpv_window_read() - Copy out of the window
 * @win: Window.
 * @reg: Offset of the first register.
 * @buf: Receives the registers in ascending order.
 * @bytes: How much, a multiple of 4.
 *
 * Registers may read as all ones; whether the function answered is seen by the one
 * at @win->id.
 * Context: process.
 * Return: 0 or a negative errno, as above.
 */
int vpv_window_read(const struct vpv_window *win, u32 reg, __le32 *buf, size_t bytes);

/**
 * vpv_window_write() - Copy into the window
 * @win: Window.
 * @reg: Offset of the first register.
 * @buf: What the registers are set to, in ascending order.
 * @bytes: How much, a multiple of 4.
 *
 * Context: process.
 * Return: 0 or a negative errno, as above.
 */
int vpv_window_write(const struct vpv_window *win, u32 reg, const __le32 *buf, size_t bytes);

/**
 * vpv_window_begin() - Several accesses in a row
 * @win: Window.
 *
 * Making a function answer costs more than many accesses.  Until vpv_window_end() only
 * vpv_window_get(), vpv_window_put() and vpv_window_answers() may be called, and
 * nothing that sleeps.
 * Context: process.
 * Return: 0 or a negative errno, as above.
 */
int vpv_window_begin(const struct vpv_window *win);

/**
 * vpv_window_end() - Undo vpv_window_begin()
 * @win: Window.
 */
void vpv_window_end(const struct vpv_window *win);

/**
 * vpv_window_get() - Read a register after vpv_window_begin()
 * @win: Window.
 * @reg: Offset of the register.
 *
 * Return: its value; all ones, too, when the function does not answer.
 */
u32 vpv_window_get(const struct vpv_window *win, u32 reg);

/**
 * vpv_window_put() - Write a register after vpv_window_begin()
 * @win: Window.
 * @reg: Offset of the register.
 * @val: Value.
 */
void vpv_window_put(const struct vpv_window *win, u32 reg, u32 val);

/**
 * vpv_window_answers() - Did what was read come from the function?
 * @win: Window, after vpv_window_begin().
 *
 * Return: false when the register at @win->id reads as all ones.
 */
bool vpv_window_answers(const struct vpv_window *win);

#endif /* VPV_WINDOW_H */
