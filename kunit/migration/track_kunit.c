// SPDX-License-Identifier: GPL-2.0
/* Ranges of user space into ranges of a device: migration/track.c. */
#include <kunit/test.h>

#include "../../migration/track.c"

#define MOST 8

struct plan_case {
	const char *name;
	struct vmig_track_can can;
	u64 page_bytes;
	u32 num;
	struct vmig_track_range want[MOST];
	int err;
	u8 page_log2;
	u64 pages;
	u32 num_out;
	struct vmig_track_range out[MOST];
};

/* Ranges, smallest and largest page, address bits, pages. */
#define CAN { 2, 12, 21, 40, 1024 }

static const struct plan_case plan_cases[] = {
	{ "as_it_is", CAN, 4096, 1, { { 0x1000, 0x2fff } },
	  0, 12, 2, 1, { { 0x1000, 0x2fff } } },
	{ "page_too_small", CAN, 512, 1, { { 0x1200, 0x13ff } },
	  0, 12, 1, 1, { { 0x1000, 0x1fff } } },
	{ "page_too_large", CAN, 1 << 30, 1, { { 1 << 30, (2ULL << 30) - 1 } },
	  0, 21, 512, 1, { { 1 << 30, (2ULL << 30) - 1 } } },
	{ "pages_grow_with_the_range", CAN, 4096, 1, { { 0, (16 << 20) - 1 } },
	  0, 14, 1024, 1, { { 0, (16 << 20) - 1 } } },
	{ "rounding_joins", CAN, 512, 3,
	  { { 0x1200, 0x13ff }, { 0x1800, 0x19ff }, { 0x2000, 0x21ff } },
	  0, 12, 2, 1, { { 0x1000, 0x2fff } } },
	{ "nearest_are_combined", CAN, 4096, 4,
	  { { 0x1000, 0x1fff }, { 0x10000, 0x10fff }, { 0x12000, 0x12fff },
	    { 0x14000, 0x14fff } },
	  0, 12, 6, 2, { { 0x1000, 0x1fff }, { 0x10000, 0x14fff } } },
	{ "last_byte_of_the_width", CAN, 4096, 1, { { (1ULL << 40) - 4096, (1ULL << 40) - 1 } },
	  0, 12, 1, 1, { { (1ULL << 40) - 4096, (1ULL << 40) - 1 } } },
	{ "beyond_the_width", CAN, 4096, 2, { { 0, 4095 }, { 1ULL << 40, (1ULL << 40) + 4095 } },
	  .err = -ERANGE },
	{ "too_many_pages", CAN, 4096, 1, { { 0, (4ULL << 30) - 1 } }, .err = -E2BIG },
	{ "end_of_the_world", { 1, 12, 12, 64, ~0ULL }, 4096, 2,
	  { { ~0ULL - 8191, ~0ULL - 4096 }, { ~0ULL - 4095, ~0ULL } },
	  0, 12, 2, 1, { { ~0ULL - 8191, ~0ULL } } },
	{ "device_without_ranges", { 0, 12, 12, 64, 1 }, 4096, 1, { { 0, 4095 } }, .err = -EINVAL },
	{ "device_with_inverted_pages", { 1, 13, 12, 64, 1 }, 4096, 1, { { 0, 4095 } },
	  .err = -EINVAL },
	{ "device_with_huge_pages", { 1, 12, 63, 64, 1 }, 4096, 1, { { 0, 4095 } },
	  .err = -EINVAL },
};

static void plan_describe(const struct plan_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(plan, plan_cases, plan_describe);

static void plan_fits_the_device(struct kunit *test)
{
	const struct plan_case *c = test->param_value;
	struct vmig_track_range out[MOST];
	struct vmig_track_plan plan;
	struct vmig_track_why why = {};

	KUNIT_ASSERT_EQ(test, vmig_track_plan(&c->can, c->want, c->num, c->page_bytes, out,
					      &plan, &why), c->err);
	if (c->err) {
		KUNIT_EXPECT_NOT_NULL(test, why.field);
		return;
	}
	KUNIT_EXPECT_EQ(test, plan.page_log2, c->page_log2);
	KUNIT_EXPECT_EQ(test, plan.pages, c->pages);
	KUNIT_ASSERT_EQ(test, plan.num, c->num_out);
	for (u32 i = 0; i < plan.num; i++) {
		KUNIT_EXPECT_EQ(test, out[i].first, c->out[i].first);
		KUNIT_EXPECT_EQ(test, out[i].last, c->out[i].last);
	}
}

static u32 next(u32 *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Whatever is asked: what comes out covers it, in order, in whole pages. */
static void every_plan_covers_what_was_wanted(struct kunit *test)
{
	const struct vmig_track_can can = { 3, 12, 21, 48, 1ULL << 40 };
	struct vmig_track_range want[MOST], out[MOST];
	struct vmig_track_plan plan;
	struct vmig_track_why why;
	u32 seed = 1;

	for (int round = 0; round < 500; round++) {
		u32 num = 1 + next(&seed) % MOST, o = 0;
		u64 at = 0;

		for (u32 i = 0; i < num; i++) {
			want[i].first = at + (u64)(next(&seed) % 2000 + 1) * 512;
			want[i].last = want[i].first + (u64)(next(&seed) % 2000 + 1) * 512 - 1;
			at = want[i].last + 1;
		}
		KUNIT_ASSERT_EQ(test, vmig_track_plan(&can, want, num, 512, out, &plan, &why),
				0);
		KUNIT_ASSERT_TRUE(test, plan.num && plan.num <= can.ranges);
		for (u32 i = 0; i < num; i++) {
			while (o < plan.num && out[o].last < want[i].first)
				o++;
			KUNIT_ASSERT_TRUE(test, o < plan.num && out[o].first <= want[i].first &&
					  out[o].last >= want[i].last);
		}
		for (u32 i = 0; i < plan.num; i++) {
			KUNIT_ASSERT_EQ(test, out[i].first & 4095, 0ULL);
			KUNIT_ASSERT_EQ(test, out[i].last & 4095, 4095ULL);
			KUNIT_ASSERT_TRUE(test, !i || out[i].first > out[i - 1].last);
		}
	}
}

static struct kunit_case track_cases[] = {
	KUNIT_CASE_PARAM(plan_fits_the_device, plan_gen_params),
	KUNIT_CASE(every_plan_covers_what_was_wanted),
	{ }
};

static struct kunit_suite track_suite = {
	.name = "vmig_track",
	.test_cases = track_cases,
};

kunit_test_suite(track_suite);

MODULE_DESCRIPTION("KUnit suite of dirty tracking: ranges");
MODULE_LICENSE("GPL");
