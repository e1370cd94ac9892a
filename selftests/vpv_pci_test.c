// SPDX-License-Identifier: GPL-2.0
/*
 * vpv_pci itself: how it is bound, and its parameters.  Loads it anew.
 *
 * Groups: self stable
 */
#include "lib/test.h"
#include "lib/stock.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define TRIGGER	(VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD)
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK

#define EDU_IDS	"1234:11e8"
#define SOON_MS	5000

FIXTURE(vpv_pci)
{
	struct slot edu[2];
	struct slot nic;
};

static bool has_driver(const struct slot *slot, const char *name)
{
	char driver[64];

	return !vdev_driver(slot->bdf, driver, sizeof(driver)) && !strcmp(driver, name);
}

FIXTURE_SETUP(vpv_pci)
{
	NEED_STOCK("edu", self->edu, 2);
	NEED_STOCK("e1000e", &self->nic, 1);
}

FIXTURE_TEARDOWN(vpv_pci)
{
	EXPECT_EQ(0, vpv_pci_load(""));
}

TEST_F(vpv_pci, new_id_binds_and_remove_id_does_not_any_more)
{
	ASSERT_EQ(0, vdev_unbind(self->edu[0].bdf));
	ASSERT_EQ(0, vdev_unbind(self->edu[1].bdf));
	ASSERT_EQ(0, vdev_override(self->edu[0].bdf, "\n"));
	ASSERT_EQ(0, vdev_override(self->edu[1].bdf, "\n"));
	EXPECT_TRUE(has_driver(&self->edu[0], ""));

	ASSERT_EQ(0, sysfs_write("/sys/bus/pci/drivers/vpv_pci/new_id", "1234 11e8"));
	EXPECT_TRUE(has_driver(&self->edu[0], "vpv_pci"));
	EXPECT_TRUE(has_driver(&self->edu[1], "vpv_pci"));

	ASSERT_EQ(0, sysfs_write("/sys/bus/pci/drivers/vpv_pci/remove_id", "1234 11e8"));
	ASSERT_EQ(0, vdev_unbind(self->edu[0].bdf));
	sysfs_write("/sys/bus/pci/drivers_probe", self->edu[0].bdf);
	EXPECT_TRUE(has_driver(&self->edu[0], ""));
}

TEST_F(vpv_pci, ids)
{
	vdev_override(self->edu[0].bdf, "\n");
	vdev_override(self->edu[1].bdf, "\n");
	vdev_override(self->nic.bdf, "\n");
	/* What cannot be read is left out, the others count. */
	ASSERT_EQ(0, vpv_pci_load("ids=8086,zz," EDU_IDS ",8086:10d3:zz,8086:10d3:,8086:10d3x"));
	EXPECT_TRUE(has_driver(&self->edu[0], "vpv_pci"));
	EXPECT_TRUE(has_driver(&self->edu[1], "vpv_pci"));
	EXPECT_FALSE(has_driver(&self->nic, "vpv_pci"));
}

TEST_F(vpv_pci, disable_idle_d3)
{
	const uint32_t set = VFIO_DEVICE_FEATURE_SET;
	struct vdev v;

	EXPECT_TRUE(vdev_pm_becomes(self->nic.bdf, "suspended"));
	ASSERT_EQ(0, vpv_pci_load("disable_idle_d3=1"));
	ASSERT_EQ(0, vdev_bind(self->nic.bdf, "vpv_pci"));
	usleep(200000);
	EXPECT_TRUE(vdev_pm_becomes(self->nic.bdf, "active"));
	ASSERT_EQ(0, vdev_open(&v, &self->nic, VDEV_GROUP));

	/* It sleeps when its user says so. */
	ASSERT_EQ(0, vdev_feature(&v, set | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, NULL, 0));
	EXPECT_TRUE(vdev_pm_becomes(self->nic.bdf, "suspended"));
	ASSERT_EQ(0, vdev_feature(&v, set | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0));
	EXPECT_TRUE(vdev_pm_becomes(self->nic.bdf, "active"));
	ASSERT_EQ(0, vdev_feature(&v, set | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, NULL, 0));
	EXPECT_TRUE(vdev_pm_becomes(self->nic.bdf, "suspended"));
	vdev_close(&v);
	usleep(200000);
	EXPECT_TRUE(vdev_pm_becomes(self->nic.bdf, "active"));
}

/* Masked at the interrupt controller, so that the line cannot be shared. */
TEST_F(vpv_pci, nointxmask)
{
	int event = eventfd_new();
	struct vdev v[2];

	ASSERT_EQ(0, vpv_pci_load("nointxmask=1"));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vdev_bind(self->edu[i].bdf, "vpv_pci"));
		ASSERT_EQ(0, vdev_open(&v[i], &self->edu[i], VDEV_GROUP));
		ASSERT_EQ(0, vdev_cfg_set(&v[i], PCI_COMMAND, 2, PCI_COMMAND_MEMORY));
		ASSERT_EQ(0, bar_set(&v[i], 0, EDU_IRQ_ACK, ~0U));
	}
	ASSERT_EQ(0, vdev_irq_one(&v[0], INTX, TRIGGER, event));
	EXPECT_EQ(-EBUSY, vdev_irq_one(&v[1], INTX, TRIGGER, event));

	ASSERT_EQ(0, bar_set(&v[0], 0, EDU_IRQ_RAISE, 1));
	EXPECT_TRUE(eventfd_wait(event, SOON_MS));
	EXPECT_FALSE(eventfd_wait(event, 100));
	ASSERT_EQ(0, vdev_irq_one(&v[0], INTX, UNMASK, 0));
	EXPECT_TRUE(eventfd_wait(event, SOON_MS));
	ASSERT_EQ(0, bar_set(&v[0], 0, EDU_IRQ_ACK, ~0U));
	/* Nobody can tell that the device means it: what is on its way to a CPU counts. */
	usleep(100000);
	ASSERT_EQ(0, vdev_irq_one(&v[0], INTX, UNMASK, 0));
	EXPECT_FALSE(eventfd_wait(event, 100));

	ASSERT_EQ(0, vdev_irq_eventfds(&v[0], INTX, 0, 0, NULL));
	ASSERT_EQ(0, vdev_irq_one(&v[1], INTX, TRIGGER, event));
	ASSERT_EQ(0, bar_set(&v[1], 0, EDU_IRQ_RAISE, 1));
	EXPECT_TRUE(eventfd_wait(event, SOON_MS));
	vdev_close(&v[0]);
	vdev_close(&v[1]);
	close(event);
}

TEST_HARNESS_MAIN
