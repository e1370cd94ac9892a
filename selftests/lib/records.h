/* SPDX-License-Identifier: GPL-2.0 */
/* Changes of a stream that was taken apart: see struct stream. */
#ifndef SELFTEST_RECORDS_H
#define SELFTEST_RECORDS_H

#include "migration.h"

/* Longer than a record of config space, or one that is changed, may be; zero before each change. */
#define SCRATCH_BYTES	(VPV_CONFIG_MAX_BYTES + 8192)
extern uint8_t scratch[SCRATCH_BYTES];

/* The order in every stream: MATCH, VIEW, those of the family, CONFIG, END. */
#define REC_MATCH	0
#define REC_VIEW	1
#define REC_FAMILY	2	/* the first one */
#define REC_CONFIG(s)	((s)->num - 2)
#define REC_END(s)	((s)->num - 1)

void rec_remove(struct stream *s, unsigned int i);
void rec_insert(struct stream *s, unsigned int i, uint32_t type, uint32_t flags,
		const void *payload, uint64_t bytes);
/* The same record once more, behind it. */
void rec_repeat(struct stream *s, unsigned int i);
void rec_swap(struct stream *s, unsigned int i, unsigned int k);
/* A copy of a payload that may be changed: scratch, which has room behind it. */
uint8_t *rec_copy(struct stream *s, unsigned int i);
/* Change 32 bits of a payload. */
void rec_put32(struct stream *s, unsigned int i, unsigned int pos, uint32_t val);

#endif /* SELFTEST_RECORDS_H */
