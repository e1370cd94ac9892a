// SPDX-License-Identifier: GPL-2.0
/* Compiled personas: config_virt/persona*.c. */
#include <kunit/test.h>

#include "fake_persona.h"

#include "../../config_virt/perm.c"
#include "../../config_virt/persona.c"
#include "../../config_virt/persona_bar.c"
#include "../../config_virt/persona_cap.c"
#include "../../config_virt/persona_field.c"
#include "../../config_virt/persona_fit.c"
#include "../../config_virt/persona_format.c"
#include "../../config_virt/persona_seen.c"

/* What a test needs, on the heap. */
struct room {
	struct fake_persona fake;
	struct vcfg_persona p;
	struct vcfg_persona_why why;
	struct vcfg_persona_hw hw;
	struct vcfg_persona_map map;
	u8 cfg[VCFG_MAX_BYTES];
	u8 val[VCFG_MAX_BYTES];
	u8 known[VCFG_MAX_BYTES];
};

static struct room *new_room(struct kunit *test)
{
	struct room *room = kunit_kzalloc(test, sizeof(*room), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, room);
	fake_fill(&room->fake);
	fake_hardware(&room->hw, room->cfg);
	return room;
}

static int parse(struct room *room)
{
	return vcfg_persona_parse(&room->p, &room->fake, FAKE_BYTES, &room->why);
}

static int fit(struct room *room)
{
	return vcfg_persona_fit(&room->p, &room->hw, &room->map, &room->why);
}

/* One change of bytes, in little-endian order. */
struct poke {
	u16 at;
	u8 bytes;
	u64 val;
};

static void poke(void *base, const struct poke *poke)
{
	for (unsigned int i = 0; i < poke->bytes; i++)
		((u8 *)base)[poke->at + i] = poke->val >> 8 * i & 0xff;
}

#define HDR(m)		offsetof(struct fake_persona, header.m)
#define BARP(i, m)	(offsetof(struct fake_persona, header.bar) +		\
			 (i) * sizeof(struct vpv_persona_bar) +			\
			 offsetof(struct vpv_persona_bar, m))
#define CAPP(i, m)	(offsetof(struct fake_persona, cap) +			\
			 (i) * sizeof(struct vpv_persona_cap) +			\
			 offsetof(struct vpv_persona_cap, m))
#define FIELDP(i, m)	(offsetof(struct fake_persona, field) +			\
			 (i) * sizeof(struct vpv_persona_field) +		\
			 offsetof(struct vpv_persona_field, m))
#define CALLP(o)	(offsetof(struct fake_persona, callback) + (o))

struct refusal {
	const char *name;
	struct poke pokes[3];
	int err;
	enum vcfg_persona_part part;
	unsigned int index;
	const char *text;
};

#define BLOB VCFG_PERSONA_BLOB
#define BAR VCFG_PERSONA_BAR
#define CAP VCFG_PERSONA_CAP
#define FIELD VCFG_PERSONA_FIELD
#define NAME VCFG_PERSONA_NAME

