// SPDX-License-Identifier: GPL-2.0
/*
 * Migratable controllers of nvme_cf, variants/nvme_cf/ctrl_fn.c: what is published, and when there
 * is news; and those that somebody has left enabled, which are reset before a profile is given or
 * taken.  Commands and resets are the test's own.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "../fake_function.h"

#include "../../variants/nvme_cf/ctrl.h"

static int fake_exec(struct nvcf_queue *q, struct nvcf_admin *cmd);
static int fake_reset(struct pci_dev *pdev);
static void fake_announce(struct vpv_ctrl_life *life);

#define nvcf_queue_exec(q, cmd)		fake_exec(q, cmd)
#define pci_reset_function_locked(pdev)	fake_reset(pdev)
#define vpv_ctrl_life_announce		fake_announce

#include "../../variants/nvme_cf/ctrl_fn.c"
#include "../../variants/nvme_cf/ctrl_wire.c"

#define CNTLID		7	/* of the first one */
#define FUNCTIONS	NVCF_MAX_FUNCTIONS

static struct fn_test *current_test;

/**
 * struct fn_test - A managing controller, and those that it manages
 * @fake: The managing controller.
 * @controlled: The function of the first one of the others, which alone is there.
 * @ctrl: Its driver's.
 * @err: How questions about one end.
 * @send_err: How giving and taking a profile end, which are carried out.
 * @announced: What is left is to be done soon.
 * @given: The first one has a profile.
 * @enabled: Somebody has enabled it.
 * @resets: How often its function was reset.
 * @unlocked: Once without the config access lock: user space may have been at it meanwhile.
 */
struct fn_test {
	struct fake_function fake;
	struct fake_function controlled;
	struct nvcf_ctrl ctrl;
	int err;
	int send_err;
	bool announced;
	bool given;
	bool enabled;
	unsigned int resets;
	bool unlocked;
};

static int fake_exec(struct nvcf_queue *q, struct nvcf_admin *cmd)
{
	struct fn_test *t = current_test;

	switch (cmd->sqe.opcode) {
	case NVCF_ADMIN_PROFILE_RECEIVE:
		cmd->dw0 = t->given ? NVCF_PROFILE_GIVEN : 0;
		return t->err;
	case NVCF_ADMIN_PROFILE_SEND:
		if (t->enabled) {
			cmd->status = NVS_SC_COMMAND_SEQUENCE;
			return -EREMOTEIO;
		}
		t->given = le32_to_cpu(cmd->sqe.cdw10) == NVCF_PROFILE_GIVE;
		return t->send_err;
	default:
		return -EINVAL;
	}
}

static int fake_reset(struct pci_dev *pdev)
{
	current_test->resets++;
	current_test->unlocked |= !pdev->block_cfg_access;
	current_test->enabled = false;
	return 0;
}

static void fake_announce(struct vpv_ctrl_life *life)
{
	current_test->announced = true;
}

/* As the library does. */
static int ask(struct fn_test *t, struct nvcf_fn *fn)
{
	int ret;

	guard(mutex)(&t->ctrl.life.lock);
	ret = nvcf_fn_ask(&t->ctrl.life, &fn->c);
	if (!ret && fn->c.enabled)
		vpv_controlled_publish(&t->ctrl.life.set, &fn->c);
	return ret;
}

static int fn_test_init(struct kunit *test)
{
	struct fn_test *t = kvzalloc_obj(*t, GFP_KERNEL);
	struct vpv_controlled_set *set = &t->ctrl.life.set;
	u16 cntlid[FUNCTIONS];

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	current_test = t;
	fake_function_add(test, &t->fake, "vpv-nvme-ctrl");
	fake_function_add(test, &t->controlled, "vpv-nvme-fn");
	t->ctrl.life.pdev = t->fake.pdev;
	t->ctrl.life.up = true;
	mutex_init(&t->ctrl.life.lock);
	set->pdev = t->fake.pdev;
	set->lock = &t->ctrl.life.lock;
	INIT_LIST_HEAD(&set->fns);
	nvcf_fns_prepare(&t->ctrl);
	for (unsigned int i = 0; i < FUNCTIONS; i++)
		cntlid[i] = CNTLID + i;
	KUNIT_ASSERT_EQ(test, nvcf_fns_init(&t->ctrl, cntlid, FUNCTIONS), 0);
	t->ctrl.fn[0].c.pdev = t->controlled.pdev;
	t->enabled = true;
	return 0;
}

