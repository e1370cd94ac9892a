// SPDX-License-Identifier: GPL-2.0
/*
 * First touch and streams of device memory by the CPU, beside the same of memory of the process,
 * before anybody uses either.
 */
#include <errno.h>
#include <sys/mman.h>
#include <time.h>

#include "gpu.h"
#include "line.h"

#define PAGE		4096U

struct times {
	uint64_t touch, write, read;	/* microseconds */
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

/* Zeros are written: they are there after a reset, and have to be there afterwards. */
static void measure(uint8_t *p, struct times *t)
{
	uint64_t began = now_us();
	size_t at;

	for (at = 0; at < GPU_SPEED_BYTES; at += PAGE)
		*(volatile uint64_t *)(p + at) = 0;
	t->touch = now_us() - began;
	began = now_us();
	for (at = 0; at < GPU_SPEED_BYTES; at += sizeof(uint64_t))
		*(volatile uint64_t *)(p + at) = 0;
	t->write = now_us() - began;
	began = now_us();
	for (at = 0; at < GPU_SPEED_BYTES; at += sizeof(uint64_t))
		(void)*(volatile uint64_t *)(p + at);
	t->read = now_us() - began;
}

int gpu_speed_report(struct gpu_dev *dev)
{
	uint8_t *own = mmap(NULL, GPU_SPEED_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct times bar, mine;

	if (own == MAP_FAILED)
		return -errno;
	measure(dev->mem + GPU_CPU_AT, &bar);
	measure(own, &mine);
	munmap(own, GPU_SPEED_BYTES);
	line_report("speed kib=%llu touch=%llu own_touch=%llu write=%llu own_write=%llu read=%llu own_read=%llu",
		    GPU_SPEED_BYTES / 1024, (unsigned long long)bar.touch,
		    (unsigned long long)mine.touch, (unsigned long long)bar.write,
		    (unsigned long long)mine.write, (unsigned long long)bar.read,
		    (unsigned long long)mine.read);
	return 0;
}
