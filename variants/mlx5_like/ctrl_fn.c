// SPDX-License-Identifier: GPL-2.0
/*
 * Controlled functions: found by their identity capability, provisioned, published
 * while they are enabled, and what their drivers may ask for.
 */
#include <linux/slab.h>

#include "ctrl.h"

/* ---- What is published ---- */

static const struct mlxl_caps *op_caps(void *priv)
{
	struct mlxl_fn *fn = priv;

	return &fn->ctrl->caps;
}

static int op_exec(void *priv, struct mlxl_command *cmd)
{
	struct mlxl_fn *fn = priv;

	return mlxl_queue_exec(&fn->ctrl->q, fn->nr, cmd);
}

static int op_submit(void *priv, struct mlxl_command *cmd)
{
	struct mlxl_fn *fn = priv;

	return mlxl_queue_submit(&fn->ctrl->q, fn->nr, cmd);
}

static const struct mlxl_control_ops control_ops = {
	.caps = op_caps,
	.exec = op_exec,
	.submit = op_submit,
};

/* ---- Commands about a function ---- */

static int fn_exec(struct mlxl_fn *fn, u16 opcode, const void *in, u32 in_bytes,
		   void *out, u32 out_bytes)
{
	struct mlxl_command cmd = {
		.opcode = opcode,
		.in = in,
		.in_bytes = in_bytes,
		.out = out,
		.out_bytes = out_bytes,
	};
	int err;

	err = mlxl_queue_exec(&fn->ctrl->q, fn->nr, &cmd);
	if (!err && cmd.out_len != out_bytes)
		err = -EPROTO;
	if (err)
		dev_warn_ratelimited(&fn->ctrl->pdev->dev,
				     "function %u: command %#x failed: error %d, status %u, syndrome %#x\n",
				     fn->nr, opcode, err, cmd.status, cmd.syndrome);
	return err;
}

/**
 * mlxl_fn_query() - State of a function
 * @fn: Function.
 * @out: Receives it.
 *
 * Return: 0 or a negative errno.
 */
int mlxl_fn_query(struct mlxl_fn *fn, struct mlxl_function *out)
{
	return fn_exec(fn, MLXL_QUERY_FUNCTION, NULL, 0, out, sizeof(*out));
}

/* ---- Finding ---- */

static bool cap_read(struct pci_dev *pdev, int pos, u8 *cap)
{
	for (int i = 0; i < MLXL_CAP_BYTES; i += 4) {
		u32 val;

		if (pci_read_config_dword(pdev, pos + i, &val))
			return false;
		put_unaligned_le32(val, cap + i);
	}
	return cap[MLXL_CAP_LENGTH] == MLXL_CAP_BYTES &&
	       cap[MLXL_CAP_TYPE] == MLXL_CAP_TYPE_VALUE &&
	       cap[MLXL_CAP_BAR] == MLXL_CAP_BAR_VALUE && cap[MLXL_CAP_VERSION] == 1;
}

/* Number of a function of ours, or -ENODEV. */
static int fn_identify(struct mlxl_ctrl *ctrl, struct pci_dev *pdev)
{
	u8 cap[MLXL_CAP_BYTES];
	int pos;

	for (pos = pci_find_capability(pdev, PCI_CAP_ID_VNDR); pos;
	     pos = pci_find_next_capability(pdev, pos, PCI_CAP_ID_VNDR)) {
		u16 nr;

		if (!cap_read(pdev, pos, cap) ||
		    get_unaligned_le64(cap + MLXL_CAP_SERIAL) != ctrl->serial)
			continue;
		nr = get_unaligned_le16(cap + MLXL_CAP_FUNCTION);
		return nr < ctrl->num_fns ? nr : -ENODEV;
	}
	return -ENODEV;
}

/**
 * mlxl_fns_scan() - Find the functions that were not found yet
 * @ctrl: Controlling function.
 */
void mlxl_fns_scan(struct mlxl_ctrl *ctrl)
{
	struct pci_dev *pdev = NULL;

	lockdep_assert_held(&ctrl->lock);

	while ((pdev = pci_get_subsys(MLXL_FN_VENDOR, MLXL_FN_DEVICE, MLXL_VENDOR,
				      MLXL_FN_SUBDEVICE, pdev))) {
		int nr = fn_identify(ctrl, pdev);

		if (nr >= 0 && !ctrl->fn[nr].pdev)
			ctrl->fn[nr].pdev = pci_dev_get(pdev);
	}
}

/* ---- Publishing ---- */

static void fn_publish(struct mlxl_fn *fn)
{
	struct vpv_control *control;

	if (!fn->pdev || fn->control)
		return;
	control = vpv_control_publish(&fn->pdev->dev, MLXL_FAMILY, &control_ops, fn,
				      fn->ctrl->dma);
	if (IS_ERR(control)) {
		pci_err(fn->ctrl->pdev, "function %u cannot be published: %ld\n", fn->nr,
			PTR_ERR(control));
		return;
	}
	fn->control = control;
	pci_info(fn->ctrl->pdev, "controls %s as function %u\n", pci_name(fn->pdev), fn->nr);
}

