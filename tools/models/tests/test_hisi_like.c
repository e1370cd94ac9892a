// SPDX-License-Identifier: GPL-2.0
/* hisi_like, the user's half, against Documentation/hardware/hisi_like.rst. */
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <zlib.h>

#include "hisi_guest.h"

static void identity(void)
{
	char *options[] = { "rev=2.7", "version=3", "oldest=2", "queues=5", "log2=4", "algs=0x0b",
			    "isolated=1", "drain_ms=77", NULL };
	struct guest g;
	uint64_t wide = 0;
	uint16_t half;

	guest_open(&g, options, NULL);
	CHECK_EQ(guest_rd(&g, 0), 0x314c5348);
	CHECK_EQ(guest_rd(&g, 4), 0x20007);
	CHECK_EQ(guest_rd(&g, 8), 0x40005);
	CHECK_EQ(guest_rd(&g, 0xc), 0x0b);
	CHECK_EQ(guest_rd(&g, 0x10), 1);
	CHECK_EQ(guest_rd(&g, 0x18), HISIL_XFER_BYTES);
	CHECK_EQ(guest_rd(&g, CP(ID)), 0x434c5348);
	CHECK_EQ(guest_rd(&g, CP(REV)), 0x20007);
	CHECK_EQ(guest_rd(&g, CP(VERSION)), 0x20003);
	CHECK_EQ(guest_rd(&g, CP(LIMITS)), 0x40005);
	CHECK_EQ(guest_rd(&g, CP(ALGS)), 0x0b);
	CHECK_EQ(guest_rd(&g, CP(ISOLATION)), 1);
	CHECK_EQ(guest_rd(&g, CP(DRAIN_MS)), 77);
	/* other widths and alignments read ones and write nothing */
	CHECK_EQ(rig_read(g.r, HISIL_BAR, 0, &half, 2), 0);
	CHECK_EQ(half, 0xffff);
	CHECK_EQ(rig_read(g.r, HISIL_BAR, 2, &wide, 4), 0);
	CHECK_EQ((uint32_t)wide, 0xffffffff);
	CHECK_EQ(rig_read(g.r, HISIL_BAR, 0, &wide, 8), 0);
	CHECK_EQ(wide, UINT64_MAX);
	half = 1;
	CHECK_EQ(rig_write(g.r, HISIL_BAR, 0x14, &half, 2), 0);
	CHECK_EQ(guest_rd(&g, 0x14), 0);
	guest_wr64(&g, Q(1, SQ_BASE), 0x123456789a40ull);
	CHECK_EQ(guest_rd(&g, Q(1, SQ_BASE)), 0x56789a40);
	CHECK_EQ(guest_rd(&g, Q(1, SQ_BASE) + 4), 0x1234);
	CHECK_EQ(guest_rd(&g, Q(1, VECTOR)), 1);
	guest_wr(&g, Q(5, SIZE), 8);		/* no such queue */
	CHECK_EQ(guest_rd(&g, Q(5, SIZE)), 0);
	CHECK_EQ(guest_rd(&g, 0x800), 0);
	CHECK_EQ(vu_config_get(g.r->dev, 8, 4), 0x12000001);
	CHECK(strstr(rig_control(g.r, "regs"), "Q1.SQ_BASE 0x123456789a40\n"));
	CHECK(strstr(rig_control(g.r, "regs"), "CP_ISOLATION 0x1\n"));
	guest_close(&g, true);
}

