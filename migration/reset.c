// SPDX-License-Identifier: GPL-2.0
/*
 * Reset against the state lock: the only deferral.
 *
 * A reset arrives with locks held that hooks take (memory_lock) and that are
 * ordered with user memory access, so it must not wait for state_lock.  It leaves a
 * flag instead.  The flag is tested and state_lock let go under one spinlock, so
 * either the holder sees the flag, or the lock is free by the time of the trylock.
 */
#include <linux/export.h>

#include "trace.h"
#include "vmig.h"

static void reset_locked(struct vmig_machine *m)
{
	lockdep_assert_held(&m->state_lock);

	vmig_sessions_end(m, -ENODEV);
	vmig_state_set(m, VMIG_RUNNING);

	spin_lock(&m->lock);
	m->reset_pending = false;
	spin_unlock(&m->lock);

	if (m->mig && !m->detached && m->mig->ops->reset)
		m->mig->ops->reset(m->mig);
	trace_vmig_reset(m, false);
}

/**
 * vmig_lock() - Take the state lock
 * @m: Machine.
 *
 * The state that is seen is the one after all resets that were reported.
 */
void vmig_lock(struct vmig_machine *m)
{
	mutex_lock(&m->state_lock);
	if (READ_ONCE(m->reset_pending))
		reset_locked(m);
}

/**
 * vmig_unlock() - Let the state lock go, and do what a reset left to its holder
 * @m: Machine.
 */
void vmig_unlock(struct vmig_machine *m)
{
	spin_lock(&m->lock);
	while (m->reset_pending) {
		spin_unlock(&m->lock);
		reset_locked(m);
		spin_lock(&m->lock);
	}
	mutex_unlock(&m->state_lock);
	spin_unlock(&m->lock);
}

void vmig_reset_done(struct vmig_dev *mig)
{
	struct vmig_machine *m = mig->m;

	spin_lock(&m->lock);
	m->reset_pending = true;
	spin_unlock(&m->lock);
	vmig_sessions_fail(m, -ENODEV);

	if (mutex_trylock(&m->state_lock))
		vmig_unlock(m);
	else
		trace_vmig_reset(m, true);
}
EXPORT_SYMBOL_GPL(vmig_reset_done);
