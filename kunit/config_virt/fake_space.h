/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function with nothing but a config space, for the suites and the fuzzer.
 *
 * Its registers are memory with a mask of bits that can be written and of bits
 * that 1 clears.  It notes what the engine asks for, checks what the engine may
 * never do (@bad), and can fail the nth operation.
 */
#ifndef FAKE_SPACE_H
#define FAKE_SPACE_H

#include "../../config_virt/vcfg.h"

struct fake {
	u8 hw[VCFG_MAX_BYTES];
	u8 rw[VCFG_MAX_BYTES];
	u8 w1c[VCFG_MAX_BYTES];
	struct vcfg_desc desc;
	struct vcfg_space space;
	u8 mem[10 * VCFG_MAX_BYTES];

	enum vcfg_irq irq;
	unsigned int vectors;
	unsigned int readrq_max;	/* of the bridge; 0: no limit */

	u32 vpd[16];	/* vital product data */

	/* What has happened. */
	unsigned int reads;
	unsigned int writes;
	unsigned int commands;
	unsigned int powers;
	unsigned int readrqs;
	unsigned int flrs;
	unsigned int restores;
	unsigned int msis;
	unsigned int vpds;
	u16 old_command;
	u16 new_command;
	unsigned int dstate;
	bool msi_enable;
	unsigned int msi_log2;
	unsigned int last_pos;
	unsigned int last_bytes;
	u32 last_val;

	/* What somebody else writes right after the next read; 0: nothing. */
	unsigned int meet_pos;
	u8 meet_val;

	/* Operations until one fails; 0: none does. */
	unsigned int fail_nth;
	bool failed;
	const char *bad;

	/* Reads until it does not answer any more; 0: it always does. */
	unsigned int gone_nth;
	bool gone;
};

static inline bool fake_is_gone(struct fake *f)
{
	if (f->gone_nth && !--f->gone_nth)
		f->gone = true;
	return f->gone;
}

static inline int fake_op(struct fake *f)
{
	if (!f->fail_nth || --f->fail_nth)
		return 0;
	f->failed = true;
	return -EIO;
}

static inline void fake_check(struct fake *f, unsigned int pos, unsigned int bytes)
{
	if ((bytes != 1 && bytes != 2 && bytes != 4) || pos % bytes)
		f->bad = "access is not aligned";
	else if (pos + bytes > f->desc.bytes)
		f->bad = "access beyond the end";
}

static inline int fake_read(void *host, unsigned int pos, unsigned int bytes, u32 *val)
{
	struct fake *f = host;
	int err = fake_op(f);

	fake_check(f, pos, bytes);
	if (err || f->bad)
		return err ? err : -EINVAL;
	f->reads++;
	*val = fake_is_gone(f) ? ~0U >> (32 - 8 * bytes) : vcfg_get(f->hw, pos, bytes);
	if (f->meet_pos)
		f->hw[f->meet_pos] = f->meet_val;
	f->meet_pos = 0;
	return 0;
}

/* Registers keep their not writable bits; the engine should not even try. */
static inline int fake_write(void *host, unsigned int pos, unsigned int bytes, u32 val)
{
	struct fake *f = host;
	int err = fake_op(f);
	u32 now, rw, w1c;

	fake_check(f, pos, bytes);
	if (err || f->bad)
		return err ? err : -EINVAL;
	f->writes++;
	f->last_pos = pos;
	f->last_bytes = bytes;
	f->last_val = val;
	now = vcfg_get(f->hw, pos, bytes);
	rw = vcfg_get(f->rw, pos, bytes);
	w1c = vcfg_get(f->w1c, pos, bytes);
	vcfg_put(f->hw, pos, bytes, ((now & ~rw) | (val & rw)) & ~(val & w1c));
	return 0;
}

static inline int fake_command(void *host, u16 old, u16 val)
{
	struct fake *f = host;
	int err = fake_op(f);

	if (err)
		return err;
	if (old != f->space.command)
		f->bad = "old command is not the current one";
	f->commands++;
	f->old_command = old;
	f->new_command = val;
	vcfg_put16(f->hw, PCI_COMMAND, val & ~PCI_COMMAND_INTX_DISABLE);
	return 0;
}

static inline int fake_power(void *host, unsigned int dstate)
{
	struct fake *f = host;
	int err = fake_op(f);

	if (err)
		return err;
	f->powers++;
	f->dstate = dstate;
	return 0;
}

static inline int fake_readrq(void *host, unsigned int bytes)
{
	struct fake *f = host;
	unsigned int at = vcfg_hw_pos(&f->space, f->space.reg[VCFG_TRAP_EXP]);
	unsigned int code = 0;
	int err = fake_op(f);

	if (err)
		return err;
	while (128U << code < bytes)
		code++;
	if (128U << code != bytes || code > 5)
		f->bad = "read requests of a size that cannot be";
	f->readrqs++;
	if (!f->readrq_max || bytes <= f->readrq_max)
		vcfg_put16(f->hw, at, (vcfg_get16(f->hw, at) & ~PCI_EXP_DEVCTL_READRQ) |
				      code << 12);
	return 0;
}

