// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): tracking of memory, and profiles. */
#include <stddef.h>
#include <stdlib.h>

#include "nvme_host.h"

#define CNTLID		NVCF_CNTLID_FIRST
#define DATA		nvmh_addr(NVMH_DATA)

struct host {
	struct rig *owner;
	struct nvmh m, fn;
};

static void open_host(struct host *h, char **options)
{
	h->owner = rig_open(vu_model_find("nvme_cf"), options);
	nvmh_open_managing(&h->m, h->owner);
	CHECK(nvmh_enable(&h->m));
	nvmh_open(&h->fn, h->owner, 0);
}

/* With a controller that is enabled, and a queue. */
static void open_tracked(struct host *h, const char *option)
{
	char *options[] = { NVMH_PROFILE, "size=4", (char *)(uintptr_t)option, NULL };

	open_host(h, options);
	CHECK(nvmh_enable(&h->fn));
	CHECK_EQ(nvmh_create_pair(&h->fn, 1, 8), 0);
}

static void close_host(struct host *h)
{
	nvmh_close(&h->fn);
	nvmh_close(&h->m);
	rig_close(h->owner);
}

/* ---- tracking ---- */

struct range {
	uint64_t addr;
	uint32_t length;
};

static int start(struct host *h, uint16_t cntlid, uint8_t granule, const struct range *r,
		 uint32_t num)
{
	struct nvs_track_request req = { .rmrtg = granule, .count = num };
	uint8_t *at = h->m.data;

	memcpy(at, &req, sizeof(req));
	for (uint32_t i = 0; i < num && i < 9; i++) {
		struct nvs_track_range d = { .addr = r[i].addr, .length = r[i].length };

		memcpy(at + sizeof(req) + i * sizeof(d), &d, sizeof(d));
	}
	return nvmh_admin(&h->m, NVS_ADMIN_TRACK_SEND, 0, 1 << 16 | NVS_TRACK_MEMORY, cntlid);
}

static int stop(struct host *h)
{
	return nvmh_admin(&h->m, NVS_ADMIN_TRACK_SEND, 0, NVS_TRACK_MEMORY, CNTLID);
}

/* The report is at h->m.data. */
static int receive(struct host *h, uint32_t dwords)
{
	struct nvs_sqe sqe = {
		.opcode = NVS_ADMIN_TRACK_RECEIVE, .cdw11 = CNTLID, .cdw12 = dwords - 1, .prp1 =
			DATA,
	};

	return nvmh_run(&h->m, 0, &sqe);
}

static struct nvs_track_report header(struct host *h)
{
	struct nvs_track_report r;

	memcpy(&r, h->m.data, sizeof(r));
	return r;
}

static bool reported(struct host *h, uint64_t page)
{
	struct nvs_track_report r = header(h);

	for (uint32_t i = 0; i < r.count; i++) {
		struct nvs_track_written d;
		uint64_t bytes;

		memcpy(&d, h->m.data + sizeof(r) + i * sizeof(d), sizeof(d));
		bytes = (uint64_t)d.length << (12 + r.mrtg);
		if (page >= d.addr && page - d.addr < bytes)
			return true;
	}
	return false;
}

static int read_blocks(struct host *h, uint32_t nlb)
{
	return nvmh_rw(&h->fn, 1, NVS_IO_READ, 1, 0, nlb, nlb * 512);
}

