// SPDX-License-Identifier: GPL-2.0
/*
 * What firmware says of the memory of coherent_gpu, and is not so: the driver claims nothing that
 * anybody else has.
 *
 * Groups: coherent-gpu-special
 */
#include "lib/gpu.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define SAYS		"something else is at"

/* Of families/coherent_gpu.c: by firmware one has RAM of the machine, one what the first one has. */
enum { FIRST, IN_RAM = 5, SAME, SLOTS };

FIXTURE(place)
{
	struct slot slot[SLOTS];
	int log;
};

FIXTURE_SETUP(place)
{
	if (slots_find("coherent_gpu", self->slot, SLOTS) != SLOTS)
		SKIP(return, "needs %d coherent_gpu functions", SLOTS);
	ASSERT_EQ(0, vdev_bind(self->slot[FIRST].bdf, GPU_DRIVER));
	self->log = log_mark();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(place)
{
	close(self->log);
}

TEST_F(place, memory_of_the_kernel)
{
	EXPECT_EQ(-ENODEV, vdev_bind(self->slot[IN_RAM].bdf, GPU_DRIVER));
	EXPECT_EQ(1, log_count(self->log, SAYS, NULL, 0));
}

TEST_F(place, memory_of_another_function)
{
	struct vdev v;

	EXPECT_EQ(-ENODEV, vdev_bind(self->slot[SAME].bdf, GPU_DRIVER));
	EXPECT_EQ(1, log_count(self->log, SAYS, NULL, 0));
	/* The other one is none the worse. */
	ASSERT_EQ(0, vdev_open(&v, &self->slot[FIRST], any_mode()));
	vdev_close(&v);
	/* Until it gives it back. */
	ASSERT_EQ(0, vdev_unbind(self->slot[FIRST].bdf));
	EXPECT_EQ(0, vdev_bind(self->slot[SAME].bdf, GPU_DRIVER));
	EXPECT_EQ(-ENODEV, vdev_bind(self->slot[FIRST].bdf, GPU_DRIVER));
	ASSERT_EQ(0, vdev_unbind(self->slot[SAME].bdf));
	EXPECT_EQ(0, vdev_bind(self->slot[FIRST].bdf, GPU_DRIVER));
}

TEST_HARNESS_MAIN
