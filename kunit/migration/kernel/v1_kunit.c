// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of v1 with a fake device: what is pending, who waits for the device and
 * who wakes up, and what a change that fails leaves.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/uio.h>
#include <vpv/migration_v1.h>

#include "../../../migration/machine.h"
#include "fake_dev.h"

#define R	VPV_V1_STATE_RUNNING
#define S	VPV_V1_STATE_SAVING
#define L	VPV_V1_STATE_RESUMING
#define N	VPV_V1_STATE_NDMA

#define ROOM	(4 * FAKE_STATE_BYTES)

/* A device as fake_new() makes it, opened again by a user of v1. */
static struct fake *fake_new_v1(struct kunit *test, const char *name, const struct vmig_ops *ops)
{
	struct fake *fake = fake_new(test, name, ops);

	KUNIT_EXPECT_EQ(test, vmig_dialect_set(&fake->mig, "v1"), -EBUSY);
	vmig_close(&fake->mig);
	KUNIT_ASSERT_EQ(test, vmig_dialect_set(&fake->mig, "v1"), 0);
	KUNIT_ASSERT_EQ(test, vmig_open(&fake->mig), 0);
	KUNIT_ASSERT_EQ(test, vmig_region_bytes(&fake->mig), VPV_V1_REGION_BYTES);
	KUNIT_EXPECT_NULL(test, fake->vdev.mig_ops);
	return fake;
}

static ssize_t region(struct fake *fake, u64 pos, void *buf, size_t bytes, unsigned int dir)
{
	struct kvec vec = { .iov_base = buf, .iov_len = bytes };
	struct iov_iter iter;

	iov_iter_kvec(&iter, dir, &vec, 1, bytes);
	return vmig_region_rw(&fake->mig, pos, &iter);
}

static int set(struct fake *fake, u32 state)
{
	ssize_t n = region(fake, VPV_V1_DEVICE_STATE, &state, sizeof(state), ITER_SOURCE);

	return n == sizeof(state) ? 0 : n;
}

static u32 get(struct fake *fake)
{
	u32 state = U32_MAX;

	region(fake, VPV_V1_DEVICE_STATE, &state, sizeof(state), ITER_DEST);
	return state;
}

/* A field of 8 bytes, or what its read returned. */
static s64 field(struct fake *fake, u64 pos)
{
	u64 val = 0;
	ssize_t n = region(fake, pos, &val, sizeof(val), ITER_DEST);

	return n == sizeof(val) ? (s64)val : n;
}

static s64 pending(struct fake *fake)
{
	return field(fake, VPV_V1_PENDING_BYTES);
}

/* One iteration; bytes, or an errno. */
static s64 take(struct fake *fake, u8 *buf)
{
	s64 pos = field(fake, VPV_V1_DATA_OFFSET), bytes;

	if (pos < 0)
		return pos;
	bytes = field(fake, VPV_V1_DATA_SIZE);
	return bytes > 0 ? region(fake, pos, buf, bytes, ITER_DEST) : bytes;
}

/* Until nothing is pending; each iteration before that must give something when @final. */
static size_t drain(struct kunit *test, struct fake *fake, u8 *buf, bool final)
{
	size_t done = 0;
	s64 n;

	for (;;) {
		n = pending(fake);
		KUNIT_ASSERT_GE(test, n, 0);
		if (!n)
			return done;
		n = take(fake, buf + done);
		KUNIT_ASSERT_GE(test, n, 0);
		if (final)
			KUNIT_ASSERT_GT(test, n, 0);
		done += n;
		KUNIT_ASSERT_LT(test, done, ROOM / 2);
	}
}

