// SPDX-License-Identifier: GPL-2.0
/* nvme_cf (Documentation/hardware/nvme_cf.rst): disks, their cache and locks, and the record. */
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "../nvme_cf.h"
#include "nvme_disk.h"

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
	char said[128] = "";
	struct nvcf_ctrl *c;
	struct disk own;
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);

	if (!log || saved < 0)
		abort();
	dup2(fileno(log), STDERR_FILENO);
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
	dup2(saved, STDERR_FILENO);
	close(saved);
	/* Once for each disk. */
	rewind(log);
	for (int i = 0; i < 2; i++)
		CHECK(fgets(said, sizeof(said), log) && strstr(said, "BUG: "));
	CHECK(!fgets(said, sizeof(said), log));
	fclose(log);
	close_disk(&own);
}

/* Where no hole can be made deallocation is a hint, and Write Zeroes writes. */
static void test_no_holes(void)
{
	struct nvs_sqe dsm = {
		.opcode = NVS_IO_DSM, .nsid = 1, .cdw11 = NVS_DSM_AD, .prp1 = DATA,
	};
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct disk d;
	char path[64];

	CHECK_EQ(ftruncate(fd, 1 << 20), 0);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	open_subsystem(&d, path, NULL);
	memset(d.h.data, 0, 16);
	((struct nvs_dsm_range *)d.h.data)->nlb = 2048;
	CHECK_EQ(nvmh_run(&d.h, 1, &dsm), 0);
	CHECK_EQ(rw(&d, NVS_IO_WRITE_ZEROES, 0, 1), NVS_SC_WRITE_FAULT);
	close_subsystem(&d);
	close(fd);
}

/* ---- disks of functions ---- */

/* Each function has disks of its own, so that none waits for a neighbour. */
static void test_disks_each(void)
{
	static char *options[] = { "profile=7", "functions=3", "size=1", NULL };
	struct rig *owner = rig_open(vu_model_find("nvme_cf"), options);
	uint8_t ids[3][8];
	struct nvmh fn[3];

	for (unsigned int i = 0; i < 3; i++) {
		nvmh_open(&fn[i], owner, i);
		CHECK(nvmh_enable(&fn[i]));
		CHECK_EQ(nvmh_create_pair(&fn[i], 1, 8), 0);
		CHECK_EQ(nvmh_rw(&fn[i], 1, NVS_IO_READ, 1, 0, 1, 512), 0);
		fn[i].data[0] = (uint8_t)(0x40 + i);
		CHECK_EQ(nvmh_rw(&fn[i], 1, NVS_IO_WRITE, 1, 0, 1, 512), 0);
		CHECK_EQ(nvmh_rw(&fn[i], 1, NVS_IO_READ, 2, 0, 1, 512), NVS_SC_INVALID_NAMESPACE);
		CHECK_EQ(nvmh_identify(&fn[i], NVS_CNS_NAMESPACE, 1, 0), 0);
		memcpy(ids[i], fn[i].data + 120, 8);
		for (unsigned int k = 0; k < i; k++)
			CHECK(memcmp(ids[i], ids[k], 8) && ids[i][0]);
	}
	for (unsigned int i = 0; i < 3; i++) {
		CHECK_EQ(nvmh_rw(&fn[i], 1, NVS_IO_READ, 1, 0, 1, 512), 0);
		CHECK_EQ(fn[i].data[0], 0x40 + i);
		nvmh_close(&fn[i]);
	}
	rig_close(owner);
}

/* The same seed makes the same controller in another process, whatever its firmware and vendor. */
static void test_seed(void)
{
	static const uint16_t subvendor[2] = { NVCF_VENDOR, 0x1b36 };
	char *options[2][6] = {
		{ "profile=9", "functions=2", "size=1", "serial=1", NULL },
		{ "profile=9", "functions=2", "size=1", "firmware=3", "subvendor=0x1b36", NULL },
	};
	uint8_t page[2][2][2][4096];

	for (unsigned int host = 0; host < 2; host++) {
		struct rig *owner = rig_open(vu_model_find("nvme_cf"), options[host]);

		for (unsigned int i = 0; i < 2; i++) {
			struct nvmh fn;

			nvmh_open(&fn, owner, i);
			CHECK(nvmh_enable(&fn));
			CHECK_EQ(vu_config_get(fn.r->dev, PCI_SUBSYSTEM_VENDOR_ID, 2), subvendor[host]);
			CHECK_EQ(nvmh_identify(&fn, NVS_CNS_CONTROLLER, 0, 0), 0);
			memcpy(page[host][i][0], fn.data, 4096);
			CHECK_EQ(nvmh_identify(&fn, NVS_CNS_NS_DESCRIPTORS, 1, 0), 0);
			memcpy(page[host][i][1], fn.data, 4096);
			nvmh_close(&fn);
		}
		rig_close(owner);
	}
	CHECK(!memcmp(page[0], page[1], sizeof(page[0])));
	for (unsigned int what = 0; what < 2; what++)
		CHECK(memcmp(page[0][0][what], page[0][1][what], 4096));
}

