// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): Get State and Set State, and hostile state. */
#include <stddef.h>
#include <stdlib.h>
#include <zlib.h>

#include "nvme_pair.h"

/* ---- Get State ---- */

static void test_get(void)
{
	struct nvs_state_header h;
	struct nvs_state s;
	struct nvmh_pair p;
	uint32_t bytes;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_identify(&p.a.m, NVS_CNS_STATE_FORMATS, 0, 0), 0);
	CHECK_EQ(p.a.m.data[0] | p.a.m.data[1] << 8, 0x101);
	/* Of a running controller the state says that it was running. */
	CHECK_EQ(nvmh_get_part(&p.a, 1, NVMH_CNTLID, 0, 64), 0);
	CHECK_EQ(p.a.m.cqe.dw0, 0);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	CHECK_EQ(nvmh_get_part(&p.a, 1, NVMH_CNTLID, 0, 64), 0);
	CHECK_EQ(p.a.m.cqe.dw0, NVS_CSUP);
	memcpy(&h, p.a.m.data, sizeof(h));
	memcpy(&s, p.a.m.data + sizeof(h), sizeof(s));
	CHECK_EQ(h.nvmecss[0], (8 + 2 * 24) / 4);
	CHECK_EQ(h.vss[0], 0);
	CHECK_EQ(h.csattr, NVS_CSUP);
	CHECK_EQ(s.niosq, 1);
	CHECK_EQ(s.niocq, 1);
	bytes = nvmh_state_bytes(p.a.m.data);
	CHECK(!p.a.m.data[bytes] && !p.a.m.data[255]);	/* zero behind its end */
	CHECK_EQ(nvmh_get_part(&p.a, 0, 1 << 16 | NVMH_CNTLID, 0, 12), 0);
	CHECK_EQ(nvmh_get_part(&p.a, 1, NVMH_CNTLID, 48, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_get_part(&p.a, 0, 1 << 16 | NVMH_CNTLID, 0, 12), 0);
	memcpy(&h, p.a.m.data, sizeof(h));
	CHECK_EQ(h.nvmecss[0], 0);
	CHECK_EQ(h.vss[0], sizeof(struct nvcf_state) / 4);
	CHECK_EQ(nvmh_get_part(&p.a, 0, NVMH_CNTLID, 0, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_get_part(&p.a, 2, NVMH_CNTLID, 0, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_get_part(&p.a, 1, 2 << 16 | NVMH_CNTLID, 0, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_get_part(&p.a, 1, 1 << 24 | NVMH_CNTLID, 0, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_get_part(&p.a, 1, NVMH_CNTLID, 2, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_get_part(&p.a, 1, NVMH_CNTLID, 1 << 20, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_get_part(&p.a, 1, NVMH_CNTLID, 1ull << 40, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_get_part(&p.a, 1, NVMH_CNTLID, 0, 0),
		 NVS_SC_INVALID_FIELD);	/* 2^32 dwords */
	nvmh_close_pair(&p);
}

/* ---- Set State ---- */

static void test_sequences(void)
{
	uint8_t state[NVMH_STATE_BYTES];
	struct nvmh_pair p;
	uint32_t bytes;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	bytes = nvmh_get_state(&p.a, state);
	CHECK_EQ(nvmh_set_state(&p.b, state, bytes), NVS_SC_INVALID_CNTLID);	/* it runs */
	CHECK_EQ(nvmh_suspend(&p.b), 0);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, 0, state, 48), NVS_SC_COMMAND_SEQUENCE);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_LAST, 0x101, 0, state, 48), NVS_SC_COMMAND_SEQUENCE);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_ONLY, 0, 0, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_ONLY, 2, 0, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_ONLY, 0x201, 0, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_ONLY, 0x101, 4, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_FIRST, 0x101, 0, state, 0), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_FIRST, 0x101, 0, state, 48), 0);
	CHECK_EQ(nvmh_resume(&p.b), NVS_SC_COMMAND_SEQUENCE);
	/* A gap ends it. */
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, 52, state, 4), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, 48, state, 4), NVS_SC_COMMAND_SEQUENCE);
	/* Pieces of other formats do not belong together. */
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_FIRST, 0x101, 0, state, 48), 0);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_LAST, 0x001, 48, state + 48, bytes - 48),
		 NVS_SC_INVALID_FIELD);
	/* More than any state has. */
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_FIRST, 0x101, 0, state, 4096), 0);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, 4096, state, 4096), 0);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, 8192, state, 4), NVS_SC_INVALID_FIELD);
	/* A dword at a time; the last one has nothing. */
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_FIRST, 0x101, 0, state, 4), 0);
	for (uint32_t off = 4; off < bytes; off += 4)
		CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, off, state + off, 4), 0);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_LAST, 0x101, bytes, state, 0), 0);
	/* Its queues are there now, and no others can come. */
	CHECK_EQ(nvmh_set_state(&p.b, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_resume(&p.b), 0);
	nvmh_close_pair(&p);
}

