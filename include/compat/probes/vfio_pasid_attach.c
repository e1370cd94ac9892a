// SPDX-License-Identifier: GPL-2.0
/* linux/vfio.h: devices can attach PASIDs (after 6.12). */
#include <linux/vfio.h>

static int attach(struct vfio_device *vdev, u32 pasid, u32 *pt_id)
{
	return 0;
}

const struct vfio_device_ops probe_ops = { .pasid_attach_ioas = attach };
