// SPDX-License-Identifier: GPL-2.0
/*
 * The format of compiled personas: its records, what is in them, and names.  Pure.
 *
 * Nothing but the header is checked here: of a blob whose sizes are right, records can be
 * looked at, whatever they say.
 */
#include "persona_format.h"
#include "vcfg.h"

/* As Documentation/persona.rst draws them. */
static_assert(sizeof(struct vpv_persona_bar) == 16);
static_assert(sizeof(struct vpv_persona_header) == 176);
static_assert(sizeof(struct vpv_persona_cap) == 12);
static_assert(sizeof(struct vpv_persona_field) == 24);
static_assert(sizeof(struct vpv_persona_callback) == VPV_PERSONA_NAME_BYTES);

#define HEADER_BYTES	sizeof(struct vpv_persona_header)
#define CRC_POS		offsetof(struct vpv_persona_header, crc)

static_assert(HEADER_BYTES + VPV_PERSONA_MAX_CAPS * sizeof(struct vpv_persona_cap) +
	      VPV_PERSONA_MAX_FIELDS * sizeof(struct vpv_persona_field) +
	      VPV_PERSONA_MAX_CALLBACKS * VPV_PERSONA_NAME_BYTES <= VPV_PERSONA_MAX_BYTES);

void vcfg_persona_part(struct vcfg_persona_why *why, enum vcfg_persona_part part,
		       unsigned int index)
{
	why->part = part;
	why->index = index;
}

int vcfg_persona_refuse(struct vcfg_persona_why *why, int err, const char *text,
			u64 want, u64 got)
{
	why->text = text;
	why->want = want;
	why->got = got;
	return err;
}

u32 vcfg_persona_crc(const void *blob, size_t bytes)
{
	static const u8 zero[4];
	const u8 *at = blob;
	u32 crc = crc32c(~0U, at, CRC_POS);

	crc = crc32c(crc, zero, sizeof(zero));
	return ~crc32c(crc, at + CRC_POS + 4, bytes - CRC_POS - 4);
}

/* Look-up. */

static size_t fields_begin(const struct vcfg_persona *p)
{
	return HEADER_BYTES + p->num_caps * sizeof(struct vpv_persona_cap);
}

static size_t callbacks_begin(const struct vcfg_persona *p)
{
	return fields_begin(p) + p->num_fields * sizeof(struct vpv_persona_field);
}

struct vcfg_persona_bar vcfg_persona_bar(const struct vcfg_persona *p, unsigned int i)
{
	struct vpv_persona_bar raw;

	memcpy(&raw, p->blob + offsetof(struct vpv_persona_header, bar) + i * sizeof(raw),
	       sizeof(raw));
	return (struct vcfg_persona_bar){
		.kind = raw.kind,
		.type = raw.type,
		.bytes = le64_to_cpu(raw.bytes),
	};
}

struct vcfg_persona_cap vcfg_persona_cap(const struct vcfg_persona *p, unsigned int i)
{
	struct vpv_persona_cap raw;

	memcpy(&raw, p->blob + HEADER_BYTES + i * sizeof(raw), sizeof(raw));
	return (struct vcfg_persona_cap){
		.pos = le16_to_cpu(raw.pos),
		.bytes = le16_to_cpu(raw.bytes),
		.id = le16_to_cpu(raw.id),
		.version = raw.version,
		.ext = raw.flags & VPV_PERSONA_CAP_EXT,
		.odd = raw.flags & ~VPV_PERSONA_CAP_EXT ||
		       memchr_inv(raw.reserved, 0, sizeof(raw.reserved)),
		.from = raw.from,
	};
}

struct vcfg_persona_field vcfg_persona_field(const struct vcfg_persona *p, unsigned int i)
{
	struct vpv_persona_field raw;