static inline int fake_flr(void *host)
{
	struct fake *f = host;
	int err = fake_op(f);

	if (err)
		return err;
	f->flrs++;
	return 0;
}

static inline enum vcfg_irq fake_irq(void *host, unsigned int *vectors)
{
	struct fake *f = host;

	*vectors = f->vectors;
	return f->irq;
}

static inline int fake_msi(void *host, bool enable, unsigned int log2_vectors)
{
	struct fake *f = host;
	int err = fake_op(f);

	if (err)
		return err;
	f->msis++;
	f->msi_enable = enable;
	f->msi_log2 = log2_vectors;
	return 0;
}

static inline int fake_vpd(void *host, unsigned int addr, bool write, u32 *data)
{
	struct fake *f = host;
	int err = fake_op(f);

	if (err || addr % 4 || addr >= sizeof(f->vpd))
		return err ? err : -EINVAL;
	f->vpds++;
	if (write)
		f->vpd[addr / 4] = *data;
	else
		*data = f->vpd[addr / 4];
	return 0;
}

static inline int fake_restore_bars(void *host)
{
	struct fake *f = host;
	int err = fake_op(f);

	if (err)
		return err;
	f->restores++;
	for (unsigned int i = 0; i < VCFG_BARS; i++)
		vcfg_put32(f->hw, PCI_BASE_ADDRESS_0 + 4 * i, f->space.saved_bar[i]);
	return 0;
}

static const struct vcfg_host_ops fake_ops = {
	.read = fake_read,
	.write = fake_write,
	.command = fake_command,
	.power = fake_power,
	.readrq = fake_readrq,
	.flr = fake_flr,
	.irq = fake_irq,
	.msi = fake_msi,
	.vpd = fake_vpd,
	.restore_bars = fake_restore_bars,
};

/* A register: value, writable bits, bits that 1 clears. */
static inline void fake_reg(struct fake *f, unsigned int pos, unsigned int bytes,
			    u32 val, u32 rw, u32 w1c)
{
	vcfg_put(f->hw, pos, bytes, val);
	vcfg_put(f->rw, pos, bytes, rw);
	vcfg_put(f->w1c, pos, bytes, w1c);
}

static inline void fake_cap(struct fake *f, unsigned int pos, u8 id, u8 next)
{
	f->hw[pos] = id;
	f->hw[pos + 1] = next;
}

static inline void fake_ext(struct fake *f, unsigned int pos, u16 id, unsigned int next)
{
	vcfg_put32(f->hw, pos, id | 1U << 16 | next << 20);
}

/* A function without BARs and capabilities; all other bytes can be written. */
static inline void fake_bare(struct fake *f, unsigned int bytes)
{
	memset(f, 0, sizeof(*f));
	f->desc.bytes = bytes;
	memset(f->rw + VCFG_HEADER, 0xff, bytes - VCFG_HEADER);
	fake_reg(f, PCI_VENDOR_ID, 4, 0x56781234, 0, 0);
	fake_reg(f, PCI_COMMAND, 2, 0x0007, 0x0547, 0);
	fake_reg(f, PCI_STATUS, 2, 0x0008, 0, 0xf900);
	fake_reg(f, PCI_CLASS_REVISION, 4, 0x02000003, 0, 0);
	fake_reg(f, PCI_CACHE_LINE_SIZE, 1, 0x10, 0xff, 0);
	fake_reg(f, PCI_LATENCY_TIMER, 1, 0x40, 0xf8, 0);
	fake_reg(f, PCI_HEADER_TYPE, 1, 0x80, 0, 0);
	fake_reg(f, PCI_BIST, 1, 0x80, 0x40, 0);
	fake_reg(f, PCI_SUBSYSTEM_VENDOR_ID, 4, 0xabcd1af4, 0, 0);
	fake_reg(f, PCI_INTERRUPT_LINE, 4, 0x0a05010b, 0xff, 0);
}

static inline void fake_nic_std(struct fake *f)
{
	vcfg_put16(f->hw, PCI_STATUS, 0x0010);
	f->hw[PCI_CAPABILITY_LIST] = 0x40;

	fake_cap(f, 0x40, PCI_CAP_ID_PM, 0x50);
	fake_reg(f, 0x42, 2, 0xc803, 0, 0);
	fake_reg(f, 0x44, 4, 0x8108, 0x1f03, 0x8000);

	fake_cap(f, 0x50, PCI_CAP_ID_MSI, 0x70);
	fake_reg(f, 0x52, 2, 0x018a, 0x0071, 0);

	fake_cap(f, 0x70, PCI_CAP_ID_SSVID, 0x80);
	fake_reg(f, 0x74, 4, 0x11111111, 0, 0);

	fake_cap(f, 0x80, PCI_CAP_ID_EXP, 0xc0);
	fake_reg(f, 0x82, 2, 0x0002, 0, 0);
	fake_reg(f, 0x84, 4, 0x10008002, 0, 0);
	fake_reg(f, 0x88, 2, 0x2830, 0x7fff, 0);
	fake_reg(f, 0x8a, 2, 0x0001, 0, 0x004f);
	fake_reg(f, 0xa8, 2, 0, 0xffff, 0);

	fake_cap(f, 0xc0, PCI_CAP_ID_MSIX, 0xd0);
	fake_reg(f, 0xc2, 2, 0x0007, 0xc000, 0);
	fake_reg(f, 0xc4, 4, 0x00000004, 0, 0);
	fake_reg(f, 0xc8, 4, 0x00000804, 0, 0);

	fake_cap(f, 0xd0, PCI_CAP_ID_AF, 0xe0);
	fake_reg(f, 0xd2, 4, 0x00000306, 0, 0);

	fake_cap(f, 0xe0, PCI_CAP_ID_VPD, 0xf0);
	fake_cap(f, 0xf0, PCI_CAP_ID_VNDR, 0);
	fake_reg(f, 0xf2, 1, 0x0c, 0, 0);
}

