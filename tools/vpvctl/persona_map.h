/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Personas as text: maps (Documentation/persona.rst), their compiler, and what the
 * subcommands of "vpvctl persona" share.
 */
#ifndef PERSONA_MAP_H
#define PERSONA_MAP_H

#include "config_virt/persona.h"

#include <stdio.h>

/* No map is larger. */
#define MAP_MAX_BYTES	(1U << 20)

struct map_at {
	unsigned int line;
	unsigned int column;
};

/* Where a map is wrong, and how. */
struct map_error {
	struct map_at at;
	char text[200];
};

struct map_cap {
	struct vcfg_persona_cap rec;
	struct map_at at;
};

struct map_field {
	struct vcfg_persona_field rec;
	char callback[VPV_PERSONA_NAME_BYTES];
	struct map_at at;
};

/* What a map says, statement by statement. */
struct map {
	char name[VPV_PERSONA_NAME_BYTES];
	u32 version;
	unsigned int config_bytes;
	struct vcfg_persona_bar bars[VPV_PERSONA_BARS + 1];
	struct map_cap caps[VPV_PERSONA_MAX_CAPS];
	struct map_field fields[VPV_PERSONA_MAX_FIELDS];
	unsigned int num_caps;
	unsigned int num_fields;
	struct map_at at;
	struct map_at config_at;
	struct map_at bar_at[VPV_PERSONA_BARS + 1];
};

/* Words and marks of a map; a line ends a statement. */
enum map_token { TOKEN_WORD, TOKEN_MARK, TOKEN_LINE, TOKEN_END };

struct map_lexer {
	const char *next;
	const char *end;
	struct map_at next_at;
	struct map_error *error;

	/* The token that has been read. */
	enum map_token token;
	const char *text;
	size_t bytes;
	struct map_at at;
};

/* persona_lex.c: these return false after an error, with it in the lexer. */
bool map_lex_begin(struct map_lexer *lex, const char *text, size_t bytes,
		   struct map_error *error);
bool map_lex_next(struct map_lexer *lex);
bool map_lex_is(const struct map_lexer *lex, const char *word);
bool map_lex_expect(struct map_lexer *lex, const char *word);
bool map_lex_number(struct map_lexer *lex, const char *what, u64 most, u64 *val);
bool map_lex_size(struct map_lexer *lex, u64 *val);
bool map_lex_name(struct map_lexer *lex, const char *what, char *name);
bool map_lex_line(struct map_lexer *lex);
bool map_lex_wrong(struct map_lexer *lex, const char *expected);

/* persona_parse.c, persona_emit.c */
bool map_parse(struct map *map, const char *text, size_t bytes, struct map_error *error);
size_t map_emit(struct map *map, u8 *blob, struct map_error *error);
/* The statement that a refusal is about; after map_emit(). */
struct map_at map_blame(const struct map *map, const struct vcfg_persona_why *why);

/* persona_print.c: the map of a validated persona. */
void map_print(const struct vcfg_persona *p, FILE *to);
void map_print_bar(const struct vcfg_persona *p, unsigned int i, FILE *to);
void map_print_cap(const struct vcfg_persona *p, unsigned int i, FILE *to);
void map_print_field(const struct vcfg_persona *p, unsigned int i, FILE *to);

/* persona_names.c: a register of the header that has a name. */
struct map_register {
	const char *name;
	u8 pos;
	u8 bytes;
	u8 shift;	/* of the number in a map */
	u32 bits;
};

const struct map_register *map_register_find(const char *name, size_t bytes);
const struct map_register *map_register_of(const struct vcfg_persona_field *f);
/* "mem64", of the low four bits of a BAR; and back, or -1. */
const char *map_bar_type_name(u8 type);
int map_bar_type(const char *name, size_t bytes);
/* Name of a capability's id, or NULL; and back, or -1. */
const char *map_cap_name(unsigned int id, bool ext);
int map_cap_id(const char *name, size_t bytes, bool ext);
/* What is at an offset in a capability or (@cap NULL) in the header, or NULL. */
const char *map_register_text(const struct vcfg_persona_cap *cap, unsigned int off);
const char *map_source_name(unsigned int source);

/* A compiled persona, and the map that it was compiled from, or NULL. */
struct persona {
	const char *path;
	struct vcfg_persona p;
	u8 blob[VPV_PERSONA_MAX_BYTES];
	size_t bytes;
	struct map *map;
};

/* persona_file.c: a map or a compiled one; NULL with a text of what is wrong. */
struct persona *persona_load(const char *path, char **error);
void persona_free(struct persona *persona);
/* Bytes of a file; NULL with a text of what is wrong. */
u8 *persona_read_file(const char *path, size_t most, size_t *bytes, char **error);
/* "FILE:LINE:COLUMN", or "FILE: field 0x40:2". */
char *persona_where(const struct persona *persona, const struct vcfg_persona_why *why);
/* SHA-256: VPV_PERSONA_DIGEST_BYTES, or in hexadecimal digits; @hex has 65 bytes. */
void persona_digest_bytes(const struct persona *persona, u8 *digest);
void persona_digest(const struct persona *persona, char *hex);

/* The device, or a file that was read from one. */
struct persona_device {
	struct vcfg_persona_hw hw;
	u8 config[VCFG_MAX_BYTES];
	bool vf;
};

/* persona_device.c: false with a text of what is wrong. */
bool persona_device_open(struct persona_device *dev, const char *text, char **error);
bool persona_device_file(struct persona_device *dev, const char *path, char **error);
/* An option: false if it is malformed. */
bool persona_device_bar(struct persona_device *dev, const char *option);

/* persona_capture.c */
void persona_capture(const struct persona_device *dev, const char *name, FILE *to);

/**
 * struct persona_install - A file of the firmware folder, and what was there before
 * @path: The file.
 * @installed: It was replaced.
 * @old: Bytes from before, or NULL.
 * @old_bytes: Their number.
 */
struct persona_install {
	char *path;
	bool installed;
	u8 *old;
	size_t old_bytes;
};

/* persona_install.c: false with a text of what is wrong. */
bool persona_install(struct persona_install *inst, const struct persona *persona,
		     char **error);
void persona_install_undo(const struct persona_install *inst);
void persona_install_free(struct persona_install *inst);

/* persona_set.c: @what is a name or a file. */
int persona_set(const char *device, const char *what);
/* Is @what a file, by how it is written? */
bool persona_is_file(const char *what);

/* Subcommands, with the loaded files; they return the exit status. */
int persona_show(const struct persona *persona);
int persona_diff(const struct persona *a, const struct persona *b);

#endif /* PERSONA_MAP_H */
