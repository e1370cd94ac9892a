// SPDX-License-Identifier: GPL-2.0
/* A PCI function as a user of VFIO sees it (device.h). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <dirent.h>
#include <linux/pci_regs.h>

#include "device.h"

#define DEVICES_FILE	"/vpv/devices"
#define STOCK_FILE	"/vpv/stock"
#define TAKEN_PREFIX	"/run/vpv-taken-"
#define SYS_PCI		"/sys/bus/pci"
#define NODE_WAIT_MS	5000
#define ERROR_STEP	"/sys/module/vpv_test_error/parameters/step"

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static int slots_read(const char *file, const char *model, struct slot *slots, int max)
{
	FILE *f = fopen(file, "r");
	char line[256];
	int n = 0;

	if (!f)
		return -errno;
	while (n < max && fgets(line, sizeof(line), f)) {
		struct slot *s = &slots[n];

		if (sscanf(line, "%31s %31s %u %95s", s->bdf, s->model, &s->index, s->ctl) == 4 &&
		    !strcmp(s->model, model))
			n++;
	}
	fclose(f);
	return n;
}

int slots_find(const char *model, struct slot *slots, int max)
{
	int n = slots_read(DEVICES_FILE, model, slots, max);

	return n > 0 ? n : slots_read(STOCK_FILE, model, slots, max);
}

int slot_take(const char *model, struct slot *slot)
{
	struct slot slots[SLOT_MAX];
	int n = slots_find(model, slots, SLOT_MAX);

	for (int i = 0; i < n; i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), TAKEN_PREFIX "%.31s", slots[i].bdf);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			continue;
		close(fd);
		*slot = slots[i];
		return 0;
	}
	return -ENODEV;
}

int sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	err = n < 0 ? -errno : 0;
	close(fd);
	return err;
}

int sysfs_read(const char *path, char *buf, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, room - 1);
	err = n < 0 ? -errno : 0;
	buf[n < 0 ? 0 : n] = 0;
	buf[strcspn(buf, "\n")] = 0;
	close(fd);
	return err;
}

static const char *file_of(const char *bdf, const char *file, char *path, size_t room)
{
	snprintf(path, room, SYS_PCI "/devices/%s/%s", bdf, file);
	return path;
}

int vdev_sysfs_write(const char *bdf, const char *file, const char *text)
{
	char path[128];

	return sysfs_write(file_of(bdf, file, path, sizeof(path)), text);
}

int vdev_sysfs_read(const char *bdf, const char *file, char *buf, size_t room)
{
	char path[128];

	return sysfs_read(file_of(bdf, file, path, sizeof(path)), buf, room);
}

int vdev_sysfs_open(const char *bdf, const char *file, int flags)
{
	char path[128];

	return open(file_of(bdf, file, path, sizeof(path)), flags | O_CLOEXEC);
}

static int link_name(const char *path, char *name, size_t room)
{
	char target[256];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	char *base;

	if (n < 0)
		return -errno;
	target[n] = 0;
	base = strrchr(target, '/');
	snprintf(name, room, "%s", base ? base + 1 : target);
	return 0;
}

int vdev_driver(const char *bdf, char *name, size_t room)
{
	char path[128];
	int err;

	snprintf(path, sizeof(path), SYS_PCI "/devices/%s/driver", bdf);
	err = link_name(path, name, room);
	if (err == -ENOENT) {
		name[0] = 0;
		err = 0;
	}
	return err;
}

int vdev_unbind(const char *bdf)
{
	char driver[64];
	int err = vdev_driver(bdf, driver, sizeof(driver));

	return err || !driver[0] ? err : vdev_sysfs_write(bdf, "driver/unbind", bdf);
}

bool vdev_pm_becomes(const char *bdf, const char *status)
{
	uint64_t end = now_ms() + 10000;
	char now[32];

	while (!vdev_sysfs_read(bdf, "power/runtime_status", now, sizeof(now))) {
		if (!strcmp(now, status))
			return true;
		if (now_ms() > end)
			break;
		usleep(5000);
	}
	return false;
}

bool vdev_error_works(void)
{
	return !access(ERROR_STEP, W_OK);
}

bool vdev_settles(const char *bdf)
{
	uint64_t end = now_ms() + 10000;
	char path[128], state[512];

	snprintf(path, sizeof(path), "/sys/kernel/debug/vpv_core/%s/state", bdf);
	do {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, state, sizeof(state) - 1);

		if (fd >= 0)
			close(fd);
		if (n < 0)
			return false;
		state[n] = 0;
		if (!strstr(state, "settled no"))
			return true;
		usleep(5000);
	} while (now_ms() < end);
	return false;
}

int vdev_error(const char *bdf, const char *step)
{
	char text[64];
	int err;

	snprintf(text, sizeof(text), "%s %s", bdf, step);
	err = sysfs_write(ERROR_STEP, text);
	/* Of another driver nothing is known. */
	vdev_settles(bdf);
	return err;
}

