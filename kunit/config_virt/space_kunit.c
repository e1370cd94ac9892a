// SPDX-License-Identifier: GPL-2.0
/* The engine with a persona: config_virt/persona_space.c. */
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
#include "../../config_virt/trap.c"
#include "../../config_virt/persona_seen.c"
#include "../../config_virt/persona_space.c"
#include "../../config_virt/words.c"
#include "../../config_virt/view.c"

static struct shown *new_shown(struct kunit *test)
{
	struct shown *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	shown_device(s);
	return s;
}

/* @at: where the hardware has it.  @hw: the dword there after the write. */
struct access_case {
	const char *name;
	u16 pos;
	u8 bytes;
	u32 first;
	u32 write;
	u32 then;
	u16 at;
	u32 hw;
};

static const struct access_case accesses[] = {
	{ "fixed", PCI_VENDOR_ID, 4, 0x76101234, 0, 0x76101234, 0, 0x76111234 },
	{ "fixed_in_one_dword", PCI_CLASS_REVISION, 4, 0x12000001, ~0U, 0x12000001, 8,
	  0x12000002 },
	{ "hw_status", PCI_STATUS, 2, 0x2010, 0x2000, 0x0010, PCI_STATUS, 0x00100007 },
	{ "emulated_byte", PCI_CACHE_LINE_SIZE, 1, 0x10, 0x55, 0x55, PCI_CACHE_LINE_SIZE, 0 },
	{ "emulated_line", PCI_INTERRUPT_LINE, 1, 0, 0x0b, 0x0b, PCI_INTERRUPT_LINE, 0 },
	{ "emulated_write_mask", 0x94, 4, 0x5, 0xffffff0a, 0x0a, 0x94, 0 },
	{ "hidden_latency", PCI_LATENCY_TIMER, 1, 0, 0xff, 0, PCI_LATENCY_TIMER, 0 },
	{ "hidden_bytes", 0x300, 4, 0, ~0U, 0, 0x300, 0 },
	{ "not_mentioned", 0xf00, 4, 0, ~0U, 0, 0xf00, 0 },
	{ "pointer", PCI_CAPABILITY_LIST, 1, 0x40, 0xff, 0x40, PCI_CAPABILITY_LIST, 0x40 },
	{ "exp_header", 0x40, 4, 0x00028010, ~0U, 0x00028010, 0x60, 0x00020010 },
	{ "msix_header", 0x80, 2, 0x9011, ~0U, 0x9011, 0x40, 0x807f5011 },
	{ "last_header", 0x90, 4, 0x00100009, ~0U, 0x00100009, 0x90, 0 },
	{ "first_extended", 0x100, 4, 0x20010003, ~0U, 0x20010003, 0x180, 0x00010003 },
	{ "last_extended", 0x200, 4, 0x0001000b, ~0U, 0x0001000b, 0x100, 0x1801000b },
	{ "fixed_for_read_only", 0x44, 4, 0x10008021, ~0U, 0x10008021, 0x64, 0x10008022 },
	{ "moved_trap", 0x48, 2, 0x2830, 0x283f, 0x283f, 0x68, 0x0001283f },
	{ "moved_half", 0x49, 1, 0x28, 0x38, 0x38, 0x68, 0x00013830 },
	{ "hidden_beside_trap", 0x4a, 2, 0, ~0U, 0, 0x6a, 0x00012830 },
	{ "fixed_and_hw_bits", 0x82, 2, 0x803f, 0x4000, 0x803f, 0x42, 0x807f5011 },
	{ "moved_table", 0x84, 4, 0x4, ~0U, 0x4, 0x44, 0x4 },
	{ "moved_pba", 0x88, 4, 0x2004, ~0U, 0x2004, 0x48, 0x4004 },
	{ "moved_vendor_bytes", 0x208, 4, 0xabcdef01, 0x12345678, 0x12345678, 0x108,
	  0x12345678 },
	{ "moved_one_byte", 0x205, 1, 0x00, 0x77, 0x77, 0x104, 0x01007701 },
	{ "own_bytes", 0xc0, 4, 0x600df00d, 0x1, 0x1, 0xc0, 0x1 },
	{ "callback", 0x98, 4, 0xb0bafe77, 0x11223344, 0x11223344, 0x98, 0 },
	{ "callback_one_byte", 0x99, 1, 0xfe, 0x22, 0x22, 0x98, 0 },
	{ "bar_hidden", PCI_BASE_ADDRESS_0, 4, 0, ~0U, 0, PCI_BASE_ADDRESS_0, 0xfe000000 },
	/* Prefetchable in the hardware, not for the user; half of the size. */
	{ "bar_size", PCI_BASE_ADDRESS_2, 4, 0x80000004, ~0U, 0xfffe0004,
	  PCI_BASE_ADDRESS_2, 0x8000000c },
	{ "bar_upper_half", PCI_BASE_ADDRESS_3, 4, 0x21, ~0U, ~0U, PCI_BASE_ADDRESS_3, 0x21 },
	{ "bar_4", PCI_BASE_ADDRESS_4, 4, 0x9000c004, ~0U, 0xffffc004, PCI_BASE_ADDRESS_4,
	  0x9000c004 },
	{ "no_rom", PCI_ROM_ADDRESS, 4, 0, ~0U, 0, PCI_ROM_ADDRESS, 0 },
};

