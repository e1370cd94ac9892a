// SPDX-License-Identifier: GPL-2.0
/* Base addresses: config_virt/bar.c. */
#include <kunit/test.h>

#include "fake_space.h"

#include "../../config_virt/arrays.c"
#include "../../config_virt/bar.c"
#include "../../config_virt/caps.c"
#include "../../config_virt/engine.c"
#include "../../config_virt/perm.c"
#include "../../config_virt/trap.c"

/* Register and its upper half: hardware, at first, sized, after a write of ones. */
struct bar_case {
	const char *name;
	u64 bytes;
	u8 flags;
	u32 hw[2];
	u32 first[2];
	u32 sized[2];
};

#define ONES 0xffffffffU

static const struct bar_case bar_cases[] = {
	{ "memory_32", 4096, 0, { 0xfebf1000, 0 }, { 0xfebf1000, 0 }, { 0xfffff000, 0 } },
	{ "memory_16_bytes", 16, 0, { 0xfebf1010, 0 }, { 0xfebf1010, 0 },
	  { 0xfffffff0, 0 } },
	{ "memory_2_gib", 1ULL << 31, 0, { 0x80000000, 0 }, { 0x80000000, 0 },
	  { 0x80000000, 0 } },
	{ "below_1_mib", 4096, 0, { 0x000a0002, 0 }, { 0x000a0002, 0 },
	  { 0xfffff002, 0 } },
	{ "prefetchable", 65536, 0, { 0xfeb00008, 0 }, { 0xfeb00008, 0 },
	  { 0xffff0008, 0 } },
	{ "memory_64", 1 << 20, 0, { 0xf000000c, 0x10 }, { 0xf000000c, 0x10 },
	  { 0xfff0000c, ONES } },
	{ "memory_64_4_gib", 1ULL << 32, 0, { 0x4, 0x11 }, { 0x4, 0x11 }, { 0x4, ONES } },
	{ "memory_64_256_gib", 1ULL << 38, 0, { 0xc, 0x40 }, { 0xc, 0x40 },
	  { 0xc, 0xffffffc0 } },
	{ "memory_64_largest", 1ULL << 63, 0, { 0xc, 0x80000000 }, { 0xc, 0x80000000 },
	  { 0xc, 0x80000000 } },
	{ "clipped_to_half", 1 << 19, 0, { 0xf000000c, 0x10 }, { 0xf000000c, 0x10 },
	  { 0xfff8000c, ONES } },
	{ "io", 32, 0, { 0xe001, 0 }, { 0xe001, 0 }, { 0xffffffe1, 0 } },
	{ "io_4_bytes", 4, 0, { 0xe005, 0 }, { 0xe005, 0 }, { 0xfffffffd, 0 } },
	{ "absent", 0, 0, { 0, 0 }, { 0, 0 }, { 0, 0 } },
	{ "not_assigned", 0, 0, { 0xfebf100c, 5 }, { 0, 0 }, { 0, 0 } },
	{ "vf", 16384, 0xc, { 0, 0 }, { 0xc, 0 }, { 0xffffc00c, ONES } },
	{ "vf_32", 16384, 0, { 0, 0 }, { 0, 0 }, { 0xffffc000, 0 } },
	{ "not_aligned_hardware", 1 << 20, 0, { 0xfe0ff000, 0 }, { 0xfe000000, 0 },
	  { 0xfff00000, 0 } },
};

static void bar_desc(const struct bar_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(bar, bar_cases, bar_desc);

static struct fake *new_fake(struct kunit *test)
{
	struct fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	fake_bare(f, VCFG_STD_BYTES);
	return f;
}

static void bar_sizing(struct kunit *test)
{
	const struct bar_case *c = test->param_value;

	for (unsigned int bar = 0; bar < 5; bar += 2) {
		unsigned int pos = PCI_BASE_ADDRESS_0 + 4 * bar;
		struct fake *f = new_fake(test);

		vcfg_put32(f->hw, pos, c->hw[0]);
		vcfg_put32(f->hw, pos + 4, c->hw[1]);
		f->desc.bar_bytes[bar] = c->bytes;
		f->desc.bar_flags[bar] = c->flags;
		KUNIT_ASSERT_EQ(test, fake_init(f), 0);
		KUNIT_EXPECT_EQ(test, f->space.saved_bar[bar], c->hw[0]);
		f->reads = 0;
		KUNIT_EXPECT_EQ(test, fake_get(f, pos, 4), c->first[0]);
		KUNIT_EXPECT_EQ(test, fake_get(f, pos + 4, 4), c->first[1]);
		KUNIT_EXPECT_EQ(test, fake_set(f, pos, 4, ONES), 0);
		KUNIT_EXPECT_EQ(test, fake_set(f, pos + 4, 4, ONES), 0);
		KUNIT_EXPECT_EQ(test, fake_get(f, pos, 4), c->sized[0]);
		KUNIT_EXPECT_EQ(test, fake_get(f, pos + 4, 4), c->sized[1]);
		/* Back to where it was; type bits do not take. */
		KUNIT_EXPECT_EQ(test, fake_set(f, pos, 4, c->first[0] ^ 0xf), 0);
		KUNIT_EXPECT_EQ(test, fake_set(f, pos + 4, 4, c->first[1]), 0);
		if (c->bytes >= 16)
			KUNIT_EXPECT_EQ(test, fake_get(f, pos, 4), c->first[0]);
		KUNIT_EXPECT_EQ(test, fake_get(f, pos + 4, 4), c->first[1]);
		/* None of it is the hardware's business. */
		KUNIT_EXPECT_EQ(test, f->reads + f->writes, 0U);
		KUNIT_EXPECT_EQ(test, vcfg_get32(f->hw, pos), c->hw[0]);
	}
}

/* Byte by byte, as real mode firmware does. */
static void bar_written_in_bytes(struct kunit *test)
{
	struct fake *f = new_fake(test);

	f->desc.bar_bytes[0] = 4096;
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	for (unsigned int i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, fake_set(f, PCI_BASE_ADDRESS_0 + i, 1, 0x51 + i), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_BASE_ADDRESS_0, 4), 0x54535000U);
}

