// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: taking over images (5.6).  Bytes come from a host and are not trusted.  They are
 * kept aside, checked as they come and as a whole at the end, and only then take effect.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "mlx5_like_image.h"

#define FLAG_ABORT	1u
#define SLICE_BYTES	(256u * 1024)

/*
 * @count: content pages that the image has.  @have: bit n: image page n was loaded.
 * @loaded: number of bits set.  @seed: that all content pages must have, once the first is
 * there (@seeded).
 */
struct mlxl_load {
	uint32_t id;
	uint64_t bytes;
	uint32_t count;
	uint64_t *have;
	uint64_t loaded;
	uint8_t *fixed;
	uint32_t *index, *version;
	uint64_t seed;
	bool seeded;
};

uint32_t mlxl_load_id(const struct mlxl_fn *fn)
{
	return fn->load ? fn->load->id : 0;
}

void mlxl_load_drop(struct mlxl_fn *fn)
{
	struct mlxl_load *l = fn->load;

	if (!l)
		return;
	fn->load = NULL;
	free(l->have);
	free(l->fixed);
	free(l->index);
	free(l->version);
	free(l);
}

/* ---- LOAD_BEGIN ---- */

static bool open_session(struct mlxl *m, struct mlxl_fn *fn, uint64_t bytes)
{
	struct mlxl_load *l = calloc(1, sizeof(*l));

	fn->load = l;
	if (!l)
		return false;
	l->bytes = bytes;
	l->count = (uint32_t)(bytes / MLXL_PAGE - MLXL_FIXED_PAGES);
	l->have = calloc(bytes / MLXL_PAGE / 64 + 1, sizeof(*l->have));
	l->fixed = calloc(MLXL_FIXED_PAGES, MLXL_PAGE);
	l->index = malloc((l->count + 1) * sizeof(*l->index));
	l->version = malloc((l->count + 1) * sizeof(*l->version));
	if (!l->have || !l->fixed || !l->index || !l->version) {
		mlxl_load_drop(fn);
		return false;
	}
	l->id = mlxl_new_id(m);
	return true;
}

bool mlxl_load_begin(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint64_t bytes = mlxl_get64(cmd, 0);
	struct mlxl_fn *fn = cmd->fn;

	if (!bytes || bytes % MLXL_PAGE)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 0);
	if (bytes > mlxl_image_bytes(m))
		return mlxl_end(cmd, MLXL_LIMIT, 0);
	if (bytes < MLXL_FIXED_PAGES * MLXL_PAGE)
		return mlxl_end(cmd, MLXL_BAD_IMAGE, MLXL_IMAGE_LENGTH);
	if (fn->load)
		return mlxl_end(cmd, MLXL_BUSY, fn->load->id);
	if (!(fn->flags & MLXL_FN_RESPONDER))
		return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
	if (!open_session(m, fn, bytes))
		return mlxl_end(cmd, MLXL_NO_RESOURCES, 0);
	mlxl_put(cmd, 0, fn->load->id, 4);
	return mlxl_end(cmd, MLXL_OK, 0);
}

/* ---- LOAD_CHUNK ---- */

static bool config_fits(const struct mlxl_fn *fn, const struct mlxl_header *h)
{
	const struct mlxl_config *have = &fn->prov, *want = &h->cfg;

	return want->pairs == have->pairs && want->vectors <= have->vectors &&
	       want->vectors && want->queue_size >= 8 && want->queue_size <= have->queue_size &&
	       !(want->queue_size & (want->queue_size - 1)) && !want->reserved &&
	       !(want->features & ~have->features) && h->pages == fn->content.pages;
}

