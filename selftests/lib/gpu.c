// SPDX-License-Identifier: GPL-2.0
/* A driver in user space for the user's half of a coherent_gpu function (gpu.h). */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "gpu.h"

#define RING_BYTES	(GPU_ENTRIES * CGPU_CMD_BYTES)

uint32_t gpu_read(struct gpu *g, unsigned int reg)
{
	return *(volatile uint32_t *)(g->regs + reg);
}

uint64_t gpu_read64(struct gpu *g, unsigned int reg)
{
	return gpu_read(g, reg) | (uint64_t)gpu_read(g, reg + 4) << 32;
}

void gpu_write(struct gpu *g, unsigned int reg, uint32_t val)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)(g->regs + reg) = val;
}

void gpu_detach(struct gpu *g)
{
	if (g->regs)
		munmap((void *)g->regs, CGPU_USER_BYTES);
	g->regs = NULL;
}

int gpu_attach(struct gpu *g, struct vdev *v)
{
	int err = vdev_cfg_set(v, PCI_COMMAND, 2, vdev_cfg(v, PCI_COMMAND, 2) |
						   PCI_COMMAND_MEMORY);

	if (err)
		return err;
	gpu_detach(g);
	g->v = v;
	g->regs = vdev_bar_map(v, CGPU_BAR, CGPU_USER_BYTES);
	if (!g->regs)
		return -errno;
	return gpu_read(g, CGPU_ID) == CGPU_ID_VALUE ? 0 : -ENODEV;
}

int gpu_enable(struct gpu *g)
{
	int err = vdev_bus_master(g->v, true);

	if (!err)
		gpu_write(g, CGPU_CTRL, CGPU_CTRL_ENABLE);
	return err;
}

static uint8_t *ring_of(struct gpu *g, unsigned int q)
{
	return g->mem + q * RING_BYTES;
}

static volatile struct cgpu_fence *fence_of(struct gpu *g, unsigned int q)
{
	return (void *)(g->mem + GPU_MEM_FENCES + q * CGPU_FENCE_BYTES);
}

int gpu_queue_start(struct gpu *g, unsigned int q, bool irq)
{
	uint64_t ring = GPU_GUEST(q * RING_BYTES);

	g->tail[q] = 0;
	g->fence[q] = 0;
	memset((void *)fence_of(g, q), 0, CGPU_FENCE_BYTES);
	gpu_write(g, CGPU_Q(q) + CGPU_Q_CTRL, 0);
	gpu_write(g, CGPU_Q(q) + CGPU_Q_RING, ring);
	gpu_write(g, CGPU_Q(q) + CGPU_Q_RING + 4, ring >> 32);
	gpu_write(g, CGPU_Q(q) + CGPU_Q_SIZE, GPU_ENTRIES);
	gpu_write(g, CGPU_Q(q) + CGPU_Q_CTRL, CGPU_QCTRL_ENABLE | (irq ? CGPU_QCTRL_IRQ : 0));
	return gpu_read(g, CGPU_Q(q) + CGPU_Q_STATUS) == CGPU_QSTATUS_ENABLED ? 0 : -EIO;
}

void gpu_put(struct gpu *g, unsigned int q, struct cgpu_cmd cmd)
{
	cmd.flags |= CGPU_CMD_FENCE;
	cmd.fence = htole64(GPU_GUEST(GPU_MEM_FENCES + q * CGPU_FENCE_BYTES));
	cmd.fence_value = htole64(++g->fence[q]);
	memcpy(ring_of(g, q) + g->tail[q]++ % GPU_ENTRIES * CGPU_CMD_BYTES, &cmd, sizeof(cmd));
}

void gpu_ring(struct gpu *g, unsigned int q)
{
	gpu_write(g, CGPU_Q(q) + CGPU_Q_TAIL, g->tail[q]);
}

int gpu_wait(struct gpu *g, unsigned int q)
{
	volatile struct cgpu_fence *fence = fence_of(g, q);
	uint64_t end = now_ms() + GPU_WAIT_MS;

	while (le64toh(fence->value) != g->fence[q]) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(500);
	}
	return fence->status ? -EIO : 0;
}

int gpu_run(struct gpu *g, struct cgpu_cmd cmd)
{
	gpu_put(g, 0, cmd);
	gpu_ring(g, 0);
	return gpu_wait(g, 0);
}

