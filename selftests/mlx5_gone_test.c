// SPDX-License-Identifier: GPL-2.0
/*
 * The controlling function of mlx5_like goes away and comes back, in every state of a
 * migration and while commands are in work.  Calls end in time, with the errors of
 * Documentation/mlx5_like.rst; functions go on or are in ERROR; afterwards a whole
 * migration works.
 *
 * Groups: mlx5-fault
 */
#include "lib/dmalog.h"
#include "lib/gone.h"
#include "lib/mlxlscene.h"
#include "lib/states.h"
#include "lib/test.h"

/* ---- The controlling function goes away ---- */

FIXTURE(mlx5_gone)
{
	struct scene s;
};

VARIANTS_OF_WAYS(mlx5_gone);

FIXTURE_SETUP(mlx5_gone)
{
	int err = scene_open(&self->s);

	if (err == TOO_FEW)
		SKIP(return, "no two functions mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
}

/* Memory that stays for good when it is taken away is counted until the driver is bound anew. */
static int bind_anew(const struct mlxl_pair *p)
{
	int err = 0;

	for (unsigned int i = 0; i < 2; i++) {
		err = err ? err : vdev_unbind(p->slots[i].bdf);
		err = err ? err : vdev_bind(p->slots[i].bdf, MLXL_DRIVER);
	}
	return err;
}

FIXTURE_TEARDOWN(mlx5_gone)
{
	scene_close(&self->s);
	if (variant->way == VANISH)
		EXPECT_EQ(0, bind_anew(&self->s.p));
}

static int go_away(struct scene *s, enum way way)
{
	int err = gone_away(&s->p.ctrl, &s->p.fw, way);

	return err || way != SILENCE ? err : mlxl_pair_controlled(&s->p, false, PROMPT_MS);
}

static int come_back(struct scene *s, enum way way)
{
	int err = gone_back(&s->p.fw, way);

	if (!err && (way == UNBIND || way == REMOVE || way == VANISH))
		err = mlxl_control(&s->p.ctrl);
	return err ? err : mlxl_pair_controlled(&s->p, true, PROMPT_MS);
}

#define GO_AWAY() do {								\
	uint64_t _begin = now_ms();						\
										\
	ASSERT_EQ(0, go_away(s, variant->way));					\
	EXPECT_GT((uint64_t)PROMPT_MS, now_ms() - _begin);			\
} while (0)

/* What needs a command fails meanwhile; after a reset nobody sees a meanwhile. */
#define EXPECT_AWAY(err, what) do {						\
	int _err = (what);							\
										\
	if (variant->way != RESET)						\
		EXPECT_EQ(err, _err);						\
} while (0)

/* It is back: the source runs, after a reset only if @state is ERROR. */
#define COME_BACK(fn, state) do {						\
	scene_fd_close(s);								\
	EXPECT_EQ(state, mig_get(&s->p.v[fn]));					\
	ASSERT_EQ(0, come_back(s, variant->way));				\
	if ((state) == ERROR) {							\
		ASSERT_EQ(0, vdev_reset(&s->p.v[fn]));				\
		ASSERT_EQ(0, vnet_start(&s->p.net, &s->p.v[0]));		\
	}									\
	EXPECT_EQ(0, mig_set(&s->p.v[fn], RUNNING, NULL));			\
	EXPECT_EQ(0, mlxl_pair_echo(&s->p, 0));					\
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));				\
	ASSERT_EQ(0, mlxl_pair_reset(&s->p));					\
} while (0)

TEST_F_TIMEOUT(mlx5_gone, running, 120)
{
	struct scene *s = &self->s;

	GO_AWAY();
	EXPECT_EQ(0, mlxl_pair_echo(&s->p, 0));
	EXPECT_AWAY(-ENOTCONN, scene_set(s, 0, RUNNING_P2P));
	EXPECT_AWAY(-ENOTCONN, scene_set(s, 0, PRE_COPY));
	EXPECT_AWAY(-ENOTCONN, scene_set(s, 0, STOP_COPY));
	ASSERT_EQ(0, variant->way == RESET ? scene_set(s, 0, RUNNING) : 0);
	COME_BACK(0, RUNNING);
}

