// SPDX-License-Identifier: GPL-2.0
/* Message checks: every field of every request out of range. */
#include "test.h"

static const struct vu_shape shape = {
	.version_done = true,
	.write_multi = true,
	.max_xfer = 4096,
	.region_bytes = { 0, 0x10000, 0x2000, 0, 0x1000, 0, 0, 4096, 0 },
	.irq_count = { 1, 4, 70, 1, 1 },
};

static int parse(uint16_t cmd, const void *data, size_t len, unsigned int fds)
{
	struct vu_req req;

	return vu_req_parse(&shape, cmd, data, len, fds, &req);
}

static void header(void)
{
	struct vu_hdr h = { .size = 16 };

	CHECK_EQ(vu_hdr_check(&h), 0);
	for (uint32_t size = 0; size < 16; size++) {
		h.size = size;
		CHECK_EQ(vu_hdr_check(&h), -EPROTO);
	}
	h.size = 16 + VU_MAX_PAYLOAD;
	CHECK_EQ(vu_hdr_check(&h), 0);
	h.size++;
	CHECK_EQ(vu_hdr_check(&h), -EMSGSIZE);
	h.size = UINT32_MAX;
	CHECK_EQ(vu_hdr_check(&h), -EMSGSIZE);
	h.size = 16;
	for (uint32_t type = 2; type < 16; type++) {
		h.flags = type;
		CHECK_EQ(vu_hdr_check(&h), -EINVAL);
	}
}

static void unknown_commands(void)
{
	static const uint8_t zero[64];

	for (uint32_t cmd = 0; cmd < 65536; cmd++) {
		bool known = (cmd >= VU_VERSION && cmd <= VU_REGION_WRITE) ||
			     cmd == VU_DEVICE_RESET ||
			     (cmd >= VU_REGION_WRITE_MULTI && cmd <= VU_MIG_DATA_WRITE);

		if (!known)
			CHECK_EQ(parse((uint16_t)cmd, zero, 16, 0), -EINVAL);
	}
}

static void before_version(void)
{
	struct vu_shape fresh = shape;
	uint32_t info[4] = { 16 };
	uint8_t version[4] = { 0 };
	struct vu_req req;

	fresh.version_done = false;
	CHECK_EQ(vu_req_parse(&fresh, VU_GET_INFO, info, 16, 0, &req), -EPROTO);
	CHECK_EQ(vu_req_parse(&fresh, VU_DEVICE_RESET, NULL, 0, 0, &req), -EPROTO);
	CHECK_EQ(vu_req_parse(&fresh, VU_VERSION, version, 4, 0, &req), 0);
	CHECK_EQ(parse(VU_VERSION, version, 4, 0), -EINVAL);
	CHECK_EQ(vu_req_parse(&fresh, VU_VERSION, "\0\0\0\0{}", 6, 0, &req), -EINVAL);
	CHECK_EQ(vu_req_parse(&fresh, VU_VERSION, version, 4, 1, &req), -EINVAL);
}

/* Every length but the right one is refused, whatever the content. */
static void lengths(void)
{
	static const struct {
		uint16_t cmd;
		size_t fixed;
		bool exact;
	} rules[] = {
		{ VU_DMA_MAP, 32, true }, { VU_DMA_UNMAP, 24, true }, { VU_GET_INFO, 16, false },
		{ VU_GET_REGION_INFO, 32, false }, { VU_GET_IRQ_INFO, 16, false },
		{ VU_SET_IRQS, 20, false }, { VU_REGION_READ, 16, true },
		{ VU_REGION_WRITE, 16, false }, { VU_REGION_WRITE_MULTI, 8, false },
		{ VU_DEVICE_FEATURE, 8, false }, { VU_VERSION, 4, false },
	};
	uint8_t zero[128] = { 0 };

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		for (size_t len = 0; len < rules[i].fixed; len++)
			CHECK_EQ(parse(rules[i].cmd, zero, len, 0), -EINVAL);
		if (rules[i].exact)
			CHECK_EQ(parse(rules[i].cmd, zero, rules[i].fixed + 1, 0), -EINVAL);
	}
	CHECK_EQ(parse(VU_DEVICE_RESET, zero, 1, 0), -EINVAL);
	CHECK_EQ(parse(VU_DEVICE_RESET, NULL, 0, 0), 0);
	CHECK_EQ(parse(VU_DEVICE_RESET, NULL, 0, 1), -EINVAL);
}

