// SPDX-License-Identifier: GPL-2.0
/* coherent_gpu, the user's half, against Documentation/hardware/coherent_gpu.rst. */
#include <linux/pci_regs.h>
#include <math.h>
#include <stdlib.h>

#include "gpu_guest.h"

#define NAN_BITS	0x7fc00000u

static uint32_t bits_of(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static void identity(void)
{
	char *options[] = { "rev=2.7", "queues=5", "log2=4", "ops=0x0b", "carveout=32", NULL };
	struct gpu g;
	uint64_t wide = 0;
	uint16_t narrow;

	gpu_open(&g, options);
	CHECK_EQ(gpu_rd(&g, CGPU_ID), 0x31475043);
	CHECK_EQ(gpu_rd(&g, CGPU_REV), 0x20007);
	CHECK_EQ(gpu_rd(&g, CGPU_QUEUES), 0x40005);
	CHECK_EQ(gpu_rd(&g, CGPU_OPS), 0x0b);
	CHECK_EQ(gpu_rd(&g, CGPU_STATUS), CGPU_STATUS_READY | CGPU_STATUS_MEM_READY);
	CHECK_EQ(gpu_rd64(&g, CGPU_MEM_BYTES), 224u << 20);
	CHECK_EQ(gpu_rd64(&g, CGPU_CARVE_BYTES), 32u << 20);
	CHECK_EQ(gpu_rd64(&g, GCP(MEM_BYTES)), 224u << 20);
	CHECK_EQ(gpu_rd64(&g, GCP(CARVE_BYTES)), 32u << 20);
	CHECK_EQ(vu_config_get(g.r->dev, 0, 4), 0x76501234);
	CHECK_EQ(vu_config_get(g.r->dev, 8, 4), 0x03020001);
	/* other widths and alignments read ones and write nothing */
	CHECK_EQ(rig_read(g.r, CGPU_BAR, 0, &narrow, 2), 0);
	CHECK_EQ(narrow, 0xffff);
	CHECK_EQ(rig_read(g.r, CGPU_BAR, 0, &wide, 8), 0);
	CHECK_EQ(wide, UINT64_MAX);
	narrow = 1;
	CHECK_EQ(rig_write(g.r, CGPU_BAR, CGPU_CTRL, &narrow, 2), 0);
	CHECK_EQ(gpu_rd(&g, CGPU_CTRL), 0);
	gpu_wr64(&g, GQ(1, RING), 0x123456789a80ull);
	CHECK_EQ(gpu_rd(&g, GQ(1, RING)), 0x56789a80);
	CHECK_EQ(gpu_rd(&g, GQ(1, RING) + 4), 0x1234);
	CHECK_EQ(gpu_rd(&g, GQ(1, VECTOR)), 1);
	gpu_wr(&g, GQ(5, SIZE), 8);		/* no such queue */
	CHECK_EQ(gpu_rd(&g, GQ(5, SIZE)), 0);
	CHECK_EQ(gpu_rd(&g, 0x800), 0);
	CHECK(strstr(rig_control(g.r, "regs"), "Q1_RING 0x123456789a80\n"));
	CHECK(strstr(rig_control(g.r, "regs"), "CP_QUEUES 0x40005\n"));
	CHECK(strstr(rig_control(g.r, "regs"), "MEM_BYTES 0xe000000\n"));
	gpu_close(&g);
}

static void fill_and_copy(void)
{
	struct gpu g;
	uint32_t word;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_NOP }), CGPU_OK);
	/* more than a tile, and not a multiple of one */
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_FILL, .dst = GDEV(0x1004),
						 .bytes = 0x90008, .value = 0xdeadbeef }), CGPU_OK);
	memcpy(&word, g.dev + 0x1000, 4);
	CHECK_EQ(word, 0);
	for (uint32_t at = 0x1004; at < 0x1004 + 0x90008; at += 4) {
		memcpy(&word, g.dev + at, 4);
		if (word != 0xdeadbeef)
			break;
	}
	CHECK_EQ(word, 0xdeadbeef);
	memcpy(&word, g.dev + 0x9100c, 4);
	CHECK_EQ(word, 0);
	/* between the two kinds of memory, in both directions */
	for (uint32_t i = 0; i < 0x100000; i++)
		g.dev[0x200000 + i] = (uint8_t)(i * i >> 7);
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_COPY, .src = GDEV(0x200000),
						 .dst = GMEM_IOVA + 0x200000, .bytes = 0x100000 }),
		 CGPU_OK);
	CHECK_EQ(memcmp(g.mem + 0x200000, g.dev + 0x200000, 0x100000), 0);
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_COPY, .src = GMEM_IOVA + 0x200000,
						 .dst = GDEV(0x400004), .bytes = 0x80004 }), CGPU_OK);
	CHECK_EQ(memcmp(g.dev + 0x400004, g.dev + 0x200000, 0x80004), 0);
	CHECK_EQ(gpu_rd64(&g, CGPU_OPS_DONE), 4);
	CHECK_EQ(gpu_rd64(&g, CGPU_OPS_FAILED), 0);
	CHECK_EQ(gpu_rd64(&g, GQ(0, FENCE)), 4);
	CHECK_EQ(gpu_rd64(&g, GQ(0, DONE)), 4);
	gpu_close(&g);
}

