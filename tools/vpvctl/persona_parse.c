// SPDX-License-Identifier: GPL-2.0
/*
 * Maps of personas: statements.  Only the language is checked here; what a persona
 * may say is checked where all persona bytes are, in config_virt/persona.c.
 */
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "persona_map.h"

/* "MASK" behind the word @word, if that comes. */
static bool parse_mask(struct map_lexer *lex, const char *word, u64 most,
		       unsigned int shift, u32 *mask, bool *there)
{
	u64 val;

	*there = map_lex_is(lex, word);
	if (!*there)
		return true;
	if (!map_lex_next(lex) || !map_lex_number(lex, "a mask", most, &val))
		return false;
	*mask = (u32)(val << shift);
	return true;
}

static bool parse_value(struct map_lexer *lex, const char *what, u64 most,
			unsigned int shift, u32 *value)
{
	u64 val;

	if (!map_lex_number(lex, what, most, &val))
		return false;
	*value = (u32)(val << shift);
	return true;
}

/* What follows the name of a source. */
static bool parse_details(struct map_lexer *lex, struct map_field *f, unsigned int shift,
			  u64 most)
{
	bool there;

	switch (f->rec.source) {
	case VPV_PERSONA_HW:
		return parse_mask(lex, "write", most, shift, &f->rec.write,
				  &f->rec.narrowed);
	case VPV_PERSONA_FIXED:
		return parse_value(lex, "a value", most, shift, &f->rec.value);
	case VPV_PERSONA_EMULATED:
		return parse_value(lex, "a default value", most, shift, &f->rec.value) &&
		       parse_mask(lex, "write", most, shift, &f->rec.write, &there) &&
		       parse_mask(lex, "w1c", most, shift, &f->rec.w1c, &there);
	case VPV_PERSONA_CALLBACK:
		return map_lex_name(lex, "the name of a callback", f->callback) &&
		       parse_mask(lex, "write", most, shift, &f->rec.write, &there);
	default:
		return true;
	}
}

static bool parse_source(struct map_lexer *lex, struct map_field *f, unsigned int shift)
{
	u64 most = f->rec.bytes >= 4 ? ~0U >> shift : (1U << 8 * f->rec.bytes) - 1;
	unsigned int source = 0;

	while (source <= VPV_PERSONA_CALLBACK && !map_lex_is(lex, map_source_name(source)))
		source++;
	if (source > VPV_PERSONA_CALLBACK)
		return map_lex_wrong(lex,
				     "'hw', 'fixed', 'emulated', 'hidden' or 'callback'");
	f->rec.source = source;
	f->rec.callback = VPV_PERSONA_NO_CALLBACK;
	return map_lex_next(lex) && parse_details(lex, f, shift, most) && map_lex_line(lex);
}

static struct map_field *field_new(struct map *map, struct map_lexer *lex)
{
	struct map_field *f = &map->fields[map->num_fields];

	if (map->num_fields == VPV_PERSONA_MAX_FIELDS) {
		map_lex_wrong(lex, "no more than 2048 fields");
		return NULL;
	}
	map->num_fields++;
	*f = (struct map_field){ .at = lex->at };
	return f;
}

static bool parse_register(struct map *map, struct map_lexer *lex,
			   const struct map_register *reg)
{
	struct map_field *f = field_new(map, lex);

	if (!f)
		return false;
	f->rec.pos = reg->pos;
	f->rec.bytes = reg->bytes;
	f->rec.bits = reg->bits;
	return map_lex_next(lex) && parse_source(lex, f, reg->shift);
}

/* POS:BYTES [bits MASK] SOURCE, with @base added to POS. */
static bool parse_place(struct map *map, struct map_lexer *lex, unsigned int base)
{
	struct map_field *f = field_new(map, lex);
	u64 pos, bytes;
	bool there;

	if (!f || !map_lex_number(lex, "an offset", VCFG_MAX_BYTES - 1, &pos) ||
	    !map_lex_expect(lex, ":") ||
	    !map_lex_number(lex, "a number of bytes", VCFG_MAX_BYTES, &bytes))
		return false;
	f->rec.pos = base + (unsigned int)pos;
	f->rec.bytes = (unsigned int)bytes;
	f->rec.bits = bytes == 1 ? 0xff : bytes == 2 ? 0xffff : ~0U;
	if (!parse_mask(lex, "bits", f->rec.bits, 0, &f->rec.bits, &there))
		return false;
	if (!f->rec.bits) {
		lex->error->at = f->at;
		snprintf(lex->error->text, sizeof(lex->error->text),
			 "expected a mask that is not 0, found 'bits 0'");
		return false;
	}
	return parse_source(lex, f, 0);
}