TEST_F_TIMEOUT(mlx5_gone, running_p2p, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, RUNNING_P2P));
	GO_AWAY();
	EXPECT_AWAY(-ENOTCONN, variant->way == RESET ? 0 : scene_set(s, 0, RUNNING));
	COME_BACK(0, RUNNING_P2P);
}

TEST_F_TIMEOUT(mlx5_gone, stop, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, STOP));
	GO_AWAY();
	EXPECT_AWAY(-ENOTCONN, variant->way == RESET ? 0 : scene_set(s, 0, RUNNING));
	COME_BACK(0, STOP);
}

/* The destination is told to wait for one full image. */
TEST_F_TIMEOUT(mlx5_gone, pre_copy, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, PRE_COPY));
	ASSERT_EQ(0, scene_read_some(s));
	GO_AWAY();
	EXPECT_EQ(-ENOMSG, scene_read_all(s));
	EXPECT_EQ(0, mlxl_pair_echo(&s->p, 0));
	EXPECT_AWAY(-ENOTCONN, variant->way == RESET ? 0 : scene_set(s, 0, STOP_COPY));
	EXPECT_EQ(PRE_COPY, mig_get(&s->p.v[0]));
	EXPECT_EQ(0, scene_set(s, 0, RUNNING));
	COME_BACK(0, RUNNING);
}

TEST_F_TIMEOUT(mlx5_gone, pre_copy_p2p, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, PRE_COPY_P2P));
	ASSERT_EQ(0, scene_read_some(s));
	GO_AWAY();
	EXPECT_EQ(-ENOMSG, scene_read_all(s));
	EXPECT_AWAY(-ENOTCONN, variant->way == RESET ? 0 : scene_set(s, 0, STOP_COPY));
	COME_BACK(0, PRE_COPY_P2P);
}

/* Pre-copy survives it: what is sent at the end is enough for the destination. */
TEST_F_TIMEOUT(mlx5_gone, pre_copy_goes_on_when_it_is_back, 120)
{
	struct blob b = { 0 };
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, PRE_COPY));
	ASSERT_EQ(-ENOMSG, blob_pull(&b, s->fd, 0));
	GO_AWAY();
	ASSERT_EQ(0, come_back(s, variant->way));
	ASSERT_EQ(0, scene_set(s, 0, STOP_COPY));
	ASSERT_EQ(0, blob_pull(&b, s->fd, 0));
	ASSERT_EQ(0, vdev_bus_master(&s->p.v[1], true));
	EXPECT_EQ(0, mig_load(&s->p.v[1], &b, RUNNING));
	EXPECT_EQ(0, mlxl_pair_echo(&s->p, 1));
	blob_free(&b);
	COME_BACK(0, STOP_COPY);
}

TEST_F_TIMEOUT(mlx5_gone, stop_copy, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, STOP_COPY));
	ASSERT_EQ(0, scene_read_some(s));
	GO_AWAY();
	EXPECT_EQ(-ENOTCONN, scene_read_all(s));
	EXPECT_EQ(STOP_COPY, mig_get(&s->p.v[0]));
	EXPECT_EQ(0, scene_set(s, 0, STOP));
	EXPECT_AWAY(-ENOTCONN, variant->way == RESET ? 0 : scene_set(s, 0, RUNNING));
	COME_BACK(0, STOP);
}

TEST_F_TIMEOUT(mlx5_gone, resuming, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 1, RESUMING));
	ASSERT_EQ(0, scene_load_half(s));
	GO_AWAY();
	EXPECT_EQ(-ENOTCONN, scene_load_rest(s));
	EXPECT_EQ(-ENOTCONN, scene_set(s, 1, STOP));
	COME_BACK(1, ERROR);
}