static int group_path(const char *bdf, char *node, size_t room)
{
	char path[128], group[32];
	int err;

	snprintf(path, sizeof(path), SYS_PCI "/devices/%s/iommu_group", bdf);
	err = link_name(path, group, sizeof(group));
	if (!err)
		snprintf(node, room, "/dev/vfio/%s", group);
	return err;
}

int vdev_cdev_path(const char *bdf, char *node, size_t room)
{
	char path[128];
	struct dirent *e;
	int err = -ENOENT;
	DIR *d;

	snprintf(path, sizeof(path), SYS_PCI "/devices/%s/vfio-dev", bdf);
	d = opendir(path);
	if (!d)
		return -errno;
	while ((e = readdir(d)))
		if (!strncmp(e->d_name, "vfio", 4)) {
			snprintf(node, room, "/dev/vfio/devices/%.32s", e->d_name);
			err = 0;
		}
	closedir(d);
	return err;
}

static int wait_node(const char *node)
{
	uint64_t end = now_ms() + NODE_WAIT_MS;

	while (access(node, R_OK | W_OK)) {
		if (now_ms() > end)
			return -ENOENT;
		usleep(10000);
	}
	return 0;
}

int vdev_override(const char *bdf, const char *driver)
{
	return vdev_sysfs_write(bdf, "driver_override", driver);
}

int vdev_bind(const char *bdf, const char *driver)
{
	char now[64], node[128];
	int err = vdev_driver(bdf, now, sizeof(now));

	if (err)
		return err;
	if (strcmp(now, driver)) {
		err = vdev_unbind(bdf);
		if (!err)
			err = vdev_override(bdf, driver);
		if (!err)
			err = sysfs_write(SYS_PCI "/drivers_probe", bdf);
		if (!err)
			err = vdev_driver(bdf, now, sizeof(now));
		if (!err && strcmp(now, driver))
			err = -ENODEV;
	}
	if (!err)
		err = group_path(bdf, node, sizeof(node));
	if (!err)
		err = wait_node(node);
	return err;
}

int vdev_group_open(struct vdev *v)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char node[128];
	int err = group_path(v->slot.bdf, node, sizeof(node));
	bool joins = v->iommu >= 0;

	if (err)
		return err;
	if (!joins)
		v->iommu = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (v->iommu < 0)
		return -errno;
	v->group = open(node, O_RDWR | O_CLOEXEC);
	if (v->group < 0)
		return -errno;
	if (ioctl(v->group, VFIO_GROUP_GET_STATUS, &status))
		return -errno;
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return -EPERM;
	if (ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->iommu) ||
	    (!joins && ioctl(v->iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU)))
		return -errno;
	return 0;
}

static int open_group(struct vdev *v, const char *token)
{
	char name[128];
	int err = vdev_group_open(v);

	if (err)
		return err;
	snprintf(name, sizeof(name), "%s%s%s", v->slot.bdf, token ? " vf_token=" : "",
		 token ?: "");
	v->fd = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, name);
	return v->fd < 0 ? -errno : 0;
}

/* Text of a UUID to its 16 bytes. */
static int token_bytes(const char *text, uint8_t *bytes)
{
	for (int i = 0; i < 16; i++) {
		text += *text == '-';
		if (sscanf(text, "%2hhx", &bytes[i]) != 1)
			return -EINVAL;
		text += 2;
	}
	return 0;
}

int vdev_bind_iommufd(struct vdev *v, const char *node, const void *token)
{
	struct bind_iommufd bind = {
		.argsz = sizeof(bind), .flags = token ? BIND_FLAG_TOKEN : 0,
		.token_uuid_ptr = (uintptr_t)token,
	};
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };

	if (v->iommu < 0)
		v->iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (v->iommu < 0)
		return -errno;
	v->fd = open(node, O_RDWR | O_CLOEXEC);
	if (v->fd < 0)
		return -errno;
	bind.iommufd = v->iommu;
	if (ioctl(v->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) ||
	    ioctl(v->iommu, IOMMU_IOAS_ALLOC, &alloc))
		return -errno;
	v->ioas = alloc.out_ioas_id;
	attach.pt_id = v->ioas;
	return ioctl(v->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? -errno : 0;
}

static int open_cdev(struct vdev *v, const char *token)
{
	uint8_t bytes[16];
	char node[128];
	int err = vdev_cdev_path(v->slot.bdf, node, sizeof(node));

	if (!err)
		err = wait_node(node);
	if (!err && token)
		err = token_bytes(token, bytes);
	return err ?: vdev_bind_iommufd(v, node, token ? bytes : NULL);
}

