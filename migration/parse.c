// SPDX-License-Identifier: GPL-2.0
/*
 * The container of migration data, as Documentation/stream.rst draws it: what of a stream is
 * refused before anybody looks at what the records mean.  Pure: bytes come in pieces of any
 * size; the caller moves them and owns the memory.
 */
#include "stream.h"

void vmig_parse_begin(struct vmig_parser *p, const struct vmig_identity *self,
		      u32 max_payload)
{
	memset(p, 0, sizeof(*p));
	p->self = self;
	p->max_payload = max_payload;
}

static int refuse(struct vmig_parser *p, int err, const char *field, u64 want, u64 got)
{
	p->err = err;
	return vmig_differs(&p->why, err, field, want, got);
}

static int refuse_text(struct vmig_parser *p, int err, const char *field,
		       const char *want, const u8 *got)
{
	memcpy(p->want_text, want, VPV_STREAM_NAME_BYTES);
	memcpy(p->got_text, got, VPV_STREAM_NAME_BYTES);
	refuse(p, err, field, 0, 0);
	p->why.want_text = p->want_text;
	p->why.got_text = p->got_text;
	return err;
}

/* Collect one part of fixed size; true when it is complete. */
static bool collect(struct vmig_parser *p, void *part, u32 part_bytes,
		    const u8 **data, size_t *bytes)
{
	size_t n = min_t(size_t, *bytes, part_bytes - p->have);

	if (n)
		memcpy((u8 *)part + p->have, *data, n);
	p->have += n;
	*data += n;
	*bytes -= n;
	return p->have == part_bytes;
}

static void enter(struct vmig_parser *p, enum vmig_parse_at at)
{
	p->at = at;
	p->have = 0;
}

static int check_name(struct vmig_parser *p, const char *field, const char *want,
		      const u8 *got)
{
	size_t n = 0;

	while (n < VPV_STREAM_NAME_BYTES && got[n])
		n++;
	if (n == VPV_STREAM_NAME_BYTES || memchr_inv(got + n, 0, VPV_STREAM_NAME_BYTES - n))
		return refuse(p, -EINVAL, "padding of a name", 0, n);
	if (memcmp(want, got, VPV_STREAM_NAME_BYTES))
		return refuse_text(p, -EXDEV, field, want, got);
	return 0;
}

/* The first bytes tell garbage from a stream; do not wait for more of it. */
static int check_magic(struct vmig_parser *p)
{
	u32 n = min_t(u32, p->have, VPV_STREAM_MAGIC_BYTES);

	if (memcmp(p->header.magic, VPV_STREAM_MAGIC, n))
		return refuse(p, -EINVAL, "magic",
			      get_unaligned_le64(VPV_STREAM_MAGIC),
			      get_unaligned_le64(p->header.magic));
	return 0;
}

/* What must be known to find the end of the header. */
static int check_format(struct vmig_parser *p)
{
	const struct vpv_stream_header *h = &p->header;
	u32 bytes = le32_to_cpu(h->header_bytes);

	if (le16_to_cpu(h->major) != VPV_STREAM_MAJOR)
		return refuse(p, -EPROTONOSUPPORT, "major version", VPV_STREAM_MAJOR,
			      le16_to_cpu(h->major));
	if (le16_to_cpu(h->minor) <= VPV_STREAM_MINOR && bytes != sizeof(*h))
		return refuse(p, -EINVAL, "header size", sizeof(*h), bytes);
	if (bytes < sizeof(*h))
		return refuse(p, -EINVAL, "header size", sizeof(*h), bytes);
	if (bytes > VMIG_HEADER_MAX_BYTES)
		return refuse(p, -EINVAL, "header size", VMIG_HEADER_MAX_BYTES, bytes);
	return 0;
}

static int check_versions(struct vmig_parser *p)
{
	u32 version = le32_to_cpu(p->header.state_version);
	u32 oldest = le32_to_cpu(p->header.state_oldest);

	if (oldest > version)
		return refuse(p, -EINVAL, "oldest state version", version, oldest);
	if (version < p->self->state_accepts)
		return refuse(p, -EPROTONOSUPPORT, "state version",
			      p->self->state_accepts, version);
	if (oldest > p->self->state_version)
		return refuse(p, -EPROTONOSUPPORT, "oldest state version",
			      p->self->state_version, oldest);
	return 0;
}

