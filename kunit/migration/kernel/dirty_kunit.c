// SPDX-License-Identifier: GPL-2.0
/* DMA logging on the tracker of a fake device: log.c, tracker.c, through the ops of vfio.ko. */
#include <linux/delay.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "../../../migration/machine.h"
#include "fake_dev.h"

#define BASE		0x100000ULL
#define PAGE_LOG2	12
#define REPORT_PAGES	8
#define ALL_PAGES	64
#define MAP_BYTES	SZ_64K

/* The tracker; one test runs at a time.  What it has recorded is in pages from BASE on. */
static struct {
	struct vmig_track_limits limits;
	int limits_err;
	unsigned int limits_asked;
	int start_err;
	int report_err;
	unsigned int ms;
	unsigned int starts;
	unsigned int reports;
	u8 page_log2;
	u32 num;
	struct vmig_range ranges[4];
	const struct vmig_track_limits *offers;	/* refuses what is more than these, in turn */
	unsigned int num_offers;
	unsigned int at_once;	/* pages that one report tells of; 0: all */
	DECLARE_BITMAP(written, ALL_PAGES);
	struct completion asked;
} tracker;

static int tracker_limits(struct vmig_dev *mig, struct vmig_track_limits *limits)
{
	tracker.limits_asked++;
	*limits = tracker.limits;
	return tracker.limits_err;
}

static int tracker_start(struct vmig_dev *mig, const struct vmig_track *what,
			 struct vmig_track_limits *limits)
{
	tracker.starts++;
	msleep(tracker.ms);
	if (tracker.start_err)
		return tracker.start_err;
	if (tracker.num_offers) {
		*limits = *tracker.offers++;
		tracker.num_offers--;
		return -ENOSPC;
	}
	tracker.num = min_t(u32, what->num, ARRAY_SIZE(tracker.ranges));
	memcpy(tracker.ranges, what->ranges, tracker.num * sizeof(*what->ranges));
	tracker.page_log2 = what->page_log2;
	bitmap_zero(tracker.written, ALL_PAGES);
	return 0;
}

static void tracker_stop(struct vmig_dev *mig)
{
}

/* The pages that it was asked about, by a bitmap. */
static int tracker_report(struct vmig_dev *mig, const struct vmig_range *part,
			  struct vmig_dirty *dirty)
{
	u64 at = (part->first - BASE) >> tracker.page_log2;
	u64 pages = ((part->last - part->first) >> tracker.page_log2) + 1;
	__le64 bits[DIV_ROUND_UP(REPORT_PAGES, 64)] = {};

	tracker.reports++;
	complete(&tracker.asked);
	msleep(tracker.ms);
	if (tracker.report_err)
		return tracker.report_err;
	for (u64 n = 0; n < pages && at + n < ALL_PAGES; n++)
		if (test_and_clear_bit(at + n, tracker.written))
			bits[n / 64] |= cpu_to_le64(BIT_ULL(n % 64));
	vmig_dirty_push_bits(dirty, part->first, tracker.page_log2, bits,
			     min_t(u64, pages, REPORT_PAGES));
	return 0;
}

/* Whatever was written, the last first, page by page. */
static int tracker_report_all(struct vmig_dev *mig, const struct vmig_range *part,
			      struct vmig_dirty *dirty)
{
	unsigned int told = 0, n;

	tracker.reports++;
	msleep(tracker.ms);
	if (tracker.report_err)
		return tracker.report_err;
	while ((n = find_last_bit(tracker.written, ALL_PAGES)) < ALL_PAGES) {
		u64 first = BASE + ((u64)n << tracker.page_log2);

		if (tracker.at_once && told++ == tracker.at_once)
			return 1;
		__clear_bit(n, tracker.written);
		vmig_dirty_push(dirty, first, first + BIT_ULL(tracker.page_log2) - 1);
	}
	return 0;
}

