// SPDX-License-Identifier: GPL-2.0
/* What a coherent_gpu function takes from firmware and from another one: match.c. */
#include <kunit/test.h>

#include "../../migration/match.c"
#include "../../variants/coherent_gpu/match.c"

#define MIB	0x100000ULL
#define GIB	0x40000000ULL

/* ---- Where the memory is ---- */

struct place_case {
	const char *name;
	struct cgpu_place place;
	const char *field;
};

/* Base, size, carve-out. */
static const struct place_case place_cases[] = {
	{ "least", { 128 * MIB, 256 * MIB, 0 }, NULL },
	{ "most", { 8 * GIB, 64 * GIB, 0 }, NULL },
	{ "not_a_power_of_two", { 8 * GIB, 384 * MIB, 2 * MIB }, NULL },
	{ "nearly_all_carved", { 8 * GIB, 256 * MIB, 254 * MIB }, NULL },
	{ "at_zero", { 0, 256 * MIB, 0 }, "address of the memory" },
	{ "odd_base", { 8 * GIB + 1, 256 * MIB, 0 },
	  "address of the memory, above its alignment" },
	{ "unaligned_base", { 8 * GIB + 64 * MIB, 256 * MIB, 0 },
	  "address of the memory, above its alignment" },
	{ "ends_beyond_all", { 0ULL - 128 * MIB, 256 * MIB, 0 }, "address of the memory" },
	{ "ends_at_the_end", { 0ULL - 64 * GIB, 64 * GIB, 0 }, "address of the memory" },
	{ "all_ones", { ~0ULL, ~0ULL, ~0ULL }, "address of the memory, above its alignment" },
	{ "no_size", { 8 * GIB, 0, 0 }, "size of the memory" },
	{ "too_small", { 8 * GIB, 128 * MIB, 0 }, "size of the memory" },
	{ "too_large", { 8 * GIB, 64 * GIB + 128 * MIB, 0 }, "size of the memory" },
	{ "huge", { 8 * GIB, 1ULL << 63, 0 }, "size of the memory" },
	{ "odd_size", { 8 * GIB, 256 * MIB + 4096, 0 },
	  "size of the memory, above its alignment" },
	{ "odd_carve", { 8 * GIB, 256 * MIB, MIB },
	  "size of the carve-out, above its alignment" },
	{ "all_carved", { 8 * GIB, 256 * MIB, 256 * MIB }, "size of the carve-out" },
	{ "more_carved", { 8 * GIB, 256 * MIB, 512 * MIB }, "size of the carve-out" },
};

