// SPDX-License-Identifier: GPL-2.0
/*
 * What an nvme_cf controller has of state when it is moved to another subsystem with the same
 * disks: queues with commands in them, events, features, doorbells.  Each command that a host
 * gives is complete once, on one side: its log is joined with both models'.
 *
 * Groups: nvme-cf
 */
#include "lib/dmalog.h"
#include "lib/nvmedirty.h"
#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define MANY	256

FIXTURE(nvme_cf)
{
	struct nvme_pair p;
	unsigned int open;		/* event requests outstanding at the end */
	unsigned int count[NVME_LOG_SIDES];
};

VARIANTS_OF_OPENING(nvme_cf);

FIXTURE_SETUP(nvme_cf)
{
	int err;

	NEED_MODE(variant->mode);
	err = nvme_pair_open(&self->p, variant->mode);
	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(nvme_cf)
{
	if (self->p.log) {
		EXPECT_EQ(0, nvme_pair_join(&self->p, self->open, self->count));
		TH_LOG("%u commands on one side, %u on the other one", self->count[0],
		       self->count[1]);
		for (unsigned int i = 0; i < 2; i++) {
			uint64_t unlocked = 1;

			EXPECT_EQ(0, model_value(&self->p.fn[i], "stats", "unlocked_writes",
						 &unlocked));
			EXPECT_EQ(0, unlocked);
		}
	}
	nvme_pair_close(&self->p);
}

/* ---- commands that nobody has fetched yet ---- */

/* Of a full queue @fetched are carried out by the source, and the others by the destination. */
static void full_queue(struct __test_metadata *_metadata, struct nvme_pair *p,
		       unsigned int fetched)
{
	uint64_t done[2];

	ASSERT_EQ(0, nvme_queue_create(&p->n, 1, MANY + 1, -1));
	ASSERT_EQ(0, model_value(&p->fn[0], "stats", "commands_completed", &done[0]));
	ASSERT_EQ(0, model_value(&p->fn[1], "stats", "commands_completed", &done[1]));
	ASSERT_EQ(0, model_cmd(&p->fn[0], "fault fetch hang skip=%u", fetched));
	nvme_batch_put(&p->n, 1, NVS_IO_WRITE, 0, MANY, 5);
	ASSERT_EQ(0, nvme_ring(&p->n, 1));
	ASSERT_EQ(0, nvme_pair_move(p, true));
	EXPECT_EQ(0, nvme_batch_take(&p->n, 1, MANY));
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t now;

		ASSERT_EQ(0, model_value(&p->fn[i], "stats", "commands_completed", &now));
		EXPECT_EQ(i ? MANY - fetched : fetched, now - done[i]);
	}
	EXPECT_EQ(0, nvme_batch_check(&p->n, 1, 0, MANY, 5));
}

TEST_F(nvme_cf, all_of_256_commands_are_carried_out_there)
{
	full_queue(_metadata, &self->p, 0);
}

TEST_F(nvme_cf, of_256_commands_one_part_is_carried_out_here)
{
	full_queue(_metadata, &self->p, 100);
}

/* Rings of all sizes, which have wrapped, with a part of each in work. */
TEST_F(nvme_cf, sixteen_queues)
{
	struct nvme *n = &self->p.n;

	for (unsigned int q = 1; q < NVME_QUEUES; q++) {
		ASSERT_EQ(0, nvme_queue_create(n, q, 17 + q * q, -1));
		for (unsigned int round = 0; round < q; round++) {
			nvme_batch_put(n, q, NVS_IO_WRITE, 16 * (q - 1), 7, 9);
			ASSERT_EQ(0, nvme_ring(n, q));
			ASSERT_EQ(0, nvme_batch_take(n, q, 7));
		}
	}
	ASSERT_EQ(0, model_cmd(&self->p.fn[0], "fault fetch hang skip=%u", 8 * 16));
	for (unsigned int q = 1; q < NVME_QUEUES; q++) {
		nvme_batch_put(n, q, NVS_IO_WRITE, 16 * (q - 1), 16, 21);
		ASSERT_EQ(0, nvme_ring(n, q));
	}
	ASSERT_EQ(0, nvme_pair_move(&self->p, true));
	for (unsigned int q = 1; q < NVME_QUEUES; q++) {
		EXPECT_EQ(0, nvme_batch_take(n, q, 16)) {
			TH_LOG("queue %u", q);
		}
	}
	for (unsigned int q = 1; q < NVME_QUEUES; q++) {
		EXPECT_EQ(0, nvme_batch_check(n, q, 16 * (q - 1), 16, 21)) {
			TH_LOG("queue %u", q);
		}
	}
	for (unsigned int q = 1; q < NVME_QUEUES; q++)
		EXPECT_EQ(0, nvme_queue_delete(n, q));
}

