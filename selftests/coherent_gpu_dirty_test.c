// SPDX-License-Identifier: GPL-2.0
/*
 * The truth about memory of coherent_gpu that is migrated while it is written: rounds of
 * writes by CPUs and by the device, by every path, and at the end both sides are compared
 * byte for byte.
 *
 * Groups: coherent-gpu coherent-gpu-truth
 */
#include <pthread.h>

#include "lib/gpu.h"
#include "lib/kvm.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/trace.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define PAGE		4096UL
#define BYTES		(224UL << 20)	/* of main memory */
#define CARVE		(32UL << 20)
#define PAGES		(BYTES / PAGE)
#define BLOCK		(2UL << 20)
#define ROUNDS		1000
#define EACH		3	/* pages that are written by each path in a round */
#define SET_PAGES	((16UL << 20) / PAGE)
#define PIECE		(1 << 20)
#define THREADS		3	/* of which the first one has the device write */
#define KVM_BYTES	(8 * PAGE)	/* few, so that each is taken away in no time */
#define KVM_READS	1000

FIXTURE(truth)
{
	struct slot slot[2];
	struct vdev v[2];
	struct gpu g;
	uint8_t *p;		/* main memory of the source */
	uint8_t *carve;
	int from, to;
	uint64_t sent;
	uint64_t pages;		/* that were written, each once between two reads of the stream */
	uint32_t random;
};

static void touch_blocks(FIXTURE_DATA(truth) *self)
{
	for (uint64_t pos = 0; pos < BYTES; pos += BLOCK)
		(void)*(volatile uint8_t *)(self->p + pos);
	for (uint64_t pos = 0; pos < CARVE; pos += BLOCK)
		(void)*(volatile uint8_t *)(self->carve + pos);
}

FIXTURE_SETUP(truth)
{
	unsigned long blocks;

	self->v[0].fd = -1;
	self->v[1].fd = -1;
	self->from = -1;
	self->to = -1;
	self->random = 1;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, self->slot, 2);
	self->g.mem = mmap(NULL, GPU_MEM_BYTES, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->g.mem);
	for (unsigned int i = 0; i < 2; i++)
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slot[i], any_mode()));
	ASSERT_EQ(0, vdev_dma_map(&self->v[0], self->g.mem, GPU_MEM_IOVA, GPU_MEM_BYTES));
	ASSERT_EQ(0, gpu_attach(&self->g, &self->v[0]));
	ASSERT_EQ(0, gpu_enable(&self->g));
	ASSERT_EQ(0, gpu_queue_start(&self->g, 0, false));
	ASSERT_EQ(0, gpu_queue_start(&self->g, 1, false));
	/* By pages of 2 MiB, as a VMM maps it. */
	ASSERT_EQ(0, gpu_count_faults());
	self->p = gpu_map_aligned(&self->v[0], GPU_MAIN_BAR, BYTES, 0);
	ASSERT_NE(NULL, self->p);
	self->carve = gpu_map_aligned(&self->v[0], GPU_CARVE_BAR, CARVE, 0);
	ASSERT_NE(NULL, self->carve);
	blocks = gpu_faults(&self->v[0], "fault_pmd");
	touch_blocks(self);
	ASSERT_EQ((BYTES + CARVE) / BLOCK, gpu_faults(&self->v[0], "fault_pmd") - blocks);
	ASSERT_EQ(0, mig_set(&self->v[1], VFIO_DEVICE_STATE_RESUMING, &self->to));
	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_PRE_COPY, &self->from));
}

FIXTURE_TEARDOWN(truth)
{
	if (self->from >= 0)
		close(self->from);
	if (self->to >= 0)
		close(self->to);
	if (self->p)
		munmap(self->p, BYTES);
	if (self->carve)
		munmap(self->carve, CARVE);
	gpu_detach(&self->g);
	for (unsigned int i = 0; i < 2; i++)
		vdev_close(&self->v[i]);
	munmap(self->g.mem, GPU_MEM_BYTES);
}

/* Pages written since they were last counted: those of main memory, then the carve-out's. */
static volatile uint8_t written[PAGES + CARVE / PAGE];

