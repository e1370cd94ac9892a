/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions that carry out one command at a time, which a register of their control window
 * begins (module vpv_core).
 */
#ifndef VPV_MAILBOX_H
#define VPV_MAILBOX_H

#include <vpv/window.h>

/**
 * struct vpv_mailbox - Registers of commands
 * @cmd: Offset of the register that begins a command.
 * @stat: Offset of the register that tells how far it is.
 * @idle: What that is when the last command has succeeded, or there was none.
 * @busy: Bit of it that is set while a command is in work.
 * @err: Offset of the register with the reason why the last command has failed.
 * @limit_ms: How long a command may take, in milliseconds.
 */
struct vpv_mailbox {
	u32 cmd;
	u32 stat;
	u32 idle;
	u32 busy;
	u32 err;
	unsigned int limit_ms;
};

/**
 * vpv_mailbox_idle() - Wait for a command that was given up
 * @win: Window.
 * @mb: Registers.
 *
 * A function ignores operands and commands while it has one in work: to be called before
 * operands are written.
 * Context: process; may sleep for the limit.
 * Return: 0; -ETIMEDOUT; a negative errno of vpv/window.h.
 */
int vpv_mailbox_idle(const struct vpv_window *win, const struct vpv_mailbox *mb);

/**
 * vpv_mailbox_begin() - The same, and begin with the operands of another one
 * @win: Window.
 * @mb: Registers.
 *
 * After success vpv_window_begin() has been called: operands are written by vpv_window_put(),
 * and vpv_mailbox_run() or vpv_window_end() follows.
 * Context: process; may sleep for the limit.
 * Return: 0; -ETIMEDOUT; a negative errno of vpv/window.h.
 */
int vpv_mailbox_begin(const struct vpv_window *win, const struct vpv_mailbox *mb);

/**
 * vpv_mailbox_run() - Carry a command out, whose operands were written
 * @win: Window, after vpv_mailbox_begin(), which this ends.
 * @mb: Registers.
 * @cmd: What is written to begin it.
 * @code: Receives why the function has refused it, or 0.
 *
 * Context: process; may sleep for the limit.
 * Return: 0; -EREMOTEIO with @code: the function is as before; -ETIMEDOUT; a negative errno of
 * vpv/window.h.
 */
int vpv_mailbox_run(const struct vpv_window *win, const struct vpv_mailbox *mb, u32 cmd,
		    u32 *code);

#endif /* VPV_MAILBOX_H */
