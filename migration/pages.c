// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a device in a stream, as Documentation/stream.rst has it.  Pure: the caller
 * owns the memory, reads and writes that of the device, and moves records.
 */
#include "pages.h"

/* As Documentation/stream.rst draws them. */
static_assert(sizeof(struct vpv_stream_layout) == 8);
static_assert(sizeof(struct vpv_stream_range) == 16);
static_assert(sizeof(struct vpv_stream_pages) == 8);
static_assert(sizeof(struct vpv_stream_run) == 16);
static_assert(offsetof(struct vmig_runs, run) == sizeof(struct vpv_stream_pages));

int vmig_layout_check(const struct vmig_range *ranges, u32 num, struct vmig_diff *diff)
{
	u64 pages = 0;

	if (!num || num > VPV_LAYOUT_RANGES)
		return vmig_differs(diff, -EINVAL, "ranges of memory", VPV_LAYOUT_RANGES, num);
	for (u32 i = 0; i < num; i++) {
		const struct vmig_range *r = &ranges[i];

		if (!IS_ALIGNED(r->first, VPV_PAGE_BYTES))
			return vmig_differs(diff, -EINVAL, "begin of a range of memory",
					    ALIGN_DOWN(r->first, VPV_PAGE_BYTES), r->first);
		if (r->last < r->first || (r->last + 1) % VPV_PAGE_BYTES)
			return vmig_differs(diff, -EINVAL, "end of a range of memory",
					    r->last | (VPV_PAGE_BYTES - 1), r->last);
		if (i && r->first <= ranges[i - 1].last)
			return vmig_differs(diff, -EINVAL, "begin of the next range of memory",
					    ranges[i - 1].last + 1, r->first);
		pages += ((r->last - r->first) >> VPV_PAGE_LOG2) + 1;
		if (pages > VMIG_PAGES_TOTAL)
			return vmig_differs(diff, -EINVAL, "pages of memory", VMIG_PAGES_TOTAL,
					    pages);
	}
	return 0;
}

u32 vmig_layout_put(const struct vmig_range *ranges, u32 num, void *buf)
{
	const struct vpv_stream_layout head = {
		.page_bytes = cpu_to_le32(VPV_PAGE_BYTES),
		.ranges = cpu_to_le32(num),
	};
	u8 *at = buf;

	memcpy(at, &head, sizeof(head));
	at += sizeof(head);
	for (u32 i = 0; i < num; i++) {
		const struct vpv_stream_range range = {
			.first = cpu_to_le64(ranges[i].first),
			.last = cpu_to_le64(ranges[i].last),
		};

		memcpy(at, &range, sizeof(range));
		at += sizeof(range);
	}
	return at - (u8 *)buf;
}

int vmig_layout_get(const void *data, size_t bytes, struct vmig_range *ranges,
		    struct vmig_diff *diff)
{
	const struct vpv_stream_layout *head = data;
	const struct vpv_stream_range *range = data + sizeof(*head);
	u32 num;

	if (bytes < sizeof(*head))
		return vmig_differs(diff, -EINVAL, "size of LAYOUT", sizeof(*head), bytes);
	if (le32_to_cpu(head->page_bytes) != VPV_PAGE_BYTES)
		return vmig_differs(diff, -EINVAL, "size of a page", VPV_PAGE_BYTES,
				    le32_to_cpu(head->page_bytes));
	num = le32_to_cpu(head->ranges);
	if (num > VPV_LAYOUT_RANGES)
		return vmig_differs(diff, -EINVAL, "ranges of memory", VPV_LAYOUT_RANGES, num);
	if (bytes != sizeof(*head) + num * sizeof(*range))
		return vmig_differs(diff, -EINVAL, "size of LAYOUT",
				    sizeof(*head) + num * sizeof(*range), bytes);
	for (u32 i = 0; i < num; i++) {
		ranges[i].first = le64_to_cpu(range[i].first);
		ranges[i].last = le64_to_cpu(range[i].last);
	}
	return vmig_layout_check(ranges, num, diff) ?: (int)num;
}

