// SPDX-License-Identifier: GPL-2.0
/*
 * Hot reset of a slot with two functions: who may ask for it, what becomes of the other
 * function, and when it is done unasked.  vfio-pci gives the same answers.  On the pair of
 * igb functions that the lab puts into one slot, each in a group of its own, and on the pair
 * of e1000e functions, which share one.
 *
 * Groups: functions stable
 */
#include "lib/stock.h"
#include "lib/test.h"
#include "lib/trace.h"

#define FUNCTIONS	2
#define LEDCTL		0xe00	/* igb, e1000e, BAR 0: readable, writable, reset to a default */

struct info {
	struct vfio_pci_hot_reset_info info;
	struct vfio_pci_dependent_device device[8];
};

FIXTURE(pair)
{
	struct slot slot[FUNCTIONS];
	struct vdev v[FUNCTIONS];
	uint32_t fresh;		/* LEDCTL after a reset */
};

FIXTURE_VARIANT(pair)
{
	const char *driver;
};

FIXTURE_VARIANT_ADD(pair, vpv_pci) { .driver = "vpv_pci" };
FIXTURE_VARIANT_ADD(pair, vfio_pci) { .driver = "vfio-pci" };

FIXTURE_SETUP(pair)
{
	for (int i = 0; i < FUNCTIONS; i++)
		self->v[i].fd = self->v[i].group = self->v[i].iommu = -1;
	if (slots_find("igb-pair", self->slot, FUNCTIONS) != FUNCTIONS)
		SKIP(return, "no igb-pair in /vpv/stock");
	if (!strcmp(variant->driver, "vfio-pci") && system("modprobe vfio-pci"))
		SKIP(return, "vfio-pci cannot be loaded");
	for (int i = 0; i < FUNCTIONS; i++)
		ASSERT_EQ(0, vdev_bind(self->slot[i].bdf, variant->driver));
}

FIXTURE_TEARDOWN(pair)
{
	for (int i = 0; i < FUNCTIONS; i++) {
		vdev_close(&self->v[i]);
		vdev_sysfs_write(self->slot[i].bdf, "reset_method", "default");
		vdev_bind(self->slot[i].bdf, "vpv_pci");
	}
}

static int hot_reset(struct vdev *v, uint32_t count, const int *fds)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fds[4];
	} b = { .reset = { .argsz = sizeof(b), .count = count } };

	memcpy(b.fds, fds, count * sizeof(int));
	return ioctl(v->fd, VFIO_DEVICE_PCI_HOT_RESET, &b) ? -errno : 0;
}

static int get_info(struct vdev *v, struct info *b)
{
	memset(b, 0, sizeof(*b));
	b->info.argsz = sizeof(*b);
	return ioctl(v->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, b) ? -errno : 0;
}

/* Set a register to what no reset leaves in it. */
static int mark(struct vdev *v, uint32_t *fresh)
{
	int err = vdev_bus_master(v, false);

	*fresh = bar_get(v, 0, LEDCTL);
	if (!err)
		err = bar_set(v, 0, LEDCTL, *fresh ^ 1);
	return err ?: bar_get(v, 0, LEDCTL) == (*fresh ^ 1) ? 0 : -EIO;
}

static bool is_fresh(struct vdev *v, uint32_t fresh)
{
	return bar_get(v, 0, LEDCTL) == fresh;
}

TEST_F(pair, info_by_groups_names_both)
{
	struct info b;

	ASSERT_EQ(0, vdev_open(&self->v[0], &self->slot[0], VDEV_GROUP));
	b.info.argsz = sizeof(b.info) + sizeof(b.device[0]);
	EXPECT_EQ(-1, ioctl(self->v[0].fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &b));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(2U, b.info.count);

	ASSERT_EQ(0, get_info(&self->v[0], &b));
	ASSERT_EQ(2U, b.info.count);
	EXPECT_EQ(0U, b.info.flags);
	EXPECT_EQ(0, b.device[0].devfn);
	EXPECT_EQ(1, b.device[1].devfn);
	EXPECT_EQ(b.device[0].bus, b.device[1].bus);
	EXPECT_NE(b.device[0].group_id, b.device[1].group_id);
}

/* Both open; only who has both groups resets both. */
TEST_F(pair, reset_by_groups)
{
	uint32_t fresh[FUNCTIONS];
	int group[FUNCTIONS];

	for (int i = 0; i < FUNCTIONS; i++) {
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slot[i], VDEV_GROUP));
		ASSERT_EQ(0, mark(&self->v[i], &fresh[i]));
		group[i] = self->v[i].group;
	}
	for (int i = 0; i < FUNCTIONS; i++) {
		EXPECT_EQ(-EINVAL, hot_reset(&self->v[0], 1, &group[i]));
		EXPECT_EQ(-EINVAL, hot_reset(&self->v[0], 2, (int[]){ group[i], group[i] }));
	}
	for (int i = 0; i < FUNCTIONS; i++)
		EXPECT_FALSE(is_fresh(&self->v[i], fresh[i]));

	EXPECT_EQ(0, hot_reset(&self->v[0], 2, group));
	for (int i = 0; i < FUNCTIONS; i++)
		EXPECT_TRUE(is_fresh(&self->v[i], fresh[i]));
}

