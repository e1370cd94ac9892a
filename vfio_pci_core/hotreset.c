// SPDX-License-Identifier: GPL-2.0
/*
 * Reset of a slot or a bus with all functions on it, for users who own them all,
 * and after the last close of functions that have no reset of their own.
 */
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "trace.h"
#include "vpv.h"

/* What would be reset together with @pdev. */
struct reset_scope {
	struct pci_dev *pdev;
	bool slot;
};

static int reset_scope_init(struct reset_scope *scope, struct pci_dev *pdev)
{
	scope->pdev = pdev;
	scope->slot = !pci_probe_reset_slot(pdev->slot);
	if (!scope->slot && pci_probe_reset_bus(pdev->bus))
		return -ENODEV;
	return 0;
}

static bool in_scope(const struct reset_scope *scope, struct pci_dev *pdev)
{
	if (!scope->slot)
		return true;
	/* Functions behind a bridge in the slot belong to it. */
	while (pdev && pdev->bus != scope->pdev->bus)
		pdev = pdev->bus->self;
	return pdev && pdev->slot == scope->pdev->slot;
}

typedef int (*scope_fn)(struct pci_dev *pdev, void *data);

struct scope_walk {
	const struct reset_scope *scope;
	scope_fn fn;
	void *data;
	int ret;
};

static int scope_step(struct pci_dev *pdev, void *data)
{
	struct scope_walk *walk = data;

	if (in_scope(walk->scope, pdev))
		walk->ret = walk->fn(pdev, walk->data);
	return walk->ret;
}

/* Call @fn for each function until one returns an error; return that. */
static int walk_scope(const struct reset_scope *scope, scope_fn fn, void *data)
{
	struct scope_walk walk = { .scope = scope, .fn = fn, .data = data };

	pci_walk_bus(scope->pdev->bus, scope_step, &walk);
	return walk.ret;
}

static int count_one(struct pci_dev *pdev, void *data)
{
	++*(u32 *)data;
	return 0;
}

static u32 count_in_scope(const struct reset_scope *scope)
{
	u32 count = 0;

	walk_scope(scope, count_one, &count);
	return count;
}

/* Does the user of @ictx own this function?  As a devid for user space. */
static int owner_devid(struct vfio_device *vdev, struct iommufd_ctx *ictx)
{
	int id = vdev ? vfio_iommufd_get_dev_id(vdev, ictx) : -ENODEV;

	if (id > 0)
		return id;
	return id == -ENOENT ? VFIO_PCI_DEVID_OWNED : VFIO_PCI_DEVID_NOT_OWNED;
}

struct fill {
	struct vfio_device *vdev;
	struct vfio_pci_dependent_device *devices;
	u32 num, max, flags;
};

static int fill_owner(struct fill *fill, struct pci_dev *pdev,
		      struct vfio_pci_dependent_device *dep)
{
	struct vfio_device_set *set = fill->vdev->dev_set;
	struct iommu_group *group;

	if (fill->flags & VFIO_PCI_HOT_RESET_FLAG_DEV_ID) {
		dep->devid = owner_devid(vfio_find_device_in_devset(set, &pdev->dev),
					 vfio_iommufd_device_ictx(fill->vdev));
		if (dep->devid == VFIO_PCI_DEVID_NOT_OWNED)
			fill->flags &= ~VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
		return 0;
	}

	group = iommu_group_get(&pdev->dev);
	if (!group)
		return -EPERM;
	dep->group_id = iommu_group_id(group);
	iommu_group_put(group);
	return 0;
}

static int fill_one(struct pci_dev *pdev, void *data)
{
	struct vfio_pci_dependent_device *dep;
	struct fill *fill = data;

	/* Hot-plugged since they were counted. */
	if (fill->num == fill->max)
		return -EAGAIN;

	dep = &fill->devices[fill->num++];
	dep->segment = pci_domain_nr(pdev->bus);
	dep->bus = pdev->bus->number;
	dep->devfn = pdev->devfn;
	return fill_owner(fill, pdev, dep);
}

static int fill_devices(struct vpv_device *vpv, const struct reset_scope *scope,
			struct fill *fill)
{
	fill->vdev = &vpv->vdev;
	if (vfio_device_cdev_opened(&vpv->vdev))
		fill->flags = VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
			      VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;

	guard(mutex)(&vpv->vdev.dev_set->lock);
	return walk_scope(scope, fill_one, fill);
}

static int copy_devices(struct vpv_device *vpv, const struct reset_scope *scope, u32 max,
			struct vfio_pci_hot_reset_info *hdr,
			struct vfio_pci_hot_reset_info __user *arg)
{
	struct fill fill = { .max = max };
	int ret;

	fill.devices = kcalloc(max, sizeof(*fill.devices), GFP_KERNEL);
	if (!fill.devices)
		return -ENOMEM;

