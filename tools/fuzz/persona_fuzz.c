// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of compiled personas: validation, look-up, fitting a device, the config space
 * that its user then sees, and what of that comes in a stream.
 *
 * Input: a byte with the mode, and whether to go on to the space; then
 *   raw	the bytes of a blob, in memory of exactly that size;
 *   sealed	the same, with sizes and checksum made to fit, so that the checks behind
 *		them are reached;
 *   built	a list of records from small choices, mostly sane, in order and sealed;
 *   changed	a good persona with some of its bytes changed, and sealed.
 * What is accepted must keep the rules of Documentation/persona.rst, which are
 * checked here in another way, and is tried on a device made from the rest of the
 * input.
 */
#include "../../kunit/config_virt/fake_shown.h"

#include "../../config_virt/arrays.c"
#include "../../config_virt/bar.c"
#include "../../config_virt/caps.c"
#include "../../config_virt/engine.c"
#include "../../config_virt/perm.c"
#include "../../config_virt/persona.c"
#include "../../config_virt/persona_bar.c"
#include "../../config_virt/persona_cap.c"
#include "../../config_virt/persona_field.c"
#include "../../config_virt/persona_fit.c"
#include "../../config_virt/persona_format.c"
#include "../../config_virt/persona_seen.c"
#include "../../config_virt/persona_space.c"
#include "../../config_virt/state.c"
#include "../../config_virt/trap.c"
#include "../../config_virt/view.c"
#include "../../config_virt/words.c"

#include "require.h"

#define BUILT_CAPS	12
#define BUILT_FIELDS	48
#define HEADER		sizeof(struct vpv_persona_header)

struct input {
	const u8 *at;
	size_t left;
};

static struct vcfg_persona persona;

/* Follow it into the space, which takes longer than all the rest. */
static bool deep;

static u32 take(struct input *in, unsigned int bytes)
{
	u32 val = 0;

	for (unsigned int i = 0; i < bytes && in->left; i++, in->at++, in->left--)
		val |= (u32)*in->at << 8 * i;
	return val;
}

static void seal(u8 *blob, size_t bytes)
{
	if (bytes >= HEADER)
		put_unaligned_le32(vcfg_persona_crc(blob, bytes),
				   blob + offsetof(struct vpv_persona_header, crc));
}

/* Header fields without which nothing else is looked at. */
static void seal_raw(u8 *blob, size_t bytes)
{
	size_t left = bytes - HEADER, caps, fields;

	if (bytes < HEADER)
		return;
	memcpy(blob, VPV_PERSONA_MAGIC, VPV_PERSONA_MAGIC_BYTES);
	put_unaligned_le16(VPV_PERSONA_FORMAT, blob + 8);
	put_unaligned_le16(HEADER, blob + 10);
	put_unaligned_le32(bytes, blob + 12);
	put_unaligned_le32(1, blob + 16);
	memset(blob + 20, 0, VPV_PERSONA_NAME_BYTES);
	blob[20] = 'x';
	put_unaligned_le16(blob[52] & 1 ? 256 : 4096, blob + 52);
	caps = min(left / 12, (size_t)blob[54] % 8);
	left -= caps * 12;
	fields = left / 24;
	put_unaligned_le16(caps, blob + 54);
	put_unaligned_le16(fields, blob + 56);
	put_unaligned_le16(0, blob + 58);
	seal(blob, bytes);
}

/* Built: records of mostly sane values. */

static void build_bars(struct input *in, struct vpv_persona_header *h)
{
	static const u8 types[] = { 0, 1, 2, 4, 8, 0xc, 0xa, 6 };

	for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++) {
		u8 choice = take(in, 1);

		if (choice < 0x80)
			continue;
		h->bar[i].kind = choice & 3 ? VPV_PERSONA_BAR_SHOWN : VPV_PERSONA_BAR_HIDDEN;
		if (h->bar[i].kind == VPV_PERSONA_BAR_HIDDEN)
			continue;
		h->bar[i].type = i == VPV_PERSONA_ROM ? 0 : types[choice >> 2 & 7];
		h->bar[i].bytes = cpu_to_le64(1ULL << (take(in, 1) & 63));
	}
}