static void fn_test_exit(struct kunit *test)
{
	struct fn_test *t = test->priv;

	if (!t)
		return;
	if (t->controlled.pdev) {
		scoped_guard(mutex, &t->ctrl.life.lock)
			vpv_controlled_withdraw(&t->ctrl.life.set, NULL);
		device_unregister(&t->controlled.pdev->dev);
		device_unregister(&t->fake.pdev->dev);
	}
	kvfree(t);
}

static void one_that_was_left_enabled_is_reset(struct kunit *test)
{
	struct fn_test *t = test->priv;
	struct nvcf_fn *fn = &t->ctrl.fn[0];

	KUNIT_EXPECT_EQ(test, nvcf_fn_enable(&fn->c), 0);
	KUNIT_EXPECT_EQ(test, t->resets, 1U);
	KUNIT_EXPECT_TRUE(test, t->given);
	KUNIT_EXPECT_NOT_NULL(test, fn->c.control);
	t->enabled = true;
	KUNIT_EXPECT_EQ(test, nvcf_fn_disable(&fn->c), 0);
	KUNIT_EXPECT_EQ(test, t->resets, 2U);
	KUNIT_EXPECT_FALSE(test, t->unlocked);
	KUNIT_EXPECT_FALSE(test, t->given);
	KUNIT_EXPECT_NULL(test, fn->c.control);
}

/* The lock is held meanwhile, which a reset of the managing controller needs. */
static void one_that_does_not_answer_is_not_waited_for(struct kunit *test)
{
	struct fn_test *t = test->priv;
	struct nvcf_fn *fn = &t->ctrl.fn[0];

	t->controlled.deaf = true;
	KUNIT_EXPECT_EQ(test, nvcf_fn_enable(&fn->c), -ENODEV);
	t->given = true;
	KUNIT_EXPECT_EQ(test, nvcf_fn_disable(&fn->c), -ENODEV);
	KUNIT_EXPECT_EQ(test, t->resets, 0U);
}

static void those_with_a_profile_are_published(struct kunit *test)
{
	struct fn_test *t = test->priv;
	struct nvcf_fn *fn = &t->ctrl.fn[0];

	KUNIT_EXPECT_EQ(test, ask(t, fn), 0);
	KUNIT_EXPECT_NULL(test, fn->c.control);
	t->given = true;
	KUNIT_EXPECT_EQ(test, ask(t, fn), 0);
	KUNIT_EXPECT_NOT_NULL(test, fn->c.control);
	t->err = -EREMOTEIO;
	KUNIT_EXPECT_EQ(test, ask(t, fn), -EREMOTEIO);
	KUNIT_EXPECT_NOT_NULL(test, fn->c.control);
	t->err = 0;
	t->given = false;
	KUNIT_EXPECT_EQ(test, ask(t, fn), 0);
	KUNIT_EXPECT_NULL(test, fn->c.control);
}

/* Whether it was carried out nobody knows. */
static void one_that_was_not_given_or_taken_in_time_is_asked_about_again(struct kunit *test)
{
	struct fn_test *t = test->priv;
	struct vpv_controlled *c = &t->ctrl.fn[0].c;

	t->enabled = false;
	t->send_err = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, nvcf_fn_enable(c), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, c->news);
	KUNIT_EXPECT_NULL(test, c->control);
	KUNIT_EXPECT_EQ(test, ask(t, &t->ctrl.fn[0]), 0);
	KUNIT_EXPECT_NOT_NULL(test, c->control);

	WRITE_ONCE(c->news, false);
	t->announced = false;
	KUNIT_EXPECT_EQ(test, nvcf_fn_disable(c), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, c->news);
	KUNIT_EXPECT_TRUE(test, t->announced);
	KUNIT_EXPECT_NULL(test, c->control);
	KUNIT_EXPECT_EQ(test, ask(t, &t->ctrl.fn[0]), 0);
	KUNIT_EXPECT_FALSE(test, c->enabled);
	KUNIT_EXPECT_NULL(test, c->control);
}

