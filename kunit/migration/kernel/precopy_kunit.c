// SPDX-License-Identifier: GPL-2.0
/* Pre-copy: REINIT, and who waits for a device that needs long to say what is dirty. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "fake_dev.h"

#define E(state)	VFIO_DEVICE_STATE_##state
#define STREAM_ROOM	(FAKE_STATE_BYTES * 2)
#define ROUND_BYTES	(3 * (100 + sizeof(struct vpv_stream_record)))
/* A stalled hook lasts so long if nobody ends it before; a fast call at most that long. */
#define STALL_MS	3000
#define FAST_MS		1000

static u8 *stream_new(struct kunit *test)
{
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, stream);
	return stream;
}

/* Pre-copy, all of round 0 read. */
static struct file *drained(struct kunit *test, struct fake *fake, u8 *stream)
{
	struct file *file = NULL;
	ssize_t end;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	KUNIT_ASSERT_EQ(test, end, -ENOMSG);
	return file;
}

static unsigned long user_page(struct kunit *test)
{
	unsigned long user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE(test, user, 0UL);
	return user;
}

static struct vfio_precopy_info info_of(struct kunit *test, struct file *file,
					unsigned long user)
{
	struct vfio_precopy_info i = { .argsz = sizeof(i) };

	KUNIT_EXPECT_EQ(test, copy_to_user((void __user *)user, &i, sizeof(i)), 0UL);
	KUNIT_EXPECT_EQ(test, file->f_op->unlocked_ioctl(file, VFIO_MIG_GET_PRECOPY_INFO, user),
			0L);
	KUNIT_EXPECT_EQ(test, copy_from_user(&i, (void __user *)user, sizeof(i)), 0UL);
	return i;
}

#ifdef VPV_HAVE_VFIO_PRECOPY_INFO_V2
static struct fake *fake_v2(struct kunit *test, const char *name)
{
	struct fake *fake = fake_new(test, name, &fake_ops);

	fake->vdev.precopy_info_v2 = 1;
	return fake;
}

/* A round goes on beside its reader: wait until there is that much to be read and to come. */
static void info_until(struct kunit *test, struct file *file, unsigned long user, u64 bytes)
{
	u64 now = 0;

	for (unsigned int tries = 0; tries < 1000 && now != bytes; tries++) {
		struct vfio_precopy_info i = info_of(test, file, user);

		now = i.initial_bytes + i.dirty_bytes;
		if (now != bytes)
			usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_EQ(test, now, bytes);
}

/* The same when REINIT is there, which the worker has to ask the device for. */
static struct vfio_precopy_info reinit_of(struct kunit *test, struct file *file,
					  unsigned long user)
{
	struct vfio_precopy_info i = info_of(test, file, user);

	for (unsigned int tries = 0; tries < 1000 && !i.flags; tries++) {
		usleep_range(1000, 2000);
		i = info_of(test, file, user);
	}
	KUNIT_EXPECT_EQ(test, i.flags, (u32)VFIO_PRECOPY_INFO_REINIT);
	return i;
}

static void reinit_makes_the_next_round_initial(struct kunit *test)
{
	struct fake *fake = fake_v2(test, "vmig-src");
	unsigned long user = user_page(test);
	u8 *stream = stream_new(test);
	struct vfio_precopy_info i;
	struct file *file;
	ssize_t end;

	file = drained(test, fake, stream);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.initial_bytes + i.dirty_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);

	fake->dirty = 300;
	fake->reinit = true;
	i = reinit_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 300ULL);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, 10), (ssize_t)10);
	KUNIT_EXPECT_EQ(test, info_of(test, file, user).flags, (u32)VFIO_PRECOPY_INFO_REINIT);
	fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 0ULL);
	fake_close(file);
	fake_put(fake);
}

/* Whoever sees REINIT and no initial data would take it for all sent. */
static void reinit_comes_with_its_bytes(struct kunit *test)
{
	struct fake *fake = fake_v2(test, "vmig-src");
	unsigned long user = user_page(test);
	u8 *stream = stream_new(test);
	struct vfio_precopy_info i;
	struct file *file;

	file = drained(test, fake, stream);
	fake->dirty = 300;
	fake->reinit = true;
	fake_stall(fake, FAKE_DIRTY_BYTES);
	info_of(test, file, user);
	wait_for_completion(&fake->there);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	fake_release(fake);
	i = reinit_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 300ULL);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 0ULL);
	fake_close(file);
	fake_put(fake);
}

