// SPDX-License-Identifier: GPL-2.0
/*
 * Driver of the controlling function of mlx5_like: life of the function.  Commands
 * are in ctrl_queue.c, controlled functions in ctrl_fn.c.
 *
 * The function is up while its command queue works.  Its death and its reset take it
 * down: all commands end, everything is withdrawn.  It comes up again, if it can, and
 * publishes anew.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "ctrl.h"

struct workqueue_struct *mlxl_ctrl_wq;

/* At once, then after 1/2 second, 1, 2 ... 128: more than four minutes. */
#define RECOVER_ATTEMPTS	10
#define RECOVER_JIFFIES		(HZ / 4)
#define STABLE_JIFFIES		(2 * HZ)

/* What commands named that have not ended by the firmware's doing. */
static void ctrl_quiet(struct mlxl_ctrl *ctrl)
{
	if (!ctrl->q.wild)
		vpv_ctrl_dma_quiet(ctrl->dma);
}

static void ctrl_down(struct mlxl_ctrl *ctrl)
{
	lockdep_assert_held(&ctrl->lock);

	if (!ctrl->up)
		return;
	ctrl->up = false;
	mlxl_queue_down(&ctrl->q);
	vpv_controlled_withdraw(&ctrl->set, NULL);
	ctrl_quiet(ctrl);
}

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
		pci_err(ctrl->pdev, "capabilities cannot be queried: error %d, status %u\n",
			err, cmd.status);
		return err;
	}
	err = mlxl_caps_check(&caps, before, &field, &value);
	if (err) {
		pci_err(ctrl->pdev, "firmware says what cannot be: %s %#llx\n", field, value);
		return err;
	}
	ctrl->caps = caps;
	ctrl->serial = le64_to_cpu(caps.serial);
	ctrl->num_fns = le16_to_cpu(caps.functions);
	return 0;
}

static int ctrl_up(struct mlxl_ctrl *ctrl)
{
	int err;

	lockdep_assert_held(&ctrl->lock);

	err = mlxl_queue_up(&ctrl->q);
	if (err)
		return err;
	ctrl_quiet(ctrl);
	err = query_caps(ctrl);
	if (err) {
		mlxl_queue_down(&ctrl->q);
		return err;
	}
	ctrl->up = true;
	vpv_controlled_scan(&ctrl->set);
	mlxl_fns_publish(ctrl);
	queue_work(mlxl_ctrl_wq, &ctrl->announce);
	return 0;
}

static void announce_work(struct work_struct *work)
{
	struct mlxl_ctrl *ctrl = container_of(work, struct mlxl_ctrl, announce);

	scoped_guard(mutex, &ctrl->lock) {
		if (!ctrl->up)
			return;
		vpv_controlled_scan(&ctrl->set);
		mlxl_fns_publish(ctrl);
		vpv_controlled_changed(&ctrl->set);
	}
	vpv_controlled_attach(&ctrl->set);
}

/* ---- Death and reset ---- */

static unsigned long recover_delay(const struct mlxl_ctrl *ctrl)
{
	return ctrl->attempts ? RECOVER_JIFFIES << ctrl->attempts : 0;
}

/* One that dies as soon as it was reset is left alone in the end. */
static void ctrl_died(struct mlxl_queue *q)
{
	struct mlxl_ctrl *ctrl = container_of(q, struct mlxl_ctrl, q);

	if (time_after(jiffies, ctrl->tried + STABLE_JIFFIES))
		ctrl->attempts = 0;
	queue_delayed_work(mlxl_ctrl_wq, &ctrl->recover, recover_delay(ctrl));
}

/* The PCI core would wait for a minute for one that is not there. */
static int ctrl_reset(struct mlxl_ctrl *ctrl)
{
	if (!pci_device_is_present(ctrl->pdev))
		return -ENODEV;
	return pci_try_reset_function(ctrl->pdev);
}

/* The reset ends in reset_done(), which brings the function up. */
static void recover_work(struct work_struct *work)
{
	struct mlxl_ctrl *ctrl = container_of(to_delayed_work(work), struct mlxl_ctrl,
					      recover);
	int err;

	scoped_guard(mutex, &ctrl->lock)
		ctrl_down(ctrl);
	if (ctrl->attempts == RECOVER_ATTEMPTS) {
		pci_err(ctrl->pdev, "does not recover: bind the driver anew\n");
		return;
	}
	ctrl->attempts++;
	ctrl->tried = jiffies;
	err = ctrl_reset(ctrl);
	scoped_guard(mutex, &ctrl->lock)
		if (!err && ctrl->up)
			return;
	queue_delayed_work(mlxl_ctrl_wq, &ctrl->recover, recover_delay(ctrl));
}

