/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the benchmark measures, and with which clock.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

#include "device.h"

#define BENCH_SAMPLES	41
#define BENCH_FEW	9
#define BENCH_VECTORS	5
#define BENCH_MAP_BYTES	4096

/**
 * struct bench - A device under test
 * @v: The device, opened by group.
 * @bdf: Its address.
 * @driver: Its driver.
 * @bar: BAR 0, mapped, or NULL.
 * @events: An eventfd for each vector.
 */
struct bench {
	struct vdev v;
	struct slot slot;
	const char *driver;
	volatile uint32_t *bar;
	int events[BENCH_VECTORS];
};

/**
 * struct bench_op - One operation
 * @name: Its name in the results.
 * @devices: Devices that it is measured on, "NAME NAME...".
 * @sleeps: The kernel may sleep in it: count the instructions of the thread, not
 *	those of the machine.
 * @closed: Runs on a device that is not open.
 * @samples: How often, 0 for BENCH_SAMPLES.
 * @begin: Before each sample, not counted; may be NULL.
 * @run: What is counted.  0 or a negative errno.
 * @end: After each sample, not counted; may be NULL.
 */
struct bench_op {
	const char *name;
	const char *devices;
	bool sleeps;
	bool closed;
	unsigned int samples;
	int (*begin)(struct bench *b);
	int (*run)(struct bench *b);
	int (*end)(struct bench *b);
};

extern const struct bench_op bench_access_ops[];
extern const struct bench_op bench_irq_ops[];
extern const struct bench_op bench_life_ops[];

#endif /* BENCH_H */
