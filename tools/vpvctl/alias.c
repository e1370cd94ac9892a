// SPDX-License-Identifier: GPL-2.0
/*
 * Which VFIO driver libvirt would bind for managed='yes': of the lines "alias
 * vfio_pci:PATTERN MODULE" in modules.alias that match the function's modalias, the one
 * with the fewest wildcards; of equals the first.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "pci.h"
#include "vpvctl.h"

bool module_same(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

void kernel_release(char *text, size_t size)
{
	read_line(at("/proc/sys/kernel/osrelease").s, text, size);
}

/* The vfio_pci: lines, read once. */
static struct alias {
	char pattern[256];
	char module[64];
	unsigned int wildcards;
} *aliases;
static int aliases_n = -1;

static void add_alias(const char *line)
{
	struct alias a = { 0 };

	if (sscanf(line, "alias vfio_pci:%255s %63s", a.pattern, a.module) != 2)
		return;
	for (const char *c = a.pattern; *c; c++)
		a.wildcards += *c == '*';
	aliases = xgrow(aliases, (aliases_n + 1) * sizeof(*aliases));
	aliases[aliases_n++] = a;
}

/* 0 or -errno. */
static int load_aliases(void)
{
	char release[128], *text, *rest, *line;

	if (aliases_n >= 0)
		return 0;
	kernel_release(release, sizeof(release));
	text = read_bytes(at("/lib/modules/%s/modules.alias", release).s, NULL);
	if (!text)
		return -errno;
	aliases_n = 0;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		add_alias(line);
	free(text);
	return 0;
}

static bool matches(const struct alias *a, const struct pci_fn *fn)
{
	return !strncmp(fn->modalias, "pci:", 4) && !fnmatch(a->pattern, fn->modalias + 4, 0);
}

static void tie(struct alias_choice *choice, const char *module)
{
	for (unsigned int i = 0; i < choice->ties; i++)
		if (module_same(choice->tied[i], module))
			return;
	if (choice->ties < ALIAS_TIES)
		snprintf(choice->tied[choice->ties++], sizeof(choice->tied[0]), "%s", module);
}

int alias_choose(const struct pci_fn *fn, struct alias_choice *choice)
{
	unsigned int best = UINT_MAX;
	int err = load_aliases();

	*choice = (struct alias_choice){ 0 };
	for (int i = 0; i < aliases_n; i++) {
		const struct alias *a = &aliases[i];

		if (a->wildcards > best || !matches(a, fn))
			continue;
		if (a->wildcards < best)
			choice->ties = 0;
		best = a->wildcards;
		tie(choice, a->module);
	}
	if (err || !choice->ties)
		return err ? err : -ESRCH;
	snprintf(choice->module, sizeof(choice->module), "%s", choice->tied[0]);
	return 0;
}

bool alias_has(const struct pci_fn *fn, const char *module)
{
	load_aliases();
	for (int i = 0; i < aliases_n; i++)
		if (matches(&aliases[i], fn) && module_same(aliases[i].module, module))
			return true;
	return false;
}
