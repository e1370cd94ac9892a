// SPDX-License-Identifier: GPL-2.0
/*
 * The engine's view of a device as a persona says.  Pure, but for reading config
 * space through the host, once: what was checked is what is shown.
 *
 * Registers that come from the hardware get the masks that they have without a
 * persona, at the place where the persona shows them; then each bit that is not
 * the hardware's is taken away from it.
 */
#include "persona.h"
#include "vcfg.h"

#define BAR_FLAGS	0xfU

/* What the user may not see otherwise, whatever the persona says. */
static void config_patch(const struct vcfg_desc *desc, u8 *config)
{
	if (desc->vf) {
		vcfg_put16(config, PCI_VENDOR_ID, desc->vendor);
		vcfg_put16(config, PCI_DEVICE_ID, desc->device);
	}
	if (desc->vf || desc->no_intx)
		config[PCI_INTERRUPT_PIN] = 0;
}

static void hw_fill(const struct vcfg_desc *desc, struct vcfg_fitting *fit)
{
	struct vcfg_persona_hw *hw = &fit->hw;

	hw->config = fit->config;
	hw->bytes = desc->bytes;
	hw->rom_bytes = desc->rom_bytes;
	for (unsigned int i = 0; i < VCFG_BARS; i++) {
		hw->bar_bytes[i] = desc->bar_bytes[i];
		hw->bar_flags[i] = desc->bar_flags[i];
		if (!desc->bar_flags[i])
			hw->bar_flags[i] = vcfg_get32(fit->config, PCI_BASE_ADDRESS_0 +
						      4 * i) & BAR_FLAGS;
	}
	hw->num_callbacks = min_t(unsigned int, desc->num_callbacks,
				  VPV_PERSONA_MAX_CALLBACKS);
	for (unsigned int i = 0; i < hw->num_callbacks; i++)
		fit->names[i] = desc->callbacks[i].name;
	hw->callbacks = fit->names;
}

/*
 * Read the device and check that it can keep desc->persona.  @fit is zeroed.
 * Return: 0, an error of a read, or that of vcfg_persona_fit() (@fit->why tells).
 */
int vcfg_persona_probe(const struct vcfg_desc *desc, const struct vcfg_host_ops *ops,
		       void *host, struct vcfg_fitting *fit)
{
	for (unsigned int pos = 0; pos < desc->bytes; pos += 4) {
		u32 val = 0;
		int err = ops->read(host, pos, 4, &val);

		if (err)
			return vcfg_persona_refuse(&fit->why, err,
						   "config space cannot be read", 0, pos);
		vcfg_put32(fit->config, pos, val);
	}
	/* Before an id of ours makes it look alive. */
	if (vcfg_get32(fit->config, PCI_CACHE_LINE_SIZE) == 0xffffffffU)
		return vcfg_persona_refuse(&fit->why, -ENODEV, "device does not answer", 0,
					   0xffff);
	config_patch(desc, fit->config);
	hw_fill(desc, fit);
	return vcfg_persona_fit(desc->persona, &fit->hw, &fit->map, &fit->why);
}

/* Masks and first values of @bytes bytes, at @at in the hardware. */
static void take_registers(struct vcfg_space *space, const struct vcfg_rule *rule,
			   unsigned int pos, unsigned int at, unsigned int bytes,
			   const u8 *config)
{
	u8 own = rule->flags & VCFG_RULE_RAW ? 0xff : 0;

	memset(space->virt + pos, 0, bytes);
	memset(space->write + pos, own, bytes);
	memcpy(space->shadow + pos, config + at, bytes);
	if (space->known)
		memset(space->known + pos, own, bytes);
	for (unsigned int off = 0; off < bytes; off += 4)
		vcfg_put16(space->place, (pos + off) / 4 * 2, at + off);
	vcfg_perm_apply(space, pos, bytes, rule);
	vcfg_perm_values(space, pos, bytes, rule);
}

/* Everything as the hardware has it. */
static void take_hardware(struct vcfg_space *space, const struct vcfg_persona *p,
			  const struct vcfg_fitting *fit)
{
	const u8 *config = fit->config;

	/* Bytes of no capability. */
	memset(space->write, 0xff, space->bytes);
	if (space->known)
		memset(space->known, 0xff, space->bytes);
	for (unsigned int pos = 0; pos < space->bytes; pos += 4)
		vcfg_put16(space->place, pos / 4 * 2, pos);
	take_registers(space, vcfg_rule_header(), 0, 0, VCFG_HEADER, config);
	for (unsigned int i = 0; i < p->num_caps; i++) {
		struct vcfg_persona_cap cap = vcfg_persona_cap(p, i);
		unsigned int at = fit->map.pos[i];

		if (at)
			take_registers(space,
				       vcfg_rule_find(vcfg_get32(config, at), cap.ext),
				       cap.pos, at, min_t(unsigned int, cap.bytes,
							  fit->map.room[i]), config);
	}
}

