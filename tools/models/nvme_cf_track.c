// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: Track Send and Track Receive for host memory: which granules a controller wrote.
 * It knows nothing of the runtime's ledger, which it is judged by.
 */
#include <stdlib.h>
#include <string.h>

#include "nvme_cf.h"

#define BAD_FIELD	(NVS_SC_INVALID_FIELD | NVS_SC_DNR)
#define BAD_CNTLID	(NVS_SC_INVALID_CNTLID | NVS_SC_DNR)
#define UNIT_LOG2	12

void nvcf_track_drop(struct nvcf_ctrl *c)
{
	for (unsigned int i = 0; i < c->tracker.num; i++)
		free(c->tracker.range[i].written);
	free(c->tracker.range);
	memset(&c->tracker, 0, sizeof(c->tracker));
}

void nvcf_track_write(struct nvcf_ctrl *c, uint64_t iova, size_t len)
{
	const unsigned int shift = c->tracker.granule_log2;
	uint64_t last = iova + (len - 1);

	for (unsigned int i = 0; len && i < c->tracker.num; i++) {
		struct nvcf_range *r = &c->tracker.range[i];
		uint64_t end = r->start + ((r->granules << shift) - 1);
		uint64_t from = iova > r->start ? iova : r->start, to = last < end ? last : end;

		if (from > to)
			continue;
		for (uint64_t g = (from - r->start) >> shift; g <= (to - r->start) >> shift; g++)
			r->written[g / 8] |= (uint8_t)(1u << g % 8);
	}
}

/* ---- start and stop ---- */

static unsigned int all_ranges(const struct nvcf *sub)
{
	unsigned int num = 0;

	for (unsigned int i = 0; i < sub->num_ctrls; i++)
		num += sub->ctrl[i]->tracker.num;
	return num;
}

static bool range_ok(const struct nvcf_options *o, const struct nvs_track_range *d,
		     unsigned int shift)
{
	uint64_t start = le64toh(d->addr), granules = le32toh(d->length);

	return granules && !(start & ((1ull << shift) - 1)) &&
	       (!o->track_power || !(granules & (granules - 1))) &&
	       start + ((granules << shift) - 1) >= start;
}

static bool overlaps(const struct nvcf_range *a, const struct nvcf_range *b, unsigned int shift)
{
	return a->start <= b->start + ((b->granules << shift) - 1) &&
	       b->start <= a->start + ((a->granules << shift) - 1);
}

/* Ranges as they come, checked against those before. */
static int take_ranges(struct nvcf_ctrl *c, const uint8_t *in, uint32_t num)
{
	struct nvcf_tracker *t = &c->tracker;

	t->range = calloc(num, sizeof(*t->range));
	if (!t->range)
		return NVS_SC_INTERNAL;
	for (; t->num < num; t->num++) {
		struct nvcf_range *r = &t->range[t->num];
		struct nvs_track_range d;

		memcpy(&d, in + t->num * sizeof(d), sizeof(d));
		if (!range_ok(&c->sub->opt, &d, t->granule_log2))
			return BAD_FIELD;
		r->start = le64toh(d.addr);
		r->granules = le32toh(d.length);
		for (unsigned int i = 0; i < t->num; i++)
			if (overlaps(r, &t->range[i], t->granule_log2))
				return BAD_FIELD;
	}
	return 0;
}

static int allocate(struct nvcf_tracker *t)
{
	for (unsigned int i = 0; i < t->num; i++) {
		t->range[i].written = calloc(1, t->range[i].granules / 8 + 1);
		if (!t->range[i].written)
			return NVS_SC_INTERNAL;
	}
	return 0;
}

/* All granules of 2^@shift bytes that the ranges touch. */
static uint64_t granules_at(const struct nvcf_tracker *t, unsigned int shift)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < t->num; i++) {
		const struct nvcf_range *r = &t->range[i];
		uint64_t last = r->start + ((r->granules << t->granule_log2) - 1);

		sum += (last >> shift) - (r->start >> shift) + 1;
	}
	return sum;
}

static uint32_t ranges_left(const struct nvcf *sub)
{
	return (uint32_t)sub->opt.all_ranges - all_ranges(sub);
}

/* What could be had instead: granule, and ranges of one controller. */
static int too_many(const struct nvcf *sub, struct nvcf_cmd *cmd, uint32_t granule)
{
	uint32_t left = ranges_left(sub), most = (uint32_t)sub->opt.ranges;

	cmd->dw0 = granule;
	cmd->dw1 = left < most ? left : most;
	return NVS_SC_NOT_ENOUGH_RESOURCES | NVS_SC_DNR;
}

/* Ranges that were taken have too many granules: a coarser one may do. */
static int coarser(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint32_t granule)
{
	const struct nvcf_options *o = &c->sub->opt;

	while (granule <= o->track_max &&
	       granules_at(&c->tracker, UNIT_LOG2 + granule) > o->track_pages)
		granule++;
	nvcf_track_drop(c);
	return granule <= o->track_max ? too_many(c->sub, cmd, granule) : BAD_FIELD;
}

