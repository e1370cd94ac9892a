// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): I/O commands, PRP, SGL, disks and cache. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../nvme_cf.h"
#include "nvme_host.h"

#define PRP(n)		(NVMH_IOVA + (n))
#define DATA		(NVMH_IOVA + NVMH_DATA)
#define LIST		0x600000u
#define SGL_FLAG	0x40

struct disk {
	struct rig *owner;
	struct nvmh h;
	char path[64], option[80];
	int fd;
};

/* A subsystem with a file of 8 MiB, and one pair of I/O queues. */
static void open_subsystem(struct disk *d, const char *path, const char *more)
{
	char *options[] = { "profile=1", d->option, (char *)(uintptr_t)more, NULL };

	snprintf(d->option, sizeof(d->option), "disk1=%s", path);
	d->owner = rig_open(vu_model_find("nvme_cf"), options);
	nvmh_open(&d->h, d->owner, 0);
	CHECK(nvmh_enable(&d->h));
	CHECK_EQ(nvmh_create_pair(&d->h, 1, 64), 0);
}

static void open_disk(struct disk *d, const char *more)
{
	snprintf(d->path, sizeof(d->path), "/tmp/nvme_cf.XXXXXX");
	d->fd = mkstemp(d->path);
	if (d->fd < 0 || ftruncate(d->fd, 8 << 20))
		abort();
	open_subsystem(d, d->path, more);
}

static void close_subsystem(struct disk *d)
{
	nvmh_close(&d->h);
	rig_close(d->owner);
}

static void close_disk(struct disk *d)
{
	close_subsystem(d);
	close(d->fd);
	unlink(d->path);
}

static void fill(struct disk *d, uint32_t bytes, uint32_t seed)
{
	for (uint32_t i = 0; i < bytes; i++)
		d->h.data[i] = (uint8_t)(i * 7 + i / 512 + seed);
}

static bool filled(struct disk *d, uint32_t bytes, uint32_t seed)
{
	for (uint32_t i = 0; i < bytes; i++)
		if (d->h.data[i] != (uint8_t)(i * 7 + i / 512 + seed))
			return false;
	return true;
}

static int rw(struct disk *d, uint8_t opcode, uint64_t slba, uint32_t nlb)
{
	return nvmh_rw(&d->h, 1, opcode, 1, slba, nlb, nlb * 512);
}

/* ---- commands ---- */

static void test_read_write(void)
{
	static const uint32_t sizes[] = { 1, 7, 8, 9, 16, 17, 24, 100, 1024 };
	struct disk d;

	open_disk(&d, NULL);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fill(&d, sizes[i] * 512, sizes[i]);
		CHECK_EQ(rw(&d, NVS_IO_WRITE, 3, sizes[i]), 0);
		memset(d.h.data, 0, sizes[i] * 512);
		CHECK_EQ(rw(&d, NVS_IO_READ, 3, sizes[i]), 0);
		CHECK(filled(&d, sizes[i] * 512, sizes[i]));
		CHECK_EQ(rw(&d, NVS_IO_COMPARE, 3, sizes[i]), 0);
		d.h.data[sizes[i] * 512 - 1] ^= 1;
		CHECK_EQ(rw(&d, NVS_IO_COMPARE, 3, sizes[i]), NVS_SC_COMPARE_FAILURE);
	}
	CHECK_EQ(nvmh_stat(d.h.r, "commands_failed "), 9);
	close_disk(&d);
}

