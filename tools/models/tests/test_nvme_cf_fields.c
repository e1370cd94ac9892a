// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf (Documentation/hardware/nvme_cf.rst): hostile state: each field at its edges is taken,
 * and beyond them it is refused, and has changed nothing.
 */
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <zlib.h>

#include "nvme_fields.h"
#include "nvme_pair.h"

struct hostile {
	struct nvmh_pair p;
	uint8_t state[NVMH_STATE_BYTES], bad[NVMH_STATE_BYTES];
	uint32_t bytes;
};

static uint32_t vendor_at(const struct hostile *h)
{
	return h->bytes - (uint32_t)sizeof(struct nvcf_state);
}

static void seal(struct hostile *h, uint8_t *state)
{
	struct nvcf_state *s = (struct nvcf_state *)(state + vendor_at(h));
	const size_t from = offsetof(struct nvcf_state, profile);

	s->crc = (uint32_t)crc32(0, (uint8_t *)s + from, sizeof(*s) - from);
}

/* A controller with two pairs of queues and two requests for events. */
static void open_hostile(struct hostile *h)
{
	struct nvs_sqe aer = { .opcode = NVS_ADMIN_ASYNC_EVENT };

	nvmh_open_pair(&h->p, NULL);
	CHECK_EQ(nvmh_create_pair(&h->p.a.fn, 2, NVMF_ENTRIES), 0);
	nvmh_submit(&h->p.a.fn, 0, &aer);
	nvmh_submit(&h->p.a.fn, 0, &aer);
	CHECK_EQ(nvmh_suspend(&h->p.a), 0);
	h->bytes = nvmh_get_state(&h->p.a, h->state);
	CHECK_EQ(nvmh_suspend(&h->p.b), 0);
}

/* The second host's controller is as new, and suspended. */
static void renew(struct hostile *h)
{
	uint16_t flr = PCI_EXP_DEVCTL_BCR_FLR;
	struct rig *r = h->p.b.fn.r;

	CHECK_EQ(rig_write(r, VFIO_PCI_CONFIG_REGION_INDEX, r->dev->cfg.pcie + PCI_EXP_DEVCTL,
			   &flr, 2), 0);
	rig_enable(r);
	CHECK_EQ(nvmh_suspend(&h->p.b), 0);
}

static void put(const struct nvmf_field *f, uint8_t *state, uint32_t skip, uint64_t val,
		uint32_t bytes)
{
	uint32_t size, at;

	at = nvmf_offset(f->part, NVMF_QUEUES, NVMF_QUEUES,
			 f->part == NVMF_SQ || f->part == NVMF_CQ, &size);
	memcpy(state + at + f->off + skip, &val, bytes);
}

/* Set State with the field changed ends as it should. */
static void try(struct hostile *h, const struct nvmf_field *f, uint32_t skip, uint64_t val,
		uint32_t bytes, bool legal)
{
	int want = legal ? 0 : NVS_SC_INVALID_FIELD, got;

	memcpy(h->bad, h->state, h->bytes);
	put(f, h->bad, skip, val, bytes);
	if (!memcmp(h->bad, h->state, h->bytes) && !legal)
		return;
	if (f->part == NVMF_VENDOR && f->off != offsetof(struct nvcf_state, crc))
		seal(h, h->bad);
	got = nvmh_set_state(&h->p.b, h->bad, h->bytes);
	if (got != want) {
		char what[128];

		snprintf(what, sizeof(what), "%s + %u = 0x%llx", f->name, skip,
			 (unsigned long long)val);
		test_fail(__FILE__, __LINE__, what, got, want);
	}
	if (!got)
		renew(h);
	else
		CHECK_EQ(nvmh_csts(&h->p.b.fn), 0);
}

static uint64_t value_of(const struct hostile *h, const struct nvmf_field *f)
{
	uint32_t size, at = nvmf_offset(f->part, NVMF_QUEUES, NVMF_QUEUES,
					f->part == NVMF_SQ || f->part == NVMF_CQ, &size);
	uint64_t val = 0;

	memcpy(&val, h->state + at + f->off, f->bytes < 8 ? f->bytes : 8);
	return val;
}

static void try_bits(struct hostile *h, const struct nvmf_field *f)
{
	for (unsigned int bit = 0; bit < 8u * f->bytes; bit++)
		if (!(f->hi >> bit & 1))
			try(h, f, 0, value_of(h, f) | 1ull << bit, f->bytes, false);
}

