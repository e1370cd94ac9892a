// SPDX-License-Identifier: GPL-2.0
/*
 * The region of v1, of each family: who is offered it, and the states that it has.
 * Documentation/migration-v1.rst has the rules.
 *
 * Groups: self families stable
 */
#include "lib/test.h"
#include "lib/v1_test.h"

static bool has_ndma(const struct family *f)
{
	return f->migration & VFIO_MIGRATION_P2P;
}

/* ---- One dialect at a time ---- */

TEST_F(v1, v2_is_hidden)
{
	uint64_t flags, bytes;

	EXPECT_EQ(-ENOTTY, mig_flags(&self->a, &flags));
	EXPECT_EQ(-ENOTTY, mig_get(&self->a));
	EXPECT_EQ(-ENOTTY, mig_set(&self->a, STOP, NULL));
	EXPECT_EQ(-ENOTTY, mig_data_size(&self->a, &bytes));
	for (unsigned int feature = VFIO_DEVICE_FEATURE_DMA_LOGGING_START;
	     feature <= VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT; feature++)
		EXPECT_EQ(-ENOTTY, vdev_feature(&self->a, VFIO_DEVICE_FEATURE_PROBE | feature |
						(feature == VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT ?
						 VFIO_DEVICE_FEATURE_GET :
						 VFIO_DEVICE_FEATURE_SET), NULL, 0));
	EXPECT_STATE(V1_R);
}

TEST_F(v1, dialect_is_chosen_while_closed)
{
	const char *bdf = self->slot[0].bdf;
	struct v1 none;
	char name[16];
	uint64_t flags;

	v1_dialect_is(bdf, name, sizeof(name));
	EXPECT_STREQ("v1", name);
	EXPECT_EQ(-EBUSY, v1_dialect(bdf, "v2"));
	EXPECT_EQ(-EBUSY, v1_dialect(bdf, "v1"));
	vdev_close(&self->a);
	EXPECT_EQ(-EINVAL, v1_dialect(bdf, "v3"));
	v1_dialect_is(bdf, name, sizeof(name));
	EXPECT_STREQ("v1", name);

	ASSERT_EQ(0, v1_dialect(bdf, "v2\n"));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
	EXPECT_EQ(-ENOENT, v1_find(&none, &self->a));
	EXPECT_EQ(0, mig_flags(&self->a, &flags));
	EXPECT_EQ(variant->family->migration, flags);
	EXPECT_EQ(RUNNING, mig_get(&self->a));
	vdev_close(&self->a);

	/* And back: what was taken away once is not looked for again. */
	ASSERT_EQ(0, v1_dialect(bdf, "v1"));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
	EXPECT_EQ(0, v1_find(&self->ra, &self->a));
	EXPECT_EQ(-ENOTTY, mig_flags(&self->a, &flags));
}

/* For functions that are bound from now on. */
TEST_F(v1, module_parameter)
{
	const char *param = "/sys/module/vpv_migration/parameters/dialect";
	const char *bdf = self->slot[0].bdf;
	char name[16];

	vdev_close(&self->a);
	EXPECT_EQ(-EINVAL, sysfs_write(param, "v3"));
	ASSERT_EQ(0, vdev_unbind(bdf));
	ASSERT_EQ(0, vdev_bind(bdf, variant->family->driver));
	v1_dialect_is(bdf, name, sizeof(name));
	EXPECT_STREQ("v2", name);

	ASSERT_EQ(0, vdev_unbind(bdf));
	ASSERT_EQ(0, sysfs_write(param, "v1"));
	EXPECT_EQ(0, vdev_bind(bdf, variant->family->driver));
	ASSERT_EQ(0, sysfs_write(param, "v2"));
	v1_dialect_is(bdf, name, sizeof(name));
	EXPECT_STREQ("v1", name);
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
	EXPECT_EQ(0, v1_find(&self->ra, &self->a));
}

TEST_F(v1, capabilities)
{
	uint32_t base = V1_R | V1_S | V1_L;
	struct vfio_region_info info;

	EXPECT_EQ(has_ndma(variant->family) ? base | V1_N : base, self->ra.states);
	EXPECT_EQ(VPV_V1_WINDOW, self->ra.sparse_pos);
	EXPECT_EQ(VPV_V1_WINDOW_BYTES, self->ra.sparse_bytes);
	ASSERT_EQ(0, vdev_region(&self->a, self->ra.index, &info));
	EXPECT_TRUE(info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		  VFIO_REGION_INFO_FLAG_MMAP, info.flags & 7);
}

/* ---- States ---- */

/* Row by row: which can be set, from RUNNING, and what is read then. */
TEST_F(v1, the_table)
{
	bool ndma = has_ndma(variant->family);

	for (uint32_t word = 0; word < 16; word++) {
		bool good = !(word & V1_L) || !(word & (V1_R | V1_S));

		if (word & V1_N)
			good = good && ndma;
		EXPECT_EQ(good ? 0 : -EINVAL, v1_set(&self->ra, word)) {
			TH_LOG("state %#x", word);
		}
		EXPECT_STATE(good ? word : V1_R);
		/* A load session that nothing was written to cannot be left otherwise. */
		if (word & V1_L && good) {
			EXPECT_EQ(-ENODATA, v1_set(&self->ra, V1_R));
			EXPECT_STATE(V1_S | V1_L);
			ASSERT_EQ(0, vdev_reset(&self->a));
		} else {
			EXPECT_EQ(0, v1_set(&self->ra, V1_R));
		}
		EXPECT_STATE(V1_R);
	}
}

