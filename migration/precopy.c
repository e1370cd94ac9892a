// SPDX-License-Identifier: GPL-2.0
/*
 * Pre-copy as its reader sees it: how much there is, and whether there is more.
 */
#include <linux/export.h>
#include <linux/uaccess.h>

#include "vmig.h"

/**
 * vmig_precopy_dirty() - Ask the device what the next round would emit
 * @m: Machine.
 * @f: Its save session, in pre-copy.
 *
 * Starts that round if somebody waits for data and there is none left.  Before the end
 * of round 0 the answer is what that will still emit.
 */
void vmig_precopy_dirty(struct vmig_machine *m, struct vmig_file *f)
{
	u64 dirty = 0;

	lockdep_assert_held(&m->state_lock);

	if (f->can_ask && !vmig_reach(m))
		dirty = m->mig->ops->dirty_bytes(m->mig);
	spin_lock(&f->lock);
	f->dirty = dirty;
	if (f->ask == VMIG_ASK_DATA && !f->queued && dirty)
		f->producing = true;
	f->ask = VMIG_ASK_NO;
	f->answers++;
	spin_unlock(&f->lock);
	wake_up_all(&f->wait);
}

/**
 * vmig_precopy_ask() - Have the worker ask the device
 * @f: Save session.
 * @ask: What is wanted of the device.
 * @delay: How long it may rest before, in jiffies.
 *
 * The device may need long for its answer: who must not wait goes on with the last one.
 * Nothing is asked while a round goes on, which ends in a question.
 */
void vmig_precopy_ask(struct vmig_file *f, enum vmig_ask ask, unsigned long delay)
{
	lockdep_assert_held(&f->lock);

	/* No work is queued once err is set: detach waits for the last one. */
	if (f->err || f->final || f->producing || !f->can_ask)
		return;
	f->ask = max(f->ask, ask);
	if (delay)
		queue_delayed_work(vmig_wq, &f->m->work, delay);
	else
		mod_delayed_work(vmig_wq, &f->m->work, 0);
}

/* Is there something else to do than to wait for an answer?  Under f->lock. */
static bool precopy_goes_on(const struct vmig_file *f)
{
	return f->err || f->queued || f->producing || f->final;
}

static bool precopy_answered(struct vmig_file *f, unsigned int answers)
{
	bool answered;

	spin_lock(&f->lock);
	answered = f->answers != answers || precopy_goes_on(f);
	spin_unlock(&f->lock);
	return answered;
}

/**
 * vmig_precopy_more() - All was read: is there reason for another round?
 * @f: Save session.
 * @nonblock: Do not wait for the device.
 *
 * Return: 0: look again; -ENOMSG: no; -EAGAIN: data will come; -ERESTARTSYS.
 */
int vmig_precopy_more(struct vmig_file *f, bool nonblock)
{
	unsigned int answers;
	ktime_t begin;
	bool dirty;
	int err;

	spin_lock(&f->lock);
	if (precopy_goes_on(f)) {
		spin_unlock(&f->lock);
		return 0;
	}
	dirty = f->dirty;
	answers = f->answers;
	vmig_precopy_ask(f, VMIG_ASK_DATA, 0);
	spin_unlock(&f->lock);
	if (!f->can_ask)
		return -ENOMSG;
	if (nonblock)
		return dirty ? -EAGAIN : -ENOMSG;

	begin = ktime_get();
	err = wait_event_interruptible(f->wait, precopy_answered(f, answers));
	vmig_file_waited(f, begin);
	if (err)
		return err;
	spin_lock(&f->lock);
	err = precopy_goes_on(f) ? 0 : -ENOMSG;
	spin_unlock(&f->lock);
	return err;
}

void vmig_reinit(struct vmig_dev *mig)
{
	struct vmig_file *f = mig->m->saving;

	lockdep_assert_held(&mig->m->state_lock);

	/* Before round 0 has ended all is initial data; the first version of the
	 * ioctl promises that initial_bytes only falls: it is dirty data there.
	 */
	if (!f || !f->round || !vpv_compat_precopy_info_v2(mig->vdev))
		return;
	spin_lock(&f->lock);
	if (!f->final) {
		f->fresh = VMIG_FRESH_COMING;
		/* What is queued is read before what replaces it. */
		f->initial = f->queued;
	}
	spin_unlock(&f->lock);
}
EXPORT_SYMBOL_GPL(vmig_reinit);

/* Under f->lock: what is queued, plus what the device would add. */
static int precopy_count(struct vmig_file *f, struct vfio_precopy_info *info)
{
	if (f->err)
		return f->err;
	if (f->final)
		return -EINVAL;

	info->initial_bytes = f->initial;
	info->dirty_bytes = f->queued - f->initial + f->dirty;
	/* What round 0 will emit is initial data, or one that was announced as such. */
	if (!f->round || f->fresh == VMIG_FRESH_COMING) {
		info->initial_bytes += f->dirty;
		info->dirty_bytes -= f->dirty;
	}
	/* The initial data is not complete: it must not look drained. */
	if (f->producing && !f->round)
		info->initial_bytes += sizeof(struct vpv_stream_record);
	return 0;
}

/*
 * VFIO_MIG_GET_PRECOPY_INFO.  The first version leaves flags as the user gave them,
 * the second one makes them output: REINIT from vmig_reinit() until the new initial
 * data was read.  Both counts are always written.
 *
 * The answer is what is known; the next one has what the device said meanwhile.
 */
long vmig_precopy_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	const size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct vmig_file *f = filp->private_data;
	struct vfio_precopy_info info;
	int err;

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, (void __user *)arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	spin_lock(&f->lock);
	err = precopy_count(f, &info);
	/* A file that has not failed keeps the device: detach fails it under f->lock. */
	if (!err && vpv_compat_precopy_info_v2(f->m->mig->vdev))
		info.flags = f->fresh ? VPV_COMPAT_PRECOPY_REINIT : 0;
	vmig_precopy_ask(f, VMIG_ASK_SIZE, 0);
	spin_unlock(&f->lock);
	if (err)
		return err;
	return copy_to_user((void __user *)arg, &info, minsz) ? -EFAULT : 0;
}
