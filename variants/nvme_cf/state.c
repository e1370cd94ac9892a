// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a controller as bytes (match.h): the container and the I/O queues, which are the
 * specification's, and the vendor specific rest.  Pure: also a KUnit suite and a host program.
 * Every byte looked at here comes from a peer.
 */
#include "match.h"

static_assert(sizeof(struct nvs_state_header) == 48);
static_assert(sizeof(struct nvs_state) == 8);
static_assert(sizeof(struct nvs_state_sq) == 24 && sizeof(struct nvs_state_cq) == 24);
static_assert(sizeof(struct nvcf_state) == 512);

#define QUEUE_BYTES	sizeof(struct nvs_state_sq)
#define VECTORS		(NVCF_MAX_IOQ + 1)
#define TIMESTAMP_MOST	(BIT_ULL(48) - 1)
#define PAGE_LOG2_LEAST	12
#define PAGE_LOG2_MOST	16

/**
 * struct nvcf_seen - What was seen of a state so far
 * @queues: Most pairs of I/O queues; what its user has asked for once that was seen.
 * @entries: Most entries of a queue.
 * @page_mask: Bits of an address within a page of the controller.
 * @cqs: Completion queues, a bit for each.
 */
struct nvcf_seen {
	u32 queues;
	u32 entries;
	u64 page_mask;
	u64 cqs[2];
};

static bool has_bytes(const void *buf, size_t bytes)
{
	return memchr_inv(buf, 0, bytes);
}

#define CHECK(rules, diff) vmig_in_range(rules, ARRAY_SIZE(rules), -EINVAL, diff)

/* In dwords; beyond the bound the low half says nothing any more. */
static u64 size_of(const __le64 size[2])
{
	return size[1] ? U64_MAX : le64_to_cpu(size[0]);
}

int nvcf_state_bytes(const struct nvs_state_header *h, u32 *bytes, struct vmig_diff *diff)
{
	const u64 css = size_of(h->nvmecss), vss = size_of(h->vss), most = NVCF_STATE_MOST / 4;
	const struct vmig_range_rule rules[] = {
		{ "version of the container", le16_to_cpu(h->ver), 0, 0 },
		{ "suspension throughout", h->csattr, NVS_CSUP, NVS_CSUP },
		{ "reserved bytes of the container", has_bytes(h->reserved3, sizeof(h->reserved3)),
		  0, 0 },
	};
	int err = CHECK(rules, diff);

	if (err)
		return err;
	if (css > most)
		return vmig_differs(diff, -EFBIG, "dwords of the standard state", most, css);
	if (vss > most - css)
		return vmig_differs(diff, -EFBIG, "dwords of the vendor state", most - css, vss);
	if (css + vss > most - sizeof(*h) / 4)
		return vmig_differs(diff, -EFBIG, "dwords of the state",
				    most - sizeof(*h) / 4, css + vss);
	*bytes = sizeof(*h) + (css + vss) * 4;
	return 0;
}

/* ---- I/O queues ---- */

static int check_cq(struct nvcf_seen *s, const u8 *at, u32 last, u32 *qid,
		    struct vmig_diff *diff)
{
	struct nvs_state_cq e;

	memcpy(&e, at, sizeof(e));
	*qid = le16_to_cpu(e.qid);

	const u32 attr = le32_to_cpu(e.attr), entries = le16_to_cpu(e.qsize) + 1;
	const struct vmig_range_rule rules[] = {
		{ "completion queue id", *qid, last + 1, s->queues },
		{ "completion queue address", le64_to_cpu(e.prp1) & s->page_mask, 0, 0 },
		{ "completion queue entries", entries, 2, s->entries },
		{ "completion queue head", le16_to_cpu(e.head), 0, entries - 1 },
		{ "completion queue tail", le16_to_cpu(e.tail), 0, entries - 1 },
		{ "completion queue contiguity", attr & NVS_STATE_CQ_PC, NVS_STATE_CQ_PC,
		  NVS_STATE_CQ_PC },
		{ "completion queue attributes", attr & 0xfff8, 0, 0 },
		{ "completion queue vector", NVS_STATE_CQ_VECTOR(attr), 0, VECTORS - 1 },
		{ "completion queue reserved bytes",
		  has_bytes(e.reserved20, sizeof(e.reserved20)), 0, 0 },
	};
	int err = CHECK(rules, diff);

