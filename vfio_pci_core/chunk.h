/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pieces in which data goes between user memory and a region: copied with no lock held,
 * accessed with no user memory touched.
 */
#ifndef VPV_CHUNK_H
#define VPV_CHUNK_H

#include <linux/minmax.h>
#include <linux/types.h>
#include <linux/uaccess.h>

/* A multiple of the widest access, so that none is torn. */
#define VPV_CHUNK	256

/* How much of @left bytes at @pos of a region is in one chunk. */
static inline size_t vpv_chunk_bytes(u64 pos, size_t left)
{
	return min_t(size_t, left, VPV_CHUNK - pos % VPV_CHUNK);
}

/*
 * Nearly all accesses are of one register: a size that the compiler knows spares the
 * kernel its check of what the copy may touch.
 */
static __always_inline unsigned long vpv_chunk_to_user(char __user *buf, const u8 *chunk,
						       size_t bytes)
{
	switch (bytes) {
	case 1:
		return copy_to_user(buf, chunk, 1);
	case 2:
		return copy_to_user(buf, chunk, 2);
	case 4:
		return copy_to_user(buf, chunk, 4);
	case 8:
		return copy_to_user(buf, chunk, 8);
	}
	return copy_to_user(buf, chunk, bytes);
}

static __always_inline unsigned long vpv_chunk_from_user(u8 *chunk, const char __user *buf,
							 size_t bytes)
{
	switch (bytes) {
	case 1:
		return copy_from_user(chunk, buf, 1);
	case 2:
		return copy_from_user(chunk, buf, 2);
	case 4:
		return copy_from_user(chunk, buf, 4);
	case 8:
		return copy_from_user(chunk, buf, 8);
	}
	return copy_from_user(chunk, buf, bytes);
}

#endif /* VPV_CHUNK_H */
