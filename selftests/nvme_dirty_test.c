// SPDX-License-Identifier: GPL-2.0
/*
 * The memory that an nvme_cf controller writes, as its managing controller reports it
 * (Track Receive), beside the ledger of the model: nothing is missed, and hardly more is told.
 *
 * Groups: nvme-cf
 */
#include "lib/dmalog.h"
#include "lib/nvmedirty.h"
#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define ROUNDS	1000

FIXTURE(nvme_dirty)
{
	struct nvme_pair p;
};

FIXTURE_SETUP(nvme_dirty)
{
	int err = nvme_pair_open(&self->p, any_mode());

	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
	/* More commands than a log has room for; the generic tests see to that. */
	self->p.n.log = NULL;
	ASSERT_EQ(0, nvme_queue_create(&self->p.n, 1, 64, -1));
}

FIXTURE_TEARDOWN(nvme_dirty)
{
	nvme_pair_close(&self->p);
}

TEST_F_TIMEOUT(nvme_dirty, rounds_of_random_io, 1200)
{
	struct nvme_dirty d;

	ASSERT_EQ(0, dma_log_start(&self->p.v[0], NVME_PAGE, NVME_IOVA, NVME_MEM_BYTES));
	ASSERT_EQ(0, nvme_dirty_rounds(&self->p, ROUNDS, NVME_PAGE, 1, &d));
	TH_LOG("%u rounds: %lu pages written, %lu reported, %lu missed", ROUNDS, d.written,
	       d.reported, d.missed);
	EXPECT_LT(ROUNDS, d.written);
	EXPECT_EQ(0, d.missed);
	EXPECT_LE(d.reported, 2 * d.written);
	EXPECT_EQ(0, dma_log_stop(&self->p.v[0]));
}

/* The granule that a user asks for may be one that the device does not have. */
TEST_F_TIMEOUT(nvme_dirty, larger_pages, 120)
{
	struct nvme_dirty d;

	for (uint64_t page = 2 * NVME_PAGE; page <= NVME_MEM_BYTES / 4; page *= 4) {
		ASSERT_EQ(0, dma_log_start(&self->p.v[0], page, NVME_IOVA, NVME_MEM_BYTES));
		ASSERT_EQ(0, nvme_dirty_rounds(&self->p, 10, page, 2, &d));
		EXPECT_EQ(0, d.missed) {
			TH_LOG("pages of %lu", page);
		}
		EXPECT_EQ(0, dma_log_stop(&self->p.v[0]));
	}
}

/* The last writes of a controller that was stopped are reported as well. */
TEST_F(nvme_dirty, report_of_one_that_was_stopped)
{
	uint64_t bitmap[NVME_MEM_BYTES / NVME_PAGE / 64];
	struct nvme *n = &self->p.n;

	ASSERT_EQ(0, dma_log_start(&self->p.v[0], NVME_PAGE, NVME_IOVA, NVME_MEM_BYTES));
	for (unsigned int round = 0; round < 8; round++) {
		unsigned int slot = 20 * round;
		unsigned int page = (NVME_DATA + slot * NVME_SLOT_BYTES) / NVME_PAGE;

		memset(bitmap, 0, sizeof(bitmap));
		ASSERT_EQ(0, dma_log_report(&self->p.v[0], NVME_PAGE, NVME_IOVA, NVME_MEM_BYTES,
					    bitmap));
		nvme_batch_put(n, 1, NVS_IO_READ, slot, 20, 0);
		ASSERT_EQ(0, nvme_ring(n, 1));
		ASSERT_EQ(0, nvme_batch_take(n, 1, 20));
		ASSERT_EQ(0, mig_set(&self->p.v[0], STOP, NULL));
		memset(bitmap, 0, sizeof(bitmap));
		ASSERT_EQ(0, dma_log_report(&self->p.v[0], NVME_PAGE, NVME_IOVA, NVME_MEM_BYTES,
					    bitmap));
		for (unsigned int i = 0; i < 20; i++, page += NVME_SLOT_BYTES / NVME_PAGE) {
			EXPECT_TRUE(bitmap[page / 64] >> (page % 64) & 1) {
				TH_LOG("round %u, page %u", round, page);
			}
		}
		ASSERT_EQ(0, mig_set(&self->p.v[0], RUNNING, NULL));
	}
	EXPECT_EQ(0, dma_log_stop(&self->p.v[0]));
}

TEST_HARNESS_MAIN
