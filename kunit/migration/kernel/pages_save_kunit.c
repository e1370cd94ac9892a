// SPDX-License-Identifier: GPL-2.0
/* Memory of a device is migrated while it is written; what that costs. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "../../../migration/machine.h"
#include "fake_mem.h"

#define STEPS		15

static void frozen_memory_comes_back(struct kunit *test)
{
	struct file *from = NULL, *to = NULL;
	unsigned int writes;

	both_new(test);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(RESUMING), &to), 0);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	writes = src.starts + src.harvests;
	KUNIT_ASSERT_EQ(test, pump(test, from, to, SIZE_MAX), 0);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(STOP), &to), 0);
	expect_same(test, 0);
	KUNIT_EXPECT_EQ(test, writes, 0U);
	KUNIT_EXPECT_EQ(test, fake_go(src.fake, E(STOP), &from), 0);
	KUNIT_EXPECT_EQ(test, src.stops, 0U);
	fake_close(from);
	fake_close(to);
}

/*
 * What is there is something else as soon as it was copied: bytes and sums are those of one copy,
 * and which pages are zeros is decided by it.
 */
static void memory_that_never_rests_is_sent_as_it_was_copied(struct kunit *test)
{
	const unsigned int *readers = test->param_value;
	struct file *from = NULL, *to = NULL;

	pages_ops.readers = *readers;
	both_new(test);
	src.copied = kvzalloc(MOST_PAGES * PAGE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, src.copied);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(RESUMING), &to), 0);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	KUNIT_ASSERT_EQ(test, pump(test, from, to, SIZE_MAX), 0);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(STOP), &to), 0);
	KUNIT_EXPECT_EQ(test, src.pages_read, PAGES);
	for (u32 page = 0; page < PAGES; page++)
		KUNIT_ASSERT_EQ_MSG(test, memcmp(src.copied + page * PAGE, dst.data + page * PAGE,
						 PAGE), 0, "page %u", page);
	fake_close(from);
	fake_close(to);
}

static const unsigned int reader_counts[] = { 1, 2, 3, 8 };

static void readers_name(const unsigned int *readers, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u_readers", *readers);
}

KUNIT_ARRAY_PARAM(readers, reader_counts, readers_name);

/* It cannot record what is written: pre-copy has nothing to send, and nothing is lost. */
static void device_that_cannot_record_is_sent_frozen(struct kunit *test)
{
	struct file *from = NULL, *to = NULL;

	both_new(test);
	src.start_err = -EOPNOTSUPP;
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(RESUMING), &to), 0);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	KUNIT_ASSERT_EQ(test, pump(test, from, to, SIZE_MAX), (ssize_t)-ENOMSG);
	KUNIT_EXPECT_EQ(test, fake_get(src.fake), (int)E(PRE_COPY));
	KUNIT_EXPECT_EQ(test, src.starts, 1U);
	KUNIT_EXPECT_EQ(test, src.reads, 0U);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	KUNIT_ASSERT_EQ(test, pump(test, from, to, SIZE_MAX), 0);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(STOP), &to), 0);
	expect_same(test, 0);
	KUNIT_EXPECT_EQ(test, fake_go(src.fake, E(STOP), &from), 0);
	KUNIT_EXPECT_EQ(test, src.harvests, 0U);
	KUNIT_EXPECT_EQ(test, src.stops, 0U);
	fake_close(from);
	fake_close(to);
}

/* ---- Whatever happens in between ---- */

struct walk {
	struct file *from;
	struct file *to;
	bool p2p;
	bool resets;
};

static void walk_begin(struct kunit *test, struct walk *w)
{
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(RESUMING), &w->to), 0);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &w->from), 0);
	w->p2p = false;
}

/* The user goes back to RUNNING, and begins anew with a destination that was reset. */
static void walk_again(struct kunit *test, struct walk *w)
{
	struct file *none = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(src.fake, w->p2p ? E(RUNNING_P2P) : E(RUNNING), &w->from),
			0);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(RUNNING), &w->from), 0);
	KUNIT_EXPECT_FALSE(test, src.tracking);
	KUNIT_ASSERT_NE(test, fake_go(dst.fake, E(STOP), &none), 0);
	fake_reset_function(dst.fake);
	walk_begin(test, w);
}

