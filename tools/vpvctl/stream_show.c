// SPDX-License-Identifier: GPL-2.0
/* What vpvctl stream prints: header, records, verdict; as text or as JSON. */
#include <errno.h>
#include <stdlib.h>

#include "config_virt/vcfg.h"
#include "stream_read.h"
#include "vpvctl.h"

const char *stream_record_name(u32 type)
{
	switch (type) {
	case VPV_RECORD_MATCH:
		return "MATCH";
	case VPV_RECORD_CONFIG:
		return "CONFIG";
	case VPV_RECORD_END:
		return "END";
	case VPV_RECORD_VIEW:
		return "VIEW";
	case VPV_RECORD_LAYOUT:
		return "LAYOUT";
	case VPV_RECORD_PAGES:
		return "PAGES";
	default:
		return type < VPV_RECORD_FAMILY ? "reserved" : "family";
	}
}

/* A name of the header as text; it may lack its zero. */
static char *name_of(const u8 *bytes)
{
	return printable(xformat("%.*s", VPV_STREAM_NAME_BYTES, (const char *)bytes));
}

void stream_show_record(struct reading *r, u32 type, u32 flags, u64 bytes)
{
	u64 seq = type == VPV_RECORD_END ? r->parser.seq : r->parser.seq - 1;
	u64 head = r->offset - bytes - sizeof(struct vpv_stream_record);
	struct json_object *obj;

	if (!r->show)
		return;
	if (!vpvctl.json) {
		printf("%10llu %8llu  0x%04x %-8s %-8s %10llu\n", (unsigned long long)head,
		       (unsigned long long)seq, type, stream_record_name(type),
		       flags & VPV_RECORD_OPTIONAL ? "optional" : "-",
		       (unsigned long long)bytes);
		if (stream_config_is(type))
			stream_config_print(r->parser.payload, bytes);
		if (stream_memory_is(type))
			stream_memory_print(&r->memory, type, r->parser.payload);
		return;
	}
	obj = json_object_new_object();
	put_number(obj, "offset", head);
	put_number(obj, "sequence", seq);
	put_number(obj, "type", type);
	put_text(obj, "name", stream_record_name(type));
	put_flag(obj, "optional", flags & VPV_RECORD_OPTIONAL);
	put_number(obj, "bytes", bytes);
	if (stream_config_is(type)) {
		put_number(obj, "version", vcfg_words_version(r->parser.payload));
		json_object_object_add(obj, "dwords",
				       stream_config_json(r->parser.payload, bytes));
	}
	if (stream_memory_is(type))
		stream_memory_json(&r->memory, type, r->parser.payload, obj);
	json_object_array_add(r->listed, obj);
}

static const char *digest_text(const struct vpv_stream_header *h, char *text)
{
	for (size_t i = 0; i < VPV_STREAM_DIGEST_BYTES; i++)
		sprintf(text + 2 * i, "%02x", h->persona_digest[i]);
	return text;
}

void stream_show_header(const struct reading *r)
{
	const struct vpv_stream_header *h = &r->parser.header;
	char *family, *persona, digest[2 * VPV_STREAM_DIGEST_BYTES + 1];

	if (!r->show || vpvctl.json)
		return;
	family = name_of(h->family);
	persona = name_of(h->persona);
	printf("format %u.%u, header %u bytes\n", le16_to_cpu(h->major), le16_to_cpu(h->minor),
	       le32_to_cpu(h->header_bytes));
	printf("family %s, state version %u, readable from version %u on\n", family,
	       le32_to_cpu(h->state_version), le32_to_cpu(h->state_oldest));
	if (*persona)
		printf("persona %s, version %u, digest %s\n", persona,
		       le32_to_cpu(h->persona_version), digest_text(h, digest));
	else
		printf("persona: the default one\n");
	paint(PAINT_BOLD, "%10s %8s  %-15s %-8s %10s\n", "OFFSET", "SEQUENCE", "TYPE", "FLAGS",
	      "BYTES");
	free(family);
	free(persona);
}

static struct json_object *header_json(const struct reading *r)
{
	const struct vpv_stream_header *h = &r->parser.header;
	char *name, digest[2 * VPV_STREAM_DIGEST_BYTES + 1];
	struct json_object *obj;

	if (r->parser.at < VMIG_AT_HEAD)
		return NULL;
	obj = json_object_new_object();
	put_number(obj, "major", le16_to_cpu(h->major));
	put_number(obj, "minor", le16_to_cpu(h->minor));
	put_number(obj, "bytes", le32_to_cpu(h->header_bytes));
	name = name_of(h->family);
	put_text(obj, "family", name);
	free(name);
	put_number(obj, "state_version", le32_to_cpu(h->state_version));
	put_number(obj, "state_oldest", le32_to_cpu(h->state_oldest));
	name = name_of(h->persona);
	put_text_or_null(obj, "persona", name);
	free(name);
	put_number(obj, "persona_version", le32_to_cpu(h->persona_version));
	put_text_or_null(obj, "persona_digest", h->persona[0] ? digest_text(h, digest) : NULL);
	return obj;
}

static const char *errno_name(int err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ EINVAL, "EINVAL" }, { EPROTONOSUPPORT, "EPROTONOSUPPORT" },
		{ EXDEV, "EXDEV" }, { EBADMSG, "EBADMSG" }, { EPROTO, "EPROTO" },
		{ EMSGSIZE, "EMSGSIZE" }, { EOPNOTSUPP, "EOPNOTSUPP" },
		{ ENODATA, "ENODATA" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].err == -err)
			return names[i].name;
	return "?";
}

static void print_verdict(const struct reading *r, const char *file)
{
	const struct fault *fault = &r->fault;

	if (!fault->err) {
		printf("%s: ", file);
		paint(PAINT_GOOD, "valid");
		printf(", %llu records, %llu bytes of payload\n",
		       (unsigned long long)r->parser.seq, (unsigned long long)r->parser.bytes);
		return;
	}
	printf("%s: ", file);
	paint(PAINT_BAD, "not valid");
	if (fault->bytes > 1)
		printf(": bytes %llu-%llu", (unsigned long long)fault->offset,
		       (unsigned long long)(fault->offset + fault->bytes - 1));
	else
		printf(": byte %llu", (unsigned long long)fault->offset);
	printf(": %s (%s)\n", fault->text, errno_name(fault->err));
}

static void print_all_json(struct reading *r, const char *file)
{
	struct json_object *obj = json_object_new_object(), *fault = NULL;

	put_text(obj, "file", file);
	put_flag(obj, "valid", !r->fault.err);
	json_object_object_add(obj, "header", header_json(r));
	put_number(obj, "records", r->parser.seq);
	put_number(obj, "payload_bytes", r->parser.bytes);
	if (r->show)
		json_object_object_add(obj, "record_list", r->listed);
	if (r->fault.err) {
		fault = json_object_new_object();
		put_number(fault, "offset", r->fault.offset);
		put_number(fault, "bytes", r->fault.bytes);
		put_text(fault, "errno", errno_name(r->fault.err));
		put_text(fault, "text", r->fault.text);
	}
	json_object_object_add(obj, "fault", fault);
	print_json(obj, false);
}

void stream_show_verdict(struct reading *r, const char *file)
{
	if (vpvctl.json)
		print_all_json(r, file);
	else
		print_verdict(r, file);
}
