// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO driver of the controlled functions of mlx5_like: ids and registration.
 * Migration is in migrate.c and save.c.
 */
#include <linux/module.h>

#include "mlx5_like.h"
#include "persona_v1.h"

#define MLXL_NAME "vpv_mlx5_like"

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
	return vmig_init(&md->mig, &vpv->vdev, &mlxl_mig_ops, &mlxl_mig_desc);
}

static void mlxl_fini(struct vpv_device *vpv)
{
	struct mlxl_dev *md = mlxl_from_vpv(vpv);

	vmig_fini(&md->mig);
	cancel_delayed_work_sync(&md->settle);
	mlxl_forget(md);
	mutex_destroy(&md->power);
}

static int mlxl_open(struct vpv_device *vpv)
{
	struct mlxl_dev *md = mlxl_from_vpv(vpv);

	vmig_open(&md->mig);
	vpv_control_watch(&md->watch);
	return 0;
}

/* The function is reset next, which ends what the firmware still has. */
static void mlxl_close(struct vpv_device *vpv)
{
	struct mlxl_dev *md = mlxl_from_vpv(vpv);

	vpv_control_unwatch(&md->watch);
	cancel_delayed_work_sync(&md->check);
	vmig_close(&md->mig);
	cancel_delayed_work_sync(&md->settle);
	mlxl_forget(md);
}

static void mlxl_before_reset(struct vpv_device *vpv)
{
	mlxl_reset_prepare(mlxl_from_vpv(vpv));
}

static void mlxl_after_reset(struct vpv_device *vpv)
{
	struct mlxl_dev *md = mlxl_from_vpv(vpv);

	mlxl_reset_done(md);
	vmig_reset_done(&md->mig);
}

static void mlxl_detach(struct vpv_device *vpv)
{
	vmig_detach(&mlxl_from_vpv(vpv)->mig);
}

static const struct vfio_device_ops mlxl_vfio_ops = {
	VPV_VFIO_OPS(MLXL_NAME)
};

static const struct vpv_persona_blob mlxl_personas[] = {
	{ mlxl_persona_v1, sizeof(mlxl_persona_v1) },
};

/* The identity capability is the host's: a user does not see it unless told to. */
static const struct vpv_variant mlxl_variant = {
	.vfio_ops = &mlxl_vfio_ops,
	.personas = mlxl_personas,
	.num_personas = ARRAY_SIZE(mlxl_personas),
	.persona = "mlx5_like-v1",
	.device_bytes = sizeof(struct mlxl_dev),
	.init = mlxl_init,
	.fini = mlxl_fini,
	.open = mlxl_open,
	.close = mlxl_close,
	.reset_prepare = mlxl_before_reset,
	.reset_done = mlxl_after_reset,
	.remove = mlxl_detach,
};

/*
 * A function is not given to users before it was provisioned, that is, before its
 * controlling function publishes it.
 */
static int mlxl_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vpv_control *control;

	if (pdev->subsystem_vendor != MLXL_VENDOR ||
	    pdev->subsystem_device != MLXL_FN_SUBDEVICE)
		return -ENODEV;
	control = vpv_control_get(&pdev->dev, MLXL_FAMILY);
	if (IS_ERR(control))
		return -EPROBE_DEFER;
	vpv_control_put(control);
	return vpv_probe(pdev, &mlxl_variant);
}

static const struct pci_device_id mlxl_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(MLXL_FN_VENDOR, MLXL_FN_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, mlxl_ids);

static struct pci_driver mlxl_driver = {
	.name = MLXL_NAME,
	.id_table = mlxl_ids,
	.probe = mlxl_probe,
	.remove = vpv_remove,
	.err_handler = &vpv_err_handlers,
	.driver.pm = &vpv_pm_ops,
	.driver_managed_dma = true,
};
module_pci_driver(mlxl_driver);

static_assert(offsetof(struct mlxl_dev, vpv) == 0);

MODULE_DESCRIPTION("VFIO driver of mlx5_like functions, with live migration");
MODULE_LICENSE("GPL");
