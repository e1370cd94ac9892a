/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VFIO PCI core as a variant driver sees it (module vpv_core).  "vpv" is short for VFIO PCI
 * variants.
 *
 * A variant is a pci_driver whose probe and remove call vpv_probe() and
 * vpv_remove() with a struct vpv_variant.  Everything that vfio-pci offers is
 * there by default; a variant declares what is different.
 *
 * The pci_driver sets .driver_managed_dma (user space owns the DMA of the whole
 * IOMMU group), .err_handler = &vpv_err_handlers, .driver.pm = &vpv_pm_ops, a .name
 * that is the module's and the ops' name too, and matches ids by
 * PCI_DRIVER_OVERRIDE_DEVICE_VFIO().
 */
#ifndef VPV_CORE_H
#define VPV_CORE_H

#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/types.h>
#include <linux/uuid.h>
#include <linux/vfio.h>

struct iov_iter;
struct vcfg_callback;
struct vpv_device;
struct vpv_region;
struct vpv_state;

/* Regions: the nine of PCI, then what vpv_region_add() appended. */
#define VPV_PCI_REGIONS		VFIO_PCI_NUM_REGIONS
#define VPV_MAX_REGIONS		(VPV_PCI_REGIONS + 8)

/* Folder of a function in sysfs. */
#define VPV_SYSFS_GROUP		"vpv"

/* Offset of a region in the device fd: index in the bits from 40 up. */
#define VPV_OFFSET_SHIFT	40
#define VPV_OFFSET_MASK		((1ULL << VPV_OFFSET_SHIFT) - 1)

/*
 * For vpv_region_add(): the region is memory of the function that its BARs do not
 * show, and is there when they are.  See struct vpv_region.like_bar.
 */
#define VPV_REGION_LIKE_BAR	BIT(31)

/**
 * struct vpv_region_ops - Behaviour of a region, or of a trapped part of a BAR
 *
 * Called while the device is open, possibly by several threads at a time.  For a
 * BAR and a region like one, memory_lock is held for reading and memory space is
 * enabled during @read and @write: they must not call vpv_mmio_begin() and may use
 * vpv_bar().
 */
struct vpv_region_ops {
	/**
	 * @read: @bytes is 1, 2, 4 or 8 and @pos, from the start of the region or
	 * BAR, aligned to it; @buf is kernel memory aligned to 8.  NULL: EINVAL.
	 * Return: 0 or a negative errno.
	 */
	int (*read)(struct vpv_device *vpv, struct vpv_region *region, u64 pos,
		    void *buf, unsigned int bytes);

	/** @write: As @read. */
	int (*write)(struct vpv_device *vpv, struct vpv_region *region, u64 pos,
		     const void *buf, unsigned int bytes);

	/**
	 * @transfer: Instead of @read and @write, for a region that tells accesses by
	 * their size, or has large ones: the whole of one read() or write().
	 * @iter: Bytes in user memory, at least one, all of them inside of the region, of
	 *	which the user may have wanted more; its direction tells which.
	 *
	 * No lock is held: user memory may be touched, and the access may wait.  Not for a
	 * trap, nor for a region like a BAR.
	 * Return: bytes or a negative errno.
	 */
	ssize_t (*transfer)(struct vpv_device *vpv, struct vpv_region *region, u64 pos,
			    struct iov_iter *iter);

	/**
	 * @caps: Add capabilities to those of GET_REGION_INFO, by
	 * vfio_info_add_capability(); the type is there.  May be NULL.  Not for a trap.
	 * Return: 0 or a negative errno.
	 */
	int (*caps)(struct vpv_device *vpv, struct vpv_region *region,
		    struct vfio_info_cap *caps);

	/**
	 * @mmap: For VFIO_REGION_INFO_FLAG_MMAP; NULL: cannot be mapped.  All
	 * checks of the range are its own.  Not for a trapped part of a BAR.
	 * A region like a BAR must map nothing here: its faults do, by
	 * vpv_fault_insert().
	 */
	int (*mmap)(struct vpv_device *vpv, struct vpv_region *region,
		    struct vm_area_struct *vma);

	/** @release: The device is being closed.  May be NULL.  Not for a trap. */
	void (*release)(struct vpv_device *vpv, struct vpv_region *region);
};

