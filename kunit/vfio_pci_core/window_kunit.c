// SPDX-License-Identifier: GPL-2.0
/*
 * Windows of registers, vfio_pci_core/window.c, with a BAR, a clock and reachability of the
 * test's own.  Every access is within the window and between begin and end, every begin that
 * succeeded has its end, and nothing sleeps in between.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pci.h>

#include <vpv/core.h>
#include <vpv/window.h>

#define BAR		2
#define REGS		32		/* of the BAR */
#define FIRST		8		/* of them in the window */
#define WINDOW_REGS	16
#define REG(n)		((u32)((n) * sizeof(u32)))
#define REG_ID		REG(0)
#define REG_STATUS	REG(1)
#define REG_DATA	REG(4)
#define ID		0x76501234U
#define READY		0x8U
#define NEVER		UINT_MAX

/* One test runs at a time. */
static struct {
	u32 regs[REGS];
	bool mapped;
	u64 bar_bytes;
	unsigned long now;		/* in jiffies */
	unsigned long nap;		/* how long a sleep takes */
	unsigned long delay;		/* how long a read does */
	unsigned int ready_after;	/* sleeps until STATUS has READY set */
	unsigned int dead_after;	/* sleeps until all reads are ones */
	unsigned int begin_fails_after;	/* begins that succeed before that */
	int begin_err;
	int depth;
	unsigned int begins;
	unsigned int ends;
	unsigned int reads;
	unsigned int writes;
	unsigned int sleeps;
	unsigned int wrong;		/* accesses, sleeps and ends where none may be */
} fake;

static int fake_begin(struct vpv_device *vpv)
{
	if (fake.begins >= fake.begin_fails_after)
		return fake.begin_err;
	fake.begins++;
	fake.wrong += fake.depth++ != 0;
	return 0;
}

static void fake_end(struct vpv_device *vpv)
{
	fake.ends++;
	fake.wrong += --fake.depth != 0;
}

static void __iomem *fake_bar(unsigned int bar)
{
	return bar == BAR && fake.mapped ? (void __iomem *)fake.regs : NULL;
}

/* The register at @addr, or NULL where no access may be. */
static u32 *fake_reg(const void __iomem *addr)
{
	size_t pos = (__force const u8 *)addr - (const u8 *)fake.regs;

	if (fake.depth == 1 && IS_ALIGNED(pos, sizeof(u32)) && pos >= REG(FIRST) &&
	    pos < REG(FIRST + WINDOW_REGS))
		return &fake.regs[pos / sizeof(u32)];
	fake.wrong++;
	return NULL;
}

static u32 fake_read(const void __iomem *addr)
{
	const u32 *reg = fake_reg(addr);

	fake.reads++;
	fake.now += fake.delay;
	return !reg || fake.sleeps >= fake.dead_after ? U32_MAX : *reg;
}

static void fake_write(u32 val, void __iomem *addr)
{
	u32 *reg = fake_reg(addr);

	fake.writes++;
	if (reg)
		*reg = val;
}

static void fake_sleep(void)
{
	fake.wrong += fake.depth != 0;
	fake.now += fake.nap;
	if (++fake.sleeps >= fake.ready_after)
		fake.regs[FIRST + 1] |= READY;
}

#define vpv_mmio_begin(vpv)		fake_begin(vpv)
#define vpv_mmio_end(vpv)		fake_end(vpv)
#define vpv_bar(vpv, bar)		((void)(vpv), fake_bar(bar))
#define vpv_bar_bytes(vpv, bar)		((void)(vpv), (bar) == BAR ? fake.bar_bytes : 0)
#undef ioread32
#define ioread32(addr)			fake_read(addr)
#undef iowrite32
#define iowrite32(val, addr)		fake_write(val, addr)
#define usleep_range(...)		fake_sleep()
#undef jiffies
#define jiffies				(fake.now)
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(name) extern typeof(name) name

#include "../../vfio_pci_core/window.c"

