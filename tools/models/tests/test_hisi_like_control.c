// SPDX-License-Identifier: GPL-2.0
/* hisi_like, the control page, reset and faults (sections 3 to 5 of its page). */
#include <linux/pci_regs.h>

#include "hisi_guest.h"

static uint32_t command(struct guest *g, uint32_t sel, uint32_t cmd)
{
	guest_wr(g, CP(SEL), sel);
	guest_wr(g, CP(CMD), cmd);
	return guest_rd(g, CP(STAT));
}

static void freeze(struct guest *g)
{
	guest_wr(g, CP(PAUSE), HISIL_PAUSE);
	CHECK_EQ(guest_rd(g, CP(DRAIN)), HISIL_DRAINED);
	guest_wr(g, CP(PAUSE), HISIL_PAUSE | HISIL_FREEZE);
	CHECK_EQ(guest_rd(g, CP(PAUSE)), 3);
}

static uint32_t ctx_get(struct guest *g, uint32_t sel, uint8_t *buf)
{
	uint32_t len;

	CHECK_EQ(command(g, sel, HISIL_CMD_READ), HISIL_IDLE);
	len = guest_rd(g, CP(LEN));
	for (uint32_t i = 0; i < len; i += 4) {
		uint32_t v = guest_rd(g, CP(WINDOW) + i);

		memcpy(buf + i, &v, 4);
	}
	return len;
}

static uint32_t ctx_put(struct guest *g, uint32_t sel, const void *ctx, uint32_t len)
{
	uint32_t stat;

	for (uint32_t i = 0; i < len; i += 4) {
		uint32_t v;

		memcpy(&v, (const uint8_t *)ctx + i, 4);
		guest_wr(g, CP(WINDOW) + i, v);
	}
	guest_wr(g, CP(WLEN), len);
	guest_wr(g, CP(ERR), 0);
	stat = command(g, sel, HISIL_CMD_WRITE);
	CHECK_EQ(stat == HISIL_FAILED, guest_rd(g, CP(ERR)) != 0);
	return guest_rd(g, CP(ERR));
}

