/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of a device in a stream: which pages are taken next, what a record says of them,
 * and whether one that came is right.  Pure.
 *
 * The source takes pages out of a set, in ascending order, once a pass; a page that is
 * written after that is in the set again, for the next pass.  So a later pass has the newer
 * content, and within a pass a page comes once.
 */
#ifndef VMIG_PAGES_H
#define VMIG_PAGES_H

#include <uapi/vpv/stream.h>
#include <vpv/diff.h>
#include <vpv/pure.h>

#include "dirty.h"

/* More pages than this no device has: 16 TiB. */
#define VMIG_PAGES_TOTAL	BIT_ULL(32)

/*
 * Pages that a source puts into a record: less than what may be there, so that what is copied by
 * the way is not always a multiple of a power of two from where it goes.  Look-ups by address bits
 * have few places for that; the TLB that QEMU emulates has one, and such a copy takes 20 times as
 * long.
 */
#define VMIG_JOB_PAGES		(VPV_PAGES_MOST - 1)

/* Largest payload of LAYOUT. */
#define VMIG_LAYOUT_MAX_BYTES \
	(sizeof(struct vpv_stream_layout) + VPV_LAYOUT_RANGES * sizeof(struct vpv_stream_range))

/**
 * vmig_layout_check() - Do ranges make sense?
 * @ranges: Ranges.
 * @num: Their number.
 * @diff: Receives what does not.
 *
 * Return: 0 or -EINVAL.
 */
int vmig_layout_check(const struct vmig_range *ranges, u32 num, struct vmig_diff *diff);

/**
 * vmig_layout_put() - Make the payload of LAYOUT
 * @ranges: Ranges that were checked.
 * @num: Their number.
 * @buf: Room for VMIG_LAYOUT_MAX_BYTES.
 *
 * Return: its size.
 */
u32 vmig_layout_put(const struct vmig_range *ranges, u32 num, void *buf);

/**
 * vmig_layout_get() - Read the payload of LAYOUT
 * @data: Payload; untrusted.
 * @bytes: Its size.
 * @ranges: Room for VPV_LAYOUT_RANGES; receives what was checked.
 * @diff: Receives what makes no sense.
 *
 * Return: the number of ranges, or -EINVAL.
 */
int vmig_layout_get(const void *data, size_t bytes, struct vmig_range *ranges,
		    struct vmig_diff *diff);

/**
 * vmig_layout_fits() - Is there memory for all that a source has?
 * @mine: Ranges of this device, checked.
 * @num_mine: Their number.
 * @theirs: Those of the source, checked.
 * @num_theirs: Their number.
 * @diff: Receives the first that has no place.
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int vmig_layout_fits(const struct vmig_range *mine, u32 num_mine,
		     const struct vmig_range *theirs, u32 num_theirs, struct vmig_diff *diff);

/**
 * struct vmig_pages_job - Pages that one record is made of
 * @num: Number of pieces.
 * @pages: Pages in them, at most VMIG_JOB_PAGES.
 * @piece: They, ascending.
 */
struct vmig_pages_job {
	u32 num;
	u32 pages;
	struct vmig_dirty_piece piece[VMIG_JOB_PAGES];
};

/**
 * vmig_pages_take() - Take pages for a record out of the set
 * @set: Set.
 * @at: Number of the first page that was not looked at in this pass; advanced.
 * @job: Receives them.
 *
 * Return: false: the pass has no more.
 */
bool vmig_pages_take(struct vmig_dirty *set, u64 *at, struct vmig_pages_job *job);

/**
 * vmig_pages_put_back() - Pages were taken and not sent
 * @set: Set.
 * @job: They.
 */
void vmig_pages_put_back(struct vmig_dirty *set, const struct vmig_pages_job *job);

/**
 * struct vmig_runs - Begin of a PAGES record, being made
 * @head: Begin of the payload, together with
 * @run: what follows it.
 * @num: Number of runs.
 */
