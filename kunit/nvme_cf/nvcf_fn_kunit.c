// SPDX-License-Identifier: GPL-2.0
/*
 * Migratable controllers of nvme_cf, variants/nvme_cf/ctrl_fn.c, that somebody has left enabled:
 * they are reset before a profile is given or taken.  Commands and resets are the test's own.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "../fake_function.h"

#include "../../variants/nvme_cf/ctrl.h"

static int fake_exec(struct nvcf_queue *q, struct nvcf_admin *cmd);
static int fake_reset(struct pci_dev *pdev);

#define nvcf_queue_exec(q, cmd)		fake_exec(q, cmd)
#define pci_reset_function_locked(pdev)	fake_reset(pdev)

#include "../../variants/nvme_cf/ctrl_fn.c"
#include "../../variants/nvme_cf/ctrl_wire.c"

#define CNTLID	7

static struct fn_test *current_test;

/**
 * struct fn_test - A managing controller, and one that it manages
 * @fake: The managing controller.
 * @controlled: The function of the other one.
 * @ctrl: Its driver's.
 * @given: It has a profile.
 * @enabled: Somebody has enabled it.
 * @resets: How often its function was reset.
 * @unlocked: Once without the config access lock: user space may have been at it meanwhile.
 */
struct fn_test {
	struct fake_function fake;
	struct fake_function controlled;
	struct nvcf_ctrl ctrl;
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
		return 0;
	case NVCF_ADMIN_PROFILE_SEND:
		if (t->enabled) {
			cmd->status = NVS_SC_COMMAND_SEQUENCE;
			return -EREMOTEIO;
		}
		t->given = le32_to_cpu(cmd->sqe.cdw10) == NVCF_PROFILE_GIVE;
		return 0;
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

static int fn_test_init(struct kunit *test)
{
	struct fn_test *t = kvzalloc_obj(*t, GFP_KERNEL);
	struct vpv_controlled_set *set = &t->ctrl.life.set;
	const u16 cntlid = CNTLID;

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
	KUNIT_ASSERT_EQ(test, nvcf_fns_init(&t->ctrl, &cntlid, 1), 0);
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

	KUNIT_EXPECT_EQ(test, nvcf_fn_enable(fn), 0);
	KUNIT_EXPECT_EQ(test, t->resets, 1U);
	KUNIT_EXPECT_TRUE(test, t->given);
	KUNIT_EXPECT_NOT_NULL(test, fn->c.control);
	t->enabled = true;
	KUNIT_EXPECT_EQ(test, nvcf_fn_disable(fn), 0);
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
	KUNIT_EXPECT_EQ(test, nvcf_fn_enable(fn), -ENODEV);
	t->given = true;
	KUNIT_EXPECT_EQ(test, nvcf_fn_disable(fn), -ENODEV);
	KUNIT_EXPECT_EQ(test, t->resets, 0U);
}

static struct kunit_case fn_cases[] = {
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
