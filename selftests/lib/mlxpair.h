/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two mlx5_like functions of one device, source and destination of a migration, with
 * the control ports of their model.  Functions return 0 or a negative errno.
 */
#ifndef SELFTEST_MLXPAIR_H
#define SELFTEST_MLXPAIR_H

#include "migration.h"
#include "mlx.h"
#include "vnet.h"

#define MLX_ECHO_MS	10000

/**
 * struct mlx_pair - The two
 * @ctrl: Their controlling function.
 * @slots: They.
 * @v: Likewise, open; 0 is the source.
 * @net: Driver of the source, and of the destination after a migration.
 * @fn: Control ports of the two.
 * @fw: Control port of the controlling function.
 * @tag: Of the next frame.
 */
struct mlx_pair {
	struct slot ctrl;
	struct slot slots[2];
	struct vdev v[2];
	struct vnet net;
	struct model fn[2];
	struct model fw;
	uint32_t tag;
};

/* Open everything and start the source's driver.  TOO_FEW without such a device. */
int mlx_pair_open(struct mlx_pair *p);
/* Also clears all faults. */
void mlx_pair_close(struct mlx_pair *p);
/* Close and open one function. */
void mlx_pair_close_fn(struct mlx_pair *p, unsigned int fn);
int mlx_pair_open_fn(struct mlx_pair *p, unsigned int fn);

/* Until their controlling function controls them, or does not. */
int mlx_pair_controlled(struct mlx_pair *p, bool yes, unsigned int limit_ms);

/* A frame to the peer and back; and the page of the memory that the next one comes to. */
unsigned int mlx_pair_page(const struct mlx_pair *p);
int mlx_pair_echo(struct mlx_pair *p, unsigned int fn);
/*
 * Whatever state they are in: reset both, and start the source's driver.  They run in
 * the end, and the firmware says so, too.
 */
int mlx_pair_reset(struct mlx_pair *p);
/*
 * Move the source to the destination.  -EILSEQ when the destination is not what the
 * source was: image, scratch memory; what mlx_pair_echo() returns when it does not go
 * on.  The source is stopped then.
 */
int mlx_pair_migrate(struct mlx_pair *p, bool precopy);

/* Flags of a function as the firmware sees it (QUERY_FUNCTION). */
#define MLX_FN_SUSPENDED	0x3U
#define MLX_FN_SESSIONS		0x18U
int mlx_pair_flags(struct mlx_pair *p, unsigned int fn, unsigned int *flags);

/* Log all writes into the memory of a vnet; report into VNET_PAGES bits. */
int mlx_log_start(struct vdev *v);
int mlx_log_report(struct vdev *v, uint64_t *bitmap);
/* All pages are in it. */
bool mlx_log_is_all(const uint64_t *bitmap);

#endif /* SELFTEST_MLXPAIR_H */
