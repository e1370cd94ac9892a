// SPDX-License-Identifier: GPL-2.0
/*
 * read() and write() of the device fd: a loop that copies chunks, and the kinds of region,
 * which cut them into naturally aligned accesses.
 *
 * User memory is copied between the chunks, with no lock held.
 */
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include <vpv/bar_memory.h>

#include "chunk.h"
#include "trace.h"
#include "vpv.h"

/**
 * struct vpv_access - One access, aligned
 * @pos: Offset in the region.
 * @data: What is read or written; as well aligned as @pos.
 * @bytes: 1, 2, 4 or 8.
 * @write: Direction.
 */
struct vpv_access {
	u64 pos;
	u8 *data;
	unsigned int bytes;
	bool write;
};

/* The accesses of a chunk: @acc is the first one, without its size. */
typedef int (*vpv_chunk_fn)(struct vpv_device *vpv, struct vpv_region *region,
			    struct vpv_access *acc, size_t left);

/* The widest aligned access at @pos of at most @max bytes, a power of two. */
static unsigned int access_bytes(u64 pos, u64 left, unsigned int max)
{
	while (max > 1 && (max > left || (pos & (max - 1))))
		max >>= 1;
	return max;
}

static void io_access(void __iomem *io, const struct vpv_access *acc)
{
	void *data = acc->data;

	switch (acc->bytes | acc->write << 4) {
	case 1:
		*(u8 *)data = ioread8(io);
		break;
	case 2:
		*(u16 *)data = ioread16(io);
		break;
	case 4:
		*(u32 *)data = ioread32(io);
		break;
	case 8:
		*(u64 *)data = ioread64(io);
		break;
	case 1 | 1 << 4:
		iowrite8(*(u8 *)data, io);
		break;
	case 2 | 1 << 4:
		iowrite16(*(u16 *)data, io);
		break;
	case 4 | 1 << 4:
		iowrite32(*(u32 *)data, io);
		break;
	case 8 | 1 << 4:
		iowrite64(*(u64 *)data, io);
		break;
	}
}

static int ops_access(struct vpv_device *vpv, struct vpv_region *region,
		      const struct vpv_region_ops *ops, const struct vpv_access *acc)
{
	if (acc->write)
		return ops->write ? ops->write(vpv, region, acc->pos, acc->data, acc->bytes) :
				    -EINVAL;
	memset(acc->data, 0, acc->bytes);
	return ops->read ? ops->read(vpv, region, acc->pos, acc->data, acc->bytes) : -EINVAL;
}

static void note_access(struct vpv_device *vpv, const struct vpv_region *region,
			const struct vpv_access *acc, int ret)
{
	u64 val = 0;

	vpv_count(vpv, (acc->write ? VPV_COUNT_WRITE : VPV_COUNT_READ) + ilog2(acc->bytes));
	if (!trace_vpv_access_enabled())
		return;
	if (acc->write || !ret)
		memcpy(&val, acc->data, acc->bytes);
	trace_vpv_access(vpv->pdev, region->index, acc->pos, acc->bytes, acc->write, val, ret);
}

/* The function does not answer: see ones.c. */
static void ones_access(const struct vpv_access *acc)
{
	if (!acc->write)
		memset(acc->data, 0xff, acc->bytes);
}

/* Part of a BAR: a trap, the MSI-X table or the hardware. */
static int bar_part_access(struct vpv_device *vpv, struct vpv_bar_state *bar,
			   const struct vpv_bar_part *part, const struct vpv_access *acc)
{
	if (part && part->ops)
		return ops_access(vpv, &bar->region, part->ops, acc);
	if (!part && bar->memory && !acc->write)
		return vpv_memory_read(vpv, bar->region.index, acc->pos, acc->bytes, acc->data) ?
		       -EIO : 0;
	if (part)
		ones_access(acc);
	else
		io_access(bar->io + acc->pos, acc);
	return 0;
}

/* On to the access after @acc.  Return: is there one? */
static bool access_next(struct vpv_access *acc, size_t *left)
{
	acc->pos += acc->bytes;
	acc->data += acc->bytes;
	*left -= acc->bytes;
	return *left;
}

/*
 * Bytes of memory outside of BARs are read or written, until vpv_memory_unuse().  Return: 0;
 * -EIO: one of them is in a bad page; as vpv_memory_use().
 */
