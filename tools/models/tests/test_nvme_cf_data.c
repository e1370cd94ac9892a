// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): the data of I/O commands by PRP and SGL. */
#include "nvme_disk.h"

#define PRP(n)		nvmh_addr(n)
#define LIST		0x600000u
#define SGL_FLAG	0x40

/* ---- PRP ---- */

static int run_prp(struct disk *d, uint8_t opcode, uint64_t prp1, uint64_t prp2, uint32_t nlb)
{
	struct nvs_sqe sqe = {
		.opcode = opcode, .nsid = 1, .cdw12 = nlb - 1, .prp1 = prp1, .prp2 = prp2,
	};

	return nvmh_run(&d->h, 1, &sqe);
}

static void test_prp(void)
{
	struct disk d;
	uint64_t *list;

	open_disk(&d, NULL);
	list = (uint64_t *)(d.h.mem + LIST);
	fill(&d, 32768, 5);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 64), 0);
	/* An offset in the first page: three pages for 8192 bytes, so that there is a list. */
	memset(d.h.data, 0, 65536);
	list[0] = PRP(NVMH_DATA + 4096);
	list[1] = PRP(NVMH_DATA + 8192);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA + 2048, PRP(LIST), 16), 0);
	memmove(d.h.data, d.h.data + 2048, 8192);
	CHECK(filled(&d, 8192, 5));
	/* Offsets that are not allowed. */
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA + 1, 0, 1), NVS_SC_INVALID_PRP_OFFSET);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA + 2, 0, 1), NVS_SC_INVALID_PRP_OFFSET);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA, DATA + 8, 16), NVS_SC_INVALID_PRP_OFFSET);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA, PRP(LIST) + 4, 32), NVS_SC_INVALID_PRP_OFFSET);
	list[1] = PRP(NVMH_DATA + 8192 + 4);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA, PRP(LIST), 24), NVS_SC_INVALID_PRP_OFFSET);
	/* Memory that is not there: of the data, of the list, and at the end of all. */
	CHECK_EQ(run_prp(&d, NVS_IO_READ, 0x1000, 0, 1), NVS_SC_DATA_TRANSFER);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA, 0x1000, 32), NVS_SC_DATA_TRANSFER);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, ~0xfffull, 0, 1), NVS_SC_DATA_TRANSFER);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, ~0x3ull, 0, 1), NVS_SC_DATA_TRANSFER);
	/* A list that begins at the end of its page and goes on in another. */
	list[511] = PRP(LIST + 8192);
	list[1024] = PRP(NVMH_DATA + 4096);
	list[1025] = PRP(NVMH_DATA + 8192);
	list[1026] = PRP(NVMH_DATA + 12288);
	memset(d.h.data, 0, 65536);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA, PRP(LIST + 4088), 32), 0);
	CHECK(filled(&d, 16384, 5));
	/* One that goes on inside of a page, and in itself. */
	list[511] = PRP(LIST + 8192 + 8);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA, PRP(LIST + 4088), 32), NVS_SC_INVALID_PRP_OFFSET);
	list[511] = PRP(LIST + 4088);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA, PRP(LIST + 4088), 32), NVS_SC_INVALID_PRP_OFFSET);
	close_disk(&d);
}

static void test_large_page(void)
{
	struct disk d;

	open_disk(&d, NULL);
	nvmh_disable(&d.h);
	CHECK(nvmh_enable_cc(&d.h, NVS_CC_EN | 3 << 7 | NVS_SQES << 16 | NVS_CQES << 20));
	CHECK_EQ(nvmh_create_pair(&d.h, 1, 64), 0);
	fill(&d, 32768, 3);
	/* 32 KiB are one page: there is no second entry. */
	CHECK_EQ(run_prp(&d, NVS_IO_WRITE, DATA, 0xbad, 64), 0);
	memset(d.h.data, 0, 65536);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA, 0xbad, 64), 0);
	CHECK(filled(&d, 32768, 3));
	/* From the middle of one page to the middle of the next. */
	memset(d.h.data, 0, 65536);
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA + 16384, DATA + 65536, 64), 0);
	memmove(d.h.data, d.h.data + 16384, 16384);
	memmove(d.h.data + 16384, d.h.data + 65536, 16384);
	CHECK(filled(&d, 32768, 3));
	CHECK_EQ(run_prp(&d, NVS_IO_READ, DATA + 16384, DATA + 4096, 64),
		 NVS_SC_INVALID_PRP_OFFSET);
	close_disk(&d);
}

