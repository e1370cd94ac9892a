// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: taking images (5.5).  SAVE_BEGIN takes a snapshot: header, state, and the
 * versions of the content pages; chunks are made from it whenever they are asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "mlx5_like_image.h"

#define MODE_INCREMENTAL	1u
#define FLAG_TRACK		1u
#define FLAG_COMMIT		1u
#define REINIT			1u
#define SLICE_BYTES		(256u * 1024)

/*
 * @fixed: header and state pages.  @index: numbers of the content pages, NULL = all.
 * @version: theirs.  @all: versions of all pages, for the base, if tracking.  @stale: the
 * function was reset since, so this is no base any more.
 */
struct mlxl_save {
	uint32_t id;
	bool track, stale;
	uint64_t image, bytes, seed;
	uint8_t *fixed;
	uint32_t count;
	uint32_t *index, *version, *all;
};

uint32_t mlxl_header_crc(const struct mlxl_header *h)
{
	struct mlxl_header copy = *h;

	copy.header_crc = 0;
	return (uint32_t)crc32(0, (const Bytef *)&copy, sizeof(copy));
}

uint32_t mlxl_content_crc(uint32_t crc, uint32_t index, uint32_t version)
{
	const uint32_t pair[2] = { index, version };

	return (uint32_t)crc32(crc, (const Bytef *)pair, sizeof(pair));
}

uint32_t mlxl_save_id(const struct mlxl_fn *fn)
{
	return fn->save ? fn->save->id : 0;
}

uint64_t mlxl_image_bytes(const struct mlxl *m)
{
	return MLXL_FIXED_PAGES * MLXL_PAGE + m->opt.image_bytes;
}

void mlxl_save_stale(struct mlxl_fn *fn)
{
	if (fn->save)
		fn->save->stale = true;
}

void mlxl_save_drop(struct mlxl_fn *fn)
{
	struct mlxl_save *s = fn->save;

	if (!s)
		return;
	fn->save = NULL;
	free(s->fixed);
	free(s->index);
	free(s->version);
	free(s->all);
	free(s);
}

/* ---- QUERY_IMAGE ---- */

static uint32_t count_changed(const struct mlxl_fn *fn)
{
	const struct mlxl_content *c = &fn->content;
	uint32_t count = 0;

	for (uint32_t i = 0; i < c->pages; i++)
		count += c->version[i] != fn->base.version[i];
	return count;
}

bool mlxl_query_image(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t flags = mlxl_get32(cmd, 0);
	struct mlxl_fn *fn = cmd->fn;
	uint64_t bytes = mlxl_image_bytes(m);

	if (flags & ~1u)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 0);
	if ((flags & 1) && !m->opt.incremental)
		return mlxl_end(cmd, MLXL_UNSUPPORTED, 0);
	if ((flags & 1) && !fn->base.valid && !fn->base.reinit)
		return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
	mlxl_content_age(fn);
	if ((flags & 1) && fn->base.valid)
		bytes = (MLXL_FIXED_PAGES + (uint64_t)count_changed(fn)) * MLXL_PAGE;
	mlxl_put(cmd, 0, bytes, 8);
	mlxl_put(cmd, 8, mlxl_image_bytes(m), 8);
	mlxl_put(cmd, 16, (flags & 1) && fn->base.reinit ? REINIT : 0, 4);
	return mlxl_end(cmd, MLXL_OK, 0);
}

/* ---- SAVE_BEGIN ---- */

