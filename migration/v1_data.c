// SPDX-License-Identifier: GPL-2.0
/*
 * The v1 front end: data between a session and the window.
 *
 * Sessions are read into and written from the window, which is memory of the kernel, under
 * window_lock alone; they copy once more, so that what the user does to the window meanwhile
 * harms only this user's own stream.
 */
#include <linux/uio.h>

#include "v1_priv.h"

/* The session as it is now, referenced, or NULL; and its number. */
static struct vmig_session *session_get(struct vmig_v1 *v1, bool saving, unsigned int *number)
{
	struct vmig_session *s;

	spin_lock(&v1->m->lock);
	s = v1->saving == saving ? v1->session : NULL;
	if (s)
		vmig_session_get(s);
	*number = v1->sessions;
	spin_unlock(&v1->m->lock);
	return s;
}

/*
 * The same with window_lock: 1; 0 if there is no such session; or -ERESTARTSYS.  What is in
 * the window of another one is forgotten.
 */
static int session_begin(struct vmig_v1 *v1, bool saving, struct vmig_session **s)
{
	unsigned int number;

	if (mutex_lock_interruptible(&v1->window_lock))
		return -ERESTARTSYS;
	*s = session_get(v1, saving, &number);
	if (v1->of != number) {
		v1->there = false;
		v1->of = number;
	}
	if (*s)
		return 1;
	mutex_unlock(&v1->window_lock);
	return 0;
}

static void session_end(struct vmig_v1 *v1, struct vmig_session *s)
{
	mutex_unlock(&v1->window_lock);
	vmig_session_put(s);
}

/**
 * vmig_v1_check() - Does an access make sense now?
 * @v1: Front end.
 * @reg: What it addresses.
 * @write: Direction.
 *
 * The session may change as soon as this was answered: what is done then looks again.
 *
 * Return: 0 or -EPROTO.
 */
int vmig_v1_check(struct vmig_v1 *v1, enum vmig_v1_reg reg, bool write)
{
	enum vmig_v1_session session = VMIG_V1_NONE;

	spin_lock(&v1->m->lock);
	if (v1->session)
		session = v1->saving ? VMIG_V1_SAVES : VMIG_V1_LOADS;
	spin_unlock(&v1->m->lock);
	/* Whether there is data is known under window_lock only. */
	return vmig_v1_order(reg, write, session, true);
}

/**
 * vmig_v1_pending() - Read pending_bytes: what was in the window has been taken
 * @v1: Front end.
 * @val: Set to what is still to be read; 0 without a save session.
 *
 * Return: 0; -ERESTARTSYS; or what the session has failed with.
 */
int vmig_v1_pending(struct vmig_v1 *v1, u64 *val)
{
	struct vmig_session *s;
	int ret = session_begin(v1, true, &s);

	if (ret <= 0)
		return ret;
	v1->there = false;
	ret = vmig_session_left(s, val);
	session_end(v1, s);
	return ret;
}

static int fill(struct vmig_v1 *v1, struct vmig_session *s)
{
	struct kvec vec = { .iov_base = v1->window.data, .iov_len = VPV_V1_WINDOW_BYTES };
	struct iov_iter iter;
	ssize_t n;

	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, vec.iov_len);
	n = vmig_session_read(s, &iter, false);
	/* Pre-copy has no more now. */
	if (n == -ENOMSG)
		n = 0;
	if (n < 0)
		return n;
	v1->there = true;
	v1->bytes = n;
	return 0;
}

/**
 * vmig_v1_fill() - Read data_offset: there has to be data in the window
 * @v1: Front end.
 *
 * Data that was not taken stays.  Waits for the device if there will be more; at the end,
 * and when pre-copy has no more, there are 0 bytes.  When loading there is nothing to do.
 *
 * Return: 0; -EPROTO without a session; -ERESTARTSYS; or what the session has failed with.
 */
int vmig_v1_fill(struct vmig_v1 *v1)
{
	struct vmig_session *s;
	int ret = session_begin(v1, true, &s);

	if (ret < 0)
		return ret;
	if (!ret)
		return vmig_v1_check(v1, VMIG_V1_DATA_OFFSET, false);
	/* One that has failed has nothing to give any more. */
	if (!v1->there || !v1->bytes || (vmig_session_events(s) & EPOLLERR))
		ret = fill(v1, s);
	else
		ret = 0;
	session_end(v1, s);
	return ret;
}

/**
 * vmig_v1_filled() - Read data_size: how much is in the window?
 * @v1: Front end.
 * @val: Set to it.
 *
 * Return: 0; -EPROTO when data_offset was not read before; -ERESTARTSYS.
 */
int vmig_v1_filled(struct vmig_v1 *v1, u64 *val)
{
	struct vmig_session *s;
	int ret = session_begin(v1, true, &s);

	if (ret < 0)
		return ret;
	if (!ret)
		return -EPROTO;
	*val = v1->bytes;
	ret = vmig_v1_order(VMIG_V1_DATA_SIZE, false, VMIG_V1_SAVES, v1->there);
	session_end(v1, s);
	if (ret)
		vmig_tell(v1->m, "v1: data_size refused: data_offset was not read before (%d)",
			  ret);
	return ret;
}

/* All of it: there is no way to tell the user of a part. */
static int feed(struct vmig_v1 *v1, struct vmig_session *s, size_t bytes)
{
	struct kvec vec = { .iov_base = v1->window.data, .iov_len = bytes };
	struct iov_iter iter;
	ssize_t n = 0;

	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, bytes);
	while (iov_iter_count(&iter) && n >= 0)
		n = vmig_session_write(s, &iter, false);
	/* Only where nothing was taken can it be done again. */
	if (n == -ERESTARTSYS && iov_iter_count(&iter) < bytes)
		n = -EINTR;
	return n < 0 ? n : 0;
}

/**
 * vmig_v1_feed() - Write data_size: take what is in the window
 * @v1: Front end.
 * @bytes: How much; untrusted.
 *
 * Return: 0; -EPROTO without a load session; -EINVAL for more than the window; -ERESTARTSYS;
 * or why the stream is refused.
 */
int vmig_v1_feed(struct vmig_v1 *v1, u64 bytes)
{
	struct vmig_session *s;
	int ret;

	if (bytes > VPV_V1_WINDOW_BYTES) {
		vmig_tell(v1->m, "v1: data_size %#llx refused: the window has %#x (%d)", bytes,
			  (unsigned int)VPV_V1_WINDOW_BYTES, -EINVAL);
		return -EINVAL;
	}
	ret = session_begin(v1, false, &s);
	if (ret < 0)
		return ret;
	if (!ret)
		return -EPROTO;
	ret = feed(v1, s, bytes);
	session_end(v1, s);
	return ret;
}

/**
 * vmig_v1_copy() - read() and write() of the window
 * @v1: Front end.
 * @pos: Offset in the window.
 * @iter: Bytes, all of them inside.
 * @write: Direction.
 *
 * Context: touches user memory.
 * Return: bytes or -EFAULT.
 */
ssize_t vmig_v1_copy(struct vmig_v1 *v1, u64 pos, struct iov_iter *iter, bool write)
{
	void *data = v1->window.data + pos;
	size_t bytes = iov_iter_count(iter), n;

	n = write ? copy_from_iter(data, bytes, iter) : copy_to_iter(data, bytes, iter);
	return n ?: -EFAULT;
}
