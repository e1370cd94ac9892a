// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): suspend, state, resume, between two subsystems. */
#include <linux/pci_regs.h>
#include <stddef.h>
#include <stdlib.h>
#include <zlib.h>

#include "nvme_host.h"

#define CNTLID		NVCF_CNTLID_FIRST
#define STATE_BYTES	4096u
#define DATA		nvmh_addr(NVMH_DATA)

/* A host: its managing controller, and the controller of the guest. */
struct host {
	struct rig *owner;
	struct nvmh m, fn;
	char disk[80];
};

/* Two hosts, one guest, one disk. */
struct pair {
	struct host a, b;
	char path[64];
	int fd;
};

static void open_host(struct host *h, const char *path, const char *option,
		      const struct nvmh *share)
{
	char *options[] = { NVMH_PROFILE, h->disk, (char *)(uintptr_t)option, NULL };

	snprintf(h->disk, sizeof(h->disk), "disk1=%s", path);
	h->owner = rig_open(vu_model_find("nvme_cf"), options);
	nvmh_open_managing(&h->m, h->owner);
	CHECK(nvmh_enable(&h->m));
	nvmh_open_shared(&h->fn, h->owner, 0, share);
}

static void close_host(struct host *h)
{
	nvmh_close(&h->fn);
	nvmh_close(&h->m);
	rig_close(h->owner);
}

static void open_pair(struct pair *p, const char *option)
{
	snprintf(p->path, sizeof(p->path), "/tmp/nvme_cf.XXXXXX");
	p->fd = mkstemp(p->path);
	if (p->fd < 0 || ftruncate(p->fd, 4 << 20))
		abort();
	open_host(&p->a, p->path, NULL, NULL);
	CHECK(nvmh_enable(&p->a.fn));
	CHECK_EQ(nvmh_create_pair(&p->a.fn, 1, 8), 0);
	open_host(&p->b, p->path, option, &p->a.fn);
}

static void close_pair(struct pair *p)
{
	close_host(&p->b);
	close_host(&p->a);
	close(p->fd);
	unlink(p->path);
}

/* ---- commands of the managing controller ---- */

static int send_op(struct host *h, uint32_t sel, uint32_t cdw11)
{
	return nvmh_admin(&h->m, NVS_ADMIN_MIGRATION_SEND, 0, sel, cdw11);
}

static int suspend(struct host *h)
{
	return send_op(h, NVS_SEND_SUSPEND, NVS_SUSPEND << 16 | CNTLID);
}

static int resume(struct host *h)
{
	return send_op(h, NVS_SEND_RESUME, CNTLID);
}

/* @cdw11: CSUUIDI and CNTLID where Get State has them */
static int get_part(struct host *h, uint32_t csvi, uint32_t cdw11, uint64_t off, uint32_t dwords)
{
	struct nvs_sqe sqe = {
		.opcode = NVS_ADMIN_MIGRATION_RECEIVE, .cdw10 = csvi << 16, .cdw11 = cdw11,
		.cdw12 = (uint32_t)off, .cdw13 = (uint32_t)(off >> 32), .cdw15 = dwords - 1,
		.prp1 = DATA, .prp2 = nvmh_addr(NVMH_DATA + 4096),
	};

	return nvmh_run(&h->m, 0, &sqe);
}

static uint32_t state_bytes(const uint8_t *state)
{
	struct nvs_state_header h;

	memcpy(&h, state, sizeof(h));
	return (uint32_t)(sizeof(h) + (h.nvmecss[0] + h.vss[0]) * 4);
}

/* All of it, as a driver reads it: the header, and then the rest. */
static uint32_t get_state(struct host *h, uint8_t *out)
{
	uint32_t bytes;

	CHECK_EQ(get_part(h, 1, 1 << 16 | CNTLID, 0, 12), 0);
	CHECK_EQ(h->m.cqe.dw0, NVS_CSUP);
	memcpy(out, h->m.data, 48);
	bytes = state_bytes(out);
	CHECK(bytes > 48 && bytes <= STATE_BYTES);
	CHECK_EQ(get_part(h, 1, 1 << 16 | CNTLID, 48, (bytes - 48) / 4), 0);
	memcpy(out + 48, h->m.data, bytes - 48);
	return bytes;
}

