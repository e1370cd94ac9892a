// SPDX-License-Identifier: GPL-2.0
/* Capability chains, also of hostile hardware: config_virt/caps.c. */
#include <kunit/test.h>

#include "fake_space.h"

#include "../../config_virt/arrays.c"
#include "../../config_virt/bar.c"
#include "../../config_virt/caps.c"
#include "../../config_virt/engine.c"
#include "../../config_virt/perm.c"
#include "../../config_virt/trap.c"

#define MAX_CAPS 5

/* First pointer, what the hardware has, where the user gets to. */
struct chain_case {
	const char *name;
	u16 first;
	struct {
		u16 pos;
		u16 id;
		u16 next;
	} hw[MAX_CAPS];
	u16 shown[MAX_CAPS];
};

static const struct chain_case std_cases[] = {
	{ "none", 0, { }, { } },
	{ "one", 0x40, { { 0x40, 0x01, 0 } }, { 0x40 } },
	{ "order_is_kept", 0x80, { { 0x80, 0x11, 0x40 }, { 0x40, 0x01, 0 } },
	  { 0x80, 0x40 } },
	{ "hidden_first", 0x40, { { 0x40, 0x0d, 0x50 }, { 0x50, 0x01, 0 } }, { 0x50 } },
	{ "hidden_middle", 0x40,
	  { { 0x40, 0x01, 0x50 }, { 0x50, 0x0d, 0x60 }, { 0x60, 0x11, 0 } },
	  { 0x40, 0x60 } },
	{ "hidden_last", 0x40, { { 0x40, 0x01, 0x50 }, { 0x50, 0x14, 0 } }, { 0x40 } },
	{ "all_hidden", 0x40, { { 0x40, 0x00, 0x50 }, { 0x50, 0x77, 0 } }, { } },
	{ "null_capability", 0x40, { { 0x40, 0x00, 0x50 }, { 0x50, 0x01, 0 } }, { 0x50 } },
	{ "loop_to_itself", 0x40, { { 0x40, 0x01, 0x40 } }, { 0x40 } },
	{ "loop_of_two", 0x40, { { 0x40, 0x01, 0x50 }, { 0x50, 0x11, 0x40 } },
	  { 0x40, 0x50 } },
	{ "loop_of_hidden", 0x40, { { 0x40, 0x0d, 0x50 }, { 0x50, 0x0d, 0x40 } }, { } },
	{ "into_the_header", 0x40, { { 0x40, 0x01, 0x3c } }, { 0x40 } },
	{ "first_in_the_header", 0x10, { }, { } },
	{ "reserved_pointer_bits", 0x43, { { 0x40, 0x01, 0x53 }, { 0x50, 0x11, 0x03 } },
	  { 0x40, 0x50 } },
	{ "pm_at_the_end", 0x40, { { 0x40, 0x11, 0xfc }, { 0xfc, 0x01, 0 } }, { 0x40 } },
	{ "pm_that_fits", 0xf8, { { 0xf8, 0x01, 0 } }, { 0xf8 } },
	{ "msi_cut_by_next", 0x40, { { 0x40, 0x05, 0x48 }, { 0x48, 0x01, 0 } }, { 0x48 } },
	{ "msix_cut_by_earlier_mark", 0x60,
	  { { 0x60, 0x01, 0x58 }, { 0x58, 0x11, 0 } }, { 0x60 } },
	{ "vendor_longer_than_room", 0x40, { { 0x40, 0x09, 0x48 }, { 0x48, 0x01, 0 } },
	  { 0x40, 0x48 } },
	{ "two_pm", 0x40, { { 0x40, 0x01, 0x48 }, { 0x48, 0x01, 0 } }, { 0x40, 0x48 } },
};

