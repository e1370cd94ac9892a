/* SPDX-License-Identifier: GPL-2.0 */
/* A terminal taken over as a whole. */
#ifndef VPVCTL_SCREEN_H
#define VPVCTL_SCREEN_H

#include "sample.h"

/* Take the terminal, and give it back; signals that end the program are only noted. */
void screen_open(void);
void screen_close(void);

/* Draw all functions, as many as there is room for. */
void screen_draw(const struct watched *all, int n);

/**
 * screen_wait() - Wait for the next look, or for the user
 * @next: When it is due; moved on by @interval.
 * @interval: In seconds.
 *
 * Return: false if the user wants to leave: by q, or by a signal.
 */
bool screen_wait(double *next, double interval);

#endif /* VPVCTL_SCREEN_H */
