// SPDX-License-Identifier: GPL-2.0
/* A guest's network stack for the tests of mlx5_like: see mlxl_net.h. */
#include "mlxl_net.h"

#define SEGMENT	1000u

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static uint32_t add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

size_t net_arp(uint8_t *f)
{
	memcpy(f, "\xff\xff\xff\xff\xff\xff\2\0\0\0\1\0\x08\x06", 14);
	memcpy(f + 14, "\0\1\x08\0\6\4\0\1\2\0\0\0\1\0\x0a\x4c\0\2\0\0\0\0\0\0\x0a\x4c\0\1", 28);
	return 42;
}

static uint16_t pseudo(const uint8_t *f, size_t bytes)
{
	uint32_t sum = add(0, f + 26, 8) + f[23] + (uint32_t)(bytes - 34);

	return fold(add(sum, f + 34, bytes - 34));
}

/* The header in front of @bytes at f + 34, and the checksum at @check there. */
static size_t ip(uint8_t *f, uint8_t proto, size_t bytes, size_t check)
{
	memcpy(f, "\2\x76\x20\0\0\xfe\2\0\0\0\1\0\x08\0", 14);
	memcpy(f + 14, "\x45\0\0\0\0\0\0\0\x40\0\0\0\x0a\x4c\0\2\x0a\x4c\0\1", 20);
	put16(f + 16, (uint32_t)bytes + 20);
	f[23] = proto;
	put16(f + 24, fold(add(0, f + 14, 20)));
	put16(f + 34 + check, 0);
	put16(f + 34 + check, proto == 1 ? fold(add(0, f + 34, bytes)) : pseudo(f, bytes + 34));
	return bytes + 34;
}

bool net_ok(const uint8_t *f, size_t bytes)
{
	return !fold(add(0, f + 14, 20)) &&
	       !(f[23] == 1 ? fold(add(0, f + 34, bytes - 34)) : pseudo(f, bytes));
}

size_t net_icmp(uint8_t *f, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		f[34 + i] = (uint8_t)(i * 7);
	f[34] = 8;
	f[35] = 0;
	return ip(f, 1, bytes, 2);
}

size_t net_udp(uint8_t *f, uint16_t port, const void *data, size_t bytes)
{
	put16(f + 34, 3000);
	put16(f + 36, port);
	put16(f + 38, (uint32_t)bytes + 8);
	memcpy(f + 42, data, bytes);
	return ip(f, 17, bytes + 8, 6);
}

/* ---- TCP ---- */

static uint8_t byte_at(uint32_t i)
{
	return (uint8_t)(i * 2654435761u >> 13);
}

static void segment(struct net_tcp *t, uint8_t flags, uint32_t from, uint32_t bytes, bool lose)
{
	uint8_t f[1514];

	memset(f + 34, 0, 20);
	put16(f + 34, t->port);
	put16(f + 36, t->to);
	put32(f + 38, flags & SYN ? t->start : t->start + 1 + from);
	if (flags & ACK)
		put32(f + 42, t->peer_start + 1 + t->echoed + t->closed);
	f[46] = 0x50;
	f[47] = flags;
	put16(f + 48, t->window);
	for (uint32_t i = 0; i < bytes; i++)
		f[54 + i] = byte_at(from + i);
	if (!lose)
		nic_send(t->nic, f, ip(f, 6, 20 + bytes, 16));
}

static void take(struct net_tcp *t, const uint8_t *f, size_t n)
{
	uint32_t seq = get32(f + 38), ack = get32(f + 42), bytes;
	uint32_t head = 34 + (uint32_t)(f[46] >> 4) * 4, at;

	if (f[23] != 6 || (f[36] << 8 | f[37]) != t->port)
		return;
	if (n < 54 || !net_ok(f, n)) {
		t->bad++;
		return;
	}
	if (f[47] & RST) {
		t->refused = true;
		return;
	}
	if (f[47] & SYN) {
		t->peer_start = seq;
		t->open = ack == t->start + 1;
		return;
	}
	bytes = (uint32_t)n - head;
	at = seq - t->peer_start - 1;
	if ((int32_t)(ack - t->start - 1 - t->acked) > 0)
		t->acked = ack - t->start - 1;
	if (at <= t->echoed && at + bytes > t->echoed && t->window) {
		for (uint32_t i = t->echoed - at; i < bytes; i++)
			t->bad += f[head + i] != byte_at(at + i);
		t->echoed = at + bytes;
	}
	if ((f[47] & FIN) && at + bytes == t->echoed)
		t->closed = true;
}

static unsigned int receive(struct net_tcp *t, bool lose)
{
	unsigned int count = 0;
	size_t n;

	while ((n = nic_get(t->nic, 0))) {
		if (!lose)
			take(t, t->nic->frame, n);
		lose = false;
		count++;
		nic_notify(t->nic, 0);
	}
	return count;
}

bool net_open(struct net_tcp *t, struct nic *nic, uint16_t port, uint16_t to)
{
	memset(t, 0, sizeof(*t));
	t->nic = nic;
	t->port = port;
	t->to = to;
	t->window = 60000;
	t->start = 0xfffff000u;		/* wraps soon */
	segment(t, SYN, 0, 0, false);
	receive(t, false);
	if (t->open)
		segment(t, ACK, 0, 0, false);
	return t->open;
}

void net_pump(struct net_tcp *t, bool lose_out, bool lose_in)
{
	segment(t, ACK, t->sent, SEGMENT, lose_out);
	t->sent += SEGMENT;
	receive(t, lose_in);
	segment(t, ACK, t->sent, 0, false);
	/* What the peer has not got yet goes again before there is much of it. */
	if (t->sent - t->acked > 8 * SEGMENT)
		net_drain_once(t);
}

void net_drain_once(struct net_tcp *t)
{
	for (uint32_t at = t->acked; at < t->sent; at += SEGMENT)
		segment(t, ACK, at, t->sent - at < SEGMENT ? t->sent - at : SEGMENT, false);
	receive(t, false);
	segment(t, ACK, t->sent, 0, false);
	receive(t, false);
}

void net_drain(struct net_tcp *t)
{
	for (int i = 0; i < 60 && t->echoed != t->sent; i++) {
		net_drain_once(t);
		if (t->echoed != t->sent)
			rig_run(t->nic->r, 20);
	}
}

void net_shut(struct net_tcp *t)
{
	segment(t, FIN | ACK, t->sent, 0, false);
	receive(t, false);
	t->sent++;
	segment(t, ACK, t->sent, 0, false);
	receive(t, false);
}
