// SPDX-License-Identifier: GPL-2.0
/* Firmware commands as bytes: variants/mlx5_like/ctrl_wire.c. */
#include <kunit/test.h>

#include "../../variants/mlx5_like/ctrl_wire.c"

#define TAG	0x12345678U
#define BOXES	3

static struct mlxl_box boxes[2][BOXES];
static u8 data[MLXL_BOX_DATA * BOXES], back[MLXL_BOX_DATA * BOXES];

static struct mlxl_chain chain_of(int which, u32 bytes)
{
	struct mlxl_chain c = { .num = mlxl_boxes(bytes) };

	for (unsigned int i = 0; i < c.num; i++) {
		c.box[i] = &boxes[which][i];
		c.iova[i] = 0x100000000ULL * (which + 1) + i * 0x2000;
	}
	return c;
}

static struct mlxl_wire wire_of(u32 in, u32 out)
{
	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + 1;
	return (struct mlxl_wire){
		.opcode = MLXL_SAVE_CHUNK, .function = 3, .tag = TAG, .in = data,
		.in_bytes = in, .out_bytes = out,
	};
}

struct size_case {
	const char *name;
	u32 bytes;
	unsigned int boxes;
};

static const struct size_case size_cases[] = {
	{ "nothing", 0, 0 },
	{ "inline", 32, 0 },
	{ "one_more", 33, 1 },
	{ "one_box", MLXL_BOX_DATA, 1 },
	{ "one_box_and_a_byte", MLXL_BOX_DATA + 1, 2 },
	{ "three_boxes", BOXES * MLXL_BOX_DATA, 3 },
};

static void size_describe(const struct size_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(size, size_cases, size_describe);

static void input_is_laid_out_as_the_page_says(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct mlxl_wire w = wire_of(c->bytes, 0);
	struct mlxl_chain in = chain_of(0, c->bytes), out = {};
	struct mlxl_slot slot;
	u32 sum = 0;

	memset(&slot, 0xff, sizeof(slot));
	memset(boxes, 0xff, sizeof(boxes));
	KUNIT_EXPECT_EQ(test, in.num, c->boxes);
	KUNIT_EXPECT_EQ(test, mlxl_wire_build(&w, &in, &out, &slot), 0);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(slot.opcode), (u16)MLXL_SAVE_CHUNK);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(slot.function), (u16)3);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(slot.tag), TAG);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(slot.in_bytes), c->bytes);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(slot.in_box), in.num ? in.iova[0] : 0);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(slot.owner), 0U);
	if (!in.num)
		KUNIT_EXPECT_EQ(test, memcmp(slot.in, data, c->bytes), 0);
	for (unsigned int i = 0; i < in.num; i++) {
		u32 here = le16_to_cpu(boxes[0][i].bytes);

		KUNIT_EXPECT_EQ(test, le32_to_cpu(boxes[0][i].tag), TAG);
		KUNIT_EXPECT_EQ(test, le16_to_cpu(boxes[0][i].index), (u16)i);
		KUNIT_EXPECT_EQ(test, le64_to_cpu(boxes[0][i].next),
				i + 1 < in.num ? in.iova[i + 1] : 0);
		KUNIT_EXPECT_TRUE(test, i + 1 == in.num || here == MLXL_BOX_DATA);
		KUNIT_EXPECT_EQ(test, memcmp(boxes[0][i].data, data + sum, here), 0);
		sum += here;
	}
	if (in.num)
		KUNIT_EXPECT_EQ(test, sum, c->bytes);
}

/* What the firmware does with an output chain. */
static void firmware_fills(struct mlxl_chain *out, u32 bytes)
{
	for (unsigned int i = 0; i * MLXL_BOX_DATA < bytes && i < out->num; i++) {
		u32 here = min_t(u32, bytes - i * MLXL_BOX_DATA, MLXL_BOX_DATA);

		memcpy(out->box[i]->data, data + i * MLXL_BOX_DATA, here);
		out->box[i]->bytes = cpu_to_le16(here);
	}
}

