// SPDX-License-Identifier: GPL-2.0
/*
 * vpvctl stream: print or check a captured migration stream with the kernel's parser
 * (migration/parse.c).  The parser is fed part by part, so that the place of a fault is
 * known to the field.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../migration/stream.h"
#include "config_virt/vcfg.h"
#include "stream_config.h"
#include "stream_memory.h"
#include "vpvctl.h"

/**
 * struct fault - The first thing that is wrong
 * @err: Negative errno; 0: nothing.
 * @offset: First byte of what is wrong.
 * @bytes: Its size; the damage is somewhere in it.
 * @text: What was expected and found.
 */
struct fault {
	int err;
	uint64_t offset;
	uint64_t bytes;
	char text[256];
};

/**
 * struct reading - A stream being read
 * @parser: The kernel's.
 * @self: Who the parser thinks reads; what was not given on the command line is taken
 *	from the stream.
 * @family, @versions: Were given.
 * @persona: The reader's, from a file, or NULL.
 * @any_persona: None was given: it is taken from the stream.
 * @max_record: Largest record taken.
 * @fd: The file.
 * @offset: Bytes consumed.
 * @part: Offset of the header, head or payload that the parser is in.
 * @have: Bytes of @buf not consumed yet.
 * @memory: What came of the memory of the device.
 * @eof: The file gives no more.
 * @show: Print records while they come.
 * @listed: Records so far, for JSON.
 * @fault: What was found.
 */
struct reading {
	struct vmig_parser parser;
	struct vmig_identity self;
	bool family;
	bool versions;
	struct persona *persona;
	bool any_persona;
	u32 max_record;
	int fd;
	uint64_t offset;
	uint64_t part;
	size_t have;
	const u8 *next;
	u8 buf[65536];
	struct stream_memory memory;
	bool eof;
	bool show;
	struct json_object *listed;
	struct fault fault;
};

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

static const char *record_name(u32 type)
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

static uint64_t part_bytes(const struct vmig_parser *p)
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
		return 1;
	}
}

static void locate(struct reading *r, struct fault *fault)
{
	const struct vmig_diff *why = &r->parser.why;

	fault->offset = r->part;
	fault->bytes = part_bytes(&r->parser);
	if (r->parser.err == -ENODATA) {
		fault->offset = r->offset;
		fault->bytes = 0;
	} else if (!strcmp(why->field, "payload checksum") && !fault->bytes) {
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
	size_t room, n;
	int ret;

	r->part = r->offset - (p->at == VMIG_AT_END ? 0 : p->have);
	room = part_bytes(p) - (p->at == VMIG_AT_END ? 0 : p->have);
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

static void record(struct reading *r, u32 type, u32 flags, u64 bytes)
{
	u64 seq = type == VPV_RECORD_END ? r->parser.seq : r->parser.seq - 1;
	u64 head = r->offset - bytes - sizeof(struct vpv_stream_record);
	struct json_object *obj;

	if (!r->show)
		return;
	if (!vpvctl.json) {
		printf("%10llu %8llu  0x%04x %-8s %-8s %10llu\n", (unsigned long long)head,
		       (unsigned long long)seq, type, record_name(type),
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
	put_text(obj, "name", record_name(type));
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

static void print_header(struct reading *r)
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

static bool has_header(struct reading *r)
{
	struct fault *fault = &r->fault;
	const char *field;

	if (stream_config_header(&r->parser.header, &field, fault->text, sizeof(fault->text))) {
		print_header(r);
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
			 record_name(p->type), text);
		return false;
	}
	record(r, p->type, p->flags, p->record_bytes);
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
static bool step(struct reading *r, void **payload)
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
		record(r, p->type, p->flags, sizeof(p->end));
		return has_all(r);
	default:
		set_fault(r, ret);
		return false;
	}
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

static const struct option options[] = {
	{ "family", required_argument, NULL, 'f' },
	{ "max-record", required_argument, NULL, 'm' },
	{ "oldest", required_argument, NULL, 'o' },
	{ "persona", required_argument, NULL, 'p' },
	{ "state-version", required_argument, NULL, 's' },
	OPTIONS_COMMON
};

#define USAGE "stream show|check [--family NAME] [--state-version N [--oldest N]] " \
	"[--persona FILE|default] [--max-record BYTES] [--json] FILE|-"

/* The reader shows this one. */
static void adopt_persona(struct reading *r, const char *file)
{
	char *error;

	r->any_persona = false;
	if (!strcmp(file, "default"))
		return;
	r->persona = persona_load(file, &error);
	if (!r->persona)
		exit(fail("%s", error));
	memcpy(r->self.persona, r->persona->p.name, sizeof(r->self.persona));
	r->self.persona_version = r->persona->p.version;
	persona_digest_bytes(r->persona, r->self.persona_digest);
}

static void parse_options(struct reading *r, int argc, char **argv)
{
	int opt;

	while ((opt = next_option(argc, argv, options, USAGE)) != -1) {
		switch (opt) {
		case 'f':
			if (!*optarg || strlen(optarg) >= VPV_STREAM_NAME_BYTES)
				usage_error("'%s' is no name of a family", optarg);
			memset(r->self.family, 0, sizeof(r->self.family));
			memcpy(r->self.family, optarg, strlen(optarg));
			r->family = true;
			break;
		case 'm':
			r->max_record = number("--max-record", optarg, 1, VPV_STREAM_MAX_PAYLOAD);
			break;
		case 'o':
			r->self.state_accepts = number("--oldest", optarg, 0, U32_MAX);
			break;
		case 'p':
			adopt_persona(r, optarg);
			break;
		case 's':
			r->self.state_version = number("--state-version", optarg, 0, U32_MAX);
			r->versions = true;
			break;
		}
	}
	if (r->versions && r->self.state_accepts > r->self.state_version)
		usage_error("--oldest is above --state-version");
	if (argc - optind != 2)
		usage_error("give show or check, and a file or -");
}

static void open_stream(struct reading *r, const char *file)
{
	r->fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (r->fd < 0)
		exit(fail("cannot open %s: %s", file, strerror(errno)));
}

int cmd_stream(int argc, char **argv)
{
	static struct reading r = {
		.max_record = VPV_STREAM_MAX_PAYLOAD, .any_persona = true,
	};
	const char *verb, *file;
	void *payload = NULL;

	parse_options(&r, argc, argv);
	verb = argv[optind];
	file = argv[optind + 1];
	r.show = !strcmp(verb, "show");
	if (!r.show && strcmp(verb, "check"))
		usage_error("'%s' is neither show nor check", verb);
	if (r.show && vpvctl.json)
		r.listed = json_object_new_array();

	open_stream(&r, file);
	vmig_parse_begin(&r.parser, &r.self, r.max_record);
	r.parser.view_wanted = r.persona;
	r.parser.memory = true;
	while (step(&r, &payload))
		;
	free(payload);
	persona_free(r.persona);
	if (r.fd != STDIN_FILENO)
		close(r.fd);

	if (vpvctl.json)
		print_all_json(&r, file);
	else
		print_verdict(&r, file);
	return r.fault.err ? 1 : 0;
}