/* Operations are in all stages when the pause comes; they end once, on the other device. */
static void park_and_resume_elsewhere(void)
{
	static uint8_t ctx[4][4096];
	unsigned int seen[3][60] = { 0 };
	struct guest a, b;
	struct hisil_cqe c;
	uint32_t len[4];
	unsigned int parked = 0;
	uint64_t done = 0;

	guest_open(&a, NULL, NULL);
	rig_control(a.r, "fault op hang skip=20 count=3");
	for (uint32_t n = 0; n < 3; n++) {
		guest_queue(&a, n, 64);
		for (uint32_t i = 0; i < 60; i++) {
			struct hisil_sqe e = { .opcode = HISIL_FILL, .tag = i, .dst_len = 1,
					     .flags = i == 59,
					     .dst = MEM_IOVA + DST_OFF + n * 0x1000 + i,
					     .arg = i + 1 };
			guest_put(&a, n, e);
		}
		CHECK_EQ(rig_write(a.r, HISIL_BAR, Q(n, SQ_TAIL), &a.tail[n], 4), 0);
	}
	for (int i = 0; i < 10; i++)
		rig_step(a.r);
	/* now each queue has one operation in work, more fetched, and more in the ring */
	guest_wr(&a, CP(PAUSE), HISIL_PAUSE);
	CHECK_EQ(guest_rd(&a, CP(DRAIN)), HISIL_DRAINING);
	guest_wr(&a, CP(PAUSE), HISIL_PAUSE | HISIL_FREEZE);
	CHECK_EQ(guest_rd(&a, CP(PAUSE)), 1);			/* no freeze before DRAINED */
	rig_control(a.r, "fault clear");
	rig_step(a.r);
	CHECK_EQ(guest_rd(&a, CP(DRAIN)), HISIL_DRAINED);
	vu_ledger_clear(&a.r->dev->ledger);
	guest_wr(&a, CP(PAUSE), HISIL_PAUSE | HISIL_FREEZE);
	guest_wr(&a, Q(0, SQ_TAIL), 61);			/* ignored when frozen */
	CHECK_EQ(guest_rd(&a, Q(0, SQ_TAIL)), 60);
	for (uint32_t n = 0; n < 3; n++) {
		struct hisil_queue_ctx q;

		len[n] = ctx_get(&a, n, ctx[n]);
		memcpy(&q, ctx[n], sizeof(q));
		parked += q.parked;
		CHECK_EQ(len[n], 64 + 64 * q.parked);
		CHECK_EQ(q.sq_head, q.seq + q.parked);
		CHECK(q.seq > 0 && q.seq < 60);
	}
	len[3] = ctx_get(&a, HISIL_SEL_GLOBAL, ctx[3]);
	CHECK_EQ(len[3], 64);
	CHECK(parked > 0);
	guest_open(&b, NULL, &a);
	CHECK_EQ(command(&b, 0, HISIL_CMD_CLEAR), HISIL_IDLE);
	freeze(&b);
	CHECK_EQ(ctx_put(&b, HISIL_SEL_GLOBAL, ctx[3], 64), 0);
	for (uint32_t n = 0; n < 3; n++) {
		CHECK_EQ(ctx_put(&b, n, ctx[n], len[n]), 0);
		event_count(b.ev[n]);
	}
	rig_run(b.r, 5);
	CHECK_EQ(b.r->dev->ledger.used, 0);
	guest_wr(&b, CP(PAUSE), 0);
	rig_step(b.r);
	rig_run(a.r, 10);
	CHECK_EQ(a.r->dev->ledger.used, 0);		/* nothing after DRAINED */
	for (uint32_t n = 0; n < 3; n++) {
		uint32_t next = 0;

		a.size = 64;
		CHECK_EQ(guest_rd(&b, Q(n, CQ_TAIL)), 60);
		while (guest_get(&a, n, &c)) {
			CHECK_EQ(c.tag, next++);
			CHECK_EQ(c.seq, next);
			CHECK_EQ(c.status, HISIL_OK);
			seen[n][c.tag]++;
			done += c.done;
		}
		for (uint32_t i = 0; i < 60; i++) {
			CHECK_EQ(seen[n][i], 1);
			CHECK_EQ(a.mem[DST_OFF + n * 0x1000 + i], i + 1);
		}
		/* the resume interrupt and the one of the last operation */
		CHECK(event_count(b.ev[n]) >= 1);
	}
	CHECK_EQ(done, 180 * 181 / 2);			/* each value of OPS_DONE once */
	CHECK_EQ(guest_rd(&b, 0x20), 180);
	guest_close(&b, false);
	guest_close(&a, true);
}

static void pause_keeps_doorbells(void)
{
	struct guest g;
	struct hisil_cqe c;

	guest_open(&g, NULL, NULL);
	guest_queue(&g, 0, 8);
	guest_run(&g, (struct hisil_sqe) { .tag = 1 });
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	guest_put(&g, 0, (struct hisil_sqe) { .tag = 2, .flags = 1 });
	guest_bell(&g, 0);
	CHECK_EQ(guest_rd(&g, Q(0, SQ_TAIL)), 2);
	CHECK_EQ(guest_rd(&g, Q(0, SQ_HEAD)), 1);
	CHECK(!guest_get(&g, 0, &c));
	CHECK_EQ(event_count(g.ev[0]), 0);
	guest_wr(&g, CP(PAUSE), 0);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_RUNNING);
	CHECK(guest_get(&g, 0, &c));
	CHECK_EQ(event_count(g.ev[0]), 1);
	/* unread completions interrupt again on resume */
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	guest_wr(&g, CP(PAUSE), 0);
	CHECK_EQ(event_count(g.ev[0]), 1);
	guest_wr(&g, Q(0, CQ_HEAD), g.head[0]);
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	guest_wr(&g, CP(PAUSE), 0);
	CHECK_EQ(event_count(g.ev[0]), 0);
	guest_close(&g, true);
}

