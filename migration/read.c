// SPDX-License-Identifier: GPL-2.0
/*
 * Save sessions: the reader drains what is queued; what those who poll are told.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "session_priv.h"

/* Is there something to do for a reader that waits? */
static bool readable(struct vmig_session *s)
{
	bool ready;

	spin_lock(&s->lock);
	ready = s->err || s->queued || !s->producing;
	spin_unlock(&s->lock);
	return ready;
}

/* Make @current_buf hold unread bytes: 1; 0 at the end; or a negative errno. */
static int read_next(struct vmig_session *s, bool nonblock)
{
	for (;;) {
		bool producing, end;
		ktime_t begin;
		int ret = 0;

		spin_lock(&s->lock);
		if (!s->err && !s->current_buf && !list_empty(&s->queue)) {
			s->current_buf = list_first_entry(&s->queue, struct vmig_buf, node);
			list_del(&s->current_buf->node);
		}
		if (s->err)
			ret = s->err;
		else if (s->current_buf)
			ret = 1;
		producing = s->producing;
		end = s->final && !producing;
		spin_unlock(&s->lock);

		if (ret || end)
			return ret;
		if (!producing) {
			ret = vmig_precopy_more(s, nonblock);
			if (ret)
				return ret;
			continue;
		}
		if (nonblock)
			return -EAGAIN;
		begin = ktime_get();
		if (wait_event_interruptible(s->wait, readable(s)))
			return -ERESTARTSYS;
		vmig_session_waited(s, begin);
	}
}

/*
 * User memory is written here: io_lock is the only lock held, and page faults are not waited
 * for.  Return: bytes; 0: it is not there.
 */
static size_t read_copy(struct vmig_session *s, struct iov_iter *to)
{
	struct vmig_buf *buf = s->current_buf;
	bool tell;
	size_t n;

	pagefault_disable();
	n = copy_to_iter(buf->from + buf->pos, buf->fill - buf->pos, to);
	pagefault_enable();
	if (!n)
		return 0;

	buf->pos += n;
	if (buf->pos == buf->fill) {
		s->current_buf = NULL;
		vmig_buf_free(buf);
	}

	spin_lock(&s->lock);
	s->bytes += n;
	if (!s->err) {
		s->queued -= n;
		s->initial -= min_t(u64, n, s->initial);
		if (!s->initial && s->fresh == VMIG_FRESH_READ)
			s->fresh = VMIG_FRESH_NO;
	}
	tell = s->queued < s->tell_below;
	if (tell)
		s->tell_below = 0;
	spin_unlock(&s->lock);
	/* Nobody else waits for what is there to be read. */
	if (tell)
		wake_up_all(&s->wait);
	return n;
}

/*
 * Read what vmig_session_read() would, count it in @done, and stop where user memory is not
 * there (@absent).
 */
static ssize_t read_present(struct vmig_session *s, struct iov_iter *to, bool nonblock,
			    ssize_t *done, bool *absent)
{
	ssize_t n = vmig_session_io_lock(s, nonblock || *done);

	*absent = false;
	if (n)
		return n;
	while (iov_iter_count(to) && !*absent) {
		n = read_next(s, nonblock || *done);
		if (n <= 0)
			break;
		n = read_copy(s, to);
		*done += n;
		*absent = !n;
	}
	vmig_session_io_unlock(s);
	return n;
}

/**
 * vmig_session_read() - Read what is queued, and wait for more
 * @s: Save session.
 * @to: Where to.
 * @nonblock: Do not wait.
 *
 * Return: bytes; 0 at the end; -ENOMSG when there is no more in pre-copy; -EAGAIN;
 * -ERESTARTSYS; -EFAULT; or what the session failed with.
 */
ssize_t vmig_session_read(struct vmig_session *s, struct iov_iter *to, bool nonblock)
{
	unsigned int tries = 0;
	ssize_t done = 0, n;
	bool absent;

	do {
		ssize_t before = done;

		n = read_present(s, to, nonblock, &done, &absent);
		tries = done > before ? 0 : tries;
		if (absent)
			n = vmig_session_fault_in(to, &tries);
	} while (absent && !n);
	return done ?: n;
}

/**
 * vmig_session_left() - How much is there still to read?
 * @s: Save session.
 * @bytes: Set to what pre-copy has still to send; then to what is ready, and to 0 at the end
 *	only.  Waits if it is not known yet whether this is the end.
 *
 * Return: 0; -ERESTARTSYS; or what the session failed with.
 */
int vmig_session_left(struct vmig_session *s, u64 *bytes)
{
	struct vmig_pending pending;
	ktime_t begin;
	int err;

	if (!vmig_session_pending(s, &pending)) {
		*bytes = pending.initial + pending.dirty;
		return 0;
	}
	begin = ktime_get();
	if (wait_event_interruptible(s->wait, readable(s)))
		return -ERESTARTSYS;
	vmig_session_waited(s, begin);
	spin_lock(&s->lock);
	err = s->err;
	*bytes = s->queued;
	spin_unlock(&s->lock);
	return err;
}

/* How often the device is asked for new data while someone polls for it. */
#define VMIG_POLL_JIFFIES (HZ / 10)

static __poll_t save_events(struct vmig_session *s)
{
	__poll_t mask = 0;

	spin_lock(&s->lock);
	if (s->err)
		mask = EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP;
	else if (s->queued || (s->final && !s->producing))
		mask = EPOLLIN | EPOLLRDNORM;
	else
		vmig_precopy_ask(s, VMIG_ASK_DATA, VMIG_POLL_JIFFIES);
	spin_unlock(&s->lock);
	return mask;
}

static __poll_t load_events(struct vmig_session *s)
{
	if (READ_ONCE(s->err))
		return EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP;
	return EPOLLOUT | EPOLLWRNORM;
}

/**
 * vmig_session_events() - What would not wait now?
 * @s: Session.
 *
 * If there is nothing to read in pre-copy, the device is asked for more: its answer wakes
 * who waits at vmig_session_wait(), and leads here again.
 *
 * Return: EPOLL bits.
 */
__poll_t vmig_session_events(struct vmig_session *s)
{
	return s->saving ? save_events(s) : load_events(s);
}