static int set_part(struct host *h, uint32_t seq, uint32_t indices, uint64_t off, const uint8_t *in,
		    uint32_t bytes)
{
	struct nvs_sqe sqe = {
		.opcode = NVS_ADMIN_MIGRATION_SEND, .cdw10 = seq << 16 | NVS_SEND_SET_STATE,
		.cdw11 = indices << 16 | CNTLID, .cdw12 = (uint32_t)off,
		.cdw13 = (uint32_t)(off >> 32), .cdw15 = bytes / 4,
		.prp1 = DATA, .prp2 = nvmh_addr(NVMH_DATA + 4096),
	};

	memcpy(h->m.data, in, bytes);
	return nvmh_run(&h->m, 0, &sqe);
}

static int set_state(struct host *h, const uint8_t *in, uint32_t bytes)
{
	return set_part(h, NVS_SEQ_ONLY, 0x101, 0, in, bytes);
}

/* The guest goes on elsewhere: its driver's view comes along. */
static void move(struct host *from, struct host *to)
{
	uint16_t flr = PCI_EXP_DEVCTL_BCR_FLR, on = PCI_MSIX_FLAGS_ENABLE;
	uint8_t state[STATE_BYTES];
	uint32_t bytes;

	CHECK_EQ(suspend(from), 0);
	bytes = get_state(from, state);
	CHECK_EQ(rig_write(to->fn.r, VFIO_PCI_CONFIG_REGION_INDEX,
			   to->fn.r->dev->cfg.pcie + PCI_EXP_DEVCTL, &flr, 2), 0);
	rig_enable(to->fn.r);
	CHECK_EQ(rig_write(to->fn.r, VFIO_PCI_CONFIG_REGION_INDEX,
			   to->fn.r->dev->cfg.msix + PCI_MSIX_FLAGS, &on, 2), 0);
	CHECK_EQ(suspend(to), 0);
	CHECK_EQ(set_state(to, state, bytes), 0);
	CHECK_EQ(resume(to), 0);
	memcpy(to->fn.q, from->fn.q, sizeof(to->fn.q));
	to->fn.cid = from->fn.cid;
}

static int io(struct host *h, uint8_t opcode, uint64_t slba, uint32_t nlb)
{
	return nvmh_rw(&h->fn, 1, opcode, 1, slba, nlb, nlb * 512);
}

/* ---- suspend and resume ---- */

static void test_suspend(void)
{
	struct nvs_sqe flush = { .opcode = NVS_IO_FLUSH, .nsid = 1 };
	struct pair p;

	open_pair(&p, NULL);
	CHECK_EQ(resume(&p.a), NVS_SC_NOT_SUSPENDED);
	CHECK_EQ(send_op(&p.a, NVS_SEND_SUSPEND, NVS_SUSPEND_NOTIFY << 16 | CNTLID), 0);
	CHECK_EQ(io(&p.a, NVS_IO_READ, 0, 1), 0);
	CHECK_EQ(suspend(&p.a), 0);
	CHECK_EQ(suspend(&p.a), 0);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 1);
	/* Registers answer, commands wait, and are there when it goes on. */
	CHECK_EQ(nvmh_csts(&p.a.fn), NVS_CSTS_RDY);
	CHECK_EQ(nvmh_run(&p.a.fn, 1, &flush), -1);
	event_count(p.a.fn.ev[1]);
	CHECK_EQ(resume(&p.a), 0);
	CHECK_EQ(nvmh_status(&p.a.fn, 1), 0);
	CHECK_EQ(event_count(p.a.fn.ev[1]), 1);
	close_pair(&p);
}

static void test_bad_targets(void)
{
	static const uint16_t bad[] = { 0, NVCF_CNTLID_MANAGING, 9, 0xffff };
	struct pair p;

	open_pair(&p, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_EQ(send_op(&p.a, NVS_SEND_SUSPEND, NVS_SUSPEND << 16 | bad[i]),
			 NVS_SC_INVALID_CNTLID);
		CHECK_EQ(send_op(&p.a, NVS_SEND_RESUME, bad[i]), NVS_SC_INVALID_CNTLID);
		CHECK_EQ(send_op(&p.a, NVS_SEND_SET_STATE, bad[i]), NVS_SC_INVALID_CNTLID);
		CHECK_EQ(get_part(&p.a, 1, bad[i], 0, 12), NVS_SC_INVALID_CNTLID);
	}
	CHECK_EQ(send_op(&p.a, NVS_SEND_SUSPEND, 2 << 16 | CNTLID), NVS_SC_INVALID_FIELD);
	/* Operations that do not exist. */
	CHECK_EQ(send_op(&p.a, 3, CNTLID), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_admin(&p.a.m, NVS_ADMIN_MIGRATION_RECEIVE, 0, 1, CNTLID),
		 NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_admin(&p.a.m, 0x45, 0, 0, 0), NVS_SC_INVALID_OPCODE);
	close_pair(&p);
}

