// SPDX-License-Identifier: GPL-2.0
/* A small NVMe host in user space (nvme.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "nvme.h"
#include "nvmelog.h"

#define RING_BYTES	0x14000u	/* of a pair of queues */
#define CQ_OFFSET	0x10000u
#define ADMIN_CQ	0x1000u
#define BLOCK		512u

int nvme_alloc(struct nvme *n)
{
	void *mem = mmap(NULL, NVME_MEM_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	*n = (struct nvme){ .iova = NVME_IOVA };
	if (mem == MAP_FAILED)
		return -ENOMEM;
	n->mem = mem;
	return 0;
}

void nvme_free(struct nvme *n)
{
	if (n->mem)
		munmap(n->mem, NVME_MEM_BYTES);
	n->mem = NULL;
}

int nvme_share(struct nvme *n, struct vdev *v)
{
	return vdev_dma_map(v, n->mem, n->iova, NVME_MEM_BYTES);
}

int nvme_on(struct nvme *n, struct vdev *v)
{
	n->v = v;
	return vdev_cfg_set(v, PCI_COMMAND, 2, vdev_cfg(v, PCI_COMMAND, 2) | PCI_COMMAND_MEMORY |
					       PCI_COMMAND_MASTER);
}

/* ---- registers ---- */

uint32_t nvme_read(struct nvme *n, unsigned int reg)
{
	uint32_t val = ~0u;

	vdev_pread(n->v, NVCF_BAR, reg, &val, sizeof(val));
	return le32toh(val);
}

uint64_t nvme_read64(struct nvme *n, unsigned int reg)
{
	return nvme_read(n, reg) | (uint64_t)nvme_read(n, reg + 4) << 32;
}

int nvme_write(struct nvme *n, unsigned int reg, uint32_t val)
{
	uint32_t le = htole32(val);
	long done;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	done = vdev_pwrite(n->v, NVCF_BAR, reg, &le, sizeof(le));
	return done == sizeof(le) ? 0 : done < 0 ? done : -EIO;
}

static int write64(struct nvme *n, unsigned int reg, uint64_t val)
{
	int err = nvme_write(n, reg, val);

	return err ? err : nvme_write(n, reg + 4, val >> 32);
}

static int doorbell(struct nvme *n, unsigned int q, bool cq, uint32_t val)
{
	return nvme_write(n, NVS_REG_DOORBELLS + 4 * (2 * q + cq), val);
}

static int wait_ready(struct nvme *n, bool ready)
{
	uint64_t end = now_ms() + NVME_WAIT_MS;

	for (;;) {
		uint32_t csts = nvme_read(n, NVS_REG_CSTS);

		if (csts == ~0u || csts & NVS_CSTS_CFS)
			return -EIO;
		if (!!(csts & NVS_CSTS_RDY) == ready)
			return 0;
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
}

/* ---- rings ---- */

static uint32_t sq_at(unsigned int q)
{
	return q ? NVME_RINGS + (q - 1) * RING_BYTES : 0;
}

static uint32_t cq_at(unsigned int q)
{
	return q ? sq_at(q) + CQ_OFFSET : ADMIN_CQ;
}

/* Command ids go on: a log tells commands of one queue apart by them. */
static void ring_init(struct nvme *n, unsigned int q, uint32_t entries)
{
	n->q[q] = (struct nvme_queue){ .entries = entries, .phase = true, .cid = n->q[q].cid };
	memset(n->mem + cq_at(q), 0, entries * sizeof(struct nvs_cqe));
}

int nvme_disable(struct nvme *n)
{
	int err = nvme_write(n, NVS_REG_CC, 0);

	/* A controller that has failed is ready until it has seen this. */
	for (unsigned int i = 0; i < 100 && !err && nvme_read(n, NVS_REG_CSTS) & NVS_CSTS_CFS; i++)
		usleep(1000);
	return err ? err : wait_ready(n, false);
}

int nvme_enable(struct nvme *n)
{
	const uint32_t depth = NVME_ADMIN_ENTRIES - 1;
	int err = nvme_disable(n);

	for (unsigned int q = 1; q < NVME_QUEUES; q++)
		n->q[q].entries = 0;
	ring_init(n, 0, NVME_ADMIN_ENTRIES);
	err = err ? err : vdev_bus_master(n->v, true);
	err = err ? err : nvme_write(n, NVS_REG_AQA, depth << 16 | depth);
	err = err ? err : write64(n, NVS_REG_ASQ, n->iova + sq_at(0));
	err = err ? err : write64(n, NVS_REG_ACQ, n->iova + cq_at(0));
	err = err ? err : nvme_write(n, NVS_REG_CC, NVS_CC_EN | NVS_SQES << 16 | NVS_CQES << 20);
	return err ? err : wait_ready(n, true);
}

/* ---- commands and completions ---- */

/* The first data of a command, however it is told where they are. */
static const void *first_data(struct nvme *n, const struct nvs_sqe *e)
{
	uint64_t at = le64toh(NVS_PSDT(e->flags) ? e->sgl.addr : e->prp1);

	if (NVS_PSDT(e->flags) && e->sgl.id == NVS_SGL_LAST_SEGMENT)
		at = le64toh(((struct nvs_sgl *)(n->mem + (at - n->iova)))->addr);
	return n->mem + (at - n->iova);
}

uint16_t nvme_put(struct nvme *n, unsigned int q, const struct nvs_sqe *e)
{
	struct nvs_sqe *ring = (struct nvs_sqe *)(n->mem + sq_at(q));
	struct nvme_queue *nq = &n->q[q];
	uint16_t cid = nq->cid++;

	ring[nq->sq_tail] = *e;
	ring[nq->sq_tail].cid = htole16(cid);
	nq->sq_tail = (nq->sq_tail + 1) % nq->entries;
	if (n->log)
		nvme_log_put(n->log, q, cid, e, first_data(n, e));
	return cid;
}

int nvme_ring(struct nvme *n, unsigned int q)
{
	return doorbell(n, q, false, n->q[q].sq_tail);
}

int nvme_next(struct nvme *n, unsigned int q, struct nvs_cqe *c, int ms)
{
	struct nvme_queue *nq = &n->q[q];
	volatile struct nvs_cqe *slot = (struct nvs_cqe *)(n->mem + cq_at(q)) + nq->cq_head;
	uint64_t end = now_ms() + ms;
	int err;

	while ((le16toh(slot->status) & 1) != nq->phase) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(200);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*c = *(struct nvs_cqe *)slot;
	if (++nq->cq_head == nq->entries) {
		nq->cq_head = 0;
		nq->phase = !nq->phase;
	}
	err = n->log ? nvme_log_done(n->log, q, c) : 0;
	return err ? err : doorbell(n, q, true, nq->cq_head);
}

int nvme_batch_take(struct nvme *n, unsigned int q, unsigned int num)
{
	struct nvs_cqe c;
	int err = 0;

	for (unsigned int i = 0; i < num && !err; i++) {
		err = nvme_next(n, q, &c, NVME_WAIT_MS);
		if (!err && nvme_status(&c))
			err = -EIO;
	}
	return err;
}

int nvme_do(struct nvme *n, unsigned int q, const struct nvs_sqe *e, struct nvs_cqe *c)
{
	struct nvs_cqe own;
	uint16_t cid = nvme_put(n, q, e);
	int err = nvme_ring(n, q);

	c = c ? c : &own;
	err = err ? err : nvme_next(n, q, c, NVME_WAIT_MS);
	if (!err && le16toh(c->cid) != cid)
		err = -EPROTO;
	return err ? err : nvme_status(c);
}

/* ---- admin commands ---- */

static int create(struct nvme *n, uint8_t opcode, unsigned int q, uint64_t at, uint32_t cdw11)
{
	const struct nvs_sqe e = {
		.opcode = opcode, .prp1 = htole64(n->iova + at),
		.cdw10 = htole32((n->q[q].entries - 1) << 16 | q), .cdw11 = htole32(cdw11),
	};

	return nvme_do(n, 0, &e, NULL);
}

int nvme_queue_create(struct nvme *n, unsigned int q, uint32_t entries, int vector)
{
	int st;

	if (!q || q >= NVME_QUEUES || entries > NVME_ENTRIES)
		return -EINVAL;
	ring_init(n, q, entries);
	st = create(n, NVS_ADMIN_CREATE_CQ, q, cq_at(q), vector < 0 ? NVS_QUEUE_PC :
		    (uint32_t)vector << 16 | NVS_QUEUE_IEN | NVS_QUEUE_PC);
	st = st ? st : create(n, NVS_ADMIN_CREATE_SQ, q, sq_at(q), q << 16 | NVS_QUEUE_PC);
	if (st)
		n->q[q].entries = 0;
	return st;
}

int nvme_queue_delete(struct nvme *n, unsigned int q)
{
	struct nvs_sqe e = { .opcode = NVS_ADMIN_DELETE_SQ, .cdw10 = htole32(q) };
	int st = nvme_do(n, 0, &e, NULL);

	e.opcode = NVS_ADMIN_DELETE_CQ;
	st = st ? st : nvme_do(n, 0, &e, NULL);
	if (!st)
		n->q[q].entries = 0;
	return st;
}

int nvme_identify(struct nvme *n, unsigned int cns, uint32_t nsid)
{
	const struct nvs_sqe e = {
		.opcode = NVS_ADMIN_IDENTIFY, .nsid = htole32(nsid), .cdw10 = htole32(cns),
		.prp1 = htole64(n->iova + NVME_ADMIN_DATA),
	};

	return nvme_do(n, 0, &e, NULL);
}

int nvme_set_feature(struct nvme *n, unsigned int fid, uint32_t cdw11)
{
	const struct nvs_sqe e = {
		.opcode = NVS_ADMIN_SET_FEATURES, .cdw10 = htole32(fid), .cdw11 = htole32(cdw11),
		.prp1 = htole64(n->iova + NVME_ADMIN_DATA),
	};

	return nvme_do(n, 0, &e, NULL);
}

int nvme_get_feature(struct nvme *n, unsigned int fid, uint32_t cdw11, uint32_t *val)
{
	const struct nvs_sqe e = {
		.opcode = NVS_ADMIN_GET_FEATURES, .cdw10 = htole32(fid), .cdw11 = htole32(cdw11),
		.prp1 = htole64(n->iova + NVME_ADMIN_DATA),
	};
	struct nvs_cqe c;
	int st = nvme_do(n, 0, &e, &c);

	if (!st)
		*val = le32toh(c.dw0);
	return st;
}

int nvme_event_request(struct nvme *n)
{
	const struct nvs_sqe e = { .opcode = NVS_ADMIN_ASYNC_EVENT };
	uint16_t cid = nvme_put(n, 0, &e);
	int err = nvme_ring(n, 0);

	return err ? err : cid;
}

/* ---- I/O commands and their data ---- */

struct nvs_sqe nvme_io(uint8_t opcode, uint32_t nsid, uint64_t slba, uint32_t blocks)
{
	return (struct nvs_sqe){
		.opcode = opcode, .nsid = htole32(nsid), .cdw10 = htole32((uint32_t)slba),
		.cdw11 = htole32((uint32_t)(slba >> 32)), .cdw12 = htole32(blocks - 1),
	};
}

uint8_t *nvme_data(struct nvme *n, uint32_t off)
{
	return n->mem + NVME_DATA + off;
}

void nvme_prp(struct nvme *n, struct nvs_sqe *e, unsigned int list, uint32_t off, uint32_t bytes)
{
	uint32_t at = NVME_LISTS + list % NVME_NUM_LISTS * NVME_PAGE;
	uint64_t first = n->iova + NVME_DATA + off;
	uint64_t end = first + bytes, next = (first / NVME_PAGE + 1) * NVME_PAGE;
	__le64 *prp = (__le64 *)(n->mem + at);

	e->prp1 = htole64(first);
	if (end <= next)
		return;
	e->prp2 = htole64(end <= next + NVME_PAGE ? next : n->iova + at);
	/* 512 entries are enough for what a controller takes at most. */
	for (unsigned int i = 0; next < end && i < NVME_PAGE / sizeof(*prp); i++, next += NVME_PAGE)
		prp[i] = htole64(next);
}

void nvme_sgl(struct nvme *n, struct nvs_sqe *e, unsigned int list, uint32_t off, uint32_t bytes,
	      unsigned int pieces)
{
	uint32_t at = NVME_LISTS + list % NVME_NUM_LISTS * NVME_PAGE, done = 0;
	struct nvs_sgl *sgl = (struct nvs_sgl *)(n->mem + at);
	uint64_t base = n->iova + NVME_DATA + off;

	e->flags = 1 << 6;
	if (pieces == 1) {
		e->sgl = (struct nvs_sgl){ .addr = htole64(base), .length = htole32(bytes) };
		return;
	}
	for (unsigned int i = 0; i < pieces; i++) {
		uint32_t len = i + 1 < pieces ? bytes / pieces / 4 * 4 : bytes - done;

		sgl[i] = (struct nvs_sgl){ .addr = htole64(base + done), .length = htole32(len) };
		done += len;
	}
	e->sgl = (struct nvs_sgl){
		.addr = htole64(n->iova + at), .length = htole32(pieces * sizeof(*sgl)),
		.id = NVS_SGL_LAST_SEGMENT,
	};
}

/* ---- content ---- */

static uint64_t word_of(uint64_t lba, uint32_t tag, unsigned int i)
{
	uint64_t x = (lba * 64 + i + 1) * 0x9e3779b97f4a7c15ull + tag;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9ull;
}

void nvme_stamp(void *buf, uint32_t bytes, uint64_t lba, uint32_t tag)
{
	uint64_t *w = buf;

	for (uint32_t i = 0; i < bytes / sizeof(*w); i++)
		w[i] = word_of(lba + i * sizeof(*w) / BLOCK, tag, i % (BLOCK / sizeof(*w)));
}

bool nvme_stamped(const void *buf, uint32_t bytes, uint64_t lba, uint32_t tag)
{
	const uint64_t *w = buf;

	for (uint32_t i = 0; i < bytes / sizeof(*w); i++) {
		if (w[i] == word_of(lba + i * sizeof(*w) / BLOCK, tag, i % (BLOCK / sizeof(*w))))
			continue;
		fprintf(stderr, "# block %lu, tag %u: word %u is %#lx\n",
			(unsigned long)(lba + i * sizeof(*w) / BLOCK), tag, i, (unsigned long)w[i]);
		return false;
	}
	return true;
}
