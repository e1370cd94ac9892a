// SPDX-License-Identifier: GPL-2.0
/*
 * The truth about memory of coherent_gpu that is migrated while it is written: rounds of
 * writes by CPUs and by the device, by every path, and at the end both sides are compared
 * byte for byte.  ROUNDS=n: so many rounds.
 *
 * Groups: coherent-gpu coherent-gpu-truth
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "lib/gpupair.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/trace.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define PAGE		4096UL
#define ROUNDS		60	/* on a kernel with sanitizers; the group of this test has 1,000 */
#define QUIET_ROUNDS	100
#define EACH		2	/* pages that are written by each path in a round */
#define SECONDS		1800

/*
 * Threads write random pages of a small part of the memory, as fast as they can: so most of its
 * pages are written at the moment when they are sent.  After some rounds it is another part's
 * turn, and what was missed in this one is not written again.
 */
#define TURN		9
#define PART		(2UL << 20)	/* of main memory */
#define CARVE_PART	(256UL << 10)

enum { MAIN, DEVICE, CPU, OTHER_CPU, WRITERS };

struct writer {
	FIXTURE_DATA(truth) *self;
	pthread_t thread;
	unsigned int nr;
	uint64_t random;
	uint64_t writes;
	int err;
};

FIXTURE(truth)
{
	struct gpupair p;
	uint8_t *main_pages;	/* main memory once more, by pages of 4 KiB */
	uint8_t *carve_pages;
	struct writer writer[WRITERS];
	volatile unsigned int turn;
	volatile bool stop;
};

static uint64_t next_random(uint64_t last)
{
	return last * 6364136223846793005ULL + 1442695040888963407ULL;
}

/* No page of zeros, and none that is like another one. */
static void fill(uint8_t *p, uint64_t bytes, uint64_t seed)
{
	volatile uint64_t *word = (uint64_t *)p;

	for (uint64_t i = 0; i < bytes / sizeof(*word); i++) {
		seed = next_random(seed);
		word[i] = seed;
	}
}

FIXTURE_SETUP(truth)
{
	gpupair_init(&self->p);
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, self->p.slot, 2);
	ASSERT_EQ(0, gpupair_open(&self->p, any_mode()));
	self->main_pages = gpu_map_aligned(&self->p.v[0], GPU_MAIN_BAR, GPUPAIR_MAIN, PAGE);
	ASSERT_NE(NULL, self->main_pages);
	self->carve_pages = gpu_map_aligned(&self->p.v[0], GPU_CARVE_BAR, GPUPAIR_CARVE, PAGE);
	ASSERT_NE(NULL, self->carve_pages);
	fill(self->p.main, GPUPAIR_MAIN, 1);
	fill(self->p.carve, GPUPAIR_CARVE, 2);
	for (unsigned int i = 0; i < WRITERS; i++)
		self->writer[i] = (struct writer){ .self = self, .nr = i, .random = i + 1 };
	ASSERT_EQ(0, gpupair_begin(&self->p));
}

FIXTURE_TEARDOWN(truth)
{
	if (self->main_pages)
		munmap(self->main_pages, GPUPAIR_MAIN);
	if (self->carve_pages)
		munmap(self->carve_pages, GPUPAIR_CARVE);
	gpupair_close(&self->p);
}

static uint32_t random_of(struct writer *w)
{
	w->random = next_random(w->random);
	return w->random >> 33;
}

/* ---- Pages ---- */

/**
 * struct spot - A page that is written
 * @carve: It is one of the carve-out.
 * @pos: Offset in its BAR.
 * @at: It, in one of the mappings.
 */
struct spot {
	bool carve;
	uint64_t pos;
	uint8_t *at;
};

/* Threads have the part whose turn it is, and the main one has all of the memory. */
static struct spot some_spot(struct writer *w)
{
	FIXTURE_DATA(truth) *self = w->self;
	struct spot s = { .carve = !(random_of(w) % 8) };
	uint64_t bytes = s.carve ? GPUPAIR_CARVE : GPUPAIR_MAIN, part = bytes, first = 0;
	uint8_t *large = s.carve ? self->p.carve : self->p.main;
	uint8_t *small = s.carve ? self->carve_pages : self->main_pages;

	if (w->nr != MAIN) {
		part = s.carve ? CARVE_PART : PART;
		first = self->turn % (bytes / part) * part;
	}
	s.pos = first + random_of(w) % (part / PAGE) * PAGE;
	s.at = (random_of(w) % 2 ? large : small) + s.pos;
	return s;
}

