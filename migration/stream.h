/* SPDX-License-Identifier: GPL-2.0 */
/* The container of migration data: emit and incremental parse.  Pure. */
#ifndef VMIG_STREAM_H
#define VMIG_STREAM_H

#include <uapi/vpv/stream.h>
#include <vpv/diff.h>
#include <vpv/pure.h>

/* Largest match data, and largest record of the container itself. */
#define VMIG_MATCH_MAX_BYTES	4096U
#define VMIG_OWN_MAX_BYTES	VPV_CONFIG_MAX_BYTES
/* Every family takes optional records of this size: a newer version may have some. */
#define VMIG_OPTIONAL_MAX_BYTES	4096U

#define VMIG_HEADER_MAX_BYTES	4096U

/**
 * struct vmig_identity - What a stream says about its source
 * @family: Device family, zero-padded.
 * @state_version: Version of the state records written, and newest one known.
 * @state_oldest: Oldest version that can read what is written.
 * @state_accepts: Oldest version of a stream that is read.
 * @persona: Name of the persona, zero-padded; zeros for the default one.
 * @persona_version: Its version.
 * @persona_digest: Its SHA-256.
 */
struct vmig_identity {
	char family[VPV_STREAM_NAME_BYTES];
	u32 state_version;
	u32 state_oldest;
	u32 state_accepts;
	char persona[VPV_STREAM_NAME_BYTES];
	u32 persona_version;
	u8 persona_digest[VPV_STREAM_DIGEST_BYTES];
};

/**
 * struct vmig_writer - Where the writer of a stream is
 * @seq: Number of records emitted.
 * @bytes: Sum of their payloads.
 * @crc: Checksum of the last head.
 */
struct vmig_writer {
	u64 seq;
	u64 bytes;
	u32 crc;
};

/**
 * vmig_crc() - CRC32C as the stream uses it
 * @seed: 0, or the checksum of the bytes before.
 * @data: Bytes.
 * @bytes: Their number.
 */
u32 vmig_crc(u32 seed, const void *data, size_t bytes);

/**
 * struct vmig_sum - Sum of a payload, being made
 * @sum: Of the words so far.
 * @word: Begin of the next word.
 * @have: Bytes of it.
 */
struct vmig_sum {
	u64 sum;
	u64 word;
	u32 have;
};

/**
 * vmig_sum_add() - The next bytes of a payload
 * @s: Sum; zeros in front of the first byte.
 * @data: Bytes.
 * @bytes: Their number.
 */
void vmig_sum_add(struct vmig_sum *s, const void *data, size_t bytes);

/**
 * vmig_sum_copy() - The next bytes of a payload, which are copied on the way
 * @s: Sum, of whole words.
 * @to: Where to.
 * @from: Bytes.
 * @bytes: Their number, whole words; both addresses are aligned to words.
 */
void vmig_sum_copy(struct vmig_sum *s, void *to, const void *from, size_t bytes);

/**
 * vmig_sum_end() - Sum of all bytes, for struct vpv_stream_record
 * @s: Sum; not changed.
 */
u64 vmig_sum_end(const struct vmig_sum *s);

/**
 * vmig_emit_header() - Begin a stream
 * @w: Writer, initialised by this.
 * @id: Who writes.
 * @out: Header to be sent.
 */
void vmig_emit_header(struct vmig_writer *w, const struct vmig_identity *id,
		      struct vpv_stream_header *out);

/**
 * vmig_emit_head() - Head of the next record
 * @w: Writer; advanced.  Work on a copy if sending can fail.
 * @type: Type.
 * @flags: VPV_RECORD_OPTIONAL or 0.
 * @data: Payload.
 * @bytes: Its size.
 * @out: Head to be sent before the payload.
 */
void vmig_emit_head(struct vmig_writer *w, u32 type, u32 flags, const void *data,
		    u32 bytes, struct vpv_stream_record *out);

/**
 * vmig_emit_head_sum() - As vmig_emit_head(), for a payload in several pieces
 * @w: Writer; advanced.
 * @type: Type.
 * @flags: VPV_RECORD_OPTIONAL or 0.
 * @bytes: Size of the payload.
 * @sum: vmig_sum_end() of it.
 * @out: Head to be sent before the payload.
 */
void vmig_emit_head_sum(struct vmig_writer *w, u32 type, u32 flags, u32 bytes, u64 sum,
			struct vpv_stream_record *out);

/**
 * vmig_emit_end() - Payload of the END record that belongs here
 * @w: Writer; not changed.
 * @out: Payload.
 */
void vmig_emit_end(const struct vmig_writer *w, struct vpv_stream_end *out);

enum vmig_parse_at {
	VMIG_AT_HEADER,		/* in the part of the header that is known */
	VMIG_AT_HEADER_TAIL,	/* in what a newer minor version added to it */
	VMIG_AT_HEAD,
	VMIG_AT_PAYLOAD,
	VMIG_AT_END,		/* the END record was complete */
};

/* Results of vmig_parse() that are no errno. */
enum vmig_parse_event {
	VMIG_NEED_BYTES,	/* all input is consumed */
	VMIG_NEED_BUFFER,	/* set @payload to room for @record_bytes */
	VMIG_HAVE_HEADER,
	VMIG_HAVE_PIECE,	/* @piece_bytes are in @rest, and not in @sum */
	VMIG_HAVE_RECORD,	/* @type, @flags, @payload, @record_bytes; verified */
	VMIG_HAVE_END,
};