/* All of memory is something else, and nothing is recorded any more. */
static void walk_reset(struct kunit *test, struct walk *w)
{
	if (!w->resets || w->p2p)
		return;
	spin_lock(&src.lock);
	src.tracking = false;
	for (u32 page = 0; page < PAGES; page++)
		memset(src.data + page * PAGE, random_of(&src, 3), PAGE);
	spin_unlock(&src.lock);
	fake_reset_function(src.fake);
	KUNIT_ASSERT_EQ(test, fake_get(src.fake), (int)E(PRE_COPY));
}

static void walk_step(struct kunit *test, struct walk *w, u32 *seed)
{
	ssize_t n = 1;

	*seed = *seed * 1664525 + 1013904223;
	switch ((*seed >> 8) % 12) {
	case 0:
		walk_again(test, w);
		break;
	case 1:
		walk_reset(test, w);
		break;
	case 2:
	case 3:
		w->p2p = !w->p2p;
		KUNIT_ASSERT_EQ(test, fake_go(src.fake, w->p2p ? E(PRE_COPY_P2P) : E(PRE_COPY),
					      &w->from), 0);
		break;
	case 4:
		n = pump(test, w->from, w->to, PAGES * PAGE);
		break;
	default:
		n = pump(test, w->from, w->to, (*seed >> 8) % (PAGES * 1024));
		break;
	}
	KUNIT_ASSERT_TRUE(test, n == 1 || n == -ENOMSG);
}

static void walk(struct kunit *test, u32 seed)
{
	struct walk w = {};
	u32 random = seed;

#ifdef VPV_HAVE_VFIO_PRECOPY_INFO_V2
	src.fake->vdev.precopy_info_v2 = 1;
	w.resets = true;
#endif
	memset(dst.data, 0xaa, PAGES * PAGE);
	src.seed = seed;
	walk_begin(test, &w);
	for (unsigned int i = 0; i < STEPS; i++)
		walk_step(test, &w, &random);
	finish(test, w.from, w.to, seed);
	fake_close(w.from);
	fake_close(w.to);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fake_set(src.fake, E(RUNNING))));
	KUNIT_ASSERT_FALSE(test, IS_ERR(fake_set(dst.fake, E(RUNNING))));
}

static const struct walk_case {
	const char *name;
	unsigned int readers;
	bool by_cpu;
	unsigned int seeds;
} walk_cases[] = {
	{ "one_reader", 1, false, 4 },
	{ "one_reader_cpu", 1, true, 4 },
	{ "three_readers", 3, false, 4 },
	{ "three_readers_cpu", 3, true, 4 },
	{ "eight_readers_cpu", 8, true, 3 },
};

static void walk_name(const struct walk_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(walk, walk_cases, walk_name);

/* Interrupted passes, resets, sessions that begin again; writes around each read. */
static void no_write_is_lost(struct kunit *test)
{
	const struct walk_case *c = test->param_value;

	pages_ops.readers = c->readers;
	pages_ops.protect = c->by_cpu ? mem_protect : NULL;
	src.by_cpu = c->by_cpu;
	both_new(test);
	src.burst = 3;
	for (u32 seed = 1; seed <= c->seeds; seed++)
		walk(test, seed);
	KUNIT_EXPECT_LE(test, src.most_busy, c->readers);
	KUNIT_EXPECT_GT(test, src.harvests, 0U);
}

static int writer(void *unused)
{
	while (!kthread_should_stop()) {
		mem_write(&src);
		cond_resched();
	}
	return 0;
}

/* The same with somebody else who writes all the time. */
static void no_write_of_a_thread_is_lost(struct kunit *test)
{
	const struct walk_case *c = test->param_value;
	struct task_struct *task;

	pages_ops.readers = c->readers;
	pages_ops.protect = c->by_cpu ? mem_protect : NULL;
	src.by_cpu = c->by_cpu;
	both_new(test);
	task = kthread_run(writer, NULL, "vmig-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (u32 seed = 100; seed < 101; seed++)
		walk(test, seed);
	kthread_stop(task);
}

/* ---- What it costs ---- */

static void readers_run_at_once(struct kunit *test)
{
	struct file *from = NULL;

	pages_ops.readers = 2;
	both_new(test);
	src.meet = true;
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	KUNIT_EXPECT_EQ(test, pump(test, from, NULL, SIZE_MAX), 0);
	KUNIT_EXPECT_EQ(test, src.most_busy, 2U);
	fake_close(from);
}

static u64 stream_bytes(struct kunit *test, unsigned int state, ssize_t end)
{
	struct file *from = NULL;
	u64 bytes = 0;
	ssize_t n;

	KUNIT_ASSERT_EQ(test, fake_go(src.fake, state, &from), 0);
	while ((n = fake_read(from, piece, PIECE_BYTES)) > 0)
		bytes += n;
	KUNIT_EXPECT_EQ(test, n, end);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(RUNNING), &from), 0);
	fake_close(from);
	return bytes;
}

