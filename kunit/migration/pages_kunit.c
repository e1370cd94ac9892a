// SPDX-License-Identifier: GPL-2.0
/* Memory of a device in a stream: migration/pages.c, and what it uses of dirty.c. */
#include <kunit/test.h>

#include "../../migration/dirty.c"
#include "../../migration/pages.c"

#define PAGE		((u64)VPV_PAGE_BYTES)
#define BASE		BIT_ULL(40)
#define WORDS		16

/* ---- Layouts ---- */

struct layout_case {
	const char *name;
	int err;
	const char *field;
	u32 num;
	struct vmig_range ranges[3];
};

static const struct layout_case layout_cases[] = {
	{ "one", 0, NULL, 1, { { BASE, BASE + PAGE - 1 } } },
	{ "touching", 0, NULL, 2, { { 0, PAGE - 1 }, { PAGE, 2 * PAGE - 1 } } },
	{ "at_the_end_of_the_world", 0, NULL, 1, { { ~0ULL - PAGE + 1, ~0ULL } } },
	{ "none", -EINVAL, "ranges of memory", 0, {} },
	{ "too_many", -EINVAL, "ranges of memory", VPV_LAYOUT_RANGES + 1, {} },
	{ "begin", -EINVAL, "begin of a range of memory", 1, { { 512, PAGE - 1 } } },
	{ "end", -EINVAL, "end of a range of memory", 1, { { 0, PAGE } } },
	{ "backward", -EINVAL, "end of a range of memory", 1, { { PAGE, PAGE - 1 } } },
	{ "overlap", -EINVAL, "begin of the next range of memory", 2,
	  { { 0, 2 * PAGE - 1 }, { PAGE, 3 * PAGE - 1 } } },
	{ "descending", -EINVAL, "begin of the next range of memory", 2,
	  { { 4 * PAGE, 5 * PAGE - 1 }, { 0, PAGE - 1 } } },
	{ "too_large", -EINVAL, "pages of memory", 1, { { 0, ~0ULL } } },
};

