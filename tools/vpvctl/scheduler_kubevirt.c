// SPDX-License-Identifier: GPL-2.0
/*
 * Functions for KubeVirt, as a List that kubectl takes: what the KubeVirt resource permits,
 * and labels of the node that a guest's node selector can ask for.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "scheduler.h"
#include "vpvctl.h"

#define LABEL_PREFIX "vpv/"
#define LABEL_CHARS 63
/* KubeVirt's own device plugin offers functions of this driver only. */
#define PLUGIN_DRIVER "vfio-pci"

/* Letters, digits, '-', '_' and '.', the first and the last being no sign. */
static char *label_text(const char *text)
{
	char *label = xformat("%.*s", LABEL_CHARS, text);
	size_t n = strlen(label), skip = 0;

	for (char *c = label; *c; c++)
		if (!isascii((unsigned char)*c) ||
		    (!isalnum((unsigned char)*c) && !strchr("-_.", *c)))
			*c = '-';
	while (n && !isalnum((unsigned char)label[n - 1]))
		label[--n] = 0;
	while (label[skip] && !isalnum((unsigned char)label[skip]))
		skip++;
	memmove(label, label + skip, strlen(label + skip) + 1);
	return label;
}

/* "hisi_like", or "1234-7610" if the family is not known. */
static char *kind(const struct offer *offer)
{
	char *text = offer->mig.family[0] ? label_text(offer->mig.family) : xformat("%s", "");

	if (*text)
		return text;
	free(text);
	return xformat("%04x-%04x", offer->fn.vendor, offer->fn.device);
}

/* A node has one value a label: functions that differ make it "mixed". */
static void put_label(struct json_object *labels, const struct offer *offer,
		      const char *what, const char *text)
{
	char *of = kind(offer), *value = label_text(text);
	char *key = xformat(LABEL_PREFIX "%.40s.%s", of, what);
	struct json_object *old;

	if (json_object_object_get_ex(labels, key, &old) &&
	    strcmp(json_object_get_string(old), value))
		put_text(labels, key, "mixed");
	else
		put_text(labels, key, value);
	free(key);
	free(value);
	free(of);
}

static void put_labels(struct json_object *labels, const struct offer *offer)
{
	char version[16];

	put_label(labels, offer, "driver", offer->fn.driver);
	put_label(labels, offer, "live-migratable", offer_migrates(offer) ? "true" : "false");
	if (offer->mig.family[0]) {
		snprintf(version, sizeof(version), "%u", offer->mig.state_version);
		put_label(labels, offer, "state-version", version);
	}
	if (!offer->persona.known)
		return;
	put_label(labels, offer, "persona", offer->persona.name);
	put_label(labels, offer, "persona-digest", offer->persona.digest);
}

/* The one that names functions with these ids by this resource. */
static struct json_object *find_device(struct json_object *list, const char *selector,
				       const char *name)
{
	struct json_object *obj, *ids, *resource;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		obj = json_object_array_get_idx(list, i);
		json_object_object_get_ex(obj, "pciVendorSelector", &ids);
		json_object_object_get_ex(obj, "resourceName", &resource);
		if (!strcmp(json_object_get_string(ids), selector) &&
		    !strcmp(json_object_get_string(resource), name))
			return obj;
	}
	return NULL;
}

/*
 * The selector is compared with the PCI_ID of the kernel's uevent, which has capitals.  A
 * resource has one provider: what KubeVirt's own cannot offer makes it an external one.
 */
static void put_device(struct json_object *list, const struct offer *offer)
{
	char *selector = xformat("%04X:%04X", offer->fn.vendor, offer->fn.device);
	char *of = kind(offer), *name = xformat(LABEL_PREFIX "%s", of);
	struct json_object *obj = find_device(list, selector, name);

	if (!obj) {
		obj = json_object_new_object();
		put_text(obj, "pciVendorSelector", selector);
		put_text(obj, "resourceName", name);
		json_object_array_add(list, obj);
	}
	if (strcmp(offer->fn.driver, PLUGIN_DRIVER))
		put_flag(obj, "externalResourceProvider", true);
	free(name);
	free(of);
	free(selector);
}

static struct json_object *resource(const char *version, const char *type, const char *name)
{
	struct json_object *obj = json_object_new_object(), *meta = json_object_new_object();

	put_text(obj, "apiVersion", version);
	put_text(obj, "kind", type);
	if (name)
		put_text(meta, "name", name);
	json_object_object_add(obj, "metadata", meta);
	return obj;
}

static struct json_object *inside(struct json_object *obj, const char *key,
				  struct json_object *member)
{
	json_object_object_add(obj, key, member);
	return member;
}

/* The name that kubelet gives to the node, unless it was told another one. */
static void node_name(char *name, size_t size)
{
	read_line(at("/proc/sys/kernel/hostname").s, name, size);
	for (char *c = printable(name); *c; c++)
		*c = tolower((unsigned char)*c);
}

void print_kubevirt(const struct offer *offers, int n)
{
	struct json_object *all = resource("v1", "List", NULL);
	struct json_object *items = inside(all, "items", json_object_new_array());
	struct json_object *virt = resource("kubevirt.io/v1", "KubeVirt", "kubevirt");
	struct json_object *spec, *devices, *node, *labels, *meta;
	char name[65];

	node_name(name, sizeof(name));
	node = resource("v1", "Node", name);
	json_object_object_get_ex(virt, "metadata", &meta);
	put_text(meta, "namespace", "kubevirt");
	spec = inside(virt, "spec", json_object_new_object());
	spec = inside(spec, "configuration", json_object_new_object());
	spec = inside(spec, "permittedHostDevices", json_object_new_object());
	devices = inside(spec, "pciHostDevices", json_object_new_array());
	json_object_object_get_ex(node, "metadata", &meta);
	labels = inside(meta, "labels", json_object_new_object());
	for (int i = 0; i < n; i++) {
		put_device(devices, &offers[i]);
		put_labels(labels, &offers[i]);
	}
	json_object_array_add(items, virt);
	json_object_array_add(items, node);
	print_json(all, false);
}