/* Only bits that the persona gives it are the hardware's. */
static void keep_hardware(struct vcfg_space *space, const struct vcfg_persona *p)
{
	for (unsigned int pos = 0; pos < space->bytes; pos++) {
		u8 hw = p->hw[pos];

		if (vcfg_is_bar(pos))
			continue;
		space->virt[pos] |= ~hw;
		space->write[pos] &= hw;
		space->shadow[pos] = (space->shadow[pos] & hw) | p->val[pos];
		if (space->known) {
			space->known[pos] &= hw;
			space->state[pos] &= hw;
		}
	}
}

/* A register none of whose bits is the hardware's has no effect. */
static void keep_traps(struct vcfg_space *space, const struct vcfg_persona *p)
{
	u8 hw[VCFG_TRAPS] = { 0 };

	for (unsigned int pos = 0; pos < space->bytes; pos++)
		hw[space->trap[pos]] |= p->hw[pos];
	for (unsigned int pos = 0; pos < space->bytes; pos++)
		if (!hw[space->trap[pos]])
			space->trap[pos] = VCFG_TRAP_NONE;
	for (unsigned int trap = 0; trap < VCFG_TRAPS; trap++)
		if (!hw[trap])
			space->reg[trap] = 0;
}

static const struct vcfg_callback *find_callback(const struct vcfg_space *space,
						 const char *name)
{
	unsigned int i = 0;

	while (i < space->num_callbacks && strcmp(space->callbacks[i].name, name))
		i++;
	return i < space->num_callbacks ? &space->callbacks[i] : NULL;
}

static int take_callback(struct vcfg_space *space, const struct vcfg_persona_field *f,
			 struct vcfg_persona_why *why)
{
	const char *name = vcfg_persona_callback(space->persona, f->callback);
	const struct vcfg_callback *cb = find_callback(space, name);
	unsigned int at = f->pos / 4 * 2;

	vcfg_persona_part(why, VCFG_PERSONA_NAME, f->callback);
	if (!cb || !cb->read || (f->write && !cb->write))
		return vcfg_persona_refuse(why, -EOPNOTSUPP,
					   "callback that the driver cannot perform", 0,
					   f->pos);
	vcfg_put16(space->place, at, vcfg_get16(space->place, at) | VCFG_PLACE_CALLED);
	return 0;
}

/* Bits of a field that a migration carries: not those that the user cannot write. */
static void take_state(struct vcfg_space *space, const struct vcfg_persona_field *f)
{
	u32 state;

	if (!space->state)
		return;
	state = vcfg_get(space->state, f->pos, f->bytes);
	if (f->source == VPV_PERSONA_EMULATED)
		state |= f->bits;
	else if (f->narrowed)
		state &= f->write | ~f->bits;
	vcfg_put(space->state, f->pos, f->bytes, state);
}

/* What sources say beyond the first value, which is in p->val. */
static int take_field(struct vcfg_space *space, const struct vcfg_persona_field *f,
		      struct vcfg_persona_why *why)
{
	u32 write;

	if (f->bytes > 4)
		return 0;
	take_state(space, f);
	write = vcfg_get(space->write, f->pos, f->bytes);
	switch (f->source) {
	case VPV_PERSONA_HW:
		if (f->narrowed)
			vcfg_put(space->write, f->pos, f->bytes,
				 write & (f->write | ~f->bits));
		return 0;
	case VPV_PERSONA_EMULATED:
		vcfg_put(space->write, f->pos, f->bytes, write | f->write);
		vcfg_put(space->clear, f->pos, f->bytes,
			 vcfg_get(space->clear, f->pos, f->bytes) | f->w1c);
		return 0;
	case VPV_PERSONA_CALLBACK:
		return take_callback(space, f, why);
	default:
		return 0;
	}
}

static int take_fields(struct vcfg_space *space, struct vcfg_persona_why *why)
{
	for (unsigned int i = 0; i < space->persona->num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(space->persona, i);
		int err = take_field(space, &f, why);

		if (err)
			return err;
	}
	return 0;
}

