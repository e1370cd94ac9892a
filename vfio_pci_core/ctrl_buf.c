// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers at a controlling function; vpv/ctrl_buf.h has the rules.
 *
 * A buffer that is mapped is in one of two lists: that of the handle that it was mapped
 * through, or, without a handle, that of the controlling function, which then has a
 * reference to it.  One lock for each controlling function guards both.  It is taken inside
 * of the registry's locks, and nothing but the DMA API is called under it.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <vpv/ctrl_buf.h>

#include "controlling.h"

/**
 * struct vpv_ctrl_dma - DMA of a controlling function
 * @ref: Held by its driver, by handles and by buffers.
 * @dev: The function; valid as long as something is mapped or published.
 * @lock: See above.
 * @kept: Buffers without a handle that the device may still access; @lock.
 */
struct vpv_ctrl_dma {
	struct kref ref;
	struct device *dev;
	struct mutex lock;	/* see above */
	struct list_head kept;
};

static void dma_release(struct kref *ref)
{
	struct vpv_ctrl_dma *dma = container_of(ref, struct vpv_ctrl_dma, ref);

	mutex_destroy(&dma->lock);
	kfree(dma);
}

/**
 * vpv_ctrl_dma_get() - Take a reference
 * @dma: May be NULL.
 *
 * Return: @dma.
 */
struct vpv_ctrl_dma *vpv_ctrl_dma_get(struct vpv_ctrl_dma *dma)
{
	if (dma)
		kref_get(&dma->ref);
	return dma;
}

/**
 * vpv_ctrl_dma_put() - Give it back
 * @dma: May be NULL.
 */
void vpv_ctrl_dma_put(struct vpv_ctrl_dma *dma)
{
	if (dma)
		kref_put(&dma->ref, dma_release);
}

struct vpv_ctrl_dma *vpv_ctrl_dma_new(struct device *dev)
{
	struct vpv_ctrl_dma *dma = kzalloc_obj(*dma, GFP_KERNEL);

	if (!dma)
		return NULL;
	kref_init(&dma->ref);
	mutex_init(&dma->lock);
	INIT_LIST_HEAD(&dma->kept);
	dma->dev = dev;
	return dma;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_dma_new);

/* ---- Unmapping ---- */

static void buf_unmap(struct vpv_ctrl_buf *buf)
{
	lockdep_assert_held(&buf->dma->lock);

	list_del_init(&buf->node);
	buf->control = NULL;
	buf->mapped = false;
	dma_unmap_sgtable(buf->dma->dev, &buf->sgt, buf->dir, 0);
}

/* Its handle goes away, or its last user: unmap it, or keep it if the device may access it. */
static bool buf_keep(struct vpv_ctrl_buf *buf)
{
	lockdep_assert_held(&buf->dma->lock);

	if (!buf->busy && !buf->lost) {
		buf_unmap(buf);
		return false;
	}
	if (buf->lost)
		dev_warn_ratelimited(buf->dma->dev, "%zu bytes that it may still access are kept\n",
				     buf->mem.bytes);
	buf->control = NULL;
	list_move_tail(&buf->node, &buf->dma->kept);
	return true;
}

static void buf_free(struct vpv_ctrl_buf *buf)
{
	struct module *owner = buf->mem.ops->owner;

	sg_free_table(&buf->sgt);
	buf->mem.ops->put(buf->mem.mem);
	module_put(owner);
	vpv_ctrl_dma_put(buf->dma);
	kfree(buf);
}

/**
 * vpv_ctrl_bufs_unmap() - Unmap all that was mapped through a handle
 * @control: Handle; all users have left it.
 */
void vpv_ctrl_bufs_unmap(struct vpv_control *control)
{
	struct vpv_ctrl_buf *buf, *next;

	if (!control->dma)
		return;
	guard(mutex)(&control->dma->lock);
	list_for_each_entry_safe(buf, next, &control->bufs, node)
		if (buf_keep(buf))
			refcount_inc(&buf->refs);
}

void vpv_ctrl_dma_quiet(struct vpv_ctrl_dma *dma)
{
	struct vpv_ctrl_buf *buf, *next;
	LIST_HEAD(done);

	scoped_guard(mutex, &dma->lock)
		list_for_each_entry_safe(buf, next, &dma->kept, node) {
			buf->lost = false;
			if (buf->busy)
				continue;
			buf_unmap(buf);
			list_add_tail(&buf->node, &done);
		}
	list_for_each_entry_safe(buf, next, &done, node) {
		list_del_init(&buf->node);
		vpv_ctrl_buf_put(buf);
	}
}
EXPORT_SYMBOL_GPL(vpv_ctrl_dma_quiet);

void vpv_ctrl_dma_free(struct vpv_ctrl_dma *dma)
{
	struct vpv_ctrl_buf *buf, *next;
	size_t bytes = 0;

	if (!dma)
		return;
	scoped_guard(mutex, &dma->lock)
		list_for_each_entry_safe(buf, next, &dma->kept, node) {
			list_del_init(&buf->node);
			kmemleak_not_leak(buf);
			/* The owner is not called any more: it may be unloaded. */
			module_put(buf->mem.ops->owner);
			bytes += buf->mem.bytes;
		}
	if (bytes)
		dev_err(dma->dev, "%zu bytes that it may still access stay allocated for good\n",
			bytes);
	vpv_ctrl_dma_put(dma);
}
EXPORT_SYMBOL_GPL(vpv_ctrl_dma_free);

