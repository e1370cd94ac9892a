// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of BARs.  Nothing is mapped by mmap() itself: every page, small or huge,
 * comes by a fault, which asks vpv_memory_enabled(), and goes by vpv_memory_zap().
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <vpv/bar_memory.h>

#include "compat/huge_pfn.h"
#include "trace.h"
#include "vpv.h"

#define PGOFF_SHIFT	(VPV_OFFSET_SHIFT - PAGE_SHIFT)

/*
 * Claim what is left of the page of a small BAR, so that no other function's BAR
 * is ever put there, where our user could reach it.  Return: 1 if that was possible,
 * 0 if not, or -ENOMEM.
 */
static int claim_rest_of_page(struct pci_dev *pdev, struct vpv_bar_state *bar)
{
	struct resource *res = &pdev->resource[bar->region.index];
	struct resource *rest;

	if (!PAGE_ALIGNED(res->start) || !res->parent)
		return 0;

	rest = kzalloc_obj(*rest, GFP_KERNEL_ACCOUNT);
	if (!rest)
		return -ENOMEM;

	rest->name = KBUILD_MODNAME " rest of page";
	rest->start = res->end + 1;
	rest->end = res->start + PAGE_SIZE - 1;
	rest->flags = res->flags;
	if (request_resource(res->parent, rest)) {
		kfree(rest);
		return 0;
	}
	bar->rest = rest;
	return 1;
}

/* Can user space map (parts of) this BAR?  Return: 1, 0 or -ENOMEM. */
int vpv_bar_probe_mmap(struct vpv_device *vpv, struct vpv_bar_state *bar)
{
	if (!bar->mem || !bar->hw_bytes || !vpv_compat_bars_mappable(vpv->pdev))
		return 0;
	if (bar->region.bytes >= PAGE_SIZE)
		return PAGE_ALIGNED(bar->phys);
	/* Never a page with bytes that are hidden or trapped. */
	if (bar->region.bytes < bar->hw_bytes || bar->num_traps)
		return 0;
	return claim_rest_of_page(vpv->pdev, bar);
}

/* The BAR that a page of the device fd is in, and where in it, or NULL. */
static struct vpv_bar_state *bar_at(struct vpv_device *vpv, pgoff_t pgoff, u64 *pos)
{
	unsigned long index = pgoff >> PGOFF_SHIFT;

	*pos = (u64)(pgoff & (BIT(PGOFF_SHIFT) - 1)) << PAGE_SHIFT;
	if (index >= VPV_BARS)
		return NULL;
	return &vpv->state->bars[array_index_nospec(index, VPV_BARS)];
}

/* May the user have all of these pages? */
bool vpv_bar_range_mappable(const struct vpv_bar_state *bar, u64 pos, u64 bytes)
{
	u64 end = PAGE_ALIGN(bar->region.bytes);

	if (!bar->mmap || pos >= end || bytes > end - pos)
		return false;

	end = pos + bytes;
	for (unsigned int i = 0; i < bar->num_traps; i++)
		if (pos < PAGE_ALIGN(bar->parts[i].end) &&
		    end > (bar->parts[i].start & PAGE_MASK))
			return false;
	return true;
}

/*
 * A mapping is about to be split, moved or copied, under the write lock of its mm.
 *
 * The kernel's code for that (7.3) takes an entry of PUD size for a table: a user who
 * unmaps a part of a mapping of 1 GiB has it walk the function's memory as page
 * tables, and the TLB entry of a mapping that is moved stays.  So no such entry may be left,
 * and none may be inserted until it is done.
 */
void vpv_vma_open(struct vm_area_struct *vma)
{
	struct vm_area_struct *old = vma_lookup(vma->vm_mm, vma->vm_start);
	u64 index = vma->vm_pgoff >> PGOFF_SHIFT;

	/* When it is split, the kernel locks out faults after this call only. */
	if (old && old->vm_file == vma->vm_file)
		vma_start_write(old);
	/* All of the region: a part of an entry in another mm could not be taken away. */
	unmap_mapping_range(vma->vm_file->f_mapping, vpv_index_to_offset(index),
			    VPV_OFFSET_MASK + 1, true);
}
EXPORT_SYMBOL_GPL(vpv_vma_open);

