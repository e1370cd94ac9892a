// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of the memory that are bad.  The function has a list of those that it knows of; the core
 * lets nobody access them, nor those that the kernel knows of.
 */
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "coherent_gpu.h"

#define WATCH_MS	1000U
#define WATCH_MOST_MS	(64 * WATCH_MS)

/* Pages of @list that are not in @other are bad, or are so no more.  Return: was any not known? */
static bool tell_others(struct cgpu_dev *cd, const struct cgpu_poison *list, u32 num,
			const struct cgpu_poison *other, u32 num_other, bool bad)
{
	struct vpv_device *vpv = &cd->m.vpv;
	bool told = false;

	for (u32 i = 0; i < num; i++) {
		u64 addr = le64_to_cpu(list[i].address);

		if (cgpu_poison_has(other, num_other, addr))
			continue;
		if (addr < CGPU_CARVE_BASE)
			told |= vpv_bar_memory_bad(vpv, CGPU_MAIN_BAR, addr, bad);
		else
			told |= vpv_bar_memory_bad(vpv, CGPU_CARVE_BAR, addr - CGPU_CARVE_BASE,
						   bad);
	}
	return told;
}

/* Return: 0, or -EPROTO, with a line in the log. */
static int check_list(struct cgpu_dev *cd, const struct cgpu_poison *list, u32 num)
{
	struct vmig_diff diff;

	if (!num || !cgpu_poison_check(&cd->place, list, num * sizeof(*list), &diff))
		return 0;
	dev_warn_ratelimited(cgpu_device(cd), "%s is %#llx, may be %#llx\n", diff.field, diff.got,
			     diff.want);
	return -EPROTO;
}

/* Size of an answer.  Return: a number of pages, or a negative errno. */
static int answer_pages(struct cgpu_dev *cd)
{
	u32 bytes;
	int err = vpv_reg_read(&cd->ctl, CGPU_CP_BYTES, &bytes);

	if (err)
		return err;
	if (bytes <= CGPU_POISON_MAX * sizeof(struct cgpu_poison) &&
	    IS_ALIGNED(bytes, sizeof(struct cgpu_poison)))
		return bytes / sizeof(struct cgpu_poison);
	dev_warn_ratelimited(cgpu_device(cd), "a list of bad pages of %u bytes\n", bytes);
	return -EPROTO;
}

/* There may be more of them than CP_POISON has told.  Return: their number, or a negative errno. */
static int read_list(struct cgpu_dev *cd, struct cgpu_poison *list)
{
	int err, num;

	err = cgpu_command(cd, CGPU_POISON_READ, NULL, 0);
	if (err)
		return err;
	num = answer_pages(cd);
	if (num < 0)
		return num;
	err = cgpu_window(cd, list, num * sizeof(*list));
	return err ?: check_list(cd, list, num) ?: num;
}

static int new_list(struct cgpu_dev *cd)
{
	struct cgpu_poison *list;
	int err, num;
	u32 any;

	err = vpv_reg_read(&cd->ctl, CGPU_CP_POISON, &any);
	if (err || (!any && !cd->num_bad))
		return err;
	list = kcalloc(CGPU_POISON_MAX, sizeof(*list), GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	num = any ? read_list(cd, list) : 0;
	if (num >= 0) {
		if (tell_others(cd, list, num, cd->bad, cd->num_bad, true))
			vpv_bar_memory_bad_told(&cd->m.vpv);
		tell_others(cd, cd->bad, cd->num_bad, list, num, false);
		memcpy(cd->bad, list, num * sizeof(*list));
		cd->num_bad = num;
	}
	kfree(list);
	return min(num, 0);
}

int cgpu_bad_update(struct cgpu_dev *cd, bool anew)
{
	u32 seq;
	int err;

	guard(mutex)(&cd->cmd_lock);

	err = vpv_reg_read(&cd->ctl, CGPU_CP_POISON_SEQ, &seq);
	if (err || (!anew && seq == cd->bad_seq))
		return err;
	err = new_list(cd);
	/* What has come since is found next time. */
	if (!err)
		cd->bad_seq = seq;
	return err;
}

/* ---- All of them ---- */

struct bad_list {
	struct cgpu_poison *page;
	u32 num;
	u64 base;
};

static void add_page(void *data, u64 pos)
{
	struct bad_list *l = data;

	if (l->page && l->num < CGPU_POISON_MAX)
		l->page[l->num] = (struct cgpu_poison){ .address = cpu_to_le64(l->base + pos) };
	l->num++;
}

u32 cgpu_bad_list(struct cgpu_dev *cd, struct cgpu_poison *list)
{
	struct bad_list l = { .page = list };

	vpv_bar_memory_bad_pages(&cd->m.vpv, CGPU_MAIN_BAR, add_page, &l);
	l.base = CGPU_CARVE_BASE;
	if (cd->place.carve)
		vpv_bar_memory_bad_pages(&cd->m.vpv, CGPU_CARVE_BAR, add_page, &l);
	return l.num;
}

/* ---- Periodically ---- */

static void watch_in(struct cgpu_dev *cd, unsigned int ms)
{
	cd->watch_ms = ms;
	schedule_delayed_work(&cd->watch, msecs_to_jiffies(ms));
}

/* Nothing raises an interrupt.  What is wrong is in the log, less and less often. */
static void watch(struct work_struct *work)
{
	struct cgpu_dev *cd = container_of(to_delayed_work(work), struct cgpu_dev, watch);
	unsigned int ms = WATCH_MS;

	if (vpv_bar_memory_enabled(&cd->m.vpv) && cgpu_bad_update(cd, false))
		ms = min(2 * cd->watch_ms, WATCH_MOST_MS);
	watch_in(cd, ms);
}

void cgpu_watch_init(struct cgpu_dev *cd)
{
	INIT_DELAYED_WORK(&cd->watch, watch);
}

void cgpu_watch_start(struct cgpu_dev *cd)
{
	watch_in(cd, WATCH_MS);
}

void cgpu_watch_stop(struct cgpu_dev *cd)
{
	cancel_delayed_work_sync(&cd->watch);
}
