// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that have what QEMU's usual ones have not: vital product data, the capability
 * Advanced Features, a ROM that is a copy in memory; and those that vpv_pci does not take.
 *
 * Groups: functions stable
 */
#include "lib/log.h"
#include "lib/stock.h"
#include "lib/test.h"
#include "lib/vf.h"

#define PLAIN		"plain"		/* tools/models/plain.c: the second one is denied, */
#define AF_INDEX	2		/* the third one has no other reset than that, */
#define BROKEN_INDEX	3		/* the fourth one has D1 and D2, and a broken INTx */
#define TEST_PF		"vpv_test_pf"
#define VPD_BYTES	58
#define VPD_RW		40		/* a dword of the asset tag */
#define ROM		VFIO_PCI_ROM_REGION_INDEX
#define SHADOW_BYTES	0x20000

/* With each driver, which have to show the same. */
FIXTURE(special)
{
	struct slot slot[BROKEN_INDEX + 1];
	struct vdev v;
};

FIXTURE_VARIANT(special)
{
	const char *driver;
};

FIXTURE_VARIANT_ADD(special, vpv_pci) { .driver = "vpv_pci" };
FIXTURE_VARIANT_ADD(special, vfio_pci) { .driver = "vfio-pci" };

FIXTURE_SETUP(special)
{
	self->v.fd = self->v.group = self->v.iommu = -1;
	if (!strcmp(variant->driver, "vfio-pci") && system("modprobe vfio-pci"))
		SKIP(return, "vfio-pci cannot be loaded");
}

FIXTURE_TEARDOWN(special)
{
	vdev_close(&self->v);
	vdev_unbind(self->slot[0].bdf);
}

/* ---- Vital product data ---- */

/* Begin a transfer and wait for its end; -ETIMEDOUT if that does not come. */
static int vpd_transfer(struct vdev *v, unsigned int cap, unsigned int addr, bool write)
{
	const unsigned int flag = write ? PCI_VPD_ADDR_F : 0;
	int err = vdev_cfg_set(v, cap + PCI_VPD_ADDR, 2, addr | flag);

	for (int i = 0; i < 20 && !err; i++) {
		if ((vdev_cfg(v, cap + PCI_VPD_ADDR, 2) & PCI_VPD_ADDR_F) != flag)
			return 0;
		usleep(1000);
	}
	return err ?: -ETIMEDOUT;
}

TEST_F(special, vital_product_data)
{
	const uint32_t text = 0x34333231;
	uint8_t all[VPD_BYTES + 4] = {}, host[VPD_BYTES + 4] = {};
	unsigned int cap;
	int fd;

	if (slots_find(PLAIN, self->slot, 1) != 1)
		SKIP(return, "no function of the model " PLAIN " in /vpv/devices");
	ASSERT_EQ(0, vdev_bind(self->slot[0].bdf, variant->driver));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot[0], VDEV_GROUP));
	cap = vdev_find_cap(&self->v, PCI_CAP_ID_VPD);
	ASSERT_NE(0U, cap);
	fd = vdev_sysfs_open(self->slot[0].bdf, "vpd", O_RDWR);
	ASSERT_GE(fd, 0);

	/* The host's own view, and the user's; behind the end are zeroes. */
	ASSERT_EQ(VPD_BYTES, pread(fd, host, sizeof(host), 0));
	EXPECT_EQ(0, memcmp(host + 3, "plain model", 11));
	for (unsigned int i = 0; i < VPD_BYTES; i += 4) {
		uint32_t data;

		ASSERT_EQ(0, vpd_transfer(&self->v, cap, i, false));
		data = vdev_cfg(&self->v, cap + PCI_VPD_DATA, 4);
		memcpy(all + i, &data, 4);
	}
	EXPECT_EQ(0, memcmp(all, host, sizeof(all)));

	ASSERT_EQ(0, vdev_cfg_set(&self->v, cap + PCI_VPD_DATA, 4, text));
	ASSERT_EQ(0, vpd_transfer(&self->v, cap, VPD_RW, true));
	ASSERT_EQ(4, pread(fd, host, 4, VPD_RW));
	EXPECT_EQ(0, memcmp(host, &text, 4));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, cap + PCI_VPD_DATA, 4, 0));
	ASSERT_EQ(0, vpd_transfer(&self->v, cap, VPD_RW, false));
	EXPECT_EQ(text, vdev_cfg(&self->v, cap + PCI_VPD_DATA, 4));

	/* Nothing is written there. */
	EXPECT_EQ(-ETIMEDOUT, vpd_transfer(&self->v, cap, VPD_BYTES + 2, true));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, cap + PCI_VPD_DATA, 4, 0x30303030));
	ASSERT_EQ(0, vpd_transfer(&self->v, cap, VPD_RW, true));
	close(fd);
}

/* ---- A ROM that is a copy in memory ---- */