	if (!err)
		s->cqs[*qid / 64] |= BIT_ULL(*qid % 64);
	return err;
}

static int check_sq(const struct nvcf_seen *s, const u8 *at, u32 last, u32 *qid,
		    struct vmig_diff *diff)
{
	struct nvs_state_sq e;

	memcpy(&e, at, sizeof(e));
	*qid = le16_to_cpu(e.qid);

	const u32 attr = le16_to_cpu(e.attr), entries = le16_to_cpu(e.qsize) + 1;
	const u32 cqid = le16_to_cpu(e.cqid);
	const bool cq = cqid <= NVCF_MAX_IOQ && s->cqs[cqid / 64] & BIT_ULL(cqid % 64);
	const struct vmig_range_rule rules[] = {
		{ "submission queue id", *qid, last + 1, s->queues },
		{ "submission queue address", le64_to_cpu(e.prp1) & s->page_mask, 0, 0 },
		{ "submission queue entries", entries, 2, s->entries },
		{ "submission queue head", le16_to_cpu(e.head), 0, entries - 1 },
		{ "submission queue tail", le16_to_cpu(e.tail), 0, entries - 1 },
		{ "submission queue contiguity", attr & NVS_STATE_SQ_PC, NVS_STATE_SQ_PC,
		  NVS_STATE_SQ_PC },
		{ "submission queue attributes", attr & 0xfff8, 0, 0 },
		{ "completion queue of a submission queue", cq, 1, 1 },
		{ "submission queue reserved bytes",
		  has_bytes(e.reserved20, sizeof(e.reserved20)), 0, 0 },
	};

	return CHECK(rules, diff);
}

/* Completion queues first, since submission queues name them.  Ids ascend. */
static int check_queues(struct nvcf_seen *seen, const u8 *at, u32 sqs, u32 cqs,
			struct vmig_diff *diff)
{
	const u8 *cq = at + sqs * QUEUE_BYTES;
	u32 last = 0;
	int err = 0;

	for (u32 i = 0; i < cqs && !err; i++)
		err = check_cq(seen, cq + i * QUEUE_BYTES, last, &last, diff);
	last = 0;
	for (u32 i = 0; i < sqs && !err; i++)
		err = check_sq(seen, at + i * QUEUE_BYTES, last, &last, diff);
	return err;
}

static int check_standard(struct nvcf_seen *seen, const u8 *buf, u32 bytes, bool ready,
			  struct vmig_diff *diff)
{
	struct nvs_state s;

	if (bytes < sizeof(s))
		return vmig_differs(diff, -EINVAL, "size of the standard state", sizeof(s), bytes);
	memcpy(&s, buf, sizeof(s));

	const u32 sqs = le16_to_cpu(s.niosq), cqs = le16_to_cpu(s.niocq);
	const u32 want = sizeof(s) + (sqs + cqs) * QUEUE_BYTES, most = ready ? seen->queues : 0;
	const struct vmig_range_rule rules[] = {
		{ "version of the standard state", le16_to_cpu(s.ver), 0, 0 },
		{ "reserved bytes of the standard state", le16_to_cpu(s.reserved6), 0, 0 },
		{ "number of submission queues", sqs, 0, most },
		{ "number of completion queues", cqs, 0, most },
		{ "size of the standard state", bytes, want, want },
	};
	int err = CHECK(rules, diff);

	return err ?: check_queues(seen, buf + sizeof(s), sqs, cqs, diff);
}

/* ---- The vendor specific rest ---- */

/* What is said of vectors that there are not. */
static u32 beyond_vectors(const u8 *bits, size_t bytes)
{
	return bits[VECTORS / 8] >> VECTORS % 8 ||
	       has_bytes(bits + VECTORS / 8 + 1, bytes - VECTORS / 8 - 1);
}

