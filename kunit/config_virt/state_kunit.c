// SPDX-License-Identifier: GPL-2.0
/* Config space in the stream: config_virt/view.c, state.c and words.c. */
#include <kunit/test.h>

#include "fake_shown.h"

#include "../../config_virt/arrays.c"
#include "../../config_virt/bar.c"
#include "../../config_virt/caps.c"
#include "../../config_virt/engine.c"
#include "../../config_virt/perm.c"
#include "../../config_virt/persona.c"
#include "../../config_virt/persona_bar.c"
#include "../../config_virt/persona_cap.c"
#include "../../config_virt/persona_field.c"
#include "../../config_virt/persona_fit.c"
#include "../../config_virt/persona_format.c"
#include "../../config_virt/persona_seen.c"
#include "../../config_virt/persona_space.c"
#include "../../config_virt/state.c"
#include "../../config_virt/trap.c"
#include "../../config_virt/view.c"
#include "../../config_virt/words.c"

static struct shown *new_shown(struct kunit *test)
{
	struct shown *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	shown_device(s);
	return s;
}

/* A NIC without a persona. */
static struct shown *new_nic(struct kunit *test)
{
	struct shown *s = new_shown(test);

	fake_nic(&s->dev);
	s->dev.desc.view = true;
	return s;
}

static int nic_build(struct shown *s)
{
	int err = fake_init(&s->dev);

	return err ? err : vcfg_view_build(&s->dev.space);
}

/* What of the NIC of fake_space.h matters, byte by byte. */
struct differs {
	const char *name;
	u16 pos;
	u8 val;		/* of the hardware, at the other device */
	bool refused;
};

static const struct differs differ_cases[] = {
	{ "vendor", PCI_VENDOR_ID, 0x35, true },
	{ "device", PCI_DEVICE_ID + 1, 0x57, true },
	{ "command", PCI_COMMAND, 0x00, false },
	{ "status_error", PCI_STATUS + 1, 0x20, false },
	{ "status_devsel", PCI_STATUS + 1, 0x02, true },
	{ "status_interrupt", PCI_STATUS, 0x18, false },
	{ "revision", PCI_CLASS_REVISION, 0x04, true },
	{ "class", PCI_CLASS_DEVICE, 0x80, true },
	{ "cache_line", PCI_CACHE_LINE_SIZE, 0x08, false },
	{ "bist", PCI_BIST, 0x00, false },
	{ "bar_address", PCI_BASE_ADDRESS_0 + 3, 0xf1, false },
	{ "bar_prefetchable", PCI_BASE_ADDRESS_0, 0x04, true },
	{ "subsystem", PCI_SUBSYSTEM_ID, 0xce, true },
	{ "line", PCI_INTERRUPT_LINE, 0x0a, false },
	{ "pin", PCI_INTERRUPT_PIN, 0x02, true },
	{ "pm_version", 0x42, 0x02, true },
	{ "pm_pme", 0x43, 0x48, false },
	{ "pm_state", 0x44, 0x09, false },
	{ "pm_status", 0x45, 0x01, false },
	{ "msi_vectors", 0x52, 0x88, true },
	{ "msi_enable", 0x52, 0x8b, false },
	{ "msi_mask", 0x60, 0x01, false },
	{ "hidden_body", 0x74, 0x12, false },
	{ "exp_version", 0x82, 0x12, true },
	{ "exp_devcap", 0x84, 0x01, true },
	{ "exp_control", 0x88, 0x3f, false },
	{ "exp_status", 0x8a, 0x0f, false },
	{ "exp_link_cap", 0x8c, 0x01, true },
	{ "exp_link_control", 0x90, 0x40, false },
	{ "exp_link_status", 0x92, 0x43, false },
	{ "exp_link_cap_2", 0xac, 0x0e, true },
	{ "msix_vectors", 0xc2, 0x0f, true },
	{ "msix_enable", 0xc3, 0x80, false },
	{ "msix_table", 0xc5, 0x10, true },
	{ "vendor_bytes", 0xf5, 0x10, true },
	{ "own_bytes", 0xfc, 0x10, true },
	{ "aer_status", 0x104, 0x10, false },
	{ "aer_ecrc", 0x118, 0xa0, true },
	{ "aer_pointer", 0x118, 0x14, false },
	{ "serial_number", 0x154, 0x45, true },
	{ "sriov_control", 0x168, 0x01, false },
	{ "extended_vendor", 0x208, 0x01, true },
};

