// SPDX-License-Identifier: GPL-2.0
/* A function that vpv_uio has: see uio.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "uio.h"

int uio_open(struct uio *uio, const char *path, unsigned int bar, size_t bytes)
{
	void *regs;

	uio->fd = open(path, O_RDWR | O_CLOEXEC);
	if (uio->fd < 0 || ioctl(uio->fd, VPV_UIO_INFO, &uio->info))
		return -errno;
	/* A guest gets half of the BAR; all of it when nothing is between it and the device. */
	if (uio->info.bar_bytes[bar] < bytes)
		return -ENXIO;
	regs = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, uio->fd,
		    VPV_UIO_BAR_OFFSET(bar));
	if (regs == MAP_FAILED)
		return -errno;
	uio->regs = regs;
	return 0;
}

uint32_t uio_read32(const struct uio *uio, uint32_t offset)
{
	return *(volatile uint32_t *)(uio->regs + offset);
}

uint64_t uio_read64(const struct uio *uio, uint32_t offset)
{
	return uio_read32(uio, offset) | (uint64_t)uio_read32(uio, offset + 4) << 32;
}

void uio_write32(struct uio *uio, uint32_t offset, uint32_t value)
{
	/* Rings are written before the doorbell; x86 keeps the order of stores. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)(uio->regs + offset) = value;
}

void uio_write64(struct uio *uio, uint32_t offset, uint64_t value)
{
	uio_write32(uio, offset, value);
	uio_write32(uio, offset + 4, value >> 32);
}

int uio_wait(const struct uio *uio, uint32_t offset, uint32_t mask, unsigned int limit_ms)
{
	for (unsigned int ms = 0; ms < limit_ms; ms += 10) {
		if ((uio_read32(uio, offset) & mask) == mask)
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

void *uio_dma_alloc(struct uio *uio, size_t bytes, uint64_t *iova)
{
	struct vpv_uio_dma dma = { .bytes = bytes };
	void *p;

	if (ioctl(uio->fd, VPV_UIO_DMA_ALLOC, &dma))
		return NULL;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, uio->fd, dma.offset);
	*iova = dma.iova;
	return p == MAP_FAILED ? NULL : p;
}