static void owed_interrupt_migrates(void)
{
	uint16_t masked = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL;
	static uint8_t ctx[4096];
	struct hisil_queue_ctx q;
	struct guest g;

	guest_open(&g, NULL, NULL);
	guest_queue(&g, 0, 8);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, g.r->dev->cfg.msix + 2, &masked, 2),
		 0);
	guest_run(&g, (struct hisil_sqe) { .tag = 2, .flags = 1 });
	freeze(&g);
	ctx_get(&g, 0, ctx);
	memcpy(&q, ctx, sizeof(q));
	CHECK_EQ(q.irq_owed, 1);
	CHECK_EQ(rig_call(g.r, VU_DEVICE_RESET, NULL, 0, NULL, 0), 0);
	rig_enable(g.r);
	masked = PCI_MSIX_FLAGS_ENABLE;
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, g.r->dev->cfg.msix + 2, &masked, 2),
		 0);
	CHECK_EQ(event_count(g.ev[0]), 0);
	freeze(&g);
	CHECK_EQ(ctx_put(&g, 0, ctx, 64), 0);
	guest_wr(&g, CP(PAUSE), 0);
	CHECK_EQ(event_count(g.ev[0]), 1);
	guest_close(&g, true);
}

/* A queue that its driver was about to set up. */
static void half_set_up_queue_migrates(void)
{
	struct hisil_queue_ctx ctx;
	struct guest a, b;

	guest_open(&a, NULL, NULL);
	guest_open(&b, NULL, NULL);
	guest_wr(&a, Q(3, SQ_BASE), 0x12345);
	guest_wr(&a, Q(3, CQ_BASE) + 4, 0x6789);
	guest_wr(&a, Q(3, SIZE), 5);
	freeze(&a);
	CHECK_EQ(ctx_get(&a, 3, (uint8_t *)&ctx), sizeof(ctx));
	freeze(&b);
	CHECK_EQ(ctx_put(&b, 3, &ctx, sizeof(ctx)), 0);
	guest_wr(&b, CP(PAUSE), 0);
	CHECK_EQ(guest_rd(&b, Q(3, SQ_BASE)), 0x12345);
	CHECK_EQ(guest_rd(&b, Q(3, SQ_BASE) + 4), 0);
	CHECK_EQ(guest_rd(&b, Q(3, CQ_BASE)), 0);
	CHECK_EQ(guest_rd(&b, Q(3, CQ_BASE) + 4), 0x6789);
	CHECK_EQ(guest_rd(&b, Q(3, SIZE)), 5);
	guest_close(&b, true);
	guest_close(&a, true);
}

static void silent_when_drained(void)
{
	uint16_t masked = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL;
	uint16_t open = PCI_MSIX_FLAGS_ENABLE;
	struct guest g;
	struct hisil_cqe c;

	guest_open(&g, NULL, NULL);
	guest_queue(&g, 0, 8);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, g.r->dev->cfg.msix + 2, &masked, 2),
		 0);
	guest_put(&g, 0, (struct hisil_sqe) { .tag = 2, .flags = 1 });
	guest_bell(&g, 0);
	CHECK(guest_get(&g, 0, &c));
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_DRAINED);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, g.r->dev->cfg.msix + 2, &open, 2), 0);
	rig_step(g.r);
	CHECK_EQ(event_count(g.ev[0]), 0);
	guest_wr(&g, CP(PAUSE), 0);
	CHECK_EQ(event_count(g.ev[0]), 1);	/* once, though it has two reasons */
	guest_close(&g, true);
}