struct vmig_runs {
	struct vpv_stream_pages head;
	struct vpv_stream_run run[VPV_PAGES_MOST];
	u32 num;
};

/**
 * vmig_runs_begin() - Begin one
 * @r: Runs.
 * @pass: Number of the pass.
 */
void vmig_runs_begin(struct vmig_runs *r, u32 pass);

/**
 * vmig_runs_add() - The next page
 * @r: Runs, of less than VPV_PAGES_MOST pages.
 * @page: Its number.
 * @joins: It is in the same range as the one before.
 * @kind: VPV_RUN_x.
 */
void vmig_runs_add(struct vmig_runs *r, u64 page, bool joins, u32 kind);

/**
 * vmig_runs_bytes() - Size of that begin
 * @r: Runs; &r->head is where it is.
 */
static inline u32 vmig_runs_bytes(const struct vmig_runs *r)
{
	return sizeof(r->head) + r->num * sizeof(r->run[0]);
}

/**
 * vmig_pages_copy() - Add pages that were read, but for the zeros
 * @r: Runs.
 * @page: Number of the first.
 * @pages: How many.
 * @joins: As of vmig_runs_add(), of the first.
 * @from: Their content.
 * @to: Where the content of the record goes on; at or below @from.
 *
 * Return: bytes that were put at @to.
 */
u32 vmig_pages_copy(struct vmig_runs *r, u64 page, u32 pages, bool joins, const u8 *from,
		    u8 *to);

/**
 * struct vmig_pages_in - What has come of a memory
 * @seen: Pages that have come, of the ranges of the source; no ranges: LAYOUT has not.
 * @pass: Number of the pass that is coming.
 * @next: The lowest page that may come in it.
 */
struct vmig_pages_in {
	struct vmig_dirty seen;
	u32 pass;
	u64 next;
};

/**
 * vmig_pages_front() - How much of a PAGES record is in front of its content?
 * @bytes: Size of the payload.
 *
 * Content is whole pages, and what is in front of it is smaller than one.
 */
static inline u32 vmig_pages_front(u32 bytes)
{
	return bytes % VPV_PAGE_BYTES;
}

/**
 * vmig_pages_check() - Is a PAGES record right?
 * @in: What came before; advanced.
 * @data: Begin of the payload, vmig_pages_front() bytes; untrusted.
 * @bytes: Size of all of it.
 * @diff: Receives what is not.
 *
 * Return: the number of runs, for vmig_pages_run(); -EPROTO: the order; -EINVAL.
 */
int vmig_pages_check(struct vmig_pages_in *in, const void *data, size_t bytes,
		     struct vmig_diff *diff);

/**
 * vmig_pages_run() - A run of a record that was checked
 * @in: What came.
 * @data: Begin of the payload.
 * @i: Which run.
 * @where: Receives where its pages are.
 *
 * Return: its kind.
 */
u32 vmig_pages_run(const struct vmig_pages_in *in, const void *data, u32 i,
		   struct vmig_dirty_piece *where);

/**
 * vmig_pages_place() - Where does content of a record that was checked belong?
 * @in: What came.
 * @data: Begin of the payload.
 * @page: Which page of the content.
 * @most: So many pages from that one on, at most.
 * @where: Receives where they are; @where->pages is how many.
 *
 * Return: false: the content is not as long.
 */
bool vmig_pages_place(const struct vmig_pages_in *in, const void *data, u32 page, u32 most,
		      struct vmig_dirty_piece *where);

/**
 * vmig_pages_finish() - Has all memory come?
 * @in: What came.
 * @diff: Receives what is missing.
 *
 * Return: 0; -EPROTO: no LAYOUT; -ENODATA: not all pages.
 */
int vmig_pages_finish(const struct vmig_pages_in *in, struct vmig_diff *diff);

#endif /* VMIG_PAGES_H */