static int check_settings(const struct nvcf_match *fn, const struct nvcf_state *s,
			  struct vmig_diff *diff)
{
	const u32 none = le32_to_cpu(fn->options) & NVCF_OPT_TIMESTAMP ? 0 : NVCF_STATE_TIMESTAMP;
	const struct vmig_range_rule rules[] = {
		{ "coalescing of vectors that do not exist",
		  beyond_vectors(s->no_coalescing, sizeof(s->no_coalescing)), 0, 0 },
		{ "timestamp", le64_to_cpu(s->timestamp), 0, TIMESTAMP_MOST },
		{ "timestamp of a controller that has none", s->flags & none, 0, 0 },
	};

	return CHECK(rules, diff);
}

static int check_events(const struct nvcf_state *s, struct vmig_diff *diff)
{
	static const u32 known[NVCF_STATE_EVENTS] = {
		[NVS_EVENT_ERROR] = BIT(NVS_ERROR_DOORBELL_REGISTER) |
				    BIT(NVS_ERROR_DOORBELL_VALUE),
		[NVS_EVENT_HEALTH] = BIT(NVS_HEALTH_TEMPERATURE),
		[NVS_EVENT_NOTICE] = BIT(NVS_NOTICE_NS_CHANGED),
	};
	const u32 num = s->outstanding;
	const struct vmig_range_rule rules[] = {
		{ "outstanding event requests", num, 0, NVCF_STATE_AERS },
		{ "masked event types", s->masked, 0, BIT(NVS_EVENT_TYPES) - 1 },
		{ "changed namespaces", le32_to_cpu(s->changed_ns), 0, BIT(NVCF_MAX_NS) - 1 },
	};
	int err = CHECK(rules, diff);

	for (u32 t = 0; t < NVCF_STATE_EVENTS && !err; t++)
		if (le32_to_cpu(s->pending[t]) & ~known[t])
			err = vmig_differs(diff, -EINVAL, "pending events", known[t],
					   le32_to_cpu(s->pending[t]));
	for (u32 i = 0; i < NVCF_STATE_AERS && !err; i++) {
		bool again = false;

		for (u32 k = 0; k < i && i < num; k++)
			again |= s->aer[k] == s->aer[i];
		if (again || (i >= num && s->aer[i]))
			err = vmig_differs(diff, -EINVAL, "id of an event request", 0,
					   le16_to_cpu(s->aer[i]));
	}
	return err;
}

/**
 * struct nvcf_feature_rule - A feature whose value is in the state
 * @fid: Its id.
 * @option: NVCF_OPT_* without which there is none.
 * @mask: Bits that its value can have.
 * @name: For the log.
 */
struct nvcf_feature_rule {
	u8 fid;
	u8 option;
	u32 mask;
	const char *name;
};

/* Ascending. */
static const struct nvcf_feature_rule feature_rules[] = {
	{ NVS_FEAT_ARBITRATION, 0, 0xffffff07, "value of Arbitration" },
	{ NVS_FEAT_POWER, 0, NVCF_POWER_STATES - 1, "value of Power Management" },
	{ NVS_FEAT_ERROR_RECOVERY, 0, 0xffff, "value of Error Recovery" },
	{ NVS_FEAT_WRITE_CACHE, NVCF_OPT_WRITE_CACHE, 1, "value of Volatile Write Cache" },
	{ NVS_FEAT_QUEUES, 0, U32_MAX, "value of Number of Queues" },
	{ NVS_FEAT_COALESCING, 0, 0xffff, "value of Interrupt Coalescing" },
	{ NVS_FEAT_ATOMICITY, 0, 1, "value of Write Atomicity" },
	{ NVS_FEAT_ASYNC_EVENT, 0, 0x1ff, "value of Asynchronous Event Configuration" },
};

static_assert(ARRAY_SIZE(feature_rules) <= NVCF_STATE_FEATURES);
static_assert(!(NVCF_POWER_STATES & (NVCF_POWER_STATES - 1)));

/* Both counts are the same, 0's based: no queue beyond them. */
static int check_num_queues(struct nvcf_seen *seen, u32 val, const char *name,
			    struct vmig_diff *diff)
{
	const u32 most = seen->queues ? seen->queues - 1 : 0;

	if ((val & 0xffff) > most || val >> 16 != (val & 0xffff))
		return vmig_differs(diff, -EINVAL, name, most << 16 | most, val);
	seen->queues = (val & 0xffff) + 1;
	return 0;
}

