/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Migration by the region of v1 (Documentation/migration-v1.rst), as an old VMM does it.
 * Functions return 0 (or what they name) or a negative errno.
 */
#ifndef SELFTEST_V1_H
#define SELFTEST_V1_H

#include <vpv/migration_v1.h>

#include "migration.h"

/* Short names of the bits of device_state. */
#define V1_R	VPV_V1_STATE_RUNNING
#define V1_S	VPV_V1_STATE_SAVING
#define V1_L	VPV_V1_STATE_RESUMING
#define V1_N	VPV_V1_STATE_NDMA

/**
 * struct v1 - The region of an open function
 * @v: Function.
 * @index: Of the region.
 * @states: Bits that device_state may hold, by its capability.
 * @sparse_pos: First byte that may be mapped, by its capability; 0: none.
 * @sparse_bytes: How many.
 * @window: The window, mapped, or NULL: data goes by read() and write().
 */
struct v1 {
	struct vdev *v;
	unsigned int index;
	uint32_t states;
	uint64_t sparse_pos;
	uint64_t sparse_bytes;
	uint8_t *window;
};

/* "v1" or "v2", for the next user. */
int v1_dialect(const char *bdf, const char *name);
/* The one that it is; "" for none. */
void v1_dialect_is(const char *bdf, char *name, size_t room);

/* Find the region; -ENOENT without one. */
int v1_find(struct v1 *r, struct vdev *v);
int v1_map(struct v1 *r);
void v1_unmap(struct v1 *r);

/* device_state. */
int v1_get(struct v1 *r, uint32_t *state);
int v1_set(struct v1 *r, uint32_t state);
int v1_pending(struct v1 *r, uint64_t *bytes);
int v1_offset(struct v1 *r, uint64_t *pos);
int v1_size(struct v1 *r, uint64_t *bytes);

/* One iteration of a reader: what it gave, or 0. */
long v1_read_piece(struct v1 *r, struct blob *b);
/* Iterate until nothing is pending. */
int v1_drain(struct v1 *r, struct blob *b);
/* Write [from, to) in pieces of @chunk, 0: of the window. */
int v1_push(struct v1 *r, const struct blob *b, size_t from, size_t to, size_t chunk);

/* As mig_save() and mig_load(): in STOP, or in the state @end, on return. */
int v1_save(struct v1 *r, struct blob *b, bool precopy);
int v1_load(struct v1 *r, const struct blob *b, uint32_t end);

#endif /* SELFTEST_V1_H */
