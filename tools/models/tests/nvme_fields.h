/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every field of the state of a controller that Set State takes, and what is legal in it.  The
 * unit test tries each at its edges, and that no byte is left out; the fuzzer changes them.
 */
#ifndef NVME_FIELDS_H
#define NVME_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include <hw/nvme_cf.h>
#include <hw/nvme_cf_spec.h>

/* Parts of the state: one entry of each kind of queue stands for all. */
enum nvmf_part { NVMF_HEADER, NVMF_STANDARD, NVMF_SQ, NVMF_CQ, NVMF_VENDOR, NVMF_PARTS };

/*
 * @NVMF_CONST: only what is there
 * @NVMF_ZERO: any number of bytes, all zero
 * @NVMF_RANGE: @lo to @hi
 * @NVMF_BITS: only bits of @hi
 * @NVMF_FREE: anything
 */
enum nvmf_kind { NVMF_CONST, NVMF_ZERO, NVMF_RANGE, NVMF_BITS, NVMF_FREE };

#define NVMF_VALUES	4

/* @bad, @good: more values that are (not) legal; 0 ends the list, and NVMF_NONE is a zero. */
struct nvmf_field {
	const char *name;
	enum nvmf_part part;
	uint16_t off, bytes;
	enum nvmf_kind kind;
	uint64_t lo, hi;
	uint64_t bad[NVMF_VALUES], good[NVMF_VALUES];
};

#define NVMF_NONE	0x7a65726f00000000ull

/* The state has two queues of each kind with 8 entries; the second ones are those of the table. */
#define NVMF_QUEUES	2u
#define NVMF_ENTRIES	8u

#define NVMF(_part, _struct, _field, _kind, ...) { \
	.name = #_struct "." #_field, .part = NVMF_##_part, .kind = NVMF_##_kind, \
	.off = offsetof(struct _struct, _field), .bytes = sizeof(((struct _struct *)0)->_field), \
	__VA_ARGS__ }
#define NVMF_H(...)	NVMF(HEADER, nvs_state_header, __VA_ARGS__)
#define NVMF_S(...)	NVMF(STANDARD, nvs_state, __VA_ARGS__)
#define NVMF_SUB(...)	NVMF(SQ, nvs_state_sq, __VA_ARGS__)
#define NVMF_COM(...)	NVMF(CQ, nvs_state_cq, __VA_ARGS__)
#define NVMF_V(...)	NVMF(VENDOR, nvcf_state, __VA_ARGS__)
/* A feature of the list, as they come. */
#define NVMF_FEATURE(n, _kind, ...) \
	NVMF_V(features[n].fid, CONST), NVMF_V(features[n].reserved, ZERO), \
	NVMF_V(features[n].value, _kind, __VA_ARGS__)
#define NVMF_NO_FEATURE(n)	NVMF(VENDOR, nvcf_state, features[n], ZERO)

