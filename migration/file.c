// SPDX-License-Identifier: GPL-2.0
/*
 * Data files and their lifetime.
 *
 * A file holds its session and through it the memory of the machine, never the
 * device: what calls a hook takes state_lock and looks whether the session is still
 * the machine's.  So a file may live on after close, reset, unbind and the unload
 * of the variant's module; it only fails then.
 */
#include <linux/anon_inodes.h>
#include <linux/export.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "trace.h"
#include "vmig.h"

/* Does the session hold memory that only the holder of io_lock may free? */
static bool file_holds(const struct vmig_file *f)
{
	return f->current_buf || f->payload || f->chunk;
}

static void file_drop(struct vmig_file *f)
{
	vmig_buf_free(f->current_buf);
	f->current_buf = NULL;
	vmig_free(f->m, f->payload, f->payload_room);
	f->payload = NULL;
	f->payload_room = 0;
	vmig_chunk_put(f->chunk);
	f->chunk = NULL;
}

static void file_free(struct kref *ref)
{
	struct vmig_file *f = container_of(ref, struct vmig_file, ref);

	vmig_bufs_free(&f->queue);
	file_drop(f);
	mutex_destroy(&f->io_lock);
	mem_cgroup_put(f->memcg);
	vmig_machine_put(f->m);
	kfree(f);
}

void vmig_file_put(struct vmig_file *f)
{
	kref_put(&f->ref, file_free);
}

/**
 * vmig_file_alloc() - Make a session
 * @m: Machine.
 * @saving: Kind.
 *
 * Context: the system call that opens it; its control group pays.
 * Return: the session with one reference, or NULL.
 */
struct vmig_file *vmig_file_alloc(struct vmig_machine *m, bool saving)
{
	struct vmig_file *f = kzalloc_obj(*f, GFP_KERNEL_ACCOUNT);

	if (!f)
		return NULL;

	kref_init(&f->ref);
	vmig_machine_get(m);
	f->m = m;
	f->memcg = get_mem_cgroup_from_mm(current->mm);
	f->saving = saving;
	mutex_init(&f->io_lock);
	spin_lock_init(&f->lock);
	init_waitqueue_head(&f->wait);
	INIT_LIST_HEAD(&f->queue);
	f->emit.f = f;
	return f;
}

/**
 * vmig_file_fail() - Let all reads and writes fail from now on
 * @f: Session.
 * @err: What they fail with; the first one counts.
 *
 * Context: any that may take a spinlock.  vmig_file_purge() frees what is queued.
 */
void vmig_file_fail(struct vmig_file *f, int err)
{
	spin_lock(&f->lock);
	if (!f->err)
		f->err = err;
	f->queued = 0;
	f->initial = 0;
	spin_unlock(&f->lock);
	wake_up_all(&f->wait);
}

/**
 * vmig_file_purge() - Free what nobody will read or write
 * @f: Session that has failed.
 *
 * The piece or record that a reader or writer works on, possibly for long, is freed by
 * that one: it finds the error under the spinlock under which it lets io_lock go.
 *
 * Context: may sleep.
 */
void vmig_file_purge(struct vmig_file *f)
{
	LIST_HEAD(bufs);

	spin_lock(&f->lock);
	list_splice_init(&f->queue, &bufs);
	spin_unlock(&f->lock);
	vmig_bufs_free(&bufs);

	if (mutex_trylock(&f->io_lock))
		vmig_file_io_unlock(f);
}

/**
 * vmig_file_waited() - A reader or writer has waited for the device
 * @f: Session.
 * @begin: Since when.
 */
void vmig_file_waited(struct vmig_file *f, ktime_t begin)
{
	s64 ns = ktime_to_ns(ktime_sub(ktime_get(), begin));

	spin_lock(&f->lock);
	f->waited_ns += ns;
	spin_unlock(&f->lock);
}

/**
 * vmig_file_io_lock() - Be the only one who reads or writes
 * @f: Session.
 * @iocb: The request.
 * @nonblock: Set to whether it must not wait.
 *
 * Return: 0, -EAGAIN or -ERESTARTSYS.
 */
int vmig_file_io_lock(struct vmig_file *f, struct kiocb *iocb, bool *nonblock)
{
	*nonblock = (iocb->ki_filp->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT);
	if (*nonblock)
		return mutex_trylock(&f->io_lock) ? 0 : -EAGAIN;
	return mutex_lock_interruptible(&f->io_lock) ? -ERESTARTSYS : 0;
}