static void access_desc(const struct access_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(access, accesses, access_desc);

static void source_decides(struct kunit *test)
{
	const struct access_case *c = test->param_value;
	struct shown *s = new_shown(test);
	struct fake *f = &s->dev;

	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, c->pos, c->bytes), c->first);
	KUNIT_EXPECT_EQ(test, fake_set(f, c->pos, c->bytes, c->write), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, c->pos, c->bytes), c->then);
	KUNIT_EXPECT_EQ(test, vcfg_get32(f->hw, c->at & ~3U), c->hw);
	KUNIT_EXPECT_NULL(test, f->bad);
}

/* All of config space, in one access and in bytes, is the same. */
static void all_bytes_are_defined(struct kunit *test)
{
	struct shown *s = new_shown(test);
	u8 *whole = kunit_kzalloc(test, VCFG_MAX_BYTES, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, whole);
	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_ASSERT_EQ(test, vcfg_space_read(&s->dev.space, 0, whole, VCFG_MAX_BYTES), 0);
	for (i = 0; i < VCFG_MAX_BYTES && fake_get(&s->dev, i, 1) == whole[i]; i++)
		;
	KUNIT_EXPECT_EQ(test, i, VCFG_MAX_BYTES);
	KUNIT_EXPECT_NULL(test, s->dev.bad);
}

/* Bits 4 to 7 are cleared by 1, bits 0 to 3 are memory. */
static void emulated_w1c(struct kunit *test)
{
	struct shown *s = new_shown(test);

	s->blob.field[FAKE_EMULATED].value = cpu_to_le32(0xa5);
	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x94, 1, 0x5a), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x94, 4), 0xaaU);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x94, 4, 0x20), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x94, 4), 0x80U);
	KUNIT_EXPECT_EQ(test, s->dev.writes, 0U);
}

/* The reset comes from the moved register, and only while the bit is the hardware's. */
static void flr_of_moved_register(struct kunit *test)
{
	struct shown *s = new_shown(test);

	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x48, 2, 0xa830), 0);
	KUNIT_EXPECT_EQ(test, s->dev.flrs, 1U);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x48, 2), 0x2830U);
	/* The hardware has something else there. */
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x68, 2, 0xa830), 0);
	KUNIT_EXPECT_EQ(test, s->dev.flrs, 1U);

	shown_device(s);
	s->blob.field[FAKE_DEVCTL].bits = cpu_to_le32(0x7fff);
	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x48, 2, 0xa83f), 0);
	KUNIT_EXPECT_EQ(test, s->dev.flrs, 0U);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x48, 2), 0x283fU);
	KUNIT_EXPECT_EQ(test, vcfg_get16(s->dev.hw, 0x68), 0x283fU);
}