	memcpy(&raw, p->blob + fields_begin(p) + i * sizeof(raw), sizeof(raw));
	return (struct vcfg_persona_field){
		.pos = le16_to_cpu(raw.pos),
		.bytes = le16_to_cpu(raw.bytes),
		.source = raw.source,
		.narrowed = raw.flags & VPV_PERSONA_FIELD_WRITE,
		.odd = raw.flags & ~VPV_PERSONA_FIELD_WRITE,
		.callback = le16_to_cpu(raw.callback),
		.bits = le32_to_cpu(raw.bits),
		.value = le32_to_cpu(raw.value),
		.write = le32_to_cpu(raw.write),
		.w1c = le32_to_cpu(raw.w1c),
	};
}

const char *vcfg_persona_callback(const struct vcfg_persona *p, unsigned int i)
{
	return (const char *)p->blob + callbacks_begin(p) + i * VPV_PERSONA_NAME_BYTES;
}

unsigned int vcfg_persona_first_bit(const struct vcfg_persona_field *f)
{
	return f->pos * 8 + ilog2(f->bits & -f->bits);
}

static bool field_has(const struct vcfg_persona_field *f, unsigned int pos,
		      unsigned int bit)
{
	if (pos < f->pos || pos >= f->pos + f->bytes)
		return false;
	return f->bytes > 4 || f->bits >> ((pos - f->pos) * 8 + bit) & 1;
}

/* Fields are in the order of their first bits, which are in the dword of @pos. */
unsigned int vcfg_persona_from(const struct vcfg_persona *p, unsigned int pos)
{
	unsigned int low = 0, high = p->num_fields;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;
		struct vcfg_persona_field f = vcfg_persona_field(p, mid);

		if (vcfg_persona_first_bit(&f) < ALIGN_DOWN(pos, 4) * 8)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

u32 vcfg_persona_emulated(const struct vcfg_persona *p, unsigned int pos, u32 *write)
{
	u32 bits = 0;

	*write = 0;
	for (unsigned int i = vcfg_persona_from(p, pos); i < p->num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, i);
		unsigned int shift = 8 * (f.pos & 3);

		if (f.pos >= pos + 4)
			break;
		if (f.source != VPV_PERSONA_EMULATED)
			continue;
		bits |= f.bits << shift;
		*write |= f.write << shift;
	}
	return bits;
}

/*
 * Bits of two fields may be interleaved in a dword, so that the field in question
 * need not be the last one that begins before the bit; but it begins in its dword,
 * or is the range that does so before.
 */
unsigned int vcfg_persona_find(const struct vcfg_persona *p, unsigned int pos,
			       unsigned int bit)
{
	unsigned int low = 0, high = p->num_fields;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;
		struct vcfg_persona_field f = vcfg_persona_field(p, mid);

		if (vcfg_persona_first_bit(&f) <= pos * 8 + bit)
			low = mid + 1;
		else
			high = mid;
	}
	while (low--) {
		struct vcfg_persona_field f = vcfg_persona_field(p, low);

		if (field_has(&f, pos, bit))
			return low;
		if (f.pos < ALIGN_DOWN(pos, 4))
			break;
	}
	return p->num_fields;
}

unsigned int vcfg_persona_cap_at(const struct vcfg_persona *p, unsigned int pos)
{
	for (unsigned int i = 0; i < p->num_caps; i++) {
		struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);

		if (pos >= cap.pos && pos < cap.pos + cap.bytes)
			return i;
	}
	return p->num_caps;
}

/* Names. */

