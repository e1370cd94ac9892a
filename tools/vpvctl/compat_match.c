// SPDX-License-Identifier: GPL-2.0
/*
 * The match data of two descriptions, field by field, as the destination compares it when a
 * migration begins.  It only grows at its end: fields are compared by their place.
 */
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "vpvctl.h"

/* What is wrong if a field does not fit, by its rule. */
struct rule {
	const char *name;
	bool (*fits)(struct json_object *sent, struct json_object *here);
	const char *relation;
	const char *fix;
};

static bool equal(struct json_object *sent, struct json_object *here)
{
	return json_object_equal(sent, here);
}

static bool at_most(struct json_object *sent, struct json_object *here)
{
	return json_object_get_uint64(sent) <= json_object_get_uint64(here);
}

static bool at_least(struct json_object *sent, struct json_object *here)
{
	return json_object_get_uint64(sent) >= json_object_get_uint64(here);
}

static bool subset(struct json_object *sent, struct json_object *here)
{
	return !(json_object_get_uint64(sent) & ~json_object_get_uint64(here));
}

static const struct rule rules[] = {
	{ "equal", equal, "", "give %s and %s the same %s" },
	{ "text", equal, "", "give %s and %s the same %s" },
	{ "constant", equal, "", "no driver writes this: describe %s and %s again (%s)" },
	{ "at-most", at_most, "at most ",
	  "give %s no more than %s can have, or choose a destination with a larger limit: %s" },
	{ "at-least", at_least, "at least ",
	  "%s is too old for %s: update the older one (%s)" },
	{ "subset", subset, "only bits of ",
	  "take from %s what %s does not have, or choose another destination: %s" },
};

static const char *text_in(struct json_object *field, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(field, json_type_object) ||
	    !json_object_object_get_ex(field, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

static struct json_object *value_in(struct json_object *field, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(field, json_type_object))
		json_object_object_get_ex(field, key, &value);
	return value;
}

static char *show(const char *before, struct json_object *value)
{
	return printable(xformat("%s%.200s", before, json_object_is_type(value, json_type_string) ?
				 json_object_get_string(value) :
				 json_object_to_json_string(value)));
}

static const struct rule *rule_of(struct json_object *a, struct json_object *b)
{
	if (strcmp(text_in(a, "name"), text_in(b, "name")) ||
	    strcmp(text_in(a, "rule"), text_in(b, "rule")))
		return NULL;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strcmp(text_in(b, "rule"), rules[i].name))
			return &rules[i];
	return NULL;
}

static void report(const struct side *a, const struct side *b, const struct rule *rule,
		   struct json_object *fa, struct json_object *fb, struct difference *d)
{
	char *name = printable(xformat("%.80s", text_in(fb, "name")));

	*d = (struct difference){
		.field = xformat("migration.match: %s", name),
		.a = show("", value_in(fa, "sends")),
		.b = show(rule->relation, value_in(fb, "takes")),
		.own_fix = printable(xformat(rule->fix, a->name, b->name, name)),
	};
	d->fix = d->own_fix;
	free(name);
}

bool match_differs(const struct side *a, const struct side *b, struct difference *d)
{
	struct json_object *la = a->value[SIDE_MATCH], *lb = b->value[SIDE_MATCH];

	if (!json_object_is_type(la, json_type_array) || !json_object_is_type(lb, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(la) && i < json_object_array_length(lb);
	     i++) {
		struct json_object *fa = json_object_array_get_idx(la, i);
		struct json_object *fb = json_object_array_get_idx(lb, i);
		const struct rule *rule = rule_of(fa, fb);

		if (!rule || rule->fits(value_in(fa, "sends"), value_in(fb, "takes")))
			continue;
		report(a, b, rule, fa, fb, d);
		return true;
	}
	return false;
}
