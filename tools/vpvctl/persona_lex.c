// SPDX-License-Identifier: GPL-2.0
/* Maps of personas: words, numbers and where they are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "persona_map.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_mark(char c)
{
	return c == '{' || c == '}' || c == ':';
}

static void lex_step(struct map_lexer *lex)
{
	if (*lex->next == '\n') {
		lex->next_at.line++;
		lex->next_at.column = 0;
	}
	lex->next_at.column++;
	lex->next++;
}

static bool lex_word(struct map_lexer *lex)
{
	while (lex->next < lex->end && !is_blank(*lex->next) && !is_mark(*lex->next) &&
	       *lex->next != '\n' && *lex->next != '#') {
		if (*lex->next <= ' ' || *lex->next > '~') {
			lex->error->at = lex->next_at;
			snprintf(lex->error->text, sizeof(lex->error->text),
				 "expected ASCII text, found byte 0x%02x",
				 (unsigned char)*lex->next);
			return false;
		}
		lex_step(lex);
	}
	lex->token = TOKEN_WORD;
	return true;
}

bool map_lex_next(struct map_lexer *lex)
{
	while (lex->next < lex->end && is_blank(*lex->next))
		lex_step(lex);
	if (lex->next < lex->end && *lex->next == '#')
		while (lex->next < lex->end && *lex->next != '\n')
			lex_step(lex);
	lex->text = lex->next;
	lex->at = lex->next_at;
	lex->token = TOKEN_END;
	if (lex->next < lex->end) {
		if (!is_mark(*lex->next) && *lex->next != '\n') {
			if (!lex_word(lex))
				return false;
		} else {
			lex->token = is_mark(*lex->next) ? TOKEN_MARK : TOKEN_LINE;
			lex_step(lex);
		}
	}
	lex->bytes = (size_t)(lex->next - lex->text);
	return true;
}

bool map_lex_begin(struct map_lexer *lex, const char *text, size_t bytes,
		   struct map_error *error)
{
	*lex = (struct map_lexer){
		.next = text,
		.end = text + bytes,
		.next_at = { 1, 1 },
		.error = error,
	};
	return map_lex_next(lex);
}

/* The token is not what was expected. */
bool map_lex_wrong(struct map_lexer *lex, const char *expected)
{
	char found[48];

	if (lex->token == TOKEN_LINE)
		snprintf(found, sizeof(found), "the end of the line");
	else if (lex->token == TOKEN_END)
		snprintf(found, sizeof(found), "the end of the file");
	else
		snprintf(found, sizeof(found), "'%.*s%s'",
			 (int)(lex->bytes > 40 ? 37 : lex->bytes), lex->text,
			 lex->bytes > 40 ? "..." : "");
	lex->error->at = lex->at;
	snprintf(lex->error->text, sizeof(lex->error->text), "expected %.120s, found %s",
		 expected, found);
	return false;
}

bool map_lex_is(const struct map_lexer *lex, const char *word)
{
	return lex->token <= TOKEN_MARK && strlen(word) == lex->bytes &&
	       !memcmp(word, lex->text, lex->bytes);
}

bool map_lex_expect(struct map_lexer *lex, const char *word)
{
	char expected[40];

	if (map_lex_is(lex, word))
		return map_lex_next(lex);
	snprintf(expected, sizeof(expected), "'%s'", word);
	return map_lex_wrong(lex, expected);
}

/* Decimal or 0x; one unit letter if @units has any. */
static bool lex_value(const struct map_lexer *lex, const char *units, u64 *val)
{
	unsigned int shift = 0;
	char text[32], *end;

	if (lex->token != TOKEN_WORD || !lex->bytes || lex->bytes >= sizeof(text) ||
	    *lex->text < '0' || *lex->text > '9')
		return false;
	memcpy(text, lex->text, lex->bytes);
	text[lex->bytes] = 0;
	/* No octal numbers. */
	if (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
		return false;
	errno = 0;
	*val = strtoull(text, &end, 0);
	if (errno)
		return false;
	if (*end && strchr(units, *end)) {
		shift = 10 * (unsigned int)(strchr(units, *end) - units + 1);
		end++;
	}
	if (*end || (shift && *val > U64_MAX >> shift))
		return false;
	*val <<= shift;
	return true;
}

bool map_lex_number(struct map_lexer *lex, const char *what, u64 most, u64 *val)
{
	char expected[120];

	if (lex_value(lex, "", val) && *val <= most)
		return map_lex_next(lex);
	snprintf(expected, sizeof(expected), "%s (a number up to %#llx)", what,
		 (unsigned long long)most);
	return map_lex_wrong(lex, expected);
}

bool map_lex_size(struct map_lexer *lex, u64 *val)
{
	if (lex_value(lex, "KMGT", val))
		return map_lex_next(lex);
	return map_lex_wrong(lex, "a size (a number, also with K, M, G or T)");
}

bool map_lex_name(struct map_lexer *lex, const char *what, char *name)
{
	char expected[120];

	if (lex->token == TOKEN_WORD && lex->bytes < VPV_PERSONA_NAME_BYTES) {
		memset(name, 0, VPV_PERSONA_NAME_BYTES);
		memcpy(name, lex->text, lex->bytes);
		if (vcfg_persona_name_good((const u8 *)name))
			return map_lex_next(lex);
	}
	snprintf(expected, sizeof(expected),
		 "%s (a letter, then letters, digits, '.', '_', '-'; at most %u)", what,
		 VPV_PERSONA_NAME_BYTES - 1);
	return map_lex_wrong(lex, expected);
}

/* The statement ends here. */
bool map_lex_line(struct map_lexer *lex)
{
	if (lex->token == TOKEN_END)
		return true;
	if (lex->token != TOKEN_LINE)
		return map_lex_wrong(lex, "the end of the line");
	while (lex->token == TOKEN_LINE)
		if (!map_lex_next(lex))
			return false;
	return true;
}