static void try_range(struct hostile *h, const struct nvmf_field *f)
{
	uint64_t most = ~0ull >> (64 - 8 * f->bytes);

	if (f->lo)
		try(h, f, 0, f->lo - 1, f->bytes, false);
	try(h, f, 0, f->lo, f->bytes, true);
	try(h, f, 0, f->hi, f->bytes, true);
	for (uint64_t over = 1; f->hi + over <= most; over *= 2)
		try(h, f, 0, f->hi + over, f->bytes, false);
	try(h, f, 0, most, f->bytes, false);
}

static void try_field(struct hostile *h, const struct nvmf_field *f)
{
	switch (f->kind) {
	case NVMF_CONST:
		for (unsigned int bit = 0; bit < 8u * f->bytes; bit++)
			try(h, f, 0, value_of(h, f) ^ 1ull << bit, f->bytes, false);
		try(h, f, 0, 0, f->bytes, false);
		try(h, f, 0, ~0ull, f->bytes, false);
		break;
	case NVMF_ZERO:
		for (uint32_t i = 0; i < f->bytes; i++) {
			try(h, f, i, 1, 1, false);
			try(h, f, i, 0x80, 1, false);
		}
		break;
	case NVMF_RANGE: try_range(h, f); break;
	case NVMF_BITS: try_bits(h, f); break;
	case NVMF_FREE:
		for (uint32_t i = 0; i < f->bytes; i += 8) {
			try(h, f, i, 0, f->bytes < 8 ? f->bytes : 8, true);
			try(h, f, i, ~0ull, f->bytes < 8 ? f->bytes : 8, true);
		}
		break;
	}
	for (unsigned int i = 0; i < NVMF_VALUES && f->bad[i]; i++)
		try(h, f, 0, f->bad[i] == NVMF_NONE ? 0 : f->bad[i], f->bytes, false);
	for (unsigned int i = 0; i < NVMF_VALUES && f->good[i]; i++)
		try(h, f, 0, f->good[i] == NVMF_NONE ? 0 : f->good[i], f->bytes, true);
}

static void test_fields(void)
{
	struct hostile h;

	open_hostile(&h);
	for (size_t i = 0; i < NVMF_NUM; i++)
		try_field(&h, &nvmf_fields[i]);
	CHECK_EQ(nvmh_set_state(&h.p.b, h.state, h.bytes), 0);
	CHECK_EQ(nvmh_resume(&h.p.b), 0);
	nvmh_close_pair(&h.p);
}

/* The table has all bytes of the state, each once. */
static void test_table(void)
{
	for (enum nvmf_part part = 0; part < NVMF_PARTS; part++) {
		uint8_t seen[1024] = { 0 };
		uint32_t bytes;

		nvmf_offset(part, NVMF_QUEUES, NVMF_QUEUES, 0, &bytes);
		for (size_t i = 0; i < NVMF_NUM; i++)
			for (uint32_t n = 0; n < nvmf_fields[i].bytes; n++)
				if (nvmf_fields[i].part == part)
					CHECK_EQ(seen[nvmf_fields[i].off + n]++, 0);
		for (uint32_t n = 0; n < bytes; n++)
			CHECK_EQ(seen[n], 1);
	}
}

/* Cut short, too long, and any byte of the vendor's data without its checksum. */
static void test_sizes(void)
{
	struct hostile h;

	open_hostile(&h);
	for (uint32_t cut = 4; cut < h.bytes; cut += 4)
		CHECK_EQ(nvmh_set_state(&h.p.b, h.state, cut), NVS_SC_INVALID_FIELD);
	memset(h.state + h.bytes, 0, 8);
	CHECK_EQ(nvmh_set_state(&h.p.b, h.state, h.bytes + 4), NVS_SC_INVALID_FIELD);
	for (uint32_t at = vendor_at(&h); at < h.bytes; at++) {
		memcpy(h.bad, h.state, h.bytes);
		h.bad[at] ^= 0x10;
		CHECK_EQ(nvmh_set_state(&h.p.b, h.bad, h.bytes), NVS_SC_INVALID_FIELD);
	}
	CHECK_EQ(nvmh_csts(&h.p.b.fn), 0);
	nvmh_close_pair(&h.p);
}

