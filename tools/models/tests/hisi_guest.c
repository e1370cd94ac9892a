// SPDX-License-Identifier: GPL-2.0
/* A guest that drives hisi_like: memory, rings and vectors. */
#include <linux/pci_regs.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "hisi_guest.h"

uint32_t guest_rd(struct guest *g, uint32_t off)
{
	return rig_read32(g->r, HISIL_BAR, off);
}

void guest_wr(struct guest *g, uint32_t off, uint32_t val)
{
	rig_write32(g->r, HISIL_BAR, off, val);
}

void guest_wr64(struct guest *g, uint32_t off, uint64_t val)
{
	CHECK_EQ(rig_write(g->r, HISIL_BAR, off, &val, 8), 0);
}

/* Device side only: power up and share @mem (NULL: new memory). */
void guest_open(struct guest *g, char **options, struct guest *share)
{
	uint16_t enable = PCI_MSIX_FLAGS_ENABLE;

	memset(g, 0, sizeof(*g));
	g->r = rig_open(vu_model_find("hisi_like"), options);
	if (share) {
		g->mem = share->mem;
		g->fd = share->fd;
		CHECK_EQ(rig_dma_map(g->r, MEM_IOVA, MEM_BYTES, 0, 3, g->fd), 0);
	} else {
		g->mem = rig_memory(g->r, MEM_IOVA, MEM_BYTES, 3, &g->fd);
	}
	rig_enable(g->r);
	CHECK_EQ(rig_write(g->r, VFIO_PCI_CONFIG_REGION_INDEX, g->r->dev->cfg.msix + 2, &enable, 2),
		 0);
	for (int i = 0; i < 4; i++)
		g->ev[i] = eventfd(0, EFD_NONBLOCK);
	CHECK_EQ(rig_set_irqs(g->r, VFIO_PCI_MSIX_IRQ_INDEX,
			      VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 4, g->ev,
			      4), 0);
}

void guest_close(struct guest *g, bool memory)
{
	for (int i = 0; i < 4; i++)
		close(g->ev[i]);
	if (memory) {
		munmap(g->mem, MEM_BYTES);
		close(g->fd);
	}
	rig_close(g->r);
}

void guest_queue(struct guest *g, uint32_t n, uint32_t size)
{
	g->size = size;
	g->tail[n] = 0;
	g->head[n] = 0;
	memset(g->mem + n * 0x20000 + CQ_OFF, 0, 0x8000);
	guest_wr(g, 0x14, 1);
	guest_wr64(g, Q(n, SQ_BASE), MEM_IOVA + n * 0x20000 + SQ_OFF);
	guest_wr64(g, Q(n, CQ_BASE), MEM_IOVA + n * 0x20000 + CQ_OFF);
	guest_wr(g, Q(n, SIZE), size);
	guest_wr(g, Q(n, QCTRL), 3);
	CHECK_EQ(guest_rd(g, Q(n, QSTATUS)), 1);
}

void guest_put(struct guest *g, uint32_t n, struct hisil_sqe e)
{
	memcpy(g->mem + n * 0x20000 + SQ_OFF + (g->tail[n] & (g->size - 1)) * 64, &e, 64);
	g->tail[n]++;
}

void guest_bell(struct guest *g, uint32_t n)
{
	guest_wr(g, Q(n, SQ_TAIL), g->tail[n]);
}

/* The next completion, if its phase says that it is there. */
bool guest_get(struct guest *g, uint32_t n, struct hisil_cqe *c)
{
	memcpy(c, g->mem + n * 0x20000 + CQ_OFF + (g->head[n] & (g->size - 1)) * 32, 32);
	if ((c->phase & 1) != ((g->head[n] / g->size & 1) ^ 1))
		return false;
	g->head[n]++;
	return true;
}

struct hisil_cqe guest_run(struct guest *g, struct hisil_sqe e)
{
	struct hisil_cqe c = { .status = 0xffff };

	guest_put(g, 0, e);
	guest_bell(g, 0);
	CHECK(guest_get(g, 0, &c));
	CHECK_EQ(c.tag, e.tag);
	guest_wr(g, Q(0, CQ_HEAD), g->head[0]);
	return c;
}

struct hisil_sqe guest_op(uint8_t opcode, uint32_t src_len, uint32_t dst_len)
{
	return (struct hisil_sqe) {
		.opcode = opcode, .tag = 0x1000u + opcode, .src = MEM_IOVA + SRC_OFF,
		.dst = MEM_IOVA + DST_OFF, .src_len = src_len, .dst_len = dst_len,
	};
}
