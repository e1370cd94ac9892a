// SPDX-License-Identifier: GPL-2.0
/* The hisi_like model against Documentation/hardware/hisi_like.rst. */
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <zlib.h>

#include "../hisi_like.h"
#include "test.h"

#define BAR		2u
#define Q(n, reg)	(HSL_Q_BASE + (n) * HSL_Q_STRIDE + (reg))
#define CP(reg)		(HSL_CP_BASE + (reg))
#define MEM_IOVA	0x1000000ull
#define MEM_BYTES	0x400000u
#define SQ_OFF		0x0u		/* rings of queue n at n * 0x20000 */
#define CQ_OFF		0x10000u
#define SRC_OFF		0x100000u
#define DST_OFF		0x200000u

enum { SQ_BASE = 0, CQ_BASE = 8, SIZE = 0x10, QCTRL = 0x14, QSTATUS = 0x18, SQ_TAIL = 0x20,
       SQ_HEAD = 0x24, CQ_HEAD = 0x28, CQ_TAIL = 0x2c };
enum { PAUSE = 0x20, DRAIN = 0x24, ERR = 0x28, SEL = 0x30, LEN = 0x34, CMD = 0x38, STAT = 0x3c,
       WLEN = 0x40 };

/* A device with its guest: memory, a ring per queue, eventfds of the first vectors. */
struct guest {
	struct rig *r;
	uint8_t *mem;
	int fd;
	int ev[4];
	uint32_t size, tail[4], head[4];
};

static uint32_t rd(struct guest *g, uint32_t off)
{
	return rig_read32(g->r, BAR, off);
}

static void wr(struct guest *g, uint32_t off, uint32_t val)
{
	rig_write32(g->r, BAR, off, val);
}

static void wr64(struct guest *g, uint32_t off, uint64_t val)
{
	CHECK_EQ(rig_write(g->r, BAR, off, &val, 8), 0);
}

/* Device side only: power up and share @mem (NULL: new memory). */
static void guest_open(struct guest *g, char **options, struct guest *share)
{
	uint16_t enable = PCI_MSIX_FLAGS_ENABLE;

	memset(g, 0, sizeof(*g));
	g->r = rig_open(&hisi_like_model, options);
	if (share) {
		g->mem = share->mem;
		g->fd = share->fd;
		CHECK_EQ(rig_dma_map(g->r, MEM_IOVA, MEM_BYTES, 0, 3, g->fd), 0);
	} else {
		g->mem = rig_memory(g->r, MEM_IOVA, MEM_BYTES, 3, &g->fd);
	}
	rig_enable(g->r);
	CHECK_EQ(rig_write(g->r, VFIO_PCI_CONFIG_REGION_INDEX, g->r->dev->cfg.msix + 2, &enable, 2),
		 0);
	for (int i = 0; i < 4; i++)
		g->ev[i] = eventfd(0, EFD_NONBLOCK);
	CHECK_EQ(rig_set_irqs(g->r, VFIO_PCI_MSIX_IRQ_INDEX,
			      VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 4, g->ev,
			      4), 0);
}

static void guest_close(struct guest *g, bool memory)
{
	for (int i = 0; i < 4; i++)
		close(g->ev[i]);
	if (memory) {
		munmap(g->mem, MEM_BYTES);
		close(g->fd);
	}
	rig_close(g->r);
}

static void queue_on(struct guest *g, uint32_t n, uint32_t size)
{
	g->size = size;
	g->tail[n] = 0;
	g->head[n] = 0;
	memset(g->mem + n * 0x20000 + CQ_OFF, 0, 0x8000);
	wr(g, 0x14, 1);
	wr64(g, Q(n, SQ_BASE), MEM_IOVA + n * 0x20000 + SQ_OFF);
	wr64(g, Q(n, CQ_BASE), MEM_IOVA + n * 0x20000 + CQ_OFF);
	wr(g, Q(n, SIZE), size);
	wr(g, Q(n, QCTRL), 3);
	CHECK_EQ(rd(g, Q(n, QSTATUS)), 1);
}

static void put(struct guest *g, uint32_t n, struct hsl_sqe e)
{
	memcpy(g->mem + n * 0x20000 + SQ_OFF + (g->tail[n] & (g->size - 1)) * 64, &e, 64);
	g->tail[n]++;
}

static void bell(struct guest *g, uint32_t n)
{
	wr(g, Q(n, SQ_TAIL), g->tail[n]);
}

/* The next completion, if its phase says that it is there. */
static bool get(struct guest *g, uint32_t n, struct hsl_cqe *c)
{
	memcpy(c, g->mem + n * 0x20000 + CQ_OFF + (g->head[n] & (g->size - 1)) * 32, 32);
	if ((c->phase & 1) != ((g->head[n] / g->size & 1) ^ 1))
		return false;
	g->head[n]++;
	return true;
}

static struct hsl_cqe run1(struct guest *g, struct hsl_sqe e)
{
	struct hsl_cqe c = { .status = 0xffff };

	put(g, 0, e);
	bell(g, 0);
	CHECK(get(g, 0, &c));
	CHECK_EQ(c.tag, e.tag);
	wr(g, Q(0, CQ_HEAD), g->head[0]);
	return c;
}