static void differs_desc(const struct differs *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(differs, differ_cases, differs_desc);

static void byte_decides(struct kunit *test)
{
	const struct differs *c = test->param_value;
	struct shown *s = new_nic(test);
	u8 want;
	int bytes;

	KUNIT_ASSERT_EQ(test, nic_build(s), 0);
	bytes = vcfg_view_write(&s->dev.space, s->buf, sizeof(s->buf));
	KUNIT_ASSERT_GE(test, bytes, 8);
	KUNIT_EXPECT_EQ(test, vcfg_view_check(&s->dev.space, s->buf, bytes, &s->diff), 0);
	want = s->dev.space.seen[c->pos];

	s->dev.hw[c->pos] = c->val;
	KUNIT_ASSERT_EQ(test, nic_build(s), 0);
	KUNIT_ASSERT_EQ(test, vcfg_view_check(&s->dev.space, s->buf, bytes, &s->diff),
			c->refused ? -EOPNOTSUPP : 0);
	if (!c->refused)
		return;
	KUNIT_EXPECT_EQ(test, s->diff.pos, (unsigned int)c->pos);
	KUNIT_EXPECT_EQ(test, s->diff.got, (u32)want);
	KUNIT_EXPECT_EQ(test, s->diff.want, (u32)s->dev.space.seen[c->pos]);
}

/* What the user does in between is not a difference; nor is what the device does. */
static void use_does_not_matter(struct kunit *test)
{
	struct shown *s = new_nic(test);
	u8 *before = kunit_kzalloc(test, VPV_CONFIG_MAX_BYTES, GFP_KERNEL);
	int bytes;

	KUNIT_ASSERT_NOT_NULL(test, before);
	KUNIT_ASSERT_EQ(test, nic_build(s), 0);
	bytes = vcfg_view_write(&s->dev.space, before, VPV_CONFIG_MAX_BYTES);
	for (unsigned int pos = 0; pos < VCFG_MAX_BYTES; pos += 4)
		fake_set(&s->dev, pos, 4, 0x5aa55aa5);
	KUNIT_EXPECT_EQ(test, vcfg_view_write(&s->dev.space, s->buf, sizeof(s->buf)), bytes);
	KUNIT_EXPECT_EQ(test, memcmp(before, s->buf, bytes), 0);
}

static void bar_size_matters(struct kunit *test)
{
	struct shown *s = new_nic(test);
	int bytes;

	KUNIT_ASSERT_EQ(test, nic_build(s), 0);
	bytes = vcfg_view_write(&s->dev.space, s->buf, sizeof(s->buf));
	s->dev.desc.bar_bytes[0] *= 2;
	KUNIT_ASSERT_EQ(test, nic_build(s), 0);
	KUNIT_EXPECT_EQ(test, vcfg_view_check(&s->dev.space, s->buf, bytes, &s->diff),
			-EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, s->diff.field, "size of a BAR in config space");
	KUNIT_EXPECT_EQ(test, s->diff.pos, PCI_BASE_ADDRESS_0 + 2U);
	KUNIT_EXPECT_EQ(test, s->diff.want, 0xe0U);
	KUNIT_EXPECT_EQ(test, s->diff.got, 0xf0U);
}

/* Two devices whose chains, revisions and vendor bytes differ, under one persona. */
static void persona_makes_them_alike(struct kunit *test)
{
	struct shown *a = new_shown(test), *b = new_shown(test);
	u8 *hw = b->dev.hw;
	int bytes;

	hw[PCI_CLASS_REVISION] = 0x09;
	/* The serial number first, the vendor's own behind it. */
	memmove(hw + 0x300, hw + 0x100, 16);
	vcfg_put32(hw, 0x300, 0x0001000b);
	vcfg_put32(hw, 0x100, 0x30010003);
	b->dev.desc.bar_bytes[2] *= 2;
	KUNIT_ASSERT_EQ(test, shown_build(a), 0);
	KUNIT_ASSERT_EQ(test, shown_build(b), 0);
	bytes = vcfg_view_write(&a->dev.space, a->buf, sizeof(a->buf));
	KUNIT_EXPECT_EQ(test, vcfg_view_check(&b->dev.space, a->buf, bytes, &b->diff), 0);
	/* Bytes that the persona takes from the hardware still count. */
	vcfg_put32(hw, 0x308, 0);
	KUNIT_ASSERT_EQ(test, shown_build(b), 0);
	KUNIT_EXPECT_EQ(test, vcfg_view_check(&b->dev.space, a->buf, bytes, &b->diff),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, b->diff.pos, 0x208U);
	/* What a callback answers does not. */
	a->mailbox = 0;
	KUNIT_ASSERT_EQ(test, shown_build(a), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get32(a->dev.space.known, 0x98), 0U);
}

static void state_migrates(struct kunit *test)
{
	struct shown *a = new_shown(test), *b = new_shown(test);
	int bytes;

	KUNIT_ASSERT_EQ(test, shown_build(a), 0);
	KUNIT_ASSERT_EQ(test, shown_build(b), 0);
	fake_set(&a->dev, PCI_CACHE_LINE_SIZE, 1, 0x77);
	fake_set(&a->dev, PCI_INTERRUPT_LINE, 1, 0x0b);
	fake_set(&a->dev, 0x94, 4, 0x0c);
	bytes = vcfg_state_write(&a->dev.space, a->buf, sizeof(a->buf));
	KUNIT_EXPECT_GE(test, bytes, 8 + 3 * 12);
	KUNIT_EXPECT_EQ(test, vcfg_state_load(&b->dev.space, a->buf, bytes, &b->diff), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&b->dev, PCI_CACHE_LINE_SIZE, 1), 0x77U);
	KUNIT_EXPECT_EQ(test, fake_get(&b->dev, PCI_INTERRUPT_LINE, 1), 0x0bU);
	KUNIT_EXPECT_EQ(test, fake_get(&b->dev, 0x94, 4), 0x0cU);
	KUNIT_EXPECT_EQ(test, b->dev.writes, 0U);
	KUNIT_EXPECT_EQ(test, vcfg_state_write(&a->dev.space, a->buf, bytes - 1), -ENOSPC);
}