TEST_F_TIMEOUT(mlx5_gone, logging, 120)
{
	uint64_t bitmap[VNET_PAGES / 64] = { 0 };
	struct scene *s = &self->s;
	unsigned int page;

	NEED_DMA_LOG();
	ASSERT_EQ(0, mlxl_log_start(&s->p.v[0]));
	GO_AWAY();
	ASSERT_EQ(0, mlxl_pair_echo(&s->p, 0));
	ASSERT_EQ(0, mlxl_log_report(&s->p.v[0], bitmap));
	EXPECT_TRUE(mlxl_log_is_all(bitmap));
	ASSERT_EQ(0, come_back(s, variant->way));
	/* One more that knows nothing of the time before. */
	ASSERT_EQ(0, mlxl_log_report(&s->p.v[0], bitmap));
	memset(bitmap, 0, sizeof(bitmap));
	page = mlxl_pair_page(&s->p);
	ASSERT_EQ(0, mlxl_pair_echo(&s->p, 0));
	ASSERT_EQ(0, mlxl_log_report(&s->p.v[0], bitmap));
	EXPECT_TRUE(bitmap[page / 64] >> (page % 64) & 1);
	EXPECT_EQ(0U, bitmap[VNET_PAGES / 64 - 1]);
	EXPECT_EQ(0, dma_log_stop(&s->p.v[0]));
	COME_BACK(0, RUNNING);
}

/* Closing a function gives back what it has, whether anybody listens or not. */
TEST_F_TIMEOUT(mlx5_gone, close, 120)
{
	struct scene *s = &self->s;

	if (!access("/dev/iommu", F_OK))
		ASSERT_EQ(0, mlxl_log_start(&s->p.v[0]));
	ASSERT_EQ(0, scene_set(s, 0, STOP_COPY));
	ASSERT_EQ(0, scene_read_some(s));
	GO_AWAY();
	mlxl_pair_close_fn(&s->p, 0);
	scene_fd_close(s);
	ASSERT_EQ(0, mlxl_pair_open_fn(&s->p, 0));
	EXPECT_EQ(0, mlxl_pair_echo(&s->p, 0));
	COME_BACK(0, RUNNING);
}

/* ---- While a command is in work ---- */

TEST_F_TIMEOUT(mlx5_gone, while_saving, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, STOP));
	ASSERT_EQ(0, scene_call(s, scene_save, "save_chunk"));
	GO_AWAY();
	EXPECT_EQ(-ENOTCONN, scene_join(s));
	COME_BACK(0, STOP_COPY);
}

TEST_F_TIMEOUT(mlx5_gone, while_pre_copying, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_call(s, scene_precopy, "save_chunk"));
	GO_AWAY();
	EXPECT_EQ(-ENOMSG, scene_join(s));
	COME_BACK(0, PRE_COPY);
}

TEST_F_TIMEOUT(mlx5_gone, while_loading, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 1, RESUMING));
	ASSERT_EQ(0, scene_call(s, scene_load_all, "load_chunk"));
	GO_AWAY();
	EXPECT_EQ(-ENOTCONN, scene_join(s));
	EXPECT_EQ(-ENOTCONN, scene_set(s, 1, STOP));
	COME_BACK(1, ERROR);
}

/* Nobody knows whether it is suspended. */
TEST_F_TIMEOUT(mlx5_gone, while_suspending, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_call(s, scene_to_p2p, "suspend_initiator"));
	GO_AWAY();
	EXPECT_EQ(-EIO, scene_join(s));
	COME_BACK(0, ERROR);
}

TEST_F_TIMEOUT(mlx5_gone, while_resuming, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, scene_set(s, 0, STOP));
	ASSERT_EQ(0, scene_call(s, scene_to_running, "resume_initiator"));
	GO_AWAY();
	EXPECT_EQ(-EIO, scene_join(s));
	COME_BACK(0, ERROR);
}

TEST_F_TIMEOUT(mlx5_gone, while_asked, 120)
{
	static const char *const slow[] = {
		"query_function", "save_begin", "save_end",
	};
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		int err;

		ASSERT_EQ(0, scene_set(s, 0, STOP));
		ASSERT_EQ(0, scene_call(s, scene_save, slow[i]));
		GO_AWAY();
		/* All of the image was read before its end was told to the firmware. */
		err = scene_join(s);
		EXPECT_EQ(i < 2 ? -ENOTCONN : 0, err) TH_LOG("%s", slow[i]);
		COME_BACK(0, i ? STOP_COPY : STOP);
	}
}

/* ---- Firmware that misbehaves as a whole ---- */

FIXTURE(mlx5_firmware)
{
	struct scene s;
};

