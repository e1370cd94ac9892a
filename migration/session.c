// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions and their lifetime.
 *
 * A session holds the memory of the machine, never the device: what calls a hook takes
 * state_lock and looks whether the session is still the machine's.  So the front end that
 * gives the user access may keep it after close, reset, unbind and the unload of the variant's
 * module; reads and writes only fail then.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "session_priv.h"
#include "trace.h"

/* Does the session hold memory that only the holder of io_lock may free? */
static bool session_holds(const struct vmig_session *s)
{
	return s->current_buf || s->payload || s->chunk || s->piece;
}

static void session_drop(struct vmig_session *s)
{
	vmig_buf_free(s->current_buf);
	s->current_buf = NULL;
	vmig_free(s->payload);
	s->payload = NULL;
	s->payload_room = 0;
	vmig_chunk_put(s->chunk);
	s->chunk = NULL;
	vmig_free(s->piece);
	s->piece = NULL;
}

static void session_free(struct kref *ref)
{
	struct vmig_session *s = container_of(ref, struct vmig_session, ref);

	vmig_bufs_free(&s->queue);
	session_drop(s);
	vmig_staged_free(s);
	vmig_pages_free(s);
	mutex_destroy(&s->io_lock);
	mem_cgroup_put(s->memcg);
	vmig_machine_put(s->m);
	kfree(s);
}

void vmig_session_get(struct vmig_session *s)
{
	kref_get(&s->ref);
}

void vmig_session_put(struct vmig_session *s)
{
	kref_put(&s->ref, session_free);
}

/**
 * vmig_session_alloc() - Make a session
 * @m: Machine.
 * @saving: Kind.
 *
 * Context: the system call that opens it; its control group is charged.
 * Return: the session with one reference, or NULL.
 */