static uint64_t device_address(const struct spot *s)
{
	return GPU_AT((s->carve ? CGPU_CARVE_BASE : 0) + s->pos);
}

/* ---- Paths ---- */

static int by_store(struct writer *w, const struct spot *s)
{
	uint32_t val = random_of(w);

	*(volatile uint32_t *)(s->at + val % 1024 * 4) = val;
	return 0;
}

/* Read first: what is mapped for reading must be seen when it is written. */
static int by_load_then_store(struct writer *w, const struct spot *s)
{
	volatile uint32_t *at = (uint32_t *)s->at;
	uint32_t old = *at;
	int err = 0;

	if (w->nr != MAIN)
		sched_yield();
	else if (!(random_of(w) % 4))
		err = gpupair_pump_some(&w->self->p, 1);
	*at = old + random_of(w);
	return err;
}

static int by_atomic(struct writer *w, const struct spot *s)
{
	__atomic_fetch_add((uint32_t *)(s->at + 64), random_of(w), __ATOMIC_SEQ_CST);
	return 0;
}

static int by_string(struct writer *w, const struct spot *s)
{
	void *at = s->at;
	size_t n = PAGE;

	asm volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(random_of(w)) : "memory");
	return 0;
}

/* Over the border to the next page, if there is one. */
static int by_write(struct writer *w, const struct spot *s)
{
	uint64_t end = s->carve ? GPUPAIR_CARVE : GPUPAIR_MAIN;
	uint64_t pos = s->pos + PAGE == end ? s->pos : s->pos + PAGE - 2;
	uint32_t val = random_of(w);

	return vdev_pwrite(&w->self->p.v[0], s->carve ? GPU_CARVE_BAR : GPU_MAIN_BAR, pos, &val,
			   4) == 4 ? 0 : -EIO;
}

/* Each thread that has the device write has a queue of its own, and data. */
static int device_run(struct writer *w, struct cgpu_cmd cmd)
{
	struct gpu *g = &w->self->p.g;

	gpu_put(g, w->nr, cmd);
	gpu_ring(g, w->nr);
	return gpu_wait(g, w->nr);
}

static int by_device_fill(struct writer *w, const struct spot *s)
{
	return device_run(w, gpu_fill(device_address(s) + 512, 64, random_of(w)));
}

static int by_device_copy(struct writer *w, const struct spot *s)
{
	uint64_t data = GPU_MEM_DATA + w->nr * PAGE;

	fill(w->self->p.g.mem + data, PAGE, random_of(w));
	return device_run(w, gpu_copy(device_address(s), GPU_GUEST(data), PAGE));
}

static int by_device_move(struct writer *w, const struct spot *s)
{
	struct spot from;

	do
		from = some_spot(w);
	while (from.pos == s->pos);
	return device_run(w, gpu_copy(device_address(s), device_address(&from), PAGE));
}

static int (*const cpu_paths[])(struct writer *w, const struct spot *s) = {
	by_store, by_load_then_store, by_atomic, by_string, by_write,
};

static int (*const device_paths[])(struct writer *w, const struct spot *s) = {
	by_device_fill, by_device_copy, by_device_move,
};

/* ---- Who writes ---- */

static void *write_on(void *arg)
{
	struct writer *w = arg;

	while (!w->self->stop && !w->err) {
		struct spot s = some_spot(w);

		if (w->nr == DEVICE)
			w->err = device_paths[w->writes % ARRAY_SIZE(device_paths)](w, &s);
		else
			w->err = cpu_paths[w->writes % ARRAY_SIZE(cpu_paths)](w, &s);
		w->writes++;
	}
	return NULL;
}

static bool writers_start(FIXTURE_DATA(truth) *self)
{
	for (unsigned int i = DEVICE; i < WRITERS; i++)
		if (pthread_create(&self->writer[i].thread, NULL, write_on, &self->writer[i]))
			return false;
	return true;
}

static void writers_stop(FIXTURE_DATA(truth) *self)
{
	self->stop = true;
	for (unsigned int i = DEVICE; i < WRITERS; i++)
		pthread_join(self->writer[i].thread, NULL);
}

/* Pages that the main one has written since they were counted: of main memory, then of the carve-out. */
static uint8_t written[GPUPAIR_BYTES / PAGE];

