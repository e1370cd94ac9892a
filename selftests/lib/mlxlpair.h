/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two mlx5_like functions of one device, source and destination of a migration, with
 * the control ports of their model.  Functions return 0 or a negative errno.
 */
#ifndef SELFTEST_MLXLPAIR_H
#define SELFTEST_MLXLPAIR_H

#include "migration.h"
#include "mlxl.h"
#include "vnet.h"

#define MLXL_ECHO_MS	10000

/**
 * struct mlxl_pair - The two
 * @ctrl: Their controlling function.
 * @slots: They.
 * @v: Likewise, open; 0 is the source.
 * @net: Driver of the source, and of the destination after a migration.
 * @fn: Control ports of the two.
 * @fw: Control port of the controlling function.
 * @tag: Of the next frame.
 */
struct mlxl_pair {
	struct slot ctrl;
	struct slot slots[2];
	struct vdev v[2];
	struct vnet net;
	struct model fn[2];
	struct model fw;
	uint32_t tag;
};

/* Open everything and start the source's driver.  TOO_FEW without such a device. */
int mlxl_pair_open(struct mlxl_pair *p);
/* Also clears all faults. */
void mlxl_pair_close(struct mlxl_pair *p);
/* Close and open one function. */
void mlxl_pair_close_fn(struct mlxl_pair *p, unsigned int fn);
int mlxl_pair_open_fn(struct mlxl_pair *p, unsigned int fn);

/* Until their controlling function controls them, or does not. */
int mlxl_pair_controlled(struct mlxl_pair *p, bool yes, unsigned int limit_ms);

/* A frame to the peer and back; and the page of the memory that the next one comes to. */
unsigned int mlxl_pair_page(const struct mlxl_pair *p);
int mlxl_pair_echo(struct mlxl_pair *p, unsigned int fn);
/*
 * Whatever state they are in: reset both, and start the source's driver.  They run in
 * the end, and the firmware says so, too.
 */
int mlxl_pair_reset(struct mlxl_pair *p);
/*
 * Move the source to the destination.  -EILSEQ when the destination is not what the
 * source was: image, scratch memory; what mlxl_pair_echo() returns when it does not go
 * on.  The source is stopped then.
 */
int mlxl_pair_migrate(struct mlxl_pair *p, bool precopy);

/* Flags of a function as the firmware sees it (QUERY_FUNCTION). */
#define MLXL_FN_SUSPENDED	0x3U
#define MLXL_FN_SESSIONS		0x18U
int mlxl_pair_flags(struct mlxl_pair *p, unsigned int fn, unsigned int *flags);

/* Log all writes into the memory of a vnet; report into VNET_PAGES bits. */
int mlxl_log_start(struct vdev *v);
int mlxl_log_report(struct vdev *v, uint64_t *bitmap);
/* All pages are in it. */
bool mlxl_log_is_all(const uint64_t *bitmap);

#endif /* SELFTEST_MLXLPAIR_H */
