/* SPDX-License-Identifier: GPL-2.0 */
/* What all workloads of guests do: read options, begin, work until they are stopped, report the end. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An option with a value, which is a text, a number, or a number of 64 bits. */
struct workload_option {
	char letter;
	const char **text;
	unsigned int *number;
	uint64_t *large;
};

/**
 * struct workload - A workload
 * @usage: Its options, for people; -c, the control line, is everybody's.
 * @options: Options; one without a letter ends them.
 * @valid: Can it run so?  @argv: what follows the options.
 * @start: Begin; 0 or a negative errno.
 * @run: Work until it is to stop.
 * @finish: Report how it ended; the exit status.
 */
struct workload {
	const char *usage;
	const struct workload_option *options;
	bool (*valid)(int argc, char **argv);
	int (*start)(void);
	void (*run)(void);
	int (*finish)(void);
};

/* All of main(). */
int workload_main(const struct workload *w, int argc, char **argv);
/* Begin anew, with nothing open: a new program of the same kind. Returns if that fails. */
void workload_restart(void);

#endif
