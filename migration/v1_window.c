// SPDX-License-Identifier: GPL-2.0
/*
 * The window of a v1 migration region: memory that its user may map.  It knows nothing of
 * what is in it.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <vpv/migration_v1.h>

#include "v1_window.h"

#define PAGES	DIV_ROUND_UP(VPV_V1_WINDOW_BYTES, PAGE_SIZE)

/* A page that the user has mapped, or given to a device, stays until he has given it back. */
static void pages_free(struct page **pages)
{
	for (unsigned int i = 0; i < PAGES && pages[i]; i++)
		put_page(pages[i]);
	kfree(pages);
}

/**
 * vmig_v1_window_alloc() - Allocate a window, zeroed
 * @win: Filled in.
 *
 * Context: the system call that opens the device; its control group is charged.
 * Return: 0 or -ENOMEM.
 */
int vmig_v1_window_alloc(struct vmig_v1_window *win)
{
	struct page **pages = kcalloc(PAGES, sizeof(*pages), GFP_KERNEL_ACCOUNT);

	if (!pages)
		return -ENOMEM;
	for (unsigned int i = 0; i < PAGES; i++) {
		pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!pages[i])
			goto free;
	}
	win->data = vmap(pages, PAGES, VM_MAP, PAGE_KERNEL);
	if (!win->data)
		goto free;
	win->pages = pages;
	return 0;

free:
	pages_free(pages);
	return -ENOMEM;
}

/**
 * vmig_v1_window_free() - Undo vmig_v1_window_alloc()
 * @win: Window.
 */
void vmig_v1_window_free(struct vmig_v1_window *win)
{
	vunmap(win->data);
	pages_free(win->pages);
}

/**
 * vmig_v1_window_mmap() - Map a part of a window
 * @win: Window.
 * @pos: Where the mapping begins in the region.
 * @vma: Mapping, shared.
 *
 * Return: 0; -EINVAL for what is not all in the window; or what the kernel says.
 */
int vmig_v1_window_mmap(const struct vmig_v1_window *win, u64 pos, struct vm_area_struct *vma)
{
	unsigned long num = vma_pages(vma), first;

	if (pos < VPV_V1_WINDOW || pos >= VPV_V1_REGION_BYTES || !IS_ALIGNED(pos, PAGE_SIZE))
		return -EINVAL;
	first = (pos - VPV_V1_WINDOW) >> PAGE_SHIFT;
	if (num > PAGES - first)
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	return vm_insert_pages(vma, vma->vm_start, win->pages + first, &num);
}
