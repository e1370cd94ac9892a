// SPDX-License-Identifier: GPL-2.0
/* Permission tables: config_virt/perm.c. */
#include <kunit/test.h>

#include "../../config_virt/perm.c"

struct perm_case {
	const char *name;
	bool ext;
	u16 id;		/* 0 and not ext: the header */
	u16 pos;
	u32 virt;
	u32 write;
	u32 w1c;
};

/* Whole dwords, as the contract of vfio-pci has them, with our corrections. */
static const struct perm_case perm_cases[] = {
	{ "ids", false, 0, 0x00, 0xffffffff, 0, 0 },
	{ "command_status", false, 0, 0x04, 0x00100400, 0xf90007ff, 0xf9000000 },
	{ "class_revision", false, 0, 0x08, 0xffffffff, 0, 0 },
	{ "line_latency_bist", false, 0, 0x0c, 0x00ff0000, 0xff00ffff, 0 },
	{ "bar0", false, 0, 0x10, 0xffffffff, 0, 0 },
	{ "bar1", false, 0, 0x14, 0xffffffff, 0, 0 },
	{ "bar2", false, 0, 0x18, 0xffffffff, 0, 0 },
	{ "bar3", false, 0, 0x1c, 0xffffffff, 0, 0 },
	{ "bar4", false, 0, 0x20, 0xffffffff, 0, 0 },
	{ "bar5", false, 0, 0x24, 0xffffffff, 0, 0 },
	{ "cardbus", false, 0, 0x28, 0xffffffff, 0, 0 },
	{ "subsystem", false, 0, 0x2c, 0xffffffff, 0, 0 },
	{ "rom", false, 0, 0x30, 0xffffffff, 0, 0 },
	{ "cap_pointer", false, 0, 0x34, 0xffffffff, 0, 0 },
	{ "reserved", false, 0, 0x38, 0xffffffff, 0, 0 },
	{ "interrupt", false, 0, 0x3c, 0xffffffff, 0x000000ff, 0 },
	{ "pm_caps", false, PCI_CAP_ID_PM, 0, 0xffff0000, 0, 0 },
	{ "pm_control", false, PCI_CAP_ID_PM, 4, 0x00008100, 0x00001e03, 0x00008000 },
	{ "vpd_address", false, PCI_CAP_ID_VPD, 0, 0xffff0000, 0xffff0000, 0 },
	{ "vpd_data", false, PCI_CAP_ID_VPD, 4, 0xffffffff, 0xffffffff, 0 },
	{ "msix_control", false, PCI_CAP_ID_MSIX, 0, 0, 0, 0 },
	{ "msix_table", false, PCI_CAP_ID_MSIX, 4, 0xffffffff, 0, 0 },
	{ "msix_pba", false, PCI_CAP_ID_MSIX, 8, 0xffffffff, 0, 0 },
	{ "pcix_command", false, PCI_CAP_ID_PCIX, 0, 0, 0xffff0000, 0 },
	{ "exp_flags", false, PCI_CAP_ID_EXP, 0, 0xffff0000, 0, 0 },
	{ "exp_devcap", false, PCI_CAP_ID_EXP, 4, 0xffffffff, 0, 0 },
	{ "exp_devctl", false, PCI_CAP_ID_EXP, 8, 0x0000f0e0, 0x000ffdff, 0x004f0000 },
	{ "exp_lnkcap", false, PCI_CAP_ID_EXP, 0x0c, 0xffffffff, 0, 0 },
	{ "exp_lnkctl", false, PCI_CAP_ID_EXP, 0x10, 0, 0, 0 },
	{ "exp_sltctl", false, PCI_CAP_ID_EXP, 0x18, 0, 0, 0 },
	{ "exp_rtctl", false, PCI_CAP_ID_EXP, 0x1c, 0, 0, 0 },
	{ "exp_devctl2", false, PCI_CAP_ID_EXP, 0x28, 0, 0x0000ffdf, 0 },
	{ "exp_lnkctl2", false, PCI_CAP_ID_EXP, 0x30, 0, 0, 0 },
	{ "af_cap", false, PCI_CAP_ID_AF, 0, 0xffff0000, 0, 0 },
	{ "af_control", false, PCI_CAP_ID_AF, 4, 0x00000001, 0x00000001, 0 },
	{ "aer_uncor_status", true, PCI_EXT_CAP_ID_ERR, 4, 0, 0x03fff031, 0xffffffff },
	{ "aer_uncor_mask", true, PCI_EXT_CAP_ID_ERR, 8, 0, 0x03fff031, 0 },
	{ "aer_uncor_sever", true, PCI_EXT_CAP_ID_ERR, 12, 0, 0x03fff031, 0 },
	{ "aer_cor_status", true, PCI_EXT_CAP_ID_ERR, 16, 0, 0x0000f1c1, 0xffffffff },
	{ "aer_cor_mask", true, PCI_EXT_CAP_ID_ERR, 20, 0, 0x0000f1c1, 0 },
	{ "aer_control", true, PCI_EXT_CAP_ID_ERR, 24, 0, 0x00000140, 0 },
	{ "aer_log", true, PCI_EXT_CAP_ID_ERR, 28, 0, 0, 0 },
	{ "dsn_low", true, PCI_EXT_CAP_ID_DSN, 4, 0xffffffff, 0, 0 },
	{ "power_budget", true, PCI_EXT_CAP_ID_PWR, 4, 0, 0x000000ff, 0 },
	{ "sriov_control", true, PCI_EXT_CAP_ID_SRIOV, 8, 0, 0, 0 },
	{ "ats_control", true, PCI_EXT_CAP_ID_ATS, 4, 0, 0, 0 },
};

