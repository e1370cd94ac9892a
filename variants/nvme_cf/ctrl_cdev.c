// SPDX-License-Identifier: GPL-2.0
/*
 * Admin commands of users: /dev/nvme<n>lm, by the ioctls of linux/nvme_ioctl.h.
 *
 * A file may be open for longer than the driver is bound: it holds the memory of this file's
 * structure, and finds no controller in it any more.  User memory is accessed before and
 * after a command, with no lock held.
 */
#include <linux/capability.h>
#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nvme_ioctl.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ctrl.h"

#define MINORS	256

/**
 * struct nvcf_cdev - A character device
 * @dev: Device; counts references.
 * @cdev: Likewise, held by open files.
 * @nr: Number in its name, and minor.
 * @sem: Held for reading while @ctrl is used.
 * @ctrl: Controller; NULL when the driver is gone; @sem.
 */
struct nvcf_cdev {
	struct device dev;
	struct cdev cdev;
	int nr;
	struct rw_semaphore sem;
	struct nvcf_ctrl *ctrl;
};

static dev_t cdev_first;
static DEFINE_IDA(cdev_numbers);

static const struct class cdev_class = {
	.name = NVCF_CTRL_NAME,
};

/* ---- One command ---- */

static int user_exec_locked(struct nvcf_ctrl *ctrl, struct nvcf_admin *cmd)
{
	int err;

	/* One at a time: the other slots are for the drivers of functions. */
	err = mutex_lock_killable(&ctrl->user);
	if (err)
		return err;
	if (nvcf_wire_about(&cmd->sqe))
		err = nvcf_fn_user(ctrl, cmd);
	else
		err = nvcf_queue_exec(&ctrl->q, cmd);
	mutex_unlock(&ctrl->user);
	return err;
}

static int user_exec(struct nvcf_cdev *c, struct nvcf_admin *cmd)
{
	int err;

	err = down_read_killable(&c->sem);
	if (err)
		return err;
	err = c->ctrl ? user_exec_locked(c->ctrl, cmd) : -ENODEV;
	up_read(&c->sem);
	return err;
}

static void *data_alloc(const struct nvme_passthru_cmd64 *user)
{
	void __user *from = u64_to_user_ptr(user->addr);
	void *data;

	if (user->data_len > NVCF_MAX_DATA)
		return ERR_PTR(-EMSGSIZE);
	data = kvzalloc(max(user->data_len, 1U), GFP_KERNEL_ACCOUNT);
	if (!data)
		return ERR_PTR(-ENOMEM);
	if ((user->opcode & NVS_DIR_TO_CTRL) && copy_from_user(data, from, user->data_len)) {
		kvfree(data);
		return ERR_PTR(-EFAULT);
	}
	return data;
}

/* The NVMe status, or an errno. */
static int user_command(struct nvcf_cdev *c, const struct nvme_passthru_cmd64 *user, u64 *result)
{
	struct nvcf_admin cmd = {
		.sqe = {
			.opcode = user->opcode,
			.nsid = cpu_to_le32(user->nsid),
			.cdw2 = cpu_to_le32(user->cdw2),
			.cdw3 = cpu_to_le32(user->cdw3),
			.cdw10 = cpu_to_le32(user->cdw10),
			.cdw11 = cpu_to_le32(user->cdw11),
			.cdw12 = cpu_to_le32(user->cdw12),
			.cdw13 = cpu_to_le32(user->cdw13),
			.cdw14 = cpu_to_le32(user->cdw14),
			.cdw15 = cpu_to_le32(user->cdw15),
		},
		.limit = msecs_to_jiffies(user->timeout_ms),
	};
	int ret;

	if (user->flags || user->metadata || user->metadata_len)
		return -EINVAL;
	cmd.data = data_alloc(user);
	if (IS_ERR(cmd.data))
		return PTR_ERR(cmd.data);
	ret = nvcf_wire_user_bytes(&cmd.sqe, cmd.data, user->data_len);
	if (ret >= 0) {
		cmd.bytes = ret;
		ret = user_exec(c, &cmd);
	}
	*result = cmd.dw0 | (u64)cmd.dw1 << 32;
	if (!ret && (user->opcode & NVS_DIR_TO_HOST) &&
	    copy_to_user(u64_to_user_ptr(user->addr), cmd.data, cmd.bytes))
		ret = -EFAULT;
	kvfree(cmd.data);
	return ret == -EREMOTEIO ? cmd.status : ret;
}