static int window_test_init(struct kunit *test)
{
	struct vpv_window *win = kunit_kzalloc(test, sizeof(*win), GFP_KERNEL);
	struct vpv_device *vpv = kunit_kzalloc(test, sizeof(*vpv), GFP_KERNEL);
	struct pci_dev *pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, win);
	KUNIT_ASSERT_NOT_NULL(test, vpv);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	pdev->dev.init_name = "vpv-window";
	vpv->pdev = pdev;
	*win = (struct vpv_window){
		.vpv = vpv,
		.bar = BAR,
		.offset = REG(FIRST),
		.bytes = REG(WINDOW_REGS),
		.id = REG_ID,
		.id_value = ID,
	};
	test->priv = win;

	memset(&fake, 0, sizeof(fake));
	for (u32 i = 0; i < REGS; i++)
		fake.regs[i] = 0x1000 + i;
	fake.regs[FIRST] = ID;
	fake.regs[FIRST + 1] = 0x1;
	fake.mapped = true;
	fake.bar_bytes = sizeof(fake.regs);
	/* A clock of few milliseconds, which overflows in every test that waits. */
	fake.now = -msecs_to_jiffies(4);
	fake.nap = msecs_to_jiffies(4);
	fake.ready_after = NEVER;
	fake.dead_after = NEVER;
	fake.begin_fails_after = NEVER;
	return 0;
}

static void window_test_exit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, fake.depth, 0);
	KUNIT_EXPECT_EQ(test, fake.begins, fake.ends);
	KUNIT_EXPECT_EQ(test, fake.wrong, 0);
}

/* From now on begin gives @err. */
static void out_of_reach(int err)
{
	fake.begin_fails_after = fake.begins;
	fake.begin_err = err;
}

/* ---- Is it there? ---- */

static void window_is_recognised_by_its_id(struct kunit *test)
{
	struct vpv_window *win = test->priv;

	KUNIT_EXPECT_EQ(test, vpv_window_open(win), 0);
	KUNIT_EXPECT_EQ(test, fake.writes, 0);
	fake.regs[FIRST] = ID ^ 1;
	KUNIT_EXPECT_EQ(test, vpv_window_open(win), -ENODEV);
	fake.regs[FIRST] = U32_MAX;
	KUNIT_EXPECT_EQ(test, vpv_window_open(win), -EIO);
	out_of_reach(-ENODEV);
	KUNIT_EXPECT_EQ(test, vpv_window_open(win), -ENODEV);
}

static void bar_without_room_is_refused_unread(struct kunit *test)
{
	struct vpv_window *win = test->priv;

	fake.bar_bytes = REG(FIRST + WINDOW_REGS) - 1;
	KUNIT_EXPECT_EQ(test, vpv_window_open(win), -ENODEV);
	fake.bar_bytes = REG(FIRST + WINDOW_REGS);
	fake.mapped = false;
	KUNIT_EXPECT_EQ(test, vpv_window_open(win), -EBUSY);
	win->bar = BAR + 1;
	KUNIT_EXPECT_EQ(test, vpv_window_open(win), -ENODEV);
	KUNIT_EXPECT_EQ(test, fake.begins, 0);
	win->bar = BAR;
	fake.mapped = true;
	KUNIT_EXPECT_EQ(test, vpv_window_open(win), 0);
}

/* ---- One register ---- */

static void register_is_read_where_the_window_is(struct kunit *test)
{
	struct vpv_window *win = test->priv;
	u32 val = 0;

	for (u32 i = 0; i < WINDOW_REGS; i++) {
		KUNIT_EXPECT_EQ(test, vpv_reg_read(win, REG(i), &val), 0);
		KUNIT_EXPECT_EQ(test, val, fake.regs[FIRST + i]);
	}
	KUNIT_EXPECT_EQ(test, fake.reads, WINDOW_REGS);
	KUNIT_EXPECT_EQ(test, fake.writes, 0);
}

