/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private state of the VFIO PCI core.
 *
 * Lock order, outermost first:
 *
 *	dev_set->lock (vfio.ko: open, close, hot reset)
 *	  persona_lock (mutex: what the user sees; never with those below but for
 *	    reading config space of a device that is not open)
 *	  lock of the config engine (inside vcfg_read() and vcfg_write())
 *	    igate (mutex: which interrupts are set up)
 *	    ioeventfds_lock (mutex: list of them)
 *	      vpv_memories.lock (mutex: one waits for memory outside of BARs)
 *	      memory_lock (rwsem: may registers be accessed)
 *	        device lock (by trylock in resets)
 *	        config access lock (see vpv_cfg_access; also inside igate alone)
 *	        lock of a dma-buf (dma_resv)
 *	        vpv_memories.use (rwsem: is memory outside of BARs there)
 *	        irqlock (spinlock: INTx masking and bits of the physical COMMAND)
 *
 * The engine is not called with igate held.  The PCI core reports errors, and wakes
 * functions to do so, under its pci_bus_sem, which is taken inside memory_lock: what is
 * called then takes none of these locks but irqlock (aer.c).  The page fault handler
 * brings mmap_lock -> memory_lock, so no address of user space is accessed under any of
 * them.  eventfd wait queue -> irqlock comes from the INTx unmask eventfd, so no
 * eventfd is signalled under irqlock; eventfd slots have a lock of their own.
 *
 * reset_prepare and reset_done of the PCI core run under memory_lock when the
 * reset is ours and without it otherwise, under the device lock and the config access
 * lock in both cases: they take none of these locks but irqlock, vpv_memories.use and, if there is
 * memory outside of BARs, those of dma-bufs.
 */
#ifndef VPV_PRIVATE_H
#define VPV_PRIVATE_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "count.h"
#include "vpv/channel.h"
#include "vpv/config.h"
#include "vpv/core.h"

#include "dmabuf.h"
#include "sriov.h"

#define VPV_BARS		PCI_STD_NUM_BARS
#define VPV_BAR_PARTS		8
#define VPV_DEV_REGIONS		(VPV_MAX_REGIONS - VPV_PCI_REGIONS)
#define VPV_ONES_PAGES		17

/* "No interrupt type is enabled", as an index of SET_IRQS. */
#define VPV_IRQ_NONE		VFIO_PCI_NUM_IRQS

struct seq_file;
struct virqfd;
struct vpv_devset;
struct vpv_memories;

/**
 * struct vpv_eventfd - Slot for an eventfd of the user, see eventfd.c
 * @lock: Held while it is signalled.
 * @ctx: NULL if there is none; changed under igate.
 */
struct vpv_eventfd {
	spinlock_t lock;
	struct eventfd_ctx *ctx;
};

/**
 * struct vpv_bar_part - Bytes of a BAR that user space does not reach directly
 * @start: First byte.
 * @end: One past the last byte.
 * @ops: Who answers; NULL: reads give ones, writes are dropped (MSI-X table).
 */
struct vpv_bar_part {
	u64 start;
	u64 end;
	const struct vpv_region_ops *ops;
};

/**
 * struct vpv_bar_state - A BAR while the device is open; constant then
 * @region: As the user sees it; bytes is 0 for a BAR that is not there.
 * @io: Mapping of the whole BAR, or NULL.
 * @err: Why @io is NULL; see vpv_bar_error().
 * @phys: Address.
 * @hw_bytes: Size of the hardware's BAR.
 * @mem: Memory, not I/O ports.
 * @memory: It is memory outside of the hardware's BARs, of @hw_bytes (bar_memory.c).
 * @write_combined: For @memory: mappings are write-combining, else write-back.
 * @mmap: User space may map it.
 * @num_parts: Used entries of @parts.
 * @parts: Traps first, then the MSI-X table; a byte belongs to the first match.
 * @num_traps: Entries of @parts that are traps: their pages cannot be mapped.
 * @rest: Remainder of the page of a BAR smaller than that, claimed for @mmap.
 */
struct vpv_bar_state {
	struct vpv_region region;
	void __iomem *io;
	int err;
	phys_addr_t phys;
	u64 hw_bytes;
	bool mem;
	bool memory;
	bool write_combined;
	bool mmap;
	unsigned int num_parts;
	struct vpv_bar_part parts[VPV_BAR_PARTS];
	unsigned int num_traps;
	struct resource *rest;
};

