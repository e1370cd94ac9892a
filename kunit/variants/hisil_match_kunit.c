// SPDX-License-Identifier: GPL-2.0
/* What a hisi_like function takes from another one: variants/hisi_like/match.c. */
#include <kunit/test.h>

#include "../../migration/match.c"
#include "../../variants/hisi_like/match.c"

#define LIMITS(log2, queues) ((log2) << 16 | (queues))

/* A function, as its control page says it. */
struct ident {
	u32 rev, version, limits, algs, max_xfer, isolation;
};

static struct hisil_match match_of(struct ident is)
{
	const __le32 regs[] = {
		cpu_to_le32(is.rev), cpu_to_le32(is.version), cpu_to_le32(is.limits),
		cpu_to_le32(is.algs), cpu_to_le32(is.isolation), cpu_to_le32(is.max_xfer),
	};
	struct hisil_match match;
	struct hisil_ident id;

	memcpy(&id, regs, sizeof(id));
	hisil_match_write(&id, &match);
	return match;
}

static const struct ident here = {
	.rev = 0x10000,
	.version = 0x20003,		/* writes 3, takes 2 and 3 */
	.limits = LIMITS(10, 64),
	.algs = 0x3f,
	.max_xfer = 1 << 20,
};

/* What the library does with a table. */
static int match_check(const struct ident *mine, const struct hisil_match *theirs,
		       struct vmig_diff *diff)
{
	const struct hisil_match match = match_of(*mine);

	return vmig_match_check(hisil_fields, HISIL_NUM_FIELDS, &match, theirs, sizeof(*theirs),
				diff);
}

struct match_case {
	const char *name;
	struct ident src;
	int err;
	const char *field;
};

