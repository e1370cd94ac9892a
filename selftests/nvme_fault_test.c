// SPDX-License-Identifier: GPL-2.0
/*
 * Each command of the managing controller of nvme_cf fails, or never ends, in each step of a
 * migration that needs it; and the managing controller goes away in each state.  How that
 * ends is the tables of Documentation/nvme_cf.rst, here outcomes[] and what follows.
 *
 * Whatever happened: afterwards a whole migration works, after a reset where there was an
 * ERROR.
 *
 * Groups: nvme-cf-fault
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/nvmepair.h"
#include "lib/states.h"
#include "lib/sweep.h"
#include "lib/test.h"

#define BATCH		8
#define TAG		0x5eed0000U
#define BACK_MS		20000

static const char *const commands[] = {
	"suspend", "resume", "get_state", "set_state", "profile_receive", "track_send",
	"track_receive",
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/**
 * struct nvme_sweep - What is under test
 * @s: The step.
 * @p: The controllers.
 */
struct nvme_sweep {
	struct sweep s;
	struct nvme_pair p;
};

static struct nvme_pair *pair(struct sweep *s)
{
	return &((struct nvme_sweep *)((char *)s - offsetof(struct nvme_sweep, s)))->p;
}

/* ---- The guest ---- */

/* It has an I/O queue, and what it writes it reads again. */
static int work(struct sweep *s, bool fresh)
{
	struct nvme *n = &pair(s)->n;
	int err = fresh ? nvme_queue_create(n, 1, 64, -1) : 0;

	if (err)
		return err;
	nvme_batch_put(n, 1, NVS_IO_WRITE, 0, BATCH, TAG);
	err = nvme_ring(n, 1);
	err = err ? err : nvme_batch_take(n, 1, BATCH);
	return err ? err : nvme_batch_check(n, 1, 0, BATCH, TAG);
}

/* Everything is there, bound, open and runs; the guest is on the first one. */
static int restore(struct sweep *s)
{
	int err = 0;

	sweep_fd_close(s);
	for (unsigned int i = 0; i < 2 && !err; i++)
		err = model_cmd(&pair(s)->ctrl[i], "fault clear");
	if (!err && nvme_functions(pair(s)->slots, 2) != 2)
		err = -ENODEV;
	for (unsigned int i = 0; i < 2 && !err; i++)
		if (pair(s)->v[i].fd < 0)
			err = nvme_pair_reopen(pair(s), i);
	err = err ? err : nvme_pair_restart(pair(s));
	return err ? err : work(s, true);
}

static int whole_migration(struct sweep *s)
{
	int err = restore(s);

	err = err ? err : nvme_pair_move(pair(s), true);
	err = err ? err : work(s, false);
	return err ? err : restore(s);
}

/* ---- Steps ---- */

static int to_precopy(struct sweep *s)
{
	return sweep_set(s, 0, PRE_COPY);
}

static int to_stop_copy(struct sweep *s)
{
	int err = sweep_set(s, 0, STOP_COPY);

	pair(s)->blob.bytes = 0;
	return err ? err : blob_pull(&pair(s)->blob, s->fd, 0);
}

/* The source stands still and keeps its state. */
static int dst_stop(struct sweep *s)
{
	int err = to_stop_copy(s);

	err = err ? err : sweep_to_stop(s);
	return err ? err : sweep_set(s, 1, STOP);
}

static int dst_resuming(struct sweep *s)
{
	int err = dst_stop(s);

	return err ? err : sweep_set(s, 1, RESUMING);
}

static int load(struct sweep *s)
{
	return blob_push(&pair(s)->blob, s->fd, 0, pair(s)->blob.bytes, 0);
}

static int dst_loaded(struct sweep *s)
{
	int err = dst_resuming(s);

	return err ? err : load(s);
}

static int dst_end(struct sweep *s)
{
	return sweep_set(s, 1, STOP);
}

static int dst_ready(struct sweep *s)
{
	int err = dst_loaded(s);

	return err ? err : dst_end(s);
}

