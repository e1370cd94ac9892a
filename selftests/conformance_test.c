// SPDX-License-Identifier: GPL-2.0
/*
 * The conformance program (conformance/README.rst), which knows nothing of this tree, on two
 * functions of each family, and on one of vpv_pci, which has no migration.  Of the rules those
 * that QEMU's migrations rest on, and whether work survives; all of them with --all.
 *
 * Groups: self families conformance
 */
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/family.h"

#define PROGRAM	"conformance/vfio_migration_conformance"
#define PLUG	"conformance/conformance_plug"

#define SOME	"--only 'qemu.*' --only 'work.*'"

static char here[256];
/* Options that choose the rules. */
static char which[4096] = SOME;

/* Its lines, one level deeper. */
static int run(const char *command)
{
	FILE *out = popen(command, "r");
	char line[1024];

	if (!out)
		return -errno;
	while (fgets(line, sizeof(line), out)) {
		printf("    %s", line);
		fflush(stdout);
	}
	return pclose(out);
}

static void report(unsigned int *num, const char *name, int status)
{
	printf("%s %u %s\n", status ? "not ok" : "ok", ++*num, name);
}

/* What a release has saved of another family, as an option; empty if there is none. */
static void other_kind(const struct family *f, char *option, size_t room)
{
	option[0] = 0;
	for_each_family(g) {
		char pattern[384];
		glob_t found;

		snprintf(pattern, sizeof(pattern), "%s/releases/*/%s.stream", here, (*g)->name);
		if (*g == f || option[0] || glob(pattern, 0, NULL, &found))
			continue;
		snprintf(option, room, "--other-kind '%s'", found.gl_pathv[0]);
		globfree(&found);
	}
}

static int family_run(const struct family *f)
{
	static char command[8192];
	char option[400];
	struct slot s[2];
	int have = family_bind(f, s, 2);

	printf("# Subtest: %s\n", f->name);
	if (have < 1) {
		printf("# no function can be bound: %d\n", have);
		return 1;
	}
	other_kind(f, option, sizeof(option));
	snprintf(command, sizeof(command),
		 "%s/" PROGRAM " %s %s --unbind --busy '%s/" PLUG " busy %s' --verify '%s/" PLUG
		 " verify %s' %s %s", here, which, option, here, f->name, here, f->name, s[0].bdf,
		 have > 1 ? s[1].bdf : "");
	return run(command);
}

static int generic_run(const struct slot *s)
{
	char command[512];

	printf("# Subtest: vpv_pci\n");
	if (vdev_bind(s->bdf, "vpv_pci"))
		return 1;
	snprintf(command, sizeof(command), "%s/" PROGRAM " --only 'none.*' %s", here, s->bdf);
	return run(command);
}

static bool wanted(const struct family *f, const char *only)
{
	return family_present(f) && (!only || !strcmp(f->name, only));
}

static void choose(int rules, char **ids)
{
	which[0] = 0;
	for (int i = 0; i < rules; i++)
		snprintf(which + strlen(which), sizeof(which) - strlen(which), " --only '%s'",
			 ids[i]);
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 && strcmp(argv[1], "--all") ? argv[1] : NULL;
	unsigned int num = 0, plan = 0;
	struct slot generic;
	bool stock = !only && slots_find("edu", &generic, 1) == 1;
	int failed = 0, status;

	if (argc > 1)
		choose(argc - 2, argv + 2);
	snprintf(here, sizeof(here), "%s", dirname(argv[0]));
	for_each_family(f)
		plan += wanted(*f, only);
	plan += stock;
	printf("TAP version 13\n1..%u%s\n", plan, plan ? "" : " # SKIP no function of any family");
	for_each_family(f) {
		if (!wanted(*f, only))
			continue;
		status = family_run(*f);
		failed += !!status;
		report(&num, (*f)->name, status);
	}
	if (stock) {
		status = generic_run(&generic);
		failed += !!status;
		report(&num, "vpv_pci", status);
	}
	return failed ? 1 : plan ? 0 : 4;
}
