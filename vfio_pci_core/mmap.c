// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of BARs.  Nothing is mapped by mmap() itself: every page comes by a
 * fault, which asks vpv_memory_enabled(), and goes by vpv_memory_zap().
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "trace.h"
#include "vpv.h"

#define PGOFF_SHIFT	(VPV_OFFSET_SHIFT - PAGE_SHIFT)

/*
 * Claim what is left of the page of a small BAR, so that no other function's BAR
 * is ever put there, where our user could reach it.
 */
static bool claim_rest_of_page(struct pci_dev *pdev, struct vpv_bar_state *bar)
{
	struct resource *res = &pdev->resource[bar->region.index];
	struct resource *rest;

	if (!PAGE_ALIGNED(res->start) || !res->parent)
		return false;

	rest = kzalloc_obj(*rest, GFP_KERNEL_ACCOUNT);
	if (!rest)
		return false;

	rest->name = KBUILD_MODNAME " rest of page";
	rest->start = res->end + 1;
	rest->end = res->start + PAGE_SIZE - 1;
	rest->flags = res->flags;
	if (request_resource(res->parent, rest)) {
		kfree(rest);
		return false;
	}
	bar->rest = rest;
	return true;
}

/* Can user space map (parts of) this BAR? */
bool vpv_bar_probe_mmap(struct vpv_device *vpv, struct vpv_bar_state *bar)
{
	if (!bar->mem || !bar->hw_bytes || !vpv_compat_bars_mappable(vpv->pdev))
		return false;
	if (bar->region.bytes >= PAGE_SIZE)
		return PAGE_ALIGNED(bar->phys);
	/* Never a page with bytes that are hidden or trapped. */
	if (bar->region.bytes < bar->hw_bytes || bar->num_traps)
		return false;
	return claim_rest_of_page(vpv->pdev, bar);
}

/* Is this byte of the device fd in a page of a BAR that the user may have? */
static struct vpv_bar_state *mappable_bar(struct vpv_device *vpv, pgoff_t pgoff, u64 *pos)
{
	unsigned long index = pgoff >> PGOFF_SHIFT;
	struct vpv_bar_state *bar;

	*pos = (u64)(pgoff & (BIT(PGOFF_SHIFT) - 1)) << PAGE_SHIFT;
	if (index >= VPV_BARS)
		return NULL;
	bar = &vpv->state->bars[array_index_nospec(index, VPV_BARS)];
	if (!bar->mmap || *pos >= bar->region.bytes || vpv_bar_page_trapped(bar, *pos))
		return NULL;
	return bar;
}

static vm_fault_t vpv_fault(struct vm_fault *vmf)
{
	struct vpv_device *vpv = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	struct vpv_bar_state *bar;
	u64 pos;

	/* The page that is asked for, however the mapping was split or moved. */
	bar = mappable_bar(vpv, vmf->pgoff, &pos);
	if (!bar)
		return VM_FAULT_SIGBUS;

	down_read(&vpv->state->memory_lock);
	if (vpv_memory_enabled(vpv))
		ret = vmf_insert_pfn(vmf->vma, vmf->address,
				     (bar->phys + pos) >> PAGE_SHIFT);
	up_read(&vpv->state->memory_lock);

	trace_vpv_fault(vpv->pdev, bar->region.index, pos, (__force unsigned int)ret);
	return ret;
}

static const struct vm_operations_struct vpv_vm_ops = {
	.fault = vpv_fault,
};

static int check_bar_range(struct vpv_device *vpv, struct vm_area_struct *vma)
{
	unsigned long pages = vma_pages(vma);
	struct vpv_bar_state *bar;
	u64 pos, end;

	bar = mappable_bar(vpv, vma->vm_pgoff, &pos);
	if (!bar)
		return -EINVAL;

	end = PAGE_ALIGN(bar->region.bytes);
	if (pages > (end - pos) >> PAGE_SHIFT)
		return -EINVAL;

	end = pos + ((u64)pages << PAGE_SHIFT);
	for (unsigned int i = 0; i < bar->num_traps; i++)
		if (pos < PAGE_ALIGN(bar->parts[i].end) &&
		    end > (bar->parts[i].start & PAGE_MASK))
			return -EINVAL;
	return bar->err;
}

static int mmap_dev_region(struct vpv_device *vpv, unsigned long index,
			   struct vm_area_struct *vma)
{
	struct vpv_region *region;

	index -= VPV_PCI_REGIONS;
	if (index >= vpv->state->num_dev_regions)
		return -EINVAL;
	index = array_index_nospec(index, VPV_DEV_REGIONS);
	region = &vpv->state->dev_regions[index];
	if (!(region->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return -EINVAL;
	return region->ops->mmap(vpv, region, vma);
}

int vpv_op_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);
	unsigned long index = vma->vm_pgoff >> PGOFF_SHIFT;
	int ret;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (index >= VPV_PCI_REGIONS)
		return mmap_dev_region(vpv, index, vma);

	ret = check_bar_range(vpv, vma);
	if (ret)
		return ret;

	vma->vm_private_data = vpv;
	vma->vm_page_prot = pgprot_decrypted(pgprot_noncached(vma->vm_page_prot));
	/* As io_remap_pfn_range() sets them; faults must not change them. */
	vm_flags_set(vma, VM_ALLOW_ANY_UNCACHED | VM_IO | VM_PFNMAP | VM_DONTEXPAND |
			  VM_DONTDUMP);
	vma->vm_ops = &vpv_vm_ops;
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_op_mmap);
