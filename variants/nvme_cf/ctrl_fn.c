// SPDX-License-Identifier: GPL-2.0
/*
 * Migratable controllers: found by their identity capability, given a profile, published
 * while they have one, and what their drivers may ask for.
 */
#include <linux/slab.h>

#include "ctrl.h"

static struct nvcf_fn *fn_of(struct vpv_controlled *c)
{
	return container_of(c, struct nvcf_fn, c);
}

/* ---- What is published ---- */

static const struct nvcf_managing *op_managing(void *priv)
{
	return &fn_of(priv)->ctrl->managing;
}

static int op_exec(void *priv, struct nvcf_command *cmd)
{
	struct nvcf_fn *fn = fn_of(priv);
	struct nvcf_admin admin = {
		.sqe = {
			.opcode = cmd->opcode,
			.cdw10 = cpu_to_le32(cmd->cdw10),
			.cdw11 = cpu_to_le32((cmd->cdw11 & ~0xffffU) | fn->c.nr),
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
			.cdw11 = cpu_to_le32(fn->c.nr),
		},
		.data = data,
		.bytes = bytes,
	};
	int err = nvcf_queue_exec(&fn->ctrl->q, &cmd);

	if (err && err != -ENOTCONN)
		dev_warn_ratelimited(&fn->ctrl->life.pdev->dev,
				     "controller %u: command %#x failed: error %d, status %#x\n",
				     fn->c.nr, opcode, err, cmd.status);
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

	lockdep_assert_held(&fn->ctrl->life.lock);

	if (!profile)
		return -ENOMEM;
	err = fn_exec(fn, NVCF_ADMIN_PROFILE_RECEIVE, 0, profile, sizeof(*profile), &dw0);
	if (err)
		return err;
	fn->c.enabled = dw0 & NVCF_PROFILE_GIVEN;
	if (fn->c.enabled && nvcf_wire_unpack(&fn->want, profile))
		dev_warn_ratelimited(&fn->ctrl->life.pdev->dev,
				     "controller %u: namespaces of its profile cannot be\n",
				     fn->c.nr);
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
		if (ctrl->fn[i].c.nr == cntlid)
			return &ctrl->fn[i];
	return NULL;
}

static struct vpv_controlled *fn_identify(struct vpv_controlled_set *set, struct pci_dev *pdev)
{
	struct nvcf_ctrl *ctrl = container_of(set, struct nvcf_ctrl, life.set);
	struct nvcf_identity id;
	struct nvcf_fn *fn;

	if (nvcf_identify(pdev, &id) || id.role != NVCF_ROLE_MIGRATABLE ||
	    id.serial != ctrl->managing.serial)
		return NULL;
	fn = fn_find(ctrl, id.cntlid);
	return fn ? &fn->c : NULL;
}

/**
 * nvcf_fns_prepare() - There are no functions yet
 * @ctrl: Managing controller.
 */
void nvcf_fns_prepare(struct nvcf_ctrl *ctrl)
{
	struct vpv_controlled_set *set = &ctrl->life.set;

	set->vendor = NVCF_VENDOR;
	set->device = NVCF_FN_DEVICE;
	set->family = NVCF_FAMILY;
	set->ops = &control_ops;
	set->identify = fn_identify;
}

static void fn_init(struct nvcf_ctrl *ctrl, struct nvcf_fn *fn, u16 cntlid)
{
	fn->ctrl = ctrl;
	fn->c.nr = cntlid;
	init_rwsem(&fn->sem);
	nvcf_wire_default(&fn->want, cntlid);
	vpv_controlled_add(&ctrl->life.set, &fn->c);
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
	if (ctrl->known && ctrl->num_fns != num)
		return -EPROTO;
	for (unsigned int i = 0; i < ctrl->num_fns; i++)
		if (ctrl->fn[i].c.nr != cntlid[i])
			return -EPROTO;
	for (unsigned int i = ctrl->num_fns; i < num; i++)
		fn_init(ctrl, &ctrl->fn[i], cntlid[i]);
	ctrl->num_fns = num;
	ctrl->known = true;
	return 0;
}

/* ---- Publishing ---- */

/**
 * nvcf_fn_ask() - Ask about a controller: one that has a profile is enabled
 * @life: Of the managing controller.
 * @c: Function of the controller.
 *
 * Return: see struct vpv_ctrl_life_ops.
 */
int nvcf_fn_ask(struct vpv_ctrl_life *life, struct vpv_controlled *c)
{
	int err = fn_query(fn_of(c));

	if (!err && !c->enabled)
		vpv_controlled_withdraw(&life->set, c);
	return err;
}

/* ---- Commands of users ---- */

static bool fn_watched(struct pci_dev *pdev)
{
	return pdev && vpv_control_watched(&pdev->dev, NVCF_FAMILY);
}

