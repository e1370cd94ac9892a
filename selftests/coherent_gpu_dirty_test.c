// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of coherent_gpu that is written while it is migrated: what is sent again, and what is
 * mapped how.  coherent_gpu_truth_test has the rounds that show that nothing is missed.
 *
 * Groups: coherent-gpu coherent-gpu-truth
 */
#include "lib/gpupair.h"
#include "lib/kvm.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/trace.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define PAGE		4096UL
#define BLOCK		(2UL << 20)
#define SET_PAGES	((16UL << 20) / PAGE)
#define KVM_BYTES	(8 * PAGE)	/* few, so that each is taken away in no time */
#define KVM_READS	1000

FIXTURE(dirty)
{
	struct gpupair p;
};

static void touch_blocks(struct gpupair *p)
{
	for (uint64_t pos = 0; pos < GPUPAIR_MAIN; pos += BLOCK)
		(void)*(volatile uint8_t *)(p->main + pos);
	for (uint64_t pos = 0; pos < GPUPAIR_CARVE; pos += BLOCK)
		(void)*(volatile uint8_t *)(p->carve + pos);
}

FIXTURE_SETUP(dirty)
{
	struct gpupair *p = &self->p;
	unsigned long blocks;

	gpupair_init(p);
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, p->slot, 2);
	ASSERT_EQ(0, gpu_count_faults());
	ASSERT_EQ(0, gpupair_open(p, any_mode()));
	/* By pages of 2 MiB, as a VMM maps it. */
	blocks = gpu_faults(&p->v[0], "fault_pmd");
	touch_blocks(p);
	ASSERT_EQ(GPUPAIR_BYTES / BLOCK, gpu_faults(&p->v[0], "fault_pmd") - blocks);
	ASSERT_EQ(0, gpupair_begin(p));
}

FIXTURE_TEARDOWN(dirty)
{
	gpupair_close(&self->p);
}

static void by_store(struct gpupair *p, uint64_t pos, uint32_t val)
{
	*(volatile uint32_t *)(p->main + pos + val % 1024 * 4) = val;
}

static void by_string(struct gpupair *p, uint64_t pos, uint32_t val)
{
	void *at = p->main + pos;
	size_t n = PAGE;

	asm volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(val) : "memory");
}

#define FILLED		(32UL << 20)	/* more than a session holds: the pass waits in it */

static unsigned long blocks_of(struct gpupair *p)
{
	return gpu_faults(&p->v[0], "fault_pmd");
}

/*
 * Memory that a pass has not come to is mapped by 2 MiB, and a pass takes such a page away in
 * parts; what has a page that is clean in it is never mapped so.
 */
TEST_F_TIMEOUT(dirty, page_of_2_mib_goes_in_parts, 600)
{
	unsigned long blocks;

	ASSERT_EQ(0, mig_set(&self->p.v[0], VFIO_DEVICE_STATE_RUNNING, NULL));
	close(self->p.from);
	for (uint64_t pos = 0; pos < FILLED; pos += PAGE)
		self->p.main[pos] = 1;
	ASSERT_EQ(0, mig_set(&self->p.v[0], VFIO_DEVICE_STATE_PRE_COPY, &self->p.from));
	/* Behind the first of the memory: header, view and layout may come alone. */
	ASSERT_EQ(0, gpupair_pump_some(&self->p, 1 << 20));
	/* The last two that the pass comes to, and the first one, which it has passed. */
	blocks = blocks_of(&self->p);
	by_store(&self->p, FILLED - BLOCK + PAGE, 2);
	by_store(&self->p, FILLED - 2 * BLOCK + PAGE, 2);
	EXPECT_EQ(blocks + 2, blocks_of(&self->p));
	by_store(&self->p, 0, 2);
	EXPECT_EQ(blocks + 2, blocks_of(&self->p));
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	/* No part of them is mapped any more. */
	for (uint64_t pos = FILLED - 2 * BLOCK; pos < FILLED; pos += 31 * PAGE)
		by_store(&self->p, pos, 3);
	EXPECT_EQ(blocks + 2, blocks_of(&self->p));
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	for (uint64_t pos = FILLED - 2 * BLOCK; pos < FILLED; pos += 17 * PAGE)
		by_store(&self->p, pos, 4);
	ASSERT_EQ(0, gpupair_finish(&self->p));
	EXPECT_EQ(0, gpupair_differing(&self->p));
}

