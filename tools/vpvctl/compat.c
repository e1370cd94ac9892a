// SPDX-License-Identifier: GPL-2.0
/*
 * Would a migration from A to B be accepted?  Both are descriptions (describe.h); one that
 * comes from a file is somebody else's bytes and may be anything.  The first difference
 * decides, in the order in which a migration would stumble.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "describe.h"
#include "files.h"
#include "pci.h"
#include "vpvctl.h"

#define DESCRIPTION_MAX_BYTES (1u << 20)

#define FIX_PERSONA "show the same persona on both sides, or use the same hardware and firmware"
#define FIX_SAME "only the same kind of device can take the state: choose another destination"
#define FIX_VIEW "describe both the same way: both with --open, or both without, as root"

const char * const side_paths[SIDE_FIELDS] = {
	[SIDE_VFIO] = "driver.vfio",
	[SIDE_DRIVER] = "driver.name",
	[SIDE_FEATURES] = "migration.features",
	[SIDE_FAMILY] = "migration.family",
	[SIDE_STATE_VERSION] = "migration.state_version",
	[SIDE_STATE_OLDEST] = "migration.state_oldest",
	[SIDE_STATE_ACCEPTS] = "migration.state_accepts",
	[SIDE_MATCH] = "migration.match",
	[SIDE_PERSONA] = "persona",
	[SIDE_PERSONA_NAME] = "persona.name",
	[SIDE_PERSONA_VERSION] = "persona.version",
	[SIDE_PERSONA_DIGEST] = "persona.digest",
	[SIDE_VIEW] = "view",
	[SIDE_VENDOR] = "ids.vendor",
	[SIDE_DEVICE] = "ids.device",
	[SIDE_SUBSYSTEM_VENDOR] = "ids.subsystem_vendor",
	[SIDE_SUBSYSTEM_DEVICE] = "ids.subsystem_device",
	[SIDE_CLASS] = "ids.class",
	[SIDE_REVISION] = "ids.revision",
	[SIDE_CONFIG_BYTES] = "config.bytes",
	[SIDE_BARS] = "bars",
	[SIDE_CAPABILITIES] = "capabilities",
	[SIDE_EXTENDED_CAPABILITIES] = "extended_capabilities",
	[SIDE_CONFIG] = "config.normalised",
};

static struct json_object *member(struct json_object *obj, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(obj, json_type_object))
		return NULL;
	json_object_object_get_ex(obj, key, &value);
	return value;
}

/* "driver.name" */
static struct json_object *lookup(struct json_object *obj, const char *path)
{
	char *copy = xformat("%s", path), *rest = copy, *key;

	while ((key = strsep(&rest, ".")))
		obj = member(obj, key);
	free(copy);
	return obj;
}

struct json_object *side_member(const struct side *side, const char *path)
{
	return lookup(side->obj, path);
}

static char *text_of(struct json_object *value)
{
	if (!value)
		return xformat("nothing");
	return printable(xformat("%.200s", json_object_is_type(value, json_type_string) ?
				 json_object_get_string(value) :
				 json_object_to_json_string(value)));
}

static bool differ(struct difference *d, const char *field, char *a, char *b, const char *fix)
{
	*d = (struct difference){ .field = xformat("%s", field), .a = a, .b = b, .fix = fix };
	return true;
}

static bool fields_differ(struct difference *d, const struct side *a, const struct side *b,
			  enum side_field field, const char *fix)
{
	if (json_object_equal(a->value[field], b->value[field]))
		return false;
	return differ(d, side_paths[field], text_of(a->value[field]), text_of(b->value[field]),
		      fix);
}

/* The persona of a side, where it is known: it is not the device's own config space. */
static bool has_persona(const struct side *side)
{
	return json_object_get_string(side->value[SIDE_PERSONA_DIGEST]);
}

/*
 * What is to be done about different personas: the one that a side has by name is the
 * one that the other side is to show.
 */
static char *persona_fix(const struct side *a, const struct side *b)
{
	const struct side *has = has_persona(a) ? a : b;
	const struct side *lacks = has == a ? b : a;
	char *name = text_of(has->value[SIDE_PERSONA_NAME]);
	char *device = text_of(lookup(lacks->obj, "device"));
	char *fix = xformat("show the same persona on both sides: vpvctl persona set %s %s",
			    device, name);

	free(name);
	free(device);
	return fix;
}

/* Name, version, digest, in this order: the kernel compares them before all bytes. */
static bool personas_differ(const struct side *a, const struct side *b,
			    struct difference *d)
{
	static const enum side_field fields[] = {
		SIDE_PERSONA_NAME, SIDE_PERSONA_VERSION, SIDE_PERSONA_DIGEST,
	};