static struct vmig_ops tracked_ops;

static struct fake *tracked_new(struct kunit *test, const char *name)
{
	tracked_ops = fake_small_ops;
	tracked_ops.track_limits = tracker_limits;
	tracked_ops.track_start = tracker_start;
	tracked_ops.track_stop = tracker_stop;
	tracked_ops.track_report = tracker_report;
	memset(&tracker, 0, sizeof(tracker));
	init_completion(&tracker.asked);
	tracker.limits = (struct vmig_track_limits){
		.ranges = 4, .page_min_log2 = PAGE_LOG2, .page_max_log2 = PAGE_LOG2,
		.address_bits = 48, .pages = 1 << 20, .report_pages = REPORT_PAGES,
	};
	if (!IS_ENABLED(CONFIG_IOMMUFD_DRIVER))
		kunit_skip(test, "this kernel has no bitmap to report into");
	return fake_new(test, name, &tracked_ops);
}

/* One whose report cannot be asked for a part, and of powers of two. */
static struct fake *unfiltered_new(struct kunit *test, const char *name)
{
	struct fake *fake = tracked_new(test, name);

	tracked_ops.track_report = tracker_report_all;
	tracker.limits.unfiltered = true;
	tracker.limits.pow2_ranges = true;
	tracker.limits.report_pages = 0;
	return fake;
}

static int log_start_size(struct fake *fake, const struct vmig_range *ranges, u32 num,
			  u64 *page_size)
{
	struct rb_root_cached root = RB_ROOT_CACHED;
	struct interval_tree_node nodes[4];

	for (u32 i = 0; i < num; i++) {
		nodes[i].start = ranges[i].first;
		nodes[i].last = ranges[i].last;
		interval_tree_insert(&nodes[i], &root);
	}
	return fake->vdev.log_ops->log_start(&fake->vdev, &root, num, page_size);
}

static int log_start(struct fake *fake, const struct vmig_range *ranges, u32 num)
{
	u64 page_size = SZ_4K;

	return log_start_size(fake, ranges, num, &page_size);
}

static int log_start_all(struct fake *fake)
{
	const struct vmig_range all = { BASE, BASE + ALL_PAGES * SZ_4K - 1 };

	return log_start(fake, &all, 1);
}

static int log_stop(struct fake *fake)
{
	return fake->vdev.log_ops->log_stop(&fake->vdev);
}

/* Report @bytes from @iova on into a bitmap of pages of 4 KiB; how many are dirty. */
static int log_report(struct kunit *test, struct fake *fake, u64 iova, u64 bytes,
		      unsigned long *bits)
{
	const u64 pages = bytes / SZ_4K;
	unsigned long user = kunit_vm_mmap(test, NULL, 0, MAP_BYTES, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	struct iova_bitmap *dirty;
	int err;

	KUNIT_ASSERT_LT(test, user, (unsigned long)TASK_SIZE);
	KUNIT_ASSERT_LE(test, pages, (u64)ALL_PAGES * 8);
	dirty = iova_bitmap_alloc(iova, bytes, SZ_4K, (u64 __user *)user);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dirty));
	err = fake->vdev.log_ops->log_read_and_clear(&fake->vdev, iova, bytes, dirty);
	iova_bitmap_free(dirty);
	KUNIT_ASSERT_EQ(test, copy_from_user(bits, (void __user *)user,
					     BITS_TO_LONGS(pages) * sizeof(long)), 0UL);
	return err ?: bitmap_weight(bits, pages);
}

static int log_report_all(struct kunit *test, struct fake *fake, unsigned long *bits)
{
	return log_report(test, fake, BASE, ALL_PAGES * SZ_4K, bits);
}