/* A failure in the middle: what came before has been done, and is in the ledger. */
static void test_part(void)
{
	const char *line;
	struct disk d;

	open_disk(&d, NULL);
	fill(&d, 16384, 4);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 32), 0);
	memset(d.h.data, 0, 16384);
	rig_control(d.h.r, "ledger clear");
	rig_control(d.h.r, "fault dma_write fail skip=2 count=1");
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 32), NVS_SC_DATA_TRANSFER);
	CHECK(filled(&d, 8192, 4));
	CHECK(!d.h.data[8193] && !d.h.data[12289]);
	line = rig_control(d.h.r, "ledger");
	CHECK(strstr(line, "0x301000 1\n") && !strstr(line, "0x302000"));
	/* Of a write nothing has come to the disk. */
	fill(&d, 16384, 5);
	rig_control(d.h.r, "fault dma_read fail skip=3 count=1");
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 32), NVS_SC_DATA_TRANSFER);
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 32), 0);
	CHECK(filled(&d, 16384, 4));
	close_disk(&d);
}

/* ---- SGL ---- */

static int run_sgl(struct disk *d, uint8_t opcode, struct nvs_sgl first, uint32_t nlb)
{
	struct nvs_sqe sqe = {
		.opcode = opcode, .flags = SGL_FLAG, .nsid = 1, .cdw12 = nlb - 1, .sgl = first,
	};

	return nvmh_run(&d->h, 1, &sqe);
}

static struct nvs_sgl sgl(uint8_t id, uint64_t addr, uint32_t length)
{
	return (struct nvs_sgl){ .addr = addr, .length = length, .id = id };
}

static void test_sgl(void)
{
	struct nvs_sgl *list;
	struct disk d;

	open_disk(&d, NULL);
	list = (struct nvs_sgl *)(d.h.mem + LIST);
	fill(&d, 4096, 2);
	CHECK_EQ(run_sgl(&d, NVS_IO_WRITE, sgl(NVS_SGL_DATA, DATA, 4096), 8), 0);
	memset(d.h.data, 0, 4096);
	CHECK_EQ(run_sgl(&d, NVS_IO_READ, sgl(NVS_SGL_DATA, DATA, 4096), 8), 0);
	CHECK(filled(&d, 4096, 2));
	/* Pieces of any alignment, with a hole that nobody wants, in two segments. */
	memset(d.h.data, 0, 4096);
	list[0] = sgl(NVS_SGL_DATA, DATA, 3);
	list[1] = sgl(NVS_SGL_BIT_BUCKET, 0, 1021);
	list[2] = sgl(NVS_SGL_SEGMENT, PRP(LIST + 4096), 32);
	list[256] = sgl(NVS_SGL_DATA, DATA + 1024, 0);
	list[257] = sgl(NVS_SGL_LAST_SEGMENT, PRP(LIST + 8192), 16);
	list[512] = sgl(NVS_SGL_DATA, DATA + 1024, 3072);
	CHECK_EQ(run_sgl(&d, NVS_IO_READ, sgl(NVS_SGL_SEGMENT, PRP(LIST), 48), 8), 0);
	CHECK(d.h.data[2] && !d.h.data[3] && !d.h.data[1023]);
	CHECK_EQ(d.h.data[1024], (uint8_t)(1024 * 7 + 2 + 2));
	/* A command that writes passes it over, whatever its length. */
	fill(&d, 4096, 6);
	list[1] = sgl(NVS_SGL_BIT_BUCKET, 0, 0xffffffff);
	list[512] = sgl(NVS_SGL_DATA, DATA + 3, 4093);
	CHECK_EQ(run_sgl(&d, NVS_IO_WRITE, sgl(NVS_SGL_SEGMENT, PRP(LIST), 48), 8), 0);
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 8), 0);
	CHECK(filled(&d, 4096, 6));
	close_disk(&d);
}