static void output_comes_back_whole(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct mlxl_wire w = wire_of(0, c->bytes);
	struct mlxl_chain in = {}, out = chain_of(1, c->bytes);
	struct mlxl_reply reply;
	struct mlxl_slot slot;

	KUNIT_EXPECT_EQ(test, mlxl_wire_build(&w, &in, &out, &slot), 0);
	slot.tag_out = slot.tag;
	slot.out_len = cpu_to_le32(c->bytes);
	if (!out.num)
		memcpy(slot.out, data, c->bytes);
	firmware_fills(&out, c->bytes);
	memset(back, 0, sizeof(back));
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &slot, &out, back, &reply), 0);
	KUNIT_EXPECT_EQ(test, reply.status, (u32)MLXL_OK);
	KUNIT_EXPECT_EQ(test, reply.out_len, c->bytes);
	KUNIT_EXPECT_EQ(test, memcmp(back, data, c->bytes), 0);
}

static void short_output_is_in_the_mailbox_too(struct kunit *test)
{
	struct mlxl_wire w = wire_of(0, 100);
	struct mlxl_chain in = {}, out = chain_of(1, 100);
	struct mlxl_reply reply;
	struct mlxl_slot slot;

	KUNIT_EXPECT_EQ(test, mlxl_wire_build(&w, &in, &out, &slot), 0);
	slot.tag_out = slot.tag;
	slot.out_len = cpu_to_le32(8);
	firmware_fills(&out, 8);
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &slot, &out, back, &reply), 0);
	KUNIT_EXPECT_EQ(test, memcmp(back, data, 8), 0);
	out.box[0]->bytes = cpu_to_le16(9);
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &slot, &out, back, &reply), -EPROTO);
}

static void nonsense_of_the_firmware_is_refused(struct kunit *test)
{
	const u32 bytes = 2 * MLXL_BOX_DATA;
	struct mlxl_wire w = wire_of(0, bytes);
	static const struct mlxl_chain in;
	static struct mlxl_chain out;
	struct mlxl_reply reply;
	struct mlxl_slot good, slot;

	out = chain_of(1, bytes);
	KUNIT_EXPECT_EQ(test, mlxl_wire_build(&w, &in, &out, &good), 0);
	good.tag_out = good.tag;
	good.out_len = cpu_to_le32(bytes);
	firmware_fills(&out, bytes);
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &good, &out, back, &reply), 0);

	slot = good;
	slot.tag_out = cpu_to_le32(TAG + 1);
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &slot, &out, back, &reply), -EPROTO);
	slot = good;
	slot.out_len = cpu_to_le32(bytes + 1);
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &slot, &out, back, &reply), -EPROTO);
	slot.out_len = cpu_to_le32(U32_MAX);
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &slot, &out, back, &reply), -EPROTO);
	slot = good;
	slot.status = cpu_to_le32(MLXL_LIMIT);
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &slot, &out, back, &reply), -EPROTO);
	slot.out_len = 0;
	slot.syndrome = cpu_to_le32(2);
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &slot, &out, back, &reply), 0);
	KUNIT_EXPECT_EQ(test, reply.status, (u32)MLXL_LIMIT);
	KUNIT_EXPECT_EQ(test, reply.syndrome, 2U);

	out.box[1]->index = cpu_to_le16(2);
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &good, &out, back, &reply), -EPROTO);
	out.box[1]->index = cpu_to_le16(1);
	out.box[0]->bytes = cpu_to_le16(U16_MAX);
	KUNIT_EXPECT_EQ(test, mlxl_wire_parse(&w, &good, &out, back, &reply), -EPROTO);
}

