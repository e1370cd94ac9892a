// SPDX-License-Identifier: GPL-2.0
/*
 * What the device computes in a round, and what has to come out.  All numbers are small integers
 * in floats, so that the CPU knows each result without computing it the same way.
 *
 * The set is written in every round, of the rest the next part (the walk); both are summed up in
 * the next round, before they are written again, and then the CPU has looked at each word of the
 * walk, which the device has not written for long.  The columns, which are the end of each page
 * that CPUs write, are one product.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu.h"
#include "line.h"

#define DIM		128U		/* rows and columns of C */
#define DEPTH		64U		/* columns of A, rows of B */
#define GEMM_RESTART	8U		/* C is begun anew so often, to stay exact */
#define SLICE		MIB		/* has one value throughout */
#define SLICE_FLOATS	(SLICE / 4)
#define SUM_SLICES	16U		/* of SLICE_FLOATS numbers up to 3: exact */
#define VALUES		4U
#define FILL_MS		60000U
#define SUMS_MAX	16U
#define DEV(at)		(CGPU_ADDR_DEVICE | (at))
#define PAGE_FLOATS	1024U
#define COLUMN		(GPU_COLUMN_BYTES / 4)	/* floats */

/* A sum or a histogram that is on its way: the slices that it is of. */
struct check {
	uint64_t first, slices;
};

static struct gpu_round_opts opt;
static struct gpu_round_stats stats;
static uint8_t *value;			/* of each slice of the used memory */
static uint64_t walk_at, walk_next, walk_end;
static struct check sums[SUMS_MAX], counted;
static unsigned int num_sums;
static float want_c[DIM][DIM];

