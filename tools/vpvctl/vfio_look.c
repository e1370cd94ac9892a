// SPDX-License-Identifier: GPL-2.0
/*
 * A function as its user sees it, asked of the driver through the device node: by
 * iommufd where the kernel has the function's own node, else by group and container.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "files.h"
#include "mig.h"
#include "vpvctl.h"

/* Headers before Linux 6.2 and 6.6 lack these. */
#ifndef VFIO_MIGRATION_PRE_COPY
#define VFIO_MIGRATION_PRE_COPY (1 << 2)
#define VFIO_DEVICE_STATE_PRE_COPY 6
#endif
#ifndef VFIO_DEVICE_BIND_IOMMUFD
struct vfio_device_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};
#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#endif

/* Descriptors in the order of opening; device is the last one. */
struct opened {
	int base;	/* container or iommufd */
	int group;
	int device;
};

static int trouble(char *why, size_t size, const char *step)
{
	int err = -errno;

	snprintf(why, size, "%s: %s", step,
		 err == -EBUSY ? "in use" : err == -EPERM || err == -EACCES ?
		 "not permitted (root?)" : strerror(-err));
	return err;
}

static int open_cdev(const struct pci_fn *fn, struct opened *o, char *why, size_t size)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };

	o->device = open(at("/dev/vfio/devices/%s", fn->vfio).s, O_RDWR | O_CLOEXEC);
	if (o->device < 0)
		return trouble(why, size, "cannot open the VFIO node");
	o->base = open(at("/dev/iommu").s, O_RDWR | O_CLOEXEC);
	if (o->base < 0)
		return trouble(why, size, "cannot open /dev/iommu");
	bind.iommufd = o->base;
	if (ioctl(o->device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return trouble(why, size, "cannot bind to iommufd");
	return 0;
}

static int open_group(const struct pci_fn *fn, struct opened *o, char *why, size_t size)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	o->group = open(at("/dev/vfio/%s", fn->group).s, O_RDWR | O_CLOEXEC);
	if (o->group < 0)
		return trouble(why, size, "cannot open the group's node");
	if (ioctl(o->group, VFIO_GROUP_GET_STATUS, &status))
		return trouble(why, size, "cannot ask the group's status");
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		snprintf(why, size, "the IOMMU group is not viable");
		return -EPERM;
	}
	o->base = open(at("/dev/vfio/vfio").s, O_RDWR | O_CLOEXEC);
	if (o->base < 0)
		return trouble(why, size, "cannot open /dev/vfio/vfio");
	if (ioctl(o->group, VFIO_GROUP_SET_CONTAINER, &o->base) ||
	    ioctl(o->base, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return trouble(why, size, "cannot set up a container");
	o->device = ioctl(o->group, VFIO_GROUP_GET_DEVICE_FD, fn->bdf);
	if (o->device < 0)
		return trouble(why, size, "cannot open the device");
	return 0;
}

static void close_all(struct opened *o)
{
	int fds[] = { o->device, o->group, o->base };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static unsigned int ask_features(int device)
{
	static const struct {
		uint64_t flag;
		unsigned int feature;
	} map[] = {
		{ VFIO_MIGRATION_STOP_COPY, MIG_STOP_COPY },
		{ VFIO_MIGRATION_P2P, MIG_P2P },
		{ VFIO_MIGRATION_PRE_COPY, MIG_PRE_COPY },
	};
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_migration mig;
	} get = { .head = { .argsz = sizeof(get), .flags = VFIO_DEVICE_FEATURE_GET |
			    VFIO_DEVICE_FEATURE_MIGRATION } };
	struct vfio_device_feature probe = {
		.argsz = sizeof(probe),
		.flags = VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
	};
	unsigned int features = 0;

	if (!ioctl(device, VFIO_DEVICE_FEATURE, &get))
		for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
			if (get.mig.flags & map[i].flag)
				features |= map[i].feature;
	if (!ioctl(device, VFIO_DEVICE_FEATURE, &probe))
		features |= MIG_DIRTY;
	return features;
}

/*
 * Let the driver begin to save, and call it off: it writes its match data then.  One that cannot
 * tells why in its last_error.
 */
static void begin_session(int device, unsigned int features)
{
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_mig_state mig;
	} set = { .head = { .argsz = sizeof(set), .flags = VFIO_DEVICE_FEATURE_SET |
			    VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE } };

	if (!(features & MIG_STOP_COPY))
		return;
	set.mig.device_state = features & MIG_PRE_COPY ? VFIO_DEVICE_STATE_PRE_COPY :
			       VFIO_DEVICE_STATE_STOP_COPY;
	set.mig.data_fd = -1;
	if (ioctl(device, VFIO_DEVICE_FEATURE, &set))
		return;
	if (set.mig.data_fd >= 0)
		close(set.mig.data_fd);
	set.mig.device_state = VFIO_DEVICE_STATE_RUNNING;
	ioctl(device, VFIO_DEVICE_FEATURE, &set);
}