static struct hsl_sqe op(uint8_t opcode, uint32_t src_len, uint32_t dst_len)
{
	return (struct hsl_sqe) {
		.opcode = opcode, .tag = 0x1000u + opcode, .src = MEM_IOVA + SRC_OFF,
		.dst = MEM_IOVA + DST_OFF, .src_len = src_len, .dst_len = dst_len,
	};
}

static void identity(void)
{
	char *options[] = { "rev=2.7", "version=3", "oldest=2", "queues=5", "log2=4", "algs=0x0b",
			    "isolated=1", "drain_ms=77", NULL };
	struct guest g;
	uint64_t wide = 0;
	uint16_t half;

	guest_open(&g, options, NULL);
	CHECK_EQ(rd(&g, 0), 0x314c5348);
	CHECK_EQ(rd(&g, 4), 0x20007);
	CHECK_EQ(rd(&g, 8), 0x40005);
	CHECK_EQ(rd(&g, 0xc), 0x0b);
	CHECK_EQ(rd(&g, 0x10), 1);
	CHECK_EQ(rd(&g, 0x18), HSL_MAX_XFER);
	CHECK_EQ(rd(&g, CP(0)), 0x434c5348);
	CHECK_EQ(rd(&g, CP(4)), 0x20007);
	CHECK_EQ(rd(&g, CP(8)), 0x20003);
	CHECK_EQ(rd(&g, CP(0xc)), 0x40005);
	CHECK_EQ(rd(&g, CP(0x10)), 0x0b);
	CHECK_EQ(rd(&g, CP(0x14)), 1);
	CHECK_EQ(rd(&g, CP(0x1c)), 77);
	/* other widths and alignments read ones and write nothing */
	CHECK_EQ(rig_read(g.r, BAR, 0, &half, 2), 0);
	CHECK_EQ(half, 0xffff);
	CHECK_EQ(rig_read(g.r, BAR, 2, &wide, 4), 0);
	CHECK_EQ((uint32_t)wide, 0xffffffff);
	CHECK_EQ(rig_read(g.r, BAR, 0, &wide, 8), 0);
	CHECK_EQ(wide, UINT64_MAX);
	half = 1;
	CHECK_EQ(rig_write(g.r, BAR, 0x14, &half, 2), 0);
	CHECK_EQ(rd(&g, 0x14), 0);
	wr64(&g, Q(1, SQ_BASE), 0x123456789a40ull);
	CHECK_EQ(rd(&g, Q(1, SQ_BASE)), 0x56789a40);
	CHECK_EQ(rd(&g, Q(1, SQ_BASE) + 4), 0x1234);
	CHECK_EQ(rd(&g, Q(1, 0x1c)), 1);
	wr(&g, Q(5, SIZE), 8);		/* no such queue */
	CHECK_EQ(rd(&g, Q(5, SIZE)), 0);
	CHECK_EQ(rd(&g, 0x800), 0);
	CHECK_EQ(vu_config_get(g.r->dev, 8, 4), 0x12000001);
	CHECK(strstr(rig_control(g.r, "regs"), "Q1.SQ_BASE 0x123456789a40\n"));
	CHECK(strstr(rig_control(g.r, "regs"), "CP_ISOLATION 0x1\n"));
	guest_close(&g, true);
}

static void every_operation(void)
{
	struct guest g;
	struct hsl_sqe e;
	struct hsl_cqe c;
	uint8_t *src, *dst;

	guest_open(&g, NULL, NULL);
	queue_on(&g, 0, 8);
	src = g.mem + SRC_OFF;
	dst = g.mem + DST_OFF;
	for (unsigned int i = 0; i < 0x10000; i++)
		src[i] = (uint8_t)(i * i >> 7);
	c = run1(&g, (struct hsl_sqe) { .opcode = HSL_NOP, .tag = 7 });
	CHECK_EQ(c.status, HSL_OK);
	CHECK_EQ(c.seq, 1);
	CHECK_EQ(c.done, 1);
	c = run1(&g, op(HSL_COPY, 0x9001, 0xa000));
	CHECK_EQ(c.status, HSL_OK);
	CHECK_EQ(c.out_len, 0x9001);
	CHECK_EQ(memcmp(src, dst, 0x9001), 0);
	CHECK_EQ(dst[0x9001], 0);
	e = op(HSL_FILL, 0, 300);
	e.arg = 0xe7;
	c = run1(&g, e);
	CHECK_EQ(c.out_len, 300);
	CHECK(dst[0] == 0xe7 && dst[299] == 0xe7 && dst[300] == src[300]);
	/* CRC-32C check value of "123456789", and chaining by the seed */
	memcpy(src, "123456789", 9);
	c = run1(&g, op(HSL_CRC32C, 9, 0));
	CHECK_EQ(c.result, 0xe3069283);
	CHECK_EQ(c.out_len, 0);
	e = op(HSL_CRC32C, 5, 0);
	e.src += 4;
	e.arg = hsl_crc32c(0, src, 4);
	c = run1(&g, e);
	CHECK_EQ(c.result, 0xe3069283);
	/* deflate, then inflate, and zlib itself agrees */
	c = run1(&g, op(HSL_DEFLATE, 0x10000, 0x20000));
	CHECK_EQ(c.status, HSL_OK);
	{
		uint8_t *plain = malloc(0x10000);
		uLongf len = 0x10000;

		CHECK_EQ(uncompress(plain, &len, dst, c.out_len), Z_OK);
		CHECK_EQ(len, 0x10000);
		CHECK_EQ(memcmp(plain, src, len), 0);
		free(plain);
	}
	e = op(HSL_INFLATE, c.out_len, 0x10000);
	e.src = MEM_IOVA + DST_OFF;
	e.dst = MEM_IOVA + DST_OFF + 0x40000;
	c = run1(&g, e);
	CHECK_EQ(c.status, HSL_OK);
	CHECK_EQ(c.out_len, 0x10000);
	CHECK_EQ(memcmp(src, dst + 0x40000, 0x10000), 0);
	CHECK_EQ(rd(&g, 0x20), 7);
	CHECK_EQ(rd(&g, 0x28), 0);
	guest_close(&g, true);
}