static void only_devices_with_a_tracker_offer_logging(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-plain", &fake_ops);

	KUNIT_EXPECT_NULL(test, fake->vdev.log_ops);
	fake_put(fake);

	fake = tracked_new(test, "vmig-tracked");
	KUNIT_EXPECT_NOT_NULL(test, fake->vdev.log_ops);
	/* It is looked at when the device is opened. */
	vmig_close(&fake->mig);
	tracker.limits_err = -EOPNOTSUPP;
	vmig_open(&fake->mig);
	KUNIT_EXPECT_NULL(test, fake->vdev.log_ops);
	vmig_close(&fake->mig);
	tracker.limits_err = -ENOTCONN;
	vmig_open(&fake->mig);
	KUNIT_EXPECT_NOT_NULL(test, fake->vdev.log_ops);
	fake_put(fake);
}

static void device_that_goes_away_is_not_asked_for_limits(struct kunit *test)
{
	struct fake *fake = tracked_new(test, "vmig-src");

	vmig_close(&fake->mig);
	vmig_detach(&fake->mig);
	tracker.limits_asked = 0;
	vmig_open(&fake->mig);
	KUNIT_EXPECT_EQ(test, tracker.limits_asked, 0U);
	KUNIT_EXPECT_NULL(test, fake->vdev.log_ops);
	fake_put(fake);
}

static void reports_are_exact(struct kunit *test)
{
	struct fake *fake = tracked_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_EXPECT_EQ(test, fake->mig.m->sets, 0ULL);
	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	KUNIT_EXPECT_GE(test, fake->mig.m->sets, (u64)ALL_PAGES / 8);
	__set_bit(3, tracker.written);
	__set_bit(40, tracker.written);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 2);
	KUNIT_EXPECT_TRUE(test, test_bit(3, bits) && test_bit(40, bits));
	KUNIT_EXPECT_EQ(test, tracker.reports, ALL_PAGES / REPORT_PAGES);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 0);
	KUNIT_EXPECT_EQ(test, log_report(test, fake, BASE, 0, bits), -EINVAL);
	KUNIT_EXPECT_EQ(test, log_stop(fake), 0);
	KUNIT_EXPECT_EQ(test, fake->mig.m->sets, 0ULL);
	fake_put(fake);
}

/* One question and one restart of a report may take long, and another one of the next. */
static void tracker_that_hangs_is_restarted_once(struct kunit *test)
{
	struct fake *fake = tracked_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	tracker.ms = 200;
	tracker.report_err = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), ALL_PAGES);
	KUNIT_EXPECT_EQ(test, tracker.starts, 2);
	KUNIT_EXPECT_EQ(test, tracker.reports, 2);
	/* Many reports, as a VMM makes them: none of them costs anything. */
	for (int i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), ALL_PAGES);
	KUNIT_EXPECT_EQ(test, tracker.starts, 2);
	KUNIT_EXPECT_EQ(test, tracker.reports, 2);

	/* After a pause it gets another chance. */
	tracker.report_err = 0;
	tracker.ms = 0;
	msleep(5000);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), ALL_PAGES);
	KUNIT_EXPECT_EQ(test, tracker.starts, 3);
	__set_bit(7, tracker.written);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 1);
	fake_put(fake);
}

static void tracker_that_does_not_start_again_is_left_alone(struct kunit *test)
{
	struct fake *fake = tracked_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	tracker.ms = 200;
	tracker.report_err = -EIO;
	tracker.start_err = -ETIMEDOUT;
	for (int i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), ALL_PAGES);
	KUNIT_EXPECT_EQ(test, tracker.starts, 2);
	KUNIT_EXPECT_EQ(test, tracker.reports, 1);
	fake_put(fake);
}

/* One that fails at once is back at once: everything is dirty once. */
static void tracker_that_failed_is_exact_again(struct kunit *test)
{
	struct fake *fake = tracked_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	tracker.report_err = -EIO;
	KUNIT_EXPECT_EQ(test, log_report(test, fake, BASE, REPORT_PAGES * SZ_4K, bits),
			REPORT_PAGES);
	tracker.report_err = 0;
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), ALL_PAGES - REPORT_PAGES);
	__set_bit(1, tracker.written);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 1);
	fake_put(fake);
}

