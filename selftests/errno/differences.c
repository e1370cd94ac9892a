// SPDX-License-Identifier: GPL-2.0
/*
 * Where vpv_pci answers otherwise than vfio-pci, on purpose.  Each reason is a heading
 * in Documentation/vfio-differences.rst.
 */
#include <errno.h>
#include <stddef.h>

#include "answers.h"

/* Of the lab's option ROM (tools/lab/labkit/devices.py). */
#define ROM_BYTES 2048

#define TABLE "The MSI-X table is part of its BAR"
#define ROM "The ROM without memory enable"
#define SLEEPS "Interrupts of a function that sleeps"
#define ALIGNED "Ioeventfds are aligned"

/* BAR 3 of e1000e and igb begins with the MSI-X table. */
const struct difference differences[] = {
	{ "regions", "read: disabled, region 3, *", "e1000e igb", DONE, -EIO, TABLE },
	{ "regions", "write: disabled, region 3, *", "e1000e igb", DONE, -EIO, TABLE },
	{ "regions", "read: disabled, MSI-X table, *", "e1000e igb nvme", DONE, -EIO, TABLE },
	{ "regions", "write: disabled, MSI-X table, *", "e1000e igb nvme", DONE, -EIO, TABLE },
	{ "regions", "write: region 3 from *", "e1000e igb igb-vf", DONE, -EFAULT, TABLE },
	{ "d3hot", "read: D3hot, region 3, *", "e1000e", DONE, -EIO, TABLE },
	{ "d3hot", "write: D3hot, region 3, *", "e1000e", DONE, -EIO, TABLE },
	{ "d3hot", "read: D3hot, region 3 into NULL", "e1000e", -EFAULT, -EIO, TABLE },
	{ "regions", "read: disabled, region 6, *", "e1000e", -ENOMEM, -EIO, ROM },
	{ "d3hot", "read: D3hot, region 6*", "e1000e", -ENOMEM, -EIO, ROM },
	{ "d3hot", "GET_REGION_INFO: D3hot, region 6: size", "e1000e", 0, ROM_BYTES, ROM },
	{ "d3hot", "GET_REGION_INFO: D3hot, region 6: flags", "e1000e", 0,
	  VFIO_REGION_INFO_FLAG_READ, ROM },
	{ "d3hot", "SET_IRQS: D3hot, [12] *", "e1000e nvme", -EINVAL, 0, SLEEPS },
	{ "ioeventfd", "IOEVENTFD: region *, 0x1, width [248]", "e1000e edu igb nvme igb-vf", 0,
	  -EINVAL, ALIGNED },
	{ "ioeventfd", "IOEVENTFD: region *, 0x2, width [48]", "e1000e edu igb nvme igb-vf", 0,
	  -EINVAL, ALIGNED },
	{ "ioeventfd", "IOEVENTFD: region *, 0x4, width 8", "e1000e edu igb nvme igb-vf", 0,
	  -EINVAL, ALIGNED },
	{ .request = NULL },
};