static void sums_have_an_order(void)
{
	struct cgpu_cmd cmd = { .opcode = CGPU_REDUCE, .src = GDEV(0x100000), .dst = GDEV(0x40) };
	const uint32_t n = 200001;		/* more than three tiles */
	struct gpu g;
	float sum = 0, *x;
	uint32_t got;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	x = (float *)(g.dev + 0x100000);
	for (uint32_t i = 0; i < n; i++) {
		x[i] = (float)((i * 2654435761u) >> 8) * (i & 1 ? 1e-6f : -3.7e2f);
		sum = sum + x[i];
	}
	cmd.bytes = n * 4;
	CHECK_EQ(gpu_run(&g, cmd), CGPU_OK);
	memcpy(&got, g.dev + 0x40, 4);
	CHECK_EQ(got, bits_of(sum));
	/* one by one, ascending: the small ones are lost behind the large one, not before it */
	cmd.bytes = 16;
	x[0] = 1;
	x[1] = 16777216;
	x[2] = 1;
	x[3] = 1;
	CHECK_EQ(gpu_run(&g, cmd), CGPU_OK);
	memcpy(&got, g.dev + 0x40, 4);
	CHECK_EQ(got, bits_of(16777216));
	/* no number: always the same bits */
	x[1] = INFINITY;
	x[2] = -INFINITY;
	CHECK_EQ(gpu_run(&g, cmd), CGPU_OK);
	memcpy(&got, g.dev + 0x40, 4);
	CHECK_EQ(got, NAN_BITS);
	/* subnormals are kept */
	x[0] = 0x1p-140f;
	x[1] = 0x1p-141f;
	x[2] = -0.0f;
	x[3] = 0;
	CHECK_EQ(gpu_run(&g, cmd), CGPU_OK);
	memcpy(&got, g.dev + 0x40, 4);
	CHECK_EQ(got, bits_of(0x3p-141f));
	gpu_close(&g);
}

static void histogram(void)
{
	struct gpu g;
	uint64_t want[CGPU_BINS] = { 0 };

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	for (uint32_t i = 0; i < 0x81235; i++) {
		g.dev[0x100001 + i] = (uint8_t)(i * i >> 5);
		want[g.dev[0x100001 + i]]++;
	}
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_HISTOGRAM, .src = GDEV(0x100001),
						 .dst = GMEM_IOVA + 0x300008, .bytes = 0x81235 }),
		 CGPU_OK);
	CHECK_EQ(memcmp(g.mem + 0x300008, want, sizeof(want)), 0);
	gpu_close(&g);
}

struct shape {
	uint32_t m, n, k, lda, ldb, ldc;
	float alpha, beta;
};

