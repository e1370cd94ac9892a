/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeping a device reachable for its driver, however its user has left it: what the
 * migration library needs of the layer that presents the device, without knowing PCI.  vpv_core
 * implements it (vpv_reach); a variant names that in its struct vmig_desc.
 */
#ifndef VPV_REACH_H
#define VPV_REACH_H

struct vfio_device;

/**
 * struct vpv_reach - A device whose registers its driver needs
 *
 * Both are called while the device is open, in process context and with the state lock of
 * the migration library held; they may sleep for as long as a change of the D state takes.
 */
struct vpv_reach {
	/**
	 * @begin: Awake, and nothing puts it to sleep, until @end; counted.
	 *
	 * A device that its user has put to sleep seems to sleep on: it shows that
	 * state, gives the user no registers, and does no DMA.
	 * Return: 0; -ENODEV if it is gone; -EIO if it does not wake up.
	 */
	int (*begin)(struct vfio_device *vdev);

	/** @end: Undo @begin; the last one puts it to sleep if that is what the user wants. */
	void (*end)(struct vfio_device *vdev);
};

/* Of vpv_core, for devices whose vfio_device is in a struct vpv_device. */
extern const struct vpv_reach vpv_reach;

#endif /* VPV_REACH_H */