/* What there was no time to ask for is dirty, and is still known to the device. */
static void slow_tracker_is_not_waited_for(struct kunit *test)
{
	struct fake *fake = tracked_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	__set_bit(ALL_PAGES - 1, tracker.written);
	tracker.ms = 2800;
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), ALL_PAGES - 2 * REPORT_PAGES);
	KUNIT_EXPECT_EQ(test, tracker.reports, 2);
	KUNIT_EXPECT_EQ(test, tracker.starts, 1);
	tracker.ms = 0;
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 1);
	KUNIT_EXPECT_TRUE(test, test_bit(ALL_PAGES - 1, bits));
	fake_put(fake);
}

struct killed {
	struct fake *fake;
	struct iova_bitmap *dirty;
	int err;
	struct completion done;
};

/* Nothing is dirty, so no memory of a user is touched. */
static int report_until_killed(void *data)
{
	struct killed *k = data;

	allow_signal(SIGKILL);
	k->err = k->fake->vdev.log_ops->log_read_and_clear(&k->fake->vdev, BASE,
							   ALL_PAGES * SZ_4K, k->dirty);
	complete(&k->done);
	return 0;
}

static void killed_reader_does_not_ask_on(struct kunit *test)
{
	unsigned long user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	struct fake *fake = tracked_new(test, "vmig-src");
	struct killed k = { .fake = fake };
	struct task_struct *task;

	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	init_completion(&k.done);
	k.dirty = iova_bitmap_alloc(BASE, ALL_PAGES * SZ_4K, SZ_4K, (u64 __user *)user);
	KUNIT_ASSERT_FALSE(test, IS_ERR(k.dirty));
	tracker.ms = 500;
	task = kthread_create(report_until_killed, &k, "vmig-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&tracker.asked);
	send_sig(SIGKILL, task, 1);
	wait_for_completion(&k.done);
	put_task_struct(task);
	iova_bitmap_free(k.dirty);
	KUNIT_EXPECT_EQ(test, k.err, -EINTR);
	KUNIT_EXPECT_EQ(test, tracker.reports, 1);
	fake_put(fake);
}

/* Pages of the device are larger than what is wanted at both ends. */
static void edges_do_not_stay_dirty(struct kunit *test)
{
	const struct vmig_range want = { BASE + SZ_4K, BASE + 3 * SZ_64K - SZ_4K - 1 };
	struct fake *fake = tracked_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	tracker.limits.page_min_log2 = 16;
	tracker.limits.page_max_log2 = 16;
	KUNIT_ASSERT_EQ(test, log_start(fake, &want, 1), 0);
	KUNIT_EXPECT_EQ(test, tracker.ranges[0].first, BASE);
	KUNIT_EXPECT_EQ(test, tracker.ranges[0].last, BASE + 3 * SZ_64K - 1);
	bitmap_fill(tracker.written, 3);
	KUNIT_EXPECT_EQ(test, log_report(test, fake, want.first, want.last - want.first + 1,
					 bits), 46);
	KUNIT_EXPECT_EQ(test, log_report(test, fake, want.first, want.last - want.first + 1,
					 bits), 0);

	/* A half that was not asked for is wanted, and reported with the next report. */
	__set_bit(1, tracker.written);
	KUNIT_EXPECT_EQ(test, log_report(test, fake, BASE + SZ_64K, SZ_32K, bits), 8);
	KUNIT_EXPECT_EQ(test, log_report(test, fake, BASE + SZ_64K, SZ_64K, bits), 16);
	KUNIT_EXPECT_EQ(test, log_report(test, fake, BASE + SZ_64K, SZ_64K, bits), 0);
	fake_put(fake);
}

static void range_beyond_the_tracker_is_dirty_and_the_rest_exact(struct kunit *test)
{
	const struct vmig_range want[] = {
		{ BASE, BASE + ALL_PAGES * SZ_4K - 1 },
		{ 1ULL << 60, (1ULL << 60) + 4 * SZ_4K - 1 },
	};
	struct fake *fake = tracked_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_ASSERT_EQ(test, log_start(fake, want, 2), 0);
	KUNIT_EXPECT_EQ(test, tracker.num, 1U);
	for (int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, log_report(test, fake, 1ULL << 60, 4 * SZ_4K, bits), 4);
		KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 0);
	}
	KUNIT_EXPECT_EQ(test, log_stop(fake), 0);
	/* Nothing of it can be tracked. */
	KUNIT_EXPECT_EQ(test, log_start(fake, &want[1], 1), -ERANGE);
	fake_put(fake);
}