static void test_illegal(void)
{
	static const struct {
		uint8_t opcode;
		uint32_t nsid;
		uint64_t slba;
		uint32_t nlb;
		int status;
	} cases[] = {
		{ NVS_IO_READ, 0, 0, 1, NVS_SC_INVALID_NAMESPACE },
		{ NVS_IO_READ, 2, 0, 1, NVS_SC_INVALID_NAMESPACE },
		{ NVS_IO_READ, NVS_NSID_ALL, 0, 1, NVS_SC_INVALID_NAMESPACE },
		{ NVS_IO_READ, 1, 16384, 1, NVS_SC_LBA_RANGE },
		{ NVS_IO_READ, 1, 16383, 2, NVS_SC_LBA_RANGE },
		{ NVS_IO_READ, 1, ~0ull, 2, NVS_SC_LBA_RANGE },
		{ NVS_IO_READ, 1, 0, 1025, NVS_SC_INVALID_FIELD },
		{ NVS_IO_WRITE, 1, 16383, 2, NVS_SC_LBA_RANGE },
		{ NVS_IO_WRITE, 1, 0, 1025, NVS_SC_INVALID_FIELD },
		{ NVS_IO_COMPARE, 1, 0, 1025, NVS_SC_INVALID_FIELD },
		{ NVS_IO_WRITE_ZEROES, 1, 16383, 2, NVS_SC_LBA_RANGE },
		{ NVS_IO_VERIFY, 1, 16383, 2, NVS_SC_LBA_RANGE },
		{ NVS_IO_VERIFY, 1, 0, 16384, 0 },
		{ NVS_IO_FLUSH, 2, 0, 1, NVS_SC_INVALID_NAMESPACE },
		{ NVS_IO_FLUSH, NVS_NSID_ALL, 0, 1, 0 },
		{ NVS_IO_DSM, 9, 0, 1, NVS_SC_INVALID_NAMESPACE },
		{ 0x7d, 1, 0, 1, NVS_SC_INVALID_OPCODE },
	};
	struct nvs_sqe fused = { .opcode = NVS_IO_FLUSH, .nsid = 1, .flags = 1 };
	struct nvs_sqe psdt3 = { .opcode = NVS_IO_FLUSH, .nsid = 1, .flags = 0xc0 };
	struct disk d;

	open_disk(&d, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_EQ(nvmh_rw(&d.h, 1, cases[i].opcode, cases[i].nsid, cases[i].slba,
				 cases[i].nlb, 512),
			 cases[i].status);
	CHECK_EQ(nvmh_run(&d.h, 1, &fused), NVS_SC_INVALID_FIELD);
	CHECK_EQ(nvmh_run(&d.h, 1, &psdt3), NVS_SC_INVALID_FIELD);
	close_disk(&d);
}

static void test_zeroes(void)
{
	struct disk d;
	struct nvs_dsm_range *r;
	struct nvs_sqe dsm = {
		.opcode = NVS_IO_DSM, .nsid = 1, .cdw10 = 1, .cdw11 = NVS_DSM_AD, .prp1 = DATA,
	};

	open_disk(&d, NULL);
	r = (struct nvs_dsm_range *)d.h.data;
	fill(&d, 8192, 1);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 16), 0);
	CHECK_EQ(rw(&d, NVS_IO_WRITE_ZEROES, 1, 2), 0);
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 16), 0);
	CHECK(d.h.data[511] && !d.h.data[512] && !d.h.data[1535]);
	memset(r, 0, 32);
	r[0].slba = 4;
	r[0].nlb = 1;
	r[1].slba = 6;
	r[1].nlb = 20000;
	CHECK_EQ(nvmh_run(&d.h, 1, &dsm), NVS_SC_LBA_RANGE);
	r[1].nlb = 1;
	CHECK_EQ(nvmh_run(&d.h, 1, &dsm), 0);
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 16), 0);
	CHECK(!d.h.data[4 * 512 + 1] && !d.h.data[6 * 512 + 1] && d.h.data[5 * 512 + 1]);
	/* Hints change nothing. */
	memset(r, 0, 32);
	r[0].slba = 5;
	r[0].nlb = 1;
	dsm.cdw11 = 1;
	CHECK_EQ(nvmh_run(&d.h, 1, &dsm), 0);
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 16), 0);
	CHECK(d.h.data[5 * 512 + 1]);
	close_disk(&d);
}