static void layout_describe(const struct layout_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(layout, layout_cases, layout_describe);

static void layouts_are_checked(struct kunit *test)
{
	const struct layout_case *c = test->param_value;
	struct vmig_diff diff = {};

	KUNIT_EXPECT_EQ(test, vmig_layout_check(c->ranges, c->num, &diff), c->err);
	KUNIT_EXPECT_STREQ(test, diff.field ?: "", c->field ?: "");
}

/* Also by whoever reads one. */
static void layout_comes_back_or_is_refused(struct kunit *test)
{
	const struct layout_case *c = test->param_value;
	struct vmig_range *ranges = kunit_kzalloc(test, sizeof(*ranges) * VPV_LAYOUT_RANGES,
						  GFP_KERNEL);
	u8 *buf = kunit_kzalloc(test, VMIG_LAYOUT_MAX_BYTES, GFP_KERNEL);
	struct vmig_diff diff = {};
	u32 bytes;

	KUNIT_ASSERT_NOT_NULL(test, ranges);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	if (c->num > ARRAY_SIZE(c->ranges)) {
		((struct vpv_stream_layout *)buf)->page_bytes = cpu_to_le32(VPV_PAGE_BYTES);
		((struct vpv_stream_layout *)buf)->ranges = cpu_to_le32(c->num);
		bytes = sizeof(struct vpv_stream_layout);
	} else {
		bytes = vmig_layout_put(c->ranges, c->num, buf);
	}
	KUNIT_EXPECT_EQ(test, vmig_layout_get(buf, bytes, ranges, &diff), c->err ?: (int)c->num);
	KUNIT_EXPECT_STREQ(test, diff.field ?: "", c->field ?: "");
	if (!c->err)
		KUNIT_EXPECT_EQ(test, memcmp(ranges, c->ranges, c->num * sizeof(*ranges)), 0);
}

static void layout_of_another_size_is_refused(struct kunit *test)
{
	const struct vmig_range range = { 0, PAGE - 1 };
	struct vmig_range *ranges = kunit_kzalloc(test, sizeof(*ranges) * VPV_LAYOUT_RANGES,
						  GFP_KERNEL);
	u8 *buf = kunit_kzalloc(test, VMIG_LAYOUT_MAX_BYTES, GFP_KERNEL);
	struct vmig_diff diff = {};
	u32 bytes;

	KUNIT_ASSERT_NOT_NULL(test, ranges);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	bytes = vmig_layout_put(&range, 1, buf);
	for (u32 n = 0; n < bytes + 16; n++) {
		if (n == bytes)
			continue;
		KUNIT_EXPECT_EQ(test, vmig_layout_get(buf, n, ranges, &diff), -EINVAL);
		KUNIT_EXPECT_STREQ(test, diff.field, "size of LAYOUT");
	}
	((struct vpv_stream_layout *)buf)->page_bytes = cpu_to_le32(2 * VPV_PAGE_BYTES);
	KUNIT_EXPECT_EQ(test, vmig_layout_get(buf, bytes, ranges, &diff), -EINVAL);
	KUNIT_EXPECT_STREQ(test, diff.field, "size of a page");
}

struct fit_case {
	const char *name;
	const char *field;
	struct vmig_range mine[2];
	struct vmig_range theirs[2];
};

#define TWO		{ { 4 * PAGE, 8 * PAGE - 1 }, { 16 * PAGE, 20 * PAGE - 1 } }

static const struct fit_case fit_cases[] = {
	{ "same", NULL, TWO, TWO },
	{ "larger", NULL, { { 0, 15 * PAGE - 1 }, { 16 * PAGE, ~0ULL } }, TWO },
	{ "both_in_one", NULL, { { 0, 30 * PAGE - 1 }, { 40 * PAGE, 50 * PAGE - 1 } }, TWO },
	{ "later_begin", "begin of memory", { { 5 * PAGE, 8 * PAGE - 1 },
	  { 16 * PAGE, 20 * PAGE - 1 } }, TWO },
	{ "earlier_end", "end of memory", { { 4 * PAGE, 7 * PAGE - 1 },
	  { 16 * PAGE, 20 * PAGE - 1 } }, TWO },
	{ "one_is_missing", "end of the memory", { { 0, PAGE - 1 }, { 4 * PAGE, 8 * PAGE - 1 } },
	  TWO },
	{ "hole", "end of memory", { { 4 * PAGE, 6 * PAGE - 1 }, { 7 * PAGE, 20 * PAGE - 1 } },
	  TWO },
};

static void fit_describe(const struct fit_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(fit, fit_cases, fit_describe);

static void all_memory_needs_a_place(struct kunit *test)
{
	const struct fit_case *c = test->param_value;
	struct vmig_diff diff = {};

	KUNIT_EXPECT_EQ(test, vmig_layout_fits(c->mine, 2, c->theirs, 2, &diff),
			c->field ? -EOPNOTSUPP : 0);
	KUNIT_EXPECT_STREQ(test, diff.field ?: "", c->field ?: "");
}

/* ---- A set of three ranges: 100, 1 and 299 pages; the second touches the first ---- */

#define TOTAL		400U
#define FIRST		100U

struct fixture {
	struct vmig_range ranges[3];
	u64 index[2][3];
	unsigned long bits[2][WORDS];
	struct vmig_dirty set;
	struct vmig_pages_in in;
	struct vmig_pages_job job;
	struct vmig_runs runs;
	u8 payload[VPV_PAGES_FRONT_BYTES + 4 * VPV_PAGE_BYTES];
};

static int pages_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->ranges[0] = (struct vmig_range){ BASE, BASE + FIRST * PAGE - 1 };
	f->ranges[1] = (struct vmig_range){ BASE + FIRST * PAGE, BASE + (FIRST + 1) * PAGE - 1 };
	f->ranges[2] = (struct vmig_range){ 2 * BASE, 2 * BASE + 299 * PAGE - 1 };
	f->set = (struct vmig_dirty){
		.ranges = f->ranges, .num = 3, .page_log2 = VPV_PAGE_LOG2,
		.index = f->index[0], .bits = f->bits[0],
	};
	vmig_dirty_init(&f->set);
	f->in.seen = f->set;
	f->in.seen.index = f->index[1];
	f->in.seen.bits = f->bits[1];
	vmig_dirty_init(&f->in.seen);
	KUNIT_ASSERT_EQ(test, f->set.pages, (u64)TOTAL);
	test->priv = f;
	return 0;
}

static void full_set_is_taken_once_and_in_order(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 at = 0, next = 0;

	vmig_dirty_fill(&f->set);
	KUNIT_EXPECT_EQ(test, vmig_dirty_count(&f->set), (u64)TOTAL);
	while (vmig_pages_take(&f->set, &at, &f->job)) {
		u32 pages = 0;

		KUNIT_EXPECT_LE(test, f->job.pages, VMIG_JOB_PAGES);
		for (u32 i = 0; i < f->job.num; i++) {
			const struct vmig_dirty_piece *p = &f->job.piece[i];
			u32 r = p->index < FIRST ? 0 : p->index == FIRST ? 1 : 2;

			KUNIT_EXPECT_EQ(test, p->index, next);
			KUNIT_EXPECT_EQ(test, p->first, f->ranges[r].first +
					(p->index - f->index[0][r]) * PAGE);
			KUNIT_EXPECT_EQ(test, p->last, p->first + p->pages * PAGE - 1);
			KUNIT_EXPECT_LE(test, p->last, f->ranges[r].last);
			next += p->pages;
			pages += p->pages;
		}
		KUNIT_EXPECT_EQ(test, pages, f->job.pages);
	}
	KUNIT_EXPECT_EQ(test, next, (u64)TOTAL);
	KUNIT_EXPECT_EQ(test, vmig_dirty_count(&f->set), 0ULL);
}

/* Every third page; what is put back is for the next pass. */
static void what_was_not_sent_comes_again(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 at = 0, taken = 0;

	for (u64 i = 0; i < TOTAL; i += 3)
		vmig_dirty_set_pages(&f->set, i, 1);
	KUNIT_EXPECT_TRUE(test, vmig_pages_take(&f->set, &at, &f->job));
	KUNIT_EXPECT_EQ(test, f->job.num, VMIG_JOB_PAGES);
	KUNIT_EXPECT_EQ(test, f->job.pages, VMIG_JOB_PAGES);
	vmig_pages_put_back(&f->set, &f->job);
	KUNIT_EXPECT_EQ(test, vmig_dirty_count(&f->set), (u64)DIV_ROUND_UP(TOTAL, 3));
	KUNIT_EXPECT_TRUE(test, vmig_pages_take(&f->set, &at, &f->job));
	KUNIT_EXPECT_EQ(test, f->job.pages, DIV_ROUND_UP(TOTAL, 3) - VMIG_JOB_PAGES);
	KUNIT_EXPECT_FALSE(test, vmig_pages_take(&f->set, &at, &f->job));
	for (at = 0; vmig_pages_take(&f->set, &at, &f->job); taken += f->job.pages)
		;
	KUNIT_EXPECT_EQ(test, taken, (u64)VMIG_JOB_PAGES);
}

/* Whatever the numbers, and at the ends of ranges. */
static void pieces_stay_in_a_range(struct kunit *test)
{
	static const struct {
		u64 index;
		u32 pages;
		bool good;
	} cases[] = {
		{ 0, FIRST, true }, { 0, FIRST + 1, false }, { 99, 1, true }, { 99, 2, false },
		{ FIRST, 1, true }, { FIRST, 2, false }, { FIRST + 1, 299, true },
		{ FIRST + 1, 300, false }, { TOTAL - 1, 1, true }, { TOTAL - 1, 2, false },
		{ TOTAL, 1, false }, { 0, 0, false }, { ~0ULL, 1, false },
		{ ~0ULL, U32_MAX, false }, { 0, U32_MAX, false },
	};
	struct fixture *f = test->priv;

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vmig_dirty_piece piece;

		KUNIT_EXPECT_EQ_MSG(test, vmig_dirty_piece(&f->set, cases[i].index,
							   cases[i].pages, &piece),
				    cases[i].good, "case %u", i);
	}
}

