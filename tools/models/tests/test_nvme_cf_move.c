// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): a controller moves between two subsystems. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "../nvme_cf.h"
#include "nvme_pair.h"

/* Queues of 8 entries and every place in them. */
static void test_move(void)
{
	struct nvs_sqe flush = { .opcode = NVS_IO_FLUSH, .nsid = 1 };
	struct nvmh_pair p;
	uint8_t seed = 0;

	nvmh_open_pair(&p, "firmware=2");
	for (int round = 0; round < 20; round++) {
		struct nvmh_host *from = round & 1 ? &p.b : &p.a, *to = round & 1 ? &p.a : &p.b;

		for (int i = 0; i < round % 9; i++) {
			memset(from->fn.data, ++seed, 512);
			CHECK_EQ(nvmh_io(from, NVS_IO_WRITE, (uint64_t)i, 1), 0);
		}
		/* Completions that nobody has looked at, and commands that nobody has fetched. */
		nvmh_submit(&from->fn, 1, &flush);
		rig_step(from->fn.r);
		CHECK_EQ(nvmh_suspend(from), 0);
		nvmh_submit(&from->fn, 1, &flush);
		event_count(to->fn.ev[1]);
		nvmh_move(from, to);
		CHECK_EQ(nvmh_status(&to->fn, 1), 0);
		CHECK_EQ(nvmh_status(&to->fn, 1), 0);
		CHECK(event_count(to->fn.ev[1]) > 0);
		if (round % 9) {
			CHECK_EQ(nvmh_io(to, NVS_IO_READ, (uint64_t)(round % 9 - 1), 1), 0);
			CHECK_EQ(to->fn.data[5], seed);
		}
		CHECK_EQ(nvmh_identify(&to->fn, NVS_CNS_CONTROLLER, 0, 0), 0);
	}
	CHECK_EQ(nvmh_stat(p.a.fn.r, "unlocked_writes "), 0);
	CHECK_EQ(nvmh_stat(p.b.fn.r, "unlocked_writes "), 0);
	nvmh_close_pair(&p);
}

static void test_move_everything(void)
{
	struct nvs_sqe aer = { .opcode = NVS_ADMIN_ASYNC_EVENT };
	struct nvmh_pair p;
	uint16_t cid;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_ASYNC_EVENT, 0x102), 0);
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_WRITE_CACHE, 0), 0);
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_POWER, 1), 0);
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_TEMPERATURE, 333), 0);
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_VECTOR, 1 << 16 | 3), 0);
	memset(p.a.fn.data, 0x77, 16);
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_HOST_ID, 1), 0);
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_TIMESTAMP, 0), 0);
	cid = nvmh_submit(&p.a.fn, 0, &aer);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "events_outstanding "), 1);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	/* An event that comes now is told on the other side. */
	CHECK(strstr(rig_control(p.a.fn.r, "resize 1 100"), "ok"));
	nvmh_move(&p.a, &p.b);
	CHECK_EQ(nvmh_status(&p.b.fn, 0), 0);
	CHECK_EQ(le16toh(p.b.fn.cqe.cid), cid);
	CHECK_EQ(p.b.fn.cqe.dw0, NVS_EVENT_NOTICE | NVS_LOG_CHANGED_NS << 16);
	CHECK_EQ(nvmh_admin(&p.b.fn, NVS_ADMIN_GET_LOG, 0, 1023 << 16 | NVS_LOG_CHANGED_NS, 0), 0);
	CHECK_EQ(p.b.fn.data[0], 1);
	CHECK_EQ(nvmh_admin(&p.b.fn, NVS_ADMIN_GET_FEATURES, 0, NVS_FEAT_WRITE_CACHE, 0), 0);
	CHECK_EQ(p.b.fn.cqe.dw0, 0);
	CHECK_EQ(nvmh_admin(&p.b.fn, NVS_ADMIN_GET_FEATURES, 0, NVS_FEAT_POWER, 0), 0);
	CHECK_EQ(p.b.fn.cqe.dw0, 1);
	CHECK_EQ(nvmh_admin(&p.b.fn, NVS_ADMIN_GET_FEATURES, 0, NVS_FEAT_TEMPERATURE, 0), 0);
	CHECK_EQ(p.b.fn.cqe.dw0, 333);
	CHECK_EQ(nvmh_admin(&p.b.fn, NVS_ADMIN_GET_FEATURES, 0, NVS_FEAT_VECTOR, 3), 0);
	CHECK_EQ(p.b.fn.cqe.dw0, 1 << 16 | 3);
	CHECK_EQ(nvmh_admin(&p.b.fn, NVS_ADMIN_GET_FEATURES, 0, NVS_FEAT_HOST_ID, 1), 0);
	CHECK_EQ(p.b.fn.data[9], 0x77);
	nvmh_close_pair(&p);
}