/* What is too little for a round of its own does not come: nobody is told to wait for it. */
static void reinit_without_bytes_waits_for_some(struct kunit *test)
{
	struct fake *fake = fake_v2(test, "vmig-src");
	unsigned long user = user_page(test);
	u8 *stream = stream_new(test);
	struct vfio_precopy_info i;
	struct file *file;
	ssize_t end;

	file = drained(test, fake, stream);
	fake->reinit = true;
	/* The device is asked at each change of state. */
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY_P2P), &file), 0);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 0ULL);

	/* It says so once, and that is not forgotten. */
	fake->reinit = false;
	fake->dirty = 300;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, (u32)VFIO_PRECOPY_INFO_REINIT);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 300ULL);
	fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 0ULL);
	fake_close(file);
	fake_put(fake);
}

/* There were some, and they are gone before the round begins. */
static void reinit_without_bytes_any_more_waits_again(struct kunit *test)
{
	struct fake *fake = fake_v2(test, "vmig-src");
	unsigned long user = user_page(test);
	u8 *stream = stream_new(test);
	struct vfio_precopy_info i;
	struct file *file;

	file = drained(test, fake, stream);
	fake->dirty = 300;
	fake->reinit = true;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY_P2P), &file), 0);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, (u32)VFIO_PRECOPY_INFO_REINIT);
	fake->reinit = false;
	fake->dirty = 0;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 0ULL);
	fake->dirty = 300;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY_P2P), &file), 0);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, (u32)VFIO_PRECOPY_INFO_REINIT);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 300ULL);
	fake_close(file);
	fake_put(fake);
}

/* The same, and a part of an earlier round is still to be read, which counted as initial data. */
static void reinit_that_is_taken_back_is_told_while_it_counts(struct kunit *test)
{
	struct fake *fake = fake_v2(test, "vmig-src");
	unsigned long user = user_page(test);
	u8 *stream = stream_new(test);
	struct vfio_precopy_info i;
	struct file *file;
	ssize_t end;

	file = drained(test, fake, stream);
	fake->dirty = 300;
	KUNIT_ASSERT_EQ(test, fake_read(file, stream, 10), (ssize_t)10);
	fake->dirty = 300;
	/* A state change would interrupt the round, and another one would come. */
	info_until(test, file, user, ROUND_BYTES - 10 + 300ULL);
	fake->reinit = true;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY_P2P), &file), 0);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, (u32)VFIO_PRECOPY_INFO_REINIT);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, ROUND_BYTES - 10 + 300ULL);
	fake->reinit = false;
	fake->dirty = 0;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, (u32)VFIO_PRECOPY_INFO_REINIT);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, ROUND_BYTES - 10ULL);
	fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 0ULL);
	fake_close(file);
	fake_put(fake);
}

/*
 * What was queued before REINIT is read first: a VMM that counts initial_bytes down as it
 * reads must not reach 0 before the new initial data.
 */
static void reinit_counts_what_is_stale(struct kunit *test)
{
	struct fake *fake = fake_v2(test, "vmig-src");
	const ssize_t stale = ROUND_BYTES - 10;
	unsigned long user = user_page(test);
	u8 *stream = stream_new(test);
	struct vfio_precopy_info i;
	struct file *file;
	ssize_t end;

	file = drained(test, fake, stream);
	fake->dirty = 300;
	KUNIT_ASSERT_EQ(test, fake_read(file, stream, 10), (ssize_t)10);

	fake->dirty = 300;
	fake->reinit = true;
	i = reinit_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, stale + 300ULL);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, stale - 1), stale - 1);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 1 + 300ULL);
	KUNIT_EXPECT_EQ(test, i.flags, (u32)VFIO_PRECOPY_INFO_REINIT);
	KUNIT_EXPECT_EQ(test, fake_read_all(test, file, stream, STREAM_ROOM, 100, &end),
			(ssize_t)ROUND_BYTES + 1);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	fake_close(file);
	fake_put(fake);
}