TEST_F(v1, unknown_bits_change_nothing)
{
	static const uint32_t states[] = { V1_R, V1_R | V1_S, V1_S, 0, V1_L };

	for (unsigned int i = 0; i < 5; i++) {
		ASSERT_EQ(0, v1_set(&self->ra, states[i]));
		for (unsigned int bit = 4; bit < 32; bit++) {
			EXPECT_EQ(-EINVAL, v1_set(&self->ra, states[i] | 1U << bit));
			EXPECT_EQ(-EINVAL, v1_set(&self->ra, V1_R | 1U << bit));
		}
		EXPECT_EQ(-EINVAL, v1_set(&self->ra, V1_L | V1_R));
		EXPECT_EQ(-EINVAL, v1_set(&self->ra, V1_L | V1_S));
		EXPECT_EQ(-EINVAL, v1_set(&self->ra, V1_L | V1_S | V1_R));
		EXPECT_STATE(states[i]);
		/* The same again is nothing to do. */
		EXPECT_EQ(0, v1_set(&self->ra, states[i]));
	}
}

/* All ways there are; the data of the old session is gone with it. */
TEST_F(v1, from_each_to_each)
{
	static const uint32_t states[] = { V1_R, V1_R | V1_S, V1_S, 0, V1_L };

	for (unsigned int from = 0; from < 5; from++)
		for (unsigned int to = 0; to < 5; to++) {
			int want = states[from] == V1_L && to != from ? -ENODATA :
				   states[from] == V1_S && states[to] == (V1_R | V1_S) ?
				   -EINVAL : 0;
			uint64_t bytes;

			ASSERT_EQ(0, v1_set(&self->ra, states[from]));
			EXPECT_EQ(want, v1_set(&self->ra, states[to])) {
				TH_LOG("%#x -> %#x", states[from], states[to]);
			}
			EXPECT_STATE(want == -ENODATA ? V1_S | V1_L : states[want ? from : to]);
			EXPECT_EQ(-EPROTO, v1_size(&self->ra, &bytes));
			ASSERT_EQ(0, vdev_reset(&self->a));
			EXPECT_STATE(V1_R);
		}
}

/* What QEMU does: read, change some bits, write.  NDMA comes back only to who has set it. */
TEST_F(v1, ndma_is_shown_to_who_knows_it)
{
	NEED(has_ndma(variant->family), "has no NDMA");
	ASSERT_EQ(0, v1_set(&self->ra, 0));
	EXPECT_STATE(0);
	ASSERT_EQ(0, v1_set(&self->ra, V1_N));
	EXPECT_STATE(V1_N);
	ASSERT_EQ(0, v1_set(&self->ra, V1_N | V1_R));
	EXPECT_STATE(V1_N | V1_R);
	ASSERT_EQ(0, v1_set(&self->ra, V1_N | V1_R | V1_S));
	EXPECT_STATE(V1_N | V1_R | V1_S);
	ASSERT_EQ(0, v1_set(&self->ra, V1_N | V1_S));
	EXPECT_STATE(V1_N | V1_S);
	ASSERT_EQ(0, vdev_reset(&self->a));
	EXPECT_STATE(V1_R);
	ASSERT_EQ(0, v1_set(&self->ra, V1_R | V1_S));
	ASSERT_EQ(0, v1_set(&self->ra, V1_S));
	EXPECT_STATE(V1_S);
}

/* A change that fails leaves the state before, as the protocol wants it, or ERROR. */
TEST_F(v1, failed_change_leaves_the_state_before)
{
	static const char *const how[] = { "fail", "hang" };
	uint32_t state;

	ASSERT_EQ(0, guest_boot(&self->g, &self->a));
	ASSERT_EQ(0, guest_work(&self->g, 1));
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t before = i / 2 ? V1_R | V1_S : V1_R;
		int err;

		ASSERT_EQ(0, v1_set(&self->ra, before));
		ASSERT_EQ(0, model_cmd(&self->m, "fault pause %s", how[i % 2]));
		err = v1_set(&self->ra, before & ~V1_R);
		EXPECT_GT(0, err);
		ASSERT_EQ(0, v1_get(&self->ra, &state));
		TH_LOG("pause: %s: error %d, state %#x", how[i % 2], err, state);
		EXPECT_EQ(err == -EIO ? V1_S | V1_L : before, state);
		ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
		if (state == (V1_S | V1_L)) {
			EXPECT_EQ(-EIO, v1_set(&self->ra, V1_R));
			ASSERT_EQ(0, vdev_reset(&self->a));
			EXPECT_STATE(V1_R);
			ASSERT_EQ(0, guest_boot(&self->g, &self->a));
		}
		EXPECT_EQ(0, v1_set(&self->ra, V1_R));
		EXPECT_EQ(0, guest_work(&self->g, 2 + i));
	}
}

TEST_HARNESS_MAIN
