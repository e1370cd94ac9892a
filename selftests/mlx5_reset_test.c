// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like functions are reset in every state of a migration and while commands are
 * in work: from then on they run, and firmware and driver agree on that.
 *
 * Groups: mlx5-fault
 */
#include "lib/mlxlscene.h"
#include "lib/states.h"
#include "lib/test.h"

/* ---- A controlled function is reset ---- */

FIXTURE(mlx5_reset)
{
	struct scene s;
};

FIXTURE_VARIANT(mlx5_reset)
{
	bool flr;
};

FIXTURE_VARIANT_ADD(mlx5_reset, ioctl) { .flr = false };
FIXTURE_VARIANT_ADD(mlx5_reset, config_space) { .flr = true };

FIXTURE_SETUP(mlx5_reset)
{
	int err = scene_open(&self->s);

	if (err == TOO_FEW)
		SKIP(return, "no two functions mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(mlx5_reset)
{
	scene_close(&self->s);
}

static int reset(struct scene *s, unsigned int fn, bool flr)
{
	struct vdev *v = &s->p.v[fn];
	unsigned int cap;

	if (!flr)
		return vdev_reset(v);
	cap = vdev_find_cap(v, PCI_CAP_ID_EXP);
	return cap ? vdev_cfg_set(v, cap + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR) : -ENOENT;
}

/* From the reset on the function runs; firmware and driver are of one mind. */
#define DO_RESET(fn) do {								\
	uint64_t _begin = now_ms();						\
										\
	ASSERT_EQ(0, reset(s, fn, variant->flr));				\
	EXPECT_GT((uint64_t)PROMPT_MS, now_ms() - _begin);			\
	EXPECT_EQ(RUNNING, mig_get(&s->p.v[fn]));				\
} while (0)

static int wait_runs(struct scene *s, unsigned int fn)
{
	uint64_t end = now_ms() + PROMPT_MS;
	unsigned int flags;
	int err;

	do {
		err = mlxl_pair_flags(&s->p, fn, &flags);
		if (!err && !(flags & MLXL_FN_SUSPENDED))
			return mig_get(&s->p.v[fn]) == RUNNING ? 0 : -EBUSY;
		usleep(20000);
	} while (!err && now_ms() < end);
	return err ? err : -ETIMEDOUT;
}

#define GOES_ON(fn) do {							\
	scene_fd_close(s);								\
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault clear"));			\
	EXPECT_EQ(0, wait_runs(s, fn));						\
	ASSERT_EQ(0, vnet_start(&s->p.net, &s->p.v[0]));			\
	EXPECT_EQ(0, mlxl_pair_echo(&s->p, 0));					\
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));				\
	ASSERT_EQ(0, mlxl_pair_reset(&s->p));					\
} while (0)

TEST_F_TIMEOUT(mlx5_reset, in_each_state, 240)
{
	static const unsigned int states[] = {
		RUNNING, RUNNING_P2P, STOP, PRE_COPY, PRE_COPY_P2P, STOP_COPY,
	};
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		ASSERT_EQ(0, scene_set(s, 0, states[i]));
		if (s->fd >= 0)
			ASSERT_EQ(0, scene_read_some(s));
		DO_RESET(0);
		/* The firmware may say so before the library is told. */
		if (s->fd >= 0) {
			int err = scene_read_all(s);

			EXPECT_TRUE(err == -ENODEV || err == -EBADFD) TH_LOG("%d", err);
		}
		GOES_ON(0);
	}
	ASSERT_EQ(0, scene_set(s, 1, RESUMING));
	ASSERT_EQ(0, scene_load_half(s));
	DO_RESET(1);
	EXPECT_EQ(-ENODEV, scene_load_rest(s));
	GOES_ON(1);
}

TEST_F_TIMEOUT(mlx5_reset, while_saving, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, STOP));
	ASSERT_EQ(0, scene_call(s, scene_save, "save_chunk"));
	DO_RESET(0);
	EXPECT_EQ(-ENODEV, scene_join(s));
	GOES_ON(0);
}

TEST_F_TIMEOUT(mlx5_reset, while_pre_copying, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_call(s, scene_precopy, "save_chunk"));
	DO_RESET(0);
	EXPECT_EQ(-ENODEV, scene_join(s));
	GOES_ON(0);
}