static int push(struct fake *fake, u8 *buf, size_t bytes, size_t piece)
{
	for (size_t done = 0; done < bytes; done += piece) {
		u64 n = min(piece, bytes - done);
		ssize_t ret = region(fake, VPV_V1_WINDOW, buf + done, n, ITER_SOURCE);

		if (ret == n)
			ret = region(fake, VPV_V1_DATA_SIZE, &n, sizeof(n), ITER_SOURCE);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static void v1_there_and_back(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-there", &fake_ops);
	u8 *buf = kunit_kzalloc(test, ROOM, GFP_KERNEL), *was;
	size_t bytes;

	was = kunit_kzalloc(test, FAKE_STATE_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_NOT_NULL(test, was);
	memcpy(was, fake->state, FAKE_STATE_BYTES);
	KUNIT_ASSERT_EQ(test, set(fake, R | S), 0);
	bytes = drain(test, fake, buf, false);
	KUNIT_ASSERT_EQ(test, set(fake, S), 0);
	KUNIT_EXPECT_TRUE(test, fake->frozen);
	bytes += drain(test, fake, buf + bytes, true);
	KUNIT_EXPECT_EQ(test, pending(fake), 0);
	KUNIT_EXPECT_EQ(test, take(fake, buf), 0);
	KUNIT_EXPECT_GT(test, bytes, FAKE_STATE_BYTES);
	KUNIT_ASSERT_EQ(test, set(fake, 0), 0);

	memset(fake->state, 0, FAKE_STATE_BYTES);
	KUNIT_ASSERT_EQ(test, set(fake, L), 0);
	KUNIT_ASSERT_EQ(test, push(fake, buf, bytes, 777), 0);
	KUNIT_ASSERT_EQ(test, set(fake, R), 0);
	KUNIT_EXPECT_MEMEQ(test, fake->state, was, FAKE_STATE_BYTES);
	KUNIT_EXPECT_FALSE(test, fake->frozen);
	KUNIT_EXPECT_EQ(test, get(fake), R);
	KUNIT_EXPECT_FALSE(test, fake->overlap);
	fake_put(fake);
}

/* Pre-copy of a device that has dirtied nothing ends; more is pending when it has. */
static void v1_pending_in_precopy(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-precopy", &fake_ops);
	u8 *buf = kunit_kzalloc(test, ROOM, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_EQ(test, set(fake, R | S), 0);
	drain(test, fake, buf, false);
	KUNIT_EXPECT_EQ(test, pending(fake), 0);
	KUNIT_EXPECT_EQ(test, take(fake, buf), 0);
	fake->dirty = 5000;
	/* The device is asked for the next answer. */
	for (int i = 0; i < 1000 && pending(fake) <= 0; i++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_EQ(test, pending(fake), 5000);
	KUNIT_EXPECT_GT(test, take(fake, buf), 0);
	KUNIT_EXPECT_EQ(test, fake->dirty, 0);
	KUNIT_EXPECT_EQ(test, set(fake, R), 0);
	KUNIT_EXPECT_EQ(test, pending(fake), 0);
	fake_put(fake);
}

static bool told_of(struct fake *fake, const char *what)
{
	bool told = strstr(fake->mig.m->last_error, what);

	fake->mig.m->last_error[0] = 0;
	return told;
}

/* Also what is found out late. */
static void v1_refused_access_leaves_a_line(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-line", &fake_ops);
	u64 much = VPV_V1_WINDOW_BYTES + 1;

	KUNIT_EXPECT_EQ(test, field(fake, VPV_V1_DATA_OFFSET), -EPROTO);
	KUNIT_EXPECT_TRUE(test, told_of(fake, "refused"));
	KUNIT_ASSERT_EQ(test, set(fake, R | S), 0);
	KUNIT_EXPECT_EQ(test, field(fake, VPV_V1_DATA_SIZE), -EPROTO);
	KUNIT_EXPECT_TRUE(test, told_of(fake, "data_offset"));
	KUNIT_ASSERT_EQ(test, set(fake, R), 0);
	KUNIT_ASSERT_EQ(test, set(fake, L), 0);
	KUNIT_EXPECT_EQ(test, region(fake, VPV_V1_DATA_SIZE, &much, sizeof(much), ITER_SOURCE),
			(ssize_t)-EINVAL);
	KUNIT_EXPECT_TRUE(test, told_of(fake, "0x100001"));
	fake_put(fake);
}

/* ---- Who waits ---- */

struct reader {
	struct fake *fake;
	s64 ret;
	struct completion done;
};

static int reader_run(void *data)
{
	struct reader *r = data;

	r->ret = pending(r->fake);
	complete(&r->done);
	return 0;
}

static int detach_run(void *data)
{
	struct reader *r = data;

	vmig_detach(&r->fake->mig);
	complete(&r->done);
	return 0;
}

/* A reader that waits for a hook which does not end. */
static void reader_start(struct kunit *test, struct reader *r, struct fake *fake)
{
	u8 *buf = kunit_kzalloc(test, ROOM, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	init_completion(&r->done);
	r->fake = fake;
	fake_stall(fake, FAKE_SAVE);
	KUNIT_ASSERT_EQ(test, set(fake, S), 0);
	wait_for_completion(&fake->there);
	/* Header and match data are there, and all that there is. */
	KUNIT_ASSERT_GT(test, pending(fake), 0);
	KUNIT_ASSERT_GT(test, take(fake, buf), 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(reader_run, r, "v1-reader")));
	msleep(50);
}

static void v1_pending_waits_for_the_device(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-waits", &fake_ops);
	struct reader r;

	reader_start(test, &r, fake);
	KUNIT_EXPECT_FALSE(test, completion_done(&r.done));
	/* Others do not wait for it. */
	KUNIT_EXPECT_EQ(test, get(fake), S);
	fake_release(fake);
	wait_for_completion(&r.done);
	KUNIT_EXPECT_GT(test, r.ret, 0);
	fake_put(fake);
}

static void v1_reset_wakes_the_reader(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-reset", &fake_ops);
	struct reader r;

	reader_start(test, &r, fake);
	fake_reset_function(fake);
	wait_for_completion(&r.done);
	KUNIT_EXPECT_EQ(test, r.ret, -ENODEV);
	KUNIT_EXPECT_EQ(test, get(fake), R);
	KUNIT_EXPECT_EQ(test, field(fake, VPV_V1_DATA_OFFSET), -ENODEV);
	fake_release(fake);
	KUNIT_EXPECT_EQ(test, set(fake, R), 0);
	fake_put(fake);
}

static void v1_fault_wakes_the_reader(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-fault", &fake_ops);
	struct reader r;

	reader_start(test, &r, fake);
	fake_fault(fake);
	wait_for_completion(&r.done);
	KUNIT_EXPECT_EQ(test, r.ret, -EIO);
	KUNIT_EXPECT_EQ(test, get(fake), S | L);
	fake_release(fake);
	KUNIT_EXPECT_EQ(test, set(fake, R), -EIO);
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, get(fake), R);
	fake_put(fake);
}

static void v1_detach_wakes_the_reader(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-detach", &fake_ops);
	struct reader r, detacher = { .fake = fake };
	bool woken;

	reader_start(test, &r, fake);
	init_completion(&detacher.done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(detach_run, &detacher, "v1-detach")));
	/* Before the hook ends, for which detach waits. */
	woken = wait_for_completion_timeout(&r.done, 10 * HZ);
	KUNIT_EXPECT_TRUE(test, woken);
	KUNIT_EXPECT_FALSE(test, completion_done(&detacher.done));
	fake_release(fake);
	wait_for_completion(&detacher.done);
	if (!woken)
		wait_for_completion(&r.done);
	KUNIT_EXPECT_EQ(test, r.ret, -ENODEV);
	KUNIT_EXPECT_EQ(test, pending(fake), -ENODEV);
	KUNIT_EXPECT_EQ(test, set(fake, R), -ENODEV);
	KUNIT_EXPECT_EQ(test, get(fake), U32_MAX);
	KUNIT_EXPECT_EQ(test, vmig_dialect_set(&fake->mig, "v2"), -ENODEV);
	fake_put(fake);
}

/* ---- What fails ---- */

static void v1_failed_change_is_taken_back(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-back", &fake_ops);

	/* Quiesced, but not frozen: it runs again. */
	fake->fail[FAKE_FREEZE] = -EBUSY;
	KUNIT_EXPECT_EQ(test, set(fake, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, get(fake), R);
	KUNIT_EXPECT_FALSE(test, fake->quiesced);
	/* In pre-copy, with the same session. */
	KUNIT_ASSERT_EQ(test, set(fake, R | S), 0);
	KUNIT_EXPECT_EQ(test, set(fake, S), -EBUSY);
	KUNIT_EXPECT_EQ(test, get(fake), R | S);
	KUNIT_EXPECT_FALSE(test, fake->quiesced);
	KUNIT_EXPECT_EQ(test, field(fake, VPV_V1_DATA_OFFSET), VPV_V1_WINDOW);
	fake->fail[FAKE_FREEZE] = 0;
	KUNIT_EXPECT_EQ(test, set(fake, S), 0);

	/* It has to be stopped to be loaded, and then is not loaded. */
	KUNIT_ASSERT_EQ(test, set(fake, R), 0);
	fake->fail[FAKE_LOAD_BEGIN] = -ENOSPC;
	KUNIT_EXPECT_EQ(test, set(fake, L), -ENOSPC);
	KUNIT_EXPECT_EQ(test, get(fake), R);
	KUNIT_EXPECT_FALSE(test, fake->frozen);
	KUNIT_EXPECT_EQ(test, field(fake, VPV_V1_DATA_OFFSET), -EPROTO);

	/* Where that fails, too, nothing is shown that the user does not know. */
	fake->fail[FAKE_LOAD_BEGIN] = 0;
	fake->fail[FAKE_FREEZE] = -EBUSY;
	fake->fail[FAKE_UNQUIESCE] = -EBUSY;
	KUNIT_EXPECT_EQ(test, set(fake, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, get(fake), R);
	KUNIT_EXPECT_TRUE(test, fake->quiesced);
	fake->fail[FAKE_UNQUIESCE] = 0;
	KUNIT_EXPECT_EQ(test, set(fake, R), 0);
	KUNIT_EXPECT_FALSE(test, fake->quiesced);

	/* Only a reset helps. */
	fake->fail[FAKE_FREEZE] = -EIO;
	KUNIT_EXPECT_EQ(test, set(fake, 0), -EIO);
	KUNIT_EXPECT_EQ(test, get(fake), S | L);
	fake->fail[FAKE_FREEZE] = 0;
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, get(fake), R);
	fake_put(fake);
}

/* Not where that would begin to save again what was saved. */
static void v1_failed_change_opens_no_session(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-none", &fake_ops);

	KUNIT_ASSERT_EQ(test, set(fake, S), 0);
	KUNIT_EXPECT_GT(test, pending(fake), 0);
	fake->fail[FAKE_THAW] = -EBUSY;
	KUNIT_EXPECT_EQ(test, set(fake, R), -EBUSY);
	KUNIT_EXPECT_EQ(test, get(fake), 0);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_MATCH), 1);
	KUNIT_EXPECT_EQ(test, pending(fake), -ENODEV);
	fake->fail[FAKE_THAW] = 0;
	KUNIT_EXPECT_EQ(test, set(fake, R), 0);
	KUNIT_EXPECT_EQ(test, pending(fake), 0);
	fake_put(fake);
}

static void v1_save_hook_fails(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-hook", &fake_ops);
	u8 *buf = kunit_kzalloc(test, ROOM, GFP_KERNEL);
	s64 n = 0;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	fake->fail[FAKE_SAVE] = -EREMOTEIO;
	KUNIT_ASSERT_EQ(test, set(fake, S), 0);
	for (int i = 0; i < 10 && n >= 0; i++) {
		n = pending(fake);
		if (n > 0)
			n = take(fake, buf);
	}
	KUNIT_EXPECT_EQ(test, n, -EREMOTEIO);
	KUNIT_EXPECT_EQ(test, pending(fake), -EREMOTEIO);
	KUNIT_EXPECT_EQ(test, get(fake), S);
	KUNIT_EXPECT_EQ(test, set(fake, R), 0);
	fake_put(fake);
}

/* Without quiesce there is no NDMA. */
static void v1_small_device(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-small", &fake_small_ops);
	u8 *buf = kunit_kzalloc(test, ROOM, GFP_KERNEL);
	size_t bytes;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, set(fake, N), -EINVAL);
	KUNIT_EXPECT_EQ(test, set(fake, R | N), -EINVAL);
	KUNIT_EXPECT_EQ(test, get(fake), R);
	KUNIT_ASSERT_EQ(test, set(fake, R | S), 0);
	bytes = drain(test, fake, buf, false);
	KUNIT_ASSERT_EQ(test, set(fake, S), 0);
	bytes += drain(test, fake, buf + bytes, true);
	KUNIT_ASSERT_EQ(test, set(fake, 0), 0);
	KUNIT_ASSERT_EQ(test, set(fake, L), 0);
	KUNIT_ASSERT_EQ(test, push(fake, buf, bytes, VPV_V1_WINDOW_BYTES), 0);
	KUNIT_ASSERT_EQ(test, set(fake, 0), 0);
	KUNIT_ASSERT_EQ(test, set(fake, R), 0);
	fake_put(fake);
}

/* v2 is there again after it was not. */
static void v1_and_v2_in_turn(struct kunit *test)
{
	struct fake *fake = fake_new_v1(test, "v1-turn", &fake_ops);

	KUNIT_EXPECT_EQ(test, set(fake, S), 0);
	vmig_close(&fake->mig);
	KUNIT_EXPECT_EQ(test, vmig_dialect_set(&fake->mig, "v0"), -EINVAL);
	KUNIT_EXPECT_STREQ(test, vmig_dialect(&fake->mig), "v1");
	KUNIT_ASSERT_EQ(test, vmig_dialect_set(&fake->mig, "v2"), 0);
	KUNIT_ASSERT_EQ(test, vmig_open(&fake->mig), 0);
	KUNIT_EXPECT_EQ(test, vmig_region_bytes(&fake->mig), 0);
	KUNIT_EXPECT_EQ(test, fake_get(fake), VFIO_DEVICE_STATE_RUNNING);
	KUNIT_EXPECT_EQ(test, fake->vdev.migration_flags,
			VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P | VFIO_MIGRATION_PRE_COPY);
	fake_put(fake);
}

static struct kunit_case v1_cases[] = {
	KUNIT_CASE(v1_there_and_back),
	KUNIT_CASE(v1_pending_in_precopy),
	KUNIT_CASE(v1_refused_access_leaves_a_line),
	KUNIT_CASE(v1_pending_waits_for_the_device),
	KUNIT_CASE(v1_reset_wakes_the_reader),
	KUNIT_CASE(v1_fault_wakes_the_reader),
	KUNIT_CASE(v1_detach_wakes_the_reader),
	KUNIT_CASE(v1_failed_change_is_taken_back),
	KUNIT_CASE(v1_failed_change_opens_no_session),
	KUNIT_CASE(v1_save_hook_fails),
	KUNIT_CASE(v1_small_device),
	KUNIT_CASE(v1_and_v2_in_turn),
	{}
};

static struct kunit_suite v1_suite = {
	.name = "vmig_v1_session",
	.test_cases = v1_cases,
};

kunit_test_suite(v1_suite);
