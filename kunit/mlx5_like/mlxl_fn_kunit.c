// SPDX-License-Identifier: GPL-2.0
/*
 * Controlled functions of mlx5_like, variants/mlx5_like/ctrl_fn.c and ctrl_configfs.c: who is
 * asked about them, and who is told, with a command queue of the test's own.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/module.h>

#include "../fake_function.h"

#include "../../variants/mlx5_like/ctrl.h"

static int fake_exec(struct mlxl_queue *q, u16 function, struct mlxl_command *cmd);
static bool fake_capability(struct pci_dev *pdev, u8 *cap, unsigned int bytes,
			    bool (*accepts)(const u8 *cap));
static void fake_announce(struct vpv_ctrl_life *life);

#define mlxl_queue_exec		fake_exec
#define mlxl_queue_submit(q, function, cmd)	fake_exec(q, function, cmd)
#define vpv_controlled_capability	fake_capability
#define vpv_ctrl_life_announce		fake_announce

#include "../../variants/mlx5_like/ctrl_fn.c"
#define fn_of fn_of_item
#include "../../variants/mlx5_like/ctrl_configfs.c"
#undef fn_of

#define FUNCTIONS	MLXL_MAX_FUNCTIONS

/**
 * struct fn_test - A controlling function, and those that it controls
 * @fake: The controlling function.
 * @controlled: One that it controls.
 * @ctrl: Its driver's.
 * @state: Of the functions: enum mlxl_fn_state.
 * @err: How questions about a function end.
 * @enable_err: How ENABLE ends, which is carried out; likewise DISABLE.
 * @provision_err: How PROVISION ends.
 * @questions: How often somebody asked.
 * @announced: Functions are to be asked about soon.
 * @watch: Hears of @controlled.
 * @told: How often.
 */
struct fn_test {
	struct fake_function fake;
	struct fake_function controlled;
	struct mlxl_ctrl ctrl;
	u32 state[FUNCTIONS];
	int err;
	int enable_err;
	int provision_err;
	unsigned int questions;
	bool announced;
	struct vpv_control_watch watch;
	unsigned int told;
};

static int fake_exec(struct mlxl_queue *q, u16 function, struct mlxl_command *cmd)
{
	struct fn_test *t = container_of(q, struct fn_test, ctrl.q);
	struct mlxl_function *fn = cmd->out;

	cmd->out_len = cmd->out_bytes;
	switch (cmd->opcode) {
	case MLXL_QUERY_FUNCTION:
		t->questions++;
		*fn = (struct mlxl_function){ .state = cpu_to_le32(t->state[function]) };
		return t->err;
	case MLXL_ENABLE:
		t->state[function] = MLXL_ENABLED;
		return t->enable_err;
	case MLXL_DISABLE:
		t->state[function] = MLXL_PROVISIONED;
		return t->enable_err;
	case MLXL_PROVISION:
		return t->provision_err;
	default:
		return 0;
	}
}

/* Every function is the last one. */
static bool fake_capability(struct pci_dev *pdev, u8 *cap, unsigned int bytes,
			    bool (*accepts)(const u8 *cap))
{
	memset(cap, 0, bytes);
	put_unaligned_le16(FUNCTIONS - 1, cap + MLXL_CAP_FUNCTION);
	return true;
}

static void fake_announce(struct vpv_ctrl_life *life)
{
	container_of(life, struct fn_test, ctrl.life)->announced = true;
}

/* As the library does. */
static int ask(struct fn_test *t, unsigned int nr)
{
	struct vpv_controlled *c = &t->ctrl.fn[nr].c;
	int ret;

	guard(mutex)(&t->ctrl.life.lock);
	ret = mlxl_fn_ask(&t->ctrl.life, c);
	if (!ret && c->enabled)
		vpv_controlled_publish(&t->ctrl.life.set, c);
	return ret;
}

static void fake_changed(struct vpv_control_watch *watch)
{
	container_of(watch, struct fn_test, watch)->told++;
}

static int fn_test_init(struct kunit *test)
{
	struct fn_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	fake_function_add(test, &t->fake, "vpv-mlx5-ctrl");
	fake_function_add(test, &t->controlled, "vpv-mlx5-fn");
	t->ctrl.life.pdev = t->fake.pdev;
	t->ctrl.life.set.pdev = t->fake.pdev;
	t->ctrl.life.set.lock = &t->ctrl.life.lock;
	t->ctrl.life.up = true;
	mutex_init(&t->ctrl.life.lock);
	INIT_LIST_HEAD(&t->ctrl.life.set.fns);
	mlxl_fns_prepare(&t->ctrl);
	t->ctrl.num_fns = FUNCTIONS;
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		t->ctrl.fn[i].ctrl = &t->ctrl;
		t->ctrl.fn[i].c.pdev = i ? t->fake.pdev : t->controlled.pdev;
	}
	t->watch = (struct vpv_control_watch){
		.controlled = &t->controlled.pdev->dev, .family = MLXL_FAMILY,
		.changed = fake_changed,
	};
	vpv_control_watch(&t->watch);
	return 0;
}

