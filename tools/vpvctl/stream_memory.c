// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a device in a stream.  Both records are checked by the kernel's own code
 * (migration/pages.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream_memory.h"
#include "vpvctl.h"

/* Of the bitmap: that of a TiB is 32 MiB. */
#define PAGES_MAX	(1ULL << 28)

bool stream_memory_is(u32 type)
{
	return type == VPV_RECORD_LAYOUT || type == VPV_RECORD_PAGES;
}

static int take_layout(struct stream_memory *m, const void *data, size_t bytes,
		       struct vmig_diff *diff)
{
	struct vmig_dirty *seen = &m->in.seen;
	int num;

	if (seen->num)
		return vmig_differs(diff, -EPROTO, "LAYOUT records", 1, 2);
	num = vmig_layout_get(data, bytes, m->ranges, diff);
	if (num < 0)
		return num;
	*seen = (struct vmig_dirty){
		.ranges = m->ranges, .num = num, .page_log2 = VPV_PAGE_LOG2,
		.index = xalloc(num * sizeof(*seen->index)),
	};
	vmig_dirty_init(seen);
	if (seen->pages > PAGES_MAX)
		return vmig_differs(diff, -EOPNOTSUPP, "pages of memory", PAGES_MAX, seen->pages);
	seen->bits = xalloc(vmig_dirty_longs(seen->pages) * sizeof(long));
	memset(seen->bits, 0, vmig_dirty_longs(seen->pages) * sizeof(long));
	return 0;
}

static int explain(int err, const struct vmig_diff *diff, char *text, size_t size)
{
	if (err < 0)
		snprintf(text, size, "%s: expected %#llx, found %#llx", diff->field,
			 (unsigned long long)diff->want, (unsigned long long)diff->got);
	return min(err, 0);
}

int stream_memory_check(struct stream_memory *m, u32 type, const void *data, size_t bytes,
			char *text, size_t size)
{
	struct vmig_diff diff;
	int err;

	if (type == VPV_RECORD_LAYOUT)
		err = take_layout(m, data, bytes, &diff);
	else
		err = vmig_pages_check(&m->in, data, bytes, &diff);
	return explain(err, &diff, text, size);
}

int stream_memory_end(struct stream_memory *m, char *text, size_t size)
{
	struct vmig_diff diff;
	int err = 0;

	/* Only a reader that has memory misses it. */
	if (m->in.seen.bits)
		err = vmig_pages_finish(&m->in, &diff);
	free(m->in.seen.bits);
	free(m->in.seen.index);
	return explain(err, &diff, text, size);
}

static u32 runs_of(const void *data)
{
	return le32_to_cpu(((const struct vpv_stream_pages *)data)->runs);
}

static u32 pass_of(const void *data)
{
	return le32_to_cpu(((const struct vpv_stream_pages *)data)->pass);
}

void stream_memory_print(const struct stream_memory *m, u32 type, const void *data)
{
	struct vmig_dirty_piece where;

	if (type == VPV_RECORD_LAYOUT) {
		for (u32 i = 0; i < m->in.seen.num; i++)
			printf("%20s %#llx-%#llx\n", "", (unsigned long long)m->ranges[i].first,
			       (unsigned long long)m->ranges[i].last);
		return;
	}
	printf("%20s pass %u\n", "", pass_of(data));
	for (u32 i = 0; i < runs_of(data); i++) {
		u32 kind = vmig_pages_run(&m->in, data, i, &where);

		printf("%20s %#llx-%#llx%s\n", "", (unsigned long long)where.first,
		       (unsigned long long)where.last, kind == VPV_RUN_ZERO ? ": zeros" : "");
	}
}

static struct json_object *range_json(u64 first, u64 last)
{
	struct json_object *obj = json_object_new_object();

	put_hex(obj, "first", 1, first);
	put_hex(obj, "last", 1, last);
	return obj;
}

void stream_memory_json(const struct stream_memory *m, u32 type, const void *data,
			struct json_object *obj)
{
	struct json_object *list = json_object_new_array();
	struct vmig_dirty_piece where;

	if (type == VPV_RECORD_LAYOUT) {
		for (u32 i = 0; i < m->in.seen.num; i++)
			json_object_array_add(list, range_json(m->ranges[i].first,
							       m->ranges[i].last));
		json_object_object_add(obj, "ranges", list);
		return;
	}
	put_number(obj, "pass", pass_of(data));
	for (u32 i = 0; i < runs_of(data); i++) {
		u32 kind = vmig_pages_run(&m->in, data, i, &where);
		struct json_object *run = range_json(where.first, where.last);

		put_flag(run, "zeros", kind == VPV_RUN_ZERO);
		json_object_array_add(list, run);
	}
	json_object_object_add(obj, "runs", list);
}
