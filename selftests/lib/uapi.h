/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User API headers of the kernel, and what those of the build machine may be too
 * old for.
 */
#ifndef SELFTEST_UAPI_H
#define SELFTEST_UAPI_H

#include <linux/iommufd.h>
#include <linux/vfio.h>

/* linux/vfio.h, after 6.12 */
#ifndef VFIO_PRECOPY_INFO_REINIT
#define VFIO_PRECOPY_INFO_REINIT (1 << 0)
#endif
#ifndef VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2
#define VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 12
#endif

#endif /* SELFTEST_UAPI_H */
