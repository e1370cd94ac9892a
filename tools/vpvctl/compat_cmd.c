// SPDX-License-Identifier: GPL-2.0
/* vpvctl compat: the verdict about two functions, or about all pairs of many. */
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "vpvctl.h"

static void note(struct json_object *list, char *text)
{
	json_object_array_add(list, json_object_new_string(text));
	free(text);
}

static void note_builds(const struct side *a, const struct side *b, struct json_object *list)
{
	bool versions = side_member(a, "migration.family") &&
			side_member(b, "migration.family");

	if (json_object_equal(side_member(a, "driver.version"),
			      side_member(b, "driver.version")) &&
	    json_object_equal(side_member(a, "driver.srcversion"),
			      side_member(b, "driver.srcversion")))
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
		if (!side_member(sides[i], "migration.features"))
			note(list, xformat("migration features of %s are not known; describe it "
					   "as root with --open", sides[i]->name));
	if (!side_member(a, "persona") != !side_member(b, "persona"))
		note(list, xformat("the persona of %s is not known",
				   side_member(a, "persona") ? b->name : a->name));
	if (sides_hidden_by_persona(a, b))
		note(list, xformat("config space was not compared: the persona decides it; "
				   "describe both with --open to compare what users see"));
	else if (a->config_bytes < 256)
		note(list, xformat("config space behind byte 63 was not compared; describe "
				   "both as root"));
	for (int i = 0; i < 2; i++)
		if (side_member(sides[i], "migration.family") &&
		    !side_member(sides[i], "migration.match"))
			note(list, xformat("limits of %s are not known; describe it as root with "
					   "--open, or when it has migrated", sides[i]->name));
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
	struct json_object *obj = json_object_new_object();

	put_flag(obj, "compatible", !d->field);
	json_object_object_add(obj, "difference", difference_json(d));
	json_object_object_add(obj, "notes", list);
	print_json(obj, false);
}

static int compat_pair(char **names, bool open)
{
	static struct side a, b;
	struct difference d = { 0 };
	bool differ;

	side_load(&a, names[0], open);
	side_load(&b, names[1], open);
	differ = sides_differ(&a, &b, &d);
	if (vpvctl.json)
		print_verdict(&d, notes(&a, &b));
	else
		print_text(&a, &b, &d, notes(&a, &b));
	side_put(&a);
	side_put(&b);
	difference_put(&d);
	return differ;
}

static const struct option options[] = {
	{ "matrix", no_argument, NULL, 'm' },
	{ "open", no_argument, NULL, 'o' },
	OPTIONS_COMMON
};

int cmd_compat(int argc, char **argv)
{
	bool matrix = false, open = false;
	int opt;

	while ((opt = next_option(argc, argv, options,
				  "compat [--open] [--json] A B | --matrix A B...")) != -1) {
		matrix |= opt == 'm';
		open |= opt == 'o';
	}
	if (matrix ? argc - optind < 2 : argc - optind != 2)
		usage_error("give two%s devices or files of vpvctl describe",
			    matrix ? " or more" : "");
	return matrix ? compat_matrix(argv + optind, argc - optind, open) :
			compat_pair(argv + optind, open);
}
