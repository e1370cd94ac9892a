// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: the dirty-page tracker of a function (5.7).  Knows nothing of the ledger, which
 * the runtime keeps behind vu_dma_write() and which this is judged against.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mlx5_like.h"

#define FLAG_KEEP	1u
#define RANGES_AT	16u
#define SEGMENTS_AT	32u

enum { LIMIT_PAGE_SIZE = 1, LIMIT_RANGES, LIMIT_ADDRESS, LIMIT_PAGES };

/* @last: last byte.  @bits: one for a page. */
struct range {
	uint64_t iova, last, pages;
	uint64_t *bits;
};

struct mlxl_track {
	uint32_t id;
	unsigned int log2;
	bool armed, error;
	unsigned int count;
	struct range range[MLXL_MAX_RANGES];
};

uint32_t mlxl_track_id(const struct mlxl_fn *fn)
{
	return fn->track ? fn->track->id : 0;
}

uint32_t mlxl_track_flags(const struct mlxl_fn *fn)
{
	const struct mlxl_track *t = fn->track;

	if (!t)
		return 0;
	return MLXL_FN_TRACKER | (t->armed ? MLXL_FN_TRACKER_ARMED : 0) |
	       (t->error ? MLXL_FN_TRACKER_ERROR : 0);
}

void mlxl_track_drop(struct mlxl_fn *fn)
{
	struct mlxl_track *t = fn->track;

	if (!t)
		return;
	for (unsigned int i = 0; i < t->count; i++)
		free(t->range[i].bits);
	free(t);
	fn->track = NULL;
}

void mlxl_track_poison(struct mlxl_fn *fn)
{
	if (!fn->track || fn->track->error)
		return;
	fn->track->error = true;
	mlxl_event(fn->m, fn->n);
}

void mlxl_track_mark(struct mlxl_fn *fn, uint64_t iova, size_t bytes)
{
	struct mlxl_track *t = fn->track;
	uint64_t last = iova + (bytes - 1);

	if (!t || !t->armed || !bytes || last < iova)
		return;
	for (unsigned int i = 0; i < t->count; i++) {
		const struct range *r = &t->range[i];
		uint64_t from = iova > r->iova ? iova : r->iova;
		uint64_t to = last < r->last ? last : r->last;

		if (from > to)
			continue;
		for (uint64_t p = (from - r->iova) >> t->log2; p <= (to - r->iova) >> t->log2; p++)
			r->bits[p / 64] |= 1ull << p % 64;
	}
}

/* ---- TRACKER_CREATE ---- */

static bool range_ok(const struct mlxl *m, struct mlxl_cmd *cmd, const struct mlxl_track *t,
		     uint32_t at, uint64_t *next)
{
	uint64_t iova = mlxl_get64(cmd, at), bytes = mlxl_get64(cmd, at + 8);
	uint64_t mask = (1ull << t->log2) - 1, limit = 1ull << m->opt.addr_bits;

	if (iova & mask)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, at);
	if (!bytes || (bytes & mask))
		return !mlxl_end(cmd, MLXL_BAD_INPUT, at + 8);
	if (iova >= limit || bytes > limit - iova)
		return !mlxl_end(cmd, MLXL_LIMIT, LIMIT_ADDRESS);
	if (iova < *next)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, at);
	*next = iova + bytes;
	return true;
}

/* Fill in the ranges; if something is wrong, the command has ended. */
static bool take_ranges(const struct mlxl *m, struct mlxl_cmd *cmd, struct mlxl_track *t,
			uint32_t count)
{
	uint64_t next = 0, pages = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = RANGES_AT + 16 * i;
		struct range *r = &t->range[i];

		if (!range_ok(m, cmd, t, at, &next))
			return false;
		r->iova = mlxl_get64(cmd, at);
		r->pages = mlxl_get64(cmd, at + 8) >> t->log2;
		r->last = r->iova + ((r->pages << t->log2) - 1);
		pages += r->pages;
		if (pages > m->opt.track_pages)
			return !mlxl_end(cmd, MLXL_LIMIT, LIMIT_PAGES);
		r->bits = calloc((r->pages + 63) / 64, sizeof(*r->bits));
		if (!r->bits)
			return !mlxl_end(cmd, MLXL_NO_RESOURCES, 0);
		t->count = i + 1;
	}
	return true;
}

