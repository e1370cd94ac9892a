// SPDX-License-Identifier: GPL-2.0
/*
 * Who pays for the memory of a session: the memory control group of whoever opened it,
 * also for what the driver's worker allocates, and only as long as the session is on.
 *
 * Groups: throughput
 */
#include "lib/charge.h"
#include "lib/mlxl.h"
#include "lib/test.h"

/* What the driver keeps filled for a reader that does not come: two pieces of an image. */
#define FILLED	(4 << 20)
/* The rest of what this program makes the kernel allocate meanwhile is less. */
#define NOISE	(1 << 20)

FIXTURE(charge)
{
	struct slot ctrl;
	struct slot slot;
	struct vdev v;
};

FIXTURE_SETUP(charge)
{
	int err = mlxl_control(&self->ctrl);

	if (err == TOO_FEW)
		SKIP(return, "no device mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
	ASSERT_EQ(1, mlxl_functions(&self->slot, 1));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	err = charge_enter();
	if (err)
		SKIP(return, "this kernel has no memory control groups (%d)", err);
}

FIXTURE_TEARDOWN(charge)
{
	charge_leave();
	vdev_close(&self->v);
}

TEST_F_TIMEOUT(charge, who_opens_a_session_pays_while_it_is_on, 120)
{
	long long before;
	uint8_t byte;
	int fd[8];

	ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_STOP, NULL));
	before = charge_bytes();
	ASSERT_LE(0, before);
	for (unsigned int i = 0; i < sizeof(fd) / sizeof(fd[0]); i++) {
		ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_STOP_COPY, &fd[i]));
		ASSERT_EQ(1, read(fd[i], &byte, 1));
		EXPECT_TRUE(charge_wait(true, before + FILLED));
		/* The file stays open, with a piece that was read in part. */
		ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_STOP, NULL));
		EXPECT_TRUE(charge_wait(false, before + NOISE)) {
			TH_LOG("%lld bytes are left of %u sessions", charge_bytes() - before, i + 1);
		}
	}
	for (unsigned int i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
		close(fd[i]);
}

TEST_HARNESS_MAIN
