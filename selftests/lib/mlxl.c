// SPDX-License-Identifier: GPL-2.0
/* mlx5_like functions for tests: see mlxl.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "mlxl.h"

#define CONFIGFS "/sys/kernel/config"

static void path_of(char *path, size_t room, const struct slot *ctrl, unsigned int fn,
		    const char *file)
{
	snprintf(path, room, CONFIGFS "/" MLXL_CTRL "/%.31s/%u/%.63s", ctrl->bdf, fn, file);
}

int mlxl_config_write(const struct slot *ctrl, unsigned int fn, const char *file, const char *text)
{
	char path[160];

	path_of(path, sizeof(path), ctrl, fn, file);
	return sysfs_write(path, text);
}

int mlxl_config_read(const struct slot *ctrl, unsigned int fn, const char *file, char *buf,
		     size_t room)
{
	char path[160];

	path_of(path, sizeof(path), ctrl, fn, file);
	return sysfs_read(path, buf, room);
}

static int bind_control(const struct slot *ctrl)
{
	char driver[64];
	int err;

	if (access(CONFIGFS "/" MLXL_CTRL, F_OK))
		mount("configfs", CONFIGFS, "configfs", 0, NULL);
	err = vdev_driver(ctrl->bdf, driver, sizeof(driver));
	if (!err && strcmp(driver, MLXL_CTRL)) {
		if (driver[0])
			err = vdev_unbind(ctrl->bdf);
		err = err ? err : sysfs_write("/sys/bus/pci/drivers/" MLXL_CTRL "/bind",
					      ctrl->bdf);
	}
	return err;
}

int mlxl_control(struct slot *ctrl)
{
	if (slots_find("mlx5_ctrl", ctrl, 1) < 1)
		return TOO_FEW;
	return bind_control(ctrl);
}

/* Which function is number @fn of @ctrl?  Empty: none is there. */
static int address_of(const struct slot *ctrl, unsigned int fn, char *bdf, size_t room)
{
	int err = mlxl_config_read(ctrl, fn, "address", bdf, room);

	if (err < 0)
		return err;
	bdf[strcspn(bdf, "\n")] = 0;
	return 0;
}

/* Provision a function at whatever controls it. */
static int enable(const struct slot *ctrls, int num, const struct slot *fn)
{
	char bdf[64] = "";

	for (int i = 0; i < num; i++)
		for (unsigned int nr = 0; !address_of(&ctrls[i], nr, bdf, sizeof(bdf)); nr++)
			if (!strcmp(bdf, fn->bdf))
				return mlxl_config_write(&ctrls[i], nr, "enable", "1");
	return -ENOENT;
}

static int first_of(const struct slot *ctrl, struct slot *fn)
{
	struct slot fns[SLOT_MAX];
	int num = slots_find("mlx5_like", fns, SLOT_MAX);
	char bdf[64] = "";
	int err = address_of(ctrl, 0, bdf, sizeof(bdf));

	for (int i = 0; i < num && !err; i++)
		if (!strcmp(fns[i].bdf, bdf)) {
			*fn = fns[i];
			return 0;
		}
	return err ? err : -ENOENT;
}

int mlxl_other(struct slot *ctrl, struct slot *fn)
{
	struct slot ctrls[2];
	int err;

	if (slots_find("mlx5_ctrl", ctrls, 2) < 2)
		return TOO_FEW;
	*ctrl = ctrls[1];
	err = bind_control(ctrl);
	err = err ? err : mlxl_config_write(ctrl, 0, "enable", "1");
	err = err ? err : first_of(ctrl, fn);
	return err ? err : vdev_bind(fn->bdf, MLXL_DRIVER);
}

int mlxl_functions(struct slot *slots, int max)
{
	struct slot ctrls[SLOT_MAX];
	int num, err = 0, controls = slots_find("mlx5_ctrl", ctrls, SLOT_MAX);

	if (controls < 1)
		return TOO_FEW;
	for (int i = 0; i < controls && !err; i++)
		err = bind_control(&ctrls[i]);
	num = slots_find("mlx5_like", slots, max);
	for (int i = 0; i < num && !err; i++) {
		err = enable(ctrls, controls, &slots[i]);
		err = err ? err : vdev_bind(slots[i].bdf, MLXL_DRIVER);
	}
	return err ? err : num;
}
