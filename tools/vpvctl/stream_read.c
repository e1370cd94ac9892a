// SPDX-License-Identifier: GPL-2.0
/*
 * Captured streams through the kernel's parser (migration/parse.c).  It is fed part by
 * part, so that the place of a fault is known to the field.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream_read.h"
#include "vpvctl.h"

/* Where in its part a field lies; the names are those of the parser's refusals. */
static const struct field {
	const char *name;
	u16 offset;
	u16 bytes;
} fields[] = {
#define HEADER(name, m) { name, offsetof(struct vpv_stream_header, m), \
			  sizeof_field(struct vpv_stream_header, m) }
#define HEAD(name, m) { name, offsetof(struct vpv_stream_record, m), \
			sizeof_field(struct vpv_stream_record, m) }
#define END(name, m) { name, offsetof(struct vpv_stream_end, m), \
		       sizeof_field(struct vpv_stream_end, m) }
	HEADER("magic", magic),
	HEADER("major version", major),
	HEADER("header size", header_bytes),
	HEADER("header flags", flags),
	HEADER("reserved header field", reserved),
	HEADER("family", family),
	HEADER("oldest state version", state_oldest),
	HEADER("state version", state_version),
	HEADER("persona", persona),
	HEADER("persona version", persona_version),
	HEADER("persona digest (first 8 bytes)", persona_digest),
	HEAD("record sequence", seq),
	HEAD("record flags", flags),
	HEAD("record size", bytes),
	HEAD("record type", type),
	HEAD("first record type", type),
	HEAD("second MATCH, at record", type),
	HEAD("second record type", type),
	HEAD("VIEW, at record", type),
	HEAD("second CONFIG, at record", type),
	HEAD("size of the END record", bytes),
	HEAD("size of the match data", bytes),
	END("total of records", records),
	END("total of bytes", bytes),
};

/* A padding fault does not say which name it is in. */
static void locate_padding(const struct reading *r, struct fault *fault)
{
	const u8 *family = r->parser.header.family;
	size_t n = strnlen((const char *)family, VPV_STREAM_NAME_BYTES);
	bool fine = n < VPV_STREAM_NAME_BYTES &&
		    !memchr_inv(family + n, 0, VPV_STREAM_NAME_BYTES - n);

	fault->offset = fine ? offsetof(struct vpv_stream_header, persona) :
			offsetof(struct vpv_stream_header, family);
	fault->bytes = VPV_STREAM_NAME_BYTES;
}

static void locate(struct reading *r, struct fault *fault)
{
	const struct vmig_diff *why = &r->parser.why;

	fault->offset = r->part;
	fault->bytes = r->part_bytes;
	if (r->parser.err == -ENODATA) {
		fault->offset = r->offset;
		fault->bytes = 0;
	} else if (!strcmp(why->field, "payload checksum") && !r->parser.record_bytes) {
		fault->offset += offsetof(struct vpv_stream_record, payload_sum);
		fault->bytes = sizeof_field(struct vpv_stream_record, payload_sum);
	} else if (!strcmp(why->field, "padding of a name")) {
		locate_padding(r, fault);
	} else if (!strcmp(why->field, "magic")) {
		for (fault->bytes = 1; fault->offset < VPV_STREAM_MAGIC_BYTES - 1; fault->offset++)
			if (r->parser.header.magic[fault->offset] !=
			    (u8)VPV_STREAM_MAGIC[fault->offset])
				break;
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			if (!strcmp(fields[i].name, why->field)) {
				fault->offset += fields[i].offset;
				fault->bytes = fields[i].bytes;
			}
	}
}

static void set_fault(struct reading *r, int err)
{
	const struct vmig_diff *why = &r->parser.why;
	struct fault *fault = &r->fault;

	fault->err = err;
	locate(r, fault);
	if (err == -ENODATA)
		snprintf(fault->text, sizeof(fault->text),
			 "the stream ends here: %llu %s, %llu are there",
			 (unsigned long long)why->want, why->field, (unsigned long long)why->got);
	else if (why->want_text)
		snprintf(fault->text, sizeof(fault->text), "%s: expected '%s', found '%s'",
			 why->field, printable(r->parser.want_text),
			 printable(r->parser.got_text));
	else
		snprintf(fault->text, sizeof(fault->text), "%s: expected %#llx, found %#llx",
			 why->field, (unsigned long long)why->want,
			 (unsigned long long)why->got);
}

