// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs of BARs: other devices reach them while their user could, and not longer.
 *
 * A dma-buf lives as long as there is a file, or only a path, of it: longer than the open
 * device, the function's driver and the function.  So it does not depend on them: the device
 * has a list of its dma-bufs, revokes them whenever mappings of user space are zapped
 * (vpv_memory_zap()), and for good when it is closed.  Then no importer has the memory mapped,
 * and none can map it again.
 *
 * Memory outside of BARs is taken away in two more cases, without memory_lock: in a reset by
 * another owner, and because a page is bad.  That is noted under vpv_memories.use before the
 * dma-buf is revoked; before it is restored that note is read, under the lock of the dma-buf,
 * when it is in the list.  Until it is revoked its device exists, and may be used.
 */
#include "dmabuf.h"

#ifdef VPV_HAVE_DMA_BUF_REVOKE

#include <linux/dma-mapping.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/pci-p2pdma.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <vpv/bar_memory.h>

#include "dmabuf_priv.h"
#include "trace.h"
#include "vpv.h"

/* How long importers may take before the log says what is waited for. */
#define PATIENCE	(10 * HZ)

/* Guards the lists of all devices: a dma-buf that goes cannot ask for its device. */
static DEFINE_SPINLOCK(dmabufs_lock);

static void buf_put(struct vpv_dmabuf *buf)
{
	if (!refcount_dec_and_lock(&buf->refs, &dmabufs_lock))
		return;
	list_del(&buf->node);
	spin_unlock(&dmabufs_lock);
	dma_resv_fini(&buf->resv);
	kvfree(buf);
}

/* The one after @buf, which is put, or the first; NULL after the last. */
static struct vpv_dmabuf *buf_next(struct vpv_device *vpv, struct vpv_dmabuf *buf)
{
	struct list_head *head = &vpv->state->dmabufs, *pos;
	struct vpv_dmabuf *next = NULL;

	/* The usual case, without a lock.  buf_publish() handles one that is added meanwhile. */
	if (list_empty(head) && !buf)
		return NULL;

	spin_lock(&dmabufs_lock);
	pos = buf ? buf->node.next : head->next;
	/* Close may have emptied the list. */
	if (pos != head && !(buf && list_empty(&buf->node))) {
		next = list_entry(pos, struct vpv_dmabuf, node);
		refcount_inc(&next->refs);
	}
	spin_unlock(&dmabufs_lock);
	if (buf)
		buf_put(buf);
	return next;
}

/* ---- Memory outside of BARs ---- */

static u64 part_pos(const struct vpv_dmabuf *buf, u32 i)
{
	return buf->vecs[i].paddr - buf->start;
}

/* Is any of its pages bad? */
static bool buf_bad(const struct vpv_dmabuf *buf)
{
	for (u32 i = 0; i < buf->num; i++)
		if (vpv_memory_bad(buf->vpv, buf->bar, part_pos(buf, i), buf->vecs[i].len))
			return true;
	return false;
}

/* Is it there?  That the user may have it is another question. */
static bool buf_there(const struct vpv_dmabuf *buf)
{
	bool bad;

	if (!buf->memory)
		return true;
	if (vpv_memory_use(buf->vpv))
		return false;
	bad = buf_bad(buf);
	vpv_memory_unuse(buf->vpv);
	return !bad;
}

/* Under vpv_memories.use. */
static void buf_dirty(const struct vpv_dmabuf *buf, u64 pos, u64 end)
{
	for (u32 i = 0; i < buf->num; i++) {
		u64 from = max(pos, part_pos(buf, i));
		u64 to = min(end, part_pos(buf, i) + buf->vecs[i].len);

		if (from < to)
			vpv_memory_dirty(buf->vpv, buf->bar, from, to - from, false);
	}
}

/*
 * Writes of importers are not seen, and importers do not fault for each page.  Under
 * vpv_memories.use for writing: an importer that maps it now does so afterwards.
 */
void vpv_dmabufs_dirty(struct vpv_device *vpv, unsigned int nr, u64 pos, u64 bytes)
{
	struct vpv_dmabuf *buf = NULL;

	while ((buf = buf_next(vpv, buf))) {
		if (buf->memory && buf->bar == nr && atomic_read(&buf->maps))
			buf_dirty(buf, pos, pos + bytes);
		cond_resched();
	}
}

