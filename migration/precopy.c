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
 * @f: Its save session.
 *
 * Return: bytes; before the end of round 0 what that will still emit.
 */
u64 vmig_precopy_dirty(struct vmig_machine *m, struct vmig_file *f)
{
	const struct vmig_ops *ops = m->mig->ops;
	u64 dirty = 0;

	lockdep_assert_held(&m->state_lock);

	if (ops->precopy && ops->dirty_bytes)
		dirty = ops->dirty_bytes(m->mig);
	spin_lock(&f->lock);
	f->dirty = dirty;
	spin_unlock(&f->lock);
	return dirty;
}

/*
 * With state_lock, if it is free.  If not, a hook runs: possibly a round of
 * pre-copy that waits for this very reader, so never wait for it here.
 */
static bool precopy_trylock(struct vmig_file *f)
{
	struct vmig_machine *m = f->m;

	if (!mutex_trylock(&m->state_lock))
		return false;
	if (m->saving == f && !READ_ONCE(f->final) && !READ_ONCE(f->err))
		return true;
	vmig_unlock(m);
	return false;
}

/**
 * vmig_precopy_more() - All was read: start another round if there is reason to
 * @f: Save session in pre-copy.
 *
 * Return: whether data will come.
 */
bool vmig_precopy_more(struct vmig_file *f)
{
	bool more;

	if (!precopy_trylock(f))
		return false;

	more = vmig_precopy_dirty(f->m, f);
	if (more) {
		spin_lock(&f->lock);
		f->producing = true;
		spin_unlock(&f->lock);
		mod_delayed_work(vmig_wq, &f->m->work, 0);
	}
	vmig_unlock(f->m);
	return more;
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
	if (!f->final)
		f->fresh = VMIG_FRESH_COMING;
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

	if (precopy_trylock(f)) {
		vmig_precopy_dirty(f->m, f);
		vmig_unlock(f->m);
	}

	spin_lock(&f->lock);
	err = precopy_count(f, &info);
	/* A file that has not failed keeps the device: detach fails it under f->lock. */
	if (!err && vpv_compat_precopy_info_v2(f->m->mig->vdev))
		info.flags = f->fresh ? VPV_COMPAT_PRECOPY_REINIT : 0;
	spin_unlock(&f->lock);
	if (err)
		return err;
	return copy_to_user((void __user *)arg, &info, minsz) ? -EFAULT : 0;
}
