// SPDX-License-Identifier: GPL-2.0
/*
 * Each firmware command fails, never ends, or takes long, in each step of a migration
 * that needs it.  Which commands a step needs is found out by the test; how each of
 * them may end is the table of Documentation/mlx5_like.rst, here outcomes[].
 *
 * Whatever happened: without a fault the function goes on, after a reset where it is
 * in ERROR, and a whole migration works.
 *
 * Groups: mlx5-fault
 */
#include <stddef.h>

#include "lib/dmalog.h"
#include "lib/mlxlpair.h"
#include "lib/states.h"
#include "lib/sweep.h"
#include "lib/test.h"

/* Shorter than the bound of a command, longer than a command. */
#define STALL_MS	300
#define SOME_BYTES	65536
/* What a round of pre-copy is worth while for. */
#define DIRTY_PAGES	128

static const char *const commands[] = {
	"query_caps", "query_function", "provision", "enable", "disable",
	"suspend_initiator", "suspend_responder", "resume_initiator", "resume_responder",
	"query_image", "save_begin", "save_chunk", "save_end", "load_begin", "load_chunk",
	"load_end", "tracker_create", "tracker_arm", "tracker_query", "tracker_destroy",
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/**
 * struct mlxl_sweep - One step under test
 * @s: The step.
 * @p: The functions.
 * @image: A stream that the destination takes.
 * @out: What was read of the source.
 */
struct mlxl_sweep {
	struct sweep s;
	struct mlxl_pair p;
	struct blob image;
	struct blob out;
};

static struct mlxl_sweep *of(struct sweep *s)
{
	return (struct mlxl_sweep *)((char *)s - offsetof(struct mlxl_sweep, s));
}

/* ---- Steps ---- */

/* 0 at the end of the file, or where pre-copy is drained. */
static int pull(struct sweep *s)
{
	int err = blob_pull(&of(s)->out, s->fd, 0);

	return err == -ENOMSG ? 0 : err;
}

static int pull_some(struct sweep *s)
{
	uint8_t buf[SOME_BYTES];

	ssize_t n = read(s->fd, buf, sizeof(buf));

	return n > 0 ? blob_append(&of(s)->out, buf, n) : -errno;
}

static int to_precopy(struct sweep *s)
{
	int err = sweep_set(s, 0, PRE_COPY);

	return err ? err : pull(s);
}

static int to_precopy_and_dirty(struct sweep *s)
{
	int err = to_precopy(s);

	return err ? err : model_cmd(&of(s)->p.fn[0], "dirty %u", DIRTY_PAGES);
}

static int in_precopy(struct sweep *s)
{
	int err = sweep_set(s, 0, PRE_COPY);

	return err ? err : pull_some(s);
}

static int to_precopy_p2p(struct sweep *s)
{
	return sweep_set(s, 0, PRE_COPY_P2P);
}

static int precopy_p2p(struct sweep *s)
{
	int err = to_precopy_and_dirty(s);

	return err ? err : to_precopy_p2p(s);
}

static int to_stop_copy(struct sweep *s)
{
	int err = sweep_set(s, 0, STOP_COPY);

	return err ? err : pull(s);
}

static int in_stop_copy(struct sweep *s)
{
	int err = sweep_set(s, 0, STOP_COPY);

	return err ? err : pull_some(s);
}

static int estimate(struct sweep *s)
{
	uint64_t bytes = 0;
	int err = mig_data_size(&of(s)->p.v[0], &bytes);

	return err || bytes ? err : -ENODATA;
}

static int dst_stop(struct sweep *s)
{
	return sweep_set(s, 1, STOP);
}

static int dst_resuming(struct sweep *s)
{
	return sweep_set(s, 1, RESUMING);
}

static int load(struct sweep *s)
{
	return blob_push(&of(s)->image, s->fd, 0, of(s)->image.bytes, 0);
}

static int load_half(struct sweep *s)
{
	int err = dst_resuming(s);

	return err ? err : blob_push(&of(s)->image, s->fd, 0, of(s)->image.bytes / 2, 0);
}

static int dst_loaded(struct sweep *s)
{
	int err = dst_resuming(s);

	return err ? err : load(s);
}

static int dst_loaded_stop(struct sweep *s)
{
	int err = dst_loaded(s);

	return err ? err : dst_stop(s);
}

static int dst_running(struct sweep *s)
{
	return sweep_set(s, 1, RUNNING);
}

static int log_start(struct sweep *s)
{
	return mlxl_log_start(&of(s)->p.v[0]);
}

/* Wherever the report comes from: what is written is in it. */
static int log_report(struct sweep *s)
{
	uint64_t bitmap[VNET_PAGES / 64] = { 0 };
	unsigned int page = mlxl_pair_page(&of(s)->p);
	int err = mlxl_pair_echo(&of(s)->p, 0);

	err = err ? err : mlxl_log_report(&of(s)->p.v[0], bitmap);
	return err || bitmap[page / 64] >> (page % 64) & 1 ? err : -EILSEQ;
}

static int log_stop(struct sweep *s)
{
	return dma_log_stop(&of(s)->p.v[0]);
}

static int src_open(struct sweep *s)
{
	return mlxl_pair_open_fn(&of(s)->p, 0);
}

static int src_close(struct sweep *s)
{
	mlxl_pair_close_fn(&of(s)->p, 0);
	return 0;
}

static int logging_stop_copy(struct sweep *s)
{
	int err = log_start(s);

	return err ? err : in_stop_copy(s);
}

static int dst_unbound(struct sweep *s)
{
	mlxl_pair_close_fn(&of(s)->p, 1);
	return vdev_unbind(of(s)->p.slots[1].bdf);
}

static int dst_take_back(struct sweep *s)
{
	return mlxl_config_write(&of(s)->p.ctrl, of(s)->p.slots[1].index, "enable", "0");
}

static int dst_disabled(struct sweep *s)
{
	int err = dst_unbound(s);

	return err ? err : dst_take_back(s);
}

static int dst_provision(struct sweep *s)
{
	return mlxl_config_write(&of(s)->p.ctrl, of(s)->p.slots[1].index, "enable", "1");
}

static int ctrl_unbound(struct sweep *s)
{
	return vdev_unbind(of(s)->p.ctrl.bdf);
}

static int ctrl_bind(struct sweep *s)
{
	return mlxl_control(&of(s)->p.ctrl);
}

static const struct sweep_step steps[] = {
	{ "quiesce",		0, sweep_nothing,		sweep_to_p2p,		RUNNING_P2P },
	{ "freeze",		0, sweep_to_p2p,		sweep_to_stop,		STOP },
	{ "thaw",		0, sweep_to_stop,		sweep_to_p2p,		RUNNING_P2P },
	{ "unquiesce",		0, sweep_to_p2p,		sweep_to_running,	RUNNING },
	{ "pre-copy",		0, sweep_nothing,		to_precopy,		PRE_COPY },
	{ "round",		0, to_precopy_and_dirty,	pull,			PRE_COPY },
	{ "cancel pre-copy",	0, in_precopy,			sweep_to_running,	RUNNING },
	{ "quiesce pre-copy",	0, to_precopy,			to_precopy_p2p,		PRE_COPY_P2P },
	{ "final image",	0, precopy_p2p,			to_stop_copy,		STOP_COPY },
	{ "save",		0, sweep_to_stop,		to_stop_copy,		STOP_COPY },
	{ "end of save",	0, in_stop_copy,		sweep_to_stop,		STOP },
	{ "estimate",		0, sweep_nothing,		estimate,		RUNNING },
	{ "begin of load",	1, dst_stop,			dst_resuming,		RESUMING },
	{ "load",		1, dst_resuming,		load,			RESUMING },
	{ "end of load",	1, dst_loaded,			dst_stop,		STOP },
	{ "run",		1, dst_loaded_stop,		dst_running,		RUNNING },
	{ "give up load",	1, load_half,			dst_stop,		ERROR },
	{ "start logging",	0, sweep_nothing,		log_start,		RUNNING },
	{ "report",		0, log_start,			log_report,		RUNNING },
	{ "stop logging",	0, log_start,			log_stop,		RUNNING },
	{ "open",		0, src_close,			src_open,		RUNNING },
	{ "close",		0, logging_stop_copy,		src_close,		SWEEP_CLOSED },
	{ "provision",		1, dst_disabled,		dst_provision,		SWEEP_CLOSED },
	{ "take back",		1, dst_unbound,			dst_take_back,		SWEEP_CLOSED },
	{ "bind controlling",	0, ctrl_unbound,		ctrl_bind,		RUNNING },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

/**
 * struct outcome - How a step ends without a command that it needs
 * @step: The step.
 * @command: What does not work, all the time: the end is its error.
 * @state: And the state then.
 *
 * Every other step gets where it leads without the command.
 */
struct outcome {
	const char *step;
	const char *command;
	unsigned int state;
};

static const struct outcome outcomes[] = {
	{ "quiesce", "suspend_initiator", RUNNING },
	{ "freeze", "suspend_responder", RUNNING_P2P },
	{ "thaw", "query_function", STOP },
	{ "thaw", "resume_responder", STOP },
	{ "unquiesce", "query_function", RUNNING_P2P },
	{ "unquiesce", "resume_initiator", RUNNING_P2P },
	{ "pre-copy", "query_function", RUNNING },
	{ "quiesce pre-copy", "suspend_initiator", PRE_COPY },
	{ "final image", "suspend_responder", PRE_COPY_P2P },
	{ "final image", "save_begin", STOP_COPY },
	{ "final image", "save_chunk", STOP_COPY },
	{ "save", "query_function", STOP },
	{ "save", "save_begin", STOP_COPY },
	{ "save", "save_chunk", STOP_COPY },
	{ "load", "query_function", RESUMING },
	{ "load", "load_begin", RESUMING },
	{ "load", "load_chunk", RESUMING },
	{ "load", "load_end", RESUMING },
	{ "run", "query_function", STOP },
	{ "run", "resume_initiator", RUNNING_P2P },
	{ "run", "resume_responder", STOP },
	{ "start logging", "tracker_create", RUNNING },
	{ "start logging", "tracker_arm", RUNNING },
	{ "provision", "query_function", SWEEP_CLOSED },
	{ "provision", "provision", SWEEP_CLOSED },
	{ "provision", "enable", SWEEP_CLOSED },
	{ "take back", "query_function", SWEEP_CLOSED },
	{ "take back", "disable", SWEEP_CLOSED },
	{ "take back", "provision", SWEEP_CLOSED },
	{ "bind controlling", "query_caps", RUNNING },
};

static const struct outcome *outcome_of(const struct sweep_step *step, const char *command)
{
	for (unsigned int i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (!strcmp(outcomes[i].step, step->name) &&
		    !strcmp(outcomes[i].command, command))
			return &outcomes[i];
	return NULL;
}

/* ---- The test ---- */

FIXTURE(mlx5_fault)
{
	struct mlxl_sweep m;
};

FIXTURE_VARIANT(mlx5_fault)
{
	unsigned int step;
};

#define STEP(_name, _step) \
	FIXTURE_VARIANT_ADD(mlx5_fault, _name) { .step = _step }

STEP(quiesce, 0);
STEP(freeze, 1);
STEP(thaw, 2);
STEP(unquiesce, 3);
STEP(pre_copy, 4);
STEP(round, 5);
STEP(cancel_pre_copy, 6);
STEP(quiesce_pre_copy, 7);
STEP(final_image, 8);
STEP(save, 9);
STEP(end_of_save, 10);
STEP(estimate, 11);
STEP(begin_of_load, 12);
STEP(load, 13);
STEP(end_of_load, 14);
STEP(run, 15);
STEP(give_up_load, 16);
STEP(start_logging, 17);
STEP(report, 18);
STEP(stop_logging, 19);
STEP(open, 20);
STEP(close, 21);
STEP(provision, 22);
STEP(take_back, 23);
STEP(bind_controlling, 24);

FIXTURE_SETUP(mlx5_fault)
{
	struct sweep *s = &self->m.s;
	int err;

	sweep_init(s, self->m.p.v);
	err = mlxl_pair_open(&of(s)->p);
	if (err == TOO_FEW)
		SKIP(return, "no two functions mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, mlxl_pair_reset(&of(s)->p));
	if (steps[variant->step].fn) {
		ASSERT_EQ(0, mig_save(&of(s)->p.v[0], &of(s)->image, false));
		ASSERT_EQ(0, mlxl_pair_reset(&of(s)->p));
	}
}

FIXTURE_TEARDOWN(mlx5_fault)
{
	sweep_fd_close(&self->m.s);
	blob_free(&self->m.image);
	blob_free(&self->m.out);
	mlxl_pair_close(&self->m.p);
}

static void taken(struct __test_metadata *_metadata, struct sweep *s, uint64_t *count)
{
	for (unsigned int i = 0; i < COMMANDS; i++)
		ASSERT_EQ(0, model_fault_taken(&of(s)->p.fw, commands[i], &count[i]));
}

/* Everything is there, bound, open and runs. */
static void restore(struct __test_metadata *_metadata, struct sweep *s)
{
	sweep_fd_close(s);
	blob_free(&of(s)->out);
	ASSERT_EQ(0, model_cmd(&of(s)->p.fw, "fault clear"));
	ASSERT_EQ(0, mlxl_control(&of(s)->p.ctrl));
	ASSERT_EQ(2, mlxl_functions(of(s)->p.slots, 2));
	for (unsigned int i = 0; i < 2; i++)
		if (of(s)->p.v[i].fd < 0)
			ASSERT_EQ(0, mlxl_pair_open_fn(&of(s)->p, i));
	dma_log_stop(&of(s)->p.v[0]);
	ASSERT_EQ(0, mlxl_pair_reset(&of(s)->p));
}

/* A session that goes on ends well: what pre-copy lost is in the final image. */
static bool finish(struct __test_metadata *_metadata, struct sweep *s)
{
	int state = mig_get(&of(s)->p.v[0]);

	if (state == PRE_COPY || state == PRE_COPY_P2P) {
		EXPECT_EQ(0, to_stop_copy(s));
	} else if (state != STOP_COPY) {
		return false;
	}
	EXPECT_EQ(0, vdev_bus_master(&of(s)->p.v[1], true));
	EXPECT_EQ(0, mig_load(&of(s)->p.v[1], &of(s)->out, RUNNING));
	EXPECT_EQ(0, mlxl_pair_echo(&of(s)->p, 1));
	return true;
}

/* Without a fault it goes on; only ERROR needs a reset. */
static void recover(struct __test_metadata *_metadata, struct sweep *s,
		    const struct sweep_step *step, int err)
{
	struct vdev *v = &of(s)->p.v[step->fn];
	unsigned int flags = 0;
	bool was_reset = false;

	ASSERT_EQ(0, model_cmd(&of(s)->p.fw, "fault clear"));
	if (v->fd >= 0 && (step->fn || err || !finish(_metadata, s))) {
		/* A destination that refused a stream does not run it. */
		if (err && (step->run == load || step->run == dst_stop))
			EXPECT_NE(0, mig_set(v, RUNNING, NULL));
		was_reset = mig_get(v) == ERROR;
		if (was_reset)
			ASSERT_EQ(0, vdev_reset(v));
		EXPECT_EQ(0, mig_set(v, RUNNING, NULL));
		ASSERT_EQ(0, mlxl_pair_flags(&of(s)->p, step->fn, &flags));
		EXPECT_EQ(0U, flags & MLXL_FN_SUSPENDED);
		if (!step->fn && was_reset)
			ASSERT_EQ(0, vnet_start(&of(s)->p.net, v));
		if (!step->fn)
			EXPECT_EQ(0, mlxl_pair_echo(&of(s)->p, 0));
	}
	restore(_metadata, s);
	EXPECT_EQ(0, mlxl_pair_migrate(&of(s)->p, err & 1));
	ASSERT_EQ(0, mlxl_pair_reset(&of(s)->p));
}

struct mode {
	const char *name;
	const char *fault;
	int num;
};

enum { FAILS, HANGS, FAILS_ONCE, HANGS_ONCE, STALLS, MODES };

static const struct mode modes[MODES] = {
	[FAILS]		= { "fails",		"fail",			0 },
	[HANGS]		= { "hangs",		"hang",			0 },
	[FAILS_ONCE]	= { "fails once",	"fail count=1",		0 },
	[HANGS_ONCE]	= { "hangs once",	"hang count=1",		0 },
	[STALLS]	= { "stalls",		"delay=%u count=1",	STALL_MS },
};

static void one(struct __test_metadata *_metadata, struct sweep *s, const struct sweep_step *step,
		const char *command, unsigned int mode)
{
	const struct outcome *o = outcome_of(step, command);
	int err, state, want_err = 0, want_state = step->state;
	char fault[64];
	uint64_t begin;

	ASSERT_EQ(0, step->begin(s));
	snprintf(fault, sizeof(fault), modes[mode].fault, modes[mode].num);
	ASSERT_EQ(0, model_cmd(&of(s)->p.fw, "fault %s %s", command, fault));
	begin = now_ms();
	err = step->run(s);
	state = sweep_state(s, step);
	TH_LOG("%s: %s %s: %d, %s, %llu ms", step->name, command, modes[mode].name, err,
	       sweep_state_name(state),
	       (unsigned long long)(now_ms() - begin));
	if (o && mode <= HANGS) {
		want_err = mode == HANGS ? -ETIMEDOUT : -EREMOTEIO;
		want_state = o->state;
	}
	/* Once may be once too often, or not. */
	if (mode != FAILS_ONCE && mode != HANGS_ONCE) {
		EXPECT_EQ(want_err, err);
		EXPECT_EQ(want_state, state);
	}
	recover(_metadata, s, step, err);
}

TEST_F_TIMEOUT(mlx5_fault, each_command, 900)
{
	const struct sweep_step *step = &steps[variant->step];
	uint64_t before[COMMANDS], after[COMMANDS];
	struct sweep *s = &self->m.s;

	ASSERT_EQ(0, step->begin(s));
	taken(_metadata, s, before);
	for (unsigned int i = 0; i < COMMANDS; i++)
		ASSERT_EQ(0, model_cmd(&of(s)->p.fw, "fault %s delay=1", commands[i]));
	EXPECT_EQ(step->state == ERROR ? -ENODATA : 0, step->run(s));
	taken(_metadata, s, after);
	restore(_metadata, s);

	for (unsigned int i = 0; i < COMMANDS; i++)
		for (unsigned int mode = 0; before[i] != after[i] && mode < MODES; mode++)
			one(_metadata, s, step, commands[i], mode);
}

TEST_HARNESS_MAIN
