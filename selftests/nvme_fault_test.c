// SPDX-License-Identifier: GPL-2.0
/*
 * Each command of the managing controller of nvme_cf fails, never ends, or takes long, in each
 * step of a migration that needs it.  Which commands a step needs is found out by the test; how
 * each of them may end is the tables of Documentation/nvme_cf.rst, here outcomes[].
 *
 * Whatever happened: afterwards a whole migration works, after a reset where there was an
 * ERROR.
 *
 * Groups: nvme-cf-fault
 */
#include "lib/nvmectrl.h"
#include "lib/nvmesweep.h"
#include "lib/states.h"
#include "lib/test.h"

/* Of a command; a stall is longer than a command, and shorter than that. */
#define TIMEOUT_MS	"2000"
#define STALL_MS	400

static const char *const commands[] = {
	"suspend", "resume", "get_state", "set_state", "profile_receive", "profile_send",
	"track_send", "track_receive",
};

#define COMMANDS ARRAY_SIZE(commands)

static int src_closed(struct sweep *s)
{
	vdev_close(&nvme_sweep_pair(s)->v[0]);
	return 0;
}

static int src_open(struct sweep *s)
{
	return nvme_pair_reopen(nvme_sweep_pair(s), 0);
}

static const struct sweep_step steps[] = {
	{ "quiesce",		0, sweep_nothing,		sweep_to_p2p,		RUNNING_P2P },
	{ "freeze",		0, sweep_to_p2p,		sweep_to_stop,		STOP },
	{ "thaw",		0, sweep_to_stop,		sweep_to_p2p,		RUNNING_P2P },
	{ "unquiesce",		0, sweep_to_p2p,		sweep_to_running,	RUNNING },
	{ "pre-copy",		0, sweep_nothing,		nvme_to_precopy,	PRE_COPY },
	{ "quiesce pre-copy",	0, nvme_to_precopy,		nvme_to_precopy_p2p,	PRE_COPY_P2P },
	{ "save",		0, sweep_to_stop,		nvme_to_stop_copy,	STOP_COPY },
	{ "load",		1, nvme_dst_resuming,		nvme_load,		RESUMING },
	{ "end of load",	1, nvme_dst_loaded,		nvme_dst_end,		STOP },
	{ "run",		1, nvme_dst_ready,		nvme_dst_run,		RUNNING },
	{ "start logging",	0, sweep_nothing,		nvme_log_on,		RUNNING },
	{ "report",		0, nvme_log_on,			nvme_log_report,	RUNNING },
	{ "stop logging",	0, nvme_log_on,			nvme_log_off,		RUNNING },
	{ "open",		0, src_closed,			src_open,		RUNNING },
};

/* What is done about a command that has not ended once. */
enum again {
	GIVEN_UP,	/* as if it never ended */
	TRIED_AGAIN,	/* the step succeeds */
	EITHER,
};

/**
 * struct outcome - How a step ends without a command that it needs
 * @step: The step.
 * @command: What does not work, all the time.
 * @err: When it fails.
 * @state: And the state then.
 * @hang_err: When it never ends.
 * @hang_state: And the state then.
 * @again: When it does not end once.
 */
struct outcome {
	const char *step;
	const char *command;
	int err;
	unsigned int state;
	int hang_err;
	unsigned int hang_state;
	enum again again;
};

/* Every other step gets where it leads without the command. */
static const struct outcome outcomes[] = {
	{ "quiesce", "suspend", -EREMOTEIO, RUNNING, -ETIMEDOUT, RUNNING },
	{ "unquiesce", "resume", -EREMOTEIO, RUNNING_P2P, -EIO, ERROR, TRIED_AGAIN },
	{ "pre-copy", "profile_receive", -EREMOTEIO, RUNNING, -ETIMEDOUT, RUNNING },
	{ "quiesce pre-copy", "suspend", -EREMOTEIO, PRE_COPY, -ETIMEDOUT, PRE_COPY },
	{ "save", "profile_receive", -EREMOTEIO, STOP, -ETIMEDOUT, STOP },
	{ "save", "get_state", -EREMOTEIO, STOP_COPY, -ETIMEDOUT, STOP_COPY },
	{ "load", "profile_receive", -EREMOTEIO, RESUMING, -ETIMEDOUT, RESUMING },
	{ "end of load", "set_state", -EINVAL, ERROR, -ETIMEDOUT, ERROR },
	{ "run", "resume", -EREMOTEIO, RUNNING_P2P, -EIO, ERROR, TRIED_AGAIN },
	/* The first one gives up what may be recorded. */
	{ "start logging", "track_send", -EREMOTEIO, RUNNING, -ETIMEDOUT, RUNNING, EITHER },
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
STEP(freeze, 1);
STEP(thaw, 2);
STEP(unquiesce, 3);
STEP(pre_copy, 4);
STEP(quiesce_pre_copy, 5);
STEP(save, 6);
STEP(load, 7);
STEP(end_of_load, 8);
STEP(run, 9);
STEP(start_logging, 10);
STEP(report, 11);
STEP(stop_logging, 12);
STEP(open, 13);

FIXTURE_SETUP(nvme_fault)
{
	int err = nvme_sweep_open(&self->n.s);

	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, sysfs_write(CTRL_TIMEOUT, TIMEOUT_MS));
}

FIXTURE_TEARDOWN(nvme_fault)
{
	sysfs_write(CTRL_TIMEOUT, "10000");
	nvme_sweep_close(&self->n.s);
}

