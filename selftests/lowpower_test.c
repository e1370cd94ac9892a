// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that sleep: while nobody has them open, and when their user asks for low
 * power.  Accesses wake them, mappings do not.
 *
 * Groups: self stable
 */
#include "lib/sigbus.h"
#include "lib/test.h"

#define ENTRY	VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
#define WAKEUP	VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
#define EXIT	VFIO_DEVICE_FEATURE_LOW_POWER_EXIT
#define SET	VFIO_DEVICE_FEATURE_SET
#define GET	VFIO_DEVICE_FEATURE_GET
#define PROBE	VFIO_DEVICE_FEATURE_PROBE

FIXTURE(power)
{
	struct slot slot;
	struct vdev v;
	struct hisil h;
};

VARIANTS_OF_OPENING(power);

FIXTURE_SETUP(power)
{
	NEED_MODE(variant->mode);
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, hisil_init(&self->h));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
}

FIXTURE_TEARDOWN(power)
{
	hisil_free(&self->h);
	vdev_close(&self->v);
}

static int enter(struct vdev *v)
{
	return vdev_feature(v, SET | ENTRY, NULL, 0);
}

static int enter_with_wakeup(struct vdev *v, int fd)
{
	struct vfio_device_low_power_entry_with_wakeup entry = { .wakeup_eventfd = fd };

	return vdev_feature(v, SET | WAKEUP, &entry, sizeof(entry));
}

static int leave(struct vdev *v)
{
	return vdev_feature(v, SET | EXIT, NULL, 0);
}

TEST_F(power, closed_functions_sleep)
{
	char state[32];

	EXPECT_TRUE(vdev_pm_becomes(self->slot.bdf, "active"));
	vdev_close(&self->v);
	EXPECT_TRUE(vdev_pm_becomes(self->slot.bdf, "suspended"));
	ASSERT_EQ(0, vdev_sysfs_read(self->slot.bdf, "power_state", state, sizeof(state)));
	EXPECT_STREQ("D3hot", state);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	EXPECT_TRUE(vdev_pm_becomes(self->slot.bdf, "active"));
}