/* Dword 0 of a feature, with what selects a part of it. */
static uint32_t feature(struct nvmh_host *h, uint8_t fid, uint32_t cdw11)
{
	CHECK_EQ(nvmh_admin(&h->fn, NVS_ADMIN_GET_FEATURES, 0, fid, cdw11), 0);
	return h->fn.cqe.dw0;
}

#define GONE_ON_MS	30

/* Each feature has another value than after a reset, and has it on the other side. */
static void test_move_features(void)
{
	static const struct {
		uint8_t fid;
		uint32_t set, get, want;
	} features[] = {
		{ NVS_FEAT_ARBITRATION, 0x01020303, 0, 0x01020303 },
		{ NVS_FEAT_POWER, 1, 0, 1 },
		{ NVS_FEAT_TEMPERATURE, 0x150, 0, 0x150 },
		{ NVS_FEAT_TEMPERATURE, 1 << 20 | 0x100, 1 << 20, 0x100 },
		{ NVS_FEAT_ERROR_RECOVERY, 0x1234, 0, 0x1234 },
		{ NVS_FEAT_WRITE_CACHE, 0, 0, 0 },
		{ NVS_FEAT_QUEUES, 0x20002, 0, 0x20002 },
		{ NVS_FEAT_COALESCING, 0x0203, 0, 0x0203 },
		{ NVS_FEAT_VECTOR, 1 << 16 | 64, 64, 1 << 16 | 64 },
		{ NVS_FEAT_ATOMICITY, 1, 0, 1 },
		{ NVS_FEAT_ASYNC_EVENT, 0x102, 0, 0x102 },
	};
	const uint64_t stamp = 1700000000000;
	uint64_t moved;
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	nvmh_disable(&p.a.fn);
	CHECK(nvmh_enable(&p.a.fn));
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, features[i].fid,
				    features[i].set), 0);
	memcpy(p.a.fn.data, &stamp, sizeof(stamp));
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_TIMESTAMP, 0), 0);
	rig_write32(p.a.fn.r, 0, NVS_REG_INTMS, 0x10);
	CHECK_EQ(nvmh_create_pair(&p.a.fn, 3, 8), 0);
	test_wait(GONE_ON_MS * NSEC_PER_MSEC);
	nvmh_move(&p.a, &p.b);
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		CHECK_EQ(feature(&p.b, features[i].fid, features[i].get), features[i].want);
	feature(&p.b, NVS_FEAT_TIMESTAMP, 0);
	memcpy(&moved, p.b.fn.data, sizeof(moved));
	/* It is set, and has gone on. */
	CHECK_EQ(moved >> 48, 2);
	moved &= 0xffffffffffff;
	CHECK(moved >= stamp + GONE_ON_MS && moved < stamp + 60000);
	CHECK_EQ(rig_read32(p.b.fn.r, 0, NVS_REG_INTMS), 0x10);
	CHECK_EQ(nvmh_create_pair(&p.b.fn, 4, 8), NVS_SC_INVALID_QID);
	CHECK_EQ(nvmh_create_pair(&p.b.fn, 2, 8), 0);
	nvmh_close_pair(&p);
}