static const struct chain_case ext_cases[] = {
	{ "none", 0, { }, { } },
	{ "one", 0, { { 0x100, 0x01, 0 } }, { 0x100 } },
	{ "order_is_kept", 0,
	  { { 0x100, 0x01, 0x300 }, { 0x300, 0x0e, 0x200 }, { 0x200, 0x03, 0 } },
	  { 0x100, 0x300, 0x200 } },
	{ "anchor", 0, { { 0x100, 0x1b, 0x200 }, { 0x200, 0x03, 0 } }, { 0x100, 0x200 } },
	{ "anchor_unknown_id", 0, { { 0x100, 0xfffe, 0x200 }, { 0x200, 0x03, 0 } },
	  { 0x100, 0x200 } },
	{ "anchor_then_hidden", 0,
	  { { 0x100, 0x1b, 0x200 }, { 0x200, 0x2e, 0x300 }, { 0x300, 0x03, 0 } },
	  { 0x100, 0x300 } },
	{ "all_hidden", 0, { { 0x100, 0x1b, 0x200 }, { 0x200, 0x30, 0 } }, { } },
	{ "hidden_last", 0, { { 0x100, 0x01, 0x200 }, { 0x200, 0x1e, 0 } }, { 0x100 } },
	{ "loop_to_itself", 0, { { 0x100, 0x01, 0x100 } }, { 0x100 } },
	{ "loop_of_two", 0, { { 0x100, 0x01, 0x200 }, { 0x200, 0x03, 0x100 } },
	  { 0x100, 0x200 } },
	{ "next_below_100", 0, { { 0x100, 0x01, 0x0fc } }, { 0x100 } },
	{ "reserved_pointer_bits", 0, { { 0x100, 0x01, 0x203 }, { 0x200, 0x0e, 0 } },
	  { 0x100, 0x200 } },
	{ "last_dword", 0, { { 0x100, 0x01, 0xffc }, { 0xffc, 0x0e, 0 } },
	  { 0x100, 0xffc } },
	{ "dsn_at_the_end", 0, { { 0x100, 0x01, 0xff8 }, { 0xff8, 0x03, 0 } }, { 0x100 } },
	{ "aer_cut_by_next", 0, { { 0x100, 0x01, 0x108 }, { 0x108, 0x0e, 0 } },
	  { 0x100, 0x108 } },
};

static void chain_desc(const struct chain_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(std, std_cases, chain_desc);
KUNIT_ARRAY_PARAM(ext, ext_cases, chain_desc);

static struct fake *new_fake(struct kunit *test)
{
	struct fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	fake_bare(f, VCFG_MAX_BYTES);
	return f;
}

static void start(struct kunit *test, struct fake *f)
{
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_ASSERT_NULL(test, f->bad);
}

static void std_chain(struct kunit *test)
{
	const struct chain_case *c = test->param_value;
	struct fake *f = new_fake(test);
	unsigned int pos;

	f->hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	f->hw[PCI_CAPABILITY_LIST] = c->first;
	for (unsigned int i = 0; i < MAX_CAPS && c->hw[i].pos; i++) {
		fake_cap(f, c->hw[i].pos, c->hw[i].id, c->hw[i].next);
		f->hw[c->hw[i].pos + 2] = 0x20;
	}
	start(test, f);
	KUNIT_EXPECT_EQ(test, !!(fake_get(f, PCI_STATUS, 1) & PCI_STATUS_CAP_LIST),
			!!c->shown[0]);
	pos = fake_get(f, PCI_CAPABILITY_LIST, 1);
	for (unsigned int i = 0; i < MAX_CAPS; i++) {
		KUNIT_ASSERT_EQ(test, pos, (unsigned int)c->shown[i]);
		if (!pos)
			break;
		pos = fake_get(f, pos + 1, 1);
	}
}

static void ext_chain(struct kunit *test)
{
	const struct chain_case *c = test->param_value;
	struct fake *f = new_fake(test);
	unsigned int pos;

	for (unsigned int i = 0; i < MAX_CAPS && c->hw[i].pos; i++)
		fake_ext(f, c->hw[i].pos, c->hw[i].id, c->hw[i].next);
	start(test, f);
	pos = fake_get(f, 0x100, 4) ? 0x100 : 0;
	for (unsigned int i = 0; i < MAX_CAPS; i++) {
		KUNIT_ASSERT_EQ(test, pos, (unsigned int)c->shown[i]);
		if (!pos)
			break;
		pos = fake_get(f, pos, 4) >> 20;
	}
}

/* A hidden first extended capability keeps its place without a name. */
static void anchor_has_no_id(struct kunit *test)
{
	struct fake *f = new_fake(test);

	fake_ext(f, 0x100, 0x1b, 0x200);
	fake_ext(f, 0x200, 0x03, 0);
	start(test, f);
	KUNIT_EXPECT_EQ(test, fake_get(f, 0x100, 4), 0x20000000U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, 0x03, true), 0x200U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, 0x1b, true), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, 0, true), 0U);
}