static void fn_test_exit(struct kunit *test)
{
	struct fn_test *t = test->priv;

	if (!t || !t->controlled.pdev)
		return;
	vpv_control_unwatch(&t->watch);
	scoped_guard(mutex, &t->ctrl.life.lock)
		vpv_controlled_withdraw(&t->ctrl.life.set, NULL);
	device_unregister(&t->controlled.pdev->dev);
	device_unregister(&t->fake.pdev->dev);
}

/* It may be open, and suspended as far as its driver knows: it has nothing of what it was. */
static void driver_of_a_function_that_is_enabled_is_told(struct kunit *test)
{
	struct fn_test *t = test->priv;
	struct mlxl_fn *fn = &t->ctrl.fn[0];

	KUNIT_EXPECT_EQ(test, mlxl_fn_enable(&fn->c), 0);
	KUNIT_EXPECT_EQ(test, t->state[0], (u32)MLXL_ENABLED);
	KUNIT_EXPECT_NOT_NULL(test, fn->c.control);
	KUNIT_EXPECT_EQ(test, t->told, 1U);

	/* Lost while it was published. */
	t->state[0] = MLXL_UNPROVISIONED;
	KUNIT_EXPECT_EQ(test, mlxl_fn_enable(&fn->c), 0);
	KUNIT_EXPECT_EQ(test, t->told, 2U);
}

/* There may be many, and each of their drivers would look. */
static void an_event_is_told_to_the_driver_of_its_function(struct kunit *test)
{
	DECLARE_BITMAP(events, MLXL_MAX_FUNCTIONS) = {};
	struct fn_test *t = test->priv;
	unsigned int told;

	KUNIT_EXPECT_EQ(test, mlxl_fn_enable(&t->ctrl.fn[0].c), 0);
	told = t->told;
	__set_bit(1, events);
	mlxl_fns_events(&t->ctrl, events);
	KUNIT_EXPECT_EQ(test, t->told, told);
	KUNIT_EXPECT_TRUE(test, t->ctrl.fn[1].c.news);
	KUNIT_EXPECT_FALSE(test, t->ctrl.fn[0].c.news);

	__set_bit(0, events);
	mlxl_fns_events(&t->ctrl, events);
	KUNIT_EXPECT_EQ(test, t->told, told + 1);
	KUNIT_EXPECT_TRUE(test, t->ctrl.fn[0].c.news);
}

static void one_that_is_not_there_is_no_question(struct kunit *test)
{
	struct fn_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, ask(t, 0), 0);
	KUNIT_EXPECT_EQ(test, t->questions, 1U);
	t->state[0] = MLXL_ENABLED;
	t->ctrl.fn[0].c.pdev = NULL;
	KUNIT_EXPECT_EQ(test, ask(t, 0), -ENXIO);
	KUNIT_EXPECT_EQ(test, t->questions, 1U);
	t->ctrl.fn[0].c.pdev = t->controlled.pdev;
	KUNIT_EXPECT_FALSE(test, t->ctrl.fn[0].c.enabled);
	KUNIT_EXPECT_EQ(test, ask(t, 0), 0);
	KUNIT_EXPECT_TRUE(test, t->ctrl.fn[0].c.enabled);
	t->err = -EREMOTEIO;
	KUNIT_EXPECT_EQ(test, ask(t, 0), -EREMOTEIO);
}

static void functions_are_told_apart_by_their_number(struct kunit *test)
{
	struct fn_test *t = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, fn_identify(&t->ctrl.life.set, t->fake.pdev),
			    &t->ctrl.fn[FUNCTIONS - 1].c);
	t->ctrl.num_fns = FUNCTIONS - 1;
	KUNIT_EXPECT_NULL(test, fn_identify(&t->ctrl.life.set, t->fake.pdev));
}

/* Whether it was carried out nobody knows. */
static void one_that_could_not_be_enabled_is_asked_about_again(struct kunit *test)
{
	struct fn_test *t = test->priv;

	t->enable_err = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, mlxl_fn_enable(&t->ctrl.fn[0].c), -ETIMEDOUT);
	KUNIT_EXPECT_NULL(test, t->ctrl.fn[0].c.control);
	KUNIT_EXPECT_TRUE(test, t->ctrl.fn[0].c.news);
	KUNIT_EXPECT_EQ(test, ask(t, 0), 0);
	KUNIT_EXPECT_NOT_NULL(test, t->ctrl.fn[0].c.control);
}