static unsigned int build_caps(struct input *in, struct vpv_persona_cap *caps)
{
	static const u8 std[] = { 1, 3, 5, 9, 0x10, 0x11, 0x13, 9 };
	static const u8 ext[] = { 1, 2, 3, 0xb, 0xd, 0xf, 0x23, 0 };
	unsigned int num = take(in, 1) % (BUILT_CAPS + 1), pos = 0x40;
	bool extended = false;

	for (unsigned int i = 0; i < num; i++) {
		u32 choice = take(in, 3);
		unsigned int bytes = 4 + (choice >> 8 & 15) * 4;

		if (!extended && choice & 0x40000) {
			extended = true;
			pos = 0x100;
		}
		caps[i].id = cpu_to_le16(extended ? ext[choice & 7] : std[choice & 7]);
		caps[i].flags = extended;
		caps[i].version = extended ? choice >> 3 & 1 : 0;
		caps[i].from = choice >> 4 & 3;
		caps[i].bytes = cpu_to_le16(bytes);
		caps[i].pos = cpu_to_le16(pos + (choice >> 16 & 3 ? 0 : 4));
		pos += bytes;
	}
	return num;
}

static int field_order(const void *va, const void *vb)
{
	const struct vpv_persona_field *a = va, *b = vb;
	u32 at_a = le16_to_cpu(a->pos) * 8 + __builtin_ctz(le32_to_cpu(a->bits) | 1U << 31);
	u32 at_b = le16_to_cpu(b->pos) * 8 + __builtin_ctz(le32_to_cpu(b->bits) | 1U << 31);

	return at_a < at_b ? -1 : at_a > at_b;
}

/* What every persona needs, as in the example, then any. */
static unsigned int build_fields(struct input *in, struct vpv_persona_field *fields)
{
	static const u8 needed[] = { 0, 1, 2, 4, 5, 7, 8 };
	unsigned int num = 0, more;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		fake_put_field(&fields[num++], &fake_fields[needed[i]]);
	more = take(in, 1) % (BUILT_FIELDS - num);
	for (; more; more--) {
		u32 choice = take(in, 2);
		u32 bytes = 1U << (choice & 3) % 3;
		struct vcfg_persona_field f = {
			.source = choice >> 2 & 7,
			.pos = (take(in, 2) & 0x3ff) & ~(bytes - 1),
			.bits = 0xffffffffU >> (32 - 8 * bytes),
			.bytes = bytes,
		};

		if (choice & 0x20)
			f.bits &= take(in, 4);
		if (choice & 0x40 && f.source <= VPV_PERSONA_HW) {
			f.pos &= ~3U;
			f.bytes = 4 + (choice >> 8 & 0x3f) * 4;
			f.bits = ~0U;
		}
		if (f.source == VPV_PERSONA_FIXED || f.source == VPV_PERSONA_EMULATED)
			f.value = take(in, 4) & f.bits;
		if (f.source >= VPV_PERSONA_EMULATED || choice & 0x80)
			f.write = take(in, 4) & f.bits;
		if (f.source == VPV_PERSONA_EMULATED)
			f.w1c = take(in, 2) & f.write;
		fake_put_field(&fields[num], &f);
		fields[num++].flags = f.source == VPV_PERSONA_HW && f.write;
	}
	qsort(fields, num, sizeof(fields[0]), field_order);
	return num;
}

