// SPDX-License-Identifier: GPL-2.0
/*
 * What the user of an nvme_cf function has, whichever driver it is bound to: a controller with
 * queues, transfers of every size, events.  Here there is no migration: what these tests use
 * of the host in lib/nvme.c is what the others rely on.
 *
 * Groups: nvme-cf
 */
#include "lib/nvme.h"
#include "lib/nvmefn.h"
#include "lib/nvmelog.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define BLOCK		512u
#define MDTS_BYTES	(NVME_PAGE << NVCF_MAX_MDTS)
#define BACK		(NVME_DATA_BYTES / 2)	/* where data is read back to */
#define BATCH		256

FIXTURE(host)
{
	struct slot slot;
	struct vdev v;
	struct model m;
	struct nvme n;
	struct nvme_log *log;
};

FIXTURE_VARIANT(host)
{
	const char *driver;
};

FIXTURE_VARIANT_ADD(host, vpv_pci) { .driver = "vpv_pci" };
FIXTURE_VARIANT_ADD(host, vpv_nvme_cf) { .driver = NVME_DRIVER };

FIXTURE_SETUP(host)
{
	if (slots_find("nvme_cf", &self->slot, 1) < 1)
		SKIP(return, "no function nvme_cf in /vpv/devices");
	if (!strcmp(variant->driver, NVME_DRIVER)) {
		ASSERT_LE(1, nvme_functions(&self->slot, 1));
	} else {
		ASSERT_EQ(0, vdev_bind(self->slot.bdf, variant->driver));
	}
	self->log = calloc(1, sizeof(*self->log));
	ASSERT_NE(NULL, self->log);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, nvme_alloc(&self->n));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	ASSERT_EQ(0, nvme_share(&self->n, &self->v));
	ASSERT_EQ(0, nvme_on(&self->n, &self->v));
	ASSERT_EQ(0, nvme_enable(&self->n));
	ASSERT_EQ(0, nvme_log_begin(&self->m));
	self->n.log = self->log;
}

FIXTURE_TEARDOWN(host)
{
	unsigned int count[NVME_LOG_SIDES];
	uint64_t unlocked = 1;

	/* Each command is complete, once, with the status that the model says. */
	EXPECT_EQ(0, nvme_log_join(self->log, &self->m, NULL, 4, count));
	EXPECT_EQ(0, model_value(&self->m, "stats", "unlocked_writes", &unlocked));
	EXPECT_EQ(0, unlocked);
	EXPECT_EQ(0, nvme_disable(&self->n));
	vdev_close(&self->v);
	nvme_free(&self->n);
	model_close(&self->m);
	free(self->log);
}

TEST_F(host, identifies)
{
	struct nvs_id_ctrl *id = (struct nvs_id_ctrl *)(self->n.mem + NVME_ADMIN_DATA);
	struct nvs_id_ns *ns = (struct nvs_id_ns *)id;

	ASSERT_EQ(0, nvme_identify(&self->n, NVS_CNS_CONTROLLER, 0));
	EXPECT_EQ(NVS_TYPE_IO, id->cntrltype);
	EXPECT_EQ(0, memcmp(id->mn, "nvme_cf ", 8));
	EXPECT_EQ(NVCF_MAX_MDTS, id->mdts);
	ASSERT_EQ(0, nvme_identify(&self->n, NVS_CNS_NAMESPACE, 1));
	EXPECT_LT(0, le64toh(ns->nsze));
	EXPECT_EQ(NVS_SC_INVALID_FIELD, nvme_identify(&self->n, 0x77, 0));
}

/* A write and a read of the same blocks, each command in its own way. */
static int write_read(struct nvme *n, uint32_t bytes, uint32_t shift, unsigned int pieces)
{
	uint32_t blocks = bytes / BLOCK, tag = bytes + shift + pieces;
	struct nvs_sqe e = nvme_io(NVS_IO_WRITE, 1, 8, blocks);
	int st;

	nvme_stamp(nvme_data(n, shift), bytes, 8, tag);
	memset(nvme_data(n, BACK), 0, bytes + NVME_PAGE);
	if (pieces)
		nvme_sgl(n, &e, 0, shift, bytes, pieces);
	else
		nvme_prp(n, &e, 0, shift, bytes);
	st = nvme_do(n, 1, &e, NULL);
	e = nvme_io(NVS_IO_READ, 1, 8, blocks);
	if (pieces)
		nvme_sgl(n, &e, 1, BACK + shift, bytes, pieces);
	else
		nvme_prp(n, &e, 1, BACK + shift, bytes);
	st = st ? st : nvme_do(n, 1, &e, NULL);
	if (st)
		return st;
	/* Not a byte in front of it or behind it. */
	for (uint32_t i = 0; i < shift; i++)
		if (nvme_data(n, BACK)[i])
			return -EBADMSG;
	if (nvme_data(n, BACK)[shift + bytes])
		return -EBADMSG;
	return nvme_stamped(nvme_data(n, BACK + shift), bytes, 8, tag) ? 0 : -EBADMSG;
}

