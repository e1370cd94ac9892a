// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): I/O commands, their order and their faults. */
#include "nvme_disk.h"

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
	CHECK(strstr(rig_control(d.h.r, "completions"), " 0x01 0x000 498 1 "));
	close_disk(&d);
}

static void test_coalescing(void)
{
	struct nvs_sqe flush = { .opcode = NVS_IO_FLUSH, .nsid = 1 };
	struct disk d;

	open_disk(&d, NULL);
	/* Four completions, or 20 ms. */
	CHECK_EQ(nvmh_admin(&d.h, NVS_ADMIN_SET_FEATURES, 0, NVS_FEAT_COALESCING, 200 << 8 | 3), 0);
	event_count(d.h.ev[1]);
	nvmh_run(&d.h, 1, &flush);
	CHECK_EQ(event_count(d.h.ev[1]), 0);
	rig_run(d.h.r, 30);
	CHECK_EQ(event_count(d.h.ev[1]), 1);
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
		{ NVS_IO_READ, "fault op fail count=1", NVS_SC_INTERNAL },
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

/* The disk is slow, does not answer at all, or refuses before it has done anything. */
static void test_disk_faults(void)
{
	struct nvs_sqe write;
	struct disk d;

	open_disk(&d, NULL);
	fill(&d, 512, 1);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 1), 0);
	fill(&d, 512, 2);
	rig_control(d.h.r, "fault disk fail count=1");
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 1), NVS_SC_WRITE_FAULT);
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 1), 0);
	CHECK(filled(&d, 512, 1));
	fill(&d, 512, 2);
	nvmh_fill_rw(&d.h, &write, NVS_IO_WRITE, 1, 0, 1, 512);
	rig_control(d.h.r, "fault disk delay=30 count=1");
	nvmh_submit(&d.h, 1, &write);
	CHECK(!nvmh_poll(&d.h, 1));
	rig_run(d.h.r, 35);
	CHECK_EQ(nvmh_status(&d.h, 1), 0);
	rig_control(d.h.r, "fault disk hang count=1");
	nvmh_submit(&d.h, 1, &write);
	rig_run(d.h.r, 5);
	CHECK(!nvmh_poll(&d.h, 1));
	rig_control(d.h.r, "fault clear");
	rig_run(d.h.r, 3);
	CHECK_EQ(nvmh_status(&d.h, 1), 0);
	CHECK_EQ(nvmh_admin(&d.h, NVS_ADMIN_GET_LOG, 0, 127 << 16 | NVS_LOG_HEALTH, 0), 0);
	CHECK_EQ(d.h.data[160], 1);	/* media errors */
	close_disk(&d);
}

static const struct test tests[] = {
	{ "nvme_cf: read, write, compare", test_read_write },
	{ "nvme_cf: illegal I/O commands", test_illegal },
	{ "nvme_cf: write zeroes and deallocate", test_zeroes },
	{ "nvme_cf: blocks of 4096 bytes", test_block_4096 },
	{ "nvme_cf: a file that cannot be written", test_readonly },
	{ "nvme_cf: delete a queue with commands", test_delete_with_commands },
	{ "nvme_cf: many commands", test_many },
	{ "nvme_cf: interrupt coalescing", test_coalescing },
	{ "nvme_cf: faults of I/O commands", test_io_faults },
	{ "nvme_cf: faults of the disk", test_disk_faults },
	{ NULL, NULL },
};
TEST_SUITE(tests);
