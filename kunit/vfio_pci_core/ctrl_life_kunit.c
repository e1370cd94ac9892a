// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a controlling function, vfio_pci_core/ctrl_life.c, on a function of the test's own
 * that does not do what its registers are told.
 */
#include <linux/module.h>
#include <linux/workqueue.h>

#include "../fake_function.h"

#include "../../vfio_pci_core/error.h"

#include <vpv/ctrl_life.h>

/**
 * struct life_test - A controlling function
 * @fn: The function.
 * @life: Its life.
 * @saved: COMMAND as the PCI core has saved it.
 * @broken: It does not come up.
 * @dies: As soon as it has come up, before it is published.
 * @quiet: It accesses no memory.
 */
struct life_test {
	struct fake_function fn;
	struct vpv_ctrl_life life;
	u16 saved;
	bool broken;
	bool dies;
	bool quiet;
};

static struct life_test *current_test;

static int fake_save(struct pci_dev *pdev)
{
	current_test->saved = current_test->fn.command;
	return 0;
}

static struct pci_saved_state *fake_store(struct pci_dev *pdev)
{
	return kzalloc(sizeof(u16), GFP_KERNEL);
}

static int fake_load(struct pci_dev *pdev, struct pci_saved_state *saved)
{
	return 0;
}

static void fake_restore(struct pci_dev *pdev)
{
	current_test->fn.command = current_test->saved;
}

pci_ers_result_t vpv_error_answer(pci_channel_state_t state)
{
	return PCI_ERS_RESULT_NEED_RESET;
}

pci_ers_result_t vpv_error_mmio_enabled(struct pci_dev *pdev)
{
	return PCI_ERS_RESULT_RECOVERED;
}

void vpv_error_resume(struct pci_dev *pdev)
{
}

#define pci_enable_device_mem(...)		0
#define pci_disable_device(...)			((void)current_test)
#define pci_request_selected_regions(...)	0
#define pci_release_selected_regions(...)	((void)current_test)
#define dma_set_mask_and_coherent(...)		0
#define pci_iomap(...)				((void __force __iomem *)current_test)
#define pci_iounmap(...)			((void)current_test)
#define pci_save_state				fake_save
#define pci_store_saved_state			fake_store
#define pci_load_saved_state			fake_load
#define pci_restore_state			fake_restore
#define pci_try_reset_function(...)		(-EIO)
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(name) extern typeof(name) name

#include "../../vfio_pci_core/ctrl_recovery.c"
#include "../../vfio_pci_core/ctrl_life.c"

static struct life_test *test_of(struct vpv_ctrl_life *life)
{
	return container_of(life, struct life_test, life);
}

static int op_start(struct vpv_ctrl_life *life)
{
	if (test_of(life)->broken)
		return -EIO;
	pci_set_master(life->pdev);
	return 0;
}

static void op_stop(struct vpv_ctrl_life *life)
{
	test_of(life)->quiet = vpv_ctrl_life_quiesce(life);
}

static void op_nothing(struct vpv_ctrl_life *life)
{
}

static void op_publish(struct vpv_ctrl_life *life)
{
	if (test_of(life)->dies)
		vpv_ctrl_life_died(life);
}

static bool op_works(struct vpv_ctrl_life *life)
{
	return !test_of(life)->broken;
}

static bool op_disable(struct vpv_ctrl_life *life)
{
	return !test_of(life)->broken;
}

static bool op_quiet(struct vpv_ctrl_life *life)
{
	return test_of(life)->quiet;
}

static const struct vpv_ctrl_life_ops life_ops = {
	.start = op_start,
	.stop = op_stop,
	.cut_off = op_nothing,
	.works = op_works,
	.disable = op_disable,
	.quiet = op_quiet,
	.publish = op_publish,
};

/* Only its name is used. */
static struct device_driver life_driver = { .name = "vpv-ctrl-life" };

static int life_test_init(struct kunit *test)
{
	struct life_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	current_test = t;
	fake_function_add(test, &t->fn, "vpv-ctrl-life");
	t->life.pdev = t->fn.pdev;
	t->life.ops = &life_ops;
	t->fn.pdev->dev.driver = &life_driver;
	KUNIT_ASSERT_EQ(test, vpv_ctrl_life_init(&t->life), 0);
	pci_set_drvdata(t->fn.pdev, &t->life);
	test->priv = t;
	return 0;
}

static void life_test_exit(struct kunit *test)
{
	struct life_test *t = test->priv;

	if (!t)
		return;
	vpv_ctrl_life_fini(&t->life);
	t->fn.pdev->dev.driver = NULL;
	device_unregister(&t->fn.pdev->dev);
}

/*
 * Firmware of the host may have left it one.  A function that does not say that it is disabled is
 * quiet because it is no bus master, and its memory is freed after that.
 */
static void what_was_bus_master_before_is_none_afterwards(struct kunit *test)
{
	const struct pci_error_handlers *handlers = &vpv_ctrl_life_err_handlers;
	struct life_test *t = test->priv;
	void __iomem *regs;

	t->fn.command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	regs = vpv_ctrl_life_map(&t->life, 0, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR((void __force *)regs));
	KUNIT_EXPECT_EQ(test, t->fn.command, (u16)PCI_COMMAND_MEMORY);
	KUNIT_ASSERT_EQ(test, vpv_ctrl_life_start(&t->life), 0);
	KUNIT_EXPECT_TRUE(test, t->fn.command & PCI_COMMAND_MASTER);

	t->broken = true;
	handlers->reset_prepare(t->fn.pdev);
	handlers->reset_done(t->fn.pdev);
	KUNIT_EXPECT_TRUE(test, t->quiet);
	vpv_ctrl_life_stop(&t->life);
	KUNIT_EXPECT_TRUE(test, t->quiet);
	KUNIT_EXPECT_EQ(test, t->fn.command, (u16)PCI_COMMAND_MEMORY);
	vpv_ctrl_life_unmap(&t->life, 0, regs);
}

/* A function that has come up may die at any time, and is recovered each time. */
static void one_that_dies_as_it_comes_up_is_recovered(struct kunit *test)
{
	const struct pci_error_handlers *handlers = &vpv_ctrl_life_err_handlers;
	struct life_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, vpv_ctrl_life_start(&t->life), 0);
	/* As after an attempt that has failed a moment ago: the next one is due in minutes. */
	t->life.recovery.attempts = VPV_RECOVERY_ATTEMPTS;
	t->life.recovery.tried = now_ms();
	vpv_ctrl_life_died(&t->life);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&t->life.recover));
	/* Somebody's reset helps meanwhile... */
	handlers->reset_prepare(t->fn.pdev);
	handlers->reset_done(t->fn.pdev);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&t->life.recover));
	/* ... or does not. */
	t->dies = true;
	handlers->reset_prepare(t->fn.pdev);
	handlers->reset_done(t->fn.pdev);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&t->life.recover));
	vpv_ctrl_life_stop(&t->life);
}

static struct kunit_case life_cases[] = {
	KUNIT_CASE(what_was_bus_master_before_is_none_afterwards),
	KUNIT_CASE(one_that_dies_as_it_comes_up_is_recovered),
	{ }
};

static struct kunit_suite life_suite = {
	.name = "vpv_ctrl_life",
	.init = life_test_init,
	.exit = life_test_exit,
	.test_cases = life_cases,
};

kunit_test_suite(life_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of the life of controlling functions");
