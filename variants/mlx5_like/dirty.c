// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty page tracking: hooks of the library on the trackers of the firmware.
 */
#include <linux/bitmap.h>

#include "mlx5_like.h"

/**
 * mlxl_track_limits() - The track_limits hook
 * @mig: Device.
 * @limits: Receives the limits.
 */
int mlxl_track_limits(struct vmig_dev *mig, struct vmig_track_limits *limits)
{
	struct mlxl_caps caps;
	int err;

	err = mlxl_hw_caps(mlxl_from_mig(mig), &caps);
	if (err)
		return err;
	if (!(le32_to_cpu(caps.flags) & MLXL_CAPS_TRACKER))
		return -EOPNOTSUPP;
	*limits = (struct vmig_track_limits){
		/* As many as fit into the input of the command, too. */
		.ranges = min_t(u32, le32_to_cpu(caps.ranges), SZ_4K),
		.page_min_log2 = caps.page_min_log2,
		.page_max_log2 = caps.page_max_log2,
		/* Sizes of ranges are 64 bits wide: not one of the whole space. */
		.address_bits = min_t(u8, caps.address_bits, 63),
		.pages = le64_to_cpu(caps.track_pages),
		.report_pages = min_t(u64, le64_to_cpu(caps.query_pages), MLXL_TRACK_PAGES),
	};
	return 0;
}

/**
 * mlxl_track_start() - The track_start hook
 * @mig: Device.
 * @ranges: Ranges.
 * @num: Their number.
 * @page_log2: Page size.
 *
 * One that is there is armed again: if that is stuck, so would be all that could be tried
 * besides, and each costs a time-out and a restart of the queue.
 */
int mlxl_track_start(struct vmig_dev *mig, const struct vmig_range *ranges, u32 num,
		     u8 page_log2)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	int err;

	if (md->track.session.control) {
		err = mlxl_hw_tracker_arm(md, &md->track.session);
		if (!err || err == -ETIMEDOUT || err == -ECONNABORTED)
			return err;
		mlxl_hw_tracker_destroy(md, &md->track.session);
	}
	md->track.page_log2 = page_log2;
	return mlxl_hw_tracker_create(md, ranges, num, page_log2, &md->track.session);
}

/**
 * mlxl_track_stop() - The track_stop hook
 * @mig: Device.
 */
void mlxl_track_stop(struct vmig_dev *mig)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);

	mlxl_hw_tracker_destroy(md, &md->track.session);
	mlxl_io_free(&md->track.io);
}

/**
 * mlxl_track_report() - The track_report hook
 * @mig: Device.
 * @iova: First page.
 * @pages: Number of pages, at most MLXL_TRACK_PAGES.
 * @bitmap: Receives the bits.
 */
int mlxl_track_report(struct vmig_dev *mig, u64 iova, u64 pages, unsigned long *bitmap)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	struct mlxl_tracker *t = &md->track;
	u32 words = DIV_ROUND_UP(pages, 64);
	u64 *bits;
	int err;

	if (!t->session.control)
		return -ENODEV;
	err = mlxl_io_prepare(md, &t->io, &t->session, MLXL_TRACK_BYTES, DMA_FROM_DEVICE);
	if (err)
		return err;
	err = mlxl_hw_tracker_query(md, &t->session, &t->io, iova,
				    pages << t->page_log2, words * sizeof(*bits));
	if (err)
		return err;

	bits = t->io.chunk->data;
	for (u32 i = 0; i < words; i++)
		le64_to_cpus(&bits[i]);
	bitmap_from_arr64(bitmap, bits, pages);
	return 0;
}