/**
 * struct vpv_intx - Legacy interrupt; guarded by irqlock, set up under igate
 * @trigger: Eventfd of the user, with a lock of its own.
 * @unmask: Eventfd of the user that unmasks.
 * @name: Of the handler.
 * @active: The handler may run.
 * @masked: No interrupt will come until it is unmasked.
 * @suspended: The function sleeps and must not be touched; no interrupt comes.
 * @virq_disabled: Interrupt Disable of the user's COMMAND.
 */
struct vpv_intx {
	struct vpv_eventfd trigger;
	struct virqfd *unmask;
	char name[32];
	bool active;
	bool masked;
	bool suspended;
	bool virq_disabled;
};

/* Where the user sees the MSI-X table. */
struct vpv_msix_table {
	unsigned int bar;
	u64 pos;
	u64 bytes;
};

/* Pending bits that a persona shows at @pos of a BAR, and where they really are. */
struct vpv_pba {
	u64 pos;
	unsigned int hw_bar;
	u64 hw_pos;
};

/**
 * struct vpv_state - What vfio_pci_core/ keeps about a device
 * @devset: Set of functions that are reset together.
 * @saved: Config space to go back to at close, and after errors.  Written at
 *	probe and open.
 * @pm_saved: Config space of a function that loses it in D3hot.  Config access lock.
 * @enabled: In the PCI core; from the first open to the unbinding.
 * @decode: Bits of COMMAND that this has set.
 * @reset_works: A function reset worked at open.
 * @atomics: VFIO_PCI_ATOMIC flags of GET_INFO.
 * @needs_reset: No function reset worked at the last close.  dev_set->lock.
 * @no_soft_reset: D3hot to D0 keeps the function's state.
 * @igate: Which interrupts are set up.
 * @irq_type: Index of SET_IRQS or VPV_IRQ_NONE.  Written under igate.
 * @irq_vectors: How many MSI or MSI-X vectors.  Written under igate.
 * @irq_count: What GET_IRQ_INFO says, constant while open.
 * @msix_dynamic: Vectors can be added to MSI-X later.
 * @nointx: INTx is broken or not routed and hidden.
 * @intx_maskable: INTx can be masked in the function, so its line may be shared.
 * @irqlock: Guards @intx and read-modify-write of the physical COMMAND.
 * @intx: Legacy interrupt.
 * @vectors: struct vpv_vector by number.  igate.
 * @err: Eventfd for errors (AER).  Written under igate.
 * @req: Eventfd for the request to release.  Written under igate.
 * @memory_lock: May registers be accessed.
 * @user_command: COMMAND of the user.  memory_lock.
 * @mmio_forced: vpv_memory_force() has enabled memory space.  memory_lock.
 * @pm_forced: Runtime suspend has enabled memory space.  Only its callbacks look at it.
 * @low_power: LOW_POWER_ENTRY is in force.  Set under memory_lock, cleared
 *	under it or when the function wakes up.
 * @wake: Eventfd to be told when the function wakes up.  Written under memory_lock
 *	while the function is awake; taken out by whoever wakes it first.
 * @awake: How many need the function in D0, whatever its user wants.  memory_lock.
 * @asleep: D state of the user if the function is in D0 for others only, else PCI_D0.
 * @asleep_command: Bits of COMMAND that the user sees as he has set them, whatever the
 *	hardware has, because that changes on the way there and back.
 * @dma_held: vpv_dma_hold(): likewise for bus mastering, which is off.  irqlock.
 * @asleep_seq: How often one of these has ended; incremented before @asleep_command or
 *	@dma_held is cleared.
 * @channel: An enum vpv_channel.  The PCI core's callbacks set it at any time, under no
 *	lock of ours; others go from one value to another under memory_lock.
 * @cut_off_at: When @channel last left VPV_CHANNEL_NORMAL, or went on from there, in jiffies.
 * @to_zap: @channel has left VPV_CHANNEL_NORMAL, or gone on, and @settle has not seen it.
 * @settle: Does what follows from @channel, under memory_lock.
 * @like_bar: Bit n: mappings of region n go with those of BARs.
 * @dmabufs: struct vpv_dmabuf of what is exported.  A lock in dmabuf.c; made longer
 *	under memory_lock only.
 * @ones: Pages that mappings have while the function does not answer, see ones.c.
 *	Set by faults under memory_lock for reading, cleared under it for writing.
 * @ones_shown: There are such pages; likewise.
 * @cfg: The user's config space while open.
 * @config_bytes: Its size.
 * @rbar: BARs of the hardware and ROM BAR, to be restored.
 * @persona_lock: Leaf, but for runtime PM and reading config space.
 * @persona: What the user sees, or NULL: the default.  Written under persona_lock
 *	while not @persona_held, so that it is constant while open.
 * @persona_held: The device is open, or is being opened.  persona_lock.
 * @bars: VPV_BARS of them, constant while open, else NULL.
 * @memories: Memory outside of BARs that is shown as such, or NULL.  From init on.
 * @rom: The ROM region, constant while open.
 * @rom_most: No more of the ROM is shown, constant while open.
 * @pba: Pending bits in another place, constant while open.
 * @num_dev_regions: Used entries of @dev_regions.
 * @dev_regions: What vpv_region_add() added, constant while open; NULL if it did
 *	not.
 * @opening: The variant's open hook runs.  dev_set->lock.
 * @debug_dir: In debugfs.
 * @counters: By enum vpv_counter.
 * @sriov: PF and VFs.
 * @ioeventfds_lock: Guards the list of them.
 * @ioeventfds: struct vpv_ioeventfd.
 * @num_ioeventfds: Their number.
 */
