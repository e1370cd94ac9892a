// SPDX-License-Identifier: GPL-2.0
/*
 * The managing controller of nvme_cf when it fails, hangs or goes away.
 *
 * Groups: nvme-ctrl
 */
#include "lib/race.h"
#include "lib/test.h"
#include "lib/nvmectrl_test.h"

/* ---- The device fails ---- */

TEST_F(nvme_ctrl, a_command_fails)
{
	ASSERT_EQ(0, model_cmd(&self->m, "fault identify fail count=1"));
	EXPECT_EQ(NVS_SC_INTERNAL, ctrl_identify(self->fd));
	ASSERT_EQ(0, model_cmd(&self->m, "fault data_out fail count=1"));
	EXPECT_EQ(NVS_SC_DATA_TRANSFER, ctrl_identify(self->fd));
	EXPECT_EQ(0, ctrl_identify(self->fd));
}

TEST_F(nvme_ctrl, a_slow_command_is_waited_for)
{
	struct nvme_passthru_cmd cmd = ctrl_command(NVS_ADMIN_IDENTIFY, NVS_CNS_CONTROLLER, 0,
						    NVS_IDENTIFY_BYTES);

	ASSERT_EQ(0, model_cmd(&self->m, "fault identify delay=400 count=1"));
	EXPECT_EQ(0, ctrl_identify(self->fd));
	/* Unless its sender says that it does not want to. */
	ASSERT_EQ(0, model_cmd(&self->m, "fault identify delay=30000 count=1"));
	cmd.timeout_ms = 100;
	EXPECT_EQ(-ETIMEDOUT, ctrl_admin(self->fd, &cmd));
	EXPECT_EQ(0, ctrl_identify(self->fd));
}

TEST_F(nvme_ctrl, a_stuck_command_is_aborted)
{
	uint64_t begin = now_ms();

	ASSERT_EQ(0, model_cmd(&self->m, "fault identify hang count=1"));
	EXPECT_EQ(-ETIMEDOUT, ctrl_identify(self->fd));
	EXPECT_GT(begin + CTRL_PROMPT_MS, now_ms());
	EXPECT_EQ(0, ctrl_identify(self->fd));
	/* That was no reset. */
	EXPECT_EQ(0, log_count(self->log, " as function ", NULL, 0));
}

