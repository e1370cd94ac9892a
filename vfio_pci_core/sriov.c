// SPDX-License-Identifier: GPL-2.0
/*
 * PFs given to user space, and their VFs.  A PF's user can harm the users of its
 * VFs and read what they do, so all of them have to show the same token, a UUID
 * that the first user of the PF may choose.
 *
 * A PF is in the list from before its VFs are made until after the last one is
 * gone, and only sriov_configure() and unbinding, under its device lock, make or
 * remove them: a VF that has found its PF here can rely on it while it is bound.
 */
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pm_runtime.h>
#include <linux/uaccess.h>

#include "vpv.h"

static DEFINE_MUTEX(sriov_lock);	/* pfs, tokens, users; nothing inside */
static LIST_HEAD(pfs);

static struct vpv_device *find_pf(const struct pci_dev *pdev)
{
	struct vpv_sriov *sriov;

	lockdep_assert_held(&sriov_lock);

	list_for_each_entry(sriov, &pfs, node)
		if (sriov->self->pdev == pdev)
			return sriov->self;
	return NULL;
}

/*
 * Another VFIO driver has tokens of its own, that we cannot ask for.  Its lock
 * cannot be taken (making VFs holds it), so the PF's driver is a snapshot: one
 * that has VFs removes them, and with them us, before it goes.
 */
static int check_foreign_pf(struct pci_dev *pdev)
{
	const struct pci_driver *drv = pci_dev_driver(pci_physfn(pdev));

	if (!drv || !drv->driver_managed_dma)
		return 0;
	pci_err(pdev, "its PF %s belongs to %s, whose VF token cannot be checked\n",
		pci_name(pci_physfn(pdev)), drv->name);
	return -EPERM;
}

/* While probing.  Return: 0; -EPERM for a VF of a PF that user space may have. */
int vpv_sriov_init(struct vpv_device *vpv)
{
	struct vpv_sriov *sriov = &vpv->state->sriov;
	struct pci_dev *pdev = vpv->pdev;

	if (pdev->is_physfn)
		uuid_gen(&sriov->token);
	if (!pdev->is_virtfn)
		return 0;

	scoped_guard(mutex, &sriov_lock)
		sriov->pf = find_pf(pci_physfn(pdev));
	return sriov->pf ? 0 : check_foreign_pf(pdev);
}

static void count_user(struct vpv_device *vpv, int change)
{
	struct vpv_device *pf = vpv->state->sriov.pf;

	if (!pf)
		return;
	scoped_guard(mutex, &sriov_lock)
		pf->state->sriov.users += change;
}

void vpv_sriov_open(struct vpv_device *vpv)
{
	count_user(vpv, 1);
}

void vpv_sriov_close(struct vpv_device *vpv)
{
	count_user(vpv, -1);
}

/* ---- Making and removing VFs ---- */

static int sriov_enable(struct vpv_device *vpv, int num)
{
	struct vpv_sriov *sriov = &vpv->state->sriov;
	struct pci_dev *pdev = vpv->pdev;
	int ret;

	ret = pm_runtime_resume_and_get(&pdev->dev);
	if (ret)
		return ret;

	/* VFs need their PF in D0, where the user may not have left it. */
	down_write(&vpv->state->memory_lock);
	vpv_power_set(vpv, PCI_D0);
	vpv_memory_back(vpv);
	WRITE_ONCE(sriov->active, true);
	up_write(&vpv->state->memory_lock);

	ret = pci_enable_sriov(pdev, num);
	if (ret) {
		WRITE_ONCE(sriov->active, false);
		pm_runtime_put(&pdev->dev);
	}
	return ret;
}

/* Take the PF off the list: it has no VFs (any more). */
static void unlist(struct vpv_sriov *sriov)
{
	scoped_guard(mutex, &sriov_lock)
		list_del_init(&sriov->node);
}

/* Remove all VFs, which waits for their users.  Under the device lock. */
void vpv_sriov_disable(struct vpv_device *vpv)
{
	struct vpv_sriov *sriov = &vpv->state->sriov;
	struct pci_dev *pdev = vpv->pdev;

	if (!READ_ONCE(sriov->active))
		return;
	pci_disable_sriov(pdev);
	WRITE_ONCE(sriov->active, false);
	pm_runtime_put(&pdev->dev);
	unlist(sriov);
}

