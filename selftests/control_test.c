// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to the driver of a controlling function when the PCI core reports errors and
 * resets, and when the function dies meanwhile: the same for each of these drivers.  Errors are
 * reported by vpv_test_error, one step at a time.
 *
 * Groups: control
 */
#include <sys/mount.h>

#include <hw/nvme_cf.h>

#include "lib/mlxl.h"
#include "lib/nvmefn.h"
#include "lib/race.h"
#include "lib/test.h"

#define CONFIGFS	"/sys/kernel/config"
#define FNS		2
/* Of a loaded machine. */
#define PROMPT_MS	20000
/* For a function that answers all ones. */
#define SILENT_MS	2000
/* In which the driver would have tried to recover three times. */
#define QUIET_S		4
#define SECONDS		180

FIXTURE(control)
{
	struct slot ctrl;
	struct slot fn[FNS];
	struct model m;
	int log;
};

FIXTURE_VARIANT(control)
{
	const char *ctrl;	/* its model */
	const char *driver;
	int (*functions)(struct slot *slots, int max);	/* has them, bound to our driver */
	unsigned int first;	/* number of the first function */
	const char *dies;	/* fault: at its next command */
	const char *stuck;	/* fault: a command that "enable" needs does not end */
	const char *stays_down;	/* fault: three attempts to bring it up fail */
};

FIXTURE_VARIANT_ADD(control, mlx5) {
	.ctrl = "mlx5_ctrl", .driver = MLXL_CTRL, .functions = mlxl_functions, .first = 0,
	.dies = "fault fatal fail count=1", .stuck = "fault query_function hang",
	.stays_down = "fault query_caps fail count=3",
};

FIXTURE_VARIANT_ADD(control, nvme) {
	.ctrl = "nvme_ctrl", .driver = NVME_CTRL, .functions = nvme_functions,
	.first = NVCF_CNTLID_FIRST,
	.dies = "fault fetch fail count=1", .stuck = "fault profile_receive hang",
	.stays_down = "fault ready fail count=4",
};

static int ctrl_bind(const struct slot *ctrl, const char *driver)
{
	char path[128], now[64];
	int err = vdev_driver(ctrl->bdf, now, sizeof(now));

	if (err || !strcmp(now, driver))
		return err;
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	return sysfs_write(path, ctrl->bdf);
}

/* "enable" of the first function: a write of 1 needs a command, and changes nothing. */
static void enable_path(const struct slot *ctrl, const char *driver, unsigned int first,
			char *path, size_t room)
{
	snprintf(path, room, CONFIGFS "/%s/%s/%u/enable", driver, ctrl->bdf, first);
}

static int command(const struct slot *ctrl, const char *driver, unsigned int first)
{
	char path[192];

	enable_path(ctrl, driver, first, path, sizeof(path));
	return sysfs_write(path, "1");
}

#define COMMAND() command(&self->ctrl, variant->driver, variant->first)

/* 0: the function works; -ENOTCONN: it does not. */
static int state(const struct slot *ctrl, const char *driver, unsigned int first)
{
	char path[192], text[16];

	enable_path(ctrl, driver, first, path, sizeof(path));
	return sysfs_read(path, text, sizeof(text));
}

#define STATE() state(&self->ctrl, variant->driver, variant->first)
#define ERROR(step) vdev_error(self->ctrl.bdf, step)

#define BECOMES(want) ({							\
	uint64_t _end = now_ms() + PROMPT_MS;					\
										\
	while (STATE() != (want) && now_ms() < _end)				\
		usleep(10000);							\
	STATE();								\
})

static bool logged(int log, const char *text, int want)
{
	uint64_t end = now_ms() + PROMPT_MS;
	int num = 0;

	do {
		num += log_count(log, text, NULL, 0);
		if (num >= want)
			return true;
		usleep(10000);
	} while (now_ms() < end);
	return false;
}

/* All functions have been published once more since the last time. */
static bool published(int log)
{
	return logged(log, " as function ", FNS);
}

/* No function was, for as long as that would take. */
static bool left_alone(int log)
{
	sleep(QUIET_S);
	return !log_count(log, " as function ", NULL, 0);
}

