// SPDX-License-Identifier: GPL-2.0
/*
 * Load sessions: bytes of user space through the parser to the hooks.
 *
 * Each part of the stream is copied from user space where it belongs, once: a payload
 * to where the hook takes it from, which for large state is where the device reads it.
 * Then it is parsed, under state_lock.  Content of memory is copied to its place by the CPU, and
 * summed up by the way (pages_user.c).
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "match.h"
#include "session_priv.h"

/* Memory of the variant for this record: true; or false, or a negative errno. */
static int resume_chunk(struct vmig_machine *m, struct vmig_session *s)
{
	struct vmig_parser *p = &s->parser;
	struct vmig_chunk *chunk;
	ktime_t begin;
	u32 front = 0;

	if (!m->mig->ops->load_chunk || p->type < VPV_RECORD_FAMILY ||
	    vmig_staged_knows(s, p->type))
		return false;
	m->refused = false;
	begin = ktime_get();
	chunk = m->mig->ops->load_chunk(m->mig, p->type, p->record_bytes, &front);
	vmig_session_waited(s, begin);
	if (!chunk)
		return false;
	if (!IS_ERR(chunk) &&
	    (front > p->record_bytes || p->record_bytes - front > chunk->bytes))
		chunk = ERR_PTR(-EOVERFLOW);
	if (IS_ERR(chunk)) {
		vmig_blame(m, "stream refused: no room for record %llu: %u bytes (%d)", p->seq,
			   p->record_bytes, (int)PTR_ERR(chunk));
		return PTR_ERR(chunk);
	}
	s->chunk = vmig_chunk_get(chunk);
	p->front_bytes = front;
	p->rest = chunk->data;
	return true;
}

static int resume_room(struct vmig_machine *m, struct vmig_session *s)
{
	struct vmig_parser *p = &s->parser;
	int err = resume_chunk(m, s);

	if (!err && vmig_parse_memory(p) && p->type == VPV_RECORD_PAGES)
		err = vmig_pages_room(s);
	if (err < 0)
		return err;
	if (s->payload_room < p->front_bytes || !s->payload) {
		vmig_free(s->payload);
		s->payload_room = 0;
		s->payload = vmig_alloc(m, p->front_bytes);
		if (!s->payload)
			return -ENOMEM;
		s->payload_room = p->front_bytes;
	}
	p->payload = s->payload;
	return 0;
}

/* For a family that describes its match data by a table. */
static int verify_fields(struct vmig_machine *m, const void *theirs, size_t bytes, bool older)
{
	const struct vmig_desc *desc = m->mig->desc;
	struct vmig_diff diff = {};
	void *mine;
	int err;

	/* Only an older version may have fewer fields. */
	if (bytes > desc->match_bytes || (bytes < desc->match_bytes && !older))
		return vmig_refuse(m->mig, -EINVAL,
				   VMIG_DIFF("match size", desc->match_bytes, bytes));
	mine = vmig_match_own(m);
	if (IS_ERR(mine))
		return PTR_ERR(mine);
	err = vmig_match_check(desc->match_fields, desc->num_match_fields, mine, theirs, bytes,
			       &diff);
	if (diff.field)
		vmig_refuse(m->mig, err, &diff);
	kfree(mine);
	return err;
}

/*
 * What the match data of the family has is a prefix of what that of a later version has.
 * That we can read what a later version writes was checked in the header.
 */
static int resume_verify(struct vmig_machine *m, struct vmig_parser *p)
{
	u32 version = le32_to_cpu(p->header.state_version);
	const struct vmig_desc *desc = m->mig->desc;
	const struct vmig_ops *ops = m->mig->ops;
	size_t bytes = p->record_bytes;
	int err = 0;

	if (version > m->id.state_version)
		bytes = min_t(size_t, bytes, desc->match_bytes);
	m->refused = false;
	if (ops->verify)
		err = ops->verify(m->mig, p->payload, bytes);
	else if (desc->num_match_fields)
		err = verify_fields(m, p->payload, bytes, version < m->id.state_version);
	if (err)
		vmig_blame(m, "stream refused: match data (%d)", err);
	return err;
}