static void zeros_are_not_sent(struct kunit *test)
{
	mem_new(test, &src, "vmig-src", &mem_desc);
	KUNIT_EXPECT_LT(test, stream_bytes(test, E(PRE_COPY), -ENOMSG), 2000ULL);
	memset(src.data + 5 * PAGE + 4095, 1, 1);
	KUNIT_EXPECT_GT(test, stream_bytes(test, E(PRE_COPY), -ENOMSG), PAGE);
	KUNIT_EXPECT_LT(test, stream_bytes(test, E(PRE_COPY), -ENOMSG), PAGE + 2000);
	KUNIT_EXPECT_EQ(test, src.starts, 3U);
	KUNIT_EXPECT_EQ(test, src.stops, 3U);
}

static void queue_is_for_both_halves(struct kunit *test)
{
	mem_desc.max_queued = 0;
	KUNIT_EXPECT_EQ(test, vmig_pages_half(&mem_desc), 8U);
	mem_desc.max_queued = MAX_QUEUED;
	KUNIT_EXPECT_EQ(test, vmig_pages_half(&mem_desc), 2U);
	mem_desc.max_queued = 1;
	KUNIT_EXPECT_EQ(test, vmig_pages_half(&mem_desc), 1U);
	pages_ops.readers = 3;
	KUNIT_EXPECT_EQ(test, vmig_pages_half(&mem_desc), 3U);
}

/* Begin a session whose producer waits for the user, with both halves in the queue. */
static struct file *both_halves(struct kunit *test)
{
	const u64 all = 2 * vmig_pages_half(&mem_desc) * VPV_PAGES_DATA_BYTES;
	struct file *from = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	for (unsigned int tries = 0; tries < 5000; tries++) {
		if (READ_ONCE(src.fake->mig.m->held) > all)
			break;
		usleep_range(1000, 2000);
	}
	msleep(50);
	KUNIT_EXPECT_GT(test, src.fake->mig.m->held, all);
	return from;
}

/* A reader that does not read keeps no more than the halves waiting. */
static void halves_are_all_that_is_held(struct kunit *test)
{
	const u64 most = MAX_QUEUED + (1 << 17);
	struct file *from;

	pages_ops.readers = 2;
	both_new(test);
	from = both_halves(test);
	KUNIT_EXPECT_LE(test, src.fake->mig.m->held, most);
	KUNIT_EXPECT_EQ(test, pump(test, from, NULL, SIZE_MAX), 0);
	KUNIT_EXPECT_LE(test, src.fake->mig.m->held_most, most);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP), &from), 0);
	KUNIT_EXPECT_EQ(test, src.fake->mig.m->held, 0ULL);
	fake_close(from);
}