static void hidden_body_is_dead(struct kunit *test)
{
	struct fake *f = new_fake(test);

	fake_ext(f, 0x100, 0x01, 0x140);
	fake_ext(f, 0x140, PCI_EXT_CAP_ID_PASID, 0);
	vcfg_put32(f->hw, 0x144, 0x11223344);
	start(test, f);
	KUNIT_EXPECT_EQ(test, fake_get(f, 0x140, 4), 0U);
	KUNIT_EXPECT_EQ(test, fake_get(f, 0x144, 4), 0U);
	KUNIT_EXPECT_EQ(test, fake_set(f, 0x144, 4, 0xffffffff), 0);
	KUNIT_EXPECT_EQ(test, f->writes, 0U);
	/* Behind it, the device's own bytes. */
	KUNIT_EXPECT_EQ(test, fake_set(f, 0x148, 4, 0x5a5a5a5a), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get32(f->hw, 0x148), 0x5a5a5a5aU);
}

/*
 * Kinds that users do not get, and bytes of them that must not be the device's own.  The
 * next capability is 0x100 bytes behind.
 */
static const struct hidden_case {
	const char *name;
	u16 id;
	bool ext;
	u16 bytes;
} hidden_cases[] = {
	{ "hot_swap", 0x06, false, 4 },
	{ "hot_plug", 0x0c, false, 8 },
	{ "secure_device", 0x0f, false, 0x18 },
	{ "enhanced_allocation", 0x14, false, 0x60 },
	{ "flattening_portal", 0x15, false, 0x24 },
	{ "std_unknown", 0x16, false, 0x60 },
	{ "std_unknown_last", 0xfe, false, 0x60 },
	{ "root_complex_link", 0x05, true, 0x100 },
	{ "multi_root", 0x11, true, 0x100 },
	{ "reserved_amd", 0x14, true, 0x100 },
	{ "lanes_8_gt", 0x19, true, 0x4c },
	{ "protocol_multiplexing", 0x1a, true, 0x100 },
	{ "pasid", 0x1b, true, 8 },
	{ "ln_requester", 0x1c, true, 0x100 },
	{ "dpc", 0x1d, true, 0x100 },
	{ "l1_substates", 0x1e, true, 0x14 },
	{ "ptm", 0x1f, true, 0x0c },
	{ "m_phy", 0x20, true, 0x100 },
	{ "frs_queueing", 0x21, true, 0x100 },
	{ "readiness_time", 0x22, true, 0x100 },
	{ "data_link_feature", 0x25, true, 0x0c },
	{ "lanes_16_gt", 0x26, true, 0x40 },
	{ "lane_margining", 0x27, true, 0x88 },
	{ "hierarchy_id", 0x28, true, 0x100 },
	{ "npem", 0x29, true, 0x10 },
	{ "lanes_32_gt", 0x2a, true, 0x40 },
	{ "alternate_protocol", 0x2b, true, 0x100 },
	{ "firmware_intermediary", 0x2c, true, 0x100 },
	{ "shadow_functions", 0x2d, true, 0x100 },
	{ "data_object_exchange", 0x2e, true, 0x18 },
	{ "device_3", 0x2f, true, 0x10 },
	{ "ide", 0x30, true, 0x100 },
	{ "lanes_64_gt", 0x31, true, 0x30 },
	{ "flit_logging", 0x32, true, 0x100 },
	{ "flit_performance", 0x33, true, 0x100 },
	{ "flit_error_injection", 0x34, true, 0x100 },
	{ "streamlined_vc", 0x35, true, 0x100 },
	{ "register_locator", 0x36, true, 0x100 },
	{ "unknown", 0x37, true, 0x100 },
	{ "unknown_last", 0xfffe, true, 0x100 },
};

