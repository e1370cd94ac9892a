/* SPDX-License-Identifier: GPL-2.0 */
/* A compiled persona with one of each kind, and a device that fits it. */
#ifndef FAKE_PERSONA_H
#define FAKE_PERSONA_H

#include "../../config_virt/persona.h"
#include "../../config_virt/vcfg.h"

#define FAKE_CAPS	5
#define FAKE_FIELDS	25
#define FAKE_CALLBACKS	1

/* Without padding: what a persona's bytes are. */
struct fake_persona {
	struct vpv_persona_header header;
	struct vpv_persona_cap cap[FAKE_CAPS];
	struct vpv_persona_field field[FAKE_FIELDS];
	struct vpv_persona_callback callback[FAKE_CALLBACKS];
	u8 after[4];
};

#define FAKE_BYTES	offsetof(struct fake_persona, after)

static_assert(sizeof(struct vpv_persona_header) +
	      FAKE_CAPS * sizeof(struct vpv_persona_cap) +
	      FAKE_FIELDS * sizeof(struct vpv_persona_field) +
	      FAKE_CALLBACKS * sizeof(struct vpv_persona_callback) == FAKE_BYTES);

#define FAKE_CAP(p, b, i, v, e, f)						\
	{ .pos = (p), .bytes = (b), .id = (i), .version = (v), .ext = (e), .from = (f) }

#define FAKE_FIELD(p, b, s, m, v, w, c)						\
	{ .pos = (p), .bytes = (b), .source = VPV_PERSONA_##s, .bits = (m),	\
	  .value = (v), .write = (w), .w1c = (c) }

static const struct vcfg_persona_cap fake_caps[FAKE_CAPS] = {
	FAKE_CAP(0x40, 0x3c, PCI_CAP_ID_EXP, 0, false, 1),
	FAKE_CAP(0x80, 12, PCI_CAP_ID_MSIX, 0, false, 1),
	FAKE_CAP(0x90, 16, PCI_CAP_ID_VNDR, 0, false, 0),
	FAKE_CAP(0x100, 12, PCI_EXT_CAP_ID_DSN, 1, true, 1),
	FAKE_CAP(0x200, 16, PCI_EXT_CAP_ID_VNDR, 1, true, 1),
};

/* Indices of the fields that tests change. */
enum {
	FAKE_VENDOR = 0, FAKE_COMMAND = 2, FAKE_STATUS = 3, FAKE_REVISION = 4,
	FAKE_LINE = 9, FAKE_FLAGS = 10, FAKE_DEVCAP = 11, FAKE_DEVCTL = 12,
	FAKE_VECTORS = 13, FAKE_ENABLE = 14, FAKE_TABLE = 15, FAKE_PBA = 16,
	FAKE_LENGTH = 17, FAKE_EMULATED = 18, FAKE_CALLED = 19, FAKE_OWN = 20,
	FAKE_VENDOR_HW = 23, FAKE_LAST = 24,
};

static const struct vcfg_persona_field fake_fields[FAKE_FIELDS] = {
	FAKE_FIELD(0x00, 2, FIXED, 0xffff, 0x1234, 0, 0),
	FAKE_FIELD(0x02, 2, FIXED, 0xffff, 0x7610, 0, 0),
	FAKE_FIELD(0x04, 2, HW, 0xffff, 0, 0, 0),
	FAKE_FIELD(0x06, 2, HW, 0xffef, 0, 0, 0),
	FAKE_FIELD(0x08, 1, FIXED, 0xff, 0x01, 0, 0),
	FAKE_FIELD(0x08, 4, FIXED, 0xffffff00, 0x12000000, 0, 0),
	FAKE_FIELD(0x0c, 1, EMULATED, 0xff, 0x10, 0xff, 0),
	FAKE_FIELD(0x2c, 2, FIXED, 0xffff, 0x1234, 0, 0),
	FAKE_FIELD(0x2e, 2, FIXED, 0xffff, 0x7610, 0, 0),
	FAKE_FIELD(0x3c, 1, EMULATED, 0xff, 0, 0xff, 0),
	FAKE_FIELD(0x42, 2, FIXED, 0xffff, 0x0002, 0, 0),
	FAKE_FIELD(0x44, 4, FIXED, ~0U, 0x10008021, 0, 0),
	FAKE_FIELD(0x48, 2, HW, 0xffff, 0, 0, 0),
	FAKE_FIELD(0x82, 2, FIXED, 0x07ff, 0x003f, 0, 0),
	FAKE_FIELD(0x82, 2, HW, 0xc000, 0, 0, 0),
	FAKE_FIELD(0x84, 4, FIXED, ~0U, 0x00000004, 0, 0),
	FAKE_FIELD(0x88, 4, FIXED, ~0U, 0x00002004, 0, 0),
	FAKE_FIELD(0x92, 1, FIXED, 0xff, 0x10, 0, 0),
	FAKE_FIELD(0x94, 4, EMULATED, ~0U, 0x5, 0xff, 0xf0),
	FAKE_FIELD(0x98, 4, CALLBACK, ~0U, 0, ~0U, 0),
	FAKE_FIELD(0xc0, 0x20, HW, ~0U, 0, 0, 0),
	FAKE_FIELD(0x104, 4, FIXED, ~0U, 1, 0, 0),
	FAKE_FIELD(0x108, 4, FIXED, ~0U, 0x12347610, 0, 0),
	FAKE_FIELD(0x204, 12, HW, ~0U, 0, 0, 0),
	FAKE_FIELD(0x300, 4, HIDDEN, ~0U, 0, 0, 0),
};

