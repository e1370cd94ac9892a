// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: the virtio-pci registers of a controlled function (7.1, 7.2).
 * What the queues do is in mlx5_like_net.c.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "mlx5_like.h"

#define COMMON_BYTES	64u
#define DEVICE_OFF	0x2000u
#define DEVICE_BYTES	12u
#define NOTIFY_OFF	0x3000u

enum {
	C_DEVICE_SELECT = 0, C_DEVICE_FEATURE = 4, C_DRIVER_SELECT = 8, C_DRIVER_FEATURE = 12,
	C_CONFIG_VECTOR = 16, C_NUM_QUEUES = 18, C_STATUS = 20, C_GENERATION = 21,
	C_QUEUE_SELECT = 22, C_QUEUE_SIZE = 24, C_QUEUE_VECTOR = 26, C_QUEUE_ENABLE = 28,
	C_QUEUE_NOTIFY_OFF = 30, C_QUEUE_DESC = 32, C_QUEUE_DRIVER = 40, C_QUEUE_DEVICE = 48,
};

uint64_t mlxl_fn_features(unsigned int pairs)
{
	uint64_t f = 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_F_ACCESS_PLATFORM |
		     1ull << VIRTIO_F_ORDER_PLATFORM | 1ull << 28 /* INDIRECT_DESC */ |
		     1ull << VIRTIO_NET_F_MAC | 1ull << VIRTIO_NET_F_STATUS |
		     1ull << VIRTIO_NET_F_MRG_RXBUF;

	if (pairs > 1)
		f |= 1ull << VIRTIO_NET_F_CTRL_VQ | 1ull << VIRTIO_NET_F_MQ;
	return f;
}

unsigned int mlxl_num_queues(const struct mlxl_fn *fn)
{
	unsigned int pairs = fn->v.cfg.pairs;

	return pairs > 1 ? 2 * pairs + 1 : 2;
}

static struct mlxl_queue *selected(struct mlxl_fn *fn)
{
	return fn->v.queue_select < mlxl_num_queues(fn) ? &fn->v.q[fn->v.queue_select] : NULL;
}

/* ---- reading: the structures are put together and any part of them is copied ---- */

static void put(uint8_t *out, unsigned int off, uint64_t val, unsigned int bytes)
{
	memcpy(out + off, &val, bytes);
}

static void fill_common(struct mlxl_fn *fn, uint8_t *out)
{
	const struct mlxl_virtio *v = &fn->v;
	const struct mlxl_queue *q = selected(fn);

	put(out, C_DEVICE_SELECT, v->device_select, 4);
	put(out, C_DEVICE_FEATURE,
	    v->device_select < 2 ? v->cfg.features >> 32 * v->device_select : 0, 4);
	put(out, C_DRIVER_SELECT, v->driver_select, 4);
	put(out, C_DRIVER_FEATURE,
	    v->driver_select < 2 ? v->driver_features >> 32 * v->driver_select : 0, 4);
	put(out, C_CONFIG_VECTOR, v->config_vector, 2);
	put(out, C_NUM_QUEUES, mlxl_num_queues(fn), 2);
	put(out, C_STATUS, v->status, 1);
	put(out, C_GENERATION, v->generation, 1);
	put(out, C_QUEUE_SELECT, v->queue_select, 2);
	if (!q)
		return;
	put(out, C_QUEUE_SIZE, q->size, 2);
	put(out, C_QUEUE_VECTOR, q->vector, 2);
	put(out, C_QUEUE_ENABLE, q->enabled, 2);
	put(out, C_QUEUE_NOTIFY_OFF, v->queue_select, 2);
	put(out, C_QUEUE_DESC, q->desc, 8);
	put(out, C_QUEUE_DRIVER, q->driver, 8);
	put(out, C_QUEUE_DEVICE, q->device, 8);
}

static void fill_device(struct mlxl_fn *fn, uint8_t *out)
{
	memcpy(out, fn->v.cfg.mac, 6);
	put(out, 6, VIRTIO_NET_S_LINK_UP, 2);
	put(out, 8, fn->v.cfg.pairs, 2);
}

static void copy_part(const uint8_t *from, size_t have, uint64_t off, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = off + i < have ? from[off + i] : 0;
}

void mlxl_virtio_read(struct mlxl_fn *fn, uint64_t off, void *buf, size_t len)
{
	uint8_t regs[COMMON_BYTES] = { 0 };

	memset(buf, 0, len);
	if (off < COMMON_BYTES) {
		fill_common(fn, regs);
		copy_part(regs, COMMON_BYTES, off, buf, len);
	} else if (off >= DEVICE_OFF && off < DEVICE_OFF + DEVICE_BYTES) {
		fill_device(fn, regs);
		copy_part(regs, DEVICE_BYTES, off - DEVICE_OFF, buf, len);
	}
}

/* ---- writing: a field at a time, in its own width ---- */

