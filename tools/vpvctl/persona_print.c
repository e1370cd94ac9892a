// SPDX-License-Identifier: GPL-2.0
/* Compiled personas as maps: compiling what this prints gives the same bytes. */
#include <inttypes.h>
#include <linux/pci_regs.h>

#include "persona_map.h"

static void print_size(u64 bytes, FILE *to)
{
	static const char units[] = "KMGT";
	char unit[2] = "";

	for (unsigned int i = 0; i < 4 && bytes && !(bytes & 1023); i++) {
		bytes >>= 10;
		unit[0] = units[i];
	}
	fprintf(to, "%" PRIu64 "%s", bytes, unit);
}

/* Nothing for one that is not there. */
void map_print_bar(const struct vcfg_persona *p, unsigned int i, FILE *to)
{
	struct vcfg_persona_bar bar = vcfg_persona_bar(p, i);

	if (bar.kind == VPV_PERSONA_BAR_NONE)
		return;
	if (i == VPV_PERSONA_ROM)
		fprintf(to, "rom ");
	else
		fprintf(to, "bar %u ", i);
	if (bar.kind == VPV_PERSONA_BAR_HIDDEN) {
		fprintf(to, "hidden\n");
		return;
	}
	if (i != VPV_PERSONA_ROM)
		fprintf(to, "%s ", map_bar_type_name(bar.type));
	print_size(bar.bytes, to);
	if (!(bar.type & PCI_BASE_ADDRESS_SPACE_IO) &&
	    bar.type & PCI_BASE_ADDRESS_MEM_PREFETCH)
		fprintf(to, " prefetch");
	fprintf(to, "\n");
}

/* Which one of the hardware's would be due. */
static unsigned int default_from(const struct vcfg_persona *p, unsigned int i)
{
	struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);
	unsigned int from = 1;

	if (cap.ext && !cap.id)
		return 0;
	while (i--) {
		struct vcfg_persona_cap other = vcfg_persona_cap(p, i);

		if (other.id == cap.id && other.ext == cap.ext)
			from++;
	}
	return from;
}

/* Without the end of the line. */
void map_print_cap(const struct vcfg_persona *p, unsigned int i, FILE *to)
{
	struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);
	const char *name = map_cap_name(cap.id, cap.ext);

	fprintf(to, cap.ext ? "extcap 0x%03x " : "cap 0x%02x ", cap.pos);
	if (name)
		fprintf(to, "%s", name);
	else
		fprintf(to, cap.ext ? "0x%04x" : "0x%02x", cap.id);
	if (cap.ext)
		fprintf(to, " version %u", cap.version);
	fprintf(to, " size %u", cap.bytes);
	if (!cap.from && default_from(p, i))
		fprintf(to, " from none");
	else if (cap.from != default_from(p, i))
		fprintf(to, " from %u", cap.from);
}

static void print_number(const char *word, u32 val, unsigned int bytes,
			 unsigned int shift, FILE *to)
{
	fprintf(to, " %s%s0x%0*x", word, *word ? " " : "", (int)(2 * bytes - shift / 4),
		val >> shift);
}

static void print_source(const struct vcfg_persona *p, const struct vcfg_persona_field *f,
			 unsigned int shift, FILE *to)
{
	fprintf(to, " %s", map_source_name(f->source));
	if (f->source == VPV_PERSONA_FIXED || f->source == VPV_PERSONA_EMULATED)
		print_number("", f->value, f->bytes, shift, to);
	if (f->source == VPV_PERSONA_CALLBACK)
		fprintf(to, " %s", vcfg_persona_callback(p, f->callback));
	if (f->source == VPV_PERSONA_HW ? f->narrowed : f->write)
		print_number("write", f->write, f->bytes, shift, to);
	if (f->w1c)
		print_number("w1c", f->w1c, f->bytes, shift, to);
}

static u32 all_bits(unsigned int bytes)
{
	return bytes == 1 ? 0xff : bytes == 2 ? 0xffff : ~0U;
}

/* Without the end of the line and, in a capability, with the offset in that. */
void map_print_field(const struct vcfg_persona *p, unsigned int i, FILE *to)
{
	struct vcfg_persona_field f = vcfg_persona_field(p, i);
	const struct map_register *reg = map_register_of(&f);
	unsigned int owner = vcfg_persona_cap_at(p, f.pos);

	if (reg) {
		fprintf(to, "%s", reg->name);
		print_source(p, &f, reg->shift, to);
		return;
	}
	if (owner < p->num_caps)
		fprintf(to, "+0x%02x:%u", f.pos - vcfg_persona_cap(p, owner).pos, f.bytes);
	else
		fprintf(to, "field 0x%02x:%u", f.pos, f.bytes);
	if (f.bits != all_bits(f.bytes))
		print_number("bits", f.bits, f.bytes, 0, to);
	print_source(p, &f, 0, to);
}

static void print_cap(const struct vcfg_persona *p, unsigned int i, FILE *to)
{
	struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);

	map_print_cap(p, i, to);
	fprintf(to, " {\n");
	for (unsigned int k = 0; k < p->num_fields; k++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, k);
		const char *text;

		if (vcfg_persona_cap_at(p, f.pos) != i)
			continue;
		fprintf(to, "\t");
		map_print_field(p, k, to);
		text = map_register_text(&cap, f.pos - cap.pos);
		if (text)
			fprintf(to, "\t# %s", text);
		fprintf(to, "\n");
	}
	fprintf(to, "}\n");
}

/* Fields outside of capabilities, in or behind the header. */
static void print_own(const struct vcfg_persona *p, bool header, FILE *to)
{
	for (unsigned int k = 0; k < p->num_fields; k++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, k);

		if ((f.pos < PCI_STD_HEADER_SIZEOF) != header ||
		    vcfg_persona_cap_at(p, f.pos) != p->num_caps)
			continue;
		map_print_field(p, k, to);
		fprintf(to, "\n");
	}
}

void map_print(const struct vcfg_persona *p, FILE *to)
{
	fprintf(to, "persona %s version %u\nconfig %u\n\n", p->name, p->version,
		p->config_bytes);
	print_own(p, true, to);
	fprintf(to, "\n");
	for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++)
		map_print_bar(p, i, to);
	for (unsigned int i = 0; i < p->num_caps; i++) {
		fprintf(to, "\n");
		print_cap(p, i, to);
	}
	fprintf(to, "\n");
	print_own(p, false, to);
}
