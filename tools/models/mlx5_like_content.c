// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: the pages that firmware keeps for a function.  There may be GiBs of them, so
 * only a version of each is kept; the bytes follow from it.  They change while the function
 * runs, and what changed since a base is what an incremental image holds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "mlx5_like.h"

#define WORDS		(MLXL_PAGE / sizeof(uint64_t))

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* Cheap enough to be made at memory speed, and different in every word. */
void mlxl_content_page(uint64_t seed, uint32_t index, uint32_t version, uint64_t *page)
{
	uint64_t first = mix(seed ^ ((uint64_t)version << 32 | index));
	uint64_t step = mix(first + seed) | 1;

	for (size_t i = 0; i < WORDS; i++)
		page[i] = first + i * step;
	page[0] = (uint64_t)version << 32 | index;
	page[1] = seed;
}

uint32_t mlxl_content_digest(const struct mlxl_fn *fn)
{
	const struct mlxl_content *c = &fn->content;
	uLong crc = crc32(0, (const Bytef *)&c->seed, sizeof(c->seed));

	return (uint32_t)crc32(crc, (const Bytef *)c->version,
			       (uInt)(c->pages * sizeof(c->version[0])));
}

int mlxl_content_init(struct mlxl_fn *fn)
{
	struct mlxl_content *c = &fn->content;

	c->seed = mix(fn->m->opt.serial * 31 + fn->n);
	c->random = mix(c->seed) | 1;
	c->pages = (uint32_t)(fn->m->opt.image_bytes / MLXL_PAGE);
	c->version = calloc(c->pages, sizeof(c->version[0]));
	c->due = vu_now();
	return c->version ? 0 : -ENOMEM;
}

void mlxl_content_fini(struct mlxl_fn *fn)
{
	mlxl_base_drop(fn, false);
	free(fn->content.version);
}

static uint32_t random_page(struct mlxl_content *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return (uint32_t)((c->random >> 32) * c->pages >> 32);
}

void mlxl_content_dirty(struct mlxl_fn *fn, uint64_t count)
{
	struct mlxl_content *c = &fn->content;

	if (count > c->pages)
		count = c->pages;
	while (count--)
		c->version[random_page(c)]++;
}

void mlxl_content_age(struct mlxl_fn *fn)
{
	struct mlxl_content *c = &fn->content;
	uint64_t rate = fn->m->opt.dirty_rate, now = vu_now();
	uint64_t seconds = (now - c->due) / NSEC_PER_SEC, count;

	if (!mlxl_fn_running(fn) || !rate || seconds > 3600) {
		if (seconds > 3600 && mlxl_fn_running(fn))
			mlxl_content_dirty(fn, c->pages);
		c->due = now;
		return;
	}
	count = (now - c->due) * rate / NSEC_PER_SEC;
	mlxl_content_dirty(fn, count);
	c->due += count * NSEC_PER_SEC / rate;
}

void mlxl_content_reset(struct mlxl_fn *fn)
{
	struct mlxl_content *c = &fn->content;

	for (uint32_t i = 0; i < c->pages; i++)
		c->version[i]++;
	c->due = vu_now();
}

void mlxl_base_drop(struct mlxl_fn *fn, bool reinit)
{
	fn->base.reinit = reinit && (fn->base.valid || fn->base.reinit);
	fn->base.valid = false;
	fn->base.id = 0;
	free(fn->base.version);
	fn->base.version = NULL;
}
