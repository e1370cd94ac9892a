/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The migration library as a variant driver sees it (module vpv_migration).
 *
 * A variant embeds a struct vmig_dev, fills in a struct vmig_ops and calls
 *
 *   vmig_init()        in its vfio_device_ops.init or its core hook of that name
 *   vmig_open/close()  when the device is opened and closed by user space
 *   vmig_reset_begin() when the function is about to be reset, by whomever
 *   vmig_reset_done()  when the function was reset
 *   vmig_fault()       when it failed by itself: only a reset helps
 *   vmig_detach()      before vfio_unregister_group_dev()
 *   vmig_fini()        in release, or when init fails later on
 *
 * Everything that user space sees - states, data files, stream, pre-copy,
 * estimates, reset handling - is done here.  This library knows nothing of PCI.
 */
#ifndef VPV_MIGRATION_H
#define VPV_MIGRATION_H

#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include "diff.h"
#include "match.h"
#include "mem.h"
#include "migration_bits.h"
#include "pages.h"
#include "staged.h"

struct iov_iter;
struct vm_area_struct;
struct vmig_dev;
struct vmig_machine;
struct vpv_config_state_ops;
struct vpv_reach;

/**
 * struct vmig_record - One record of a stream, as a variant gets it
 * @type: Type of the family, VPV_RECORD_FAMILY or above.
 * @optional: The writer allowed readers to skip it.
 * @data: Payload.  Checksum and length were verified.
 * @bytes: Its size, at most vmig_desc.max_payload.
 * @chunk: What vmig_ops.load_chunk gave for this record, or NULL.  The payload is what
 *	is at @data, @bytes long, and then the begin of the chunk.
 * @chunk_bytes: How much of the chunk.
 */
struct vmig_record {
	u32 type;
	bool optional;
	const void *data;
	size_t bytes;
	struct vmig_chunk *chunk;
	size_t chunk_bytes;
};

/* Where save hooks put their records: opaque; valid during the hook it is passed to. */
struct vmig_emit;

/**
 * vmig_emit() - Append a record to the stream being saved
 * @em: What the hook was given.
 * @type: Type of the family, VPV_RECORD_FAMILY or above.
 * @flags: VPV_RECORD_OPTIONAL or 0.
 * @data: Payload; copied before the call returns.
 * @bytes: Its size, at most vmig_desc.max_payload.
 *
 * Blocks while the reader is more than vmig_desc.max_queued bytes behind.  After
 * 0 the record is part of the stream, after an error no byte of it is.
 *
 * Context: a save hook; may sleep, for as long as user space does not read: hold
 * no lock that reset, close or a fault may need (memory_lock).
 * Return: 0; -ECANCELED when the hook must end (return it from the hook):
 * the session ended, or a state change waits; -EMSGSIZE, -EINVAL on misuse;
 * -ENOMEM.
 */
int vmig_emit(struct vmig_emit *em, u32 type, u32 flags, const void *data,
	      size_t bytes);

/**
 * struct vmig_chunk - Memory that a device fills or reads, and the stream with it
 * @ref: Held by the variant, and by the stream as long as it needs it.
 * @m: Where it is counted; for the library alone.
 * @bytes: Size.
 * @data: The memory: kmalloc or vmalloc.
 */
struct vmig_chunk {
	refcount_t ref;
	struct vmig_machine *m;
	size_t bytes;
	void *data;
};

/**
 * vmig_chunk_alloc() - Allocate such memory, zeroed
 * @mig: Device for whose sessions it is; debugfs tells how much they hold.
 * @bytes: Size.
 *
 * Context: process; may sleep.
 * Return: the chunk, with one reference, or NULL.
 */
struct vmig_chunk *vmig_chunk_alloc(struct vmig_dev *mig, size_t bytes);

/**
 * vmig_chunk_put() - Give a reference back
 * @chunk: Chunk; NULL is allowed.
 */
void vmig_chunk_put(struct vmig_chunk *chunk);

/**
 * vmig_chunk_shared() - Does the stream still need what is in it?
 * @chunk: Chunk that the caller holds a reference of.
 *
 * Return: false: the chunk may be filled again.
 */
bool vmig_chunk_shared(const struct vmig_chunk *chunk);