	ret = fill_devices(vpv, scope, &fill);
	if (!ret && copy_to_user(arg->devices, fill.devices,
				 fill.num * sizeof(*fill.devices)))
		ret = -EFAULT;
	kfree(fill.devices);
	hdr->count = fill.num;
	hdr->flags = fill.flags;
	return ret;
}

/* GET_PCI_HOT_RESET_INFO */
int vpv_hot_reset_info(struct vpv_device *vpv, void __user *arg)
{
	struct vfio_pci_hot_reset_info __user *uinfo = arg;
	size_t minsz = offsetofend(struct vfio_pci_hot_reset_info, count);
	struct vfio_pci_hot_reset_info hdr;
	struct reset_scope scope;
	u32 count;
	int ret;

	if (copy_from_user(&hdr, uinfo, minsz))
		return -EFAULT;
	if (hdr.argsz < minsz)
		return -EINVAL;
	ret = reset_scope_init(&scope, vpv->pdev);
	if (ret)
		return ret;

	hdr.flags = 0;
	count = count_in_scope(&scope);
	if (count > (hdr.argsz - minsz) / sizeof(struct vfio_pci_dependent_device)) {
		hdr.count = count;
		ret = -ENOSPC;
	} else {
		ret = copy_devices(vpv, &scope, count, &hdr, uinfo);
	}
	if ((!ret || ret == -ENOSPC) && copy_to_user(uinfo, &hdr, minsz))
		ret = -EFAULT;
	return ret;
}

/* The owner that asks for the reset: files of groups, or the context of a cdev's user. */
struct claim {
	struct file **files;
	u32 num_files;
	struct iommufd_ctx *ictx;
};

static bool claim_covers(const struct claim *claim, struct vfio_device *vdev)
{
	if (claim->ictx)
		return owner_devid(vdev, claim->ictx) != VFIO_PCI_DEVID_NOT_OWNED;
	for (u32 i = 0; i < claim->num_files; i++)
		if (vfio_file_has_dev(claim->files[i], vdev))
			return true;
	return false;
}

static int is_in_set(struct pci_dev *pdev, void *data)
{
	return vfio_find_device_in_devset(data, &pdev->dev) ? 0 : -ENODEV;
}

/*
 * Any function of the set if a reset affects its members alone, so that they stay
 * and take part; otherwise NULL.  All members are ours: see devset.c.
 */
static struct pci_dev *set_resettable(struct vfio_device_set *set)
{
	struct vpv_device *vpv;
	struct reset_scope scope;

	lockdep_assert_held(&set->lock);

	vpv = list_first_entry(&set->device_list, struct vpv_device, vdev.dev_set_list);
	if (reset_scope_init(&scope, vpv->pdev) || walk_scope(&scope, is_in_set, set))
		return NULL;
	return vpv->pdev;
}

static void set_runtime_put(struct vfio_device_set *set, struct vpv_device *stop)
{
	struct vpv_device *vpv;

	list_for_each_entry(vpv, &set->device_list, vdev.dev_set_list) {
		if (vpv == stop)
			return;
		pm_runtime_put(&vpv->pdev->dev);
	}
}

/* Closed members may sleep. */
static int set_runtime_get(struct vfio_device_set *set)
{
	struct vpv_device *vpv;
	int ret;

	list_for_each_entry(vpv, &set->device_list, vdev.dev_set_list) {
		ret = pm_runtime_resume_and_get(&vpv->pdev->dev);
		if (ret) {
			set_runtime_put(set, vpv);
			return ret;
		}
	}
	return 0;
}

static void set_memory_unlock(struct vfio_device_set *set, struct vpv_device *stop)
{
	struct vpv_device *vpv;

	list_for_each_entry(vpv, &set->device_list, vdev.dev_set_list) {
		if (vpv == stop)
			return;
		vpv_memory_back(vpv);
		up_write(&vpv->state->memory_lock);
	}
}

/* No order is defined among memory_locks, hence by trylock. */
static int set_memory_lock(struct vfio_device_set *set, const struct claim *claim)
{
	struct vpv_device *vpv;
	int ret = 0;

	list_for_each_entry(vpv, &set->device_list, vdev.dev_set_list) {
		if (!claim_covers(claim, &vpv->vdev))
			ret = -EINVAL;
		else if (!down_write_trylock(&vpv->state->memory_lock))
			ret = -EBUSY;
		if (ret) {
			set_memory_unlock(set, vpv);
			return ret;
		}
		vpv_memory_zap(vpv);
	}
	return 0;
}

/* The PCI core waits for the first of them to answer, which must not be waited for. */
static int set_check(struct vfio_device_set *set)
{
	struct vpv_device *vpv;
	int ret;

	list_for_each_entry(vpv, &set->device_list, vdev.dev_set_list) {
		ret = vpv_reset_check(vpv);
		if (ret)
			return ret;
	}
	return 0;
}