TEST_F(power, accesses_wake_mappings_do_not)
{
	struct vdev *v = &self->v;
	uint32_t id;

	ASSERT_EQ(0, hisil_attach(&self->h, v));
	EXPECT_FALSE(sigbus_faults(self->h.regs));
	for (unsigned int round = 0; round < 2; round++) {
		ASSERT_EQ(0, enter(v));
		EXPECT_TRUE(vdev_pm_becomes(v->slot.bdf, "suspended"));
		EXPECT_TRUE(sigbus_faults(self->h.regs));
		EXPECT_EQ(0x1234U, vdev_cfg(v, PCI_VENDOR_ID, 2));
		EXPECT_EQ(4, vdev_pread(v, HISIL_BAR, HISIL_ID, &id, 4));
		EXPECT_EQ(HISIL_ID_VALUE, id);
		EXPECT_EQ(0, vdev_bus_master(v, true));
		EXPECT_TRUE(vdev_pm_becomes(v->slot.bdf, "suspended"));
		EXPECT_TRUE(sigbus_faults(self->h.regs));
		ASSERT_EQ(0, leave(v));
		EXPECT_TRUE(vdev_pm_becomes(v->slot.bdf, "active"));
		EXPECT_FALSE(sigbus_faults(self->h.regs));
		EXPECT_NE(0U, vdev_cfg(v, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
	}
}

TEST_F(power, interrupts_survive)
{
	struct hisil *h = &self->h;
	struct hisil_cqe c;
	struct hisil_sqe e = hisil_op(HISIL_NOP, 1, 0, 0, 0, 0);

	ASSERT_EQ(0, hisil_share(h, &self->v));
	ASSERT_EQ(0, hisil_attach(h, &self->v));
	ASSERT_EQ(0, hisil_irq_enable(h, 2));
	/* Memory off: waking restores the MSI-X table nevertheless. */
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, 0));
	ASSERT_EQ(0, enter(&self->v));
	EXPECT_TRUE(vdev_pm_becomes(self->slot.bdf, "suspended"));
	ASSERT_EQ(0, leave(&self->v));
	EXPECT_EQ(0U, vdev_cfg(&self->v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	ASSERT_EQ(0, hisil_enable(h));
	ASSERT_EQ(0, hisil_queue_start(h, 1, 4, true));
	e.flags = HISIL_SQE_IRQ;
	ASSERT_EQ(0, hisil_do(h, 1, &e, &c));
	EXPECT_EQ(1, eventfd_wait(h->irq[1], 2000));
}

TEST_F(power, wakeup_is_told_once)
{
	struct vdev *v = &self->v;
	int fd = eventfd_new();

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, hisil_attach(&self->h, v));
	ASSERT_EQ(0, enter_with_wakeup(v, fd));
	EXPECT_TRUE(vdev_pm_becomes(v->slot.bdf, "suspended"));
	EXPECT_EQ(0, eventfd_wait(fd, 0));
	/* By the host, as a PME would. */
	ASSERT_EQ(0, vdev_sysfs_write(v->slot.bdf, "power/control", "on"));
	EXPECT_EQ(1, eventfd_wait(fd, 5000));
	EXPECT_FALSE(sigbus_faults(self->h.regs));
	ASSERT_EQ(0, vdev_sysfs_write(v->slot.bdf, "power/control", "auto"));
	EXPECT_TRUE(vdev_pm_becomes(v->slot.bdf, "active"));
	EXPECT_EQ(0, leave(v));

	/* By an access, which ends it as well. */
	ASSERT_EQ(0, enter_with_wakeup(v, fd));
	EXPECT_TRUE(vdev_pm_becomes(v->slot.bdf, "suspended"));
	EXPECT_EQ(0x1234U, vdev_cfg(v, PCI_VENDOR_ID, 2));
	EXPECT_EQ(1, eventfd_wait(fd, 5000));
	EXPECT_FALSE(sigbus_faults(self->h.regs));
	EXPECT_EQ(0, eventfd_wait(fd, 0));

	/* Without any waking in between nobody is told. */
	ASSERT_EQ(0, enter_with_wakeup(v, fd));
	hisil_detach(&self->h);
	vdev_close(v);
	ASSERT_EQ(0, vdev_open(v, &self->slot, variant->mode));
	EXPECT_EQ(0, eventfd_wait(fd, 0));
	close(fd);
}

TEST_F(power, left_in_low_power)
{
	ASSERT_EQ(0, enter(&self->v));
	EXPECT_TRUE(vdev_pm_becomes(self->slot.bdf, "suspended"));
	vdev_close(&self->v);
	EXPECT_TRUE(vdev_pm_becomes(self->slot.bdf, "suspended"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	ASSERT_EQ(0, hisil_attach(&self->h, &self->v));
	EXPECT_FALSE(sigbus_faults(self->h.regs));
	/* Reset while asleep. */
	ASSERT_EQ(0, enter(&self->v));
	EXPECT_TRUE(vdev_pm_becomes(self->slot.bdf, "suspended"));
	EXPECT_EQ(0, vdev_reset(&self->v));
	EXPECT_TRUE(sigbus_faults(self->h.regs));
	EXPECT_EQ(0, leave(&self->v));
	EXPECT_FALSE(sigbus_faults(self->h.regs));
}

TEST_F(power, refuses_nonsense)
{
	const struct {
		uint32_t flags;
		int fd;
		size_t bytes;
		int err;
	} rows[] = {
		{ PROBE | SET | ENTRY, 0, 0, 0 },
		{ PROBE | SET | WAKEUP, 0, 0, 0 },
		{ PROBE | SET | EXIT, 0, 0, 0 },
		{ PROBE | GET | ENTRY, 0, 0, -EINVAL },
		{ GET | ENTRY, 0, 0, -EINVAL },
		{ GET | WAKEUP, 0, 8, -EINVAL },
		{ SET | WAKEUP, 0, 0, -EINVAL },
		{ SET | WAKEUP, -1, 8, -EINVAL },
		{ SET | WAKEUP, 12345, 8, -EBADF },
		{ SET | WAKEUP, 1, 8, -EINVAL },
		{ SET | EXIT, 0, 0, 0 },
		{ SET | ENTRY, 0, 0, 0 },
		{ SET | ENTRY, 0, 0, -EINVAL },
		{ SET | EXIT, 0, 0, 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vfio_device_low_power_entry_with_wakeup entry = {
			.wakeup_eventfd = rows[i].fd,
		};

		EXPECT_EQ(rows[i].err, vdev_feature(&self->v, rows[i].flags, &entry,
						    rows[i].bytes))
			TH_LOG("row %u", i);
	}
}

/* ---- INTx, on a function that has both it and D states ---- */

#define E1000E_ICR	0xc0
#define E1000E_ICS	0xc8
#define E1000E_IMS	0xd0
#define E1000E_LSC	4

static int raise_intx(struct vdev *v)
{
	const uint32_t lsc = E1000E_LSC;
	long n = vdev_pwrite(v, 0, E1000E_IMS, &lsc, 4);

	return n == 4 && vdev_pwrite(v, 0, E1000E_ICS, &lsc, 4) == 4 ? 0 : -EIO;
}

static int lower_intx(struct vdev *v)
{
	struct {
		struct vfio_irq_set set;
	} b = { .set = { sizeof(b.set), VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
			 VFIO_PCI_INTX_IRQ_INDEX, 0, 1 } };
	uint32_t icr;

	if (vdev_pread(v, 0, E1000E_ICR, &icr, 4) != 4)
		return -EIO;
	return ioctl(v->fd, VFIO_DEVICE_SET_IRQS, &b) ? -errno : 0;
}

TEST(intx_survives)
{
	int fd = eventfd_new();
	struct slot slot;
	struct vdev v;

	if (slots_find("e1000e", &slot, 1) != 1)
		SKIP(return, "no e1000e in /vpv/stock");
	ASSERT_EQ(0, vdev_bind(slot.bdf, "vpv_pci"));
	ASSERT_EQ(0, vdev_open(&v, &slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&v, false));
	ASSERT_EQ(0, vdev_irq_eventfds(&v, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &fd));
	ASSERT_EQ(0, raise_intx(&v));
	EXPECT_EQ(1, eventfd_wait(fd, 2000));
	ASSERT_EQ(0, lower_intx(&v));

	ASSERT_EQ(0, vdev_feature(&v, SET | ENTRY, NULL, 0));
	EXPECT_TRUE(vdev_pm_becomes(slot.bdf, "suspended"));
	EXPECT_EQ(0, eventfd_wait(fd, 0));
	ASSERT_EQ(0, vdev_feature(&v, SET | EXIT, NULL, 0));
	ASSERT_EQ(0, raise_intx(&v));
	EXPECT_EQ(1, eventfd_wait(fd, 2000));
	/* Masked by that interrupt before it sleeps: so it wakes up. */
	ASSERT_EQ(0, vdev_feature(&v, SET | ENTRY, NULL, 0));
	EXPECT_TRUE(vdev_pm_becomes(slot.bdf, "suspended"));
	ASSERT_EQ(0, vdev_feature(&v, SET | EXIT, NULL, 0));
	EXPECT_EQ(0, eventfd_wait(fd, 50));
	ASSERT_EQ(0, lower_intx(&v));
	ASSERT_EQ(0, raise_intx(&v));
	EXPECT_EQ(1, eventfd_wait(fd, 2000));
	vdev_close(&v);
	close(fd);
}

TEST_HARNESS_MAIN
