// SPDX-License-Identifier: GPL-2.0
/*
 * A map of what vfio-pci would show of a device: the begin of a persona.
 *
 * What cannot change while the device is open becomes fixed, so that it will be the
 * same on other hardware; the rest comes from the hardware.  Bytes of no
 * capability, and the capabilities that are never shown, are hidden.
 */
#include <inttypes.h>
#include <linux/pci_regs.h>

#include "config_virt/vcfg.h"
#include "persona_map.h"

struct capture {
	const struct persona_device *dev;
	FILE *to;
	u8 marks[VCFG_MAX_BYTES / 4];
	unsigned int seen[2][256];	/* how many of an id, by chain */
};

static void capture_bars(const struct capture *c)
{
	const struct vcfg_persona_hw *hw = &c->dev->hw;

	for (unsigned int i = 0; i < VCFG_BARS; i++) {
		if (!hw->bar_bytes[i])
			continue;
		fprintf(c->to, "bar %u %s %" PRIu64 "%s\n", i, map_bar_type_name(hw->bar_flags[i]),
			hw->bar_bytes[i],
			!(hw->bar_flags[i] & PCI_BASE_ADDRESS_SPACE_IO) &&
			hw->bar_flags[i] & PCI_BASE_ADDRESS_MEM_PREFETCH ? " prefetch" : "");
	}
	if (hw->rom_bytes)
		fprintf(c->to, "rom %" PRIu64 "\n", hw->rom_bytes);
}

static void capture_header(const struct capture *c, const char *name)
{
	const u8 *cfg = c->dev->config;

	fprintf(c->to, "persona %s version 1\nconfig %u\n\n", name, c->dev->hw.bytes);
	fprintf(c->to, "vendor fixed 0x%04x\ndevice fixed 0x%04x\n",
		vcfg_get16(cfg, PCI_VENDOR_ID), vcfg_get16(cfg, PCI_DEVICE_ID));
	fprintf(c->to, "command hw\nstatus hw\n");
	fprintf(c->to, "revision fixed 0x%02x\nclass fixed 0x%06x\n", cfg[PCI_REVISION_ID],
		vcfg_get32(cfg, PCI_CLASS_REVISION) >> 8);
	fprintf(c->to, "cache_line emulated 0x%02x write 0xff\n", cfg[PCI_CACHE_LINE_SIZE]);
	fprintf(c->to, "latency emulated 0x%02x write 0xff\n", cfg[PCI_LATENCY_TIMER]);
	if (cfg[PCI_HEADER_TYPE])
		fprintf(c->to, "header_type fixed 0x%02x\n", cfg[PCI_HEADER_TYPE]);
	if (vcfg_get32(cfg, PCI_CARDBUS_CIS))
		fprintf(c->to, "cardbus_cis fixed 0x%08x\n", vcfg_get32(cfg, PCI_CARDBUS_CIS));
	fprintf(c->to, "subvendor fixed 0x%04x\nsubdevice fixed 0x%04x\n",
		vcfg_get16(cfg, PCI_SUBSYSTEM_VENDOR_ID), vcfg_get16(cfg, PCI_SUBSYSTEM_ID));
	fprintf(c->to, "interrupt_line emulated 0x00 write 0xff\n");
	if (!c->dev->vf && cfg[PCI_INTERRUPT_PIN])
		fprintf(c->to, "interrupt_pin fixed 0x%02x\n", cfg[PCI_INTERRUPT_PIN]);
	fprintf(c->to, "\n");
}

static unsigned int chain_first(const struct capture *c, bool ext)
{
	const u8 *cfg = c->dev->config;

	if (ext)
		return c->dev->hw.bytes > PCI_CFG_SPACE_SIZE &&
		       vcfg_get32(cfg, PCI_CFG_SPACE_SIZE) != ~0U &&
		       vcfg_get32(cfg, PCI_CFG_SPACE_SIZE) ? PCI_CFG_SPACE_SIZE : 0;
	return vcfg_get16(cfg, PCI_STATUS) & PCI_STATUS_CAP_LIST ?
		cfg[PCI_CAPABILITY_LIST] & 0xfc : 0;
}