/* Rounded to its pages, the range ends with the address space. */
static void report_up_to_the_end_of_the_space_ends(struct kunit *test)
{
	static const u8 page_log2[] = { 21, 46, 62 };
	struct fake *fake = tracked_new(test, "vmig-src");
	const u64 bytes = 16 * SZ_4K, first = ~0ULL - bytes - SZ_4K + 1;
	const struct vmig_range want = { first, first + bytes - 1 };
	DECLARE_BITMAP(bits, ALL_PAGES);

	for (int i = 0; i < ARRAY_SIZE(page_log2); i++) {
		tracker.limits.page_min_log2 = page_log2[i];
		tracker.limits.page_max_log2 = page_log2[i];
		tracker.limits.address_bits = 64;
		tracker.limits.report_pages = 256 << 10;
		KUNIT_ASSERT_EQ(test, log_start(fake, &want, 1), 0);
		KUNIT_EXPECT_EQ(test, tracker.ranges[0].last, ~0ULL);
		KUNIT_EXPECT_EQ(test, log_report(test, fake, first, bytes, bits), 0);
		tracker.report_err = -EIO;
		KUNIT_EXPECT_EQ(test, log_report(test, fake, first, bytes, bits), 16);
		tracker.report_err = 0;
		KUNIT_EXPECT_EQ(test, log_report(test, fake, first, bytes, bits), 0);
		KUNIT_EXPECT_EQ(test, log_stop(fake), 0);
	}
	fake_put(fake);
}

/* ---- Reports without a filter ---- */

static void unfiltered_tracker_is_asked_once_a_report(struct kunit *test)
{
	struct fake *fake = unfiltered_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	__set_bit(3, tracker.written);
	__set_bit(40, tracker.written);
	__set_bit(41, tracker.written);
	/* What nobody has asked for is told to whoever asks for it later. */
	KUNIT_EXPECT_EQ(test, log_report(test, fake, BASE, 8 * SZ_4K, bits), 1);
	KUNIT_EXPECT_TRUE(test, test_bit(3, bits));
	KUNIT_EXPECT_EQ(test, tracker.reports, 1);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(tracker.written, ALL_PAGES));
	__set_bit(5, tracker.written);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 3);
	KUNIT_EXPECT_TRUE(test, test_bit(5, bits) && test_bit(40, bits) && test_bit(41, bits));
	KUNIT_EXPECT_EQ(test, tracker.reports, 2);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 0);
	fake_put(fake);
}

static void unfiltered_tracker_tells_in_parts(struct kunit *test)
{
	struct fake *fake = unfiltered_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	bitmap_set(tracker.written, 10, 25);
	tracker.at_once = 10;
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 25);
	KUNIT_EXPECT_EQ(test, tracker.reports, 3);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 0);
	fake_put(fake);
}