static void test_block_4096(void)
{
	struct disk d;

	open_disk(&d, "block1=4096");
	fill(&d, 8192, 9);
	CHECK_EQ(nvmh_rw(&d.h, 1, NVS_IO_WRITE, 1, 2047, 1, 4096), 0);
	CHECK_EQ(nvmh_rw(&d.h, 1, NVS_IO_WRITE, 1, 2047, 2, 8192), NVS_SC_LBA_RANGE);
	memset(d.h.data, 0, 4096);
	CHECK_EQ(nvmh_rw(&d.h, 1, NVS_IO_READ, 1, 2047, 1, 4096), 0);
	CHECK(filled(&d, 4096, 9));
	CHECK_EQ(nvmh_rw(&d.h, 1, NVS_IO_READ, 1, 0, 129, 4096), NVS_SC_INVALID_FIELD);
	close_disk(&d);
}

static void test_readonly(void)
{
	struct disk d;

	open_disk(&d, "readonly1=1");
	CHECK_EQ(nvmh_identify(&d.h, NVS_CNS_NAMESPACE, 1, 0), 0);
	CHECK_EQ(d.h.data[99], NVS_NSATTR_PROTECTED);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 1), NVS_SC_WRITE_PROTECTED);
	CHECK_EQ(rw(&d, NVS_IO_WRITE_ZEROES, 0, 1), NVS_SC_WRITE_PROTECTED);
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 1), 0);
	close_disk(&d);
}

/* ---- PRP ---- */

static int run_prp(struct disk *d, uint64_t prp1, uint64_t prp2, uint32_t nlb)
{
	struct nvs_sqe sqe = {
		.opcode = NVS_IO_READ, .nsid = 1, .cdw12 = nlb - 1, .prp1 = prp1, .prp2 = prp2,
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
	CHECK_EQ(run_prp(&d, DATA + 2048, PRP(LIST), 16), 0);
	memmove(d.h.data, d.h.data + 2048, 8192);
	CHECK(filled(&d, 8192, 5));
	/* Offsets that are not allowed. */
	CHECK_EQ(run_prp(&d, DATA + 1, 0, 1), NVS_SC_INVALID_PRP_OFFSET);
	CHECK_EQ(run_prp(&d, DATA + 2, 0, 1), NVS_SC_INVALID_PRP_OFFSET);
	CHECK_EQ(run_prp(&d, DATA, DATA + 8, 16), NVS_SC_INVALID_PRP_OFFSET);
	CHECK_EQ(run_prp(&d, DATA, PRP(LIST) + 4, 32), NVS_SC_INVALID_PRP_OFFSET);
	list[1] = PRP(NVMH_DATA + 8192 + 4);
	CHECK_EQ(run_prp(&d, DATA, PRP(LIST), 24), NVS_SC_INVALID_PRP_OFFSET);
	/* Memory that is not there: of the data, of the list, and at the end of all. */
	CHECK_EQ(run_prp(&d, 0x1000, 0, 1), NVS_SC_DATA_TRANSFER);
	CHECK_EQ(run_prp(&d, DATA, 0x1000, 32), NVS_SC_DATA_TRANSFER);
	CHECK_EQ(run_prp(&d, ~0xfffull, 0, 1), NVS_SC_DATA_TRANSFER);
	CHECK_EQ(run_prp(&d, ~0x3ull, 0, 1), NVS_SC_DATA_TRANSFER);
	/* A list that begins at the end of its page and goes on in another. */
	list[511] = PRP(LIST + 8192);
	list[1024] = PRP(NVMH_DATA + 4096);
	list[1025] = PRP(NVMH_DATA + 8192);
	list[1026] = PRP(NVMH_DATA + 12288);
	memset(d.h.data, 0, 65536);
	CHECK_EQ(run_prp(&d, DATA, PRP(LIST + 4088), 32), 0);
	CHECK(filled(&d, 16384, 5));
	/* One that goes on inside of a page, and in itself. */
	list[511] = PRP(LIST + 8192 + 8);
	CHECK_EQ(run_prp(&d, DATA, PRP(LIST + 4088), 32), NVS_SC_INVALID_PRP_OFFSET);
	list[511] = PRP(LIST + 4088);
	CHECK_EQ(run_prp(&d, DATA, PRP(LIST + 4088), 32), NVS_SC_INVALID_PRP_OFFSET);
	close_disk(&d);
}

static void test_large_page(void)
{
	struct disk d;

	open_disk(&d, NULL);
	nvmh_disable(&d.h);
	CHECK(nvmh_enable_cc(&d.h, NVS_CC_EN | 3 << 7 | NVS_SQES << 16 | NVS_CQES << 20));
	CHECK_EQ(nvmh_create_pair(&d.h, 1, 64), 0);
	fill(&d, 65536, 3);
	/* 32 KiB are one page: there is no second entry. */
	CHECK_EQ(run_prp(&d, DATA, 0xbad, 64), 0);
	fill(&d, 65536, 3);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 8), 0);
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
	/* Nothing can be written from it. */
	CHECK_EQ(run_sgl(&d, NVS_IO_WRITE, sgl(NVS_SGL_SEGMENT, PRP(LIST), 48), 8),
		 NVS_SC_INVALID_SGL_TYPE);
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