static bool name_char(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return !first && ((c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-');
}

bool vcfg_persona_name_good(const u8 *name)
{
	unsigned int len = 0;

	while (len < VPV_PERSONA_NAME_BYTES && name_char(name[len], !len))
		len++;
	return len && len < VPV_PERSONA_NAME_BYTES &&
	       !memchr_inv(name + len, 0, VPV_PERSONA_NAME_BYTES - len);
}

/* The header. */

static int parse_sizes(struct vcfg_persona *p, const struct vpv_persona_header *h,
		       struct vcfg_persona_why *why)
{
	size_t bytes;

	p->config_bytes = le16_to_cpu(h->config_bytes);
	p->num_caps = le16_to_cpu(h->num_caps);
	p->num_fields = le16_to_cpu(h->num_fields);
	p->num_callbacks = le16_to_cpu(h->num_callbacks);
	if (p->num_caps > VPV_PERSONA_MAX_CAPS)
		return vcfg_persona_refuse(why, -EMSGSIZE, "too many capabilities",
					   VPV_PERSONA_MAX_CAPS, p->num_caps);
	if (p->num_fields > VPV_PERSONA_MAX_FIELDS)
		return vcfg_persona_refuse(why, -EMSGSIZE, "too many fields",
					   VPV_PERSONA_MAX_FIELDS, p->num_fields);
	if (p->num_callbacks > VPV_PERSONA_MAX_CALLBACKS)
		return vcfg_persona_refuse(why, -EMSGSIZE, "too many callbacks",
					   VPV_PERSONA_MAX_CALLBACKS, p->num_callbacks);
	bytes = callbacks_begin(p) + p->num_callbacks * VPV_PERSONA_NAME_BYTES;
	if (bytes != p->bytes)
		return vcfg_persona_refuse(why, -EMSGSIZE, "size is not that of its parts",
					   bytes, p->bytes);
	if (le32_to_cpu(h->bytes) != p->bytes)
		return vcfg_persona_refuse(why, -EMSGSIZE, "size is not the one it names",
					   le32_to_cpu(h->bytes), p->bytes);
	return 0;
}

int vcfg_persona_header(struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	struct vpv_persona_header h;
	u32 crc;
	int err;

	if (p->bytes < sizeof(h) || p->bytes > VPV_PERSONA_MAX_BYTES)
		return vcfg_persona_refuse(why, -EMSGSIZE, "not the size of a persona",
					   sizeof(h), p->bytes);
	memcpy(&h, p->blob, sizeof(h));
	if (memcmp(h.magic, VPV_PERSONA_MAGIC, VPV_PERSONA_MAGIC_BYTES))
		return vcfg_persona_refuse(why, -EBADMSG, "not a compiled persona", 0, 0);
	if (le16_to_cpu(h.format) != VPV_PERSONA_FORMAT)
		return vcfg_persona_refuse(why, -EPROTONOSUPPORT, "format is not known",
					   VPV_PERSONA_FORMAT, le16_to_cpu(h.format));
	if (le16_to_cpu(h.header_bytes) != sizeof(h))
		return vcfg_persona_refuse(why, -EPROTONOSUPPORT,
					   "size of the header is not known", sizeof(h),
					   le16_to_cpu(h.header_bytes));
	err = parse_sizes(p, &h, why);
	if (err)
		return err;
	crc = vcfg_persona_crc(p->blob, p->bytes);
	if (crc != le32_to_cpu(h.crc))
		return vcfg_persona_refuse(why, -EBADMSG, "checksum is wrong", crc,
					   le32_to_cpu(h.crc));
	if (!vcfg_persona_name_good(h.name))
		return vcfg_persona_refuse(why, -EINVAL, "name is malformed", 0, 0);
	memcpy(p->name, h.name, sizeof(p->name));
	p->version = le32_to_cpu(h.version);
	if (!p->version)
		return vcfg_persona_refuse(why, -EINVAL, "version is 0", 1, 0);
	if (p->config_bytes != VCFG_STD_BYTES && p->config_bytes != VCFG_MAX_BYTES)
		return vcfg_persona_refuse(why, -EINVAL,
					   "config space is not 256 or 4096 bytes",
					   VCFG_MAX_BYTES, p->config_bytes);
	return 0;
}

/* Bits that the persona makes itself, so that no field can have them. */
void vcfg_persona_claim(struct vcfg_persona *p, unsigned int pos, unsigned int bytes,
			u32 bits, u32 val)
{
	for (unsigned int i = 0; i < bytes; i++) {
		p->claimed[pos + i] |= bits >> 8 * i & 0xff;
		p->val[pos + i] |= val >> 8 * i & 0xff;
	}
}