extern const struct vpv_mem_ops vmig_chunk_mem_ops;

/**
 * vmig_chunk_mem() - A chunk as memory that others use
 * @chunk: Chunk.
 *
 * Return: the memory, with the caller's reference.
 */
static inline struct vpv_mem vmig_chunk_mem(struct vmig_chunk *chunk)
{
	return (struct vpv_mem){
		.ops = &vmig_chunk_mem_ops,
		.mem = chunk,
		.data = chunk->data,
		.bytes = chunk->bytes,
	};
}

/**
 * vmig_emit_chunk() - Append a record whose payload is not copied
 * @em: What the hook was given.
 * @type: As for vmig_emit().
 * @flags: Likewise.
 * @head: First bytes of the payload; copied.
 * @head_bytes: Their number; may be 0.
 * @chunk: The rest of the payload; not changed as long as vmig_chunk_shared().
 * @bytes: Its size, not 0; @head_bytes more are at most vmig_desc.max_payload.
 *
 * For devices that fill large buffers by DMA: at most vmig_desc.max_queued bytes
 * are on their way, so a variant with room for one buffer more than that, and those
 * that the device fills, always finds one that is free.
 *
 * Context and Return: as vmig_emit().
 */
int vmig_emit_chunk(struct vmig_emit *em, u32 type, u32 flags, const void *head,
		    size_t head_bytes, struct vmig_chunk *chunk, size_t bytes);

/**
 * vmig_reinit() - What was sent in pre-copy so far is worthless
 * @mig: Device, in @dirty_bytes.
 *
 * The next round of pre-copy, which that hook asks for, is initial data again, and so is
 * what has been queued and not read yet, since it comes first.  User space is told so, if
 * it wants to know (VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2), while that hook returns bytes for
 * such a round, now or later: without any there is none.
 * May be called again until that round begins.
 *
 * Context: the hook.
 */
void vmig_reinit(struct vmig_dev *mig);

/**
 * struct vmig_track_limits - What a dirty page tracker of a device can do
 *
 * Nothing here is trusted: limits that make no sense fail the start of logging.
 *
 * @ranges: Most ranges.
 * @page_min_log2: Smallest size of a page, not 0.
 * @page_max_log2: Largest.
 * @address_bits: It sees IOVAs below 2 to the power of this.
 * @pow2_ranges: The number of pages of a range has to be a power of two.
 * @unfiltered: @track_report tells of all ranges, whatever it is asked about.
 * @pages: Most pages, all ranges together.
 * @report_pages: Most pages that one @track_report can be asked about; not with @unfiltered.
 */
struct vmig_track_limits {
	u32 ranges;
	u8 page_min_log2;
	u8 page_max_log2;
	u8 address_bits;
	bool pow2_ranges;
	bool unfiltered;
	u64 pages;
	u64 report_pages;
};

/**
 * struct vmig_track - What a tracker is told to record
 * @ranges: Ascending, disjoint, within the limits, in whole pages.
 * @num: Their number.
 * @page_log2: Size of the pages.
 */
struct vmig_track {
	const struct vmig_range *ranges;
	u32 num;
	u8 page_log2;
};

/*
 * What a device has reported, until user space was told, or it was sent: opaque; valid during the
 * hook it is passed to.  It holds one bit for each page that the device was told to track, or of
 * its memory, hence has room for whatever is reported.
 */
struct vmig_dirty;

/**
 * vmig_dirty_push() - A part of memory was written
 * @dirty: What the hook was given.
 * @first: First byte.
 * @last: Last byte.
 *
 * Every page that has a byte of it becomes dirty; what is none of these is ignored, so the
 * numbers need not be checked.  Parts come in any order and size, and may overlap.
 *
 * Context: @track_report, or vmig_pages_ops.harvest.
 */
void vmig_dirty_push(struct vmig_dirty *dirty, u64 first, u64 last);

/**
 * vmig_dirty_push_bits() - The same by a bitmap
 * @dirty: What the hook was given.
 * @iova: First byte of the page of bit 0.
 * @page_log2: Size of the pages of the bitmap, which may be others than those of the tracker;
 *	below 63.
 * @bits: Bitmap; bit n is bit n % 64 of word n / 64.  The device may still write to it.
 * @pages: Number of bits.
 *
 * Context: @track_report, or vmig_pages_ops.harvest.
 */