FIXTURE_SETUP(control)
{
	self->m.fd = -1;
	self->log = -1;
	ASSERT_EQ(1, slots_find(variant->ctrl, &self->ctrl, 1));
	ASSERT_TRUE(vdev_error_works());
	if (access(CONFIGFS "/" MLXL_CTRL, F_OK))
		mount("configfs", CONFIGFS, "configfs", 0, NULL);
	ASSERT_EQ(FNS, variant->functions(self->fn, FNS));
	ASSERT_EQ(0, model_open(&self->m, &self->ctrl));
	EXPECT_EQ(0, COMMAND());
	self->log = log_mark();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(control)
{
	if (self->m.fd >= 0) {
		model_cmd(&self->m, "fault clear");
		model_close(&self->m);
	}
	if (self->log < 0)
		return;
	/* Whatever a test that failed has left. */
	ERROR("resume");
	if (STATE()) {
		vdev_unbind(self->ctrl.bdf);
		ctrl_bind(&self->ctrl, variant->driver);
	}
	close(self->log);
}

/* ---- Errors ---- */

/* Nobody waits for one that answers all ones: not for its reset, which the PCI core would. */
TEST_F_TIMEOUT(control, that_does_not_answer_is_not_bound, SECONDS)
{
	uint64_t begin;
	char now[64];

	ASSERT_EQ(0, vdev_unbind(self->ctrl.bdf));
	ASSERT_EQ(0, ERROR("silent"));
	begin = now_ms();
	/* What the driver core does not tell who writes to "bind". */
	ctrl_bind(&self->ctrl, variant->driver);
	EXPECT_GT((uint64_t)SILENT_MS, now_ms() - begin) {
		TH_LOG("took %llu ms", (unsigned long long)(now_ms() - begin));
	}
	EXPECT_NE(0, vdev_driver(self->ctrl.bdf, now, sizeof(now)) ?:
		     strcmp(now, variant->driver));
	ASSERT_EQ(0, ERROR("heard"));
	ASSERT_EQ(0, ctrl_bind(&self->ctrl, variant->driver));
	EXPECT_EQ(0, BECOMES(0));
	EXPECT_TRUE(published(self->log));
}

TEST_F_TIMEOUT(control, an_error_that_breaks_nothing_is_not_noticed, SECONDS)
{
	ASSERT_EQ(0, ERROR("normal"));
	EXPECT_EQ(0, COMMAND());
	ASSERT_EQ(0, ERROR("mmio"));
	ASSERT_EQ(0, ERROR("resume"));
	EXPECT_EQ(0, STATE());
	EXPECT_TRUE(left_alone(self->log));
}

TEST_F_TIMEOUT(control, a_frozen_function_waits_for_its_reset, SECONDS)
{
	ASSERT_EQ(0, ERROR("frozen"));
	EXPECT_EQ(-ENOTCONN, BECOMES(-ENOTCONN));
	EXPECT_EQ(-ENOTCONN, COMMAND());
	/* Nor does the driver try to help. */
	EXPECT_TRUE(left_alone(self->log));
	EXPECT_EQ(-ENOTCONN, STATE());
	ASSERT_EQ(0, ERROR("reset"));
	EXPECT_TRUE(published(self->log));
	EXPECT_EQ(0, COMMAND());
	ASSERT_EQ(0, ERROR("resume"));
	EXPECT_TRUE(left_alone(self->log));
	EXPECT_EQ(0, COMMAND());
}

/* A neighbour wanted the reset: nothing was frozen before. */
TEST_F_TIMEOUT(control, a_reset_of_the_slot_alone_is_noticed, SECONDS)
{
	ASSERT_EQ(0, ERROR("normal"));
	ASSERT_EQ(0, ERROR("reset"));
	EXPECT_TRUE(published(self->log));
	EXPECT_EQ(0, COMMAND());
	ASSERT_EQ(0, ERROR("resume"));
	EXPECT_TRUE(left_alone(self->log));
}

TEST_F_TIMEOUT(control, a_command_in_work_ends, SECONDS)
{
	uint64_t begin;
	int status;
	pid_t pid;

	ASSERT_EQ(0, model_cmd(&self->m, variant->stuck));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(COMMAND() == -ECONNABORTED ? 0 : 1);
	usleep(300000);
	begin = now_ms();
	/* The PCI core waits for nobody. */
	ASSERT_EQ(0, ERROR("frozen"));
	EXPECT_GT(begin + 1000, now_ms());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, ERROR("reset"));
	ASSERT_EQ(0, ERROR("resume"));
	EXPECT_TRUE(published(self->log));
	EXPECT_EQ(0, COMMAND());
}

