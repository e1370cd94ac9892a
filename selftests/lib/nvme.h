/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small NVMe host in user space, for a function of the model nvme_cf (or any other
 * controller): registers by region access, queues and data in memory that the function
 * reaches.  Functions return 0 (or what they name) or a negative errno.
 */
#ifndef SELFTEST_NVME_H
#define SELFTEST_NVME_H

#include <endian.h>
#include <hw/nvme_cf.h>
#include <hw/nvme_cf_spec.h>

#include "device.h"

#define NVME_QUEUES	17	/* the admin queue, and I/O queues from 1 */
#define NVME_ENTRIES	1024
#define NVME_ADMIN_ENTRIES	32
#define NVME_WAIT_MS	20000

/* The memory: rings, a page for data of admin commands, lists of PRPs and SGLs, data. */
#define NVME_PAGE	4096u
#define NVME_ADMIN_DATA	0x4000u
#define NVME_RINGS	0x10000u
#define NVME_LISTS	0x200000u
#define NVME_NUM_LISTS	256u
#define NVME_DATA	0x300000u
#define NVME_MEM_BYTES	0x800000u
#define NVME_DATA_BYTES	(NVME_MEM_BYTES - NVME_DATA)

/**
 * struct nvme_queue - A pair of queues
 * @entries: Of each; 0: there is none.
 * @sq_tail: Next free entry.
 * @cq_head: Next entry to be looked at.
 * @phase: Phase tag that it has when it is new.
 * @cid: Of the next command; ids come again after 65,536 commands only.
 */
struct nvme_queue {
	uint32_t entries;
	uint32_t sq_tail;
	uint32_t cq_head;
	bool phase;
	uint16_t cid;
};

struct nvme_log;

/**
 * struct nvme - A host's driver
 * @v: The controller's function.
 * @mem: NVME_MEM_BYTES of memory.
 * @iova: Where the function has them.
 * @q: Queues; 0 is the admin queue.
 * @log: All commands and completions are noted here, or NULL.
 */
struct nvme {
	struct vdev *v;
	uint8_t *mem;
	uint64_t iova;
	struct nvme_queue q[NVME_QUEUES];
	struct nvme_log *log;
};

#define NVME_IOVA	0x10000000ULL

/* Have memory; nvme_share() maps it for a function. */
int nvme_alloc(struct nvme *n);
void nvme_free(struct nvme *n);
int nvme_share(struct nvme *n, struct vdev *v);
/* Use this function from here on, as it is: what a VMM and a guest do after a migration. */
int nvme_on(struct nvme *n, struct vdev *v);

/* All ones if the register cannot be read. */
uint32_t nvme_read(struct nvme *n, unsigned int reg);
uint64_t nvme_read64(struct nvme *n, unsigned int reg);
int nvme_write(struct nvme *n, unsigned int reg, uint32_t val);

/* Reset the controller, have an admin queue; no I/O queues. */
int nvme_enable(struct nvme *n);
int nvme_disable(struct nvme *n);

/* @vector: of the interrupt, or -1. */
int nvme_queue_create(struct nvme *n, unsigned int q, uint32_t entries, int vector);
int nvme_queue_delete(struct nvme *n, unsigned int q);

/* Into the ring, with an id of its own, which is returned; the doorbell is another matter. */
uint16_t nvme_put(struct nvme *n, unsigned int q, const struct nvs_sqe *e);
int nvme_ring(struct nvme *n, unsigned int q);
/* The next completion, in time; the function is told that it was taken. */
int nvme_next(struct nvme *n, unsigned int q, struct nvs_cqe *c, int ms);
/* Take completions, all successful. */
int nvme_batch_take(struct nvme *n, unsigned int q, unsigned int num);

static inline uint16_t nvme_status(const struct nvs_cqe *c)
{
	return le16toh(c->status) >> 1 & NVS_SC_MASK;
}

/* One command and its completion; @c may be NULL.  Its status, or a negative errno. */
int nvme_do(struct nvme *n, unsigned int q, const struct nvs_sqe *e, struct nvs_cqe *c);

/* Admin commands: their status, or a negative errno.  Data is at NVME_ADMIN_DATA. */
int nvme_identify(struct nvme *n, unsigned int cns, uint32_t nsid);
int nvme_set_feature(struct nvme *n, unsigned int fid, uint32_t cdw11);
int nvme_get_feature(struct nvme *n, unsigned int fid, uint32_t cdw11, uint32_t *val);
/* An asynchronous event request that stays outstanding: its id. */
int nvme_event_request(struct nvme *n);

/* A read, a write or another I/O command for blocks. */
struct nvs_sqe nvme_io(uint8_t opcode, uint32_t nsid, uint64_t slba, uint32_t blocks);
/*
 * Where its data is: an offset into the data, of any alignment for an SGL and of 4 bytes for
 * PRPs.  @list: page for a list, which the command has until it is complete.
 */
void nvme_prp(struct nvme *n, struct nvs_sqe *e, unsigned int list, uint32_t off,
	      uint32_t bytes);
/* In @pieces descriptors in a segment, or in one in the command itself. */
void nvme_sgl(struct nvme *n, struct nvs_sqe *e, unsigned int list, uint32_t off,
	      uint32_t bytes, unsigned int pieces);
uint8_t *nvme_data(struct nvme *n, uint32_t off);

/* Content that tells the block, of 512 bytes, and who wrote it. */
void nvme_stamp(void *buf, uint32_t bytes, uint64_t lba, uint32_t tag);
bool nvme_stamped(const void *buf, uint32_t bytes, uint64_t lba, uint32_t tag);

#endif /* SELFTEST_NVME_H */
