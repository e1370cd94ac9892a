/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all variants that migrate have in common: the core (vpv/core.h) and the
 * migration library (vpv/migration.h) of one device, and the pci_driver.
 *
 *	struct family_dev {
 *		struct vpv_migratable m;	first
 *		...
 *	};
 *
 *	static const struct vpv_variant family_variant = {
 *		VPV_VARIANT_OF(FAMILY_NAME, struct family_dev),
 *		VPV_MIGRATES_BY(&family_ops, &family_desc),
 *		...
 *	};
 *	vpv_module_variant(FAMILY_NAME, family_variant, family_ids);
 */
#ifndef VPV_VARIANT_H
#define VPV_VARIANT_H

#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include <vpv/config_state.h>
#include <vpv/core.h>
#include <vpv/migration.h>
#include <vpv/reach.h>

/**
 * struct vpv_migratable - A device that migrates; first member of a variant's device
 * @vpv: What the core knows.
 * @mig: What the migration library knows.
 */
struct vpv_migratable {
	struct vpv_device vpv;
	struct vmig_dev mig;
};

/**
 * struct vpv_migrates_by - How the devices of a variant migrate
 * @ops: Hooks.
 * @desc: Constants.
 */
struct vpv_migrates_by {
	const struct vmig_ops *ops;
	const struct vmig_desc *desc;
};

static inline struct vmig_dev *vpv_mig(struct vpv_device *vpv)
{
	return &container_of(vpv, struct vpv_migratable, vpv)->mig;
}

static inline int vpv_mig_init(struct vpv_device *vpv)
{
	const struct vpv_migrates_by *by = vpv->variant->companion_data;

	return vmig_init(vpv_mig(vpv), &vpv->vdev, by->ops, by->desc);
}

static inline void vpv_mig_fini(struct vpv_device *vpv)
{
	vmig_fini(vpv_mig(vpv));
}

static inline ssize_t vpv_mig_region_transfer(struct vpv_device *vpv,
					      struct vpv_region *region, u64 pos,
					      struct iov_iter *iter)
{
	return vmig_region_rw(vpv_mig(vpv), pos, iter);
}

static inline int vpv_mig_region_caps(struct vpv_device *vpv, struct vpv_region *region,
				      struct vfio_info_cap *caps)
{
	return vmig_region_caps(vpv_mig(vpv), caps);
}

static inline int vpv_mig_region_mmap(struct vpv_device *vpv, struct vpv_region *region,
				      struct vm_area_struct *vma)
{
	u64 pos = ((u64)vma->vm_pgoff << PAGE_SHIFT) & VPV_OFFSET_MASK;

	return vmig_region_mmap(vpv_mig(vpv), pos, vma);
}

static const struct vpv_region_ops vpv_mig_region_ops __maybe_unused = {
	.transfer = vpv_mig_region_transfer,
	.caps = vpv_mig_region_caps,
	.mmap = vpv_mig_region_mmap,
};

static inline int vpv_mig_region_add(struct vpv_device *vpv)
{
	u32 flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		    VFIO_REGION_INFO_FLAG_MMAP;
	u64 bytes = vmig_region_bytes(vpv_mig(vpv));

	if (!bytes)
		return 0;
	return min(vpv_region_add(vpv, VFIO_REGION_TYPE_MIGRATION_DEPRECATED,
				  VFIO_REGION_SUBTYPE_MIGRATION_DEPRECATED, bytes, flags,
				  &vpv_mig_region_ops, NULL), 0);
}

static inline int vpv_mig_open(struct vpv_device *vpv)
{
	int ret = vmig_open(vpv_mig(vpv));

	if (ret)
		return ret;
	ret = vpv_mig_region_add(vpv);
	if (ret)
		vmig_close(vpv_mig(vpv));
	return ret;
}

static inline void vpv_mig_close(struct vpv_device *vpv)
{
	vmig_close(vpv_mig(vpv));
}

static inline void vpv_mig_reset_prepare(struct vpv_device *vpv)
{
	vmig_reset_begin(vpv_mig(vpv));
}

