// SPDX-License-Identifier: GPL-2.0
/*
 * The v2 front end: VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE and _MIG_DATA_SIZE.
 */
#include <linux/build_bug.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "front.h"

static_assert(VMIG_V2_ERROR == (int)VFIO_DEVICE_STATE_ERROR);
static_assert(VMIG_V2_STOP == (int)VFIO_DEVICE_STATE_STOP);
static_assert(VMIG_V2_RUNNING == (int)VFIO_DEVICE_STATE_RUNNING);
static_assert(VMIG_V2_STOP_COPY == (int)VFIO_DEVICE_STATE_STOP_COPY);
static_assert(VMIG_V2_RESUMING == (int)VFIO_DEVICE_STATE_RESUMING);
static_assert(VMIG_V2_RUNNING_P2P == (int)VFIO_DEVICE_STATE_RUNNING_P2P);
static_assert(VMIG_V2_PRE_COPY == (int)VFIO_DEVICE_STATE_PRE_COPY);
static_assert(VMIG_V2_PRE_COPY_P2P == (int)VFIO_DEVICE_STATE_PRE_COPY_P2P);

/* An ordinary view or emulated state; only for estimates. */
#define CONFIG_TYPICAL	512U

struct vmig_machine *vmig_from_vdev(struct vfio_device *vdev)
{
	return container_of(vdev->mig_ops, struct vmig_dev, mig_ops)->m;
}

static struct file *op_set_state(struct vfio_device *vdev,
				 enum vfio_device_mig_state state)
{
	return vmig_file_request(vmig_from_vdev(vdev), state);
}

static int op_get_state(struct vfio_device *vdev, enum vfio_device_mig_state *state)
{
	struct vmig_machine *m = vmig_from_vdev(vdev);

	if (READ_ONCE(m->detached))
		return -ENODEV;
	*state = (enum vfio_device_mig_state)vmig_fsm_v2(vmig_state_snapshot(m));
	return 0;
}

/* What surrounds the records of a family. */
static u64 stream_overhead(const struct vmig_desc *desc)
{
	u64 config = sizeof(struct vpv_stream_record) + CONFIG_TYPICAL;

	return sizeof(struct vpv_stream_header) +
	       2 * sizeof(struct vpv_stream_record) + desc->match_bytes +
	       sizeof(struct vpv_stream_end) + (desc->config ? 2 * config : 0);
}

static int op_get_data_size(struct vfio_device *vdev, unsigned long *bytes)
{
	struct vmig_machine *m = vmig_from_vdev(vdev);

	if (READ_ONCE(m->detached))
		return -ENODEV;
	*bytes = min_t(u64, vmig_estimate(m), LONG_MAX - SZ_64K) + stream_overhead(m->mig->desc);
	return 0;
}

/**
 * vmig_v2_attach() - Offer v2 migration
 * @mig: Device with a machine, which nobody has open.
 */
void vmig_v2_attach(struct vmig_dev *mig)
{
	struct vfio_device *vdev = mig->vdev;

	mig->mig_ops = (struct vfio_migration_ops){
		.migration_set_state = op_set_state,
		.migration_get_state = op_get_state,
		.migration_get_data_size = op_get_data_size,
	};
	vdev->mig_ops = &mig->mig_ops;
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY;
	if (mig->ops->quiesce)
		vdev->migration_flags |= VFIO_MIGRATION_P2P;
}

/*
 * The files that vfio.ko has made for a device with these ops call them whether they are
 * there or not.  Waits for readers; the folder does not come back.
 */
static void state_files_remove(struct vfio_device *vdev)
{
#ifdef CONFIG_DEBUG_FS
	if (!IS_ERR_OR_NULL(vdev->debug_root))
		debugfs_lookup_and_remove("migration", vdev->debug_root);
#endif
}

/**
 * vmig_v2_detach() - Offer it no longer
 * @mig: Device that nobody has open.
 */
void vmig_v2_detach(struct vmig_dev *mig)
{
	struct vfio_device *vdev = mig->vdev;

	if (!vdev->mig_ops)
		return;
	state_files_remove(vdev);
	vdev->mig_ops = NULL;
	vdev->migration_flags = 0;
}
