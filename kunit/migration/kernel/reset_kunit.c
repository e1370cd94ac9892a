// SPDX-License-Identifier: GPL-2.0
/* Reset, fault, close and detach at every moment: nothing hangs, dangles or stays behind. */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "../../../migration/machine.h"
#include "fake_dev.h"

#define E(state)	VFIO_DEVICE_STATE_##state

static const unsigned int all_states[] = {
	E(RUNNING), E(RUNNING_P2P), E(STOP), E(STOP_COPY), E(RESUMING), E(PRE_COPY),
	E(PRE_COPY_P2P),
};

/* What else goes on: one call of its own thread. */
struct job {
	struct task_struct *task;
	struct fake *fake;
	struct file *file;
	unsigned int state;
	void (*call)(struct fake *fake);
	ssize_t ret;
	struct completion done;
	u8 buf[64];
};

static int job_set(void *data)
{
	struct job *job = data;
	struct file *file = fake_set(job->fake, job->state);

	job->ret = PTR_ERR_OR_ZERO(file);
	job->file = IS_ERR(file) ? NULL : file;
	complete(&job->done);
	return 0;
}

static int job_read(void *data)
{
	struct job *job = data;

	do {
		job->ret = fake_read(job->file, job->buf, sizeof(job->buf));
	} while (job->ret > 0);
	complete(&job->done);
	return 0;
}

/* As job_set(), but it can be killed. */
static int job_set_killable(void *data)
{
	allow_signal(SIGKILL);
	return job_set(data);
}

/* As job_read(), but signals arrive. */
static int job_read_signalled(void *data)
{
	allow_signal(SIGUSR1);
	return job_read(data);
}

static int job_call(void *data)
{
	struct job *job = data;

	job->call(job->fake);
	complete(&job->done);
	return 0;
}

static struct job *job_new(struct kunit *test, struct fake *fake)
{
	struct job *job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->fake = fake;
	init_completion(&job->done);
	return job;
}

static void job_run(struct kunit *test, struct job *job, int (*run)(void *))
{
	job->task = kthread_run(run, job, "vmig-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(job->task));
}

static bool job_ends(struct job *job)
{
	return wait_for_completion_timeout(&job->done, 10 * HZ);
}

/*
 * A reader that begins a save or a round of pre-copy, whose hook waits for fake_release(), and
 * waits with it.
 */
static struct job *reader_new(struct kunit *test, struct fake *fake, unsigned int state,
			      int (*run)(void *))
{
	struct job *reader = job_new(test, fake);

	fake_stall(fake, state == E(PRE_COPY) ? FAKE_PRECOPY : FAKE_SAVE);
	KUNIT_ASSERT_EQ(test, fake_go(fake, state, &reader->file), 0);
	wait_for_completion(&fake->there);
	job_run(test, reader, run);
	msleep(100);
	KUNIT_EXPECT_FALSE(test, completion_done(&reader->done));
	return reader;
}

static void call_close(struct fake *fake)
{
	vmig_close(&fake->mig);
}

static void call_detach(struct fake *fake)
{
	vmig_detach(&fake->mig);
}

static bool soon(int (*get)(struct fake *fake, int hook), struct fake *fake, int hook, int want)
{
	unsigned long end = jiffies + 10 * HZ;

	while (get(fake, hook) != want) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(1000, 2000);
	}
	return true;
}

static void expect_failed(struct kunit *test, struct file *file, ssize_t err)
{
	u8 byte = 0;

	if (!file)
		return;
	if (file->f_mode & FMODE_READ)
		KUNIT_EXPECT_EQ(test, fake_read(file, &byte, 1), err);
	else
		KUNIT_EXPECT_EQ(test, fake_write(file, &byte, 1), err);
	fake_close(file);
}

static void expect_dead(struct kunit *test, struct file *file)
{
	expect_failed(test, file, -ENODEV);
}

static void reset_in_every_state_runs_the_device(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all_states); i++) {
		struct file *file = NULL;

		KUNIT_ASSERT_EQ(test, fake_go(fake, all_states[i], &file), 0);
		fake_reset_function(fake);
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
		expect_dead(test, file);
		KUNIT_EXPECT_TRUE(test, soon(fake_calls, fake, FAKE_RESET, i + 1));
		KUNIT_EXPECT_FALSE(test, fake->frozen || fake->quiesced || fake->overlap);
	}
	fake_put(fake);
}

