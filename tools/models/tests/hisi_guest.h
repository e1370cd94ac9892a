/* SPDX-License-Identifier: GPL-2.0 */
/* A guest that drives hisi_like: memory, rings and vectors. */
#ifndef HISI_GUEST_H
#define HISI_GUEST_H

#include "../hisi_like.h"
#include "test.h"

#define BAR		2u
#define Q(n, reg)	(HSL_Q_BASE + (n) * HSL_Q_STRIDE + (reg))
#define CP(reg)		(HSL_BAR_BYTES / 2 + (reg))
#define MEM_IOVA	0x1000000ull
#define MEM_BYTES	0x400000u
#define SQ_OFF		0x0u		/* rings of queue n at n * 0x20000 */
#define CQ_OFF		0x10000u
#define SRC_OFF		0x100000u
#define DST_OFF		0x200000u

enum { SQ_BASE = 0, CQ_BASE = 8, SIZE = 0x10, QCTRL = 0x14, QSTATUS = 0x18, SQ_TAIL = 0x20,
       SQ_HEAD = 0x24, CQ_HEAD = 0x28, CQ_TAIL = 0x2c };
enum { PAUSE = 0x20, DRAIN = 0x24, ERR = 0x28, SEL = 0x30, LEN = 0x34, CMD = 0x38, STAT = 0x3c,
       WLEN = 0x40, CAPS = 0x44 };

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
void guest_put(struct guest *g, uint32_t n, struct hsl_sqe e);
void guest_bell(struct guest *g, uint32_t n);
bool guest_get(struct guest *g, uint32_t n, struct hsl_cqe *c);
struct hsl_cqe guest_run(struct guest *g, struct hsl_sqe e);
struct hsl_sqe guest_op(uint8_t opcode, uint32_t src_len, uint32_t dst_len);

#endif /* HISI_GUEST_H */
