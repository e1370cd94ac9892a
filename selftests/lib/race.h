/* SPDX-License-Identifier: GPL-2.0 */
/* Jobs that run against each other, each in a thread, until the time is up. */
#ifndef SELFTEST_RACE_H
#define SELFTEST_RACE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct race_job - One contestant
 * @step: Called again and again with @arg and the number of the call.  Returns 0 when
 *	it did what the job is for, or an errno (negative) that the race may bring about.
 * @arg: Its own.
 * @name: For the log.
 * @steps: Result: how often.
 * @done: Result: how often it returned 0.
 * @last_err: Result: what it returned last that was not 0.
 */
struct race_job {
	int (*step)(void *arg, unsigned long n);
	void *arg;
	const char *name;
	unsigned long steps;
	unsigned long done;
	int last_err;
};

#define RACE_JOB(fn, what) { .step = fn, .arg = what, .name = #fn }

/*
 * For RACE_SECONDS (2), and then until each job has done its work once, or a minute
 * more.  False if one never has, or a thread did not start: that was no race.
 */
bool race_run(struct race_job *jobs, unsigned int num);
/* The same for at least so long. */
bool race_run_ms(struct race_job *jobs, unsigned int num, unsigned int ms);

/* For race_load_faults() outside of a race. */
void race_catch_faults(void);

/* A load from a mapping of a device; true if it raised SIGBUS.  For any thread. */
bool race_load_faults(volatile uint8_t *p);

#endif /* SELFTEST_RACE_H */
