// SPDX-License-Identifier: GPL-2.0
/* What the managing controller and users say: variants/nvme_cf/ctrl_wire.c. */
#include <kunit/test.h>

#include "../../variants/nvme_cf/ctrl_wire.c"
#include "../../variants/nvme_cf/identity.h"

/* ---- The identity capability ---- */

static void another_capability_is_no_identity(struct kunit *test)
{
	static const u8 at[] = { NVCF_CAP_LENGTH, NVCF_CAP_TYPE, NVCF_CAP_VERSION };
	u8 cap[NVCF_CAP_BYTES] = { 9, 0, NVCF_CAP_BYTES, NVCF_CAP_TYPE_VALUE, 1,
				   NVCF_ROLE_MIGRATABLE, 0x34, 0x12, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct nvcf_identity id;

	KUNIT_EXPECT_TRUE(test, nvcf_identity_parse(cap, &id));
	KUNIT_EXPECT_EQ(test, id.role, (u8)NVCF_ROLE_MIGRATABLE);
	KUNIT_EXPECT_EQ(test, id.cntlid, (u16)0x1234);
	KUNIT_EXPECT_EQ(test, id.serial, 0x0807060504030201ULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		cap[at[i]]++;
		KUNIT_EXPECT_FALSE(test, nvcf_identity_parse(cap, &id));
		cap[at[i]]--;
	}
}

/* ---- What it can do ---- */

static struct nvs_id_ctrl id;
static u8 page[NVS_IDENTIFY_BYTES];
static const char *why;

static u8 *id_bytes(void)
{
	return (u8 *)&id;
}

/* Versions 1 and 0, two formats of which ours is the second. */
static void good_managing(void)
{
	static const u8 uuid[16] = NVCF_STATE_UUID;

	memset(&id, 0, sizeof(id));
	memset(page, 0, sizeof(page));
	id.oacs = cpu_to_le16(NVS_OACS_HMLMS);
	id_bytes()[NVS_ID_CMMRTD] = 8;
	id_bytes()[NVS_ID_MAXMRTG] = 9;
	id_bytes()[NVS_ID_TRATTR] = NVS_TRATTR_MEMORY | NVS_TRATTR_POWER_OF_TWO;
	page[0] = 2;
	page[1] = 2;
	page[2] = 1;
	memcpy(page + 2 + 4 + 16, uuid, sizeof(uuid));
}

static void what_it_can_do_is_read(struct kunit *test)
{
	struct nvcf_managing m = { .serial = 7 };

	good_managing();
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), 0);
	KUNIT_EXPECT_EQ(test, m.serial, 7ULL);
	KUNIT_EXPECT_EQ(test, m.csvi, (u8)2);
	KUNIT_EXPECT_EQ(test, m.csuuidi, (u8)2);
	KUNIT_EXPECT_TRUE(test, m.tracks);
	KUNIT_EXPECT_TRUE(test, m.pow2_ranges);
	KUNIT_EXPECT_EQ(test, m.ranges, (u16)8);
	KUNIT_EXPECT_EQ(test, m.granule_min, (u8)0);
	KUNIT_EXPECT_EQ(test, m.granule_max, (u8)9);

	page[0] = 0;
	page[1] = 0;
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), 0);
	KUNIT_EXPECT_EQ(test, m.csvi, (u8)0);
	KUNIT_EXPECT_EQ(test, m.csuuidi, (u8)0);
}

static void what_cannot_be_is_refused(struct kunit *test)
{
	struct nvcf_managing m = {};

	good_managing();
	id.oacs = 0;
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), -EOPNOTSUPP);

	/* 255 of each do not fit into the page. */
	good_managing();
	page[0] = 255;
	page[1] = 255;
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), -EPROTO);
	page[1] = (NVS_IDENTIFY_BYTES - 2 - 2 * 255) / 16;
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), 0);
	page[1]++;
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), -EPROTO);

	good_managing();
	id_bytes()[NVS_ID_CMMRTD] = 0;
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), -EPROTO);
	id_bytes()[NVS_ID_TRATTR] = 0;
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), 0);
	KUNIT_EXPECT_FALSE(test, m.tracks);

	good_managing();
	id_bytes()[NVS_ID_MINMRTG] = 10;
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), -EPROTO);
	id_bytes()[NVS_ID_MAXMRTG] = GRANULE_MAX;
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), 0);
	id_bytes()[NVS_ID_MAXMRTG] = GRANULE_MAX + 1;
	KUNIT_EXPECT_EQ(test, nvcf_wire_managing(&id, page, &m, &why), -EPROTO);
}

