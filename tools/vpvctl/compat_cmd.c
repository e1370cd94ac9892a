// SPDX-License-Identifier: GPL-2.0
/*
 * vpvctl compat: would a migration from A to B be accepted?  Both are descriptions
 * (describe.h); one that comes from a file is somebody else's bytes and may be anything.
 * The first difference decides, in the order in which a migration would stumble.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "describe.h"
#include "files.h"
#include "pci.h"
#include "vpvctl.h"

#define DESCRIPTION_MAX_BYTES (1u << 20)

struct side {
	const char *name;
	struct json_object *obj;
	uint8_t config[CONFIG_MAX_BYTES];
	size_t config_bytes;
};

struct difference {
	char *field;
	char *a;
	char *b;
	const char *fix;
};

#define FIX_PERSONA "show the same persona on both sides, or use the same hardware and firmware"
#define FIX_SAME "only the same kind of device can take the state: choose another destination"
#define FIX_VIEW "describe both the same way: both with --open, or both without, as root"

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
	*d = (struct difference){ xformat("%s", field), a, b, fix };
	return true;
}

static bool differ_at(struct difference *d, const char *field, struct json_object *a,
		      struct json_object *b, const char *fix)
{
	return differ(d, field, text_of(a), text_of(b), fix);
}

/* Each side on its own: a VFIO driver that migrates, as far as is known. */
static bool cannot_migrate(const struct side *side, struct difference *d, bool first)
{
	struct json_object *vfio = lookup(side->obj, "driver.vfio");
	struct json_object *features = lookup(side->obj, "migration.features");
	bool stop_copy = !features;

	if (!json_object_get_boolean(vfio))
		return differ(d, "driver.vfio", xformat(first ? "false" : "true"),
			      xformat(first ? "true" : "false"),
			      "bind the function to its VFIO driver: vpvctl bind");
	if (!json_object_is_type(features, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(features); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(features, i));

		stop_copy |= name && !strcmp(name, "stop-copy");
	}
	if (!stop_copy)
		return differ(d, "migration.features", xformat(first ? "no stop-copy" : "-"),
			      xformat(first ? "-" : "no stop-copy"),
			      "the driver cannot migrate: bind a variant driver that can "
			      "(vpvctl doctor DEV)");
	return false;
}

static const struct scalar {
	const char *path;
	const char *fix;
} scalars[] = {
	{ "view", FIX_VIEW },
	{ "driver.name", "bind the same driver on both sides: vpvctl bind DEV DRIVER" },
	{ "ids.vendor", FIX_SAME },
	{ "ids.device", FIX_SAME },
	{ "ids.subsystem_vendor", FIX_PERSONA },
	{ "ids.subsystem_device", FIX_PERSONA },
	{ "ids.class", FIX_SAME },
	{ "ids.revision", FIX_PERSONA },
	{ "config.bytes", FIX_VIEW },
};

static bool scalars_differ(const struct side *a, const struct side *b, struct difference *d)
{
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
		struct json_object *va = lookup(a->obj, scalars[i].path);
		struct json_object *vb = lookup(b->obj, scalars[i].path);

		if (!json_object_equal(va, vb))
			return differ_at(d, scalars[i].path, va, vb, scalars[i].fix);
	}
	return false;
}

static size_t length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

/* Arrays of objects, item by item, so that the first difference has a name. */
static bool list_differs(const struct side *a, const struct side *b, const char *key,
			 struct difference *d)
{
	struct json_object *la = lookup(a->obj, key), *lb = lookup(b->obj, key);
	size_t na = length(la), nb = length(lb);

	for (size_t i = 0; i < na || i < nb; i++) {
		struct json_object *va = i < na ? json_object_array_get_idx(la, i) : NULL;
		struct json_object *vb = i < nb ? json_object_array_get_idx(lb, i) : NULL;
		char *field;

		if (json_object_equal(va, vb))
			continue;
		field = xformat("%s[%zu]", key, i);
		differ_at(d, field, va, vb, FIX_PERSONA);
		free(field);
		return true;
	}
	return false;
}

static bool config_differs(const struct side *a, const struct side *b, struct difference *d)
{
	for (size_t i = 0; i < a->config_bytes && i < b->config_bytes; i++) {
		char place[96], *field;

		if (a->config[i] == b->config[i])
			continue;
		config_place(a->config, a->config_bytes, i, place, sizeof(place));
		field = xformat("config space byte 0x%03zx, in %s", i, place);
		differ(d, field, xformat("0x%02x", a->config[i]),
		       xformat("0x%02x", b->config[i]), FIX_PERSONA);
		free(field);
		return true;
	}
	return false;
}