/* What a guest writes to registers that no persona emulates, and what it reads elsewhere. */
static const struct {
	const char *name;
	u16 pos;
	u8 bytes;
	u32 val;
	u32 kept;	/* on the other device */
} written[] = {
	{ "cache_line", PCI_CACHE_LINE_SIZE, 1, 0x20, 0x20 },
	{ "latency", PCI_LATENCY_TIMER, 1, 0x80, 0x80 },
	{ "bar", PCI_BASE_ADDRESS_0, 4, 0xc0000000, 0xc000000c },
	{ "bar_upper", PCI_BASE_ADDRESS_1, 4, 0x00000123, 0x00000123 },
	{ "rom", PCI_ROM_ADDRESS, 4, 0xd0000001, 0xd0000001 },
	{ "line", PCI_INTERRUPT_LINE, 1, 0x0e, 0x0e },
	{ "pm_data_select", 0x44, 2, 0x1400, 0x1408 },
	{ "msi_vectors", 0x52, 2, 0x0030, 0x01ba },
	{ "msi_address", 0x54, 4, 0xfee01000, 0xfee01000 },
	{ "msi_upper", 0x58, 4, 0x00000001, 0x00000001 },
	{ "msi_data", 0x5c, 2, 0x4021, 0x4021 },
	{ "msi_mask", 0x60, 4, 0x00000005, 0x00000005 },
	{ "device_control", 0x88, 2, 0x5000, 0x5000 },
	{ "device_control_2", 0xa8, 2, 0x0016, 0x0016 },
	{ "vpd_address", 0xe2, 2, 0x0004, 0x8004 },
	{ "vpd_data", 0xe4, 4, 0x12345678, 0x12345678 },
	{ "aer_uncorrectable_mask", 0x108, 4, 0x00100010, 0x00100010 },
	{ "aer_severity", 0x10c, 4, 0x00462010, 0x00462010 },
	{ "aer_correctable_mask", 0x114, 4, 0x00002001, 0x00002001 },
	{ "aer_ecrc", 0x118, 4, 0x00000140, 0x000001e0 },
};

/* The registers of the NIC that are only memory in fake_nic(). */
static struct shown *new_guest(struct kunit *test)
{
	struct shown *s = new_nic(test);

