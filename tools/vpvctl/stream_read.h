/* SPDX-License-Identifier: GPL-2.0 */
/* A captured migration stream: reading it, and showing what was read. */
#ifndef VPVCTL_STREAM_READ_H
#define VPVCTL_STREAM_READ_H

#include "../../migration/stream.h"
#include "stream_config.h"
#include "stream_memory.h"

struct json_object;

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
 * @part_bytes: Size of that.
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
	uint64_t part_bytes;
	size_t have;
	const u8 *next;
	u8 buf[65536];
	struct stream_memory memory;
	bool eof;
	bool show;
	struct json_object *listed;
	struct fault fault;
};

/* stream_read.c: one event of the parser; false when reading ends, with the fault if any. */
bool stream_step(struct reading *r, void **payload);

/* stream_show.c: nothing, unless @r->show says so. */
void stream_show_header(const struct reading *r);
void stream_show_record(struct reading *r, u32 type, u32 flags, u64 bytes);

/* "MATCH", or what else it is. */
const char *stream_record_name(u32 type);

/* The verdict, and with --json all that was listed; frees that. */
void stream_show_verdict(struct reading *r, const char *file);

#endif /* VPVCTL_STREAM_READ_H */