/* Of its controller, and of no other; also when it was not answered in time. */
static void a_user_who_sends_a_profile_is_news(struct kunit *test)
{
	struct nvcf_admin cmd = {
		.sqe = {
			.opcode = NVCF_ADMIN_PROFILE_SEND,
			.cdw10 = cpu_to_le32(NVCF_PROFILE_GIVE),
			.cdw11 = cpu_to_le32(CNTLID + FUNCTIONS - 1),
		},
	};
	struct fn_test *t = test->priv;

	t->enabled = false;
	KUNIT_EXPECT_EQ(test, nvcf_fn_user(&t->ctrl, &cmd), 0);
	KUNIT_EXPECT_TRUE(test, t->announced);
	for (unsigned int i = 0; i < FUNCTIONS; i++)
		KUNIT_EXPECT_EQ(test, t->ctrl.fn[i].c.news, i == FUNCTIONS - 1);

	WRITE_ONCE(t->ctrl.fn[FUNCTIONS - 1].c.news, false);
	t->announced = false;
	t->send_err = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, nvcf_fn_user(&t->ctrl, &cmd), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, t->announced);
	KUNIT_EXPECT_TRUE(test, t->ctrl.fn[FUNCTIONS - 1].c.news);
}

static void fake_changed(struct vpv_control_watch *watch)
{
}

static void a_profile_that_was_not_sent_is_no_news(struct kunit *test)
{
	struct fn_test *t = test->priv;
	struct nvcf_admin cmd = {
		.sqe = {
			.opcode = NVCF_ADMIN_PROFILE_SEND,
			.cdw10 = cpu_to_le32(NVCF_PROFILE_GIVE),
			.cdw11 = cpu_to_le32(CNTLID),
		},
	};
	struct vpv_control_watch watch = {
		.controlled = &t->controlled.pdev->dev,
		.family = NVCF_FAMILY,
		.changed = fake_changed,
	};

	t->enabled = false;
	WRITE_ONCE(t->ctrl.fn[0].c.news, false);
	vpv_control_watch(&watch);
	KUNIT_EXPECT_EQ(test, nvcf_fn_user(&t->ctrl, &cmd), -EBUSY);
	vpv_control_unwatch(&watch);
	KUNIT_EXPECT_FALSE(test, t->given);
	KUNIT_EXPECT_FALSE(test, t->announced);
	KUNIT_EXPECT_FALSE(test, t->ctrl.fn[0].c.news);
	KUNIT_EXPECT_EQ(test, nvcf_fn_user(&t->ctrl, &cmd), 0);
	KUNIT_EXPECT_TRUE(test, t->announced);
	KUNIT_EXPECT_TRUE(test, t->ctrl.fn[0].c.news);
}

static struct kunit_case fn_cases[] = {
	KUNIT_CASE(those_with_a_profile_are_published),
	KUNIT_CASE(a_user_who_sends_a_profile_is_news),
	KUNIT_CASE(a_profile_that_was_not_sent_is_no_news),
	KUNIT_CASE(one_that_was_not_given_or_taken_in_time_is_asked_about_again),
	KUNIT_CASE(one_that_was_left_enabled_is_reset),
	KUNIT_CASE(one_that_does_not_answer_is_not_waited_for),
	{ }
};

static struct kunit_suite fn_suite = {
	.name = "nvme_cf_fn",
	.init = fn_test_init,
	.exit = fn_test_exit,
	.test_cases = fn_cases,
};

kunit_test_suite(fn_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of nvme_cf's migratable controllers");
