// SPDX-License-Identifier: GPL-2.0
/* The registry of controlled functions: who is found, and what a withdrawal ends. */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>

#include <vpv/controlling.h>

#define FAMILY		"kunit"
#define MAGIC		0x6b756e6974ULL
#define RACE_ROUNDS	300
#define RACERS		2

static const int ops_tag;

/* What the handles of a test are about; registered, hence a real struct device. */
static struct device *function_new(struct kunit *test, const char *name)
{
	struct device *dev = root_device_register(name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	return dev;
}

static struct vpv_control *publish(struct kunit *test, struct device *dev, void *priv)
{
	struct vpv_control *control = vpv_control_publish(dev, FAMILY, &ops_tag, priv,
							  NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, control);
	return control;
}

static void only_what_was_published_is_found(struct kunit *test)
{
	struct device *dev = function_new(test, "vpv-controlled"),
		      *other = function_new(test, "vpv-other");
	struct vpv_control *control, *found;
	u64 magic = MAGIC;
	void *priv;

	KUNIT_EXPECT_EQ(test, PTR_ERR(vpv_control_get(dev, FAMILY)), (long)-ENOTCONN);
	control = publish(test, dev, &magic);
	KUNIT_EXPECT_EQ(test, PTR_ERR(vpv_control_get(other, FAMILY)), (long)-ENOTCONN);
	KUNIT_EXPECT_EQ(test, PTR_ERR(vpv_control_get(dev, "other")), (long)-ENOTCONN);

	found = vpv_control_get(dev, FAMILY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, found);
	KUNIT_ASSERT_PTR_EQ(test, vpv_control_enter(found, &priv), (const void *)&ops_tag);
	KUNIT_EXPECT_PTR_EQ(test, priv, (void *)&magic);
	vpv_control_leave(found);

	vpv_control_put(found);
	vpv_control_withdraw(control);
	root_device_unregister(other);
	root_device_unregister(dev);
}

static void a_function_has_one_controller(struct kunit *test)
{
	struct device *dev = function_new(test, "vpv-controlled");
	struct vpv_control *control = publish(test, dev, NULL);

	KUNIT_EXPECT_EQ(test, PTR_ERR(vpv_control_publish(dev, FAMILY, NULL, NULL, NULL)),
			(long)-EEXIST);
	KUNIT_EXPECT_EQ(test, PTR_ERR(vpv_control_publish(dev, "other", NULL, NULL, NULL)),
			(long)-EEXIST);
	vpv_control_withdraw(control);
	control = publish(test, dev, NULL);
	vpv_control_withdraw(control);
	vpv_control_withdraw(NULL);
	vpv_control_put(NULL);
	root_device_unregister(dev);
}

static void a_handle_outlives_its_publisher(struct kunit *test)
{
	struct device *dev = function_new(test, "vpv-controlled");
	struct vpv_control *control = publish(test, dev, NULL);
	struct vpv_control *old = vpv_control_get(dev, FAMILY), *new;
	void *priv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, old);
	vpv_control_withdraw(control);
	KUNIT_EXPECT_FALSE(test, vpv_control_live(old));
	KUNIT_EXPECT_EQ(test, PTR_ERR(vpv_control_enter(old, &priv)), (long)-ENOTCONN);

	control = publish(test, dev, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(vpv_control_enter(old, &priv)), (long)-ENOTCONN);
	new = vpv_control_get(dev, FAMILY);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, vpv_control_enter(new, &priv));
	vpv_control_leave(new);
	vpv_control_put(new);
	vpv_control_withdraw(control);
	vpv_control_put(old);
	root_device_unregister(dev);
}

struct withdrawal {
	struct vpv_control *control;
	struct completion done;
};

static int withdraw_thread(void *arg)
{
	struct withdrawal *w = arg;

	vpv_control_withdraw(w->control);
	complete(&w->done);
	return 0;
}

static void withdrawal_waits_for_who_is_inside(struct kunit *test)
{
	struct device *dev = function_new(test, "vpv-controlled");
	struct withdrawal w = { .control = publish(test, dev, NULL) };
	struct vpv_control *inside = vpv_control_get(dev, FAMILY);
	struct task_struct *task;
	void *priv;

	init_completion(&w.done);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vpv_control_enter(inside, &priv));
	task = kthread_run(withdraw_thread, &w, "vpv-withdraw");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&w.done, HZ / 20), 0UL);
	/* It has begun, so others are turned away at once, not made to wait. */
	KUNIT_EXPECT_FALSE(test, vpv_control_live(inside));
	KUNIT_EXPECT_EQ(test, PTR_ERR(vpv_control_get(dev, FAMILY)), (long)-ENOTCONN);
	vpv_control_leave(inside);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&w.done, 10 * HZ), 0UL);
	vpv_control_put(inside);
	root_device_unregister(dev);
}

struct race {
	struct device *dev;
	unsigned long entered;
	unsigned long refused;
	bool dead_seen;
};

