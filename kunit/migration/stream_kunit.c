// SPDX-License-Identifier: GPL-2.0
/* The stream: what is emitted is parsed, and nothing else is. */
#include <kunit/test.h>

#include "../../migration/parse.c"
#include "../../migration/stream.c"

#define STREAM_MAX	40000
#define RECORD_MAX	512
#define SEEN_MAX	8
#define TYPE_A		(VPV_RECORD_FAMILY + 1)
#define TYPE_B		(VPV_RECORD_FAMILY + 2)

static const struct vmig_identity self = {
	.family = "kunit_like",
	.state_version = 3,
	.state_oldest = 2,
	.state_accepts = 1,
};

/* A stream under construction, with the places where its records begin. */
struct stream {
	u8 bytes[STREAM_MAX];
	size_t fill;
	struct vmig_writer w;
	size_t record[SEEN_MAX];
	unsigned int records;
};

/* What came out of the parser. */
struct seen {
	struct vmig_parser p;
	u8 payload[VPV_CONFIG_MAX_BYTES];
	unsigned int headers;
	unsigned int records;
	unsigned int ends;
	u32 type[SEEN_MAX];
	u32 bytes[SEEN_MAX];
	u32 crc[SEEN_MAX];
	int err;
};

static void put(struct stream *s, const void *data, size_t bytes)
{
	memcpy(s->bytes + s->fill, data, bytes);
	s->fill += bytes;
}

static void put_record(struct stream *s, u32 type, u32 flags, const void *data, size_t bytes)
{
	struct vpv_stream_record head;

	vmig_emit_head(&s->w, type, flags, data, bytes, &head);
	s->record[s->records++] = s->fill;
	put(s, &head, sizeof(head));
	if (bytes)
		put(s, data, bytes);
}

static void put_header(struct stream *s, const struct vmig_identity *id)
{
	struct vpv_stream_header header;

	memset(s, 0, sizeof(*s));
	vmig_emit_header(&s->w, id, &header);
	put(s, &header, sizeof(header));
}

static void put_end(struct stream *s)
{
	struct vpv_stream_end end;

	vmig_emit_end(&s->w, &end);
	put_record(s, VPV_RECORD_END, 0, &end, sizeof(end));
}

static const u8 match_data[5] = "match";
static const u8 a_data[97] = { 1, 2, 3 };

/* Header, MATCH, A, B without payload, A, END. */
static void put_all(struct stream *s, const struct vmig_identity *id)
{
	put_header(s, id);
	put_record(s, VPV_RECORD_MATCH, 0, match_data, sizeof(match_data));
	put_record(s, TYPE_A, 0, a_data, sizeof(a_data));
	put_record(s, TYPE_B, VPV_RECORD_OPTIONAL, NULL, 0);
	put_record(s, TYPE_A, 0, a_data, 1);
	put_end(s);
}

static void feed(struct seen *seen, const u8 *data, size_t bytes)
{
	for (;;) {
		int event = vmig_parse(&seen->p, &data, &bytes);
		unsigned int i = seen->records;

		if (event < 0)
			seen->err = event;
		if (event <= VMIG_NEED_BYTES)
			return;
		if (event == VMIG_NEED_BUFFER) {
			seen->p.payload = seen->payload;
		} else if (event == VMIG_HAVE_HEADER) {
			seen->headers++;
		} else if (event == VMIG_HAVE_END) {
			seen->ends++;
		} else if (i < SEEN_MAX) {
			seen->type[i] = seen->p.type;
			seen->bytes[i] = seen->p.record_bytes;
			seen->crc[i] = vmig_crc(0, seen->payload, seen->p.record_bytes);
			seen->records++;
		}
	}
}

static struct seen *seen_new(struct kunit *test)
{
	struct seen *seen = kunit_kzalloc(test, sizeof(*seen), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, seen);
	return seen;
}

static struct stream *stream_new(struct kunit *test)
{
	struct stream *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	return s;
}

static void seen_begin(struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	vmig_parse_begin(&seen->p, &self, RECORD_MAX);
}

/* Parse a whole stream; 0 or the errno that refuses it, at the end if not before. */
static int parse_all(struct seen *seen, const u8 *data, size_t bytes)
{
	seen_begin(seen);
	feed(seen, data, bytes);
	return seen->err ?: vmig_parse_finish(&seen->p);
}

