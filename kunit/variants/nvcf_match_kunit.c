// SPDX-License-Identifier: GPL-2.0
/*
 * What a controller of nvme_cf takes from another one: variants/nvme_cf/match.c and state.c.
 * Each field of the state at its edges.
 */
#include <kunit/test.h>

#include "../../migration/match.c"
#include "../../variants/nvme_cf/match.c"
#include "../../variants/nvme_cf/state.c"

#define CRC	0x12345678U

static void make_profile(struct nvcf_profile *p)
{
	*p = (struct nvcf_profile){
		.magic = cpu_to_le32(NVCF_PROFILE_MAGIC),
		.version = cpu_to_le16(NVCF_PROFILE_VERSION),
		.cntlid = cpu_to_le16(2),
		.vid = cpu_to_le16(0x1234),
		.ssvid = cpu_to_le16(0x1234),
		.ieee = { 0, 0x54, 0x52 },
		.mdts = 5,
		.queues = cpu_to_le16(4),
		.entries = cpu_to_le16(256),
		.options = cpu_to_le32(NVCF_OPT_ALL),
		.subnqn = "nqn.2022-12.org.example:nvme_cf:7",
		.ns = {
			{ .nsid = cpu_to_le32(1), .disk = cpu_to_le32(1), .eui64 = { 1 } },
			{ .nsid = cpu_to_le32(2), .disk = cpu_to_le32(2), .nguid = { 2 } },
		},
		.disks = {
			{ .blocks = cpu_to_le64(U64_MAX), .block_bytes = cpu_to_le32(512) },
			{ .blocks = cpu_to_le64(9), .block_bytes = cpu_to_le32(4096) },
		},
	};
	memset(p->sn, ' ', sizeof(p->sn) + sizeof(p->mn) + sizeof(p->fr));
	memcpy(p->sn, "VPV7", 4);
	memcpy(p->mn, "nvme_cf", 7);
	memcpy(p->fr, "1.0", 3);
}

/* ---- Match data ---- */

#define BYTES(field) offsetof(struct nvcf_profile, field), sizeof_field(struct nvcf_profile, field)

static const struct {
	size_t offset, bytes;
	const char *differs;
} identity[] = {
	{ BYTES(cntlid), "CNTLID" },
	{ BYTES(vid), "VID" },
	{ BYTES(ssvid), "SSVID" },
	{ BYTES(ieee), "OUI" },
	{ BYTES(mdts), "MDTS" },
	{ BYTES(queues), "pairs of I/O queues" },
	{ BYTES(entries), "entries of a queue" },
	{ BYTES(options), "optional features" },
	{ BYTES(sn), "serial number" },
	{ BYTES(mn), "model" },
	{ BYTES(fr), "firmware revision" },
	{ BYTES(subnqn[8]), "subsystem NQN" },
	{ BYTES(ns[0].nsid), "namespace 1: NSID" },
	{ BYTES(ns[0].disk), "namespace 1: disk" },
	{ BYTES(ns[0].eui64), "namespace 1: EUI64" },
	{ BYTES(ns[1].nguid), "namespace 2: NGUID" },
	{ BYTES(ns[1].uuid), "namespace 2: UUID" },
	{ BYTES(ns[3].nsid), "namespace 4: NSID" },
	{ BYTES(disks[0].block_bytes), "namespace 1: bytes of a block" },
	{ BYTES(disks[1].flags), "namespace 2: write protection" },
	{ BYTES(disks[2].blocks), "namespace 3: blocks" },
};

/* What the library does with the table. */
static int match_check(const struct nvcf_match *mine, const struct nvcf_match *theirs,
		       struct vmig_diff *diff)
{
	return vmig_match_check(nvcf_fields, NVCF_NUM_FIELDS, mine, theirs, sizeof(*theirs),
				diff);
}