/* By PRPs and by SGLs, each size; none is fetched by the source. */
TEST_F(nvme_cf, transfers_of_every_size)
{
	struct nvme *n = &self->p.n;
	uint32_t off = 0, at = 0;
	unsigned int num = 0;

	ASSERT_EQ(0, nvme_queue_create(n, 1, 64, -1));
	ASSERT_EQ(0, model_cmd(&self->p.fn[0], "fault fetch hang"));
	for (unsigned int sgl = 0; sgl < 2; sgl++) {
		for (unsigned int log = 0; log <= NVCF_MAX_MDTS; log++, num++) {
			uint32_t bytes = NVME_PAGE << log;
			struct nvs_sqe e = nvme_io(NVS_IO_WRITE, 1, off / NVME_BLOCK,
						   bytes / NVME_BLOCK);

			nvme_stamp(nvme_data(n, off), bytes, off / NVME_BLOCK, 3);
			if (sgl)
				nvme_sgl(n, &e, num, off, bytes, 1 + 20 * log);
			else
				nvme_prp(n, &e, num, off, bytes);
			nvme_put(n, 1, &e);
			off += bytes;
		}
	}
	ASSERT_EQ(0, nvme_ring(n, 1));
	ASSERT_EQ(0, nvme_pair_move(&self->p, true));
	ASSERT_EQ(0, nvme_batch_take(n, 1, num));
	memset(nvme_data(n, 0), 0, off);
	for (; at < off; at += NVME_PAGE) {
		struct nvs_sqe e = nvme_io(NVS_IO_READ, 1, at / NVME_BLOCK, NVME_PAGE / NVME_BLOCK);

		nvme_prp(n, &e, 0, at, NVME_PAGE);
		ASSERT_EQ(0, nvme_do(n, 1, &e, NULL));
	}
	EXPECT_TRUE(nvme_stamped(nvme_data(n, 0), off, 0, 3));
}

TEST_F(nvme_cf, two_namespaces)
{
	struct nvme *n = &self->p.n;
	struct nvs_id_ns *id = (struct nvs_id_ns *)(n->mem + NVME_ADMIN_DATA);
	uint32_t block[2];

	ASSERT_EQ(0, nvme_queue_create(n, 1, 64, -1));
	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, nvme_identify(n, NVS_CNS_NAMESPACE, i + 1));
		if (!id->nsze)
			SKIP(return, "there is no namespace %u", i + 1);
		block[i] = 1u << id->lbaf[id->flbas & 15].lbads;
	}
	EXPECT_NE(block[0], block[1]);
	ASSERT_EQ(0, model_cmd(&self->p.fn[0], "fault fetch hang skip=7"));
	for (unsigned int i = 0; i < 16; i++) {
		uint32_t ns = i % 2, off = i * NVME_PAGE;
		struct nvs_sqe e = nvme_io(NVS_IO_WRITE, ns + 1, off / block[ns],
					   NVME_PAGE / block[ns]);

		nvme_stamp(nvme_data(n, off), NVME_PAGE, i, 40 + ns);
		nvme_prp(n, &e, i, off, NVME_PAGE);
		nvme_put(n, 1, &e);
	}
	ASSERT_EQ(0, nvme_ring(n, 1));
	ASSERT_EQ(0, nvme_pair_move(&self->p, true));
	ASSERT_EQ(0, nvme_batch_take(n, 1, 16));
	for (unsigned int i = 0; i < 16; i++) {
		uint32_t ns = i % 2, off = i * NVME_PAGE;
		struct nvs_sqe e = nvme_io(NVS_IO_READ, ns + 1, off / block[ns],
					   NVME_PAGE / block[ns]);

		memset(nvme_data(n, off), 0, NVME_PAGE);
		nvme_prp(n, &e, 0, off, NVME_PAGE);
		ASSERT_EQ(0, nvme_do(n, 1, &e, NULL));
		EXPECT_TRUE(nvme_stamped(nvme_data(n, off), NVME_PAGE, i, 40 + ns));
	}
}