/* Can entries of PUD size be there?  Only where vpv_vma_open() takes them away. */
static bool order_is_safe(const struct vm_area_struct *vma, unsigned int order)
{
	return order < PUD_ORDER || vma->vm_ops->open == vpv_vma_open;
}

/*
 * A store while the kernel watches which pages are written (clear_refs): entries are read-only
 * then.  Those of pages are made writable by the kernel, larger ones are not: it drops them, and
 * under the lock of the vma alone it comes again for a larger one.
 */
static bool is_watched(const struct vm_fault *vmf)
{
	return (vmf->flags & FAULT_FLAG_WRITE) &&
	       !pte_write(pfn_pte(0, vmf->vma->vm_page_prot));
}

/* Can a block of @order be where @vmf is, with @pfn at its address? */
static bool block_fits(const struct vm_fault *vmf, unsigned int order, unsigned long pfn)
{
	const struct vm_area_struct *vma = vmf->vma;
	unsigned long bytes = PAGE_SIZE << order;
	unsigned long addr = ALIGN_DOWN(vmf->address, bytes);

	pfn -= (vmf->address - addr) >> PAGE_SHIFT;
	if (order && !VPV_COMPAT_MIXED_HUGE && (vma->vm_flags & VM_MIXEDMAP))
		return false;
	if (order && is_watched(vmf))
		return false;
	return IS_ALIGNED(pfn, 1UL << order) && addr >= vma->vm_start &&
	       addr + (bytes - 1) <= vma->vm_end - 1 && order_is_safe(vma, order) &&
	       !vpv_compat_entry_there(vmf, order);
}

/* Does vpv_memory_zap() find what is mapped for this page of the device fd? */
static bool is_zapped(struct vpv_device *vpv, pgoff_t pgoff)
{
	unsigned long index = pgoff >> PGOFF_SHIFT;

	if (index < VPV_PCI_REGIONS)
		return index < VPV_BARS;
	index -= VPV_PCI_REGIONS;
	return index < vpv->state->num_dev_regions && vpv->state->dev_regions[index].like_bar;
}

/* As insert_block(), of memory outside of BARs, which may not be there.  RETRY: wait for it. */
static vm_fault_t insert_memory(struct vpv_device *vpv, struct vm_fault *vmf,
				unsigned int order, unsigned long pfn)
{
	u64 bytes = PAGE_SIZE << order, pos = (u64)vmf->pgoff << PAGE_SHIFT & VPV_OFFSET_MASK;
	unsigned int nr = vmf->pgoff >> PGOFF_SHIFT;
	int err = vpv_memory_use(vpv);
	vm_fault_t ret = VM_FAULT_FALLBACK;

	if (err)
		return err == -EAGAIN ? VM_FAULT_RETRY : VM_FAULT_SIGBUS;
	pos -= ALIGN_DOWN(vmf->address, PAGE_SIZE) & (bytes - 1);
	if (vpv_memory_bad(vpv, nr, pos, bytes))
		ret = order ? VM_FAULT_FALLBACK : VM_FAULT_HWPOISON;
	else if (vpv_memory_dirty(vpv, nr, pos, bytes, order))
		ret = vpv_compat_insert_pfn(vmf, pfn, order);
	vpv_memory_unuse(vpv);
	return ret;
}