static void place_describe(const struct place_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(place, place_cases, place_describe);

static void place_is_checked(struct kunit *test)
{
	const struct place_case *c = test->param_value;
	struct vmig_diff diff = { .field = "" };

	KUNIT_EXPECT_EQ(test, cgpu_place_check(&c->place, &diff), c->field ? -EINVAL : 0);
	KUNIT_EXPECT_STREQ(test, diff.field, c->field ?: "");
}

/* ---- What a function says ---- */

/* A function, as its control page says it. */
struct ident {
	u32 rev, version, queues, ops;
	u64 mem, carve;
};

static struct cgpu_ident ident_of(const struct ident *is)
{
	const __le32 regs[] = {
		cpu_to_le32(is->rev), cpu_to_le32(is->version), cpu_to_le32(is->queues),
		cpu_to_le32(is->ops), 0, 0, 0, 0, 0, 0, 0,
		cpu_to_le32(is->mem), cpu_to_le32(is->mem >> 32),
		cpu_to_le32(is->carve), cpu_to_le32(is->carve >> 32),
	};
	struct cgpu_ident id;

	BUILD_BUG_ON(sizeof(regs) != sizeof(id));
	memcpy(&id, regs, sizeof(id));
	return id;
}

static struct cgpu_match match_of(const struct ident *is)
{
	const struct cgpu_ident id = ident_of(is);
	struct cgpu_match match;

	cgpu_match_write(&id, &match);
	return match;
}

static const struct ident here = {
	.rev = 0x10000,
	.version = 0x20003,		/* writes 3, takes 2 and 3 */
	.queues = 9 << 16 | 4,
	.ops = 0x3f,
	.mem = 6 * GIB,
	.carve = 2 * MIB,
};

static void function_is_that_of_the_place(struct kunit *test)
{
	const struct cgpu_place place = { 8 * GIB, 6 * GIB + 128 * MIB, 128 * MIB };
	struct ident is = here;
	struct cgpu_match fn;
	struct vmig_diff diff;

	is.carve = 128 * MIB;
	fn = match_of(&is);
	KUNIT_EXPECT_EQ(test, cgpu_match_place(&fn, &place, &diff), 0);
	is.mem += 1ULL << 32;
	fn = match_of(&is);
	KUNIT_EXPECT_EQ(test, cgpu_match_place(&fn, &place, &diff), -EINVAL);
	KUNIT_EXPECT_STREQ(test, diff.field, "main memory of the function");
	is.mem = GIB;
	fn = match_of(&is);
	KUNIT_EXPECT_EQ(test, cgpu_match_place(&fn, &place, &diff), -EINVAL);
	is = here;
	fn = match_of(&is);
	KUNIT_EXPECT_EQ(test, cgpu_match_place(&fn, &place, &diff), -EINVAL);
	KUNIT_EXPECT_STREQ(test, diff.field, "carve-out of the function");
}

struct match_case {
	const char *name;
	struct ident src;
	int err;
	const char *field;
};

/* Source: revision, versions, queues, opcodes, main memory, carve-out. */
static const struct match_case match_cases[] = {
	{ "same",
	  { 0x10000, 0x20003, 9 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB },
	  0, NULL },
	{ "newer_minor_revision",
	  { 0x10007, 0x20003, 9 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB },
	  0, NULL },
	{ "other_major_revision",
	  { 0x20000, 0x20003, 9 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB },
	  -EOPNOTSUPP, "revision" },
	{ "older_version",
	  { 0x10000, 0x10002, 9 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB },
	  0, NULL },
	{ "too_old_version",
	  { 0x10000, 0x10001, 9 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB },
	  -EOPNOTSUPP, "oldest state version" },
	{ "too_new_version",
	  { 0x10000, 0x10004, 9 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB },
	  -EOPNOTSUPP, "state version" },
	{ "fewer_queues",
	  { 0x10000, 0x20003, 9 << 16 | 3, 0x3f, 6 * GIB, 2 * MIB },
	  -EOPNOTSUPP, "queues" },
	{ "more_queues",
	  { 0x10000, 0x20003, 9 << 16 | 5, 0x3f, 6 * GIB, 2 * MIB },
	  -EOPNOTSUPP, "queues" },
	{ "shorter_rings",
	  { 0x10000, 0x20003, 2 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB },
	  0, NULL },
	{ "longer_rings",
	  { 0x10000, 0x20003, 10 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB },
	  -EOPNOTSUPP, "ring size log2" },
	{ "fewer_opcodes",
	  { 0x10000, 0x20003, 9 << 16 | 4, 0x7, 6 * GIB, 2 * MIB },
	  0, NULL },
	{ "more_opcodes",
	  { 0x10000, 0x20003, 9 << 16 | 4, 0x7f, 6 * GIB, 2 * MIB },
	  -EOPNOTSUPP, "opcodes" },
	{ "less_memory",
	  { 0x10000, 0x20003, 9 << 16 | 4, 0x3f, GIB, 2 * MIB },
	  0, NULL },
	{ "more_memory",
	  { 0x10000, 0x20003, 9 << 16 | 4, 0x3f, 7 * GIB, 2 * MIB },
	  -EOPNOTSUPP, "main memory" },
	{ "more_by_the_upper_half",
	  { 0x10000, 0x20003, 9 << 16 | 4, 0x3f, 1ULL << 40, 2 * MIB },
	  -EOPNOTSUPP, "main memory" },
	{ "no_carve_out",
	  { 0x10000, 0x20003, 9 << 16 | 4, 0x3f, 6 * GIB, 0 },
	  0, NULL },
	{ "larger_carve_out",
	  { 0x10000, 0x20003, 9 << 16 | 4, 0x3f, 6 * GIB, 4 * MIB },
	  -EOPNOTSUPP, "carve-out" },
};

static void match_describe(const struct match_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(match, match_cases, match_describe);

static void match_compares_every_field(struct kunit *test)
{
	const struct match_case *c = test->param_value;
	const struct cgpu_match mine = match_of(&here), theirs = match_of(&c->src);
	struct vmig_diff diff = { .field = "" };

	KUNIT_EXPECT_EQ(test, vmig_match_check(cgpu_fields, CGPU_NUM_FIELDS, &mine, &theirs,
					       sizeof(theirs), &diff), c->err);
	KUNIT_EXPECT_STREQ(test, diff.field, c->field ?: "");
}

/* Streams of every version of the driver have it so. */
static void match_data_keeps_its_form(struct kunit *test)
{
	const struct ident is = { 0x12345678, 0x9abcdef0, 0x00234567, 0x89abcdef,
				  0x1122334455667788, 0x99aabbccddeeff00 };
	const __le32 want[] = {
		cpu_to_le32(0x4d504743), cpu_to_le32(is.rev), cpu_to_le32(is.version),
		cpu_to_le32(is.queues), cpu_to_le32(is.ops), 0,
		cpu_to_le32(is.mem), cpu_to_le32(is.mem >> 32),
		cpu_to_le32(is.carve), cpu_to_le32(is.carve >> 32),
	};
	const struct cgpu_match m = match_of(&is);

	KUNIT_ASSERT_EQ(test, sizeof(m), sizeof(want));
	KUNIT_EXPECT_EQ(test, memcmp(&m, want, sizeof(want)), 0);
	KUNIT_EXPECT_TRUE(test, vmig_match_valid(cgpu_fields, CGPU_NUM_FIELDS, sizeof(m),
						 sizeof(m)));
}

static void limits_that_cannot_be_are_refused(struct kunit *test)
{
	static const struct {
		struct ident is;
		const char *field;
	} idents[] = {
		{ { 0x10000, 0x20003, 9 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB }, NULL },
		{ { 0x10000, 0, 9 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB }, "state version" },
		{ { 0x10000, 0x40003, 9 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB },
		  "oldest state version" },
		{ { 0x10000, 0x20003, 9 << 16, 0x3f, 6 * GIB, 2 * MIB }, "queues" },
		{ { 0x10000, 0x20003, 9 << 16 | 9, 0x3f, 6 * GIB, 2 * MIB }, "queues" },
		{ { 0x10000, 0x20003, 4, 0x3f, 6 * GIB, 2 * MIB }, "ring size log2" },
		{ { 0x10000, 0x20003, 11 << 16 | 4, 0x3f, 6 * GIB, 2 * MIB }, "ring size log2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(idents); i++) {
		const struct cgpu_match now = match_of(&idents[i].is);
		struct vmig_diff diff = { .field = "" };

		KUNIT_EXPECT_EQ(test, cgpu_match_sane(&now, &now, &diff),
				idents[i].field ? -EOPNOTSUPP : 0);
		KUNIT_EXPECT_STREQ(test, diff.field, idents[i].field ?: "");
	}
}

static void another_function_than_before_is_refused(struct kunit *test)
{
	const struct cgpu_match before = match_of(&here);

	for (size_t i = 0; i < sizeof(before); i++) {
		struct cgpu_match now = before;
		struct vmig_diff diff;

		((u8 *)&now)[i] ^= 0x80;
		KUNIT_EXPECT_EQ(test, cgpu_match_sane(&now, &before, &diff), -EOPNOTSUPP);
	}
}

/* ---- State ---- */

static void state_is_checked(struct kunit *test)
{
	const struct cgpu_match fn = match_of(&here);
	static u8 buf[CGPU_STATE_MAX_BYTES + 1];
	u8 *odd = buf + 1;
	struct cgpu_state good = {
		.magic = cpu_to_le32(CGPU_STATE_MAGIC), .version = cpu_to_le32(3),
		.bytes = cpu_to_le32(CGPU_STATE_BYTES(4)), .queues = cpu_to_le32(4),
	};
	static const struct {
		size_t pos;
		u32 val;
		const char *field;
	} tries[] = {
		{ offsetof(struct cgpu_state, version), 2, NULL },
		{ offsetof(struct cgpu_state, magic), 0, "state magic" },
		{ offsetof(struct cgpu_state, version), 1, "state version" },
		{ offsetof(struct cgpu_state, version), 4, "state version" },
		{ offsetof(struct cgpu_state, bytes), 64, "state bytes" },
		{ offsetof(struct cgpu_state, queues), 3, "state queues" },
		{ offsetof(struct cgpu_state, queues), 0xffffffff, "state queues" },
	};
	const u32 bytes = cgpu_state_bytes(&fn);
	struct vmig_diff diff;

	KUNIT_EXPECT_EQ(test, bytes, CGPU_STATE_BYTES(4));
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		memcpy(odd, &good, sizeof(good));
		put_unaligned_le32(tries[i].val, odd + tries[i].pos);
		diff.field = "";
		KUNIT_EXPECT_EQ(test, cgpu_state_check(&fn, odd, bytes, &diff),
				tries[i].field ? -EINVAL : 0);
		KUNIT_EXPECT_STREQ(test, diff.field, tries[i].field ?: "");
	}
	memcpy(odd, &good, sizeof(good));
	KUNIT_EXPECT_EQ(test, cgpu_state_check(&fn, odd, bytes, &diff), 0);
	KUNIT_EXPECT_EQ(test, cgpu_state_check(&fn, odd, bytes - 1, &diff), -EINVAL);
	KUNIT_EXPECT_EQ(test, cgpu_state_check(&fn, odd, 0, &diff), -EINVAL);
}

/* ---- Bad pages ---- */

struct poison_case {
	const char *name;
	u64 pages[3];
	u32 num;
	u32 flags;
	u32 reserved;
	const char *field;
};

static const struct poison_case poison_cases[] = {
	{ "one", { 0x5000 }, 1, 0, 0, NULL },
	{ "inherited", { 0x5000, 0x6000 }, 2, 1, 0, NULL },
	{ "first_and_last", { 0, 6 * GIB - 4096, CGPU_CARVE_BASE + 2 * MIB - 4096 }, 3, 0, 0,
	  NULL },
	{ "none", { 0 }, 0, 0, 0, "size of the list of bad pages" },
	{ "twice", { 0x5000, 0x5000 }, 2, 0, 0, "next bad page" },
	{ "descending", { 0x6000, 0x5000 }, 2, 0, 0, "next bad page" },
	{ "unaligned", { 0x5800 }, 1, 0, 0, "bad page, above its alignment" },
	{ "behind_main_memory", { 6 * GIB }, 1, 0, 0, "memory at a bad page" },
	{ "before_the_carve_out", { CGPU_CARVE_BASE - 4096 }, 1, 0, 0, "memory at a bad page" },
	{ "behind_the_carve_out", { CGPU_CARVE_BASE + 2 * MIB }, 1, 0, 0,
	  "memory at a bad page" },
	{ "at_the_end_of_all", { 0ULL - 4096 }, 1, 0, 0, "next bad page" },
	{ "other_flags", { 0x5000 }, 1, 2, 0, "flags of a bad page" },
	{ "reserved", { 0x5000 }, 1, 0, 1, "reserved field of a bad page" },
};

static void poison_describe(const struct poison_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(poison, poison_cases, poison_describe);

static void bad_pages_are_checked(struct kunit *test)
{
	const struct cgpu_place place = { 8 * GIB, 6 * GIB + 2 * MIB, 2 * MIB };
	const struct poison_case *c = test->param_value;
	struct cgpu_poison list[3] = {};
	struct vmig_diff diff = { .field = "" };

	for (u32 i = 0; i < c->num; i++)
		list[i] = (struct cgpu_poison){
			.address = cpu_to_le64(c->pages[i]),
			.flags = cpu_to_le32(c->flags),
			.reserved = cpu_to_le32(c->reserved),
		};
	KUNIT_EXPECT_EQ(test, cgpu_poison_check(&place, list, c->num * sizeof(list[0]), &diff),
			c->field ? -EINVAL : 0);
	KUNIT_EXPECT_STREQ(test, diff.field, c->field ?: "");
	if (c->field)
		return;
	KUNIT_EXPECT_EQ(test, cgpu_poison_check(&place, list, sizeof(list[0]) - 1, &diff), -EINVAL);
	for (u32 i = 0; i < c->num; i++) {
		KUNIT_EXPECT_TRUE(test, cgpu_poison_has(list, c->num, c->pages[i]));
		KUNIT_EXPECT_FALSE(test, cgpu_poison_has(list, i, c->pages[i]));
	}
	KUNIT_EXPECT_FALSE(test, cgpu_poison_has(list, c->num, 0x4000));
	KUNIT_EXPECT_FALSE(test, cgpu_poison_has(list, c->num, 0x7000));
}

static void too_many_bad_pages_are_refused(struct kunit *test)
{
	const struct cgpu_place place = { 8 * GIB, 64 * GIB, 0 };
	const u32 bytes = (CGPU_POISON_MAX + 1) * sizeof(struct cgpu_poison);
	struct cgpu_poison *list = kunit_kzalloc(test, bytes, GFP_KERNEL);
	struct vmig_diff diff;

	KUNIT_ASSERT_NOT_NULL(test, list);
	for (u32 i = 0; i <= CGPU_POISON_MAX; i++)
		list[i].address = cpu_to_le64(i * 0x3000ULL);
	KUNIT_EXPECT_EQ(test, cgpu_poison_check(&place, list, bytes, &diff), -EINVAL);
	KUNIT_EXPECT_EQ(test, cgpu_poison_check(&place, list, bytes - sizeof(*list), &diff), 0);
	for (u32 i = 0; i < CGPU_POISON_MAX; i++)
		KUNIT_EXPECT_TRUE(test, cgpu_poison_has(list, CGPU_POISON_MAX, i * 0x3000ULL));
}

static struct kunit_case cgpu_match_cases[] = {
	KUNIT_CASE_PARAM(place_is_checked, place_gen_params),
	KUNIT_CASE(function_is_that_of_the_place),
	KUNIT_CASE_PARAM(match_compares_every_field, match_gen_params),
	KUNIT_CASE(match_data_keeps_its_form),
	KUNIT_CASE(limits_that_cannot_be_are_refused),
	KUNIT_CASE(another_function_than_before_is_refused),
	KUNIT_CASE(state_is_checked),
	KUNIT_CASE_PARAM(bad_pages_are_checked, poison_gen_params),
	KUNIT_CASE(too_many_bad_pages_are_refused),
	{ }
};

static struct kunit_suite cgpu_match_suite = {
	.name = "cgpu_match",
	.test_cases = cgpu_match_cases,
};

kunit_test_suite(cgpu_match_suite);

MODULE_DESCRIPTION("KUnit suite of what coherent_gpu functions say and take");
MODULE_LICENSE("GPL");
