/* SPDX-License-Identifier: GPL-2.0 */
/* The persona that a function shows, as its driver says (vpv/persona in sysfs). */
#ifndef VPVCTL_PERSONA_NOW_H
#define VPVCTL_PERSONA_NOW_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* What the driver calls the config space that the device has by itself. */
#define PERSONA_DEFAULT "default"

#define PERSONA_DIGEST_CHARS 65

/**
 * struct persona_now - One persona
 * @known: The driver told it.
 * @name: Its name; PERSONA_DEFAULT for none.
 * @version: Its version; 0 for none.
 * @digest: SHA-256 in hexadecimal digits; "" for none.
 */
struct persona_now {
	bool known;
	char name[40];
	uint32_t version;
	char digest[PERSONA_DIGEST_CHARS];
};

/* "default", or "NAME VERSION DIGEST"; false if it is neither. */
bool persona_now_parse(const char *line, struct persona_now *now);

/* What @bdf shows; not known if no driver of ours has it. */
void persona_now_load(const char *bdf, struct persona_now *now);

/* Is it the device's own config space? */
bool persona_now_default(const struct persona_now *now);

/* "NAME:VERSION", "default" or "". */
void persona_now_text(const struct persona_now *now, char *text, size_t size);

/* Name, version and digest; null if it is not known. */
struct json_object *persona_now_json(const struct persona_now *now);

/**
 * persona_built_in() - A persona that the driver of a function has by itself
 * @bdf: The function.
 * @name: Name of the persona, or NULL: any.
 * @found: Set to it.
 * @i: Which one of those with this name, from 0.
 *
 * Return: false if there are no more.
 */
bool persona_built_in(const char *bdf, const char *name, unsigned int i,
		      struct persona_now *found);

#endif /* VPVCTL_PERSONA_NOW_H */