static const struct refusal refusals[] = {
	{ "magic", { { HDR(magic), 1, 'X' } }, -EBADMSG, BLOB, 0,
	  "not a compiled persona" },
	{ "format", { { HDR(format), 2, 2 } }, -EPROTONOSUPPORT, BLOB, 0,
	  "format is not known" },
	{ "header_bytes", { { HDR(header_bytes), 2, 180 } }, -EPROTONOSUPPORT, BLOB, 0,
	  "size of the header is not known" },
	{ "names_other_size", { { HDR(bytes), 4, FAKE_BYTES + 1 } }, -EMSGSIZE, BLOB, 0,
	  "size is not the one it names" },
	{ "caps_too_many", { { HDR(num_caps), 2, 129 } }, -EMSGSIZE, BLOB, 0,
	  "too many capabilities" },
	{ "fields_too_many", { { HDR(num_fields), 2, 2049 } }, -EMSGSIZE, BLOB, 0,
	  "too many fields" },
	{ "callbacks_too_many", { { HDR(num_callbacks), 2, 65 } }, -EMSGSIZE, BLOB, 0,
	  "too many callbacks" },
	{ "one_field_more", { { HDR(num_fields), 2, FAKE_FIELDS + 1 } }, -EMSGSIZE, BLOB,
	  0, "size is not that of its parts" },
	{ "name_empty", { { HDR(name), 8, 0 } }, -EINVAL, BLOB, 0, "name is malformed" },
	{ "name_blank", { { HDR(name), 1, ' ' } }, -EINVAL, BLOB, 0, "name is malformed" },
	{ "name_digit_first", { { HDR(name), 1, '1' } }, -EINVAL, BLOB, 0,
	  "name is malformed" },
	{ "name_padding", { { HDR(name) + 31, 1, 'x' } }, -EINVAL, BLOB, 0,
	  "name is malformed" },
	{ "version_0", { { HDR(version), 4, 0 } }, -EINVAL, BLOB, 0, "version is 0" },
	{ "config_bytes", { { HDR(config_bytes), 2, 1024 } }, -EINVAL, BLOB, 0,
	  "config space is not 256 or 4096 bytes" },
	{ "bar_kind", { { BARP(1, kind), 1, 3 } }, -EINVAL, BAR, 1,
	  "kind of a BAR is not known" },
	{ "bar_reserved", { { BARP(6, reserved) + 5, 1, 1 } }, -EINVAL, BAR, 6,
	  "reserved bytes of a BAR are not 0" },
	{ "bar_hidden_size", { { BARP(0, bytes), 8, 4096 } }, -EINVAL, BAR, 0,
	  "BAR that is not shown has a size or type" },
	{ "bar_no_power", { { BARP(2, bytes), 8, 0x30000 } }, -EINVAL, BAR, 2,
	  "size of a BAR is not a power of two" },
	{ "bar_size_0", { { BARP(2, bytes), 8, 0 } }, -EINVAL, BAR, 2,
	  "size of a BAR is not a power of two" },
	{ "bar_small", { { BARP(2, bytes), 8, 8 } }, -EINVAL, BAR, 2, "BAR is too small" },
	{ "bar_large_32", { { BARP(2, type), 1, 0 }, { BARP(2, bytes), 8, BIT_ULL(32) } },
	  -EINVAL, BAR, 2, "BAR is too large for its type" },
	{ "bar_type", { { BARP(2, type), 1, 6 } }, -EINVAL, BAR, 2,
	  "type of a BAR is not known" },
	{ "bar_type_io", { { BARP(2, type), 1, 3 } }, -EINVAL, BAR, 2,
	  "type of a BAR is not known" },
	{ "bar_type_large", { { BARP(2, type), 1, 0x14 } }, -EINVAL, BAR, 2,
	  "type of a BAR is not known" },
	{ "bar_upper_half_taken", { { BARP(3, kind), 1, VPV_PERSONA_BAR_HIDDEN } }, -EEXIST,
	  BAR, 2, "upper half of a 64-bit BAR is another BAR" },
	/* Kind and type of BAR 5, and BAR 4 without an upper half. */
	{ "bar_upper_half_beyond", { { BARP(4, type), 1, 0 }, { BARP(5, kind), 2,
	  VPV_PERSONA_BAR_SHOWN | PCI_BASE_ADDRESS_MEM_TYPE_64 << 8 },
	  { BARP(5, bytes), 8, 4096 } }, -ENOSPC, BAR, 5,
	  "64-bit BAR has no place for its upper half" },
	{ "bar_upper_half_missing", { { BARP(5, kind), 1, VPV_PERSONA_BAR_SHOWN },
	  { BARP(5, type), 1, 4 }, { BARP(5, bytes), 8, 4096 } }, -EEXIST, BAR, 4,
	  "upper half of a 64-bit BAR is another BAR" },
	{ "rom_small", { { BARP(6, kind), 1, VPV_PERSONA_BAR_SHOWN },
	  { BARP(6, bytes), 8, 1024 } }, -EINVAL, BAR, 6, "BAR is too small" },
	{ "rom_type", { { BARP(6, kind), 1, VPV_PERSONA_BAR_SHOWN }, { BARP(6, type), 1, 1 },
	  { BARP(6, bytes), 8, 4096 } }, -EINVAL, BAR, 6, "type of a BAR is not known" },
	{ "cap_flags", { { CAPP(0, flags), 1, 2 } }, -EINVAL, CAP, 0,
	  "flags of a capability are not known" },
	{ "cap_reserved", { { CAPP(4, reserved) + 2, 1, 1 } }, -EINVAL, CAP, 4,
	  "flags of a capability are not known" },
	{ "cap_order", { { CAPP(4, flags), 1, 0 } }, -EINVAL, CAP, 4,
	  "standard capability behind extended ones" },
	{ "cap_id", { { CAPP(0, id), 2, 0x110 } }, -EINVAL, CAP, 0,
	  "id of a standard capability is too large" },
	{ "cap_version", { { CAPP(0, version), 1, 1 } }, -EINVAL, CAP, 0,
	  "version of a capability is too large" },
	{ "extcap_version", { { CAPP(3, version), 1, 16 } }, -EINVAL, CAP, 3,
	  "version of a capability is too large" },
	{ "cap_unaligned", { { CAPP(0, pos), 2, 0x41 } }, -EINVAL, CAP, 0,
	  "place or size of a capability is not a multiple of 4" },
	{ "cap_size_0", { { CAPP(0, bytes), 2, 0 } }, -EINVAL, CAP, 0,
	  "place or size of a capability is not a multiple of 4" },
	{ "cap_in_header", { { CAPP(0, pos), 2, 0x3c } }, -ENOSPC, CAP, 0,
	  "capability is before the begin of its region" },
	{ "cap_beyond", { { CAPP(2, pos), 2, 0xf4 } }, -ENOSPC, CAP, 2,
	  "capability is beyond the end of its region" },
	{ "extcap_in_std", { { CAPP(3, pos), 2, 0xf0 } }, -ENOSPC, CAP, 3,
	  "capability is before the begin of its region" },
	{ "extcap_beyond", { { CAPP(4, pos), 2, 0xffc } }, -ENOSPC, CAP, 4,
	  "capability is beyond the end of its region" },
	{ "extcap_first", { { CAPP(3, pos), 2, 0x110 } }, -ENOSPC, CAP, 3,
	  "first extended capability is not at 0x100" },
	{ "extcap_in_256_bytes", { { HDR(config_bytes), 2, 256 } }, -ENOSPC, CAP, 3,
	  "capability is beyond the end of its region" },
	{ "chain_loop", { { CAPP(2, pos), 2, 0x40 } }, -EEXIST, CAP, 2,
	  "chain leads to the same place twice" },
	{ "cap_overlap", { { CAPP(1, pos), 2, 0x78 } }, -EEXIST, CAP, 1,
	  "capability overlaps another one" },
	{ "cap_overlap_before", { { CAPP(2, pos), 2, 0x7c } }, -EEXIST, CAP, 2,
	  "capability overlaps another one" },
	{ "cap_never_shown", { { CAPP(4, id), 2, PCI_EXT_CAP_ID_PASID } }, -EPERM, CAP, 4,
	  "capability of this kind is never shown" },
	{ "cap_not_known", { { CAPP(2, id), 2, 0x7f } }, -EPERM, CAP, 2,
	  "capability of this kind is never shown" },
	{ "cap_small", { { CAPP(1, bytes), 2, 8 } }, -ENOSPC, CAP, 1,
	  "capability is too small for its registers" },
	{ "cap_large", { { CAPP(1, bytes), 2, 16 } }, -ENOSPC, CAP, 1,
	  "capability is larger than its registers" },
	{ "cap_not_hardware", { { CAPP(1, from), 1, 0 } }, -EPERM, CAP, 1,
	  "capability of this kind must be the hardware's" },
	{ "cap_twice", { { CAPP(2, id), 2, PCI_CAP_ID_EXP }, { CAPP(2, from), 1, 2 },
	  { CAPP(2, bytes), 2, 0x14 } }, -EEXIST, CAP, 2,
	  "capability of this kind is there twice" },
	{ "cap_from_twice", { { CAPP(4, id), 2, PCI_EXT_CAP_ID_DSN },
	  { CAPP(4, bytes), 2, 12 } }, -EEXIST, CAP, 4, "one of the hardware is used twice" },
	{ "cap_null_inside", { { CAPP(4, id), 2, 0 } }, -EINVAL, CAP, 4,
	  "empty capability is not just a begin" },
	{ "source", { { FIELDP(0, source), 1, 5 } }, -EINVAL, FIELD, 0,
	  "source of a field is not known" },
	{ "field_flags", { { FIELDP(FAKE_OWN, flags), 1, 2 } }, -EINVAL, FIELD, FAKE_OWN,
	  "flags of a field are not known" },
	{ "field_flags_fixed", { { FIELDP(0, flags), 1, 1 } }, -EINVAL, FIELD, 0,
	  "flags of a field are not known" },
	{ "field_size", { { FIELDP(0, bytes), 2, 3 } }, -EINVAL, FIELD, 0,
	  "size of a field is not 1, 2 or 4" },
	{ "field_size_0", { { FIELDP(FAKE_OWN, bytes), 2, 0 } }, -EINVAL, FIELD, FAKE_OWN,
	  "size of a field is not 1, 2 or 4" },
	{ "fixed_range", { { FIELDP(FAKE_OWN, source), 1, VPV_PERSONA_FIXED } }, -EINVAL,
	  FIELD, FAKE_OWN, "size of a field is not 1, 2 or 4" },
	{ "field_unaligned", { { FIELDP(FAKE_DEVCTL, pos), 2, 0x49 } }, -EINVAL, FIELD,
	  FAKE_DEVCTL, "field is not aligned" },
	{ "range_unaligned", { { FIELDP(FAKE_OWN, pos), 2, 0xc2 } }, -EINVAL, FIELD,
	  FAKE_OWN, "field is not aligned" },
	{ "field_beyond", { { FIELDP(FAKE_LAST, pos), 2, 0x1000 } }, -ENOSPC, FIELD,
	  FAKE_LAST, "field is beyond config space" },
	{ "range_beyond", { { FIELDP(FAKE_LAST, bytes), 2, 0xfffc } }, -ENOSPC, FIELD,
	  FAKE_LAST, "field is beyond config space" },
	{ "bits_0", { { FIELDP(0, bits), 4, 0 } }, -EINVAL, FIELD, 0,
	  "bits are not in the field" },
	{ "bits_too_wide", { { FIELDP(0, bits), 4, 0x1ffff } }, -EINVAL, FIELD, 0,
	  "bits are not in the field" },
	{ "range_bits", { { FIELDP(FAKE_OWN, bits), 4, 1 } }, -EINVAL, FIELD, FAKE_OWN,
	  "range of bytes has masks" },
	{ "value_outside", { { FIELDP(FAKE_VECTORS, value), 4, 0x8000 } }, -EINVAL, FIELD,
	  FAKE_VECTORS, "value is not in the bits" },
	{ "value_of_hw", { { FIELDP(FAKE_COMMAND, value), 4, 1 } }, -EINVAL, FIELD,
	  FAKE_COMMAND, "value is not in the bits" },
	{ "write_of_fixed", { { FIELDP(0, write), 4, 1 } }, -EINVAL, FIELD, 0,
	  "write mask is not in the bits" },
	{ "write_of_hw_no_flag", { { FIELDP(FAKE_DEVCTL, write), 4, 1 } }, -EINVAL, FIELD,
	  FAKE_DEVCTL, "write mask is not in the bits" },
	{ "w1c_not_writable", { { FIELDP(FAKE_EMULATED, w1c), 4, 0x100 } }, -EINVAL, FIELD,
	  FAKE_EMULATED, "w1c mask is not in the write mask" },
	{ "callback_index", { { FIELDP(FAKE_CALLED, callback), 2, 1 } }, -EINVAL, FIELD,
	  FAKE_CALLED, "callback is not there" },
	{ "callback_of_fixed", { { FIELDP(0, callback), 2, 0 } }, -EINVAL, FIELD, 0,
	  "callback is not there" },
	{ "fields_order", { { FIELDP(FAKE_LAST, pos), 2, 0x1f0 } }, -EINVAL, FIELD,
	  FAKE_LAST, "fields are not in order" },
	{ "bits_twice", { { FIELDP(FAKE_ENABLE, bits), 4, 0xc400 },
	  { FIELDP(FAKE_VECTORS, bits), 4, 0x07ff } }, -EEXIST, FIELD, FAKE_ENABLE,
	  "bits are defined twice" },
	{ "bits_of_cap_list", { { FIELDP(FAKE_STATUS, bits), 4, 0xffff } }, -EEXIST, FIELD,
	  FAKE_STATUS, "bits are defined twice" },
	{ "bits_of_cap_header", { { FIELDP(FAKE_LAST, pos), 2, 0x200 },
	  { FIELDP(FAKE_VENDOR_HW, pos), 2, 0x120 } }, -EEXIST, FIELD, FAKE_LAST,
	  "bits are defined twice" },
	{ "bits_of_bar", { { FIELDP(FAKE_LINE, pos), 2, 0x30 } }, -EEXIST, FIELD, FAKE_LINE,
	  "bits are defined twice" },
	{ "range_leaves_cap", { { FIELDP(FAKE_VENDOR_HW, bytes), 2, 16 } }, -ENOSPC, FIELD,
	  FAKE_VENDOR_HW, "range leaves its capability" },
	{ "range_into_cap", { { FIELDP(FAKE_OWN, bytes), 2, 0x48 } }, -ENOSPC, FIELD,
	  FAKE_OWN, "range runs into a capability" },
	/* Size 8, and behind it the source: hidden. */
	{ "range_leaves_header", { { FIELDP(FAKE_LINE, bytes), 3, 8 },
	  { FIELDP(FAKE_LINE, bits), 4, ~0U }, { FIELDP(FAKE_LINE, write), 4, 0 } }, -ENOSPC,
	  FIELD, FAKE_LINE, "range leaves the header" },
	{ "identity_emulated", { { FIELDP(0, source), 1, VPV_PERSONA_EMULATED } }, -EPERM,
	  FIELD, 0, "identity can only be hw or fixed" },
	{ "write_of_read_only", { { FIELDP(FAKE_ENABLE, flags), 1, 1 },
	  { FIELDP(FAKE_ENABLE, write), 4, 0x8000 } }, -EPERM, FIELD, FAKE_ENABLE,
	  "write mask has bits that are read-only" },
	{ "write_of_phantom", { { FIELDP(FAKE_DEVCTL, flags), 1, 1 },
	  { FIELDP(FAKE_DEVCTL, write), 4, 0xffff } }, -EPERM, FIELD, FAKE_DEVCTL,
	  "write mask has bits that are read-only" },
	{ "effect_emulated", { { FIELDP(FAKE_DEVCTL, source), 1, VPV_PERSONA_EMULATED } },
	  -EPERM, FIELD, FAKE_DEVCTL, "bits that have an effect cannot be emulated" },
	{ "hw_of_no_hardware", { { FIELDP(FAKE_LENGTH, source), 1, VPV_PERSONA_HW },
	  { FIELDP(FAKE_LENGTH, value), 4, 0 } }, -EPERM, FIELD, FAKE_LENGTH,
	  "hw in a capability that is not the hardware's" },
	{ "callback_name", { { CALLP(0), 1, '-' } }, -EINVAL, NAME, 0,
	  "name of a callback is malformed" },
	{ "callback_not_ended", { { CALLP(31), 1, 'x' } }, -EINVAL, NAME, 0,
	  "name of a callback is malformed" },
	{ "callback_not_used", { { FIELDP(FAKE_CALLED, source), 1, VPV_PERSONA_EMULATED },
	  { FIELDP(FAKE_CALLED, callback), 2, VPV_PERSONA_NO_CALLBACK } }, -EINVAL, NAME, 0,
	  "callback is not used" },
	{ "no_revision", { { FIELDP(FAKE_REVISION, bits), 4, 0x7f } }, -EINVAL, BLOB, 0,
	  "revision is missing" },
	{ "vendor_of_none", { { FIELDP(FAKE_VENDOR, value), 4, 0xffff } }, -EINVAL, BLOB, 0,
	  "vendor is the one of no device" },
	{ "header_type", { { FIELDP(FAKE_LINE - 3, pos), 2, PCI_HEADER_TYPE },
	  { FIELDP(FAKE_LINE - 3, source), 1, VPV_PERSONA_FIXED },
	  { FIELDP(FAKE_LINE - 3, value), 8, 1 } }, -EINVAL, BLOB, 0,
	  "header type is not 0" },
	/* Only its upper byte is there. */
	{ "no_command", { { FIELDP(FAKE_COMMAND, pos), 2, PCI_COMMAND + 1 },
	  { FIELDP(FAKE_COMMAND, bytes), 2, 1 }, { FIELDP(FAKE_COMMAND, bits), 4, 0xff } },
	  -EINVAL, BLOB, 0, "command is missing" },
	{ "command_fixed", { { FIELDP(FAKE_COMMAND, source), 1, VPV_PERSONA_FIXED } }, -EPERM,
	  FIELD, FAKE_COMMAND, "command is not just hw" },
	{ "command_narrowed", { { FIELDP(FAKE_COMMAND, flags), 1, 1 } }, -EPERM, FIELD,
	  FAKE_COMMAND, "command is not just hw" },
	{ "length", { { FIELDP(FAKE_LENGTH, value), 4, 17 } }, -ENOSPC, CAP, 2,
	  "capability names a greater length than it has" },
	{ "msix_bar", { { FIELDP(FAKE_TABLE, value), 4, 7 } }, -EINVAL, CAP, 1,
	  "MSI-X is in a BAR that cannot be" },
	{ "msix_bar_not_shown", { { FIELDP(FAKE_PBA, value), 4, 0x2000 } }, -EINVAL, CAP, 1,
	  "MSI-X is in a BAR that is not shown memory" },
	{ "msix_beyond", { { FIELDP(FAKE_TABLE, value), 4, 0x3c0c } }, -ENOSPC, CAP, 1,
	  "MSI-X does not fit its BAR" },
	{ "msix_overlap", { { FIELDP(FAKE_PBA, value), 4, 0x3fc } }, -EEXIST, CAP, 1,
	  "MSI-X table and pending bits overlap" },
};