static void hidden_desc(const struct hidden_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(hidden, hidden_cases, hidden_desc);

static void hidden_is_out_of_reach(struct kunit *test)
{
	const struct hidden_case *c = test->param_value;
	unsigned int pos = c->ext ? 0x100 : 0x40, next = c->ext ? 0x200 : 0xa0;
	struct fake *f = new_fake(test);

	if (c->ext) {
		fake_ext(f, pos, c->id, next);
		fake_ext(f, next, PCI_EXT_CAP_ID_DSN, 0);
	} else {
		f->hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
		f->hw[PCI_CAPABILITY_LIST] = pos;
		fake_cap(f, pos, c->id, next);
		fake_cap(f, next, PCI_CAP_ID_PM, 0);
	}
	memset(f->hw + pos + 4, 0x5a, next - pos - 4);
	start(test, f);
	for (unsigned int at = pos + (c->ext ? 4 : 2); at < pos + c->bytes; at++) {
		KUNIT_EXPECT_EQ(test, fake_get(f, at, 1), 0U);
		KUNIT_EXPECT_EQ(test, fake_set(f, at, 1, 0xff), 0);
	}
	KUNIT_EXPECT_EQ_MSG(test, f->writes, 0U, "%s", c->name);
	/* Behind it are the device's own bytes, and the next one is found. */
	if (pos + c->bytes < next)
		KUNIT_EXPECT_EQ(test, fake_get(f, pos + c->bytes, 1), 0x5aU);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, c->ext ? 3 : 1, c->ext), next);
}

/* A null capability is a header and nothing else. */
static void null_has_no_body(struct kunit *test)
{
	struct fake *f = new_fake(test);

	fake_ext(f, 0x100, 0, 0x200);
	fake_ext(f, 0x200, PCI_EXT_CAP_ID_DSN, 0);
	f->hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	f->hw[PCI_CAPABILITY_LIST] = 0x40;
	fake_cap(f, 0x40, 0, 0xa0);
	fake_cap(f, 0xa0, PCI_CAP_ID_PM, 0);
	start(test, f);
	KUNIT_EXPECT_EQ(test, fake_set(f, 0x104, 4, 0x12345678), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get32(f->hw, 0x104), 0x12345678U);
	KUNIT_EXPECT_EQ(test, fake_set(f, 0x44, 4, 0x12345678), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get32(f->hw, 0x44), 0x12345678U);
}

/* Both would have the PM trap; the second is for reading only. */
static void second_of_a_kind_is_read_only(struct kunit *test)
{
	struct fake *f = new_fake(test);

	f->hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	f->hw[PCI_CAPABILITY_LIST] = 0x40;
	fake_cap(f, 0x40, PCI_CAP_ID_PM, 0x50);
	fake_cap(f, 0x50, PCI_CAP_ID_PM, 0);
	start(test, f);
	KUNIT_EXPECT_EQ(test, fake_set(f, 0x54, 4, 0xffffffff), 0);
	KUNIT_EXPECT_EQ(test, f->writes + f->powers, 0U);
	KUNIT_EXPECT_EQ(test, fake_set(f, 0x44, 2, 3), 0);
	KUNIT_EXPECT_EQ(test, f->powers, 1U);
}