static int resume_load(struct vmig_machine *m, struct vmig_session *s)
{
	struct vmig_parser *p = &s->parser;
	struct vmig_record rec = {
		.type = p->type,
		.optional = p->flags & VPV_RECORD_OPTIONAL,
		.data = p->payload,
		.bytes = p->front_bytes,
		.chunk = s->chunk,
		.chunk_bytes = p->record_bytes - p->front_bytes,
	};
	ktime_t begin = ktime_get();
	int err = -EOPNOTSUPP;

	m->refused = false;
	if (vmig_staged_knows(s, rec.type))
		err = vmig_staged_load(s, &rec);
	else if (m->mig->ops->load)
		err = m->mig->ops->load(m->mig, &rec);
	vmig_session_waited(s, begin);
	vmig_chunk_put(s->chunk);
	s->chunk = NULL;
	if (err == -EOPNOTSUPP && rec.optional && !m->refused && !vmig_staged_knows(s, rec.type))
		return 0;
	if (err)
		vmig_blame(m, "stream refused: record %llu of type %#x (%d)", p->seq - 1,
			   rec.type, err);
	return err;
}

/* Content of record @seq, or all of it. */
static int resume_pages(struct vmig_machine *m, struct vmig_session *s, u64 seq,
			int (*take)(struct vmig_session *s))
{
	ktime_t begin = ktime_get();
	int err;

	m->refused = false;
	err = take(s);
	vmig_session_waited(s, begin);
	if (err)
		vmig_blame(m, "stream refused: record %llu of memory (%d)", seq, err);
	return err;
}

static int resume_record(struct vmig_machine *m, struct vmig_session *s)
{
	struct vmig_parser *p = &s->parser;

	if (p->type == VPV_RECORD_MATCH)
		return resume_verify(m, p);
	if (p->type >= VPV_RECORD_FAMILY)
		return resume_load(m, s);
	if (p->type == VPV_RECORD_VIEW || p->type == VPV_RECORD_CONFIG)
		return vmig_config_load(m, p);
	if (vmig_parse_memory(p))
		return resume_pages(m, s, p->seq - 1, vmig_pages_load);
	return 0;	/* an optional record of a newer container */
}

/* Parse @bytes that are at @data, or, if that is NULL, where the parser wants them. */
static int resume_parse(struct vmig_machine *m, struct vmig_session *s, const u8 *data,
			size_t bytes)
{
	int event, err = 0;

	event = data ? vmig_parse(&s->parser, &data, &bytes) :
		       vmig_parse_filled(&s->parser, bytes);
	if (!data)
		bytes = 0;
	for (;;) {
		if (event < 0)
			return vmig_refuse(m->mig, event, &s->parser.why);
		if (event == VMIG_NEED_BUFFER)
			err = resume_room(m, s);
		else if (event == VMIG_HAVE_PIECE)
			err = resume_pages(m, s, s->parser.seq, vmig_pages_piece);
		else if (event == VMIG_HAVE_RECORD)
			err = resume_record(m, s);
		if (err || event == VMIG_NEED_BYTES)
			return err;
		event = event == VMIG_HAVE_PIECE ? vmig_parse_taken(&s->parser) :
						   vmig_parse(&s->parser, &data, &bytes);
	}
}

static int resume_feed(struct vmig_session *s, const u8 *data, size_t bytes)
{
	struct vmig_machine *m = s->m;
	struct mem_cgroup *before;
	int err;

	/* Another session may hold the lock for as long as its reader likes. */
	err = READ_ONCE(s->err) ?: vmig_lock_killable(m);
	if (err)
		return err;
	err = READ_ONCE(s->err);
	if (!err && m->resuming != s)
		err = -ENODEV;
	if (err)
		goto unlock;

	/* Charged to the task that opened the session, whichever task writes. */
	before = set_active_memcg(s->memcg);
	err = resume_parse(m, s, data, bytes);
	set_active_memcg(before);
	if (err == -EIO)
		vmig_state_failed(m, err);
	if (err) {
		/* The function may be in the middle of a reset, which has told nobody yet. */
		vmig_session_fail(s, READ_ONCE(m->resetting) ? -ENODEV : err);
		vmig_staged_free(s);
		/* A reset may have come first. */
		err = READ_ONCE(s->err);
	}
	spin_lock(&s->lock);
	s->bytes += bytes;
	spin_unlock(&s->lock);
unlock:
	vmig_unlock(m);
	return err;
}

/*
 * User memory is read or held here: io_lock is the only lock held, and page faults are not waited
 * for.  What is held is read while it is parsed (dev.c).
 * The parser is changed by its holder alone.  The memory that it names is gone when a session
 * that has failed was left, and stays otherwise until io_lock is released.
 * Return: bytes; 0: user memory is not there; or a negative errno.
 */
