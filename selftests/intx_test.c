// SPDX-License-Identifier: GPL-2.0
/*
 * The legacy interrupt and MSI, as devices raise them: QEMU's edu, which holds its
 * line until it is told, and e1000e.
 *
 * Groups: self stable
 */
#include "lib/test.h"
#include "lib/stock.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX

#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER
#define MASK	VFIO_IRQ_SET_ACTION_MASK
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD	VFIO_IRQ_SET_DATA_EVENTFD

/* Long enough for an interrupt to arrive, and to be sure that none does. */
#define SOON_MS	5000
#define NEVER_MS 50

static int raise_edu(struct vdev *v)
{
	return bar_set(v, 0, EDU_IRQ_RAISE, 1);
}

static int ack_edu(struct vdev *v)
{
	return bar_set(v, 0, EDU_IRQ_ACK, bar_get(v, 0, EDU_IRQ_STATUS));
}

static int command_bit(struct vdev *v, uint32_t bit, bool on)
{
	uint32_t cmd = vdev_cfg(v, PCI_COMMAND, 2);

	return vdev_cfg_set(v, PCI_COMMAND, 2, on ? cmd | bit : cmd & ~bit);
}

FIXTURE(edu)
{
	struct slot slot;
	struct vdev v;
	int event;
};

FIXTURE_SETUP(edu)
{
	NEED_STOCK("edu", &self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, command_bit(&self->v, PCI_COMMAND_MEMORY, true));
	ASSERT_EQ(EDU_ID_VALUE, bar_get(&self->v, 0, EDU_ID));
	ASSERT_EQ(0, ack_edu(&self->v));
	self->event = eventfd_new();
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(edu)
{
	vdev_close(&self->v);
	close(self->event);
}

TEST_F(edu, irq_info)
{
	struct vfio_irq_info info;

	ASSERT_EQ(0, vdev_irq(&self->v, INTX, &info));
	EXPECT_EQ(1U, info.count);
	EXPECT_EQ((uint32_t)(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
			     VFIO_IRQ_INFO_AUTOMASKED), info.flags);
	ASSERT_EQ(0, vdev_irq(&self->v, MSI, &info));
	EXPECT_EQ(1U, info.count);
	ASSERT_EQ(0, vdev_irq(&self->v, MSIX, &info));
	EXPECT_EQ(0U, info.count);
}

TEST_F(edu, intx_comes_once_until_it_is_unmasked)
{
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));

	ASSERT_EQ(0, raise_edu(&self->v));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));

	/* The line is still held: unmasking tells at once, and masks again. */
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK, 0));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));

	ASSERT_EQ(0, ack_edu(&self->v));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK, 0));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));
	ASSERT_EQ(0, raise_edu(&self->v));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
}

TEST_F(edu, intx_masked_by_the_user_waits)
{
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));
	/* DATA_BOOL with 0 is no request. */
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, MASK | BOOL, 0));
	ASSERT_EQ(0, raise_edu(&self->v));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
	ASSERT_EQ(0, ack_edu(&self->v));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK | BOOL, 1));

	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, MASK | BOOL, 1));
	ASSERT_EQ(0, raise_edu(&self->v));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK | BOOL, 0));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK, 0));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));

	EXPECT_EQ(-ENOTTY, vdev_irq_one(&self->v, INTX, MASK | EVENTFD, self->event));
}

TEST_F(edu, intx_unmask_eventfd)
{
	int unmask = eventfd_new();
	uint64_t one = 1;

	ASSERT_LE(0, unmask);
	EXPECT_EQ(-EINVAL, vdev_irq_one(&self->v, INTX, UNMASK | EVENTFD, unmask));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK | EVENTFD, unmask));
	EXPECT_EQ(-EBUSY, vdev_irq_one(&self->v, INTX, UNMASK | EVENTFD, unmask));

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, raise_edu(&self->v));
		ASSERT_TRUE(eventfd_wait(self->event, SOON_MS));
		/* Still held: it comes again. */
		ASSERT_EQ(8, write(unmask, &one, 8));
		ASSERT_TRUE(eventfd_wait(self->event, SOON_MS));
		ASSERT_EQ(0, ack_edu(&self->v));
		ASSERT_EQ(8, write(unmask, &one, 8));
		ASSERT_FALSE(eventfd_wait(self->event, NEVER_MS));
	}

	/* When it is none any more, it does nothing. */
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK | EVENTFD, -1));
	ASSERT_EQ(0, raise_edu(&self->v));
	ASSERT_TRUE(eventfd_wait(self->event, SOON_MS));
	ASSERT_EQ(8, write(unmask, &one, 8));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));
	close(unmask);
}