FIXTURE_SETUP(mlx5_firmware)
{
	int err = scene_open(&self->s);

	if (err == TOO_FEW)
		SKIP(return, "no two functions mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(mlx5_firmware)
{
	scene_close(&self->s);
}

/* It is reset, with longer and longer pauses, and not for ever. */
TEST_F_TIMEOUT(mlx5_firmware, that_always_dies_is_not_reset_all_the_time, 120)
{
	struct scene *s = &self->s;
	uint64_t before, after;

	ASSERT_EQ(0, model_fault_taken(&s->p.fw, "fatal", &before));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault fatal fail"));
	EXPECT_NE(0, scene_set(s, 0, RUNNING_P2P));
	usleep(4000000);
	ASSERT_EQ(0, model_fault_taken(&s->p.fw, "fatal", &after));
	EXPECT_LE(before + 2, after);
	EXPECT_GE(before + 8, after) TH_LOG("it died %llu times in 4 s",
					    (unsigned long long)(after - before));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault clear"));
	ASSERT_EQ(0, mlxl_pair_controlled(&s->p, true, PROMPT_MS));
	ASSERT_EQ(0, mlxl_pair_reset(&s->p));
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

/* Whoever has reset it does not try again. */
TEST_F_TIMEOUT(mlx5_firmware, that_gets_ready_late_comes_back, 120)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault reset hang count=1"));
	ASSERT_EQ(0, vdev_sysfs_write(s->p.ctrl.bdf, "reset", "1"));
	EXPECT_EQ(-ENOTCONN, scene_set(s, 0, RUNNING_P2P));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault clear"));
	ASSERT_EQ(0, mlxl_pair_controlled(&s->p, true, PROMPT_MS));
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

/* Longer than it takes to reset the function meanwhile. */
#define LATE_MS	4000

/* Nobody knows that the function stands still: its driver has to have it run. */
TEST_F_TIMEOUT(mlx5_firmware, that_suspends_a_function_after_its_reset, 120)
{
	struct scene *s = &self->s;
	unsigned int flags = 0;
	uint64_t end;

	ASSERT_EQ(0, scene_call_slow(s, scene_to_p2p, "suspend_initiator", LATE_MS));
	ASSERT_EQ(0, go_away(s, SILENCE));
	EXPECT_EQ(-EIO, scene_join(s));
	ASSERT_EQ(0, vdev_reset(&s->p.v[0]));
	ASSERT_EQ(0, mlxl_pair_flags(&s->p, 0, &flags));
	ASSERT_EQ(0U, flags & MLXL_FN_SUSPENDED);
	usleep((LATE_MS + 500) * 1000);
	ASSERT_EQ(0, mlxl_pair_flags(&s->p, 0, &flags));
	ASSERT_NE(0U, flags & MLXL_FN_SUSPENDED);

	EXPECT_EQ(RUNNING, mig_get(&s->p.v[0]));
	ASSERT_EQ(0, come_back(s, SILENCE));
	end = now_ms() + PROMPT_MS;
	do {
		usleep(20000);
		ASSERT_EQ(0, mlxl_pair_flags(&s->p, 0, &flags));
	} while (flags & MLXL_FN_SUSPENDED && now_ms() < end);
	EXPECT_EQ(0U, flags & MLXL_FN_SUSPENDED);
	ASSERT_EQ(0, mlxl_pair_reset(&s->p));
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

static int load(struct scene *s)
{
	int err = scene_set(s, 1, RESUMING);

	return err ? err : scene_load_all(s);
}

/* What one function waits for in vain is not the end of what another one does. */
TEST_F_TIMEOUT(mlx5_firmware, that_is_stuck_for_one_function_works_for_another, 120)
{
	struct scene *s = &self->s;

	/* Its chunks are in work when the other command has run out of time. */
	ASSERT_EQ(0, scene_call(s, load, "load_chunk"));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault suspend_initiator hang count=1"));
	EXPECT_EQ(-ETIMEDOUT, mig_set(&s->p.v[0], RUNNING_P2P, NULL));
	EXPECT_EQ(0, scene_join(s));
	EXPECT_EQ(0, scene_set(s, 1, RUNNING));
	ASSERT_EQ(0, vdev_bus_master(&s->p.v[1], true));
	EXPECT_EQ(0, mlxl_pair_echo(&s->p, 1));
}

TEST_HARNESS_MAIN
