// SPDX-License-Identifier: GPL-2.0
/*
 * What suspends and resumes a function, variants/mlx5_like/hw.c and migrate.c, with a firmware of
 * the test's own, whose functions lose their suspension and whose commands have no end.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "../../variants/mlx5_like/mlx5_like.h"
#include "../fake_function.h"

static void fake_leave(struct vpv_control *control);

static u8 fake_bits(struct vmig_dev *mig);
static u32 fake_resets(const struct vmig_dev *mig);
static void fake_fault(struct vmig_dev *mig, u32 resets, const char *why);

#define vpv_control_leave(control)		fake_leave(control)
#include "../../variants/mlx5_like/hw.c"
#undef vpv_control_leave

#define vmig_state_bits				fake_bits
#define vmig_resets				fake_resets
#define vmig_fault_of				fake_fault
#include "../../variants/mlx5_like/match.c"
#include "../../variants/mlx5_like/io.c"
#include "../../variants/mlx5_like/save.c"
#include "../../variants/mlx5_like/dirty.c"
#include "../../variants/mlx5_like/migrate.c"

#define BOTH	(MLXL_FN_INITIATOR | MLXL_FN_RESPONDER)
#define NEVER	99

enum what_happens { NOTHING, FN_RESET, CTRL_RESET };

/**
 * struct power_case - One suspend or resume
 * @name: Of the case.
 * @suspend: It is a suspend.
 * @what: Half of the function.
 * @disabled: The firmware does not have it enabled.
 * @flags: What stands still before.
 * @fail_at: Number of the command that ends with @fail_err.
 * @fail_err: Its end.
 * @carried_out: That one was carried out nevertheless.
 * @for_good: So do all that follow.
 * @after: Number of the command after which @happens.
 * @happens: This.
 * @ret: What is returned.
 * @commands: Commands that the firmware was given.
 * @end: What stands still afterwards.
 */
struct power_case {
	const char *name;
	bool suspend;
	u32 what;
	bool disabled;
	u32 flags;
	unsigned int fail_at;
	int fail_err;
	bool carried_out;
	bool for_good;
	unsigned int after;
	enum what_happens happens;
	int ret;
	unsigned int commands;
	u32 end;
};

/* A resume of a half of a function of which both stand, or the initiator alone. */
#define THAW		.what = MLXL_RESPONDER, .flags = BOTH
#define UNQUIESCE	.what = MLXL_INITIATOR, .flags = MLXL_FN_INITIATOR
#define QUIESCE		.suspend = true, .what = MLXL_INITIATOR, .flags = 0
#define FAIL(at, err)	.fail_at = (at), .fail_err = (err)
#define SOUND		.fail_at = NEVER
#define ENDS(err, num, flags) .ret = (err), .commands = (num), .end = (flags)

static const struct power_case power_cases[] = {
	{ "thaw", THAW, SOUND, ENDS(0, 2, MLXL_FN_INITIATOR) },
	{ "unquiesce", UNQUIESCE, SOUND, ENDS(0, 2, 0) },
	{ "lost", .what = MLXL_INITIATOR, .flags = 0, SOUND, ENDS(-ESTALE, 1, 0) },
	{ "lost_the_other_half", .what = MLXL_RESPONDER, .flags = MLXL_FN_RESPONDER, SOUND,
	  ENDS(-ESTALE, 1, MLXL_FN_RESPONDER) },
	{ "not_enabled", THAW, .disabled = true, SOUND, ENDS(-ESTALE, 1, BOTH) },
	{ "question_fails", THAW, FAIL(0, -EREMOTEIO), ENDS(-EREMOTEIO, 1, BOTH) },
	{ "question_hangs", THAW, FAIL(0, -ETIMEDOUT), ENDS(-ETIMEDOUT, 1, BOTH) },
	{ "refused", THAW, FAIL(1, -EBADFD), ENDS(-EBADFD, 2, BOTH) },
	{ "reset_with_the_command", UNQUIESCE, FAIL(1, -ESTALE),
	  ENDS(-ESTALE, 2, MLXL_FN_INITIATOR) },
	{ "hangs", THAW, FAIL(1, -ETIMEDOUT), ENDS(-ETIMEDOUT, 3, BOTH) },
	{ "hangs_and_was_carried_out", THAW, FAIL(1, -ETIMEDOUT), .carried_out = true,
	  ENDS(0, 3, MLXL_FN_INITIATOR) },
	{ "hangs_and_nobody_answers", UNQUIESCE, FAIL(1, -ETIMEDOUT), .for_good = true,
	  ENDS(-EIO, 3, MLXL_FN_INITIATOR) },
	{ "hangs_and_the_function_is_reset", UNQUIESCE, FAIL(1, -ETIMEDOUT), .after = 1,
	  .happens = FN_RESET, ENDS(-ESTALE, 3, 0) },
	{ "hangs_and_the_controlling_function_is_reset", UNQUIESCE, FAIL(1, -ECONNABORTED),
	  .carried_out = true, .after = 1, .happens = CTRL_RESET, ENDS(0, 3, 0) },
	{ "controlling_function_is_reset_after_the_question", UNQUIESCE, SOUND, .after = 0,
	  .happens = CTRL_RESET, ENDS(-ENOTCONN, 1, MLXL_FN_INITIATOR) },
	{ "quiesce", QUIESCE, SOUND, ENDS(0, 1, MLXL_FN_INITIATOR) },
	{ "quiesce_hangs", QUIESCE, FAIL(0, -ETIMEDOUT), ENDS(-ETIMEDOUT, 2, 0) },
	{ "quiesce_hangs_and_nobody_answers", QUIESCE, FAIL(0, -ETIMEDOUT), .for_good = true,
	  ENDS(-EIO, 2, 0) },
	{ "quiesce_hangs_and_was_carried_out", QUIESCE, FAIL(0, -ETIMEDOUT), .carried_out = true,
	  ENDS(0, 2, MLXL_FN_INITIATOR) },
	{ "quiesce_hangs_and_the_function_is_reset", QUIESCE, FAIL(0, -ETIMEDOUT),
	  .carried_out = true, .after = 0, .happens = FN_RESET, ENDS(-ETIMEDOUT, 2, 0) },
};