struct cgpu_cmd gpu_fill(uint64_t dst, uint64_t bytes, uint32_t word)
{
	return (struct cgpu_cmd){
		.opcode = CGPU_FILL, .dst = htole64(dst), .bytes = htole64(bytes),
		.value = htole32(word),
	};
}

struct cgpu_cmd gpu_copy(uint64_t dst, uint64_t src, uint64_t bytes)
{
	return (struct cgpu_cmd){
		.opcode = CGPU_COPY, .dst = htole64(dst), .src = htole64(src),
		.bytes = htole64(bytes),
	};
}

struct cgpu_cmd gpu_reduce(uint64_t dst, uint64_t src, uint64_t bytes)
{
	return (struct cgpu_cmd){
		.opcode = CGPU_REDUCE, .dst = htole64(dst), .src = htole64(src),
		.bytes = htole64(bytes),
	};
}

struct cgpu_cmd gpu_histogram(uint64_t dst, uint64_t src, uint64_t bytes)
{
	return (struct cgpu_cmd){
		.opcode = CGPU_HISTOGRAM, .dst = htole64(dst), .src = htole64(src),
		.bytes = htole64(bytes),
	};
}

void *gpu_map(struct vdev *v, unsigned int bar, uint64_t pos, size_t bytes)
{
	struct vfio_region_info info;
	void *at;
	int err = vdev_region(v, bar, &info);

	if (err) {
		errno = -err;
		return NULL;
	}
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, info.offset + pos);
	return at == MAP_FAILED ? NULL : at;
}

void *gpu_map_aligned(struct vdev *v, unsigned int bar, size_t bytes, size_t shift)
{
	const size_t unit = 1UL << 30;
	uint8_t *room = mmap(NULL, bytes + 2 * unit, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), *at;

	if (room == MAP_FAILED)
		return NULL;
	at = (uint8_t *)(((uintptr_t)room + unit - 1) / unit * unit) + shift;
	munmap(room, bytes + 2 * unit);
	at = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, v->fd, (off_t)bar << 40);
	return at == MAP_FAILED ? NULL : at;
}

unsigned long gpu_faults(struct vdev *v, const char *counter)
{
	unsigned long num = 0, val;
	char path[128], word[32];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/vpv_core/%s/counters", v->slot.bdf);
	f = fopen(path, "r");
	while (f && fscanf(f, "%31s %lu", word, &val) == 2)
		if (!strcmp(word, counter))
			num = val;
	if (f)
		fclose(f);
	return num;
}

int gpu_count_faults(void)
{
	return sysfs_write("/sys/kernel/debug/vpv_core/counting", "1");
}

int gpu_reset_by_sysfs(const struct slot *slot)
{
	return vdev_sysfs_write(slot->bdf, "reset", "1");
}

int gpu_reset_by_flr(struct vdev *v)
{
	unsigned int pos = vdev_find_cap(v, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;

	return vdev_cfg_set(v, pos, 2, vdev_cfg(v, pos, 2) | PCI_EXP_DEVCTL_BCR_FLR);
}

int gpu_set_memory(struct vdev *v, bool on)
{
	uint32_t cmd = vdev_cfg(v, PCI_COMMAND, 2);

	cmd = on ? cmd | PCI_COMMAND_MEMORY : cmd & ~PCI_COMMAND_MEMORY;
	return vdev_cfg_set(v, PCI_COMMAND, 2, cmd);
}

int gpu_set_power(struct vdev *v, unsigned int state)
{
	unsigned int pos = vdev_find_cap(v, PCI_CAP_ID_PM) + PCI_PM_CTRL;

	return vdev_cfg_set(v, pos, 2, (vdev_cfg(v, pos, 2) & ~PCI_PM_CTRL_STATE_MASK) | state);
}

uint64_t gpu_claimed(uint64_t bytes)
{
	char line[160];
	uint64_t first, last, at = 0;
	FILE *f = fopen("/proc/iomem", "r");

	while (f && !at && fgets(line, sizeof(line), f))
		if (strstr(line, " : vpv_coherent_gpu") &&
		    sscanf(line, "%lx-%lx", &first, &last) == 2 &&
		    last - first + 1 == bytes)
			at = first;
	if (f)
		fclose(f);
	return at;
}