static void operation_errors(void)
{
	struct guest g;
	struct hsl_sqe e;
	unsigned int failed = 0;
	static const struct {
		struct hsl_sqe e;
		uint16_t want;
	} cases[] = {
		{ { .opcode = 6 }, HSL_INVALID },
		{ { .opcode = 255 }, HSL_INVALID },
		{ { .opcode = HSL_NOP, .flags = 2 }, HSL_INVALID },
		{ { .opcode = HSL_NOP, .reserved = 1 }, HSL_INVALID },
		{ { .opcode = HSL_NOP, .arg = 1 }, HSL_INVALID },
		{ { .opcode = HSL_NOP, .reserved2[23] = 1 }, HSL_INVALID },
		{ { .opcode = HSL_COPY, .src_len = 0, .dst_len = 1 }, HSL_INVALID },
		{ { .opcode = HSL_COPY, .src_len = HSL_MAX_XFER + 1, .dst_len = -1 }, HSL_INVALID },
		{ { .opcode = HSL_COPY, .src_len = 1, .dst_len = 1, .arg = 1 }, HSL_INVALID },
		{ { .opcode = HSL_FILL, .dst_len = 0 }, HSL_INVALID },
		{ { .opcode = HSL_FILL, .dst_len = 4, .arg = 0x100 }, HSL_INVALID },
		{ { .opcode = HSL_CRC32C, .src_len = 0 }, HSL_INVALID },
		{ { .opcode = HSL_CRC32C, .src_len = 4, .arg = 1ull << 32 }, HSL_INVALID },
		{ { .opcode = HSL_COPY, .src_len = 8, .dst_len = 7 }, HSL_NO_ROOM },
		{ { .opcode = HSL_COPY, .src = 0x10, .src_len = 8, .dst_len = 8 }, HSL_DMA_FAULT },
		{ { .opcode = HSL_CRC32C, .src = -4ull, .src_len = 8 }, HSL_DMA_FAULT },
		{ { .opcode = HSL_FILL, .dst = 0x10, .dst_len = 8 }, HSL_DMA_FAULT },
		{ { .opcode = HSL_FILL, .dst = MEM_IOVA + MEM_BYTES - 4, .dst_len = 8 },
		  HSL_DMA_FAULT },
		{ { .opcode = HSL_DEFLATE, .src = MEM_IOVA + SRC_OFF, .src_len = 4096,
		    .dst = MEM_IOVA + DST_OFF, .dst_len = 8 }, HSL_NO_ROOM },
		{ { .opcode = HSL_INFLATE, .src = MEM_IOVA + SRC_OFF, .src_len = 4096,
		    .dst = MEM_IOVA + DST_OFF, .dst_len = 4096 }, HSL_BAD_DATA },
	};

	guest_open(&g, NULL, NULL);
	queue_on(&g, 0, 4);
	memset(g.mem + SRC_OFF, 0xaa, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++, failed++) {
		CHECK_EQ(run1(&g, cases[i].e).status, cases[i].want);
		CHECK_EQ(event_count(g.ev[0]), 1);	/* failure interrupts unasked */
	}
	/* a bomb is cut at dst_len; truncated and trailing data are not a stream */
	memset(g.mem + SRC_OFF, 0, 0x80000);
	e = op(HSL_DEFLATE, 0x80000, 0x10000);
	{
		struct hsl_cqe c = run1(&g, e);
		uint32_t len = c.out_len;

		CHECK_EQ(c.status, HSL_OK);
		e = op(HSL_INFLATE, len, 0x1000);
		e.src = MEM_IOVA + DST_OFF;
		e.dst = MEM_IOVA + DST_OFF + 0x80000;
		CHECK_EQ(run1(&g, e).status, HSL_NO_ROOM);
		CHECK_EQ(g.mem[DST_OFF + 0x81000], 0);
		e.dst_len = 0x80000;
		CHECK_EQ(run1(&g, e).status, HSL_OK);
		e.src_len = len - 1;
		CHECK_EQ(run1(&g, e).status, HSL_BAD_DATA);
		e.src_len = len + 1;
		CHECK_EQ(run1(&g, e).status, HSL_BAD_DATA);
	}
	CHECK_EQ(rd(&g, 0x28), failed + 3);
	guest_close(&g, true);
}

static void disabled_opcode(void)
{
	char *options[] = { "algs=1", NULL };
	struct guest g;

	guest_open(&g, options, NULL);
	queue_on(&g, 0, 4);
	CHECK_EQ(run1(&g, op(HSL_NOP, 0, 0)).status, HSL_OK);
	CHECK_EQ(run1(&g, op(HSL_COPY, 8, 8)).status, HSL_INVALID);
	guest_close(&g, true);
}

