// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: what the queues of a controlled function do: frames to and from the switch, and
 * the control queue.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "mlx5_like.h"

#define HDR_BYTES	sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define MIN_FRAME	14u
#define BATCH		32u
#define FLOWS		64u

/* Errors that mean: give up silently, the runtime or the user has changed its mind. */
static bool is_quiet(int err)
{
	return err == -EAGAIN || err == -ECANCELED || err == -EPERM || err == -ENOTCONN ||
	       err == -EINTR;
}

/* True when the queue cannot go on. */
static bool ring_error(struct mlxl_fn *fn, int err)
{
	if (err && !is_quiet(err))
		mlxl_fn_failed(fn, MLXL_FAIL_RING);
	return err;
}

static bool queue_ready(const struct mlxl_fn *fn, const struct mlxl_queue *q)
{
	return mlxl_fn_running(fn) && q->enabled && vu_bus_master(fn->dev) &&
	       (fn->v.status & VIRTIO_CONFIG_S_DRIVER_OK);
}

static bool fault_fails(struct mlxl_fn *fn, unsigned int point)
{
	struct vu_fault_hit hit;

	return vu_fault_take(fn->dev, point, &hit) && (hit.fail || hit.hang);
}

/* Addresses, and for IPv4 protocol and ports, whatever the direction. */
static unsigned int flow_of(const uint8_t *f, size_t bytes)
{
	unsigned int hash = 0;

	for (unsigned int i = 0; i < 6; i++)
		hash += f[i] + f[6 + i];
	if (bytes >= 38 && f[12] == 8 && !f[13] && f[14] == 0x45)
		for (unsigned int i = 34; i < 38; i++)
			hash = hash + f[i] * (i & 1 ? 1u : 31u);
	return hash % FLOWS;
}

/* ---- transmit ---- */

/* The fault point of the next frame is passed once, however often it has to wait. */
static bool may_send(struct mlxl_fn *fn)
{
	if (!fn->sending_begun)
		vu_wait_begin(fn->dev, &fn->sending, MLXL_FAULT_OP, 0, &fn->sending_hit);
	fn->sending_begun = !vu_wait_over(fn->dev, &fn->sending);
	return !fn->sending_begun;
}

static int send_one(struct mlxl_fn *fn, struct mlxl_queue *q, unsigned int pair)
{
	struct mlxl_chain chain;
	size_t bytes = 0;
	int err = mlxl_ring_peek(fn, q, 0, &chain);

	if (!err && chain.read_bytes >= HDR_BYTES + MIN_FRAME &&
	    chain.read_bytes <= HDR_BYTES + MLXL_FRAME_BYTES) {
		bytes = chain.read_bytes - HDR_BYTES;
		err = mlxl_chain_read(fn, &chain, fn->buffer, chain.read_bytes);
	}
	if (!err)
		err = mlxl_ring_used(fn, q, 0, chain.head, 0);
	if (!err)
		err = mlxl_ring_publish(fn, q, 1);
	if (err)
		return err;
	if (!bytes || fn->sending_hit.fail)
		return 0;
	fn->v.tx_frames++;
	fn->v.tx_bytes += bytes;
	fn->v.flows[flow_of(fn->buffer + HDR_BYTES, bytes)] = (uint8_t)pair;
	mlxl_switch_input(fn->m, fn->n, fn->buffer + HDR_BYTES, bytes);
	return 0;
}

static bool transmit(struct mlxl_fn *fn, unsigned int pair)
{
	struct mlxl_queue *q = &fn->v.q[2 * pair + 1];
	unsigned int done = 0;
	int err = 0;

	if (!queue_ready(fn, q))
		return false;
	while (!err && done < BATCH) {
		err = mlxl_ring_fetch(fn, q);
		if (!err && !may_send(fn))
			break;
		if (!err)
			err = send_one(fn, q, pair);
		done += !err;
	}
	if (ring_error(fn, err) && err != -EAGAIN)
		return false;
	if (done && ring_error(fn, mlxl_ring_interrupt(fn, q)))
		return false;
	return done == BATCH;
}

/* ---- receive ---- */

/* Find chains with room for @bytes.  Number of chains, 0 = not enough, or -errno. */
static int gather(struct mlxl_fn *fn, struct mlxl_queue *q, struct mlxl_chain *chains,
		  size_t bytes)
{
	bool merge = fn->v.driver_features & 1ull << VIRTIO_NET_F_MRG_RXBUF;
	uint64_t room = 0;
	unsigned int n;

	for (n = 0; n < q->parked && room < bytes; n++) {
		int err = mlxl_ring_peek(fn, q, n, &chains[n]);

		if (err)
			return err;
		if (chains[n].readable || !chains[n].write_bytes)
			return -EBADMSG;
		room += chains[n].write_bytes;
		if (room < bytes && !merge)
			return -ENOBUFS;
	}
	if (room >= bytes)
		return (int)n;
	return n == MLXL_PARKED ? -ENOBUFS : 0;
}

/* The driver learns of all chains of a frame at once. */
static int deliver(struct mlxl_fn *fn, struct mlxl_queue *q, const struct mlxl_chain *chains,
		   unsigned int count, size_t bytes)
{
	uint8_t *at = fn->buffer;

	for (unsigned int i = 0; i < count; i++) {
		size_t n = chains[i].write_bytes < bytes ? chains[i].write_bytes : bytes;
		int err = mlxl_chain_write(fn, &chains[i], at, n);

		if (!err)
			err = mlxl_ring_used(fn, q, i, chains[i].head, (uint32_t)n);
		if (err)
			return err;
		at += n;
		bytes -= n;
	}
	return mlxl_ring_publish(fn, q, count);
}

