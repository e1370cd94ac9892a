/* SPDX-License-Identifier: GPL-2.0 */
/* Memory outside of BARs that is shown as one: what the files bar_*.c of it share. */
#ifndef VPV_MEMORIES_H
#define VPV_MEMORIES_H

#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <vpv/bar_memory.h>

#include "compat/memory_failure.h"
#include "vpv.h"

/* Who knows of a bad page.  What the kernel says holds until the driver is unbound. */
enum { VPV_BAD_KERNEL, VPV_BAD_FUNCTION, VPV_BAD_SOURCES };

/**
 * struct vpv_shown - Memory that is one BAR
 * @mem: Where it is; no bytes: there is none.
 * @map: Mapping of the kernel.
 * @clean: While writes are recorded: a bit for each page that was neither mapped nor written
 *	since it was protected.  Cleared before either, under vpv_memories.use for reading; set
 *	under it for writing.  NULL: they are not.
 * @rewritten: Pages that were clean and are not any more, since this was last read.
 * @bad: A bit for each page that is bad, by who has said so.  Any context; a page whose bit
 *	was set may still be mapped, or touched, until take_away() is over.
 * @failures: By which the kernel tells of errors while the device is open.
 */
struct vpv_shown {
	struct vpv_bar_memory mem;
	void *map;
	unsigned long *clean;
	atomic_long_t rewritten;
	unsigned long *bad[VPV_BAD_SOURCES];
	struct vpv_compat_failures failures;
};

/**
 * struct vpv_memories - All of it that a device has
 * @bar: By number of the BAR.
 * @lock: Held by the one who waits for it; outside of memory_lock.
 * @stop: Tells when that one gives up; NULL: when it is killed.  @lock.
 * @stop_data: For @stop.
 * @use: Guards the rest; inside of memory_lock, and under it nothing of ours is taken.  For
 *	reading: the memory is touched, or mapped.
 * @lost: How often it went, by a reset, an error, or for want of power.  Any context.
 * @resetting: A reset is under way.
 * @known: What @lost was when @err was found out.
 * @asked: When that was, in jiffies.
 * @err: 0: it is there; or why it is not.
 * @over: A reset is over.
 * @take_away: Takes mappings away once the kernel has told of an error.
 * @await: Waits for the memory, in the name of importers of dma-bufs.
 * @vpv: The device, for @take_away and @await.
 */
struct vpv_memories {
	struct vpv_shown bar[VPV_BARS];
	struct mutex lock;	/* one waits */
	bool (*stop)(void *data);
	void *stop_data;
	struct rw_semaphore use;
	atomic_long_t lost;
	bool resetting;
	long known;
	unsigned long asked;
	int err;
	wait_queue_head_t over;
	struct work_struct take_away;
	struct delayed_work await;
	struct vpv_device *vpv;
};

/* NULL: that BAR is none of these. */
static inline struct vpv_shown *vpv_shown(struct vpv_device *vpv, unsigned int nr)
{
	struct vpv_memories *m = vpv->state->memories;

	return m && nr < VPV_BARS && m->bar[nr].mem.bytes ? &m->bar[nr] : NULL;
}

void vpv_memory_await_work(struct work_struct *work);
int vpv_bad_init(struct vpv_shown *s);
void vpv_bad_free(struct vpv_shown *s);
void vpv_bad_take_away(struct work_struct *work);
void vpv_bad_found(struct vpv_device *vpv, unsigned int nr, u64 pos);

#endif /* VPV_MEMORIES_H */