static void refusal_desc(const struct refusal *r, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", r->name);
}

KUNIT_ARRAY_PARAM(refusal, refusals, refusal_desc);

static void persona_refused(struct kunit *test)
{
	const struct refusal *r = test->param_value;
	struct room *room = new_room(test);

	for (size_t i = 0; i < ARRAY_SIZE(r->pokes); i++)
		poke(&room->fake, &r->pokes[i]);
	fake_seal(&room->fake);
	KUNIT_EXPECT_EQ(test, parse(room), r->err);
	KUNIT_EXPECT_STREQ(test, room->why.text, r->text);
	KUNIT_EXPECT_EQ(test, (int)room->why.part, (int)r->part);
	KUNIT_EXPECT_EQ(test, room->why.index, r->index);
}

static void persona_accepted(struct kunit *test)
{
	struct room *room = new_room(test);
	struct vcfg_persona_cap cap;
	struct vcfg_persona_field f;

	KUNIT_ASSERT_EQ(test, parse(room), 0);
	KUNIT_EXPECT_STREQ(test, room->p.name, "fake-v1");
	KUNIT_EXPECT_EQ(test, room->p.version, 3U);
	KUNIT_EXPECT_EQ(test, room->p.num_std, 3U);
	KUNIT_EXPECT_EQ(test, vcfg_persona_bar(&room->p, 2).bytes, 0x20000ULL);
	KUNIT_EXPECT_STREQ(test, vcfg_persona_callback(&room->p, 0), "mailbox");
	cap = vcfg_persona_cap(&room->p, 4);
	KUNIT_EXPECT_EQ(test, cap.pos, 0x200U);
	KUNIT_EXPECT_TRUE(test, cap.ext);
	f = vcfg_persona_field(&room->p, FAKE_EMULATED);
	KUNIT_EXPECT_EQ(test, f.w1c, 0xf0U);
	KUNIT_EXPECT_EQ(test, (int)f.source, VPV_PERSONA_EMULATED);
}