static void mlxl_ctrl_reset_prepare(struct pci_dev *pdev)
{
	struct mlxl_ctrl *ctrl = pci_get_drvdata(pdev);

	guard(mutex)(&ctrl->lock);
	ctrl_down(ctrl);
}

static void mlxl_ctrl_reset_done(struct pci_dev *pdev)
{
	struct mlxl_ctrl *ctrl = pci_get_drvdata(pdev);

	guard(mutex)(&ctrl->lock);
	if (!ctrl->up && ctrl_up(ctrl)) {
		pci_err(pdev, "does not work after its reset\n");
		ctrl_died(&ctrl->q);
	}
}

/* ---- Interrupts ---- */

static irqreturn_t completion_irq(int irq, void *data)
{
	struct mlxl_ctrl *ctrl = data;

	mlxl_queue_reap(&ctrl->q);
	return IRQ_HANDLED;
}

/* One line for whoever reads the log; drivers of functions look for themselves. */
static irqreturn_t event_irq(int irq, void *data)
{
	struct mlxl_ctrl *ctrl = data;
	unsigned long events = ioread32(ctrl->q.regs + MLXL_REG_EVENTS);
	unsigned int nr;

	iowrite32(events, ctrl->q.regs + MLXL_REG_EVENTS);
	if (events == U32_MAX)
		return IRQ_HANDLED;
	for_each_set_bit(nr, &events, ctrl->num_fns) {
		struct mlxl_function state;

		if (mlxl_fn_query(&ctrl->fn[nr], &state))
			continue;
		if (le32_to_cpu(state.flags) & (MLXL_FN_FAILED | MLXL_FN_TRACKER_ERROR))
			dev_warn_ratelimited(&ctrl->pdev->dev, "function %u: flags %#x, reason %u\n",
					     nr, le32_to_cpu(state.flags),
					     le32_to_cpu(state.reason));
	}
	queue_work(mlxl_ctrl_wq, &ctrl->announce);
	return IRQ_HANDLED;
}

static void irqs_free(struct mlxl_ctrl *ctrl)
{
	if (!ctrl->q.irq)
		return;
	free_irq(pci_irq_vector(ctrl->pdev, 1), ctrl);
	free_irq(pci_irq_vector(ctrl->pdev, 0), ctrl);
	pci_free_irq_vectors(ctrl->pdev);
	ctrl->q.irq = false;
}

/* Without interrupts completions are polled for. */
static void irqs_alloc(struct mlxl_ctrl *ctrl)
{
	struct pci_dev *pdev = ctrl->pdev;
	int err;

	err = pci_alloc_irq_vectors(pdev, MLXL_VECTORS, MLXL_VECTORS, PCI_IRQ_MSIX);
	if (err < 0)
		goto log;
	err = request_threaded_irq(pci_irq_vector(pdev, 0), NULL, completion_irq,
				   IRQF_ONESHOT, MLXL_CTRL_NAME, ctrl);
	if (err)
		goto free_vectors;
	err = request_threaded_irq(pci_irq_vector(pdev, 1), NULL, event_irq, IRQF_ONESHOT,
				   MLXL_CTRL_NAME, ctrl);
	if (err)
		goto free_irq;
	ctrl->q.irq = true;
	return;

free_irq:
	free_irq(pci_irq_vector(pdev, 0), ctrl);
free_vectors:
	pci_free_irq_vectors(pdev);
log:
	pci_info(pdev, "no interrupts (%d), polling\n", err);
}

/* ---- Probe and remove ---- */

static int pci_setup(struct mlxl_ctrl *ctrl)
{
	struct pci_dev *pdev = ctrl->pdev;
	void __iomem *regs;
	int err;

	err = pci_enable_device_mem(pdev);
	if (err)
		return err;
	err = pci_request_selected_regions(pdev, BIT(0), MLXL_CTRL_NAME);
	if (err)
		goto disable;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		goto release;
	err = -ENODEV;
	if (pci_resource_len(pdev, 0) < MLXL_REGS_BYTES)
		goto release;
	err = -ENOMEM;
	regs = pci_iomap(pdev, 0, 0);
	if (!regs)
		goto release;
	err = mlxl_queue_init(&ctrl->q, pdev, regs, ctrl_died);
	if (!err)
		return 0;

	pci_iounmap(pdev, regs);
release:
	pci_release_selected_regions(pdev, BIT(0));
disable:
	pci_disable_device(pdev);
	return err;
}

