// SPDX-License-Identifier: GPL-2.0
/*
 * Controlled functions: found by their identity capability, provisioned, published
 * while they are enabled, and what their drivers may ask for.
 */
#include <linux/slab.h>

#include "ctrl.h"

static struct mlxl_fn *fn_of(struct vpv_controlled *c)
{
	return container_of(c, struct mlxl_fn, c);
}

/* ---- What is published ---- */

static const struct mlxl_caps *op_caps(void *priv)
{
	struct mlxl_fn *fn = fn_of(priv);

	return &fn->ctrl->caps;
}

static int op_exec(void *priv, struct mlxl_command *cmd)
{
	struct mlxl_fn *fn = fn_of(priv);

	return mlxl_queue_exec(&fn->ctrl->q, fn->c.nr, cmd);
}

static int op_submit(void *priv, struct mlxl_command *cmd)
{
	struct mlxl_fn *fn = fn_of(priv);

	return mlxl_queue_submit(&fn->ctrl->q, fn->c.nr, cmd);
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

	err = mlxl_queue_exec(&fn->ctrl->q, fn->c.nr, &cmd);
	if (!err && cmd.out_len != out_bytes)
		err = -EPROTO;
	if (err)
		dev_warn_ratelimited(&fn->ctrl->life.pdev->dev,
				     "function %u: command %#x failed: error %d, status %u, syndrome %#x\n",
				     fn->c.nr, opcode, err, cmd.status, cmd.syndrome);
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
	int err;

	lockdep_assert_held(&fn->ctrl->life.lock);

	err = fn_exec(fn, MLXL_QUERY_FUNCTION, NULL, 0, out, sizeof(*out));
	if (!err)
		fn->c.enabled = le32_to_cpu(out->state) == MLXL_ENABLED;
	return err;
}

/* ---- Finding ---- */

static bool cap_is_identity(const u8 *cap)
{
	return cap[MLXL_CAP_LENGTH] == MLXL_CAP_BYTES &&
	       cap[MLXL_CAP_TYPE] == MLXL_CAP_TYPE_VALUE &&
	       cap[MLXL_CAP_BAR] == MLXL_CAP_BAR_VALUE && cap[MLXL_CAP_VERSION] == 1;
}

static struct vpv_controlled *fn_identify(struct vpv_controlled_set *set, struct pci_dev *pdev)
{
	struct mlxl_ctrl *ctrl = container_of(set, struct mlxl_ctrl, life.set);
	u8 cap[MLXL_CAP_BYTES];
	u16 nr;

	if (!vpv_controlled_capability(pdev, cap, sizeof(cap), cap_is_identity) ||
	    get_unaligned_le64(cap + MLXL_CAP_SERIAL) != ctrl->serial)
		return NULL;
	nr = get_unaligned_le16(cap + MLXL_CAP_FUNCTION);
	return nr < ctrl->num_fns ? &ctrl->fn[nr].c : NULL;
}

/**
 * mlxl_fns_prepare() - There is no function yet
 * @ctrl: Controlling function.
 */
void mlxl_fns_prepare(struct mlxl_ctrl *ctrl)
{
	struct vpv_controlled_set *set = &ctrl->life.set;

	set->vendor = MLXL_FN_VENDOR;
	set->device = MLXL_FN_DEVICE;
	set->sub_vendor = MLXL_VENDOR;
	set->sub_device = MLXL_FN_SUBDEVICE;
	set->family = MLXL_FAMILY;
	set->ops = &control_ops;
	set->dma = ctrl->dma;
	set->identify = fn_identify;
	for (unsigned int i = 0; i < MLXL_MAX_FUNCTIONS; i++) {
		ctrl->fn[i].c.nr = i;
		vpv_controlled_add(set, &ctrl->fn[i].c);
	}
}

/* ---- Publishing ---- */

/**
 * mlxl_fn_ask() - Ask about a function
 * @life: Of the controlling function.
 * @c: Function.
 *
 * Failures are logged; the driver of the function queries them itself.
 *
 * Return: see struct vpv_ctrl_life_ops.
 */
