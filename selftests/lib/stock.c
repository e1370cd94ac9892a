// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stock.h"

#define DRIVER_DIR "/sys/bus/pci/drivers/vpv_pci"

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

int error_step(const struct slot *slot, const char *name)
{
	return vdev_error(slot->bdf, name);
}

static int unbind_all(void)
{
	DIR *dir = opendir(DRIVER_DIR);
	struct dirent *e;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (e = readdir(dir)))
		if (strchr(e->d_name, ':'))
			err = vdev_unbind(e->d_name);
	closedir(dir);
	return err;
}

int vpv_pci_load(const char *parameters)
{
	const char *modules = getenv("VPV_MODULES") ?: "/vpv/modules";
	char command[512];
	int err = unbind_all();

	if (err)
		return err;
	snprintf(command, sizeof(command), "rmmod vpv_pci && insmod %s/vpv_pci.ko %s", modules,
		 parameters);
	return system(command) ? -EIO : 0;
}