static void power_describe(const struct power_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(power, power_cases, power_describe);

/**
 * struct power_test - A function, and who controls it
 * @md: As its driver has it.
 * @fn: The function.
 * @dma: For buffers, which there are none of.
 * @control: What is published.
 * @c: The case.
 * @flags: What stands still.
 * @resets: Of the function.
 * @commands: Commands that were given.
 * @reported: Resets that the library was told of.
 * @reset_in: It is told of one after it was asked for the state so many times; 0: it is not.
 * @faults: Faults that it has put the function into ERROR for.
 */
struct power_test {
	struct mlxl_dev md;
	struct fake_function fn;
	struct vpv_ctrl_dma *dma;
	struct vpv_control *control;
	const struct power_case *c;
	u32 flags;
	u32 resets;
	unsigned int commands;
	u32 reported;
	unsigned int reset_in;
	unsigned int faults;
};

static struct power_test *current_test;

/* Stopped.  The reset comes, and is over, when the answer has been given. */
static u8 fake_bits(struct vmig_dev *mig)
{
	struct power_test *t = current_test;

	if (t->reset_in && !--t->reset_in)
		t->reported++;
	return 0;
}

static u32 fake_resets(const struct vmig_dev *mig)
{
	return current_test->reported;
}

static void fake_fault(struct vmig_dev *mig, u32 resets, const char *why)
{
	current_test->faults += resets == current_test->reported;
}

static void carry_out(struct power_test *t, struct mlxl_command *cmd)
{
	struct mlxl_function *fn = cmd->out;
	u32 half;

	if (cmd->opcode == MLXL_QUERY_FUNCTION) {
		*fn = (struct mlxl_function){
			.state = cpu_to_le32(t->c->disabled ? MLXL_PROVISIONED : MLXL_ENABLED),
			.flags = cpu_to_le32(t->flags),
			.resets = cpu_to_le32(t->resets),
		};
		cmd->out_len = sizeof(*fn);
		return;
	}
	half = mlxl_half(le32_to_cpu(*(const __le32 *)cmd->in));
	if (cmd->opcode == MLXL_SUSPEND)
		t->flags |= half;
	else
		t->flags &= ~half;
}

static int fake_exec(void *priv, struct mlxl_command *cmd)
{
	struct power_test *t = priv;
	unsigned int nr = t->commands++;
	bool fails = nr == t->c->fail_at || (t->c->for_good && nr > t->c->fail_at);

	if (!fails || t->c->carried_out)
		carry_out(t, cmd);
	return fails ? t->c->fail_err : 0;
}

static const struct mlxl_control_ops fake_control_ops = {
	.exec = fake_exec,
};

static struct vpv_control *publish(struct power_test *t)
{
	return vpv_control_publish(&t->fn.pdev->dev, MLXL_FAMILY, &fake_control_ops, t, t->dma);
}

/* A command has ended, and the next one has not begun. */
static void fake_leave(struct vpv_control *control)
{
	struct power_test *t = current_test;

	vpv_control_leave(control);
	if (t->c->happens == NOTHING || t->commands != t->c->after + 1)
		return;
	if (t->c->happens == FN_RESET) {
		t->flags = 0;
		t->resets++;
		t->reported++;
		return;
	}
	vpv_control_withdraw(t->control);
	t->control = publish(t);
}

static int power_init(struct kunit *test)
{
	struct power_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	current_test = t;
	fake_function_add(test, &t->fn, "vpv-mlx5-power");
	t->md.m.vpv.pdev = t->fn.pdev;
	INIT_DELAYED_WORK(&t->md.check, mlxl_check);
	t->dma = vpv_ctrl_dma_new(&t->fn.pdev->dev);
	KUNIT_ASSERT_NOT_NULL(test, t->dma);
	t->control = publish(t);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->control);
	return 0;
}

