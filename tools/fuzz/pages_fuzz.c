// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the reader of a device's memory (migration/pages.c).
 *
 * Input: how many ranges the reader has, and which; a LAYOUT; then PAGES records: fields that
 * are nearly right, or raw bytes.  Payloads lie in buffers of their exact size.  What is
 * accepted is compared with a memory that is kept here, page by page.
 */
#include "../../migration/dirty.c"
#include "../../migration/pages.c"

#include "require.h"

#define PAGES_MAX	2048U
#define RECORD_MAX	(VPV_PAGES_FRONT_BYTES + VPV_PAGES_DATA_BYTES)

struct input {
	const u8 *at;
	size_t left;
};

/* What the reader has, and what came. */
struct memory {
	struct vmig_range mine[VPV_LAYOUT_RANGES];
	u32 num_mine;
	struct vmig_range theirs[VPV_LAYOUT_RANGES];
	u64 index[VPV_LAYOUT_RANGES];
	unsigned long bits[PAGES_MAX / 64];
	struct vmig_pages_in in;
	u32 pass[PAGES_MAX];	/* the last one that had a page */
	u32 seen;
};

static u64 take(struct input *in, unsigned int bytes)
{
	u64 value = 0;

	while (bytes-- && in->left) {
		value = value << 8 | *in->at++;
		in->left--;
	}
	return value;
}

/* So many bytes of the input, the others zeros. */
static u8 *take_buf(struct input *in, size_t bytes)
{
	u8 *buf = calloc(bytes ?: 1, 1);
	size_t n = min(bytes, in->left);

	memcpy(buf, in->at, n);
	in->at += n;
	in->left -= n;
	return buf;
}

static u32 take_ranges(struct input *in, struct vmig_range *ranges)
{
	u32 num = take(in, 1) % 5;
	u64 at = 0;

	for (u32 i = 0; i < num; i++) {
		u8 odd = take(in, 1);

		ranges[i].first = at + take(in, 1) * VPV_PAGE_BYTES + (odd == 1);
		ranges[i].last = ranges[i].first + take(in, 2) % 600 * VPV_PAGE_BYTES - 1 +
				 (odd == 2 ? 1 : VPV_PAGE_BYTES);
		if (odd == 3)
			ranges[i].last = take(in, 8);
		at = odd == 4 ? take(in, 8) : ranges[i].last + 1;
	}
	return num;
}

static void require_layout(const struct vmig_range *ranges, u32 num)
{
	REQUIRE(num && num <= VPV_LAYOUT_RANGES);
	for (u32 i = 0; i < num; i++) {
		REQUIRE(!(ranges[i].first % VPV_PAGE_BYTES));
		REQUIRE(ranges[i].last % VPV_PAGE_BYTES == VPV_PAGE_BYTES - 1);
		REQUIRE(ranges[i].first < ranges[i].last);
		REQUIRE(!i || ranges[i - 1].last < ranges[i].first);
	}
}

/* The LAYOUT that comes: false: it is refused, or too large for this fuzzer. */
static bool layout(struct memory *m, struct input *in)
{
	struct vmig_range *ranges = m->theirs;
	struct vmig_diff diff = {};
	size_t bytes = take(in, 1);
	u8 *buf;
	int num;

	if (bytes < 64) {
		u32 n = take_ranges(in, ranges);

		buf = calloc(VMIG_LAYOUT_MAX_BYTES, 1);
		bytes = vmig_layout_put(ranges, n, buf);
		buf = realloc(buf, bytes);
	} else {
		buf = take_buf(in, bytes);
	}
	num = vmig_layout_get(buf, bytes, ranges, &diff);
	free(buf);
	REQUIRE((num > 0) == !diff.field);
	if (num < 0)
		return false;
	require_layout(ranges, num);
	if (vmig_layout_fits(m->mine, m->num_mine, ranges, num, &diff)) {
		REQUIRE(diff.field);
		return false;
	}
	for (int i = 0; i < num; i++) {
		bool inside = false;

		for (u32 k = 0; k < m->num_mine; k++)
			inside |= m->mine[k].first <= ranges[i].first &&
				  ranges[i].last <= m->mine[k].last;
		REQUIRE(inside);
	}
	m->in.seen = (struct vmig_dirty){
		.ranges = ranges, .num = num, .page_log2 = VPV_PAGE_LOG2, .index = m->index,
		.bits = m->bits,
	};
	vmig_dirty_init(&m->in.seen);
	return m->in.seen.pages <= PAGES_MAX;
}

