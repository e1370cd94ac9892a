// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that write device memory by the CPU, a page at a time, with every kind of store, and
 * know what has to be there: before a page is written again, what they have of it is compared
 * with a copy in ordinary memory.
 */
#include <cpuid.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"
#include "line.h"

#define PAGE		4096U
#define STORE_BYTES	32U
#define OWN_BYTES	(PAGE - GPU_COLUMN_BYTES)	/* of a page: the rest is the device's */

struct writer {
	pthread_t thread;
	unsigned int number;
	uint8_t *mem, *copy;
	uint64_t pages, rng;
	struct gpu_cpu_stats stats;
};

static struct writer writers[GPU_THREADS];
static bool stop_writers, have_avx;

/* ---- the stores: STORE_BYTES of @from go to @to ---- */

static void store_plain(uint8_t *to, const uint8_t *from)
{
	const uint64_t *word = (const uint64_t *)from;
	unsigned int i;

	for (i = 0; i < STORE_BYTES / 8; i++)
		asm volatile("movq %1, %0" : "=m"(((uint64_t *)to)[i]) : "r"(word[i]));
}

static void store_movss(uint8_t *to, const uint8_t *from)
{
	unsigned int i;

	for (i = 0; i < STORE_BYTES; i += 4)
		asm volatile("movss %1, %%xmm0; movss %%xmm0, %0"
			     : "=m"(*(uint32_t *)(to + i)) : "m"(*(const uint32_t *)(from + i))
			     : "xmm0");
}

static void store_wide(uint8_t *to, const uint8_t *from)
{
	typedef struct { uint8_t b[STORE_BYTES]; } wide;

	if (have_avx)
		asm volatile("vmovups %1, %%ymm0; vmovups %%ymm0, %0; vzeroupper"
			     : "=m"(*(wide *)to) : "m"(*(const wide *)from) : "xmm0");
	else
		asm volatile("movups %1, %%xmm0; movups %%xmm0, %0;"
			     "movups 16%1, %%xmm0; movups %%xmm0, 16%0"
			     : "=m"(*(wide *)to) : "m"(*(const wide *)from) : "xmm0");
}

static void store_xadd(uint8_t *to, const uint8_t *from)
{
	unsigned int i;

	for (i = 0; i < STORE_BYTES / 8; i++) {
		uint64_t *word = &((uint64_t *)to)[i];
		uint64_t add = ((const uint64_t *)from)[i] - *word;

		asm volatile("lock xaddq %0, %1" : "+r"(add), "+m"(*word));
	}
}

static void store_movsb(uint8_t *to, const uint8_t *from)
{
	size_t n = STORE_BYTES;

	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void (*const stores[])(uint8_t *to, const uint8_t *from) = {
	store_plain, store_movss, store_wide, store_xadd, store_movsb,
};

#define NUM_STORES	(sizeof(stores) / sizeof(stores[0]))

/* AVX needs the kernel to save its registers, which OSXSAVE and XCR0 tell. */
static bool cpu_has_avx(void)
{
	unsigned int a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX))
		return false;
	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (low & 6) == 6;
}

/* ---- threads ---- */

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 11;
}

static void write_page(struct writer *w, uint64_t page)
{
	uint8_t *mem = w->mem + page * PAGE, *copy = w->copy + page * PAGE;
	uint64_t fresh[STORE_BYTES / 8];
	size_t i, s;

	if (memcmp(mem, copy, OWN_BYTES)) {
		w->stats.wrong++;
		if (w->stats.wrong < 4)
			line_log("page %llu of thread %u is not what was written",
				 (unsigned long long)page, w->number);
		memcpy(copy, mem, OWN_BYTES);
	}
	/* Each kind of store in turn is the only one that makes a page dirty. */
	for (i = 0; i < 2; i++) {
		size_t at = next_random(&w->rng) % (OWN_BYTES / STORE_BYTES) * STORE_BYTES;

		for (s = 0; s < STORE_BYTES / 8; s++)
			fresh[s] = next_random(&w->rng);
		stores[(page + w->stats.rounds) % NUM_STORES](mem + at, (uint8_t *)fresh);
		memcpy(copy + at, fresh, STORE_BYTES);
	}
	w->stats.written += PAGE;
}

static void *write_pages(void *arg)
{
	struct writer *w = arg;
	uint64_t page;

	for (;;) {
		for (page = 0; page < w->pages; page++) {
			if (__atomic_load_n(&stop_writers, __ATOMIC_RELAXED))
				return NULL;
			write_page(w, page);
		}
		w->stats.rounds++;
	}
}

int gpu_cpu_start(uint8_t *mem, uint64_t bytes)
{
	uint64_t share = bytes / GPU_THREADS / PAGE * PAGE;
	unsigned int i;

	have_avx = cpu_has_avx();
	for (i = 0; i < GPU_THREADS; i++) {
		struct writer *w = &writers[i];

		w->number = i;
		w->mem = mem + i * share;
		w->pages = share / PAGE;
		w->rng = i + 1;
		w->copy = malloc(share);
		if (!w->copy)
			return -ENOMEM;
		memcpy(w->copy, w->mem, share);
		if (pthread_create(&w->thread, NULL, write_pages, w))
			return -EAGAIN;
	}
	return 0;
}

bool gpu_cpu_avx(void)
{
	return have_avx;
}

/* All pages are compared once more. */
void gpu_cpu_stop(void)
{
	uint64_t page;
	unsigned int i;

	__atomic_store_n(&stop_writers, true, __ATOMIC_RELAXED);
	for (i = 0; i < GPU_THREADS; i++) {
		pthread_join(writers[i].thread, NULL);
		for (page = 0; page < writers[i].pages; page++)
			writers[i].stats.wrong += !!memcmp(writers[i].mem + page * PAGE,
							   writers[i].copy + page * PAGE, OWN_BYTES);
	}
}

/* A snapshot; the least of rounds, since all pages were written so often. */
struct gpu_cpu_stats gpu_cpu_stats(void)
{
	struct gpu_cpu_stats sum = { .rounds = UINT64_MAX };
	unsigned int i;

	for (i = 0; i < GPU_THREADS; i++) {
		const volatile struct gpu_cpu_stats *s = &writers[i].stats;

		sum.rounds = s->rounds < sum.rounds ? s->rounds : sum.rounds;
		sum.wrong += s->wrong;
		sum.written += s->written;
	}
	return sum;
}
