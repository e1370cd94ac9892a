// SPDX-License-Identifier: GPL-2.0
/*
 * How much a save session would emit, as far as it is known.
 *
 * The device may need long for its answer, so the worker asks it.  Callers get the
 * last answer.  Only if that is an old one the next is waited for, and not for long: there may
 * be a user that asks just once, or that decides by it when to stop.
 */
#include <linux/jiffies.h>

#include "machine.h"

#define FRESH_MS	100
#define OLD_MS		1000

/* Is there anybody to ask? */
static bool asks(const struct vmig_machine *m)
{
	return m->mig->ops->estimate || m->mig->desc->pages;
}

/* Does the device have to be reachable for that?  A layout is known without. */
static bool needs_reach(const struct vmig_machine *m)
{
	return m->mig->ops->estimate || m->saving;
}

static u64 ask(struct vmig_machine *m)
{
	const struct vmig_ops *ops = m->mig->ops;

	return ops->estimate ? ops->estimate(m->mig) : m->mig->desc->typical_bytes;
}

/**
 * vmig_estimate_open() - The device is being opened
 * @m: Machine.
 */
void vmig_estimate_open(struct vmig_machine *m)
{
	u64 memory = 0;

	lockdep_assert_held(&m->state_lock);

	/* Known without asking: an answer that is late must not lack it. */
	if (m->mig->desc->pages && !m->detached)
		memory = m->session_ops->memory_bytes(m);
	spin_lock(&m->lock);
	m->estimate_own = m->mig->desc->typical_bytes;
	m->estimate = m->estimate_own + memory;
	m->estimate_wanted = false;
	m->estimate_known = !asks(m);
	spin_unlock(&m->lock);
}

/**
 * vmig_estimate_begin() - A save session has begun
 * @m: Machine.
 *
 * The worker cannot ask the device before the session is idle, which may take as long as all of
 * its memory: until then the answer is what that is.
 */
void vmig_estimate_begin(struct vmig_machine *m)
{
	u64 memory;

	lockdep_assert_held(&m->state_lock);

	if (!m->mig->desc->pages)
		return;
	memory = m->session_ops->memory_bytes(m);
	spin_lock(&m->lock);
	m->estimate = m->estimate_own + memory;
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
 * The device is asked for the next answer, every 10 ms at most.
 *
 * Context: user space has the device open; may sleep for FRESH_MS.
 * Return: bytes of records of the family.
 */
u64 vmig_estimate(struct vmig_machine *m)
{
	u64 estimate;

	if (asks(m)) {
		unsigned long delay;

		spin_lock(&m->lock);
		m->estimate_wanted = true;
		if (time_after(jiffies, m->estimate_at + msecs_to_jiffies(OLD_MS)))
			m->estimate_known = false;
		delay = m->estimate_known ? vmig_rest_of_pause(m->estimate_at) : 0;
		spin_unlock(&m->lock);
		if (delay)
			queue_delayed_work(vmig_wq, &m->work, delay);
		else
			mod_delayed_work(vmig_wq, &m->work, 0);
		wait_event_interruptible_timeout(m->estimated, known(m),
						 msecs_to_jiffies(FRESH_MS));
	}
	spin_lock(&m->lock);
	if (!m->estimate_known) {
		/* The next caller does not wait for the same answer again. */
		m->estimate_known = true;
		m->estimate_at = jiffies;
	}
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
	u64 own, memory;
	bool wanted;

	lockdep_assert_held(&m->state_lock);

	spin_lock(&m->lock);
	wanted = m->estimate_wanted;
	m->estimate_wanted = false;
	spin_unlock(&m->lock);
	if (!wanted || !m->open || (needs_reach(m) && vmig_reach(m)))
		return;

	own = ask(m);
	memory = m->session_ops->memory_bytes(m);
	spin_lock(&m->lock);
	m->estimate_own = own;
	m->estimate = own + memory;
	m->estimate_known = true;
	m->estimate_at = jiffies;
	spin_unlock(&m->lock);
	wake_up_all(&m->estimated);
}