static int check_persona(struct vmig_parser *p)
{
	const struct vpv_stream_header *h = &p->header;
	const struct vmig_identity *self = p->self;
	int err;

	err = check_name(p, "persona", self->persona, h->persona);
	if (err)
		return err;
	if (le32_to_cpu(h->persona_version) != self->persona_version)
		return refuse(p, -EXDEV, "persona version", self->persona_version,
			      le32_to_cpu(h->persona_version));
	if (memcmp(h->persona_digest, self->persona_digest, sizeof(h->persona_digest)))
		return refuse(p, -EXDEV, "persona digest (first 8 bytes)",
			      get_unaligned_le64(self->persona_digest),
			      get_unaligned_le64(h->persona_digest));
	return 0;
}

static int check_header(struct vmig_parser *p)
{
	const struct vpv_stream_header *h = &p->header;
	u32 crc = le32_to_cpu(h->crc);
	int err;

	if (p->crc != crc)
		return refuse(p, -EBADMSG, "header checksum", p->crc, crc);
	if (h->flags)
		return refuse(p, -EINVAL, "header flags", 0, le32_to_cpu(h->flags));
	if (h->reserved)
		return refuse(p, -EINVAL, "reserved header field", 0,
			      le32_to_cpu(h->reserved));

	err = check_name(p, "family", p->self->family, h->family);
	if (err)
		return err;
	err = check_versions(p);
	if (err)
		return err;
	err = check_persona(p);
	if (err)
		return err;

	enter(p, VMIG_AT_HEAD);
	return VMIG_HAVE_HEADER;
}

static int parse_header(struct vmig_parser *p, const u8 **data, size_t *bytes)
{
	bool whole = collect(p, &p->header, sizeof(p->header), data, bytes);
	struct vpv_stream_header h;
	int err = check_magic(p);

	if (err || !whole)
		return err;
	err = check_format(p);
	if (err)
		return err;

	h = p->header;
	h.crc = 0;
	p->crc = vmig_crc(0, &h, sizeof(h));
	p->header_bytes = le32_to_cpu(h.header_bytes);
	if (p->header_bytes == sizeof(h))
		return check_header(p);
	p->at = VMIG_AT_HEADER_TAIL;
	return VMIG_NEED_BYTES;
}

/* Fields of a newer minor version: not known here, but under the checksum. */
static int parse_header_tail(struct vmig_parser *p, const u8 **data, size_t *bytes)
{
	size_t n = min_t(size_t, *bytes, p->header_bytes - p->have);

	p->crc = vmig_crc(p->crc, *data, n);
	p->have += n;
	*data += n;
	*bytes -= n;
	return p->have == p->header_bytes ? check_header(p) : VMIG_NEED_BYTES;
}

/* Largest payload of a type. */
static u32 most_bytes(const struct vmig_parser *p)
{
	if (p->type >= VPV_RECORD_FAMILY && (p->flags & VPV_RECORD_OPTIONAL))
		return max(p->max_payload, VMIG_OPTIONAL_MAX_BYTES);
	if (p->type >= VPV_RECORD_FAMILY)
		return p->max_payload;
	if (p->type == VPV_RECORD_PAGES && p->memory)
		return VPV_PAGES_FRONT_BYTES + VPV_PAGES_DATA_BYTES;
	return p->type == VPV_RECORD_MATCH ? VMIG_MATCH_MAX_BYTES : VMIG_OWN_MAX_BYTES;
}

/* MATCH first and once, VIEW only after it, there if it is wanted, CONFIG at most once. */
static int check_place(struct vmig_parser *p)
{
	bool match = p->type == VPV_RECORD_MATCH;

	if (!p->seq && !match)
		return refuse(p, -EPROTO, "first record type", VPV_RECORD_MATCH, p->type);
	if (p->seq && match)
		return refuse(p, -EPROTO, "second MATCH, at record", 0, p->seq);
	if (p->type == VPV_RECORD_VIEW && p->seq != 1)
		return refuse(p, -EPROTO, "VIEW, at record", 1, p->seq);
	if (p->seq == 1 && p->view_wanted && p->type != VPV_RECORD_VIEW)
		return refuse(p, -EPROTO, "second record type", VPV_RECORD_VIEW, p->type);
	if (p->type == VPV_RECORD_CONFIG && p->config_seen)
		return refuse(p, -EPROTO, "second CONFIG, at record", 0, p->seq);
	return 0;
}