int vdev_open(struct vdev *v, const struct slot *slot, enum vdev_mode mode)
{
	return vdev_open_token(v, slot, mode, NULL);
}

int vdev_open_token(struct vdev *v, const struct slot *slot, enum vdev_mode mode,
		    const char *token)
{
	int err;

	*v = (struct vdev){ .slot = *slot, .mode = mode, .fd = -1, .iommu = -1, .group = -1 };
	err = mode == VDEV_GROUP ? open_group(v, token) : open_cdev(v, token);
	if (err)
		vdev_close(v);
	return err;
}

int vdev_open_beside(struct vdev *v, const struct slot *slot, const struct vdev *other)
{
	int err;

	*v = (struct vdev){ .slot = *slot, .mode = VDEV_CDEV, .fd = -1, .group = -1 };
	v->iommu = fcntl(other->iommu, F_DUPFD_CLOEXEC, 0);
	err = v->iommu < 0 ? -errno : open_cdev(v, NULL);
	if (err)
		vdev_close(v);
	return err;
}

int vdev_open_sharing(struct vdev *v, const struct slot *slot, const struct vdev *other)
{
	int err;

	*v = (struct vdev){ .slot = *slot, .mode = VDEV_GROUP, .fd = -1, .group = -1 };
	v->iommu = fcntl(other->iommu, F_DUPFD_CLOEXEC, 0);
	err = v->iommu < 0 ? -errno : open_group(v, NULL);
	if (err)
		vdev_close(v);
	return err;
}

void vdev_close(struct vdev *v)
{
	if (v->fd >= 0)
		close(v->fd);
	if (v->group >= 0)
		close(v->group);
	if (v->iommu >= 0)
		close(v->iommu);
	v->fd = -1;
	v->group = -1;
	v->iommu = -1;
}

int vdev_dma_map(struct vdev *v, void *va, uint64_t iova, uint64_t bytes)
{
	struct vfio_iommu_type1_dma_map type1 = {
		.argsz = sizeof(type1), .vaddr = (uintptr_t)va, .iova = iova, .size = bytes,
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
	};
	struct iommu_ioas_map ioas = {
		.size = sizeof(ioas), .ioas_id = v->ioas, .user_va = (uintptr_t)va,
		.iova = iova, .length = bytes,
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
	};
	int ret = v->mode == VDEV_GROUP ? ioctl(v->iommu, VFIO_IOMMU_MAP_DMA, &type1) :
					  ioctl(v->iommu, IOMMU_IOAS_MAP, &ioas);

	return ret ? -errno : 0;
}

int vdev_dma_unmap(struct vdev *v, uint64_t iova, uint64_t bytes)
{
	struct vfio_iommu_type1_dma_unmap type1 = {
		.argsz = sizeof(type1), .iova = iova, .size = bytes,
	};
	struct iommu_ioas_unmap ioas = {
		.size = sizeof(ioas), .ioas_id = v->ioas, .iova = iova, .length = bytes,
	};
	int ret = v->mode == VDEV_GROUP ? ioctl(v->iommu, VFIO_IOMMU_UNMAP_DMA, &type1) :
					  ioctl(v->iommu, IOMMU_IOAS_UNMAP, &ioas);

	return ret ? -errno : 0;
}

int vdev_region(struct vdev *v, unsigned int index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	return ioctl(v->fd, VFIO_DEVICE_GET_REGION_INFO, info) ? -errno : 0;
}

int vdev_irq(struct vdev *v, unsigned int index, struct vfio_irq_info *info)
{
	*info = (struct vfio_irq_info){ .argsz = sizeof(*info), .index = index };
	return ioctl(v->fd, VFIO_DEVICE_GET_IRQ_INFO, info) ? -errno : 0;
}

int vdev_reset(struct vdev *v)
{
	uint64_t end = now_ms() + 3000;

	while (ioctl(v->fd, VFIO_DEVICE_RESET)) {
		if (errno != EAGAIN || now_ms() > end)
			return -errno;
		usleep(10000);
	}
	return 0;
}

static uint64_t region_offset(unsigned int index)
{
	return (uint64_t)index << 40;
}

long vdev_pread(struct vdev *v, unsigned int index, uint64_t pos, void *buf, size_t bytes)
{
	ssize_t n = pread(v->fd, buf, bytes, region_offset(index) + pos);

	return n < 0 ? -errno : n;
}

long vdev_pwrite(struct vdev *v, unsigned int index, uint64_t pos, const void *buf,
		 size_t bytes)
{
	ssize_t n = pwrite(v->fd, buf, bytes, region_offset(index) + pos);

	return n < 0 ? -errno : n;
}