static void secondary(unsigned int i, u16 scid, u16 pcid)
{
	u8 *s = page + SECONDARY_FIRST + i * sizeof(struct nvs_secondary);

	put_unaligned_le16(scid, s);
	put_unaligned_le16(pcid, s + 2);
}

static void secondaries_are_those_of_the_controller(struct kunit *test)
{
	u16 cntlid[2] = {};

	memset(page, 0, sizeof(page));
	KUNIT_EXPECT_EQ(test, nvcf_wire_secondaries(page, 1, cntlid, 2), 0);
	page[0] = 3;
	secondary(0, 2, 1);
	secondary(1, 3, 9);
	secondary(2, 0xffff, 1);
	KUNIT_EXPECT_EQ(test, nvcf_wire_secondaries(page, 1, cntlid, 2), 2);
	KUNIT_EXPECT_EQ(test, cntlid[0], (u16)2);
	KUNIT_EXPECT_EQ(test, cntlid[1], (u16)0xffff);
	KUNIT_EXPECT_EQ(test, nvcf_wire_secondaries(page, 1, cntlid, 1), -E2BIG);
	secondary(1, 2, 9);
	KUNIT_EXPECT_EQ(test, nvcf_wire_secondaries(page, 1, cntlid, 2), -EPROTO);
	secondary(1, 3, 9);
	secondary(0, 1, 1);
	KUNIT_EXPECT_EQ(test, nvcf_wire_secondaries(page, 1, cntlid, 2), -EPROTO);
	page[0] = 128;
	KUNIT_EXPECT_EQ(test, nvcf_wire_secondaries(page, 1, cntlid, 2), -EPROTO);
}

/* ---- Profiles ---- */

static struct nvcf_profile want, given, back;

static void only_namespaces_with_a_disk_are_given(struct kunit *test)
{
	nvcf_wire_default(&want, 3);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(want.cntlid), (u16)3);
	KUNIT_EXPECT_EQ(test, want.mn[sizeof(want.mn) - 1], (u8)' ');
	want.ns[1].disk = cpu_to_le32(2);
	want.ns[1].eui64[0] = 0x52;
	want.ns[2].eui64[0] = 0x53;
	want.ns[3].disk = cpu_to_le32(1);
	nvcf_wire_pack(&given, &want);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(given.ns[0].nsid), 2U);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(given.ns[0].disk), 2U);
	KUNIT_EXPECT_EQ(test, given.ns[0].eui64[0], (u8)0x52);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(given.ns[1].nsid), 4U);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(given.ns[2].nsid), 0U);

	KUNIT_EXPECT_EQ(test, nvcf_wire_unpack(&back, &given), 0);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(back.ns[0].disk), 0U);
	KUNIT_EXPECT_EQ(test, back.ns[1].eui64[0], (u8)0x52);
	KUNIT_EXPECT_EQ(test, back.ns[2].eui64[0], (u8)0);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(back.ns[3].disk), 1U);
	nvcf_wire_pack(&want, &back);
	KUNIT_EXPECT_EQ(test, memcmp(&want, &given, sizeof(given)), 0);
}

static void namespaces_that_cannot_be_are_found(struct kunit *test)
{
	nvcf_wire_default(&given, 3);
	given.ns[0].nsid = cpu_to_le32(NVCF_MAX_NS + 1);
	KUNIT_EXPECT_EQ(test, nvcf_wire_unpack(&back, &given), -EPROTO);
	given.ns[0].nsid = cpu_to_le32(1);
	given.ns[1].nsid = cpu_to_le32(1);
	KUNIT_EXPECT_EQ(test, nvcf_wire_unpack(&back, &given), -EPROTO);
}

/* ---- PRP ---- */

struct prp_case {
	const char *name;
	u32 bytes;
	u64 prp2;
};

#define BUF	0x100000000ULL
#define LIST	0x200000000ULL

static const struct prp_case prp_cases[] = {
	{ "nothing", 0, 0 },
	{ "a_dword", 4, 0 },
	{ "a_page", 4096, 0 },
	{ "one_more", 4100, BUF + 4096 },
	{ "two_pages", 8192, BUF + 4096 },
	{ "three", 8196, LIST },
	{ "all", NVCF_MAX_DATA, LIST },
};