static void each_byte_of_an_identity_counts(struct kunit *test)
{
	static struct nvcf_profile p, other;
	static struct nvcf_match mine, theirs;
	struct vmig_diff diff = { .field = "" };

	KUNIT_ASSERT_TRUE(test, vmig_match_valid(nvcf_fields, NVCF_NUM_FIELDS, sizeof(mine),
						 sizeof(mine)));
	make_profile(&p);
	nvcf_match_write(&p, CRC, &mine);
	KUNIT_EXPECT_EQ(test, match_check(&mine, &mine, &diff), 0);
	for (size_t i = 0; i < ARRAY_SIZE(identity); i++) {
		for (size_t at = 0; at < identity[i].bytes; at++) {
			other = p;
			((u8 *)&other)[identity[i].offset + at] ^= 1;
			/* A space or a zero more at the end is the same text. */
			nvcf_match_write(&other, CRC, &theirs);
			KUNIT_EXPECT_EQ_MSG(test, match_check(&mine, &theirs, &diff),
					    -EOPNOTSUPP, "%s, byte %zu",
					    identity[i].differs, at);
			KUNIT_EXPECT_STREQ(test, diff.field, identity[i].differs);
		}
	}
}

static void a_disk_may_be_larger_here(struct kunit *test)
{
	static struct nvcf_match mine, theirs;
	static struct nvcf_profile p;
	struct vmig_diff diff;

	make_profile(&p);
	nvcf_match_write(&p, CRC, &mine);
	p.disks[1].blocks = cpu_to_le64(8);
	nvcf_match_write(&p, CRC, &theirs);
	KUNIT_EXPECT_EQ(test, match_check(&mine, &theirs, &diff), 0);
	KUNIT_EXPECT_EQ(test, match_check(&theirs, &mine, &diff), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, diff.field, "namespace 2: blocks");
}

static void texts_are_told_without_what_fills_them(struct kunit *test)
{
	static struct nvcf_profile p;
	static struct nvcf_match m;

	make_profile(&p);
	nvcf_match_write(&p, CRC, &m);
	KUNIT_EXPECT_STREQ(test, m.sn, "VPV7");
	KUNIT_EXPECT_STREQ(test, m.mn, "nvme_cf");
	KUNIT_EXPECT_STREQ(test, m.fr, "1.0");
	KUNIT_EXPECT_STREQ(test, m.subnqn, "nqn.2022-12.org.example:nvme_cf:7");
	KUNIT_EXPECT_EQ(test, le32_to_cpu(m.ieee), 0x525400U);

	memset(p.sn, 'x', sizeof(p.sn) + sizeof(p.mn) + sizeof(p.fr));
	nvcf_match_write(&p, CRC, &m);
	KUNIT_EXPECT_EQ(test, strlen(m.sn), sizeof(p.sn));
	KUNIT_EXPECT_EQ(test, strlen(m.mn), sizeof(p.mn));
	KUNIT_EXPECT_EQ(test, strlen(m.fr), sizeof(p.fr));
}

static const struct {
	size_t offset, bytes;
	const char *differs;
} changes[] = {
	{ BYTES(queues), "pairs of I/O queues before" },
	{ BYTES(entries), "entries of a queue before" },
	{ BYTES(mdts), "MDTS before" },
};

static void one_that_has_become_another_is_told_apart(struct kunit *test)
{
	static struct nvcf_match now, before;
	static struct nvcf_profile p;
	struct vmig_diff diff;

	make_profile(&p);
	nvcf_match_write(&p, CRC, &before);
	/* Disks grow, shrink, and are protected. */
	p.disks[0].blocks = cpu_to_le64(1);
	p.disks[1].blocks = cpu_to_le64(U64_MAX);
	p.disks[1].flags = cpu_to_le32(NVCF_DISK_READONLY);
	nvcf_match_write(&p, CRC, &now);
	KUNIT_EXPECT_EQ(test, nvcf_match_same(&now, &before, &diff), 0);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		make_profile(&p);
		((u8 *)&p)[changes[i].offset]--;
		nvcf_match_write(&p, CRC, &now);
		KUNIT_EXPECT_EQ(test, nvcf_match_same(&now, &before, &diff), -EOPNOTSUPP);
		KUNIT_EXPECT_STREQ(test, diff.field, changes[i].differs);
		KUNIT_EXPECT_EQ(test, nvcf_match_same(&before, &now, &diff), -EOPNOTSUPP);
	}
	make_profile(&p);
	nvcf_match_write(&p, CRC + 1, &now);
	KUNIT_EXPECT_EQ(test, nvcf_match_same(&now, &before, &diff), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, diff.field, "checksum of the profile before");
}