/**
 * struct vpv_region - A region as its ops see it
 * @index: Of the region in VFIO's numbering.
 * @type: VFIO region type; 0 for a BAR.
 * @subtype: VFIO region subtype; 0 for a BAR.
 * @flags: VFIO_REGION_INFO_FLAG_*.
 * @bytes: Size as the user sees it.
 * @like_bar: Follows the user's memory enable and the D state: without the bit, and in
 *	D3hot, reads and writes get EIO and faults SIGBUS; while the function cannot answer
 *	otherwise (D1, D2, an error, unplugged), reads give ones and writes are dropped, also
 *	by mappings, and no op is called.  Mappings are taken away when that changes and
 *	before every reset of ours.  Always so for a BAR.
 * @ops: Behaviour.
 * @priv: As given to vpv_region_add(); NULL for a BAR.
 */
struct vpv_region {
	unsigned int index;
	u32 type;
	u32 subtype;
	u32 flags;
	u64 bytes;
	bool like_bar;
	const struct vpv_region_ops *ops;
	void *priv;
};

/**
 * enum vpv_rule_kind - How a part of a BAR differs from the hardware's
 * @VPV_BAR_HIDE_ABOVE: The user sees only the lower 1/2^@shift of the BAR: its
 *	size, sizing in config space, reads, writes and mappings end there.
 * @VPV_BAR_TRAP: Accesses to [@offset, @offset + @bytes) go to @ops; that part
 *	cannot be mapped (the region is sparse then).
 */
enum vpv_rule_kind {
	VPV_BAR_HIDE_ABOVE,
	VPV_BAR_TRAP,
};

/**
 * struct vpv_bar_rule - One declaration of a variant about a BAR
 * @bar: 0 to 5.
 * @kind: What is declared.
 * @shift: For HIDE_ABOVE.
 * @offset: For TRAP: first byte.
 * @bytes: For TRAP: size.  Mappings leave out whole pages.
 * @ops: For TRAP.
 */
struct vpv_bar_rule {
	u8 bar;
	enum vpv_rule_kind kind;
	u8 shift;
	u64 offset;
	u64 bytes;
	const struct vpv_region_ops *ops;
};

/**
 * struct vpv_persona_blob - A persona that a driver brings along
 * @blob: Compiled; e.g. made an array by tools/vpvctl/builtin.sh.
 * @bytes: Size.
 */
struct vpv_persona_blob {
	const void *blob;
	size_t bytes;
};

/**
 * struct vpv_companion - A second library that has a part in the life of a device
 *
 * All hooks are mandatory.  They are called in the contexts of those of the same name of
 * struct vpv_variant: after them where something begins (@init, @open, @reset_done) and
 * before them where it ends.
 *
 * @files: More files for vpv/, the folder of the function in sysfs, or NULL.  There from
 *	after @init until before @remove; what they call has dev_get_drvdata() for the
 *	struct vpv_device.  The name of the group is VPV_SYSFS_GROUP.
 */
struct vpv_companion {
	const struct attribute_group *files;

	/** @init: Return: 0 or a negative errno, with which the probe fails. */
	int (*init)(struct vpv_device *vpv);

	/** @fini: Undo @init. */
	void (*fini)(struct vpv_device *vpv);

	/**
	 * @open: The device is complete, user space has not reached it.
	 *
	 * vpv_region_add() may be called.
	 * Return: 0 or a negative errno, with which the open fails; @close is not called
	 * then.
	 */
	int (*open)(struct vpv_device *vpv);

	/** @close: User space is gone. */
	void (*close)(struct vpv_device *vpv);

	/** @reset_prepare: The function is about to be reset, by whomever. */
	void (*reset_prepare)(struct vpv_device *vpv);

	/** @reset_done: The function was reset. */
	void (*reset_done)(struct vpv_device *vpv);

	/** @remove: The driver is being unbound. */
	void (*remove)(struct vpv_device *vpv);
};

/**
 * struct vpv_variant - What is special about a family of devices
 * @vfio_ops: Its operations, by VPV_VFIO_OPS().
 * @device_bytes: Size of the variant's device, a struct vpv_device first.
 * @rules: Declarations about BARs.
 * @num_rules: Their number.
 * @personas: Built-in personas, each version that is supported.
 * @num_personas: Their number.
 * @persona: Name of the one of these that a function shows until another one is chosen,
 *	or NULL: what the hardware has.  A function that cannot show it is not probed.
 * @callbacks: Fields of personas that the driver performs (vpv/config.h); their host
 *	is the struct vpv_device, and vpv_mmio_begin() may be called there.
 * @num_callbacks: Their number, at most 64.
 * @companion: Another library that follows the life of a device, or NULL; by
 *	VPV_MIGRATES_BY() of vpv/variant.h.
 * @companion_data: What the variant has to tell it.
 */