static void context_validation(void)
{
	static const struct hisil_queue_ctx good = {
		.magic = HISIL_QUEUE_MAGIC, .queue = 1, .sq_base = 64, .cq_base = 128, .size = 8,
		.qctrl = 3, .qstatus = 1, .sq_tail = 9, .sq_head = 5, .cq_tail = 5, .cq_head = 3,
		.seq = 5,
	};
	struct hisil_global_ctx glob = { .magic = HISIL_GLOBAL_MAGIC, .version = 1, .ctrl = 1,
				       .status = 1, .ops_done = 5, .ops_failed = 2 };
	struct hisil_queue_ctx q;
	struct guest g;
	uint8_t buf[64 + 17 * 64];

	guest_open(&g, NULL, NULL);
	CHECK_EQ(ctx_put(&g, 1, &good, 64), HISIL_ERR_NOT_FROZEN);
	CHECK_EQ(command(&g, 0, HISIL_CMD_READ), HISIL_FAILED);
	CHECK_EQ(command(&g, 0, 9), HISIL_FAILED);
	CHECK_EQ(guest_rd(&g, CP(ERR)), HISIL_ERR_BAD_COMMAND);
	freeze(&g);
	CHECK_EQ(ctx_put(&g, 1, &good, 64), 0);
	guest_wr(&g, CP(SEL), 64);
	CHECK_EQ(guest_rd(&g, CP(LEN)), 0);
	CHECK_EQ(ctx_put(&g, 64, &good, 64), HISIL_ERR_BAD_SELECT);
	CHECK_EQ(ctx_put(&g, 2, &good, 64), HISIL_ERR_BAD_CONTEXT);
	CHECK_EQ(ctx_put(&g, 1, &good, 60), HISIL_ERR_BAD_LENGTH);
	CHECK_EQ(ctx_put(&g, 1, &good, 0), HISIL_ERR_BAD_LENGTH);
#define BAD(field, value) do { \
	q = good; \
	q.field = value; \
	CHECK_EQ(ctx_put(&g, 1, &q, 64), HISIL_ERR_BAD_CONTEXT); \
} while (0)
	BAD(magic, 0);
	BAD(sq_base, 65);
	BAD(cq_base, 1);
	BAD(sq_base, UINT64_MAX - 63);
	BAD(size, 0);
	BAD(size, 7);
	BAD(size, 2048);
	BAD(qctrl, 4);
	BAD(qctrl, 2);
	BAD(qstatus, 3);
	BAD(qstatus, 0x402);
	BAD(qstatus, 0x101);
	BAD(qstatus, 0x10000);
	BAD(sq_tail, 14);
	BAD(sq_tail, 4);
	BAD(cq_tail, 12);
	BAD(cq_head, 6);
	BAD(irq_owed, 2);
	BAD(parked, 17);
#undef BAD
	memset(buf, 0, sizeof(buf));
	q = good;
	q.parked = 6;
	memcpy(buf, &q, 64);
	CHECK_EQ(ctx_put(&g, 1, buf, 64 + 6 * 64), HISIL_ERR_BAD_CONTEXT);	/* > sq_head */
	q.parked = 4;
	memcpy(buf, &q, 64);
	CHECK_EQ(ctx_put(&g, 1, buf, 64 + 3 * 64), HISIL_ERR_BAD_LENGTH);
	CHECK_EQ(ctx_put(&g, 1, buf, 64 + 4 * 64), 0);
	CHECK_EQ(guest_rd(&g, CP(LEN)), 64 + 4 * 64);
	memset(&q, 0, sizeof(q));			/* a queue never enabled */
	q.magic = HISIL_QUEUE_MAGIC;
	q.queue = 1;
	CHECK_EQ(ctx_put(&g, 1, &q, 64), 0);
	CHECK_EQ(ctx_put(&g, HISIL_SEL_GLOBAL, &glob, 64), 0);
	CHECK_EQ(guest_rd(&g, 0x20), 5);
	glob.version = 2;
	CHECK_EQ(ctx_put(&g, HISIL_SEL_GLOBAL, &glob, 64), HISIL_ERR_BAD_CONTEXT);
	glob.version = 1;
	glob.ops_failed = 6;
	CHECK_EQ(ctx_put(&g, HISIL_SEL_GLOBAL, &glob, 64), HISIL_ERR_BAD_CONTEXT);
	memcpy(buf, &glob, 64);
	CHECK_EQ(ctx_put(&g, HISIL_SEL_GLOBAL, buf, 68), HISIL_ERR_BAD_LENGTH);
	CHECK_EQ(guest_rd(&g, 0x28), 2);
	CHECK(!strcmp(rig_control(g.r, "isolate 1"), "ok\n"));
	CHECK_EQ(ctx_put(&g, 1, &good, 64), HISIL_ERR_ISOLATED);
	CHECK_EQ(command(&g, 0, HISIL_CMD_CLEAR), HISIL_IDLE);
	CHECK_EQ(guest_rd(&g, 0x20), 0);
	guest_close(&g, true);
}

