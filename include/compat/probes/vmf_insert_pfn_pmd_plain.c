// SPDX-License-Identifier: GPL-2.0
/* linux/huge_mm.h: huge mappings take a number, not a pfn_t (after 6.12). */
#include <linux/mm.h>

vm_fault_t probe(struct vm_fault *vmf, unsigned long pfn)
{
	return vmf_insert_pfn_pmd(vmf, pfn, false);
}