static void what_does_not_fit_is_not_built(struct kunit *test)
{
	struct mlxl_wire w = wire_of(MLXL_MAX_BYTES + 1, 0);
	static const struct mlxl_chain none;
	struct mlxl_chain one = chain_of(0, 33);
	struct mlxl_slot slot;

	KUNIT_EXPECT_EQ(test, mlxl_wire_build(&w, &none, &none, &slot), -EMSGSIZE);
	w = wire_of(0, MLXL_MAX_BYTES + 1);
	KUNIT_EXPECT_EQ(test, mlxl_wire_build(&w, &none, &none, &slot), -EMSGSIZE);
	w = wire_of(33, 0);
	KUNIT_EXPECT_EQ(test, mlxl_wire_build(&w, &none, &none, &slot), -EINVAL);
	w = wire_of(32, 0);
	KUNIT_EXPECT_EQ(test, mlxl_wire_build(&w, &one, &none, &slot), -EINVAL);
	KUNIT_EXPECT_LE(test, mlxl_boxes(MLXL_MAX_BYTES), (unsigned int)MLXL_MAX_BOXES);
}

static void every_status_has_an_errno(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mlxl_status_errno(MLXL_OK), 0);
	for (u32 status = 1; status < MLXL_STATUSES; status++) {
		int err = mlxl_status_errno(status);

		KUNIT_EXPECT_LT(test, err, 0);
		/* These three mean something else to the migration library. */
		KUNIT_EXPECT_TRUE(test, err != -EIO && err != -ECANCELED && err != -ENOTCONN);
	}
	KUNIT_EXPECT_EQ(test, mlxl_status_errno(MLXL_STATUSES), -EPROTO);
	KUNIT_EXPECT_EQ(test, mlxl_status_errno(U32_MAX), -EPROTO);
}

static struct mlxl_caps good_caps(void)
{
	return (struct mlxl_caps){
		.flags = cpu_to_le32(MLXL_CAPS_INCREMENTAL | MLXL_CAPS_TRACKER),
		.functions = cpu_to_le16(2),
		.pairs = cpu_to_le16(4),
		.vectors = cpu_to_le16(9),
		.queue_size = cpu_to_le16(256),
		.image_bytes = cpu_to_le64(32 << 20),
		.chunk_bytes = cpu_to_le32(8 << 20),
		.chunk_unit = cpu_to_le32(4096),
		.segments = cpu_to_le32(4096),
		.image_version = cpu_to_le16(1),
		.image_oldest = cpu_to_le16(1),
		.ranges = cpu_to_le32(8),
		.page_min_log2 = 12,
		.page_max_log2 = 21,
		.address_bits = 48,
		.track_pages = cpu_to_le64(1 << 24),
		.query_pages = cpu_to_le64(1 << 20),
		.serial = cpu_to_le64(0x7620),
	};
}

static void limits_that_make_sense_are_taken(struct kunit *test)
{
	struct mlxl_caps caps = good_caps(), before = good_caps();
	const char *field = NULL;
	u64 value;

	KUNIT_EXPECT_EQ(test, mlxl_caps_check(&caps, NULL, &field, &value), 0);
	KUNIT_EXPECT_EQ(test, mlxl_caps_check(&caps, &before, &field, &value), 0);
	/* Another firmware of the same device. */
	before.image_bytes = cpu_to_le64(64 << 20);
	before.image_version = cpu_to_le16(7);
	KUNIT_EXPECT_EQ(test, mlxl_caps_check(&caps, &before, &field, &value), 0);
	/* Limits of a tracker that is not there count for nothing. */
	caps.flags = 0;
	caps.ranges = 0;
	caps.page_min_log2 = 255;
	caps.page_max_log2 = 0;
	caps.address_bits = 0;
	caps.track_pages = 0;
	caps.query_pages = 0;
	KUNIT_EXPECT_EQ(test, mlxl_caps_check(&caps, NULL, &field, &value), 0);
	KUNIT_EXPECT_NULL(test, field);
}

/* One field of good limits is overwritten. */
#define LIMIT(text, member, val) \
	{ text, offsetof(struct mlxl_caps, member), \
	  sizeof_field(struct mlxl_caps, member), val }

