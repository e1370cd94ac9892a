// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: the state of a controller as bytes: the container and the I/O queues as the
 * specification has them, the rest as struct nvcf_state.  What is loaded is hostile: it is
 * checked as a whole before anything is changed.
 */
#include <string.h>
#include <zlib.h>

#include "nvme_cf.h"

#define BAD_FIELD	(NVS_SC_INVALID_FIELD | NVS_SC_DNR)

_Static_assert(sizeof(struct nvcf_state) == 512, "vendor specific state");
_Static_assert(sizeof(struct nvcf_profile) == 4096, "profile");
_Static_assert(sizeof(struct nvs_state_header) == 48, "header of the state");
_Static_assert(sizeof(struct nvs_state_sq) == 24 && sizeof(struct nvs_state_cq) == 24, "queues");

static uint32_t checksum(const void *data, size_t bytes)
{
	return (uint32_t)crc32(0, data, (uInt)bytes);
}

static uint32_t state_crc(const struct nvcf_state *s)
{
	const size_t from = offsetof(struct nvcf_state, profile);

	return checksum((const uint8_t *)s + from, sizeof(*s) - from);
}

/* ---- build ---- */

static uint8_t *put_sq(const struct nvcf_sq *sq, uint16_t qid, uint8_t *out)
{
	const struct nvs_state_sq e = {
		.prp1 = htole64(sq->base), .qsize = htole16((uint16_t)(sq->entries - 1)),
		.qid = htole16(qid), .cqid = htole16(sq->cqid),
		.attr = htole16((uint16_t)(NVS_STATE_SQ_PC | sq->prio << 1)),
		.head = htole16((uint16_t)sq->head), .tail = htole16((uint16_t)sq->tail),
	};

	memcpy(out, &e, sizeof(e));
	return out + sizeof(e);
}

/* S0PT is the phase tag in slot 0: that of the current pass only once slot 0 was written in it. */
static bool slot0_phase(const struct nvcf_cq *cq)
{
	return cq->tail ? cq->phase : !cq->phase;
}

static uint8_t *put_cq(const struct nvcf_cq *cq, uint16_t qid, uint8_t *out)
{
	const struct nvs_state_cq e = {
		.prp1 = htole64(cq->base), .qsize = htole16((uint16_t)(cq->entries - 1)),
		.qid = htole16(qid), .head = htole16((uint16_t)cq->head),
		.tail = htole16((uint16_t)cq->tail),
		.attr = htole32(NVS_STATE_CQ_PC | (cq->ien ? NVS_STATE_CQ_IEN : 0) |
				(slot0_phase(cq) ? NVS_STATE_CQ_S0PT : 0) |
				(uint32_t)cq->vector << 16),
	};

	memcpy(out, &e, sizeof(e));
	return out + sizeof(e);
}

static uint32_t build_standard(const struct nvcf_ctrl *c, uint8_t *out)
{
	struct nvs_state s = { 0 };
	uint8_t *at = out + sizeof(s);
	uint16_t sqs = 0, cqs = 0;

	for (uint16_t i = 1; i < NVCF_QUEUES; i++) {
		if (c->sq[i].live) {
			at = put_sq(&c->sq[i], i, at);
			sqs++;
		}
	}
	for (uint16_t i = 1; i < NVCF_QUEUES; i++) {
		if (c->cq[i].live) {
			at = put_cq(&c->cq[i], i, at);
			cqs++;
		}
	}
	s.niosq = htole16(sqs);
	s.niocq = htole16(cqs);
	memcpy(out, &s, sizeof(s));
	return (uint32_t)(at - out);
}

static uint32_t build_vendor(const struct nvcf_ctrl *c, uint8_t *out)
{
	struct nvcf_state s = {
		.magic = htole32(NVCF_STATE_MAGIC), .version = htole16(NVCF_STATE_VERSION),
		.bytes = htole16(sizeof(s)), .cc = htole32(c->cc), .csts = htole32(c->csts),
		.profile = htole32(checksum(&c->profile, sizeof(c->profile))),
		.aqa = htole32(c->aqa), .intms = htole32(c->intms), .asq = htole64(c->asq),
		.acq = htole64(c->acq), .sq_head = htole16((uint16_t)c->sq[0].head),
		.sq_tail = htole16((uint16_t)c->sq[0].tail),
		.cq_head = htole16((uint16_t)c->cq[0].head),
		.cq_tail = htole16((uint16_t)c->cq[0].tail),
		.flags = c->cq[0].phase ? NVCF_STATE_PHASE : 0,
		.outstanding = (uint8_t)c->events.outstanding, .changed_ns = htole32(c->changed_ns),
	};

	for (unsigned int i = 0; i < c->events.outstanding; i++)
		s.aer[i] = htole16(c->events.aer[i]);
	for (unsigned int t = 0; t < NVS_EVENT_TYPES; t++) {
		s.pending[t] = htole32(c->events.pending[t]);
		s.masked |= (uint8_t)(c->events.masked[t] << t);
	}
	nvcf_feature_save(c, &s);
	s.crc = htole32(state_crc(&s));
	memcpy(out, &s, sizeof(s));
	return sizeof(s);
}