static void pci_teardown(struct mlxl_ctrl *ctrl)
{
	mlxl_queue_fini(&ctrl->q);
	pci_iounmap(ctrl->pdev, ctrl->q.regs);
	pci_release_selected_regions(ctrl->pdev, BIT(0));
	pci_disable_device(ctrl->pdev);
}

static struct mlxl_ctrl *ctrl_alloc(struct pci_dev *pdev)
{
	struct mlxl_ctrl *ctrl = kvzalloc_obj(*ctrl, GFP_KERNEL);

	if (!ctrl)
		return NULL;
	ctrl->dma = vpv_ctrl_dma_new(&pdev->dev);
	if (!ctrl->dma) {
		kvfree(ctrl);
		return NULL;
	}
	ctrl->pdev = pdev;
	mutex_init(&ctrl->lock);
	INIT_WORK(&ctrl->announce, announce_work);
	INIT_DELAYED_WORK(&ctrl->recover, recover_work);
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
	mutex_destroy(&ctrl->lock);
	vpv_ctrl_dma_free(ctrl->dma);
	kvfree(ctrl);
}

/* No command, no work, no function any more. */
static void ctrl_stop(struct mlxl_ctrl *ctrl)
{
	cancel_delayed_work_sync(&ctrl->recover);
	scoped_guard(mutex, &ctrl->lock) {
		ctrl_down(ctrl);
		/* Since it was last asked, it may have been pulled out. */
		if (ctrl->q.wild)
			mlxl_queue_down(&ctrl->q);
		vpv_controlled_forget(&ctrl->set, NULL);
		ctrl_quiet(ctrl);
	}
	cancel_work_sync(&ctrl->announce);
	cancel_delayed_work_sync(&ctrl->recover);
	irqs_free(ctrl);
}

static int mlxl_ctrl_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mlxl_ctrl *ctrl;
	int err;

	ctrl = ctrl_alloc(pdev);
	if (!ctrl)
		return -ENOMEM;
	err = pci_setup(ctrl);
	if (err)
		goto free;
	/* Whoever had it before may have left anything behind. */
	pci_save_state(pdev);
	err = pcie_reset_flr(pdev, PCI_RESET_DO_RESET);
	if (err)
		pci_info(pdev, "cannot be reset: %d\n", err);
	pci_restore_state(pdev);
	pci_set_drvdata(pdev, ctrl);
	irqs_alloc(ctrl);
	scoped_guard(mutex, &ctrl->lock)
		err = ctrl_up(ctrl);
	if (err)
		goto stop;
	err = mlxl_configfs_add(ctrl);
	if (err)
		goto stop;
	err = vpv_controlled_listen(&ctrl->set);
	if (err)
		goto remove_configfs;
	return 0;

remove_configfs:
	mlxl_configfs_remove(ctrl);
stop:
	ctrl_stop(ctrl);
	pci_set_drvdata(pdev, NULL);
	pci_teardown(ctrl);
free:
	ctrl_free(ctrl);
	return err;
}

static void mlxl_ctrl_remove(struct pci_dev *pdev)
{
	struct mlxl_ctrl *ctrl = pci_get_drvdata(pdev);

	vpv_controlled_unlisten(&ctrl->set);
	mlxl_configfs_remove(ctrl);
	ctrl_stop(ctrl);
	pci_set_drvdata(pdev, NULL);
	pci_teardown(ctrl);
	ctrl_free(ctrl);
}

static const struct pci_error_handlers mlxl_ctrl_err_handlers = {
	.reset_prepare = mlxl_ctrl_reset_prepare,
	.reset_done = mlxl_ctrl_reset_done,
};

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
	.err_handler = &mlxl_ctrl_err_handlers,
};

static int __init mlxl_ctrl_init(void)
{
	int err;

	mlxl_ctrl_wq = alloc_workqueue(MLXL_CTRL_NAME, WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!mlxl_ctrl_wq)
		return -ENOMEM;
	err = mlxl_configfs_init();
	if (err)
		goto destroy;
	err = pci_register_driver(&mlxl_ctrl_driver);
	if (err)
		goto exit_configfs;
	return 0;

exit_configfs:
	mlxl_configfs_exit();
destroy:
	destroy_workqueue(mlxl_ctrl_wq);
	return err;
}
module_init(mlxl_ctrl_init);

static void __exit mlxl_ctrl_exit(void)
{
	pci_unregister_driver(&mlxl_ctrl_driver);
	mlxl_configfs_exit();
	destroy_workqueue(mlxl_ctrl_wq);
}
module_exit(mlxl_ctrl_exit);

MODULE_DESCRIPTION("Driver of the controlling function of mlx5_like devices");
MODULE_LICENSE("GPL");