static void expect_all(struct kunit *test, const struct seen *seen)
{
	static const u32 type[] = { VPV_RECORD_MATCH, TYPE_A, TYPE_B, TYPE_A };
	static const u32 bytes[] = { sizeof(match_data), sizeof(a_data), 0, 1 };
	unsigned int i;

	KUNIT_EXPECT_EQ(test, seen->err, 0);
	KUNIT_EXPECT_EQ(test, seen->headers, 1U);
	KUNIT_EXPECT_EQ(test, seen->ends, 1U);
	KUNIT_ASSERT_EQ(test, seen->records, (unsigned int)ARRAY_SIZE(type));
	for (i = 0; i < ARRAY_SIZE(type); i++) {
		KUNIT_EXPECT_EQ(test, seen->type[i], type[i]);
		KUNIT_EXPECT_EQ(test, seen->bytes[i], bytes[i]);
	}
	KUNIT_EXPECT_EQ(test, seen->crc[0], vmig_crc(0, match_data, sizeof(match_data)));
	KUNIT_EXPECT_EQ(test, seen->crc[1], vmig_crc(0, a_data, sizeof(a_data)));
}

/* As resume.c does it: payload to where the parser says, in two places. */
static void payload_goes_where_it_belongs(struct kunit *test)
{
	struct stream *s = stream_new(test);
	struct seen *seen = seen_new(test);
	u8 front[8], rest[sizeof(a_data)];
	size_t at = 0, step = 1, records = 0;
	int event = 0;

	put_header(s, &self);
	put_record(s, VPV_RECORD_MATCH, 0, match_data, sizeof(match_data));
	put_record(s, TYPE_A, 0, a_data, sizeof(a_data));
	put_end(s);
	seen_begin(seen);
	while (event != VMIG_HAVE_END) {
		u8 *room;
		size_t n = vmig_parse_room(&seen->p, &room);

		KUNIT_ASSERT_LE(test, at + 1, s->fill);
		if (n) {
			n = min(n, step++ % 13 + 1);
			memcpy(room, s->bytes + at, n);
			event = vmig_parse_filled(&seen->p, n);
		} else {
			const u8 *data = s->bytes + at;
			size_t left = min(vmig_parse_wants(&seen->p), s->fill - at);

			n = left;
			event = vmig_parse(&seen->p, &data, &left);
			KUNIT_ASSERT_EQ(test, left, (size_t)0);
		}
		at += n;
		if (event == VMIG_NEED_BUFFER) {
			seen->p.payload = front;
			seen->p.front_bytes = min_t(u32, sizeof(front), seen->p.record_bytes);
			seen->p.rest = rest;
		}
		records += event == VMIG_HAVE_RECORD;
		KUNIT_ASSERT_GE(test, event, 0);
	}
	KUNIT_EXPECT_EQ(test, records, (size_t)2);
	KUNIT_EXPECT_EQ(test, memcmp(front, a_data, sizeof(front)), 0);
	KUNIT_EXPECT_EQ(test, memcmp(rest, a_data + sizeof(front),
				     sizeof(a_data) - sizeof(front)), 0);
	KUNIT_EXPECT_EQ(test, vmig_parse_wants(&seen->p), (size_t)1);
}

/*
 * The rest of a payload by pieces of 16 bytes, of which whoever takes them makes the sum; some
 * from where they are, without the room for them.
 */
static void rest_comes_in_pieces(struct kunit *test)
{
	static const u32 fronts[] = { 0, 8, 24, sizeof(a_data) - 1, sizeof(a_data) };
	unsigned int taken = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(fronts); i++) {
		struct seen *seen = seen_new(test);
		struct stream *s = stream_new(test);
		u8 front[sizeof(a_data)], rest[16], got[sizeof(a_data)];
		const u8 *data = s->bytes, *from = rest;
		u32 fill = 0, step = 1;
		int event = 0;

		put_header(s, &self);
		put_record(s, VPV_RECORD_MATCH, 0, match_data, sizeof(match_data));
		put_record(s, TYPE_A, 0, a_data, sizeof(a_data));
		put_end(s);
		seen_begin(seen);
		while (event != VMIG_HAVE_END) {
			size_t n = min_t(size_t, step++ % 7 + 1, s->bytes + s->fill - data);
			size_t whole = vmig_parse_piece(&seen->p);

			if (event != VMIG_HAVE_PIECE)
				from = rest;
			if (event == VMIG_NEED_BYTES && whole && step % 2) {
				from = data;
				data += whole;
				event = vmig_parse_filled(&seen->p, whole);
				KUNIT_ASSERT_EQ(test, event, VMIG_HAVE_PIECE);
				KUNIT_EXPECT_EQ(test, seen->p.piece_bytes, (u32)whole);
				taken++;
			}
			if (event == VMIG_HAVE_PIECE) {
				vmig_sum_add(&seen->p.sum, from, seen->p.piece_bytes);
				memcpy(got + fill, from, seen->p.piece_bytes);
				fill += seen->p.piece_bytes;
				event = vmig_parse_taken(&seen->p);
				continue;
			}
			KUNIT_ASSERT_GE(test, n, (size_t)1);
			event = vmig_parse(&seen->p, &data, &n);
			KUNIT_ASSERT_GE(test, event, 0);
			if (event != VMIG_NEED_BUFFER)
				continue;
			seen->p.payload = front;
			if (seen->p.type != TYPE_A)
				continue;
			seen->p.front_bytes = fronts[i];
			seen->p.rest = rest;
			seen->p.rest_room = sizeof(rest);
		}
		KUNIT_EXPECT_EQ(test, fill, (u32)sizeof(a_data) - fronts[i]);
		KUNIT_EXPECT_EQ(test, memcmp(front, a_data, fronts[i]), 0);
		KUNIT_EXPECT_EQ(test, memcmp(got, a_data + fronts[i], fill), 0);
	}
	KUNIT_EXPECT_GT(test, taken, 0U);
}

