// SPDX-License-Identifier: GPL-2.0
/*
 * A function that does not answer although its user has memory space enabled: unplugged,
 * cut off by an error, or in D1 or D2.  On a bus, reads give ones then and writes are
 * dropped, and that is what users are prepared for; a process that gets SIGBUS dies.
 *
 * read() and write() need nothing for that.  For mappings, pages of RAM that are full of
 * ones stand in for the function's memory.  What is written there is read back from
 * the page until it goes, which is when the function answers again or memory is disabled.
 * A page of the BAR has one of VPV_ONES_PAGES, by its number, so that a user cannot make
 * the kernel hold more than that, and reads back its own writes in a distant page at the most:
 * their number is prime, so that pages at the same place of larger units do not share one.
 *
 * Only page tables refer to such a page, and vpv_memory_zap() clears these:
 * VM_IO keeps get_user_pages() away, and type 1 containers map no RAM of such a mapping.
 */
#include <linux/mm.h>

#include "compat/huge_pfn.h"
#include "vpv.h"

/* The page that stands in for that number, or NULL. */
static struct page *ones_page(struct vpv_device *vpv, pgoff_t pgoff)
{
	struct page **slot = &vpv->state->ones[pgoff % VPV_ONES_PAGES];
	struct page *page = READ_ONCE(*slot), *other;

	if (page)
		return page;
	page = alloc_page(GFP_KERNEL_ACCOUNT);
	if (!page)
		return NULL;
	memset(page_address(page), 0xff, PAGE_SIZE);
	WRITE_ONCE(vpv->state->ones_shown, true);
	/* Faults run side by side. */
	other = cmpxchg(slot, NULL, page);
	if (!other)
		return page;
	__free_page(page);
	return other;
}

/* A fault where vpv_memory_ones() says yes, in a mapping that vpv_memory_zap() reaches. */
vm_fault_t vpv_ones_fault(struct vpv_device *vpv, struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct page *page;

	lockdep_assert_held(&vpv->state->memory_lock);

	if (order)
		return VM_FAULT_FALLBACK;
	page = ones_page(vpv, vmf->pgoff);
	if (!page)
		return VM_FAULT_OOM;
	/* RAM, not device memory; of the latter, vpv_op_mmap() says why. */
	if (vma->vm_flags & VM_MIXEDMAP)
		return vmf_insert_mixed(vma, vmf->address, vpv_compat_pfn(page_to_pfn(page)));
	return vmf_insert_pfn_prot(vma, vmf->address, page_to_pfn(page),
				   vm_get_page_prot(vma->vm_flags));
}

/* Are there such pages? */
bool vpv_ones_shown(struct vpv_device *vpv)
{
	return READ_ONCE(vpv->state->ones_shown);
}

/* No mapping has them any more, and no fault can come. */
void vpv_ones_free(struct vpv_device *vpv)
{
	if (!vpv_ones_shown(vpv))
		return;
	WRITE_ONCE(vpv->state->ones_shown, false);
	for (unsigned int i = 0; i < VPV_ONES_PAGES; i++) {
		if (vpv->state->ones[i])
			__free_page(vpv->state->ones[i]);
		vpv->state->ones[i] = NULL;
	}
}