TEST_F(nvme_cf, admin_commands_in_flight)
{
	struct nvme *n = &self->p.n;
	const struct nvs_sqe e = {
		.opcode = NVS_ADMIN_IDENTIFY, .cdw10 = htole32(NVS_CNS_CONTROLLER),
		.prp1 = htole64(n->iova + NVME_ADMIN_DATA),
	};
	struct nvs_id_ctrl *id = (struct nvs_id_ctrl *)(n->mem + NVME_ADMIN_DATA);

	/* So that the rings have wrapped. */
	for (unsigned int i = 0; i < NVME_ADMIN_ENTRIES; i++)
		ASSERT_EQ(0, nvme_do(n, 0, &e, NULL));
	memset(id, 0, sizeof(*id));
	ASSERT_EQ(0, model_cmd(&self->p.fn[0], "fault fetch hang skip=5"));
	for (unsigned int i = 0; i < 20; i++)
		nvme_put(n, 0, &e);
	ASSERT_EQ(0, nvme_ring(n, 0));
	ASSERT_EQ(0, nvme_pair_move(&self->p, true));
	EXPECT_EQ(0, nvme_batch_take(n, 0, 20));
	EXPECT_EQ(0, memcmp(id->mn, "nvme_cf ", 8));
	EXPECT_EQ(0, nvme_queue_create(n, 1, 8, -1));
}

/* What it has fetched it completes before it is suspended, however long that takes. */
TEST_F(nvme_cf, fetched_commands_are_completed_here)
{
	struct nvme *n = &self->p.n;

	ASSERT_EQ(0, nvme_queue_create(n, 1, 64, -1));
	ASSERT_EQ(0, model_cmd(&self->p.fn[0], "fault write delay=300"));
	nvme_batch_put(n, 1, NVS_IO_WRITE, 0, 32, 77);
	ASSERT_EQ(0, nvme_ring(n, 1));
	usleep(50000);
	ASSERT_EQ(0, nvme_pair_leave(&self->p, true));
	EXPECT_EQ(0, nvme_batch_take(n, 1, 32));
	ASSERT_EQ(0, nvme_pair_enter(&self->p));
	ASSERT_EQ(0, mig_set(&self->p.v[1], RUNNING, NULL));
	EXPECT_EQ(0, nvme_batch_check(n, 1, 0, 32, 77));
}

/* ---- doorbells of a controller that is suspended ---- */

TEST_F(nvme_cf, doorbells_rung_while_it_stands_still)
{
	struct nvme *n = &self->p.n;
	struct nvs_cqe c;

	ASSERT_EQ(0, nvme_queue_create(n, 1, 64, -1));
	ASSERT_EQ(0, mig_set(&self->p.v[0], RUNNING_P2P, NULL));
	nvme_batch_put(n, 1, NVS_IO_WRITE, 0, 8, 1);
	ASSERT_EQ(0, nvme_ring(n, 1));
	EXPECT_EQ(-ETIMEDOUT, nvme_next(n, 1, &c, 200));
	/* Those of the source move as well. */
	ASSERT_EQ(0, nvme_pair_leave(&self->p, false));
	ASSERT_EQ(0, nvme_pair_enter(&self->p));
	ASSERT_EQ(0, mig_set(&self->p.v[1], RUNNING_P2P, NULL));
	nvme_batch_put(n, 1, NVS_IO_WRITE, 8, 8, 1);
	ASSERT_EQ(0, nvme_ring(n, 1));
	EXPECT_EQ(-ETIMEDOUT, nvme_next(n, 1, &c, 200));
	ASSERT_EQ(0, mig_set(&self->p.v[1], RUNNING, NULL));
	EXPECT_EQ(0, nvme_batch_take(n, 1, 16));
	EXPECT_EQ(0, nvme_batch_check(n, 1, 0, 16, 1));
}