uint32_t nvcf_state_build(const struct nvcf_ctrl *c, bool standard, bool vendor, uint8_t *out)
{
	struct nvs_state_header h = { .csattr = c->run == NVCF_SUSPENDED ? NVS_CSUP : 0 };
	uint32_t bytes = sizeof(h), n;

	n = standard ? build_standard(c, out + bytes) : 0;
	h.nvmecss[0] = htole64(n / 4);
	bytes += n;
	n = vendor ? build_vendor(c, out + bytes) : 0;
	h.vss[0] = htole64(n / 4);
	memcpy(out, &h, sizeof(h));
	return bytes + n;
}

/* ---- load ---- */

/*
 * What a state says, before it becomes that of a controller.  @page: as the memory page size
 * of the registers says that come with it, or of the controller.
 */
struct loaded {
	const struct nvcf_ctrl *c;
	uint32_t page;
	bool ready;
	struct nvcf_sq sq[NVCF_QUEUES];
	struct nvcf_cq cq[NVCF_QUEUES];
	struct nvcf_features feat;
};

static bool is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

static bool ring_ok(const struct loaded *l, uint64_t base, uint32_t entries, uint32_t head,
		    uint32_t tail)
{
	return !(base & (l->page - 1)) && entries >= 2 && head < entries && tail < entries &&
	       entries <= (nvcf_cap(l->c) & 0xffff) + 1;
}

/* Queue ids ascend, and are those that the user may make. */
static bool qid_ok(const struct loaded *l, uint16_t qid, uint16_t *last)
{
	uint32_t most = nvcf_feature_in(l->c, &l->feat, NVS_FEAT_QUEUES) & 0xffff;
	bool ok = qid > *last && qid <= most + 1;

	*last = qid;
	return ok;
}

static bool load_cq(struct loaded *l, const uint8_t *in, uint16_t *last)
{
	struct nvs_state_cq e;
	struct nvcf_cq cq = { .live = true };
	uint32_t attr;

	memcpy(&e, in, sizeof(e));
	attr = le32toh(e.attr);
	cq.base = le64toh(e.prp1);
	cq.entries = le16toh(e.qsize) + 1u;
	cq.head = le16toh(e.head);
	cq.tail = le16toh(e.tail);
	cq.ien = attr & NVS_STATE_CQ_IEN;
	cq.vector = (uint16_t)NVS_STATE_CQ_VECTOR(attr);
	cq.phase = !!(attr & NVS_STATE_CQ_S0PT) == !!cq.tail;
	if (!qid_ok(l, le16toh(e.qid), last) || !(attr & NVS_STATE_CQ_PC) ||
	    attr & ~NVS_STATE_CQ_MASK || !is_zero(e.reserved20, sizeof(e.reserved20)) ||
	    cq.vector >= NVCF_VECTORS || !ring_ok(l, cq.base, cq.entries, cq.head, cq.tail))
		return false;
	l->cq[le16toh(e.qid)] = cq;
	return true;
}

static bool load_sq(struct loaded *l, const uint8_t *in, uint16_t *last)
{
	struct nvs_state_sq e;
	struct nvcf_sq sq = { .live = true };

	memcpy(&e, in, sizeof(e));
	sq.base = le64toh(e.prp1);
	sq.entries = le16toh(e.qsize) + 1u;
	sq.head = le16toh(e.head);
	sq.tail = le16toh(e.tail);
	sq.cqid = le16toh(e.cqid);
	sq.prio = NVS_STATE_SQ_PRIO(le16toh(e.attr));
	if (!qid_ok(l, le16toh(e.qid), last) || !(le16toh(e.attr) & NVS_STATE_SQ_PC) ||
	    le16toh(e.attr) & ~NVS_STATE_SQ_MASK || !is_zero(e.reserved20, sizeof(e.reserved20)) ||
	    !sq.cqid || sq.cqid >= NVCF_QUEUES || !l->cq[sq.cqid].live ||
	    !ring_ok(l, sq.base, sq.entries, sq.head, sq.tail))
		return false;
	l->sq[le16toh(e.qid)] = sq;
	return true;
}