	if (!a->value[SIDE_PERSONA] || !b->value[SIDE_PERSONA])
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!fields_differ(d, a, b, fields[i], NULL))
			continue;
		d->own_fix = i == 0 ? persona_fix(a, b) :
			xformat("install the same file of the persona on both hosts: vpvctl "
				"persona set DEV FILE");
		d->fix = d->own_fix;
		return true;
	}
	return false;
}

/* The stream of A is read by B, which knows versions from its state_accepts on. */
static bool versions_differ(const struct side *a, const struct side *b,
			    struct difference *d)
{
	static const struct {
		enum side_field a;
		enum side_field b;
		bool a_at_least;
	} rules[] = {
		{ SIDE_STATE_VERSION, SIDE_STATE_ACCEPTS, true },
		{ SIDE_STATE_OLDEST, SIDE_STATE_VERSION, false },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct json_object *va = a->value[rules[i].a];
		struct json_object *vb = b->value[rules[i].b];
		int64_t of_a = json_object_get_int64(va), of_b = json_object_get_int64(vb);

		if (!va || !vb || (rules[i].a_at_least ? of_a >= of_b : of_a <= of_b))
			continue;
		return differ(d, side_paths[rules[i].a], text_of(va),
			      xformat("%s %s", strchr(side_paths[rules[i].b], '.') + 1,
				      json_object_to_json_string(vb)),
			      "use builds of the driver that read each other's state: update "
			      "the older one");
	}
	return false;
}

/* Each side on its own: a VFIO driver that migrates, as far as is known. */
static bool cannot_migrate(const struct side *side, struct difference *d, bool first)
{
	struct json_object *vfio = side->value[SIDE_VFIO];
	struct json_object *features = side->value[SIDE_FEATURES];
	bool stop_copy = !features;

	if (!json_object_get_boolean(vfio))
		return differ(d, side_paths[SIDE_VFIO], xformat(first ? "false" : "true"),
			      xformat(first ? "true" : "false"),
			      "bind the function to its VFIO driver: vpvctl bind");
	if (!json_object_is_type(features, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(features); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(features, i));

		stop_copy |= name && !strcmp(name, "stop-copy");
	}
	if (!stop_copy)
		return differ(d, side_paths[SIDE_FEATURES], xformat(first ? "no stop-copy" : "-"),
			      xformat(first ? "-" : "no stop-copy"),
			      "the driver cannot migrate: bind a variant driver that can "
			      "(vpvctl doctor DEV)");
	return false;
}

struct scalar {
	enum side_field field;
	const char *fix;
};

/* What no persona hides; what is not known of a side is not compared. */
static const struct scalar firsts[] = {
	{ SIDE_DRIVER, "bind the same driver on both sides: vpvctl bind DEV DRIVER" },
	{ SIDE_FAMILY, FIX_SAME },
};

static const struct scalar scalars[] = {
	{ SIDE_VENDOR, FIX_SAME },
	{ SIDE_DEVICE, FIX_SAME },
	{ SIDE_SUBSYSTEM_VENDOR, FIX_PERSONA },
	{ SIDE_SUBSYSTEM_DEVICE, FIX_PERSONA },
	{ SIDE_CLASS, FIX_SAME },
	{ SIDE_REVISION, FIX_PERSONA },
	{ SIDE_CONFIG_BYTES, FIX_VIEW },
};

static bool scalars_differ(const struct side *a, const struct side *b, struct difference *d)
{
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++)
		if (fields_differ(d, a, b, scalars[i].field, scalars[i].fix))
			return true;
	return false;
}

static bool firsts_differ(const struct side *a, const struct side *b, struct difference *d)
{
	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++)
		if (a->value[firsts[i].field] && b->value[firsts[i].field] &&
		    fields_differ(d, a, b, firsts[i].field, firsts[i].fix))
			return true;
	return false;
}

/*
 * The host's view of both is that of the hardware, which may differ behind a persona.
 * Whether they show the same persona is asked before.
 */
bool sides_hidden_by_persona(const struct side *a, const struct side *b)
{
	const char *view = json_object_get_string(a->value[SIDE_VIEW]);

	return has_persona(a) && has_persona(b) && view && !strcmp(view, "host");
}

static size_t length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

/* Arrays of objects, item by item, so that the first difference has a name. */
static bool list_differs(const struct side *a, const struct side *b,
			 enum side_field list, struct difference *d)
{
	struct json_object *la = a->value[list], *lb = b->value[list];
	size_t na = length(la), nb = length(lb);

	if (json_object_equal(la, lb))
		return false;
	for (size_t i = 0; i < na || i < nb; i++) {
		struct json_object *va = i < na ? json_object_array_get_idx(la, i) : NULL;
		struct json_object *vb = i < nb ? json_object_array_get_idx(lb, i) : NULL;
		char *field;

		if (json_object_equal(va, vb))
			continue;
		field = xformat("%s[%zu]", side_paths[list], i);
		differ(d, field, text_of(va), text_of(vb), FIX_PERSONA);
		free(field);
		return true;
	}
	return false;
}

