// SPDX-License-Identifier: GPL-2.0
/* MIG_DATA_SIZE: what the device said, for whoever does not wait for it. */
#include <linux/delay.h>
#include <linux/kthread.h>

#include "fake_dev.h"

#define PATIENCE_MS	5000
#define QUESTIONS	3
/* migration/estimate.c: an answer is old after that, and so long is waited for another one. */
#define OLD_MS		2000
#define FRESH_MS	100
/* So long is asked in a loop, and the pause between two questions to the device. */
#define LOOP_MS		500
#define PAUSE_MS	10

/* The device has answered; on a slow machine not in time for the one who asked first. */
static bool answer_comes(struct fake *fake)
{
	for (unsigned int i = 0; i < PATIENCE_MS; i++) {
		if (fake_size(fake) >= FAKE_STATE_BYTES)
			return true;
		usleep_range(1000, 2000);
	}
	return false;
}

static void data_size_is_known_in_every_state(struct kunit *test)
{
	static const unsigned int states[] = {
		VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_PRE_COPY,
		VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_STOP_COPY,
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING_P2P,
		VFIO_DEVICE_STATE_RESUMING,
	};
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct fake *small = fake_new(test, "vmig-dst", &fake_small_ops);
	struct file *file = NULL;
	unsigned int i;

	KUNIT_EXPECT_GT(test, fake_size(small), 0UL);
	KUNIT_EXPECT_TRUE(test, answer_comes(fake));
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		KUNIT_EXPECT_EQ(test, fake_go(fake, states[i], &file), 0);
		KUNIT_EXPECT_GE(test, fake_size(fake), (unsigned long)FAKE_STATE_BYTES);
	}
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP, &file), -ENODATA);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)VFIO_DEVICE_STATE_ERROR);
	KUNIT_EXPECT_GE(test, fake_size(fake), (unsigned long)FAKE_STATE_BYTES);
	fake_close(file);
	fake_put(small);
	fake_put(fake);
}

/* A question that somebody waits for. */
struct question {
	struct fake *fake;
	struct completion answered;
	unsigned long bytes;
};

static int question_run(void *data)
{
	struct question *q = data;

	q->bytes = fake_size(q->fake);
	complete_all(&q->answered);
	return 0;
}

/* The firmware may be silent for seconds: nobody waits for it. */
static void silent_device_delays_no_answer(struct kunit *test)
{
	struct question *q = kunit_kcalloc(test, QUESTIONS, sizeof(*q), GFP_KERNEL);
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);

	KUNIT_ASSERT_NOT_NULL(test, q);
	fake_stall(fake, FAKE_ESTIMATE);
	for (unsigned int i = 0; i < QUESTIONS; i++) {
		struct task_struct *task;
		unsigned long left;

		q[i].fake = fake;
		init_completion(&q[i].answered);
		task = kthread_run(question_run, &q[i], "vmig-kunit");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		left = wait_for_completion_timeout(&q[i].answered,
						   msecs_to_jiffies(PATIENCE_MS));
		KUNIT_EXPECT_GT(test, left, 0UL);
		KUNIT_EXPECT_GT(test, q[i].bytes, 0UL);
		KUNIT_EXPECT_LT(test, q[i].bytes, (unsigned long)FAKE_STATE_BYTES);
	}
	wait_for_completion(&fake->there);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_ESTIMATE), 1);
	fake_release(fake);
	for (unsigned int i = 0; i < QUESTIONS; i++)
		wait_for_completion(&q[i].answered);

	/* Its answer is kept for the next one who asks. */
	KUNIT_EXPECT_TRUE(test, answer_comes(fake));
	KUNIT_EXPECT_FALSE(test, fake->overlap || fake->unreached);
	fake_put(fake);
}

/* The device, and who else it works for, is not kept busy by one who asks in a loop. */
static void who_asks_in_a_loop_does_not_keep_the_device_busy(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	unsigned long end;
	int calls;

	KUNIT_EXPECT_TRUE(test, answer_comes(fake));
	calls = fake_calls(fake, FAKE_ESTIMATE);
	end = jiffies + msecs_to_jiffies(LOOP_MS);
	while (time_before(jiffies, end)) {
		fake_size(fake);
		cond_resched();
	}
	KUNIT_EXPECT_LE(test, fake_calls(fake, FAKE_ESTIMATE), calls + LOOP_MS / PAUSE_MS + 1);
	msleep(2 * PAUSE_MS);
	calls = fake_calls(fake, FAKE_ESTIMATE);
	fake_size(fake);
	for (unsigned int i = 0; i < PATIENCE_MS && fake_calls(fake, FAKE_ESTIMATE) == calls; i++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_ESTIMATE), calls + 1);
	fake_put(fake);
}

/* The question is in work, or has not been put, when the device goes away. */
static void question_does_not_outlive_the_device(struct kunit *test)
{
	static const char *const names[] = { "vmig-a", "vmig-b", "vmig-c", "vmig-d" };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		struct fake *fake = fake_new(test, names[i], &fake_ops);

		fake_size(fake);
		fake_size(fake);
		if (i & 1) {
			vmig_close(&fake->mig);
			KUNIT_EXPECT_GT(test, fake_size(fake), 0UL);
		}
		if (i & 2) {
			int calls;

			vmig_detach(&fake->mig);
			calls = fake_calls(fake, FAKE_ESTIMATE);
			KUNIT_EXPECT_EQ(test, fake_size(fake), 0UL);
			KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_ESTIMATE), calls);
		}
		KUNIT_EXPECT_FALSE(test, fake->overlap);
		fake_put(fake);
	}
}

/* What another user's device held is nobody's business. */
static void answer_does_not_outlive_the_user(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);

	KUNIT_EXPECT_TRUE(test, answer_comes(fake));
	vmig_close(&fake->mig);
	fake_stall(fake, FAKE_ESTIMATE);
	vmig_open(&fake->mig);
	KUNIT_EXPECT_LT(test, fake_size(fake), (unsigned long)FAKE_STATE_BYTES);
	fake_release(fake);
	fake_put(fake);
}

/* Who asks after a while gets what is true then. */
static void old_answer_is_not_given(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	int calls;

	KUNIT_EXPECT_TRUE(test, answer_comes(fake));
	msleep(OLD_MS);
	calls = fake_calls(fake, FAKE_ESTIMATE);
	fake_stall(fake, FAKE_ESTIMATE);
	for (unsigned int i = 0; i < QUESTIONS; i++) {
		ktime_t begin = ktime_get();
		s64 took;

		KUNIT_EXPECT_GE(test, fake_size(fake), (unsigned long)FAKE_STATE_BYTES);
		took = ktime_ms_delta(ktime_get(), begin);
		/* The first one waits for the device, and those after it not again. */
		if (!i)
			KUNIT_EXPECT_GE(test, took, (s64)FRESH_MS / 2);
	}
	wait_for_completion(&fake->there);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_ESTIMATE), calls + 1);
	fake_release(fake);
	fake_put(fake);
}

static struct kunit_case estimate_cases[] = {
	KUNIT_CASE(data_size_is_known_in_every_state),
	KUNIT_CASE(silent_device_delays_no_answer),
	KUNIT_CASE(who_asks_in_a_loop_does_not_keep_the_device_busy),
	KUNIT_CASE(question_does_not_outlive_the_device),
	KUNIT_CASE(answer_does_not_outlive_the_user),
	KUNIT_CASE(old_answer_is_not_given),
	{}
};

static struct kunit_suite estimate_suite = {
	.name = "migration_estimate",
	.test_cases = estimate_cases,
};

kunit_test_suite(estimate_suite);
