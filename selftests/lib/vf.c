// SPDX-License-Identifier: GPL-2.0
/* Virtual functions of a PF that a VFIO driver has (vf.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vf.h"

int vf_allow(const char *driver, bool on)
{
	char path[128], *dash;

	/* A module's name has no dash. */
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/enable_sriov", driver);
	dash = strchr(path, '-');
	if (dash)
		*dash = '_';
	return sysfs_write(path, on ? "1" : "0");
}

int vf_set_num(const struct slot *pf, unsigned int num)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", num);
	return vdev_sysfs_write(pf->bdf, "sriov_numvfs", text);
}

int vf_find(const struct slot *pf, unsigned int nr, struct slot *vf)
{
	char path[128], target[256];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn%u", pf->bdf, nr);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = 0;
	snprintf(vf->bdf, sizeof(vf->bdf), "%.31s", strrchr(target, '/') + 1);
	return 0;
}
