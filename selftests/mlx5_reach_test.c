// SPDX-License-Identifier: GPL-2.0
/*
 * As reachable_test, for functions that firmware migrates: how their user has left them
 * makes no difference.
 */
#include "lib/left.h"
#include "lib/mlxpair.h"
#include "lib/states.h"
#include "lib/test.h"

FIXTURE(mlx5_left)
{
	struct mlx_pair p;
	struct blob blob;
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
	int err = mlx_pair_open(&self->p);

	if (err == -ENODEV)
		SKIP(return, "no two functions mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, vdev_bus_master(&self->p.v[1], true));
	ASSERT_EQ(0, mlx_pair_echo(&self->p, 0));
}

FIXTURE_TEARDOWN(mlx5_left)
{
	mlx_pair_close(&self->p);
	blob_free(&self->blob);
}

static int go(struct vdev *v, unsigned int state)
{
	int fd = -1, err = mig_set(v, state, &fd);

	if (fd >= 0)
		close(fd);
	return err;
}

TEST_F_TIMEOUT(mlx5_left, every_arc, 240)
{
	struct left *left = &self->left[0];
	struct vdev *v = &self->p.v[0];

	ASSERT_EQ(0, left_leave(v, left, variant->how));
	for (unsigned int from = STOP; from < MIG_STATES; from++) {
		for (unsigned int to = STOP; to < MIG_STATES; to++) {
			bool none = from == STOP_COPY && (to == PRE_COPY || to == PRE_COPY_P2P);
			uint64_t bytes;

			if (from == RESUMING || to == RESUMING)
				continue;	/* data_moves */
			ASSERT_EQ(0, from == RUNNING ? 0 : go(v, from));
			ASSERT_EQ(none ? -EINVAL : 0, go(v, to))
				TH_LOG("%s -> %s", mig_state_name(from), mig_state_name(to));
			EXPECT_EQ(0, mig_data_size(v, &bytes));
			ASSERT_EQ(0, go(v, RUNNING));
			ASSERT_EQ(0, left_check(v, left, true))
				TH_LOG("after %s", mig_state_name(to));
		}
	}
	ASSERT_EQ(0, left_back(v, left));
	EXPECT_EQ(0, mlx_pair_echo(&self->p, 0));
}

static void data_moves(struct __test_metadata *_metadata, FIXTURE_DATA(mlx5_left) *self,
		       enum left_how how, bool precopy)
{
	struct mlx_pair *p = &self->p;

	for (unsigned int i = 0; i < 2; i++)
		ASSERT_EQ(0, left_leave(&p->v[i], &self->left[i], how));
	ASSERT_EQ(0, mig_save(&p->v[0], &self->blob, precopy));
	ASSERT_EQ(0, left_check(&p->v[0], &self->left[0], false));
	ASSERT_EQ(0, mig_load(&p->v[1], &self->blob, RUNNING));
	ASSERT_EQ(0, left_check(&p->v[1], &self->left[1], true));
	ASSERT_EQ(0, left_back(&p->v[1], &self->left[1]));
	EXPECT_EQ(0, mlx_pair_echo(p, 1));
}

TEST_F_TIMEOUT(mlx5_left, data_moves, 120)
{
	data_moves(_metadata, self, variant->how, false);
}

TEST_F_TIMEOUT(mlx5_left, data_moves_with_pre_copy, 120)
{
	data_moves(_metadata, self, variant->how, true);
}

TEST_F(mlx5_left, reports_what_it_writes)
{
	static uint64_t bitmap[VNET_PAGES / 64 + 1];
	struct vdev *v = &self->p.v[0];

	ASSERT_EQ(0, left_leave(v, &self->left[0], variant->how));
	ASSERT_EQ(0, mlx_log_start(v));
	EXPECT_EQ(0, mlx_log_report(v, bitmap));
	EXPECT_EQ(0, mlx_log_stop(v));
	ASSERT_EQ(0, left_check(v, &self->left[0], true));
}

TEST_HARNESS_MAIN