int vpv_sriov_configure(struct pci_dev *pdev, int num)
{
	struct vpv_device *vpv = pci_get_drvdata(pdev);
	struct vpv_sriov *sriov = &vpv->state->sriov;
	int ret;

	device_lock_assert(&pdev->dev);

	if (!num) {
		vpv_sriov_disable(vpv);
		return 0;
	}

	scoped_guard(mutex, &sriov_lock) {
		if (!list_empty(&sriov->node))
			return -EINVAL;
		list_add(&sriov->node, &pfs);
	}
	ret = sriov_enable(vpv, num);
	if (ret) {
		unlist(sriov);
		return ret;
	}
	return num;
}
EXPORT_SYMBOL_GPL(vpv_sriov_configure);

/* ---- Whom VFs are given to ---- */

/* The driver of a PF in the list, who makes VFs right now and so stays; or NULL. */
static const char *pf_driver(const struct pci_dev *pdev)
{
	const struct vpv_device *pf;

	guard(mutex)(&sriov_lock);

	pf = find_pf(pdev);
	return pf ? pf->vdev.ops->name : NULL;
}

/*
 * A new VF waits for the driver of its PF, not for one of the host.  Some kernels take the
 * VF's device lock to set that, under which others of us take sriov_lock.
 */
static void vf_added(struct pci_dev *pdev)
{
	const char *name = pf_driver(pci_physfn(pdev));
	int ret;

	if (!name)
		return;
	ret = vpv_compat_driver_override(pdev, name);
	if (ret)
		pci_warn(pdev, "driver_override cannot be set: %d\n", ret);
}

static void vf_bound(struct pci_dev *pdev)
{
	const struct pci_driver *drv = pci_dev_driver(pdev);

	guard(mutex)(&sriov_lock);

	if (drv && drv->err_handler != &vpv_err_handlers && find_pf(pci_physfn(pdev)))
		pci_warn(pdev, "bound to %s, while the user of its PF can read what it does\n",
			 drv->name);
}

static int pci_changed(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);

	if (!pdev->is_virtfn)
		return NOTIFY_DONE;
	if (action == BUS_NOTIFY_ADD_DEVICE)
		vf_added(pdev);
	else if (action == BUS_NOTIFY_BOUND_DRIVER)
		vf_bound(pdev);
	return NOTIFY_DONE;
}

static struct notifier_block pci_notifier = { .notifier_call = pci_changed };

int vpv_sriov_module_init(void)
{
	return bus_register_notifier(&pci_bus_type, &pci_notifier);
}

void vpv_sriov_module_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &pci_notifier);
}

/* ---- Tokens ---- */

static int refuse(struct vpv_device *vpv, int err, const char *why)
{
	pci_info_ratelimited(vpv->pdev, "not opened: %s\n", why);
	return err;
}

/*
 * May a user with this token (NULL: none) open the device?  One that is shown to a
 * PF that has no user of a VF becomes the token.
 */
int vpv_token_match(struct vpv_device *vpv, const uuid_t *token)
{
	struct vpv_sriov *sriov = &vpv->state->sriov;
	bool needed;

	if (sriov->pf)
		sriov = &sriov->pf->state->sriov;
	else if (!vpv->pdev->is_physfn)
		return token ? refuse(vpv, -EINVAL, "a VF token has no meaning here") : 0;

	guard(mutex)(&sriov_lock);

	needed = vpv->pdev->is_virtfn || sriov->users;
	if (needed && !token)
		return refuse(vpv, -EACCES, "a VF token is required");
	if (needed && !uuid_equal(token, &sriov->token))
		return refuse(vpv, -EACCES, "not the VF token");
	if (token)
		uuid_copy(&sriov->token, token);
	return 0;
}

/*
 * VFIO_DEVICE_FEATURE_PCI_VF_TOKEN.  It cannot be read: that would tell the token
 * of an earlier user.
 */
int vpv_token_feature(struct vpv_device *vpv, u32 flags, void __user *arg, size_t argsz)
{
	uuid_t token;
	int ret;

	if (!vpv->pdev->is_physfn)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, sizeof(token));
	if (ret != 1)
		return ret;
	if (copy_from_user(&token, arg, sizeof(token)))
		return -EFAULT;

	scoped_guard(mutex, &sriov_lock)
		uuid_copy(&vpv->state->sriov.token, &token);
	return 0;
}
