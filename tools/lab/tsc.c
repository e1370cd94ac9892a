// SPDX-License-Identifier: GPL-2.0
/* Print the frequency of the time stamp counter in kHz, on a machine however busy. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define TRIES	200
#define SPAN_NS	100000000

struct reading {
	uint64_t ns, ticks;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Of both clocks at a time: the one for which nothing came between. */
static struct reading take(void)
{
	struct reading best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t begin = now_ns(), ticks = __rdtsc(), took = now_ns() - begin;

		if (took >= least)
			continue;
		least = took;
		best = (struct reading){ begin + took / 2, ticks };
	}
	return best;
}

int main(void)
{
	const struct timespec span = { 0, SPAN_NS };
	struct reading a = take(), b;

	nanosleep(&span, NULL);
	b = take();
	printf("%.0f\n", (double)(b.ticks - a.ticks) * 1e6 / (double)(b.ns - a.ns));
	return 0;
}
