// SPDX-License-Identifier: GPL-2.0
/*
 * Memory outside of BARs that is shown as one (vpv/bar_memory.h): claimed and mapped while
 * the driver is bound, and kept from everybody until it is there after a reset.
 *
 * Who touches it, or maps it, does so between vpv_memory_use() and vpv_memory_unuse().
 */
#include <linux/bitmap.h>
#include <linux/ioport.h>
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include <vpv/bar_memory.h>

#include "vpv.h"

/* No reset takes so long: a minute for a function that does not come back, and a little. */
#define RESET_MOST	(90 * HZ)

/* So often it may go while somebody waits, before he has to look whether he may have it. */
#define LOST_MOST	10

/**
 * struct vpv_shown - Memory that is one BAR
 * @mem: Where it is; no bytes: there is none.
 * @map: Mapping of the kernel.
 * @clean: While writes are recorded: a bit for each page that nobody has mapped, nor written
 *	since it was protected.  Cleared before either, under vpv_memories.use for reading; set
 *	under it for writing.  NULL: they are not.
 */
struct vpv_shown {
	struct vpv_bar_memory mem;
	void *map;
	unsigned long *clean;
};

/**
 * struct vpv_memories - All of it that a device has
 * @bar: By number of the BAR.
 * @lock: Held by the one who waits for it; outside of memory_lock.
 * @use: Guards the rest; inside of memory_lock, and under it nothing of ours is taken.  For
 *	reading: the memory is touched, or mapped.
 * @lost: How often it went, by a reset, or for want of power.
 * @resetting: A reset is under way.
 * @known: What @lost was when @err was found out.
 * @err: 0: it is there; or why it is not.
 * @over: A reset is over.
 */
struct vpv_memories {
	struct vpv_shown bar[VPV_BARS];
	struct mutex lock;	/* one waits */
	struct rw_semaphore use;
	unsigned long lost;
	bool resetting;
	unsigned long known;
	int err;
	wait_queue_head_t over;
};

/* ---- What there is ---- */

/* NULL: that BAR is none of these. */
static struct vpv_shown *shown(struct vpv_device *vpv, unsigned int nr)
{
	struct vpv_memories *m = vpv->state->memories;

	return m && nr < VPV_BARS && m->bar[nr].mem.bytes ? &m->bar[nr] : NULL;
}

/* Size of the BAR that @nr is, 0: it is none of these. */
u64 vpv_memory_shown_bytes(struct vpv_device *vpv, unsigned int nr)
{
	const struct vpv_shown *s = shown(vpv, nr);

	return s ? roundup_pow_of_two(s->mem.bytes) : 0;
}

/* Return: 0, or -ENOSPC. */
int vpv_memory_open_bar(struct vpv_device *vpv, struct vpv_bar_state *bar)
{
	const struct vpv_shown *s = shown(vpv, bar->region.index);
	u64 bytes = vpv_memory_shown_bytes(vpv, bar->region.index);

	bar->mem = true;
	bar->memory = true;
	bar->write_combined = s->mem.write_combined;
	bar->phys = s->mem.phys;
	bar->hw_bytes = s->mem.bytes;
	bar->region.bytes = bytes;
	/* Of the same accessors: on all architectures of ours memory takes them. */
	bar->io = (void __iomem __force *)s->map;
	if (bytes == s->mem.bytes)
		return 0;
	return vpv_bar_add_part(bar, s->mem.bytes, bytes - s->mem.bytes, NULL);
}

static bool hw_has_bar(struct pci_dev *pdev, unsigned int nr)
{
	return pci_resource_len(pdev, nr);
}

/* Is @nr free for a 64-bit BAR? */
static bool bar_is_free(struct vpv_device *vpv, unsigned int nr)
{
	struct pci_dev *pdev = vpv->pdev;

	if (nr + 1 >= VPV_BARS || hw_has_bar(pdev, nr) || hw_has_bar(pdev, nr + 1) ||
	    shown(vpv, nr) || shown(vpv, nr + 1))
		return false;
	/* The upper half of another one. */
	return !nr || (!shown(vpv, nr - 1) &&
		       !(hw_has_bar(pdev, nr - 1) &&
			 (pci_resource_flags(pdev, nr - 1) & IORESOURCE_MEM_64)));
}

static bool range_is_good(const struct vpv_bar_memory *mem)
{
	return mem->bytes && PAGE_ALIGNED(mem->phys) && PAGE_ALIGNED(mem->bytes) &&
	       mem->bytes <= VPV_OFFSET_MASK + 1 && mem->phys <= PHYS_ADDR_MAX - mem->bytes + 1;
}