/* One that nobody has open still belongs to its group. */
TEST_F(pair, reset_with_a_closed_function)
{
	uint32_t fresh;
	int group[FUNCTIONS];

	for (int i = 0; i < FUNCTIONS; i++) {
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slot[i], VDEV_GROUP));
		group[i] = self->v[i].group;
	}
	close(self->v[1].fd);
	self->v[1].fd = -1;
	ASSERT_EQ(0, mark(&self->v[0], &fresh));
	EXPECT_EQ(-EINVAL, hot_reset(&self->v[0], 1, group));
	EXPECT_FALSE(is_fresh(&self->v[0], fresh));
	EXPECT_EQ(0, hot_reset(&self->v[0], 2, group));
	EXPECT_TRUE(is_fresh(&self->v[0], fresh));
}

/* A function that no driver of VFIO has would be reset behind its owner's back. */
TEST_F(pair, a_function_of_somebody_else_prevents_it)
{
	uint32_t fresh;
	struct info b;

	ASSERT_EQ(0, vdev_unbind(self->slot[1].bdf));
	ASSERT_EQ(0, vdev_open(&self->v[0], &self->slot[0], VDEV_GROUP));
	ASSERT_EQ(0, mark(&self->v[0], &fresh));
	ASSERT_EQ(0, get_info(&self->v[0], &b));
	EXPECT_EQ(2U, b.info.count);
	EXPECT_EQ(-EINVAL, hot_reset(&self->v[0], 1, &self->v[0].group));
	EXPECT_FALSE(is_fresh(&self->v[0], fresh));
}

/* One function of the slot with each driver: neither can reset the other's. */
TEST_F(pair, each_with_another_driver)
{
	bool ours = !strcmp(variant->driver, "vpv_pci");
	int group[FUNCTIONS];
	uint32_t fresh;

	if (ours && access("/sys/bus/pci/drivers/vfio-pci", F_OK) &&
	    system("modprobe vfio-pci"))
		SKIP(return, "vfio-pci cannot be loaded");
	ASSERT_EQ(0, vdev_bind(self->slot[1].bdf, ours ? "vfio-pci" : "vpv_pci"));
	for (int i = 0; i < FUNCTIONS; i++) {
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slot[i], VDEV_GROUP));
		group[i] = self->v[i].group;
	}
	ASSERT_EQ(0, mark(&self->v[1], &fresh));
	for (int i = 0; i < FUNCTIONS; i++)
		EXPECT_EQ(-EINVAL, hot_reset(&self->v[i], 2, group));
	EXPECT_FALSE(is_fresh(&self->v[1], fresh));
}

TEST_F(pair, reset_by_iommufd)
{
	const uint32_t owned = VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	uint32_t fresh[FUNCTIONS];
	struct info b;

	if (access("/dev/iommu", R_OK | W_OK))
		SKIP(return, "this kernel has no /dev/iommu");

	/* The other one has another user. */
	for (int i = 0; i < FUNCTIONS; i++) {
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slot[i], VDEV_CDEV));
		ASSERT_EQ(0, mark(&self->v[i], &fresh[i]));
	}
	ASSERT_EQ(0, get_info(&self->v[0], &b));
	ASSERT_EQ(2U, b.info.count);
	EXPECT_EQ((uint32_t)VFIO_PCI_HOT_RESET_FLAG_DEV_ID, b.info.flags);
	EXPECT_LT(0, (int)b.device[0].devid);
	EXPECT_EQ(VFIO_PCI_DEVID_NOT_OWNED, (int)b.device[1].devid);
	EXPECT_EQ(-EINVAL, hot_reset(&self->v[0], 0, NULL));
	for (int i = 0; i < FUNCTIONS; i++)
		EXPECT_FALSE(is_fresh(&self->v[i], fresh[i]));

	/* Nobody has it: nobody else's, but not this user's either. */
	vdev_close(&self->v[1]);
	ASSERT_EQ(0, get_info(&self->v[0], &b));
	EXPECT_EQ(VFIO_PCI_DEVID_NOT_OWNED, (int)b.device[1].devid);
	EXPECT_EQ(-EINVAL, hot_reset(&self->v[0], 0, NULL));

	ASSERT_EQ(0, vdev_open_beside(&self->v[1], &self->slot[1], &self->v[0]));
	ASSERT_EQ(0, mark(&self->v[1], &fresh[1]));
	ASSERT_EQ(0, get_info(&self->v[0], &b));
	EXPECT_EQ(VFIO_PCI_HOT_RESET_FLAG_DEV_ID | owned, b.info.flags);
	EXPECT_LT(0, (int)b.device[1].devid);
	EXPECT_EQ(0, hot_reset(&self->v[0], 0, NULL));
	for (int i = 0; i < FUNCTIONS; i++)
		EXPECT_TRUE(is_fresh(&self->v[i], fresh[i]));
}

