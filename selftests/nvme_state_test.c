// SPDX-License-Identifier: GPL-2.0
/*
 * State of an nvme_cf controller that no controller can have given: each field of the standard
 * and of the vendor specific part beyond its edges, in a stream whose checksums are right.
 * Each is refused, with one line in the kernel's log that names what is wrong; what is at the
 * edge is taken.
 *
 * Groups: nvme-cf
 */
#include "lib/nvmepair.h"
#include "lib/nvmestate.h"
#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define QUEUES		2
#define ENTRIES		16
#define WHOLE		~0ULL

/**
 * struct edge - A field with another value
 * @what: For the log.
 * @part: Where it is, with @off and @bytes.
 * @keep: Bits that stay.
 * @val: Bits that are set.
 * @says: Part of the line in the log; NULL: it is taken.
 */
struct edge {
	const char *what;
	enum nvme_part part;
	size_t off;
	unsigned int bytes;
	uint64_t keep, val;
	const char *says;
};

#define FIELD(part, type, field) part, offsetof(type, field), sizeof(((type *)0)->field)
#define HEADER(field)	FIELD(NVME_HEADER, struct nvs_state_header, field)
#define HEAD(field)	FIELD(NVME_QUEUE_HEAD, struct nvs_state, field)
#define SQ(field)	FIELD(NVME_SQ, struct nvs_state_sq, field)
#define SQ2(field)	FIELD(NVME_SQ2, struct nvs_state_sq, field)
#define CQ(field)	FIELD(NVME_CQ, struct nvs_state_cq, field)
#define CQ2(field)	FIELD(NVME_CQ2, struct nvs_state_cq, field)
#define VENDOR(field)	FIELD(NVME_VENDOR, struct nvcf_state, field)
#define SET(val)	0, val
#define OR(val)		WHOLE, val

