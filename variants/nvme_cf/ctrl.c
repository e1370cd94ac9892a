// SPDX-License-Identifier: GPL-2.0
/*
 * Driver of the managing controller of nvme_cf: life of the controller.  Commands are in
 * ctrl_queue.c, migratable controllers in ctrl_fn.c.
 *
 * The controller is up while its admin queue works.  Its death and its reset take it down:
 * all commands end, everything is withdrawn.  A reset has ended all suspensions and all
 * tracking.  It comes up again, if it can, and publishes anew: whoever has a handle of
 * before finds out by that.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "ctrl.h"

struct workqueue_struct *nvcf_ctrl_wq;

/* At once, then after 1/2 second, 1, 2 ... 128: more than four minutes. */
#define RECOVER_ATTEMPTS	10
#define RECOVER_JIFFIES		(HZ / 4)
#define STABLE_JIFFIES		(2 * HZ)

static void ctrl_down(struct nvcf_ctrl *ctrl)
{
	lockdep_assert_held(&ctrl->lock);

	if (!ctrl->up)
		return;
	ctrl->up = false;
	nvcf_queue_down(&ctrl->q);
	vpv_controlled_withdraw(&ctrl->set, NULL);
}

/* ---- What the controller says of itself ---- */

static int identify(struct nvcf_ctrl *ctrl, u8 cns, void *data)
{
	struct nvcf_admin cmd = {
		.sqe = { .opcode = NVS_ADMIN_IDENTIFY, .cdw10 = cpu_to_le32(cns) },
		.data = data,
		.bytes = NVS_IDENTIFY_BYTES,
	};
	int err = nvcf_queue_exec(&ctrl->q, &cmd);

	if (err)
		pci_err(ctrl->pdev, "Identify, CNS %#x, fails: error %d, status %#x\n", cns, err,
			cmd.status);
	return err;
}

static u32 max_data(u8 mdts)
{
	return mdts && mdts < ilog2(NVCF_MAX_DATA / NVCF_PAGE) ? NVCF_PAGE << mdts : NVCF_MAX_DATA;
}

static int identify_managing(struct nvcf_ctrl *ctrl, u8 *page)
{
	struct nvs_id_ctrl *id __free(kfree) = kzalloc_obj(*id, GFP_KERNEL);
	struct nvcf_managing managing = ctrl->managing;
	const char *why;
	int err;

	if (!id)
		return -ENOMEM;
	err = identify(ctrl, NVS_CNS_CONTROLLER, id);
	if (!err)
		err = identify(ctrl, NVS_CNS_STATE_FORMATS, page);
	if (err)
		return err;
	err = nvcf_wire_managing(id, page, &managing, &why);
	if (err) {
		pci_err(ctrl->pdev, "cannot manage: %s\n", why);
		return err;
	}
	ctrl->managing = managing;
	ctrl->q.max_data = max_data(id->mdts);
	ctrl->managing.max_data = ctrl->q.max_data;
	return 0;
}

static int identify_secondaries(struct nvcf_ctrl *ctrl, u8 *page)
{
	u16 cntlid[NVCF_MAX_FUNCTIONS];
	int num, err;

	err = identify(ctrl, NVS_CNS_SECONDARIES, page);
	if (err)
		return err;
	num = nvcf_wire_secondaries(page, ctrl->cntlid, cntlid, NVCF_MAX_FUNCTIONS);
	err = num < 0 ? num : nvcf_fns_init(ctrl, cntlid, num);
	if (err)
		pci_err(ctrl->pdev, "list of secondary controllers cannot be: %d\n", err);
	return err;
}

static int identify_all(struct nvcf_ctrl *ctrl)
{
	u8 *page __free(kfree) = kzalloc(NVS_IDENTIFY_BYTES, GFP_KERNEL);
	int err;

	if (!page)
		return -ENOMEM;
	err = identify_managing(ctrl, page);
	return err ?: identify_secondaries(ctrl, page);
}

static int ctrl_up(struct nvcf_ctrl *ctrl)
{
	int err;

	lockdep_assert_held(&ctrl->lock);

	err = nvcf_queue_up(&ctrl->q);
	if (err)
		return err;
	err = identify_all(ctrl);
	if (err) {
		nvcf_queue_down(&ctrl->q);
		return err;
	}
	ctrl->up = true;
	vpv_controlled_scan(&ctrl->set);
	nvcf_fns_publish(ctrl);
	nvcf_queue_ask_event(&ctrl->q);
	queue_work(nvcf_ctrl_wq, &ctrl->announce);
	return 0;
}

