// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs of BARs: where the device of an importer finds their parts.  Whether it may is asked
 * in dmabuf.c.
 */
#include "dmabuf.h"

#ifdef VPV_HAVE_DMA_BUF_REVOKE

#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "dmabuf_priv.h"

/**
 * struct buf_mapping - What an importer gets
 * @sgt: All parts in one.
 * @num: Number of @parts.
 * @parts: Each part as the kernel maps it.
 *
 * One by one, because dma_buf_phys_vec_to_sgt() (7.3) lets all parts begin at the same
 * address if there is an IOMMU, which is an error at best.
 */
struct buf_mapping {
	struct sg_table sgt;
	u32 num;
	struct sg_table *parts[] __counted_by(num);
};

/* The most that one entry can tell. */
#define ENTRY_BYTES	ALIGN_DOWN(UINT_MAX, PAGE_SIZE)

/* ---- Memory outside of BARs ---- */

/* Can the device reach it?  Of one that cannot the kernel (7.3) warns as of a bug. */
static bool can_address(struct device *dev, const struct phys_vec *vec)
{
	const struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	/* By an address that the IOMMU translates. */
	if (domain && domain->type & __IOMMU_DOMAIN_DMA_API)
		return true;
	return vec->paddr + vec->len - 1 <= min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

/*
 * This memory is the CPU's, not that of a bus: whether two functions can reach each other does not
 * matter, and bus addresses are of no use.  It has no struct pages and must not be bounced, so it
 * is mapped as a resource.
 */
static struct sg_table *memory_map(struct device *dev, const struct phys_vec *vec,
				   enum dma_data_direction dir)
{
	size_t left = vec->len;
	struct scatterlist *sg;
	struct sg_table *sgt;
	int ret = -ENOMEM;
	dma_addr_t addr;
	unsigned int i;

	if (!can_address(dev, vec))
		return ERR_PTR(-EIO);
	sgt = kzalloc_obj(*sgt, GFP_KERNEL_ACCOUNT);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, DIV_ROUND_UP(vec->len, ENTRY_BYTES), GFP_KERNEL))
		goto free;
	addr = dma_map_resource(dev, vec->paddr, vec->len, dir, 0);
	if (dma_mapping_error(dev, addr)) {
		ret = -EIO;
		goto free_table;
	}
	for_each_sgtable_dma_sg(sgt, sg, i) {
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = min(left, ENTRY_BYTES);
		addr += sg_dma_len(sg);
		left -= sg_dma_len(sg);
	}
	return sgt;

free_table:
	sg_free_table(sgt);
free:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void memory_unmap(struct device *dev, struct sg_table *sgt, size_t bytes,
			 enum dma_data_direction dir)
{
	dma_unmap_resource(dev, sg_dma_address(sgt->sgl), bytes, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

/* ---- Parts, of either kind ---- */

static struct sg_table *part_map(struct dma_buf_attachment *attach, struct vpv_dmabuf *buf,
				 struct phys_vec *vec, enum dma_data_direction dir)
{
	if (buf->memory)
		return memory_map(attach->dev, vec, dir);
	return dma_buf_phys_vec_to_sgt(attach, buf->provider, vec, 1, vec->len, dir);
}

/* Its lock is held.  The device may be gone, see vpv_dmabuf.revoked. */
static void part_unmap(struct dma_buf_attachment *attach, const struct vpv_dmabuf *buf,
		       const struct phys_vec *vec, struct sg_table *part,
		       enum dma_data_direction dir)
{
	if (buf->memory)
		return memory_unmap(attach->dev, part, vec->len, dir);
	/* Set to 0 to say that there are no pages; dma_buf_free_sgt() (7.3) forgets it. */
	part->orig_nents = part->nents;
	dma_buf_free_sgt(attach, part, dir);
}

/* ---- All of them ---- */

static void mapping_free(struct dma_buf_attachment *attach, const struct vpv_dmabuf *buf,
			 struct buf_mapping *map, enum dma_data_direction dir)
{
	map->sgt.orig_nents = map->sgt.nents;
	sg_free_table(&map->sgt);
	for (u32 i = 0; i < map->num && map->parts[i]; i++) {
		part_unmap(attach, buf, &buf->vecs[i], map->parts[i], dir);
		cond_resched();
	}
	kvfree(map);
}

/* All parts into one table without pages.  Return: 0 or a negative errno. */
static int mapping_join(struct buf_mapping *map)
{
	struct scatterlist *from, *to;
	unsigned int entries = 0, j;
	int ret;

	for (u32 i = 0; i < map->num; i++)
		if (check_add_overflow(entries, map->parts[i]->nents, &entries))
			return -EINVAL;
	ret = sg_alloc_table(&map->sgt, entries, GFP_KERNEL);
	if (ret)
		return ret;

	to = map->sgt.sgl;
	for (u32 i = 0; i < map->num; i++) {
		for_each_sgtable_dma_sg(map->parts[i], from, j) {
			sg_dma_address(to) = sg_dma_address(from);
			sg_dma_len(to) = sg_dma_len(from);
			to = sg_next(to);
		}
	}
	map->sgt.orig_nents = 0;
	return 0;
}

struct sg_table *vpv_dmabuf_map(struct dma_buf_attachment *attach, struct vpv_dmabuf *buf,
				enum dma_data_direction dir)
{
	struct buf_mapping *map;
	int ret = 0;

	map = kvzalloc(struct_size(map, parts, buf->num), GFP_KERNEL_ACCOUNT);
	if (!map)
		return ERR_PTR(-ENOMEM);
	map->num = buf->num;
	for (u32 i = 0; i < buf->num && !ret; i++) {
		struct sg_table *part = part_map(attach, buf, &buf->vecs[i], dir);

		if (IS_ERR(part))
			ret = PTR_ERR(part);
		else
			map->parts[i] = part;
		cond_resched();
	}
	if (!ret)
		ret = mapping_join(map);
	if (ret) {
		mapping_free(attach, buf, map, dir);
		return ERR_PTR(ret);
	}
	return &map->sgt;
}

void vpv_dmabuf_unmap(struct dma_buf_attachment *attach, struct vpv_dmabuf *buf,
		      struct sg_table *sgt, enum dma_data_direction dir)
{
	mapping_free(attach, buf, container_of(sgt, struct buf_mapping, sgt), dir);
}

#endif /* VPV_HAVE_DMA_BUF_REVOKE */