static size_t build(struct input *in, u8 *blob)
{
	struct vpv_persona_field fields[BUILT_FIELDS] = { 0 };
	struct vpv_persona_cap caps[BUILT_CAPS] = { 0 };
	struct vpv_persona_header h = { .name = "built" };
	unsigned int num_caps, num_fields, calls = 0;
	size_t bytes;

	memcpy(h.magic, VPV_PERSONA_MAGIC, VPV_PERSONA_MAGIC_BYTES);
	build_bars(in, &h);
	num_caps = build_caps(in, caps);
	num_fields = build_fields(in, fields);
	for (unsigned int i = 0; i < num_fields; i++)
		calls |= fields[i].source == VPV_PERSONA_CALLBACK;
	bytes = HEADER + num_caps * sizeof(caps[0]) + num_fields * sizeof(fields[0]) +
		calls * VPV_PERSONA_NAME_BYTES;
	h.format = cpu_to_le16(VPV_PERSONA_FORMAT);
	h.header_bytes = cpu_to_le16(HEADER);
	h.bytes = cpu_to_le32(bytes);
	h.version = cpu_to_le32(1);
	h.config_bytes = cpu_to_le16(4096);
	h.num_caps = cpu_to_le16(num_caps);
	h.num_fields = cpu_to_le16(num_fields);
	h.num_callbacks = cpu_to_le16(calls);
	memset(blob, 0, bytes);
	memcpy(blob, &h, HEADER);
	memcpy(blob + HEADER, caps, num_caps * sizeof(caps[0]));
	memcpy(blob + HEADER + num_caps * sizeof(caps[0]), fields,
	       num_fields * sizeof(fields[0]));
	if (calls)
		memcpy(blob + bytes - VPV_PERSONA_NAME_BYTES, "mailbox", 7);
	seal(blob, bytes);
	return bytes;
}

/* A few bytes of the example replaced. */
static size_t change(struct input *in, u8 *blob)
{
	struct fake_persona f;

	fake_fill(&f);
	memcpy(blob, &f, FAKE_BYTES);
	for (unsigned int i = take(in, 1) % 8; i; i--) {
		u32 at = take(in, 2) % FAKE_BYTES;

		blob[at] = take(in, 1);
	}
	seal(blob, FAKE_BYTES);
	return FAKE_BYTES;
}

/* What was accepted. */

static void check_chains(void)
{
	u8 seen[VCFG_MAX_BYTES / 4] = { 0 };
	unsigned int pos, found = 0;

	for (pos = persona.val[PCI_CAPABILITY_LIST]; pos; pos = persona.val[pos + 1]) {
		REQUIRE(pos >= VCFG_HEADER && !(pos & 3) && !seen[pos / 4]++);
		REQUIRE(vcfg_get16(persona.known, pos) == 0xffff);
		found++;
	}
	REQUIRE(found == persona.num_std);
	REQUIRE(!found == !(persona.val[PCI_STATUS] & PCI_STATUS_CAP_LIST));
	if (persona.num_caps == persona.num_std)
		return;
	for (pos = VCFG_STD_BYTES; pos; pos = vcfg_get32(persona.val, pos) >> 20) {
		REQUIRE(pos < persona.config_bytes && !(pos & 3) && !seen[pos / 4]++);
		REQUIRE(vcfg_get32(persona.known, pos) == ~0U);
		found++;
	}
	REQUIRE(found == persona.num_caps);
}

/* Eight bytes at a time: bytes one by one would take most of the time. */
static u64 word(const u8 *bytes, unsigned int pos)
{
	u64 val;

	memcpy(&val, bytes + pos, sizeof(val));
	return val;
}

/* Each bit has one owner, and the look-up finds it. */
static void check_fields(void)
{
	static u8 owned[VCFG_MAX_BYTES];

	memset(owned, 0, sizeof(owned));
	for (unsigned int i = 0; i < persona.num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(&persona, i);

		REQUIRE(f.pos + f.bytes <= persona.config_bytes);
		REQUIRE(f.source != VPV_PERSONA_CALLBACK ||
			*vcfg_persona_callback(&persona, f.callback));
		for (unsigned int k = 0; k < f.bytes; k++) {
			u8 bits = f.bits >> 8 * (k % 4) & 0xff;

			REQUIRE(!(owned[f.pos + k] & bits));
			owned[f.pos + k] |= bits;
			if (bits && persona.num_fields < BUILT_FIELDS)
				REQUIRE(vcfg_persona_find(&persona, f.pos + k,
							  __builtin_ctz(bits)) == i);
		}
	}
	for (unsigned int pos = 0; pos < VCFG_MAX_BYTES; pos += sizeof(u64)) {
		u64 own = word(owned, pos), known = word(persona.known, pos);
		u64 claimed = word(persona.claimed, pos);

		REQUIRE(!(own & ~claimed));
		REQUIRE(!(word(persona.hw, pos) & (known | ~own)));
		REQUIRE(!(word(persona.val, pos) & ~claimed));
	}
}

