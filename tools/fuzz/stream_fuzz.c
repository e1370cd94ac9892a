// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the stream parser.
 *
 * Input: a mode, a seed for where writes are split, then
 *   raw	the bytes of a stream;
 *   sealed	fields of a header and of records; checksums are made to fit, so that
 *		the checks behind them are reached;
 *   damaged	records of a valid stream, then damage: up to three flipped bits, a
 *		cut, or records moved.  CRC32C finds any three bits of a record, so a
 *		stream that was changed must not be accepted.
 */
#include "../../migration/parse.c"
#include "../../migration/stream.c"

#include "require.h"

#define STREAM_MAX	(16U << 10)
#define RECORDS_MAX	16
#define MAX_PAYLOAD	(8U << 10)
#define PIECE		40U

struct input {
	const u8 *at;
	size_t left;
};

struct stream {
	u8 bytes[STREAM_MAX];
	size_t fill;
	struct vmig_writer w;
	size_t record[RECORDS_MAX + 1];
	unsigned int records;
};

struct outcome {
	int err;
	const char *field;
	unsigned int records;
	u32 digest;
	bool ended;
};

static const struct vmig_identity self = {
	.family = "fuzz_like",
	.state_version = 3,
	.state_oldest = 2,
	.state_accepts = 1,
};

static u64 take(struct input *in, unsigned int bytes)
{
	u64 value = 0;

	while (bytes-- && in->left) {
		value = value << 8 | *in->at++;
		in->left--;
	}
	return value;
}

static const u8 *take_bytes(struct input *in, size_t most, size_t *bytes)
{
	const u8 *at = in->at;

	*bytes = min(most, in->left);
	in->at += *bytes;
	in->left -= *bytes;
	return at;
}

static bool put(struct stream *s, const void *data, size_t bytes)
{
	if (bytes > STREAM_MAX - s->fill)
		return false;
	if (bytes)
		memcpy(s->bytes + s->fill, data, bytes);
	s->fill += bytes;
	return true;
}

