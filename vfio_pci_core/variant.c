// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks of a variant and those of its companion: which come first.  What a variant
 * sets up is there when the companion begins, and until it has ended.
 */
#include "vpv.h"

int vpv_variant_init(struct vpv_device *vpv)
{
	const struct vpv_variant *variant = vpv->variant;
	int ret = variant->init ? variant->init(vpv) : 0;

	if (ret || !variant->companion)
		return ret;
	ret = variant->companion->init(vpv);
	if (ret && variant->fini)
		variant->fini(vpv);
	return ret;
}

void vpv_variant_fini(struct vpv_device *vpv)
{
	const struct vpv_variant *variant = vpv->variant;

	if (variant->companion)
		variant->companion->fini(vpv);
	if (variant->fini)
		variant->fini(vpv);
}

int vpv_variant_open(struct vpv_device *vpv)
{
	const struct vpv_variant *variant = vpv->variant;
	int ret = 0;

	vpv->state->opening = true;
	if (variant->open)
		ret = variant->open(vpv);
	if (!ret && variant->companion) {
		ret = variant->companion->open(vpv);
		if (ret && variant->close)
			variant->close(vpv);
	}
	vpv->state->opening = false;
	return ret;
}

void vpv_variant_close(struct vpv_device *vpv)
{
	const struct vpv_variant *variant = vpv->variant;

	if (variant->companion)
		variant->companion->close(vpv);
	if (variant->close)
		variant->close(vpv);
}

void vpv_variant_reset_prepare(struct vpv_device *vpv)
{
	const struct vpv_variant *variant = vpv->variant;

	if (variant->companion)
		variant->companion->reset_prepare(vpv);
	if (variant->reset_prepare)
		variant->reset_prepare(vpv);
}

void vpv_variant_reset_done(struct vpv_device *vpv)
{
	const struct vpv_variant *variant = vpv->variant;

	if (variant->reset_done)
		variant->reset_done(vpv);
	if (variant->companion)
		variant->companion->reset_done(vpv);
}

void vpv_variant_remove(struct vpv_device *vpv)
{
	const struct vpv_variant *variant = vpv->variant;

	if (variant->companion)
		variant->companion->remove(vpv);
	if (variant->remove)
		variant->remove(vpv);
}