struct vpv_variant {
	const struct vfio_device_ops *vfio_ops;
	size_t device_bytes;
	const struct vpv_bar_rule *rules;
	unsigned int num_rules;
	const struct vpv_persona_blob *personas;
	unsigned int num_personas;
	const char *persona;
	const struct vcfg_callback *callbacks;
	unsigned int num_callbacks;
	const struct vpv_companion *companion;
	const void *companion_data;

	/**
	 * @accepts: May the driver have this function?  Before all else of the probe.
	 *
	 * May be unset.
	 * Return: 0 or a negative errno, with which the probe fails: -EPROBE_DEFER for
	 * a function that is not ready yet.
	 */
	int (*accepts)(struct pci_dev *pdev);

	/**
	 * @init: Memory is there, nothing is registered.  E.g. vmig_init().
	 *
	 * vdev.mig_ops, log_ops and migration_flags are set here or never.
	 * Return: 0 or a negative errno, with which the probe fails; @fini is not
	 * called then.
	 */
	int (*init)(struct vpv_device *vpv);

	/** @fini: Undo @init, after the last reference is gone. */
	void (*fini)(struct vpv_device *vpv);

	/**
	 * @open: First open: the function is enabled, reset, in D0, BARs are
	 * mapped; user space cannot reach it yet.  An error fails the open.
	 */
	int (*open)(struct vpv_device *vpv);

	/**
	 * @close: Last close: user space is gone; the function still works, but
	 * is in the state in which the user left it (D state, memory enable).
	 */
	void (*close)(struct vpv_device *vpv);

	/**
	 * @reset_prepare: The function is about to be reset, by whomever.
	 *
	 * May be unset.  Whatever must not be in work at the device, or at another
	 * function that controls it, while the function is reset is ended or waited
	 * for here, and begins no more.  @reset_done follows, also when the reset
	 * fails.  Two kinds of resets come without it: the one at the last close,
	 * before which @close has run, and the one of the bus by which the PCI core
	 * recovers from an error, after which @reset_done is called as well.
	 *
	 * Context: as @reset_done.  May sleep for a time that the variant bounds:
	 * the caller of the reset waits.
	 */
	void (*reset_prepare)(struct vpv_device *vpv);

	/**
	 * @reset_done: The function was reset, by whomever.
	 *
	 * memory_lock and other locks may be held: must not take memory_lock
	 * (vpv_mmio_begin()), not touch user memory, not call the config engine,
	 * not wait for anyone who does.  The PCI core's config access lock is held, of
	 * which lockdep knows nothing: no pci_user_*(), no VPD, no vpv_dma_hold().
	 * Runs under the device lock, also while the device is not open.
	 */
	void (*reset_done)(struct vpv_device *vpv);

	/**
	 * @memory_ready: Wait until memory of vpv_bar_memory_add() is there after a reset.
	 *
	 * Mandatory with such memory (vpv/bar_memory.h).  Called when somebody wants to
	 * use it, one at a time; not again before the next reset if it was successful, or
	 * said that it does not come.  The device is open, or is being opened.
	 *
	 * Context: process; as vpv_mmio_begin().  Bounds its wait, and ends it when
	 * vpv_bar_memory_given_up() says so.
	 * Return: 0; -ETIMEDOUT: it does not come; -ENOTRECOVERABLE: the function says that it
	 * does not; another errno: the question failed, which says nothing of the memory.
	 */
	int (*memory_ready)(struct vpv_device *vpv);

	/**
	 * @remove: The driver is being unbound (or the device is gone); the
	 * device may still be open.  Before the VFIO device is unregistered.
	 */
	void (*remove)(struct vpv_device *vpv);
};

/**
 * struct vpv_options - What the operator of the host wants for a device
 * @no_intx_mask: Interrupt Disable of the function does not work: mask INTx at the
 *	interrupt controller, and do not share its line.
 * @no_idle_d3: Keep the function in D0 while it is not open.
 */
struct vpv_options {
	bool no_intx_mask;
	bool no_idle_d3;
};

/**
 * struct vpv_device - A PCI function given to user space
 * @vdev: What vfio.ko knows.
 * @pdev: The function.
 * @variant: Declarations of its driver.
 * @options: Set by the variant's init hook, constant then.
 *
 * The other members are private to vfio_pci_core/; the lock order and what
 * guards which stand in vfio_pci_core/vpv.h.
 */
