/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine: state and locks of one device, resets and faults, the memory that its
 * sessions hold.  Knows sessions only as struct vmig_session_ops.
 *
 * Locks, outer to inner; dev.c tells why:
 *
 *   vmig_machine.request_lock	one state request, open, close or detach at a time
 *   vmig_session.io_lock	one read or write of a session at a time
 *   vmig_machine.state_lock	state, sessions and all hooks; never waited for by
 *				vmig_reset_done() and vmig_fault(); never held over
 *				a page fault of the user
 *   vmig_machine.track_lock	track hooks; beside io_lock and state_lock
 *   vmig_machine.lock		spinlock
 *   vmig_session.lock		spinlock
 *   vmig_pages_out.lock	spinlock; who reads which pages; beside vmig_session.lock
 *
 * request_lock and io_lock are never held together, but for a trylock of io_lock that frees
 * memory.  User memory is accessed under io_lock only, but for pages that are held (dev.c), and
 * with that only if it is there: page faults are waited for with no lock held.  state_lock is
 * released by vmig_unlock() and reset.c alone, io_lock by vmig_session_io_unlock().
 */
#ifndef VMIG_MACHINE_H
#define VMIG_MACHINE_H

#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <vpv/migration.h>

#include "fsm.h"
#include "stream.h"

#define VMIG_MAX_QUEUED_DEFAULT	(8U << 20)
#define VMIG_BUF_BYTES		(64U << 10)
/* That vmig_alloc() takes besides. */
#define VMIG_ALLOC_FRONT_BYTES	16U
#define VMIG_ERROR_TEXT_BYTES	160

/**
 * vmig_queue_bytes() - How much of a stream may wait for the reader?
 * @desc: Constants of a family.
 *
 * Return: bytes.
 */
static inline u64 vmig_queue_bytes(const struct vmig_desc *desc)
{
	return desc->max_queued ?: VMIG_MAX_QUEUED_DEFAULT;
}

/**
 * vmig_pages_half() - How many records of memory are made while as many are read?
 * @desc: Constants of a family with memory.
 *
 * As many as the queue is for: who sleeps is woken once for a half of it, and to wake somebody may
 * take as long as to copy a record.
 *
 * Return: their number.
 */
static inline u32 vmig_pages_half(const struct vmig_desc *desc)
{
	return max_t(u64, desc->pages->readers,
		     vmig_queue_bytes(desc) / (2 * VPV_PAGES_DATA_BYTES));
}

/* How user space speaks with a device. */
enum vmig_dialect {
	VMIG_V2,
	VMIG_V1,
	VMIG_DIALECTS,
};

struct vmig_session;
struct vmig_tracker;
struct vmig_v1;

/**
 * struct vmig_session_stats - What is kept of the last session of a kind
 * @err: How it ended; -EINPROGRESS while it goes on, 1 before the first one.
 * @bytes: Bytes that user space read or wrote.
 * @records: Records in them.
 * @held: Most bytes of memory that library and variant held for it.
 * @waited_ns: How long user space waited for the device in reads and writes.
 * @rest: Of a save session that goes on: bytes to come, as far as they are known.
 * @dirty: Of these: what is not queued, but the device would add now.
 */
struct vmig_session_stats {
	int err;
	u64 bytes;
	u64 records;
	u64 held;
	u64 waited_ns;
	u64 rest;
	u64 dirty;
};

/**
 * struct vmig_session_ops - What the machine needs of the sessions above it
 */
struct vmig_session_ops {
	/** @fail: Reads and writes fail with @err from now on.  Context: vmig_machine.lock. */
	void (*fail)(struct vmig_machine *m, int err);

	/** @end: End all sessions; they fail with @err.  Context: state_lock. */
	void (*end)(struct vmig_machine *m, int err);

	/**
	 * @survives: Does the save session, which is in pre-copy, go on in spite of a reset?
	 *
	 * If so, the hook that runs for it is interrupted, and @restart follows.
	 * Context: vmig_machine.lock.
	 */
	bool (*survives)(struct vmig_machine *m);

	/**
	 * @restart: Begin pre-copy again.
	 *
	 * Context: state_lock; may be under memory_lock: no hook is called.
	 */
	void (*restart)(struct vmig_machine *m);

