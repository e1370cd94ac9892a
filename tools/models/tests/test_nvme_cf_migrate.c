// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): suspend and resume, and what fails there. */
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nvme_pair.h"

/* ---- suspend and resume ---- */

static void test_suspend(void)
{
	struct nvs_sqe flush = { .opcode = NVS_IO_FLUSH, .nsid = 1 };
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_resume(&p.a), NVS_SC_NOT_SUSPENDED);
	CHECK_EQ(nvmh_send_op(&p.a, NVS_SEND_SUSPEND, NVS_SUSPEND_NOTIFY << 16 | NVMH_CNTLID), 0);
	CHECK_EQ(nvmh_io(&p.a, NVS_IO_READ, 0, 1), 0);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 1);
	/* Registers answer, commands wait, and are there when it goes on. */
	CHECK_EQ(nvmh_csts(&p.a.fn), NVS_CSTS_RDY);
	CHECK_EQ(nvmh_run(&p.a.fn, 1, &flush), -1);
	event_count(p.a.fn.ev[1]);
	CHECK_EQ(nvmh_resume(&p.a), 0);
	CHECK_EQ(nvmh_status(&p.a.fn, 1), 0);
	CHECK_EQ(event_count(p.a.fn.ev[1]), 1);
	nvmh_close_pair(&p);
}

static uint64_t dma_reads(struct nvmh_host *h)
{
	return nvmh_stat(h->fn.r, "dma_reads ");
}

static void mask_all(struct nvmh *h, uint16_t mask)
{
	uint16_t val = PCI_MSIX_FLAGS_ENABLE | mask;

	CHECK_EQ(rig_write(h->r, VFIO_PCI_CONFIG_REGION_INDEX, h->r->dev->cfg.msix + PCI_MSIX_FLAGS,
			   &val, 2), 0);
}

/* While it is suspended, nothing leaves the controller, whatever its user and others do to it. */
static void test_silent(void)
{
	struct nvs_sqe flush = { .opcode = NVS_IO_FLUSH, .nsid = 1 };
	struct nvs_sqe aer = { .opcode = NVS_ADMIN_ASYNC_EVENT };
	uint64_t irqs, reads;
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_ASYNC_EVENT, 0x102), 0);
	/* An interrupt that is masked, one that is still held back, and a request for events. */
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_COALESCING, 100 << 8 | 7),
		 0);
	mask_all(&p.a.fn, PCI_MSIX_FLAGS_MASKALL);
	nvmh_identify(&p.a.fn, NVS_CNS_CONTROLLER, 0, 0);
	nvmh_submit(&p.a.fn, 0, &aer);
	nvmh_submit(&p.a.fn, 1, &flush);
	rig_step(p.a.fn.r);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	irqs = nvmh_stat(p.a.fn.r, "irqs ");
	reads = dma_reads(&p.a);
	rig_control(p.a.fn.r, "ledger clear");
	for (unsigned int i = 0; i < NVMH_VECTORS; i++)
		event_count(p.a.fn.ev[i]);
	/* Commands, doorbells that do not exist, events, masks, time. */
	nvmh_submit(&p.a.fn, 1, &flush);
	nvmh_submit(&p.a.fn, 0, &aer);
	rig_write32(p.a.fn.r, 0, NVS_REG_DOORBELLS + 8 * 9, 1);
	rig_write32(p.a.fn.r, 0, NVS_REG_DOORBELLS + 8, 0xffff);
	rig_control(p.a.fn.r, "temperature 400");
	rig_control(p.a.fn.r, "resize 1 100");
	rig_write32(p.a.fn.r, 0, NVS_REG_INTMS, 1);
	rig_write32(p.a.fn.r, 0, NVS_REG_INTMC, 1);
	rig_enable(p.a.fn.r);
	mask_all(&p.a.fn, 0);
	rig_run(p.a.fn.r, 15);
	CHECK(!strcmp(rig_control(p.a.fn.r, "ledger"), "ok\n"));
	CHECK_EQ(nvmh_stat(p.a.fn.r, "irqs "), irqs);
	CHECK_EQ(dma_reads(&p.a), reads);
	for (unsigned int i = 0; i < NVMH_VECTORS; i++)
		CHECK_EQ(event_count(p.a.fn.ev[i]), 0);
	CHECK_EQ(nvmh_resume(&p.a), 0);
	CHECK_EQ(nvmh_status(&p.a.fn, 1), 0);
	CHECK_EQ(nvmh_status(&p.a.fn, 1), 0);
	CHECK_EQ(nvmh_status(&p.a.fn, 0), 0);
	CHECK(event_count(p.a.fn.ev[1]) && event_count(p.a.fn.ev[0]));
	CHECK(strcmp(rig_control(p.a.fn.r, "ledger"), "ok\n"));
	nvmh_close_pair(&p);
}

