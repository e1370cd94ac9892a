// SPDX-License-Identifier: GPL-2.0
/* Devices of the kernel (layer.h): of any bus, by character device or by group. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layer.h"

#define NODE_WAIT_US	10000
#define NODE_WAITS	500

struct plug plug = { .mem_fd = -1 };

/* ---- which device ---- */

static int resolve(struct dev *d, const char *path)
{
	char real[PATH_MAX];

	if (!realpath(path, real))
		return -errno;
	if (strlen(real) >= sizeof(d->dir))
		return -ENAMETOOLONG;
	memcpy(d->dir, real, strlen(real) + 1);
	snprintf(d->name, sizeof(d->name), "%.63s", strrchr(real, '/') + 1);
	return 0;
}

int vfio_find(struct dev *d, const char *word)
{
	static const char *const places[] = {
		"%s", "/sys/bus/pci/devices/%s", "/sys/bus/mdev/devices/%s",
		"/sys/bus/platform/devices/%s", "/sys/class/vfio-dev/%s/device",
	};
	const char *base = strrchr(word, '/');
	char path[PATH_MAX];

	*d = (struct dev){ .fd = -1, .group = -1, .iommu = -1 };
	/* A node of the character device has the name of its device in sysfs. */
	if (!strncmp(word, "/dev/", 5))
		word = base + 1;
	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), places[i], word);
		if (strchr(path, '/') && !access(path, F_OK))
			return resolve(d, path);
	}
	return -ENODEV;
}

/* ---- open and close ---- */

static int cdev_node(struct dev *d, char *node, size_t room)
{
	char path[320];
	struct dirent *e;
	int err = -ENOENT;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/vfio-dev", d->dir);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((e = readdir(dir)))
		if (!strncmp(e->d_name, "vfio", 4)) {
			snprintf(node, room, "/dev/vfio/devices/%.32s", e->d_name);
			err = access(node, F_OK) ? -errno : 0;
		}
	closedir(dir);
	return err;
}

static int group_node(struct dev *d, char *node, size_t room)
{
	char path[320], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/iommu_group", d->dir);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	snprintf(node, room, "/dev/vfio/%.32s", strrchr(target, '/') + 1);
	return 0;
}

static int open_cdev(struct dev *d)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	char node[64];
	int err = cdev_node(d, node, sizeof(node));

	if (err)
		return err;
	d->iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	d->fd = open(node, O_RDWR | O_CLOEXEC);
	if (d->iommu < 0 || d->fd < 0)
		return -errno;
	bind.iommufd = d->iommu;
	if (ioctl(d->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) ||
	    ioctl(d->iommu, IOMMU_IOAS_ALLOC, &alloc))
		return -errno;
	d->ioas = alloc.out_ioas_id;
	attach.pt_id = d->ioas;
	return ioctl(d->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? -errno : 0;
}