/* The user's chains, and the bits that the persona makes itself. */
static void persona_first_values(struct kunit *test)
{
	struct room *room = new_room(test);
	const u8 *val = room->p.val;

	KUNIT_ASSERT_EQ(test, parse(room), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get32(val, PCI_VENDOR_ID), 0x76101234U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(val, PCI_CLASS_REVISION), 0x12000001U);
	KUNIT_EXPECT_EQ(test, vcfg_get16(val, PCI_STATUS), PCI_STATUS_CAP_LIST);
	KUNIT_EXPECT_EQ(test, val[PCI_CAPABILITY_LIST], 0x40);
	KUNIT_EXPECT_EQ(test, vcfg_get16(val, 0x40), 0x8010);
	KUNIT_EXPECT_EQ(test, vcfg_get16(val, 0x80), 0x9011);
	KUNIT_EXPECT_EQ(test, vcfg_get16(val, 0x90), 0x0009);
	KUNIT_EXPECT_EQ(test, vcfg_get32(val, 0x100), 0x20010003U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(val, 0x200), 0x0001000bU);
	/* A 64-bit BAR: type and the address bits below the size are known. */
	KUNIT_EXPECT_EQ(test, vcfg_get32(val, PCI_BASE_ADDRESS_2), 4U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->p.known, PCI_BASE_ADDRESS_2), 0x1ffffU);
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->p.known, PCI_BASE_ADDRESS_3), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->p.known, PCI_BASE_ADDRESS_0), ~0U);
	/* Emulated is known, hw and callbacks are not. */
	KUNIT_EXPECT_EQ(test, vcfg_get32(val, 0x94), 5U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->p.known, 0x94), ~0U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->p.known, 0x98), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_get16(room->p.known, 0x82), 0x3fff);
}