/*
 * KVM looks at the entry of a page itself, after the kernel has made it, and ends the guest if it
 * is gone again by then.  That takes a busy machine: mapping_test shows it on any.
 */
TEST_F_TIMEOUT(dirty, a_guest_of_kvm_survives_pre_copy, 600)
{
	struct kvm_guest k;
	unsigned int rounds = 0;
	int err = kvm_guest_start(&k, self->p.main, KVM_BYTES);

	if (err == -ENOENT)
		SKIP(return, "no KVM here");
	ASSERT_EQ(0, err);
	for (unsigned int i = 0; i < KVM_READS && !k.err; i++) {
		ssize_t n = gpupair_piece(&self->p);

		EXPECT_TRUE(n > 0 || n == -ENOMSG);
		rounds += n < 0;
	}
	TH_LOG("%u rounds, %u writes of the guest", rounds, kvm_guest_count(&k));
	EXPECT_LT(0, kvm_guest_count(&k));
	EXPECT_EQ(0, kvm_guest_stop(&k));
	ASSERT_EQ(0, gpupair_finish(&self->p));
	EXPECT_EQ(0, gpupair_differing(&self->p));
}

/* What is written once is sent once, and nothing else is: how much more is measured. */
TEST_F_TIMEOUT(dirty, what_is_sent_is_what_was_written, 300)
{
	uint64_t before;

	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	before = self->p.sent;
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	EXPECT_EQ(before, self->p.sent);
	for (unsigned int i = 0; i < 64; i++)
		by_string(&self->p, i * 800 * PAGE, i + 1);
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	EXPECT_LE(64 * PAGE, self->p.sent - before);
	EXPECT_GE(64 * (PAGE + 1024), self->p.sent - before);
	before = self->p.sent;
	/* Reading counts, too: pages with content are sent again, and those of zeros are not. */
	for (unsigned int i = 0; i < 64; i++)
		(void)*(volatile uint8_t *)(self->p.main + (i * 800 + 5) * PAGE);
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	TH_LOG("64 pages of zeros were read: %lu bytes sent", self->p.sent - before);
	EXPECT_GE(64 * 1024, self->p.sent - before);
	before = self->p.sent;
	for (unsigned int i = 0; i < 64; i++)
		(void)*(volatile uint8_t *)(self->p.main + i * 800 * PAGE);
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	TH_LOG("64 pages with content were read: %lu bytes sent", self->p.sent - before);
	EXPECT_LE(64 * PAGE, self->p.sent - before);
	EXPECT_GE(64 * (PAGE + 1024), self->p.sent - before);
	before = self->p.sent;
	ASSERT_EQ(0, gpu_run(&self->p.g, gpu_fill(GPU_AT(100 * PAGE), 16 * PAGE, 0x31323334)));
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	EXPECT_LE(16 * PAGE, self->p.sent - before);
	EXPECT_GE(17 * PAGE, self->p.sent - before);
	ASSERT_EQ(0, gpupair_finish(&self->p));
	EXPECT_EQ(0, gpupair_differing(&self->p));
}

#define HARVESTS	256	/* more than there are */

/* Pages that CPUs (" cpu=") or the function (" device=") have written, as the trace event tells. */
static unsigned long told_of(struct trace *trace, const char *who)
{
	static char lines[HARVESTS][TRACE_CHARS];
	int num = trace_lines(trace, "cgpu_harvest", lines, HARVESTS);
	unsigned long pages = 0;

	for (int i = 0; i < num; i++) {
		const char *at = strstr(lines[i], who);

		pages += at ? strtoul(at + strlen(who), NULL, 10) : 0;
	}
	return num < HARVESTS ? pages : ~0UL;
}

/* However often somebody asks how much there is, and nothing of what was not sent so far. */
TEST_F_TIMEOUT(dirty, page_that_cpus_write_counts_once, 300)
{
	struct vfio_precopy_info info;
	struct trace trace;

	ASSERT_EQ(0, trace_open(&trace, "vpv_coherent_gpu/cgpu_harvest"));
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	EXPECT_EQ(0, told_of(&trace, " cpu="));
	for (unsigned int i = 0; i < 64; i++)
		by_string(&self->p, i * 800 * PAGE, i + 1);
	for (unsigned int i = 0; i < 10; i++) {
		ASSERT_EQ(0, mig_precopy_info(self->p.from, &info));
		usleep(20000);
	}
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	EXPECT_EQ(64, told_of(&trace, " cpu="));
	by_string(&self->p, 0, 1);
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	EXPECT_EQ(65, told_of(&trace, " cpu="));
	EXPECT_LT(3, trace_count(&trace, "cgpu_harvest", NULL));
	trace_close(&trace);
	ASSERT_EQ(0, gpupair_finish(&self->p));
	EXPECT_EQ(0, gpupair_differing(&self->p));
}

