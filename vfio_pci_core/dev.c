// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a device: probe and remove, open and close.
 */
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "trace.h"
#include "vpv.h"

/* ---- Open and close ---- */

/* What the function has while it is not open, and goes back to after errors. */
static int save_config(struct vpv_device *vpv)
{
	struct pci_saved_state *saved;

	pci_save_state(vpv->pdev);
	saved = pci_store_saved_state(vpv->pdev);
	if (!saved)
		return -ENOMEM;
	/* Not what an error, or the lack of an answer, has put there. */
	if (!vpv_channel_normal(vpv) || !vpv_answers(vpv->pdev)) {
		kfree(saved);
		return vpv_channel_normal(vpv) ? -ENODEV : -EAGAIN;
	}
	kfree(vpv->state->saved);
	vpv->state->saved = saved;
	return 0;
}

/*
 * Look at a function that was reset for its user.  After an error that was not recovered from
 * config space may be lost, and what is saved from before is the better one.
 */
static int settle_config(struct vpv_device *vpv)
{
	guard(rwsem_write)(&vpv->state->memory_lock);
	guard(vpv_cfg_access)(vpv->pdev);

	vpv_power_probe(vpv);
	vpv_intx_probe(vpv);
	return vpv_channel_normal(vpv) ? save_config(vpv) : vpv_reset_settle(vpv);
}

/*
 * What pci_clear_master() and pci_enable_device() do to COMMAND, which somebody may have changed
 * since.
 */
static void command_again(struct vpv_device *vpv)
{
	struct pci_dev *pdev = vpv->pdev;
	unsigned long flags;
	u16 now, cmd;

	spin_lock_irqsave(&vpv->state->irqlock, flags);
	pci_read_config_word(pdev, PCI_COMMAND, &now);
	cmd = (now | vpv->state->decode) & ~PCI_COMMAND_MASTER;
	if (pdev->pin)
		cmd &= ~PCI_COMMAND_INTX_DISABLE;
	/* One that can be masked, or is broken, stays so: see intx.c. */
	cmd = vpv_intx_command(vpv, cmd);
	if (cmd != now)
		pci_write_config_word(pdev, PCI_COMMAND, cmd);
	spin_unlock_irqrestore(&vpv->state->irqlock, flags);
}

/*
 * From its first open on a function stays enabled until it is unbound: to find its
 * interrupt and to give that up, in ACPI, is most of what open and close would cost.  It does no
 * DMA.
 */
static int enable_once(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	int ret;

	if (st->enabled) {
		command_again(vpv);
		return 0;
	}
	pci_clear_master(vpv->pdev);
	ret = pci_enable_device(vpv->pdev);
	if (ret)
		return ret;
	pci_read_config_word(vpv->pdev, PCI_COMMAND, &st->decode);
	st->decode &= PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	st->enabled = true;
	return 0;
}

/* Return: 0; -EAGAIN if somebody else resets or unbinds it: not to be opened unreset. */
static int reset_for_open(struct vpv_device *vpv)
{
	int ret = vpv_reset_begin(vpv);

	if (ret)
		return ret;
	ret = pci_reset_function_locked(vpv->pdev);
	vpv_reset_end(vpv);
	trace_vpv_reset(vpv->pdev, "open", ret);
	vpv->state->reset_works = !ret;
	/* What close has not been able to do. */
	if (ret)
		vpv_set_reset_if_unused(vpv->vdev.dev_set);
	return 0;
}

/* Awake while it is open, or, with disable_idle_d3, for as long as it is bound. */
static int usage_get(struct vpv_device *vpv)
{
	return vpv->options.no_idle_d3 ? 0 : pm_runtime_resume_and_get(&vpv->pdev->dev);
}

static void usage_put(struct vpv_device *vpv)
{
	if (!vpv->options.no_idle_d3)
		pm_runtime_put(&vpv->pdev->dev);
}

static int function_enable(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct pci_dev *pdev = vpv->pdev;
	int ret;

	ret = usage_get(vpv);
	if (ret)
		return ret;
	ret = vpv_reset_check(vpv);
	if (ret)
		goto put;

	/* What is saved below must not let the function do DMA. */
	scoped_guard(vpv_cfg_access, pdev)
		ret = enable_once(vpv);
	if (ret)
		goto put;
	ret = reset_for_open(vpv);
	/* Without what is saved the next user would find what this one leaves. */
	ret = ret ?: settle_config(vpv);
	if (!ret)
		return 0;

	/* It stays enabled. */
	scoped_guard(vpv_cfg_access, pdev)
		pci_intx(pdev, 0);
put:
	/* If it is there again one day, its config space is not, whenever it has gone. */
	if (ret == -ENODEV)
		atomic_cmpxchg(&st->channel, VPV_CHANNEL_NORMAL, VPV_CHANNEL_FAILED);
	usage_put(vpv);
	return ret;
}

