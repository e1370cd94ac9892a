// SPDX-License-Identifier: GPL-2.0
/* Accesses and registers with effects: config_virt/engine.c and trap.c. */
#include <kunit/test.h>

#include "fake_space.h"

#include "../../config_virt/arrays.c"
#include "../../config_virt/bar.c"
#include "../../config_virt/caps.c"
#include "../../config_virt/engine.c"
#include "../../config_virt/perm.c"
#include "../../config_virt/trap.c"

/* Where fake_nic() has its capabilities. */
#define PM	0x40
#define MSI	0x50
#define EXP	0x80
#define MSIX	0xc0
#define AF	0xd0
#define VPD	0xe0
#define VNDR	0xf0
#define AER	0x100
#define EXTVNDR	0x200

static struct fake *new_nic(struct kunit *test)
{
	struct fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	fake_nic(f);
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	return f;
}

/* A write of ones, then of zeroes: what of it the user and the hardware see. */
struct reg_case {
	const char *name;
	u16 pos;
	u8 bytes;
	u32 first;
	u32 ones;
	u32 zeroes;
	u32 hw_ones;
	u32 hw_zeroes;
};

static const struct reg_case reg_cases[] = {
	{ "vendor", 0x00, 2, 0x1234, 0x1234, 0x1234, 0x1234, 0x1234 },
	{ "device", 0x02, 2, 0x5678, 0x5678, 0x5678, 0x5678, 0x5678 },
	{ "command", 0x04, 2, 0x0007, 0x07ff, 0x0000, 0x03ff, 0x0000 },
	{ "revision", 0x08, 4, 0x02000003, 0x02000003, 0x02000003, 0x02000003,
	  0x02000003 },
	{ "cache_line", 0x0c, 1, 0x10, 0xff, 0x00, 0xff, 0x00 },
	{ "latency", 0x0d, 1, 0x40, 0xf8, 0x00, 0xf8, 0x00 },
	{ "header_type", 0x0e, 1, 0x80, 0x80, 0x80, 0x80, 0x80 },
	{ "bist", 0x0f, 1, 0x80, 0xc0, 0x80, 0xc0, 0x80 },
	{ "cardbus", 0x28, 4, 0, 0, 0, 0, 0 },
	{ "subsystem", 0x2c, 4, 0xabcd1af4, 0xabcd1af4, 0xabcd1af4, 0xabcd1af4,
	  0xabcd1af4 },
	{ "cap_pointer", 0x34, 1, 0x40, 0x40, 0x40, 0x40, 0x40 },
	{ "reserved", 0x35, 1, 0, 0, 0, 0, 0 },
	{ "line", 0x3c, 1, 0x0b, 0xff, 0x00, 0x0b, 0x0b },
	{ "pin", 0x3d, 1, 0x01, 0x01, 0x01, 0x01, 0x01 },
	{ "min_gnt", 0x3e, 1, 0x05, 0x05, 0x05, 0x05, 0x05 },
	{ "max_lat", 0x3f, 1, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a },
	{ "pm_header", PM, 2, 0x5001, 0x5001, 0x5001, 0x5001, 0x5001 },
	/* PME is not shown, but stays in the hardware. */
	{ "pm_caps", PM + 2, 2, 0x0003, 0x0003, 0x0003, 0xc803, 0xc803 },
	{ "pm_control", PM + 4, 2, 0x0008, 0x1e08, 0x0008, 0x9f08, 0x8108 },
	{ "msi_header", MSI, 2, 0x8005, 0x8005, 0x8005, 0x7005, 0x7005 },
	{ "msi_control", MSI + 2, 2, 0x018a, 0x01da, 0x018a, 0x018a, 0x018a },
	{ "msi_address", MSI + 4, 4, 0, 0xfffffffc, 0, 0, 0 },
	{ "msi_upper", MSI + 8, 4, 0, 0xffffffff, 0, 0, 0 },
	{ "msi_data", MSI + 12, 4, 0, 0x0000ffff, 0, 0, 0 },
	{ "msi_mask", MSI + 16, 4, 0, 0xffffffff, 0, 0xffffffff, 0 },
	{ "msi_pending", MSI + 20, 4, 0, 0, 0, 0, 0 },
	{ "exp_flags", EXP + 2, 2, 0x0002, 0x0002, 0x0002, 0x0002, 0x0002 },
	{ "exp_devcap", EXP + 4, 4, 0x10008002, 0x10008002, 0x10008002, 0x10008002,
	  0x10008002 },
	{ "exp_devctl2", EXP + 0x28, 2, 0, 0xffdf, 0, 0xffdf, 0 },
	{ "exp_lnkctl", EXP + 0x10, 2, 0, 0, 0, 0, 0 },
	{ "msix_control", MSIX + 2, 2, 0x0007, 0x0007, 0x0007, 0x0007, 0x0007 },
	{ "msix_table", MSIX + 4, 4, 4, 4, 4, 4, 4 },
	{ "msix_pba", MSIX + 8, 4, 0x804, 0x804, 0x804, 0x804, 0x804 },
	{ "af_caps", AF + 2, 2, 0x0306, 0x0306, 0x0306, 0x0306, 0x0306 },
	{ "af_control", AF + 4, 1, 0, 0, 0, 0, 0 },
	{ "vpd_address", VPD + 2, 2, 0, 0xffff, 0x8000, 0, 0 },
	{ "vpd_data", VPD + 4, 4, 0, 0xffffffff, 0, 0, 0 },
	{ "vndr_header", VNDR, 2, 0x0009, 0x0009, 0x0009, 0x0009, 0x0009 },
	{ "vndr_body", VNDR + 4, 4, 0, 0xffffffff, 0, 0xffffffff, 0 },
	{ "gap", VNDR + 12, 4, 0, 0xffffffff, 0, 0xffffffff, 0 },
	{ "hidden", 0x74, 4, 0, 0, 0, 0x11111111, 0x11111111 },
	{ "aer_header", AER, 4, 0x15010001, 0x15010001, 0x15010001, 0x14010001,
	  0x14010001 },
	{ "aer_mask", AER + 8, 4, 0, 0x03fff031, 0, 0x03fff031, 0 },
	{ "ext_vndr_body", EXTVNDR + 8, 4, 0, 0xffffffff, 0, 0xffffffff, 0 },
	{ "ext_gap", 0x800, 4, 0, 0xffffffff, 0, 0xffffffff, 0 },
};