struct vpv_device {
	struct vfio_device vdev;
	struct pci_dev *pdev;
	const struct vpv_variant *variant;
	struct vpv_options options;
	/* private: */
	struct vpv_state *state;
};

/**
 * vpv_probe() - Body of a variant's pci_driver.probe
 * @pdev: Function.
 * @variant: Declarations; must live as long as the module.
 *
 * Return: 0 or a negative errno.
 */
int vpv_probe(struct pci_dev *pdev, const struct vpv_variant *variant);

/**
 * vpv_remove() - Body of a variant's pci_driver.remove
 * @pdev: Function.
 *
 * Asks user space to close the device and waits for it, as vfio-pci does.  Cannot fail.
 */
void vpv_remove(struct pci_dev *pdev);

/* For pci_driver.driver.pm of every variant: runtime power management. */
extern const struct dev_pm_ops vpv_pm_ops;
/**
 * vpv_sriov_configure() - For pci_driver.sriov_configure of a variant
 * @pdev: PF.
 * @num: VFs to make, or 0 to remove them.
 *
 * New VFs get the name of the PF's driver as driver_override.
 *
 * Context: device lock of the PF, as the PCI core calls it.
 * Return: @num; -EINVAL if there are VFs already; an error of pci_enable_sriov().
 */
int vpv_sriov_configure(struct pci_dev *pdev, int num);

/* For pci_driver.err_handler of every variant: AER, begin and end of a reset. */
extern const struct pci_error_handlers vpv_err_handlers;

/**
 * vpv_mmio_begin() - Make the function's registers reachable by its driver
 * @vpv: Device, open.
 *
 * Registers answer until vpv_mmio_end(), whatever the user has written to the
 * memory enable bit and as D state, and although the function may sleep in low power.
 * To wake it takes 20 ms or more, each time, and resets it if it is without No_Soft_Reset:
 * hooks of the migration library have it awake by vmig_desc.reach.  Takes memory_lock: no
 * user memory access, no sleep for longer than a register access takes; poll with begin
 * and end in the loop.
 *
 * Does not nest.
 * Context: process; not in reset_done nor in ops of a trapped part of a BAR.
 * Return: 0; -ENODEV if the device is gone; -EIO if it does not wake up, or waits for its
 * reset after an error.
 */
int vpv_mmio_begin(struct vpv_device *vpv);

/**
 * vpv_mmio_end() - Undo a successful vpv_mmio_begin()
 * @vpv: Device.
 */
void vpv_mmio_end(struct vpv_device *vpv);

/**
 * vpv_dma_hold() - No DMA and no message by the function, whatever its user sets
 * @vpv: Device, open.
 *
 * Bus mastering is off in hardware, and is shown and taken as the user sets it, until
 * vpv_dma_release(), a reset or the last close.  For a function whose driver relies on somebody
 * else for that it stands still.  Does not nest.
 *
 * Context: process; waits for a reset that sysfs has started; not in reset_done.
 */
void vpv_dma_hold(struct vpv_device *vpv);

/**
 * vpv_dma_release() - Undo vpv_dma_hold()
 * @vpv: Device, open or not; also one that is not held.
 *
 * Bus mastering is as the user has set it.
 * Context: process; waits for a reset that sysfs has started.  In reset_done, too, before which
 * the core has released it; not in reset_prepare.
 */
void vpv_dma_release(struct vpv_device *vpv);

/**
 * vpv_bar() - The driver's own mapping of a whole BAR
 * @vpv: Device, open.
 * @bar: 0 to 5.
 *
 * Hidden parts included.  Access it between vpv_mmio_begin() and vpv_mmio_end().
 * Return: the mapping, or NULL if there is no such BAR or it was busy.
 */
void __iomem *vpv_bar(struct vpv_device *vpv, unsigned int bar);

/**
 * vpv_bar_bytes() - Size of a BAR of the hardware
 * @vpv: Device.
 * @bar: 0 to 5.
 *
 * Return: bytes, hidden parts included; 0 if there is no such BAR.
 */
u64 vpv_bar_bytes(struct vpv_device *vpv, unsigned int bar);

/**
 * vpv_region_add() - Add a device-specific region while opening
 * @vpv: Device, in the open hook of the variant or its companion.
 * @type: VFIO region type.
 * @subtype: VFIO region subtype.
 * @bytes: Size.
 * @flags: VFIO_REGION_INFO_FLAG_READ, _WRITE, _MMAP; VPV_REGION_LIKE_BAR.
 * @ops: Behaviour.
 * @priv: Kept in the region.
 *
 * Removed by itself at the last close, after ops->release.
 * Return: index of the region; -ENOSPC; -ENOMEM; -EINVAL for a size of 0 or beyond 1 TiB,
 * flags without their op, or a call at another time.
 */