/* END of the right size; types below FAMILY that are not known must be optional. */
static int check_type(struct vmig_parser *p)
{
	bool optional = p->flags & VPV_RECORD_OPTIONAL;
	int err = check_place(p);

	if (err)
		return err;
	switch (p->type) {
	case VPV_RECORD_MATCH:
	case VPV_RECORD_CONFIG:
	case VPV_RECORD_END:
		if (optional)
			return refuse(p, -EINVAL, "record flags", 0, p->flags);
		break;
	case VPV_RECORD_VIEW:
		break;
	default:
		if (p->type >= VPV_RECORD_FAMILY || optional || vmig_parse_memory(p))
			return 0;
		return refuse(p, -EOPNOTSUPP, "record type", VPV_RECORD_FAMILY, p->type);
	}
	if (p->type == VPV_RECORD_END && p->record_bytes != sizeof(p->end))
		return refuse(p, -EPROTO, "size of the END record", sizeof(p->end),
			      p->record_bytes);
	p->config_seen |= p->type == VPV_RECORD_CONFIG;
	return 0;
}

static int check_head(struct vmig_parser *p)
{
	struct vpv_stream_record h = p->head;
	u32 bytes = le32_to_cpu(h.bytes);
	u32 crc = le32_to_cpu(h.crc);
	u32 want;

	/* Before the checksum, which a record in the wrong place fails as well. */
	if (le64_to_cpu(h.seq) != p->seq)
		return refuse(p, -EPROTO, "record sequence", p->seq, le64_to_cpu(h.seq));
	h.crc = 0;
	want = vmig_crc(p->crc, &h, sizeof(h));
	if (want != crc)
		return refuse(p, -EBADMSG, "record head checksum", want, crc);
	p->crc = crc;

	p->type = le32_to_cpu(h.type);
	p->flags = le32_to_cpu(h.flags);
	if (p->flags & ~VPV_RECORD_OPTIONAL)
		return refuse(p, -EINVAL, "record flags", VPV_RECORD_OPTIONAL, p->flags);
	if (bytes > most_bytes(p))
		return refuse(p, -EMSGSIZE, "record size", most_bytes(p), bytes);
	p->record_bytes = bytes;
	return check_type(p);
}

static int check_end(struct vmig_parser *p)
{
	if (le64_to_cpu(p->end.records) != p->seq)
		return refuse(p, -EPROTO, "total of records", p->seq,
			      le64_to_cpu(p->end.records));
	if (le64_to_cpu(p->end.bytes) != p->bytes)
		return refuse(p, -EPROTO, "total of bytes", p->bytes,
			      le64_to_cpu(p->end.bytes));
	enter(p, VMIG_AT_END);
	return VMIG_HAVE_END;
}

static int check_payload(struct vmig_parser *p)
{
	u64 got = le64_to_cpu(p->head.payload_sum), want = vmig_sum_end(&p->sum);

	if (got != want)
		return refuse(p, -EBADMSG, "payload checksum", want, got);
	if (p->type == VPV_RECORD_END)
		return check_end(p);

	p->seq++;
	p->bytes += p->record_bytes;
	enter(p, VMIG_AT_HEAD);
	return VMIG_HAVE_RECORD;
}

static int parse_head(struct vmig_parser *p, const u8 **data, size_t *bytes)
{
	int err;

	p->payload = NULL;
	p->sum = (struct vmig_sum){};
	if (!collect(p, &p->head, sizeof(p->head), data, bytes))
		return VMIG_NEED_BYTES;
	err = check_head(p);
	if (err)
		return err;

	enter(p, VMIG_AT_PAYLOAD);
	p->front_bytes = p->record_bytes;
	p->rest_room = 0;
	if (!p->record_bytes)
		return check_payload(p);
	if (p->type == VPV_RECORD_END)
		p->payload = &p->end;
	return p->payload ? VMIG_NEED_BYTES : VMIG_NEED_BUFFER;
}