TEST_F(special, shadow_rom)
{
	static uint8_t user[SHADOW_BYTES], host[SHADOW_BYTES];
	struct vfio_region_info info;
	long bytes;
	int fd;

	if (slots_find("vga", self->slot, 1) != 1)
		SKIP(return, "no vga in /vpv/stock");
	ASSERT_EQ(0, vdev_bind(self->slot[0].bdf, variant->driver));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot[0], VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
	ASSERT_EQ(0, vdev_region(&self->v, ROM, &info));
	EXPECT_EQ((uint32_t)VFIO_REGION_INFO_FLAG_READ, info.flags);
	EXPECT_EQ(SHADOW_BYTES, info.size);
	bytes = vdev_pread(&self->v, ROM, 0, user, sizeof(user));
	EXPECT_EQ(SHADOW_BYTES, bytes);
	EXPECT_EQ(0x55, user[0]);
	EXPECT_EQ(0xaa, user[1]);

	/* The host reads as far as the image goes. */
	fd = vdev_sysfs_open(self->slot[0].bdf, "rom", O_RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(1, write(fd, "1", 1));
	for (bytes = 0; bytes < SHADOW_BYTES; ) {
		ssize_t n = pread(fd, host + bytes, SHADOW_BYTES - bytes, bytes);

		if (n <= 0)
			break;
		bytes += n;
	}
	EXPECT_LE(512, bytes);
	EXPECT_EQ(0, memcmp(user, host, bytes));
	close(fd);
}

/* ---- Denylist ---- */

TEST(denylist)
{
	struct slot slot[2];
	char driver[64] = "?";
	struct vdev v;
	int log;

	if (slots_find(PLAIN, slot, 2) != 2)
		SKIP(return, "needs two functions of the model " PLAIN " in /vpv/devices");
	log = log_mark();
	EXPECT_EQ(-ENODEV, vdev_bind(slot[1].bdf, "vpv_pci"));
	EXPECT_EQ(0, vdev_driver(slot[1].bdf, driver, sizeof(driver)));
	EXPECT_STREQ("", driver);
	EXPECT_EQ(1, log_count(log, "is on the denylist", NULL, 0));

	ASSERT_EQ(0, vpv_pci_load("disable_denylist=1"));
	EXPECT_EQ(0, vdev_bind(slot[1].bdf, "vpv_pci"));
	EXPECT_EQ(1, log_count(log, "is on the denylist, which is disabled", NULL, 0));
	EXPECT_EQ(0, vdev_open(&v, &slot[1], VDEV_GROUP));
	vdev_close(&v);
	EXPECT_EQ(0, vpv_pci_load(""));
	close(log);
}

/* ---- INTx that is known to be broken ---- */

/* Nobody can tell whether it is pending, so the function may never raise it. */
TEST_F(special, broken_intx_stays_off)
{
	const uint16_t all = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE;
	uint16_t cmd = 0;
	uint32_t user;
	int config;

	if (slots_find(PLAIN, self->slot, BROKEN_INDEX + 1) != BROKEN_INDEX + 1)
		SKIP(return, "no function of the model " PLAIN " with a broken INTx in /vpv/devices");
	self->slot[0] = self->slot[BROKEN_INDEX];
	ASSERT_EQ(0, vdev_bind(self->slot[0].bdf, variant->driver));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot[0], VDEV_GROUP));
	config = vdev_sysfs_open(self->slot[0].bdf, "config", O_RDWR);
	ASSERT_GE(config, 0);
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	ASSERT_EQ(2, pread(config, &cmd, 2, PCI_COMMAND));
	EXPECT_TRUE(cmd & PCI_COMMAND_INTX_DISABLE);

	/* A reset that only the function knows of; the user sets it up again. */
	user = vdev_cfg(&self->v, PCI_COMMAND, 2);
	cmd = 0;
	ASSERT_EQ(2, pwrite(config, &cmd, 2, PCI_COMMAND));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, user));
	ASSERT_EQ(2, pread(config, &cmd, 2, PCI_COMMAND));
	EXPECT_EQ(all, cmd & all);
	close(config);
}

/* ---- D1 and D2 ---- */

/*
 * Both drivers let the user go on.  vpv_pci gives the ones that a bus would give; vfio-pci asks
 * the function, and QEMU, which is the bus here, gives zeroes instead.
 */