static void perm_case_desc(const struct perm_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(perm, perm_cases, perm_case_desc);

/* A space without a device. */
static struct vcfg_space *new_space(struct kunit *test)
{
	struct vcfg_space *space = kunit_kzalloc(test, sizeof(*space), GFP_KERNEL);
	u8 *mem = kunit_kzalloc(test, 5 * VCFG_STD_BYTES, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, space);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	space->bytes = VCFG_STD_BYTES;
	space->shadow = mem;
	space->virt = mem + VCFG_STD_BYTES;
	space->write = mem + 2 * VCFG_STD_BYTES;
	space->w1c = mem + 3 * VCFG_STD_BYTES;
	space->trap = mem + 4 * VCFG_STD_BYTES;
	return space;
}

static void register_has_permissions(struct kunit *test)
{
	const struct perm_case *c = test->param_value;
	const struct vcfg_rule *rule = c->id ? vcfg_rule_find(c->id, c->ext) :
					       vcfg_rule_header();
	struct vcfg_space *space = new_space(test);

	KUNIT_EXPECT_EQ(test, rule->flags & VCFG_RULE_HIDE, 0);
	vcfg_perm_apply(space, 0, 64, rule);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->virt, c->pos), c->virt);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->write, c->pos), c->write);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->w1c, c->pos), c->w1c);
}

struct msi_case {
	const char *name;
	u16 flags;
	u16 bytes;
	u16 data;
	u16 mask;
};

static const struct msi_case msi_cases[] = {
	{ "msi_32", 0x000, 12, 8, 0 },
	{ "msi_32_mask", 0x100, 20, 8, 12 },
	{ "msi_64", 0x080, 16, 12, 0 },
	{ "msi_64_mask", 0x180, 24, 12, 16 },
};

static void msi_case_desc(const struct msi_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(msi, msi_cases, msi_case_desc);

static void msi_layout(struct kunit *test)
{
	const struct msi_case *c = test->param_value;
	const struct vcfg_rule *rule = msi_rule(c->flags);
	struct vcfg_space *space = new_space(test);

	KUNIT_EXPECT_EQ(test, rule->bytes, c->bytes);
	KUNIT_EXPECT_EQ(test, rule->min, c->bytes);
	vcfg_perm_apply(space, 0, rule->bytes, rule);
	/* Enable and vectors of the control word, and nothing else of it. */
	KUNIT_EXPECT_EQ(test, vcfg_get16(space->virt, 2), 0xffff);
	KUNIT_EXPECT_EQ(test, vcfg_get16(space->write, 2), 0x0071);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->write, 4), 0xfffffffcU);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->virt, c->data), 0xffffffffU);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->write, c->data), 0x0000ffffU);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->virt, c->bytes), 0U);
	if (!c->mask)
		return;
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->virt, c->mask), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->write, c->mask), 0xffffffffU);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->write, c->mask + 4), 0U);
}