static void announce_work(struct work_struct *work)
{
	struct nvcf_ctrl *ctrl = container_of(work, struct nvcf_ctrl, announce);

	scoped_guard(mutex, &ctrl->lock) {
		if (!ctrl->up)
			return;
		vpv_controlled_scan(&ctrl->set);
		nvcf_fns_publish(ctrl);
		vpv_controlled_changed(&ctrl->set);
	}
	vpv_controlled_attach(&ctrl->set);
}

/* ---- Events ---- */

/* The log page that goes with it is read, since there is no other event of its type before. */
static void event_work(struct work_struct *work)
{
	void *page __free(kfree) = kzalloc(512, GFP_KERNEL);
	struct nvcf_ctrl *ctrl = container_of(work, struct nvcf_ctrl, event);
	u32 dw0 = READ_ONCE(ctrl->event_dw0);
	struct nvcf_admin cmd = {
		.sqe = {
			.opcode = NVS_ADMIN_GET_LOG,
			.nsid = cpu_to_le32(NVS_NSID_ALL),
			.cdw10 = cpu_to_le32((512 / 4 - 1) << 16 | (dw0 >> 16 & 0xff)),
		},
		.data = page,
		.bytes = 512,
	};

	dev_warn_ratelimited(&ctrl->pdev->dev, "reports an event: type %u, information %#x\n",
			     dw0 & 0x7, dw0 >> 8 & 0xff);
	/* Without it this was the last event until the next reset. */
	if (page && !nvcf_queue_exec(&ctrl->q, &cmd))
		nvcf_queue_ask_event(&ctrl->q);
}

static void ctrl_event(struct nvcf_queue *q, u32 dw0)
{
	struct nvcf_ctrl *ctrl = container_of(q, struct nvcf_ctrl, q);

	WRITE_ONCE(ctrl->event_dw0, dw0);
	queue_work(nvcf_ctrl_wq, &ctrl->event);
}

/* ---- Death and reset ---- */

static unsigned long recover_delay(const struct nvcf_ctrl *ctrl)
{
	return ctrl->attempts ? RECOVER_JIFFIES << ctrl->attempts : 0;
}

/* One that dies as soon as it was reset is left alone in the end. */
static void ctrl_died(struct nvcf_queue *q)
{
	struct nvcf_ctrl *ctrl = container_of(q, struct nvcf_ctrl, q);

	if (time_after(jiffies, ctrl->tried + STABLE_JIFFIES))
		ctrl->attempts = 0;
	queue_delayed_work(nvcf_ctrl_wq, &ctrl->recover, recover_delay(ctrl));
}

/* The PCI core would wait for a minute for one that is not there. */
static int ctrl_reset(struct nvcf_ctrl *ctrl)
{
	if (!pci_device_is_present(ctrl->pdev))
		return -ENODEV;
	return pci_try_reset_function(ctrl->pdev);
}

/* By CC.EN; if that is not enough by FLR, which ends in reset_done(). */
static void recover_work(struct work_struct *work)
{
	struct nvcf_ctrl *ctrl = container_of(to_delayed_work(work), struct nvcf_ctrl,
					      recover);
	int err;

	scoped_guard(mutex, &ctrl->lock) {
		/* Somebody else may have reset it meanwhile. */
		if (ctrl->gone || (ctrl->up && READ_ONCE(ctrl->q.up)))
			return;
		ctrl_down(ctrl);
	}
	if (ctrl->attempts == RECOVER_ATTEMPTS) {
		pci_err(ctrl->pdev, "does not recover: bind the driver anew\n");
		return;
	}
	ctrl->attempts++;
	ctrl->tried = jiffies;
	if (ctrl->attempts == 1) {
		guard(mutex)(&ctrl->lock);
		if (ctrl->gone || ctrl->up || !ctrl_up(ctrl))
			return;
	}
	err = ctrl_reset(ctrl);
	scoped_guard(mutex, &ctrl->lock)
		if (!err && ctrl->up)
			return;
	queue_delayed_work(nvcf_ctrl_wq, &ctrl->recover, recover_delay(ctrl));
}