static void close_in_every_state_ends_the_session(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all_states); i++) {
		struct file *file = NULL;

		KUNIT_ASSERT_EQ(test, fake_go(fake, all_states[i], &file), 0);
		vmig_close(&fake->mig);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(fake_set(fake, E(STOP_COPY))), -ENODEV);
		expect_dead(test, file);
		fake_reset_function(fake);
		vmig_open(&fake->mig);
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	}
	fake_put(fake);
}

static void detach_in_every_state_fails_everything(struct kunit *test)
{
	char name[16];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all_states); i++) {
		struct file *file = NULL;
		struct fake *fake;

		snprintf(name, sizeof(name), "vmig-%u", i);
		fake = fake_new(test, name, &fake_ops);
		KUNIT_ASSERT_EQ(test, fake_go(fake, all_states[i], &file), 0);
		vmig_detach(&fake->mig);
		KUNIT_EXPECT_EQ(test, fake_get(fake), -ENODEV);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(fake_set(fake, E(STOP))), -ENODEV);
		KUNIT_EXPECT_EQ(test, fake_size(fake), 0UL);
		expect_dead(test, file);
		fake_put(fake);
	}
}

/* Someone holds the state lock: the reset returns at once and the holder does it. */
static void reset_is_left_to_the_holder_of_the_lock(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *job = job_new(test, fake);

	fake_stall(fake, FAKE_FREEZE);
	job->state = E(STOP_COPY);
	job_run(test, job, job_set);
	wait_for_completion(&fake->there);

	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_RESET), 0);
	KUNIT_EXPECT_GT(test, fake_size(fake), 0UL);

	fake_release(fake);
	KUNIT_ASSERT_TRUE(test, job_ends(job));
	KUNIT_EXPECT_EQ(test, job->ret, -ECANCELED);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_RESET), 1);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	KUNIT_EXPECT_FALSE(test, fake->frozen || fake->quiesced || fake->overlap);
	fake_put(fake);
}

/* Many threads may wait for one that waits for hardware: each of them can be killed. */
static void kill_ends_a_request_that_waits_for_another(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *first = job_new(test, fake), *second = job_new(test, fake);
	bool ended;

	fake_stall(fake, FAKE_FREEZE);
	first->state = E(STOP);
	job_run(test, first, job_set);
	wait_for_completion(&fake->there);
	second->state = E(RUNNING);
	job_run(test, second, job_set_killable);
	msleep(100);
	KUNIT_EXPECT_FALSE(test, completion_done(&second->done));
	send_sig(SIGKILL, second->task, 1);
	ended = job_ends(second);
	KUNIT_EXPECT_TRUE(test, ended);
	KUNIT_EXPECT_FALSE(test, completion_done(&first->done));
	fake_release(fake);
	KUNIT_ASSERT_TRUE(test, job_ends(first));
	KUNIT_ASSERT_TRUE(test, ended || job_ends(second));
	KUNIT_EXPECT_EQ(test, first->ret, 0);
	KUNIT_EXPECT_EQ(test, second->ret, -EINTR);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(STOP));
	fake_put(fake);
}

static const struct vmig_desc undone_desc = {
	.family = "kunit_fake",
	.state_version = 1,
	.state_oldest = 1,
	.state_accepts = 1,
	.match_bytes = FAKE_MATCH_BYTES,
	.max_payload = 64 << 10,
	.max_queued = FAKE_MAX_QUEUED,
	.typical_bytes = 1,
	.reach = &fake_reach,
	.undone_by_reset = true,
};

/* A hook writes to a register of a function that was reset a moment before. */
static void what_comes_after_a_reset_is_undone(struct kunit *test)
{
	static const struct {
		int hook, state;
	} late[] = { { FAKE_QUIESCE, E(RUNNING_P2P) }, { FAKE_FREEZE, E(STOP) } };
	struct vmig_ops ops = fake_ops;

	ops.reset = NULL;
	for (unsigned int i = 0; i < ARRAY_SIZE(late); i++) {
		struct fake *fake = fake_new_of(test, i ? "vmig-b" : "vmig-a", &ops,
						&undone_desc);
		struct job *job = job_new(test, fake);

		fake_stall(fake, late[i].hook);
		job->state = late[i].state;
		job_run(test, job, job_set);
		wait_for_completion(&fake->there);
		fake_reset_function(fake);
		fake->quiesced = false;
		fake_release(fake);
		KUNIT_ASSERT_TRUE(test, job_ends(job));
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
		KUNIT_EXPECT_FALSE(test, fake->frozen || fake->quiesced || fake->overlap);
		fake_put(fake);
	}
}

