// SPDX-License-Identifier: GPL-2.0
/* Controlling functions that go away: see gone.h. */
#include <errno.h>

#include "gone.h"

static int deaf(struct model *m)
{
	int err = model_cmd(m, "fault region_read fail");

	err = err ? err : model_cmd(m, "fault region_write fail");
	return err ? err : model_cmd(m, "fault config fail");
}

int gone_away(const struct slot *slot, struct model *m, enum way way)
{
	int err;

	switch (way) {
	case RESET:
		return vdev_sysfs_write(slot->bdf, "reset", "1");
	case UNBIND:
		return vdev_unbind(slot->bdf);
	case REMOVE:
		return vdev_sysfs_write(slot->bdf, "remove", "1");
	case VANISH:
		err = deaf(m);
		return err ? err : vdev_sysfs_write(slot->bdf, "remove", "1");
	case SILENCE:
		return deaf(m);
	}
	return -EINVAL;
}

int gone_back(struct model *m, enum way way)
{
	int err = model_cmd(m, "fault clear");

	if (!err && (way == REMOVE || way == VANISH))
		err = sysfs_write("/sys/bus/pci/rescan", "1");
	return err;
}
