// SPDX-License-Identifier: GPL-2.0
/* Match data by a table, and ranges: migration/match.c, include/vpv/match.h. */
#include <kunit/test.h>

#include "../../migration/match.c"

/* What is sent, and what this device writes behind it. */
struct sent {
	__le32 magic;
	__le16 version, limit;
	__le64 features;
	u8 kind, reserved[3];
};

struct written {
	struct sent sent;
	__le16 oldest;
};

#define FIELD(name, rule) VMIG_MATCH_FIELD(#name, rule, struct written, sent.name)

static const struct vmig_match_field fields[] = {
	FIELD(magic, VMIG_MATCH_CONSTANT),
	FIELD(version, VMIG_MATCH_AT_MOST),
	VMIG_MATCH_AGAINST("oldest", VMIG_MATCH_AT_LEAST, struct written, sent.version, oldest),
	FIELD(limit, VMIG_MATCH_AT_MOST),
	FIELD(features, VMIG_MATCH_SUBSET),
	FIELD(kind, VMIG_MATCH_EQUAL),
};

#define MAGIC		0x12345678U
#define FEATURES	0x8000000000000005ULL

/* This device: versions 2 to 4, limit 10, kind 7. */
static const struct {
	const char *name;
	u16 version, limit;
	u64 features;
	u8 kind;
	u32 magic;
	size_t bytes;
	const char *differs;
	int err;
} cases[] = {
	{ "same", 4, 10, FEATURES, 7, MAGIC, 20, NULL, 0 },
	{ "oldest", 2, 10, FEATURES, 7, MAGIC, 20, NULL, 0 },
	{ "older", 1, 10, FEATURES, 7, MAGIC, 20, "oldest", -EOPNOTSUPP },
	{ "newer", 5, 10, FEATURES, 7, MAGIC, 20, "version", -EOPNOTSUPP },
	{ "smaller", 4, 0, 0, 7, MAGIC, 20, NULL, 0 },
	{ "larger", 4, 11, FEATURES, 7, MAGIC, 20, "limit", -EOPNOTSUPP },
	{ "largest", 4, 0xffff, FEATURES, 7, MAGIC, 20, "limit", -EOPNOTSUPP },
	{ "feature_missing_here", 4, 10, 0x7, 7, MAGIC, 20, "features", -EOPNOTSUPP },
	{ "high_feature", 4, 10, 1ULL << 62, 7, MAGIC, 20, "features", -EOPNOTSUPP },
	{ "other_kind", 4, 10, FEATURES, 6, MAGIC, 20, "kind", -EOPNOTSUPP },
	{ "no_sense", 4, 10, FEATURES, 7, ~MAGIC, 20, "magic", -EINVAL },
	{ "first_of_two", 4, 11, 2, 7, MAGIC, 20, "limit", -EOPNOTSUPP },
	{ "source_without_features", 4, 10, 7, 6, MAGIC, 8, NULL, 0 },
	{ "half_a_field", 4, 10, 7, 6, MAGIC, 15, NULL, 0 },
	{ "nothing", 5, 11, 7, 6, 0, 0, NULL, 0 },
};

static void match_follows_the_rules(struct kunit *test)
{
	const struct written mine = {
		.sent = {
			.magic = cpu_to_le32(MAGIC), .version = cpu_to_le16(4),
			.limit = cpu_to_le16(10), .features = cpu_to_le64(FEATURES), .kind = 7,
		},
		.oldest = cpu_to_le16(2),
	};

	KUNIT_ASSERT_TRUE(test, vmig_match_valid(fields, ARRAY_SIZE(fields), sizeof(struct sent),
						 sizeof(mine)));
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sent source = {
			.magic = cpu_to_le32(cases[i].magic),
			.version = cpu_to_le16(cases[i].version),
			.limit = cpu_to_le16(cases[i].limit),
			.features = cpu_to_le64(cases[i].features), .kind = cases[i].kind,
		};
		struct vmig_diff diff = { .field = "" };
		u8 theirs[1 + sizeof(source)];	/* not aligned */

		memcpy(theirs + 1, &source, sizeof(source));
		KUNIT_EXPECT_EQ_MSG(test, vmig_match_check(fields, ARRAY_SIZE(fields), &mine,
							   theirs + 1, cases[i].bytes, &diff),
				    cases[i].err, "%s", cases[i].name);
		KUNIT_EXPECT_STREQ(test, diff.field, cases[i].differs ?: "");
	}
}

static void both_values_are_told(struct kunit *test)
{
	const struct vmig_match_field field = { "", VMIG_MATCH_AT_LEAST, 2, 2, 4 };
	const u8 mine[] = { 1, 2, 3, 4, 9, 8 }, theirs[] = { 1, 2, 3, 4, 5, 6 };
	struct vmig_diff diff;

	KUNIT_EXPECT_EQ(test, vmig_match_check(&field, 1, mine, theirs, 6, &diff), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, diff.want, 0x0809ULL);
	KUNIT_EXPECT_EQ(test, diff.got, 0x0403ULL);
}