static void reg_desc(const struct reg_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(reg, reg_cases, reg_desc);

static void register_takes(struct kunit *test)
{
	const struct reg_case *c = test->param_value;
	struct fake *f = new_nic(test);
	u32 ones = vcfg_lanes(c->bytes);

	/* No D3 by writing ones: the fake's state bits stay, but it would note it. */
	KUNIT_EXPECT_EQ(test, fake_get(f, c->pos, c->bytes), c->first);
	KUNIT_EXPECT_EQ(test, fake_set(f, c->pos, c->bytes, ones), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, c->pos, c->bytes), c->ones);
	if (c->pos != PM + 4)
		KUNIT_EXPECT_EQ(test, vcfg_get(f->hw, c->pos, c->bytes), c->hw_ones);
	KUNIT_EXPECT_EQ(test, fake_set(f, c->pos, c->bytes, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, c->pos, c->bytes), c->zeroes);
	KUNIT_EXPECT_EQ(test, vcfg_get(f->hw, c->pos, c->bytes), c->hw_zeroes);
	KUNIT_EXPECT_NULL(test, f->bad);
}

/* Bits that 1 clears: cleared by 1 alone, and never by writing something else. */
struct w1c_case {
	const char *name;
	u16 pos;
	u8 bytes;
	u32 hw;		/* bits that are set */
	u32 write;
	u32 left;
};

static const struct w1c_case w1c_cases[] = {
	{ "status_one", 0x06, 2, 0xf910, 0x2000, 0xd910 },
	{ "status_all", 0x06, 2, 0xf910, 0xffff, 0x0010 },
	{ "status_none", 0x06, 2, 0xf910, 0x0000, 0xf910 },
	{ "status_high_byte", 0x07, 1, 0xf9, 0x80, 0x79 },
	{ "devsta_one", EXP + 10, 2, 0x004f, 0x0002, 0x004d },
	{ "devsta_all_of_ours", EXP + 10, 2, 0x004f, 0xffff, 0x0040 },
	{ "aer_uncor", AER + 4, 4, 0xffffffff, 0x00100000, 0xffefffff },
	{ "aer_uncor_all", AER + 4, 4, 0xffffffff, 0xffffffff, 0xfc000fce },
	{ "aer_cor", AER + 16, 4, 0x0000f1c1, 0x00002000, 0x0000d1c1 },
	{ "pme_is_not_ours", PM + 4, 2, 0x8100, 0xff00, 0x9f00 },
};

static void w1c_desc(const struct w1c_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(w1c, w1c_cases, w1c_desc);

static void one_clears(struct kunit *test)
{
	const struct w1c_case *c = test->param_value;
	struct fake *f = new_nic(test);

	vcfg_put(f->hw, c->pos, c->bytes, c->hw);
	KUNIT_EXPECT_EQ(test, fake_set(f, c->pos, c->bytes, c->write), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get(f->hw, c->pos, c->bytes), c->left);
}

/* Status shares its dword with COMMAND: a wide write does both. */
static void command_and_status_in_one_write(struct kunit *test)
{
	struct fake *f = new_nic(test);

	vcfg_put16(f->hw, PCI_STATUS, 0x3010);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 4, 0x20000406), 0);
	KUNIT_EXPECT_EQ(test, f->commands, 1U);
	KUNIT_EXPECT_EQ(test, f->old_command, 0x0007);
	KUNIT_EXPECT_EQ(test, f->new_command, 0x0406);
	KUNIT_EXPECT_EQ(test, f->space.command, 0x0406);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, PCI_STATUS), 0x1010);
	/* Interrupt disable is ours, the rest is on in both. */
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_COMMAND, 4), 0x10100406U);
}

static void command_in_bytes(struct kunit *test)
{
	struct fake *f = new_nic(test);

	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND + 1, 1, 0x04), 0);
	KUNIT_EXPECT_EQ(test, f->new_command, 0x0407);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 1, 0x02), 0);
	KUNIT_EXPECT_EQ(test, f->old_command, 0x0407);
	KUNIT_EXPECT_EQ(test, f->new_command, 0x0402);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND + 1, 1, 0x00), 0);
	KUNIT_EXPECT_EQ(test, f->new_command, 0x0002);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_COMMAND, 2), 0x0002U);
}