void vmig_dirty_push_bits(struct vmig_dirty *dirty, u64 iova, u8 page_log2,
			  const __le64 *bits, u64 pages);

/**
 * vmig_refuse() - Say why a migration is refused: one log line, rate-limited
 * @mig: Device, in @match, @verify, @precopy, @save, @load, @load_end or
 *	vmig_staged_record.commit.
 * @err: Negative errno.
 * @diff: What differs: the value that this device needs, and the one that came.
 *
 * The line is also shown in debugfs (last_error).  Call it at most once before
 * the hook returns its error; the library adds no line of its own then.
 *
 * Context: a hook.
 * Return: @err.
 */
int vmig_refuse(struct vmig_dev *mig, int err, const struct vmig_diff *diff);

/**
 * struct vmig_ops - What a variant does for its device
 *
 * Every hook is called in process context, may sleep, and runs with the state
 * lock of the library held: never two of a device at a time.  @save and @precopy
 * run in a worker; a state change interrupts them first (see vmig_emit()).
 * State changes, close and detach wait for a hook that runs, so every hook bounds
 * its waits for hardware.  A hook that is NULL means that the device needs
 * nothing there, unless it is marked mandatory.
 *
 * A hook that fails leaves the device in the state it was in before, or returns
 * -EIO, after which the library puts the device into ERROR until it is reset.  If a
 * reset or a fault was reported while it ran, its error means nothing: neither the
 * log nor the state has anything of it.
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
	 * @buf: Zeroed room for vmig_desc.match_bytes, the whole of which is sent, and for
	 *	vmig_desc.match_local_bytes.
	 *
	 * At the begin of a save session: the device runs (PRE_COPY) or is
	 * frozen (STOP -> STOP_COPY).  An error refuses the session (the device
	 * is not migratable now; vmig_refuse() says why).  With vmig_desc.match_fields also
	 * in RESUMING, when the match data of the source has arrived: an error refuses the
	 * stream then.  So the hook only looks at the device; nothing begins here.
	 * NULL if vmig_desc.match_bytes is 0.
	 */
	int (*match)(struct vmig_dev *mig, void *buf);

	/**
	 * @verify: Would a stream with this match data be loadable here?
	 * @buf: What @match of the source wrote; untrusted.
	 * @bytes: Its size; the hook must accept every older size it knows.  Of a source
	 *	whose state_version is newer it is at most vmig_desc.match_bytes: match
	 *	data only grows at its end, and with it the version.
	 *
	 * Called in RESUMING as soon as the record has arrived: during pre-copy,
	 * while the source still runs.  Must not change the device.
	 * Return: 0, or -EOPNOTSUPP when it does not fit, -EINVAL when it makes
	 * no sense (vmig_refuse() says what differed).  Not with vmig_desc.match_fields.
	 */
	int (*verify)(struct vmig_dev *mig, const void *buf, size_t bytes);

	/**
	 * @precopy: Emit what can be sent while the device runs.
	 * @round: 0 for the initial data, then 1, 2, ... whenever what was queued
	 *	has been read and @dirty_bytes is not zero.
	 *
	 * Runs in the worker, state PRE_COPY or PRE_COPY_P2P.  A round that was
	 * interrupted (-ECANCELED) is called again with the same number if pre-copy
	 * goes on; what was emitted stays emitted.  Round 0 comes again after @reset, if
	 * pre-copy goes on then (vmig_reset_done()).
	 */
	int (*precopy)(struct vmig_dev *mig, struct vmig_emit *em, unsigned int round);

	/**
	 * @dirty_bytes: Estimate of what the next @precopy round would emit.
	 *
	 * Also asked before round 0, and when a round was interrupted: what is left of it.
	 * User space takes a device for ready to be stopped when the initial data was
	 * sent, so round 0 should not turn out much larger.
	 */
	u64 (*dirty_bytes)(struct vmig_dev *mig);

	/**
	 * @save_end: The save session was left, whatever became of it.
	 *
	 * Gives back what @precopy and @save keep in device and driver.  Not called
	 * when a reset, ERROR or the close of the device ended the session: the
	 * function is, or will be, reset then.
	 */
	void (*save_end)(struct vmig_dev *mig);

	/** @save: Mandatory.  Emit the final state.  Worker; device is frozen. */
	int (*save)(struct vmig_dev *mig, struct vmig_emit *em);

	/**
	 * @load_begin: A device that is frozen is about to be loaded.
	 *
	 * Called on entry of RESUMING.
	 */
	int (*load_begin)(struct vmig_dev *mig);

	/**
	 * @load_chunk: Memory for a record of the family that is about to come.
	 * @bytes: Size of its payload; untrusted, at most vmig_desc.max_payload (or 4096,
	 *	of an optional record).
	 * @front: Set to how many of these do not belong into the chunk, but in front
	 *	of it (vmig_record.data).
	 *
	 * For devices that read large buffers by DMA: user space's bytes are copied
	 * once, to where the device reads them.  The library references the chunk, and
	 * writes to it, until @load got the record, or until the session has ended and a
	 * write that was going on has returned: vmig_chunk_shared() tells.  What is in
	 * it has been verified in @load, not before.
	 *
	 * Context: as @load.
	 * Return: a chunk with room for what is behind @front; NULL: memory of the
	 * library will do; ERR_PTR(): fails as if @load had.
	 */
	struct vmig_chunk *(*load_chunk)(struct vmig_dev *mig, u32 type, u32 bytes,
					 u32 *front);

	/**
	 * @load: Take one record of the family that vmig_desc.staged does not have;
	 * content is untrusted.  Mandatory without that table.
	 *
	 * In RESUMING, in the context of the writer.
	 * Return: 0; -EOPNOTSUPP for an unknown type (an optional one is then
	 * skipped); another error fails the write and the session (vmig_refuse()
	 * says what differed).
	 */
	int (*load)(struct vmig_dev *mig, const struct vmig_record *rec);

	/**
	 * @load_end: The stream was complete; check and commit what was loaded.
	 *
	 * On RESUMING -> STOP, when all of vmig_desc.staged was committed.  An error
	 * fails the transition; the library then puts the device into ERROR.
	 */
	int (*load_end)(struct vmig_dev *mig);

	/**
	 * @estimate: Bytes that @save would emit now, for MIG_DATA_SIZE.
	 *
	 * Any state; in the worker, when user space has asked.  The library adds its own
	 * overhead, and remembers the answer: what user space gets is the last one.  When
	 * NULL, and before the first answer, vmig_desc.typical_bytes is used.
	 */
	u64 (*estimate)(struct vmig_dev *mig);

	/**
	 * @reset: Forget driver-side state: the function has been reset and runs.
	 *
	 * May be called late, or with memory_lock held (see vmig_reset_done()):
	 * must not fail, nor wait for user space, nor touch the hardware.
	 */
	void (*reset)(struct vmig_dev *mig);

	/**
	 * @track_limits: What the device's tracker can do now.
	 *
	 * The four track hooks come together.  They run under a lock of their own,
	 * while other hooks may run: a report does not wait for a data file.  Like
	 * all hooks they bound their waits.
	 *
	 * Asked when the device is opened and when logging starts.
	 *
	 * Return: 0; -EOPNOTSUPP when there is none: the device that is opened then
	 * offers no logging, and if logging starts, everything is reported as dirty;
	 * another error fails the request of the user.
	 */
	int (*track_limits)(struct vmig_dev *mig, struct vmig_track_limits *limits);

	/**
	 * @track_start: Record writes from here on.
	 * @limits: What the device can do, as it has said.
	 *
	 * Also called when the tracker was lost (see @track_report): whatever there is of
	 * the older one is replaced.  User space waits for a report meanwhile, with its
	 * guest stopped.
	 *
	 * Return: 0; -ENOSPC when the device offers less than its limits now: the hook
	 * has written to @limits what it would take, and is called with a plan for that, a
	 * few times at most; another error fails the request of the user.
	 */
	int (*track_start)(struct vmig_dev *mig, const struct vmig_track *what,
			   struct vmig_track_limits *limits);

	/** @track_stop: Stop recording; the device may be gone or may have been reset. */
	void (*track_stop)(struct vmig_dev *mig);

	/**
	 * @track_report: Push what was written since it was last asked.
	 * @part: What is asked about: whole pages of one range, at most
	 *	vmig_track_limits.report_pages.  With vmig_track_limits.unfiltered it is
	 *	called for a report once, and @part says nothing.
	 * @dirty: For vmig_dirty_push() and vmig_dirty_push_bits().
	 *
	 * After an error nothing was reported, or it is not known what: everything is
	 * reported as dirty once, or until the tracker works again.  The library starts it
	 * again at most once a report, and leaves it alone for eight times as long as
	 * failing and starting took.
	 *
	 * Return: 0; 1 when there is more, of a device that tells it in parts: it is called
	 * again, if there is time; a negative errno.
	 */
	int (*track_report)(struct vmig_dev *mig, const struct vmig_range *part,
			    struct vmig_dirty *dirty);
};

