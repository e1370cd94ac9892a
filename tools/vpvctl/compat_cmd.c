// SPDX-License-Identifier: GPL-2.0
/* vpvctl compat: the verdict about two functions, or about all pairs of many. */
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "vpvctl.h"

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
		print_verdict(&d, pair_notes(&a, &b));
	else
		print_text(&a, &b, &d, pair_notes(&a, &b));
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