/* It never ends, so nobody knows whether the pages that are asked for were told. */
static void tracker_that_tells_for_ever_is_not_waited_for(struct kunit *test)
{
	struct fake *fake = unfiltered_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	bitmap_set(tracker.written, 0, 4);
	tracker.at_once = 1;
	tracker.ms = 2800;
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), ALL_PAGES);
	KUNIT_EXPECT_EQ(test, tracker.reports, 2);
	KUNIT_EXPECT_EQ(test, tracker.starts, 1);
	/* Two it has told of, two it still has. */
	tracker.ms = 0;
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 4);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 0);
	fake_put(fake);
}

static void unfiltered_tracker_that_failed_is_exact_again(struct kunit *test)
{
	struct fake *fake = unfiltered_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	tracker.report_err = -EIO;
	KUNIT_EXPECT_EQ(test, log_report(test, fake, BASE, 8 * SZ_4K, bits), 8);
	KUNIT_EXPECT_EQ(test, tracker.starts, 2);
	tracker.report_err = 0;
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), ALL_PAGES - 8);
	__set_bit(1, tracker.written);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 1);
	fake_put(fake);
}

/* ---- A start that is negotiated ---- */

#define OFFER(_ranges, _log2)							\
	{ .ranges = (_ranges), .page_min_log2 = (_log2), .page_max_log2 = 21,	\
	  .address_bits = 48, .pow2_ranges = true, .unfiltered = true, .pages = 1 << 20 }

static void device_that_offers_less_is_planned_for_again(struct kunit *test)
{
	static const struct vmig_track_limits offers[] = { OFFER(2, 12), OFFER(1, 14) };
	const struct vmig_range want[] = {
		{ BASE, BASE + 5 * SZ_4K - 1 },
		{ BASE + 8 * SZ_4K, BASE + 10 * SZ_4K - 1 },
	};
	struct fake *fake = unfiltered_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);
	u64 page_size = SZ_4K;

	tracker.offers = offers;
	tracker.num_offers = ARRAY_SIZE(offers);
	KUNIT_ASSERT_EQ(test, log_start_size(fake, want, 2, &page_size), 0);
	KUNIT_EXPECT_EQ(test, tracker.starts, 3);
	KUNIT_EXPECT_EQ(test, page_size, (u64)SZ_16K);
	KUNIT_ASSERT_EQ(test, tracker.num, 1U);
	KUNIT_EXPECT_EQ(test, tracker.ranges[0].first, BASE);
	KUNIT_EXPECT_EQ(test, tracker.ranges[0].last, BASE + SZ_64K - 1);
	__set_bit(2, tracker.written);
	KUNIT_EXPECT_EQ(test, log_report(test, fake, BASE, SZ_64K, bits), 4);
	KUNIT_EXPECT_EQ(test, log_report(test, fake, BASE, SZ_64K, bits), 0);
	fake_put(fake);
}

static void device_that_offers_less_and_less_is_given_up(struct kunit *test)
{
	static const struct vmig_track_limits offers[] = {
		OFFER(2, 12), OFFER(2, 13), OFFER(2, 14), OFFER(2, 15), OFFER(2, 16), OFFER(2, 17),
	};
	static const struct vmig_track_limits nothing[] = {
		OFFER(0, 12),
		{ .ranges = 1, .page_min_log2 = 12, .page_max_log2 = 12, .address_bits = 48,
		  .pages = 1 << 20 },
	};
	struct fake *fake = unfiltered_new(test, "vmig-src");

	tracker.offers = offers;
	tracker.num_offers = ARRAY_SIZE(offers);
	KUNIT_EXPECT_EQ(test, log_start_all(fake), -ENOSPC);
	KUNIT_EXPECT_EQ(test, tracker.starts, 4);
	/* Offers are no more trusted than limits. */
	for (int i = 0; i < ARRAY_SIZE(nothing); i++) {
		tracker.offers = &nothing[i];
		tracker.num_offers = 1;
		KUNIT_EXPECT_EQ(test, log_start_all(fake), -EINVAL);
	}
	tracker.num_offers = 0;
	KUNIT_EXPECT_EQ(test, log_start_all(fake), 0);
	fake_put(fake);
}