TEST_F(nvme_cf, interrupts_owed_are_raised_there)
{
	struct nvme *n = &self->p.n;
	int fds[3] = { eventfd_new(), eventfd_new(), eventfd_new() };

	ASSERT_EQ(0, vdev_irq_eventfds(&self->p.v[0], VFIO_PCI_MSIX_IRQ_INDEX, 0, 3, fds));
	ASSERT_EQ(0, nvme_queue_create(n, 1, 64, 1));
	ASSERT_EQ(0, nvme_queue_create(n, 2, 64, 2));
	nvme_batch_put(n, 1, NVS_IO_WRITE, 0, 4, 1);
	ASSERT_EQ(0, nvme_ring(n, 1));
	ASSERT_EQ(1, eventfd_wait(fds[1], NVME_WAIT_MS));
	ASSERT_EQ(0, nvme_pair_leave(&self->p, true));
	for (unsigned int i = 0; i < 3; i++)
		eventfd_wait(fds[i], 0);
	ASSERT_EQ(0, nvme_pair_enter(&self->p));
	ASSERT_EQ(0, vdev_irq_eventfds(&self->p.v[1], VFIO_PCI_MSIX_IRQ_INDEX, 0, 3, fds));
	ASSERT_EQ(0, mig_set(&self->p.v[1], RUNNING, NULL));
	/* The completions were not taken: nobody can know whether the interrupt had come. */
	EXPECT_EQ(1, eventfd_wait(fds[1], NVME_WAIT_MS));
	EXPECT_EQ(0, eventfd_wait(fds[2], 0));
	EXPECT_EQ(0, nvme_batch_take(n, 1, 4));
	for (unsigned int i = 0; i < 3; i++)
		close(fds[i]);
}

/* INTMS masks the one interrupt of a controller without MSI-X. */
TEST_F(nvme_cf, a_mask_moves)
{
	struct nvme *n = &self->p.n;
	int fd = eventfd_new();

	ASSERT_EQ(0, nvme_queue_create(n, 1, 64, 0));
	ASSERT_EQ(0, nvme_write(n, NVS_REG_INTMS, 1));
	nvme_batch_put(n, 1, NVS_IO_WRITE, 0, 4, 1);
	ASSERT_EQ(0, nvme_ring(n, 1));
	ASSERT_EQ(0, nvme_pair_leave(&self->p, true));
	ASSERT_EQ(0, nvme_pair_enter(&self->p));
	ASSERT_EQ(0, vdev_irq_eventfds(&self->p.v[1], VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &fd));
	ASSERT_EQ(0, mig_set(&self->p.v[1], RUNNING, NULL));
	EXPECT_EQ(1, nvme_read(n, NVS_REG_INTMS));
	EXPECT_EQ(0, eventfd_wait(fd, 300));
	ASSERT_EQ(0, nvme_write(n, NVS_REG_INTMC, 1));
	EXPECT_EQ(1, eventfd_wait(fd, NVME_WAIT_MS));
	EXPECT_EQ(0, nvme_batch_take(n, 1, 4));
	close(fd);
}

/* ---- events ---- */

static int read_health(struct nvme *n, bool retain)
{
	const struct nvs_sqe e = {
		.opcode = NVS_ADMIN_GET_LOG, .nsid = htole32(NVS_NSID_ALL),
		.cdw10 = htole32(127 << 16 | NVS_LOG_HEALTH | (retain ? NVS_LOG_RAE : 0)),
		.prp1 = htole64(n->iova + NVME_ADMIN_DATA),
	};

	return nvme_do(n, 0, &e, NULL);
}

TEST_F(nvme_cf, event_requests_stay_outstanding)
{
	struct nvme *n = &self->p.n;
	struct nvs_cqe c;
	int cid[3];

	ASSERT_EQ(0, nvme_set_feature(n, NVS_FEAT_ASYNC_EVENT,
				      NVS_AEC_TEMPERATURE | NVS_AEC_NS_CHANGED));
	for (unsigned int i = 0; i < 3; i++)
		ASSERT_LE(0, (cid[i] = nvme_event_request(n)));
	ASSERT_EQ(0, read_health(n, true));		/* they have been fetched */
	ASSERT_EQ(0, nvme_pair_move(&self->p, true));
	EXPECT_EQ(-ETIMEDOUT, nvme_next(n, 0, &c, 200));
	ASSERT_EQ(0, model_cmd(&self->p.fn[1], "temperature 400"));
	ASSERT_EQ(0, nvme_next(n, 0, &c, NVME_WAIT_MS));
	EXPECT_TRUE(le16toh(c.cid) >= cid[0] && le16toh(c.cid) <= cid[2]);
	EXPECT_EQ(NVS_EVENT_HEALTH, le32toh(c.dw0) & 7);
	/* A type that was told is masked until its page is read, there as well. */
	ASSERT_EQ(0, nvme_pair_move(&self->p, true));
	ASSERT_EQ(0, model_cmd(&self->p.fn[0], "temperature 410"));
	EXPECT_EQ(-ETIMEDOUT, nvme_next(n, 0, &c, 200));
	/* An event of another type is not. */
	ASSERT_EQ(0, model_cmd(&self->p.fn[0], "resize 1 4096"));
	ASSERT_EQ(0, nvme_next(n, 0, &c, NVME_WAIT_MS));
	EXPECT_EQ(NVS_EVENT_NOTICE, le32toh(c.dw0) & 7);
	ASSERT_EQ(0, nvme_pair_move(&self->p, true));
	self->open = 1;
	EXPECT_EQ(0, model_cmd(&self->p.fn[0], "resize 1 131072"));
	EXPECT_EQ(0, model_cmd(&self->p.fn[0], "temperature 300"));
	EXPECT_EQ(0, model_cmd(&self->p.fn[1], "temperature 300"));
}