TEST_F_TIMEOUT(control, one_that_is_lost_is_left_to_the_operator, SECONDS)
{
	int log = log_mark();

	ASSERT_EQ(0, ERROR("frozen"));
	ASSERT_EQ(0, ERROR("failed"));
	EXPECT_TRUE(logged(log, "was not recovered", 1));
	close(log);
	EXPECT_TRUE(left_alone(self->log));
	EXPECT_EQ(-ENOTCONN, STATE());
	ASSERT_EQ(0, vdev_sysfs_write(self->ctrl.bdf, "reset", "1"));
	EXPECT_TRUE(published(self->log));
	EXPECT_EQ(0, COMMAND());
}

TEST_F_TIMEOUT(control, a_frozen_one_is_unbound_and_bound, SECONDS)
{
	ASSERT_EQ(0, ERROR("frozen"));
	ASSERT_EQ(0, vdev_unbind(self->ctrl.bdf));
	ASSERT_EQ(0, ctrl_bind(&self->ctrl, variant->driver));
	EXPECT_TRUE(published(self->log));
	EXPECT_EQ(0, COMMAND());
	ASSERT_EQ(0, ERROR("resume"));
}

/* ---- Death, and somebody else's reset ---- */

TEST_F_TIMEOUT(control, an_error_after_a_death_has_the_function, SECONDS)
{
	int log = log_mark();

	ASSERT_EQ(0, model_cmd(&self->m, variant->stays_down));
	ASSERT_EQ(0, model_cmd(&self->m, variant->dies));
	EXPECT_EQ(-ECONNABORTED, COMMAND());
	EXPECT_TRUE(logged(log, "does not work after its reset", 1));
	ASSERT_EQ(0, ERROR("frozen"));
	close(log);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_TRUE(left_alone(self->log));
	EXPECT_EQ(-ENOTCONN, STATE());
	ASSERT_EQ(0, ERROR("reset"));
	ASSERT_EQ(0, ERROR("resume"));
	EXPECT_TRUE(published(self->log));
	EXPECT_TRUE(left_alone(self->log));
	EXPECT_EQ(0, COMMAND());
}

/* The driver's next attempt is not made any more. */
TEST_F_TIMEOUT(control, one_that_works_again_is_left_alone, SECONDS)
{
	int log = log_mark();

	ASSERT_EQ(0, model_cmd(&self->m, variant->stays_down));
	ASSERT_EQ(0, model_cmd(&self->m, variant->dies));
	EXPECT_EQ(-ECONNABORTED, COMMAND());
	EXPECT_TRUE(logged(log, "does not work after its reset", 3));
	close(log);
	ASSERT_EQ(0, vdev_sysfs_write(self->ctrl.bdf, "reset", "1"));
	EXPECT_TRUE(published(self->log));
	EXPECT_TRUE(left_alone(self->log));
	EXPECT_EQ(0, COMMAND());
}

/* ---- All at a time ---- */

struct contest {
	const struct slot *ctrl;
	const char *driver;
	unsigned int first;
};

static int commands(void *arg, unsigned long n)
{
	struct contest *c = arg;

	usleep(1000);
	return command(c->ctrl, c->driver, c->first);
}

static int errors(void *arg, unsigned long n)
{
	static const char *const steps[] = { "frozen", "reset", "resume" };
	struct contest *c = arg;
	int err = 0;

	for (unsigned int i = n % 3 ? 0 : 1; i < 3 && !err; i++) {
		err = vdev_error(c->ctrl->bdf, steps[i]);
		usleep((n % 4) * 20000);
	}
	usleep(300000);
	return err;
}

static int resets(void *arg, unsigned long n)
{
	struct contest *c = arg;

	usleep((n % 4 + 1) * 50000);
	return vdev_sysfs_write(c->ctrl->bdf, "reset", "1");
}

static int binds(void *arg, unsigned long n)
{
	struct contest *c = arg;
	int err;

	sleep(1);
	err = vdev_unbind(c->ctrl->bdf);
	return err ? err : ctrl_bind(c->ctrl, c->driver);
}