/* The host may have decoding on while the user has it off, and the other way. */
static void decoding_needs_both(struct kunit *test)
{
	struct fake *f = new_nic(test);

	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0004), 0);
	vcfg_put16(f->hw, PCI_COMMAND, 0x0007);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_COMMAND, 2), 0x0004U);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0007), 0);
	vcfg_put16(f->hw, PCI_COMMAND, 0x0000);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_COMMAND, 1), 0U);
}

static void bars_restored_after_reset(struct kunit *test)
{
	struct fake *f = new_nic(test);

	/* All is well. */
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0006), 0);
	KUNIT_EXPECT_EQ(test, f->restores, 0U);
	/* A reset that nobody noticed. */
	vcfg_put16(f->hw, PCI_COMMAND, 0);
	memset(f->hw + PCI_BASE_ADDRESS_0, 0, 24);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0004), 0);
	KUNIT_EXPECT_EQ(test, f->restores, 0U);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0006), 0);
	KUNIT_EXPECT_EQ(test, f->restores, 1U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(f->hw, PCI_BASE_ADDRESS_0), 0xf000000cU);
	/* Only decoding was lost. */
	vcfg_put16(f->hw, PCI_COMMAND, 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0006), 0);
	KUNIT_EXPECT_EQ(test, f->restores, 2U);
	/* All is lost, but somebody else has turned decoding on again. */
	memset(f->hw + PCI_BASE_ADDRESS_0, 0, 24);
	vcfg_put16(f->hw, PCI_COMMAND, 0x0006);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0006), 0);
	KUNIT_EXPECT_EQ(test, f->restores, 3U);
}

/* A function is asked for COMMAND and one address. */
static void cost_of_command(struct kunit *test)
{
	struct fake *f = new_nic(test);

	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0006), 0);
	vcfg_put16(f->hw, PCI_COMMAND, 0x0006);
	f->reads = 0;
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0406), 0);
	KUNIT_EXPECT_EQ(test, f->reads, 2U);
	/* The same when decoding begins. */
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0404), 0);
	f->reads = 0;
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0406), 0);
	KUNIT_EXPECT_EQ(test, f->reads, 2U);
}

/* An address whose low half is 0 looks the same after a reset: the next one is asked. */
static void low_half_of_zero(struct kunit *test)
{
	struct fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	fake_nic(f);
	vcfg_put32(f->hw, PCI_BASE_ADDRESS_0, 0x0000000c);
	vcfg_put32(f->hw, PCI_BASE_ADDRESS_1, 0x00003800);
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0006), 0);
	vcfg_put16(f->hw, PCI_COMMAND, 0x0006);
	vcfg_put32(f->hw, PCI_BASE_ADDRESS_1, 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0006), 0);
	KUNIT_EXPECT_EQ(test, f->restores, 1U);
}

static void vf_view(struct kunit *test)
{
	struct fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	fake_vf(f);
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, 0, 4), 0x56791234U);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_COMMAND, 2), 0x0002U);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_INTERRUPT_PIN, 1), 0U);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_BASE_ADDRESS_0, 4), 0x0000000cU);
	KUNIT_EXPECT_EQ(test, f->space.command, PCI_COMMAND_MEMORY);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0004), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_COMMAND, 2), 0x0004U);
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0006), 0);
	vcfg_put16(f->hw, PCI_COMMAND, 0x0004);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_COMMAND, 2), 0x0006U);
	/* It has no BARs that could be lost. */
	KUNIT_EXPECT_EQ(test, fake_set(f, PCI_COMMAND, 2, 0x0006), 0);
	KUNIT_EXPECT_EQ(test, f->restores, 0U);
}

static void no_intx_hides_the_pin(struct kunit *test)
{
	struct fake *f = new_nic(test);

	f->desc.no_intx = true;
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_INTERRUPT_LINE, 2), 0x000bU);
}

/* Vectors that the function has, and what the user sees and gets. */
struct msi_case {
	const char *name;
	u16 flags;
	u16 first;
	u16 ones;
};

static const struct msi_case msi_cases[] = {
	{ "hardware_32", 0x018a, 0x018a, 0x01da },
	{ "hardware_4", 0x0184, 0x0184, 0x01a4 },
	{ "hardware_1", 0x0180, 0x0180, 0x0180 },
	{ "hardware_reserved_code", 0x018e, 0x018a, 0x01da },
	{ "hardware_enabled_at_first", 0x01fb, 0x018a, 0x01da },
};

static void msi_desc(const struct msi_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(msi, msi_cases, msi_desc);

static void msi_vectors(struct kunit *test)
{
	const struct msi_case *c = test->param_value;
	struct fake *f = new_nic(test);

	vcfg_put16(f->hw, MSI + 2, c->flags);
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), c->first);
	KUNIT_EXPECT_EQ(test, fake_set(f, MSI + 2, 2, 0xffff), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), c->ones);
	KUNIT_EXPECT_EQ(test, f->msis, 0U);
	/* The id is not what gets clamped. */
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI, 1), (u32)PCI_CAP_ID_MSI);
}