/* The producer is not woken for each record that the user has read, but for a half. */
static void half_that_was_read_is_used_again(struct kunit *test)
{
	unsigned int reads;
	struct file *from;

	both_new(test);
	memset(src.data, 0x11, PAGES * PAGE);
	from = both_halves(test);
	reads = src.reads;
	KUNIT_EXPECT_EQ(test, pump(test, from, NULL, VPV_PAGES_DATA_BYTES + PIECE_BYTES), 1);
	msleep(50);
	KUNIT_EXPECT_EQ(test, src.reads, reads);
	KUNIT_EXPECT_EQ(test, pump(test, from, NULL, VPV_PAGES_DATA_BYTES), 1);
	for (unsigned int tries = 0; tries < 5000 && READ_ONCE(src.reads) == reads; tries++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_GT(test, src.reads, reads);
	KUNIT_EXPECT_EQ(test, pump(test, from, NULL, SIZE_MAX), 0);
	fake_close(from);
}

/* Of a half that is being made nothing can be read, nor does poll() say so. */
static void half_is_there_when_it_was_made(struct kunit *test)
{
	struct file *from = NULL;
	ssize_t n = 1;

	both_new(test);
	src.stall = true;
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	wait_for_completion(&src.there);
	from->f_flags |= O_NONBLOCK;
	while (n > 0)
		n = fake_read(from, piece, PIECE_BYTES);
	KUNIT_EXPECT_EQ(test, n, (ssize_t)-EAGAIN);
	KUNIT_EXPECT_FALSE(test, vfs_poll(from, NULL) & EPOLLIN);
	WRITE_ONCE(src.stall, false);
	complete_all(&src.go);
	for (unsigned int tries = 0; tries < 5000 && !(vfs_poll(from, NULL) & EPOLLIN); tries++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_GT(test, fake_read(from, piece, PIECE_BYTES), (ssize_t)0);
	from->f_flags &= ~O_NONBLOCK;
	KUNIT_EXPECT_EQ(test, pump(test, from, NULL, SIZE_MAX), 0);
	fake_close(from);
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

static void user_is_told_how_much_there_is(struct kunit *test)
{
	unsigned long user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	const u64 all = PAGES * PAGE + FAKE_STATE_BYTES, two = 2 * PAGE + FAKE_STATE_BYTES;
	struct file *from = NULL;
	u64 dirty = 0;

	KUNIT_ASSERT_NE(test, user, 0UL);
	both_new(test);
	KUNIT_EXPECT_GE(test, fake_size(src.fake), all);
	KUNIT_EXPECT_LT(test, fake_size(src.fake), all + 20000);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	KUNIT_EXPECT_GE(test, info_of(test, from, user).initial_bytes, PAGES * PAGE);
	KUNIT_EXPECT_EQ(test, pump(test, from, NULL, SIZE_MAX), (ssize_t)-ENOMSG);
	KUNIT_EXPECT_EQ(test, info_of(test, from, user).initial_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, info_of(test, from, user).dirty_bytes, 0ULL);
	/* Pages of 8 KiB. */
	spin_lock(&src.lock);
	set_bit(7, src.log);
	spin_unlock(&src.lock);
	for (unsigned int tries = 0; tries < 1000 && !dirty; tries++) {
		dirty = info_of(test, from, user).dirty_bytes;
		usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_GE(test, dirty, 2 * PAGE);
	KUNIT_EXPECT_LT(test, dirty, 2 * PAGE + 200);
	/* The answer is the last one. */
	for (unsigned int tries = 0; tries < 1000 && fake_size(src.fake) >= all; tries++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_GE(test, fake_size(src.fake), two);
	KUNIT_EXPECT_LT(test, fake_size(src.fake), two + 20000);
	fake_close(from);
}

/*
 * What was sent is written again, and then a state change interrupts the pass: the next answer
 * has all that comes, and initial_bytes does not grow.
 */
static void interrupted_pass_is_counted_again(struct kunit *test)
{
	unsigned long user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	struct vfio_precopy_info before, i;
	struct file *from = NULL;
	u64 announced, bytes = 0;
	ssize_t n;

	KUNIT_ASSERT_NE(test, user, 0UL);
	both_new(test);
	memset(src.data, 0x11, PAGES * PAGE);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	KUNIT_ASSERT_EQ(test, pump(test, from, NULL, VPV_PAGES_DATA_BYTES + PIECE_BYTES), 1);
	spin_lock(&src.lock);
	bitmap_set(src.log, 0, VPV_PAGES_DATA_BYTES / PAGE);
	spin_unlock(&src.lock);
	before = info_of(test, from, user);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY_P2P), &from), 0);
	i = info_of(test, from, user);
	KUNIT_EXPECT_LE(test, i.initial_bytes, before.initial_bytes);
	announced = i.initial_bytes + i.dirty_bytes;
	while ((n = fake_read(from, piece, PIECE_BYTES)) > 0) {
		bytes += n;
		before = i;
		i = info_of(test, from, user);
		KUNIT_ASSERT_LE(test, i.initial_bytes, before.initial_bytes);
	}
	KUNIT_EXPECT_EQ(test, n, (ssize_t)-ENOMSG);
	KUNIT_EXPECT_LE(test, bytes, announced + 20000);
	KUNIT_EXPECT_EQ(test, info_of(test, from, user).initial_bytes, 0ULL);
	fake_close(from);
}

/* The device has forgotten what it was asked for, and works again. */
static void question_that_fails_loses_nothing(struct kunit *test)
{
	unsigned long user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	struct file *from = NULL, *to = NULL;

	KUNIT_ASSERT_NE(test, user, 0UL);
	both_new(test);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(RESUMING), &to), 0);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	KUNIT_EXPECT_EQ(test, pump(test, from, to, SIZE_MAX), (ssize_t)-ENOMSG);
	for (u32 i = 0; i < 50; i++)
		mem_write(&src);
	src.harvest_err = -EIO;
	for (unsigned int tries = 0; tries < 1000 && READ_ONCE(src.harvest_err); tries++) {
		info_of(test, from, user);
		usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_EQ(test, src.harvest_err, 0);
	KUNIT_EXPECT_EQ(test, fake_get(src.fake), (int)E(PRE_COPY));
	finish(test, from, to, 0);
	fake_close(from);
	fake_close(to);
}

/* The device cannot be asked before round 0 has ended: that may take long. */
static void data_size_is_known_while_round_0_is_made(struct kunit *test)
{
	struct file *from = NULL;

	both_new(test);
	src.stall = true;
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	wait_for_completion(&src.there);
	KUNIT_EXPECT_GE(test, (u64)fake_size(src.fake), PAGES * PAGE);
	WRITE_ONCE(src.stall, false);
	complete_all(&src.go);
	fake_close(from);
}

/* It does not wake up for that. */
static void data_size_of_what_runs_needs_no_device(struct kunit *test)
{
	mem_ops.estimate = NULL;
	mem_desc.typical_bytes = FAKE_STATE_BYTES;
	both_new(test);
	for (unsigned int tries = 0; tries < 1000 && fake_size(src.fake) < PAGES * PAGE; tries++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_GE(test, (u64)fake_size(src.fake), PAGES * PAGE + FAKE_STATE_BYTES);
	KUNIT_EXPECT_EQ(test, src.fake->reaches, 0U);
}

/* Whatever is told of pages that CPUs have mapped once more: nothing of them is to come. */
static void data_size_has_no_memory_after_the_last_pass(struct kunit *test)
{
	struct file *from = NULL;
	unsigned int asked;

	both_new(test);
	memset(src.data, 0x11, PAGES * PAGE);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	KUNIT_ASSERT_EQ(test, pump(test, from, NULL, SIZE_MAX), (ssize_t)-ENOMSG);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	KUNIT_ASSERT_EQ(test, pump(test, from, NULL, SIZE_MAX), 0);
	asked = src.harvests;
	spin_lock(&src.lock);
	bitmap_set(src.log, 0, 300);
	spin_unlock(&src.lock);
	/* The answer is the last one. */
	for (unsigned int i = 0; i < 100; i++) {
		fake_size(src.fake);
		usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_LT(test, fake_size(src.fake), FAKE_STATE_BYTES + 20000UL);
	KUNIT_EXPECT_EQ(test, src.harvests, asked);
	fake_close(from);
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(frozen_memory_comes_back),
	KUNIT_CASE_PARAM(memory_that_never_rests_is_sent_as_it_was_copied, readers_gen_params),
	KUNIT_CASE(device_that_cannot_record_is_sent_frozen),
	KUNIT_CASE_PARAM(no_write_is_lost, walk_gen_params),
	KUNIT_CASE_PARAM(no_write_of_a_thread_is_lost, walk_gen_params),
	KUNIT_CASE(readers_run_at_once),
	KUNIT_CASE(zeros_are_not_sent),
	KUNIT_CASE(queue_is_for_both_halves),
	KUNIT_CASE(halves_are_all_that_is_held),
	KUNIT_CASE(half_that_was_read_is_used_again),
	KUNIT_CASE(half_is_there_when_it_was_made),
	KUNIT_CASE(user_is_told_how_much_there_is),
	KUNIT_CASE(interrupted_pass_is_counted_again),
	KUNIT_CASE(question_that_fails_loses_nothing),
	KUNIT_CASE(data_size_is_known_while_round_0_is_made),
	KUNIT_CASE(data_size_of_what_runs_needs_no_device),
	KUNIT_CASE(data_size_has_no_memory_after_the_last_pass),
	{}
};

static struct kunit_suite pages_suite = {
	.name = "migration_pages",
	.init = memory_init,
	.exit = memory_exit,
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);