/* CC.EN that was cleared just before: its reset comes first, and ends the suspension. */
static void test_disabled_just_now(void)
{
	struct nvmh_pair p;
	struct nvcf_ctrl *c;
	uint32_t cc;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	c = p.a.fn.r->dev->priv;
	cc = 0;
	nvcf_bar_write(c->dev, 0, NVS_REG_CC, &cc, sizeof(cc));
	c->dev->kicked = false;
	CHECK_EQ(nvmh_get_part(&p.a, 0, 1 << 16 | NVMH_CNTLID, 0,
			       12 + sizeof(struct nvcf_state) / 4), 0);
	CHECK_EQ(p.a.m.cqe.dw0, 0);
	CHECK_EQ(((struct nvcf_state *)(p.a.m.data + 48))->csts, 0);
	CHECK_EQ(((struct nvcf_state *)(p.a.m.data + 48))->cc & NVS_CC_EN, 0);
	/* Likewise before state comes. */
	CHECK_EQ(nvmh_suspend(&p.b), 0);
	c = p.b.fn.r->dev->priv;
	c->cc = NVS_CC_EN;
	nvcf_bar_write(c->dev, 0, NVS_REG_CC, &cc, sizeof(cc));
	c->dev->kicked = false;
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_FIRST, 0x100, 0, p.b.m.data, 48),
		 NVS_SC_INVALID_CNTLID);
	nvmh_close_pair(&p);
}

/* Of a controller that its user has not enabled, or that has died. */
static void test_move_not_ready(void)
{
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	nvmh_disable(&p.a.fn);
	nvmh_move(&p.a, &p.b);
	CHECK_EQ(nvmh_csts(&p.b.fn), 0);
	CHECK(nvmh_enable(&p.b.fn));
	rig_control(p.b.fn.r, "fault fetch fail count=1");
	CHECK_EQ(nvmh_identify(&p.b.fn, NVS_CNS_CONTROLLER, 0, 0), -1);
	nvmh_move(&p.b, &p.a);
	CHECK_EQ(nvmh_csts(&p.a.fn), NVS_CSTS_RDY | NVS_CSTS_CFS);
	nvmh_close_pair(&p);
}

/* Of one that its user was about to enable. */
static void test_move_half_set_up(void)
{
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	nvmh_disable(&p.a.fn);
	nvmh_write64(&p.a.fn, NVS_REG_ASQ, 0);
	nvmh_write64(&p.a.fn, NVS_REG_ACQ, 0);
	rig_write32(p.a.fn.r, NVCF_BAR, NVS_REG_AQA, 0x30005);
	rig_write32(p.a.fn.r, NVCF_BAR, NVS_REG_ASQ + 4, 0x12345);
	rig_write32(p.a.fn.r, NVCF_BAR, NVS_REG_ACQ, 0x67000);
	rig_write32(p.a.fn.r, NVCF_BAR, NVS_REG_INTMS, 0x80);
	nvmh_move(&p.a, &p.b);
	CHECK_EQ(rig_read32(p.b.fn.r, NVCF_BAR, NVS_REG_AQA), 0x30005);
	CHECK_EQ(rig_read32(p.b.fn.r, NVCF_BAR, NVS_REG_ASQ), 0);
	CHECK_EQ(rig_read32(p.b.fn.r, NVCF_BAR, NVS_REG_ASQ + 4), 0x12345);
	CHECK_EQ(rig_read32(p.b.fn.r, NVCF_BAR, NVS_REG_ACQ), 0x67000);
	CHECK_EQ(rig_read32(p.b.fn.r, NVCF_BAR, NVS_REG_ACQ + 4), 0);
	CHECK_EQ(rig_read32(p.b.fn.r, NVCF_BAR, NVS_REG_INTMS), 0x80);
	CHECK(nvmh_enable(&p.b.fn));
	nvmh_close_pair(&p);
}

static void test_lock_and_rollback(void)
{
	uint8_t state[NVMH_STATE_BYTES];
	uint32_t bytes;
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	memset(p.a.fn.data, 0x11, 512);
	CHECK_EQ(nvmh_io(&p.a, NVS_IO_WRITE, 0, 1), 0);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	bytes = nvmh_get_state(&p.a, state);
	CHECK_EQ(nvmh_suspend(&p.b), 0);
	CHECK_EQ(nvmh_set_state(&p.b, state, bytes), 0);
	/* Called off: the source has the disk again, and the destination does not get it. */
	CHECK_EQ(nvmh_resume(&p.a), 0);
	CHECK_EQ(nvmh_io(&p.a, NVS_IO_WRITE, 1, 1), 0);
	CHECK_EQ(nvmh_resume(&p.b), NVS_SC_NAMESPACE_NOT_READY);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	CHECK_EQ(nvmh_resume(&p.b), 0);
	CHECK_EQ(nvmh_resume(&p.a), NVS_SC_NAMESPACE_NOT_READY);
	nvmh_close_pair(&p);
}

