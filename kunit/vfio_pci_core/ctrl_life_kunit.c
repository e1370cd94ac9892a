// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a controlling function, vfio_pci_core/ctrl_life.c, on a function of the test's own
 * that does not do what its registers are told; and when it is asked about its functions.
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include "../fake_function.h"

#include "../../vfio_pci_core/error.h"

#include <vpv/controlling.h>
#include <vpv/ctrl_life.h>

enum step { STEP_NONE, STEP_INIT, STEP_START, STEP_SHOW };

#define FUNCTIONS	8
#define LIMIT		1000UL	/* of a command, in jiffies */
#define SLOW		(LIMIT * 9 / 10)

/**
 * struct life_test - A controlling function
 * @fn: The function.
 * @life: Its life.
 * @saved: COMMAND as the PCI core has saved it.
 * @fails: The step of binding its driver that fails.
 * @ready: Its init hook was called, and fini was not.
 * @shown: Likewise show and hide.
 * @early: Fini was called while it may access memory, or is the driver's function.
 * @broken: It does not come up.
 * @dies: As soon as it has come up, when it is asked about its functions.
 * @quiet: It accesses no memory.
 * @fns: Its functions.
 * @answer: To a question about one of them.
 * @enabled: They are, by its answer.
 * @late: The one of them about which a question has no answer in time; or none.
 * @absent: Those of them that are not there.
 * @restless: The one of them that there is news of while it is asked about; or none.
 * @slow: How long a question takes, in jiffies.
 * @questions: How often it was asked.
 * @asked: About which.
 * @announced: What is left is to be done soon.
 * @flushed: It was waited for.
 */
struct life_test {
	struct fake_function fn;
	struct vpv_ctrl_life life;
	u16 saved;
	enum step fails;
	bool ready;
	bool shown;
	bool early;
	bool broken;
	bool dies;
	bool quiet;
	struct vpv_controlled fns[FUNCTIONS];
	int answer;
	bool enabled;
	struct vpv_controlled *late;
	DECLARE_BITMAP(absent, FUNCTIONS);
	struct vpv_controlled *restless;
	unsigned long slow;
	unsigned int questions;
	DECLARE_BITMAP(asked, FUNCTIONS);
	bool announced;
	bool flushed;
};

static struct life_test *current_test;
static unsigned long fake_jiffies;

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
#define pci_alloc_irq_vectors(...)		(-ENOSPC)
#define pci_free_irq_vectors(...)		((void)current_test)
#define queue_work(...)				((void)(current_test->announced = true))
#define flush_work(...)				((void)(current_test->flushed = true))
#define jiffies					fake_jiffies
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(name) extern typeof(name) name

#include "../../vfio_pci_core/ctrl_recovery.c"
#include "../../vfio_pci_core/ctrl_life.c"
#undef jiffies

static struct life_test *test_of(struct vpv_ctrl_life *life)
{
	return container_of(life, struct life_test, life);
}

static int op_init(struct vpv_ctrl_life *life)
{
	struct life_test *t = test_of(life);

	if (t->fails == STEP_INIT)
		return -ENOMEM;
	t->ready = true;
	return 0;
}

static void op_fini(struct vpv_ctrl_life *life)
{
	struct life_test *t = test_of(life);

	t->early |= !t->quiet || pci_get_drvdata(life->pdev);
	t->ready = false;
}

static int op_show(struct vpv_ctrl_life *life)
{
	struct life_test *t = test_of(life);

	if (t->fails == STEP_SHOW)
		return -ENOMEM;
	t->shown = true;
	return 0;
}

static void op_hide(struct vpv_ctrl_life *life)
{
	test_of(life)->shown = false;
}

/* A driver that is being found for a function would look as one that uses it. */
static int op_answer(void)
{
	return current_test->flushed ? current_test->answer : -EBUSY;
}

static int op_enable_fn(struct vpv_controlled *fn)
{
	int err = op_answer();

	fn->enabled = !err;
	return err;
}

static int op_disable_fn(struct vpv_controlled *fn)
{
	int err = op_answer();

	fn->enabled = err;
	return err;
}

