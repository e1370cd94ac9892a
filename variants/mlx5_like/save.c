// SPDX-License-Identifier: GPL-2.0
/*
 * Saving: images, full or incremental, out of the firmware and into the stream.
 *
 * The firmware fills buffers while the reader drains others.  An image that pre-copy
 * could not finish goes on in the next round, or in the final part, where it was left:
 * it is a snapshot.
 *
 * Whatever goes wrong with pre-copy degrades the session: all images so far are
 * worthless then, and a full one follows when the device is frozen.
 */
#include "mlx5_like.h"

static struct device *dev_of(struct mlxl_dev *md)
{
	return &md->m.vpv.pdev->dev;
}

/**
 * mlxl_save_begin() - A save session of the library begins
 * @md: Device.
 */
void mlxl_save_begin(struct mlxl_dev *md)
{
	mlxl_hw_forget(&md->save.session);
	md->save = (struct mlxl_save){};
}

/* ---- One image ---- */

static int image_begin(struct mlxl_dev *md, u32 mode, bool final)
{
	struct mlxl_save *s = &md->save;
	int err;

	/* The controlling function may have been reset, and have other limits now. */
	err = mlxl_hw_caps(md, &md->caps);
	if (!err)
		err = mlxl_hw_save_begin(md, mode, !final, &s->session);
	if (err)
		return err;
	if (!mlxl_image_check(mode == MLXL_IMAGE_INCREMENTAL, s->session.bytes, md->full_bytes,
			      le64_to_cpu(md->caps.image_bytes))) {
		dev_warn_ratelimited(dev_of(md), "image of kind %u has %#llx bytes, a full one %#llx\n",
				     mode, s->session.bytes, md->full_bytes);
		mlxl_hw_save_end(md, &s->session, false);
		return -EPROTO;
	}
	s->mode = mode;
	s->final = final;
	s->begun = false;
	s->pos = 0;
	return 0;
}

static int emit_begin(struct mlxl_save *s, struct vmig_emit *em)
{
	const struct mlxl_rec_image rec = {
		.mode = cpu_to_le32(s->mode),
		.flags = cpu_to_le32(s->final ? MLXL_REC_FINAL : 0),
		.bytes = cpu_to_le64(s->session.bytes),
	};
	int err;

	if (s->begun)
		return 0;
	err = vmig_emit(em, MLXL_RECORD_IMAGE, 0, &rec, sizeof(rec));
	s->begun = !err;
	return err;
}

static int emit_end(struct vmig_emit *em, u32 outcome)
{
	const struct mlxl_rec_end rec = { .outcome = cpu_to_le32(outcome) };

	return vmig_emit(em, MLXL_RECORD_IMAGE_END, 0, &rec, sizeof(rec));
}

static int piece_start(struct mlxl_dev *md, struct mlxl_io *io, u64 pos)
{
	struct mlxl_session *s = &md->save.session;
	u32 bytes = min_t(u64, mlxl_io_piece_bytes(&md->caps), s->bytes - pos);
	int err;

	err = mlxl_io_prepare(md, io, s, MLXL_PIECE_BYTES, DMA_FROM_DEVICE);
	return err ?: mlxl_io_start(io, s, MLXL_SAVE_CHUNK, 0, pos, bytes);
}

/* A part that could not be read is asked for again, once. */
static int piece_finish(struct mlxl_dev *md, struct mlxl_io *io, struct vmig_emit *em)
{
	const struct mlxl_rec_piece rec = { .offset = cpu_to_le64(io->offset) };
	int err;

	err = mlxl_io_wait(io, &md->save.session);
	if (err && err != -ENOTCONN) {
		err = mlxl_io_start(io, &md->save.session, MLXL_SAVE_CHUNK, 0, io->offset,
				    io->bytes);
		if (!err)
			err = mlxl_io_wait(io, &md->save.session);
	}
	if (err) {
		dev_warn_ratelimited(dev_of(md), "image at %#llx: error %d, status %u\n",
				     io->offset, err, io->cmd.status);
		return err;
	}
	err = vmig_emit_chunk(em, MLXL_RECORD_PIECE, 0, &rec, sizeof(rec), io->chunk,
			      io->bytes);
	if (!err)
		md->save.pos += io->bytes;
	return err;
}

/* Keep MLXL_AHEAD buffers with the firmware while the reader drains the others. */
static int image_send(struct mlxl_dev *md, struct vmig_emit *em)
{
	struct mlxl_save *s = &md->save;
	unsigned int first = 0, next = 0;
	u64 asked = s->pos;
	int err;

	err = emit_begin(s, em);
	while (!err && s->pos < s->session.bytes) {
		while (!err && next - first < MLXL_AHEAD && asked < s->session.bytes) {
			struct mlxl_io *io = &md->io[next % MLXL_IOS];

			err = piece_start(md, io, asked);
			if (!err) {
				asked += io->bytes;
				next++;
			}
		}
		if (!err)
			err = piece_finish(md, &md->io[first++ % MLXL_IOS], em);
	}
	for (; first != next; first++)
		mlxl_io_drain(&md->io[first % MLXL_IOS]);
	return err;
}

/* ---- Pre-copy and what becomes of it ---- */

static void degrade(struct mlxl_dev *md, int why)
{
	struct mlxl_save *s = &md->save;

	dev_warn_ratelimited(dev_of(md), "no incremental images (%d): a full one at the end\n",
			     why);
	s->dropped |= s->session.control && s->begun;
	mlxl_hw_save_end(md, &s->session, false);
	s->degraded = true;
	s->base = false;
}

/* Tell the reader about an image that was given up. */
static int flush_dropped(struct mlxl_save *s, struct vmig_emit *em)
{
	int err;

	if (!s->dropped)
		return 0;
	err = emit_end(em, MLXL_REC_DROPPED);
	s->dropped = err;
	return err;
}

