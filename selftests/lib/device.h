/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI function as a user of VFIO sees it.  Functions return 0 (or what they
 * name) or a negative errno; nothing here decides whether that is a failure.
 */
#ifndef SELFTEST_DEVICE_H
#define SELFTEST_DEVICE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uapi.h"

#define SLOT_MAX 64

/* Of what looks for functions: the machine lacks them.  No driver says so of a function that it refuses. */
#define TOO_FEW (-ENOMEDIUM)

/**
 * struct slot - A line "BDF MODEL INDEX CONTROLPORT": a function that the lab plugged in
 * @bdf: Its PCI address.
 * @model: Name of its model.
 * @index: Number among the functions of that model.
 * @ctl: Control port of the model process.
 */
struct slot {
	char bdf[32];
	char model[32];
	unsigned int index;
	char ctl[96];
};

enum vdev_mode {
	VDEV_GROUP,	/* group and type 1 container */
	VDEV_CDEV,	/* character device and iommufd */
};

/**
 * struct vdev - An open function
 * @slot: Which.
 * @mode: How it was opened.
 * @fd: Device; -1 when closed.
 * @iommu: Container or iommufd.
 * @group: Group, in VDEV_GROUP mode.
 * @ioas: Address space, in VDEV_CDEV mode.
 */
struct vdev {
	struct slot slot;
	enum vdev_mode mode;
	int fd;
	int iommu;
	int group;
	uint32_t ioas;
};

/*
 * Functions of the lab: of a model (/vpv/devices), or QEMU's own (/vpv/stock);
 * returns their number.
 */
int slots_find(const char *model, struct slot *slots, int max);
/* Each function of the model is given out once, in the life of this machine: it may be killed. */
int slot_take(const char *model, struct slot *slot);

/* Which driver; "" for none.  vdev_bind() also waits for the nodes in /dev. */
int vdev_driver(const char *bdf, char *name, size_t room);
/* "\n" for none, after which its ids decide. */
int vdev_override(const char *bdf, const char *driver);
int vdev_bind(const char *bdf, const char *driver);
int vdev_unbind(const char *bdf);
/* Is it "suspended" or "active" in time?  Suspending is asynchronous. */
bool vdev_pm_becomes(const char *bdf, const char *status);
int sysfs_write(const char *path, const char *text);
int sysfs_read(const char *path, char *buf, size_t room);
/* The same of a file that a function has, as "reset"; a descriptor, or -1 with errno set. */
int vdev_sysfs_write(const char *bdf, const char *file, const char *text);
int vdev_sysfs_read(const char *bdf, const char *file, char *buf, size_t room);
int vdev_sysfs_open(const char *bdf, const char *file, int flags);

/*
 * A step of vpv_test_error, such as "frozen" or "recover"; then the driver has done what
 * follows from it.  vdev_settles(): has it, in time?
 */
bool vdev_error_works(void);
int vdev_error(const char *bdf, const char *step);
bool vdev_settles(const char *bdf);

int vdev_open(struct vdev *v, const struct slot *slot, enum vdev_mode mode);
/* With a VF token, 36 characters, or NULL. */
int vdev_open_token(struct vdev *v, const struct slot *slot, enum vdev_mode mode,
		    const char *token);
/* The group, and its container if @v has none: what comes before the device. */
int vdev_group_open(struct vdev *v);
/* The steps of opening by character device; after an error vdev_close() undoes them. */
int vdev_cdev_path(const char *bdf, char *node, size_t room);
int vdev_bind_iommufd(struct vdev *v, const char *node, const void *token);
/* By character device, in the iommufd that @other has. */
int vdev_open_beside(struct vdev *v, const struct slot *slot, const struct vdev *other);
/* By group, in the container that @other has: one address space for both. */
int vdev_open_sharing(struct vdev *v, const struct slot *slot, const struct vdev *other);
void vdev_close(struct vdev *v);

int vdev_dma_map(struct vdev *v, void *va, uint64_t iova, uint64_t bytes);
int vdev_dma_unmap(struct vdev *v, uint64_t iova, uint64_t bytes);

int vdev_region(struct vdev *v, unsigned int index, struct vfio_region_info *info);
int vdev_irq(struct vdev *v, unsigned int index, struct vfio_irq_info *info);
int vdev_reset(struct vdev *v);

/* Region access at an offset; the number of bytes or a negative errno. */
long vdev_pread(struct vdev *v, unsigned int index, uint64_t pos, void *buf, size_t bytes);
long vdev_pwrite(struct vdev *v, unsigned int index, uint64_t pos, const void *buf,
		 size_t bytes);
uint32_t vdev_cfg(struct vdev *v, unsigned int pos, unsigned int bytes);
int vdev_cfg_set(struct vdev *v, unsigned int pos, unsigned int bytes, uint32_t val);
unsigned int vdev_find_cap(struct vdev *v, unsigned int id);
int vdev_bus_master(struct vdev *v, bool on);

/* NULL on failure, errno set. */
void *vdev_bar_map(struct vdev *v, unsigned int bar, size_t bytes);

/* fds[i] -1 releases a vector; count 0 disables the index. */
int vdev_irq_eventfds(struct vdev *v, unsigned int index, unsigned int start,
		      unsigned int count, const int *fds);
int vdev_irq_bool(struct vdev *v, unsigned int index, unsigned int start,
		  unsigned int count, const uint8_t *raise);
/* One interrupt, with no data or, with DATA_BOOL or DATA_EVENTFD in @flags, @data. */
int vdev_irq_one(struct vdev *v, unsigned int index, uint32_t flags, int32_t data);

int eventfd_new(void);
/* 1 when signalled within the time, 0 when not. */
int eventfd_wait(int fd, int ms);

/* VFIO_DEVICE_FEATURE; @data has @bytes after the header. */
int vdev_feature(struct vdev *v, uint32_t flags, void *data, size_t bytes);

uint64_t now_ms(void);

#endif /* SELFTEST_DEVICE_H */