static int op_start(struct vpv_ctrl_life *life)
{
	if (test_of(life)->broken || test_of(life)->fails == STEP_START)
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

static int op_ask(struct vpv_ctrl_life *life, struct vpv_controlled *fn)
{
	struct life_test *t = test_of(life);

	if (test_bit(fn - t->fns, t->absent))
		return -ENXIO;
	if (t->dies)
		vpv_ctrl_life_died(life);
	t->questions++;
	__set_bit(fn - t->fns, t->asked);
	fake_jiffies += t->slow;
	if (fn == t->restless)
		vpv_controlled_news(fn);
	fn->enabled = t->enabled;
	return fn == t->late ? -ETIMEDOUT : t->answer;
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
	.init = op_init,
	.fini = op_fini,
	.show = op_show,
	.hide = op_hide,
	.start = op_start,
	.stop = op_stop,
	.cut_off = op_nothing,
	.works = op_works,
	.disable = op_disable,
	.quiet = op_quiet,
	.ask = op_ask,
	.enable_fn = op_enable_fn,
	.disable_fn = op_disable_fn,
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
	t->life.set.family = "kunit";
	t->life.limit = LIMIT;
	for (unsigned int i = 0; i < FUNCTIONS; i++)
		vpv_controlled_add(&t->life.set, &t->fns[i]);
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

	t->fn.command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	KUNIT_ASSERT_EQ(test, vpv_ctrl_life_bind(&t->life), 0);
	KUNIT_EXPECT_EQ(test, t->saved, (u16)PCI_COMMAND_MEMORY);
	KUNIT_EXPECT_TRUE(test, t->fn.command & PCI_COMMAND_MASTER);

	t->broken = true;
	handlers->reset_prepare(t->fn.pdev);
	handlers->reset_done(t->fn.pdev);
	KUNIT_EXPECT_TRUE(test, t->quiet);
	vpv_ctrl_life_unbind(&t->life);
	KUNIT_EXPECT_TRUE(test, t->quiet);
	KUNIT_EXPECT_EQ(test, t->fn.command, (u16)PCI_COMMAND_MEMORY);
}

static const enum step steps[] = { STEP_INIT, STEP_START, STEP_SHOW };

static void step_describe(const enum step *step, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "step_%u", *step);
}

KUNIT_ARRAY_PARAM(step, steps, step_describe);

static void a_bind_that_fails_is_undone(struct kunit *test)
{
	struct life_test *t = test->priv;

	t->fn.command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	t->fails = *(const enum step *)test->param_value;
	KUNIT_EXPECT_LT(test, vpv_ctrl_life_bind(&t->life), 0);
	KUNIT_EXPECT_FALSE(test, t->ready);
	KUNIT_EXPECT_FALSE(test, t->shown);
	KUNIT_EXPECT_FALSE(test, t->early);
	KUNIT_EXPECT_NULL(test, pci_get_drvdata(t->fn.pdev));
	KUNIT_EXPECT_EQ(test, t->fn.command, (u16)PCI_COMMAND_MEMORY);
}

static void what_was_bound_is_unbound(struct kunit *test)
{
	struct life_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, vpv_ctrl_life_bind(&t->life), 0);
	KUNIT_EXPECT_TRUE(test, t->ready);
	KUNIT_EXPECT_TRUE(test, t->shown);
	KUNIT_EXPECT_PTR_EQ(test, pci_get_drvdata(t->fn.pdev), (void *)&t->life);
	/* One that was added before anybody listened is looked for. */
	KUNIT_EXPECT_TRUE(test, t->announced);
	vpv_ctrl_life_unbind(&t->life);
	KUNIT_EXPECT_FALSE(test, t->ready);
	KUNIT_EXPECT_FALSE(test, t->shown);
	KUNIT_EXPECT_FALSE(test, t->early);
	KUNIT_EXPECT_NULL(test, pci_get_drvdata(t->fn.pdev));
}

/* A function that has come up may die at any time, and is recovered each time. */
static void one_that_dies_as_it_comes_up_is_recovered(struct kunit *test)
{
	const struct pci_error_handlers *handlers = &vpv_ctrl_life_err_handlers;
	struct life_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, vpv_ctrl_life_bind(&t->life), 0);
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
	vpv_ctrl_life_unbind(&t->life);
}

/* ---- Asking about functions ---- */

/* Something has become of those of a range; nothing is asked yet. */
static void news(struct life_test *t, unsigned int first, unsigned int end)
{
	for (unsigned int i = first; i < end; i++)
		vpv_controlled_news(&t->fns[i]);
	bitmap_zero(t->asked, FUNCTIONS);
	t->questions = 0;
}

static void fake_changed(struct vpv_control_watch *watch)
{
}