/**
 * struct vmig_desc - Constants of a family
 * @family: Name in the stream, shorter than VPV_STREAM_NAME_BYTES.
 * @state_version: Version of the state records written.
 * @state_oldest: Oldest version that can read what is written now.
 * @state_accepts: Oldest version of a stream that this driver reads.
 * @match_bytes: Size of the match data, at most 4096.
 * @match_fields: What the match data consists of.  With it the library compares what a
 *	source sent with what @match of this device writes, and there is no @verify.
 * @num_match_fields: Their number.
 * @match_local_bytes: Size of what @match writes after the match data: what rules need to
 *	know of this device alone, and is not sent; at most 4096.
 * @staged: Records that the library keeps until the stream is complete.
 * @num_staged: Number of their types.
 * @pages: Memory of the device, which the library migrates; NULL: there is none, or the
 *	other hooks do it.  It is sent in front of what @precopy and @save emit; what the
 *	library needs for it, besides vmig_desc.max_payload and vmig_desc.max_queued, is one
 *	bit for a page of 4 KiB, and once more vmig_desc.max_queued, at least 1 MiB for each of
 *	vmig_pages_ops.readers.
 * @max_payload: Largest record of the family, at most VPV_STREAM_MAX_PAYLOAD.  Optional
 *	records, which a newer version may have, are taken up to 4096 bytes by all families.
 * @max_queued: Most payload bytes kept for a slow reader (0: 8 MiB).
 * @typical_bytes: Answer of MIG_DATA_SIZE without an @estimate hook, or before its first
 *	answer; without the memory of vmig_desc.pages.
 * @config: Config space of the device (&vpv_config_state_ops), or NULL: it is
 *	not sent.  With it, the persona, what the user sees and the emulated state
 *	are in the stream and are compared, and a stream that does not show what its
 *	user saw is refused; vmig_open() must come after the device's config space has
 *	been built.
 * @reach: How to make the device reachable for hooks (&vpv_reach), or NULL: it always is.
 *	It is reachable in every hook but reset and those for tracking, and stays so from
 *	the first step away from RUNNING until the device is there again.
 * @undone_by_reset: A reset of the function ends what @quiesce and @freeze did to it, and
 *	nothing of theirs comes later but what they write to registers.  If that may have been
 *	after a reset, @thaw and @unquiesce are called, of whatever device.  Others see to it
 *	by themselves, in @reset.
 */