static void gemm_reference(const struct shape *s, const float *a, const float *b, float *c)
{
	for (uint32_t i = 0; i < s->m; i++)
		for (uint32_t j = 0; j < s->n; j++) {
			volatile float sum = 0, p;

			for (uint32_t l = 0; l < s->k; l++) {
				p = a[i * s->lda + l] * b[l * s->ldb + j];
				sum = sum + p;
			}
			p = s->alpha * sum;
			if (s->beta != 0) {
				volatile float q = s->beta * c[i * s->ldc + j];

				p = p + q;
			}
			c[i * s->ldc + j] = p;
		}
}

static void gemm(void)
{
	static const struct shape shapes[] = {
		{ 1, 1, 1, 1, 1, 1, 1, 0 },
		{ 32, 32, 32, 32, 32, 32, 1, 0 },
		{ 33, 65, 70, 71, 80, 66, 0.7f, -1.3f },
		{ 100, 7, 300, 300, 9, 7, -2, 1 },
	};
	struct gpu g;
	float *a, *b, *c, *want;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	a = (float *)(g.dev + 0x100000);
	b = (float *)(g.mem + 0x200000);
	c = (float *)(g.dev + 0x300000);
	want = malloc(0x40000);
	for (uint32_t i = 0; i < 0x10000; i++) {
		a[i] = (float)(int32_t)(i * 2654435761u) * 1e-7f;
		b[i] = (float)(int32_t)(i * 40503u * 65537u) * 1e-8f;
	}
	for (unsigned int i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *s = &shapes[i];

		for (uint32_t e = 0; e < 0x10000; e++)
			c[e] = (float)e * 0.3f;
		memcpy(want, c, 0x40000);
		gemm_reference(s, a, b, want);
		CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) {
			.opcode = CGPU_SGEMM, .src = GDEV(0x100000), .src2 = GMEM_IOVA + 0x200000,
			.dst = GDEV(0x300000), .m = s->m, .n = s->n, .k = s->k, .lda = s->lda,
			.ldb = s->ldb, .ldc = s->ldc, .alpha = bits_of(s->alpha),
			.beta = bits_of(s->beta) }), CGPU_OK);
		CHECK_EQ(memcmp(c, want, 0x40000), 0);
	}
	/* beta of zero: what is in C does not matter; no number is always the same one */
	c[0] = NAN;
	a[0] = INFINITY;
	b[0] = 0;
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) {
		.opcode = CGPU_SGEMM, .src = GDEV(0x100004), .src2 = GMEM_IOVA + 0x200004,
		.dst = GDEV(0x300000), .m = 1, .n = 1, .k = 1, .lda = 1, .ldb = 1, .ldc = 1,
		.alpha = bits_of(1), .beta = bits_of(-0.0f) }), CGPU_OK);
	CHECK(!isnan(c[0]));
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) {
		.opcode = CGPU_SGEMM, .src = GDEV(0x100000), .src2 = GMEM_IOVA + 0x200000,
		.dst = GDEV(0x300000), .m = 1, .n = 1, .k = 1, .lda = 1, .ldb = 1, .ldc = 1,
		.alpha = bits_of(1) }), CGPU_OK);
	CHECK_EQ(bits_of(c[0]), NAN_BITS);
	free(want);
	gpu_close(&g);
}

#define COPY(s, d, b)	.opcode = CGPU_COPY, .src = (s), .dst = (d), .bytes = (b)
#define COPY_CMD	COPY(GDEV(0x1000), GDEV(0x2000), 16)
#define GEMM_OF(s, t, d)	.opcode = CGPU_SGEMM, .src = (s), .src2 = (t), .dst = (d)
#define GEMM_AT		GEMM_OF(GDEV(0x1000), GDEV(0x2000), GDEV(0x3000))
#define DIMS(x, y, z)	.m = (x), .n = (y), .k = (z)
#define LDS(x, y, z)	.lda = (x), .ldb = (y), .ldc = (z)
#define SMALL		DIMS(4, 4, 4), LDS(4, 4, 4)
#define BEYOND		(256ull << 20)

