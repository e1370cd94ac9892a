/* SPDX-License-Identifier: GPL-2.0 */
/* Jobs that run against each other, each in a thread, until the time is up. */
#ifndef SELFTEST_RACE_H
#define SELFTEST_RACE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct race_job - One contestant
 * @step: Called again and again with @arg and the number of the call.
 * @arg: Its own.
 * @name: For the log.
 * @steps: Result: how often.
 */
struct race_job {
	void (*step)(void *arg, unsigned long n);
	void *arg;
	const char *name;
	unsigned long steps;
};

/* For RACE_SECONDS (2); false if a job never ran a step or a thread did not start. */
bool race_run(struct race_job *jobs, unsigned int num);

/* For race_load_faults() outside of a race. */
void race_catch_faults(void);

/* A load from a mapping of a device; true if it raised SIGBUS.  For any thread. */
bool race_load_faults(volatile uint8_t *p);

#endif /* SELFTEST_RACE_H */