static int dst_run(struct sweep *s)
{
	return sweep_set(s, 1, RUNNING);
}

static int src_closed(struct sweep *s)
{
	vdev_close(&pair(s)->v[0]);
	return 0;
}

static int src_open(struct sweep *s)
{
	return nvme_pair_reopen(pair(s), 0);
}

static const struct sweep_step steps[] = {
	{ "quiesce",		0, sweep_nothing,		sweep_to_p2p,		RUNNING_P2P },
	{ "unquiesce",		0, sweep_to_p2p,		sweep_to_running,	RUNNING },
	{ "pre-copy",		0, sweep_nothing,		to_precopy,		PRE_COPY },
	{ "save",		0, sweep_to_stop,		to_stop_copy,		STOP_COPY },
	{ "load",		1, dst_resuming,		load,			RESUMING },
	{ "end of load",	1, dst_loaded,			dst_end,		STOP },
	{ "run",		1, dst_ready,			dst_run,		RUNNING },
	{ "open",		0, src_closed,			src_open,		RUNNING },
};

/**
 * struct outcome - How a step ends without a command that it needs
 * @step: The step.
 * @command: What does not work, all the time.
 * @err: When it fails.
 * @state: And the state then.
 * @hang_err: When it never ends.
 * @hang_state: And the state then.
 */
struct outcome {
	const char *step;
	const char *command;
	int err;
	unsigned int state;
	int hang_err;
	unsigned int hang_state;
};

static const struct outcome outcomes[] = {
	{ "quiesce", "suspend", -EREMOTEIO, RUNNING, -ETIMEDOUT, RUNNING },
	{ "unquiesce", "resume", -EREMOTEIO, RUNNING_P2P, -EIO, ERROR },
	{ "pre-copy", "profile_receive", -EREMOTEIO, RUNNING, -ETIMEDOUT, RUNNING },
	{ "save", "profile_receive", -EREMOTEIO, STOP, -ETIMEDOUT, STOP },
	{ "save", "get_state", -EREMOTEIO, STOP_COPY, -ETIMEDOUT, STOP_COPY },
	{ "load", "profile_receive", -EREMOTEIO, RESUMING, -ETIMEDOUT, RESUMING },
	{ "end of load", "set_state", -EINVAL, ERROR, -ETIMEDOUT, ERROR },
	{ "run", "resume", -EREMOTEIO, RUNNING_P2P, -EIO, ERROR },
	{ "open", "resume", -EREMOTEIO, SWEEP_CLOSED, -ETIMEDOUT, SWEEP_CLOSED },
};

FIXTURE(nvme_fault)
{
	struct nvme_sweep n;
};

FIXTURE_VARIANT(nvme_fault)
{
	unsigned int step;
};

#define STEP(_name, _step) FIXTURE_VARIANT_ADD(nvme_fault, _name) { .step = _step }

STEP(quiesce, 0);
STEP(unquiesce, 1);
STEP(pre_copy, 2);
STEP(save, 3);
STEP(load, 4);
STEP(end_of_load, 5);
STEP(run, 6);
STEP(open, 7);

static int sweep_open(struct sweep *s)
{
	int err = nvme_pair_open(pair(s), access("/dev/iommu", F_OK) ? VDEV_GROUP : VDEV_CDEV);

	sweep_init(s, pair(s)->v);
	return err ? err : work(s, true);
}

static void sweep_close(struct sweep *s)
{
	sweep_fd_close(s);
	nvme_pair_close(pair(s));
}

