// SPDX-License-Identifier: GPL-2.0
/*
 * What may be loaded where (match.h).  Pure: also a KUnit suite and a host program.
 * Every byte looked at here comes from a peer.
 */
#include "match.h"

int mlxl_ident_check(const struct mlxl_ident *id, struct vmig_diff *diff)
{
	const struct {
		const char *field;
		u64 value, limit;
		bool fits;
	} rules[] = {
		{ "size of the function's image", id->image_bytes, id->image_most,
		  mlxl_image_check(false, id->image_bytes, id->image_bytes, id->image_most) },
		{ "queue pairs of the function", id->pairs, 1, id->pairs },
		{ "vectors of the function", id->vectors, 1, id->vectors },
		{ "queue size of the function", id->queue_size, 1, id->queue_size },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!rules[i].fits)
			return vmig_differs(diff, -EOPNOTSUPP, rules[i].field,
					    rules[i].limit, rules[i].value);
	return 0;
}

bool mlxl_image_check(bool incremental, u64 bytes, u64 full, u64 most)
{
	if (!bytes || !IS_ALIGNED(bytes, MLXL_UNIT) || bytes > most || bytes > MLXL_IMAGE_MAX)
		return false;
	return incremental || bytes == full;
}

void mlxl_match_write(const struct mlxl_ident *id, struct mlxl_match *match)
{
	*match = (struct mlxl_match){
		.magic = cpu_to_le32(MLXL_MATCH_MAGIC),
		.image_version = cpu_to_le32(id->image_version),
		.features = cpu_to_le64(id->features),
		.image_bytes = cpu_to_le64(id->image_bytes),
		.pairs = cpu_to_le16(id->pairs),
		.vectors = cpu_to_le16(id->vectors),
		.queue_size = cpu_to_le16(id->queue_size),
	};
}

int mlxl_match_check(const struct mlxl_ident *id, const void *buf, size_t bytes,
		     struct vmig_diff *diff)
{
	struct mlxl_match m;

	if (bytes != sizeof(m))
		return vmig_differs(diff, -EINVAL, "match size", sizeof(m), bytes);
	memcpy(&m, buf, sizeof(m));
	if (le32_to_cpu(m.magic) != MLXL_MATCH_MAGIC)
		return vmig_differs(diff, -EINVAL, "match magic", MLXL_MATCH_MAGIC,
				    le32_to_cpu(m.magic));
	if (m.reserved)
		return vmig_differs(diff, -EINVAL, "match reserved", 0,
				    le16_to_cpu(m.reserved));

	const u32 version = le32_to_cpu(m.image_version);
	const u64 features = le64_to_cpu(m.features), size = le64_to_cpu(m.image_bytes);
	const u16 pairs = le16_to_cpu(m.pairs), vectors = le16_to_cpu(m.vectors);
	const u16 queue = le16_to_cpu(m.queue_size);
	const struct {
		const char *field;
		u64 source, here;
		bool fits;
	} rules[] = {
		{ "image version", version, id->image_version, version <= id->image_version },
		{ "oldest image version", version, id->image_oldest,
		  version >= id->image_oldest },
		{ "virtio features", features, id->features, !(features & ~id->features) },
		{ "image size", size, id->image_bytes, size == id->image_bytes },
		{ "queue pairs", pairs, id->pairs, pairs == id->pairs },
		{ "vectors", vectors, id->vectors, vectors <= id->vectors },
		{ "queue size", queue, id->queue_size, queue <= id->queue_size },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!rules[i].fits)
			return vmig_differs(diff, -EOPNOTSUPP, rules[i].field,
					    rules[i].here, rules[i].source);
	return 0;
}

int mlxl_load_image(struct mlxl_loading *l, const void *buf, size_t bytes,
		    struct vmig_diff *diff)
{
	struct mlxl_rec_image rec;
	u32 mode, flags;
	u64 size;

	if (bytes != sizeof(rec))
		return vmig_differs(diff, -EINVAL, "size of image record", sizeof(rec),
				    bytes);
	memcpy(&rec, buf, sizeof(rec));
	mode = le32_to_cpu(rec.mode);
	flags = le32_to_cpu(rec.flags);
	size = le64_to_cpu(rec.bytes);

	if (l->open)
		return vmig_differs(diff, -EINVAL, "image within an image", 0, 1);
	if (l->loaded && l->final)
		return vmig_differs(diff, -EINVAL, "image after the final one", 0, 1);
	if (mode > MLXL_IMAGE_INCREMENTAL)
		return vmig_differs(diff, -EINVAL, "image mode", MLXL_IMAGE_INCREMENTAL,
				    mode);
	if (flags & ~MLXL_REC_FINAL)
		return vmig_differs(diff, -EINVAL, "image flags", MLXL_REC_FINAL, flags);
	if (mode == MLXL_IMAGE_INCREMENTAL && !l->loaded)
		return vmig_differs(diff, -EINVAL, "incremental image without a base", 0, 1);
	if (!size || !IS_ALIGNED(size, 4096))
		return vmig_differs(diff, -EINVAL, "image alignment", 4096, size);
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
