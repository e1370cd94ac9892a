// SPDX-License-Identifier: GPL-2.0
/* Changes of a stream that was taken apart: see records.h. */
#include <string.h>

#include "records.h"

uint8_t scratch[SCRATCH_BYTES];

void rec_remove(struct stream *s, unsigned int i)
{
	s->num--;
	memmove(&s->rec[i], &s->rec[i + 1], (s->num - i) * sizeof(s->rec[0]));
	memmove(&s->payload[i], &s->payload[i + 1], (s->num - i) * sizeof(s->payload[0]));
}

void rec_insert(struct stream *s, unsigned int i, uint32_t type, uint32_t flags,
		const void *payload, uint64_t bytes)
{
	memmove(&s->rec[i + 1], &s->rec[i], (s->num - i) * sizeof(s->rec[0]));
	memmove(&s->payload[i + 1], &s->payload[i], (s->num - i) * sizeof(s->payload[0]));
	s->num++;
	s->rec[i] = (struct vpv_stream_record){ .type = type, .flags = flags, .bytes = bytes };
	s->payload[i] = payload;
}

void rec_repeat(struct stream *s, unsigned int i)
{
	rec_insert(s, i + 1, s->rec[i].type, s->rec[i].flags, s->payload[i], s->rec[i].bytes);
}

void rec_swap(struct stream *s, unsigned int i, unsigned int k)
{
	struct vpv_stream_record r = s->rec[i];
	const void *p = s->payload[i];

	s->rec[i] = s->rec[k];
	s->payload[i] = s->payload[k];
	s->rec[k] = r;
	s->payload[k] = p;
}

uint8_t *rec_copy(struct stream *s, unsigned int i)
{
	memset(scratch, 0, sizeof(scratch));
	memcpy(scratch, s->payload[i], s->rec[i].bytes);
	s->payload[i] = scratch;
	return scratch;
}

void rec_put32(struct stream *s, unsigned int i, unsigned int pos, uint32_t val)
{
	memcpy(rec_copy(s, i) + pos, &val, sizeof(val));
}