/* An importer maps it.  Return: 0, or -ENODEV: it has gone, and is about to be revoked. */
static int buf_use(struct vpv_dmabuf *buf)
{
	if (buf->memory && vpv_memory_use(buf->vpv))
		return -ENODEV;
	atomic_inc(&buf->maps);
	if (buf->memory) {
		buf_dirty(buf, 0, U64_MAX);
		vpv_memory_unuse(buf->vpv);
	}
	return 0;
}

static void buf_unuse(struct vpv_dmabuf *buf)
{
	if (atomic_dec_and_test(&buf->maps))
		wake_up_all(&buf->idle);
}

/* ---- What importers call ---- */

static int buf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct vpv_dmabuf *buf = dmabuf->priv;

	/* It has no pages, and an importer must be able to do without it. */
	if (!attach->peer2peer || !dma_buf_attach_revocable(attach))
		return -EOPNOTSUPP;
	/* To save the importer work: what counts is asked in buf_map(). */
	return READ_ONCE(buf->revoked) ? -ENODEV : 0;
}

static struct sg_table *buf_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct vpv_dmabuf *buf = attach->dmabuf->priv;
	struct sg_table *sgt;

	dma_resv_assert_held(&buf->resv);

	if (buf->revoked || buf_use(buf))
		return ERR_PTR(-ENODEV);
	sgt = vpv_dmabuf_map(attach, buf, dir);
	if (IS_ERR(sgt))
		buf_unuse(buf);
	return sgt;
}

static void buf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	struct vpv_dmabuf *buf = attach->dmabuf->priv;

	vpv_dmabuf_unmap(attach, buf, sgt, dir);
	buf_unuse(buf);
}

static void buf_release(struct dma_buf *dmabuf)
{
	struct vpv_dmabuf *buf = dmabuf->priv;

	dma_resv_lock(&buf->resv, NULL);
	buf->dmabuf = NULL;
	dma_resv_unlock(&buf->resv);
	buf_put(buf);
}

static const struct dma_buf_ops buf_ops = {
	.attach = buf_attach,
	.map_dma_buf = buf_map,
	.unmap_dma_buf = buf_unmap,
	.release = buf_release,
};

/* ---- Taking it away ---- */

/* Tell importers to stop using it; when it returns, what they had begun has ended. */
static void buf_invalidate(struct vpv_device *vpv, struct vpv_dmabuf *buf)
{
	dma_buf_invalidate_mappings(buf->dmabuf);
	while (!dma_resv_wait_timeout(&buf->resv, DMA_RESV_USAGE_BOOKKEEP, false, PATIENCE))
		dev_warn_ratelimited(&vpv->pdev->dev,
				     "waiting for DMA by other devices to a dma-buf\n");
}

/* When it returns, no device has it mapped. */
static void buf_revoke(struct vpv_device *vpv, struct vpv_dmabuf *buf)
{
	bool first;

	dma_resv_lock(&buf->resv, NULL);
	first = !buf->revoked;
	WRITE_ONCE(buf->revoked, true);
	if (first && buf->dmabuf)
		buf_invalidate(vpv, buf);
	dma_resv_unlock(&buf->resv);

	/*
	 * They may unmap by another thread, which takes the lock for it.  Who was not the first to
	 * come here waits for that as well.
	 */
	while (!wait_event_timeout(buf->idle, !atomic_read(&buf->maps), PATIENCE))
		dev_warn_ratelimited(&vpv->pdev->dev,
				     "waiting for %d mappings of a dma-buf by other devices\n",
				     atomic_read(&buf->maps));
	if (first)
		trace_vpv_dmabuf(vpv->pdev, "revoke", buf->bytes, buf->num);
}

/* The user may have it.  Return: was it revoked, and is not any more? */
static bool buf_give(struct vpv_device *vpv, struct vpv_dmabuf *buf)
{
	bool there, given;

	/* No importer has it mapped, so none has to be notified. */
	dma_resv_lock(&buf->resv, NULL);
	there = buf_there(buf);
	given = there && buf->revoked;
	if (given)
		WRITE_ONCE(buf->revoked, false);
	dma_resv_unlock(&buf->resv);
	if (!there)
		vpv_memory_await(vpv);
	return given;
}