/* Whoever goes on after a refusal is told again, and not that there is nothing to do. */
static void refused_parser_wants_a_byte(struct kunit *test)
{
	struct seen *seen = seen_new(test);
	struct stream *s = stream_new(test);
	u8 *room;

	put_header(s, &self);
	put_record(s, VPV_RECORD_MATCH, 0, match_data, sizeof(match_data));
	s->bytes[s->fill - 1] ^= 1;
	seen_begin(seen);
	feed(seen, s->bytes, s->fill);
	KUNIT_EXPECT_EQ(test, seen->err, -EBADMSG);
	KUNIT_EXPECT_EQ(test, vmig_parse_room(&seen->p, &room), (size_t)0);
	KUNIT_EXPECT_GE(test, vmig_parse_wants(&seen->p), (size_t)1);
}

static void stream_goes_round_in_pieces_of_every_size(struct kunit *test)
{
	struct stream *s = stream_new(test);
	struct seen *seen = seen_new(test);
	size_t piece, at;

	put_all(s, &self);
	for (piece = 1; piece <= s->fill; piece++) {
		seen_begin(seen);
		for (at = 0; at < s->fill; at += piece)
			feed(seen, s->bytes + at, min(piece, s->fill - at));
		expect_all(test, seen);
		KUNIT_EXPECT_EQ(test, vmig_parse_finish(&seen->p), 0);
	}
}

static void stream_goes_round_split_anywhere(struct kunit *test)
{
	struct stream *s = stream_new(test);
	struct seen *seen = seen_new(test);
	size_t at;

	put_all(s, &self);
	for (at = 0; at <= s->fill; at++) {
		seen_begin(seen);
		feed(seen, s->bytes, at);
		feed(seen, s->bytes + at, 0);
		feed(seen, s->bytes + at, s->fill - at);
		expect_all(test, seen);
	}
}

static void truncation_at_every_byte_is_seen(struct kunit *test)
{
	struct stream *s = stream_new(test);
	struct seen *seen = seen_new(test);
	size_t at;

	put_all(s, &self);
	for (at = 0; at < s->fill; at++) {
		KUNIT_EXPECT_EQ_MSG(test, parse_all(seen, s->bytes, at), -ENODATA,
				    "at %zu", at);
		KUNIT_EXPECT_NOT_NULL(test, seen->p.why.field);
		KUNIT_EXPECT_EQ(test, seen->ends, 0U);
	}
}

static bool errno_is_documented(int err)
{
	switch (err) {
	case -EINVAL:
	case -EPROTONOSUPPORT:
	case -EBADMSG:
	case -EXDEV:
	case -EPROTO:
	case -EMSGSIZE:
	case -ENODATA:
	case -EOPNOTSUPP:
		return true;
	default:
		return false;
	}
}

static void every_flipped_bit_is_seen(struct kunit *test)
{
	struct stream *s = stream_new(test);
	struct seen *seen = seen_new(test);
	size_t bit;

	put_all(s, &self);
	for (bit = 0; bit < s->fill * 8; bit++) {
		int err;

		s->bytes[bit / 8] ^= 1 << (bit % 8);
		err = parse_all(seen, s->bytes, s->fill);
		KUNIT_EXPECT_TRUE_MSG(test, errno_is_documented(err), "bit %zu: %d", bit, err);
		KUNIT_EXPECT_EQ_MSG(test, seen->ends, 0U, "bit %zu", bit);
		s->bytes[bit / 8] ^= 1 << (bit % 8);
	}
}