static const struct edge edges[] = {
	{ "HEADER.VER 1", HEADER(ver), SET(1), "version of the container" },
	{ "not suspended", HEADER(csattr), SET(0), "suspension throughout" },
	{ "CSATTR bit 1", HEADER(csattr), SET(3), "suspension throughout" },
	{ "HEADER reserved", HEADER(reserved3[12]), SET(1), "reserved bytes of the container" },
	{ "NVMECSS 0", HEADER(nvmecss[0]), SET(0), "size of the state" },
	{ "NVMECSS + 1", HEADER(nvmecss[0]), OR(1ULL << 12), "size of the state" },
	{ "NVMECSS high", HEADER(nvmecss[0]), OR(1ULL << 62), "dwords of the standard state" },
	{ "NVMECSS 128 bits", HEADER(nvmecss[1]), SET(1), "dwords of the standard state" },
	{ "VSS 0", HEADER(vss[0]), SET(0), "size of the state" },
	{ "VSS high", HEADER(vss[0]), OR(1ULL << 62), "dwords of the vendor state" },
	{ "VSS 128 bits", HEADER(vss[1]), SET(1), "dwords of the vendor state" },

	{ "NVMECS.VER 1", HEAD(ver), SET(1), "version of the standard state" },
	{ "NIOSQ 0", HEAD(niosq), SET(0), "size of the standard state" },
	{ "NIOSQ 3", HEAD(niosq), SET(3), "size of the standard state" },
	{ "NIOSQ 65", HEAD(niosq), SET(65), "number of submission queues" },
	{ "NIOCQ 1", HEAD(niocq), SET(1), "size of the standard state" },
	{ "NIOCQ 65535", HEAD(niocq), SET(0xffff), "number of completion queues" },
	{ "NVMECS reserved", HEAD(reserved6), SET(1), "reserved bytes of the standard state" },

	{ "SQ not contiguous", SQ(attr), SET(0), "submission queue contiguity" },
	{ "SQ attributes", SQ(attr), OR(8), "submission queue attributes" },
	{ "SQ address", SQ(prp1), OR(4), "submission queue address" },
	{ "SQ in the middle of a page", SQ(prp1), OR(2048), "submission queue address" },
	{ "SQ of 1 entry", SQ(qsize), SET(0), "submission queue entries" },
	{ "SQ of 1025 entries", SQ(qsize), SET(1024), "submission queue entries" },
	{ "SQ of 1024 entries", SQ(qsize), SET(1023), NULL },
	{ "SQ 0", SQ(qid), SET(0), "submission queue id" },
	{ "SQ 65", SQ2(qid), SET(65), "submission queue id" },
	{ "SQ 64", SQ2(qid), SET(64), NULL },
	{ "SQ twice", SQ2(qid), SET(1), "submission queue id" },
	{ "SQ head", SQ(head), SET(ENTRIES), "submission queue head" },
	{ "SQ tail", SQ(tail), SET(ENTRIES), "submission queue tail" },
	{ "SQ last head", SQ(head), SET(ENTRIES - 1), NULL },
	{ "CQ of SQ 0", SQ(cqid), SET(0), "completion queue of a submission queue" },
	{ "CQ of SQ not there", SQ(cqid), SET(3), "completion queue of a submission queue" },
	{ "CQ of SQ 65535", SQ(cqid), SET(0xffff), "completion queue of a submission queue" },
	{ "CQ of both", SQ2(cqid), SET(1), NULL },
	{ "SQ reserved", SQ(reserved20[3]), SET(1), "submission queue reserved bytes" },

	{ "CQ not contiguous", CQ(attr), SET(0), "completion queue contiguity" },
	{ "CQ attributes", CQ(attr), OR(8), "completion queue attributes" },
	{ "CQ vector 65", CQ(attr), SET(65 << 16 | 1), "completion queue vector" },
	{ "CQ vector 64", CQ(attr), SET(64 << 16 | 1), NULL },
	{ "CQ address", CQ(prp1), OR(8), "completion queue address" },
	{ "CQ of 1 entry", CQ(qsize), SET(0), "completion queue entries" },
	{ "CQ of 65536 entries", CQ(qsize), SET(0xffff), "completion queue entries" },
	{ "CQ 0", CQ(qid), SET(0), "completion queue id" },
	{ "CQ descends", CQ(qid), SET(5), "completion queue id" },
	{ "CQ 65", CQ2(qid), SET(65), "completion queue id" },
	{ "CQ head", CQ(head), SET(ENTRIES), "completion queue head" },
	{ "CQ tail", CQ(tail), SET(0xffff), "completion queue tail" },
	{ "CQ reserved", CQ(reserved20[0]), SET(1), "completion queue reserved bytes" },

	{ "magic", VENDOR(magic), SET(1), "magic of the vendor state" },
	{ "version", VENDOR(version), SET(2), "version of the vendor state" },
	{ "bytes", VENDOR(bytes), SET(508), "length of the vendor state" },
	{ "profile", VENDOR(profile), SET(1), "profile of the state" },
	{ "CC unknown", VENDOR(cc), OR(1u << 31), "unknown bits of CC" },
	{ "CC.EN 0", VENDOR(cc), ~1ULL, 0, "CC.EN of a controller that is ready" },
	{ "CC.MPS 5", VENDOR(cc), ~0x780ULL, 5 << 7, "page size (CC.MPS)" },
	{ "CC.AMS 1", VENDOR(cc), OR(1 << 11), "arbitration (CC.AMS)" },
	{ "CC.CSS 7", VENDOR(cc), OR(7 << 4), "command set (CC.CSS)" },
	{ "CSTS unknown", VENDOR(csts), OR(0x20), "unknown bits of CSTS" },
	{ "CSTS.SHST 3", VENDOR(csts), OR(0xc), "CSTS.SHST" },
	{ "not ready, with queues", VENDOR(csts), ~1ULL, 0, "number of submission queues" },
	{ "AQA unknown", VENDOR(aqa), OR(1 << 12), "unknown bits of AQA" },
	{ "AQA of 1 entry", VENDOR(aqa), ~0xfffULL, 0, "entries of the admin submission queue" },
	{ "AQA of 1 completion", VENDOR(aqa), 0xfff, 0, "entries of the admin completion queue" },
	{ "ASQ", VENDOR(asq), OR(0x800), "low bits of ASQ" },
	{ "ACQ", VENDOR(acq), OR(1), "low bits of ACQ" },
	{ "admin SQ head", VENDOR(sq_head), SET(NVME_ADMIN_ENTRIES),
	  "head of the admin submission queue" },
	{ "admin SQ tail", VENDOR(sq_tail), SET(0xffff), "tail of the admin submission queue" },
	{ "admin CQ head", VENDOR(cq_head), SET(NVME_ADMIN_ENTRIES),
	  "head of the admin completion queue" },
	{ "admin CQ tail", VENDOR(cq_tail), SET(NVME_ADMIN_ENTRIES),
	  "tail of the admin completion queue" },
	{ "flags", VENDOR(flags), OR(4), "flags of the vendor state" },
	{ "5 event requests", VENDOR(outstanding), SET(5), "outstanding event requests" },
	{ "id of none", VENDOR(outstanding), SET(0), "id of an event request" },
	{ "another id", VENDOR(aer[1]), SET(0x1234), NULL },
	{ "masked", VENDOR(masked), SET(8), "masked event types" },
	{ "reserved", VENDOR(reserved), SET(1), "reserved bytes of the vendor state" },
	{ "pending error", VENDOR(pending[0]), SET(0x80), "pending events" },
	{ "pending health", VENDOR(pending[1]), SET(1), "pending events" },
	{ "pending notice", VENDOR(pending[2]), SET(0x80000000), "pending events" },
	{ "changed namespaces", VENDOR(changed_ns), SET(0x10), "changed namespaces" },
	{ "features descend", VENDOR(features[1].fid), SET(1), "feature id" },
	{ "feature behind the end", VENDOR(features[15].fid), SET(0x81), "feature id" },
	{ "feature reserved", VENDOR(features[0].reserved[2]), SET(1),
	  "reserved bytes of a feature" },
	{ "reserved2", VENDOR(reserved2[255]), SET(1), "reserved bytes of the vendor state" },

	{ "feature that there is not", VENDOR(features[0].fid), SET(0), "feature id" },
	{ "another feature", VENDOR(features[3].fid), SET(NVS_FEAT_TEMPERATURE), "feature id" },
	{ "feature missing at the end", VENDOR(features[7].fid), SET(0), "feature id" },
	{ "Arbitration", VENDOR(features[0].value), SET(0xf8), "value of Arbitration" },
	{ "Arbitration, all bits", VENDOR(features[0].value), SET(0xffffff07), NULL },
	{ "Power Management", VENDOR(features[1].value), SET(NVCF_POWER_STATES),
	  "value of Power Management" },
	{ "last power state", VENDOR(features[1].value), SET(NVCF_POWER_STATES - 1), NULL },
	{ "Error Recovery", VENDOR(features[2].value), OR(0x10000), "value of Error Recovery" },
	{ "Volatile Write Cache", VENDOR(features[3].value), SET(2),
	  "value of Volatile Write Cache" },
	{ "65 queues", VENDOR(features[4].value), SET(0x400040), "value of Number of Queues" },
	{ "64 and 63 queues", VENDOR(features[4].value), SET(0x3f003e),
	  "value of Number of Queues" },
	{ "queues beyond it", VENDOR(features[4].value), SET(0), "number of submission queues" },
	{ "no queue to spare", VENDOR(features[4].value), SET(0x10001), NULL },
	{ "Interrupt Coalescing", VENDOR(features[5].value), OR(1U << 31),
	  "value of Interrupt Coalescing" },
	{ "Write Atomicity", VENDOR(features[6].value), SET(2), "value of Write Atomicity" },
	{ "Asynchronous Event", VENDOR(features[7].value), OR(0x200),
	  "value of Asynchronous Event Configuration" },
	{ "coalescing of vector 64", VENDOR(no_coalescing[8]), SET(1), NULL },
	{ "coalescing of vector 65", VENDOR(no_coalescing[8]), SET(2),
	  "coalescing of vectors that do not exist" },
	{ "coalescing of vector 127", VENDOR(no_coalescing[15]), SET(0x80),
	  "coalescing of vectors that do not exist" },
	{ "last timestamp", VENDOR(timestamp), SET((1ULL << 48) - 1), NULL },
	{ "timestamp", VENDOR(timestamp), SET(1ULL << 48), "timestamp" },
};

