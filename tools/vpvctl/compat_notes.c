// SPDX-License-Identifier: GPL-2.0
/* What vpvctl compat did not compare since it is not known, or matters to the driver alone. */
#include <stdlib.h>

#include "compat.h"
#include "vpvctl.h"

static void note(struct json_object *list, char *text)
{
	json_object_array_add(list, text_json(text));
	free(text);
}

static void note_features(const struct side *side, struct json_object *list)
{
	if (!side->value[SIDE_FEATURES])
		note(list, xformat("migration features of %s are not known; describe it as root "
				   "with --open", side->name));
}

static void note_limits(const struct side *side, struct json_object *list)
{
	if (side->value[SIDE_FAMILY] && !side->value[SIDE_MATCH])
		note(list, xformat("limits of %s are not known; describe it as root with --open, "
				   "or when it has migrated", side->name));
}

static void note_builds(const struct side *a, const struct side *b, struct json_object *list)
{
	bool versions = a->value[SIDE_FAMILY] && b->value[SIDE_FAMILY];

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

struct json_object *side_notes(const struct side *side)
{
	struct json_object *list = json_object_new_array();

	note_features(side, list);
	note_limits(side, list);
	return list;
}

struct json_object *pair_notes(const struct side *a, const struct side *b)
{
	struct json_object *list = json_object_new_array();

	note_features(a, list);
	note_features(b, list);
	if (!a->value[SIDE_PERSONA] != !b->value[SIDE_PERSONA])
		note(list, xformat("the persona of %s is not known",
				   a->value[SIDE_PERSONA] ? b->name : a->name));
	if (sides_hidden_by_persona(a, b))
		note(list, xformat("config space was not compared: the persona decides it; "
				   "describe both with --open to compare what users see"));
	else if (a->config_bytes < 256)
		note(list, xformat("config space behind byte 63 was not compared; describe "
				   "both as root"));
	note_limits(a, list);
	note_limits(b, list);
	note_builds(a, b, list);
	return list;
}