static const struct nvmf_field nvmf_fields[] = {
	NVMF_H(ver, CONST), NVMF_H(csattr, BITS, .hi = NVS_CSUP), NVMF_H(reserved3, ZERO),
	NVMF_H(nvmecss[0], CONST), NVMF_H(nvmecss[1], ZERO),
	NVMF_H(vss[0], CONST), NVMF_H(vss[1], ZERO),

	NVMF_S(ver, CONST), NVMF_S(niosq, CONST), NVMF_S(niocq, CONST), NVMF_S(reserved6, ZERO),

	NVMF_SUB(prp1, BITS, .hi = ~0xfffull, .good = { ~0xfffull }),
	NVMF_SUB(qsize, RANGE, .lo = 1, .hi = NVCF_MAX_ENTRIES - 1),
	/* The first one has 1. */
	NVMF_SUB(qid, RANGE, .lo = 2, .hi = NVCF_MAX_IOQ),
	NVMF_SUB(cqid, RANGE, .lo = 1, .hi = 2),
	NVMF_SUB(attr, BITS, .hi = 7, .bad = { NVMF_NONE, 6 }, .good = { 7 }),
	NVMF_SUB(head, RANGE, .lo = 0, .hi = NVMF_ENTRIES - 1),
	NVMF_SUB(tail, RANGE, .lo = 0, .hi = NVMF_ENTRIES - 1),
	NVMF_SUB(reserved20, ZERO),

	NVMF_COM(prp1, BITS, .hi = ~0xfffull, .good = { ~0xfffull }),
	NVMF_COM(qsize, RANGE, .lo = 1, .hi = NVCF_MAX_ENTRIES - 1),
	/* A submission queue names it. */
	NVMF_COM(qid, CONST),
	NVMF_COM(head, RANGE, .lo = 0, .hi = NVMF_ENTRIES - 1),
	NVMF_COM(tail, RANGE, .lo = 0, .hi = NVMF_ENTRIES - 1),
	NVMF_COM(attr, BITS, .hi = 0xffff0007,
		 .bad = { NVMF_NONE, NVS_STATE_CQ_IEN, 65u << 16 | NVS_STATE_CQ_PC, 0xffff0001 },
		 .good = { NVS_STATE_CQ_PC, 64u << 16 | 7 }),
	NVMF_COM(reserved20, ZERO),

	NVMF_V(magic, CONST), NVMF_V(version, CONST), NVMF_V(bytes, CONST), NVMF_V(crc, CONST),
	NVMF_V(profile, CONST),
	/* Not enabled; command sets 001b, 110b and 111b; 128 KiB pages; arbitration. */
	NVMF_V(cc, BITS, .hi = 0xfffff1, .bad = { 0x460000, 0x460011, 0x460281, 0x460801 },
	       .good = { 0x460061, 0x000001, 0x46c001 }),
	/* Not ready, or a state of the shutdown that does not exist. */
	NVMF_V(csts, BITS, .hi = 0x1f, .bad = { NVMF_NONE, 0x0d, 0x0c },
	       .good = { 0x03, 0x09, 0x11 }),
	/* Each size at its lowest, and at its highest. */
	NVMF_V(aqa, BITS, .hi = 0x0fff0fff, .bad = { 0x0000001f, 0x001f0000, NVMF_NONE },
	       .good = { 0x0fff0fff }),
	NVMF_V(intms, FREE),
	NVMF_V(asq, BITS, .hi = ~0xfffull, .good = { ~0xfffull }),
	NVMF_V(acq, BITS, .hi = ~0xfffull, .good = { ~0xfffull }),
	NVMF_V(sq_head, RANGE, .lo = 0, .hi = 31), NVMF_V(sq_tail, RANGE, .lo = 0, .hi = 31),
	NVMF_V(cq_head, RANGE, .lo = 0, .hi = 31), NVMF_V(cq_tail, RANGE, .lo = 0, .hi = 31),
	NVMF_V(flags, BITS, .hi = NVCF_STATE_PHASE | NVCF_STATE_TIMESTAMP,
	       .good = { NVMF_NONE, 3 }),
	/* Two ids are there; a third one may be 0, two of them may not. */
	NVMF_V(outstanding, RANGE, .lo = 2, .hi = 3),
	NVMF_V(masked, BITS, .hi = 7, .good = { 7 }),
	NVMF_V(reserved, ZERO),
	NVMF_V(aer[0], FREE), NVMF_V(aer[1], FREE), NVMF_V(aer[2], ZERO), NVMF_V(aer[3], ZERO),
	NVMF_V(pending[0], BITS, .hi = 3, .good = { 3 }),
	NVMF_V(pending[1], BITS, .hi = 2, .good = { 2 }),
	NVMF_V(pending[2], BITS, .hi = 1, .good = { 1 }),
	NVMF_V(changed_ns, BITS, .hi = 0xf, .good = { 0xf }),
	NVMF_V(threshold[0], FREE), NVMF_V(threshold[1], FREE),
	NVMF_FEATURE(0, BITS, .hi = 0xffffff07, .good = { 0xffffff07 }),
	NVMF_FEATURE(1, RANGE, .lo = 0, .hi = 1),			/* power states */
	NVMF_FEATURE(2, BITS, .hi = 0xffff, .good = { 0xffff }),
	NVMF_FEATURE(3, RANGE, .lo = 0, .hi = 1),			/* write cache */
	NVMF_FEATURE(4, CONST, .bad = { 0x400040, 0x3f0000, 0x3f },	/* queues, 0's based */
		     .good = { 0x10001 }),
	NVMF_FEATURE(5, BITS, .hi = 0xffff, .good = { 0xffff }),
	NVMF_FEATURE(6, RANGE, .lo = 0, .hi = 1),			/* atomicity */
	NVMF_FEATURE(7, BITS, .hi = 0x1ff, .good = { 0x1ff }),
	NVMF_NO_FEATURE(8), NVMF_NO_FEATURE(9), NVMF_NO_FEATURE(10), NVMF_NO_FEATURE(11),
	NVMF_NO_FEATURE(12), NVMF_NO_FEATURE(13), NVMF_NO_FEATURE(14), NVMF_NO_FEATURE(15),
	NVMF_V(no_coalescing[0], FREE), NVMF_V(no_coalescing[1], FREE),
	NVMF_V(no_coalescing[2], FREE), NVMF_V(no_coalescing[3], FREE),
	NVMF_V(no_coalescing[4], FREE), NVMF_V(no_coalescing[5], FREE),
	NVMF_V(no_coalescing[6], FREE), NVMF_V(no_coalescing[7], FREE),
	/* 65 vectors */
	NVMF_V(no_coalescing[8], BITS, .hi = 1, .good = { 1 }),
	NVMF_V(no_coalescing[9], ZERO), NVMF_V(no_coalescing[10], ZERO),
	NVMF_V(no_coalescing[11], ZERO), NVMF_V(no_coalescing[12], ZERO),
	NVMF_V(no_coalescing[13], ZERO), NVMF_V(no_coalescing[14], ZERO),
	NVMF_V(no_coalescing[15], ZERO),
	NVMF_V(timestamp, BITS, .hi = 0xffffffffffffull, .good = { 0xffffffffffffull }),
	NVMF_V(host_id, FREE), NVMF_V(reserved2, ZERO),
};

#define NVMF_NUM	(sizeof(nvmf_fields) / sizeof(nvmf_fields[0]))

/* Where entry @n of a part begins in a state with so many queues; bytes of an entry at *bytes. */
static inline uint32_t nvmf_offset(enum nvmf_part part, uint32_t sqs, uint32_t cqs, uint32_t n,
				   uint32_t *bytes)
{
	static const uint32_t sizes[NVMF_PARTS] = {
		sizeof(struct nvs_state_header), sizeof(struct nvs_state),
		sizeof(struct nvs_state_sq), sizeof(struct nvs_state_cq),
		sizeof(struct nvcf_state),
	};
	const uint32_t counts[NVMF_PARTS] = { 1, 1, sqs, cqs, 1 };
	uint32_t off = 0;

	for (unsigned int i = 0; i < part; i++)
		off += sizes[i] * counts[i];
	*bytes = sizes[part];
	return off + n * sizes[part];
}

#endif /* NVME_FIELDS_H */
