/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of a session.  machine.h has the order of the locks.
 */
#ifndef VMIG_SESSION_PRIV_H
#define VMIG_SESSION_PRIV_H

#include <linux/list.h>

#include "pages.h"
#include "session.h"

#define VMIG_PART_BYTES		256U
/* Of user memory at once: written to be there, or read and summed up under state_lock. */
#define VMIG_COPY_BYTES		(64U << 10)
/* Of content of memory: whole pages, with what is in front of them no more than that. */
#define VMIG_PIECE_BYTES	(VMIG_COPY_BYTES - VPV_PAGE_BYTES)
/* Of it to be there: it may be taken away again by reclaim, or by others who share it. */
#define VMIG_FAULT_TRIES	64U

struct vmig_pages_out;

/**
 * struct vmig_buf - A piece of a stream, waiting for the reader
 * @node: In a list of pieces.
 * @room: Bytes that fit.
 * @fill: Bytes that are there.
 * @pos: Bytes of these that the reader has taken.
 * @chunk: Memory of a variant that has the bytes; referenced.  NULL: they follow.
 * @from: Where the bytes are.
 * @data: The bytes that follow.
 */
struct vmig_buf {
	struct list_head node;
	u32 room;
	u32 fill;
	u32 pos;
	struct vmig_chunk *chunk;
	u8 *from;
	u8 data[];
};

/**
 * struct vmig_emit - Argument of save hooks
 * @s: Session that they save into.
 */
struct vmig_emit {
	struct vmig_session *s;
};

/**
 * struct vmig_batch - Records on their way into the queue, all at once
 * @bufs: Their pieces.
 * @s: Save session.
 * @writer: Position of the emitter after them.
 * @bytes: Their size.
 */
struct vmig_batch {
	struct list_head bufs;
	struct vmig_session *s;
	struct vmig_writer writer;
	size_t bytes;
};

/* What a reader wants the worker to ask the device for; the larger one counts. */
enum vmig_ask {
	VMIG_ASK_NO,
	VMIG_ASK_SIZE,		/* how much a round would emit */
	VMIG_ASK_DATA,		/* and that round, unless it is nothing */
};

/**
 * struct vmig_staged - A record that is kept
 * @data: Its payload; vmig_alloc().  NULL: none has come.
 * @bytes: Its size.
 */
struct vmig_staged {
	void *data;
	size_t bytes;
};

enum vmig_fresh {
	VMIG_FRESH_NO,
	VMIG_FRESH_COMING,	/* the round has not ended */
	VMIG_FRESH_READ,	/* the reader has not read all of it */
};

/**
 * struct vmig_content - Content of a record of memory, on its way to the device
 * @pos: The next byte of the piece in hand, from where that, or its first page, begins.
 * @pages: Pages of the user that have it; 0: it is in the session's buffer.
 * @bad: One of them became bad, and was not read: the stream is refused.
 * @page: They, held.
 */
struct vmig_content {
	size_t pos;
	int pages;
	bool bad;
	struct page *page[DIV_ROUND_UP(VMIG_COPY_BYTES, PAGE_SIZE) + 1];
};

/**
 * struct vmig_session - A session: what is queued, or the record that is coming
 * @ref: Held by the front end that gives the user access, and by the machine while the
 *	session is on.
 * @m: Machine; its memory stays as long as this.
 * @memcg: Control group of the task that opened the session: charged for what it holds.
 * @saving: Kind; constant.
 * @io_lock: One read or write at a time.
 * @lock: Guards the members down to @writer.
 * @wait: Readers, pollers and a producer that waits for room.
 * @err: Not 0: reads and writes fail with it.  Set once.
 * @bytes: Bytes that user space read or wrote.
 * @waited_ns: How long it waited for the device meanwhile.
 * @queue: Pieces to be read.
 * @queued: Bytes in @queue and @current_buf that were not read.
 * @tell_below: The producer waits for @queued to be less; 0: it does not.
 * @initial: Bytes of these, from the first one on, up to the end of the initial data of
 *	pre-copy.
 * @can_ask: There is a dirty_bytes hook, and a round that it announces; constant.
 * @dirty: Last answer of the dirty_bytes hook, less what was queued since.
 * @told: Initial bytes of the last answer to a user who cannot be told of more.
 * @ask: Question that the worker has not put yet.
 * @answers: Number of answers, modulo.
 * @answered: When the last one came, in jiffies.
 * @paused: A state change waits: hooks have to return.
 * @restart: The function was reset, pre-copy begins again: likewise.
 * @producing: More data comes without anybody asking for it.
 * @final: Pre-copy is over.
 * @fresh: A new initial round was announced; see vmig_reinit().
 * @reinit: The hook has announced one that has no bytes now; state_lock.
 * @round: Next round of pre-copy.
 * @writer: Position of the emitter; state_lock.
 * @emit: Argument of hooks; state_lock.
 * @current_buf: Piece being read; io_lock.
 * @parser: Position of the reader of a load session; state_lock.
 * @payload: Memory for one record, or for its begin; written under io_lock.
 * @payload_room: Its size.
 * @chunk: Memory of the variant for the rest of the record; io_lock.
 * @piece: Memory for a piece of content of a record of memory (pages_load.c); likewise.
 * @content: That piece, or one that pages of the user have; io_lock.
 * @staged: Records that are kept until the stream is complete, in the order of the
 *	family's table; state_lock.
 * @staged_slots: How many could be there.
 * @pages_out: Memory of the device that is saved; NULL: there is none; state_lock.
 * @pages_in: What has come of it; state_lock.
 * @pages_runs: Runs of the record of memory that is coming; 0: they were not looked at so far;
 *	or the errno for which the record is refused when it is complete; state_lock.
 * @pages_why: What is wrong with them then.
 * @part: Part of the stream that is no payload, from user space; io_lock.
 */