static int check_feature(struct nvcf_seen *seen, const struct nvcf_feature_rule *rule,
			 const struct nvcf_state_feature *f, struct vmig_diff *diff)
{
	const u32 val = le32_to_cpu(f->value);

	if (f->fid != rule->fid)
		return vmig_differs(diff, -EINVAL, "feature id", rule->fid, f->fid);
	if (has_bytes(f->reserved, sizeof(f->reserved)))
		return vmig_differs(diff, -EINVAL, "reserved bytes of a feature", 0, 1);
	if (val & ~rule->mask)
		return vmig_differs(diff, -EINVAL, rule->name, rule->mask, val);
	if (f->fid == NVS_FEAT_QUEUES)
		return check_num_queues(seen, val, rule->name, diff);
	return 0;
}

/* All that such a controller has, and zeroes after them. */
static int check_features(struct nvcf_seen *seen, const struct nvcf_match *fn,
			  const struct nvcf_state *s, struct vmig_diff *diff)
{
	const u32 options = le32_to_cpu(fn->options);
	const struct nvcf_state_feature *f = s->features;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(feature_rules) && !err; i++)
		if (!(feature_rules[i].option & ~options))
			err = check_feature(seen, &feature_rules[i], f++, diff);
	for (; f < s->features + NVCF_STATE_FEATURES && !err; f++)
		if (has_bytes(f, sizeof(*f)))
			err = vmig_differs(diff, -EINVAL, "feature id", 0, f->fid);
	return err;
}

/* Of a controller that is not ready: nothing is in its queues. */
static int check_idle(const struct nvcf_state *s, struct vmig_diff *diff)
{
	const struct vmig_range_rule rules[] = {
		{ "head of the admin submission queue", le16_to_cpu(s->sq_head), 0, 0 },
		{ "tail of the admin submission queue", le16_to_cpu(s->sq_tail), 0, 0 },
		{ "head of the admin completion queue", le16_to_cpu(s->cq_head), 0, 0 },
		{ "tail of the admin completion queue", le16_to_cpu(s->cq_tail), 0, 0 },
		{ "outstanding event requests", s->outstanding, 0, 0 },
	};

	return CHECK(rules, diff);
}

/* The admin queue, of a controller that is ready. */
static int check_admin(struct nvcf_seen *seen, const struct nvcf_state *s,
		       struct vmig_diff *diff)
{
	const u32 cc = le32_to_cpu(s->cc), aqa = le32_to_cpu(s->aqa);
	const u32 sqs = NVS_AQA_ASQS(aqa) + 1, cqs = NVS_AQA_ACQS(aqa) + 1;
	const u32 page = min_t(u32, PAGE_LOG2_LEAST + NVS_CC_MPS(cc), PAGE_LOG2_MOST);
	const struct vmig_range_rule rules[] = {
		{ "CC.EN of a controller that is ready", cc & NVS_CC_EN, 1, 1 },
		{ "page size (CC.MPS)", PAGE_LOG2_LEAST + NVS_CC_MPS(cc), PAGE_LOG2_LEAST,
		  PAGE_LOG2_MOST },
		{ "arbitration (CC.AMS)", NVS_CC_AMS(cc), 0, 0 },
		{ "command set (CC.CSS)", NVS_CC_CSS(cc) == NVS_CC_CSS_NVM ||
		  NVS_CC_CSS(cc) == NVS_CC_CSS_IOCSS, 1, 1 },
		{ "entries of the admin submission queue", sqs, 2, U32_MAX },
		{ "entries of the admin completion queue", cqs, 2, U32_MAX },
		{ "head of the admin submission queue", le16_to_cpu(s->sq_head), 0, sqs - 1 },
		{ "tail of the admin submission queue", le16_to_cpu(s->sq_tail), 0, sqs - 1 },
		{ "head of the admin completion queue", le16_to_cpu(s->cq_head), 0, cqs - 1 },
		{ "tail of the admin completion queue", le16_to_cpu(s->cq_tail), 0, cqs - 1 },
		{ "address of the admin submission queue",
		  le64_to_cpu(s->asq) & (BIT_ULL(page) - 1), 0, 0 },
		{ "address of the admin completion queue",
		  le64_to_cpu(s->acq) & (BIT_ULL(page) - 1), 0, 0 },
	};