static void msi_enable_needs_set_irqs(struct kunit *test)
{
	struct fake *f = new_nic(test);

	f->irq = VCFG_IRQ_MSIX;
	KUNIT_EXPECT_EQ(test, fake_set(f, MSI + 2, 2, 0x0001), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), 0x018aU);
	f->irq = VCFG_IRQ_MSI;
	f->vectors = 3;
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), 0x018aU);
	KUNIT_EXPECT_EQ(test, fake_set(f, MSI + 2, 2, 0x0051), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), 0x01abU);
	KUNIT_EXPECT_EQ(test, f->msis, 1U);
	KUNIT_EXPECT_TRUE(test, f->msi_enable);
	/* Never more than the host has set up. */
	KUNIT_EXPECT_EQ(test, f->msi_log2, 2U);
	KUNIT_EXPECT_EQ(test, fake_set(f, MSI + 2, 1, 0x10), 0);
	KUNIT_EXPECT_FALSE(test, f->msi_enable);
	KUNIT_EXPECT_EQ(test, f->msi_log2, 1U);
	KUNIT_EXPECT_EQ(test, fake_set(f, MSI + 2, 1, 0x11), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), 0x019bU);
	/* SET_IRQS takes it away. */
	f->irq = VCFG_IRQ_NONE;
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), 0x019aU);
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI, 4), 0x019a8005U);
	KUNIT_EXPECT_EQ(test, f->writes, 0U);
}

/* What the user has asked for before SET_IRQS gave him less. */
static void msi_vectors_are_those_of_set_irqs(struct kunit *test)
{
	struct fake *f = new_nic(test);

	KUNIT_EXPECT_EQ(test, fake_set(f, MSI + 2, 2, 0x0051), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), 0x01daU);
	f->irq = VCFG_IRQ_MSI;
	f->vectors = 2;
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), 0x019aU);
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI, 4), 0x019a8005U);
	f->vectors = 1;
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), 0x018aU);
	KUNIT_EXPECT_EQ(test, fake_set(f, MSI + 2, 2, 0x0031), 0);
	KUNIT_EXPECT_EQ(test, f->msi_log2, 0U);
	f->irq = VCFG_IRQ_NONE;
	KUNIT_EXPECT_EQ(test, fake_get(f, MSI + 2, 2), 0x018aU);
}

static void power_states(struct kunit *test)
{
	struct fake *f = new_nic(test);

	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 4, 2, 0x0003), 0);
	KUNIT_EXPECT_EQ(test, f->dstate, 3U);
	/* D1 and D2 are not in the capability. */
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 4, 2, 0x0001), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 4, 2, 0x0002), 0);
	KUNIT_EXPECT_EQ(test, f->powers, 1U);
	/* The upper byte has no state. */
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 5, 1, 0x03), 0);
	KUNIT_EXPECT_EQ(test, f->powers, 1U);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, PM + 4), 0x8308);
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 4, 4, 0x00000000), 0);
	KUNIT_EXPECT_EQ(test, f->dstate, 0U);
	KUNIT_EXPECT_EQ(test, f->powers, 2U);
	/* The selector is what it was: nothing to write. */
	f->writes = 0;
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 4, 4, 0x00000000), 0);
	KUNIT_EXPECT_EQ(test, f->writes, 0U);
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 4, 2, 0x0200), 0);
	KUNIT_EXPECT_EQ(test, f->writes, 1U);
	vcfg_put16(f->hw, PM + 2, 0x0603);
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 4, 1, 0x01), 0);
	KUNIT_EXPECT_EQ(test, f->dstate, 1U);
}

/* The driver puts the function to sleep while its user writes the data selector. */
static void selector_does_not_change_the_power_state(struct kunit *test)
{
	struct fake *f = new_nic(test);

	f->rw[PM + 4] |= PCI_PM_CTRL_STATE_MASK;
	f->meet_pos = PM + 4;
	f->meet_val = f->hw[PM + 4] | PCI_PM_CTRL_STATE_MASK;
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 4, 2, 0x0200), 0);
	KUNIT_EXPECT_EQ(test, f->meet_pos, 0U);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, PM + 4) & PCI_PM_CTRL_STATE_MASK,
			PCI_PM_CTRL_STATE_MASK);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, PM + 4) & 0x0200, 0x0200);
}

/* Where the hardware's PME_Status is passed through, 1 clears what reads as 1. */
static void power_event_is_cleared(struct kunit *test)
{
	struct fake *f = new_nic(test);

	vcfg_put16(f->space.virt, PM + 4, 0);
	vcfg_put16(f->space.write, PM + 4, PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_PME_STATUS);
	vcfg_put16(f->hw, PM + 4, PCI_PM_CTRL_PME_STATUS);
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 4, 2, 0), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, PM + 4), PCI_PM_CTRL_PME_STATUS);
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + 4, 2, PCI_PM_CTRL_PME_STATUS), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, PM + 4), 0);
}

/* Hardware's and virtual device control before and after a write. */
struct devctl_case {
	const char *name;
	u16 hw;
	u16 write;
	u16 hw_after;
	u16 seen;
};

static const struct devctl_case devctl_cases[] = {
	{ "same", 0x2830, 0x2830, 0x2830, 0x2830 },
	/* MPS stays, MRRS gets it as its floor. */
	{ "mps_is_virtual", 0x2830, 0x2890, 0x2830, 0x2890 },
	{ "mrrs_down_to_mps", 0x5820, 0x0820, 0x1820, 0x0820 },
	{ "mrrs_up", 0x2830, 0x5830, 0x5830, 0x5830 },
	{ "mrrs_reserved", 0x2830, 0x7830, 0x2830, 0x7830 },
	{ "mrrs_same_is_left", 0x2830, 0x2800, 0x2820, 0x2800 },
	{ "phantom_not_writable", 0x2830, 0x2a30, 0x2830, 0x2830 },
	{ "phantom_kept", 0x2a30, 0x2830, 0x2a30, 0x2a30 },
	{ "error_reporting", 0x2830, 0x283f, 0x283f, 0x283f },
};