/* What was fetched is completed first, and in the file. */
static void test_suspend_in_flight(void)
{
	struct nvs_sqe write;
	struct pair p;
	uint8_t byte;

	open_pair(&p, NULL);
	memset(p.a.fn.data, 0x5a, 512);
	nvmh_fill_rw(&p.a.fn, &write, NVS_IO_WRITE, 1, 7, 1, 512);
	rig_control(p.a.fn.r, "fault write delay=30 count=1");
	nvmh_submit(&p.a.fn, 1, &write);
	CHECK_EQ(suspend(&p.a), -1);
	rig_run(p.a.fn.r, 40);
	CHECK_EQ(nvmh_status(&p.a.m, 0), 0);
	CHECK_EQ(nvmh_status(&p.a.fn, 1), 0);
	CHECK_EQ(pread(p.fd, &byte, 1, 7 * 512), 1);
	CHECK_EQ(byte, 0x5a);
	CHECK_EQ(resume(&p.a), 0);
	/* One that never ends keeps it from suspending; a resume calls it off. */
	rig_control(p.a.fn.r, "fault write hang count=1");
	nvmh_submit(&p.a.fn, 1, &write);
	CHECK_EQ(suspend(&p.a), -1);
	nvmh_submit(&p.a.m, 0, &(struct nvs_sqe){
		.opcode = NVS_ADMIN_ABORT, .cdw10 = (uint32_t)p.a.m.cid << 16 });
	CHECK_EQ(nvmh_status(&p.a.m, 0), NVS_SC_ABORT_REQUESTED);
	CHECK_EQ(nvmh_status(&p.a.m, 0), 0);
	CHECK_EQ(resume(&p.a), 0);
	rig_control(p.a.fn.r, "fault clear");
	rig_run(p.a.fn.r, 3);
	CHECK_EQ(nvmh_status(&p.a.fn, 1), 0);
	close_pair(&p);
}

static void test_managing_reset(void)
{
	struct pair p;

	open_pair(&p, NULL);
	CHECK_EQ(suspend(&p.a), 0);
	nvmh_disable(&p.a.m);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 0);
	CHECK_EQ(io(&p.a, NVS_IO_READ, 0, 1), 0);
	CHECK(nvmh_enable(&p.a.m));
	/* A reset of the controller itself ends the suspension, too. */
	CHECK_EQ(suspend(&p.a), 0);
	nvmh_disable(&p.a.fn);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 0);
	CHECK_EQ(resume(&p.a), NVS_SC_NOT_SUSPENDED);
	/* A subsystem reset is one of both. */
	CHECK_EQ(suspend(&p.a), 0);
	rig_write32(p.a.m.r, 0, NVS_REG_NSSR, NVS_NSSR_VALUE);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 0);
	CHECK_EQ(nvmh_csts(&p.a.fn), NVS_CSTS_NSSRO);
	close_pair(&p);
}

/* ---- moving ---- */

/* Queues of 8 entries and every place in them. */
static void test_move(void)
{
	struct nvs_sqe flush = { .opcode = NVS_IO_FLUSH, .nsid = 1 };
	struct pair p;
	uint8_t seed = 0;

	open_pair(&p, "firmware=2");
	for (int round = 0; round < 20; round++) {
		struct host *from = round & 1 ? &p.b : &p.a, *to = round & 1 ? &p.a : &p.b;

		for (int i = 0; i < round % 9; i++) {
			memset(from->fn.data, ++seed, 512);
			CHECK_EQ(io(from, NVS_IO_WRITE, (uint64_t)i, 1), 0);
		}
		/* Completions that nobody has looked at, and commands that nobody has fetched. */
		nvmh_submit(&from->fn, 1, &flush);
		rig_step(from->fn.r);
		CHECK_EQ(suspend(from), 0);
		nvmh_submit(&from->fn, 1, &flush);
		event_count(to->fn.ev[1]);
		move(from, to);
		CHECK_EQ(nvmh_status(&to->fn, 1), 0);
		CHECK_EQ(nvmh_status(&to->fn, 1), 0);
		CHECK(event_count(to->fn.ev[1]) > 0);
		if (round % 9) {
			CHECK_EQ(io(to, NVS_IO_READ, (uint64_t)(round % 9 - 1), 1), 0);
			CHECK_EQ(to->fn.data[5], seed);
		}
		CHECK_EQ(nvmh_identify(&to->fn, NVS_CNS_CONTROLLER, 0, 0), 0);
	}
	CHECK_EQ(nvmh_stat(p.a.fn.r, "unlocked_writes "), 0);
	CHECK_EQ(nvmh_stat(p.b.fn.r, "unlocked_writes "), 0);
	close_pair(&p);
}