static bool parse_field(struct map *map, struct map_lexer *lex)
{
	return map_lex_next(lex) && parse_place(map, lex, 0);
}

static bool parse_config(struct map *map, struct map_lexer *lex)
{
	u64 bytes;

	if (map->config_at.line)
		return map_lex_wrong(lex, "'config' only once");
	map->config_at = lex->at;
	if (!map_lex_next(lex) ||
	    !map_lex_number(lex, "256 or 4096", VCFG_MAX_BYTES, &bytes))
		return false;
	map->config_bytes = (unsigned int)bytes;
	return map_lex_line(lex);
}

/* TYPE SIZE [prefetch] */
static bool parse_bar_type(struct map_lexer *lex, struct vcfg_persona_bar *bar)
{
	int type = lex->token == TOKEN_WORD ? map_bar_type(lex->text, lex->bytes) : -1;

	if (type < 0)
		return map_lex_wrong(lex, "'hidden', 'io', 'mem32', 'mem1m' or 'mem64'");
	bar->type = (u8)type;
	if (!map_lex_next(lex) || !map_lex_size(lex, &bar->bytes))
		return false;
	if (!map_lex_is(lex, "prefetch"))
		return true;
	if (bar->type == PCI_BASE_ADDRESS_SPACE_IO)
		return map_lex_wrong(lex, "the end of the line (I/O is not prefetchable)");
	bar->type |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	return map_lex_next(lex);
}

/* hidden, or what @parse takes; for BAR @i. */
static bool parse_base(struct map *map, struct map_lexer *lex, u64 i)
{
	struct vcfg_persona_bar *bar = &map->bars[i];
	bool ok;

	if (map_lex_is(lex, "hidden")) {
		bar->kind = VPV_PERSONA_BAR_HIDDEN;
		ok = map_lex_next(lex);
	} else {
		bar->kind = VPV_PERSONA_BAR_SHOWN;
		ok = i == VPV_PERSONA_ROM ? map_lex_size(lex, &bar->bytes) :
					    parse_bar_type(lex, bar);
	}
	return ok && map_lex_line(lex);
}

static bool base_new(struct map *map, struct map_lexer *lex, u64 i, struct map_at at)
{
	if (map->bar_at[i].line) {
		lex->error->at = at;
		snprintf(lex->error->text, sizeof(lex->error->text),
			 "expected each BAR once, found another one (first in line %u)",
			 map->bar_at[i].line);
		return false;
	}
	map->bar_at[i] = at;
	return true;
}

static bool parse_bar(struct map *map, struct map_lexer *lex)
{
	struct map_at at = lex->at;
	u64 i;

	return map_lex_next(lex) &&
	       map_lex_number(lex, "the number of a BAR", VPV_PERSONA_BARS - 1, &i) &&
	       base_new(map, lex, i, at) && parse_base(map, lex, i);
}

static bool parse_rom(struct map *map, struct map_lexer *lex)
{
	struct map_at at = lex->at;

	return map_lex_next(lex) && base_new(map, lex, VPV_PERSONA_ROM, at) &&
	       parse_base(map, lex, VPV_PERSONA_ROM);
}

/* How many of the kind are there already: the next one of the hardware is due. */
static u8 cap_default_from(const struct map *map, const struct vcfg_persona_cap *cap)
{
	u8 from = 1;

	if (cap->ext && !cap->id)
		return 0;
	for (unsigned int i = 0; i + 1 < map->num_caps; i++)
		if (map->caps[i].rec.id == cap->id && map->caps[i].rec.ext == cap->ext)
			from++;
	return from;
}

static bool parse_cap_id(struct map_lexer *lex, struct vcfg_persona_cap *cap)
{
	int id = lex->token == TOKEN_WORD ? map_cap_id(lex->text, lex->bytes, cap->ext) : -1;
	u64 val;

	if (id >= 0) {
		cap->id = (u16)id;
		return map_lex_next(lex);
	}
	if (!map_lex_number(lex, cap->ext ? "an extended capability: a name or id" :
			    "a capability: a name or id", cap->ext ? 0xffff : 0xff, &val))
		return false;
	cap->id = (u16)val;
	return true;
}

/* POS ID [version N] size BYTES [from N|none] */
static bool parse_cap_head(struct map *map, struct map_lexer *lex,
			   struct vcfg_persona_cap *cap)
{
	u64 val;

