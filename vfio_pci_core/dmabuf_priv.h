/* SPDX-License-Identifier: GPL-2.0 */
/* dma-bufs of BARs: what dmabuf.c and dmabuf_map.c share. */
#ifndef VPV_DMABUF_PRIV_H
#define VPV_DMABUF_PRIV_H

#include <linux/dma-buf-mapping.h>
#include <linux/dma-resv.h>

struct vpv_device;

/**
 * struct vpv_dmabuf - Parts of a BAR as one dma-buf
 * @refs: Of the dma-buf, and of who looks at it in the device's list.
 * @node: In the device's list, or in none after close.  dmabufs_lock.
 * @resv: Lock of the dma-buf.  Here, because the dma-buf may go at any time.
 * @dmabuf: The dma-buf; NULL when it is gone.  @resv.
 * @revoked: Nobody may map it.  @resv; cleared under memory_lock, too.
 * @maps: Mappings by importers; more come only under @resv.
 * @idle: @maps is zero.
 * @provider: Of the BAR; gone when the driver is unbound.
 * @memory: It is memory outside of BARs: there is no @provider.
 * @vpv: The device, for such memory; gone some time after it was taken away for good.
 * @bar: Number of the BAR.
 * @start: Address of the BAR.
 * @bytes: Of all parts.
 * @num: Number of @vecs.
 * @vecs: The parts.
 */
struct vpv_dmabuf {
	refcount_t refs;
	struct list_head node;
	struct dma_resv resv;
	struct dma_buf *dmabuf;
	bool revoked;
	atomic_t maps;
	wait_queue_head_t idle;
	struct p2pdma_provider *provider;
	bool memory;
	struct vpv_device *vpv;
	unsigned int bar;
	phys_addr_t start;
	size_t bytes;
	u32 num;
	struct phys_vec vecs[] __counted_by(num);
};

struct sg_table *vpv_dmabuf_map(struct dma_buf_attachment *attach, struct vpv_dmabuf *buf,
				enum dma_data_direction dir);
void vpv_dmabuf_unmap(struct dma_buf_attachment *attach, struct vpv_dmabuf *buf,
		      struct sg_table *sgt, enum dma_data_direction dir);

#endif /* VPV_DMABUF_PRIV_H */