static const struct {
	size_t offset;
	u8 bytes;
	u64 value;
	const char *differs;
} profiles[] = {
	{ BYTES(magic), 0, "magic of the profile" },
	{ BYTES(version), 2, "version of the profile" },
	{ BYTES(queues), 0, "pairs of I/O queues of the profile" },
	{ BYTES(queues), NVCF_MAX_IOQ + 1, "pairs of I/O queues of the profile" },
	{ BYTES(entries), 1, "entries of a queue of the profile" },
	{ BYTES(entries), NVCF_MAX_ENTRIES + 1, "entries of a queue of the profile" },
	{ BYTES(mdts), 0, "MDTS of the profile" },
	{ BYTES(mdts), NVCF_MAX_MDTS + 1, "MDTS of the profile" },
	{ BYTES(sn[0]), 0x1f, "printable texts of the profile" },
	{ BYTES(mn[39]), 0x7f, "printable texts of the profile" },
	{ BYTES(fr[7]), 0, "printable texts of the profile" },
	{ BYTES(subnqn[0]), 0, "length of the NQN of the profile" },
	{ BYTES(subnqn[3]), 0x80, "printable texts of the profile" },
};

static void what_is_no_profile_is_refused(struct kunit *test)
{
	static struct nvcf_profile p;
	struct vmig_diff diff;

	make_profile(&p);
	KUNIT_EXPECT_EQ(test, nvcf_profile_check(&p, &diff), 0);
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		__le64 value = cpu_to_le64(profiles[i].value);

		make_profile(&p);
		memcpy((u8 *)&p + profiles[i].offset, &value, profiles[i].bytes);
		KUNIT_EXPECT_EQ_MSG(test, nvcf_profile_check(&p, &diff), -EOPNOTSUPP, "case %zu",
				    i);
		KUNIT_EXPECT_STREQ(test, diff.field, profiles[i].differs);
	}
	make_profile(&p);
	memset(p.subnqn, 'x', 223);
	KUNIT_EXPECT_EQ(test, nvcf_profile_check(&p, &diff), 0);
	memset(p.subnqn, 'x', 224);
	KUNIT_EXPECT_EQ(test, nvcf_profile_check(&p, &diff), -EOPNOTSUPP);
}

/* ---- State ---- */

/* Two submission queues that share a completion queue, and another pair. */
struct state {
	struct nvs_state_header h;
	struct nvs_state s;
	struct nvs_state_sq sq[3];
	struct nvs_state_cq cq[2];
	struct nvcf_state v;
};

static_assert(sizeof(struct state) == 48 + 8 + 5 * 24 + 512);

static void make_state(struct state *st)
{
	*st = (struct state){
		.h = {
			.csattr = NVS_CSUP,
			.nvmecss = { cpu_to_le64((sizeof(st->s) + sizeof(st->sq) +
						  sizeof(st->cq)) / 4) },
			.vss = { cpu_to_le64(sizeof(st->v) / 4) },
		},
		.s = { .niosq = cpu_to_le16(3), .niocq = cpu_to_le16(2) },
		.v = {
			.magic = cpu_to_le32(NVCF_STATE_MAGIC),
			.version = cpu_to_le16(NVCF_STATE_VERSION),
			.bytes = cpu_to_le16(sizeof(st->v)),
			.profile = cpu_to_le32(CRC),
			.cc = cpu_to_le32(0x460001),
			.csts = cpu_to_le32(NVS_CSTS_RDY),
			.aqa = cpu_to_le32(0x001f001f),
			.asq = cpu_to_le64(0x10000),
			.acq = cpu_to_le64(0x11000),
			.flags = NVCF_STATE_PHASE,
			.outstanding = 2,
			.aer = { cpu_to_le16(7), cpu_to_le16(8) },
			.features = {
				{ .fid = 1 }, { .fid = 2 }, { .fid = 5 }, { .fid = 6 },
				{ .fid = 7, .value = cpu_to_le32(0x30003) }, { .fid = 8 },
				{ .fid = 10 }, { .fid = 11 },
			},
		},
	};
	for (u16 i = 0; i < 3; i++)
		st->sq[i] = (struct nvs_state_sq){
			.prp1 = cpu_to_le64(0x20000 + i * 0x1000), .qsize = cpu_to_le16(255),
			.qid = cpu_to_le16(i + 1), .cqid = cpu_to_le16(i < 2 ? 1 : 4),
			.attr = cpu_to_le16(NVS_STATE_SQ_PC), .head = cpu_to_le16(255),
		};
	for (u16 i = 0; i < 2; i++)
		st->cq[i] = (struct nvs_state_cq){
			.prp1 = cpu_to_le64(0x30000 + i * 0x1000), .qsize = cpu_to_le16(1),
			.qid = cpu_to_le16(i ? 4 : 1),
			.attr = cpu_to_le32(NVS_STATE_CQ_PC | NVS_STATE_CQ_IEN |
					    NVS_STATE_CQ_S0PT | 64U << 16),
		};
}