bool mlxl_tracker_create(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t log2 = mlxl_get32(cmd, 0), count = mlxl_get32(cmd, 4);
	struct mlxl_fn *fn = cmd->fn;

	if (!m->opt.tracker)
		return mlxl_end(cmd, MLXL_UNSUPPORTED, 0);
	if (mlxl_get64(cmd, 8))
		return mlxl_end(cmd, MLXL_BAD_INPUT, 8);
	if (log2 < m->opt.page_min || log2 > m->opt.page_max)
		return mlxl_end(cmd, MLXL_LIMIT, LIMIT_PAGE_SIZE);
	if (count > m->opt.ranges)
		return mlxl_end(cmd, MLXL_LIMIT, LIMIT_RANGES);
	if (fn->track)
		return mlxl_end(cmd, MLXL_BUSY, fn->track->id);
	fn->track = calloc(1, sizeof(*fn->track));
	if (!fn->track)
		return mlxl_end(cmd, MLXL_NO_RESOURCES, 0);
	fn->track->log2 = log2;
	if (!take_ranges(m, cmd, fn->track, count)) {
		mlxl_track_drop(fn);
		return true;
	}
	fn->track->id = mlxl_new_id(m);
	mlxl_put(cmd, 0, fn->track->id, 4);
	return mlxl_end(cmd, MLXL_OK, 0);
}

/* ---- the others ---- */

static struct mlxl_track *find(struct mlxl_cmd *cmd)
{
	struct mlxl_track *t = cmd->fn->track;

	if (t && t->id == mlxl_get32(cmd, 0))
		return t;
	mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(cmd->fn));
	return NULL;
}

bool mlxl_tracker_arm(struct mlxl *m, struct mlxl_cmd *cmd)
{
	struct mlxl_track *t = find(cmd);

	(void)m;
	if (!t)
		return true;
	for (unsigned int i = 0; i < t->count; i++)
		memset(t->range[i].bits, 0, (t->range[i].pages + 63) / 64 * sizeof(uint64_t));
	t->armed = true;
	t->error = false;
	return mlxl_end(cmd, MLXL_OK, 0);
}

bool mlxl_tracker_destroy(struct mlxl *m, struct mlxl_cmd *cmd)
{
	(void)m;
	if (!find(cmd))
		return true;
	mlxl_track_drop(cmd->fn);
	return mlxl_end(cmd, MLXL_OK, 0);
}

static const struct range *find_range(const struct mlxl_track *t, uint64_t iova, uint64_t bytes)
{
	for (unsigned int i = 0; i < t->count; i++)
		if (iova >= t->range[i].iova && iova <= t->range[i].last &&
		    bytes - 1 <= t->range[i].last - iova)
			return &t->range[i];
	return NULL;
}

/* 64 bits from bit @at on; those from @end on read as zero. */
static uint64_t get_bits(const struct range *r, uint64_t at, uint64_t end)
{
	uint64_t low = r->bits[at / 64] >> at % 64;

	if (at % 64 && at / 64 + 1 < (r->pages + 63) / 64)
		low |= r->bits[at / 64 + 1] << (64 - at % 64);
	return end - at < 64 ? low & ((1ull << (end - at)) - 1) : low;
}

static void clear_bits(const struct range *r, uint64_t at, uint64_t bits)
{
	r->bits[at / 64] &= ~(bits << at % 64);
	if (at % 64 && at / 64 + 1 < (r->pages + 63) / 64)
		r->bits[at / 64 + 1] &= ~(bits >> (64 - at % 64));
}

