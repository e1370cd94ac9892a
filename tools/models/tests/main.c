// SPDX-License-Identifier: GPL-2.0
/* Runs all tests, or those whose name contains the argument; TAP on stdout. */
#include <stdio.h>

#include "test.h"

extern const struct test *const __start_vu_tests[], *const __stop_vu_tests[];

#define for_each_suite(s) \
	for (const struct test *const *s = __start_vu_tests; s < __stop_vu_tests; s++)

static bool failed;

void test_fail(const char *file, int line, const char *what, long long got, long long want)
{
	printf("# %s:%d: %s (got %lld, want %lld)\n", file, line, what, got, want);
	failed = true;
}

static bool wanted(const struct test *t, const char *filter)
{
	return !filter || strstr(t->name, filter);
}

int main(int argc, char **argv)
{
	const char *filter = argc > 1 ? argv[1] : NULL;
	unsigned int num = 0, bad = 0, total = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for_each_suite(s)
		for (const struct test *t = *s; t->name; t++)
			total += wanted(t, filter);
	printf("TAP version 13\n1..%u\n", total);
	for_each_suite(s) {
		for (const struct test *t = *s; t->name; t++) {
			if (!wanted(t, filter))
				continue;
			failed = false;
			test_clock(false);
			t->run();
			printf("%sok %u - %s\n", failed ? "not " : "", ++num, t->name);
			bad += failed;
		}
	}
	return bad || !total;
}
