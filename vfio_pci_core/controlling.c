// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of controlled functions.
 *
 * Locks: controls_lock guards the lists and is never held while a handle's sem is
 * taken; the lock of buffers (ctrl_buf.c) is taken inside of sem.  A handle is in the
 * list while it is live.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "controlling.h"

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
	vpv_ctrl_dma_put(control->dma);
	kfree(control);
}

struct vpv_control *vpv_control_publish(struct device *controlled, const char *family,
					const void *ops, void *priv,
					struct vpv_ctrl_dma *dma)
{
	struct vpv_control *control;

	control = kzalloc_obj(*control, GFP_KERNEL);
	if (!control)
		return ERR_PTR(-ENOMEM);
	kref_init(&control->ref);
	init_rwsem(&control->sem);
	INIT_LIST_HEAD(&control->bufs);
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
	control->dma = vpv_ctrl_dma_get(dma);
	list_add_tail(&control->node, &controls);
	return control;
}
EXPORT_SYMBOL_GPL(vpv_control_publish);

static bool watch_is_for(const struct vpv_control_watch *watch, const struct device *controlled,
			 const char *family)
{
	return watch->controlled == controlled && !strcmp(watch->family, family);
}

static void tell_watchers(const struct vpv_control *control)
{
	struct vpv_control_watch *watch;

	lockdep_assert_held(&controls_lock);

	list_for_each_entry(watch, &watches, node)
		if (watch_is_for(watch, control->controlled, control->family))
			watch->changed(watch);
}

void vpv_control_withdraw(struct vpv_control *control)
{
	if (!control)
		return;

	scoped_guard(mutex, &controls_lock) {
		list_del_init(&control->node);
		WRITE_ONCE(control->live, false);
		tell_watchers(control);
	}

	/* Those who entered before have left after this; later ones see that it is not live. */
	down_write(&control->sem);
	vpv_ctrl_bufs_unmap(control);
	up_write(&control->sem);
	vpv_control_put(control);
}
EXPORT_SYMBOL_GPL(vpv_control_withdraw);

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

bool vpv_control_published(struct device *controlled, const char *family)
{
	struct vpv_control *control __free(vpv_control) = vpv_control_get(controlled, family);

	return !IS_ERR(control);
}
EXPORT_SYMBOL_GPL(vpv_control_published);

void vpv_control_ref(struct vpv_control *control)
{
	kref_get(&control->ref);
}
EXPORT_SYMBOL_GPL(vpv_control_ref);

void vpv_control_put(struct vpv_control *control)
{
	if (!IS_ERR_OR_NULL(control))
		kref_put(&control->ref, control_free);
}
EXPORT_SYMBOL_GPL(vpv_control_put);

const void *vpv_control_enter(struct vpv_control *control, void **priv)
{
	if (!vpv_control_live(control))
		return ERR_PTR(-ENOTCONN);
	down_read(&control->sem);
	if (!vpv_control_live(control)) {
		up_read(&control->sem);
		return ERR_PTR(-ENOTCONN);
	}
	*priv = control->priv;
	return control->ops;
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

bool vpv_control_watched(const struct device *controlled, const char *family)
{
	struct vpv_control_watch *watch;

	guard(mutex)(&controls_lock);
	list_for_each_entry(watch, &watches, node)
		if (watch_is_for(watch, controlled, family))
			return true;
	return false;
}
EXPORT_SYMBOL_GPL(vpv_control_watched);

void vpv_control_changed(struct vpv_control *control)
{
	guard(mutex)(&controls_lock);
	tell_watchers(control);
}
EXPORT_SYMBOL_GPL(vpv_control_changed);