/* More than one field: what each would allow, but not together. */
static void test_together(void)
{
	struct nvs_state_sq *sq;
	struct nvs_state_cq *cq;
	struct nvcf_state *s;
	struct hostile h;
	uint32_t bytes;

	open_hostile(&h);
	s = (struct nvcf_state *)(h.bad + vendor_at(&h));
	sq = (struct nvs_state_sq *)(h.bad + nvmf_offset(NVMF_SQ, 2, 2, 0, &bytes));
	cq = (struct nvs_state_cq *)(h.bad + nvmf_offset(NVMF_CQ, 2, 2, 0, &bytes));
	memcpy(h.bad, h.state, h.bytes);
	/* Requests with the same id. */
	s->aer[1] = s->aer[0];
	seal(&h, h.bad);
	CHECK_EQ(nvmh_set_state(&h.p.b, h.bad, h.bytes), NVS_SC_INVALID_FIELD);
	/* Ids of queues that do not ascend. */
	memcpy(h.bad, h.state, h.bytes);
	sq[0].qid = 2;
	CHECK_EQ(nvmh_set_state(&h.p.b, h.bad, h.bytes), NVS_SC_INVALID_FIELD);
	sq[1].qid = 1;
	CHECK_EQ(nvmh_set_state(&h.p.b, h.bad, h.bytes), NVS_SC_INVALID_FIELD);
	memcpy(h.bad, h.state, h.bytes);
	cq[0].qid = 2;
	CHECK_EQ(nvmh_set_state(&h.p.b, h.bad, h.bytes), NVS_SC_INVALID_FIELD);
	/* Heads and tails of a queue that is smaller. */
	memcpy(h.bad, h.state, h.bytes);
	sq[1].tail = 2;
	sq[1].qsize = 1;
	CHECK_EQ(nvmh_set_state(&h.p.b, h.bad, h.bytes), NVS_SC_INVALID_FIELD);
	/* Larger pages, which queues are not aligned to. */
	memcpy(h.bad, h.state, h.bytes);
	s->cc |= 4 << 7;
	s->asq = 0x10000;
	s->acq = 0x20000;
	cq[0].prp1 = 0x50000;
	cq[1].prp1 = 0x60000;
	sq[1].prp1 = 0x31000;
	seal(&h, h.bad);
	CHECK_EQ(nvmh_set_state(&h.p.b, h.bad, h.bytes), NVS_SC_INVALID_FIELD);
	sq[1].prp1 = 0x30000;
	CHECK_EQ(nvmh_set_state(&h.p.b, h.bad, h.bytes), 0);
	renew(&h);
	s->acq = 0x21000;
	seal(&h, h.bad);
	CHECK_EQ(nvmh_set_state(&h.p.b, h.bad, h.bytes), NVS_SC_INVALID_FIELD);
	nvmh_close_pair(&h.p);
}

/* Of a controller that is not ready: it has no queues and no requests. */
static void test_not_ready(void)
{
	struct nvcf_state *s;
	struct hostile h;

	nvmh_open_pair(&h.p, NULL);
	nvmh_disable(&h.p.a.fn);
	CHECK_EQ(nvmh_suspend(&h.p.a), 0);
	h.bytes = nvmh_get_state(&h.p.a, h.state);
	CHECK_EQ(nvmh_suspend(&h.p.b), 0);
	s = (struct nvcf_state *)(h.bad + vendor_at(&h));
	for (unsigned int i = 0; i < 7; i++) {
		memcpy(h.bad, h.state, h.bytes);
		s->sq_head = i == 0;
		s->sq_tail = i == 1;
		s->cq_head = i == 2;
		s->cq_tail = i == 3;
		s->outstanding = i == 4;
		/* Ready, and without a queue that it could be by. */
		if (i == 5)
			s->csts = NVS_CSTS_RDY;
		seal(&h, h.bad);
		CHECK_EQ(nvmh_set_state(&h.p.b, h.bad, h.bytes), i == 6 ? 0 : NVS_SC_INVALID_FIELD);
	}
	nvmh_close_pair(&h.p);
}

static const struct test tests[] = {
	{ "nvme_cf: the table of fields is complete", test_table },
	{ "nvme_cf: hostile state: each field", test_fields },
	{ "nvme_cf: hostile state: sizes and checksum", test_sizes },
	{ "nvme_cf: hostile state: fields together", test_together },
	{ "nvme_cf: hostile state: not ready", test_not_ready },
	{ NULL, NULL },
};
TEST_SUITE(tests);
