// SPDX-License-Identifier: GPL-2.0
/* The users of mlx5_like: see mlxl_host.h. */
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "mlxl_host.h"

static void enable_msix(struct rig *r, int *ev, unsigned int n)
{
	uint16_t enable = PCI_MSIX_FLAGS_ENABLE;

	rig_enable(r);
	CHECK_EQ(rig_write(r, VFIO_PCI_CONFIG_REGION_INDEX, r->dev->cfg.msix + 2, &enable, 2), 0);
	for (unsigned int i = 0; i < n; i++)
		ev[i] = eventfd(0, EFD_NONBLOCK);
	CHECK_EQ(rig_set_irqs(r, VFIO_PCI_MSIX_IRQ_INDEX,
			      VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, n, ev, n),
		 0);
}

/* ---- host ---- */

void host_open(struct host *h, char **options)
{
	uint64_t base = HOST_IOVA;

	memset(h, 0, sizeof(*h));
	h->r = rig_open(vu_model_find("mlx5_like"), options);
	h->mem = rig_memory(h->r, HOST_IOVA, HOST_BYTES, 3, &h->fd);
	enable_msix(h->r, h->ev, 2);
	CHECK_EQ(rig_write(h->r, 0, MLXL_REG_CMDQ_BASE, &base, 8), 0);
	rig_write32(h->r, 0, MLXL_REG_CMDQ_LOG2, 5);
	rig_write32(h->r, 0, MLXL_REG_CMDQ_CTRL, 3);
	CHECK_EQ(rig_read32(h->r, 0, MLXL_REG_STATUS), MLXL_STATUS_READY | MLXL_STATUS_CMDQ);
}

void host_close(struct host *h)
{
	close(h->ev[0]);
	close(h->ev[1]);
	munmap(h->mem, HOST_BYTES);
	close(h->fd);
	rig_close(h->r);
}

struct mlxl_slot *host_slot(struct host *h, unsigned int n)
{
	return (struct mlxl_slot *)(void *)(h->mem + n * sizeof(struct mlxl_slot));
}

static struct mlxl_box *box_at(struct host *h, unsigned int n, unsigned int i)
{
	return (struct mlxl_box *)(void *)(h->mem + BOXES_OFF + (n * 66ull + i) * MLXL_PAGE);
}

/* A chain of blocks from block @first of slot @n on. */
static uint64_t fill_chain(struct host *h, unsigned int n, unsigned int first, const void *data,
			   uint32_t bytes)
{
	const uint8_t *at = data;
	uint32_t left = bytes;

	for (unsigned int i = 0; left; i++) {
		uint32_t part = left < MLXL_BOX_DATA ? left : MLXL_BOX_DATA;
		struct mlxl_box *b = box_at(h, n, first + i);

		left -= part;
		b->next = left ? HOST_IOVA + (uint64_t)((uint8_t *)box_at(h, n, first + i + 1) -
							h->mem) : 0;
		b->tag = h->tag;
		b->index = (uint16_t)i;
		b->bytes = at ? (uint16_t)part : 0;
		if (at) {
			memcpy(b->data, at, part);
			at += part;
		}
	}
	return HOST_IOVA + (uint64_t)((uint8_t *)box_at(h, n, first) - h->mem);
}

void host_fill(struct host *h, unsigned int n, uint16_t opcode, uint16_t function,
	       const void *in, uint32_t in_bytes, uint32_t out_bytes)
{
	struct mlxl_slot *s = host_slot(h, n);

	memset(s, 0, sizeof(*s));
	s->opcode = opcode;
	s->function = function;
	s->tag = ++h->tag;
	s->in_bytes = in_bytes;
	s->out_bytes = out_bytes;
	if (in_bytes > MLXL_INLINE_BYTES)
		s->in_box = fill_chain(h, n, 0, in, in_bytes);
	else if (in_bytes)
		memcpy(s->in, in, in_bytes);
	if (out_bytes > MLXL_INLINE_BYTES)
		s->out_box = fill_chain(h, n, 33, NULL, out_bytes);
	s->status = 0xffffffff;
	s->owner = 1;
}

void host_ring(struct host *h, uint32_t bits)
{
	rig_write32(h->r, 0, MLXL_REG_DOORBELL, bits);
}