/* A profile may name the disk of another function, which then waits for its lock. */
static void test_lock_between_functions(void)
{
	static char *options[] = { "profile=7", "functions=2", "size=1", NULL };
	struct rig *owner = rig_open(vu_model_find("nvme_cf"), options);
	struct nvmh m, fn[2];

	nvmh_open_managing(&m, owner);
	CHECK(nvmh_enable(&m));
	CHECK_EQ(nvmh_admin(&m, NVCF_ADMIN_PROFILE_RECEIVE, 0, 0, 2), 0);
	/* What the command has read is where the next one takes its data. */
	CHECK_EQ(nvmh_admin(&m, NVCF_ADMIN_PROFILE_SEND, 0, NVCF_PROFILE_REMOVE, 3), 0);
	CHECK_EQ(nvmh_admin(&m, NVCF_ADMIN_PROFILE_SEND, 0, NVCF_PROFILE_GIVE, 3), 0);
	for (unsigned int i = 0; i < 2; i++) {
		nvmh_open(&fn[i], owner, i);
		CHECK(nvmh_enable(&fn[i]));
		CHECK_EQ(nvmh_create_pair(&fn[i], 1, 8), 0);
	}
	CHECK_EQ(nvmh_rw(&fn[0], 1, NVS_IO_WRITE, 1, 0, 1, 512), 0);
	CHECK_EQ(nvmh_rw(&fn[1], 1, NVS_IO_READ, 1, 0, 1, 512), NVS_SC_NAMESPACE_NOT_READY);
	nvmh_disable(&fn[0]);
	CHECK_EQ(nvmh_rw(&fn[1], 1, NVS_IO_READ, 1, 0, 1, 512), 0);
	nvmh_close(&fn[1]);
	nvmh_close(&fn[0]);
	nvmh_close(&m);
	rig_close(owner);
}

static void test_many_disks(void)
{
	static char *two_each[] = { "profile=1", "functions=2", "disk3=", "size=1", NULL };
	static char *too_many[] = { "profile=1", "disk5=/dev/null", "size=1", NULL };
	char path[64] = "/tmp/nvme_cf.XXXXXX", option[80];
	struct nvmh fn;
	struct stat st;
	struct rig *owner;

	/* The third disk is the first one of the second function; its file is made. */
	close(mkstemp(path));
	unlink(path);
	snprintf(option, sizeof(option), "disk3=%s", path);
	two_each[2] = option;
	owner = rig_open(vu_model_find("nvme_cf"), two_each);
	nvmh_open(&fn, owner, 1);
	CHECK(nvmh_enable(&fn));
	CHECK_EQ(nvmh_create_pair(&fn, 1, 8), 0);
	memset(fn.data, 0x77, 512);
	CHECK_EQ(nvmh_rw(&fn, 1, NVS_IO_WRITE, 1, 0, 1, 512), 0);
	CHECK_EQ(nvmh_rw(&fn, 1, NVS_IO_WRITE, 2, 0, 1, 512), 0);
	CHECK_EQ(nvmh_rw(&fn, 1, NVS_IO_WRITE, 3, 0, 1, 512), NVS_SC_INVALID_NAMESPACE);
	nvmh_close(&fn);
	rig_close(owner);
	CHECK_EQ(stat(path, &st), 0);
	CHECK_EQ(st.st_size, 1 << 20);
	unlink(path);
	CHECK(!vu_dev_new(vu_model_find("nvme_cf"), too_many, 3));
}

/* ---- faults of the data, and the record ---- */

static void test_flip(void)
{
	struct disk d;

	open_disk(&d, NULL);
	fill(&d, 8192, 1);
	rig_control(d.h.r, "fault flip fail=515 skip=1 count=1");
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 16), 0);
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 16), 0);
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 16), 0);
	CHECK(!filled(&d, 8192, 1));
	d.h.data[515] ^= 1;
	CHECK(filled(&d, 8192, 1));
	/* On the way to the host it is only the transfer. */
	CHECK_EQ(rw(&d, NVS_IO_WRITE, 0, 16), 0);
	rig_control(d.h.r, "fault flip fail count=1");
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 16), 0);
	CHECK(!filled(&d, 8192, 1));
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 16), 0);
	CHECK(filled(&d, 8192, 1));
	close_disk(&d);
}