/* Asks once.  Returns how many questions that were. */
static unsigned int turn(struct life_test *t)
{
	unsigned int before = t->questions;

	t->announced = false;
	guard(mutex)(&t->life.lock);
	ask_all(&t->life);
	return t->questions - before;
}

static void what_comes_up_is_asked_about_all(struct kunit *test)
{
	const struct pci_error_handlers *handlers = &vpv_ctrl_life_err_handlers;
	struct life_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, vpv_ctrl_life_bind(&t->life), 0);
	KUNIT_EXPECT_EQ(test, t->questions, FUNCTIONS);
	KUNIT_EXPECT_EQ(test, turn(t), 0U);
	news(t, 0, 0);
	handlers->reset_prepare(t->fn.pdev);
	handlers->reset_done(t->fn.pdev);
	KUNIT_EXPECT_EQ(test, t->questions, FUNCTIONS);
	KUNIT_EXPECT_TRUE(test, bitmap_full(t->asked, FUNCTIONS));
	vpv_ctrl_life_unbind(&t->life);
}

/* Not about those that nothing has become of. */
static void news_of_one_are_one_question(struct kunit *test)
{
	struct life_test *t = test->priv;

	news(t, 3, 4);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_EXPECT_TRUE(test, test_bit(3, t->asked));
	KUNIT_EXPECT_EQ(test, turn(t), 0U);

	/* What comes after the question, its answer need not have. */
	t->restless = &t->fns[3];
	news(t, 3, 4);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	t->restless = NULL;
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_EXPECT_EQ(test, turn(t), 0U);
}

struct stuck_case {
	const char *name;
	int answer;
	unsigned long slow;
	unsigned int questions;
};

static const struct stuck_case stuck_cases[] = {
	{ "stuck", -ETIMEDOUT, LIMIT, 1 },
	{ "stuck_for_another", -ECONNABORTED, 0, 1 },
	{ "refuses", -EREMOTEIO, 0, FUNCTIONS },
	{ "refuses_slowly", -EREMOTEIO, SLOW, 2 },
};

