// SPDX-License-Identifier: GPL-2.0
/*
 * Firmware tells what a function has written, however its user has left the function; the
 * rest of that is in reachable_test.
 *
 * Groups: mlx5
 */
#include "lib/left.h"
#include "lib/dmalog.h"
#include "lib/mlxlpair.h"
#include "lib/test.h"

FIXTURE(mlx5_left)
{
	struct mlxl_pair p;
	struct left left[2];
};

FIXTURE_VARIANT(mlx5_left)
{
	enum left_how how;
};

FIXTURE_VARIANT_ADD(mlx5_left, awake) { .how = LEFT_AWAKE };
FIXTURE_VARIANT_ADD(mlx5_left, d3hot) { .how = LEFT_D3HOT };
FIXTURE_VARIANT_ADD(mlx5_left, low_power) { .how = LEFT_LOW_POWER };
FIXTURE_VARIANT_ADD(mlx5_left, no_memory) { .how = LEFT_NO_MEMORY };
FIXTURE_VARIANT_ADD(mlx5_left, no_master) { .how = LEFT_NO_MASTER };
FIXTURE_VARIANT_ADD(mlx5_left, half_irq) { .how = LEFT_HALF_IRQ };
FIXTURE_VARIANT_ADD(mlx5_left, d3hot_off) { .how = LEFT_D3HOT_OFF };

FIXTURE_SETUP(mlx5_left)
{
	int err = mlxl_pair_open(&self->p);

	if (err == TOO_FEW)
		SKIP(return, "no two functions mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, vdev_bus_master(&self->p.v[1], true));
	ASSERT_EQ(0, mlxl_pair_echo(&self->p, 0));
}

FIXTURE_TEARDOWN(mlx5_left)
{
	mlxl_pair_close(&self->p);
}

TEST_F(mlx5_left, reports_what_it_writes)
{
	static uint64_t bitmap[VNET_PAGES / 64 + 1];
	struct vdev *v = &self->p.v[0];

	ASSERT_EQ(0, left_leave(v, &self->left[0], variant->how));
	ASSERT_EQ(0, mlxl_log_start(v));
	EXPECT_EQ(0, mlxl_log_report(v, bitmap));
	EXPECT_EQ(0, dma_log_stop(v));
	ASSERT_EQ(0, left_check(v, &self->left[0], true));
}

TEST_HARNESS_MAIN