static void test_bad_targets(void)
{
	static const uint16_t bad[] = { 0, NVCF_CNTLID_MANAGING, 9, 0xffff };
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_EQ(nvmh_send_op(&p.a, NVS_SEND_SUSPEND, NVS_SUSPEND << 16 | bad[i]),
			 NVS_SC_INVALID_CNTLID);
		CHECK_EQ(nvmh_send_op(&p.a, NVS_SEND_RESUME, bad[i]), NVS_SC_INVALID_CNTLID);
		CHECK_EQ(nvmh_send_op(&p.a, NVS_SEND_SET_STATE, bad[i]), NVS_SC_INVALID_CNTLID);
		CHECK_EQ(nvmh_get_part(&p.a, 1, bad[i], 0, 12), NVS_SC_INVALID_CNTLID);
	}
	CHECK_EQ(nvmh_send_op(&p.a, NVS_SEND_SUSPEND, 2 << 16 | NVMH_CNTLID), NVS_SC_INVALID_FIELD);
	/* Operations that do not exist. */
	CHECK_EQ(nvmh_send_op(&p.a, 3, NVMH_CNTLID), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_admin(&p.a.m, NVS_ADMIN_MIGRATION_RECEIVE, 0, 1, NVMH_CNTLID),
		 NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_admin(&p.a.m, 0x45, 0, 0, 0), NVS_SC_INVALID_OPCODE);
	nvmh_close_pair(&p);
}

/* What was fetched is completed first, and in the file. */
static void test_suspend_in_flight(void)
{
	struct nvs_sqe write;
	struct nvmh_pair p;
	uint16_t cid;
	uint8_t byte;

	nvmh_open_pair(&p, NULL);
	memset(p.a.fn.data, 0x5a, 512);
	nvmh_fill_rw(&p.a.fn, &write, NVS_IO_WRITE, 1, 7, 1, 512);
	rig_control(p.a.fn.r, "fault write hang count=1");
	nvmh_submit(&p.a.fn, 1, &write);
	CHECK_EQ(nvmh_suspend(&p.a), -1);
	rig_control(p.a.fn.r, "fault clear");
	rig_run(p.a.fn.r, 3);
	CHECK_EQ(nvmh_status(&p.a.m, 0), 0);
	CHECK_EQ(nvmh_status(&p.a.fn, 1), 0);
	CHECK_EQ(pread(p.fd, &byte, 1, 7 * 512), 1);
	CHECK_EQ(byte, 0x5a);
	CHECK_EQ(nvmh_resume(&p.a), 0);
	/* One that never ends keeps it from suspending; a resume calls it off. */
	rig_control(p.a.fn.r, "fault write hang count=1");
	nvmh_submit(&p.a.fn, 1, &write);
	CHECK_EQ(nvmh_suspend(&p.a), -1);
	nvmh_submit(&p.a.m, 0, &(struct nvs_sqe){
		.opcode = NVS_ADMIN_ABORT, .cdw10 = (uint32_t)p.a.m.cid << 16 });
	CHECK_EQ(nvmh_status(&p.a.m, 0), NVS_SC_ABORT_REQUESTED);
	CHECK_EQ(nvmh_status(&p.a.m, 0), 0);
	CHECK_EQ(nvmh_resume(&p.a), NVS_SC_NOT_SUSPENDED);
	/* The command of it that is still there ends, too. */
	CHECK_EQ(nvmh_suspend(&p.a), -1);
	cid = p.a.m.cid;
	nvmh_submit(&p.a.m, 0, &(struct nvs_sqe){
		.opcode = NVS_ADMIN_MIGRATION_SEND, .cdw10 = NVS_SEND_RESUME, .cdw11 = NVMH_CNTLID });
	CHECK_EQ(nvmh_status(&p.a.m, 0), NVS_SC_ABORT_REQUESTED);
	CHECK_EQ(le16toh(p.a.m.cqe.cid), cid);
	CHECK_EQ(nvmh_status(&p.a.m, 0), 0);
	rig_control(p.a.fn.r, "fault clear");
	rig_run(p.a.fn.r, 3);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 0);
	CHECK_EQ(nvmh_status(&p.a.fn, 1), 0);
	nvmh_close_pair(&p);
}

