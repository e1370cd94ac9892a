// SPDX-License-Identifier: GPL-2.0
/*
 * Save sessions: a worker calls the hooks that produce, the reader drains what is
 * queued meanwhile.
 *
 * The worker holds state_lock while a hook runs, also while vmig_emit() waits for
 * the reader.  Whoever wants state_lock for a state change pauses the session
 * first: then vmig_emit() fails and the hook gives way.
 */
#include <linux/export.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "trace.h"
#include "vmig.h"

/* Must the hook that runs give way?  Under f->lock. */
static bool save_gives_way(const struct vmig_file *f)
{
	return f->err || f->paused || f->restart;
}

static bool save_stopped(struct vmig_file *f)
{
	bool stopped;

	spin_lock(&f->lock);
	stopped = save_gives_way(f);
	spin_unlock(&f->lock);
	return stopped;
}

static bool save_has_room(struct vmig_file *f, size_t bytes)
{
	const struct vmig_desc *desc = f->m->mig->desc;
	u64 most = desc->max_queued ?: VMIG_MAX_QUEUED_DEFAULT;
	bool ok;

	spin_lock(&f->lock);
	ok = save_gives_way(f) || !f->queued || f->queued + bytes <= most;
	spin_unlock(&f->lock);
	return ok;
}

/* @bufs becomes the reader's, unless the session was stopped meanwhile. */
static int save_queue(struct vmig_file *f, struct list_head *bufs, size_t bytes)
{
	int err = 0;

	spin_lock(&f->lock);
	if (save_gives_way(f)) {
		err = -ECANCELED;
	} else {
		list_splice_tail_init(bufs, &f->queue);
		f->queued += bytes;
		if (!f->final && (!f->round || f->fresh == VMIG_FRESH_COMING))
			f->initial += bytes;
		f->dirty -= min_t(u64, f->dirty, bytes);
	}
	spin_unlock(&f->lock);

	if (!err)
		wake_up_all(&f->wait);
	vmig_bufs_free(bufs);
	return err;
}

/* Append a record, of the family or of the container, without waiting for room. */
int vmig_save_record(struct vmig_file *f, u32 type, u32 flags, const void *data,
		     size_t bytes)
{
	struct vmig_writer writer = f->writer;
	struct vpv_stream_record head;
	LIST_HEAD(bufs);
	int err;

	lockdep_assert_held(&f->m->state_lock);

	vmig_emit_head(&writer, type, flags, data, bytes, &head);
	err = vmig_bufs_alloc(f->m, &bufs, sizeof(head) + bytes);
	if (err)
		return err;
	vmig_bufs_put(&bufs, &head, sizeof(head));
	vmig_bufs_put(&bufs, data, bytes);

	err = save_queue(f, &bufs, sizeof(head) + bytes);
	if (!err)
		f->writer = writer;
	return err;
}

/* May a hook emit this now?  Waits for the reader. */
static int save_admit(struct vmig_file *f, u32 type, u32 flags, size_t bytes)
{
	if (type < VPV_RECORD_FAMILY || (flags & ~VPV_RECORD_OPTIONAL))
		return -EINVAL;
	if (bytes > f->m->mig->desc->max_payload)
		return -EMSGSIZE;

	/* Idle: how long it takes is up to user space. */
	wait_event_idle(f->wait, save_has_room(f, sizeof(struct vpv_stream_record) + bytes));
	return save_stopped(f) ? -ECANCELED : 0;
}

int vmig_emit(struct vmig_emit *em, u32 type, u32 flags, const void *data, size_t bytes)
{
	int err = save_admit(em->f, type, flags, bytes);

	return err ?: vmig_save_record(em->f, type, flags, data, bytes);
}
EXPORT_SYMBOL_GPL(vmig_emit);

