// SPDX-License-Identifier: GPL-2.0
/*
 * Migration hooks of mlx5_like: suspend and resume, match data, loading.  Saving is in
 * save.c, commands are in hw.c; states, files and the stream are the library's.
 */
#include "mlx5_like.h"

#define CHECK_JIFFIES	(2 * HZ)

static const char lost_suspension[] = "the function has lost its suspension";

/**
 * mlxl_forget() - Give up all sessions without telling the firmware
 * @md: Device that was reset, or will be; no hook runs.
 */
void mlxl_forget(struct mlxl_dev *md)
{
	mlxl_ios_free(md);
	mlxl_save_begin(md);
	mlxl_hw_forget(&md->load.session);
	md->stale = false;
}

/* ---- Suspend and resume, and resets that come meanwhile ---- */

/* Resuming what runs changes nothing. */
static int settle(struct mlxl_dev *md)
{
	int err;

	lockdep_assert_held(&md->power);

	if (!md->unsettled)
		return 0;
	err = mlxl_hw_run(md);
	md->unsettled = err;
	if (!err)
		md->unknown = false;
	return err;
}

/**
 * mlxl_settle() - Make sure that a function runs which is reported as running
 * @work: In struct mlxl_dev.
 *
 * A command that suspends the function may have been in work when it was reset without
 * warning, or may have ended here without the firmware's doing before it was reset, and
 * may be carried out after that.  Tried again until the firmware has done it.
 */
void mlxl_settle(struct work_struct *work)
{
	struct mlxl_dev *md = container_of(to_delayed_work(work), struct mlxl_dev, settle);

	guard(mutex)(&md->power);
	if (settle(md))
		schedule_delayed_work(&md->settle, MLXL_SETTLE_JIFFIES);
}

static void halves_set(struct mlxl_dev *md, u32 halves)
{
	WRITE_ONCE(md->halves, halves);
	WRITE_ONCE(md->changes, md->changes + 1);
}

/* From the announcement of a reset until the library knows of it nothing is suspended. */
static int suspend(struct mlxl_dev *md, u32 what)
{
	int err;

	guard(mutex)(&md->power);
	if (md->reset_ahead)
		return -ENODEV;
	err = settle(md);
	if (err)
		return err;
	md->suspended = true;
	err = mlxl_hw_suspend(md, what);
	if (err == -EIO)
		md->unknown = true;
	if (!err)
		halves_set(md, md->halves | mlxl_half(what));
	return err;
}

/* A function that is not suspended any more must not be taken for one that was resumed. */
static int resume(struct mlxl_dev *md, u32 what)
{
	u32 resets = vmig_resets(&md->m.mig), halves = md->halves;
	int err;

	halves_set(md, halves & ~mlxl_half(what));
	err = mlxl_hw_resume(md, what, halves);
	if (!err)
		return 0;
	halves_set(md, halves);
	if (err != -ESTALE)
		return err;
	/* By a reset that the library will be told of, and which decides then? */
	if (READ_ONCE(md->reset_ahead))
		return -ENODEV;
	vmig_fault_of(&md->m.mig, resets, lost_suspension);
	return -EIO;
}

/* What stands still, as the library and the hooks believe; 0 while a hook changes it. */
static u32 must_stand(struct mlxl_dev *md)
{
	u8 bits = vmig_state_bits(&md->m.mig);
	u32 flags = MLXL_FN_INITIATOR | MLXL_FN_RESPONDER;

	if (bits == VMIG_ERROR || READ_ONCE(md->reset_ahead))
		return 0;
	if (bits & VMIG_RUNNING)
		flags = bits & VMIG_NDMA ? MLXL_FN_INITIATOR : 0;
	return flags & READ_ONCE(md->halves);
}

/**
 * mlxl_changed() - There is news of the function: look at it
 * @watch: Of the function.
 *
 * Not at once: a reset of the function is news, too, and is reported when it has ended.
 */
void mlxl_changed(struct vpv_control_watch *watch)
{
	schedule_delayed_work(&container_of(watch, struct mlxl_dev, watch)->check,
			      CHECK_JIFFIES);
}

/**
 * mlxl_check() - Does what is believed to be suspended still stand still?
 * @work: Of the device.
 *
 * A controlling function that lost power, for instance, has forgotten it.  A source then
 * writes memory that was sent, a destination runs with half an image: nothing but a
 * reset helps.  Without an answer it asks again, but for a function that is not
 * controlled: there will be news when it is.
 */
