// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks reach the device however its user has left it: asleep, say.
 *
 * It is made reachable before the first hook and may sleep again when state_lock is
 * released, but not before it runs freely and is not saved: what hooks have set up in a
 * device that is quiesced or frozen, or that logs what it writes, may be lost when it sleeps.
 */
#include <vpv/reach.h>

#include "machine.h"

/**
 * vmig_reach() - Before hooks are called
 * @m: Machine of a device that is open.
 *
 * Return: 0, or the error of vpv_reach.begin.
 */
int vmig_reach(struct vmig_machine *m)
{
	const struct vpv_reach *reach = m->mig->desc->reach;
	int err;

	lockdep_assert_held(&m->state_lock);

	if (!reach || m->reached)
		return 0;
	err = reach->begin(m->mig->vdev);
	if (!err)
		m->reached = true;
	else if (!vmig_overtaken(m))
		vmig_complain(m, "the device cannot be reached: %d", err);
	return err;
}

/**
 * vmig_reach_end() - No hook is called until vmig_reach() is again
 * @m: Machine.
 */
void vmig_reach_end(struct vmig_machine *m)
{
	lockdep_assert_held(&m->state_lock);

	if (!m->reached || (m->open && m->state != VMIG_RUNNING))
		return;
	m->reached = false;
	m->mig->desc->reach->end(m->mig->vdev);
}