/* Two records; a later round waits between them. */
static int halting_precopy(struct vmig_dev *mig, struct vmig_emit *em, unsigned int round)
{
	struct fake *fake = container_of(mig, struct fake, mig);
	u8 hint = round;
	int err;

	err = vmig_emit(em, FAKE_HINT_RECORD, VPV_RECORD_OPTIONAL, &hint, sizeof(hint));
	if (round) {
		fake->dirty = 0;
		fake->reinit = false;
		complete(&fake->there);
		wait_for_completion(&fake->go);
	}
	return err ?: vmig_emit(em, FAKE_HINT_RECORD, VPV_RECORD_OPTIONAL, &hint, sizeof(hint));
}

/* The device has announced less than it emits, and all that is there was read. */
static void reinit_does_not_look_sent_before_it_is(struct kunit *test)
{
	unsigned long user = user_page(test);
	u8 *stream = stream_new(test);
	struct vfio_precopy_info i;
	struct vmig_ops ops = fake_ops;
	struct fake *fake;
	struct file *file;
	ssize_t end;

	ops.precopy = halting_precopy;
	fake = fake_new(test, "vmig-src", &ops);
	fake->vdev.precopy_info_v2 = 1;
	file = drained(test, fake, stream);
	fake->dirty = 1;
	fake->reinit = true;
	reinit_of(test, file, user);
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, 1 + sizeof(struct vpv_stream_record)),
			(ssize_t)(1 + sizeof(struct vpv_stream_record)));
	wait_for_completion(&fake->there);
	i = info_of(test, file, user);
	KUNIT_EXPECT_GT(test, i.initial_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, i.flags, (u32)VFIO_PRECOPY_INFO_REINIT);
	complete_all(&fake->go);
	fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	fake_close(file);
	fake_put(fake);
}
#endif

/* ---- The function is reset ---- */

#ifdef VPV_HAVE_VFIO_PRECOPY_INFO_V2
/* What was read so far, and the rest of pre-copy and of the state, are one stream. */
static void finish(struct kunit *test, struct fake *fake, const char *to, struct file *file,
		   u8 *stream, size_t n)
{
	struct fake *dst = fake_new(test, to, &fake_ops);
	struct file *load = NULL;
	ssize_t end;

	n += fake_read_all(test, file, stream + n, STREAM_ROOM - n, 4096, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	n += fake_read_all(test, file, stream + n, STREAM_ROOM - n, 4096, &end);
	KUNIT_EXPECT_EQ(test, end, 0);
	KUNIT_ASSERT_EQ(test, fake_go(dst, E(RESUMING), &load), 0);
	KUNIT_EXPECT_EQ(test, fake_write(load, stream, n), (ssize_t)n);
	KUNIT_EXPECT_EQ(test, fake_go(dst, E(RUNNING), &load), 0);
	KUNIT_EXPECT_MEMEQ(test, dst->state, fake->state, FAKE_STATE_BYTES);
	fake_close(load);
	fake_put(dst);
}

/* Whoever holds the state lock does it. */
static void wait_reset(struct fake *fake)
{
	for (unsigned int tries = 0; tries < 5000 && !fake_calls(fake, FAKE_RESET); tries++)
		usleep_range(1000, 2000);
}

static void reset_in_pre_copy_begins_it_again(struct kunit *test)
{
	struct fake *fake = fake_v2(test, "vmig-src");
	unsigned long user = user_page(test);
	u8 *stream = stream_new(test);
	struct vfio_precopy_info i;
	struct file *file = NULL;
	ssize_t n, end;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	n = fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	KUNIT_ASSERT_EQ(test, end, -ENOMSG);
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(PRE_COPY));
	wait_reset(fake);
	i = reinit_of(test, file, user);
	KUNIT_EXPECT_GT(test, i.initial_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 0ULL);
	n += fake_read_all(test, file, stream + n, STREAM_ROOM - n, 100, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_PRECOPY), 2);
	/* The first byte of a hint is its round. */
	KUNIT_EXPECT_EQ(test, stream[n - 100], (u8)0);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 0ULL);
	finish(test, fake, "vmig-dst", file, stream, n);
	fake_close(file);
	fake_put(fake);
}

