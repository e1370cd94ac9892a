/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfio-user device models: the interface between a model and the runtime.
 *
 * A device model is one file that fills a struct vu_model.  The runtime owns the
 * socket, the protocol, config space, interrupts, guest memory, faults and the
 * control socket.  Everything runs in one thread: a hook never runs at the same
 * time as another one.  The single exception is documented at vu_dma_read().
 *
 * Conventions: functions return 0 or a negative errno; sizes are in bytes; times
 * are in nanoseconds of CLOCK_MONOTONIC unless the name says otherwise.
 */
#ifndef VU_H
#define VU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define VU_NUM_BARS	6
#define VU_MAX_CONTROLLED	64u
#define VU_PAGE_BYTES	4096u

struct vu_dev;
struct vu_fault;

/**
 * enum vu_reset - why the device is reset
 * @VU_RESET_POWER_ON: start of the process, or "reset" on the control socket
 * @VU_RESET_DEVICE: DEVICE_RESET message of the client
 * @VU_RESET_FLR: Initiate Function Level Reset written in config space
 */
enum vu_reset {
	VU_RESET_POWER_ON,
	VU_RESET_DEVICE,
	VU_RESET_FLR,
};

#define VU_BAR_64	0x1u	/* 64-bit; the next BAR number must stay empty */
#define VU_BAR_PREFETCH	0x2u
#define VU_BAR_IO	0x4u

/**
 * struct vu_area - part of a BAR that is plain memory, mappable by the client
 * @offset: start in the BAR, page aligned
 * @bytes: length, page aligned
 */
struct vu_area {
	uint64_t offset;
	uint64_t bytes;
};

/**
 * struct vu_regs - registers of 32 bits, little-endian
 * @wide: tells for an offset in the BAR whether two of them may be accessed at once there
 * @read: of one register
 * @write: of one register; as @bar_write
 *
 * Other accesses read as all ones, and write nothing.
 */
struct vu_regs {
	bool (*wide)(uint32_t off);
	uint32_t (*read)(struct vu_dev *dev, uint32_t off);
	void (*write)(struct vu_dev *dev, uint32_t off, uint32_t val);
};

/**
 * struct vu_bar - one base address register
 * @bytes: size, a power of two; 0 = not implemented
 * @flags: VU_BAR_*
 * @areas: mappable parts, ascending and disjoint; accesses to them by message are
 *         served by the runtime, all others by @bar_read and @bar_write
 * @num_areas: entries of @areas, at most VU_MAX_AREAS
 * @regs: what else is in it; NULL: @bar_read and @bar_write know
 */
struct vu_bar {
	uint64_t bytes;
	uint32_t flags;
	const struct vu_area *areas;
	unsigned int num_areas;
	const struct vu_regs *regs;
};

#define VU_MAX_AREAS	16u

/**
 * struct vu_option - a "--option name=value" that the model accepts
 * @name: word before the equals sign
 * @help: one line for --help
 */
struct vu_option {
	const char *name;
	const char *help;
};

/* The option of models whose functions have memory outside of BARs: its file. */
#define VU_MEMORY "mem"

/** vu_common_options - What every model with the capability in question has */
extern const struct vu_option vu_common_options[];

/* Fault points that every model has.  The model's own follow from VU_FAULT_MODEL. */
enum vu_fault_id {
	VU_FAULT_DMA_READ,
	VU_FAULT_DMA_WRITE,
	VU_FAULT_IRQ,
	VU_FAULT_REGION_READ,
	VU_FAULT_REGION_WRITE,
	VU_FAULT_CONFIG,
	VU_FAULT_MODEL,
};

#define VU_MAX_FAULTS	48u

/**
 * struct vu_model - what a device model declares and implements
 * @name: word for --model
 * @summary: one line for --list
 * @vendor: PCI vendor id; likewise @device, @subvendor, @subdevice, @revision
 * @class_code: 24-bit PCI class
 * @config_bytes: 256 or 4096
 * @intx: the function has an INTx pin
 * @bars: base address registers
 * @options: NULL-name terminated table, or NULL
 * @faults: NULL terminated names of the model's own fault points, or NULL.  What the function's
 *          migration waits for has standard names: "pause", "save", "load", and "op" for its work
 * @controlled: model of the functions that this one controls, or NULL.  The option
 *              "functions=N" makes N of them (1).  They live in the same process and
 *              thread, each with a client of its own; they see this one's options
 * @control: word of the function itself where it controls others, which are called @name
 * @revise: Change what is declared above for this device, where it depends on options.
 *          Called once, before all others.  On failure print the reason to stderr.
 * @init: Allocate private state (vu_set_priv()), read options, add capabilities.
 *        Called once, before @reset.  On failure print the reason to stderr.
 * @fini: Free what @init allocated.
 * @reset: Bring the device to its reset state; abandon all work.  May be called
 *         from inside vu_dma_read()/vu_dma_write().  Config space is already reset.
 * @bar_read: Fill @len bytes.  Never called beyond the BAR, nor while Memory Space
 *            Enable (for memory BARs) is clear.
 * @bar_write: Likewise for writes.  Must not touch guest memory: note what is to be
 *             done and call vu_kick().
 * @work: Do a bounded amount of work; called after vu_kick() or when the time given
 *        to vu_wake_at() has come.  The only hook that may touch guest memory.
 * @config_changed: Called after a config write was applied (bus master and the like).
 * @config_access: Called before a read of config space is answered and after a write was
 *                 applied, for registers whose access does something.
 * @regs: Print every register as "NAME 0xVALUE" lines.
 * @stats: Print counters as "name value" lines.
 * @commands: help text of the model's control commands, one a line, or NULL
 * @command: Run a control command.  Return -ENOENT if it is not known.
 *
 * Hooks other than @init may be NULL if there is nothing to do.
 */