/* An event that nobody asked for yet is told when somebody does, on the other side. */
TEST_F(nvme_cf, an_event_that_was_not_told)
{
	struct nvme *n = &self->p.n;
	struct nvs_cqe c;
	int cid;

	ASSERT_EQ(0, nvme_set_feature(n, NVS_FEAT_ASYNC_EVENT, NVS_AEC_TEMPERATURE));
	ASSERT_EQ(0, model_cmd(&self->p.fn[0], "temperature 400"));
	ASSERT_EQ(0, nvme_pair_move(&self->p, true));
	ASSERT_LE(0, (cid = nvme_event_request(n)));
	ASSERT_EQ(0, nvme_next(n, 0, &c, NVME_WAIT_MS));
	EXPECT_EQ(cid, le16toh(c.cid));
	EXPECT_EQ(NVS_EVENT_HEALTH, le32toh(c.dw0) & 7);
	EXPECT_EQ(0, model_cmd(&self->p.fn[0], "temperature 300"));
}

/* ---- features ---- */

static const struct {
	unsigned int fid;
	uint32_t value, mask, select;
} features[] = {
	{ NVS_FEAT_ARBITRATION, 0x03, 0xffffffff },
	{ NVS_FEAT_TEMPERATURE, 333, 0xffff },
	{ NVS_FEAT_TEMPERATURE, 250 | 1 << 20, 0xffff, 1 << 20 },
	{ NVS_FEAT_WRITE_CACHE, 0, 1 },
	{ NVS_FEAT_COALESCING, 0x0307, 0xffff },
	{ NVS_FEAT_VECTOR, 1 << 16, 0x1ffff },
	{ NVS_FEAT_ATOMICITY, 1, 1 },
	{ NVS_FEAT_ASYNC_EVENT, NVS_AEC_NS_CHANGED, 0xffffffff },
};

#define GONE_ON_MS	200

TEST_F(nvme_cf, features_move)
{
	static const uint8_t host[16] = "a host's id";
	struct nvme *n = &self->p.n;
	uint8_t *data = n->mem + NVME_ADMIN_DATA;
	const uint64_t set = 1234567890123;
	uint64_t stamp = htole64(set);
	uint32_t val;

	memcpy(data, host, sizeof(host));
	ASSERT_EQ(0, nvme_set_feature(n, NVS_FEAT_HOST_ID, 1));
	memset(data, 0, 16);
	memcpy(data, &stamp, 6);
	ASSERT_EQ(0, nvme_set_feature(n, NVS_FEAT_TIMESTAMP, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++) {
		ASSERT_EQ(0, nvme_set_feature(n, features[i].fid, features[i].value)) {
			TH_LOG("feature %#x", features[i].fid);
		}
	}
	usleep(GONE_ON_MS * 1000);
	ASSERT_EQ(0, nvme_pair_move(&self->p, true));
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++) {
		EXPECT_EQ(0, nvme_get_feature(n, features[i].fid, features[i].select, &val));
		EXPECT_EQ(features[i].value & features[i].mask, val & features[i].mask) {
			TH_LOG("feature %#x", features[i].fid);
		}
	}
	EXPECT_EQ(0, nvme_get_feature(n, NVS_FEAT_HOST_ID, 1, &val));
	EXPECT_EQ(0, memcmp(data, host, sizeof(host)));
	EXPECT_EQ(0, nvme_get_feature(n, NVS_FEAT_TIMESTAMP, 0, &val));
	stamp = 0;
	memcpy(&stamp, data, 6);
	/* It has gone on until the controller was suspended. */
	EXPECT_LE(set + GONE_ON_MS, le64toh(stamp));
	EXPECT_GT(set + 600000, le64toh(stamp));
}

/* ---- the disk ---- */

/* It has written something, and the guest has gone to the destination. */
static int write_and_move(struct nvme_pair *p)
{
	int err = nvme_queue_create(&p->n, 1, 64, -1);

	if (err)
		return err;
	nvme_batch_put(&p->n, 1, NVS_IO_WRITE, 0, 4, 1);
	err = nvme_ring(&p->n, 1);
	err = err ? err : nvme_batch_take(&p->n, 1, 4);
	return err ? err : nvme_pair_move(p, true);
}

