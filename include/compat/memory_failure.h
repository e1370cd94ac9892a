/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linux/memory-failure.h: reports errors in memory without struct pages to its owner.  Older
 * kernels do not.
 */
#ifndef VPV_COMPAT_MEMORY_FAILURE_H
#define VPV_COMPAT_MEMORY_FAILURE_H

#include <linux/mm.h>

/* Where in @vma is @pfn, which is bad?  Called in atomic context. */
typedef int (*vpv_compat_failure_fn)(struct vm_area_struct *vma, unsigned long pfn,
				     pgoff_t *pgoff);

#ifdef VPV_HAVE_PFN_ADDRESS_SPACE
#include <linux/memory-failure.h>

struct vpv_compat_failures {
	struct pfn_address_space space;
	bool registered;
};

static inline int vpv_compat_failures_register(struct vpv_compat_failures *f,
					       struct address_space *mapping, phys_addr_t phys,
					       u64 bytes, vpv_compat_failure_fn fn)
{
	int err;

	f->space = (struct pfn_address_space){
		.node.start = PHYS_PFN(phys),
		.node.last = PHYS_PFN(phys + bytes - 1),
		.mapping = mapping,
		.pfn_to_vma_pgoff = fn,
	};
	err = register_pfn_address_space(&f->space);
	f->registered = !err;
	return err;
}

/* The function is not running any more when this returns. */
static inline void vpv_compat_failures_unregister(struct vpv_compat_failures *f)
{
	if (f->registered)
		unregister_pfn_address_space(&f->space);
	f->registered = false;
}
#else
struct vpv_compat_failures {
};

static inline int vpv_compat_failures_register(struct vpv_compat_failures *f,
					       struct address_space *mapping, phys_addr_t phys,
					       u64 bytes, vpv_compat_failure_fn fn)
{
	return -EOPNOTSUPP;
}

static inline void vpv_compat_failures_unregister(struct vpv_compat_failures *f)
{
}
#endif

#endif /* VPV_COMPAT_MEMORY_FAILURE_H */