static void test_standard_only(void)
{
	struct nvmh_pair p;
	uint8_t state[256];

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	CHECK_EQ(nvmh_get_part(&p.a, 1, NVMH_CNTLID, 0, 64), 0);
	memcpy(state, p.a.m.data, sizeof(state));
	/* Queues need a controller that is enabled. */
	CHECK_EQ(nvmh_suspend(&p.b), 0);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_ONLY, 0x001, 0, state, nvmh_state_bytes(state)),
		 NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_resume(&p.b), 0);
	CHECK(nvmh_enable(&p.b.fn));
	CHECK_EQ(nvmh_suspend(&p.b), 0);
	CHECK_EQ(nvmh_set_part(&p.b, NVS_SEQ_ONLY, 0x001, 0, state, nvmh_state_bytes(state)), 0);
	CHECK_EQ(nvmh_resume(&p.b), 0);
	p.b.fn.q[1] = p.a.fn.q[1];
	CHECK_EQ(nvmh_io(&p.b, NVS_IO_READ, 0, 1), 0);
	nvmh_close_pair(&p);
}

static void seal(uint8_t *state)
{
	struct nvcf_state *s = (struct nvcf_state *)(state + nvmh_state_bytes(state) - sizeof(*s));
	const size_t from = offsetof(struct nvcf_state, profile);

	s->crc = (uint32_t)crc32(0, (uint8_t *)s + from, sizeof(*s) - from);
}

