// SPDX-License-Identifier: GPL-2.0
/*
 * vpv_nvme_cf on functions that are none of its family: QEMU's own NVMe controller is given to
 * users as vpv_pci gives it, and everything that is no NVMe controller is refused.
 *
 * Groups: errno
 */
#include <unistd.h>

#include <hw/nvme_cf_spec.h>

#include "lib/device.h"
#include "lib/log.h"
#include "lib/nvmefn.h"
#include "lib/stock.h"
#include "lib/test.h"

TEST(an_nvme_controller_works_and_does_not_migrate)
{
	enum vdev_mode mode = access("/dev/iommu", F_OK) ? VDEV_GROUP : VDEV_CDEV;
	struct vdev v = { .fd = -1, .iommu = -1, .group = -1 };
	uint64_t flags = 0;
	struct slot slot;
	int log;

	if (slots_find("nvme", &slot, 1) < 1)
		SKIP(return, "no nvme in /vpv/stock");
	log = log_mark();
	ASSERT_LE(0, log);
	ASSERT_EQ(0, vdev_bind(slot.bdf, NVME_DRIVER));
	EXPECT_EQ(1, log_count(log, "will not migrate: no identity capability", NULL, 0));
	close(log);
	ASSERT_EQ(0, vdev_open(&v, &slot, mode));
	EXPECT_EQ(-ENOTTY, vdev_feature(&v, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIGRATION,
					&flags, sizeof(flags)));
	ASSERT_EQ(0, vdev_cfg_set(&v, 4, 2, vdev_cfg(&v, 4, 2) | 2));
	EXPECT_LE(0x10000U, bar_get(&v, 0, NVS_REG_VS));
	EXPECT_EQ(0, bar_set(&v, 0, NVS_REG_AQA, 0x1f001f));
	EXPECT_EQ(0x1f001fU, bar_get(&v, 0, NVS_REG_AQA));
	EXPECT_EQ(0, vdev_reset(&v));
	vdev_close(&v);
	EXPECT_EQ(0, vdev_unbind(slot.bdf));
}

TEST(another_device_is_refused)
{
	struct slot slot;

	if (slots_find("edu", &slot, 1) < 1)
		SKIP(return, "no edu in /vpv/stock");
	EXPECT_NE(0, vdev_bind(slot.bdf, NVME_DRIVER));
	EXPECT_EQ(0, vdev_unbind(slot.bdf));
}

TEST_HARNESS_MAIN
