// SPDX-License-Identifier: GPL-2.0
/*
 * Driver of the managing controller of nvme_cf: bringing it up, events, interrupts, probe and
 * remove.  The admin queues are in ctrl_queue.c, commands in ctrl_slot.c, migratable controllers in
 * ctrl_fn.c; what happens when it dies or is reset is the library's (vpv/ctrl_life.h).
 *
 * A reset has ended all suspensions and all tracking.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "ctrl.h"

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
		pci_err(ctrl->life.pdev, "Identify, CNS %#x, fails: error %d, status %#x\n", cns,
			err, cmd.status);
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
		pci_err(ctrl->life.pdev, "cannot manage: %s\n", why);
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
		pci_err(ctrl->life.pdev, "list of secondary controllers cannot be: %d\n", err);
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

/* ---- Up and down ---- */

static int ctrl_start(struct vpv_ctrl_life *life)
{
	struct nvcf_ctrl *ctrl = nvcf_ctrl_of(life);
	int err;

	err = nvcf_queue_up(&ctrl->q);
	if (err)
		return err;
	life->limit = nvcf_queue_limit();
	err = identify_all(ctrl);
	if (err) {
		nvcf_queue_down(&ctrl->q);
		return err;
	}
	nvcf_queue_ask_event(&ctrl->q);
	return 0;
}

static void ctrl_stop(struct vpv_ctrl_life *life)
{
	nvcf_queue_down(&nvcf_ctrl_of(life)->q);
}

static void ctrl_cut_off(struct vpv_ctrl_life *life)
{
	nvcf_queue_look(&nvcf_ctrl_of(life)->q);
}

static bool ctrl_works(struct vpv_ctrl_life *life)
{
	return READ_ONCE(nvcf_ctrl_of(life)->q.up);
}

static bool ctrl_disable(struct vpv_ctrl_life *life)
{
	return nvcf_queue_disable(&nvcf_ctrl_of(life)->q);
}

static bool ctrl_quiet(struct vpv_ctrl_life *life)
{
	return !nvcf_ctrl_of(life)->q.wild;
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

	dev_warn_ratelimited(&ctrl->life.pdev->dev, "reports an event: type %u, information %#x\n",
			     dw0 & 0x7, dw0 >> 8 & 0xff);
	/* Without it this was the last event until the next reset. */
	if (page && !nvcf_queue_exec(&ctrl->q, &cmd))
		nvcf_queue_ask_event(&ctrl->q);
}

static void ctrl_event(struct nvcf_queue *q, u32 dw0)
{
	struct nvcf_ctrl *ctrl = container_of(q, struct nvcf_ctrl, q);

	WRITE_ONCE(ctrl->event_dw0, dw0);
	queue_work(ctrl->life.wq, &ctrl->event);
}

/* ---- Interrupts ---- */

static irqreturn_t completion_irq(int irq, void *life)
{
	nvcf_queue_reap(&nvcf_ctrl_of(life)->q);
	return IRQ_HANDLED;
}

static const irq_handler_t thread = completion_irq;

/* ---- Probe and remove ---- */

static int ctrl_init(struct vpv_ctrl_life *life)
{
	return nvcf_queue_init(&nvcf_ctrl_of(life)->q, life, life->regs);
}

static void ctrl_fini(struct vpv_ctrl_life *life)
{
	struct nvcf_ctrl *ctrl = nvcf_ctrl_of(life);

	/* Commands of users have ended; what they have scheduled does nothing. */
	nvcf_cdev_remove(ctrl);
	cancel_work_sync(&ctrl->event);
	nvcf_queue_fini(&ctrl->q);
}

static const struct vpv_ctrl_life_ops ctrl_ops = {
	.bar = NVCF_BAR,
	.regs_bytes = NVS_REG_DOORBELLS + 8,
	.threads = &thread,
	.vectors = 1,
	.init = ctrl_init,
	.fini = ctrl_fini,
	.show = nvcf_configfs_add,
	.hide = nvcf_configfs_remove,
	.start = ctrl_start,
	.stop = ctrl_stop,
	.cut_off = ctrl_cut_off,
	.works = ctrl_works,
	.disable = ctrl_disable,
	.quiet = ctrl_quiet,
	.ask = nvcf_fn_ask,
	.enable_fn = nvcf_fn_enable,
	.disable_fn = nvcf_fn_disable,
};

static struct nvcf_ctrl *ctrl_alloc(struct pci_dev *pdev, const struct nvcf_identity *id)
{
	struct nvcf_ctrl *ctrl = kvzalloc_obj(*ctrl, GFP_KERNEL);

	if (!ctrl)
		return NULL;
	ctrl->life.pdev = pdev;
	ctrl->life.ops = &ctrl_ops;
	/* By CC.EN; if that is not enough by FLR. */
	ctrl->life.recovery.self_reset = true;
	if (vpv_ctrl_life_init(&ctrl->life)) {
		kvfree(ctrl);
		return NULL;
	}
	ctrl->cntlid = id->cntlid;
	ctrl->managing.serial = id->serial;
	ctrl->q.event = ctrl_event;
	mutex_init(&ctrl->user);
	INIT_WORK(&ctrl->event, event_work);
	nvcf_fns_prepare(ctrl);
	return ctrl;
}

static void ctrl_free(struct nvcf_ctrl *ctrl)
{
	vpv_ctrl_life_fini(&ctrl->life);
	mutex_destroy(&ctrl->user);
	kvfree(ctrl);
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
	err = vpv_ctrl_life_bind(&ctrl->life);
	if (err)
		goto free;
	err = nvcf_cdev_add(ctrl);
	if (err)
		goto unbind;
	return 0;

unbind:
	vpv_ctrl_life_unbind(&ctrl->life);
free:
	ctrl_free(ctrl);
	return err;
}

static void nvcf_ctrl_remove(struct pci_dev *pdev)
{
	struct nvcf_ctrl *ctrl = nvcf_ctrl_of(pci_get_drvdata(pdev));

	nvcf_cdev_hide(ctrl);
	vpv_ctrl_life_unbind(&ctrl->life);
	ctrl_free(ctrl);
}

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
	.err_handler = &vpv_ctrl_life_err_handlers,
};

static int __init nvcf_ctrl_init(void)
{
	int err;

	err = nvcf_configfs_init();
	if (err)
		return err;
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
	return err;
}
module_init(nvcf_ctrl_init);

static void __exit nvcf_ctrl_exit(void)
{
	pci_unregister_driver(&nvcf_ctrl_driver);
	nvcf_cdev_exit();
	nvcf_configfs_exit();
}
module_exit(nvcf_ctrl_exit);

MODULE_DESCRIPTION("Driver of the managing controller of nvme_cf subsystems");
MODULE_LICENSE("GPL");