void host_output(struct host *h, unsigned int n, void *out, uint32_t bytes)
{
	struct mlxl_slot *s = host_slot(h, n);

	if (s->out_bytes <= MLXL_INLINE_BYTES) {
		memcpy(out, s->out, bytes);
		return;
	}
	CHECK_EQ(box_at(h, n, 33)->bytes, s->out_len < MLXL_BOX_DATA ? s->out_len : MLXL_BOX_DATA);
	memcpy(out, box_at(h, n, 33)->data, bytes);
}

uint32_t host_cmd(struct host *h, uint16_t opcode, uint16_t function, const void *in,
		  uint32_t in_bytes, void *out, uint32_t out_bytes)
{
	struct mlxl_slot *s = host_slot(h, 0);

	host_fill(h, 0, opcode, function, in, in_bytes, out_bytes);
	host_ring(h, 1);
	for (int i = 0; i < 1000 && s->owner; i++)
		rig_step(h->r);
	CHECK_EQ(s->owner, 0);
	CHECK_EQ(s->tag_out, h->tag);
	h->status = s->status;
	h->syndrome = s->syndrome;
	h->out_len = s->out_len;
	if (!s->owner && s->status == MLXL_OK && out_bytes)
		host_output(h, 0, out, out_bytes);
	return s->status;
}

uint32_t host_cmd1(struct host *h, uint16_t opcode, uint16_t function, uint32_t a)
{
	return host_cmd(h, opcode, function, &a, sizeof(a), NULL, 0);
}

uint32_t host_cmd2(struct host *h, uint16_t opcode, uint16_t function, uint32_t a, uint32_t b)
{
	uint32_t in[2] = { a, b };

	return host_cmd(h, opcode, function, in, sizeof(in), NULL, 0);
}

uint32_t host_flags(struct host *h, uint16_t function)
{
	uint32_t out[32];

	CHECK_EQ(host_cmd(h, MLXL_QUERY_FUNCTION, function, NULL, 0, out, sizeof(out)), 0);
	return out[1];
}

void host_provision(struct host *h, uint16_t function, uint16_t pairs, uint16_t queue_size)
{
	struct {
		uint8_t mac[6];
		uint16_t pairs, vectors, queue_size;
		uint32_t reserved;
	} in = { { 2, 0, 0, 0, 1, (uint8_t)function }, pairs, 4, queue_size, 0 };

	CHECK_EQ(host_cmd(h, MLXL_PROVISION, function, &in, sizeof(in), NULL, 0), 0);
	CHECK_EQ(host_cmd(h, MLXL_ENABLE, function, NULL, 0, NULL, 0), 0);
}

void host_suspend(struct host *h, uint16_t function)
{
	CHECK_EQ(host_cmd1(h, MLXL_SUSPEND, function, MLXL_INITIATOR), 0);
	CHECK_EQ(host_cmd1(h, MLXL_SUSPEND, function, MLXL_RESPONDER), 0);
}

uint32_t host_chunk(struct host *h, uint16_t opcode, uint16_t function, uint32_t session,
		    uint64_t off, uint32_t bytes, uint64_t at)
{
	struct {
		uint32_t session, count;
		uint64_t off;
		uint32_t bytes, reserved;
		struct mlxl_segment seg[2];
	} in = { session, 2, off, bytes, 0, { { at, bytes - 100, 0 },
					      { at + bytes - 100, 100, 0 } } };
	uint32_t out[2];

	return host_cmd(h, opcode, function, &in, sizeof(in), out, sizeof(out));
}

uint64_t host_save(struct host *h, uint16_t function, uint32_t mode, bool track)
{
	struct {
		uint32_t session, reserved;
		uint64_t bytes;
	} out;
	uint32_t in[2] = { mode, track };

	if (host_cmd(h, MLXL_SAVE_BEGIN, function, in, sizeof(in), &out, sizeof(out)))
		return 0;
	CHECK(out.bytes && out.bytes % MLXL_PAGE == 0 && out.bytes < HOST_BYTES - DATA_OFF);
	for (uint64_t off = 0; off < out.bytes;) {
		uint32_t n = out.bytes - off < 0x80000 ? (uint32_t)(out.bytes - off) : 0x80000;

		CHECK_EQ(host_chunk(h, MLXL_SAVE_CHUNK, function, out.session, off, n,
				    HOST_IOVA + DATA_OFF + off), 0);
		off += n;
	}
	CHECK_EQ(host_cmd2(h, MLXL_SAVE_END, function, out.session, track), 0);
	return out.bytes;
}