/* ---- Buffers ---- */

/* The longest segment that the device takes, and that can be bounced where it has to be. */
static unsigned int segment_most(struct device *dev)
{
	size_t most = min_t(size_t, dma_get_max_seg_size(dev), dma_max_mapping_size(dev));

	return ALIGN_DOWN(most, PAGE_SIZE);
}

static int buf_table(struct vpv_ctrl_buf *buf, struct device *dev)
{
	unsigned int num = buf->mem.bytes / PAGE_SIZE;
	struct page **pages;
	int err;

	pages = kvmalloc_array(num, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	for (unsigned int i = 0; i < num; i++) {
		void *at = buf->mem.data + i * PAGE_SIZE;

		pages[i] = is_vmalloc_addr(at) ? vmalloc_to_page(at) : virt_to_page(at);
	}
	err = sg_alloc_table_from_pages_segment(&buf->sgt, pages, num, 0, buf->mem.bytes,
						segment_most(dev), GFP_KERNEL_ACCOUNT);
	kvfree(pages);
	return err;
}

static int buf_map(struct vpv_ctrl_buf *buf, struct vpv_control *control)
{
	const void *ops;
	void *priv;
	int err;

	ops = vpv_control_enter(control, &priv);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	/* The device is there until leave. */
	err = buf_table(buf, control->dma->dev);
	err = err ?: dma_map_sgtable(control->dma->dev, &buf->sgt, buf->dir, 0);
	if (!err) {
		guard(mutex)(&control->dma->lock);
		list_add_tail(&buf->node, &control->bufs);
		buf->control = control;
		buf->mapped = true;
	}
	vpv_control_leave(control);
	return err;
}

struct vpv_ctrl_buf *vpv_ctrl_buf_new(struct vpv_control *control, const struct vpv_mem *mem,
				      enum dma_data_direction dir)
{
	struct vpv_ctrl_buf *buf;
	int err;

	if (!control->dma)
		return ERR_PTR(-EOPNOTSUPP);
	if (!mem->bytes || offset_in_page(mem->bytes) || offset_in_page(mem->data))
		return ERR_PTR(-EINVAL);
	buf = kzalloc_obj(*buf, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	refcount_set(&buf->refs, 1);
	INIT_LIST_HEAD(&buf->node);
	buf->mem = *mem;
	buf->dir = dir;
	buf->dma = vpv_ctrl_dma_get(control->dma);
	__module_get(mem->ops->owner);
	err = buf_map(buf, control);
	if (!err)
		return buf;

	module_put(mem->ops->owner);
	vpv_ctrl_dma_put(buf->dma);
	sg_free_table(&buf->sgt);
	kfree(buf);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(vpv_ctrl_buf_new);

bool vpv_ctrl_buf_usable(struct vpv_ctrl_buf *buf, const struct vpv_control *control)
{
	guard(mutex)(&buf->dma->lock);
	return buf->control == control && !buf->lost;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_buf_usable);

void vpv_ctrl_buf_put(struct vpv_ctrl_buf *buf)
{
	/* What is kept may be freed by somebody else as soon as the lock is free. */
	struct vpv_ctrl_dma *dma = vpv_ctrl_dma_get(buf->dma);
	bool kept;

	if (refcount_dec_and_mutex_lock(&buf->refs, &dma->lock)) {
		kept = buf->mapped && buf_keep(buf);
		if (kept)
			refcount_set(&buf->refs, 1);
		mutex_unlock(&dma->lock);
		if (!kept)
			buf_free(buf);
	}
	vpv_ctrl_dma_put(dma);
}
EXPORT_SYMBOL_GPL(vpv_ctrl_buf_put);

/* ---- Commands ---- */

int vpv_ctrl_buf_begin(struct vpv_ctrl_buf *buf)
{
	guard(mutex)(&buf->dma->lock);
	if (!buf->control || buf->lost)
		return -ENOTCONN;
	refcount_inc(&buf->refs);
	buf->busy++;
	dma_sync_sgtable_for_device(buf->dma->dev, &buf->sgt, buf->dir);
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_buf_begin);

void vpv_ctrl_buf_end(struct vpv_ctrl_buf *buf, bool lost)
{
	bool late;

	scoped_guard(mutex, &buf->dma->lock) {
		buf->busy--;
		buf->lost |= lost;
		if (!buf->lost)
			dma_sync_sgtable_for_cpu(buf->dma->dev, &buf->sgt, buf->dir);
		/* It was kept for this command. */
		late = !buf->control && !buf->busy && !buf->lost;
		if (late)
			buf_unmap(buf);
	}
	if (late)
		vpv_ctrl_buf_put(buf);
	vpv_ctrl_buf_put(buf);
}
EXPORT_SYMBOL_GPL(vpv_ctrl_buf_end);