static const struct {
	struct cgpu_cmd cmd;
	int want;
} bad_commands[] = {
	{ { .opcode = CGPU_NUM_OPS }, CGPU_INVALID },
	{ { .opcode = 255 }, CGPU_INVALID },
	{ { .flags = 4 }, CGPU_INVALID },
	{ { .reserved = 1 }, CGPU_INVALID },
	{ { .reserved2[39] = 1 }, CGPU_INVALID },
	{ { COPY_CMD }, CGPU_OK },
	{ { .opcode = CGPU_FILL, .dst = GDEV(0x2000), .bytes = 0 }, CGPU_INVALID },
	{ { .opcode = CGPU_FILL, .dst = GDEV(0x2000), .bytes = 2 }, CGPU_INVALID },
	{ { .opcode = CGPU_FILL, .dst = GDEV(0x2002), .bytes = 4 }, CGPU_INVALID },
	{ { .opcode = CGPU_FILL, .dst = GDEV(0), .bytes = CGPU_MAX_BYTES + 4 }, CGPU_INVALID },
	{ { .opcode = CGPU_FILL, .dst = ~0ull - 3, .bytes = 8 }, CGPU_INVALID },
	{ { .opcode = CGPU_FILL, .dst = CGPU_ADDR_DEVICE - 4, .bytes = 8 }, CGPU_INVALID },
	{ { .opcode = CGPU_COPY, .src = GDEV(0x1000), .dst = GDEV(0x100c), .bytes = 16 },
	  CGPU_INVALID },
	{ { .opcode = CGPU_COPY, .src = GDEV(0x1002), .dst = GDEV(0x2000), .bytes = 16 },
	  CGPU_INVALID },
	{ { .opcode = CGPU_REDUCE, .src = GDEV(0x1000), .dst = GDEV(0x1008), .bytes = 16 },
	  CGPU_INVALID },
	{ { .opcode = CGPU_HISTOGRAM, .src = GDEV(1), .dst = GDEV(0x1004), .bytes = 16 },
	  CGPU_INVALID },
	{ { GEMM_AT, SMALL }, CGPU_OK },
	{ { GEMM_AT, DIMS(0, 4, 4), LDS(4, 4, 4) }, CGPU_INVALID },
	{ { GEMM_AT, DIMS(4, CGPU_MAX_DIM + 1, 4), LDS(4, 5000, 5000) }, CGPU_INVALID },
	{ { GEMM_AT, DIMS(4, 4, 4), LDS(3, 4, 4) }, CGPU_INVALID },
	{ { GEMM_AT, DIMS(4, 4, 4), LDS(4, 3, 4) }, CGPU_INVALID },
	{ { GEMM_AT, DIMS(4, 4, 4), LDS(4, 4, 3) }, CGPU_INVALID },
	{ { GEMM_AT, DIMS(4, 4, 4), LDS(CGPU_MAX_LD + 1, 4, 4) }, CGPU_INVALID },
	{ { GEMM_OF(GDEV(0x1000), GDEV(0x3000), GDEV(0x3000)), SMALL }, CGPU_INVALID },
	{ { GEMM_OF(GDEV(0x1000), GDEV(0x2001), GDEV(0x3000)), SMALL }, CGPU_INVALID },
	{ { .opcode = CGPU_FILL, .dst = GDEV(BEYOND - 4), .bytes = 8 }, CGPU_BAD_ADDRESS },
	{ { .opcode = CGPU_FILL, .dst = GDEV(BEYOND), .bytes = 4 }, CGPU_BAD_ADDRESS },
	{ { .opcode = CGPU_FILL, .dst = GDEV(CGPU_CARVE_BASE), .bytes = 4 }, CGPU_BAD_ADDRESS },
	{ { .opcode = CGPU_REDUCE, .src = GDEV(BEYOND), .dst = GDEV(0), .bytes = 4 },
	  CGPU_BAD_ADDRESS },
	{ { .opcode = CGPU_FILL, .dst = 0x10000, .bytes = 4 }, CGPU_DMA_FAULT },
	{ { .opcode = CGPU_HISTOGRAM, .src = 0x10000, .dst = GDEV(0), .bytes = 4 },
	  CGPU_DMA_FAULT },
	{ { GEMM_OF(GDEV(0x1000), 0x10000, GDEV(0x3000)), SMALL }, CGPU_DMA_FAULT },
	{ { GEMM_OF(0x10000, GDEV(0x2000), GDEV(0x3000)), SMALL }, CGPU_DMA_FAULT },
	{ { GEMM_OF(GDEV(0x1000), GDEV(0x2000), 0x10000), SMALL, .beta = 0x3f800000 },
	  CGPU_DMA_FAULT },
	{ { .opcode = CGPU_COPY, .src = GDEV(0x5000), .dst = GDEV(0x2000), .bytes = 0x1004 },
	  CGPU_POISONED },
	/* the first tile fails, the last one would not */
	{ { COPY(GDEV(0x5000), GDEV(0x200000), 0x90000) }, CGPU_POISONED },
	{ { .opcode = CGPU_FILL, .dst = GDEV(0x4ff8), .bytes = 8 }, CGPU_OK },
	{ { .opcode = CGPU_FILL, .dst = GDEV(0x6000), .bytes = 4 }, CGPU_OK },
	{ { .opcode = CGPU_FILL, .dst = GDEV(0x5ffc), .bytes = 4 }, CGPU_POISONED },
};