static void mark(uint64_t pos)
{
	written[pos / PAGE] = 1;
}

static unsigned long count_written(void)
{
	unsigned long num = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(written); i++) {
		num += written[i];
		written[i] = 0;
	}
	return num;
}

static uint32_t random_of(FIXTURE_DATA(truth) *self)
{
	self->random = self->random * 1664525 + 1013904223;
	return self->random >> 4;
}

/* Move some to the other side.  Return: bytes; 0 at the end of the stream, -ENOMSG when drained. */
static ssize_t pump_piece(FIXTURE_DATA(truth) *self)
{
	static uint8_t buf[PIECE];
	ssize_t n = read(self->from, buf, sizeof(buf));

	if (n < 0)
		return -errno;
	/* About a pass: what is written in the next one is sent again. */
	self->pages += count_written();
	self->sent += n;
	for (ssize_t at = 0, w; at < n; at += w) {
		w = write(self->to, buf + at, n - at);
		if (w < 0)
			return -errno;
	}
	return n;
}

/* All that there is. */
static int pump(FIXTURE_DATA(truth) *self)
{
	ssize_t n;

	do
		n = pump_piece(self);
	while (n > 0);
	return n;
}

/* A page for each kind of write; never one that the ring is in: that is the guest's. */
static uint64_t some_page(FIXTURE_DATA(truth) *self)
{
	return random_of(self) % PAGES * PAGE;
}

/* ---- Paths ---- */

static int by_store(FIXTURE_DATA(truth) *self, uint64_t pos, uint32_t val)
{
	*(volatile uint32_t *)(self->p + pos + val % 1024 * 4) = val;
	return 0;
}

/* Read first: what is mapped for reading must be seen when it is written. */
static int by_load_then_store(FIXTURE_DATA(truth) *self, uint64_t pos, uint32_t val)
{
	volatile uint32_t *at = (uint32_t *)(self->p + pos);
	uint32_t old = *at;
	int err = random_of(self) % 8 ? -ENOMSG : pump(self);

	*at = old + val;
	return err == -ENOMSG ? 0 : err;
}

static int by_atomic(FIXTURE_DATA(truth) *self, uint64_t pos, uint32_t val)
{
	__atomic_fetch_add((uint32_t *)(self->p + pos + 64), val, __ATOMIC_SEQ_CST);
	return 0;
}

static int by_string(FIXTURE_DATA(truth) *self, uint64_t pos, uint32_t val)
{
	void *at = self->p + pos;
	size_t n = PAGE;

	asm volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(val) : "memory");
	return 0;
}

static int by_write(FIXTURE_DATA(truth) *self, uint64_t pos, uint32_t val)
{
	/* Over the border to the next page. */
	pos = pos + PAGE == BYTES ? pos : pos + PAGE - 2;
	mark(pos + 3);
	return vdev_pwrite(&self->v[0], GPU_MAIN_BAR, pos, &val, 4) == 4 ? 0 : -EIO;
}

static int by_device_fill(FIXTURE_DATA(truth) *self, uint64_t pos, uint32_t val)
{
	return gpu_run(&self->g, gpu_fill(GPU_AT(pos + 512), 64, val));
}

static int by_device_copy(FIXTURE_DATA(truth) *self, uint64_t pos, uint32_t val)
{
	memset(self->g.mem + GPU_MEM_DATA, val, PAGE);
	return gpu_run(&self->g, gpu_copy(GPU_AT(pos), GPU_GUEST(GPU_MEM_DATA), PAGE));
}

static int by_carve_out(FIXTURE_DATA(truth) *self, uint64_t pos, uint32_t val)
{
	pos %= CARVE;
	mark(BYTES + pos);
	*(volatile uint32_t *)(self->carve + pos) = val;
	pos = (pos + CARVE / 2) % CARVE;
	mark(BYTES + pos);
	return gpu_run(&self->g, gpu_fill(GPU_AT(CGPU_CARVE_BASE + pos), 128, val));
}

/* Of these the first ones are the CPU's. */
#define CPU_PATHS	5

