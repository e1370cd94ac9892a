// SPDX-License-Identifier: GPL-2.0
/*
 * What CPUs write to memory outside of BARs (vpv/bar_memory.h).
 *
 * There is no write protection: KVM cannot emulate all stores to such memory, and what the
 * kernel has to find clean entries again knows nothing of guests.  So a page that is clean
 * is not mapped at all, and one that is mapped counts as written.  So
 * does one that another device has mapped, by a dma-buf.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "memories.h"

/*
 * Bytes are written, or mapped for it, after vpv_memory_use().  Return: false: a block of more
 * than a page that is to be mapped has clean pages, and is to be mapped in smaller ones.
 */
bool vpv_memory_dirty(struct vpv_device *vpv, unsigned int nr, u64 pos, u64 bytes, bool block)
{
	struct vpv_shown *s = vpv_shown(vpv, nr);
	unsigned long page = pos >> PAGE_SHIFT, end;

	if (!s->clean || pos >= s->mem.bytes)
		return true;
	end = min(PAGE_ALIGN(pos + bytes), s->mem.bytes) >> PAGE_SHIFT;
	if (!block)
		for (; page < end; page++)
			if (test_and_clear_bit(page, s->clean))
				atomic_long_inc(&s->rewritten);
	/* The kernel (7.3) cannot take away a part of a PUD: see vpv_vma_open(). */
	return bytes < PUD_SIZE && find_next_bit(s->clean, end, page) >= end;
}

int vpv_bar_memory_track(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;

	vpv_bar_memory_untrack(vpv);
	for (unsigned int i = 0; i < VPV_BARS; i++) {
		struct vpv_shown *s = vpv_shown(vpv, i);
		unsigned long *clean;

		if (!s)
			continue;
		clean = kvcalloc(BITS_TO_LONGS(s->mem.bytes >> PAGE_SHIFT), sizeof(long),
				 GFP_KERNEL_ACCOUNT);
		if (!clean) {
			vpv_bar_memory_untrack(vpv);
			return -ENOMEM;
		}
		scoped_guard(rwsem_write, &m->use)
			s->clean = clean;
		atomic_long_set(&s->rewritten, 0);
	}
	/* Large blocks, whose parts cannot be taken away one by one. */
	vpv_memory_unmap(vpv);
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_track);

void vpv_bar_memory_untrack(struct vpv_device *vpv)
{
	for (unsigned int i = 0; i < VPV_BARS; i++) {
		struct vpv_shown *s = vpv_shown(vpv, i);
		unsigned long *clean;

		if (!s)
			continue;
		scoped_guard(rwsem_write, &vpv->state->memories->use) {
			clean = s->clean;
			s->clean = NULL;
		}
		kvfree(clean);
	}
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_untrack);

void vpv_bar_memory_protect(struct vpv_device *vpv, unsigned int bar, u64 pos, u64 bytes)
{
	struct vpv_shown *s = vpv_shown(vpv, bar);

	guard(rwsem_write)(&vpv->state->memories->use);

	if (!s->clean)
		return;
	bitmap_set(s->clean, pos >> PAGE_SHIFT, bytes >> PAGE_SHIFT);
	vpv_dmabufs_dirty(vpv, bar, pos, bytes);
	unmap_mapping_range(vpv->vdev.inode->i_mapping, vpv_index_to_offset(bar) + pos, bytes,
			    true);
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_protect);

unsigned long vpv_bar_memory_written(struct vpv_device *vpv, unsigned int bar,
				     void (*tell)(void *data, u64 first, u64 last), void *data)
{
	struct vpv_shown *s = vpv_shown(vpv, bar);
	unsigned long pages = s->mem.bytes >> PAGE_SHIFT, from, end;

	guard(rwsem_read)(&vpv->state->memories->use);

	if (!s->clean)
		return 0;
	for (from = find_first_zero_bit(s->clean, pages); from < pages;
	     from = find_next_zero_bit(s->clean, pages, end)) {
		end = find_next_bit(s->clean, pages, from);
		tell(data, (u64)from << PAGE_SHIFT, ((u64)end << PAGE_SHIFT) - 1);
	}
	return atomic_long_xchg(&s->rewritten, 0);
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_written);
