// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: the built-in peer (section 8): ARP, ICMP echo and UDP echo.  TCP is in
 * mlx5_like_tcp.c.  It trusts nothing that comes from a guest, checksums included.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mlx5_like_peer.h"

static const uint8_t peer_mac[6] = { 0x02, 0x76, 0x20, 0x00, 0x00, 0xfe };

/* ---- checksums ---- */

static uint32_t sum(uint32_t start, const uint8_t *data, size_t bytes)
{
	for (; bytes > 1; bytes -= 2, data += 2)
		start += peer_get16(data);
	return bytes ? start + (uint32_t)(*data << 8) : start;
}

static uint16_t fold(uint32_t val)
{
	while (val >> 16)
		val = (val & 0xffff) + (val >> 16);
	return (uint16_t)~val;
}

uint16_t peer_transport_sum(uint32_t from, uint32_t to, uint8_t proto, const uint8_t *data,
			    size_t bytes)
{
	uint32_t head = (from >> 16) + (from & 0xffff) + (to >> 16) + (to & 0xffff) + proto +
			(uint32_t)bytes;

	return fold(sum(head, data, bytes));
}

/* ---- sending ---- */

static void put_ethernet(uint8_t *frame, const uint8_t *mac, uint32_t type)
{
	memcpy(frame, mac, 6);
	memcpy(frame + 6, peer_mac, 6);
	peer_put16(frame + 12, type);
}

void peer_send_ip(struct mlxl *m, uint8_t *frame, const uint8_t *mac, uint32_t to, uint8_t proto,
		  size_t bytes)
{
	uint8_t *ip = frame + ETH_BYTES;

	put_ethernet(frame, mac, 0x0800);
	memset(ip, 0, IP_BYTES);
	ip[0] = 0x45;
	peer_put16(ip + 2, (uint32_t)(IP_BYTES + bytes));
	ip[6] = 0x40;		/* do not fragment */
	ip[8] = 64;
	ip[9] = proto;
	peer_put32(ip + 12, PEER_ADDRESS);
	peer_put32(ip + 16, to);
	peer_put16(ip + 10, fold(sum(0, ip, IP_BYTES)));
	mlxl_switch_input(m, MLXL_PEER_PORT, frame, ETH_BYTES + IP_BYTES + bytes);
}

/* ---- protocols ---- */

