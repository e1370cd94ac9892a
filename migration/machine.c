// SPDX-License-Identifier: GPL-2.0
/*
 * A machine's life, and what it says.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "machine.h"
#include "trace.h"

struct workqueue_struct *vmig_wq;
struct workqueue_struct *vmig_read_wq;	/* who holds state_lock waits for it */

/**
 * vmig_machine_init() - Make what all machines share
 *
 * Return: 0 or -ENOMEM.
 */
int vmig_machine_init(void)
{
	vmig_wq = alloc_workqueue("vpv_migration", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!vmig_wq)
		return -ENOMEM;
	vmig_read_wq = alloc_workqueue("vpv_migration_read", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (vmig_read_wq)
		return 0;
	destroy_workqueue(vmig_wq);
	return -ENOMEM;
}

/**
 * vmig_machine_exit() - Undo vmig_machine_init()
 */
void vmig_machine_exit(void)
{
	destroy_workqueue(vmig_read_wq);
	destroy_workqueue(vmig_wq);
}

/**
 * vmig_machine_alloc() - Make the machine of a device
 * @mig: The device, its hooks and constants.
 * @session_ops: The sessions.
 *
 * Return: the machine with one reference, or NULL.
 */
struct vmig_machine *vmig_machine_alloc(struct vmig_dev *mig,
					const struct vmig_session_ops *session_ops)
{
	const struct vmig_desc *desc = mig->desc;
	struct vmig_machine *m;

	m = kzalloc_obj(*m, GFP_KERNEL);
	if (!m)
		return NULL;
	m->match = kzalloc(desc->match_bytes + desc->match_local_bytes, GFP_KERNEL);
	if (!m->match) {
		kfree(m);
		return NULL;
	}

	kref_init(&m->ref);
	mutex_init(&m->request_lock);
	mutex_init(&m->state_lock);
	mutex_init(&m->track_lock);
	spin_lock_init(&m->lock);
	init_waitqueue_head(&m->reset_over);
	init_waitqueue_head(&m->estimated);
	m->mig = mig;
	m->session_ops = session_ops;
	m->state = VMIG_RUNNING;
	m->entered = ktime_get();
	m->estimate = desc->typical_bytes;
	m->held_limit = vmig_held_limit(desc);
	m->last_save.err = 1;
	m->last_load.err = 1;
	m->caps = VMIG_CAP_PRE_COPY | (mig->ops->quiesce ? VMIG_CAP_P2P : 0);

	strscpy_pad(m->id.family, desc->family, sizeof(m->id.family));
	m->id.state_version = desc->state_version;
	m->id.state_oldest = desc->state_oldest;
	m->id.state_accepts = desc->state_accepts;
	return m;
}

static void machine_free(struct kref *ref)
{
	struct vmig_machine *m = container_of(ref, struct vmig_machine, ref);

	mutex_destroy(&m->track_lock);
	mutex_destroy(&m->state_lock);
	mutex_destroy(&m->request_lock);
	kfree(m->match);
	kfree(m);
}

void vmig_machine_get(struct vmig_machine *m)
{
	kref_get(&m->ref);
}

void vmig_machine_put(struct vmig_machine *m)
{
	kref_put(&m->ref, machine_free);
}

/**
 * vmig_vcomplain() - The one log line of a failure, under any lock that keeps m->mig
 * @m: Machine.
 * @fmt: What happened, without a newline.
 * @args: Its arguments.
 */
void vmig_vcomplain(struct vmig_machine *m, const char *fmt, va_list args)
{
	char text[VMIG_ERROR_TEXT_BYTES];

	vscnprintf(text, sizeof(text), fmt, args);

	spin_lock(&m->lock);
	strscpy(m->last_error, text, sizeof(m->last_error));
	spin_unlock(&m->lock);
	dev_warn_ratelimited(m->mig->vdev->dev, "migration: %s\n", text);
}

/**
 * vmig_complain() - The same
 * @m: Machine; state_lock is held.
 * @fmt: What happened, without a newline.
 */
void vmig_complain(struct vmig_machine *m, const char *fmt, ...)
{
	va_list args;

	lockdep_assert_held(&m->state_lock);

	va_start(args, fmt);
	vmig_vcomplain(m, fmt, args);
	va_end(args);
}

/**
 * vmig_blame() - The same of a hook that failed
 * @m: Machine; state_lock is held.
 * @fmt: What happened, without a newline.
 *
 * Nothing is said if the hook has told why it refuses, or if a reset has begun or a reset or a
 * fault was reported meanwhile: it may have failed for that alone.
 */
void vmig_blame(struct vmig_machine *m, const char *fmt, ...)
{
	va_list args;

	lockdep_assert_held(&m->state_lock);

	if (m->refused || vmig_overtaken(m))
		return;
	va_start(args, fmt);
	vmig_vcomplain(m, fmt, args);
	va_end(args);
}

/**
 * vmig_tell() - The same, of what user space has done with a device that it has open
 * @m: Machine.
 * @fmt: What happened, without a newline.
 */
void vmig_tell(struct vmig_machine *m, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vmig_vcomplain(m, fmt, args);
	va_end(args);
}

static void complain_of(struct vmig_machine *m, int err, const struct vmig_diff *diff)
{
	const char *what = m->resuming ? "stream" : "save";

	if (diff->want_text)
		vmig_complain(m, "%s refused: %s: expected \"%s\", got \"%*pE\" (%d)", what,
			      diff->field, diff->want_text, (int)strlen(diff->got_text),
			      diff->got_text, err);
	else if (diff->placed)
		vmig_complain(m, "%s refused: %s at %#05x: expected %#04llx, got %#04llx (%d)",
			      what, diff->field, diff->pos, diff->want, diff->got, err);
	else
		vmig_complain(m, "%s refused: %s: expected %#llx, got %#llx (%d)", what,
			      diff->field, diff->want, diff->got, err);
}

int vmig_refuse(struct vmig_dev *mig, int err, const struct vmig_diff *diff)
{
	struct vmig_machine *m = mig->m;

	trace_vmig_refusal(m, err, diff);
	/* What a reset or a fault has made different is no reason. */
	if (!vmig_overtaken(m))
		complain_of(m, err, diff);
	m->refused = true;
	return err;
}
EXPORT_SYMBOL_GPL(vmig_refuse);
