// SPDX-License-Identifier: GPL-2.0
/* Personas in files: maps and compiled ones, and their digest. */
#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>

#include "persona_map.h"
#include "vpvctl.h"

u8 *persona_read_file(const char *path, size_t most, size_t *bytes, char **error)
{
	FILE *from = fopen(path, "rbe");
	u8 *data;

	if (!from) {
		*error = xformat("%s: %s", path, strerror(errno));
		return NULL;
	}
	data = xalloc(most + 1);
	*bytes = fread(data, 1, most + 1, from);
	if (ferror(from))
		*error = xformat("%s: cannot be read", path);
	else if (*bytes > most)
		*error = xformat("%s: larger than %zu bytes", path, most);
	if (ferror(from) || *bytes > most) {
		free(data);
		data = NULL;
	}
	fclose(from);
	return data;
}

static bool load_blob(struct persona *persona, const u8 *data, size_t bytes, char **error)
{
	struct vcfg_persona_why why;

	persona->bytes = bytes;
	memcpy(persona->blob, data, min(bytes, sizeof(persona->blob)));
	if (!vcfg_persona_parse(&persona->p, persona->blob, bytes, &why))
		return true;
	*error = xformat("%s: %s (expected %#llx, found %#llx)", persona->path, why.text,
			 (unsigned long long)why.want, (unsigned long long)why.got);
	return false;
}

static bool load_map(struct persona *persona, const u8 *data, size_t bytes, char **error)
{
	struct vcfg_persona_why why;
	struct map_error wrong;

	persona->map = xalloc(sizeof(*persona->map));
	if (map_parse(persona->map, (const char *)data, bytes, &wrong)) {
		persona->bytes = map_emit(persona->map, persona->blob, &wrong);
		if (persona->bytes)
			return !vcfg_persona_parse(&persona->p, persona->blob,
						   persona->bytes, &why);
	}
	*error = xformat("%s:%u:%u: %s", persona->path, wrong.at.line, wrong.at.column,
			 wrong.text);
	return false;
}

struct persona *persona_load(const char *path, char **error)
{
	size_t bytes;
	u8 *data = persona_read_file(path, MAP_MAX_BYTES, &bytes, error);
	struct persona *persona;
	bool good;

	if (!data)
		return NULL;
	persona = xalloc(sizeof(*persona));
	persona->path = path;
	if (bytes >= VPV_PERSONA_MAGIC_BYTES &&
	    !memcmp(data, VPV_PERSONA_MAGIC, VPV_PERSONA_MAGIC_BYTES))
		good = load_blob(persona, data, bytes, error);
	else
		good = load_map(persona, data, bytes, error);
	free(data);
	if (good)
		return persona;
	persona_free(persona);
	return NULL;
}

void persona_free(struct persona *persona)
{
	if (persona)
		free(persona->map);
	free(persona);
}

char *persona_where(const struct persona *persona, const struct vcfg_persona_why *why)
{
	const struct vcfg_persona *p = &persona->p;
	struct vcfg_persona_field f;

	if (persona->map) {
		struct map_at at = map_blame(persona->map, why);

		return xformat("%s:%u:%u", persona->path, at.line, at.column);
	}
	switch (why->part) {
	case VCFG_PERSONA_BAR:
		return why->index == VPV_PERSONA_ROM ? xformat("%s: rom", persona->path) :
			xformat("%s: bar %u", persona->path, why->index);
	case VCFG_PERSONA_CAP:
		return xformat("%s: capability at 0x%02x", persona->path,
			       vcfg_persona_cap(p, why->index).pos);
	case VCFG_PERSONA_FIELD:
		f = vcfg_persona_field(p, why->index);
		return xformat("%s: field 0x%02x:%u", persona->path, f.pos, f.bytes);
	case VCFG_PERSONA_NAME:
		return xformat("%s: callback %s", persona->path,
			       vcfg_persona_callback(p, why->index));
	default:
		return xformat("%s", persona->path);
	}
}

void persona_digest_bytes(const struct persona *persona, u8 *digest)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, persona->bytes, persona->blob);
	sha256_digest(&ctx, SHA256_DIGEST_SIZE, digest);
}

void persona_digest(const struct persona *persona, char *hex)
{
	u8 digest[SHA256_DIGEST_SIZE];

	persona_digest_bytes(persona, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}