int vmig_layout_fits(const struct vmig_range *mine, u32 num_mine,
		     const struct vmig_range *theirs, u32 num_theirs, struct vmig_diff *diff)
{
	u32 i = 0;

	for (u32 n = 0; n < num_theirs; n++) {
		while (i < num_mine && mine[i].last < theirs[n].first)
			i++;
		if (i == num_mine)
			return vmig_differs(diff, -EOPNOTSUPP, "end of the memory",
					    mine[num_mine - 1].last, theirs[n].last);
		if (theirs[n].first < mine[i].first)
			return vmig_differs(diff, -EOPNOTSUPP, "begin of memory",
					    mine[i].first, theirs[n].first);
		if (theirs[n].last > mine[i].last)
			return vmig_differs(diff, -EOPNOTSUPP, "end of memory", mine[i].last,
					    theirs[n].last);
	}
	return 0;
}

bool vmig_pages_take(struct vmig_dirty *set, u64 *at, struct vmig_pages_job *job)
{
	job->num = 0;
	job->pages = 0;
	while (job->pages < VMIG_JOB_PAGES) {
		struct vmig_dirty_piece *piece = &job->piece[job->num];

		if (!vmig_dirty_grab(set, *at, VMIG_JOB_PAGES - job->pages, piece)) {
			*at = set->pages;
			break;
		}
		job->num++;
		job->pages += piece->pages;
		*at = piece->index + piece->pages;
	}
	return job->num;
}

void vmig_pages_put_back(struct vmig_dirty *set, const struct vmig_pages_job *job)
{
	for (u32 i = 0; i < job->num; i++)
		vmig_dirty_set_pages(set, job->piece[i].index, job->piece[i].pages);
}

void vmig_runs_begin(struct vmig_runs *r, u32 pass)
{
	r->num = 0;
	r->head = (struct vpv_stream_pages){ .pass = cpu_to_le32(pass) };
}

void vmig_runs_add(struct vmig_runs *r, u64 page, bool joins, u32 kind)
{
	struct vpv_stream_run *last = r->num ? &r->run[r->num - 1] : NULL;
	u32 pages = last ? le32_to_cpu(last->pages) : 0;

	if (last && joins && le32_to_cpu(last->kind) == kind &&
	    le64_to_cpu(last->page) + pages == page) {
		last->pages = cpu_to_le32(pages + 1);
		return;
	}
	r->run[r->num++] = (struct vpv_stream_run){
		.page = cpu_to_le64(page),
		.pages = cpu_to_le32(1),
		.kind = cpu_to_le32(kind),
	};
	r->head.runs = cpu_to_le32(r->num);
}

u32 vmig_pages_copy(struct vmig_runs *r, u64 page, u32 pages, bool joins, const u8 *from,
		    u8 *to)
{
	u8 *at = to;

	for (u32 i = 0; i < pages; i++, from += VPV_PAGE_BYTES) {
		bool zero = !memchr_inv(from, 0, VPV_PAGE_BYTES);

		vmig_runs_add(r, page + i, joins || i, zero ? VPV_RUN_ZERO : VPV_RUN_DATA);
		if (zero)
			continue;
		if (at != from)
			memcpy(at, from, VPV_PAGE_BYTES);
		at += VPV_PAGE_BYTES;
	}
	return at - to;
}

/* Size of what is in front of the content: the runs. */
static int check_front(const struct vpv_stream_pages *head, size_t bytes, u32 *runs,
		       struct vmig_diff *diff)
{
	size_t want;

	bytes = vmig_pages_front(bytes);
	if (bytes < sizeof(*head))
		return vmig_differs(diff, -EINVAL, "size of PAGES", sizeof(*head), bytes);
	*runs = le32_to_cpu(head->runs);
	if (!*runs || *runs > VPV_PAGES_MOST)
		return vmig_differs(diff, -EINVAL, "runs of PAGES", VPV_PAGES_MOST, *runs);
	want = sizeof(*head) + *runs * sizeof(struct vpv_stream_run);
	if (bytes < want)
		return vmig_differs(diff, -EINVAL, "size of PAGES", want, bytes);
	return 0;
}