void mlxl_check(struct work_struct *work)
{
	struct mlxl_dev *md = container_of(to_delayed_work(work), struct mlxl_dev, check);
	u32 resets = vmig_resets(&md->m.mig), changes = READ_ONCE(md->changes);
	u32 flags = must_stand(md);
	struct mlxl_function fn;
	int err;

	if (!flags)
		return;
	err = mlxl_hw_query(md, &fn);
	if (err) {
		if (err != -ENOTCONN)
			schedule_delayed_work(&md->check, CHECK_JIFFIES);
		return;
	}
	/* A hook or a reset came between: the answer may be of before or after it. */
	if (READ_ONCE(md->changes) != changes || must_stand(md) != flags)
		return;
	if (le32_to_cpu(fn.state) != MLXL_ENABLED)
		vmig_fault_of(&md->m.mig, resets,
			      "firmware has lost the function while it was suspended");
	else if ((le32_to_cpu(fn.flags) & flags) != flags)
		vmig_fault_of(&md->m.mig, resets, lost_suspension);
}

/**
 * mlxl_reset_prepare() - The function will be reset
 * @vpv: Device.
 *
 * Waits for a command in work that suspends it: the firmware could carry that out after
 * the reset, and the function would stand still while it is reported as running.
 *
 * Context: process; bounded by five times the firmware's time-out, see suspend(), or by twice
 * that, see mlxl_settle().
 */
void mlxl_reset_prepare(struct vpv_device *vpv)
{
	struct mlxl_dev *md = mlxl_from_vpv(vpv);

	guard(mutex)(&md->power);
	WRITE_ONCE(md->resetting, true);
	WRITE_ONCE(md->reset_ahead, true);
	md->suspended = false;
	md->unsettled = false;
}

/**
 * mlxl_reset_done() - The function was reset; the library is told next
 * @vpv: Device.
 *
 * Context: does not wait.
 */
void mlxl_reset_done(struct vpv_device *vpv)
{
	WRITE_ONCE(mlxl_from_vpv(vpv)->resetting, false);
}

static int mlxl_quiesce(struct vmig_dev *mig)
{
	return suspend(mlxl_from_mig(mig), MLXL_INITIATOR);
}

static int mlxl_unquiesce(struct vmig_dev *mig)
{
	return resume(mlxl_from_mig(mig), MLXL_INITIATOR);
}

static int mlxl_freeze(struct vmig_dev *mig)
{
	return suspend(mlxl_from_mig(mig), MLXL_RESPONDER);
}

static int mlxl_thaw(struct vmig_dev *mig)
{
	return resume(mlxl_from_mig(mig), MLXL_RESPONDER);
}

/* Called with any lock held, but none that a command needs: only remember it. */
static void mlxl_reset(struct vmig_dev *mig)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);

	md->stale = true;
	halves_set(md, 0);
	guard(mutex)(&md->power);
	if (!READ_ONCE(md->resetting))
		WRITE_ONCE(md->reset_ahead, false);
	if (md->suspended || md->unknown) {
		md->unsettled = true;
		schedule_delayed_work(&md->settle, 0);
	}
	md->suspended = false;
}

/* For a save session that begins, and on a destination, where there is none. */
static int mlxl_match(struct vmig_dev *mig, void *buf)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	struct mlxl_function fn;
	struct vmig_diff diff;
	int err;

	if (md->stale)
		mlxl_forget(md);
	mlxl_save_begin(md);
	err = mlxl_hw_caps(md, &md->caps);
	if (!err)
		err = mlxl_hw_query(md, &fn);
	if (err)
		return err;
	if (le32_to_cpu(fn.state) != MLXL_ENABLED)
		return vmig_refuse(mig, -ENODEV, VMIG_DIFF("state of the function", MLXL_ENABLED,
							   le32_to_cpu(fn.state)));
	if (le32_to_cpu(fn.flags) & MLXL_FN_FAILED)
		return vmig_refuse(mig, -EOPNOTSUPP, VMIG_DIFF("failure of the function", 0,
							       le32_to_cpu(fn.reason)));
	err = mlxl_fn_check(&md->caps, &fn, &diff);
	if (err)
		return vmig_refuse(mig, err, &diff);
	mlxl_match_write(&md->caps, &fn, buf);
	md->full_bytes = le64_to_cpu(fn.image_bytes);
	return 0;
}

