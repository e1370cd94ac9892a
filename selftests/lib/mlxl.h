/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mlx5_like functions for tests: bound to our drivers, provisioned through configfs.
 */
#ifndef SELFTEST_MLXL_H
#define SELFTEST_MLXL_H

#include "device.h"
#include "model.h"

#define MLXL_DRIVER	"vpv_mlx5_like"
#define MLXL_CTRL	"vpv_mlx5_ctrl"

/* Most memory of a session: four buffers of 2 MiB, and a little for records. */
#define MLXL_HELD_MAX	((8U << 20) + (64U << 10))

/* The controlling function, bound to its driver.  TOO_FEW without one. */
int mlxl_control(struct slot *ctrl);
/*
 * Another device, with a function that is provisioned and bound.  TOO_FEW without one.
 */
int mlxl_other(struct slot *ctrl, struct slot *fn);
/* Functions, provisioned and bound to our driver; their number. */
int mlxl_functions(struct slot *slots, int max);
/* Write or read a file of a function in configfs. */
int mlxl_config_write(const struct slot *ctrl, unsigned int fn, const char *file, const char *text);
int mlxl_config_read(const struct slot *ctrl, unsigned int fn, const char *file, char *buf,
		     size_t room);

#endif /* SELFTEST_MLXL_H */
