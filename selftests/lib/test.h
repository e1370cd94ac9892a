/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every test program begins with.  Test bodies use kselftest_harness.h; a
 * device that the lab did not plug in makes a test SKIP, with the reason.
 */
#ifndef SELFTEST_TEST_H
#define SELFTEST_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "device.h"
#include "hisil.h"
#include "log.h"
#include "migration.h"
#include "model.h"

#include "kselftest_harness.h"

/* Seconds are nothing on an emulated machine that is busy: for tests that hang. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 180

#define DRIVER "vpv_hisi_like"
#define MODEL "hisi_like"

/* In a fixture's setup: @num functions of @model, bound to @driver, in @slots. */
#define NEED_SLOTS_OF(model, driver, slots, num) do {				\
	int _have = slots_find(model, slots, num);				\
										\
	if (_have < (num))							\
		SKIP(return, "needs %d functions of model %s in /vpv/devices, found %d", \
		     num, model, _have < 0 ? 0 : _have);			\
	for (int _i = 0; _i < (num); _i++) {	\
		ASSERT_EQ(0, vdev_bind((slots)[_i].bdf, driver))		\
			TH_LOG("%s cannot be bound to %s", (slots)[_i].bdf, driver); \
	}	\
} while (0)

#define NEED_SLOTS(slots, num)	NEED_SLOTS_OF(MODEL, DRIVER, slots, num)

/* In a fixture's setup: @num of QEMU's own devices, bound to vpv_pci. */
#define NEED_STOCK(name, slots, num) do {					\
	int _have = slots_find(name, slots, num);				\
										\
	if (_have < (num))							\
		SKIP(return, "needs %d of QEMU's %s in /vpv/stock, found %d",	\
		     num, name, _have < 0 ? 0 : _have);				\
	for (int _i = 0; _i < (num); _i++) {	\
		ASSERT_EQ(0, vdev_bind((slots)[_i].bdf, "vpv_pci"))		\
			TH_LOG("%s cannot be bound to vpv_pci", (slots)[_i].bdf); \
	}	\
} while (0)

/* Both ways into a device. */
#define VARIANTS_OF_OPENING(fixture)						\
	FIXTURE_VARIANT(fixture) { enum vdev_mode mode; };			\
	FIXTURE_VARIANT_ADD(fixture, group) { .mode = VDEV_GROUP };		\
	FIXTURE_VARIANT_ADD(fixture, cdev) { .mode = VDEV_CDEV }

#define NEED_MODE(v) do {							\
	if ((v) == VDEV_CDEV && access("/dev/iommu", R_OK | W_OK))		\
		SKIP(return, "this kernel has no /dev/iommu");			\
} while (0)

/* For tests that are about something else. */
static inline enum vdev_mode any_mode(void)
{
	return access("/dev/iommu", R_OK | W_OK) ? VDEV_GROUP : VDEV_CDEV;
}

#endif /* SELFTEST_TEST_H */