/* A reset by somebody else begins just when the hooks of a state change are done. */
static int match_and_reset(struct vmig_dev *mig, void *buf)
{
	fake_reset_begin(container_of(mig, struct fake, mig));
	return fake_ops.match(mig, buf);
}

/* More than fits into the queue: it waits for a reader. */
static int precopy_a_lot(struct vmig_dev *mig, struct vmig_emit *em, unsigned int round)
{
	int err = 0;

	for (unsigned int i = 0; i < 2 * FAKE_MAX_QUEUED / FAKE_STATE_BYTES + 2 && !err; i++)
		err = fake_ops.precopy(mig, em, round) ?: fake_ops.save(mig, em);
	return err;
}

/*
 * Its state change waits for the end of the reset.  Nobody can read the session yet, so no hook
 * runs for it until then, whoever wakes the worker.
 */
static void session_of_a_request_waits_for_its_end(struct kunit *test)
{
	struct vmig_ops ops = fake_ops;
	struct fake *fake;
	struct job *job;
	bool ended;

	ops.match = match_and_reset;
	ops.precopy = precopy_a_lot;
	fake = fake_new(test, "vmig-src", &ops);
	job = job_new(test, fake);
#ifdef VPV_HAVE_VFIO_PRECOPY_INFO_V2
	fake->vdev.precopy_info_v2 = 1;
#endif
	job->state = E(PRE_COPY);
	job_run(test, job, job_set);
	msleep(100);
	KUNIT_EXPECT_FALSE(test, completion_done(&job->done));
	fake_size(fake);
	msleep(100);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_PRECOPY), 0);
	fake_reset_function(fake);
	ended = job_ends(job);
	KUNIT_EXPECT_TRUE(test, ended);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	/* One that hangs is freed by one more. */
	fake_reset_function(fake);
	KUNIT_ASSERT_TRUE(test, ended || job_ends(job));
	fake_close(job->file);
	fake_put(fake);
}

/* The function is silent while it is reset, and once more. */
static int thaw_in_a_reset(struct vmig_dev *mig)
{
	struct fake *fake = container_of(mig, struct fake, mig);

	if (mig->m->resetting || vmig_resets(mig) == 1) {
		fake_reset_function(fake);
		return -ENODEV;
	}
	return fake_ops.thaw(mig);
}

/* It has not failed, and runs since the reset that came last. */
static void what_cannot_be_undone_in_a_reset_is_no_fault(struct kunit *test)
{
	struct vmig_ops ops = fake_ops;
	struct fake *fake;
	struct job *job;

	ops.thaw = thaw_in_a_reset;
	fake = fake_new_of(test, "vmig-src", &ops, &undone_desc);
	job = job_new(test, fake);
	fake_stall(fake, FAKE_FREEZE);
	job->state = E(STOP);
	job_run(test, job, job_set);
	wait_for_completion(&fake->there);
	fake_reset_begin(fake);
	fake_release(fake);
	msleep(50);
	/* Another one would end a fault. */
	if (!vmig_resets(&fake->mig))
		fake_reset_function(fake);
	KUNIT_ASSERT_TRUE(test, job_ends(job));
	KUNIT_EXPECT_EQ(test, vmig_resets(&fake->mig), 2U);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	fake_put(fake);
}

/* The hook fails in the middle of a reset that the library is told of later: it decides nothing. */
static void save_that_fails_in_a_reset_is_ended_by_it(struct kunit *test)
{
	static const int errs[] = { -EBADFD, -EIO };

	for (unsigned int i = 0; i < ARRAY_SIZE(errs); i++) {
		struct fake *fake = fake_new(test, i ? "vmig-b" : "vmig-a", &fake_ops);
		struct job *reader = reader_new(test, fake, E(STOP_COPY), job_read);

		fake->fail[FAKE_SAVE] = errs[i];
		fake_reset_begin(fake);
		fake_release(fake);
		msleep(50);
		KUNIT_EXPECT_FALSE(test, completion_done(&reader->done));
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(STOP_COPY));
		/* It would be a fault of before the reset, too. */
		fake_fault(fake);
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(STOP_COPY));
		fake_reset_function(fake);
		KUNIT_ASSERT_TRUE(test, job_ends(reader));
		KUNIT_EXPECT_EQ(test, reader->ret, -ENODEV);
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
		fake_close(reader->file);
		fake_put(fake);
	}
}