/* Map a block that fits. */
static vm_fault_t insert_block(struct vpv_device *vpv, struct vm_fault *vmf,
			       unsigned int order, unsigned long pfn, bool memory)
{
	vm_fault_t ret = VM_FAULT_SIGBUS;

	pfn = ALIGN_DOWN(pfn, 1UL << order);
	down_read(&vpv->state->memory_lock);
	if (vpv_memory_mappable(vpv)) {
		ret = memory ? insert_memory(vpv, vmf, order, pfn) :
			       vpv_compat_insert_pfn(vmf, pfn, order);
		/* An error may have been told, and mappings taken away, before it was made. */
		smp_mb();
		if (unlikely(!vpv_channel_normal(vpv) ||
			     (memory && ret == VM_FAULT_NOPAGE && vpv_memory_went(vpv))))
			vpv_memory_unmap(vpv);
	} else if (!vpv->state->low_power && vpv_memory_ones(vpv) &&
		   is_zapped(vpv, vmf->pgoff)) {
		ret = vpv_ones_fault(vpv, vmf, order);
	}
	up_read(&vpv->state->memory_lock);
	return ret;
}

/*
 * KVM and type 1 containers have the kernel fault a page in, and look at its entry afterwards.  One
 * that is gone again is an error, and ends KVM's guest; if the lock of the mm was released
 * meanwhile, they look again.
 */
static vm_fault_t fault_complete(struct vm_fault *vmf, vm_fault_t ret)
{
	if (ret != VM_FAULT_NOPAGE || !fault_flag_allow_retry_first(vmf->flags) ||
	    (vmf->flags & (FAULT_FLAG_USER | FAULT_FLAG_VMA_LOCK | FAULT_FLAG_RETRY_NOWAIT)))
		return ret;
	mmap_read_unlock(vmf->vma->vm_mm);
	/* Without NOPAGE, a page is looked for. */
	return VM_FAULT_COMPLETED | VM_FAULT_NOPAGE;
}

vm_fault_t vpv_fault_insert(struct vpv_device *vpv, struct vm_fault *vmf, unsigned int order,
			    unsigned long pfn)
{
	if (!block_fits(vmf, order, pfn))
		return VM_FAULT_FALLBACK;
	return fault_complete(vmf, insert_block(vpv, vmf, order, pfn, false));
}
EXPORT_SYMBOL_GPL(vpv_fault_insert);

/* What did not fit comes again with a smaller order, or later, and is not counted. */
static void count_fault(struct vpv_device *vpv, unsigned int order, vm_fault_t ret)
{
	if (ret & (VM_FAULT_FALLBACK | VM_FAULT_RETRY))
		return;
	if (ret & VM_FAULT_ERROR)
		vpv_count(vpv, VPV_COUNT_FAULT_REFUSED);
	else if (order == PUD_ORDER)
		vpv_count(vpv, VPV_COUNT_FAULT_PUD);
	else if (order)
		vpv_count(vpv, VPV_COUNT_FAULT_PMD);
	else
		vpv_count(vpv, VPV_COUNT_FAULT);
}

/*
 * Wait for memory with no lock held, not even that of the mm, and have the fault come again.
 * Who cannot wait comes again by himself.
 */
static vm_fault_t wait_for_memory(struct vpv_device *vpv, struct vm_fault *vmf)
{
	struct file *file = vmf->vma->vm_file;

	if (!fault_flag_allow_retry_first(vmf->flags))
		return VM_FAULT_NOPAGE;
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	/* The mapping may go meanwhile, the device must not. */
	get_file(file);
	/* Never that of the vma alone: without map_pages() the kernel does not call us so. */
	mmap_read_unlock(vmf->vma->vm_mm);
	vpv_bar_memory_wait(vpv);
	fput(file);
	return VM_FAULT_RETRY;
}

/*
 * Send the signal of a bad page: for VM_FAULT_HWPOISON the kernel prints a line, and a process
 * that handles the signal can fault any number of times.  One that blocks or ignores it is killed.
 */
static vm_fault_t tell_of_bad_page(struct vm_fault *vmf)
{
	if (!(vmf->flags & FAULT_FLAG_USER))
		return VM_FAULT_HWPOISON;
	send_sig_mceerr(BUS_MCEERR_AR, (void __user *)vmf->real_address, PAGE_SHIFT, current);
	return signal_pending(current) ? VM_FAULT_NOPAGE : VM_FAULT_SIGBUS;
}