static int memory_begin(struct vpv_device *vpv, const struct vpv_bar_state *bar,
			const struct vpv_access *acc, size_t left)
{
	int ret = vpv_memory_use(vpv);

	if (ret)
		return ret;
	if (vpv_memory_bad(vpv, bar->region.index, acc->pos, left)) {
		vpv_memory_unuse(vpv);
		return -EIO;
	}
	if (acc->write)
		vpv_memory_dirty(vpv, bar->region.index, acc->pos, left, false);
	return 0;
}

static int bar_accesses(struct vpv_device *vpv, struct vpv_bar_state *bar,
			struct vpv_access *acc, size_t left)
{
	const struct vpv_bar_part *part = NULL;
	bool enabled, ones;
	u64 end = 0;
	int ret;

	down_read(&vpv->state->memory_lock);
	enabled = vpv_bar_enabled(vpv, bar);
	ones = !enabled && vpv_bar_ones(vpv, bar);
	if (enabled && bar->memory) {
		ret = memory_begin(vpv, bar, acc, left);
		if (ret)
			goto unlock;
	}
	do {
		if (acc->pos >= end)
			part = vpv_bar_part_at(bar, acc->pos, &end);
		acc->bytes = access_bytes(acc->pos, min_t(u64, left, end - acc->pos),
					  bar->mem ? 8 : 4);
		ret = ones ? 0 : -EIO;
		if (enabled)
			ret = bar_part_access(vpv, bar, part, acc);
		else if (ones)
			ones_access(acc);
		note_access(vpv, &bar->region, acc, ret);
	} while (!ret && access_next(acc, &left));
	if (enabled && bar->memory)
		vpv_memory_unuse(vpv);
unlock:
	up_read(&vpv->state->memory_lock);
	return ret;
}

static int bar_chunk(struct vpv_device *vpv, struct vpv_region *region,
		     struct vpv_access *acc, size_t left)
{
	struct vpv_bar_state *bar = container_of(region, struct vpv_bar_state, region);
	int ret;

	for (;;) {
		ret = bar_accesses(vpv, bar, acc, left);
		if (ret != -EAGAIN || !bar->memory)
			return ret;
		ret = vpv_bar_memory_wait(vpv);
		if (ret && ret != -EAGAIN)
			return ret;
	}
}

static int like_bar_access(struct vpv_device *vpv, struct vpv_region *region,
			   const struct vpv_access *acc)
{
	int ret = -EIO;

	down_read(&vpv->state->memory_lock);
	if (vpv_memory_enabled(vpv)) {
		ret = ops_access(vpv, region, region->ops, acc);
	} else if (vpv_memory_ones(vpv)) {
		ones_access(acc);
		ret = 0;
	}
	up_read(&vpv->state->memory_lock);
	return ret;
}

static int dev_region_chunk(struct vpv_device *vpv, struct vpv_region *region,
			    struct vpv_access *acc, size_t left)
{
	int ret;

	do {
		acc->bytes = access_bytes(acc->pos, left, 8);
		if (region->like_bar)
			ret = like_bar_access(vpv, region, acc);
		else
			ret = ops_access(vpv, region, region->ops, acc);
		note_access(vpv, region, acc, ret);
	} while (!ret && access_next(acc, &left));
	return ret;
}

/* Return: bytes done (short at the end of the region) or a negative errno. */
static __always_inline ssize_t region_loop(struct vpv_device *vpv, struct vpv_region *region,
					   vpv_chunk_fn access, char __user *buf, size_t count,
					   u64 pos, bool write)
{
	/* What is copied was read before, or there was an error. */
	u8 chunk[VPV_CHUNK] __aligned(8) __uninitialized;
	struct vpv_access acc = { .write = write };
	size_t done, bytes;
	u8 *data;
	int ret;

	if (pos >= region->bytes)
		return -EINVAL;
	count = min_t(u64, count, region->bytes - pos);

	for (done = 0; done < count; done += bytes) {
		bytes = vpv_chunk_bytes(pos + done, count - done);
		data = chunk + (pos + done) % VPV_CHUNK;
		if (write && vpv_chunk_from_user(data, buf + done, bytes))
			return -EFAULT;
		acc.pos = pos + done;
		acc.data = data;
		/* All of it may take hours: the user has to be able to kill the process. */
		if (done && fatal_signal_pending(current))
			return done;
		ret = access(vpv, region, &acc, bytes);
		if (ret)
			return ret;
		if (!write && vpv_chunk_to_user(buf + done, data, bytes))
			return -EFAULT;
	}
	return done;
}