static void stuck_describe(const struct stuck_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(stuck, stuck_cases, stuck_describe);

/*
 * Nor is it asked again and again: after a second turn, in case that the first question was the
 * only one that has no answer, the others have theirs when there are other news, by which two
 * turns begin again.
 */
static void one_that_does_not_answer_is_left_alone(struct kunit *test)
{
	const struct stuck_case *c = test->param_value;
	struct life_test *t = test->priv;

	t->answer = c->answer;
	t->slow = c->slow;
	news(t, 0, FUNCTIONS);
	for (unsigned int i = 0; i < FUNCTIONS / c->questions; i++) {
		KUNIT_EXPECT_EQ(test, turn(t), c->questions);
		KUNIT_EXPECT_EQ(test, t->announced, !(i % 2) && c->questions < FUNCTIONS);
	}
	KUNIT_EXPECT_TRUE(test, bitmap_full(t->asked, FUNCTIONS));
}

/* Resets and removals wait for the lock meanwhile. */
static void a_slow_one_is_asked_about_the_others_later(struct kunit *test)
{
	struct life_test *t = test->priv;
	unsigned int turns = 0;

	/* It wraps on the way. */
	fake_jiffies = -3UL * LIMIT;
	t->slow = SLOW;
	news(t, 0, FUNCTIONS);
	do {
		const unsigned long begin = fake_jiffies;

		turn(t);
		KUNIT_EXPECT_LE(test, fake_jiffies - begin, 2 * LIMIT);
	} while (t->announced && ++turns < FUNCTIONS);
	KUNIT_EXPECT_FALSE(test, t->announced);
	KUNIT_EXPECT_EQ(test, t->questions, FUNCTIONS);
	KUNIT_EXPECT_TRUE(test, bitmap_full(t->asked, FUNCTIONS));
}

/* Whether it comes after one that has its answer, or is the first. */
static void one_that_is_late_keeps_nobody_from_being_asked_about(struct kunit *test)
{
	struct life_test *t = test->priv;

	for (int late = 1; late >= 0; late--) {
		t->late = &t->fns[late];
		news(t, 0, FUNCTIONS);
		KUNIT_EXPECT_EQ(test, turn(t), late + 1U);
		KUNIT_EXPECT_TRUE(test, t->announced);
		/* The others, and then that one again. */
		KUNIT_EXPECT_EQ(test, turn(t), (unsigned int)(FUNCTIONS - late));
		KUNIT_EXPECT_TRUE(test, bitmap_full(t->asked, FUNCTIONS));
		KUNIT_EXPECT_FALSE(test, t->announced);
		t->late = NULL;
		KUNIT_EXPECT_EQ(test, turn(t), 1U);
	}
}

/* Whatever became of questions before. */
static void what_was_before_keeps_nobody_from_being_asked_about(struct kunit *test)
{
	struct life_test *t = test->priv;

	for (unsigned int before = 0; before < 3; before++) {
		t->answer = !before ? -ENODEV : 0;
		t->late = before == 1 ? &t->fns[0] : NULL;
		bitmap_zero(t->absent, FUNCTIONS);
		if (before == 2)
			__set_bit(0, t->absent);
		news(t, 0, 1);
		turn(t);
		KUNIT_EXPECT_FALSE(test, t->announced);

		/* The first one of those that come now is late. */
		for (unsigned int i = 1; i < FUNCTIONS; i++)
			t->fns[i].asked = 0;
		t->answer = 0;
		t->late = &t->fns[1];
		news(t, 1, FUNCTIONS);
		KUNIT_EXPECT_EQ(test, turn(t), 1U);
		KUNIT_EXPECT_TRUE(test, test_bit(1, t->asked));
		KUNIT_EXPECT_TRUE(test, t->announced);
		t->late = NULL;
		while (turn(t))
			;
		KUNIT_EXPECT_FALSE(test, t->announced);
	}
}

/* Somebody else's command was stuck.  It has another turn, but not one after the other. */
static void one_whose_question_was_aborted_is_asked_about_again(struct kunit *test)
{
	struct life_test *t = test->priv;

	t->answer = -ECONNABORTED;
	news(t, 0, 1);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_EXPECT_TRUE(test, t->announced);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_EXPECT_FALSE(test, t->announced);
	t->answer = 0;
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_EXPECT_FALSE(test, t->announced);
}

/* It was asked, and may know the function later. */
static void one_that_the_device_does_not_know_is_asked_about_again(struct kunit *test)
{
	struct life_test *t = test->priv;

	t->answer = -ENODEV;
	news(t, 0, 1);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	t->answer = 0;
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_EXPECT_EQ(test, turn(t), 0U);
}

/*
 * A driver that has it open finds out; news of others would be held up by it each time.  Without
 * one, what has become of it nobody knows but the device.
 */
static void a_published_one_that_is_late_is_asked_about_again_if_nobody_has_it(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct vpv_control_watch watch = {
		.controlled = &t->fn.pdev->dev, .family = "kunit", .changed = fake_changed,
	};

	t->enabled = true;
	t->fns[0].pdev = pci_dev_get(t->fn.pdev);
	news(t, 0, 1);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_ASSERT_NOT_NULL(test, t->fns[0].control);
	t->late = &t->fns[0];
	vpv_control_watch(&watch);
	news(t, 0, 1);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	news(t, 1, 2);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_EXPECT_TRUE(test, test_bit(1, t->asked));
	vpv_control_unwatch(&watch);

	news(t, 0, 1);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	news(t, 1, 2);
	KUNIT_EXPECT_EQ(test, turn(t), 2U);
	KUNIT_EXPECT_TRUE(test, test_bit(0, t->asked));
	scoped_guard(mutex, &t->life.lock)
		vpv_controlled_forget(&t->life.set, NULL);
}

/* So a device that is stuck is not asked about more functions the more are missing. */
static void one_that_is_not_there_is_no_question(struct kunit *test)
{
	struct life_test *t = test->priv;

	bitmap_set(t->absent, 0, FUNCTIONS);
	__clear_bit(1, t->absent);
	__clear_bit(3, t->absent);
	t->answer = -ETIMEDOUT;
	t->life.silent = true;
	news(t, 0, FUNCTIONS);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_EXPECT_FALSE(test, t->announced);
	KUNIT_EXPECT_TRUE(test, test_bit(1, t->asked));
	t->answer = 0;
	KUNIT_EXPECT_EQ(test, turn(t), 2U);
	KUNIT_EXPECT_EQ(test, turn(t), 0U);
	/* It is asked about when it comes. */
	__clear_bit(2, t->absent);
	news(t, 2, 3);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
}

/* The second one has its place in the registry already. */
static void one_that_could_not_be_published_is_asked_about_again(struct kunit *test)
{
	struct life_test *t = test->priv;

	t->enabled = true;
	for (unsigned int i = 0; i < 2; i++)
		t->fns[i].pdev = pci_dev_get(t->fn.pdev);
	news(t, 0, 3);
	KUNIT_EXPECT_EQ(test, turn(t), 3U);
	KUNIT_EXPECT_NOT_NULL(test, t->fns[0].control);
	KUNIT_EXPECT_NULL(test, t->fns[1].control);
	bitmap_zero(t->asked, FUNCTIONS);
	KUNIT_EXPECT_EQ(test, turn(t), 1U);
	KUNIT_EXPECT_TRUE(test, test_bit(1, t->asked));
	scoped_guard(mutex, &t->life.lock)
		vpv_controlled_forget(&t->life.set, NULL);
}

/* ---- What users see ---- */

static void files_say_and_do(struct kunit *test)
{
	char *page = kunit_kzalloc(test, 2 * PAGE_SIZE, GFP_KERNEL);
	struct life_test *t = test->priv;
	struct vpv_ctrl_life *life = &t->life;
	struct vpv_controlled *fn = &t->fns[0];

	KUNIT_ASSERT_NOT_NULL(test, page);
	page = PTR_ALIGN(page, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, vpv_ctrl_life_show_enabled(life, fn, page), -ENOTCONN);
	life->up = true;
	KUNIT_EXPECT_EQ(test, vpv_ctrl_life_show_enabled(life, fn, page), 2);
	KUNIT_EXPECT_STREQ(test, page, "0\n");
	KUNIT_EXPECT_EQ(test, vpv_ctrl_life_store_enabled(life, fn, "perhaps", 7), -EINVAL);
	KUNIT_EXPECT_EQ(test, vpv_ctrl_life_store_enabled(life, fn, "1\n", 2), 2);
	KUNIT_EXPECT_EQ(test, vpv_ctrl_life_show_enabled(life, fn, page), 2);
	KUNIT_EXPECT_STREQ(test, page, "1\n");
	t->flushed = false;
	KUNIT_EXPECT_EQ(test, vpv_ctrl_life_store_enabled(life, fn, "0\n", 2), 2);
	KUNIT_EXPECT_EQ(test, vpv_ctrl_life_store_enabled(life, fn, "1\n", 2), 2);
	t->answer = -EBUSY;
	KUNIT_EXPECT_EQ(test, vpv_ctrl_life_store_enabled(life, fn, "0\n", 2), -EBUSY);
	t->answer = 0;
	KUNIT_EXPECT_EQ(test, vpv_ctrl_life_store_enabled(life, fn, "0\n", 2), 2);
	KUNIT_EXPECT_FALSE(test, fn->enabled);

	KUNIT_EXPECT_EQ(test, vpv_ctrl_life_show_address(life, fn, page), 1);
	fn->pdev = t->fn.pdev;
	KUNIT_EXPECT_GT(test, vpv_ctrl_life_show_address(life, fn, page), 1);
	KUNIT_EXPECT_STREQ(test, strim(page), pci_name(t->fn.pdev));
	fn->pdev = NULL;
}

static struct kunit_case life_cases[] = {
	KUNIT_CASE(what_was_bus_master_before_is_none_afterwards),
	KUNIT_CASE_PARAM(a_bind_that_fails_is_undone, step_gen_params),
	KUNIT_CASE(what_was_bound_is_unbound),
	KUNIT_CASE(one_that_dies_as_it_comes_up_is_recovered),
	KUNIT_CASE(what_comes_up_is_asked_about_all),
	KUNIT_CASE(news_of_one_are_one_question),
	KUNIT_CASE_PARAM(one_that_does_not_answer_is_left_alone, stuck_gen_params),
	KUNIT_CASE(a_slow_one_is_asked_about_the_others_later),
	KUNIT_CASE(one_that_is_late_keeps_nobody_from_being_asked_about),
	KUNIT_CASE(what_was_before_keeps_nobody_from_being_asked_about),
	KUNIT_CASE(one_whose_question_was_aborted_is_asked_about_again),
	KUNIT_CASE(one_that_the_device_does_not_know_is_asked_about_again),
	KUNIT_CASE(a_published_one_that_is_late_is_asked_about_again_if_nobody_has_it),
	KUNIT_CASE(one_that_is_not_there_is_no_question),
	KUNIT_CASE(one_that_could_not_be_published_is_asked_about_again),
	KUNIT_CASE(files_say_and_do),
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