/* Where record @i begins; one past the last: the end. */
static size_t record_at(const struct stream *s, unsigned int i)
{
	return i < s->records ? s->record[i] : s->fill;
}

static void copy_record(struct stream *to, const struct stream *from, unsigned int i)
{
	put(to, from->bytes + record_at(from, i), record_at(from, i + 1) - record_at(from, i));
}

static void reordered_records_are_refused(struct kunit *test)
{
	struct stream *s = stream_new(test), *t = stream_new(test);
	struct seen *seen = seen_new(test);
	unsigned int a, b, i;

	put_all(s, &self);
	for (a = 0; a < s->records; a++) {
		for (b = a + 1; b < s->records; b++) {
			t->fill = 0;
			put(t, s->bytes, s->record[0]);
			for (i = 0; i < s->records; i++)
				copy_record(t, s, i == a ? b : i == b ? a : i);
			KUNIT_EXPECT_EQ_MSG(test, parse_all(seen, t->bytes, t->fill),
					    -EPROTO, "%u and %u", a, b);
			KUNIT_EXPECT_STREQ(test, seen->p.why.field, "record sequence");
		}
	}
}

static void repeated_and_missing_records_are_refused(struct kunit *test)
{
	struct stream *s = stream_new(test), *t = stream_new(test);
	struct seen *seen = seen_new(test);
	unsigned int n, i;

	put_all(s, &self);
	for (n = 0; n < s->records; n++) {
		t->fill = 0;
		put(t, s->bytes, record_at(s, n + 1));
		copy_record(t, s, n);
		KUNIT_EXPECT_EQ_MSG(test, parse_all(seen, t->bytes, t->fill), -EPROTO,
				    "repeated %u", n);
	}
	for (n = 0; n + 1 < s->records; n++) {
		t->fill = 0;
		put(t, s->bytes, s->record[0]);
		for (i = 0; i < s->records; i++)
			if (i != n)
				copy_record(t, s, i);
		KUNIT_EXPECT_EQ_MSG(test, parse_all(seen, t->bytes, t->fill), -EPROTO,
				    "missing %u", n);
	}
}

static void records_of_another_stream_do_not_fit(struct kunit *test)
{
	struct stream *s = stream_new(test), *t = stream_new(test);
	struct vmig_identity other = self;
	struct seen *seen = seen_new(test);

	other.state_oldest = 1;
	put_all(s, &self);
	put_all(t, &other);
	memcpy(t->bytes + t->record[2], s->bytes + s->record[2], s->fill - s->record[2]);
	KUNIT_EXPECT_EQ(test, parse_all(seen, t->bytes, t->fill), -EBADMSG);
}

static void bytes_after_the_end_are_refused(struct kunit *test)
{
	struct stream *s = stream_new(test);
	struct seen *seen = seen_new(test);

	put_all(s, &self);
	put(s, "", 1);
	KUNIT_EXPECT_EQ(test, parse_all(seen, s->bytes, s->fill), -EPROTO);
	KUNIT_EXPECT_EQ(test, seen->ends, 1U);
	KUNIT_EXPECT_EQ(test, vmig_parse_finish(&seen->p), -EPROTO);
}

/* Header fields set to @value, with a checksum that is right. */
struct header_case {
	const char *name;
	size_t offset;
	size_t bytes;
	u64 value;
	int err;
};

#define HEADER_CASE(_name, _field, _value, _err)				\
	{ _name, offsetof(struct vpv_stream_header, _field),			\
	  sizeof(((struct vpv_stream_header *)0)->_field) < 8 ?		\
	  sizeof(((struct vpv_stream_header *)0)->_field) : 8, _value, _err }