static void arp_input(struct mlxl *m, const uint8_t *frame, size_t bytes)
{
	static const uint8_t want[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	const uint8_t *arp = frame + ETH_BYTES;
	uint8_t reply[ETH_BYTES + 28];

	if (bytes < sizeof(reply) || memcmp(arp, want, sizeof(want)) ||
	    peer_get32(arp + 24) != PEER_ADDRESS)
		return;
	put_ethernet(reply, frame + 6, 0x0806);
	memcpy(reply + ETH_BYTES, want, sizeof(want));
	reply[ETH_BYTES + 7] = 2;
	memcpy(reply + ETH_BYTES + 8, peer_mac, 6);
	peer_put32(reply + ETH_BYTES + 14, PEER_ADDRESS);
	memcpy(reply + ETH_BYTES + 18, arp + 8, 10);
	m->peer->arp++;
	mlxl_switch_input(m, MLXL_PEER_PORT, reply, sizeof(reply));
}

static void icmp_input(struct mlxl *m, const struct peer_packet *p)
{
	uint8_t frame[MLXL_FRAME_BYTES], *icmp = frame + ETH_BYTES + IP_BYTES;

	if (p->bytes < 8 || fold(sum(0, p->data, p->bytes))) {
		m->peer->bad++;
		return;
	}
	if (p->data[0] != 8 || p->data[1])
		return;
	memcpy(icmp, p->data, p->bytes);
	icmp[0] = 0;
	peer_put16(icmp + 2, 0);
	peer_put16(icmp + 2, fold(sum(0, icmp, p->bytes)));
	m->peer->icmp++;
	peer_send_ip(m, frame, p->mac, p->from, PROTO_ICMP, p->bytes);
}

static void udp_input(struct mlxl *m, const struct peer_packet *p)
{
	uint8_t frame[MLXL_FRAME_BYTES], *udp = frame + ETH_BYTES + IP_BYTES;
	size_t bytes = p->bytes < 8 ? 0 : peer_get16(p->data + 4);
	uint16_t check;

	if (bytes < 8 || bytes > p->bytes ||
	    (peer_get16(p->data + 6) &&
	     peer_transport_sum(p->from, PEER_ADDRESS, PROTO_UDP, p->data, bytes))) {
		m->peer->bad++;
		return;
	}
	if (peer_get16(p->data + 2) != PEER_ECHO_PORT)
		return;
	memcpy(udp, p->data, bytes);
	memcpy(udp, p->data + 2, 2);
	memcpy(udp + 2, p->data, 2);
	peer_put16(udp + 6, 0);
	check = peer_transport_sum(PEER_ADDRESS, p->from, PROTO_UDP, udp, bytes);
	peer_put16(udp + 6, check ? check : 0xffff);
	m->peer->udp++;
	peer_send_ip(m, frame, p->mac, p->from, PROTO_UDP, bytes);
}

static void ip_input(struct mlxl *m, const uint8_t *frame, size_t bytes)
{
	const uint8_t *ip = frame + ETH_BYTES;
	size_t head, total;
	struct peer_packet p;

	bytes -= ETH_BYTES;
	if (bytes < IP_BYTES)
		return;
	head = (ip[0] & 15u) * 4;
	total = peer_get16(ip + 2);
	if (ip[0] >> 4 != 4 || head < IP_BYTES || total < head || total > bytes ||
	    fold(sum(0, ip, head))) {
		m->peer->bad++;
		return;
	}
	/* No fragments, and nothing for others. */
	if ((peer_get16(ip + 6) & 0x3fff) || peer_get32(ip + 16) != PEER_ADDRESS)
		return;
	p = (struct peer_packet) {
		.mac = frame + 6, .from = peer_get32(ip + 12), .proto = ip[9],
		.data = ip + head, .bytes = total - head,
	};
	switch (p.proto) {
	case PROTO_ICMP: icmp_input(m, &p); break;
	case PROTO_UDP: udp_input(m, &p); break;
	case PROTO_TCP: peer_tcp_input(m, &p); break;
	}
}

void mlxl_peer_input(struct mlxl *m, const uint8_t *frame, size_t bytes)
{
	bool mine = !memcmp(frame, peer_mac, 6);

	if (bytes < ETH_BYTES || (!mine && !(frame[0] & 1)))
		return;
	if (peer_get16(frame + 12) == 0x0806)
		arp_input(m, frame, bytes);
	else if (mine && peer_get16(frame + 12) == 0x0800)
		ip_input(m, frame, bytes);
}

/* ---- life cycle ---- */

int mlxl_peer_init(struct mlxl *m)
{
	m->peer = calloc(1, sizeof(*m->peer));
	return m->peer ? 0 : -ENOMEM;
}

void mlxl_peer_reset(struct mlxl *m)
{
	for (unsigned int i = 0; i < PEER_CONNECTIONS; i++)
		free(m->peer->tcp[i].data);
	memset(m->peer->tcp, 0, sizeof(m->peer->tcp));
}

void mlxl_peer_fini(struct mlxl *m)
{
	if (!m->peer)
		return;
	mlxl_peer_reset(m);
	free(m->peer);
	m->peer = NULL;
}

void mlxl_peer_work(struct mlxl *m)
{
	peer_tcp_work(m);
}

void mlxl_peer_print(const struct mlxl *m, FILE *out)
{
	const struct mlxl_peer *p = m->peer;

	fprintf(out, "arp %" PRIu64 "\nicmp %" PRIu64 "\nudp %" PRIu64 "\nbad %" PRIu64 "\n",
		p->arp, p->icmp, p->udp, p->bad);
	fprintf(out, "tcp_segments %" PRIu64 "\ntcp_opened %" PRIu64 "\ntcp_closed %" PRIu64
		"\ntcp_dropped %" PRIu64 "\n", p->tcp_segments, p->tcp_opened, p->tcp_closed,
		p->tcp_dropped);
	for (unsigned int i = 0; i < PEER_CONNECTIONS; i++) {
		const struct peer_tcp *c = &p->tcp[i];

		if (c->state != TCP_FREE)
			fprintf(out, "connection %u.%u.%u.%u:%u echoed %" PRIu64 " resent %" PRIu64
				" waiting %u\n", c->address >> 24, c->address >> 16 & 255,
				c->address >> 8 & 255, c->address & 255, c->port, c->echoed,
				c->resent, c->used);
	}
}
