// SPDX-License-Identifier: GPL-2.0
/*
 * What a hisi_like function says about itself is not believed: limits that are zero, too
 * large, other than before, or read before the function is ready.  A save ends with all that
 * the function has, or with an error.
 *
 * Groups: self stable
 */
#include "lib/states.h"
#include "lib/test.h"

#define LIMITS(log2, queues)	((log2) << 16 | (queues))
#define QUEUE_RECORD		(VPV_RECORD_FAMILY + 1)
#define LAST_QUEUE		7

FIXTURE(limits)
{
	struct slot slot;
	struct vdev v;
	struct hisil h;
	struct model m;
	struct blob blob;
};

FIXTURE_SETUP(limits)
{
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, model_cmd(&self->m, "claim clear"));
	ASSERT_EQ(0, hisil_init(&self->h));
}

FIXTURE_TEARDOWN(limits)
{
	model_cmd(&self->m, "claim clear");
	hisil_free(&self->h);
	vdev_close(&self->v);
	model_close(&self->m);
	blob_free(&self->blob);
}

/* The function has work behind it, in its first queue and in a later one. */
#define OPEN() do {								\
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));		\
	ASSERT_EQ(0, hisil_share(&self->h, &self->v));				\
	ASSERT_EQ(0, hisil_attach(&self->h, &self->v));				\
	ASSERT_EQ(0, hisil_enable(&self->h));					\
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));			\
	ASSERT_EQ(0, hisil_queue_start(&self->h, LAST_QUEUE, 16, false));		\
} while (0)

/* Queue contexts in a stream. */
static unsigned int queues_in(const struct blob *b)
{
	unsigned int num = 0;
	struct stream s;

	if (stream_split(&s, b))
		return 0;
	for (unsigned int i = 0; i < s.num; i++)
		num += s.rec[i].type == QUEUE_RECORD;
	return num;
}

TEST_F(limits, read_when_the_function_is_ready)
{
	/* Ready after each of the resets of an open, and not at once. */
	ASSERT_EQ(0, model_cmd(&self->m, "fault reset delay=80"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, hisil_share(&self->h, &self->v));
	ASSERT_EQ(0, hisil_attach(&self->h, &self->v));
	ASSERT_EQ(0, hisil_enable(&self->h));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, hisil_queue_start(&self->h, LAST_QUEUE, 16, false));
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	EXPECT_EQ(2U, queues_in(&self->blob));
}

TEST_F(limits, function_that_does_not_get_ready_is_not_opened)
{
	ASSERT_EQ(0, model_cmd(&self->m, "fault reset hang"));
	EXPECT_NE(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	OPEN();
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	EXPECT_EQ(2U, queues_in(&self->blob));
}

/* Whether it says so from the beginning or changes its mind. */
TEST_F(limits, nonsense_is_not_saved)
{
	static const struct {
		const char *name;
		unsigned int val;
	} lies[] = {
		{ "limits", 0 }, { "limits", LIMITS(10, 0) }, { "limits", LIMITS(10, 65) },
		{ "limits", LIMITS(10, 0xffff) }, { "limits", LIMITS(0, 64) },
		{ "limits", LIMITS(11, 64) }, { "limits", LIMITS(0xff, 64) }, { "version", 0 },
		{ "version", 2 << 16 | 1 }, { "max_xfer", 0 },
	};

	for (unsigned int i = 0; i < 2 * sizeof(lies) / sizeof(lies[0]); i++) {
		const char *name = lies[i / 2].name;
		int fd = -1;

		if (i % 2)
			ASSERT_EQ(0, model_cmd(&self->m, "claim %s %u", name, lies[i / 2].val));
		OPEN();
		if (!(i % 2))
			ASSERT_EQ(0, model_cmd(&self->m, "claim %s %u", name, lies[i / 2].val));
		EXPECT_EQ(-EOPNOTSUPP, mig_set(&self->v, STOP_COPY, &fd))
			TH_LOG("%s %#x", name, lies[i / 2].val);
		if (fd >= 0)
			close(fd);
		EXPECT_EQ(0, mig_set(&self->v, RUNNING, NULL));
		EXPECT_EQ(0, hisil_work(&self->h, 0, 1));
		ASSERT_EQ(0, model_cmd(&self->m, "claim clear"));
		/* Its mapping of registers keeps the function open. */
		hisil_free(&self->h);
		vdev_close(&self->v);
		ASSERT_EQ(0, hisil_init(&self->h));
	}
}

/* It says that it has four, from the beginning; one behind them is in use. */
TEST_F(limits, queues_that_are_denied_are_not_lost)
{
	ASSERT_EQ(0, model_cmd(&self->m, "claim limits %u", LIMITS(10, 4)));
	OPEN();
	EXPECT_GT(0, mig_save(&self->v, &self->blob, false));
	EXPECT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 1));
}

/* Shorter or longer than what the context says of itself. */
TEST_F(limits, length_of_a_context_is_checked)
{
	static const unsigned int lens[] = { 0, 4, 60, 65, 68, 128, 1092, 4096, UINT32_MAX };

	OPEN();
	for (unsigned int i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		ASSERT_EQ(0, model_cmd(&self->m, "claim len %u", lens[i]));
		EXPECT_GT(0, mig_save(&self->v, &self->blob, false)) TH_LOG("%u", lens[i]);
		blob_free(&self->blob);
		ASSERT_EQ(0, model_cmd(&self->m, "claim clear"));
		ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	}
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	EXPECT_EQ(2U, queues_in(&self->blob));
}

TEST_HARNESS_MAIN