static uint32_t as_bits(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static void wrong(const char *what, uint64_t at)
{
	stats.wrong++;
	if (stats.wrong < 8)
		line_log("round %llu: %s of slice %llu is wrong", (unsigned long long)stats.rounds,
			 what, (unsigned long long)at);
}

/* ---- matrices ---- */

static float a_at(uint32_t i, uint32_t l, uint64_t seed)
{
	return (i + seed) % 7 * ((l + seed) % 5);
}

static float b_at(uint32_t l, uint32_t j, uint64_t seed)
{
	return (l % 3 + 1) * ((j + seed) % 11);
}

/* A is u * v', B is w * x': C is u * x' times the product of v and w. */
static void gemm_begin(struct gpu_dev *dev)
{
	float *a = (float *)(dev->mem + GPU_GEMM_AT), *b = a + DIM * DEPTH;
	uint64_t seed = stats.rounds, c = GPU_GEMM_AT + 2 * DIM * DEPTH * sizeof(float);
	bool anew = seed % GEMM_RESTART == 0;
	uint32_t i, j, l;
	float vw = 0;

	for (l = 0; l < DEPTH; l++) {
		vw += (l + seed) % 5 * (l % 3 + 1);
		for (i = 0; i < DIM; i++) {
			a[i * DEPTH + l] = a_at(i, l, seed);
			b[l * DIM + i] = b_at(l, i, seed);
		}
	}
	for (i = 0; i < DIM; i++)
		for (j = 0; j < DIM; j++)
			want_c[i][j] = (anew ? 0 : want_c[i][j]) +
				       vw * ((i + seed) % 7 * ((j + seed) % 11));
	gpu_submit(dev, 0, (struct cgpu_cmd) {
		.opcode = CGPU_SGEMM, .src = DEV(GPU_GEMM_AT),
		.src2 = DEV(GPU_GEMM_AT + DIM * DEPTH * sizeof(float)), .dst = DEV(c),
		.m = DIM, .n = DIM, .k = DEPTH, .lda = DEPTH, .ldb = DIM, .ldc = DIM,
		.alpha = as_bits(1), .beta = as_bits(anew ? 0 : 1) });
}

static void gemm_end(struct gpu_dev *dev)
{
	stats.checks++;
	if (memcmp(dev->mem + GPU_GEMM_AT + 2 * DIM * DEPTH * sizeof(float), want_c,
		   sizeof(want_c)))
		wrong("product", 0);
}

/* ---- columns ---- */

static uint32_t pages(void)
{
	return opt.cpu_bytes / (PAGE_FLOATS * 4);
}

static float row_at(uint32_t i)
{
	return i % 13 + 1;
}

static float factor_at(uint32_t j)
{
	return j % 17;
}

static float column_scale(void)
{
	return stats.rounds % 5 + 1;
}

/* Written once: what the columns are made from. */
static void columns_init(struct gpu_dev *dev)
{
	float *a = (float *)(dev->mem + GPU_COLUMN_AT), *b = a + CGPU_MAX_DIM;
	uint32_t i;

	for (i = 0; i < pages(); i++)
		a[i] = row_at(i);
	for (i = 0; i < COLUMN; i++)
		b[i] = factor_at(i);
}

static void columns_begin(struct gpu_dev *dev)
{
	gpu_submit(dev, 0, (struct cgpu_cmd) {
		.opcode = CGPU_SGEMM, .src = DEV(GPU_COLUMN_AT),
		.src2 = DEV(GPU_COLUMN_AT + CGPU_MAX_DIM * sizeof(float)),
		.dst = DEV(GPU_CPU_AT + (PAGE_FLOATS - COLUMN) * sizeof(float)),
		.m = pages(), .n = COLUMN, .k = 1, .lda = 1, .ldb = COLUMN, .ldc = PAGE_FLOATS,
		.alpha = as_bits(column_scale()), .beta = as_bits(0) });
	stats.written += opt.cpu_bytes;
}

static void columns_end(struct gpu_dev *dev)
{
	const float *at = (const float *)(dev->mem + GPU_CPU_AT) + PAGE_FLOATS - COLUMN;
	uint32_t i, j;

	stats.checks++;
	for (i = 0; i < pages(); i++, at += PAGE_FLOATS) {
		float scale = column_scale() * row_at(i);

		for (j = 0; j < COLUMN; j++) {
			if (at[j] != scale * factor_at(j)) {
				wrong("column", i);
				return;
			}
		}
	}
}

/* ---- slices ---- */

static void fill(struct gpu_dev *dev, uint64_t slice)
{
	value[slice] = (value[slice] + 1 + slice % (VALUES - 1)) % VALUES;
	gpu_submit(dev, 1, (struct cgpu_cmd) { .opcode = CGPU_FILL, .dst = DEV(slice * SLICE),
					       .bytes = SLICE, .value = as_bits(value[slice]) });
	stats.written += SLICE;
}

static void copy(struct gpu_dev *dev, uint64_t from, uint64_t to)
{
	value[to] = value[from];
	gpu_submit(dev, 1, (struct cgpu_cmd) { .opcode = CGPU_COPY, .src = DEV(from * SLICE),
					       .dst = DEV(to * SLICE), .bytes = SLICE });
	stats.written += SLICE;
}

/* Queue 1, in front of what writes them. */
static void sum(struct gpu_dev *dev, uint64_t first, uint64_t slices)
{
	while (slices && num_sums < SUMS_MAX) {
		uint64_t n = slices < SUM_SLICES ? slices : SUM_SLICES;

		gpu_submit(dev, 1, (struct cgpu_cmd) {
			.opcode = CGPU_REDUCE, .src = DEV(first * SLICE), .bytes = n * SLICE,
			.dst = DEV(GPU_RESULT_AT + num_sums * sizeof(float)) });
		sums[num_sums++] = (struct check){ first, n };
		first += n;
		slices -= n;
	}
}

static uint32_t sum_of(const struct check *c)
{
	float want = 0;
	uint64_t i;

	for (i = 0; i < c->slices; i++)
		want += value[c->first + i] * (float)SLICE_FLOATS;
	return as_bits(want);
}

static void check_sums(struct gpu_dev *dev, const uint32_t *want)
{
	const uint32_t *got = (const uint32_t *)(dev->mem + GPU_RESULT_AT);
	unsigned int i;

	for (i = 0; i < num_sums; i++) {
		stats.checks++;
		if (got[i] != want[i])
			wrong("sum", sums[i].first);
	}
}

#define COUNTS_AT	(GPU_RESULT_AT + 4096)

static void count(struct gpu_dev *dev, uint64_t slice)
{
	gpu_submit(dev, 0, (struct cgpu_cmd) { .opcode = CGPU_HISTOGRAM, .src = DEV(slice * SLICE),
					       .bytes = SLICE, .dst = DEV(COUNTS_AT) });
	counted = (struct check){ slice, 1 };
}

static void check_counts(struct gpu_dev *dev, uint8_t had)
{
	const uint64_t *got = (const uint64_t *)(dev->mem + COUNTS_AT);
	uint64_t want[CGPU_BINS] = { 0 };
	uint32_t bits = as_bits(had);
	unsigned int i;

	for (i = 0; i < 4; i++)
		want[bits >> 8 * i & 0xff] += SLICE_FLOATS;
	stats.checks++;
	if (memcmp(got, want, sizeof(want)))
		wrong("histogram", counted.first);
}

/* By the CPU, word by word: a sum does not notice everything. */
static void check_slice(struct gpu_dev *dev, uint64_t slice)
{
	const uint32_t *word = (const uint32_t *)(dev->mem + slice * SLICE);
	uint32_t bits = as_bits(value[slice]), i;

	stats.checks++;
	for (i = 0; i < SLICE_FLOATS; i++)
		if (word[i] != bits)
			break;
	if (i < SLICE_FLOATS)
		wrong("a word", slice);
}

/* ---- rounds ---- */

static uint32_t want_sums[SUMS_MAX];
static uint8_t had;

int gpu_round_init(struct gpu_dev *dev, const struct gpu_round_opts *opts)
{
	opt = *opts;
	if (opt.bytes > dev->bytes || opt.cpu_bytes % SLICE || opt.set_bytes % SLICE ||
	    opt.walk_bytes % SLICE || opt.set_bytes + opt.walk_bytes > 32 * SLICE ||
	    pages() > CGPU_MAX_DIM)
		return -ERANGE;
	walk_at = (GPU_CPU_AT + opt.cpu_bytes + opt.set_bytes) / SLICE;
	walk_end = opt.bytes / SLICE;
	walk_next = walk_at;
	if (walk_end < walk_at + opt.walk_bytes / SLICE + 1)
		return -ERANGE;
	/* A reset has emptied the memory. */
	value = calloc(1, walk_end);
	if (!value)
		return -ENOMEM;
	columns_init(dev);
	return 0;
}

/* All of it has content: pages of zeros would not be sent. */
int gpu_round_fill(struct gpu_dev *dev)
{
	uint64_t first = walk_at - opt.set_bytes / SLICE;
	unsigned int ms;

	memset(value + first, 1, walk_end - first);
	gpu_submit(dev, 1, (struct cgpu_cmd) { .opcode = CGPU_FILL, .dst = DEV(first * SLICE),
					       .bytes = (walk_end - first) * SLICE, .value = as_bits(1) });
	gpu_kick(dev, 1);
	for (ms = 0; !gpu_idle(dev, 1); ms++) {
		if (ms == FILL_MS)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

void gpu_round_begin(struct gpu_dev *dev)
{
	uint64_t set = walk_at - opt.set_bytes / SLICE, n = opt.walk_bytes / SLICE, i;

	if (walk_next + n > walk_end)
		walk_next = walk_at;
	for (i = walk_next; i < walk_next + n; i++)
		check_slice(dev, i);
	num_sums = 0;
	sum(dev, set, opt.set_bytes / SLICE);
	sum(dev, walk_next, n);
	for (i = 0; i < num_sums; i++)
		want_sums[i] = sum_of(&sums[i]);
	/* A slice that nobody writes in this round. */
	count(dev, walk_next == walk_at ? walk_end - 1 : walk_at);
	had = value[counted.first];
	gemm_begin(dev);
	columns_begin(dev);
	for (i = set; i < walk_at; i++)
		fill(dev, i);
	for (i = walk_next; i < walk_next + n; i++) {
		if (i % 2 && opt.set_bytes)
			copy(dev, set, i);
		else
			fill(dev, i);
	}
	walk_next += n;
	gpu_kick(dev, 0);
	gpu_kick(dev, 1);
}

void gpu_round_end(struct gpu_dev *dev)
{
	check_sums(dev, want_sums);
	check_counts(dev, had);
	gemm_end(dev);
	columns_end(dev);
	stats.rounds++;
	stats.commands = dev->queues[0].tail + (uint64_t)dev->queues[1].tail;
}

void gpu_round_check(struct gpu_dev *dev)
{
	uint64_t i;

	for (i = walk_at - opt.set_bytes / SLICE; i < walk_end; i++)
		check_slice(dev, i);
}

const struct gpu_round_stats *gpu_round_stats(void)
{
	return &stats;
}
