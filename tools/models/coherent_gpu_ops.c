// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu: what commands do (3.3), a tile at a time (3.4).
 *
 * Every result has one value: no operation may be fused or reordered by the compiler,
 * which the Makefile takes care of (-ffp-contract=off, no -ffast-math).
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "coherent_gpu.h"

#define NAN_BITS	0x7fc00000u
#define WORD		((uint64_t)sizeof(uint32_t))

/* ---- is a command valid? ---- */

/* The bytes that an operand takes; empty: there is none. */
struct span {
	uint64_t first, bytes;
};

static bool span_ok(const struct span *s, uint64_t align)
{
	uint64_t last = s->first + (s->bytes - 1);

	return !s->bytes ||
	       (!(s->first % align) && last >= s->first &&
		!((s->first ^ last) & CGPU_ADDR_DEVICE));
}

static bool overlap(const struct span *a, const struct span *b)
{
	return a->bytes && b->bytes && a->first <= b->first + (b->bytes - 1) &&
	       b->first <= a->first + (a->bytes - 1);
}

/* Bytes from the first to the last element of a matrix. */
static uint64_t matrix(uint32_t rows, uint32_t cols, uint32_t ld)
{
	return ((uint64_t)(rows - 1) * ld + cols) * WORD;
}

static bool dims_ok(const struct cgpu_cmd *c)
{
	const uint32_t dim[] = { c->m, c->n, c->k }, ld[][2] = {
		{ c->lda, c->k }, { c->ldb, c->n }, { c->ldc, c->n },
	};

	for (unsigned int i = 0; i < 3; i++)
		if (!dim[i] || dim[i] > CGPU_MAX_DIM || ld[i][0] < ld[i][1] ||
		    ld[i][0] > CGPU_MAX_LD)
			return false;
	return true;
}

struct operands {
	struct span src, src2, dst, fence;
};

/* What a command accesses; false: its sizes are bad. */
static bool find_operands(const struct cgpu_cmd *c, struct operands *o)
{
	*o = (struct operands){
		{ c->src, 0 }, { c->src2, 0 }, { c->dst, 0 },
		{ c->fence, c->flags & CGPU_CMD_FENCE ? CGPU_FENCE_BYTES : 0 },
	};
	switch (c->opcode) {
	case CGPU_SGEMM:
		if (!dims_ok(c))
			return false;
		o->src.bytes = matrix(c->m, c->k, c->lda);
		o->src2.bytes = matrix(c->k, c->n, c->ldb);
		o->dst.bytes = matrix(c->m, c->n, c->ldc);
		break;
	case CGPU_NOP:
		break;
	default:
		if (!c->bytes || c->bytes > CGPU_MAX_BYTES)
			return false;
		o->src.bytes = c->opcode == CGPU_FILL ? 0 : c->bytes;
		o->dst.bytes = c->opcode == CGPU_REDUCE ? WORD :
			       c->opcode == CGPU_HISTOGRAM ? CGPU_BINS * 8 : c->bytes;
	}
	return true;
}

static bool operands_ok(const struct cgpu_cmd *c, const struct operands *o)
{
	bool bytes = c->opcode == CGPU_HISTOGRAM;

	return span_ok(&o->src, bytes ? 1 : WORD) && o->src.bytes % (bytes ? 1 : WORD) == 0 &&
	       span_ok(&o->src2, WORD) && span_ok(&o->fence, CGPU_FENCE_BYTES) &&
	       span_ok(&o->dst, bytes ? 8 : WORD) && o->dst.bytes % WORD == 0 &&
	       !overlap(&o->dst, &o->src) && !overlap(&o->dst, &o->src2) &&
	       !overlap(&o->dst, &o->fence) && !overlap(&o->fence, &o->src) &&
	       !overlap(&o->fence, &o->src2);
}

bool cgpu_cmd_ok(const struct cgpu *g, const struct cgpu_cmd *c)
{
	static const uint8_t zero[sizeof(c->reserved2)];
	struct operands o;

	return c->opcode < CGPU_NUM_OPS && g->ops >> c->opcode & 1 &&
	       !(c->flags & ~CGPU_CMD_FLAGS) && !c->reserved &&
	       !memcmp(c->reserved2, zero, sizeof(zero)) && find_operands(c, &o) &&
	       operands_ok(c, &o);
}

