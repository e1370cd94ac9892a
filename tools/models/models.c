// SPDX-License-Identifier: GPL-2.0
/* The models that vpv-model offers. */
#include "models.h"

const struct vu_model *const vu_models[] = {
	&hisi_like_model,
	&mlx5_like_model,
	&plain_model,
	NULL,
};
