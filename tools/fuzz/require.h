/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a fuzzer finds broken ends it, with the condition in its output.
 */
#ifndef FUZZ_REQUIRE_H
#define FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "broken: %s\n", #cond);		\
			abort();					\
		}							\
	} while (0)

#endif /* FUZZ_REQUIRE_H */