	/**
	 * @memory_bytes: How much of the memory of the device would a save session emit now?
	 *
	 * Context: the worker, SET_STATE, MIG_DATA_SIZE or opening; state_lock.
	 */
	u64 (*memory_bytes)(struct vmig_machine *m);

	/** @work: Produce what the save session needs.  Context: the worker, state_lock. */
	void (*work)(struct vmig_machine *m);
};

/**
 * struct vmig_machine - State of one device
 * @ref: Held by the vmig_dev and by every session.
 * @mig: The device; NULL after vmig_fini(): then no hook is called any more.
 * @session_ops: The sessions; constant.
 * @request_lock: See above.
 * @state_lock: See above.
 * @lock: See above.
 * @id: What its streams say; constant but for the persona, which is set under
 *	state_lock by vmig_open().
 * @caps: VMIG_CAP_ bits; constant.
 * @state: VMIG_ bits.  Written under state_lock and lock, read under either.
 * @open: User space has the device open, and it is not going away.  Written under
 *	request_lock and state_lock, read under either.
 * @detached: The device is going away; written likewise.
 * @dialect: What the next user speaks; request_lock.
 * @v1: The region of a user of v1, constant while he has the device open; else NULL.
 * @resetting: Between vmig_reset_begin() and vmig_reset_done(); lock.
 * @reset_over: Who waits for the end of that.
 * @reset_pending: vmig_reset_done() left work to the holder of state_lock; lock.
 * @resets: How many it has reported; written under lock.
 * @restart_pending: The same of one that the save session survives; lock.
 * @request_failed: The last state request failed; written under request_lock and lock.
 * @fault: So did vmig_fault(), after that reset if both are set; what failed; lock.
 * @saving: Save session.  Written under state_lock and lock, read under either.
 * @resuming: Load session, likewise.
 * @work: Has vmig_session_ops.work called.
 * @track_lock: Serialises the track hooks; neither taken with another one of these
 *	held but request_lock, nor held over user memory.
 * @logging: User space wants to know what the device writes; written under track_lock.
 * @tracker: The device keeps track; NULL: everything is dirty; track_lock.
 * @estimate: How much a save session would emit, as far as it is known; lock.
 * @estimate_own: Of this what is not memory: the last answer of the estimate hook; lock.
 * @estimate_wanted: The worker is to call it; lock.
 * @estimate_known: It has answered since the device was opened and not long ago, or not
 *	in time; lock.
 * @estimate_at: When that was, in jiffies; lock.
 * @estimated: Who waits for that.
 * @reached: The device is kept reachable for hooks; state_lock.
 * @refused: A hook has told why it refuses; state_lock.
 * @entered: When @state was entered; lock.
 * @state_ns: Time spent in each state since RUNNING was left; lock.
 * @last_save: Last save session; lock.
 * @last_load: Last load session; lock.
 * @held_limit: Most of that; constant.
 * @held: Bytes of memory that sessions and chunks hold; lock.
 * @held_most: Most since the last session began; lock.
 * @sets: Bytes of sets of pages; lock.
 * @last_error: Last thing that failed; lock.
 * @match: What vmig_ops.match wrote last, if @match_known; lock.
 * @match_known: It has written something; lock.
 * @debug_dir: Folder in debugfs.
 */
struct vmig_machine {
	struct kref ref;
	struct vmig_dev *mig;
	const struct vmig_session_ops *session_ops;
	struct mutex request_lock;
	struct mutex state_lock;
	spinlock_t lock;

	struct vmig_identity id;
	u8 caps;

	u8 state;
	bool open;
	bool detached;
	enum vmig_dialect dialect;
	struct vmig_v1 *v1;
	bool resetting;
	wait_queue_head_t reset_over;
	bool reset_pending;
	u32 resets;
	bool restart_pending;
	bool request_failed;
	const char *fault;
	struct vmig_session *saving;
	struct vmig_session *resuming;
	struct delayed_work work;
	struct mutex track_lock;
	bool logging;
	struct vmig_tracker *tracker;
	u64 estimate;
	u64 estimate_own;
	bool estimate_wanted;
	bool estimate_known;
	unsigned long estimate_at;
	wait_queue_head_t estimated;
	bool reached;
	bool refused;

