// SPDX-License-Identifier: GPL-2.0
/*
 * Streams of nvme_cf: variants/nvme_cf/state.c and match.c.  An input patches a state that a
 * controller could have come to, a profile, or match data.  What is accepted is looked at once
 * more, in other words.
 */
#include <stdlib.h>

#include "require.h"

#include "../../migration/match.c"
#include "../../variants/nvme_cf/match.c"
#include "../../variants/nvme_cf/state.c"

#define CRC	0x12345678U
#define SQS	3
#define CQS	2
#define BYTES	(sizeof(struct nvs_state_header) + sizeof(struct nvs_state) + \
		 (SQS + CQS) * QUEUE_BYTES + sizeof(struct nvcf_state))

/**
 * struct patch - What an input does to the bytes that it begins with, again and again
 * @offset: Of the first byte, modulo the size.
 * @bytes: 1 to 8.
 * @value: What is written there.
 */
struct patch {
	uint8_t offset[2];
	uint8_t bytes;
	uint8_t value[8];
};

static void patch(uint8_t *buf, size_t size, const uint8_t *in, size_t left)
{
	struct patch p;

	for (; left >= sizeof(p); in += sizeof(p), left -= sizeof(p)) {
		size_t at, bytes;

		memcpy(&p, in, sizeof(p));
		at = get_unaligned_le16(p.offset) % size;
		bytes = 1 + p.bytes % 8;
		memcpy(buf + at, p.value, min(bytes, size - at));
	}
}

static void make_profile(struct nvcf_profile *p)
{
	*p = (struct nvcf_profile){
		.magic = NVCF_PROFILE_MAGIC, .version = NVCF_PROFILE_VERSION, .cntlid = 2,
		.mdts = 5, .queues = 4, .entries = 256, .subnqn = "nqn.2022-12.org.example:7",
		.ns = { { .nsid = 1, .disk = 1 } },
	};
	memset(p->sn, ' ', sizeof(p->sn) + sizeof(p->mn) + sizeof(p->fr));
}

/* @idle: of a controller that is not ready.  Returns its size. */
static size_t make_state(uint8_t *buf, bool idle)
{
	const unsigned int sqs = idle ? 0 : SQS, cqs = idle ? 0 : CQS;
	const struct nvs_state_header h = {
		.csattr = NVS_CSUP, .vss = { sizeof(struct nvcf_state) / 4 },
		.nvmecss = { (sizeof(struct nvs_state) + (sqs + cqs) * QUEUE_BYTES) / 4 },
	};
	const struct nvs_state s = { .niosq = sqs, .niocq = cqs };
	const struct nvcf_state v = {
		.magic = NVCF_STATE_MAGIC, .version = NVCF_STATE_VERSION, .bytes = sizeof(v),
		.profile = CRC, .cc = 0x460001, .csts = idle ? 0 : NVS_CSTS_RDY, .aqa = 0x001f001f,
		.asq = 0x10000, .acq = 0x11000, .outstanding = idle ? 0 : 2,
		.aer = { idle ? 0 : 7, idle ? 0 : 8 },
		.features = {
			{ .fid = 1 }, { .fid = 2 }, { .fid = 5 }, { .fid = 7, .value = 0x30003 },
			{ .fid = 8 }, { .fid = 10 }, { .fid = 11 },
		},
	};
	uint8_t *at = buf;

	memcpy(at, &h, sizeof(h));
	at += sizeof(h);
	memcpy(at, &s, sizeof(s));
	at += sizeof(s);
	for (unsigned int i = 0; i < sqs; i++, at += QUEUE_BYTES) {
		const struct nvs_state_sq q = {
			.prp1 = 0x20000, .qsize = 255, .qid = i + 1, .cqid = i < 2 ? 1 : 4,
			.attr = NVS_STATE_SQ_PC,
		};

		memcpy(at, &q, sizeof(q));
	}
	for (unsigned int i = 0; i < cqs; i++, at += QUEUE_BYTES) {
		const struct nvs_state_cq q = {
			.prp1 = 0x30000, .qsize = 1, .qid = i ? 4 : 1, .attr = NVS_STATE_CQ_PC,
		};

		memcpy(at, &q, sizeof(q));
	}
	memcpy(at, &v, sizeof(v));
	return at + sizeof(v) - buf;
}

/* What a device does with a state must not lead it beyond its queues. */
static void look_at_queues(const uint8_t *buf, const struct nvcf_state *v)
{
	struct nvs_state s;
	bool cq[65] = { false };
	const uint8_t *at = buf + sizeof(struct nvs_state_header);

	memcpy(&s, at, sizeof(s));
	REQUIRE(s.niosq <= 4 && s.niocq <= 4);
	REQUIRE(v->csts & NVS_CSTS_RDY || !(s.niosq + s.niocq));
	at += sizeof(s) + s.niosq * QUEUE_BYTES;
	for (unsigned int i = 0; i < s.niocq; i++, at += QUEUE_BYTES) {
		struct nvs_state_cq q;

		memcpy(&q, at, sizeof(q));
		REQUIRE(q.qid >= 1 && q.qid <= 4 && !cq[q.qid]);
		cq[q.qid] = true;
		REQUIRE(q.qsize >= 1 && q.qsize < 256 && q.head <= q.qsize && q.tail <= q.qsize);
		REQUIRE(q.attr >> 16 < 65 && !(q.prp1 & 0xfff));
	}
	at = buf + sizeof(struct nvs_state_header) + sizeof(s);
	for (unsigned int i = 0, last = 0; i < s.niosq; i++, at += QUEUE_BYTES) {
		struct nvs_state_sq q;

		memcpy(&q, at, sizeof(q));
		REQUIRE(q.qid > last && q.qid <= 4 && q.cqid <= 64 && cq[q.cqid]);
		last = q.qid;
		REQUIRE(q.qsize >= 1 && q.qsize < 256 && q.head <= q.qsize && q.tail <= q.qsize);
		REQUIRE(!(q.prp1 & 0xfff));
	}
}

