// SPDX-License-Identifier: GPL-2.0
/*
 * Streams for the tests, made with the writer of the kernel (migration/stream.c):
 * MATCH, three records of a family (one optional, one empty), END.
 *
 *   gen-stream [RECORDS-IN-THIS-ORDER [DIGEST]]     default "0123E"
 *
 * Digits are records, E is END; they are emitted as the writer would in that order, but
 * with a '/' before a record those behind it keep the heads of the default order.
 * Others are records of config space: V a VIEW, v one of another device, w one in disorder,
 * C a CONFIG of version 0 of the persona hisi_like-v1, c one that lacks a part, x one of 128
 * bytes; D one of version 1, d one with bits that the persona fixes, y one of a version to come.
 * L is a LAYOUT of four pages, P has three of them, Q the last one, q one that is not there.
 * With a digest in hexadecimal digits the stream is one of that persona.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../config_virt/vcfg.h"
#include "../../../migration/pages.h"
#include "../../../migration/stream.h"

#define RECORDS 5

struct made {
	struct vpv_stream_record head;
	u8 payload[VPV_PAGE_BYTES + 300];
	size_t bytes;
};

static const struct {
	char which;
	u32 type;
	unsigned int config_bytes;
	unsigned int version;
	struct {
		unsigned int pos;
		u32 val;
		u32 mask;
	} words[3];
} configs[] = {
	{ 'V', VPV_RECORD_VIEW, 4096, 0, { { 0, 0x76101234, ~0U }, { 8, 0x12000001, ~0U } } },
	{ 'v', VPV_RECORD_VIEW, 4096, 0, { { 0, 0x76101234, ~0U }, { 8, 0x12000002, ~0U } } },
	{ 'w', VPV_RECORD_VIEW, 4096, 0, { { 8, 0x12000001, ~0U }, { 0, 0x76101234, ~0U } } },
	{ 'C', VPV_RECORD_CONFIG, 4096, 0, { { 0xc, 0x4010, 0xffff }, { 0x3c, 5, 0xff } } },
	{ 'c', VPV_RECORD_CONFIG, 4096, 0, { { 0xc, 0x10, 0xff }, { 0x3c, 5, 0xff } } },
	{ 'x', VPV_RECORD_CONFIG, 128, 0, { { 0xc, 0x4010, 0xffff }, { 0x3c, 5, 0xff } } },
	{ 'D', VPV_RECORD_CONFIG, 4096, 1,
	  { { 0xc, 0x4010, 0xffff }, { 0x3c, 5, 0xff }, { 0x48, 0x5000, 0x7fff } } },
	{ 'd', VPV_RECORD_CONFIG, 4096, 1,
	  { { 0xc, 0x4010, 0xffff }, { 0x3c, 5, 0xff }, { 0x44, 0x5000, 0x7fff } } },
	{ 'y', VPV_RECORD_CONFIG, 4096, 9, { { 0xc, 0x4010, 0xffff }, { 0x3c, 5, 0xff } } },
};

static bool make_config(struct vmig_writer *w, char which, struct made *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		struct vcfg_words words;

		if (configs[i].which != which)
			continue;
		vcfg_words_begin(&words, configs[i].version, m->payload, sizeof(m->payload));
		for (int k = 0; k < 3 && configs[i].words[k].mask; k++)
			vcfg_words_put(&words, configs[i].words[k].pos, configs[i].words[k].val,
				       configs[i].words[k].mask);
		m->bytes = vcfg_words_end(&words, configs[i].config_bytes);
		vmig_emit_head(w, configs[i].type, 0, m->payload, m->bytes, &m->head);
		return true;
	}
	return false;
}

/* Zeros in front of a page with content. */
static bool make_memory(struct vmig_writer *w, char which, struct made *m)
{
	static const struct vmig_range range = { 0x100000, 0x103fff };
	struct vmig_runs runs;
	u32 type = VPV_RECORD_PAGES;

	vmig_runs_begin(&runs, 1);
	if (which == 'P') {
		vmig_runs_add(&runs, 0, false, VPV_RUN_ZERO);
		vmig_runs_add(&runs, 1, true, VPV_RUN_ZERO);
		vmig_runs_add(&runs, 2, true, VPV_RUN_DATA);
	} else if (which == 'Q' || which == 'q') {
		vmig_runs_add(&runs, which == 'Q' ? 3 : 4, false, VPV_RUN_ZERO);
	} else if (which != 'L') {
		return false;
	}
	m->bytes = vmig_runs_bytes(&runs);
	memcpy(m->payload, &runs.head, m->bytes);
	if (which == 'P') {
		memset(m->payload + m->bytes, which, VPV_PAGE_BYTES);
		m->bytes += VPV_PAGE_BYTES;
	} else if (which == 'L') {
		type = VPV_RECORD_LAYOUT;
		m->bytes = vmig_layout_put(&range, 1, m->payload);
	}
	vmig_emit_head(w, type, 0, m->payload, m->bytes, &m->head);
	return true;
}

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
	if (make_config(w, which, m) || make_memory(w, which, m))
		return;
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
	struct vmig_identity id = {
		.family = "hisi_like", .state_version = 3, .state_oldest = 2,
	};
	const char *order = argc > 1 ? argv[1] : usual;
	struct vpv_stream_header header;
	struct made made[RECORDS], one;
	struct vmig_writer w;
	bool kept = false;

	if (argc > 2) {
		strcpy(id.persona, "hisi_like-v1");
		id.persona_version = 1;
		for (int i = 0; i < VPV_STREAM_DIGEST_BYTES; i++)
			sscanf(argv[2] + 2 * i, "%2hhx", &id.persona_digest[i]);
	}
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
		if (!at && !strchr("VvwCcxDdyLPQq", *order))
			return 2;
		make(&w, *order, &one);
		if (kept)
			one = made[at - usual];
		put(&one.head, sizeof(one.head));
		put(one.payload, one.bytes);
	}
	return 0;
}