static void persona_find(struct kunit *test)
{
	struct room *room = new_room(test);
	const struct vcfg_persona *p = &room->p;

	KUNIT_ASSERT_EQ(test, parse(room), 0);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 0, 0), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 8, 7), (unsigned int)FAKE_REVISION);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 9, 0), (unsigned int)FAKE_REVISION + 1);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 6, 4), p->num_fields);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 0x83, 2), (unsigned int)FAKE_VECTORS);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 0x83, 6), (unsigned int)FAKE_ENABLE);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 0x83, 5), p->num_fields);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 0xdf, 7), (unsigned int)FAKE_OWN);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 0xe0, 0), p->num_fields);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 0x303, 7), (unsigned int)FAKE_LAST);
	KUNIT_EXPECT_EQ(test, vcfg_persona_find(p, 0xfff, 7), p->num_fields);
	KUNIT_EXPECT_EQ(test, vcfg_persona_cap_at(p, 0x7b), 0U);
	KUNIT_EXPECT_EQ(test, vcfg_persona_cap_at(p, 0x7c), p->num_caps);
	KUNIT_EXPECT_EQ(test, vcfg_persona_cap_at(p, 0x20f), 4U);
}

/* No prefix of a persona, nor more than it, is one; the bytes end where they end. */
static void persona_truncated(struct kunit *test)
{
	struct room *room = new_room(test);

	for (size_t bytes = 0; bytes < FAKE_BYTES; bytes++) {
		u8 *copy = kunit_kzalloc(test, bytes ? bytes : 1, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, copy);
		memcpy(copy, &room->fake, bytes);
		KUNIT_EXPECT_EQ(test, vcfg_persona_parse(&room->p, copy, bytes, &room->why),
				-EMSGSIZE);
	}
	KUNIT_EXPECT_EQ(test, vcfg_persona_parse(&room->p, &room->fake, FAKE_BYTES + 4,
						 &room->why), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, vcfg_persona_parse(&room->p, &room->fake,
						 VPV_PERSONA_MAX_BYTES + 1, &room->why),
			-EMSGSIZE);
}

