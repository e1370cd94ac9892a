// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of controlled functions.
 *
 * Locks: controls_lock guards the lists and is never held while a handle's sem is
 * taken.  A handle is in the list while it is live.
 */
#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <vpv/controlling.h>

/**
 * struct vpv_control - A controlled function
 * @ref: Held by the publisher and by everyone who found it.
 * @node: In the list; controls_lock.
 * @sem: Held for reading by those who are inside.
 * @live: Cleared before the publisher waits for @sem; also read without it, to save
 *	the wait.
 * @withdrawn: The publisher has undone all that was done through the handle.
 * @controlled: The function; referenced.
 * @family: Constant until withdrawn; compared under controls_lock.
 * @ops: Constant.
 * @priv: Constant.
 */
struct vpv_control {
	struct kref ref;
	struct list_head node;
	struct rw_semaphore sem;
	bool live;
	struct completion withdrawn;
	struct device *controlled;
	const char *family;
	const void *ops;
	void *priv;
};

static DEFINE_MUTEX(controls_lock);
static LIST_HEAD(controls);	/* controls_lock */
static LIST_HEAD(watches);	/* controls_lock */

static struct vpv_control *control_find(struct device *controlled)
{
	struct vpv_control *control;

	lockdep_assert_held(&controls_lock);

	list_for_each_entry(control, &controls, node)
		if (control->controlled == controlled)
			return control;
	return NULL;
}

static void control_free(struct kref *ref)
{
	struct vpv_control *control = container_of(ref, struct vpv_control, ref);

	put_device(control->controlled);
	kfree(control);
}

struct vpv_control *vpv_control_publish(struct device *controlled, const char *family,
					const void *ops, void *priv)
{
	struct vpv_control *control;

	control = kzalloc_obj(*control, GFP_KERNEL);
	if (!control)
		return ERR_PTR(-ENOMEM);
	kref_init(&control->ref);
	init_rwsem(&control->sem);
	init_completion(&control->withdrawn);
	control->live = true;
	control->family = family;
	control->ops = ops;
	control->priv = priv;

	guard(mutex)(&controls_lock);
	if (control_find(controlled)) {
		kfree(control);
		return ERR_PTR(-EEXIST);
	}
	control->controlled = get_device(controlled);
	list_add_tail(&control->node, &controls);
	return control;
}
EXPORT_SYMBOL_GPL(vpv_control_publish);

void vpv_control_withdraw(struct vpv_control *control, void (*undo)(void *priv))
{
	if (!control)
		return;

	scoped_guard(mutex, &controls_lock)
		list_del_init(&control->node);
	WRITE_ONCE(control->live, false);

	/* Whoever entered before is out after this; whoever comes later sees it. */
	down_write(&control->sem);
	if (undo)
		undo(control->priv);
	up_write(&control->sem);
	complete_all(&control->withdrawn);
	vpv_control_put(control);
}
EXPORT_SYMBOL_GPL(vpv_control_withdraw);

void vpv_control_wait_withdrawn(struct vpv_control *control)
{
	/* What the publisher waits for in a withdrawal must not wait for us. */
	might_lock_read(&control->sem);
	wait_for_completion(&control->withdrawn);
}
EXPORT_SYMBOL_GPL(vpv_control_wait_withdrawn);

struct vpv_control *vpv_control_get(struct device *controlled, const char *family)
{
	struct vpv_control *control;

	guard(mutex)(&controls_lock);
	control = control_find(controlled);
	if (!control || strcmp(control->family, family))
		return ERR_PTR(-ENOTCONN);
	kref_get(&control->ref);
	return control;
}
EXPORT_SYMBOL_GPL(vpv_control_get);

void vpv_control_ref(struct vpv_control *control)
{
	kref_get(&control->ref);
}
EXPORT_SYMBOL_GPL(vpv_control_ref);

void vpv_control_put(struct vpv_control *control)
{
	if (control)
		kref_put(&control->ref, control_free);
}
EXPORT_SYMBOL_GPL(vpv_control_put);

int vpv_control_enter(struct vpv_control *control, const void **ops, void **priv)
{
	if (!vpv_control_live(control))
		return -ENOTCONN;
	down_read(&control->sem);
	if (!vpv_control_live(control)) {
		up_read(&control->sem);
		return -ENOTCONN;
	}
	*ops = control->ops;
	*priv = control->priv;
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_control_enter);

void vpv_control_leave(struct vpv_control *control)
{
	up_read(&control->sem);
}
EXPORT_SYMBOL_GPL(vpv_control_leave);

bool vpv_control_live(const struct vpv_control *control)
{
	return READ_ONCE(control->live);
}
EXPORT_SYMBOL_GPL(vpv_control_live);

void vpv_control_watch(struct vpv_control_watch *watch)
{
	guard(mutex)(&controls_lock);
	list_add_tail(&watch->node, &watches);
}
EXPORT_SYMBOL_GPL(vpv_control_watch);

void vpv_control_unwatch(struct vpv_control_watch *watch)
{
	guard(mutex)(&controls_lock);
	list_del_init(&watch->node);
}
EXPORT_SYMBOL_GPL(vpv_control_unwatch);

void vpv_control_changed(struct vpv_control *control)
{
	struct vpv_control_watch *watch;

	guard(mutex)(&controls_lock);
	list_for_each_entry(watch, &watches, node)
		if (watch->controlled == control->controlled &&
		    !strcmp(watch->family, control->family))
			watch->changed(watch);
}
EXPORT_SYMBOL_GPL(vpv_control_changed);
