// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: the switch that joins the functions and the peer (section 8), and the frames
 * that wait for a function.
 */
#include <inttypes.h>
#include <string.h>

#include "mlx5_like.h"

#define TABLE	(sizeof(((struct mlxl_switch *)0)->table) / sizeof(((struct mlxl_switch *)0)->table[0]))
#define NO_PORT	0xffu

/* ---- frames that wait ---- */

const struct mlxl_frame *mlxl_backlog_first(const struct mlxl_fn *fn)
{
	return fn->backlog_count ? &fn->backlog[fn->backlog_head] : NULL;
}

void mlxl_backlog_pop(struct mlxl_fn *fn)
{
	if (!fn->backlog_count)
		return;
	fn->backlog_head = (fn->backlog_head + 1) % MLXL_BACKLOG;
	fn->backlog_count--;
}

static void backlog_push(struct mlxl_fn *fn, const uint8_t *frame, size_t bytes)
{
	struct mlxl_frame *f = &fn->backlog[(fn->backlog_head + fn->backlog_count) % MLXL_BACKLOG];

	/* Nobody listens: DRIVER_OK is missing. */
	if (fn->state != MLXL_ENABLED || !(fn->v.status & 4))
		return;
	if (fn->backlog_count == MLXL_BACKLOG) {
		fn->v.rx_dropped++;
		return;
	}
	f->bytes = (uint16_t)bytes;
	memcpy(f->data, frame, bytes);
	fn->backlog_count++;
	vu_kick(fn->dev);
}

static bool is_group(const uint8_t *mac)
{
	return mac[0] & 1;
}

/* The owner of @mac was migrated: what waits for it at the old port goes along. */
static void move_backlog(struct mlxl *m, unsigned int from, unsigned int to, const uint8_t *mac)
{
	struct mlxl_fn *old, *fn;
	unsigned int count;

	if (from >= m->num_fns || to >= m->num_fns)
		return;
	old = m->fn[from];
	fn = m->fn[to];
	if (!(old->flags & MLXL_FN_INITIATOR))
		return;
	for (count = old->backlog_count; count; count--) {
		struct mlxl_frame f = *mlxl_backlog_first(old);

		mlxl_backlog_pop(old);
		if (is_group(f.data) || !memcmp(f.data, mac, 6))
			backlog_push(fn, f.data, f.bytes);
	}
}

/* ---- the table ---- */

static unsigned int find_port(const struct mlxl *m, const uint8_t *mac)
{
	for (size_t i = 0; i < TABLE; i++)
		if (m->sw.table[i].used && !memcmp(m->sw.table[i].mac, mac, 6))
			return m->sw.table[i].port;
	return NO_PORT;
}

void mlxl_switch_learn(struct mlxl *m, unsigned int port, const uint8_t *mac)
{
	struct mlxl_switch *sw = &m->sw;

	if (is_group(mac))
		return;
	for (size_t i = 0; i < TABLE; i++) {
		if (!sw->table[i].used || memcmp(sw->table[i].mac, mac, 6))
			continue;
		if (sw->table[i].port != port) {
			unsigned int old = sw->table[i].port;

			sw->table[i].port = (uint8_t)port;
			sw->moved++;
			move_backlog(m, old, port, mac);
		}
		return;
	}
	memcpy(sw->table[sw->next].mac, mac, 6);
	sw->table[sw->next].used = true;
	sw->table[sw->next].port = (uint8_t)port;
	sw->next = (sw->next + 1) % TABLE;
}

void mlxl_switch_forget(struct mlxl *m, unsigned int port)
{
	for (size_t i = 0; i < TABLE; i++)
		if (m->sw.table[i].port == port)
			m->sw.table[i].used = false;
}

static void deliver(struct mlxl *m, unsigned int port, const uint8_t *frame, size_t bytes)
{
	if (port == MLXL_PEER_PORT)
		mlxl_peer_input(m, frame, bytes);
	else if (port < m->num_fns)
		backlog_push(m->fn[port], frame, bytes);
}

void mlxl_switch_input(struct mlxl *m, unsigned int port, const uint8_t *frame, size_t bytes)
{
	unsigned int to = is_group(frame) ? NO_PORT : find_port(m, frame);

	mlxl_switch_learn(m, port, frame + 6);
	if (to == port)
		return;
	if (to != NO_PORT) {
		deliver(m, to, frame, bytes);
		return;
	}
	m->sw.flooded++;
	for (unsigned int i = 0; i < m->num_fns; i++)
		if (i != port)
			deliver(m, i, frame, bytes);
	if (port != MLXL_PEER_PORT)
		deliver(m, MLXL_PEER_PORT, frame, bytes);
}

void mlxl_switch_print(const struct mlxl *m, FILE *out)
{
	for (size_t i = 0; i < TABLE; i++) {
		const uint8_t *mac = m->sw.table[i].mac;

		if (!m->sw.table[i].used)
			continue;
		fprintf(out, "%02x:%02x:%02x:%02x:%02x:%02x ", mac[0], mac[1], mac[2], mac[3],
			mac[4], mac[5]);
		if (m->sw.table[i].port == MLXL_PEER_PORT)
			fputs("peer\n", out);
		else
			fprintf(out, "%u\n", m->sw.table[i].port);
	}
	fprintf(out, "flooded %" PRIu64 "\nmoved %" PRIu64 "\n", m->sw.flooded, m->sw.moved);
}