struct vpv_state {
	struct vpv_devset *devset;
	struct pci_saved_state *saved;
	struct pci_saved_state *pm_saved;
	bool enabled;
	u16 decode;
	bool reset_works;
	u32 atomics;
	bool needs_reset;
	bool no_soft_reset;

	struct mutex igate; /* SET_IRQS */
	unsigned int irq_type;
	unsigned int irq_vectors;
	unsigned int irq_count[VFIO_PCI_NUM_IRQS];
	bool msix_dynamic;
	bool nointx;
	bool intx_maskable;
	spinlock_t irqlock; /* intx, physical COMMAND */
	struct vpv_intx intx;
	struct xarray vectors;
	struct vpv_eventfd err;
	struct vpv_eventfd req;

	struct rw_semaphore memory_lock;
	u16 user_command;
	bool mmio_forced;
	bool pm_forced;
	bool low_power;
	struct eventfd_ctx *wake;
	unsigned int awake;
	pci_power_t asleep;
	u16 asleep_command;
	bool dma_held;
	atomic_t asleep_seq;
	atomic_t channel;
	unsigned long cut_off_at;
	atomic_t to_zap;
	struct delayed_work settle;
	unsigned long like_bar;
	struct list_head dmabufs;
	struct page *ones[VPV_ONES_PAGES];
	bool ones_shown;

	struct vcfg_dev *cfg;
	unsigned int config_bytes;
	u32 rbar[VPV_BARS + 1];

	struct mutex persona_lock; /* persona */
	struct vcfg_persona *persona;
	bool persona_held;

	struct vpv_bar_state *bars;
	struct vpv_memories *memories;
	struct vpv_region rom;
	u64 rom_most;
	struct vpv_pba pba;
	unsigned int num_dev_regions;
	struct vpv_region *dev_regions;
	bool opening;

	struct dentry *debug_dir;
	atomic64_t counters[VPV_COUNTERS];
	struct vpv_sriov sriov;

	struct mutex ioeventfds_lock; /* ioeventfds */
	struct list_head ioeventfds;
	unsigned int num_ioeventfds;
};

static inline u64 vpv_index_to_offset(unsigned int index)
{
	return (u64)index << VPV_OFFSET_SHIFT;
}

/* Not to be trusted again: unplugged, or given up by error recovery. */
static inline bool vpv_gone(struct pci_dev *pdev)
{
	return READ_ONCE(pdev->error_state) == pci_channel_io_perm_failure;
}

/* Can registers be reached, as far as errors are concerned? */
static inline bool vpv_channel_normal(struct vpv_device *vpv)
{
	return atomic_read(&vpv->state->channel) == VPV_CHANNEL_NORMAL;
}

/* aer.c */
void vpv_settle_init(struct vpv_device *vpv);
void vpv_settle_later(struct vpv_device *vpv);
void vpv_settle_stop(struct vpv_device *vpv);
int vpv_aer_module_init(void);
void vpv_aer_module_exit(void);

