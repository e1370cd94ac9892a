// SPDX-License-Identifier: GPL-2.0
/*
 * Save sessions: a worker calls the hooks that produce, while state changes, resets and
 * the reader come between.
 *
 * The worker holds state_lock while a hook runs, also while vmig_emit() waits for
 * the reader.  A state change pauses the session before it takes state_lock:
 * then vmig_emit() fails and the hook returns.
 */
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>

#include "session_priv.h"
#include "trace.h"

/* Is there anything to be sent in pre-copy besides what every stream begins with? */
static bool has_precopy(struct vmig_machine *m)
{
	return m->mig->ops->precopy || vmig_pages_tracked(m);
}

/**
 * vmig_save_begin() - Open a save session
 * @m: Machine.
 * @final: The device is frozen; there is no pre-copy.
 * @front: Gives the user access to it.
 *
 * Header and match data are queued at once; vmig_save_continue() starts the producer.
 * Return: 0 or a negative errno, with nothing changed.
 */
int vmig_save_begin(struct vmig_machine *m, bool final, struct vmig_front *front)
{
	struct vmig_session *s;
	int err;

	lockdep_assert_held(&m->state_lock);

	s = vmig_session_alloc(m, true);
	if (!s)
		return -ENOMEM;
	s->final = final;
	s->producing = final || has_precopy(m);
	s->can_ask = (m->mig->ops->precopy && m->mig->ops->dirty_bytes) || vmig_pages_tracked(m);
	err = vmig_begin_save(s);
	/* The user may read from here on. */
	if (!err)
		err = front->open(front, s, true);
	if (err) {
		vmig_session_put(s);
		return err;
	}
	/* As one that was there before: until the request is over no hook runs for it. */
	s->paused = true;
	vmig_session_begin(m, s);
	vmig_estimate_begin(m);
	return 0;
}

/**
 * vmig_save_final() - Pre-copy is over: produce the rest
 * @m: Machine; the device is frozen.
 */
void vmig_save_final(struct vmig_machine *m)
{
	struct vmig_session *s = m->saving;

	lockdep_assert_held(&m->state_lock);

	if (!s)
		return;
	spin_lock(&s->lock);
	s->final = true;
	s->producing = true;
	s->ask = VMIG_ASK_NO;
	spin_unlock(&s->lock);
}

/**
 * vmig_save_pause() - Make a producer that runs release state_lock
 * @m: Machine; request_lock is held.
 */
void vmig_save_pause(struct vmig_machine *m)
{
	lockdep_assert_held(&m->request_lock);

	spin_lock(&m->lock);
	if (m->saving) {
		spin_lock(&m->saving->lock);
		m->saving->paused = true;
		spin_unlock(&m->saving->lock);
		wake_up_all(&m->saving->wait);
	}
	spin_unlock(&m->lock);
}

/**
 * vmig_save_continue() - Undo vmig_save_pause(), also of a new session, and start the producer
 * @m: Machine.
 */
void vmig_save_continue(struct vmig_machine *m)
{
	struct vmig_session *s = m->saving;
	bool ask, produce;

	lockdep_assert_held(&m->state_lock);

	if (!s)
		return;
	spin_lock(&s->lock);
	ask = !s->err && !s->final;
	spin_unlock(&s->lock);
	/*
	 * A VMM that stops the guest decides by what is known then.  A round that was
	 * interrupted will emit what was written since its begin, too, and of one that has
	 * not begun the user may want to know how much it will be.
	 */
	if (ask)
		vmig_precopy_dirty(m, s);
	spin_lock(&s->lock);
	s->paused = false;
	produce = s->producing && !s->err;
	spin_unlock(&s->lock);
	if (produce)
		mod_delayed_work(vmig_wq, &m->work, 0);
	wake_up_all(&s->wait);
}

/* Does pre-copy go on in spite of a reset?  Not while a state change is under way. */
static bool save_survives(struct vmig_machine *m)
{
	struct vmig_session *s = m->saving;
	bool survives;

	lockdep_assert_held(&m->lock);

	spin_lock(&s->lock);
	survives = !s->err && !s->final && !s->paused;
	if (survives)
		s->restart = true;
	spin_unlock(&s->lock);
	if (survives)
		wake_up_all(&s->wait);
	return survives;
}

/*
 * The function was reset, pre-copy goes on.  What was sent is worthless, if it was more than
 * the match data: round 0 comes again.  What is queued is still read, since records are
 * numbered.
 */