static int ask_region(int device, unsigned int index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	return ioctl(device, VFIO_DEVICE_GET_REGION_INFO, info) ? -errno : 0;
}

static int ask_all(int device, struct vfio_view *view, char *why, size_t size)
{
	struct vfio_region_info info;
	ssize_t n;

	view->features = ask_features(device);
	for (unsigned int i = 0; i < PCI_REGIONS; i++) {
		if (ask_region(device, VFIO_PCI_BAR0_REGION_INDEX + i, &info))
			return trouble(why, size, "cannot ask for regions");
		view->region_bytes[i] = info.size;
	}
	if (ask_region(device, VFIO_PCI_CONFIG_REGION_INDEX, &info))
		return trouble(why, size, "cannot ask for config space");
	if (info.size > sizeof(view->config))
		info.size = sizeof(view->config);

	while (view->config_bytes < info.size) {
		n = pread(device, view->config + view->config_bytes,
			  info.size - view->config_bytes, info.offset + view->config_bytes);
		if (!n)
			errno = EIO;
		if (n <= 0)
			return trouble(why, size, "cannot read config space");
		view->config_bytes += n;
	}
	return 0;
}

int vfio_look(const struct pci_fn *fn, struct vfio_view *view, char *why, size_t size)
{
	struct opened o = { -1, -1, -1 };
	int err;

	*view = (struct vfio_view){ 0 };
	if (!fn->vfio[0]) {
		snprintf(why, size, "it is not bound to a VFIO driver");
		return -ENODEV;
	}
	if (exists(at("/dev/vfio/devices/%s", fn->vfio).s) && exists(at("/dev/iommu").s))
		err = open_cdev(fn, &o, why, size);
	else
		err = open_group(fn, &o, why, size);
	if (!err)
		err = ask_all(o.device, view, why, size);
	if (!err && exists(at("/sys/kernel/debug/vpv_migration/%s/match", fn->bdf).s))
		begin_session(o.device, view->features);
	close_all(&o);
	return err;
}

/* Has process @pid one of the nodes open? */
static bool holds(const char *pid, const struct pci_fn *fn)
{
	char group[64], node[64], target[128];
	char **fds;
	bool found = false;
	int n = list_dir(at("/proc/%s/fd", pid).s, &fds);

	pci_group_node(fn, group, sizeof(group));
	snprintf(node, sizeof(node), "/dev/vfio/devices/%s", fn->vfio);
	for (int i = 0; i < n && !found; i++) {
		ssize_t len = readlink(at("/proc/%s/fd/%s", pid, fds[i]).s, target,
				       sizeof(target) - 1);

		target[len > 0 ? len : 0] = 0;
		found = target[0] && (!strcmp(target, group) || !strcmp(target, node));
	}
	free_names(fds, n);
	return found;
}

int vfio_holder(const struct pci_fn *fn, char *name, size_t size)
{
	char **pids;
	int pid = 0, n = list_dir(at("/proc").s, &pids);

	for (int i = 0; i < n && !pid; i++) {
		if (strspn(pids[i], "0123456789") != strlen(pids[i]) || !holds(pids[i], fn))
			continue;
		pid = atoi(pids[i]);
		read_line(at("/proc/%s/comm", pids[i]).s, name, size);
		printable(name);
	}
	free_names(pids, n);
	return pid;
}

/*
 * Opening the group's node touches no device, and fails if it or a member is open.  A
 * kernel without groups has none: who has the function's own node open uses it.
 */
bool vfio_in_use(const struct pci_fn *fn)
{
	char node[64], name[64];
	int fd, err;

	if (!fn->vfio[0])
		return false;
	pci_group_node(fn, node, sizeof(node));
	if (!node[0])
		return vfio_holder(fn, name, sizeof(name));
	fd = open(at("%s", node).s, O_RDWR | O_CLOEXEC);
	err = errno;
	if (fd >= 0)
		close(fd);
	return fd < 0 && err == EBUSY;
}
