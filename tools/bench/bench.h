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
#define BENCH_VECTORS	8
#define BENCH_MAP_BYTES	4096
/* Names of devices with something in common, for struct bench_op. */
#define BENCH_NIC	"e1000e"
#define BENCH_ALL	"e1000e nvme igb edu testdev"

/**
 * struct bench - A device under test
 * @v: The device, opened by group.
 * @slot: Its name and address.
 * @driver: Its driver.
 * @bar: BAR 0, mapped, or NULL.
 * @events: An eventfd for each vector.
 * @op: Operation that is being measured.
 * @pos: Where it is in its region.
 */
struct bench {
	struct vdev v;
	struct slot slot;
	const char *driver;
	volatile uint32_t *bar;
	int events[BENCH_VECTORS];
	const struct bench_op *op;
	unsigned int pos;
};

/**
 * struct bench_op - One operation
 * @name: Its name in the results.
 * @devices: Devices that it is measured on, "NAME NAME...".
 * @cap: Capability that it is in, or 0; a device that has none is left out.
 * @pos: Where in the capability or the region.
 * @bytes: How many of it.
 * @index: Region, or kind of interrupt.
 * @count: Number of interrupts; a device that has fewer is left out.
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
	unsigned int cap;
	unsigned int pos;
	unsigned int bytes;
	unsigned int index;
	unsigned int count;
	bool sleeps;
	bool closed;
	unsigned int samples;
	int (*begin)(struct bench *b);
	int (*run)(struct bench *b);
	int (*end)(struct bench *b);
};

extern const struct bench_op bench_config_ops[];
extern const struct bench_op bench_access_ops[];
extern const struct bench_op bench_irq_ops[];
extern const struct bench_op bench_life_ops[];

#endif /* BENCH_H */
