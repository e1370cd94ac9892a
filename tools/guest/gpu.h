/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's half of the coherent_gpu hardware (Documentation/hardware/coherent_gpu.rst) and
 * the parts of the workload: gpu_dev.c drives the device, gpu_round.c makes commands and knows
 * their results, gpu_cpu.c has the threads that write by the CPU, gpu_speed.c measures what memory
 * costs them, gpu_workload.c runs and reports.
 */
#ifndef GPU_H
#define GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hw/coherent_gpu.h>

#include "uio.h"

#define MIB		(1ULL << 20)
#define GPU_QUEUES	2U	/* the ring of the second one is in device memory */
#define GPU_RING_SIZE	64U
#define GPU_THREADS	2U

/* Main memory, in bytes from its beginning. */
#define GPU_RING_AT	0ULL		/* of queue 1, and its fence behind it */
#define GPU_FENCE_AT	0x10000ULL
#define GPU_GEMM_AT	(1 * MIB)	/* A, B and C */
#define GPU_COLUMN_AT	(2 * MIB)	/* what the columns are the product of */
#define GPU_RESULT_AT	(3 * MIB)	/* of sums and counts */
#define GPU_CPU_AT	(4 * MIB)	/* what CPUs write; then what the device writes, and the rest */

/* The end of each page that CPUs write is the device's: it writes all of these pages, too. */
#define GPU_COLUMN_BYTES	512U

/* One queue: what was submitted, and how far the device is. */
struct gpu_queue {
	struct cgpu_cmd *ring;
	volatile struct cgpu_fence *fence;
	uint64_t fence_addr;
	uint32_t tail;
};

struct gpu_dev {
	struct uio uio;
	uint8_t *mem;
	uint64_t bytes;			/* of main memory */
	struct gpu_queue queues[GPU_QUEUES];
};

/* @base: where main memory is when no BAR shows it, 0: it is BAR 2.  0 or a negative errno. */
int gpu_dev_open(struct gpu_dev *dev, const char *path, uint64_t base);
int gpu_queue_start(struct gpu_dev *dev, unsigned int index);
/* Append a command, which the device begins with gpu_kick(); its fence counts commands. */
void gpu_submit(struct gpu_dev *dev, unsigned int index, struct cgpu_cmd cmd);
void gpu_kick(struct gpu_dev *dev, unsigned int index);
/* All that was submitted to it is complete. */
bool gpu_idle(const struct gpu_dev *dev, unsigned int index);

/* ---- gpu_round.c ---- */

struct gpu_round_opts {
	uint64_t bytes;			/* of main memory that is used */
	uint64_t cpu_bytes;		/* of the set that CPUs write */
	uint64_t set_bytes;		/* of one that only the device writes in each round; may be 0 */
	uint64_t walk_bytes;		/* of the rest that it writes in each round */
};

struct gpu_round_stats {
	uint64_t rounds, commands, checks, wrong, written;
};

int gpu_round_init(struct gpu_dev *dev, const struct gpu_round_opts *opts);
/* Have the device write all that it will write; queues were started.  0 or a negative errno. */
int gpu_round_fill(struct gpu_dev *dev);
/* Submit the commands of the next round. */
void gpu_round_begin(struct gpu_dev *dev);
/* They are complete: compare all results. */
void gpu_round_end(struct gpu_dev *dev);
/* Between rounds: look at all that the device has written. */
void gpu_round_check(struct gpu_dev *dev);
const struct gpu_round_stats *gpu_round_stats(void);

/* ---- gpu_cpu.c ---- */

struct gpu_cpu_stats {
	uint64_t rounds, wrong, written;
};

int gpu_cpu_start(uint8_t *mem, uint64_t bytes);
/* Do they store with AVX, once they have begun?  With SSE, if the CPU has none. */
bool gpu_cpu_avx(void);
void gpu_cpu_stop(void);
struct gpu_cpu_stats gpu_cpu_stats(void);

/* ---- gpu_speed.c ---- */

#define GPU_SPEED_BYTES	(16 * MIB)

/* Before anything else touches memory behind GPU_CPU_AT; 0 or a negative errno. */
int gpu_speed_report(struct gpu_dev *dev);

#endif