/* ---- the write cache, and who may write ---- */

static bool file_has(struct disk *d, uint64_t off, uint32_t bytes, uint32_t seed)
{
	if (pread(d->fd, d->h.data, bytes, (off_t)off) != (ssize_t)bytes)
		return false;
	return filled(d, bytes, seed);
}

static void test_cache(void)
{
	struct disk d;
	struct nvs_sqe fua;

	open_disk(&d, "cache=16");
	fill(&d, 4096, 1);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 8, 1), 0);
	CHECK(!file_has(&d, 4096, 512, 1));
	CHECK_EQ(rw(&d, NVS_IO_READ, 8, 1), 0);
	CHECK(filled(&d, 512, 1));
	CHECK_EQ(rw(&d, NVS_IO_FLUSH, 0, 1), 0);
	CHECK(file_has(&d, 4096, 512, 1));
	/* Past the cache. */
	fill(&d, 512, 2);
	nvmh_fill_rw(&d.h, &fua, NVS_IO_WRITE, 1, 8, 1, 512);
	fua.cdw12 |= NVS_RW_FUA;
	CHECK_EQ(nvmh_run(&d.h, 1, &fua), 0);
	CHECK(file_has(&d, 4096, 512, 2));
	/* It is bounded. */
	fill(&d, 65536, 3);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 16, 128), 0);
	CHECK_EQ(rw(&d, NVS_IO_READ, 16, 128), 0);
	CHECK(filled(&d, 65536, 3));
	CHECK(file_has(&d, 8192, 512, 3));
	/* Switching it off writes it back. */
	fill(&d, 512, 4);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 300, 1), 0);
	CHECK_EQ(nvmh_admin(&d.h, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_WRITE_CACHE, 0), 0);
	CHECK(file_has(&d, 300 * 512, 512, 4));
	fill(&d, 512, 5);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 300, 1), 0);
	CHECK(file_has(&d, 300 * 512, 512, 5));
	close_disk(&d);
}

static void test_no_cache(void)
{
	struct disk d;

	open_disk(&d, "cache=0");
	fill(&d, 512, 1);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 8, 1), 0);
	CHECK(file_has(&d, 4096, 512, 1));
	close_disk(&d);
}

static void test_lock(void)
{
	struct disk a, b;

	open_disk(&a, NULL);
	open_subsystem(&b, a.path, NULL);
	fill(&a, 512, 1);
	CHECK_EQ(rw(&a, NVS_IO_WRITE, 0, 1), 0);
	CHECK_EQ(rw(&b, NVS_IO_READ, 0, 1), NVS_SC_NAMESPACE_NOT_READY);
	/* The first one ends, and what it cached is in the file. */
	nvmh_disable(&a.h);
	CHECK_EQ(rw(&b, NVS_IO_READ, 0, 1), 0);
	CHECK(filled(&b, 512, 1));
	CHECK(nvmh_enable(&a.h));
	CHECK_EQ(nvmh_create_pair(&a.h, 1, 64), 0);
	CHECK_EQ(rw(&a, NVS_IO_READ, 0, 1), NVS_SC_NAMESPACE_NOT_READY);
	CHECK_EQ(nvmh_stat(a.h.r, "unlocked_writes "), 0);
	close_subsystem(&b);
	CHECK_EQ(rw(&a, NVS_IO_READ, 0, 1), 0);
	close_disk(&a);
}