static void change_that_fails_in_a_reset_is_ended_by_it(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *job = job_new(test, fake);
	struct file *file = NULL;

	fake_stall(fake, FAKE_FREEZE);
	job->state = E(STOP);
	job_run(test, job, job_set);
	wait_for_completion(&fake->there);
	fake->fail[FAKE_FREEZE] = -EIO;
	fake_reset_begin(fake);
	fake_release(fake);
	/* Who hears of it can reset the device himself, which he cannot while it is reset. */
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&job->done));
	KUNIT_EXPECT_NE(test, fake_get(fake), (int)E(ERROR));
	fake_reset_function(fake);
	KUNIT_ASSERT_TRUE(test, job_ends(job));
	KUNIT_EXPECT_EQ(test, job->ret, -ECANCELED);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_FREEZE), 1);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	fake->fail[FAKE_FREEZE] = 0;
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP), &file), 0);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(RUNNING), &file), 0);
	fake_put(fake);
}

/* An administrator resets the function of a VM that is paused meanwhile: that waits. */
static struct job *stop_in_a_reset(struct kunit *test, struct fake *fake, int (*run)(void *))
{
	struct job *job = job_new(test, fake);

	fake_reset_begin(fake);
	job->state = E(STOP);
	job_run(test, job, run);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&job->done));
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_FREEZE), 0);
	return job;
}

static void change_that_comes_in_a_reset_follows_it(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *job = stop_in_a_reset(test, fake, job_set);

	fake_reset_function(fake);
	KUNIT_ASSERT_TRUE(test, job_ends(job));
	KUNIT_EXPECT_EQ(test, job->ret, 0);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(STOP));
	fake_put(fake);
}

static void kill_ends_a_request_that_waits_for_a_reset(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *job = stop_in_a_reset(test, fake, job_set_killable);

	send_sig(SIGKILL, job->task, 1);
	KUNIT_EXPECT_TRUE(test, job_ends(job));
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, job->ret, -EINTR);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	fake_put(fake);
}

static void load_that_fails_in_a_reset_is_ended_by_it(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;
	u8 noise[64] = { 'V' };

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(RESUMING), &file), 0);
	fake_reset_begin(fake);
	KUNIT_EXPECT_EQ(test, fake_write(file, noise, sizeof(noise)), -ENODEV);
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	expect_dead(test, file);
	fake_put(fake);
}

/* The producer holds the state lock and waits for a reader that does not come. */
static void reset_wakes_a_producer_that_waits_for_room(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	KUNIT_ASSERT_TRUE(test, soon(fake_calls, fake, FAKE_SAVE, 1));
	msleep(20);
	KUNIT_EXPECT_GT(test, fake_size(fake), 0UL);
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	expect_dead(test, file);
	KUNIT_EXPECT_TRUE(test, soon(fake_calls, fake, FAKE_RESET, 1));
	KUNIT_EXPECT_FALSE(test, fake->overlap);
	fake_put(fake);
}

static void state_change_makes_the_producer_give_way(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	KUNIT_ASSERT_TRUE(test, soon(fake_calls, fake, FAKE_SAVE, 1));
	msleep(20);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(RUNNING), &file), 0);
	KUNIT_EXPECT_FALSE(test, fake->frozen || fake->quiesced || fake->overlap);
	expect_dead(test, file);
	fake_put(fake);
}

/* A reader waits while a hook waits for hardware: it fails before the hook ends. */
static void waiting_reader_fails_with(struct kunit *test, void (*call)(struct fake *fake))
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *reader = reader_new(test, fake, E(STOP_COPY), job_read);
	struct job *closer = job_new(test, fake);

	closer->call = call;
	job_run(test, closer, job_call);
	KUNIT_EXPECT_TRUE(test, job_ends(reader));
	KUNIT_EXPECT_EQ(test, reader->ret, -ENODEV);
	fake_release(fake);
	KUNIT_ASSERT_TRUE(test, job_ends(closer));
	KUNIT_EXPECT_FALSE(test, fake->overlap);
	fake_close(reader->file);
	fake_put(fake);
}

