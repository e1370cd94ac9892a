// SPDX-License-Identifier: GPL-2.0
/*
 * State changes: the only loop over steps, and what each step does.
 *
 * Front ends (the v2 ioctls in dev.c) name a target state; the way there is fsm.c's
 * decision.
 */
#include <linux/build_bug.h>

#include "trace.h"
#include "vmig.h"

static_assert(VMIG_V2_ERROR == (int)VFIO_DEVICE_STATE_ERROR);
static_assert(VMIG_V2_STOP == (int)VFIO_DEVICE_STATE_STOP);
static_assert(VMIG_V2_RUNNING == (int)VFIO_DEVICE_STATE_RUNNING);
static_assert(VMIG_V2_STOP_COPY == (int)VFIO_DEVICE_STATE_STOP_COPY);
static_assert(VMIG_V2_RESUMING == (int)VFIO_DEVICE_STATE_RESUMING);
static_assert(VMIG_V2_RUNNING_P2P == (int)VFIO_DEVICE_STATE_RUNNING_P2P);
static_assert(VMIG_V2_PRE_COPY == (int)VFIO_DEVICE_STATE_PRE_COPY);
static_assert(VMIG_V2_PRE_COPY_P2P == (int)VFIO_DEVICE_STATE_PRE_COPY_P2P);

/**
 * vmig_state_set() - Note a new state
 * @m: Machine.
 * @bits: VMIG_ bits.
 */
void vmig_state_set(struct vmig_machine *m, u8 bits)
{
	ktime_t now = ktime_get();

	lockdep_assert_held(&m->state_lock);

	spin_lock(&m->lock);
	if (m->state == VMIG_RUNNING && bits != VMIG_RUNNING)
		memset(m->state_ns, 0, sizeof(m->state_ns));
	else
		m->state_ns[vmig_fsm_v2(m->state)] += ktime_to_ns(ktime_sub(now, m->entered));
	m->entered = now;
	m->state = bits;
	spin_unlock(&m->lock);
}

/**
 * vmig_sessions_fail() - Let data files fail at once
 * @m: Machine.
 * @err: What they fail with.
 *
 * A hook that waits for the reader wakes up and gives way.  The sessions are ended
 * by vmig_sessions_end() when state_lock is there.
 */
void vmig_sessions_fail(struct vmig_machine *m, int err)
{
	spin_lock(&m->lock);
	if (m->saving)
		vmig_file_fail(m->saving, err);
	if (m->resuming)
		vmig_file_fail(m->resuming, err);
	spin_unlock(&m->lock);
}

/**
 * vmig_sessions_end() - End whatever session there is
 * @m: Machine.
 * @err: What their files fail with.
 */
void vmig_sessions_end(struct vmig_machine *m, int err)
{
	vmig_session_end(m, true, err);
	vmig_session_end(m, false, err);
}

/**
 * vmig_state_error() - Only a reset helps from here
 * @m: Machine.
 * @err: What data files fail with.
 *
 * Whoever sees a file fail sees ERROR.
 */