/* Reason to refuse the image, or 0. */
static uint32_t check_header(const struct mlxl_fn *fn, const struct mlxl_load *l)
{
	const struct mlxl_options *opt = &fn->m->opt;
	struct mlxl_header h;

	memcpy(&h, l->fixed, sizeof(h));
	if (h.magic != MLXL_HEADER_MAGIC)
		return MLXL_IMAGE_MAGIC;
	if (h.version < opt->oldest || h.version > opt->version)
		return MLXL_IMAGE_VERSION;
	if (h.header_crc != mlxl_header_crc(&h) || h.reserved)
		return MLXL_IMAGE_CHECKSUM;
	for (size_t i = sizeof(h); i < MLXL_PAGE; i++)
		if (l->fixed[i])
			return MLXL_IMAGE_CHECKSUM;
	if (h.bytes != l->bytes || h.count != l->count)
		return MLXL_IMAGE_LENGTH;
	if (!config_fits(fn, &h))
		return MLXL_IMAGE_CONFIG;
	if (h.flags & ~(MLXL_HEADER_INCREMENTAL | MLXL_HEADER_FINAL))
		return MLXL_IMAGE_STATE;
	if (h.flags & MLXL_HEADER_INCREMENTAL)
		return fn->held && h.base == fn->held && h.seed == fn->content.seed ?
		       0 : MLXL_IMAGE_BASE;
	return h.count == h.pages ? 0 : MLXL_IMAGE_LENGTH;
}

static uint32_t take_content_page(const struct mlxl_fn *fn, struct mlxl_load *l, uint64_t at,
				  const uint8_t *page)
{
	uint64_t head[2], want[MLXL_PAGE / sizeof(uint64_t)];
	uint32_t index, version;

	memcpy(head, page, sizeof(head));
	index = (uint32_t)head[0];
	version = (uint32_t)(head[0] >> 32);
	if (index >= fn->content.pages || (l->seeded && head[1] != l->seed))
		return MLXL_IMAGE_CHECKSUM;
	mlxl_content_page(head[1], index, version, want);
	if (memcmp(want, page, MLXL_PAGE))
		return MLXL_IMAGE_CHECKSUM;
	l->seed = head[1];
	l->seeded = true;
	l->index[at] = index;
	l->version[at] = version;
	return 0;
}

static uint32_t take_page(const struct mlxl_fn *fn, struct mlxl_load *l, uint64_t n,
			  const uint8_t *page)
{
	uint32_t bad = 0;

	if (n < MLXL_FIXED_PAGES)
		memcpy(l->fixed + n * MLXL_PAGE, page, MLXL_PAGE);
	else
		bad = take_content_page(fn, l, n - MLXL_FIXED_PAGES, page);
	if (!n)
		bad = check_header(fn, l);
	if (!bad && !(l->have[n / 64] >> n % 64 & 1)) {
		l->have[n / 64] |= 1ull << n % 64;
		l->loaded++;
	}
	return bad;
}

bool mlxl_load_chunk(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint64_t offset = mlxl_get64(cmd, 8), end = cmd->done + SLICE_BYTES;
	uint32_t session = mlxl_get32(cmd, 0), bytes = mlxl_get32(cmd, 16), bad;
	struct mlxl_fn *fn = cmd->fn;

	if (!fn->load || fn->load->id != session)
		return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
	if (!cmd->done && !mlxl_chunk_ok(m, cmd, fn->load->bytes))
		return true;
	while (cmd->done < bytes && cmd->done < end) {
		size_t n = bytes - cmd->done < MLXL_BOUNCE_BYTES ? bytes - cmd->done :
								   MLXL_BOUNCE_BYTES;

		if (mlxl_cmd_transfer(m, cmd, 24, false, m->bounce, n))
			return mlxl_end(cmd, MLXL_DMA, 0);
		if (!fn->load || fn->load->id != session)
			return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
		for (size_t at = 0; at < n; at += MLXL_PAGE) {
			bad = take_page(fn, fn->load, (offset + cmd->done + at) / MLXL_PAGE,
					m->bounce + at);
			if (bad)
				return mlxl_end(cmd, MLXL_BAD_IMAGE, bad);
		}
		cmd->done += n;
	}
	if (cmd->done < bytes)
		return false;
	mlxl_put(cmd, 0, bytes, 4);
	return mlxl_end(cmd, MLXL_OK, 0);
}