static u32 random_next(u32 *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Put a piece, or what follows of it, behind what came of its record. */
static int take_piece(struct vmig_parser *p, void *buf)
{
	REQUIRE(p->piece_bytes && p->piece_bytes <= PIECE && p->have <= p->record_bytes);
	memcpy(buf + p->have - p->piece_bytes, p->rest, p->piece_bytes);
	vmig_sum_add(&p->sum, p->rest, p->piece_bytes);
	return vmig_parse_taken(p);
}

/*
 * One part of the input to the parser, which gets buffers of the exact size; @piece: the rest of a
 * record comes there.
 */
static void feed(struct vmig_parser *p, struct outcome *out, void **buf, u8 *piece,
		 const u8 *data, size_t bytes)
{
	for (;;) {
		const u8 *before = data;
		size_t left = bytes;
		int event = vmig_parse(p, &data, &bytes);

		REQUIRE(data == before + (left - bytes) && bytes <= left);
		if (event == VMIG_HAVE_PIECE) {
			event = take_piece(p, *buf);
			if (event == VMIG_NEED_BYTES)
				continue;
		}
		switch (event) {
		case VMIG_NEED_BYTES:
			REQUIRE(!bytes);
			return;
		case VMIG_NEED_BUFFER:
			REQUIRE(p->record_bytes && p->record_bytes <= MAX_PAYLOAD);
			free(*buf);
			*buf = malloc(p->record_bytes);
			p->payload = *buf;
			if (!piece)
				break;
			p->front_bytes = p->record_bytes % PIECE;
			p->rest = piece;
			p->rest_room = PIECE;
			break;
		case VMIG_HAVE_HEADER:
			REQUIRE(!out->records && !out->ended);
			break;
		case VMIG_HAVE_RECORD:
			REQUIRE((p->type == VPV_RECORD_MATCH) == !out->records);
			out->records++;
			out->digest = vmig_crc(out->digest, p->payload, p->record_bytes);
			break;
		case VMIG_HAVE_END:
			REQUIRE(out->records && !out->ended);
			out->ended = true;
			break;
		default:
			REQUIRE(event < 0 && p->err == event && p->why.field);
			out->err = event;
			out->field = p->why.field;
			return;
		}
	}
}

static struct outcome parse(const u8 *data, size_t bytes, u32 seed)
{
	struct outcome out = {};
	struct vmig_parser p;
	void *buf = NULL;
	u8 *piece = seed ? malloc(PIECE) : NULL;
	size_t n;

	vmig_parse_begin(&p, &self, MAX_PAYLOAD);
	while (bytes && !out.err) {
		n = seed ? 1 + random_next(&seed) % 200 : bytes;
		n = min(n, bytes);
		feed(&p, &out, &buf, piece, data, n);
		data += n;
		bytes -= n;
	}
	if (out.err)
		REQUIRE(vmig_parse_finish(&p) == out.err);
	else
		REQUIRE(vmig_parse_finish(&p) == (out.ended ? 0 : -ENODATA));
	free(buf);
	free(piece);
	return out;
}

/* The outcome does not depend on how the bytes were cut. */
static struct outcome parse_both_ways(const struct stream *s, u32 seed)
{
	struct outcome whole = parse(s->bytes, s->fill, 0);
	struct outcome split = parse(s->bytes, s->fill, seed | 1);

	REQUIRE(whole.err == split.err && whole.field == split.field);
	REQUIRE(whole.records == split.records && whole.digest == split.digest);
	REQUIRE(whole.ended == split.ended);
	return whole;
}

static void make_raw(struct stream *s, struct input *in)
{
	size_t bytes;
	const u8 *data = take_bytes(in, STREAM_MAX, &bytes);

	put(s, data, bytes);
}

static void make_sealed(struct stream *s, struct input *in)
{
	struct vpv_stream_header h;
	unsigned int i, patches = take(in, 1) % 4;

	vmig_emit_header(&s->w, &self, &h);
	while (patches--) {
		size_t at = take(in, 1) % sizeof(h);

		((u8 *)&h)[at] = take(in, 1);
	}
	h.crc = 0;
	s->w.crc = vmig_crc(0, &h, sizeof(h));
	h.crc = cpu_to_le32(s->w.crc);
	put(s, &h, sizeof(h));

	for (i = 0; in->left && i < RECORDS_MAX; i++) {
		u8 odd = take(in, 1);
		struct vpv_stream_record head = {
			.type = cpu_to_le32(odd & 1 ? take(in, 4) : i ? 0x100 : VPV_RECORD_MATCH),
			.flags = cpu_to_le32(odd & 2 ? take(in, 4) : 0),
			.seq = cpu_to_le64(odd & 4 ? take(in, 8) : i),
		};
		struct vmig_sum sum = {};
		size_t bytes;
		const u8 *data = take_bytes(in, odd & 8 ? 16 : take(in, 2), &bytes);

		head.bytes = cpu_to_le32(odd & 16 ? take(in, 4) : bytes);
		vmig_sum_add(&sum, data, bytes);
		head.payload_sum = cpu_to_le64(vmig_sum_end(&sum));
		s->w.crc = vmig_crc(s->w.crc, &head, sizeof(head));
		head.crc = cpu_to_le32(s->w.crc);
		if (!put(s, &head, sizeof(head)) || !put(s, data, bytes))
			return;
	}
}

static void put_record(struct stream *s, u32 type, u32 flags, const void *data, size_t bytes)
{
	struct vpv_stream_record head;

	vmig_emit_head(&s->w, type, flags, data, bytes, &head);
	s->record[s->records++] = s->fill;
	REQUIRE(put(s, &head, sizeof(head)) && put(s, data, bytes));
}

static void make_valid(struct stream *s, struct input *in)
{
	unsigned int i, n = take(in, 1) % (RECORDS_MAX - 2);
	struct vpv_stream_header h;
	struct vpv_stream_end end;
	size_t bytes;
	const u8 *data;

	vmig_emit_header(&s->w, &self, &h);
	put(s, &h, sizeof(h));
	data = take_bytes(in, 32, &bytes);
	put_record(s, VPV_RECORD_MATCH, 0, data, bytes);
	for (i = 0; i < n; i++) {
		data = take_bytes(in, take(in, 2) % 600, &bytes);
		put_record(s, VPV_RECORD_FAMILY + i, i & VPV_RECORD_OPTIONAL, data, bytes);
	}
	vmig_emit_end(&s->w, &end);
	put_record(s, VPV_RECORD_END, 0, &end, sizeof(end));
	s->record[s->records] = s->fill;
}

static void copy_record(struct stream *to, const struct stream *from, unsigned int i)
{
	put(to, from->bytes + from->record[i], from->record[i + 1] - from->record[i]);
}

static void damage(struct stream *s, const struct stream *good, struct input *in)
{
	unsigned int how = take(in, 1) % 4, n = 1 + take(in, 1) % 3, i;
	unsigned int a = take(in, 1) % good->records, b = take(in, 1) % good->records;

	*s = *good;
	switch (how) {
	case 0:
		while (n--) {
			u32 bit = take(in, 3) % (s->fill * 8);

			s->bytes[bit / 8] ^= 1 << (bit % 8);
		}
		return;
	case 1:
		s->fill = take(in, 2) % s->fill;
		return;
	case 2:		/* record a at the place of b */
		s->fill = good->record[0];
		for (i = 0; i < good->records; i++)
			copy_record(s, good, i == b ? a : i);
		return;
	default:	/* record a once more */
		s->fill = good->record[a + 1];
		copy_record(s, good, a);
		for (i = a + 1; i < good->records; i++)
			copy_record(s, good, i);
		return;
	}
}

static void fuzz_damaged(struct input *in, u32 seed)
{
	static struct stream good, bad;
	struct outcome out;

	memset(&good, 0, sizeof(good));
	make_valid(&good, in);
	out = parse_both_ways(&good, seed);
	REQUIRE(!out.err && out.ended && out.records == good.records - 1);

	damage(&bad, &good, in);
	out = parse_both_ways(&bad, seed);
	if (bad.fill != good.fill || memcmp(bad.bytes, good.bytes, good.fill))
		REQUIRE(out.err || !out.ended);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct input in = { data, bytes };
	u8 mode = take(&in, 1) % 3;
	u32 seed = take(&in, 2);
	static struct stream s;

	if (mode == 2) {
		fuzz_damaged(&in, seed);
		return 0;
	}
	s.fill = 0;
	if (mode)
		make_sealed(&s, &in);
	else
		make_raw(&s, &in);
	parse_both_ways(&s, seed);
	return 0;
}
