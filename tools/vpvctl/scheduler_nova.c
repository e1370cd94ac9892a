// SPDX-License-Identifier: GPL-2.0
/*
 * Functions as OpenStack Nova's [pci] section has them: one device_spec each, and an alias
 * for each kind.  "managed" and "live_migratable" are of Nova 2025.1 and later.
 */
#include <stdlib.h>

#include "scheduler.h"
#include "vpvctl.h"

static void put_id(struct json_object *obj, const char *key, uint16_t id)
{
	char text[8];

	snprintf(text, sizeof(text), "%04x", id);
	put_text(obj, key, text);
}

static struct json_object *ids(const struct offer *offer)
{
	struct json_object *obj = json_object_new_object();

	put_id(obj, "vendor_id", offer->fn.vendor);
	put_id(obj, "product_id", offer->fn.device);
	return obj;
}

static void print_option(const char *option, struct json_object *obj)
{
	printf("%s = ", option);
	print_json(obj, true);
}

/* With an address that Nova does not take, nova-compute does not start. */
static bool takes(const struct offer *offer)
{
	return strtoul(offer->fn.bdf, NULL, 16) <= 0xffff;
}

/*
 * A function that has its VFIO driver, and with it a persona, is left as it is; libvirt
 * binds others by modules.alias.
 */
static void print_spec(const struct offer *offer)
{
	struct json_object *obj = ids(offer);

	put_text(obj, "address", offer->fn.bdf);
	put_text(obj, "managed", offer->fn.vfio[0] ? "no" : "yes");
	put_text(obj, "live_migratable", offer_migrates(offer) ? "yes" : "no");
	print_option("device_spec", obj);
}

static bool same_alias(const struct offer *a, const struct offer *b)
{
	return a->fn.vendor == b->fn.vendor && a->fn.device == b->fn.device &&
	       offer_type(a) == offer_type(b) && offer_migrates(a) == offer_migrates(b);
}

/* Aliases of one name are alternatives in Nova, so that each kind has a name of its own. */
static void print_alias(const struct offer *offer)
{
	struct json_object *obj = ids(offer);
	const char *type = offer_type(offer);
	bool migrates = offer_migrates(offer);
	char *name = xformat("%s-%04x-%04x%s", type + sizeof("type-") - 1, offer->fn.vendor,
			     offer->fn.device, migrates ? "-live" : "");

	put_text(obj, "name", name);
	put_text(obj, "device_type", type);
	put_text(obj, "live_migratable", migrates ? "yes" : "no");
	print_option("alias", obj);
	free(name);
}

void print_nova(const struct offer *offers, int n)
{
	printf("[pci]\n");
	for (int i = 0; i < n; i++)
		if (takes(&offers[i]))
			print_spec(&offers[i]);
		else
			fail("%s: Nova takes no domain above ffff: left out", offers[i].fn.bdf);
	for (int i = 0; i < n; i++) {
		int k = 0;

		if (!takes(&offers[i]))
			continue;
		while (!takes(&offers[k]) || !same_alias(&offers[k], &offers[i]))
			k++;
		if (k == i)
			print_alias(&offers[i]);
	}
}