static bool race(struct contest *c, int (*other)(void *arg, unsigned long n))
{
	struct race_job jobs[] = {
		RACE_JOB(commands, c), RACE_JOB(errors, c), RACE_JOB(other, c),
	};

	return race_run_ms(jobs, sizeof(jobs) / sizeof(jobs[0]), 5000);
}

TEST_F_TIMEOUT(control, errors_race_with_resets, 300)
{
	struct contest c = { &self->ctrl, variant->driver, variant->first };

	EXPECT_TRUE(race(&c, resets));
	EXPECT_EQ(0, ERROR("reset"));
	EXPECT_EQ(0, BECOMES(0));
	EXPECT_EQ(0, COMMAND());
}

TEST_F_TIMEOUT(control, errors_race_with_unbind, 300)
{
	struct contest c = { &self->ctrl, variant->driver, variant->first };

	EXPECT_TRUE(race(&c, binds));
	ASSERT_EQ(0, ctrl_bind(&self->ctrl, variant->driver));
	EXPECT_EQ(0, ERROR("reset"));
	EXPECT_EQ(0, BECOMES(0));
	EXPECT_EQ(0, COMMAND());
}

/* ---- In one slot with its function: by the PCI core itself ---- */

FIXTURE(control_slot)
{
	struct slot ctrl;
	struct slot fn;
	struct model m;
	int log;
};

FIXTURE_VARIANT(control_slot)
{
	const char *driver;
	int (*other)(struct slot *ctrl, struct slot *fn);	/* of the second device */
	unsigned int first;
	const char *dies;
};

static int nvme_other(struct slot *ctrl, struct slot *fn)
{
	struct slot ctrls[SLOT_MAX], fns[SLOT_MAX];
	int num_ctrls = nvme_managing(ctrls, SLOT_MAX), num = slots_find("nvme_cf", fns, SLOT_MAX);

	if (num_ctrls < 0)
		return num_ctrls;
	if (num < 1 || num_ctrls < 2)
		return TOO_FEW;
	/* The lab numbers the functions of the last device last. */
	*ctrl = ctrls[num_ctrls - 1];
	*fn = fns[num - 1];
	return vdev_bind(fn->bdf, NVME_DRIVER);
}

FIXTURE_VARIANT_ADD(control_slot, mlx5) {
	.driver = MLXL_CTRL, .other = mlxl_other, .first = 0, .dies = "fault fatal fail count=1",
};

FIXTURE_VARIANT_ADD(control_slot, nvme) {
	.driver = NVME_CTRL, .other = nvme_other, .first = NVCF_CNTLID_FIRST,
	.dies = "fault fetch fail count=1",
};

FIXTURE_SETUP(control_slot)
{
	int err;

	self->m.fd = -1;
	self->log = -1;
	ASSERT_TRUE(vdev_error_works());
	if (access(CONFIGFS "/" MLXL_CTRL, F_OK))
		mount("configfs", CONFIGFS, "configfs", 0, NULL);
	err = variant->other(&self->ctrl, &self->fn);
	if (err == TOO_FEW)
		SKIP(return, "no second controlling function in /vpv/devices");
	ASSERT_EQ(0, err);
	err = ERROR("recover-normal");
	if (err == -ENODEV || err == -EOPNOTSUPP)
		SKIP(return, "%s", err == -ENODEV ? "it is not behind a port" :
		     "the kernel does not export its error recovery");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, model_open(&self->m, &self->ctrl));
	EXPECT_EQ(0, COMMAND());
	self->log = log_mark();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(control_slot)
{
	if (self->m.fd >= 0) {
		model_cmd(&self->m, "fault clear");
		model_close(&self->m);
	}
	if (self->log < 0)
		return;
	EXPECT_EQ(0, log_count(self->log, "possible circular locking", NULL, 0));
	close(self->log);
}

#define BAR_BYTES	(4 * PCI_STD_NUM_BARS)

static int bars_read(const struct slot *slot, uint8_t *bars)
{
	int fd = vdev_sysfs_open(slot->bdf, "config", O_RDONLY);

	if (fd < 0 || pread(fd, bars, BAR_BYTES, PCI_BASE_ADDRESS_0) != BAR_BYTES)
		return -EIO;
	close(fd);
	return 0;
}

