/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User API headers of the kernel, and what those of the build machine may be too
 * old for.
 */
#ifndef SELFTEST_UAPI_H
#define SELFTEST_UAPI_H

#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdint.h>

/* linux/vfio.h, after 6.12 */
#ifndef VFIO_PRECOPY_INFO_REINIT
#define VFIO_PRECOPY_INFO_REINIT (1 << 0)
#endif
#ifndef VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2
#define VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 12
#endif

/* struct vfio_device_bind_iommufd with the token, after 6.16 */
#define BIND_FLAG_TOKEN (1 << 0)

struct bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
	uint64_t token_uuid_ptr;
};

#endif /* SELFTEST_UAPI_H */