static void find_follows_the_users_chain(struct kunit *test)
{
	struct fake *f = new_fake(test);

	fake_nic(f);
	start(test, f);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, PCI_CAP_ID_PM, false), 0x40U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, PCI_CAP_ID_EXP, false), 0x80U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, PCI_CAP_ID_SSVID, false), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, 0xff, false), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, PCI_EXT_CAP_ID_DSN, true), 0x150U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, PCI_EXT_CAP_ID_PASID, true), 0U);
}

static void small_space_has_no_extended_chain(struct kunit *test)
{
	struct fake *f = new_fake(test);

	fake_bare(f, VCFG_STD_BYTES);
	start(test, f);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, 1, true), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, 1, false), 0U);
}

/* Bytes of a capability that are not writable, from its registers. */
struct size_case {
	const char *name;
	u16 id;
	bool ext;
	u32 reg0;	/* upper half of the header of a standard one */
	u32 reg1;
	u32 reg2;
	u16 bytes;
};

static const struct size_case size_cases[] = {
	{ "exp_v1", 0x10, false, 0x0001, 0, 0, 0x14 },
	{ "exp_v1_rciep", 0x10, false, 0x0091, 0, 0, 0x0c },
	{ "exp_v2", 0x10, false, 0x0002, 0, 0, 0x3c },
	{ "exp_v2_rciep", 0x10, false, 0x0092, 0, 0, 0x2c },
	{ "exp_v15", 0x10, false, 0x000f, 0, 0, 0x3c },
	{ "pcix_v0", 0x07, false, 0x0000, 0, 0, 8 },
	{ "pcix_v2", 0x07, false, 0x2000, 0, 0, 24 },
	{ "ht_slave", 0x08, false, 0x0000, 0, 0, 28 },
	{ "ht_other", 0x08, false, 0xa000, 0, 0, 24 },
	{ "sata_inline", 0x12, false, 0, 0xf, 0, 16 },
	{ "sata_bar", 0x12, false, 0, 0x4, 0, 8 },
	{ "msix", 0x11, false, 0, 0, 0, 12 },
	{ "agp", 0x02, false, 0, 0, 0, 12 },
	{ "vc", 0x02, true, 0, 0x00, 0x00, 0x1c },
	{ "vc_8_channels", 0x02, true, 0, 0x07, 0x00, 0x70 },
	{ "vc_table", 0x02, true, 0, 0x00, 0x08, 0x60 },
	{ "acs", 0x0d, true, 0, 0x0000, 0, 8 },
	{ "acs_vector_32", 0x0d, true, 0, 0x2020, 0, 12 },
	{ "acs_vector_256", 0x0d, true, 0, 0x0020, 0, 40 },
	{ "rebar_1", 0x15, true, 0, 0, 0x20, 12 },
	{ "rebar_6", 0x15, true, 0, 0, 0xc0, 52 },
	{ "dpa_1", 0x16, true, 0, 0, 0, 20 },
	{ "dpa_32", 0x16, true, 0, 0x1f, 0, 48 },
	{ "tph", 0x17, true, 0, 0, 0, 12 },
	{ "tph_table", 0x17, true, 0, 0x00030200, 0, 20 },
	{ "sriov", 0x10, true, 0, 0, 0, 64 },
	{ "aer", 0x01, true, 0, 0, 0, 0x2c },
};