static const struct outcome *outcome_of(const struct sweep_step *step, const char *command)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(outcomes); i++)
		if (!strcmp(outcomes[i].step, step->name) &&
		    !strcmp(outcomes[i].command, command))
			return &outcomes[i];
	return NULL;
}

enum mode { FAILS, HANGS, HANGS_ONCE, STALLS, MODES };

static const struct {
	const char *name;
	const char *fault;
	int num;
} modes[MODES] = {
	[FAILS]		= { "fails",		"fail",			0 },
	[HANGS]		= { "hangs",		"hang",			0 },
	[HANGS_ONCE]	= { "hangs once",	"hang count=1",		0 },
	[STALLS]	= { "stalls",		"delay=%u",		STALL_MS },
};

/* What is no ERROR goes on without a reset. */
static void go_on(struct __test_metadata *_metadata, struct sweep *s,
		  const struct sweep_step *step, unsigned int state)
{
	ASSERT_EQ(0, model_cmd(&nvme_sweep_pair(s)->ctrl[step->fn], "fault clear"));
	if (step->fn || state == SWEEP_CLOSED || state == ERROR)
		return;
	EXPECT_EQ(0, sweep_to_running(s));
	EXPECT_EQ(0, step->begin == src_closed ? 0 : nvme_sweep_work(s, false));
}

static void one(struct __test_metadata *_metadata, struct sweep *s, const struct sweep_step *step,
		const char *command, enum mode mode)
{
	const struct outcome *o = outcome_of(step, command);
	bool works = !o || mode == STALLS || (mode == HANGS_ONCE && o->again == TRIED_AGAIN);
	int want = works ? 0 : mode == FAILS ? o->err : o->hang_err, err;
	unsigned int end = works ? step->state : mode == FAILS ? o->state : o->hang_state, state;
	uint64_t begin;
	char fault[32];

	ASSERT_EQ(0, step->begin(s));
	snprintf(fault, sizeof(fault), modes[mode].fault, modes[mode].num);
	ASSERT_EQ(0, model_cmd(&nvme_sweep_pair(s)->ctrl[step->fn], "fault %s %s", command, fault));
	begin = now_ms();
	err = step->run(s);
	state = sweep_state(s, step);
	TH_LOG("%s: %s %s: %d, %s, %llu ms", step->name, command, modes[mode].name, err,
	       sweep_state_name(state), (unsigned long long)(now_ms() - begin));
	if (!o || o->again != EITHER || mode != HANGS_ONCE) {
		EXPECT_EQ(want, err);
		EXPECT_EQ(end, state);
	}
	go_on(_metadata, s, step, state);
	EXPECT_EQ(0, nvme_sweep_migrate(s));
}

static void taken(struct __test_metadata *_metadata, struct model *m, uint64_t *count)
{
	for (unsigned int i = 0; i < COMMANDS; i++)
		ASSERT_EQ(0, model_fault_taken(m, commands[i], &count[i]));
}

TEST_F_TIMEOUT(nvme_fault, each_command, 600)
{
	const struct sweep_step *step = &steps[variant->step];
	uint64_t before[COMMANDS], after[COMMANDS];
	struct sweep *s = &self->n.s;
	struct model *m = &nvme_sweep_pair(s)->ctrl[step->fn];

	ASSERT_EQ(0, step->begin(s));
	taken(_metadata, m, before);
	for (unsigned int i = 0; i < COMMANDS; i++)
		ASSERT_EQ(0, model_cmd(m, "fault %s delay=1", commands[i]));
	EXPECT_EQ(0, step->run(s));
	taken(_metadata, m, after);
	ASSERT_EQ(0, nvme_sweep_restore(s));

	for (unsigned int i = 0; i < COMMANDS; i++) {
		/* An outcome that nothing leads to tests nothing. */
		EXPECT_FALSE(outcome_of(step, commands[i]) && before[i] == after[i]) {
			TH_LOG("%s does not need %s", step->name, commands[i]);
		}
		for (unsigned int mode = 0; before[i] != after[i] && mode < MODES; mode++)
			one(_metadata, s, step, commands[i], mode);
	}
}

/* ---- An open that fails ---- */

FIXTURE(nvme_open_fault)
{
	struct nvme_sweep n;
};

FIXTURE_SETUP(nvme_open_fault)
{
	int err = nvme_sweep_open(&self->n.s);

	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(nvme_open_fault)
{
	nvme_sweep_close(&self->n.s);
}

/* Nobody has the controller: nothing goes on after it. */
TEST_F_TIMEOUT(nvme_open_fault, nothing_goes_on, 120)
{
	struct sweep *s = &self->n.s;
	struct model *m = &nvme_sweep_pair(s)->ctrl[0];
	uint64_t before, after;

	ASSERT_EQ(0, src_closed(s));
	ASSERT_EQ(0, model_cmd(m, "fault resume fail"));
	/* The reset of the second one could go on with what the first one has left. */
	EXPECT_EQ(-EREMOTEIO, src_open(s));
	EXPECT_EQ(-EREMOTEIO, src_open(s));
	ASSERT_EQ(0, model_fault_taken(m, "resume", &before));
	sleep(3);
	ASSERT_EQ(0, model_fault_taken(m, "resume", &after));
	EXPECT_EQ(before, after);
	EXPECT_EQ(0, nvme_sweep_migrate(s));
}

TEST_HARNESS_MAIN