static void every_operation(void)
{
	struct guest g;
	struct hisil_sqe e;
	struct hisil_cqe c;
	uint8_t *src, *dst;

	guest_open(&g, NULL, NULL);
	guest_queue(&g, 0, 8);
	src = g.mem + SRC_OFF;
	dst = g.mem + DST_OFF;
	for (unsigned int i = 0; i < 0x10000; i++)
		src[i] = (uint8_t)(i * i >> 7);
	c = guest_run(&g, (struct hisil_sqe) { .opcode = HISIL_NOP, .tag = 7 });
	CHECK_EQ(c.status, HISIL_OK);
	CHECK_EQ(c.seq, 1);
	CHECK_EQ(c.done, 1);
	c = guest_run(&g, guest_op(HISIL_COPY, 0x9001, 0xa000));
	CHECK_EQ(c.status, HISIL_OK);
	CHECK_EQ(c.out_len, 0x9001);
	CHECK_EQ(memcmp(src, dst, 0x9001), 0);
	CHECK_EQ(dst[0x9001], 0);
	e = guest_op(HISIL_FILL, 0, 300);
	e.arg = 0xe7;
	c = guest_run(&g, e);
	CHECK_EQ(c.out_len, 300);
	CHECK(dst[0] == 0xe7 && dst[299] == 0xe7 && dst[300] == src[300]);
	/* CRC-32C check value of "123456789", and chaining by the seed */
	memcpy(src, "123456789", 9);
	c = guest_run(&g, guest_op(HISIL_CRC32C, 9, 0));
	CHECK_EQ(c.result, 0xe3069283);
	CHECK_EQ(c.out_len, 0);
	e = guest_op(HISIL_CRC32C, 5, 0);
	e.src += 4;
	e.arg = hisil_crc32c(0, src, 4);
	c = guest_run(&g, e);
	CHECK_EQ(c.result, 0xe3069283);
	/* deflate, then inflate, and zlib itself agrees */
	c = guest_run(&g, guest_op(HISIL_DEFLATE, 0x10000, 0x20000));
	CHECK_EQ(c.status, HISIL_OK);
	{
		uint8_t *plain = malloc(0x10000);
		uLongf len = 0x10000;

		CHECK_EQ(uncompress(plain, &len, dst, c.out_len), Z_OK);
		CHECK_EQ(len, 0x10000);
		CHECK_EQ(memcmp(plain, src, len), 0);
		free(plain);
	}
	e = guest_op(HISIL_INFLATE, c.out_len, 0x10000);
	e.src = MEM_IOVA + DST_OFF;
	e.dst = MEM_IOVA + DST_OFF + 0x40000;
	c = guest_run(&g, e);
	CHECK_EQ(c.status, HISIL_OK);
	CHECK_EQ(c.out_len, 0x10000);
	CHECK_EQ(memcmp(src, dst + 0x40000, 0x10000), 0);
	CHECK_EQ(guest_rd(&g, 0x20), 7);
	CHECK_EQ(guest_rd(&g, 0x28), 0);
	guest_close(&g, true);
}

static void operation_errors(void)
{
	struct guest g;
	struct hisil_sqe e;
	unsigned int failed = 0;
	static const struct {
		struct hisil_sqe e;
		uint16_t want;
	} cases[] = {
		{ { .opcode = 6 }, HISIL_INVALID },
		{ { .opcode = 255 }, HISIL_INVALID },
		{ { .opcode = HISIL_NOP, .flags = 2 }, HISIL_INVALID },
		{ { .opcode = HISIL_NOP, .reserved = 1 }, HISIL_INVALID },
		{ { .opcode = HISIL_NOP, .arg = 1 }, HISIL_INVALID },
		{ { .opcode = HISIL_NOP, .reserved2[23] = 1 }, HISIL_INVALID },
		{ { .opcode = HISIL_COPY, .src_len = 0, .dst_len = 1 }, HISIL_INVALID },
		{ { .opcode = HISIL_COPY, .src_len = HISIL_XFER_BYTES + 1, .dst_len = -1 },
		  HISIL_INVALID },
		{ { .opcode = HISIL_COPY, .src_len = 1, .dst_len = 1, .arg = 1 }, HISIL_INVALID },
		{ { .opcode = HISIL_FILL, .dst_len = 0 }, HISIL_INVALID },
		{ { .opcode = HISIL_FILL, .dst_len = 4, .arg = 0x100 }, HISIL_INVALID },
		{ { .opcode = HISIL_CRC32C, .src_len = 0 }, HISIL_INVALID },
		{ { .opcode = HISIL_CRC32C, .src_len = 4, .arg = 1ull << 32 }, HISIL_INVALID },
		{ { .opcode = HISIL_COPY, .src_len = 8, .dst_len = 7 }, HISIL_NO_ROOM },
		{ { .opcode = HISIL_COPY, .src = 0x10, .src_len = 8, .dst_len = 8 },
		  HISIL_DMA_FAULT },
		{ { .opcode = HISIL_CRC32C, .src = -4ull, .src_len = 8 }, HISIL_DMA_FAULT },
		{ { .opcode = HISIL_FILL, .dst = 0x10, .dst_len = 8 }, HISIL_DMA_FAULT },
		{ { .opcode = HISIL_FILL, .dst = MEM_IOVA + MEM_BYTES - 4, .dst_len = 8 },
		  HISIL_DMA_FAULT },
		{ { .opcode = HISIL_DEFLATE, .src = MEM_IOVA + SRC_OFF, .src_len = 4096,
		    .dst = MEM_IOVA + DST_OFF, .dst_len = 8 }, HISIL_NO_ROOM },
		{ { .opcode = HISIL_INFLATE, .src = MEM_IOVA + SRC_OFF, .src_len = 4096,
		    .dst = MEM_IOVA + DST_OFF, .dst_len = 4096 }, HISIL_BAD_DATA },
	};

	guest_open(&g, NULL, NULL);
	guest_queue(&g, 0, 4);
	memset(g.mem + SRC_OFF, 0xaa, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++, failed++) {
		CHECK_EQ(guest_run(&g, cases[i].e).status, cases[i].want);
		CHECK_EQ(event_count(g.ev[0]), 1);	/* failure interrupts unasked */
	}
	/* a bomb is cut at dst_len; truncated and trailing data are not a stream */
	memset(g.mem + SRC_OFF, 0, 0x80000);
	e = guest_op(HISIL_DEFLATE, 0x80000, 0x10000);
	{
		struct hisil_cqe c = guest_run(&g, e);
		uint32_t len = c.out_len;

		CHECK_EQ(c.status, HISIL_OK);
		e = guest_op(HISIL_INFLATE, len, 0x1000);
		e.src = MEM_IOVA + DST_OFF;
		e.dst = MEM_IOVA + DST_OFF + 0x80000;
		CHECK_EQ(guest_run(&g, e).status, HISIL_NO_ROOM);
		CHECK_EQ(g.mem[DST_OFF + 0x81000], 0);
		e.dst_len = 0x80000;
		CHECK_EQ(guest_run(&g, e).status, HISIL_OK);
		e.src_len = len - 1;
		CHECK_EQ(guest_run(&g, e).status, HISIL_BAD_DATA);
		e.src_len = len + 1;
		CHECK_EQ(guest_run(&g, e).status, HISIL_BAD_DATA);
	}
	CHECK_EQ(guest_rd(&g, 0x28), failed + 3);
	guest_close(&g, true);
}