/* Functions without a reset of their own: the next user would find the last one's state. */
TEST_F(pair, the_slot_is_reset_when_the_last_one_is_closed)
{
	bool ours = !strcmp(variant->driver, "vpv_pci");
	struct trace t = { .dir = "" };
	uint32_t fresh[FUNCTIONS];

	for (int i = 0; i < FUNCTIONS; i++) {
		ASSERT_EQ(0, vdev_sysfs_write(self->slot[i].bdf, "reset_method", "\n"));
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slot[i], VDEV_GROUP));
		ASSERT_EQ(0, mark(&self->v[i], &fresh[i]));
		EXPECT_EQ(-EINVAL, vdev_reset(&self->v[i]));
	}
	if (ours)
		ASSERT_EQ(0, trace_open(&t, "vpv_core/vpv_reset"));

	/* Not while there is another user. */
	vdev_close(&self->v[0]);
	EXPECT_FALSE(is_fresh(&self->v[1], fresh[1]));
	if (ours)
		EXPECT_EQ(0, trace_count(&t, " unused ", NULL));
	vdev_close(&self->v[1]);
	if (ours)
		EXPECT_EQ(1, trace_count(&t, " unused ", "err=0"));
	trace_close(&t);
	for (int i = 0; i < FUNCTIONS; i++) {
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slot[i], VDEV_GROUP));
		EXPECT_TRUE(is_fresh(&self->v[i], fresh[i]));
	}
}

/* ---- Two functions of one group ---- */

FIXTURE(mates)
{
	struct slot slot[FUNCTIONS];
	struct vdev v[FUNCTIONS];
};

FIXTURE_VARIANT(mates)
{
	const char *driver;
};

FIXTURE_VARIANT_ADD(mates, vpv_pci) { .driver = "vpv_pci" };
FIXTURE_VARIANT_ADD(mates, vfio_pci) { .driver = "vfio-pci" };

FIXTURE_SETUP(mates)
{
	for (int i = 0; i < FUNCTIONS; i++)
		self->v[i].fd = self->v[i].group = self->v[i].iommu = -1;
	NEED_MODE(VDEV_CDEV);
	if (slots_find("e1000e-pair", self->slot, FUNCTIONS) != FUNCTIONS)
		SKIP(return, "no e1000e-pair in /vpv/stock");
	if (!strcmp(variant->driver, "vfio-pci") && system("modprobe vfio-pci"))
		SKIP(return, "vfio-pci cannot be loaded");
	for (int i = 0; i < FUNCTIONS; i++)
		ASSERT_EQ(0, vdev_bind(self->slot[i].bdf, variant->driver));
}

FIXTURE_TEARDOWN(mates)
{
	for (int i = 0; i < FUNCTIONS; i++) {
		vdev_close(&self->v[i]);
		vdev_unbind(self->slot[i].bdf);
	}
}

/* Nobody else can have what is in the user's group: it is the user's, though not open. */
TEST_F(mates, the_closed_one_is_owned)
{
	const uint32_t owned = VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	uint32_t fresh;
	struct info b;

	ASSERT_EQ(0, vdev_open(&self->v[0], &self->slot[0], VDEV_CDEV));
	/* QEMU's e1000e keeps this register in the only other reset that it has, by D3hot. */
	ASSERT_EQ(0, hot_reset(&self->v[0], 0, NULL));
	ASSERT_EQ(0, mark(&self->v[0], &fresh));
	ASSERT_EQ(0, get_info(&self->v[0], &b));
	ASSERT_EQ(2U, b.info.count);
	EXPECT_EQ(VFIO_PCI_HOT_RESET_FLAG_DEV_ID | owned, b.info.flags);
	EXPECT_LT(0, (int)b.device[0].devid);
	EXPECT_EQ(VFIO_PCI_DEVID_OWNED, (int)b.device[1].devid);
	EXPECT_EQ(-EPERM, vdev_open(&self->v[1], &self->slot[1], VDEV_CDEV));
	EXPECT_EQ(0, hot_reset(&self->v[0], 0, NULL));
	EXPECT_TRUE(is_fresh(&self->v[0], fresh));

	/* Without a driver of VFIO it is nobody's. */
	ASSERT_EQ(0, vdev_unbind(self->slot[1].bdf));
	ASSERT_EQ(0, mark(&self->v[0], &fresh));
	ASSERT_EQ(0, get_info(&self->v[0], &b));
	EXPECT_EQ((uint32_t)VFIO_PCI_HOT_RESET_FLAG_DEV_ID, b.info.flags);
	EXPECT_EQ(VFIO_PCI_DEVID_NOT_OWNED, (int)b.device[1].devid);
	EXPECT_EQ(-EINVAL, hot_reset(&self->v[0], 0, NULL));
	EXPECT_FALSE(is_fresh(&self->v[0], fresh));
}

TEST_HARNESS_MAIN