	ktime_t entered;
	u64 state_ns[VMIG_V2_STATES];
	struct vmig_session_stats last_save;
	struct vmig_session_stats last_load;
	u64 held_limit;
	u64 held;
	u64 held_most;
	u64 sets;
	char last_error[VMIG_ERROR_TEXT_BYTES];
	void *match;
	bool match_known;
	struct dentry *debug_dir;
};

/**
 * vmig_pending() - Was a reset or a fault left to the holder of state_lock?
 * @m: Machine.
 *
 * Context: any; a snapshot.
 */
static inline bool vmig_pending(const struct vmig_machine *m)
{
	return READ_ONCE(m->reset_pending) || READ_ONCE(m->fault) ||
	       READ_ONCE(m->restart_pending);
}

/**
 * vmig_overtaken() - Does a reset or a fault decide what becomes of a hook that fails?
 * @m: Machine.
 *
 * Context: any; a snapshot.
 */
static inline bool vmig_overtaken(const struct vmig_machine *m)
{
	return READ_ONCE(m->resetting) || vmig_pending(m);
}

/* machine.c */
extern struct workqueue_struct *vmig_wq;
extern struct workqueue_struct *vmig_read_wq;
int vmig_machine_init(void);
void vmig_machine_exit(void);
struct vmig_machine *vmig_machine_alloc(struct vmig_dev *mig,
					const struct vmig_session_ops *session_ops);
void vmig_machine_get(struct vmig_machine *m);
void vmig_machine_put(struct vmig_machine *m);
__printf(2, 3)
void vmig_complain(struct vmig_machine *m, const char *fmt, ...);
__printf(2, 3)
void vmig_blame(struct vmig_machine *m, const char *fmt, ...);
__printf(2, 3)
void vmig_tell(struct vmig_machine *m, const char *fmt, ...);
__printf(2, 0)
void vmig_vcomplain(struct vmig_machine *m, const char *fmt, va_list args);

/* chunk.c */
struct vmig_chunk *vmig_chunk_get(struct vmig_chunk *chunk);

/* estimate.c */

/**
 * vmig_rest_of_pause() - Until the device is asked again how much there is
 * @answered: When it has answered last, in jiffies.
 *
 * Users may ask in a loop: there are 10 ms between an answer and the next question.
 *
 * Context: any.
 * Return: jiffies, 0 if that is over.
 */
static inline unsigned long vmig_rest_of_pause(unsigned long answered)
{
	unsigned long now = jiffies, end = answered + msecs_to_jiffies(10);

	return time_before(now, end) ? end - now : 0;
}

void vmig_estimate_open(struct vmig_machine *m);
void vmig_estimate_begin(struct vmig_machine *m);
u64 vmig_estimate(struct vmig_machine *m);
void vmig_estimate_work(struct vmig_machine *m);

/* match_own.c */
struct seq_file;
void *vmig_match_own(struct vmig_machine *m);
int vmig_match_print(struct vmig_machine *m, struct seq_file *s);

/* memory.c */
u64 vmig_held_limit(const struct vmig_desc *desc);
void *vmig_alloc(struct vmig_machine *m, size_t bytes);
void vmig_free(void *p);
bool vmig_held_add(struct vmig_machine *m, size_t bytes);
void vmig_held_sub(struct vmig_machine *m, size_t bytes);
void *vmig_set_alloc(struct vmig_machine *m, size_t num, size_t bytes);
void vmig_set_free(void *p);
int vmig_dirty_alloc(struct vmig_machine *m, struct vmig_dirty *set);
void vmig_dirty_free(struct vmig_dirty *set);

/* reach.c */
int vmig_reach(struct vmig_machine *m);
void vmig_reach_end(struct vmig_machine *m);

/* reset.c */
void vmig_lock(struct vmig_machine *m);
int vmig_lock_killable(struct vmig_machine *m);
void vmig_unlock(struct vmig_machine *m);

/* state.c */
void vmig_state_set(struct vmig_machine *m, u8 bits);
void vmig_state_error(struct vmig_machine *m, int err);
void vmig_state_failed(struct vmig_machine *m, int err);
u8 vmig_state_snapshot(struct vmig_machine *m);

/* work.c */
void vmig_work_init(struct vmig_machine *m);

#endif /* VMIG_MACHINE_H */
