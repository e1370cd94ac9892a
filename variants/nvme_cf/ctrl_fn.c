// SPDX-License-Identifier: GPL-2.0
/*
 * Migratable controllers: found by their identity capability, given a profile, published
 * while they have one, and what their drivers may ask for.
 */
#include <linux/slab.h>

#include "ctrl.h"

/* ---- What is published ---- */

static const struct nvcf_managing *op_managing(void *priv)
{
	struct nvcf_fn *fn = priv;

	return &fn->ctrl->managing;
}

static int op_exec(void *priv, struct nvcf_command *cmd)
{
	struct nvcf_fn *fn = priv;
	struct nvcf_admin admin = {
		.sqe = {
			.opcode = cmd->opcode,
			.cdw10 = cpu_to_le32(cmd->cdw10),
			.cdw11 = cpu_to_le32((cmd->cdw11 & ~0xffffU) | fn->cntlid),
			.cdw12 = cpu_to_le32(cmd->cdw12),
			.cdw13 = cpu_to_le32(cmd->cdw13),
			.cdw14 = cpu_to_le32(cmd->cdw14),
			.cdw15 = cpu_to_le32(cmd->cdw15),
		},
		.data = cmd->data,
		.bytes = cmd->bytes,
	};
	int err;

	scoped_guard(rwsem_read, &fn->sem)
		err = nvcf_queue_exec(&fn->ctrl->q, &admin);
	cmd->dw0 = admin.dw0;
	cmd->dw1 = admin.dw1;
	cmd->status = admin.status & NVS_SC_MASK;
	return err;
}

static const struct nvcf_control_ops control_ops = {
	.managing = op_managing,
	.exec = op_exec,
};

/* ---- Profiles at the device ---- */

static int fn_exec(struct nvcf_fn *fn, u8 opcode, u32 cdw10, void *data, u32 bytes, u32 *dw0)
{
	struct nvcf_admin cmd = {
		.sqe = {
			.opcode = opcode,
			.cdw10 = cpu_to_le32(cdw10),
			.cdw11 = cpu_to_le32(fn->cntlid),
		},
		.data = data,
		.bytes = bytes,
	};
	int err = nvcf_queue_exec(&fn->ctrl->q, &cmd);

	if (err && err != -ENOTCONN)
		dev_warn_ratelimited(&fn->ctrl->pdev->dev,
				     "controller %u: command %#x failed: error %d, status %#x\n",
				     fn->cntlid, opcode, err, cmd.status);
	*dw0 = cmd.dw0;
	if (err != -EREMOTEIO)
		return err;
	switch (cmd.status & NVS_SC_MASK) {
	case NVS_SC_INVALID_FIELD:
		return -EINVAL;
	case NVS_SC_COMMAND_SEQUENCE:
		return -EBUSY;
	default:
		return err;
	}
}

/* What the device says is what configfs shows. */
static int fn_query(struct nvcf_fn *fn)
{
	struct nvcf_profile *profile __free(kfree) = kzalloc_obj(*profile, GFP_KERNEL);
	u32 dw0;
	int err;

	lockdep_assert_held(&fn->ctrl->lock);

	if (!profile)
		return -ENOMEM;
	err = fn_exec(fn, NVCF_ADMIN_PROFILE_RECEIVE, 0, profile, sizeof(*profile), &dw0);
	if (err)
		return err;
	fn->given = dw0 & NVCF_PROFILE_GIVEN;
	if (fn->given && nvcf_wire_unpack(&fn->want, profile))
		dev_warn_ratelimited(&fn->ctrl->pdev->dev,
				     "controller %u: namespaces of its profile cannot be\n",
				     fn->cntlid);
	return 0;
}

static int fn_give(struct nvcf_fn *fn)
{
	struct nvcf_profile *profile __free(kfree) = kzalloc_obj(*profile, GFP_KERNEL);
	u32 dw0;

	if (!profile)
		return -ENOMEM;
	nvcf_wire_pack(profile, &fn->want);
	return fn_exec(fn, NVCF_ADMIN_PROFILE_SEND, NVCF_PROFILE_GIVE, profile, sizeof(*profile),
		       &dw0);
}

static int fn_remove(struct nvcf_fn *fn)
{
	u32 dw0;

	return fn_exec(fn, NVCF_ADMIN_PROFILE_SEND, NVCF_PROFILE_REMOVE, NULL, 0, &dw0);
}

/* ---- Finding ---- */

static struct nvcf_fn *fn_find(struct nvcf_ctrl *ctrl, u16 cntlid)
{
	for (unsigned int i = 0; i < ctrl->num_fns; i++)
		if (ctrl->fn[i].cntlid == cntlid)
			return &ctrl->fn[i];
	return NULL;
}

static struct nvcf_fn *fn_identify(struct nvcf_ctrl *ctrl, struct pci_dev *pdev)
{
	struct nvcf_identity id;