void vpv_dmabufs_revoke(struct vpv_device *vpv)
{
	struct vpv_dmabuf *buf = NULL;

	lockdep_assert_held_write(&vpv->state->memory_lock);

	while ((buf = buf_next(vpv, buf)))
		buf_revoke(vpv, buf);
}

void vpv_dmabufs_restore(struct vpv_device *vpv)
{
	struct vpv_dmabuf *buf = NULL;

	lockdep_assert_held_write(&vpv->state->memory_lock);

	while ((buf = buf_next(vpv, buf)))
		if (buf_give(vpv, buf))
			trace_vpv_dmabuf(vpv->pdev, "restore", buf->bytes, buf->num);
}

void vpv_dmabufs_lost(struct vpv_device *vpv, bool bad)
{
	struct vpv_dmabuf *buf = NULL;

	while ((buf = buf_next(vpv, buf)))
		if (buf->memory && (!bad || buf_bad(buf)))
			buf_revoke(vpv, buf);
}

bool vpv_dmabufs_any(struct vpv_device *vpv)
{
	return !list_empty(&vpv->state->dmabufs);
}

/* For good: they are of no device any more. */
void vpv_dmabufs_close(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct vpv_dmabuf *buf, *tmp;

	down_write(&st->memory_lock);
	vpv_dmabufs_revoke(vpv);
	spin_lock(&dmabufs_lock);
	list_for_each_entry_safe(buf, tmp, &st->dmabufs, node)
		list_del_init(&buf->node);
	spin_unlock(&dmabufs_lock);
	up_write(&st->memory_lock);
}

/* ---- Making one ---- */

/* The BAR, whether it is good for this or not.  Return: it or an error. */
static struct vpv_bar_state *bar_of(struct vpv_device *vpv, u32 index)
{
	struct vpv_bar_state *bar;

	if (index >= VPV_BARS)
		return ERR_PTR(-ENODEV);
	bar = &vpv->state->bars[array_index_nospec(index, VPV_BARS)];
	return !bar->region.bytes || vpv_bar_error(vpv, bar) ? ERR_PTR(-ENODEV) : bar;
}

/* Bytes of all ranges, whatever the BAR.  Return: 0 or -EINVAL. */
static int ranges_bytes(const struct vfio_region_dma_range *ranges, u32 num, size_t *bytes)
{
	*bytes = 0;
	for (u32 i = 0; i < num; i++) {
		if (!ranges[i].length || !PAGE_ALIGNED(ranges[i].offset | ranges[i].length) ||
		    check_add_overflow(*bytes, ranges[i].length, bytes))
			return -EINVAL;
	}
	/* A flag for the mapping code. */
	return *bytes & DMA_IOVA_USE_SWIOTLB ? -EINVAL : 0;
}

/* Only what the user may map.  Return: 0, -EOVERFLOW, or -EINVAL. */
static int range_to_vec(const struct vpv_bar_state *bar,
			const struct vfio_region_dma_range *range, struct phys_vec *vec)
{
	phys_addr_t end;

	if (check_add_overflow(bar->phys, range->offset, &vec->paddr) ||
	    check_add_overflow(vec->paddr, range->length, &end))
		return -EOVERFLOW;
	/* Not the rest of the page of a small BAR. */
	if (end > bar->phys + bar->region.bytes ||
	    !vpv_bar_range_mappable(bar, range->offset, range->length))
		return -EINVAL;
	vec->len = range->length;
	return 0;
}