static ssize_t resume_copy(struct vmig_session *s, struct iov_iter *from)
{
	int err = READ_ONCE(s->err);
	bool payload;
	size_t n;
	u8 *room;

	if (err)
		return err;
	n = vmig_content_hold(s, from);
	if (n) {
		iov_iter_advance(from, n);
		err = resume_feed(s, NULL, n);
		vmig_content_release(s);
		return err ?: n;
	}
	n = vmig_parse_room(&s->parser, &room);
	payload = n;
	if (!payload) {
		room = s->part;
		n = min(vmig_parse_wants(&s->parser), sizeof(s->part));
	}
	pagefault_disable();
	n = copy_from_iter(room, min_t(size_t, n, VMIG_COPY_BYTES), from);
	pagefault_enable();
	if (!n)
		return 0;
	err = resume_feed(s, payload ? NULL : room, n);
	return err ?: n;
}

/*
 * Take what vmig_session_write() would, count it in @done, and stop where user memory is not
 * there (@absent).  Return: negative: why nothing more is taken.
 */
static ssize_t write_present(struct vmig_session *s, struct iov_iter *from, bool nonblock,
			     ssize_t *done, bool *absent)
{
	ssize_t n = vmig_session_io_lock(s, nonblock);

	*absent = false;
	if (n)
		return *done ? 0 : n;
	while (iov_iter_count(from) && !*absent) {
		if (*done && signal_pending(current))
			break;
		n = resume_copy(s, from);
		if (n < 0)
			break;
		*done += n;
		*absent = !n;
	}
	vmig_session_io_unlock(s);
	return n;
}

/**
 * vmig_session_write() - Take bytes of a stream
 * @s: Load session.
 * @from: Bytes.
 * @nonblock: Do not wait for another writer.
 *
 * Return: bytes that were taken; -EAGAIN, -ERESTARTSYS, -EINTR or -EFAULT if there are none; or
 * why the stream is refused, though bytes before were taken.
 */
ssize_t vmig_session_write(struct vmig_session *s, struct iov_iter *from, bool nonblock)
{
	unsigned int tries = 0;
	ssize_t done = 0, n;
	bool absent;
	int err;

	do {
		ssize_t before = done;

		n = write_present(s, from, nonblock, &done, &absent);
		tries = done > before ? 0 : tries;
		err = absent ? vmig_session_fault_in(from, &tries) : 0;
		if (err)
			return done ?: err;
	} while (absent);
	return n < 0 ? n : done;
}

/**
 * vmig_resume_begin() - Open a load session
 * @m: Machine; the device is frozen.
 * @front: Gives the user access to it.
 *
 * Return: 0 or a negative errno, with nothing changed.
 */
int vmig_resume_begin(struct vmig_machine *m, struct vmig_front *front)
{
	struct vmig_dev *mig = m->mig;
	struct vmig_session *s;
	int err;

	lockdep_assert_held(&m->state_lock);

	s = vmig_session_alloc(m, false);
	if (!s)
		return -ENOMEM;
	vmig_parse_begin(&s->parser, &m->id, mig->desc->max_payload);
	s->parser.memory = mig->desc->pages;
	err = vmig_config_load_begin(m, &s->parser);
	if (!err)
		err = vmig_staged_begin(s);
	if (err)
		goto put;

	err = front->open(front, s, false);
	if (err)
		goto put;
	err = mig->ops->load_begin ? mig->ops->load_begin(mig) : 0;
	if (err)
		goto cancel;
	vmig_session_begin(m, s);
	return 0;

cancel:
	front->cancel(front);
put:
	vmig_session_put(s);
	return err;
}

/**
 * vmig_resume_end() - Was the stream complete, and does the device take it?
 * @m: Machine with a load session.
 *
 * Return: 0, or what makes the device unusable until it is reset.
 */
int vmig_resume_end(struct vmig_machine *m)
{
	struct vmig_session *s = m->resuming;
	int err;

	lockdep_assert_held(&m->state_lock);

	if (!s)
		return -ENODEV;
	if (s->err)
		return s->err;
	err = vmig_parse_finish(&s->parser);
	if (err)
		return vmig_refuse(m->mig, err, &s->parser.why);
	err = vmig_config_load_end(m, &s->parser);
	if (err)
		return err;

	err = vmig_pages_load_end(s);
	if (err)
		return err;
	err = vmig_staged_commit(s);
	if (!err && m->mig->ops->load_end)
		err = m->mig->ops->load_end(m->mig);
	if (err)
		vmig_blame(m, "stream refused by the device (%d)", err);
	return err;
}
