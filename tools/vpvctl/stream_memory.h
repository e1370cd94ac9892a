/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of a device in a stream: the records LAYOUT and PAGES. */
#ifndef VPVCTL_STREAM_MEMORY_H
#define VPVCTL_STREAM_MEMORY_H

#include <json-c/json.h>

#include "../../migration/pages.h"

/**
 * struct stream_memory - What of it has come
 * @in: The kernel's view.
 * @ranges: Ranges of LAYOUT.
 */
struct stream_memory {
	struct vmig_pages_in in;
	struct vmig_range ranges[VPV_LAYOUT_RANGES];
};

/* Is it a record of memory? */
bool stream_memory_is(u32 type);

/**
 * stream_memory_check() - Is a LAYOUT or PAGES record right?
 * @m: What came before; zeros at first.
 * @type: Type of the record.
 * @data: Payload; anything.
 * @bytes: Its size.
 * @text: Set to what is wrong.
 * @size: Of @text.
 *
 * Return: 0 or the errno that the kernel would give.
 */
int stream_memory_check(struct stream_memory *m, u32 type, const void *data, size_t bytes,
			char *text, size_t size);

/**
 * stream_memory_end() - Has all of it come?
 * @m: What came; freed.
 * @text: Set to what is missing.
 * @size: Of @text.
 *
 * Return: 0 or the errno that the kernel would give.
 */
int stream_memory_end(struct stream_memory *m, char *text, size_t size);

/* A record that is right, as text lines, or as JSON in @obj. */
void stream_memory_print(const struct stream_memory *m, u32 type, const void *data);
void stream_memory_json(const struct stream_memory *m, u32 type, const void *data,
			struct json_object *obj);

#endif /* VPVCTL_STREAM_MEMORY_H */
