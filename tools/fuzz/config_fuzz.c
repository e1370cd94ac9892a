// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the config space engine: any device, any description, any accesses.
 *
 * Input: a setup (struct setup), patches to a config space, then accesses and
 * events of a device that may change any byte at any time, stop answering, or
 * fail.  A device that can be migrated then takes its own state, and a damaged one.
 * What must hold whatever happens is in the check_*() functions.
 */
#include "../../kunit/config_virt/fake_space.h"

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
#include "../../config_virt/state.c"
#include "../../config_virt/trap.c"
#include "../../config_virt/view.c"
#include "../../config_virt/words.c"

#include "require.h"

#define SETUP_EXT	0x01	/* 4096 bytes */
#define SETUP_VF	0x02
#define SETUP_NO_INTX	0x04
#define SETUP_NIC	0x08	/* begin with a sane function */
#define SETUP_RAW	0x10	/* then 256 bytes of the input */
#define SETUP_CHAINS	0x20	/* make sure that there are chains */
#define SETUP_NO_MSI	0x40	/* the optional operation is not there */
#define SETUP_VIEW	0x80	/* it can be migrated */

struct setup {
	u8 flags;
	u8 bar_log2[VCFG_BARS];
	u8 bar_flags;
	u8 rom_log2;
	u8 irq;
	u8 vectors;
	u8 fail_nth;
	u8 kept;
	u8 patches;
};

struct input {
	const u8 *at;
	size_t left;
};

static struct fake dev;
static u8 first_shadow[VCFG_MAX_BYTES];
static u8 *packed;

static bool take(struct input *in, void *to, size_t bytes)
{
	if (in->left < bytes)
		return false;
	memcpy(to, in->at, bytes);
	in->at += bytes;
	in->left -= bytes;
	return true;
}

/* Registers of the first 64 bytes that the engine has a reason to write. */
static bool header_writable(unsigned int pos)
{
	return pos == PCI_STATUS || pos == PCI_STATUS + 1 ||
	       (pos >= PCI_CACHE_LINE_SIZE && pos <= PCI_BIST);
}

/* Only what the user may write changes; nothing is cleared by the way. */
static int checked_write(void *host, unsigned int pos, unsigned int bytes, u32 val)
{
	struct fake *f = host;
	u32 now = vcfg_get(f->hw, pos, bytes);
	u32 allowed = vcfg_lanes(bytes), w1c = 0;

	if (pos < f->space.tabled) {
		allowed = vcfg_get(f->space.write, pos, bytes) &
			  ~vcfg_get(f->space.virt, pos, bytes);
		w1c = vcfg_get(f->space.w1c, pos, bytes);
	}
	REQUIRE(!(val & ~vcfg_lanes(bytes)));
	REQUIRE(!((val ^ now) & ~allowed & ~w1c));
	REQUIRE(!(val & w1c & ~allowed));
	for (unsigned int i = 0; i < bytes; i++)
		REQUIRE(pos + i >= VCFG_HEADER || header_writable(pos + i));
	return fake_write(host, pos, bytes, val);
}

static int checked_power(void *host, unsigned int dstate)
{
	REQUIRE(dstate <= 3);
	return fake_power(host, dstate);
}

static int checked_msi(void *host, bool enable, unsigned int log2_vectors)
{
	struct fake *f = host;

	REQUIRE(f->irq == VCFG_IRQ_MSI);
	REQUIRE(log2_vectors <= 5);
	REQUIRE(!log2_vectors || 1U << (log2_vectors - 1) < f->vectors);
	return fake_msi(host, enable, log2_vectors);
}

static struct vcfg_host_ops ops;

/* A capability of the user's chain: not a hidden one, and it can be found. */
static void check_found(unsigned int id, u32 header, bool ext)
{
	unsigned int pos = vcfg_caps_find(&dev.space, id, ext);

	REQUIRE(!(vcfg_rule_find(header, ext)->flags & VCFG_RULE_HIDE));
	REQUIRE(pos && vcfg_get(dev.space.shadow, pos, ext ? 2 : 1) == id);
}