static void persona_bit_flips(struct kunit *test)
{
	struct room *room = new_room(test);
	u8 *bytes = (u8 *)&room->fake;

	for (unsigned int bit = 0; bit < FAKE_BYTES * 8; bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_NE(test, parse(room), 0);
		KUNIT_EXPECT_NOT_NULL(test, room->why.text);
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	KUNIT_EXPECT_EQ(test, parse(room), 0);
}

/* An extended chain whose first capability is not shown. */
static void persona_null_begin(struct kunit *test)
{
	struct room *room = new_room(test);
	struct vcfg_persona_cap null = FAKE_CAP(0x100, 4, 0, 0, true, 0);

	fake_put_cap(&room->fake.cap[3], &null);
	fake_seal(&room->fake);
	KUNIT_EXPECT_EQ(test, parse(room), 0);
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->p.val, 0x100), 0x20000000U);
}

/*
 * Without extended capabilities nothing may be where their chain begins: whoever follows
 * it would go where the user writes.
 */
static void persona_no_extended(struct kunit *test)
{
	struct room *room = new_room(test);
	size_t caps = offsetof(struct fake_persona, cap) + 3 * sizeof(room->fake.cap[0]);
	size_t bytes = FAKE_BYTES - 2 * sizeof(room->fake.cap[0]);
	struct vcfg_persona_field f = FAKE_FIELD(0x100, 4, EMULATED, ~0U, 0, ~0U, 0);
	u8 *blob = kunit_kzalloc(test, bytes, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, blob);
	room->fake.header.bytes = cpu_to_le32(bytes);
	room->fake.header.num_caps = cpu_to_le16(3);
	for (unsigned int pass = 0; pass < 2; pass++) {
		memcpy(blob, &room->fake, caps);
		memcpy(blob + caps, room->fake.field, bytes - caps);
		put_unaligned_le32(vcfg_persona_crc(blob, bytes), blob + HDR(crc));
		KUNIT_EXPECT_EQ(test, vcfg_persona_parse(&room->p, blob, bytes, &room->why),
				pass ? -EEXIST : 0);
		fake_put_field(&room->fake.field[FAKE_OWN + 1], &f);
	}
}

/* A second callback behind the first one's name. */
static void persona_callback_order(struct kunit *test)
{
	static const struct {
		const char *name;
		int err;
	} second[] = { { "pager", 0 }, { "mailbox", -EINVAL }, { "alarm", -EINVAL } };
	struct room *room = new_room(test);
	size_t bytes = FAKE_BYTES + VPV_PERSONA_NAME_BYTES;
	u8 *blob = kunit_kzalloc(test, bytes, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, blob);
	room->fake.header.bytes = cpu_to_le32(bytes);
	room->fake.header.num_callbacks = cpu_to_le16(FAKE_CALLBACKS + 1);
	room->fake.field[FAKE_LAST].source = VPV_PERSONA_CALLBACK;
	room->fake.field[FAKE_LAST].callback = cpu_to_le16(FAKE_CALLBACKS);
	for (size_t i = 0; i < ARRAY_SIZE(second); i++) {
		memset(blob, 0, bytes);
		memcpy(blob, &room->fake, FAKE_BYTES);
		memcpy(blob + FAKE_BYTES, second[i].name, strlen(second[i].name));
		put_unaligned_le32(vcfg_persona_crc(blob, bytes), blob + HDR(crc));
		KUNIT_EXPECT_EQ(test, vcfg_persona_parse(&room->p, blob, bytes, &room->why),
				second[i].err);
		if (second[i].err)
			KUNIT_EXPECT_STREQ(test, room->why.text,
					   "names of callbacks are not in order");
		else
			KUNIT_EXPECT_STREQ(test, vcfg_persona_callback(&room->p, 1), "pager");
	}
}

static void fit_accepted(struct kunit *test)
{
	struct room *room = new_room(test);

	KUNIT_ASSERT_EQ(test, parse(room), 0);
	KUNIT_ASSERT_EQ(test, fit(room), 0);
	KUNIT_EXPECT_EQ(test, room->map.pos[0], 0x60);
	KUNIT_EXPECT_EQ(test, room->map.pos[1], 0x40);
	KUNIT_EXPECT_EQ(test, room->map.pos[2], 0);
	KUNIT_EXPECT_EQ(test, room->map.pos[3], 0x180);
	KUNIT_EXPECT_EQ(test, room->map.pos[4], 0x100);
	vcfg_persona_view(&room->p, &room->hw, &room->map, room->val, room->known);
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->val, 0), 0x76101234U);
	/* From another place, and from the same one. */
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->val, 0x208), 0xabcdef01U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->val, 0xc0), 0x600df00dU);
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->known, 0xc0), ~0U);
	KUNIT_EXPECT_EQ(test, vcfg_get32(room->known, 0x98), 0U);
	/* A vendor-specific capability that ends where the persona shows the hardware's bytes. */
	room->cfg[0x61] = 0xb8;
	vcfg_put32(room->cfg, 0xb8, 0x00080009);
	KUNIT_EXPECT_EQ(test, fit(room), 0);
}

struct misfit {
	const char *name;
	struct poke pokes[8];		/* in the persona */
	struct poke config[3];		/* in physical config space */
	struct poke facts[2];		/* in struct vcfg_persona_hw */
	int err;
	enum vcfg_persona_part part;
	unsigned int index;
	const char *text;
};

#define FACT(m)	offsetof(struct vcfg_persona_hw, m)

