// SPDX-License-Identifier: GPL-2.0
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "nvme_pair.h"

#define DATA		nvmh_addr(NVMH_DATA)

static void open_host(struct nvmh_host *h, const char *path, const char *both,
		      const char *option, const struct nvmh *share)
{
	char *options[] = { NVMH_PROFILE, h->disk, (char *)(uintptr_t)(both ? both : option),
			    both ? (char *)(uintptr_t)option : NULL, NULL };

	snprintf(h->disk, sizeof(h->disk), "disk1=%s", path);
	h->owner = rig_open(vu_model_find("nvme_cf"), options);
	nvmh_open_managing(&h->m, h->owner);
	CHECK(nvmh_enable(&h->m));
	nvmh_open_shared(&h->fn, h->owner, 0, share);
}

static void close_host(struct nvmh_host *h)
{
	nvmh_close(&h->fn);
	nvmh_close(&h->m);
	rig_close(h->owner);
}

void nvmh_open_pair_both(struct nvmh_pair *p, const char *both, const char *option)
{
	snprintf(p->path, sizeof(p->path), "/tmp/nvme_cf.XXXXXX");
	p->fd = mkstemp(p->path);
	if (p->fd < 0 || ftruncate(p->fd, 4 << 20))
		abort();
	open_host(&p->a, p->path, both, NULL, NULL);
	CHECK(nvmh_enable(&p->a.fn));
	CHECK_EQ(nvmh_create_pair(&p->a.fn, 1, 8), 0);
	open_host(&p->b, p->path, both, option, &p->a.fn);
}

void nvmh_open_pair(struct nvmh_pair *p, const char *option)
{
	nvmh_open_pair_both(p, NULL, option);
}

void nvmh_close_pair(struct nvmh_pair *p)
{
	close_host(&p->b);
	close_host(&p->a);
	close(p->fd);
	unlink(p->path);
}

/* ---- commands of the managing controller ---- */

int nvmh_send_op(struct nvmh_host *h, uint32_t sel, uint32_t cdw11)
{
	return nvmh_admin(&h->m, NVS_ADMIN_MIGRATION_SEND, 0, sel, cdw11);
}

int nvmh_suspend(struct nvmh_host *h)
{
	return nvmh_send_op(h, NVS_SEND_SUSPEND, NVS_SUSPEND << 16 | NVMH_CNTLID);
}

int nvmh_resume(struct nvmh_host *h)
{
	return nvmh_send_op(h, NVS_SEND_RESUME, NVMH_CNTLID);
}

/* @cdw11: CSUUIDI and NVMH_CNTLID where Get State has them */
int nvmh_get_part(struct nvmh_host *h, uint32_t csvi, uint32_t cdw11, uint64_t off, uint32_t dwords)
{
	struct nvs_sqe sqe = {
		.opcode = NVS_ADMIN_MIGRATION_RECEIVE, .cdw10 = csvi << 16, .cdw11 = cdw11,
		.cdw12 = (uint32_t)off, .cdw13 = (uint32_t)(off >> 32), .cdw15 = dwords - 1,
		.prp1 = DATA, .prp2 = nvmh_addr(NVMH_DATA + 4096),
	};

	return nvmh_run(&h->m, 0, &sqe);
}

uint32_t nvmh_state_bytes(const uint8_t *state)
{
	struct nvs_state_header h;

	memcpy(&h, state, sizeof(h));
	return (uint32_t)(sizeof(h) + (h.nvmecss[0] + h.vss[0]) * 4);
}

/* All of it, as a driver reads it: the header, and then the rest. */
uint32_t nvmh_get_state(struct nvmh_host *h, uint8_t *out)
{
	uint32_t bytes;

	CHECK_EQ(nvmh_get_part(h, 1, 1 << 16 | NVMH_CNTLID, 0, 12), 0);
	CHECK_EQ(h->m.cqe.dw0, NVS_CSUP);
	memcpy(out, h->m.data, 48);
	bytes = nvmh_state_bytes(out);
	CHECK(bytes > 48 && bytes <= NVMH_STATE_BYTES);
	CHECK_EQ(nvmh_get_part(h, 1, 1 << 16 | NVMH_CNTLID, 48, (bytes - 48) / 4), 0);
	memcpy(out + 48, h->m.data, bytes - 48);
	return bytes;
}

int nvmh_set_part(struct nvmh_host *h, uint32_t seq, uint32_t indices, uint64_t off,
		  const uint8_t *in,
		    uint32_t bytes)
{
	struct nvs_sqe sqe = {
		.opcode = NVS_ADMIN_MIGRATION_SEND, .cdw10 = seq << 16 | NVS_SEND_SET_STATE,
		.cdw11 = indices << 16 | NVMH_CNTLID, .cdw12 = (uint32_t)off,
		.cdw13 = (uint32_t)(off >> 32), .cdw15 = bytes / 4,
		.prp1 = DATA, .prp2 = nvmh_addr(NVMH_DATA + 4096),
	};

	memcpy(h->m.data, in, bytes);
	return nvmh_run(&h->m, 0, &sqe);
}

int nvmh_set_state(struct nvmh_host *h, const uint8_t *in, uint32_t bytes)
{
	return nvmh_set_part(h, NVS_SEQ_ONLY, 0x101, 0, in, bytes);
}

/* The guest goes on elsewhere: its driver's view comes along. */
void nvmh_move(struct nvmh_host *from, struct nvmh_host *to)
{
	uint16_t flr = PCI_EXP_DEVCTL_BCR_FLR, on = PCI_MSIX_FLAGS_ENABLE;
	uint8_t state[NVMH_STATE_BYTES];
	uint32_t bytes;

	CHECK_EQ(nvmh_suspend(from), 0);
	bytes = nvmh_get_state(from, state);
	CHECK_EQ(rig_write(to->fn.r, VFIO_PCI_CONFIG_REGION_INDEX,
			   to->fn.r->dev->cfg.pcie + PCI_EXP_DEVCTL, &flr, 2), 0);
	rig_enable(to->fn.r);
	CHECK_EQ(rig_write(to->fn.r, VFIO_PCI_CONFIG_REGION_INDEX,
			   to->fn.r->dev->cfg.msix + PCI_MSIX_FLAGS, &on, 2), 0);
	CHECK_EQ(nvmh_suspend(to), 0);
	CHECK_EQ(nvmh_set_state(to, state, bytes), 0);
	CHECK_EQ(nvmh_resume(to), 0);
	memcpy(to->fn.q, from->fn.q, sizeof(to->fn.q));
	to->fn.cid = from->fn.cid;
}

int nvmh_io(struct nvmh_host *h, uint8_t opcode, uint64_t slba, uint32_t nlb)
{
	return nvmh_rw(&h->fn, 1, opcode, 1, slba, nlb, nlb * 512);
}