/* Like blob_pull(), but only the first bytes. */
static int read_some(struct blob *b, int fd)
{
	uint8_t buf[65536];
	ssize_t n = read(fd, buf, sizeof(buf));

	return n > 0 ? blob_append(b, buf, n) : -errno;
}

/* Until the driver has asked the firmware. */
static int wait_reinit(int fd, struct vfio_precopy_info *info)
{
	uint64_t end = now_ms() + PROMPT_MS;
	int err;

	do {
		err = mig_precopy_info(fd, info);
		if (err || info->flags & VFIO_PRECOPY_INFO_REINIT)
			return err;
		usleep(10000);
	} while (now_ms() < end);
	return -ETIMEDOUT;
}

/*
 * A guest that reboots, or loads its driver again, does not end the migration of a VMM
 * that can be told: the session goes on, and a full image follows what is worthless.
 */
TEST_F_TIMEOUT(mlx5_reset, in_pre_copy_goes_on, 240)
{
	struct scene *s = &self->s;
	int err = vdev_feature(&s->p.v[0], VFIO_DEVICE_FEATURE_SET |
					   VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, NULL, 0);

	if (err == -ENOTTY)
		SKIP(return, "this kernel has no second version of PRECOPY_INFO");
	ASSERT_EQ(0, err);
	/* In the middle of the first image, and after it. */
	for (unsigned int all = 0; all < 2; all++) {
		struct vfio_precopy_info info = {};
		struct blob b = {};
		uint64_t initial;
		size_t before;

		ASSERT_EQ(0, scene_set(s, 0, PRE_COPY));
		ASSERT_EQ(0, mig_precopy_info(s->fd, &info));
		initial = info.initial_bytes;
		ASSERT_EQ(all ? -ENOMSG : 0, all ? blob_pull(&b, s->fd, 0) : read_some(&b, s->fd));
		ASSERT_EQ(0, reset(s, 0, variant->flr));
		EXPECT_EQ(PRE_COPY, mig_get(&s->p.v[0]));
		before = b.bytes;
		ASSERT_EQ(0, vnet_start(&s->p.net, &s->p.v[0]));
		ASSERT_EQ(0, wait_reinit(s->fd, &info));
		EXPECT_LT(0U, info.initial_bytes);
		EXPECT_EQ(0U, info.dirty_bytes);

		ASSERT_EQ(-ENOMSG, blob_pull(&b, s->fd, 0));
		/* All of it again. */
		EXPECT_LT(initial / 2, b.bytes - before);
		ASSERT_EQ(0, mig_precopy_info(s->fd, &info));
		EXPECT_EQ(0U, info.flags);
		EXPECT_EQ(0U, info.initial_bytes);
		ASSERT_EQ(0, mlxl_pair_echo(&s->p, 0));
		ASSERT_EQ(0, scene_set(s, 0, STOP_COPY));
		ASSERT_EQ(0, blob_pull(&b, s->fd, 0));
		scene_fd_close(s);

		ASSERT_EQ(0, vdev_bus_master(&s->p.v[1], true));
		ASSERT_EQ(0, mig_load(&s->p.v[1], &b, RUNNING));
		EXPECT_EQ(0, mlxl_pair_echo(&s->p, 1));
		blob_free(&b);
		ASSERT_EQ(0, mlxl_pair_reset(&s->p));
	}
}

/* Who resets a device whose state change failed wants it to run. */
TEST_F_TIMEOUT(mlx5_reset, after_a_failed_change_runs, 120)
{
	struct scene *s = &self->s;
	int err = vdev_feature(&s->p.v[0], VFIO_DEVICE_FEATURE_SET |
					   VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, NULL, 0);

	if (err == -ENOTTY)
		SKIP(return, "this kernel has no second version of PRECOPY_INFO");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, scene_set(s, 0, PRE_COPY));
	ASSERT_NE(0, scene_set(s, 0, RESUMING + 100));
	DO_RESET(0);
	err = scene_read_all(s);
	EXPECT_TRUE(err == -ENODEV || err == -EBADFD) TH_LOG("%d", err);
	GOES_ON(0);
}

TEST_F_TIMEOUT(mlx5_reset, while_loading, 120)
{
	static const char *const slow[] = {
		"load_begin", "load_chunk", "load_end",
	};
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		ASSERT_EQ(0, scene_set(s, 1, RESUMING));
		ASSERT_EQ(0, scene_call(s, scene_load_all, slow[i]));
		DO_RESET(1);
		EXPECT_NE(0, scene_join(s)) TH_LOG("%s", slow[i]);
		GOES_ON(1);
	}
}

