// SPDX-License-Identifier: GPL-2.0
/*
 * Pre-copy as its reader sees it: how much there is, and whether there is more.
 */
#include <linux/export.h>

#include "session_priv.h"

/*
 * Initial data that the device has announced is told together with its bytes: as long as there are
 * none it looks drained, and no round follows that would end it.
 */
static void precopy_fresh(struct vmig_session *s)
{
	lockdep_assert_held(&s->lock);

	if (s->reinit && s->dirty && !s->final) {
		s->fresh = VMIG_FRESH_COMING;
		s->reinit = false;
		/* What is queued is read before what replaces it. */
		s->initial = s->queued;
	} else if (s->fresh == VMIG_FRESH_COMING && !s->dirty && !s->producing) {
		/* What counts as initial data by now stays that until it was read. */
		s->fresh = s->initial ? VMIG_FRESH_READ : VMIG_FRESH_NO;
		s->reinit = true;
	}
}

/**
 * vmig_precopy_dirty() - Ask the device what the next round would emit
 * @m: Machine.
 * @s: Its save session, in pre-copy.
 *
 * Starts that round if somebody waits for data and there is none left.  Of a round that has
 * not ended the answer is what it will still emit.
 */
void vmig_precopy_dirty(struct vmig_machine *m, struct vmig_session *s)
{
	const struct vmig_ops *ops = m->mig->ops;
	u64 dirty = 0;

	lockdep_assert_held(&m->state_lock);

	if (s->can_ask && !vmig_reach(m)) {
		if (ops->precopy && ops->dirty_bytes)
			dirty = ops->dirty_bytes(m->mig);
		dirty += vmig_pages_dirty_bytes(s);
	}
	spin_lock(&s->lock);
	s->dirty = dirty;
	precopy_fresh(s);
	if (s->ask == VMIG_ASK_DATA && !s->queued && dirty)
		s->producing = true;
	s->ask = VMIG_ASK_NO;
	s->answers++;
	s->answered = jiffies;
	spin_unlock(&s->lock);
	wake_up_all(&s->wait);
}

/**
 * vmig_precopy_ask() - Have the worker ask the device
 * @s: Save session.
 * @ask: What is wanted of the device.
 * @delay: How long it may rest before, in jiffies.
 *
 * The device may need long for its answer: who must not wait goes on with the last one.
 * Nothing is asked while a round goes on, which ends in a question.
 */
void vmig_precopy_ask(struct vmig_session *s, enum vmig_ask ask, unsigned long delay)
{
	lockdep_assert_held(&s->lock);

	/* No work is queued once err is set: detach waits for the last one. */
	if (s->err || s->final || s->producing || !s->can_ask)
		return;
	s->ask = max(s->ask, ask);
	/* User space may ask for the amount in a loop. */
	if (ask == VMIG_ASK_SIZE && s->answers)
		delay = max(delay, vmig_rest_of_pause(s->answered));
	if (delay)
		queue_delayed_work(vmig_wq, &s->m->work, delay);
	else
		mod_delayed_work(vmig_wq, &s->m->work, 0);
}

/* Is there something else to do than to wait for an answer?  Under s->lock. */
static bool precopy_goes_on(const struct vmig_session *s)
{
	return s->err || s->queued || s->producing || s->final;
}

static bool precopy_answered(struct vmig_session *s, unsigned int answers)
{
	bool answered;

	spin_lock(&s->lock);
	answered = s->answers != answers || precopy_goes_on(s);
	spin_unlock(&s->lock);
	return answered;
}

/**
 * vmig_precopy_more() - All was read: is there reason for another round?
 * @s: Save session.
 * @nonblock: Do not wait for the device.
 *
 * Return: 0: look again; -ENOMSG: no; -EAGAIN: data will come; -ERESTARTSYS.
 */
int vmig_precopy_more(struct vmig_session *s, bool nonblock)
{
	unsigned int answers;
	ktime_t begin;
	bool dirty;
	int err;

	spin_lock(&s->lock);
	if (precopy_goes_on(s)) {
		spin_unlock(&s->lock);
		return 0;
	}
	dirty = s->dirty;
	answers = s->answers;
	vmig_precopy_ask(s, VMIG_ASK_DATA, 0);
	spin_unlock(&s->lock);
	if (!s->can_ask)
		return -ENOMSG;
	if (nonblock)
		return dirty ? -EAGAIN : -ENOMSG;

	begin = ktime_get();
	err = wait_event_interruptible(s->wait, precopy_answered(s, answers));
	vmig_session_waited(s, begin);
	if (err)
		return err;
	spin_lock(&s->lock);
	err = precopy_goes_on(s) ? 0 : -ENOMSG;
	spin_unlock(&s->lock);
	return err;
}

void vmig_reinit(struct vmig_dev *mig)
{
	struct vmig_session *s = mig->m->saving;

	lockdep_assert_held(&mig->m->state_lock);

	/* Before round 0 has ended all is initial data; the first version of the
	 * ioctl promises that initial_bytes only falls: it is dirty data there.
	 */
	if (s && s->round && vpv_compat_precopy_info_v2(mig->vdev))
		s->reinit = true;
}
EXPORT_SYMBOL_GPL(vmig_reinit);

/* Under s->lock: what is queued, plus what the device would add. */
static void precopy_count(const struct vmig_session *s, struct vmig_pending *pending)
{
	pending->initial = s->initial;
	pending->dirty = s->queued - s->initial + s->dirty;
	/* What round 0 will emit is initial data, or one that was announced as such. */
	if (!s->round || s->fresh == VMIG_FRESH_COMING) {
		pending->initial += s->dirty;
		pending->dirty -= s->dirty;
	}
	/* The initial data is not complete: it must not look drained. */
	if (s->producing && (!s->round || s->fresh == VMIG_FRESH_COMING))
		pending->initial += sizeof(struct vpv_stream_record);
	/* A session that has not failed keeps the device: detach fails it under s->lock. */
	pending->tell_reinit = vpv_compat_precopy_info_v2(s->m->mig->vdev);
	pending->reinit = s->fresh;
}

/*
 * The first version of the ioctl promises that initial_bytes only falls.  A round may emit more
 * than was announced, since the guest goes on writing: that is dirty data there.
 */
static void precopy_only_falls(struct vmig_session *s, struct vmig_pending *pending)
{
	u64 more = pending->initial - min(pending->initial, s->told);

	lockdep_assert_held(&s->lock);

	pending->initial -= more;
	pending->dirty += more;
	s->told = pending->initial;
}

static bool is_precopy(u8 bits)
{
	return (bits & (VMIG_RUNNING | VMIG_SAVING)) == (VMIG_RUNNING | VMIG_SAVING);
}

/**
 * vmig_session_pending() - How much does pre-copy still have to send?
 * @s: Save session.
 * @pending: Receives what is known; the next answer has what the device said meanwhile.
 *
 * Return: 0; -EINVAL when the device is in no state of pre-copy, whatever became of the
 * session; or what that failed with.
 */
int vmig_session_pending(struct vmig_session *s, struct vmig_pending *pending)
{
	int err;

	spin_lock(&s->lock);
	err = s->err ?: s->final ? -EINVAL : 0;
	if (!err) {
		precopy_count(s, pending);
		if (!pending->tell_reinit)
			precopy_only_falls(s, pending);
	}
	vmig_precopy_ask(s, VMIG_ASK_SIZE, 0);
	spin_unlock(&s->lock);
	return err && !is_precopy(vmig_state_snapshot(s->m)) ? -EINVAL : err;
}
