// SPDX-License-Identifier: GPL-2.0
/* What an mlx5_like function takes from another one: variants/mlx5_like/match.c. */
#include <kunit/test.h>

#include "../../migration/match.c"
#include "../../variants/mlx5_like/match.c"

#define MOST	(64U << 20)

/* A function: what its firmware says. */
struct ident {
	u16 version, oldest;
	u64 features, image_bytes, most;
	u16 pairs, vectors, queue_size;
};

static const struct ident here = { 3, 2, 0xf0f, 32 << 20, MOST, 2, 5, 256 };

static void say(const struct ident *id, struct mlxl_caps *caps, struct mlxl_function *fn)
{
	*caps = (struct mlxl_caps){
		.image_version = cpu_to_le16(id->version),
		.image_oldest = cpu_to_le16(id->oldest),
		.image_bytes = cpu_to_le64(id->most),
	};
	*fn = (struct mlxl_function){
		.features = cpu_to_le64(id->features),
		.image_bytes = cpu_to_le64(id->image_bytes),
		.pairs = cpu_to_le16(id->pairs),
		.vectors = cpu_to_le16(id->vectors),
		.queue_size = cpu_to_le16(id->queue_size),
	};
}

static struct mlxl_written match_of(const struct ident *id)
{
	struct mlxl_written match;
	struct mlxl_function fn;
	struct mlxl_caps caps;

	say(id, &caps, &fn);
	mlxl_match_write(&caps, &fn, &match);
	return match;
}

/* What the library does with a table. */
static int match_check(const struct mlxl_match *theirs, struct vmig_diff *diff)
{
	const struct mlxl_written mine = match_of(&here);

	return vmig_match_check(mlxl_fields, MLXL_NUM_FIELDS, &mine, theirs, sizeof(*theirs),
				diff);
}

struct match_case {
	const char *name;
	struct ident src;
	int err;
	const char *field;
};

/* Source: version, oldest, features, image, largest, pairs, vectors, queue size. */
static const struct match_case match_cases[] = {
	{ "same", { 3, 2, 0xf0f, 32 << 20, 0, 2, 5, 256 }, 0, NULL },
	{ "oldest_version", { 2, 1, 0xf0f, 32 << 20, 0, 2, 5, 256 }, 0, NULL },
	{ "too_old", { 1, 1, 0xf0f, 32 << 20, 0, 2, 5, 256 }, -EOPNOTSUPP,
	  "oldest image version" },
	{ "too_new", { 4, 1, 0xf0f, 32 << 20, 0, 2, 5, 256 }, -EOPNOTSUPP,
	  "image version" },
	{ "fewer_features", { 3, 2, 0xf00, 32 << 20, 0, 2, 5, 256 }, 0, NULL },
	{ "other_features", { 3, 2, 0xf1f, 32 << 20, 0, 2, 5, 256 }, -EOPNOTSUPP,
	  "virtio features" },
	{ "smaller_image", { 3, 2, 0xf0f, 31 << 20, 0, 2, 5, 256 }, -EOPNOTSUPP,
	  "image size" },
	{ "fewer_pairs", { 3, 2, 0xf0f, 32 << 20, 0, 1, 5, 256 }, -EOPNOTSUPP,
	  "queue pairs" },
	{ "fewer_vectors", { 3, 2, 0xf0f, 32 << 20, 0, 2, 3, 256 }, 0, NULL },
	{ "more_vectors", { 3, 2, 0xf0f, 32 << 20, 0, 2, 6, 256 }, -EOPNOTSUPP,
	  "vectors" },
	{ "longer_queues", { 3, 2, 0xf0f, 32 << 20, 0, 2, 5, 512 }, -EOPNOTSUPP,
	  "queue size" },
};

