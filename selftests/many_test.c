// SPDX-License-Identifier: GPL-2.0
/*
 * All functions of a family in the machine at once, each with a user of its own: none gets what
 * is another one's while they save, go on, and load.
 *
 * Groups: nvme-many
 */
#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define LEAST	2
#define MOST	16

FIXTURE(many)
{
	int num;
	struct slot slot[MOST];
	struct vdev v[MOST];
	struct guest g[MOST];
	struct blob blob[MOST];
};

VARIANTS_OF_FAMILIES(many, one_way);

FIXTURE_SETUP(many)
{
	NEED_FAMILY(variant->family, self->slot, LEAST);
	self->num = BIND_FAMILY(variant->family, self->slot, MOST);
	for (int i = 0; i < self->num; i++) {
		ASSERT_EQ(0, guest_init(&self->g[i], variant->family));
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slot[i], any_mode()));
		ASSERT_EQ(0, guest_share(&self->g[i], &self->v[i]));
		ASSERT_EQ(0, guest_boot(&self->g[i], &self->v[i]));
		ASSERT_EQ(0, guest_work(&self->g[i], i));
	}
	TH_LOG("%d functions", self->num);
}

FIXTURE_TEARDOWN(many)
{
	for (int i = 0; i < self->num; i++) {
		guest_free(&self->g[i]);
		vdev_close(&self->v[i]);
		blob_free(&self->blob[i]);
	}
}

TEST_F(many, all_are_saved_and_go_on)
{
	bool precopy = variant->family->migration & VFIO_MIGRATION_PRE_COPY;

	for (int i = 0; i < self->num; i++) {
		/* What was saved so far stands still, what comes later works. */
		ASSERT_EQ(0, mig_save(&self->v[i], &self->blob[i], precopy));
		for (int k = i + 1; k < self->num; k++)
			EXPECT_EQ(0, guest_work(&self->g[k], 100 * i + k));
	}
	for (int i = 0; i < self->num; i++) {
		EXPECT_EQ(VFIO_DEVICE_STATE_STOP, mig_get(&self->v[i]));
		EXPECT_EQ(0, mig_set(&self->v[i], RUNNING, NULL));
	}
	for (int i = 0; i < self->num; i++)
		EXPECT_EQ(0, guest_work(&self->g[i], i));
}

/* Each gets its own back, in another order. */
TEST_F(many, all_are_saved_reset_and_loaded)
{
	for (int i = 0; i < self->num; i++)
		ASSERT_EQ(0, mig_save(&self->v[i], &self->blob[i], false));
	for (int i = 0; i < self->num; i++)
		ASSERT_EQ(0, vdev_reset(&self->v[i]));
	for (int i = self->num - 1; i >= 0; i--) {
		ASSERT_EQ(0, mig_load(&self->v[i], &self->blob[i], STOP));
		ASSERT_EQ(0, guest_on(&self->g[i], &self->v[i]));
		ASSERT_EQ(0, mig_set(&self->v[i], RUNNING, NULL));
	}
	for (int i = 0; i < self->num; i++)
		EXPECT_EQ(0, guest_work(&self->g[i], 7 * i));
}

TEST_HARNESS_MAIN