static int fn_user_exec(struct nvcf_fn *fn, struct nvcf_admin *cmd)
{
	int err = nvcf_queue_exec(&fn->ctrl->q, cmd);

	/* It may have to be published or withdrawn, also if nobody knows how the command ended. */
	if (cmd->sqe.opcode == NVCF_ADMIN_PROFILE_SEND) {
		vpv_controlled_news(&fn->c);
		vpv_ctrl_life_announce(&fn->ctrl->life);
	}
	return err;
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
	else if (READ_ONCE(fn->c.pdev) != pdev)
		err = -EAGAIN;
	else
		err = fn_user_exec(fn, cmd);
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
	err = mutex_lock_killable(&ctrl->life.lock);
	if (err)
		return err;
	if (!ctrl->life.up) {
		mutex_unlock(&ctrl->life.lock);
		return -ENOTCONN;
	}
	vpv_controlled_scan(&ctrl->life.set);
	pdev = pci_dev_get(fn->c.pdev);
	mutex_unlock(&ctrl->life.lock);
	err = fn_user(fn, pdev, cmd);
	pci_dev_put(pdev);
	return err;
}

/* ---- Giving and taking profiles ---- */

/*
 * What enabled a controller that no driver is bound to, such as the firmware of the host, has
 * left it: a reset of the function disables it.  The PCI core would wait for a minute for one
 * that does not answer, and others for the lock.
 */
static int fn_reset_unbound(struct nvcf_fn *fn)
{
	int err;

	if (!fn->c.pdev)
		return -EBUSY;
	if (!pci_device_is_present(fn->c.pdev))
		return -ENODEV;
	pci_dbg(fn->c.pdev, "enabled, and no driver is bound: reset\n");
	pci_cfg_access_lock(fn->c.pdev);
	err = pci_reset_function_locked(fn->c.pdev);
	pci_cfg_access_unlock(fn->c.pdev);
	return err;
}

static int fn_enable(struct nvcf_fn *fn)
{
	int err;

	lockdep_assert_held(&fn->ctrl->life.lock);

	if (!fn->ctrl->life.up)
		return -ENOTCONN;
	err = fn_query(fn);
	if (err)
		return err;
	if (!fn->c.enabled)
		err = fn_give(fn);
	if (err) {
		/* It may have been carried out. */
		vpv_controlled_news(&fn->c);
		return err;
	}
	fn->c.enabled = true;
	vpv_controlled_scan(&fn->ctrl->life.set);
	vpv_controlled_publish(&fn->ctrl->life.set, &fn->c);
	return 0;
}

static int fn_enable_unbound(struct vpv_controlled *c)
{
	struct nvcf_fn *fn = fn_of(c);

	return fn_reset_unbound(fn) ?: fn_enable(fn);
}

/**
 * nvcf_fn_enable() - Give a controller the profile that is wanted
 * @c: Function of the controller.
 *
 * One that has a profile keeps it.
 *
 * Context: process; no lock is held.
 * Return: 0; -ENOTCONN when the managing controller does not work; -EINVAL for a profile
 * that cannot be one or is beyond what the device has; -EBUSY while the
 * controller is used; -EINTR; or another negative errno.
 */
int nvcf_fn_enable(struct vpv_controlled *c)
{
	struct nvcf_fn *fn = fn_of(c);
	int err;

	err = mutex_lock_interruptible(&fn->ctrl->life.lock);
	if (err)
		return err;
	err = fn_enable(fn);
	mutex_unlock(&fn->ctrl->life.lock);
	if (err == -EBUSY)
		err = vpv_controlled_unbound(&fn->ctrl->life.set, c, fn_enable_unbound);
	return err;
}

static int fn_take_back(struct vpv_controlled *c)
{
	struct nvcf_fn *fn = fn_of(c);
	int err = fn->ctrl->life.up ? fn_query(fn) : -ENOTCONN;

	if (err)
		return err;
	if (c->enabled)
		err = fn_remove(fn);
	if (err == -EBUSY)
		err = fn_reset_unbound(fn) ?: fn_remove(fn);
	/* Also if it may have been carried out: one that has a profile is published anew. */
	vpv_controlled_withdraw(&fn->ctrl->life.set, c);
	if (err) {
		vpv_controlled_news(c);
		vpv_ctrl_life_announce(&fn->ctrl->life);
		return err;
	}
	c->enabled = false;
	return 0;
}

/**
 * nvcf_fn_disable() - Take a controller's profile away
 * @c: Function of the controller.
 *
 * Return: 0; -EBUSY while a driver is bound to it, or uses it; or another negative errno.
 */
int nvcf_fn_disable(struct vpv_controlled *c)
{
	return vpv_controlled_unbound(&fn_of(c)->ctrl->life.set, c, fn_take_back);
}