uint32_t host_load(struct host *h, uint16_t function, uint64_t bytes)
{
	uint32_t session[2], status;

	status = host_cmd(h, MLXL_LOAD_BEGIN, function, &bytes, sizeof(bytes), session,
			  sizeof(session));
	for (uint64_t off = 0; off < bytes && !status;) {
		uint32_t n = bytes - off < 0x80000 ? (uint32_t)(bytes - off) : 0x80000;

		status = host_chunk(h, MLXL_LOAD_CHUNK, function, session[0], off, n,
				    HOST_IOVA + DATA_OFF + off);
		off += n;
	}
	if (status) {
		uint32_t syndrome = h->syndrome;

		if (host_flags(h, function) & MLXL_FN_LOADING)
			CHECK_EQ(host_cmd2(h, MLXL_LOAD_END, function, session[0], 1), 0);
		h->syndrome = syndrome;
		return status;
	}
	return host_cmd2(h, MLXL_LOAD_END, function, session[0], 0);
}

/* ---- guest ---- */

enum { C_DEVICE_SELECT = 0, C_DEVICE_FEATURE = 4, C_DRIVER_SELECT = 8, C_DRIVER_FEATURE = 12,
       C_QUEUE_SELECT = 22, C_QUEUE_SIZE = 24, C_QUEUE_VECTOR = 26, C_QUEUE_ENABLE = 28,
       C_QUEUE_DESC = 32, C_QUEUE_DRIVER = 40, C_QUEUE_DEVICE = 48 };

#define RING(q)		((q) * 0x4000ull)
#define DRIVER_OFF	0x1000u
#define DEVICE_OFF	0x2000u

uint64_t nic_buffer(unsigned int q, unsigned int i)
{
	return NIC_IOVA + 0x20000 + (q * NIC_SIZE + i) * (uint64_t)NIC_BUFFER;
}

uint64_t nic_reg(struct nic *nic, uint32_t off, unsigned int bytes)
{
	uint64_t val = 0;

	CHECK_EQ(rig_read(nic->r, 0, off, &val, bytes), 0);
	return val;
}

void nic_set(struct nic *nic, uint32_t off, unsigned int bytes, uint64_t val)
{
	CHECK_EQ(rig_write(nic->r, 0, off, &val, bytes), 0);
	rig_step(nic->r);
}

void nic_open(struct nic *nic, struct host *h, unsigned int n, struct nic *share)
{
	memset(nic, 0, sizeof(*nic));
	nic->r = rig_open_controlled(h->r, n);
	nic->shared = share;
	if (share) {
		nic->mem = share->mem;
		nic->fd = share->fd;
		CHECK_EQ(rig_dma_map(nic->r, NIC_IOVA, NIC_BYTES, 0, 3, nic->fd), 0);
	} else {
		nic->mem = rig_memory(nic->r, NIC_IOVA, NIC_BYTES, 3, &nic->fd);
	}
	enable_msix(nic->r, nic->ev, 4);
}

void nic_close(struct nic *nic)
{
	for (int i = 0; i < 4; i++)
		close(nic->ev[i]);
	if (!nic->shared) {
		munmap(nic->mem, NIC_BYTES);
		close(nic->fd);
	}
	rig_close(nic->r);
}

void nic_desc(struct nic *nic, unsigned int q, unsigned int i, uint64_t addr, uint32_t len,
	      uint16_t flags, uint16_t next)
{
	uint8_t *d = nic->mem + RING(q) + i * 16;

	memcpy(d, &addr, 8);
	memcpy(d + 8, &len, 4);
	memcpy(d + 12, &flags, 2);
	memcpy(d + 14, &next, 2);
}

void nic_avail(struct nic *nic, unsigned int q, uint16_t head)
{
	uint8_t *ring = nic->mem + RING(q) + DRIVER_OFF;

	memcpy(ring + 4 + 2 * (nic->q[q].avail % NIC_SIZE), &head, 2);
	nic->q[q].avail++;
	memcpy(ring + 2, &nic->q[q].avail, 2);
}

