/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to a device, malformed ones and those at a boundary, and what the
 * driver answered.  The same requests in the same order are asked of two drivers;
 * whoever asks leaves the device as it was.
 */
#ifndef SELFTEST_ANSWERS_H
#define SELFTEST_ANSWERS_H

#include <stdarg.h>

#include "../lib/device.h"

#define ANSWERS_MAX	16384
#define REQUEST_CHARS	96

/**
 * struct answer - One request and its answer
 * @request: What was asked, in words; unique.
 * @result: A negative errno, or what the call returned or told.
 */
struct answer {
	char request[REQUEST_CHARS];
	long long result;
};

/**
 * struct answers - All that were asked of one driver
 * @v: The device.
 * @num: Number of @list.
 * @list: In the order of asking.
 */
struct answers {
	struct vdev *v;
	unsigned int num;
	struct answer list[ANSWERS_MAX];
};

/**
 * struct difference - A request that vpv_pci answers differently, on purpose
 * @requests: Which of the ask functions below.
 * @request: Pattern for fnmatch().
 * @devices: Names of the devices where it is asked.
 * @theirs: Answer of vfio-pci; DONE for bytes that it has read or written.
 * @ours: Answer of vpv_pci.
 * @why: Heading in Documentation/vfio-differences.rst.
 */
struct difference {
	const char *requests;
	const char *request;
	const char *devices;
	long long theirs;
	long long ours;
	const char *why;
};

/* A count of bytes, one or more. */
#define DONE (-1000000LL)
#define DIFFERENCES_MAX 64

extern const struct difference differences[];

void answer(struct answers *a, long long result, const char *request, ...)
	__attribute__((format(printf, 3, 4)));
/* ioctl() on the device, its result or negative errno. */
long long ask(struct answers *a, unsigned long request, void *arg);
/* Load from a mapping: 0, or the signal that it raised. */
int touch(volatile uint32_t *p);

void ask_info(struct answers *a);
void ask_irqs(struct answers *a);
void ask_regions(struct answers *a);
void ask_mappings(struct answers *a);
void ask_features(struct answers *a);
void ask_resets(struct answers *a);
void ask_ioeventfd(struct answers *a);
void ask_unknown(struct answers *a);
/* These want a function with the power management capability. */
void ask_d3hot(struct answers *a);
void ask_low_power(struct answers *a);

#endif /* SELFTEST_ANSWERS_H */