int mlxl_fn_ask(struct vpv_ctrl_life *life, struct vpv_controlled *c)
{
	struct mlxl_fn *fn = fn_of(c);
	struct mlxl_function state;
	int err;

	if (!c->pdev)
		return -ENXIO;
	err = mlxl_fn_query(fn, &state);
	if (err)
		return err;
	if (le32_to_cpu(state.flags) & (MLXL_FN_FAILED | MLXL_FN_TRACKER_ERROR))
		dev_warn_ratelimited(&life->pdev->dev, "function %u: flags %#x, reason %u\n",
				     c->nr, le32_to_cpu(state.flags), le32_to_cpu(state.reason));
	return 0;
}

/* ---- Events ---- */

/**
 * mlxl_fns_events() - The firmware has news of functions
 * @ctrl: Controlling function.
 * @events: A bit for each function that there is news of.
 *
 * Drivers of the others are not told: there may be many, and each would look.  The caller calls
 * vpv_ctrl_life_announce().
 */
void mlxl_fns_events(struct mlxl_ctrl *ctrl, const unsigned long *events)
{
	unsigned int nr;

	guard(mutex)(&ctrl->life.lock);

	for_each_set_bit(nr, events, ctrl->num_fns) {
		vpv_controlled_news(&ctrl->fn[nr].c);
		if (ctrl->fn[nr].c.control)
			vpv_control_changed(ctrl->fn[nr].c.control);
	}
}

/* ---- Provisioning ---- */

static int fn_enable(struct mlxl_fn *fn)
{
	struct mlxl_function state;
	int err;

	lockdep_assert_held(&fn->ctrl->life.lock);

	if (!fn->ctrl->life.up)
		return -ENOTCONN;
	err = mlxl_fn_query(fn, &state);
	if (err)
		return err;
	if (!fn->c.enabled) {
		err = fn_exec(fn, MLXL_PROVISION, &fn->want, sizeof(fn->want), NULL, 0);
		if (!err)
			err = fn_exec(fn, MLXL_ENABLE, NULL, 0, NULL, 0);
		if (err) {
			/* It may have been carried out. */
			vpv_controlled_news(&fn->c);
			return err;
		}
		fn->c.enabled = true;
	}
	vpv_controlled_scan(&fn->ctrl->life.set);
	if (fn->c.control)
		vpv_control_changed(fn->c.control);
	else
		vpv_controlled_publish(&fn->ctrl->life.set, &fn->c);
	return 0;
}

/**
 * mlxl_fn_enable() - Provision a function and make it appear
 * @c: Function; its want says as what.
 *
 * One that is enabled already stays what it is.  Its driver is told in any case: it may have
 * the function open, which has nothing any more of what it was before a power loss.
 *
 * Return: 0; -ENOTCONN when the controlling function does not work; -ERANGE for what
 * is beyond the firmware's limits; or another negative errno.
 */
int mlxl_fn_enable(struct vpv_controlled *c)
{
	struct mlxl_fn *fn = fn_of(c);
	int err = mutex_lock_interruptible(&fn->ctrl->life.lock);

	if (err)
		return err;
	err = fn_enable(fn);
	mutex_unlock(&fn->ctrl->life.lock);
	return err;
}

static int fn_take_back(struct vpv_controlled *c)
{
	const struct mlxl_provision none = {};
	struct mlxl_fn *fn = fn_of(c);
	struct mlxl_function state;
	int err;

	if (!fn->ctrl->life.up)
		return -ENOTCONN;
	err = mlxl_fn_query(fn, &state);
	if (err)
		return err;
	if (c->enabled)
		err = fn_exec(fn, MLXL_DISABLE, NULL, 0, NULL, 0);
	/* Also if it may have been carried out: one that is enabled is published anew. */
	vpv_controlled_withdraw(&fn->ctrl->life.set, c);
	if (err) {
		vpv_controlled_news(c);
		vpv_ctrl_life_announce(&fn->ctrl->life);
		return err;
	}
	c->enabled = false;
	if (le32_to_cpu(state.state) == MLXL_UNPROVISIONED)
		return 0;
	return fn_exec(fn, MLXL_PROVISION, &none, sizeof(none), NULL, 0);
}

/**
 * mlxl_fn_disable() - Make a function disappear and take its provisioning back
 * @c: Function.
 *
 * Return: 0; -EBUSY while a driver is bound to it; or another negative errno.
 */
int mlxl_fn_disable(struct vpv_controlled *c)
{
	return vpv_controlled_unbound(&fn_of(c)->ctrl->life.set, c, fn_take_back);
}