/*
 * The reset waits for the command, which otherwise would stop a function that is said to
 * run.  The change of state may end before the reset.
 */
TEST_F_TIMEOUT(mlx5_reset, while_suspending, 120)
{
	static const char *const slow[] = {
		"suspend_initiator", "suspend_responder",
	};
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		ASSERT_EQ(0, scene_call(s, scene_to_stop, slow[i]));
		DO_RESET(0);
		scene_join(s);
		EXPECT_EQ(RUNNING, mig_get(&s->p.v[0])) TH_LOG("%s", slow[i]);
		GOES_ON(0);
	}
}

/* ---- The controlling function is reset at the same time ---- */

/*
 * The function is reset while a command that suspends it is in work, and the controlling
 * function when it is told to run again: nobody else will ever tell it.
 */
TEST_F_TIMEOUT(mlx5_reset, while_suspending_and_then_nobody_listens, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_call(s, scene_to_p2p, "suspend_initiator"));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault resume_responder hang"));
	DO_RESET(0);
	scene_join(s);
	usleep(100000);
	ASSERT_EQ(0, vdev_sysfs_write(s->p.ctrl.bdf, "reset", "1"));
	ASSERT_EQ(0, mlxl_pair_controlled(&s->p, true, PROMPT_MS));
	GOES_ON(0);
}

struct both {
	struct scene *s;
	unsigned int after_ms;
	int err;
};

static void *ctrl_reset_thread(void *arg)
{
	struct both *b = arg;

	usleep(b->after_ms * 1000);
	b->err = vdev_sysfs_write(b->s->p.ctrl.bdf, "reset", "1");
	return NULL;
}

/* Function and controlling function, in either order, while an image is taken. */
TEST_F_TIMEOUT(mlx5_reset, with_the_controlling_function, 240)
{
	static const struct {
		unsigned int fn_ms, ctrl_ms;
	} order[] = { { 0, 0 }, { 0, 30 }, { 0, 90 }, { 30, 0 }, { 90, 0 } };
	static int (*const calls[])(struct scene *s) = { scene_save, scene_precopy };
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < 2 * sizeof(order) / sizeof(order[0]); i++) {
		struct both b = { .s = s, .after_ms = order[i / 2].ctrl_ms };
		pthread_t thread;

		ASSERT_EQ(0, scene_call(s, calls[i % 2], "save_chunk"));
		ASSERT_EQ(0, pthread_create(&thread, NULL, ctrl_reset_thread, &b));
		usleep(order[i / 2].fn_ms * 1000);
		DO_RESET(0);
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(0, b.err);
		EXPECT_NE(0, scene_join(s));
		ASSERT_EQ(0, mlxl_pair_controlled(&s->p, true, PROMPT_MS));
		GOES_ON(0);
	}
}

TEST_F_TIMEOUT(mlx5_reset, while_resuming, 120)
{
	static const char *const slow[] = {
		"resume_responder", "resume_initiator",
	};
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		ASSERT_EQ(0, scene_set(s, 0, STOP));
		ASSERT_EQ(0, scene_call(s, scene_to_running, slow[i]));
		DO_RESET(0);
		scene_join(s);
		GOES_ON(0);
	}
}

/* ---- The firmware loses the suspension of a function ---- */

static int wait_state(struct scene *s, unsigned int fn, unsigned int state)
{
	uint64_t end = now_ms() + PROMPT_MS;

	while (mig_get(&s->p.v[fn]) != (int)state) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(20000);
	}
	return 0;
}

/* Whoever relies on it hears of it, and a reset makes the function usable again. */
TEST_F_TIMEOUT(mlx5_reset, lost_suspension_is_an_error, 180)
{
	static const unsigned int states[] = { RUNNING_P2P, PRE_COPY_P2P, STOP, STOP_COPY };
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		ASSERT_EQ(0, scene_set(s, 0, states[i]));
		ASSERT_EQ(0, model_cmd(&s->p.fn[0], "wake"));
		EXPECT_EQ(0, wait_state(s, 0, ERROR)) TH_LOG("in state %u", states[i]);
		EXPECT_EQ(-EIO, scene_set(s, 0, RUNNING));
		scene_fd_close(s);
		DO_RESET(0);
	}
	/* Nobody relies on it. */
	ASSERT_EQ(0, model_cmd(&s->p.fn[0], "wake"));
	sleep(4);
	EXPECT_EQ(RUNNING, mig_get(&s->p.v[0]));
	EXPECT_EQ(0, wait_runs(s, 0));
}