int vpv_region_add(struct vpv_device *vpv, u32 type, u32 subtype, u64 bytes,
		   u32 flags, const struct vpv_region_ops *ops, void *priv);

/**
 * vpv_fault_insert() - Let a fault map memory of the function
 * @vpv: Device, open.
 * @vmf: Fault in a mapping that a region's mmap op has set up with VM_PFNMAP.
 * @order: As the huge_fault op of the vm_operations_struct got it; 0: one page.
 * @pfn: Of the page at @vmf->address.
 *
 * Maps only while the user's memory is enabled.  If the region has VPV_REGION_LIKE_BAR, what
 * is mapped goes by itself, and a page of ones is mapped while the function cannot answer.
 * The physical pages behind the whole mapping must be contiguous.
 * Context: page fault; takes memory_lock.
 * Return: VM_FAULT_NOPAGE; with VM_FAULT_COMPLETED: the lock of the mm was released, and @vmf->vma
 * may be gone; VM_FAULT_SIGBUS: memory is not enabled; VM_FAULT_OOM; VM_FAULT_FALLBACK:
 * the block is not aligned in both address and @pfn, not all within the mapping, of no
 * order that the machine has, or of PUD size and vm_operations_struct.open is not
 * vpv_vma_open(): the kernel then comes again with a smaller one.
 */
vm_fault_t vpv_fault_insert(struct vpv_device *vpv, struct vm_fault *vmf, unsigned int order,
			    unsigned long pfn);

/**
 * vpv_vma_open() - For vm_operations_struct.open of mappings with huge pages
 * @vma: Mapping of a region.
 *
 * The kernel cannot split or move a page of PUD size; this takes them away before.
 * Context: as the kernel calls it, mmap_lock of the mm held for writing.
 */
void vpv_vma_open(struct vm_area_struct *vma);

/**
 * vpv_from_vdev() - From vfio.ko's device to ours
 * @vdev: Device of a driver that uses this core.
 *
 * Return: the device that @vdev is a member of.
 */
static inline struct vpv_device *vpv_from_vdev(struct vfio_device *vdev)
{
	return container_of(vdev, struct vpv_device, vdev);
}

/* vfio_device_ops callbacks; for VPV_VFIO_OPS() and for overriding one of them. */
int vpv_op_init(struct vfio_device *vdev);
void vpv_op_release(struct vfio_device *vdev);
int vpv_op_open(struct vfio_device *vdev);
void vpv_op_close(struct vfio_device *vdev);
ssize_t vpv_op_read(struct vfio_device *vdev, char __user *buf, size_t count,
		    loff_t *ppos);
ssize_t vpv_op_write(struct vfio_device *vdev, const char __user *buf, size_t count,
		     loff_t *ppos);
long vpv_op_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg);
int vpv_op_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);
void vpv_op_request(struct vfio_device *vdev, unsigned int count);
int vpv_op_match(struct vfio_device *vdev, char *buf);
int vpv_op_match_token(struct vfio_device *vdev, const uuid_t *token);
int vpv_op_feature(struct vfio_device *vdev, u32 flags, void __user *arg, size_t argsz);
int vpv_op_get_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
			   struct vfio_info_cap *caps);

/**
 * VPV_VFIO_OPS - Initialisers of a variant's struct vfio_device_ops
 * @_name: Name of the module, of the pci_driver and of these ops: one word.
 *
 * Differences between kernels are hidden in VPV_VFIO_OPS_COMPAT and
 * VPV_VFIO_OPS_IOMMUFD (include/compat/).
 */
#define VPV_VFIO_OPS(_name)				\
	.name		= (_name),			\
	.init		= vpv_op_init,			\
	.release	= vpv_op_release,		\
	.open_device	= vpv_op_open,			\
	.close_device	= vpv_op_close,			\
	.read		= vpv_op_read,			\
	.write		= vpv_op_write,			\
	.ioctl		= vpv_op_ioctl,			\
	.mmap		= vpv_op_mmap,			\
	.request	= vpv_op_request,		\
	.match		= vpv_op_match,			\
	.device_feature	= vpv_op_feature,		\
	VPV_VFIO_OPS_COMPAT				\
	VPV_VFIO_OPS_IOMMUFD

#endif /* VPV_CORE_H */