static unsigned int chain_next(const struct capture *c, unsigned int pos, bool ext)
{
	return ext ? vcfg_get32(c->dev->config, pos) >> 20 & 0xffc :
		     c->dev->config[pos + PCI_CAP_LIST_NEXT] & 0xfc;
}

static bool chain_inside(const struct capture *c, unsigned int pos, bool ext)
{
	return ext ? pos >= PCI_CFG_SPACE_SIZE && pos < c->dev->hw.bytes :
		     pos >= PCI_STD_HEADER_SIZEOF && pos < PCI_CFG_SPACE_SIZE;
}

/* All bytes that the registers have, or can have, up to the next capability. */
static unsigned int cap_bytes(const struct capture *c, unsigned int pos, bool ext,
			      const struct vcfg_rule *rule)
{
	const u8 *cfg = c->dev->config;
	unsigned int end = ext ? c->dev->hw.bytes : PCI_CFG_SPACE_SIZE;
	unsigned int bytes = rule->bytes, room = 4;

	while (pos + room < end && !c->marks[(pos + room) / 4])
		room += 4;
	if (ext && rule->flags & VCFG_RULE_RAW && room >= 8)
		bytes = vcfg_get16(cfg, pos + 6) >> 4;
	else if (!ext && rule->id == PCI_CAP_ID_VNDR)
		bytes = cfg[pos + 2];
	else if (!ext && rule->id == PCI_CAP_ID_EXP)
		bytes = (cfg[pos + PCI_EXP_FLAGS] & PCI_EXP_FLAGS_VERS) < 2 ? 0x14 : 0x3c;
	else if (!bytes)
		bytes = room;
	bytes = ALIGN(max(bytes, 4U), 4U);
	return min(bytes, room);
}

/*
 * A register of the table: fixed if the engine takes it for constant.  What the
 * engine hides of it is 0 for the user.
 */
static void capture_register(const struct capture *c, unsigned int pos,
			     const struct vcfg_perm *perm)
{
	u32 val = vcfg_get(c->dev->config, pos + perm->pos, perm->bytes);

	fprintf(c->to, "\t+0x%02x:%u ", perm->pos, perm->bytes);
	if (perm->write || (perm->virt & vcfg_lanes(perm->bytes)) != vcfg_lanes(perm->bytes))
		fprintf(c->to, "hw\n");
	else
		fprintf(c->to, "fixed 0x%0*x\n", 2 * perm->bytes,
			((val & ~perm->clear) | perm->set) & vcfg_lanes(perm->bytes));
}

/* Bytes between registers that the table has: as they are. */
static void capture_gap(const struct capture *c, unsigned int from, unsigned int to)
{
	while (from < to) {
		unsigned int bytes = from & 1 ? 1 : from & 2 ? 2 : ALIGN_DOWN(to - from, 4U);

		if (!bytes || to - from < bytes)
			bytes = to - from < 2 ? 1 : 2;
		fprintf(c->to, "\t+0x%02x:%u hw\n", from, bytes);
		from += bytes;
	}
}

static const struct vcfg_perm *next_register(const struct vcfg_rule *rule, unsigned int off)
{
	const struct vcfg_perm *best = NULL;

	for (unsigned int i = 0; i < rule->num_perms; i++)
		if (rule->perms[i].pos >= off && (!best || rule->perms[i].pos < best->pos))
			best = &rule->perms[i];
	return best;
}

/* Registers of which a part says what the device has: that part becomes fixed. */
static const struct {
	u8 id;
	u8 pos;
	u16 fixed;
	u16 hw;
} split[] = {
	{ PCI_CAP_ID_MSI, PCI_MSI_FLAGS,
	  PCI_MSI_FLAGS_QMASK | PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT,
	  PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE },
	{ PCI_CAP_ID_MSIX, PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_QSIZE,
	  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL },
};

