// SPDX-License-Identifier: GPL-2.0
/*
 * What a VMM does with libvcfg: it shows a guest the config space that a persona
 * describes, of a device whose config space is an array in memory.  The persona and the
 * device are those of the kernel's own tests.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kunit/config_virt/fake_persona.h"

/* The device: its registers, and what the guest's writes did to them. */
struct image {
	u8 config[VCFG_MAX_BYTES];
	u16 command;
	unsigned int dstate;
	unsigned int flrs;
	u32 mailbox;
};

static int image_read(void *host, unsigned int pos, unsigned int bytes, u32 *val)
{
	struct image *image = host;

	*val = vcfg_get(image->config, pos, bytes);
	return 0;
}

static int image_write(void *host, unsigned int pos, unsigned int bytes, u32 val)
{
	struct image *image = host;

	vcfg_put(image->config, pos, bytes, val);
	return 0;
}

static int image_command(void *host, u16 old, u16 val)
{
	struct image *image = host;

	image->command = val;
	vcfg_put16(image->config, PCI_COMMAND, val);
	return 0;
}

static int image_power(void *host, unsigned int dstate)
{
	struct image *image = host;

	image->dstate = dstate;
	return 0;
}

/* The image has no bridges: nothing to decide. */
static int image_readrq(void *host, unsigned int bytes)
{
	return 0;
}

static int image_flr(void *host)
{
	struct image *image = host;

	image->flrs++;
	return 0;
}

static enum vcfg_irq image_irq(void *host, unsigned int *vectors)
{
	return VCFG_IRQ_NONE;
}

static int image_restore_bars(void *host)
{
	return 0;
}

static const struct vcfg_host_ops ops = {
	.read = image_read,
	.write = image_write,
	.command = image_command,
	.power = image_power,
	.readrq = image_readrq,
	.flr = image_flr,
	.irq = image_irq,
	.restore_bars = image_restore_bars,
};

static int mailbox_read(void *host, unsigned int pos, unsigned int bytes, u32 *val)
{
	struct image *image = host;

	*val = image->mailbox;
	return 0;
}

static int mailbox_write(void *host, unsigned int pos, unsigned int bytes, u32 val, u32 mask)
{
	struct image *image = host;

	image->mailbox = (image->mailbox & ~mask) | val;
	return 0;
}

static const struct vcfg_callback callbacks[] = {
	{ .name = "mailbox", .read = mailbox_read, .write = mailbox_write },
};

/* A guest's device: the image, and the space that the guest sees. */
struct shown {
	struct image image;
	struct fake_persona blob;
	struct vcfg_persona persona;
	struct vcfg_fitting fit;
	struct vcfg_space space;
	u8 *mem;
};

static int show(struct shown *s, u8 firmware)
{
	struct vcfg_persona_why why;
	struct vcfg_persona_hw hw;
	struct vcfg_desc desc = {
		.bytes = VCFG_MAX_BYTES,
		.view = true,
		.persona = &s->persona,
		.callbacks = callbacks,
		.num_callbacks = ARRAY_SIZE(callbacks),
	};
	int err;

	memset(s, 0, sizeof(*s));
	fake_fill(&s->blob);
	fake_hardware(&hw, s->image.config);
	s->image.config[PCI_REVISION_ID] = firmware;
	memcpy(desc.bar_bytes, hw.bar_bytes, sizeof(desc.bar_bytes));
	memcpy(desc.bar_flags, hw.bar_flags, sizeof(desc.bar_flags));
	err = vcfg_persona_parse(&s->persona, &s->blob, FAKE_BYTES, &why);
	err = err ? err : vcfg_persona_probe(&desc, &ops, &s->image, &s->fit);
	if (err)
		return err;
	s->mem = calloc(1, vcfg_space_mem(&desc));
	if (!s->mem)
		return -ENOMEM;
	err = vcfg_persona_space(&s->space, &desc, &ops, &s->image, s->mem, &s->fit);
	return err ? err : vcfg_view_build(&s->space);
}

