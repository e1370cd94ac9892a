/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dma-bufs of regions, and another device that imports them: an edu, whose driver is
 * kunit/vfio_pci_core/vpv_test_importer.c.  Functions return 0 (or what they name) or a
 * negative errno.
 */
#ifndef SELFTEST_IMPORTER_H
#define SELFTEST_IMPORTER_H

#include "device.h"

#define IMPORTER	"/dev/vpv_test_importer"
#define RANGES_MAX	4

struct range {
	uint64_t offset;
	uint64_t bytes;
};

/* Have one made; at most RANGES_MAX of @ranges are given.  Its file descriptor. */
int dmabuf_get(struct vdev *v, uint32_t index, uint32_t num, const struct range *ranges);
int dmabuf_one(struct vdev *v, uint32_t index, uint64_t offset, uint64_t bytes);

/**
 * struct import - What an importer says of itself
 * @mapped: It has it mapped.
 * @told: How often it was told to stop; ~0U: it does not say anything.
 * @entries: Of its scatterlist.
 * @bytes: Of all entries.
 * @addr: DMA address of the first one.
 * @phys: What the IOMMU has there.
 */
struct import {
	unsigned int mapped;
	unsigned int told;
	unsigned int entries;
	unsigned long long bytes;
	unsigned long long addr;
	unsigned long long phys;
};

/* A command, see vpv_test_importer.c, to an importer that was opened. */
int importer_tell(int imp, const char *text);
/* @kind is "", or one of that driver. */
int import_attach(int imp, int fd, const struct slot *slot, const char *kind);
/* The device writes a word. */
int import_store(int imp, uint32_t pos, uint32_t val);
struct import import_state(int imp);
/* Can a new importer have it? */
int import_once(int fd, const struct slot *slot);

/* The feature is not there on older kernels. */
#define NEED_FEATURE(v) do {							\
	int _ret = vdev_feature(v, VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET |	\
				VFIO_DEVICE_FEATURE_DMA_BUF, NULL, 0);		\
										\
	if (_ret == -ENOTTY)							\
		SKIP(return, "this kernel has no revocable dma-bufs");		\
	ASSERT_EQ(0, _ret);							\
} while (0)

#define NEED_IMPORTER(imp, edu) do {						\
	imp = open(IMPORTER, O_RDWR);						\
	if (imp < 0)								\
		SKIP(return, "vpv_test_importer is not loaded");		\
	if (slots_find("edu", edu, 1) != 1)					\
		SKIP(return, "needs an edu in /vpv/stock");			\
	vdev_unbind((edu)->bdf);						\
} while (0)

#endif /* SELFTEST_IMPORTER_H */