/* Pages of its memory that the model has written down apart, without its log; or -1. */
static long ledger_pages(struct model *m)
{
	long pages = 0;

	if (model_cmd(m, "written"))
		return -1;
	for (char *line = strtok(m->reply, "\n"); line; line = strtok(NULL, "\n"))
		if (strncmp(line, "0x", 2))
			return -1;	/* some were lost */
		else
			pages++;
	return pages;
}

#define LEDGER_ROUNDS	16
#define LEDGER_COMMANDS	16

/* Some bytes or some pages, in both parts of the memory. */
static int write_by_device(struct gpu *g, unsigned int i)
{
	uint64_t part = i % 3 ? 0 : CGPU_CARVE_BASE, end = i % 3 ? GPUPAIR_MAIN : GPUPAIR_CARVE;
	uint64_t bytes = (i * 7919 % (3 * PAGE) | 4) & ~3UL;
	uint64_t at = i * 104729ULL * 64 % (end - bytes) & ~3UL;

	if (i % 2)
		return gpu_run(g, gpu_fill(GPU_AT(part + at), bytes, i));
	memset(g->mem + GPU_MEM_DATA, i | 1, 3 * PAGE);
	return gpu_run(g, gpu_copy(GPU_AT(part + at), GPU_GUEST(GPU_MEM_DATA), bytes));
}

/* What the driver takes out of the log is what the function wrote, and no page more. */
TEST_F_TIMEOUT(dirty, log_has_what_the_ledger_has, 300)
{
	struct trace trace;
	struct model m;
	long pages, all = 0;

	ASSERT_EQ(0, model_open(&m, &self->p.slot[0]));
	ASSERT_EQ(0, trace_open(&trace, "vpv_coherent_gpu/cgpu_harvest"));
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	for (unsigned int i = 0; i < LEDGER_ROUNDS; i++) {
		uint64_t before = self->p.sent;

		ASSERT_EQ(0, trace_clear(&trace));
		ASSERT_EQ(0, model_cmd(&m, "written clear"));
		for (unsigned int n = 0; n < LEDGER_COMMANDS; n++)
			ASSERT_EQ(0, write_by_device(&self->p.g, i * LEDGER_COMMANDS + n + 1));
		pages = ledger_pages(&m);
		EXPECT_LE(LEDGER_COMMANDS, pages);
		ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
		EXPECT_EQ(pages, told_of(&trace, " device="));
		EXPECT_LE(pages * PAGE, self->p.sent - before);
		all += pages;
	}
	TH_LOG("%ld pages in the ledger", all);
	trace_close(&trace);
	model_close(&m);
	/* As many, and none of them was missed: the same ones. */
	ASSERT_EQ(0, gpupair_finish(&self->p));
	EXPECT_EQ(0, gpupair_differing(&self->p));
}

