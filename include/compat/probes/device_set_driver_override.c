// SPDX-License-Identifier: GPL-2.0
/* linux/device.h: the driver override belongs to the device (late 6.12.y and after). */
#include <linux/device.h>

int probe(struct device *dev)
{
	return device_set_driver_override(dev, "name");
}