/* Commands that can never end do not keep a controller from being suspended. */
static void test_suspend_dead(void)
{
	uint16_t off = PCI_COMMAND_MEMORY;
	struct nvs_sqe write;
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	nvmh_fill_rw(&p.a.fn, &write, NVS_IO_WRITE, 1, 7, 1, 512);
	rig_control(p.a.fn.r, "fault write hang");
	nvmh_submit(&p.a.fn, 1, &write);
	CHECK_EQ(rig_write(p.a.fn.r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &off, 2), 0);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	rig_enable(p.a.fn.r);
	CHECK_EQ(nvmh_csts(&p.a.fn), NVS_CSTS_RDY | NVS_CSTS_CFS);
	nvmh_disable(&p.a.fn);
	CHECK(nvmh_enable(&p.a.fn));
	CHECK_EQ(nvmh_create_pair(&p.a.fn, 1, 8), 0);
	nvmh_submit(&p.a.fn, 1, &write);
	rig_write32(p.a.fn.r, 0, NVS_REG_CC, rig_read32(p.a.fn.r, 0, NVS_REG_CC) |
		    NVS_CC_SHN_NORMAL << 14);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	/* It needs no disk to go on. */
	CHECK(nvmh_enable(&p.b.fn));
	CHECK_EQ(nvmh_create_pair(&p.b.fn, 1, 8), 0);
	CHECK_EQ(nvmh_io(&p.b, NVS_IO_READ, 0, 1), 0);
	CHECK_EQ(nvmh_resume(&p.a), 0);
	nvmh_close_pair(&p);
}

/* What could not be written back is still there, and its disk still held. */
static void test_write_back_fails(void)
{
	struct nvmh_pair p;
	uint8_t byte = 0;

	nvmh_open_pair(&p, NULL);
	memset(p.a.fn.data, 0x5a, 512);
	CHECK_EQ(nvmh_io(&p.a, NVS_IO_WRITE, 7, 1), 0);
	rig_control(p.a.fn.r, "fault disk fail count=1");
	CHECK_EQ(nvmh_suspend(&p.a), NVS_SC_INTERNAL);
	CHECK_EQ(nvmh_rw(&p.a.fn, 1, NVS_IO_FLUSH, NVS_NSID_ALL, 0, 1, 0), 0);
	CHECK_EQ(pread(p.fd, &byte, 1, 7 * 512), 1);
	CHECK_EQ(byte, 0x5a);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	nvmh_close_pair(&p);
}

/* Many that wait are looked at once a round, so that others have their turn. */
static void test_many_suspends(void)
{
	struct nvs_sqe read = { .opcode = NVS_IO_READ, .nsid = 1, .prp1 = NVMH_IOVA + NVMH_DATA };
	struct nvs_sqe suspend = {
		.opcode = NVS_ADMIN_MIGRATION_SEND, .cdw11 = NVS_SUSPEND << 16 | NVMH_CNTLID,
	};
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	nvmh_disable(&p.a.m);
	rig_write32(p.a.m.r, 0, NVS_REG_AQA, 511 * 0x10001);
	memset(p.a.m.mem, 0, NVMH_QUEUE);
	p.a.m.q[0] = (struct nvmh_queue){ .entries = 512, .phase = true };
	rig_write32(p.a.m.r, 0, NVS_REG_CC, NVS_CC_EN | NVS_CC_CSS_ADMIN << 4);
	CHECK_EQ(nvmh_csts(&p.a.m), NVS_CSTS_RDY);
	rig_control(p.a.fn.r, "fault read hang");
	nvmh_submit(&p.a.fn, 1, &read);
	for (int i = 0; i < 255; i++)
		nvmh_queue(&p.a.m, 0, &suspend);
	nvmh_ring(&p.a.m, 0);
	rig_run(p.a.m.r, 5);
	rig_control(p.a.fn.r, "fault clear");
	rig_run(p.a.fn.r, 5);
	for (int i = 0; i < 255; i++)
		CHECK_EQ(nvmh_status(&p.a.m, 0), 0);
	nvmh_close_pair(&p);
}

static void test_managing_reset(void)
{
	struct nvmh_pair p;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	nvmh_disable(&p.a.m);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 0);
	CHECK_EQ(nvmh_io(&p.a, NVS_IO_READ, 0, 1), 0);
	CHECK(nvmh_enable(&p.a.m));
	/* A reset of the controller itself ends the suspension, too. */
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	nvmh_disable(&p.a.fn);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 0);
	CHECK_EQ(nvmh_resume(&p.a), NVS_SC_NOT_SUSPENDED);
	/* A subsystem reset is one of both. */
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	rig_write32(p.a.m.r, 0, NVS_REG_NSSR, NVS_NSSR_VALUE);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 0);
	CHECK_EQ(nvmh_csts(&p.a.fn), NVS_CSTS_NSSRO);
	nvmh_close_pair(&p);
}