static const struct header_case header_cases[] = {
	HEADER_CASE("magic", magic, 0x1122334455667788ULL, -EINVAL),
	HEADER_CASE("magic_zero", magic, 0, -EINVAL),
	HEADER_CASE("major_newer", major, VPV_STREAM_MAJOR + 1, -EPROTONOSUPPORT),
	HEADER_CASE("major_zero", major, 0, -EPROTONOSUPPORT),
	HEADER_CASE("minor_newer", minor, VPV_STREAM_MINOR + 1, 0),
	HEADER_CASE("minor_newest", minor, 0xffff, 0),
	HEADER_CASE("size_zero", header_bytes, 0, -EINVAL),
	HEADER_CASE("size_short", header_bytes, sizeof(struct vpv_stream_header) - 1, -EINVAL),
	HEADER_CASE("size_long", header_bytes, sizeof(struct vpv_stream_header) + 1, -EINVAL),
	HEADER_CASE("size_huge", header_bytes, 0xffffffff, -EINVAL),
	HEADER_CASE("family", family, 0x6b6b6b6b6b6b6b6bULL, -EXDEV),
	HEADER_CASE("family_padding", family, 0x6b6bULL, -EINVAL),
	HEADER_CASE("family_empty", family, 0, -EINVAL),
	HEADER_CASE("version_oldest_read", state_version, 2, 0),
	HEADER_CASE("version_newer", state_version, 4, 0),
	HEADER_CASE("version_too_old", state_version, 0, -EINVAL),
	HEADER_CASE("oldest_above_version", state_oldest, 4, -EINVAL),
	HEADER_CASE("persona", persona, 0x61, -EXDEV),
	HEADER_CASE("persona_version", persona_version, 1, -EXDEV),
	HEADER_CASE("persona_digest", persona_digest, 1, -EXDEV),
	HEADER_CASE("reserved", reserved, 1, -EINVAL),
	HEADER_CASE("flags", flags, 1, -EINVAL),
	HEADER_CASE("flags_high", flags, 0x80000000, -EINVAL),
};

