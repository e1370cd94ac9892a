// SPDX-License-Identifier: GPL-2.0
/*
 * State of config space for another device: vpv/config_state.h, for the
 * migration of one of ours.
 */
#include "vpv.h"
#include "vpv/config_state.h"

/* The state lock of the caller comes before the lock of the config engine. */
static struct vpv_state *state_of(struct vfio_device *vdev)
{
	return vpv_from_vdev(vdev)->state;
}

static void config_state_identity(struct vfio_device *vdev, struct vpv_config_identity *id)
{
	struct vcfg_persona_facts facts;

	memset(id, 0, sizeof(*id));
	/* Held while the device is open. */
	if (!state_of(vdev)->persona)
		return;
	vcfg_persona_facts(state_of(vdev)->persona, &facts);
	strscpy(id->name, facts.name, sizeof(id->name));
	id->version = facts.version;
	memcpy(id->digest, facts.digest, sizeof(id->digest));
}

static int config_state_view(struct vfio_device *vdev, void *buf, size_t room)
{
	return vcfg_view(state_of(vdev)->cfg, buf, room);
}

static int config_state_check_view(struct vfio_device *vdev, const void *buf, size_t bytes,
				   struct vmig_diff *diff)
{
	return vcfg_check_view(state_of(vdev)->cfg, buf, bytes, diff);
}

static bool config_state_emulates(struct vfio_device *vdev)
{
	return vcfg_emulates(state_of(vdev)->cfg);
}

static int config_state_save(struct vfio_device *vdev, void *buf, size_t room)
{
	return vcfg_save(state_of(vdev)->cfg, buf, room);
}

static int config_state_load(struct vfio_device *vdev, const void *buf, size_t bytes,
			     struct vmig_diff *diff)
{
	return vcfg_load(state_of(vdev)->cfg, buf, bytes, diff);
}

const struct vpv_config_state_ops vpv_config_state_ops = {
	.identity = config_state_identity,
	.view = config_state_view,
	.check_view = config_state_check_view,
	.emulates = config_state_emulates,
	.save = config_state_save,
	.load = config_state_load,
};
EXPORT_SYMBOL_GPL(vpv_config_state_ops);
