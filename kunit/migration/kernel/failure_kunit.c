// SPDX-License-Identifier: GPL-2.0
/* Hooks that fail, streams that are refused, requests that are nonsense. */
#include <linux/crc32c.h>
#include <linux/sizes.h>

#include "fake_dev.h"

#define STREAM_ROOM	(FAKE_STATE_BYTES * 2)
#define E(state)	VFIO_DEVICE_STATE_##state

/* @hook fails with @err on the way from @from to @to; the state is @state then. */
struct failure {
	int hook;
	int err;
	unsigned int from;
	unsigned int to;
	unsigned int state;
};

static const struct failure failures[] = {
	{ FAKE_QUIESCE, -EBUSY, E(RUNNING), E(RUNNING_P2P), E(RUNNING) },
	{ FAKE_QUIESCE, -EIO, E(RUNNING), E(STOP), E(ERROR) },
	{ FAKE_QUIESCE, -EBUSY, E(PRE_COPY), E(STOP_COPY), E(PRE_COPY) },
	{ FAKE_UNQUIESCE, -EBUSY, E(RUNNING_P2P), E(RUNNING), E(RUNNING_P2P) },
	{ FAKE_UNQUIESCE, -EBUSY, E(PRE_COPY_P2P), E(PRE_COPY), E(PRE_COPY_P2P) },
	{ FAKE_UNQUIESCE, -EIO, E(STOP), E(RUNNING), E(ERROR) },
	{ FAKE_FREEZE, -ETIMEDOUT, E(RUNNING), E(STOP), E(RUNNING_P2P) },
	{ FAKE_FREEZE, -ETIMEDOUT, E(PRE_COPY), E(STOP_COPY), E(PRE_COPY_P2P) },
	{ FAKE_FREEZE, -EIO, E(PRE_COPY), E(STOP_COPY), E(ERROR) },
	{ FAKE_THAW, -EBUSY, E(STOP), E(RUNNING), E(STOP) },
	{ FAKE_THAW, -EBUSY, E(STOP_COPY), E(RUNNING), E(STOP) },
	{ FAKE_THAW, -EIO, E(STOP_COPY), E(RUNNING), E(ERROR) },
	{ FAKE_MATCH, -EAGAIN, E(RUNNING), E(PRE_COPY), E(RUNNING) },
	{ FAKE_MATCH, -EAGAIN, E(RUNNING), E(STOP_COPY), E(STOP) },
	{ FAKE_LOAD_BEGIN, -ENOMEM, E(RUNNING), E(RESUMING), E(STOP) },
	{ FAKE_LOAD_BEGIN, -EIO, E(RUNNING), E(RESUMING), E(ERROR) },
};

static void failure_name(const struct failure *f, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "hook_%d_%d_from_%u_to_%u", f->hook, -f->err,
		 f->from, f->to);
}

KUNIT_ARRAY_PARAM(failure, failures, failure_name);

static void failing_hook_leaves_the_documented_state(struct kunit *test)
{
	const struct failure *f = test->param_value;
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(fake, f->from, &file), 0);
	fake->fail[f->hook] = f->err;
	KUNIT_EXPECT_EQ(test, fake_go(fake, f->to, &file), f->err);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)f->state);

	/* Without the fault the device can go on, or be reset. */
	fake->fail[f->hook] = 0;
	if (f->state == E(ERROR)) {
		KUNIT_EXPECT_EQ(test, fake_go(fake, E(RUNNING), &file), -EIO);
		fake_reset_function(fake);
		/* The hook may have been left to the worker: a change comes after it. */
		KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP), &file), 0);
	}
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(RUNNING), &file), 0);
	KUNIT_EXPECT_FALSE(test, fake->frozen || fake->quiesced || fake->overlap);
	if (file)
		fake_close(file);
	fake_put(fake);
}

static void failing_producer_fails_the_read(struct kunit *test)
{
	static const int errs[] = { -EREMOTEIO, -EIO };
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	unsigned int i;
	ssize_t end;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	for (i = 0; i < ARRAY_SIZE(errs); i++) {
		struct fake *fake = fake_new(test, i ? "vmig-1" : "vmig-0", &fake_ops);
		struct file *file = NULL;

		fake->fail[FAKE_SAVE] = errs[i];
		KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
		fake_read_all(test, file, stream, STREAM_ROOM, 64, &end);
		KUNIT_EXPECT_EQ(test, end, errs[i]);
		KUNIT_EXPECT_EQ(test, fake_read(file, stream, 1), errs[i]);
		if (errs[i] == -EIO) {
			KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(ERROR));
			fake_reset_function(fake);
			KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP), &file), 0);
		}
		KUNIT_EXPECT_EQ(test, fake_go(fake, E(RUNNING), &file), 0);
		KUNIT_EXPECT_FALSE(test, fake->frozen || fake->quiesced);
		fake_close(file);
		fake_put(fake);
	}
}

static void failing_pre_copy_leaves_a_running_device(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	struct file *file = NULL;
	ssize_t end;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	fake->fail[FAKE_PRECOPY] = -EREMOTEIO;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	fake_read_all(test, file, stream, STREAM_ROOM, 64, &end);
	KUNIT_EXPECT_EQ(test, end, -EREMOTEIO);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(PRE_COPY));
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(RUNNING), &file), 0);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_QUIESCE), 0);
	fake_close(file);
	fake_put(fake);
}

