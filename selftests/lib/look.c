// SPDX-License-Identifier: GPL-2.0
/* What the user of an open function finds (look.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/pci_regs.h>

#include "look.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define ROM	VFIO_PCI_ROM_REGION_INDEX

/* All of @bytes or an error. */
static int read_all(struct vdev *v, unsigned int region, void *buf, size_t bytes)
{
	long n = vdev_pread(v, region, 0, buf, bytes);

	return n < 0 ? n : n == bytes ? 0 : -EIO;
}

static int look_region(struct vdev *v, unsigned int index, struct look *look)
{
	struct vfio_region_info info;
	int err = vdev_region(v, index, &info);

	if (err)
		return index == VFIO_PCI_VGA_REGION_INDEX ? 0 : err;
	look->region[index].bytes = info.size;
	look->region[index].flags = info.flags;
	if (!info.size)
		return 0;
	if (index == CONFIG)
		return read_all(v, index, look->config, info.size < LOOK_CONFIG_BYTES ?
				info.size : LOOK_CONFIG_BYTES);
	if (index == ROM)
		return read_all(v, index, look->rom, LOOK_ROM_BYTES);
	return read_all(v, index, &look->region[index].first, 4);
}

static int take(struct vdev *v, struct look *look)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_irq_info irq;
	int err;

	memset(look, 0, sizeof(*look));
	if (ioctl(v->fd, VFIO_DEVICE_GET_INFO, &info))
		return -errno;
	look->flags = info.flags;
	look->num_regions = info.num_regions;

	err = vdev_cfg_set(v, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	for (unsigned int i = 0; i < VFIO_PCI_NUM_REGIONS && !err; i++) {
		err = look_region(v, i, look);
		if (err)
			printf("# region %u cannot be looked at: %s\n", i, strerror(-err));
	}
	for (unsigned int i = 0; i < VFIO_PCI_NUM_IRQS && !err; i++) {
		err = vdev_irq(v, i, &irq);
		look->irq[i].count = irq.count;
		look->irq[i].flags = irq.flags;
	}
	return err;
}

static bool point(const char *what, unsigned int at)
{
	printf("# it is another function: %s %#x differs\n", what, at);
	return true;
}

static bool differ(const struct look *a, const struct look *b)
{
	if (a->flags != b->flags || a->num_regions != b->num_regions)
		return point("GET_INFO with flags", b->flags);
	for (unsigned int i = 0; i < VFIO_PCI_NUM_REGIONS; i++)
		if (memcmp(&a->region[i], &b->region[i], sizeof(a->region[i])))
			return point("region", i);
	for (unsigned int i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		if (memcmp(&a->irq[i], &b->irq[i], sizeof(a->irq[i])))
			return point("interrupt index", i);
	for (unsigned int i = 0; i < LOOK_CONFIG_BYTES; i++)
		if (a->config[i] != b->config[i])
			return point("config space at", i);
	for (unsigned int i = 0; i < LOOK_ROM_BYTES; i++)
		if (a->rom[i] != b->rom[i])
			return point("ROM at", i);
	return false;
}

int look_again(struct vdev *v, struct looks *looks)
{
	struct look now;
	int err = take(v, &now);

	if (err)
		return err;
	if (!looks->taken)
		looks->first = now;
	looks->taken = true;
	return differ(&looks->first, &now) ? -EILSEQ : 0;
}