struct vu_model {
	const char *name;
	const char *summary;
	uint16_t vendor;
	uint16_t device;
	uint16_t subvendor;
	uint16_t subdevice;
	uint8_t revision;
	uint32_t class_code;
	uint32_t config_bytes;
	bool intx;
	struct vu_bar bars[VU_NUM_BARS];
	const struct vu_option *options;
	const char *const *faults;
	const struct vu_model *controlled;
	const char *control;
	int (*revise)(const struct vu_dev *dev, struct vu_model *own);
	int (*init)(struct vu_dev *dev);
	void (*fini)(struct vu_dev *dev);
	void (*reset)(struct vu_dev *dev, enum vu_reset why);
	void (*bar_read)(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len);
	void (*bar_write)(struct vu_dev *dev, int bar, uint64_t off, const void *buf,
			  size_t len);
	void (*work)(struct vu_dev *dev);
	void (*config_changed)(struct vu_dev *dev);
	void (*config_access)(struct vu_dev *dev, uint64_t off, size_t len, bool write);
	void (*regs)(struct vu_dev *dev, FILE *out);
	void (*stats)(struct vu_dev *dev, FILE *out);
	const char *commands;
	int (*command)(struct vu_dev *dev, int argc, char **argv, FILE *out);
};

/*
 * VU_MODEL() - have the program offer a model, which may be static: the linker collects
 * the pointers, so that no file lists the models.
 */
#define VU_MODEL(model) \
	static const struct vu_model *const model##_entry \
		__attribute__((used, section("vu_models"))) = &(model)

extern const struct vu_model *const __start_vu_models[], *const __stop_vu_models[];

#define vu_for_each_model(m) \
	for (const struct vu_model *const *m = __start_vu_models; m < __stop_vu_models; m++)

/** vu_model_find() - the model of that name, or NULL */
const struct vu_model *vu_model_find(const char *name);

/** vu_set_priv() - attach the model's private state */
void vu_set_priv(struct vu_dev *dev, void *priv);

/** vu_priv() - the pointer given to vu_set_priv() */
void *vu_priv(const struct vu_dev *dev);

/** vu_controlling() - the function that controls this one, or NULL */
struct vu_dev *vu_controlling(const struct vu_dev *dev);

/** vu_controlled() - controlled function number @n, from 0; NULL if there is none */
struct vu_dev *vu_controlled(const struct vu_dev *dev, unsigned int n);

/** vu_function() - number of a controlled function */
unsigned int vu_function(const struct vu_dev *dev);

/** vu_option() - value of an option, or NULL when it was not given */
const char *vu_option(const struct vu_dev *dev, const char *name);

/** vu_option_rev() - MAJOR.MINOR of the option "rev", 1.0 by default, as MAJOR << 16 | MINOR */
int vu_option_rev(const struct vu_dev *dev, uint32_t *rev);

/**
 * vu_option_u64() - numeric option
 * @min, @max: accepted range
 * @val: holds the default on entry, the value on success
 *
 * Return: 0, or -EINVAL after printing what is wrong.
 */
int vu_option_u64(const struct vu_dev *dev, const char *name, uint64_t min, uint64_t max,
		  uint64_t *val);

#define NSEC_PER_USEC	1000ull
#define NSEC_PER_MSEC	1000000ull
#define NSEC_PER_SEC	1000000000ull

/** vu_now() - current time in nanoseconds */
uint64_t vu_now(void);

/** vu_kick() - have @work called soon, after the current message was answered */
void vu_kick(struct vu_dev *dev);

/** vu_wake_at() - have @work called at @when (the earliest request wins) */
void vu_wake_at(struct vu_dev *dev, uint64_t when);

/** vu_mem_enabled() - Memory Space Enable is set and the function is in D0 */
bool vu_mem_enabled(const struct vu_dev *dev);