/* Completion queues first, since submission queues name them. */
static bool load_standard(struct loaded *l, const uint8_t *in, uint64_t bytes)
{
	uint16_t sqs, cqs, last_sq = 0, last_cq = 0;
	struct nvs_state s;
	const uint8_t *at;

	if (bytes < sizeof(s))
		return false;
	memcpy(&s, in, sizeof(s));
	sqs = le16toh(s.niosq);
	cqs = le16toh(s.niocq);
	if (le16toh(s.ver) || s.reserved6 || ((sqs || cqs) && !l->ready) ||
	    bytes != sizeof(s) + (sqs + cqs) * sizeof(struct nvs_state_sq))
		return false;
	at = in + sizeof(s) + sqs * sizeof(struct nvs_state_sq);
	for (; cqs; cqs--, at += sizeof(struct nvs_state_cq))
		if (!load_cq(l, at, &last_cq))
			return false;
	at = in + sizeof(s);
	for (; sqs; sqs--, at += sizeof(struct nvs_state_sq))
		if (!load_sq(l, at, &last_sq))
			return false;
	return true;
}

static bool admin_queue_ok(struct loaded *l, const struct nvcf_state *s)
{
	uint32_t aqa = le32toh(s->aqa);

	l->sq[0] = (struct nvcf_sq) {
		.live = true, .base = le64toh(s->asq), .entries = NVS_AQA_ASQS(aqa) + 1u,
		.head = le16toh(s->sq_head), .tail = le16toh(s->sq_tail),
	};
	l->cq[0] = (struct nvcf_cq) {
		.live = true, .base = le64toh(s->acq), .entries = NVS_AQA_ACQS(aqa) + 1u,
		.head = le16toh(s->cq_head), .tail = le16toh(s->cq_tail), .ien = true,
		.phase = s->flags & NVCF_STATE_PHASE,
	};
	return l->sq[0].entries >= 2 && l->cq[0].entries >= 2 &&
	       !((l->sq[0].base | l->cq[0].base) & (l->page - 1)) &&
	       l->sq[0].head < l->sq[0].entries && l->sq[0].tail < l->sq[0].entries &&
	       l->cq[0].head < l->cq[0].entries && l->cq[0].tail < l->cq[0].entries;
}

/* Registers that this controller could have. */
static bool registers_ok(struct loaded *l, const struct nvcf_state *s)
{
	const uint32_t known = NVS_CSTS_RDY | NVS_CSTS_CFS | NVS_CSTS_SHST_MASK | NVS_CSTS_NSSRO;
	uint32_t cc = le32toh(s->cc), csts = le32toh(s->csts), css = NVS_CC_CSS(cc);

	if (cc & ~NVS_CC_MASK || csts & ~known || le32toh(s->aqa) & ~NVS_AQA_MASK ||
	    (le64toh(s->asq) | le64toh(s->acq)) & 0xfff ||
	    (csts & NVS_CSTS_SHST_MASK) == NVS_CSTS_SHST_MASK)
		return false;
	l->ready = csts & NVS_CSTS_RDY;
	if (!l->ready)
		return !s->sq_head && !s->sq_tail && !s->cq_head && !s->cq_tail && !s->outstanding;
	l->page = 4096u << NVS_CC_MPS(cc);
	return (cc & NVS_CC_EN) && 12 + NVS_CC_MPS(cc) <= NVCF_MAX_PAGE_LOG2 && !NVS_CC_AMS(cc) &&
	       (css == NVS_CC_CSS_NVM || css == NVS_CC_CSS_IOCSS) && admin_queue_ok(l, s);
}

/* Requests have ids of their own, and no more of them are there than are outstanding. */
static bool events_ok(const struct nvcf_state *s)
{
	for (unsigned int i = 0; i < NVCF_STATE_AERS; i++) {
		if (i >= s->outstanding && s->aer[i])
			return false;
		for (unsigned int k = 0; k < i && i < s->outstanding; k++)
			if (s->aer[k] == s->aer[i])
				return false;
	}
	for (unsigned int t = 0; t < NVS_EVENT_TYPES; t++)
		if (!nvcf_events_known(t, le32toh(s->pending[t])))
			return false;
	return true;
}

