/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the migration library.
 *
 * Locks, outer to inner; dev.c tells why:
 *
 *   vmig_machine.request_lock	one state request, open, close or detach at a time
 *   vmig_file.io_lock		one read or write of a data file at a time
 *   vmig_machine.state_lock	state, sessions and all hooks; never waited for by
 *				vmig_reset_done() and vmig_fault(); never held over
 *				user memory
 *   vmig_machine.track_lock	track hooks; beside io_lock and state_lock
 *   vmig_machine.lock		spinlock
 *   vmig_file.lock		spinlock
 *
 * request_lock and io_lock are never held together, but for a trylock of io_lock that frees
 * memory.  User memory is accessed under io_lock only.  Only vmig_unlock() lets state_lock
 * go, only vmig_file_io_unlock() io_lock.
 */
#ifndef VMIG_H
#define VMIG_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <vpv/migration.h>
#include <vpv/reach.h>

#include "fsm.h"
#include "stream.h"

#define VMIG_MAX_QUEUED_DEFAULT	(8U << 20)
/* Copied from user space at once; state_lock is held so long as its checksum takes. */
#define VMIG_COPY_BYTES		(64U << 10)
#define VMIG_PART_BYTES		256U
#define VMIG_BUF_BYTES		(64U << 10)
#define VMIG_ERROR_TEXT_BYTES	160
/* An ordinary view or emulated state; only for estimates. */
#define VMIG_CONFIG_TYPICAL	512U

/**
 * struct vmig_buf - A piece of a stream, waiting for the reader
 * @node: In a list of pieces.
 * @m: Where its memory is counted.
 * @room: Bytes that fit.
 * @fill: Bytes that are there.
 * @pos: Bytes of these that the reader has taken.
 * @chunk: Memory of a variant that has the bytes; referenced.  NULL: they follow.
 * @from: Where the bytes are.
 * @data: The bytes that follow.
 */
struct vmig_buf {
	struct list_head node;
	struct vmig_machine *m;
	u32 room;
	u32 fill;
	u32 pos;
	struct vmig_chunk *chunk;
	u8 *from;
	u8 data[];
};

/**
 * struct vmig_session_stats - What is kept of the last session of a kind
 * @err: How it ended; -EINPROGRESS while it goes on, 1 before the first one.
 * @bytes: Bytes that user space read or wrote.
 * @records: Records in them.
 * @held: Most bytes of memory that library and variant held for it.
 * @waited_ns: How long user space waited for the device in reads and writes.
 */
struct vmig_session_stats {
	int err;
	u64 bytes;
	u64 records;
	u64 held;
	u64 waited_ns;
};

/**
 * struct vmig_machine - State of one device
 * @ref: Held by the vmig_dev and by every data file.
 * @mig: The device; NULL after vmig_fini(): then no hook is called any more.
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
 * @reset_pending: vmig_reset_done() left work to the holder of state_lock; lock.
 * @restart_pending: The same of one that the save session survives; lock.
 * @request_failed: The last state request failed; written under request_lock and lock.
 * @fault: So did vmig_fault(), after that reset if both are set; what failed; lock.
 * @saving: Save session.  Written under state_lock and lock, read under either.
 * @resuming: Load session, likewise.
 * @work: Producer of the save session.
 * @track_lock: Serialises the track hooks; neither taken with another one of these
 *	held but request_lock, nor held over user memory.
 * @logging: User space wants to know what the device writes; written under track_lock.
 * @tracker: The device keeps track; NULL: everything is dirty; track_lock.
 * @estimate: Last answer of the estimate hook; lock.
 * @reached: The device is kept reachable for hooks; state_lock.
 * @refused: A hook has told why it refuses; state_lock.
 * @entered: When @state was entered; lock.
 * @state_ns: Time spent in each state since RUNNING was left; lock.
 * @last_save: Last save session; lock.
 * @last_load: Last load session; lock.
 * @held_limit: Most of that; constant.
 * @held: Bytes of memory that sessions and chunks hold; lock.
 * @held_most: Most since the last session began; lock.
 * @last_error: Last thing that failed; lock.
 * @debug_dir: Folder in debugfs.
 */
struct vmig_machine {
	struct kref ref;
	struct vmig_dev *mig;
	struct mutex request_lock;
	struct mutex state_lock;
	spinlock_t lock;

	struct vmig_identity id;
	u8 caps;