/* Source: revision, version, limits, algorithms, transfer size, isolation. */
static const struct match_case match_cases[] = {
	{ "same",
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  0, NULL },
	{ "newer_minor_revision",
	  { 0x10007, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  0, NULL },
	{ "other_major_revision",
	  { 0x20000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  -EOPNOTSUPP, "revision" },
	{ "older_version",
	  { 0x10000, 0x10002, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  0, NULL },
	{ "too_old_version",
	  { 0x10000, 0x10001, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  -EOPNOTSUPP, "oldest state version" },
	{ "too_new_version",
	  { 0x10000, 0x10004, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  -EOPNOTSUPP, "state version" },
	{ "fewer_queues",
	  { 0x10000, 0x20003, LIMITS(10, 8), 0x3f, 1 << 20, 0 },
	  0, NULL },
	{ "more_queues",
	  { 0x10000, 0x20003, LIMITS(10, 65), 0x3f, 1 << 20, 0 },
	  -EOPNOTSUPP, "queues" },
	{ "shorter_rings",
	  { 0x10000, 0x20003, LIMITS(4, 64), 0x3f, 1 << 20, 0 },
	  0, NULL },
	{ "longer_rings",
	  { 0x10000, 0x20003, LIMITS(11, 64), 0x3f, 1 << 20, 0 },
	  -EOPNOTSUPP, "ring size log2" },
	{ "fewer_algorithms",
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x7, 1 << 20, 0 },
	  0, NULL },
	{ "more_algorithms",
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x7f, 1 << 20, 0 },
	  -EOPNOTSUPP, "algorithms" },
	{ "larger_transfers",
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 21, 0 },
	  -EOPNOTSUPP, "transfer size" },
	{ "isolated_source",
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 1 },
	  -EINVAL, "match isolation" },
};

static void match_describe(const struct match_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(match, match_cases, match_describe);

static void match_compares_every_field(struct kunit *test)
{
	const struct match_case *c = test->param_value;
	const struct hisil_match m = match_of(c->src);
	struct vmig_diff diff = { .field = "" };

	KUNIT_EXPECT_EQ(test, match_check(&here, &m, &diff), c->err);
	KUNIT_EXPECT_STREQ(test, diff.field, c->field ?: "");
}

/* Streams of every version of the driver have it so. */
static void match_data_keeps_its_form(struct kunit *test)
{
	const struct ident is = { 0x12345678, 0x9abcdef0, 0x00234567, 0x89abcdef, 0x13579bdf, 0 };
	const __le32 want[] = {
		cpu_to_le32(0x4d4c5348), cpu_to_le32(is.rev), cpu_to_le32(is.version),
		cpu_to_le32(is.limits), cpu_to_le32(is.algs), cpu_to_le32(is.max_xfer), 0, 0,
	};
	const struct hisil_match m = match_of(is);

	KUNIT_ASSERT_EQ(test, sizeof(m), sizeof(want));
	KUNIT_EXPECT_EQ(test, memcmp(&m, want, sizeof(want)), 0);
}

static void match_refuses_nonsense(struct kunit *test)
{
	struct hisil_match m = match_of(here);
	struct vmig_diff diff;

	KUNIT_ASSERT_TRUE(test, vmig_match_valid(hisil_fields, HISIL_NUM_FIELDS, sizeof(m),
						 sizeof(m)));
	m.magic ^= cpu_to_le32(1);
	KUNIT_EXPECT_EQ(test, match_check(&here, &m, &diff), -EINVAL);
	m.magic ^= cpu_to_le32(1);
	m.reserved = cpu_to_le32(1);
	KUNIT_EXPECT_EQ(test, match_check(&here, &m, &diff), -EINVAL);
}

static void global_context_is_checked(struct kunit *test)
{
	const struct hisil_match fn = match_of(here);
	struct hisil_global_ctx ctx = {
		.magic = cpu_to_le32(HISIL_GLOBAL_MAGIC), .version = cpu_to_le32(3),
	};
	struct vmig_diff diff;

	KUNIT_EXPECT_EQ(test, hisil_ctx_check_global(&fn, &ctx, sizeof(ctx), &diff), 0);
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_global(&fn, &ctx, sizeof(ctx) - 1, &diff),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_global(&fn, &ctx, 0, &diff), -EINVAL);
	ctx.version = cpu_to_le32(2);
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_global(&fn, &ctx, sizeof(ctx), &diff), 0);
	ctx.version = cpu_to_le32(4);
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_global(&fn, &ctx, sizeof(ctx), &diff), -EINVAL);
	ctx.version = cpu_to_le32(3);
	ctx.reserved[31] = 1;
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_global(&fn, &ctx, sizeof(ctx), &diff), -EINVAL);
	ctx.reserved[31] = 0;
	ctx.magic = 0;
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_global(&fn, &ctx, sizeof(ctx), &diff), -EINVAL);
}

struct queue_buf {
	struct hisil_queue_ctx ctx;
	u8 entries[(HISIL_MAX_PARKED + 1) * HISIL_SQE_BYTES];
};

/* A full ring whose indices have wrapped. */
static struct hisil_queue_ctx good_queue(void)
{
	return (struct hisil_queue_ctx){
		.magic = cpu_to_le32(HISIL_QUEUE_MAGIC),
		.queue = cpu_to_le32(63),
		.size = cpu_to_le32(16),
		.qstatus = cpu_to_le32(HISIL_QSTATUS_ENABLED),
		.sq_head = cpu_to_le32(0xfffffffe),
		.sq_tail = cpu_to_le32(14),
		.cq_head = cpu_to_le32(1),
		.cq_tail = cpu_to_le32(17),
		.irq_owed = cpu_to_le16(1),
		.parked = cpu_to_le16(2),
	};
}

struct queue_case {
	const char *name;
	unsigned int pos;
	u32 val;
	int extra;
	int err;
};

#define Q(field) offsetof(struct hisil_queue_ctx, field)