/* The part of a callback's field in an access; all as a dword. */
static int call_field(struct vcfg_space *space, const struct vcfg_persona_field *f,
		      const struct vcfg_piece *piece, bool write, u32 *val)
{
	const char *name = vcfg_persona_callback(space->persona, f->callback);
	const struct vcfg_callback *cb = find_callback(space, name);
	unsigned int mine = 8 * (f->pos & 3), here = 8 * (piece->pos & 3);
	u32 lanes = vcfg_lanes(piece->bytes) << here;
	u32 bits = ((write ? f->write : f->bits) << mine) & lanes;
	u32 got = 0;
	int err;

	if (!bits)
		return 0;
	if (write)
		return cb->write(space->host, f->pos, f->bytes,
				 (piece->val << here & bits) >> mine, bits >> mine);
	err = cb->read(space->host, f->pos, f->bytes, &got);
	if (!err)
		*val = (*val & ~(bits >> here)) | (got << mine & bits) >> here;
	return err;
}

static int call_fields(struct vcfg_space *space, const struct vcfg_piece *piece, bool write,
		       u32 *val)
{
	const struct vcfg_persona *p = space->persona;

	for (unsigned int i = vcfg_persona_from(p, piece->pos); i < p->num_fields; i++) {
		struct vcfg_persona_field f = vcfg_persona_field(p, i);
		int err;

		if (f.pos / 4 != piece->pos / 4)
			break;
		err = f.source == VPV_PERSONA_CALLBACK ?
			call_field(space, &f, piece, write, val) : 0;
		if (err)
			return err;
	}
	return 0;
}

static int take_bars(struct vcfg_space *space, const struct vcfg_desc *desc)
{
	const struct vcfg_persona *p = space->persona;
	struct vcfg_desc own = *desc;

	for (unsigned int i = 0; i < VCFG_BARS; i++) {
		struct vcfg_persona_bar bar = vcfg_persona_bar(p, i);
		unsigned int pos = PCI_BASE_ADDRESS_0 + 4 * i;

		own.bar_bytes[i] = bar.bytes;
		own.bar_flags[i] = bar.type;
		/* A type of 0 means that of the register, which is the hardware's. */
		if (bar.kind == VPV_PERSONA_BAR_SHOWN)
			space->shadow[pos] &= ~BAR_FLAGS;
	}
	own.rom_bytes = vcfg_persona_bar(p, VPV_PERSONA_ROM).bytes;
	return vcfg_bars_init(space, &own);
}

/* The limit applies; a persona that promises more is refused. */
static int limit_msi(struct vcfg_space *space, struct vcfg_persona_why *why)
{
	unsigned int reg = space->reg[VCFG_TRAP_MSI];
	u16 before = vcfg_get16(space->shadow, reg), now;

	if (!reg)
		return 0;
	vcfg_msi_limit(space);
	now = vcfg_get16(space->shadow, reg);
	vcfg_persona_part(why, VCFG_PERSONA_BLOB, 0);
	if ((before ^ now) & ~vcfg_get16(space->persona->hw, reg))
		return vcfg_persona_refuse(why, -ERANGE, "more MSI vectors than there can be",
					   now, before);
	return 0;
}

/*
 * Build the view that desc->persona describes.  After vcfg_persona_probe() with the
 * same arguments; @mem is vcfg_space_mem() bytes of zeroes.
 */
int vcfg_persona_space(struct vcfg_space *space, const struct vcfg_desc *desc,
		       const struct vcfg_host_ops *ops, void *host, void *mem,
		       struct vcfg_fitting *fit)
{
	const struct vcfg_persona *p = desc->persona;
	int err;

	vcfg_space_setup(space, desc, ops, host, mem);
	space->bytes = p->config_bytes;
	space->persona = p;
	space->callbacks = desc->callbacks;
	space->num_callbacks = desc->num_callbacks;
	space->call = p->num_callbacks ? call_fields : NULL;

	take_hardware(space, p, fit);
	vcfg_bars_save(space);
	keep_hardware(space, p);
	keep_traps(space, p);
	err = take_fields(space, &fit->why);
	err = err ? err : take_bars(space, desc);
	err = err ? err : limit_msi(space, &fit->why);
	if (err)
		return err;
	if (desc->vf) {
		space->virt[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
		space->shadow[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
	}
	space->command = vcfg_get16(space->shadow, PCI_COMMAND);
	return 0;
}