	u8 state;
	bool open;
	bool detached;
	bool reset_pending;
	bool restart_pending;
	bool request_failed;
	const char *fault;
	struct vmig_file *saving;
	struct vmig_file *resuming;
	struct delayed_work work;
	struct mutex track_lock;
	bool logging;
	struct vmig_tracker *tracker;
	u64 estimate;
	bool reached;
	bool refused;

	ktime_t entered;
	u64 state_ns[VMIG_V2_STATES];
	struct vmig_session_stats last_save;
	struct vmig_session_stats last_load;
	u64 held_limit;
	u64 held;
	u64 held_most;
	char last_error[VMIG_ERROR_TEXT_BYTES];
	struct dentry *debug_dir;
};

/**
 * struct vmig_emit - Argument of save hooks
 * @f: Session that they save into.
 */
struct vmig_emit {
	struct vmig_file *f;
};

/* What a reader wants the worker to ask the device for; the larger one counts. */
enum vmig_ask {
	VMIG_ASK_NO,
	VMIG_ASK_SIZE,		/* how much a round would emit */
	VMIG_ASK_DATA,		/* and that round, unless it is nothing */
};

enum vmig_fresh {
	VMIG_FRESH_NO,
	VMIG_FRESH_COMING,	/* the round has not ended */
	VMIG_FRESH_READ,	/* the reader has not read all of it */
};

/**
 * struct vmig_file - A session: a data file and what belongs to it
 * @ref: Held by the file descriptor and by the machine while the session is on.
 * @m: Machine; its memory stays as long as this.
 * @memcg: Control group of whoever opened the session: charged for what it holds.
 * @saving: Kind; constant.
 * @io_lock: See above.
 * @lock: Guards the members down to @writer.
 * @wait: Readers, pollers and a producer that waits for room.
 * @err: Not 0: reads and writes fail with it.  Set once.
 * @bytes: Bytes that user space read or wrote.
 * @waited_ns: How long it waited for the device meanwhile.
 * @queue: Pieces to be read.
 * @queued: Bytes in @queue and @current_buf that were not read.
 * @initial: Bytes of these, from the first one on, up to the end of the initial data of
 *	pre-copy.
 * @can_ask: There is a dirty_bytes hook, and a round that it announces; constant.
 * @dirty: Last answer of the dirty_bytes hook, less what was queued since.
 * @ask: Question that the worker has not put yet.
 * @answers: Number of answers, modulo.
 * @paused: A state change waits: hooks have to give way.
 * @restart: The function was reset, pre-copy begins again: hooks have to give way.
 * @producing: More data comes without anybody asking for it.
 * @final: Pre-copy is over.
 * @fresh: A new initial round was announced; see vmig_reinit().
 * @round: Next round of pre-copy.
 * @writer: Position of the emitter; state_lock.
 * @emit: Argument of hooks; state_lock.
 * @current_buf: Piece being read; io_lock.
 * @parser: Position of the reader of a load session; state_lock.
 * @payload: Memory for one record, or for its begin; written under io_lock.
 * @payload_room: Its size.
 * @chunk: Memory of the variant for the rest of the record; io_lock.
 * @part: Part of the stream that is no payload, from user space; io_lock.
 */
struct vmig_file {
	struct kref ref;
	struct vmig_machine *m;
	struct mem_cgroup *memcg;
	bool saving;
	struct mutex io_lock;
	spinlock_t lock;
	wait_queue_head_t wait;
	int err;
	u64 bytes;
	u64 waited_ns;

	struct list_head queue;
	u64 queued;
	u64 initial;
	bool can_ask;
	u64 dirty;
	enum vmig_ask ask;
	unsigned int answers;
	bool paused;
	bool restart;
	bool producing;
	bool final;
	enum vmig_fresh fresh;
	unsigned int round;
	struct vmig_writer writer;
	struct vmig_emit emit;
	struct vmig_buf *current_buf;

	struct vmig_parser parser;
	void *payload;
	size_t payload_room;
	struct vmig_chunk *chunk;
	u8 part[VMIG_PART_BYTES];
};

/* dev.c */
extern struct workqueue_struct *vmig_wq;
struct vmig_machine *vmig_from_vdev(struct vfio_device *vdev);
void vmig_machine_get(struct vmig_machine *m);
void vmig_machine_put(struct vmig_machine *m);
__printf(2, 3)
void vmig_complain(struct vmig_machine *m, const char *fmt, ...);
__printf(2, 0)
void vmig_vcomplain(struct vmig_machine *m, const char *fmt, va_list args);

