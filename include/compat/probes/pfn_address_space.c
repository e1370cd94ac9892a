// SPDX-License-Identifier: GPL-2.0
/* linux/memory-failure.h: memory without struct pages can be registered for errors. */
#include <linux/memory-failure.h>
#include <linux/mm.h>

int probe(struct pfn_address_space *space);

int probe(struct pfn_address_space *space)
{
	int (*fn)(struct vm_area_struct *vma, unsigned long pfn, pgoff_t *pgoff) =
		space->pfn_to_vma_pgoff;

	unregister_pfn_address_space(space);
	return fn ? register_pfn_address_space(space) : 0;
}