static void close_fails_a_reader_that_waits(struct kunit *test)
{
	waiting_reader_fails_with(test, call_close);
}

static void detach_fails_a_reader_that_waits(struct kunit *test)
{
	waiting_reader_fails_with(test, call_detach);
}

static void reset_fails_a_reader_that_waits(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *reader = reader_new(test, fake, E(PRE_COPY), job_read);

	fake_reset_function(fake);
	KUNIT_EXPECT_TRUE(test, job_ends(reader));
	KUNIT_EXPECT_EQ(test, reader->ret, -ENODEV);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_RESET), 0);
	fake_release(fake);
	KUNIT_EXPECT_TRUE(test, soon(fake_calls, fake, FAKE_RESET, 1));
	fake_close(reader->file);
	fake_put(fake);
}

static void signal_ends_a_read_that_waits(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *reader = reader_new(test, fake, E(STOP_COPY), job_read_signalled);

	send_sig(SIGUSR1, reader->task, 1);
	KUNIT_EXPECT_TRUE(test, job_ends(reader));
	KUNIT_EXPECT_EQ(test, reader->ret, -ERESTARTSYS);
	fake_release(fake);
	fake_close(reader->file);
	fake_put(fake);
}

static void fault_in_every_state_is_an_error_until_reset(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all_states); i++) {
		struct file *file = NULL;

		KUNIT_ASSERT_EQ(test, fake_go(fake, all_states[i], &file), 0);
		fake_fault(fake);
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(ERROR));
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(fake_set(fake, E(RUNNING))), -EIO);
		expect_failed(test, file, -EIO);
		fake_reset_function(fake);
		KUNIT_EXPECT_TRUE(test, soon(fake_calls, fake, FAKE_RESET, i + 1));
		KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	}
	fake_put(fake);
}

static void fault_is_left_to_the_holder_of_the_lock(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *job = job_new(test, fake);

	fake_stall(fake, FAKE_FREEZE);
	job->state = E(STOP_COPY);
	job_run(test, job, job_set);
	wait_for_completion(&fake->there);

	fake_fault(fake);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(ERROR));
	fake_release(fake);
	KUNIT_ASSERT_TRUE(test, job_ends(job));
	KUNIT_EXPECT_EQ(test, job->ret, -EIO);
	KUNIT_EXPECT_NULL(test, job->file);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(ERROR));
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_SAVE), 0);
	fake_put(fake);
}

/* All are left to the same holder. */
static void the_later_one_of_reset_and_fault_decides(struct kunit *test)
{
	static const struct {
		const char *order;
		int state;
	} cases[] = {
		{ "FR", E(RUNNING) }, { "RF", E(ERROR) }, { "FRF", E(ERROR) },
		{ "RFR", E(RUNNING) }, { "FF", E(ERROR) },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake *fake = fake_new(test, cases[i].order, &fake_ops);
		struct job *job = job_new(test, fake);
		bool reset = strchr(cases[i].order, 'R');
		const char *what;

		fake_stall(fake, FAKE_FREEZE);
		job->state = E(STOP);
		job_run(test, job, job_set);
		wait_for_completion(&fake->there);
		for (what = cases[i].order; *what; what++)
			(*what == 'R' ? fake_reset_function : fake_fault)(fake);
		KUNIT_EXPECT_EQ(test, fake_get(fake), cases[i].state);
		fake_release(fake);
		KUNIT_ASSERT_TRUE(test, job_ends(job));
		KUNIT_EXPECT_EQ_MSG(test, fake_get(fake), cases[i].state, "%s",
				    cases[i].order);
		KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_RESET), (int)reset);
		fake_put(fake);
	}
}

/* It is noticed when the reset has ended it already. */
static void a_fault_of_before_a_reset_is_none(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	u32 resets = vmig_resets(&fake->mig);

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP), NULL), 0);
	fake_reset_function(fake);
	vmig_fault_of(&fake->mig, resets, "kunit");
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP), NULL), 0);
	vmig_fault_of(&fake->mig, vmig_resets(&fake->mig), "kunit");
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(ERROR));
	fake_put(fake);
}

