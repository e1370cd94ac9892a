/* SPDX-License-Identifier: GPL-2.0 */
/* A guest that drives coherent_gpu: both kinds of memory, rings and vectors. */
#ifndef GPU_GUEST_H
#define GPU_GUEST_H

#include "../coherent_gpu.h"
#include "test.h"

#define GQ(n, reg)	(CGPU_Q(n) + CGPU_Q_##reg)
#define GCP(reg)	(CGPU_USER_BYTES + CGPU_CP_##reg)
#define GMEM_IOVA	0x1000000ull
#define GMEM_BYTES	0x400000u
#define GDEV(off)	(CGPU_ADDR_DEVICE | (off))
#define GRING_OFF	0x0u		/* in guest memory; of queue n at n * 0x20000 */
#define GFENCE_OFF	0x100000u	/* in guest memory; of queue n at n * 16 */

#define GVECTORS	4

/* @dev: the coherent memory, as a CPU maps it; @path: its file. */
struct gpu {
	struct rig *r;
	uint8_t *mem, *dev;
	char path[64];
	int fd, ev[GVECTORS];
	uint64_t dev_bytes;
	uint32_t size, tail[CGPU_MAX_QUEUES];
	uint64_t fence[CGPU_MAX_QUEUES];
};

uint32_t gpu_rd(struct gpu *g, uint32_t off);
uint64_t gpu_rd64(struct gpu *g, uint32_t off);
void gpu_wr(struct gpu *g, uint32_t off, uint32_t val);
void gpu_wr64(struct gpu *g, uint32_t off, uint64_t val);
/* A function with 256 MiB and guest memory of its own; @options: of the model, or NULL. */
void gpu_open(struct gpu *g, char **options);
/* Memory space, bus master and MSI-X. */
void gpu_enable(struct gpu *g);
void gpu_close(struct gpu *g);
/* Queue @n with its ring in guest memory. */
void gpu_queue(struct gpu *g, uint32_t n, uint32_t size);
void gpu_queue_at(struct gpu *g, uint32_t n, uint64_t ring, uint32_t size);
/* Give a command a fence of its own, and submit it. */
void gpu_put(struct gpu *g, uint32_t n, struct cgpu_cmd cmd);
/* The fence of the last command has been written: its status, otherwise -1. */
int gpu_done(const struct gpu *g, uint32_t n);
/* Carry out a command in queue 0; its status. */
int gpu_run(struct gpu *g, struct cgpu_cmd cmd);
/* A command of the control page: CP_ERR if it failed. */
uint32_t gpu_command(struct gpu *g, uint32_t cmd);
void gpu_freeze(struct gpu *g);
void gpu_window_read(struct gpu *g, void *buf, uint32_t len);
void gpu_window_write(struct gpu *g, const void *buf, uint32_t len);
/* The state, which is of gpu_state_bytes(). */
#define GSTATE_ROOM	CGPU_STATE_MAX_BYTES
uint32_t gpu_state_get(struct gpu *g, void *buf);
uint32_t gpu_state_set(struct gpu *g, const void *buf, uint32_t bytes);
/* Write the checksum of a state that was changed. */
void gpu_state_seal(void *buf);

#endif /* GPU_GUEST_H */
