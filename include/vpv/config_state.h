/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of config space that another device needs: what the migration
 * library needs of the layer that presents it, without knowing PCI.  vpv_core implements
 * it (vpv_config_state_ops); a variant names that in its struct vmig_desc.
 *
 * Payloads are those of VPV_RECORD_VIEW and VPV_RECORD_CONFIG (uapi vpv/stream.h).
 */
#ifndef VPV_CONFIG_STATE_H
#define VPV_CONFIG_STATE_H

#include <vpv/diff.h>
#include <vpv/stream.h>

#ifdef __KERNEL__
#include <linux/types.h>
#endif

struct vfio_device;

/**
 * struct vpv_config_identity - The persona of a device
 * @name: Zero-padded; all zero for the default one.
 * @version: 0 for the default one.
 * @digest: SHA-256; zero for the default one.
 */
struct vpv_config_identity {
	char name[VPV_STREAM_NAME_BYTES];
	u32 version;
	u8 digest[VPV_STREAM_DIGEST_BYTES];
};

/**
 * struct vpv_config_state_ops - Config space, as far as it matters to a peer
 *
 * All are called while the device is open, in process context, with the state lock
 * of the migration library held; they may sleep and touch no user memory.
 */
struct vpv_config_state_ops {
	/** @identity: Persona; constant while the device is open. */
	void (*identity)(struct vfio_device *vdev, struct vpv_config_identity *id);

	/**
	 * @view: Write what the user saw at first, as payload of VPV_RECORD_VIEW.
	 * @room: At least VPV_CONFIG_MAX_BYTES.
	 *
	 * Return: bytes, 0 when there is nothing to compare, or a negative errno.
	 */
	int (*view)(struct vfio_device *vdev, void *buf, size_t room);

	/**
	 * @check_view: Does this device show the same?  @buf is untrusted.
	 *
	 * Changes nothing.
	 * Return: 0; -EOPNOTSUPP if it shows something else; -EINVAL for bytes that
	 * make no sense.  @diff tells in both cases.
	 */
	int (*check_view)(struct vfio_device *vdev, const void *buf, size_t bytes,
			  struct vmig_diff *diff);

	/**
	 * @emulates: Does the persona emulate bits?
	 *
	 * A stream without VPV_RECORD_CONFIG is refused then: they would be lost.
	 */
	bool (*emulates)(struct vfio_device *vdev);

	/**
	 * @save: Write what the user has written, as payload of VPV_RECORD_CONFIG.
	 *
	 * Return: bytes or a negative errno.
	 */
	int (*save)(struct vfio_device *vdev, void *buf, size_t room);

	/**
	 * @load: Take what the user of another device has written.  @buf is untrusted.
	 *
	 * All of it is checked first: what a user could not write here is refused, with
	 * nothing changed.
	 * Return: 0; -EINVAL for what is not state here, -EOPNOTSUPP for another config
	 * space, -EPROTONOSUPPORT for a later version; -EIO or another errno if the device
	 * failed half-way.  @diff tells.
	 */
	int (*load)(struct vfio_device *vdev, const void *buf, size_t bytes,
		    struct vmig_diff *diff);
};

/* Of vpv_core, for every device that uses it. */
extern const struct vpv_config_state_ops vpv_config_state_ops;

#endif /* VPV_CONFIG_STATE_H */