static struct vpv_dmabuf *buf_create(struct vpv_device *vpv, const struct vpv_bar_state *bar,
				     const struct vfio_region_dma_range *ranges, u32 num)
{
	struct p2pdma_provider *provider = NULL;
	struct vpv_dmabuf *buf;
	size_t bytes;
	int ret;

	ret = ranges_bytes(ranges, num, &bytes);
	if (ret)
		return ERR_PTR(ret);
	if (bar->mem && !bar->memory)
		provider = pcim_p2pdma_provider(vpv->pdev, bar->region.index);
	if (!provider && !bar->memory)
		return ERR_PTR(-EINVAL);

	buf = kvzalloc(struct_size(buf, vecs, num), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	buf->num = num;
	buf->provider = provider;
	buf->memory = bar->memory;
	buf->vpv = vpv;
	buf->bar = bar->region.index;
	buf->start = bar->phys;
	for (u32 i = 0; i < num && !ret; i++)
		ret = range_to_vec(bar, &ranges[i], &buf->vecs[i]);
	if (!ret && buf->memory && buf_bad(buf))
		ret = -EHWPOISON;
	if (ret) {
		kvfree(buf);
		return ERR_PTR(ret);
	}
	buf->bytes = bytes;
	buf->revoked = true;
	refcount_set(&buf->refs, 1);
	INIT_LIST_HEAD(&buf->node);
	init_waitqueue_head(&buf->idle);
	dma_resv_init(&buf->resv);
	return buf;
}

/*
 * From here on the dma-buf follows the user's memory.  It is in the list before it is asked
 * whether that is there: who takes that away without memory_lock finds it there, or was first.
 */
static void buf_publish(struct vpv_device *vpv, struct vpv_dmabuf *buf, struct dma_buf *dmabuf)
{
	struct vpv_state *st = vpv->state;

	down_write(&st->memory_lock);
	dma_resv_lock(&buf->resv, NULL);
	buf->dmabuf = dmabuf;
	dma_resv_unlock(&buf->resv);
	spin_lock(&dmabufs_lock);
	list_add_tail(&buf->node, &st->dmabufs);
	spin_unlock(&dmabufs_lock);
	if (vpv_memory_mappable(vpv))
		buf_give(vpv, buf);
	up_write(&st->memory_lock);
	trace_vpv_dmabuf(vpv->pdev, "export", buf->bytes, buf->num);
}

/* Return: a file descriptor or a negative errno. */
static int export_fd(struct vpv_device *vpv, struct vpv_dmabuf *buf, int open_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	int fd;

	info.ops = &buf_ops;
	info.size = buf->bytes;
	info.flags = open_flags;
	info.resv = &buf->resv;
	info.priv = buf;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		buf_put(buf);
		return PTR_ERR(dmabuf);
	}
	buf_publish(vpv, buf, dmabuf);

	fd = dma_buf_fd(dmabuf, open_flags);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

/* VFIO_DEVICE_FEATURE_DMA_BUF */
int vpv_dmabuf_feature(struct vpv_device *vpv, u32 flags, void __user *arg, size_t argsz)
{
	struct vfio_device_feature_dma_buf __user *uget = arg;
	struct vfio_device_feature_dma_buf get = {};
	struct vfio_region_dma_range *ranges;
	struct vpv_bar_state *bar;
	struct vpv_dmabuf *buf;
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, sizeof(get));
	if (ret != 1)
		return ret;
	if (copy_from_user(&get, uget, sizeof(get)))
		return -EFAULT;
	if (!get.nr_ranges || get.flags)
		return -EINVAL;
	bar = bar_of(vpv, get.region_index);
	if (IS_ERR(bar))
		return PTR_ERR(bar);
	/* Wait as reading does: it may become ready. */
	if (bar->memory && vpv_bar_memory_enabled(vpv)) {
		ret = vpv_bar_memory_wait(vpv);
		if (ret)
			return ret;
	}

	ranges = memdup_array_user(uget->dma_ranges, get.nr_ranges, sizeof(*ranges));
	if (IS_ERR(ranges))
		return PTR_ERR(ranges);
	buf = buf_create(vpv, bar, ranges, get.nr_ranges);
	kfree(ranges);
	return IS_ERR(buf) ? PTR_ERR(buf) : export_fd(vpv, buf, get.open_flags);
}

int vpv_dmabuf_init(struct vpv_device *vpv)
{
	int ret = pcim_p2pdma_init(vpv->pdev);

	/* BARs that the CPU cannot reach are not exported: see bar_of(). */
	return ret == -EOPNOTSUPP ? 0 : ret;
}

VPV_COMPAT_IMPORT_NS(DMA_BUF);

#endif /* VPV_HAVE_DMA_BUF_REVOKE */