/* Refill when empty.  Ends the program when the file cannot be read. */
static void fill(struct reading *r)
{
	ssize_t n;

	if (r->have || r->eof)
		return;
	do
		n = read(r->fd, r->buf, sizeof(r->buf));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		exit(fail("cannot read the stream: %s", strerror(errno)));
	r->eof = !n;
	r->have = n;
	r->next = r->buf;
}

/* The reader is the family that the stream is for, unless the user said who reads. */
static void adopt_identity(struct reading *r)
{
	const struct vpv_stream_header *h = &r->parser.header;
	struct vmig_identity *self = &r->self;

	if (!r->family)
		memcpy(self->family, h->family, sizeof(self->family));
	if (!r->versions)
		self->state_version = U32_MAX;
	if (!r->any_persona)
		return;
	memcpy(self->persona, h->persona, sizeof(self->persona));
	self->persona_version = le32_to_cpu(h->persona_version);
	memcpy(self->persona_digest, h->persona_digest, sizeof(self->persona_digest));
}

/* One part at most, so that the parser's place is known. */
static int feed(struct reading *r)
{
	struct vmig_parser *p = &r->parser;
	size_t had = p->at == VMIG_AT_END ? 0 : p->have;
	size_t room = vmig_parse_wants(p), n;
	int ret;

	r->part = r->offset - had;
	r->part_bytes = had + room;
	/* With the header's last byte, one of the checksum, names and versions are checked. */
	if (p->at == VMIG_AT_HEADER && room > 1)
		room--;
	else if (p->at == VMIG_AT_HEADER)
		adopt_identity(r);
	n = min(room, r->have);
	r->have -= n;
	r->offset += n;
	ret = vmig_parse(p, &r->next, &n);
	r->have += n;
	r->offset -= n;
	return ret;
}

static bool has_header(struct reading *r)
{
	struct fault *fault = &r->fault;
	const char *field;

	if (stream_config_header(&r->parser.header, &field, fault->text, sizeof(fault->text))) {
		stream_show_header(r);
		return true;
	}
	fault->err = -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].name, field)) {
			fault->offset = fields[i].offset;
			fault->bytes = fields[i].bytes;
		}
	return false;
}

static bool has_record(struct reading *r)
{
	const struct vmig_parser *p = &r->parser;
	char text[192];
	int err = 0;

	if (stream_config_is(p->type))
		err = stream_config_check(p->type, p->payload, p->record_bytes,
					  r->persona ? &r->persona->p : NULL, text,
					  sizeof(text));
	if (stream_memory_is(p->type))
		err = stream_memory_check(&r->memory, p->type, p->payload, p->record_bytes, text,
					  sizeof(text));
	if (err) {
		r->fault = (struct fault){ .err = err, .offset = r->part,
					   .bytes = p->record_bytes };
		snprintf(r->fault.text, sizeof(r->fault.text), "%s record: %s",
			 stream_record_name(p->type), text);
		return false;
	}
	stream_show_record(r, p->type, p->flags, p->record_bytes);
	return true;
}

/* The stream is complete; is the memory? */
static bool has_all(struct reading *r)
{
	struct fault *fault = &r->fault;

	fault->err = stream_memory_end(&r->memory, fault->text, sizeof(fault->text));
	if (fault->err)
		fault->offset = r->offset;
	return !fault->err;
}

/* One event of the parser; returns false when reading ends. */
bool stream_step(struct reading *r, void **payload)
{
	struct vmig_parser *p = &r->parser;
	int ret;

	fill(r);
	if (r->eof) {
		ret = vmig_parse_finish(p);
		if (ret)
			set_fault(r, ret);
		return false;
	}
	ret = feed(r);
	switch (ret) {
	case VMIG_NEED_BYTES:
		return true;
	case VMIG_NEED_BUFFER:
		free(*payload);
		*payload = p->payload = xalloc(p->record_bytes);
		return true;
	case VMIG_HAVE_HEADER:
		return has_header(r);
	case VMIG_HAVE_RECORD:
		return has_record(r);
	case VMIG_HAVE_END:
		stream_show_record(r, p->type, p->flags, sizeof(p->end));
		return has_all(r);
	default:
		set_fault(r, ret);
		return false;
	}
}
