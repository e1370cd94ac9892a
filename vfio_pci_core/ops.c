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
	case VFIO_DEVICE_IOEVENTFD:
		return vpv_ioeventfd(vpv, uarg);
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

/* A VF token by iommufd's BIND, on kernels that have it there. */
int vpv_op_match_token(struct vfio_device *vdev, const uuid_t *token)
{
	return vpv_token_match(vpv_from_vdev(vdev), token);
}
EXPORT_SYMBOL_GPL(vpv_op_match_token);

/*
 * Options after the name of a device, with blanks between.  There is one,
 * vf_token=UUID, and it comes once.  Return: 1 if it is there, 0, or -EINVAL.
 */
static int parse_options(const char *text, uuid_t *token)
{
	static const char option[] = "vf_token=";
	int found = 0;

	for (;; found = 1) {
		text += strspn(text, " ");
		if (!*text)
			return found;
		if (found || !str_has_prefix(text, option))
			return -EINVAL;
		text += strlen(option);
		if (uuid_parse(text, token))
			return -EINVAL;
		text += UUID_STRING_LEN;
	}
}

/* Is this the device that GROUP_GET_DEVICE_FD means, and may it be opened? */
int vpv_op_match(struct vfio_device *vdev, char *buf)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);
	size_t len = strlen(pci_name(vpv->pdev));
	uuid_t token;
	int ret;

	if (strncmp(pci_name(vpv->pdev), buf, len))
		return 0;
	if (buf[len] && buf[len] != ' ')
		return 0;

	ret = parse_options(buf + len, &token);
	if (ret < 0) {
		pci_info_ratelimited(vpv->pdev, "options \"%*pE\" are not understood\n",
				     (int)strnlen(buf + len, 64), buf + len);
		return ret;
	}
	ret = vpv_token_match(vpv, ret ? &token : NULL);
	return ret ?: 1;
}
EXPORT_SYMBOL_GPL(vpv_op_match);

int vpv_op_feature(struct vfio_device *vdev, u32 flags, void __user *arg, size_t argsz)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);

	switch (flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_DMA_BUF:
		return vpv_dmabuf_feature(vpv, flags, arg, argsz);
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY:
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP:
	case VFIO_DEVICE_FEATURE_LOW_POWER_EXIT:
		return vpv_low_power_feature(vpv, flags, arg, argsz);
	case VFIO_DEVICE_FEATURE_PCI_VF_TOKEN:
		return vpv_token_feature(vpv, flags, arg, argsz);
	}
	return -ENOTTY;
}
EXPORT_SYMBOL_GPL(vpv_op_feature);
