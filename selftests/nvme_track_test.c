// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that nvme_cf controllers write, where their managing controllers track little: ranges
 * whose lengths are powers of two, and fewer granules than a user asks for, so that they offer
 * coarser ones (Not Enough Resources, 38h).
 *
 * Groups: nvme-cf-fault
 */
#include "lib/dmalog.h"
#include "lib/nvmedirty.h"
#include "lib/states.h"
#include "lib/test.h"

/* Of the data of the first batch, and then some; neither begin nor size is a power of two. */
#define ODD_FIRST	(NVME_DATA / NVME_PAGE - 69)
#define ODD_PAGES	613u
#define BATCH		8u

FIXTURE(nvme_track)
{
	struct nvme_pair p;
};

FIXTURE_SETUP(nvme_track)
{
	int err;

	NEED_DMA_LOG();
	err = nvme_pair_open(&self->p, VDEV_CDEV);
	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
	/* Commands of Track Send are counted. */
	ASSERT_EQ(0, model_cmd(&self->p.ctrl[0], "fault track_send delay=1"));
	self->p.n.log = NULL;
	ASSERT_EQ(0, nvme_queue_create(&self->p.n, 1, 64, -1));
}

FIXTURE_TEARDOWN(nvme_track)
{
	nvme_pair_close(&self->p);
}

TEST_F_TIMEOUT(nvme_track, coarser_granules_that_are_offered_are_taken, 300)
{
	struct model *m = &self->p.ctrl[0];
	uint64_t before, after, ranges;
	struct nvme_dirty d;

	ASSERT_EQ(0, model_fault_taken(m, "track_send", &before));
	ASSERT_EQ(0, dma_log_start(&self->p.v[0], NVME_PAGE, NVME_IOVA, NVME_MEM_BYTES));
	ASSERT_EQ(0, model_fault_taken(m, "track_send", &after));
	/* What there may be is given up; it is refused; it is taken. */
	EXPECT_LE(before + 3, after);
	ASSERT_EQ(0, model_value(&self->p.fn[0], "stats", "tracked_ranges", &ranges));
	EXPECT_LE(1, ranges);
	ASSERT_EQ(0, nvme_dirty_rounds(&self->p, 40, NVME_PAGE, 5, &d));
	TH_LOG("%lu pages written, %lu reported, %lu missed", d.written, d.reported, d.missed);
	EXPECT_LT(40, d.written);
	EXPECT_EQ(0, d.missed);
	/* That of some pages, and not that of all each time. */
	EXPECT_LE(d.written, d.reported);
	EXPECT_GT(40 * (NVME_MEM_BYTES / NVME_PAGE) / 2, d.reported);
	EXPECT_EQ(0, dma_log_stop(&self->p.v[0]));
}

TEST_F_TIMEOUT(nvme_track, a_range_need_not_be_a_power_of_two, 120)
{
	const uint64_t iova = NVME_IOVA + ODD_FIRST * NVME_PAGE;
	uint64_t bitmap[ODD_PAGES / 64 + 1] = { 0 }, ranges;
	const uint64_t bytes = ODD_PAGES * NVME_PAGE;
	struct nvme *n = &self->p.n;
	unsigned int num = 0;

	ASSERT_EQ(0, dma_log_start(&self->p.v[0], NVME_PAGE, iova, bytes));
	ASSERT_EQ(0, model_value(&self->p.fn[0], "stats", "tracked_ranges", &ranges));
	EXPECT_LE(1, ranges);
	ASSERT_EQ(0, dma_log_report(&self->p.v[0], NVME_PAGE, iova, bytes, bitmap));
	memset(bitmap, 0, sizeof(bitmap));
	nvme_batch_put(n, 1, NVS_IO_READ, 0, BATCH, 0);
	ASSERT_EQ(0, nvme_ring(n, 1));
	ASSERT_EQ(0, nvme_batch_take(n, 1, BATCH));
	ASSERT_EQ(0, dma_log_report(&self->p.v[0], NVME_PAGE, iova, bytes, bitmap));
	for (unsigned int i = 0; i < BATCH; i++) {
		unsigned int page = (NVME_DATA + i * NVME_SLOT_BYTES) / NVME_PAGE - ODD_FIRST;

		EXPECT_TRUE(bitmap[page / 64] >> (page % 64) & 1) TH_LOG("slot %u", i);
	}
	for (unsigned int page = 0; page < ODD_PAGES; page++)
		num += bitmap[page / 64] >> (page % 64) & 1;
	EXPECT_GT(ODD_PAGES / 2, num);
	EXPECT_EQ(0, dma_log_stop(&self->p.v[0]));
}

TEST_HARNESS_MAIN