/* A worker restores them, and debugfs does not tell of it if the function was never open. */
static bool bars_become(const struct slot *slot, const uint8_t *want)
{
	uint64_t end = now_ms() + 10000;
	uint8_t now[BAR_BYTES] = {};

	while (bars_read(slot, now) || memcmp(want, now, BAR_BYTES)) {
		if (now_ms() > end)
			return false;
		usleep(5000);
	}
	return true;
}

TEST_F_TIMEOUT(control_slot, recovers_from_errors_of_the_slot, SECONDS)
{
	uint8_t before[2][BAR_BYTES];

	ASSERT_EQ(0, bars_read(&self->ctrl, before[0]));
	ASSERT_EQ(0, bars_read(&self->fn, before[1]));
	ASSERT_EQ(0, ERROR("recover-normal"));
	EXPECT_EQ(0, STATE());
	EXPECT_EQ(0, log_count(self->log, " as function ", NULL, 0));
	/* The bus is reset: without an answer of both drivers the recovery fails. */
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, vdev_error(i & 1 ? self->fn.bdf : self->ctrl.bdf, "recover"));
		EXPECT_EQ(0, BECOMES(0));
		EXPECT_EQ(0, COMMAND());
		EXPECT_TRUE(bars_become(&self->ctrl, before[0]));
		EXPECT_TRUE(bars_become(&self->fn, before[1]));
	}
}

TEST_F_TIMEOUT(control_slot, recovers_from_a_death_meanwhile, SECONDS)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, model_cmd(&self->m, variant->dies));
		EXPECT_EQ(-ECONNABORTED, COMMAND());
		usleep(i * 200000);
		ASSERT_EQ(0, ERROR("recover"));
		EXPECT_EQ(0, BECOMES(0));
		EXPECT_EQ(0, COMMAND());
	}
}

/* What the reset of the bus has left of config space is not what comes back. */
TEST_F_TIMEOUT(control_slot, is_not_recovered, SECONDS)
{
	int log = log_mark();

	ASSERT_EQ(0, ERROR("lose"));
	EXPECT_TRUE(logged(log, "was not recovered", 1));
	close(log);
	EXPECT_EQ(-ENOTCONN, BECOMES(-ENOTCONN));
	ASSERT_EQ(0, vdev_sysfs_write(self->ctrl.bdf, "reset", "1"));
	EXPECT_EQ(0, BECOMES(0));
	EXPECT_EQ(0, COMMAND());

	ASSERT_EQ(0, ERROR("lose"));
	EXPECT_EQ(-ENOTCONN, BECOMES(-ENOTCONN));
	ASSERT_EQ(0, vdev_unbind(self->ctrl.bdf));
	ASSERT_EQ(0, ctrl_bind(&self->ctrl, variant->driver));
	EXPECT_EQ(0, BECOMES(0));
	EXPECT_EQ(0, COMMAND());
	ASSERT_EQ(0, ERROR("recover"));
	EXPECT_EQ(0, BECOMES(0));
}

static int recoveries(void *arg, unsigned long n)
{
	struct contest *c = arg;
	int err = vdev_error(c->ctrl->bdf, n % 4 ? "recover" : "recover-normal");

	usleep(300000);
	return err;
}

static int resets_or_binds(void *arg, unsigned long n)
{
	return n % 8 ? resets(arg, n) : binds(arg, n);
}

TEST_F_TIMEOUT(control_slot, recoveries_race_with_resets_and_unbind, 300)
{
	struct contest c = { &self->ctrl, variant->driver, variant->first };
	struct race_job jobs[] = {
		RACE_JOB(commands, &c), RACE_JOB(recoveries, &c), RACE_JOB(resets_or_binds, &c),
	};

	EXPECT_TRUE(race_run_ms(jobs, sizeof(jobs) / sizeof(jobs[0]), 5000));
	ASSERT_EQ(0, ctrl_bind(&self->ctrl, variant->driver));
	ASSERT_EQ(0, ERROR("recover"));
	EXPECT_EQ(0, BECOMES(0));
	EXPECT_EQ(0, COMMAND());
}

TEST_HARNESS_MAIN