/* Every page of the ledger is reported, once. */
static void test_track(void)
{
	static const struct range all = { NVMH_IOVA, NVMH_BYTES / 4096 };
	struct host h;
	const char *line;

	open_tracked(&h, NULL);
	CHECK_EQ(receive(&h, 1024), NVS_SC_INVALID_CNTLID);
	CHECK_EQ(start(&h, CNTLID, 0, &all, 1), 0);
	rig_control(h.fn.r, "ledger clear");
	CHECK_EQ(read_blocks(&h, 64), 0);
	CHECK_EQ(receive(&h, 1024), 0);
	CHECK_EQ(header(&h).cntlid, CNTLID);
	CHECK_EQ(header(&h).mrtg, 0);
	CHECK_EQ(header(&h).attr, 0);
	CHECK_EQ(header(&h).count, 2);	/* the data, and the completion queue */
	line = rig_control(h.fn.r, "ledger");
	for (unsigned int i = 0; i < 9; i++, line = strchr(line, '\n') + 1)
		CHECK(reported(&h, strtoull(line, NULL, 0)));
	CHECK(!strncmp(line, "ok", 2));
	CHECK_EQ(receive(&h, 1024), 0);
	CHECK_EQ(header(&h).count, 0);
	/* No room for all: the rest comes with the next one, and is told of. */
	CHECK_EQ(read_blocks(&h, 8), 0);
	CHECK_EQ(receive(&h, 4), 0);
	CHECK_EQ(header(&h).attr, NVS_TRACK_MORE);
	CHECK_EQ(receive(&h, 8), 0);
	CHECK_EQ(header(&h).attr, NVS_TRACK_MORE);
	CHECK_EQ(header(&h).count, 1);
	CHECK_EQ(receive(&h, 8), 0);
	CHECK_EQ(header(&h).attr, 0);
	CHECK_EQ(header(&h).count, 1);
	CHECK_EQ(receive(&h, 3), NVS_SC_INVALID_FIELD);
	CHECK_EQ(receive(&h, 0), NVS_SC_INVALID_FIELD);		/* 2^32 dwords */
	CHECK_EQ(nvmh_admin(&h.m, NVS_ADMIN_MIGRATION_SEND, 0, 0, NVS_SUSPEND << 16 | CNTLID), 0);
	CHECK_EQ(receive(&h, 8), 0);
	CHECK_EQ(header(&h).attr, NVS_TRACK_SUSPENDED);
	CHECK_EQ(stop(&h), 0);
	CHECK_EQ(stop(&h), 0);
	CHECK_EQ(start(&h, CNTLID, 0, &all, 1), NVS_SC_SUSPENDED);
	close_host(&h);
}

/* A report that does not reach the host is not lost. */
static void test_track_report_fails(void)
{
	static const struct range all = { NVMH_IOVA, NVMH_BYTES / 4096 };
	struct nvs_sqe bad = {
		.opcode = NVS_ADMIN_TRACK_RECEIVE, .cdw11 = CNTLID, .cdw12 = 255, .prp1 = 0x1000,
	};
	struct host h;

	open_tracked(&h, NULL);
	CHECK_EQ(start(&h, CNTLID, 0, &all, 1), 0);
	CHECK_EQ(read_blocks(&h, 8), 0);
	CHECK_EQ(nvmh_run(&h.m, 0, &bad), NVS_SC_DATA_TRANSFER);
	CHECK_EQ(receive(&h, 1024), 0);
	CHECK(reported(&h, DATA));
	/* A reset of the managing controller ends it. */
	nvmh_disable(&h.m);
	CHECK(nvmh_enable(&h.m));
	CHECK_EQ(receive(&h, 1024), NVS_SC_INVALID_CNTLID);
	close_host(&h);
}

static void test_track_granules(void)
{
	const struct range two[] = {
		{ DATA, 1 }, { NVMH_IOVA, 2 },
	};
	struct host h;

	open_tracked(&h, "track_min=2");
	CHECK_EQ(start(&h, CNTLID, 1, two, 2), NVS_SC_INVALID_FIELD);
	CHECK_EQ(start(&h, CNTLID, 2, two, 2), 0);
	CHECK_EQ(read_blocks(&h, 64), 0);	/* 32 KiB, of which 16 are tracked */
	CHECK_EQ(receive(&h, 1024), 0);
	CHECK_EQ(header(&h).mrtg, 2);
	CHECK(reported(&h, DATA));
	CHECK(reported(&h, DATA + 0x3000));
	CHECK(!reported(&h, DATA + 0x4000));
	CHECK(!reported(&h, NVMH_IOVA + NVMH_QUEUE + 0x8000));
	close_host(&h);
}