/* Head and @head are copied, the chunk is not. */
static int save_chunk(struct vmig_file *f, u32 type, u32 flags, const void *head,
		      size_t head_bytes, struct vmig_chunk *chunk, size_t bytes)
{
	struct vmig_writer writer = f->writer;
	struct vpv_stream_record record;
	LIST_HEAD(bufs);
	struct vmig_sum sum = {};
	int err;

	lockdep_assert_held(&f->m->state_lock);

	vmig_sum_add(&sum, head, head_bytes);
	vmig_sum_add(&sum, chunk->data, bytes);
	vmig_emit_head_sum(&writer, type, flags, head_bytes + bytes, vmig_sum_end(&sum),
			   &record);
	err = vmig_bufs_alloc(f->m, &bufs, sizeof(record) + head_bytes);
	if (err)
		return err;
	vmig_bufs_put(&bufs, &record, sizeof(record));
	vmig_bufs_put(&bufs, head, head_bytes);
	err = vmig_bufs_add_chunk(f->m, &bufs, chunk, bytes);
	if (err) {
		vmig_bufs_free(&bufs);
		return err;
	}
	err = save_queue(f, &bufs, sizeof(record) + head_bytes + bytes);
	if (!err)
		f->writer = writer;
	return err;
}

int vmig_emit_chunk(struct vmig_emit *em, u32 type, u32 flags, const void *head,
		    size_t head_bytes, struct vmig_chunk *chunk, size_t bytes)
{
	int err;

	if (!bytes || bytes > chunk->bytes)
		return -EINVAL;
	err = save_admit(em->f, type, flags, head_bytes + bytes);
	return err ?: save_chunk(em->f, type, flags, head, head_bytes, chunk, bytes);
}
EXPORT_SYMBOL_GPL(vmig_emit_chunk);

static int save_header(struct vmig_file *f)
{
	struct vpv_stream_header header;
	LIST_HEAD(bufs);
	int err;

	vmig_emit_header(&f->writer, &f->m->id, &header);
	err = vmig_bufs_alloc(f->m, &bufs, sizeof(header));
	if (err)
		return err;
	vmig_bufs_put(&bufs, &header, sizeof(header));
	return save_queue(f, &bufs, sizeof(header));
}

static int save_match(struct vmig_file *f)
{
	struct vmig_dev *mig = f->m->mig;
	u32 bytes = mig->desc->match_bytes;
	void *match;
	int err = 0;

	match = kzalloc(max(bytes, 1U), GFP_KERNEL);
	if (!match)
		return -ENOMEM;
	if (bytes)
		err = mig->ops->match(mig, match);
	if (!err)
		err = vmig_save_record(f, VPV_RECORD_MATCH, 0, match, bytes);
	kfree(match);
	return err;
}

/**
 * vmig_save_begin() - Open a save session
 * @m: Machine.
 * @final: The device is frozen; there is no pre-copy.
 * @filp: Its file.
 *
 * Header and match data are queued at once.
 * Return: 0 or a negative errno, with nothing changed.
 */
int vmig_save_begin(struct vmig_machine *m, bool final, struct file **filp)
{
	struct vmig_file *f;
	struct file *file;
	int err;

	lockdep_assert_held(&m->state_lock);

	f = vmig_file_alloc(m, true);
	if (!f)
		return -ENOMEM;
	err = save_header(f);
	if (!err)
		err = save_match(f);
	if (!err)
		err = vmig_config_save_view(f);
	if (err)
		goto put;

	file = vmig_file_open(f);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto put;
	}
	f->final = final;
	f->producing = final || m->mig->ops->precopy;
	f->can_ask = m->mig->ops->precopy && m->mig->ops->dirty_bytes;
	vmig_session_begin(m, f);
	/* The first question about pre-copy may come while round 0 is made. */
	if (!final)
		vmig_precopy_dirty(m, f);
	*filp = file;
	return 0;

put:
	vmig_file_put(f);
	return err;
}

/**
 * vmig_save_final() - Pre-copy is over: produce the rest
 * @m: Machine; the device is frozen.
 */
void vmig_save_final(struct vmig_machine *m)
{
	struct vmig_file *f = m->saving;

	lockdep_assert_held(&m->state_lock);

	if (!f)
		return;
	spin_lock(&f->lock);
	f->final = true;
	f->producing = true;
	f->ask = VMIG_ASK_NO;
	spin_unlock(&f->lock);
}

/**
 * vmig_save_pause() - Make a producer that runs let state_lock go
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
 * vmig_save_continue() - Undo vmig_save_pause() and start the producer
 * @m: Machine.
 */
