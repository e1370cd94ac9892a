// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of memory outside of BARs that are bad (vpv/bar_memory.h) and must not be touched.
 *
 * The variant knows of some.  The kernel tells of others while the device is open: it asks
 * where in each process such a page is mapped, to send a signal there, and that is all that it
 * does.
 */
#include <linux/bitmap.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "memories.h"
#include "trace.h"

static const char *const sources[VPV_BAD_SOURCES] = {
	[VPV_BAD_KERNEL] = "kernel",
	[VPV_BAD_FUNCTION] = "function",
};

static unsigned long pages_of(const struct vpv_shown *s)
{
	return s->mem.bytes >> PAGE_SHIFT;
}

/* Return: 0 or -ENOMEM: vpv_bad_free() is up to the caller. */
int vpv_bad_init(struct vpv_shown *s)
{
	for (unsigned int i = 0; i < VPV_BAD_SOURCES; i++) {
		s->bad[i] = kvcalloc(BITS_TO_LONGS(pages_of(s)), sizeof(long), GFP_KERNEL);
		if (!s->bad[i])
			return -ENOMEM;
	}
	return 0;
}

void vpv_bad_free(struct vpv_shown *s)
{
	for (unsigned int i = 0; i < VPV_BAD_SOURCES; i++) {
		kvfree(s->bad[i]);
		s->bad[i] = NULL;
	}
}

/* The first bad page from @page on that is before @end; @end: there is none. */
static unsigned long next_bad(const struct vpv_shown *s, unsigned long page, unsigned long end)
{
	for (unsigned int i = 0; i < VPV_BAD_SOURCES; i++)
		end = min(end, find_next_bit(s->bad[i], end, page));
	return end;
}

/* Is any of these bytes in a bad page?  After vpv_memory_use() if they are to be touched. */
bool vpv_memory_bad(struct vpv_device *vpv, unsigned int nr, u64 pos, u64 bytes)
{
	const struct vpv_shown *s = vpv_shown(vpv, nr);
	unsigned long end = min_t(u64, PAGE_ALIGN(pos + bytes) >> PAGE_SHIFT, pages_of(s));

	return pos < s->mem.bytes && next_bad(s, pos >> PAGE_SHIFT, end) < end;
}

/* Any context.  Return: was that not known? */
static bool note(struct vpv_device *vpv, unsigned int nr, u64 pos, unsigned int source)
{
	if (test_and_set_bit(pos >> PAGE_SHIFT, vpv_shown(vpv, nr)->bad[source]))
		return false;
	trace_vpv_bad_page(vpv->pdev, nr, pos, sources[source]);
	dev_warn_ratelimited(&vpv->pdev->dev, "the %s says that the page at %#llx of BAR %u is bad\n",
			     sources[source], pos, nr);
	return true;
}

/*
 * All mappings: of a block of PUD size a part cannot be taken away (vpv_vma_open()).  And those
 * dma-bufs that have such a page.
 */
static void take_away(struct vpv_device *vpv)
{
	/* Faults that have not seen the bit have mapped the page by then. */
	scoped_guard(rwsem_write, &vpv->state->memories->use)
		vpv_memory_unmap(vpv);
	vpv_dmabufs_lost(vpv, true);
}

void vpv_bad_take_away(struct work_struct *work)
{
	take_away(container_of(work, struct vpv_memories, take_away)->vpv);
}

/* The kernel has come across it, at that byte.  Any context; the device is open. */
void vpv_bad_found(struct vpv_device *vpv, unsigned int nr, u64 pos)
{
	if (note(vpv, nr, ALIGN_DOWN(pos, PAGE_SIZE), VPV_BAD_KERNEL))
		schedule_work(&vpv->state->memories->take_away);
}

bool vpv_bar_memory_bad(struct vpv_device *vpv, unsigned int bar, u64 pos, bool bad)
{
	if (bad)
		return note(vpv, bar, pos, VPV_BAD_FUNCTION);
	clear_bit(pos >> PAGE_SHIFT, vpv_shown(vpv, bar)->bad[VPV_BAD_FUNCTION]);
	return false;
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_bad);

void vpv_bar_memory_bad_told(struct vpv_device *vpv)
{
	take_away(vpv);
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_bad_told);

void vpv_bar_memory_bad_pages(struct vpv_device *vpv, unsigned int bar,
			      void (*tell)(void *data, u64 pos), void *data)
{
	const struct vpv_shown *s = vpv_shown(vpv, bar);
	unsigned long page, end = pages_of(s);

	for (page = next_bad(s, 0, end); page < end; page = next_bad(s, page + 1, end))
		tell(data, (u64)page << PAGE_SHIFT);
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_bad_pages);

/* For debugfs. */
void vpv_memory_show_bad(struct vpv_device *vpv, struct seq_file *s)
{
	for (unsigned int nr = 0; nr < VPV_BARS; nr++) {
		const struct vpv_shown *shown = vpv_shown(vpv, nr);
		unsigned long page;

		for (unsigned int i = 0; shown && i < VPV_BAD_SOURCES; i++)
			for_each_set_bit(page, shown->bad[i], pages_of(shown))
				seq_printf(s, "%u %#llx %s\n", nr, (u64)page << PAGE_SHIFT,
					   sources[i]);
	}
}

/* ---- What the kernel tells ---- */

/* A page is bad: where in @vma is it? */
static int on_failure(struct vm_area_struct *vma, unsigned long pfn, pgoff_t *pgoff)
{
	struct vpv_device *vpv = vpv_vma_device(vma);
	phys_addr_t phys = PFN_PHYS(pfn);

	for (unsigned int nr = 0; vpv && nr < VPV_BARS; nr++) {
		const struct vpv_shown *s = vpv_shown(vpv, nr);
		u64 pos;

		if (!s || phys < s->mem.phys || phys - s->mem.phys >= s->mem.bytes)
			continue;
		pos = phys - s->mem.phys;
		vpv_bad_found(vpv, nr, pos);
		*pgoff = (vpv_index_to_offset(nr) + pos) >> PAGE_SHIFT;
		return *pgoff - vma->vm_pgoff < vma_pages(vma) ? 0 : -EFAULT;
	}
	return -EFAULT;
}

/* The device is being opened, which does not fail if the kernel cannot report bad memory. */
void vpv_memory_failures_register(struct vpv_device *vpv)
{
	for (unsigned int nr = 0; nr < VPV_BARS; nr++) {
		struct vpv_shown *s = vpv_shown(vpv, nr);
		int err;

		if (!s)
			continue;
		err = vpv_compat_failures_register(&s->failures, vpv->vdev.inode->i_mapping,
						   s->mem.phys, s->mem.bytes, on_failure);
		if (err && err != -EOPNOTSUPP)
			pci_warn(vpv->pdev, "the kernel does not tell of bad memory: %d\n", err);
	}
}

void vpv_memory_failures_unregister(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;

	if (!m)
		return;
	for (unsigned int nr = 0; nr < VPV_BARS; nr++)
		vpv_compat_failures_unregister(&m->bar[nr].failures);
	cancel_work_sync(&m->take_away);
}
