// SPDX-License-Identifier: GPL-2.0
/*
 * The user's half of a hisi_like function, end to end: operations on memory that
 * the user mapped, and the model's own account of what it did.  What every family has to do
 * is in other programs.
 *
 * Groups: self stable
 */
#include "lib/states.h"
#include "lib/test.h"

FIXTURE(hisi_like)
{
	struct slot slot;
	struct vdev v;
	struct hisil h;
	struct model m;
};

VARIANTS_OF_OPENING(hisi_like);

FIXTURE_SETUP(hisi_like)
{
	NEED_MODE(variant->mode);
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, hisil_init(&self->h));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	ASSERT_EQ(0, hisil_share(&self->h, &self->v));
	ASSERT_EQ(0, hisil_attach(&self->h, &self->v));
	ASSERT_EQ(0, hisil_enable(&self->h));
}

FIXTURE_TEARDOWN(hisi_like)
{
	hisil_free(&self->h);
	vdev_close(&self->v);
	model_close(&self->m);
}

TEST_F(hisi_like, every_operation)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 42));
	EXPECT_EQ(6U, hisil_read64(&self->h, HISIL_OPS_DONE));
	EXPECT_EQ(0U, hisil_read64(&self->h, HISIL_OPS_FAILED));
}

TEST_F(hisi_like, rings_wrap)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 4, false));
	for (unsigned int i = 0; i < 7; i++) {
		hisil_batch_put(&self->h, 0, 3, 10 * i);
		hisil_ring(&self->h, 0);
		ASSERT_EQ(0, hisil_batch_check(&self->h, 0, 3, 10 * i));
	}
}

TEST_F(hisi_like, full_ring)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 8, false));
	hisil_batch_put(&self->h, 0, 8, 1);
	hisil_ring(&self->h, 0);
	ASSERT_EQ(0, hisil_batch_check(&self->h, 0, 8, 1));
}

TEST_F(hisi_like, several_queues)
{
	for (unsigned int q = 0; q < 4; q++) {
		ASSERT_EQ(0, hisil_queue_start(&self->h, q, 16, false));
		hisil_batch_put(&self->h, q, 10, 100 * q);
	}
	for (unsigned int q = 0; q < 4; q++)
		hisil_ring(&self->h, q);
	for (unsigned int q = 4; q-- > 0;) {
		EXPECT_EQ(0, hisil_batch_check(&self->h, q, 10, 100 * q));
	}
	EXPECT_EQ(40U, hisil_read64(&self->h, HISIL_OPS_DONE));
}

TEST_F(hisi_like, unmapped_memory_faults)
{
	struct hisil_sqe e = hisil_op(HISIL_COPY, 1, 0, 64, 0x100, 64);
	struct hisil_cqe c;

	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	e.dst = HISIL_MEM_IOVA + HISIL_MEM_BYTES;
	ASSERT_EQ(0, hisil_do(&self->h, 0, &e, &c));
	EXPECT_EQ(HISIL_DMA_FAULT, c.status);
	e.dst = hisil_iova(0x100);
	e.src = 0x1000;
	ASSERT_EQ(0, hisil_do(&self->h, 0, &e, &c));
	EXPECT_EQ(HISIL_DMA_FAULT, c.status);
	/* The queue goes on. */
	EXPECT_EQ(0, hisil_work(&self->h, 0, 3));
	EXPECT_EQ(2U, hisil_read64(&self->h, HISIL_OPS_FAILED));
}

TEST_F(hisi_like, memory_that_was_taken_away_faults)
{
	struct hisil_sqe e;
	struct hisil_cqe c;
	uint64_t iova = 0x40000000;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, vdev_dma_map(&self->v, p, iova, 4096));
	e = hisil_op(HISIL_FILL, 1, 0, 0, 0, 64);
	e.dst = iova;
	e.arg = 0x11;
	ASSERT_EQ(0, hisil_do(&self->h, 0, &e, &c));
	EXPECT_EQ(HISIL_OK, c.status);
	EXPECT_EQ(0x11, *(uint8_t *)p);
	ASSERT_EQ(0, vdev_dma_unmap(&self->v, iova, 4096));
	e.arg = 0x22;
	ASSERT_EQ(0, hisil_do(&self->h, 0, &e, &c));
	EXPECT_EQ(HISIL_DMA_FAULT, c.status);
	EXPECT_EQ(0x11, *(uint8_t *)p);
}