static bool in_guest(const struct span *s)
{
	return s->bytes && !(s->first & CGPU_ADDR_DEVICE);
}

bool cgpu_cmd_in_guest(const struct cgpu *g, const struct cgpu_cmd *c)
{
	struct operands o;

	find_operands(c, &o);
	return in_guest(&o.fence) ||
	       (cgpu_cmd_ok(g, c) && (in_guest(&o.src) || in_guest(&o.src2) || in_guest(&o.dst)));
}

static uint32_t tiles_of(uint32_t elements)
{
	return (elements + CGPU_TILE_DIM - 1) / CGPU_TILE_DIM;
}

uint64_t cgpu_cmd_tiles(const struct cgpu_cmd *c)
{
	if (c->opcode == CGPU_NOP)
		return 1;
	if (c->opcode == CGPU_SGEMM)
		return (uint64_t)tiles_of(c->m) * tiles_of(c->n);
	return (c->bytes + CGPU_TILE_BYTES - 1) / CGPU_TILE_BYTES;
}

/* ---- memory of both kinds ---- */

static int guest_access(struct cgpu *g, bool write, uint64_t iova, void *buf, size_t len)
{
	uint64_t epoch = g->epoch;
	int err;

	err = write ? vu_dma_write(g->dev, iova, buf, len) : vu_dma_read(g->dev, iova, buf, len);
	if (err == -ECANCELED || epoch != g->epoch)
		return -ECANCELED;
	return err ? CGPU_DMA_FAULT : CGPU_OK;
}

int cgpu_read(struct cgpu *g, uint64_t addr, void *buf, size_t len)
{
	if (addr & CGPU_ADDR_DEVICE)
		return (int)cgpu_mem_read(g, addr & ~CGPU_ADDR_DEVICE, buf, len);
	return guest_access(g, false, addr, buf, len);
}

int cgpu_write(struct cgpu *g, uint64_t addr, const void *buf, size_t len)
{
	if (addr & CGPU_ADDR_DEVICE)
		return (int)cgpu_mem_write(g, addr & ~CGPU_ADDR_DEVICE, buf, len);
	return guest_access(g, true, addr, (void *)buf, len);
}

/* ---- tiles ---- */