TEST_F(special, no_answer_in_d1_and_d2)
{
	const uint32_t none = strcmp(variant->driver, "vpv_pci") ? 0 : UINT32_MAX;
	const uint32_t mark = 0x600dcafe;
	volatile uint32_t *regs;
	unsigned int pm;
	uint32_t val;

	if (slots_find(PLAIN, self->slot, BROKEN_INDEX + 1) != BROKEN_INDEX + 1)
		SKIP(return, "no function of the model " PLAIN " with d1d2=1 in /vpv/devices");
	self->slot[0] = self->slot[BROKEN_INDEX];
	ASSERT_EQ(0, vdev_bind(self->slot[0].bdf, variant->driver));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot[0], VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
	pm = vdev_find_cap(&self->v, PCI_CAP_ID_PM);
	ASSERT_NE(0U, pm);
	regs = vdev_bar_map(&self->v, 0, 4096);
	ASSERT_NE(NULL, regs);
	regs[4] = mark;
	for (unsigned int state = 1; state <= 2; state++) {
		ASSERT_EQ(0, vdev_cfg_set(&self->v, pm + PCI_PM_CTRL, 2, state));
		EXPECT_EQ(state, vdev_cfg(&self->v, pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);
		EXPECT_EQ(4, vdev_pread(&self->v, 0, 16, &val, 4));
		EXPECT_EQ(none, val);
		EXPECT_EQ(0, bar_set(&self->v, 0, 16, state));
		EXPECT_EQ(none, regs[4]);
		EXPECT_EQ(none, regs[1023]);
		regs[4] = state;
		ASSERT_EQ(0, vdev_cfg_set(&self->v, pm + PCI_PM_CTRL, 2, 0));
		EXPECT_EQ(mark, regs[4]);
		EXPECT_EQ(mark, bar_get(&self->v, 0, 16));
	}
	/* Memory disabled, he is refused; so he is in D3hot. */
	ASSERT_EQ(0, vdev_cfg_set(&self->v, pm + PCI_PM_CTRL, 2, 1));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, 0));
	EXPECT_EQ(-EIO, bar_set(&self->v, 0, 16, 0));
	munmap((void *)regs, 4096);
}

/* ---- What is no device, or has VFs already ---- */

/* By name, so that the driver's errno comes back. */
static int bind_by_name(const struct slot *slot, const char *driver)
{
	char path[128];
	int err = vdev_unbind(slot->bdf);

	err = err ?: vdev_override(slot->bdf, driver);
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	return err ?: sysfs_write(path, slot->bdf);
}

static bool is_unbound(const struct slot *slot)
{
	char driver[64];

	return !vdev_driver(slot->bdf, driver, sizeof(driver)) && !driver[0];
}

TEST(bridges_are_refused)
{
	int log = log_mark();
	struct slot bridge;

	if (slots_find("bridge", &bridge, 1) != 1)
		SKIP(return, "no bridge in /vpv/stock");
	EXPECT_EQ(-EINVAL, bind_by_name(&bridge, "vpv_pci"));
	EXPECT_TRUE(is_unbound(&bridge));
	EXPECT_EQ(1, log_count(log, "is not that of a device", NULL, 0));
	close(log);
}

/* Another driver has made them and left them. */
TEST(a_pf_with_vfs_is_refused)
{
	int log = log_mark();
	struct slot pf, vf;

	if (access("/sys/bus/pci/drivers/" TEST_PF, F_OK))
		SKIP(return, TEST_PF " is not loaded");
	if (slots_find("igb", &pf, 1) != 1)
		SKIP(return, "no igb in /vpv/stock");
	ASSERT_EQ(0, bind_by_name(&pf, TEST_PF));
	ASSERT_EQ(0, vf_set_num(&pf, 1));
	EXPECT_EQ(-EBUSY, bind_by_name(&pf, "vpv_pci"));
	EXPECT_TRUE(is_unbound(&pf));
	EXPECT_EQ(1, log_count(log, "has 1 VFs already", NULL, 0));

	/* And that is all that is wrong with it. */
	ASSERT_EQ(0, vf_find(&pf, 0, &vf));
	ASSERT_EQ(0, bind_by_name(&pf, TEST_PF));
	ASSERT_EQ(0, vf_set_num(&pf, 0));
	EXPECT_EQ(0, bind_by_name(&pf, "vpv_pci"));
	close(log);
}

/* ---- A reset by Advanced Features ---- */

TEST_F(special, advanced_features_flr)
{
	const uint32_t mark = 0x600dcafe;
	unsigned int cap;

	if (slots_find(PLAIN, self->slot, AF_INDEX + 1) != AF_INDEX + 1)
		SKIP(return, "no function of the model " PLAIN " with af=1 in /vpv/devices");
	self->slot[0] = self->slot[AF_INDEX];
	ASSERT_EQ(0, vdev_bind(self->slot[0].bdf, variant->driver));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot[0], VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
	cap = vdev_find_cap(&self->v, PCI_CAP_ID_AF);
	ASSERT_NE(0U, cap);
	EXPECT_EQ(PCI_AF_CAP_TP | PCI_AF_CAP_FLR, vdev_cfg(&self->v, cap + PCI_AF_CAP, 1));

	ASSERT_EQ(0, bar_set(&self->v, 0, 0, mark));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, cap + PCI_AF_CTRL, 1, 0));
	EXPECT_EQ(mark, bar_get(&self->v, 0, 0));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, cap + PCI_AF_CTRL, 1, PCI_AF_CTRL_FLR));
	EXPECT_EQ(0U, bar_get(&self->v, 0, 0));
	EXPECT_EQ(0U, vdev_cfg(&self->v, cap + PCI_AF_CTRL, 1));

	/* The other way into the same reset. */
	ASSERT_EQ(0, bar_set(&self->v, 0, 0, mark));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0U, bar_get(&self->v, 0, 0));
}

TEST_HARNESS_MAIN