static void match_describe(const struct match_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(match, match_cases, match_describe);

static void match_compares_every_field(struct kunit *test)
{
	const struct match_case *c = test->param_value;
	const struct mlxl_written src = match_of(&c->src);
	struct vmig_diff diff = { .field = "" };

	KUNIT_EXPECT_EQ(test, match_check(&src.sent, &diff), c->err);
	KUNIT_EXPECT_STREQ(test, diff.field, c->field ?: "");
}

/* Streams of every version of the driver have it so. */
static void match_data_keeps_its_form(struct kunit *test)
{
	static const u8 want[] = {
		0x58, 0x4c, 0x35, 0x4d, 0x03, 0x00, 0x00, 0x00,
		0x0f, 0x0f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
		0x02, 0x00, 0x05, 0x00, 0x00, 0x01, 0x00, 0x00,
	};
	const struct mlxl_written match = match_of(&here);

	KUNIT_ASSERT_EQ(test, sizeof(match.sent), sizeof(want));
	KUNIT_EXPECT_EQ(test, memcmp(&match.sent, want, sizeof(want)), 0);
}

static void match_refuses_nonsense(struct kunit *test)
{
	struct mlxl_match m = match_of(&here).sent;
	struct vmig_diff diff;

	KUNIT_ASSERT_TRUE(test, vmig_match_valid(mlxl_fields, MLXL_NUM_FIELDS, sizeof(m),
						 sizeof(m) + sizeof(struct mlxl_local)));
	m.reserved = cpu_to_le16(1);
	KUNIT_EXPECT_EQ(test, match_check(&m, &diff), -EINVAL);
	m.reserved = 0;
	m.magic ^= cpu_to_le32(1);
	KUNIT_EXPECT_EQ(test, match_check(&m, &diff), -EINVAL);
}

/* ---- Order and size of records ---- */

static struct mlxl_loading start;

static int image(struct mlxl_loading *l, u32 mode, u32 flags, u64 bytes)
{
	const struct mlxl_rec_image rec = {
		.mode = cpu_to_le32(mode), .flags = cpu_to_le32(flags),
		.bytes = cpu_to_le64(bytes),
	};
	struct vmig_diff diff;

	return mlxl_load_image(l, &rec, sizeof(rec), &diff);
}

static u8 record[sizeof(struct mlxl_rec_piece) + MLXL_PIECE_BYTES + 4096];

static int piece(struct mlxl_loading *l, u64 offset, size_t bytes)
{
	const struct mlxl_rec_piece rec = { .offset = cpu_to_le64(offset) };
	struct vmig_diff diff;
	u64 at = ~0ULL;
	int ret;

	memcpy(record, &rec, sizeof(rec));
	ret = mlxl_load_piece(l, record, sizeof(rec) + bytes, &at, &diff);
	return ret > 0 && at != offset ? -ERANGE : ret;
}

static int end(struct mlxl_loading *l, u32 outcome)
{
	const struct mlxl_rec_end rec = { .outcome = cpu_to_le32(outcome) };
	struct vmig_diff diff;
	bool dropped;
	int ret;

	ret = mlxl_load_image_end(l, &rec, sizeof(rec), &dropped, &diff);
	return !ret && dropped != (outcome == MLXL_REC_DROPPED) ? -ERANGE : ret;
}

static void images_come_in_order(struct kunit *test)
{
	struct mlxl_loading l = start;

	l.most = MOST;
	KUNIT_EXPECT_EQ(test, piece(&l, 0, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, end(&l, MLXL_REC_COMPLETE), -EINVAL);
	KUNIT_EXPECT_EQ(test, image(&l, MLXL_IMAGE_INCREMENTAL, 0, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, image(&l, MLXL_IMAGE_FULL, 0, 12288), 0);
	KUNIT_EXPECT_EQ(test, image(&l, MLXL_IMAGE_FULL, 0, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, piece(&l, 0, 8192), 8192);
	KUNIT_EXPECT_EQ(test, end(&l, MLXL_REC_COMPLETE), -EINVAL);
	KUNIT_EXPECT_EQ(test, piece(&l, 0, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, piece(&l, 8192, 8192), -EINVAL);
	KUNIT_EXPECT_EQ(test, piece(&l, 8192, 4096), 4096);
	KUNIT_EXPECT_EQ(test, piece(&l, 12288, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, end(&l, MLXL_REC_COMPLETE), 0);
	KUNIT_EXPECT_TRUE(test, l.loaded && !l.final);
	KUNIT_EXPECT_EQ(test, image(&l, MLXL_IMAGE_INCREMENTAL, MLXL_REC_FINAL, 4096), 0);
	KUNIT_EXPECT_EQ(test, piece(&l, 0, 4096), 4096);
	KUNIT_EXPECT_EQ(test, end(&l, MLXL_REC_COMPLETE), 0);
	KUNIT_EXPECT_TRUE(test, l.loaded && l.final && !l.open);
	KUNIT_EXPECT_EQ(test, image(&l, MLXL_IMAGE_FULL, 0, 4096), -EINVAL);
}

static void dropped_images_do_not_count(struct kunit *test)
{
	struct mlxl_loading l = start;

	l.most = MOST;
	KUNIT_EXPECT_EQ(test, image(&l, MLXL_IMAGE_FULL, MLXL_REC_FINAL, 8192), 0);
	KUNIT_EXPECT_EQ(test, piece(&l, 0, 4096), 4096);
	KUNIT_EXPECT_EQ(test, end(&l, MLXL_REC_DROPPED), 0);
	KUNIT_EXPECT_FALSE(test, l.loaded || l.final || l.open);
	KUNIT_EXPECT_EQ(test, image(&l, MLXL_IMAGE_INCREMENTAL, 0, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, image(&l, MLXL_IMAGE_FULL, 0, 4096), 0);
}

static void lengths_of_a_stream_are_not_trusted(struct kunit *test)
{
	struct mlxl_loading l = start;
	struct vmig_diff diff;
	bool dropped;
	u64 at;

	l.most = MOST;
	KUNIT_EXPECT_EQ(test, image(&l, 2, 0, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, image(&l, 0, 2, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, image(&l, 0, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, image(&l, 0, 0, 4097), -EINVAL);
	KUNIT_EXPECT_EQ(test, image(&l, 0, 0, MOST + 4096), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, image(&l, 0, 0, ~4095ULL), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, mlxl_load_image(&l, record, 15, &diff), -EINVAL);
	KUNIT_EXPECT_EQ(test, image(&l, 0, 0, MOST), 0);
	KUNIT_EXPECT_EQ(test, piece(&l, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, piece(&l, 0, 4095), -EINVAL);
	KUNIT_EXPECT_EQ(test, piece(&l, 0, MLXL_PIECE_BYTES + 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, piece(&l, ~4095ULL, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, mlxl_load_piece(&l, record, 7, &at, &diff), -EINVAL);
	KUNIT_EXPECT_EQ(test, end(&l, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, mlxl_load_image_end(&l, record, 9, &dropped, &diff), -EINVAL);
	KUNIT_EXPECT_EQ(test, l.pos, 0ULL);
}

/* Image, largest, queue pairs, vectors, queue size. */
static const struct {
	u64 image, most;
	u16 pairs, vectors, queue_size;
	const char *field;
} idents[] = {
	{ 32 << 20, MOST, 2, 5, 256, NULL },
	{ MOST, MOST, 2, 5, 256, NULL },
	{ 0, MOST, 2, 5, 256, "size of the function's image" },
	{ 4095, MOST, 2, 5, 256, "size of the function's image" },
	{ MOST + 4096, MOST, 2, 5, 256, "size of the function's image" },
	{ (1ULL << 40) + 4096, U64_MAX, 2, 5, 256, "size of the function's image" },
	{ 32 << 20, MOST, 0, 5, 256, "queue pairs of the function" },
	{ 32 << 20, MOST, 2, 0, 256, "vectors of the function" },
	{ 32 << 20, MOST, 2, 5, 0, "queue size of the function" },
};

static void function_that_cannot_be_is_refused(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(idents); i++) {
		const struct ident id = {
			.image_bytes = idents[i].image, .most = idents[i].most,
			.pairs = idents[i].pairs, .vectors = idents[i].vectors,
			.queue_size = idents[i].queue_size,
		};
		struct vmig_diff diff = {};
		struct mlxl_function fn;
		struct mlxl_caps caps;

		say(&id, &caps, &fn);
		KUNIT_EXPECT_EQ(test, mlxl_fn_check(&caps, &fn, &diff),
				idents[i].field ? -EOPNOTSUPP : 0);
		if (idents[i].field)
			KUNIT_EXPECT_STREQ(test, diff.field, idents[i].field);
	}
}

static void image_that_is_too_small_is_none(struct kunit *test)
{
	const u64 full = 32 << 20;

	KUNIT_EXPECT_TRUE(test, mlxl_image_check(false, full, full, MOST));
	KUNIT_EXPECT_FALSE(test, mlxl_image_check(false, full - 4096, full, MOST));
	KUNIT_EXPECT_FALSE(test, mlxl_image_check(false, full + 4096, full, MOST));
	KUNIT_EXPECT_TRUE(test, mlxl_image_check(true, 4096, full, MOST));
	KUNIT_EXPECT_TRUE(test, mlxl_image_check(true, MOST, full, MOST));
	KUNIT_EXPECT_FALSE(test, mlxl_image_check(true, 0, full, MOST));
	KUNIT_EXPECT_FALSE(test, mlxl_image_check(true, 5000, full, MOST));
	KUNIT_EXPECT_FALSE(test, mlxl_image_check(true, MOST + 4096, full, MOST));
	KUNIT_EXPECT_FALSE(test, mlxl_image_check(true, (1ULL << 40) + 4096, full, U64_MAX));
}

static struct kunit_case mlxl_match_cases[] = {
	KUNIT_CASE_PARAM(match_compares_every_field, match_gen_params),
	KUNIT_CASE(match_data_keeps_its_form),
	KUNIT_CASE(match_refuses_nonsense),
	KUNIT_CASE(function_that_cannot_be_is_refused),
	KUNIT_CASE(image_that_is_too_small_is_none),
	KUNIT_CASE(images_come_in_order),
	KUNIT_CASE(dropped_images_do_not_count),
	KUNIT_CASE(lengths_of_a_stream_are_not_trusted),
	{ }
};

static struct kunit_suite mlxl_match_suite = {
	.name = "mlxl_match",
	.test_cases = mlxl_match_cases,
};

kunit_test_suite(mlxl_match_suite);

MODULE_DESCRIPTION("KUnit suite of mlx5_like match data and records");
MODULE_LICENSE("GPL");