static void register_is_written_alone(struct kunit *test)
{
	struct vpv_window *win = test->priv;
	u32 was[REGS];

	memcpy(was, fake.regs, sizeof(was));
	KUNIT_EXPECT_EQ(test, vpv_reg_write(win, REG_DATA, 0xabcd), 0);
	was[FIRST + REG_DATA / sizeof(u32)] = 0xabcd;
	KUNIT_EXPECT_MEMEQ(test, was, fake.regs, sizeof(was));
	KUNIT_EXPECT_EQ(test, fake.writes, 1);
	KUNIT_EXPECT_EQ(test, fake.reads, 0);
}

static void all_ones_are_no_value(struct kunit *test)
{
	struct vpv_window *win = test->priv;
	u32 val = 0;

	fake.dead_after = 0;
	KUNIT_EXPECT_EQ(test, vpv_reg_read(win, REG_DATA, &val), -EIO);
	KUNIT_EXPECT_EQ(test, val, U32_MAX);
}

/* It is gone, or does not wake up: nothing is accessed, and what was asked for stays as it was. */
static void unreachable_function_is_not_accessed(struct kunit *test)
{
	static const int errs[] = { -ENODEV, -EIO };
	struct vpv_window *win = test->priv;

	for (size_t i = 0; i < ARRAY_SIZE(errs); i++) {
		__le32 buf[4] = { };
		u32 val = 0x5a;

		out_of_reach(errs[i]);
		KUNIT_EXPECT_EQ(test, vpv_window_begin(win), errs[i]);
		KUNIT_EXPECT_EQ(test, vpv_reg_read(win, REG_DATA, &val), errs[i]);
		KUNIT_EXPECT_EQ(test, vpv_reg_write(win, REG_DATA, 1), errs[i]);
		KUNIT_EXPECT_EQ(test, vpv_reg_poll(win, REG_DATA, 0, 0, 100, &val), errs[i]);
		KUNIT_EXPECT_EQ(test, vpv_window_ready(win, REG_STATUS, READY, 100), errs[i]);
		KUNIT_EXPECT_EQ(test, vpv_window_read(win, REG_DATA, buf, sizeof(buf)), errs[i]);
		KUNIT_EXPECT_EQ(test, vpv_window_write(win, REG_DATA, buf, sizeof(buf)), errs[i]);
		KUNIT_EXPECT_EQ(test, val, 0x5a);
		KUNIT_EXPECT_EQ(test, le32_to_cpu(buf[0]), 0);
	}
	KUNIT_EXPECT_EQ(test, fake.reads + fake.writes + fake.sleeps, 0);
}

/* ---- Several in a row ---- */

static void several_accesses_need_one_begin(struct kunit *test)
{
	struct vpv_window *win = test->priv;

	KUNIT_ASSERT_EQ(test, vpv_window_begin(win), 0);
	KUNIT_EXPECT_EQ(test, vpv_window_get(win, REG_ID), ID);
	vpv_window_put(win, REG_DATA, 7);
	KUNIT_EXPECT_EQ(test, vpv_window_get(win, REG_DATA), 7);
	KUNIT_EXPECT_TRUE(test, vpv_window_answers(win));
	fake.dead_after = 0;
	KUNIT_EXPECT_FALSE(test, vpv_window_answers(win));
	KUNIT_EXPECT_EQ(test, vpv_window_get(win, REG_DATA), U32_MAX);
	vpv_window_end(win);
	KUNIT_EXPECT_EQ(test, fake.begins, 1);
}

/* ---- Waits ---- */