void vmig_state_error(struct vmig_machine *m, int err)
{
	vmig_state_set(m, VMIG_ERROR);
	vmig_sessions_fail(m, err);
	vmig_sessions_end(m, err);
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

static int do_quiesce(struct vmig_machine *m, struct file **filp)
{
	return m->mig->ops->quiesce(m->mig);
}

static int do_unquiesce(struct vmig_machine *m, struct file **filp)
{
	return m->mig->ops->unquiesce(m->mig);
}

static int do_freeze(struct vmig_machine *m, struct file **filp)
{
	return m->mig->ops->freeze(m->mig);
}

static int do_thaw(struct vmig_machine *m, struct file **filp)
{
	return m->mig->ops->thaw(m->mig);
}

static int do_save_running(struct vmig_machine *m, struct file **filp)
{
	return vmig_save_begin(m, false, filp);
}

static int do_save_stopped(struct vmig_machine *m, struct file **filp)
{
	return vmig_save_begin(m, true, filp);
}

static int do_save_freeze(struct vmig_machine *m, struct file **filp)
{
	int err = m->mig->ops->freeze(m->mig);

	if (!err)
		vmig_save_final(m);
	return err;
}

static int do_save_end(struct vmig_machine *m, struct file **filp)
{
	vmig_session_end(m, true, -ENODEV);
	if (m->mig->ops->save_end)
		m->mig->ops->save_end(m->mig);
	return 0;
}

static int do_load_begin(struct vmig_machine *m, struct file **filp)
{
	return vmig_resume_begin(m, filp);
}

/* A device that was loaded in part must not run: ERROR. */
static int do_load_end(struct vmig_machine *m, struct file **filp)
{
	int err = vmig_resume_end(m);

	if (err)
		vmig_state_error(m, err);
	else
		vmig_session_end(m, false, -ENODEV);
	return err;
}

static const struct {
	const char *name;
	int (*run)(struct vmig_machine *m, struct file **filp);
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

static int state_step(struct vmig_machine *m, const struct vmig_step *step,
		      struct file **filp)
{
	enum vmig_v2 from = vmig_fsm_v2(step->from), to = vmig_fsm_v2(step->to);
	ktime_t begin = ktime_get();
	int err;

	lockdep_assert_held(&m->state_lock);

	m->refused = false;
	err = actions[step->action].run(m, filp);
	if (!err)
		vmig_state_set(m, step->to);
	trace_vmig_step(m, from, to, err, ktime_us_delta(ktime_get(), begin));
	if (!err)
		return 0;

	/* A refusal has had its line, and that of a stream has ended in ERROR. */
	if (step->action == VMIG_LOAD_END)
		return err;
	if (!m->refused)
		vmig_complain(m, "%s -> %s: %s failed: %d", vmig_fsm_name(from),
			      vmig_fsm_name(to), actions[step->action].name, err);
	if (err == -EIO)
		vmig_state_error(m, err);
	return err;
}

/*
 * All steps of a path, of a device that can be reached.  Stops where a hook fails, or when a
 * reset or fault came between.
 */
static int state_walk(struct vmig_machine *m, const struct vmig_path *path,
		      struct file **filp)
{
	unsigned int i;
	int err = vmig_reach(m);

	if (err == -EIO)
		vmig_state_error(m, err);
	for (i = 0; i < path->steps && !err; i++) {
		if (vmig_pending(m))
			return READ_ONCE(m->fault) ? -EIO : -ECANCELED;
		err = state_step(m, path->step[i], filp);
	}
	return err;
}

static int state_change(struct vmig_machine *m, u8 to, struct file **filp)
{
	u8 from = vmig_state_snapshot(m);
	struct vmig_path path;
	int err;

	lockdep_assert_held(&m->request_lock);

	if (!m->open)
		return -ENODEV;
	if (from == VMIG_ERROR)
		return -EIO;
	err = vmig_fsm_path(from, to, m->caps, &path);
	if (err || !path.steps)
		return err;

	vmig_save_pause(m);
	vmig_lock(m);
	if (m->state == VMIG_ERROR)
		err = -EIO;
	else if (m->state != from)
		err = -ECANCELED;	/* reset meanwhile */
	else
		err = state_walk(m, &path, filp);
	vmig_save_continue(m);
	vmig_unlock(m);
	return err;
}

/**
 * vmig_state_request() - Bring a device into a state
 * @m: Machine.
 * @v2: Number of a v2 state; untrusted.
 * @filp: The data file if the last step opened one.
 *
 * On failure the device is in any state on the way, or in ERROR.
 *
 * Return: 0; -EINVAL for an unknown or unsupported state, or when there is no way to
 * it; -EIO in ERROR, also after vmig_fault(); -ENODEV when the device goes away;
 * -ECANCELED when a reset came between; or what a hook returned.
 */
int vmig_state_request(struct vmig_machine *m, unsigned int v2, struct file **filp)
{
	u8 to;
	int err;

	mutex_lock(&m->request_lock);
	err = vmig_fsm_bits(v2, m->caps, &to);
	if (!err)
		err = state_change(m, to, filp);
	spin_lock(&m->lock);
	m->request_failed = err;
	spin_unlock(&m->lock);
	mutex_unlock(&m->request_lock);
	return err;
}