static bool find_difference(const struct side *a, const struct side *b, struct difference *d)
{
	return cannot_migrate(a, d, true) || cannot_migrate(b, d, false) ||
	       scalars_differ(a, b, d) || list_differs(a, b, "bars", d) ||
	       list_differs(a, b, "capabilities", d) ||
	       list_differs(a, b, "extended_capabilities", d) || config_differs(a, b, d);
}

static void parse_config(struct side *side)
{
	struct json_object *text = lookup(side->obj, "config.normalised");
	const char *hex;
	unsigned int byte;

	if (!json_object_is_type(text, json_type_string))
		return;
	for (hex = json_object_get_string(text); *hex; hex += 2) {
		if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]) ||
		    side->config_bytes == CONFIG_MAX_BYTES)
			exit(fail("%s: config.normalised is not made of at most %d bytes",
				  side->name, CONFIG_MAX_BYTES));
		sscanf(hex, "%2x", &byte);
		side->config[side->config_bytes++] = byte;
	}
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
	if (!json_object_is_type(obj, json_type_object))
		exit(fail("%s is not JSON as vpvctl describe prints it", name));
	if (json_object_get_int(member(obj, "vpvctl_describe")) != DESCRIBE_FORMAT)
		exit(fail("%s is no description of format %d", name, DESCRIBE_FORMAT));
	json_tokener_free(tok);
	free(text);
	return obj;
}

static void load_side(struct side *side, const char *operand, bool open)
{
	char bdf[24];

	side->name = operand;
	if (pci_parse(operand, bdf, sizeof(bdf)) && !exists(operand))
		side->obj = describe(operand, open);
	else
		side->obj = parse_file(operand);
	parse_config(side);
}

/* What is not known, or may matter to the driver alone. */
static struct json_object *notes(const struct side *a, const struct side *b)
{
	const struct side *sides[] = { a, b };
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < 2; i++) {
		char *text;

		if (lookup(sides[i]->obj, "migration.features"))
			continue;
		text = xformat("migration features of %s are not known; describe it as root "
			       "with --open", sides[i]->name);
		json_object_array_add(list, json_object_new_string(text));
		free(text);
	}
	if (a->config_bytes < 256)
		json_object_array_add(list, json_object_new_string(
			"config space behind byte 63 was not compared; describe both as root"));
	if (!json_object_equal(lookup(a->obj, "driver.version"),
			       lookup(b->obj, "driver.version")) ||
	    !json_object_equal(lookup(a->obj, "driver.srcversion"),
			       lookup(b->obj, "driver.srcversion")))
		json_object_array_add(list, json_object_new_string(
			"the drivers are different builds; the state version in the stream "
			"decides at the beginning of the migration"));
	return list;
}

static void print_text(const struct side *a, const struct side *b,
		       const struct difference *d, struct json_object *list)
{
	if (d->field) {
		paint(PAINT_BAD, "not compatible");
		printf(": %s: %s has %s, %s has %s\nfix: %s\n", d->field, a->name, d->a, b->name,
		       d->b, d->fix);
	} else {
		paint(PAINT_GOOD, "compatible");
		putchar('\n');
	}
	for (size_t i = 0; !d->field && i < json_object_array_length(list); i++)
		printf("note: %s\n", json_object_get_string(json_object_array_get_idx(list, i)));
	json_object_put(list);
}

static void print_verdict(const struct difference *d, struct json_object *list)
{
	struct json_object *obj = json_object_new_object(), *diff = NULL;

	put_flag(obj, "compatible", !d->field);
	if (d->field) {
		diff = json_object_new_object();
		put_text(diff, "field", d->field);
		put_text(diff, "a", d->a);
		put_text(diff, "b", d->b);
		put_text(diff, "fix", d->fix);
	}
	json_object_object_add(obj, "difference", diff);
	json_object_object_add(obj, "notes", list);
	print_json(obj, false);
}

static const struct option options[] = {
	{ "open", no_argument, NULL, 'o' },
	OPTIONS_COMMON
};

int cmd_compat(int argc, char **argv)
{
	static struct side a, b;
	struct difference d = { 0 };
	bool open = false;

	while (next_option(argc, argv, options, "compat [--open] [--json] A B") != -1)
		open = true;
	if (argc - optind != 2)
		usage_error("give two devices or files of vpvctl describe");
	load_side(&a, argv[optind], open);
	load_side(&b, argv[optind + 1], open);

	find_difference(&a, &b, &d);
	if (vpvctl.json)
		print_verdict(&d, notes(&a, &b));
	else
		print_text(&a, &b, &d, notes(&a, &b));
	json_object_put(a.obj);
	json_object_put(b.obj);
	free(d.a);
	free(d.b);
	free(d.field);
	return d.field ? 1 : 0;
}