static inline void vpv_mig_reset_done(struct vpv_device *vpv)
{
	vmig_reset_done(vpv_mig(vpv));
}

static inline void vpv_mig_remove(struct vpv_device *vpv)
{
	vmig_detach(vpv_mig(vpv));
}

static inline ssize_t vpv_mig_dialect_show(struct device *dev, struct device_attribute *attr,
					   char *buf)
{
	return sysfs_emit(buf, "%s\n", vmig_dialect(vpv_mig(dev_get_drvdata(dev))));
}

/*
 * vfio.ko looks at what this changes when it registers the device, with the device lock held;
 * its removal waits for writers with that lock held.
 */
static inline ssize_t vpv_mig_dialect_store(struct device *dev, struct device_attribute *attr,
					    const char *buf, size_t count)
{
	int ret;

	if (!device_trylock(dev))
		return -EAGAIN;
	ret = vmig_dialect_set(vpv_mig(dev_get_drvdata(dev)), buf);
	device_unlock(dev);
	return ret ?: (ssize_t)count;
}

static struct device_attribute vpv_mig_dialect_attr =
	__ATTR(dialect, 0644, vpv_mig_dialect_show, vpv_mig_dialect_store);

static struct attribute *vpv_mig_attrs[] = {
	&vpv_mig_dialect_attr.attr,
	NULL
};

static const struct attribute_group vpv_mig_files = {
	.name = VPV_SYSFS_GROUP,
	.attrs = vpv_mig_attrs,
};

/* One for each module that includes this: the core need not know the library. */
static const struct vpv_companion vpv_migration_companion __maybe_unused = {
	.files = &vpv_mig_files,
	.init = vpv_mig_init,
	.fini = vpv_mig_fini,
	.open = vpv_mig_open,
	.close = vpv_mig_close,
	.reset_prepare = vpv_mig_reset_prepare,
	.reset_done = vpv_mig_reset_done,
	.remove = vpv_mig_remove,
};

/**
 * VPV_MIGRATES_BY - Initialisers of a struct vpv_variant whose devices migrate
 * @_ops: struct vmig_ops.
 * @_desc: struct vmig_desc.
 */
#define VPV_MIGRATES_BY(_ops, _desc)						\
	.companion = &vpv_migration_companion,					\
	.companion_data = &(const struct vpv_migrates_by){ .ops = (_ops), .desc = (_desc) }

/**
 * VPV_VARIANT_OF - Initialisers of a struct vpv_variant
 * @_name: Name of the module, which the driver has, too.
 * @_type: The variant's device.
 */
#define VPV_VARIANT_OF(_name, _type)						\
	.vfio_ops = &(const struct vfio_device_ops){ VPV_VFIO_OPS(_name) },	\
	.device_bytes = sizeof(_type)

/**
 * vpv_module_driver() - The pci_driver of a module, and its init and exit
 * @_name: Name of the module.
 * @_prefix: Of what is defined here.
 * @_probe: Calls vpv_probe().
 * @_ids: PCI ids; they use PCI_DRIVER_OVERRIDE_DEVICE_VFIO().
 */
#define vpv_module_driver(_name, _prefix, _probe, _ids)				\
static struct pci_driver _prefix##_driver = {					\
	.name = (_name),							\
	.id_table = (_ids),							\
	.probe = (_probe),							\
	.remove = vpv_remove,							\
	.err_handler = &vpv_err_handlers,					\
	.driver.pm = &vpv_pm_ops,						\
	.driver_managed_dma = true,						\
};										\
module_pci_driver(_prefix##_driver)

/**
 * vpv_module_variant() - The same for a module with one variant
 * @_name: Name of the module.
 * @_variant: struct vpv_variant.
 * @_ids: PCI ids.
 */
#define vpv_module_variant(_name, _variant, _ids)				\
static int _variant##_probe(struct pci_dev *pdev, const struct pci_device_id *id) \
{										\
	return vpv_probe(pdev, &(_variant));					\
}										\
vpv_module_driver(_name, _variant, _variant##_probe, _ids)

#endif /* VPV_VARIANT_H */