static void flr_clears_all(void)
{
	char *slow[] = { "op_us=30000", NULL };
	struct guest g;
	uint16_t flr = PCI_EXP_DEVCTL_BCR_FLR;
	struct hisil_cqe c;

	guest_open(&g, slow, NULL);
	guest_queue(&g, 0, 8);
	for (int i = 0; i < 4; i++)
		guest_put(&g, 0, (struct hisil_sqe) { .tag = (uint32_t)i });
	guest_bell(&g, 0);
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX,
			   g.r->dev->cfg.pcie + PCI_EXP_DEVCTL, &flr, 2), 0);
	rig_enable(g.r);
	CHECK_EQ(guest_rd(&g, 0x10), 1);
	CHECK_EQ(guest_rd(&g, CP(PAUSE)), 0);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_RUNNING);
	CHECK_EQ(guest_rd(&g, Q(0, SIZE)), 0);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 0);
	CHECK_EQ(guest_rd(&g, 0x14), 0);
	rig_run(g.r, 40);
	CHECK(!guest_get(&g, 0, &c));
	CHECK_EQ(guest_rd(&g, 0x20), 0);
	guest_close(&g, true);
}

static void disable_while_in_work(void)
{
	struct guest g;
	struct hisil_cqe c;

	guest_open(&g, NULL, NULL);
	guest_queue(&g, 0, 8);
	for (int i = 0; i < 4; i++)
		guest_put(&g, 0, (struct hisil_sqe) { .tag = (uint32_t)i });
	rig_control(g.r, "fault op hang count=1");
	guest_bell(&g, 0);
	guest_wr(&g, Q(0, QCTRL), 2);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 1);
	rig_control(g.r, "fault clear");
	rig_step(g.r);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 0);
	CHECK_EQ(guest_rd(&g, Q(0, SQ_HEAD)), 1);
	CHECK(guest_get(&g, 0, &c));
	CHECK(!guest_get(&g, 0, &c));
	/* disabled and enabled again before the operation ended: a fresh start */
	rig_control(g.r, "fault op hang count=1");
	guest_wr(&g, Q(0, QCTRL), 3);
	guest_wr(&g, Q(0, SQ_TAIL), 2);
	guest_wr(&g, Q(0, QCTRL), 2);
	guest_wr(&g, Q(0, QCTRL), 3);
	rig_control(g.r, "fault clear");
	rig_step(g.r);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 1);
	CHECK_EQ(guest_rd(&g, Q(0, SQ_TAIL)), 0);
	CHECK_EQ(guest_rd(&g, Q(0, CQ_TAIL)), 0);
	guest_close(&g, true);
}