static void ring_wrap_and_full(void)
{
	struct guest g;
	struct hsl_cqe c;
	uint64_t seq = 0;

	guest_open(&g, NULL, NULL);
	queue_on(&g, 0, 4);
	/* full ring, completions not consumed: nothing is fetched beyond the room */
	for (int i = 0; i < 4; i++)
		put(&g, 0, (struct hsl_sqe) { .tag = (uint32_t)i });
	bell(&g, 0);
	CHECK_EQ(rd(&g, Q(0, CQ_TAIL)), 4);
	for (int i = 4; i < 8; i++)
		put(&g, 0, (struct hsl_sqe) { .tag = (uint32_t)i });
	bell(&g, 0);
	CHECK_EQ(rd(&g, Q(0, SQ_HEAD)), 4);
	CHECK_EQ(rd(&g, Q(0, CQ_TAIL)), 4);
	for (uint32_t round = 0; round < 50; round++) {
		while (get(&g, 0, &c)) {
			CHECK_EQ(c.seq, ++seq);
			CHECK_EQ(c.tag, seq - 1);
		}
		wr(&g, Q(0, CQ_HEAD), g.head[0]);
		while (g.tail[0] - rd(&g, Q(0, SQ_HEAD)) < 4 && round < 45)
			put(&g, 0, (struct hsl_sqe) { .tag = g.tail[0] });
		bell(&g, 0);
	}
	CHECK_EQ(seq, g.tail[0]);
	CHECK(seq > 100);
	/* overfull */
	wr(&g, Q(0, SQ_TAIL), g.tail[0] + 5);
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 0x202);
	put(&g, 0, (struct hsl_sqe) { .tag = 1 });
	bell(&g, 0);
	CHECK_EQ(rd(&g, Q(0, SQ_TAIL)), seq);
	wr(&g, Q(0, QCTRL), 0);
	queue_on(&g, 0, 4);
	CHECK_EQ(rd(&g, Q(0, CQ_TAIL)), 0);
	CHECK_EQ(run1(&g, op(HSL_NOP, 0, 0)).seq, 1);
	wr(&g, Q(0, CQ_HEAD), 2);		/* beyond CQ_TAIL */
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 0x202);
	guest_close(&g, true);
}

static void bad_rings(void)
{
	struct guest g;
	uint32_t sizes[] = { 0, 1, 3, 2048, 0x80000000 };

	guest_open(&g, NULL, NULL);
	wr(&g, 0x14, 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		wr(&g, Q(0, SIZE), sizes[i]);
		wr(&g, Q(0, QCTRL), 1);
		CHECK_EQ(rd(&g, Q(0, QSTATUS)), 0x102);
		wr(&g, Q(0, QCTRL), 0);
	}
	wr(&g, Q(0, SIZE), 16);
	wr(&g, Q(0, SQ_BASE), 32);
	wr(&g, Q(0, QCTRL), 1);
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 0x102);
	wr(&g, Q(0, QCTRL), 0);
	/* a ring that cannot be reached */
	wr(&g, Q(0, SQ_BASE), 0x40);
	wr(&g, Q(0, QCTRL), 1);
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 1);
	wr(&g, Q(0, SIZE), 8);		/* ignored while enabled */
	CHECK_EQ(rd(&g, Q(0, SIZE)), 16);
	wr(&g, Q(0, SQ_TAIL), 1);
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 0x302);
	wr(&g, Q(0, QCTRL), 0);
	/* completion ring not reachable */
	wr64(&g, Q(0, SQ_BASE), MEM_IOVA);
	wr(&g, Q(0, QCTRL), 1);
	wr(&g, Q(0, SQ_TAIL), 1);
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 0x302);
	guest_close(&g, true);
}

static void interrupts(void)
{
	struct guest g;
	struct hsl_sqe e = { .flags = HSL_SQE_IRQ };

	guest_open(&g, NULL, NULL);
	queue_on(&g, 0, 8);
	queue_on(&g, 2, 8);
	run1(&g, (struct hsl_sqe) { .tag = 1 });
	CHECK_EQ(event_count(g.ev[0]), 0);
	run1(&g, e);
	CHECK_EQ(event_count(g.ev[0]), 1);
	put(&g, 2, e);
	bell(&g, 2);
	CHECK_EQ(event_count(g.ev[0]), 0);
	CHECK_EQ(event_count(g.ev[2]), 1);
	wr(&g, Q(0, QCTRL), 1);
	run1(&g, e);
	CHECK_EQ(event_count(g.ev[0]), 0);
	guest_close(&g, true);
}

static void needs_enable_and_bus_master(void)
{
	struct guest g;
	uint16_t cmd = PCI_COMMAND_MEMORY;
	struct hsl_cqe c;

	guest_open(&g, NULL, NULL);
	queue_on(&g, 0, 8);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &cmd, 2), 0);
	put(&g, 0, op(HSL_NOP, 0, 0));
	bell(&g, 0);
	CHECK_EQ(rd(&g, Q(0, SQ_HEAD)), 0);
	wr(&g, 0x14, 0);
	rig_enable(g.r);
	rig_step(g.r);
	CHECK_EQ(rd(&g, Q(0, SQ_HEAD)), 0);
	wr(&g, 0x14, 1);
	CHECK(get(&g, 0, &c));
	cmd = 0;
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &cmd, 2), 0);
	CHECK_EQ(rd(&g, 0), 0xffffffff);
	CHECK_EQ(rd(&g, CP(0)), 0xffffffff);
	guest_close(&g, true);
}

