// SPDX-License-Identifier: GPL-2.0
/*
 * vpvctl describe: all that must agree for a migration, as JSON, from sysfs and debugfs
 * ("host" view) or as the driver shows it to its user ("user" view).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "../../migration/stream.h"
#include "config.h"
#include "describe.h"
#include "files.h"
#include "mig.h"
#include "scheduler.h"
#include "vpvctl.h"

/* What a description is made from. */
struct facts {
	struct pci_fn fn;
	struct mig_info mig;
	struct vfio_view view;
	bool user;
	const char *features_from;
};

static void put_ids(struct json_object *obj, const struct pci_fn *fn)
{
	struct json_object *ids = json_object_new_object();

	put_hex(ids, "vendor", 4, fn->vendor);
	put_hex(ids, "device", 4, fn->device);
	put_hex(ids, "subsystem_vendor", 4, fn->subvendor);
	put_hex(ids, "subsystem_device", 4, fn->subdevice);
	put_hex(ids, "class", 6, fn->class);
	put_hex(ids, "revision", 2, fn->revision);
	json_object_object_add(obj, "ids", ids);
}

static const char *bar_type(const struct pci_fn *fn, unsigned int i)
{
	static const char * const types[] = {
		"memory 32", "memory 32 prefetchable", "memory 64", "memory 64 prefetchable",
	};

	if (fn->bar_flags[i] & PCI_FLAG_IO)
		return "io";
	return types[!!(fn->bar_flags[i] & PCI_FLAG_PREFETCH) +
		     2 * !!(fn->bar_flags[i] & PCI_FLAG_64)];
}

static void put_bars(struct json_object *obj, const struct facts *f)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < PCI_REGIONS; i++) {
		uint64_t bytes = f->user ? f->view.region_bytes[i] : f->fn.bar_bytes[i];
		struct json_object *bar;

		if (!bytes)
			continue;
		bar = json_object_new_object();
		if (i == PCI_BARS)
			put_text(bar, "bar", "rom");
		else
			put_number(bar, "bar", i);
		put_number(bar, "bytes", bytes);
		put_text(bar, "type", i == PCI_BARS ? "memory 32" : bar_type(&f->fn, i));
		json_object_array_add(list, bar);
	}
	json_object_object_add(obj, "bars", list);
}

static void put_caps(struct json_object *obj, const uint8_t *config, size_t bytes)
{
	struct config_cap caps[CONFIG_CAPS + CONFIG_EXT_CAPS];
	unsigned int n = config_walk(config, bytes, caps);
	struct json_object *lists[2];

	lists[0] = bytes >= 256 ? json_object_new_array() : NULL;
	lists[1] = bytes > 256 ? json_object_new_array() : NULL;
	for (unsigned int i = 0; i < n; i++) {
		struct json_object *cap = json_object_new_object();

		put_hex(cap, "id", caps[i].extended ? 4 : 2, caps[i].id);
		put_text_or_null(cap, "name", config_cap_name(caps[i].extended, caps[i].id));
		put_hex(cap, "offset", 2, caps[i].offset);
		if (caps[i].extended)
			put_number(cap, "version", caps[i].version);
		json_object_array_add(lists[caps[i].extended], cap);
	}
	json_object_object_add(obj, "capabilities", lists[0]);
	json_object_object_add(obj, "extended_capabilities", lists[1]);
}

static void put_module_line(struct json_object *obj, const char *module, const char *name)
{
	char text[128];

	read_line(at("/sys/module/%s/%s", module, name).s, text, sizeof(text));
	put_text_or_null(obj, name, printable(text));
}

static void put_driver(struct json_object *obj, const struct pci_fn *fn)
{
	struct json_object *driver = json_object_new_object();
	char module[64], release[128];

	put_text_or_null(driver, "name", fn->driver);
	put_flag(driver, "vfio", fn->vfio[0]);
	if (!link_name(at("/sys/bus/pci/drivers/%s/module", fn->driver).s, module,
		       sizeof(module)))
		snprintf(module, sizeof(module), "%s", fn->driver);
	put_module_line(driver, module, "version");
	put_module_line(driver, module, "srcversion");
	kernel_release(release, sizeof(release));
	put_text_or_null(driver, "kernel", printable(release));
	json_object_object_add(obj, "driver", driver);
}

/* Not known, if the driver does not tell its family. */
static struct json_object *version_json(const struct facts *f, uint32_t version)
{
	return f->mig.family[0] ? json_object_new_uint64(version) : NULL;
}

static void put_migration(struct json_object *obj, const struct facts *f)
{
	struct json_object *mig = json_object_new_object();

	json_object_object_add(mig, "features", f->features_from ?
			       mig_features_json(f->mig.features) : NULL);
	put_text_or_null(mig, "features_from", f->features_from);
	put_text_or_null(mig, "family", f->mig.family);
	json_object_object_add(mig, "state_version",
			       version_json(f, f->mig.state_version));
	json_object_object_add(mig, "state_oldest", version_json(f, f->mig.state_oldest));
	json_object_object_add(mig, "state_accepts",
			       version_json(f, f->mig.state_accepts));
	json_object_object_add(mig, "match", mig_match_json(&f->fn));
	json_object_object_add(obj, "migration", mig);
}