struct vmig_session *vmig_session_alloc(struct vmig_machine *m, bool saving)
{
	struct vmig_session *s = kzalloc_obj(*s, GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;

	kref_init(&s->ref);
	vmig_machine_get(m);
	s->m = m;
	s->memcg = get_mem_cgroup_from_mm(current->mm);
	s->saving = saving;
	s->told = U64_MAX;
	mutex_init(&s->io_lock);
	spin_lock_init(&s->lock);
	init_waitqueue_head(&s->wait);
	INIT_LIST_HEAD(&s->queue);
	s->emit.s = s;
	return s;
}

/**
 * vmig_session_fail() - Let all reads and writes fail from now on
 * @s: Session.
 * @err: What they fail with; the first one counts.
 *
 * Context: any that may take a spinlock.  vmig_session_purge() frees what is queued.
 */
void vmig_session_fail(struct vmig_session *s, int err)
{
	spin_lock(&s->lock);
	if (!s->err)
		s->err = err;
	s->queued = 0;
	s->initial = 0;
	spin_unlock(&s->lock);
	wake_up_all(&s->wait);
}

/**
 * vmig_session_purge() - Free what nobody will read or write
 * @s: Session that has failed.
 *
 * The piece or record that a reader or writer works on is freed by that one: it finds the
 * error under the spinlock under which it releases io_lock.
 *
 * Context: may sleep.
 */
void vmig_session_purge(struct vmig_session *s)
{
	LIST_HEAD(bufs);

	spin_lock(&s->lock);
	list_splice_init(&s->queue, &bufs);
	spin_unlock(&s->lock);
	vmig_bufs_free(&bufs);

	if (mutex_trylock(&s->io_lock))
		vmig_session_io_unlock(s);
}

/**
 * vmig_session_waited() - A reader or writer has waited for the device
 * @s: Session.
 * @begin: Since when.
 */
void vmig_session_waited(struct vmig_session *s, ktime_t begin)
{
	s64 ns = ktime_to_ns(ktime_sub(ktime_get(), begin));

	spin_lock(&s->lock);
	s->waited_ns += ns;
	spin_unlock(&s->lock);
}

/**
 * vmig_session_io_lock() - Be the only one who reads or writes
 * @s: Session.
 * @nonblock: Do not wait.
 *
 * Return: 0, -EAGAIN or -ERESTARTSYS.
 */
int vmig_session_io_lock(struct vmig_session *s, bool nonblock)
{
	if (nonblock)
		return mutex_trylock(&s->io_lock) ? 0 : -EAGAIN;
	return mutex_lock_interruptible(&s->io_lock) ? -ERESTARTSYS : 0;
}

/**
 * vmig_session_io_unlock() - Undo vmig_session_io_lock()
 * @s: Session; if it has failed, nothing of it stays behind.
 */
void vmig_session_io_unlock(struct vmig_session *s)
{
	spin_lock(&s->lock);
	while (s->err && session_holds(s)) {
		spin_unlock(&s->lock);
		session_drop(s);
		spin_lock(&s->lock);
	}
	mutex_unlock(&s->io_lock);
	spin_unlock(&s->lock);
}

static bool session_drained(struct vmig_session *s)
{
	bool drained;

	spin_lock(&s->lock);
	drained = s->final && !s->producing && !s->queued;
	spin_unlock(&s->lock);
	return drained;
}

/**
 * vmig_session_abandon() - Nobody will read or write any more
 * @s: Session.  One that saves is over, unless all was read; a load session may be
 *	complete.
 *
 * Context: may sleep.
 */
void vmig_session_abandon(struct vmig_session *s)
{
	if (!s->saving || session_drained(s))
		return;
	vmig_session_fail(s, -ENODEV);
	vmig_session_purge(s);
}

/**
 * vmig_session_wait() - Where to wait for a change of vmig_session_events()
 * @s: Session.
 */
wait_queue_head_t *vmig_session_wait(struct vmig_session *s)
{
	return &s->wait;
}

static struct vmig_session_stats *session_stats(struct vmig_machine *m, bool saving)
{
	return saving ? &m->last_save : &m->last_load;
}

/**
 * vmig_session_begin() - Make a session the machine's
 * @m: Machine, without a session.
 * @s: Session; the machine takes over the caller's reference.
 */
void vmig_session_begin(struct vmig_machine *m, struct vmig_session *s)
{
	lockdep_assert_held(&m->state_lock);

	spin_lock(&m->lock);
	m->held_most = m->held;
	*session_stats(m, s->saving) = (struct vmig_session_stats){ .err = -EINPROGRESS };
	if (s->saving)
		m->saving = s;
	else
		m->resuming = s;
	spin_unlock(&m->lock);
	trace_vmig_session_begin(m, s->saving);
}

/* Was all of the stream read, or written? */
static int session_result(struct vmig_session *s)
{
	if (s->err)
		return s->err;
	if (s->saving)
		return s->final && !s->producing && !s->queued ? 0 : -ECANCELED;
	return s->parser.at == VMIG_AT_END ? 0 : -ENODATA;
}

/**
 * vmig_session_end() - Take a session from the machine
 * @m: Machine.
 * @saving: Which one; there may be none.
 * @err: What reads and writes fail with from now on, unless it failed before.
 */
void vmig_session_end(struct vmig_machine *m, bool saving, int err)
{
	struct vmig_session_stats stats = {};
	struct vmig_session *s;

	lockdep_assert_held(&m->state_lock);

	spin_lock(&m->lock);
	s = saving ? m->saving : m->resuming;
	if (s) {
		if (saving)
			m->saving = NULL;
		else
			m->resuming = NULL;
		spin_lock(&s->lock);
		stats.err = session_result(s);
		stats.bytes = s->bytes;
		stats.waited_ns = s->waited_ns;
		spin_unlock(&s->lock);
		stats.held = m->held_most;
		stats.records = saving ? s->writer.seq : s->parser.seq;
		*session_stats(m, saving) = stats;
		vmig_session_fail(s, err);
	}
	spin_unlock(&m->lock);
	if (!s)
		return;

	trace_vmig_session_end(m, saving, &stats);
	vmig_session_purge(s);
	vmig_staged_free(s);
	vmig_pages_free(s);
	vmig_session_put(s);
}

/**
 * vmig_sessions_fail() - Let reads and writes fail at once
 * @m: Machine.
 * @err: What they fail with.
 *
 * A hook that waits for the reader wakes up and returns.  The sessions are ended by
 * vmig_sessions_end() when state_lock is there.
 *
 * Context: any; @m->lock is held.
 */
void vmig_sessions_fail(struct vmig_machine *m, int err)
{
	lockdep_assert_held(&m->lock);

	if (m->saving)
		vmig_session_fail(m->saving, err);
	if (m->resuming)
		vmig_session_fail(m->resuming, err);
}

/**
 * vmig_sessions_end() - End whatever session there is
 * @m: Machine.
 * @err: What reads and writes fail with.
 */
void vmig_sessions_end(struct vmig_machine *m, int err)
{
	vmig_session_end(m, true, err);
	vmig_session_end(m, false, err);
}

/**
 * vmig_session_fault_in() - Wait for user memory that could not be copied to or from
 * @iter: What is left of it.
 * @tries: Counts waits without a byte that was copied in between; 0 at first.
 *
 * Some memory can be touched for a user and still never be copied to by the kernel, such as a
 * shadow stack: that is told by the number of tries.
 * Context: process; no lock is held.  Waits for as long as user space likes.
 * Return: 0: worth another try; -ERESTARTSYS; -EFAULT.
 */
int vmig_session_fault_in(const struct iov_iter *iter, unsigned int *tries)
{
	size_t bytes = min_t(size_t, iov_iter_count(iter), VMIG_COPY_BYTES), missing;

	if (signal_pending(current))
		return -ERESTARTSYS;
	if ((*tries)++ == VMIG_FAULT_TRIES)
		return -EFAULT;
	missing = iov_iter_rw(iter) == READ ? fault_in_iov_iter_writeable(iter, bytes) :
					      fault_in_iov_iter_readable(iter, bytes);
	return missing < bytes ? 0 : -EFAULT;
}

/**
 * vmig_session_stats() - What is known of the last session of a kind
 * @m: Machine.
 * @saving: Kind.
 * @stats: Receives it; of a session that goes on, its bytes so far and those to come.
 */
void vmig_session_stats(struct vmig_machine *m, bool saving, struct vmig_session_stats *stats)
{
	struct vmig_session *s;

	spin_lock(&m->lock);
	*stats = *session_stats(m, saving);
	s = saving ? m->saving : m->resuming;
	if (s) {
		spin_lock(&s->lock);
		stats->bytes = s->bytes;
		stats->waited_ns = s->waited_ns;
		stats->rest = s->queued + s->dirty;
		stats->dirty = s->dirty;
		spin_unlock(&s->lock);
		stats->held = m->held_most;
	}
	spin_unlock(&m->lock);
}
