// SPDX-License-Identifier: GPL-2.0
/* Drives the queues of one coherent_gpu function through vpv_uio. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu.h"
#include "vpv_uio.h"

#define MEM_BAR		2
#define READY_MS	60000
#define READY		(CGPU_STATUS_READY | CGPU_STATUS_MEM_READY)

static void write32(struct gpu_dev *dev, uint32_t offset, uint32_t value)
{
	/* Rings are written before the doorbell; x86 keeps the order of stores. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)(dev->bar + offset) = value;
}

static void write64(struct gpu_dev *dev, uint32_t offset, uint64_t value)
{
	write32(dev, offset, value);
	write32(dev, offset + 4, value >> 32);
}

uint32_t gpu_read32(struct gpu_dev *dev, uint32_t offset)
{
	return *(volatile uint32_t *)(dev->bar + offset);
}

/* The counters are two words; read them while the device is idle. */
uint64_t gpu_read64(struct gpu_dev *dev, uint32_t offset)
{
	return gpu_read32(dev, offset) | (uint64_t)gpu_read32(dev, offset + 4) << 32;
}

static int wait_ready(struct gpu_dev *dev)
{
	int ms;

	for (ms = 0; ms < READY_MS; ms += 10) {
		if ((gpu_read32(dev, CGPU_STATUS) & READY) == READY)
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

static int map_memory(struct gpu_dev *dev, uint64_t base)
{
	int fd = base ? open("/dev/mem", O_RDWR | O_CLOEXEC) : dev->fd;
	void *mem;

	if (fd < 0)
		return -errno;
	mem = mmap(NULL, dev->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   base ? base : VPV_UIO_BAR_OFFSET(MEM_BAR));
	if (mem == MAP_FAILED)
		return -errno;
	dev->mem = mem;
	return 0;
}

int gpu_dev_open(struct gpu_dev *dev, const char *path, uint64_t base)
{
	struct vpv_uio_info info;
	void *bar;

	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0 || ioctl(dev->fd, VPV_UIO_INFO, &info))
		return -errno;
	/* A guest gets half of the BAR; all of it when nothing is between it and the device. */
	if (info.bar_bytes[CGPU_BAR] < CGPU_USER_BYTES)
		return -ENXIO;
	bar = mmap(NULL, CGPU_USER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
		   VPV_UIO_BAR_OFFSET(CGPU_BAR));
	if (bar == MAP_FAILED)
		return -errno;
	dev->bar = bar;
	dev->vectors = info.vectors;
	if (gpu_read32(dev, CGPU_ID) != CGPU_ID_VALUE)
		return -ENODEV;
	if (wait_ready(dev))
		return -ETIMEDOUT;
	dev->bytes = gpu_read64(dev, CGPU_MEM_BYTES);
	/* A BAR is as large as the next power of two. */
	if (!base && info.bar_bytes[MEM_BAR] < dev->bytes)
		return -ENXIO;
	write32(dev, CGPU_CTRL, CGPU_CTRL_ENABLE);
	return map_memory(dev, base);
}

/* A page for the ring, and one for the fence. */
static int alloc_ring(struct gpu_dev *dev, struct gpu_queue *q, uint64_t *ring)
{
	struct vpv_uio_dma dma = { .bytes = GPU_RING_SIZE * CGPU_CMD_BYTES + 4096 };
	uint8_t *p;

	if (ioctl(dev->fd, VPV_UIO_DMA_ALLOC, &dma))
		return -errno;
	p = mmap(NULL, dma.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, dma.offset);
	if (p == MAP_FAILED)
		return -errno;
	*ring = dma.iova;
	q->ring = (struct cgpu_cmd *)p;
	q->fence_addr = dma.iova + GPU_RING_SIZE * CGPU_CMD_BYTES;
	q->fence = (volatile struct cgpu_fence *)(p + GPU_RING_SIZE * CGPU_CMD_BYTES);
	return 0;
}

int gpu_queue_start(struct gpu_dev *dev, unsigned int index)
{
	struct gpu_queue *q = &dev->queues[index];
	uint64_t ring = CGPU_ADDR_DEVICE | GPU_RING_AT;
	int err = 0;

	if (index) {
		q->ring = (struct cgpu_cmd *)(dev->mem + GPU_RING_AT);
		q->fence = (volatile struct cgpu_fence *)(dev->mem + GPU_FENCE_AT);
		q->fence_addr = CGPU_ADDR_DEVICE | GPU_FENCE_AT;
	} else {
		err = alloc_ring(dev, q, &ring);
	}
	if (err)
		return err;
	write32(dev, CGPU_Q(index) + CGPU_Q_CTRL, 0);
	write64(dev, CGPU_Q(index) + CGPU_Q_RING, ring);
	write32(dev, CGPU_Q(index) + CGPU_Q_SIZE, GPU_RING_SIZE);
	write32(dev, CGPU_Q(index) + CGPU_Q_CTRL, CGPU_QCTRL_ENABLE | CGPU_QCTRL_IRQ);
	return gpu_read32(dev, CGPU_Q(index) + CGPU_Q_STATUS) == CGPU_QSTATUS_ENABLED ? 0 : -EIO;
}

void gpu_submit(struct gpu_dev *dev, unsigned int index, struct cgpu_cmd cmd)
{
	struct gpu_queue *q = &dev->queues[index];

	cmd.flags = CGPU_CMD_FENCE;
	cmd.fence = q->fence_addr;
	cmd.fence_value = q->tail + 1;
	q->ring[q->tail % GPU_RING_SIZE] = cmd;
	q->tail++;
}

void gpu_kick(struct gpu_dev *dev, unsigned int index)
{
	struct gpu_queue *q = &dev->queues[index];

	/* The newest interrupts, so that waiting always ends. */
	q->ring[(q->tail - 1) % GPU_RING_SIZE].flags |= CGPU_CMD_IRQ;
	write32(dev, CGPU_Q(index) + CGPU_Q_TAIL, q->tail);
}

bool gpu_idle(const struct gpu_dev *dev, unsigned int index)
{
	const struct gpu_queue *q = &dev->queues[index];
	bool idle = (uint32_t)q->fence->value == q->tail;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return idle;
}