static void devctl_desc(const struct devctl_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(devctl, devctl_cases, devctl_desc);

static void device_control(struct kunit *test)
{
	const struct devctl_case *c = test->param_value;
	struct fake *f = new_nic(test);

	vcfg_put16(f->hw, EXP + 8, c->hw);
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 2, c->write), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, EXP + 8), c->hw_after);
	KUNIT_EXPECT_EQ(test, fake_get(f, EXP + 8, 2), (u32)c->seen);
	KUNIT_EXPECT_EQ(test, f->flrs, 0U);
	/* The same one byte after the other. */
	KUNIT_ASSERT_EQ(test, (vcfg_put16(f->hw, EXP + 8, c->hw), fake_init(f)), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 1, c->write & 0xff), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 9, 1, c->write >> 8), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, EXP + 8), c->hw_after);
	KUNIT_EXPECT_EQ(test, fake_get(f, EXP + 8, 2), (u32)c->seen);
}

/*
 * All ones are no register's value but a read that nobody answered.  Written back they would
 * start a reset, and set sizes that do not exist, in a function that answers again.
 */
static void lost_registers_are_not_written_back(struct kunit *test)
{
	struct fake *f = new_nic(test);

	vcfg_put16(f->hw, EXP + 8, 0xffff);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 2, 0x2831), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 1, 0x30), 0);
	vcfg_put16(f->hw, PM + PCI_PM_CTRL, 0xffff);
	KUNIT_EXPECT_EQ(test, fake_set(f, PM + PCI_PM_CTRL + 1, 1, 0x02), 0);
	KUNIT_EXPECT_EQ(test, f->writes, 0U);
	KUNIT_EXPECT_EQ(test, f->readrqs, 0U);
}

/* The register is PCI core's: the engine asks, and never writes these bits itself. */
static void read_request_size_is_the_hosts(struct kunit *test)
{
	struct fake *f = new_nic(test);

	f->readrq_max = 512;
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 2, 0x5831), 0);
	KUNIT_EXPECT_EQ(test, f->readrqs, 1U);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, EXP + 8), 0x2831);
	KUNIT_EXPECT_EQ(test, fake_get(f, EXP + 8, 2), 0x5831U);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 9, 1, 0x18), 0);
	KUNIT_EXPECT_EQ(test, f->readrqs, 2U);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, EXP + 8), 0x1831);
	/* Not for the other bits. */
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 2, 0x1830), 0);
	KUNIT_EXPECT_EQ(test, f->readrqs, 2U);
	f->fail_nth = 3;
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 2, 0x0831), -EIO);
	KUNIT_EXPECT_EQ(test, fake_get(f, EXP + 8, 2), 0x1831U);
}

/* What the host has set up for all of the way stays, and the user sees that it does. */
static void kept_bits_are_the_hosts(struct kunit *test)
{
	struct fake *f = new_nic(test);

	f->desc.kept[VCFG_KEPT_DEVCTL] = PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_EXT_TAG;
	f->desc.kept[VCFG_KEPT_DEVCTL2] = PCI_EXP_DEVCTL2_LTR_EN;
	vcfg_put16(f->hw, EXP + 8, 0x2820);
	vcfg_put16(f->hw, EXP + 0x28, 0);
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 2, 0x293f), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, EXP + 8), 0x282f);
	KUNIT_EXPECT_EQ(test, fake_get(f, EXP + 8, 2), 0x282fU);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 0x28, 2, 0x0416), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, EXP + 0x28, 2), 0x0016U);
	/* Neither are they switched off. */
	vcfg_put16(f->hw, EXP + 8, 0x293f);
	vcfg_put16(f->hw, EXP + 0x28, 0x0400);
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 2, 0x2820), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, EXP + 8), 0x2930);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 0x28, 2, 0), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get16(f->hw, EXP + 0x28), 0x0400);
}

static void resets(struct kunit *test)
{
	struct fake *f = new_nic(test);

	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 2, 0xa83f), 0);
	KUNIT_EXPECT_EQ(test, f->flrs, 1U);
	KUNIT_EXPECT_EQ(test, fake_get(f, EXP + 8, 2), 0x283fU);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 9, 1, 0xa8), 0);
	KUNIT_EXPECT_EQ(test, f->flrs, 2U);
	KUNIT_EXPECT_EQ(test, fake_set(f, AF + 4, 1, 0x01), 0);
	KUNIT_EXPECT_EQ(test, f->flrs, 3U);
	KUNIT_EXPECT_EQ(test, fake_get(f, AF + 4, 1), 0U);
	/* Not where the function says that it has none. */
	vcfg_put32(f->hw, EXP + 4, 0x00008002);
	f->hw[AF + 3] = 0x02;
	KUNIT_ASSERT_EQ(test, fake_init(f), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, EXP + 8, 2, 0xa830), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, AF + 4, 1, 0x01), 0);
	KUNIT_EXPECT_EQ(test, f->flrs, 3U);
	KUNIT_EXPECT_EQ(test, fake_get(f, EXP + 8, 2), 0x2830U);
}

