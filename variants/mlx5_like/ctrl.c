// SPDX-License-Identifier: GPL-2.0
/*
 * Driver of the controlling function of mlx5_like: bringing it up, interrupts, probe and
 * remove.  The command queue is in ctrl_queue.c, commands in ctrl_slot.c, controlled functions in
 * ctrl_fn.c; what happens when it dies or is reset is the library's (vpv/ctrl_life.h).
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "ctrl.h"

/* ---- Up and down ---- */

static int query_caps(struct mlxl_ctrl *ctrl)
{
	const struct mlxl_caps *before = ctrl->num_fns ? &ctrl->caps : NULL;
	struct mlxl_caps caps;
	struct mlxl_command cmd = {
		.opcode = MLXL_QUERY_CAPS,
		.out = &caps,
		.out_bytes = sizeof(caps),
	};
	const char *field;
	u64 value;
	int err;

	err = mlxl_queue_exec(&ctrl->q, MLXL_NO_FUNCTION, &cmd);
	if (!err && cmd.out_len != sizeof(caps))
		err = -EPROTO;
	if (err) {
		pci_err(ctrl->life.pdev, "capabilities cannot be queried: error %d, status %u\n",
			err, cmd.status);
		return err;
	}
	err = mlxl_caps_check(&caps, before, &field, &value);
	if (err) {
		pci_err(ctrl->life.pdev, "firmware says what cannot be: %s %#llx\n", field, value);
		return err;
	}
	ctrl->caps = caps;
	ctrl->serial = le64_to_cpu(caps.serial);
	ctrl->num_fns = le16_to_cpu(caps.functions);
	return 0;
}

static int ctrl_start(struct vpv_ctrl_life *life)
{
	struct mlxl_ctrl *ctrl = mlxl_ctrl_of(life);
	int err;

	err = mlxl_queue_up(&ctrl->q);
	if (err)
		return err;
	life->limit = ctrl->q.limit;
	err = query_caps(ctrl);
	if (err)
		mlxl_queue_down(&ctrl->q);
	return err;
}

static void ctrl_stop(struct vpv_ctrl_life *life)
{
	mlxl_queue_down(&mlxl_ctrl_of(life)->q);
}

static void ctrl_cut_off(struct vpv_ctrl_life *life)
{
	mlxl_queue_look(&mlxl_ctrl_of(life)->q);
}

static bool ctrl_works(struct vpv_ctrl_life *life)
{
	return READ_ONCE(mlxl_ctrl_of(life)->q.state) != MLXL_QUEUE_DOWN;
}

static bool ctrl_disable(struct vpv_ctrl_life *life)
{
	return mlxl_queue_disable(&mlxl_ctrl_of(life)->q);
}

static bool ctrl_quiet(struct vpv_ctrl_life *life)
{
	return !mlxl_ctrl_of(life)->q.wild;
}

/* ---- Interrupts ---- */

static irqreturn_t completion_irq(int irq, void *life)
{
	mlxl_queue_reap(&mlxl_ctrl_of(life)->q);
	return IRQ_HANDLED;
}

static irqreturn_t event_irq(int irq, void *life)
{
	struct mlxl_ctrl *ctrl = mlxl_ctrl_of(life);
	DECLARE_BITMAP(events, MLXL_MAX_FUNCTIONS);

	if (!mlxl_queue_events(&ctrl->q, events))
		return IRQ_HANDLED;
	mlxl_fns_events(ctrl, events);
	vpv_ctrl_life_announce(life);
	return IRQ_HANDLED;
}

static const irq_handler_t threads[MLXL_VECTORS] = {
	[MLXL_VECTOR_CMD] = completion_irq,
	[MLXL_VECTOR_EVENT] = event_irq,
};

/* ---- Probe and remove ---- */

static int ctrl_init(struct vpv_ctrl_life *life)
{
	struct pci_dev *pdev = life->pdev;
	int err;

	err = mlxl_queue_init(&mlxl_ctrl_of(life)->q, life, life->regs);
	if (err)
		return err;
	/* Its last driver may have left it in any state. */
	pci_cfg_access_lock(pdev);
	pci_save_state(pdev);
	err = pcie_reset_flr(pdev, PCI_RESET_DO_RESET);
	if (err)
		pci_info(pdev, "cannot be reset: %d\n", err);
	pci_restore_state(pdev);
	pci_cfg_access_unlock(pdev);
	return 0;
}