static void test_move_everything(void)
{
	struct nvs_sqe aer = { .opcode = NVS_ADMIN_ASYNC_EVENT };
	struct pair p;
	uint16_t cid;

	open_pair(&p, NULL);
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
	CHECK_EQ(suspend(&p.a), 0);
	/* An event that comes now is told on the other side. */
	CHECK(strstr(rig_control(p.a.fn.r, "resize 1 100"), "ok"));
	move(&p.a, &p.b);
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
	close_pair(&p);
}

/* Of a controller that its user has not enabled, or that has died. */
static void test_move_not_ready(void)
{
	struct pair p;

	open_pair(&p, NULL);
	nvmh_disable(&p.a.fn);
	move(&p.a, &p.b);
	CHECK_EQ(nvmh_csts(&p.b.fn), 0);
	CHECK(nvmh_enable(&p.b.fn));
	rig_control(p.b.fn.r, "fault fetch fail count=1");
	CHECK_EQ(nvmh_identify(&p.b.fn, NVS_CNS_CONTROLLER, 0, 0), -1);
	move(&p.b, &p.a);
	CHECK_EQ(nvmh_csts(&p.a.fn), NVS_CSTS_RDY | NVS_CSTS_CFS);
	close_pair(&p);
}

static void test_lock_and_rollback(void)
{
	uint8_t state[STATE_BYTES];
	uint32_t bytes;
	struct pair p;

	open_pair(&p, NULL);
	memset(p.a.fn.data, 0x11, 512);
	CHECK_EQ(io(&p.a, NVS_IO_WRITE, 0, 1), 0);
	CHECK_EQ(suspend(&p.a), 0);
	bytes = get_state(&p.a, state);
	CHECK_EQ(suspend(&p.b), 0);
	CHECK_EQ(set_state(&p.b, state, bytes), 0);
	/* Called off: the source has the disk again, and the destination does not get it. */
	CHECK_EQ(resume(&p.a), 0);
	CHECK_EQ(io(&p.a, NVS_IO_WRITE, 1, 1), 0);
	CHECK_EQ(resume(&p.b), NVS_SC_NAMESPACE_NOT_READY);
	CHECK_EQ(suspend(&p.a), 0);
	CHECK_EQ(resume(&p.b), 0);
	CHECK_EQ(resume(&p.a), NVS_SC_NAMESPACE_NOT_READY);
	close_pair(&p);
}

/* ---- Get State ---- */