/* A run where it may be; then it has come. */
static int check_run(struct vmig_pages_in *in, const struct vpv_stream_run *run, u32 *left,
		     struct vmig_diff *diff)
{
	u64 page = le64_to_cpu(run->page);
	u32 pages = le32_to_cpu(run->pages), kind = le32_to_cpu(run->kind);
	struct vmig_dirty_piece piece;

	if (kind > VPV_RUN_ZERO)
		return vmig_differs(diff, -EINVAL, "kind of a run", VPV_RUN_ZERO, kind);
	if (!pages || pages > *left)
		return vmig_differs(diff, -EINVAL, "pages of a run", *left, pages);
	if (page < in->next)
		return vmig_differs(diff, -EPROTO, "next page of the pass", in->next, page);
	if (page >= in->seen.pages)
		return vmig_differs(diff, -EINVAL, "page of a run", in->seen.pages - 1, page);
	if (!vmig_dirty_piece(&in->seen, page, pages, &piece))
		return vmig_differs(diff, -EINVAL, "pages of a run in its range", piece.pages,
				    pages);
	vmig_dirty_set_pages(&in->seen, page, pages);
	in->next = page + pages;
	*left -= pages;
	return 0;
}

int vmig_pages_check(struct vmig_pages_in *in, const void *data, size_t bytes,
		     struct vmig_diff *diff)
{
	const struct vpv_stream_pages *head = data;
	const struct vpv_stream_run *run = data + sizeof(*head);
	u32 runs, pass, left = VPV_PAGES_MOST, content = 0;
	int err;

	if (!in->seen.num)
		return vmig_differs(diff, -EPROTO, "LAYOUT in front of PAGES", 1, 0);
	err = check_front(head, bytes, &runs, diff);
	if (err)
		return err;
	pass = le32_to_cpu(head->pass);
	if (!pass || pass < in->pass)
		return vmig_differs(diff, -EPROTO, "pass of PAGES", max(in->pass, 1U), pass);
	if (pass > in->pass)
		in->next = 0;
	in->pass = pass;
	for (u32 i = 0; i < runs; i++) {
		err = check_run(in, &run[i], &left, diff);
		if (err)
			return err;
		if (le32_to_cpu(run[i].kind) == VPV_RUN_DATA)
			content += le32_to_cpu(run[i].pages) * VPV_PAGE_BYTES;
	}
	bytes -= sizeof(*head) + runs * sizeof(*run);
	if (bytes != content)
		return vmig_differs(diff, -EINVAL, "bytes of content", content, bytes);
	return runs;
}

u32 vmig_pages_run(const struct vmig_pages_in *in, const void *data, u32 i,
		   struct vmig_dirty_piece *where)
{
	const struct vpv_stream_run *run = data + sizeof(struct vpv_stream_pages);

	vmig_dirty_piece(&in->seen, le64_to_cpu(run[i].page), le32_to_cpu(run[i].pages), where);
	return le32_to_cpu(run[i].kind);
}

bool vmig_pages_place(const struct vmig_pages_in *in, const void *data, u32 page, u32 most,
		      struct vmig_dirty_piece *where)
{
	const struct vpv_stream_pages *head = data;
	const struct vpv_stream_run *run = data + sizeof(*head);

	for (u32 i = 0; i < le32_to_cpu(head->runs); i++) {
		u32 pages = le32_to_cpu(run[i].pages);

		if (le32_to_cpu(run[i].kind) != VPV_RUN_DATA)
			continue;
		if (page < pages)
			return vmig_dirty_piece(&in->seen, le64_to_cpu(run[i].page) + page,
						min(pages - page, most), where);
		page -= pages;
	}
	return false;
}

int vmig_pages_finish(const struct vmig_pages_in *in, struct vmig_diff *diff)
{
	u64 seen;

	if (!in->seen.num)
		return vmig_differs(diff, -EPROTO, "LAYOUT records", 1, 0);
	seen = vmig_dirty_count(&in->seen);
	if (seen != in->seen.pages)
		return vmig_differs(diff, -ENODATA, "pages of memory", in->seen.pages, seen);
	return 0;
}