/* Send the image that is open; it is the base of the next one. */
static int image_commit(struct mlxl_dev *md, struct vmig_emit *em)
{
	struct mlxl_save *s = &md->save;
	int err;

	err = image_send(md, em);
	if (!err)
		err = emit_end(em, MLXL_REC_COMPLETE);
	if (err)
		return err;
	s->begun = false;
	err = mlxl_hw_save_end(md, &s->session, true);
	s->base = !err;
	return err;
}

/*
 * The function was reset while the session goes on: nothing of it is left in the firmware.
 * The reader is told of an image that will not be finished.
 */
static void save_refresh(struct mlxl_dev *md)
{
	struct mlxl_save *s = &md->save;
	bool dropped = s->dropped || (s->session.control && s->begun);

	if (!md->stale)
		return;
	mlxl_forget(md);
	s->dropped = dropped;
}

/**
 * mlxl_precopy() - The precopy hook: an image that is a base, in each round
 * @mig: Device.
 * @em: Stream.
 * @round: Not used: the library's rounds and our images go together.
 */
int mlxl_precopy(struct vmig_dev *mig, struct vmig_emit *em, unsigned int round)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	struct mlxl_save *s = &md->save;
	int err;

	save_refresh(md);
	if (!(le32_to_cpu(md->caps.flags) & MLXL_CAPS_INCREMENTAL))
		return 0;
	err = flush_dropped(s, em);
	if (err || s->degraded)
		return err;
	if (!s->session.control)
		err = image_begin(md, s->base ? MLXL_IMAGE_INCREMENTAL : MLXL_IMAGE_FULL,
				  false);
	if (!err)
		err = image_commit(md, em);
	if (!err || err == -ECANCELED)
		return err;
	degrade(md, err);
	return flush_dropped(s, em);
}

/*
 * What is too little for a round of its own is part of the final image.  More than
 * an incremental image has when nothing changed: the registers and the scratch memory.
 */
#define ROUND_MIN_BYTES	SZ_256K

/* So much of an image, with room for the records around it. */
static u64 stream_bytes(u64 bytes)
{
	return bytes + (bytes / SZ_4K / 16 + 3) * sizeof(struct vpv_stream_record);
}

/**
 * mlxl_dirty_bytes() - The dirty_bytes hook: size of an incremental image
 * @mig: Device.
 */
u64 mlxl_dirty_bytes(struct vmig_dev *mig)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	struct mlxl_save *s = &md->save;
	struct mlxl_image_size size;
	u64 bytes;
	int err;

	save_refresh(md);
	if (s->degraded || !(le32_to_cpu(md->caps.flags) & MLXL_CAPS_INCREMENTAL))
		return 0;
	if (s->session.control)
		return stream_bytes(s->session.bytes - s->pos);
	if (s->base) {
		err = mlxl_hw_image_size(md, MLXL_IMAGE_INCREMENTAL, &size);
		if (err) {
			degrade(md, err);
			return 0;
		}
		if (le32_to_cpu(size.flags) & MLXL_IMAGE_REINIT)
			s->base = false;
	} else if (mlxl_hw_image_size(md, MLXL_IMAGE_FULL, &size)) {
		return 0;
	}
	if (!s->base)
		vmig_reinit(mig);
	bytes = le64_to_cpu(size.bytes);
	return bytes < ROUND_MIN_BYTES ? 0 : stream_bytes(bytes);
}

/* ---- The final image ---- */

static int save_image(struct mlxl_dev *md, struct vmig_emit *em, u32 mode)
{
	struct mlxl_save *s = &md->save;
	int err;

	err = image_begin(md, mode, true);
	if (!err)
		err = image_send(md, em);
	if (!err)
		err = emit_end(em, MLXL_REC_COMPLETE);
	if (err)
		return err;
	/* It has been sent: how the session ends does not matter. */
	mlxl_hw_save_end(md, &s->session, false);
	return 0;
}

/* Finish pre-copy: the image that it left, and the changes since the base. */
static int save_incremental(struct mlxl_dev *md, struct vmig_emit *em)
{
	int err;

	if (md->save.session.control) {
		err = image_commit(md, em);
		if (err)
			return err;
	}
	return save_image(md, em, MLXL_IMAGE_INCREMENTAL);
}

/**
 * mlxl_save() - The save hook: the final image
 * @mig: Device, frozen.
 * @em: Stream.
 */
int mlxl_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	struct mlxl_save *s = &md->save;
	int err;

	save_refresh(md);
	if (!s->degraded && (s->base || s->session.control)) {
		err = save_incremental(md, em);
		if (!err || err == -ECANCELED)
			return err;
		degrade(md, err);
	}
	err = flush_dropped(s, em);
	return err ?: save_image(md, em, MLXL_IMAGE_FULL);
}

/**
 * mlxl_save_end() - The save_end hook: give back what the session needed
 * @mig: Device.
 */
void mlxl_save_end(struct vmig_dev *mig)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);

	mlxl_hw_save_end(md, &md->save.session, false);
	mlxl_ios_free(md);
}

/**
 * mlxl_estimate() - The estimate hook
 * @mig: Device.
 */
u64 mlxl_estimate(struct vmig_dev *mig)
{
	struct mlxl_dev *md = mlxl_from_mig(mig);
	bool base = md->save.base && !md->save.degraded;
	struct mlxl_image_size size;
	u64 bytes;

	if (mlxl_hw_image_size(md, base ? MLXL_IMAGE_INCREMENTAL : MLXL_IMAGE_FULL, &size))
		return mlxl_mig_desc.typical_bytes;
	bytes = le64_to_cpu(size.bytes);
	return stream_bytes(bytes);
}