static void statuses(void)
{
	const unsigned int num = sizeof(bad_commands) / sizeof(bad_commands[0]);
	unsigned int failed = 0;
	struct gpu g;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	rig_control(g.r, "poison 0x5123");
	for (unsigned int i = 0; i < num; i++) {
		int got = gpu_run(&g, bad_commands[i].cmd);

		if (got != bad_commands[i].want)
			test_fail(__FILE__, (int)i, "status of command", got,
				  bad_commands[i].want);
		failed += bad_commands[i].want != CGPU_OK;
	}
	CHECK_EQ(gpu_rd64(&g, CGPU_OPS_FAILED), failed);
	CHECK_EQ(gpu_rd64(&g, CGPU_OPS_DONE), num);
	/* each failure interrupts by itself */
	CHECK_EQ(event_count(g.ev[0]), failed);
	rig_control(g.r, "fault op fail count=1");
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { COPY_CMD }), CGPU_ABORTED);
	rig_control(g.r, "fault dma_read fail count=1 skip=1");
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) {
			 COPY(GMEM_IOVA + 0x300000, GDEV(0x2000), 16) }),
		 CGPU_DMA_FAULT);
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { COPY_CMD }), CGPU_OK);
	gpu_close(&g);
}

static void fences_and_vectors(void)
{
	struct cgpu_fence f;
	struct gpu g;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	gpu_queue_at(&g, 1, GDEV(0x10000), 4);
	/* a fence in device memory, and one that overlaps the result */
	gpu_put(&g, 1, (struct cgpu_cmd) { COPY_CMD, .flags = CGPU_CMD_FENCE | CGPU_CMD_IRQ,
					   .fence = GDEV(0x4000), .fence_value = 77 });
	rig_step(g.r);
	memcpy(&f, g.dev + 0x4000, sizeof(f));
	CHECK_EQ(f.value, 77);
	CHECK_EQ(f.status, CGPU_OK);
	CHECK_EQ(event_count(g.ev[1]), 1);
	CHECK_EQ(event_count(g.ev[0]), 0);
	CHECK_EQ(gpu_rd64(&g, GQ(1, FENCE)), 77);
	gpu_put(&g, 1, (struct cgpu_cmd) { COPY_CMD, .flags = CGPU_CMD_FENCE,
					   .fence = GDEV(0x2000), .fence_value = 78 });
	rig_step(g.r);
	memcpy(&f, g.dev + 0x2000, sizeof(f));
	CHECK_EQ(f.value, 78);
	CHECK_EQ(f.status, CGPU_INVALID);
	/* without a fence and without an interrupt */
	event_count(g.ev[1]);
	gpu_put(&g, 1, (struct cgpu_cmd) { COPY_CMD, .fence = 1 });
	rig_step(g.r);
	CHECK_EQ(gpu_rd64(&g, GQ(1, DONE)), 3);
	CHECK_EQ(gpu_rd64(&g, GQ(1, FENCE)), 78);
	CHECK_EQ(event_count(g.ev[1]), 0);
	/* nowhere to be written */
	gpu_put(&g, 0, (struct cgpu_cmd) { .flags = CGPU_CMD_FENCE, .fence = 0x10000 });
	rig_step(g.r);
	CHECK_EQ(gpu_rd(&g, GQ(0, STATUS)), CGPU_QSTATUS_ERROR | CGPU_Q_DMA << 8);
	CHECK_EQ(gpu_rd64(&g, GQ(0, DONE)), 0);
	gpu_queue(&g, 2, 8);
	gpu_put(&g, 2, (struct cgpu_cmd) { .flags = CGPU_CMD_FENCE, .fence = GDEV(0x4004) });
	rig_step(g.r);
	CHECK_EQ(gpu_rd(&g, GQ(2, STATUS)), CGPU_QSTATUS_ERROR | CGPU_Q_DMA << 8);
	gpu_close(&g);
}

