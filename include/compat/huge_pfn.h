/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linux/huge_mm.h: mapping of a huge page of device memory took a pfn_t, and is
 * there for the sizes that the architecture has.
 */
#ifndef VPV_COMPAT_HUGE_PFN_H
#define VPV_COMPAT_HUGE_PFN_H

#include <linux/mm.h>

#ifdef VPV_HAVE_VMF_INSERT_PFN_PMD_PLAIN
#define vpv_compat_pfn(pfn) (pfn)
#else
#include <linux/pfn_t.h>
#define vpv_compat_pfn(pfn) __pfn_to_pfn_t(pfn, PFN_DEV)
#endif

/*
 * mm/, fs/proc/: may a VM_MIXEDMAP have huge entries without struct pages?  Kernels before
 * leafops.h (6.12) take a page from any that is not in a VM_PFNMAP, for pagemap, clear_refs,
 * madvise() and mbind().
 */
#ifdef VPV_HAVE_LEAFOPS
#define VPV_COMPAT_MIXED_HUGE	true
#else
#define VPV_COMPAT_MIXED_HUGE	false
#endif

/* Map what @pfn begins, of @order; VM_FAULT_FALLBACK for an order that is not there. */
static inline vm_fault_t vpv_compat_insert_pfn(struct vm_fault *vmf, unsigned long pfn,
					       unsigned int order)
{
	if (!order)
		return vmf_insert_pfn(vmf->vma, vmf->address, pfn);
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	if (order == PMD_ORDER)
		return vmf_insert_pfn_pmd(vmf, vpv_compat_pfn(pfn), false);
#endif
#ifdef CONFIG_ARCH_SUPPORTS_PUD_PFNMAP
	if (order == PUD_ORDER)
		return vmf_insert_pfn_pud(vmf, vpv_compat_pfn(pfn), false);
#endif
	return VM_FAULT_FALLBACK;
}

/*
 * Is there an entry of @order at the address of a fault?  It cannot be written then, since the
 * kernel watches which pages are (clear_refs), and inserting what is there would not change it.
 * Where this order fails the kernel drops the entry, and pages are made writable one by one.
 */
static inline bool vpv_compat_entry_there(const struct vm_fault *vmf, unsigned int order)
{
	if (order == PMD_ORDER)
		return !pmd_none(pmdp_get_lockless(vmf->pmd));
	if (order == PUD_ORDER)
		return !pud_none(READ_ONCE(*vmf->pud));
	return false;
}

/* For struct vm_operations_struct. */
#ifdef CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP
#define VPV_COMPAT_HUGE_FAULT(fn) .huge_fault = (fn),
#else
#define VPV_COMPAT_HUGE_FAULT(fn)
#endif

#endif /* VPV_COMPAT_HUGE_PFN_H */