/**
 * vmig_file_io_unlock() - Undo vmig_file_io_lock()
 * @f: Session; if it has failed, nothing of it stays behind.
 */
void vmig_file_io_unlock(struct vmig_file *f)
{
	spin_lock(&f->lock);
	while (f->err && file_holds(f)) {
		spin_unlock(&f->lock);
		file_drop(f);
		spin_lock(&f->lock);
	}
	mutex_unlock(&f->io_lock);
	spin_unlock(&f->lock);
}

static bool file_drained(struct vmig_file *f)
{
	bool drained;

	spin_lock(&f->lock);
	drained = f->final && !f->producing && !f->queued;
	spin_unlock(&f->lock);
	return drained;
}

/* Without a reader a save session is over; a load session may be complete. */
static int file_release(struct inode *inode, struct file *filp)
{
	struct vmig_file *f = filp->private_data;

	if (f->saving && !file_drained(f)) {
		vmig_file_fail(f, -ENODEV);
		vmig_file_purge(f);
	}
	vmig_file_put(f);
	return 0;
}

static const struct file_operations save_fops = {
	.owner		= THIS_MODULE,
	.read_iter	= vmig_save_read_iter,
	.splice_read	= copy_splice_read,
	.poll		= vmig_save_poll,
	.unlocked_ioctl	= vmig_precopy_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.release	= file_release,
};

static const struct file_operations resume_fops = {
	.owner		= THIS_MODULE,
	.write_iter	= vmig_resume_write_iter,
	.splice_write	= iter_file_splice_write,
	.poll		= vmig_resume_poll,
	.release	= file_release,
};

/**
 * vmig_file_open() - Make the file of a session
 * @f: Session; the file takes a reference of its own.
 *
 * Return: the file or ERR_PTR().
 */
struct file *vmig_file_open(struct vmig_file *f)
{
	struct file *filp;

	if (f->saving)
		filp = anon_inode_getfile("[vpv-migration-save]", &save_fops, f, O_RDONLY);
	else
		filp = anon_inode_getfile("[vpv-migration-load]", &resume_fops, f, O_WRONLY);
	if (IS_ERR(filp))
		return filp;

	kref_get(&f->ref);
	stream_open(file_inode(filp), filp);
	return filp;
}

static struct vmig_session_stats *session_stats(struct vmig_machine *m, bool saving)
{
	return saving ? &m->last_save : &m->last_load;
}

/**
 * vmig_session_begin() - Make a session the machine's
 * @m: Machine, without a session.
 * @f: Session; the machine takes over the caller's reference.
 */
void vmig_session_begin(struct vmig_machine *m, struct vmig_file *f)
{
	lockdep_assert_held(&m->state_lock);

	spin_lock(&m->lock);
	m->held_most = m->held;
	*session_stats(m, f->saving) = (struct vmig_session_stats){ .err = -EINPROGRESS };
	if (f->saving)
		m->saving = f;
	else
		m->resuming = f;
	spin_unlock(&m->lock);
	trace_vmig_session_begin(m, f->saving);
}

/* Was all of the stream read, or written? */
static int session_result(struct vmig_file *f)
{
	if (f->err)
		return f->err;
	if (f->saving)
		return f->final && !f->producing && !f->queued ? 0 : -ECANCELED;
	return f->parser.at == VMIG_AT_END ? 0 : -ENODATA;
}

/**
 * vmig_session_end() - Take a session from the machine
 * @m: Machine.
 * @saving: Which one; there may be none.
 * @err: What its file fails with from now on, unless it failed before.
 */
void vmig_session_end(struct vmig_machine *m, bool saving, int err)
{
	struct vmig_session_stats stats = {};
	struct vmig_file *f;

	lockdep_assert_held(&m->state_lock);

	spin_lock(&m->lock);
	f = saving ? m->saving : m->resuming;
	if (f) {
		if (saving)
			m->saving = NULL;
		else
			m->resuming = NULL;
		spin_lock(&f->lock);
		stats.err = session_result(f);
		stats.bytes = f->bytes;
		stats.waited_ns = f->waited_ns;
		spin_unlock(&f->lock);
		stats.held = m->held_most;
		stats.records = saving ? f->writer.seq : f->parser.seq;
		*session_stats(m, saving) = stats;
		vmig_file_fail(f, err);
	}
	spin_unlock(&m->lock);
	if (!f)
		return;

	trace_vmig_session_end(m, saving, &stats);
	vmig_file_purge(f);
	vmig_file_put(f);
}
