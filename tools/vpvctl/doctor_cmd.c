// SPDX-License-Identifier: GPL-2.0
/* vpvctl doctor: whom to examine, and the report.  The checks are in doctor_checks.c. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "vpvctl.h"

static struct json_object *findings, *not_checked;

static struct json_object *text_object(const char *format, va_list args)
{
	struct json_object *obj;
	char *text;

	if (vasprintf(&text, format, args) < 0)
		exit(fail("out of memory"));
	obj = text_json(text);
	free(text);
	return obj;
}

void finding(const char *id, const char *subject, const char *fix, const char *format, ...)
{
	struct json_object *obj = json_object_new_object();
	va_list args;

	put_text(obj, "finding", id);
	put_text(obj, "subject", subject);
	va_start(args, format);
	json_object_object_add(obj, "text", text_object(format, args));
	va_end(args);
	put_text(obj, "fix", fix);
	json_object_array_add(findings, obj);
}

void unchecked(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	json_object_array_add(not_checked, text_object(format, args));
	va_end(args);
}

static const char *text_in(struct json_object *obj, const char *key)
{
	return json_object_get_string(json_object_object_get(obj, key));
}

static void print_findings(void)
{
	size_t n = json_object_array_length(findings);

	for (size_t i = 0; i < n; i++) {
		struct json_object *obj = json_object_array_get_idx(findings, i);

		paint(PAINT_BAD, "%s", text_in(obj, "subject"));
		printf(": %s [%s]\n", text_in(obj, "text"), text_in(obj, "finding"));
		printf("    fix: %s\n", text_in(obj, "fix"));
	}
	for (size_t i = 0; i < json_object_array_length(not_checked); i++)
		paint(PAINT_DIM, "not checked: %s\n",
		      json_object_get_string(json_object_array_get_idx(not_checked, i)));
	if (!n)
		paint(PAINT_GOOD, "nothing found\n");
}

static void examine(const struct pci_fn *fn, bool named, bool open)
{
	struct patient p = { .fn = *fn, .named = named };
	struct vfio_view view;
	char why[128];

	mig_load(fn, &p.mig);
	p.features_known = p.mig.features_known;
	if (open && fn->vfio[0] && !p.features_known) {
		if (vfio_look(fn, &view, why, sizeof(why))) {
			unchecked("%s: features: %s", fn->bdf, why);
		} else {
			p.mig.features = view.features;
			p.features_known = true;
		}
	}
	doctor_function(&p);
}

/* Functions that somebody has meant for VFIO. */
static void examine_all(bool open)
{
	struct pci_fn *fns;
	int n = pci_all(&fns);

	for (int i = 0; i < n; i++)
		if (fns[i].vfio[0] || fns[i].override[0])
			examine(&fns[i], false, open);
	free(fns);
}

static const struct option options[] = {
	{ "open", no_argument, NULL, 'o' },
	OPTIONS_COMMON
};

int cmd_doctor(int argc, char **argv)
{
	struct json_object *report;
	struct pci_fn fn;
	bool open = false;
	int ret;

	while (next_option(argc, argv, options, "doctor [--open] [--json] [DEV]") != -1)
		open = true;
	if (argc - optind > 1)
		usage_error("give one device or none");
	if (optind < argc)
		pci_operand(argv[optind], &fn);

	findings = json_object_new_array();
	not_checked = json_object_new_array();
	doctor_host();
	if (optind < argc)
		examine(&fn, true, open);
	else
		examine_all(open);

	ret = json_object_array_length(findings) ? 1 : 0;
	if (!vpvctl.json)
		print_findings();
	report = json_object_new_object();
	json_object_object_add(report, "findings", findings);
	json_object_object_add(report, "not_checked", not_checked);
	if (vpvctl.json)
		print_json(report, false);
	else
		json_object_put(report);
	return ret;
}
