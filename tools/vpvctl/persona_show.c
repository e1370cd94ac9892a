// SPDX-License-Identifier: GPL-2.0
/* "vpvctl persona show": the layout of a persona, as a table or as JSON. */
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "persona_map.h"
#include "vpvctl.h"

static const char *bar_kind(const struct vcfg_persona_bar *bar, bool rom)
{
	if (bar->kind == VPV_PERSONA_BAR_HIDDEN)
		return "hidden";
	if (rom)
		return "rom";
	return map_bar_type_name(bar->type);
}

static struct json_object *bars_json(const struct vcfg_persona *p)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++) {
		struct vcfg_persona_bar bar = vcfg_persona_bar(p, i);
		bool rom = i == VPV_PERSONA_ROM;
		struct json_object *obj;

		if (bar.kind == VPV_PERSONA_BAR_NONE)
			continue;
		obj = json_object_new_object();
		if (!rom)
			put_number(obj, "index", i);
		else
			put_text(obj, "index", "rom");
		put_text(obj, "type", bar_kind(&bar, rom));
		if (bar.kind == VPV_PERSONA_BAR_SHOWN) {
			put_number(obj, "bytes", bar.bytes);
			put_flag(obj, "prefetch",
				 !(bar.type & PCI_BASE_ADDRESS_SPACE_IO) &&
				 bar.type & PCI_BASE_ADDRESS_MEM_PREFETCH);
		}
		json_object_array_add(list, obj);
	}
	return list;
}

static struct json_object *caps_json(const struct vcfg_persona *p)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < p->num_caps; i++) {
		struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);
		struct json_object *obj = json_object_new_object();
		const char *name = map_cap_name(cap.id, cap.ext);

		put_number(obj, "offset", cap.pos);
		put_number(obj, "bytes", cap.bytes);
		put_flag(obj, "extended", cap.ext);
		put_number(obj, "id", cap.id);
		put_text_or_null(obj, "name", name ? name : "");
		if (cap.ext)
			put_number(obj, "version", cap.version);
		put_number(obj, "from", cap.from);
		json_object_array_add(list, obj);
	}
	return list;
}

static struct json_object *fields_json(const struct vcfg_persona *p)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < p->num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, i);
		struct json_object *obj = json_object_new_object();

		put_number(obj, "offset", f.pos);
		put_number(obj, "bytes", f.bytes);
		put_text(obj, "source", map_source_name(f.source));
		put_hex(obj, "bits", 2 * min(f.bytes, 4U), f.bits);
		if (f.source == VPV_PERSONA_FIXED || f.source == VPV_PERSONA_EMULATED)
			put_hex(obj, "value", 2 * f.bytes, f.value);
		if (f.write || f.narrowed)
			put_hex(obj, "write", 2 * f.bytes, f.write);
		if (f.w1c)
			put_hex(obj, "w1c", 2 * f.bytes, f.w1c);
		if (f.source == VPV_PERSONA_CALLBACK)
			put_text(obj, "callback", vcfg_persona_callback(p, f.callback));
		json_object_array_add(list, obj);
	}
	return list;
}

static void show_json(const struct persona *persona, const char *digest)
{
	const struct vcfg_persona *p = &persona->p;
	struct json_object *obj = json_object_new_object();

	put_text(obj, "name", p->name);
	put_number(obj, "version", p->version);
	put_text(obj, "digest", digest);
	put_number(obj, "config_bytes", p->config_bytes);
	put_number(obj, "compiled_bytes", persona->bytes);
	json_object_object_add(obj, "bars", bars_json(p));
	json_object_object_add(obj, "capabilities", caps_json(p));
	json_object_object_add(obj, "fields", fields_json(p));
	print_json(obj, false);
}

/* What is there, or NULL. */
static const char *field_text(const struct vcfg_persona *p,
			      const struct vcfg_persona_field *f)
{
	const struct map_register *reg = map_register_of(f);
	unsigned int owner = vcfg_persona_cap_at(p, f->pos);
	struct vcfg_persona_cap cap;

	if (owner < p->num_caps) {
		cap = vcfg_persona_cap(p, owner);
		return map_register_text(&cap, f->pos - cap.pos);
	}
	if (reg)
		return reg->name;
	return f->pos < PCI_STD_HEADER_SIZEOF ? map_register_text(NULL, f->pos) : NULL;
}

/* Place, source, value, and what else there is. */
static void show_field(const struct vcfg_persona *p, unsigned int i)
{
	struct vcfg_persona_field f = vcfg_persona_field(p, i);
	int digits = 2 * (int)min(f.bytes, 4U);
	const char *text = field_text(p, &f);
	char line[200], value[16] = "";
	int len;

	if (f.source == VPV_PERSONA_FIXED || f.source == VPV_PERSONA_EMULATED)
		snprintf(value, sizeof(value), "%0*x", digits, f.value);
	len = snprintf(line, sizeof(line), "%-8s %8s", map_source_name(f.source), value);
	if (f.write || f.narrowed)
		len += snprintf(line + len, sizeof(line) - len, "  write %0*x", digits,
				f.write);
	if (f.w1c)
		len += snprintf(line + len, sizeof(line) - len, "  w1c %0*x", digits, f.w1c);
	if (f.source == VPV_PERSONA_CALLBACK)
		len += snprintf(line + len, sizeof(line) - len, "  %s",
				vcfg_persona_callback(p, f.callback));
	if (f.bytes <= 4 && f.bits != ~0U >> (32 - 8 * f.bytes))
		len += snprintf(line + len, sizeof(line) - len, "  bits %0*x", digits, f.bits);
	if (text)
		len += snprintf(line + len, sizeof(line) - len, "  %s", text);
	while (len && line[len - 1] == ' ')
		line[--len] = 0;
	printf("  0x%03x %4u  %s\n", f.pos, f.bytes, line);
}

int persona_show(const struct persona *persona)
{
	const struct vcfg_persona *p = &persona->p;
	char digest[2 * VPV_PERSONA_DIGEST_BYTES + 1];

	persona_digest(persona, digest);
	if (vpvctl.json) {
		show_json(persona, digest);
		return 0;
	}
	paint(PAINT_BOLD, "%s version %u", p->name, p->version);
	printf("\n  digest %s\n  %u bytes of config space, compiled %zu bytes\n", digest,
	       p->config_bytes, persona->bytes);
	paint(PAINT_BOLD, "BARs");
	printf("\n");
	for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++) {
		if (vcfg_persona_bar(p, i).kind == VPV_PERSONA_BAR_NONE)
			continue;
		printf("  ");
		map_print_bar(p, i, stdout);
	}
	paint(PAINT_BOLD, "Capabilities");
	printf("\n");
	for (unsigned int i = 0; i < p->num_caps; i++) {
		printf("  ");
		map_print_cap(p, i, stdout);
		printf("\n");
	}
	paint(PAINT_BOLD, "Fields");
	printf("\n");
	for (unsigned int i = 0; i < p->num_fields; i++)
		show_field(p, i);
	return 0;
}
