// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: the peer's TCP: a few connections to the echo port.  What arrives in order goes
 * to a ring and is sent back from it until it is acknowledged.  No options but the MSS, no
 * congestion control: the wire is a memory copy, and losses come from guests that stand still.
 */
#include <stdlib.h>
#include <string.h>

#include "mlx5_like_peer.h"

#define RING_BYTES	65536u
#define MAX_WINDOW	65535u
#define MSS		1460u
#define MIN_MSS		64u
#define FIRST_RTO_NS	200000000ull
#define MAX_SHIFT	4u
#define MAX_TRIES	200u

enum { F_FIN = 1, F_SYN = 2, F_RST = 4, F_PSH = 8, F_ACK = 16 };

struct segment {
	const struct peer_packet *ip;
	uint16_t from, to;
	uint32_t seq, ack, window;
	uint8_t flags;
	uint16_t mss;
	const uint8_t *data;
	uint32_t bytes;
};

/* a is before b */
static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* ---- sending ---- */

static void send_segment(struct mlxl *m, const uint8_t *mac, uint32_t address, uint16_t from,
			 uint16_t to, uint32_t seq, uint32_t ack, uint8_t flags, uint32_t window,
			 uint8_t *frame, size_t bytes)
{
	uint8_t *tcp = frame + ETH_BYTES + IP_BYTES;
	size_t head = TCP_BYTES + (flags & F_SYN ? 4 : 0);

	memset(tcp, 0, TCP_BYTES);
	peer_put16(tcp, from);
	peer_put16(tcp + 2, to);
	peer_put32(tcp + 4, seq);
	peer_put32(tcp + 8, ack);
	tcp[12] = (uint8_t)(head / 4 << 4);
	tcp[13] = flags;
	peer_put16(tcp + 14, window);
	if (flags & F_SYN)
		peer_put32(tcp + TCP_BYTES, 0x02040000u | MSS);
	peer_put16(tcp + 16, peer_transport_sum(PEER_ADDRESS, address, PROTO_TCP, tcp,
						head + bytes));
	peer_send_ip(m, frame, mac, address, PROTO_TCP, head + bytes);
}

/* Send @bytes of the ring, @from behind the first, or none. */
static void conn_send(struct mlxl *m, struct peer_tcp *c, uint32_t seq, uint8_t flags,
		      uint32_t from, uint32_t bytes)
{
	uint8_t frame[MLXL_FRAME_BYTES], *data = frame + ETH_BYTES + IP_BYTES + TCP_BYTES;
	uint32_t at = (c->head + from) % RING_BYTES;
	uint32_t first = bytes < RING_BYTES - at ? bytes : RING_BYTES - at;

	memcpy(data, c->data + at, first);
	memcpy(data + first, c->data, bytes - first);
	c->shown = MAX_WINDOW - c->used;
	send_segment(m, c->mac, c->address, PEER_ECHO_PORT, c->port, seq, c->expected, flags,
		     c->shown, frame, bytes);
}

static void refuse(struct mlxl *m, const struct segment *s)
{
	uint32_t length = s->bytes + !!(s->flags & F_SYN) + !!(s->flags & F_FIN);
	uint8_t frame[MLXL_FRAME_BYTES];

	if (s->flags & F_RST)
		return;
	if (s->flags & F_ACK)
		send_segment(m, s->ip->mac, s->ip->from, s->to, s->from, s->ack, 0, F_RST, 0,
			     frame, 0);
	else
		send_segment(m, s->ip->mac, s->ip->from, s->to, s->from, 0, s->seq + length,
			     F_RST | F_ACK, 0, frame, 0);
}

static void set_timer(struct mlxl *m, struct peer_tcp *c)
{
	unsigned int shift = c->tries < MAX_SHIFT ? c->tries : MAX_SHIFT;

	c->due = vu_now() + (FIRST_RTO_NS << shift);
	vu_wake_at(m->dev, c->due);
}