TEST_F(edu, intx_follows_interrupt_disable)
{
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));
	ASSERT_EQ(0, command_bit(&self->v, PCI_COMMAND_INTX_DISABLE, true));
	ASSERT_EQ(0, raise_edu(&self->v));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));
	/* Not unmasked by SET_IRQS either. */
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK, 0));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));
	EXPECT_TRUE(vdev_cfg(&self->v, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	ASSERT_EQ(0, command_bit(&self->v, PCI_COMMAND_INTX_DISABLE, false));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
}

TEST_F(edu, intx_eventfd_is_exchanged_and_released)
{
	int other = eventfd_new();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, other));
	ASSERT_EQ(0, raise_edu(&self->v));
	EXPECT_TRUE(eventfd_wait(other, SOON_MS));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));

	/* Nobody is told, but the line is still ours to mask. */
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, -1));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK, 0));
	EXPECT_FALSE(eventfd_wait(other, NEVER_MS));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, other));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK, 0));
	EXPECT_TRUE(eventfd_wait(other, SOON_MS));

	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, INTX, 0, 0, NULL));
	EXPECT_EQ(-EINVAL, vdev_irq_one(&self->v, INTX, UNMASK, 0));
	EXPECT_EQ(-EINVAL, vdev_irq_eventfds(&self->v, INTX, 0, 0, NULL));
	close(other);
}

TEST_F(edu, intx_loopback)
{
	EXPECT_EQ(-EINVAL, vdev_irq_one(&self->v, INTX, TRIGGER, 0));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER, 0));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | BOOL, 0));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | BOOL, 1));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
}

TEST_F(edu, msi_then_intx)
{
	uint8_t one = 1;

	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, MSI, 0, 1, &self->event));
	EXPECT_EQ(-EINVAL, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));

	/* A message is sent each time, with nothing to unmask. */
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, raise_edu(&self->v));
		EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
		EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));
		ASSERT_EQ(0, ack_edu(&self->v));
	}
	ASSERT_EQ(0, vdev_irq_bool(&self->v, MSI, 0, 1, &one));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
	EXPECT_EQ(-ENOTTY, vdev_irq_one(&self->v, MSI, MASK, 0));
	EXPECT_EQ(-EINVAL, vdev_irq_eventfds(&self->v, MSI, 1, 1, &self->event));

	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, MSI, 0, 0, NULL));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));
	EXPECT_EQ(-EINVAL, vdev_irq_eventfds(&self->v, MSI, 0, 1, &self->event));
	ASSERT_EQ(0, raise_edu(&self->v));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
}

TEST_F(edu, interrupts_of_a_closed_function_are_gone)
{
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));
	ASSERT_EQ(0, raise_edu(&self->v));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
	vdev_close(&self->v);
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));

	/* The line is not left masked for the next user. */
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, command_bit(&self->v, PCI_COMMAND_MEMORY, true));
	ASSERT_EQ(0, ack_edu(&self->v));
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));
	ASSERT_EQ(0, raise_edu(&self->v));
	EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
}

/* Two functions on one line of the interrupt controller. */
FIXTURE(shared)
{
	struct slot slots[2];
	struct vdev v[2];
	int event[2];
};

static int line_of(const struct slot *slot)
{
	char text[16];

	return vdev_sysfs_read(slot->bdf, "irq", text, sizeof(text)) ? -1 : atoi(text);
}

/* Interrupts of a line that no handler knew, in the kernel's last 100,000. */
static int unknown_of(const struct slot *slot)
{
	char path[64];
	int unknown;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/irq/%d/spurious", line_of(slot));
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (fscanf(file, "count %*u unhandled %d", &unknown) != 1)
		unknown = -1;
	fclose(file);
	return unknown;
}

FIXTURE_SETUP(shared)
{
	NEED_STOCK("edu", self->slots, 2);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slots[i], VDEV_GROUP));
		ASSERT_EQ(0, command_bit(&self->v[i], PCI_COMMAND_MEMORY, true));
		ASSERT_EQ(0, ack_edu(&self->v[i]));
		self->event[i] = eventfd_new();
		ASSERT_EQ(0, vdev_irq_one(&self->v[i], INTX, TRIGGER | EVENTFD,
					  self->event[i]));
	}
	ASSERT_EQ(line_of(&self->slots[0]), line_of(&self->slots[1]))
		TH_LOG("the lab has to put both in slots with the same line");
}