static float as_float(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static uint32_t as_bits(float f)
{
	uint32_t bits = NAN_BITS;

	if (!isnan(f))
		memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static size_t tile_bytes(const struct cgpu_cmd *c, uint64_t off)
{
	return c->bytes - off < CGPU_TILE_BYTES ? (size_t)(c->bytes - off) : CGPU_TILE_BYTES;
}

static int tile_fill(struct cgpu *g, struct cgpu_state_queue *s, uint64_t off, size_t len)
{
	for (size_t i = 0; i < len; i += WORD)
		memcpy(g->buf + i, &s->cmd.value, WORD);
	return cgpu_write(g, s->cmd.dst + off, g->buf, len);
}

static int tile_copy(struct cgpu *g, struct cgpu_state_queue *s, uint64_t off, size_t len)
{
	return cgpu_read(g, s->cmd.src + off, g->buf, len) ?:
	       cgpu_write(g, s->cmd.dst + off, g->buf, len);
}

static int tile_reduce(struct cgpu *g, struct cgpu_state_queue *s, uint64_t off, size_t len)
{
	float sum = as_float(s->sum);
	uint32_t bits;
	int err = cgpu_read(g, s->cmd.src + off, g->buf, len);

	if (err)
		return err;
	for (size_t i = 0; i < len; i += WORD) {
		memcpy(&bits, g->buf + i, WORD);
		sum = sum + as_float(bits);
	}
	bits = as_bits(sum);
	if (off + len == s->cmd.bytes)
		return cgpu_write(g, s->cmd.dst, &bits, sizeof(bits));
	s->sum = bits;
	return 0;
}

static int tile_histogram(struct cgpu *g, struct cgpu_state_queue *s, uint64_t off, size_t len)
{
	int err = cgpu_read(g, s->cmd.src + off, g->buf, len);

	for (size_t i = 0; !err && i < len; i++)
		s->bins[g->buf[i]]++;
	if (!err && off + len == s->cmd.bytes)
		err = cgpu_write(g, s->cmd.dst, s->bins, sizeof(s->bins));
	return err;
}

/* @rows rows of @cols elements from (@row, @col) of a matrix; to @buf without gaps. */
static int read_block(struct cgpu *g, uint64_t base, uint32_t ld, uint32_t row, uint32_t col,
		      uint32_t rows, uint32_t cols, float *buf)
{
	int err = 0;

	for (uint32_t i = 0; i < rows && !err; i++)
		err = cgpu_read(g, base + ((uint64_t)(row + i) * ld + col) * WORD,
				buf + (size_t)i * cols, cols * WORD);
	return err;
}

static void multiply(const float *a, const float *b, uint32_t rows, uint32_t cols, uint32_t k,
		     float c[CGPU_TILE_DIM][CGPU_TILE_DIM])
{
	for (uint32_t i = 0; i < rows; i++) {
		float s[CGPU_TILE_DIM] = { 0 };

		for (uint32_t l = 0; l < k; l++)
			for (uint32_t j = 0; j < cols; j++)
				s[j] = s[j] + a[(size_t)i * k + l] * b[(size_t)l * cols + j];
		memcpy(c[i], s, sizeof(s));
	}
}

/* One row of the tile: alpha * s + beta * C. */
static int finish_row(struct cgpu *g, const struct cgpu_cmd *c, uint64_t addr, uint32_t cols,
		      const float *s)
{
	float alpha = as_float(c->alpha), beta = as_float(c->beta), old[CGPU_TILE_DIM];
	uint32_t row[CGPU_TILE_DIM];
	int err = beta != 0 ? cgpu_read(g, addr, old, cols * WORD) : 0;

	for (uint32_t j = 0; j < cols && !err; j++) {
		float product = alpha * s[j];

		row[j] = as_bits(beta != 0 ? product + beta * old[j] : product);
	}
	return err ?: cgpu_write(g, addr, row, cols * WORD);
}

/* All of the tile is computed before any of it is written: another device can begin it anew. */
static int tile_sgemm(struct cgpu *g, struct cgpu_state_queue *s)
{
	const struct cgpu_cmd *c = &s->cmd;
	uint32_t per_row = tiles_of(c->n);
	uint32_t row = (uint32_t)(s->progress / per_row) * CGPU_TILE_DIM;
	uint32_t col = (uint32_t)(s->progress % per_row) * CGPU_TILE_DIM;
	uint32_t rows = c->m - row < CGPU_TILE_DIM ? c->m - row : CGPU_TILE_DIM;
	uint32_t cols = c->n - col < CGPU_TILE_DIM ? c->n - col : CGPU_TILE_DIM;
	float out[CGPU_TILE_DIM][CGPU_TILE_DIM];
	int err = read_block(g, c->src, c->lda, row, 0, rows, c->k, g->a) ?:
		  read_block(g, c->src2, c->ldb, 0, col, c->k, cols, g->b);

	if (err)
		return err;
	multiply(g->a, g->b, rows, cols, c->k, out);
	for (uint32_t i = 0; i < rows && !err; i++)
		err = finish_row(g, c, c->dst + ((uint64_t)(row + i) * c->ldc + col) * WORD, cols,
				 out[i]);
	return err;
}

int cgpu_tile(struct cgpu *g, struct cgpu_state_queue *s)
{
	static int (*const tiles[CGPU_NUM_OPS])(struct cgpu *g, struct cgpu_state_queue *s,
						uint64_t off, size_t len) = {
		[CGPU_FILL] = tile_fill, [CGPU_COPY] = tile_copy, [CGPU_REDUCE] = tile_reduce,
		[CGPU_HISTOGRAM] = tile_histogram,
	};
	uint64_t off = s->progress * CGPU_TILE_BYTES;

	if (s->cmd.opcode == CGPU_NOP)
		return 0;
	if (s->cmd.opcode == CGPU_SGEMM)
		return tile_sgemm(g, s);
	return tiles[s->cmd.opcode](g, s, off, tile_bytes(&s->cmd, off));
}
