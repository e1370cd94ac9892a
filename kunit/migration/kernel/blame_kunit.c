// SPDX-License-Identifier: GPL-2.0
/*
 * A hook fails and the function was reset, or has failed by itself, while it ran: that decides
 * about the state and is what user space and the log are told, not the hook.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sizes.h>

#include "../../../migration/machine.h"
#include "fake_dev.h"

#define STREAM_ROOM	(FAKE_STATE_BYTES * 2)
#define E(state)	VFIO_DEVICE_STATE_##state

/* What user space does while @hook runs and fails: a state change, or use of a data file. */
struct victim {
	int hook;
	enum { SETS, READS, WRITES } doing;
	unsigned int from;
	unsigned int to;
};

static const struct victim victims[] = {
	{ FAKE_QUIESCE,		SETS,	E(RUNNING),	E(RUNNING_P2P) },
	{ FAKE_QUIESCE,		SETS,	E(PRE_COPY),	E(STOP_COPY) },
	{ FAKE_UNQUIESCE,	SETS,	E(RUNNING_P2P),	E(RUNNING) },
	{ FAKE_FREEZE,		SETS,	E(RUNNING),	E(STOP) },
	{ FAKE_FREEZE,		SETS,	E(PRE_COPY),	E(STOP_COPY) },
	{ FAKE_THAW,		SETS,	E(STOP_COPY),	E(RUNNING) },
	{ FAKE_MATCH,		SETS,	E(RUNNING),	E(PRE_COPY) },
	{ FAKE_LOAD_BEGIN,	SETS,	E(RUNNING),	E(RESUMING) },
	{ FAKE_LOAD_END,	SETS,	E(RESUMING),	E(STOP) },
	{ FAKE_PRECOPY,		READS,	E(PRE_COPY) },
	{ FAKE_SAVE,		READS,	E(STOP_COPY) },
	{ FAKE_VERIFY,		WRITES,	E(RESUMING) },
	{ FAKE_LOAD,		WRITES,	E(RESUMING) },
};

static void victim_name(const struct victim *v, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "hook_%d_from_%u_to_%u", v->hook, v->from, v->to);
}

KUNIT_ARRAY_PARAM(victim, victims, victim_name);

/**
 * struct call - The call of user space, in a thread of its own
 * @fake: Device.
 * @v: Which call.
 * @file: Data file of @v->from.
 * @stream: A whole stream.
 * @bytes: Its size.
 * @buf: What is read.
 * @ret: What it has ended with.
 * @done: It has.
 */
struct call {
	struct fake *fake;
	const struct victim *v;
	struct file *file;
	u8 *stream;
	size_t bytes;
	u8 buf[64];
	ssize_t ret;
	struct completion done;
};

static int call_run(void *data)
{
	struct call *call = data;

	switch (call->v->doing) {
	case SETS:
		call->ret = PTR_ERR_OR_ZERO(fake_set(call->fake, call->v->to));
		break;
	case READS:
		do
			call->ret = fake_read(call->file, call->buf, sizeof(call->buf));
		while (call->ret > 0);
		break;
	case WRITES:
		call->ret = fake_write(call->file, call->stream, call->bytes);
		break;
	}
	complete(&call->done);
	return 0;
}

static int blame_init(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct call *call = kunit_kzalloc(test, sizeof(*call), GFP_KERNEL);
	struct file *file = NULL;
	ssize_t end;

	KUNIT_ASSERT_NOT_NULL(test, call);
	call->stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, call->stream);
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	call->bytes = fake_read_all(test, file, call->stream, STREAM_ROOM, SZ_64K, &end);
	KUNIT_EXPECT_EQ(test, end, 0);
	fake_close(file);
	fake_put(fake);
	test->priv = call;
	return 0;
}

/* Whoever held the lock has done what was left to him. */
static bool settled(const struct vmig_machine *m)
{
	unsigned long end = jiffies + 10 * HZ;

	while (READ_ONCE(m->reset_pending) || READ_ONCE(m->fault)) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(1000, 2000);
	}
	return true;
}

/* The hook has returned, and who called it has seen what. */
static void hook_over(struct kunit *test, struct fake *fake)
{
	unsigned long end = jiffies + 10 * HZ;

	while (atomic_read(&fake->inside)) {
		KUNIT_ASSERT_FALSE(test, time_after(jiffies, end));
		usleep_range(1000, 2000);
	}
	msleep(20);
}