static int check(const void *buf, size_t bytes, struct vmig_diff *diff)
{
	static struct nvcf_profile p;
	static struct nvcf_match fn;

	make_profile(&p);
	nvcf_match_write(&p, CRC, &fn);
	*diff = (struct vmig_diff){ .field = "" };
	return nvcf_state_check(&fn, buf, bytes, diff);
}

#define AT(field) offsetof(struct state, field), sizeof_field(struct state, field)

static const struct {
	size_t offset;
	u8 bytes;
	u64 value;
	const char *differs;
} states[] = {
	{ AT(h.ver), 1, "version of the container" },
	{ AT(h.csattr), 0, "suspension throughout" },
	{ AT(h.csattr), 3, "suspension throughout" },
	{ AT(h.reserved3[12]), 1, "reserved bytes of the container" },
	{ AT(h.nvmecss[0]), 33, "size of the state" },
	{ AT(h.nvmecss[0]), U64_MAX, "dwords of the standard state" },
	{ AT(h.nvmecss[0]), NVCF_STATE_MOST / 4 + 1, "dwords of the standard state" },
	{ AT(h.nvmecss[0]), NVCF_STATE_MOST / 4, "dwords of the vendor state" },
	{ AT(h.nvmecss[1]), 1, "dwords of the standard state" },
	{ AT(h.vss[0]), NVCF_STATE_MOST / 4 - 32, "dwords of the state" },
	{ AT(h.vss[0]), U64_MAX - 31, "dwords of the vendor state" },
	{ AT(h.vss[0]), 0, "size of the state" },
	{ AT(h.vss[1]), 1, "dwords of the vendor state" },
	{ AT(s.ver), 1, "version of the standard state" },
	{ AT(s.reserved6), 1, "reserved bytes of the standard state" },
	{ AT(s.niosq), 5, "number of submission queues" },
	{ AT(s.niosq), 2, "size of the standard state" },
	{ AT(s.niocq), 5, "number of completion queues" },
	{ AT(s.niocq), 3, "size of the standard state" },
	{ AT(sq[0].prp1), 0x20004, "submission queue address" },
	{ AT(sq[0].qsize), 0, "submission queue entries" },
	{ AT(sq[0].qsize), 256, "submission queue entries" },
	{ AT(sq[0].qsize), 0xffff, "submission queue entries" },
	{ AT(sq[0].qid), 0, "submission queue id" },
	{ AT(sq[1].qid), 1, "submission queue id" },
	{ AT(sq[2].qid), 5, "submission queue id" },
	{ AT(sq[2].qid), 4, NULL },
	{ AT(sq[0].cqid), 0, "completion queue of a submission queue" },
	{ AT(sq[0].cqid), 2, "completion queue of a submission queue" },
	{ AT(sq[0].cqid), 64, "completion queue of a submission queue" },
	{ AT(sq[0].cqid), 0xffff, "completion queue of a submission queue" },
	{ AT(sq[0].attr), 0, "submission queue contiguity" },
	{ AT(sq[0].attr), 7, NULL },
	{ AT(sq[0].attr), 9, "submission queue attributes" },
	{ AT(sq[0].head), 256, "submission queue head" },
	{ AT(sq[0].tail), 256, "submission queue tail" },
	{ AT(sq[0].reserved20[3]), 1, "submission queue reserved bytes" },
	{ AT(cq[0].prp1), 0x30800, "completion queue address" },
	{ AT(cq[0].qsize), 0, "completion queue entries" },
	{ AT(cq[0].qid), 0, "completion queue id" },
	{ AT(cq[1].qid), 1, "completion queue id" },
	{ AT(cq[1].qid), 5, "completion queue id" },
	{ AT(cq[0].head), 2, "completion queue head" },
	{ AT(cq[0].tail), 2, "completion queue tail" },
	{ AT(cq[0].attr), NVS_STATE_CQ_IEN, "completion queue contiguity" },
	{ AT(cq[0].attr), NVS_STATE_CQ_PC | 8, "completion queue attributes" },
	{ AT(cq[0].attr), NVS_STATE_CQ_PC | 65U << 16, "completion queue vector" },
	{ AT(cq[0].reserved20[0]), 1, "completion queue reserved bytes" },
	{ AT(v.magic), 0, "magic of the vendor state" },
	{ AT(v.version), 2, "version of the vendor state" },
	{ AT(v.bytes), 511, "length of the vendor state" },
	{ AT(v.profile), CRC + 1, "profile of the state" },
	{ AT(v.cc), 0x1460001, "unknown bits of CC" },
	{ AT(v.cc), 0x460000, "CC.EN of a controller that is ready" },
	{ AT(v.cc), 0x460281, "page size (CC.MPS)" },
	{ AT(v.cc), 0x460801, "arbitration (CC.AMS)" },
	{ AT(v.cc), 0x460071, "command set (CC.CSS)" },
	{ AT(v.cc), 0x460061, NULL },
	{ AT(v.cc), 0x460081, "address of the admin completion queue" },
	{ AT(v.csts), NVS_CSTS_RDY | 0x20, "unknown bits of CSTS" },
	{ AT(v.csts), NVS_CSTS_RDY | 0xc, "CSTS.SHST" },
	{ AT(v.csts), 0, "number of submission queues" },
	{ AT(v.aqa), 0x101f001f, "unknown bits of AQA" },
	{ AT(v.aqa), 0x001f0000, "entries of the admin submission queue" },
	{ AT(v.aqa), 0x0000001f, "entries of the admin completion queue" },
	{ AT(v.asq), 0x10800, "low bits of ASQ" },
	{ AT(v.acq), 0x10001, "low bits of ACQ" },
	{ AT(v.sq_head), 32, "head of the admin submission queue" },
	{ AT(v.sq_tail), 32, "tail of the admin submission queue" },
	{ AT(v.cq_head), 32, "head of the admin completion queue" },
	{ AT(v.cq_tail), 32, "tail of the admin completion queue" },
	{ AT(v.cq_tail), 31, NULL },
	{ AT(v.flags), 4, "flags of the vendor state" },
	{ AT(v.outstanding), 5, "outstanding event requests" },
	{ AT(v.outstanding), 1, "id of an event request" },
	{ AT(v.aer[1]), 7, "id of an event request" },
	{ AT(v.aer[3]), 9, "id of an event request" },
	{ AT(v.masked), 8, "masked event types" },
	{ AT(v.reserved), 1, "reserved bytes of the vendor state" },
	{ AT(v.pending[0]), 4, "pending events" },
	{ AT(v.pending[1]), 1, "pending events" },
	{ AT(v.pending[2]), 2, "pending events" },
	{ AT(v.pending[2]), 1, NULL },
	{ AT(v.changed_ns), 16, "changed namespaces" },
	{ AT(v.features[1].fid), 1, "feature id" },
	{ AT(v.features[0].fid), 0, "feature id" },
	{ AT(v.features[1].fid), 3, "feature id" },
	{ AT(v.features[7].fid), 0, "feature id" },
	{ AT(v.features[8].fid), 0x81, "feature id" },
	{ AT(v.features[0].reserved[2]), 1, "reserved bytes of a feature" },
	{ AT(v.features[15].value), 1, "feature id" },
	{ AT(v.features[0].value), 8, "value of Arbitration" },
	{ AT(v.features[0].value), 0xffffff07, NULL },
	{ AT(v.features[1].value), 2, "value of Power Management" },
	{ AT(v.features[1].value), 1, NULL },
	{ AT(v.features[2].value), 0x10000, "value of Error Recovery" },
	{ AT(v.features[3].value), 2, "value of Volatile Write Cache" },
	{ AT(v.features[4].value), 0x40004, "value of Number of Queues" },
	{ AT(v.features[4].value), 0x30002, "value of Number of Queues" },
	{ AT(v.features[4].value), 0xffffffff, "value of Number of Queues" },
	/* The last queue is beyond it. */
	{ AT(v.features[4].value), 0x20002, "completion queue id" },
	{ AT(v.features[5].value), 0x10000, "value of Interrupt Coalescing" },
	{ AT(v.features[6].value), 2, "value of Write Atomicity" },
	{ AT(v.features[7].value), 0x200, "value of Asynchronous Event Configuration" },
	{ AT(v.no_coalescing[8]), 1, NULL },
	{ AT(v.no_coalescing[8]), 2, "coalescing of vectors that do not exist" },
	{ AT(v.no_coalescing[15]), 0x80, "coalescing of vectors that do not exist" },
	{ AT(v.timestamp), (1ULL << 48) - 1, NULL },
	{ AT(v.timestamp), 1ULL << 48, "timestamp" },
	{ AT(v.flags), NVCF_STATE_TIMESTAMP, NULL },
	{ AT(v.reserved2[255]), 1, "reserved bytes of the vendor state" },
};