/* ---- control page ---- */

static uint32_t command(struct guest *g, uint32_t sel, uint32_t cmd)
{
	wr(g, CP(SEL), sel);
	wr(g, CP(CMD), cmd);
	return rd(g, CP(STAT));
}

static void freeze(struct guest *g)
{
	wr(g, CP(PAUSE), HSL_PAUSE);
	CHECK_EQ(rd(g, CP(DRAIN)), HSL_DRAINED);
	wr(g, CP(PAUSE), HSL_PAUSE | HSL_FREEZE);
	CHECK_EQ(rd(g, CP(PAUSE)), 3);
}

static uint32_t ctx_get(struct guest *g, uint32_t sel, uint8_t *buf)
{
	uint32_t len;

	CHECK_EQ(command(g, sel, HSL_CMD_READ), HSL_IDLE);
	len = rd(g, CP(LEN));
	for (uint32_t i = 0; i < len; i += 4) {
		uint32_t v = rd(g, CP(HSL_WINDOW + i));

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
		wr(g, CP(HSL_WINDOW + i), v);
	}
	wr(g, CP(WLEN), len);
	wr(g, CP(ERR), 0);
	stat = command(g, sel, HSL_CMD_WRITE);
	CHECK_EQ(stat == HSL_FAILED, rd(g, CP(ERR)) != 0);
	return rd(g, CP(ERR));
}

/* Operations are in all stages when the pause comes; they end once, on the other device. */
static void park_and_resume_elsewhere(void)
{
	static uint8_t ctx[4][4096];
	char *slow[] = { "op_us=2000", NULL };
	unsigned int seen[3][60] = { 0 };
	struct guest a, b;
	struct hsl_cqe c;
	uint32_t len[4];
	unsigned int parked = 0;
	uint64_t done = 0;

	guest_open(&a, slow, NULL);
	for (uint32_t n = 0; n < 3; n++) {
		queue_on(&a, n, 64);
		for (uint32_t i = 0; i < 60; i++) {
			struct hsl_sqe e = { .opcode = HSL_FILL, .tag = i, .dst_len = 1,
					     .flags = i == 59,
					     .dst = MEM_IOVA + DST_OFF + n * 0x1000 + i,
					     .arg = i + 1 };
			put(&a, n, e);
		}
		bell(&a, n);
	}
	rig_run(a.r, 12);
	wr(&a, CP(PAUSE), HSL_PAUSE);
	CHECK_EQ(rd(&a, CP(DRAIN)), HSL_DRAINING);
	wr(&a, CP(PAUSE), HSL_PAUSE | HSL_FREEZE);
	CHECK_EQ(rd(&a, CP(PAUSE)), 1);			/* no freeze before DRAINED */
	rig_run(a.r, 10);
	CHECK_EQ(rd(&a, CP(DRAIN)), HSL_DRAINED);
	vu_ledger_clear(&a.r->dev->ledger);
	wr(&a, CP(PAUSE), HSL_PAUSE | HSL_FREEZE);
	wr(&a, Q(0, SQ_TAIL), 61);			/* ignored when frozen */
	CHECK_EQ(rd(&a, Q(0, SQ_TAIL)), 60);
	for (uint32_t n = 0; n < 3; n++) {
		struct hsl_queue_ctx q;

		len[n] = ctx_get(&a, n, ctx[n]);
		memcpy(&q, ctx[n], sizeof(q));
		parked += q.parked;
		CHECK_EQ(len[n], 64 + 64 * q.parked);
		CHECK_EQ(q.sq_head, q.seq + q.parked);
		CHECK(q.seq > 0 && q.seq < 60);
	}
	len[3] = ctx_get(&a, HSL_SEL_GLOBAL, ctx[3]);
	CHECK_EQ(len[3], 64);
	CHECK(parked > 0);
	guest_open(&b, NULL, &a);
	CHECK_EQ(command(&b, 0, HSL_CMD_CLEAR), HSL_IDLE);
	freeze(&b);
	CHECK_EQ(ctx_put(&b, HSL_SEL_GLOBAL, ctx[3], 64), 0);
	for (uint32_t n = 0; n < 3; n++) {
		CHECK_EQ(ctx_put(&b, n, ctx[n], len[n]), 0);
		event_count(b.ev[n]);
	}
	rig_run(b.r, 5);
	CHECK_EQ(b.r->dev->ledger.used, 0);
	wr(&b, CP(PAUSE), 0);
	rig_step(b.r);
	rig_run(a.r, 10);
	CHECK_EQ(a.r->dev->ledger.used, 0);		/* nothing after DRAINED */
	for (uint32_t n = 0; n < 3; n++) {
		uint32_t next = 0;

		a.size = 64;
		CHECK_EQ(rd(&b, Q(n, CQ_TAIL)), 60);
		while (get(&a, n, &c)) {
			CHECK_EQ(c.tag, next++);
			CHECK_EQ(c.seq, next);
			CHECK_EQ(c.status, HSL_OK);
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
	CHECK_EQ(rd(&b, 0x20), 180);
	guest_close(&b, false);
	guest_close(&a, true);
}

static void pause_keeps_doorbells(void)
{
	struct guest g;
	struct hsl_cqe c;

	guest_open(&g, NULL, NULL);
	queue_on(&g, 0, 8);
	run1(&g, (struct hsl_sqe) { .tag = 1 });
	wr(&g, CP(PAUSE), HSL_PAUSE);
	put(&g, 0, (struct hsl_sqe) { .tag = 2, .flags = 1 });
	bell(&g, 0);
	CHECK_EQ(rd(&g, Q(0, SQ_TAIL)), 2);
	CHECK_EQ(rd(&g, Q(0, SQ_HEAD)), 1);
	CHECK(!get(&g, 0, &c));
	CHECK_EQ(event_count(g.ev[0]), 0);
	wr(&g, CP(PAUSE), 0);
	CHECK_EQ(rd(&g, CP(DRAIN)), HSL_RUNNING);
	CHECK(get(&g, 0, &c));
	CHECK_EQ(event_count(g.ev[0]), 1);
	/* unread completions interrupt again on resume */
	wr(&g, CP(PAUSE), HSL_PAUSE);
	wr(&g, CP(PAUSE), 0);
	CHECK_EQ(event_count(g.ev[0]), 1);
	wr(&g, Q(0, CQ_HEAD), g.head[0]);
	wr(&g, CP(PAUSE), HSL_PAUSE);
	wr(&g, CP(PAUSE), 0);
	CHECK_EQ(event_count(g.ev[0]), 0);
	guest_close(&g, true);
}

static void owed_interrupt_travels(void)
{
	uint16_t masked = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL;
	static uint8_t ctx[4096];
	struct hsl_queue_ctx q;
	struct guest g;

	guest_open(&g, NULL, NULL);
	queue_on(&g, 0, 8);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, g.r->dev->cfg.msix + 2, &masked, 2),
		 0);
	run1(&g, (struct hsl_sqe) { .tag = 2, .flags = 1 });
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
	wr(&g, CP(PAUSE), 0);
	CHECK_EQ(event_count(g.ev[0]), 1);
	guest_close(&g, true);
}

