/* SPDX-License-Identifier: GPL-2.0 */
/* Config space: capabilities, and what of it stays the same while a device works. */
#ifndef VPVCTL_CONFIG_H
#define VPVCTL_CONFIG_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_MAX_BYTES	4096
#define CONFIG_CAPS		64
#define CONFIG_EXT_CAPS		480

/**
 * struct config_cap - One capability
 * @extended: It is in extended config space.
 * @id: Its id.
 * @version: Of an extended one.
 * @offset: Place.
 */
struct config_cap {
	bool extended;
	uint16_t id;
	uint8_t version;
	uint16_t offset;
};

/**
 * config_walk() - Follow both chains
 * @config: Config space; any bytes.
 * @bytes: As much as is known.
 * @caps: Room for CONFIG_CAPS + CONFIG_EXT_CAPS.
 *
 * Return: Number of capabilities found before a chain ended, looped or left @bytes.
 */
unsigned int config_walk(const uint8_t *config, size_t bytes, struct config_cap *caps);

/**
 * config_normalise() - Zero all that the user or the hardware changes
 * @config: Config space; any bytes.
 * @bytes: As much as is known.
 *
 * What is left is what must be the same on both sides of a migration: a VMM compares it.
 */
void config_normalise(uint8_t *config, size_t bytes);

/* "MSI-X", or NULL if the id is not known here. */
const char *config_cap_name(bool extended, unsigned int id);

/**
 * config_place() - Name what a byte belongs to
 * @config: Config space.
 * @bytes: As much as is known.
 * @offset: The byte.
 * @text: "header", or a capability with its place.
 * @size: Of @text.
 */
void config_place(const uint8_t *config, size_t bytes, unsigned int offset, char *text,
		  size_t size);

#endif /* VPVCTL_CONFIG_H */
