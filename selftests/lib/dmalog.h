/* SPDX-License-Identifier: GPL-2.0 */
/* Logging of what a function writes (VFIO_DEVICE_FEATURE_DMA_LOGGING_*): 0 or a negative errno. */
#ifndef SELFTEST_DMALOG_H
#define SELFTEST_DMALOG_H

#include "device.h"

/* The kernel reports by what IOMMUFD has. */
#define NEED_DMA_LOG() do {							\
	if (access("/dev/iommu", F_OK))						\
		SKIP(return, "this kernel cannot report logged DMA (no IOMMUFD)"); \
} while (0)

/* One range. */
int dma_log_start(struct vdev *v, uint64_t page, uint64_t iova, uint64_t bytes);
int dma_log_stop(struct vdev *v);
/* Set a bit for each page of [iova, iova + bytes) that was written. */
int dma_log_report(struct vdev *v, uint64_t page, uint64_t iova, uint64_t bytes,
		   uint64_t *bitmap);

#endif /* SELFTEST_DMALOG_H */