/* What the device had to say of what was sent before is over. */
static void reset_in_pre_copy_forgets_reinit(struct kunit *test)
{
	struct fake *fake = fake_v2(test, "vmig-src");
	unsigned long user = user_page(test);
	u8 *stream = stream_new(test);
	struct vfio_precopy_info i;
	struct file *file;
	ssize_t end;

	file = drained(test, fake, stream);
	fake->reinit = true;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY_P2P), &file), 0);
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	fake->reinit = false;
	fake_reset_function(fake);
	wait_reset(fake);
	fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	fake->dirty = 300;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY_P2P), &file), 0);
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 300ULL);
	fake_close(file);
	fake_put(fake);
}

/* While a hook runs, which is interrupted; and while one fails because of the reset. */
static void reset_during_a_round_begins_it_again(struct kunit *test)
{
	static const int errs[] = { 0, -ECANCELED, -EIO, -ENODEV };
	u8 *stream = stream_new(test);

	for (unsigned int k = 0; k < ARRAY_SIZE(errs); k++) {
		struct file *file = NULL;
		struct fake *fake;
		char name[16], to[16];

		snprintf(name, sizeof(name), "vmig-src%u", k);
		snprintf(to, sizeof(to), "vmig-dst%u", k);
		fake = fake_v2(test, name);
		fake_stall(fake, FAKE_PRECOPY);
		KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
		wait_for_completion(&fake->there);
		fake_reset_function(fake);
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(PRE_COPY));
		KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_RESET), 0);
		fake->fail[FAKE_PRECOPY] = errs[k];
		fake->fail_once = true;
		fake_release(fake);
		wait_reset(fake);
		finish(test, fake, to, file, stream, 0);
		KUNIT_EXPECT_GE(test, fake_calls(fake, FAKE_PRECOPY), 2);
		KUNIT_EXPECT_FALSE(test, fake->overlap);
		fake_close(file);
		fake_put(fake);
	}
}

/* The hook fails before the library is told of the reset that is the reason. */
static void reset_that_fails_a_round_begins_it_again(struct kunit *test)
{
	struct fake *fake = fake_v2(test, "vmig-src");
	u8 *stream = stream_new(test);
	struct file *file = NULL;

	fake_stall(fake, FAKE_PRECOPY);
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	wait_for_completion(&fake->there);
	fake->fail[FAKE_PRECOPY] = -EBADFD;
	fake_reset_begin(fake);
	fake_release(fake);
	while (atomic_read(&fake->inside))
		usleep_range(1000, 2000);
	msleep(20);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(PRE_COPY));
	fake->fail[FAKE_PRECOPY] = 0;
	fake_reset_function(fake);
	wait_reset(fake);
	finish(test, fake, "vmig-dst", file, stream, 0);
	fake_close(file);
	fake_put(fake);
}

/* Whoever resets to get a device that runs gets one. */
static void reset_ends_pre_copy_of_who_wants_that(struct kunit *test)
{
	struct fake *fake = fake_v2(test, "vmig-src");
	struct file *file = NULL;
	u8 byte;

	/* After a state change that failed, as QEMU does. */
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	fake->fail[FAKE_QUIESCE] = -EBUSY;
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(PRE_COPY_P2P), &file), -EBUSY);
	fake->fail[FAKE_QUIESCE] = 0;
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	KUNIT_EXPECT_EQ(test, fake_read(file, &byte, 1), (ssize_t)-ENODEV);
	fake_close(file);
	file = NULL;

	/* Without a reader. */
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	fake_close(file);
	file = NULL;
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));

	/* A function that has been reset is not quiesced. */
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY_P2P), &file), 0);
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	KUNIT_EXPECT_EQ(test, fake_read(file, &byte, 1), (ssize_t)-ENODEV);
	fake_close(file);
	fake_put(fake);
}
#endif

/* ---- A device that needs long to answer ---- */

struct stall {
	struct fake *fake;
	struct delayed_work late;
};

static void release_late(struct work_struct *work)
{
	fake_release(container_of(to_delayed_work(work), struct stall, late)->fake);
}

