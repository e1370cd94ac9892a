// SPDX-License-Identifier: GPL-2.0
/*
 * hisi_like: the operations on guest memory (section 2.3).
 *
 * Each takes its whole input into a buffer before it writes anything, so overlapping
 * source and destination are fine; output never exceeds dst_len.
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "hisi_like.h"

uint32_t hisil_crc32c(uint32_t seed, const uint8_t *data, size_t len)
{
	static uint32_t table[256];
	uint32_t crc = ~seed;

	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t v = i;

			for (int bit = 0; bit < 8; bit++)
				v = v & 1 ? v >> 1 ^ 0x82f63b78u : v >> 1;
			table[i] = v;
		}
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *data++) & 0xff];
	return ~crc;
}

/* The device went away under the operation, as opposed to: the memory did. */
static bool abandoned(int err)
{
	return err == -ECANCELED || err == -ENOTCONN || err == -EINTR || err == -EPERM;
}

static int read_src(struct hisil *h, const struct hisil_sqe *s, uint16_t *status)
{
	int err = vu_dma_read(h->dev, s->src, h->src, s->src_len);

	if (err)
		*status = HISIL_DMA_FAULT;
	return err;
}

static int write_dst(struct hisil *h, const struct hisil_sqe *s, uint32_t len, struct hisil_cqe *c)
{
	int err = vu_dma_write(h->dev, s->dst, h->dst, len);

	c->status = err ? HISIL_DMA_FAULT : HISIL_OK;
	c->out_len = err ? 0 : len;
	return err;
}

static int op_nop(struct hisil *h, const struct hisil_sqe *s, struct hisil_cqe *c)
{
	(void)h;
	(void)s;
	(void)c;
	return 0;
}

static int op_copy(struct hisil *h, const struct hisil_sqe *s, struct hisil_cqe *c)
{
	int err;

	if (s->dst_len < s->src_len) {
		c->status = HISIL_NO_ROOM;
		return 0;
	}
	err = read_src(h, s, &c->status);
	if (err)
		return err;
	memcpy(h->dst, h->src, s->src_len);
	return write_dst(h, s, s->src_len, c);
}

static int op_fill(struct hisil *h, const struct hisil_sqe *s, struct hisil_cqe *c)
{
	memset(h->dst, (int)(s->arg & 0xff), s->dst_len);
	return write_dst(h, s, s->dst_len, c);
}

static int op_crc32c(struct hisil *h, const struct hisil_sqe *s, struct hisil_cqe *c)
{
	int err = read_src(h, s, &c->status);

	if (!err)
		c->result = hisil_crc32c((uint32_t)s->arg, h->src, s->src_len);
	return err;
}

static void set_stream(struct hisil *h, const struct hisil_sqe *s, z_stream *z)
{
	memset(z, 0, sizeof(*z));
	z->next_in = h->src;
	z->avail_in = s->src_len;
	z->next_out = h->dst;
	z->avail_out = s->dst_len;
}

static int op_deflate(struct hisil *h, const struct hisil_sqe *s, struct hisil_cqe *c)
{
	int err = read_src(h, s, &c->status), ret;
	z_stream z;

	if (err)
		return err;
	set_stream(h, s, &z);
	c->status = HISIL_NO_ROOM;
	if (deflateInit(&z, 6) != Z_OK)
		return 0;
	ret = deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return ret == Z_STREAM_END ? write_dst(h, s, s->dst_len - z.avail_out, c) : 0;
}

static int op_inflate(struct hisil *h, const struct hisil_sqe *s, struct hisil_cqe *c)
{
	int err = read_src(h, s, &c->status), ret;
	z_stream z;

	if (err)
		return err;
	set_stream(h, s, &z);
	c->status = HISIL_BAD_DATA;
	if (inflateInit(&z) != Z_OK)
		return 0;
	ret = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (ret == Z_STREAM_END && !z.avail_in)
		return write_dst(h, s, s->dst_len - z.avail_out, c);
	/* A complete stream that does not fit has at least its checksum left over. */
	if ((ret == Z_BUF_ERROR || ret == Z_OK) && !z.avail_out && z.avail_in)
		c->status = HISIL_NO_ROOM;
	return 0;
}

/* @src, @dst: the length must be 1 to HISIL_XFER_BYTES; @arg: bits that may be set */
static const struct {
	int (*run)(struct hisil *h, const struct hisil_sqe *s, struct hisil_cqe *c);
	bool src, dst;
	uint64_t arg;
} ops[HISIL_NUM_OPS] = {
	[HISIL_NOP] = { op_nop, false, false, 0 },
	[HISIL_COPY] = { op_copy, true, true, 0 },
	[HISIL_FILL] = { op_fill, false, true, 0xff },
	[HISIL_CRC32C] = { op_crc32c, true, false, 0xffffffff },
	[HISIL_DEFLATE] = { op_deflate, true, true, 0 },
	[HISIL_INFLATE] = { op_inflate, true, true, 0 },
};

static bool length_ok(uint32_t len)
{
	return len && len <= HISIL_XFER_BYTES;
}

static bool valid(const struct hisil *h, const struct hisil_sqe *s)
{
	static const uint8_t zero[sizeof(s->reserved2)];

	return s->opcode < HISIL_NUM_OPS && (h->algs >> s->opcode & 1) &&
	       !(s->flags & ~HISIL_SQE_IRQ) && !s->reserved &&
	       !memcmp(s->reserved2, zero, sizeof(zero)) && !(s->arg & ~ops[s->opcode].arg) &&
	       (!ops[s->opcode].src || length_ok(s->src_len)) &&
	       (!ops[s->opcode].dst || length_ok(s->dst_len));
}

int hisil_op_run(struct hisil *h, const struct hisil_sqe *s, struct hisil_cqe *c)
{
	int err = 0;

	c->status = HISIL_OK;
	c->out_len = 0;
	c->result = 0;
	if (valid(h, s))
		err = ops[s->opcode].run(h, s, c);
	else
		c->status = HISIL_INVALID;
	return abandoned(err) ? err : 0;
}