static const struct misfit misfits[] = {
	{ "no_answer", .config = { { 0, 4, ~0U } }, .err = -ENODEV,
	  .text = "device does not answer" },
	{ "bridge", .config = { { PCI_HEADER_TYPE, 1, 0x81 } }, .err = -EINVAL,
	  .text = "header type of the device is not 0" },
	{ "config_bytes", .facts = { { FACT(bytes), 4, 128 } }, .err = -EINVAL,
	  .text = "config space of the device is not 256 or 4096 bytes" },
	{ "config_small", .facts = { { FACT(bytes), 4, 256 } }, .err = -EOPNOTSUPP,
	  .text = "config space is larger than the device's" },
	{ "bar_lacking", .facts = { { FACT(bar_bytes[2]), 8, 0 } }, .err = -EOPNOTSUPP,
	  .part = BAR, .index = 2, .text = "BAR that the device lacks" },
	{ "bar_smaller", .facts = { { FACT(bar_bytes[2]), 8, 0x10000 } }, .err = -ERANGE,
	  .part = BAR, .index = 2, .text = "BAR is larger than the device's" },
	{ "bar_io", .facts = { { FACT(bar_flags[2]), 1, 1 } }, .err = -EOPNOTSUPP,
	  .part = BAR, .index = 2, .text = "BAR is not of the device's kind" },
	{ "bar_prefetch", .pokes = { { BARP(4, type), 1, 0xc } }, .err = -EOPNOTSUPP,
	  .part = BAR, .index = 4, .text = "BAR is not prefetchable in the device" },
	{ "bar_not_mentioned", .facts = { { FACT(bar_bytes[1]), 8, 4096 } },
	  .err = -EOPNOTSUPP, .part = BAR, .index = 1,
	  .text = "BAR of the device that is not mentioned" },
	{ "rom_not_mentioned", .facts = { { FACT(rom_bytes), 8, 4096 } },
	  .err = -EOPNOTSUPP, .part = BAR, .index = 6,
	  .text = "BAR of the device that is not mentioned" },
	{ "cap_lacking", .config = { { 0x60, 1, PCI_CAP_ID_AF } }, .err = -EOPNOTSUPP,
	  .part = CAP, .index = 0, .text = "capability that the device lacks" },
	{ "no_caps", .config = { { PCI_STATUS, 2, 0 } }, .err = -EOPNOTSUPP,
	  .part = CAP, .index = 0, .text = "capability that the device lacks" },
	{ "no_extcaps", .config = { { 0x100, 4, 0 } }, .err = -EOPNOTSUPP,
	  .part = CAP, .index = 3, .text = "capability that the device lacks" },
	{ "hardware_loop", .config = { { 0x51, 1, 0x40 } }, .err = -EOPNOTSUPP,
	  .part = CAP, .index = 0, .text = "capability that the device lacks" },
	{ "hardware_loop_extended", .config = { { 0x100, 4, 0x1001000b } },
	  .err = -EOPNOTSUPP, .part = CAP, .index = 3,
	  .text = "capability that the device lacks" },
	{ "hardware_leaves", .config = { { 0x51, 1, 0x10 } }, .err = -EOPNOTSUPP,
	  .part = CAP, .index = 0, .text = "capability that the device lacks" },
	{ "second_one_lacking", .pokes = { { CAPP(4, from), 1, 2 } }, .err = -EOPNOTSUPP,
	  .part = CAP, .index = 4, .text = "capability that the device lacks" },
	{ "cap_cut", .config = { { 0x41, 1, 0x48 }, { 0x48, 2, 0x5009 } },
	  .err = -EOPNOTSUPP, .part = CAP, .index = 1,
	  .text = "capability that is cut in the device" },
	{ "hw_beyond_cap", .config = { { 0x106, 2, 0x00c0 } }, .err = -ENOSPC,
	  .part = FIELD, .index = FAKE_VENDOR_HW,
	  .text = "hw is beyond the device's capability" },
	{ "hw_in_cap", .config = { { 0x61, 1, 0xd0 }, { 0xd0, 2, 0x0005 } }, .err = -EPERM,
	  .part = FIELD, .index = FAKE_OWN, .text = "hw is in a capability of the device" },
	/* It says how long it is. */
	{ "hw_in_vendor_cap", .config = { { 0x61, 1, 0xb8 }, { 0xb8, 4, 0x00100009 } },
	  .err = -EPERM, .part = FIELD, .index = FAKE_OWN,
	  .text = "hw is in a capability of the device" },
	{ "pin", .pokes = { { FIELDP(FAKE_LINE, pos), 2, PCI_INTERRUPT_PIN },
	  { FIELDP(FAKE_LINE, value), 4, 1 } }, .err = -EOPNOTSUPP,
	  .text = "interrupt pin that the device lacks" },
	{ "vectors", .config = { { 0x42, 2, 0x001f } }, .err = -ERANGE, .part = CAP,
	  .index = 1, .text = "more MSI-X vectors than the device has" },
	{ "flr", .config = { { 0x64, 4, 0x8022 } }, .err = -EOPNOTSUPP, .part = CAP,
	  .index = 0, .text = "PCI Express feature that the device lacks" },
	{ "payload", .config = { { 0x64, 4, 0x10008020 } }, .err = -ERANGE, .part = CAP,
	  .index = 0, .text = "larger payload than the device has" },
	{ "phantom", .pokes = { { FIELDP(FAKE_DEVCAP, value), 4, 0x10008029 } },
	  .config = { { 0x64, 4, 0x1000802a } }, .err = -EOPNOTSUPP, .part = CAP,
	  .index = 0, .text = "phantom functions, which users do not get" },
	{ "exp_version", .pokes = { { FIELDP(FAKE_FLAGS, value), 4, 3 } }, .err = -ERANGE,
	  .part = CAP, .index = 0,
	  .text = "later version of PCI Express than the device has" },
	{ "exp_version_1", .config = { { 0x62, 2, 1 } }, .err = -ERANGE, .part = CAP,
	  .index = 0, .text = "later version of PCI Express than the device has" },
	{ "msi_layout", .pokes = { { CAPP(2, id), 2, PCI_CAP_ID_MSI },
	  { CAPP(2, from), 1, 1 }, { FIELDP(FAKE_LENGTH, value), 4, 0 } },
	  .config = { { 0x61, 1, 0xa0 }, { 0xa0, 4, 0x00800005 } }, .err = -EOPNOTSUPP,
	  .part = CAP, .index = 2, .text = "another layout of MSI" },
	{ "msi_vectors", .pokes = { { CAPP(2, id), 2, PCI_CAP_ID_MSI },
	  { CAPP(2, from), 1, 1 }, { FIELDP(FAKE_LENGTH, value), 4, 0x86 } },
	  .config = { { 0x61, 1, 0xa0 }, { 0xa0, 4, 0x00840005 } }, .err = -ERANGE,
	  .part = CAP, .index = 2, .text = "more MSI vectors than the device has" },
	/* Not now, but as soon as the user writes it. */
	{ "flr_later", .pokes = { { FIELDP(FAKE_DEVCAP, source), 1, VPV_PERSONA_EMULATED },
	  { FIELDP(FAKE_DEVCAP, value), 4, 0x8021 },
	  { FIELDP(FAKE_DEVCAP, write), 4, PCI_EXP_DEVCAP_FLR } },
	  .config = { { 0x64, 4, 0x8022 } }, .err = -EOPNOTSUPP, .part = CAP,
	  .index = 0, .text = "PCI Express feature that the device lacks" },
	/* Its state would be lost in D3hot, and a guest that believes that bit sets up nothing. */
	{ "no_soft_reset", .pokes = { { CAPP(2, id), 2, PCI_CAP_ID_PM }, { CAPP(2, from), 1, 1 },
	  { CAPP(2, bytes), 2, PCI_PM_SIZEOF }, { FIELDP(FAKE_LENGTH, value), 4, 0 },
	  { FIELDP(FAKE_EMULATED, source), 1, VPV_PERSONA_FIXED },
	  { FIELDP(FAKE_EMULATED, value), 4, PCI_PM_CTRL_NO_SOFT_RESET },
	  { FIELDP(FAKE_EMULATED, write), 4, 0 }, { FIELDP(FAKE_EMULATED, w1c), 4, 0 } },
	  .err = -EOPNOTSUPP, .part = CAP, .index = 2,
	  .text = "No_Soft_Reset that the device lacks" },
	{ "callback", .facts = { { FACT(num_callbacks), 4, 1 } }, .err = -EOPNOTSUPP,
	  .part = NAME, .index = 0, .text = "callback that the driver lacks" },
	/* What the persona leaves to the hardware decides where MSI-X is. */
	{ "msix_of_hardware", .pokes = { { FIELDP(FAKE_PBA, source), 1, VPV_PERSONA_HW },
	  { FIELDP(FAKE_PBA, value), 4, 0 } }, .err = -ENOSPC, .part = CAP, .index = 1,
	  .text = "MSI-X does not fit its BAR" },
};