static void header_case_name(const struct header_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(header, header_cases, header_case_name);

static void seal_header(struct vpv_stream_header *h)
{
	h->crc = 0;
	h->crc = cpu_to_le32(vmig_crc(0, h, sizeof(*h)));
}

static void header_field_is_checked(struct kunit *test)
{
	const struct header_case *c = test->param_value;
	struct seen *seen = seen_new(test);
	struct vpv_stream_header h;
	struct vmig_writer w;
	u8 value[8];

	vmig_emit_header(&w, &self, &h);
	put_unaligned_le64(c->value, value);
	memcpy((u8 *)&h + c->offset, value, c->bytes);
	seal_header(&h);

	seen_begin(seen);
	feed(seen, (u8 *)&h, sizeof(h));
	KUNIT_EXPECT_EQ(test, seen->err, c->err);
	KUNIT_EXPECT_EQ(test, seen->headers, c->err ? 0U : 1U);
	if (c->err)
		KUNIT_EXPECT_NOT_NULL(test, seen->p.why.field);
}

struct version_case {
	const char *name;
	u32 version;
	u32 oldest;
	int err;
};

/* The reader knows 3 and reads from 1 on. */
static const struct version_case version_cases[] = {
	{ "same", 3, 2, 0 },
	{ "oldest_that_is_read", 1, 1, 0 },
	{ "too_old", 0, 0, -EPROTONOSUPPORT },
	{ "newer_but_compatible", 7, 3, 0 },
	{ "newer", 7, 4, -EPROTONOSUPPORT },
	{ "newest", 0xffffffff, 0xffffffff, -EPROTONOSUPPORT },
};

static void version_case_name(const struct version_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(version, version_cases, version_case_name);

static void version_range_is_checked(struct kunit *test)
{
	const struct version_case *c = test->param_value;
	struct vmig_identity other = self;
	struct seen *seen = seen_new(test);
	struct stream *s = stream_new(test);

	other.state_version = c->version;
	other.state_oldest = c->oldest;
	put_all(s, &other);
	KUNIT_EXPECT_EQ(test, parse_all(seen, s->bytes, s->fill), c->err);
}

static void newer_minor_may_have_a_longer_header(struct kunit *test)
{
	struct stream *s = stream_new(test);
	struct seen *seen = seen_new(test);
	struct vpv_stream_header h;
	u8 tail[41] = "new";
	size_t piece, at;

	vmig_emit_header(&s->w, &self, &h);
	h.minor = cpu_to_le16(VPV_STREAM_MINOR + 1);
	h.header_bytes = cpu_to_le32(sizeof(h) + sizeof(tail));
	h.crc = 0;
	s->w.crc = vmig_crc(vmig_crc(0, &h, sizeof(h)), tail, sizeof(tail));
	h.crc = cpu_to_le32(s->w.crc);
	put(s, &h, sizeof(h));
	put(s, tail, sizeof(tail));
	put_record(s, VPV_RECORD_MATCH, 0, match_data, sizeof(match_data));
	put_end(s);

	for (piece = 1; piece < s->fill; piece++) {
		seen_begin(seen);
		for (at = 0; at < s->fill; at += piece)
			feed(seen, s->bytes + at, min(piece, s->fill - at));
		KUNIT_EXPECT_EQ(test, vmig_parse_finish(&seen->p), 0);
	}
	KUNIT_EXPECT_EQ(test, parse_all(seen, s->bytes, sizeof(h) + 3), -ENODATA);
	s->bytes[sizeof(h)] ^= 1;
	KUNIT_EXPECT_EQ(test, parse_all(seen, s->bytes, s->fill), -EBADMSG);
}

static void header_of_a_newer_minor_has_bounds(struct kunit *test)
{
	static const struct {
		u32 bytes;
		u64 bound;
	} cases[] = {
		{ sizeof(struct vpv_stream_header) - 1, sizeof(struct vpv_stream_header) },
		{ 0, sizeof(struct vpv_stream_header) },
		{ VMIG_HEADER_MAX_BYTES + 1, VMIG_HEADER_MAX_BYTES },
		{ U32_MAX, VMIG_HEADER_MAX_BYTES },
	};
	struct stream *s = stream_new(test);
	struct seen *seen = seen_new(test);
	struct vpv_stream_header h;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		vmig_emit_header(&s->w, &self, &h);
		h.minor = cpu_to_le16(VPV_STREAM_MINOR + 1);
		h.header_bytes = cpu_to_le32(cases[i].bytes);
		KUNIT_EXPECT_EQ(test, parse_all(seen, (u8 *)&h, sizeof(h)), -EINVAL);
		KUNIT_EXPECT_STREQ(test, seen->p.why.field, "header size");
		KUNIT_EXPECT_EQ(test, seen->p.why.want, cases[i].bound);
		KUNIT_EXPECT_EQ(test, seen->p.why.got, (u64)cases[i].bytes);
	}
}

/* Records whose checksums are right but which must not be there. */
struct record_case {
	const char *name;
	u32 first;	/* type of the first record */
	u32 type;
	u32 flags;
	u32 bytes;
	int err;
};

static const struct record_case record_cases[] = {
	{ "plain", VPV_RECORD_MATCH, TYPE_A, 0, 10, 0 },
	{ "largest", VPV_RECORD_MATCH, TYPE_A, 0, RECORD_MAX, 0 },
	{ "too_large", VPV_RECORD_MATCH, TYPE_A, 0, RECORD_MAX + 1, -EMSGSIZE },
	{ "large_but_optional", VPV_RECORD_MATCH, TYPE_A, 1, RECORD_MAX + 1, 0 },
	{ "newest_type", VPV_RECORD_MATCH, 0xffffffff, 0, 1, 0 },
	{ "no_match_first", TYPE_A, TYPE_A, 0, 1, -EPROTO },
	{ "end_first", VPV_RECORD_END, TYPE_A, 0, 1, -EPROTO },
	{ "second_match", VPV_RECORD_MATCH, VPV_RECORD_MATCH, 0, 5, -EPROTO },
	{ "unknown_flag", VPV_RECORD_MATCH, TYPE_A, 2, 1, -EINVAL },
	{ "all_flags", VPV_RECORD_MATCH, TYPE_A, 0xffffffff, 1, -EINVAL },
	{ "optional_end", VPV_RECORD_MATCH, VPV_RECORD_END, 1, 16, -EINVAL },
	{ "short_end", VPV_RECORD_MATCH, VPV_RECORD_END, 0, 15, -EPROTO },
	{ "empty_end", VPV_RECORD_MATCH, VPV_RECORD_END, 0, 0, -EPROTO },
	{ "type_zero", VPV_RECORD_MATCH, 0, 0, 1, -EOPNOTSUPP },
	{ "container_type", VPV_RECORD_MATCH, VPV_RECORD_FAMILY - 1, 0, 1, -EOPNOTSUPP },
	{ "optional_container_type", VPV_RECORD_MATCH, VPV_RECORD_FAMILY - 1, 1, 1, 0 },
	{ "config", VPV_RECORD_MATCH, VPV_RECORD_CONFIG, 0, 20, 0 },
	{ "optional_config", VPV_RECORD_MATCH, VPV_RECORD_CONFIG, 1, 20, -EINVAL },
	{ "config_first", VPV_RECORD_CONFIG, VPV_RECORD_CONFIG, 0, 20, -EPROTO },
	{ "view", VPV_RECORD_MATCH, VPV_RECORD_VIEW, 1, 20, 0 },
	{ "mandatory_view", VPV_RECORD_MATCH, VPV_RECORD_VIEW, 0, 20, 0 },
	{ "view_first", VPV_RECORD_VIEW, TYPE_A, 0, 20, -EPROTO },
};

static void record_case_name(const struct record_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(record, record_cases, record_case_name);

static void record_is_checked(struct kunit *test)
{
	const struct record_case *c = test->param_value;
	u8 *data = kunit_kzalloc(test, RECORD_MAX + 1, GFP_KERNEL);
	struct seen *seen = seen_new(test);
	struct stream *s = stream_new(test);

	KUNIT_ASSERT_NOT_NULL(test, data);
	put_header(s, &self);
	put_record(s, c->first, 0, data, c->first == VPV_RECORD_END ? 16 : 5);
	put_record(s, c->type, c->flags, data, c->bytes);
	put_end(s);
	KUNIT_EXPECT_EQ(test, parse_all(seen, s->bytes, s->fill), c->err);
}

/* VIEW only behind MATCH, CONFIG once; both can be larger than the family's. */
static void config_has_its_place(struct kunit *test)
{
	static const struct {
		u32 types[3];
		u32 bytes;
		int err;
	} cases[] = {
		{ { VPV_RECORD_VIEW, TYPE_A, VPV_RECORD_CONFIG }, 8, 0 },
		{ { VPV_RECORD_VIEW, VPV_RECORD_VIEW, TYPE_A }, 8, -EPROTO },
		{ { TYPE_A, VPV_RECORD_VIEW, TYPE_A }, 8, -EPROTO },
		{ { VPV_RECORD_CONFIG, TYPE_A, VPV_RECORD_CONFIG }, 8, -EPROTO },
		{ { VPV_RECORD_VIEW, VPV_RECORD_CONFIG, VPV_RECORD_END }, VPV_CONFIG_MAX_BYTES,
		  -EPROTO },
		{ { VPV_RECORD_VIEW, TYPE_A, TYPE_A }, VPV_CONFIG_MAX_BYTES + 1, -EMSGSIZE },
	};
	u8 *data = kunit_kzalloc(test, VPV_CONFIG_MAX_BYTES + 1, GFP_KERNEL);
	struct seen *seen = seen_new(test);
	struct stream *s = stream_new(test);

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_header(s, &self);
		put_record(s, VPV_RECORD_MATCH, 0, match_data, sizeof(match_data));
		for (size_t k = 0; k < 3; k++)
			put_record(s, cases[i].types[k], 0, data, cases[i].bytes);
		put_end(s);
		KUNIT_EXPECT_EQ_MSG(test, parse_all(seen, s->bytes, s->fill), cases[i].err,
				    "case %zu", i);
	}
}

/* Only the head arrives: nothing is asked for that large. */
/* A reader that compares config space takes no stream that does not show any. */
static void view_that_is_wanted_must_be_there(struct kunit *test)
{
	static const struct {
		u32 type;
		bool wanted;
		int err;
	} cases[] = {
		{ VPV_RECORD_VIEW, true, 0 },
		{ VPV_RECORD_VIEW, false, 0 },
		{ TYPE_A, false, 0 },
		{ TYPE_A, true, -EPROTO },
		{ VPV_RECORD_CONFIG, true, -EPROTO },
		{ VPV_RECORD_END, true, -EPROTO },
	};
	struct seen *seen = seen_new(test);
	struct stream *s = stream_new(test);
	u8 data[16] = {};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_header(s, &self);
		put_record(s, VPV_RECORD_MATCH, 0, match_data, sizeof(match_data));
		if (cases[i].type != VPV_RECORD_END)
			put_record(s, cases[i].type, 0, data, sizeof(data));
		put_end(s);
		seen_begin(seen);
		seen->p.view_wanted = cases[i].wanted;
		feed(seen, s->bytes, s->fill);
		KUNIT_EXPECT_EQ_MSG(test, seen->err, cases[i].err, "case %zu", i);
	}
}