FIXTURE(nvme_state)
{
	struct nvme_pair p;
	int log;
};

FIXTURE_SETUP(nvme_state)
{
	int err = nvme_pair_open(&self->p, any_mode());
	struct nvme *n = &self->p.n;

	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
	for (unsigned int q = 1; q <= QUEUES; q++)
		ASSERT_EQ(0, nvme_queue_create(n, q, ENTRIES, -1));
	for (unsigned int i = 0; i < 2; i++)
		ASSERT_LE(0, nvme_event_request(n));
	ASSERT_EQ(0, nvme_identify(n, NVS_CNS_CONTROLLER, 0));
	ASSERT_EQ(0, nvme_pair_leave(&self->p, true));
	self->log = log_mark();
	ASSERT_GE(self->log, 0);
}

FIXTURE_TEARDOWN(nvme_state)
{
	close(self->log);
	nvme_pair_close(&self->p);
}

/* How the destination takes the stream; it runs again afterwards. */
static int take(struct nvme_pair *p, const struct stream *s)
{
	struct vdev *v = &p->v[1];
	struct blob b = {};
	int err = stream_join(s, &b);

	err = err ? err : mig_load(v, &b, STOP);
	blob_free(&b);
	/* What was refused by write() is not loaded. */
	if (err && mig_get(v) == RESUMING && !mig_set(v, STOP, NULL))
		return -EUCLEAN;
	if (mig_get(v) != (err ? ERROR : STOP)) {
		fprintf(stderr, "# %d, but in state %d\n", err, mig_get(v));
		return -EUCLEAN;
	}
	return vdev_reset(v) ? -EUCLEAN : err;
}

