/* SPDX-License-Identifier: GPL-2.0 */
/* The comparison of two descriptions. */
#ifndef VPVCTL_COMPAT_H
#define VPVCTL_COMPAT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* All that is compared, in the order of side_paths. */
enum side_field {
	SIDE_VFIO,
	SIDE_DRIVER,
	SIDE_FEATURES,
	SIDE_FAMILY,
	SIDE_STATE_VERSION,
	SIDE_STATE_OLDEST,
	SIDE_STATE_ACCEPTS,
	SIDE_MATCH,
	SIDE_PERSONA,
	SIDE_PERSONA_NAME,
	SIDE_PERSONA_VERSION,
	SIDE_PERSONA_DIGEST,
	SIDE_VIEW,
	SIDE_VENDOR,
	SIDE_DEVICE,
	SIDE_SUBSYSTEM_VENDOR,
	SIDE_SUBSYSTEM_DEVICE,
	SIDE_CLASS,
	SIDE_REVISION,
	SIDE_CONFIG_BYTES,
	SIDE_BARS,
	SIDE_CAPABILITIES,
	SIDE_EXTENDED_CAPABILITIES,
	SIDE_CONFIG,
	SIDE_FIELDS
};

/* Where it is in a description: "driver.name". */
extern const char * const side_paths[SIDE_FIELDS];

/**
 * struct side - One end of a migration
 * @name: As the user gave it.
 * @obj: Its description.
 * @value: What @obj has of each field; NULL: null, or nothing.
 * @config: Its config space, as far as the description has it.
 * @config_bytes: So much of @config.
 */
struct side {
	const char *name;
	struct json_object *obj;
	struct json_object *value[SIDE_FIELDS];
	uint8_t config[CONFIG_MAX_BYTES];
	size_t config_bytes;
};

/**
 * struct difference - The first thing for which a migration would be refused
 * @field: Where; NULL: nowhere.
 * @a: What the source has.
 * @b: What the destination has.
 * @fix: What would mend it.
 * @own_fix: The same, if it is to be freed.
 */
struct difference {
	char *field;
	char *a;
	char *b;
	const char *fix;
	char *own_fix;
};

/**
 * side_load() - Describe a function, or read a description
 * @side: Zeroed.
 * @operand: A function, or a file with the output of vpvctl describe; what is neither ends
 *           the program.
 * @open: Ask the driver by opening the function.
 */
void side_load(struct side *side, const char *operand, bool open);
void side_put(struct side *side);

/* "driver.name", or NULL. */
struct json_object *side_member(const struct side *side, const char *path);

/**
 * sides_differ() - Would a migration from @a to @b be refused?
 * @a: The source.
 * @b: The destination.
 * @d: Zeroed; set to the first difference, for difference_put().
 */
bool sides_differ(const struct side *a, const struct side *b, struct difference *d);
void difference_put(struct difference *d);

/* The same about match data alone, where both descriptions have it. */
bool match_differs(const struct side *a, const struct side *b, struct difference *d);

/* An object, or null if there is none. */
struct json_object *difference_json(const struct difference *d);

/* Is config space left out, because both show the same persona to their users? */
bool sides_hidden_by_persona(const struct side *a, const struct side *b);

/* What is not known of one side, or of a pair and so was not compared: an array of texts. */
struct json_object *side_notes(const struct side *side);
struct json_object *pair_notes(const struct side *a, const struct side *b);

/* All pairs of @n operands; prints them, and returns the exit status. */
int compat_matrix(char **names, int n, bool open);

#endif /* VPVCTL_COMPAT_H */
