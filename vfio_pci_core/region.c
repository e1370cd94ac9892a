// SPDX-License-Identifier: GPL-2.0
/*
 * read() and write() of the device fd: one loop that cuts a transfer into
 * naturally aligned accesses, and the kinds of region that perform them.
 *
 * User memory is copied between the accesses, with no lock held.
 */
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "trace.h"
#include "vpv.h"

/**
 * struct vpv_access - One access, 1 to 8 bytes, aligned
 * @pos: Offset in the region.
 * @left: Bytes that may be accessed from there on.
 * @bytes: Result: how many were.
 * @write: Direction.
 * @val: Data.
 */
struct vpv_access {
	u64 pos;
	u64 left;
	unsigned int bytes;
	bool write;
	u64 val;
};

typedef int (*vpv_access_fn)(struct vpv_device *vpv, struct vpv_region *region,
			     struct vpv_access *acc);

/* The widest aligned access at @pos of at most @max bytes, a power of two. */
static unsigned int access_bytes(u64 pos, u64 left, unsigned int max)
{
	while (max > 1 && (max > left || (pos & (max - 1))))
		max >>= 1;
	return max;
}

static void io_access(void __iomem *io, struct vpv_access *acc)
{
	void *val = &acc->val;

	switch (acc->bytes | acc->write << 4) {
	case 1:
		*(u8 *)val = ioread8(io);
		break;
	case 2:
		*(u16 *)val = ioread16(io);
		break;
	case 4:
		*(u32 *)val = ioread32(io);
		break;
	case 8:
		*(u64 *)val = ioread64(io);
		break;
	case 1 | 1 << 4:
		iowrite8(*(u8 *)val, io);
		break;
	case 2 | 1 << 4:
		iowrite16(*(u16 *)val, io);
		break;
	case 4 | 1 << 4:
		iowrite32(*(u32 *)val, io);
		break;
	case 8 | 1 << 4:
		iowrite64(*(u64 *)val, io);
		break;
	}
}

static int ops_access(struct vpv_device *vpv, struct vpv_region *region,
		      const struct vpv_region_ops *ops, struct vpv_access *acc)
{
	if (acc->write)
		return ops->write ? ops->write(vpv, region, acc->pos, &acc->val, acc->bytes) :
				    -EINVAL;
	return ops->read ? ops->read(vpv, region, acc->pos, &acc->val, acc->bytes) : -EINVAL;
}

static void note_access(struct vpv_device *vpv, const struct vpv_region *region,
			const struct vpv_access *acc, int ret)
{
	vpv_count(vpv, (acc->write ? VPV_COUNT_WRITE : VPV_COUNT_READ) + ilog2(acc->bytes));
	trace_vpv_access(vpv->pdev, region->index, acc->pos, acc->bytes, acc->write,
			 acc->val, ret);
}

/* Part of a BAR: a trap, the MSI-X table or the hardware. */
static int bar_part_access(struct vpv_device *vpv, struct vpv_bar_state *bar,
			   const struct vpv_bar_part *part, struct vpv_access *acc)
{
	if (part && part->ops)
		return ops_access(vpv, &bar->region, part->ops, acc);
	if (part)
		acc->val = ~0ULL;
	else
		io_access(bar->io + acc->pos, acc);
	return 0;
}

/* Nobody answers: see ones.c. */
static int ones_access(struct vpv_access *acc)
{
	acc->val = acc->write ? acc->val : ~0ULL;
	return 0;
}

static int bar_access(struct vpv_device *vpv, struct vpv_region *region,
		      struct vpv_access *acc)
{
	struct vpv_bar_state *bar = container_of(region, struct vpv_bar_state, region);
	const struct vpv_bar_part *part;
	int ret = -EIO;
	u64 end;

	part = vpv_bar_part_at(bar, acc->pos, &end);
	acc->bytes = access_bytes(acc->pos, min(acc->left, end - acc->pos),
				  bar->mem ? 8 : 4);

	down_read(&vpv->state->memory_lock);
	if (vpv_bar_enabled(vpv, bar))
		ret = bar_part_access(vpv, bar, part, acc);
	else if (vpv_bar_ones(vpv, bar))
		ret = ones_access(acc);
	up_read(&vpv->state->memory_lock);

	note_access(vpv, region, acc, ret);
	return ret;
}

static int like_bar_access(struct vpv_device *vpv, struct vpv_region *region,
			   struct vpv_access *acc)
{
	int ret = -EIO;

	down_read(&vpv->state->memory_lock);
	if (vpv_memory_enabled(vpv))
		ret = ops_access(vpv, region, region->ops, acc);
	else if (vpv_memory_ones(vpv))
		ret = ones_access(acc);
	up_read(&vpv->state->memory_lock);
	return ret;
}

static int dev_region_access(struct vpv_device *vpv, struct vpv_region *region,
			     struct vpv_access *acc)
{
	int ret;

	acc->bytes = access_bytes(acc->pos, acc->left, 8);
	if (region->like_bar)
		ret = like_bar_access(vpv, region, acc);
	else
		ret = ops_access(vpv, region, region->ops, acc);
	note_access(vpv, region, acc, ret);
	return ret;
}

/* Return: bytes done (short at the end of the region) or a negative errno. */
static ssize_t region_loop(struct vpv_device *vpv, struct vpv_region *region,
			   vpv_access_fn access, char __user *buf, size_t count, u64 pos,
			   bool write)
{
	struct vpv_access acc = { .write = write };
	size_t done = 0;
	int ret;

	if (pos >= region->bytes)
		return -EINVAL;
	count = min_t(u64, count, region->bytes - pos);

	for (; done < count; done += acc.bytes) {
		acc.pos = pos + done;
		acc.left = count - done;
		acc.val = 0;
		/* access() decides how many of these bytes it takes. */
		if (write && copy_from_user(&acc.val, buf + done,
					    access_bytes(acc.pos, acc.left, 8)))
			return -EFAULT;
		ret = access(vpv, region, &acc);
		if (ret)
			return ret;
		if (!write && copy_to_user(buf + done, &acc.val, acc.bytes))
			return -EFAULT;
	}
	return done;
}

/* Fill @page, which is full of ones, from the ROM image; there may be less of it. */
static int rom_fill(struct vpv_device *vpv, u64 pos, u8 *page, size_t bytes)
{
	struct pci_dev *pdev = vpv->pdev;
	bool real = pci_resource_start(pdev, PCI_ROM_RESOURCE);
	struct vpv_access acc = {};
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
		memcpy(page + done, &acc.val, acc.bytes);
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
	size_t done = 0, bytes;
	int ret = 0;
	u8 *page;

	if (pos >= size)
		return -EINVAL;
	count = min_t(u64, count, size - pos);

	page = kmalloc(SZ_4K, GFP_KERNEL);
	if (!page)
		return -ENOMEM;

	for (; done < count && !ret; done += bytes) {
		bytes = min_t(size_t, count - done, SZ_4K);
		ret = rom_read_page(vpv, pos + done, page, bytes);
		if (!ret && copy_to_user(buf + done, page, bytes))
			ret = -EFAULT;
	}
	kfree(page);
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
	return region_loop(vpv, &bar->region, bar_access, buf, count, pos, write);
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
	return region_loop(vpv, region, dev_region_access, buf, count, pos, write);
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
	    ((flags & VFIO_REGION_INFO_FLAG_READ) && !ops->read) ||
	    ((flags & VFIO_REGION_INFO_FLAG_WRITE) && !ops->write) ||
	    ((flags & VFIO_REGION_INFO_FLAG_MMAP) && !ops->mmap))
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