static void save_restart(struct vmig_machine *m)
{
	struct vmig_session *s = m->saving;

	lockdep_assert_held(&m->state_lock);

	if (!s)
		return;
	spin_lock(&s->lock);
	s->restart = false;
	if (!s->err && has_precopy(m)) {
		s->fresh = VMIG_FRESH_COMING;
		s->reinit = false;
		s->initial = s->queued;
		s->dirty = 0;
		s->round = 0;
		s->producing = true;
		/* How much it will be, before it is made. */
		s->ask = VMIG_ASK_SIZE;
		mod_delayed_work(vmig_wq, &m->work, 0);
	}
	spin_unlock(&s->lock);
	vmig_pages_restart(s);
	wake_up_all(&s->wait);
}

static void save_produced(struct vmig_session *s)
{
	spin_lock(&s->lock);
	s->producing = false;
	spin_unlock(&s->lock);
	wake_up_all(&s->wait);
}

static int save_rest(struct vmig_machine *m, struct vmig_session *s)
{
	struct vpv_stream_end end;
	int err;

	err = vmig_pages_pass(s, true);
	if (!err)
		err = m->mig->ops->save(m->mig, &s->emit);
	if (!err)
		err = vmig_config_save_state(s);
	if (err)
		return err;
	vmig_emit_end(&s->writer, &end);
	return vmig_emit_own(s, VPV_RECORD_END, 0, &end, sizeof(end));
}

static int save_round(struct vmig_machine *m, struct vmig_session *s)
{
	const struct vmig_ops *ops = m->mig->ops;
	int err;

	err = vmig_pages_pass(s, false);
	/* Without dirty_bytes a family has nothing to say in a later round. */
	if (!err && ops->precopy && (!s->round || ops->dirty_bytes))
		err = ops->precopy(m->mig, &s->emit, s->round);
	if (err)
		return err;
	trace_vmig_round(m, s->round, s->writer.bytes);

	spin_lock(&s->lock);
	s->round++;
	s->dirty = 0;
	if (s->fresh == VMIG_FRESH_COMING)
		s->fresh = s->initial ? VMIG_FRESH_READ : VMIG_FRESH_NO;
	spin_unlock(&s->lock);
	vmig_precopy_dirty(m, s);
	return 0;
}

static void save_produce(struct vmig_machine *m, struct vmig_session *s)
{
	const char *what = s->final ? "save" : "precopy";
	int err;

	m->refused = false;
	err = vmig_reach(m);
	if (!err)
		err = s->final ? save_rest(m, s) : save_round(m, s);
	if (!err) {
		save_produced(s);
		return;
	}
	/* It was interrupted: the session is over, or pre-copy goes on (vmig_save_continue()). */
	if (err == -ECANCELED && vmig_emit_stopped(s))
		return;
	/* A reset or a fault decides what becomes of the session, and who reads waits for that. */
	if (READ_ONCE(s->restart) || vmig_overtaken(m))
		return;

	vmig_blame(m, "%s hook failed: %d", what, err);
	if (err == -EIO) {
		vmig_state_failed(m, err);
		return;
	}
	vmig_session_fail(s, err);
	vmig_session_purge(s);
}

/* Is a hook to produce?  Puts the question of a reader, which may lead to that. */
static bool save_wanted(struct vmig_machine *m, struct vmig_session *s)
{
	bool ask;

	spin_lock(&s->lock);
	ask = s->ask && !s->final;
	spin_unlock(&s->lock);
	if (ask)
		vmig_precopy_dirty(m, s);
	return READ_ONCE(s->producing);
}

/* On behalf of the task that opened the session: it is charged for what the hooks allocate. */
static void save_run(struct vmig_machine *m, struct vmig_session *s)
{
	struct mem_cgroup *before = set_active_memcg(s->memcg);

	if (save_wanted(m, s))
		save_produce(m, s);
	set_active_memcg(before);
}

/* Produce what is wanted. */
static void save_work(struct vmig_machine *m)
{
	struct vmig_session *s = m->saving;

	lockdep_assert_held(&m->state_lock);

	if (!s || vmig_emit_stopped(s))
		return;
	/* A hook may end the session. */
	vmig_session_get(s);
	save_run(m, s);
	vmig_session_put(s);
}

const struct vmig_session_ops vmig_session_ops = {
	.fail		= vmig_sessions_fail,
	.end		= vmig_sessions_end,
	.survives	= save_survives,
	.restart	= save_restart,
	.memory_bytes	= vmig_pages_estimate,
	.work		= save_work,
};