static bool vendor_ok(struct loaded *l, const struct nvcf_state *s)
{
	const uint8_t flags = NVCF_STATE_PHASE | NVCF_STATE_TIMESTAMP;

	return le32toh(s->magic) == NVCF_STATE_MAGIC && le16toh(s->version) == NVCF_STATE_VERSION &&
	       le16toh(s->bytes) == sizeof(*s) && le32toh(s->crc) == state_crc(s) &&
	       le32toh(s->profile) == checksum(&l->c->profile, sizeof(l->c->profile)) &&
	       !(s->flags & ~flags) && s->outstanding <= NVCF_AER_LIMIT &&
	       !(s->masked >> NVS_EVENT_TYPES) && events_ok(s) && !s->reserved &&
	       !(le32toh(s->changed_ns) >> NVCF_MAX_NS) &&
	       is_zero(s->reserved2, sizeof(s->reserved2)) && registers_ok(l, s) &&
	       nvcf_feature_load(l->c, s, &l->feat);
}

static void take_vendor(struct nvcf_ctrl *c, const struct loaded *l, const struct nvcf_state *s)
{
	c->cc = le32toh(s->cc);
	c->csts = le32toh(s->csts);
	c->aqa = le32toh(s->aqa);
	c->intms = le32toh(s->intms);
	c->asq = le64toh(s->asq);
	c->acq = le64toh(s->acq);
	c->fell = false;
	c->nssr = false;
	/* One that was getting ready does so again. */
	c->enabled = l->ready;
	c->page = l->page;
	c->feat = l->feat;
	c->sq[0] = l->sq[0];
	c->cq[0] = l->cq[0];
	c->changed_ns = le32toh(s->changed_ns);
	c->dropped += c->events.outstanding;
	c->fetched += s->outstanding;
	c->events.outstanding = s->outstanding;
	for (unsigned int i = 0; i < NVCF_AER_LIMIT; i++)
		c->events.aer[i] = le16toh(s->aer[i]);
	for (unsigned int t = 0; t < NVS_EVENT_TYPES; t++) {
		c->events.pending[t] = le32toh(s->pending[t]);
		c->events.masked[t] = s->masked >> t & 1;
	}
}

static bool has_queues(const struct nvcf_ctrl *c)
{
	for (unsigned int i = 1; i < NVCF_QUEUES; i++)
		if (c->sq[i].live || c->cq[i].live)
			return true;
	return false;
}

/* Sizes are 128 bits wide; those that are asked for have to be there, and no others. */
static bool header_ok(const struct nvs_state_header *h, uint32_t bytes, bool standard, bool vendor)
{
	uint64_t css = le64toh(h->nvmecss[0]), vss = le64toh(h->vss[0]);

	return !le16toh(h->ver) && !(h->csattr & ~NVS_CSUP) &&
	       is_zero(h->reserved3, sizeof(h->reserved3)) && !h->nvmecss[1] &&
	       !h->vss[1] && css <= bytes / 4 &&
	       vss <= bytes / 4 && sizeof(*h) + (css + vss) * 4 == bytes && !!css == standard &&
	       (vendor ? vss * 4 == sizeof(struct nvcf_state) : !vss);
}

int nvcf_state_load(struct nvcf_ctrl *c, const uint8_t *in, uint32_t bytes, bool standard,
		    bool vendor)
{
	struct loaded l = {
		.c = c, .page = c->page, .ready = c->csts & NVS_CSTS_RDY, .feat = c->feat,
	};
	struct nvs_state_header h;
	struct nvcf_state s;
	uint64_t css;

	/* Without a profile there is nothing that it could have come to. */
	if (bytes < sizeof(h) || !c->provisioned)
		return BAD_FIELD;
	memcpy(&h, in, sizeof(h));
	if (!header_ok(&h, bytes, standard, vendor))
		return BAD_FIELD;
	css = le64toh(h.nvmecss[0]) * 4;
	if (vendor)
		memcpy(&s, in + sizeof(h) + css, sizeof(s));
	if (has_queues(c) || (vendor && !vendor_ok(&l, &s)) ||
	    (standard && !load_standard(&l, in + sizeof(h), css)))
		return BAD_FIELD;
	if (vendor)
		take_vendor(c, &l, &s);
	for (unsigned int i = 1; i < NVCF_QUEUES && standard; i++) {
		c->sq[i] = l.sq[i];
		c->cq[i] = l.cq[i];
	}
	return 0;
}