static void oversized_records_ask_for_no_memory(struct kunit *test)
{
	static const u32 sizes[] = { RECORD_MAX + 1, 16 << 20, (16 << 20) + 1, 0x80000000,
				     0xffffffff };
	struct seen *seen = seen_new(test);
	struct stream *s = stream_new(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct vpv_stream_record head = {
			.type = cpu_to_le32(TYPE_A),
			.seq = cpu_to_le64(1),
			.bytes = cpu_to_le32(sizes[i]),
		};

		put_header(s, &self);
		put_record(s, VPV_RECORD_MATCH, 0, match_data, sizeof(match_data));
		head.crc = cpu_to_le32(vmig_crc(s->w.crc, &head, sizeof(head)));
		put(s, &head, sizeof(head));
		KUNIT_EXPECT_EQ_MSG(test, parse_all(seen, s->bytes, s->fill), -EMSGSIZE,
				    "%x", sizes[i]);
		KUNIT_EXPECT_NULL(test, seen->p.payload);
		KUNIT_EXPECT_EQ(test, seen->p.why.got, (u64)sizes[i]);
	}
}

static void totals_are_checked(struct kunit *test)
{
	static const int delta[] = { -1, 1, 1000 };
	struct seen *seen = seen_new(test);
	struct stream *s = stream_new(test);
	unsigned int i, which;

	for (which = 0; which < 2; which++) {
		for (i = 0; i < ARRAY_SIZE(delta); i++) {
			struct vpv_stream_end end;

			put_header(s, &self);
			put_record(s, VPV_RECORD_MATCH, 0, match_data, sizeof(match_data));
			put_record(s, TYPE_A, 0, a_data, sizeof(a_data));
			end.records = cpu_to_le64(s->w.seq + (which ? 0 : delta[i]));
			end.bytes = cpu_to_le64(s->w.bytes + (which ? delta[i] : 0));
			put_record(s, VPV_RECORD_END, 0, &end, sizeof(end));
			KUNIT_EXPECT_EQ(test, parse_all(seen, s->bytes, s->fill), -EPROTO);
		}
	}
}