static void nonsense_is_refused_and_changes_nothing(struct kunit *test)
{
	static const unsigned int bad[] = { E(ERROR), 8, 100, 0x80000000, 0xffffffff };
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, fake_go(fake, bad[i], &file), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(PRE_COPY), &file), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(PRE_COPY_P2P), &file), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(STOP_COPY));
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	fake_close(file);
	fake_put(fake);
}

/* One device saves, the streams made of it are for others. */
static size_t save(struct kunit *test, u8 *stream)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;
	ssize_t n, end;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	n = fake_read_all(test, file, stream, STREAM_ROOM, SZ_64K, &end);
	KUNIT_EXPECT_EQ(test, end, 0);
	fake_close(file);
	fake_put(fake);
	return n;
}

/* Write it to @fake; the errno of the write, or else of RESUMING -> STOP. */
static int load(struct kunit *test, struct fake *fake, const u8 *stream, size_t bytes)
{
	struct file *file = NULL;
	ssize_t n;
	int err;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(RESUMING), &file), 0);
	n = bytes ? fake_write(file, stream, bytes) : 0;
	if (n < 0) {
		KUNIT_EXPECT_EQ(test, fake_write(file, stream, 1), n);
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RESUMING));
	}
	err = fake_go(fake, E(STOP), &file);
	if (n < 0)
		KUNIT_EXPECT_EQ(test, err, (int)n);
	fake_close(file);
	if (err) {
		file = NULL;
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(ERROR));
		KUNIT_EXPECT_EQ(test, fake_go(fake, E(RUNNING), &file), -EIO);
		fake_reset_function(fake);
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	}
	return err;
}

static void bad_streams_are_refused_and_reset_recovers(struct kunit *test)
{
	const size_t head = sizeof(struct vpv_stream_header);
	struct fake *fake = fake_new(test, "vmig-dst", &fake_ops);
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	size_t bytes, at;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	bytes = save(test, stream);
	KUNIT_EXPECT_EQ(test, load(test, fake, stream, 0), -ENODATA);
	for (at = 1; at < bytes; at += at < 400 ? 13 : 4999)
		KUNIT_EXPECT_EQ(test, load(test, fake, stream, at), -ENODATA);
	KUNIT_EXPECT_EQ(test, load(test, fake, stream, bytes - 1), -ENODATA);
	KUNIT_EXPECT_EQ(test, load(test, fake, stream, bytes + 1), -EPROTO);
	KUNIT_EXPECT_EQ(test, load(test, fake, stream + 1, bytes - 1), -EINVAL);
	for (at = head; at < bytes; at += 997) {
		stream[at] ^= 0x10;
		KUNIT_EXPECT_NE(test, load(test, fake, stream, bytes), 0);
		stream[at] ^= 0x10;
	}
	KUNIT_EXPECT_EQ(test, load(test, fake, stream, bytes), 0);
	fake_put(fake);
}

static void hooks_refuse_streams(struct kunit *test)
{
	static const struct { int hook, err; } refusals[] = {
		{ FAKE_VERIFY, -EOPNOTSUPP }, { FAKE_VERIFY, -EINVAL },
		{ FAKE_LOAD, -EINVAL }, { FAKE_LOAD, -EOPNOTSUPP },
		{ FAKE_LOAD_END, -EINVAL }, { FAKE_LOAD_END, -EIO },
	};
	struct fake *fake = fake_new(test, "vmig-dst", &fake_ops);
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	unsigned int i;
	size_t bytes;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	bytes = save(test, stream);
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		fake->fail[refusals[i].hook] = refusals[i].err;
		KUNIT_EXPECT_EQ(test, load(test, fake, stream, bytes), refusals[i].err);
		fake->fail[refusals[i].hook] = 0;
	}
	KUNIT_EXPECT_EQ(test, load(test, fake, stream, bytes), 0);
	fake_put(fake);
}

static void hardware_error_while_loading_is_error_at_once(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-dst", &fake_ops);
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	struct file *file = NULL;
	size_t bytes;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	bytes = save(test, stream);
	fake->fail[FAKE_LOAD] = -EIO;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(RESUMING), &file), 0);
	KUNIT_EXPECT_EQ(test, fake_write(file, stream, bytes), -EIO);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(ERROR));
	KUNIT_EXPECT_EQ(test, fake_write(file, stream, bytes), -EIO);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP), &file), -EIO);
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	fake_close(file);
	fake_put(fake);
}

static struct kunit_case failure_cases[] = {
	KUNIT_CASE_PARAM(failing_hook_leaves_the_documented_state, failure_gen_params),
	KUNIT_CASE(failing_producer_fails_the_read),
	KUNIT_CASE(failing_pre_copy_leaves_a_running_device),
	KUNIT_CASE(nonsense_is_refused_and_changes_nothing),
	KUNIT_CASE(bad_streams_are_refused_and_reset_recovers),
	KUNIT_CASE(hooks_refuse_streams),
	KUNIT_CASE(hardware_error_while_loading_is_error_at_once),
	{}
};

static struct kunit_suite failure_suite = {
	.name = "migration_failure",
	.test_cases = failure_cases,
};

kunit_test_suite(failure_suite);