/* Every memory_lock is held.  Return: 0 if all can be reached again. */
static int set_reset_locked(struct vfio_device_set *set, struct pci_dev *pdev)
{
	struct vpv_device *vpv;
	int ret, err;

	ret = set_check(set);
	if (ret)
		return ret;
	list_for_each_entry(vpv, &set->device_list, vdev.dev_set_list)
		vpv_power_set(vpv, PCI_D0);
	ret = pci_reset_bus(pdev);
	trace_vpv_reset(pdev, "hot", ret);
	if (ret)
		return ret;
	list_for_each_entry(vpv, &set->device_list, vdev.dev_set_list) {
		scoped_guard(vpv_cfg_access, vpv->pdev)
			err = vpv_reset_settle(vpv);
		ret = ret ?: err;
	}
	return ret;
}

static int set_reset(struct vfio_device_set *set, const struct claim *claim)
{
	struct pci_dev *pdev;
	int ret;

	guard(mutex)(&set->lock);

	pdev = set_resettable(set);
	if (!pdev)
		return -EINVAL;

	ret = set_runtime_get(set);
	if (ret)
		return ret;
	ret = set_memory_lock(set, claim);
	if (!ret) {
		ret = set_reset_locked(set, pdev);
		set_memory_unlock(set, NULL);
	}
	set_runtime_put(set, NULL);
	return ret;
}

/* Take the files of the group fds at @fds.  Return: 0 or the error of the first. */
static int get_group_files(struct claim *claim, const s32 *fds, u32 num)
{
	for (u32 i = 0; i < num; i++) {
		struct file *file = fget(fds[i]);

		if (!file)
			return -EBADF;
		claim->files[claim->num_files++] = file;
		if (!vfio_file_is_group(file))
			return -EINVAL;
	}
	return 0;
}

static int reset_by_groups(struct vpv_device *vpv, u32 num, s32 __user *ufds)
{
	struct claim claim = {};
	s32 *fds;
	int ret;

	fds = memdup_array_user(ufds, num, sizeof(*fds));
	if (IS_ERR(fds))
		return PTR_ERR(fds);

	claim.files = kcalloc(num, sizeof(*claim.files), GFP_KERNEL);
	ret = claim.files ? get_group_files(&claim, fds, num) : -ENOMEM;
	kfree(fds);
	if (!ret)
		ret = set_reset(vpv->vdev.dev_set, &claim);

	while (claim.num_files)
		fput(claim.files[--claim.num_files]);
	kfree(claim.files);
	return ret;
}

/* PCI_HOT_RESET */
int vpv_hot_reset(struct vpv_device *vpv, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_pci_hot_reset, count);
	struct vfio_pci_hot_reset __user *ureset = arg;
	struct claim claim = {};
	struct vfio_pci_hot_reset hdr;
	struct reset_scope scope;
	int ret;

	if (copy_from_user(&hdr, ureset, minsz))
		return -EFAULT;
	if (hdr.argsz < minsz || hdr.flags)
		return -EINVAL;
	/* Groups are for users of groups, and only for them. */
	if (!hdr.count != vfio_device_cdev_opened(&vpv->vdev))
		return -EINVAL;

	ret = reset_scope_init(&scope, vpv->pdev);
	if (ret)
		return ret;

	if (hdr.count) {
		/* A group has at least one of the functions. */
		if (hdr.count > count_in_scope(&scope))
			return -EINVAL;
		return reset_by_groups(vpv, hdr.count, ureset->group_fds);
	}
	claim.ictx = vfio_iommufd_device_ictx(&vpv->vdev);
	return set_reset(vpv->vdev.dev_set, &claim);
}

/*
 * The last open device of a set is being closed, or the first one opened: reset the set
 * if a member could not be reset on its own, so that the next user does not find the
 * last one's state.
 */
void vpv_set_reset_if_unused(struct vfio_device_set *set)
{
	bool needed = false, done;
	struct vpv_device *vpv;
	struct pci_dev *pdev;

	lockdep_assert_held(&set->lock);

	if (vfio_device_set_open_count(set) > 1)
		return;
	list_for_each_entry(vpv, &set->device_list, vdev.dev_set_list)
		needed |= vpv->state->needs_reset;
	pdev = needed ? set_resettable(set) : NULL;
	if (!pdev || set_runtime_get(set))
		return;

	done = !set_check(set) && !pci_reset_bus(pdev);
	trace_vpv_reset(pdev, "unused", done ? 0 : -EIO);
	if (done)
		list_for_each_entry(vpv, &set->device_list, vdev.dev_set_list)
			vpv->state->needs_reset = false;
	set_runtime_put(set, NULL);
}