static int (*const paths[])(FIXTURE_DATA(truth) *self, uint64_t pos, uint32_t val) = {
	by_store, by_load_then_store, by_atomic, by_string, by_write, by_device_fill,
	by_device_copy, by_carve_out,
};

static int write_round(FIXTURE_DATA(truth) *self)
{
	int err = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(paths) * EACH && !err; i++) {
		uint64_t pos = some_page(self);

		if (paths[i % ARRAY_SIZE(paths)] != by_carve_out)
			mark(pos);
		err = paths[i % ARRAY_SIZE(paths)](self, pos, random_of(self));
	}
	return err;
}

/* ---- Threads that write all the time ---- */

struct writer {
	pthread_t thread;
	uint8_t *p;
	struct gpu *g;
	uint32_t random;
	unsigned int rounds;
	int err;
	volatile bool stop;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;

	while (!w->stop) {
		uint64_t page;

		w->random = w->random * 1664525 + 1013904223;
		/* A small set: pre-copy is to make progress. */
		page = (w->random >> 8) % 64 * 256 * PAGE;
		*(volatile uint32_t *)(w->p + page + 128) = w->random;
		mark(page);
		usleep(20000);
	}
	return NULL;
}

/* The device, by a queue of its own: it writes while its memory is read. */
static void *compute_on(void *arg)
{
	struct writer *w = arg;

	while (!w->stop && !w->err) {
		uint64_t page;

		w->random = w->random * 1664525 + 1013904223;
		page = ((w->random >> 8) % 64 * 256 + 3) * PAGE;
		gpu_put(w->g, 1, gpu_fill(GPU_AT(page), PAGE, w->random));
		gpu_put(w->g, 1, gpu_copy(GPU_AT(page + PAGE), GPU_AT(page), PAGE));
		gpu_ring(w->g, 1);
		w->err = gpu_wait(w->g, 1);
		mark(page);
		mark(page + PAGE);
		w->rounds++;
		usleep(20000);
	}
	return NULL;
}

static bool writers_start(struct writer *w, struct gpu *g, uint8_t *p)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		w[i] = (struct writer){ .p = p + i * 8, .g = g, .random = i };
		if (pthread_create(&w[i].thread, NULL, i ? write_on : compute_on, &w[i]))
			return false;
	}
	return true;
}

static void writers_stop(struct writer *w)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		w[i].stop = true;
		pthread_join(w[i].thread, NULL);
	}
}

/* ---- The end ---- */

static int finish(FIXTURE_DATA(truth) *self)
{
	int err = mig_set(&self->v[0], VFIO_DEVICE_STATE_STOP_COPY, NULL);

	err = err ? err : pump(self);
	err = err ? err : mig_set(&self->v[1], VFIO_DEVICE_STATE_STOP, NULL);
	if (!err)
		err = vdev_cfg_set(&self->v[1], PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	return err;
}

static unsigned long differing_of(struct vdev *v, unsigned int bar, const uint8_t *p,
				  uint64_t bytes)
{
	uint8_t *q = gpu_map(v, bar, 0, bytes);
	unsigned long num = 0;

	if (!q)
		return PAGES;
	for (uint64_t pos = 0; pos < bytes; pos += PAGE)
		num += !!memcmp(p + pos, q + pos, PAGE);
	munmap(q, bytes);
	return num;
}

/* Pages that differ. */
static unsigned long differing(FIXTURE_DATA(truth) *self)
{
	return differing_of(&self->v[1], GPU_MAIN_BAR, self->p, BYTES) +
	       differing_of(&self->v[1], GPU_CARVE_BAR, self->carve, CARVE);
}

TEST_F_TIMEOUT(truth, no_write_is_missed, 1800)
{
	struct writer w[THREADS];
	uint64_t before, rounds, pages;

	ASSERT_EQ(0, write_round(self));
	ASSERT_EQ(-ENOMSG, pump(self));
	before = self->sent;
	self->pages = 0;
	ASSERT_TRUE(writers_start(w, &self->g, self->p));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, write_round(self));
		if (i % 4 == 3)
			ASSERT_EQ(-ENOMSG, pump(self));
		if (i % 100 == 0)
			TH_LOG("round %u, %lu KiB sent", i, self->sent >> 10);
	}
	writers_stop(w);
	EXPECT_EQ(0, w[0].err);
	EXPECT_LE(ROUNDS / 4, w[0].rounds);
	rounds = self->sent - before;
	pages = self->pages * PAGE;
	TH_LOG("%lu KiB in the first pass; in %u rounds %lu KiB, of %lu KiB written: ratio %.2f",
	       before >> 10, ROUNDS, rounds >> 10, pages >> 10, (double)rounds / pages);
	/* Those that were read first may be sent before they are written, too. */
	EXPECT_GE(2 * pages, rounds);
	ASSERT_EQ(0, write_round(self));
	before = self->sent;
	ASSERT_EQ(0, finish(self));
	TH_LOG("%lu KiB in STOP_COPY", (self->sent - before) >> 10);
	EXPECT_EQ(0, differing(self));
}