/* What every row must keep, whoever adds one. */
static void check_rule(struct kunit *test, const struct vcfg_rule *rule)
{
	for (unsigned int i = 0; i < rule->num_perms; i++) {
		const struct vcfg_perm *p = &rule->perms[i];
		u32 lanes = vcfg_lanes(p->bytes);

		KUNIT_EXPECT_TRUE(test, p->bytes == 1 || p->bytes == 2 || p->bytes == 4);
		KUNIT_EXPECT_EQ(test, p->pos % p->bytes, 0);
		if (rule->bytes)
			KUNIT_EXPECT_LE(test, p->pos + p->bytes, rule->bytes);
		KUNIT_EXPECT_EQ(test, p->write & ~lanes & ~p->virt, 0U);
		/* First values are of virtual bits only. */
		KUNIT_EXPECT_EQ(test, (p->clear | p->set) & ~p->virt, 0U);
		/* A bit that 1 clears is the hardware's, or nobody's. */
		KUNIT_EXPECT_EQ(test, p->w1c & p->virt & p->write, 0U);
		/* Handlers look at words. */
		if (p->trap)
			KUNIT_EXPECT_LE(test, (int)p->bytes, 2);
		KUNIT_EXPECT_LT(test, (int)p->trap, (int)VCFG_TRAPS);
	}
}

static void rules_are_sound(struct kunit *test)
{
	check_rule(test, vcfg_rule_header());
	for (size_t i = 0; i < ARRAY_SIZE(std_rules); i++)
		check_rule(test, &std_rules[i]);
	for (size_t i = 0; i < ARRAY_SIZE(ext_rules); i++)
		check_rule(test, &ext_rules[i]);
	for (size_t i = 0; i < ARRAY_SIZE(msi_rules); i++)
		check_rule(test, &msi_rules[i]);
}

static bool listed(unsigned int id, const u8 *list, size_t num)
{
	for (size_t i = 0; i < num; i++)
		if (list[i] == id)
			return true;
	return false;
}

/* All ids: visible are those of the contract and no others. */
static void visible_ids(struct kunit *test)
{
	static const u8 std[] = { 0x01, 0x02, 0x03, 0x05, 0x07, 0x08, 0x09, 0x10, 0x11,
				  0x12, 0x13 };
	static const u8 ext[] = { 0x01, 0x02, 0x03, 0x04, 0x08, 0x09, 0x0b, 0x0d, 0x0e,
				  0x0f, 0x10, 0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x23 };

	for (unsigned int id = 0; id < 0x10000; id++) {
		bool want = id < 256 && listed(id, std, ARRAY_SIZE(std));
		bool want_ext = listed(id, ext, ARRAY_SIZE(ext));
		bool shown = id < 256 &&
			     !(vcfg_rule_find(id, false)->flags & VCFG_RULE_HIDE);
		bool shown_ext = !(vcfg_rule_find(id, true)->flags & VCFG_RULE_HIDE);

		KUNIT_EXPECT_EQ_MSG(test, shown, want, "id %#x", id);
		KUNIT_EXPECT_EQ_MSG(test, shown_ext, want_ext, "extended id %#x", id);
	}
}

/* A capability that is cut short has the registers that fit, and no traps else. */
static void cut_capability(struct kunit *test)
{
	struct vcfg_space *space = new_space(test);

	vcfg_perm_apply(space, 0x40, 8, vcfg_rule_find(PCI_CAP_ID_EXP, false));
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->virt, 0x44), 0xffffffffU);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->write, 0x48), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(space->trap, 0x48), 0U);
	KUNIT_EXPECT_EQ(test, space->reg[VCFG_TRAP_EXP], 0);
}

static void first_values(struct kunit *test)
{
	const struct vcfg_rule *pm = vcfg_rule_find(PCI_CAP_ID_PM, false);
	struct vcfg_space *space = new_space(test);

	memset(space->shadow, 0xff, VCFG_STD_BYTES);
	vcfg_perm_values(space, 0x40, 8, pm);
	KUNIT_EXPECT_EQ(test, vcfg_get16(space->shadow, 0x42), 0x07ff);
	KUNIT_EXPECT_EQ(test, vcfg_get16(space->shadow, 0x44), 0x7eff);
}

static struct kunit_case perm_tests[] = {
	KUNIT_CASE_PARAM(register_has_permissions, perm_gen_params),
	KUNIT_CASE_PARAM(msi_layout, msi_gen_params),
	KUNIT_CASE(rules_are_sound),
	KUNIT_CASE(visible_ids),
	KUNIT_CASE(cut_capability),
	KUNIT_CASE(first_values),
	{}
};

static struct kunit_suite perm_suite = {
	.name = "vcfg_perm",
	.test_cases = perm_tests,
};

kunit_test_suite(perm_suite);

MODULE_DESCRIPTION("Permission tables of the config space engine");
MODULE_LICENSE("GPL");
