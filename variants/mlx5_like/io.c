// SPDX-License-Identifier: GPL-2.0
/* Buffers that the firmware fills and reads, one command each at a time. */
#include <linux/slab.h>

#include "mlx5_like.h"

#define IO_MAX_SEGMENTS	(MLXL_PIECE_BYTES / PAGE_SIZE)
#define IO_IN_BYTES	(sizeof(struct mlxl_tracker_query) + \
			 IO_MAX_SEGMENTS * sizeof(struct mlxl_segment))

/**
 * mlxl_io_free() - Free a buffer
 * @io: Buffer; no command uses it.  Also one that was never prepared.
 */
void mlxl_io_free(struct mlxl_io *io)
{
	if (!io->buf)
		return;
	kvfree(io->in);
	vpv_ctrl_buf_put(io->buf);
	memset(io, 0, sizeof(*io));
}

static int io_alloc(struct mlxl_dev *md, struct mlxl_io *io, struct vpv_control *control,
		    size_t room, enum dma_data_direction dir)
{
	struct vmig_chunk *chunk = vmig_chunk_alloc(&md->m.mig, room);
	struct vpv_ctrl_buf *buf = ERR_PTR(-ENOMEM);
	struct vpv_mem mem;
	void *in;

	if (!chunk)
		return -ENOMEM;
	mem = vmig_chunk_mem(chunk);
	in = kvmalloc(IO_IN_BYTES, GFP_KERNEL_ACCOUNT);
	if (in)
		buf = vpv_ctrl_buf_new(control, &mem, dir);
	if (IS_ERR(buf)) {
		kvfree(in);
		vmig_chunk_put(chunk);
		return PTR_ERR(buf);
	}
	io->chunk = chunk;
	io->in = in;
	io->buf = buf;
	init_completion(&io->done);
	return 0;
}

/**
 * mlxl_io_prepare() - Get a buffer ready for a command
 * @md: Device.
 * @io: Buffer that is not busy; zeroed the first time.
 * @s: Session that the command is for.
 * @room: Size, a multiple of PAGE_SIZE; always the same for a buffer.
 * @dir: Direction; likewise.
 *
 * If the stream has not done with it, or the controlling function cannot use it any more,
 * it gets other memory.
 *
 * Return: 0 or a negative errno.
 */
int mlxl_io_prepare(struct mlxl_dev *md, struct mlxl_io *io, struct mlxl_session *s,
		    size_t room, enum dma_data_direction dir)
{
	if (io->buf && (vmig_chunk_shared(io->chunk) ||
			!vpv_ctrl_buf_usable(io->buf, s->control)))
		mlxl_io_free(io);
	return io->buf ? 0 : io_alloc(md, io, s->control, room, dir);
}

/**
 * mlxl_io_segments() - Segment list of a part of a buffer
 * @io: Prepared.
 * @skip: Where the part begins.
 * @bytes: Its size.
 * @seg: Room for IO_MAX_SEGMENTS.
 *
 * Return: number of segments.
 */
u32 mlxl_io_segments(const struct mlxl_io *io, u32 skip, u32 bytes,
		     struct mlxl_segment *seg)
{
	struct scatterlist *sg;
	u32 num = 0;
	int i;

	for_each_sgtable_dma_sg(&io->buf->sgt, sg, i) {
		u32 before = min_t(u32, skip, sg_dma_len(sg));
		u32 here = min_t(u32, bytes, sg_dma_len(sg) - before);

		if (!bytes)
			break;
		skip -= before;
		if (!here)
			continue;
		seg[num++] = (struct mlxl_segment){
			.iova = cpu_to_le64(sg_dma_address(sg) + before),
			.bytes = cpu_to_le32(here),
		};
		bytes -= here;
	}
	return num;
}

/**
 * mlxl_io_piece_bytes() - How much of an image fits into one command?
 * @caps: Of the firmware.
 *
 * Return: bytes, a multiple of 4096.
 */
u32 mlxl_io_piece_bytes(const struct mlxl_caps *caps)
{
	u64 segments = max_t(u64, le32_to_cpu(caps->segments), 1);
	u64 bytes = min_t(u64, MLXL_PIECE_BYTES, segments * PAGE_SIZE);

	bytes = min_t(u64, bytes, le32_to_cpu(caps->chunk_bytes));
	return max_t(u64, ALIGN_DOWN(bytes, SZ_4K), SZ_4K);
}

