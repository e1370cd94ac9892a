// SPDX-License-Identifier: GPL-2.0
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "nvme_host.h"

#define CQ_OFF		0x8000u
#define LIST_OFF	(NVMH_BYTES - 0x10000u)
#define ADMIN_ENTRIES	32u
#define TRIES		200

uint64_t nvmh_read64(struct nvmh *h, uint64_t off)
{
	uint64_t val = 0;

	CHECK_EQ(rig_read(h->r, NVCF_BAR, off, &val, sizeof(val)), 0);
	return val;
}

void nvmh_write64(struct nvmh *h, uint64_t off, uint64_t val)
{
	CHECK_EQ(rig_write(h->r, NVCF_BAR, off, &val, sizeof(val)), 0);
	rig_step(h->r);
}

uint32_t nvmh_csts(struct nvmh *h)
{
	rig_step(h->r);
	return rig_read32(h->r, NVCF_BAR, NVS_REG_CSTS);
}

/* @share: whose memory it is, or NULL */
static void set_up(struct nvmh *h, const struct nvmh *share)
{
	uint16_t on = PCI_MSIX_FLAGS_ENABLE;

	if (share) {
		h->fd = dup(share->fd);
		h->mem = mmap(NULL, NVMH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
		CHECK_EQ(rig_dma_map(h->r, NVMH_IOVA, NVMH_BYTES, 0, 3, h->fd), 0);
	} else {
		h->mem = rig_memory(h->r, NVMH_IOVA, NVMH_BYTES, 3, &h->fd);
	}
	h->data = h->mem + NVMH_DATA;
	rig_enable(h->r);
	for (unsigned int i = 0; i < NVMH_VECTORS; i++)
		h->ev[i] = eventfd(0, EFD_NONBLOCK);
	for (unsigned int i = 0; i < NVMH_VECTORS; i += 8)
		CHECK_EQ(rig_set_irqs(h->r, VFIO_PCI_MSIX_IRQ_INDEX,
				      VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, i,
				      NVMH_VECTORS - i < 8 ? NVMH_VECTORS - i : 8, &h->ev[i],
				      NVMH_VECTORS - i < 8 ? NVMH_VECTORS - i : 8), 0);
	CHECK_EQ(rig_write(h->r, VFIO_PCI_CONFIG_REGION_INDEX, h->r->dev->cfg.msix + PCI_MSIX_FLAGS,
			   &on, 2), 0);
}

void nvmh_open_shared(struct nvmh *h, struct rig *family, unsigned int n, const struct nvmh *share)
{
	memset(h, 0, sizeof(*h));
	h->r = rig_open_controlled(family, n);
	set_up(h, share);
}

void nvmh_open(struct nvmh *h, struct rig *family, unsigned int n)
{
	nvmh_open_shared(h, family, n, NULL);
}

void nvmh_open_managing(struct nvmh *h, struct rig *family)
{
	memset(h, 0, sizeof(*h));
	h->r = family;
	set_up(h, NULL);
}

void nvmh_close(struct nvmh *h)
{
	munmap(h->mem, NVMH_BYTES);
	close(h->fd);
	for (unsigned int i = 0; i < NVMH_VECTORS; i++)
		close(h->ev[i]);
	if (h->r->borrowed)
		rig_close(h->r);
}

void nvmh_open_family(struct nvmh_family *f, char **options)
{
	f->owner = rig_open(vu_model_find("nvme_cf"), options);
	nvmh_open(&f->h, f->owner, 0);
}

void nvmh_open_enabled(struct nvmh_family *f, char **options)
{
	nvmh_open_family(f, options);
	CHECK(nvmh_enable(&f->h));
}

void nvmh_close_family(struct nvmh_family *f)
{
	nvmh_close(&f->h);
	rig_close(f->owner);
}

uint64_t nvmh_stat(struct rig *r, const char *name)
{
	const char *at = strstr(rig_control(r, "stats"), name);

	return at ? strtoull(at + strlen(name), NULL, 0) : UINT64_MAX;
}

static uint64_t sq_off(uint16_t qid)
{
	return qid * NVMH_QUEUE;
}

static uint64_t cq_off(uint16_t qid)
{
	return sq_off(qid) + CQ_OFF;
}

static void queue_reset(struct nvmh *h, uint16_t qid, uint32_t entries)
{
	h->q[qid] = (struct nvmh_queue){ .entries = entries, .phase = true };
	memset(h->mem + sq_off(qid), 0, NVMH_QUEUE);
}

bool nvmh_enable_cc(struct nvmh *h, uint32_t cc)
{
	queue_reset(h, 0, ADMIN_ENTRIES);
	rig_write32(h->r, NVCF_BAR, NVS_REG_AQA, (ADMIN_ENTRIES - 1) * 0x10001);
	nvmh_write64(h, NVS_REG_ASQ, nvmh_addr(sq_off(0)));
	nvmh_write64(h, NVS_REG_ACQ, nvmh_addr(cq_off(0)));
	rig_write32(h->r, NVCF_BAR, NVS_REG_CC, cc);
	return nvmh_csts(h) & NVS_CSTS_RDY;
}

bool nvmh_enable(struct nvmh *h)
{
	bool admin = h->r->dev->model->class_code == NVS_CLASS_ADMIN;

	return nvmh_enable_cc(h, NVS_CC_EN | NVS_SQES << 16 | NVS_CQES << 20 |
				 (admin ? NVS_CC_CSS_ADMIN << 4 : 0));
}

void nvmh_disable(struct nvmh *h)
{
	rig_write32(h->r, NVCF_BAR, NVS_REG_CC,
		    rig_read32(h->r, NVCF_BAR, NVS_REG_CC) & ~NVS_CC_EN);
	CHECK(!(nvmh_csts(h) & NVS_CSTS_RDY));
}

int nvmh_create_pair(struct nvmh *h, uint16_t qid, uint32_t entries)
{
	struct nvs_sqe cq = {
		.opcode = NVS_ADMIN_CREATE_CQ, .prp1 = nvmh_addr(cq_off(qid)),
		.cdw10 = (entries - 1) << 16 | qid,
		.cdw11 = (uint32_t)qid << 16 | NVS_QUEUE_PC | NVS_QUEUE_IEN,
	};
	struct nvs_sqe sq = {
		.opcode = NVS_ADMIN_CREATE_SQ, .prp1 = nvmh_addr(sq_off(qid)),
		.cdw10 = (entries - 1) << 16 | qid, .cdw11 = (uint32_t)qid << 16 | NVS_QUEUE_PC,
	};
	int st;

	queue_reset(h, qid, entries);
	st = nvmh_run(h, 0, &cq);
	return st ? st : nvmh_run(h, 0, &sq);
}

uint16_t nvmh_queue(struct nvmh *h, uint16_t qid, struct nvs_sqe *sqe)
{
	struct nvmh_queue *q = &h->q[qid];

	sqe->cid = htole16(++h->cid);
	memcpy(h->mem + sq_off(qid) + q->sq_tail * sizeof(*sqe), sqe, sizeof(*sqe));
	q->sq_tail = (q->sq_tail + 1) % q->entries;
	return h->cid;
}

void nvmh_ring(struct nvmh *h, uint16_t qid)
{
	rig_write32(h->r, NVCF_BAR, NVS_REG_DOORBELLS + 8u * qid, h->q[qid].sq_tail);
}

uint16_t nvmh_submit(struct nvmh *h, uint16_t qid, struct nvs_sqe *sqe)
{
	uint16_t cid = nvmh_queue(h, qid, sqe);

	nvmh_ring(h, qid);
	return cid;
}

bool nvmh_poll(struct nvmh *h, uint16_t qid)
{
	struct nvmh_queue *q = &h->q[qid];
	struct nvs_cqe e;

	rig_step(h->r);
	memcpy(&e, h->mem + cq_off(qid) + q->cq_head * sizeof(e), sizeof(e));
	if ((le16toh(e.status) & 1) != q->phase)
		return false;
	h->cqe = e;
	if (++q->cq_head == q->entries) {
		q->cq_head = 0;
		q->phase = !q->phase;
	}
	rig_write32(h->r, NVCF_BAR, NVS_REG_DOORBELLS + 8u * qid + 4, q->cq_head);
	return true;
}

int nvmh_status(struct nvmh *h, uint16_t qid)
{
	for (int i = 0; i < TRIES; i++)
		if (nvmh_poll(h, qid))
			return le16toh(h->cqe.status) >> 1 & NVS_SC_MASK;
	return -1;
}

int nvmh_run(struct nvmh *h, uint16_t qid, struct nvs_sqe *sqe)
{
	uint16_t cid = nvmh_submit(h, qid, sqe);
	int st = nvmh_status(h, qid);

	if (st >= 0)
		CHECK_EQ(le16toh(h->cqe.cid), cid);
	return st;
}

int nvmh_admin(struct nvmh *h, uint8_t opcode, uint32_t nsid, uint32_t cdw10, uint32_t cdw11)
{
	struct nvs_sqe sqe = {
		.opcode = opcode, .nsid = nsid, .cdw10 = cdw10, .cdw11 = cdw11,
		.prp1 = nvmh_addr(NVMH_DATA),
	};

	return nvmh_run(h, 0, &sqe);
}

int nvmh_identify(struct nvmh *h, uint8_t cns, uint32_t nsid, uint16_t cntid)
{
	memset(h->data, 0xee, NVS_IDENTIFY_BYTES);
	return nvmh_admin(h, NVS_ADMIN_IDENTIFY, nsid, cns | (uint32_t)cntid << 16, 0);
}

void nvmh_fill_rw(struct nvmh *h, struct nvs_sqe *sqe, uint8_t opcode, uint32_t nsid, uint64_t slba,
		  uint32_t nlb, uint32_t bytes)
{
	uint64_t *list = (uint64_t *)(h->mem + LIST_OFF);

	*sqe = (struct nvs_sqe) {
		.opcode = opcode, .nsid = nsid, .cdw10 = (uint32_t)slba,
		.cdw11 = (uint32_t)(slba >> 32), .cdw12 = nlb - 1, .prp1 = nvmh_addr(NVMH_DATA),
		.prp2 = nvmh_addr(NVMH_DATA + 4096),
	};
	if (bytes <= 8192)
		return;
	sqe->prp2 = nvmh_addr(LIST_OFF);
	for (uint32_t i = 0; i < (bytes - 1) / 4096; i++)
		list[i] = nvmh_addr(NVMH_DATA + 4096 * (i + 1));
}

int nvmh_rw(struct nvmh *h, uint16_t qid, uint8_t opcode, uint32_t nsid, uint64_t slba,
	    uint32_t nlb,
	    uint32_t bytes)
{
	struct nvs_sqe sqe;

	nvmh_fill_rw(h, &sqe, opcode, nsid, slba, nlb, bytes);
	return nvmh_run(h, qid, &sqe);
}