/* With the saved state already loaded, so not by what saves another. */
static int reset_for_close(struct pci_dev *pdev)
{
	struct pci_dev *bridge = pci_upstream_bridge(pdev);
	int ret;

	if (bridge && !pci_dev_trylock(bridge))
		return -EAGAIN;
	ret = __pci_reset_function_locked(pdev);
	if (bridge)
		pci_dev_unlock(bridge);
	return ret;
}

/*
 * As it was before it was opened.  Return: whether it has been reset, or why not.
 *
 * Somebody else's reset between the steps would have the PCI core save, and put back at the
 * end, what the user has left.
 */
static int config_back(struct vpv_device *vpv)
{
	int ret = vpv->state->reset_works ? vpv_reset_begin(vpv) : -ENOTTY;
	struct pci_dev *pdev = vpv->pdev;
	bool begun = !ret;

	if (!begun)
		pci_cfg_access_lock(pdev);
	pci_load_saved_state(pdev, vpv->state->saved);
	/* Quiet during the reset. */
	pci_write_config_word(pdev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
	if (begun)
		ret = reset_for_close(pdev);
	pci_restore_state(pdev);
	pci_clear_master(pdev);
	if (begun)
		vpv_reset_end(vpv);
	else
		pci_cfg_access_unlock(pdev);
	return ret;
}

static void function_disable(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	int ret;

	st->needs_reset = true;
	scoped_guard(rwsem_write, &st->memory_lock)
		ret = config_back(vpv);
	trace_vpv_reset(vpv->pdev, "close", ret);
	if (!ret)
		st->needs_reset = false;

	vpv_set_reset_if_unused(vpv->vdev.dev_set);
	usage_put(vpv);
}

/* The ROM as GET_REGION_INFO shows it: only if there is an image in it. */
static int rom_open(struct vpv_device *vpv)
{
	struct vpv_region *rom = &vpv->state->rom;
	struct pci_dev *pdev = vpv->pdev;
	void __iomem *io;
	size_t image = 0;

	rom->index = VFIO_PCI_ROM_REGION_INDEX;
	rom->bytes = vpv_rom_bytes(pdev);
	if (!pci_resource_start(pdev, PCI_ROM_RESOURCE))
		return 0;

	/* In a reset by somebody else there would be none. */
	scoped_guard(vpv_cfg_access, pdev)
		io = pci_map_rom(pdev, &image);
	/* No image, or the ROM that it was to be looked for in could not be mapped. */
	if (!io && image)
		return -ENOMEM;
	if (io)
		pci_unmap_rom(pdev, io);
	else
		rom->bytes = 0;
	return 0;
}

static int regions_open(struct vpv_device *vpv)
{
	int ret;

	ret = vpv_bars_open(vpv);
	if (ret)
		return ret;
	ret = vpv_bars_apply_rules(vpv);
	if (!ret)
		ret = rom_open(vpv);
	if (ret)
		goto close_bars;
	scoped_guard(vpv_cfg_access, vpv->pdev)
		vpv_atomics_open(vpv);

	ret = vpv_config_open(vpv);
	if (ret)
		goto close_bars;
	ret = vpv_bars_finish(vpv);
	if (!ret)
		ret = vpv_irqs_open(vpv);
	if (ret)
		goto close_config;
	return 0;

close_config:
	vpv_config_close(vpv);
close_bars:
	vpv_bars_close(vpv);
	return ret;
}

static void regions_close(struct vpv_device *vpv)
{
	vpv_regions_close(vpv);
	vpv_config_close(vpv);
	vpv_bars_close(vpv);
}

int vpv_op_open(struct vfio_device *vdev)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);
	const char *step = "be enabled and reset";
	int ret;

	/* First: from here on no other user decides on the token. */
	vpv_sriov_open(vpv);
	vpv_persona_hold(vpv);
	ret = function_enable(vpv);
	if (ret)
		goto release;
	step = "be given its regions";
	ret = regions_open(vpv);
	if (ret)
		goto disable;
	step = "be opened by its variant";
	ret = vpv_variant_open(vpv);
	if (ret)
		goto close_regions;
	vpv_debugfs_add(vpv);
	return 0;

close_regions:
	regions_close(vpv);
disable:
	function_disable(vpv);