#define FILLED		(32UL << 20)	/* more than a session holds: the pass waits in it */

static unsigned long blocks_of(FIXTURE_DATA(truth) *self)
{
	return gpu_faults(&self->v[0], "fault_pmd");
}

/*
 * Memory that a pass has not come to is mapped by 2 MiB, and a pass takes such a page away in
 * parts; what has a page that is clean in it is never mapped so.
 */
TEST_F_TIMEOUT(truth, page_of_2_mib_goes_in_parts, 600)
{
	unsigned long blocks;

	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING, NULL));
	close(self->from);
	for (uint64_t pos = 0; pos < FILLED; pos += PAGE)
		self->p[pos] = 1;
	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_PRE_COPY, &self->from));
	ASSERT_LT(0, pump_piece(self));
	/* The last two that the pass comes to, and the first one, which it has passed. */
	blocks = blocks_of(self);
	by_store(self, FILLED - BLOCK + PAGE, 2);
	by_store(self, FILLED - 2 * BLOCK + PAGE, 2);
	EXPECT_EQ(blocks + 2, blocks_of(self));
	by_store(self, 0, 2);
	EXPECT_EQ(blocks + 2, blocks_of(self));
	ASSERT_EQ(-ENOMSG, pump(self));
	/* No part of them is mapped any more. */
	for (uint64_t pos = FILLED - 2 * BLOCK; pos < FILLED; pos += 31 * PAGE)
		by_store(self, pos, 3);
	EXPECT_EQ(blocks + 2, blocks_of(self));
	ASSERT_EQ(-ENOMSG, pump(self));
	for (uint64_t pos = FILLED - 2 * BLOCK; pos < FILLED; pos += 17 * PAGE)
		by_store(self, pos, 4);
	ASSERT_EQ(0, finish(self));
	EXPECT_EQ(0, differing(self));
}

/*
 * KVM looks at the entry of a page itself, after the kernel has made it, and ends the guest if it
 * is gone again by then.  That takes a busy machine: mapping_test shows it on any.
 */
TEST_F_TIMEOUT(truth, a_guest_of_kvm_survives_pre_copy, 600)
{
	struct kvm_guest k;
	unsigned int rounds = 0;
	int err = kvm_guest_start(&k, self->p, KVM_BYTES);

	if (err == -ENOENT)
		SKIP(return, "no KVM here");
	ASSERT_EQ(0, err);
	for (unsigned int i = 0; i < KVM_READS && !k.err; i++) {
		ssize_t n = pump_piece(self);

		EXPECT_TRUE(n > 0 || n == -ENOMSG);
		rounds += n < 0;
	}
	TH_LOG("%u rounds, %u writes of the guest", rounds, kvm_guest_count(&k));
	EXPECT_LT(0, kvm_guest_count(&k));
	EXPECT_EQ(0, kvm_guest_stop(&k));
	ASSERT_EQ(0, finish(self));
	EXPECT_EQ(0, differing(self));
}

