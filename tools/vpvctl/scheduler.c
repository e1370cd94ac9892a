// SPDX-License-Identifier: GPL-2.0
/* vpvctl describe --format: which functions, and in which words. */
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "scheduler.h"
#include "vpvctl.h"

static const struct format {
	const char *name;
	void (*print)(const struct offer *offers, int n);
} formats[] = {
	{ "kubevirt",	print_kubevirt },
	{ "nova",	print_nova },
	{ "prometheus",	print_prometheus },
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

bool offer_migrates(const struct offer *offer)
{
	return offer->mig.features_known && offer->mig.features & MIG_STOP_COPY;
}

const char *offer_type(const struct offer *offer)
{
	char vfs[16];

	if (exists(at("/sys/bus/pci/devices/%s/physfn", offer->fn.bdf).s))
		return "type-VF";
	if (!read_line(at("/sys/bus/pci/devices/%s/sriov_totalvfs", offer->fn.bdf).s, vfs,
		       sizeof(vfs)) && atoi(vfs) > 0)
		return "type-PF";
	return "type-PCI";
}

/* A scheduler is told that what is not known does not migrate: say that it is so. */
static void offer_load(struct offer *offer, bool open)
{
	struct vfio_view view;
	char why[128] = "it was not opened (--open)";

	mig_load(&offer->fn, &offer->mig);
	persona_now_load(offer->fn.bdf, &offer->persona);
	if (open && !vfio_look(&offer->fn, &view, why, sizeof(why))) {
		offer->mig.features_known = true;
		offer->mig.features = view.features;
	}
	if (!offer->mig.features_known)
		fail("%s: whether it can migrate is not known: debugfs does not say, and %s",
		     offer->fn.bdf, why);
}

static int all_bound(struct offer **offers)
{
	struct pci_fn *fns;
	int n = pci_all(&fns), bound = 0;

	if (n < 0)
		exit(fail("cannot read /sys/bus/pci/devices: %s", strerror(-n)));
	*offers = xalloc((n + 1) * sizeof(**offers));
	for (int i = 0; i < n; i++)
		if (fns[i].vfio[0])
			(*offers)[bound++].fn = fns[i];
	free(fns);
	return bound;
}

int describe_as(const char *format, char **devs, int n, bool open)
{
	struct offer *offers;
	size_t f = 0;

	while (f < FORMATS && strcmp(formats[f].name, format))
		f++;
	if (f == FORMATS)
		usage_error("no format '%s'; there are kubevirt, nova and prometheus", format);
	if (n) {
		offers = xalloc(n * sizeof(*offers));
		for (int i = 0; i < n; i++)
			pci_operand(devs[i], &offers[i].fn);
	} else {
		n = all_bound(&offers);
	}
	for (int i = 0; i < n; i++)
		offer_load(&offers[i], open);
	formats[f].print(offers, n);
	free(offers);
	return 0;
}