/** vu_bus_master() - Bus Master Enable is set and the function is in D0 */
bool vu_bus_master(const struct vu_dev *dev);

/**
 * vu_bar_memory() - the memory behind the mappable areas of a BAR
 *
 * Return: pointer to the start of the BAR (only the areas are meaningful), or NULL.
 */
void *vu_bar_memory(struct vu_dev *dev, int bar);

/* ---- Registers (vu_regs.c) --------------------------------------------------- */

/**
 * struct vu_reg - a register with a name
 * @name: of the register
 * @off: where it is
 * @wide: it is one of 64 bits
 */
struct vu_reg {
	const char *name;
	uint32_t off;
	bool wide;
};

/** vu_regs_print() - lines of @regs that are read at @base, for the hook of that name */
void vu_regs_print(struct vu_dev *dev, uint32_t (*read)(struct vu_dev *dev, uint32_t off),
		   uint32_t base, const char *prefix, const struct vu_reg *regs, size_t num,
		   FILE *out);

/** vu_half() - the half of a 64-bit register that is read at @off */
static inline uint32_t vu_half(uint64_t reg, uint32_t off)
{
	return (uint32_t)(off & 4 ? reg >> 32 : reg);
}

/** vu_with_half() - a 64-bit register after the half at @off was written */
static inline uint64_t vu_with_half(uint64_t reg, uint32_t off, uint32_t val)
{
	return off & 4 ? (reg & UINT32_MAX) | (uint64_t)val << 32 :
			 (reg & ~(uint64_t)UINT32_MAX) | val;
}

/**
 * struct vu_claim - a number that the model can be told to say, whatever is true
 * @name: for the control command; the last entry has none
 * @off: of the register or field
 * @bytes: its size, at most 8
 */
struct vu_claim {
	const char *name;
	uint32_t off;
	unsigned int bytes;
};

#define VU_MAX_CLAIMS	24u

/**
 * struct vu_claims - what a model was told
 * @table: names, at most VU_MAX_CLAIMS; set by the model
 * @made: of each entry: it was told
 * @val: of each entry: what
 */
struct vu_claims {
	const struct vu_claim *table;
	bool made[VU_MAX_CLAIMS];
	uint64_t val[VU_MAX_CLAIMS];
};

/** vu_claim_set() - the control command "claim NAME VALUE", or "claim clear" */
int vu_claim_set(struct vu_claims *claims, int argc, char **argv);

/** vu_claimed() - true with *val: the register of 32 bits at @off says that */
bool vu_claimed(const struct vu_claims *claims, uint32_t off, uint32_t *val);

/** vu_claims_put() - replace in @buf, which begins at @off, what was claimed of its @bytes */
void vu_claims_put(const struct vu_claims *claims, uint32_t off, uint32_t bytes, void *buf);

/* ---- Guest memory (vu_dma.c) ---------------------------------------------- */

/**
 * vu_dma_read() - read guest memory
 *
 * Context: @work only.  Ranges that the client shared without a descriptor are read
 * by message; while the answer is awaited, requests of the client are served, so
 * @bar_read, @bar_write, @config_changed and @reset may run inside this call.
 * Return: 0, -EPERM (no bus mastering), -EFAULT (not mapped or gone), -EACCES (not
 * readable), -EIO (client failed it, or injected fault), -ETIMEDOUT, -ENOTCONN,
 * -ECANCELED (the device was reset meanwhile: give up silently), -EDEADLK (wrong
 * context).
 */
int vu_dma_read(struct vu_dev *dev, uint64_t iova, void *buf, size_t len);

/**
 * vu_dma_write() - write guest memory and enter the pages in the ledger
 *
 * Context and Return: as vu_dma_read().  On error a leading part may be written;
 * what was written is in the ledger.
 */
int vu_dma_write(struct vu_dev *dev, uint64_t iova, const void *buf, size_t len);

/**
 * vu_dma_begun() - accesses of a device that ends what it has begun
 * @begun: bus mastering was looked at, and is not looked at again until this is called
 *	with false, not even if the client turns it off or puts the function to sleep while
 *	an access waits
 */
void vu_dma_begun(struct vu_dev *dev, bool begun);

/* ---- Interrupts (vu_irq.c) ------------------------------------------------- */

/** vu_msix_raise() - send the message of an MSI-X vector, or make it pending */
void vu_msix_raise(struct vu_dev *dev, unsigned int vector);

/** vu_msix_pending() - the vector waits for being unmasked */
bool vu_msix_pending(const struct vu_dev *dev, unsigned int vector);

/** vu_msix_take_pending() - withdraw a pending message; true when there was one */
bool vu_msix_take_pending(struct vu_dev *dev, unsigned int vector);

/** vu_msi_raise() - send an MSI message, or make it pending */
void vu_msi_raise(struct vu_dev *dev, unsigned int vector);