/* Bytes that cannot change cost nothing; others one access of a dword. */
static void reads_that_cost(struct kunit *test)
{
	static const struct {
		u16 pos;
		u16 bytes;
		u16 reads;
	} costs[] = {
		{ 0x00, 4, 0 }, { 0x04, 4, 1 }, { 0x06, 2, 1 }, { 0x08, 4, 0 },
		{ 0x0c, 4, 1 }, { 0x0e, 1, 0 }, { 0x10, 4, 0 }, { 0x2c, 4, 0 },
		{ 0x30, 4, 0 }, { 0x34, 4, 0 }, { 0x3c, 4, 0 }, { 0x00, 64, 2 },
		{ MSI, 4, 0 }, { MSI, 16, 0 }, { MSIX + 4, 8, 0 }, { PM, 4, 0 },
		{ EXP, 8, 0 }, { EXP + 0x0c, 4, 0 }, { 0x150, 12, 0 }, { 0x140, 8, 0 },
		{ AER, 4, 0 },
		{ 0x800, 64, 16 }, { 0x801, 4, 3 },
	};
	struct fake *f = new_nic(test);
	u8 buf[64];

	for (size_t i = 0; i < ARRAY_SIZE(costs); i++) {
		f->reads = 0;
		KUNIT_EXPECT_EQ(test, vcfg_space_read(&f->space, costs[i].pos, buf,
						      costs[i].bytes), 0);
		KUNIT_EXPECT_EQ_MSG(test, f->reads, (unsigned int)costs[i].reads,
				    "%u bytes at %#x", costs[i].bytes, costs[i].pos);
	}
}

/* Any width at any place gives the bytes that single reads give. */
static void reads_of_every_width(struct kunit *test)
{
	struct fake *f = new_nic(test);
	u8 *bytes = kunit_kzalloc(test, VCFG_MAX_BYTES, GFP_KERNEL);
	u8 buf[20];

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	for (unsigned int i = 0; i < VCFG_MAX_BYTES; i++)
		bytes[i] = fake_get(f, i, 1);
	for (unsigned int pos = 0; pos < 0x240; pos++) {
		for (unsigned int num = 0; num <= sizeof(buf); num++) {
			KUNIT_ASSERT_EQ(test, vcfg_space_read(&f->space, pos, buf, num), 0);
			if (memcmp(buf, bytes + pos, num))
				KUNIT_FAIL(test, "%u bytes at %#x differ", num, pos);
		}
	}
	KUNIT_EXPECT_NULL(test, f->bad);
}

/* A byte of a pattern that does not reset, power down or touch decoding. */
static u8 pattern(unsigned int pos)
{
	switch (pos) {
	case EXP + 9:
	case EXP + 11:
		return 0x28;
	case PM + 4:
	case AF + 4:
		return 0;
	default:
		return 0x35 * pos + 7;
	}
}

/* The same for writes: views and hardware are equal afterwards. */
static void writes_of_every_width(struct kunit *test)
{
	struct fake *one = new_nic(test);
	struct fake *all = new_nic(test);
	u8 buf[20];

	for (unsigned int pos = 0; pos < 0x240; pos++) {
		for (unsigned int num = 1; num <= sizeof(buf); num++) {
			fake_nic(one);
			fake_nic(all);
			KUNIT_ASSERT_EQ(test, fake_init(one) | fake_init(all), 0);
			for (unsigned int i = 0; i < num; i++) {
				buf[i] = pattern(pos + i);
				fake_set(one, pos + i, 1, buf[i]);
			}
			KUNIT_ASSERT_EQ(test, vcfg_space_write(&all->space, pos, buf, num),
					0);
			if (memcmp(one->hw, all->hw, sizeof(one->hw)) ||
			    memcmp(one->mem, all->mem, sizeof(one->mem)))
				KUNIT_FAIL(test, "%u bytes at %#x differ", num, pos);
		}
	}
	KUNIT_EXPECT_NULL(test, one->bad);
	KUNIT_EXPECT_NULL(test, all->bad);
}

/* Arrays that end with the last capability, in memory of just that size. */
static void packed_arrays(struct kunit *test)
{
	struct fake *f = new_nic(test);
	u8 *before = kunit_kzalloc(test, 2 * VCFG_MAX_BYTES, GFP_KERNEL);
	u8 *after = before + VCFG_MAX_BYTES;
	size_t bytes = vcfg_space_packed(&f->space);
	u8 *mem = kunit_kmalloc(test, bytes, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, before);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	KUNIT_EXPECT_EQ(test, f->space.tabled, EXTVNDR + 0x10U);
	KUNIT_EXPECT_EQ(test, bytes, (size_t)5 * (EXTVNDR + 0x10));
	for (unsigned int pos = EXTVNDR + 0x10; pos < VCFG_MAX_BYTES; pos++)
		f->hw[pos] = pos;
	KUNIT_ASSERT_EQ(test, vcfg_space_read(&f->space, 0, before, VCFG_MAX_BYTES), 0);
	vcfg_space_pack(&f->space, mem);
	memset(f->mem, 0xff, sizeof(f->mem));
	KUNIT_ASSERT_EQ(test, vcfg_space_read(&f->space, 0, after, VCFG_MAX_BYTES), 0);
	KUNIT_EXPECT_MEMEQ(test, after, before, VCFG_MAX_BYTES);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, PCI_EXT_CAP_ID_VNDR, true),
			(unsigned int)EXTVNDR);
	KUNIT_EXPECT_EQ(test, vcfg_caps_find(&f->space, 0x7777, true), 0U);

	/* Behind them, across their end, and up to the last byte. */
	for (unsigned int i = 0; i < 16; i++)
		before[i] = 0x5a;
	KUNIT_EXPECT_EQ(test, vcfg_space_write(&f->space, EXTVNDR + 0xb, before, 11), 0);
	KUNIT_EXPECT_MEMEQ(test, f->hw + EXTVNDR + 0xc, before, 10);
	KUNIT_EXPECT_EQ(test, vcfg_space_write(&f->space, VCFG_MAX_BYTES - 3, before, 3), 0);
	KUNIT_EXPECT_MEMEQ(test, f->hw + VCFG_MAX_BYTES - 3, before, 3);
	KUNIT_EXPECT_EQ(test, fake_get(f, VCFG_MAX_BYTES - 3, 1), 0x5aU);
}