/* ---- faults ---- */

/*
 * Each command of the managing controller fails, is late, and hangs, on the second host, where
 * memory is tracked.  @suspended: what it needs
 */
static const struct {
	const char *point;
	bool suspended;
	struct nvs_sqe sqe;
} managing_commands[] = {
#define MIGRATION_SEND(sel, dw11) { \
	.opcode = NVS_ADMIN_MIGRATION_SEND, .cdw10 = (sel), .cdw11 = (dw11) | NVMH_CNTLID, \
}
	{ "suspend", false, MIGRATION_SEND(NVS_SEND_SUSPEND, NVS_SUSPEND << 16) },
	{ "resume", true, MIGRATION_SEND(NVS_SEND_RESUME, 0) },
	{ "set_state", true, {
		.opcode = NVS_ADMIN_MIGRATION_SEND, .cdw15 = 12,
		.cdw10 = NVS_SEQ_FIRST << 16 | NVS_SEND_SET_STATE,
		.cdw11 = 0x1010000 | NVMH_CNTLID } },
	{ "get_state", true, {
		.opcode = NVS_ADMIN_MIGRATION_RECEIVE, .cdw10 = 1 << 16,
		.cdw11 = 1 << 16 | NVMH_CNTLID, .cdw15 = 11 } },
	{ "track_send", false, { .opcode = NVS_ADMIN_TRACK_SEND,
				 .cdw10 = NVS_TRACK_MEMORY, .cdw11 = NVMH_CNTLID } },
	{ "track_receive", false, { .opcode = NVS_ADMIN_TRACK_RECEIVE, .cdw12 = 3,
				    .cdw10 = NVS_TRACK_RECEIVE_MEMORY, .cdw11 = NVMH_CNTLID } },
	{ "profile_send", false, { .opcode = NVCF_ADMIN_PROFILE_SEND,
				   .cdw10 = NVCF_PROFILE_REMOVE, .cdw11 = NVMH_CNTLID } },
	{ "profile_receive", false, { .opcode = NVCF_ADMIN_PROFILE_RECEIVE,
				      .cdw11 = NVMH_CNTLID } },
	{ "identify", false, { .opcode = NVS_ADMIN_IDENTIFY, .cdw10 = NVS_CNS_CONTROLLER } },
	{ "data_out", false, { .opcode = NVCF_ADMIN_PROFILE_RECEIVE, .cdw11 = NVMH_CNTLID } },
	{ "fetch", false, { .opcode = NVS_ADMIN_IDENTIFY, .cdw10 = NVS_CNS_CONTROLLER } },
	{ "post", false, { .opcode = NVS_ADMIN_IDENTIFY, .cdw10 = NVS_CNS_CONTROLLER } },
};

static int track(struct nvmh *m)
{
	const struct nvs_track_request req = { .count = htole32(1) };
	const struct nvs_track_range range = { .length = htole32(1) };

	memcpy(m->data, &req, sizeof(req));
	memcpy(m->data + sizeof(req), &range, sizeof(range));
	return nvmh_admin(m, NVS_ADMIN_TRACK_SEND, 0, 1 << 16 | NVS_TRACK_MEMORY, NVMH_CNTLID);
}

static void managing_fault(size_t i, const char *how)
{
	struct nvs_sqe sqe = managing_commands[i].sqe;
	struct nvmh_pair p;
	struct nvmh *m = &p.b.m;
	char line[64];

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(track(m), 0);
	if (managing_commands[i].suspended)
		CHECK_EQ(nvmh_suspend(&p.b), 0);
	sqe.prp1 = nvmh_addr(NVMH_DATA);
	snprintf(line, sizeof(line), "fault %s %s count=1", managing_commands[i].point, how);
	CHECK(strstr(rig_control(m->r, line), "ok"));
	nvmh_submit(m, 0, &sqe);
	if (!strncmp(how, "fail=", 5)) {
		CHECK_EQ(nvmh_status(m, 0), NVS_SC_COMMAND_SEQUENCE);
		CHECK_EQ(nvmh_stat(p.b.fn.r, "suspended "), managing_commands[i].suspended);
		CHECK_EQ(nvmh_run(m, 0, &sqe), 0);
	} else {
		CHECK(!nvmh_poll(m, 0));
		rig_run(m->r, 12);
		rig_control(m->r, "fault clear");
		rig_run(m->r, 3);
		CHECK_EQ(nvmh_status(m, 0), 0);
	}
	CHECK_EQ(nvmh_csts(m), NVS_CSTS_RDY);
	nvmh_close_pair(&p);
}