/* What was carried out of it counts: no driver may bind to a function that is disabled. */
static void one_that_could_not_be_taken_back_is_disabled(struct kunit *test)
{
	struct fn_test *t = test->priv;
	struct vpv_controlled *c = &t->ctrl.fn[0].c;

	KUNIT_EXPECT_EQ(test, mlxl_fn_enable(c), 0);
	KUNIT_ASSERT_NOT_NULL(test, c->control);
	t->provision_err = -EREMOTEIO;
	scoped_guard(mutex, &t->ctrl.life.lock)
		KUNIT_EXPECT_EQ(test, fn_take_back(c), -EREMOTEIO);
	KUNIT_EXPECT_NULL(test, c->control);
	KUNIT_EXPECT_FALSE(test, c->enabled);

	/* Whether it was disabled nobody knows. */
	t->provision_err = 0;
	KUNIT_EXPECT_EQ(test, mlxl_fn_enable(c), 0);
	KUNIT_ASSERT_NOT_NULL(test, c->control);
	WRITE_ONCE(c->news, false);
	t->enable_err = -ETIMEDOUT;
	scoped_guard(mutex, &t->ctrl.life.lock)
		KUNIT_EXPECT_EQ(test, fn_take_back(c), -ETIMEDOUT);
	KUNIT_EXPECT_NULL(test, c->control);
	KUNIT_EXPECT_TRUE(test, c->news);
	KUNIT_EXPECT_TRUE(test, t->announced);
	/* The answer is that it was. */
	KUNIT_EXPECT_EQ(test, ask(t, 0), 0);
	KUNIT_EXPECT_FALSE(test, c->enabled);
	KUNIT_EXPECT_NULL(test, c->control);
}

/* What the file says, without the newline; or a negative errno. */
static int enable_file(struct kunit *test)
{
	struct fn_test *t = test->priv;
	char *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	ssize_t ret;

	KUNIT_ASSERT_NOT_NULL(test, page);
	ret = fn_enable_show(&t->ctrl.fn[0].group.cg_item, page);
	return ret == 2 && page[1] == '\n' ? page[0] - '0' : ret < 0 ? ret : -EPROTO;
}

/* Everybody may read it, and firmware that is stuck is reset for the question. */
static void whoever_reads_asks_nobody(struct kunit *test)
{
	struct fn_test *t = test->priv;
	struct mlxl_fn *fn = &t->ctrl.fn[0];

	t->ctrl.num_fns = 1;
	KUNIT_EXPECT_EQ(test, enable_file(test), 0);
	KUNIT_EXPECT_EQ(test, mlxl_fn_enable(&fn->c), 0);
	t->questions = 0;
	t->err = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, enable_file(test), 1);
	KUNIT_EXPECT_EQ(test, t->questions, 0U);
	t->ctrl.life.up = false;
	KUNIT_EXPECT_EQ(test, enable_file(test), -ENOTCONN);
	t->ctrl.life.up = true;
	t->err = 0;

	scoped_guard(mutex, &t->ctrl.life.lock)
		KUNIT_EXPECT_EQ(test, fn_take_back(&fn->c), 0);
	KUNIT_EXPECT_EQ(test, enable_file(test), 0);

	/* The firmware may have it enabled by itself. */
	t->state[0] = MLXL_ENABLED;
	KUNIT_EXPECT_EQ(test, ask(t, 0), 0);
	KUNIT_EXPECT_EQ(test, enable_file(test), 1);
}

static struct kunit_case fn_cases[] = {
	KUNIT_CASE(driver_of_a_function_that_is_enabled_is_told),
	KUNIT_CASE(an_event_is_told_to_the_driver_of_its_function),
	KUNIT_CASE(one_that_is_not_there_is_no_question),
	KUNIT_CASE(functions_are_told_apart_by_their_number),
	KUNIT_CASE(one_that_could_not_be_enabled_is_asked_about_again),
	KUNIT_CASE(one_that_could_not_be_taken_back_is_disabled),
	KUNIT_CASE(whoever_reads_asks_nobody),
	{ }
};

static struct kunit_suite fn_suite = {
	.name = "mlx5_like_fn",
	.init = fn_test_init,
	.exit = fn_test_exit,
	.test_cases = fn_cases,
};

kunit_test_suite(fn_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of mlx5_like's controlled functions");