/*
 * Does the function answer?  What gives all ones would be waited for, by the PCI core
 * and for a minute, as soon as it is reset.  Not of a function in D3cold.
 */
static inline bool vpv_answers(struct pci_dev *pdev)
{
	u32 val;

	if (vpv_gone(pdev))
		return false;
	/* With the status register; the ids of a VF are ones always. */
	pci_read_config_dword(pdev, PCI_COMMAND, &val);
	return !PCI_POSSIBLE_ERROR(val);
}

/*
 * The PCI core's lock of a function's config space: every reset holds it from before config space
 * is saved until it is restored.  We change the D state, COMMAND and interrupts under it, and use
 * what the PCI core saves.  With it held pci_user_*() must not be called; lockdep does not know
 * it.
 */
DEFINE_GUARD(vpv_cfg_access, struct pci_dev *, pci_cfg_access_lock(_T),
	     pci_cfg_access_unlock(_T))

/* Is it held? */
static inline void vpv_cfg_access_assert(struct pci_dev *pdev)
{
	lockdep_assert(pdev->block_cfg_access);
}

/* bar.c */
int vpv_bars_open(struct vpv_device *vpv);
int vpv_bars_apply_rules(struct vpv_device *vpv);
int vpv_bars_finish(struct vpv_device *vpv);
int vpv_bar_map_again(struct vpv_device *vpv, struct vpv_bar_state *bar);

/* Before a BAR is used: why it cannot be, or 0. */
static inline int vpv_bar_error(struct vpv_device *vpv, struct vpv_bar_state *bar)
{
	/* Pairs with vpv_bar_map_again(). */
	return unlikely(smp_load_acquire(&bar->err)) ? vpv_bar_map_again(vpv, bar) : 0;
}

int vpv_bar_add_part(struct vpv_bar_state *bar, u64 start, u64 bytes,
		     const struct vpv_region_ops *ops);
u64 vpv_bar_left(struct vpv_device *vpv, unsigned int nr);
void vpv_bars_close(struct vpv_device *vpv);
u64 vpv_rom_bytes(struct pci_dev *pdev);
const struct vpv_bar_part *vpv_bar_part_at(const struct vpv_bar_state *bar, u64 pos,
					   u64 *end);

/* bar_memory.c */
u64 vpv_memory_shown_bytes(struct vpv_device *vpv, unsigned int nr);
int vpv_memory_open_bar(struct vpv_device *vpv, struct vpv_bar_state *bar);
int vpv_memory_use(struct vpv_device *vpv);
void vpv_memory_unuse(struct vpv_device *vpv);
bool vpv_memory_bad(struct vpv_device *vpv, unsigned int nr, u64 pos, u64 bytes);
int vpv_memory_read(struct vpv_device *vpv, unsigned int nr, u64 pos, size_t bytes, void *to);
void vpv_memory_failures_register(struct vpv_device *vpv);
void vpv_memory_failures_unregister(struct vpv_device *vpv);
bool vpv_memory_dirty(struct vpv_device *vpv, unsigned int nr, u64 pos, u64 bytes, bool block);
void vpv_memory_show_bad(struct vpv_device *vpv, struct seq_file *s);
void vpv_memory_lost(struct vpv_device *vpv);
bool vpv_memory_went(struct vpv_device *vpv);
void vpv_memory_resetting(struct vpv_device *vpv, bool resetting);
void vpv_memory_await(struct vpv_device *vpv);
void vpv_memory_await_stop(struct vpv_device *vpv);
void vpv_memories_free(struct vpv_device *vpv);

/* config.c */
int vpv_config_open(struct vpv_device *vpv);
int vpv_config_check(struct vpv_device *vpv, struct vcfg_persona *p,
		     char why[VCFG_WHY_BYTES]);
void vpv_config_close(struct vpv_device *vpv);
void vpv_command_restore(struct vpv_device *vpv);
void vpv_config_restore(struct vpv_device *vpv);
ssize_t vpv_config_read(struct vpv_device *vpv, u64 pos, char __user *buf,
			size_t count);
ssize_t vpv_config_write(struct vpv_device *vpv, u64 pos, const char __user *buf,
			 size_t count);