static struct stall *stall_dirty_bytes(struct kunit *test, struct fake *fake)
{
	struct stall *stall = kunit_kzalloc(test, sizeof(*stall), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, stall);
	stall->fake = fake;
	INIT_DELAYED_WORK(&stall->late, release_late);
	fake_stall(fake, FAKE_DIRTY_BYTES);
	schedule_delayed_work(&stall->late, msecs_to_jiffies(STALL_MS));
	return stall;
}

static void stall_end(struct stall *stall)
{
	cancel_delayed_work_sync(&stall->late);
	fake_release(stall->fake);
}

static s64 ms_since(ktime_t begin)
{
	return ktime_ms_delta(ktime_get(), begin);
}

static void precopy_info_does_not_wait_for_the_device(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	unsigned long user = user_page(test);
	struct vfio_precopy_info i;
	struct stall *stall;
	struct file *file;
	ktime_t begin;

	file = drained(test, fake, stream_new(test));
	fake->dirty = 300;
	stall = stall_dirty_bytes(test, fake);
	begin = ktime_get();
	i = info_of(test, file, user);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 0ULL);
	i = info_of(test, file, user);
	KUNIT_EXPECT_LT(test, ms_since(begin), (s64)FAST_MS);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 0ULL);

	for (unsigned int tries = 0; tries < 10000 && !i.dirty_bytes; tries++) {
		usleep_range(1000, 2000);
		i = info_of(test, file, user);
	}
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 300ULL);
	/* To know is not to want it: no round has begun. */
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_PRECOPY), 1);
	stall_end(stall);
	fake_close(file);
	fake_put(fake);
}

/* What a VMM asks when the guest has been stopped must not be an old answer. */
static void state_change_asks_the_device(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	unsigned long user = user_page(test);
	struct file *file;

	file = drained(test, fake, stream_new(test));
	fake->dirty = 300;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY_P2P), &file), 0);
	KUNIT_EXPECT_EQ(test, info_of(test, file, user).dirty_bytes, 300ULL);
	fake->dirty = 0;
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(PRE_COPY), &file), 0);
	KUNIT_EXPECT_EQ(test, info_of(test, file, user).dirty_bytes, 0ULL);
	fake_close(file);
	fake_put(fake);
}

static void nonblocking_read_does_not_wait_for_the_device(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	u8 *stream = stream_new(test);
	struct stall *stall;
	struct file *file;
	ktime_t begin;
	ssize_t n;

	file = drained(test, fake, stream);
	file->f_flags |= O_NONBLOCK;
	fake->dirty = 300;
	stall = stall_dirty_bytes(test, fake);
	begin = ktime_get();
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, 100), (ssize_t)-ENOMSG);
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, 100), (ssize_t)-ENOMSG);
	KUNIT_EXPECT_LT(test, ms_since(begin), (s64)FAST_MS);

	/* It was asked in the name of a reader: the round begins by itself. */
	for (unsigned int tries = 0; tries < 10000; tries++) {
		n = fake_read(file, stream, STREAM_ROOM);
		if (n > 0)
			break;
		KUNIT_ASSERT_TRUE(test, n == -ENOMSG || n == -EAGAIN);
		usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_GT(test, n, (ssize_t)0);
	stall_end(stall);
	fake_close(file);
	fake_put(fake);
}

static bool soon_called(struct fake *fake, int hook, int calls)
{
	for (unsigned int tries = 0; tries < 10000 && fake_calls(fake, hook) < calls; tries++)
		usleep_range(1000, 2000);
	return fake_calls(fake, hook) >= calls;
}

/* Bytes were read already: they are returned, whatever the device says. */
static void read_with_bytes_does_not_wait_for_the_device(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	u8 *stream = stream_new(test);
	struct stall *stall;
	struct file *file;
	ktime_t begin;
	int asked;

	file = drained(test, fake, stream);
	asked = fake_calls(fake, FAKE_DIRTY_BYTES);
	fake->dirty = 300;
	KUNIT_ASSERT_EQ(test, fake_read(file, stream, 1), (ssize_t)1);
	/* The question that led to the round, and the one at its end. */
	KUNIT_ASSERT_TRUE(test, soon_called(fake, FAKE_DIRTY_BYTES, asked + 2));
	stall = stall_dirty_bytes(test, fake);
	begin = ktime_get();
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, STREAM_ROOM), (ssize_t)ROUND_BYTES - 1);
	KUNIT_EXPECT_LT(test, ms_since(begin), (s64)FAST_MS);
	stall_end(stall);
	fake_close(file);
	fake_put(fake);
}