static void faults(void)
{
	char *options[] = { "drain_ms=40", NULL };
	struct guest g;
	struct hisil_cqe c;

	guest_open(&g, options, NULL);
	guest_queue(&g, 0, 8);
	rig_control(g.r, "fault op fail count=1");
	CHECK_EQ(guest_run(&g, guest_op(HISIL_NOP, 0, 0)).status, HISIL_ABORTED);
	rig_control(g.r, "fault dma_read fail count=1 skip=1");
	CHECK_EQ(guest_run(&g, guest_op(HISIL_CRC32C, 8, 0)).status, HISIL_DMA_FAULT);
	rig_control(g.r, "fault irq fail count=1");
	event_count(g.ev[0]);
	guest_run(&g, (struct hisil_sqe) { .flags = 1 });
	CHECK_EQ(event_count(g.ev[0]), 0);
	rig_control(g.r, "fault fetch fail count=1");
	guest_put(&g, 0, guest_op(HISIL_NOP, 0, 0));
	guest_bell(&g, 0);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 0x302);
	guest_wr(&g, Q(0, QCTRL), 0);
	guest_queue(&g, 0, 8);
	/* delayed and hanging operations */
	rig_control(g.r, "fault op delay=150 count=1");
	guest_put(&g, 0, guest_op(HISIL_NOP, 0, 0));
	guest_bell(&g, 0);
	CHECK(!guest_get(&g, 0, &c));
	rig_run(g.r, 170);
	CHECK(guest_get(&g, 0, &c));
	rig_control(g.r, "fault op hang count=1");
	guest_put(&g, 0, guest_op(HISIL_NOP, 0, 0));
	guest_bell(&g, 0);
	rig_run(g.r, 5);
	CHECK(!guest_get(&g, 0, &c));
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	rig_run(g.r, 50);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_DRAIN_FAILED);
	CHECK_EQ(guest_rd(&g, CP(ERR)), HISIL_ERR_DRAIN_TIMEOUT);
	guest_wr(&g, CP(PAUSE), 0);
	rig_control(g.r, "fault clear");
	rig_step(g.r);
	CHECK(guest_get(&g, 0, &c));
	/* pause: fails, or never ends */
	rig_control(g.r, "fault pause fail=7 count=1");
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_DRAIN_FAILED);
	CHECK_EQ(guest_rd(&g, CP(ERR)), 7);
	guest_wr(&g, CP(PAUSE), 0);
	rig_control(g.r, "fault pause hang count=1");
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	rig_run(g.r, 60);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_DRAINING);
	guest_wr(&g, CP(PAUSE), 0);
	rig_control(g.r, "fault clear");
	freeze(&g);
	/* commands: fail, BUSY for a while, BUSY for ever */
	rig_control(g.r, "fault save fail count=1");
	CHECK_EQ(command(&g, 0, HISIL_CMD_READ), HISIL_FAILED);
	CHECK_EQ(guest_rd(&g, CP(ERR)), HISIL_ERR_INTERNAL);
	rig_control(g.r, "fault load delay=150 count=1");
	guest_wr(&g, CP(WLEN), 0);
	CHECK_EQ(command(&g, 0, HISIL_CMD_WRITE), HISIL_BUSY);
	rig_run(g.r, 170);
	CHECK_EQ(guest_rd(&g, CP(STAT)), HISIL_FAILED);
	rig_control(g.r, "fault clear hang count=1");
	CHECK_EQ(command(&g, 0, HISIL_CMD_CLEAR), HISIL_BUSY);
	rig_run(g.r, 5);
	CHECK_EQ(guest_rd(&g, CP(STAT)), HISIL_BUSY);
	/* reset ends a hang; READY may come late */
	rig_control(g.r, "fault clear");
	rig_control(g.r, "fault reset delay=150 count=1");
	CHECK_EQ(rig_call(g.r, VU_DEVICE_RESET, NULL, 0, NULL, 0), 0);
	rig_enable(g.r);
	CHECK_EQ(guest_rd(&g, CP(STAT)), HISIL_IDLE);
	CHECK_EQ(guest_rd(&g, 0x10), 0);
	CHECK_EQ(guest_rd(&g, CP(LIMITS)), 0);		/* not known yet */
	rig_run(g.r, 170);
	CHECK_EQ(guest_rd(&g, 0x10), 1);
	CHECK_EQ(guest_rd(&g, CP(LIMITS)), 10 << 16 | 64);
	CHECK(!strcmp(rig_control(g.r, "claim limits 0xa0041"), "ok\n"));
	CHECK_EQ(guest_rd(&g, CP(LIMITS)), 10 << 16 | 65);
	CHECK(strstr(rig_control(g.r, "claim limits"), "err"));
	CHECK(strstr(rig_control(g.r, "claim id 1"), "err"));
	CHECK(strstr(rig_control(g.r, "claim limits 0x100000000"), "err"));
	CHECK(!strcmp(rig_control(g.r, "claim clear"), "ok\n"));
	CHECK_EQ(guest_rd(&g, CP(LIMITS)), 10 << 16 | 64);
	CHECK(!strcmp(rig_control(g.r, "fatal"), "ok\n"));
	CHECK_EQ(guest_rd(&g, 0x10), 3);
	CHECK(strstr(rig_control(g.r, "isolate 2"), "err"));
	CHECK(strstr(rig_control(g.r, "stats"), "ops_done 0\n"));
	guest_close(&g, true);
}