/* Each field at its edges: @bytes at @off of the state, of two queues, or of the vendor's part. */
static const struct {
	bool vendor;
	uint32_t off, bytes;
	uint64_t val;
} edges[] = {
	{ false, 0, 2, 1 }, { false, 16, 8, 13 }, { false, 16, 8, 15 }, { false, 16, 8, ~0ull },
	{ false, 24, 8, 1 }, { false, 32, 8, 127 }, { false, 32, 8, 0 }, { false, 40, 8, 1 },
	{ false, 48, 2, 1 }, { false, 50, 2, 0 }, { false, 50, 2, 2 }, { false, 50, 2, 0xffff },
	{ false, 52, 2, 0 }, { false, 52, 2, 0xffff },
	/* the submission queue */
	{ false, 56, 8, NVMH_IOVA + 8 }, { false, 64, 2, 0 }, { false, 64, 2, 1024 },
	{ false, 66, 2, 0 }, { false, 66, 2, 65 }, { false, 68, 2, 0 }, { false, 68, 2, 2 },
	{ false, 68, 2, 0xffff }, { false, 70, 2, 0 }, { false, 72, 2, 8 }, { false, 74, 2, 8 },
	/* the completion queue */
	{ false, 80, 8, NVMH_IOVA + 4 }, { false, 88, 2, 0 }, { false, 88, 2, 0xffff },
	{ false, 90, 2, 0 }, { false, 90, 2, 65 }, { false, 92, 2, 8 }, { false, 94, 2, 0xffff },
	{ false, 96, 4, NVS_STATE_CQ_IEN }, { false, 96, 4, 65 << 16 | NVS_STATE_CQ_PC },
	{ true, offsetof(struct nvcf_state, magic), 4, 0 },
	{ true, offsetof(struct nvcf_state, version), 2, 2 },
	{ true, offsetof(struct nvcf_state, bytes), 2, 508 },
	{ true, offsetof(struct nvcf_state, profile), 4, 1 },
	{ true, offsetof(struct nvcf_state, cc), 4, 0x01460001 },
	{ true, offsetof(struct nvcf_state, cc), 4, 0x00460000 },
	{ true, offsetof(struct nvcf_state, cc), 4, 0x00460011 },
	{ true, offsetof(struct nvcf_state, cc), 4, 0x00460281 },
	{ true, offsetof(struct nvcf_state, cc), 4, 0x00460071 },
	{ true, offsetof(struct nvcf_state, cc), 4, 0x00460801 },
	{ true, offsetof(struct nvcf_state, csts), 4, 0x21 },
	{ true, offsetof(struct nvcf_state, csts), 4, 0x0d },
	{ true, offsetof(struct nvcf_state, aqa), 4, 0x1f },
	{ true, offsetof(struct nvcf_state, aqa), 4, 0x1f0000 },
	{ true, offsetof(struct nvcf_state, aqa), 4, 0xf01f001f },
	{ true, offsetof(struct nvcf_state, asq), 8, 8 },
	{ true, offsetof(struct nvcf_state, acq), 8, 0x800 },
	{ true, offsetof(struct nvcf_state, sq_head), 2, 32 },
	{ true, offsetof(struct nvcf_state, sq_tail), 2, 32 },
	{ true, offsetof(struct nvcf_state, cq_head), 2, 0xffff },
	{ true, offsetof(struct nvcf_state, cq_tail), 2, 32 },
	{ true, offsetof(struct nvcf_state, flags), 1, 4 },
	{ true, offsetof(struct nvcf_state, outstanding), 1, 5 },
	{ true, offsetof(struct nvcf_state, masked), 1, 8 },
	{ true, offsetof(struct nvcf_state, reserved), 1, 1 },
	{ true, offsetof(struct nvcf_state, changed_ns), 4, 0x10 },
	{ true, offsetof(struct nvcf_state, features), 4, 0x7f },
	{ true, offsetof(struct nvcf_state, features), 4, NVS_FEAT_TIMESTAMP },
	{ true, offsetof(struct nvcf_state, features) + 8, 4, NVS_FEAT_ARBITRATION },
	{ true, offsetof(struct nvcf_state, features) + 12, 4, 2 },	/* power state */
	{ true, offsetof(struct nvcf_state, features) + 4, 4, 8 },
	{ true, offsetof(struct nvcf_state, features) + 1, 1, 1 },
	{ true, offsetof(struct nvcf_state, features) + 16, 8, 0 },	/* one is missing */
	{ true, offsetof(struct nvcf_state, features) + 15 * 8 + 4, 4, 1 },
	{ true, offsetof(struct nvcf_state, outstanding), 1, 2 },	/* with the same id */
	{ true, offsetof(struct nvcf_state, aer), 2, 1 },		/* not outstanding */
	{ true, offsetof(struct nvcf_state, pending), 4, 4 },
	{ true, offsetof(struct nvcf_state, pending) + 4, 4, 1 },
	{ true, offsetof(struct nvcf_state, pending) + 8, 4, 0x80000000 },
	{ true, offsetof(struct nvcf_state, reserved2) + 255, 1, 1 },
};

static void test_hostile_fields(void)
{
	uint8_t state[NVMH_STATE_BYTES], bad[NVMH_STATE_BYTES];
	uint32_t bytes, vendor;
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	bytes = nvmh_get_state(&p.a, state);
	vendor = bytes - (uint32_t)sizeof(struct nvcf_state);
	CHECK_EQ(nvmh_suspend(&p.b), 0);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		memcpy(bad, state, bytes);
		memcpy(bad + (edges[i].vendor ? vendor : 0) + edges[i].off, &edges[i].val,
		       edges[i].bytes);
		if (edges[i].vendor)
			seal(bad);
		if (nvmh_set_state(&p.b, bad, bytes) != NVS_SC_INVALID_FIELD)
			CHECK_EQ(i, -1);
	}
	for (uint32_t cut = 4; cut < bytes; cut += 4)
		CHECK_EQ(nvmh_set_state(&p.b, state, cut), NVS_SC_INVALID_FIELD);
	/* Any bit of the vendor's data breaks its checksum. */
	for (uint32_t at = vendor; at < bytes; at++) {
		memcpy(bad, state, bytes);
		bad[at] ^= 0x10;
		CHECK_EQ(nvmh_set_state(&p.b, bad, bytes), NVS_SC_INVALID_FIELD);
	}
	/* Nothing of it has changed the controller. */
	CHECK_EQ(nvmh_csts(&p.b.fn), 0);
	CHECK_EQ(nvmh_set_state(&p.b, state, bytes), 0);
	CHECK_EQ(nvmh_resume(&p.b), 0);
	nvmh_close_pair(&p);
}