/* What is written once is sent once, and nothing else is: how much more is measured. */
TEST_F_TIMEOUT(truth, what_is_sent_is_what_was_written, 300)
{
	uint64_t before;

	ASSERT_EQ(-ENOMSG, pump(self));
	before = self->sent;
	ASSERT_EQ(-ENOMSG, pump(self));
	EXPECT_EQ(before, self->sent);
	for (unsigned int i = 0; i < 64; i++)
		by_string(self, i * 800 * PAGE, i + 1);
	ASSERT_EQ(-ENOMSG, pump(self));
	EXPECT_LE(64 * PAGE, self->sent - before);
	EXPECT_GE(64 * (PAGE + 1024), self->sent - before);
	before = self->sent;
	/* Reading counts, too: pages with content are sent again, and those of zeros are not. */
	for (unsigned int i = 0; i < 64; i++)
		(void)*(volatile uint8_t *)(self->p + (i * 800 + 5) * PAGE);
	ASSERT_EQ(-ENOMSG, pump(self));
	TH_LOG("64 pages of zeros were read: %lu bytes sent", self->sent - before);
	EXPECT_GE(64 * 1024, self->sent - before);
	before = self->sent;
	for (unsigned int i = 0; i < 64; i++)
		(void)*(volatile uint8_t *)(self->p + i * 800 * PAGE);
	ASSERT_EQ(-ENOMSG, pump(self));
	TH_LOG("64 pages with content were read: %lu bytes sent", self->sent - before);
	EXPECT_LE(64 * PAGE, self->sent - before);
	EXPECT_GE(64 * (PAGE + 1024), self->sent - before);
	before = self->sent;
	ASSERT_EQ(0, gpu_run(&self->g, gpu_fill(GPU_AT(100 * PAGE), 16 * PAGE, 0x31323334)));
	ASSERT_EQ(-ENOMSG, pump(self));
	EXPECT_LE(16 * PAGE, self->sent - before);
	EXPECT_GE(17 * PAGE, self->sent - before);
	ASSERT_EQ(0, finish(self));
	EXPECT_EQ(0, differing(self));
}

#define HARVESTS	256	/* more than there are */

/* Pages that CPUs have written, as the trace event tells. */
static unsigned long told_of_cpus(struct trace *trace)
{
	static char lines[HARVESTS][TRACE_CHARS];
	int num = trace_lines(trace, "cgpu_harvest", lines, HARVESTS);
	unsigned long pages = 0;

	for (int i = 0; i < num; i++) {
		const char *at = strstr(lines[i], " cpu=");

		pages += at ? strtoul(at + 5, NULL, 10) : 0;
	}
	return num < HARVESTS ? pages : ~0UL;
}

/* However often somebody asks how much there is, and nothing of what was not sent so far. */
TEST_F_TIMEOUT(truth, page_that_cpus_write_counts_once, 300)
{
	struct vfio_precopy_info info;
	struct trace trace;

	ASSERT_EQ(0, trace_open(&trace, "vpv_coherent_gpu/cgpu_harvest"));
	ASSERT_EQ(-ENOMSG, pump(self));
	EXPECT_EQ(0, told_of_cpus(&trace));
	for (unsigned int i = 0; i < 64; i++)
		by_string(self, i * 800 * PAGE, i + 1);
	for (unsigned int i = 0; i < 10; i++) {
		ASSERT_EQ(0, mig_precopy_info(self->from, &info));
		usleep(20000);
	}
	ASSERT_EQ(-ENOMSG, pump(self));
	EXPECT_EQ(64, told_of_cpus(&trace));
	by_string(self, 0, 1);
	ASSERT_EQ(-ENOMSG, pump(self));
	EXPECT_EQ(65, told_of_cpus(&trace));
	EXPECT_LT(3, trace_count(&trace, "cgpu_harvest", NULL));
	trace_close(&trace);
	ASSERT_EQ(0, finish(self));
	EXPECT_EQ(0, differing(self));
}