struct rom_case {
	const char *name;
	u64 bytes;
	u32 sized;
};

static const struct rom_case rom_cases[] = {
	{ "absent", 0, 0 },
	{ "64_kib", 65536, 0xffff0001 },
	{ "2_kib", 2048, 0xfffff801 },
	{ "smaller_than_the_register_can_say", 512, 0xfffff801 },
	{ "16_mib", 1 << 24, 0xff000001 },
};

static void rom_desc(const struct rom_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(rom, rom_cases, rom_desc);

static void rom_sizing(struct kunit *test)
{
	const struct rom_case *c = test->param_value;
	struct fake *f = new_fake(test);

	vcfg_put32(f->hw, PCI_ROM_ADDRESS, 0xc0000000);
	f->desc.rom_bytes = c->bytes;
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_ROM_ADDRESS, 4), c->bytes ? 0xc0000000U : 0U);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_ROM_ADDRESS, 4, ONES), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_ROM_ADDRESS, 4), c->sized);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_ROM_ADDRESS, 4, ~1U), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_ROM_ADDRESS, 4), c->sized & ~1U);
	KUNIT_EXPECT_EQ(test, f->writes, 0U);
}

/* Descriptions that cannot be shown. */
struct refused_case {
	const char *name;
	unsigned int bar;
	u32 hw;
	u64 bytes;
	u64 next;
	u64 rom;
};

static const struct refused_case refused_cases[] = {
	{ "not_a_power_of_two", 0, 0xfe000000, 12288, 0, 0 },
	{ "memory_too_small", 0, 0xfe000000, 8, 0, 0 },
	{ "io_too_small", 1, 0xe001, 2, 0, 0 },
	{ "4_gib_in_32_bits", 3, 0xfe000000, 1ULL << 32, 0, 0 },
	{ "64_bits_in_the_last", 5, 0xfe000004, 4096, 0, 0 },
	{ "upper_half_has_a_size", 2, 0xfe000004, 4096, 4096, 0 },
	{ "rom_not_a_power_of_two", 0, 0, 0, 0, 66000 },
	{ "rom_of_4_gib", 0, 0, 0, 0, 1ULL << 32 },
};

static void refused_desc(const struct refused_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(refused, refused_cases, refused_desc);

static void bar_refused(struct kunit *test)
{
	const struct refused_case *c = test->param_value;
	struct fake *f = new_fake(test);

	vcfg_put32(f->hw, PCI_BASE_ADDRESS_0 + 4 * c->bar, c->hw);
	f->desc.bar_bytes[c->bar] = c->bytes;
	if (c->next)
		f->desc.bar_bytes[c->bar + 1] = c->next;
	f->desc.rom_bytes = c->rom;
	KUNIT_EXPECT_EQ(test, fake_init(f), -EINVAL);
	KUNIT_EXPECT_NOT_NULL(test, f->space.why);
}

static struct kunit_case bar_tests[] = {
	KUNIT_CASE_PARAM(bar_sizing, bar_gen_params),
	KUNIT_CASE(bar_written_in_bytes),
	KUNIT_CASE_PARAM(rom_sizing, rom_gen_params),
	KUNIT_CASE_PARAM(bar_refused, refused_gen_params),
	{}
};

static struct kunit_suite bar_suite = {
	.name = "vcfg_bar",
	.test_cases = bar_tests,
};

kunit_test_suite(bar_suite);

MODULE_DESCRIPTION("Base addresses of the config space engine");
MODULE_LICENSE("GPL");