static void test_track_errors(void)
{
	static const struct range many[9] = { { NVMH_IOVA, 1 } };
	static const struct {
		struct range r[2];
		uint32_t num;
		uint8_t granule;
	} bad[] = {
		{ { { NVMH_IOVA, 0 } }, 1, 0 },
		{ { { NVMH_IOVA + 8, 1 } }, 1, 0 },
		{ { { NVMH_IOVA + 0x1000, 1 } }, 1, 1 },
		{ { { ~0xfffull, 2 } }, 1, 0 },
		{ { { NVMH_IOVA, 4 }, { NVMH_IOVA + 0x3000, 1 } }, 2, 0 },
		{ { { NVMH_IOVA, 3 } }, 1, 10 },
		{ { { NVMH_IOVA, 1 } }, 0, 0 },
	};
	struct host h;

	open_tracked(&h, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(start(&h, CNTLID, bad[i].granule, bad[i].r, bad[i].num),
			 NVS_SC_INVALID_FIELD);
	CHECK_EQ(start(&h, CNTLID, 0, many, 9), NVS_SC_INVALID_FIELD);
	CHECK_EQ(start(&h, CNTLID, 0, many, 0xffffffff), NVS_SC_INVALID_FIELD);
	CHECK_EQ(start(&h, NVCF_CNTLID_MANAGING, 0, many, 1), NVS_SC_INVALID_CNTLID);
	CHECK_EQ(start(&h, 99, 0, many, 1), NVS_SC_INVALID_CNTLID);
	CHECK_EQ(start(&h, CNTLID, 0, many, 1), 0);
	CHECK_EQ(start(&h, CNTLID, 0, many, 1), NVS_SC_INVALID_CNTLID);	/* already */
	/* User data, which nobody here logs. */
	CHECK_EQ(nvmh_admin(&h.m, NVS_ADMIN_TRACK_SEND, 0, NVS_TRACK_USER_DATA, CNTLID),
		 NVS_SC_INVALID_FIELD);
	close_host(&h);
}

static void test_track_resources(void)
{
	static const struct range big = { 0, 1024 }, odd = { 0, 3 }, huge = { 0, 1u << 18 };
	static const struct range across[] = { { 0x3000, 512 }, { 0x203000, 2 } };
	static char *options[] = {
		NVMH_PROFILE, "size=4", "functions=2", "track_pages=256", "all_ranges=12",
		"track_power=1", NULL
	};
	static const struct range eight[] = {
		{ 0x00000, 1 }, { 0x10000, 1 }, { 0x20000, 1 }, { 0x30000, 1 },
		{ 0x40000, 1 }, { 0x50000, 1 }, { 0x60000, 1 }, { 0x70000, 1 },
	};
	struct host h;

	open_host(&h, options);
	CHECK_EQ(nvmh_identify(&h.m, NVS_CNS_CONTROLLER, 0, 0), 0);
	CHECK_EQ(h.m.data[NVS_ID_CMMRTD], 8);
	CHECK_EQ(h.m.data[NVS_ID_TRATTR], NVS_TRATTR_MEMORY | NVS_TRATTR_POWER_OF_TWO);
	CHECK_EQ(start(&h, CNTLID, 0, &odd, 1), NVS_SC_INVALID_FIELD);
	CHECK_EQ(start(&h, CNTLID, 0, &big, 1), NVS_SC_NOT_ENOUGH_RESOURCES);
	CHECK_EQ(h.m.cqe.dw0, 2);
	CHECK_EQ(h.m.cqe.dw1, 8);
	/* Granules that lie across: three of 16 KiB for 9 pages. */
	CHECK_EQ(start(&h, CNTLID, 0, across, 2), NVS_SC_NOT_ENOUGH_RESOURCES);
	CHECK_EQ(h.m.cqe.dw0, 2);
	/* What fits at no granule is not to be tried again. */
	CHECK_EQ(start(&h, CNTLID, 0, &huge, 1), NVS_SC_INVALID_FIELD);
	CHECK_EQ(start(&h, CNTLID, 0, eight, 8), 0);
	CHECK_EQ(start(&h, CNTLID + 1, 0, eight, 5), NVS_SC_NOT_ENOUGH_RESOURCES);
	CHECK_EQ(h.m.cqe.dw1, 4);
	CHECK_EQ(stop(&h), 0);
	CHECK_EQ(start(&h, CNTLID + 1, 0, eight, 1), 0);
	close_host(&h);
}

/* ---- profiles ---- */

static int give(struct host *h, const struct nvcf_profile *p)
{
	memcpy(h->m.data, p, sizeof(*p));
	return nvmh_admin(&h->m, NVCF_ADMIN_PROFILE_SEND, 0, NVCF_PROFILE_GIVE, CNTLID);
}

static int take_away(struct host *h)
{
	return nvmh_admin(&h->m, NVCF_ADMIN_PROFILE_SEND, 0, NVCF_PROFILE_REMOVE, CNTLID);
}

static struct nvcf_profile valid_profile(void)
{
	struct nvcf_profile p = {
		.magic = NVCF_PROFILE_MAGIC, .version = NVCF_PROFILE_VERSION, .cntlid = 77,
		.vid = 0x1234, .ssvid = 0x5678, .ieee = { 1, 2, 3 }, .mdts = 3, .queues = 2,
		.entries = 64, .options = NVCF_OPT_ALL & ~NVCF_OPT_COMPARE,
		.subnqn = "nqn.2022-12.org.example:guest",
		.ns = { { .nsid = 2, .disk = 1, .eui64 = { 9 } } },
	};

	memset(p.sn, 'S', sizeof(p.sn));
	memset(p.mn, 'M', sizeof(p.mn));
	memset(p.fr, 'F', sizeof(p.fr));
	return p;
}

static void test_profile(void)
{
	static char *options[] = { "size=4", NULL };
	struct nvcf_profile p = valid_profile(), seen;
	struct nvs_id_ctrl *id;
	struct host h;

	open_host(&h, options);
	id = (struct nvs_id_ctrl *)h.fn.data;
	CHECK_EQ(nvmh_admin(&h.m, NVCF_ADMIN_PROFILE_RECEIVE, 0, 0, CNTLID), 0);
	CHECK_EQ(h.m.cqe.dw0, 0);
	CHECK_EQ(take_away(&h), NVS_SC_COMMAND_SEQUENCE);
	CHECK_EQ(give(&h, &p), 0);
	CHECK_EQ(give(&h, &p), NVS_SC_COMMAND_SEQUENCE);
	CHECK_EQ(nvmh_admin(&h.m, NVCF_ADMIN_PROFILE_RECEIVE, 0, 0, CNTLID), 0);
	CHECK_EQ(h.m.cqe.dw0, NVCF_PROFILE_GIVEN);
	memcpy(&seen, h.m.data, sizeof(seen));
	CHECK_EQ(seen.disks[0].blocks, 8192);
	CHECK_EQ(seen.disks[0].block_bytes, 512);
	CHECK_EQ(seen.disks[0].flags, 0);
	CHECK_EQ(seen.disks[1].block_bytes, 0);
	memset(seen.disks, 0, sizeof(seen.disks));
	CHECK(!memcmp(&seen, &p, sizeof(p)));
	CHECK_EQ(nvmh_read64(&h.fn, NVS_REG_CAP) & 0xffff, 63);
	CHECK(nvmh_enable(&h.fn));
	CHECK_EQ(take_away(&h), NVS_SC_COMMAND_SEQUENCE);	/* it has a user */
	CHECK_EQ(nvmh_identify(&h.fn, NVS_CNS_CONTROLLER, 0, 0), 0);
	CHECK_EQ(id->cntlid, 77);
	CHECK_EQ(id->vid, 0x1234);
	CHECK_EQ(id->ssvid, 0x5678);
	CHECK_EQ(id->mdts, 3);
	CHECK_EQ(id->sn[19], 'S');
	CHECK_EQ(id->fr[7], 'F');
	CHECK(!(id->oncs & NVS_ONCS_COMPARE));
	CHECK_EQ(nvmh_create_pair(&h.fn, 1, 8), 0);
	CHECK_EQ(nvmh_rw(&h.fn, 1, NVS_IO_READ, 2, 0, 1, 512), 0);
	CHECK_EQ(nvmh_rw(&h.fn, 1, NVS_IO_READ, 1, 0, 1, 512), NVS_SC_INVALID_NAMESPACE);
	CHECK_EQ(nvmh_rw(&h.fn, 1, NVS_IO_COMPARE, 2, 0, 1, 512), NVS_SC_INVALID_OPCODE);
	CHECK_EQ(nvmh_rw(&h.fn, 1, NVS_IO_READ, 2, 0, 65, 512), NVS_SC_INVALID_FIELD);
	nvmh_disable(&h.fn);
	CHECK_EQ(take_away(&h), 0);
	CHECK(!nvmh_enable(&h.fn));
	close_host(&h);
}

static void test_bad_profiles(void)
{
	static const struct {
		uint32_t off, bytes;
		uint64_t val;
	} bad[] = {
		{ offsetof(struct nvcf_profile, magic), 4, 0 },
		{ offsetof(struct nvcf_profile, version), 2, 2 },
		{ offsetof(struct nvcf_profile, cntlid), 2, 0xffff },
		{ offsetof(struct nvcf_profile, mdts), 1, 0 },
		{ offsetof(struct nvcf_profile, mdts), 1, 8 },
		{ offsetof(struct nvcf_profile, queues), 2, 0 },
		{ offsetof(struct nvcf_profile, queues), 2, 65 },
		{ offsetof(struct nvcf_profile, entries), 2, 1 },
		{ offsetof(struct nvcf_profile, entries), 2, 1025 },
		{ offsetof(struct nvcf_profile, options), 4, 0x80 },
		{ offsetof(struct nvcf_profile, sn), 1, 0 },
		{ offsetof(struct nvcf_profile, mn) + 39, 1, 0x7f },
		{ offsetof(struct nvcf_profile, fr), 1, '\n' },
		{ offsetof(struct nvcf_profile, subnqn), 1, 'x' },
		{ offsetof(struct nvcf_profile, subnqn) + 4, 1, 0 },
		{ offsetof(struct nvcf_profile, subnqn) + 255, 1, 'x' },
		{ offsetof(struct nvcf_profile, ns), 4, 5 },
		{ offsetof(struct nvcf_profile, ns) + 4, 4, 0 },
		{ offsetof(struct nvcf_profile, ns) + 4, 4, 2 },
		{ offsetof(struct nvcf_profile, ns) + sizeof(struct nvcf_profile_ns), 4, 2 },
		{ offsetof(struct nvcf_profile, ns) + 2 * sizeof(struct nvcf_profile_ns), 4, 3 },
		{ offsetof(struct nvcf_profile, reserved540), 1, 1 },
		{ sizeof(struct nvcf_profile) - 1, 1, 1 },
	};
	static char *options[] = { "size=4", NULL };
	struct host h;

	open_host(&h, options);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct nvcf_profile p = valid_profile();

		memcpy((uint8_t *)&p + bad[i].off, &bad[i].val, bad[i].bytes);
		if (give(&h, &p) != NVS_SC_INVALID_FIELD)
			CHECK_EQ(i, -1);
	}
	CHECK_EQ(nvmh_admin(&h.m, NVCF_ADMIN_PROFILE_SEND, 0, 2, CNTLID), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_admin(&h.m, NVCF_ADMIN_PROFILE_SEND, 0, 0, 99), NVS_SC_INVALID_CNTLID);
	CHECK_EQ(nvmh_admin(&h.m, NVCF_ADMIN_PROFILE_RECEIVE, 0, 0, 1), NVS_SC_INVALID_CNTLID);
	close_host(&h);
}