	if (!map_lex_number(lex, "an offset", VCFG_MAX_BYTES - 1, &val))
		return false;
	cap->pos = (unsigned int)val;
	if (!parse_cap_id(lex, cap))
		return false;
	if (cap->ext) {
		if (!map_lex_expect(lex, "version") ||
		    !map_lex_number(lex, "a version", 0xf, &val))
			return false;
		cap->version = (u8)val;
	}
	if (!map_lex_expect(lex, "size") ||
	    !map_lex_number(lex, "a number of bytes", VCFG_MAX_BYTES, &val))
		return false;
	cap->bytes = (unsigned int)val;
	cap->from = cap_default_from(map, cap);
	if (!map_lex_is(lex, "from"))
		return true;
	if (!map_lex_next(lex))
		return false;
	if (map_lex_is(lex, "none")) {
		cap->from = 0;
		return map_lex_next(lex);
	}
	if (map_lex_is(lex, "0") || !map_lex_number(lex, "'none' or which one", 0xff, &val))
		return map_lex_wrong(lex, "'none' or which one (a number from 1 to 255)");
	cap->from = (u8)val;
	return true;
}

/* { newline, fields with offsets in the capability, } */
static bool parse_cap_body(struct map *map, struct map_lexer *lex, unsigned int pos)
{
	if (!map_lex_next(lex) || !map_lex_line(lex))
		return false;
	while (!map_lex_is(lex, "}")) {
		if (lex->token != TOKEN_WORD || *lex->text != '+')
			return map_lex_wrong(lex, "'+OFFSET:BYTES' or '}'");
		/* The offset without its mark. */
		lex->text++;
		lex->bytes--;
		lex->at.column++;
		if (!parse_place(map, lex, pos))
			return false;
	}
	return map_lex_next(lex) && map_lex_line(lex);
}

static bool parse_any_cap(struct map *map, struct map_lexer *lex, bool ext)
{
	struct map_cap *cap = &map->caps[map->num_caps];

	if (map->num_caps == VPV_PERSONA_MAX_CAPS)
		return map_lex_wrong(lex, "no more than 128 capabilities");
	map->num_caps++;
	*cap = (struct map_cap){ .at = lex->at, .rec.ext = ext };
	if (!map_lex_next(lex) || !parse_cap_head(map, lex, &cap->rec))
		return false;
	return map_lex_is(lex, "{") ? parse_cap_body(map, lex, cap->rec.pos) :
				      map_lex_line(lex);
}

static bool parse_cap(struct map *map, struct map_lexer *lex)
{
	if (map->num_caps && map->caps[map->num_caps - 1].rec.ext)
		return map_lex_wrong(lex, "'cap' before all 'extcap'");
	return parse_any_cap(map, lex, false);
}

static bool parse_extcap(struct map *map, struct map_lexer *lex)
{
	return parse_any_cap(map, lex, true);
}

static const struct {
	const char *word;
	bool (*parse)(struct map *map, struct map_lexer *lex);
} statements[] = {
	{ "bar", parse_bar },
	{ "cap", parse_cap },
	{ "config", parse_config },
	{ "extcap", parse_extcap },
	{ "field", parse_field },
	{ "rom", parse_rom },
};

static bool parse_statement(struct map *map, struct map_lexer *lex)
{
	const struct map_register *reg;

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		if (map_lex_is(lex, statements[i].word))
			return statements[i].parse(map, lex);
	reg = lex->token == TOKEN_WORD ? map_register_find(lex->text, lex->bytes) : NULL;
	if (reg)
		return parse_register(map, lex, reg);
	return map_lex_wrong(lex, "'bar', 'cap', 'config', 'extcap', 'field', 'rom' or a "
			     "register of the header");
}

/* persona NAME version N, then statements. */
bool map_parse(struct map *map, const char *text, size_t bytes, struct map_error *error)
{
	struct map_lexer lex;
	u64 version;

	memset(map, 0, sizeof(*map));
	map->config_bytes = VCFG_MAX_BYTES;
	if (!map_lex_begin(&lex, text, bytes, error))
		return false;
	while (lex.token == TOKEN_LINE)
		if (!map_lex_next(&lex))
			return false;
	map->at = lex.at;
	if (!map_lex_expect(&lex, "persona") ||
	    !map_lex_name(&lex, "the name of the persona", map->name) ||
	    !map_lex_expect(&lex, "version") ||
	    !map_lex_number(&lex, "a version", U32_MAX, &version) || !map_lex_line(&lex))
		return false;
	map->version = (u32)version;
	while (lex.token != TOKEN_END)
		if (!parse_statement(map, &lex))
			return false;
	return true;
}