static const struct queue_case queue_cases[] = {
	{ "good", Q(queue), 63, 2 * 64, 0 },
	{ "short", Q(queue), 63, 2 * 64 - 1, -EINVAL },
	{ "long", Q(queue), 63, 3 * 64, -EINVAL },
	{ "head_only", Q(queue), 63, 0, -EINVAL },
	{ "cut_head", Q(queue), 63, -1, -EINVAL },
	{ "empty", Q(queue), 63, -64, -EINVAL },
	{ "magic", Q(magic), HISIL_GLOBAL_MAGIC, 2 * 64, -EINVAL },
	{ "number_at_limit", Q(queue), 64, 2 * 64, -EINVAL },
	{ "number_huge", Q(queue), 0xffffffff, 2 * 64, -EINVAL },
	{ "ring_too_long", Q(size), 2048, 2 * 64, -EINVAL },
	{ "ring_overfull", Q(sq_tail), 15, 2 * 64, -EINVAL },
	{ "completions_overfull", Q(cq_tail), 18, 2 * 64, -EINVAL },
	{ "none_parked", Q(irq_owed), 0x00000001, 0, 0 },
	{ "most_parked", Q(irq_owed), 0x00100001, 16 * 64, 0 },
	{ "too_many_parked", Q(irq_owed), 0x00110001, 17 * 64, -EINVAL },
	{ "owed_twice", Q(irq_owed), 0x00020002, 2 * 64, -EINVAL },
};

static void queue_describe(const struct queue_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(queue, queue_cases, queue_describe);

static void queue_context_is_checked(struct kunit *test)
{
	const struct hisil_match fn = match_of(here);
	const struct queue_case *c = test->param_value;
	struct queue_buf buf = { .ctx = good_queue() };
	__le32 val = cpu_to_le32(c->val);
	struct vmig_diff diff;
	u32 queue = 0;

	memcpy((u8 *)&buf.ctx + c->pos, &val, sizeof(val));
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_queue(&fn, &buf, sizeof(buf.ctx) + c->extra,
						    &queue, &diff), c->err);
	if (!c->err)
		KUNIT_EXPECT_EQ(test, queue, 63U);
}

static void rings_of_a_stopped_queue_may_hold_anything(struct kunit *test)
{
	const struct hisil_match fn = match_of(here);
	struct queue_buf buf = { .ctx = good_queue() };
	struct vmig_diff diff;
	u32 queue;

	buf.ctx.size = cpu_to_le32(3);
	buf.ctx.parked = 0;
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_queue(&fn, &buf, sizeof(buf.ctx), &queue,
						    &diff), -EINVAL);
	buf.ctx.qstatus = cpu_to_le32(BIT(1) | 2 << 8);
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_queue(&fn, &buf, sizeof(buf.ctx), &queue,
						    &diff), 0);
}

static void hardware_limits_do_not_lift_ours(struct kunit *test)
{
	struct hisil_match wild = match_of(here);
	struct queue_buf buf = { .ctx = good_queue() };
	struct vmig_diff diff;
	u32 queue;

	wild.queues = cpu_to_le16(U16_MAX);
	wild.log2 = U8_MAX;
	buf.ctx.parked = 0;
	buf.ctx.queue = cpu_to_le32(64);
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_queue(&wild, &buf, sizeof(buf.ctx), &queue,
						    &diff), -EINVAL);
	buf.ctx.queue = 0;
	buf.ctx.size = cpu_to_le32(0x80000000);
	KUNIT_EXPECT_EQ(test, hisil_ctx_check_queue(&wild, &buf, sizeof(buf.ctx), &queue,
						    &diff), -EINVAL);
}

static void only_an_untouched_queue_is_reset(struct kunit *test)
{
	struct hisil_queue_ctx ctx = {
		.magic = cpu_to_le32(HISIL_QUEUE_MAGIC), .queue = cpu_to_le32(5),
	};

	KUNIT_EXPECT_TRUE(test, hisil_ctx_is_reset(&ctx));
	for (size_t pos = Q(sq_base); pos < sizeof(ctx); pos++) {
		((u8 *)&ctx)[pos] = 1;
		KUNIT_EXPECT_FALSE(test, hisil_ctx_is_reset(&ctx));
		((u8 *)&ctx)[pos] = 0;
	}
}

