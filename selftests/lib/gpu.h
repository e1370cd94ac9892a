/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver in user space for the user's half of a coherent_gpu function
 * (Documentation/hardware/coherent_gpu.rst section 3).  Memory and queues belong to the
 * "guest": they survive when another function takes over.
 */
#ifndef SELFTEST_GPU_H
#define SELFTEST_GPU_H

#include <hw/coherent_gpu.h>
#include "device.h"

#define GPU_MAIN_BAR	2
#define GPU_CARVE_BAR	4

#define GPU_MEM_IOVA	0x10000000ULL
#define GPU_MEM_BYTES	0x200000
#define GPU_MEM_FENCES	0x40000		/* rings are below */
#define GPU_MEM_DATA	0x100000

#define GPU_QUEUES	4
#define GPU_ENTRIES	32
#define GPU_WAIT_MS	20000

/* Address of a byte of the device's memory, and of one of the guest's. */
#define GPU_AT(off)	(CGPU_ADDR_DEVICE | (off))
#define GPU_GUEST(off)	(GPU_MEM_IOVA + (off))

/**
 * struct gpu - "Guest": memory and queues, on the function @v now
 * @v: Function.
 * @mem: GPU_MEM_BYTES at GPU_MEM_IOVA.
 * @regs: Lower half of BAR 0 of @v.
 * @tail: Of each queue.
 * @fence: Value of the last fence of each queue.
 */
struct gpu {
	struct vdev *v;
	uint8_t *mem;
	volatile uint8_t *regs;
	uint32_t tail[GPU_QUEUES];
	uint64_t fence[GPU_QUEUES];
};

/* Use this function's registers from here on. */
int gpu_attach(struct gpu *g, struct vdev *v);
/* Give them back: a mapping keeps the device open. */
void gpu_detach(struct gpu *g);
uint32_t gpu_read(struct gpu *g, unsigned int reg);
uint64_t gpu_read64(struct gpu *g, unsigned int reg);
void gpu_write(struct gpu *g, unsigned int reg, uint32_t val);
/* The guest's own reset values: enable the function and bus mastering. */
int gpu_enable(struct gpu *g);
/* Start a queue with GPU_ENTRIES entries in the guest's memory. */
int gpu_queue_start(struct gpu *g, unsigned int q, bool irq);
/* Put a command into the ring, with the next fence and @flags of CGPU_CMD_IRQ. */
void gpu_put(struct gpu *g, unsigned int q, struct cgpu_cmd cmd);
void gpu_ring(struct gpu *g, unsigned int q);
/* Wait for all that was put; -EIO if the last one has another status than OK. */
int gpu_wait(struct gpu *g, unsigned int q);
/* One command in queue 0, from begin to end. */
int gpu_run(struct gpu *g, struct cgpu_cmd cmd);

struct cgpu_cmd gpu_fill(uint64_t dst, uint64_t bytes, uint32_t word);
struct cgpu_cmd gpu_copy(uint64_t dst, uint64_t src, uint64_t bytes);
struct cgpu_cmd gpu_reduce(uint64_t dst, uint64_t src, uint64_t bytes);
struct cgpu_cmd gpu_histogram(uint64_t dst, uint64_t src, uint64_t bytes);

/* Map a part of a memory BAR; NULL with errno. */
void *gpu_map(struct vdev *v, unsigned int bar, uint64_t pos, size_t bytes);
/* The same of the begin of one, @shift behind a multiple of 1 GiB: that decides how large entries are. */
void *gpu_map_aligned(struct vdev *v, unsigned int bar, size_t bytes, size_t shift);

/* Count faults of all functions from here on. */
int gpu_count_faults(void);
/* Those that have mapped pages of BARs so far: "fault_page", "fault_pmd" or "fault_pud". */
unsigned long gpu_faults(struct vdev *v, const char *counter);

/* Resets that do not come from VFIO_DEVICE_RESET: by the host, and by config space. */
int gpu_reset_by_sysfs(const struct slot *slot);
int gpu_reset_by_flr(struct vdev *v);

/* Memory Space Enable, and the D state, as the user of the function sets them. */
int gpu_set_memory(struct vdev *v, bool on);
int gpu_set_power(struct vdev *v, unsigned int state);

/* Where a driver says that it has claimed so much memory; 0: nowhere. */
uint64_t gpu_claimed(uint64_t bytes);

#endif /* SELFTEST_GPU_H */