static u32 get(struct shown *s, unsigned int pos, unsigned int bytes)
{
	u8 buf[4] = { 0 };

	if (vcfg_space_read(&s->space, pos, buf, bytes))
		return ~0U;
	return vcfg_get(buf, 0, bytes);
}

static void set(struct shown *s, unsigned int pos, unsigned int bytes, u32 val)
{
	u8 buf[4];

	vcfg_put(buf, 0, bytes, val);
	vcfg_space_write(&s->space, pos, buf, bytes);
}

static unsigned int number;
static bool failed;

static void check(bool good, const char *what)
{
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++number, what);
	failed |= !good;
}

static void test_reads(struct shown *s)
{
	check(get(s, PCI_VENDOR_ID, 4) == 0x76101234, "ids are the persona's");
	check(get(s, PCI_REVISION_ID, 1) == 1 && s->image.config[PCI_REVISION_ID] != 1,
	      "the revision is not the device's");
	check(get(s, PCI_CAPABILITY_LIST, 1) == 0x40 && get(s, 0x40, 1) == PCI_CAP_ID_EXP &&
	      s->image.config[0x40] == PCI_CAP_ID_MSIX,
	      "capabilities are in the persona's order");
	check(get(s, 0x82, 2) == 0x3f && vcfg_get16(s->image.config, 0x42) == 0x7f,
	      "fewer vectors than the device has");
	check(get(s, 0xc0, 4) == 0x600df00d, "registers of the device show through");
}

static void test_writes(struct shown *s)
{
	set(s, PCI_BASE_ADDRESS_2, 4, ~0U);
	check(get(s, PCI_BASE_ADDRESS_2, 4) == 0xfffe0004, "a BAR has the persona's size");
	set(s, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	check(s->image.command == PCI_COMMAND_MEMORY, "COMMAND reaches the device");
	set(s, PCI_CACHE_LINE_SIZE, 1, 0x20);
	check(get(s, PCI_CACHE_LINE_SIZE, 1) == 0x20 && !s->image.config[PCI_CACHE_LINE_SIZE],
	      "emulated bits do not");
	set(s, 0x98, 4, 0x12345678);
	check(s->image.mailbox == 0x12345678 && get(s, 0x98, 4) == 0x12345678,
	      "callbacks are called");
	set(s, PCI_VENDOR_ID, 4, 0);
	check(get(s, PCI_VENDOR_ID, 4) == 0x76101234, "fixed bits cannot be written");
	set(s, 0x68, 2, PCI_EXP_DEVCTL_BCR_FLR);
	set(s, 0x48, 2, PCI_EXP_DEVCTL_BCR_FLR);
	check(s->image.flrs == 1, "a reset is asked for where the persona shows it");
}

/* Two devices that differ show the same, and the emulated bits are taken over. */
static void test_state(struct shown *s, struct shown *other)
{
	static u8 buf[VPV_CONFIG_MAX_BYTES];
	struct vmig_diff diff;
	int bytes = vcfg_view_write(&s->space, buf, sizeof(buf));

	check(bytes > 0 && !vcfg_view_check(&other->space, buf, bytes, &diff),
	      "another device shows the same");
	bytes = vcfg_state_write(&s->space, buf, sizeof(buf));
	check(bytes > 0 && !vcfg_state_load(&other->space, buf, bytes, &diff) &&
	      get(other, PCI_CACHE_LINE_SIZE, 1) == 0x20, "and takes the emulated state");
}

int main(void)
{
	static struct shown one, two;

	printf("TAP version 13\n");
	check(!show(&one, 2) && !show(&two, 3), "two devices can show the persona");
	if (!failed) {
		test_reads(&one);
		test_writes(&one);
		test_state(&one, &two);
	}
	printf("1..%u\n", number);
	free(one.mem);
	free(two.mem);
	return failed;
}