static void each_field_of_the_state_is_checked(struct kunit *test)
{
	static struct state st;
	struct vmig_diff diff;

	make_state(&st);
	KUNIT_EXPECT_EQ_MSG(test, check(&st, sizeof(st), &diff), 0, "%s", diff.field);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		__le64 value = cpu_to_le64(states[i].value);
		const char *differs = states[i].differs;

		make_state(&st);
		memcpy((u8 *)&st + states[i].offset, &value, states[i].bytes);
		KUNIT_EXPECT_EQ_MSG(test, !check(&st, sizeof(st), &diff), !differs,
				    "case %zu: %s", i, differs ?: "fits");
		KUNIT_EXPECT_STREQ(test, diff.field, differs ?: "");
	}
}

static void a_state_has_the_size_that_it_says(struct kunit *test)
{
	static u8 buf[sizeof(struct state) + 8];
	struct vmig_diff diff;

	make_state((struct state *)buf);
	for (size_t bytes = 0; bytes <= sizeof(buf); bytes++) {
		KUNIT_EXPECT_EQ_MSG(test, check(buf, bytes, &diff),
				    bytes == sizeof(struct state) ? 0 : -EINVAL, "%zu bytes",
				    bytes);
		if (bytes != sizeof(struct state))
			KUNIT_EXPECT_STREQ(test, diff.field, "size of the state");
	}
}