/* What the log has lost count of, or does not tell, may be anywhere: all of it is sent again. */
TEST_F_TIMEOUT(dirty, log_that_fails, 300)
{
	static const char *const faults[] = {
		"fault log fail count=1", "fault log_read fail count=1",
		"fault log_read hang count=1",
		/* More than it was asked for. */
		"claim set 4000000000",
	};
	struct model m;

	ASSERT_EQ(0, model_open(&m, &self->p.slot[0]));
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		uint64_t before;

		for (unsigned int n = 0; n < 64; n++)
			by_string(&self->p, n * 800 * PAGE, n + 1);
		ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
		before = self->p.sent;
		ASSERT_EQ(0, model_cmd(&m, "%s", faults[i]));
		ASSERT_EQ(0, gpu_run(&self->p.g, gpu_fill(GPU_AT(100 * PAGE), PAGE, i + 1)));
		/* Not to the end: as long as nothing is told, everything comes again. */
		while (self->p.sent - before < 64 * PAGE)
			ASSERT_LT(0, gpupair_piece(&self->p)) TH_LOG("%s", faults[i]);
		/* A question that was given up takes marks away when it ends after all. */
		ASSERT_EQ(0, gpu_run(&self->p.g, gpu_fill(GPU_AT(200 * PAGE), PAGE, i + 1)));
		ASSERT_EQ(0, model_cmd(&m, "fault clear"));
		ASSERT_EQ(0, model_cmd(&m, "claim clear"));
		/* And from then on it is known again. */
		ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
		before = self->p.sent;
		ASSERT_EQ(0, gpu_run(&self->p.g, gpu_fill(GPU_AT(300 * PAGE), PAGE, i + 1)));
		ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
		EXPECT_LE(PAGE, self->p.sent - before) TH_LOG("%s", faults[i]);
		EXPECT_GE(2 * PAGE, self->p.sent - before) TH_LOG("%s", faults[i]);
	}
	model_close(&m);
	ASSERT_EQ(0, gpupair_finish(&self->p));
	EXPECT_EQ(0, gpupair_differing(&self->p));
}

/* P2P: the function is paused, and its memory is not; what CPUs write then is sent. */
TEST_F_TIMEOUT(dirty, memory_answers_in_p2p, 300)
{
	const uint64_t untouched = 900 * PAGE;
	uint32_t val = 0, word = 0x50325032;

	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	ASSERT_EQ(0, mig_set(&self->p.v[0], VFIO_DEVICE_STATE_PRE_COPY_P2P, NULL));
	gpu_put(&self->p.g, 0, gpu_fill(GPU_AT(untouched), PAGE, 7));
	gpu_ring(&self->p.g, 0);
	by_store(&self->p, 0, 1);
	by_string(&self->p, 10 * PAGE, 2);
	ASSERT_EQ(4, vdev_pwrite(&self->p.v[0], GPU_MAIN_BAR, 20 * PAGE - 2, &word, 4));
	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	EXPECT_EQ(4, vdev_pread(&self->p.v[0], GPU_MAIN_BAR, untouched, &val, 4));
	EXPECT_EQ(0, val);
	ASSERT_EQ(0, gpupair_finish(&self->p));
	EXPECT_EQ(0, gpupair_differing(&self->p));
}

/* The set that is rewritten all the time is all that is left for STOP_COPY. */
TEST_F_TIMEOUT(dirty, pre_copy_leaves_what_is_rewritten, 600)
{
	uint64_t before;

	for (uint64_t pos = 0; pos < GPUPAIR_MAIN; pos += PAGE)
		*(volatile uint64_t *)(self->p.main + pos) = pos + 1;
	for (unsigned int i = 0; i < 3; i++) {
		for (uint64_t page = 0; page < SET_PAGES; page++)
			*(volatile uint64_t *)(self->p.main + page * PAGE) += 1;
		ASSERT_EQ(0, gpu_run(&self->p.g, gpu_fill(GPU_AT(GPUPAIR_MAIN / 2), 16 << 20, i + 1)));
		ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	}
	for (uint64_t page = 0; page < SET_PAGES; page++)
		*(volatile uint64_t *)(self->p.main + page * PAGE) += 1;
	ASSERT_EQ(0, gpu_run(&self->p.g, gpu_fill(GPU_AT(GPUPAIR_MAIN / 2), 16 << 20, 9)));
	before = self->p.sent;
	ASSERT_EQ(0, gpupair_finish(&self->p));
	TH_LOG("%lu KiB in pre-copy, %lu KiB in STOP_COPY", before >> 10,
	       (self->p.sent - before) >> 10);
	EXPECT_GE(34 << 20, self->p.sent - before);
	EXPECT_EQ(0, gpupair_differing(&self->p));
}

/* ---- Pages of 1 GiB ---- */

#define LARGE		3	/* of the machine's functions: one of 1 GiB */
#define GB		(1UL << 30)

