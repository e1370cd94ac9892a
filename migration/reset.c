// SPDX-License-Identifier: GPL-2.0
/*
 * Resets and faults against the state lock: the only deferral.
 *
 * Both are reported with locks held that hooks take (memory_lock) and that are
 * ordered with user memory access, so they must not wait for state_lock.  They leave a
 * flag instead.  The flag is tested and state_lock released under one spinlock, so
 * either the holder sees the flag, or the lock is free by the time of the trylock.
 *
 * The later one of the two wins: a reset ends a fault that was reported before it.  A reset
 * that a save session survives leaves a flag of its own.
 */
#include <linux/export.h>

#include "machine.h"
#include "trace.h"

static void reset_locked(struct vmig_machine *m)
{
	lockdep_assert_held(&m->state_lock);

	m->session_ops->end(m, -ENODEV);
	vmig_state_set(m, VMIG_RUNNING);

	spin_lock(&m->lock);
	m->reset_pending = false;
	spin_unlock(&m->lock);

	if (m->mig && !m->detached && m->mig->ops->reset)
		m->mig->ops->reset(m->mig);
	trace_vmig_reset(m, false);
}

/* Pre-copy goes on, with initial data again. */
static void restart_locked(struct vmig_machine *m)
{
	lockdep_assert_held(&m->state_lock);

	spin_lock(&m->lock);
	m->restart_pending = false;
	spin_unlock(&m->lock);

	if (m->mig && !m->detached && m->mig->ops->reset)
		m->mig->ops->reset(m->mig);
	m->session_ops->restart(m);
	trace_vmig_reset(m, false);
}

/* Not for a device that is closed: it is reset before its next user gets it. */
static void fault_locked(struct vmig_machine *m, const char *why)
{
	lockdep_assert_held(&m->state_lock);

	if (m->open) {
		vmig_complain(m, "the device failed: %s", why);
		vmig_state_error(m, -EIO);
	}

	spin_lock(&m->lock);
	/* With a reset pending it is a later one. */
	if (m->fault == why && !m->reset_pending)
		m->fault = NULL;
	spin_unlock(&m->lock);
	trace_vmig_fault(m, why, false);
}

/* One of them; more may have been left by the time it returns. */
static void pending_locked(struct vmig_machine *m)
{
	const char *why = READ_ONCE(m->fault);

	if (READ_ONCE(m->reset_pending))
		reset_locked(m);
	else if (why)
		fault_locked(m, why);
	else if (READ_ONCE(m->restart_pending))
		restart_locked(m);
}

static void lock_taken(struct vmig_machine *m)
{
	while (vmig_pending(m))
		pending_locked(m);
}

/**
 * vmig_lock() - Take the state lock
 * @m: Machine.
 *
 * The state that is seen is the one after all resets and faults that were reported.
 */
void vmig_lock(struct vmig_machine *m)
{
	mutex_lock(&m->state_lock);
	lock_taken(m);
}

/**
 * vmig_lock_killable() - The same, unless the task is killed meanwhile
 * @m: Machine.
 *
 * Return: 0 or -EINTR.
 */
int vmig_lock_killable(struct vmig_machine *m)
{
	int err = mutex_lock_killable(&m->state_lock);

	if (err)
		return err;
	lock_taken(m);
	return 0;
}

/* Release state_lock unless something was left to its holder.  Return: whether it is. */
static bool try_unlock(struct vmig_machine *m)
{
	bool pending;

	spin_lock(&m->lock);
	pending = vmig_pending(m);
	if (!pending)
		mutex_unlock(&m->state_lock);
	spin_unlock(&m->lock);
	return !pending;
}

/**
 * vmig_unlock() - Release the state lock, and do what was left to its holder
 * @m: Machine.
 */
void vmig_unlock(struct vmig_machine *m)
{
	for (;;) {
		vmig_reach_end(m);
		if (try_unlock(m))
			return;
		pending_locked(m);
	}
}

/* The same for who may hold memory_lock, which vmig_reach_end() takes: the worker ends it. */
static void unlock_after_report(struct vmig_machine *m)
{
	while (!try_unlock(m)) {
		pending_locked(m);
		if (m->reached)
			mod_delayed_work(vmig_wq, &m->work, 0);
	}
}

/*
 * Does pre-copy go on in spite of a reset?  It is the guest then that reboots or loads its
 * driver again, while its VMM reads.  But a VMM that resets a device of which a state change
 * has failed wants it to run, and one that has not asked for the second version of
 * PRECOPY_INFO cannot be told that what it has sent is worthless.
 */
static bool reset_restarts(struct vmig_machine *m)
{
	lockdep_assert_held(&m->lock);

	if (!m->saving || m->state != (VMIG_RUNNING | VMIG_SAVING) || m->request_failed ||
	    m->reset_pending || m->fault || !vpv_compat_precopy_info_v2(m->mig->vdev))
		return false;
	return m->session_ops->survives(m);
}

void vmig_reset_begin(struct vmig_dev *mig)
{
	struct vmig_machine *m = mig->m;

	spin_lock(&m->lock);
	WRITE_ONCE(m->resetting, true);
	spin_unlock(&m->lock);
}
EXPORT_SYMBOL_GPL(vmig_reset_begin);

void vmig_reset_done(struct vmig_dev *mig)
{
	struct vmig_machine *m = mig->m;
	bool restarts;

	spin_lock(&m->lock);
	WRITE_ONCE(m->resetting, false);
	WRITE_ONCE(m->resets, m->resets + 1);
	restarts = reset_restarts(m);
	m->restart_pending = restarts;
	m->reset_pending |= !restarts;
	m->fault = NULL;
	/* With the lock: later it would be another session. */
	if (!restarts)
		m->session_ops->fail(m, -ENODEV);
	spin_unlock(&m->lock);
	wake_up_all(&m->reset_over);

	if (mutex_trylock(&m->state_lock))
		unlock_after_report(m);
	else
		trace_vmig_reset(m, true);
}
EXPORT_SYMBOL_GPL(vmig_reset_done);

u32 vmig_resets(const struct vmig_dev *mig)
{
	return READ_ONCE(mig->m->resets);
}
EXPORT_SYMBOL_GPL(vmig_resets);

/* @resets: NULL: whatever was reset. */
static bool note_fault(struct vmig_machine *m, const u32 *resets, const char *why)
{
	bool same;

	scoped_guard(spinlock, &m->lock) {
		/* The reset would end it. */
		same = !m->resetting && (!resets || *resets == m->resets);
		if (same) {
			m->fault = why;
			m->session_ops->fail(m, -EIO);
		}
	}
	return same;
}

static void report_fault(struct vmig_machine *m, const u32 *resets, const char *why)
{
	if (!note_fault(m, resets, why))
		return;
	if (mutex_trylock(&m->state_lock))
		unlock_after_report(m);
	else
		trace_vmig_fault(m, why, true);
}

void vmig_fault(struct vmig_dev *mig, const char *why)
{
	report_fault(mig->m, NULL, why);
}
EXPORT_SYMBOL_GPL(vmig_fault);

void vmig_fault_of(struct vmig_dev *mig, u32 resets, const char *why)
{
	report_fault(mig->m, &resets, why);
}
EXPORT_SYMBOL_GPL(vmig_fault_of);
