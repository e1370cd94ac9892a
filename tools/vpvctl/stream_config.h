/* SPDX-License-Identifier: GPL-2.0 */
/* Config space in a stream: its persona, and the records VIEW and CONFIG. */
#ifndef VPVCTL_STREAM_CONFIG_H
#define VPVCTL_STREAM_CONFIG_H

#include <json-c/json.h>

#include "../../migration/stream.h"
#include "persona_map.h"

/* Is it a record of config space? */
bool stream_config_is(u32 type);

/**
 * stream_config_header() - Does what a header says of its persona make sense?
 * @h: Header, whose checksum was right.
 * @field: Set to the name of the field that does not.
 * @text: Set to what was expected and found.
 * @size: Of @text.
 *
 * Return: false if it does not.
 */
bool stream_config_header(const struct vpv_stream_header *h, const char **field,
			  char *text, size_t size);

/**
 * stream_config_check() - Does a VIEW or CONFIG record make sense?
 * @type: Type of the record.
 * @data: Payload; anything.
 * @bytes: Its size.
 * @persona: The persona of the stream if it is known, or NULL.
 * @text: Set to what is wrong.
 * @size: Of @text.
 *
 * Return: 0 or the errno that the kernel would give.
 */
int stream_config_check(u32 type, const void *data, size_t bytes,
			const struct vcfg_persona *persona, char *text, size_t size);

/* The dwords of a record that makes sense, as text lines or as JSON. */
void stream_config_print(const void *data, size_t bytes);
struct json_object *stream_config_json(const void *data, size_t bytes);

#endif /* VPVCTL_STREAM_CONFIG_H */
