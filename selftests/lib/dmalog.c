// SPDX-License-Identifier: GPL-2.0
/* Logging of what a function writes: see dmalog.h. */
#include "dmalog.h"

int dma_log_start(struct vdev *v, uint64_t page, uint64_t iova, uint64_t bytes)
{
	struct vfio_device_feature_dma_logging_range range = { .iova = iova, .length = bytes };
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = page, .num_ranges = 1, .ranges = (uintptr_t)&range,
	};

	return vdev_feature(v, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
			    &control, sizeof(control));
}

int dma_log_stop(struct vdev *v)
{
	return vdev_feature(v, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
			    NULL, 0);
}

int dma_log_report(struct vdev *v, uint64_t page, uint64_t iova, uint64_t bytes,
		   uint64_t *bitmap)
{
	struct vfio_device_feature_dma_logging_report rep = {
		.iova = iova, .length = bytes, .page_size = page, .bitmap = (uintptr_t)bitmap,
	};

	return vdev_feature(v, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
			    &rep, sizeof(rep));
}