static void rings(void)
{
	static const struct {
		uint64_t ring;
		uint32_t size;
		bool ok;
	} cases[] = {
		{ GMEM_IOVA, 2, true }, { GMEM_IOVA, 1024, true }, { GDEV(BEYOND - 256), 2, true },
		{ GMEM_IOVA, 0, false }, { GMEM_IOVA, 1, false }, { GMEM_IOVA, 3, false },
		{ GMEM_IOVA, 2048, false }, { GMEM_IOVA + 64, 2, false },
		{ GDEV(BEYOND - 128), 2, false }, { GDEV(CGPU_CARVE_BASE), 2, false },
		{ CGPU_ADDR_DEVICE - 128, 2, false }, { ~0ull - 127, 2, false },
	};
	struct gpu g;

	gpu_open(&g, NULL);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gpu_wr64(&g, GQ(3, RING), cases[i].ring);
		gpu_wr(&g, GQ(3, SIZE), cases[i].size);
		gpu_wr(&g, GQ(3, CTRL), CGPU_QCTRL_ENABLE);
		CHECK_EQ(gpu_rd(&g, GQ(3, STATUS)), cases[i].ok ? CGPU_QSTATUS_ENABLED :
			 CGPU_QSTATUS_ERROR | CGPU_Q_BAD_RING << 8);
		if (cases[i].ok) {		/* no changes while it is on */
			gpu_wr(&g, GQ(3, SIZE), 4);
			CHECK_EQ(gpu_rd(&g, GQ(3, SIZE)), cases[i].size);
		}
		gpu_wr(&g, GQ(3, CTRL), 0);
	}
	gpu_queue(&g, 0, 8);
	gpu_wr(&g, GQ(0, TAIL), 9);
	CHECK_EQ(gpu_rd(&g, GQ(0, STATUS)), CGPU_QSTATUS_ERROR | CGPU_Q_BAD_DOORBELL << 8);
	gpu_wr(&g, GQ(0, CTRL), 0);
	gpu_queue(&g, 0, 8);
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { COPY_CMD }), CGPU_OK);
	rig_control(g.r, "fault fetch fail count=1");
	gpu_put(&g, 0, (struct cgpu_cmd) { COPY_CMD });
	rig_step(g.r);
	CHECK_EQ(gpu_rd(&g, GQ(0, STATUS)), CGPU_QSTATUS_ERROR | CGPU_Q_DMA << 8);
	gpu_queue_at(&g, 1, GDEV(0x8000), 8);
	rig_control(g.r, "poison 0x8000");
	gpu_put(&g, 1, (struct cgpu_cmd) { COPY_CMD });
	rig_step(g.r);
	CHECK_EQ(gpu_rd(&g, GQ(1, STATUS)), CGPU_QSTATUS_ERROR | CGPU_Q_DMA << 8);
	gpu_close(&g);
}