static void zeros_are_not_copied(struct kunit *test)
{
	struct fixture *f = test->priv;
	u8 *buf = f->payload, zero[8] = {};
	u32 bytes;

	/* data, zero, zero, data */
	buf[5] = 1;
	buf[4 * PAGE - 1] = 2;
	vmig_runs_begin(&f->runs, 7);
	bytes = vmig_pages_copy(&f->runs, 40, 4, false, buf, buf);
	KUNIT_EXPECT_EQ(test, bytes, 2 * VPV_PAGE_BYTES);
	KUNIT_EXPECT_EQ(test, buf[5], 1);
	KUNIT_EXPECT_EQ(test, buf[2 * PAGE - 1], 2);
	KUNIT_EXPECT_EQ(test, memcmp(buf + PAGE, zero, 8), 0);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(f->runs.head.pass), 7U);
	KUNIT_ASSERT_EQ(test, le32_to_cpu(f->runs.head.runs), 3U);
	KUNIT_EXPECT_EQ(test, vmig_runs_bytes(&f->runs), 8U + 3 * 16U);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(f->runs.run[1].page), 41ULL);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(f->runs.run[1].pages), 2U);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(f->runs.run[1].kind), VPV_RUN_ZERO);
	/* The next page of another range does not join, one of the same does. */
	vmig_runs_add(&f->runs, 44, true, VPV_RUN_DATA);
	KUNIT_EXPECT_EQ(test, f->runs.num, 3U);
	vmig_runs_add(&f->runs, 45, false, VPV_RUN_DATA);
	KUNIT_EXPECT_EQ(test, f->runs.num, 4U);
	vmig_runs_add(&f->runs, 47, true, VPV_RUN_DATA);
	KUNIT_EXPECT_EQ(test, f->runs.num, 5U);
}