static void disabled_opcode(void)
{
	char *options[] = { "algs=1", NULL };
	struct guest g;

	guest_open(&g, options, NULL);
	guest_queue(&g, 0, 4);
	CHECK_EQ(guest_run(&g, guest_op(HISIL_NOP, 0, 0)).status, HISIL_OK);
	CHECK_EQ(guest_run(&g, guest_op(HISIL_COPY, 8, 8)).status, HISIL_INVALID);
	guest_close(&g, true);
}

static void ring_wrap_and_full(void)
{
	struct guest g;
	struct hisil_cqe c;
	uint64_t seq = 0;

	guest_open(&g, NULL, NULL);
	guest_queue(&g, 0, 4);
	/* full ring, completions not consumed: nothing is fetched beyond the room */
	for (int i = 0; i < 4; i++)
		guest_put(&g, 0, (struct hisil_sqe) { .tag = (uint32_t)i });
	guest_bell(&g, 0);
	CHECK_EQ(guest_rd(&g, Q(0, CQ_TAIL)), 4);
	for (int i = 4; i < 8; i++)
		guest_put(&g, 0, (struct hisil_sqe) { .tag = (uint32_t)i });
	guest_bell(&g, 0);
	CHECK_EQ(guest_rd(&g, Q(0, SQ_HEAD)), 4);
	CHECK_EQ(guest_rd(&g, Q(0, CQ_TAIL)), 4);
	for (uint32_t round = 0; round < 50; round++) {
		while (guest_get(&g, 0, &c)) {
			CHECK_EQ(c.seq, ++seq);
			CHECK_EQ(c.tag, seq - 1);
		}
		guest_wr(&g, Q(0, CQ_HEAD), g.head[0]);
		while (g.tail[0] - guest_rd(&g, Q(0, SQ_HEAD)) < 4 && round < 45)
			guest_put(&g, 0, (struct hisil_sqe) { .tag = g.tail[0] });
		guest_bell(&g, 0);
	}
	CHECK_EQ(seq, g.tail[0]);
	CHECK(seq > 100);
	/* overfull */
	guest_wr(&g, Q(0, SQ_TAIL), g.tail[0] + 5);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 0x202);
	guest_put(&g, 0, (struct hisil_sqe) { .tag = 1 });
	guest_bell(&g, 0);
	CHECK_EQ(guest_rd(&g, Q(0, SQ_TAIL)), seq);
	guest_wr(&g, Q(0, QCTRL), 0);
	guest_queue(&g, 0, 4);
	CHECK_EQ(guest_rd(&g, Q(0, CQ_TAIL)), 0);
	CHECK_EQ(guest_run(&g, guest_op(HISIL_NOP, 0, 0)).seq, 1);
	guest_wr(&g, Q(0, CQ_HEAD), 2);		/* beyond CQ_TAIL */
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 0x202);
	guest_close(&g, true);
}

