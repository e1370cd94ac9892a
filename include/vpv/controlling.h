/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Controlling and controlled functions: who migrates whom.
 *
 * Some functions cannot be migrated by themselves: another one, the controlling
 * function, has the commands for it.  Only its driver knows which functions those
 * are, so it says so here, and the VFIO driver of a controlled function asks.
 * Nothing is concluded from PCI addresses, PFs or VFs.
 *
 * Either side may go away at any time.  The driver of the controlling function
 * withdraws what it published; a handle keeps memory, not the driver:
 * vpv_control_enter() fails with -ENOTCONN from then on.  A controlling function
 * that comes back is published anew, and found by vpv_control_get() again.
 *
 * A withdrawal takes time: -ENOTCONN says that it has begun, not that it is complete.
 * Memory that the controlling function accesses is mapped through the handle, by
 * vpv/ctrl_buf.h: it is unmapped by the withdrawal at the latest.
 */
#ifndef VPV_CONTROLLING_H
#define VPV_CONTROLLING_H

#include <linux/cleanup.h>
#include <linux/list.h>
#include <linux/types.h>

struct device;
struct vpv_ctrl_dma;

/* Handle of a controlled function: opaque and counted. */
struct vpv_control;

/**
 * vpv_control_publish() - Offer to control a function
 * @controlled: The function; referenced until the handle is gone.
 * @family: What the two drivers have agreed on; must outlive the publication.
 * @ops: What vpv_control_enter() gives out: functions of the publisher, of a type
 *	that @family determines.
 * @priv: Likewise, first argument of these functions.
 * @dma: For buffers that are mapped through the handle, see vpv/ctrl_buf.h.  NULL: none.
 *
 * Context: process; may sleep.
 * Return: a handle that is given back to vpv_control_withdraw(); ERR_PTR(-EEXIST)
 * if the function is controlled already; ERR_PTR(-ENOMEM).
 */
struct vpv_control *vpv_control_publish(struct device *controlled, const char *family,
					const void *ops, void *priv,
					struct vpv_ctrl_dma *dma);

/**
 * vpv_control_withdraw() - Take the offer back
 * @control: What vpv_control_publish() returned; NULL is allowed.
 *
 * The handle is not found any more, vpv_control_enter() fails, and watchers are told, in this
 * order.  Waits for those
 * who are inside: the publisher makes them come back first, or bounds their stay.
 * Then neither ops nor priv are used any more, and what was mapped through the handle is
 * unmapped: the publisher first sees that the device does not access it any more, or says
 * that it may (vpv_ctrl_buf_end()).
 *
 * Context: process; may sleep; not between vpv_control_enter() and _leave().
 */
void vpv_control_withdraw(struct vpv_control *control);

/**
 * vpv_control_get() - Who controls this function?
 * @controlled: The function.
 * @family: What the caller understands.
 *
 * Context: process; may sleep.
 * Return: a handle, to be given back by vpv_control_put(), or ERR_PTR(-ENOTCONN) if
 * the function is not controlled, or by a driver of another family.
 */
struct vpv_control *vpv_control_get(struct device *controlled, const char *family);

/**
 * vpv_control_ref() - Take another reference
 * @control: Handle that the caller holds a reference of.
 *
 * Context: any.
 */
void vpv_control_ref(struct vpv_control *control);

/**
 * vpv_control_put() - Give a handle back
 * @control: Handle; NULL and what vpv_control_get() returns without one are allowed.
 *
 * Context: process; may sleep.
 */
void vpv_control_put(struct vpv_control *control);

DEFINE_FREE(vpv_control, struct vpv_control *, vpv_control_put(_T))

/**
 * vpv_control_published() - Does anybody control this function?
 * @controlled: The function.
 * @family: What the caller understands.
 *
 * Context: process; may sleep.
 * Return: a snapshot.
 */
bool vpv_control_published(struct device *controlled, const char *family);

/**
 * vpv_control_enter() - Begin to use the controlling function
 * @control: Handle.
 * @priv: Receives what was published with the ops.
 *
 * The publisher does not go away before vpv_control_leave(); the same task leaves,
 * and does not enter the same handle twice.
 *
 * Context: process; may sleep while a withdrawal ends, then fails.
 * Return: the ops that were published; or ERR_PTR(-ENOTCONN).
 */
const void *vpv_control_enter(struct vpv_control *control, void **priv);

/**
 * vpv_control_leave() - End what a successful vpv_control_enter() began
 * @control: Handle.
 *
 * Context: process.
 */
void vpv_control_leave(struct vpv_control *control);

/**
 * vpv_control_live() - Would vpv_control_enter() succeed?
 * @control: Handle.
 *
 * Context: any; a snapshot.
 */
bool vpv_control_live(const struct vpv_control *control);

/**
 * struct vpv_control_watch - A watcher of a controlled function
 * @node: In the list of the registry; for it alone.
 * @controlled: The function.
 * @family: What the watcher understands.
 * @changed: The publisher has news of the function, see vpv_control_changed(), or has
 *	withdrawn it.
 *
 * Context of @changed: process, under a lock of the registry: calls none of its
 * functions and does not sleep for long; schedules a work.
 */
struct vpv_control_watch {
	struct list_head node;
	struct device *controlled;
	const char *family;
	void (*changed)(struct vpv_control_watch *watch);
};

/**
 * vpv_control_watch() - Hear of a controlled function
 * @watch: Filled in; stays as it is until vpv_control_unwatch().
 *
 * The function may be controlled by somebody or not.
 *
 * Context: process; may sleep.
 */
void vpv_control_watch(struct vpv_control_watch *watch);

/**
 * vpv_control_unwatch() - Undo vpv_control_watch()
 * @watch: Watch.  Its callback has ended on return, and is not called any more.
 *
 * Context: process; may sleep; not from the callback.
 */
void vpv_control_unwatch(struct vpv_control_watch *watch);

/**
 * vpv_control_watched() - Does anybody want to hear of a function?
 * @controlled: The function.
 * @family: What the watcher understands.
 *
 * For the publisher: a driver watches a function before it uses it.
 *
 * Context: process; may sleep.
 * Return: a snapshot.
 */
bool vpv_control_watched(const struct device *controlled, const char *family);

/**
 * vpv_control_changed() - There is news of a function
 * @control: Handle of the publisher.
 *
 * To be called when the controlling function has reported an event of the function, and
 * when it was published again: what was known of it may not be true any more.
 *
 * Context: process; may sleep.
 */
void vpv_control_changed(struct vpv_control *control);

#endif /* VPV_CONTROLLING_H */
