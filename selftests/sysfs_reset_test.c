// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody else resets the function, by sysfs, and its user does something in the middle of
 * it: whatever he did, when both have ended the function works.  The PCI core waits for 100 ms
 * in a function level reset, which QEMU's igb has.
 *
 * Groups: self stable
 */
#include <pthread.h>

#include "lib/left.h"
#include "lib/stock.h"
#include "lib/test.h"

#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX

#define SOON_MS		5000
#define STEP_MS		15
#define STEPS		11

FIXTURE(middle)
{
	struct slot slot;
	struct vdev v;
	int event[2];
	unsigned int pm;
	char path[128];
};

FIXTURE_VARIANT(middle)
{
	/* In the middle of the reset, and what there is to do after it. */
	int (*during)(FIXTURE_DATA(middle) *self);
	int (*after)(FIXTURE_DATA(middle) *self);
};

static int set_d_state(FIXTURE_DATA(middle) *self, unsigned int state)
{
	return vdev_cfg_set(&self->v, self->pm + PCI_PM_CTRL, 2, state);
}

static int sleeps(FIXTURE_DATA(middle) *self)
{
	return set_d_state(self, 3);
}

static int wakes(FIXTURE_DATA(middle) *self)
{
	return set_d_state(self, 0);
}

static int sleeps_and_wakes(FIXTURE_DATA(middle) *self)
{
	return sleeps(self) ?: wakes(self);
}

static int arms(FIXTURE_DATA(middle) *self)
{
	return vdev_irq_eventfds(&self->v, MSIX, 0, 2, self->event);
}

static int disarms(FIXTURE_DATA(middle) *self)
{
	return vdev_irq_eventfds(&self->v, MSIX, 0, 2, (int[]){ -1, -1 });
}

static int arms_anew(FIXTURE_DATA(middle) *self)
{
	return vdev_irq_eventfds(&self->v, MSIX, 0, 0, NULL) ?: arms(self);
}

static int changes_type(FIXTURE_DATA(middle) *self)
{
	int err = vdev_irq_eventfds(&self->v, MSIX, 0, 0, NULL);

	err = err ?: vdev_irq_eventfds(&self->v, INTX, 0, 1, self->event);
	err = err ?: vdev_irq_one(&self->v, INTX, VFIO_IRQ_SET_ACTION_MASK |
				  VFIO_IRQ_SET_DATA_NONE, 0);
	err = err ?: vdev_irq_one(&self->v, INTX, VFIO_IRQ_SET_ACTION_UNMASK |
				  VFIO_IRQ_SET_DATA_NONE, 0);
	err = err ?: vdev_irq_eventfds(&self->v, INTX, 0, 0, NULL);
	return err ?: arms(self);
}

/* Opened in the middle of a reset it would be anybody's: that is refused. */
static int closes(FIXTURE_DATA(middle) *self)
{
	vdev_close(&self->v);
	return 0;
}

static int opens(FIXTURE_DATA(middle) *self)
{
	return vdev_open(&self->v, &self->slot, VDEV_GROUP) ?: arms(self);
}

#define MIDDLE(what, then)							\
	FIXTURE_VARIANT_ADD(middle, what) { .during = what, .after = then }

MIDDLE(sleeps, wakes);
MIDDLE(sleeps_and_wakes, NULL);
MIDDLE(arms, NULL);
MIDDLE(disarms, arms);
MIDDLE(arms_anew, NULL);
MIDDLE(changes_type, NULL);
MIDDLE(closes, opens);

FIXTURE_SETUP(middle)
{
	self->v.fd = self->v.group = self->v.iommu = -1;
	NEED_STOCK("igb", &self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	self->pm = vdev_find_cap(&self->v, PCI_CAP_ID_PM);
	ASSERT_NE(0U, self->pm);
	snprintf(self->path, sizeof(self->path), "/sys/bus/pci/devices/%s/reset", self->slot.bdf);
	for (unsigned int i = 0; i < 2; i++)
		self->event[i] = eventfd_new();
}

FIXTURE_TEARDOWN(middle)
{
	vdev_close(&self->v);
	close(self->event[0]);
	close(self->event[1]);
}

static void *resets(void *path)
{
	return (void *)(intptr_t)sysfs_write(path, "1");
}

static int raise_vector(struct vdev *v, unsigned int vector)
{
	return bar_set(v, 0, IGB_GPIE, IGB_GPIE_MSIX) ?: bar_set(v, 0, IGB_EICR, 1U << vector) ?:
	       bar_set(v, 0, IGB_EIMS, 1U << vector) ?: bar_set(v, 0, IGB_EICS, 1U << vector);
}

TEST_F_TIMEOUT(middle, of_a_reset_by_sysfs, 120)
{
	char power[16];

	ASSERT_EQ(0, arms(self));
	for (unsigned int step = 0; step < STEPS; step++) {
		pthread_t thread;
		void *err;

		ASSERT_EQ(0, vdev_bus_master(&self->v, true));
		ASSERT_EQ(0, pthread_create(&thread, NULL, resets, self->path));
		usleep(step * STEP_MS * 1000);
		EXPECT_EQ(0, variant->during(self));
		ASSERT_EQ(0, pthread_join(thread, &err));
		EXPECT_EQ(NULL, err);
		ASSERT_EQ(0, variant->after ? variant->after(self) : 0);

		ASSERT_EQ(0, vdev_bus_master(&self->v, true));
		ASSERT_EQ(0, left_power_state(&self->v, power, sizeof(power)));
		EXPECT_STREQ("D0", power);
		for (unsigned int i = 0; i < 2; i++) {
			/* One that came before it may still have been on its way. */
			eventfd_wait(self->event[i], 0);
			ASSERT_EQ(0, raise_vector(&self->v, i));
			EXPECT_TRUE(eventfd_wait(self->event[i], SOON_MS))
				TH_LOG("vector %u, %u ms", i, step * STEP_MS);
		}
	}
}

TEST_HARNESS_MAIN