/* More descriptors than are read at once. */
static void test_sgl_long(void)
{
	struct nvs_sgl *list;
	struct disk d;

	open_disk(&d, NULL);
	list = (struct nvs_sgl *)(d.h.mem + LIST);
	fill(&d, 4096, 8);
	for (unsigned int i = 0; i < 64; i++)
		list[i] = sgl(NVS_SGL_DATA, DATA + 64 * i, 64);
	CHECK_EQ(run_sgl(&d, NVS_IO_WRITE, sgl(NVS_SGL_LAST_SEGMENT, PRP(LIST), 1024), 8), 0);
	memset(d.h.data, 0, 4096);
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 8), 0);
	CHECK(filled(&d, 4096, 8));
	/* Too many. */
	CHECK_EQ(run_sgl(&d, NVS_IO_WRITE, sgl(NVS_SGL_LAST_SEGMENT, PRP(LIST), 0x20000), 8),
		 NVS_SC_INVALID_SGL_NUMBER);
	/* Segments that go on in each other, for ever. */
	list[0] = sgl(NVS_SGL_SEGMENT, PRP(LIST), 16);
	CHECK_EQ(run_sgl(&d, NVS_IO_WRITE, list[0], 8), NVS_SC_INVALID_SGL_NUMBER);
	close_disk(&d);
}

static void test_sgl_illegal(void)
{
	const struct {
		struct nvs_sgl first, list[3];
		int status;
	} cases[] = {
		{ sgl(NVS_SGL_DATA, DATA, 511), { { 0 } }, NVS_SC_INVALID_SGL_DATA_LENGTH },
		{ sgl(NVS_SGL_DATA, DATA, 513), { { 0 } }, NVS_SC_INVALID_SGL_DATA_LENGTH },
		{ sgl(NVS_SGL_DATA, 0x1000, 512), { { 0 } }, NVS_SC_DATA_TRANSFER },
		{ sgl(NVS_SGL_DATA | 1, DATA, 512), { { 0 } }, NVS_SC_INVALID_SGL_TYPE },
		{ sgl(0x40, DATA, 512), { { 0 } }, NVS_SC_INVALID_SGL_TYPE },
		{ sgl(0xf0, DATA, 512), { { 0 } }, NVS_SC_INVALID_SGL_TYPE },
		{ sgl(NVS_SGL_SEGMENT, PRP(LIST), 0), { { 0 } }, NVS_SC_INVALID_SGL_SEGMENT },
		{ sgl(NVS_SGL_SEGMENT, PRP(LIST), 17), { { 0 } }, NVS_SC_INVALID_SGL_SEGMENT },
		{ sgl(NVS_SGL_SEGMENT, 0x1000, 16), { { 0 } }, NVS_SC_DATA_TRANSFER },
		/* A segment that is not the last has to name the next one, at its end. */
		{ sgl(NVS_SGL_SEGMENT, PRP(LIST), 16), { sgl(NVS_SGL_DATA, DATA, 512) },
		  NVS_SC_INVALID_SGL_SEGMENT },
		{ sgl(NVS_SGL_SEGMENT, PRP(LIST), 32),
		  { sgl(NVS_SGL_LAST_SEGMENT, PRP(LIST), 16), sgl(NVS_SGL_DATA, DATA, 512) },
		  NVS_SC_INVALID_SGL_SEGMENT },
		{ sgl(NVS_SGL_LAST_SEGMENT, PRP(LIST), 16), { sgl(NVS_SGL_SEGMENT, PRP(LIST), 16) },
		  NVS_SC_INVALID_SGL_SEGMENT },
		{ sgl(NVS_SGL_LAST_SEGMENT, PRP(LIST), 16), { sgl(0x50, PRP(LIST), 16) },
		  NVS_SC_INVALID_SGL_TYPE },
		{ sgl(NVS_SGL_LAST_SEGMENT, PRP(LIST), 32),
		  { sgl(NVS_SGL_DATA, DATA, 512), sgl(NVS_SGL_DATA, DATA, 1) },
		  NVS_SC_INVALID_SGL_DATA_LENGTH },
		{ sgl(NVS_SGL_LAST_SEGMENT, PRP(LIST), 16), { sgl(NVS_SGL_BIT_BUCKET, 0, 513) },
		  NVS_SC_INVALID_SGL_DATA_LENGTH },
	};
	struct disk d;

	open_disk(&d, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(d.h.mem + LIST, cases[i].list, sizeof(cases[i].list));
		CHECK_EQ(run_sgl(&d, NVS_IO_READ, cases[i].first, 1), cases[i].status);
	}
	close_disk(&d);
}

static const struct test tests[] = {
	{ "nvme_cf: PRP lists", test_prp },
	{ "nvme_cf: large pages", test_large_page },
	{ "nvme_cf: a transfer that fails in the middle", test_part },
	{ "nvme_cf: SGL", test_sgl },
	{ "nvme_cf: long SGL", test_sgl_long },
	{ "nvme_cf: illegal SGL", test_sgl_illegal },
	{ NULL, NULL },
};
TEST_SUITE(tests);
