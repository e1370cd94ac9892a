// SPDX-License-Identifier: GPL-2.0
/*
 * Load sessions: bytes of user space through the parser to the hooks.
 *
 * Each part of the stream is copied from user space where it belongs, once: a payload
 * to where the hook takes it from, which for large state is where the device reads it.
 * Then it is parsed, under state_lock.
 */
#include <linux/file.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "match.h"
#include "trace.h"
#include "vmig.h"

/* Memory of the variant for this record: true; or false, or a negative errno. */
static int resume_chunk(struct vmig_machine *m, struct vmig_file *f)
{
	struct vmig_parser *p = &f->parser;
	struct vmig_chunk *chunk;
	ktime_t begin;
	u32 front = 0;

	if (!m->mig->ops->load_chunk || p->type < VPV_RECORD_FAMILY)
		return false;
	m->refused = false;
	begin = ktime_get();
	chunk = m->mig->ops->load_chunk(m->mig, p->type, p->record_bytes, &front);
	vmig_file_waited(f, begin);
	if (!chunk)
		return false;
	if (!IS_ERR(chunk) &&
	    (front > p->record_bytes || p->record_bytes - front > chunk->bytes))
		chunk = ERR_PTR(-EOVERFLOW);
	if (IS_ERR(chunk)) {
		if (!m->refused)
			vmig_complain(m, "stream refused: no room for record %llu: %u bytes (%d)",
				      p->seq, p->record_bytes, (int)PTR_ERR(chunk));
		return PTR_ERR(chunk);
	}
	f->chunk = vmig_chunk_get(chunk);
	p->front_bytes = front;
	p->rest = chunk->data;
	return true;
}

static int resume_room(struct vmig_machine *m, struct vmig_file *f)
{
	struct vmig_parser *p = &f->parser;
	int err = resume_chunk(m, f);

	if (err < 0)
		return err;
	if (f->payload_room < p->front_bytes || !f->payload) {
		vmig_free(m, f->payload, f->payload_room);
		f->payload_room = 0;
		f->payload = vmig_alloc(m, p->front_bytes);
		if (!f->payload)
			return -ENOMEM;
		f->payload_room = p->front_bytes;
	}
	p->payload = f->payload;
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
	mine = kzalloc(desc->match_bytes, GFP_KERNEL_ACCOUNT);
	if (!mine)
		return -ENOMEM;
	err = m->mig->ops->match(m->mig, mine);
	if (!err)
		err = vmig_match_check(desc->match_fields, desc->num_match_fields, mine, theirs,
				       bytes, &diff);
	kfree(mine);
	return diff.field ? vmig_refuse(m->mig, err, &diff) : err;
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
	if (err && !m->refused)
		vmig_complain(m, "stream refused: match data (%d)", err);
	return err;
}

static int resume_load(struct vmig_machine *m, struct vmig_file *f)
{
	struct vmig_parser *p = &f->parser;
	struct vmig_record rec = {
		.type = p->type,
		.optional = p->flags & VPV_RECORD_OPTIONAL,
		.data = p->payload,
		.bytes = p->front_bytes,
		.chunk = f->chunk,
		.chunk_bytes = p->record_bytes - p->front_bytes,
	};
	ktime_t begin = ktime_get();
	int err;

	m->refused = false;
	err = m->mig->ops->load(m->mig, &rec);
	vmig_file_waited(f, begin);
	vmig_chunk_put(f->chunk);
	f->chunk = NULL;
	if (err == -EOPNOTSUPP && rec.optional && !m->refused)
		return 0;
	if (err && !m->refused)
		vmig_complain(m, "stream refused: record %llu of type %#x (%d)",
			      p->seq - 1, rec.type, err);
	return err;
}

static int resume_record(struct vmig_machine *m, struct vmig_file *f)
{
	struct vmig_parser *p = &f->parser;

	if (p->type == VPV_RECORD_MATCH)
		return resume_verify(m, p);
	if (p->type >= VPV_RECORD_FAMILY)
		return resume_load(m, f);
	if (p->type == VPV_RECORD_VIEW || p->type == VPV_RECORD_CONFIG)
		return vmig_config_load(m, p);
	return 0;	/* an optional record of a newer container */
}

/* Parse @bytes that are at @data, or, if that is NULL, where the parser wants them. */
static int resume_parse(struct vmig_machine *m, struct vmig_file *f, const u8 *data,
			size_t bytes)
{
	int event, err = 0;

	event = data ? vmig_parse(&f->parser, &data, &bytes) :
		       vmig_parse_filled(&f->parser, bytes);
	if (!data)
		bytes = 0;
	for (;;) {
		if (event < 0)
			return vmig_refuse(m->mig, event, &f->parser.why);
		if (event == VMIG_NEED_BUFFER)
			err = resume_room(m, f);
		else if (event == VMIG_HAVE_RECORD)
			err = resume_record(m, f);
		if (err || event == VMIG_NEED_BYTES)
			return err;
		event = vmig_parse(&f->parser, &data, &bytes);
	}
}