uint16_t nic_used(struct nic *nic, unsigned int q)
{
	uint16_t used;

	memcpy(&used, nic->mem + RING(q) + DEVICE_OFF + 2, 2);
	return used;
}

void nic_post(struct nic *nic, unsigned int q, unsigned int count)
{
	while (count--) {
		uint16_t i = nic->q[q].avail % NIC_SIZE;

		nic_desc(nic, q, i, nic_buffer(q, i), NIC_BUFFER, 2, 0);
		nic_avail(nic, q, i);
	}
}

void nic_notify(struct nic *nic, unsigned int q)
{
	nic_set(nic, 0x3000 + 4 * q, 2, q);
}

void nic_start(struct nic *nic, uint64_t features, uint16_t pairs)
{
	unsigned int queues = (unsigned int)nic_reg(nic, 18, 2);

	memset(nic->q, 0, sizeof(nic->q));
	memset(nic->mem, 0, 0x20000);
	nic_set(nic, C_STATUS, 1, 0);
	nic_set(nic, C_STATUS, 1, 3);
	for (uint32_t i = 0; i < 2; i++) {
		nic_set(nic, C_DRIVER_SELECT, 4, i);
		nic_set(nic, C_DRIVER_FEATURE, 4, features >> 32 * i & 0xffffffff);
	}
	nic_set(nic, C_STATUS, 1, 11);
	CHECK_EQ(nic_reg(nic, C_STATUS, 1), 11);
	nic_set(nic, 16, 2, 3);		/* configuration vector */
	for (unsigned int q = 0; q < queues && q < 5; q++) {
		nic_set(nic, C_QUEUE_SELECT, 2, q);
		nic_set(nic, C_QUEUE_SIZE, 2, NIC_SIZE);
		nic_set(nic, C_QUEUE_VECTOR, 2, q < 2 ? q : 2);
		nic_set(nic, C_QUEUE_DESC, 8, NIC_IOVA + RING(q));
		nic_set(nic, C_QUEUE_DRIVER, 4, NIC_IOVA + RING(q) + DRIVER_OFF);
		nic_set(nic, C_QUEUE_DRIVER + 4, 4, 0);
		nic_set(nic, C_QUEUE_DEVICE, 8, NIC_IOVA + RING(q) + DEVICE_OFF);
		nic_set(nic, C_QUEUE_ENABLE, 2, 1);
	}
	nic_set(nic, C_STATUS, 1, STATUS_OK);
	for (unsigned int p = 0; p < pairs; p++) {
		nic_post(nic, 2 * p, NIC_SIZE);
		nic_notify(nic, 2 * p);
	}
}

void nic_put(struct nic *nic, unsigned int q, const void *frame, size_t bytes)
{
	uint16_t i = nic->q[q].avail % NIC_SIZE;
	uint8_t *buf = nic->mem + (nic_buffer(q, i) - NIC_IOVA);

	memset(buf, 0, 12);
	memcpy(buf + 12, frame, bytes);
	nic_desc(nic, q, i, nic_buffer(q, i), (uint32_t)bytes + 12, 0, 0);
	nic_avail(nic, q, i);
}

void nic_send(struct nic *nic, const void *frame, size_t bytes)
{
	nic_put(nic, 1, frame, bytes);
	nic_notify(nic, 1);
}

size_t nic_get(struct nic *nic, unsigned int q)
{
	uint8_t *ring = nic->mem + RING(q) + DEVICE_OFF;
	uint32_t entry[2];

	rig_step(nic->r);
	if (nic_used(nic, q) == nic->q[q].used)
		return 0;
	memcpy(entry, ring + 4 + 8 * (nic->q[q].used % NIC_SIZE), 8);
	nic->q[q].used++;
	if (entry[0] >= NIC_SIZE || entry[1] < 12 || entry[1] > NIC_BUFFER) {
		CHECK(false);
		return 0;
	}
	memcpy(nic->frame, nic->mem + (nic_buffer(q, entry[0]) - NIC_IOVA) + 12, entry[1] - 12);
	nic_desc(nic, q, entry[0], nic_buffer(q, entry[0]), NIC_BUFFER, 2, 0);
	nic_avail(nic, q, (uint16_t)entry[0]);
	return entry[1] - 12;
}
