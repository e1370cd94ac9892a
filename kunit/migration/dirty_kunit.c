// SPDX-License-Identifier: GPL-2.0
/* What a device reports, and what user space is told of it: migration/dirty.c. */
#include <kunit/test.h>

#include "../../migration/dirty.c"

#define MOST	8

/* ---- Reports in pieces ---- */

struct walk_case {
	const char *name;
	u8 page_log2;
	u32 most;
	u32 num;
	struct vmig_range ranges[MOST];
	struct vmig_range todo;
	u32 pieces;		/* of these: */
	u32 tracked;
	u64 pages;		/* of all tracked pieces */
};

static const struct walk_case walk_cases[] = {
	{ "one_piece", 12, 8, 1, { { 0x1000, 0x4fff } }, { 0x1000, 0x4fff }, 1, 1, 4 },
	{ "in_pieces", 12, 3, 1, { { 0x1000, 0x8fff } }, { 0x1000, 0x8fff }, 3, 3, 8 },
	{ "outside", 12, 8, 1, { { 0x2000, 0x2fff } }, { 0x1000, 0x4fff }, 3, 1, 1 },
	{ "inside_a_page", 21, 8, 1, { { 0, (2 << 20) - 1 } }, { 0x1000, 0x1fff }, 1, 1, 1 },
	{ "without_ranges", 12, 8, 0, {}, { 0, ~0ULL - 1 }, 1, 0, 0 },
	{ "to_the_end_of_the_world", 21, 8, 1, { { ~0ULL << 21, ~0ULL } },
	  { ~0ULL << 21, ~0ULL - 4096 }, 1, 1, 1 },
	{ "all_of_the_world", 46, 256 << 10, 1, { { 0, ~0ULL } }, { 0, ~0ULL - 1 }, 1, 1,
	  256 << 10 },
	{ "all_of_the_world_in_pieces", 46, 100 << 10, 1, { { 0, ~0ULL } }, { 0, ~0ULL }, 3, 3,
	  256 << 10 },
	{ "all_of_the_world_in_four", 62, 1, 1, { { 0, ~0ULL } }, { 1, ~0ULL - 1 }, 4, 4, 4 },
	{ "two_at_the_end", 62, 256 << 10, 2, { { 0, (1ULL << 62) - 1 }, { 1ULL << 63, ~0ULL } },
	  { 4096, ~0ULL }, 3, 2, 3 },
};

