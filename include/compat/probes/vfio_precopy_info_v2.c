// SPDX-License-Identifier: GPL-2.0
/* linux/vfio.h: PRECOPY_INFO has a checked second version (after 6.12). */
#include <linux/vfio.h>

u8 probe(struct vfio_device *vdev)
{
	return vdev->precopy_info_v2;
}
