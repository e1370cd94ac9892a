// SPDX-License-Identifier: GPL-2.0
/*
 * How much a save session would emit, as far as it is known.
 *
 * The device may need long for its answer, so the worker asks it.  Whoever wants to know
 * gets the last answer.  Only the first one after the device was opened is waited for, and
 * not for long: there may be a user that asks just once.
 */
#include <linux/jiffies.h>

#include "machine.h"

#define FIRST_MS	100

/**
 * vmig_estimate_open() - The device is being opened
 * @m: Machine.
 */
void vmig_estimate_open(struct vmig_machine *m)
{
	spin_lock(&m->lock);
	m->estimate_known = !m->mig->ops->estimate;
	spin_unlock(&m->lock);
}

static bool known(struct vmig_machine *m)
{
	bool known;

	spin_lock(&m->lock);
	known = m->estimate_known;
	spin_unlock(&m->lock);
	return known;
}

/**
 * vmig_estimate() - How much would a save session emit?
 * @m: Machine.
 *
 * The device is asked for the next answer.
 *
 * Context: user space has the device open; may sleep for FIRST_MS.
 * Return: bytes of records of the family.
 */
u64 vmig_estimate(struct vmig_machine *m)
{
	u64 estimate;

	if (m->mig->ops->estimate) {
		spin_lock(&m->lock);
		m->estimate_wanted = true;
		spin_unlock(&m->lock);
		mod_delayed_work(vmig_wq, &m->work, 0);
		wait_event_interruptible_timeout(m->estimated, known(m),
						 msecs_to_jiffies(FIRST_MS));
	}
	spin_lock(&m->lock);
	m->estimate_known = true;
	estimate = m->estimate;
	spin_unlock(&m->lock);
	return estimate;
}

/**
 * vmig_estimate_work() - Ask the device, if somebody wants to know
 * @m: Machine; user space may have closed it meanwhile.
 *
 * Context: the worker.
 */
void vmig_estimate_work(struct vmig_machine *m)
{
	bool wanted;
	u64 estimate;

	lockdep_assert_held(&m->state_lock);

	spin_lock(&m->lock);
	wanted = m->estimate_wanted;
	m->estimate_wanted = false;
	spin_unlock(&m->lock);
	if (!wanted || !m->open || vmig_reach(m))
		return;

	estimate = m->mig->ops->estimate(m->mig);
	spin_lock(&m->lock);
	m->estimate = estimate;
	m->estimate_known = true;
	spin_unlock(&m->lock);
	wake_up_all(&m->estimated);
}
