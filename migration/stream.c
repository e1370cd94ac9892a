// SPDX-License-Identifier: GPL-2.0
/*
 * The container of migration data, as Documentation/stream.rst draws it: its checksums, and
 * heads of records that are written.  parse.c reads them.  Pure: the caller moves the
 * bytes, owns the memory and knows what the records of a family mean.
 */
#include "stream.h"

/* As Documentation/stream.rst draws them. */
static_assert(sizeof(struct vpv_stream_header) == 136);
static_assert(sizeof(struct vpv_stream_record) == 32);
static_assert(sizeof(struct vpv_stream_end) == 16);

u32 vmig_crc(u32 seed, const void *data, size_t bytes)
{
	return ~crc32c(~seed, data, bytes);
}

static void sum_word(struct vmig_sum *s, u64 word)
{
	u64 sum = s->sum + word * VPV_STREAM_SUM_WORD;

	s->sum = (sum << 31 | sum >> 33) * VPV_STREAM_SUM_STEP;
}

/* Bytes that are no whole word, up to the end of one. */
static size_t sum_part(struct vmig_sum *s, const u8 *data, size_t bytes)
{
	size_t n;

	for (n = 0; n < bytes && s->have < 8; n++)
		s->word |= (u64)data[n] << (8 * s->have++);
	if (s->have == 8) {
		sum_word(s, s->word);
		s->word = 0;
		s->have = 0;
	}
	return n;
}

void vmig_sum_add(struct vmig_sum *s, const void *data, size_t bytes)
{
	struct vmig_sum sum = *s;	/* in registers */
	const u8 *at = data, *end = at + bytes;

	if (sum.have)
		at += sum_part(&sum, at, bytes);
	for (; end - at >= 32; at += 32) {
		sum_word(&sum, get_unaligned_le64(at));
		sum_word(&sum, get_unaligned_le64(at + 8));
		sum_word(&sum, get_unaligned_le64(at + 16));
		sum_word(&sum, get_unaligned_le64(at + 24));
	}
	for (; end - at >= 8; at += 8)
		sum_word(&sum, get_unaligned_le64(at));
	sum_part(&sum, at, end - at);
	*s = sum;
}

/* @from is read once: it may be memory of a user, who writes it. */
static void copy_word(struct vmig_sum *s, u64 *to, const u64 *from)
{
	u64 word = READ_ONCE(*from);

	*to = word;
	sum_word(s, le64_to_cpu((__force __le64)word));
}

void vmig_sum_copy(struct vmig_sum *s, void *to, const void *from, size_t bytes)
{
	struct vmig_sum sum = *s;	/* in registers */
	const u64 *at = from, *end = at + bytes / sizeof(*at);
	u64 *out = to;

	for (; end - at >= 4; at += 4, out += 4) {
		copy_word(&sum, out, at);
		copy_word(&sum, out + 1, at + 1);
		copy_word(&sum, out + 2, at + 2);
		copy_word(&sum, out + 3, at + 3);
	}
	for (; at < end; at++, out++)
		copy_word(&sum, out, at);
	*s = sum;
}

u64 vmig_sum_end(const struct vmig_sum *s)
{
	struct vmig_sum sum = *s;

	if (sum.have)
		sum_word(&sum, sum.word);
	return sum.sum;
}

void vmig_emit_header(struct vmig_writer *w, const struct vmig_identity *id,
		      struct vpv_stream_header *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->magic, VPV_STREAM_MAGIC, VPV_STREAM_MAGIC_BYTES);
	out->major = cpu_to_le16(VPV_STREAM_MAJOR);
	out->minor = cpu_to_le16(VPV_STREAM_MINOR);
	out->header_bytes = cpu_to_le32(sizeof(*out));
	memcpy(out->family, id->family, sizeof(out->family));
	out->state_version = cpu_to_le32(id->state_version);
	out->state_oldest = cpu_to_le32(id->state_oldest);
	memcpy(out->persona, id->persona, sizeof(out->persona));
	out->persona_version = cpu_to_le32(id->persona_version);
	memcpy(out->persona_digest, id->persona_digest, sizeof(out->persona_digest));

	*w = (struct vmig_writer){ .crc = vmig_crc(0, out, sizeof(*out)) };
	out->crc = cpu_to_le32(w->crc);
}

void vmig_emit_head(struct vmig_writer *w, u32 type, u32 flags, const void *data,
		    u32 bytes, struct vpv_stream_record *out)
{
	struct vmig_sum sum = {};

	vmig_sum_add(&sum, data, bytes);
	vmig_emit_head_sum(w, type, flags, bytes, vmig_sum_end(&sum), out);
}

void vmig_emit_head_sum(struct vmig_writer *w, u32 type, u32 flags, u32 bytes, u64 sum,
			struct vpv_stream_record *out)
{
	*out = (struct vpv_stream_record){
		.type = cpu_to_le32(type),
		.flags = cpu_to_le32(flags),
		.seq = cpu_to_le64(w->seq),
		.payload_sum = cpu_to_le64(sum),
		.bytes = cpu_to_le32(bytes),
	};
	w->crc = vmig_crc(w->crc, out, sizeof(*out));
	w->seq++;
	w->bytes += bytes;
	out->crc = cpu_to_le32(w->crc);
}

void vmig_emit_end(const struct vmig_writer *w, struct vpv_stream_end *out)
{
	out->records = cpu_to_le64(w->seq);
	out->bytes = cpu_to_le64(w->bytes);
}
