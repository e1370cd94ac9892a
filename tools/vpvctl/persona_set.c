// SPDX-License-Identifier: GPL-2.0
/*
 * "vpvctl persona set": which persona a function shows to the user who opens it next.
 * A file is checked, installed where the kernel looks for it, and chosen by its name.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "files.h"
#include "kmsg.h"
#include "mig.h"
#include "persona_map.h"
#include "persona_now.h"
#include "vpvctl.h"

/* What is being set; @error is told when it fails. */
struct setting {
	struct pci_fn fn;
	const char *name;
	struct persona *persona;
	struct persona_install inst;
	struct persona_now now;
	char *error;
};

static bool because(struct setting *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool because(struct setting *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	free(s->error);
	if (vasprintf(&s->error, format, args) < 0)
		s->error = NULL;
	va_end(args);
	return false;
}

bool persona_is_file(const char *what)
{
	static const char * const ends[] = { ".map", ".persona" };
	size_t len = strlen(what);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (len > strlen(ends[i]) && !strcmp(what + len - strlen(ends[i]), ends[i]))
			return true;
	return strchr(what, '/');
}

/* Refuse here what the kernel would, with the place in the map. */
static bool fits(struct setting *s)
{
	struct persona_device *dev = xalloc(sizeof(*dev));
	struct vcfg_persona_map *map = xalloc(sizeof(*map));
	struct vcfg_persona_why why;
	bool good = persona_device_open(dev, s->fn.bdf, &s->error);

	if (good && vcfg_persona_fit(&s->persona->p, &dev->hw, map, &why)) {
		char *where = persona_where(s->persona, &why);

		good = because(s, "%s: %s (expected %#llx, found %#llx)", where, why.text,
			       (unsigned long long)why.want, (unsigned long long)why.got);
		free(where);
	}
	free(map);
	free(dev);
	return good;
}

/* A name of the driver's own persona leads to that one, never to a file. */
static bool take_file(struct setting *s)
{
	char digest[PERSONA_DIGEST_CHARS];
	struct persona_now own;

	s->name = s->persona->p.name;
	if (!strcmp(s->name, PERSONA_DEFAULT))
		return because(s, "%s: a persona cannot be called '%s'", s->persona->path,
			       PERSONA_DEFAULT);
	if (!fits(s))
		return false;
	persona_digest(s->persona, digest);
	if (!persona_built_in(s->fn.bdf, s->name, 0, &own))
		return persona_install(&s->inst, s->persona, &s->error);
	if (!strcmp(own.digest, digest))
		return true;
	return because(s, "%s has a persona %s of its own, which is another one (version %u): "
		       "choose another name in the map", s->fn.driver, s->name, own.version);
}

static bool is_busy(struct setting *s)
{
	char name[64] = "";
	int pid = vfio_holder(&s->fn, name, sizeof(name));

	if (!pid)
		return because(s, "it is open: its persona changes only while nobody uses it");
	return because(s, "it is open: process %d (%s) uses it; its persona changes only "
		       "while nobody does", pid, name);
}

static bool is_unknown(struct setting *s)
{
	struct persona_now own;
	char *list = xformat("%s", "");

	for (unsigned int i = 0; persona_built_in(s->fn.bdf, NULL, i, &own); i++) {
		char *longer = xformat("%s%s%s", list, i ? ", " : "", own.name);

		free(list);
		list = longer;
	}
	because(s, "there is no persona %s: %s has %s, and %s is not there", s->name,
		s->fn.driver, *list ? list : "none of its own",
		at("/lib/firmware/vpv/%s.persona", s->name).s);
	free(list);
	return false;
}

static bool choose(struct setting *s)
{
	int log = kmsg_begin();
	int err = write_text(at("/sys/bus/pci/devices/%s/vpv/persona", s->fn.bdf).s, s->name);
	char *said = kmsg_last(log, s->fn.bdf);

	switch (err) {
	case 0:
		break;
	case -EBUSY:
		is_busy(s);
		break;
	case -ENOENT:
		is_unknown(s);
		break;
	case -EACCES:
		because(s, "not permitted; run as root");
		break;
	default:
		because(s, "%s refuses %s: %s%s%s", s->fn.driver, s->name, strerror(-err),
			said ? ": " : "", said ? said : "");
	}
	free(said);
	return !err;
}

/* Another file of that name may come first where the kernel looks for firmware. */
static bool chosen(struct setting *s)
{
	char digest[PERSONA_DIGEST_CHARS];

	persona_now_load(s->fn.bdf, &s->now);
	if (!s->now.known || strcmp(s->now.name, s->name))
		return because(s, "it does not show %s though the driver took it", s->name);
	if (!s->persona)
		return true;
	persona_digest(s->persona, digest);
	if (!strcmp(s->now.digest, digest))
		return true;
	return because(s, "the kernel found another %s.persona than %s; digest %.16s...",
		       s->name, s->inst.path, s->now.digest);
}

static int report(struct setting *s, bool good)
{
	struct json_object *obj;
	int status = good ? 0 : 1;

	if (vpvctl.json) {
		obj = json_object_new_object();
		put_text(obj, "device", s->fn.bdf);
		put_flag(obj, "ok", good);
		json_object_object_add(obj, "persona", good ? persona_now_json(&s->now) : NULL);
		put_text_or_null(obj, "installed", good ? s->inst.path : NULL);
		put_text_or_null(obj, "error", good ? NULL : s->error);
		print_json(obj, false);
	} else if (!good) {
		status = fail("%s: %s", s->fn.bdf, s->error);
	} else if (persona_now_default(&s->now)) {
		printf("%s: shows its own config space\n", s->fn.bdf);
	} else {
		printf("%s: shows %s version %u\n", s->fn.bdf, s->now.name, s->now.version);
	}
	return status;
}

int persona_set(const char *device, const char *what)
{
	struct setting *s = xalloc(sizeof(*s));
	bool good = true;
	int status;

	pci_operand(device, &s->fn);
	s->name = what;
	if (!exists(at("/sys/bus/pci/devices/%s/vpv/persona", s->fn.bdf).s))
		good = because(s, "no driver that shows personas has it: vpvctl bind %s",
			       s->fn.bdf);
	if (good && persona_is_file(what)) {
		s->persona = persona_load(what, &s->error);
		good = s->persona && take_file(s);
	}
	good = good && choose(s);
	if (!good && s->inst.installed)
		persona_install_undo(&s->inst);
	good = good && chosen(s);
	status = report(s, good);
	persona_install_free(&s->inst);
	persona_free(s->persona);
	free(s->error);
	free(s);
	return status;
}
