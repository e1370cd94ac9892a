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
	char *own_fix;		/* to be freed */
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
	*d = (struct difference){ .field = xformat("%s", field), .a = a, .b = b, .fix = fix };
	return true;
}

static bool differ_at(struct difference *d, const char *field, struct json_object *a,
		      struct json_object *b, const char *fix)
{
	return differ(d, field, text_of(a), text_of(b), fix);
}

/* The persona of a side, where it is known: it is not the device's own config space. */
static bool has_persona(const struct side *side)
{
	return json_object_get_string(lookup(side->obj, "persona.digest"));
}

/*
 * What is to be done about different personas: the one that a side has by name is the
 * one that the other side is to show.
 */
static char *persona_fix(const struct side *a, const struct side *b)
{
	const struct side *has = has_persona(a) ? a : b;
	const struct side *lacks = has == a ? b : a;
	char *name = text_of(lookup(has->obj, "persona.name"));
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
	static const char * const paths[] = {
		"persona.name", "persona.version", "persona.digest",
	};

	if (!lookup(a->obj, "persona") || !lookup(b->obj, "persona"))
		return false;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct json_object *va = lookup(a->obj, paths[i]);
		struct json_object *vb = lookup(b->obj, paths[i]);

		if (json_object_equal(va, vb))
			continue;
		differ_at(d, paths[i], va, vb, NULL);
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
		const char *a;
		const char *b;
		bool a_at_least;
	} rules[] = {
		{ "migration.state_version", "migration.state_accepts", true },
		{ "migration.state_oldest", "migration.state_version", false },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct json_object *va = lookup(a->obj, rules[i].a);
		struct json_object *vb = lookup(b->obj, rules[i].b);
		int64_t of_a = json_object_get_int64(va), of_b = json_object_get_int64(vb);

		if (!va || !vb || (rules[i].a_at_least ? of_a >= of_b : of_a <= of_b))
			continue;
		return differ(d, rules[i].a, text_of(va),
			      xformat("%s %s", strchr(rules[i].b, '.') + 1,
				      json_object_to_json_string(vb)),
			      "use builds of the driver that read each other's state: update "
			      "the older one");
	}
	return false;
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

struct scalar {
	const char *path;
	const char *fix;
};

/* What no persona hides; what is not known of a side is not compared. */
static const struct scalar firsts[] = {
	{ "driver.name", "bind the same driver on both sides: vpvctl bind DEV DRIVER" },
	{ "migration.family", FIX_SAME },
};

static const struct scalar scalars[] = {
	{ "ids.vendor", FIX_SAME },
	{ "ids.device", FIX_SAME },
	{ "ids.subsystem_vendor", FIX_PERSONA },
	{ "ids.subsystem_device", FIX_PERSONA },
	{ "ids.class", FIX_SAME },
	{ "ids.revision", FIX_PERSONA },
	{ "config.bytes", FIX_VIEW },
};

static bool scalar_differs(const struct side *a, const struct side *b,
			   const struct scalar *scalar, struct difference *d)
{
	struct json_object *va = lookup(a->obj, scalar->path);
	struct json_object *vb = lookup(b->obj, scalar->path);

	return !json_object_equal(va, vb) && differ_at(d, scalar->path, va, vb, scalar->fix);
}

static bool scalars_differ(const struct side *a, const struct side *b, struct difference *d)
{
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++)
		if (scalar_differs(a, b, &scalars[i], d))
			return true;
	return false;
}

static bool firsts_differ(const struct side *a, const struct side *b, struct difference *d)
{
	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++)
		if (lookup(a->obj, firsts[i].path) && lookup(b->obj, firsts[i].path) &&
		    scalar_differs(a, b, &firsts[i], d))
			return true;
	return false;
}

/*
 * The host's view of both is that of the hardware, which may differ behind a persona.
 * Whether they show the same persona is asked before.
 */
static bool hidden_by_persona(const struct side *a, const struct side *b)
{
	const char *view = json_object_get_string(lookup(a->obj, "view"));

	return has_persona(a) && has_persona(b) && view && !strcmp(view, "host");
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

static bool views_differ(const struct side *a, const struct side *b, struct difference *d)
{
	static const struct scalar view = { "view", FIX_VIEW };

	if (scalar_differs(a, b, &view, d))
		return true;
	if (hidden_by_persona(a, b))
		return false;
	return scalars_differ(a, b, d) || list_differs(a, b, "bars", d) ||
	       list_differs(a, b, "capabilities", d) ||
	       list_differs(a, b, "extended_capabilities", d) || config_differs(a, b, d);
}

static bool find_difference(const struct side *a, const struct side *b, struct difference *d)
{
	return cannot_migrate(a, d, true) || cannot_migrate(b, d, false) ||
	       firsts_differ(a, b, d) || personas_differ(a, b, d) ||
	       versions_differ(a, b, d) || views_differ(a, b, d);
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

static void note(struct json_object *list, char *text)
{
	json_object_array_add(list, json_object_new_string(text));
	free(text);
}

static void note_builds(const struct side *a, const struct side *b, struct json_object *list)
{
	bool versions = lookup(a->obj, "migration.family") &&
			lookup(b->obj, "migration.family");

	if (json_object_equal(lookup(a->obj, "driver.version"),
			      lookup(b->obj, "driver.version")) &&
	    json_object_equal(lookup(a->obj, "driver.srcversion"),
			      lookup(b->obj, "driver.srcversion")))
		return;
	note(list, xformat("the drivers are different builds%s", versions ?
			   ", which read each other's state" :
			   "; the state version in the stream decides at the beginning of the "
			   "migration (describe both as root to compare it now)"));
}

/* What is not known, or may matter to the driver alone. */
static struct json_object *notes(const struct side *a, const struct side *b)
{
	const struct side *sides[] = { a, b };
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < 2; i++)
		if (!lookup(sides[i]->obj, "migration.features"))
			note(list, xformat("migration features of %s are not known; describe it "
					   "as root with --open", sides[i]->name));
	if (!lookup(a->obj, "persona") != !lookup(b->obj, "persona"))
		note(list, xformat("the persona of %s is not known",
				   lookup(a->obj, "persona") ? b->name : a->name));
	if (hidden_by_persona(a, b))
		note(list, xformat("config space was not compared: the persona decides it; "
				   "describe both with --open to compare what users see"));
	else if (a->config_bytes < 256)
		note(list, xformat("config space behind byte 63 was not compared; describe "
				   "both as root"));
	note_builds(a, b, list);
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
	free(d.own_fix);
	return d.field ? 1 : 0;
}