/* Fill @page, which is full of ones, from the ROM image; there may be less of it. */
static int rom_fill(struct vpv_device *vpv, u64 pos, u8 *page, size_t bytes)
{
	struct pci_dev *pdev = vpv->pdev;
	bool real = pci_resource_start(pdev, PCI_ROM_RESOURCE);
	u32 val;
	struct vpv_access acc = { .data = (u8 *)&val };
	void __iomem *io;
	size_t image;

	if (real) {
		io = pci_map_rom(pdev, &image);
	} else {
		image = pdev->romlen;
		io = ioremap(pdev->rom, image);
	}
	if (!io)
		return -ENOMEM;

	/* 8 bytes at a time are known to upset some devices. */
	for (size_t done = 0; done < bytes && pos + done < image; done += acc.bytes) {
		acc.pos = pos + done;
		acc.bytes = access_bytes(acc.pos, min(bytes - done, image - acc.pos), 4);
		io_access(io + acc.pos, &acc);
		memcpy(page + done, &val, acc.bytes);
	}

	if (real)
		pci_unmap_rom(pdev, io);
	else
		iounmap(io);
	return 0;
}

static int rom_read_page(struct vpv_device *vpv, u64 pos, u8 *page, size_t bytes)
{
	int ret = -EIO;

	memset(page, 0xff, bytes);
	/* For writing: the ROM BAR is enabled and disabled around the access. */
	down_write(&vpv->state->memory_lock);
	if (vpv_memory_enabled(vpv))
		ret = rom_fill(vpv, pos, page, bytes);
	else if (vpv_memory_ones(vpv))
		ret = 0;
	up_write(&vpv->state->memory_lock);
	return ret;
}

static ssize_t rom_read(struct vpv_device *vpv, char __user *buf, size_t count, u64 pos)
{
	u64 size = min(vpv_rom_bytes(vpv->pdev), vpv->state->rom_most);
	u8 chunk[VPV_CHUNK] __uninitialized;
	size_t done = 0, bytes;
	u8 *data = chunk;
	int ret = 0;

	if (pos >= size)
		return -EINVAL;
	count = min_t(u64, count, size - pos);

	if (count > sizeof(chunk)) {
		data = kmalloc(min_t(size_t, count, SZ_4K), GFP_KERNEL);
		if (!data)
			return -ENOMEM;
	}

	for (; done < count && !ret && !fatal_signal_pending(current); done += bytes) {
		bytes = min_t(size_t, count - done, SZ_4K);
		ret = rom_read_page(vpv, pos + done, data, bytes);
		if (!ret && copy_to_user(buf + done, data, bytes))
			ret = -EFAULT;
	}
	if (data != chunk)
		kfree(data);
	return ret ?: done;
}

static ssize_t bar_rw(struct vpv_device *vpv, unsigned int index, char __user *buf,
		      size_t count, u64 pos, bool write)
{
	struct vpv_bar_state *bar = &vpv->state->bars[array_index_nospec(index, VPV_BARS)];
	int ret;

	if (pos >= bar->region.bytes)
		return -EINVAL;
	ret = vpv_bar_error(vpv, bar);
	if (ret)
		return ret;
	return region_loop(vpv, &bar->region, bar_chunk, buf, count, pos, write);
}

/* All at once, by a region that cuts nothing. */
static ssize_t region_transfer(struct vpv_device *vpv, struct vpv_region *region,
			       char __user *buf, size_t count, u64 pos, bool write)
{
	struct iov_iter iter;
	ssize_t ret;

	if (pos >= region->bytes)
		return -EINVAL;
	ret = import_ubuf(write ? ITER_SOURCE : ITER_DEST, buf,
			  min_t(u64, count, region->bytes - pos), &iter);
	if (!ret)
		ret = region->ops->transfer(vpv, region, pos, &iter);
	trace_vpv_access(vpv->pdev, region->index, pos, count, write, 0, min(ret, 0));
	return ret;
}