/* state.c */
int vmig_state_request(struct vmig_machine *m, unsigned int v2, struct file **filp);
void vmig_state_set(struct vmig_machine *m, u8 bits);
void vmig_state_error(struct vmig_machine *m, int err);
u8 vmig_state_snapshot(struct vmig_machine *m);
void vmig_sessions_fail(struct vmig_machine *m, int err);
void vmig_sessions_end(struct vmig_machine *m, int err);

/* reach.c */
int vmig_reach(struct vmig_machine *m);
void vmig_reach_end(struct vmig_machine *m);

/* reset.c */
void vmig_lock(struct vmig_machine *m);
void vmig_unlock(struct vmig_machine *m);
bool vmig_pending(const struct vmig_machine *m);

/* buf.c */
u64 vmig_held_limit(const struct vmig_desc *desc);
void *vmig_alloc(struct vmig_machine *m, size_t bytes);
void vmig_free(struct vmig_machine *m, void *p, size_t bytes);
struct vmig_chunk *vmig_chunk_get(struct vmig_chunk *chunk);
int vmig_bufs_alloc(struct vmig_machine *m, struct list_head *bufs, size_t bytes);
void vmig_bufs_put(struct list_head *bufs, const void *data, size_t bytes);
int vmig_bufs_add_chunk(struct vmig_machine *m, struct list_head *bufs,
			struct vmig_chunk *chunk, size_t bytes);
void vmig_buf_free(struct vmig_buf *buf);
void vmig_bufs_free(struct list_head *bufs);

/* dirty.c */
void vmig_dirty_open(struct vmig_machine *m);
void vmig_dirty_stop(struct vmig_machine *m);

/* file.c */
struct vmig_file *vmig_file_alloc(struct vmig_machine *m, bool saving);
struct file *vmig_file_open(struct vmig_file *f);
void vmig_file_put(struct vmig_file *f);
void vmig_file_fail(struct vmig_file *f, int err);
void vmig_file_purge(struct vmig_file *f);
void vmig_file_waited(struct vmig_file *f, ktime_t begin);
int vmig_file_io_lock(struct vmig_file *f, struct kiocb *iocb, bool *nonblock);
void vmig_file_io_unlock(struct vmig_file *f);
void vmig_session_begin(struct vmig_machine *m, struct vmig_file *f);
void vmig_session_end(struct vmig_machine *m, bool saving, int err);

/* save.c */
int vmig_save_record(struct vmig_file *f, u32 type, u32 flags, const void *data,
		     size_t bytes);
int vmig_save_begin(struct vmig_machine *m, bool final, struct file **filp);
void vmig_save_final(struct vmig_machine *m);
void vmig_save_pause(struct vmig_machine *m);
void vmig_save_continue(struct vmig_machine *m);
void vmig_save_restart(struct vmig_machine *m);
void vmig_save_work(struct work_struct *work);
ssize_t vmig_save_read_iter(struct kiocb *iocb, struct iov_iter *to);
__poll_t vmig_save_poll(struct file *filp, struct poll_table_struct *pt);

/* precopy.c */
void vmig_precopy_dirty(struct vmig_machine *m, struct vmig_file *f);
void vmig_precopy_ask(struct vmig_file *f, enum vmig_ask ask, unsigned long delay);
int vmig_precopy_more(struct vmig_file *f, bool nonblock);
long vmig_precopy_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);

/* resume.c */
int vmig_resume_begin(struct vmig_machine *m, struct file **filp);
int vmig_resume_end(struct vmig_machine *m);
ssize_t vmig_resume_write_iter(struct kiocb *iocb, struct iov_iter *from);
__poll_t vmig_resume_poll(struct file *filp, struct poll_table_struct *pt);

/* config.c */
void vmig_config_open(struct vmig_machine *m);
int vmig_config_save_view(struct vmig_file *f);
int vmig_config_save_state(struct vmig_file *f);
int vmig_config_load_begin(struct vmig_machine *m, struct vmig_parser *p);
int vmig_config_load(struct vmig_machine *m, const struct vmig_parser *p);
int vmig_config_load_end(struct vmig_machine *m, const struct vmig_parser *p);

/* debugfs.c */
void vmig_debugfs_init(void);
void vmig_debugfs_exit(void);
void vmig_debugfs_add(struct vmig_machine *m);
void vmig_debugfs_remove(struct vmig_machine *m);

#endif /* VMIG_H */