/* What must never be, made on purpose: who does not hold the disk writes, and is found out. */
static void test_lock_oracle(void)
{
	struct nvcf_disk *d = nvcf_disk_open(NULL, 1 << 20, 65536, false);
	static const uint8_t block[512];
	struct nvs_sqe read = { .opcode = NVS_IO_READ, .nsid = 1, .prp1 = DATA };
	struct nvcf_ctrl *c;
	struct disk own;

	CHECK(nvcf_disk_hold(d, 1));
	CHECK_EQ(nvcf_disk_write(d, 1, 0, block, sizeof(block), false), 0);
	CHECK_EQ(nvcf_disk_write(d, 2, 0, block, sizeof(block), false), -EPERM);
	CHECK_EQ(nvcf_disk_zero(d, 2, 0, 512), -EPERM);
	CHECK_EQ(d->unlocked_writes, 2);
	nvcf_disk_close(d);
	open_disk(&own, NULL);
	c = own.h.r->dev->priv;
	rig_control(own.h.r, "fault read hang");
	nvmh_submit(&own.h, 1, &read);
	rig_step(own.h.r);
	c->run = NVCF_SUSPENDED;
	rig_control(own.h.r, "fault clear");
	rig_run(own.h.r, 3);
	CHECK_EQ(nvmh_csts(&own.h), NVS_CSTS_RDY | NVS_CSTS_CFS);
	CHECK_EQ(nvmh_stat(own.h.r, "unlocked_writes "), 1);
	close_disk(&own);
}

/* ---- order, completions, interrupts ---- */

