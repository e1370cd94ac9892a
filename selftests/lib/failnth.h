/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sweeps of failures: the first, the second, ... allocation or user copy of an
 * operation is made to fail by the kernel (fail-nth), until it does not have that
 * many any more.
 */
#ifndef SELFTEST_FAILNTH_H
#define SELFTEST_FAILNTH_H

#include <stdbool.h>

/**
 * struct failnth_op - What is made to fail; all but @name and @run may be left out
 * @name: For the log.
 * @prepare: What @run begins with; nothing is made to fail in it.
 * @run: The operation: 0 or a negative errno, and then it has done nothing.
 * @works: Is its effect there?  0 or a negative errno.
 * @undo: Takes the effect away again.
 * @spared: Function of the kernel to whose callees nothing is refused; left out: one
 *          that it warns of.
 * @errnos: What it may fail with besides ENOMEM and EFAULT; ends with 0.
 * @mute: It need not tell of a failure, but has to do all of its work.
 * @bare: It may have nothing to allocate and nothing to copy.
 */
struct failnth_op {
	const char *name;
	int (*prepare)(void *arg);
	int (*run)(void *arg);
	int (*works)(void *arg);
	void (*undo)(void *arg);
	const char *spared;
	int errnos[4];
	bool mute;
	bool bare;
};

/* Let the allocations of a thread be candidates; false if this kernel makes none fail. */
bool failnth_init(void);

/*
 * Sweep.  After each failure the operation gave an errno, or works although
 * something that it can do without was refused; the next attempt succeeds.
 * Return: the number of failures for which that is not so, or -1 if nothing could be
 * made to fail in an operation that is not bare.
 */
int failnth_sweep(const struct failnth_op *op, void *arg);

/* The time of a test, in seconds: a sweep is long, in a debug kernel without KVM. */
#define SWEEP_S 1200

#define SWEEP(op, arg) EXPECT_EQ(0, failnth_sweep(op, arg))

/* In a fixture's setup, or a test. */
#define NEED_FAILURES() do {							\
	if (!failnth_init())							\
		SKIP(return, "this kernel injects no failures");		\
} while (0)

#endif /* SELFTEST_FAILNTH_H */
