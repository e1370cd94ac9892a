/* SPDX-License-Identifier: GPL-2.0 */
/* A guest that drives hisi_like: memory, rings and vectors. */
#ifndef HISI_GUEST_H
#define HISI_GUEST_H

#include "../hisi_like.h"
#include "test.h"

#define Q(n, reg)	(HISIL_Q(n) + HISIL_##reg)
#define CP(reg)		(HISIL_BAR_BYTES / 2 + HISIL_CP_##reg)
#define MEM_IOVA	0x1000000ull
#define MEM_BYTES	0x400000u
#define SQ_OFF		0x0u		/* rings of queue n at n * 0x20000 */
#define CQ_OFF		0x10000u
#define SRC_OFF		0x100000u
#define DST_OFF		0x200000u

/* A device with its guest: memory, a ring per queue, eventfds of the first vectors. */
struct guest {
	struct rig *r;
	uint8_t *mem;
	int fd;
	int ev[4];
	uint32_t size, tail[4], head[4];
};

uint32_t guest_rd(struct guest *g, uint32_t off);
void guest_wr(struct guest *g, uint32_t off, uint32_t val);
void guest_wr64(struct guest *g, uint32_t off, uint64_t val);
void guest_open(struct guest *g, char **options, struct guest *share);
void guest_close(struct guest *g, bool memory);
void guest_queue(struct guest *g, uint32_t n, uint32_t size);
void guest_put(struct guest *g, uint32_t n, struct hisil_sqe e);
void guest_bell(struct guest *g, uint32_t n);
bool guest_get(struct guest *g, uint32_t n, struct hisil_cqe *c);
struct hisil_cqe guest_run(struct guest *g, struct hisil_sqe e);
struct hisil_sqe guest_op(uint8_t opcode, uint32_t src_len, uint32_t dst_len);

#endif /* HISI_GUEST_H */