/* What the persona decides is what the user sees; no BAR is larger than the device's. */
static void check_view(const struct vcfg_persona_hw *hw, const struct vcfg_persona_map *map)
{
	static u8 val[VCFG_MAX_BYTES], known[VCFG_MAX_BYTES];

	vcfg_persona_view(&persona, hw, map, val, known);
	for (unsigned int pos = 0; pos < VCFG_MAX_BYTES; pos += sizeof(u64))
		REQUIRE(!((word(val, pos) ^ word(persona.val, pos)) &
			  word(persona.known, pos)));
	for (unsigned int i = 0; i < VPV_PERSONA_BARS; i++)
		REQUIRE(vcfg_persona_bar(&persona, i).bytes <= hw->bar_bytes[i]);
	for (unsigned int i = 0; i < persona.num_caps; i++)
		REQUIRE(!map->pos[i] == !vcfg_persona_cap(&persona, i).from);
}

/* What the persona decides reads as it says. */
static void check_first(struct vcfg_space *space)
{
	static u8 seen[VCFG_MAX_BYTES];

	memset(seen, 0, sizeof(seen));
	REQUIRE(!vcfg_space_read(space, 0, seen, persona.config_bytes));
	for (unsigned int pos = 0; pos < persona.config_bytes; pos += sizeof(u64))
		REQUIRE(!((word(seen, pos) ^ word(persona.val, pos)) &
			  word(persona.known, pos)));
}

static void use_space(struct input *in, struct vcfg_space *space)
{
	for (unsigned int i = take(in, 1) % 32; i; i--) {
		u32 choice = take(in, 1), pos = take(in, 2) % 4100, val = take(in, 4);
		unsigned int bytes = choice & 0xf;

		/* Most go where registers are. */
		if (choice & 0x10)
			pos &= 0xff;
		if (choice & 0x80)
			vcfg_space_write(space, pos, &val, bytes % 5);
		else
			vcfg_space_read(space, pos, &val, bytes % 5);
	}
}

/* What is written is taken, what is damaged is taken or refused. */
static void check_payloads(struct input *in, struct vcfg_space *space)
{
	static u8 buf[VPV_CONFIG_MAX_BYTES], again[VPV_CONFIG_MAX_BYTES];
	struct vmig_diff diff;
	int view = vcfg_view_write(space, buf, sizeof(buf));
	int state;

	REQUIRE(view > 0 && !vcfg_view_check(space, buf, view, &diff));
	for (unsigned int i = take(in, 1) % 4; i; i--)
		buf[take(in, 2) % view] = take(in, 1);
	vcfg_view_check(space, buf, view - take(in, 1) % 16 % view, &diff);

	state = vcfg_state_write(space, buf, sizeof(buf));
	/* The fake may read as ones. */
	REQUIRE(state > 0 || state == -EIO);
	if (state < 0)
		return;
	REQUIRE(!vcfg_state_load(space, buf, state, &diff));
	REQUIRE(vcfg_state_write(space, again, sizeof(again)) == state);
	REQUIRE(!memcmp(buf, again, state));
	for (unsigned int i = take(in, 1) % 4; i; i--)
		buf[take(in, 2) % state] = take(in, 1);
	if (vcfg_state_load(space, buf, state, &diff)) {
		REQUIRE(vcfg_state_write(space, buf, sizeof(buf)) == state);
		REQUIRE(!memcmp(buf, again, state));
	}
}

