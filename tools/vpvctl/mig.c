// SPDX-License-Identifier: GPL-2.0
/*
 * What debugfs says about a function's migration: vpv_migration/ of our drivers
 * (Documentation/ABI/debugfs-vpv-migration) and vfio/ of kernels with VFIO_DEBUGFS.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "mig.h"
#include "vpvctl.h"

static const char * const feature_names[MIG_FEATURES] = {
	"stop-copy", "p2p", "pre-copy", "dirty-tracking",
};

const char *mig_feature_name(unsigned int i)
{
	return feature_names[i];
}

const char *mig_features_text(unsigned int features, char *text, size_t size)
{
	size_t n = 0;

	snprintf(text, size, "none");
	for (unsigned int i = 0; i < MIG_FEATURES && n < size; i++)
		if (features & 1u << i)
			n += snprintf(text + n, size - n, "%s%s", n ? "," : "",
				      feature_names[i]);
	return text;
}

struct json_object *mig_features_json(unsigned int features)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < MIG_FEATURES; i++)
		if (features & 1u << i)
			json_object_array_add(list, json_object_new_string(feature_names[i]));
	return list;
}

static unsigned int parse_features(char *text)
{
	unsigned int features = 0;
	char *word;

	while ((word = strsep(&text, "\n")))
		for (unsigned int i = 0; i < MIG_FEATURES; i++)
			if (!strcmp(word, feature_names[i]))
				features |= 1u << i;
	return features;
}

static void load_features(const struct pci_fn *fn, struct mig_info *info)
{
	char *text = read_bytes(at("/sys/kernel/debug/vfio/%s/migration/features",
				   fn->bdf).s, NULL);

	if (text) {
		info->features_known = true;
		info->features = parse_features(text);
	} else if (errno == ENOENT && fn->vfio[0] && !info->ours) {
		/* A kernel with VFIO_DEBUGFS makes migration/ only where there is any. */
		info->features_known = exists(at("/sys/kernel/debug/vfio/%s", fn->bdf).s) &&
				       !exists(at("/sys/kernel/debug/vfio/%s/migration",
						  fn->bdf).s);
	}
	free(text);
}

static void parse_sessions(char *text, struct mig_info *info)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		struct mig_session s = { .any = true };
		char kind[8];

		if (sscanf(line, "%7s result %d bytes %" SCNu64 " records %" SCNu64
			   " held %*u waited %*u rest %" SCNu64 " dirty %" SCNu64, kind,
			   &s.result, &s.bytes, &s.records, &s.rest, &s.dirty) < 4)
			continue;
		if (!strcmp(kind, "save"))
			info->save = s;
		else if (!strcmp(kind, "load"))
			info->load = s;
	}
}

static void parse_versions(char *text, struct mig_info *info)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		sscanf(line, "family %31s", info->family);
		sscanf(line, "state_version %" SCNu32, &info->state_version);
		sscanf(line, "state_oldest %" SCNu32, &info->state_oldest);
		sscanf(line, "state_accepts %" SCNu32, &info->state_accepts);
	}
	printable(info->family);
}

static int read_ours(const struct pci_fn *fn, const char *name, char *text, size_t size)
{
	return read_line(at("/sys/kernel/debug/vpv_migration/%s/%s", fn->bdf, name).s, text,
			 size);
}

void mig_load(const struct pci_fn *fn, struct mig_info *info)
{
	char *sessions, *versions;

	*info = (struct mig_info){ 0 };
	info->ours = !read_ours(fn, "state", info->state, sizeof(info->state));
	if (!info->ours)
		read_line(at("/sys/kernel/debug/vfio/%s/migration/state", fn->bdf).s,
			  info->state, sizeof(info->state));
	printable(info->state);
	load_features(fn, info);

	read_ours(fn, "last_error", info->error, sizeof(info->error));
	printable(info->error);
	sessions = read_bytes(at("/sys/kernel/debug/vpv_migration/%s/sessions",
				 fn->bdf).s, NULL);
	if (sessions)
		parse_sessions(sessions, info);
	free(sessions);
	versions = read_bytes(at("/sys/kernel/debug/vpv_migration/%s/features",
				 fn->bdf).s, NULL);
	if (versions)
		parse_versions(versions, info);
	free(versions);
}

static struct json_object *match_value(const char *rule, const char *text)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 10);

	if (strcmp(rule, "text") && *text && !*end)
		return json_object_new_uint64(number);
	return text_json(text);
}

struct json_object *mig_match_json(const struct pci_fn *fn)
{
	char *text = read_bytes(at("/sys/kernel/debug/vpv_migration/%s/match", fn->bdf).s, NULL);
	struct json_object *list = json_object_new_array();
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		const char *rule = strsep(&line, "\t"), *name = strsep(&line, "\t");
		const char *sends = strsep(&line, "\t"), *takes = strsep(&line, "\t");
		struct json_object *field;

		if (!takes)
			continue;
		field = json_object_new_object();
		put_text(field, "name", name);
		put_text(field, "rule", rule);
		json_object_object_add(field, "sends", match_value(rule, sends));
		json_object_object_add(field, "takes", match_value(rule, takes));
		json_object_array_add(list, field);
	}
	free(text);
	if (json_object_array_length(list))
		return list;
	json_object_put(list);
	return NULL;
}

const char *mig_debugfs_trouble(void)
{
	struct path debug = at("/sys/kernel/debug");

	if (!exists(debug.s))
		return "the kernel has no debugfs";
	if (access(debug.s, R_OK | X_OK))
		return "debugfs is for root";
	if (!exists(at("/sys/kernel/debug/vpv_migration").s) &&
	    !exists(at("/sys/kernel/debug/vfio").s))
		return "neither vpv_migration nor VFIO shows anything in /sys/kernel/debug "
		       "(not mounted, driver not loaded, or kernel without VFIO_DEBUGFS)";
	return NULL;
}