/* Both hosts have it open; the one whose controller runs has it. */
TEST_F(nvme_cf, only_one_side_has_the_disk)
{
	ASSERT_EQ(0, write_and_move(&self->p));
	/* The destination has gone on: the source cannot. */
	EXPECT_EQ(-EBUSY, mig_set(&self->p.v[0], RUNNING, NULL));
	EXPECT_EQ(RUNNING_P2P, mig_get(&self->p.v[0]));
	EXPECT_EQ(0, nvme_batch_check(&self->p.n, 1, 0, 4, 1));
}

/* The guest has not seen the destination yet: the source runs again, from where it was stopped. */
TEST_F(nvme_cf, a_destination_that_is_given_up_gives_the_disk_back)
{
	struct nvme *n = &self->p.n;

	ASSERT_EQ(0, write_and_move(&self->p));
	ASSERT_EQ(-EBUSY, mig_set(&self->p.v[0], RUNNING, NULL));
	ASSERT_EQ(0, vdev_reset(&self->p.v[1]));
	ASSERT_EQ(0, mig_set(&self->p.v[0], RUNNING, NULL));
	ASSERT_EQ(0, nvme_on(n, &self->p.v[0]));
	self->p.on = 0;
	EXPECT_EQ(0, nvme_batch_check(n, 1, 0, 4, 1));
	nvme_batch_put(n, 1, NVS_IO_WRITE, 0, 4, 2);
	ASSERT_EQ(0, nvme_ring(n, 1));
	EXPECT_EQ(0, nvme_batch_take(n, 1, 4));
	EXPECT_EQ(0, nvme_batch_check(n, 1, 0, 4, 2));
}

/* ---- dirty memory ---- */

/* nvme_dirty_test has many more rounds. */
TEST_F(nvme_cf, what_it_writes_is_reported)
{
	struct nvme_dirty d;

	ASSERT_EQ(0, nvme_queue_create(&self->p.n, 1, 64, -1));
	/* Transfers overlap: what a log would say of their data is not true. */
	self->p.n.log = NULL;
	ASSERT_EQ(0, dma_log_start(&self->p.v[0], NVME_PAGE, NVME_IOVA, NVME_MEM_BYTES));
	ASSERT_EQ(0, nvme_dirty_rounds(&self->p, 40, NVME_PAGE, 3, &d));
	EXPECT_LT(40, d.written);
	EXPECT_EQ(0, d.missed);
	EXPECT_LE(d.reported, 2 * d.written);
	EXPECT_EQ(0, dma_log_stop(&self->p.v[0]));
	memset(self->p.log, 0, sizeof(*self->p.log));
	EXPECT_EQ(0, nvme_log_begin(&self->p.fn[0]));
}

/* ---- again and again ---- */

#define ROUNDS	12
#define DEPTH	48

/* Back and forth with writes in work, in a ring that is smaller than they are. */
TEST_F_TIMEOUT(nvme_cf, back_and_forth_at_work, 300)
{
	struct nvme *n = &self->p.n;

	ASSERT_EQ(0, nvme_queue_create(n, 1, 61, -1));
	ASSERT_EQ(0, nvme_queue_create(n, 2, 67, -1));
	for (unsigned int round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, model_cmd(&self->p.fn[self->p.on], "fault fetch delay=1 skip=%u",
				       round * 7));
		for (unsigned int q = 1; q <= 2; q++) {
			nvme_batch_put(n, q, NVS_IO_WRITE, (q - 1) * DEPTH, DEPTH, 100 * round);
			ASSERT_EQ(0, nvme_ring(n, q));
		}
		ASSERT_EQ(0, nvme_pair_move(&self->p, round & 1)) {
			TH_LOG("round %u", round);
		}
		for (unsigned int q = 1; q <= 2; q++) {
			ASSERT_EQ(0, nvme_batch_take(n, q, DEPTH)) {
				TH_LOG("round %u", round);
			}
			ASSERT_EQ(0, nvme_batch_check(n, q, (q - 1) * DEPTH, DEPTH, 100 * round)) {
				TH_LOG("round %u", round);
			}
		}
		ASSERT_EQ(0, model_cmd(&self->p.fn[!self->p.on], "fault clear"));
	}
}

TEST_HARNESS_MAIN