static ssize_t dev_region_rw(struct vpv_device *vpv, unsigned int index, char __user *buf,
			     size_t count, u64 pos, bool write)
{
	u32 need = write ? VFIO_REGION_INFO_FLAG_WRITE : VFIO_REGION_INFO_FLAG_READ;
	struct vpv_region *region;

	index -= VPV_PCI_REGIONS;
	if (index >= vpv->state->num_dev_regions)
		return -EINVAL;
	region = &vpv->state->dev_regions[array_index_nospec(index, VPV_DEV_REGIONS)];
	if (!(region->flags & need))
		return -EINVAL;
	if (region->ops->transfer)
		return region_transfer(vpv, region, buf, count, pos, write);
	return region_loop(vpv, region, dev_region_chunk, buf, count, pos, write);
}

/* read() and write() of the device fd. */
ssize_t vpv_region_rw(struct vpv_device *vpv, char __user *buf, size_t count,
		      loff_t *ppos, bool write)
{
	u64 index = (u64)*ppos >> VPV_OFFSET_SHIFT;
	u64 pos = *ppos & VPV_OFFSET_MASK;
	ssize_t ret;

	if (!count)
		return 0;
	if (index >= VPV_MAX_REGIONS)
		return -EINVAL;
	index = array_index_nospec(index, VPV_MAX_REGIONS);
	ret = vpv_awake_get(vpv);
	if (ret)
		return ret;

	if (index < VPV_BARS)
		ret = bar_rw(vpv, index, buf, count, pos, write);
	else if (index == VFIO_PCI_CONFIG_REGION_INDEX && write)
		ret = vpv_config_write(vpv, pos, buf, count);
	else if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		ret = vpv_config_read(vpv, pos, buf, count);
	else if (index == VFIO_PCI_ROM_REGION_INDEX && !write)
		ret = rom_read(vpv, buf, count, pos);
	else if (index >= VPV_PCI_REGIONS)
		ret = dev_region_rw(vpv, index, buf, count, pos, write);
	else
		ret = -EINVAL;

	vpv_awake_put(vpv);
	if (ret > 0)
		*ppos += ret;
	return ret;
}

int vpv_region_add(struct vpv_device *vpv, u32 type, u32 subtype, u64 bytes,
		   u32 flags, const struct vpv_region_ops *ops, void *priv)
{
	struct vpv_state *st = vpv->state;
	u32 known = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		    VFIO_REGION_INFO_FLAG_MMAP | VPV_REGION_LIKE_BAR;
	unsigned int nr = st->num_dev_regions;

	if (!st->opening || !bytes || bytes > VPV_OFFSET_MASK + 1 || (flags & ~known) || !ops ||
	    ((flags & VFIO_REGION_INFO_FLAG_READ) && !ops->read && !ops->transfer) ||
	    ((flags & VFIO_REGION_INFO_FLAG_WRITE) && !ops->write && !ops->transfer) ||
	    ((flags & VFIO_REGION_INFO_FLAG_MMAP) && !ops->mmap) ||
	    ((flags & VPV_REGION_LIKE_BAR) && ops->transfer))
		return -EINVAL;
	if (nr == VPV_DEV_REGIONS)
		return -ENOSPC;
	if (!nr)
		st->dev_regions = kcalloc(VPV_DEV_REGIONS, sizeof(*st->dev_regions),
					  GFP_KERNEL_ACCOUNT);
	if (!st->dev_regions)
		return -ENOMEM;

	st->dev_regions[nr] = (struct vpv_region){
		.index = VPV_PCI_REGIONS + nr,
		.type = type,
		.subtype = subtype,
		.flags = flags & ~VPV_REGION_LIKE_BAR,
		.like_bar = flags & VPV_REGION_LIKE_BAR,
		.bytes = bytes,
		.ops = ops,
		.priv = priv,
	};
	if (st->dev_regions[nr].like_bar)
		WRITE_ONCE(st->like_bar, st->like_bar | BIT(VPV_PCI_REGIONS + nr));
	st->num_dev_regions++;
	return VPV_PCI_REGIONS + nr;
}
EXPORT_SYMBOL_GPL(vpv_region_add);

void vpv_regions_close(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct vpv_region *regions = st->dev_regions;
	unsigned int num = st->num_dev_regions;

	WRITE_ONCE(st->like_bar, 0);
	st->dev_regions = NULL;
	st->num_dev_regions = 0;
	while (num--)
		if (regions[num].ops->release)
			regions[num].ops->release(vpv, &regions[num]);
	kfree(regions);
}