/* Make the checksum fit again. */
static inline void fake_seal(struct fake_persona *f)
{
	f->header.crc = cpu_to_le32(vcfg_persona_crc(f, FAKE_BYTES));
}

static inline void fake_put_cap(struct vpv_persona_cap *to,
				const struct vcfg_persona_cap *cap)
{
	*to = (struct vpv_persona_cap){
		.pos = cpu_to_le16(cap->pos),
		.bytes = cpu_to_le16(cap->bytes),
		.id = cpu_to_le16(cap->id),
		.version = cap->version,
		.flags = cap->ext ? VPV_PERSONA_CAP_EXT : 0,
		.from = cap->from,
	};
}

static inline void fake_put_field(struct vpv_persona_field *to,
				  const struct vcfg_persona_field *f)
{
	*to = (struct vpv_persona_field){
		.pos = cpu_to_le16(f->pos),
		.bytes = cpu_to_le16(f->bytes),
		.source = f->source,
		.callback = cpu_to_le16(f->source == VPV_PERSONA_CALLBACK ?
					0 : VPV_PERSONA_NO_CALLBACK),
		.bits = cpu_to_le32(f->bits),
		.value = cpu_to_le32(f->value),
		.write = cpu_to_le32(f->write),
		.w1c = cpu_to_le32(f->w1c),
	};
}

static inline void fake_fill(struct fake_persona *f)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->header.magic, VPV_PERSONA_MAGIC, VPV_PERSONA_MAGIC_BYTES);
	f->header.format = cpu_to_le16(VPV_PERSONA_FORMAT);
	f->header.header_bytes = cpu_to_le16(sizeof(f->header));
	f->header.bytes = cpu_to_le32(FAKE_BYTES);
	f->header.version = cpu_to_le32(3);
	memcpy(f->header.name, "fake-v1", 7);
	f->header.config_bytes = cpu_to_le16(4096);
	f->header.num_caps = cpu_to_le16(FAKE_CAPS);
	f->header.num_fields = cpu_to_le16(FAKE_FIELDS);
	f->header.num_callbacks = cpu_to_le16(FAKE_CALLBACKS);
	f->header.bar[0].kind = VPV_PERSONA_BAR_HIDDEN;
	f->header.bar[2].kind = VPV_PERSONA_BAR_SHOWN;
	f->header.bar[2].type = PCI_BASE_ADDRESS_MEM_TYPE_64;
	f->header.bar[2].bytes = cpu_to_le64(0x20000);
	f->header.bar[4].kind = VPV_PERSONA_BAR_SHOWN;
	f->header.bar[4].type = PCI_BASE_ADDRESS_MEM_TYPE_64;
	f->header.bar[4].bytes = cpu_to_le64(0x4000);
	for (unsigned int i = 0; i < FAKE_CAPS; i++)
		fake_put_cap(&f->cap[i], &fake_caps[i]);
	for (unsigned int i = 0; i < FAKE_FIELDS; i++)
		fake_put_field(&f->field[i], &fake_fields[i]);
	memcpy(f->callback[0].name, "mailbox", 7);
	fake_seal(f);
}

static const char *const fake_callbacks[] = { "doorbell", "mailbox" };

/* Other places, other order, more than the persona shows. */
static inline void fake_hardware(struct vcfg_persona_hw *hw, u8 *cfg)
{
	memset(cfg, 0, VCFG_MAX_BYTES);
	memset(hw, 0, sizeof(*hw));
	*hw = (struct vcfg_persona_hw){
		.config = cfg,
		.bytes = VCFG_MAX_BYTES,
		.bar_bytes = { [0] = 4096, [2] = 0x40000, [4] = 0x8000 },
		.bar_flags = { [2] = 0xc, [4] = 0x4 },
		.rom_bytes = 0,
		.callbacks = fake_callbacks,
		.num_callbacks = ARRAY_SIZE(fake_callbacks),
	};
	vcfg_put32(cfg, PCI_VENDOR_ID, 0x76111234);
	vcfg_put16(cfg, PCI_STATUS, PCI_STATUS_CAP_LIST);
	vcfg_put32(cfg, PCI_CLASS_REVISION, 0x12000002);
	cfg[PCI_CAPABILITY_LIST] = 0x40;
	/* MSI-X, 128 vectors. */
	vcfg_put32(cfg, 0x40, 0x007f5011);
	vcfg_put32(cfg, 0x44, 0x4);
	vcfg_put32(cfg, 0x48, 0x4004);
	/* PM, then PCI Express. */
	vcfg_put32(cfg, 0x50, 0x00036001);
	vcfg_put32(cfg, 0x60, 0x00020010);
	vcfg_put32(cfg, 0x64, 0x10008022);
	/* Vendor-specific, then serial number. */
	vcfg_put32(cfg, 0x100, 0x1801000b);
	vcfg_put32(cfg, 0x104, 0x01000001);
	vcfg_put32(cfg, 0x108, 0xabcdef01);
	vcfg_put32(cfg, 0x180, 0x00010003);
	vcfg_put32(cfg, 0xc0, 0x600df00d);
}

#endif /* FAKE_PERSONA_H */
