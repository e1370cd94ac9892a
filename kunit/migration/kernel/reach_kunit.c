// SPDX-License-Identifier: GPL-2.0
/* Every hook finds the device reachable, and a device that runs freely is let alone. */
#include <linux/delay.h>
#include <linux/jiffies.h>

#include "fake_dev.h"

#define STREAM_ROOM	(FAKE_STATE_BYTES * 2)
#define E(state)	VFIO_DEVICE_STATE_##state

static const struct {
	unsigned int state;
	bool held;
} states[] = {
	{ E(RUNNING), false }, { E(PRE_COPY), true }, { E(RUNNING_P2P), true },
	{ E(PRE_COPY_P2P), true }, { E(STOP), true }, { E(STOP_COPY), true },
	{ E(RESUMING), true },
};

/* A worker may still be at it. */
static bool held_becomes(struct fake *fake, int held)
{
	unsigned long end = jiffies + 10 * HZ;

	while (atomic_read(&fake->reached) != held && time_before(jiffies, end))
		usleep_range(1000, 2000);
	return atomic_read(&fake->reached) == held;
}

static void held_from_the_first_step_to_the_last(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		KUNIT_ASSERT_EQ(test, fake_go(fake, states[i].state, &file), 0);
		KUNIT_EXPECT_TRUE_MSG(test, held_becomes(fake, states[i].held), "state %u",
				      states[i].state);
		fake_size(fake);
		KUNIT_EXPECT_TRUE(test, held_becomes(fake, states[i].held));
		if (states[i].state == E(RESUMING))
			fake_reset_function(fake);
		else
			KUNIT_EXPECT_EQ(test, fake_go(fake, E(RUNNING), &file), 0);
		KUNIT_EXPECT_TRUE_MSG(test, held_becomes(fake, 0), "after state %u",
				      states[i].state);
	}
	KUNIT_EXPECT_GE(test, fake->reaches, (unsigned int)ARRAY_SIZE(states) - 1);
	KUNIT_EXPECT_FALSE(test, fake->unreached);
	if (file)
		fake_close(file);
	fake_put(fake);
}

static void hooks_of_a_migration_find_it_reachable(struct kunit *test)
{
	struct fake *src = fake_new(test, "vmig-src", &fake_ops);
	struct fake *dst = fake_new(test, "vmig-dst", &fake_ops);
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	struct file *in = NULL, *out = NULL;
	ssize_t end, bytes;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	src->dirty = 300;
	KUNIT_ASSERT_EQ(test, fake_go(src, E(PRE_COPY), &out), 0);
	bytes = fake_read_all(test, out, stream, STREAM_ROOM, 1000, &end);
	KUNIT_EXPECT_EQ(test, end, (ssize_t)-ENOMSG);
	KUNIT_EXPECT_EQ(test, atomic_read(&src->reached), 1);
	KUNIT_ASSERT_EQ(test, fake_go(src, E(STOP_COPY), &out), 0);
	bytes += fake_read_all(test, out, stream + bytes, STREAM_ROOM - bytes, 1000, &end);
	KUNIT_EXPECT_EQ(test, end, (ssize_t)0);

	KUNIT_ASSERT_EQ(test, fake_go(dst, E(RESUMING), &in), 0);
	KUNIT_EXPECT_EQ(test, fake_write(in, stream, bytes), bytes);
	KUNIT_EXPECT_EQ(test, atomic_read(&dst->reached), 1);
	KUNIT_EXPECT_EQ(test, fake_go(dst, E(RUNNING), &in), 0);
	KUNIT_EXPECT_EQ(test, fake_go(src, E(RUNNING), &out), 0);
	KUNIT_EXPECT_FALSE(test, src->unreached || dst->unreached);
	KUNIT_EXPECT_TRUE(test, held_becomes(src, 0) && held_becomes(dst, 0));
	fake_close(in);
	fake_close(out);
	fake_put(src);
	fake_put(dst);
}

/* The reset is told under the lock that leaving it takes. */
static void reset_ends_it_later(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		KUNIT_ASSERT_EQ(test, fake_go(fake, states[i].state, &file), 0);
		fake_reset_function(fake);
		KUNIT_EXPECT_TRUE_MSG(test, held_becomes(fake, 0), "state %u", states[i].state);
	}
	if (file)
		fake_close(file);
	fake_put(fake);
}

static void close_ends_it(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		KUNIT_ASSERT_EQ(test, fake_go(fake, states[i].state, &file), 0);
		vmig_close(&fake->mig);
		KUNIT_EXPECT_EQ_MSG(test, atomic_read(&fake->reached), 0, "state %u",
				    states[i].state);
		/* The reset of close, with nobody to leave work to. */
		fake_reset_function(fake);
		vmig_open(&fake->mig);
	}
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP), &file), 0);
	if (file)
		fake_close(file);
	vmig_detach(&fake->mig);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->reached), 0);
	fake_put(fake);
}

static void unreachable_device_has_no_hook_called(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;
	unsigned long size = fake_size(fake);

	fake->unreachable = -ENODEV;
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP), &file), -ENODEV);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(PRE_COPY), &file), -ENODEV);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	KUNIT_EXPECT_EQ(test, fake_size(fake), size);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_QUIESCE), 0);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_MATCH), 0);

	/* It does not wake up: nobody knows what it does. */
	fake->unreachable = -EIO;
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP), &file), -EIO);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(ERROR));
	fake->unreachable = 0;
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP), &file), 0);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(RUNNING), &file), 0);
	fake_put(fake);
}

/*
 * A save that a state change has interrupted is not called again, or the stream would have its
 * records twice: what is frozen need not be woken, and nothing else fails before the session ends.
 */
static void leaving_an_interrupted_save_wakes_nothing(struct kunit *test)
{
	unsigned long end = jiffies + 10 * HZ;
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;
	u8 byte;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	while (!fake_calls(fake, FAKE_SAVE) && time_before(jiffies, end))
		usleep_range(1000, 2000);
	/* It waits for a reader soon. */
	msleep(20);
	fake->unreachable = -ENODEV;
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP), &file), 0);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(STOP));
	msleep(20);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_SAVE), 1);
	KUNIT_EXPECT_EQ(test, fake_read(file, &byte, 1), (ssize_t)-ENODEV);

	fake->unreachable = 0;
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(RUNNING), &file), 0);
	fake_close(file);
	fake_put(fake);
}

static struct kunit_case reach_cases[] = {
	KUNIT_CASE(held_from_the_first_step_to_the_last),
	KUNIT_CASE(hooks_of_a_migration_find_it_reachable),
	KUNIT_CASE(reset_ends_it_later),
	KUNIT_CASE(close_ends_it),
	KUNIT_CASE(unreachable_device_has_no_hook_called),
	KUNIT_CASE(leaving_an_interrupted_save_wakes_nothing),
	{}
};

static struct kunit_suite reach_suite = {
	.name = "migration_reach",
	.test_cases = reach_cases,
};

kunit_test_suite(reach_suite);