/* Bits that the persona keeps: the hardware's stay, the user's do not change. */
static void trap_with_other_bits(struct kunit *test)
{
	struct shown *s = new_shown(test);
	struct vpv_persona_field *f = &s->blob.field[FAKE_DEVCTL];

	f->bits = cpu_to_le32(0x00f0);
	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x48, 2), 0x0030U);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x48, 2, 0x71ff), 0);
	/* Relaxed ordering; MPS is virtual. */
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x48, 2), 0x00f0U);
	KUNIT_EXPECT_EQ(test, vcfg_get16(s->dev.hw, 0x68), 0x2830U);

	/* Nothing of it: the register is just memory that does not change. */
	shown_device(s);
	f->source = VPV_PERSONA_FIXED;
	f->value = cpu_to_le32(0x0040);
	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	s->dev.reads = 0;
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x48, 2, 0xffff), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x48, 2), 0x0040U);
	KUNIT_EXPECT_EQ(test, s->dev.reads + s->dev.writes + s->dev.flrs, 0U);
}

static void narrowed_bits(struct kunit *test)
{
	struct shown *s = new_shown(test);
	struct vpv_persona_field *f = &s->blob.field[FAKE_DEVCTL];

	f->flags = VPV_PERSONA_FIELD_WRITE;
	f->write = cpu_to_le32(0x000f);
	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x48, 2, 0xffff), 0);
	KUNIT_EXPECT_EQ(test, s->dev.flrs, 0U);
	KUNIT_EXPECT_EQ(test, vcfg_get16(s->dev.hw, 0x68), 0x283fU);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x48, 2), 0x283fU);
}

/* PM in the place of MSI-X: both state bits, or none. */
static void pm_state(struct kunit *test)
{
	static const struct {
		u16 bits;
		unsigned int powers;
	} cases[] = { { 0xffff, 1 }, { 0x0003, 1 }, { 0x0001, 0 }, { 0xff00, 0 } };
	struct shown *s = new_shown(test);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vpv_persona_cap *cap = &s->blob.cap[1];
		struct vpv_persona_field *f = &s->blob.field[FAKE_VECTORS];

		shown_device(s);
		cap->id = cpu_to_le16(PCI_CAP_ID_PM);
		cap->bytes = cpu_to_le16(8);
		f[0].bits = cpu_to_le32(0xffff);
		f[0].value = cpu_to_le32(0x0003);
		f[1].source = VPV_PERSONA_HIDDEN;
		f[1].pos = cpu_to_le16(0x88);
		f[1].bytes = cpu_to_le16(4);
		f[1].bits = cpu_to_le32(0xffff);
		f[2].source = VPV_PERSONA_HW;
		f[2].bytes = cpu_to_le16(2);
		f[2].bits = cpu_to_le32(cases[i].bits);
		f[2].value = 0;
		f[3].bits = cpu_to_le32(0xffff0000);
		f[3].value = 0;
		/* In the order of their places. */
		swap(f[1], f[2]);
		KUNIT_ASSERT_EQ(test, shown_build(s), 0);
		KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x84, 2, 0x0003), 0);
		KUNIT_EXPECT_EQ(test, s->dev.powers, cases[i].powers);
		KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x84, 2), 0x0008U & cases[i].bits);
		KUNIT_EXPECT_EQ(test, vcfg_get16(s->dev.hw, 0x54), 0x0008U);
	}
}