static bool take_content(struct mlxl_fn *fn, struct mlxl_save *s, bool incremental)
{
	const struct mlxl_content *c = &fn->content;
	uint32_t at = 0;

	s->count = incremental ? count_changed(fn) : c->pages;
	s->version = malloc((s->count + 1) * sizeof(*s->version));
	s->index = incremental ? malloc((s->count + 1) * sizeof(*s->index)) : NULL;
	s->all = s->track ? malloc(c->pages * sizeof(*s->all)) : NULL;
	if (!s->version || (incremental && !s->index) || (s->track && !s->all))
		return false;
	if (s->all)
		memcpy(s->all, c->version, c->pages * sizeof(*s->all));
	if (!incremental) {
		memcpy(s->version, c->version, c->pages * sizeof(*s->version));
		return true;
	}
	for (uint32_t i = 0; i < c->pages; i++) {
		if (c->version[i] == fn->base.version[i])
			continue;
		s->index[at] = i;
		s->version[at++] = c->version[i];
	}
	return true;
}

static void fill_fixed(struct mlxl_fn *fn, struct mlxl_save *s, bool incremental)
{
	uint8_t *state = s->fixed + MLXL_PAGE;
	struct mlxl_header h = {
		.magic = MLXL_HEADER_MAGIC, .version = (uint32_t)fn->m->opt.version,
		.bytes = s->bytes, .id = s->image, .base = incremental ? fn->base.id : 0,
		.seed = fn->content.seed, .pages = fn->content.pages, .count = s->count,
		.cfg = fn->v.cfg,
	};
	struct mlxl_window window;

	h.flags = (incremental ? MLXL_HEADER_INCREMENTAL : 0) |
		  (fn->flags & MLXL_FN_RESPONDER ? MLXL_HEADER_FINAL : 0);
	memcpy(state, &fn->v, sizeof(fn->v));
	if (h.version >= MLXL_WINDOW_VERSION) {
		mlxl_window_get(fn, &window);
		memcpy(state + sizeof(fn->v), &window, sizeof(window));
	}
	memcpy(state + MLXL_PAGE, fn->flags & MLXL_FN_RESPONDER ? fn->frozen : fn->scratch,
	       MLXL_SCRATCH_BYTES);
	h.state_crc = (uint32_t)crc32(0, state, MLXL_STATE_BYTES);
	for (uint32_t i = 0; i < s->count; i++)
		h.content_crc = mlxl_content_crc(h.content_crc, s->index ? s->index[i] : i,
						 s->version[i]);
	h.header_crc = mlxl_header_crc(&h);
	memcpy(s->fixed, &h, sizeof(h));
}

static bool take_snapshot(struct mlxl *m, struct mlxl_fn *fn, bool incremental, bool track)
{
	struct mlxl_save *s = calloc(1, sizeof(*s));

	fn->save = s;
	if (!s)
		return false;
	s->track = track;
	s->fixed = calloc(MLXL_FIXED_PAGES, MLXL_PAGE);
	if (!s->fixed || !take_content(fn, s, incremental)) {
		mlxl_save_drop(fn);
		return false;
	}
	s->id = mlxl_new_id(m);
	s->image = m->next_image++;
	s->seed = fn->content.seed;
	s->bytes = (MLXL_FIXED_PAGES + (uint64_t)s->count) * MLXL_PAGE;
	fill_fixed(fn, s, incremental);
	return true;
}

bool mlxl_save_begin(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t mode = mlxl_get32(cmd, 0), flags = mlxl_get32(cmd, 4);
	struct mlxl_fn *fn = cmd->fn;

	if (mode > MODE_INCREMENTAL)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 0);
	if (flags & ~FLAG_TRACK)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 4);
	if ((mode || flags) && !m->opt.incremental)
		return mlxl_end(cmd, MLXL_UNSUPPORTED, 0);
	if (fn->save)
		return mlxl_end(cmd, MLXL_BUSY, fn->save->id);
	if ((mode && !fn->base.valid) || (mlxl_flags(fn) & (MLXL_FN_FAILED | MLXL_FN_NOT_FINAL |
							    MLXL_FN_LOADING)))
		return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
	mlxl_content_age(fn);
	if (!take_snapshot(m, fn, mode, flags))
		return mlxl_end(cmd, MLXL_NO_RESOURCES, 0);
	mlxl_put(cmd, 0, fn->save->id, 4);
	mlxl_put(cmd, 8, fn->save->bytes, 8);
	mlxl_claim_save(m, cmd);
	return mlxl_end(cmd, MLXL_OK, 0);
}