FIXTURE_TEARDOWN(shared)
{
	for (int i = 0; i < 2; i++) {
		vdev_close(&self->v[i]);
		close(self->event[i]);
	}
}

TEST_F(shared, each_function_tells_its_own_user)
{
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, raise_edu(&self->v[i]));
		EXPECT_TRUE(eventfd_wait(self->event[i], SOON_MS));
		EXPECT_FALSE(eventfd_wait(self->event[!i], NEVER_MS));
		ASSERT_EQ(0, ack_edu(&self->v[i]));
		ASSERT_EQ(0, vdev_irq_one(&self->v[i], INTX, UNMASK, 0));
	}
}

TEST_F(shared, one_held_and_masked_does_not_hold_up_the_other)
{
	ASSERT_EQ(0, raise_edu(&self->v[0]));
	EXPECT_TRUE(eventfd_wait(self->event[0], SOON_MS));
	ASSERT_EQ(0, raise_edu(&self->v[1]));
	EXPECT_TRUE(eventfd_wait(self->event[1], SOON_MS));
	EXPECT_FALSE(eventfd_wait(self->event[0], NEVER_MS));
	/* Nobody listens any more, and then it is gone altogether: its line still held. */
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v[0], INTX, 0, 0, NULL));
	usleep(200 * 1000);
	vdev_close(&self->v[0]);
	usleep(200 * 1000);
	EXPECT_LE(0, unknown_of(&self->slots[1]));
	EXPECT_GT(1000, unknown_of(&self->slots[1]));
	ASSERT_EQ(0, ack_edu(&self->v[1]));
	ASSERT_EQ(0, vdev_irq_one(&self->v[1], INTX, UNMASK, 0));
	EXPECT_FALSE(eventfd_wait(self->event[1], NEVER_MS));
	ASSERT_EQ(0, raise_edu(&self->v[1]));
	EXPECT_TRUE(eventfd_wait(self->event[1], SOON_MS));
}

static bool is_masked(int config)
{
	uint16_t cmd = 0;

	return pread(config, &cmd, 2, PCI_COMMAND) == 2 && (cmd & PCI_COMMAND_INTX_DISABLE);
}

/* As after a reset that only the function knows of. */
static bool unmask_behind_the_driver(int config)
{
	uint16_t cmd;

	if (pread(config, &cmd, 2, PCI_COMMAND) != 2)
		return false;
	cmd &= ~PCI_COMMAND_INTX_DISABLE;
	return pwrite(config, &cmd, 2, PCI_COMMAND) == 2;
}

TEST_F(shared, one_unmasked_behind_the_driver_does_not_hold_up_the_other)
{
	int config = vdev_sysfs_open(self->slots[0].bdf, "config", O_RDWR);

	ASSERT_LE(0, config);
	ASSERT_EQ(0, raise_edu(&self->v[0]));
	EXPECT_TRUE(eventfd_wait(self->event[0], SOON_MS));
	ASSERT_TRUE(is_masked(config));
	/* Held: it comes at once, and nobody has unmasked it. */
	ASSERT_TRUE(unmask_behind_the_driver(config));
	usleep(200 * 1000);
	EXPECT_TRUE(is_masked(config));
	EXPECT_FALSE(eventfd_wait(self->event[0], NEVER_MS));
	EXPECT_LE(0, unknown_of(&self->slots[1]));
	EXPECT_GT(1000, unknown_of(&self->slots[1]));
	ASSERT_EQ(0, raise_edu(&self->v[1]));
	EXPECT_TRUE(eventfd_wait(self->event[1], SOON_MS));
	/* Nothing was lost. */
	ASSERT_EQ(0, vdev_irq_one(&self->v[0], INTX, UNMASK, 0));
	EXPECT_TRUE(eventfd_wait(self->event[0], SOON_MS));
	close(config);
}

