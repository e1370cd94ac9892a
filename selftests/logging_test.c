// SPDX-License-Identifier: GPL-2.0
/*
 * DMA logging of a device without a tracker: it offers none, unless the module was told
 * to.  Then everything is dirty, and requests that make no sense are refused.
 *
 * Groups: self stable
 */
#include "lib/dmalog.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define PARAMETER	"/sys/module/vpv_migration/parameters/report_everything"

#define RANGE_IOVA	0x100000ULL
#define RANGE_BYTES	(512ULL << 10)
#define PAGE		4096ULL

FIXTURE(logging)
{
	struct slot slot;
	struct vdev v;
};

VARIANTS_OF_OPENING(logging);

static int probe(struct vdev *v)
{
	return vdev_feature(v, VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET |
			    VFIO_DEVICE_FEATURE_DMA_LOGGING_START, NULL, 0);
}

/* Of the first family that there is: the library does all of it.  As family_bind() returns. */
static int untracked(struct slot *slot)
{
	for_each_family(f)
		if (!(*f)->tracks && family_present(*f))
			return family_bind(*f, slot, 1);
	return 0;
}

FIXTURE_SETUP(logging)
{
	int num;

	NEED_MODE(variant->mode);
	num = untracked(&self->slot);
	ASSERT_LE(0, num);
	if (!num)
		SKIP(return, "needs a function of a family without a tracker");
	NEED_DMA_LOG();
	ASSERT_EQ(0, sysfs_write(PARAMETER, "1"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	ASSERT_EQ(0, probe(&self->v));
}

FIXTURE_TEARDOWN(logging)
{
	vdev_close(&self->v);
	EXPECT_EQ(0, sysfs_write(PARAMETER, "0"));
}

static int report(struct vdev *v, uint64_t iova, uint64_t bytes, uint64_t *bitmap)
{
	return dma_log_report(v, PAGE, iova, bytes, bitmap);
}

TEST_F(logging, everything_is_dirty)
{
	uint64_t bitmap[RANGE_BYTES / PAGE / 64 + 1] = { 0 };

	ASSERT_EQ(0, dma_log_start(&self->v, PAGE, RANGE_IOVA, RANGE_BYTES));
	for (int round = 0; round < 2; round++) {
		memset(bitmap, 0, sizeof(bitmap));
		ASSERT_EQ(0, report(&self->v, RANGE_IOVA, RANGE_BYTES, bitmap));
		for (unsigned int i = 0; i < RANGE_BYTES / PAGE / 64; i++)
			EXPECT_EQ(UINT64_MAX, bitmap[i]);
		EXPECT_EQ(0U, bitmap[RANGE_BYTES / PAGE / 64]);
	}
	EXPECT_EQ(0, dma_log_stop(&self->v));
}

TEST_F(logging, report_sets_bits_only)
{
	uint64_t bitmap[2] = { 0x5, 0 };

	ASSERT_EQ(0, dma_log_start(&self->v, PAGE, RANGE_IOVA, RANGE_BYTES));
	ASSERT_EQ(0, report(&self->v, RANGE_IOVA + 64 * PAGE, 16 * PAGE, bitmap));
	EXPECT_EQ(0xffffU, bitmap[0]);
	EXPECT_EQ(0U, bitmap[1]);
}

TEST_F(logging, order_of_calls)
{
	uint64_t bitmap[2] = { 0 };

	EXPECT_EQ(-EINVAL, report(&self->v, RANGE_IOVA, PAGE, bitmap));
	EXPECT_EQ(0, dma_log_stop(&self->v));
	EXPECT_EQ(0, dma_log_start(&self->v, PAGE, RANGE_IOVA, RANGE_BYTES));
	EXPECT_EQ(-EINVAL, dma_log_start(&self->v, PAGE, RANGE_IOVA, RANGE_BYTES));
	EXPECT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0, report(&self->v, RANGE_IOVA, PAGE, bitmap));
	EXPECT_EQ(0, dma_log_stop(&self->v));
	EXPECT_EQ(0, dma_log_stop(&self->v));
	EXPECT_EQ(-EINVAL, report(&self->v, RANGE_IOVA, PAGE, bitmap));
}

TEST_F(logging, what_vfio_does_not_check)
{
	EXPECT_EQ(-EINVAL, dma_log_start(&self->v, 0, RANGE_IOVA, RANGE_BYTES));
	EXPECT_EQ(-EINVAL, dma_log_start(&self->v, 3 * PAGE, RANGE_IOVA, RANGE_BYTES));
	EXPECT_EQ(-EINVAL, dma_log_start(&self->v, PAGE, RANGE_IOVA, 0));
	/* None of them has started anything. */
	EXPECT_EQ(0, dma_log_start(&self->v, PAGE, RANGE_IOVA, RANGE_BYTES));
}

TEST_F(logging, ends_with_the_last_close)
{
	uint64_t bitmap[2] = { 0 };

	ASSERT_EQ(0, dma_log_start(&self->v, PAGE, RANGE_IOVA, RANGE_BYTES));
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	EXPECT_EQ(-EINVAL, report(&self->v, RANGE_IOVA, PAGE, bitmap));
	EXPECT_EQ(0, dma_log_start(&self->v, PAGE, RANGE_IOVA, RANGE_BYTES));
}

TEST_F(logging, is_not_offered_by_itself)
{
	vdev_close(&self->v);
	ASSERT_EQ(0, sysfs_write(PARAMETER, "0"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	EXPECT_EQ(-ENOTTY, probe(&self->v));
	EXPECT_EQ(-ENOTTY, dma_log_start(&self->v, PAGE, RANGE_IOVA, RANGE_BYTES));
	EXPECT_EQ(-ENOTTY, dma_log_stop(&self->v));
	/* What is decided when the device is opened stays so. */
	ASSERT_EQ(0, sysfs_write(PARAMETER, "1"));
	EXPECT_EQ(-ENOTTY, probe(&self->v));
}

TEST_HARNESS_MAIN