static void dma_map(void)
{
	static const struct {
		struct vu_dma_map_msg m;
		unsigned int fds;
		int want;
	} cases[] = {
		{ { 32, 3, 0, 0x1000, 0x1000 }, 0, 0 },
		{ { 32, 3, 0, 0x1000, 0x1000 }, 1, 0 },
		{ { 32, 3, 0, 0x1000, 0x1000 }, 2, -EINVAL },
		{ { 31, 3, 0, 0x1000, 0x1000 }, 0, -EINVAL },
		{ { 32, 0, 0, 0x1000, 0x1000 }, 0, -EINVAL },
		{ { 32, 0x13, 0, 0x1000, 0x1000 }, 0, -EINVAL },
		{ { 32, 7, 0, 0x1000, 0x1000 }, 0, -EINVAL },
		{ { 32, 7, 0, 0x1000, 0x1000 }, 1, 0 },
		{ { 32, 11, 0, 0x1000, 0x1000 }, 1, 0 },
		{ { 32, 15, 0, 0x1000, 0x1000 }, 1, -EINVAL },
		{ { 32, 3, 0, 0x1000, 0 }, 1, -EINVAL },
		{ { 32, 3, 0, 0x1001, 0x1000 }, 1, -EINVAL },
		{ { 32, 3, 0, 0x1000, 0x1001 }, 1, -EINVAL },
		{ { 32, 3, 5, 0x1000, 0x1000 }, 1, -EINVAL },
		{ { 32, 3, 0, -0x1000ull, 0x1000 }, 1, 0 },
		{ { 32, 3, 0, -0x1000ull, 0x2000 }, 1, -EOVERFLOW },
		{ { 32, 3, -0x1000ull, 0x1000, 0x2000 }, 1, -EOVERFLOW },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_EQ(parse(VU_DMA_MAP, &cases[i].m, 32, cases[i].fds), cases[i].want);
}

static void dma_unmap(void)
{
	static const struct {
		struct vu_dma_unmap_msg m;
		int want;
	} cases[] = {
		{ { 24, 0, 0x1000, 0x1000 }, 0 },
		{ { 23, 0, 0x1000, 0x1000 }, -EINVAL },
		{ { 24, 1, 0x1000, 0x1000 }, -EINVAL },
		{ { 24, 2, 0, 0 }, 0 },
		{ { 24, 2, 0x1000, 0 }, -EINVAL },
		{ { 24, 2, 0, 0x1000 }, -EINVAL },
		{ { 24, 0, 0x1000, 0 }, -EINVAL },
		{ { 24, 0, 0x1001, 0x1000 }, -EINVAL },
		{ { 24, 0, 0x1000, 0x1001 }, -EINVAL },
		{ { 24, 0, -0x1000ull, 0x2000 }, -EOVERFLOW },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_EQ(parse(VU_DMA_UNMAP, &cases[i].m, 24, 0), cases[i].want);
}

static void infos(void)
{
	uint32_t info[8] = { 16 };

	CHECK_EQ(parse(VU_GET_INFO, info, 16, 0), 0);
	info[0] = 15;
	CHECK_EQ(parse(VU_GET_INFO, info, 16, 0), -EINVAL);
	info[0] = 32;
	for (info[2] = 0; info[2] < 9; info[2]++)
		CHECK_EQ(parse(VU_GET_REGION_INFO, info, 32, 0), 0);
	CHECK_EQ(parse(VU_GET_REGION_INFO, info, 32, 0), -EINVAL);
	info[2] = 0;
	info[0] = 31;
	CHECK_EQ(parse(VU_GET_REGION_INFO, info, 32, 0), -EINVAL);
	info[0] = 16;
	for (info[2] = 0; info[2] < 5; info[2]++)
		CHECK_EQ(parse(VU_GET_IRQ_INFO, info, 16, 0), 0);
	CHECK_EQ(parse(VU_GET_IRQ_INFO, info, 16, 0), -EINVAL);
	CHECK_EQ(parse(VU_GET_REGION_IO_FDS, info, 16, 0), -EOPNOTSUPP);
	CHECK_EQ(parse(VU_MIG_DATA_READ, info, 8, 0), -EOPNOTSUPP);
	CHECK_EQ(parse(VU_MIG_DATA_WRITE, info, 8, 0), -EOPNOTSUPP);
}

static void set_irqs(void)
{
	enum { N = 1, B = 2, E = 4, MASK = 8, UNMASK = 16, TRIG = 32 };
	static const struct {
		uint32_t v[5];		/* argsz, flags, index, start, count */
		size_t len;
		unsigned int fds;
		int want;
	} cases[] = {
		{ { 20, E | TRIG, 2, 0, 4 }, 20, 4, 0 },
		{ { 20, E | TRIG, 2, 0, 4 }, 20, 0, 0 },
		{ { 20, E | TRIG, 2, 0, 4 }, 20, 3, -EINVAL },
		{ { 20, E | TRIG, 2, 0, 4 }, 20, 5, -EINVAL },
		{ { 20, E | TRIG, 2, 0, 17 }, 20, 17, -EINVAL },
		{ { 20, N | TRIG, 2, 0, 0 }, 20, 0, 0 },
		{ { 20, N | TRIG, 2, 1, 0 }, 20, 0, -EINVAL },
		{ { 20, N | MASK, 2, 0, 0 }, 20, 0, -EINVAL },
		{ { 20, E | TRIG, 2, 0, 0 }, 20, 0, -EINVAL },
		{ { 20, N | TRIG, 2, 69, 1 }, 20, 0, 0 },
		{ { 20, N | TRIG, 2, 69, 2 }, 20, 0, -EINVAL },
		{ { 20, N | TRIG, 2, 71, 0 }, 20, 0, -EINVAL },
		{ { 20, N | TRIG, 2, 0xffffffff, 2 }, 20, 0, -EINVAL },
		{ { 20, N | TRIG, 2, 1, 0xffffffff }, 20, 0, -EINVAL },
		{ { 20, N | TRIG, 5, 0, 1 }, 20, 0, -EINVAL },
		{ { 19, N | TRIG, 2, 0, 1 }, 20, 0, -EINVAL },
		{ { 20, N | B | TRIG, 2, 0, 1 }, 21, 0, -EINVAL },
		{ { 20, N | TRIG | MASK, 2, 0, 1 }, 20, 0, -EINVAL },
		{ { 20, N, 2, 0, 1 }, 20, 0, -EINVAL },
		{ { 20, TRIG, 2, 0, 1 }, 20, 0, -EINVAL },
		{ { 20, N | TRIG | 64, 2, 0, 1 }, 20, 0, -EINVAL },
		{ { 20, N | TRIG, 2, 0, 1 }, 20, 1, -EINVAL },
		{ { 23, B | TRIG, 2, 0, 3 }, 23, 0, 0 },
		{ { 23, B | TRIG, 2, 0, 3 }, 22, 0, -EINVAL },
	};
	uint8_t buf[64] = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(buf, cases[i].v, 20);
		CHECK_EQ(parse(VU_SET_IRQS, buf, cases[i].len, cases[i].fds), cases[i].want);
	}
}

static void region_access(void)
{
	static const struct {
		struct vu_region_rw_msg m;
		int want;
	} cases[] = {
		{ { 0, 1, 4 }, 0 },
		{ { 0xfffc, 1, 4 }, 0 },
		{ { 0xfffd, 1, 4 }, -EINVAL },
		{ { 0x10000, 1, 1 }, -EINVAL },
		{ { UINT64_MAX, 1, 4 }, -EINVAL },
		{ { 0, 1, 0 }, -EINVAL },
		{ { 0, 1, 4096 }, 0 },
		{ { 0, 1, 4097 }, -EINVAL },
		{ { 0, 1, UINT32_MAX }, -EINVAL },
		{ { 0, 0, 4 }, -EINVAL },
		{ { 0, 8, 1 }, -EINVAL },
		{ { 0, 9, 1 }, -EINVAL },
		{ { 0, UINT32_MAX, 1 }, -EINVAL },
		{ { 4092, 7, 4 }, 0 },
	};
	uint8_t buf[16 + 4096] = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t count = cases[i].m.count;

		CHECK_EQ(parse(VU_REGION_READ, &cases[i].m, 16, 0), cases[i].want);
		if (count > 4096)
			continue;
		memcpy(buf, &cases[i].m, 16);
		CHECK_EQ(parse(VU_REGION_WRITE, buf, 16 + count, 0), cases[i].want);
		CHECK_EQ(parse(VU_REGION_WRITE, buf, 16 + count + 1, 0), -EINVAL);
	}
}

