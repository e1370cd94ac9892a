/* SPDX-License-Identifier: GPL-2.0 */
/* A function that vpv_uio has: its registers, its interrupts, and memory for its DMA. */
#ifndef UIO_H
#define UIO_H

#include <stddef.h>
#include <stdint.h>

#include "vpv_uio.h"

struct uio {
	int fd;
	volatile uint8_t *regs;
	struct vpv_uio_info info;
};

/* Map the first @bytes of a BAR, which has to have them, as registers. 0 or a negative errno. */
int uio_open(struct uio *uio, const char *path, unsigned int bar, size_t bytes);
uint32_t uio_read32(const struct uio *uio, uint32_t offset);
/* Two words, low one first; a counter is read while the device is idle. */
uint64_t uio_read64(const struct uio *uio, uint32_t offset);
void uio_write32(struct uio *uio, uint32_t offset, uint32_t value);
void uio_write64(struct uio *uio, uint32_t offset, uint64_t value);
/* Wait until all bits of @mask are set. 0 or -ETIMEDOUT. */
int uio_wait(const struct uio *uio, uint32_t offset, uint32_t mask, unsigned int limit_ms);
/* NULL: there is none. */
void *uio_dma_alloc(struct uio *uio, size_t bytes, uint64_t *iova);

#endif