FIXTURE_SETUP(nvme_fault)
{
	int err = sweep_open(&self->n.s);

	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(nvme_fault)
{
	sweep_close(&self->n.s);
}

static const struct outcome *outcome_of(const struct sweep_step *step, const char *command)
{
	for (unsigned int i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (!strcmp(outcomes[i].step, step->name) &&
		    !strcmp(outcomes[i].command, command))
			return &outcomes[i];
	return NULL;
}

static void one(struct __test_metadata *_metadata, struct sweep *s, const struct sweep_step *step,
		const char *command, bool hang)
{
	const struct outcome *o = outcome_of(step, command);
	int want = !o ? 0 : hang ? o->hang_err : o->err;
	unsigned int end = !o ? step->state : hang ? o->hang_state : o->state, state;
	int err;

	ASSERT_EQ(0, step->begin(s));
	ASSERT_EQ(0, model_cmd(&pair(s)->ctrl[step->fn], "fault %s %s", command,
			       hang ? "hang" : "fail"));
	err = step->run(s);
	state = sweep_state(s, step);
	TH_LOG("%s: %s %s: %d, %s", step->name, command, hang ? "hangs" : "fails", err,
	       sweep_state_name(state));
	EXPECT_EQ(want, err);
	EXPECT_EQ(end, state);
	/* What is no ERROR goes on without a reset. */
	ASSERT_EQ(0, model_cmd(&pair(s)->ctrl[step->fn], "fault clear"));
	if (!step->fn && state != SWEEP_CLOSED && state != ERROR) {
		EXPECT_EQ(0, sweep_to_running(s));
		EXPECT_EQ(0, step->begin == src_closed ? 0 : work(s, false));
	}
	EXPECT_EQ(0, whole_migration(s));
}

TEST_F_TIMEOUT(nvme_fault, each_command, 600)
{
	const struct sweep_step *step = &steps[variant->step];

	for (unsigned int i = 0; i < COMMANDS; i++)
		for (unsigned int hang = 0; hang < 2; hang++)
			one(_metadata, &self->n.s, step, commands[i], hang);
}

/* ---- The managing controller goes away ---- */

enum way { RESET, UNBIND, REMOVE };

FIXTURE(nvme_gone)
{
	struct nvme_sweep n;
};

FIXTURE_VARIANT(nvme_gone)
{
	enum way way;
};

FIXTURE_VARIANT_ADD(nvme_gone, reset) { .way = RESET };
FIXTURE_VARIANT_ADD(nvme_gone, unbind) { .way = UNBIND };
FIXTURE_VARIANT_ADD(nvme_gone, remove) { .way = REMOVE };

FIXTURE_SETUP(nvme_gone)
{
	int err = sweep_open(&self->n.s);

	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(nvme_gone)
{
	sweep_close(&self->n.s);
}

static int managing_sysfs(struct sweep *s, unsigned int fn, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", pair(s)->managing[fn].bdf, file);
	return sysfs_write(path, "1");
}

static int go_away(struct sweep *s, unsigned int fn, enum way way)
{
	switch (way) {
	case RESET:
		return managing_sysfs(s, fn, "reset");
	case UNBIND:
		return vdev_unbind(pair(s)->managing[fn].bdf);
	case REMOVE:
		return managing_sysfs(s, fn, "remove");
	}
	return -EINVAL;
}

/* Back, and the controllers published: then one can be suspended, or is in ERROR. */
static int come_back(struct sweep *s, enum way way)
{
	struct slot managing[SLOT_MAX];
	int err = way == REMOVE ? sysfs_write("/sys/bus/pci/rescan", "1") : 0;

	return err ? err : nvme_managing(managing, SLOT_MAX) < 2 ? -ENODEV : 0;
}

static int wait_state(struct vdev *v, int state)
{
	uint64_t end = now_ms() + BACK_MS;

	while (mig_get(v) != state) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(10000);
	}
	return 0;
}

/* A state change that needs a command, once there is somebody for it. */
static int wait_suspend(struct sweep *s)
{
	uint64_t end = now_ms() + BACK_MS;
	int err;

	while ((err = sweep_to_p2p(s)) == -ENOTCONN && now_ms() < end)
		usleep(10000);
	return err;
}

static uint16_t hw_command(const char *bdf)
{
	uint16_t val = 0xffff;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDONLY);
	if (fd < 0 || pread(fd, &val, sizeof(val), PCI_COMMAND) != sizeof(val))
		val = 0xffff;
	close(fd);
	return le16toh(val);
}

static void ends_in_error(struct __test_metadata *_metadata, struct sweep *s, unsigned int fn,
			  enum way way)
{
	ASSERT_EQ(0, go_away(s, fn, way));
	EXPECT_EQ(0, wait_state(&pair(s)->v[fn], ERROR));
	EXPECT_NE(0, mig_set(&pair(s)->v[fn], RUNNING, NULL));
	/* Its user sees bus mastering as he has set it; in hardware it is off. */
	if (!fn) {
		EXPECT_NE(0U, vdev_cfg(&pair(s)->v[fn], PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
		EXPECT_FALSE(hw_command(pair(s)->slots[fn].bdf) & PCI_COMMAND_MASTER);
	}
	ASSERT_EQ(0, come_back(s, way));
	EXPECT_EQ(ERROR, mig_get(&pair(s)->v[fn]));
	EXPECT_EQ(0, whole_migration(s));
}

#define GONE_IN(_name, _fn, _begin)						\
TEST_F_TIMEOUT(nvme_gone, _name, 120)						\
{										\
	ASSERT_EQ(0, _begin(&self->n.s));						\
	ends_in_error(_metadata, &self->n.s, _fn, variant->way);			\
}

GONE_IN(running_p2p, 0, sweep_to_p2p)
GONE_IN(stop, 0, sweep_to_stop)
GONE_IN(stop_copy, 0, to_stop_copy)
GONE_IN(dst_stop, 1, dst_stop)
GONE_IN(resuming, 1, dst_resuming)
GONE_IN(loaded, 1, dst_loaded)
GONE_IN(ready, 1, dst_ready)

TEST_F_TIMEOUT(nvme_gone, running, 120)
{
	struct sweep *s = &self->n.s;

	ASSERT_EQ(0, go_away(s, 0, variant->way));
	EXPECT_EQ(0, work(s, false));
	EXPECT_EQ(RUNNING, mig_get(&pair(s)->v[0]));
	if (variant->way != RESET) {
		EXPECT_EQ(-ENOTCONN, sweep_to_p2p(s));
		EXPECT_EQ(-ENOTCONN, to_precopy(s));
	}
	ASSERT_EQ(0, come_back(s, variant->way));
	EXPECT_EQ(0, wait_suspend(s));
	EXPECT_EQ(0, sweep_to_running(s));
	EXPECT_EQ(0, work(s, false));
	EXPECT_EQ(0, whole_migration(s));
}

TEST_F_TIMEOUT(nvme_gone, pre_copy, 120)
{
	struct sweep *s = &self->n.s;

	ASSERT_EQ(0, to_precopy(s));
	ASSERT_EQ(0, go_away(s, 0, variant->way));
	EXPECT_EQ(0, work(s, false));
	EXPECT_EQ(PRE_COPY, mig_get(&pair(s)->v[0]));
	ASSERT_EQ(0, come_back(s, variant->way));
	EXPECT_EQ(0, sweep_to_running(s));
	EXPECT_EQ(0, work(s, false));
	EXPECT_EQ(0, whole_migration(s));
}

TEST_F_TIMEOUT(nvme_gone, one_that_was_reset_in_a_suspension_runs, 120)
{
	struct sweep *s = &self->n.s;

	ASSERT_EQ(0, sweep_to_stop(s));
	ASSERT_EQ(0, go_away(s, 0, variant->way));
	ASSERT_EQ(0, vdev_reset(&pair(s)->v[0]));
	EXPECT_EQ(RUNNING, mig_get(&pair(s)->v[0]));
	ASSERT_EQ(0, come_back(s, variant->way));
	EXPECT_EQ(RUNNING, mig_get(&pair(s)->v[0]));
	EXPECT_EQ(0, whole_migration(s));
}

TEST_HARNESS_MAIN