/* A ring as long as its counters: slots come round. */
static void many_commands(void)
{
	struct gpu g;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 4);
	for (uint32_t i = 0; i < 40; i++) {
		CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_FILL, .value = i + 1,
							 .dst = GDEV(i * 4), .bytes = 4 }), 0);
		CHECK_EQ(((uint32_t *)g.dev)[i], i + 1);
	}
	CHECK_EQ(gpu_rd(&g, GQ(0, HEAD)), 40);
	gpu_close(&g);
}

static void power_and_bus_master(void)
{
	uint16_t command = PCI_COMMAND_MEMORY, d3 = 3, d0 = 0;
	struct gpu g;
	uint32_t pm;

	gpu_open(&g, NULL);
	pm = g.r->dev->cfg.pm + PCI_PM_CTRL;
	gpu_queue(&g, 0, 8);
	gpu_queue_at(&g, 1, GDEV(0x10000), 8);
	/* without bus mastering the device still has its own memory */
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, 2), 0);
	gpu_put(&g, 0, (struct cgpu_cmd) { COPY_CMD });
	gpu_put(&g, 1, (struct cgpu_cmd) { .opcode = CGPU_FILL, .dst = GDEV(0x20000), .bytes = 4,
					   .value = 5, .fence = GDEV(0x20010),
					   .flags = CGPU_CMD_FENCE, .fence_value = 9 });
	rig_step(g.r);
	CHECK_EQ(gpu_done(&g, 0), -1);
	CHECK_EQ(g.dev[0x20000], 5);
	CHECK_EQ(g.dev[0x20018], 9);
	rig_enable(g.r);
	rig_step(g.r);
	CHECK_EQ(gpu_done(&g, 0), CGPU_OK);
	/* in D3hot registers are gone and nothing happens, but nothing is lost */
	((uint32_t *)g.mem)[0x60000] = 1;
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, pm, &d3, 2), 0);
	CHECK_EQ(gpu_rd(&g, CGPU_ID), 0xffffffff);
	CHECK_EQ(g.dev[0x20000], 5);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, pm, &d0, 2), 0);
	CHECK_EQ(gpu_rd(&g, GQ(1, STATUS)), CGPU_QSTATUS_ENABLED);
	CHECK_EQ(gpu_rd64(&g, GQ(1, DONE)), 1);
	gpu_close(&g);
}

static void set_command(struct gpu *g, uint16_t command)
{
	CHECK_EQ(rig_write(g->r, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, 2), 0);
}