release:
	vpv_persona_release(vpv);
	vpv_sriov_close(vpv);
	pci_info_ratelimited(vpv->pdev, "cannot %s: %d\n", step, ret);
	return ret;
}
EXPORT_SYMBOL_GPL(vpv_op_open);

/* While INTx may still be masked by its handler, in the same register. */
static void dma_off(struct vpv_device *vpv)
{
	guard(vpv_cfg_access)(vpv->pdev);
	scoped_guard(spinlock_irqsave, &vpv->state->irqlock)
		pci_clear_master(vpv->pdev);
}

void vpv_op_close(struct vfio_device *vdev)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);
	struct vpv_state *st = vpv->state;

	/* First: other devices may still reach the BARs. */
	vpv_dmabufs_close(vpv);
	vpv_memory_await_stop(vpv);
	vpv_low_power_close(vpv);
	vpv_sriov_close(vpv);
	vpv_variant_close(vpv);

	down_write(&st->memory_lock);
	scoped_guard(vpv_cfg_access, vpv->pdev) {
		vpv_power_set_locked(vpv, PCI_D0);
		kfree(st->pm_saved);
		st->pm_saved = NULL;
	}
	up_write(&st->memory_lock);

	dma_off(vpv);
	vpv_irqs_close(vpv);
	vpv_ioeventfds_close(vpv);
	regions_close(vpv);
	function_disable(vpv);
	vpv_persona_release(vpv);
}
EXPORT_SYMBOL_GPL(vpv_op_close);

/* ---- Allocation and registration ---- */

int vpv_op_init(struct vfio_device *vdev)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);
	struct vpv_state *st;

	st = kzalloc_obj(*st, GFP_KERNEL);
	if (!st)
		return -ENOMEM;

	vpv->pdev = to_pci_dev(vdev->dev);
	vpv->state = st;
	mutex_init(&st->igate);
	mutex_init(&st->persona_lock);
	mutex_init(&st->ioeventfds_lock);
	INIT_LIST_HEAD(&st->ioeventfds);
	INIT_LIST_HEAD(&st->dmabufs);
	spin_lock_init(&st->irqlock);
	vpv_eventfd_init(&st->intx.trigger);
	vpv_eventfd_init(&st->err);
	vpv_eventfd_init(&st->req);
	xa_init(&st->vectors);
	init_rwsem(&st->memory_lock);
	vpv_settle_init(vpv);
	INIT_LIST_HEAD(&st->sriov.node);
	st->sriov.self = vpv;
	st->irq_type = VPV_IRQ_NONE;
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_op_init);

void vpv_op_release(struct vfio_device *vdev)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);

	/* Not set if the probe failed before the variant's init succeeded. */
	if (vpv->variant)
		vpv_variant_fini(vpv);
	vpv_memories_free(vpv);
	vpv_devset_put(vpv->state->devset);
	vcfg_persona_put(vpv->state->persona);
	mutex_destroy(&vpv->state->persona_lock);
	mutex_destroy(&vpv->state->igate);
	mutex_destroy(&vpv->state->ioeventfds_lock);
	kfree(vpv->state->saved);
	kfree(vpv->state);
}
EXPORT_SYMBOL_GPL(vpv_op_release);

static int check_pdev(struct pci_dev *pdev)
{
	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL) {
		pci_err(pdev, "header type %u is not that of a device\n", pdev->hdr_type);
		return -EINVAL;
	}
	if (pci_num_vf(pdev)) {
		pci_err(pdev, "has %d VFs already\n", pci_num_vf(pdev));
		return -EBUSY;
	}
	return 0;
}

/* vfio.ko calls some of these without looking. */
static int check_vdev(const struct vfio_device *vdev)
{
	const struct vfio_migration_ops *mig = vdev->mig_ops;
	const struct vfio_log_ops *log = vdev->log_ops;

	if (mig && (!mig->migration_set_state || !mig->migration_get_state ||
		    !mig->migration_get_data_size ||
		    !(vdev->migration_flags & VFIO_MIGRATION_STOP_COPY)))
		return -EINVAL;
	if (log && (!log->log_start || !log->log_stop || !log->log_read_and_clear))
		return -EINVAL;
	return 0;
}

static int device_setup(struct vpv_device *vpv, const struct vpv_variant *variant)
{
	int ret;

	/* init() may ask for it, release() must not yet. */
	vpv->variant = variant;
	ret = vpv_variant_init(vpv);
	if (ret) {
		vpv->variant = NULL;
		return ret;
	}

	ret = check_vdev(&vpv->vdev);
	if (ret)
		return ret;
	ret = vpv_sriov_init(vpv);
	if (ret)
		return ret;
	ret = vpv_dmabuf_init(vpv);
	if (ret)
		return ret;

	vpv->state->devset = vpv_devset_get(vpv->pdev);
	if (!vpv->state->devset)
		return -ENOMEM;
	return vfio_assign_device_set(&vpv->vdev, vpv_devset_id(vpv->state->devset));
}