static int open_group(struct dev *d)
{
	char node[64];
	int err = group_node(d, node, sizeof(node));

	if (err)
		return err;
	d->iommu = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	d->group = open(node, O_RDWR | O_CLOEXEC);
	if (d->iommu < 0 || d->group < 0 ||
	    ioctl(d->group, VFIO_GROUP_SET_CONTAINER, &d->iommu) ||
	    ioctl(d->iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -errno;
	d->fd = ioctl(d->group, VFIO_GROUP_GET_DEVICE_FD, d->name);
	return d->fd < 0 ? -errno : 0;
}

static void put(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void vfio_close(struct dev *d)
{
	put(&d->fd);
	put(&d->group);
	put(&d->iommu);
}

static int vfio_open(struct dev *d)
{
	char node[64];
	int err = cdev_node(d, node, sizeof(node));
	bool cdev = plug.how ? !strcmp(plug.how, "cdev") : !err && !access("/dev/iommu", F_OK);

	err = cdev ? open_cdev(d) : open_group(d);
	if (err)
		vfio_close(d);
	return err;
}

/* ---- what an open device can ---- */

static int vfio_ioctl(struct dev *d, unsigned long cmd, void *arg)
{
	int ret = ioctl(d->fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static ssize_t vfio_region(struct dev *d, void *buf, size_t bytes, uint64_t offset)
{
	ssize_t n = pread(d->fd, buf, bytes, offset);

	return n < 0 ? -errno : n;
}

static ssize_t vfio_region_write(struct dev *d, const void *buf, size_t bytes, uint64_t offset)
{
	ssize_t n = pwrite(d->fd, buf, bytes, offset);

	return n < 0 ? -errno : n;
}

static int vfio_map(struct dev *d, void *mem, uint64_t iova, size_t bytes)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map), .ioas_id = d->ioas, .user_va = (uintptr_t)mem,
		.length = bytes, .iova = iova,
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
	};
	struct vfio_iommu_type1_dma_map old = {
		.argsz = sizeof(old), .vaddr = (uintptr_t)mem, .size = bytes, .iova = iova,
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
	};
	int ret = d->group < 0 ? ioctl(d->iommu, IOMMU_IOAS_MAP, &map) :
				 ioctl(d->iommu, VFIO_IOMMU_MAP_DMA, &old);

	return ret ? -errno : 0;
}

static int sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static char driver[PATH_MAX];

static int vfio_unbind(struct dev *d)
{
	char path[320], file[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/driver", d->dir);
	if (!realpath(path, driver))
		return -errno;
	snprintf(file, sizeof(file), "%s/unbind", driver);
	return sysfs_write(file, d->name);
}

static int vfio_bind(struct dev *d)
{
	char file[PATH_MAX + 16], node[64];
	int err;

	snprintf(file, sizeof(file), "%s/bind", driver);
	err = sysfs_write(file, d->name);
	/* udev, or devtmpfs, makes the nodes a little later. */
	for (unsigned int i = 0; !err && i < NODE_WAITS; i++) {
		if (!cdev_node(d, node, sizeof(node)) ||
		    (!group_node(d, node, sizeof(node)) && !access(node, R_OK | W_OK)))
			return 0;
		usleep(NODE_WAIT_US);
	}
	return err ? err : -ENODEV;
}

static int vfio_debugfs(struct dev *d, const char *name, char *buf, size_t room)
{
	char path[320];
	ssize_t n;
	int fd;

	if (access("/sys/kernel/debug/vfio", F_OK))
		return -ENODEV;
	snprintf(path, sizeof(path), "/sys/kernel/debug/vfio/%s/migration/%s", d->name, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, room - 1);
	close(fd);
	buf[n < 0 ? 0 : n] = 0;
	return n < 0 ? -EIO : 0;
}

static void set_number(const char *name, unsigned long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	setenv(name, text, 1);
}

/* The command gets the open device and the memory that the device reaches. */
static int vfio_plug(struct dev *d, const char *what)
{
	const char *command = strcmp(what, "busy") ? plug.verify : plug.busy;
	int status = 0;
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child) {
		fcntl(d->fd, F_SETFD, 0);
		fcntl(plug.mem_fd, F_SETFD, 0);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		setenv("CONFORMANCE_DEVICE", d->name, 1);
		set_number("CONFORMANCE_FD", d->fd);
		set_number("CONFORMANCE_MEM_FD", plug.mem_fd);
		set_number("CONFORMANCE_MEM_BYTES", plug.bytes);
		set_number("CONFORMANCE_MEM_IOVA", plug.iova);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status ? -EIO : 0;
}

static void vfio_pause(unsigned int ms)
{
	usleep(ms * 1000);
}

/* ---- data files ---- */

#define RETURN(call) do { ssize_t _n = (call); return _n < 0 ? -errno : _n; } while (0)

static ssize_t vfio_read(int fd, void *buf, size_t bytes) { RETURN(read(fd, buf, bytes)); }
static ssize_t vfio_write(int fd, const void *buf, size_t bytes) { RETURN(write(fd, buf, bytes)); }

static ssize_t vfio_pread(int fd, void *buf, size_t bytes, off_t pos)
{
	RETURN(pread(fd, buf, bytes, pos));
}

static ssize_t vfio_pwrite(int fd, const void *buf, size_t bytes, off_t pos)
{
	RETURN(pwrite(fd, buf, bytes, pos));
}

static ssize_t vfio_readv(int fd, const struct iovec *iov, int num) { RETURN(readv(fd, iov, num)); }
static ssize_t vfio_writev(int fd, const struct iovec *iov,
			   int num) { RETURN(writev(fd, iov, num)); }
static int vfio_seek(int fd) { RETURN(lseek(fd, 0, SEEK_SET)); }

static int vfio_poll(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, ms);

	return n < 0 ? -errno : p.revents;
}

static ssize_t vfio_splice(int in, int out, size_t bytes)
{
	RETURN(splice(in, NULL, out, NULL, bytes, 0));
}

static int vfio_file_ioctl(int fd, unsigned long cmd, void *arg) { RETURN(ioctl(fd, cmd, arg)); }

static int vfio_file_mmap(int fd)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, 4096);
	return 0;
}

const struct layer vfio_layer = {
	.open = vfio_open, .close = vfio_close, .ioctl = vfio_ioctl, .region = vfio_region,
	.region_write = vfio_region_write, .map = vfio_map, .unbind = vfio_unbind,
	.bind = vfio_bind, .debugfs = vfio_debugfs,
	.plug = vfio_plug, .pause = vfio_pause, .read = vfio_read, .write = vfio_write,
	.pread = vfio_pread, .pwrite = vfio_pwrite, .readv = vfio_readv, .writev = vfio_writev,
	.seek = vfio_seek, .poll = vfio_poll, .splice = vfio_splice,
	.file_ioctl = vfio_file_ioctl, .file_mmap = vfio_file_mmap,
};