static void test_delete_with_commands(void)
{
	struct nvs_sqe read = { .opcode = NVS_IO_READ, .nsid = 1, .prp1 = DATA };
	struct nvs_sqe delete = { .opcode = NVS_ADMIN_DELETE_SQ, .cdw10 = 1 };
	struct disk d;

	open_disk(&d, NULL);
	rig_control(d.h.r, "fault read hang");
	for (int i = 0; i < 3; i++)
		nvmh_queue(&d.h, 1, &read);
	nvmh_ring(&d.h, 1);
	CHECK_EQ(nvmh_stat(d.h.r, "commands_in_work "), 3);
	CHECK_EQ(nvmh_run(&d.h, 0, &delete), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(nvmh_status(&d.h, 1), NVS_SC_ABORT_SQ_DELETED);
	CHECK_EQ(nvmh_stat(d.h.r, "commands_in_work "), 0);
	rig_control(d.h.r, "fault clear");
	close_disk(&d);
}

static void test_many(void)
{
	struct nvs_sqe sqe;
	struct disk d;
	unsigned int seen = 0;

	open_disk(&d, NULL);
	CHECK_EQ(nvmh_create_pair(&d.h, 2, 512), 0);
	rig_control(d.h.r, "completions clear");
	for (uint32_t i = 0; i < 500; i++) {
		nvmh_fill_rw(&d.h, &sqe, i & 1 ? NVS_IO_READ : NVS_IO_WRITE, 1, i, 1, 512);
		nvmh_queue(&d.h, 2, &sqe);
	}
	nvmh_ring(&d.h, 2);
	while (nvmh_status(&d.h, 2) == 0)
		seen++;
	CHECK_EQ(seen, 500);
	CHECK(strstr(rig_control(d.h.r, "completions"), " 0x01 0x000\n"));
	close_disk(&d);
}

static void test_coalescing(void)
{
	struct nvs_sqe flush = { .opcode = NVS_IO_FLUSH, .nsid = 1 };
	uint64_t before, told;
	struct disk d;

	open_disk(&d, NULL);
	/* Four completions, or 20 ms. */
	CHECK_EQ(nvmh_admin(&d.h, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_COALESCING, 200 << 8 | 3), 0);
	event_count(d.h.ev[1]);
	before = vu_now();
	nvmh_run(&d.h, 1, &flush);
	told = event_count(d.h.ev[1]);
	CHECK(!told || vu_now() - before > 20000000u);
	rig_run(d.h.r, 30);
	CHECK_EQ(told + event_count(d.h.ev[1]), 1);
	for (int i = 0; i < 4; i++)
		nvmh_queue(&d.h, 1, &flush);
	nvmh_ring(&d.h, 1);
	CHECK_EQ(event_count(d.h.ev[1]), 1);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(nvmh_status(&d.h, 1), 0);
	CHECK_EQ(nvmh_admin(&d.h, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_VECTOR, 1 << 16 | 1), 0);
	nvmh_run(&d.h, 1, &flush);
	CHECK_EQ(event_count(d.h.ev[1]), 1);
	close_disk(&d);
}

static void test_io_faults(void)
{
	static const struct {
		uint8_t opcode;
		const char *line;
		int status;
	} cases[] = {
		{ NVS_IO_READ, "fault read fail count=1", NVS_SC_INTERNAL },
		{ NVS_IO_READ, "fault disk fail count=1", NVS_SC_READ_ERROR },
		{ NVS_IO_READ, "fault data_out fail count=1", NVS_SC_DATA_TRANSFER },
		{ NVS_IO_READ, "fault dma_write fail count=1", NVS_SC_DATA_TRANSFER },
		{ NVS_IO_WRITE, "fault write fail=0x281 count=1", 0x281 },
		{ NVS_IO_WRITE, "fault disk fail count=1", NVS_SC_WRITE_FAULT },
		{ NVS_IO_WRITE, "fault data_in fail count=1", NVS_SC_DATA_TRANSFER },
		{ NVS_IO_FLUSH, "fault flush fail count=1", NVS_SC_INTERNAL },
		{ NVS_IO_FLUSH, "fault disk fail count=1", NVS_SC_WRITE_FAULT },
		{ NVS_IO_COMPARE, "fault compare fail count=1", NVS_SC_INTERNAL },
		{ NVS_IO_WRITE_ZEROES, "fault write_zeroes fail count=1", NVS_SC_INTERNAL },
		{ NVS_IO_VERIFY, "fault verify fail count=1", NVS_SC_INTERNAL },
		{ NVS_IO_DSM, "fault dsm fail count=1", NVS_SC_INTERNAL },
	};
	struct disk d;

	open_disk(&d, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(strstr(rig_control(d.h.r, cases[i].line), "ok"));
		CHECK_EQ(rw(&d, cases[i].opcode, 0, 1), cases[i].status);
		rig_control(d.h.r, "fault clear");
	}
	close_disk(&d);
}

static const struct test tests[] = {
	{ "nvme_cf: read, write, compare", test_read_write },
	{ "nvme_cf: illegal I/O commands", test_illegal },
	{ "nvme_cf: write zeroes and deallocate", test_zeroes },
	{ "nvme_cf: blocks of 4096 bytes", test_block_4096 },
	{ "nvme_cf: a file that cannot be written", test_readonly },
	{ "nvme_cf: PRP lists", test_prp },
	{ "nvme_cf: large pages", test_large_page },
	{ "nvme_cf: SGL", test_sgl },
	{ "nvme_cf: long SGL", test_sgl_long },
	{ "nvme_cf: illegal SGL", test_sgl_illegal },
	{ "nvme_cf: write cache", test_cache },
	{ "nvme_cf: no write cache", test_no_cache },
	{ "nvme_cf: two subsystems on a file", test_lock },
	{ "nvme_cf: accesses without the lock", test_lock_oracle },
	{ "nvme_cf: delete a queue with commands", test_delete_with_commands },
	{ "nvme_cf: many commands", test_many },
	{ "nvme_cf: interrupt coalescing", test_coalescing },
	{ "nvme_cf: faults of I/O commands", test_io_faults },
	{ NULL, NULL },
};
TEST_SUITE(tests);