	if (nvcf_identify(pdev, &id) || id.role != NVCF_ROLE_MIGRATABLE ||
	    id.serial != ctrl->managing.serial)
		return NULL;
	return fn_find(ctrl, id.cntlid);
}

/**
 * nvcf_fns_scan() - Find the functions that were not found yet
 * @ctrl: Managing controller.
 */
void nvcf_fns_scan(struct nvcf_ctrl *ctrl)
{
	struct pci_dev *pdev = NULL;

	lockdep_assert_held(&ctrl->lock);

	while ((pdev = pci_get_device(NVCF_VENDOR, NVCF_FN_DEVICE, pdev))) {
		struct nvcf_fn *fn = fn_identify(ctrl, pdev);

		if (fn && !fn->pdev)
			WRITE_ONCE(fn->pdev, pci_dev_get(pdev));
	}
}

static void fn_init(struct nvcf_ctrl *ctrl, struct nvcf_fn *fn, u16 cntlid)
{
	fn->ctrl = ctrl;
	fn->cntlid = cntlid;
	init_rwsem(&fn->sem);
	nvcf_wire_default(&fn->want, cntlid);
}

/**
 * nvcf_fns_init() - Learn which controllers there are
 * @ctrl: Managing controller.
 * @cntlid: Their CNTLIDs.
 * @num: Their number, at most NVCF_MAX_FUNCTIONS.
 *
 * Return: 0; -EPROTO if they are others than before.
 */
int nvcf_fns_init(struct nvcf_ctrl *ctrl, const u16 *cntlid, int num)
{
	for (unsigned int i = 0; i < ctrl->num_fns; i++)
		if (ctrl->num_fns != num || ctrl->fn[i].cntlid != cntlid[i])
			return -EPROTO;
	for (unsigned int i = ctrl->num_fns; i < num; i++)
		fn_init(ctrl, &ctrl->fn[i], cntlid[i]);
	ctrl->num_fns = num;
	return 0;
}

/* ---- Publishing ---- */

static void fn_publish(struct nvcf_fn *fn)
{
	struct vpv_control *control;

	if (!fn->pdev || fn->control)
		return;
	control = vpv_control_publish(&fn->pdev->dev, NVCF_FAMILY, &control_ops, fn, NULL);
	if (IS_ERR(control)) {
		pci_err(fn->ctrl->pdev, "controller %u cannot be published: %ld\n", fn->cntlid,
			PTR_ERR(control));
		return;
	}
	fn->control = control;
	pci_info(fn->ctrl->pdev, "manages %s as controller %u\n", pci_name(fn->pdev),
		 fn->cntlid);
}

static void fn_withdraw(struct nvcf_fn *fn)
{
	vpv_control_withdraw(fn->control);
	fn->control = NULL;
}

/**
 * nvcf_fns_publish() - Publish all functions that are there and have a profile, and no other
 * @ctrl: Managing controller.
 */
void nvcf_fns_publish(struct nvcf_ctrl *ctrl)
{
	lockdep_assert_held(&ctrl->lock);

	for (unsigned int i = 0; i < ctrl->num_fns; i++) {
		struct nvcf_fn *fn = &ctrl->fn[i];

		if (fn_query(fn))
			continue;
		if (fn->given)
			fn_publish(fn);
		else
			fn_withdraw(fn);
	}
}

/**
 * nvcf_fns_withdraw() - Publish nothing any more
 * @ctrl: Managing controller, whose queue is down.
 */
void nvcf_fns_withdraw(struct nvcf_ctrl *ctrl)
{
	lockdep_assert_held(&ctrl->lock);

	for (unsigned int i = 0; i < ctrl->num_fns; i++)
		fn_withdraw(&ctrl->fn[i]);
}

/**
 * nvcf_fns_changed() - Let drivers of functions see what became of them
 * @ctrl: Managing controller.
 */
void nvcf_fns_changed(struct nvcf_ctrl *ctrl)
{
	lockdep_assert_held(&ctrl->lock);

	for (unsigned int i = 0; i < ctrl->num_fns; i++)
		if (ctrl->fn[i].control)
			vpv_control_changed(ctrl->fn[i].control);
}

/**
 * nvcf_fns_attach() - Let drivers look at what was published
 * @ctrl: Managing controller.
 *
 * Context: process; no lock is held: drivers probe.
 */
void nvcf_fns_attach(struct nvcf_ctrl *ctrl)
{
	for (unsigned int i = 0; i < ctrl->num_fns; i++) {
		struct pci_dev *pdev = NULL;

		scoped_guard(mutex, &ctrl->lock)
			if (ctrl->fn[i].control)
				pdev = pci_dev_get(ctrl->fn[i].pdev);
		if (pdev && !READ_ONCE(pdev->dev.driver) &&
		    device_attach(&pdev->dev) < 0)
			pci_dbg(pdev, "no driver\n");
		pci_dev_put(pdev);
	}
}

/**
 * nvcf_fns_forget() - A function goes away
 * @ctrl: Managing controller.
 * @pdev: Which; or NULL: all.
 */