static u8 *record(struct memory *m, struct input *in, size_t *bytes)
{
	u8 kind = take(in, 1);
	u32 runs = take(in, 1) % 4 + (kind == 9 ? 126 : 0);
	struct {
		struct vpv_stream_pages head;
		struct vpv_stream_run run[VPV_PAGES_MOST + 2];
	} front = {};
	u64 page = m->in.next;
	u8 *buf;

	if (kind < 4) {
		*bytes = take(in, 2) % 600;
		return take_buf(in, *bytes);
	}
	front.head.pass = cpu_to_le32(kind == 5 ? take(in, 4) : m->in.pass + (kind & 1));
	front.head.runs = cpu_to_le32(runs);
	if (kind & 1)
		page = 0;
	*bytes = sizeof(front.head) + runs * sizeof(front.run[0]);
	for (u32 i = 0; i < runs; i++) {
		u8 odd = take(in, 1);
		u32 pages = odd == 1 ? take(in, 4) : 1 + odd % 16;

		page += odd == 2 ? take(in, 8) : take(in, 1) % 8;
		front.run[i].page = cpu_to_le64(page);
		front.run[i].pages = cpu_to_le32(pages);
		front.run[i].kind = cpu_to_le32(odd == 3 ? take(in, 4) : odd & 1);
		page += pages;
		if (!front.run[i].kind)
			*bytes += pages * VPV_PAGE_BYTES;
	}
	*bytes = min(*bytes + (kind == 7), (size_t)RECORD_MAX + 1);
	buf = malloc(*bytes);
	memcpy(buf, &front, min(*bytes, sizeof(front.head) + runs * sizeof(front.run[0])));
	return buf;
}

/* Content is at its place, one page after the other. */
static u32 placed(struct memory *m, const u8 *buf, u32 page, const struct vmig_dirty_piece *where)
{
	for (u32 n = 0; n < where->pages; n++) {
		struct vmig_dirty_piece one;

		REQUIRE(vmig_pages_place(&m->in, buf, page + n, VPV_PAGES_MOST, &one));
		REQUIRE(one.index == where->index + n && one.pages == where->pages - n);
	}
	return where->pages;
}

/* A record that was accepted: each page once in a pass, later passes are newer. */
static void came(struct memory *m, const u8 *buf, size_t bytes, u32 runs)
{
	u32 content = 0, total = 0;

	for (u32 i = 0; i < runs; i++) {
		struct vmig_dirty_piece where;
		bool inside = false;
		u32 kind = vmig_pages_run(&m->in, buf, i, &where);

		REQUIRE(kind == VPV_RUN_DATA || kind == VPV_RUN_ZERO);
		REQUIRE(where.pages && where.index + where.pages <= m->in.seen.pages);
		for (u32 k = 0; k < m->num_mine; k++)
			inside |= m->mine[k].first <= where.first && where.last <= m->mine[k].last;
		REQUIRE(inside);
		REQUIRE(where.last - where.first + 1 == (u64)where.pages * VPV_PAGE_BYTES);
		for (u32 n = 0; n < where.pages; n++) {
			u32 *pass = &m->pass[where.index + n];

			m->seen += !*pass;
			REQUIRE(*pass < m->in.pass);
			*pass = m->in.pass;
		}
		total += where.pages;
		if (kind == VPV_RUN_DATA)
			content += placed(m, buf, content, &where);
	}
	REQUIRE(total <= VPV_PAGES_MOST);
	REQUIRE(bytes == sizeof(struct vpv_stream_pages) +
			 runs * sizeof(struct vpv_stream_run) + content * VPV_PAGE_BYTES);
	REQUIRE(vmig_pages_front(bytes) == bytes - content * VPV_PAGE_BYTES);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct input in = { data, bytes };
	struct vmig_diff diff = {};
	static struct memory m;

	memset(&m, 0, sizeof(m));
	REQUIRE(vmig_pages_finish(&m.in, &diff) == -EPROTO);
	m.num_mine = take_ranges(&in, m.mine);
	if (vmig_layout_check(m.mine, m.num_mine, &diff)) {
		REQUIRE(diff.field);
		return 0;
	}
	require_layout(m.mine, m.num_mine);
	if (!layout(&m, &in))
		return 0;
	while (in.left) {
		size_t n;
		u8 *buf = record(&m, &in, &n);
		int runs;

		diff = (struct vmig_diff){};
		runs = vmig_pages_check(&m.in, buf, n, &diff);
		REQUIRE(runs && (runs > 0) == !diff.field);
		if (runs > 0)
			came(&m, buf, n, runs);
		free(buf);
		if (runs < 0)
			return 0;
		REQUIRE(vmig_dirty_count(&m.in.seen) == m.seen);
		REQUIRE(vmig_pages_finish(&m.in, &diff) ==
			(m.seen == m.in.seen.pages ? 0 : -ENODATA));
	}
	return 0;
}
