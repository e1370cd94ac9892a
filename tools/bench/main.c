// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what operations on one device cost: bench BDF NAME DRIVER.
 *
 * For a machine with one CPU whose clock advances by one nanosecond an
 * instruction (QEMU -icount shift=0): there, the time stamp counter counts
 * instructions, and so does the CPU time of the thread, which leaves out what
 * passes while the kernel sleeps.  A line for each operation: its name, a colon and
 * the samples, without the cost of counting.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>
#include <linux/pci_regs.h>

#include "bench.h"

static const struct bench_op *const lists[] = {
	bench_config_ops, bench_access_ops, bench_irq_ops, bench_life_ops,
};

static uint64_t count(bool thread)
{
	struct timespec ts;

	if (!thread)
		return __rdtsc();
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The least that two readings of the counter are apart. */
static uint64_t overhead(bool thread)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < BENCH_SAMPLES; i++) {
		uint64_t begin = count(thread);
		uint64_t took = count(thread) - begin;

		least = took < least ? took : least;
	}
	return least;
}

static bool has_word(const char *words, const char *word)
{
	size_t bytes = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += bytes)
		if ((at == words || at[-1] == ' ') && (at[bytes] == ' ' || !at[bytes]))
			return true;
	return false;
}

static int sample(struct bench *b, const struct bench_op *op, uint64_t base, uint64_t *took)
{
	uint64_t begin;
	int ret = op->begin ? op->begin(b) : 0;

	if (ret)
		return ret;
	begin = count(op->sleeps);
	ret = op->run(b);
	*took = count(op->sleeps) - begin - base;
	if (!ret && op->end)
		ret = op->end(b);
	return ret;
}

/* Has the device what the operation is about? */
static bool applies(struct bench *b, const struct bench_op *op)
{
	struct vfio_irq_info irq;
	unsigned int cap = 0;

	if (!has_word(op->devices, b->slot.model))
		return false;
	if (op->count && (vdev_irq(&b->v, op->index, &irq) || irq.count < op->count))
		return false;
	if (op->cap) {
		cap = vdev_find_cap(&b->v, op->cap);
		if (!cap)
			return false;
	}
	b->op = op;
	b->pos = cap + op->pos;
	return true;
}

static int measure(struct bench *b, const struct bench_op *op)
{
	unsigned int samples = op->samples ? op->samples : BENCH_SAMPLES;
	uint64_t base = overhead(op->sleeps);
	uint64_t took = 0;
	int ret;

	/* The first is not counted: it fills caches of the kernel. */
	ret = sample(b, op, base, &took);
	if (!ret)
		printf("%s:", op->name);
	for (unsigned int i = 0; i < samples && !ret; i++) {
		ret = sample(b, op, base, &took);
		if (!ret)
			printf(" %llu", (unsigned long long)took);
	}
	printf("\n");
	if (ret)
		fprintf(stderr, "bench: %s: %s\n", op->name, strerror(-ret));
	return ret;
}

static int open_device(struct bench *b)
{
	int ret = vdev_open(&b->v, &b->slot, VDEV_GROUP);
	struct vfio_region_info info;

	if (ret) {
		fprintf(stderr, "bench: cannot open %s: %s\n", b->slot.bdf, strerror(-ret));
		return ret;
	}
	ret = vdev_bus_master(&b->v, true);
	if (!ret)
		ret = vdev_cfg_set(&b->v, PCI_COMMAND, 2,
				   vdev_cfg(&b->v, PCI_COMMAND, 2) | PCI_COMMAND_MEMORY);
	if (!ret && !vdev_region(&b->v, 0, &info) && info.flags & VFIO_REGION_INFO_FLAG_MMAP)
		b->bar = vdev_bar_map(&b->v, 0, BENCH_MAP_BYTES);
	return ret;
}

static void close_device(struct bench *b)
{
	if (b->bar)
		munmap((void *)b->bar, BENCH_MAP_BYTES);
	b->bar = NULL;
	vdev_close(&b->v);
}

/* Those whose names begin so; all if there is no such argument. */
static bool asked_for(const struct bench_op *op, const char *begin)
{
	return !begin || !strncmp(op->name, begin, strlen(begin));
}

static int run_all(struct bench *b, const char *begin, bool closed)
{
	int bad = 0;

	for (unsigned int i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct bench_op *op = lists[i]; op->name; op++)
			if (op->closed == closed && asked_for(op, begin) && applies(b, op))
				bad |= measure(b, op);
	return bad;
}

int main(int argc, char **argv)
{
	struct bench b = { .v = { .fd = -1 } };
	int bad;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: bench BDF NAME DRIVER [BEGIN_OF_OPERATIONS]\n");
		return 2;
	}
	snprintf(b.slot.bdf, sizeof(b.slot.bdf), "%s", argv[1]);
	snprintf(b.slot.model, sizeof(b.slot.model), "%s", argv[2]);
	b.driver = argv[3];
	for (int i = 0; i < BENCH_VECTORS; i++) {
		b.events[i] = eventfd_new();
		if (b.events[i] < 0)
			return 1;
	}
	if (open_device(&b))
		return 1;
	bad = run_all(&b, argv[4], false);
	close_device(&b);
	bad |= run_all(&b, argv[4], true);
	return bad ? 1 : 0;
}