/* What does not end in time is taken back, and is done once, later or elsewhere. */
static void work_is_taken_back(void)
{
	char *options[] = { "drain_ms=40", NULL };
	char *without[] = { "drain_ms=40", "revoke=0", NULL };
	struct guest g;
	struct hisil_cqe c;

	guest_open(&g, options, NULL);
	CHECK_EQ(guest_rd(&g, CP(CAPS)), HISIL_CAP_REVOKE);
	guest_queue(&g, 0, 8);
	for (int i = 0; i < 3; i++)
		guest_put(&g, 0, (struct hisil_sqe) { .tag = 10 + (uint32_t)i });
	rig_control(g.r, "fault op hang count=1 skip=1");
	guest_bell(&g, 0);
	rig_run(g.r, 5);
	CHECK(guest_get(&g, 0, &c));
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	rig_run(g.r, 50);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_DRAIN_FAILED);
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE | HISIL_REVOKE);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_DRAINED);
	CHECK_EQ(guest_rd(&g, CP(PAUSE)), HISIL_PAUSE);
	CHECK_EQ(guest_rd(&g, Q(0, SQ_HEAD)), 3);
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE | HISIL_FREEZE);
	CHECK_EQ(command(&g, 0, HISIL_CMD_READ), HISIL_IDLE);
	CHECK_EQ(guest_rd(&g, CP(LEN)), HISIL_CTX_BYTES + 2 * HISIL_SQE_BYTES);
	/* the fault was spent on the first try */
	guest_wr(&g, CP(PAUSE), 0);
	rig_run(g.r, 5);
	for (uint32_t i = 1; i < 3; i++) {
		CHECK(guest_get(&g, 0, &c));
		CHECK_EQ(c.tag, 10 + i);
		CHECK_EQ(c.status, HISIL_OK);
	}
	CHECK(!guest_get(&g, 0, &c));
	/* of a queue that is being disabled nothing is kept */
	rig_control(g.r, "fault op hang count=1");
	guest_put(&g, 0, guest_op(HISIL_NOP, 0, 0));
	guest_bell(&g, 0);
	guest_wr(&g, Q(0, QCTRL), 2);
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE | HISIL_REVOKE);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_DRAINED);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 0);
	/* a drain that cannot work does not work this way either */
	guest_wr(&g, CP(PAUSE), 0);
	rig_control(g.r, "fault pause fail=7");
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE);
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE | HISIL_REVOKE);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_DRAIN_FAILED);
	guest_close(&g, true);

	guest_open(&g, without, NULL);
	CHECK_EQ(guest_rd(&g, CP(CAPS)), 0);
	guest_queue(&g, 0, 8);
	rig_control(g.r, "fault op hang count=1");
	guest_put(&g, 0, guest_op(HISIL_NOP, 0, 0));
	guest_bell(&g, 0);
	rig_run(g.r, 5);
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE | HISIL_REVOKE);
	guest_wr(&g, CP(PAUSE), HISIL_PAUSE | HISIL_REVOKE);
	rig_run(g.r, 50);
	CHECK_EQ(guest_rd(&g, CP(DRAIN)), HISIL_DRAIN_FAILED);
	guest_close(&g, true);
}

static const struct test hisi_like_control_tests[] = {
	{ "hisi_like: park_and_resume_elsewhere", park_and_resume_elsewhere },
	{ "hisi_like: pause_keeps_doorbells", pause_keeps_doorbells },
	{ "hisi_like: owed_interrupt_migrates", owed_interrupt_migrates },
	{ "hisi_like: half_set_up_queue_migrates", half_set_up_queue_migrates },
	{ "hisi_like: silent_when_drained", silent_when_drained },
	{ "hisi_like: context_validation", context_validation },
	{ "hisi_like: flr_clears_all", flr_clears_all },
	{ "hisi_like: disable_while_in_work", disable_while_in_work },
	{ "hisi_like: faults", faults },
	{ "hisi_like: work_is_taken_back", work_is_taken_back },
	{ NULL, NULL },
};

TEST_SUITE(hisi_like_control_tests);