/* 0: a frame was received or dropped; -EAGAIN: no buffer */
static int receive_one(struct mlxl_fn *fn, struct mlxl_queue *q, const struct mlxl_frame *f)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { .num_buffers = 1 };
	struct mlxl_chain chains[MLXL_PARKED];
	size_t bytes = f->bytes;
	int n, err = mlxl_ring_fetch(fn, q);

	if (err)
		return err;
	n = gather(fn, q, chains, HDR_BYTES + bytes);
	if (n == -ENOBUFS) {
		/* No chain of this queue will ever hold it. */
		fn->v.rx_dropped++;
		mlxl_backlog_pop(fn);
		return 0;
	}
	if (n <= 0)
		return n ? n : -EAGAIN;
	hdr.num_buffers = (uint16_t)n;
	memcpy(fn->buffer, &hdr, HDR_BYTES);
	memcpy(fn->buffer + HDR_BYTES, f->data, bytes);
	mlxl_backlog_pop(fn);
	if (fault_fails(fn, MLXL_FAULT_RX)) {
		fn->v.rx_dropped++;
		return 0;
	}
	err = deliver(fn, q, chains, (unsigned int)n, HDR_BYTES + bytes);
	if (err)
		return err;
	fn->v.rx_frames++;
	fn->v.rx_bytes += bytes;
	return 0;
}

static struct mlxl_queue *queue_for(struct mlxl_fn *fn, const struct mlxl_frame *f)
{
	unsigned int pair = fn->v.flows[flow_of(f->data, f->bytes)];

	return &fn->v.q[2 * (pair < fn->v.active_pairs ? pair : 0)];
}

static bool receive(struct mlxl_fn *fn)
{
	uint32_t served = 0;
	unsigned int done = 0;
	int err = 0;

	while (done < BATCH) {
		const struct mlxl_frame *f = mlxl_backlog_first(fn);
		struct mlxl_queue *q = f ? queue_for(fn, f) : NULL;

		if (!f || !queue_ready(fn, q))
			break;
		err = receive_one(fn, q, f);
		if (err)
			break;
		served |= 1u << (q - fn->v.q);
		done++;
	}
	if (ring_error(fn, err) && err != -EAGAIN)
		return false;
	for (unsigned int i = 0; i < MLXL_MAX_QUEUES; i++)
		if ((served >> i & 1) && ring_error(fn, mlxl_ring_interrupt(fn, &fn->v.q[i])))
			return false;
	return done == BATCH;
}

/* ---- control queue ---- */

static uint8_t control_command(struct mlxl_fn *fn, const uint8_t *cmd, uint64_t bytes)
{
	uint16_t pairs;

	if (bytes != 4 || cmd[0] != VIRTIO_NET_CTRL_MQ ||
	    cmd[1] != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET)
		return VIRTIO_NET_ERR;
	memcpy(&pairs, cmd + 2, sizeof(pairs));
	if (!pairs || pairs > fn->v.cfg.pairs ||
	    !(fn->v.driver_features & 1ull << VIRTIO_NET_F_MQ))
		return VIRTIO_NET_ERR;
	fn->v.active_pairs = pairs;
	return VIRTIO_NET_OK;
}

static int control_one(struct mlxl_fn *fn, struct mlxl_queue *q)
{
	struct mlxl_chain chain;
	uint8_t cmd[64], ack;
	int err = mlxl_ring_fetch(fn, q);

	if (!err)
		err = mlxl_ring_peek(fn, q, 0, &chain);
	if (err)
		return err;
	if (!chain.write_bytes || chain.read_bytes < 2)
		return -EBADMSG;
	err = mlxl_chain_read(fn, &chain, cmd,
			      chain.read_bytes < sizeof(cmd) ? chain.read_bytes : sizeof(cmd));
	if (err)
		return err;
	ack = control_command(fn, cmd, chain.read_bytes);
	err = mlxl_chain_write(fn, &chain, &ack, 1);
	if (!err)
		err = mlxl_ring_used(fn, q, 0, chain.head, 1);
	if (!err)
		err = mlxl_ring_publish(fn, q, 1);
	return err ? err : mlxl_ring_interrupt(fn, q);
}

static bool control(struct mlxl_fn *fn)
{
	bool mq = fn->v.driver_features & 1ull << VIRTIO_NET_F_MQ;
	struct mlxl_queue *q = &fn->v.q[mq ? 2 * fn->v.cfg.pairs : 2];
	int err;

	if (!(fn->v.driver_features & 1ull << VIRTIO_NET_F_CTRL_VQ) || !queue_ready(fn, q))
		return false;
	err = control_one(fn, q);
	ring_error(fn, err);
	return !err;
}

bool mlxl_net_work(struct mlxl_fn *fn)
{
	bool more = false;

	if (!mlxl_fn_running(fn) || !(fn->v.status & VIRTIO_CONFIG_S_DRIVER_OK))
		return false;
	if (fault_fails(fn, MLXL_FAULT_RING)) {
		mlxl_fn_failed(fn, MLXL_FAIL_RING);
		return false;
	}
	if (fault_fails(fn, MLXL_FAULT_TRACK))
		mlxl_track_poison(fn);
	more |= control(fn);
	for (unsigned int pair = 0; pair < fn->v.cfg.pairs; pair++)
		more |= transmit(fn, pair);
	return receive(fn) || more;
}
