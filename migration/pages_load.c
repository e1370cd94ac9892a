// SPDX-License-Identifier: GPL-2.0
/*
 * Load sessions: the memory of a device (vpv/pages.h).
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "pages_priv.h"

static_assert(VMIG_ALLOC_FRONT_BYTES <= VPV_PAGE_BYTES);

static int load_layout(struct vmig_session *s, struct vmig_range *theirs,
		       struct vmig_range *mine)
{
	const struct vmig_parser *p = &s->parser;
	struct vmig_diff diff;
	int num, num_mine, err;

	if (s->pages_in.seen.num)
		return vmig_refuse(s->m->mig, -EPROTO, VMIG_DIFF("LAYOUT records", 1, 2));
	num = vmig_layout_get(p->payload, p->record_bytes, theirs, &diff);
	if (num < 0)
		return vmig_refuse(s->m->mig, num, &diff);
	num_mine = vmig_pages_layout(s->m, mine);
	if (num_mine < 0)
		return num_mine;
	err = vmig_layout_fits(mine, num_mine, theirs, num, &diff);
	if (err)
		return vmig_refuse(s->m->mig, err, &diff);
	return vmig_pages_set_alloc(s->m, &s->pages_in.seen, theirs, num);
}

/* Look at what is in front of the content, once. */
static void check_pages(struct vmig_session *s)
{
	const struct vmig_parser *p = &s->parser;

	if (!s->pages_runs)
		s->pages_runs = vmig_pages_check(&s->pages_in, p->payload, p->record_bytes,
						 &s->pages_why);
}

/**
 * vmig_pages_room() - Make room for a PAGES record
 * @s: Load session of a device with memory; the head of the record was verified.
 *
 * Return: 0 or -ENOMEM.
 */
int vmig_pages_room(struct vmig_session *s)
{
	struct vmig_parser *p = &s->parser;

	if (!s->piece)
		s->piece = vmig_alloc(s->m, VMIG_PIECE_BYTES);
	if (!s->piece)
		return -ENOMEM;
	p->front_bytes = vmig_pages_front(p->record_bytes);
	p->rest = s->piece;
	p->rest_room = VMIG_PIECE_BYTES;
	return 0;
}

static void put_content(void *from, void *to, size_t bytes)
{
	vmig_content_move(from, to, bytes);
}

/**
 * vmig_pages_piece() - Write a piece of the content of a PAGES record
 * @s: Load session; the piece is in its buffer, or in pages of the user that it holds.
 *
 * One pass over it makes the sum and writes the device.  If what is in front of the content makes
 * no sense, nothing is written: vmig_pages_load() tells, unless the checksum is wrong as well.
 * A page of the user that has become bad is not read: zeros are written.
 *
 * Return: 0 or a negative errno that refuses the stream.
 */
int vmig_pages_piece(struct vmig_session *s)
{
	const struct vmig_pages_ops *ops = s->m->mig->desc->pages;
	struct vmig_parser *p = &s->parser;
	u32 page = (p->have - p->piece_bytes - p->front_bytes) / VPV_PAGE_BYTES;
	u32 left = p->piece_bytes / VPV_PAGE_BYTES;
	struct vmig_dirty_piece where;
	int err = 0;

	lockdep_assert_held(&s->m->state_lock);

	check_pages(s);
	if (!s->content.pages)
		s->content.pos = 0;
	if (s->pages_runs < 0) {
		vmig_content_move(s, NULL, p->piece_bytes);
		left = 0;
	}
	while (left && !err && vmig_pages_place(&s->pages_in, p->payload, page, left, &where)) {
		err = ops->write(s->m->mig, where.first, (size_t)where.pages * VPV_PAGE_BYTES,
				 put_content, s);
		page += where.pages;
		left -= where.pages;
	}
	if (!err && s->content.bad)
		return vmig_refuse(s->m->mig, -EHWPOISON, VMIG_DIFF("bad pages of the user", 0, 1));
	return err;
}

/* The content was written.  One that is empty had no room. */
static int load_zeros(struct vmig_session *s)
{
	const struct vmig_pages_ops *ops = s->m->mig->desc->pages;
	int runs, err = 0;

	check_pages(s);
	runs = s->pages_runs;
	s->pages_runs = 0;
	if (runs < 0)
		return vmig_refuse(s->m->mig, runs, &s->pages_why);
	for (int i = 0; i < runs && !err; i++) {
		struct vmig_dirty_piece where;

		if (vmig_pages_run(&s->pages_in, s->parser.payload, i, &where) == VPV_RUN_ZERO)
			err = ops->write(s->m->mig, where.first,
					 (size_t)where.pages * VPV_PAGE_BYTES, NULL, NULL);
	}
	return err;
}

/**
 * vmig_pages_load() - Take a record of memory
 * @s: Load session of a device that has some; the record is LAYOUT or PAGES, and complete.
 *
 * Return: 0 or a negative errno that refuses the stream.
 */
int vmig_pages_load(struct vmig_session *s)
{
	struct vmig_range *ranges;
	int err;

	lockdep_assert_held(&s->m->state_lock);

	if (s->parser.type == VPV_RECORD_PAGES)
		return load_zeros(s);
	ranges = kcalloc(2 * VPV_LAYOUT_RANGES, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
	if (!ranges)
		return -ENOMEM;
	err = load_layout(s, ranges, ranges + VPV_LAYOUT_RANGES);
	kfree(ranges);
	return err;
}

/**
 * vmig_pages_load_end() - Has all memory come?
 * @s: Load session; the stream is complete.
 *
 * Return: 0 or a negative errno, which was said.
 */
int vmig_pages_load_end(struct vmig_session *s)
{
	struct vmig_diff diff;
	int err;

	if (!s->m->mig->desc->pages)
		return 0;
	err = vmig_pages_finish(&s->pages_in, &diff);
	return err ? vmig_refuse(s->m->mig, err, &diff) : 0;
}
