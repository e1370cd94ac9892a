// SPDX-License-Identifier: GPL-2.0
/*
 * What the firmware of mlx5_like says is not believed: limits that are zero, too large, other
 * than before, or read before it is ready; functions and images that cannot be; and it does not
 * work for everybody.
 *
 * Groups: mlx5-fault
 */
#include <signal.h>
#include <sys/wait.h>

#include "lib/dmalog.h"
#include "lib/mlxlscene.h"
#include "lib/states.h"
#include "lib/test.h"

FIXTURE(mlx5_limits)
{
	struct scene s;
};

FIXTURE_SETUP(mlx5_limits)
{
	int err = scene_open(&self->s);

	if (err == TOO_FEW)
		SKIP(return, "no two functions mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(mlx5_limits)
{
	model_cmd(&self->s.p.fw, "claim clear");
	model_cmd(&self->s.p.fw, "fault clear");
	scene_close(&self->s);
}

/* Registers say nothing before READY: a queue of one slot, or a time-out of none. */
TEST_F_TIMEOUT(mlx5_limits, read_when_the_firmware_is_ready, 120)
{
	struct scene *s = &self->s;
	uint64_t before, after;

	ASSERT_EQ(0, model_value(&s->p.fw, "regs", "CMDQ_LOG2", &before));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault reset delay=200 count=1"));
	ASSERT_EQ(0, vdev_sysfs_write(s->p.ctrl.bdf, "reset", "1"));
	ASSERT_EQ(0, mlxl_pair_controlled(&s->p, true, PROMPT_MS));
	ASSERT_EQ(0, model_value(&s->p.fw, "regs", "CMDQ_LOG2", &after));
	EXPECT_EQ(before, after);
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

/* It is left alone until it tells the truth. */
TEST_F_TIMEOUT(mlx5_limits, firmware_with_nonsense_is_not_used, 400)
{
	static const struct {
		const char *name;
		unsigned long long val;
	} lies[] = {
		{ "image", 0 }, { "image", UINT64_MAX }, { "chunk", 0 }, { "unit", 512 },
		{ "segments", 0 }, { "functions", 1 }, { "functions", 0xffff }, { "serial", 1 },
		{ "page_min", 255 }, { "query_pages", 0 }, { "version", 0 }, { "oldest", 0xffff },
		{ "ranges", 0 }, { "page_max", 0 }, { "addr_bits", 65 }, { "track_pages", 0 },
		{ "pairs", 0 }, { "vectors", 0 }, { "queue_size", 7 },
	};
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim %s %llu", lies[i].name, lies[i].val));
		ASSERT_EQ(0, vdev_sysfs_write(s->p.ctrl.bdf, "reset", "1"));
		EXPECT_EQ(-ENOTCONN, scene_set(s, 0, RUNNING_P2P)) TH_LOG("%s", lies[i].name);
		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim clear"));
		ASSERT_EQ(0, mlxl_pair_controlled(&s->p, true, PROMPT_MS));
		EXPECT_EQ(0, scene_set(s, 0, RUNNING));
		/* One that is down again at once is tried after a longer pause. */
		usleep(2500000);
	}
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

TEST_F_TIMEOUT(mlx5_limits, function_that_cannot_be_is_not_saved, 120)
{
	static const struct {
		const char *name;
		unsigned long long val;
	} lies[] = {
		{ "fn_image", 0 }, { "fn_image", 4097 }, { "fn_image", 1ULL << 50 },
		{ "fn_pairs", 0 },
	};
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim %s %llu", lies[i].name, lies[i].val));
		EXPECT_EQ(-EOPNOTSUPP, scene_set(s, 0, PRE_COPY)) TH_LOG("%s", lies[i].name);
		EXPECT_EQ(-EOPNOTSUPP, scene_set(s, 0, STOP_COPY)) TH_LOG("%s", lies[i].name);
		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim clear"));
		ASSERT_EQ(0, scene_set(s, 0, RUNNING));
	}
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

/* In pre-copy one full image follows, which is wrong, too; so nothing is migrated. */
TEST_F_TIMEOUT(mlx5_limits, image_that_is_too_small_is_not_sent, 120)
{
	static const unsigned long long sizes[] = { 0, 4096, 4097, 1ULL << 40, UINT64_MAX };
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct blob b = { 0 };

		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim save %llu", sizes[i / 2]));
		EXPECT_GT(0, mig_save(&s->p.v[0], &b, i % 2)) TH_LOG("%llu", sizes[i / 2]);
		blob_free(&b);
		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim clear"));
		ASSERT_EQ(0, scene_set(s, 0, RUNNING));
	}
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

/* A bitmap that has not come, or not all of it, is no report: everything may have been written. */
TEST_F_TIMEOUT(mlx5_limits, report_that_is_another_than_the_firmware_says_counts_for_nothing, 120)
{
	uint64_t bitmap[VNET_PAGES / 64] = { 0 };
	struct scene *s = &self->s;

	NEED_DMA_LOG();
	ASSERT_EQ(0, mlxl_log_start(&s->p.v[0]));
	ASSERT_EQ(0, mlxl_log_report(&s->p.v[0], bitmap));
	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "claim track_set 4000000000"));
	ASSERT_EQ(0, mlxl_log_report(&s->p.v[0], bitmap));
	EXPECT_TRUE(mlxl_log_is_all(bitmap));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "claim clear"));
	/* One more that knows nothing of the time before. */
	ASSERT_EQ(0, mlxl_log_report(&s->p.v[0], bitmap));
	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_EQ(0, mlxl_log_report(&s->p.v[0], bitmap));
	EXPECT_EQ(0U, bitmap[VNET_PAGES / 64 - 1]);
	EXPECT_EQ(0, dma_log_stop(&s->p.v[0]));
}

