// SPDX-License-Identifier: GPL-2.0
/*
 * Which memory was written: by the function, which has a log of that, and by CPUs, which the
 * core sees.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>

#include "coherent_gpu.h"
#include "trace.h"

/* LOG_READ counts in so many pages. */
#define LOG_UNIT	64U

/* Where pages that were written go to, and how many have become so, of VPV_PAGE_BYTES. */
struct harvest {
	struct vmig_dirty *dirty;
	u64 cpu, device;
};

static int log_begin(struct cgpu_dev *cd)
{
	u32 stat;
	int err;

	guard(mutex)(&cd->cmd_lock);

	/* A LOG_READ that was given up takes marks away when it ends. */
	err = cgpu_idle(cd);
	if (!err)
		err = vpv_reg_write(&cd->ctl, CGPU_CP_LOG,
				    CGPU_LOG_ON | CGPU_LOG_PAGE(cd->log_log2));
	if (!err)
		err = vpv_reg_read(&cd->ctl, CGPU_CP_LOG_STAT, &stat);
	if (err)
		return err;
	cd->log_lost = !(stat & CGPU_LOG_ON);
	if (!cd->log_lost)
		return 0;
	dev_warn_ratelimited(cgpu_device(cd), "the log does not begin: status %#x\n", stat);
	return -EIO;
}

/* The smallest pages: what is not written is not sent. */
static int choose_page(struct cgpu_dev *cd)
{
	u32 caps, sizes;
	int err;

	err = vpv_reg_read(&cd->ctl, CGPU_CP_CAPS, &caps);
	if (!err)
		err = vpv_reg_read(&cd->ctl, CGPU_CP_LOG_SIZES, &sizes);
	if (err)
		return err;
	if (!(caps & CGPU_CAPS_LOG))
		return -EOPNOTSUPP;
	if (CGPU_LOG_MIN(sizes) < CGPU_LOG_MIN_LOG2 || CGPU_LOG_MIN(sizes) > CGPU_LOG_MAX_LOG2) {
		dev_warn_ratelimited(cgpu_device(cd), "page sizes of the log are %#x\n", sizes);
		return -EOPNOTSUPP;
	}
	cd->log_log2 = CGPU_LOG_MIN(sizes);
	return 0;
}

/* After a reset in pre-copy the memory is not there, either. */
int cgpu_track_start(struct vmig_dev *mig)
{
	struct cgpu_dev *cd = cgpu_from_mig(mig);
	int err;

	/* Then the function is READY, too, and says what its log can do. */
	err = cgpu_memory_wait(mig);
	if (!err)
		err = choose_page(cd);
	if (!err)
		err = vpv_bar_memory_track(&cd->m.vpv);
	if (err)
		return err;
	err = log_begin(cd);
	if (err)
		vpv_bar_memory_untrack(&cd->m.vpv);
	return err;
}

void cgpu_track_stop(struct vmig_dev *mig)
{
	struct cgpu_dev *cd = cgpu_from_mig(mig);

	vpv_reg_write(&cd->ctl, CGPU_CP_LOG, 0);
	vpv_bar_memory_untrack(&cd->m.vpv);
}

/* ---- Written by the function ---- */

/* Ask for pages from a device address on.  Return: 1, 0 if none was written, or an errno. */
static int log_read(struct cgpu_dev *cd, u64 first, u32 pages, __le64 *bits)
{
	u32 set, written;
	int err;

	guard(mutex)(&cd->cmd_lock);

	err = cgpu_log_read(cd, first, pages);
	if (!err)
		err = vpv_reg_read(&cd->ctl, CGPU_CP_SET, &set);
	if (err || !set)
		return err;
	err = cgpu_window(cd, bits, pages / BITS_PER_BYTE);
	if (err)
		return err;
	written = memweight(bits, pages / BITS_PER_BYTE);
	if (written == set)
		return 1;
	dev_warn_ratelimited(cgpu_device(cd), "the log has %u pages and says %u\n", written, set);
	return -EPROTO;
}

static int harvest_range(struct cgpu_dev *cd, struct harvest *h, u64 first, u64 bytes,
			 __le64 *bits)
{
	u64 left = round_up(DIV_ROUND_UP_ULL(bytes, 1ULL << cd->log_log2), LOG_UNIT);
	u32 pages;
	int ret;

	for (; left; left -= pages, first += (u64)pages << cd->log_log2) {
		pages = min(left, CGPU_LOG_MAX_PAGES);
		ret = log_read(cd, first, pages, bits);
		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		vmig_dirty_push_bits(h->dirty, first, cd->log_log2, bits, pages);
		h->device += (u64)memweight(bits, pages / BITS_PER_BYTE) <<
			     (cd->log_log2 - VPV_PAGE_LOG2);
	}
	return 0;
}

static int harvest_ranges(struct cgpu_dev *cd, struct harvest *h)
{
	__le64 *bits = kvmalloc(CGPU_CP_WINDOW_BYTES, GFP_KERNEL_ACCOUNT);
	int err;

	if (!bits)
		return -ENOMEM;
	err = harvest_range(cd, h, 0, cgpu_main_bytes(cd), bits);
	if (!err && cd->place.carve)
		err = harvest_range(cd, h, CGPU_CARVE_BASE, cd->place.carve, bits);
	kvfree(bits);
	return err;
}

/* Lost, or not told: all of it is sent again, and recorded from the next time on that works. */
static int harvest_log(struct cgpu_dev *cd, struct harvest *h)
{
	int err = cd->log_lost ? -ENODATA : harvest_ranges(cd, h);

	if (!err || err == -EIO)
		return err;
	cd->log_lost = true;
	/* If it can never begin again, that is an error. */
	return log_begin(cd) == -EIO ? -EIO : err;
}

/* ---- Written by CPUs ---- */

static void push_main(void *data, u64 first, u64 last)
{
	struct harvest *h = data;

	vmig_dirty_push(h->dirty, first, last);
}

static void push_carve(void *data, u64 first, u64 last)
{
	push_main(data, CGPU_CARVE_BASE + first, CGPU_CARVE_BASE + last);
}

/*
 * The log is that of a paused function, if this is the last time: it has all.  Of bad pages nobody
 * need know before the end, when cgpu_save() insists.
 */
int cgpu_harvest(struct vmig_dev *mig, struct vmig_dirty *dirty)
{
	struct cgpu_dev *cd = cgpu_from_mig(mig);
	struct harvest h = { .dirty = dirty };
	int err = cgpu_bad_update(cd, false);

	if (err == -EIO)
		return err;
	h.cpu = vpv_bar_memory_written(&cd->m.vpv, CGPU_MAIN_BAR, push_main, &h);
	if (cd->place.carve)
		h.cpu += vpv_bar_memory_written(&cd->m.vpv, CGPU_CARVE_BAR, push_carve, &h);
	err = harvest_log(cd, &h);
	trace_cgpu_harvest(cgpu_device(cd), h.cpu, h.device, err);
	return err;
}

int cgpu_protect(struct vmig_dev *mig, const struct vmig_range *part)
{
	struct vpv_device *vpv = &cgpu_from_mig(mig)->m.vpv;
	u64 bytes = part->last - part->first + 1;

	if (part->first < CGPU_CARVE_BASE)
		vpv_bar_memory_protect(vpv, CGPU_MAIN_BAR, part->first, bytes);
	else
		vpv_bar_memory_protect(vpv, CGPU_CARVE_BAR, part->first - CGPU_CARVE_BASE, bytes);
	return 0;
}