	fake_reg(&s->dev, 0x60, 4, 0, ~0U, 0);
	fake_reg(&s->dev, 0x118, 4, 0x000000a0, 0x00000140, 0);
	fake_reg(&s->dev, PCI_LATENCY_TIMER, 1, 0, 0xff, 0);
	KUNIT_ASSERT_EQ(test, nic_build(s), 0);
	return s;
}

static void what_a_guest_wrote_migrates(struct kunit *test)
{
	struct shown *a = new_guest(test), *b = new_guest(test);
	int bytes;

	for (size_t i = 0; i < ARRAY_SIZE(written); i++)
		KUNIT_ASSERT_EQ(test, fake_set(&a->dev, written[i].pos, written[i].bytes,
					       written[i].val), 0);
	bytes = vcfg_state_write(&a->dev.space, a->buf, sizeof(a->buf));
	KUNIT_EXPECT_GE(test, bytes, 9);
	KUNIT_ASSERT_EQ(test, vcfg_state_load(&b->dev.space, a->buf, bytes, &b->diff), 0);
	for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
		u32 here = fake_get(&a->dev, written[i].pos, written[i].bytes);
		u32 there = fake_get(&b->dev, written[i].pos, written[i].bytes);

		KUNIT_EXPECT_EQ_MSG(test, here, written[i].kept, "%s", written[i].name);
		KUNIT_EXPECT_EQ_MSG(test, there, written[i].kept, "%s", written[i].name);
	}
	KUNIT_EXPECT_EQ(test, b->dev.vpds + b->dev.flrs + b->dev.powers + b->dev.commands, 0U);
}

/* One change of the state's bytes: of the head, or of the word for the dword @word. */
struct hostile {
	const char *name;
	u16 word;
	u8 at;
	u8 val;
	int err;
	const char *what;
	unsigned int pos;
};

#define HEAD		0xffff
#define IN(m)		offsetof(struct vpv_stream_word, m)
#define NOWHERE		VCFG_NOWHERE

static const struct hostile hostile_cases[] = {
	{ "size", HEAD, 1, 0x01, -EOPNOTSUPP, "size of config space", NOWHERE },
	{ "version", HEAD, 2, 0x02, -EPROTONOSUPPORT, "version of a config space record",
	  NOWHERE },
	{ "words", HEAD, 4, 2, -EINVAL, "number of dwords of config space", NOWHERE },
	{ "words_huge", HEAD, 7, 0xff, -EINVAL, "number of dwords of config space", NOWHERE },
	{ "unaligned", 0x0c, IN(pos), 0x0d, -EINVAL, "place of a dword of config space",
	  NOWHERE },
	{ "beyond", 0x94, IN(pos) + 1, 0x10, -EINVAL, "place of a dword of config space",
	  NOWHERE },
	{ "not_ascending", 0x3c, IN(pos), 0x0c, -EINVAL, "place of a dword of config space",
	  NOWHERE },
	{ "reserved", 0x3c, IN(reserved), 1, -EINVAL, "reserved field of a dword", 0x3c },
	{ "outside_mask", 0x0c, IN(value) + 1, 1, -EINVAL, "bits outside the mask", 0x0c },
	{ "other_place", 0x0c, IN(pos), 0x10, -EINVAL, "emulated bits of config space", 0x0c },
	{ "other_mask", 0x3c, IN(mask) + 1, 1, -EINVAL,
	  "bits of config space that are no state", 0x3c },
	{ "missing_mask", 0x3c, IN(mask), 0x7f, -EINVAL, "emulated bits of config space", 0x3c },
	{ "not_writable", 0x94, IN(value) + 1, 1, -EINVAL,
	  "emulated bits that nobody can write", 0x94 },
	{ "command", 0x0c, IN(pos), 0x04, -EINVAL, "bits of config space that are no state",
	  0x04 },
	{ "flr", 0x48, IN(mask) + 1, 0xff, -EINVAL, "bits of config space that are no state",
	  0x48 },
	{ "device_status", 0x48, IN(mask) + 2, 0x01, -EINVAL,
	  "bits of config space that are no state", 0x48 },
	{ "bar_size", 0x18, IN(mask), 0xf0, -EINVAL, "bits of config space that are no state",
	  0x18 },
	{ "msix_enable", 0x94, IN(pos), 0x80, -EINVAL,
	  "bits of config space that are no state", 0x80 },
	{ "callback", 0x94, IN(pos), 0x98, -EINVAL, "emulated bits of config space", 0x94 },
};