/* MSI in the place of MSI-X, in a device that names more vectors than there can be. */
static int build_msi(struct shown *s, u16 hw_bits, u16 vectors)
{
	struct vpv_persona_field *f = &s->blob.field[FAKE_VECTORS];

	shown_device(s);
	fake_reg(&s->dev, 0x40, 2, 0x5005, 0, 0);
	fake_reg(&s->dev, 0x42, 2, 7 << 1, PCI_MSI_FLAGS_QSIZE | PCI_MSI_FLAGS_ENABLE, 0);
	s->blob.cap[1].id = cpu_to_le16(PCI_CAP_ID_MSI);
	f[0].bits = cpu_to_le32(0xffff & ~hw_bits);
	f[0].value = cpu_to_le32(vectors << 1);
	f[1].bits = cpu_to_le32(hw_bits);
	/* In the order of their first bits. */
	swap(f[0], f[1]);
	for (unsigned int i = 2; i < 4; i++) {
		f[i].source = VPV_PERSONA_HW;
		f[i].value = 0;
	}
	return shown_build(s);
}

static void msi_has_a_limit(struct kunit *test)
{
	u16 control = PCI_MSI_FLAGS_QSIZE | PCI_MSI_FLAGS_ENABLE;
	struct shown *s = new_shown(test);

	KUNIT_ASSERT_EQ(test, build_msi(s, control, 5), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x82, 2), 5U << 1);
	/* Where the persona shows the hardware's it promises nothing. */
	KUNIT_ASSERT_EQ(test, build_msi(s, control | PCI_MSI_FLAGS_QMASK, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x82, 2), 5U << 1);
	KUNIT_EXPECT_EQ(test, build_msi(s, control, 6), -ERANGE);
	KUNIT_EXPECT_STREQ(test, s->fit.why.text, "more MSI vectors than there can be");
	KUNIT_EXPECT_EQ(test, (int)s->fit.why.part, (int)VCFG_PERSONA_BLOB);
}

/* Half of the device's, and its enable bit. */
static void rom_has_the_size_of_the_persona(struct kunit *test)
{
	struct shown *s = new_shown(test);
	struct vpv_persona_bar *rom = &s->blob.header.bar[VPV_PERSONA_ROM];

	s->dev.desc.rom_bytes = 0x20000;
	rom->kind = VPV_PERSONA_BAR_SHOWN;
	rom->bytes = cpu_to_le64(0x10000);
	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, PCI_ROM_ADDRESS, 4, ~0U), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, PCI_ROM_ADDRESS, 4), 0xffff0001U);
	/* The user decides on it: no view has its bits. */
	KUNIT_EXPECT_EQ(test, vcfg_get32(s->p.known, PCI_ROM_ADDRESS), 0xfffeU);
}

static void callback_errors(struct kunit *test)
{
	struct shown *s = new_shown(test);

	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x9a, 2, 0x5566), 0);
	KUNIT_EXPECT_EQ(test, s->mask, 0xffff0000U);
	KUNIT_EXPECT_EQ(test, s->mailbox, 0x5566fe77U);
	s->calls = 0;
	fake_get(&s->dev, 0x94, 4);
	fake_set(&s->dev, 0x94, 4, 0);
	KUNIT_EXPECT_EQ(test, s->calls, 0U);
	s->call_err = -EIO;
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x98, 4, 0), -EIO);
	KUNIT_EXPECT_EQ(test, vcfg_space_read(&s->dev.space, 0x98, s->buf, 4), -EIO);

	/* Writable, but the driver can only read it. */
	shown_device(s);
	memcpy(s->blob.callback[0].name, "doorbell", 8);
	KUNIT_EXPECT_EQ(test, shown_build(s), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, s->fit.why.text,
			   "callback that the driver cannot perform");
	s->blob.field[FAKE_CALLED].write = 0;
	KUNIT_EXPECT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x98, 4, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x98, 4), 0xb0bafe77U);
}