size_t vmig_parse_room(const struct vmig_parser *p, u8 **room)
{
	u32 at, left;

	if (p->err || p->at != VMIG_AT_PAYLOAD || !p->payload)
		return 0;
	if (p->have < p->front_bytes) {
		*room = (u8 *)p->payload + p->have;
		return p->front_bytes - p->have;
	}
	at = p->have - p->front_bytes;
	left = p->record_bytes - p->have;
	if (p->rest_room) {
		at %= p->rest_room;
		left = min(left, p->rest_room - at);
	}
	*room = (u8 *)p->rest + at;
	return left;
}

size_t vmig_parse_piece(const struct vmig_parser *p)
{
	if (p->err || p->at != VMIG_AT_PAYLOAD || !p->payload || !p->rest_room)
		return 0;
	if (p->have < p->front_bytes || (p->have - p->front_bytes) % p->rest_room)
		return 0;
	return min(p->record_bytes - p->have, p->rest_room);
}

/* Bytes of the rest were put into the room for a piece. */
static int piece_filled(struct vmig_parser *p, size_t bytes)
{
	p->piece_bytes = (p->have - p->front_bytes) % p->rest_room + bytes;
	p->have += bytes;
	return p->piece_bytes == p->rest_room || p->have == p->record_bytes ? VMIG_HAVE_PIECE :
									     VMIG_NEED_BYTES;
}

int vmig_parse_taken(struct vmig_parser *p)
{
	return p->have == p->record_bytes ? check_payload(p) : VMIG_NEED_BYTES;
}

int vmig_parse_filled(struct vmig_parser *p, size_t bytes)
{
	u8 *room;

	if (!vmig_parse_room(p, &room))
		return p->err;
	if (p->rest_room && p->have >= p->front_bytes)
		return piece_filled(p, bytes);
	/* While the bytes are still in the cache. */
	vmig_sum_add(&p->sum, room, bytes);
	p->have += bytes;
	return p->have == p->record_bytes ? check_payload(p) : VMIG_NEED_BYTES;
}

static int parse_payload(struct vmig_parser *p, const u8 **data, size_t *bytes)
{
	u8 *room;
	size_t n = vmig_parse_room(p, &room);

	if (!n)
		return VMIG_NEED_BUFFER;
	n = min(n, *bytes);
	memcpy(room, *data, n);
	*data += n;
	*bytes -= n;
	return vmig_parse_filled(p, n);
}

static int parse_after_end(struct vmig_parser *p, const u8 **data, size_t *bytes)
{
	return refuse(p, -EPROTO, "bytes after the END record", 0, *bytes);
}

int vmig_parse(struct vmig_parser *p, const u8 **data, size_t *bytes)
{
	static int (* const parse[])(struct vmig_parser *, const u8 **, size_t *) = {
		[VMIG_AT_HEADER]	= parse_header,
		[VMIG_AT_HEADER_TAIL]	= parse_header_tail,
		[VMIG_AT_HEAD]		= parse_head,
		[VMIG_AT_PAYLOAD]	= parse_payload,
		[VMIG_AT_END]		= parse_after_end,
	};
	int ret = VMIG_NEED_BYTES;

	if (p->err)
		return p->err;
	while (*bytes && ret == VMIG_NEED_BYTES)
		ret = parse[p->at](p, data, bytes);
	return ret;
}

/* Size of the part that the next byte belongs to. */
static u32 part_bytes(const struct vmig_parser *p)
{
	switch (p->at) {
	case VMIG_AT_HEADER:
		return sizeof(p->header);
	case VMIG_AT_HEADER_TAIL:
		return p->header_bytes;
	case VMIG_AT_HEAD:
		return sizeof(p->head);
	case VMIG_AT_PAYLOAD:
		return p->record_bytes;
	default:
		return p->have + 1;	/* what is behind END is refused by the byte */
	}
}

size_t vmig_parse_wants(const struct vmig_parser *p)
{
	/* Of a part that is complete and was refused there is nothing left. */
	return max(part_bytes(p) - p->have, 1U);
}

int vmig_parse_finish(struct vmig_parser *p)
{
	static const char * const part[] = {
		[VMIG_AT_HEADER]	= "bytes of the header",
		[VMIG_AT_HEADER_TAIL]	= "bytes of the header",
		[VMIG_AT_HEAD]		= "bytes of the next record's head",
		[VMIG_AT_PAYLOAD]	= "bytes of the payload",
	};

	if (p->err)
		return p->err;
	if (p->at == VMIG_AT_END)
		return 0;
	return refuse(p, -ENODATA, part[p->at], part_bytes(p), p->have);
}