/* What one part has less, the other has more. */
static void parts_of_a_state_have_their_sizes(struct kunit *test)
{
	static struct state st;
	struct vmig_diff diff;

	for (int more = -1; more <= 1; more += 2) {
		make_state(&st);
		st.h.nvmecss[0] = cpu_to_le64(le64_to_cpu(st.h.nvmecss[0]) + more);
		st.h.vss[0] = cpu_to_le64(le64_to_cpu(st.h.vss[0]) - more);
		KUNIT_EXPECT_EQ(test, check(&st, sizeof(st), &diff), -EINVAL);
		KUNIT_EXPECT_STREQ(test, diff.field, "dwords of the vendor state");
	}
}

static const struct {
	size_t offset;
	const char *differs;
} idle[] = {
	{ offsetof(struct nvcf_state, sq_head), "head of the admin submission queue" },
	{ offsetof(struct nvcf_state, sq_tail), "tail of the admin submission queue" },
	{ offsetof(struct nvcf_state, cq_head), "head of the admin completion queue" },
	{ offsetof(struct nvcf_state, cq_tail), "tail of the admin completion queue" },
	{ offsetof(struct nvcf_state, outstanding), "outstanding event requests" },
};

/* One that was never enabled, or is disabled, has neither queues nor sane registers. */
static void a_controller_that_is_not_ready_fits(struct kunit *test)
{
	static u8 buf[NVCF_STATE_LEAST];
	const struct nvs_state_header h = {
		.csattr = NVS_CSUP,
		.nvmecss = { cpu_to_le64(sizeof(struct nvs_state) / 4) },
		.vss = { cpu_to_le64(sizeof(struct nvcf_state) / 4) },
	};
	struct nvcf_state v = {
		.magic = cpu_to_le32(NVCF_STATE_MAGIC),
		.version = cpu_to_le16(NVCF_STATE_VERSION),
		.bytes = cpu_to_le16(sizeof(v)),
		.profile = cpu_to_le32(CRC),
		.asq = cpu_to_le64(0x10000),
		.features = {
			{ .fid = 1 }, { .fid = 2 }, { .fid = 5 }, { .fid = 6 },
			{ .fid = 7, .value = cpu_to_le32(0x30003) }, { .fid = 8 }, { .fid = 10 },
			{ .fid = 11 },
		},
	};
	struct vmig_diff diff;

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(buf) - sizeof(v), &v, sizeof(v));
	KUNIT_EXPECT_EQ_MSG(test, check(buf, sizeof(buf), &diff), 0, "%s", diff.field);
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++) {
		u8 *at = buf + sizeof(buf) - sizeof(v) + idle[i].offset;

		*at = 1;
		KUNIT_EXPECT_EQ(test, check(buf, sizeof(buf), &diff), -EINVAL);
		KUNIT_EXPECT_STREQ(test, diff.field, idle[i].differs);
		*at = 0;
	}
}

