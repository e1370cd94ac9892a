// SPDX-License-Identifier: GPL-2.0
/* nvme_cf functions for tests: see nvmefn.h. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "nvmefn.h"

#define CONFIGFS "/sys/kernel/config"

static int bind_managing(const char *bdf)
{
	char driver[64];
	int err = vdev_driver(bdf, driver, sizeof(driver));

	if (!err && strcmp(driver, NVME_CTRL)) {
		if (driver[0])
			err = vdev_unbind(bdf);
		err = err ? err : sysfs_write("/sys/bus/pci/drivers/" NVME_CTRL "/bind", bdf);
	}
	return err;
}

int nvme_managing(struct slot *slots, int max)
{
	int num = slots_find("nvme_ctrl", slots, max), err;

	for (int i = 0; i < num; i++) {
		err = bind_managing(slots[i].bdf);
		if (err)
			return err;
	}
	return num;
}

int nvme_functions(struct slot *slots, int max)
{
	struct slot managing[SLOT_MAX];
	int num = nvme_managing(managing, SLOT_MAX), err;

	if (num < 0)
		return num;
	num = slots_find("nvme_cf", slots, max);
	for (int i = 0; i < num; i++) {
		err = vdev_bind(slots[i].bdf, NVME_DRIVER);
		if (err)
			return err;
	}
	return num;
}

/* Without the newline. */
static int read_line(const char *path, char *buf, size_t room)
{
	int err = sysfs_read(path, buf, room);

	buf[strcspn(buf, "\n")] = 0;
	return err;
}

/* The folder of a controller, by the address of its function. */
static int find_folder(const struct slot *fn, char *folder, size_t room)
{
	int err = -ENOENT;
	glob_t found;

	if (access(CONFIGFS "/" NVME_CTRL, F_OK))
		mount("configfs", CONFIGFS, "configfs", 0, NULL);
	if (glob(CONFIGFS "/" NVME_CTRL "/*/*/address", 0, NULL, &found))
		return -ENOENT;
	for (size_t i = 0; i < found.gl_pathc && err; i++) {
		char address[32] = "";

		if (read_line(found.gl_pathv[i], address, sizeof(address)) ||
		    strcmp(address, fn->bdf))
			continue;
		snprintf(folder, room, "%.*s",
			 (int)(strlen(found.gl_pathv[i]) - strlen("/address")),
			 found.gl_pathv[i]);
		err = 0;
	}
	globfree(&found);
	return err;
}

static int path_of(const struct slot *fn, const char *file, char *path, size_t room)
{
	char folder[96];
	int err = find_folder(fn, folder, sizeof(folder));

	if (!err)
		snprintf(path, room, "%s/%s", folder, file);
	return err;
}

int nvme_profile_write(const struct slot *fn, const char *file, const char *text)
{
	char path[160];
	int err = path_of(fn, file, path, sizeof(path));

	return err ? err : sysfs_write(path, text);
}

int nvme_profile_read(const struct slot *fn, const char *file, char *buf, size_t room)
{
	char path[160];
	int err = path_of(fn, file, path, sizeof(path));

	return err ? err : read_line(path, buf, room);
}