/* The user of a device that fits. */
static void check_space(struct input *in, const struct vcfg_persona_hw *hw)
{
	static struct vcfg_fitting fit;
	static struct shown s;
	struct fake *f = &s.dev;

	memset(&fit, 0, sizeof(fit));
	memset(&s, 0, sizeof(s));
	memcpy(f->hw, hw->config, hw->bytes);
	memset(f->rw, 0xff, sizeof(f->rw));
	f->irq = take(in, 1) & 3;
	f->vectors = 4;
	f->desc = (struct vcfg_desc){
		.bytes = hw->bytes,
		.view = true,
		.persona = &persona,
		.rom_bytes = hw->rom_bytes,
		.callbacks = shown_callbacks,
		.num_callbacks = ARRAY_SIZE(shown_callbacks),
	};
	memcpy(f->desc.bar_bytes, hw->bar_bytes, sizeof(hw->bar_bytes));
	memcpy(f->desc.bar_flags, hw->bar_flags, sizeof(hw->bar_flags));
	if (vcfg_persona_probe(&f->desc, &fake_ops, f, &fit) ||
	    vcfg_persona_space(&f->space, &f->desc, &fake_ops, f, f->mem, &fit) ||
	    vcfg_view_build(&f->space))
		return;
	check_first(&f->space);
	use_space(in, &f->space);
	check_payloads(in, &f->space);
	REQUIRE(!f->bad);
}

/* A device that was changed at random, with the persona's BARs or others. */
static void check_fit(struct input *in)
{
	static u8 cfg[VCFG_MAX_BYTES];
	struct vcfg_persona_hw hw;
	struct vcfg_persona_map map;
	struct vcfg_persona_why why;
	u8 *exact;
	int err;

	fake_hardware(&hw, cfg);
	hw.rom_bytes = take(in, 1) & 1 ? 65536 : 0;
	for (unsigned int i = take(in, 1) % 16; i; i--)
		vcfg_put16(cfg, (take(in, 2) & 0x3ff) & ~1U, take(in, 2));
	for (unsigned int i = 0; i < VCFG_BARS; i++) {
		u8 choice = take(in, 1);

		if (choice & 0x80)
			hw.bar_bytes[i] = 1ULL << (choice & 63);
	}
	/* What the persona wants, now and then, so that more than BARs is tried. */
	if (take(in, 1) & 1)
		for (unsigned int i = 0; i <= VPV_PERSONA_ROM; i++) {
			struct vcfg_persona_bar bar = vcfg_persona_bar(&persona, i);

			if (i == VPV_PERSONA_ROM) {
				hw.rom_bytes = bar.bytes;
				continue;
			}
			hw.bar_bytes[i] = bar.bytes;
			hw.bar_flags[i] = bar.type;
		}
	if (take(in, 1) & 1)
		hw.bytes = VCFG_STD_BYTES;
	/* Of exactly that size. */
	exact = malloc(hw.bytes);
	REQUIRE(exact);
	memcpy(exact, cfg, hw.bytes);
	hw.config = exact;
	err = vcfg_persona_fit(&persona, &hw, &map, &why);
	REQUIRE(err <= 0);
	if (!err) {
		check_view(&hw, &map);
		if (deep)
			check_space(in, &hw);
	} else {
		REQUIRE(why.text);
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct input in = { data, bytes };
	struct vcfg_persona_why why;
	u8 choice = take(&in, 1), mode = choice & 3;
	size_t blob_bytes;
	u8 *blob, *exact;
	int err;

	deep = !(choice & 0xc);
	blob = malloc(max(in.left, (size_t)4096));
	REQUIRE(blob);
	if (mode <= 1) {
		blob_bytes = in.left;
		memcpy(blob, in.at, in.left);
		if (mode)
			seal_raw(blob, blob_bytes);
	} else {
		blob_bytes = mode == 2 ? build(&in, blob) : change(&in, blob);
	}
	exact = malloc(blob_bytes ? blob_bytes : 1);
	REQUIRE(exact);
	memcpy(exact, blob, blob_bytes);
	free(blob);
	err = vcfg_persona_parse(&persona, exact, blob_bytes, &why);
	REQUIRE(err <= 0);
	if (err) {
		REQUIRE(why.text);
	} else {
		check_chains();
		check_fields();
		check_fit(&in);
	}
	free(exact);
	return 0;
}
