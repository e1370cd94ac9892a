/* SPDX-License-Identifier: GPL-2.0 */
/* mlx5_like: what the files of the built-in peer share (section 8). */
#ifndef MLX5_LIKE_PEER_H
#define MLX5_LIKE_PEER_H

#include "mlx5_like.h"

#define PEER_ADDRESS	0x0a4c0001u	/* 10.76.0.1 */
#define PEER_ECHO_PORT	7u
#define PEER_CONNECTIONS 16u

#define ETH_BYTES	14u
#define IP_BYTES	20u
#define TCP_BYTES	20u

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17 };

/* An IPv4 packet that was received: checked, without options of use. */
struct peer_packet {
	const uint8_t *mac;		/* of the sender */
	uint32_t from;
	uint8_t proto;
	const uint8_t *data;
	size_t bytes;
};

/*
 * A connection.  @una: first byte that was not acknowledged, @next: first to be sent, @max:
 * first that was never sent.  The ring @data holds @used bytes from @una on: what was
 * received is what is sent.
 */
struct peer_tcp {
	enum { TCP_FREE, TCP_SYN_RECEIVED, TCP_OPEN } state;
	uint8_t mac[6];
	uint32_t address;
	uint16_t port;
	uint16_t mss;
	uint32_t una, next, max, window;
	uint32_t expected;		/* next byte to be received */
	uint32_t shown;			/* window that the other side knows */
	uint32_t head, used;
	bool fin_received, fin_sent;
	unsigned int tries, same_acks;
	uint64_t due;			/* of a retransmission, 0 = none */
	uint64_t echoed, resent;
	uint8_t *data;
};

struct mlxl_peer {
	struct peer_tcp tcp[PEER_CONNECTIONS];
	uint64_t arp, icmp, udp, bad;
	uint64_t tcp_segments, tcp_opened, tcp_closed, tcp_dropped;
	uint32_t start;			/* of sequence numbers */
};

static inline uint16_t peer_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t peer_get32(const uint8_t *p)
{
	return (uint32_t)peer_get16(p) << 16 | peer_get16(p + 2);
}

static inline void peer_put16(uint8_t *p, uint32_t val)
{
	p[0] = (uint8_t)(val >> 8);
	p[1] = (uint8_t)val;
}

static inline void peer_put32(uint8_t *p, uint32_t val)
{
	peer_put16(p, val >> 16);
	peer_put16(p + 2, val);
}

/* Checksum of a transport segment with its pseudo header; 0 when right. */
uint16_t peer_transport_sum(uint32_t from, uint32_t to, uint8_t proto, const uint8_t *data,
			    size_t bytes);
/* Send what was put behind the IP header of @frame. */
void peer_send_ip(struct mlxl *m, uint8_t *frame, const uint8_t *mac, uint32_t to, uint8_t proto,
		  size_t bytes);
void peer_tcp_input(struct mlxl *m, const struct peer_packet *p);
void peer_tcp_work(struct mlxl *m);

#endif /* MLX5_LIKE_PEER_H */
