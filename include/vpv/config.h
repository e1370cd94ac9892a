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

/* Room for the text that says why a persona is refused. */
#define VCFG_WHY_BYTES	128

struct vcfg_dev;
struct vcfg_persona;
struct vmig_diff;

/* Interrupt type that the user has enabled through SET_IRQS. */
enum vcfg_irq {
	VCFG_IRQ_NONE,
	VCFG_IRQ_INTX,
	VCFG_IRQ_MSI,
	VCFG_IRQ_MSIX,
};

/* Registers some of whose bits a host can keep for itself, see struct vcfg_desc. */
enum vcfg_kept {
	VCFG_KEPT_NONE,
	VCFG_KEPT_DEVCTL,	/* PCIe device control */
	VCFG_KEPT_DEVCTL2,	/* PCIe device control 2 */
	VCFG_KEPT_PCIX,		/* PCI-X command */
	VCFG_KEPTS,
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

	/**
	 * @readrq: The user asks for another Max_Read_Request_Size (PCIe device control).
	 * @bytes: 128 to 4096, a power of two.
	 *
	 * The host sets it as far as the way to the device allows; what it does not
	 * allow is no error, since the user's view keeps the value in any case.
	 */
	int (*readrq)(void *host, unsigned int bytes);

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
	 * @log2_vectors: Multiple Message Enable, no more than SET_IRQS had enabled.
	 *
	 * Optional: without it the register is the user's alone, and only
	 * SET_IRQS changes the hardware's.  The host excludes SET_IRQS, looks
	 * again whether MSI is enabled, and for how many vectors, and if so writes the two
	 * fields: the engine cannot, since it does not hold the lock of the interrupts.
	 */
	int (*msi)(void *host, bool enable, unsigned int log2_vectors);

	/**
	 * @vpd: Transfer a dword of vital product data at @addr.
	 *
	 * Optional: without it reads never complete.  May take 125 ms.
	 */
	int (*vpd)(void *host, unsigned int addr, bool write, u32 *data);

	/**
	 * @restore_bars: Physical BARs were lost (a reset that nobody announced).
	 *
	 * Just before @command; never for a VF.
	 */
	int (*restore_bars)(void *host);
};

/**
 * struct vcfg_callback - A field of a persona that the driver performs
 *
 * Called as the operations of struct vcfg_host_ops are: engine's lock held, may
 * sleep, may take memory_lock, must not call the engine nor wait for the migration
 * library.  @host is that of vcfg_create(); for a variant its struct vpv_device.
 */
struct vcfg_callback {
	/** @name: As maps call it. */
	const char *name;

	/**
	 * @read: Value of a register, of which the persona gave some bits to this.
	 * @pos: Its offset, as the user sees it.
	 * @bytes: 1, 2 or 4.
	 *
	 * Mandatory.  Bits that are not the persona's are ignored.
	 */
	int (*read)(void *host, unsigned int pos, unsigned int bytes, u32 *val);

	/**
	 * @write: The user wrote @val to the bits of @mask; other bits are 0.
	 *
	 * NULL: personas cannot make it writable.
	 */
	int (*write)(void *host, unsigned int pos, unsigned int bytes, u32 val, u32 mask);
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
 * @view: Remember what the user sees at first, for vcfg_view(), and which bits are state,
 *	for vcfg_save() and vcfg_load().
 * @kept: For each enum vcfg_kept the bits that the user cannot change: what is right there
 *	depends on the way to the device, and the host has set it up.
 * @persona: What to show, or NULL: what the hardware has.  @bar_bytes, @bar_flags
 *	and @rom_bytes are still the hardware's then.
 * @callbacks: For @persona; they must live as long as the view.
 * @num_callbacks: Their number, at most 64.
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
	bool view;
	u16 kept[VCFG_KEPTS];
	struct vcfg_persona *persona;
	const struct vcfg_callback *callbacks;
	unsigned int num_callbacks;
};

/**
 * vcfg_create() - Build the user's view of a config space
 * @desc: Facts; copied.  A reference to @desc->persona is taken.
 * @ops: How to reach the device.
 * @host: First argument of @ops.
 * @why: Receives, after a refusal, what was wrong in words, else an empty string.
 *
 * Reads through @ops->read what it has to know of the physical config space;
 * calls no other operation.
 * Context: process; may sleep.
 * Return: the view, or ERR_PTR(-ENOMEM), ERR_PTR(-EINVAL) for a description or a
 * header type that is not supported, ERR_PTR(-ENODEV) for a device that does not
 * answer, what vcfg_persona_check() returns, or the error of a read.
 */
struct vcfg_dev *vcfg_create(const struct vcfg_desc *desc,
			     const struct vcfg_host_ops *ops, void *host,
			     char why[VCFG_WHY_BYTES]);

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

/**
 * vcfg_bytes() - Size of the user's config space
 * @cfg: View.
 *
 * Return: 256 or 4096; a persona may show less than the hardware has.
 */
unsigned int vcfg_bytes(const struct vcfg_dev *cfg);

