/* SPDX-License-Identifier: GPL-2.0 */
/* A guest's network stack for the tests of mlx5_like: 10.76.0.2 with MAC 02:00:00:00:01:00. */
#ifndef MLXL_NET_H
#define MLXL_NET_H

#include "mlxl_host.h"

/* Frames to the peer; their length. */
size_t net_arp(uint8_t *f);
size_t net_icmp(uint8_t *f, size_t bytes);
size_t net_udp(uint8_t *f, uint16_t port, const void *data, size_t bytes);
/* The checksums of an IPv4 frame are right. */
bool net_ok(const uint8_t *f, size_t bytes);

/*
 * A TCP connection to the peer: bytes that follow from their position are sent, and what
 * comes back is compared.
 */
struct net_tcp {
	struct nic *nic;
	uint16_t port, to, window;
	uint32_t start, peer_start;
	uint32_t sent;			/* bytes sent for the first time */
	uint32_t acked;			/* by the peer */
	uint32_t echoed;		/* came back and was right */
	unsigned int bad;
	bool open, refused, fin, closed;
};

bool net_open(struct net_tcp *t, struct nic *nic, uint16_t port, uint16_t to);
/* Send a segment and take what comes; losing the one or the other. */
void net_pump(struct net_tcp *t, bool lose_out, bool lose_in);
/* Go on, with retransmissions, until all is echoed or nothing helps. */
void net_drain(struct net_tcp *t);
void net_drain_once(struct net_tcp *t);
void net_shut(struct net_tcp *t);

#endif /* MLXL_NET_H */
