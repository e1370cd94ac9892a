// SPDX-License-Identifier: GPL-2.0
/* The functions of a controlling driver: see vpv/controlled.h. */
#include <linux/cleanup.h>
#include <linux/pci.h>
#include <linux/unaligned.h>

#include <vpv/controlled.h>
#include <vpv/controlling.h>

void vpv_controlled_add(struct vpv_controlled_set *set, struct vpv_controlled *fn)
{
	list_add_tail(&fn->node, &set->fns);
}
EXPORT_SYMBOL_GPL(vpv_controlled_add);

/* Others may have the same vendor and device id: the lock is not taken for their functions. */
static bool set_has_ids(const struct vpv_controlled_set *set, const struct pci_dev *pdev)
{
	return pdev->vendor == set->vendor && pdev->device == set->device &&
	       (!set->sub_vendor || pdev->subsystem_vendor == set->sub_vendor) &&
	       (!set->sub_device || pdev->subsystem_device == set->sub_device);
}

static int set_bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	struct vpv_controlled_set *set = container_of(nb, struct vpv_controlled_set, nb);
	struct pci_dev *pdev = to_pci_dev(data);

	if (!set_has_ids(set, pdev))
		return NOTIFY_DONE;
	switch (action) {
	case BUS_NOTIFY_ADD_DEVICE:
		set->added(set);
		break;
	case BUS_NOTIFY_DEL_DEVICE:
	case BUS_NOTIFY_REMOVED_DEVICE:	/* it may have been found in between */
		mutex_lock(set->lock);
		vpv_controlled_forget(set, pdev);
		mutex_unlock(set->lock);
		break;
	}
	return NOTIFY_DONE;
}

int vpv_controlled_listen(struct vpv_controlled_set *set)
{
	int err;

	set->nb.notifier_call = set_bus_event;
	err = bus_register_notifier(&pci_bus_type, &set->nb);
	if (!err)
		set->added(set);
	return err;
}
EXPORT_SYMBOL_GPL(vpv_controlled_listen);

void vpv_controlled_unlisten(struct vpv_controlled_set *set)
{
	bus_unregister_notifier(&pci_bus_type, &set->nb);
}
EXPORT_SYMBOL_GPL(vpv_controlled_unlisten);

static bool set_knows(const struct vpv_controlled_set *set, const struct pci_dev *pdev)
{
	const struct vpv_controlled *fn;

	list_for_each_entry(fn, &set->fns, node)
		if (fn->pdev == pdev)
			return true;
	return false;
}

void vpv_controlled_scan(struct vpv_controlled_set *set)
{
	struct pci_dev *pdev = NULL;

	lockdep_assert_held(set->lock);

	while ((pdev = pci_get_device(set->vendor, set->device, pdev))) {
		struct vpv_controlled *fn = NULL;

		if (set_has_ids(set, pdev) && !set_knows(set, pdev))
			fn = set->identify(set, pdev);
		if (fn && !fn->pdev) {
			WRITE_ONCE(fn->pdev, pci_dev_get(pdev));
			vpv_controlled_news(fn);
		}
	}
}
EXPORT_SYMBOL_GPL(vpv_controlled_scan);

void vpv_controlled_publish(struct vpv_controlled_set *set, struct vpv_controlled *fn)
{
	struct vpv_control *control;

	lockdep_assert_held(set->lock);

	if (!fn->pdev || fn->control)
		return;
	control = vpv_control_publish(&fn->pdev->dev, set->family, set->ops, fn, set->dma);
	if (IS_ERR(control)) {
		pci_err(set->pdev, "function %u cannot be published: %ld\n", fn->nr,
			PTR_ERR(control));
		return;
	}
	fn->control = control;
	fn->fresh = true;
	vpv_control_changed(control);
	pci_info(set->pdev, "controls %s as function %u\n", pci_name(fn->pdev), fn->nr);
}
EXPORT_SYMBOL_GPL(vpv_controlled_publish);

static void fn_withdraw(struct vpv_controlled *fn)
{
	vpv_control_withdraw(fn->control);
	fn->control = NULL;
}

void vpv_controlled_withdraw(struct vpv_controlled_set *set, struct vpv_controlled *fn)
{
	lockdep_assert_held(set->lock);

	if (fn) {
		fn_withdraw(fn);
		return;
	}
	list_for_each_entry(fn, &set->fns, node)
		fn_withdraw(fn);
}
EXPORT_SYMBOL_GPL(vpv_controlled_withdraw);

void vpv_controlled_attach(struct vpv_controlled_set *set)
{
	struct vpv_controlled *fn;

	list_for_each_entry(fn, &set->fns, node) {
		struct pci_dev *pdev = NULL;

		scoped_guard(mutex, set->lock)
			if (fn->control && fn->fresh) {
				fn->fresh = false;
				pdev = pci_dev_get(fn->pdev);
			}
		if (pdev && !READ_ONCE(pdev->dev.driver) &&
		    device_attach(&pdev->dev) < 0)
			pci_dbg(pdev, "no driver\n");
		pci_dev_put(pdev);
	}
}
EXPORT_SYMBOL_GPL(vpv_controlled_attach);

void vpv_controlled_forget(struct vpv_controlled_set *set, struct pci_dev *pdev)
{
	struct vpv_controlled *fn;

	lockdep_assert_held(set->lock);

	list_for_each_entry(fn, &set->fns, node) {
		if (!fn->pdev || (pdev && fn->pdev != pdev))
			continue;
		fn_withdraw(fn);
		pci_dev_put(fn->pdev);
		WRITE_ONCE(fn->pdev, NULL);
	}
}
EXPORT_SYMBOL_GPL(vpv_controlled_forget);

int vpv_controlled_unbound(struct vpv_controlled_set *set, struct vpv_controlled *fn,
			   int (*what)(struct vpv_controlled *fn))
{
	struct pci_dev *pdev;
	int err = -EBUSY;

	scoped_guard(mutex, set->lock)
		pdev = pci_dev_get(fn->pdev);
	/* With its lock held no driver is bound meanwhile. */
	if (pdev && !device_trylock(&pdev->dev)) {
		pci_dev_put(pdev);
		return -EBUSY;
	}
	if (!pdev || !pdev->dev.driver) {
		guard(mutex)(set->lock);
		if (fn->pdev == pdev)
			err = what(fn);
	}
	if (pdev)
		device_unlock(&pdev->dev);
	pci_dev_put(pdev);
	return err;
}
EXPORT_SYMBOL_GPL(vpv_controlled_unbound);

static bool cap_read(struct pci_dev *pdev, int pos, u8 *cap, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i += 4) {
		u32 val;

		if (pci_read_config_dword(pdev, pos + i, &val))
			return false;
		put_unaligned_le32(val, cap + i);
	}
	return true;
}

bool vpv_controlled_capability(struct pci_dev *pdev, u8 *cap, unsigned int bytes,
			       bool (*accepts)(const u8 *cap))
{
	int pos;

	for (pos = pci_find_capability(pdev, PCI_CAP_ID_VNDR); pos;
	     pos = pci_find_next_capability(pdev, pos, PCI_CAP_ID_VNDR))
		if (cap_read(pdev, pos, cap, bytes) && accepts(cap))
			return true;
	return false;
}
EXPORT_SYMBOL_GPL(vpv_controlled_capability);