static void bad_rings(void)
{
	struct guest g;
	uint32_t sizes[] = { 0, 1, 3, 2048, 0x80000000 };

	guest_open(&g, NULL, NULL);
	guest_wr(&g, 0x14, 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		guest_wr(&g, Q(0, SIZE), sizes[i]);
		guest_wr(&g, Q(0, QCTRL), 1);
		CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 0x102);
		guest_wr(&g, Q(0, QCTRL), 0);
	}
	guest_wr(&g, Q(0, SIZE), 16);
	guest_wr(&g, Q(0, SQ_BASE), 32);
	guest_wr(&g, Q(0, QCTRL), 1);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 0x102);
	guest_wr(&g, Q(0, QCTRL), 0);
	/* a ring that cannot be reached */
	guest_wr(&g, Q(0, SQ_BASE), 0x40);
	guest_wr(&g, Q(0, QCTRL), 1);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 1);
	guest_wr(&g, Q(0, SIZE), 8);		/* ignored while enabled */
	CHECK_EQ(guest_rd(&g, Q(0, SIZE)), 16);
	guest_wr(&g, Q(0, SQ_TAIL), 1);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 0x302);
	guest_wr(&g, Q(0, QCTRL), 0);
	/* completion ring not reachable */
	guest_wr64(&g, Q(0, SQ_BASE), MEM_IOVA);
	guest_wr(&g, Q(0, QCTRL), 1);
	guest_wr(&g, Q(0, SQ_TAIL), 1);
	CHECK_EQ(guest_rd(&g, Q(0, QSTATUS)), 0x302);
	guest_close(&g, true);
}

static void interrupts(void)
{
	struct guest g;
	struct hisil_sqe e = { .flags = HISIL_SQE_IRQ };

	guest_open(&g, NULL, NULL);
	guest_queue(&g, 0, 8);
	guest_queue(&g, 2, 8);
	guest_run(&g, (struct hisil_sqe) { .tag = 1 });
	CHECK_EQ(event_count(g.ev[0]), 0);
	guest_run(&g, e);
	CHECK_EQ(event_count(g.ev[0]), 1);
	guest_put(&g, 2, e);
	guest_bell(&g, 2);
	CHECK_EQ(event_count(g.ev[0]), 0);
	CHECK_EQ(event_count(g.ev[2]), 1);
	guest_wr(&g, Q(0, QCTRL), 1);
	guest_run(&g, e);
	CHECK_EQ(event_count(g.ev[0]), 0);
	guest_close(&g, true);
}

static void needs_enable_and_bus_master(void)
{
	struct guest g;
	uint16_t cmd = PCI_COMMAND_MEMORY;
	struct hisil_cqe c;

	guest_open(&g, NULL, NULL);
	guest_queue(&g, 0, 8);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &cmd, 2), 0);
	guest_put(&g, 0, guest_op(HISIL_NOP, 0, 0));
	guest_bell(&g, 0);
	CHECK_EQ(guest_rd(&g, Q(0, SQ_HEAD)), 0);
	guest_wr(&g, 0x14, 0);
	rig_enable(g.r);
	rig_step(g.r);
	CHECK_EQ(guest_rd(&g, Q(0, SQ_HEAD)), 0);
	guest_wr(&g, 0x14, 1);
	CHECK(guest_get(&g, 0, &c));
	cmd = 0;
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &cmd, 2), 0);
	CHECK_EQ(guest_rd(&g, 0), 0xffffffff);
	CHECK_EQ(guest_rd(&g, CP(ID)), 0xffffffff);
	guest_close(&g, true);
}

/* An operation whose source and destination span separate mappings. */
static void spans_mappings(void)
{
	struct guest g;
	struct hisil_sqe e = guest_op(HISIL_COPY, 0x3000, 0x3000);
	struct hisil_cqe c;

	guest_open(&g, NULL, NULL);
	guest_queue(&g, 0, 8);
	CHECK_EQ(rig_dma_map(g.r, 0x8000000, 0x1000, SRC_OFF + 0x2000, 3, g.fd), 0);
	CHECK_EQ(rig_dma_map(g.r, 0x8001000, 0x1000, SRC_OFF, 3, g.fd), 0);
	CHECK_EQ(rig_dma_map(g.r, 0x8002000, 0x1000, SRC_OFF + 0x5000, 3, g.fd), 0);
	memset(g.mem + SRC_OFF + 0x2000, 1, 0x1000);
	memset(g.mem + SRC_OFF, 2, 0x1000);
	memset(g.mem + SRC_OFF + 0x5000, 3, 0x1000);
	e.src = 0x8000000;
	vu_ledger_clear(&g.r->dev->ledger);
	c = guest_run(&g, e);
	CHECK_EQ(c.status, HISIL_OK);
	CHECK(g.mem[DST_OFF] == 1 && g.mem[DST_OFF + 0x1000] == 2 && g.mem[DST_OFF + 0x2fff] == 3);
	CHECK(strstr(rig_control(g.r, "ledger"), "0x1200000 1\n0x1201000 1\n0x1202000 1\nok\n"));
	CHECK_EQ(rig_dma_unmap(g.r, 0x8001000, 0x1000, 0), 24);
	CHECK_EQ(guest_run(&g, e).status, HISIL_DMA_FAULT);
	guest_close(&g, true);
}

