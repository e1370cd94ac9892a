// SPDX-License-Identifier: GPL-2.0
/*
 * Callbacks of struct vfio_device_ops that only dispatch.
 */
#include <linux/string.h>
#include <linux/vfio.h>

#include "compat/region_info.h"
#include "vpv.h"

ssize_t vpv_op_read(struct vfio_device *vdev, char __user *buf, size_t count,
		    loff_t *ppos)
{
	return vpv_region_rw(vpv_from_vdev(vdev), buf, count, ppos, false);
}
EXPORT_SYMBOL_GPL(vpv_op_read);

ssize_t vpv_op_write(struct vfio_device *vdev, const char __user *buf, size_t count,
		     loff_t *ppos)
{
	return vpv_region_rw(vpv_from_vdev(vdev), (char __user *)buf, count, ppos, true);
}
EXPORT_SYMBOL_GPL(vpv_op_write);

long vpv_op_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return vpv_get_info(vpv, uarg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return vpv_get_irq_info(vpv, uarg);
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		return vpv_hot_reset_info(vpv, uarg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return vpv_compat_ioctl_region_info(vdev, uarg);
	case VFIO_DEVICE_PCI_HOT_RESET:
		return vpv_hot_reset(vpv, uarg);
	case VFIO_DEVICE_RESET:
		return vpv_function_reset(vpv);
	case VFIO_DEVICE_SET_IRQS:
		return vpv_set_irqs(vpv, uarg);
	}
	return -ENOTTY;
}
EXPORT_SYMBOL_GPL(vpv_op_ioctl);

/* Unbinding waits for the user, who is asked again every 10 seconds. */
void vpv_op_request(struct vfio_device *vdev, unsigned int count)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);

	if (vpv_eventfd_signal(&vpv->state->req)) {
		if (!(count % 10))
			pci_notice_ratelimited(vpv->pdev, "asking the user to release (%u)\n",
					       count);
	} else if (!count) {
		pci_warn(vpv->pdev, "no REQ eventfd, waiting for the user to release\n");
	}
}
EXPORT_SYMBOL_GPL(vpv_op_request);

/*
 * Is this the device that GROUP_GET_DEVICE_FD means: its name, and options after
 * a blank.  The only option, vf_token, has no meaning for any of our devices.
 */
int vpv_op_match(struct vfio_device *vdev, char *buf)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);
	size_t len = strlen(pci_name(vpv->pdev));

	if (strncmp(pci_name(vpv->pdev), buf, len))
		return 0;
	if (!buf[len])
		return 1;
	if (buf[len] != ' ')
		return 0;

	buf = skip_spaces(buf + len);
	if (!*buf)
		return 1;
	pci_info_ratelimited(vpv->pdev, "option \"%.64s\" is not supported\n", buf);
	return -EINVAL;
}
EXPORT_SYMBOL_GPL(vpv_op_match);

int vpv_op_feature(struct vfio_device *vdev, u32 flags, void __user *arg, size_t argsz)
{
	switch (flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY:
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP:
	case VFIO_DEVICE_FEATURE_LOW_POWER_EXIT:
		return vpv_low_power_feature(vpv_from_vdev(vdev), flags, arg, argsz);
	}
	return -ENOTTY;
}
EXPORT_SYMBOL_GPL(vpv_op_feature);