/* Two disks move with their controller, or none does. */
static void test_move_two_disks(void)
{
	char path[64] = "/tmp/nvme_cf.XXXXXX", option[80];
	int second = mkstemp(path);
	struct nvmh_pair p;

	if (second < 0 || ftruncate(second, 4 << 20))
		abort();
	snprintf(option, sizeof(option), "disk2=%s", path);
	nvmh_open_pair_both(&p, option, NULL);
	for (uint32_t nsid = 1; nsid < 3; nsid++) {
		memset(p.a.fn.data, (int)(0x30 + nsid), 512);
		CHECK_EQ(nvmh_rw(&p.a.fn, 1, NVS_IO_WRITE, nsid, 5, 1, 512), 0);
	}
	/* The second one is somebody else's by now: the controller takes neither. */
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	CHECK_EQ(flock(second, LOCK_EX | LOCK_NB), 0);
	CHECK_EQ(nvmh_resume(&p.a), NVS_SC_NAMESPACE_NOT_READY);
	CHECK_EQ(flock(p.fd, LOCK_EX | LOCK_NB), 0);
	flock(p.fd, LOCK_UN);
	flock(second, LOCK_UN);
	CHECK_EQ(nvmh_resume(&p.a), 0);
	CHECK_EQ(flock(second, LOCK_EX | LOCK_NB), -1);
	nvmh_move(&p.a, &p.b);
	for (uint32_t nsid = 1; nsid < 3; nsid++) {
		CHECK_EQ(nvmh_rw(&p.b.fn, 1, NVS_IO_READ, nsid, 5, 1, 512), 0);
		CHECK_EQ(p.b.fn.data[511], 0x30 + nsid);
	}
	CHECK_EQ(nvmh_rw(&p.b.fn, 1, NVS_IO_READ, 3, 5, 1, 512), NVS_SC_INVALID_NAMESPACE);
	nvmh_close_pair(&p);
	close(second);
	unlink(path);
}

/* All of it but what is in the file; 0 if it came to that. */
static int write_move_and_die(struct nvmh_pair *p)
{
	int bad = 0;

	for (uint64_t lba = 0; lba < 8; lba++) {
		memset(p->a.fn.data, (int)(0x51 + lba), 512);
		bad |= nvmh_io(&p->a, NVS_IO_WRITE, lba, 1);
	}
	nvmh_move(&p->a, &p->b);
	memset(p->b.fn.data, 0x99, 512);
	bad |= nvmh_io(&p->b, NVS_IO_WRITE, 8, 1);
	return bad;
}

/*
 * Whoever dies takes its write cache along, whose content nobody has asked to be written: nothing of
 * the source is in there any more.
 */
static void test_source_dies(void)
{
	uint8_t block[512];
	struct nvmh_pair p;
	int status = -1;
	pid_t child;

	nvmh_open_pair(&p, NULL);
	child = fork();
	if (!child)
		_exit(write_move_and_die(&p) != 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	for (int lba = 0; lba < 9; lba++) {
		CHECK_EQ(pread(p.fd, block, sizeof(block), lba * 512), 512);
		CHECK_EQ(block[0], lba < 8 ? 0x51 + lba : 0);
		CHECK_EQ(block[511], block[0]);
	}
	nvmh_close_pair(&p);
}

static const struct test tests[] = {
	{ "nvme_cf: move between subsystems", test_move },
	{ "nvme_cf: move events and features", test_move_everything },
	{ "nvme_cf: move all features", test_move_features },
	{ "nvme_cf: move a controller that was disabled just now", test_disabled_just_now },
	{ "nvme_cf: move a controller that is not ready", test_move_not_ready },
	{ "nvme_cf: move a controller that is half set up", test_move_half_set_up },
	{ "nvme_cf: locks and rollback", test_lock_and_rollback },
	{ "nvme_cf: move two disks", test_move_two_disks },
	{ "nvme_cf: source that dies after a move", test_source_dies },
	{ NULL, NULL },
};
TEST_SUITE(tests);