static void test_get(void)
{
	struct nvs_state_header h;
	struct nvs_state s;
	struct pair p;
	uint32_t bytes;

	open_pair(&p, NULL);
	CHECK_EQ(nvmh_identify(&p.a.m, NVS_CNS_STATE_FORMATS, 0, 0), 0);
	CHECK_EQ(p.a.m.data[0] | p.a.m.data[1] << 8, 0x101);
	/* Of a running controller the state says that it was running. */
	CHECK_EQ(get_part(&p.a, 1, CNTLID, 0, 64), 0);
	CHECK_EQ(p.a.m.cqe.dw0, 0);
	CHECK_EQ(suspend(&p.a), 0);
	CHECK_EQ(get_part(&p.a, 1, CNTLID, 0, 64), 0);
	CHECK_EQ(p.a.m.cqe.dw0, NVS_CSUP);
	memcpy(&h, p.a.m.data, sizeof(h));
	memcpy(&s, p.a.m.data + sizeof(h), sizeof(s));
	CHECK_EQ(h.nvmecss[0], (8 + 2 * 24) / 4);
	CHECK_EQ(h.vss[0], 0);
	CHECK_EQ(h.csattr, NVS_CSUP);
	CHECK_EQ(s.niosq, 1);
	CHECK_EQ(s.niocq, 1);
	bytes = state_bytes(p.a.m.data);
	CHECK(!p.a.m.data[bytes] && !p.a.m.data[255]);	/* zero behind its end */
	CHECK_EQ(get_part(&p.a, 0, 1 << 16 | CNTLID, 0, 12), 0);
	memcpy(&h, p.a.m.data, sizeof(h));
	CHECK_EQ(h.nvmecss[0], 0);
	CHECK_EQ(h.vss[0], sizeof(struct nvcf_state) / 4);
	CHECK_EQ(get_part(&p.a, 0, CNTLID, 0, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(get_part(&p.a, 2, CNTLID, 0, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(get_part(&p.a, 1, 2 << 16 | CNTLID, 0, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(get_part(&p.a, 1, 1 << 24 | CNTLID, 0, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(get_part(&p.a, 1, CNTLID, 2, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(get_part(&p.a, 1, CNTLID, 1 << 20, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(get_part(&p.a, 1, CNTLID, 1ull << 40, 12), NVS_SC_INVALID_FIELD);
	CHECK_EQ(get_part(&p.a, 1, CNTLID, 0, 0), NVS_SC_INVALID_FIELD);	/* 2^32 dwords */
	close_pair(&p);
}

/* ---- Set State ---- */

static void test_sequences(void)
{
	uint8_t state[STATE_BYTES];
	struct pair p;
	uint32_t bytes;

	open_pair(&p, NULL);
	CHECK_EQ(suspend(&p.a), 0);
	bytes = get_state(&p.a, state);
	CHECK_EQ(set_state(&p.b, state, bytes), NVS_SC_INVALID_CNTLID);	/* it runs */
	CHECK_EQ(suspend(&p.b), 0);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, 0, state, 48), NVS_SC_COMMAND_SEQUENCE);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_LAST, 0x101, 0, state, 48), NVS_SC_COMMAND_SEQUENCE);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_ONLY, 0, 0, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_ONLY, 2, 0, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_ONLY, 0x201, 0, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_ONLY, 0x101, 4, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_FIRST, 0x101, 0, state, 0), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_FIRST, 0x101, 0, state, 48), 0);
	CHECK_EQ(resume(&p.b), NVS_SC_COMMAND_SEQUENCE);
	/* A gap ends it. */
	CHECK_EQ(set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, 52, state, 4), NVS_SC_INVALID_FIELD);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, 48, state, 4), NVS_SC_COMMAND_SEQUENCE);
	/* More than any state has. */
	CHECK_EQ(set_part(&p.b, NVS_SEQ_FIRST, 0x101, 0, state, 4096), 0);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, 4096, state, 4096), 0);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, 8192, state, 4), NVS_SC_INVALID_FIELD);
	/* A dword at a time; the last one has nothing. */
	CHECK_EQ(set_part(&p.b, NVS_SEQ_FIRST, 0x101, 0, state, 4), 0);
	for (uint32_t off = 4; off < bytes; off += 4)
		CHECK_EQ(set_part(&p.b, NVS_SEQ_MIDDLE, 0x101, off, state + off, 4), 0);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_LAST, 0x101, bytes, state, 0), 0);
	/* Its queues are there now, and no others can come. */
	CHECK_EQ(set_state(&p.b, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(resume(&p.b), 0);
	close_pair(&p);
}

static void test_standard_only(void)
{
	struct pair p;
	uint8_t state[256];

	open_pair(&p, NULL);
	CHECK_EQ(suspend(&p.a), 0);
	CHECK_EQ(get_part(&p.a, 1, CNTLID, 0, 64), 0);
	memcpy(state, p.a.m.data, sizeof(state));
	/* Queues need a controller that is enabled. */
	CHECK_EQ(suspend(&p.b), 0);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_ONLY, 0x001, 0, state, state_bytes(state)),
		 NVS_SC_INVALID_FIELD);
	CHECK_EQ(resume(&p.b), 0);
	CHECK(nvmh_enable(&p.b.fn));
	CHECK_EQ(suspend(&p.b), 0);
	CHECK_EQ(set_part(&p.b, NVS_SEQ_ONLY, 0x001, 0, state, state_bytes(state)), 0);
	CHECK_EQ(resume(&p.b), 0);
	p.b.fn.q[1] = p.a.fn.q[1];
	CHECK_EQ(io(&p.b, NVS_IO_READ, 0, 1), 0);
	close_pair(&p);
}