/* Work that was begun, or that a ring in device memory has, for each memory that it accesses. */
static void guest_memory_waits_for_bus_master(void)
{
	enum { BYTES = 4 * CGPU_TILE_BYTES };
	static const struct {
		bool waits;
		struct cgpu_cmd cmd;
	} cases[] = {
		{ true, { COPY(GMEM_IOVA, GDEV(0x100000), BYTES), .fence = GDEV(0x30000) } },
		{ true, { COPY(GDEV(0x100000), GMEM_IOVA, BYTES), .fence = GDEV(0x30000) } },
		{ true, { .opcode = CGPU_FILL, .dst = GDEV(0x100000), .bytes = BYTES,
			  .fence = GMEM_IOVA, .flags = CGPU_CMD_FENCE } },
		{ true, { .opcode = CGPU_NUM_OPS, .fence = GMEM_IOVA, .flags = CGPU_CMD_FENCE } },
		{ false, { COPY(GDEV(0x100000), GDEV(0x300000), BYTES), .fence = GDEV(0x30000) } },
		{ false, { .opcode = CGPU_FILL, .src = GMEM_IOVA, .dst = GDEV(0x100000), .bytes = 8,
			   .fence = GDEV(0x30000) } },
		{ false, { .opcode = CGPU_NUM_OPS, .dst = GMEM_IOVA, .bytes = 4,
			   .fence = GDEV(0x30000) } },
		{ false, { .opcode = CGPU_NOP, .dst = GMEM_IOVA, .fence = GDEV(0x30000),
			   .flags = CGPU_CMD_IRQ } },
	};
	char *slow[] = { "tile_us=5000", NULL };
	struct gpu g;

	gpu_open(&g, slow);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct cgpu_cmd *cmd = &cases[i].cmd;
		bool begun = cmd->bytes > CGPU_TILE_BYTES;

		gpu_queue_at(&g, 1, GDEV(0x10000), 8);
		set_command(&g, PCI_COMMAND_MEMORY | (begun ? PCI_COMMAND_MASTER : 0));
		gpu_put(&g, 1, *cmd);
		vu_server_step(g.r->srv, 0, VU_STEP_CLIENT | VU_STEP_WORK);
		set_command(&g, PCI_COMMAND_MEMORY);
		rig_run(g.r, 60);
		CHECK_EQ(gpu_rd64(&g, GQ(1, DONE)), !cases[i].waits);
		CHECK_EQ(gpu_rd(&g, GQ(1, STATUS)), CGPU_QSTATUS_ENABLED);
		set_command(&g, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
		rig_run(g.r, 60);
		CHECK_EQ(gpu_rd64(&g, GQ(1, DONE)), 1);
		gpu_wr(&g, GQ(1, CTRL), 0);
	}
	CHECK_EQ(gpu_rd64(&g, CGPU_OPS_FAILED), 2);
	gpu_close(&g);
}

static void disabled_operations(void)
{
	char *options[] = { "ops=0x3", NULL };
	struct gpu g;

	gpu_open(&g, options);
	gpu_queue(&g, 0, 8);
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { COPY_CMD }), CGPU_INVALID);
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_FILL, .dst = GDEV(0), .bytes = 4 }),
		 CGPU_OK);
	rig_control(g.r, "fatal");
	gpu_put(&g, 0, (struct cgpu_cmd) { .opcode = CGPU_NOP });
	rig_run(g.r, 3);
	CHECK_EQ(gpu_done(&g, 0), -1);
	CHECK(gpu_rd(&g, CGPU_STATUS) & CGPU_STATUS_FATAL);
	CHECK_EQ(rig_call(g.r, VU_DEVICE_RESET, NULL, 0, NULL, 0), 0);
	rig_enable(g.r);
	CHECK_EQ(gpu_rd(&g, CGPU_STATUS), CGPU_STATUS_READY | CGPU_STATUS_MEM_READY);
	CHECK_EQ(gpu_rd(&g, GQ(0, STATUS)), 0);
	CHECK_EQ(gpu_rd64(&g, CGPU_OPS_DONE), 0);
	gpu_close(&g);
}

static const struct test coherent_gpu_tests[] = {
	{ "coherent_gpu: identity and widths", identity },
	{ "coherent_gpu: fill and copy, of both memories", fill_and_copy },
	{ "coherent_gpu: a sum has an order", sums_have_an_order },
	{ "coherent_gpu: histogram", histogram },
	{ "coherent_gpu: products are exact", gemm },
	{ "coherent_gpu: status of every bad command", statuses },
	{ "coherent_gpu: fences and vectors", fences_and_vectors },
	{ "coherent_gpu: rings that are taken and refused", rings },
	{ "coherent_gpu: slots come round", many_commands },
	{ "coherent_gpu: bus master and D states", power_and_bus_master },
	{ "coherent_gpu: work in guest memory waits for bus mastering",
	  guest_memory_waits_for_bus_master },
	{ "coherent_gpu: disabled opcodes, fatal errors, reset", disabled_operations },
	{ NULL, NULL },
};
TEST_SUITE(coherent_gpu_tests);