static void fault_fails_a_reader_that_waits(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *reader = reader_new(test, fake, E(PRE_COPY), job_read);

	fake_fault(fake);
	KUNIT_EXPECT_TRUE(test, job_ends(reader));
	KUNIT_EXPECT_EQ(test, reader->ret, -EIO);
	fake_release(fake);
	fake_close(reader->file);
	fake_put(fake);
}

static void fault_of_a_closed_device_has_no_effect(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);

	vmig_close(&fake->mig);
	fake_fault(fake);
	vmig_open(&fake->mig);
	KUNIT_EXPECT_EQ(test, fake_get(fake), (int)E(RUNNING));
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(fake_set(fake, E(STOP))), 0);
	fake_put(fake);
}

/* Reader, resets, faults and state changes at once, for lockdep and KASAN to look at. */
static int storm_reset(void *data)
{
	struct job *job = data;
	int i;

	for (i = 0; i < 300; i++) {
		if (i % 4 == 3)
			fake_fault(job->fake);
		fake_reset_function(job->fake);
		usleep_range(50, 500);
	}
	complete(&job->done);
	return 0;
}

static void storm_of_resets_leaves_a_working_device(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct job *job = job_new(test, fake);
	u8 *buf = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	unsigned int i = 0;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	job_run(test, job, storm_reset);
	while (!completion_done(&job->done)) {
		struct file *file = fake_set(fake, all_states[i++ % ARRAY_SIZE(all_states)]);

		if (IS_ERR_OR_NULL(file))
			continue;
		if (file->f_mode & FMODE_READ)
			while (fake_read(file, buf, SZ_4K) > 0)
				;
		else
			fake_write(file, VPV_STREAM_MAGIC, 4);
		fake_close(file);
	}
	wait_for_completion(&job->done);
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(fake_set(fake, E(STOP))), 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(fake_set(fake, E(RUNNING))), 0);
	KUNIT_EXPECT_FALSE(test, fake->frozen || fake->quiesced || fake->overlap);
	fake_put(fake);
}

static struct kunit_case reset_cases[] = {
	KUNIT_CASE(reset_in_every_state_runs_the_device),
	KUNIT_CASE(close_in_every_state_ends_the_session),
	KUNIT_CASE(detach_in_every_state_fails_everything),
	KUNIT_CASE(reset_is_left_to_the_holder_of_the_lock),
	KUNIT_CASE(kill_ends_a_request_that_waits_for_another),
	KUNIT_CASE(what_comes_after_a_reset_is_undone),
	KUNIT_CASE(session_of_a_request_waits_for_its_end),
	KUNIT_CASE(what_cannot_be_undone_in_a_reset_is_no_fault),
	KUNIT_CASE(save_that_fails_in_a_reset_is_ended_by_it),
	KUNIT_CASE(change_that_fails_in_a_reset_is_ended_by_it),
	KUNIT_CASE(change_that_comes_in_a_reset_follows_it),
	KUNIT_CASE(kill_ends_a_request_that_waits_for_a_reset),
	KUNIT_CASE(load_that_fails_in_a_reset_is_ended_by_it),
	KUNIT_CASE(reset_wakes_a_producer_that_waits_for_room),
	KUNIT_CASE(state_change_makes_the_producer_give_way),
	KUNIT_CASE(close_fails_a_reader_that_waits),
	KUNIT_CASE(detach_fails_a_reader_that_waits),
	KUNIT_CASE(reset_fails_a_reader_that_waits),
	KUNIT_CASE(signal_ends_a_read_that_waits),
	KUNIT_CASE(fault_in_every_state_is_an_error_until_reset),
	KUNIT_CASE(fault_is_left_to_the_holder_of_the_lock),
	KUNIT_CASE(the_later_one_of_reset_and_fault_decides),
	KUNIT_CASE(a_fault_of_before_a_reset_is_none),
	KUNIT_CASE(fault_fails_a_reader_that_waits),
	KUNIT_CASE(fault_of_a_closed_device_has_no_effect),
	KUNIT_CASE(storm_of_resets_leaves_a_working_device),
	{}
};

static struct kunit_suite reset_suite = {
	.name = "migration_reset",
	.test_cases = reset_cases,
};

kunit_test_suite(reset_suite);