static void nvcf_ctrl_reset_prepare(struct pci_dev *pdev)
{
	struct nvcf_ctrl *ctrl = pci_get_drvdata(pdev);

	guard(mutex)(&ctrl->lock);
	ctrl_down(ctrl);
}

static void nvcf_ctrl_reset_done(struct pci_dev *pdev)
{
	struct nvcf_ctrl *ctrl = pci_get_drvdata(pdev);

	guard(mutex)(&ctrl->lock);
	if (!ctrl->up && ctrl_up(ctrl)) {
		pci_err(pdev, "does not work after its reset\n");
		ctrl_died(&ctrl->q);
	}
}

/* ---- Interrupts ---- */

static irqreturn_t completion_irq(int irq, void *data)
{
	struct nvcf_ctrl *ctrl = data;

	nvcf_queue_reap(&ctrl->q);
	return IRQ_HANDLED;
}

static void irq_free(struct nvcf_ctrl *ctrl)
{
	if (!ctrl->q.irq)
		return;
	free_irq(pci_irq_vector(ctrl->pdev, 0), ctrl);
	pci_free_irq_vectors(ctrl->pdev);
	ctrl->q.irq = false;
}

/* Without an interrupt completions are polled for. */
static void irq_alloc(struct nvcf_ctrl *ctrl)
{
	struct pci_dev *pdev = ctrl->pdev;
	int err;

	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSIX);
	if (err < 0)
		goto log;
	err = request_threaded_irq(pci_irq_vector(pdev, 0), NULL, completion_irq, IRQF_ONESHOT,
				   NVCF_CTRL_NAME, ctrl);
	if (err)
		goto free_vectors;
	ctrl->q.irq = true;
	return;

free_vectors:
	pci_free_irq_vectors(pdev);
log:
	pci_info(pdev, "no interrupt (%d), polling\n", err);
}

/* ---- Probe and remove ---- */

static int pci_setup(struct nvcf_ctrl *ctrl)
{
	struct pci_dev *pdev = ctrl->pdev;
	void __iomem *regs;
	int err;

	err = pci_enable_device_mem(pdev);
	if (err)
		return err;
	err = pci_request_selected_regions(pdev, BIT(NVCF_BAR), NVCF_CTRL_NAME);
	if (err)
		goto disable;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		goto release;
	err = -ENODEV;
	if (pci_resource_len(pdev, NVCF_BAR) < NVS_REG_DOORBELLS + 8)
		goto release;
	err = -ENOMEM;
	regs = pci_iomap(pdev, NVCF_BAR, 0);
	if (!regs)
		goto release;
	err = nvcf_queue_init(&ctrl->q, pdev, regs);
	if (!err)
		return 0;

	pci_iounmap(pdev, regs);
release:
	pci_release_selected_regions(pdev, BIT(NVCF_BAR));
disable:
	pci_disable_device(pdev);
	return err;
}

static void pci_teardown(struct nvcf_ctrl *ctrl)
{
	nvcf_queue_fini(&ctrl->q);
	pci_iounmap(ctrl->pdev, ctrl->q.regs);
	pci_release_selected_regions(ctrl->pdev, BIT(NVCF_BAR));
	pci_disable_device(ctrl->pdev);
}

static struct nvcf_ctrl *ctrl_alloc(struct pci_dev *pdev, const struct nvcf_identity *id)
{
	struct nvcf_ctrl *ctrl = kvzalloc_obj(*ctrl, GFP_KERNEL);

	if (!ctrl)
		return NULL;
	ctrl->pdev = pdev;
	ctrl->cntlid = id->cntlid;
	ctrl->managing.serial = id->serial;
	ctrl->q.died = ctrl_died;
	ctrl->q.event = ctrl_event;
	mutex_init(&ctrl->lock);
	mutex_init(&ctrl->user);
	INIT_WORK(&ctrl->announce, announce_work);
	INIT_WORK(&ctrl->event, event_work);
	INIT_DELAYED_WORK(&ctrl->recover, recover_work);
	nvcf_fns_prepare(ctrl);
	return ctrl;
}

static void ctrl_free(struct nvcf_ctrl *ctrl)
{
	mutex_destroy(&ctrl->user);
	mutex_destroy(&ctrl->lock);
	kvfree(ctrl);
}