/* Get, enter and look: what is behind a live handle is never a dead publisher. */
static int race_thread(void *arg)
{
	struct race *r = arg;

	while (!kthread_should_stop()) {
		struct vpv_control *control = vpv_control_get(r->dev, FAMILY);
		void *priv;

		if (IS_ERR(control)) {
			r->refused++;
			cond_resched();
			continue;
		}
		for (int i = 0; i < 3; i++) {
			if (IS_ERR(vpv_control_enter(control, &priv))) {
				r->refused++;
				continue;
			}
			r->dead_seen |= READ_ONCE(*(u64 *)priv) != MAGIC;
			cond_resched();
			r->dead_seen |= READ_ONCE(*(u64 *)priv) != MAGIC;
			vpv_control_leave(control);
			r->entered++;
		}
		vpv_control_put(control);
	}
	return 0;
}

static void publish_withdraw_and_get_race(struct kunit *test)
{
	struct device *dev = function_new(test, "vpv-controlled");
	struct task_struct *task[RACERS];
	struct race race[RACERS] = {};
	u64 magic;

	for (int i = 0; i < RACERS; i++) {
		race[i].dev = dev;
		task[i] = kthread_run(race_thread, &race[i], "vpv-race");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task[i]);
	}
	for (int round = 0; round < RACE_ROUNDS; round++) {
		struct vpv_control *control;

		WRITE_ONCE(magic, MAGIC);
		control = publish(test, dev, &magic);
		usleep_range(50, 200);
		vpv_control_withdraw(control);
		WRITE_ONCE(magic, 0);
		cond_resched();
	}
	for (int i = 0; i < RACERS; i++) {
		kthread_stop(task[i]);
		KUNIT_EXPECT_FALSE(test, race[i].dead_seen);
		KUNIT_EXPECT_GT(test, race[i].entered, 0UL);
		KUNIT_EXPECT_GT(test, race[i].refused, 0UL);
	}
	root_device_unregister(dev);
}

struct watcher {
	struct vpv_control_watch watch;
	int news;
};

static void count_news(struct vpv_control_watch *watch)
{
	container_of(watch, struct watcher, watch)->news++;
}

static void only_watchers_of_the_function_hear_news(struct kunit *test)
{
	struct device *dev = function_new(test, "vpv-controlled"),
		      *other = function_new(test, "vpv-other");
	struct watcher watchers[] = {
		{ { .controlled = dev, .family = FAMILY, .changed = count_news } },
		{ { .controlled = other, .family = FAMILY, .changed = count_news } },
		{ { .controlled = dev, .family = "other", .changed = count_news } },
	};
	struct vpv_control *control;

	/* Before there is a controlling function, and beyond the life of one. */
	for (int i = 0; i < ARRAY_SIZE(watchers); i++)
		vpv_control_watch(&watchers[i].watch);
	KUNIT_EXPECT_TRUE(test, vpv_control_watched(dev, FAMILY));
	KUNIT_EXPECT_TRUE(test, vpv_control_watched(dev, "other"));
	KUNIT_EXPECT_TRUE(test, vpv_control_watched(other, FAMILY));
	KUNIT_EXPECT_FALSE(test, vpv_control_watched(other, "other"));
	control = publish(test, dev, NULL);
	vpv_control_changed(control);
	KUNIT_EXPECT_EQ(test, watchers[0].news, 1);
	vpv_control_withdraw(control);
	KUNIT_EXPECT_EQ(test, watchers[0].news, 2);
	control = publish(test, dev, NULL);
	vpv_control_changed(control);
	KUNIT_EXPECT_EQ(test, watchers[0].news, 3);
	KUNIT_EXPECT_EQ(test, watchers[1].news, 0);
	KUNIT_EXPECT_EQ(test, watchers[2].news, 0);

	for (int i = 0; i < ARRAY_SIZE(watchers); i++)
		vpv_control_unwatch(&watchers[i].watch);
	KUNIT_EXPECT_FALSE(test, vpv_control_watched(dev, FAMILY));
	vpv_control_changed(control);
	KUNIT_EXPECT_EQ(test, watchers[0].news, 3);
	vpv_control_withdraw(control);
	root_device_unregister(other);
	root_device_unregister(dev);
}

static struct kunit_case controlling_cases[] = {
	KUNIT_CASE(only_watchers_of_the_function_hear_news),
	KUNIT_CASE(only_what_was_published_is_found),
	KUNIT_CASE(a_function_has_one_controller),
	KUNIT_CASE(a_handle_outlives_its_publisher),
	KUNIT_CASE(withdrawal_waits_for_who_is_inside),
	KUNIT_CASE(publish_withdraw_and_get_race),
	{ }
};

static struct kunit_suite controlling_suite = {
	.name = "vpv_controlling",
	.test_cases = controlling_cases,
};

kunit_test_suite(controlling_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of the registry of controlled functions");