/* Does the kernel have it as memory of its own, or has anybody made it such? */
static bool kernel_has(const struct vpv_bar_memory *mem)
{
	if (region_intersects(mem->phys, mem->bytes, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	    REGION_DISJOINT)
		return true;
	/* Where there are struct pages, there is one at each multiple of this. */
	for (u64 pos = 0; pos < mem->bytes; pos += SZ_2M)
		if (pfn_valid(PHYS_PFN(mem->phys + pos)))
			return true;
	return pfn_valid(PHYS_PFN(mem->phys + mem->bytes - 1));
}

static struct vpv_memories *memories_of(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;

	if (m)
		return m;
	m = kzalloc_obj(*m, GFP_KERNEL);
	if (!m)
		return NULL;
	mutex_init(&m->lock);
	init_rwsem(&m->use);
	init_waitqueue_head(&m->over);
	/* It has to be asked for first. */
	m->lost = 1;
	vpv->state->memories = m;
	return m;
}

static int claim(struct vpv_device *vpv, struct vpv_shown *s, const struct vpv_bar_memory *mem)
{
	int flags = mem->write_combined ? MEMREMAP_WC : MEMREMAP_WB;

	if (kernel_has(mem)) {
		pci_err(vpv->pdev, "the kernel uses memory at %pa as its own\n", &mem->phys);
		return -EBUSY;
	}
	if (!request_mem_region(mem->phys, mem->bytes, vpv->variant->vfio_ops->name)) {
		pci_err(vpv->pdev, "somebody else has memory at %pa\n", &mem->phys);
		return -EBUSY;
	}
	s->map = memremap(mem->phys, mem->bytes, flags);
	if (!s->map) {
		release_mem_region(mem->phys, mem->bytes);
		return -ENOMEM;
	}
	s->mem = *mem;
	return 0;
}

int vpv_bar_memory_add(struct vpv_device *vpv, unsigned int bar,
		       const struct vpv_bar_memory *mem)
{
	struct vpv_memories *m;

	if (!range_is_good(mem) || !bar_is_free(vpv, bar) || !vpv->variant->memory_ready) {
		pci_err(vpv->pdev, "memory of %#llx bytes at %pa cannot be BAR %u\n", mem->bytes,
			&mem->phys, bar);
		return -EINVAL;
	}
	m = memories_of(vpv);
	return m ? claim(vpv, &m->bar[bar], mem) : -ENOMEM;
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_add);

/* The device is being released. */
void vpv_memories_free(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;

	if (!m)
		return;
	for (unsigned int i = 0; i < VPV_BARS; i++) {
		const struct vpv_shown *s = shown(vpv, i);

		if (!s)
			continue;
		kvfree(s->clean);
		memunmap(s->map);
		release_mem_region(s->mem.phys, s->mem.bytes);
	}
	mutex_destroy(&m->lock);
	kfree(m);
	vpv->state->memories = NULL;
}

/* ---- Is it there? ---- */

/* Return: 0, or -EAGAIN if that is not known, or why it is not. */
static int state_of(const struct vpv_memories *m)
{
	return m->resetting || m->known != m->lost ? -EAGAIN : m->err;
}

/*
 * Keep resets from taking it away until vpv_memory_unuse(), for as long as a copy takes.
 * Return: 0; -EAGAIN: wait for it first, by vpv_bar_memory_wait(); why it is not there.
 */
int vpv_memory_use(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;
	int ret;

	down_read(&m->use);
	ret = state_of(m);
	if (ret)
		up_read(&m->use);
	return ret;
}

void vpv_memory_unuse(struct vpv_device *vpv)
{
	up_read(&vpv->state->memories->use);
}

/*
 * It goes, or has gone, by a reset: nobody has it any more when this returns.  Also without
 * memory_lock: no mapping comes before it is there again.
 */
void vpv_memory_lost(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;

	if (!m)
		return;
	scoped_guard(rwsem_write, &m->use)
		m->lost++;
	vpv_memory_unmap(vpv);
}

/* A reset begins, or has ended.  Device lock. */
void vpv_memory_resetting(struct vpv_device *vpv, bool resetting)
{
	struct vpv_memories *m = vpv->state->memories;

	if (!m)
		return;
	scoped_guard(rwsem_write, &m->use)
		WRITE_ONCE(m->resetting, resetting);
	vpv_memory_lost(vpv);
	wake_up_all(&m->over);
}

static int wait_for_reset(struct vpv_memories *m)
{
	long left = wait_event_killable_timeout(m->over, !READ_ONCE(m->resetting), RESET_MOST);

	return left > 0 ? 0 : left ? -EINTR : -ETIMEDOUT;
}

/* Note what has become of it.  Return: that, or -EAGAIN if it has gone again meanwhile. */
static int note(struct vpv_memories *m, unsigned long lost, int err)
{
	guard(rwsem_write)(&m->use);

	if (m->lost != lost)
		return -EAGAIN;
	m->known = lost;
	m->err = err;
	return err;
}

static int wait_locked(struct vpv_device *vpv, struct vpv_memories *m)
{
	unsigned long lost;
	int ret = -EAGAIN;

	for (unsigned int i = 0; i < LOST_MOST && ret == -EAGAIN; i++) {
		ret = wait_for_reset(m);
		if (ret)
			return ret;
		scoped_guard(rwsem_read, &m->use) {
			lost = m->lost;
			ret = state_of(m);
		}
		if (ret != -EAGAIN)
			return ret;
		ret = vpv->variant->memory_ready(vpv);
		/* That says nothing of the memory. */
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = note(m, lost, ret == -EAGAIN ? -EIO : ret);
	}
	return ret;
}

int vpv_bar_memory_wait(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;
	int ret;

	if (!m)
		return 0;
	ret = mutex_lock_killable(&m->lock);
	if (ret)
		return ret;
	ret = wait_locked(vpv, m);
	mutex_unlock(&m->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_wait);

int vpv_bar_memory_copy(struct vpv_device *vpv, unsigned int bar, u64 pos, size_t bytes,
			void *to, const void *from)
{
	const struct vpv_shown *s = shown(vpv, bar);
	int ret;

	if (!s || pos >= s->mem.bytes || bytes > s->mem.bytes - pos)
		return -EINVAL;
	ret = vpv_memory_use(vpv);
	if (ret)
		return ret;
	if (to)
		memcpy(to, s->map + pos, bytes);
	else if (from)
		memcpy(s->map + pos, from, bytes);
	else
		memset(s->map + pos, 0, bytes);
	vpv_memory_unuse(vpv);
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_copy);

/* ---- What CPUs write ---- */

/*
 * There is no write protection: KVM cannot emulate all stores to such memory, and what the
 * kernel has to find clean entries again knows nothing of guests.  So a page that is clean
 * is not mapped at all, and one that is mapped counts as written.
 */

/*
 * Bytes are written, or mapped for it, after vpv_memory_use().  Return: false: a block of more
 * than a page that is to be mapped has clean pages, and is to be mapped in smaller ones.
 */
bool vpv_memory_dirty(struct vpv_device *vpv, unsigned int nr, u64 pos, u64 bytes, bool block)
{
	const struct vpv_shown *s = shown(vpv, nr);
	unsigned long page = pos >> PAGE_SHIFT, end;

	if (!s->clean || pos >= s->mem.bytes)
		return true;
	end = min(PAGE_ALIGN(pos + bytes), s->mem.bytes) >> PAGE_SHIFT;
	if (!block)
		for (; page < end; page++)
			clear_bit(page, s->clean);
	/* The kernel (7.3) cannot take away a part of a PUD: see vpv_vma_open(). */
	return bytes < PUD_SIZE && find_next_bit(s->clean, end, page) >= end;
}

int vpv_bar_memory_track(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;

	vpv_bar_memory_untrack(vpv);
	for (unsigned int i = 0; i < VPV_BARS; i++) {
		struct vpv_shown *s = shown(vpv, i);
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
	}
	/* Large blocks, whose parts cannot be taken away one by one. */
	vpv_memory_unmap(vpv);
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_track);

void vpv_bar_memory_untrack(struct vpv_device *vpv)
{
	for (unsigned int i = 0; i < VPV_BARS; i++) {
		struct vpv_shown *s = shown(vpv, i);
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
	struct vpv_shown *s = shown(vpv, bar);

	guard(rwsem_write)(&vpv->state->memories->use);

	if (!s->clean)
		return;
	bitmap_set(s->clean, pos >> PAGE_SHIFT, bytes >> PAGE_SHIFT);
	unmap_mapping_range(vpv->vdev.inode->i_mapping, vpv_index_to_offset(bar) + pos, bytes,
			    true);
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_protect);

void vpv_bar_memory_written(struct vpv_device *vpv, unsigned int bar,
			    void (*tell)(void *data, u64 first, u64 last), void *data)
{
	struct vpv_shown *s = shown(vpv, bar);
	unsigned long pages = s->mem.bytes >> PAGE_SHIFT, from, end;

	guard(rwsem_read)(&vpv->state->memories->use);

	if (!s->clean)
		return;
	for (from = find_first_zero_bit(s->clean, pages); from < pages;
	     from = find_next_zero_bit(s->clean, pages, end)) {
		end = find_next_bit(s->clean, pages, from);
		tell(data, (u64)from << PAGE_SHIFT, ((u64)end << PAGE_SHIFT) - 1);
	}
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_written);
