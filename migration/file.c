// SPDX-License-Identifier: GPL-2.0
/*
 * Data files: the access that the v2 front end gives to a session.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "front.h"
#include "request.h"

static bool must_not_wait(const struct kiocb *iocb)
{
	return (iocb->ki_filp->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT);
}

static ssize_t file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return vmig_session_read(iocb->ki_filp->private_data, to, must_not_wait(iocb));
}

static ssize_t file_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	return vmig_session_write(iocb->ki_filp->private_data, from, must_not_wait(iocb));
}

static __poll_t file_poll(struct file *filp, struct poll_table_struct *pt)
{
	struct vmig_session *s = filp->private_data;

	poll_wait(filp, vmig_session_wait(s), pt);
	return vmig_session_events(s);
}

/*
 * VFIO_MIG_GET_PRECOPY_INFO.  The first version leaves flags as the user gave them,
 * the second one makes them output: REINIT from vmig_reinit() until the new initial
 * data was read.  Both counts are always written.
 */
static long file_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	const size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct vfio_precopy_info info;
	struct vmig_pending pending;
	int err;

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, (void __user *)arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	err = vmig_session_pending(filp->private_data, &pending);
	if (err)
		return err;
	info.initial_bytes = pending.initial;
	info.dirty_bytes = pending.dirty;
	if (pending.tell_reinit)
		info.flags = pending.reinit ? VPV_COMPAT_PRECOPY_REINIT : 0;
	return copy_to_user((void __user *)arg, &info, minsz) ? -EFAULT : 0;
}

static int file_release(struct inode *inode, struct file *filp)
{
	struct vmig_session *s = filp->private_data;

	vmig_session_abandon(s);
	vmig_session_put(s);
	return 0;
}

static const struct file_operations save_fops = {
	.owner		= THIS_MODULE,
	.read_iter	= file_read_iter,
	.splice_read	= copy_splice_read,
	.poll		= file_poll,
	.unlocked_ioctl	= file_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.release	= file_release,
};

static const struct file_operations load_fops = {
	.owner		= THIS_MODULE,
	.write_iter	= file_write_iter,
	.splice_write	= iter_file_splice_write,
	.poll		= file_poll,
	.release	= file_release,
};

/**
 * struct file_front - A request that may open a session
 * @front: As sessions know it.
 * @filp: The file, if it did.
 */
struct file_front {
	struct vmig_front front;
	struct file *filp;
};

static int front_open(struct vmig_front *front, struct vmig_session *s, bool saving)
{
	struct file_front *ff = container_of(front, struct file_front, front);
	struct file *filp;

	if (saving)
		filp = anon_inode_getfile("[vpv-migration-save]", &save_fops, s, O_RDONLY);
	else
		filp = anon_inode_getfile("[vpv-migration-load]", &load_fops, s, O_WRONLY);
	if (IS_ERR(filp))
		return PTR_ERR(filp);

	vmig_session_get(s);
	stream_open(file_inode(filp), filp);
	ff->filp = filp;
	return 0;
}

static void front_cancel(struct vmig_front *front)
{
	struct file_front *ff = container_of(front, struct file_front, front);

	fput(ff->filp);
	ff->filp = NULL;
}

/**
 * vmig_file_request() - Bring a device into a state
 * @m: Machine.
 * @v2: Number of a v2 state; untrusted.
 *
 * Return: the data file if the last step opened a session, else NULL; or ERR_PTR() of what
 * vmig_state_request() returned.
 */
struct file *vmig_file_request(struct vmig_machine *m, unsigned int v2)
{
	struct file_front ff = {
		.front = { .open = front_open, .cancel = front_cancel },
	};
	int err = vmig_state_request(m, v2, &ff.front);

	return err ? ERR_PTR(err) : ff.filp;
}