static void prp_describe(const struct prp_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(prp, prp_cases, prp_describe);

static void a_buffer_is_named(struct kunit *test)
{
	const struct prp_case *c = test->param_value;
	struct nvs_sqe sqe = {};

	nvcf_wire_prp(&sqe, BUF, LIST, c->bytes);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(sqe.prp1), BUF);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(sqe.prp2), c->prp2);
}

static void a_list_has_all_pages_but_the_first(struct kunit *test)
{
	__le64 list[NVCF_MAX_DATA / NVCF_PAGE];

	memset(list, 0xff, sizeof(list));
	nvcf_wire_list(list, BUF, NVCF_MAX_DATA);
	for (unsigned int i = 0; i < ARRAY_SIZE(list) - 1; i++)
		KUNIT_EXPECT_EQ(test, le64_to_cpu(list[i]), BUF + 4096 * (i + 1));
	KUNIT_EXPECT_EQ(test, le64_to_cpu(list[ARRAY_SIZE(list) - 1]), ~0ULL);
}

/* ---- Commands of users ---- */

struct user_case {
	const char *name;
	u8 opcode;
	u32 cdw10;
	u32 cdw11;
	u32 cdw12;
	u32 cdw15;
	u32 count;	/* of ranges in the data */
	u32 data_len;
	int bytes;
	bool about;
};

static const struct user_case user_cases[] = {
	{ "delete_sq", 0x00, .bytes = -EOPNOTSUPP },
	{ "create_sq", 0x01, .bytes = -EOPNOTSUPP },
	{ "delete_cq", 0x04, .bytes = -EOPNOTSUPP },
	{ "create_cq", 0x05, .bytes = -EOPNOTSUPP },
	{ "abort", 0x08, .bytes = -EOPNOTSUPP },
	{ "async_event", 0x0c, .bytes = -EOPNOTSUPP },
	{ "doorbell_buffer", 0x7c, .data_len = 4096, .bytes = -EOPNOTSUPP },
	{ "create_cdq", 0x45, .data_len = 4096, .bytes = -EOPNOTSUPP },
	{ "unknown", 0xff, .bytes = -EOPNOTSUPP },
	{ "identify", 0x06, .cdw10 = 1, .data_len = 4096, .bytes = 4096 },
	{ "identify_short", 0x06, .cdw10 = 1, .data_len = 4092, .bytes = -EINVAL },
	{ "identify_long", 0x06, .cdw10 = 1, .data_len = 8192, .bytes = 4096 },
	{ "log", 0x02, .cdw10 = 127 << 16 | 2, .data_len = 512, .bytes = 512 },
	{ "log_short", 0x02, .cdw10 = 128 << 16 | 2, .data_len = 512, .bytes = -EINVAL },
	{ "log_64k", 0x02, .cdw10 = 0x3fff << 16, .data_len = 65536, .bytes = 65536 },
	{ "log_too_long", 0x02, .cdw10 = 0x4000 << 16, .data_len = 1 << 20, .bytes = -EMSGSIZE },
	{ "log_wraps", 0x02, .cdw10 = 0xffffU << 16, .cdw11 = 0xffff, .bytes = -EMSGSIZE },
	{ "get_feature", 0x0a, .cdw10 = 0x0b },
	{ "get_host_id", 0x0a, .cdw10 = 0x81, .data_len = 16, .bytes = 16 },
	{ "feature_long", 0x0a, .cdw10 = 0x81, .data_len = 65536, .bytes = 4096 },
	{ "set_feature", 0x09, .cdw10 = 0x0b },
	{ "set_queues", 0x09, .cdw10 = 0x07, .bytes = -EOPNOTSUPP },
	{ "set_queues_save", 0x09, .cdw10 = 0x80000007, .bytes = -EOPNOTSUPP },
	{ "set_hmb", 0x09, .cdw10 = 0x0d, .bytes = -EOPNOTSUPP },
	{ "set_cdq", 0x09, .cdw10 = 0x21, .bytes = -EOPNOTSUPP },
	{ "track_user_data", 0x3d, .cdw10 = 0, .bytes = -EOPNOTSUPP },
	{ "track_start", 0x3d, .cdw10 = 1 << 16 | 1, .count = 2, .data_len = 32, .bytes = 32,
	  .about = true },
	{ "track_short", 0x3d, .cdw10 = 1 << 16 | 1, .count = 3, .data_len = 32,
	  .bytes = -EINVAL, .about = true },
	{ "track_no_header", 0x3d, .cdw10 = 1 << 16 | 1, .count = 0, .data_len = 4,
	  .bytes = -EINVAL, .about = true },
	{ "track_wraps", 0x3d, .cdw10 = 1 << 16 | 1, .count = 0x15555555, .data_len = 32,
	  .bytes = -EMSGSIZE, .about = true },
	{ "track_receive", 0x3e, .cdw12 = 1023, .data_len = 4096, .bytes = 4096, .about = true },
	{ "track_receive_wraps", 0x3e, .cdw12 = 0xffffffff, .data_len = 4096,
	  .bytes = -EMSGSIZE, .about = true },
	{ "suspend", 0x41, .cdw10 = 0, .cdw11 = 1 << 16 | 2, .about = true },
	{ "resume", 0x41, .cdw10 = 1, .cdw11 = 2, .cdw15 = 7, .about = true },
	{ "set_state", 0x41, .cdw10 = 3 << 16 | 2, .cdw15 = 166, .data_len = 664, .bytes = 664,
	  .about = true },
	{ "set_state_short", 0x41, .cdw10 = 3 << 16 | 2, .cdw15 = 166, .data_len = 663,
	  .bytes = -EINVAL, .about = true },
	{ "set_state_wraps", 0x41, .cdw10 = 3 << 16 | 2, .cdw15 = 0x40000001, .data_len = 4,
	  .bytes = -EMSGSIZE, .about = true },
	{ "get_state", 0x42, .cdw15 = 165, .data_len = 664, .bytes = 664, .about = true },
	{ "get_state_short", 0x42, .cdw15 = 166, .data_len = 664, .bytes = -EINVAL,
	  .about = true },
	{ "profile_give", 0xc1, .data_len = 4096, .bytes = 4096, .about = true },
	{ "profile_give_short", 0xc1, .data_len = 4095, .bytes = -EINVAL, .about = true },
	{ "profile_remove", 0xc1, .cdw10 = 1, .about = true },
	{ "profile_receive", 0xc2, .data_len = 4096, .bytes = 4096 },
};