static void command_is_the_hosts(struct kunit *test)
{
	struct shown *s = new_shown(test);

	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, s->dev.space.command, 0x0007U);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, PCI_COMMAND, 2, 0x0405), 0);
	KUNIT_EXPECT_EQ(test, s->dev.commands, 1U);
	KUNIT_EXPECT_EQ(test, s->dev.new_command, 0x0405U);
	/* The physical BARs are the ones that are watched, whatever is shown. */
	vcfg_put32(s->dev.hw, PCI_BASE_ADDRESS_0, 0);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, PCI_COMMAND, 2, 0x0406), 0);
	KUNIT_EXPECT_EQ(test, s->dev.restores, 1U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(s->dev.hw, PCI_BASE_ADDRESS_0), 0xfe000000U);
}

static void vf_has_ids_and_memory(struct kunit *test)
{
	struct shown *s = new_shown(test);

	s->dev.desc.vf = true;
	s->dev.desc.vendor = 0x1234;
	s->dev.desc.device = 0x7777;
	fake_reg(&s->dev, PCI_VENDOR_ID, 4, ~0U, 0, 0);
	fake_reg(&s->dev, PCI_COMMAND, 2, 0, 4, 0);
	memset(s->dev.hw + PCI_BASE_ADDRESS_0, 0, 24);
	/* The device id is the hardware's. */
	s->blob.field[1].source = VPV_PERSONA_HW;
	s->blob.field[1].value = 0;
	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, PCI_VENDOR_ID, 4), 0x77771234U);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, PCI_COMMAND, 2), 0x0002U);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, PCI_BASE_ADDRESS_2, 4, ~0U), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, PCI_BASE_ADDRESS_2, 4), 0xfffe0004U);
}

static void smaller_config_space(struct kunit *test)
{
	struct shown *s = new_shown(test);
	struct fake_persona *b = &s->blob;
	unsigned int fields = FAKE_OWN + 1;

	/* Without the extended capabilities and their fields. */
	b->header.config_bytes = cpu_to_le16(256);
	b->header.num_caps = cpu_to_le16(3);
	b->header.num_fields = cpu_to_le16(fields);
	memmove(&b->cap[3], &b->field[0], fields * sizeof(b->field[0]));
	memmove((u8 *)&b->cap[3] + fields * sizeof(b->field[0]), &b->callback[0],
		sizeof(b->callback[0]));
	b->header.bytes = cpu_to_le32(offsetof(struct fake_persona, cap[3]) +
				      fields * sizeof(b->field[0]) + sizeof(b->callback[0]));
	b->header.crc = cpu_to_le32(vcfg_persona_crc(b, le32_to_cpu(b->header.bytes)));
	KUNIT_ASSERT_EQ(test, vcfg_persona_parse(&s->p, b, le32_to_cpu(b->header.bytes),
						 &s->why), 0);
	KUNIT_ASSERT_EQ(test, vcfg_persona_probe(&s->dev.desc, &fake_ops, &s->dev, &s->fit),
			0);
	KUNIT_ASSERT_EQ(test, vcfg_persona_space(&s->dev.space, &s->dev.desc, &fake_ops,
						 &s->dev, s->dev.mem, &s->fit), 0);
	KUNIT_EXPECT_EQ(test, vcfg_view_build(&s->dev.space), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0xc0, 4), 0x600df00dU);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x100, 4, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&s->dev.space, PCI_EXT_CAP_ID_DSN, true), 0U);
}

static void caps_are_found(struct kunit *test)
{
	struct shown *s = new_shown(test);

	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&s->dev.space, PCI_CAP_ID_MSIX, false), 0x80U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&s->dev.space, PCI_CAP_ID_PM, false), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&s->dev.space, PCI_EXT_CAP_ID_VNDR, true),
			0x200U);
}