/* Nobody waits for four starts that take long. */
static void device_that_offers_less_slowly_is_given_up(struct kunit *test)
{
	static const struct vmig_track_limits offers[] = {
		OFFER(2, 12), OFFER(2, 13), OFFER(2, 14),
	};
	struct fake *fake = unfiltered_new(test, "vmig-src");

	tracker.ms = 2600;
	tracker.offers = offers;
	tracker.num_offers = ARRAY_SIZE(offers);
	KUNIT_EXPECT_EQ(test, log_start_all(fake), -ENOSPC);
	KUNIT_EXPECT_EQ(test, tracker.starts, 2);
	KUNIT_EXPECT_EQ(test, fake->mig.m->sets, 0ULL);
	fake_put(fake);
}

/* In the middle of a report, in other pages: everything is dirty, and then exact. */
static void lost_tracker_that_offers_less_is_planned_for_again(struct kunit *test)
{
	static const struct vmig_track_limits offers[] = { OFFER(4, 14) };
	struct fake *fake = unfiltered_new(test, "vmig-src");
	DECLARE_BITMAP(bits, ALL_PAGES);

	KUNIT_ASSERT_EQ(test, log_start_all(fake), 0);
	tracker.report_err = -EIO;
	tracker.offers = offers;
	tracker.num_offers = ARRAY_SIZE(offers);
	KUNIT_EXPECT_EQ(test, log_report(test, fake, BASE, 8 * SZ_4K, bits), 8);
	KUNIT_EXPECT_EQ(test, tracker.starts, 3);
	KUNIT_EXPECT_EQ(test, tracker.page_log2, 14);
	tracker.report_err = 0;
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), ALL_PAGES - 8);
	__set_bit(1, tracker.written);
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 4);
	KUNIT_EXPECT_TRUE(test, test_bit(4, bits) && test_bit(7, bits));
	KUNIT_EXPECT_EQ(test, log_report_all(test, fake, bits), 0);
	fake_put(fake);
}

static struct kunit_case dirty_cases[] = {
	KUNIT_CASE(only_devices_with_a_tracker_offer_logging),
	KUNIT_CASE(device_that_goes_away_is_not_asked_for_limits),
	KUNIT_CASE(reports_are_exact),
	KUNIT_CASE_SLOW(tracker_that_hangs_is_restarted_once),
	KUNIT_CASE(tracker_that_does_not_start_again_is_left_alone),
	KUNIT_CASE(tracker_that_failed_is_exact_again),
	KUNIT_CASE_SLOW(slow_tracker_is_not_waited_for),
	KUNIT_CASE(killed_reader_does_not_ask_on),
	KUNIT_CASE(edges_do_not_stay_dirty),
	KUNIT_CASE(range_beyond_the_tracker_is_dirty_and_the_rest_exact),
	KUNIT_CASE(report_up_to_the_end_of_the_space_ends),
	KUNIT_CASE(unfiltered_tracker_is_asked_once_a_report),
	KUNIT_CASE(unfiltered_tracker_tells_in_parts),
	KUNIT_CASE_SLOW(tracker_that_tells_for_ever_is_not_waited_for),
	KUNIT_CASE(unfiltered_tracker_that_failed_is_exact_again),
	KUNIT_CASE(device_that_offers_less_is_planned_for_again),
	KUNIT_CASE(device_that_offers_less_and_less_is_given_up),
	KUNIT_CASE_SLOW(device_that_offers_less_slowly_is_given_up),
	KUNIT_CASE(lost_tracker_that_offers_less_is_planned_for_again),
	{}
};

static struct kunit_suite dirty_suite = {
	.name = "migration_dirty",
	.test_cases = dirty_cases,
};

kunit_test_suite(dirty_suite);

VPV_COMPAT_IMPORT_NS(IOMMUFD);