/** vu_intx_set() - assert or deassert the INTx line */
void vu_intx_set(struct vu_dev *dev, bool level);

/**
 * vu_irq_hold() - while on, MSI and MSI-X messages stay pending
 *
 * For devices that promise silence, such as a paused one.  A reset ends it.
 */
void vu_irq_hold(struct vu_dev *dev, bool on);

/** vu_err_raise() - signal the ERR interrupt (uncorrected error) */
void vu_err_raise(struct vu_dev *dev);

/** vu_req_raise() - signal the REQ interrupt (device wants to be released) */
void vu_req_raise(struct vu_dev *dev);

/* ---- Config space (vu_config.c, vu_caps.c) --------------------------------- */

/**
 * vu_cap_add() - append a capability
 * @bytes: length with the two header bytes
 *
 * Context: @init.
 * Return: its offset, -ENOSPC, or -EINVAL.
 */
int vu_cap_add(struct vu_dev *dev, uint8_t id, unsigned int bytes);

/** vu_ext_cap_add() - append an extended capability; like vu_cap_add() */
int vu_ext_cap_add(struct vu_dev *dev, uint16_t id, uint8_t version, unsigned int bytes);

/**
 * vu_config_init() - set the reset value and the rules of config space bytes
 * @off: first byte
 * @len: 1, 2 or 4
 * @value: reset value
 * @writable: bits that a write changes
 * @w1c: bits that writing a one clears
 */
void vu_config_init(struct vu_dev *dev, unsigned int off, unsigned int len, uint32_t value,
		    uint32_t writable, uint32_t w1c);

/** vu_config_get() - current value of @len (1, 2 or 4) bytes of config space */
uint32_t vu_config_get(const struct vu_dev *dev, unsigned int off, unsigned int len);

/** vu_config_set() - set config space bytes from the device's side */
void vu_config_set(struct vu_dev *dev, unsigned int off, unsigned int len, uint32_t value);

/* Ready-made capabilities.  All return the offset or a negative errno. */
int vu_add_pm(struct vu_dev *dev);
int vu_add_pcie(struct vu_dev *dev, bool flr);
/* Advanced Features, with a reset: VU_RESET_FLR. */
int vu_add_af(struct vu_dev *dev);
int vu_add_msi(struct vu_dev *dev, unsigned int vectors, bool maskable);
int vu_add_msix(struct vu_dev *dev, unsigned int vectors, int table_bar, uint32_t table_off,
		int pba_bar, uint32_t pba_off);
int vu_add_vendor(struct vu_dev *dev, const void *data, unsigned int bytes);
int vu_add_aer(struct vu_dev *dev);
int vu_add_dsn(struct vu_dev *dev, uint64_t serial);

/* ---- Faults (fault.c) ------------------------------------------------------ */

/**
 * struct vu_fault_hit - what an armed fault point asks for
 * @fail: the operation fails with @code
 * @hang: the operation never ends (until vu_fault_hanging() turns false)
 * @code: failure code; 0 = the natural one
 * @delay_ns: extra time before the operation goes on
 */
struct vu_fault_hit {
	bool fail;
	bool hang;
	uint32_t code;
	uint64_t delay_ns;
};

/**
 * vu_fault_take() - pass a fault point once
 *
 * Does not wait: the caller carries out what @hit asks for.
 * Return: true when a fault was armed and due; @hit is zeroed otherwise.
 */
bool vu_fault_take(struct vu_dev *dev, unsigned int id, struct vu_fault_hit *hit);

/** vu_fault_hanging() - the hang at this point was not cleared yet */
bool vu_fault_hanging(const struct vu_dev *dev, unsigned int id);

/**
 * struct vu_wait - something that takes time, and longer if a fault is armed; zeroed: it is over
 * @due: when it happens at the earliest
 * @hang: fault point whose hang keeps it from happening, or NULL
 */
struct vu_wait {
	uint64_t due;
	const struct vu_fault *hang;
};

/**
 * vu_wait_begin() - pass a fault point of the model once, and wait for as long as it asks
 * @ns: what it takes without a fault
 * @hit: what else the fault point asks for
 */
void vu_wait_begin(struct vu_dev *dev, struct vu_wait *w, unsigned int id, uint64_t ns,
		   struct vu_fault_hit *hit);

/**
 * vu_wait_more() - pass one more fault point, of @dev or of a function that it controls
 *
 * What it asks for comes on top of what @w waits for already.
 */
void vu_wait_more(struct vu_dev *dev, struct vu_wait *w, unsigned int id, struct vu_fault_hit *hit);

/** vu_wait_over() - it may happen; if not, @work is called when it may */
bool vu_wait_over(struct vu_dev *dev, const struct vu_wait *w);

#endif /* VU_H */