/* No part of one can be taken away: all of it is, before anything is recorded. */
TEST(page_of_1_gib_goes_before_pre_copy)
{
	static const uint64_t at[] = { 0, GB / 2 + 5 * PAGE, GB - PAGE };
	struct slot slot[LARGE + 1];
	struct blob blob = {};
	unsigned long large;
	struct vdev v;
	size_t before;
	uint8_t *p;
	int fd = -1;

	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, slot, LARGE + 1);
	ASSERT_EQ(0, gpu_count_faults());
	ASSERT_EQ(0, vdev_open(&v, &slot[LARGE], any_mode()));
	ASSERT_EQ(0, gpu_set_memory(&v, true));
	p = gpu_map_aligned(&v, GPU_MAIN_BAR, GB, 0);
	ASSERT_NE(NULL, p);
	large = gpu_faults(&v, "fault_pud");
	p[0] = 1;
	ASSERT_EQ(large + 1, gpu_faults(&v, "fault_pud"));
	ASSERT_EQ(0, mig_set(&v, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	ASSERT_EQ(-ENOMSG, blob_pull(&blob, fd, 0));
	before = blob.bytes;
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++)
		p[at[i]] = 2 + i;
	EXPECT_EQ(large + 1, gpu_faults(&v, "fault_pud"));
	ASSERT_EQ(-ENOMSG, blob_pull(&blob, fd, 0));
	EXPECT_LE(ARRAY_SIZE(at) * PAGE, blob.bytes - before);
	EXPECT_GE(2 * ARRAY_SIZE(at) * PAGE, blob.bytes - before);
	close(fd);
	munmap(p, GB);
	vdev_close(&v);
	blob_free(&blob);
}

/* ---- A log of large pages ---- */

#define COARSE		2	/* of the machine's functions: its log has pages of 2 MiB at least */
#define COARSE_PAGE	(2UL << 20)
#define COARSE_MAIN	(384UL << 20)
#define COARSE_CARVE	(128UL << 20)

FIXTURE(coarse)
{
	struct slot slot[COARSE + 1];
	struct vdev v;
	struct gpu g;
	struct blob blob;
	int fd;
};

FIXTURE_SETUP(coarse)
{
	self->v.fd = -1;
	self->fd = -1;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, self->slot, COARSE + 1);
	self->g.mem = mmap(NULL, GPU_MEM_BYTES, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->g.mem);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot[COARSE], any_mode()));
	ASSERT_EQ(0, vdev_dma_map(&self->v, self->g.mem, GPU_MEM_IOVA, GPU_MEM_BYTES));
	ASSERT_EQ(0, gpu_attach(&self->g, &self->v));
	ASSERT_EQ(0, gpu_enable(&self->g));
	ASSERT_EQ(0, gpu_queue_start(&self->g, 0, false));
}

FIXTURE_TEARDOWN(coarse)
{
	if (self->fd >= 0)
		close(self->fd);
	gpu_detach(&self->g);
	vdev_close(&self->v);
	munmap(self->g.mem, GPU_MEM_BYTES);
	blob_free(&self->blob);
}

/* All of a page of the log is sent again, and nothing of its neighbours. */
TEST_F_TIMEOUT(coarse, page_that_the_device_writes_is_sent, 300)
{
	static const uint64_t pages[] = {
		0, 63 * COARSE_PAGE, 64 * COARSE_PAGE, COARSE_MAIN - COARSE_PAGE,
		CGPU_CARVE_BASE, CGPU_CARVE_BASE + COARSE_CARVE - COARSE_PAGE,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++)
		ASSERT_EQ(0, gpu_run(&self->g, gpu_fill(GPU_AT(pages[i]), COARSE_PAGE, 7)));
	ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_PRE_COPY, &self->fd));
	ASSERT_EQ(-ENOMSG, blob_pull(&self->blob, self->fd, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(pages); i++) {
		uint32_t word = 0x51525300 + i;
		size_t before = self->blob.bytes;
		uint64_t at = pages[i] + COARSE_PAGE - PAGE;

		ASSERT_EQ(0, gpu_run(&self->g, gpu_fill(GPU_AT(at), 4, word)));
		ASSERT_EQ(-ENOMSG, blob_pull(&self->blob, self->fd, 0));
		EXPECT_LE(COARSE_PAGE, self->blob.bytes - before) TH_LOG("page %u", i);
		EXPECT_GE(COARSE_PAGE + 16 * PAGE, self->blob.bytes - before) TH_LOG("page %u", i);
		EXPECT_NE(NULL, memmem(self->blob.data + before, self->blob.bytes - before, &word,
				       sizeof(word)));
	}
	ASSERT_EQ(0, mig_stop_copy(&self->v, &self->blob, self->fd));
	self->fd = -1;
}

TEST_HARNESS_MAIN
