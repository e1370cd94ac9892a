// SPDX-License-Identifier: GPL-2.0
/*
 * Load sessions: the memory of a device (vpv/pages.h).
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "pages_priv.h"

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

static int load_pages(struct vmig_session *s)
{
	const struct vmig_pages_ops *ops = s->m->mig->desc->pages;
	const struct vmig_parser *p = &s->parser;
	struct vmig_diff diff;
	const u8 *content;
	int runs, err = 0;

	runs = vmig_pages_check(&s->pages_in, p->payload, p->record_bytes, &diff);
	if (runs < 0)
		return vmig_refuse(s->m->mig, runs, &diff);
	content = p->payload + sizeof(struct vpv_stream_pages) +
		  runs * sizeof(struct vpv_stream_run);
	for (int i = 0; i < runs && !err; i++) {
		struct vmig_dirty_piece where;
		bool data = vmig_pages_run(&s->pages_in, p->payload, i, &where) == VPV_RUN_DATA;
		size_t bytes = (size_t)where.pages * VPV_PAGE_BYTES;

		err = ops->write(s->m->mig, where.first, data ? content : NULL, bytes);
		if (data)
			content += bytes;
	}
	return err;
}

/**
 * vmig_pages_load() - Take a record of memory
 * @s: Load session of a device that has some; the record is LAYOUT or PAGES.
 *
 * Return: 0 or a negative errno that refuses the stream.
 */
int vmig_pages_load(struct vmig_session *s)
{
	struct vmig_range *ranges;
	int err;

	lockdep_assert_held(&s->m->state_lock);

	if (s->parser.type == VPV_RECORD_PAGES)
		return load_pages(s);
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
