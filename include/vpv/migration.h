/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The migration library as a variant driver sees it (module vpv_migration).
 *
 * A variant embeds a struct vmig_dev, fills in a struct vmig_ops and calls
 *
 *   vmig_init()        in its vfio_device_ops.init or its core hook of that name
 *   vmig_open/close()  when the device is opened and closed by user space
 *   vmig_reset_done()  when the function was reset, by whomever
 *   vmig_detach()      before vfio_unregister_group_dev()
 *   vmig_fini()        in release
 *
 * Everything that user space sees - states, data files, stream, pre-copy,
 * estimates, reset handling - is done here.  This library knows nothing of PCI.
 */
#ifndef VPV_MIGRATION_H
#define VPV_MIGRATION_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/vfio.h>

struct dentry;
struct vmig_dev;
struct vmig_file;

/* The bits that the state of a device is made of (DESIGN: one machine). */
#define VMIG_RUNNING	BIT(0)
#define VMIG_NDMA	BIT(1)
#define VMIG_SAVING	BIT(2)
#define VMIG_RESUMING	BIT(3)

/**
 * struct vmig_record - One record of a stream, as a variant gets it
 * @type: Type of the family, VPV_RECORD_FAMILY or above.
 * @optional: The writer allowed readers to skip it.
 * @data: Payload.  Checksum and length were verified.
 * @bytes: Its size, at most vmig_desc.max_payload.
 */
struct vmig_record {
	u32 type;
	bool optional;
	const void *data;
	size_t bytes;
};

/**
 * struct vmig_emit - Where save hooks put their records
 *
 * Opaque; valid during the hook it is passed to.
 */
struct vmig_emit;

/**
 * vmig_emit() - Append a record to the stream being saved
 * @em: What the hook was given.
 * @type: Type of the family, VPV_RECORD_FAMILY or above.
 * @flags: VPV_RECORD_OPTIONAL or 0.
 * @data: Payload; copied before the call returns.
 * @bytes: Its size, at most vmig_desc.max_payload.
 *
 * Blocks while the reader is more than vmig_desc.max_queued bytes behind.
 *
 * Context: a save hook; may sleep.  Take no lock that any other hook takes.
 * Return: 0; -ECANCELED when the session ended (return it from the hook);
 * -EMSGSIZE, -EINVAL on misuse; -ENOMEM.
 */
int vmig_emit(struct vmig_emit *em, u32 type, u32 flags, const void *data,
	      size_t bytes);

/**
 * struct vmig_ops - What a variant does for its device
 *
 * Every hook is called in process context and may sleep.  State hooks are called
 * with the state lock of the library held and never two at a time; @save and
 * @precopy run in a worker, not under that lock, but never while a state hook
 * runs that changes whether the device runs.  A hook that is NULL means that the
 * device needs nothing there, unless it is marked mandatory.
 *
 * A hook that fails leaves the device in the state it was in before, or returns
 * -EIO, after which the library puts the device into ERROR until it is reset.
 */
struct vmig_ops {
	/**
	 * @quiesce: RUNNING -> NDMA.  Stop initiating DMA and interrupts.
	 *
	 * After 0 no DMA is in flight; registers still answer and may still
	 * change by access.  Undone by @unquiesce.  Without this hook the device
	 * has no P2P states, and @freeze must also stop DMA.
	 */
	int (*quiesce)(struct vmig_dev *mig);

	/** @unquiesce: Allow DMA again.  Mandatory with @quiesce. */
	int (*unquiesce)(struct vmig_dev *mig);

	/**
	 * @freeze: Mandatory.  Internal state is stable until @thaw.
	 *
	 * Called when already quiesced if there is @quiesce.
	 */
	int (*freeze)(struct vmig_dev *mig);

	/** @thaw: Mandatory.  Undo @freeze; state that was loaded takes effect. */
	int (*thaw)(struct vmig_dev *mig);

	/**
	 * @match: Write what a destination must be able to match.
	 * @buf: Room for vmig_desc.match_bytes; the whole of it is sent.
	 *
	 * Called while the device runs, at the begin of a session.  An error
	 * refuses the session (the device is not migratable now).
	 */
	int (*match)(struct vmig_dev *mig, void *buf);

	/**
	 * @verify: Would a stream with this match data be loadable here?
	 * @buf: What @match of the source wrote; untrusted.
	 * @bytes: Its size; the hook must accept every older size it knows.
	 *
	 * Called in RESUMING as soon as the record has arrived: during pre-copy,
	 * while the source still runs.  Must not change the device.
	 * Return: 0, or -EOPNOTSUPP when it does not fit (log one line that
	 * says what differed), -EINVAL when it makes no sense.
	 */
	int (*verify)(struct vmig_dev *mig, const void *buf, size_t bytes);

	/**
	 * @precopy: Emit what can be sent while the device runs.
	 * @round: 0 for the initial data, then 1, 2, ... whenever what was queued
	 *	has been read and @dirty_bytes is not zero.
	 *
	 * Runs in the worker, state PRE_COPY or PRE_COPY_P2P.
	 */
	int (*precopy)(struct vmig_dev *mig, struct vmig_emit *em, unsigned int round);

	/** @dirty_bytes: Estimate of what another @precopy round would emit. */
	u64 (*dirty_bytes)(struct vmig_dev *mig);

	/** @save: Mandatory.  Emit the final state.  Worker; device is frozen. */
	int (*save)(struct vmig_dev *mig, struct vmig_emit *em);