/* At once, before anybody has looked after it: what runs now is not what was suspended. */
TEST_F_TIMEOUT(mlx5_reset, lost_suspension_is_not_resumed, 180)
{
	static const unsigned int states[] = { RUNNING_P2P, STOP, STOP_COPY };
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		ASSERT_EQ(0, scene_set(s, 0, states[i]));
		ASSERT_EQ(0, model_cmd(&s->p.fn[0], "wake"));
		EXPECT_EQ(-EIO, scene_set(s, 0, RUNNING)) TH_LOG("in state %u", states[i]);
		EXPECT_EQ(ERROR, mig_get(&s->p.v[0]));
		scene_fd_close(s);
		DO_RESET(0);
	}
	/* Nor a change that fails for that: the way back of a source that cannot be stopped. */
	ASSERT_EQ(0, scene_set(s, 0, RUNNING_P2P));
	ASSERT_EQ(0, model_cmd(&s->p.fn[0], "wake"));
	EXPECT_NE(0, scene_set(s, 0, STOP));
	EXPECT_EQ(-EIO, scene_set(s, 0, RUNNING));
	EXPECT_EQ(ERROR, mig_get(&s->p.v[0]));
	DO_RESET(0);
	/* Nor a destination that has taken all of a stream. */
	ASSERT_EQ(0, scene_set(s, 1, RESUMING));
	ASSERT_EQ(0, scene_load_all(s));
	ASSERT_EQ(0, scene_set(s, 1, STOP));
	ASSERT_EQ(0, model_cmd(&s->p.fn[1], "wake"));
	EXPECT_EQ(-EIO, scene_set(s, 1, RUNNING));
	EXPECT_EQ(ERROR, mig_get(&s->p.v[1]));
	DO_RESET(1);
	GOES_ON(1);
}

/* Who was told of it does not forget it when there is no answer. */
TEST_F_TIMEOUT(mlx5_reset, lost_suspension_is_found_when_the_firmware_answers, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, STOP));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault query_function fail"));
	ASSERT_EQ(0, model_cmd(&s->p.fn[0], "wake"));
	sleep(4);
	EXPECT_EQ(STOP, mig_get(&s->p.v[0]));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault clear"));
	EXPECT_EQ(0, wait_state(s, 0, ERROR));
	DO_RESET(0);
}

static int power_loss(struct scene *s)
{
	int err = vdev_sysfs_write(s->p.ctrl.bdf, "remove", "1");

	err = err ? err : model_cmd(&s->p.fw, "reset");
	err = err ? err : sysfs_write("/sys/bus/pci/rescan", "1");
	return err ? err : mlxl_control(&s->p.ctrl);
}

/* It is enabled again, but has nothing of what it was: a guest must not go on with that. */
TEST_F_TIMEOUT(mlx5_reset, function_that_is_enabled_after_a_power_loss_is_an_error, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, STOP));
	ASSERT_EQ(0, power_loss(s));
	/* Whoever looks now finds nobody to ask. */
	sleep(4);
	EXPECT_EQ(STOP, mig_get(&s->p.v[0]));
	ASSERT_EQ(2, mlxl_functions(s->p.slots, 2));
	EXPECT_EQ(0, wait_state(s, 0, ERROR));
	EXPECT_EQ(-EIO, scene_set(s, 0, RUNNING));
	ASSERT_EQ(0, vdev_reset(&s->p.v[0]));
	ASSERT_EQ(0, mlxl_pair_reset(&s->p));
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

/* The same before anybody has looked after it. */
TEST_F_TIMEOUT(mlx5_reset, function_is_not_resumed_after_a_power_loss, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, STOP));
	ASSERT_EQ(0, power_loss(s));
	ASSERT_EQ(2, mlxl_functions(s->p.slots, 2));
	EXPECT_EQ(-EIO, scene_set(s, 0, RUNNING));
	EXPECT_EQ(ERROR, mig_get(&s->p.v[0]));
	ASSERT_EQ(0, vdev_reset(&s->p.v[0]));
	ASSERT_EQ(0, mlxl_pair_reset(&s->p));
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

TEST_HARNESS_MAIN
