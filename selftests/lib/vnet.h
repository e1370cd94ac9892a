/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small virtio-net driver in user space, for mlx5_like functions: one receive and
 * one transmit queue, one frame at a time, UDP to the peer that echoes it
 * (Documentation/hardware/mlx5_like.rst).
 *
 * All of its state is in memory that the function reaches, so that it goes on after
 * the function was migrated to another one that has the same memory.
 */
#ifndef SELFTEST_VNET_H
#define SELFTEST_VNET_H

#include "device.h"

#define VNET_IOVA	0x10000000ULL
#define VNET_PAGES	512
#define VNET_PAGE	4096ULL
#define VNET_BYTES	(VNET_PAGES * VNET_PAGE)

/**
 * struct vnet - The driver
 * @mem: VNET_BYTES of memory.
 * @iova: Where they are for the function; VNET_IOVA after vnet_alloc().
 * @mac: Of the function.
 * @rx: Frames received.
 * @tx: Frames sent.
 */
struct vnet {
	uint8_t *mem;
	uint64_t iova;
	uint8_t mac[6];
	uint16_t rx;
	uint16_t tx;
};

/* Allocate memory, once. */
int vnet_alloc(struct vnet *n);
void vnet_free(struct vnet *n);
/* Let a function reach the memory. */
int vnet_map(struct vnet *n, struct vdev *v);
/* Reset and start a function. */
int vnet_start(struct vnet *n, struct vdev *v);
/*
 * Send @tag to the peer and wait for it to come back, into page @page of the memory
 * (VNET_FIRST_PAGE and above).  0, -ETIMEDOUT, or -EBADMSG for something else.
 */
#define VNET_FIRST_PAGE 8
int vnet_echo(struct vnet *n, struct vdev *v, uint32_t tag, unsigned int page, int ms);
/* Its two halves. */
int vnet_send(struct vnet *n, struct vdev *v, uint32_t tag, unsigned int page);
int vnet_receive(struct vnet *n, uint32_t tag, unsigned int page, int ms);
/* Likewise, into a page anywhere: @in, which is at @iova for the function. */
int vnet_echo_to(struct vnet *n, struct vdev *v, uint32_t tag, uint8_t *in, uint64_t iova,
		 int ms);

#endif /* SELFTEST_VNET_H */