/* What the profile does not have is not in the state. */
static void options_of_the_profile_count(struct kunit *test)
{
	static struct nvcf_profile p;
	static struct nvcf_match fn;
	static struct state st;
	struct vmig_diff diff;

	make_profile(&p);
	p.options = cpu_to_le32(NVCF_OPT_ALL & ~(NVCF_OPT_WRITE_CACHE | NVCF_OPT_TIMESTAMP));
	nvcf_match_write(&p, CRC, &fn);
	make_state(&st);
	KUNIT_EXPECT_EQ(test, nvcf_state_check(&fn, &st, sizeof(st), &diff), -EINVAL);
	KUNIT_EXPECT_STREQ(test, diff.field, "feature id");
	memmove(&st.v.features[3], &st.v.features[4], 5 * sizeof(st.v.features[0]));
	KUNIT_EXPECT_EQ(test, nvcf_state_check(&fn, &st, sizeof(st), &diff), 0);
	st.v.flags |= NVCF_STATE_TIMESTAMP;
	KUNIT_EXPECT_EQ(test, nvcf_state_check(&fn, &st, sizeof(st), &diff), -EINVAL);
	KUNIT_EXPECT_STREQ(test, diff.field, "timestamp of a controller that has none");
}

static struct kunit_case nvcf_match_cases[] = {
	KUNIT_CASE(each_byte_of_an_identity_counts),
	KUNIT_CASE(a_disk_may_be_larger_here),
	KUNIT_CASE(texts_are_told_without_what_fills_them),
	KUNIT_CASE(one_that_has_become_another_is_told_apart),
	KUNIT_CASE(what_is_no_profile_is_refused),
	KUNIT_CASE(each_field_of_the_state_is_checked),
	KUNIT_CASE(a_state_has_the_size_that_it_says),
	KUNIT_CASE(parts_of_a_state_have_their_sizes),
	KUNIT_CASE(a_controller_that_is_not_ready_fits),
	KUNIT_CASE(options_of_the_profile_count),
	{}
};

static struct kunit_suite nvcf_match_suite = {
	.name = "nvme_cf_match",
	.test_cases = nvcf_match_cases,
};

kunit_test_suite(nvcf_match_suite);

MODULE_DESCRIPTION("KUnit suite of nvme_cf's streams");
MODULE_LICENSE("GPL");