static void hostile_desc(const struct hostile *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(hostile, hostile_cases, hostile_desc);

/* Where the word for the dword at @pos is in @bytes bytes of payload. */
static unsigned int word_of(struct kunit *test, const struct shown *s, int bytes,
			    unsigned int pos)
{
	u32 val, mask;

	for (unsigned int i = 0; i < vcfg_words_num(bytes); i++) {
		unsigned int at;

		vcfg_words_get(s->buf, i, &at, &val, &mask);
		if (at == pos)
			return 8 + 12 * i;
	}
	KUNIT_FAIL(test, "no word for %#x", pos);
	return 8;
}

static void hostile_state(struct kunit *test)
{
	const struct hostile *c = test->param_value;
	struct shown *s = new_shown(test);
	unsigned int at, control;
	int bytes;

	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	bytes = vcfg_state_write(&s->dev.space, s->buf, sizeof(s->buf));
	at = c->at + (c->word == HEAD ? 0 : word_of(test, s, bytes, c->word));
	/* Changes that would be seen if a part of it was taken. */
	control = word_of(test, s, bytes, 0x48) + IN(value);
	KUNIT_ASSERT_GE(test, bytes, (int)control + 4);
	s->buf[word_of(test, s, bytes, 0x0c) + IN(value)] = 0x99;
	s->buf[control] ^= 0x0f;
	s->buf[at] = c->val;
	KUNIT_EXPECT_EQ(test, vcfg_state_load(&s->dev.space, s->buf, bytes, &s->diff),
			c->err);
	KUNIT_ASSERT_NOT_NULL(test, s->diff.field);
	KUNIT_EXPECT_STREQ(test, s->diff.field, c->what);
	KUNIT_EXPECT_EQ(test, s->diff.pos, c->pos);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, PCI_CACHE_LINE_SIZE, 1), 0x10U);
	KUNIT_EXPECT_EQ(test, s->dev.writes, 0U);
}

static void cut_payloads(struct kunit *test)
{
	struct shown *s = new_shown(test);
	int bytes;

	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	bytes = vcfg_state_write(&s->dev.space, s->buf, sizeof(s->buf));
	for (int n = 0; n < bytes; n++)
		KUNIT_EXPECT_EQ(test, vcfg_state_load(&s->dev.space, s->buf, n, &s->diff),
				-EINVAL);
	bytes = vcfg_view_write(&s->dev.space, s->buf, sizeof(s->buf));
	for (int n = 0; n < bytes; n += 7)
		KUNIT_EXPECT_EQ(test, vcfg_view_check(&s->dev.space, s->buf, n, &s->diff),
				-EINVAL);
}

/* As writers of version 0 did: only what a persona emulates, or nothing. */
static void older_state(struct kunit *test)
{
	struct shown *s = new_shown(test), *nic = new_nic(test);
	struct vcfg_words w;
	int bytes;

	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	vcfg_words_begin(&w, 0, s->buf, sizeof(s->buf));
	vcfg_words_put(&w, 0x0c, 0x77, 0xff);
	vcfg_words_put(&w, 0x3c, 0x0b, 0xff);
	vcfg_words_put(&w, 0x94, 0x09, ~0U);
	bytes = vcfg_words_end(&w, VCFG_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, vcfg_state_load(&s->dev.space, s->buf, bytes, &s->diff), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, PCI_CACHE_LINE_SIZE, 1), 0x77U);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x94, 4), 0x09U);
	KUNIT_EXPECT_EQ(test, s->dev.writes, 0U);
	KUNIT_EXPECT_TRUE(test, vcfg_state_needed(&s->dev.space));

	/* It had no other state. */
	vcfg_words_begin(&w, 0, s->buf, sizeof(s->buf));
	vcfg_words_put(&w, 0x0c, 0x77, 0xff);
	vcfg_words_put(&w, 0x3c, 0x0b, 0xff);
	vcfg_words_put(&w, 0x48, 0, 0x1f);
	vcfg_words_put(&w, 0x94, 0x05, ~0U);
	bytes = vcfg_words_end(&w, VCFG_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, vcfg_state_load(&s->dev.space, s->buf, bytes, &s->diff), -EINVAL);
	KUNIT_EXPECT_EQ(test, s->diff.pos, 0x48U);

	/* And none without a persona. */
	KUNIT_ASSERT_EQ(test, nic_build(nic), 0);
	KUNIT_EXPECT_FALSE(test, vcfg_state_needed(&nic->dev.space));
	vcfg_words_begin(&w, 0, nic->buf, sizeof(nic->buf));
	vcfg_words_put(&w, 0x0c, 0x77, 0xff);
	bytes = vcfg_words_end(&w, VCFG_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, vcfg_state_load(&nic->dev.space, nic->buf, bytes, &nic->diff),
			-EINVAL);
}