/* What the log has lost count of, or does not tell, may be anywhere: all of it is sent again. */
TEST_F_TIMEOUT(truth, log_that_fails, 300)
{
	static const char *const faults[] = {
		"fault log fail count=1", "fault log_read fail count=1",
		"fault log_read hang count=1",
		/* More than it was asked for. */
		"claim set 4000000000",
	};
	struct model m;

	ASSERT_EQ(0, model_open(&m, &self->slot[0]));
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		uint64_t before;

		for (unsigned int n = 0; n < 64; n++)
			by_string(self, n * 800 * PAGE, n + 1);
		ASSERT_EQ(-ENOMSG, pump(self));
		before = self->sent;
		ASSERT_EQ(0, model_cmd(&m, "%s", faults[i]));
		ASSERT_EQ(0, gpu_run(&self->g, gpu_fill(GPU_AT(100 * PAGE), PAGE, i + 1)));
		/* Not to the end: as long as nothing is told, everything comes again. */
		while (self->sent - before < 64 * PAGE)
			ASSERT_LT(0, pump_piece(self)) TH_LOG("%s", faults[i]);
		/* A question that was given up takes marks away when it ends after all. */
		ASSERT_EQ(0, gpu_run(&self->g, gpu_fill(GPU_AT(200 * PAGE), PAGE, i + 1)));
		ASSERT_EQ(0, model_cmd(&m, "fault clear"));
		ASSERT_EQ(0, model_cmd(&m, "claim clear"));
		/* And from then on it is known again. */
		ASSERT_EQ(-ENOMSG, pump(self));
		before = self->sent;
		ASSERT_EQ(0, gpu_run(&self->g, gpu_fill(GPU_AT(300 * PAGE), PAGE, i + 1)));
		ASSERT_EQ(-ENOMSG, pump(self));
		EXPECT_LE(PAGE, self->sent - before) TH_LOG("%s", faults[i]);
		EXPECT_GE(2 * PAGE, self->sent - before) TH_LOG("%s", faults[i]);
	}
	model_close(&m);
	ASSERT_EQ(0, finish(self));
	EXPECT_EQ(0, differing(self));
}

/* P2P: the function is paused, and its memory is not; what CPUs write then is sent. */
TEST_F_TIMEOUT(truth, memory_answers_in_p2p, 300)
{
	const uint64_t untouched = 900 * PAGE;
	uint32_t val = 0;

	ASSERT_EQ(-ENOMSG, pump(self));
	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_PRE_COPY_P2P, NULL));
	gpu_put(&self->g, 0, gpu_fill(GPU_AT(untouched), PAGE, 7));
	gpu_ring(&self->g, 0);
	for (unsigned int i = 0; i < CPU_PATHS; i++)
		ASSERT_EQ(0, paths[i](self, i * 10 * PAGE, i + 1));
	ASSERT_EQ(-ENOMSG, pump(self));
	EXPECT_EQ(4, vdev_pread(&self->v[0], GPU_MAIN_BAR, untouched, &val, 4));
	EXPECT_EQ(0, val);
	ASSERT_EQ(0, finish(self));
	EXPECT_EQ(0, differing(self));
}

/* The set that is rewritten all the time is all that is left for STOP_COPY. */
TEST_F_TIMEOUT(truth, pre_copy_leaves_what_is_rewritten, 600)
{
	uint64_t before;

	for (uint64_t pos = 0; pos < BYTES; pos += PAGE)
		*(volatile uint64_t *)(self->p + pos) = pos + 1;
	for (unsigned int i = 0; i < 3; i++) {
		for (uint64_t page = 0; page < SET_PAGES; page++)
			*(volatile uint64_t *)(self->p + page * PAGE) += 1;
		ASSERT_EQ(0, gpu_run(&self->g, gpu_fill(GPU_AT(BYTES / 2), 16 << 20, i + 1)));
		ASSERT_EQ(-ENOMSG, pump(self));
	}
	for (uint64_t page = 0; page < SET_PAGES; page++)
		*(volatile uint64_t *)(self->p + page * PAGE) += 1;
	ASSERT_EQ(0, gpu_run(&self->g, gpu_fill(GPU_AT(BYTES / 2), 16 << 20, 9)));
	before = self->sent;
	ASSERT_EQ(0, finish(self));
	TH_LOG("%lu KiB in pre-copy, %lu KiB in STOP_COPY", before >> 10,
	       (self->sent - before) >> 10);
	EXPECT_GE(34 << 20, self->sent - before);
	EXPECT_EQ(0, differing(self));
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
