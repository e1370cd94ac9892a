// SPDX-License-Identifier: GPL-2.0
/* Match data by a table: migration/match.c. */
#include <kunit/test.h>

#include "../../migration/match.c"

struct data {
	__le32 version, limit, features;
};

static const struct vmig_match_field fields[] = {
	{ "version", offsetof(struct data, version), VMIG_MATCH_EQUAL },
	{ "limit", offsetof(struct data, limit), VMIG_MATCH_AT_MOST },
	{ "features", offsetof(struct data, features), VMIG_MATCH_SUBSET },
};

/* This device: version 3, limit 10, features 0x5. */
static const struct {
	const char *name;
	u32 source[3];
	size_t bytes;
	int differs;	/* index of the field, or -1 */
} cases[] = {
	{ "same", { 3, 10, 5 }, 12, -1 },
	{ "older", { 2, 10, 5 }, 12, 0 },
	{ "newer", { 4, 10, 5 }, 12, 0 },
	{ "smaller", { 3, 0, 0 }, 12, -1 },
	{ "larger", { 3, 11, 5 }, 12, 1 },
	{ "largest", { 3, ~0U, 5 }, 12, 1 },
	{ "feature_missing_here", { 3, 10, 7 }, 12, 2 },
	{ "other_feature", { 3, 10, 2 }, 12, 2 },
	{ "first_of_two", { 3, 11, 2 }, 12, 1 },
	{ "source_without_features", { 3, 10, 7 }, 8, -1 },
	{ "half_a_field", { 3, 10, 7 }, 11, -1 },
	{ "nothing", { 4, 11, 7 }, 0, -1 },
};

static void match_follows_the_rules(struct kunit *test)
{
	static const u64 here[] = { 3, 10, 5 };
	const struct data mine = { cpu_to_le32(3), cpu_to_le32(10), cpu_to_le32(5) };

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		const int at = cases[i].differs;
		struct vmig_diff diff = {};
		u8 theirs[1 + sizeof(mine)];	/* not aligned */
		int err;

		for (unsigned int n = 0; n < 3; n++) {
			__le32 val = cpu_to_le32(cases[i].source[n]);

			memcpy(theirs + 1 + n * sizeof(val), &val, sizeof(val));
		}
		err = vmig_match_check(fields, ARRAY_SIZE(fields), &mine, theirs + 1,
				       cases[i].bytes, &diff);
		KUNIT_EXPECT_EQ_MSG(test, err, at < 0 ? 0 : -EOPNOTSUPP, "%s", cases[i].name);
		KUNIT_EXPECT_PTR_EQ(test, diff.field, at < 0 ? NULL : fields[at].name);
		if (at < 0)
			continue;
		KUNIT_EXPECT_EQ(test, diff.want, here[at]);
		KUNIT_EXPECT_EQ(test, diff.got, cases[i].source[at]);
	}
}

static struct kunit_case match_cases[] = {
	KUNIT_CASE(match_follows_the_rules),
	{}
};

static struct kunit_suite match_suite = {
	.name = "vmig_match",
	.test_cases = match_cases,
};

kunit_test_suite(match_suite);

MODULE_DESCRIPTION("KUnit suite of match data");
MODULE_LICENSE("GPL");
