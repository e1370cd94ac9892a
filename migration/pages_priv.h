/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of a device in a save session: what its files share. */
#ifndef VMIG_PAGES_PRIV_H
#define VMIG_PAGES_PRIV_H

#include <linux/completion.h>
#include <linux/workqueue.h>

#include "session_priv.h"

/**
 * struct vmig_pages_slot - A record being made
 * @chunk: Where the content of the pages goes; NULL: not needed so far.
 * @job: The pages.
 * @runs: Begin of the record.
 * @bytes: Size of the content.
 * @sum: Of the payload.
 * @err: 0 or a negative errno: they could not be read.
 */
struct vmig_pages_slot {
	struct vmig_chunk *chunk;
	struct vmig_pages_job job;
	struct vmig_runs runs;
	u32 bytes;
	u64 sum;
	int err;
};

/**
 * struct vmig_pages_helper - A thread that reads besides the producer
 * @work: Reads what nobody else does.
 * @s: Save session.
 */
struct vmig_pages_helper {
	struct work_struct work;
	struct vmig_session *s;
};

/**
 * struct vmig_pages_out - Memory of a save session; state_lock
 * @set: What is to be sent.
 * @known: The set is valid; until the first pass, and after a reset, it is everything.
 * @tracking: The device records what is written.
 * @untracked: It cannot.
 * @pass: Number of the last pass.
 * @pages: Pages that it has sent so far.
 * @zeros: So many of them were zeros.
 * @frozen: This is the last pass.
 * @readers: Threads that may read at once: the producer, and helpers.
 * @helper: They.
 * @lock: Guards the members down to @left; a leaf.
 * @next: The slot of the half in hand that nobody reads so far.
 * @end: The slot after the last one that is to be read.
 * @left: Slots of it that were not read.
 * @done: None is left.
 * @half: Slots in one half; those of a half are sent at once.
 * @first: First slot of the half in hand.
 * @sent: Bytes that were sent last: those of the other half.
 * @slots: Their number, of both halves.
 * @slot: The user reads one half while the other one is in hand.
 */
struct vmig_pages_out {
	struct vmig_dirty set;
	bool known;
	bool tracking;
	bool untracked;
	u32 pass;
	u64 pages;
	u64 zeros;
	bool frozen;
	u32 readers;
	struct vmig_pages_helper helper[VMIG_PAGES_READERS - 1];
	spinlock_t lock;
	u32 next;
	u32 end;
	u32 left;
	struct completion done;
	u32 half;
	u32 first;
	u64 sent;
	u32 slots;
	struct vmig_pages_slot slot[] __counted_by(slots);
};

/* pages_read.c */
struct vmig_pages_out *vmig_pages_out_alloc(struct vmig_session *s);
void vmig_pages_out_free(struct vmig_pages_out *out);
int vmig_pages_send(struct vmig_session *s);

/* pages_save.c */
int vmig_pages_layout(struct vmig_machine *m, struct vmig_range *ranges);
int vmig_pages_set_alloc(struct vmig_machine *m, struct vmig_dirty *set,
			 const struct vmig_range *ranges, u32 num);

#endif /* VMIG_PAGES_PRIV_H */