void vmig_save_continue(struct vmig_machine *m)
{
	struct vmig_file *f = m->saving;
	bool idle, produce;

	lockdep_assert_held(&m->state_lock);

	if (!f)
		return;
	spin_lock(&f->lock);
	idle = !f->err && !f->final && !f->producing;
	spin_unlock(&f->lock);
	/* A VMM that stops the guest decides by what is known then. */
	if (idle)
		vmig_precopy_dirty(m, f);
	spin_lock(&f->lock);
	f->paused = false;
	produce = f->producing && !f->err;
	spin_unlock(&f->lock);
	if (produce)
		mod_delayed_work(vmig_wq, &m->work, 0);
	wake_up_all(&f->wait);
}

/**
 * vmig_save_restart() - The function was reset, pre-copy goes on
 * @m: Machine.
 *
 * What was sent is worthless, if it was more than the match data: round 0 comes again.
 * What is queued is read all the same, since records are numbered.
 *
 * Context: may be under memory_lock; no hook is called.
 */
void vmig_save_restart(struct vmig_machine *m)
{
	struct vmig_file *f = m->saving;

	lockdep_assert_held(&m->state_lock);

	if (!f)
		return;
	spin_lock(&f->lock);
	f->restart = false;
	if (!f->err && m->mig->ops->precopy) {
		f->fresh = VMIG_FRESH_COMING;
		f->initial = f->queued;
		f->dirty = 0;
		f->round = 0;
		f->producing = true;
		/* How much it will be, before it is made. */
		f->ask = VMIG_ASK_SIZE;
		mod_delayed_work(vmig_wq, &m->work, 0);
	}
	spin_unlock(&f->lock);
	wake_up_all(&f->wait);
}

static void save_produced(struct vmig_file *f)
{
	spin_lock(&f->lock);
	f->producing = false;
	spin_unlock(&f->lock);
	wake_up_all(&f->wait);
}

static int save_rest(struct vmig_machine *m, struct vmig_file *f)
{
	struct vpv_stream_end end;
	int err;

	err = m->mig->ops->save(m->mig, &f->emit);
	if (!err)
		err = vmig_config_save_state(f);
	if (err)
		return err;
	vmig_emit_end(&f->writer, &end);
	return vmig_save_record(f, VPV_RECORD_END, 0, &end, sizeof(end));
}

static int save_round(struct vmig_machine *m, struct vmig_file *f)
{
	int err;

	err = m->mig->ops->precopy(m->mig, &f->emit, f->round);
	if (err)
		return err;
	trace_vmig_round(m, f->round, f->writer.bytes);

	spin_lock(&f->lock);
	f->round++;
	f->dirty = 0;
	if (f->fresh == VMIG_FRESH_COMING)
		f->fresh = f->initial ? VMIG_FRESH_READ : VMIG_FRESH_NO;
	spin_unlock(&f->lock);
	vmig_precopy_dirty(m, f);
	return 0;
}

static void save_produce(struct vmig_machine *m, struct vmig_file *f)
{
	const char *what = f->final ? "save" : "precopy";
	int err;

	err = vmig_reach(m);
	if (!err)
		err = f->final ? save_rest(m, f) : save_round(m, f);
	if (!err) {
		save_produced(f);
		return;
	}
	/* It gave way: the session is over, or vmig_save_continue() follows. */
	if (err == -ECANCELED && save_stopped(f))
		return;
	/* It failed since the function was reset. */
	if (READ_ONCE(f->restart))
		return;

	vmig_complain(m, "%s hook failed: %d", what, err);
	if (err == -EIO) {
		vmig_state_error(m, err);
		return;
	}
	vmig_file_fail(f, err);
	vmig_file_purge(f);
}

/* Is a hook to produce?  Puts the question of a reader, which may lead to that. */
static bool save_wanted(struct vmig_machine *m, struct vmig_file *f)
{
	bool ask;

	spin_lock(&f->lock);
	ask = f->ask && !f->final;
	spin_unlock(&f->lock);
	if (ask)
		vmig_precopy_dirty(m, f);
	return READ_ONCE(f->producing);
}