/* ---- Loading ---- */

static int mlxl_load_begin(struct vmig_dev *mig)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	int err;

	if (md->stale)
		mlxl_forget(md);
	err = mlxl_hw_caps(md, &md->caps);
	if (err)
		return err;
	mlxl_hw_forget(&md->load.session);
	md->load = (struct mlxl_load){
		.so_far.most = le64_to_cpu(md->caps.image_bytes),
	};
	return 0;
}

static int load_image(struct mlxl_dev *md, const struct vmig_record *rec,
		      struct vmig_diff *diff)
{
	struct mlxl_load *l = &md->load;
	int err;

	err = mlxl_load_image(&l->so_far, rec->data, rec->bytes, diff);
	return err ?: mlxl_hw_load_begin(md, l->so_far.bytes, &l->session);
}

/*
 * The part of the image that is in the chunk, to the firmware, in commands of the size
 * that it takes.  The last one is waited for when the buffer is needed again.
 */
static int load_piece(struct mlxl_dev *md, const struct vmig_record *rec,
		      struct vmig_diff *diff)
{
	struct mlxl_load *l = &md->load;
	struct mlxl_io *io = &md->io[l->at];
	u32 most = mlxl_io_piece_bytes(&md->caps);
	u64 offset;
	int left;

	left = mlxl_load_piece(&l->so_far, rec->data, rec->bytes + rec->chunk_bytes, &offset,
			       diff);
	if (left < 0)
		return left;
	if (rec->chunk != io->chunk || rec->chunk_bytes != left)
		return -EINVAL;
	for (u32 skip = 0; skip < left; skip += most) {
		u32 bytes = min_t(u32, left - skip, most);
		int err;

		err = mlxl_io_wait(io, &l->session);
		err = err ?: mlxl_io_start(io, &l->session, MLXL_LOAD_CHUNK, skip,
					   offset + skip, bytes);
		if (err)
			return err;
	}
	return 0;
}

static int load_wait(struct mlxl_dev *md)
{
	int err = 0;

	for (unsigned int i = 0; i < MLXL_IOS; i++) {
		int one = mlxl_io_wait(&md->io[i], &md->load.session);

		err = err ?: one;
	}
	return err;
}

static const char *const image_reasons[MLXL_IMAGE_REASONS] = {
	[MLXL_IMAGE_MAGIC]	= "firmware: magic of the image",
	[MLXL_IMAGE_VERSION]	= "firmware: version of the image",
	[MLXL_IMAGE_LENGTH]	= "firmware: length of the image",
	[MLXL_IMAGE_INCOMPLETE]	= "firmware: completeness of the image",
	[MLXL_IMAGE_CHECKSUM]	= "firmware: checksum of the image",
	[MLXL_IMAGE_BASE]	= "firmware: base of the image",
	[MLXL_IMAGE_CONFIG]	= "firmware: configuration of the image",
	[MLXL_IMAGE_STATE]	= "firmware: content of the image",
};

static int image_refused(struct mlxl_dev *md, u32 reason)
{
	const bool unfit = reason == MLXL_IMAGE_VERSION || reason == MLXL_IMAGE_CONFIG;
	const char *field = "firmware: image";

	if (reason < MLXL_IMAGE_REASONS && image_reasons[reason])
		field = image_reasons[reason];
	return vmig_refuse(&md->m.mig, unfit ? -EOPNOTSUPP : -EINVAL,
			   VMIG_DIFF(field, 0, reason));
}

static int load_image_end(struct mlxl_dev *md, const struct vmig_record *rec,
			  struct vmig_diff *diff)
{
	struct mlxl_load *l = &md->load;
	bool dropped;
	u32 reason;
	int err;

	err = mlxl_load_image_end(&l->so_far, rec->data, rec->bytes, &dropped, diff);
	if (!err)
		err = load_wait(md);
	if (err)
		return err;
	err = mlxl_hw_load_end(md, &l->session, dropped, &reason);
	return err == -EBADMSG ? image_refused(md, reason) : err;
}

/* The firmware may find out early, by a command about a part of the image. */
static int load_failed(struct mlxl_dev *md, int err)
{
	u64 first = U64_MAX;
	u32 reason = 0;

	/* Others are refused because the first one was. */
	for (unsigned int i = 0; i < MLXL_IOS; i++) {
		mlxl_io_drain(&md->io[i]);
		if (err != -EBADMSG || md->io[i].err != -EBADMSG || md->io[i].offset >= first)
			continue;
		first = md->io[i].offset;
		reason = md->io[i].cmd.syndrome;
	}
	if (err == -EBADMSG)
		err = image_refused(md, reason);
	mlxl_hw_load_end(md, &md->load.session, true, &reason);
	return err;
}