/* Send what the window allows; an acknowledgement goes along, or alone if one is owed. */
static void output(struct mlxl *m, struct peer_tcp *c, bool owed)
{
	uint32_t sent = c->next - c->una;

	if (c->state != TCP_OPEN)
		return;
	while (!c->fin_sent && sent < c->used && sent < c->window) {
		uint32_t n = c->used - sent;

		if (n > c->window - sent)
			n = c->window - sent;
		if (n > c->mss)
			n = c->mss;
		conn_send(m, c, c->next, F_ACK | F_PSH, sent, n);
		if (before(c->next, c->max))
			c->resent += n;
		c->next += n;
		sent += n;
		owed = false;
	}
	if (c->fin_received && !c->fin_sent && sent == c->used) {
		conn_send(m, c, c->next, F_ACK | F_FIN, 0, 0);
		c->next++;
		c->fin_sent = true;
		owed = false;
	}
	if (before(c->max, c->next))
		c->max = c->next;
	if (owed)
		conn_send(m, c, c->next, F_ACK, 0, 0);
	if (c->used || c->next != c->una) {
		if (!c->due)
			set_timer(m, c);
	} else {
		c->due = 0;
	}
}

static void conn_free(struct mlxl *m, struct peer_tcp *c)
{
	free(c->data);
	memset(c, 0, sizeof(*c));
	m->peer->tcp_closed++;
}

/* ---- receiving ---- */

static struct peer_tcp *find(struct mlxl_peer *peer, const struct segment *s)
{
	for (unsigned int i = 0; i < PEER_CONNECTIONS; i++) {
		struct peer_tcp *c = &peer->tcp[i];

		if (c->state != TCP_FREE && c->address == s->ip->from && c->port == s->from)
			return c;
	}
	return NULL;
}

static struct peer_tcp *find_free(struct mlxl_peer *peer)
{
	for (unsigned int i = 0; i < PEER_CONNECTIONS; i++)
		if (peer->tcp[i].state == TCP_FREE)
			return &peer->tcp[i];
	return NULL;
}

static void send_syn(struct mlxl *m, struct peer_tcp *c)
{
	uint8_t frame[MLXL_FRAME_BYTES];

	c->shown = MAX_WINDOW;
	send_segment(m, c->mac, c->address, PEER_ECHO_PORT, c->port, c->una, c->expected,
		     F_SYN | F_ACK, MAX_WINDOW, frame, 0);
	set_timer(m, c);
}

static void open_conn(struct mlxl *m, const struct segment *s)
{
	struct peer_tcp *c = find_free(m->peer);

	if (c)
		c->data = malloc(RING_BYTES);
	if (!c || !c->data || s->to != PEER_ECHO_PORT) {
		if (c) {
			free(c->data);
			c->data = NULL;
		}
		refuse(m, s);
		return;
	}
	m->peer->start += 0x01000193u;
	c->state = TCP_SYN_RECEIVED;
	memcpy(c->mac, s->ip->mac, 6);
	c->address = s->ip->from;
	c->port = s->from;
	c->mss = s->mss < MSS ? s->mss : MSS;
	c->una = m->peer->start;
	c->next = c->una + 1;
	c->max = c->next;
	c->window = s->window;
	c->expected = s->seq + 1;
	m->peer->tcp_opened++;
	send_syn(m, c);
}

/* False when the connection is over. */
static bool take_ack(struct mlxl *m, struct peer_tcp *c, const struct segment *s)
{
	uint32_t n = s->ack - c->una;

	if (before(c->max, s->ack) || before(s->ack, c->una))
		return true;
	if (c->state == TCP_SYN_RECEIVED) {
		if (!n)
			return true;
		c->state = TCP_OPEN;
		c->una++;
		n--;
	}
	if (!n && !s->bytes && s->window == c->window && c->used) {
		/* Three times the same: a segment is missing there. */
		if (++c->same_acks == 3) {
			c->next = c->una;
			c->fin_sent = false;
		}
	} else if (n) {
		c->same_acks = 0;
	}
	c->window = s->window;
	if (n > c->used)
		return false;		/* our FIN as well */
	c->head = (c->head + n) % RING_BYTES;
	c->used -= n;
	c->una += n;
	c->echoed += n;
	if (before(c->next, c->una))
		c->next = c->una;
	if (n) {
		c->tries = 0;
		c->due = 0;
	}
	(void)m;
	return true;
}

/* True when an acknowledgement is owed. */
static bool take_data(struct peer_tcp *c, const struct segment *s)
{
	uint32_t skip = c->expected - s->seq, n, at, first;

	if (!s->bytes && !(s->flags & F_FIN))
		return s->seq != c->expected;
	if (before(c->expected, s->seq) || skip > s->bytes || c->fin_received)
		return true;
	n = s->bytes - skip;
	if (n > MAX_WINDOW - c->used)
		n = MAX_WINDOW - c->used;
	at = (c->head + c->used) % RING_BYTES;
	first = n < RING_BYTES - at ? n : RING_BYTES - at;
	memcpy(c->data + at, s->data + skip, first);
	memcpy(c->data, s->data + skip + first, n - first);
	c->used += n;
	c->expected += n;
	if ((s->flags & F_FIN) && skip + n == s->bytes) {
		c->expected++;
		c->fin_received = true;
	}
	return true;
}

