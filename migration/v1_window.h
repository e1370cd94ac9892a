/* SPDX-License-Identifier: GPL-2.0 */
/* The window of a v1 migration region: memory that its user may map. */
#ifndef VMIG_V1_WINDOW_H
#define VMIG_V1_WINDOW_H

#include <linux/types.h>

struct page;
struct vm_area_struct;

/**
 * struct vmig_v1_window - Memory that kernel and user share
 * @pages: Its pages.
 * @data: The same for the kernel.
 *
 * The user may write to it at any time: what the kernel reads twice may be two things.
 */
struct vmig_v1_window {
	struct page **pages;
	void *data;
};

int vmig_v1_window_alloc(struct vmig_v1_window *win);
void vmig_v1_window_free(struct vmig_v1_window *win);
int vmig_v1_window_mmap(const struct vmig_v1_window *win, u64 pos, struct vm_area_struct *vma);

#endif /* VMIG_V1_WINDOW_H */
