// SPDX-License-Identifier: GPL-2.0
/* linux/vfio.h: GET_REGION_INFO has an op of its own (after 6.12). */
#include <linux/vfio.h>

static int get(struct vfio_device *vdev, struct vfio_region_info *info,
	       struct vfio_info_cap *caps)
{
	return 0;
}

const struct vfio_device_ops probe_ops = { .get_region_info_caps = get };
