// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like (Documentation/hardware/mlx5_like.rst): a frame to the peer and back.  Faults of the
 * controlling function have tests of their own.
 *
 * Machine mlx5 families: mlx5_like:2:image=8M:dirty=0:serial=1
 *	mlx5_like:1:image=8M:dirty=0:serial=2:firmware=2:incremental=0
 *	mlx5_like:1:image=1M:dirty=0:serial=3
 * Machine mlx5-fault allocations: mlx5_like:2:image=4M:dirty=0:timeout_ms=500
 * Machine control: mlx5_like:2:image=4M:dirty=0:timeout_ms=500
 *	mlx5_like:1:image=4M:dirty=0:timeout_ms=500:serial=2:slot=shared
 * Machine pairs: mlx5_like:2:image=1M:dirty=0:serial=1
 * Machine mlx5-death death: 7*mlx5_like:1:image=1M:dirty=0
 */
#include <string.h>

#include "../lib/family.h"
#include "../lib/mlxl.h"
#include "../lib/vnet.h"

#define ECHO_MS	10000

static unsigned int page(uint32_t tag)
{
	return VNET_FIRST_PAGE + tag % 64;
}

static int begin(struct guest *g)
{
	struct vnet *n = g->own;

	n->mem = g->mem;
	n->iova = GUEST_IOVA;
	return vnet_start(n, g->v);
}

static int start(struct guest *g, uint32_t tag)
{
	return vnet_send(g->own, g->v, tag, page(tag));
}

static int check(struct guest *g, uint32_t tag)
{
	return vnet_receive(g->own, tag, page(tag), ECHO_MS);
}

FAMILY(mlx5_like) = {
	.name = "mlx5_like", .driver = MLXL_DRIVER, .controller = "mlx5_ctrl",
	.migration = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P | VFIO_MIGRATION_PRE_COPY,
	.bar = 0, .bar_bytes = 0x4000, .record_max = 16 << 20, .state_max = 1 << 30,
	.rounds = true, .tracks = true,
	.mem_bytes = VNET_BYTES, .own_bytes = sizeof(struct vnet), .irq_index = -1,
	.slow = "fault op delay=1000", .counter = "tx_frames", .counts = 1, .counter_moves = true,
	.pause_fails = -EREMOTEIO, .load_fails = -EREMOTEIO,
	.bind = mlxl_functions, .begin = begin, .start = start, .check = check,
};