static void fn_withdraw(struct mlxl_fn *fn)
{
	vpv_control_withdraw(fn->control);
	fn->control = NULL;
}

/**
 * mlxl_fns_publish() - Publish all functions that are there and enabled
 * @ctrl: Controlling function.
 */
void mlxl_fns_publish(struct mlxl_ctrl *ctrl)
{
	lockdep_assert_held(&ctrl->lock);

	for (unsigned int i = 0; i < ctrl->num_fns; i++) {
		struct mlxl_fn *fn = &ctrl->fn[i];
		struct mlxl_function state;

		if (!fn->pdev || fn->control || mlxl_fn_query(fn, &state))
			continue;
		if (le32_to_cpu(state.state) == MLXL_ENABLED)
			fn_publish(fn);
	}
}

/**
 * mlxl_fns_withdraw() - Publish nothing any more
 * @ctrl: Controlling function, whose queue is down.
 *
 * Also unmaps what the drivers of the functions have mapped.
 */
void mlxl_fns_withdraw(struct mlxl_ctrl *ctrl)
{
	lockdep_assert_held(&ctrl->lock);

	for (unsigned int i = 0; i < ctrl->num_fns; i++)
		fn_withdraw(&ctrl->fn[i]);
}

/**
 * mlxl_fns_changed() - Let drivers of functions see what became of them
 * @ctrl: Controlling function.
 */
void mlxl_fns_changed(struct mlxl_ctrl *ctrl)
{
	lockdep_assert_held(&ctrl->lock);

	for (unsigned int i = 0; i < ctrl->num_fns; i++)
		if (ctrl->fn[i].control)
			vpv_control_changed(ctrl->fn[i].control);
}

/**
 * mlxl_fns_attach() - Let drivers look at what was published
 * @ctrl: Controlling function.
 *
 * Context: process; no lock is held: drivers probe.
 */
void mlxl_fns_attach(struct mlxl_ctrl *ctrl)
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
 * mlxl_fns_forget() - A function goes away
 * @ctrl: Controlling function.
 * @pdev: Which; or NULL: all.
 */
void mlxl_fns_forget(struct mlxl_ctrl *ctrl, struct pci_dev *pdev)
{
	lockdep_assert_held(&ctrl->lock);

	for (unsigned int i = 0; i < ctrl->num_fns; i++) {
		struct mlxl_fn *fn = &ctrl->fn[i];

		if (!fn->pdev || (pdev && fn->pdev != pdev))
			continue;
		fn_withdraw(fn);
		pci_dev_put(fn->pdev);
		fn->pdev = NULL;
	}
}

/* ---- Provisioning ---- */

/**
 * mlxl_fn_enable() - Provision a function and make it appear
 * @fn: Function; @fn->want says as what.
 *
 * One that is enabled already stays what it is.  The caller calls mlxl_fns_attach().
 *
 * Return: 0; -ENOTCONN when the controlling function does not work; -ERANGE for what
 * is beyond the firmware's limits; or another negative errno.
 */
int mlxl_fn_enable(struct mlxl_fn *fn)
{
	struct mlxl_function state;
	int err;

	lockdep_assert_held(&fn->ctrl->lock);

	if (!fn->ctrl->up)
		return -ENOTCONN;
	err = mlxl_fn_query(fn, &state);
	if (err)
		return err;
	if (le32_to_cpu(state.state) != MLXL_ENABLED) {
		err = fn_exec(fn, MLXL_PROVISION, &fn->want, sizeof(fn->want), NULL, 0);
		if (!err)
			err = fn_exec(fn, MLXL_ENABLE, NULL, 0, NULL, 0);
		if (err)
			return err;
	}
	mlxl_fns_scan(fn->ctrl);
	fn_publish(fn);
	return 0;
}

static int fn_take_back(struct mlxl_fn *fn)
{
	const struct mlxl_provision none = {};
	struct mlxl_function state;
	int err;

	err = mlxl_fn_query(fn, &state);
	if (err)
		return err;
	if (le32_to_cpu(state.state) == MLXL_ENABLED)
		err = fn_exec(fn, MLXL_DISABLE, NULL, 0, NULL, 0);
	if (!err && le32_to_cpu(state.state) != MLXL_UNPROVISIONED)
		err = fn_exec(fn, MLXL_PROVISION, &none, sizeof(none), NULL, 0);
	if (err)
		return err;

	fn_withdraw(fn);
	return 0;
}

/**
 * mlxl_fn_disable() - Make a function disappear and take its provisioning back
 * @fn: Function.
 *
 * Return: 0; -EBUSY while a driver is bound to it; or another negative errno.
 */
int mlxl_fn_disable(struct mlxl_fn *fn)
{
	struct mlxl_ctrl *ctrl = fn->ctrl;
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