struct reading {
	struct file *file;
	ssize_t ret;
	struct completion done;
	u8 byte;
};

static int read_signalled(void *data)
{
	struct reading *r = data;

	allow_signal(SIGUSR1);
	r->ret = fake_read(r->file, &r->byte, 1);
	complete_all(&r->done);
	return 0;
}

static void signal_ends_a_read_that_waits_for_the_device(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct reading *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, r);
	init_completion(&r->done);
	r->file = drained(test, fake, stream_new(test));
	fake_stall(fake, FAKE_DIRTY_BYTES);
	task = kthread_run(read_signalled, r, "vmig-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&fake->there);
	msleep(20);
	KUNIT_ASSERT_FALSE(test, completion_done(&r->done));
	send_sig(SIGUSR1, task, 1);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&r->done, 2 * HZ));
	fake_release(fake);
	wait_for_completion(&r->done);
	KUNIT_EXPECT_EQ(test, r->ret, (ssize_t)-ERESTARTSYS);
	fake_close(r->file);
	fake_put(fake);
}

/* The question is put again after a state change that came between. */
static void question_survives_a_state_change(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	u8 *stream = stream_new(test);
	struct file *file = drained(test, fake, stream);
	ssize_t n = 0;

	file->f_flags |= O_NONBLOCK;
	for (unsigned int i = 0; i < 20; i++) {
		fake->dirty = 300;
		n = fake_read(file, stream, 1);
		KUNIT_EXPECT_TRUE(test, n == -ENOMSG || n == -EAGAIN || n == 1);
		KUNIT_ASSERT_EQ(test, fake_go(fake, i % 2 ? E(PRE_COPY) : E(PRE_COPY_P2P), &file),
				0);
		/* Nobody asks again: a round clears it. */
		for (unsigned int tries = 0; tries < 5000 && READ_ONCE(fake->dirty); tries++)
			usleep_range(1000, 2000);
		KUNIT_EXPECT_EQ(test, fake->dirty, 0ULL);
		while (fake_read(file, stream, STREAM_ROOM) != -ENOMSG)
			usleep_range(1000, 2000);
	}
	fake_close(file);
	fake_put(fake);
}

static struct kunit_case precopy_cases[] = {
#ifdef VPV_HAVE_VFIO_PRECOPY_INFO_V2
	KUNIT_CASE(reinit_makes_the_next_round_initial),
	KUNIT_CASE(reinit_comes_with_its_bytes),
	KUNIT_CASE(reinit_without_bytes_waits_for_some),
	KUNIT_CASE(reinit_without_bytes_any_more_waits_again),
	KUNIT_CASE(reinit_that_is_taken_back_is_told_while_it_counts),
	KUNIT_CASE(reinit_counts_what_is_stale),
	KUNIT_CASE(reinit_does_not_look_sent_before_it_is),
	KUNIT_CASE(reset_in_pre_copy_begins_it_again),
	KUNIT_CASE(reset_in_pre_copy_forgets_reinit),
	KUNIT_CASE_SLOW(reset_during_a_round_begins_it_again),
	KUNIT_CASE(reset_that_fails_a_round_begins_it_again),
	KUNIT_CASE(reset_ends_pre_copy_of_who_wants_that),
#endif
	KUNIT_CASE_SLOW(precopy_info_does_not_wait_for_the_device),
	KUNIT_CASE(state_change_asks_the_device),
	KUNIT_CASE_SLOW(nonblocking_read_does_not_wait_for_the_device),
	KUNIT_CASE_SLOW(read_with_bytes_does_not_wait_for_the_device),
	KUNIT_CASE(signal_ends_a_read_that_waits_for_the_device),
	KUNIT_CASE_SLOW(question_survives_a_state_change),
	{}
};

static struct kunit_suite precopy_suite = {
	.name = "migration_precopy",
	.test_cases = precopy_cases,
};

kunit_test_suite(precopy_suite);