/* Without a handler there is only the user's next write of COMMAND to notice it by. */
TEST_F(shared, command_masks_again)
{
	int config = vdev_sysfs_open(self->slots[0].bdf, "config", O_RDWR);

	ASSERT_LE(0, config);
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v[0], INTX, 0, 0, NULL));
	ASSERT_TRUE(is_masked(config));
	ASSERT_TRUE(unmask_behind_the_driver(config));
	ASSERT_EQ(0, command_bit(&self->v[0], PCI_COMMAND_MASTER, true));
	EXPECT_TRUE(is_masked(config));
	ASSERT_EQ(0, raise_edu(&self->v[0]));
	usleep(200 * 1000);
	EXPECT_GT(1000, unknown_of(&self->slots[1]));
	ASSERT_EQ(0, raise_edu(&self->v[1]));
	EXPECT_TRUE(eventfd_wait(self->event[1], SOON_MS));
	ASSERT_EQ(0, ack_edu(&self->v[0]));

	/* And one that may raise it keeps that. */
	ASSERT_EQ(0, vdev_irq_one(&self->v[0], INTX, TRIGGER | EVENTFD, self->event[0]));
	ASSERT_EQ(0, command_bit(&self->v[0], PCI_COMMAND_MASTER, false));
	EXPECT_FALSE(is_masked(config));
	ASSERT_EQ(0, raise_edu(&self->v[0]));
	EXPECT_TRUE(eventfd_wait(self->event[0], SOON_MS));
	close(config);
}

/* e1000e: all three types in one function. */
FIXTURE(e1000e)
{
	struct slot slot;
	struct vdev v;
	int event;
};

FIXTURE_SETUP(e1000e)
{
	NEED_STOCK("e1000e", &self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	self->event = eventfd_new();
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(e1000e)
{
	vdev_close(&self->v);
	close(self->event);
}

static int raise_e1000e(struct vdev *v, uint32_t causes)
{
	bar_get(v, 0, E1000E_ICR);
	return bar_set(v, 0, E1000E_IMS, causes) ?: bar_set(v, 0, E1000E_ICS, causes);
}

TEST_F(e1000e, intx)
{
	ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, TRIGGER | EVENTFD, self->event));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, raise_e1000e(&self->v, E1000E_LSC));
		EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
		EXPECT_TRUE(bar_get(&self->v, 0, E1000E_ICR) & E1000E_LSC);
		ASSERT_EQ(0, vdev_irq_one(&self->v, INTX, UNMASK, 0));
		EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));
	}
}

TEST_F(e1000e, msi)
{
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, MSI, 0, 1, &self->event));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, raise_e1000e(&self->v, E1000E_LSC));
		EXPECT_TRUE(eventfd_wait(self->event, SOON_MS));
		EXPECT_TRUE(bar_get(&self->v, 0, E1000E_ICR) & E1000E_LSC);
	}
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, MSI, 0, 0, NULL));
	/* It may have come once more before the cause was read. */
	eventfd_wait(self->event, 0);
	ASSERT_EQ(0, raise_e1000e(&self->v, E1000E_LSC));
	EXPECT_FALSE(eventfd_wait(self->event, NEVER_MS));
}

TEST_F(e1000e, msix_vector_that_the_cause_is_routed_to)
{
	int fds[5];

	for (int i = 0; i < 5; i++)
		fds[i] = eventfd_new();
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, MSIX, 0, 5, fds));
	for (int vector = 0; vector < 5; vector++) {
		ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(vector)));
		ASSERT_EQ(0, raise_e1000e(&self->v, E1000E_LSC | E1000E_OTHER));
		EXPECT_TRUE(eventfd_wait(fds[vector], SOON_MS))
			TH_LOG("vector %d", vector);
		for (int i = vector + 1; i < 5; i++)
			EXPECT_FALSE(eventfd_wait(fds[i], 0));
		ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IMC, ~0U));
		bar_get(&self->v, 0, E1000E_ICR);
	}
	for (int i = 0; i < 5; i++)
		close(fds[i]);
}

/* ---- Messages after the function has forgotten them ---- */

static int by_reset(struct vdev *v)
{
	return vdev_reset(v);
}

static int by_flr(struct vdev *v)
{
	unsigned int exp = vdev_find_cap(v, PCI_CAP_ID_EXP);
	uint32_t ctl = vdev_cfg(v, exp + PCI_EXP_DEVCTL, 2);

	return vdev_cfg_set(v, exp + PCI_EXP_DEVCTL, 2, ctl | PCI_EXP_DEVCTL_BCR_FLR);
}

static int by_d3hot(struct vdev *v)
{
	unsigned int pm = vdev_find_cap(v, PCI_CAP_ID_PM);

	return vdev_cfg_set(v, pm + PCI_PM_CTRL, 2, 3) ?: vdev_cfg_set(v, pm + PCI_PM_CTRL, 2, 0);
}

