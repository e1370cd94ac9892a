/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device without hardware: a struct vfio_device that is never registered, driven
 * through its migration ops as vfio.ko does, and through the fops of its data files.
 */
#ifndef FAKE_DEV_H
#define FAKE_DEV_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <vpv/migration.h>
#include <vpv/stream.h>

#define FAKE_STATE_BYTES	(96 * 1000)
#define FAKE_CHUNK_BYTES	1000
#define FAKE_MAX_QUEUED		8192
#define FAKE_MATCH_BYTES	16
#define FAKE_STATE_RECORD	(VPV_RECORD_FAMILY + 0)
#define FAKE_HINT_RECORD	(VPV_RECORD_FAMILY + 1)

enum fake_hook {
	FAKE_QUIESCE, FAKE_UNQUIESCE, FAKE_FREEZE, FAKE_THAW, FAKE_MATCH, FAKE_VERIFY,
	FAKE_PRECOPY, FAKE_SAVE, FAKE_LOAD_BEGIN, FAKE_LOAD, FAKE_LOAD_END, FAKE_ESTIMATE,
	FAKE_RESET, FAKE_DIRTY_BYTES, FAKE_HOOKS,
};

/**
 * struct fake - The device
 * @vdev: As vfio.ko sees it; first member.
 * @mig: Its migration side.
 * @ops: Its hooks.
 * @memory_lock: Every hook but reset takes it for a moment, fake_reset_function()
 *	holds it, and it is taken under mmap_lock: as that of the PCI core.
 * @fail: What each hook returns; 0: it works.
 * @fail_once: It works after it has failed.
 * @calls: How often each hook was called.
 * @inside: Hooks that run at this moment; must not exceed 1.
 * @overlap: They did.
 * @reached: How often it was made reachable and not yet left.
 * @reaches: How often it was made reachable.
 * @unreachable: Instead, this error.
 * @unreached: A hook was called without.
 * @stalled: This hook waits for @go and says @there; FAKE_HOOKS: none.
 * @there: The stalled hook has begun.
 * @go: It may go on.
 * @quiesced: Between quiesce and unquiesce.
 * @frozen: Between freeze and thaw.
 * @dirty: Answer of dirty_bytes; a round of pre-copy clears it.
 * @reinit: The device says that what it sent is worthless; likewise.
 * @state: What is migrated.
 * @loaded: Bytes of it that were loaded.
 */
struct fake {
	struct vfio_device vdev;
	struct vmig_dev mig;
	const struct vmig_ops *ops;
	struct mutex memory_lock;
	int fail[FAKE_HOOKS];
	bool fail_once;
	atomic_t calls[FAKE_HOOKS];
	atomic_t inside;
	bool overlap;
	atomic_t reached;
	unsigned int reaches;
	int unreachable;
	bool unreached;
	int stalled;
	struct completion there;
	struct completion go;
	bool quiesced;
	bool frozen;
	u64 dirty;
	bool reinit;
	size_t loaded;
	u8 state[FAKE_STATE_BYTES];
};

extern const struct vmig_ops fake_ops;		/* all hooks */
extern const struct vmig_ops fake_small_ops;	/* the mandatory ones only */
extern const struct vpv_reach fake_reach;

struct fake *fake_new_of(struct kunit *test, const char *name, const struct vmig_ops *ops,
			 const struct vmig_desc *desc);
struct fake *fake_new(struct kunit *test, const char *name, const struct vmig_ops *ops);
void fake_put(struct fake *fake);
void fake_stall(struct fake *fake, int hook);
void fake_release(struct fake *fake);
void fake_reset_begin(struct fake *fake);
void fake_reset_function(struct fake *fake);
void fake_fault(struct fake *fake);
int fake_calls(struct fake *fake, int hook);

struct file *fake_set(struct fake *fake, unsigned int state);
int fake_get(struct fake *fake);
unsigned long fake_size(struct fake *fake);
int fake_go(struct fake *fake, unsigned int state, struct file **data);

ssize_t fake_read(struct file *file, void *buf, size_t bytes);
ssize_t fake_write(struct file *file, const void *buf, size_t bytes);
ssize_t fake_read_all(struct kunit *test, struct file *file, u8 *buf, size_t room,
		      size_t piece, ssize_t *end);
void fake_close(struct file *file);

#endif /* FAKE_DEV_H */