/**
 * vcfg_view() - What another device must show alike, for the stream
 * @cfg: View, created with vcfg_desc.view.
 * @buf: Receives the payload of VPV_RECORD_VIEW.
 * @room: VPV_CONFIG_MAX_BYTES are enough.
 *
 * Return: bytes; -ENOSPC; -EOPNOTSUPP for a view without vcfg_desc.view.
 */
int vcfg_view(struct vcfg_dev *cfg, void *buf, size_t room);

/**
 * vcfg_check_view() - Does this view show the same as another one?
 * @cfg: View, created with vcfg_desc.view.
 * @buf: What vcfg_view() wrote there; untrusted.
 * @bytes: Its size.
 * @diff: Receives the first thing that differs.
 *
 * Return: 0; -EOPNOTSUPP if not; -EINVAL for bytes that make no sense.
 */
int vcfg_check_view(struct vcfg_dev *cfg, const void *buf, size_t bytes,
		    struct vmig_diff *diff);

/**
 * vcfg_emulates() - Does the persona emulate bits?
 * @cfg: View.
 *
 * A stream without a VPV_RECORD_CONFIG would lose them.
 * Context: any.
 */
bool vcfg_emulates(const struct vcfg_dev *cfg);

/**
 * vcfg_save() - What the user has written to config space, for the stream
 * @cfg: View, created with vcfg_desc.view.
 * @buf: Receives the payload of VPV_RECORD_CONFIG.
 * @room: VPV_CONFIG_MAX_BYTES are enough.
 *
 * Bits that the permission tables call state (Documentation/stream.rst) and those that a
 * persona emulates.  Reads the hardware's ones through vcfg_host_ops.read.
 *
 * Context: as vcfg_read().
 * Return: bytes; -ENOSPC; -EOPNOTSUPP for a view without vcfg_desc.view; -EIO for a device
 * that does not answer; the error of a read.
 */
int vcfg_save(struct vcfg_dev *cfg, void *buf, size_t room);

/**
 * vcfg_load() - Take what the user of another device has written
 * @cfg: View, created with vcfg_desc.view, that shows the same.
 * @buf: What vcfg_save() wrote there; untrusted.
 * @bytes: Its size.
 * @diff: Receives what is wrong.
 *
 * Writes registers as vcfg_write() does, with its checks, where they differ.  COMMAND, MSI
 * and MSI-X Enable and the D state are not touched.
 *
 * Context: as vcfg_write().
 * Return: 0; -EINVAL, -EOPNOTSUPP or -EPROTONOSUPPORT (a later version) with nothing
 * changed; -EIO for a device that does not answer; an error of the host, after which
 * registers before the one in @diff have been written.
 */
int vcfg_load(struct vcfg_dev *cfg, const void *buf, size_t bytes,
	      struct vmig_diff *diff);

/**
 * vcfg_persona_load() - Validate a compiled persona and keep it
 * @blob: Bytes, from anywhere; copied.
 * @bytes: Their number.
 * @why: Receives, after a refusal, what was wrong in words.
 *
 * Context: process; may sleep.
 * Return: the persona, with one reference; ERR_PTR(-ENOMEM) or what
 * Documentation/persona.rst lists.
 */
struct vcfg_persona *vcfg_persona_load(const void *blob, size_t bytes,
				       char why[VCFG_WHY_BYTES]);

/**
 * vcfg_persona_get() - Take a reference
 * @p: Persona.
 *
 * Return: @p.
 */
struct vcfg_persona *vcfg_persona_get(struct vcfg_persona *p);

/**
 * vcfg_persona_put() - Drop a reference
 * @p: Persona, or NULL.
 */
void vcfg_persona_put(struct vcfg_persona *p);

/**
 * struct vcfg_persona_facts - What a persona says outside config space
 * @name: Its name.
 * @version: Its version.
 * @digest: SHA-256 of the blob.
 * @bar_bytes: Sizes of the BARs that the user sees.
 * @rom_bytes: Size of the ROM.
 */
struct vcfg_persona_facts {
	const char *name;
	u32 version;
	const u8 *digest;
	u64 bar_bytes[VCFG_BARS];
	u64 rom_bytes;
};

/**
 * vcfg_persona_facts() - Ask a persona
 * @p: Persona.
 * @facts: Filled in; valid as long as the reference to @p.
 */
void vcfg_persona_facts(const struct vcfg_persona *p, struct vcfg_persona_facts *facts);

/**
 * vcfg_persona_check() - Can a device keep what desc->persona promises?
 * @desc: As for vcfg_create().
 * @ops: As for vcfg_create().
 * @host: As for vcfg_create().
 * @why: Receives, after a refusal, what was wrong in words.
 *
 * Reads all of physical config space.
 * Context: process; may sleep.
 * Return: 0; -ENOMEM; what Documentation/persona.rst lists; the error of a read.
 */
int vcfg_persona_check(const struct vcfg_desc *desc, const struct vcfg_host_ops *ops,
		       void *host, char why[VCFG_WHY_BYTES]);

#endif /* VPV_CONFIG_H */