static void texts_end_and_are_equal(struct kunit *test)
{
	static const struct {
		char mine[6], theirs[6];
		int err;
		const char *got;
	} texts[] = {
		{ "abc", "abc", 0, NULL },
		{ "", "", 0, NULL },
		{ "abcde", "abcde", 0, NULL },
		{ "abc", "abd", -EOPNOTSUPP, "abd" },
		{ "abc", "", -EOPNOTSUPP, "" },
		{ "abc", "abc\0x", 0, NULL },
		{ "abc", "abcdef", -EINVAL, NULL },
	};
	const struct vmig_match_field field = { "name", VMIG_MATCH_TEXT, 6, 0, 0 };

	KUNIT_ASSERT_TRUE(test, vmig_match_valid(&field, 1, 6, 6));
	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
		struct vmig_diff diff = { .field = "" };

		KUNIT_EXPECT_EQ_MSG(test, vmig_match_check(&field, 1, texts[i].mine,
							   texts[i].theirs, 6, &diff),
				    texts[i].err, "text %u", i);
		KUNIT_EXPECT_STREQ(test, diff.field, texts[i].err ? "name" : "");
		KUNIT_EXPECT_STREQ(test, diff.got_text ?: "-", texts[i].got ?: "-");
		KUNIT_EXPECT_STREQ(test, diff.want_text ?: "-",
				   texts[i].got ? texts[i].mine : "-");
	}
}

static void fields_are_within_the_data(struct kunit *test)
{
	static const struct {
		struct vmig_match_field field;
		bool valid;
	} tables[] = {
		{ { "", VMIG_MATCH_EQUAL, 4, 4, 8 }, true },
		{ { "", VMIG_MATCH_EQUAL, 4, 5, 8 }, false },
		{ { "", VMIG_MATCH_EQUAL, 4, 4, 9 }, false },
		{ { "", VMIG_MATCH_EQUAL, 8, 0, 4 }, true },
		{ { "", VMIG_MATCH_EQUAL, 16, 0, 0 }, false },
		{ { "", VMIG_MATCH_EQUAL, 3, 0, 0 }, false },
		{ { "", VMIG_MATCH_EQUAL, 0, 0, 0 }, false },
		{ { "", VMIG_MATCH_EQUAL, 1, 7, 11 }, true },
		{ { "", VMIG_MATCH_TEXT, 7, 0, 0 }, true },
		{ { "", VMIG_MATCH_TEXT, 0, 0, 0 }, false },
		{ { "", VMIG_MATCH_TEXT, 9, 0, 0 }, false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++)
		KUNIT_EXPECT_EQ_MSG(test, vmig_match_valid(&tables[i].field, 1, 8, 12),
				    tables[i].valid, "table %u", i);
	KUNIT_EXPECT_TRUE(test, vmig_match_valid(NULL, 0, 0, 0));
}

static void ranges_include_their_bounds(struct kunit *test)
{
	static const struct {
		u64 value;
		int err;
		u64 want;
	} values[] = {
		{ 2, -ERANGE, 3 }, { 3, 0, 0 }, { 5, 0, 0 }, { 6, -ERANGE, 5 }, { 0, -ERANGE, 3 },
		{ ~0ULL, -ERANGE, 5 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		const struct vmig_range_rule rules[] = {
			{ "any", values[i].value, 0, ~0ULL },
			{ "some", values[i].value, 3, 5 },
		};
		struct vmig_diff diff = { .field = "" };

		KUNIT_EXPECT_EQ(test, vmig_in_range(rules, ARRAY_SIZE(rules), -ERANGE, &diff),
				values[i].err);
		KUNIT_EXPECT_STREQ(test, diff.field, values[i].err ? "some" : "");
		KUNIT_EXPECT_EQ(test, diff.want, values[i].want);
		KUNIT_EXPECT_EQ(test, diff.got, values[i].err ? values[i].value : 0);
	}
}

static struct kunit_case match_cases[] = {
	KUNIT_CASE(match_follows_the_rules),
	KUNIT_CASE(both_values_are_told),
	KUNIT_CASE(texts_end_and_are_equal),
	KUNIT_CASE(fields_are_within_the_data),
	KUNIT_CASE(ranges_include_their_bounds),
	{}
};

static struct kunit_suite match_suite = {
	.name = "vmig_match",
	.test_cases = match_cases,
};

kunit_test_suite(match_suite);

MODULE_DESCRIPTION("KUnit suite of match data");
MODULE_LICENSE("GPL");