TEST_F(hisi_like, no_dma_without_bus_mastering)
{
	struct hisil_cqe c;

	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
	hisil_batch_put(&self->h, 0, 2, 7);
	hisil_ring(&self->h, 0);
	EXPECT_EQ(-ETIMEDOUT, hisil_next(&self->h, 0, &c, 100));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	EXPECT_EQ(0, hisil_batch_check(&self->h, 0, 2, 7));
}

TEST_F(hisi_like, injected_failures_are_reported)
{
	struct hisil_sqe e = hisil_op(HISIL_NOP, 1, 0, 0, 0, 0);
	struct hisil_cqe c;

	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, model_cmd(&self->m, "fault op fail count=1"));
	ASSERT_EQ(0, hisil_do(&self->h, 0, &e, &c));
	EXPECT_EQ(HISIL_ABORTED, c.status);
	ASSERT_EQ(0, hisil_do(&self->h, 0, &e, &c));
	EXPECT_EQ(HISIL_OK, c.status);

	ASSERT_EQ(0, model_cmd(&self->m, "fault fetch fail count=1"));
	hisil_put(&self->h, 0, &e);
	hisil_ring(&self->h, 0);
	EXPECT_EQ(-ETIMEDOUT, hisil_next(&self->h, 0, &c, 100));
	EXPECT_EQ(HISIL_QSTATUS_ERROR | 3U << 8, hisil_read(&self->h, HISIL_Q(0) + HISIL_QSTATUS));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 2));
}

/* What hisil_work() makes the function write: the ring and destinations. */
static bool may_be_written(uint64_t iova, uint64_t ring)
{
	return iova == ring || (iova >= hisil_iova(0x10000) && iova < hisil_iova(0x30000));
}

TEST_F(hisi_like, ledger_agrees)
{
	uint64_t ring, before, after, iova, count;
	unsigned int pages = 0, left;
	bool ring_written = false;

	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ring = hisil_read64(&self->h, HISIL_Q(0) + HISIL_CQ_BASE);
	ASSERT_EQ(0, model_cmd(&self->m, "ledger clear"));
	ASSERT_EQ(0, model_value(&self->m, "stats", "ops_done", &before));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 9));
	ASSERT_EQ(0, model_value(&self->m, "stats", "ops_done", &after));
	EXPECT_EQ(6U, after - before);

	ASSERT_EQ(0, model_cmd(&self->m, "ledger"));
	for (char *line = self->m.reply; *line; line += left) {
		left = strcspn(line, "\n") + 1;
		if (sscanf(line, "0x%lx %lu", &iova, &count) != 2)
			continue;
		pages++;
		ring_written |= iova == ring;
		EXPECT_TRUE(may_be_written(iova, ring)) {
			TH_LOG("page %#lx", iova);
		}
	}
	EXPECT_TRUE(ring_written);
	/* Three pages of copied data, at least one of packed data, the ring. */
	EXPECT_LE(5U, pages);
}

/* ---- in states of a migration ---- */

TEST_F(hisi_like, doorbells_are_taken_in_running_p2p)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 64, false));
	ASSERT_EQ(0, model_cmd(&self->m, "fault op delay=5"));
	hisil_batch_put(&self->h, 0, 40, 1);
	hisil_ring(&self->h, 0);
	ASSERT_EQ(0, mig_set(&self->v, RUNNING_P2P, NULL));
	EXPECT_EQ(HISIL_ID_VALUE, hisil_read(&self->h, HISIL_ID));
	hisil_batch_put(&self->h, 0, 5, 100);
	hisil_ring(&self->h, 0);
	EXPECT_EQ(45U, hisil_read(&self->h, HISIL_Q(0) + HISIL_SQ_TAIL));
	usleep(200000);
	EXPECT_LT(hisil_read64(&self->h, HISIL_OPS_DONE), 40U);

	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	/* Slots 0 to 4 of the batch were written again: check order and tags only. */
	for (unsigned int i = 0; i < 45; i++) {
		struct hisil_cqe c;

		ASSERT_EQ(0, hisil_next(&self->h, 0, &c, 5000));
		EXPECT_EQ(i < 40 ? 1 + i : 100 + i - 40, c.tag);
		EXPECT_EQ(HISIL_OK, c.status);
	}
}

TEST_F(hisi_like, registers_stand_still_when_stopped)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, mig_set(&self->v, STOP, NULL));
	hisil_batch_put(&self->h, 0, 2, 1);
	hisil_ring(&self->h, 0);
	EXPECT_EQ(0U, hisil_read(&self->h, HISIL_Q(0) + HISIL_SQ_TAIL));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	hisil_ring(&self->h, 0);
	EXPECT_EQ(0, hisil_batch_check(&self->h, 0, 2, 1));
}

TEST_HARNESS_MAIN