/* ---- LOAD_END ---- */

static bool has_window(const struct mlxl_header *h)
{
	return h->version >= MLXL_WINDOW_VERSION;
}

static uint32_t check_content(const struct mlxl_load *l, const struct mlxl_header *h)
{
	bool all = !(h->flags & MLXL_HEADER_INCREMENTAL);
	uint32_t crc = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		if (all ? l->index[i] != i : i && l->index[i] <= l->index[i - 1])
			return MLXL_IMAGE_CHECKSUM;
		crc = mlxl_content_crc(crc, l->index[i], l->version[i]);
	}
	if (crc != h->content_crc || (l->seeded && l->seed != h->seed))
		return MLXL_IMAGE_CHECKSUM;
	return 0;
}

/* A complete image, checked. */
struct checked {
	struct mlxl_header h;
	struct mlxl_virtio v;
	struct mlxl_window window;
};

static uint32_t check_all(const struct mlxl_fn *fn, const struct mlxl_load *l,
			  struct checked *c)
{
	const uint8_t *state = l->fixed + MLXL_PAGE;
	uint32_t bad;

	if (l->loaded != l->bytes / MLXL_PAGE)
		return MLXL_IMAGE_INCOMPLETE;
	bad = check_header(fn, l);
	if (bad)
		return bad;
	memcpy(&c->h, l->fixed, sizeof(c->h));
	if (crc32(0, state, MLXL_STATE_BYTES) != c->h.state_crc)
		return MLXL_IMAGE_CHECKSUM;
	bad = check_content(l, &c->h);
	if (bad)
		return bad;
	memcpy(&c->v, state, sizeof(c->v));
	if (memcmp(&c->v.cfg, &c->h.cfg, sizeof(c->v.cfg)) || !mlxl_virtio_ok(&c->v))
		return MLXL_IMAGE_STATE;
	if (!has_window(&c->h))
		return 0;
	memcpy(&c->window, state + sizeof(c->v), sizeof(c->window));
	if (!mlxl_window_ok(&c->window))
		return MLXL_IMAGE_STATE;
	return 0;
}

static void take_over(struct mlxl_fn *fn, const struct checked *c)
{
	const struct mlxl_header *h = &c->h;
	const struct mlxl_load *l = fn->load;

	fn->epoch++;
	fn->v = c->v;
	/* An older image does not say; the window stays as it is. */
	if (has_window(h))
		mlxl_window_set(fn, &c->window);
	memcpy(fn->frozen, l->fixed + 2 * MLXL_PAGE, MLXL_SCRATCH_BYTES);
	mlxl_scratch_thaw(fn);
	fn->content.seed = h->seed;
	for (uint32_t i = 0; i < l->count; i++)
		fn->content.version[l->index[i]] = l->version[i];
	fn->held = h->id;
	mlxl_base_drop(fn, true);
	mlxl_save_stale(fn);
	fn->flags &= ~(MLXL_FN_NOT_FINAL | MLXL_FN_FAILED);
	if (!(h->flags & MLXL_HEADER_FINAL))
		fn->flags |= MLXL_FN_NOT_FINAL;
}

bool mlxl_load_end(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t flags = mlxl_get32(cmd, 4), bad = 0;
	struct mlxl_fn *fn = cmd->fn;
	struct checked c;

	(void)m;
	if (flags & ~FLAG_ABORT)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 4);
	if (!fn->load || fn->load->id != mlxl_get32(cmd, 0))
		return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
	if (!flags) {
		bad = check_all(fn, fn->load, &c);
		if (!bad)
			take_over(fn, &c);
	}
	mlxl_load_drop(fn);
	return mlxl_end(cmd, bad ? MLXL_BAD_IMAGE : MLXL_OK, bad);
}
