/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a stream holds, and what may be loaded where: match data and records.
 * Documentation/mlx5_like.rst lists them.  Pure.
 */
#ifndef MLXL_MATCH_H
#define MLXL_MATCH_H

#include <vpv/match.h>
#include <vpv/stream.h>

#include <hw/mlx5_like.h>

#define MLXL_MATCH_MAGIC	0x4d354c58

/* Most bytes of an image in a record; also the size of the driver's buffers. */
#define MLXL_PIECE_BYTES	(2U << 20)

/* Records. */
#define MLXL_RECORD_IMAGE	(VPV_RECORD_FAMILY + 0)
#define MLXL_RECORD_PIECE	(VPV_RECORD_FAMILY + 1)
#define MLXL_RECORD_IMAGE_END	(VPV_RECORD_FAMILY + 2)

/**
 * struct mlxl_match - Match data
 * @magic: MLXL_MATCH_MAGIC.
 * @image_version: Version of the images of the source.
 * @features: Virtio features that it offers.
 * @image_bytes: Its largest image.
 * @pairs: Queue pairs.
 * @vectors: MSI-X vectors.
 * @queue_size: Largest queue.
 * @reserved: Zero.
 */
struct mlxl_match {
	__le32 magic;
	__le32 image_version;
	__le64 features;
	__le64 image_bytes;
	__le16 pairs;
	__le16 vectors;
	__le16 queue_size;
	__le16 reserved;
};

static_assert(sizeof(struct mlxl_match) == 32);

/**
 * struct mlxl_local - What a destination compares match data with, besides its own
 * @image_oldest: Oldest version of images that it takes.
 * @reserved: Zero.
 */
struct mlxl_local {
	__le32 image_oldest;
	__le32 reserved;
};

/**
 * struct mlxl_written - What vmig_ops.match writes
 * @sent: Match data.
 * @local: What is not sent.
 */
struct mlxl_written {
	struct mlxl_match sent;
	struct mlxl_local local;
};

static_assert(sizeof(struct mlxl_written) ==
	      sizeof(struct mlxl_match) + sizeof(struct mlxl_local));

#define MLXL_NUM_FIELDS		9
extern const struct vmig_match_field mlxl_fields[MLXL_NUM_FIELDS];

#define MLXL_REC_FINAL		BIT(0)	/* taken while the responder was suspended */

/**
 * struct mlxl_rec_image - Begin of an image
 * @mode: MLXL_IMAGE_FULL or MLXL_IMAGE_INCREMENTAL.
 * @flags: MLXL_REC_FINAL or 0.
 * @bytes: Its size.
 */
struct mlxl_rec_image {
	__le32 mode;
	__le32 flags;
	__le64 bytes;
};

/**
 * struct mlxl_rec_piece - Head of a part of an image; the bytes follow
 * @offset: Where it belongs; pieces come in order.
 */
struct mlxl_rec_piece {
	__le64 offset;
};

#define MLXL_REC_COMPLETE	0
#define MLXL_REC_DROPPED	1	/* the source gave it up: forget it */

/**
 * struct mlxl_rec_end - End of an image
 * @outcome: MLXL_REC_COMPLETE or MLXL_REC_DROPPED.
 * @reserved: Zero.
 */
struct mlxl_rec_end {
	__le32 outcome;
	__le32 reserved;
};

/**
 * struct mlxl_loading - How far a stream has come
 * @most: Largest image that this device takes.
 * @open: An image has begun.
 * @final: It is final, or the last one was.
 * @loaded: Some image was complete.
 * @bytes: Size of the image.
 * @pos: Bytes of it that have come.
 */
struct mlxl_loading {
	u64 most;
	bool open;
	bool final;
	bool loaded;
	u64 bytes;
	u64 pos;
};

/**
 * mlxl_fn_check() - Can what the firmware says about a function be true?
 * @caps: What it says about itself.
 * @fn: What it says about the function.
 * @diff: Receives what is wrong.
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int mlxl_fn_check(const struct mlxl_caps *caps, const struct mlxl_function *fn,
		  struct vmig_diff *diff);

/**
 * mlxl_image_check() - Is that the size of an image?
 * @incremental: Of an incremental one, else of a full one.
 * @bytes: What the firmware says.
 * @full: Bytes of a full image of the function.
 * @most: Of the largest of all images.
 *
 * A full image that is smaller than it has to be would lose state.
 */
bool mlxl_image_check(bool incremental, u64 bytes, u64 full, u64 most);

/**
 * mlxl_match_write() - Describe a function
 * @caps: What the firmware says about itself.
 * @fn: What it says about the function.
 * @match: Receives the match data, and what belongs to it here.
 */
void mlxl_match_write(const struct mlxl_caps *caps, const struct mlxl_function *fn,
		      struct mlxl_written *match);

/**
 * mlxl_load_image() - An image begins
 * @l: Stream so far; changed after 0 only.
 * @buf: Record; untrusted.
 * @bytes: Its size.
 * @diff: Receives what made no sense.
 *
 * Return: 0 or -EINVAL; -EOPNOTSUPP for an image that is too large.
 */
int mlxl_load_image(struct mlxl_loading *l, const void *buf, size_t bytes,
		    struct vmig_diff *diff);

/**
 * mlxl_load_piece() - A part of it
 * @l: Stream so far; changed after 0 only.
 * @buf: Record; untrusted.
 * @bytes: Its size.
 * @offset: Receives where the part belongs.
 * @diff: Receives what made no sense.
 *
 * Return: size of the part, which ends with @buf, or -EINVAL.
 */
int mlxl_load_piece(struct mlxl_loading *l, const void *buf, size_t bytes, u64 *offset,
		    struct vmig_diff *diff);

/**
 * mlxl_load_image_end() - The image ends
 * @l: Stream so far; changed after 0 only.
 * @buf: Record; untrusted.
 * @bytes: Its size.
 * @dropped: Receives whether the source gave it up.
 * @diff: Receives what made no sense.
 *
 * Return: 0 or -EINVAL.
 */
int mlxl_load_image_end(struct mlxl_loading *l, const void *buf, size_t bytes,
			bool *dropped, struct vmig_diff *diff);

#endif /* MLXL_MATCH_H */
