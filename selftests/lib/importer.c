// SPDX-License-Identifier: GPL-2.0
/* dma-bufs of regions, and another device that imports them: see importer.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "importer.h"

int dmabuf_get(struct vdev *v, uint32_t index, uint32_t num, const struct range *ranges)
{
	struct {
		struct vfio_device_feature f;
		struct vfio_device_feature_dma_buf arg;
		struct range ranges[RANGES_MAX];
	} req = {
		.f = {
			.argsz = sizeof(req),
			.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		},
		.arg = { .region_index = index, .open_flags = O_RDWR | O_CLOEXEC, .nr_ranges = num },
	};
	int fd;

	for (unsigned int i = 0; ranges && i < num && i < RANGES_MAX; i++)
		req.ranges[i] = ranges[i];
	fd = ioctl(v->fd, VFIO_DEVICE_FEATURE, &req);
	return fd < 0 ? -errno : fd;
}

int dmabuf_one(struct vdev *v, uint32_t index, uint64_t offset, uint64_t bytes)
{
	return dmabuf_get(v, index, 1, &(struct range){ offset, bytes });
}

int importer_tell(int imp, const char *text)
{
	return write(imp, text, strlen(text)) < 0 ? -errno : 0;
}

int import_attach(int imp, int fd, const struct slot *slot, const char *kind)
{
	char text[64];

	snprintf(text, sizeof(text), "attach %d %s %s", fd, slot->bdf, kind);
	return importer_tell(imp, text);
}

int import_store(int imp, uint32_t pos, uint32_t val)
{
	char text[64];

	snprintf(text, sizeof(text), "store %#x %#x", pos, val);
	return importer_tell(imp, text);
}

struct import import_state(int imp)
{
	struct import state = { .told = ~0U };
	char text[128] = "";

	if (read(imp, text, sizeof(text) - 1) > 0)
		sscanf(text, "%u %u %u %llx %llx %llx", &state.mapped, &state.told,
		       &state.entries, &state.bytes, &state.addr, &state.phys);
	return state;
}

int import_once(int fd, const struct slot *slot)
{
	int imp = open(IMPORTER, O_RDWR), ret;

	if (imp < 0)
		return -errno;
	ret = import_attach(imp, fd, slot, "");
	if (!ret)
		ret = importer_tell(imp, "map");
	close(imp);
	return ret;
}
