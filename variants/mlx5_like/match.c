// SPDX-License-Identifier: GPL-2.0
/*
 * What may be loaded where (match.h).  Pure: also a KUnit suite and a host program.
 * Every byte looked at here comes from a peer.
 */
#include "match.h"

static int differs(struct mlxl_diff *diff, int err, const char *field, u64 source, u64 here)
{
	*diff = (struct mlxl_diff){ .field = field, .source = source, .here = here };
	return err;
}

int mlxl_ident_check(const struct mlxl_ident *id, struct mlxl_diff *diff)
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
			return differs(diff, -EOPNOTSUPP, rules[i].field, rules[i].value,
				       rules[i].limit);
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
		     struct mlxl_diff *diff)
{
	struct mlxl_match m;

	if (bytes != sizeof(m))
		return differs(diff, -EINVAL, "match size", bytes, sizeof(m));
	memcpy(&m, buf, sizeof(m));
	if (le32_to_cpu(m.magic) != MLXL_MATCH_MAGIC)
		return differs(diff, -EINVAL, "match magic", le32_to_cpu(m.magic),
			       MLXL_MATCH_MAGIC);
	if (m.reserved)
		return differs(diff, -EINVAL, "match reserved", le16_to_cpu(m.reserved), 0);

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
			return differs(diff, -EOPNOTSUPP, rules[i].field, rules[i].source,
				       rules[i].here);
	return 0;
}

int mlxl_load_image(struct mlxl_loading *l, const void *buf, size_t bytes,
		    struct mlxl_diff *diff)
{
	struct mlxl_rec_image rec;
	u32 mode, flags;
	u64 size;

	if (bytes != sizeof(rec))
		return differs(diff, -EINVAL, "size of image record", bytes, sizeof(rec));
	memcpy(&rec, buf, sizeof(rec));
	mode = le32_to_cpu(rec.mode);
	flags = le32_to_cpu(rec.flags);
	size = le64_to_cpu(rec.bytes);

	if (l->open)
		return differs(diff, -EINVAL, "image within an image", 1, 0);
	if (l->loaded && l->final)
		return differs(diff, -EINVAL, "image after the final one", 1, 0);
	if (mode > MLXL_IMAGE_INCREMENTAL)
		return differs(diff, -EINVAL, "image mode", mode, MLXL_IMAGE_INCREMENTAL);
	if (flags & ~MLXL_REC_FINAL)
		return differs(diff, -EINVAL, "image flags", flags, MLXL_REC_FINAL);
	if (mode == MLXL_IMAGE_INCREMENTAL && !l->loaded)
		return differs(diff, -EINVAL, "incremental image without a base", 1, 0);
	if (!size || !IS_ALIGNED(size, 4096))
		return differs(diff, -EINVAL, "image alignment", size, 4096);
	if (size > l->most)
		return differs(diff, -EOPNOTSUPP, "image size", size, l->most);

	l->open = true;
	l->final = flags & MLXL_REC_FINAL;
	l->bytes = size;
	l->pos = 0;
	return 0;
}

int mlxl_load_piece(struct mlxl_loading *l, const void *buf, size_t bytes, u64 *offset,
		    struct mlxl_diff *diff)
{
	struct mlxl_rec_piece rec;
	size_t size;

	if (bytes < sizeof(rec))
		return differs(diff, -EINVAL, "size of piece record", bytes, sizeof(rec));
	memcpy(&rec, buf, sizeof(rec));
	size = bytes - sizeof(rec);

	if (!l->open)
		return differs(diff, -EINVAL, "piece outside of an image", 1, 0);
	if (!size || !IS_ALIGNED(size, 4096) || size > MLXL_PIECE_BYTES)
		return differs(diff, -EINVAL, "piece size", size, MLXL_PIECE_BYTES);
	if (le64_to_cpu(rec.offset) != l->pos)
		return differs(diff, -EINVAL, "piece offset", le64_to_cpu(rec.offset), l->pos);
	if (size > l->bytes - l->pos)
		return differs(diff, -EINVAL, "piece beyond the image", size,
			       l->bytes - l->pos);

	*offset = l->pos;
	l->pos += size;
	return size;
}

int mlxl_load_image_end(struct mlxl_loading *l, const void *buf, size_t bytes,
			bool *dropped, struct mlxl_diff *diff)
{
	struct mlxl_rec_end rec;
	u32 outcome;

	if (bytes != sizeof(rec))
		return differs(diff, -EINVAL, "size of image end", bytes, sizeof(rec));
	memcpy(&rec, buf, sizeof(rec));
	outcome = le32_to_cpu(rec.outcome);

	if (!l->open)
		return differs(diff, -EINVAL, "end outside of an image", 1, 0);
	if (outcome > MLXL_REC_DROPPED || rec.reserved)
		return differs(diff, -EINVAL, "image outcome", outcome, MLXL_REC_DROPPED);
	if (outcome == MLXL_REC_COMPLETE && l->pos != l->bytes)
		return differs(diff, -EINVAL, "bytes of the image", l->pos, l->bytes);

	*dropped = outcome == MLXL_REC_DROPPED;
	l->open = false;
	if (*dropped)
		l->final = false;
	else
		l->loaded = true;
	return 0;
}