static void walk_describe(const struct walk_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(walk, walk_cases, walk_describe);

static void pieces_cover_a_report_and_end(struct kunit *test)
{
	const struct walk_case *c = test->param_value;
	struct vmig_range todo = c->todo, ranges[MOST];
	struct vmig_dirty_piece p;
	u64 numbers[MOST];
	struct vmig_dirty d = {
		.ranges = ranges, .num = c->num, .page_log2 = c->page_log2, .index = numbers,
	};
	u32 pieces = 0, tracked = 0;
	u64 pages = 0, index = 0;

	memcpy(ranges, c->ranges, sizeof(ranges));
	vmig_dirty_init(&d);
	do {
		vmig_dirty_next(&d, c->most, &todo, &p);
		KUNIT_ASSERT_LE(test, todo.first, p.last);
		KUNIT_ASSERT_LE(test, p.last, todo.last);
		KUNIT_ASSERT_LE(test, ++pieces, c->pieces);
		if (p.pages) {
			KUNIT_EXPECT_LE(test, p.first, todo.first);
			KUNIT_EXPECT_GE(test, p.index, index);
			tracked++;
			pages += p.pages;
			index = p.index + p.pages - 1;
		}
		todo.first = p.last + 1;
	} while (p.last != c->todo.last);
	KUNIT_EXPECT_EQ(test, pieces, c->pieces);
	KUNIT_EXPECT_EQ(test, tracked, c->tracked);
	KUNIT_EXPECT_EQ(test, pages, c->pages);
}

/* ---- What goes in, and what comes out ---- */

/*
 * Two ranges of 8 pages of 16 KiB, around one of 4 that is not tracked; user space wants all
 * but the last 4 KiB of the first page and the first 4 KiB of the last one.
 */
#define PAGE_LOG2	14
#define PAGE		BIT_ULL(PAGE_LOG2)
#define BASE		BIT_ULL(32)
#define PAGES		20
#define BYTES		(PAGES * PAGE)

struct set_test {
	struct vmig_dirty d;
	struct vmig_range ranges[2];
	struct vmig_range want[2];
	u64 index[2];
	unsigned long bits[2];
};

static int set_init(struct kunit *test)
{
	struct set_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->ranges[0] = (struct vmig_range){ BASE, BASE + 8 * PAGE - 1 };
	t->ranges[1] = (struct vmig_range){ BASE + 12 * PAGE, BASE + BYTES - 1 };
	t->want[0] = (struct vmig_range){ BASE + 4096, BASE + 8 * PAGE - 1 };
	t->want[1] = (struct vmig_range){ BASE + 12 * PAGE, BASE + BYTES - 4096 - 1 };
	t->d = (struct vmig_dirty){
		.ranges = t->ranges, .num = 2, .page_log2 = PAGE_LOG2, .index = t->index,
		.bits = t->bits,
	};
	vmig_dirty_init(&t->d);
	KUNIT_ASSERT_EQ(test, t->d.pages, 16ULL);
	KUNIT_ASSERT_LE(test, vmig_dirty_longs(t->d.pages), ARRAY_SIZE(t->bits));
	test->priv = t;
	return 0;
}

/* Report from @first to @last, in pieces of @most pages: bit n is for page n from BASE on. */
static u64 report(struct kunit *test, u64 first, u64 last, u32 most, bool keep)
{
	struct set_test *t = test->priv;
	struct vmig_range todo = { first, last };
	struct vmig_dirty_piece p;
	u64 seen = 0;

	do {
		unsigned long out[2] = {};
		u64 from = todo.first;

		vmig_dirty_next(&t->d, most, &todo, &p);
		todo.first = p.last + 1;
		if (!p.pages)
			continue;
		vmig_dirty_take(&t->d, &p, from, t->want, 2, keep, out);
		KUNIT_EXPECT_EQ(test, out[1], 0UL);
		seen |= (u64)out[0] << ((p.first - BASE) >> PAGE_LOG2);
	} while (p.last != last);
	return seen;
}

static u64 report_all(struct kunit *test)
{
	return report(test, BASE, BASE + BYTES - 1, PAGES, false);
}

struct push_case {
	const char *name;
	u64 first;
	u64 last;
	u64 pages;
};

static const struct push_case push_cases[] = {
	{ "byte", BASE + PAGE + 5, BASE + PAGE + 5, BIT_ULL(1) },
	{ "across_two_pages", BASE + 2 * PAGE - 1, BASE + 2 * PAGE, BIT_ULL(1) | BIT_ULL(2) },
	{ "larger_page", BASE, BASE + 4 * PAGE - 1, 0xf },
	{ "across_the_gap", BASE + 7 * PAGE, BASE + 13 * PAGE - 1, BIT_ULL(7) | BIT_ULL(12) },
	{ "in_the_gap", BASE + 8 * PAGE, BASE + 12 * PAGE - 1, 0 },
	{ "below", 0, BASE - 1, 0 },
	{ "above", BASE + BYTES, ~0ULL, 0 },
	{ "all_of_the_world", 0, ~0ULL, 0xff0ff },
	{ "upside_down", BASE + 3 * PAGE, BASE + PAGE, 0 },
	{ "upside_down_in_a_page", BASE + 5, BASE + 4, 0 },
};

static void push_describe(const struct push_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(push, push_cases, push_describe);

static void part_makes_its_pages_dirty(struct kunit *test)
{
	const struct push_case *c = test->param_value;
	struct set_test *t = test->priv;

	vmig_dirty_set(&t->d, c->first, c->last);
	KUNIT_EXPECT_EQ(test, report_all(test), c->pages);
	KUNIT_EXPECT_EQ(test, report_all(test), 0ULL);
}

/* In any order, and twice; then a report of a part leaves the rest. */
static void report_leaves_what_it_is_not_about(struct kunit *test)
{
	struct set_test *t = test->priv;

	vmig_dirty_set(&t->d, BASE + 17 * PAGE, BASE + 18 * PAGE - 1);
	vmig_dirty_set(&t->d, BASE + 3 * PAGE, BASE + 5 * PAGE - 1);
	vmig_dirty_set(&t->d, BASE + 4 * PAGE, BASE + 6 * PAGE - 1);
	KUNIT_EXPECT_EQ(test, report(test, BASE + 4 * PAGE, BASE + 5 * PAGE - 1, 1, false),
			BIT_ULL(4));
	KUNIT_EXPECT_EQ(test, report_all(test), BIT_ULL(3) | BIT_ULL(5) | BIT_ULL(17));
	KUNIT_EXPECT_EQ(test, report_all(test), 0ULL);
}

static void page_that_is_reported_in_part_stays(struct kunit *test)
{
	struct set_test *t = test->priv;

	vmig_dirty_set(&t->d, BASE + PAGE, BASE + 2 * PAGE - 1);
	KUNIT_EXPECT_EQ(test, report(test, BASE + PAGE, BASE + PAGE + 8191, 4, false),
			BIT_ULL(1));
	KUNIT_EXPECT_EQ(test, report(test, BASE + PAGE + 8192, BASE + 3 * PAGE - 1, 4, false),
			BIT_ULL(1));
	KUNIT_EXPECT_EQ(test, report_all(test), BIT_ULL(1));
	KUNIT_EXPECT_EQ(test, report_all(test), 0ULL);

	/* What nobody wants need not be asked for. */
	vmig_dirty_set(&t->d, BASE, BASE + 1);
	vmig_dirty_set(&t->d, BASE + BYTES - 1, ~0ULL);
	KUNIT_EXPECT_EQ(test, report(test, BASE + 4096, BASE + BYTES - 4097, 3, false),
			BIT_ULL(0) | BIT_ULL(19));
	KUNIT_EXPECT_EQ(test, report_all(test), 0ULL);
}

static void kept_pages_are_reported_again(struct kunit *test)
{
	struct set_test *t = test->priv;

	vmig_dirty_fill(&t->d);
	KUNIT_EXPECT_EQ(test, report(test, BASE, BASE + BYTES - 1, 5, true), 0xff0ffULL);
	KUNIT_EXPECT_EQ(test, report_all(test), 0xff0ffULL);
	KUNIT_EXPECT_EQ(test, report_all(test), 0ULL);
}

static void bitmap_is_the_same_as_its_pages(struct kunit *test)
{
	static const u8 page_log2[] = { 12, 14, 16 };
	struct set_test *t = test->priv;
	u32 seed = 7;

	for (int round = 0; round < 300; round++) {
		u8 log2 = page_log2[round % ARRAY_SIZE(page_log2)];
		u64 pages = BYTES >> log2, words[2], first = 0;
		__le64 bits[2];

		for (int i = 0; i < 2; i++) {
			words[i] = 0;
			for (int k = 0; k < 64; k++) {
				seed = seed * 1664525 + 1013904223;
				words[i] |= (u64)(seed >> 20 & (round & 1 ? 1 : 31) ? 0 : 1) << k;
			}
			if (round % 7 == 0)
				words[i] = ~0ULL;
			bits[i] = cpu_to_le64(words[i]);
		}
		vmig_dirty_set_bits(&t->d, BASE, log2, bits, pages);
		first = report_all(test);
		for (u64 n = 0; n < pages; n++)
			if (words[n / 64] >> (n % 64) & 1)
				vmig_dirty_set(&t->d, BASE + (n << log2),
					       BASE + ((n + 1) << log2) - 1);
		KUNIT_ASSERT_EQ(test, report_all(test), first);
	}
}

/* Bits beyond the number of pages, and pages beyond the space. */
static void bitmap_ends_where_it_is_said_to(struct kunit *test)
{
	const __le64 ones[] = { cpu_to_le64(~0ULL), cpu_to_le64(~0ULL) };
	struct set_test *t = test->priv;

	vmig_dirty_set_bits(&t->d, BASE, PAGE_LOG2, ones, 3);
	KUNIT_EXPECT_EQ(test, report_all(test), 7ULL);
	vmig_dirty_set_bits(&t->d, BASE, PAGE_LOG2, ones, 0);
	vmig_dirty_set_bits(&t->d, -PAGE, PAGE_LOG2, ones, 1);
	vmig_dirty_set_bits(&t->d, -(64 * PAGE), PAGE_LOG2, ones, 64);
	KUNIT_EXPECT_EQ(test, report_all(test), 0ULL);
	vmig_dirty_set_bits(&t->d, BASE - 64 * PAGE, PAGE_LOG2, ones, 66);
	KUNIT_EXPECT_EQ(test, report_all(test), 3ULL);
}

/* A run of bits that goes beyond the end of the space is dirty up to the end. */
static void bitmap_may_go_beyond_the_space(struct kunit *test)
{
	const __le64 ones[] = { cpu_to_le64(~0ULL) };
	struct set_test *t = test->priv;

	t->ranges[0] = (struct vmig_range){ -(2 * PAGE), ~0ULL };
	t->d.num = 1;
	vmig_dirty_init(&t->d);
	KUNIT_ASSERT_EQ(test, t->d.pages, 2ULL);
	vmig_dirty_set_bits(&t->d, -PAGE, PAGE_LOG2, ones, 3);
	KUNIT_EXPECT_EQ(test, t->bits[0], 2UL);
	vmig_dirty_set_bits(&t->d, -(2 * PAGE), PAGE_LOG2, ones, 64);
	KUNIT_EXPECT_EQ(test, t->bits[0], 3UL);
}

/* Against what a page-by-page model remembers. */
static void no_page_is_lost(struct kunit *test)
{
	struct set_test *t = test->priv;
	u64 model = 0;
	u32 seed = 3;

	for (int round = 0; round < 20000; round++) {
		u64 first, last, expected = 0, seen;

		seed = seed * 1664525 + 1013904223;
		first = BASE - PAGE + (seed >> 8) % (BYTES + 2 * PAGE);
		seed = seed * 1664525 + 1013904223;
		last = first + (seed >> 8) % (6 * PAGE);
		if (round & 1) {
			vmig_dirty_set(&t->d, first, last);
		} else {
			first &= ~511ULL;
			last |= 511;
		}
		for (int n = 0; n < PAGES; n++) {
			u64 from = BASE + n * PAGE, to = from + PAGE - 1;

			if (to < first || from > last || (n >= 8 && n < 12))
				continue;
			if (round & 1) {
				model |= BIT_ULL(n);
				continue;
			}
			expected |= model & BIT_ULL(n);
			from = max(from, BASE + 4096);
			to = min(to, BASE + BYTES - 4097);
			if (first <= from && last >= to)
				model &= ~BIT_ULL(n);
		}
		if (round & 1)
			continue;
		seed = seed * 1664525 + 1013904223;
		seen = report(test, first, last, 1 + (seed >> 8) % 5, false);
		KUNIT_ASSERT_EQ(test, seen, expected);
	}
}

static struct kunit_case dirty_cases[] = {
	KUNIT_CASE_PARAM(pieces_cover_a_report_and_end, walk_gen_params),
	KUNIT_CASE_PARAM(part_makes_its_pages_dirty, push_gen_params),
	KUNIT_CASE(report_leaves_what_it_is_not_about),
	KUNIT_CASE(page_that_is_reported_in_part_stays),
	KUNIT_CASE(kept_pages_are_reported_again),
	KUNIT_CASE(bitmap_is_the_same_as_its_pages),
	KUNIT_CASE(bitmap_ends_where_it_is_said_to),
	KUNIT_CASE(bitmap_may_go_beyond_the_space),
	KUNIT_CASE(no_page_is_lost),
	{ }
};

static struct kunit_suite dirty_suite = {
	.name = "vmig_dirty",
	.init = set_init,
	.test_cases = dirty_cases,
};

kunit_test_suite(dirty_suite);

MODULE_DESCRIPTION("KUnit suite of dirty tracking: sets");
MODULE_LICENSE("GPL");
