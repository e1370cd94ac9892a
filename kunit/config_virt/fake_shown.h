/* SPDX-License-Identifier: GPL-2.0 */
/* The device of fake_persona.h behind a space that shows its persona. */
#ifndef FAKE_SHOWN_H
#define FAKE_SHOWN_H

#include "fake_persona.h"
#include "fake_space.h"

struct shown {
	struct fake dev;
	struct fake_persona blob;
	struct vcfg_persona p;
	struct vcfg_persona_why why;
	struct vcfg_fitting fit;
	struct vmig_diff diff;
	u8 buf[VPV_CONFIG_MAX_BYTES];
	u32 mailbox;
	u32 mask;
	unsigned int calls;
	int call_err;
};

static inline int mailbox_read(void *host, unsigned int pos, unsigned int bytes, u32 *val)
{
	struct shown *s = container_of((struct fake *)host, struct shown, dev);

	s->calls++;
	*val = s->mailbox;
	return s->call_err;
}

static inline int mailbox_write(void *host, unsigned int pos, unsigned int bytes, u32 val,
				u32 mask)
{
	struct shown *s = container_of((struct fake *)host, struct shown, dev);

	s->calls++;
	s->mask = mask;
	if (s->call_err)
		return s->call_err;
	s->mailbox = (s->mailbox & ~mask) | val;
	return 0;
}

static const struct vcfg_callback shown_callbacks[] = {
	{ .name = "doorbell", .read = mailbox_read },
	{ .name = "mailbox", .read = mailbox_read, .write = mailbox_write },
};

/* The registers of fake_hardware() that can be written, and some values. */
static inline void shown_device(struct shown *s)
{
	struct fake *f = &s->dev;
	struct vcfg_persona_hw hw;

	memset(s, 0, sizeof(*s));
	fake_fill(&s->blob);
	fake_hardware(&hw, f->hw);
	fake_reg(f, PCI_COMMAND, 2, 0x0007, 0x0547, 0);
	fake_reg(f, PCI_STATUS, 2, 0x2010, 0, 0xf900);
	fake_reg(f, PCI_BASE_ADDRESS_0, 4, 0xfe000000, 0, 0);
	fake_reg(f, PCI_BASE_ADDRESS_2, 4, 0x8000000c, 0, 0);
	fake_reg(f, PCI_BASE_ADDRESS_3, 4, 0x00000021, 0, 0);
	fake_reg(f, PCI_BASE_ADDRESS_4, 4, 0x9000c004, 0, 0);
	fake_reg(f, 0x42, 2, 0x807f, 0xc000, 0);
	fake_reg(f, 0x54, 2, 0x0008, 0x1f03, 0x8000);
	fake_reg(f, 0x68, 2, 0x2830, 0x7fff, 0);
	fake_reg(f, 0x6a, 2, 0x0001, 0, 0x000f);
	fake_reg(f, 0x104, 4, 0x01000001, 0xffffffff, 0);
	fake_reg(f, 0x108, 4, 0xabcdef01, 0xffffffff, 0);
	fake_reg(f, 0xc0, 4, 0x600df00d, 0xffffffff, 0);
	f->desc = (struct vcfg_desc){
		.bytes = VCFG_MAX_BYTES,
		.view = true,
		.persona = &s->p,
		.callbacks = shown_callbacks,
		.num_callbacks = ARRAY_SIZE(shown_callbacks),
	};
	memcpy(f->desc.bar_bytes, hw.bar_bytes, sizeof(hw.bar_bytes));
	f->desc.bar_flags[2] = 0xc;
	f->desc.bar_flags[4] = 0x4;
	s->mailbox = 0xb0bafe77;
}

static inline int shown_build(struct shown *s)
{
	struct fake *f = &s->dev;
	int err;

	fake_seal(&s->blob);
	memset(f->mem, 0, sizeof(f->mem));
	memset(&s->fit, 0, sizeof(s->fit));
	err = vcfg_persona_parse(&s->p, &s->blob, FAKE_BYTES, &s->why);
	if (!err)
		err = vcfg_persona_probe(&f->desc, &fake_ops, f, &s->fit);
	if (!err)
		err = vcfg_persona_space(&f->space, &f->desc, &fake_ops, f, f->mem,
					 &s->fit);
	return err ? err : vcfg_view_build(&f->space);
}

#endif /* FAKE_SHOWN_H */