static int resume_feed(struct vmig_file *f, const u8 *data, size_t bytes)
{
	struct vmig_machine *m = f->m;
	struct mem_cgroup *before;
	int err;

	vmig_lock(m);
	err = READ_ONCE(f->err);
	if (!err && m->resuming != f)
		err = -ENODEV;
	if (err)
		goto unlock;

	/* Whoever writes: the memory is for the one who opened the session. */
	before = set_active_memcg(f->memcg);
	err = resume_parse(m, f, data, bytes);
	set_active_memcg(before);
	if (err == -EIO)
		vmig_state_error(m, err);
	if (err)
		vmig_file_fail(f, err);
	spin_lock(&f->lock);
	f->bytes += bytes;
	spin_unlock(&f->lock);
unlock:
	vmig_unlock(m);
	return err;
}

/*
 * User memory is read here: io_lock is the only lock held.  The parser is changed by
 * its holder alone.  The memory that it names is gone when a session that has failed was
 * left, and stays otherwise until io_lock is let go.
 */
static ssize_t resume_copy(struct vmig_file *f, struct iov_iter *from)
{
	int err = READ_ONCE(f->err);
	bool payload;
	size_t n;
	u8 *room;

	if (err)
		return err;
	n = vmig_parse_room(&f->parser, &room);
	payload = n;
	if (!payload) {
		room = f->part;
		n = min(vmig_parse_wants(&f->parser), sizeof(f->part));
	}
	n = copy_from_iter(room, min_t(size_t, n, VMIG_COPY_BYTES), from);
	if (!n)
		return -EFAULT;
	err = resume_feed(f, payload ? NULL : room, n);
	return err ?: n;
}

ssize_t vmig_resume_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct vmig_file *f = iocb->ki_filp->private_data;
	ssize_t done = 0, n;
	bool nonblock;

	n = vmig_file_io_lock(f, iocb, &nonblock);
	if (n)
		return n;

	while (iov_iter_count(from)) {
		if (done && signal_pending(current))
			break;
		n = resume_copy(f, from);
		if (n < 0)
			break;
		done += n;
	}
	vmig_file_io_unlock(f);

	/* A refusal is told at once, though bytes before it were taken. */
	if (n < 0 && !(done && n == -EFAULT))
		return n;
	return done;
}

__poll_t vmig_resume_poll(struct file *filp, struct poll_table_struct *pt)
{
	struct vmig_file *f = filp->private_data;

	poll_wait(filp, &f->wait, pt);
	if (READ_ONCE(f->err))
		return EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP;
	return EPOLLOUT | EPOLLWRNORM;
}

/**
 * vmig_resume_begin() - Open a load session
 * @m: Machine; the device is frozen.
 * @filp: Its file.
 *
 * Return: 0 or a negative errno, with nothing changed.
 */
int vmig_resume_begin(struct vmig_machine *m, struct file **filp)
{
	struct vmig_dev *mig = m->mig;
	struct vmig_file *f;
	struct file *file;
	int err;

	lockdep_assert_held(&m->state_lock);

	f = vmig_file_alloc(m, false);
	if (!f)
		return -ENOMEM;
	vmig_parse_begin(&f->parser, &m->id, mig->desc->max_payload);
	err = vmig_config_load_begin(m, &f->parser);
	if (err)
		goto put;

	file = vmig_file_open(f);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto put;
	}
	err = mig->ops->load_begin ? mig->ops->load_begin(mig) : 0;
	if (err)
		goto put_file;
	vmig_session_begin(m, f);
	*filp = file;
	return 0;

put_file:
	fput(file);
put:
	vmig_file_put(f);
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
	struct vmig_file *f = m->resuming;
	int err;

	lockdep_assert_held(&m->state_lock);

	if (!f)
		return -ENODEV;
	if (f->err)
		return f->err;
	err = vmig_parse_finish(&f->parser);
	if (err)
		return vmig_refuse(m->mig, err, &f->parser.why);
	err = vmig_config_load_end(m, &f->parser);
	if (err || !m->mig->ops->load_end)
		return err;

	err = m->mig->ops->load_end(m->mig);
	if (err && !m->refused)
		vmig_complain(m, "stream refused by the device (%d)", err);
	return err;
}
