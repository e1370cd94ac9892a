// SPDX-License-Identifier: GPL-2.0
/*
 * Compiled personas: validation of a blob, and look-up.  Pure.  Whether a device can
 * keep what a persona promises is in persona_fit.c.
 *
 * The blob may come from anyone.  Sizes and the checksum come first; then each
 * record is copied out, checked, and entered into the arrays of bits, so that what
 * is defined twice shows at the second one.
 */
#include "persona.h"
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

/* Validation. */

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

static int parse_header(struct vcfg_persona *p, struct vcfg_persona_why *why)
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

static bool type_is_io(u8 type)
{
	return type & PCI_BASE_ADDRESS_SPACE_IO;
}

static bool type_is_64(u8 type)
{
	return !type_is_io(type) &&
	       (type & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
}

static int bar_check_type(const struct vcfg_persona_bar *bar, bool rom,
			  struct vcfg_persona_why *why)
{
	if (rom ? bar->type : type_is_io(bar->type) ?
	    bar->type != PCI_BASE_ADDRESS_SPACE_IO :
	    bar->type > 0xf || (bar->type & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
			       PCI_BASE_ADDRESS_MEM_TYPE_MASK)
		return vcfg_persona_refuse(why, -EINVAL, "type of a BAR is not known", 0,
					   bar->type);
	return 0;
}

static int bar_check_bytes(const struct vcfg_persona_bar *bar, bool rom,
			   struct vcfg_persona_why *why)
{
	u64 least = rom ? 2048 : type_is_io(bar->type) ? 4 : 16;
	u64 most = !rom && type_is_64(bar->type) ? BIT_ULL(63) : BIT_ULL(31);

	if (!is_power_of_2(bar->bytes))
		return vcfg_persona_refuse(why, -EINVAL,
					   "size of a BAR is not a power of two", 0,
					   bar->bytes);
	if (bar->bytes < least)
		return vcfg_persona_refuse(why, -EINVAL, "BAR is too small", least,
					   bar->bytes);
	if (bar->bytes > most)
		return vcfg_persona_refuse(why, -EINVAL, "BAR is too large for its type",
					   most, bar->bytes);
	return 0;
}

/* A BAR that is shown, at @pos. */
static int parse_bar_shown(struct vcfg_persona *p, unsigned int i, unsigned int pos,
			   struct vcfg_persona_why *why)
{
	struct vcfg_persona_bar bar = vcfg_persona_bar(p, i);
	bool rom = i == VPV_PERSONA_ROM;
	int err = bar_check_type(&bar, rom, why);
	u64 mask = ~(bar.bytes - 1);

	err = err ? err : bar_check_bytes(&bar, rom, why);
	if (err)
		return err;
	if (rom)
		mask |= PCI_ROM_ADDRESS_ENABLE;
	vcfg_persona_claim(p, pos, 4, ~0U, bar.type);
	for (unsigned int k = 0; k < 4; k++)
		p->known[pos + k] = ~(mask >> 8 * k) & 0xff;
	if (rom || !type_is_64(bar.type))
		return 0;
	if (i + 1 == VPV_PERSONA_BARS)
		return vcfg_persona_refuse(why, -ENOSPC,
					   "64-bit BAR has no place for its upper half",
					   VPV_PERSONA_BARS - 2, i);
	if (vcfg_persona_bar(p, i + 1).kind != VPV_PERSONA_BAR_NONE)
		return vcfg_persona_refuse(why, -EEXIST,
					   "upper half of a 64-bit BAR is another BAR",
					   VPV_PERSONA_BAR_NONE,
					   vcfg_persona_bar(p, i + 1).kind);
	for (unsigned int k = 0; k < 4; k++)
		p->known[pos + 4 + k] = ~(mask >> (32 + 8 * k)) & 0xff;
	return 0;
}

static int parse_bars(struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	struct vpv_persona_bar raw;

	for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++) {
		unsigned int pos = i == VPV_PERSONA_ROM ? PCI_ROM_ADDRESS :
							  PCI_BASE_ADDRESS_0 + 4 * i;
		int err;

		vcfg_persona_part(why, VCFG_PERSONA_BAR, i);
		memcpy(&raw, p->blob + offsetof(struct vpv_persona_header, bar) +
			     i * sizeof(raw), sizeof(raw));
		if (raw.kind > VPV_PERSONA_BAR_SHOWN)
			return vcfg_persona_refuse(why, -EINVAL,
						   "kind of a BAR is not known",
						   VPV_PERSONA_BAR_SHOWN, raw.kind);
		if (memchr_inv(raw.reserved, 0, sizeof(raw.reserved)))
			return vcfg_persona_refuse(why, -EINVAL,
						   "reserved bytes of a BAR are not 0", 0,
						   1);
		if (raw.kind != VPV_PERSONA_BAR_SHOWN && (raw.bytes || raw.type))
			return vcfg_persona_refuse(why, -EINVAL,
						   "BAR that is not shown has a size or type",
						   0, le64_to_cpu(raw.bytes));
		vcfg_persona_claim(p, pos, 4, ~0U, 0);
		err = raw.kind == VPV_PERSONA_BAR_SHOWN ?
			parse_bar_shown(p, i, pos, why) : 0;
		if (err)
			return err;
	}
	return 0;
}

static int parse_callbacks(const struct vcfg_persona *p, struct vcfg_persona_why *why)
{
	u64 used = 0;

	for (unsigned int i = 0; i < p->num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, i);

		if (f.source == VPV_PERSONA_CALLBACK)
			used |= BIT_ULL(f.callback);
	}
	for (unsigned int i = 0; i < p->num_callbacks; i++) {
		const char *name = vcfg_persona_callback(p, i);

		vcfg_persona_part(why, VCFG_PERSONA_NAME, i);
		if (!vcfg_persona_name_good((const u8 *)name))
			return vcfg_persona_refuse(why, -EINVAL,
						   "name of a callback is malformed", 0, i);
		if (i && memcmp(vcfg_persona_callback(p, i - 1), name,
				VPV_PERSONA_NAME_BYTES) >= 0)
			return vcfg_persona_refuse(why, -EINVAL,
						   "names of callbacks are not in order", 0, i);
		if (!(used >> i & 1))
			return vcfg_persona_refuse(why, -EINVAL, "callback is not used", 1, 0);
	}
	return 0;
}

int vcfg_persona_parse(struct vcfg_persona *p, const void *blob, size_t bytes,
		       struct vcfg_persona_why *why)
{
	int err;

	memset(p, 0, sizeof(*p));
	memset(why, 0, sizeof(*why));
	memset(p->known, 0xff, sizeof(p->known));
	p->blob = blob;
	p->bytes = bytes;
	err = parse_header(p, why);
	err = err ? err : parse_bars(p, why);
	err = err ? err : vcfg_persona_caps(p, why);
	err = err ? err : vcfg_persona_fields(p, why);
	err = err ? err : parse_callbacks(p, why);
	if (err)
		return err;
	vcfg_persona_part(why, VCFG_PERSONA_BLOB, 0);
	err = vcfg_persona_needed(p, why);
	err = err ? err : vcfg_persona_lengths(p, why);
	return err ? err : vcfg_persona_check_msix(p, NULL, NULL, why);
}