static void context_validation(void)
{
	static const struct hsl_queue_ctx good = {
		.magic = HSL_QUEUE_MAGIC, .queue = 1, .sq_base = 64, .cq_base = 128, .size = 8,
		.qctrl = 3, .qstatus = 1, .sq_tail = 9, .sq_head = 5, .cq_tail = 5, .cq_head = 3,
		.seq = 5,
	};
	struct hsl_global_ctx glob = { .magic = HSL_GLOBAL_MAGIC, .version = 1, .ctrl = 1,
				       .status = 1, .ops_done = 5, .ops_failed = 2 };
	struct hsl_queue_ctx q;
	struct guest g;
	uint8_t buf[64 + 17 * 64];

	guest_open(&g, NULL, NULL);
	CHECK_EQ(ctx_put(&g, 1, &good, 64), HSL_ERR_NOT_FROZEN);
	CHECK_EQ(command(&g, 0, HSL_CMD_READ), HSL_FAILED);
	CHECK_EQ(command(&g, 0, 9), HSL_FAILED);
	CHECK_EQ(rd(&g, CP(ERR)), HSL_ERR_BAD_COMMAND);
	freeze(&g);
	CHECK_EQ(ctx_put(&g, 1, &good, 64), 0);
	wr(&g, CP(SEL), 64);
	CHECK_EQ(rd(&g, CP(LEN)), 0);
	CHECK_EQ(ctx_put(&g, 64, &good, 64), HSL_ERR_BAD_SELECT);
	CHECK_EQ(ctx_put(&g, 2, &good, 64), HSL_ERR_BAD_CONTEXT);
	CHECK_EQ(ctx_put(&g, 1, &good, 60), HSL_ERR_BAD_LENGTH);
	CHECK_EQ(ctx_put(&g, 1, &good, 0), HSL_ERR_BAD_LENGTH);
#define BAD(field, value) do { \
	q = good; \
	q.field = value; \
	CHECK_EQ(ctx_put(&g, 1, &q, 64), HSL_ERR_BAD_CONTEXT); \
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
	CHECK_EQ(ctx_put(&g, 1, buf, 64 + 6 * 64), HSL_ERR_BAD_CONTEXT);	/* > sq_head */
	q.parked = 4;
	memcpy(buf, &q, 64);
	CHECK_EQ(ctx_put(&g, 1, buf, 64 + 3 * 64), HSL_ERR_BAD_LENGTH);
	CHECK_EQ(ctx_put(&g, 1, buf, 64 + 4 * 64), 0);
	CHECK_EQ(rd(&g, CP(LEN)), 64 + 4 * 64);
	memset(&q, 0, sizeof(q));			/* a queue never enabled */
	q.magic = HSL_QUEUE_MAGIC;
	q.queue = 1;
	CHECK_EQ(ctx_put(&g, 1, &q, 64), 0);
	CHECK_EQ(ctx_put(&g, HSL_SEL_GLOBAL, &glob, 64), 0);
	CHECK_EQ(rd(&g, 0x20), 5);
	glob.version = 2;
	CHECK_EQ(ctx_put(&g, HSL_SEL_GLOBAL, &glob, 64), HSL_ERR_BAD_CONTEXT);
	glob.version = 1;
	glob.ops_failed = 6;
	CHECK_EQ(ctx_put(&g, HSL_SEL_GLOBAL, &glob, 64), HSL_ERR_BAD_CONTEXT);
	memcpy(buf, &glob, 64);
	CHECK_EQ(ctx_put(&g, HSL_SEL_GLOBAL, buf, 68), HSL_ERR_BAD_LENGTH);
	CHECK_EQ(rd(&g, 0x28), 2);
	CHECK(!strcmp(rig_control(g.r, "isolate 1"), "ok\n"));
	CHECK_EQ(ctx_put(&g, 1, &good, 64), HSL_ERR_ISOLATED);
	CHECK_EQ(command(&g, 0, HSL_CMD_CLEAR), HSL_IDLE);
	CHECK_EQ(rd(&g, 0x20), 0);
	guest_close(&g, true);
}

