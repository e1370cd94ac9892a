/* SPDX-License-Identifier: GPL-2.0 */
/* Input of the fuzzer of nvme_cf: numbers, and the state of a controller with fields changed. */
#ifndef NVME_CF_INPUT_H
#define NVME_CF_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "model_fuzz.h"
#include "nvme_cf.h"
#include "tests/nvme_fields.h"

static inline uint64_t edge(struct input *in, const struct nvmf_field *f, uint64_t was)
{
	uint64_t how = take(in, 1);

	switch (how % 8) {
	case 0: return f->lo;
	case 1: return f->hi;
	case 2: return f->hi + 1;
	case 3: return was + 1;
	case 4: return was - 1;
	case 5: return was ^ 1ull << (how >> 3) % 64;
	case 6: return f->good[how >> 3 & 3] == NVMF_NONE ? 0 : f->good[how >> 3 & 3];
	}
	return take(in, f->bytes < 8 ? f->bytes : 8);
}

/* A field of what is there of the state gets another value. */
static inline void change_field(struct input *in, uint8_t *state, uint32_t bytes, bool standard,
				bool vendor)
{
	const struct nvmf_field *f = &nvmf_fields[take(in, 1) % NVMF_NUM];
	struct nvs_state_header *h = (struct nvs_state_header *)state;
	struct nvs_state *s = (struct nvs_state *)(h + 1);
	uint32_t sqs = standard ? s->niosq : 0, cqs = standard ? s->niocq : 0, size, at;
	uint32_t entry = (uint32_t)take(in, 1), len = f->bytes < 8 ? f->bytes : 8;
	uint64_t val = 0;

	if (f->part == NVMF_HEADER)
		at = f->off;
	else if (f->part == NVMF_VENDOR)
		at = vendor ? bytes - (uint32_t)sizeof(struct nvcf_state) + f->off : bytes;
	else
		at = standard ? nvmf_offset(f->part, sqs, cqs,
					    f->part == NVMF_SQ ? entry % (sqs + !sqs) :
					    f->part == NVMF_CQ ? entry % (cqs + !cqs) : 0, &size) +
				f->off : bytes;
	if (at + len > bytes)
		return;
	memcpy(&val, state + at, len);
	val = edge(in, f, val);
	memcpy(state + at, &val, len);
}

static inline void seal(uint8_t *state, uint32_t bytes)
{
	struct nvcf_state *s = (struct nvcf_state *)(state + bytes - sizeof(*s));
	const size_t from = offsetof(struct nvcf_state, profile);

	s->crc = (uint32_t)crc32(0, (uint8_t *)s + from, sizeof(*s) - from);
}

/* The state of the controller with some fields changed. */
static inline uint32_t take_state(struct input *in, const struct nvcf_ctrl *c, bool standard,
				  bool vendor, uint8_t *out)
{
	uint32_t bytes = nvcf_state_build(c, standard, vendor, out);
	uint64_t how = take(in, 1);

	for (uint64_t n = how % 4; n; n--)
		change_field(in, out, bytes, standard, vendor);
	if (vendor && how & 0xf0)
		seal(out, bytes);
	return bytes;
}

#endif /* NVME_CF_INPUT_H */