/* No command, no work, no function any more. */
static void ctrl_stop(struct nvcf_ctrl *ctrl)
{
	scoped_guard(mutex, &ctrl->lock) {
		ctrl->gone = true;
		ctrl_down(ctrl);
		/* Since it was last asked, it may have been pulled out. */
		if (ctrl->q.wild)
			nvcf_queue_down(&ctrl->q);
		vpv_controlled_forget(&ctrl->set, NULL);
	}
	/* Commands of users have ended; what they have scheduled does nothing. */
	nvcf_cdev_remove(ctrl);
	cancel_work_sync(&ctrl->announce);
	cancel_delayed_work_sync(&ctrl->recover);
	irq_free(ctrl);
	cancel_work_sync(&ctrl->event);
}

static int nvcf_ctrl_probe(struct pci_dev *pdev, const struct pci_device_id *ids)
{
	struct nvcf_identity id;
	struct nvcf_ctrl *ctrl;
	int err;

	if (nvcf_identify(pdev, &id) || id.role != NVCF_ROLE_MANAGING) {
		pci_err(pdev, "no identity capability of a managing controller\n");
		return -ENODEV;
	}
	ctrl = ctrl_alloc(pdev, &id);
	if (!ctrl)
		return -ENOMEM;
	err = pci_setup(ctrl);
	if (err)
		goto free;
	pci_set_drvdata(pdev, ctrl);
	irq_alloc(ctrl);
	scoped_guard(mutex, &ctrl->lock)
		err = ctrl_up(ctrl);
	if (err)
		goto stop;
	err = nvcf_configfs_add(ctrl);
	if (err)
		goto stop;
	err = vpv_controlled_listen(&ctrl->set);
	if (err)
		goto remove_configfs;
	err = nvcf_cdev_add(ctrl);
	if (err)
		goto unlisten;
	return 0;

unlisten:
	vpv_controlled_unlisten(&ctrl->set);
remove_configfs:
	nvcf_configfs_remove(ctrl);
stop:
	ctrl_stop(ctrl);
	pci_set_drvdata(pdev, NULL);
	pci_teardown(ctrl);
free:
	ctrl_free(ctrl);
	return err;
}

static void nvcf_ctrl_remove(struct pci_dev *pdev)
{
	struct nvcf_ctrl *ctrl = pci_get_drvdata(pdev);

	nvcf_cdev_hide(ctrl);
	vpv_controlled_unlisten(&ctrl->set);
	nvcf_configfs_remove(ctrl);
	ctrl_stop(ctrl);
	pci_set_drvdata(pdev, NULL);
	pci_teardown(ctrl);
	ctrl_free(ctrl);
}

static const struct pci_error_handlers nvcf_ctrl_err_handlers = {
	.reset_prepare = nvcf_ctrl_reset_prepare,
	.reset_done = nvcf_ctrl_reset_done,
};

static const struct pci_device_id nvcf_ctrl_ids[] = {
	{ PCI_DEVICE(NVCF_VENDOR, NVCF_CTRL_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, nvcf_ctrl_ids);

static struct pci_driver nvcf_ctrl_driver = {
	.name = NVCF_CTRL_NAME,
	.id_table = nvcf_ctrl_ids,
	.probe = nvcf_ctrl_probe,
	.remove = nvcf_ctrl_remove,
	.err_handler = &nvcf_ctrl_err_handlers,
};

static int __init nvcf_ctrl_init(void)
{
	int err;

	nvcf_ctrl_wq = alloc_workqueue(NVCF_CTRL_NAME, WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!nvcf_ctrl_wq)
		return -ENOMEM;
	err = nvcf_configfs_init();
	if (err)
		goto destroy;
	err = nvcf_cdev_init();
	if (err)
		goto exit_configfs;
	err = pci_register_driver(&nvcf_ctrl_driver);
	if (err)
		goto exit_cdev;
	return 0;

exit_cdev:
	nvcf_cdev_exit();
exit_configfs:
	nvcf_configfs_exit();
destroy:
	destroy_workqueue(nvcf_ctrl_wq);
	return err;
}
module_init(nvcf_ctrl_init);

static void __exit nvcf_ctrl_exit(void)
{
	pci_unregister_driver(&nvcf_ctrl_driver);
	nvcf_cdev_exit();
	nvcf_configfs_exit();
	destroy_workqueue(nvcf_ctrl_wq);
}
module_exit(nvcf_ctrl_exit);

MODULE_DESCRIPTION("Driver of the managing controller of nvme_cf subsystems");
MODULE_LICENSE("GPL");