/* debugfs.c */
void vpv_debugfs_add(struct vpv_device *vpv);
void vpv_debugfs_remove(struct vpv_device *vpv);
void vpv_debugfs_init(void);
void vpv_debugfs_exit(void);

/* devset.c */
struct vpv_devset *vpv_devset_get(struct pci_dev *pdev);
void *vpv_devset_id(const struct vpv_devset *set);
void vpv_devset_put(struct vpv_devset *set);

/* display.c */
int vpv_display_init(struct vpv_device *vpv);
void vpv_display_exit(struct vpv_device *vpv);

/* eventfd.c */
void vpv_eventfd_init(struct vpv_eventfd *slot);
int vpv_eventfd_replace(struct vpv_device *vpv, struct vpv_eventfd *slot, int fd);
bool vpv_eventfd_there(const struct vpv_eventfd *slot);
bool vpv_eventfd_signal(struct vpv_eventfd *slot);

/* hotreset.c */
int vpv_hot_reset_info(struct vpv_device *vpv, void __user *arg);
int vpv_hot_reset(struct vpv_device *vpv, void __user *arg);
void vpv_set_reset_if_unused(struct vfio_device_set *set);

/* info.c */
void vpv_atomics_open(struct vpv_device *vpv);
int vpv_get_info(struct vpv_device *vpv, void __user *arg);
int vpv_get_irq_info(struct vpv_device *vpv, void __user *arg);

/* intr.c */
int vpv_irqs_open(struct vpv_device *vpv);
void vpv_irqs_close(struct vpv_device *vpv);
int vpv_set_irqs(struct vpv_device *vpv, void __user *arg);

/* intx.c */
bool vpv_intx_decides(const struct vpv_device *vpv);
u16 vpv_intx_command(struct vpv_device *vpv, u16 cmd);
void vpv_intx_probe(struct vpv_device *vpv);
void vpv_intx_virq(struct vpv_device *vpv, bool disabled);
void vpv_intx_restore(struct vpv_device *vpv);
void vpv_intx_disable(struct vpv_device *vpv);
void vpv_intx_suspend(struct vpv_device *vpv);
void vpv_intx_resume(struct vpv_device *vpv);
int vpv_intx_mask(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data);
int vpv_intx_unmask(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data);
int vpv_intx_trigger(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data);

/* lowpower.c */
int vpv_awake_slow(struct vpv_device *vpv);
int vpv_low_power_feature(struct vpv_device *vpv, u32 flags, void __user *arg, size_t argsz);
void vpv_low_power_close(struct vpv_device *vpv);

/*
 * Keep an open function awake until vpv_awake_put().  The count comes first, then
 * the look at low_power: see low_power_enter().  Return: 0 or -EIO.
 */
static inline int vpv_awake_get(struct vpv_device *vpv)
{
	pm_runtime_get_noresume(&vpv->pdev->dev);
	/* Pairs with that in low_power_enter(). */
	smp_mb__after_atomic();
	return unlikely(READ_ONCE(vpv->state->low_power)) ? vpv_awake_slow(vpv) : 0;
}

static inline void vpv_awake_put(struct vpv_device *vpv)
{
	pm_runtime_put(&vpv->pdev->dev);
}

/* ioeventfd.c */
int vpv_ioeventfd(struct vpv_device *vpv, void __user *arg);
void vpv_ioeventfds_close(struct vpv_device *vpv);

/* memory.c */
bool vpv_memory_enabled(struct vpv_device *vpv);
bool vpv_bar_enabled(struct vpv_device *vpv, const struct vpv_bar_state *bar);
bool vpv_memory_ones(struct vpv_device *vpv);
bool vpv_bar_ones(struct vpv_device *vpv, const struct vpv_bar_state *bar);
bool vpv_memory_mappable(struct vpv_device *vpv);
void vpv_memory_unmap(struct vpv_device *vpv);
void vpv_memory_zap(struct vpv_device *vpv);
void vpv_memory_back(struct vpv_device *vpv);
void vpv_memory_unplugged(struct vpv_device *vpv);
bool vpv_memory_on(struct vpv_device *vpv);
void vpv_memory_off(struct vpv_device *vpv);
void vpv_memory_force(struct vpv_device *vpv);
void vpv_memory_unforce(struct vpv_device *vpv);

/* Between these two. */
static inline void vpv_memory_forced_assert(struct vpv_device *vpv)
{
	lockdep_assert_held_write(&vpv->state->memory_lock);
	vpv_cfg_access_assert(vpv->pdev);
}