static void what_is_there_is_not_waited_for(struct kunit *test)
{
	struct vpv_window *win = test->priv;
	u32 val = 0;

	/* Bits outside of the mask do not count. */
	fake.regs[FIRST + 1] = 0xf0 | READY;
	KUNIT_EXPECT_EQ(test, vpv_reg_poll(win, REG_STATUS, READY | 1, READY, 0, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 0xf0 | READY);
	KUNIT_EXPECT_EQ(test, vpv_reg_poll(win, REG_STATUS, 0x1, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, fake.reads, 2);
	KUNIT_EXPECT_EQ(test, fake.sleeps, 0);
}

static void wait_ends_when_the_register_has_it(struct kunit *test)
{
	struct vpv_window *win = test->priv;
	u32 val = 0;

	fake.ready_after = 5;
	KUNIT_EXPECT_EQ(test, vpv_reg_poll(win, REG_STATUS, READY, READY, 1000, &val), 0);
	KUNIT_EXPECT_EQ(test, val, READY | 0x1);
	KUNIT_EXPECT_EQ(test, fake.sleeps, 5);
	/* It can be reset, or go to sleep, between two looks. */
	KUNIT_EXPECT_EQ(test, fake.begins, 6);
}

static void wait_takes_its_limit_and_no_more(struct kunit *test)
{
	struct vpv_window *win = test->priv;
	unsigned long start = fake.now, took;
	u32 val = 0;

	KUNIT_EXPECT_EQ(test, vpv_reg_poll(win, REG_STATUS, READY, READY, 40, &val), -ETIMEDOUT);
	took = fake.now - start;
	KUNIT_EXPECT_GE(test, took, msecs_to_jiffies(40));
	KUNIT_EXPECT_LE(test, took, msecs_to_jiffies(40) + 2 * fake.nap);
	KUNIT_EXPECT_EQ(test, val, 0x1);
}

/* Who slept for longer than the limit looks once more. */
static void late_wake_up_is_no_time_out(struct kunit *test)
{
	struct vpv_window *win = test->priv;

	fake.nap = msecs_to_jiffies(10000);
	fake.ready_after = 1;
	KUNIT_EXPECT_EQ(test, vpv_reg_poll(win, REG_STATUS, READY, READY, 40, NULL), 0);
	KUNIT_EXPECT_EQ(test, fake.sleeps, 1);
}

/* Nor is a processor that was taken away between the clock and the register. */
static void slow_read_is_no_time_out(struct kunit *test)
{
	struct vpv_window *win = test->priv;

	fake.delay = msecs_to_jiffies(10000);
	fake.ready_after = 1;
	KUNIT_EXPECT_EQ(test, vpv_reg_poll(win, REG_STATUS, READY, READY, 40, NULL), 0);
	KUNIT_EXPECT_EQ(test, fake.reads, 2);
}

static void wait_ends_with_the_function(struct kunit *test)
{
	struct vpv_window *win = test->priv;
	u32 val = 0;

	/* All bits are set in ones: they fulfil every wish. */
	fake.dead_after = 2;
	KUNIT_EXPECT_EQ(test, vpv_reg_poll(win, REG_STATUS, READY, READY, 1000, &val), -EIO);
	KUNIT_EXPECT_EQ(test, val, 0x1);
	KUNIT_EXPECT_EQ(test, fake.sleeps, 2);
}

static void wait_ends_when_it_cannot_be_reached(struct kunit *test)
{
	static const int errs[] = { -ENODEV, -EIO };
	struct vpv_window *win = test->priv;

	for (size_t i = 0; i < ARRAY_SIZE(errs); i++) {
		fake.sleeps = 0;
		fake.begin_fails_after = fake.begins + 3;
		fake.begin_err = errs[i];
		KUNIT_EXPECT_EQ(test, vpv_reg_poll(win, REG_STATUS, READY, READY, 1000, NULL),
				errs[i]);
		KUNIT_EXPECT_EQ(test, fake.sleeps, 3);
	}
}

static void ready_needs_all_bits(struct kunit *test)
{
	struct vpv_window *win = test->priv;

	KUNIT_EXPECT_EQ(test, vpv_window_ready(win, REG_STATUS, READY | 0x1, 40), -ETIMEDOUT);
	fake.ready_after = fake.sleeps + 2;
	KUNIT_EXPECT_EQ(test, vpv_window_ready(win, REG_STATUS, READY | 0x1, 1000), 0);
	fake.dead_after = 0;
	KUNIT_EXPECT_EQ(test, vpv_window_ready(win, REG_STATUS, READY | 0x1, 40), -EIO);
}

/* ---- Copies ---- */

#define COPY_REGS	(WINDOW_REGS - REG_DATA / sizeof(u32))

static void window_is_copied_out(struct kunit *test)
{
	struct vpv_window *win = test->priv;
	const u32 *from = &fake.regs[FIRST + REG_DATA / sizeof(u32)];
	__le32 buf[COPY_REGS + 2];

	/* Ones in the middle are a value. */
	fake.regs[FIRST + 6] = U32_MAX;
	memset(buf, 0x5a, sizeof(buf));
	KUNIT_EXPECT_EQ(test, vpv_window_read(win, REG_DATA, buf + 1, REG(COPY_REGS)), 0);
	KUNIT_EXPECT_EQ(test, fake.begins, 1);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(buf[0]), 0x5a5a5a5a);
	for (size_t i = 0; i < COPY_REGS; i++)
		KUNIT_EXPECT_EQ(test, le32_to_cpu(buf[i + 1]), from[i]);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(buf[COPY_REGS + 1]), 0x5a5a5a5a);

	fake.dead_after = 0;
	KUNIT_EXPECT_EQ(test, vpv_window_read(win, REG_DATA, buf, REG(COPY_REGS)), -EIO);
}

