/* SPDX-License-Identifier: GPL-2.0 */
/* A controlled function, as the registry and its buffers know it. */
#ifndef VPV_CONTROLLING_PRIV_H
#define VPV_CONTROLLING_PRIV_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rwsem.h>

#include <vpv/controlling.h>

/**
 * struct vpv_control - A controlled function
 * @ref: Held by the publisher and by everyone who found it.
 * @node: In the list; controls_lock.
 * @sem: Held for reading by those who are inside.
 * @live: Cleared before the publisher waits for @sem; also read without it, to save
 *	the wait.
 * @controlled: The function; referenced.
 * @family: Constant until withdrawn; compared under controls_lock.
 * @ops: Constant.
 * @priv: Constant.
 * @dma: Constant; referenced.  NULL: no buffers.
 * @bufs: Buffers that are mapped through the handle; lock of @dma.
 */
struct vpv_control {
	struct kref ref;
	struct list_head node;
	struct rw_semaphore sem;
	bool live;
	struct device *controlled;
	const char *family;
	const void *ops;
	void *priv;
	struct vpv_ctrl_dma *dma;
	struct list_head bufs;
};

/* ctrl_buf.c */
struct vpv_ctrl_dma *vpv_ctrl_dma_get(struct vpv_ctrl_dma *dma);
void vpv_ctrl_dma_put(struct vpv_ctrl_dma *dma);
void vpv_ctrl_bufs_unmap(struct vpv_control *control);

#endif /* VPV_CONTROLLING_PRIV_H */
