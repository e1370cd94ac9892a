// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs of BARs: where the device of an importer finds their parts.  Whether it may is asked
 * in dmabuf.c.
 */
#include "dmabuf.h"

#ifdef VPV_HAVE_DMA_BUF_REVOKE

#include <linux/dma-mapping.h>
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

/* Its lock is held. */
static void part_unmap(struct dma_buf_attachment *attach, struct sg_table *part,
		       enum dma_data_direction dir)
{
	/* Set to 0 to say that there are no pages; dma_buf_free_sgt() (7.3) forgets it. */
	part->orig_nents = part->nents;
	dma_buf_free_sgt(attach, part, dir);
}

static void mapping_free(struct dma_buf_attachment *attach, struct buf_mapping *map,
			 enum dma_data_direction dir)
{
	map->sgt.orig_nents = map->sgt.nents;
	sg_free_table(&map->sgt);
	for (u32 i = 0; i < map->num && map->parts[i]; i++) {
		part_unmap(attach, map->parts[i], dir);
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
		struct phys_vec *vec = &buf->vecs[i];
		struct sg_table *part;

		part = dma_buf_phys_vec_to_sgt(attach, buf->provider, vec, 1, vec->len, dir);
		if (IS_ERR(part))
			ret = PTR_ERR(part);
		else
			map->parts[i] = part;
		cond_resched();
	}
	if (!ret)
		ret = mapping_join(map);
	if (ret) {
		mapping_free(attach, map, dir);
		return ERR_PTR(ret);
	}
	return &map->sgt;
}

void vpv_dmabuf_unmap(struct dma_buf_attachment *attach, struct vpv_dmabuf *buf,
		      struct sg_table *sgt, enum dma_data_direction dir)
{
	mapping_free(attach, container_of(sgt, struct buf_mapping, sgt), dir);
}

#endif /* VPV_HAVE_DMA_BUF_REVOKE */