static void window_is_copied_in(struct kunit *test)
{
	struct vpv_window *win = test->priv;
	size_t first = FIRST + REG_DATA / sizeof(u32);
	__le32 buf[COPY_REGS];
	u32 want[REGS];

	memcpy(want, fake.regs, sizeof(want));
	for (u32 i = 0; i < COPY_REGS; i++) {
		want[first + i] = 0xa0000000 + i;
		buf[i] = cpu_to_le32(want[first + i]);
	}
	KUNIT_EXPECT_EQ(test, vpv_window_write(win, REG_DATA, buf, sizeof(buf)), 0);
	KUNIT_EXPECT_EQ(test, fake.begins, 1);
	KUNIT_EXPECT_EQ(test, fake.writes, COPY_REGS);
	KUNIT_EXPECT_MEMEQ(test, fake.regs, want, sizeof(want));
}

static void nothing_is_copied_of_no_bytes(struct kunit *test)
{
	struct vpv_window *win = test->priv;

	KUNIT_EXPECT_EQ(test, vpv_window_write(win, REG_DATA, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, fake.writes, 0);
	KUNIT_EXPECT_EQ(test, vpv_window_read(win, REG_DATA, NULL, 0), 0);
}

static struct kunit_case window_cases[] = {
	KUNIT_CASE(window_is_recognised_by_its_id),
	KUNIT_CASE(bar_without_room_is_refused_unread),
	KUNIT_CASE(register_is_read_where_the_window_is),
	KUNIT_CASE(register_is_written_alone),
	KUNIT_CASE(all_ones_are_no_value),
	KUNIT_CASE(unreachable_function_is_not_accessed),
	KUNIT_CASE(several_accesses_need_one_begin),
	KUNIT_CASE(what_is_there_is_not_waited_for),
	KUNIT_CASE(wait_ends_when_the_register_has_it),
	KUNIT_CASE(wait_takes_its_limit_and_no_more),
	KUNIT_CASE(late_wake_up_is_no_time_out),
	KUNIT_CASE(slow_read_is_no_time_out),
	KUNIT_CASE(wait_ends_with_the_function),
	KUNIT_CASE(wait_ends_when_it_cannot_be_reached),
	KUNIT_CASE(ready_needs_all_bits),
	KUNIT_CASE(window_is_copied_out),
	KUNIT_CASE(window_is_copied_in),
	KUNIT_CASE(nothing_is_copied_of_no_bytes),
	{}
};

static struct kunit_suite window_suite = {
	.name = "vpv_window",
	.init = window_test_init,
	.exit = window_test_exit,
	.test_cases = window_cases,
};

kunit_test_suite(window_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of windows of registers");