static void user_describe(const struct user_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(user, user_cases, user_describe);

static void a_user_sends_what_is_known(struct kunit *test)
{
	const struct user_case *c = test->param_value;
	const struct nvs_sqe sqe = {
		.opcode = c->opcode,
		.cdw10 = cpu_to_le32(c->cdw10),
		.cdw11 = cpu_to_le32(c->cdw11),
		.cdw12 = cpu_to_le32(c->cdw12),
		.cdw15 = cpu_to_le32(c->cdw15),
	};
	/* As long as the user says, that reading more is found. */
	u8 *data = kunit_kzalloc(test, max(c->data_len, 1U), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, data);
	if (c->data_len >= 8)
		put_unaligned_le32(c->count, data + 4);
	KUNIT_EXPECT_EQ(test, nvcf_wire_user_bytes(&sqe, data, c->data_len), c->bytes);
	KUNIT_EXPECT_EQ(test, nvcf_wire_about(&sqe), c->about);
}

static struct kunit_case wire_cases[] = {
	KUNIT_CASE(another_capability_is_no_identity),
	KUNIT_CASE(what_it_can_do_is_read),
	KUNIT_CASE(what_cannot_be_is_refused),
	KUNIT_CASE(secondaries_are_those_of_the_controller),
	KUNIT_CASE(only_namespaces_with_a_disk_are_given),
	KUNIT_CASE(namespaces_that_cannot_be_are_found),
	KUNIT_CASE_PARAM(a_buffer_is_named, prp_gen_params),
	KUNIT_CASE(a_list_has_all_pages_but_the_first),
	KUNIT_CASE_PARAM(a_user_sends_what_is_known, user_gen_params),
	{}
};

static struct kunit_suite wire_suite = {
	.name = "nvcf_ctrl_wire",
	.test_cases = wire_cases,
};

kunit_test_suite(wire_suite);

MODULE_DESCRIPTION("What the managing controller of nvme_cf and its users say");
MODULE_LICENSE("GPL");