/* The ids of a chain, in order; 0 ends them. */
static void check_chain(const struct vu_dev *dev, bool ext, const unsigned int *ids)
{
	unsigned int pos = ext ? 0x100 : vu_config_get(dev, PCI_CAPABILITY_LIST, 1);

	for (; *ids; ids++) {
		uint32_t head = vu_config_get(dev, pos, 4);

		CHECK(pos);
		CHECK_EQ(head & (ext ? 0xffff : 0xff), *ids);
		pos = ext ? head >> 20 : head >> 8 & 0xff;
	}
	CHECK_EQ(pos, 0);
}

/* Each firmware has its config space and its control page, and works. */
static void firmware_revisions(void)
{
	static const struct {
		const char *option;
		unsigned int std[5], ext[4];
		uint32_t half;
		const char *build;
	} want[] = {
		{ "firmware=1", { 0x10, 0x01, 0x11, 0x09 }, { 3, 1 }, 0x20000, "hsl fw 1.0.7" },
		{ "firmware=2", { 0x11, 0x09, 0x01, 0x10 }, { 0xb, 3, 1 }, 0x40000,
		  "hsl fw 2.1.0 build 5" },
	};

	for (unsigned int i = 0; i < 2; i++) {
		char *options[] = { (char *)(uintptr_t)want[i].option, NULL };
		struct vu_shape shape;
		struct vu_dev *dev;
		struct guest g;
		unsigned int pos;

		guest_open(&g, options, NULL);
		dev = g.r->dev;
		check_chain(dev, false, want[i].std);
		check_chain(dev, true, want[i].ext);
		CHECK_EQ(vu_config_get(dev, PCI_REVISION_ID, 1), i + 1);
		vu_dev_shape(dev, &shape);
		CHECK_EQ(shape.region_bytes[HISIL_BAR], 2 * want[i].half);
		CHECK_EQ(dev->cfg.writable[PCI_BASE_ADDRESS_2 + 2], 0x100 - want[i].half / 0x8000);
		for (pos = vu_config_get(dev, PCI_CAPABILITY_LIST, 1);
		     vu_config_get(dev, pos, 1) != PCI_CAP_ID_VNDR;
		     pos = vu_config_get(dev, pos + 1, 1))
			;
		CHECK_EQ(vu_config_get(dev, pos + 2, 1), strlen(want[i].build) + 4);
		CHECK(!strcmp((const char *)dev->cfg.data + pos + 3, want[i].build));
		CHECK_EQ(guest_rd(&g, 4), 1 << 16);
		CHECK_EQ(guest_rd(&g, want[i].half), 0x434c5348);
		CHECK_EQ(guest_rd(&g, want[i].half - 4), 0);
		guest_queue(&g, 0, 4);
		CHECK_EQ(guest_run(&g, guest_op(HISIL_COPY, 8, 8)).status, HISIL_OK);
		guest_close(&g, true);
	}
}

static const struct test hisi_like_tests[] = {
	{ "hisi_like: identity_and_access_rules", identity },
	{ "hisi_like: every_operation", every_operation },
	{ "hisi_like: operation_errors", operation_errors },
	{ "hisi_like: disabled_opcode", disabled_opcode },
	{ "hisi_like: ring_wrap_and_full", ring_wrap_and_full },
	{ "hisi_like: bad_rings", bad_rings },
	{ "hisi_like: interrupts", interrupts },
	{ "hisi_like: needs_enable_and_bus_master", needs_enable_and_bus_master },
	{ "hisi_like: spans_mappings", spans_mappings },
	{ "hisi_like: firmware_revisions", firmware_revisions },
	{ NULL, NULL },
};

TEST_SUITE(hisi_like_tests);