static void accesses_beyond_the_end(struct kunit *test)
{
	static const unsigned int outside[][2] = {
		{ 4096, 1 }, { 4095, 2 }, { 4093, 4 }, { 0, 4097 }, { 0xfffffffc, 8 },
		{ 0xffffffff, 1 }, { 4, 0xfffffffe }, { 4097, 0 },
	};
	struct fake *f = new_nic(test);
	u8 buf[4] = { };

	f->reads = 0;
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		KUNIT_EXPECT_EQ(test, vcfg_space_read(&f->space, outside[i][0], buf,
						      outside[i][1]), -EFAULT);
		KUNIT_EXPECT_EQ(test, vcfg_space_write(&f->space, outside[i][0], buf,
						       outside[i][1]), -EFAULT);
	}
	KUNIT_EXPECT_EQ(test, f->reads + f->writes, 0U);
	KUNIT_EXPECT_EQ(test, vcfg_space_read(&f->space, 4096, buf, 0), 0);
}

/* Every operation that a write needs fails in turn: the view stays as it was. */
struct fail_case {
	const char *name;
	u16 pos;
	u8 bytes;
	u32 val;
};

static const struct fail_case fail_cases[] = {
	{ "command", PCI_COMMAND, 2, 0x0407 },
	{ "status", PCI_STATUS, 2, 0xffff },
	{ "latency", PCI_LATENCY_TIMER, 1, 0x80 },
	{ "pm_state", PM + 4, 2, 0x1e03 },
	{ "msi_control", MSI + 2, 2, 0x0051 },
	{ "msi_mask", MSI + 16, 4, 0x55 },
	{ "device_control", EXP + 8, 2, 0xd89f },
	{ "af", AF + 4, 1, 0x01 },
	{ "aer", AER + 4, 4, 0xffffffff },
	{ "vendor", VNDR + 4, 4, 0x12345678 },
};

static void fail_desc(const struct fail_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(fail, fail_cases, fail_desc);

static void failing_write_keeps_the_view(struct kunit *test)
{
	const struct fail_case *c = test->param_value;
	struct fake *f = new_nic(test);
	u8 *mem = kunit_kzalloc(test, sizeof(f->mem), GFP_KERNEL);
	unsigned int nth;

	KUNIT_ASSERT_NOT_NULL(test, mem);
	for (nth = 1; nth < 20; nth++) {
		fake_nic(f);
		f->irq = VCFG_IRQ_MSI;
		f->vectors = 32;
		KUNIT_ASSERT_EQ(test, fake_init(f), 0);
		memset(f->hw + PCI_BASE_ADDRESS_4, 0, 4);
		memcpy(mem, f->mem, sizeof(f->mem));
		f->fail_nth = nth;
		if (!fake_set(f, c->pos, c->bytes, c->val))
			break;
		KUNIT_EXPECT_TRUE(test, f->failed);
		KUNIT_EXPECT_MEMEQ(test, mem, f->mem, sizeof(f->mem));
		KUNIT_EXPECT_EQ(test, f->space.command, 0x0007);
		/* And the same write works then. */
		KUNIT_EXPECT_EQ(test, fake_set(f, c->pos, c->bytes, c->val), 0);
	}
	KUNIT_EXPECT_FALSE(test, f->failed);
	KUNIT_EXPECT_TRUE(test, nth > 1 && nth < 20);
}

static void vital_product_data(struct kunit *test)
{
	struct fake *f = new_nic(test);

	f->vpd[3] = 0x11223344;
	/* Read: the flag is written as 0 and set when the data are there. */
	KUNIT_EXPECT_EQ(test, fake_set(f, VPD + 2, 2, 0x000c), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, VPD + 2, 2), 0x800cU);
	KUNIT_EXPECT_EQ(test, fake_get(f, VPD + 4, 4), 0x11223344U);

	/* Write: the other way round.  In bytes: the upper one begins it. */
	KUNIT_EXPECT_EQ(test, fake_set(f, VPD + 4, 4, 0x55667788), 0);
	KUNIT_EXPECT_EQ(test, fake_set(f, VPD + 2, 1, 0x08), 0);
	KUNIT_EXPECT_EQ(test, f->vpds, 1U);
	KUNIT_EXPECT_EQ(test, fake_set(f, VPD + 3, 1, 0x80), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, VPD + 2, 2), 0x0008U);
	KUNIT_EXPECT_EQ(test, f->vpd[2], 0x55667788U);

	/* With the capability's header and the data in one write. */
	KUNIT_EXPECT_EQ(test, fake_set(f, VPD, 4, 0x000cffff), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, VPD + 2, 2), 0x800cU);
	KUNIT_EXPECT_EQ(test, fake_get(f, VPD + 4, 4), 0x11223344U);

	/* A transfer that fails is never complete, and changes no data. */
	f->fail_nth = 1;
	KUNIT_EXPECT_EQ(test, fake_set(f, VPD + 2, 2, 0x0008), 0);
	KUNIT_EXPECT_EQ(test, fake_get(f, VPD + 2, 2), 0x0008U);
	KUNIT_EXPECT_EQ(test, fake_get(f, VPD + 4, 4), 0x11223344U);
	KUNIT_EXPECT_EQ(test, f->writes, 0U);
}

