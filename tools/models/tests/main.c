// SPDX-License-Identifier: GPL-2.0
/* Runs all tests, or those whose name contains the argument; TAP on stdout. */
#include <signal.h>
#include <stdio.h>

#include "test.h"

static const struct test *const suites[] = {
	msg_tests, runtime_tests, server_tests, hisi_like_tests, hisi_like_control_tests,
	mlx5_like_tests, mlx5_like_net_tests, mlx5_like_image_tests,
};

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

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t s = 0; s < sizeof(suites) / sizeof(suites[0]); s++)
		for (const struct test *t = suites[s]; t->name; t++)
			total += wanted(t, filter);
	printf("TAP version 13\n1..%u\n", total);
	for (size_t s = 0; s < sizeof(suites) / sizeof(suites[0]); s++) {
		for (const struct test *t = suites[s]; t->name; t++) {
			if (!wanted(t, filter))
				continue;
			failed = false;
			t->run();
			printf("%sok %u - %s\n", failed ? "not " : "", ++num, t->name);
			bad += failed;
		}
	}
	return bad || !total;
}
