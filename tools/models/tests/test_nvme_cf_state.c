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
	{ "nvme_cf: state of another profile", test_other_profile },
	{ NULL, NULL },
};
TEST_SUITE(tests);