static void write_multi(void)
{
	struct vu_shape off = shape;
	struct vu_write_multi_msg wr = { .region = 1, .count = 8 };
	uint8_t buf[8 + 2 * 24] = { 2 };
	struct vu_req req;

	CHECK_EQ(parse(VU_REGION_WRITE_MULTI, buf, sizeof(buf), 0), 0);
	CHECK_EQ(parse(VU_REGION_WRITE_MULTI, buf, sizeof(buf) - 1, 0), -EINVAL);
	buf[0] = 3;
	CHECK_EQ(parse(VU_REGION_WRITE_MULTI, buf, sizeof(buf), 0), -EINVAL);
	buf[0] = 0;
	CHECK_EQ(parse(VU_REGION_WRITE_MULTI, buf, 8, 0), -EINVAL);
	memset(buf, 0xff, 8);
	CHECK_EQ(parse(VU_REGION_WRITE_MULTI, buf, sizeof(buf), 0), -EINVAL);
	off.write_multi = false;
	buf[0] = 2;
	CHECK_EQ(vu_req_parse(&off, VU_REGION_WRITE_MULTI, buf, sizeof(buf), 0, &req), -EOPNOTSUPP);
	CHECK_EQ(vu_write_multi_check(&shape, &wr), 0);
	wr.count = 9;
	CHECK_EQ(vu_write_multi_check(&shape, &wr), -EINVAL);
}

