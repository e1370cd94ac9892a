// SPDX-License-Identifier: GPL-2.0
/*
 * Where vpv_pci answers otherwise than vfio-pci, on purpose.  Each reason is a heading
 * in Documentation/vfio-differences.rst.
 */
#include <errno.h>
#include <stddef.h>

#include "answers.h"

/* BAR 3 of e1000e has the MSI-X table in its first 80 bytes. */
const struct difference differences[] = {
	{ "regions", "read: disabled, region 3, *", "e1000e", ANY, -EIO,
	  "The MSI-X table is part of its BAR" },
	{ "regions", "write: region 3 from *", "e1000e", 4, -EFAULT,
	  "The MSI-X table is part of its BAR" },
	{ "regions", "read: disabled, region 6, *", "e1000e", -ENOMEM, -EIO,
	  "The ROM without memory enable" },
	{ "ioeventfd", "IOEVENTFD: region *, 0x1, width [248]", "e1000e edu", 0, -EINVAL,
	  "Ioeventfds are aligned" },
	{ "ioeventfd", "IOEVENTFD: region *, 0x2, width [48]", "e1000e edu", 0, -EINVAL,
	  "Ioeventfds are aligned" },
	{ "ioeventfd", "IOEVENTFD: region *, 0x4, width 8", "e1000e edu", 0, -EINVAL,
	  "Ioeventfds are aligned" },
	{ .request = NULL },
};