	/**
	 * @load_begin: A device that is frozen is about to be loaded.
	 *
	 * Called on entry of RESUMING.
	 */
	int (*load_begin)(struct vmig_dev *mig);

	/**
	 * @load: Mandatory.  Take one record of the family; content is untrusted.
	 *
	 * In RESUMING, in the context of the writer, without the state lock but
	 * never at the same time as a state hook or another @load.
	 * Return: 0; -EOPNOTSUPP for an unknown type (an optional one is then
	 * skipped); another error fails the write and the session.
	 */
	int (*load)(struct vmig_dev *mig, const struct vmig_record *rec);

	/**
	 * @load_end: The stream was complete; check and commit what was loaded.
	 *
	 * On RESUMING -> STOP.  An error fails the transition; the library then
	 * puts the device into ERROR.
	 */
	int (*load_end)(struct vmig_dev *mig);

	/**
	 * @estimate: Bytes that @save would emit now, for MIG_DATA_SIZE.
	 *
	 * Any state; state lock held.  The library adds its own overhead.  When
	 * NULL, vmig_desc.typical_bytes is used.
	 */
	u64 (*estimate)(struct vmig_dev *mig);

	/**
	 * @reset: Forget driver-side state: the function has been reset and runs.
	 *
	 * State lock held; but may be called late (see vmig_reset_done()).
	 * Must not fail and must not wait for user space.
	 */
	void (*reset)(struct vmig_dev *mig);
};

/**
 * struct vmig_desc - Constants of a family
 * @family: Name in the stream, shorter than VPV_STREAM_NAME_BYTES.
 * @state_version: Version of the state records written.
 * @state_oldest: Oldest version that can read what is written now.
 * @state_accepts: Oldest version of a stream that this driver reads.
 * @match_bytes: Size of the match data, at most 4096.
 * @max_payload: Largest record of the family, at most VPV_STREAM_MAX_PAYLOAD.
 * @max_queued: Most payload bytes kept for a slow reader (0: 8 MiB).
 * @typical_bytes: Answer of MIG_DATA_SIZE without an @estimate hook.
 */
struct vmig_desc {
	const char *family;
	u32 state_version;
	u32 state_oldest;
	u32 state_accepts;
	u32 match_bytes;
	u32 max_payload;
	u32 max_queued;
	u64 typical_bytes;
};

/**
 * struct vmig_dev - Migration side of one device
 *
 * Embedded in the variant's device.  All members are private to the library.
 * The lock order and what guards which member stand in migration/dev.c.
 */
struct vmig_dev {
	struct vfio_device *vdev;
	const struct vmig_ops *ops;
	const struct vmig_desc *desc;
	struct vfio_migration_ops mig_ops;

	struct mutex state_lock;
	u8 state;
	bool error;
	bool open;
	bool detached;
	struct vmig_file *saving;
	struct vmig_file *resuming;

	spinlock_t reset_lock;
	bool reset_pending;

	struct dentry *debug_root;
};

/**
 * vmig_init() - Give a device migration
 * @mig: Zeroed memory inside the variant's device.
 * @vdev: The VFIO device, before vfio_register_group_dev().
 * @ops: The hooks; P2P and PRE_COPY support is derived from them.
 * @desc: Constants; must live as long as @mig.
 *
 * Sets the migration ops and flags of @vdev.
 * Context: process; may sleep.
 * Return: 0 or -EINVAL for incomplete hooks or constants.
 */
int vmig_init(struct vmig_dev *mig, struct vfio_device *vdev,
	      const struct vmig_ops *ops, const struct vmig_desc *desc);

/**
 * vmig_fini() - Undo vmig_init()
 * @mig: Device, closed and detached; no data file is left that could call a hook.
 *
 * Context: process; may sleep.
 */
void vmig_fini(struct vmig_dev *mig);

/**
 * vmig_open() - User space has opened the device
 * @mig: Device; its state becomes RUNNING.
 *
 * Context: process; from open_device.
 */
void vmig_open(struct vmig_dev *mig);

/**
 * vmig_close() - User space has closed the device
 * @mig: Device.
 *
 * Ends all sessions: data files that are still open fail with -ENODEV from here
 * on.  Waits for hooks that run.  A frozen or quiesced device is left so: the
 * caller resets the function.
 *
 * Context: process; may sleep; from close_device.
 */
void vmig_close(struct vmig_dev *mig);

/**
 * vmig_reset_done() - The function was reset
 * @mig: Device; its state becomes RUNNING, its sessions end.
 *
 * May be called with locks held that are ordered before user memory access
 * (memory_lock, device lock): it never waits for the state lock.  When someone
 * holds that, the work is left to the holder, who does it before he lets go, so
 * that whoever takes the lock next sees the state after the reset.
 *
 * Context: process; does not sleep on the state lock.
 */
void vmig_reset_done(struct vmig_dev *mig);

/**
 * vmig_detach() - The device is going away
 * @mig: Device; all data files fail with -ENODEV, state requests with -ENODEV.
 *
 * Context: process; may sleep; from remove, before unregistering.
 */
void vmig_detach(struct vmig_dev *mig);

/**
 * vmig_state_bits() - Current state, as VMIG_ bits
 * @mig: Device.
 *
 * Context: any; a snapshot.
 */
u8 vmig_state_bits(const struct vmig_dev *mig);

#endif /* VPV_MIGRATION_H */
