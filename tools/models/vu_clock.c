// SPDX-License-Identifier: GPL-2.0
/*
 * The clock of models, and waiting by it. Unit tests have one of their own (tests/clock.c).
 */
#include <time.h>

#include "vu_dev.h"

uint64_t vu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

int vu_poll(struct pollfd *p, nfds_t count, uint64_t ns)
{
	struct timespec time = {
		.tv_sec = (time_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (long)(ns % NSEC_PER_SEC),
	};

	return ppoll(p, count, &time, NULL);
}