uint32_t vdev_cfg(struct vdev *v, unsigned int pos, unsigned int bytes)
{
	uint32_t val = 0;

	if (vdev_pread(v, VFIO_PCI_CONFIG_REGION_INDEX, pos, &val, bytes) != bytes)
		return UINT32_MAX;
	return val;
}

int vdev_cfg_set(struct vdev *v, unsigned int pos, unsigned int bytes, uint32_t val)
{
	long n = vdev_pwrite(v, VFIO_PCI_CONFIG_REGION_INDEX, pos, &val, bytes);

	return n < 0 ? n : n == bytes ? 0 : -EIO;
}

unsigned int vdev_find_cap(struct vdev *v, unsigned int id)
{
	unsigned int pos = vdev_cfg(v, PCI_CAPABILITY_LIST, 1), left = 48;

	while (pos >= 0x40 && left--) {
		if (vdev_cfg(v, pos, 1) == id)
			return pos;
		pos = vdev_cfg(v, pos + 1, 1) & 0xfc;
	}
	return 0;
}

int vdev_bus_master(struct vdev *v, bool on)
{
	uint32_t cmd = vdev_cfg(v, PCI_COMMAND, 2) | PCI_COMMAND_MEMORY;

	cmd = on ? cmd | PCI_COMMAND_MASTER : cmd & ~PCI_COMMAND_MASTER;
	return vdev_cfg_set(v, PCI_COMMAND, 2, cmd);
}

void *vdev_bar_map(struct vdev *v, unsigned int bar, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd,
		       region_offset(bar));

	return p == MAP_FAILED ? NULL : p;
}

#define IRQ_MAX 64

struct irq_set_buf {
	struct vfio_irq_set set;
	uint8_t data[IRQ_MAX * sizeof(int)];
};

int vdev_irq_eventfds(struct vdev *v, unsigned int index, unsigned int start,
		      unsigned int count, const int *fds)
{
	struct irq_set_buf b = {
		.set = {
			.argsz = sizeof(b.set) + count * sizeof(int),
			.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
				 (count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE),
			.index = index, .start = start, .count = count,
		},
	};

	int ret;

	if (count > IRQ_MAX)
		return -E2BIG;
	if (count)
		memcpy(b.data, fds, count * sizeof(int));
	ret = ioctl(v->fd, VFIO_DEVICE_SET_IRQS, &b);
	/* A positive one tells how many vectors there could be. */
	return ret < 0 ? -errno : ret ? -ENOSPC : 0;
}

int vdev_irq_bool(struct vdev *v, unsigned int index, unsigned int start,
		  unsigned int count, const uint8_t *raise)
{
	struct irq_set_buf b = {
		.set = {
			.argsz = sizeof(b.set) + count,
			.flags = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_BOOL,
			.index = index, .start = start, .count = count,
		},
	};

	if (count > IRQ_MAX)
		return -E2BIG;
	memcpy(b.data, raise, count);
	return ioctl(v->fd, VFIO_DEVICE_SET_IRQS, &b) < 0 ? -errno : 0;
}

int vdev_irq_one(struct vdev *v, unsigned int index, uint32_t flags, int32_t data)
{
	struct irq_set_buf b = {
		.set = { .argsz = sizeof(b.set), .flags = flags, .index = index, .count = 1 },
	};

	if (flags & VFIO_IRQ_SET_DATA_BOOL) {
		b.set.argsz++;
		b.data[0] = data;
	} else if (flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		b.set.argsz += sizeof(data);
		memcpy(b.data, &data, sizeof(data));
	} else {
		b.set.flags |= VFIO_IRQ_SET_DATA_NONE;
	}
	return ioctl(v->fd, VFIO_DEVICE_SET_IRQS, &b) < 0 ? -errno : 0;
}

int eventfd_new(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int eventfd_wait(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	if (poll(&p, 1, ms) <= 0)
		return 0;
	return read(fd, &n, sizeof(n)) == sizeof(n);
}

int vdev_feature(struct vdev *v, uint32_t flags, void *data, size_t bytes)
{
	uint64_t room[(sizeof(struct vfio_device_feature) + 64) / sizeof(uint64_t)] = {};
	struct vfio_device_feature *f = (void *)room;

	if (bytes > 64)
		return -E2BIG;
	f->argsz = sizeof(*f) + bytes;
	f->flags = flags;
	if (bytes)
		memcpy(f->data, data, bytes);
	if (ioctl(v->fd, VFIO_DEVICE_FEATURE, f))
		return -errno;
	if (bytes)
		memcpy(data, f->data, bytes);
	return 0;
}