static void seal(uint8_t *state)
{
	struct nvcf_state *s = (struct nvcf_state *)(state + state_bytes(state) - sizeof(*s));
	const size_t from = offsetof(struct nvcf_state, profile);

	s->crc = (uint32_t)crc32(0, (uint8_t *)s + from, sizeof(*s) - from);
}

/* Each field at its edges; sizes of @bytes, at @off of the state (of 2 queues) or of the vendor's. */
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
	{ true, offsetof(struct nvcf_state, reserved2) + 255, 1, 1 },
};

static void test_hostile_fields(void)
{
	uint8_t state[STATE_BYTES], bad[STATE_BYTES];
	uint32_t bytes, vendor;
	struct pair p;

	open_pair(&p, NULL);
	CHECK_EQ(suspend(&p.a), 0);
	bytes = get_state(&p.a, state);
	vendor = bytes - (uint32_t)sizeof(struct nvcf_state);
	CHECK_EQ(suspend(&p.b), 0);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		memcpy(bad, state, bytes);
		memcpy(bad + (edges[i].vendor ? vendor : 0) + edges[i].off, &edges[i].val,
		       edges[i].bytes);
		if (edges[i].vendor)
			seal(bad);
		if (set_state(&p.b, bad, bytes) != NVS_SC_INVALID_FIELD)
			CHECK_EQ(i, -1);
	}
	for (uint32_t cut = 4; cut < bytes; cut += 4)
		CHECK_EQ(set_state(&p.b, state, cut), NVS_SC_INVALID_FIELD);
	/* Any bit of the vendor's data breaks its checksum. */
	for (uint32_t at = vendor; at < bytes; at++) {
		memcpy(bad, state, bytes);
		bad[at] ^= 0x10;
		CHECK_EQ(set_state(&p.b, bad, bytes), NVS_SC_INVALID_FIELD);
	}
	/* Nothing of it has changed the controller. */
	CHECK_EQ(nvmh_csts(&p.b.fn), 0);
	CHECK_EQ(set_state(&p.b, state, bytes), 0);
	CHECK_EQ(resume(&p.b), 0);
	close_pair(&p);
}

/* Another number of queues, another identity. */
static void test_other_profile(void)
{
	uint8_t state[STATE_BYTES];
	struct pair p;
	uint32_t bytes;

	open_pair(&p, "queues=8");
	CHECK_EQ(suspend(&p.a), 0);
	bytes = get_state(&p.a, state);
	CHECK_EQ(suspend(&p.b), 0);
	CHECK_EQ(set_state(&p.b, state, bytes), NVS_SC_INVALID_FIELD);
	close_pair(&p);
}

static void test_managing_faults(void)
{
	static const char *const points[] = { "suspend", "resume", "get_state", "set_state" };
	char line[64];
	struct pair p;

	open_pair(&p, NULL);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		snprintf(line, sizeof(line), "fault %s fail count=1", points[i]);
		CHECK(strstr(rig_control(p.a.m.r, line), "ok"));
	}
	CHECK_EQ(suspend(&p.a), NVS_SC_INTERNAL);
	CHECK_EQ(get_part(&p.a, 1, CNTLID, 0, 12), NVS_SC_INTERNAL);
	CHECK_EQ(set_part(&p.a, NVS_SEQ_ONLY, 1, 0, p.a.m.data, 48), NVS_SC_INTERNAL);
	CHECK_EQ(resume(&p.a), NVS_SC_INTERNAL);
	close_pair(&p);
}

static const struct test tests[] = {
	{ "nvme_cf: suspend and resume", test_suspend },
	{ "nvme_cf: controllers and operations that are not there", test_bad_targets },
	{ "nvme_cf: suspend with commands in work", test_suspend_in_flight },
	{ "nvme_cf: resets end a suspension", test_managing_reset },
	{ "nvme_cf: move between subsystems", test_move },
	{ "nvme_cf: move events and features", test_move_everything },
	{ "nvme_cf: move a controller that is not ready", test_move_not_ready },
	{ "nvme_cf: locks and rollback", test_lock_and_rollback },
	{ "nvme_cf: get state", test_get },
	{ "nvme_cf: sequences of set state", test_sequences },
	{ "nvme_cf: standard state alone", test_standard_only },
	{ "nvme_cf: hostile state", test_hostile_fields },
	{ "nvme_cf: state of another profile", test_other_profile },
	{ "nvme_cf: faults of the managing controller", test_managing_faults },
	{ NULL, NULL },
};
TEST_SUITE(tests);
