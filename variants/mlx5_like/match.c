// SPDX-License-Identifier: GPL-2.0
/*
 * What may be loaded where (match.h).  Pure: also a KUnit suite and a host program.
 * Every byte looked at here comes from a peer.
 */
#include "match.h"

static_assert(sizeof(struct mlxl_slot) == 128);
static_assert(sizeof(struct mlxl_box) == MLXL_BOX_BYTES);
static_assert(sizeof(struct mlxl_caps) == 128);
static_assert(sizeof(struct mlxl_function) == 128);
static_assert(sizeof(struct mlxl_provision) == 16);
static_assert(sizeof(struct mlxl_image_size) == 24);
static_assert(sizeof(struct mlxl_chunk) == 24);
static_assert(sizeof(struct mlxl_tracker_create) == 16);
static_assert(sizeof(struct mlxl_tracker_query) == 32);

#define FIELD(name, rule, field) \
	VMIG_MATCH_FIELD(name, rule, struct mlxl_written, sent.field)

const struct vmig_match_field mlxl_fields[MLXL_NUM_FIELDS] = {
	FIELD("match magic", VMIG_MATCH_CONSTANT, magic),
	FIELD("match reserved", VMIG_MATCH_CONSTANT, reserved),
	FIELD("image version", VMIG_MATCH_AT_MOST, image_version),
	VMIG_MATCH_AGAINST("oldest image version", VMIG_MATCH_AT_LEAST, struct mlxl_written,
			   sent.image_version, local.image_oldest),
	FIELD("virtio features", VMIG_MATCH_SUBSET, features),
	FIELD("image size", VMIG_MATCH_EQUAL, image_bytes),
	FIELD("queue pairs", VMIG_MATCH_EQUAL, pairs),
	FIELD("vectors", VMIG_MATCH_AT_MOST, vectors),
	FIELD("queue size", VMIG_MATCH_AT_MOST, queue_size),
};

int mlxl_fn_check(const struct mlxl_caps *caps, const struct mlxl_function *fn,
		  struct vmig_diff *diff)
{
	const u64 bytes = le64_to_cpu(fn->image_bytes), most = le64_to_cpu(caps->image_bytes);
	const struct vmig_range_rule rules[] = {
		{ "queue pairs of the function", le16_to_cpu(fn->pairs), 1, U16_MAX },
		{ "vectors of the function", le16_to_cpu(fn->vectors), 1, U16_MAX },
		{ "queue size of the function", le16_to_cpu(fn->queue_size), 1, U16_MAX },
	};

	if (!mlxl_image_check(false, bytes, bytes, most))
		return vmig_differs(diff, -EOPNOTSUPP, "size of the function's image", most,
				    bytes);
	return vmig_in_range(rules, ARRAY_SIZE(rules), -EOPNOTSUPP, diff);
}

bool mlxl_image_check(bool incremental, u64 bytes, u64 full, u64 most)
{
	if (!bytes || !IS_ALIGNED(bytes, MLXL_UNIT) || bytes > most || bytes > MLXL_IMAGE_MAX)
		return false;
	return incremental || bytes == full;
}

void mlxl_match_write(const struct mlxl_caps *caps, const struct mlxl_function *fn,
		      struct mlxl_written *match)
{
	*match = (struct mlxl_written){
		.sent = {
			.magic = cpu_to_le32(MLXL_MATCH_MAGIC),
			.image_version = cpu_to_le32(le16_to_cpu(caps->image_version)),
			.features = fn->features,
			.image_bytes = fn->image_bytes,
			.pairs = fn->pairs,
			.vectors = fn->vectors,
			.queue_size = fn->queue_size,
		},
		.local.image_oldest = cpu_to_le32(le16_to_cpu(caps->image_oldest)),
	};
}

int mlxl_load_image(struct mlxl_loading *l, const void *buf, size_t bytes,
		    struct vmig_diff *diff)
{
	struct mlxl_rec_image rec;
	u32 mode, flags;
	u64 size;
	int err;

	if (bytes != sizeof(rec))
		return vmig_differs(diff, -EINVAL, "size of image record", sizeof(rec),
				    bytes);
	memcpy(&rec, buf, sizeof(rec));
	mode = le32_to_cpu(rec.mode);
	flags = le32_to_cpu(rec.flags);
	size = le64_to_cpu(rec.bytes);

	const struct vmig_range_rule rules[] = {
		{ "image within an image", l->open, 0, 0 },
		{ "image after the final one", l->loaded && l->final, 0, 0 },
		{ "image mode", mode, 0, MLXL_IMAGE_INCREMENTAL },
		{ "image flags", flags, 0, MLXL_REC_FINAL },
		{ "incremental image without a base",
		  mode == MLXL_IMAGE_INCREMENTAL && !l->loaded, 0, 0 },
		{ "image size", size, MLXL_UNIT, U64_MAX },
		{ "image alignment", size % MLXL_UNIT, 0, 0 },
	};

	err = vmig_in_range(rules, ARRAY_SIZE(rules), -EINVAL, diff);
	if (err)
		return err;
	if (size > l->most)
		return vmig_differs(diff, -EOPNOTSUPP, "image size", l->most, size);

	l->open = true;
	l->final = flags & MLXL_REC_FINAL;
	l->bytes = size;
	l->pos = 0;
	return 0;
}

int mlxl_load_piece(struct mlxl_loading *l, const void *buf, size_t bytes, u64 *offset,
		    struct vmig_diff *diff)
{
	struct mlxl_rec_piece rec;
	size_t size;

	if (bytes < sizeof(rec))
		return vmig_differs(diff, -EINVAL, "size of piece record", sizeof(rec),
				    bytes);
	memcpy(&rec, buf, sizeof(rec));
	size = bytes - sizeof(rec);

	if (!l->open)
		return vmig_differs(diff, -EINVAL, "piece outside of an image", 0, 1);
	if (!size || !IS_ALIGNED(size, 4096) || size > MLXL_PIECE_BYTES)
		return vmig_differs(diff, -EINVAL, "piece size", MLXL_PIECE_BYTES, size);
	if (le64_to_cpu(rec.offset) != l->pos)
		return vmig_differs(diff, -EINVAL, "piece offset", l->pos,
				    le64_to_cpu(rec.offset));
	if (size > l->bytes - l->pos)
		return vmig_differs(diff, -EINVAL, "piece beyond the image",
				    l->bytes - l->pos, size);

	*offset = l->pos;
	l->pos += size;
	return size;
}

int mlxl_load_image_end(struct mlxl_loading *l, const void *buf, size_t bytes,
			bool *dropped, struct vmig_diff *diff)
{
	struct mlxl_rec_end rec;
	u32 outcome;

	if (bytes != sizeof(rec))
		return vmig_differs(diff, -EINVAL, "size of image end", sizeof(rec), bytes);
	memcpy(&rec, buf, sizeof(rec));
	outcome = le32_to_cpu(rec.outcome);

	if (!l->open)
		return vmig_differs(diff, -EINVAL, "end outside of an image", 0, 1);
	if (outcome > MLXL_REC_DROPPED || rec.reserved)
		return vmig_differs(diff, -EINVAL, "image outcome", MLXL_REC_DROPPED,
				    outcome);
	if (outcome == MLXL_REC_COMPLETE && l->pos != l->bytes)
		return vmig_differs(diff, -EINVAL, "bytes of the image", l->bytes, l->pos);

	*dropped = outcome == MLXL_REC_DROPPED;
	l->open = false;
	if (*dropped)
		l->final = false;
	else
		l->loaded = true;
	return 0;
}