/* Control of PASID at its fixed place: as a driver that never looks for the capability. */
static void hidden_register_is_opened(struct kunit *test)
{
	struct vpv_persona_field *f;
	struct shown *s = new_shown(test);

	/* A PASID capability behind the serial number, with all of its bits writable. */
	vcfg_put32(s->dev.hw, 0x180, 0x30010003);
	fake_reg(&s->dev, 0x300, 4, 0x0001001b, 0, 0);
	fake_reg(&s->dev, 0x304, 4, 0x00071406, 0xffff0000, 0);
	f = &s->blob.field[FAKE_LAST];
	f->pos = cpu_to_le16(0x304);
	f->source = VPV_PERSONA_HW;
	f->bits = cpu_to_le32(0x00070000);
	/* Which bits can be written has to be said. */
	KUNIT_EXPECT_EQ(test, shown_build(s), -EPERM);
	KUNIT_EXPECT_STREQ(test, s->fit.why.text, "hw is in a capability of the device");
	f->flags = VPV_PERSONA_FIELD_WRITE;
	f->write = cpu_to_le32(0x00010000);
	KUNIT_ASSERT_EQ(test, shown_build(s), 0);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x300, 4), 0U);
	KUNIT_EXPECT_EQ(test, fake_get(&s->dev, 0x304, 4), 0x00070000U);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x306, 2, 0), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get32(s->dev.hw, 0x304), 0x00061406U);
	KUNIT_EXPECT_EQ(test, fake_set(&s->dev, 0x304, 4, ~0U), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get32(s->dev.hw, 0x304), 0x00071406U);
	/* Not its header, and not one that users see. */
	f->pos = cpu_to_le16(0x300);
	KUNIT_EXPECT_EQ(test, shown_build(s), -EPERM);
	f->pos = cpu_to_le16(0x304);
	vcfg_put16(s->dev.hw, 0x300, PCI_EXT_CAP_ID_ACS);
	KUNIT_EXPECT_EQ(test, shown_build(s), -EPERM);
}

static void unfit_device(struct kunit *test)
{
	struct shown *s = new_shown(test);

	s->dev.desc.bar_bytes[2] = 0x10000;
	KUNIT_EXPECT_EQ(test, shown_build(s), -ERANGE);
	KUNIT_EXPECT_STREQ(test, s->fit.why.text, "BAR is larger than the device's");

	shown_device(s);
	memset(s->dev.hw, 0xff, VCFG_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, shown_build(s), -ENODEV);
}

static void read_errors(struct kunit *test)
{
	struct shown *s = new_shown(test);
	unsigned int nth = 0;
	int err;

	do {
		shown_device(s);
		nth += 97;
		s->dev.fail_nth = nth;
		err = shown_build(s);
		KUNIT_ASSERT_EQ(test, err, s->dev.failed ? -EIO : 0);
	} while (err);
	KUNIT_EXPECT_GT(test, nth, 1024U);

	s->dev.fail_nth = 1;
	KUNIT_EXPECT_EQ(test, vcfg_view_build(&s->dev.space), -EIO);
}

static struct kunit_case space_cases[] = {
	KUNIT_CASE_PARAM(source_decides, access_gen_params),
	KUNIT_CASE(all_bytes_are_defined),
	KUNIT_CASE(emulated_w1c),
	KUNIT_CASE(flr_of_moved_register),
	KUNIT_CASE(trap_with_other_bits),
	KUNIT_CASE(narrowed_bits),
	KUNIT_CASE(pm_state),
	KUNIT_CASE(msi_has_a_limit),
	KUNIT_CASE(rom_has_the_size_of_the_persona),
	KUNIT_CASE(callback_errors),
	KUNIT_CASE(command_is_the_hosts),
	KUNIT_CASE(vf_has_ids_and_memory),
	KUNIT_CASE(smaller_config_space),
	KUNIT_CASE(caps_are_found),
	KUNIT_CASE(hidden_register_is_opened),
	KUNIT_CASE(unfit_device),
	KUNIT_CASE(read_errors),
	{}
};

static struct kunit_suite space_suite = {
	.name = "vcfg_space",
	.test_cases = space_cases,
};

kunit_test_suite(space_suite);

MODULE_DESCRIPTION("KUnit suite of config spaces that show a persona");
MODULE_LICENSE("GPL");
