/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How rules reach devices and data files: the kernel (vfio.c), or a fake that has one
 * deliberate bug (fake.c).  Rules call nothing else.
 *
 * Functions return 0 (or what they name) or a negative errno.
 */
#ifndef CONFORMANCE_LAYER_H
#define CONFORMANCE_LAYER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/**
 * struct dev - A VFIO device
 * @name: As the kernel calls it, the last part of @dir.
 * @dir: Its folder in sysfs.
 * @fd: Open device; -1 when closed.
 * @group: Group, if it was opened by its group, or -1.
 * @iommu: Container or iommufd, or -1.
 * @ioas: Address space in the iommufd.
 * @fake: Which of the fakes.
 */
struct dev {
	char name[64];
	char dir[256];
	int fd;
	int group;
	int iommu;
	uint32_t ioas;
	unsigned int fake;
};

/**
 * struct layer - What rules can do
 * @open: Open it; it must be closed.
 * @close: Close it, if it is open.
 * @ioctl: Of the device.
 * @region: Read from the device at an offset; the number of bytes.
 * @region_write: Write to it; likewise.
 * @map: Let the device reach memory.
 * @unbind: Take the driver from it; it must be closed.
 * @bind: Give it back.
 * @debugfs: The file @file of its migration folder, a line; -ENOENT without one,
 *           -ENODEV if this kernel has none for any device.
 * @plug: Have a device do work ("busy"), or look at what has become of it ("verify").
 * @pause: Sleep so many milliseconds, or what is as long for the fake.
 * @read, @write, @pread, @pwrite, @readv, @writev, @seek, @poll: Of a data file.
 * @splice: Between a data file and a pipe.
 * @file_ioctl: Of a data file.
 * @file_mmap: 0 if it can be mapped.
 */
struct layer {
	int (*open)(struct dev *d);
	void (*close)(struct dev *d);
	int (*ioctl)(struct dev *d, unsigned long cmd, void *arg);
	ssize_t (*region)(struct dev *d, void *buf, size_t bytes, uint64_t offset);
	ssize_t (*region_write)(struct dev *d, const void *buf, size_t bytes, uint64_t offset);
	int (*map)(struct dev *d, void *mem, uint64_t iova, size_t bytes);
	int (*unbind)(struct dev *d);
	int (*bind)(struct dev *d);
	int (*debugfs)(struct dev *d, const char *file, char *buf, size_t room);
	int (*plug)(struct dev *d, const char *what);
	void (*pause)(unsigned int ms);
	ssize_t (*read)(int fd, void *buf, size_t bytes);
	ssize_t (*write)(int fd, const void *buf, size_t bytes);
	ssize_t (*pread)(int fd, void *buf, size_t bytes, off_t pos);
	ssize_t (*pwrite)(int fd, const void *buf, size_t bytes, off_t pos);
	ssize_t (*readv)(int fd, const struct iovec *iov, int num);
	ssize_t (*writev)(int fd, const struct iovec *iov, int num);
	int (*seek)(int fd);
	int (*poll)(int fd, short events, int ms);
	ssize_t (*splice)(int in, int out, size_t bytes);
	int (*file_ioctl)(int fd, unsigned long cmd, void *arg);
	int (*file_mmap)(int fd);
};

extern const struct layer vfio_layer;
extern const struct layer fake_layer;
/* The one that is used. */
extern const struct layer *sys;

/* The device that a BDF, UUID, path in sysfs or node in /dev/vfio/devices means. */
int vfio_find(struct dev *d, const char *word);

/* Of the real layer: commands for plug(), and the memory that they get. */
struct plug {
	const char *busy;
	const char *verify;
	const char *how;	/* "cdev" or "group"; NULL: what there is */
	int mem_fd;
	uint64_t iova;
	size_t bytes;
};

extern struct plug plug;

#endif /* CONFORMANCE_LAYER_H */
