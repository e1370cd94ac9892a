/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mlx5_like: the inside of an image.  No business of a host: Documentation/hardware says only
 * that it is opaque.
 *
 * Pages of 4096 bytes: the header; the state (struct mlxl_virtio, from version 2 on struct
 * mlxl_window, zeroes, and from page 2 on the scratch memory); and pages of the content, in
 * ascending order.
 */
#ifndef MLX5_LIKE_IMAGE_H
#define MLX5_LIKE_IMAGE_H

#include "mlx5_like.h"

#define MLXL_HEADER_MAGIC	0x31474d494c584c4dull	/* "MLXLIMG1" */
#define MLXL_STATE_PAGES	(1 + MLXL_SCRATCH_BYTES / MLXL_PAGE)
#define MLXL_STATE_BYTES	(MLXL_STATE_PAGES * MLXL_PAGE)
#define MLXL_FIXED_PAGES	(1 + MLXL_STATE_PAGES)

/* The first version that has struct mlxl_window. */
#define MLXL_WINDOW_VERSION	2u

#define MLXL_HEADER_INCREMENTAL	0x1u
#define MLXL_HEADER_FINAL	0x2u

/*
 * @id, @base: of this image and of the one it builds on.  @pages: of the function's content,
 * @count: of the image.  @state_crc: of the state pages.  @content_crc: of numbers and
 * versions of the content pages, in order.  @header_crc: of the header with zero here.
 */
struct mlxl_header {
	uint64_t magic;
	uint32_t version;
	uint32_t flags;
	uint64_t bytes;
	uint64_t id;
	uint64_t base;
	uint64_t seed;
	uint32_t pages;
	uint32_t count;
	uint32_t state_crc;
	uint32_t content_crc;
	struct mlxl_config cfg;
	uint32_t reserved;
	uint32_t header_crc;
};

_Static_assert(sizeof(struct mlxl_virtio) + sizeof(struct mlxl_window) <= MLXL_PAGE,
	       "the state has one page");

uint32_t mlxl_header_crc(const struct mlxl_header *h);
uint32_t mlxl_content_crc(uint32_t crc, uint32_t index, uint32_t version);

#endif /* MLX5_LIKE_IMAGE_H */