static void failing_read_is_reported(struct kunit *test)
{
	struct fake *f = new_nic(test);
	u8 *mem = kunit_kzalloc(test, sizeof(f->mem), GFP_KERNEL);
	u8 buf[256];
	int err = -EIO;

	KUNIT_ASSERT_NOT_NULL(test, mem);
	memcpy(mem, f->mem, sizeof(f->mem));
	for (unsigned int nth = 1; err; nth++) {
		f->fail_nth = nth;
		err = vcfg_space_read(&f->space, 0, buf, sizeof(buf));
		KUNIT_ASSERT_TRUE(test, !err || err == -EIO);
		KUNIT_EXPECT_MEMEQ(test, mem, f->mem, sizeof(f->mem));
	}
	/* What is virtual is there without the device. */
	f->fail_nth = 1;
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_VENDOR_ID, 4), 0x56781234U);
	KUNIT_EXPECT_EQ(test, fake_get(f, PCI_BASE_ADDRESS_0, 4), 0xf000000cU);
}

static void failing_creation(struct kunit *test)
{
	struct fake *f = new_nic(test);
	unsigned int nth;
	int err = -EIO;

	for (nth = 1; err; nth++) {
		fake_nic(f);
		f->fail_nth = nth;
		err = fake_init(f);
		KUNIT_ASSERT_TRUE(test, !err || err == -EIO);
	}
	KUNIT_EXPECT_LT(test, 20U, nth);
	/* It has not done anything but read. */
	KUNIT_EXPECT_EQ(test, f->writes + f->commands + f->powers + f->flrs, 0U);
}

static void other_headers_are_refused(struct kunit *test)
{
	struct fake *f = new_nic(test);

	for (unsigned int type = 1; type < 0x80; type++) {
		f->hw[PCI_HEADER_TYPE] = type;
		KUNIT_EXPECT_EQ(test, fake_init(f), -EINVAL);
		KUNIT_EXPECT_NOT_NULL(test, f->space.why);
	}
	memset(f->hw, 0xff, sizeof(f->hw));
	KUNIT_EXPECT_EQ(test, fake_init(f), -ENODEV);
}

static struct kunit_case engine_tests[] = {
	KUNIT_CASE_PARAM(register_takes, reg_gen_params),
	KUNIT_CASE_PARAM(one_clears, w1c_gen_params),
	KUNIT_CASE(command_and_status_in_one_write),
	KUNIT_CASE(command_in_bytes),
	KUNIT_CASE(decoding_needs_both),
	KUNIT_CASE(bars_restored_after_reset),
	KUNIT_CASE(cost_of_command),
	KUNIT_CASE(low_half_of_zero),
	KUNIT_CASE(vf_view),
	KUNIT_CASE(no_intx_hides_the_pin),
	KUNIT_CASE_PARAM(msi_vectors, msi_gen_params),
	KUNIT_CASE(msi_enable_needs_set_irqs),
	KUNIT_CASE(msi_vectors_are_those_of_set_irqs),
	KUNIT_CASE(power_states),
	KUNIT_CASE(selector_does_not_change_the_power_state),
	KUNIT_CASE(power_event_is_cleared),
	KUNIT_CASE_PARAM(device_control, devctl_gen_params),
	KUNIT_CASE(lost_registers_are_not_written_back),
	KUNIT_CASE(read_request_size_is_the_hosts),
	KUNIT_CASE(kept_bits_are_the_hosts),
	KUNIT_CASE(resets),
	KUNIT_CASE(vital_product_data),
	KUNIT_CASE(reads_that_cost),
	KUNIT_CASE(reads_of_every_width),
	KUNIT_CASE_SLOW(writes_of_every_width),
	KUNIT_CASE(packed_arrays),
	KUNIT_CASE(accesses_beyond_the_end),
	KUNIT_CASE_PARAM(failing_write_keeps_the_view, fail_gen_params),
	KUNIT_CASE(failing_read_is_reported),
	KUNIT_CASE(failing_creation),
	KUNIT_CASE(other_headers_are_refused),
	{}
};

static struct kunit_suite engine_suite = {
	.name = "vcfg_engine",
	.test_cases = engine_tests,
};

kunit_test_suite(engine_suite);

MODULE_DESCRIPTION("Accesses and registers of the config space engine");
MODULE_LICENSE("GPL");