/* Ids and kinds of BARs of a VF are not in its config space, but in sysfs. */
static void patch_header(uint8_t *config, const struct pci_fn *fn)
{
	put_unaligned_le16(fn->vendor, config + PCI_VENDOR_ID);
	put_unaligned_le16(fn->device, config + PCI_DEVICE_ID);
	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (fn->bar_bytes[i])
			config[PCI_BASE_ADDRESS_0 + 4 * i] |= fn->bar_flags[i] & 0xf;
}

static size_t host_config(const struct pci_fn *fn, uint8_t *config)
{
	size_t bytes = 0;
	char *data = read_bytes(at("/sys/bus/pci/devices/%s/config", fn->bdf).s, &bytes);

	if (!data)
		return 0;
	if (bytes > CONFIG_MAX_BYTES)
		bytes = CONFIG_MAX_BYTES;
	memcpy(config, data, bytes);
	free(data);
	if (bytes >= 64)
		patch_header(config, fn);
	return bytes;
}

static void put_config(struct json_object *obj, uint8_t *config, size_t bytes)
{
	struct json_object *cfg = json_object_new_object();
	char *hex = xalloc(2 * bytes + 1);
	char print[24];

	config_normalise(config, bytes);
	for (size_t i = 0; i < bytes; i++)
		sprintf(hex + 2 * i, "%02x", config[i]);
	snprintf(print, sizeof(print), "crc32c:%08x", vmig_crc(0, config, bytes));
	put_number(cfg, "bytes", bytes);
	put_text_or_null(cfg, "fingerprint", bytes ? print : NULL);
	put_text_or_null(cfg, "normalised", hex);
	free(hex);
	json_object_object_add(obj, "config", cfg);
}

/* Ids and kinds of BARs as the driver shows them, which may differ from the host's. */
static void adopt_header(struct pci_fn *fn, const uint8_t *config)
{
	fn->vendor = get_unaligned_le16(config + PCI_VENDOR_ID);
	fn->device = get_unaligned_le16(config + PCI_DEVICE_ID);
	fn->subvendor = get_unaligned_le16(config + PCI_SUBSYSTEM_VENDOR_ID);
	fn->subdevice = get_unaligned_le16(config + PCI_SUBSYSTEM_ID);
	fn->revision = config[PCI_REVISION_ID];
	fn->class = get_unaligned_le32(config + PCI_REVISION_ID) >> 8;
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		uint8_t low = config[PCI_BASE_ADDRESS_0 + 4 * i];

		fn->bar_flags[i] = low & PCI_BASE_ADDRESS_SPACE_IO ? PCI_FLAG_IO :
			(low & PCI_BASE_ADDRESS_MEM_PREFETCH ? PCI_FLAG_PREFETCH : 0) |
			(low & PCI_BASE_ADDRESS_MEM_TYPE_64 ? PCI_FLAG_64 : 0);
	}
}

static void collect(struct facts *f, const char *dev, bool open)
{
	char why[128];

	pci_operand(dev, &f->fn);
	mig_load(&f->fn, &f->mig);
	f->features_from = f->mig.features_known ? "debugfs" : NULL;
	if (!open)
		return;
	if (vfio_look(&f->fn, &f->view, why, sizeof(why))) {
		fail("%s: %s; showing what the host sees", f->fn.bdf, why);
		return;
	}
	if (f->view.config_bytes < 64) {
		fail("%s: the driver shows too little config space", f->fn.bdf);
		return;
	}
	f->user = true;
	adopt_header(&f->fn, f->view.config);
	f->mig.features = f->view.features;
	f->features_from = "driver";
}

struct json_object *describe(const char *dev, bool open)
{
	struct json_object *obj = json_object_new_object();
	struct facts *f = xalloc(sizeof(*f));
	uint8_t config[CONFIG_MAX_BYTES];
	struct persona_now now;
	size_t bytes;

	collect(f, dev, open);
	if (f->user) {
		bytes = f->view.config_bytes;
		memcpy(config, f->view.config, bytes);
	} else {
		bytes = host_config(&f->fn, config);
	}
	put_number(obj, "vpvctl_describe", DESCRIBE_FORMAT);
	put_text(obj, "device", f->fn.bdf);
	put_text(obj, "view", f->user ? "user" : "host");
	put_driver(obj, &f->fn);
	put_migration(obj, f);
	persona_now_load(f->fn.bdf, &now);
	json_object_object_add(obj, "persona", persona_now_json(&now));
	put_ids(obj, &f->fn);
	put_bars(obj, f);
	put_caps(obj, config, bytes);
	put_config(obj, config, bytes);
	free(f);
	return obj;
}

static const struct option options[] = {
	{ "format", required_argument, NULL, 'f' },
	{ "open", no_argument, NULL, 'o' },
	OPTIONS_COMMON
};

int cmd_describe(int argc, char **argv)
{
	const char *format = NULL;
	bool open = false;
	int opt;

	while ((opt = next_option(argc, argv, options, "describe [--open] [--json] DEV | --format "
				  "nova|kubevirt|prometheus [--open] [DEV...]")) != -1) {
		if (opt == 'f')
			format = optarg;
		else
			open = true;
	}
	if (format && vpvctl.json)
		usage_error("--format and --json exclude each other");
	if (format)
		return describe_as(format, argv + optind, argc - optind, open);
	if (argc - optind != 1)
		usage_error("give one device");
	print_json(describe(argv[optind], open), false);
	return 0;
}
