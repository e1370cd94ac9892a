// SPDX-License-Identifier: GPL-2.0
/*
 * A clock that is late for nobody: time goes on when somebody waits, and not while a machine is busy with something else.
 *
 * A test in which another thread or process takes part needs the clock of the machine.
 */
#include <time.h>

#include "../vu_dev.h"
#include "test.h"

/* Who looks at the clock until it has gone on comes to an end. */
#define LOOK_NS		1000u

static uint64_t now;
static bool real;

static uint64_t machine_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

void test_clock(bool of_machine)
{
	real = of_machine;
	now = machine_now();
}

void test_wait(uint64_t ns)
{
	vu_poll(NULL, 0, ns);
}

uint64_t vu_now(void)
{
	if (real)
		return machine_now();
	return now += LOOK_NS;
}

int vu_poll(struct pollfd *p, nfds_t count, uint64_t ns)
{
	struct timespec time = {
		.tv_sec = (time_t)(real ? ns / NSEC_PER_SEC : 0),
		.tv_nsec = (long)(real ? ns % NSEC_PER_SEC : 0),
	};
	int n = ppoll(p, count, &time, NULL);

	if (!n && !real)
		now += ns;
	return n;
}