static void look_at_state(const uint8_t *buf, size_t bytes)
{
	struct nvs_state_header h;
	struct nvcf_state v;

	memcpy(&h, buf, sizeof(h));
	memcpy(&v, nvcf_state_vendor(buf, bytes), sizeof(v));
	REQUIRE(!h.nvmecss[1] && !h.vss[1] && h.nvmecss[0] < bytes && h.vss[0] < bytes);
	REQUIRE(bytes == 48 + 4 * h.nvmecss[0] + 4 * h.vss[0] && bytes <= NVCF_STATE_MOST);
	REQUIRE(h.csattr == NVS_CSUP && v.profile == CRC && v.bytes == sizeof(v));
	REQUIRE(v.outstanding <= 4 && !(v.changed_ns >> 4));
	REQUIRE(!(v.timestamp >> 48) && !(v.flags & NVCF_STATE_TIMESTAMP));
	REQUIRE(!v.features[7].fid && v.features[3].fid == NVS_FEAT_QUEUES);
	REQUIRE((v.features[3].value & 0xffff) < 4 && v.features[1].value < 2);
	REQUIRE(v.csts & NVS_CSTS_RDY || !(v.sq_head | v.sq_tail | v.cq_head | v.cq_tail));
	if (v.csts & NVS_CSTS_RDY) {
		REQUIRE(v.cc & NVS_CC_EN);
		REQUIRE(v.sq_head <= NVS_AQA_ASQS(v.aqa) && v.sq_tail <= NVS_AQA_ASQS(v.aqa));
		REQUIRE(v.cq_head <= NVS_AQA_ACQS(v.aqa) && v.cq_tail <= NVS_AQA_ACQS(v.aqa));
	}
	look_at_queues(buf, &v);
}

static void fuzz_state(const uint8_t *in, size_t left)
{
	struct vmig_diff diff = { .field = NULL };
	static struct nvcf_profile p;
	static struct nvcf_match fn;
	/* The largest of those that follow. */
	uint8_t *buf = calloc(1, max(BYTES, 8 * 255));
	size_t bytes;

	make_profile(&p);
	nvcf_match_write(&p, CRC, &fn);
	bytes = make_state(buf, left && *in % 4 == 2);
	/* A size of its own, so that what is read beyond it is seen. */
	if (left && *in % 4 == 3)
		bytes = *in * 8;
	if (left)
		patch(buf, bytes ?: 1, in + 1, left - 1);
	buf = realloc(buf, bytes ?: 1);
	if (!nvcf_state_check(&fn, buf, bytes, &diff))
		look_at_state(buf, bytes);
	else
		REQUIRE(diff.field);
	free(buf);
}

static void fuzz_match(const uint8_t *in, size_t left)
{
	static struct nvcf_match mine, theirs;
	struct vmig_diff diff = { .field = NULL };
	static struct nvcf_profile p, other;
	size_t half = left / 2;

	make_profile(&p);
	other = p;
	patch((uint8_t *)&other, offsetof(struct nvcf_profile, reserved), in, half);
	if (nvcf_profile_check(&other, &diff)) {
		REQUIRE(diff.field);
		return;
	}
	nvcf_match_write(&p, CRC, &mine);
	nvcf_match_write(&other, CRC, &theirs);
	REQUIRE(strlen(theirs.sn) <= 20 && strlen(theirs.mn) <= 40 && strlen(theirs.fr) <= 8);
	REQUIRE(strlen(theirs.subnqn) <= 223);
	patch((uint8_t *)&theirs, sizeof(theirs), in + half, left - half);
	diff.field = NULL;
	if (vmig_match_check(nvcf_fields, NVCF_NUM_FIELDS, &mine, &theirs, sizeof(theirs), &diff))
		REQUIRE(diff.field && (!diff.want_text || strlen(diff.got_text) < 224));
	else
		REQUIRE(!memcmp(mine.ns, theirs.ns, offsetof(struct nvcf_match_ns, blocks)) &&
			mine.queues == theirs.queues && !strcmp(mine.subnqn, theirs.subnqn));
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t left);
int LLVMFuzzerTestOneInput(const uint8_t *in, size_t left)
{
	if (!left)
		return 0;
	if (*in & 1)
		fuzz_match(in + 1, left - 1);
	else
		fuzz_state(in + 1, left - 1);
	return 0;
}
