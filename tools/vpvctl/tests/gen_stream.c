// SPDX-License-Identifier: GPL-2.0
/*
 * Streams for the tests, made with the writer of the kernel (migration/stream.c):
 * MATCH, three records of a family (one optional, one empty), END.
 *
 *   gen-stream [RECORDS-IN-THIS-ORDER]     default "0123E"
 *
 * Digits are records, E is END; they are emitted as the writer would in that order, but
 * with a '/' before a record those behind it keep the heads of the default order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../migration/stream.h"

#define RECORDS 5

struct made {
	struct vpv_stream_record head;
	u8 payload[300];
	size_t bytes;
};

static void make(struct vmig_writer *w, char which, struct made *m)
{
	static const struct {
		u32 type;
		u32 flags;
		size_t bytes;
	} kinds[] = {
		{ VPV_RECORD_MATCH, 0, 32 },
		{ VPV_RECORD_FAMILY, 0, 64 },
		{ VPV_RECORD_FAMILY + 1, VPV_RECORD_OPTIONAL, 300 },
		{ VPV_RECORD_FAMILY + 2, 0, 0 },
	};
	struct vpv_stream_end end;

	memset(m, 0, sizeof(*m));
	if (which == 'E') {
		vmig_emit_end(w, &end);
		m->bytes = sizeof(end);
		memcpy(m->payload, &end, sizeof(end));
		vmig_emit_head(w, VPV_RECORD_END, 0, m->payload, m->bytes, &m->head);
		return;
	}
	m->bytes = kinds[which - '0'].bytes;
	memset(m->payload, which, m->bytes);
	vmig_emit_head(w, kinds[which - '0'].type, kinds[which - '0'].flags, m->payload,
		       m->bytes, &m->head);
}

static void put(const void *data, size_t bytes)
{
	if (bytes && fwrite(data, bytes, 1, stdout) != 1)
		exit(1);
}

int main(int argc, char **argv)
{
	static const char usual[] = "0123E";
	const struct vmig_identity id = {
		.family = "hisi_like", .state_version = 3, .state_oldest = 2,
	};
	const char *order = argc > 1 ? argv[1] : usual;
	struct vpv_stream_header header;
	struct made made[RECORDS], one;
	struct vmig_writer w;
	bool kept = false;

	vmig_emit_header(&w, &id, &header);
	put(&header, sizeof(header));
	for (int i = 0; i < RECORDS; i++)
		make(&w, usual[i], &made[i]);

	vmig_emit_header(&w, &id, &header);
	for (; *order; order++) {
		const char *at = strchr(usual, *order);

		if (*order == '/') {
			kept = true;
			continue;
		}
		if (!at)
			return 2;
		make(&w, *order, &one);
		if (kept)
			one = made[at - usual];
		put(&one.head, sizeof(one.head));
		put(one.payload, one.bytes);
	}
	return 0;
}
