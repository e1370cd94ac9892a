// SPDX-License-Identifier: GPL-2.0
/*
 * State changes: the only loop over steps, and what each step does.
 *
 * Front ends name a target state; the way there is fsm.c's decision.
 */
#include "request.h"
#include "trace.h"
#include "tracker.h"

static int do_quiesce(struct vmig_machine *m, struct vmig_front *front)
{
	return m->mig->ops->quiesce(m->mig);
}

static int do_unquiesce(struct vmig_machine *m, struct vmig_front *front)
{
	return m->mig->ops->unquiesce(m->mig);
}

static int do_freeze(struct vmig_machine *m, struct vmig_front *front)
{
	return m->mig->ops->freeze(m->mig);
}

static int do_thaw(struct vmig_machine *m, struct vmig_front *front)
{
	return m->mig->ops->thaw(m->mig);
}

static int do_save_running(struct vmig_machine *m, struct vmig_front *front)
{
	return vmig_save_begin(m, false, front);
}

static int do_save_stopped(struct vmig_machine *m, struct vmig_front *front)
{
	return vmig_save_begin(m, true, front);
}

static int do_save_freeze(struct vmig_machine *m, struct vmig_front *front)
{
	int err = m->mig->ops->freeze(m->mig);

	if (!err)
		vmig_save_final(m);
	return err;
}

static int do_save_end(struct vmig_machine *m, struct vmig_front *front)
{
	vmig_pages_stop(m);
	vmig_session_end(m, true, -ENODEV);
	if (m->mig->ops->save_end)
		m->mig->ops->save_end(m->mig);
	return 0;
}

static int do_load_begin(struct vmig_machine *m, struct vmig_front *front)
{
	return vmig_resume_begin(m, front);
}

static int do_load_end(struct vmig_machine *m, struct vmig_front *front)
{
	int err = vmig_resume_end(m);

	if (!err)
		vmig_session_end(m, false, -ENODEV);
	return err;
}

static const struct {
	const char *name;
	int (*run)(struct vmig_machine *m, struct vmig_front *front);
} actions[VMIG_ACTIONS] = {
	[VMIG_QUIESCE]		= { "quiesce",		do_quiesce },
	[VMIG_UNQUIESCE]	= { "unquiesce",	do_unquiesce },
	[VMIG_FREEZE]		= { "freeze",		do_freeze },
	[VMIG_THAW]		= { "thaw",		do_thaw },
	[VMIG_SAVE_RUNNING]	= { "save begin",	do_save_running },
	[VMIG_SAVE_STOPPED]	= { "save begin",	do_save_stopped },
	[VMIG_SAVE_FREEZE]	= { "freeze",		do_save_freeze },
	[VMIG_SAVE_END]		= { "save end",		do_save_end },
	[VMIG_LOAD_BEGIN]	= { "load begin",	do_load_begin },
	[VMIG_LOAD_END]		= { "load end",		do_load_end },
};

/*
 * Is the function being reset, or was a reset or a fault left to the holder of state_lock?  What a
 * request ends with then.
 */
static int interrupted(const struct vmig_machine *m)
{
	if (!vmig_overtaken(m))
		return 0;
	return READ_ONCE(m->fault) ? -EIO : -ECANCELED;
}

static int state_step(struct vmig_machine *m, const struct vmig_step *step,
		      struct vmig_front *front)
{
	enum vmig_v2 from = vmig_fsm_v2(step->from), to = vmig_fsm_v2(step->to);
	ktime_t begin = ktime_get();
	int err;

	lockdep_assert_held(&m->state_lock);

	m->refused = false;
	err = actions[step->action].run(m, front);
	if (!err)
		vmig_state_set(m, step->to);
	trace_vmig_step(m, from, to, err, ktime_us_delta(ktime_get(), begin));
	if (!err)
		return 0;

	/* The refusal of a stream has had its line. */
	if (step->action != VMIG_LOAD_END)
		vmig_blame(m, "%s -> %s: %s failed: %d", vmig_fsm_name(from),
			   vmig_fsm_name(to), actions[step->action].name, err);
	/* A device that was loaded in part must not run, either. */
	if (err == -EIO || step->action == VMIG_LOAD_END)
		vmig_state_failed(m, err);
	return interrupted(m) ?: err;
}

/*
 * All steps of a path, of a device that can be reached.  Stops where a hook fails, or when a
 * reset or fault came between.
 */
static int state_walk(struct vmig_machine *m, const struct vmig_path *path,
		      struct vmig_front *front)
{
	unsigned int i;
	int err = vmig_reach(m);

