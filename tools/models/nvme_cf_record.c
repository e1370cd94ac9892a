// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: the record of what was completed, oldest first.  It is kept apart from what migrates:
 * a test joins those of two models with what the host has seen.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "nvme_cf.h"

#define FIRST_ROOM	64u

void nvcf_mark_data(struct nvcf_mark *m, const uint8_t *data, uint32_t bytes)
{
	memcpy(&m->stamp, data, sizeof(m->stamp));
	m->stamp = le64toh(m->stamp);
	m->crc = (uint32_t)crc32(0, data, bytes);
}

static bool grow(struct nvcf_record *r)
{
	uint64_t room = r->room ? r->room * 2 : FIRST_ROOM;
	struct nvcf_completion *ring = calloc(room, sizeof(*ring));

	if (!ring)
		return false;
	for (uint64_t n = r->from; n < r->to; n++)
		ring[n % room] = r->ring[n % r->room];
	free(r->ring);
	r->ring = ring;
	r->room = room;
	return true;
}

void nvcf_record_add(struct nvcf_record *r, const struct nvcf_completion *what)
{
	bool full = r->to - r->from == r->room && (r->room == NVCF_RECORD || !grow(r));

	if (full) {
		r->lost++;
		if (!r->room)
			return;
		r->from++;
	}
	r->ring[r->to++ % r->room] = *what;
}

void nvcf_record_print(struct nvcf_record *r, uint64_t most, bool take, FILE *out)
{
	uint64_t num = r->to - r->from < most ? r->to - r->from : most;

	if (r->lost)
		fprintf(out, "lost %" PRIu64 "\n", r->lost);
	for (uint64_t n = r->from; n < r->from + num; n++) {
		const struct nvcf_completion *one = &r->ring[n % r->room];

		fprintf(out, "%u 0x%04x 0x%02x 0x%03x %" PRIu64 " %" PRIu32 " 0x%08" PRIx32
			" 0x%016" PRIx64 "\n", one->qid, one->cid, one->opcode, one->status,
			one->mark.lba, one->mark.blocks, one->mark.crc, one->mark.stamp);
	}
	if (!take)
		return;
	r->from += num;
	r->lost = 0;
}

void nvcf_record_clear(struct nvcf_record *r)
{
	r->from = r->to;
	r->lost = 0;
}

void nvcf_record_free(struct nvcf_record *r)
{
	free(r->ring);
	memset(r, 0, sizeof(*r));
}