static void mark(const struct spot *s, bool next)
{
	uint64_t page = ((s->carve ? GPUPAIR_MAIN : 0) + s->pos) / PAGE;
	uint64_t end = (s->carve ? GPUPAIR_BYTES : GPUPAIR_MAIN) / PAGE;

	written[page] = 1;
	if (next && page + 1 < end)
		written[page + 1] = 1;
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

/* Anywhere, by each path. */
static int write_round(FIXTURE_DATA(truth) *self)
{
	const unsigned int cpu = ARRAY_SIZE(cpu_paths), all = cpu + ARRAY_SIZE(device_paths);
	struct writer *w = &self->writer[MAIN];
	int err = 0;

	for (unsigned int i = 0; i < all * EACH && !err; i++) {
		unsigned int path = i % all;
		struct spot s = some_spot(w);

		err = path < cpu ? cpu_paths[path](w, &s) : device_paths[path - cpu](w, &s);
		mark(&s, path < cpu && cpu_paths[path] == by_write);
	}
	return err;
}

/* ---- Tests ---- */

static unsigned int rounds_wanted(void)
{
	const char *text = getenv("ROUNDS");
	int n = text ? atoi(text) : 0;

	return n > 0 ? n : ROUNDS;
}

TEST_F_TIMEOUT(truth, no_write_is_missed, SECONDS)
{
	const unsigned int rounds = rounds_wanted();
	uint64_t begin = now_ms(), before, writes = 0;
	struct trace trace;

	ASSERT_EQ(0, trace_open(&trace, "vpv_migration/vmig_pages"));
	ASSERT_TRUE(writers_start(self));
	/* The first pass; then each round reads as much as a pass has. */
	ASSERT_EQ(0, gpupair_pump_some(&self->p, GPUPAIR_BYTES));
	before = self->p.sent;
	TH_LOG("%lu KiB in the first pass, %lu ms", before >> 10, now_ms() - begin);
	for (unsigned int i = 0; i < rounds; i++) {
		self->turn = i / TURN;
		ASSERT_EQ(0, write_round(self));
		ASSERT_EQ(0, gpupair_pump_some(&self->p, PART + CARVE_PART));
		if (i % 100 == 99)
			TH_LOG("round %u, %lu KiB sent, %lu ms", i, self->p.sent >> 10,
			       now_ms() - begin);
	}
	writers_stop(self);
	for (unsigned int i = DEVICE; i < WRITERS; i++) {
		EXPECT_EQ(0, self->writer[i].err);
		EXPECT_LE(rounds, self->writer[i].writes);
		writes += self->writer[i].writes;
	}
	TH_LOG("%u rounds: %d passes, %lu KiB, %lu writes of threads, %lu of the function",
	       rounds, trace_count(&trace, "vmig_pages", NULL), (self->p.sent - before) >> 10,
	       writes, self->writer[DEVICE].writes);
	EXPECT_LE(rounds, trace_count(&trace, "vmig_pages", NULL));
	trace_close(&trace);
	ASSERT_EQ(0, write_round(self));
	before = self->p.sent;
	ASSERT_EQ(0, gpupair_finish(&self->p));
	TH_LOG("%lu KiB in STOP_COPY", (self->p.sent - before) >> 10);
	EXPECT_EQ(0, gpupair_differing(&self->p));
}

/* When nobody writes meanwhile; what is read first may be sent twice. */
TEST_F_TIMEOUT(truth, hardly_more_is_sent_than_is_written, SECONDS)
{
	uint64_t before, sent, pages = 0;

	ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
	before = self->p.sent;
	for (unsigned int i = 0; i < QUIET_ROUNDS; i++) {
		ASSERT_EQ(0, write_round(self));
		ASSERT_EQ(-ENOMSG, gpupair_pump(&self->p));
		pages += count_written();
	}
	sent = self->p.sent - before;
	TH_LOG("%u rounds: %lu KiB sent, of %lu KiB written: ratio %.2f", QUIET_ROUNDS, sent >> 10,
	       pages * PAGE >> 10, (double)sent / (pages * PAGE));
	EXPECT_LE(pages * PAGE, sent);
	EXPECT_GE(pages * PAGE * 11 / 10, sent);
	ASSERT_EQ(0, gpupair_finish(&self->p));
	EXPECT_EQ(0, gpupair_differing(&self->p));
}

TEST_HARNESS_MAIN
