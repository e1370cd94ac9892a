// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty page tracking: hooks of the library on the trackers of the firmware.
 */
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
		.report_pages = mlxl_io_bitmap_pages(&caps),
	};
	return 0;
}

/**
 * mlxl_track_start() - The track_start hook
 * @mig: Device.
 * @what: What to record.
 * @limits: Not used: the firmware keeps to what it has said.
 *
 * A tracker that is there is armed again: if that is stuck, so would be all that could be
 * tried besides, and each costs a time-out and a restart of the queue.
 */
int mlxl_track_start(struct vmig_dev *mig, const struct vmig_track *what,
		     struct vmig_track_limits *limits)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	int err;

	if (md->track.session.control) {
		err = mlxl_hw_tracker_arm(md, &md->track.session);
		if (!err || err == -ETIMEDOUT || err == -ECONNABORTED)
			return err;
		mlxl_hw_tracker_destroy(md, &md->track.session);
	}
	md->track.page_log2 = what->page_log2;
	return mlxl_hw_tracker_create(md, what, &md->track.session);
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
 * @part: At most MLXL_TRACK_PAGES.
 * @dirty: Receives what was written.
 */
int mlxl_track_report(struct vmig_dev *mig, const struct vmig_range *part,
		      struct vmig_dirty *dirty)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	struct mlxl_tracker *t = &md->track;
	u64 pages = ((part->last - part->first) >> t->page_log2) + 1;
	int err;

	if (!t->session.control)
		return -ENODEV;
	err = mlxl_io_prepare(md, &t->io, &t->session, MLXL_TRACK_BYTES, DMA_FROM_DEVICE);
	if (!err)
		err = mlxl_hw_tracker_query(md, &t->session, &t->io, part->first,
					    pages << t->page_log2,
					    DIV_ROUND_UP(pages, 64) * sizeof(__le64));
	if (!err)
		vmig_dirty_push_bits(dirty, part->first, t->page_log2, t->io.chunk->data,
				     pages);
	return err;
}