static void test_claims(void)
{
	struct nvcf_profile p = valid_profile(), seen;
	struct host h;

	open_host(&h, NULL);
	CHECK_EQ(give(&h, &p), 0);
	CHECK(!strcmp(rig_control(h.fn.r, "claim queues 3"), "ok\n"));
	CHECK(!strcmp(rig_control(h.fn.r, "claim mdts 0"), "ok\n"));
	CHECK(strstr(rig_control(h.fn.r, "claim mdts 256"), "err"));
	CHECK(strstr(rig_control(h.fn.r, "claim nothing 1"), "err"));
	CHECK(strstr(rig_control(h.m.r, "claim queues 1"), "err"));
	CHECK_EQ(nvmh_admin(&h.m, NVCF_ADMIN_PROFILE_RECEIVE, 0, 0, CNTLID), 0);
	memcpy(&seen, h.m.data, sizeof(seen));
	CHECK_EQ(le16toh(seen.queues), 3);
	CHECK_EQ(seen.mdts, 0);
	CHECK(!strcmp(rig_control(h.fn.r, "claim clear"), "ok\n"));
	CHECK_EQ(nvmh_admin(&h.m, NVCF_ADMIN_PROFILE_RECEIVE, 0, 0, CNTLID), 0);
	memcpy(&seen, h.m.data, sizeof(seen));
	CHECK_EQ(seen.queues, p.queues);
	CHECK_EQ(seen.mdts, p.mdts);
	close_host(&h);
}

