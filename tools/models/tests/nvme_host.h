/* SPDX-License-Identifier: GPL-2.0 */
/* The driver's side of an NVMe controller, for tests: registers, queues, commands one by one. */
#ifndef NVME_HOST_H
#define NVME_HOST_H

#include <endian.h>

#include <hw/nvme_cf.h>
#include <hw/nvme_cf_spec.h>

#include "test.h"

#define NVMH_IOVA	0x200000ull
#define NVMH_BYTES	0x800000u
#define NVMH_DATA	0x100000u	/* of the memory: for the data of commands */
#define NVMH_QUEUE	0x10000u	/* distance of the pairs of queues */
#define NVMH_QUEUES	8u
#define NVMH_VECTORS	65u

/* Memory at @n, as the controller addresses it. */
#define nvmh_addr(n)	(NVMH_IOVA + (n))

struct nvmh_queue {
	uint32_t entries, sq_tail, cq_head;
	bool phase;
};

struct nvmh {
	struct rig *r;
	uint8_t *mem, *data;
	int fd, ev[NVMH_VECTORS];
	uint16_t cid;
	struct nvmh_queue q[NVMH_QUEUES];
	struct nvs_cqe cqe;		/* the last one */
};

/* A device, and its first migratable controller. */
struct nvmh_family {
	struct rig *owner;
	struct nvmh h;
};

/* An option that gives every controller a profile. */
#define NVMH_PROFILE	"profile=0x12345"

void nvmh_open_family(struct nvmh_family *f, char **options);
/* Likewise, enabled. */
void nvmh_open_enabled(struct nvmh_family *f, char **options);
void nvmh_close_family(struct nvmh_family *f);
/* A counter of the model. */
uint64_t nvmh_stat(struct rig *r, const char *name);

/* A controller with memory, bus mastering and MSI-X; @family as for rig_open_controlled(). */
void nvmh_open(struct nvmh *h, struct rig *family, unsigned int n);
/* With the memory of another one: the same guest, on another host. */
void nvmh_open_shared(struct nvmh *h, struct rig *family, unsigned int n, const struct nvmh *share);
/* The managing controller itself. */
void nvmh_open_managing(struct nvmh *h, struct rig *family);
void nvmh_close(struct nvmh *h);
uint64_t nvmh_read64(struct nvmh *h, uint64_t off);
void nvmh_write64(struct nvmh *h, uint64_t off, uint64_t val);
uint32_t nvmh_csts(struct nvmh *h);
/* Set the admin queue up and CC.EN; true when ready. */
bool nvmh_enable_cc(struct nvmh *h, uint32_t cc);
bool nvmh_enable(struct nvmh *h);
void nvmh_disable(struct nvmh *h);
/* A pair of I/O queues with an interrupt each. */
int nvmh_create_pair(struct nvmh *h, uint16_t qid, uint32_t entries);

/* Enter @sqe without the doorbell; returns its command id. */
uint16_t nvmh_queue(struct nvmh *h, uint16_t qid, struct nvs_sqe *sqe);
void nvmh_ring(struct nvmh *h, uint16_t qid);
uint16_t nvmh_submit(struct nvmh *h, uint16_t qid, struct nvs_sqe *sqe);
/* Take the next completion into h->cqe; false when there is none. */
bool nvmh_poll(struct nvmh *h, uint16_t qid);
/* Its status without the bit that says not to retry; -1 when there is none. */
int nvmh_status(struct nvmh *h, uint16_t qid);
int nvmh_run(struct nvmh *h, uint16_t qid, struct nvs_sqe *sqe);

/* Commands with their data at NVMH_DATA, and the fields that they have. */
int nvmh_admin(struct nvmh *h, uint8_t opcode, uint32_t nsid, uint32_t cdw10, uint32_t cdw11);
int nvmh_identify(struct nvmh *h, uint8_t cns, uint32_t nsid, uint16_t cntid);
/* @prp2 is filled for up to two pages, or with a list at the end of the memory. */
int nvmh_rw(struct nvmh *h, uint16_t qid, uint8_t opcode, uint32_t nsid, uint64_t slba,
	    uint32_t nlb,
	    uint32_t bytes);
/* The command of nvmh_rw(), for whoever changes it. */
void nvmh_fill_rw(struct nvmh *h, struct nvs_sqe *sqe, uint8_t opcode, uint32_t nsid, uint64_t slba,
		  uint32_t nlb, uint32_t bytes);

#endif /* NVME_HOST_H */