/* Chains end, stay inside, visit nothing twice and name nothing hidden. */
static void check_chain(bool ext)
{
	unsigned int pos = ext ? VCFG_STD_BYTES : dev.space.shadow[PCI_CAPABILITY_LIST];
	unsigned int end = ext ? dev.space.bytes : VCFG_STD_BYTES;
	u8 seen[VCFG_MAX_BYTES / 4] = { 0 };
	u8 buf[4];

	if (ext ? dev.space.bytes == VCFG_STD_BYTES :
	    !(dev.space.shadow[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return;
	if (ext && (dev.space.tabled <= VCFG_STD_BYTES ||
		    !vcfg_get32(dev.space.virt, VCFG_STD_BYTES)))
		return;
	REQUIRE(!vcfg_caps_find(&dev.space, 0xfff0, ext));
	while (pos) {
		u32 header;

		REQUIRE(!(pos & 3) && pos >= (ext ? VCFG_STD_BYTES : VCFG_HEADER));
		REQUIRE(pos < end);
		REQUIRE(!seen[pos / 4]);
		seen[pos / 4] = 1;
		/* Without an access: headers are virtual. */
		dev.fail_nth = 1;
		REQUIRE(!vcfg_space_read(&dev.space, pos, buf, ext ? 4 : 2));
		dev.fail_nth = 0;
		header = ext ? vcfg_get32(buf, 0) : vcfg_get16(buf, 0);
		if (!(ext && pos == VCFG_STD_BYTES && !(header & 0xfffff)))
			check_found(header & (ext ? 0xffff : 0xff), header, ext);
		pos = ext ? header >> 20 : header >> 8;
	}
}

/* Address bits below the size are 0, type bits are what they were. */
static void check_bars(void)
{
	for (unsigned int i = 0; i < VCFG_BARS; i++) {
		unsigned int pos = PCI_BASE_ADDRESS_0 + 4 * i;
		u64 bytes = dev.desc.bar_bytes[i];
		u32 val = vcfg_get32(dev.space.shadow, pos);
		u32 first = vcfg_get32(first_shadow, pos);

		REQUIRE(vcfg_get32(dev.space.virt, pos) == 0xffffffffU);
		if (!bytes)
			continue;
		REQUIRE(!((val ^ first) & (u32)(bytes - 1)));
		REQUIRE(!(val & (u32)(bytes - 1) & ~0xfU));
		if (bar_is_64(first & 0xf))
			REQUIRE(!(vcfg_get32(dev.space.shadow, pos + 4) &
				  (u32)((bytes - 1) >> 32)));
	}
	if (!dev.desc.rom_bytes)
		REQUIRE(!vcfg_get32(dev.space.shadow, PCI_ROM_ADDRESS));
}

/* Virtual bits that the user may not write stay what they were. */
static void check_shadow(void)
{
	for (unsigned int i = 0; i < dev.space.tabled; i += 4)
		REQUIRE(!((vcfg_get32(dev.space.shadow, i) ^ vcfg_get32(first_shadow, i)) &
			  ~vcfg_get32(dev.space.write, i)));
	REQUIRE(dev.space.command == vcfg_get16(dev.space.shadow, PCI_COMMAND));
	if (dev.space.reg[VCFG_TRAP_MSI]) {
		u16 flags = vcfg_get16(dev.space.shadow, dev.space.reg[VCFG_TRAP_MSI]);

		REQUIRE((flags & PCI_MSI_FLAGS_QSIZE) >> 4 <=
			(flags & PCI_MSI_FLAGS_QMASK) >> 1);
		REQUIRE((flags & PCI_MSI_FLAGS_QMASK) >> 1 <= 5);
	}
	if (dev.space.reg[VCFG_TRAP_EXP])
		REQUIRE(!(vcfg_get16(dev.space.shadow, dev.space.reg[VCFG_TRAP_EXP]) &
			  PCI_EXP_DEVCTL_BCR_FLR));
}

/* A read gives the bytes that reads of single bytes give. */
static void do_read(unsigned int pos, unsigned int bytes)
{
	u8 all[256], one;
	unsigned int nth = dev.fail_nth;
	int err = vcfg_space_read(&dev.space, pos, all, bytes);

	if (pos > dev.space.bytes || bytes > dev.space.bytes - pos) {
		REQUIRE(err == -EFAULT);
		return;
	}
	REQUIRE(!err || (nth && err == -EIO));
	if (err || nth)
		return;
	for (unsigned int i = 0; i < bytes; i++) {
		REQUIRE(!vcfg_space_read(&dev.space, pos + i, &one, 1));
		REQUIRE(one == all[i]);
	}
}

static void do_write(struct input *in, unsigned int pos, unsigned int bytes)
{
	u8 buf[256];
	unsigned int nth = dev.fail_nth;
	int err;

	if (!take(in, buf, bytes))
		return;
	err = vcfg_space_write(&dev.space, pos, buf, bytes);
	if (pos > dev.space.bytes || bytes > dev.space.bytes - pos)
		REQUIRE(err == -EFAULT);
	else
		REQUIRE(!err || (nth && err == -EIO));
}

/* The device, or the host, does something of its own. */
static void do_event(struct input *in, unsigned int pos)
{
	u8 event[2];

	if (!take(in, event, sizeof(event)))
		return;
	switch (event[0] % 5) {
	case 0:
		dev.hw[pos % dev.desc.bytes] = event[1];
		break;
	case 1:
		dev.irq = event[1] % 4;
		break;
	case 2:
		dev.vectors = event[1] % 33;
		break;
	case 3:
		dev.fail_nth = event[1] % 16;
		break;
	default:
		memset(dev.hw, 0xff, sizeof(dev.hw));
		break;
	}
}

static void run(struct input *in)
{
	struct {
		u8 op;
		u8 bytes;
		u8 pos[2];
	} step;

	while (take(in, &step, sizeof(step))) {
		/* Most accesses shall hit something. */
		unsigned int pos = vcfg_get16(step.pos, 0) & 0x1fff;

		/* The rest is for migrate(). */
		if (dev.desc.view && step.op == 0xff)
			break;
		if (step.op & 0x80)
			pos &= 0xff;
		switch (step.op & 3) {
		case 0:
			do_read(pos, step.bytes);
			break;
		case 1:
		case 2:
			do_write(in, pos, step.op & 4 ? step.bytes & 3 : step.bytes);
			break;
		default:
			do_event(in, pos);
			break;
		}
		REQUIRE(!dev.bad);
		check_bars();
	}
	check_shadow();
}

/* Nothing is written but what the user may write (checked_write()), nothing is done. */
static void migrate(struct input *in)
{
	static u8 buf[VPV_CONFIG_MAX_BYTES], again[VPV_CONFIG_MAX_BYTES];
	unsigned int done = dev.commands + dev.powers + dev.flrs + dev.vpds;
	int state = vcfg_state_write(&dev.space, buf, sizeof(buf));
	struct vmig_diff diff;
	u8 change[3];
	int err;

	REQUIRE(state > 0 || state == -EIO);
	if (state < 0)
		return;
	REQUIRE(!vcfg_state_load(&dev.space, buf, state, &diff));
	REQUIRE(vcfg_state_write(&dev.space, again, sizeof(again)) == state);
	REQUIRE(!memcmp(buf, again, state));
	while (take(in, change, sizeof(change)))
		buf[vcfg_get16(change, 0) % state] = change[2];
	err = vcfg_state_load(&dev.space, buf, state, &diff);
	REQUIRE(!err || diff.field);
	REQUIRE(dev.commands + dev.powers + dev.flrs + dev.vpds == done);
	if (err) {
		REQUIRE(vcfg_state_write(&dev.space, buf, sizeof(buf)) == state);
		REQUIRE(!memcmp(buf, again, state));
	}
	check_bars();
	check_shadow();
}

static bool set_up(struct input *in)
{
	struct setup setup;

	if (!take(in, &setup, sizeof(setup)))
		return false;
	if (setup.flags & SETUP_NIC)
		fake_nic(&dev);
	else
		fake_bare(&dev, VCFG_MAX_BYTES);
	if (setup.flags & SETUP_RAW && !take(in, dev.hw, VCFG_STD_BYTES))
		return false;
	if (setup.flags & SETUP_CHAINS) {
		dev.hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
		if (!dev.hw[PCI_CAPABILITY_LIST])
			dev.hw[PCI_CAPABILITY_LIST] = 0x40;
	}
	dev.desc.bytes = setup.flags & SETUP_EXT ? VCFG_MAX_BYTES : VCFG_STD_BYTES;
	dev.desc.vf = setup.flags & SETUP_VF;
	dev.desc.no_intx = setup.flags & SETUP_NO_INTX;
	for (unsigned int i = 0; i < VCFG_BARS; i++) {
		if (setup.bar_log2[i] & 0x80)
			dev.desc.bar_bytes[i] = 1ULL << (setup.bar_log2[i] & 63);
		else if (setup.bar_log2[i] & 0x40)
			dev.desc.bar_bytes[i] = setup.bar_log2[i];
		dev.desc.bar_flags[i] = setup.bar_flags >> (i & 1 ? 4 : 0) & 0xf;
	}
	if (setup.rom_log2)
		dev.desc.rom_bytes = 1ULL << (setup.rom_log2 & 63);
	dev.irq = setup.irq % 4;
	dev.vectors = setup.vectors % 33;
	for (unsigned int i = 0; i < setup.patches; i++) {
		u8 patch[6];

		if (!take(in, patch, sizeof(patch)))
			return false;
		memcpy(dev.hw + (vcfg_get16(patch, 0) & 0xffc), patch + 2, 4);
	}
	dev.fail_nth = setup.fail_nth;
	memset(dev.desc.kept + 1, setup.kept, sizeof(dev.desc.kept) - sizeof(dev.desc.kept[0]));
	dev.desc.view = setup.flags & SETUP_VIEW;
	ops = fake_ops;
	ops.write = checked_write;
	ops.power = checked_power;
	ops.msi = setup.flags & SETUP_NO_MSI ? NULL : checked_msi;
	return true;
}

/* As vcfg_create() does; memory of just that size, so that nothing behind is touched. */
static void pack(void)
{
	free(packed);
	packed = malloc(vcfg_space_packed(&dev.space));
	REQUIRE(packed);
	vcfg_space_pack(&dev.space, packed);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	int err;

	if (!set_up(&in))
		return 0;
	err = vcfg_space_init(&dev.space, &dev.desc, &ops, &dev, dev.mem);
	REQUIRE(!dev.bad && !dev.writes && !dev.commands);
	if (err) {
		REQUIRE(dev.failed || err == -EINVAL || err == -ENODEV);
		return 0;
	}
	dev.fail_nth = 0;
	if (dev.desc.view)
		REQUIRE(!vcfg_view_build(&dev.space));
	else
		pack();
	memcpy(first_shadow, dev.space.shadow, dev.space.tabled);
	check_chain(false);
	check_chain(true);
	check_bars();
	run(&in);
	dev.fail_nth = 0;
	if (dev.desc.view)
		migrate(&in);
	check_chain(false);
	check_chain(true);
	return 0;
}