static void write_status(struct mlxl_fn *fn, uint32_t val)
{
	struct mlxl_virtio *v = &fn->v;
	uint64_t need = 1ull << VIRTIO_F_VERSION_1;

	if (!val) {
		mlxl_fn_clear(fn);
		mlxl_content_reset(fn);
		mlxl_base_drop(fn, true);
		mlxl_save_stale(fn);
		fn->held = 0;
		return;
	}
	if ((val & VIRTIO_CONFIG_S_FEATURES_OK) && !(v->status & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    ((v->driver_features & ~v->cfg.features) || !(v->driver_features & need)))
		val &= ~(uint32_t)VIRTIO_CONFIG_S_FEATURES_OK;
	/* Bits are only added; the device's own one is not the driver's. */
	v->status |= (uint8_t)(val & ~(uint32_t)VIRTIO_CONFIG_S_NEEDS_RESET);
	vu_kick(fn->dev);
}

static void write_driver_feature(struct mlxl_fn *fn, uint32_t val)
{
	struct mlxl_virtio *v = &fn->v;
	unsigned int shift = 32 * v->driver_select;

	if (v->driver_select > 1 || (v->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return;
	v->driver_features &= ~(0xffffffffull << shift);
	v->driver_features |= (uint64_t)val << shift;
}

static uint16_t take_vector(const struct mlxl_fn *fn, uint32_t val)
{
	return val < fn->v.cfg.vectors ? (uint16_t)val : MLXL_NO_VECTOR;
}

static bool rings_ok(const struct mlxl_queue *q)
{
	return q->size && !(q->desc & 15) && !(q->driver & 1) && !(q->device & 3);
}

static void write_queue_size(struct mlxl_fn *fn, struct mlxl_queue *q, uint32_t val)
{
	if (!q->enabled && val && !(val & (val - 1)) && val <= fn->v.cfg.queue_size)
		q->size = (uint16_t)val;
}

static void write_queue_enable(struct mlxl_fn *fn, struct mlxl_queue *q, uint32_t val)
{
	if (val != 1 || q->enabled || !rings_ok(q))
		return;
	q->enabled = 1;
	q->avail = 0;
	q->used = 0;
	q->parked = 0;
	vu_kick(fn->dev);
}

static void write_queue32(struct mlxl_fn *fn, uint32_t off, uint32_t val)
{
	struct mlxl_queue *q = selected(fn);
	uint64_t *reg;

	if (!q || q->enabled)
		return;
	reg = off < C_QUEUE_DRIVER ? &q->desc : off < C_QUEUE_DEVICE ? &q->driver : &q->device;
	if (off & 4)
		*reg = (*reg & 0xffffffffu) | (uint64_t)val << 32;
	else
		*reg = (*reg & ~0xffffffffull) | val;
}

static void write32(struct mlxl_fn *fn, uint32_t off, uint32_t val)
{
	switch (off) {
	case C_DEVICE_SELECT: fn->v.device_select = val; break;
	case C_DRIVER_SELECT: fn->v.driver_select = val; break;
	case C_DRIVER_FEATURE: write_driver_feature(fn, val); break;
	default:
		if (off >= C_QUEUE_DESC && off < C_QUEUE_DEVICE + 8)
			write_queue32(fn, off, val);
	}
}

static void write16(struct mlxl_fn *fn, uint32_t off, uint32_t val)
{
	struct mlxl_queue *q = selected(fn);

	if (off == C_CONFIG_VECTOR)
		fn->v.config_vector = take_vector(fn, val);
	else if (off == C_QUEUE_SELECT)
		fn->v.queue_select = (uint16_t)val;
	else if (q && off == C_QUEUE_VECTOR)
		q->vector = take_vector(fn, val);
	else if (q && off == C_QUEUE_SIZE)
		write_queue_size(fn, q, val);
	else if (q && off == C_QUEUE_ENABLE)
		write_queue_enable(fn, q, val);
}

void mlxl_virtio_write(struct mlxl_fn *fn, uint64_t off, const void *buf, size_t len)
{
	uint64_t val = 0;

	memcpy(&val, buf, len < 8 ? len : 8);
	if (off >= NOTIFY_OFF) {
		vu_kick(fn->dev);
	} else if (off >= COMMON_BYTES || (off & (len - 1))) {
		return;
	} else if (len == 1 && off == C_STATUS) {
		write_status(fn, (uint32_t)val);
	} else if (len == 2) {
		write16(fn, (uint32_t)off, (uint32_t)val);
	} else if (len == 4) {
		write32(fn, (uint32_t)off, (uint32_t)val);
	} else if (len == 8 && off >= C_QUEUE_DESC) {
		write32(fn, (uint32_t)off, (uint32_t)val);
		write32(fn, (uint32_t)off + 4, (uint32_t)(val >> 32));
	}
}

/* ---- a loaded state ---- */

static bool queue_ok(const struct mlxl_virtio *v, const struct mlxl_queue *q)
{
	if (!q->size || (q->size & (q->size - 1)) || q->size > v->cfg.queue_size || q->enabled > 1 ||
	    q->reserved || q->parked > MLXL_PARKED || (!q->enabled && q->parked) ||
	    (q->vector != MLXL_NO_VECTOR && q->vector >= v->cfg.vectors))
		return false;
	for (unsigned int i = 0; i < q->parked; i++)
		if (q->heads[i] >= q->size)
			return false;
	return !q->enabled || rings_ok(q);
}

/* Until the driver says that it has done, it may have written anything. */
static bool features_ok(const struct mlxl_virtio *v)
{
	return !(v->status & VIRTIO_CONFIG_S_FEATURES_OK) ||
	       !(v->driver_features & ~v->cfg.features);
}

bool mlxl_virtio_ok(const struct mlxl_virtio *v)
{
	if (v->reserved || v->cfg.reserved || !v->active_pairs ||
	    v->active_pairs > v->cfg.pairs || !features_ok(v) ||
	    (v->config_vector != MLXL_NO_VECTOR && v->config_vector >= v->cfg.vectors))
		return false;
	for (size_t i = 0; i < sizeof(v->flows); i++)
		if (v->flows[i] >= v->cfg.pairs)
			return false;
	for (unsigned int i = 0; i < MLXL_MAX_QUEUES; i++)
		if (!queue_ok(v, &v->q[i]))
			return false;
	return true;
}