static void flr_clears_all(void)
{
	char *slow[] = { "op_us=5000", NULL };
	struct guest g;
	uint16_t flr = PCI_EXP_DEVCTL_BCR_FLR;
	struct hsl_cqe c;

	guest_open(&g, slow, NULL);
	queue_on(&g, 0, 8);
	for (int i = 0; i < 4; i++)
		put(&g, 0, (struct hsl_sqe) { .tag = (uint32_t)i });
	bell(&g, 0);
	wr(&g, CP(PAUSE), HSL_PAUSE);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX,
			   g.r->dev->cfg.pcie + PCI_EXP_DEVCTL, &flr, 2), 0);
	rig_enable(g.r);
	CHECK_EQ(rd(&g, 0x10), 1);
	CHECK_EQ(rd(&g, CP(PAUSE)), 0);
	CHECK_EQ(rd(&g, CP(DRAIN)), HSL_RUNNING);
	CHECK_EQ(rd(&g, Q(0, SIZE)), 0);
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 0);
	CHECK_EQ(rd(&g, 0x14), 0);
	rig_run(g.r, 10);
	CHECK(!get(&g, 0, &c));
	CHECK_EQ(rd(&g, 0x20), 0);
	guest_close(&g, true);
}

static void disable_while_in_work(void)
{
	char *slow[] = { "op_us=5000", NULL };
	struct guest g;
	struct hsl_cqe c;

	guest_open(&g, slow, NULL);
	queue_on(&g, 0, 8);
	for (int i = 0; i < 4; i++)
		put(&g, 0, (struct hsl_sqe) { .tag = (uint32_t)i });
	bell(&g, 0);
	wr(&g, Q(0, QCTRL), 2);
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 1);
	rig_run(g.r, 12);
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 0);
	CHECK_EQ(rd(&g, Q(0, SQ_HEAD)), 1);
	CHECK(get(&g, 0, &c));
	CHECK(!get(&g, 0, &c));
	/* disabled and enabled again before the operation ended: a fresh start */
	wr(&g, Q(0, QCTRL), 3);
	wr(&g, Q(0, SQ_TAIL), 2);
	wr(&g, Q(0, QCTRL), 2);
	wr(&g, Q(0, QCTRL), 3);
	rig_run(g.r, 12);
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 1);
	CHECK_EQ(rd(&g, Q(0, SQ_TAIL)), 0);
	CHECK_EQ(rd(&g, Q(0, CQ_TAIL)), 0);
	guest_close(&g, true);
}