/* An Abort names an id, which is not used again before it has ended. */
TEST_F(nvme_ctrl, a_late_abort_hits_no_other_command)
{
	struct nvme_passthru_cmd cmd = ctrl_command(NVS_ADMIN_IDENTIFY, NVS_CNS_CONTROLLER, 0,
						    NVS_IDENTIFY_BYTES);
	uint64_t before, after;

	ASSERT_EQ(0, model_fault_taken(&self->m, "abort", &before));
	ASSERT_EQ(0, model_cmd(&self->m, "fault abort delay=500 count=1"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault identify delay=300 count=1"));
	cmd.timeout_ms = 100;
	EXPECT_EQ(0, ctrl_admin(self->fd, &cmd));
	ASSERT_EQ(0, model_cmd(&self->m, "fault identify delay=700 count=1"));
	EXPECT_EQ(0, ctrl_identify(self->fd));
	ASSERT_EQ(0, model_fault_taken(&self->m, "abort", &after));
	EXPECT_EQ(before + 1, after);
	/* Nor is anything reset. */
	EXPECT_EQ(0, log_count(self->log, " as function ", NULL, 0));
}

/* The Abort does not help: the controller is reset, and what it was is published anew. */
TEST_F(nvme_ctrl, a_stuck_controller_is_reset)
{
	int why = log_mark();

	ASSERT_LE(0, why);
	ASSERT_EQ(0, ctrl_suspend(self->fd, FIRST + 1));
	ASSERT_EQ(0, model_cmd(&self->m, "fault identify hang count=1"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault abort hang count=1"));
	EXPECT_EQ(-ETIMEDOUT, ctrl_identify(self->fd));
	EXPECT_TRUE(ctrl_works(self->fd));
	EXPECT_EQ(1, log_count(why, "does not end commands", NULL, 0));
	close(why);
	EXPECT_TRUE(ctrl_published(self->log, FNS));
	/* Which has ended the suspension. */
	EXPECT_EQ(NVS_SC_NOT_SUSPENDED, ctrl_resume(self->fd, FIRST + 1));
}

TEST_F(nvme_ctrl, a_controller_that_failed_is_reset)
{
	ASSERT_EQ(0, model_cmd(&self->m, "fault fetch fail count=1"));
	EXPECT_EQ(-ECONNABORTED, ctrl_identify(self->fd));
	EXPECT_TRUE(ctrl_works(self->fd));
	EXPECT_LT(0, log_count(self->log, "controller has failed", NULL, 0));
	/* It does not get ready at first. */
	ASSERT_EQ(0, model_cmd(&self->m, "fault ready fail count=2"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault fetch fail count=1"));
	EXPECT_EQ(-ECONNABORTED, ctrl_identify(self->fd));
	EXPECT_TRUE(ctrl_works(self->fd));
	EXPECT_LT(0, log_count(self->log, "does not get ready", NULL, 0));
}

/* A reset by somebody helps before the driver's next attempt, which is not made any more. */
TEST_F(nvme_ctrl, a_controller_that_works_again_is_left_alone)
{
	uint64_t end = now_ms() + CTRL_PROMPT_MS;
	int failed = log_mark();

	ASSERT_LE(0, failed);
	ASSERT_EQ(0, model_cmd(&self->m, "fault ready fail count=2"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault fetch fail count=1"));
	EXPECT_EQ(-ECONNABORTED, ctrl_identify(self->fd));
	while (!log_count(failed, "does not work after its reset", NULL, 0) && now_ms() < end)
		usleep(10000);
	close(failed);
	ASSERT_EQ(0, vdev_sysfs_write(self->ctrl[0].bdf, "reset", "1"));
	EXPECT_TRUE(ctrl_published(self->log, FNS));
	sleep(4);
	EXPECT_EQ(0, log_count(self->log, " as function ", NULL, 0));
	EXPECT_TRUE(ctrl_works(self->fd));
}

TEST_F(nvme_ctrl, a_lost_completion_costs_a_reset)
{
	ASSERT_EQ(0, model_cmd(&self->m, "fault post fail count=1"));
	EXPECT_EQ(-ECONNABORTED, ctrl_identify(self->fd));
	EXPECT_TRUE(ctrl_works(self->fd));
}

TEST_F(nvme_ctrl, an_event_is_told_and_the_next_one_too)
{
	for (int i = 0; i < 2; i++) {
		uint64_t end = now_ms() + CTRL_PROMPT_MS;
		int lines = 0;

		ASSERT_EQ(0, ctrl_simple(self->fd, NVS_ADMIN_SET_FEATURES, NVS_FEAT_ASYNC_EVENT,
					 NVS_AEC_TEMPERATURE));
		ASSERT_EQ(0, model_cmd(&self->m, "temperature 380"));
		while (!lines && now_ms() < end) {
			usleep(20000);
			lines = log_count(self->log, "reports an event", NULL, 0);
		}
		EXPECT_EQ(1, lines);
		ASSERT_EQ(0, model_cmd(&self->m, "temperature 300"));
		usleep(500000);
	}
}

/* ---- It says what cannot be ---- */

/* One that is down again at once is tried after a longer pause. */
#define LONGER_MS	2500

static bool told(int log, const char *line)
{
	uint64_t end = now_ms() + CTRL_PROMPT_MS;

	while (!log_count(log, line, NULL, 0)) {
		if (now_ms() > end)
			return false;
		usleep(20000);
	}
	return true;
}

/* It is asked after each reset, and left alone until it tells the truth. */
TEST_F_TIMEOUT(nvme_ctrl, one_with_nonsense_is_not_used, 400)
{
	static const struct {
		const char *claim[2];
		const char *line;
	} lies[] = {
		{ { "oacs 0" }, "cannot manage: no host managed" },
		{ { "versions 255", "formats 255" }, "cannot manage: formats of state" },
		{ { "ranges 0" }, "cannot manage: ranges or granules" },
		{ { "track_min 10" }, "cannot manage: ranges or granules" },
		{ { "track_max 64" }, "cannot manage: ranges or granules" },
		{ { "secondaries 128" }, "list of secondary controllers cannot be" },
		{ { "secondaries 127" }, "list of secondary controllers cannot be" },
		/* It had two before. */
		{ { "secondaries 1" }, "list of secondary controllers cannot be" },
		/* Itself, and one that is not before the next. */
		{ { "secondary 1" }, "list of secondary controllers cannot be" },
		{ { "secondary 0xffff" }, "list of secondary controllers cannot be" },
	};

	for (unsigned int i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		int why = log_mark();

		ASSERT_LE(0, why);
		for (unsigned int k = 0; k < 2 && lies[i].claim[k]; k++)
			ASSERT_EQ(0, model_cmd(&self->m, "claim %s", lies[i].claim[k]));
		ASSERT_EQ(0, vdev_sysfs_write(self->ctrl[0].bdf, "reset", "1"));
		EXPECT_TRUE(told(why, lies[i].line)) TH_LOG("%s", lies[i].claim[0]);
		close(why);
		/* Commands of its users may have come through until then. */
		EXPECT_EQ(0, log_count(self->log, " as function ", NULL, 0));
		ASSERT_EQ(0, model_cmd(&self->m, "claim clear"));
		EXPECT_TRUE(ctrl_works(self->fd));
		EXPECT_TRUE(ctrl_published(self->log, FNS));
		usleep(LONGER_MS * 1000);
	}
}

/* ---- The controller goes away ---- */

TEST_F(nvme_ctrl, a_reset_ends_suspensions)
{
	ASSERT_EQ(0, ctrl_suspend(self->fd, FIRST));
	ASSERT_EQ(0, vdev_sysfs_write(self->ctrl[0].bdf, "reset", "1"));
	EXPECT_TRUE(ctrl_works(self->fd));
	EXPECT_TRUE(ctrl_published(self->log, FNS));
	EXPECT_EQ(NVS_SC_NOT_SUSPENDED, ctrl_resume(self->fd, FIRST));
}

TEST_F(nvme_ctrl, a_file_outlives_the_driver)
{
	int fd;

	ASSERT_EQ(0, vdev_unbind(self->ctrl[0].bdf));
	EXPECT_EQ(-ENODEV, ctrl_identify(self->fd));
	ASSERT_EQ(0, ctrl_bind(self->ctrl[0].bdf));
	EXPECT_EQ(-ENODEV, ctrl_identify(self->fd));
	fd = ctrl_node_open(self->ctrl[0].bdf);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ctrl_identify(fd));
	close(fd);
}

static int step_identify(void *arg, unsigned long n)
{
	return ctrl_identify(*(int *)arg);
}

TEST_F(nvme_ctrl, unbind_does_not_wait_for_a_stuck_command)
{
	uint64_t begin;
	pid_t pid;
	int status;

	ASSERT_EQ(0, sysfs_write(CTRL_TIMEOUT, "60000"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault identify hang"));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(ctrl_identify(self->fd) == -ECONNABORTED ? 0 : 1);
	usleep(500000);
	begin = now_ms();
	ASSERT_EQ(0, vdev_unbind(self->ctrl[0].bdf));
	EXPECT_GT(begin + CTRL_PROMPT_MS, now_ms());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, ctrl_bind(self->ctrl[0].bdf));
}

/* Reads all ones, and is removed. */
TEST_F(nvme_ctrl, a_controller_that_was_pulled_out_is_gone)
{
	int fd;

	ASSERT_EQ(0, model_cmd(&self->m, "fault region_read fail"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault region_write fail"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault config fail"));
	EXPECT_GT(0, ctrl_identify(self->fd));
	ASSERT_EQ(0, vdev_sysfs_write(self->ctrl[0].bdf, "remove", "1"));
	EXPECT_EQ(-ENODEV, ctrl_identify(self->fd));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, sysfs_write("/sys/bus/pci/rescan", "1"));
	ASSERT_EQ(0, ctrl_bind(self->ctrl[0].bdf));
	fd = ctrl_node_open(self->ctrl[0].bdf);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(ctrl_works(fd));
	close(fd);
}

/* Commands, resets, faults, and opening and closing, all at a time. */
static int step_reset(void *arg, unsigned long n)
{
	usleep(100000);
	return vdev_sysfs_write(((struct slot *)arg)->bdf, "reset", "1");
}

static int step_suspend(void *arg, unsigned long n)
{
	int ret = ctrl_suspend(*(int *)arg, FIRST);

	return ret ? ret : ctrl_resume(*(int *)arg, FIRST);
}

static int step_bind(void *arg, unsigned long n)
{
	const char *bdf = ((struct slot *)arg)->bdf;
	int fd, err;

	err = vdev_unbind(bdf);
	err = err ? err : ctrl_bind(bdf);
	fd = err ? err : ctrl_node_open(bdf);
	if (fd < 0)
		return fd;
	err = ctrl_identify(fd);
	close(fd);
	return err;
}

TEST_F_TIMEOUT(nvme_ctrl, commands_race_with_resets, 300)
{
	struct race_job jobs[] = {
		RACE_JOB(step_identify, &self->fd),
		RACE_JOB(step_identify, &self->fd),
		RACE_JOB(step_suspend, &self->fd),
		RACE_JOB(step_reset, &self->ctrl[0]),
	};

	EXPECT_TRUE(race_run(jobs, 4));
	EXPECT_TRUE(ctrl_works(self->fd));
}

TEST_F_TIMEOUT(nvme_ctrl, commands_race_with_unbind, 300)
{
	struct race_job jobs[] = {
		RACE_JOB(step_identify, &self->fd),
		RACE_JOB(step_suspend, &self->fd),
		RACE_JOB(step_bind, &self->ctrl[0]),
	};

	/* The file that the first two have is dead after the first unbind. */
	EXPECT_TRUE(race_run(jobs, 3));
	close(self->fd);
	self->fd = ctrl_node_open(self->ctrl[0].bdf);
	EXPECT_TRUE(ctrl_works(self->fd));
}

TEST_HARNESS_MAIN