static void ctrl_fini(struct vpv_ctrl_life *life)
{
	mlxl_queue_fini(&mlxl_ctrl_of(life)->q);
}

static const struct vpv_ctrl_life_ops ctrl_ops = {
	.bar = 0,
	.regs_bytes = MLXL_REGS_BYTES,
	.threads = threads,
	.vectors = MLXL_VECTORS,
	.init = ctrl_init,
	.fini = ctrl_fini,
	.show = mlxl_configfs_add,
	.hide = mlxl_configfs_remove,
	.start = ctrl_start,
	.stop = ctrl_stop,
	.cut_off = ctrl_cut_off,
	.works = ctrl_works,
	.disable = ctrl_disable,
	.quiet = ctrl_quiet,
	.ask = mlxl_fn_ask,
	.enable_fn = mlxl_fn_enable,
	.disable_fn = mlxl_fn_disable,
};

static struct mlxl_ctrl *ctrl_alloc(struct pci_dev *pdev)
{
	struct mlxl_ctrl *ctrl = kvzalloc_obj(*ctrl, GFP_KERNEL);

	if (!ctrl)
		return NULL;
	ctrl->life.pdev = pdev;
	ctrl->life.ops = &ctrl_ops;
	if (vpv_ctrl_life_init(&ctrl->life)) {
		kvfree(ctrl);
		return NULL;
	}
	ctrl->dma = vpv_ctrl_dma_new(&pdev->dev);
	if (!ctrl->dma) {
		vpv_ctrl_life_fini(&ctrl->life);
		kvfree(ctrl);
		return NULL;
	}
	mlxl_fns_prepare(ctrl);
	for (u16 i = 0; i < MLXL_MAX_FUNCTIONS; i++) {
		struct mlxl_fn *fn = &ctrl->fn[i];
		const u8 mac[] = { 0x02, 0x76, 0x20, 0x01, 0x00, i };

		fn->ctrl = ctrl;
		memcpy(fn->want.mac, mac, sizeof(fn->want.mac));
		fn->want.pairs = cpu_to_le16(1);
		fn->want.vectors = cpu_to_le16(3);
		fn->want.queue_size = cpu_to_le16(256);
	}
	return ctrl;
}

static void ctrl_free(struct mlxl_ctrl *ctrl)
{
	vpv_ctrl_life_fini(&ctrl->life);
	vpv_ctrl_dma_free(ctrl->dma);
	kvfree(ctrl);
}

static int mlxl_ctrl_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mlxl_ctrl *ctrl;
	int err;

	ctrl = ctrl_alloc(pdev);
	if (!ctrl)
		return -ENOMEM;
	err = vpv_ctrl_life_bind(&ctrl->life);
	if (err)
		ctrl_free(ctrl);
	return err;
}

static void mlxl_ctrl_remove(struct pci_dev *pdev)
{
	struct mlxl_ctrl *ctrl = mlxl_ctrl_of(pci_get_drvdata(pdev));

	vpv_ctrl_life_unbind(&ctrl->life);
	ctrl_free(ctrl);
}

static const struct pci_device_id mlxl_ctrl_ids[] = {
	{ PCI_DEVICE(MLXL_VENDOR, MLXL_CTRL_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, mlxl_ctrl_ids);

static struct pci_driver mlxl_ctrl_driver = {
	.name = MLXL_CTRL_NAME,
	.id_table = mlxl_ctrl_ids,
	.probe = mlxl_ctrl_probe,
	.remove = mlxl_ctrl_remove,
	.err_handler = &vpv_ctrl_life_err_handlers,
};

static int __init mlxl_ctrl_init(void)
{
	int err;

	err = mlxl_configfs_init();
	if (err)
		return err;
	err = pci_register_driver(&mlxl_ctrl_driver);
	if (err)
		goto exit_configfs;
	return 0;

exit_configfs:
	mlxl_configfs_exit();
	return err;
}
module_init(mlxl_ctrl_init);

static void __exit mlxl_ctrl_exit(void)
{
	pci_unregister_driver(&mlxl_ctrl_driver);
	mlxl_configfs_exit();
}
module_exit(mlxl_ctrl_exit);

MODULE_DESCRIPTION("Driver of the controlling function of mlx5_like devices");
MODULE_LICENSE("GPL");