/* The first byte that differs, of the bytes that both have; else their number. */
static size_t first_difference(const struct side *a, const struct side *b)
{
	size_t n = a->config_bytes < b->config_bytes ? a->config_bytes : b->config_bytes, i = 0;

	while (i + 64 <= n && !memcmp(a->config + i, b->config + i, 64))
		i += 64;
	while (i < n && a->config[i] == b->config[i])
		i++;
	return i;
}

static bool config_differs(const struct side *a, const struct side *b, struct difference *d)
{
	size_t i = first_difference(a, b);
	char place[96], *field;

	if (i == a->config_bytes || i == b->config_bytes)
		return false;
	config_place(a->config, a->config_bytes, i, place, sizeof(place));
	field = xformat("config space byte 0x%03zx, in %s", i, place);
	differ(d, field, xformat("0x%02x", a->config[i]), xformat("0x%02x", b->config[i]),
	       FIX_PERSONA);
	free(field);
	return true;
}

static bool views_differ(const struct side *a, const struct side *b, struct difference *d)
{
	if (fields_differ(d, a, b, SIDE_VIEW, FIX_VIEW))
		return true;
	if (sides_hidden_by_persona(a, b))
		return false;
	return scalars_differ(a, b, d) || list_differs(a, b, SIDE_BARS, d) ||
	       list_differs(a, b, SIDE_CAPABILITIES, d) ||
	       list_differs(a, b, SIDE_EXTENDED_CAPABILITIES, d) || config_differs(a, b, d);
}

bool sides_differ(const struct side *a, const struct side *b, struct difference *d)
{
	return cannot_migrate(a, d, true) || cannot_migrate(b, d, false) ||
	       firsts_differ(a, b, d) || personas_differ(a, b, d) ||
	       versions_differ(a, b, d) || match_differs(a, b, d) || views_differ(a, b, d);
}

/* The value of a digit, or -1. */
static int nibble(char c)
{
	return !isxdigit((unsigned char)c) ? -1 : isdigit((unsigned char)c) ? c - '0' :
	       tolower((unsigned char)c) - 'a' + 10;
}

static void parse_config(struct side *side)
{
	struct json_object *text = side->value[SIDE_CONFIG];
	const char *hex;

	if (!json_object_is_type(text, json_type_string))
		return;
	for (hex = json_object_get_string(text); *hex; hex += 2) {
		int high = nibble(hex[0]), low = high < 0 ? -1 : nibble(hex[1]);

		if (low < 0 || side->config_bytes == CONFIG_MAX_BYTES)
			exit(fail("%s: config.normalised is not made of at most %d bytes",
				  side->name, CONFIG_MAX_BYTES));
		side->config[side->config_bytes++] = high << 4 | low;
	}
}

static bool blank(const char *text, const char *end)
{
	while (text < end && isspace((unsigned char)*text))
		text++;
	return text >= end;
}

static struct json_object *parse_file(const char *name)
{
	size_t bytes;
	char *text = read_bytes(name, &bytes);
	struct json_tokener *tok;
	struct json_object *obj;

	if (!text)
		exit(fail("cannot read %s: %s", name, strerror(errno)));
	if (bytes > DESCRIPTION_MAX_BYTES)
		exit(fail("%s is too large for a description", name));
	tok = json_tokener_new();
	obj = tok ? json_tokener_parse_ex(tok, text, bytes + 1) : NULL;
	if (!json_object_is_type(obj, json_type_object) ||
	    !blank(text + json_tokener_get_parse_end(tok), text + bytes))
		exit(fail("%s is not JSON as vpvctl describe prints it", name));
	if (json_object_get_int(member(obj, "vpvctl_describe")) != DESCRIBE_FORMAT)
		exit(fail("%s is no description of format %d", name, DESCRIBE_FORMAT));
	json_tokener_free(tok);
	free(text);
	return obj;
}

void side_load(struct side *side, const char *operand, bool open)
{
	char bdf[24];

	side->name = operand;
	if (pci_parse(operand, bdf, sizeof(bdf)) && !exists(operand))
		side->obj = describe(operand, open);
	else
		side->obj = parse_file(operand);
	for (int i = 0; i < SIDE_FIELDS; i++)
		side->value[i] = lookup(side->obj, side_paths[i]);
	parse_config(side);
}

void side_put(struct side *side)
{
	json_object_put(side->obj);
	side->obj = NULL;
}

void difference_put(struct difference *d)
{
	free(d->field);
	free(d->a);
	free(d->b);
	free(d->own_fix);
	*d = (struct difference){ 0 };
}

struct json_object *difference_json(const struct difference *d)
{
	struct json_object *obj;

	if (!d->field)
		return NULL;
	obj = json_object_new_object();
	put_text(obj, "field", d->field);
	put_text(obj, "a", d->a);
	put_text(obj, "b", d->b);
	put_text(obj, "fix", d->fix);
	return obj;
}