static void test_managing_claims(void)
{
	static const struct {
		const char *claim;
		uint8_t cns;
		uint32_t at;
		uint16_t val;
	} lies[] = {
		{ "claim oacs 0x1234", NVS_CNS_CONTROLLER, offsetof(struct nvs_id_ctrl, oacs), 0x1234 },
		{ "claim ranges 0", NVS_CNS_CONTROLLER, NVS_ID_CMMRTD, 0 },
		{ "claim formats 255", NVS_CNS_STATE_FORMATS, 0, 0xff01 },
		{ "claim secondaries 128", NVS_CNS_SECONDARIES, 0, 128 },
		{ "claim secondary 1", NVS_CNS_SECONDARIES, 32, 1 },
	};
	uint8_t truth[NVS_IDENTIFY_BYTES], id[NVS_IDENTIFY_BYTES];
	struct host h;

	open_host(&h, NULL);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		CHECK_EQ(nvmh_identify(&h.m, lies[i].cns, 0, 0), 0);
		memcpy(truth, h.m.data, sizeof(truth));
		CHECK(!strcmp(rig_control(h.m.r, lies[i].claim), "ok\n"));
		CHECK_EQ(nvmh_identify(&h.m, lies[i].cns, 0, 0), 0);
		memcpy(id, h.m.data, sizeof(id));
		CHECK_EQ(id[lies[i].at] | id[lies[i].at + 1] << 8, lies[i].val);
		/* All others are true. */
		memcpy(id + lies[i].at, truth + lies[i].at, 2);
		CHECK(!memcmp(id, truth, sizeof(id)));
		CHECK(!strcmp(rig_control(h.m.r, "claim clear"), "ok\n"));
	}
	/* The others have no such thing. */
	CHECK(strstr(rig_control(h.fn.r, "claim oacs 0"), "err"));
	close_host(&h);
}

static const struct test tests[] = {
	{ "nvme_cf: track memory", test_track },
	{ "nvme_cf: a report that does not arrive", test_track_report_fails },
	{ "nvme_cf: granules of tracking", test_track_granules },
	{ "nvme_cf: illegal ranges", test_track_errors },
	{ "nvme_cf: resources of tracking", test_track_resources },
	{ "nvme_cf: profiles", test_profile },
	{ "nvme_cf: illegal profiles", test_bad_profiles },
	{ "nvme_cf: profiles that lie", test_claims },
	{ "nvme_cf: a managing controller that lies", test_managing_claims },
	{ NULL, NULL },
};
TEST_SUITE(tests);