static void check(struct __test_metadata *_metadata, struct nvme_pair *p, int log,
		  const struct edge *e)
{
	struct vpv_stream_end end;
	char line[512] = "";
	struct stream s;
	int err, lines;

	ASSERT_EQ(0, stream_split(&s, &p->blob));
	memset(scratch, 0, sizeof(scratch));
	nvme_state_change(&s, e->part, e->off, e->bytes, e->keep, e->val);
	stream_seal(&s, &end);
	/* The kernel prints ten such lines in five seconds. */
	if (e->says)
		usleep(600000);
	err = take(p, &s);
	lines = log_count(log, "refused: ", line, sizeof(line));
	EXPECT_EQ(e->says ? 1 : 0, lines) {
		TH_LOG("%s: %d, %d lines: %s", e->what, err, lines, line);
	}
	if (!e->says) {
		EXPECT_EQ(0, err) {
			TH_LOG("%s: %s", e->what, line);
		}
		return;
	}
	EXPECT_TRUE(err == -EINVAL || err == -EFBIG) {
		TH_LOG("%s: %d", e->what, err);
	}
	EXPECT_TRUE(strstr(line, e->says)) {
		TH_LOG("%s: %s", e->what, line);
	}
}

TEST_F_TIMEOUT(nvme_state, every_field_beyond_its_edges, 300)
{
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		check(_metadata, &self->p, self->log, &edges[i]);
	/* What was not changed is taken, and goes on. */
	ASSERT_EQ(0, nvme_pair_enter(&self->p));
	ASSERT_EQ(0, mig_set(&self->p.v[1], RUNNING, NULL));
	nvme_batch_put(&self->p.n, 2, NVS_IO_WRITE, 0, 8, 0);
	ASSERT_EQ(0, nvme_ring(&self->p.n, 2));
	EXPECT_EQ(0, nvme_batch_take(&self->p.n, 2, 8));
	EXPECT_EQ(0, nvme_batch_check(&self->p.n, 2, 0, 8, 0));
	EXPECT_EQ(0, nvme_identify(&self->p.n, NVS_CNS_CONTROLLER, 0));
}

TEST_F(nvme_state, wrong_checksum)
{
	struct vpv_stream_end end;
	char line[512] = "";
	struct stream s;

	ASSERT_EQ(0, stream_split(&s, &self->p.blob));
	memset(scratch, 0, sizeof(scratch));
	nvme_state_copy(&s)[nvme_part_at(&s, NVME_VENDOR) + offsetof(struct nvcf_state, crc)] ^= 1;
	stream_seal(&s, &end);
	EXPECT_EQ(-EINVAL, take(&self->p, &s));
	EXPECT_EQ(1, log_count(self->log, "checksum of the vendor state", line, sizeof(line)));
}

TEST_F(nvme_state, cut_and_prolonged)
{
	static const int by[] = { -512, -24, -4, -1, 1, 4, 512 };

	for (size_t i = 0; i < ARRAY_SIZE(by); i++) {
		struct vpv_stream_end end;
		struct stream s;

		ASSERT_EQ(0, stream_split(&s, &self->p.blob));
		memset(scratch, 0, sizeof(scratch));
		nvme_state_copy(&s);
		s.rec[REC_FAMILY].bytes += by[i];
		stream_seal(&s, &end);
		EXPECT_EQ(-EINVAL, take(&self->p, &s)) {
			TH_LOG("%d bytes", by[i]);
		}
		EXPECT_EQ(1, log_count(self->log, "refused: ", NULL, 0)) {
			TH_LOG("%d bytes", by[i]);
		}
	}
}

TEST_HARNESS_MAIN