/* The buffer after the last one, once the firmware has read it. */
static struct vmig_chunk *mlxl_load_chunk(struct vmig_dev *mig, u32 type, u32 bytes,
					  u32 *front)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	struct mlxl_load *l = &md->load;
	struct mlxl_io *io;
	int err;

	/* What is no piece of an image is refused when it is there. */
	if (type != MLXL_RECORD_PIECE || !l->session.control || md->stale ||
	    bytes <= sizeof(struct mlxl_rec_piece))
		return NULL;
	l->at = (l->at + 1) % MLXL_IOS;
	io = &md->io[l->at];
	err = mlxl_io_wait(io, &l->session);
	err = err ?: mlxl_io_prepare(md, io, &l->session, MLXL_PIECE_BYTES, DMA_TO_DEVICE);
	if (err)
		return ERR_PTR(load_failed(md, err));
	*front = sizeof(struct mlxl_rec_piece);
	return io->chunk;
}

static int mlxl_load(struct vmig_dev *mig, const struct vmig_record *rec)
{
	static int (*const take[])(struct mlxl_dev *md, const struct vmig_record *rec,
				   struct vmig_diff *diff) = {
		[MLXL_RECORD_IMAGE - VPV_RECORD_FAMILY] = load_image,
		[MLXL_RECORD_PIECE - VPV_RECORD_FAMILY] = load_piece,
		[MLXL_RECORD_IMAGE_END - VPV_RECORD_FAMILY] = load_image_end,
	};
	struct mlxl_dev *md = mlxl_from_mig(mig);
	u32 kind = rec->type - VPV_RECORD_FAMILY;
	struct vmig_diff diff = {};
	int err;

	if (kind >= ARRAY_SIZE(take))
		return -EOPNOTSUPP;
	if (md->stale)
		return -ENODEV;
	err = take[kind](md, rec, &diff);
	if (!err)
		return 0;
	if (diff.field)
		vmig_refuse(mig, err, &diff);
	return load_failed(md, err);
}

static int mlxl_load_end_hook(struct vmig_dev *mig)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	struct mlxl_loading *l = &md->load.so_far;

	mlxl_ios_free(md);
	if (l->loaded && l->final && !l->open)
		return 0;
	return vmig_refuse(mig, -EINVAL, VMIG_DIFF("final images", 1, 0));
}

const struct vmig_ops mlxl_mig_ops = {
	.quiesce = mlxl_quiesce,
	.unquiesce = mlxl_unquiesce,
	.freeze = mlxl_freeze,
	.thaw = mlxl_thaw,
	.match = mlxl_match,
	.precopy = mlxl_precopy,
	.dirty_bytes = mlxl_dirty_bytes,
	.save = mlxl_save,
	.save_end = mlxl_save_end,
	.load_begin = mlxl_load_begin,
	.load_chunk = mlxl_load_chunk,
	.load = mlxl_load,
	.load_end = mlxl_load_end_hook,
	.estimate = mlxl_estimate,
	.reset = mlxl_reset,
	.track_limits = mlxl_track_limits,
	.track_start = mlxl_track_start,
	.track_stop = mlxl_track_stop,
	.track_report = mlxl_track_report,
};

const struct vmig_desc mlxl_mig_desc = {
	.family = MLXL_FAMILY,
	.state_version = 1,
	.state_oldest = 1,
	.state_accepts = 1,
	.match_bytes = sizeof(struct mlxl_match),
	.match_local_bytes = sizeof(struct mlxl_local),
	.match_fields = mlxl_fields,
	.num_match_fields = MLXL_NUM_FIELDS,
	.max_payload = sizeof(struct mlxl_rec_piece) + MLXL_PIECE_BYTES,
	/* Two pieces; a third one only when the first has been read to its end. */
	.max_queued = 2 * (sizeof(struct vpv_stream_record) +
			   sizeof(struct mlxl_rec_piece) + MLXL_PIECE_BYTES),
	.typical_bytes = SZ_64M,
	.config = &vpv_config_state_ops,
	.reach = &vpv_reach,
};