static void garbage_is_refused_at_its_first_byte(struct kunit *test)
{
	struct seen *seen = seen_new(test);
	unsigned int c;
	u8 byte;

	for (c = 0; c < 256; c++) {
		if (c == (u8)VPV_STREAM_MAGIC[0])
			continue;
		byte = c;
		KUNIT_EXPECT_EQ(test, parse_all(seen, &byte, 1), -EINVAL);
		KUNIT_EXPECT_STREQ(test, seen->p.why.field, "magic");
	}
}

static void refusal_stays_and_names_both_values(struct kunit *test)
{
	struct seen *seen = seen_new(test);
	struct stream *s = stream_new(test);
	struct vmig_identity other = self;

	memset(other.family, 0, sizeof(other.family));
	memcpy(other.family, "other", 5);
	put_all(s, &other);
	KUNIT_EXPECT_EQ(test, parse_all(seen, s->bytes, s->fill), -EXDEV);
	KUNIT_EXPECT_STREQ(test, seen->p.why.field, "family");
	KUNIT_EXPECT_STREQ(test, seen->p.why.want_text, "kunit_like");
	KUNIT_EXPECT_STREQ(test, seen->p.why.got_text, "other");

	put_all(s, &self);
	seen->err = 0;
	feed(seen, s->bytes, s->fill);
	KUNIT_EXPECT_EQ(test, seen->err, -EXDEV);
	KUNIT_EXPECT_EQ(test, vmig_parse_finish(&seen->p), -EXDEV);
}

static struct kunit_case stream_cases[] = {
	KUNIT_CASE(payload_goes_where_it_belongs),
	KUNIT_CASE(rest_comes_in_pieces),
	KUNIT_CASE(refused_parser_wants_a_byte),
	KUNIT_CASE(stream_goes_round_in_pieces_of_every_size),
	KUNIT_CASE(stream_goes_round_split_anywhere),
	KUNIT_CASE(truncation_at_every_byte_is_seen),
	KUNIT_CASE(every_flipped_bit_is_seen),
	KUNIT_CASE(reordered_records_are_refused),
	KUNIT_CASE(repeated_and_missing_records_are_refused),
	KUNIT_CASE(records_of_another_stream_do_not_fit),
	KUNIT_CASE(bytes_after_the_end_are_refused),
	KUNIT_CASE_PARAM(header_field_is_checked, header_gen_params),
	KUNIT_CASE_PARAM(version_range_is_checked, version_gen_params),
	KUNIT_CASE(newer_minor_may_have_a_longer_header),
	KUNIT_CASE(header_of_a_newer_minor_has_bounds),
	KUNIT_CASE_PARAM(record_is_checked, record_gen_params),
	KUNIT_CASE(config_has_its_place),
	KUNIT_CASE(view_that_is_wanted_must_be_there),
	KUNIT_CASE(oversized_records_ask_for_no_memory),
	KUNIT_CASE(totals_are_checked),
	KUNIT_CASE(garbage_is_refused_at_its_first_byte),
	KUNIT_CASE(refusal_stays_and_names_both_values),
	{}
};

static struct kunit_suite stream_suite = {
	.name = "migration_stream",
	.test_cases = stream_cases,
};

kunit_test_suite(stream_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit: migration stream");