/*
 * PM, MSI (64 bits, masks, 32 vectors), a hidden one, PCIe 2, MSI-X, AF, VPD and
 * a vendor's own; AER, a hidden one, serial number, SR-IOV, a vendor's own.
 * BARs: 0 memory of 64 bits, 2 I/O, 4 memory of 32 bits; ROM.
 */
static inline void fake_nic(struct fake *f)
{
	fake_bare(f, VCFG_MAX_BYTES);
	fake_nic_std(f);

	fake_reg(f, PCI_BASE_ADDRESS_0, 4, 0xf000000c, 0, 0);
	fake_reg(f, PCI_BASE_ADDRESS_1, 4, 0x00000010, 0, 0);
	fake_reg(f, PCI_BASE_ADDRESS_2, 4, 0x0000e001, 0, 0);
	fake_reg(f, PCI_BASE_ADDRESS_4, 4, 0xfebf0000, 0, 0);
	fake_reg(f, PCI_ROM_ADDRESS, 4, 0xfec00000, 0, 0);
	f->desc.bar_bytes[0] = 1 << 20;
	f->desc.bar_bytes[2] = 32;
	f->desc.bar_bytes[4] = 16384;
	f->desc.rom_bytes = 65536;

	fake_ext(f, 0x100, PCI_EXT_CAP_ID_ERR, 0x140);
	fake_reg(f, 0x104, 4, 0x00101000, 0, 0xffffffff);
	fake_reg(f, 0x110, 4, 0x00002001, 0, 0xffffffff);
	fake_ext(f, 0x140, PCI_EXT_CAP_ID_PASID, 0x150);
	fake_reg(f, 0x144, 4, 0x00011406, 0x00070000, 0);
	fake_ext(f, 0x150, PCI_EXT_CAP_ID_DSN, 0x160);
	fake_reg(f, 0x154, 4, 0x11223344, 0, 0);
	fake_reg(f, 0x158, 4, 0x55667788, 0, 0);
	fake_ext(f, 0x160, PCI_EXT_CAP_ID_SRIOV, 0x200);
	fake_ext(f, 0x200, PCI_EXT_CAP_ID_VNDR, 0);
	fake_reg(f, 0x204, 4, 0x01000001, 0, 0);
}

/* A VF of such a NIC: no ids, no BARs, no memory enable. */
static inline void fake_vf(struct fake *f)
{
	fake_nic(f);
	fake_reg(f, PCI_VENDOR_ID, 4, 0xffffffff, 0, 0);
	fake_reg(f, PCI_COMMAND, 2, 0x0000, 0x0004, 0);
	memset(f->hw + PCI_BASE_ADDRESS_0, 0, 24);
	fake_reg(f, PCI_ROM_ADDRESS, 4, 0, 0, 0);
	memset(f->desc.bar_bytes, 0, sizeof(f->desc.bar_bytes));
	f->desc.bar_bytes[0] = 16384;
	f->desc.bar_flags[0] = 0xc;
	f->desc.rom_bytes = 0;
	f->desc.vf = true;
	f->desc.vendor = 0x1234;
	f->desc.device = 0x5679;
}

static inline int fake_init(struct fake *f)
{
	/* Only the arrays of the view begin as zeroes, see vcfg_create(). */
	memset(f->mem, f->desc.view ? 0 : 0xa5, sizeof(f->mem));
	return vcfg_space_init(&f->space, &f->desc, &fake_ops, f, f->mem);
}

/* The user's accesses; an error reads as all ones. */
static inline u32 fake_get(struct fake *f, unsigned int pos, unsigned int bytes)
{
	u8 buf[4];

	if (vcfg_space_read(&f->space, pos, buf, bytes))
		return vcfg_lanes(4);
	return vcfg_get(buf, 0, bytes);
}

static inline int fake_set(struct fake *f, unsigned int pos, unsigned int bytes, u32 val)
{
	u8 buf[4];

	vcfg_put(buf, 0, bytes, val);
	return vcfg_space_write(&f->space, pos, buf, bytes);
}

#endif /* FAKE_SPACE_H */