static const struct {
	const char *field;
	size_t offset;
	size_t bytes;
	u64 value;
} bad_limits[] = {
	LIMIT("functions", functions, 0),
	LIMIT("functions", functions, MLXL_MAX_FUNCTIONS + 1),
	LIMIT("queue pairs", pairs, 0),
	LIMIT("vectors", vectors, 0),
	LIMIT("queue size", queue_size, 0),
	LIMIT("queue size", queue_size, 4),
	LIMIT("queue size", queue_size, 255),
	LIMIT("image size", image_bytes, 0),
	LIMIT("image size", image_bytes, 4097),
	LIMIT("image size", image_bytes, (1ULL << 40) + 4096),
	LIMIT("image size", image_bytes, U64_MAX),
	LIMIT("chunk size", chunk_bytes, 0),
	LIMIT("chunk size", chunk_bytes, 4095),
	LIMIT("chunk unit", chunk_unit, 0),
	LIMIT("chunk unit", chunk_unit, 8192),
	LIMIT("segments", segments, 0),
	LIMIT("image version", image_version, 0),
	LIMIT("oldest image version", image_oldest, 2),
	LIMIT("ranges of a tracker", ranges, 0),
	LIMIT("smallest page of a tracker", page_min_log2, 0),
	LIMIT("smallest page of a tracker", page_min_log2, 63),
	LIMIT("largest page of a tracker", page_max_log2, 11),
	LIMIT("largest page of a tracker", page_max_log2, 64),
	LIMIT("address width of a tracker", address_bits, 20),
	LIMIT("address width of a tracker", address_bits, 255),
	LIMIT("pages of a tracker", track_pages, 0),
	LIMIT("pages of a query", query_pages, 0),
	LIMIT("pages of a query", query_pages, 63),
};

static void nonsense_in_limits_is_refused(struct kunit *test)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_limits); i++) {
		__le64 value = cpu_to_le64(bad_limits[i].value);
		struct mlxl_caps caps = good_caps();
		const char *field = "";
		u64 seen = 0;

		memcpy((u8 *)&caps + bad_limits[i].offset, &value, bad_limits[i].bytes);
		KUNIT_EXPECT_EQ(test, mlxl_caps_check(&caps, NULL, &field, &seen), -EPROTO);
		KUNIT_EXPECT_STREQ(test, field, bad_limits[i].field);
		KUNIT_EXPECT_EQ(test, seen, bad_limits[i].value);
	}
}

static void another_device_than_before_is_refused(struct kunit *test)
{
	struct mlxl_caps caps = good_caps(), before = good_caps();
	const char *field = "";
	u64 value;

	caps.serial = cpu_to_le64(1);
	KUNIT_EXPECT_EQ(test, mlxl_caps_check(&caps, &before, &field, &value), -EPROTO);
	KUNIT_EXPECT_STREQ(test, field, "serial");
	caps = good_caps();
	caps.functions = cpu_to_le16(1);
	KUNIT_EXPECT_EQ(test, mlxl_caps_check(&caps, &before, &field, &value), -EPROTO);
	KUNIT_EXPECT_STREQ(test, field, "functions");
}

static struct kunit_case mlxl_wire_cases[] = {
	KUNIT_CASE_PARAM(input_is_laid_out_as_the_page_says, size_gen_params),
	KUNIT_CASE_PARAM(output_comes_back_whole, size_gen_params),
	KUNIT_CASE(short_output_is_in_the_mailbox_too),
	KUNIT_CASE(nonsense_of_the_firmware_is_refused),
	KUNIT_CASE(what_does_not_fit_is_not_built),
	KUNIT_CASE(every_status_has_an_errno),
	KUNIT_CASE(limits_that_make_sense_are_taken),
	KUNIT_CASE(nonsense_in_limits_is_refused),
	KUNIT_CASE(another_device_than_before_is_refused),
	{ }
};

static struct kunit_suite mlxl_wire_suite = {
	.name = "mlxl_wire",
	.test_cases = mlxl_wire_cases,
};

kunit_test_suite(mlxl_wire_suite);

MODULE_DESCRIPTION("KUnit suite of mlx5_like firmware commands");
MODULE_LICENSE("GPL");
