/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Configuration space as the user of a device sees it (module vpv_config).
 *
 * The engine knows what may be read and written and what only looks so; the
 * device itself and everything with an effect outside config space is reached
 * through struct vcfg_host_ops.  The decisions are taken in pure files, which
 * VMMs can link as well.
 */
#ifndef VPV_CONFIG_H
#define VPV_CONFIG_H

#include <linux/types.h>

#define VCFG_BARS	6
#define VCFG_MAX_BYTES	4096U

struct vcfg_dev;

/* Interrupt type that the user has enabled through SET_IRQS. */
enum vcfg_irq {
	VCFG_IRQ_NONE,
	VCFG_IRQ_INTX,
	VCFG_IRQ_MSI,
	VCFG_IRQ_MSIX,
};

/**
 * struct vcfg_host_ops - The device behind a config space
 *
 * Called in process context with the engine's lock held: they may sleep and may
 * take locks of the device (memory_lock), but must not touch user memory nor call
 * the engine.  @pos and @bytes are aligned: 1, 2 or 4 bytes inside one dword.
 * Return: 0 or a negative errno, which the access returns to its caller.
 */
struct vcfg_host_ops {
	/** @read: Read physical config space. */
	int (*read)(void *host, unsigned int pos, unsigned int bytes, u32 *val);

	/** @write: Write physical config space. */
	int (*write)(void *host, unsigned int pos, unsigned int bytes, u32 val);

	/**
	 * @command: The user's COMMAND changes from @old to @val.
	 *
	 * The host writes the physical register itself, with mappings revoked
	 * before memory space is disabled.  Interrupt Disable is not for the
	 * physical register: it masks or unmasks INTx.
	 */
	int (*command)(void *host, u16 old, u16 val);

	/** @power: The user asks for a D state, 0 to 3 (PM control register). */
	int (*power)(void *host, unsigned int dstate);

	/** @flr: The user asks for a function level reset (PCIe or AF). */
	int (*flr)(void *host);

	/**
	 * @irq: Which interrupt type is enabled, and how many MSI vectors.
	 *
	 * A snapshot.  @vectors is set for VCFG_IRQ_MSI only.
	 */
	enum vcfg_irq (*irq)(void *host, unsigned int *vectors);

	/**
	 * @msi: The user's MSI control, while @irq says VCFG_IRQ_MSI.
	 * @enable: MSI Enable.
	 * @log2_vectors: Multiple Message Enable, no more than SET_IRQS enabled.
	 *
	 * Optional: without it the register is the user's alone, and only
	 * SET_IRQS changes the hardware's.  The host excludes SET_IRQS, looks
	 * again whether MSI is enabled, and if so writes the two fields: the
	 * engine cannot, since it does not hold the lock of the interrupts.
	 */
	int (*msi)(void *host, bool enable, unsigned int log2_vectors);

	/**
	 * @restore_bars: Physical BARs were lost (reset behind our back).
	 *
	 * Just before @command; never for a VF.
	 */
	int (*restore_bars)(void *host);
};

/**
 * struct vcfg_desc - What config space itself does not tell
 * @bytes: Size of config space: 256 or 4096.
 * @bar_bytes: Size of each BAR as the user shall see it: 0 or a power of two;
 *	smaller than the hardware's when a variant hides a part.  The upper half
 *	of a 64-bit BAR has 0.
 * @bar_flags: Low four bits of each BAR register (PCI_BASE_ADDRESS_*), where the
 *	hardware's registers do not tell: VFs.  0: those of the hardware.
 * @rom_bytes: Size of the expansion ROM BAR, 0 for none.
 * @vf: A virtual function: ids come from @vendor and @device, memory space
 *	enable is not implemented by hardware and reads as 1 after open.
 * @vendor: Vendor id for a VF.
 * @device: Device id for a VF.
 * @no_intx: The interrupt pin reads 0.  It does for a VF in any case.
 * @msi_max: Most MSI vectors that can be offered (0: what hardware says).
 */
struct vcfg_desc {
	unsigned int bytes;
	u64 bar_bytes[VCFG_BARS];
	u8 bar_flags[VCFG_BARS];
	u64 rom_bytes;
	bool vf;
	u16 vendor;
	u16 device;
	bool no_intx;
	unsigned int msi_max;
};

/**
 * vcfg_create() - Build the user's view of a config space
 * @desc: Facts; copied.
 * @ops: How to reach the device.
 * @host: First argument of @ops.
 *
 * Reads through @ops->read what it has to know of the physical config space;
 * calls no other operation.
 * Context: process; may sleep.
 * Return: the view, or ERR_PTR(-ENOMEM), ERR_PTR(-EINVAL) for a description or a
 * header type that is not supported (logged), ERR_PTR(-ENODEV) for a device that
 * does not answer, or the error of a read.
 */
struct vcfg_dev *vcfg_create(const struct vcfg_desc *desc,
			     const struct vcfg_host_ops *ops, void *host);

/**
 * vcfg_destroy() - Free a view
 * @cfg: What vcfg_create() returned, or NULL.
 */
void vcfg_destroy(struct vcfg_dev *cfg);

/**
 * vcfg_read() - Read as the user does
 * @cfg: View.
 * @pos: First byte.
 * @buf: Kernel memory.
 * @bytes: Any number; the engine splits.
 *
 * Context: process; may sleep.  Takes the engine's lock, in which it calls the
 * host ops.
 * Return: 0; -EFAULT beyond the end (nothing is read); an error of the device
 * (@buf is undefined then).
 */
int vcfg_read(struct vcfg_dev *cfg, unsigned int pos, void *buf, unsigned int bytes);

/**
 * vcfg_write() - Write as the user does
 * @cfg: View.
 * @pos: First byte.
 * @buf: Kernel memory.
 * @bytes: Any number; the engine splits.
 *
 * Registers are written in ascending order; after an error those before the one
 * that failed have been written, and that one has kept its virtual value.
 *
 * Context: as vcfg_read().
 * Return: 0; -EFAULT beyond the end (nothing is written); an error of the host.
 */
int vcfg_write(struct vcfg_dev *cfg, unsigned int pos, const void *buf,
	       unsigned int bytes);

/**
 * vcfg_command() - The user's COMMAND register
 * @cfg: View.
 *
 * Context: any; a snapshot.  It changes only inside vcfg_write(), after
 * vcfg_host_ops.command returned.
 */
u16 vcfg_command(const struct vcfg_dev *cfg);

/**
 * vcfg_find_cap() - Where the user sees a capability
 * @cfg: View.
 * @id: Capability id.
 * @ext: Extended capability.
 *
 * Return: offset, or 0 if there is none (or it is hidden).
 */
unsigned int vcfg_find_cap(const struct vcfg_dev *cfg, unsigned int id, bool ext);

#endif /* VPV_CONFIG_H */