/* ---- Records that come ---- */

struct run {
	u64 page;
	u32 pages;
	u32 kind;
};

struct in_case {
	const char *name;
	int err;
	const char *field;
	u32 pass;
	int more;		/* bytes of content that are too many */
	u32 num;
	struct run run[3];
};

/* Behind one of pass 5 with the pages 10 to 19. */
static const struct in_case in_cases[] = {
	{ "good", 0, NULL, 5, 0, 2, { { 20, 2, 0 }, { 99, 1, 1 } } },
	{ "good_pieces", 0, NULL, 5, 0, 3, { { 20, 1, 0 }, { 30, 4, 1 }, { 99, 1, 0 } } },
	{ "next_pass", 0, NULL, 6, 0, 1, { { 0, 1, 1 } } },
	{ "skipped_passes", 0, NULL, ~0U, 0, 1, { { 10, 1, 1 } } },
	{ "earlier_pass", -EPROTO, "pass of PAGES", 4, 0, 1, { { 20, 1, 1 } } },
	{ "no_pass", -EPROTO, "pass of PAGES", 0, 0, 1, { { 20, 1, 1 } } },
	{ "again", -EPROTO, "next page of the pass", 5, 0, 1, { { 10, 10, 1 } } },
	{ "overlap", -EPROTO, "next page of the pass", 5, 0, 1, { { 19, 2, 1 } } },
	{ "overlap_inside", -EPROTO, "next page of the pass", 5, 0, 2,
	  { { 30, 10, 1 }, { 39, 1, 1 } } },
	{ "disorder", -EPROTO, "next page of the pass", 6, 0, 2, { { 30, 1, 1 }, { 20, 1, 1 } } },
	{ "behind_all", -EINVAL, "page of a run", 5, 0, 1, { { TOTAL, 1, 1 } } },
	{ "far_behind_all", -EINVAL, "page of a run", 5, 0, 1, { { ~0ULL, 1, 1 } } },
	{ "over_the_end", -EINVAL, "pages of a run in its range", 5, 0, 1,
	  { { TOTAL - 1, 2, 1 } } },
	{ "over_a_range", -EINVAL, "pages of a run in its range", 5, 0, 1, { { 99, 2, 1 } } },
	{ "empty", -EINVAL, "pages of a run", 5, 0, 1, { { 20, 0, 1 } } },
	{ "too_many", -EINVAL, "pages of a run", 5, 0, 1, { { 101, 129, 1 } } },
	{ "too_many_in_all", -EINVAL, "pages of a run", 5, 0, 2,
	  { { 101, 128, 1 }, { 300, 1, 1 } } },
	{ "huge", -EINVAL, "pages of a run", 5, 0, 1, { { 20, ~0U, 1 } } },
	{ "kind", -EINVAL, "kind of a run", 5, 0, 1, { { 20, 1, 2 } } },
	{ "part_of_a_run_is_missing", -EINVAL, "size of PAGES", 5, -1, 1, { { 20, 1, 0 } } },
	{ "content_is_missing", -EINVAL, "bytes of content", 5, -(int)PAGE, 1, { { 20, 1, 0 } } },
	{ "content_only", -EINVAL, "size of PAGES", 5, -24, 1, { { 20, 1, 0 } } },
	{ "too_much_content", -EINVAL, "bytes of content", 5, 1, 1, { { 20, 1, 1 } } },
	{ "no_runs", -EINVAL, "runs of PAGES", 5, 0, 0, {} },
};

