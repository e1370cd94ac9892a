/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions that are paused by a register of their control window and tell by another one
 * how far they are (module vpv_core): what migration hooks do about them.
 */
#ifndef VPV_PAUSE_H
#define VPV_PAUSE_H

#include <vpv/window.h>

/**
 * struct vpv_pause - How a function is paused
 * @request: Offset of the register that asks for it; 0 in it lets the function run.
 * @pause: What is written there: no new work, and what is in work ends.
 * @freeze: What is written too, to a function without work, to keep its state as it is.
 * @state: Offset of the register that tells how far the function is.
 * @running: What that is while the function runs.
 * @drained: What it is when no work is left.  A value with these bits and others says that the
 *	work does not end.
 * @limit: Offset of the register with the time that work may take to end, in milliseconds.
 * @limit_most_ms: The most of it that is believed.
 */
struct vpv_pause {
	u32 request;
	u32 pause;
	u32 freeze;
	u32 state;
	u32 running;
	u32 drained;
	u32 limit;
	u32 limit_most_ms;
};

/**
 * vpv_pause() - No new work, none in work
 * @win: Window.
 * @how: What the function is told.
 * @insist: What is written as well when work does not end in time, for another try; 0: nothing.
 *
 * A function that cannot be paused runs again afterwards, and the log says why.
 * Context: process; may sleep for the function's limit, or twice that with @insist.
 * Return: 0; a negative errno, and it runs as before; -EIO, and it may not.
 */
int vpv_pause(const struct vpv_window *win, const struct vpv_pause *how, u32 insist);

/**
 * vpv_unpause() - Undo vpv_pause()
 * @win: Window.
 * @how: What the function is told.
 *
 * Context: process; may sleep until the function runs.
 * Return: 0; -EIO when it does not run; another negative errno of vpv/window.h.
 */
int vpv_unpause(const struct vpv_window *win, const struct vpv_pause *how);

/**
 * vpv_pause_freeze() - Keep the state of a paused function as it is, or not any more
 * @win: Window.
 * @how: What the function is told.
 * @frozen: Which of the two.
 *
 * Context: process.
 * Return: 0; -EIO when the function does not do it; another negative errno of vpv/window.h.
 */
int vpv_pause_freeze(const struct vpv_window *win, const struct vpv_pause *how, bool frozen);

#endif /* VPV_PAUSE_H */