/**
 * mlxl_io_bitmap_pages() - How many pages can one command report?
 * @caps: Of the firmware.
 *
 * Each page of the buffer for the bitmap may be a segment of its own.
 *
 * Return: pages, at most MLXL_TRACK_PAGES.
 */
u64 mlxl_io_bitmap_pages(const struct mlxl_caps *caps)
{
	u64 bits = (u64)le32_to_cpu(caps->segments) * PAGE_SIZE * BITS_PER_BYTE;

	return min3(bits, le64_to_cpu(caps->query_pages), (u64)MLXL_TRACK_PAGES);
}

static void io_done(struct mlxl_command *cmd, int err)
{
	struct mlxl_io *io = container_of(cmd, struct mlxl_io, cmd);

	if (!err && (cmd->out_len != sizeof(io->out) ||
		     le32_to_cpu(io->out[0]) != io->bytes))
		err = -EPROTO;
	io->err = err;
	complete(&io->done);
}

/**
 * mlxl_io_start() - Begin to transfer a part of an image
 * @io: Prepared.
 * @s: Session.
 * @opcode: MLXL_SAVE_CHUNK or MLXL_LOAD_CHUNK.
 * @skip: Where in the buffer.
 * @offset: Where in the image.
 * @bytes: How much.
 *
 * The transfer may have ended before this returns; how is in @io->err, which this does
 * not touch after it was submitted.
 *
 * Return: 0, and mlxl_io_wait() has to be called, or a negative errno.
 */
int mlxl_io_start(struct mlxl_io *io, struct mlxl_session *s, u16 opcode, u32 skip,
		  u64 offset, u32 bytes)
{
	const struct mlxl_control_ops *ops;
	struct mlxl_chunk *in = io->in;
	void *priv;
	u32 num;
	int err;

	ops = vpv_control_enter(s->control, &priv);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	num = mlxl_io_segments(io, skip, bytes, (struct mlxl_segment *)(in + 1));
	*in = (struct mlxl_chunk){
		.session = cpu_to_le32(s->id),
		.segments = cpu_to_le32(num),
		.offset = cpu_to_le64(offset),
		.bytes = cpu_to_le32(bytes),
	};
	io->cmd = (struct mlxl_command){
		.opcode = opcode,
		.in = in,
		.in_bytes = sizeof(*in) + num * sizeof(struct mlxl_segment),
		.out = io->out,
		.out_bytes = sizeof(io->out),
		.buf = io->buf,
		.done = io_done,
	};
	io->skip = skip;
	io->offset = offset;
	io->bytes = bytes;
	reinit_completion(&io->done);
	err = ops->submit(priv, &io->cmd);
	vpv_control_leave(s->control);
	io->busy = !err;
	return err;
}

/**
 * mlxl_io_drain() - Wait for a transfer, whatever becomes of it
 * @io: Buffer; also one that is not busy.
 *
 * Context: process; bounded by the firmware's time-out.
 */
void mlxl_io_drain(struct mlxl_io *io)
{
	if (io->busy)
		wait_for_completion(&io->done);
	io->busy = false;
}

/**
 * mlxl_io_wait() - Wait for a transfer
 * @io: Buffer; also one that is not busy.
 * @s: Session.
 *
 * One that ended because another function's command was stuck is begun again.
 *
 * Context: process; bounded by the firmware's time-out.
 * Return: 0; -ENOTCONN if the controlling function has gone away meanwhile; or another
 * negative errno.
 */
int mlxl_io_wait(struct mlxl_io *io, struct mlxl_session *s)
{
	int err;

	if (!io->busy)
		return 0;
	mlxl_io_drain(io);
	if (io->err == -ECONNABORTED) {
		err = mlxl_io_start(io, s, io->cmd.opcode, io->skip, io->offset, io->bytes);
		if (err)
			return err;
		mlxl_io_drain(io);
	}
	return io->err;
}

/**
 * mlxl_ios_free() - Wait for all transfers, and free the buffers
 * @md: Device; no hook runs.
 */
void mlxl_ios_free(struct mlxl_dev *md)
{
	for (unsigned int i = 0; i < MLXL_IOS; i++)
		mlxl_io_drain(&md->io[i]);
	for (unsigned int i = 0; i < MLXL_IOS; i++)
		mlxl_io_free(&md->io[i]);
}