struct vmig_desc {
	const char *family;
	u32 state_version;
	u32 state_oldest;
	u32 state_accepts;
	u32 match_bytes;
	const struct vmig_match_field *match_fields;
	unsigned int num_match_fields;
	u32 match_local_bytes;
	const struct vmig_staged_record *staged;
	unsigned int num_staged;
	const struct vmig_pages_ops *pages;
	u32 max_payload;
	u32 max_queued;
	u64 typical_bytes;
	const struct vpv_config_state_ops *config;
	const struct vpv_reach *reach;
	bool undone_by_reset;
};

/**
 * struct vmig_dev - Migration side of one device
 * @vdev: The VFIO device.
 * @ops: Hooks.
 * @desc: Constants.
 * @mig_ops: What @vdev->mig_ops points to; leads from there back to here.
 * @m: State, locks and sessions; migration/machine.h.
 *
 * Embedded in the variant's device.  The members are for the library alone.
 */
struct vmig_dev {
	struct vfio_device *vdev;
	const struct vmig_ops *ops;
	const struct vmig_desc *desc;
	struct vfio_migration_ops mig_ops;
	struct vmig_machine *m;
};

/**
 * vmig_init() - Give a device migration
 * @mig: Zeroed memory inside the variant's device.
 * @vdev: The VFIO device, before vfio_register_group_dev().
 * @ops: The hooks; P2P and PRE_COPY support is derived from them.
 * @desc: Constants; must live as long as @mig.
 *
 * Sets the migration ops and flags of @vdev, which are there unless the dialect is v1.
 * Context: process; may sleep.
 * Return: 0; -EINVAL for incomplete hooks or constants; -ENOMEM.
 */