static void faults(void)
{
	char *options[] = { "drain_ms=40", NULL };
	struct guest g;
	struct hsl_cqe c;

	guest_open(&g, options, NULL);
	queue_on(&g, 0, 8);
	rig_control(g.r, "fault op fail count=1");
	CHECK_EQ(run1(&g, op(HSL_NOP, 0, 0)).status, HSL_ABORTED);
	rig_control(g.r, "fault dma_read fail count=1 skip=1");
	CHECK_EQ(run1(&g, op(HSL_CRC32C, 8, 0)).status, HSL_DMA_FAULT);
	rig_control(g.r, "fault irq fail count=1");
	event_count(g.ev[0]);
	run1(&g, (struct hsl_sqe) { .flags = 1 });
	CHECK_EQ(event_count(g.ev[0]), 0);
	rig_control(g.r, "fault fetch fail count=1");
	put(&g, 0, op(HSL_NOP, 0, 0));
	bell(&g, 0);
	CHECK_EQ(rd(&g, Q(0, QSTATUS)), 0x302);
	wr(&g, Q(0, QCTRL), 0);
	queue_on(&g, 0, 8);
	/* delayed and hanging operations */
	rig_control(g.r, "fault op delay=20 count=1");
	put(&g, 0, op(HSL_NOP, 0, 0));
	bell(&g, 0);
	CHECK(!get(&g, 0, &c));
	rig_run(g.r, 25);
	CHECK(get(&g, 0, &c));
	rig_control(g.r, "fault op hang count=1");
	put(&g, 0, op(HSL_NOP, 0, 0));
	bell(&g, 0);
	rig_run(g.r, 5);
	CHECK(!get(&g, 0, &c));
	wr(&g, CP(PAUSE), HSL_PAUSE);
	rig_run(g.r, 50);
	CHECK_EQ(rd(&g, CP(DRAIN)), HSL_DRAIN_FAILED);
	CHECK_EQ(rd(&g, CP(ERR)), HSL_ERR_DRAIN_TIMEOUT);
	wr(&g, CP(PAUSE), 0);
	rig_control(g.r, "fault clear");
	rig_step(g.r);
	CHECK(get(&g, 0, &c));
	/* pause: fails, or never ends */
	rig_control(g.r, "fault pause fail=7 count=1");
	wr(&g, CP(PAUSE), HSL_PAUSE);
	CHECK_EQ(rd(&g, CP(DRAIN)), HSL_DRAIN_FAILED);
	CHECK_EQ(rd(&g, CP(ERR)), 7);
	wr(&g, CP(PAUSE), 0);
	rig_control(g.r, "fault pause hang count=1");
	wr(&g, CP(PAUSE), HSL_PAUSE);
	rig_run(g.r, 60);
	CHECK_EQ(rd(&g, CP(DRAIN)), HSL_DRAINING);
	wr(&g, CP(PAUSE), 0);
	rig_control(g.r, "fault clear");
	freeze(&g);
	/* commands: fail, BUSY for a while, BUSY for ever */
	rig_control(g.r, "fault ctx_read fail count=1");
	CHECK_EQ(command(&g, 0, HSL_CMD_READ), HSL_FAILED);
	CHECK_EQ(rd(&g, CP(ERR)), HSL_ERR_INTERNAL);
	rig_control(g.r, "fault ctx_write delay=10 count=1");
	wr(&g, CP(WLEN), 0);
	CHECK_EQ(command(&g, 0, HSL_CMD_WRITE), HSL_BUSY);
	rig_run(g.r, 15);
	CHECK_EQ(rd(&g, CP(STAT)), HSL_FAILED);
	rig_control(g.r, "fault clear hang count=1");
	CHECK_EQ(command(&g, 0, HSL_CMD_CLEAR), HSL_BUSY);
	rig_run(g.r, 5);
	CHECK_EQ(rd(&g, CP(STAT)), HSL_BUSY);
	/* reset ends a hang; READY may come late */
	rig_control(g.r, "fault clear");
	rig_control(g.r, "fault reset delay=20 count=1");
	CHECK_EQ(rig_call(g.r, VU_DEVICE_RESET, NULL, 0, NULL, 0), 0);
	rig_enable(g.r);
	CHECK_EQ(rd(&g, CP(STAT)), HSL_IDLE);
	CHECK_EQ(rd(&g, 0x10), 0);
	rig_run(g.r, 25);
	CHECK_EQ(rd(&g, 0x10), 1);
	CHECK(!strcmp(rig_control(g.r, "fatal"), "ok\n"));
	CHECK_EQ(rd(&g, 0x10), 3);
	CHECK(strstr(rig_control(g.r, "isolate 2"), "err"));
	CHECK(strstr(rig_control(g.r, "stats"), "ops_done 0\n"));
	guest_close(&g, true);
}

/* An operation whose source and destination span separate mappings. */
static void spans_mappings(void)
{
	struct guest g;
	struct hsl_sqe e = op(HSL_COPY, 0x3000, 0x3000);
	struct hsl_cqe c;

	guest_open(&g, NULL, NULL);
	queue_on(&g, 0, 8);
	CHECK_EQ(rig_dma_map(g.r, 0x8000000, 0x1000, SRC_OFF + 0x2000, 3, g.fd), 0);
	CHECK_EQ(rig_dma_map(g.r, 0x8001000, 0x1000, SRC_OFF, 3, g.fd), 0);
	CHECK_EQ(rig_dma_map(g.r, 0x8002000, 0x1000, SRC_OFF + 0x5000, 3, g.fd), 0);
	memset(g.mem + SRC_OFF + 0x2000, 1, 0x1000);
	memset(g.mem + SRC_OFF, 2, 0x1000);
	memset(g.mem + SRC_OFF + 0x5000, 3, 0x1000);
	e.src = 0x8000000;
	vu_ledger_clear(&g.r->dev->ledger);
	c = run1(&g, e);
	CHECK_EQ(c.status, HSL_OK);
	CHECK(g.mem[DST_OFF] == 1 && g.mem[DST_OFF + 0x1000] == 2 && g.mem[DST_OFF + 0x2fff] == 3);
	CHECK(strstr(rig_control(g.r, "ledger"), "0x1200000 1\n0x1201000 1\n0x1202000 1\nok\n"));
	CHECK_EQ(rig_dma_unmap(g.r, 0x8001000, 0x1000, 0), 24);
	CHECK_EQ(run1(&g, e).status, HSL_DMA_FAULT);
	guest_close(&g, true);
}

const struct test hisi_like_tests[] = {
	{ "hisi_like: identity_and_access_rules", identity },
	{ "hisi_like: every_operation", every_operation },
	{ "hisi_like: operation_errors", operation_errors },
	{ "hisi_like: disabled_opcode", disabled_opcode },
	{ "hisi_like: ring_wrap_and_full", ring_wrap_and_full },
	{ "hisi_like: bad_rings", bad_rings },
	{ "hisi_like: interrupts", interrupts },
	{ "hisi_like: needs_enable_and_bus_master", needs_enable_and_bus_master },
	{ "hisi_like: park_and_resume_elsewhere", park_and_resume_elsewhere },
	{ "hisi_like: pause_keeps_doorbells", pause_keeps_doorbells },
	{ "hisi_like: owed_interrupt_travels", owed_interrupt_travels },
	{ "hisi_like: context_validation", context_validation },
	{ "hisi_like: flr_clears_all", flr_clears_all },
	{ "hisi_like: disable_while_in_work", disable_while_in_work },
	{ "hisi_like: faults", faults },
	{ "hisi_like: spans_mappings", spans_mappings },
	{ NULL, NULL },
};