/* The lines of the record: their number, and the last one. */
static unsigned int lines(const char *text, const char **last)
{
	unsigned int num = 0;

	for (const char *at = text; strncmp(at, "ok", 2); at = strchr(at, '\n') + 1) {
		*last = at;
		num++;
	}
	return num;
}

static void test_record(void)
{
	const char *last = "";
	uint64_t stamp;
	char want[128];
	struct disk d;

	open_disk(&d, NULL);
	rig_control(d.h.r, "completions clear");
	for (uint32_t i = 0; i < 3; i++) {
		fill(&d, 4096, i + 1);
		memcpy(&stamp, d.h.data, 8);
		snprintf(want, sizeof(want), "1 0x%04x 0x%02x %s %u 8 0x%08x 0x%016llx\n",
			 d.h.cid + 1, i == 2 ? NVS_IO_COMPARE : NVS_IO_WRITE,
			 i == 2 ? "0x4285" : "0x000", 8 * i,
			 (unsigned int)crc32(0, d.h.data, 4096), (unsigned long long)stamp);
		CHECK_EQ(rw(&d, i == 2 ? NVS_IO_COMPARE : NVS_IO_WRITE, 8 * i, 8),
			 i == 2 ? NVS_SC_COMPARE_FAILURE : 0);
		CHECK_EQ(lines(rig_control(d.h.r, "completions"), &last), i + 1);
		CHECK(!strncmp(last, want, strlen(want)));
	}
	/* What a read returns is what the write had, and what an error has is nothing. */
	fill(&d, 4096, 1);
	CHECK_EQ(rw(&d, NVS_IO_READ, 0, 8), 0);
	snprintf(want, sizeof(want), " 0x000 0 8 0x%08x ", (unsigned int)crc32(0, d.h.data, 4096));
	CHECK(strstr(rig_control(d.h.r, "completions"), want));
	CHECK_EQ(rw(&d, NVS_IO_READ, 1 << 20, 8), NVS_SC_LBA_RANGE);
	CHECK(strstr(rig_control(d.h.r, "completions"),
		     " 0x4080 1048576 8 0x00000000 0x0000000000000000\n"));
	/* Taken piece by piece. */
	CHECK_EQ(lines(rig_control(d.h.r, "completions take 2"), &last), 2);
	CHECK_EQ(lines(rig_control(d.h.r, "completions take 2"), &last), 2);
	CHECK_EQ(lines(rig_control(d.h.r, "completions take 2"), &last), 1);
	CHECK_EQ(lines(rig_control(d.h.r, "completions"), &last), 0);
	CHECK(strstr(rig_control(d.h.r, "completions take"), "err"));
	close_disk(&d);
}

/* Bounded: the oldest are lost, and their number told. */
static void test_record_full(void)
{
	struct nvcf_completion one = { .qid = 1 };
	struct nvcf_record r = { 0 };
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	for (uint64_t i = 0; i < 100; i++)
		nvcf_record_add(&r, &one);
	nvcf_record_print(&r, 90, true, out);
	for (uint64_t i = 0; i < NVCF_RECORD; i++) {
		one.mark.lba = i;
		nvcf_record_add(&r, &one);
	}
	CHECK_EQ(r.lost, 10);
	fflush(out);
	rewind(out);
	nvcf_record_print(&r, 2, true, out);
	fclose(out);
	CHECK(!strncmp(text, "lost 10\n1 0x0000 0x00 0x000 0 0 ", 32));
	CHECK_EQ(r.to - r.from, NVCF_RECORD - 2);
	CHECK_EQ(r.lost, 0);
	free(text);
	nvcf_record_free(&r);
}

static const struct test tests[] = {
	{ "nvme_cf: write cache", test_cache },
	{ "nvme_cf: no write cache", test_no_cache },
	{ "nvme_cf: two subsystems on a file", test_lock },
	{ "nvme_cf: accesses without the lock", test_lock_oracle },
	{ "nvme_cf: a file without holes", test_no_holes },
	{ "nvme_cf: each function has its disks", test_disks_each },
	{ "nvme_cf: the same seed, the same controller", test_seed },
	{ "nvme_cf: two functions and one disk", test_lock_between_functions },
	{ "nvme_cf: more disks", test_many_disks },
	{ "nvme_cf: a byte that flips", test_flip },
	{ "nvme_cf: the record of completions", test_record },
	{ "nvme_cf: a record that is full", test_record_full },
	{ NULL, NULL },
};
TEST_SUITE(tests);
