// SPDX-License-Identifier: GPL-2.0
/*
 * What the migration library's files in debugfs tell of a device, beside what its states, streams and errors say; match_test has
 * the file match, migration_test the file sessions.
 *
 * Groups: self families
 */
#include <endian.h>

#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define ROOM 4096

FIXTURE(files)
{
	struct slot slot;
	struct vdev v;
	struct blob blob;
	char text[ROOM];
};

VARIANTS_OF_FAMILIES(files, one_way);

FIXTURE_SETUP(files)
{
	NEED_FAMILY(variant->family, &self->slot, 1);
	/* Nothing is left of earlier sessions. */
	ASSERT_EQ(0, vdev_unbind(self->slot.bdf));
	ASSERT_EQ(1, family_bind(variant->family, &self->slot, 1));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
}

FIXTURE_TEARDOWN(files)
{
	vdev_close(&self->v);
	blob_free(&self->blob);
}

/* The number behind @name at the begin of a line of @text, or -1. */
static long long number(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (; text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
		if (!strncmp(text, name, len) && text[len] == ' ')
			return strtoll(text + len, NULL, 10);
	return -1;
}

static bool family_has(const struct family *family, unsigned int state)
{
	uint64_t need = state == PRE_COPY ? VFIO_MIGRATION_PRE_COPY :
			state == RUNNING_P2P ? VFIO_MIGRATION_P2P :
			state == PRE_COPY_P2P ? VFIO_MIGRATION_PRE_COPY | VFIO_MIGRATION_P2P : 0;

	return (family->migration & need) == need;
}

TEST_F(files, state_and_durations_follow_the_device)
{
	static const unsigned int way[] = {
		RUNNING_P2P, STOP, RESUMING, STOP, STOP_COPY, STOP, RUNNING, PRE_COPY, PRE_COPY_P2P, STOP_COPY,
	};
	char *text = self->text, want[32];

	for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
		long long before;

		if (!family_has(variant->family, way[i]))
			continue;
		/* A stream that was not loaded whole is none. */
		if (i && way[i - 1] == RESUMING) {
			EXPECT_EQ(-ENODATA, mig_set(&self->v, STOP, NULL));
			EXPECT_EQ(0, vdev_reset(&self->v));
			EXPECT_EQ(0, mig_debugfs(self->slot.bdf, "state", text, ROOM));
			EXPECT_STREQ("RUNNING\n", text);
		}
		ASSERT_EQ(0, mig_set(&self->v, way[i], NULL)) {
			TH_LOG("%s", mig_state_name(way[i]));
		}
		snprintf(want, sizeof(want), "%s\n", mig_state_name(way[i]));
		EXPECT_EQ(0, mig_debugfs(self->slot.bdf, "state", text, ROOM));
		EXPECT_STREQ(want, text);

		EXPECT_EQ(0, mig_debugfs(self->slot.bdf, "durations", text, ROOM));
		for (unsigned int state = 0; state < MIG_STATES; state++)
			EXPECT_LE(0, number(text, mig_state_name(state)));
		before = number(text, mig_state_name(way[i]));
		usleep(2000);
		EXPECT_EQ(0, mig_debugfs(self->slot.bdf, "durations", text, ROOM));
		EXPECT_LE(before + 2000, number(text, mig_state_name(way[i])));
	}
}

TEST_F(files, error_is_shown_and_why)
{
	char *text = self->text, junk[sizeof(struct vpv_stream_header)];
	int fd;

	memset(junk, 'x', sizeof(junk));
	EXPECT_EQ(0, mig_debugfs(self->slot.bdf, "last_error", text, ROOM));
	EXPECT_STREQ("", text);
	ASSERT_EQ(0, mig_set(&self->v, RESUMING, &fd));
	EXPECT_EQ(-1, write(fd, junk, sizeof(junk)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, mig_debugfs(self->slot.bdf, "last_error", text, ROOM));
	EXPECT_STRNE("", text);
	close(fd);
	/* It is told until the next one, also when the device runs again. */
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0, mig_debugfs(self->slot.bdf, "last_error", text, ROOM));
	EXPECT_STRNE("", text);
	EXPECT_EQ(strlen(text), strcspn(text, "\n") + 1);
}

TEST_F(files, features_are_what_the_stream_says)
{
	const struct vpv_stream_header *header;
	char *text = self->text, want[64];

	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	ASSERT_LE(sizeof(*header), self->blob.bytes);
	header = (const void *)self->blob.data;
	ASSERT_EQ(0, mig_debugfs(self->slot.bdf, "features", text, ROOM));
	snprintf(want, sizeof(want), "family %s\n", (const char *)header->family);
	EXPECT_EQ(0, strncmp(want, text, strlen(want)));
	EXPECT_EQ(le32toh(header->state_version), number(text, "state_version"));
	EXPECT_EQ(le32toh(header->state_oldest), number(text, "state_oldest"));
	EXPECT_LE(1, number(text, "state_accepts"));
	EXPECT_GE(number(text, "state_version"), number(text, "state_accepts"));
	EXPECT_LE(1, number(text, "match_bytes"));
	snprintf(want, sizeof(want), "\nstream %u.%u\n", le16toh(header->major), le16toh(header->minor));
	EXPECT_NE(NULL, strstr(text, want));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
}

TEST_F(files, memory_is_that_of_sessions)
{
	char *text = self->text;
	int fd;

	ASSERT_EQ(0, mig_debugfs(self->slot.bdf, "memory", text, ROOM));
	EXPECT_EQ(0, number(text, "held"));
	EXPECT_EQ(0, number(text, "sets"));
	EXPECT_LT(0, number(text, "limit"));

	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, &fd));
	ASSERT_EQ(0, blob_pull(&self->blob, fd, 0));
	ASSERT_EQ(0, mig_debugfs(self->slot.bdf, "memory", text, ROOM));
	EXPECT_LT(0, number(text, "most"));
	EXPECT_GE(number(text, "limit"), number(text, "most"));
	EXPECT_GE(number(text, "most"), number(text, "held"));
	close(fd);
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	ASSERT_EQ(0, mig_debugfs(self->slot.bdf, "memory", text, ROOM));
	EXPECT_EQ(0, number(text, "held"));
	EXPECT_EQ(0, number(text, "sets"));
}

TEST_HARNESS_MAIN