/* In the name of whoever opened the session: what the hooks allocate is charged to him. */
static void save_run(struct vmig_machine *m, struct vmig_file *f)
{
	struct mem_cgroup *before = set_active_memcg(f->memcg);

	if (save_wanted(m, f))
		save_produce(m, f);
	set_active_memcg(before);
}

void vmig_save_work(struct work_struct *work)
{
	struct vmig_machine *m = container_of(to_delayed_work(work), struct vmig_machine, work);
	struct vmig_file *f;

	vmig_lock(m);
	f = m->saving;
	if (f && !save_stopped(f)) {
		/* A hook may end the session. */
		kref_get(&f->ref);
		save_run(m, f);
		vmig_file_put(f);
	}
	vmig_unlock(m);
}

/* Is there something to do for a reader that waits? */
static bool save_readable(struct vmig_file *f)
{
	bool ready;

	spin_lock(&f->lock);
	ready = f->err || f->queued || !f->producing;
	spin_unlock(&f->lock);
	return ready;
}

/* Make @current_buf hold unread bytes: 1; 0 at the end; or a negative errno. */
static int save_next(struct vmig_file *f, bool nonblock)
{
	for (;;) {
		bool producing, end;
		ktime_t begin;
		int ret = 0;

		spin_lock(&f->lock);
		if (!f->err && !f->current_buf && !list_empty(&f->queue)) {
			f->current_buf = list_first_entry(&f->queue, struct vmig_buf, node);
			list_del(&f->current_buf->node);
		}
		if (f->err)
			ret = f->err;
		else if (f->current_buf)
			ret = 1;
		producing = f->producing;
		end = f->final && !producing;
		spin_unlock(&f->lock);

		if (ret || end)
			return ret;
		if (!producing) {
			ret = vmig_precopy_more(f, nonblock);
			if (ret)
				return ret;
			continue;
		}
		if (nonblock)
			return -EAGAIN;
		begin = ktime_get();
		if (wait_event_interruptible(f->wait, save_readable(f)))
			return -ERESTARTSYS;
		vmig_file_waited(f, begin);
	}
}

/* User memory is written here: io_lock is the only lock held. */
static ssize_t save_copy(struct vmig_file *f, struct iov_iter *to)
{
	struct vmig_buf *buf = f->current_buf;
	size_t n;

	n = copy_to_iter(buf->from + buf->pos, buf->fill - buf->pos, to);
	if (!n)
		return -EFAULT;

	buf->pos += n;
	if (buf->pos == buf->fill) {
		f->current_buf = NULL;
		vmig_buf_free(buf);
	}

	spin_lock(&f->lock);
	f->bytes += n;
	if (!f->err) {
		f->queued -= n;
		f->initial -= min_t(u64, n, f->initial);
		if (!f->initial && f->fresh == VMIG_FRESH_READ)
			f->fresh = VMIG_FRESH_NO;
	}
	spin_unlock(&f->lock);
	wake_up_all(&f->wait);
	return n;
}

ssize_t vmig_save_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct vmig_file *f = iocb->ki_filp->private_data;
	ssize_t done = 0, n;
	bool nonblock;

	n = vmig_file_io_lock(f, iocb, &nonblock);
	if (n)
		return n;

	while (iov_iter_count(to)) {
		n = save_next(f, nonblock || done);
		if (n > 0)
			n = save_copy(f, to);
		if (n <= 0)
			break;
		done += n;
	}
	vmig_file_io_unlock(f);
	return done ?: n;
}

/* How often the device is asked for new data while someone polls for it. */
#define VMIG_POLL_JIFFIES (HZ / 10)

/* Each answer of the device wakes who waits in poll(), and gets us here again. */
__poll_t vmig_save_poll(struct file *filp, struct poll_table_struct *pt)
{
	struct vmig_file *f = filp->private_data;
	__poll_t mask = 0;

	poll_wait(filp, &f->wait, pt);

	spin_lock(&f->lock);
	if (f->err)
		mask = EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP;
	else if (f->queued || (f->final && !f->producing))
		mask = EPOLLIN | EPOLLRDNORM;
	else
		vmig_precopy_ask(f, VMIG_ASK_DATA, VMIG_POLL_JIFFIES);
	spin_unlock(&f->lock);
	return mask;
}