/* What is there already is not written; what needs no effect has none. */
static void own_state_changes_nothing(struct kunit *test)
{
	struct shown *s = new_guest(test);
	int bytes = vcfg_state_write(&s->dev.space, s->buf, sizeof(s->buf));

	KUNIT_ASSERT_GE(test, bytes, 9);
	KUNIT_ASSERT_EQ(test, vcfg_state_load(&s->dev.space, s->buf, bytes, &s->diff), 0);
	KUNIT_EXPECT_EQ(test, s->dev.writes, 0U);
	KUNIT_EXPECT_EQ(test, s->dev.vpds + s->dev.flrs + s->dev.powers + s->dev.commands, 0U);
}

/* Bits beside those that are taken over: errors, the D state, MSI that is on. */
static void other_bits_stay(struct kunit *test)
{
	struct shown *a = new_guest(test), *b = new_guest(test);
	int bytes;

	fake_set(&a->dev, 0x44, 2, 0x0200);
	fake_set(&a->dev, 0x52, 2, 0x0010);
	fake_set(&a->dev, 0x88, 2, 0x2930);
	fake_set(&a->dev, 0x9c, 4, 0);
	bytes = vcfg_state_write(&a->dev.space, a->buf, sizeof(a->buf));
	KUNIT_ASSERT_GE(test, bytes, 9);

	vcfg_put16(b->dev.hw, 0x44, 0x810b);
	vcfg_put16(b->dev.hw, 0x8a, 0x000f);
	b->dev.irq = VCFG_IRQ_MSI;
	b->dev.vectors = 4;
	fake_set(&b->dev, 0x52, 2, 0x0021);
	KUNIT_ASSERT_EQ(test, vcfg_state_load(&b->dev.space, a->buf, bytes, &b->diff), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get16(b->dev.hw, 0x44), 0x830b);
	KUNIT_EXPECT_EQ(test, b->dev.powers, 0U);
	KUNIT_EXPECT_EQ(test, vcfg_get16(b->dev.hw, 0x8a), 0x000f);
	KUNIT_EXPECT_EQ(test, b->dev.flrs, 0U);
	KUNIT_EXPECT_EQ(test, fake_get(&b->dev, 0x52, 2) & 0x71, 0x11U);
	KUNIT_EXPECT_EQ(test, b->dev.vpds, 0U);
	KUNIT_EXPECT_EQ(test, b->dev.commands, 0U);
}

/* A bit that this host keeps for itself is left out, as in a write of the user. */
static void kept_bits_stay(struct kunit *test)
{
	struct shown *a = new_guest(test), *b = new_nic(test);
	int bytes;

	fake_set(&a->dev, 0x88, 2, 0x5110);
	bytes = vcfg_state_write(&a->dev.space, a->buf, sizeof(a->buf));
	b->dev.desc.kept[VCFG_KEPT_DEVCTL] = PCI_EXP_DEVCTL_RELAX_EN;
	b->dev.readrq_max = 1024;
	vcfg_put16(b->dev.hw, 0x88, 0x2820);
	KUNIT_ASSERT_EQ(test, nic_build(b), 0);
	KUNIT_ASSERT_EQ(test, vcfg_state_load(&b->dev.space, a->buf, bytes, &b->diff), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&b->dev, 0x88, 2), 0x5100U);
	KUNIT_EXPECT_EQ(test, vcfg_get16(b->dev.hw, 0x88), 0x2120);
}

