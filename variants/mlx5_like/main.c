// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO driver of the controlled functions of mlx5_like: life of a device and declarations.
 * Migration is in migrate.c and save.c.
 */
#include "mlx5_like.h"
#include "persona_v1.h"

#define MLXL_NAME "vpv_mlx5_like"

/*
 * A function is not given to users before it was provisioned, that is, before its
 * controlling function publishes it.
 */
static int mlxl_accepts(struct pci_dev *pdev)
{
	if (pdev->subsystem_vendor != MLXL_VENDOR ||
	    pdev->subsystem_device != MLXL_FN_SUBDEVICE)
		return -ENODEV;
	return vpv_control_published(&pdev->dev, MLXL_FAMILY) ? 0 : -EPROBE_DEFER;
}

static int mlxl_init(struct vpv_device *vpv)
{
	struct mlxl_dev *md = mlxl_from_vpv(vpv);

	mutex_init(&md->power);
	INIT_DELAYED_WORK(&md->settle, mlxl_settle);
	INIT_DELAYED_WORK(&md->check, mlxl_check);
	md->watch = (struct vpv_control_watch){
		.controlled = &vpv->pdev->dev,
		.family = MLXL_FAMILY,
		.changed = mlxl_changed,
	};
	return 0;
}

static void mlxl_fini(struct vpv_device *vpv)
{
	struct mlxl_dev *md = mlxl_from_vpv(vpv);

	cancel_delayed_work_sync(&md->settle);
	mlxl_forget(md);
	mutex_destroy(&md->power);
}

static int mlxl_open(struct vpv_device *vpv)
{
	vpv_control_watch(&mlxl_from_vpv(vpv)->watch);
	return 0;
}

/* The function is reset next, which ends what the firmware still has. */
static void mlxl_close(struct vpv_device *vpv)
{
	struct mlxl_dev *md = mlxl_from_vpv(vpv);

	vpv_control_unwatch(&md->watch);
	cancel_delayed_work_sync(&md->check);
	cancel_delayed_work_sync(&md->settle);
	mlxl_forget(md);
}

static const struct vpv_persona_blob mlxl_personas[] = {
	{ mlxl_persona_v1, sizeof(mlxl_persona_v1) },
};

/* The identity capability is the host's: a user does not see it unless told to. */
static const struct vpv_variant mlxl_variant = {
	VPV_VARIANT_OF(MLXL_NAME, struct mlxl_dev),
	VPV_MIGRATES_BY(&mlxl_mig_ops, &mlxl_mig_desc),
	.personas = mlxl_personas,
	.num_personas = ARRAY_SIZE(mlxl_personas),
	.persona = "mlx5_like-v1",
	.accepts = mlxl_accepts,
	.init = mlxl_init,
	.fini = mlxl_fini,
	.open = mlxl_open,
	.close = mlxl_close,
	.reset_prepare = mlxl_reset_prepare,
	.reset_done = mlxl_reset_done,
};

/* The ids alone are those of every virtio-net: libvirt would give all of them to this driver. */
static const struct pci_device_id mlxl_ids[] = {
	{ PCI_DEVICE_SUB(MLXL_FN_VENDOR, MLXL_FN_DEVICE, MLXL_VENDOR, MLXL_FN_SUBDEVICE),
	  .override_only = PCI_ID_F_VFIO_DRIVER_OVERRIDE },
	{ }
};
MODULE_DEVICE_TABLE(pci, mlxl_ids);

vpv_module_variant(MLXL_NAME, mlxl_variant, mlxl_ids);

MODULE_DESCRIPTION("VFIO driver of mlx5_like functions, with live migration");
MODULE_LICENSE("GPL");
