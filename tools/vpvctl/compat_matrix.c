// SPDX-License-Identifier: GPL-2.0
/*
 * vpvctl compat --matrix: which of many may migrate to which.  Those of which all that is
 * compared is the same are one group, so that a fleet of equal hosts is one line.
 */
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "vpvctl.h"

/* A group, the member that is compared for all, and what is not known of that. */
struct group {
	struct side *first;
	struct json_object *names;
	struct json_object *notes;
};

/*
 * Let a value that a group has, too, be the same object: it is compared with those of all
 * groups, and that costs nothing then.
 */
static void share_values(const struct group *groups, int n, struct side *side)
{
	for (int field = 0; field < SIDE_FIELDS; field++) {
		int i = 0;

		while (i < n && !json_object_equal(groups[i].first->value[field],
						   side->value[field]))
			i++;
		if (i < n)
			side->value[field] = groups[i].first->value[field];
	}
}

static struct group *group_of(struct group *groups, int *n, struct side *side)
{
	share_values(groups, *n, side);
	for (int i = 0; i < *n; i++)
		if (!memcmp(groups[i].first->value, side->value, sizeof(side->value)))
			return &groups[i];
	groups[*n] = (struct group){ side, json_object_new_array(), side_notes(side) };
	return &groups[(*n)++];
}

static int make_groups(struct side *sides, int n, struct group *groups)
{
	int found = 0;

	for (int i = 0; i < n; i++) {
		struct group *group = group_of(groups, &found, &sides[i]);
		char *name = printable(xformat("%s", sides[i].name));

		json_object_array_add(group->names, json_object_new_string(name));
		free(name);
	}
	return found;
}

static void print_texts(const char *before, struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		printf("%s%s", before,
		       json_object_get_string(json_object_array_get_idx(list, i)));
}

/* From one group: those that it may go to in one line, and a line for each other. */
static bool text_row(const struct group *groups, int n, int from)
{
	bool refused = false;

	paint(PAINT_BOLD, "group %d", from + 1);
	putchar(':');
	print_texts(" ", groups[from].names);
	print_texts("\n  note: ", groups[from].notes);
	for (int to = 0; to < n; to++) {
		struct difference d = { 0 };

		if (sides_differ(groups[from].first, groups[to].first, &d)) {
			printf("\n  ");
			paint(PAINT_BAD, "not to %d", to + 1);
			printf(": %s: %s has %s, %s has %s; fix: %s", d.field,
			       groups[from].first->name, d.a, groups[to].first->name, d.b, d.fix);
			refused = true;
		} else {
			printf("\n  ");
			paint(PAINT_GOOD, "to %d", to + 1);
		}
		difference_put(&d);
	}
	putchar('\n');
	return refused;
}

static struct json_object *pair_json(const struct group *groups, int from, int to,
				     const struct difference *d)
{
	struct json_object *obj = json_object_new_object();

	put_number(obj, "from", from + 1);
	put_number(obj, "to", to + 1);
	put_text(obj, "a", groups[from].first->name);
	put_text(obj, "b", groups[to].first->name);
	put_flag(obj, "compatible", !d->field);
	json_object_object_add(obj, "difference", difference_json(d));
	return obj;
}

/* One pair a line, and none kept: there may be a quarter of a million. */
static bool json_row(const struct group *groups, int n, int from)
{
	bool refused = false;

	for (int to = 0; to < n; to++) {
		struct difference d = { 0 };

		if (from || to)
			printf(",");
		refused |= sides_differ(groups[from].first, groups[to].first, &d);
		print_json(pair_json(groups, from, to, &d), true);
		difference_put(&d);
	}
	return refused;
}

static void print_group(const struct group *group, int i)
{
	printf("%s{\"group\": %d, \"members\": %s", i ? ",\n" : "\n", i + 1,
	       json_object_to_json_string(group->names));
	printf(", \"notes\": %s}", json_object_to_json_string(group->notes));
}

static bool print_groups(const struct group *groups, int n)
{
	bool refused = false;

	if (vpvctl.json) {
		printf("{\"groups\": [");
		for (int i = 0; i < n; i++)
			print_group(&groups[i], i);
		printf("],\n\"pairs\": [\n");
	}
	for (int i = 0; i < n; i++)
		refused |= (vpvctl.json ? json_row : text_row)(groups, n, i);
	if (vpvctl.json)
		printf("]}\n");
	return refused;
}

int compat_matrix(char **names, int n, bool open)
{
	struct side *sides = xalloc(n * sizeof(*sides));
	struct group *groups = xalloc(n * sizeof(*groups));
	bool refused;
	int found;

	for (int i = 0; i < n; i++)
		side_load(&sides[i], names[i], open);
	found = make_groups(sides, n, groups);
	refused = print_groups(groups, found);
	for (int i = 0; i < found; i++) {
		json_object_put(groups[i].names);
		json_object_put(groups[i].notes);
	}
	for (int i = 0; i < n; i++)
		side_put(&sides[i]);
	free(groups);
	free(sides);
	return refused;
}