static void in_describe(const struct in_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(in, in_cases, in_describe);

static size_t record_put(u8 *buf, u32 pass, u32 num, const struct run *run)
{
	struct vpv_stream_pages *head = (void *)buf;
	struct vpv_stream_run *to = (void *)(head + 1);
	size_t bytes = sizeof(*head) + num * sizeof(*to);

	head->pass = cpu_to_le32(pass);
	head->runs = cpu_to_le32(num);
	for (u32 i = 0; i < num; i++) {
		to[i].page = cpu_to_le64(run[i].page);
		to[i].pages = cpu_to_le32(run[i].pages);
		to[i].kind = cpu_to_le32(run[i].kind);
		if (run[i].kind == VPV_RUN_DATA)
			bytes += run[i].pages * VPV_PAGE_BYTES;
	}
	return bytes;
}

/* All content, page by page and as much at once as there is. */
static void expect_places(struct kunit *test, const struct in_case *c)
{
	struct fixture *f = test->priv;
	struct vmig_dirty_piece where;
	u32 content = 0;

	for (u32 i = 0; i < c->num; i++) {
		if (c->run[i].kind != VPV_RUN_DATA)
			continue;
		for (u32 n = 0; n < c->run[i].pages; n++) {
			KUNIT_EXPECT_TRUE(test, vmig_pages_place(&f->in, f->payload, content + n,
								 VPV_PAGES_MOST, &where));
			KUNIT_EXPECT_EQ(test, where.index, c->run[i].page + n);
			KUNIT_EXPECT_EQ(test, where.pages, c->run[i].pages - n);
			KUNIT_EXPECT_TRUE(test, vmig_pages_place(&f->in, f->payload, content + n,
								 1, &where));
			KUNIT_EXPECT_EQ(test, where.index, c->run[i].page + n);
			KUNIT_EXPECT_EQ(test, where.pages, 1U);
		}
		content += c->run[i].pages;
	}
	KUNIT_EXPECT_FALSE(test, vmig_pages_place(&f->in, f->payload, content, 1, &where));
}

static void records_are_checked(struct kunit *test)
{
	static const struct run before = { 10, 10, VPV_RUN_ZERO };
	const struct in_case *c = test->param_value;
	struct fixture *f = test->priv;
	struct vmig_diff diff = {};
	size_t bytes = record_put(f->payload, 5, 1, &before);

	KUNIT_ASSERT_EQ(test, vmig_pages_check(&f->in, f->payload, bytes, &diff), 1);
	bytes = record_put(f->payload, c->pass, c->num, c->run) + c->more;
	KUNIT_EXPECT_EQ(test, vmig_pages_check(&f->in, f->payload, bytes, &diff),
			c->err ?: (int)c->num);
	KUNIT_EXPECT_STREQ(test, diff.field ?: "", c->field ?: "");
	if (!c->err)
		expect_places(test, c);
	for (u32 i = 0; i < c->num && !c->err; i++) {
		struct vmig_dirty_piece where;

		KUNIT_EXPECT_EQ(test, vmig_pages_run(&f->in, f->payload, i, &where),
				c->run[i].kind);
		KUNIT_EXPECT_EQ(test, where.first, BASE + c->run[i].page * PAGE);
		KUNIT_EXPECT_EQ(test, where.pages, c->run[i].pages);
	}
}

static void refused_run_says_how_many_fit(struct kunit *test)
{
	static const struct run run = { 97, 128, VPV_RUN_ZERO };
	struct fixture *f = test->priv;
	struct vmig_diff diff = {};
	size_t bytes = record_put(f->payload, 5, 1, &run);

	KUNIT_EXPECT_EQ(test, vmig_pages_check(&f->in, f->payload, bytes, &diff), -EINVAL);
	KUNIT_EXPECT_STREQ(test, diff.field, "pages of a run in its range");
	KUNIT_EXPECT_EQ(test, diff.want, 3ULL);
	KUNIT_EXPECT_EQ(test, diff.got, 128ULL);
}

/* Nothing is read behind the record. */
static void records_of_any_size_are_checked(struct kunit *test)
{
	static const struct run runs[] = { { 20, 1, VPV_RUN_ZERO }, { 30, 1, VPV_RUN_ZERO } };
	struct fixture *f = test->priv;
	size_t bytes = record_put(f->payload, 5, 2, runs);

	for (size_t n = 0; n < bytes; n++) {
		struct vmig_diff diff = {};
		u8 *part = kunit_kzalloc(test, n + 1, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, part);
		memcpy(part, f->payload, n);
		KUNIT_EXPECT_EQ(test, vmig_pages_check(&f->in, part, n, &diff), -EINVAL);
		KUNIT_EXPECT_STREQ(test, diff.field, "size of PAGES");
	}
}

static void all_pages_have_to_come(struct kunit *test)
{
	struct vmig_pages_in none = {};
	struct fixture *f = test->priv;
	struct vmig_diff diff = {};
	u64 page = 0;

	KUNIT_EXPECT_EQ(test, vmig_pages_finish(&none, &diff), -EPROTO);
	KUNIT_EXPECT_EQ(test, vmig_pages_check(&none, f->payload, 8, &diff), -EPROTO);
	vmig_dirty_fill(&f->set);
	while (page < TOTAL) {
		struct vmig_dirty_piece piece;
		struct run run = { .kind = VPV_RUN_ZERO };
		size_t bytes;

		KUNIT_EXPECT_EQ(test, vmig_pages_finish(&f->in, &diff), -ENODATA);
		KUNIT_EXPECT_EQ(test, diff.want, (u64)TOTAL);
		KUNIT_EXPECT_EQ(test, diff.got, page);
		KUNIT_ASSERT_TRUE(test, vmig_dirty_grab(&f->set, page, 50, &piece));
		run.page = page;
		run.pages = piece.pages;
		bytes = record_put(f->payload, 1, 1, &run);
		KUNIT_ASSERT_EQ(test, vmig_pages_check(&f->in, f->payload, bytes, &diff), 1);
		page += piece.pages;
	}
	KUNIT_EXPECT_EQ(test, vmig_pages_finish(&f->in, &diff), 0);
}

/* ---- Both sides together: passes over a memory that changes, some of them interrupted ---- */

#define SIM_SEEDS	200
#define SIM_WORKERS	3

/* A page is a number here; one that reads it long after it took it sees a newer one. */
struct sim {
	struct fixture *f;
	u32 seed;
	bool frozen;
	u64 there[TOTAL];
	u64 here[TOTAL];
	bool logged[TOTAL];
	u64 at;
	u32 pass;
	struct vmig_pages_job job[SIM_WORKERS];
	u32 jobs;
};

static u32 sim_random(struct sim *s, u32 below)
{
	s->seed = s->seed * 1664525 + 1013904223;
	return (s->seed >> 8) % below;
}

static void sim_write(struct sim *s)
{
	for (u32 n = s->frozen ? 0 : sim_random(s, 40); n; n--) {
		u32 page = sim_random(s, TOTAL);

		s->there[page] = sim_random(s, 3) ? s->seed : 0;
		s->logged[page] = true;
	}
}

static void sim_harvest(struct sim *s)
{
	for (u32 i = 0; i < TOTAL; i++) {
		struct vmig_dirty_piece piece;

		if (!s->logged[i])
			continue;
		s->logged[i] = false;
		vmig_dirty_piece(&s->f->set, i, 1, &piece);
		vmig_dirty_set(&s->f->set, piece.first + 5, piece.first + 6);
	}
}

/* Read the pages of the oldest job, in two steps, and send them. */
static void sim_send(struct kunit *test, struct sim *s)
{
	struct vmig_runs *r = &s->f->runs;
	struct vmig_dirty_piece where;
	struct vmig_diff diff = {};
	u64 content[VPV_PAGES_MOST];
	u32 have = 0, took = 0;
	int runs;

	vmig_runs_begin(r, s->pass);
	for (u32 i = 0; i < s->job[0].num; i++) {
		const struct vmig_dirty_piece *p = &s->job[0].piece[i];

		for (u32 n = 0; n < p->pages; n++) {
			u64 is = s->there[p->index + n];

			vmig_runs_add(r, p->index + n, n, is ? VPV_RUN_DATA : VPV_RUN_ZERO);
			if (is)
				content[have++] = is;
		}
		if (!sim_random(s, 8))
			sim_write(s);
	}
	/* The parser does not look at content, but at its size. */
	memcpy(s->f->payload, &r->head, vmig_runs_bytes(r));
	runs = vmig_pages_check(&s->f->in, s->f->payload,
				vmig_runs_bytes(r) + have * VPV_PAGE_BYTES, &diff);
	KUNIT_ASSERT_EQ_MSG(test, runs, (int)r->num, "%s %llu %llu", diff.field ?: "", diff.want,
			    diff.got);
	for (int i = 0; i < runs; i++) {
		u32 kind = vmig_pages_run(&s->f->in, s->f->payload, i, &where);

		for (u32 n = 0; n < where.pages; n++)
			s->here[where.index + n] = kind == VPV_RUN_DATA ? content[took++] : 0;
	}
	KUNIT_EXPECT_EQ(test, took, have);
	s->jobs--;
	memmove(&s->job[0], &s->job[1], s->jobs * sizeof(s->job[0]));
}

/* One pass; what is interrupted puts back what it has not sent. */
static void sim_pass(struct kunit *test, struct sim *s)
{
	bool more = true;

	sim_harvest(s);
	s->pass++;
	s->at = 0;
	while (more || s->jobs) {
		if (!s->frozen && !sim_random(s, 12))
			break;
		if (!sim_random(s, 4))
			sim_write(s);
		if (more && s->jobs < SIM_WORKERS) {
			more = vmig_pages_take(&s->f->set, &s->at, &s->job[s->jobs]);
			s->jobs += more;
		} else {
			sim_send(test, s);
		}
	}
	while (s->jobs)
		vmig_pages_put_back(&s->f->set, &s->job[--s->jobs]);
}

static void no_write_is_lost(struct kunit *test)
{
	struct sim *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct vmig_diff diff = {};

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->f = test->priv;
	for (u32 seed = 0; seed < SIM_SEEDS; seed++) {
		s->seed = seed;
		s->frozen = false;
		s->pass = 0;
		s->f->in.pass = 0;
		memset(s->f->bits, 0, sizeof(s->f->bits));
		memset(s->here, 0xff, sizeof(s->here));
		sim_write(s);
		vmig_dirty_fill(&s->f->set);
		for (u32 n = sim_random(s, 6); n; n--)
			sim_pass(test, s);
		s->frozen = true;
		sim_pass(test, s);
		KUNIT_ASSERT_EQ(test, vmig_pages_finish(&s->f->in, &diff), 0);
		KUNIT_ASSERT_EQ_MSG(test, memcmp(s->here, s->there, sizeof(s->here)), 0,
				    "seed %u", seed);
	}
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE_PARAM(layouts_are_checked, layout_gen_params),
	KUNIT_CASE_PARAM(layout_comes_back_or_is_refused, layout_gen_params),
	KUNIT_CASE(layout_of_another_size_is_refused),
	KUNIT_CASE_PARAM(all_memory_needs_a_place, fit_gen_params),
	KUNIT_CASE(full_set_is_taken_once_and_in_order),
	KUNIT_CASE(what_was_not_sent_comes_again),
	KUNIT_CASE(pieces_stay_in_a_range),
	KUNIT_CASE(zeros_are_not_copied),
	KUNIT_CASE_PARAM(records_are_checked, in_gen_params),
	KUNIT_CASE(refused_run_says_how_many_fit),
	KUNIT_CASE(records_of_any_size_are_checked),
	KUNIT_CASE(all_pages_have_to_come),
	KUNIT_CASE(no_write_is_lost),
	{}
};

static struct kunit_suite pages_suite = {
	.name = "vmig_pages",
	.init = pages_init,
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit: memory of a device in a migration stream");
