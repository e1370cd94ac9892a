// SPDX-License-Identifier: GPL-2.0
/*
 * Memory outside of BARs that is shown as one (vpv/bar_memory.h): claimed and mapped while
 * the driver is bound, and not accessible until it is ready after a reset.
 *
 * Who touches it, or maps it, does so between vpv_memory_use() and vpv_memory_unuse().
 */
#include <linux/ioport.h>
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "memories.h"

/* No reset takes so long: a minute for a function that does not come back, and a little. */
#define RESET_MOST	(90 * HZ)

/* How often a waiter that can be cancelled looks whether it was. */
#define LOOK_MS		20

/* So often it is asked for if the question fails, and then not again for a while. */
#define ASK_MOST	3
#define ASK_AGAIN_MS	1000

/* So often it may go while somebody waits, before he has to look whether he may have it. */
#define LOST_MOST	10

/* ---- What there is ---- */

/* Size of the BAR that @nr is, 0: it is none of these. */
u64 vpv_memory_shown_bytes(struct vpv_device *vpv, unsigned int nr)
{
	const struct vpv_shown *s = vpv_shown(vpv, nr);

	return s ? roundup_pow_of_two(s->mem.bytes) : 0;
}

/* Return: 0, or -ENOSPC. */
int vpv_memory_open_bar(struct vpv_device *vpv, struct vpv_bar_state *bar)
{
	const struct vpv_shown *s = vpv_shown(vpv, bar->region.index);
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
	    vpv_shown(vpv, nr) || vpv_shown(vpv, nr + 1))
		return false;
	/* The upper half of another one. */
	return !nr || (!vpv_shown(vpv, nr - 1) &&
		       !(hw_has_bar(pdev, nr - 1) &&
			 (pci_resource_flags(pdev, nr - 1) & IORESOURCE_MEM_64)));
}

static bool range_is_good(const struct vpv_bar_memory *mem)
{
	return mem->bytes && PAGE_ALIGNED(mem->phys) && PAGE_ALIGNED(mem->bytes) &&
	       mem->bytes <= VPV_OFFSET_MASK + 1 && mem->phys <= PHYS_ADDR_MAX - mem->bytes + 1;
}

/* All of 2 MiB have struct pages, or none: SPARSEMEM adds no less. */
static bool has_pages(const struct vpv_bar_memory *mem)
{
	const u64 first = ALIGN_DOWN(mem->phys, SZ_2M), bytes = mem->phys - first + mem->bytes;

	for (u64 pos = 0; pos < bytes; pos += SZ_2M)
		if (pfn_valid(PHYS_PFN(first + pos)))
			return true;
	return false;
}

/*
 * Does the kernel have it as memory of its own, is there something else of which it knows, such as
 * BARs or a bridge's window, or has anybody made it such?
 */
static bool kernel_has(const struct vpv_bar_memory *mem)
{
	if (region_intersects(mem->phys, mem->bytes, IORESOURCE_MEM, IORES_DESC_NONE) !=
	    REGION_DISJOINT)
		return true;
	return has_pages(mem);
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
	INIT_WORK(&m->take_away, vpv_bad_take_away);
	INIT_DELAYED_WORK(&m->await, vpv_memory_await_work);
	m->vpv = vpv;
	/* It has to be asked for first. */
	atomic_long_set(&m->lost, 1);
	vpv->state->memories = m;
	return m;
}

static void release(struct vpv_shown *s)
{
	kvfree(s->clean);
	vpv_bad_free(s);
	if (s->map)
		memunmap(s->map);
	release_mem_region(s->mem.phys, s->mem.bytes);
	s->mem.bytes = 0;
}

static int claim(struct vpv_device *vpv, struct vpv_shown *s, const struct vpv_bar_memory *mem)
{
	int flags = mem->write_combined ? MEMREMAP_WC : MEMREMAP_WB;

	if (kernel_has(mem)) {
		pci_err(vpv->pdev, "something else is at %pa\n", &mem->phys);
		return -EBUSY;
	}
	if (!request_mem_region(mem->phys, mem->bytes, vpv->variant->vfio_ops->name)) {
		pci_err(vpv->pdev, "somebody else has memory at %pa\n", &mem->phys);
		return -EBUSY;
	}
	s->mem = *mem;
	s->map = memremap(mem->phys, mem->bytes, flags);
	if (s->map && !vpv_bad_init(s))
		return 0;
	release(s);
	return -ENOMEM;
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
	cancel_work_sync(&m->take_away);
	cancel_delayed_work_sync(&m->await);
	for (unsigned int i = 0; i < VPV_BARS; i++)
		if (vpv_shown(vpv, i))
			release(&m->bar[i]);
	mutex_destroy(&m->lock);
	kfree(m);
	vpv->state->memories = NULL;
}

/* ---- Is it there? ---- */

