// SPDX-License-Identifier: GPL-2.0
/*
 * Maps of personas: to the compiled form, in its order, and through the validator,
 * whose refusal gets the place of the statement that it is about.
 */
#include <stdlib.h>

#include "persona_map.h"
#include "vpvctl.h"

/* Names of callbacks, in order. */
struct names {
	char name[VPV_PERSONA_MAX_CALLBACKS][VPV_PERSONA_NAME_BYTES];
	unsigned int num;
};

static int field_order(const void *va, const void *vb)
{
	const struct map_field *a = va, *b = vb;
	unsigned int at_a = vcfg_persona_first_bit(&a->rec);
	unsigned int at_b = vcfg_persona_first_bit(&b->rec);

	if (at_a != at_b)
		return at_a < at_b ? -1 : 1;
	/* Defined twice: blame the later one. */
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return 0;
}

static int name_order(const void *a, const void *b)
{
	return memcmp(a, b, VPV_PERSONA_NAME_BYTES);
}

static bool wrong(struct map_error *error, struct map_at at, const char *text)
{
	error->at = at;
	snprintf(error->text, sizeof(error->text), "%s", text);
	return false;
}

static bool names_collect(struct map *map, struct names *names, struct map_error *error)
{
	for (unsigned int i = 0; i < map->num_fields; i++) {
		const struct map_field *f = &map->fields[i];
		unsigned int k = 0;

		if (f->rec.source != VPV_PERSONA_CALLBACK)
			continue;
		while (k < names->num && name_order(names->name[k], f->callback))
			k++;
		if (k < names->num)
			continue;
		if (k == VPV_PERSONA_MAX_CALLBACKS)
			return wrong(error, f->at,
				     "expected no more than 64 callbacks, found another");
		memcpy(names->name[names->num++], f->callback, VPV_PERSONA_NAME_BYTES);
	}
	qsort(names->name, names->num, VPV_PERSONA_NAME_BYTES, name_order);
	return true;
}

static u16 names_find(const struct names *names, const char *name)
{
	for (unsigned int k = 0; k < names->num; k++)
		if (!name_order(names->name[k], name))
			return (u16)k;
	return VPV_PERSONA_NO_CALLBACK;
}

static u8 *put(u8 *to, const void *from, size_t bytes)
{
	memcpy(to, from, bytes);
	return to + bytes;
}

static u8 *put_header(u8 *to, const struct map *map, const struct names *names, size_t bytes)
{
	struct vpv_persona_header h = {
		.format = cpu_to_le16(VPV_PERSONA_FORMAT),
		.header_bytes = cpu_to_le16(sizeof(h)),
		.bytes = cpu_to_le32((u32)bytes),
		.version = cpu_to_le32(map->version),
		.config_bytes = cpu_to_le16((u16)map->config_bytes),
		.num_caps = cpu_to_le16((u16)map->num_caps),
		.num_fields = cpu_to_le16((u16)map->num_fields),
		.num_callbacks = cpu_to_le16((u16)names->num),
	};

	memcpy(h.magic, VPV_PERSONA_MAGIC, VPV_PERSONA_MAGIC_BYTES);
	memcpy(h.name, map->name, sizeof(h.name));
	for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++) {
		h.bar[i].kind = map->bars[i].kind;
		h.bar[i].type = map->bars[i].type;
		h.bar[i].bytes = cpu_to_le64(map->bars[i].bytes);
	}
	return put(to, &h, sizeof(h));
}

static u8 *put_cap(u8 *to, const struct vcfg_persona_cap *cap)
{
	struct vpv_persona_cap raw = {
		.pos = cpu_to_le16((u16)cap->pos),
		.bytes = cpu_to_le16((u16)cap->bytes),
		.id = cpu_to_le16(cap->id),
		.version = cap->version,
		.flags = cap->ext ? VPV_PERSONA_CAP_EXT : 0,
		.from = cap->from,
	};

	return put(to, &raw, sizeof(raw));
}

static u8 *put_field(u8 *to, const struct map_field *f, const struct names *names)
{
	struct vpv_persona_field raw = {
		.pos = cpu_to_le16((u16)f->rec.pos),
		.bytes = cpu_to_le16((u16)f->rec.bytes),
		.source = f->rec.source,
		.flags = f->rec.narrowed ? VPV_PERSONA_FIELD_WRITE : 0,
		.callback = cpu_to_le16(f->rec.source == VPV_PERSONA_CALLBACK ?
					names_find(names, f->callback) :
					VPV_PERSONA_NO_CALLBACK),
		.bits = cpu_to_le32(f->rec.bits),
		.value = cpu_to_le32(f->rec.value),
		.write = cpu_to_le32(f->rec.write),
		.w1c = cpu_to_le32(f->rec.w1c),
	};

	return put(to, &raw, sizeof(raw));
}

/* The statement that a refusal is about. */
struct map_at map_blame(const struct map *map, const struct vcfg_persona_why *why)
{
	struct map_at at = map->at;

	switch (why->part) {
	case VCFG_PERSONA_BAR:
		at = map->bar_at[why->index];
		break;
	case VCFG_PERSONA_CAP:
		at = map->caps[why->index].at;
		break;
	case VCFG_PERSONA_FIELD:
		at = map->fields[why->index].at;
		break;
	default:
		break;
	}
	return at.line ? at : map->at;
}

/* Sorts the fields of @map.  Returns the size, or 0 after an error. */
size_t map_emit(struct map *map, u8 *blob, struct map_error *error)
{
	struct vcfg_persona *p = xalloc(sizeof(*p));
	struct names *names = xalloc(sizeof(*names));
	struct vcfg_persona_why why;
	size_t bytes = 0;
	u8 *to;

	qsort(map->fields, map->num_fields, sizeof(map->fields[0]), field_order);
	if (!names_collect(map, names, error))
		goto out;
	bytes = sizeof(struct vpv_persona_header) +
		map->num_caps * sizeof(struct vpv_persona_cap) +
		map->num_fields * sizeof(struct vpv_persona_field) +
		names->num * sizeof(struct vpv_persona_callback);
	to = put_header(blob, map, names, bytes);
	for (unsigned int i = 0; i < map->num_caps; i++)
		to = put_cap(to, &map->caps[i].rec);
	for (unsigned int i = 0; i < map->num_fields; i++)
		to = put_field(to, &map->fields[i], names);
	put(to, names->name, names->num * VPV_PERSONA_NAME_BYTES);
	put_unaligned_le32(vcfg_persona_crc(blob, bytes),
			   blob + offsetof(struct vpv_persona_header, crc));
	if (vcfg_persona_parse(p, blob, bytes, &why)) {
		error->at = map_blame(map, &why);
		snprintf(error->text, sizeof(error->text), "%s (expected %#llx, found %#llx)",
			 why.text, (unsigned long long)why.want, (unsigned long long)why.got);
		bytes = 0;
	}
out:
	free(names);
	free(p);
	return bytes;
}
