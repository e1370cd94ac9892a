// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "stock.h"

uint32_t bar_get(struct vdev *v, unsigned int bar, uint64_t pos)
{
	uint32_t val;

	return vdev_pread(v, bar, pos, &val, sizeof(val)) == sizeof(val) ? val : UINT32_MAX;
}

int bar_set(struct vdev *v, unsigned int bar, uint64_t pos, uint32_t val)
{
	long n = vdev_pwrite(v, bar, pos, &val, sizeof(val));

	return n == sizeof(val) ? 0 : n < 0 ? n : -EIO;
}