/* ---- Who is not root ---- */

#define NOBODY	65534
#define READERS	20

/* Read a file of the first function, in a process of its own that ends with 0 if that works. */
static pid_t reader(struct scene *s, const char *file)
{
	char text[32];
	pid_t pid = fork();

	if (pid)
		return pid;
	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(2);
	_exit(mlxl_config_read(&s->p.ctrl, s->p.slots[0].index, file, text, sizeof(text)) != 0);
}

static pid_t enabler(struct scene *s)
{
	pid_t pid = fork();

	if (!pid)
		_exit(mlxl_config_write(&s->p.ctrl, s->p.slots[0].index, "enable", "1") !=
		      -ETIMEDOUT);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid ? status : -errno;
}

/* A command that is stuck ends those of all others. */
TEST_F_TIMEOUT(mlx5_limits, readers_send_no_commands, 120)
{
	struct scene *s = &self->s;
	uint64_t before, after, begin;
	pid_t pids[READERS];

	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault query_function hang"));
	ASSERT_EQ(0, model_fault_taken(&s->p.fw, "query_function", &before));
	begin = now_ms();
	for (unsigned int i = 0; i < READERS; i++)
		pids[i] = reader(s, "enable");
	for (unsigned int i = 0; i < READERS; i++)
		EXPECT_EQ(0, status_of(pids[i]));
	EXPECT_GT(begin + PROMPT_MS, now_ms());
	ASSERT_EQ(0, model_fault_taken(&s->p.fw, "query_function", &after));
	EXPECT_EQ(before, after);
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault clear"));
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

/* The lock is held over a command for 3 s. */
TEST_F_TIMEOUT(mlx5_limits, readers_can_be_killed, 120)
{
	struct scene *s = &self->s;
	pid_t writer, waiter;
	uint64_t begin;

	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault query_function hang"));
	writer = enabler(s);
	ASSERT_LT(0, writer);
	usleep(500000);
	waiter = reader(s, "mac");
	ASSERT_LT(0, waiter);
	usleep(300000);
	begin = now_ms();
	ASSERT_EQ(0, kill(waiter, SIGKILL));
	EXPECT_TRUE(WIFSIGNALED(status_of(waiter)));
	EXPECT_GT(begin + 1000, now_ms());
	EXPECT_EQ(0, status_of(writer));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault clear"));
	EXPECT_EQ(0, mlxl_pair_migrate(&s->p, true));
}

TEST_HARNESS_MAIN