TEST_F(host, transfers_of_every_size)
{
	static const unsigned int pieces[] = { 0, 1, 3, 200 };

	ASSERT_EQ(0, nvme_queue_create(&self->n, 1, 8, -1));
	for (uint32_t bytes = NVME_PAGE; bytes <= MDTS_BYTES; bytes *= 2) {
		for (unsigned int i = 0; i < ARRAY_SIZE(pieces); i++) {
			EXPECT_EQ(0, write_read(&self->n, bytes, 0, pieces[i])) {
				TH_LOG("%u bytes, %u descriptors", bytes, pieces[i]);
			}
			EXPECT_EQ(0, write_read(&self->n, bytes, 0x104, pieces[i])) {
				TH_LOG("%u bytes, %u descriptors, shifted", bytes, pieces[i]);
			}
		}
	}
	EXPECT_EQ(NVS_SC_INVALID_FIELD, write_read(&self->n, MDTS_BYTES + NVME_PAGE, 0, 0));
}

static int put_writes(struct nvme *n, unsigned int q, unsigned int num)
{
	for (unsigned int i = 0; i < num; i++) {
		struct nvs_sqe e = nvme_io(NVS_IO_WRITE, 1, 8 * i, 8);

		nvme_prp(n, &e, i, i % 64 * NVME_PAGE, NVME_PAGE);
		nvme_put(n, q, &e);
	}
	return nvme_ring(n, q);
}

TEST_F(host, many_commands_at_once)
{
	ASSERT_EQ(0, nvme_queue_create(&self->n, 1, BATCH + 1, -1));
	ASSERT_EQ(0, put_writes(&self->n, 1, BATCH));
	EXPECT_EQ(0, nvme_batch_take(&self->n, 1, BATCH));
}

TEST_F(host, every_queue)
{
	for (unsigned int q = 1; q < NVME_QUEUES; q++)
		ASSERT_EQ(0, nvme_queue_create(&self->n, q, 2 + 63 * q, -1));
	for (unsigned int q = 1; q < NVME_QUEUES; q++)
		ASSERT_EQ(0, put_writes(&self->n, q, q));
	for (unsigned int q = 1; q < NVME_QUEUES; q++)
		EXPECT_EQ(0, nvme_batch_take(&self->n, q, q));
	for (unsigned int q = 1; q < NVME_QUEUES; q++)
		EXPECT_EQ(0, nvme_queue_delete(&self->n, q));
}

TEST_F(host, interrupts)
{
	int fds[2] = { eventfd_new(), eventfd_new() };

	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 2, fds));
	ASSERT_EQ(0, nvme_queue_create(&self->n, 1, 8, 1));
	EXPECT_EQ(1, eventfd_wait(fds[0], NVME_WAIT_MS));
	EXPECT_EQ(0, eventfd_wait(fds[1], 0));
	ASSERT_EQ(0, put_writes(&self->n, 1, 1));
	EXPECT_EQ(1, eventfd_wait(fds[1], NVME_WAIT_MS));
	EXPECT_EQ(0, nvme_batch_take(&self->n, 1, 1));
	close(fds[0]);
	close(fds[1]);
}

TEST_F(host, events)
{
	struct nvs_cqe c;
	int cid;

	ASSERT_EQ(0, nvme_set_feature(&self->n, NVS_FEAT_ASYNC_EVENT, NVS_AEC_TEMPERATURE));
	cid = nvme_event_request(&self->n);
	ASSERT_LE(0, cid);
	EXPECT_EQ(-ETIMEDOUT, nvme_next(&self->n, 0, &c, 100));
	ASSERT_EQ(0, model_cmd(&self->m, "temperature 400"));
	ASSERT_EQ(0, nvme_next(&self->n, 0, &c, NVME_WAIT_MS));
	EXPECT_EQ(cid, le16toh(c.cid));
	EXPECT_EQ(NVS_EVENT_HEALTH, le32toh(c.dw0) & 7);
	ASSERT_EQ(0, model_cmd(&self->m, "temperature 300"));
}

TEST_HARNESS_MAIN