static void conn_input(struct mlxl *m, struct peer_tcp *c, const struct segment *s)
{
	bool owed;

	if (s->flags & F_RST) {
		if (s->seq - c->expected <= MAX_WINDOW)
			conn_free(m, c);
		return;
	}
	if (s->flags & F_SYN) {
		if (c->state == TCP_SYN_RECEIVED && s->seq + 1 == c->expected) {
			send_syn(m, c);
			return;
		}
		/* The other side has started again. */
		conn_free(m, c);
		open_conn(m, s);
		return;
	}
	if (!(s->flags & F_ACK))
		return;
	memcpy(c->mac, s->ip->mac, 6);
	if (!take_ack(m, c, s)) {
		conn_free(m, c);
		return;
	}
	if (c->state != TCP_OPEN)
		return;
	owed = take_data(c, s);
	/* Tell when a window that was nearly shut has opened. */
	if (c->shown < 2 * MSS && MAX_WINDOW - c->used >= RING_BYTES / 2)
		owed = true;
	output(m, c, owed);
}

static uint16_t find_mss(const uint8_t *options, size_t bytes)
{
	for (size_t at = 0; at < bytes && options[at]; ) {
		if (options[at] == 1) {
			at++;
			continue;
		}
		if (at + 2 > bytes || options[at + 1] < 2 || at + options[at + 1] > bytes)
			break;
		if (options[at] == 2 && options[at + 1] == 4) {
			uint16_t mss = peer_get16(options + at + 2);

			return mss < MIN_MSS ? MIN_MSS : mss;
		}
		at += options[at + 1];
	}
	return 536;
}

void peer_tcp_input(struct mlxl *m, const struct peer_packet *p)
{
	size_t head = p->bytes < TCP_BYTES ? 0 : (size_t)(p->data[12] >> 4) * 4;
	struct segment s = { .ip = p };
	struct peer_tcp *c;

	if (head < TCP_BYTES || head > p->bytes ||
	    peer_transport_sum(p->from, PEER_ADDRESS, PROTO_TCP, p->data, p->bytes)) {
		m->peer->bad++;
		return;
	}
	m->peer->tcp_segments++;
	s.from = peer_get16(p->data);
	s.to = peer_get16(p->data + 2);
	s.seq = peer_get32(p->data + 4);
	s.ack = peer_get32(p->data + 8);
	s.flags = p->data[13];
	s.window = peer_get16(p->data + 14);
	s.data = p->data + head;
	s.bytes = (uint32_t)(p->bytes - head);
	s.mss = find_mss(p->data + TCP_BYTES, head - TCP_BYTES);
	c = s.to == PEER_ECHO_PORT ? find(m->peer, &s) : NULL;
	if (c)
		conn_input(m, c, &s);
	else if ((s.flags & (F_SYN | F_ACK | F_RST)) == F_SYN)
		open_conn(m, &s);
	else
		refuse(m, &s);
}

/* ---- time-outs ---- */

static void timeout(struct mlxl *m, struct peer_tcp *c)
{
	if (++c->tries > MAX_TRIES) {
		m->peer->tcp_dropped++;
		conn_free(m, c);
		return;
	}
	c->due = 0;
	if (c->state == TCP_SYN_RECEIVED) {
		send_syn(m, c);
		return;
	}
	/* Begin again at the first byte that is missing; a shut window is probed with one. */
	c->next = c->una;
	c->fin_sent = false;
	if (!c->window && c->used) {
		conn_send(m, c, c->una, F_ACK | F_PSH, 0, 1);
		if (c->max == c->una)
			c->max++;
		set_timer(m, c);
		return;
	}
	output(m, c, false);
}

void peer_tcp_work(struct mlxl *m)
{
	uint64_t now = vu_now();

	for (unsigned int i = 0; i < PEER_CONNECTIONS; i++) {
		struct peer_tcp *c = &m->peer->tcp[i];

		if (c->state == TCP_FREE || !c->due)
			continue;
		if (c->due <= now)
			timeout(m, c);
		else
			vu_wake_at(m->dev, c->due);
	}
}