/*
 * Write the report.  Nothing else of the device runs meanwhile, so that no write of the
 * function can come in between; but a wait for host memory may let the tracker go.
 */
static int report(struct mlxl *m, struct mlxl_cmd *cmd, const struct range *r, uint64_t at,
		  uint64_t pages, uint64_t *set)
{
	uint32_t id = cmd->fn->track->id;
	uint64_t *words = (uint64_t *)(void *)m->bounce;
	uint64_t end = at + pages;

	for (*set = 0; at < end;) {
		size_t n = 0;
		int err;

		for (; at < end && n < MLXL_BOUNCE_BYTES / sizeof(*words); at += 64) {
			words[n] = get_bits(r, at, end);
			*set += (unsigned int)__builtin_popcountll(words[n++]);
		}
		err = mlxl_cmd_transfer(m, cmd, SEGMENTS_AT, true, words, n * sizeof(*words));
		if (err || mlxl_track_id(cmd->fn) != id)
			return err ? err : -ECANCELED;
	}
	return 0;
}

static bool query_ok(const struct mlxl *m, struct mlxl_cmd *cmd, const struct mlxl_track *t)
{
	uint64_t iova = mlxl_get64(cmd, 8), bytes = mlxl_get64(cmd, 16);
	uint64_t mask = (1ull << t->log2) - 1;

	if (mlxl_get32(cmd, 4) & ~FLAG_KEEP)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, 4);
	if (iova & mask)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, 8);
	if (!bytes || (bytes & mask) || !find_range(t, iova, bytes))
		return !mlxl_end(cmd, MLXL_BAD_INPUT, 16);
	if (mlxl_get32(cmd, 28))
		return !mlxl_end(cmd, MLXL_BAD_INPUT, 28);
	if (!t->armed)
		return !mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(cmd->fn));
	if (t->error)
		return !mlxl_end(cmd, MLXL_INTERNAL, 0);
	if (bytes >> t->log2 > m->opt.query_pages)
		return !mlxl_end(cmd, MLXL_LIMIT, 1);
	if (mlxl_get32(cmd, 24) > m->opt.segments)
		return !mlxl_end(cmd, MLXL_LIMIT, 2);
	return mlxl_segments_ok(cmd, SEGMENTS_AT, mlxl_get32(cmd, 24),
				((bytes >> t->log2) + 63) / 64 * 8);
}

bool mlxl_tracker_query(struct mlxl *m, struct mlxl_cmd *cmd)
{
	struct mlxl_track *t = find(cmd);
	const struct range *r;
	uint64_t at, pages, set;

	if (!t || !query_ok(m, cmd, t))
		return true;
	r = find_range(t, mlxl_get64(cmd, 8), mlxl_get64(cmd, 16));
	at = (mlxl_get64(cmd, 8) - r->iova) >> t->log2;
	pages = mlxl_get64(cmd, 16) >> t->log2;
	if (report(m, cmd, r, at, pages, &set))
		return mlxl_end(cmd, MLXL_DMA, 0);
	mlxl_put(cmd, 0, set, 8);
	mlxl_claim_track(m, cmd);
	cmd->clear = !(mlxl_get32(cmd, 4) & FLAG_KEEP);
	return mlxl_end(cmd, MLXL_OK, 0);
}

void mlxl_tracker_reported(struct mlxl_cmd *cmd)
{
	const struct range *r;
	uint64_t at, end;

	if (!cmd->clear || mlxl_track_id(cmd->fn) != mlxl_get32(cmd, 0))
		return;
	r = find_range(cmd->fn->track, mlxl_get64(cmd, 8), mlxl_get64(cmd, 16));
	at = (mlxl_get64(cmd, 8) - r->iova) >> cmd->fn->track->log2;
	end = at + (mlxl_get64(cmd, 16) >> cmd->fn->track->log2);
	for (; at < end; at += 64)
		clear_bits(r, at, get_bits(r, at, end));
}