int vmig_init(struct vmig_dev *mig, struct vfio_device *vdev,
	      const struct vmig_ops *ops, const struct vmig_desc *desc);

/**
 * vmig_fini() - Undo vmig_init()
 * @mig: Device, closed.  Data files that are still open fail with -ENODEV and
 *	neither touch @mig nor call a hook any more.
 *
 * Does nothing for zeroed memory or when it was called before.
 * Context: process; may sleep.
 */
void vmig_fini(struct vmig_dev *mig);

/**
 * vmig_open() - User space has opened the device
 * @mig: Device; its state becomes RUNNING.
 *
 * Context: process; from open_device.
 * Return: 0 or -ENOMEM, which can happen with the v1 dialect only.
 */
int vmig_open(struct vmig_dev *mig);

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
 * vmig_reset_begin() - The function is about to be reset, by whomever
 * @mig: Device.
 *
 * What a hook returns from here on may be of a function in the middle of its reset, or of one that
 * controls it and has been told of that.  So a hook that fails does not decide what becomes of the
 * device and its save session, nor does vmig_fault(): vmig_reset_done() does, which has to follow,
 * also when the reset fails.  A load session fails with -ENODEV then.  State changes wait for
 * vmig_reset_done().  A reset that was not announced counts as well.
 *
 * Context: as vmig_reset_done().
 */
void vmig_reset_begin(struct vmig_dev *mig);

/**
 * vmig_reset_done() - The function was reset
 * @mig: Device; its state becomes RUNNING, its sessions end.
 *
 * But pre-copy goes on, in state PRE_COPY, when user space has asked for
 * VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, reads, and its last state request did not fail:
 * a guest reboots while it is migrated.  The hooks are @reset and then @precopy with
 * round 0, whose data takes the place of all that was sent but the match data.
 *
 * May be called with locks held that hooks take or that are ordered with user
 * memory access (memory_lock, device lock): it never waits for the state lock.
 * When someone holds that, the work is left to the holder, who does it before
 * releasing it, so that the next holder sees the state after the reset.
 * User space sees RUNNING and dead data files at once in any case.
 *
 * Context: process; does not sleep on the state lock.
 */
void vmig_reset_done(struct vmig_dev *mig);

/**
 * vmig_fault() - The device failed by itself, and only a reset helps
 * @mig: Device; its state becomes ERROR, its sessions end with -EIO.
 * @why: What failed, for the log and debugfs; must stay valid until vmig_fini().
 *
 * For what a variant learns outside of a hook and what makes the state of the library
 * untrue: firmware has lost the function's state, or a suspension that user space relies
 * on.  A hook returns -EIO instead.  It is not for failures that leave the function able
 * to change states: a VMM resets a device whose state change fails.
 *
 * Never waits for the state lock, as vmig_reset_done(): user space sees ERROR and failing
 * data files at once, and a hook that runs is not disturbed; who holds the lock does
 * the rest before releasing it.  The later one of fault and reset decides: a reset
 * that is reported afterwards makes the state RUNNING.  Without effect while the function is
 * being reset (vmig_reset_begin()), which ends what has failed, and while the device is closed,
 * since it is reset before it is opened.
 *
 * Context: process; wherever vmig_reset_done() may be called; between vmig_init() and
 * vmig_fini(), also from a hook.
 */
void vmig_fault(struct vmig_dev *mig, const char *why);