static long admin32(struct nvcf_cdev *c, struct nvme_passthru_cmd __user *arg)
{
	struct nvme_passthru_cmd64 user = {};
	u64 result;
	int ret;

	/* They differ behind this. */
	BUILD_BUG_ON(offsetof(struct nvme_passthru_cmd, result) !=
		     offsetofend(struct nvme_passthru_cmd64, timeout_ms));
	if (copy_from_user(&user, arg, offsetof(struct nvme_passthru_cmd, result)))
		return -EFAULT;
	ret = user_command(c, &user, &result);
	if (ret >= 0 && put_user((u32)result, &arg->result))
		return -EFAULT;
	return ret;
}

static long admin64(struct nvcf_cdev *c, struct nvme_passthru_cmd64 __user *arg)
{
	struct nvme_passthru_cmd64 user;
	u64 result;
	int ret;

	if (copy_from_user(&user, arg, sizeof(user)))
		return -EFAULT;
	ret = user_command(c, &user, &result);
	if (ret >= 0 && put_user(result, &arg->result))
		return -EFAULT;
	return ret;
}

static long nvcf_cdev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct nvcf_cdev *c = file->private_data;

	if (cmd != NVME_IOCTL_ADMIN_CMD && cmd != NVME_IOCTL_ADMIN64_CMD)
		return -ENOTTY;
	/* As the nvme driver has it. */
	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	return cmd == NVME_IOCTL_ADMIN_CMD ? admin32(c, (void __user *)arg) :
					     admin64(c, (void __user *)arg);
}

static int nvcf_cdev_open(struct inode *inode, struct file *file)
{
	/* The file holds a reference of the cdev, which holds one of the device. */
	file->private_data = container_of(inode->i_cdev, struct nvcf_cdev, cdev);
	return nonseekable_open(inode, file);
}

static const struct file_operations cdev_fops = {
	.owner = THIS_MODULE,
	.open = nvcf_cdev_open,
	.unlocked_ioctl = nvcf_cdev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* ---- Its life ---- */

static void cdev_release(struct device *dev)
{
	struct nvcf_cdev *c = container_of(dev, struct nvcf_cdev, dev);

	ida_free(&cdev_numbers, c->nr);
	kfree(c);
}

/* Commands in work have ended when this returns, and no other begins. */
static void cdev_end(struct nvcf_cdev *c)
{
	down_write(&c->sem);
	c->ctrl = NULL;
	up_write(&c->sem);
	put_device(&c->dev);
}

/**
 * nvcf_cdev_add() - Take commands of users
 * @ctrl: Controller.
 *
 * Return: 0 or a negative errno.
 */
int nvcf_cdev_add(struct nvcf_ctrl *ctrl)
{
	struct nvcf_cdev *c = kzalloc_obj(*c, GFP_KERNEL);
	int err;

	if (!c)
		return -ENOMEM;
	c->nr = ida_alloc_max(&cdev_numbers, MINORS - 1, GFP_KERNEL);
	if (c->nr < 0) {
		err = c->nr;
		kfree(c);
		return err;
	}
	init_rwsem(&c->sem);
	c->ctrl = ctrl;
	device_initialize(&c->dev);
	c->dev.class = &cdev_class;
	c->dev.parent = &ctrl->life.pdev->dev;
	c->dev.devt = MKDEV(MAJOR(cdev_first), c->nr);
	c->dev.release = cdev_release;
	cdev_init(&c->cdev, &cdev_fops);
	c->cdev.owner = THIS_MODULE;
	err = dev_set_name(&c->dev, "nvme%dlm", c->nr);
	if (!err)
		err = cdev_device_add(&c->cdev, &c->dev);
	if (err) {
		/* It may have been opened before that failed. */
		cdev_end(c);
		return err;
	}
	ctrl->cdev = c;
	return 0;
}

/**
 * nvcf_cdev_hide() - Keep the device from being opened
 * @ctrl: Controller.
 */
void nvcf_cdev_hide(struct nvcf_ctrl *ctrl)
{
	cdev_device_del(&ctrl->cdev->cdev, &ctrl->cdev->dev);
}

/**
 * nvcf_cdev_remove() - Take no command any more
 * @ctrl: Controller, whose queue is down: commands in work end soon.  Without a device, too.
 */
void nvcf_cdev_remove(struct nvcf_ctrl *ctrl)
{
	struct nvcf_cdev *c = ctrl->cdev;

	if (!c)
		return;
	cdev_end(c);
	ctrl->cdev = NULL;
}

int nvcf_cdev_init(void)
{
	int err = alloc_chrdev_region(&cdev_first, 0, MINORS, NVCF_CTRL_NAME);

	if (err)
		return err;
	err = class_register(&cdev_class);
	if (err)
		unregister_chrdev_region(cdev_first, MINORS);
	return err;
}

void nvcf_cdev_exit(void)
{
	class_unregister(&cdev_class);
	unregister_chrdev_region(cdev_first, MINORS);
	ida_destroy(&cdev_numbers);
}