/* In the order of their lowest bits. */
static bool capture_split(const struct capture *c, unsigned int pos, unsigned int id)
{
	for (size_t i = 0; i < ARRAY_SIZE(split); i++) {
		if (split[i].id != id)
			continue;
		fprintf(c->to, "\t+0x%02x:2 bits 0x%04x fixed 0x%04x\n", split[i].pos,
			split[i].fixed,
			vcfg_get16(c->dev->config, pos + split[i].pos) & split[i].fixed);
		fprintf(c->to, "\t+0x%02x:2 bits 0x%04x hw\n", split[i].pos, split[i].hw);
		return true;
	}
	return false;
}

static void capture_body(const struct capture *c, unsigned int pos, unsigned int bytes,
			 bool ext, const struct vcfg_rule *rule)
{
	unsigned int off = ext ? 4 : 2;
	const struct vcfg_perm *perm;

	if (!ext && capture_split(c, pos, rule->id))
		off += 2;
	while ((perm = next_register(rule, off)) && perm->pos + perm->bytes <= bytes) {
		capture_gap(c, off, perm->pos);
		capture_register(c, pos, perm);
		off = perm->pos + perm->bytes;
	}
	capture_gap(c, off, bytes);
}

/* Does the user get it? */
static bool cap_shown(const struct capture *c, unsigned int pos, bool ext,
		      const struct vcfg_rule **rule, unsigned int *bytes)
{
	*rule = vcfg_rule_find(vcfg_get32(c->dev->config, pos), ext);
	*bytes = cap_bytes(c, pos, ext, *rule);
	return !((*rule)->flags & VCFG_RULE_HIDE) && *bytes >= (*rule)->min;
}

static void capture_cap(struct capture *c, unsigned int pos, bool ext)
{
	const struct vcfg_rule *rule;
	unsigned int bytes, from;
	u32 header = vcfg_get32(c->dev->config, pos);
	unsigned int id = header & (ext ? 0xffff : 0xff);
	const char *name = map_cap_name(id, ext);

	if (!cap_shown(c, pos, ext, &rule, &bytes)) {
		if (ext && pos == PCI_CFG_SPACE_SIZE)
			fprintf(c->to, "\nextcap 0x100 none version 0 size 4\n");
		return;
	}
	from = ++c->seen[ext][id & 0xff];
	/* Registers with an effect are there once. */
	if (from > 1 && (rule->trap || (!ext && id == PCI_CAP_ID_MSIX)))
		return;
	fprintf(c->to, ext ? "\nextcap 0x%03x " : "\ncap 0x%02x ", pos);
	if (name)
		fprintf(c->to, "%s", name);
	else
		fprintf(c->to, "0x%02x", id);
	if (ext)
		fprintf(c->to, " version %u", header >> 16 & 0xf);
	fprintf(c->to, " size %u {\n", bytes);
	capture_body(c, pos, bytes, ext, rule);
	fprintf(c->to, "}\n");
}

/* An empty first capability needs one behind it. */
static bool chain_shows(const struct capture *c, bool ext)
{
	const struct vcfg_rule *rule;
	unsigned int bytes;

	for (unsigned int pos = ext ? PCI_CFG_SPACE_SIZE : PCI_STD_HEADER_SIZEOF;
	     chain_inside(c, pos, ext); pos += 4)
		if (c->marks[pos / 4] && cap_shown(c, pos, ext, &rule, &bytes))
			return true;
	return false;
}

static void capture_chain(struct capture *c, bool ext)
{
	unsigned int pos = chain_first(c, ext);

	while (chain_inside(c, pos, ext) && !c->marks[pos / 4]) {
		c->marks[pos / 4] = 1;
		pos = chain_next(c, pos, ext);
	}
	if (!chain_shows(c, ext))
		return;
	pos = chain_first(c, ext);
	while (chain_inside(c, pos, ext) && c->marks[pos / 4] == 1) {
		capture_cap(c, pos, ext);
		c->marks[pos / 4] = 2;
		pos = chain_next(c, pos, ext);
	}
}

void persona_capture(const struct persona_device *dev, const char *name, FILE *to)
{
	struct capture c = { .dev = dev, .to = to };

	capture_header(&c, name);
	capture_bars(&c);
	capture_chain(&c, false);
	capture_chain(&c, true);
}