/* Whatever fails ends the migration, and is told. */
static void errors_of_the_device(struct kunit *test)
{
	struct shown *a = new_guest(test);
	unsigned int n = 0;
	int bytes, err;

	for (size_t i = 0; i < ARRAY_SIZE(written); i++)
		fake_set(&a->dev, written[i].pos, written[i].bytes, written[i].val);
	do {
		a->dev.fail_nth = ++n;
		a->dev.failed = false;
		bytes = vcfg_state_write(&a->dev.space, a->buf, sizeof(a->buf));
		KUNIT_EXPECT_EQ(test, bytes < 0, a->dev.failed);
	} while (bytes < 0 && n < 100);
	KUNIT_EXPECT_GE(test, n, 8U);
	a->dev.fail_nth = 0;
	for (n = 1, err = -EIO; err && n < 100; n++) {
		struct shown *b = new_guest(test);

		b->dev.fail_nth = n;
		err = vcfg_state_load(&b->dev.space, a->buf, bytes, &b->diff);
		KUNIT_EXPECT_EQ(test, !!err, b->dev.failed);
		if (err)
			KUNIT_EXPECT_NOT_NULL(test, b->diff.field);
	}
	KUNIT_EXPECT_GE(test, n, 20U);
	memset(a->dev.hw, 0xff, sizeof(a->dev.hw));
	KUNIT_EXPECT_EQ(test, vcfg_state_write(&a->dev.space, a->buf, sizeof(a->buf)), -EIO);
	KUNIT_EXPECT_EQ(test, vcfg_state_load(&a->dev.space, a->buf, bytes, &a->diff), -EIO);
}

/* What is read of a function that has gone is ones, and no error. */
static void gone_while_it_is_saved(struct kunit *test)
{
	struct shown *a = new_guest(test);
	u8 *good = kunit_kzalloc(test, sizeof(a->buf), GFP_KERNEL);
	int bytes = vcfg_state_write(&a->dev.space, good, sizeof(a->buf));
	unsigned int n = 0;

	KUNIT_ASSERT_GE(test, bytes, 1);
	do {
		int ret;

		a->dev.gone = false;
		a->dev.gone_nth = ++n;
		ret = vcfg_state_write(&a->dev.space, a->buf, sizeof(a->buf));
		if (a->dev.gone)
			KUNIT_EXPECT_EQ_MSG(test, ret, -EIO, "gone from read %u on", n);
		else
			KUNIT_EXPECT_EQ(test, ret, bytes);
	} while (a->dev.gone && n < 100);
	KUNIT_EXPECT_GE(test, n, 8U);
	KUNIT_EXPECT_MEMEQ(test, a->buf, good, bytes);
}

static void largest_view(struct kunit *test)
{
	struct shown *s = new_shown(test);

	fake_bare(&s->dev, VCFG_MAX_BYTES);
	s->dev.desc.view = true;
	memset(s->dev.hw + VCFG_HEADER, 0x77, VCFG_MAX_BYTES - VCFG_HEADER);
	vcfg_put32(s->dev.hw, VCFG_STD_BYTES, 0);
	KUNIT_ASSERT_EQ(test, nic_build(s), 0);
	KUNIT_EXPECT_LE(test, vcfg_view_write(&s->dev.space, s->buf, sizeof(s->buf)),
			(int)VPV_CONFIG_MAX_BYTES);
	KUNIT_EXPECT_GT(test, vcfg_view_write(&s->dev.space, s->buf, sizeof(s->buf)), 12000);
	KUNIT_EXPECT_EQ(test, vcfg_view_write(&s->dev.space, s->buf, 100), -ENOSPC);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE_PARAM(byte_decides, differs_gen_params),
	KUNIT_CASE(use_does_not_matter),
	KUNIT_CASE(bar_size_matters),
	KUNIT_CASE(persona_makes_them_alike),
	KUNIT_CASE(state_migrates),
	KUNIT_CASE(what_a_guest_wrote_migrates),
	KUNIT_CASE_PARAM(hostile_state, hostile_gen_params),
	KUNIT_CASE(cut_payloads),
	KUNIT_CASE(older_state),
	KUNIT_CASE(own_state_changes_nothing),
	KUNIT_CASE(other_bits_stay),
	KUNIT_CASE(kept_bits_stay),
	KUNIT_CASE(errors_of_the_device),
	KUNIT_CASE(gone_while_it_is_saved),
	KUNIT_CASE(largest_view),
	{}
};

static struct kunit_suite state_suite = {
	.name = "vcfg_state",
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);

MODULE_DESCRIPTION("KUnit suite of config space in the migration stream");
MODULE_LICENSE("GPL");