/**
 * vmig_stopped() - Has a hook that saves or loads to end?
 * @mig: Device.
 *
 * Its session has failed, the function was reset, or, of a save session, somebody wants to change
 * the state and waits for the hook.  One that waits for long asks this, and ends with -ECANCELED.
 * What a hook that saves did is not lost then, it comes again if it is still wanted.  A session
 * that loads would have lost bytes of its writer: a state change waits for such a hook.
 *
 * Context: a hook, or what it waits for; may not be that of a state change.
 */
bool vmig_stopped(struct vmig_dev *mig);

/**
 * vmig_resets() - How often was the function reset?
 * @mig: Device.
 *
 * Context: any.
 * Return: a number that changes with each vmig_reset_done().
 */
u32 vmig_resets(const struct vmig_dev *mig);

/**
 * vmig_fault_of() - vmig_fault(), unless the function was reset meanwhile
 * @mig: Device.
 * @resets: vmig_resets() of before what has failed began, such as a suspension.
 * @why: See vmig_fault().
 *
 * For what is noticed later than it happens: a reset that is reported before the fault may have
 * come after it.
 *
 * Context: as vmig_fault().
 */
void vmig_fault_of(struct vmig_dev *mig, u32 resets, const char *why);

/**
 * vmig_detach() - The device is going away
 * @mig: Device; all data files fail with -ENODEV, state requests with -ENODEV.
 *
 * Waits for hooks that run; none is called afterwards.
 *
 * Context: process; may sleep; from remove, before unregistering.
 */
void vmig_detach(struct vmig_dev *mig);

/**
 * vmig_region_bytes() - Size of the migration region that the user of the device has
 * @mig: Device, open.
 *
 * A user of the v1 dialect migrates by such a region: type and subtype are
 * VFIO_REGION_TYPE_MIGRATION_DEPRECATED and VFIO_REGION_SUBTYPE_MIGRATION_DEPRECATED, and
 * it can be read, written and mapped.
 *
 * Return: bytes; 0: there is none, and no other function of these may be called.
 */
u64 vmig_region_bytes(const struct vmig_dev *mig);

/**
 * vmig_region_rw() - read() and write() of that region
 * @mig: Device, open until this returns.
 * @pos: Offset in the region.
 * @iter: Bytes, at least one; its direction tells which.
 *
 * Context: process; touches user memory, and may wait for the device: no lock is held.
 * Return: bytes; or a negative errno (Documentation/migration-v1.rst).
 */
ssize_t vmig_region_rw(struct vmig_dev *mig, u64 pos, struct iov_iter *iter);

/**
 * vmig_region_mmap() - mmap() of that region
 * @mig: Device, open.
 * @pos: Where the mapping begins in the region.
 * @vma: Mapping, shared.
 *
 * Context: the mmap op of a file.
 * Return: 0; -EINVAL for what cannot be mapped; -ENOMEM.
 */
int vmig_region_mmap(struct vmig_dev *mig, u64 pos, struct vm_area_struct *vma);

/**
 * vmig_region_caps() - Capabilities of that region, beside its type
 * @mig: Device, open.
 * @caps: Where to add them.
 *
 * Return: 0 or -ENOMEM.
 */
int vmig_region_caps(struct vmig_dev *mig, struct vfio_info_cap *caps);

/**
 * vmig_dialect_set() - Choose how the next user of a device migrates it
 * @mig: Device.
 * @name: "v2": by the ioctls of VFIO; "v1": by a region.  A newline at the end is allowed.
 *
 * Context: process; may sleep.
 * Return: 0; -EINVAL for another name; -EBUSY when the device is open; -ENODEV when it goes
 * away.
 */
int vmig_dialect_set(struct vmig_dev *mig, const char *name);

/**
 * vmig_dialect() - How the user of a device migrates it, or the next one
 * @mig: Device.
 *
 * Return: its name.
 */
const char *vmig_dialect(struct vmig_dev *mig);

/**
 * vmig_state_bits() - Current state, as VMIG_ bits
 * @mig: Device.
 *
 * Context: any; a snapshot.
 */
u8 vmig_state_bits(const struct vmig_dev *mig);

#endif /* VPV_MIGRATION_H */