static vm_fault_t bar_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vpv_device *vpv = vmf->vma->vm_private_data;
	u64 pos, before = vmf->address & ((PAGE_SIZE << order) - 1);
	vm_fault_t ret = VM_FAULT_FALLBACK;
	struct vpv_bar_state *bar;
	unsigned long pfn;

	/* The page that is asked for, however the mapping was split or moved. */
	bar = bar_at(vpv, vmf->pgoff, &pos);
	if (!bar)
		return VM_FAULT_SIGBUS;

	/* The cheap question first: many mappings are not aligned for larger orders. */
	pfn = (bar->phys + pos) >> PAGE_SHIFT;
	if (block_fits(vmf, order, pfn)) {
		if (before <= pos &&
		    vpv_bar_range_mappable(bar, pos - before, PAGE_SIZE << order))
			ret = insert_block(vpv, vmf, order, pfn, bar->memory);
		else if (!order)
			ret = VM_FAULT_SIGBUS;
	}

	/* Huge ones come with locks that are not for us to release. */
	if (order && (ret & VM_FAULT_RETRY))
		ret = VM_FAULT_FALLBACK;
	count_fault(vpv, order, ret);
	trace_vpv_fault(vpv->pdev, bar->region.index, pos, order, (__force unsigned int)ret);
	if (ret & VM_FAULT_HWPOISON)
		return tell_of_bad_page(vmf);
	return ret & VM_FAULT_RETRY ? wait_for_memory(vpv, vmf) : fault_complete(vmf, ret);
}

static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	return bar_huge_fault(vmf, 0);
}

static const struct vm_operations_struct vpv_vm_ops = {
	.open = vpv_vma_open,
	.fault = bar_fault,
	VPV_COMPAT_HUGE_FAULT(bar_huge_fault)
};

/* The device that a mapping of BARs is of; NULL: it is another one. */
struct vpv_device *vpv_vma_device(const struct vm_area_struct *vma)
{
	return vma->vm_ops == &vpv_vm_ops ? vma->vm_private_data : NULL;
}

static int check_bar_range(struct vpv_device *vpv, struct vm_area_struct *vma)
{
	struct vpv_bar_state *bar;
	u64 pos;

	bar = bar_at(vpv, vma->vm_pgoff, &pos);
	if (!bar || !vpv_bar_range_mappable(bar, pos, vma->vm_end - vma->vm_start))
		return -EINVAL;
	return vpv_bar_error(vpv, bar);
}

/* How the CPU maps it.  Memory as in the kernel's own mapping, which decides (bar_memory.c). */
static pgprot_t bar_prot(const struct vpv_bar_state *bar, pgprot_t prot)
{
	if (!bar->memory)
		return pgprot_decrypted(pgprot_noncached(prot));
	return pgprot_decrypted(bar->write_combined ? pgprot_writecombine(prot) : prot);
}

/*
 * Not VM_PFNMAP for memory: type 1 containers would give it to other devices, which go on writing
 * it when it is to be saved, was reset, or has another user.  For other mappings the kernel asks
 * its THP policy; with VM_HUGEPAGE huge entries come by any but "never".
 */
static vm_flags_t bar_flags(const struct vpv_bar_state *bar)
{
	return bar->memory ? VM_MIXEDMAP | VM_HUGEPAGE : VM_PFNMAP | VM_ALLOW_ANY_UNCACHED;
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
	const struct vpv_bar_state *bar;
	u64 pos;
	int ret;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (index >= VPV_PCI_REGIONS)
		return mmap_dev_region(vpv, index, vma);

	ret = check_bar_range(vpv, vma);
	if (ret)
		return ret;

	bar = bar_at(vpv, vma->vm_pgoff, &pos);
	vma->vm_private_data = vpv;
	vma->vm_page_prot = bar_prot(bar, vma->vm_page_prot);
	/* As io_remap_pfn_range() sets them; faults must not change them. */
	vm_flags_set(vma, bar_flags(bar) | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &vpv_vm_ops;
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_op_mmap);