/* Another number of queues, another identity. */
static void test_other_profile(void)
{
	uint8_t state[NVMH_STATE_BYTES];
	struct nvmh_pair p;
	uint32_t bytes;

	nvmh_open_pair(&p, "queues=8");
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	bytes = nvmh_get_state(&p.a, state);
	CHECK_EQ(nvmh_suspend(&p.b), 0);
	CHECK_EQ(nvmh_set_state(&p.b, state, bytes), NVS_SC_INVALID_FIELD);
	nvmh_close_pair(&p);
}

/* A controller without an identity can have no state. */
static void test_no_profile(void)
{
	static char *none[] = { "size=8", NULL };
	static const struct nvcf_profile no_profile;
	uint8_t state[48 + sizeof(struct nvcf_state)] = { 0 };
	struct nvs_state_header *head = (struct nvs_state_header *)state;
	struct nvcf_state *s = (struct nvcf_state *)(state + 48);
	struct nvmh_host h;

	head->vss[0] = sizeof(*s) / 4;
	*s = (struct nvcf_state) {
		.magic = NVCF_STATE_MAGIC, .version = NVCF_STATE_VERSION, .bytes = sizeof(*s),
		.profile = (uint32_t)crc32(0, (const uint8_t *)&no_profile, sizeof(no_profile)),
		.cc = 0x460001, .csts = NVS_CSTS_RDY, .aqa = 0x1f001f, .asq = NVMH_IOVA,
		.acq = NVMH_IOVA + 0x8000,
	};
	seal(state);
	h.owner = rig_open(vu_model_find("nvme_cf"), none);
	nvmh_open_managing(&h.m, h.owner);
	CHECK(nvmh_enable(&h.m));
	nvmh_open(&h.fn, h.owner, 0);
	CHECK_EQ(nvmh_suspend(&h), 0);
	CHECK_EQ(nvmh_set_part(&h, NVS_SEQ_ONLY, 0x100, 0, state, sizeof(state)),
		 NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_resume(&h), 0);
	CHECK_EQ(nvmh_csts(&h.fn), 0);
	nvmh_close(&h.fn);
	nvmh_close(&h.m);
	rig_close(h.owner);
}

/* Its user resets the controller while a piece is on its way. */
static struct rig *reset_rig;

static int reset_meanwhile(struct vu_front *front, unsigned int fault,
			   const struct vu_fault_hit *hit)
{
	(void)front;
	(void)fault;
	(void)hit;
	reset_rig->dev->model->reset(reset_rig->dev, VU_RESET_FLR);
	return 0;
}

static void test_reset_meanwhile(void)
{
	uint8_t state[NVMH_STATE_BYTES];
	struct nvmh_pair p;
	struct vu_front *front;
	struct vu_front was;
	uint32_t bytes;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	bytes = nvmh_get_state(&p.a, state);
	CHECK_EQ(nvmh_suspend(&p.b), 0);
	reset_rig = p.b.fn.r;
	front = p.b.m.r->dev->front;
	was = *front;
	/* The first read is that of the command, the second one that of its data. */
	CHECK(strstr(rig_control(p.b.m.r, "fault dma_read delay=1 skip=1 count=1"), "ok"));
	front->wait = reset_meanwhile;
	CHECK_EQ(nvmh_set_state(&p.b, state, bytes), NVS_SC_COMMAND_SEQUENCE);
	*front = was;
	CHECK_EQ(nvmh_stat(p.b.fn.r, "suspended "), 0);
	nvmh_close_pair(&p);
}

static const struct test tests[] = {
	{ "nvme_cf: state without a profile", test_no_profile },
	{ "nvme_cf: reset while state comes", test_reset_meanwhile },
	{ "nvme_cf: get state", test_get },
	{ "nvme_cf: sequences of set state", test_sequences },
	{ "nvme_cf: standard state alone", test_standard_only },
	{ "nvme_cf: hostile state", test_hostile_fields },
	{ "nvme_cf: state of another profile", test_other_profile },
	{ NULL, NULL },
};
TEST_SUITE(tests);
