// SPDX-License-Identifier: GPL-2.0
/*
 * The state that a device is in.
 */
#include "machine.h"

static void enter(struct vmig_machine *m, u8 bits)
{
	ktime_t now = ktime_get();

	lockdep_assert_held(&m->state_lock);
	lockdep_assert_held(&m->lock);

	if (m->state == VMIG_RUNNING && bits != VMIG_RUNNING)
		memset(m->state_ns, 0, sizeof(m->state_ns));
	else
		m->state_ns[vmig_fsm_v2(m->state)] += ktime_to_ns(ktime_sub(now, m->entered));
	m->entered = now;
	m->state = bits;
}

/**
 * vmig_state_set() - Note a new state
 * @m: Machine.
 * @bits: VMIG_ bits.
 */
void vmig_state_set(struct vmig_machine *m, u8 bits)
{
	spin_lock(&m->lock);
	enter(m, bits);
	spin_unlock(&m->lock);
}

/**
 * vmig_state_error() - Only a reset helps from here
 * @m: Machine.
 * @err: What its sessions fail with.
 *
 * A user that sees a session fail sees ERROR, too.
 */
void vmig_state_error(struct vmig_machine *m, int err)
{
	spin_lock(&m->lock);
	enter(m, VMIG_ERROR);
	m->session_ops->fail(m, err);
	spin_unlock(&m->lock);
	m->session_ops->end(m, err);
}

/**
 * vmig_state_failed() - A hook has left the device in a state that only a reset helps from
 * @m: Machine.
 * @err: What its sessions fail with.
 *
 * If a reset has begun, or a reset or a fault has been reported since, that one decides about the
 * state.
 */
void vmig_state_failed(struct vmig_machine *m, int err)
{
	bool decided;

	spin_lock(&m->lock);
	decided = vmig_overtaken(m);
	if (!decided) {
		enter(m, VMIG_ERROR);
		m->session_ops->fail(m, err);
	}
	spin_unlock(&m->lock);
	if (!decided)
		m->session_ops->end(m, err);
}

/**
 * vmig_state_snapshot() - Current state, without waiting
 * @m: Machine.
 *
 * Return: VMIG_ bits; a reset or fault counts from the moment it was reported.
 */
u8 vmig_state_snapshot(struct vmig_machine *m)
{
	u8 bits;

	spin_lock(&m->lock);
	bits = m->fault ? VMIG_ERROR : m->reset_pending ? VMIG_RUNNING : m->state;
	spin_unlock(&m->lock);
	return bits;
}
