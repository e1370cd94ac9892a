// SPDX-License-Identifier: GPL-2.0
/*
 * The match data of a device as debugfs tells it, of each family that describes it by a table.
 *
 * Groups: self families
 */
#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define ROOM 8192

FIXTURE(match)
{
	struct slot slot;
	struct vdev v;
	struct blob blob;
};

VARIANTS_OF_FAMILIES(match, one_way);

FIXTURE_SETUP(match)
{
	NEED_FAMILY(variant->family, &self->slot, 1);
	/* Nothing is left of earlier sessions. */
	ASSERT_EQ(0, vdev_unbind(self->slot.bdf));
	ASSERT_EQ(1, family_bind(variant->family, &self->slot, 1));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
}

FIXTURE_TEARDOWN(match)
{
	vdev_close(&self->v);
	blob_free(&self->blob);
}

static int match_read(const struct slot *slot, char *buf)
{
	return mig_debugfs(slot->bdf, "match", buf, ROOM);
}

static bool rule_known(const char *rule)
{
	static const char *const rules[] = {
		"equal", "at-most", "at-least", "subset", "constant", "text",
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strcmp(rule, rules[i]))
			return true;
	return false;
}

/* Lines that are as they should be; -1 if there is another one. */
static int count_fields(char *text)
{
	int num = 0;
	char *line;

	while ((line = strsep(&text, "\n")) && *line) {
		const char *rule = strsep(&line, "\t"), *name = strsep(&line, "\t");
		const char *sends = strsep(&line, "\t"), *takes = strsep(&line, "\t");

		if (!takes || line || !rule_known(rule) || !*name)
			return -1;
		if (strcmp(rule, "text") && (!*sends || sends[strspn(sends, "0123456789")] ||
					     !*takes || takes[strspn(takes, "0123456789")]))
			return -1;
		num++;
	}
	return num;
}

TEST_F(match, it_is_that_of_the_last_session)
{
	static char first[ROOM], again[ROOM], copy[ROOM];

	ASSERT_EQ(0, match_read(&self->slot, first));
	EXPECT_STREQ("", first);
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	ASSERT_EQ(0, match_read(&self->slot, first));
	strcpy(copy, first);
	EXPECT_LT(1, count_fields(copy)) {
		TH_LOG("%s", first);
	}
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	vdev_close(&self->v);
	ASSERT_EQ(0, match_read(&self->slot, again));
	EXPECT_STREQ(first, again);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
}

TEST_F(match, a_destination_writes_it_too)
{
	static char source[ROOM], destination[ROOM];

	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	ASSERT_EQ(0, match_read(&self->slot, source));
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_unbind(self->slot.bdf));
	ASSERT_EQ(1, family_bind(variant->family, &self->slot, 1));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	ASSERT_EQ(0, mig_load(&self->v, &self->blob, STOP));
	ASSERT_EQ(0, match_read(&self->slot, destination));
	EXPECT_STREQ(source, destination);
}

TEST_HARNESS_MAIN