static void size_desc(const struct size_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(size, size_cases, size_desc);

/* All of it writable, none of it virtual. */
static bool is_raw(const struct vcfg_space *space, unsigned int pos)
{
	return pos >= space->tabled ||
	       (vcfg_get32(space->write, pos) == ~0U && !vcfg_get32(space->virt, pos));
}

static void size_from_registers(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct fake *f = new_fake(test);
	unsigned int pos = c->ext ? 0x100 : 0x40;
	unsigned int raw;

	if (c->ext) {
		fake_ext(f, pos, c->id, 0);
	} else {
		f->hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
		f->hw[PCI_CAPABILITY_LIST] = pos;
		fake_cap(f, pos, c->id, 0);
		vcfg_put16(f->hw, pos + 2, c->reg0);
	}
	vcfg_put32(f->hw, pos + 4, c->reg1);
	vcfg_put32(f->hw, pos + 8, c->reg2);
	start(test, f);
	/* What lies behind it is raw. */
	for (raw = pos + c->bytes; raw < pos + c->bytes + 16; raw += 4)
		KUNIT_EXPECT_TRUE(test, is_raw(&f->space, raw));
	KUNIT_EXPECT_FALSE(test, is_raw(&f->space, pos + c->bytes - 4));
}

/* Hostile: every byte of the space is the same. */
static void constant_spaces(struct kunit *test)
{
	struct fake *f = new_fake(test);

	for (unsigned int byte = 0; byte < 256; byte++) {
		int want = byte == 0xff ? -ENODEV : byte & 0x7f ? -EINVAL : 0;

		fake_bare(f, VCFG_MAX_BYTES);
		memset(f->hw, byte, sizeof(f->hw));
		KUNIT_EXPECT_EQ_MSG(test, fake_init(f), want, "byte %#x", byte);
		KUNIT_EXPECT_NULL(test, f->bad);
		/* The same behind a header that is accepted. */
		fake_bare(f, VCFG_MAX_BYTES);
		memset(f->hw + VCFG_HEADER, byte, VCFG_MAX_BYTES - VCFG_HEADER);
		f->hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
		f->hw[PCI_CAPABILITY_LIST] = 0x40;
		KUNIT_EXPECT_EQ_MSG(test, fake_init(f), 0, "byte %#x", byte);
		KUNIT_EXPECT_NULL(test, f->bad);
		KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, 0xfff0, true), 0U);
		KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, 0xfff0, false), 0U);
	}
}

/* A chain through every dword there is. */
static void longest_chains(struct kunit *test)
{
	struct fake *f = new_fake(test);
	unsigned int pos, num = 0;

	f->hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	f->hw[PCI_CAPABILITY_LIST] = 0x40;
	for (pos = 0x40; pos < 0x100; pos += 4)
		fake_cap(f, pos, PCI_CAP_ID_VNDR, pos + 4);
	for (pos = 0x100; pos < VCFG_MAX_BYTES; pos += 4)
		fake_ext(f, pos, PCI_EXT_CAP_ID_ARI, (pos + 4) & 0xfff);
	start(test, f);
	for (pos = fake_get(f, PCI_CAPABILITY_LIST, 1); pos; pos = fake_get(f, pos + 1, 1))
		num++;
	KUNIT_EXPECT_EQ(test, num, 48U);
	for (num = 0, pos = 0x100; pos; pos = fake_get(f, pos, 4) >> 20)
		num++;
	KUNIT_EXPECT_EQ(test, num, 960U);
}

static struct kunit_case caps_tests[] = {
	KUNIT_CASE_PARAM(std_chain, std_gen_params),
	KUNIT_CASE_PARAM(ext_chain, ext_gen_params),
	KUNIT_CASE(anchor_has_no_id),
	KUNIT_CASE(hidden_body_is_dead),
	KUNIT_CASE_PARAM(hidden_is_out_of_reach, hidden_gen_params),
	KUNIT_CASE(null_has_no_body),
	KUNIT_CASE(second_of_a_kind_is_read_only),
	KUNIT_CASE(find_follows_the_users_chain),
	KUNIT_CASE(small_space_has_no_extended_chain),
	KUNIT_CASE_PARAM(size_from_registers, size_gen_params),
	KUNIT_CASE(constant_spaces),
	KUNIT_CASE(longest_chains),
	{}
};

static struct kunit_suite caps_suite = {
	.name = "vcfg_caps",
	.test_cases = caps_tests,
};

kunit_test_suite(caps_suite);

MODULE_DESCRIPTION("Capability chains of the config space engine");
MODULE_LICENSE("GPL");