	seen->page_mask = BIT_ULL(page) - 1;
	return CHECK(rules, diff);
}

static int check_vendor(struct nvcf_seen *seen, const struct nvcf_match *fn,
			const struct nvcf_state *s, struct vmig_diff *diff)
{
	const u32 csts = le32_to_cpu(s->csts), profile = le32_to_cpu(fn->profile);
	const u32 known = NVS_CSTS_RDY | NVS_CSTS_CFS | NVS_CSTS_SHST_MASK | NVS_CSTS_NSSRO;
	const struct vmig_range_rule rules[] = {
		{ "magic of the vendor state", le32_to_cpu(s->magic), NVCF_STATE_MAGIC,
		  NVCF_STATE_MAGIC },
		{ "version of the vendor state", le16_to_cpu(s->version), NVCF_STATE_VERSION,
		  NVCF_STATE_VERSION },
		{ "length of the vendor state", le16_to_cpu(s->bytes), sizeof(*s), sizeof(*s) },
		{ "profile of the state", le32_to_cpu(s->profile), profile, profile },
		{ "unknown bits of CC", le32_to_cpu(s->cc) & ~NVS_CC_MASK, 0, 0 },
		{ "unknown bits of CSTS", csts & ~known, 0, 0 },
		{ "CSTS.SHST", csts & NVS_CSTS_SHST_MASK, 0, NVS_CSTS_SHST_DONE },
		{ "unknown bits of AQA", le32_to_cpu(s->aqa) & ~NVS_AQA_MASK, 0, 0 },
		{ "low bits of ASQ", le64_to_cpu(s->asq) & 0xfff, 0, 0 },
		{ "low bits of ACQ", le64_to_cpu(s->acq) & 0xfff, 0, 0 },
		{ "flags of the vendor state", s->flags, 0,
		  NVCF_STATE_PHASE | NVCF_STATE_TIMESTAMP },
		{ "reserved bytes of the vendor state", s->reserved |
		  has_bytes(s->reserved2, sizeof(s->reserved2)), 0, 0 },
	};
	int err = CHECK(rules, diff);

	err = err ?: check_settings(fn, s, diff);
	err = err ?: check_events(s, diff);
	return err ?: check_features(seen, fn, s, diff);
}

int nvcf_state_check(const struct nvcf_match *fn, const void *buf, size_t bytes,
		     struct vmig_diff *diff)
{
	struct nvcf_seen seen = {
		.queues = min_t(u32, le16_to_cpu(fn->queues), NVCF_MAX_IOQ),
		.entries = le16_to_cpu(fn->entries),
		.page_mask = BIT_ULL(PAGE_LOG2_LEAST) - 1,
	};
	const u8 *from = buf;
	struct nvs_state_header h;
	struct nvcf_state vendor;
	u32 want;
	bool ready;
	int err;

	if (bytes < NVCF_STATE_LEAST)
		return vmig_differs(diff, -EINVAL, "size of the state", NVCF_STATE_LEAST, bytes);
	memcpy(&h, from, sizeof(h));
	err = nvcf_state_bytes(&h, &want, diff);
	if (err)
		return err;
	if (bytes != want)
		return vmig_differs(diff, -EINVAL, "size of the state", want, bytes);
	if (le64_to_cpu(h.vss[0]) * 4 != sizeof(vendor))
		return vmig_differs(diff, -EINVAL, "dwords of the vendor state",
				    sizeof(vendor) / 4, le64_to_cpu(h.vss[0]));
	memcpy(&vendor, nvcf_state_vendor(buf, bytes), sizeof(vendor));
	ready = le32_to_cpu(vendor.csts) & NVS_CSTS_RDY;
	err = check_vendor(&seen, fn, &vendor, diff);
	if (!err && ready)
		err = check_admin(&seen, &vendor, diff);
	err = err ?: check_standard(&seen, from + sizeof(h),
				    bytes - sizeof(h) - sizeof(vendor), ready, diff);
	return err || ready ? err : check_idle(&vendor, diff);
}
