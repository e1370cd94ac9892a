/* SPDX-License-Identifier: GPL-2.0 */
/* The device models, one source file each. */
#ifndef MODELS_H
#define MODELS_H

#include "vu.h"

extern const struct vu_model hisi_like_model;
extern const struct vu_model mlx5_like_model;
extern const struct vu_model plain_model;

#endif /* MODELS_H */