/* Does it come with the next reset only?  Otherwise it may have come, and the question failed. */
static bool is_final(int err)
{
	return !err || err == -ETIMEDOUT || err == -ENOTRECOVERABLE;
}

/* Return: 0, or -EAGAIN if that is not known, or why it is not. */
static int state_of(const struct vpv_memories *m)
{
	if (m->resetting || m->known != atomic_long_read(&m->lost))
		return -EAGAIN;
	if (!is_final(m->err) && time_after(jiffies, m->asked + msecs_to_jiffies(ASK_AGAIN_MS)))
		return -EAGAIN;
	return m->err;
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
 * It is lost, or may be.  Callbacks of errors and runtime PM call this: it takes no lock and does
 * not wait.  Accesses under way go on; the caller removes mappings.
 */
void vpv_memory_lost(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;

	if (!m)
		return;
	atomic_long_inc(&m->lost);
	/* Pairs with insert_block()'s. */
	smp_mb__after_atomic();
}

/* Has it gone since a fault has asked?  After the page was mapped. */
bool vpv_memory_went(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;

	return READ_ONCE(m->resetting) || READ_ONCE(m->known) != atomic_long_read(&m->lost);
}

/*
 * A reset begins, or has ended: nobody has it any more when this returns.  Device lock.
 *
 * Only after an error importers are left to settle(): they may be in the same recovery, which
 * cannot go on without that lock.
 */
void vpv_memory_resetting(struct vpv_device *vpv, bool resetting)
{
	struct vpv_memories *m = vpv->state->memories;

	if (!m)
		return;
	scoped_guard(rwsem_write, &m->use) {
		WRITE_ONCE(m->resetting, resetting);
		vpv_memory_lost(vpv);
	}
	vpv_memory_unmap(vpv);
	if (resetting && vpv_channel_normal(vpv))
		vpv_dmabufs_lost(vpv, false);
	wake_up_all(&m->over);
	if (!resetting && vpv_dmabufs_any(vpv))
		vpv_memory_await(vpv);
}

/* Is the wait to end early?  Return: 0 or the errno of the waiter. */
static int given_up(const struct vpv_memories *m)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	return m->stop && m->stop(m->stop_data) ? -ECANCELED : 0;
}

int vpv_bar_memory_given_up(struct vpv_device *vpv)
{
	lockdep_assert_held(&vpv->state->memories->lock);

	return given_up(vpv->state->memories);
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_given_up);

static int wait_for_reset(struct vpv_memories *m)
{
	unsigned long end = jiffies + RESET_MOST;

	while (READ_ONCE(m->resetting)) {
		int ret = given_up(m);

		if (ret)
			return ret;
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		wait_event_killable_timeout(m->over, !READ_ONCE(m->resetting),
					    msecs_to_jiffies(LOOK_MS));
	}
	return 0;
}

/*
 * Note whether it is there.  Under memory_lock: when the CPU may touch it, importers may, too.
 * Return: @err, or -EAGAIN if it was lost again meanwhile.
 */
static int note(struct vpv_device *vpv, struct vpv_memories *m, long lost, int err)
{
	guard(rwsem_write)(&vpv->state->memory_lock);

	scoped_guard(rwsem_write, &m->use) {
		if (atomic_long_read(&m->lost) != lost)
			return -EAGAIN;
		WRITE_ONCE(m->known, lost);
		m->err = err;
		m->asked = jiffies;
	}
	if (!err)
		vpv_memory_back(vpv);
	return err;
}

static int ask(struct vpv_device *vpv, struct vpv_memories *m)
{
	int err = -EIO;

	for (unsigned int i = 0; i < ASK_MOST && !given_up(m); i++) {
		err = vpv->variant->memory_ready(vpv);
		if (is_final(err))
			break;
	}
	return err == -EAGAIN ? -EIO : err;
}

static int wait_locked(struct vpv_device *vpv, struct vpv_memories *m)
{
	int ret = -EAGAIN, up;
	long lost;

	for (unsigned int i = 0; i < LOST_MOST && ret == -EAGAIN; i++) {
		ret = wait_for_reset(m);
		if (ret)
			return ret;
		scoped_guard(rwsem_read, &m->use) {
			lost = atomic_long_read(&m->lost);
			ret = state_of(m);
		}
		if (ret != -EAGAIN)
			return ret;
		ret = ask(vpv, m);
		/* That says nothing of the memory. */
		up = given_up(m);
		if (up)
			return up;
		ret = note(vpv, m, lost, ret);
	}
	return ret;
}

/* The one who waits at the moment may do so for other reasons. */
static int turn(struct vpv_memories *m, bool (*stop)(void *data), void *data)
{
	if (!stop)
		return mutex_lock_killable(&m->lock);
	while (!mutex_trylock(&m->lock)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (stop(data))
			return -ECANCELED;
		schedule_timeout_killable(msecs_to_jiffies(LOOK_MS));
	}
	return 0;
}

