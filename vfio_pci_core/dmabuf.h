/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dma-bufs of BARs.  A kernel that has not what they need has not the feature either.
 */
#ifndef VPV_DMABUF_H
#define VPV_DMABUF_H

#include <linux/errno.h>
#include <linux/types.h>

struct vpv_device;

#ifdef VPV_HAVE_DMA_BUF_REVOKE

/* At probe.  Undone by the driver core.  Return: 0 or -ENOMEM. */
int vpv_dmabuf_init(struct vpv_device *vpv);
int vpv_dmabuf_feature(struct vpv_device *vpv, u32 flags, void __user *arg, size_t argsz);
/* Take the memory away from all importers, or let them have it again. */
void vpv_dmabufs_revoke(struct vpv_device *vpv);
void vpv_dmabufs_restore(struct vpv_device *vpv);
/* Memory outside of BARs goes, all or, if @bad, what is bad of it: that has been noted. */
void vpv_dmabufs_lost(struct vpv_device *vpv, bool bad);
/* Has the device any?  Memory that comes is waited for in their name. */
bool vpv_dmabufs_any(struct vpv_device *vpv);
/* What importers have mapped of a part of such memory is not clean. */
void vpv_dmabufs_dirty(struct vpv_device *vpv, unsigned int nr, u64 pos, u64 bytes);
void vpv_dmabufs_close(struct vpv_device *vpv);

#else

#ifndef VFIO_DEVICE_FEATURE_DMA_BUF
#define VFIO_DEVICE_FEATURE_DMA_BUF 11
#endif

static inline int vpv_dmabuf_init(struct vpv_device *vpv)
{
	return 0;
}

static inline int vpv_dmabuf_feature(struct vpv_device *vpv, u32 flags, void __user *arg,
				     size_t argsz)
{
	return -ENOTTY;
}

static inline void vpv_dmabufs_revoke(struct vpv_device *vpv)
{
}

static inline void vpv_dmabufs_restore(struct vpv_device *vpv)
{
}

static inline void vpv_dmabufs_lost(struct vpv_device *vpv, bool bad)
{
}

static inline bool vpv_dmabufs_any(struct vpv_device *vpv)
{
	return false;
}

static inline void vpv_dmabufs_dirty(struct vpv_device *vpv, unsigned int nr, u64 pos, u64 bytes)
{
}

static inline void vpv_dmabufs_close(struct vpv_device *vpv)
{
}

#endif /* VPV_HAVE_DMA_BUF_REVOKE */
#endif /* VPV_DMABUF_H */