static void misfit_desc(const struct misfit *m, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", m->name);
}

KUNIT_ARRAY_PARAM(misfit, misfits, misfit_desc);

static void fit_refused(struct kunit *test)
{
	const struct misfit *m = test->param_value;
	struct room *room = new_room(test);

	for (size_t i = 0; i < ARRAY_SIZE(m->pokes); i++)
		poke(&room->fake, &m->pokes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(m->config); i++)
		poke(room->cfg, &m->config[i]);
	for (size_t i = 0; i < ARRAY_SIZE(m->facts); i++)
		if (m->facts[i].bytes == 1)
			*((u8 *)&room->hw + m->facts[i].at) = m->facts[i].val;
		else if (m->facts[i].bytes == 4)
			*(u32 *)((u8 *)&room->hw + m->facts[i].at) = m->facts[i].val;
		else if (m->facts[i].bytes == 8)
			*(u64 *)((u8 *)&room->hw + m->facts[i].at) = m->facts[i].val;
	fake_seal(&room->fake);
	KUNIT_ASSERT_EQ(test, parse(room), 0);
	KUNIT_EXPECT_EQ(test, fit(room), m->err);
	KUNIT_EXPECT_STREQ(test, room->why.text, m->text);
	KUNIT_EXPECT_EQ(test, (int)room->why.part, (int)m->part);
	KUNIT_EXPECT_EQ(test, room->why.index, m->index);
}

static struct kunit_case persona_tests[] = {
	KUNIT_CASE(persona_accepted),
	KUNIT_CASE(persona_first_values),
	KUNIT_CASE(persona_find),
	KUNIT_CASE(persona_truncated),
	KUNIT_CASE(persona_bit_flips),
	KUNIT_CASE(persona_null_begin),
	KUNIT_CASE(persona_no_extended),
	KUNIT_CASE(persona_callback_order),
	KUNIT_CASE_PARAM(persona_refused, refusal_gen_params),
	KUNIT_CASE(fit_accepted),
	KUNIT_CASE_PARAM(fit_refused, misfit_gen_params),
	{}
};

static struct kunit_suite persona_suite = {
	.name = "vcfg_persona",
	.test_cases = persona_tests,
};

kunit_test_suite(persona_suite);

MODULE_DESCRIPTION("Compiled personas of config space");
MODULE_LICENSE("GPL");