bool vpv_dev_trylock(struct pci_dev *pdev);
int vpv_reset_check(struct vpv_device *vpv);
int vpv_reset_begin(struct vpv_device *vpv);
void vpv_reset_end(struct vpv_device *vpv);
int vpv_reset_settle(struct vpv_device *vpv);
int vpv_function_reset(struct vpv_device *vpv);

/* mmap.c */
int vpv_bar_probe_mmap(struct vpv_device *vpv, struct vpv_bar_state *bar);
struct vpv_device *vpv_vma_device(const struct vm_area_struct *vma);
bool vpv_bar_range_mappable(const struct vpv_bar_state *bar, u64 pos, u64 bytes);

/* msi.c */
void vpv_msi_disable(struct vpv_device *vpv);
int vpv_msi_trigger(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data);

/* ones.c */
vm_fault_t vpv_ones_fault(struct vpv_device *vpv, struct vm_fault *vmf, unsigned int order);
bool vpv_ones_shown(struct vpv_device *vpv);
void vpv_ones_free(struct vpv_device *vpv);

/* persona.c */
int vpv_persona_add(struct vpv_device *vpv);
void vpv_persona_remove(struct vpv_device *vpv);
void vpv_persona_hold(struct vpv_device *vpv);
void vpv_persona_release(struct vpv_device *vpv);
void vpv_persona_cut(struct vpv_device *vpv);
int vpv_persona_msix(struct vpv_device *vpv, struct vpv_msix_table *table);

/* power.c */
void vpv_power_probe(struct vpv_device *vpv);
int vpv_power_enter(struct vpv_device *vpv, pci_power_t power);
void vpv_power_resetting(struct vpv_device *vpv);
int vpv_power_set(struct vpv_device *vpv, pci_power_t power);
int vpv_power_set_locked(struct vpv_device *vpv, pci_power_t power);

/* reach.c */
int vpv_wake(struct vpv_device *vpv);
void vpv_rest(struct vpv_device *vpv);
void vpv_asleep_forget(struct vpv_device *vpv);
void vpv_asleep_done(struct vpv_state *st);
u32 vpv_asleep_view_slow(struct vpv_device *vpv, unsigned int pos, unsigned int bytes, u32 hw);
u32 vpv_asleep_write_slow(struct vpv_device *vpv, unsigned int pos, unsigned int bytes, u32 val);
int vpv_reach_begin(struct vpv_device *vpv);
void vpv_reach_end(struct vpv_device *vpv);

/* Is bus mastering kept off in hardware, whatever the user has set? */
static inline bool vpv_dma_is_off(const struct vpv_state *st)
{
	return READ_ONCE(st->asleep) != PCI_D0 || READ_ONCE(st->dma_held);
}

/* What the hardware has at @pos of config space, as the user sees it. */
static inline u32 vpv_asleep_view(struct vpv_device *vpv, unsigned int pos, unsigned int bytes,
				  u32 hw)
{
	return likely(!vpv_dma_is_off(vpv->state) &&
		      !READ_ONCE(vpv->state->asleep_command)) ? hw :
	       vpv_asleep_view_slow(vpv, pos, bytes, hw);
}

/* What the user writes there, as the hardware is to have it: awake and without DMA. */
static inline u32 vpv_asleep_write(struct vpv_device *vpv, unsigned int pos, unsigned int bytes,
				   u32 val)
{
	return likely(!vpv_dma_is_off(vpv->state)) ? val :
	       vpv_asleep_write_slow(vpv, pos, bytes, val);
}

/* region.c */
ssize_t vpv_region_rw(struct vpv_device *vpv, char __user *buf, size_t count,
		      loff_t *ppos, bool write);
void vpv_regions_close(struct vpv_device *vpv);

/* variant.c */
int vpv_variant_init(struct vpv_device *vpv);
void vpv_variant_fini(struct vpv_device *vpv);
int vpv_variant_open(struct vpv_device *vpv);
void vpv_variant_close(struct vpv_device *vpv);
void vpv_variant_reset_prepare(struct vpv_device *vpv);
void vpv_variant_reset_done(struct vpv_device *vpv);
void vpv_variant_remove(struct vpv_device *vpv);

#endif /* VPV_PRIVATE_H */