/* ---- SAVE_CHUNK ---- */

bool mlxl_chunk_ok(const struct mlxl *m, struct mlxl_cmd *cmd, uint64_t image_bytes)
{
	uint64_t offset = mlxl_get64(cmd, 8), bytes = mlxl_get32(cmd, 16);

	if (offset % MLXL_PAGE || offset >= image_bytes)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, 8);
	if (!bytes || bytes % MLXL_PAGE || bytes > image_bytes - offset)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, 16);
	if (mlxl_get32(cmd, 20))
		return !mlxl_end(cmd, MLXL_BAD_INPUT, 20);
	if (bytes > m->opt.chunk)
		return !mlxl_end(cmd, MLXL_LIMIT, 1);
	if (mlxl_get32(cmd, 4) > m->opt.segments)
		return !mlxl_end(cmd, MLXL_LIMIT, 2);
	return mlxl_segments_ok(cmd, 24, mlxl_get32(cmd, 4), bytes);
}

static void make_page(const struct mlxl_fn *fn, uint64_t n, uint8_t *page)
{
	const struct mlxl_save *s = fn->save;
	uint64_t at = n - MLXL_FIXED_PAGES;

	if (n < MLXL_FIXED_PAGES)
		memcpy(page, s->fixed + n * MLXL_PAGE, MLXL_PAGE);
	else
		mlxl_content_page(s->seed, s->index ? s->index[at] : (uint32_t)at,
				  s->version[at], (uint64_t *)(void *)page);
}

bool mlxl_save_chunk(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint64_t offset = mlxl_get64(cmd, 8), end = cmd->done + SLICE_BYTES;
	uint32_t session = mlxl_get32(cmd, 0), bytes = mlxl_get32(cmd, 16);
	struct mlxl_fn *fn = cmd->fn;

	if (!fn->save || fn->save->id != session)
		return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
	if (!cmd->done && !mlxl_chunk_ok(m, cmd, fn->save->bytes))
		return true;
	while (cmd->done < bytes && cmd->done < end) {
		size_t n = bytes - cmd->done < MLXL_BOUNCE_BYTES ? bytes - cmd->done :
								   MLXL_BOUNCE_BYTES;

		for (size_t at = 0; at < n; at += MLXL_PAGE)
			make_page(fn, (offset + cmd->done + at) / MLXL_PAGE, m->bounce + at);
		if (mlxl_cmd_transfer(m, cmd, 24, true, m->bounce, n))
			return mlxl_end(cmd, MLXL_DMA, 0);
		/* Guest memory may have had us wait: the session may be gone. */
		if (!fn->save || fn->save->id != session)
			return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
		cmd->done += n;
	}
	if (cmd->done < bytes)
		return false;
	mlxl_put(cmd, 0, bytes, 4);
	return mlxl_end(cmd, MLXL_OK, 0);
}

/* ---- SAVE_END ---- */

bool mlxl_save_end(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t flags = mlxl_get32(cmd, 4);
	struct mlxl_fn *fn = cmd->fn;
	struct mlxl_save *s = fn->save;

	(void)m;
	if (flags & ~FLAG_COMMIT)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 4);
	if (!s || s->id != mlxl_get32(cmd, 0) || (flags && !s->track))
		return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
	if (flags) {
		mlxl_base_drop(fn, false);
		fn->base.valid = !s->stale;
		fn->base.reinit = s->stale;
		if (!s->stale) {
			fn->base.id = s->image;
			fn->base.version = s->all;
			s->all = NULL;
		}
	}
	mlxl_save_drop(fn);
	return mlxl_end(cmd, MLXL_OK, 0);
}