int vpv_bar_memory_wait_unless(struct vpv_device *vpv, bool (*stop)(void *data), void *data)
{
	struct vpv_memories *m = vpv->state->memories;
	int ret;

	if (!m)
		return 0;
	ret = turn(m, stop, data);
	if (ret)
		return ret;
	m->stop = stop;
	m->stop_data = data;
	ret = wait_locked(vpv, m);
	mutex_unlock(&m->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_wait_unless);

int vpv_bar_memory_wait(struct vpv_device *vpv)
{
	return vpv_bar_memory_wait_unless(vpv, NULL, NULL);
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_wait);

bool vpv_bar_memory_enabled(struct vpv_device *vpv)
{
	guard(rwsem_read)(&vpv->state->memory_lock);

	return vpv_memory_mappable(vpv);
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_enabled);

/* ---- Waiting for it in the name of importers ---- */

/* None is left, or the device is being closed: then there is no need to wait for them. */
static bool no_importers(void *vpv)
{
	return !vpv_dmabufs_any(vpv);
}

void vpv_memory_await_work(struct work_struct *work)
{
	struct vpv_memories *m = container_of(work, struct vpv_memories, await.work);
	struct vpv_device *vpv = m->vpv;
	int err;

	/* Otherwise vpv_memory_back() comes, and has this done again. */
	if (!vpv_bar_memory_enabled(vpv))
		return;
	err = vpv_bar_memory_wait_unless(vpv, no_importers, vpv);
	if (!is_final(err) && !no_importers(vpv))
		schedule_delayed_work(&m->await, msecs_to_jiffies(ASK_AGAIN_MS));
}

/*
 * There are dma-bufs of it, and it may come: nobody else need ever ask for it.  Who waits gives it
 * back to them, see note().  Any context that may sleep a little.
 */
void vpv_memory_await(struct vpv_device *vpv)
{
	struct vpv_memories *m = vpv->state->memories;

	scoped_guard(rwsem_read, &m->use)
		if (state_of(m) != -EAGAIN)
			return;
	schedule_delayed_work(&m->await, 0);
}

/* In close, when there are no dma-bufs any more. */
void vpv_memory_await_stop(struct vpv_device *vpv)
{
	if (vpv->state->memories)
		cancel_delayed_work_sync(&vpv->state->memories->await);
}

/*
 * Read it, after vpv_memory_use(): of an error in it that nobody knew of, the machine does not
 * die.  Return: 0 or -EHWPOISON.
 */
int vpv_memory_read(struct vpv_device *vpv, unsigned int nr, u64 pos, size_t bytes, void *to)
{
	const struct vpv_shown *s = vpv_shown(vpv, nr);
	unsigned long left = copy_mc_to_kernel(to, s->map + pos, bytes);

	if (!left)
		return 0;
	vpv_bad_found(vpv, nr, pos + bytes - left);
	return -EHWPOISON;
}

/* After an error, or if the function is gone, nobody knows what is there. */
static int look(struct vpv_device *vpv, unsigned int bar, u64 pos, size_t bytes)
{
	if (vpv_gone(vpv->pdev))
		return -ENODEV;
	if (!vpv_channel_normal(vpv))
		return -EIO;
	return vpv_memory_bad(vpv, bar, pos, bytes) ? -EHWPOISON : 0;
}

/* Return: 0: vpv_memory_unuse() is up to the caller; or why these bytes cannot be touched. */
static int use(struct vpv_device *vpv, unsigned int bar, u64 pos, size_t bytes)
{
	const struct vpv_shown *s = vpv_shown(vpv, bar);
	int ret;

	if (!s || pos >= s->mem.bytes || bytes > s->mem.bytes - pos)
		return -EINVAL;
	ret = vpv_memory_use(vpv);
	if (ret)
		return ret;
	ret = look(vpv, bar, pos, bytes);
	if (ret)
		vpv_memory_unuse(vpv);
	return ret;
}

int vpv_bar_memory_read(struct vpv_device *vpv, unsigned int bar, u64 pos, size_t bytes, void *to)
{
	int ret = use(vpv, bar, pos, bytes);

	if (ret)
		return ret;
	ret = vpv_memory_read(vpv, bar, pos, bytes, to);
	vpv_memory_unuse(vpv);
	return ret;
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_read);

int vpv_bar_memory_write(struct vpv_device *vpv, unsigned int bar, u64 pos, size_t bytes,
			 void (*put)(void *from, void *to, size_t bytes), void *from)
{
	int ret = use(vpv, bar, pos, bytes);
	void *at;

	if (ret)
		return ret;
	at = vpv_shown(vpv, bar)->map + pos;
	if (put)
		put(from, at, bytes);
	else
		memset(at, 0, bytes);
	vpv_memory_unuse(vpv);
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_bar_memory_write);