static int by_hot_reset(struct vdev *v)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fd;
	} b = { .reset = { .argsz = sizeof(b) }, .fd = v->group };

	/* By a character device, what it resets is known without groups. */
	b.reset.count = v->mode == VDEV_GROUP;
	return ioctl(v->fd, VFIO_DEVICE_PCI_HOT_RESET, &b) ? -errno : 0;
}

static int by_sysfs(struct vdev *v)
{
	return vdev_sysfs_write(v->slot.bdf, "reset", "1");
}

static int by_low_power(struct vdev *v)
{
	int err = vdev_feature(v, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
			       NULL, 0);

	if (!err && !vdev_pm_becomes(v->slot.bdf, "suspended"))
		err = -ETIME;
	return err ?: vdev_feature(v, VFIO_DEVICE_FEATURE_SET |
				      VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0);
}

static int by_error(struct vdev *v)
{
	return error_step(&v->slot, "frozen") ?: error_step(&v->slot, "reset") ?:
	       error_step(&v->slot, "resume");
}

static int raise_vector_e1000e(struct vdev *v, unsigned int vector)
{
	/* Reading the causes clears them if none can interrupt. */
	return bar_set(v, 0, E1000E_IMC, ~0U) ?:
	       bar_set(v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(vector)) ?:
	       raise_e1000e(v, E1000E_LSC | E1000E_OTHER);
}

static int raise_vector_igb(struct vdev *v, unsigned int vector)
{
	return bar_set(v, 0, IGB_GPIE, IGB_GPIE_MSIX) ?: bar_set(v, 0, IGB_EICR, 1U << vector) ?:
	       bar_set(v, 0, IGB_EIMS, 1U << vector) ?: bar_set(v, 0, IGB_EICS, 1U << vector);
}

FIXTURE(restored)
{
	struct slot slot;
	struct vdev v;
	int event[2];
};

FIXTURE_VARIANT(restored)
{
	const char *name;
	int (*raise)(struct vdev *v, unsigned int vector);
	int (*way)(struct vdev *v);
};

#define RESTORED(device, step)							\
	FIXTURE_VARIANT_ADD(restored, device##_##step) {			\
		.name = #device, .raise = raise_vector_##device, .way = step,	\
	}

RESTORED(e1000e, by_reset);
RESTORED(e1000e, by_d3hot);
RESTORED(e1000e, by_hot_reset);
RESTORED(e1000e, by_sysfs);
RESTORED(e1000e, by_low_power);
RESTORED(e1000e, by_error);
RESTORED(igb, by_reset);
RESTORED(igb, by_flr);
RESTORED(igb, by_d3hot);
RESTORED(igb, by_hot_reset);
RESTORED(igb, by_low_power);

FIXTURE_SETUP(restored)
{
	self->v.fd = self->v.group = self->v.iommu = -1;
	if (variant->way == by_error && access(ERROR_STEP, W_OK))
		SKIP(return, "vpv_test_error is not loaded");
	NEED_STOCK(variant->name, &self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	for (int i = 0; i < 2; i++)
		self->event[i] = eventfd_new();
}

FIXTURE_TEARDOWN(restored)
{
	/*
	 * QEMU's model shows the next user what is pending now, with vfio-pci as well: its way
	 * from D3hot to D0 is no reset, and what was pending under MSI-X does not raise INTx.
	 */
	if (variant->raise == raise_vector_e1000e && self->v.fd >= 0) {
		bar_set(&self->v, 0, E1000E_IMC, ~0U);
		bar_get(&self->v, 0, E1000E_ICR);
	}
	vdev_close(&self->v);
	close(self->event[0]);
	close(self->event[1]);
}

/* Their table is in memory space, which the user has disabled: it is restored all the same. */
TEST_F(restored, messages_with_memory_disabled)
{
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, MSIX, 0, 2, self->event));
	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, variant->raise(&self->v, i));
		ASSERT_TRUE(eventfd_wait(self->event[i], SOON_MS));
	}

	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, 0));
	ASSERT_EQ(0, variant->way(&self->v));
	EXPECT_EQ(0U, vdev_cfg(&self->v, PCI_COMMAND, 2) &
		      (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	/* One that came before it may still have been on its way. */
	eventfd_wait(self->event[0], 0);
	eventfd_wait(self->event[1], 0);

	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, variant->raise(&self->v, i));
		EXPECT_TRUE(eventfd_wait(self->event[i], SOON_MS))
			TH_LOG("vector %u", i);
	}
}

TEST_HARNESS_MAIN
