// SPDX-License-Identifier: GPL-2.0
/* The functions of a controlling driver, vfio_pci_core/controlled.c: how they come and go. */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include <vpv/controlled.h>
#include <vpv/controlling.h>

#include "../fake_function.h"

#define VENDOR		0x1234
#define DEVICE		0x76ff
#define SUB_VENDOR	0x1234
#define SUB_DEVICE	0x76fe
#define FAMILY		"kunit"

/**
 * struct set_test - A set
 * @set: The set.
 * @lock: Its lock.
 * @fn: Its function.
 * @fake: A PCI function.
 * @looks: How often the set was told to look for functions.
 * @work: Tells the set that @fake is gone.
 * @gone: It was told.
 * @asked: How often the set was asked which function one is.
 * @watch: Hears of @fake.
 * @told: How often.
 */
struct set_test {
	struct vpv_controlled_set set;
	struct mutex lock;	/* of the set */
	struct vpv_controlled fn;
	struct fake_function fake;
	unsigned int looks;
	struct work_struct work;
	struct completion gone;
	unsigned int asked;
	struct vpv_control_watch watch;
	unsigned int told;
};

static void set_added(struct vpv_controlled_set *set)
{
	container_of(set, struct set_test, set)->looks++;
}

static struct vpv_controlled *set_identify(struct vpv_controlled_set *set, struct pci_dev *pdev)
{
	struct set_test *t = container_of(set, struct set_test, set);

	t->asked++;
	return &t->fn;
}

static void set_told(struct vpv_control_watch *watch)
{
	container_of(watch, struct set_test, watch)->told++;
}

static void removed(struct work_struct *work)
{
	struct set_test *t = container_of(work, struct set_test, work);

	t->set.nb.notifier_call(&t->set.nb, BUS_NOTIFY_REMOVED_DEVICE, &t->fake.pdev->dev);
	complete(&t->gone);
}

static int set_test_init(struct kunit *test)
{
	struct set_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	fake_function_add(test, &t->fake, "vpv-controlled-fn");
	t->fake.pdev->vendor = VENDOR;
	t->fake.pdev->device = DEVICE;
	mutex_init(&t->lock);
	init_completion(&t->gone);
	INIT_WORK(&t->work, removed);
	t->set = (struct vpv_controlled_set){
		.pdev = t->fake.pdev, .vendor = VENDOR, .device = DEVICE,
		.sub_vendor = SUB_VENDOR, .sub_device = SUB_DEVICE, .lock = &t->lock,
		.family = FAMILY, .identify = set_identify, .added = set_added,
	};
	INIT_LIST_HEAD(&t->set.fns);
	vpv_controlled_add(&t->set, &t->fn);
	KUNIT_ASSERT_EQ(test, vpv_controlled_listen(&t->set), 0);
	return 0;
}

static void set_test_exit(struct kunit *test)
{
	struct set_test *t = test->priv;

	if (!t || !t->fake.pdev)
		return;
	vpv_controlled_unlisten(&t->set);
	device_unregister(&t->fake.pdev->dev);
}

/* Whoever listens looks at once: one may have been added since he has looked before. */
static void what_came_before_is_looked_for(struct kunit *test)
{
	struct set_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, t->looks, 1U);
}

/* All of the host's functions have these ids, and the lock may be held for long. */
static void nobody_waits_to_remove_a_function_of_others(struct kunit *test)
{
	struct set_test *t = test->priv;
	unsigned long left;

	t->fake.pdev->subsystem_vendor = SUB_VENDOR;
	t->fake.pdev->subsystem_device = SUB_DEVICE + 1;
	mutex_lock(&t->lock);
	schedule_work(&t->work);
	left = wait_for_completion_timeout(&t->gone, 2 * HZ);
	mutex_unlock(&t->lock);
	flush_work(&t->work);
	KUNIT_EXPECT_NE(test, left, 0UL);
}

static void one_of_its_own_is_forgotten(struct kunit *test)
{
	struct set_test *t = test->priv;

	t->fake.pdev->subsystem_vendor = SUB_VENDOR;
	t->fake.pdev->subsystem_device = SUB_DEVICE;
	t->fn.pdev = pci_dev_get(t->fake.pdev);
	removed(&t->work);
	KUNIT_EXPECT_NULL(test, t->fn.pdev);
}

/*
 * Config space of each function is read for the question, with the lock held, and functions
 * are looked for whenever the device has news of one.
 */
static void nobody_asks_again_which_function_one_is(struct kunit *test)
{
	struct set_test *t = test->priv;
	struct pci_dev *some = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, NULL);
	unsigned int once;

	if (!some)
		kunit_skip(test, "no PCI function in this machine");
	t->set.vendor = some->vendor;
	t->set.device = some->device;
	t->set.sub_vendor = 0;
	t->set.sub_device = 0;
	pci_dev_put(some);
	scoped_guard(mutex, &t->lock)
		vpv_controlled_scan(&t->set);
	KUNIT_ASSERT_NOT_NULL(test, t->fn.pdev);
	KUNIT_EXPECT_TRUE(test, t->fn.news);
	t->fn.news = false;
	once = t->asked;
	scoped_guard(mutex, &t->lock)
		vpv_controlled_scan(&t->set);
	/* All but the one that was found. */
	KUNIT_EXPECT_EQ(test, t->asked, 2 * once - 1);
	KUNIT_EXPECT_FALSE(test, t->fn.news);
	scoped_guard(mutex, &t->lock)
		vpv_controlled_forget(&t->set, NULL);
}

/* It may have it open, and know nothing of what became of it meanwhile. */
static void driver_is_told_once_that_its_function_is_published(struct kunit *test)
{
	struct set_test *t = test->priv;

	t->watch = (struct vpv_control_watch){
		.controlled = &t->fake.pdev->dev, .family = FAMILY, .changed = set_told,
	};
	vpv_control_watch(&t->watch);
	t->fn.pdev = pci_dev_get(t->fake.pdev);
	scoped_guard(mutex, &t->lock)
		vpv_controlled_publish(&t->set, &t->fn);
	KUNIT_EXPECT_EQ(test, t->told, 1U);
	vpv_controlled_attach(&t->set);
	scoped_guard(mutex, &t->lock)
		vpv_controlled_publish(&t->set, &t->fn);
	KUNIT_EXPECT_EQ(test, t->told, 1U);
	vpv_control_unwatch(&t->watch);
	scoped_guard(mutex, &t->lock)
		vpv_controlled_forget(&t->set, NULL);
}

static struct kunit_case set_cases[] = {
	KUNIT_CASE(what_came_before_is_looked_for),
	KUNIT_CASE(nobody_waits_to_remove_a_function_of_others),
	KUNIT_CASE(one_of_its_own_is_forgotten),
	KUNIT_CASE(nobody_asks_again_which_function_one_is),
	KUNIT_CASE(driver_is_told_once_that_its_function_is_published),
	{ }
};

static struct kunit_suite set_suite = {
	.name = "vpv_controlled",
	.init = set_test_init,
	.exit = set_test_exit,
	.test_cases = set_cases,
};

kunit_test_suite(set_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of the functions of a controlling driver");