/**
 * struct vmig_parser - Where the reader of a stream is
 * @self: Who reads.
 * @max_payload: Largest record that the reader takes.
 * @at: Part of the stream that the next byte belongs to.
 * @have: Bytes of that part seen.
 * @header: The header, as far as it was seen.
 * @header_bytes: Its size in the stream.
 * @head: Head of the record, as far as it was seen.
 * @end: Payload of END.
 * @crc: Checksum of what the next head continues.
 * @seq: Number of the next record.
 * @bytes: Sum of the payloads seen.
 * @view_wanted: The second record must be VIEW; set by the caller before the first byte.
 * @memory: The reader has memory, and takes LAYOUT and PAGES; likewise.
 * @config_seen: A CONFIG record was there.
 * @type: Type of the record.
 * @flags: Its flags.
 * @record_bytes: Size of its payload.
 * @payload: Its payload; memory of the caller.
 * @front_bytes: So many bytes of it are in @payload, the others in @rest: all of them,
 *	unless the caller sets less together with @payload.
 * @rest: Memory of the caller for the others.
 * @rest_room: Its size, set together with @rest if they come in pieces of that size, the last
 *	one of what is left; 0: all of them have room.
 * @piece_bytes: Bytes of the piece that is there.
 * @sum: Sum of what was seen of it.
 * @err: Errno of the refusal; 0: the stream is not refused.
 * @why: What differs then; its texts are @want_text and @got_text.
 * @want_text: Name that was expected.
 * @got_text: Name that came.
 */
struct vmig_parser {
	const struct vmig_identity *self;
	u32 max_payload;
	enum vmig_parse_at at;
	u32 have;
	struct vpv_stream_header header;
	u32 header_bytes;
	struct vpv_stream_record head;
	struct vpv_stream_end end;
	u32 crc;
	u64 seq;
	u64 bytes;
	bool view_wanted;
	bool memory;
	bool config_seen;
	u32 type;
	u32 flags;
	u32 record_bytes;
	void *payload;
	u32 front_bytes;
	void *rest;
	u32 rest_room;
	u32 piece_bytes;
	struct vmig_sum sum;
	int err;
	struct vmig_diff why;
	char want_text[VPV_STREAM_NAME_BYTES + 1];
	char got_text[VPV_STREAM_NAME_BYTES + 1];
};

/**
 * vmig_parse_memory() - Is the record one of memory, for a reader that has some?
 * @p: Parser.
 */
static inline bool vmig_parse_memory(const struct vmig_parser *p)
{
	return p->memory && (p->type == VPV_RECORD_LAYOUT || p->type == VPV_RECORD_PAGES);
}

/**
 * vmig_parse_begin() - Expect the first byte of a stream
 * @p: Parser.
 * @self: Who reads; must live as long as @p.
 * @max_payload: Largest record of the family.
 */
void vmig_parse_begin(struct vmig_parser *p, const struct vmig_identity *self,
		      u32 max_payload);

/**
 * vmig_parse() - Consume bytes until something is complete
 * @p: Parser.
 * @data: Bytes; advanced.
 * @bytes: Their number; reduced.
 *
 * After VMIG_NEED_BUFFER set @p->payload and go on.  Memory is asked for only
 * after the checksum of the record's head was verified and its size bounded.
 *
 * Return: enum vmig_parse_event, or the errno of a refusal (@p->why tells it; all
 * later calls return the same).
 */
int vmig_parse(struct vmig_parser *p, const u8 **data, size_t *bytes);

/**
 * vmig_parse_wants() - How much is left of the part that the next byte belongs to?
 * @p: Parser.
 *
 * A caller that gives no more than this at once never has to keep input.
 *
 * Return: bytes, at least 1; at most VMIG_HEADER_MAX_BYTES outside of payloads.
 */
size_t vmig_parse_wants(const struct vmig_parser *p);

/**
 * vmig_parse_room() - Where do the next bytes go, if they are payload?
 * @p: Parser.
 * @room: Set to it.
 *
 * For callers who have a better way to move bytes than vmig_parse() has.
 *
 * Return: bytes of room; 0 where something else than payload comes.
 */
size_t vmig_parse_room(const struct vmig_parser *p, u8 **room);

/**
 * vmig_parse_piece() - Does a piece of content begin here?
 * @p: Parser.
 *
 * For callers who move it from where it is: they need not put it into the room, and call
 * vmig_parse_filled() with all of it.
 *
 * Return: its bytes; 0: something else comes.
 */
size_t vmig_parse_piece(const struct vmig_parser *p);

/**
 * vmig_parse_filled() - Bytes were put where vmig_parse_room() said
 * @p: Parser.
 * @bytes: Their number, at most what it returned.
 *
 * Return: as vmig_parse().
 */
int vmig_parse_filled(struct vmig_parser *p, size_t bytes);

/**
 * vmig_parse_taken() - A piece was taken
 * @p: Parser that said VMIG_HAVE_PIECE; the caller has added the piece to @p->sum.
 *
 * Whether the bytes are right is known when the record is complete.
 * Return: as vmig_parse().
 */
int vmig_parse_taken(struct vmig_parser *p);

/**
 * vmig_parse_finish() - Was that all?
 * @p: Parser.
 *
 * Return: 0 if the END record was complete, -ENODATA if not, or the errno of the
 * refusal before.
 */
int vmig_parse_finish(struct vmig_parser *p);

#endif /* VMIG_STREAM_H */
