// SPDX-License-Identifier: GPL-2.0
/* Drives the queues of one coherent_gpu function through vpv_uio. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "gpu.h"

#define MEM_BAR		2
#define READY_MS	60000
#define READY		(CGPU_STATUS_READY | CGPU_STATUS_MEM_READY)

static int map_memory(struct gpu_dev *dev, uint64_t base)
{
	int fd = base ? open("/dev/mem", O_RDWR | O_CLOEXEC) : dev->uio.fd;
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
	int err = uio_open(&dev->uio, path, CGPU_BAR, CGPU_USER_BYTES);

	if (err)
		return err;
	if (uio_read32(&dev->uio, CGPU_ID) != CGPU_ID_VALUE)
		return -ENODEV;
	err = uio_wait(&dev->uio, CGPU_STATUS, READY, READY_MS);
	if (err)
		return err;
	dev->bytes = uio_read64(&dev->uio, CGPU_MEM_BYTES);
	/* A BAR is as large as the next power of two. */
	if (!base && dev->uio.info.bar_bytes[MEM_BAR] < dev->bytes)
		return -ENXIO;
	uio_write32(&dev->uio, CGPU_CTRL, CGPU_CTRL_ENABLE);
	return map_memory(dev, base);
}

/* A page for the ring, and one for the fence. */
static int alloc_ring(struct gpu_dev *dev, struct gpu_queue *q, uint64_t *ring)
{
	uint8_t *p = uio_dma_alloc(&dev->uio, GPU_RING_SIZE * CGPU_CMD_BYTES + 4096, ring);

	if (!p)
		return -ENOMEM;
	q->ring = (struct cgpu_cmd *)p;
	q->fence_addr = *ring + GPU_RING_SIZE * CGPU_CMD_BYTES;
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
	uio_write32(&dev->uio, CGPU_Q(index) + CGPU_Q_CTRL, 0);
	uio_write64(&dev->uio, CGPU_Q(index) + CGPU_Q_RING, ring);
	uio_write32(&dev->uio, CGPU_Q(index) + CGPU_Q_SIZE, GPU_RING_SIZE);
	uio_write32(&dev->uio, CGPU_Q(index) + CGPU_Q_CTRL, CGPU_QCTRL_ENABLE | CGPU_QCTRL_IRQ);
	return uio_read32(&dev->uio, CGPU_Q(index) + CGPU_Q_STATUS) == CGPU_QSTATUS_ENABLED ? 0 : -EIO;
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
	uio_write32(&dev->uio, CGPU_Q(index) + CGPU_Q_TAIL, q->tail);
}

bool gpu_idle(const struct gpu_dev *dev, unsigned int index)
{
	const struct gpu_queue *q = &dev->queues[index];
	bool idle = (uint32_t)q->fence->value == q->tail;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return idle;
}