static void power_exit(struct kunit *test)
{
	struct power_test *t = test->priv;

	if (!t || !t->fn.pdev)
		return;
	if (!IS_ERR(t->control))
		vpv_control_withdraw(t->control);
	if (t->dma)
		vpv_ctrl_dma_free(t->dma);
	device_unregister(&t->fn.pdev->dev);
}

/* A function that has lost its suspension is not told to run as if it still had its state. */
static void suspension_is_what_the_firmware_says(struct kunit *test)
{
	const struct power_case *c = test->param_value;
	u32 halves = c->what == MLXL_RESPONDER ? BOTH : MLXL_FN_INITIATOR;
	struct power_test *t = test->priv;
	int err;

	t->c = c;
	t->flags = c->flags;
	if (c->suspend)
		err = mlxl_hw_suspend(&t->md, c->what);
	else
		err = mlxl_hw_resume(&t->md, c->what, halves);
	KUNIT_EXPECT_EQ(test, err, c->ret);
	KUNIT_EXPECT_EQ(test, t->commands, c->commands);
	KUNIT_EXPECT_EQ(test, t->flags, c->end);
}

/* Whatever it did before. */
static void function_is_told_to_run(struct kunit *test)
{
	static const struct power_case sound = { SOUND };
	struct power_test *t = test->priv;

	t->c = &sound;
	for (t->flags = 0; t->flags <= BOTH; t->flags++) {
		const u32 flags = t->flags;

		KUNIT_EXPECT_EQ(test, mlxl_hw_run(&t->md), 0);
		KUNIT_EXPECT_EQ(test, t->flags, 0U);
		t->flags = flags;
	}
}

static void nobody_controls_the_function(struct kunit *test)
{
	struct power_test *t = test->priv;

	vpv_control_withdraw(t->control);
	t->control = ERR_PTR(-ENOTCONN);
	KUNIT_EXPECT_EQ(test, mlxl_hw_resume(&t->md, MLXL_INITIATOR, MLXL_FN_INITIATOR),
			-ENOTCONN);
	KUNIT_EXPECT_EQ(test, mlxl_hw_suspend(&t->md, MLXL_INITIATOR), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, mlxl_hw_run(&t->md), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, t->commands, 0U);
}

/* Noticed by the work: a reset that is over meanwhile has made good what was lost. */
static void loss_is_a_fault_unless_a_reset_followed(struct kunit *test)
{
	static const struct power_case losses[] = {
		{ "suspension", SOUND },
		{ "function", .disabled = true, .flags = MLXL_FN_INITIATOR, SOUND },
	};
	struct power_test *t = test->priv;

	t->md.halves = MLXL_FN_INITIATOR;
	for (unsigned int i = 0; i < ARRAY_SIZE(losses); i++) {
		t->c = &losses[i];
		t->flags = t->c->flags;
		t->faults = 0;
		mlxl_check(&t->md.check.work);
		KUNIT_EXPECT_EQ_MSG(test, t->faults, 1U, "%s", t->c->name);
		t->reset_in = 2;
		mlxl_check(&t->md.check.work);
		KUNIT_EXPECT_EQ_MSG(test, t->reset_in, 0U, "%s", t->c->name);
		KUNIT_EXPECT_EQ_MSG(test, t->faults, 1U, "%s", t->c->name);
	}
}

/* Noticed by a hook; the reset is one without an announcement, after an error of the bus. */
static void resume_without_suspension_is_a_fault_unless_a_reset_followed(struct kunit *test)
{
	static const struct power_case sound = { SOUND };
	static const struct power_case reset = { SOUND, .after = 0, .happens = FN_RESET };
	struct power_test *t = test->priv;

	t->c = &sound;
	t->md.halves = MLXL_FN_INITIATOR;
	KUNIT_EXPECT_EQ(test, mlxl_unquiesce(&t->md.m.mig), -EIO);
	KUNIT_EXPECT_EQ(test, t->faults, 1U);
	t->c = &reset;
	t->commands = 0;
	KUNIT_EXPECT_EQ(test, mlxl_unquiesce(&t->md.m.mig), -EIO);
	KUNIT_EXPECT_EQ(test, t->reported, 1U);
	KUNIT_EXPECT_EQ(test, t->faults, 1U);
	KUNIT_EXPECT_EQ(test, t->md.halves, (u32)MLXL_FN_INITIATOR);
}

static struct kunit_case power_test_cases[] = {
	KUNIT_CASE_PARAM(suspension_is_what_the_firmware_says, power_gen_params),
	KUNIT_CASE(function_is_told_to_run),
	KUNIT_CASE(nobody_controls_the_function),
	KUNIT_CASE(loss_is_a_fault_unless_a_reset_followed),
	KUNIT_CASE(resume_without_suspension_is_a_fault_unless_a_reset_followed),
	{ }
};

static struct kunit_suite power_suite = {
	.name = "mlx5_like_power",
	.init = power_init,
	.exit = power_exit,
	.test_cases = power_test_cases,
};

kunit_test_suite(power_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of mlx5_like's suspend and resume");