	if (err == -EIO)
		vmig_state_failed(m, err);
	if (err)
		return interrupted(m) ?: err;
	for (i = 0; i < path->steps && !err; i++)
		err = interrupted(m) ?: state_step(m, path->step[i], front);
	return err;
}

/*
 * A reset that is under way ends before the user is told: user space may have to reset the
 * device, which cannot be done twice at a time.
 */
static void lock_after_reset(struct vmig_machine *m)
{
	lockdep_assert_held(&m->state_lock);

	while (READ_ONCE(m->resetting)) {
		vmig_unlock(m);
		wait_event(m->reset_over, !READ_ONCE(m->resetting));
		vmig_lock(m);
	}
}

/*
 * The device runs since the reset, unless a hook has paused it after that.  To find that out may
 * take as long as to end it.  A later reset would have ended it, too.
 */
static void undo_after_reset(struct vmig_machine *m)
{
	const struct vmig_ops *ops = m->mig->ops;
	u32 resets = vmig_resets(m->mig);

	lockdep_assert_held(&m->state_lock);

	if (!m->mig->desc->undone_by_reset || vmig_reach(m))
		return;
	if ((ops->thaw && ops->thaw(m->mig)) || (ops->unquiesce && ops->unquiesce(m->mig)))
		vmig_fault_of(m->mig, resets, "it may stand still after a reset");
}

/* From the state in which the user was told that it is. */
static int state_leave(struct vmig_machine *m, u8 from, const struct vmig_path *path,
		       struct vmig_front *front)
{
	u32 resets = vmig_resets(m->mig);
	int err;

	if (m->state == VMIG_ERROR)
		return -EIO;
	if (m->state != from)
		return -ECANCELED;	/* reset meanwhile */
	err = state_walk(m, path, front);
	lock_after_reset(m);
	if (vmig_resets(m->mig) != resets)
		undo_after_reset(m);
	return err;
}

static int state_change(struct vmig_machine *m, u8 to, struct vmig_front *front)
{
	struct vmig_path path;
	u8 from;
	int err;

	lockdep_assert_held(&m->request_lock);

	if (!m->open)
		return -ENODEV;
	if (wait_event_killable(m->reset_over, !READ_ONCE(m->resetting)))
		return -EINTR;
	from = vmig_state_snapshot(m);
	if (from == VMIG_ERROR)
		return -EIO;
	err = vmig_fsm_path(from, to, m->caps, &path);
	if (err || !path.steps)
		return err;

	vmig_save_pause(m);
	vmig_lock(m);
	err = state_leave(m, from, &path, front);
	vmig_save_continue(m);
	vmig_unlock(m);
	return err;
}

/**
 * vmig_state_request() - Bring a device into a state
 * @m: Machine.
 * @v2: Number of a v2 state; untrusted.
 * @front: Gives the user access to the session if the last step opens one.
 *
 * On failure the device is in any state on the way, or in ERROR.
 *
 * Return: 0; -EINVAL for an unknown or unsupported state, or when there is no way to
 * it; -EIO in ERROR, also after vmig_fault(); -ENODEV when the device goes away;
 * -ECANCELED when a reset came between, which has ended; -EINTR when the task was killed while
 * it waited for another request or a reset; or what a hook returned.
 */
int vmig_state_request(struct vmig_machine *m, unsigned int v2, struct vmig_front *front)
{
	u8 to;
	int err;

	/* Any number of threads may wait, each for hooks that take seconds. */
	if (mutex_lock_killable(&m->request_lock))
		return -EINTR;
	err = vmig_fsm_bits(v2, m->caps, &to);
	if (!err)
		err = state_change(m, to, front);
	spin_lock(&m->lock);
	m->request_failed = err;
	spin_unlock(&m->lock);
	mutex_unlock(&m->request_lock);
	return err;
}

/**
 * vmig_stop() - End everything: no hook runs afterwards until the device is opened again
 * @m: Machine.
 * @detach: Nor is it opened again.
 */
void vmig_stop(struct vmig_machine *m, bool detach)
{
	mutex_lock(&m->request_lock);
	if (detach)
		WRITE_ONCE(m->detached, true);
	spin_lock(&m->lock);
	vmig_sessions_fail(m, -ENODEV);
	spin_unlock(&m->lock);
	vmig_lock(m);
	vmig_sessions_end(m, -ENODEV);
	m->open = false;
	vmig_unlock(m);
	cancel_delayed_work_sync(&m->work);
	vmig_tracker_stop(m);
	mutex_unlock(&m->request_lock);
}
