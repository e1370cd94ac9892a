// SPDX-License-Identifier: GPL-2.0
/* linux/dma-buf-mapping.h, linux/pci-p2pdma.h: BARs for other devices (after 6.12). */
#include <linux/dma-buf-mapping.h>
#include <linux/pci-p2pdma.h>
#include <linux/vfio.h>

#if !defined(CONFIG_PCI_P2PDMA) || !defined(CONFIG_DMA_SHARED_BUFFER)
#error "this kernel is built without"
#endif

struct sg_table *probe(struct pci_dev *pdev, struct dma_buf_attachment *attach,
		       struct phys_vec *vecs)
{
	struct vfio_device_feature_dma_buf arg;

	if (pcim_p2pdma_init(pdev) || !dma_buf_attach_revocable(attach))
		return NULL;
	dma_buf_invalidate_mappings(attach->dmabuf);
	return dma_buf_phys_vec_to_sgt(attach, pcim_p2pdma_provider(pdev, arg.region_index),
				       vecs, 1, vecs->len, DMA_BIDIRECTIONAL);
}
