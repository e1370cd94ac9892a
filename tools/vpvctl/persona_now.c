// SPDX-License-Identifier: GPL-2.0
/* The persona that a function shows, and those that its driver has by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "persona_now.h"
#include "vpvctl.h"

bool persona_now_parse(const char *line, struct persona_now *now)
{
	struct persona_now p = { .known = true };
	int end = 0;

	*now = (struct persona_now){ 0 };
	if (!strcmp(line, PERSONA_DEFAULT)) {
		strcpy(p.name, PERSONA_DEFAULT);
	} else {
		if (sscanf(line, "%31s %u %64s%n", p.name, &p.version, p.digest, &end) != 3 ||
		    line[end] || strlen(p.digest) != PERSONA_DIGEST_CHARS - 1 ||
		    strspn(p.digest, "0123456789abcdef") != PERSONA_DIGEST_CHARS - 1)
			return false;
		printable(p.name);
	}
	*now = p;
	return true;
}

void persona_now_load(const char *bdf, struct persona_now *now)
{
	char line[160];

	read_line(at("/sys/bus/pci/devices/%s/vpv/persona", bdf).s, line, sizeof(line));
	persona_now_parse(line, now);
}

bool persona_now_default(const struct persona_now *now)
{
	return !now->digest[0];
}

void persona_now_text(const struct persona_now *now, char *text, size_t size)
{
	if (persona_now_default(now))
		snprintf(text, size, "%s", now->name);
	else
		snprintf(text, size, "%s:%u", now->name, now->version);
}

struct json_object *persona_now_json(const struct persona_now *now)
{
	struct json_object *obj;

	if (!now->known)
		return NULL;
	obj = json_object_new_object();
	put_text(obj, "name", now->name);
	put_number(obj, "version", now->version);
	put_text_or_null(obj, "digest", now->digest);
	return obj;
}

bool persona_built_in(const char *bdf, const char *name, unsigned int i,
		      struct persona_now *found)
{
	char *text = read_bytes(at("/sys/bus/pci/devices/%s/vpv/personas", bdf).s, NULL);
	char *rest = text, *line;
	bool there = false;

	while (!there && (line = strsep(&rest, "\n")))
		there = persona_now_parse(line, found) &&
			(!name || !strcmp(found->name, name)) && !i--;
	free(text);
	return there;
}
