/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that are looked at again and again. */
#ifndef VPVCTL_SAMPLE_H
#define VPVCTL_SAMPLE_H

#include "mig.h"

#define MAX_WATCHED 1024

/**
 * struct watched - One function
 * @fn: The function.
 * @mig: What debugfs showed last.
 * @save_rate: Bytes a second between the last two looks.
 * @load_rate: The same.
 * @since: Time of the look that found it in this state first.
 * @again: It was looked at before.
 */
struct watched {
	struct pci_fn fn;
	struct mig_info mig;
	uint64_t save_rate;
	uint64_t load_rate;
	double since;
	bool again;
};

/* Seconds of a clock that nobody sets, and of the calendar. */
double clock_now(void);
double clock_wall(void);

/* Look again at @now, @seconds after the look before. */
void watched_sample(struct watched *w, double now, double seconds);

/**
 * watched_find() - The functions to watch
 * @dev: Operand, or NULL: all that debugfs shows a migration state of.
 * @all: Room for MAX_WATCHED.
 *
 * Return: Their number; 0, with a line on stderr, if there is none.
 */
int watched_find(const char *dev, struct watched *all);

/* Seconds until it has given what it has to give at this rate, or -1. */
double session_seconds(const struct mig_session *s, uint64_t rate);

/* "running", "complete", "left", "none" or the error that ended it. */
const char *session_result(const struct mig_session *s);

/**
 * wait_until() - Wait for the next look
 * @next: When it is due; moved on by @interval.
 * @interval: In seconds.
 *
 * A look that is late is the beginning of a new row.  Return: false if a signal came.
 */
bool wait_until(double *next, double interval);

#endif /* VPVCTL_SAMPLE_H */