void nvcf_fns_forget(struct nvcf_ctrl *ctrl, struct pci_dev *pdev)
{
	lockdep_assert_held(&ctrl->lock);

	for (unsigned int i = 0; i < ctrl->num_fns; i++) {
		struct nvcf_fn *fn = &ctrl->fn[i];

		if (!fn->pdev || (pdev && fn->pdev != pdev))
			continue;
		fn_withdraw(fn);
		pci_dev_put(fn->pdev);
		WRITE_ONCE(fn->pdev, NULL);
	}
}

/* ---- Commands of users ---- */

static bool fn_watched(struct pci_dev *pdev)
{
	return pdev && vpv_control_watched(&pdev->dev, NVCF_FAMILY);
}

/* The driver of a function watches it from open to close; then come its commands. */
static int fn_user(struct nvcf_fn *fn, struct pci_dev *pdev, struct nvcf_admin *cmd)
{
	int err;

	/* Also without the lock, for which the driver's commands would wait. */
	if (fn_watched(pdev))
		return -EBUSY;
	err = down_write_killable(&fn->sem);
	if (err)
		return err;
	if (fn_watched(pdev))
		err = -EBUSY;
	else if (READ_ONCE(fn->pdev) != pdev)
		err = -EAGAIN;
	else
		err = nvcf_queue_exec(&fn->ctrl->q, cmd);
	up_write(&fn->sem);
	return err;
}

/**
 * nvcf_fn_user() - Carry a command of a user about a controller out
 * @ctrl: Managing controller.
 * @cmd: Command.
 *
 * Return: -EBUSY while the VFIO driver of the function has it open; -EAGAIN when the function
 * has come or gone meanwhile; -EINTR for a task that was killed; or what nvcf_queue_exec()
 * returns.
 */
int nvcf_fn_user(struct nvcf_ctrl *ctrl, struct nvcf_admin *cmd)
{
	struct nvcf_fn *fn = fn_find(ctrl, le32_to_cpu(cmd->sqe.cdw11) & 0xffff);
	struct pci_dev *pdev;
	int err;

	/* The device refuses it. */
	if (!fn)
		return nvcf_queue_exec(&ctrl->q, cmd);
	err = mutex_lock_killable(&ctrl->lock);
	if (err)
		return err;
	if (!ctrl->up) {
		mutex_unlock(&ctrl->lock);
		return -ENOTCONN;
	}
	nvcf_fns_scan(ctrl);
	pdev = pci_dev_get(fn->pdev);
	mutex_unlock(&ctrl->lock);
	err = fn_user(fn, pdev, cmd);
	pci_dev_put(pdev);
	/* Who is published may have changed. */
	if (!err && cmd->sqe.opcode == NVCF_ADMIN_PROFILE_SEND)
		queue_work(nvcf_ctrl_wq, &ctrl->announce);
	return err;
}

/* ---- Giving and taking profiles ---- */

/**
 * nvcf_fn_enable() - Give a controller the profile that is wanted
 * @fn: Controller.
 *
 * One that has a profile keeps it.  The caller calls nvcf_fns_attach().
 *
 * Return: 0; -ENOTCONN when the managing controller does not work; -EINVAL for a profile
 * that cannot be one or is beyond what the device has; -EBUSY while somebody uses the
 * controller; or another negative errno.
 */
int nvcf_fn_enable(struct nvcf_fn *fn)
{
	int err;

	lockdep_assert_held(&fn->ctrl->lock);

	if (!fn->ctrl->up)
		return -ENOTCONN;
	err = fn_query(fn);
	if (err)
		return err;
	if (!fn->given)
		err = fn_give(fn);
	if (err)
		return err;
	fn->given = true;
	nvcf_fns_scan(fn->ctrl);
	fn_publish(fn);
	return 0;
}

static int fn_take_back(struct nvcf_fn *fn)
{
	int err = fn_query(fn);

	if (!err && fn->given)
		err = fn_remove(fn);
	if (err)
		return err;
	fn->given = false;
	fn_withdraw(fn);
	return 0;
}

/**
 * nvcf_fn_disable() - Take a controller's profile away
 * @fn: Controller.
 *
 * Return: 0; -EBUSY while a driver is bound to it, or uses it; or another negative errno.
 */
int nvcf_fn_disable(struct nvcf_fn *fn)
{
	struct nvcf_ctrl *ctrl = fn->ctrl;
	struct pci_dev *pdev;
	int err = -EBUSY;

	scoped_guard(mutex, &ctrl->lock)
		pdev = pci_dev_get(fn->pdev);
	/* With its lock held no driver is bound meanwhile. */
	if (pdev && !device_trylock(&pdev->dev)) {
		pci_dev_put(pdev);
		return -EBUSY;
	}
	if (!pdev || !pdev->dev.driver) {
		guard(mutex)(&ctrl->lock);
		err = ctrl->up ? fn_take_back(fn) : -ENOTCONN;
	}
	if (pdev)
		device_unlock(&pdev->dev);
	pci_dev_put(pdev);
	return err;
}