/* Now and before, with one change each. */
static const struct {
	struct ident now, before;
	const char *field;
} idents[] = {
	{ { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 }, NULL },
	{ { 0x10000, 0x20003, LIMITS(1, 1), 0, 1, 0 },
	  { 0x10000, 0x20003, LIMITS(1, 1), 0, 1, 0 }, NULL },
	/* May come at any time, and has a rule of its own. */
	{ { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 1 },
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 }, NULL },
	{ { 0x10001, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 }, "revision before" },
	{ { 0x10000, 0x20004, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 }, "versions before" },
	{ { 0x10000, 0x20003, LIMITS(10, 32), 0x3f, 1 << 20, 0 },
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 }, "limits before" },
	{ { 0x10000, 0x20003, LIMITS(10, 64), 0x1f, 1 << 20, 0 },
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 }, "algorithms before" },
	{ { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 19, 0 },
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 1 << 20, 0 }, "transfer size before" },
	{ { 0x10000, 0, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  { 0x10000, 0, LIMITS(10, 64), 0x3f, 1 << 20, 0 }, "state version" },
	{ { 0x10000, 0x40003, LIMITS(10, 64), 0x3f, 1 << 20, 0 },
	  { 0x10000, 0x40003, LIMITS(10, 64), 0x3f, 1 << 20, 0 }, "oldest state version" },
	{ { 0x10000, 0x20003, LIMITS(10, 0), 0x3f, 1 << 20, 0 },
	  { 0x10000, 0x20003, LIMITS(10, 0), 0x3f, 1 << 20, 0 }, "queues" },
	{ { 0x10000, 0x20003, LIMITS(10, 65), 0x3f, 1 << 20, 0 },
	  { 0x10000, 0x20003, LIMITS(10, 65), 0x3f, 1 << 20, 0 }, "queues" },
	{ { 0x10000, 0x20003, LIMITS(0, 64), 0x3f, 1 << 20, 0 },
	  { 0x10000, 0x20003, LIMITS(0, 64), 0x3f, 1 << 20, 0 }, "ring size log2" },
	{ { 0x10000, 0x20003, LIMITS(11, 64), 0x3f, 1 << 20, 0 },
	  { 0x10000, 0x20003, LIMITS(11, 64), 0x3f, 1 << 20, 0 }, "ring size log2" },
	{ { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 0, 0 },
	  { 0x10000, 0x20003, LIMITS(10, 64), 0x3f, 0, 0 }, "transfer size" },
	{ { U32_MAX, U32_MAX, U32_MAX, U32_MAX, U32_MAX, U32_MAX },
	  { U32_MAX, U32_MAX, U32_MAX, U32_MAX, U32_MAX, U32_MAX }, "queues" },
};

static void limits_that_cannot_be_are_refused(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(idents); i++) {
		const struct hisil_match now = match_of(idents[i].now);
		const struct hisil_match before = match_of(idents[i].before);
		struct vmig_diff diff = { .field = "" };

		KUNIT_EXPECT_EQ(test, hisil_match_sane(&now, &before, &diff),
				idents[i].field ? -EOPNOTSUPP : 0);
		if (idents[i].field)
			KUNIT_EXPECT_STREQ(test, diff.field, idents[i].field);
	}
}

static struct kunit_case hisil_match_cases[] = {
	KUNIT_CASE_PARAM(match_compares_every_field, match_gen_params),
	KUNIT_CASE(match_data_keeps_its_form),
	KUNIT_CASE(match_refuses_nonsense),
	KUNIT_CASE(limits_that_cannot_be_are_refused),
	KUNIT_CASE(global_context_is_checked),
	KUNIT_CASE_PARAM(queue_context_is_checked, queue_gen_params),
	KUNIT_CASE(rings_of_a_stopped_queue_may_hold_anything),
	KUNIT_CASE(hardware_limits_do_not_lift_ours),
	KUNIT_CASE(only_an_untouched_queue_is_reset),
	{ }
};

static struct kunit_suite hisil_match_suite = {
	.name = "hisil_match",
	.test_cases = hisil_match_cases,
};

kunit_test_suite(hisil_match_suite);

MODULE_DESCRIPTION("KUnit suite of hisi_like match data and contexts");
MODULE_LICENSE("GPL");