/*
 * The hook fails with @err, @meanwhile has come before, and @after, if there is any, comes then:
 * what the call returns.
 */
static ssize_t fail(struct kunit *test, struct fake *fake, int err,
		    void (*meanwhile)(struct fake *fake), void (*after)(struct fake *fake))
{
	const struct victim *v = test->param_value;
	struct call *call = test->priv;

	call->fake = fake;
	call->v = v;
	call->file = NULL;
	init_completion(&call->done);
	fake->fail[v->hook] = err;
	fake_stall(fake, v->hook);
	KUNIT_ASSERT_EQ(test, fake_go(fake, v->from, &call->file), 0);
	if (v->from == E(RESUMING) && v->doing == SETS)
		KUNIT_ASSERT_EQ(test, fake_write(call->file, call->stream, call->bytes),
				(ssize_t)call->bytes);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(call_run, call, "vmig-kunit")));
	wait_for_completion(&fake->there);
	meanwhile(fake);
	fake_release(fake);
	if (after) {
		hook_over(test, fake);
		after(fake);
	}
	KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&call->done, 10 * HZ));
	KUNIT_EXPECT_TRUE(test, settled(fake->mig.m));
	if (call->file)
		fake_close(call->file);
	fake->fail[v->hook] = 0;
	return call->ret;
}

static void not_blamed_for(struct kunit *test, void (*meanwhile)(struct fake *fake),
			   void (*after)(struct fake *fake))
{
	static const int errs[] = { -EBUSY, -ENODEV, -EIO };
	const struct victim *v = test->param_value;

	for (unsigned int i = 0; i < ARRAY_SIZE(errs); i++) {
		const char name[] = { 'v', 'm', 'i', 'g', '-', 'a' + i, 0 };
		struct fake *fake = fake_new(test, name, &fake_ops);
		struct vmig_machine *m = fake->mig.m;

		KUNIT_EXPECT_EQ(test, fail(test, fake, errs[i], meanwhile, after),
				v->doing == SETS ? -ECANCELED : -ENODEV);
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
		/* It comes after the reset hook. */
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(fake_set(fake, E(RUNNING_P2P))), 0);
		KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_RESET), 1);
		KUNIT_EXPECT_STREQ(test, m->last_error, "");
		KUNIT_EXPECT_FALSE(test, fake->frozen || fake->overlap);
		fake_put(fake);
	}
}

static void no_hook_is_blamed_for_a_reset(struct kunit *test)
{
	not_blamed_for(test, fake_reset_function, NULL);
}

/* Nor for one that is under way when it fails. */
static void no_hook_is_blamed_in_a_reset(struct kunit *test)
{
	not_blamed_for(test, fake_reset_begin, fake_reset_function);
}

/* The state was never ERROR: not even for a moment, in which nobody could tell why. */
static void no_hook_leads_to_an_error_after_a_reset(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-a", &fake_ops);

	fail(test, fake, -EIO, fake_reset_function, NULL);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	/* Times are those since RUNNING was left last. */
	KUNIT_EXPECT_EQ(test, fake->mig.m->state_ns[VMIG_V2_ERROR], 0ULL);
	fake_put(fake);
}

/* The fault has a line of its own. */
static void no_hook_is_blamed_for_a_fault(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-a", &fake_ops);

	KUNIT_EXPECT_EQ(test, fail(test, fake, -EBUSY, fake_fault, NULL), -EIO);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(ERROR));
	KUNIT_EXPECT_STREQ(test, fake->mig.m->last_error, "the device failed: kunit");
	fake_put(fake);
}

static struct kunit_case blame_cases[] = {
	KUNIT_CASE_PARAM(no_hook_is_blamed_for_a_reset, victim_gen_params),
	KUNIT_CASE_PARAM(no_hook_is_blamed_in_a_reset, victim_gen_params),
	KUNIT_CASE_PARAM(no_hook_leads_to_an_error_after_a_reset, victim_gen_params),
	KUNIT_CASE_PARAM(no_hook_is_blamed_for_a_fault, victim_gen_params),
	{}
};

static struct kunit_suite blame_suite = {
	.name = "migration_blame",
	.init = blame_init,
	.test_cases = blame_cases,
};

kunit_test_suite(blame_suite);