static void test_managing_faults(void)
{
	for (size_t i = 0; i < sizeof(managing_commands) / sizeof(managing_commands[0]); i++) {
		bool fatal = !strcmp(managing_commands[i].point, "fetch") ||
			     !strcmp(managing_commands[i].point, "post");

		if (!fatal)
			managing_fault(i, "fail=12");	/* Command Sequence Error */
		managing_fault(i, "delay=10");
		managing_fault(i, "hang");
	}
}

/* It is of the moment when it was suspended, whenever it is asked for. */
static void test_state_stands_still(void)
{
	uint8_t first[NVMH_STATE_BYTES], again[NVMH_STATE_BYTES];
	struct nvmh_pair p;
	uint32_t bytes;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_admin(&p.a.fn, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_TIMESTAMP, 0), 0);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	bytes = nvmh_get_state(&p.a, first);
	test_wait(20 * NSEC_PER_MSEC);
	CHECK_EQ(nvmh_get_state(&p.a, again), bytes);
	CHECK(!memcmp(first, again, bytes));
	nvmh_close_pair(&p);
}

/* What is on its way changes, and is not taken. */
static void test_managing_flip(void)
{
	uint8_t state[NVMH_STATE_BYTES];
	struct nvmh_pair p;
	uint32_t bytes;

	nvmh_open_pair(&p, NULL);
	CHECK_EQ(nvmh_suspend(&p.a), 0);
	bytes = nvmh_get_state(&p.a, state);
	CHECK_EQ(nvmh_suspend(&p.b), 0);
	rig_control(p.b.m.r, "fault flip fail=200 count=1");
	CHECK_EQ(nvmh_set_state(&p.b, state, bytes), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_set_state(&p.b, state, bytes), 0);
	rig_control(p.a.m.r, "fault flip fail=8 count=1");
	CHECK_EQ(nvmh_get_part(&p.a, 1, 1 << 16 | NVMH_CNTLID, 48, 12), 0);
	CHECK_EQ(p.a.m.data[8], state[56] ^ 1);
	nvmh_close_pair(&p);
}

/* Points of a controller: taken by the commands about it, and by no other's. */
static void test_own_faults(void)
{
	uint8_t state[NVMH_STATE_BYTES];
	struct nvmh_pair p;
	uint32_t bytes;

	nvmh_open_pair(&p, NULL);
	rig_control(p.a.fn.r, "fault pause fail count=1");
	CHECK_EQ(nvmh_suspend(&p.b), 0);
	CHECK_EQ(nvmh_suspend(&p.a), NVS_SC_INTERNAL);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 0);
	rig_control(p.a.fn.r, "fault pause hang count=1");
	CHECK_EQ(nvmh_suspend(&p.a), -1);
	CHECK_EQ(nvmh_io(&p.a, NVS_IO_READ, 0, 1), 0);
	rig_control(p.a.fn.r, "fault clear");
	rig_run(p.a.m.r, 3);
	CHECK_EQ(nvmh_status(&p.a.m, 0), 0);
	CHECK_EQ(nvmh_stat(p.a.fn.r, "suspended "), 1);
	rig_control(p.a.fn.r, "fault save fail=0x182 count=1");
	CHECK_EQ(nvmh_get_part(&p.a, 1, 1 << 16 | NVMH_CNTLID, 0, 12), 0x182);
	bytes = nvmh_get_state(&p.a, state);
	rig_control(p.b.fn.r, "fault load fail count=1");
	CHECK_EQ(nvmh_set_state(&p.b, state, bytes), NVS_SC_INTERNAL);
	CHECK_EQ(nvmh_set_state(&p.b, state, bytes), 0);
	nvmh_close_pair(&p);
}

static const struct test tests[] = {
	{ "nvme_cf: suspend and resume", test_suspend },
	{ "nvme_cf: nothing leaves a suspended controller", test_silent },
	{ "nvme_cf: controllers and operations that are not there", test_bad_targets },
	{ "nvme_cf: suspend with commands in work", test_suspend_in_flight },
	{ "nvme_cf: suspend with commands that never end", test_suspend_dead },
	{ "nvme_cf: a write-back that fails", test_write_back_fails },
	{ "nvme_cf: many that wait for a suspension", test_many_suspends },
	{ "nvme_cf: resets end a suspension", test_managing_reset },
	{ "nvme_cf: faults of the managing controller", test_managing_faults },
	{ "nvme_cf: faults of a migratable controller", test_own_faults },
	{ "nvme_cf: state stands still", test_state_stands_still },
	{ "nvme_cf: state that changes on its way", test_managing_flip },
	{ NULL, NULL },
};
TEST_SUITE(tests);