/* Back to what probe and remove of a driver find: in use, and not to sleep. */
static void runtime_pm_undo(struct vpv_device *vpv)
{
	struct device *dev = &vpv->pdev->dev;

	if (!vpv->options.no_idle_d3)
		pm_runtime_get_noresume(dev);
	pm_runtime_forbid(dev);
}

static int device_announce(struct vpv_device *vpv)
{
	struct device *dev = &vpv->pdev->dev;
	int ret;

	/* From the unknown state of an unbound device only D0 can be entered. */
	pci_set_power_state(vpv->pdev, PCI_D0);
	ret = save_config(vpv);
	if (ret)
		return ret;
	pm_runtime_allow(dev);
	if (!vpv->options.no_idle_d3)
		pm_runtime_put(dev);

	ret = vfio_register_group_dev(&vpv->vdev);
	if (ret)
		runtime_pm_undo(vpv);
	return ret;
}

int vpv_probe(struct pci_dev *pdev, const struct vpv_variant *variant)
{
	struct vfio_device *vdev;
	struct vpv_device *vpv;
	int ret;

	ret = variant->accepts ? variant->accepts(pdev) : 0;
	ret = ret ?: check_pdev(pdev);
	if (ret)
		return ret;

	BUILD_BUG_ON(offsetof(struct vpv_device, vdev));
	vdev = _vfio_alloc_device(variant->device_bytes, &pdev->dev, variant->vfio_ops);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	vpv = vpv_from_vdev(vdev);

	ret = device_setup(vpv, variant);
	if (ret)
		goto put;

	pci_set_drvdata(pdev, vpv);
	ret = vpv_persona_add(vpv);
	if (ret)
		goto clear;
	ret = vpv_display_init(vpv);
	if (ret)
		goto remove_files;
	ret = device_announce(vpv);
	if (ret)
		goto exit_display;
	return 0;

exit_display:
	vpv_display_exit(vpv);
remove_files:
	vpv_persona_remove(vpv);
clear:
	pci_set_drvdata(pdev, NULL);
put:
	vfio_put_device(vdev);
	return ret;
}
EXPORT_SYMBOL_GPL(vpv_probe);

/*
 * Unbound while it was open: close could not reset it, since the caller held the device lock and
 * waited for it.  The next driver must not find what the user has left.
 */
static void reset_for_next(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct pci_dev *pdev = vpv->pdev;
	int ret;

	device_lock_assert(&pdev->dev);

	if (!st->needs_reset || !st->reset_works || !vpv_answers(pdev))
		return;
	pci_cfg_access_lock(pdev);
	pci_load_saved_state(pdev, st->saved);
	pci_write_config_word(pdev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
	ret = __pci_reset_function_locked(pdev);
	pci_restore_state(pdev);
	pci_cfg_access_unlock(pdev);
	trace_vpv_reset(pdev, "remove", ret);
}

void vpv_remove(struct pci_dev *pdev)
{
	struct vpv_device *vpv = pci_get_drvdata(pdev);

	vpv_sriov_disable(vpv);
	vpv_persona_remove(vpv);
	vpv_memory_unplugged(vpv);
	vpv_variant_remove(vpv);
	vfio_unregister_group_dev(&vpv->vdev);
	vpv_debugfs_remove(vpv);
	vpv_settle_stop(vpv);

	runtime_pm_undo(vpv);
	reset_for_next(vpv);
	if (vpv->state->enabled)
		pci_disable_device(pdev);
	vpv_display_exit(vpv);
	pci_set_drvdata(pdev, NULL);
	vfio_put_device(&vpv->vdev);
}
EXPORT_SYMBOL_GPL(vpv_remove);

/* ---- Module ---- */

static void __exit vpv_core_exit(void)
{
	vpv_sriov_module_exit();
	vpv_debugfs_exit();
	vpv_aer_module_exit();
}
module_exit(vpv_core_exit);

static int __init vpv_core_init(void)
{
	int ret = vpv_aer_module_init();

	if (ret)
		return ret;
	ret = vpv_sriov_module_init();
	if (ret)
		vpv_aer_module_exit();
	else
		vpv_debugfs_init();
	return ret;
}
module_init(vpv_core_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO PCI core for drivers that live-migrate");
