// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: the data of commands: PRP entries and lists, SGLs.  All of them are hostile:
 * walks are bounded, and what a list says is checked where it is used.
 */
#include <errno.h>

#include "nvme_cf.h"

#define MAX_LISTS	1024u
#define MAX_DESCRIPTORS	4096u
#define SEGMENT_CHUNK	32u

int nvcf_dma_read(struct nvcf_ctrl *c, uint64_t iova, void *buf, size_t len)
{
	return vu_dma_read(c->dev, iova, buf, len);
}

int nvcf_dma_write(struct nvcf_ctrl *c, uint64_t iova, const void *buf, size_t len)
{
	int err = vu_dma_write(c->dev, iova, buf, len);

	/* Of a write that failed a part may have been done. */
	nvcf_track_write(c, iova, len);
	return err;
}

struct walk {
	struct nvcf_ctrl *c;
	bool to_host, chained;	/* @chained: a list has named the next */
	uint32_t len, done;
};

static int as_status(int err)
{
	return err && err != -ECANCELED ? NVS_SC_DATA_TRANSFER : err;
}

static int move(struct walk *w, uint64_t addr, uint32_t bytes)
{
	uint8_t *at = w->c->buf + w->done;
	int err = w->to_host ? nvcf_dma_write(w->c, addr, at, bytes) :
			       nvcf_dma_read(w->c, addr, at, bytes);

	w->done += bytes;
	return as_status(err);
}

static uint32_t left(const struct walk *w)
{
	return w->len - w->done;
}

/* ---- PRP ---- */

/* One page, or what is left of the data. */
static int move_page(struct walk *w, uint64_t entry)
{
	uint32_t page = w->c->page;

	if (entry & (page - 1))
		return NVS_SC_INVALID_PRP_OFFSET | NVS_SC_DNR;
	return move(w, entry, left(w) < page ? left(w) : page);
}

/* The entries of a list that lie in one page; *list becomes the address of the next part. */
static int move_list(struct walk *w, uint64_t *list)
{
	uint32_t page = w->c->page, pages = (left(w) + page - 1) / page;
	uint32_t room = (page - (uint32_t)(*list & (page - 1))) / 8, n = pages < room ? pages :
		room;
	uint64_t at = *list;
	int err;

	if (at & 7 || (w->chained && at & (page - 1)))
		return NVS_SC_INVALID_PRP_OFFSET | NVS_SC_DNR;
	err = as_status(nvcf_dma_read(w->c, at, w->c->list, 8ull * n));
	for (uint32_t i = 0; i < n && !err; i++) {
		if (i == room - 1 && pages > room) {
			*list = le64toh(w->c->list[i]);
			w->chained = true;
		} else {
			err = move_page(w, le64toh(w->c->list[i]));
		}
	}
	return err;
}

static int walk_prp(struct walk *w, const struct nvs_sqe *sqe)
{
	uint64_t prp1 = le64toh(sqe->prp1), list = le64toh(sqe->prp2);
	uint32_t page = w->c->page, first = page - (uint32_t)(prp1 & (page - 1));
	int err;

	if (prp1 & 3)
		return NVS_SC_INVALID_PRP_OFFSET | NVS_SC_DNR;
	err = move(w, prp1, left(w) < first ? left(w) : first);
	if (err || !left(w))
		return err;
	if (left(w) <= page)
		return move_page(w, list);
	for (unsigned int n = 0; left(w) && !err; n++)
		err = n < MAX_LISTS ? move_list(w, &list) : NVS_SC_INVALID_PRP_OFFSET | NVS_SC_DNR;
	return err;
}

/* ---- SGL ---- */

/* A bit bucket takes what the host does not want; where the host is the source it is nothing. */
static int move_block(struct walk *w, const struct nvs_sgl *d)
{
	uint32_t bytes = le32toh(d->length);

	if (d->id == NVS_SGL_BIT_BUCKET && !w->to_host)
		return 0;
	if (bytes > left(w))
		return NVS_SC_INVALID_SGL_DATA_LENGTH | NVS_SC_DNR;
	if (d->id == NVS_SGL_DATA)
		return bytes ? move(w, le64toh(d->addr), bytes) : 0;
	w->done += bytes;
	return 0;
}

static bool is_segment(const struct nvs_sgl *d)
{
	return d->id == NVS_SGL_SEGMENT || d->id == NVS_SGL_LAST_SEGMENT;
}

static bool is_block(const struct nvs_sgl *d)
{
	return d->id == NVS_SGL_DATA || d->id == NVS_SGL_BIT_BUCKET;
}

/* The segment that *d describes; *d becomes the next one, if there is one. */
static int walk_segment(struct walk *w, struct nvs_sgl *d, unsigned int *budget)
{
	uint32_t bytes = le32toh(d->length), num = bytes / sizeof(*d);
	struct nvs_sgl chunk[SEGMENT_CHUNK];
	uint64_t at = le64toh(d->addr);
	bool last = d->id == NVS_SGL_LAST_SEGMENT;

	if (!bytes || bytes % sizeof(*d))
		return NVS_SC_INVALID_SGL_SEGMENT | NVS_SC_DNR;
	if (num > *budget)
		return NVS_SC_INVALID_SGL_NUMBER | NVS_SC_DNR;
	*budget -= num;
	for (uint32_t i = 0; i < num; i++) {
		const struct nvs_sgl *one = &chunk[i % SEGMENT_CHUNK];
		uint32_t n = num - i < SEGMENT_CHUNK ? num - i : SEGMENT_CHUNK;
		int err = 0;

		if (!(i % SEGMENT_CHUNK))
			err = as_status(nvcf_dma_read(w->c, at + i * sizeof(*d), chunk,
						      n * sizeof(*d)));
		if (err)
			return err;
		if (!is_block(one) && !is_segment(one))
			return NVS_SC_INVALID_SGL_TYPE | NVS_SC_DNR;
		/* A segment but the last one ends with the descriptor of the next,
			and only there. */
		if (is_segment(one) != (!last && i == num - 1))
			return NVS_SC_INVALID_SGL_SEGMENT | NVS_SC_DNR;
		if (is_segment(one))
			*d = *one;
		else
			err = move_block(w, one);
		if (err)
			return err;
	}
	return 0;
}

static int walk_sgl(struct walk *w, const struct nvs_sqe *sqe)
{
	unsigned int budget = MAX_DESCRIPTORS;
	struct nvs_sgl d = sqe->sgl;
	int err = 0;

	if (is_block(&d)) {
		err = move_block(w, &d);
	} else if (is_segment(&d)) {
		bool last;

		do {
			last = d.id == NVS_SGL_LAST_SEGMENT;
			err = walk_segment(w, &d, &budget);
		} while (!err && !last);
	} else {
		err = NVS_SC_INVALID_SGL_TYPE | NVS_SC_DNR;
	}
	return !err && left(w) ? NVS_SC_INVALID_SGL_DATA_LENGTH | NVS_SC_DNR : err;
}

void nvcf_flip(struct nvcf_ctrl *c, uint32_t len)
{
	struct vu_fault_hit hit;

	if (len && vu_fault_take(c->dev, NVCF_FAULT_FLIP, &hit) && hit.fail)
		c->buf[hit.code % len] ^= 1;
}

int nvcf_data(struct nvcf_ctrl *c, const struct nvs_sqe *sqe, bool to_host, uint32_t len)
{
	struct walk w = { .c = c, .to_host = to_host, .len = len };

	if (!len)
		return 0;
	return NVS_PSDT(sqe->flags) ? walk_sgl(&w, sqe) : walk_prp(&w, sqe);
}