static void feature(void)
{
	static const struct {
		uint32_t argsz, flags;
		int want;
	} cases[] = {
		{ 8, 1 << 18 | 1, -ENOTTY }, { 8, 1 << 16 | 1, -ENOTTY },
		{ 8, 1 << 17 | 2, -ENOTTY }, { 8, 7 << 16 | 1, -ENOTTY },
		{ 8, 3 << 16 | 1, -EINVAL }, { 8, 1, -EINVAL }, { 7, 1 << 18 | 1, -EINVAL },
		{ 8, 1 << 19 | 1, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_EQ(parse(VU_DEVICE_FEATURE, &cases[i], 8, 0), cases[i].want);
}

static void version(void)
{
	static const struct {
		const char *json;
		int want;
		uint32_t fds, xfer;
		bool multi;
	} cases[] = {
		{ NULL, 0, 1, VU_MAX_XFER, false },
		{ "{}", 0, 1, VU_MAX_XFER, false },
		{ "{\"capabilities\":{}}", 0, 1, VU_MAX_XFER, false },
		{ "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":65536,"
		  "\"write_multiple\":true,\"pgsizes\":4096,\"max_dma_maps\":65535,"
		  "\"migration\":{\"pgsize\":4096}}}", 0, 8, 65536, true },
		{ "{\"capabilities\":{\"max_msg_fds\":0}}", 0, 0, VU_MAX_XFER, false },
		{ "{\"capabilities\":{\"max_msg_fds\":10000000000}}", 0, 16, VU_MAX_XFER, false },
		{ "{\"capabilities\":{\"max_msg_fds\":-1}}", -EINVAL, 0, 0, false },
		{ "{\"capabilities\":{\"max_msg_fds\":\"8\"}}", -EINVAL, 0, 0, false },
		{ "{\"capabilities\":{\"max_data_xfer_size\":8}}", -EINVAL, 0, 0, false },
		{ "{\"capabilities\":{\"pgsizes\":8192}}", -EINVAL, 0, 0, false },
		{ "{\"capabilities\":{\"max_dma_maps\":0}}", -EINVAL, 0, 0, false },
		{ "{\"capabilities\":{\"write_multiple\":1}}", -EINVAL, 0, 0, false },
		{ "{\"capabilities\":[]}", -EINVAL, 0, 0, false },
		{ "[]", -EINVAL, 0, 0, false },
		{ "", -EINVAL, 0, 0, false },
		{ "{", -EINVAL, 0, 0, false },
		{ "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}", -EINVAL,
		  0, 0, false },
	};
	struct vu_version_msg msg = { 0, 3 };
	struct vu_session ses;
	char buf[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_EQ(vu_version_parse(&msg, cases[i].json, &ses), cases[i].want);
		if (cases[i].want)
			continue;
		CHECK_EQ(ses.max_fds, cases[i].fds);
		CHECK_EQ(ses.max_xfer, cases[i].xfer);
		CHECK_EQ(ses.write_multi, cases[i].multi);
		CHECK_EQ(ses.minor, VU_MINOR);
		CHECK(vu_version_format(&ses, buf, sizeof(buf)) > 0);
		CHECK_EQ(vu_version_format(&ses, buf, 10), -ENOSPC);
	}
	msg.major = 1;
	CHECK_EQ(vu_version_parse(&msg, NULL, &ses), -EPROTONOSUPPORT);
}

static const struct test msg_tests[] = {
	{ "msg: header_size_and_type", header },
	{ "msg: unknown_commands_are_refused", unknown_commands },
	{ "msg: nothing_before_version_and_only_once", before_version },
	{ "msg: wrong_lengths_are_refused", lengths },
	{ "msg: dma_map_fields", dma_map },
	{ "msg: dma_unmap_fields", dma_unmap },
	{ "msg: info_requests", infos },
	{ "msg: set_irqs_fields", set_irqs },
	{ "msg: region_access_bounds", region_access },
	{ "msg: write_multi", write_multi },
	{ "msg: device_feature", feature },
	{ "msg: version_capabilities", version },
	{ NULL, NULL },
};

TEST_SUITE(msg_tests);