struct vmig_session {
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
	u64 tell_below;
	u64 initial;
	bool can_ask;
	u64 dirty;
	u64 told;
	enum vmig_ask ask;
	unsigned int answers;
	unsigned long answered;
	bool paused;
	bool restart;
	bool producing;
	bool final;
	enum vmig_fresh fresh;
	bool reinit;
	unsigned int round;
	struct vmig_writer writer;
	struct vmig_emit emit;
	struct vmig_buf *current_buf;

	struct vmig_parser parser;
	void *payload;
	size_t payload_room;
	struct vmig_chunk *chunk;
	u8 *piece;
	struct vmig_content content;
	struct vmig_staged *staged;
	u32 staged_slots;
	struct vmig_pages_out *pages_out;
	struct vmig_pages_in pages_in;
	int pages_runs;
	struct vmig_diff pages_why;
	u8 part[VMIG_PART_BYTES];
};

/* begin.c */
int vmig_begin_save(struct vmig_session *s);

/* buf.c */
int vmig_bufs_alloc(struct vmig_machine *m, struct list_head *bufs, size_t bytes);
void vmig_bufs_put(struct list_head *bufs, const void *data, size_t bytes);
int vmig_bufs_add_chunk(struct vmig_machine *m, struct list_head *bufs,
			struct vmig_chunk *chunk, size_t bytes);
void vmig_buf_free(struct vmig_buf *buf);
void vmig_bufs_free(struct list_head *bufs);

/* config.c */
int vmig_config_save_view(struct vmig_session *s);
int vmig_config_save_state(struct vmig_session *s);
int vmig_config_load_begin(struct vmig_machine *m, struct vmig_parser *p);
int vmig_config_load(struct vmig_machine *m, const struct vmig_parser *p);
int vmig_config_load_end(struct vmig_machine *m, const struct vmig_parser *p);

/* emit.c */
bool vmig_emit_stopped(struct vmig_session *s);
int vmig_emit_raw(struct vmig_session *s, const void *data, size_t bytes);
int vmig_emit_own(struct vmig_session *s, u32 type, u32 flags, const void *data, size_t bytes);
int vmig_emit_wait(struct vmig_session *s, u64 most);
void vmig_batch_begin(struct vmig_session *s, struct vmig_batch *b);
int vmig_batch_add(struct vmig_batch *b, u32 type, u32 flags, const void *head,
		   size_t head_bytes, struct vmig_chunk *chunk, size_t bytes, u64 sum);
void vmig_batch_drop(struct vmig_batch *b);
int vmig_batch_end(struct vmig_batch *b);

/* pages_load.c */
int vmig_pages_room(struct vmig_session *s);
int vmig_pages_piece(struct vmig_session *s);
int vmig_pages_load(struct vmig_session *s);
int vmig_pages_load_end(struct vmig_session *s);

/* pages_user.c */
size_t vmig_content_hold(struct vmig_session *s, const struct iov_iter *from);
void vmig_content_release(struct vmig_session *s);
void vmig_content_move(struct vmig_session *s, void *to, size_t bytes);

/* pages_save.c */
bool vmig_pages_tracked(struct vmig_machine *m);
int vmig_pages_save_begin(struct vmig_session *s);
void vmig_pages_free(struct vmig_session *s);
int vmig_pages_pass(struct vmig_session *s, bool frozen);
u64 vmig_pages_dirty_bytes(struct vmig_session *s);
u64 vmig_pages_estimate(struct vmig_machine *m);
void vmig_pages_restart(struct vmig_session *s);

/* precopy.c */
void vmig_precopy_dirty(struct vmig_machine *m, struct vmig_session *s);
void vmig_precopy_ask(struct vmig_session *s, enum vmig_ask ask, unsigned long delay);
int vmig_precopy_more(struct vmig_session *s, bool nonblock);

/* session.c */
struct vmig_session *vmig_session_alloc(struct vmig_machine *m, bool saving);
void vmig_session_fail(struct vmig_session *s, int err);
int vmig_session_fault_in(const struct iov_iter *iter, unsigned int *tries);
void vmig_session_purge(struct vmig_session *s);
void vmig_session_waited(struct vmig_session *s, ktime_t begin);
int vmig_session_io_lock(struct vmig_session *s, bool nonblock);
void vmig_session_io_unlock(struct vmig_session *s);
void vmig_session_begin(struct vmig_machine *m, struct vmig_session *s);

/* staged.c */
int vmig_staged_begin(struct vmig_session *s);
void vmig_staged_free(struct vmig_session *s);
bool vmig_staged_knows(struct vmig_session *s, u32 type);
int vmig_staged_load(struct vmig_session *s, const struct vmig_record *rec);
int vmig_staged_commit(struct vmig_session *s);

#endif /* VMIG_SESSION_PRIV_H */
