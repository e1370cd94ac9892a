/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linux/vfio.h: before get_region_info_caps, VFIO_DEVICE_GET_REGION_INFO came to
 * the driver's ioctl, which did what vfio.ko does now around that op.
 */
#ifndef VPV_COMPAT_REGION_INFO_H
#define VPV_COMPAT_REGION_INFO_H

#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "vpv/core.h"

#ifdef VPV_HAVE_VFIO_GET_REGION_INFO_CAPS

static inline long vpv_compat_ioctl_region_info(struct vfio_device *vdev,
						struct vfio_region_info __user *arg)
{
	return -ENOTTY;
}

#else

static inline int vpv_compat_copy_caps(struct vfio_region_info __user *arg,
				       struct vfio_region_info *info,
				       struct vfio_info_cap *caps)
{
	if (!caps->size)
		return 0;

	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	if (info->argsz < sizeof(*info) + caps->size) {
		info->argsz = sizeof(*info) + caps->size;
		return 0;
	}
	vfio_info_cap_shift(caps, sizeof(*info));
	info->cap_offset = sizeof(*info);
	return copy_to_user(arg + 1, caps->buf, caps->size) ? -EFAULT : 0;
}

static inline long vpv_compat_ioctl_region_info(struct vfio_device *vdev,
						struct vfio_region_info __user *arg)
{
	size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info = {};
	struct vfio_info_cap caps = {};
	long ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	/* Output only, as vfio.ko has it now. */
	info.cap_offset = 0;
	ret = vpv_op_get_region_info(vdev, &info, &caps);
	if (!ret)
		ret = vpv_compat_copy_caps(arg, &info, &caps);
	if (!ret && copy_to_user(arg, &info, minsz))
		ret = -EFAULT;
	kfree(caps.buf);
	return ret;
}

#endif

#endif /* VPV_COMPAT_REGION_INFO_H */