static int start(struct nvcf_ctrl *m, struct nvcf_cmd *cmd, struct nvcf_ctrl *c)
{
	const struct nvcf_options *o = &m->sub->opt;
	struct nvs_track_request h;
	uint32_t num, bytes;
	int st = nvcf_data(m, &cmd->sqe, false, sizeof(h));

	if (st)
		return st;
	memcpy(&h, m->buf, sizeof(h));
	num = le32toh(h.count);
	if (h.ver || !num || num > o->ranges || h.rmrtg < o->track_min || h.rmrtg > o->track_max)
		return BAD_FIELD;
	if (num > ranges_left(m->sub))
		return too_many(m->sub, cmd, h.rmrtg);
	bytes = (uint32_t)(sizeof(h) + num * sizeof(struct nvs_track_range));
	st = nvcf_data(m, &cmd->sqe, false, bytes);
	if (st)
		return st;
	c->tracker.granule_log2 = UNIT_LOG2 + h.rmrtg;
	st = take_ranges(c, m->buf + sizeof(h), num);
	if (!st && granules_at(&c->tracker, c->tracker.granule_log2) > o->track_pages)
		return coarser(c, cmd, h.rmrtg);
	if (!st)
		st = allocate(&c->tracker);
	if (st)
		nvcf_track_drop(c);
	return st;
}

int nvcf_track_send(struct nvcf_ctrl *m, struct nvcf_cmd *cmd)
{
	struct nvcf_ctrl *c = nvcf_target(m, cmd);

	if (!c)
		return BAD_CNTLID;
	if (!(le32toh(cmd->sqe.cdw10) >> 16 & 1)) {
		nvcf_track_drop(c);
		return 0;
	}
	if (c->tracker.num)
		return BAD_CNTLID;
	return c->run == NVCF_RUNNING ? start(m, cmd, c) : NVS_SC_SUSPENDED | NVS_SC_DNR;
}

/* ---- report ---- */

static bool is_written(const struct nvcf_range *r, uint64_t g)
{
	return g < r->granules && r->written[g / 8] >> g % 8 & 1;
}

/* The first run of written granules of a range from *g on; *g becomes its end. */
static bool next_run(const struct nvcf_range *r, uint64_t *g, uint64_t *first)
{
	while (*g < r->granules && !is_written(r, *g))
		*g += *g % 8 == 0 && !r->written[*g / 8] ? 8 : 1;
	*first = *g;
	while (is_written(r, *g))
		++*g;
	return *g > *first;
}

/* As many runs as there is room for; returns their number, *more: there are others. */
static uint32_t report(const struct nvcf_tracker *t, uint8_t *out, uint32_t room, bool *more)
{
	uint32_t n = 0;

	*more = false;
	for (unsigned int i = 0; i < t->num; i++) {
		const struct nvcf_range *r = &t->range[i];
		uint64_t g = 0, first;

		while (next_run(r, &g, &first)) {
			struct nvs_track_written d = {
				.addr = htole64(r->start + (first << t->granule_log2)),
				.length = htole32((uint32_t)(g - first)),
			};

			*more = n == room;
			if (*more)
				return n;
			memcpy(out + n++ * sizeof(d), &d, sizeof(d));
		}
	}
	return n;
}

/* What the host has now. */
static void forget(struct nvcf_tracker *t, const uint8_t *reported, uint32_t num)
{
	for (uint32_t n = 0; n < num; n++) {
		struct nvs_track_written d;
		uint64_t start;

		memcpy(&d, reported + n * sizeof(d), sizeof(d));
		start = le64toh(d.addr);
		for (unsigned int i = 0; i < t->num; i++) {
			struct nvcf_range *r = &t->range[i];
			uint64_t g = (start - r->start) >> t->granule_log2;

			if (start < r->start || g >= r->granules)
				continue;
			for (uint64_t end = g + le32toh(d.length); g < end; g++)
				r->written[g / 8] &= (uint8_t)~(1u << g % 8);
		}
	}
}

int nvcf_track_receive(struct nvcf_ctrl *m, struct nvcf_cmd *cmd)
{
	uint64_t bytes = ((uint64_t)le32toh(cmd->sqe.cdw12) + 1) * 4;
	struct nvcf_ctrl *c = nvcf_target(m, cmd);
	struct nvs_track_report h = { 0 };
	uint32_t num;
	bool more;
	int st;

	if (!c || !c->tracker.num)
		return BAD_CNTLID;
	if (bytes < sizeof(h) || bytes > 4096u << m->profile.mdts)
		return BAD_FIELD;
	memset(m->buf, 0, bytes);
	num = report(&c->tracker, m->buf + sizeof(h),
		     (uint32_t)((bytes - sizeof(h)) / sizeof(struct nvs_track_written)), &more);
	h.attr = (more ? NVS_TRACK_MORE : 0) | (c->run == NVCF_SUSPENDED ? NVS_TRACK_SUSPENDED : 0);
	h.cntlid = htole16(c->cntlid);
	h.count = htole32(num);
	h.mrtg = htole16((uint16_t)(c->tracker.granule_log2 - UNIT_LOG2));
	memcpy(m->buf, &h, sizeof(h));
	st = nvcf_data(m, &cmd->sqe, true, (uint32_t)bytes);
	if (!st)
		forget(&c->tracker, m->buf + sizeof(h), num);
	return st;
}
