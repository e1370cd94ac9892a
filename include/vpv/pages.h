/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of a device (that of a GPU, say) as a part of what the migration library migrates;
 * vpv/migration.h has the rest.
 *
 * The family says which ranges there are, how they are read and written, and which parts
 * were written since it was last asked.  Passes over the memory, estimates, order, zero
 * pages, threads and bounds are the library's.
 */
#ifndef VPV_PAGES_H
#define VPV_PAGES_H

#include <linux/types.h>

#include "migration_bits.h"

struct vmig_dev;
struct vmig_dirty;

#define VMIG_PAGES_READERS	8U

/**
 * struct vmig_pages_ops - What a family does for the memory of its device
 *
 * Addresses are whatever the family takes for them, the same on both sides.  Memory is
 * migrated in pages of 4 KiB, on which all ranges and parts begin and end; pages of the
 * device may have any size.
 *
 * All hooks run in process context with the state lock of the library held and the device
 * reachable, as those of struct vmig_ops do, and bound their waits; one that waits for long ends
 * with -ECANCELED when vmig_stopped() says so.  @protect and @read are
 * the only ones that run more than once at a time.  An error of -EIO puts the device into
 * ERROR, unless a hook says otherwise.
 */
struct vmig_pages_ops {
	/**
	 * @readers: In how many threads @protect and @read may run at once, for parts that do
	 * not overlap; 1 to VMIG_PAGES_READERS.  One of them is the worker that calls all other
	 * hooks of a save session.
	 */
	unsigned int readers;

	/**
	 * @layout: Mandatory.  Which memory there is.
	 * @ranges: Receives it, ascending and disjoint.
	 * @most: So many at most.
	 *
	 * Asked when the device is opened, at the begin of a session, and for MIG_DATA_SIZE in
	 * any state, also when the device is not reachable: the answer must not need it.  A
	 * destination has to have all that the source has, and may have more, which is not
	 * touched then.
	 * Return: the number of ranges, not 0, or a negative errno that refuses the session.
	 */
	int (*layout)(struct vmig_dev *mig, struct vmig_range *ranges, unsigned int most);

	/**
	 * @start: Begin to record which parts are written.
	 *
	 * Together with @stop and @harvest.  Without them all memory is sent while the device
	 * is frozen.  Called before the first pass of pre-copy, and again when the function
	 * was reset and pre-copy goes on: what there was is replaced then.
	 * Return: 0; -EOPNOTSUPP: this device cannot, and its memory is sent while it is
	 * frozen; another error ends the session.
	 */
	int (*start)(struct vmig_dev *mig);

	/**
	 * @stop: End that.
	 *
	 * When the save session is left, but not when a reset, ERROR or the close of the
	 * device ended it (as vmig_ops.save_end, which follows).
	 */
	void (*stop)(struct vmig_dev *mig);

	/**
	 * @harvest: Push what was written since @start or the last @harvest.
	 * @dirty: For vmig_dirty_push() and vmig_dirty_push_bits().
	 *
	 * Whatever is written after the begin of the last @read of its page must be reported
	 * by the next @harvest, by whomever it was written.  What the device forgets when it
	 * reports it is forgotten before it is pushed; what @protect is for may be reported
	 * again each time, until @protect is called for it.  This hook is called before each
	 * pass, and whenever somebody asks how much there is.  No @read runs at the same time.
	 * The last @harvest is that of a frozen device.
	 *
	 * Return: 0; an error other than -EIO: it is not known what was written, all of it is
	 * sent again.
	 */
	int (*harvest)(struct vmig_dev *mig, struct vmig_dirty *dirty);

	/**
	 * @protect: A part is about to be read: record what is written to it from here on.
	 * @part: Whole pages.
	 *
	 * For writes that the device does not record by itself, such as those of CPUs: until
	 * here it was known that the part is dirty, so that they need not be seen one by one.
	 * NULL: nothing to be done.
	 */
	int (*protect)(struct vmig_dev *mig, const struct vmig_range *part);

	/**
	 * @read: Mandatory.  Copy a part.
	 * @first: First byte of a page.
	 * @to: Where to; kernel memory.
	 * @bytes: Size of the part, whole pages, 64 KiB at most.
	 *
	 * The device runs, or is frozen.  It may write the part meanwhile.
	 */
	int (*read)(struct vmig_dev *mig, u64 first, void *to, size_t bytes);

	/**
	 * @write: Mandatory.  Write a part of a device that is being loaded.
	 * @first: First byte of a page.
	 * @bytes: Size of the part, whole pages, 512 KiB at most.
	 * @put: To be called once, with kernel memory that is the part or becomes its content:
	 * puts it there.  The memory, and the size that @put is given, are multiples of 8
	 * bytes.  Does not sleep, and may be left out if an error is returned.  NULL: zeros.
	 * @from: For @put.
	 *
	 * Content is written as it comes, before the checksum of its record is known: a stream
	 * that turns out to be damaged is refused, the device can only be left by ERROR, and a
	 * reset has to make what was written harmless.
	 */
	int (*write)(struct vmig_dev *mig, u64 first, size_t bytes,
		     void (*put)(void *from, void *to, size_t bytes), void *from);
};

#endif /* VPV_PAGES_H */
